"""Before time 0, blood and tissue come into balance with each other."""

import oncarium as oc
from oncarium.biology.vessels.exchange import VesselExchange
from oncarium.engine.process import Tick

MODEL = """
name: Columns
domain: {x: [0 um, 300 um], y: [0 um, 300 um], thickness: 20 um, voxel: 20 um}
factors:
  oxygen: {unit: mmHg, diffusion: 120000 um^2/min, decay: 10 1/min, initial: 20 mmHg}
vessels:
  columns: {density: 90 1/mm^2 assumed}
cells: {tumor: {}}
initial: [{cells: tumor, disc: {center: [150 um, 150 um], radius: 60 um}, count: 5}]
start: steady
"""


def test_blood_and_tissue_agree_at_time_0():
    simulation = oc.Simulation(oc.Model.from_text(MODEL), 1)
    exchange = next(p for p in simulation.plan.processes if isinstance(p, VesselExchange))
    oxygen = simulation.tissue.fields.value[0].copy()
    assert 1.0 < oxygen.min() < oxygen.max() < 40.0 and oxygen.std() > 1.0
    exchange.step(simulation.tissue, Tick(0, 0.0, 1.0, 1))
    assert exchange.imbalance < 2e-3
