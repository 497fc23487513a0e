"""Scores: by hand, against steps of Euler's rule, between 0 and 1,
exact for any step, same bytes; and driven by rules of a model."""

import math

import numpy as np
import pytest

import oncarium as oc
from helpers import add_cells, fire, shuffle, tissue_of
from oncarium.biology.order import MECHANISMS
from oncarium.biology.polarization import Polarization
from oncarium.biology.score import Score, relax

SCORES = [m for m in MECHANISMS if isinstance(m, type) and issubclass(m, Score)]


def world(n=200, seed=1):
    score, rng = Polarization(6.0), np.random.default_rng(seed)
    tissue = tissue_of([score])
    add_cells(tissue, rng.uniform(-50, 50, (n, 3)))
    for name in ("level", "rise", "fall"):
        tissue.cells[f"polarization.{name}"][:] = rng.random(n) * (1.0 if name == "level" else 0.05)
    return score, tissue


def test_by_hand():
    level, rise, fall = np.array([0.0, 0.5, 1.0, 0.3]), np.array([0.1, 0.0, 0.2, 0.1]), np.array([0.1, 0.0, 0.6, 0.1])
    relax(0, 4, 5.0, np.array([0, 0, 0, 1], np.uint8), level, rise, fall)
    assert level[0] == pytest.approx(0.5 * (1 - math.exp(-1.0))) and level[1] == 0.5
    assert level[2] == pytest.approx(0.25 + 0.75 * math.exp(-4.0)) and level[3] == 0.3  # the dead keep theirs


def test_agrees_with_many_small_steps():
    score, tissue = world()
    level, rise, fall = (tissue.cells[f"polarization.{k}"].copy() for k in ("level", "rise", "fall"))
    for _ in range(60_000):
        level += 1e-4 * (rise * (1 - level) - fall * level)
    fire(score, tissue, dt=6.0)
    np.testing.assert_allclose(tissue.cells["polarization.level"], level, atol=1e-6)


def test_stays_a_share_and_is_exact_for_any_step():
    one, many = world(), world()
    fire(*one, dt=1e6)
    assert ((one[1].cells["polarization.level"] >= 0) & (one[1].cells["polarization.level"] <= 1)).all()
    one = world()
    fire(*one, dt=60.0)
    fire(*many, 60, dt=1.0)
    np.testing.assert_allclose(one[1].cells["polarization.level"], many[1].cells["polarization.level"], rtol=1e-12)


def test_threads_and_order_do_not_matter(monkeypatch):
    monkeypatch.setattr("oncarium.engine.threads.PARALLEL_FROM", 10)
    found = set()
    for threads, order in ((1, None), (2, 1), (4, 2)):
        score, tissue = world()
        score.threads = threads
        if order:
            shuffle(tissue, order)
        fire(score, tissue, 5, dt=6.0)
        found.add(tissue.digest())
    assert len(found) == 1


MODEL = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min assumed, decay: 0.1 1/min assumed, boundary: OUTSIDE mmHg assumed}
cells:
  tumor:
    hypoxia: {rise: 0.0166666666666667 1/min assumed, fall: 0 1/min}
    rules:
      - oxygen decreases hypoxia.rise to 0 1/min, half 11 mmHg, hill 2 assumed
      - oxygen increases hypoxia.fall to 0.0166666666666667 1/min, half 11 mmHg, hill 2 assumed
      - hypoxia.level increases motility.speed to 2 um/min, half 0.5, hill 1 assumed
initial: [{cells: tumor, disc: {radius: 50 um}, count: 10}]
"""


@pytest.mark.parametrize("outside", [4.0, 11.0, 60.0])
def test_rules_drive_it_and_it_drives_rules(outside):
    """HIF follows 1 / (1 + (oxygen / 11 mmHg)^2); without its rules nothing follows from hypoxia."""
    model = oc.Model.from_text(MODEL.replace("OUTSIDE", str(outside)))
    simulation = oc.Simulation(model, seed=1)
    simulation.run("1 day")
    cells = simulation.tissue.cells
    expected = 1.0 / (1.0 + (cells["sense.factor"][:, 0] / 11.0) ** 2)
    np.testing.assert_allclose(cells["hypoxia.level"], expected, rtol=1e-3)
    np.testing.assert_allclose(cells["motility.speed"], 2.0 * expected / (0.5 + expected), rtol=1e-3)
    off = oc.Simulation(model.with_({"cells.tumor.hypoxia.rise": 0, "cells.tumor.rules": []}), seed=1)
    off.run("1 day")
    assert (off.tissue.cells["hypoxia.level"] == 0.0).all()


def test_a_score_that_no_model_speaks_of_costs_nothing():
    columns = oc.Simulation(oc.load("hypoxic_tumor")).tissue.cells.columns
    assert not [name for name in columns if name.partition(".")[0] in {s.section for s in SCORES}]
