"""Oxygen in the blood: its content, its balance along a vessel and at nodes, and steady tissue around it."""

import csv
import math

import numpy as np
import pytest
import yaml
from scipy.integrate import solve_ivp

from oncarium.biology.vessels.oxygen import (
    MICROLITRE,
    RODENT,
    Blood,
    along,
    content,
    march,
    saturation,
    tension,
    wall_resistance,
)
from oncarium.biology.vessels.state import FLOW, PRESSURE, Vessels
from oncarium.biology.vessels.tissue import divided, solve_tissue, voxels_of
from oncarium.errors import OncariumError
from reference import krogh

HUMAN = Blood()


def rows(path):
    return list(csv.DictReader(path.open(encoding="utf-8-sig")))


@pytest.mark.parametrize("blood", [HUMAN, RODENT])
def test_hill_curve_and_content_by_hand(blood):
    assert saturation(blood.p50, blood.power, blood.p50) == pytest.approx(0.5)
    assert saturation(0.0, *blood[:2]) == 0.0
    assert content(40.0, 0.0, blood) == pytest.approx(40.0 * 3.1e-5)
    s = 90.0**blood.power / (90.0**blood.power + blood.p50**blood.power)
    assert content(90.0, 0.4, blood) == pytest.approx(0.2 * s + 90.0 * 3.1e-5)


@pytest.mark.parametrize("haematocrit", [0.0, 1e-6, 0.2, 0.45, 0.9])
def test_tension_is_the_inverse_of_content(haematocrit):
    for p in (0.0, 0.3, 5.0, 26.0, 95.0, 400.0):
        for linear in (0.0, 1e-3, 1.0):
            carried = content(p, haematocrit, HUMAN) + linear * p
            assert tension(carried, haematocrit, linear, 0.0, 500.0, HUMAN) == pytest.approx(p, abs=1e-7)


def test_resistance_of_the_wall_between_and_outside_its_rows():
    assert wall_resistance(np.array([1.0, 2.0, 4.5, 5.0, 100.0])) * 60 == pytest.approx([2.45, 2.45, 1.355, 1.27, 0.73])


@pytest.mark.parametrize("exchange", [1e-5, 1e-3, 0.01, 0.1, 10.0, 1e9])
@pytest.mark.parametrize(("entry", "tissue"), [(95.0, 10.0), (40.0, 0.0), (20.0, 20.0), (5.0, 30.0)])
def test_along_a_segment_against_an_ode_solver(exchange, entry, tissue):
    def fall(_, y):
        p = tension(y[0], 0.4, 0.0, 0.0, 100.0, HUMAN)
        return [-exchange * (p - tissue)]

    got = along(entry, 0.4, exchange, tissue, HUMAN)
    assert min(entry, tissue) - 1e-9 <= got <= max(entry, tissue) + 1e-9
    if exchange < 1.0:
        end = solve_ivp(fall, (0, 1), [content(entry, 0.4, HUMAN)], rtol=1e-9, atol=1e-12, method="LSODA").y[0, -1]
        exact = tension(end, 0.4, 0.0, 0.0, 100.0, HUMAN)
        assert got == pytest.approx(exact, abs=0.015 * abs(entry - tissue) + 1e-6)
    elif exchange > 1e6:
        assert got == pytest.approx(tissue, abs=1e-3)


def network(seed, nodes=40):
    """A random network whose flow and red cells are conserved at every node."""
    rng = np.random.default_rng(seed)
    graph = Vessels.empty().graph
    kind = np.zeros(nodes, np.int8)
    kind[[0, 1, -1]] = PRESSURE
    graph.add_nodes(rng.random((nodes, 3)) * 300, kind=kind, oxygen=rng.uniform(30, 95, nodes), haematocrit=0.4)
    ends = [(i, j) for j in range(2, nodes) for i in rng.choice(np.arange(max(0, j - 6), j), 2, replace=False)]
    flip = rng.random(len(ends)) < 0.5
    ends = np.array(ends)
    # downhill from row to row: each node passes on what it gets
    flow, cells = np.zeros(len(ends)), np.zeros(len(ends))
    got, red = np.zeros(nodes), np.zeros(nodes)
    got[:2], red[:2] = 5.0, 2.0
    for v in range(nodes):
        out = np.flatnonzero(ends[:, 0] == v)
        if len(out):
            share = rng.dirichlet(np.ones(len(out)))
            uneven = share * rng.uniform(0.8, 1.2, len(out))
            flow[out], cells[out] = got[v] * share, red[v] * uneven / uneven.sum()
            np.add.at(got, ends[out, 1], flow[out])
            np.add.at(red, ends[out, 1], cells[out])
    hd = np.divide(cells, flow, out=np.zeros(len(flow)), where=flow > 0)
    ends[flip] = ends[flip][:, ::-1]
    graph.add_segments(ends, length=50.0, flow=np.where(flip, -flow, flow), haematocrit=hd)
    return graph


@pytest.mark.parametrize("seed", range(5))
def test_what_enters_leaves_or_is_lost(seed):
    graph = network(seed)
    flow, hd = graph.segments["flow"], graph.segments["haematocrit"]
    carries = np.abs(flow) > 0
    rng = np.random.default_rng(seed)
    g = rng.uniform(0, 3e3, len(flow))
    found = march(graph, carries, g, rng.uniform(0, 40, len(flow)), HUMAN)
    head = np.where(flow > 0, graph.ends[:, 0], graph.ends[:, 1])
    entering = sum(5.0 * content(graph.nodes["oxygen"][v], 0.4, HUMAN) for v in (0, 1)) * MICROLITRE
    # at the nodes without an outlet
    last = [v for v in range(graph.n_nodes) if v not in head[carries]]
    leaving = 0.0
    for v in last:
        into = [s for s in range(len(flow)) if carries[s] and v in graph.ends[s]]
        q = sum(abs(flow[s]) for s in into)
        cells = sum(abs(flow[s]) * hd[s] for s in into)
        leaving += q * content(found.node[v], cells / q, HUMAN) * MICROLITRE
    assert entering == pytest.approx(leaving + found.loss.sum(), rel=1e-10)
    assert found.loss == pytest.approx(g * (found.oxygen - rng_tissue(seed, len(flow))), rel=1e-9)
    assert (found.slope[carries] > 0).all()


def rng_tissue(seed, n):
    rng = np.random.default_rng(seed)
    rng.uniform(0, 3e3, n)
    return rng.uniform(0, 40, n)


def test_slope_is_how_the_loss_answers_to_the_tissue():
    """For plasma alone, whose content is a line, it is exact but for the steps."""
    graph = network(1)
    graph.segments["haematocrit"][:] = 0.0
    graph.nodes["haematocrit"][:] = 0.0
    n = graph.n_segments
    carries = np.abs(graph.segments["flow"]) > 0
    s = int(np.flatnonzero(carries)[0])
    g, tissue = np.full(n, 40.0), np.full(n, 10.0)
    first = march(graph, carries, g, tissue, HUMAN)
    tissue[s] += 0.1
    second = march(graph, carries, g, tissue, HUMAN)
    assert first.loss[s] - second.loss[s] == pytest.approx(0.1 * first.slope[s], rel=0.03)


def test_still_blood_and_no_cells_are_safe():
    graph = Vessels.empty().graph
    graph.add_nodes([[0, 0, 0], [0, 0, 100], [0, 0, 200]], kind=[FLOW, 0, FLOW], oxygen=50.0, haematocrit=0.0)
    graph.add_segments([[0, 1], [2, 1]], length=100.0, flow=0.0, haematocrit=0.0)
    found = march(graph, np.zeros(2, bool), np.full(2, 100.0), np.array([7.0, 9.0]), HUMAN)
    assert found.oxygen.tolist() == [7.0, 9.0] and not found.loss.any() and not found.slope.any()
    graph.segments["flow"][:] = [1.0, -1.0]
    found = march(graph, np.ones(2, bool), np.array([1e3, 0.0]), np.array([7.0, 9.0]), HUMAN)
    assert 7.0 <= found.oxygen[0] < 50.0 and found.oxygen[1] == found.node[1] and np.isfinite(found.loss).all()


def test_given_flows_that_run_in_a_circle_end():
    graph = Vessels.empty().graph
    graph.add_nodes(np.eye(3) * 100, oxygen=50.0)
    graph.add_segments([[0, 1], [1, 2], [2, 0]], length=100.0, flow=1.0, haematocrit=0.4)
    found = march(graph, np.ones(3, bool), np.full(3, 100.0), np.zeros(3), HUMAN)
    assert np.isfinite(found.loss).all() and (found.oxygen >= 0.0).all()


def test_the_order_of_rows_decides_nothing():
    graph = network(3)
    n = graph.n_segments
    carries, g = np.abs(graph.segments["flow"]) > 0, np.linspace(0, 3e3, n)
    found = march(graph, carries, g, np.full(n, 5.0), HUMAN)
    again = march(graph.copy(), carries, g, np.full(n, 5.0), HUMAN)
    for a, b in zip(found, again):
        assert a.tobytes() == b.tobytes()
    graph.ends[:] = graph.ends[:, ::-1].copy()  # named from the other end
    graph.segments["flow"] *= -1
    other = march(graph, carries, g, np.full(n, 5.0), HUMAN)
    for a, b in zip(found, other):
        assert a.tobytes() == b.tobytes()


# -- with tissue ----------------------------------------------------------------------------------------------------


def test_blood_along_a_krogh_cylinder(cases):
    """The published capillary; 20 times as long with 20 times the flow, so that nothing diffuses along it."""
    table = [{k: float(v) for k, v in row.items()} for row in rows(cases / "vessel_krogh" / "expect_axial.csv")]
    z = np.array([row["z_um"] for row in table])
    carried, exact = krogh.axial(z, 60.0, 0.4, 0.5e6 / 60, 5e-4 * math.pi * (30**2 - 5**2), RODENT)
    assert carried == pytest.approx([row["blood_o2_cm3_per_cm3"] for row in table], rel=1e-9)
    assert exact == pytest.approx([row["po2_blood_mmHg"] for row in table], rel=1e-9)
    width, graph = 30 * math.sqrt(math.pi), Vessels.empty().graph
    places = np.linspace(0, 10_000, 51)
    kind = [FLOW, *[0] * 49, FLOW]
    middle = np.full(51, width / 2)
    graph.add_nodes(np.stack([middle, middle, places], 1), oxygen=60.0, haematocrit=0.4, kind=kind)
    ends = np.stack([np.arange(50), np.arange(1, 51)], 1)
    graph.add_segments(ends, length=200.0, radius=5.0, flow=10.0, haematocrit=0.4)
    grid = voxels_of((width, width, 10_000), 5.0)
    grid = type(grid)(grid.origin, (*grid.spacing[:2], 100.0), (100, *grid.shape[1:]))
    found = solve_tissue(graph, grid, RODENT, uptake=5e-4 * 60 * 875 / 900, michaelis=0.01)
    fine = krogh.axial((places[:-1] + 100) / 20, 60.0, 0.4, 0.5e6 / 60, 5e-4 * math.pi * (30**2 - 5**2), RODENT)[1]
    assert found.oxygen == pytest.approx(fine, rel=0.01)
    assert found.imbalance < 1e-3


def load(folder):
    """A case with given flow, as the solver takes it."""
    nodes, segments = rows(folder / "nodes.csv"), rows(folder / "segments.csv")
    given = yaml.safe_load((folder / "parameters.yaml").read_text())
    oxygen = given["oxygen"]
    graph, row = Vessels.empty().graph, {node["id"]: i for i, node in enumerate(nodes)}
    graph.add_nodes(
        [[float(node[f"{a}_um"]) for a in "xyz"] for node in nodes],
        kind=[{"flow_nl_min": FLOW, "pressure_mmHg": PRESSURE}.get(node["boundary"], 0) for node in nodes],
        haematocrit=[float(node["hd"] or 0.4) for node in nodes],
        oxygen=[float(node["po2_mmHg"] or oxygen["inlet_po2_mmHg"]) for node in nodes],
    )
    graph.add_segments(
        [[row[s["a"]], row[s["b"]]] for s in segments],
        length=[float(s["length_um"]) for s in segments],
        radius=[0.5 * float(s["diameter_um"]) for s in segments],
        flow=[float(s["flow_nl_min"]) for s in segments],
        haematocrit=[float(s["hd"]) for s in segments],
    )
    hill = oxygen["hill"]
    blood = Blood(
        hill["n"],
        hill["p50_mmHg"],
        oxygen["red_cell_capacity_cm3_per_cm3"],
        oxygen["blood_solubility_cm3_per_cm3_mmHg"],
    )
    options = {
        "krogh": oxygen["tissue_D_alpha_cm3_per_cm_s_mmHg"] * 6e9,
        "uptake": oxygen["vmax_cm3_per_cm3_s"] * 60,
        "michaelis": oxygen["km_mmHg"],
        "resistance": [[float(v) for v in row.values()] for row in rows(folder / "wall_resistance.csv")],
    }
    points = np.array([[float(v) for v in row.values()] for row in rows(folder / "tissue_points.csv")])
    return graph, given["box_um"], blood, options, points


@pytest.mark.parametrize("voxel", [12.5, 20.0])
def test_low_density_tumor_within_the_band_of_outside_solvers(cases, voxel):
    folder = cases / "vessel_tumour_lowdensity"
    graph, box, blood, options, points = load(folder)
    found = solve_tissue(graph, voxels_of(box, voxel), blood, **options)
    value = found.at(points)
    stated = yaml.safe_load((folder / "expect_statistics.yaml").read_text())
    outside = [v for k, v in stated.items() if k.startswith("po2") and "shipped" not in k]
    assert 0.9 * min(o["mean"] for o in outside) < value.mean() < 1.1 * max(o["mean"] for o in outside)
    assert min(abs(np.median(value) - o["median"]) for o in outside) < 0.4
    for limit in (2.5, 5, 10):
        share = float((value < limit).mean())
        assert (
            min(o[f"below_{limit}"] for o in outside) - 0.05 < share < max(o[f"below_{limit}"] for o in outside) + 0.05
        )
    table = rows(folder / "expect_tissue.csv")
    names = [k for k in table[0] if k.startswith("po2")]
    recorded = {k: np.array([float(row[k]) for row in table]) for k in names}
    assert max(np.corrcoef(value, v)[0, 1] for v in recorded.values()) > 0.93
    steps = np.linspace(0, 20, 2001)
    apart = [np.abs((value[:, None] < steps).mean(0) - (v[:, None] < steps).mean(0)).max() for v in recorded.values()]
    assert min(apart) <= 0.10
    blood_told = [float(row["po2_fv_closed"]) for row in rows(folder / "expect_segments.csv")]
    assert np.median(np.abs(found.oxygen - blood_told)) < 0.03
    assert found.imbalance < 1e-3


@pytest.mark.parametrize("case", ["vessel_tumour_fadu", "vessel_tumour_r3230"])
def test_measured_tumors_converge_in_the_voxel(cases, case):
    graph, box, blood, options, points = load(cases / case)
    told = []
    for voxel in (30.0, 20.0, 10.0):
        found = solve_tissue(graph, voxels_of(box, voxel), blood, **options)
        value = found.at(points)
        told.append([value.mean(), *[(value < limit).mean() for limit in (2.5, 5.0, 10.0)]])
        assert found.value.min() >= 0.0 and found.value.max() < graph.nodes["oxygen"].max()
    means, shares = np.array(told)[:, 0], np.array(told)[:, 1:]
    assert np.abs(means / means[-1] - 1.0).max() < 0.08 and abs(means[1] / means[2] - 1.0) < 0.03
    assert np.abs(shares - shares[-1]).max() < 0.03


def test_a_segment_that_is_cut_is_the_same_vessel():
    graph = network(2)
    cut, parent = divided(graph, 20.0)
    assert np.bincount(parent, cut.segments["length"]) == pytest.approx(graph.segments["length"])
    assert (cut.segments["length"] <= 20.0 + 1e-9).all()
    assert (cut.segments["flow"] == graph.segments["flow"][parent]).all()


def test_too_many_voxels_are_refused():
    with pytest.raises(OncariumError, match="take larger ones"):
        voxels_of((1000, 1000, 1000), 1.0)


def test_tissue_without_blood_has_no_oxygen():
    graph = Vessels.empty().graph
    graph.add_nodes([[0, 0, 0], [10, 0, 0]], kind=PRESSURE, oxygen=50.0)
    graph.add_segments([[0, 1]], length=10.0, flow=0.0)
    assert solve_tissue(graph, voxels_of((100, 100, 100), 20.0)).value.max() < 1e-2
    assert solve_tissue(graph, voxels_of((100, 100, 100), 20.0), uptake=0.0).value.max() == 0.0


@pytest.mark.parametrize("faster", [1e-3, 0.1, 10.0])
@pytest.mark.parametrize(("uptake", "michaelis"), [(0.0, 1.0), (1.0, 0.0), (3.0, 2.5)])
def test_any_flow_and_uptake_come_to_rest(faster, uptake, michaelis):
    graph = network(6)
    graph.segments["flow"] *= faster
    grid = voxels_of((300, 300, 300), 25.0)
    found = solve_tissue(graph, grid, uptake=0.03 * uptake, michaelis=michaelis)
    assert np.isfinite(found.value).all() and found.value.min() >= 0.0
    assert found.value.max() <= graph.nodes["oxygen"].max() and found.imbalance < 1e-3
    if uptake == 0.0:  # everything comes to what the blood brings
        assert found.value.min() > 0.9 * graph.nodes["oxygen"][:2].min()
