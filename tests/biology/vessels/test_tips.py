"""Tips: speed and way by hand, trails, joining, dying, branching, matrix; what can never be; restart and order."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import fire
from oncarium.biology.vessels.maturation import VesselMaturation
from oncarium.biology.vessels.sprouting import Sprouting, sprout
from oncarium.biology.vessels.state import INNER, TIP, Vessels
from oncarium.biology.vessels.tips import DENSEST, LYSIS, SPEED, TRAIL, Tips, nearest
from oncarium.engine.fields import Grid

from .networks import GRID, SLICE, bathed, column, tube

READY = {"stability": 0.0, "membrane": 0.2}
FINE = Grid((-200, -200, -5), (5, 5, 10), (1, 80, 80))


def start(place=(-150.0, 0.0, 0.0), to=(-140.0, 0.0, 0.0), **more):
    """A vessel along y with one sprout that points to x."""
    vessels = tube(Vessels.empty(), [place[0], -190, place[2]], [place[0], 190, place[2]], pieces=2, **more)
    tip = sprout(vessels.graph, 1, np.asarray(to), 10.0, 0.0)
    return vessels, tip


def crawl(tissue, hours, seed=1, dt=60.0, first=0, **options):
    process = Tips(branching=0.0, **options)
    for k in range(first, first + round(hours * 60 / dt)):
        fire(process, tissue, dt=dt, seed=seed, first=k)
    return tissue.vessels.graph


def whole(graph):
    """What may never be: loops of one segment, orphans, tips with other than one segment, vessels of no length."""
    assert (graph.ends[:, 0] != graph.ends[:, 1]).all()
    assert (graph.degree() >= 1).all() and (graph.degree()[graph.nodes["kind"] == TIP] == 1).all()
    assert (graph.segments["length"] > 0.0).all() and np.isfinite(graph.position).all()
    label = graph.components()
    held = np.unique(label[graph.ends[graph.segments["sprout"] < 0]])
    assert np.isin(label, held).all(), "every sprout hangs on a vessel"
    assert len(np.unique(graph.node_id)) == graph.n_nodes and (np.diff(graph.segment_id) > 0).all()


def test_a_tip_goes_up_the_gradient_at_its_speed_and_its_trail_has_nodes():
    vessels, _ = start()
    tissue = bathed(vessels=vessels, vegfa=lambda x, y, z: 0.5 + 0.002 * x)
    graph = crawl(tissue, 20)
    tip = graph.position[graph.nodes["kind"] == TIP][0]
    assert tip[0] == pytest.approx(-140.0 + 20 * 60 * SPEED, rel=0.05) and np.abs(tip[1:]).max() < 40.0
    new = graph.segments["sprout"] >= 0
    assert graph.segments["length"][new].sum() == pytest.approx(10.0 + 20 * 60 * SPEED, rel=1e-12), "length by its path"
    assert graph.segments["length"][new].max() < TRAIL + 60 * SPEED + 1e-9 and new.sum() == 6
    assert (graph.distances()[new] <= graph.segments["length"][new] + 1e-9).all()
    whole(graph)


@pytest.mark.parametrize("dt", [15.0, 30.0, 60.0])
def test_the_way_of_a_tip_does_not_depend_on_the_step(dt):
    ends = []
    for seed in range(8):
        vessels, _ = start(place=(-190, 0, 0), to=(-180, 0, 0))
        graph = crawl(bathed(vessels=vessels, vegfa=lambda x, y, z: 0.5 + 0.002 * x), 16, seed=seed, dt=dt)
        ends.append(graph.position[graph.nodes["kind"] == TIP][0])
    assert np.mean(ends, axis=0) == pytest.approx([-180 + 160, 0, 0], abs=8.0)


def test_the_way_of_a_tip_does_not_depend_on_the_voxel():
    ends = []
    for voxel in (5, 10, 20, 40):
        n = 400 // voxel
        grid = Grid((-200, -200, -10), (voxel, voxel, 20), (1, n, n))
        vessels, _ = start(place=(-190, 0, 0), to=(-180, 0, 0))
        level = {"vegfa": lambda x, y, z: np.exp(-np.hypot(x - 150, y - 150) / 120.0)}
        graph = crawl(bathed(vessels=vessels, grid=grid, **level), 24)
        ends.append(graph.position[graph.nodes["kind"] == TIP][0])
    np.testing.assert_allclose(ends, np.tile(ends[0], (4, 1)), atol=6.0)
    assert np.linalg.norm(ends[0] - [-180, 0, 0]) > 200.0 and (np.array(ends)[:, 2] == 0.0).all()


def test_direction_agrees_with_a_twin():
    """0.7 up VEGF-A (less where it is shallow) + 0.2 along fibres + 0.1 random + 0.3 straight on, normalised."""
    from oncarium.biology.vessels.sprouting import wander
    from oncarium.biology.vessels.tips import stalks
    from oncarium.engine.process import Tick

    vessels, tip = start()
    tissue = bathed(vessels=vessels, matrix=True, vegfa=lambda x, y, z: 1.0 + 0.002 * y)
    tissue.matrix.orientation[:, :, :, :] = np.array([-0.25, 0.5, 0.3, 0.0, 0.0])[:, None, None, None]
    process = Tips()
    graph = vessels.graph
    found = process.ways(tissue, Tick(4, 240.0, 60.0, 3), np.array([tip]), stalks(graph, np.array([tip])))[0]
    chance = wander(3, process.stream, 4, graph.node_id[[tip]], 0, False)[0]
    steep = 20 * 0.002 / (20 * 0.002 + 0.02 * 1.0)
    q = np.array([[-0.25, 0.3, 0.0], [0.3, 0.5, 0.0], [0.0, 0.0, -0.25]])
    way = 0.7 * steep * np.array([0, 1.0, 0]) + 0.2 * 1.5 * q @ [1.0, 0, 0] + 0.1 * chance + 0.3 * np.array([1.0, 0, 0])
    np.testing.assert_allclose(found, way / np.linalg.norm(way), rtol=1e-9)


def test_a_tip_joins_a_vessel_that_is_not_its_own_and_the_lumen_opens_a_day_later():
    vessels, _ = start()
    tube(vessels, [-20, -190, 0], [-20, 190, 0])
    tissue = bathed(vessels=vessels, vegfa=lambda x, y, z: 0.5 + 0.002 * x)
    process, maturation = Tips(branching=0.0), VesselMaturation()
    joined = None
    for k in range(72):
        fire(maturation, tissue, dt=60.0, first=k)
        fire(process, tissue, dt=60.0, first=k)
        graph = tissue.vessels.graph
        whole(graph)
        if joined is None and not (graph.nodes["kind"] == TIP).any():
            joined = k
            assert len(np.unique(graph.components())) == 1
            assert not graph.segments["lumen"][graph.segments["sprout"] >= 0].all()
    assert joined is not None and 8 <= joined <= 14
    new = graph.segments["sprout"] >= 0
    assert graph.segments["lumen"][new].all() and graph.n_segments == 2 + 2 + new.sum(), "the vessel met was split"
    assert graph.segments["length"][~new].sum() == pytest.approx(760.0)
    graph.segments["flow"][new] = 0.5
    fire(process, tissue, dt=60.0, first=80)
    assert (graph.segments["sprout"] == -1).all(), "what carries blood is a vessel"
    events = tissue.population.drain()
    assert (events["kind"] == tissue.population.kinds.index("anastomosis")).sum() == 1


def test_two_tips_of_different_sprouts_meet_and_a_column_is_met_at_its_node():
    vessels, _ = start()
    tube(vessels, [150, -190, 0], [150, 190, 0], pieces=2)
    sprout(vessels.graph, 5, np.array([140.0, 0, 0]), 10.0, 0.0)
    tissue = bathed(vessels=vessels, vegfa=lambda x, y, z: 1.0 - 0.004 * np.abs(x))
    graph = crawl(tissue, 20)
    whole(graph)
    assert not (graph.nodes["kind"] == TIP).any() and len(np.unique(graph.components())) == 1
    vessels = Vessels.empty()
    column(vessels, -100, 0)
    column(vessels, 0, 0)
    sprout(vessels.graph, 1, np.array([-90.0, 0, 0]), 10.0, 0.0)
    tissue = bathed(vessels=vessels, grid=SLICE, vegfa=lambda x, y, z: 0.5 + 0.002 * x)
    graph = crawl(tissue, 20)
    whole(graph)
    assert not (graph.nodes["kind"] == TIP).any() and graph.degree()[4] == 3
    assert (graph.position[graph.nodes["kind"] == INNER][:, 2] == 0.0).all()


def test_a_tip_does_not_join_its_own_sprout_nor_the_vessel_beside_its_origin():
    vessels, _ = start()
    tissue = bathed(vessels=vessels, vegfa=lambda x, y, z: 0.5 - 0.002 * x)  # it is drawn back to its vessel
    graph = crawl(tissue, 3)
    assert (graph.nodes["kind"] == TIP).sum() == 1
    whole(graph)


def test_a_tip_that_joins_nothing_dies_within_its_hours_and_its_sprout_goes():
    gone = []
    for seed in range(6):
        vessels, _ = start()
        tissue = bathed(vessels=vessels, vegfa=0.0)
        process = Tips(branching=0.0, speed=0.02)
        for k in range(220):
            fire(process, tissue, dt=60.0, seed=seed, first=k)
            if not (vessels.graph.nodes["kind"] == TIP).any() and len(gone) <= seed:
                gone.append(k)
            whole(vessels.graph)
        assert vessels.graph.n_segments == 2 and (vessels.graph.segments["sprout"] == -1).all()
    assert min(gone) >= 50 and max(gone) <= 73 and len(set(gone)) > 1


def test_dense_matrix_stops_a_tip_until_its_proteases_have_cut_it():
    vessels, _ = start(place=(-150, 0, 0))
    tissue = bathed(vessels=vessels, grid=FINE, matrix=True, vegfa=lambda x, y, z: 0.5 + 0.002 * x)
    tissue.matrix.density[:] = 1.2
    graph = crawl(tissue, 1, lysis=0.0)
    assert graph.position[graph.nodes["kind"] == TIP][0, 0] == -140.0
    hours = math.log(1.2 / DENSEST) / (60 * LYSIS)
    crawl(tissue, int(hours), first=1)
    assert graph.position[graph.nodes["kind"] == TIP][0, 0] == -140.0
    crawl(tissue, 12, first=30)
    assert graph.position[graph.nodes["kind"] == TIP][0, 0] > -139.0
    assert tissue.matrix.density.max() == 1.2 and tissue.matrix.density.min() < DENSEST


@pytest.mark.parametrize("voxel", [2.5, 5.0, 20.0])
def test_the_matrix_that_a_tip_cuts_does_not_depend_on_the_voxel(voxel):
    n = round(400 / voxel)
    grid = Grid((-200, -200, -5), (voxel, voxel, 10), (1, n, n))
    vessels, _ = start()
    tissue = bathed(vessels=vessels, grid=grid, matrix=True, vegfa=lambda x, y, z: 0.5 + 0.002 * x)
    tissue.matrix.density[:] = 1.0
    crawl(tissue, 1)
    lost = (1.0 - tissue.matrix.density).sum() * voxel**2
    assert lost == pytest.approx(math.pi * 10.0**2 * -math.expm1(-60 * LYSIS), rel=0.03)


def test_tips_stay_in_the_box():
    vessels, _ = start(place=(150, 0, 0), to=(160, 0, 0))
    graph = crawl(bathed(vessels=vessels, vegfa=lambda x, y, z: 0.5 + 0.002 * x), 30)
    assert (graph.position <= GRID.upper).all() and (graph.position >= GRID.lower).all()
    whole(graph)


def test_branches_start_far_from_other_tips_and_belong_to_their_sprout():
    vessels, _ = start()
    tissue = bathed(vessels=vessels, vegfa=lambda x, y, z: 2.0 + 0.002 * x)
    process = Tips(branching=0.05)
    forks = []
    for k in range(30):
        fire(process, tissue, dt=60.0, first=k)
        whole(vessels.graph)
        forks.append((vessels.graph.nodes["kind"] == TIP).sum())
    assert forks[6] == 1 and max(forks) >= 2, "not within 80 um of its origin"
    assert len(np.unique(vessels.graph.segments["sprout"])) == 2


def grown(hours=60, seed=1, threads=1, cut=None, tissue=None, voxel=20):
    """Sprouting and tips between two vessels, restarted from what a checkpoint keeps after `cut` hours."""
    n = 400 // voxel
    grid = Grid((-200, -200, -200), (voxel,) * 3, (n, n, n))
    vessels = tube(Vessels.empty(), [-150, -190, 0], [-150, 190, 0], pieces=6, **READY)
    tube(vessels, [150, -190, 30], [150, 190, 30], pieces=6, **READY)
    processes = [VesselMaturation(), Sprouting(largest=5e-3), Tips(branching=1e-3)]
    for p in processes:
        p.threads = threads
    tissue = bathed(*processes, vessels=vessels, grid=grid, matrix=True, vegfa=lambda x, y, z: 1.0 - 0.003 * np.abs(x))
    tissue.matrix.density[:] = 0.5
    for k in range(hours):
        if k == cut:
            kept = {n: a.copy() for n, a in tissue.vessels.arrays().items()}
            tissue.vessels = Vessels.empty()
            tissue.vessels.restore(kept)
        for p in processes:
            fire(p, tissue, dt=60.0, seed=seed, first=k)
    return tissue


def test_same_bytes_for_any_threads_and_after_a_restart_in_the_middle_of_sprouting(monkeypatch):
    monkeypatch.setattr("oncarium.engine.threads.PARALLEL_FROM", 4)
    first = grown()
    graph = first.vessels.graph
    assert (graph.segments["sprout"] >= 0).sum() > 30 and first.digest() == grown(threads=2).digest()
    assert first.digest() == grown(cut=17).digest() == grown(cut=41).digest()
    assert first.digest() != grown(seed=2).digest()


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.0, 3.0), st.integers(1, 5), st.floats(-0.01, 0.01))
def test_nothing_impossible_ever_grows(seed, level, pieces, slope):
    vessels = tube(Vessels.empty(), [-190, 3, 0], [190, -40, 0], pieces=pieces, **READY)
    tube(vessels, [-100, -190, 0], [30, 190, 0], pieces=pieces, **READY)
    column(vessels, 100, 100, **READY)
    processes = [VesselMaturation(), Sprouting(largest=0.01), Tips(branching=2e-3)]
    tissue = bathed(
        *processes, vessels=vessels, grid=SLICE, vegfa=lambda x, y, z: np.maximum(level + slope * (x + y), 0)
    )
    for k in range(100):
        for p in processes:
            fire(p, tissue, dt=60.0, seed=seed, first=k)
        whole(tissue.vessels.graph)
    graph = tissue.vessels.graph
    inside = np.isin(np.arange(graph.n_nodes), graph.ends[graph.segments["sprout"] >= 0])
    assert (graph.position[inside, 2] == 0.0).all() or not inside.any()


def test_nearest_point_of_a_segment():
    graph = tube(Vessels.empty(), [-100, 0, 0], [100, 0, 0]).graph
    place = np.array([50.0, 3.0, 4.0])
    share, far = nearest(graph.position, graph.ends, np.array([0]), place, GRID.lower, GRID.upper)
    assert share[0] == pytest.approx(0.75) and far[0] == pytest.approx(5.0)
