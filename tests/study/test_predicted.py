"""Two public tables of NONMEM, simulated: as NONMEM expects them, and as closed forms say."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oncarium.errors import InputError
from oncarium.model.doses import read_nonmem
from oncarium.model.plasma import Absorption, Plasma
from oncarium.study.predicted import predicted

DATA = Path(__file__).parents[1] / "data" / "nonmem"
MASS = 1000.0  # g/mol: 1 mg/l is 1000 nM
HEAD = "TIME,AMT,EVID,II,SS,RATE,DV\n"


def body(central, clearance, **further):
    """clearance: l/h."""
    return Plasma(70.0, 1.8, central=central, clearance=clearance / 60.0, **further)


def test_phenobarbital_is_as_nonmem_expects_it():
    text = (DATA / "pheno.dta").read_text()
    found = read_nonmem(text, "pheno.dta")
    told = pd.read_csv(DATA / "pheno_predicted.csv")

    def plasma(who):
        weight, apgar = found.further[who]["WGT"], found.further[who]["APGR"]
        return body(0.984258 * weight * (1.15892 if apgar < 5 else 1.0), 4.69555e-3 * weight)

    ours = predicted(found, plasma, MASS) / 1000.0
    expected = [
        float(told[(told.ID == float(s.patient)) & (told.TIME == s.time / 60.0)].PRED.iloc[0]) for s in found.samples
    ]
    assert len(ours) > 5 and ours == pytest.approx(expected, rel=2e-4)  # five digits of NONMEM's, four of its estimates


def test_moxonidine_is_as_the_closed_form_says():
    """One compartment by mouth with a lag; at the second visit a reset and a steady state of doses every 12 h."""
    found = read_nonmem((DATA / "moxo.csv").read_text(), "moxo.csv", unit="ug", route="oral")
    cl, v, ka, lag = 23.1329, 123.604, 8.02595, 0.237773
    k = cl / v

    def once(t, dose):
        t = np.asarray(t, float) - lag
        return np.where(t > 0, dose * ka / (v * (ka - k)) * (np.exp(-k * t) - np.exp(-ka * t)), 0.0)

    blood = body(v, cl, absorption={"oral": Absorption(ka / 60.0, 1.0, lag * 60.0)}, route="oral")
    ours = predicted(found, lambda who: blood, MASS)  # ug/l is 1e-3 mg/l, and that is 1 nM
    expected = []
    for s in found.samples:
        doses = [d for d in found.doses().of(s.patient) if s.sees(d)]
        last = doses[-1]
        before = range(0, 200) if last.steady else range(1)
        t = (s.time - last.time) / 60.0
        expected.append(sum(float(once(t + 12.0 * n, last.amount)) for n in before))
    assert len(ours) == 43 and ours == pytest.approx(expected, rel=1e-9, abs=1e-12)


def both(rows):
    found = read_nonmem(HEAD + rows, "d.csv")
    assert found.problems == []
    return predicted(found, lambda who: body(1.0, math.log(2)), MASS) / 1000.0  # half in an hour, mg/l


def test_steady_states_replace_or_add():
    one = 8.0 / (1.0 - 0.5**4)  # peak of 8 mg every 4 h
    assert both("0,8,1,4,1,0,.\n1,0,0,0,0,0,9\n") == pytest.approx([one / 2])
    assert both("0,99,1,0,0,0,.\n0,8,1,4,1,0,.\n1,0,0,0,0,0,9\n") == pytest.approx([one / 2])
    # 10 mg in the morning (8 h) and 20 mg at night (20 h), each every 24 h: superposed
    morning, night = (a / (1.0 - 0.5**24) for a in (10.0, 20.0))
    found = both("8,10,1,24,1,0,.\n20,20,1,24,2,0,.\n21,0,0,0,0,0,9\n")
    assert found == pytest.approx([morning * 0.5**13 + night * 0.5])


def test_an_infusion_at_steady_state_and_resets():
    assert both("0,0,1,0,1,5,.\n0,0,0,0,0,0,9\n1,0,0,0,0,0,9\n") == pytest.approx(
        np.array([1.0, 0.5]) * 5.0 / math.log(2)
    )
    assert both("0,8,1,0,0,0,.\n1,0,3,0,0,0,.\n1,0,0,0,0,0,9\n2,4,4,0,0,0,.\n3,0,0,0,0,0,9\n") == pytest.approx(
        [0.0, 2.0]
    )
    # a reset ends an infusion that is going on
    assert both("0,8,1,0,0,1,.\n4,0,3,0,0,0,.\n6,0,0,0,0,0,9\n") == pytest.approx([0.0])


def test_a_sample_at_the_time_of_a_dose():
    rows = "0,0,0,0,0,0,9\n0,8,1,0,0,0,.\n0,0,0,0,0,0,9\n"
    assert both(rows) == pytest.approx([0.0, 8.0])
    found = read_nonmem(HEAD + rows, "d.csv")
    assert predicted(found, lambda who: body(1.0, 1.0), MASS, "dose first") == pytest.approx([8000.0, 8000.0])
    with pytest.raises(InputError, match="no way to count them"):
        predicted(found, lambda who: body(1.0, 1.0), MASS, "sample first")
