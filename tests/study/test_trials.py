"""Trials: nobody lost or doubled whoever dies, the same as by hand, and what tables and page say of it."""

import math
import os
import random
import signal
from dataclasses import replace

import numpy as np
import pandas as pd
import psutil
import pytest
from typer.testing import CliRunner

import oncarium as oc
from oncarium.cli import app
from oncarium.errors import InputError
from oncarium.run import api
from oncarium.study import trial_patient
from oncarium.study.lesion import read_growth
from oncarium.study.trial_results import compare

from .toy_trial import TRIAL, write


def kill_a_worker(chance):
    """Kill one of the processes that this one's pool of workers has."""
    workers = [p for p in psutil.Process().children(recursive=True) if p.ppid() != os.getpid()]
    os.kill(chance.choice(workers).pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """A trial of six patients in two arms, whose workers were killed twice."""
    folder = tmp_path_factory.mktemp("trial")
    asked, seen, chance = oc.Trial(write(folder)), [], random.Random(1)

    def see(done, every):
        seen.append((done, every))
        if done in (2, 10):
            kill_a_worker(chance)

    return asked, asked.run(folder / "out", workers=2, see=see), seen


def test_nobody_is_lost_or_doubled_when_workers_die(trial):
    asked, results, seen = trial
    assert not results.excluded
    kept = len(results.enrolled.numbers)
    assert seen[0] == (0, 18) and seen[-1] == (6 + 2 * kept,) * 2
    assert [d for d, _ in seen] == [*range(7), *range(6, 7 + 2 * kept)]
    assert len(list((results.folder / "patients").iterdir())) == 6 + 2 * kept
    keys = [run["run"] for p in asked.patients if (f := trial_patient.told(asked.plan, p, results.folder))
            for arm in f["arms"].values() for run in arm["runs"]]  # fmt: skip
    assert len(keys) == len(set(keys)) == 2 * kept


def test_every_run_is_the_one_by_hand(trial, tmp_path):
    """Grown and gone on with in this process: the same digests, and the growth that was kept."""
    asked, results, _ = trial
    number = results.enrolled.numbers[1]
    patient, plan = asked.patients[number - 1], asked.plan
    found = trial_patient.told(plan, patient, results.folder)
    oc.run(plan.model(patient), plan.grow, patient.seed, out=tmp_path / "grown")
    for arm in plan.arms:
        end = plan.grow + plan.until
        run = api.fork(tmp_path / "grown", plan.model(patient, arm), end, tmp_path / arm.name, patient.seed)
        said = found["arms"][arm.name]
        assert said["runs"][0]["digest"] == run.digest and run.times[0] == plan.grow
        growth = read_growth(run, "tumor", plan.window, plan.fewest, since=plan.grow / 1440.0)
        assert said["patches"][0]["births"] == list(growth.births) and growth.edges[-1] == pytest.approx(1 / 3)
        assert sum(growth.births) == (run.events["kind"] == "division").sum()


def test_a_course_follows_its_growth(trial):
    """The first window by hand: V' = g V until the first visit, and beyond with the mean rate."""
    asked, results, _ = trial
    number = results.enrolled.numbers[0]
    course, fate = results.courses[number, "control"], asked.plan.fate(asked.patients[number - 1])
    said = trial_patient.told(asked.plan, asked.patients[number - 1], results.folder)["arms"]["control"]["patches"][0]
    rate = (np.array(said["births"]) - said["deaths"]) / np.array(said["exposure"])
    expected = sum(fate.diameters) * math.exp(14.0 * rate.mean() / 3.0)
    assert course.sums[0] == pytest.approx(sum(fate.diameters))
    if course.sums[1] > 12.0:  # nothing too small to measure
        assert course.sums[1] == pytest.approx(expected, rel=1e-6)
    assert course.low[1] <= course.change[1] <= course.high[1] or course.sums[1] <= 12.0
    assert course.ratio == pytest.approx(math.exp(rate.sum() / 6.0))


def test_the_same_command_again_runs_nothing(trial, monkeypatch):
    asked, results, _ = trial
    before = {n: (results.folder / n).read_bytes() for n in ("patients.csv", "visits.csv", "arms.csv")}
    monkeypatch.setattr(trial_patient, "perform", lambda *_: pytest.fail("nothing is to be run"))
    again = oc.Trial(asked.plan).run(results.folder, workers=1)
    assert {n: (again.folder / n).read_bytes() for n in before} == before


def test_tables(trial):
    _, results, _ = trial
    patients, visits, arms = (pd.read_csv(results.folder / f"{n}.csv") for n in ("patients", "visits", "arms"))
    assert len(patients) == 6 and patients["patient"].tolist() == list(range(1, 7))
    assert (patients["why_not"].fillna("") == "screened out").sum() == len(results.enrolled.screened)
    out = patients[patients["enrolled"] > 0]
    assert (out["there"] > 20).all() and set(patients["archetype"]) == {"slow", "fast"}
    first = visits[visits["day"] == 0.0]
    assert (first["change"] == 0.0).all() and len(first) == 2 * len(out)
    control, toxin = (first[first["arm"] == a]["sum_mm"].tolist() for a in ("control", "toxin"))
    assert control == toxin  # the same lesions in every arm
    assert arms["arm"].tolist() == ["control", "toxin"] and (arms["patients"] == len(out)).all()
    assert arms.loc[1, "best_change"] < arms.loc[0, "best_change"] and arms.loc[1, "there"] < arms.loc[0, "there"]
    times, events = results.times("toxin")
    assert len(times) == len(out) and set(events) <= {0.0, 1.0} and times.max() <= 90.0


def test_the_page_says_all_of_it(trial):
    _, results, _ = trial
    html = (results.folder / "trial.html").read_text()
    wanted = [
        "6 virtual patients", "screened out", "Progression-free survival", "Overall survival (proxy)", "RECIST 1.1",
        "dies on the day on which all lesions together reach a volume", "Power", "Provenance", "A share of 0.2",
        "cells.tumor.death.apoptosis: 0.06 1/h assumed", "digest of the result",
    ]  # fmt: skip
    for said in wanted:
        assert said in html, said
    assert html.count("data:image/png") >= 10


def test_an_arm_that_nobody_survives_sinks_nothing(trial, tmp_path):
    """Reading needs cells: an arm in which all die at once is told, the others stand, and nothing else is run anew."""
    _asked, results, _ = trial
    text = TRIAL.replace(
        "  control: []",
        "  control: []\n  deadly: {set: {cells.tumor.death.apoptosis: 100 1/h assumed, record.cells: 30 min}}",
    )
    more = oc.Trial(write(tmp_path, text.replace("patients: 6", "patients: 2")))
    one, two = (p.number for p in more.patients[:2])
    found = more.run(tmp_path / "out", workers=1)
    told = {(k, arm) for k, arm, _ in found.excluded}
    assert told == {(k, "deadly") for k in found.enrolled.numbers} and all(
        "tumor cells" in w for *_, w in found.excluded
    )
    table = found.arms.set_index("arm")
    assert table.loc["deadly", "patients"] == 0 and table.loc["toxin", "patients"] == len(found.enrolled.numbers)
    assert {one, two} >= set(found.enrolled.numbers) and "Who is missing" in (tmp_path / "out/trial.html").read_text()
    # the same patients as in the larger trial
    for k in found.enrolled.numbers:
        assert found.courses[k, "toxin"].change == results.courses[k, "toxin"].change


def test_tasks_of_an_array(trial, tmp_path):
    """plan writes a row for each patient, run-one does one of them, report tells of what is there."""
    asked, results, _ = trial
    path = write(tmp_path, TRIAL.replace("patients: 6", "patients: 2"))
    out, run = str(tmp_path / "out"), CliRunner()
    plan = run.invoke(app, ["trial", "plan", str(path), "--out", out])
    assert plan.exit_code == 0 and "2 tasks" in plan.output
    tasks = pd.read_csv(tmp_path / "out/tasks.csv")
    assert tasks["patient"].tolist() == [1, 2] and {"division", "dying", "seed", "archetype"} <= set(tasks)
    one = run.invoke(app, ["trial", "run-one", str(path), "1", "--out", out])
    assert one.exit_code == 0 and "patient 1 is done" in one.output
    report = run.invoke(app, ["trial", "report", str(path), "--out", out])
    assert "page" in report.output and "2 virtual patients, 1 take part" in report.output
    small = oc.Trial(path)
    told = trial_patient.told(small.plan, small.patients[0], out)
    same = trial_patient.told(asked.plan, asked.patients[0], results.folder)
    assert [a["runs"] for a in told["arms"].values()] == [a["runs"] for a in same["arms"].values()]
    with pytest.raises(InputError, match="there is no patient 3"):
        oc.Trial(path).run_one(3, out)


def test_a_patient_that_cannot_be_followed_is_tried_again(trial, tmp_path):
    asked, _, _ = trial
    patient = asked.patients[0]
    trial_patient.give_up(asked.plan, patient, str(tmp_path), "", "the process died")
    found = trial_patient.told(asked.plan, patient, tmp_path)
    assert found["error"] == "the process died" and found["arms"] == {}
    with pytest.raises(InputError, match="the process died"):
        asked.enrolled(tmp_path)


def test_growth_within_its_error_moves_endpoints(trial):
    _, results, _ = trial
    drawn = results.drawn("toxin")
    assert 0.0 <= drawn["response"][0] <= drawn["response"][1] <= 1.0
    assert drawn == results.drawn("toxin")


def test_combinations_by_hand(trial):
    """Arms that give what two others give; effects of 0.5 and 0.4, together 0.8: 0.1 beyond Bliss, 0.3 beyond HSA."""
    asked, results, _ = trial
    plan = asked.plan
    words = {"control": (), "a": ("x 1 mg",), "b": ("y 1 mg",), "ab": ("x 1 mg", "y 1 mg")}
    arms = tuple(replace(plan.arms[0], name=n, words=w) for n, w in words.items())
    left = {"control": 1.0, "a": 0.5, "b": 0.6, "ab": 0.2}
    any_course = next(iter(results.courses.values()))
    courses = {(k, n): replace(any_course, number=k, arm=n, ratio=x) for k in (1, 2, 3) for n, x in left.items()}
    made = replace(results, plan=replace(plan, arms=arms), courses=courses,
                   enrolled=replace(results.enrolled, numbers=(1, 2, 3)))  # fmt: skip
    ((one, other, both, excess),) = made.combinations()
    assert (one, other, both) == ("a", "b", "ab")
    assert excess["bliss"] == pytest.approx((0.1, 0.1, 0.1)) and excess["hsa"] == pytest.approx((0.3, 0.3, 0.3))


def test_comparisons_are_those_of_survival():
    from oncarium.study.survival import cox, logrank

    times, events, treated = [6, 8, 11, 14, 5, 6, 7, 9], [1, 1, 0, 1, 1, 1, 1, 0], [1, 1, 1, 1, 0, 0, 0, 0]
    found = compare([(float(t), bool(e)) for t, e in zip(times, events)], [bool(x) for x in treated])
    assert found.ratio == cox(times, events, {"x": treated}).hazard_ratio()
    assert found.p == pytest.approx(logrank(times, events, treated).p)
    assert compare([(1.0, False)] * 4, [True, True, False, False]).why == "no events"
