"""Small models in PhysiCell's numerics against what its version 1.14.2
wrote for the same settings (recorded; no draw decides anything)."""

import numpy as np
import pytest

from oncarium.model.model import Model
from oncarium.run.simulation import Simulation

WORLD = """
title: Recorded
numerics: physicell
domain: {x: [-200 um, 200 um], y: [-200 um, 200 um], thickness: 20 um, voxel: 20 um}
clock: {transport: 0.01 min, mechanics: 0.1 min, phenotype: 6 min}
record: {cells: 3 min, fields: 3 min}
factors:
  oxygen: {unit: "1", diffusion: 1e5 um^2/min, decay: 0.1 1/min, initial: 38}
"""


def simulation(text: str) -> Simulation:
    return Simulation(Model.from_text(WORLD + text), seed=1, threads=1)


def test_fixed_phases_that_are_no_whole_number_of_steps():
    """45, 15, 27 and 9 min at steps of 6 min: ties of half a step fall as the rounding of the summed time decides. The
    first daughter has the number 2: one number was given to the cell in the legend of the program's pictures."""
    s = simulation(
        """
cells:
  a:
    cycle: {model: flow_cytometry_separated, duration: {G0G1: 45 min, S: 15 min, G2: 27 min, M: 9 min}, fixed: true}
    death: {apoptosis: 0 1/min}
initial:
  - {cells: a, count: 1, disc: {center: [0 um, 0 um], radius: 1 um}}
"""
    )
    seen = {}
    for time in range(0, 241, 3):
        s.run(float(time))
        ids = tuple(sorted(s.tissue.cells.id.tolist()))
        seen.setdefault(ids, time)
    assert seen == {(0,): 0, (0, 2): 87, (0, 2, 3, 4): 189}


ATTACK = """
cells:
  tumor:
    cycle: {model: live, exit: 0 1/min}
    death: {apoptosis: 0 1/min}
  killer:
    cycle: {model: live, exit: 0 1/min}
    death: {apoptosis: 0 1/min}
    attack: {rate: {tumor: 100 1/min}, damage_rate: 0.7 1/min, duration: 1e9 min}
initial:
  - {cells: tumor, count: 1, disc: {center: [0 um, 0 um], radius: 1 um}}
  - {cells: killer, count: 1, disc: {center: [0 um, 0 um], radius: 1 um}}
"""


def test_an_attack_holds_its_target():
    s = simulation(ATTACK)
    s.tissue.cells.position[:] = [[-11.0, -5.0, 0.0], [1.0, -2.0, 0.0]]
    recorded = {
        0.1: -11.092197205726647,
        0.2: -11.127292217091014,
        0.3: -11.168086281947557,
        0.4: -11.2063837384012,
        1.0: -11.397287861075167,
    }
    for time, x in recorded.items():
        s.run(time)
        assert s.tissue.cells.position[0, 0] == pytest.approx(x, rel=1e-12)
        assert s.tissue.cells["damage.level"][0] == pytest.approx(0.7 * time, rel=1e-12)
    assert np.array_equal(s.tissue.cells["attack.target"], [-1, 0])
