"""Two arms of an experiment differ by what is changed, and by nothing else: a cell draws by how it came to be."""

import numpy as np
import pytest

from oncarium.model.model import Model
from oncarium.run.simulation import Simulation

WORLD = """
oncarium: 1
title: Walkers far from a change
domain: {x: [-300 um, 300 um], y: [-100 um, 100 um], voxel: 20 um}
until: 6 h
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min assumed, decay: 0.1 1/min assumed, boundary: 38 mmHg assumed}
cells:
  tumor:
    cycle: {model: live, exit: 0.2 1/h assumed}
  walker:
    motility: {speed: 2 um/min assumed, persistence: 12 min assumed}
initial:
  - {cells: tumor, disc: {center: [-250 um, 0 um], radius: 40 um}, count: 1}
  - {cells: tumor, disc: {center: [-250 um, 0 um], radius: 40 um}, count: 10}
  - {cells: walker, disc: {center: [150 um, 0 um], radius: 60 um}, count: 8}
"""


def walks(changes, seed=1, until="4 h"):
    """Positions of the walkers, in their order, and how many cells there are."""
    simulation = Simulation(Model.from_text(WORLD).with_(changes), seed=seed)
    simulation.run(until)
    cells = simulation.tissue.cells
    rows = np.flatnonzero(cells.type == 1)
    return cells.position[rows[np.argsort(cells.id[rows])]], cells.n


@pytest.mark.parametrize(
    "change", [{"initial.0.count": "20"}, {"initial.1.count": 0}, {"cells.tumor.cycle.exit": "0.8 1/h"}]
)
def test_walkers_far_from_a_change_walk_as_without_it(change):
    here, few = walks({})
    there, many = walks(change)
    assert few != many
    # steps of mechanics are everybody's, so paths agree to its tolerance (0.03 um/min), not to the last digit
    assert np.abs(here - there).max() < 2.0
    other, _ = walks({}, seed=2)
    assert np.abs(here - other).max() > 50.0, "walks are chance otherwise"


def test_cells_of_a_placement_begin_where_they_did():
    for changes in ({"initial.0.count": "20"}, {"initial.2.count": 5}):
        before, after = (Simulation(Model.from_text(WORLD).with_(c), seed=3).tissue.cells for c in ({}, changes))
        a, b = (c.position[c.type == 1] for c in (before, after))
        assert np.array_equal(a[: len(b)], b)


def test_a_birth_elsewhere_moves_nobody_s_division():
    """Divisions of tumor cells, by their mothers' keys, with and without twenty more cells."""
    found = []
    for count in ("1", "20"):
        simulation = Simulation(Model.from_text(WORLD).with_({"initial.0.count": count}), seed=5)
        second = simulation.tissue.cells.key[simulation.tissue.cells.type == 0][int(count) :].copy()
        simulation.run("3 h")
        keys = set(simulation.tissue.cells.key.tolist())
        found.append([int(k) for k in second if int(k) in keys])  # of the second placement: have not divided yet
    assert found[0] == found[1] and 0 < len(found[0]) < 10
