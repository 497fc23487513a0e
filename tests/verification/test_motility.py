"""Random walks against closed forms: mean squared displacement, drift of a biased walk."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from helpers import add_cells, run, tissue_of
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.motility import Motility
from oncarium.biology.vital import VITAL
from oncarium.engine.fields import Grid
from oncarium.engine.process import Process

FLAT = Grid((-500, -500, -10), (20, 20, 20), (1, 50, 50))
DEEP = Grid((-500, -500, -500), (100, 100, 100), (10, 10, 10))
N = 10_000


class Walk(Process):
    """Moves every cell by speed times heading: cells that do not meet."""

    slot = "move"

    def columns(self):
        return [VITAL, Mechanics.declared["velocity"]]

    def step(self, tissue, tick):
        c = tissue.cells
        c.position[:] += tick.dt * c["motility.speed"][:, None] * c["motility.heading"]


def world(grid, period, **base):
    motility, walk = Motility(period), Walk()
    tissue = tissue_of([motility, walk], grid, base={f"motility.{k}": v for k, v in base.items()})
    add_cells(tissue, np.zeros((N, 3)))
    return [motility, walk], tissue


def test_a19_mean_squared_displacement():
    v, tau, dt = 1.0, 5.0, 0.01
    processes, tissue = world(FLAT, dt, speed=v, persistence=tau)
    now = 0.0
    for time, known in ((5.0, 18.394), (10.0, 56.7668), (60.0, 550.0003)):
        run(processes, tissue, time - now, dt, seed=5)
        now = time
        expected = 2 * v**2 * tau * (time - tau * (1 - math.exp(-time / tau)))
        assert expected == pytest.approx(known, rel=1e-4)
        squared = (tissue.cells.position**2).sum(axis=1)
        assert abs(squared.mean() - expected) < 3 * squared.std() / math.sqrt(N)


def drift_in_plane(b):
    return (
        quad(
            lambda a: (b + (1 - b) * math.cos(a)) / math.hypot(b + (1 - b) * math.cos(a), (1 - b) * math.sin(a)),
            0,
            math.pi,
        )[0]
        / math.pi
    )


def drift_in_space(b):
    return 0.5 * quad(lambda c: (b + (1 - b) * c) / math.sqrt(b * b + (1 - b) ** 2 + 2 * b * (1 - b) * c), -1, 1)[0]


@pytest.mark.parametrize(
    "bias, plane, space",
    [(0.5, 2 / math.pi, 2 / 3), (0.2, 0.126, 0.166667), (0.7, 0.952365, 0.938776), (0.8, 0.984187, 0.979167)],
)
def test_a20_drift_along_a_gradient(bias, plane, space):
    for grid, known, formula in ((FLAT, plane, drift_in_plane), (DEEP, space, drift_in_space)):
        assert formula(bias) == pytest.approx(known, abs=5e-4 if known == 0.126 else 2e-6)
        drift = []
        for seed in range(10):
            processes, tissue = world(grid, 1.0, speed=2.0, persistence=1.0, bias=bias, sensitivity=1.0)
            tissue.fields.value[0] = 500.0 + grid.centers("x")
            run(processes, tissue, 20.0, 1.0, seed)
            drift.append(tissue.cells.position[:, 0] / (20.0 * 2.0))
        assert abs(np.mean(drift) - formula(bias)) < 3 * np.std(drift) / math.sqrt(10 * N)


@pytest.mark.parametrize("dt", [2.0, 5.0])
def test_a20_a_step_of_several_turns_drifts_as_single_ones_do(dt):
    processes, tissue = world(FLAT, dt, speed=2.0, persistence=1.0, bias=0.5, sensitivity=1.0)
    tissue.fields.value[0] = 500.0 + FLAT.centers("x")
    run(processes, tissue, 100.0, dt, 4)
    drift = tissue.cells.position[:, 0] / (100.0 * 2.0)
    assert abs(drift.mean() - drift_in_plane(0.5)) < 3 * drift.std() / math.sqrt(N)


@pytest.mark.parametrize("dt", [1.0, 3.0, 5.0, 7.5, 10.0, 12.0, 30.0, 60.0])
def test_a19_cells_spread_alike_for_any_step(dt):
    """Straight steps of dt with turns at rate dt / (tau + dt / 2) have the late spread of the walk in continuous time,
    2 v^2 tau t; so have steps that hold several turns."""
    processes, tissue = world(FLAT, dt, speed=1.0, persistence=5.0)
    run(processes, tissue, 300.0, dt, seed=2)
    middle = (tissue.cells.position**2).sum(axis=1)
    run(processes, tissue, 300.0, dt, seed=3)
    squared = (tissue.cells.position**2).sum(axis=1)
    error = 3 * math.hypot(squared.std(), middle.std()) / math.sqrt(N)
    assert abs(squared.mean() - middle.mean() - 2 * 5.0 * 300.0) < error
