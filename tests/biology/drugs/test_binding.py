"""Receptors on cells: at equilibrium C / (C + Kd), in time as scipy has it, no drug lost, any step, any order."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import oncarium as oc
from helpers import shuffle
from oncarium.biology.drugs.binding import MOLECULE, Binding, Lock, Occupancy, occupied
from oncarium.biology.transport import Transport
from oncarium.engine.cells import Cells
from oncarium.engine.fields import Fields, Grid
from oncarium.engine.process import Tick
from oncarium.engine.tissue import Tissue

ON, OFF, INSIDE = 0.06, 0.03, 0.0007


def world(step=1.0, density=100.0, inside=INSIDE, n=20, c=1.0, diffusion=0.0):
    """One voxel of 100 um with cells that show a receptor, and a drug of so many nM."""
    binding = Binding(step, [Lock("drug", "surface.x", ON, OFF, inside)])
    occupancy, transport = Occupancy(step, binding), Transport(step, {"drug": "backward-euler"}, 1e-12)
    fields = Fields(Grid((0, 0, 0), (20, 20, 20), (1, 3, 3)), ["drug"], ["nM"], diffusion=[diffusion], decay=[0.0])
    fields.value[:] = c
    from oncarium.biology.surface import Behavior
    from oncarium.biology.vital import RADIUS, VITAL

    shown = Behavior("1/um^2", density, doc="receptors", name="surface.x")
    cells = Cells([*binding.columns(), shown, RADIUS, VITAL], ("a",), {"drug": ("drug",), "factor": ("drug",)})
    cells.add(0, n)
    cells.position[:] = np.random.default_rng(1).uniform(0, 60, (n, 3)) * [1, 1, 1 / 3]
    tissue = Tissue(cells, fields)
    for p in (binding, occupancy, transport):
        p.prepare(tissue)
    return tissue, (binding, transport, occupancy)


def run(tissue, processes, minutes, step):
    for k in range(round(minutes / step)):
        tissue.fields.clear_sources()
        for p in processes:
            p.step(tissue, Tick(k, k * step, step, 1))


def held(tissue, processes):
    """nM um^3 of drug: dissolved, and on receptors."""
    bound = (processes[0].receptors(tissue, 0) * tissue.cells["drug.occupancy"][:, 0]).sum() * MOLECULE
    return tissue.fields.amount("drug") + bound, bound


@pytest.mark.parametrize("c", [0.01, 0.5, 30.0])
def test_it_ends_at_c_over_c_plus_kd(c):
    share = 0.0
    for _ in range(2000):
        share = occupied(share, c, ON, OFF, 0.0, 5.0)
    assert share == pytest.approx(c / (c + OFF / ON), rel=1e-12)
    assert 0.0 <= occupied(0.0, 1e9, 1e3, OFF, 0.0, 1e6) <= 1.0


def test_against_scipy():
    """Cells in one voxel use up a scarce drug; receptors, drug and what goes inside by an independent solver."""
    step = 0.05
    tissue, processes = world(step, density=20.0, n=1, c=1.0)
    voxel = int(tissue.voxels()[0])
    m = float(processes[0].receptors(tissue, 0)[0]) * MOLECULE / tissue.fields.grid.voxel_volume

    def slope(_, y):
        taken = ON * y[0] * (1 - y[1]) - OFF * y[1]
        return [-m * taken, taken - INSIDE * y[1]]

    run(tissue, processes, 60.0, step)
    exact = solve_ivp(slope, (0, 60.0), [1.0, 0.0], method="Radau", rtol=1e-10, atol=1e-12).y[:, -1]
    assert m > 0.1, "a drug that is not scarce would show nothing"
    assert tissue.fields.value[0].reshape(-1)[voxel] == pytest.approx(exact[0], rel=3e-3)
    assert tissue.cells["drug.occupancy"][0, 0] == pytest.approx(exact[1], rel=3e-3)


@pytest.mark.parametrize("step", [0.1, 6.0, 60.0])
def test_drug_and_receptors_add_up(step):
    tissue, processes = world(step, inside=0.0, diffusion=600.0)
    before, _ = held(tissue, processes)
    run(tissue, processes, 120.0, step)
    after, bound = held(tissue, processes)
    assert after == pytest.approx(before, rel=1e-6)
    assert bound > 0.05 * before
    occupancy = tissue.cells["drug.occupancy"]
    assert ((occupancy >= 0.0) & (occupancy <= 1.0)).all()


def test_half_the_step_changes_little():
    seen = []
    for step in (2.0, 1.0, 0.5):
        tissue, processes = world(step, density=1.0, n=3)
        run(tissue, processes, 10.0, step)
        seen.append(tissue.cells["drug.occupancy"].mean())
    assert abs(seen[1] - seen[2]) < 0.6 * abs(seen[0] - seen[1]), "first order"
    assert abs(seen[1] - seen[2]) < 0.02 * seen[2]


def test_the_order_of_rows_changes_nothing():
    a, processes = world(diffusion=600.0, n=60)
    b, others = world(diffusion=600.0, n=60)
    shuffle(b)
    run(a, processes, 30.0, 1.0)
    run(b, others, 30.0, 1.0)
    assert np.array_equal(a.fields.value, b.fields.value)
    assert np.array_equal(a.cells["drug.occupancy"][a.cells.order()], b.cells["drug.occupancy"][b.cells.order()])


MODEL = """
domain: {x: [-60 um, 60 um], y: [-60 um, 60 um], voxel: 20 um}
until: 9 day
clock: {transport: 6 min, mechanics: 6 min}
factors: {il2: {unit: nM, diffusion: 1000 um^2/min, decay: 0.01 1/min, boundary: 0.1 nM}}
cells:
  killer: {death: {apoptosis: 0 1/min}, surface: {pd1: 100 1/um^2}, varies: {surface.pd1: 0.7}}
  fresh: {death: {apoptosis: 0 1/min}, surface: {pd1: 100 1/um^2}, exhaustion: {rise: 0 1/min}, rules: [EXTRA]}
  other: {death: {apoptosis: 0 1/min}}
initial:
  - {cells: killer, disc: {radius: 50 um}, count: 30}
  - {cells: fresh, disc: {radius: 50 um}, count: 4}
therapy:
  drugs:
    blocker:
      class: antibody
      factor: {unit: nM, diffusion: 800 um^2/min, mass: 149 kDa}
      plasma: {human: {central: 3 L, clearance: 0 L/d}}
      binds: {surface.pd1: {affinity: 3 nM, on: 0.06 1/nM/min}}
      effects: {"*": ["blocker.binding decreases surface.pd1 to 0 1/um^2, half 1, hill 1"]}
  doses: ["blocker 18 nmol on day 1"]
"""


def model(extra='"il2 increases exhaustion.rise to 0 1/min, half 1 nM"'):
    return oc.Model.from_text(MODEL.replace("EXTRA", extra))


def test_what_is_shown_is_what_is_free():
    """6 nM in plasma, Kd 3 nM: two thirds are occupied, whatever number of receptors a cell has."""
    simulation = oc.Simulation(model(), seed=1)
    before = simulation.tissue.cells["surface.pd1"].copy()
    simulation.run("12 h")
    before = simulation.tissue.cells["surface.pd1"].copy()
    simulation.run("4 day")
    cells = simulation.tissue.cells
    free = cells["surface.pd1"][cells["surface.pd1"] > 0.0] / before[before > 0.0]
    assert np.allclose(free, 1.0 / 3.0, rtol=1e-3)
    assert before[before > 0].std() > 20.0, "numbers differ between cells"
    assert simulation.tissue.plasma.summary()["occupancy.blocker.killer"][0] == pytest.approx(2.0 / 3.0, rel=1e-3)
    assert math.isnan(simulation.tissue.plasma.summary()["occupancy.blocker.other"][0])
    receptors = next(p for p in simulation.plan.processes if isinstance(p, Binding)).receptors(simulation.tissue, 0)
    area = 4.0 * math.pi * cells["radius"] ** 2
    assert np.allclose(receptors, before * area, rtol=1e-6), "free and occupied ones together"


def test_a_cell_that_does_not_follow_keeps_its_receptors():
    rule = '"il2 decreases drug.response.blocker to 0, half 0.000001 nM, hill 1"'
    simulation = oc.Simulation(model(rule), seed=1)
    simulation.run("3 day")
    cells = simulation.tissue.cells
    fresh = cells.type == cells.types.index("fresh")
    assert np.allclose(cells["surface.pd1"][fresh], 100.0, rtol=1e-3), "bound, and not heard"
    assert np.allclose(cells["drug.occupancy"][fresh], 2.0 / 3.0, rtol=2e-3)
