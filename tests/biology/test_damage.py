"""Damage: the law by hand, its exact solution, order of the implicit rule."""

import math

import numpy as np
import pytest

from helpers import add_cells, ball, fire, shuffle, tissue_of
from oncarium.biology.damage import damage


@pytest.mark.parametrize(
    "level, rate, repair, dt",
    [(0.0, 2.0, 0.0, 3.0), (5.0, 0.0, 0.1, 3.0), (5.0, 2.0, 0.1, 3.0), (1.0, 1.0, 1e-14, 1.0)],
)
def test_one_step_is_exact(level, rate, repair, dt):
    steps = 200_000
    x, h = level, dt / steps
    for _ in range(steps):  # midpoint rule
        x += h * (rate - repair * (x + 0.5 * h * (rate - repair * x)))
    assert damage.function(level, rate, repair, dt) == pytest.approx(x, rel=1e-9)


def test_implicit_euler_by_hand_and_of_first_order():
    assert damage.function(3.0, 2.0, 0.5, 4.0, exact=0.0) == (3.0 + 8.0) / 3.0
    error = []
    for steps in (100, 200):
        x = 5.0
        for _ in range(steps):
            x = damage.function(x, 2.0, 0.1, 10.0 / steps, exact=0.0)
        error.append(abs(x - damage.function(5.0, 2.0, 0.1, 10.0)))
    assert error[0] / error[1] == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize("exact", [1.0, 0.0])
def test_the_loop_does_what_the_function_does(exact):
    process = damage(exact=exact)
    tissue = tissue_of([process])
    add_cells(tissue, ball(50, 50.0))
    cells, rng = tissue.cells, np.random.default_rng(1)
    for name in ("damage.level", "damage.rate", "damage.repair"):
        cells[name][:] = rng.random(50)
    shuffle(tissue)
    before = [cells[n].copy() for n in ("damage.level", "damage.rate", "damage.repair")]
    fire(process, tissue, 1, dt=6.0)
    expected = [damage.function(*row, 6.0, exact) for row in zip(*before)]
    np.testing.assert_allclose(cells["damage.level"], expected, rtol=1e-14)
    assert (cells["damage.level"] >= 0.0).all()


def test_two_half_steps_are_one():
    whole = damage.function(1.0, 0.3, 0.2, 6.0)
    assert damage.function(damage.function(1.0, 0.3, 0.2, 3.0), 0.3, 0.2, 3.0) == pytest.approx(whole, rel=1e-14)
    assert math.isclose(damage.function(0.3 / 0.2, 0.3, 0.2, 100.0), 1.5)
