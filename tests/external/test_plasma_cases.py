"""Plasma curves of other programs: a simulated data set of two compartments, and the add-on of PhysiCell."""

import csv
import math
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import expm

from oncarium.biology.drugs.pharmacokinetics import Given, Pharmacokinetics
from oncarium.model.plasma import Peripheral, Plasma

CASES = Path(os.environ.get("ONCARIUM_CASES", Path(__file__).resolve().parents[3] / "shared" / "cases"))
BOLUS = CASES / "pk_2cpt_schoemaker2019" / "Bolus_2CPT_30subj.csv"
PKPD = CASES / "pkpd_physipkpd"
CASES_OF_THE_ADD_ON = ("moa_apoptosis", "moa_motility", "moa_necrosis", "moa_proliferation", "combo", "template_pkpd")


def answer(v, cl, q, v2, t, every=None):
    """Concentration of a bolus of 1 in two compartments; of one that has been given every so often for ever."""
    k10, k12, k21 = cl / v, q / v, q / v2
    b = k10 + k12 + k21
    root = math.sqrt(b * b - 4.0 * k10 * k21)
    total = 0.0
    for rate, share in ((0.5 * (b + root), 0.5 * (b + root) - k21), (0.5 * (b - root), k21 - 0.5 * (b - root))):
        total += share / (v * root) * np.exp(-rate * t) / (1.0 if every is None else -math.expm1(-rate * every))
    return total


@pytest.mark.skipif(not BOLUS.exists(), reason="the case pk_2cpt_schoemaker2019 lies outside the package")
def test_thirty_subjects_of_a_public_data_set():
    """Their own volumes and clearances; 0 and 99 are no steady state, 1 is one, and forgets what was before (hours)."""
    rows = list(csv.DictReader(BOLUS.open()))
    worst, looks, errors = 0.0, 0, []
    for subject in range(1, 31):
        own = [{k: float(v) for k, v in r.items()} for r in rows if r["ID"] == str(subject)]
        v, cl, q, v2 = (own[0][k] for k in ("V1", "CL", "Q", "V2"))
        body = Pharmacokinetics(Plasma(70.0, 1.8, v, cl, (Peripheral(v2, q),)))
        doses = [r for r in own if r["EVID"] == 1]
        last = next(r for r in doses if r["SS"] == 1)
        seen = [r for r in own if r["EVID"] == 0]
        early, late = ([r for r in seen if (r["TIME"] >= last["TIME"]) == b] for b in (False, True))
        times = np.array([r["TIME"] for r in early])
        given = [Given(d["TIME"], d["AMT"]) for d in doses if d is not last]
        by_hand = sum(np.where(times >= d.time, d.amount * answer(v, cl, q, v2, times - d.time), 0.0) for d in given)
        found = body.concentration(given, times).total
        worst = max(worst, np.max(np.abs(found / by_hand - 1.0)))
        after = np.array([r["TIME"] - last["TIME"] for r in late])
        dose = Given(0.0, last["AMT"])
        steady = body.concentration([dose], after, start=body.steady(dose, last["II"])).total
        worst = max(worst, np.max(np.abs(steady / (dose.amount * answer(v, cl, q, v2, after, last["II"])) - 1.0)))
        measured = np.array([r["DV"] for r in early] + [r["DV"] for r in late])
        errors += list(np.log(measured / np.concatenate([found, steady])))
        looks += len(times) + len(after)
    assert looks == 1740 and worst < 1e-6
    assert abs(np.mean(errors)) < 0.03 and np.std(errors) == pytest.approx(0.2, abs=0.02)  # the noise they were given


def told(text, word, default=None):
    found = re.search(rf"<{word}[^>]*>([^<]+)<", text)
    return float(found[1]) if found else default


@pytest.mark.skipif(not PKPD.exists(), reason="the case pkpd_physipkpd lies outside the package")
@pytest.mark.parametrize("case", CASES_OF_THE_ADD_ON)
def test_plasma_of_the_add_on(case):
    """It multiplies concentrations by a matrix exponential every 0.01 min, after adding a dose that is due: what a
    voxel sees from t on is our curve one step later."""
    text = (PKPD / case / "pkpd_model.xml").read_text()
    drugs = re.findall(r"<PK enabled=\"true\">.*?</PK>", text, re.S)
    step = told(text, "dt_diffusion")
    assert drugs and step == 0.01
    for drug in drugs:
        loss, k12, k21 = told(drug, "elimination_rate"), told(drug, "k12", 0.0), told(drug, "k21", 0.0)
        ratio = told(drug, "volume_ratio", 1.0)
        assert k21 == ratio * k12  # one flow to and fro, as ours
        if 'format="csv"' in drug:
            rows = (PKPD / case / "PKPD_D1_dose_schedule.csv").read_text().split()
            due = [tuple(float(x) for x in row.split(",")) for row in rows]
        else:
            start, gap, amount = (told(drug, w) for w in ("first_dose_time", "dose_interval", "regular_dose"))
            due = [(start + gap * i, amount) for i in range(int(told(drug, "total_doses")))]
        body = Plasma(70.0, 1.8, 1.0, loss)
        if k12:
            body = replace(body, peripheral=(Peripheral(1.0 / ratio, k12),))
        matrix = expm(step * np.array([[-loss - k12, k21 / ratio], [ratio * k12, -k21]])) if k12 else None
        now, waiting, theirs = np.zeros(2), list(due), []
        for tick in range(144_000):
            if waiting and tick * step > waiting[0][0] - 0.01 * step:
                now[0] += waiting.pop(0)[1]
            now = matrix @ now if matrix is not None else now * math.exp(-loss * step)
            theirs.append(now[0])
        times = (np.arange(144_000) + 1) * step
        looked = slice(99, None, 600)
        ours = Pharmacokinetics(body).concentration([Given(t, a) for t, a in due], times[looked], before=True).total
        assert ours == pytest.approx(np.array(theirs)[looked], rel=1e-8, abs=1e-9)
