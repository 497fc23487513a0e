"""Mechanics against closed forms, an independent integrator and the recorded pairs of PhysiCell."""

import math
from functools import cache

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from helpers import BOX, add_cells, ball, run, tissue_of
from oncarium.biology.death import Death
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.motility import Motility
from oncarium.biology.volume import Volume
from oncarium.engine.fields import Grid

R = 8.412710547954228
TOLERATED = 0.01 * R  # 1 % of a cell's radius
WIDE = Grid((-500, -500, -10), (20, 20, 20), (1, 50, 50))


def pair(distance, minutes, dt=0.1, **options):
    """Distance of two standard cells after so many minutes."""
    mechanics = Mechanics(dt, **options)
    tissue = tissue_of([mechanics])
    add_cells(tissue, [[-0.5 * distance, 0, 0], [0.5 * distance, 0, 0]])
    run([mechanics], tissue, minutes, dt)
    return float(np.linalg.norm(np.subtract(*tissue.cells.position)))


@cache
def continuum(distance, minutes):
    """d' = 2 [c (1 - d/2R)^2 - a (1 - d/2.5R)^2], by an integrator that shares nothing with ours."""

    def change(_, d):
        return 2 * (10.0 * max(0.0, 1 - d[0] / (2 * R)) ** 2 - 0.4 * max(0.0, 1 - d[0] / (2.5 * R)) ** 2)

    return solve_ivp(lambda t, d: [change(t, d)], (0, minutes), [distance], method="DOP853", rtol=1e-12, atol=1e-12).y[
        0, -1
    ]


@pytest.mark.parametrize("options", [{}, {"method": "adams-bashforth"}], ids=["adaptive", "adams-bashforth"])
def test_a10_two_cells_come_to_rest_where_forces_cancel(options):
    c, a = math.sqrt(10.0), math.sqrt(0.4)
    rest = (c - a) / (c / (2 * R) - a / (2.5 * R))
    assert rest == pytest.approx(16.0242106, abs=1e-7)
    assert pair(15.0, 1440.0, 1.0 if not options else 0.1, **options) == pytest.approx(rest, rel=1e-6)


def test_a11_the_continuum_itself():
    for minutes, distance in ((0.5, 11.24709), (1.0, 12.09919), (5.0, 14.61127)):
        assert continuum(10.0, minutes) == pytest.approx(distance, abs=1e-5)


@pytest.mark.parametrize("minutes", [0.5, 1.0, 5.0])
def test_a11_the_error_of_fixed_steps_halves_with_the_step(minutes):
    error = [
        abs(pair(10.0, minutes, dt, method="adams-bashforth") - continuum(10.0, minutes)) for dt in (0.1, 0.05, 0.025)
    ]
    assert all(math.log2(a / b) >= 0.9 for a, b in zip(error, error[1:]))


@pytest.mark.parametrize("distance", [2.0, 10.0, 20.0])
def test_a11_adaptive_steps_follow_the_continuum(distance):
    """Measured: at most 0.0033 um for distances of 2 and 10 um; pairs at 20 um: 5e-11."""
    for minutes in (0.5, 1.0, 5.0, 60.0):
        assert pair(distance, minutes, 0.5) == pytest.approx(continuum(distance, minutes), abs=0.01)


def growing(mechanics):
    """260 cells near their resting distance; half of them grow, ten have just divided."""
    volume = Volume(6.0)
    tissue = tissue_of([Death(6.0), volume, mechanics])
    k, j, i = np.meshgrid(*[np.arange(-8, 9)] * 3, indexing="ij")
    layers = (
        np.stack([i + 0.5 * (j % 2) + 0.5 * (k % 2), 0.866 * (j + (k % 2) / 3), 0.8165 * k], axis=-1).reshape(-1, 3)
        * 14.0
    )
    add_cells(tissue, layers[np.argsort((layers**2).sum(axis=1), kind="stable")][:250])
    tissue.cells["volume.target_nuclear"][::2] *= 2.0
    add_cells(tissue, tissue.cells.position[:100:10] + R * ball(10, 1.0, seed=1))
    run([volume, mechanics], tissue, 60.0, mechanics.period)
    return tissue.cells.position.copy()


def overlapping(mechanics):
    """300 cells at random in a ball that has room for a third of them."""
    tissue = tissue_of([mechanics])
    add_cells(tissue, ball(300, 45.0))
    run([mechanics], tissue, 60.0, mechanics.period)
    return tissue.cells.position.copy()


@pytest.mark.parametrize("period", [1.0, 6.0])
@pytest.mark.parametrize("crowd", [growing, overlapping])
def test_default_steps_are_within_one_percent_of_a_radius(crowd, period):
    best = crowd(Mechanics(period, tolerance=1e9, largest_step=0.01))
    error = np.linalg.norm(crowd(Mechanics(period)) - best, axis=1)
    assert error.max() < TOLERATED


def squeezing(mechanics, seed):
    """40 of 441 cells on a lattice crawl at 4 um/min for 6 min, each straight on."""
    tissue = tissue_of([Motility(6.0), mechanics])
    i, j = np.meshgrid(*[np.arange(-10, 11)] * 2, indexing="ij")
    add_cells(tissue, 15.0 * np.stack([i + 0.5 * (j % 2), 0.866 * j, 0.0 * i], axis=-1).reshape(-1, 3))
    rng = np.random.default_rng(seed)
    who, angle = rng.permutation(441)[:40], rng.random(40) * 2 * np.pi
    tissue.cells["motility.heading"][who] = np.stack([np.cos(angle), np.sin(angle), 0.0 * angle], axis=-1)
    tissue.cells["motility.speed"][:] = 0.0
    tissue.cells["motility.speed"][who] = 4.0
    run([mechanics], tissue, 6.0, mechanics.period)
    return tissue.cells.position.copy()


@pytest.mark.parametrize("seed", range(4))
def test_cells_that_squeeze_through_a_crowd_are_followed_better_than_by_the_standard_steps(seed):
    best = squeezing(Mechanics(6.0, tolerance=1e9, largest_step=0.01), seed)
    ours, standard = Mechanics(6.0), Mechanics(0.1, method="adams-bashforth")
    error = [np.linalg.norm(squeezing(m, seed) - best, axis=1).max() for m in (ours, standard)]
    assert error[0] < error[1] and ours.evaluations < standard.substeps


def test_a12_momentum_of_unlike_cells():
    mechanics = Mechanics(0.1)
    tissue = tissue_of([mechanics], types=("a", "b"), base={"mechanics.affinity": np.array([[0.2, 0.9], [0.4, 1.0]])})
    n = 400
    add_cells(tissue, ball(n, 70.0), np.arange(n) % 2)
    rng = np.random.default_rng(1)
    for name in ("repulsion", "adhesion"):
        tissue.cells[f"mechanics.{name}"][:] *= rng.random(n)
    before = tissue.cells.position.mean(axis=0)
    run([mechanics], tissue, 100.0, 0.1)
    assert np.abs(tissue.cells["velocity"].sum(axis=0)).max() < 1e-12 * n
    assert np.abs(tissue.cells.position.mean(axis=0) - before).max() < 1e-12 * n
    assert BOX.upper[0] > tissue.cells.position.max()


def test_recorded_pairs_to_the_digit(cases):
    """Ten isolated pairs: distances of PhysiCell, version 1.14.2, with its steps of 0.1 min."""
    folder = cases / "gold_physicell_1_14_2" / "mech_pairs"
    rows = np.genfromtxt(folder / "trajectory.csv", delimiter=",", names=True)
    start = np.genfromtxt(folder / "cells.csv", delimiter=",", skip_header=1, usecols=(0, 1, 2))
    mechanics = Mechanics(0.1, method="adams-bashforth")
    tissue = tissue_of([mechanics], WIDE)
    add_cells(tissue, start)
    now = 0.0
    for time in np.unique(rows["time"]):
        run([mechanics], tissue, time - now, 0.1)
        now = time
        at = rows[rows["time"] == time]
        gold = np.stack([at["position0"], at["position1"], at["position2"]], axis=1)[np.argsort(at["ID"])]
        mine = tissue.cells.position
        np.testing.assert_allclose(
            np.linalg.norm(mine[1::2] - mine[::2], axis=1), np.linalg.norm(gold[1::2] - gold[::2], axis=1), rtol=1e-8
        )
        np.testing.assert_allclose(mine, gold, rtol=1e-8, atol=1e-9)
    assert now >= 60.0
