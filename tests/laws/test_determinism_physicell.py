"""PhysiCell's numerics with all mechanisms together: neither
threads nor the order in memory nor a restart change a bit."""

import numpy as np
import pytest

from helpers import shuffle
from oncarium.model.model import Model
from oncarium.run.simulation import Simulation

WORLD = """
title: Everything at once
numerics: physicell
internalise: true
domain: {x: [-200 um, 200 um], y: [-200 um, 200 um], thickness: 20 um, voxel: 20 um}
clock: {transport: 0.02 min, mechanics: 0.1 min, phenotype: 2 min}
record: {cells: 2 min, fields: 2 min}
until: 20 min
factors:
  oxygen: {unit: mmHg, diffusion: 1e4 um^2/min, decay: 0.1 1/min, initial: 38 mmHg}
  signal: {unit: "1", diffusion: 1e3 um^2/min, decay: 0.1 1/min, initial: 0}
cells:
  tumor:
    cycle: {model: live, exit: 0.02 1/min}
    death: {apoptosis: 0.01 1/min, necrosis: 0.01 1/min}
    apoptosis: {duration: 6 min}
    secretion: {uptake: {oxygen: 10 1/min}, approach: {signal: 1 1/min}, target: {signal: 5}, released: {oxygen: 0.5}}
    transformation: {rate: {eater: 0.01 1/min}}
    division: {asymmetric: {killer: 0.3}}
    springs: {attachment: 0.1 1/min, detachment: 0.05 1/min}
    rules:
      - contact with killer increases death.apoptosis to 0.1 1/min, half 1
      - gradient of oxygen increases secretion.uptake.oxygen to 20 1/min, half 0.01 mmHg/um
      - pressure decreases cycle.exit.live to 0 1/min, half 1
  killer:
    motility: {speed: 2 um/min, persistence: 1 min, bias: 0.5, cue: {signal: 1}, advanced: 0}
    attack: {rate: {tumor: 0.5 1/min}, duration: 2 min}
    fusion: {rate: {killer: 0.02 1/min}}
  eater:
    motility: {speed: 1 um/min, persistence: 1 min, bias: 0.3, sensitivity: {signal: 1}}
    phagocytosis: {apoptotic: 1 1/min, necrotic: 1 1/min, live: {tumor: 0.01 1/min}}
    mechanics: {wall: 100 um/min}
initial:
  - {cells: tumor, count: 300, disc: {center: [0 um, 0 um], radius: 190 um}}
  - {cells: killer, count: 100, disc: {center: [0 um, 0 um], radius: 190 um}}
  - {cells: eater, count: 100, everywhere: }
"""


def world(threads: int = 1, order: int | None = None) -> Simulation:
    simulation = Simulation(Model.from_text(WORLD), seed=3, threads=threads)
    if order is not None:
        shuffle(simulation.tissue, order)
    return simulation


@pytest.fixture(scope="module")
def reference() -> str:
    simulation = world()
    simulation.run(20.0)
    events = simulation.tissue.population.drain()
    count = {
        name: int(np.count_nonzero(events["kind"] == k)) for k, name in enumerate(simulation.tissue.population.kinds)
    }
    for name in ("division", "removal", "apoptosis", "necrosis", "phagocytosis", "attack", "transformation", "fusion"):
        assert count[name] > 0, f"no {name}: {count}"
    cells = simulation.tissue.cells
    assert len(np.unique(cells.id)) == cells.n and (cells["springs.partner"] >= 0).any()
    for i, j in zip(*np.nonzero(cells["springs.partner"] >= 0)):
        other = cells.rows_of(cells["springs.partner"][i, j])
        assert other >= 0 and cells.id[i] in cells["springs.partner"][other], (
            "attachments are held by both, and nobody holds who is gone"
        )
    return simulation.digest()


@pytest.mark.parametrize("order", [1, 2])
def test_the_order_of_rows_does_not_matter(reference, order):
    simulation = world(order=order)
    simulation.run(20.0)
    assert simulation.digest() == reference


@pytest.mark.parametrize("threads", [2, 4])
def test_any_number_of_threads_gives_the_same_bytes(reference, monkeypatch, threads):
    monkeypatch.setattr("oncarium.engine.threads.PARALLEL_FROM", 10)
    simulation = world(threads)
    simulation.run(20.0)
    assert simulation.digest() == reference


@pytest.mark.parametrize("minutes", [3.1, 8.0])
def test_a_restart_goes_on_bit_by_bit(reference, minutes):
    simulation = world()
    simulation.run(minutes)
    other = world()
    other.restore(simulation.state())
    other.run(20.0)
    assert other.digest() == reference
