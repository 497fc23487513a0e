"""The library's claims: readable, with a negative control, and the command that runs them."""

import functools
import subprocess
import sys

import pytest

from oncarium.model.model import Model
from oncarium.study.claims import joined, library, profiles, read_claim


@functools.cache
def arms_of(path):
    claim = read_claim(path)
    return claim, claim.arms(profiles()["quick"].of(claim))


@pytest.mark.parametrize("path", library(), ids=lambda p: p.stem)
def test_every_claim_of_the_library_can_be_run(path):
    claim, arms = arms_of(path)
    assert claim.id == path.stem and claim.says and claim.mechanism and all(r.source for r in claim.readouts.values())
    assert len({m.digest for m in arms.values()}) == len(arms), "two arms are the same"


def test_claims_of_one_tissue_share_their_arms():
    every = [arms_of(path) for path in library()]
    genetic = [(c, arms) for c, arms in every if all(model.therapy is None for model in arms.values())]
    distinct = {(model.digest, claim.until) for claim, arms in genetic for model in arms.values()}
    assert len(genetic) >= 50 and 3 * len(distinct) <= 720, len(distinct)  # three seeds of all within the budget
    further = {(model.digest, claim.until) for claim, arms in every for model in arms.values()} - distinct
    assert len(every) > len(genetic) and 3 * len(further) <= 300, len(
        further
    )  # claims about drugs are a run of their own
    assert {claim.tissue for claim, _ in every} == {"bulk", "front", "take", "reference", "inflamed"}


def test_profiles_know_their_size():
    quick, full = profiles()["quick"], profiles()["full"]
    assert full.seeds == 10 and full.until == "28 day"
    model = Model.load("reference")
    small = model.with_({k: v for k, v in quick.changes.items() if model.has(k)})
    assert small.domain.shape == (25, 25, 1) and all(model.has(k) for k in quick.changes)


def test_rules_to_do_without_add_up():
    assert joined({"a.rules-": ["x on y"]}, {"a.rules-": ["z on y"]}) == {"a.rules-": ["x on y", "z on y"]}


def command(*words):
    return subprocess.run([sys.executable, "-m", "oncarium", "claims", *words], capture_output=True, text=True)


def test_the_command_lists_and_refuses():
    done = command("--list", "C24", "C26")
    assert done.returncode == 0 and [line.split()[0] for line in done.stdout.splitlines()] == ["C24", "C26"]
    done = command("C2x")
    assert done.returncode == 2 and "neither a file nor a claim" in done.stderr and "Traceback" not in done.stderr
    done = command("C24", "--profile", "quik")
    assert done.returncode == 2 and "Did you mean 'quick'?" in done.stderr
