"""Vessels among voxels: what lies where, and the tissue's oxygen does not depend on the voxel."""

import csv
import math

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy.sparse.linalg import spsolve

from oncarium.biology.vessels.state import Vessels
from oncarium.biology.vessels.wall import PEACEMAN, conductances, deposit, meet, pieces
from oncarium.engine.fields import Grid
from reference import krogh

D, UPTAKE = 2000.0, 15.0  # um^2/s, mmHg/s


def one(a, b, radius=5.0, length=None):
    graph = Vessels.empty().graph
    graph.add_nodes([a, b])
    graph.add_segments([[0, 1]], length=math.dist(a, b) if length is None else length, radius=radius)
    return graph


def rows(path):
    return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(path.open())]


@pytest.mark.parametrize(
    ("a", "b", "share"),
    [
        ((50, 50, -150), (50, 50, 150), 20 / 300),  # a column through a slice
        ((50, 50, 0), (50, 50, 150), 10 / 150),  # its upper half
        ((-100, 50, 0), (100, 50, 0), 0.5),  # enters through a face
        ((10, 20, 0), (90, 80, 0), 1.0),
        ((-10, -10, 0), (-10, 200, 0), 0.0),  # passes by
        ((50, 50, 20), (50, 50, 400), 0.0),
    ],
)
def test_only_what_lies_in_the_box_touches_voxels(a, b, share):
    grid = Grid((0, 0, -10), (20, 20, 20), (1, 5, 5))
    found = pieces(one(a, b, length=2.0 * math.dist(a, b)), grid)
    assert found.inside[0] == pytest.approx(share, abs=1e-12)
    assert found.length.sum() == pytest.approx(2.0 * math.dist(a, b) * share)  # a winding vessel: twice the distance
    assert found.weight.sum() == pytest.approx(len(found.segment))
    assert (found.weight > 0.0).all() and len(found.weight) == found.first[-1]


def test_a_thin_vessel_in_the_middle_of_a_voxel_has_peacemans_radius():
    found = pieces(one((50, 50, -50), (50, 50, 50), radius=1e-3), Grid((0, 0, -10), (20, 20, 20), (1, 5, 5)))
    assert 1e-3 * math.exp(radius_of(found)) == pytest.approx(0.1985 * 20, rel=1e-3)


def radius_of(found):
    """ln(r_eq / r) of all of it."""
    return (found.weight * found.spread).sum() / found.weight.sum()


def test_a_wide_vessel_is_not_corrected():
    found = pieces(one((200, 200, -50), (200, 200, 50), radius=60.0), Grid((0, 0, -5), (10, 10, 10), (1, 40, 40)))
    assert 0.0 < radius_of(found) < 0.05


@pytest.mark.parametrize("width", [5.0, 10.0, 20.0, 30.0])
@pytest.mark.parametrize("radius", [2.0, 5.0, 15.0, 40.0])
def test_the_equivalent_radius_is_never_below_the_vessels(width, radius):
    grid = Grid((0, 0, -width / 2), (width, width, width), (1, 31, 31))
    for place in np.random.default_rng(1).random((20, 2)):
        x, y = (15.0 + place) * width
        assert radius_of(pieces(one((x, y, -99), (x, y, 99), radius), grid)) > 0.0


def test_pieces_against_a_slow_twin():
    """Weights, distances and conductances, written again in plain Python."""
    h, r, x, y = 20.0, 6.0, 47.0, 52.0
    found = pieces(one((x, y, -50), (x, y, 50), r), Grid((0, 0, -10), (h, h, h), (1, 5, 5)))
    weight: dict[tuple[int, int], float] = {}
    points = max(8, 4 * math.ceil(r * math.pi / h))
    for m in range(points):
        turn = 2 * math.pi * (m + 0.5) / points
        # the first two axes across z
        u, v = (x + r * math.cos(turn)) / h - 0.5, (y + r * math.sin(turn)) / h - 0.5
        for i in (0, 1):
            for j in (0, 1):
                a, b = math.floor(u) + i, math.floor(v) + j
                part = (1 - abs(u - a)) * (1 - abs(v - b)) / points
                weight[a, b] = weight.get((a, b), 0.0) + part
    got = {(int(v) % 5, int(v) // 5): w for v, w in zip(found.voxel, found.weight)}
    assert {k: pytest.approx(w, abs=1e-12) for k, w in weight.items() if w > 0} == got
    apart = {
        i: math.log(PEACEMAN * h / r)
        + sum(w * 0.5 * math.log(1 + math.dist(i, j) ** 2 / PEACEMAN**2) for j, w in weight.items())
        for i in weight
    }
    assert {(int(v) % 5, int(v) // 5): s for v, s in zip(found.voxel, found.spread)} == pytest.approx(apart, abs=1e-9)
    passing = conductances(found, np.array([0.01]), 7.0)
    slow = {i: w * 20.0 / (0.01 + max(apart[i], -1.0) / (2 * math.pi * 7.0)) for i, w in weight.items() if w > 0}
    assert {(int(v) % 5, int(v) // 5): g for v, g in zip(found.voxel, passing)} == pytest.approx(slow, rel=1e-9)


def cylinder(width, radius, outer, place, resistance=0.0, wall=40.0):
    """Error of the tissue's values and of their mean, as shares of the drop from wall to outer radius: voxels of a disc
    solved with a direct solver, against Krogh."""
    n = int(2 * outer / width) + 6
    x, y = (n // 2 + 0.5 + np.array(place)) * width
    grid = Grid((0, 0, -width / 2), (width, width, width), (1, n, n))
    found = pieces(one((x, y, -50), (x, y, 50), radius), grid)
    unused, exchange = np.zeros(grid.shape), np.zeros(grid.shape)
    amount = conductances(found, np.array([resistance]), D) / width**3
    deposit(found, amount, np.ones(1), np.zeros(1), unused, exchange)
    centers = grid.centers("x")
    r = np.hypot(centers[None, :] - x, centers[:, None] - y)
    disc = r < outer
    row = np.full((n, n), -1)
    row[disc] = np.arange(disc.sum())
    diagonal, entries = exchange[0][disc].copy(), []
    for a, b in ((row[:, :-1], row[:, 1:]), (row[:-1], row[1:])):
        both = (a >= 0) & (b >= 0)
        entries += [(a[both], b[both]), (b[both], a[both])]
    i, j = (np.concatenate([e[k] for e in entries]) for k in (0, 1))
    coupling = D / width**2
    np.add.at(diagonal, i, coupling)
    matrix = sparse.csr_array((np.full(len(i), -coupling), (i, j)), (disc.sum(),) * 2) + sparse.diags_array(diagonal)
    equal = width * math.sqrt(disc.sum() / math.pi)  # the circle of the same area
    passed = UPTAKE * math.pi * (equal**2 - radius**2)
    inner = np.mean(  # share of a voxel within the vessel, where nothing is taken up
        [
            np.hypot(centers[None, :] - x + a * width, centers[:, None] - y + b * width) < radius
            for a in np.linspace(-0.45, 0.45, 10)
            for b in np.linspace(-0.45, 0.45, 10)
        ],
        axis=0,
    )
    uptake = UPTAKE * (1.0 - inner[disc])
    value = spsolve(sparse.csc_array(matrix), exchange[0][disc] * (wall + resistance * passed) - uptake)
    far = r[disc] > radius + width
    exact = krogh.radial(r[disc], wall, radius, equal, D, UPTAKE)
    drop = wall - krogh.radial(equal, wall, radius, equal, D, UPTAKE)
    wrong = (value - exact)[far] / drop
    return np.abs(wrong).max(), wrong.mean()


@pytest.mark.parametrize(("width", "allowed"), [(5.0, 0.03), (2.5, 0.01)])
@pytest.mark.parametrize(
    ("place", "resistance"),
    [((0, 0), 0.0), ((0, 0), 2.7e-5), ((0.5, 0.5), 2.7e-5), ((0.25, 0.1), 2.7e-5), ((0.4, 0.0), 2.7e-5)],
)
def test_krogh_cylinder_on_voxels(width, allowed, place, resistance):
    """The published case: capillary of 5 um, tissue of 50 um, 40 mmHg at the wall; with a wall that holds back as
    measured ones do, at odd places in a voxel too."""
    largest, mean = cylinder(width, 5.0, 50.0, place, resistance)
    assert largest < allowed + 0.001
    assert abs(mean) < allowed


@pytest.mark.parametrize("width", [10.0, 20.0, 30.0])
@pytest.mark.parametrize("radius", [2.5, 5.0, 15.0])
def test_tissue_oxygen_does_not_depend_on_the_voxel_or_the_place_in_it(width, radius):
    for place in ((0, 0), (0.25, 0.1), (0.5, 0.5), (0.4, 0.0)):
        _, mean = cylinder(width, radius, 100.0, place, resistance=2.7e-5)
        assert abs(mean) < 0.045


def test_closed_forms_agree_with_the_recorded_tables(cases):
    folder = cases / "vessel_krogh"
    for row in rows(folder / "expect_radial.csv"):
        assert krogh.radial(row["r_um"], 40, 5, 50, 2000, 15) == pytest.approx(row["po2_mmHg"], rel=1e-9)
    for row in rows(folder / "expect_lethal_radius.csv"):
        found = krogh.lethal_radius(row["po2_wall_mmHg"], 5, 2000, row["consumption_mmHg_s"])
        assert found == pytest.approx(row["lethal_radius_um"], rel=1e-9)
    table = rows(folder / "expect_radial_michaelis.csv")
    found = krogh.radial_michaelis([row["r_um"] for row in table], 40, 5, 70, 4.2e-2, 5e-4, 1.0)
    assert found == pytest.approx([row["po2_mmHg"] for row in table], rel=1e-6)


def test_an_oblique_vessel_feeds_a_box_the_same_at_10_20_and_30_um():
    means = []
    for width in (10.0, 20.0, 30.0):
        n = round(240 / width)
        grid = Grid((0, 0, 0), (width,) * 3, (n, n, n))
        found = pieces(one((10, 20, 30), (230, 200, 180)), grid)
        passing = conductances(found, np.array([0.35 / (2 * math.pi * D)]), D)
        means.append(passing.sum())
        whole, mean = meet(found, passing, np.full(grid.shape, 7.0))
        assert whole[0] == pytest.approx(passing.sum()) and mean[0] == pytest.approx(7.0)
        supply, demand = np.zeros(grid.shape), np.zeros(grid.shape)
        deposit(found, passing, np.array([0.5]), np.array([3.0]), supply, demand)
        assert demand.sum() == pytest.approx(0.5 * passing.sum()) and supply.sum() == pytest.approx(1.5 * passing.sum())
    assert means[0] > means[1] > means[2]  # wider voxels are further from the wall


def test_more_vessels_than_first_thought_and_none():
    grid = Grid((0, 0, 0), (20, 20, 20), (10, 10, 10))
    assert len(pieces(Vessels.empty().graph, grid).segment) == 0
    graph = Vessels.empty().graph
    places = np.random.default_rng(2).random((400, 3)) * 200
    graph.add_nodes(places)
    ends = np.arange(400).reshape(-1, 2)
    graph.add_segments(ends, length=graph.position[ends[:, 0]][:, 0] * 0 + 100.0, radius=30.0)
    found = pieces(graph, grid)
    sums = np.add.reduceat(found.weight, found.first[:-1])
    assert sums == pytest.approx(np.ones(len(sums))) and found.voxel.max() < 1000
