"""Claims on an experiment whose outcome is known: oxygen drives division, and without the rule nothing follows from
oxygen."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from oncarium.analysis.readout import read_out
from oncarium.errors import DataError, InputError, ModelError
from oncarium.model.model import EXAMPLE
from oncarium.study import claims, ensemble, protocol
from oncarium.study.claims import Claim, Profile, Readout, read_claim, scaled
from oncarium.study.claims_site import read_notes, site
from oncarium.study.effects import Seen, effect_of, gain, see
from oncarium.study.ensemble import Task, run_all
from oncarium.study.protocol import Study, run_claims
from oncarium.study.verdicts import (
    BUDGET,
    CONTRADICTED,
    FAILED,
    NOT,
    SUPPORTED,
    UNDECIDED,
    VERDICTS,
    WEAK,
    judge,
    priors,
)

WORLD = EXAMPLE.replace(
    "rules: [", 'rules: ["oxygen increases cycle.exit.live to 0.45 1/h, half 20 mmHg, hill 4 assumed", '
).replace("0.04 1/h", "0.001 1/h")
TEXT = """
claim: C99
says: Oxygen lets the tumor grow.
mechanism: oxygen increases the exit of the cycle
tissue: small
until: 8 h
perturbed: {factors.oxygen.boundary: 2 mmHg assumed, factors.oxygen.initial: 2 mmHg assumed}
off: {cells.tumor.rules: []}
rules: ["tumor: oxygen on cycle.exit.live"]
readouts:
  state: {measure: rate, kind: division, of: tumor, called: divisions per cell and day,
    effect: ratio, direction: down, band: [0.001, 0.3], source: assumed}
  function: {measure: count, of: tumor, called: tumor cells,
    effect: ratio, direction: down, band: [0.005, 0.6], source: assumed}
  also:
    - {measure: mean, of: tumor, column: sense.factor.oxygen, called: oxygen at the cells, unit: mmHg}
"""


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library with one scenario."""
    (tmp_path / "lib" / "scenarios").mkdir(parents=True)
    (tmp_path / "lib" / "scenarios" / "small.yaml").write_text(WORLD)
    (tmp_path / "lib" / "claims").mkdir()
    (tmp_path / "lib" / "claims" / "controls.yaml").write_text("small: {sham: {cells.tumor.death.necrosis: 0 1/h}}\n")
    for module in ("model.library", "study.protocol"):
        monkeypatch.setattr(f"oncarium.{module}.LIBRARY", tmp_path / "lib")
    return tmp_path


def claim_of(library, text=TEXT):
    (library / "C99.yaml").write_text(text)
    return read_claim(library / "C99.yaml")


def test_an_effect_comes_out_and_vanishes_with_its_mechanism(library):
    claim = claim_of(library)
    outcome = run_claims([claim], library / "out", workers=1, seeds=3)[0]
    state, function = outcome.judged.values()
    assert outcome.verdict == SUPPORTED and outcome.n == 3 and function.told == "right"
    assert math.exp(state.main.interval()[1]) < 0.3 and state.control == function.control == "equivalent"
    assert function.sham.same, "the sham runs the same course"
    about = protocol.freeze([claim], library / "out", Profile(""))
    path = site([outcome], library / "site", predicted={"C99": WEAK}, changed={"C99": "once & again"}, about=about)
    index, page = path.read_text(), (path.parent / "C99.html").read_text()
    assert "href='C99.html'" in index and "once &amp; again" in index and "0 of 1 verdicts came out" in index
    assert page.count("<svg") == 1 and "oxygen on cycle.exit.live" in page and claim.digest in page
    told = json.loads((path.parent / "claims.json").read_text())
    record = told["claims"][0]
    assert record["verdict"] == SUPPORTED and told["about"]["claims"] == {"C99": claim.digest}
    assert record["readouts"]["state"]["main"]["value"] == pytest.approx(state.main.value)
    assert len(record["values"]["control"][0]) == 3 and record["predicted"] == WEAK


def test_a_second_start_runs_nothing_again_and_shared_arms_run_once(library, monkeypatch):
    claim = claim_of(library)
    first = run_claims([claim, replace(claim, id="C98")], library / "out", workers=1, seeds=3)
    assert len(list((library / "out" / "arms").iterdir())) == 5 * 3, "two claims, five arms, three seeds"
    assert [o.verdict for o in first] == [SUPPORTED] * 2
    monkeypatch.setattr(ensemble, "perform", lambda *given: pytest.fail("it was run again"))
    again = run_claims([claim, replace(claim, id="C98")], library / "out", workers=1, seeds=3)
    assert [o.judged["state"].main for o in again] == [o.judged["state"].main for o in first]


def test_more_seeds_go_where_a_verdict_may_change_and_the_budget_ends_them(library):
    """The band is out of reach of three seeds' interval, so that the location stays open."""
    close = TEXT.replace("band: [0.005, 0.6]", "band: [0.3, 0.33]").replace("until: 8 h", "until: 3 h")
    claim = claim_of(library, close)
    study = Study([claim], library / "out", workers=1, seeds=5, budget=5 * 3 + 9)
    outcome = study.run()[0]
    assert outcome.n == 3 and len(study.done) == 15, "ten more runs are more than nine"
    more = Study([claim], library / "out", workers=1, seeds=5, budget=5 * 3 + 10)
    outcome = more.run()[0]
    assert len(more.done) == (25 if outcome.n == 5 else 15)
    none = run_claims([claim], library / "other", workers=1, budget=14)[0]
    assert (none.verdict, none.n) == (BUDGET, 0) and not (library / "other" / "arms").exists()


def test_what_was_frozen_is_not_changed_unsaid(library):
    claim = claim_of(library)
    profile = Profile("quick")
    protocol.freeze([claim], library / "out", profile)
    protocol.freeze([claim, replace(claim, id="C98")], library / "out", profile)  # one more is none changed
    changed = claim_of(library, TEXT.replace("0.6]", "0.7]"))
    with pytest.raises(InputError, match="claims C99 changed since this study began"):
        protocol.freeze([changed], library / "out", profile)
    with pytest.raises(InputError, match="the profile changed"):
        protocol.freeze([claim], library / "out", Profile("full"))
    (library / "out" / "frozen.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        protocol.freeze([claim], library / "out", profile)


def test_workers_of_their_own_give_the_same_numbers(library):
    from oncarium.model.model import Model

    tasks = [Task.of(Model.from_text(WORLD, folder=None), "2 h", seed) for seed in (1, 2)]
    alone, _ = run_all(tasks, library / "one", workers=1)
    many, failed = run_all(tasks, library / "two", workers=2)
    assert not failed
    from oncarium.run.api import open

    assert [open(alone[t]).digest for t in tasks] == [open(many[t]).digest for t in tasks]


DOWN = Readout({"measure": "count"}, "ratio", "down", (0.3, 0.7), "")
LEVEL = Readout({"measure": "count"}, "level", "within", (3.0, 7.0), "")


def seen(claim, **arms):
    """Arms as (state, function) means around which seeds scatter by one in a hundred."""
    rng = np.random.default_rng(11)

    def row(mean):
        z = rng.normal(0.0, 1.0, 5)
        return [Seen(mean * math.exp(0.01 * x)) for x in (z - z.mean()) / z.std()]

    return {name.replace("_off", ", mechanism off"): [row(x) for x in means] for name, means in arms.items()}


@pytest.mark.parametrize(
    "perturbed, off, verdict, why",
    [
        ((50, 50), (100, 100), SUPPORTED, ""),
        ((50, 80), (100, 100), WEAK, "out of band"),
        ((50, 150), (100, 100), WEAK, "contradict"),
        ((150, 150), (100, 100), CONTRADICTED, "both"),
        ((50, 100), (100, 100), WEAK, "state only"),
        ((100, 150), (100, 100), CONTRADICTED, "one read-out"),
        ((100, 100), (100, 100), NOT, "nothing"),
        ((50, 50), (100, 60), FAILED, "stays"),
        ((50, 50), (100, 190), FAILED, "stays"),  # it stays, the other way round
        ((50, 50), (105, 95), SUPPORTED, ""),  # a tenth of the effect is nothing
    ],
)
def test_verdicts(perturbed, off, verdict, why):
    claim = Claim("C", "", "", "", "", DOWN, DOWN, {"x": 1}, {"y": 1})
    found = judge(
        claim, seen(claim, control=(100, 100), perturbed=perturbed, control_off=(100, 100), perturbed_off=off)
    )
    assert (found.verdict, found.n) == (verdict, 5) and why in found.why
    assert found.verdict in VERDICTS


def test_verdicts_that_are_open():
    claim = Claim("C", "", "", "", "", DOWN, DOWN, {"x": 1}, {"y": 1})
    rng = np.random.default_rng(1)

    def noisy(n):
        arms = {}
        for arm in ("control", "perturbed", "control, mechanism off", "perturbed, mechanism off"):
            mean = 80.0 if arm == "perturbed" else 100.0
            arms[arm] = [[Seen(mean * math.exp(x)) for x in rng.normal(0, 0.3, n)] for _ in range(2)]
        return arms

    found = judge(claim, noisy(3))
    assert found.verdict == UNDECIDED and 0.0 < found.chance < 1.0
    assert judge(claim, noisy(3), last=True).verdict == BUDGET
    assert judge(claim, noisy(2)).verdict == UNDECIDED
    wide = {k: [[Seen(100.0 * math.exp(x)) for x in rng.normal(0, 1.0, 3)]] * 2 for k in noisy(3)}
    assert judge(claim, wide | {"control": wide["control"]}).verdict in (UNDECIDED, NOT)
    nothing = {k: [[Seen(math.nan)] * 3] * 2 for k in wide}
    assert judge(claim, nothing).why == "nothing to measure"
    # the interval of what stays with the mechanism off reaches beyond the margin: it caps the verdict
    sure = seen(claim, control=(100, 100), perturbed=(50, 50), control_off=(100, 100), perturbed_off=(100, 100))
    sure["perturbed, mechanism off"] = [[Seen(100.0 * math.exp(x)) for x in (-0.3, 0.35, -0.2, 0.1, 0.3)]] * 2
    found = judge(claim, sure)
    assert (found.verdict, found.why) == (WEAK, "control inconclusive") and found.chance > 0.0


def test_a_sham_that_does_it_too_caps_the_verdict():
    claim = Claim("C", "", "", "", "", DOWN, DOWN, {"x": 1}, {"y": 1})
    arms = dict(control=(100, 100), perturbed=(50, 50), control_off=(100, 100), perturbed_off=(100, 100))
    assert judge(claim, seen(claim, **arms, sham=(97, 97))).verdict == SUPPORTED
    found = judge(claim, seen(claim, **arms, sham=(70, 100)))
    assert (found.verdict, found.why) == (WEAK, "an unrelated link does it, too")


def test_verdicts_of_levels():
    claim = Claim("C", "", "", "", "", LEVEL, LEVEL, {}, {"y": 1})
    for on, off, verdict in ((5, 9, SUPPORTED), (9, 9, NOT), (5, 5, FAILED), (7, 9, WEAK)):
        values = seen(claim, control=(on, on), control_off=(off, off))
        found = judge(claim, values, last=True)
        assert found.verdict == verdict or (on, found.verdict) == (7, BUDGET), (on, off, found)


def test_interactions_and_contrasts():
    both = Readout({"measure": "count"}, "interaction", "down", (0.2, 0.7), "")
    claim = Claim("C", "", "", "", "", both, both, {"x": 1}, {"y": 1}, second={"z": 1})
    arms = dict(control=(100, 100), perturbed=(80, 80), second=(50, 50))
    off = {f"{k}_off": (100, 100) for k in (*arms, "both")}
    assert judge(claim, seen(claim, **arms, both=(20, 20), **off)).verdict == SUPPORTED
    assert judge(claim, seen(claim, **arms, both=(40, 40), **off)).verdict == NOT  # just the product
    dip = Readout({"measure": "count"}, "contrast", "down", (0.2, 0.7), "")
    claim = Claim("C", "", "", "", "", dip, dip, {}, {"y": 1}, series=((0.0, {}), (0.5, {}), (1.0, {})))
    off = {f"{k}_off": (100, 100) for k in ("0", "0.5", "1")}
    found = judge(claim, seen(claim, **{"0": (100, 100), "0.5": (50, 50), "1": (100, 100), **off}))
    assert found.verdict == SUPPORTED
    falling = seen(claim, **{"0": (100, 100), "0.5": (50, 50), "1": (25, 25), **off})
    assert judge(claim, falling).verdict == NOT  # monotone: no dip


def test_effects_by_hand():
    ten, twenty = [Seen(10.0, 0.5)] * 2, [Seen(20.0, 0.5), Seen(0.0, 0.5)]
    assert effect_of("ratio", [ten, twenty]) == pytest.approx([math.log(20.5 / 10.5), math.log(0.5 / 10.5)])
    # 6 events in 3 days and 2 in 4: half an event more of each
    rates = [Seen(2.0, 0.5 / 3.0)], [Seen(0.5, 0.5 / 4.0)]
    assert effect_of("ratio", rates) == pytest.approx([math.log((2.5 / 4.0) / (6.5 / 3.0))])
    assert effect_of("difference", [ten, twenty]) == [10.0, -10.0] and effect_of("level", [ten]) == [10.0, 10.0]
    score = [[Seen(0.5), Seen(0.5)], [Seen(0.0), Seen(0.25)]]
    assert effect_of("ratio", score) == pytest.approx([math.log(0.01), math.log(0.5)])  # nothing is a hundredth
    assert effect_of("ratio", [[Seen(0.0)], [Seen(0.0)]]) == [0.0]
    assert math.isnan(effect_of("ratio", [[Seen(math.nan)], [Seen(1.0)]])[0])
    rng = np.random.default_rng(0)
    shared, a, b = (rng.normal(0, 1, 4000) for _ in range(3))
    pairs = [[Seen(x) for x in shared + a], [Seen(x) for x in shared + b]]
    assert gain("difference", pairs) == pytest.approx(0.5, abs=0.05), "half of the variance is shared"


def test_priors_are_those_of_this_run_s_own_arms():
    claim = Claim("C", "", "", "", "", DOWN, LEVEL, {"x": 1}, {"y": 1})
    values = seen(claim, control=(100, 5), perturbed=(50, 5), control_off=(100, 5), perturbed_off=(100, 5), sham=(9, 5))
    found = priors([claim], {"C": values})["C"]
    assert found[0].df == 0.0 and found[1].df == 0.0, "three and four variances: too few of a family"
    more = [replace(claim, id=f"C{k}") for k in range(3)]
    found = priors(more, {c.id: values for c in more})
    assert found["C0"][0].df > 0.0 and found["C0"] == found["C2"]


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


GEL = "{unit: nM, diffusion: 1000 um^2/min, decay: 0.1 1/min}"
LISTENING = WORLD.replace("factors:\n", f"factors:\n  egf: {GEL}\n  ang1: {GEL}\n").replace(
    "    rules: [",
    "    secretion: {rate: {egf: 1000 molecules/min assumed, ang1: 1000 molecules/min assumed}}\n"
    '    rules: ["egf decreases cycle.exit.live to 0 1/h, half 0.01 nM, hill 1 assumed", ',
)


def test_each_factor_left_out_in_turn(library):
    (library / "lib" / "scenarios" / "small.yaml").write_text(LISTENING)
    text = re.sub(r"(?m)^(perturbed|off|rules).*\n", "", TEXT).replace("until:", "each: factor\nuntil:")
    for band in ("[0.001, 0.3]", "[0.005, 0.6]"):
        text = text.replace(
            f"effect: ratio, direction: down, band: {band}", "effect: level, direction: within, band: [0.7, 1]"
        )
    claim = claim_of(library, text)
    assert list(claim.arms()) == ["control", "egf", "ang1"]
    outcome = run_claims([claim], library / "out", workers=1, seeds=3)[0]
    assert outcome.table.heard == (True, False) and outcome.table.change[0, 0] > 0.2
    assert outcome.verdict == SUPPORTED and "1.00 of the factors that are heard" in outcome.why
    assert (site([outcome], library / "site").parent / "C99.html").read_text().count("<svg") == 1


def test_claims_of_the_library_are_sound():
    """Two as they are; the others with models that are not built (`oncarium claims --list` in CI builds them all)."""
    for path in claims.library():
        tree = claims.read(path, path.name).tree
        assert tree["claim"] == path.stem and tree["says"].endswith("."), path.name
        assert {"state", "function"} <= set(tree["readouts"]), path.name
        assert tree.get("off") or tree.get("each"), path.name
        assert all(tree["readouts"][r]["source"] for r in ("state", "function")), path.name
    for name in claims.FEW:
        claim = read_claim(claims.LIBRARY / "claims" / f"{name}.yaml")
        assert claim.id == name and list(claim.controls()) == ["sham", "positive"]


@pytest.mark.parametrize(
    "before, after, said",
    [
        ("off: {cells.tumor.rules: []}\n", "", "a claim without a negative control"),
        ("measure: count", "measure: cuont", "Did you mean 'count'?"),
        ("tissue: small", "tissue: smal", "Did you mean 'small'?"),
        ("direction: down", "direction: sideways", "'sideways' is no direction"),
        ("band: [0.005, 0.6]", "band: [0.6, 0.005]", "not below"),
        ("band: [0.005, 0.6]", "band: [-1, 0.6]", "a ratio lies above"),
        ("effect: ratio", "effect: ratoi", "Did you mean 'ratio'?"),
        ("effect: ratio", "effect: contrast", "a contrast needs a series"),
        ("effect: ratio", "effect: interaction", "second is missing"),
        ("effect: ratio", "effect: level", "a level has no direction"),
        ("factors.oxygen.boundary", "factors.oxgen.boundary", "Did you mean 'oxygen'?"),
        ("of: tumor, called: tumor", "off: tumor, called: tumor", "has no option 'off'"),
        ("of: tumor, called: tumor", "of: tumour, called: tumor", "no cell type is called 'tumour'. Did you mean"),
        ("column: sense.factor.oxygen", "column: sense.facto.oxygen", "no column is called"),
        ("tumor: oxygen on cycle", "tumor: acid on cycle", "rests on a rule that is not there"),
        ("tumor: oxygen on cycle", "tumour: oxygen on cycle", "Did you mean 'tumor'?"),
        ('"tumor: oxygen on cycle.exit.live"', "oxygen", "is no rule"),
        ("  function:", "  functoin:", "its function is missing"),
    ],
)
def test_slips_are_named_before_anything_runs(library, before, after, said):
    assert before in TEXT
    with pytest.raises(ModelError) as error:
        claim_of(library, TEXT.replace(before, after, 1))
    assert said in str(error.value) and ("C99.yaml" in str(error.value) or "--set" in str(error.value))


def test_slips_of_a_claim_are_told_all_at_once(library):
    text = TEXT.replace("band: [0.005, 0.6]", "band: [0.6, 0.005]").replace("off: {cells.tumor.rules: []}\n", "")
    text = text.replace("tumor: oxygen on cycle", "tumour: oxygen on cycle").replace("sense.factor", "sense.facto")
    with pytest.raises(ModelError) as error:
        claim_of(library, text)
    told = str(error.value)
    lines = {n: line for n, line in enumerate(text.splitlines(), 1)}
    for word, part in (("not below", "[0.6, 0.005]"), ("'tumour'", "tumour"), ("no column", "sense.facto")):
        assert word in told and f"C99.yaml:{next(n for n, line in lines.items() if part in line)}" in told
    assert "negative control" in told


@pytest.mark.parametrize(
    "text, allowed, said",
    [
        ("C97: supported", VERDICTS, "C97: no such claim. Did you mean 'C99'?"),
        ("C99: suported", VERDICTS, "'suported' is no verdict. Did you mean 'supported'?"),
        ("[C99]", (), "CLAIM: text"),
    ],
)
def test_notes_on_claims_are_checked(tmp_path, text, allowed, said):
    (tmp_path / "notes.yaml").write_text(text)
    with pytest.raises(InputError) as error:
        read_notes(tmp_path / "notes.yaml", ["C99"], allowed)
    assert said in str(error.value)
    with pytest.raises(DataError):
        read_notes(tmp_path / "none.yaml", ["C99"])


def test_a_claim_whose_run_fails_is_reported_and_the_others_finish(library, monkeypatch):
    claim = claim_of(library)
    perform = ensemble.perform

    def broken(task, folder):
        return "no power" if "2 mmHg" in task.model.to_yaml() else perform(task, folder)

    monkeypatch.setattr(ensemble, "perform", broken)
    outcome = run_claims([claim], library / "out", workers=1, seeds=3)[0]
    assert outcome.verdict == UNDECIDED and outcome.error == "no power"
    assert "no power" in site([outcome], library / "site").read_text()


def test_what_a_control_cannot_show_is_no_number_there_and_the_others_are_judged(library, monkeypatch):
    """As the positive control of a membrane has none whose holes could be counted."""
    from oncarium.errors import InputError

    claim, look = claim_of(library), protocol.look_at

    def blind(result, what):
        if "necrosis: 0" in result.model_yaml and what.get("called", "").startswith("oxygen"):
            raise InputError("read-out", "there is none here.")
        return look(result, what)

    monkeypatch.setattr(protocol, "look_at", blind)
    outcome = run_claims([claim], library / "out", workers=1, seeds=3)[0]
    assert outcome.verdict == SUPPORTED and not outcome.error
    assert np.isnan([x.value for x in outcome.values["sham"][2]]).all()
    assert "nan" not in (site([outcome], library / "site").parent / "claims.json").read_text().lower()


def test_counts_are_seen_with_half_an_event(library, tmp_path):
    import oncarium as oc

    result = oc.run(oc.Model.from_text(WORLD), "4 h", out=tmp_path / "run")
    days = float(np.trapezoid(result.summary["live.tumor"].to_numpy(), result.times)) / 1440.0
    rate = see(result, {"measure": "rate", "kind": "division", "of": "tumor"})
    assert rate.half == pytest.approx(0.5 / days)
    assert rate.value * days == pytest.approx(see(result, {"measure": "events", "kind": "division"}).value)
    share = see(result, {"measure": "count", "of": "tumor", "per": {"measure": "count"}})
    assert share.value == 1.0 and share.half == pytest.approx(0.5 / read_out(result, {"measure": "count"}))
    assert see(result, {"measure": "mean", "of": "tumor", "column": "volume.total"}).half == 0.0


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
