"""A ligand that its antibody carries along in blood, and the marrow that the ligand opens."""

from types import SimpleNamespace

import numpy as np
import pytest

import oncarium as oc
from oncarium.biology.body.circulation import Circulation
from oncarium.biology.body.state import Body
from oncarium.biology.drugs.pharmacokinetics import Given, Pharmacokinetics
from oncarium.model.body import Compartment, Flow
from oncarium.run.patient import plasma_of

DAY = 1440.0
BLOOD = [
    Compartment("marrow", 1.0, gain=0.0007, flows=(Flow("monocytes", 0.0014, "ccl2", 1.0),)),
    Compartment("ccl2", 1.0, gain=0.0116, loss=0.0116),
    Compartment("monocytes", 1.0, loss=0.0007),
]


def course(days, doses, step=30.0):
    """Levels of the body (time, compartment) and the share of CCL2 that is free (time)."""
    model = oc.load("reference").with_({"therapy": {"doses": ["carlumab 15 mg/kg every 2 weeks"]}})
    plasma, blood = plasma_of(model), Pharmacokinetics(model.therapy.body(model.therapy.drugs[0]))
    tissue = SimpleNamespace(body=Body([c.name for c in BLOOD], [1.0, 1.0, 1.0]), plasma=plasma)
    process, seen, free = Circulation(step, BLOOD), [], []
    for i in range(round(days * DAY / step)):
        now = plasma.amounts["carlumab"]
        plasma.amounts["carlumab"] = blood.advance(now, i * step, (i + 1) * step, doses)
        process.step(tissue, SimpleNamespace(dt=step))
        seen.append(tissue.body.level.copy())
        free.append(plasma.left(plasma.carried[0]))
    return np.array(seen), np.array(free)


def test_without_a_dose_the_body_stays_as_it_was():
    levels, free = course(4.0, [])
    assert levels == pytest.approx(1.0) and free == pytest.approx(1.0)


def test_monocytes_are_held_back_for_days_and_overshoot_before_the_next_dose():
    drug = oc.drug("carlumab")
    levels, free = course(14.0, [Given(0.0, drug.nmol(15.0 * 70.0))])
    marrow, ccl2, monocytes = levels.T
    assert np.abs(ccl2 - free)[48:] == pytest.approx(0.0, abs=0.02)  # the compartment follows within hours
    assert monocytes.min() < 0.5 and np.argmin(monocytes) < 3 * 48
    assert marrow.max() > 2.5  # those that stay wait there
    assert monocytes.max() > 1.15 and monocytes[-1] < monocytes.max()  # and come all at once


def test_a_copy_of_plasma_carries_the_same():
    plasma = plasma_of(oc.load("reference").with_({"therapy": {"doses": ["carlumab 15 mg/kg once"]}}))
    assert plasma.copy().carried == plasma.carried and plasma.carried[0].compartment == "ccl2"
    assert plasma_of(oc.load("reference").with_({"therapy": {"doses": ["imatinib 400 mg daily"]}})).carried == ()
