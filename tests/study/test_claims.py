"""Claims on an experiment whose outcome is known: oxygen drives division, and without the rule nothing follows from
oxygen."""

import json
import math
import time

import pytest

from oncarium.analysis.readout import read_out
from oncarium.errors import InputError, ModelError
from oncarium.model.model import EXAMPLE
from oncarium.study import claims, ensemble
from oncarium.study.claims import Claim, read_claim, scaled
from oncarium.study.claims_page import page
from oncarium.study.effects import Effect, dip_of, effect_of
from oncarium.study.ensemble import Task, run_all
from oncarium.study.verdicts import FAILED, NOT, SUPPORTED, UNKNOWN, WEAK, judge, run_claims

WORLD = EXAMPLE.replace(
    "rules: [", 'rules: ["oxygen increases cycle.exit.live to 0.6 1/h, half 20 mmHg, hill 4 assumed", '
).replace("0.04 1/h", "0.001 1/h")
TEXT = """
claim: C99
says: Oxygen lets the tumor grow.
mechanism: oxygen increases the exit of the cycle
scenario: small
until: 8 h
perturbed: {factors.oxygen.boundary: 2 mmHg assumed, factors.oxygen.initial: 2 mmHg assumed}
off: {cells.tumor.rules: []}
readouts:
  - {measure: count, of: tumor, called: tumor cells}
  - {measure: mean, of: tumor, column: sense.factor.oxygen, called: oxygen at the cells, unit: mmHg}
effect: ratio
expect: {direction: down, band: [0.005, 0.6], source: assumed}
seeds: 3
"""


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library with one scenario."""
    (tmp_path / "lib" / "scenarios").mkdir(parents=True)
    (tmp_path / "lib" / "scenarios" / "small.yaml").write_text(WORLD)
    monkeypatch.setattr("oncarium.model.library.LIBRARY", tmp_path / "lib")
    return tmp_path


def claim_of(library, text=TEXT):
    (library / "C99.yaml").write_text(text)
    return read_claim(library / "C99.yaml")


def test_an_effect_comes_out_and_vanishes_with_its_mechanism(library):
    claim = claim_of(library)
    outcome = run_claims([claim], library / "out", workers=1)[0]
    main, off = outcome.effects[0], outcome.off[0]
    assert outcome.verdict == SUPPORTED and main.high < 0.6 and len(main.control) == 3
    assert off.low <= 1.0 <= off.high or abs(off.value - 1) < 0.1
    assert outcome.effects[1].value < 0.1  # oxygen itself
    path = page([outcome], library / "out")
    text = path.read_text()
    assert (
        "C99" in text
        and "supported" in text
        and text.count("<svg") == 1
        and "http://" not in text.split("</style>")[1].split("<svg")[0]
    )
    record = json.loads((path.parent / "claims.json").read_text())[0]
    assert record["verdict"] == SUPPORTED and record["effects"][0]["value"] == pytest.approx(main.value)


def test_a_second_start_runs_nothing_again_and_shared_arms_run_once(library):
    claim = claim_of(library)
    run_claims([claim], library / "out", workers=1)
    began, seen = time.perf_counter(), []
    run_claims([claim, claim], library / "out", workers=1, see=lambda done, all: seen.append((done, all)))
    assert seen == [(12, 12)] and time.perf_counter() - began < 5.0


def test_workers_of_their_own_give_the_same_numbers(library):
    from oncarium.model.model import Model

    tasks = [Task.of(Model.from_text(WORLD, folder=None), "2 h", seed) for seed in (1, 2)]
    alone, _ = run_all(tasks, library / "one", workers=1)
    many, failed = run_all(tasks, library / "two", workers=2)
    assert not failed
    from oncarium.run.api import open

    assert [open(alone[t]).digest for t in tasks] == [open(many[t]).digest for t in tasks]


def test_verdicts():
    claim = Claim("C", "", "", "", "", (), "ratio", "down", (0.3, 0.7), "", {}, {})
    none, half = Effect(1.0, 0.9, 1.1, (), ()), Effect(0.5, 0.4, 0.6, (), ())
    assert judge(claim, half, none) == SUPPORTED
    assert judge(claim, Effect(0.8, 0.75, 0.9, (), ()), none) == WEAK
    assert judge(claim, none, none) == NOT
    assert judge(claim, Effect(2.0, 1.8, 2.2, (), ()), none) == NOT
    assert judge(claim, half, Effect(0.6, 0.5, 0.7, (), ())) == FAILED
    assert judge(claim, half, Effect(0.95, 0.92, 0.98, (), ())) == SUPPORTED  # 7 % of the effect is nothing
    assert judge(claim, Effect(math.nan, math.nan, math.nan, (), ()), none) == UNKNOWN


def test_verdicts_of_levels():
    claim = Claim("C", "", "", "", "", (), "level", "within", (0.3, 0.7), "", {}, {})
    outside, inside = Effect(0.9, 0.8, 1.0, (), ()), Effect(0.5, 0.4, 0.6, (), ())
    assert judge(claim, inside, outside) == SUPPORTED
    assert judge(claim, Effect(0.5, 0.2, 0.6, (), ()), outside) == WEAK
    assert judge(claim, outside, outside) == NOT
    assert judge(claim, inside, inside) == FAILED
    assert judge(claim, inside, Effect(math.nan, math.nan, math.nan, (), ())) == SUPPORTED


def test_multiples_of_what_the_model_says():
    from oncarium.model.model import Model

    model = Model.from_text(WORLD, folder=None)
    assert scaled(model, {"initial.0.count": "times 0.5", "until": "1 day"}) == {
        "initial.0.count": "10",
        "until": "1 day",
    }
    assert model.with_(scaled(model, {"factors.oxygen.decay": "times 3"})).numbers[
        "factors.oxygen.decay"
    ].value == pytest.approx(0.3)
    with pytest.raises(ModelError, match="no number to multiply"):
        scaled(model, {"factors.oxygen.decoy": "times 3"})


def test_a_level_and_its_negative_control(library):
    text = TEXT.replace("effect: ratio", "effect: level").replace(
        "direction: down, band: [0.005, 0.6]", "direction: within, band: [25, 100000]"
    )
    text = "\n".join(line for line in text.splitlines() if not line.startswith("perturbed"))
    outcome = run_claims([claim_of(library, text)], library / "out", workers=1)[0]
    assert outcome.verdict == SUPPORTED and outcome.effects[0].value > 25 > outcome.off[0].value
    assert len(set(map(tuple, outcome.keys.values()))) == 2  # the perturbed arms are the control arms
    assert "level" in page([outcome], library / "out").read_text()


def test_a_dip_within_a_series(library):
    points = (
        "series: [{x: 0}, {x: 1, factors.oxygen.boundary: 2 mmHg, factors.oxygen.initial: 2 mmHg}, {x: 2}]\n"
        "along: oxygen taken away"
    )
    text = TEXT.replace("effect: ratio", "effect: dip").replace(
        next(x for x in TEXT.splitlines() if x.startswith("perturbed")), points
    )
    outcome = run_claims([claim_of(library, text)], library / "out", workers=1)[0]
    assert outcome.verdict == SUPPORTED and outcome.effects[0].control[1] < 0.6 * outcome.effects[0].control[0]
    assert abs(outcome.off[0].value - 1) < 0.2
    assert "oxygen taken away" in page([outcome], library / "out").read_text()
    assert dip_of([[10.0, 10.0], [12.0, 11.0], [8.0, 8.0]]).value > 1.0  # monotone, or a peak: no dip
    slips = (
        ("{x: 2}]", "]", "three points or more"),
        ("series:", "serie:", "Did you mean"),
        (points, "perturbed: {}", "a dip needs a series"),
    )
    for before, after, said in slips:
        with pytest.raises(ModelError, match=said):
            claim_of(library, text.replace(before, after, 1))


GEL = "{unit: nM, diffusion: 1000 um^2/min, decay: 0.1 1/min}"
LISTENING = WORLD.replace("factors:\n", f"factors:\n  egf: {GEL}\n  ang1: {GEL}\n").replace(
    "    rules: [",
    "    secretion: {rate: {egf: 1000 molecules/min assumed, ang1: 1000 molecules/min assumed}}\n"
    '    rules: ["egf decreases cycle.exit.live to 0 1/h, half 0.01 nM, hill 1 assumed", ',
)


def test_each_factor_left_out_in_turn(library):
    (library / "lib" / "scenarios" / "small.yaml").write_text(LISTENING)
    text = TEXT.replace("effect: ratio", "effect: level\neach: factor").replace(
        "direction: down, band: [0.005, 0.6]", "direction: within, band: [0.7, 1]"
    )
    text = "\n".join(line for line in text.splitlines() if not line.startswith(("perturbed", "off")))
    claim = claim_of(library, text)
    assert list(claim.arms()) == ["control", "egf", "ang1"]
    outcome = run_claims([claim], library / "out", workers=1)[0]
    assert outcome.table.heard == (True, False) and outcome.table.change[0, 0] > 0.2
    assert outcome.verdict == SUPPORTED and (outcome.effects[0].value, outcome.off[0].value) == (1.0, 0.0)
    assert page([outcome], library / "out").read_text().count("<svg") == 1


def test_claims_of_the_library_are_sound(monkeypatch):
    # a second each; `oncarium claims --list` in CI builds them all
    monkeypatch.setattr(Claim, "arms", lambda self, base=None: {})
    for path in claims.library():
        claim = read_claim(path)
        assert claim.id == path.stem and claim.says.endswith(".") and claim.source, path.name
        assert claim.off or claim.each, path.name


def test_effects_by_hand():
    found = effect_of([1.0, 2.0, 3.0], [2.0, 4.0, 6.0], "ratio")
    assert (found.value, found.low, found.high) == (2.0, pytest.approx(2.0), pytest.approx(2.0))
    found = effect_of([1.0, 2.0], [1.5, 3.5], "difference")
    assert found.value == 1.0 and found.low == pytest.approx(0.5) and found.high == pytest.approx(1.5)
    assert effect_of([0.0], [1.0], "ratio").value == math.inf and effect_of([0.0], [0.0], "ratio").value == 1.0
    assert effect_of([1.0, math.nan], [2.0, 1.0], "ratio").value == 2.0


@pytest.mark.parametrize(
    "before, after, said",
    [
        ("off: {cells.tumor.rules: []}\n", "", "a claim without a negative control"),
        ("measure: count", "measure: cuont", "Did you mean 'count'?"),
        ("scenario: small", "scenario: smal", "Did you mean 'small'?"),
        ("direction: down", "direction: sideways", "'sideways' is no direction"),
        ("band: [0.005, 0.6]", "band: [0.6, 0.005]", "not below"),
        ("effect: ratio", "effect: product", "'product' is no effect"),
        ("factors.oxygen.boundary", "factors.oxgen.boundary", "Did you mean 'oxygen'?"),
        ("of: tumor, called", "off: tumor, called", "has no option 'off'"),
    ],
)
def test_slips_are_named_before_anything_runs(library, before, after, said):
    assert before in TEXT
    with pytest.raises(ModelError) as error:
        claim_of(library, TEXT.replace(before, after, 1))
    assert (said in str(error.value) and "C99.yaml" in str(error.value)) or "--set" in str(error.value)


def test_a_claim_whose_run_fails_is_reported_and_the_others_finish(library, monkeypatch):
    claim = claim_of(library)
    perform = ensemble.perform

    def broken(task, folder):
        return "no power" if "2 mmHg" in task.model.to_yaml() else perform(task, folder)

    monkeypatch.setattr(ensemble, "perform", broken)
    outcome = run_claims([claim], library / "out", workers=1)[0]
    assert outcome.verdict == UNKNOWN and outcome.error == "no power"
    assert "no power" in page([outcome], library / "out").read_text()


def test_read_outs_know_their_options(library, tmp_path):
    import oncarium as oc

    result = oc.run(oc.Model.from_text(EXAMPLE), "2 h", out=tmp_path / "run")
    assert read_out(result, {"measure": "count"}) == read_out(result, {"measure": "count", "of": "tumor"})
    assert read_out(result, {"measure": "count", "per": {"measure": "count"}}) == 1.0
    assert read_out(result, {"measure": "phases", "of": "tumor", "phase": "live"}) == 1.0
    assert (
        read_out(
            result, {"measure": "share", "of": "tumor", "column": "sense.factor.oxygen", "above": "1", "at": "last 1 h"}
        )
        == 1.0
    )
    assert read_out(result, {"measure": "factor", "name": "oxygen"}) == pytest.approx(
        result.summary["mean.oxygen"].iloc[-1]
    )
    assert read_out(result, {"measure": "diversity"}) == 0.0
    assert 0.0 <= read_out(result, {"measure": "within", "of": "tumor", "of_whom": "tumor", "distance": 20}) <= 1.0
    assert math.isfinite(read_out(result, {"measure": "depth", "of": "tumor"}))
    for wrong in (
        {"measure": "count", "of": "tumour"},
        {"measure": "mean", "of": "tumor"},
        {"measure": "events", "kind": "divsion"},
    ):
        with pytest.raises(InputError):
            read_out(result, wrong)
