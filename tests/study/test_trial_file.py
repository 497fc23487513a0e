"""Trials as files say them: what is refused before anything runs, and what patients and doses come to."""

import re

import numpy as np
import pandas as pd
import pytest

import oncarium as oc
from oncarium.errors import ModelError
from oncarium.study.cohort import read_cohort
from oncarium.study.trial_file import read_trial
from oncarium.study.trial_plan import ball

from .toy_trial import TRIAL, write


def problems(folder, text):
    with pytest.raises(ModelError) as error:
        read_trial(write(folder, text))
    return {p.where: f"{p.message} {p.expected} {p.remedy}" for p in error.value.problems}, error.value.problems


def line(text, part):
    return f"trial.yaml:{next(k for k, t in enumerate(text.split(chr(10)), 1) if part in t)}"


@pytest.mark.parametrize(
    "old, new, at, said",
    [
        ("  control: []", "  other: {set: {until: 2 day}}", "arms:", "none of other, toxin is said to be the control"),
        ("as: uniform", "as: unifrom", "division:", "Did you mean 'uniform'"),
        ("as: uniform 0.02..0.05", "as: uniform 0.05..0.02", "division:", "does not rise"),
        ("path: cells.tumor.cycle", "path: cells.tumr.cycle", "division:", "Did you mean 'tumor'"),
        ("  control: []", "  control: []\n  d: [doxorubcin 60 mg/m^2 daily]", "d: [dox", "Did you mean 'doxorubicin'"),
        ("  control: []", "  control: []\n  d: [doxorubicin 60 mg/m^2 on day 3]", "d: [dox", "begins on day 3"),
        ("  control: []", "  control: []\n  d: [doxorubicin -6 mg/m^2 daily]", "d: [dox", "negative"),
        ("set: {cells.tumor", "set: {cells.tumr", "toxin:", "no cell type is called 'tumr'"),
        ("stratify: [archetype]", "stratify: [archtype]", "stratify:", "Did you mean 'archetype'"),
        ("stratify: [archetype]", "stratify: [thre > 3]", "stratify:", "Did you mean 'there'"),
        ("drop_out: 0.2", "drop_out: 1.2", "drop_out:", "out of range"),
        ("drop_out: 0.2", "drop_out: 1", "drop_out:", "leaves nobody"),
        ("drop_out: 0.2", "drop_out: -0.1", "drop_out:", "out of range"),
        ("visits: {every: 2 week}", "visits: [1 week, 20 week]", "visits:", "past the end of follow-up"),
        ("visits: {every: 2 week}", "visits: [2 week, 1 week]", "visits:", "do not rise"),
        ("follow: 90 day", "follow: 1 h", "follow:", "before the patch does"),
        ("follow: 90 day", "follow: 90 day\nendpoints: [reponse]", "endpoints:", "Did you mean 'response'"),
        ("follow: 90 day", "follow: 90 day\nbiomarkers: [ther]", "biomarkers:", "Did you mean 'there'"),
        ("of: tumor", "of: tumour", "there: {", "Did you mean 'tumor'"),
        ("measure: count", "measure: cuont", "there: {", "Did you mean 'count'"),
        ("number: {1: 0.5, 2: 0.5}", "number: {0: 0.5}", "lesions:", "out of range"),
        ("sd 0.3 within 12..80", "sd 0.3", "lesions:", ""),
        ("log-normal 30 mm sd 0.3", "log-normal 30 um sd 0.3", "lesions:", "expected mm"),
        ('screens: ["there > 20"]', 'screens: ["ther > 20"]', "screens:", "Did you mean 'there'"),
        ('screens: ["there > 20"]', 'weights: ["mean of dying = 0.02"]', "patients:", "cannot be weighted"),
        ("slow: {share: 0.5, numbers", "slow: {sharee: 0.5, numbers", "archetypes:", "Did you mean 'share'"),
        ("patients: 6", "patients: 0", "patients:", "out of range"),
        ("title: A small trial", "titel: A small trial", "titel:", "Did you mean 'title'"),
        ("model: patch.yaml", "model: ptch", "model:", ""),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, old, new, at, said):
    text = TRIAL.replace(old, new, 1)
    assert text != TRIAL
    if old == "sd 0.3 within 12..80":  # sizes have no end, which is fine
        assert read_trial(write(tmp_path, text)).patients == 6
        return
    found, all_of_them = problems(tmp_path, text)
    assert len(all_of_them) <= 2, all_of_them
    if said:
        assert line(text, at) in found and said in found[line(text, at)], found
    else:
        assert "ptch" in str(found)


def test_everything_is_said_at_once(tmp_path):
    text = TRIAL.replace("as: uniform", "as: unifrom").replace("tumor.death.apoptosis, as", "tumr.death.apoptosis, as")
    text = text.replace("  control: []\n", "  d: [doxorubcin 60 mg/m^2 daily]\n").replace(
        "drop_out: 0.2", "drop_out: 2"
    )
    text = (
        text.replace("of: tumor", "of: tumour").replace("{every: 2 week}", "[30 week]").replace("apoptosis: 0", "x: 0")
    )
    _found, all_of_them = problems(tmp_path, text)
    assert len(all_of_them) == 8 == len({(p.where, p.message) for p in all_of_them})
    assert all(re.fullmatch(r"trial\.yaml:\d+", p.where) for p in all_of_them)
    assert not (tmp_path / "runs").exists()


def test_more_than_twenty_numbers(tmp_path):
    many = "\n".join(f"    n{k}: {{path: cells.tumor.motility.speed, as: uniform 1..2 um/min}}" for k in range(20))
    found, _ = problems(tmp_path, TRIAL.replace("  numbers:\n", f"  numbers:\n{many}\n"))
    assert any("22 numbers vary" in said for said in found.values())


def test_weights_that_no_patients_can_have_are_told_before_anything_runs(tmp_path):
    text = TRIAL.replace("patients: 6", "patients: 40")
    found, _ = problems(tmp_path, text.replace("  screens:", '  weights: ["mean of division = 0.049"]\n  screens:'))
    assert "weigh as" in str(found) or "no weights" in str(found)
    assert read_trial(write(tmp_path, text.replace("  screens:", '  weights: ["mean of dying = 0.022"]\n  screens:')))


def test_doses_count_from_the_baseline(tmp_path):
    text = TRIAL.replace("  control: []", '  control: []\n  d: ["doxorubicin 60 mg/m^2 daily from day 0.1, 2 times"]')
    plan = read_trial(write(tmp_path, text))
    patient = plan.enrolled()[0]
    model = plan.model(patient, plan.arm("d"))
    times = [d.time / 60.0 for d in model.therapy.regimen.doses(1e6)]
    assert times == pytest.approx([4.0 + 2.4, 4.0 + 2.4 + 24.0]) and plan.arm("d").words[0].startswith(
        "doxorubicin 60 mg"
    )
    assert plan.model(patient).therapy is None and plan.model(patient, plan.arm("control")).therapy is None


def test_numbers_of_drugs_concern_the_arms_that_give_them(tmp_path):
    number = "    clearance: {path: therapy.drugs.doxorubicin.plasma.human.clearance, as: uniform 40..60 L/h}\n"
    text = TRIAL.replace("  archetypes:", f"{number}  archetypes:").replace(
        "  control: []", "  control: []\n  d: [doxorubicin 60 mg/m^2 daily]"
    )
    plan = read_trial(write(tmp_path, text))
    one, two = plan.enrolled()[:2]
    cleared = [plan.model(p, plan.arm("d")).therapy.drugs[0].plasma["human"].clearance for p in (one, two)]
    assert cleared[0] != cleared[1] and cleared[0] / cleared[1] == pytest.approx(
        one.values["clearance"] / two.values["clearance"], rel=1e-6
    )
    assert plan.model(one, plan.arm("toxin")).therapy is None
    assert (
        plan.key(one, plan.arm("toxin"))
        == read_trial(write(tmp_path, TRIAL)).key(read_trial(write(tmp_path, TRIAL)).enrolled()[0], plan.arm("toxin"))
        or one.values["division"] != read_trial(write(tmp_path, TRIAL)).enrolled()[0].values["division"]
    )


def test_fates_are_the_patients_own(tmp_path):
    plan = read_trial(write(tmp_path, TRIAL.replace("patients: 6", "patients: 400")))
    fates = [plan.fate(p) for p in plan.enrolled()]
    assert fates[:6] == [
        read_trial(write(tmp_path, TRIAL)).fate(p) for p in read_trial(write(tmp_path, TRIAL)).enrolled()
    ]
    assert 0.43 < np.mean([len(f.diameters) == 2 for f in fates]) < 0.57
    lost = np.mean([f.lost < 90.0 for f in fates])
    assert 0.14 < lost < 0.26  # drop_out: 0.2
    assert all(f.burden > ball(f.diameters).sum() for f in fates)
    assert np.median([d for f in fates for d in f.diameters]) == pytest.approx(30.0, rel=0.06)
    assert ball(20.0) == pytest.approx(4.18879, rel=1e-5)


def test_a_posterior_is_a_cohort(tmp_path):
    """Points as a calibration leaves them, drawn by weight, with the paths that numbers.csv says."""
    n = 40
    weights = np.where(np.arange(n) < 20, 3.0, 1.0)
    rows = pd.DataFrame({"division": np.linspace(0.01, 0.05, n), "distance": 0.1, "weight": weights / weights.sum()})
    rows.to_csv(tmp_path / "posterior.csv", index=False)
    pd.DataFrame([("division", "cells.tumor.cycle.exit", "1/h")], columns=["name", "path", "unit"]).to_csv(
        tmp_path / "numbers.csv", index=False
    )
    text = "model: patch.yaml\npatients: 400\ncohort: {from: posterior.csv}\n"
    text += "arms: {control: [], same: {set: {until: 2 day}}}\n"
    plan = read_trial(write(tmp_path, text))
    drawn = np.array([p.values["division"] for p in plan.enrolled()])
    assert 0.68 < np.mean(drawn < 0.03) < 0.82  # three quarters of the weight
    patient = plan.enrolled()[0]
    assert plan.model(patient).numbers["cells.tumor.cycle.exit"].value * 60 == pytest.approx(patient.values["division"])
    rows.assign(weight=[1.0] + [0.0] * (n - 1)).to_csv(tmp_path / "posterior.csv", index=False)
    found, _ = problems(tmp_path, text)
    assert "40 points weigh as 1.0" in str(found)
    found, _ = problems(tmp_path, text.replace("posterior.csv", "postrior.csv"))
    assert "Did you mean 'posterior.csv'" in str(found)


def test_what_a_calibration_writes_is_read_as_a_cohort(tmp_path):
    from oncarium.study.sensitivity import Uncertain

    rate = Uncertain("division", ("cells.tumor.cycle.exit",), "0.001 1/min", "0.01 1/min")
    fit = oc.Calibration(oc.Model.from_text(oc.EXAMPLE), (rate,), (oc.Target({"measure": "count"}, 25.0, 9.0),),
                         until="30 min", method="abc", runs=12, batch=12)  # fmt: skip
    found = fit.run(tmp_path / "fit", workers=1)
    cohort = read_cohort(
        {"model": str(write(tmp_path).parent / "patch.yaml"), "from": str(tmp_path / "fit/posterior.csv")}
    )
    values = {p.values["division"] for p in cohort.resolved().patients(60)}
    assert len(cohort.points) == 12 and all(
        min(abs(v - x) for x in found.posterior["division"]) < 1e-5 * v for v in values
    )


def test_who_was_dead_when_the_arm_began_does_not_die_in_it(tmp_path):
    """Corpses of the grown tissue that go on to be removed are no deaths of an arm."""
    from oncarium.analysis import rates
    from oncarium.run import api

    model = oc.Model.from_text(oc.EXAMPLE).with_({"cells.tumor.death.apoptosis": "0.05 1/h"})
    oc.run(model, "4 h", 1, out=tmp_path / "grown")
    arm = api.fork(tmp_path / "grown", model, "6 h", tmp_path / "arm", 1)
    dead = arm.array("vital", arm.times[0]) != 0
    assert dead.any()
    own = set(arm.array("id", arm.times[0])[dead].tolist())
    happened = arm.events[arm.events["kind"].isin(["apoptosis", "necrosis", "phagocytosis"])]
    expected = len(set(happened["id"].tolist()) - own)
    assert rates.deaths(arm, "tumor", 0.0, 360.0) == expected
