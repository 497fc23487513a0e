"""The library's claims on their tissues for six hours: every read-out is a number, perturbed arms take another course,
and what is said to be nine tenths gone is gone by about as much."""

import math

import pytest

import oncarium as oc
from oncarium.analysis.readout import read_out
from oncarium.study.claims import LIBRARY, library, profiles, read_claim

CLAIMS = {p.stem: read_claim(p) for p in library()}
LARGEST = {
    "bulk": "C10",
    "front": "C12",
    "take": "C03",
    "reference": "C37",
    "inflamed": "C54",
}  # with all that is read there


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """(claim, arm) -> its result after six hours; each is run once."""
    folder, known = tmp_path_factory.mktemp("smoke"), {}

    def run(name, arm):
        if (name, arm) not in known:
            model = CLAIMS[name].arms(profiles()["quick"].of(CLAIMS[name]))[arm]
            known[name, arm] = oc.run(model, "6 h", out=folder / f"{name} {arm}")
        return known[name, arm]

    return run


def soon(what):
    """A read-out of the first hours: without the days that it leaves out."""
    return {k: v for k, v in what.items() if k not in ("since", "at")}


@pytest.mark.parametrize("tissue", LARGEST)
def test_every_read_out_is_a_number(tissue, seen):
    result = seen(LARGEST[tissue], "control")
    wanted = [
        (name, w)
        for name, c in CLAIMS.items()
        if c.tissue == tissue and "therapy" not in str((c.changes, c.control))  # all its arms have a drug of their own
        for w in (c.state.what, c.function.what, *c.also)
    ]
    values = {(name, str(w)): read_out(result, soon(w)) for name, w in wanted}
    assert values and not {k: v for k, v in values.items() if not math.isfinite(v)}


@pytest.mark.parametrize("name", ["C10", "C28", "C37"])
def test_arms_differ(name, seen):
    one, other = (seen(name, arm) for arm in ("control", "perturbed"))
    assert not one.summary.equals(other.summary)


@pytest.mark.parametrize(("name", "factors"), [("C10", ["egf", "hgf", "il6"]), ("C28", ["egf"]), ("C37", ["pdgfb"])])
def test_a_tenth_is_left_of_what_is_neutralized(name, factors, seen):
    one, other = (seen(name, arm) for arm in ("control", "perturbed"))
    for factor in factors:
        what = {"measure": "factor", "name": factor}
        assert 0.02 < read_out(other, what) / read_out(one, what) < 0.3, factor


def test_everything_foretold_is_a_claim():
    from oncarium.study.claims_site import read_notes
    from oncarium.study.verdicts import VERDICTS

    path = LIBRARY.parents[2] / "validation" / "claims" / "predicted.yaml"
    if not path.exists():
        pytest.skip("not in a checkout")
    assert set(read_notes(path, sorted(CLAIMS), VERDICTS)) == set(CLAIMS)
