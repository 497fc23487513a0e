"""Interstitial fluid: its pressure against closed forms, its balance, and what it does to what is dissolved."""

import csv
import math

import numpy as np
import pytest
import yaml

import oncarium as oc
from oncarium.biology.fluid.lymph import Lymph
from oncarium.biology.fluid.pressure import (
    CONDUCTIVITY,
    DRAINAGE,
    FILTRATION,
    FluidPressure,
    face_velocities,
    leaving,
    missing_tumor,
    steady,
)
from oncarium.biology.fluid.state import Fluid
from oncarium.biology.matrix.state import Matrix
from oncarium.biology.transport import Transport
from oncarium.biology.vessels.exchange import Passage, VesselExchange
from oncarium.biology.vessels.state import PRESSURE, Vessels
from oncarium.engine.cells import Cells
from oncarium.engine.fields import Fields, Grid
from oncarium.engine.process import Tick
from oncarium.engine.tissue import Tissue

CLOSED = np.zeros(6)
WALL = FILTRATION * 0.02  # 1/min/mmHg: 200 cm of wall per cm^3
EFFECTIVE = 11.5
LENGTH = math.sqrt(CONDUCTIVITY / WALL)


def even(shape, value):
    return np.full(shape, float(value))


def pressed(shape, h, conductance=CLOSED, outside=CLOSED, conductivity=CONDUCTIVITY):
    p, k = np.zeros(shape), even(shape, conductivity)
    steady(p, (h, h, h), k, even(shape, WALL * EFFECTIVE), even(shape, WALL), conductance, outside)
    return p, k


def table(path):
    return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(path.open())]


def test_reference_values_are_those_of_the_tumor():
    assert LENGTH == pytest.approx(271.57, abs=0.01)


def test_two_voxels_by_hand(cases):
    folder = cases / "vessel_ifp"
    told = yaml.safe_load((folder / "expect_two_voxels.yaml").read_text())
    given = yaml.safe_load((folder / "parameters.yaml").read_text())
    tumor, normal = given["tumour"], given["normal"]
    wall = [t["Lp_cm_mmHg_s"] * t["S_over_V_per_cm"] * 60 for t in (tumor, normal)]
    drain = normal["lymph_per_mmHg_s"] * 60
    k = np.array([[[t["K_cm2_mmHg_s"] * 6e9 for t in (tumor, normal)]]])
    source = np.array([[[wall[0] * 11.5, wall[1] * 6.5]]])
    p = np.zeros((1, 1, 2))
    steady(p, (100.0,) * 3, k, source, np.array([[[wall[0], wall[1] + drain]]]), CLOSED, CLOSED)
    assert p[0, 0] == pytest.approx([told["ifp_tumour_mmHg"], told["ifp_normal_mmHg"]], rel=1e-10)
    u = face_velocities(p, (100.0,) * 3, k, CLOSED, CLOSED)[0][0, 0]
    assert u[1] / 60 == pytest.approx(told["face_velocity_um_s"], rel=1e-9) and u[0] == u[2] == 0.0
    assert (source - np.array(wall) * p)[0, 0, 0] / 60 == pytest.approx(told["filtration_tumour_per_s"], rel=1e-9)


@pytest.mark.parametrize("half_width", [500.0, 2000.0])
def test_slab(cases, half_width):
    h = 20.0
    n = round(2 * half_width / h)
    p, _ = pressed((1, 1, n), h, np.array([np.inf, np.inf, 0, 0, 0, 0]))
    x = (np.arange(n) + 0.5) * h - half_width
    for row in table(cases / "vessel_ifp" / "expect_slab.csv"):
        if row["half_width_mm"] * 1000 == half_width and row["x_over_w"] < 1.0:
            got = np.interp(row["x_over_w"] * half_width, x, p[0, 0])
            assert got == pytest.approx(row["ifp_mmHg"], abs=0.01 * EFFECTIVE)


@pytest.mark.parametrize("radius", [500.0, 1000.0])
def test_isolated_sphere(cases, radius):
    """An eighth of it, closed by symmetry; what lies outside is held at 0 by a sink."""
    h = radius / 50
    n = round(radius / h) + 2
    c = (np.arange(n) + 0.5) * h
    r = np.sqrt(c[:, None, None] ** 2 + c[:, None] ** 2 + c**2)
    out = r > radius - 0.25 * h  # the first centers outside lie on the surface, but for half a step
    p = np.zeros((n, n, n))
    sink = np.where(out, 1e9, WALL)
    steady(p, (h,) * 3, even(p.shape, CONDUCTIVITY), np.where(out, 0.0, WALL * EFFECTIVE), sink, CLOSED, CLOSED)
    flat_r, flat_p = r.ravel(), p.ravel()
    for row in table(cases / "vessel_ifp" / "expect_sphere.csv"):
        if row["radius_mm"] * 1000 == radius and row["r_over_R"] < 0.93:
            near = np.abs(flat_r - max(row["r_over_R"] * radius, 0.9 * h)) < 0.6 * h
            a = row["alpha"]
            s = np.maximum(flat_r[near] / radius, 1e-9)
            exact = EFFECTIVE * (1 - np.sinh(a * s) / (s * math.sinh(a)))
            assert np.abs(flat_p[near] - exact).max() < 0.01 * EFFECTIVE
            if row["r_over_R"] > 0:
                assert exact.min() - 0.3 < row["ifp_mmHg"] < exact.max() + 0.3


def test_tumor_in_normal_tissue(cases):
    given = yaml.safe_load((cases / "vessel_ifp" / "parameters.yaml").read_text())
    normal, h, n = given["normal"], 20.0, 300
    x = (np.arange(n) + 0.5) * h
    inside = x < 1000.0
    wall = normal["Lp_cm_mmHg_s"] * normal["S_over_V_per_cm"] * 60
    drain = normal["lymph_per_mmHg_s"] * 60
    k = np.where(inside, CONDUCTIVITY, normal["K_cm2_mmHg_s"] * 6e9)[None, None]
    source = np.where(inside, WALL * EFFECTIVE, wall * normal["effective_pressure_mmHg"])[None, None]
    sink = np.where(inside, WALL, wall + drain)[None, None]
    p = np.zeros((1, 1, n))
    steady(p, (h,) * 3, k, source, sink, CLOSED, CLOSED)
    for row in table(cases / "vessel_ifp" / "expect_tumour_in_normal.csv"):
        if row["x_mm"] != 1.0:
            assert np.interp(row["x_mm"] * 1000, x, p[0, 0]) == pytest.approx(row["ifp_mmHg"], abs=0.01 * EFFECTIVE)


def test_a_patch_with_the_missing_tumor_behind_its_faces_is_the_middle_of_the_slab():
    h, half = 20.0, 2000.0
    whole, _ = pressed((1, 1, 200), h, np.array([np.inf, np.inf, 0, 0, 0, 0]))
    # 1 mm of it, 400 um beside the margin
    conductance, outside = np.zeros(6), np.zeros(6)
    for face, depth in ((0, 400.0), (1, 2 * half - 1400.0)):
        conductance[face], outside[face] = missing_tumor(depth, EFFECTIVE, LENGTH)
    # beyond the middle the slab ends again; its far margin is many decay lengths away
    patch, _ = pressed((1, 1, 50), h, conductance, outside)
    assert patch[0, 0] == pytest.approx(whole[0, 0, 20:70], abs=0.002 * EFFECTIVE)
    closed, _ = pressed((1, 1, 50), h)
    assert closed[0, 0] == pytest.approx(EFFECTIVE)  # closed walls: the plateau everywhere


def test_deep_tumor_is_a_closed_wall():
    conductance, outside = missing_tumor(1e5, EFFECTIVE)
    assert outside == pytest.approx(EFFECTIVE) and conductance == pytest.approx(CONDUCTIVITY / 271.6)


@pytest.mark.parametrize("shape", [(1, 30, 40), (6, 9, 11)])
def test_filtration_is_drainage_and_outflow(shape):
    rng = np.random.default_rng(1)
    k = CONDUCTIVITY * rng.uniform(0.01, 1.0, shape)
    wall, drain = WALL * rng.uniform(0, 2, shape), DRAINAGE * rng.integers(0, 2, shape)
    conductance, outside = np.array([0.4, 0, 0, 0.1, 0, 0]), np.array([2.0, 0, 0, -1.0, 0, 0])
    p, spacing = np.zeros(shape), (20.0, 25.0, 30.0)
    steady(p, spacing, k, wall * EFFECTIVE, wall + drain, conductance, outside)
    u = face_velocities(p, spacing, k, conductance, outside)
    spread = sum(np.diff(u[a], axis=2 - a) / spacing[a] for a in range(3))
    filtered, drained = wall * (EFFECTIVE - p), drain * p
    assert spread == pytest.approx(filtered - drained, abs=1e-9 * filtered.sum())
    gone = leaving(u, spacing, np.ones(6, bool)).sum()
    came = leaving(tuple(-v for v in u), spacing, np.ones(6, bool)).sum()
    assert filtered.sum() == pytest.approx(drained.sum() + gone - came, rel=1e-10)


# -- the mechanism --------------------------------------------------------------------------------------------------


def tissue_of(shape=(1, 20, 20), matrix=None, faces=None, lymph=1.0, flow=None, pressure=20.0):
    grid = Grid((0, 0, -10), (20, 20, 20), shape)
    rng = np.random.default_rng(5)
    vessels = Vessels.empty()
    for x, y in rng.random((20, 2)) * 400:
        ends = vessels.graph.add_nodes([[x, y, -200], [x, y, 200]], kind=PRESSURE, pressure=pressure)
        vessels.graph.add_segments([ends], length=400.0, radius=5.0, flow=1.0, permeability=1.0)
    fields = Fields(grid, ["oxygen", "protein"], diffusion=[1e5, 3e3], decay=[0.0, 0.0], initial=[30.0, 1.0])
    fields.convection[1] = 1.0
    fluid = Fluid(grid)
    fluid.lymph[:] = lymph
    tissue = Tissue(Cells([], ("tumor",), {}), fields, matrix=matrix, vessels=vessels, fluid=fluid)
    process = FluidPressure(60.0, faces=faces)
    lymphatic = Lymph(1.0, flow)
    for p in (process, lymphatic):
        p.prepare(tissue)
    return tissue, process, lymphatic


def carry(tissue, lymphatic, minutes, exchange=None):
    solve = Transport(1.0, {"protein": "backward-euler", "oxygen": "backward-euler"}, 1e-12)
    solve.prepare(tissue)
    for n in range(minutes):
        tissue.fields.clear_sources()
        tick = Tick(n, float(n), 1.0, 1)
        if exchange:
            exchange.step(tissue, tick)
        lymphatic.step(tissue, tick)
        solve.step(tissue, tick)
    lymphatic._count(tissue, np.array([1]))  # what the last step took
    lymphatic.minutes = 0.0


def test_walls_press_out_what_lymph_takes():
    tissue, process, _ = tissue_of()
    fluid = tissue.fluid
    assert fluid.filtration.sum() == pytest.approx(fluid.drained.sum(), rel=1e-9)
    surface = 20 * 2 * math.pi * 5.0 * 20.0
    source, sink = process.walls(tissue)
    assert sink.sum() * tissue.fields.grid.voxel_volume == pytest.approx(FILTRATION * surface)
    assert source == pytest.approx(sink * (20.0 - 4.1))
    assert 0.0 < fluid.pressure.min() and fluid.pressure.max() < 15.9


def test_only_perfused_vessels_press():
    tissue, process, _ = tissue_of()
    tissue.vessels.graph.segments["flow"][:] = 0.0
    process.step(tissue, Tick(0, 0.0, 60.0, 1))
    assert not tissue.fluid.pressure.any() and tissue.fields.velocity is None


def test_dense_matrix_and_hyaluronan_hold_the_fluid_back():
    faces = {"xmin": (1e3, 0.0)}
    free, *_ = tissue_of(faces=faces, lymph=0.0)
    matrix = Matrix(free.fields.grid)
    matrix.density[:], matrix.hyaluronan[:] = 0.5, 1.0
    dense, process, _ = tissue_of(faces=faces, lymph=0.0, matrix=matrix)
    assert process.conductivities(dense) == pytest.approx(CONDUCTIVITY * 0.25 / 4.0)
    assert dense.fluid.pressure.mean() > free.fluid.pressure.mean() + 1.0
    matrix.density[:] = 1.4
    assert process.conductivities(dense) == pytest.approx(0.01 * CONDUCTIVITY)


def test_lymph_gives_nothing_back():
    tissue, *_ = tissue_of(faces={"xmin": (1e3, -8.0)})
    assert tissue.fluid.pressure.min() < 0.0
    assert (tissue.fluid.drained >= 0.0).all()
    assert (tissue.fluid.drained[tissue.fluid.pressure < 0] == 0.0).all()


@pytest.mark.parametrize("faces", [None, {"xmin": (0.5, 2.0), "ymax": (1.0, 0.0)}])
def test_protein_goes_where_the_fluid_goes_and_nothing_is_lost(faces):
    tissue, _, lymphatic = tissue_of(faces=faces)
    tissue.fields.value[1] = np.random.default_rng(2).random(tissue.fields.grid.shape)
    before = tissue.fields.amount("protein")
    carry(tissue, lymphatic, 400)
    after = tissue.fields.amount("protein")
    assert after + lymphatic.taken[1] + lymphatic.left[1] == pytest.approx(before, rel=1e-9)
    assert lymphatic.taken[1] > 0.05 * before and (lymphatic.left[1] > 0.0) == (faces is not None)
    assert lymphatic.taken[0] == lymphatic.left[0] == 0.0  # a gas is not carried


def test_sinks_of_the_fluid_do_not_gather_what_is_dissolved():
    """All vessels on one side, all lymph on the other: the steady level of a protein that enters with the fluid is
    the blood's, at the lymph too."""
    tissue, process, lymphatic = tissue_of()
    tissue.vessels.graph.position[:, 0] *= 0.4
    tissue.fluid.lymph[..., :12] = 0.0
    process.step(tissue, Tick(0, 0.0, 60.0, 1))
    exchange = VesselExchange(1.0, {"protein": Passage(2.0, 0.0, 0.0)})
    exchange.prepare(tissue)
    tissue.fields.value[1] = 2.0
    carry(tissue, lymphatic, 300, exchange)
    assert tissue.fields.value[1] == pytest.approx(2.0, rel=1e-6)


def test_lymph_by_hand():
    tissue, _, lymphatic = tissue_of(flow=0.0015)
    tissue.fields.velocity = None
    tissue.fluid.stress[..., :10] = 0.5
    tissue.fluid.stress[..., 10:] = 0.0
    lymphatic.step(tissue, Tick(0, 0.0, 1.0, 1))
    assert tissue.fluid.open[0, 0, [0, 19]].tolist() == [0.5, 1.0]
    assert tissue.fields.demand[1][0, 0, [0, 19]] == pytest.approx([0.00075, 0.0015])
    assert not tissue.fields.demand[0].any()
    tissue.fluid.stress[:] = 50.0
    lymphatic.step(tissue, Tick(1, 1.0, 1.0, 1))
    assert tissue.fluid.open.max() < 1.1e-4


def test_lymph_vessels_release_ccl21_open_or_not():
    grid = Grid((0, 0, -10), (20, 20, 20), (1, 4, 5))
    fields, fluid = Fields(grid, ["ccl21"], diffusion=[1e3], decay=[0.0]), Fluid(grid)
    fluid.lymph[..., :2], fluid.stress[:] = 0.5, 10.0
    tissue, process = Tissue(Cells([], ("tumor",), {}), fields, fluid=fluid), Lymph(1.0)
    process.prepare(tissue)
    process.step(tissue, Tick(0, 0.0, 1.0, 1))
    told = 50 / 0.602214076 * 3e-6 * 0.5  # molecules/min, nM um^3 per molecule, cells per um^3
    assert fields.supply[0, 0, 0] == pytest.approx([told, told, 0, 0, 0])


DRAINED = """
domain: {x: [0 um, 200 um], y: [0 um, 200 um], voxel: 20 um}
clock: {transport: 6 min, mechanics: 6 min, phenotype: 6 min}
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min assumed, decay: 0 1/min, initial: 40 mmHg assumed}
  il6: {unit: nM, diffusion: 1000 um^2/min assumed, decay: 0 1/min, initial: 1 nM assumed, mass: 21 kDa}
  odd: {unit: nM, diffusion: 1000 um^2/min assumed, decay: 0 1/min, initial: 1 nM assumed}
cells: {tumor: {death: {apoptosis: 0 1/min}}}
fluid: {lymph: {density: 1}, drainage: {}}
initial: [{cells: tumor, disc: {center: [100 um, 100 um], radius: 30 um}, count: 2}]
"""


def test_lymph_alone_washes_proteins_out():
    simulation = oc.Simulation(oc.Model.from_text(DRAINED), seed=1)
    simulation.run("10 h")
    oxygen, il6, odd = simulation.tissue.fields.value.mean(axis=(1, 2, 3))
    assert il6 == pytest.approx(math.exp(-0.0015 * 600), rel=1e-3)
    assert odd == pytest.approx(1.0) and oxygen == pytest.approx(40.0)


def test_half_the_step_and_a_restart_give_the_same():
    one, _, first = tissue_of()
    two, _, second = tissue_of()
    carry(one, first, 20)
    carry(two, second, 10)
    state = second.state()
    again, _, third = tissue_of()
    for name, part in two.members().items():
        if name != "cells":
            getattr(again, name).restore({k: v.copy() for k, v in part.arrays().items()})
    third.restore(state)
    carry(again, third, 10)
    assert one.fields.value == pytest.approx(again.fields.value, rel=1e-12)
    assert third.taken[1] == pytest.approx(first.taken[1], rel=1e-9)


def test_same_bytes_again():
    one, *_ = tissue_of(faces={"xmin": (0.5, 2.0)})
    two, *_ = tissue_of(faces={"xmin": (0.5, 2.0)})
    assert one.fluid.pressure.tobytes() == two.fluid.pressure.tobytes()
