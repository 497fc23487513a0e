"""Flow, viscosity and haematocrit against closed forms, a slow twin, and their laws."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers import PLANE, tissue_of
from oncarium.biology.vessels.flow import balance, solve_flow
from oncarium.biology.vessels.haematocrit import share_of_cells
from oncarium.biology.vessels.paths import on_paths
from oncarium.biology.vessels.perfusion import Perfusion
from oncarium.biology.vessels.plumbing import Plumbing
from oncarium.biology.vessels.seeding import mesh
from oncarium.biology.vessels.state import FLOW, PRESSURE, Vessels
from oncarium.biology.vessels.viscosity import MMHG, Rheology, conductances, relative_viscosity, wall_shear
from oncarium.engine.process import Tick
from reference import blood as twin

EXAMPLES = int(os.environ.get("ONCARIUM_EXAMPLES", "60"))
WATER = Rheology(constant=3.0)


def solved(ends, kind, given_, diameter, length, entering=0.45, rheology=WATER, **options):
    ends, kind = np.asarray(ends), np.asarray(kind)
    way = Plumbing(ends, len(kind), kind, np.asarray(given_, float))
    n = len(ends)
    radius, length = (
        np.broadcast_to(0.5 * np.asarray(diameter, float), n),
        np.broadcast_to(np.asarray(length, float), n),
    )
    entering = np.broadcast_to(np.asarray(entering, float), len(kind))
    return solve_flow(way, radius, length, np.full(n, 0.45), entering, rheology, **options)


# -- formulas ---------------------------------------------------------------------------------------------------------


def test_a_tube_by_hand():
    """10 um wide, 100 um long, 3 cP, 10 mmHg: pi r^4 dp / (8 mu L)."""
    g = conductances(np.array([5.0]), np.array([100.0]), np.array([3.0]))[0]
    assert g * 10.0 == pytest.approx(np.pi * 5e-6**4 * 10 * MMHG / (8 * 3e-3 * 100e-6) * 60e12, rel=1e-12)
    shear = wall_shear(np.array([5.0]), np.array([g * 10.0]), np.array([3.0]))[0]
    assert shear == pytest.approx(5e-6 * 10 * MMHG / (2 * 100e-6), rel=1e-12)  # r dp / 2 L


@pytest.mark.parametrize("diameter", [2.5, 4.0, 8.0, 8.3, 15.0, 60.0, 500.0])
@pytest.mark.parametrize("haematocrit", [0.0, 0.1, 0.45, 0.8, 0.95])
def test_viscosity_is_the_law(diameter, haematocrit):
    assert relative_viscosity(diameter, haematocrit) == pytest.approx(twin.relative(diameter, haematocrit), rel=1e-11)


def test_where_the_exponent_is_zero_viscosity_is_its_limit():
    """C crosses 0 at 8.05183 um, where the law is 0/0."""
    near = [relative_viscosity(8.051829446725 + x, 0.3) for x in (-1e-6, -1e-12, 0.0, 1e-12, 1e-6)]
    assert np.ptp(near) < 1e-5 and np.isfinite(near).all()


def test_blood_of_wide_vessels_is_twice_to_four_times_as_thick_as_plasma_and_narrow_ones_are_clamped():
    assert 2.5 < relative_viscosity(1000.0, 0.45) < 4.0
    law = Rheology(plasma=1.0)
    thin, edge = law.viscosity(np.array([1.2, 2.5]), np.array([0.3, 0.3]))
    assert thin == edge


@pytest.mark.parametrize(
    "part, a, b, parent, h",
    [
        (0.35, 12, 16, 20, 0.45),
        (0.3, 8, 8, 10, 0.4),
        (0.5, 6, 9, 10, 0.4),
        (0.04, 10, 28, 30, 0.45),
        (0.95, 5, 5, 6, 0.3),
    ],
)
def test_cells_split_by_the_law_and_both_branches_take_all(part, a, b, parent, h):
    one = share_of_cells(part, a, b, parent, h)
    assert one == pytest.approx(twin.share(part, a, b, parent, h), abs=1e-12)
    assert one + share_of_cells(1 - part, b, a, parent, h) == pytest.approx(1.0, abs=1e-12)


def test_where_the_law_has_no_meaning_cells_split_as_the_flow_does():
    assert share_of_cells(0.3, 2.0, 2.5, 1.5, 0.1) == 0.3


# -- networks ---------------------------------------------------------------------------------------------------------


def test_a_murray_tree_has_the_same_shear_everywhere():
    """Length as diameter, r^3 kept: every generation has the same resistance, and pressure falls in equal steps."""
    depth, ends, diameter, length = 4, [[0, 1]], [40.0], [400.0]
    for generation in range(1, depth + 1):
        for k in range(2 ** (generation - 1)):
            parent = 2 ** (generation - 1) + k
            for child in (2 * parent, 2 * parent + 1):
                ends.append([parent, child])
                diameter.append(40.0 * 0.5 ** (generation / 3))
                length.append(400.0 * 0.5 ** (generation / 3))
    kind = np.zeros(2 ** (depth + 1), int)
    kind[[0, *range(2**depth, 2 ** (depth + 1))]] = PRESSURE
    given_ = np.where(kind > 0, 15.0, 0.0)
    given_[0] = 60.0
    blood = solved(ends, kind, given_, diameter, length)
    resistance = 1.0 / conductances(np.array([20.0]), np.array([400.0]), np.array([3.0]))[0]
    assert blood.flow[0] == pytest.approx(45.0 / (5 * resistance), rel=1e-10)
    assert blood.shear == pytest.approx(np.full(len(ends), blood.shear[0]), rel=1e-10)
    assert sorted({round(p, 9) for p in blood.pressure}) == pytest.approx([15, 24, 33, 42, 51, 60])


def test_the_bridge_between_equal_pressures_carries_exactly_nothing_and_keeps_its_cells():
    ends = [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3]]
    blood = solved(ends, [1, 0, 0, 1], [40, 0, 0, 10], [10, 8, 9, 10, 8], 128.0, rheology=Rheology(), separation=True)
    assert blood.flow[2] == 0.0 and blood.shear[2] == 0.0
    assert blood.haematocrit[2] == 0.45 and (np.delete(blood.flow, 2) > 0).all()


def test_what_hangs_on_one_place_carries_exactly_nothing():
    """A blunt end, a fork, a loop on a stalk, an island and an island that is a ring."""
    ends = [
        [0, 1],
        [1, 2],
        [1, 3],
        [3, 4],
        [3, 5],
        [1, 6],
        [6, 7],
        [7, 8],
        [8, 6],
        [9, 10],
        [11, 12],
        [12, 13],
        [13, 11],
    ]
    kind = np.zeros(14, int)
    kind[[0, 2]] = PRESSURE
    given_ = np.zeros(14)
    given_[0] = 30.0
    blood = solved(ends, kind, given_, 8.0, 100.0)
    assert (blood.flow[2:] == 0.0).all() and (blood.flow[:2] > 0).all()
    assert blood.pressure[3:9] == pytest.approx(np.full(6, blood.pressure[1]), rel=1e-12)
    assert np.isnan(blood.pressure[9:]).all()


def test_a_part_of_one_pressure_rests_and_a_given_flow_goes_through():
    blood = solved([[0, 1], [2, 3]], [1, 1, 2, 1], [20, 20, 5, 10], 8.0, 100.0)
    assert blood.flow.tolist()[0] == 0.0 and blood.flow[1] == pytest.approx(5.0, rel=1e-12)
    nothing = solved([[0, 1]], [2, 2], [5, -5], 8.0, 100.0)  # no pressure anywhere
    assert nothing.flow[0] == 0.0 and np.isnan(nothing.pressure).all()


def test_the_sign_follows_the_direction_and_nothing_else():
    ends = np.array([[0, 1], [1, 2], [1, 2], [2, 3]])
    one = solved(ends, [1, 0, 0, 1], [40, 0, 0, 10], [12, 8, 9, 12], 100.0, rheology=Rheology(), separation=True)
    other = solved(
        ends[:, ::-1], [1, 0, 0, 1], [40, 0, 0, 10], [12, 8, 9, 12], 100.0, rheology=Rheology(), separation=True
    )
    assert other.flow == pytest.approx(-one.flow, rel=1e-12)
    assert other.haematocrit == pytest.approx(one.haematocrit, rel=1e-12)


@pytest.mark.parametrize("cells", [0.2, 0.45, 0.6])
def test_flow_and_cells_are_those_of_the_slow_twin(cells):
    ends = [(0, 1), (1, 2), (1, 3), (2, 3), (2, 4), (3, 5), (4, 5), (4, 6), (5, 7)]
    diameter = [12.0, 7.0, 9.0, 5.5, 8.0, 6.5, 10.0, 9.0, 12.0]
    length = [150.0, 200.0, 120.0, 90.0, 160.0, 210.0, 80.0, 100.0, 140.0]
    q, h, p = twin.solve(ends, 8, {0: 45.0, 6: 12.0, 7: 10.0}, {}, diameter, length, {0: cells})
    kind, given_ = [1, 0, 0, 0, 0, 0, 1, 1], [45.0, 0, 0, 0, 0, 0, 12.0, 10.0]
    blood = solved(ends, kind, given_, diameter, length, cells, Rheology(), separation=True, tolerance=1e-12)
    assert blood.flow == pytest.approx(q, rel=1e-9, abs=1e-9)
    assert blood.haematocrit == pytest.approx(h, abs=1e-9)
    assert blood.pressure == pytest.approx(p, rel=1e-9)


def test_a_vessel_in_pieces_is_the_same_vessel():
    whole = solved([[0, 1]], [1, 1], [30, 10], 7.0, 300.0, 0.4, Rheology())
    parts = solved([[0, 2], [2, 3], [3, 1]], [1, 1, 0, 0], [30, 10, 0, 0], 7.0, [100.0, 50.0, 150.0], 0.4, Rheology())
    assert parts.flow == pytest.approx(np.full(3, whole.flow[0]), rel=1e-11)


def test_kept_factors_give_what_new_ones_give():
    graph = mesh((0, 0, 0), (1000, 800, 20), seed=3).graph
    way = Plumbing(graph.ends, graph.n_nodes, graph.nodes["kind"], graph.nodes["given"])
    for shift in range(5):
        g = conductances(
            graph.segments["radius"] * (1.0 + 0.1 * np.sin(np.arange(graph.n_segments) + shift)), 80.0, 3.0
        )
        fresh = Plumbing(graph.ends, graph.n_nodes, graph.nodes["kind"], graph.nodes["given"]).pressures(g)
        assert way.pressures(g, fresh + 1.0) == pytest.approx(fresh, rel=1e-11)


# -- random networks --------------------------------------------------------------------------------------------------


def test_rough_turns_end_in_exact_flows_and_near_the_fine_solution():
    """A mesh of some thousand vessels by the law: with the tolerance of a run, blood and cells are kept to 1e-10."""
    graph = mesh((0, 0, 0), (1200, 1200, 400), 60.0, seed=3).graph
    s, n = graph.segments, graph.n_nodes
    ends, inner = graph.ends, graph.nodes["kind"] != PRESSURE
    rest = (s["radius"], s["length"], s["haematocrit"], graph.nodes["haematocrit"])
    way = Plumbing(ends, n, graph.nodes["kind"], graph.nodes["given"])
    rough = solve_flow(way, *rest, separation=True, tolerance=1e-3, most=60)
    fine = solve_flow(way, *rest, separation=True, tolerance=1e-8)
    assert graph.n_segments > 1000 and rough.turns < min(fine.turns, 60) and not len(rough.restless)
    scale = np.abs(rough.flow).max()
    for what in (rough.flow, rough.flow * rough.haematocrit):
        assert np.abs(balance(ends, n, what)[inner]).max() < 1e-10 * scale
    assert np.abs(rough.flow - fine.flow).max() < 1e-3 * scale
    assert np.median(np.abs(rough.haematocrit - fine.haematocrit)) < 1e-4


def test_pressures_may_be_left_rough():
    rng = np.random.default_rng(2)
    graph = mesh((0, 0, 0), (900, 900, 300), 60.0, seed=3).graph
    way = Plumbing(graph.ends, graph.n_nodes, graph.nodes["kind"], graph.nodes["given"])
    first, then = (rng.uniform(0.5, 2.0, graph.n_segments) for _ in range(2))
    start = way.pressures(first)
    rough, exact = way.pressures(then, start, 1e-6), way.pressures(then, start)
    assert 0.0 < np.abs(rough - exact).max() < 1e-3
    left = way.right_side(then) - way.matrix(then) @ rough[way.free]
    assert np.abs(left).max() <= 1e-6 * np.abs(way.right_side(then)).max() * (1.0 + 1e-6)


@st.composite
def networks(draw):
    r = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):
        k, m = draw(st.integers(2, 6)), draw(st.integers(2, 6))
        grid = np.arange(k * m).reshape(k, m)
        pairs = [(grid[:-1], grid[1:]), (grid[:, :-1], grid[:, 1:])]
        ends, n = np.concatenate([np.column_stack([a.ravel(), b.ravel()]) for a, b in pairs]), k * m
        ends = ends[r.random(len(ends)) < 0.85]
    else:
        n = draw(st.integers(3, 30))
        ends = r.integers(0, n, (draw(st.integers(2, 70)), 2))
        ends = ends[ends[:, 0] != ends[:, 1]]
    ends = ends if len(ends) else np.array([[0, 1]])
    kind = np.zeros(n, int)
    kind[r.choice(n, min(n, int(r.integers(2, 6))), replace=False)] = PRESSURE
    given_ = r.uniform(5, 60, n)
    flow = r.random(n) < 0.05
    kind[flow] = FLOW
    given_[flow] = r.uniform(-20, 20, int(flow.sum()))
    return ends, kind, given_, r.uniform(2.6, 16, len(ends)), r.uniform(20, 400, len(ends)), r.uniform(0.05, 0.6, n)


@settings(max_examples=EXAMPLES, deadline=None)
@given(networks())
def test_every_random_network_ends_and_keeps_its_blood_and_cells(network):
    ends, kind, given_, diameter, length, entering = network
    blood = solved(ends, kind, given_, diameter, length, entering, Rheology(), separation=True, tolerance=1e-6)
    assert blood.turns <= 400 and np.isfinite(blood.flow).all()
    assert ((blood.haematocrit >= 0.0) & (blood.haematocrit <= 0.95 + 1e-12)).all()
    inflow = np.maximum(blood.exchange, 0.0).sum()
    inner = blood.exchange == 0.0
    assert np.abs(balance(ends, len(kind), blood.flow)[inner]).max(initial=0.0) <= 1e-10 * inflow
    cells = balance(ends, len(kind), blood.flow * blood.haematocrit)
    assert np.abs(cells[inner]).max(initial=0.0) <= 1e-10 * inflow
    if len(blood.restless):
        assert blood.change > 1e-6  # it says so


@settings(max_examples=EXAMPLES, deadline=None)
@given(networks())
def test_segments_on_a_path_are_those_of_a_search_in_blocks(network):
    networkx = pytest.importorskip("networkx")
    ends, kind = network[:2]
    terminal = kind == PRESSURE
    graph = networkx.Graph()
    graph.add_edges_from([("hub", n) for n in np.flatnonzero(terminal)])
    for s, (a, b) in enumerate(ends.tolist()):
        graph.add_edge(a, ("middle", s))
        graph.add_edge(("middle", s), b)
    expected = np.zeros(len(ends), bool)
    for block in networkx.biconnected_components(graph):
        if "hub" in block:
            expected |= np.array([("middle", s) in block for s in range(len(ends))])
    assert on_paths(ends, len(kind), np.ones(len(ends), bool), terminal).tolist() == expected.tolist()


# -- the process ------------------------------------------------------------------------------------------------------


def bed(seed=1):
    return mesh((0, 0, 0), (600, 500, 20), seed=seed)


def stepped(tissue, process, number):
    process.step(tissue, Tick(number, 60.0 * number, 60.0, 1))


def with_vessels(vessels, process):
    tissue = tissue_of([], PLANE)
    tissue.vessels = vessels
    tissue.population.register(process.events)
    process.prepare(tissue)
    return tissue


def test_a_squeezed_or_closed_vessel_carries_nothing_and_the_rest_goes_on():
    vessels = bed()
    Perfusion().update(vessels)
    s = vessels.graph.segments
    widest = np.argsort(np.abs(s["flow"]))[-20]
    before = s["flow"].copy()
    s["squeeze"][widest] = 0.3
    Perfusion().update(vessels)
    assert s["flow"][widest] == 0.0 and s["shear"][widest] == 0.0
    assert (s["flow"] != 0.0).sum() > 0.7 * (before != 0.0).sum()
    s["lumen"][:] = 0
    Perfusion().update(vessels)
    assert (s["flow"] == 0.0).all()


@pytest.mark.parametrize("separation", [False, True])
def test_a_run_that_is_saved_in_the_middle_goes_on_with_the_same_bytes(separation):
    def grown(vessels, k):
        s = vessels.graph.segments
        s["radius"] *= 1.0 + 0.02 * np.sin(np.arange(len(s["radius"])) + k)

    process = Perfusion(separation=separation)
    tissue = with_vessels(bed(), process)
    for k in range(3):
        grown(tissue.vessels, k)
        stepped(tissue, process, k)
    kept, state = tissue.copy(), process.state()
    other = Perfusion(separation=separation)
    again = with_vessels(bed(), other)
    again.vessels.restore(kept.vessels.arrays())
    other.restore({k: v.copy() for k, v in state.items()})
    for k in range(3, 6):
        for t, p in ((tissue, process), (again, other)):
            if k == 4:
                t.vessels.graph.split(7, 0.5)
            grown(t.vessels, k)
            stepped(t, p, k)
    assert tissue.digest() == again.digest()
    assert (tissue.vessels.graph.segments["flow"] != 0.0).any()


def test_cells_of_two_inlets_mix_at_nodes_and_are_conserved():
    vessels = Vessels.empty()
    vessels.graph.add_nodes(
        [[0, 0, 0], [0, 100, 0], [50, 50, 0], [100, 50, 0]], kind=[1, 1, 0, 1], given=[30, 30, 0, 10],
        haematocrit=[0.2, 0.6, 0, 0],
    )  # fmt: skip
    vessels.graph.add_segments([[0, 2], [1, 2], [2, 3]], length=80.0, radius=5.0)
    Perfusion().update(vessels)
    s = vessels.graph.segments
    carried = s["flow"] * s["haematocrit"]
    assert s["haematocrit"][:2] == pytest.approx([0.2, 0.6])
    assert carried[0] + carried[1] == pytest.approx(carried[2], rel=1e-12)


def test_what_does_not_come_to_rest_is_an_event(monkeypatch):
    from oncarium.biology.vessels import perfusion

    monkeypatch.setattr(perfusion, "MOST", 2)
    process = Perfusion(separation=True)
    tissue = with_vessels(bed(), process)
    tissue.vessels.graph.segments["haematocrit"][:] = 0.1
    stepped(tissue, process, 1)
    ids = tissue.population.heard("unsteady_flow")
    assert len(ids) and set(ids) <= set(tissue.vessels.graph.segment_id)
