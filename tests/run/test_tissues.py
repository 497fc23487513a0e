"""The three tissues for claims: full where they should be, open where they should be, and none of them fills."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.analysis.readout import read_out


def live(result, of=None):
    """Live cells of a type, or of all, at the recorded times."""
    names = [of] if of else result.types
    return result.summary[[f"live.{name}" for name in names]].sum(axis=1).to_numpy()


@pytest.fixture(scope="module")
def bulk():
    return oc.run(oc.load("bulk"), "3 day", seed=2)


def test_the_inside_of_a_tumor_is_full_and_stays_as_it_is(bulk):
    area = 0.25  # mm^2
    assert live(bulk)[0] / area == pytest.approx(5100, rel=0.05), "cells per mm^2 of a full slab of 12 um"
    settled = live(bulk)[4:]  # from day 2 on
    assert np.ptp(settled) / settled[0] < 0.15
    position = bulk.array("position")
    assert (np.abs(position[:, :2]) <= 250.0).all()
    middle = (np.abs(position[:, :2]) < 125.0).all(axis=1).sum() / len(position)
    assert 0.2 < middle < 0.33, "a quarter of the area holds about a quarter of the cells"


def test_what_grows_in_it_leaves_it(bulk):
    assert read_out(bulk, {"measure": "rate", "kind": "outflow", "of": "carcinoma", "since": "1 day"}) > 0.0
    events = bulk.events
    came = int(events.kind.isin(["division", "arrival"]).sum())
    leaving = ["removal", "phagocytosis", "fusion", "departure", "intravasation", "outflow"]
    went = events[events.kind.isin(leaving)].id.nunique()  # whoever is cleared in the tick that eats it leaves once
    assert len(bulk.array("id", 0)) + came - went == len(bulk.array("id"))


def test_the_strip_is_free_before_the_front():
    model = oc.load("front")
    assert model.domain.open == ("xmax",)
    result = oc.run(model, "2 day", seed=1)
    start, end = (read_out(result, {"measure": "front", "of": "carcinoma", "at": at}) for at in ("0 day", "2 day"))
    assert start == pytest.approx(-277.0, abs=6.0) and end < 0.0
    assert read_out(result, {"measure": "past", "of": "carcinoma", "line": "0"}) == 0.0
    stroma = ("fibroblast", "cd4_helper", "tumor_macrophage")
    gone = sum(read_out(result, {"measure": "happened", "kind": "outflow", "of": t}) for t in stroma)
    assert gone == 0.0, "nobody walks out on the right"


def test_a_hundred_cells_take():
    result = oc.run(oc.load("take"), "2 day", seed=1)
    tumor = live(result, "carcinoma")
    assert tumor[0] == 100 and 120 < tumor[-1] < 600
    assert read_out(result, {"measure": "growth", "of": "carcinoma", "since": "1 day"}) > 0.0
