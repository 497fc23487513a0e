"""Sprouting: chances of a rate, spacing without order, where sprouts begin, and whom stability and membrane hold."""

import csv
import math

import numpy as np
import pytest
from scipy.stats import chisquare

from helpers import fire
from oncarium.biology.vessels.sprouting import CELL, LARGEST, Sprouting, spaced, sprout_probability, waiting
from oncarium.biology.vessels.state import TIP, Vessels

from .networks import GRID, SLICE, bathed, column, tube

READY = {"stability": 0.0, "membrane": 0.2}


def rows(cases, name):
    folder = cases / "vessel_sprout_rate"
    if not folder.is_dir():
        pytest.skip("the case vessel_sprout_rate is not here")
    with open(folder / name) as file:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]


def test_chances_are_those_of_a_rate_and_never_above_one(cases):
    for row in rows(cases, "expect_probability.csv"):
        found = sprout_probability(row["vegf_nM"], row["cells"], row["dt_min"], half=0.5, hill=1.0)
        # the file has twelve digits
        assert found == pytest.approx(row["probability"], rel=1e-11, abs=1e-12) and 0.0 <= found <= 1.0


@pytest.mark.parametrize("dt", [1, 6, 60])
def test_counts_do_not_depend_on_the_step(cases, dt):
    for row in rows(cases, "expect_counts.csv"):
        n, minutes = int(row["segments"]), int(row["time_min"])
        if minutes / dt > 1000:
            continue
        ids, rate = np.arange(n), np.full(n, LARGEST * row["vegf_nM"] / (row["vegf_nM"] + 0.5))
        left = np.ones(n, bool)
        for tick in range(minutes // dt):
            left &= waiting(np.uint64(5), 77, tick, ids, rate) >= dt
        count = n - left.sum()
        assert abs(count - row["mean_sprouted_segments"]) < 4.0 * row["sd"]
        p = row["probability_once"]
        assert chisquare([count, n - count], [n * p, n * (1 - p)]).pvalue > 1e-3


def test_waiting_times_are_exponential_and_of_the_id_only():
    ids = np.arange(20_000)
    when = waiting(np.uint64(1), 3, 9, ids, np.full(len(ids), 0.01))
    assert when.mean() == pytest.approx(100.0, rel=0.03) and when.std() == pytest.approx(100.0, rel=0.03)
    order = np.random.default_rng(0).permutation(len(ids))
    np.testing.assert_array_equal(waiting(np.uint64(1), 3, 9, ids[order], np.full(len(ids), 0.01)), when[order])


def test_spacing_is_a_maximal_set_and_knows_no_order():
    rng = np.random.default_rng(1)
    place, when, ids, taken = (
        rng.uniform(0, 600, (200, 3)),
        rng.random(200),
        np.arange(200),
        rng.uniform(0, 600, (5, 3)),
    )
    kept = spaced(place, when, ids, taken, 80.0)
    gap = np.linalg.norm(place[:, None] - place[None, kept], axis=2)
    held = np.linalg.norm(place[:, None] - taken[None], axis=2).min(axis=1) < 80.0
    for row in range(200):
        earlier = [k for k, other in enumerate(kept) if when[other] < when[row] and gap[row, k] < 80.0]
        assert (row in kept) == (not earlier and not held[row])
    order = rng.permutation(200)
    again = spaced(place[order], when[order], ids[order], taken, 80.0)
    assert set(order[again]) == set(kept)


def test_rate_of_a_vessel_by_hand():
    process = Sprouting()
    vessels = tube(Vessels.empty(), [-100, 0, 0], [100, 0, 0], **READY)
    tube(vessels, [-100, 90, 0], [100, 90, 0], stability=0.75, membrane=0.2)
    tube(vessels, [-100, -90, 0], [100, -90, 0], stability=0.0, membrane=0.6)
    tube(vessels, [-100, -90, 90], [100, -90, 90], stability=0.0, membrane=0.2, age=600.0)
    tissue = bathed(process, vessels=vessels, vegfa=0.2)
    from oncarium.biology.vessels.places import course

    full = LARGEST * 200.0 / CELL * 0.2**2 / (0.1**2 + 0.2**2)
    assert process.rates(tissue, course(vessels.graph, GRID)) == pytest.approx([full, 0.25 * full, 0.0, 0.0])


def sprouted(order=None, hours=40, grid=GRID, seed=1):
    process, vessels = Sprouting(), Vessels.empty()
    lines = [(y, z) for y in range(-180, 181, 45) for z in (-150, 0, 150)]
    for k in order if order is not None else range(len(lines)):
        y, z = lines[k]
        tube(vessels, [-190, y, z], [190, y, z], **READY)
    graph = vessels.graph
    if order is not None:  # the same ids in another order of the rows
        graph.segment_id[:], graph.node_id[:] = order, np.repeat(2 * np.asarray(order), 2) + np.tile([0, 1], len(order))
    tissue = bathed(process, vessels=vessels, grid=grid, vegfa=lambda x, y, z: 0.3 + 0.001 * y)
    for k in range(hours):
        fire(process, tissue, dt=60.0, seed=seed, first=k)
    return tissue


def test_sprouts_keep_their_distance_and_permuted_rows_give_the_same_tips():
    one, other = sprouted(), sprouted(np.random.default_rng(2).permutation(27))
    tips = [t.vessels.graph.position[t.vessels.graph.nodes["kind"] == TIP] for t in (one, other)]
    assert len(tips[0]) > 8
    np.testing.assert_array_equal(np.sort(tips[0], axis=0), np.sort(tips[1], axis=0))
    graph = one.vessels.graph
    roots = graph.position[graph.ends[graph.segments["sprout"] >= 0].min(axis=1)]
    gap = np.linalg.norm(roots[:, None] - roots[None], axis=2) + 1e9 * np.eye(len(roots))
    assert gap.min() >= 80.0 - 10.0 - 5.0  # from the tip, which is 10 um away, or the place drawn, 5 um from a node
    assert (graph.ends[:, 0] != graph.ends[:, 1]).all() and graph.segments["length"].min() > 0.0
    total = graph.segments["length"][graph.segments["sprout"] < 0].sum()
    assert total == pytest.approx(27 * 380.0), "splitting keeps the length"


def test_a_sprout_leaves_up_the_gradient_at_right_angles_with_a_bare_wall():
    graph = sprouted().vessels.graph
    new = np.flatnonzero(graph.segments["sprout"] >= 0)
    way = graph.position[graph.ends[new, 1]] - graph.position[graph.ends[new, 0]]
    inner = np.abs(graph.position[graph.ends[new, 0], 1]) < 150
    np.testing.assert_allclose(way[inner] / 10.0, np.tile([0.0, 1.0, 0.0], (inner.sum(), 1)), atol=1e-9)
    for name in ("coverage", "stability", "membrane", "lumen"):
        assert (graph.segments[name][new] == 0).all()
    assert (graph.nodes["kind"][graph.ends[new, 1]] == TIP).all()


def test_a_column_sprouts_at_its_node_in_the_plane():
    process, vessels = Sprouting(), Vessels.empty()
    for x in (-120.0, 0.0, 120.0):
        column(vessels, x, 0.0, **READY)
    tissue = bathed(process, vessels=vessels, grid=SLICE, vegfa=lambda x, y, z: 0.5 + 0.002 * x)
    before = vessels.graph.n_nodes
    fire(process, tissue, 200, dt=60.0)
    graph = tissue.vessels.graph
    tips = np.flatnonzero(graph.nodes["kind"] == TIP)
    assert 1 <= len(tips) <= 3 and graph.n_nodes == before + len(tips), "no column is split"
    roots = graph.ends[graph.segments["sprout"] >= 0, 0]
    assert set(roots.tolist()) <= {1, 4, 7} and (graph.position[tips, 2] == 0.0).all()


def test_normal_tissue_does_not_sprout_and_a_network_may_be_empty():
    process = Sprouting()
    vessels = tube(Vessels.empty(), [-190, 0, 0], [190, 0, 0], pieces=10)
    tissue = bathed(process, vessels=vessels, vegfa=0.01)
    fire(process, tissue, 100, dt=60.0)
    assert not (tissue.vessels.graph.nodes["kind"] == TIP).any()
    fire(process, bathed(process, vessels=Vessels.empty(), vegfa=1.0), dt=60.0)
    assert math.isclose(sprout_probability(0.0, 5, 60.0), 0.0)
