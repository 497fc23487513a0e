"""Regression and compression: who goes and who stays, columns as a whole, loads by hand, any step."""

import math

import numpy as np
import pytest

from helpers import fire
from oncarium.biology.vessels import seeding
from oncarium.biology.vessels.compression import RELAXATION, Compression, squeezed
from oncarium.biology.vessels.perfusion import Perfusion, open_to_blood
from oncarium.biology.vessels.regression import PATIENCE, Regression, neglect
from oncarium.biology.vessels.settling import settle
from oncarium.biology.vessels.sprouting import sprout
from oncarium.biology.vessels.state import TIP, Vessels

from .networks import GRID, SLICE, bathed, column, tube


def parallel(n=20, **values):
    vessels = Vessels.empty()
    for y in np.linspace(-180, 180, n):
        tube(vessels, [-190, y, 0], [190, y, 0], pieces=4, **values)
    return vessels


def left(hours, vessels, dt=60.0, seed=1, grid=GRID, **levels):
    process = Regression()
    tissue = bathed(process, vessels=vessels, grid=grid, **(levels or {"vegfa": 0.01}))
    for k in range(round(hours * 60 / dt)):
        fire(process, tissue, dt=dt, seed=seed, first=k)
    return vessels.graph


def test_neglect_by_hand():
    assert neglect(0.01, 0.8, 1.0, 0.3) == 0.0 and neglect(0.0, 0.0, 1.0, 0.0) == 1.0
    assert neglect(0.04, 0.8, 1.0, 3.0) == 1.0 and neglect(0.06, 0.8, 1.0, 3.0) == 0.0
    assert neglect(0.05, 0.15, 1.0, 0.3) == pytest.approx(0.25)


def test_a_network_with_normal_shear_is_not_pruned():
    graph = left(400, parallel())
    assert graph.n_segments == 80 and (graph.segments["maturity"] == 1.0).all()


def test_vessels_without_shear_thin_after_their_patience_and_go_at_a_rate():
    graph = left(PATIENCE / 60, parallel(shear=0.5), dt=40.0)
    assert graph.n_segments == 80 and graph.segments["maturity"].min() == 1.0
    assert graph.segments["slack"] == pytest.approx(PATIENCE)
    gone = 80 - left(PATIENCE / 60 + 20 + 5, parallel(shear=0.5), dt=20.0).n_segments
    p = -math.expm1(-0.2 * 5)
    assert abs(gone - 80 * p) < 4 * math.sqrt(80 * p * (1 - p))
    assert left(PATIENCE / 60 + 100, parallel(shear=0.5)).n_segments == 0


def test_the_count_left_does_not_depend_on_the_step():
    counts = [left(PATIENCE / 60 + 24, parallel(50, shear=0.5), dt=dt).n_segments for dt in (20.0, 60.0, 120.0)]
    assert max(counts) - min(counts) < 4 * math.sqrt(2 * 200 * 0.25) and min(counts) > 20


def test_slack_ends_when_blood_comes_back_and_the_wall_heals():
    vessels = parallel(2, shear=0.1)
    process = Regression()
    tissue = bathed(process, vessels=vessels, vegfa=0.01)
    for k in range(80):
        fire(process, tissue, dt=60.0, first=k)
    low = vessels.graph.segments["maturity"].copy()
    vessels.graph.segments["shear"][:] = 2.0
    fire(process, tissue, 48, dt=60.0, first=80)
    assert (vessels.graph.segments["slack"] == 0.0).all() and (low < 0.5).all()
    assert vessels.graph.segments["maturity"] == pytest.approx(1 - (1 - low) * math.exp(-2.0), rel=1e-9)


def test_vegf_keeps_uncovered_vessels_alive_and_covered_ones_need_none():
    bare = left(100, parallel(coverage=0.0), vegfa=0.001).n_segments
    fed = left(100, parallel(coverage=0.0), vegfa=0.3).n_segments
    covered = left(100, parallel(coverage=0.8), vegfa=0.001).n_segments
    assert bare < 5 and fed == covered == 80


def test_a_column_goes_as_a_whole_and_its_sprouts_with_it():
    vessels = column(column(Vessels.empty(), -100, 0, shear=0.1), 100, 0)
    vessels.graph.segments["shear"][:] = [0.1, 2.0, 2.0, 2.0]
    sprout(vessels.graph, 1, np.array([-90.0, 0, 0]), 10.0, 0.0)
    graph = left(120, vessels, grid=SLICE)
    assert graph.n_segments == 2 and (graph.position[:, 0] == 100.0).all() and not (graph.nodes["kind"] == TIP).any()


def test_compression_by_hand_and_in_any_step():
    assert squeezed(1.0, 0.85, 0.0) == pytest.approx(0.5) and squeezed(0.0, 0.0, 2.7) == pytest.approx(0.5)
    assert squeezed(0.0, 0.0, 0.0) == 1.0
    goal, out = float(squeezed(0.6, 0.9, 0.5)), []
    for dt in (30.0, 60.0, 720.0):
        process, vessels = Compression(), tube(Vessels.empty(), [-150, 0, 0], [150, 0, 0])
        tissue = bathed(process, vessels=vessels, matrix=True, fluid=True, vegfa=0.0)
        tissue.matrix.density[:], tissue.matrix.hyaluronan[:], tissue.fluid.stress[:] = 0.6, 0.9, 0.5
        fire(process, tissue, round(1440 / dt), dt=dt)
        out.append(vessels.graph.segments["squeeze"][0])
    assert out == pytest.approx([goal + (1 - goal) * math.exp(-1440 / RELAXATION)] * 3, rel=1e-12)


def test_a_load_that_stays_shuts_vessels_and_one_that_goes_lets_them_open():
    process, vessels = Compression(), tube(Vessels.empty(), [-150, 0, 0], [150, 0, 0])
    tissue = bathed(process, vessels=vessels, fluid=True, vegfa=0.0)
    seen = []
    for k in range(240):
        tissue.fluid.stress[:] = 4.5 if k < 120 else 0.0
        fire(process, tissue, dt=60.0, first=k)
        seen.append(int(open_to_blood(vessels)[0]))
    assert seen[0] == 1 and seen[119] == 0 and seen[239] == 1 and np.abs(np.diff(seen)).sum() == 2


def test_an_adapted_mesh_is_not_pruned_to_death_and_one_without_pressure_is():
    def length_left(still):
        vessels = seeding.mesh((-200, -200, -200), (200, 200, 200), 100.0, seed=2, feeders=200.0)
        settle(vessels, Perfusion())
        if still:
            vessels.graph.nodes["given"][:] = 20.0
        perfusion, regression = Perfusion(), Regression()
        before = vessels.graph.segments["length"].sum()
        tissue = bathed(regression, vessels=vessels, vegfa=0.01)
        tissue.population.register(perfusion.events)
        for k in range(240):
            fire(regression, tissue, dt=60.0, first=k)
            if k % 12 == 0 and vessels.graph.n_segments:
                perfusion.update(vessels)
        return vessels.graph.segments["length"].sum() / before

    assert length_left(still=False) > 0.95 and length_left(still=True) < 0.05
