"""Scenarios whose subject is vessels: short or coarse runs show what their descriptions say."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.analysis.vasculature import vasculature

COARSE = {"domain.voxel": "40 um"} | {f"clock.{k}": "60 min" for k in ("transport", "mechanics", "phenotype")}


@pytest.fixture(scope="module")
def cornea():
    model = oc.load("corneal_pocket").with_(COARSE | {"until": "6 day", "record.cells": "1 day"})
    return oc.run(model, seed=1)


def test_sprouts_cross_the_cornea_toward_the_pellet(cornea):
    vessels = [cornea.vessels(f"{d} day") for d in range(7)]
    front = np.array([v[["ax", "bx"]].to_numpy().max() for v in vessels])
    assert front[1] < 140.0  # nothing has left the rim yet
    assert front[6] > 400.0 and (np.diff(front) >= 0.0).all()
    speed = np.diff(front)[np.diff(front) > 50.0]  # um/day where there are sprouts
    assert len(speed) and speed.max() <= 1.05 * 240.0 + 20.0  # no faster than tips crawl
    away = vessels[6][vessels[6]["ax"] > 200.0]["ay"]
    assert 100.0 < away.mean() < 900.0


def test_the_cornea_itself_has_no_vessels_at_the_start(cornea):
    assert cornea.vessels(0)[["ax", "bx"]].to_numpy().max() < 140.0
    assert cornea.summary["vessels.length"].iloc[-1] > 1.3 * cornea.summary["vessels.length"].iloc[0]


def test_without_vegf_nothing_sprouts():
    model = oc.load("corneal_pocket").with_(COARSE | {"until": "4 day", "factors.vegfa.fixed": []})
    assert oc.run(model, seed=1).summary["events.sprout"].iloc[-1] == 0


def test_a_vascular_tumor_starts_between_vessels_as_far_apart_as_in_tumors():
    model = oc.load("vascular_tumor").with_({"until": "6 h", "record.cells": "6 h"})
    result = oc.run(model, seed=1)
    seen = vasculature(result, of="tumor")
    assert 100.0 < seen.apart < 300.0 and seen.perfused == 1.0  # measured in tumors: 100 to 300 um
    assert 40.0 < seen.distance < 115.0  # the median of images is 88 um, give or take 30 %
    tumor = result.array("sense.factor")[:, list(result.factors).index("oxygen")]
    assert 1.0 < np.median(tumor) < 40.0
    assert result.summary["vessels.permeability"].iloc[-1] > result.summary["vessels.permeability"].iloc[0]


def test_a_window_chamber_has_its_vessels_in_the_plane():
    graph = oc.Simulation(oc.load("window_chamber"), 1).tissue.vessels.graph
    assert (graph.position[:, 2] == 0.0).all() and (graph.segments["flow"] != 0.0).all()
    assert graph.segments["radius"].max() > 1.5 * graph.segments["radius"].min()  # feeders are wider


def test_above_and_below_the_plane_of_a_window_chamber_cells_lack_oxygen_and_call_vessels():
    model = oc.load("window_chamber").with_(COARSE | {"until": "3 day", "record.cells": "1 day"})
    result = oc.run(model, seed=1)
    z, oxygen = (
        np.abs(result.array("position")[:, 2]),
        result.array("sense.factor")[:, list(result.factors).index("oxygen")],
    )
    assert (
        np.median(oxygen[z < 40.0]) > np.median(oxygen[z > 80.0]) and (result.array("hypoxia.level") > 0.5).mean() > 0.5
    )
    assert result.summary["events.sprout"].iloc[-1] >= 1
    assert result.vessels("3 day")[["az", "bz"]].to_numpy().std() > 0.0  # they leave the plane
