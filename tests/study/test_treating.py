"""Treatments side by side: one state, many arms, pairs of chance; what is refused; going on from earlier runs."""

import shutil

import numpy as np
import pytest

import oncarium as oc
from oncarium.analysis.treat_page import readouts
from oncarium.errors import InputError, ModelError
from oncarium.model.model import EXAMPLE, Model
from oncarium.study.treating import read_arms, treat_design

DOSE = "doxorubicin 60 mg/m2 on day 0.1"
ARMS = {"chemotherapy": DOSE, "slow": {"cells.tumor.cycle.exit": "0 1/h"}}
KEYS = {"until": "8 h", "seeds": 2, "workers": 1}


@pytest.fixture(scope="module")
def model():
    return Model.from_text(EXAMPLE + "record: {cells: 1 h, fields: 1 h}\n")


@pytest.fixture(scope="module")
def arms(model, tmp_path_factory):
    return oc.treat(model, ARMS, out=tmp_path_factory.mktemp("treat") / "out", **KEYS)


def test_the_control_is_the_run_that_was_never_treated(model, arms, tmp_path):
    straight = oc.run(model, "8 h", 2, out=tmp_path, threads=1)
    assert arms.arms == ["control", "chemotherapy", "slow"] and arms.seeds == [1, 2] and arms.kind == "treat"
    assert arms["control", 2].digest == straight.digest
    assert {float(r.times[0]) for r in arms} == {144.0}, "the first dose is on day 0.1"
    assert arms["chemotherapy", 1].summary["plasma.doxorubicin.given"].iloc[-1] > 0.0
    assert arms["slow", 1].summary["live.tumor"].iloc[-1] < arms["control", 1].summary["live.tumor"].iloc[-1]
    assert sorted(p.name for p in (arms.folder / "grown").iterdir()) == ["seed-1", "seed-2"]


def test_what_is_there_is_not_run_again_and_workers_change_nothing(model, arms):
    before = {r.path: (r.digest, (r.path.parent / "run.index").stat().st_mtime_ns) for r in arms}
    shutil.rmtree(arms["slow", 1].path.parent)
    again = oc.treat(model, ARMS, out=arms.folder, **{**KEYS, "workers": 2})
    assert {r.path: r.digest for r in again} == {path: digest for path, (digest, _) in before.items()}
    kept = again["chemotherapy", 1].path
    assert (kept.parent / "run.index").stat().st_mtime_ns == before[kept][1]
    with pytest.raises(InputError, match="other runs lie here: arms"):
        oc.treat(model, {"other": DOSE}, out=arms.folder, **KEYS)


def test_the_table_has_effects_of_pairs(arms):
    table = readouts(arms, 480.0).set_index(["readout", "arm"])
    cells = {a: [float(r.summary["live.tumor"].iloc[-1]) for r in arms.of(a)] for a in arms.arms}
    row = table.loc["tumor cells", "slow"]
    pairs = np.subtract(cells["slow"], cells["control"])
    half = 12.7062 * pairs.std(ddof=1) / np.sqrt(2.0)  # Student's t with one degree of freedom
    assert row["effect"] == pytest.approx(pairs.mean()) and row["n"] == 2
    assert [row["low"], row["high"]] == pytest.approx([pairs.mean() - half, pairs.mean() + half], rel=1e-5)
    assert row["percent"] == pytest.approx(100.0 * np.mean(cells["slow"]) / np.mean(cells["control"]))
    assert table.loc["net growth of the tumor", "slow"]["mean"] == 0.0


def test_the_page_says_what_the_arms_are(arms):
    page = arms.page.read_text()
    assert arms.page.name == "treat.html"
    for words in ("doxorubicin", "60 mg/m^2", "0.1", "given", "nothing is given", "cells.tumor.cycle.exit = 0 1/h",
                  "95 % interval", "Depth", "Drug in blood"):  # fmt: skip
        assert words in page, words
    assert page.count("<img") >= 6


def test_more_arms_go_on_from_what_was_grown(arms, tmp_path):
    """From an earlier treatment, from replicates, and from one run with several seeds."""
    more = oc.treat(arms.folder, {"late": "radiation 2 Gy on day 0.2"}, out=tmp_path / "more", until="8 h", workers=1)
    assert {r.digest for r in more.of("control")} == {r.digest for r in arms.of("control")}
    one = oc.treat(arms.folder / "grown/seed-1", {"late": "radiation 2 Gy on day 0.2"}, out=tmp_path / "one",
                   until="8 h", workers=1)  # fmt: skip
    assert one.seeds == [1] and one["late", 1].digest == more["late", 1].digest
    with pytest.raises(InputError, match="arms go on from there"):
        oc.treat(arms.folder, {"late": DOSE}, at="1 h")
    with pytest.raises(InputError, match="7 was not grown"):
        oc.treat(arms.folder, {"late": DOSE}, seeds="1,7")
    with pytest.raises(InputError, match="3 arms"):
        oc.treat(oc.branch(arms.folder / "grown/seed-1", {"a": {}, "b": {}, "c": {}}, "3 h", workers=1), {"x": DOSE})


def test_arms_part_when_a_condition_holds(model, tmp_path):
    found = oc.treat(model, {"a": "doxorubicin 60 mg/m2 at live.tumor > 20"}, out=tmp_path / "a", **KEYS)
    assert {r.summary["live.tumor"].iloc[0] > 20 for r in found} == {True}
    given = {float(r.summary["plasma.doxorubicin.given"].iloc[-1]) > 0.0 for r in found.of("a")}
    assert given == {True} and "events.course_begun" in found["a", 1].summary
    never = treat_design(model, {"a": "doxorubicin 60 mg/m2 on day 0.1"}, at=None, until="8 h")
    assert never.moment == ""
    with pytest.raises(oc.DataError, match="did not come to hold by 8 h"):
        oc.treat(model, {"a": {"cells.tumor.cycle.exit": "0 1/h"}}, at="live.tumor > 1000", out=tmp_path / "b", **KEYS)


def test_rules_hold_doses_back_and_the_page_says_so(model, tmp_path):
    said = "doxorubicin 1 mg every 1 h from day 0.1, 3 times, "
    found = oc.treat(model, {"held": said + "hold while live.tumor > 0", "less": said + "halve if live.tumor > 0"},
                     out=tmp_path / "rules", until="6 h", seeds=1, workers=1)  # fmt: skip
    held, less = found["held"], found["less"]
    kinds = [tuple(row) for row in less.events[["time", "kind", "id", "cause"]].to_numpy().tolist()
             if row[1].startswith("dose")]  # fmt: skip
    assert kinds == [(144.0 + 60.0 * k, "dose_reduced", 0, 50) for k in range(3)]
    assert held.summary["events.dose_held"].iloc[-1] == 3 and held.summary["plasma.doxorubicin.given"].iloc[-1] == 0.0
    full = 3.0 * 1e6 / 543.5  # nmol of 3 mg
    assert less.summary["plasma.doxorubicin.given"].iloc[-1] == pytest.approx(0.5 * full, rel=1e-3)
    from oncarium.analysis.exposure import doses_given

    assert [g.share for g in doses_given(held)] == [0.0] * 3 and [g.share for g in doses_given(less)] == [0.5] * 3
    assert ">held<" in found.page.read_text() and "50 %" in found.page.read_text()


BAD = {
    "a": "doxorubicn 60 mg/m2 on day 0.1", "b": [], "c": 3, "d": "doxorubicin 60 mg/m2 on day 9", "e/": DOSE,
    "f": {"dose": DOSE}, "g": {"cells.tumr.x": 1}, "h": DOSE + ", hold if live.tumr > 3", "i": {},
    "j": "doxorubicin -3 mg on day 0.2", "k": {"domain.x": ["-50 um", "50 um"]},
}  # fmt: skip


def test_everything_wrong_with_arms_is_said_at_once(model, tmp_path):
    with pytest.raises(ModelError) as told:
        oc.treat(model, BAD, out=tmp_path / "bad")
    said = str(told.value)
    for words in ("arm a", "Did you mean 'doxorubicin'?", "it gives no dose", "'3' is no arm", "begins on day 9",
                  "no usable name", "Did you mean 'doses'?", "Did you mean 'tumor'?", "Did you mean 'live.tumor'?",
                  "'-3 mg' is negative", "it changes the domain"):  # fmt: skip
        assert words in said, words
    assert len(told.value.problems) == len(BAD) and not (tmp_path / "bad").exists()


@pytest.mark.parametrize(
    "arms, how, error, said",
    [
        ({}, {}, InputError, "nothing is given"),
        ({"a": DOSE}, {"at": "0.5 day"}, ModelError, "is given from day 0.1, and the arms part on day 0.5"),
        ({"a": DOSE}, {"at": "2 day"}, ModelError, "expected a later end"),
        ({"a": DOSE}, {"at": "tomorrow"}, InputError, "'14 day'"),
        ({"a": DOSE}, {"at": "live.tumr > 3"}, ModelError, "Did you mean 'live.tumor'?"),
        ({"a": DOSE}, {"at": "live.tumor > 3"}, ModelError, "is given on a date"),
        ({"a": {"cells.tumor.cycle.exit": "0 1/h"}}, {}, InputError, "when the arms part"),
        ({"a": DOSE}, {"seeds": 0}, InputError, "leaves nothing to run"),
        ({"a": "pembrolizumab 200 mg on day 0.2", "a ": "x"}, {}, ModelError, "is no dose"),
    ],
)
def test_what_is_wrong_is_said_before_anything_runs(model, arms, how, error, said, tmp_path):
    with pytest.raises(error) as told:
        oc.treat(model, arms, out=tmp_path / "none", **how)
    assert said in str(told.value) and not (tmp_path / "none").exists()


def test_arms_from_a_file(tmp_path):
    path = tmp_path / "arms.yaml"
    path.write_text(
        f"seeds: 2\ntherapy: {{species: mouse}}\narms:\n  a: {DOSE}\n  b: ['{DOSE}', 'radiation 2 Gy on day 0.5']\n"
    )
    found = read_arms(path)
    assert list(found["arms"]) == ["a", "b"] and found["seeds"] == "2"
    design = treat_design(Model.from_text(EXAMPLE), found["arms"], therapy=found["therapy"])
    assert design.arms[1].model.therapy.species == "mouse" and len(design.arms[2].model.therapy.regimen.courses) == 2
    path.write_text("arm: {a: x}\narms: {a: 1, a: 2}\n")
    with pytest.raises(ModelError) as told:
        read_arms(path)
    assert "Did you mean 'arms'?" in str(told.value) and "twice" in str(told.value)


def test_the_command(model, tmp_path, monkeypatch, capsys):
    import typer

    from oncarium.cli import app

    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.yaml").write_text(EXAMPLE)
    command = typer.main.get_command(app)
    line = ["treat", "m.yaml", "--arm", f"chemo: {DOSE}; radiation 2 Gy on day 0.15", "--until", "5 h", "--seeds", "1",
            "-o", "out", "-q", "--workers", "1"]  # fmt: skip
    command.main(line, standalone_mode=False)
    assert "page     out/treat.html" in capsys.readouterr().out and (tmp_path / "out/treat.html").exists()
    for more, said in (
        (["--arm", f"chemo: {DOSE}"], "two arms are called chemo"),
        (["--arm", "x"], "no name or no doses"),
    ):
        with pytest.raises(InputError, match=said):
            command.main([*line, *more], standalone_mode=False)
