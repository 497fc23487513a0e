"""A21: responses to single and combined signals against exact rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest

from helpers import add_cells, fire, tissue_of
from oncarium.biology.death import Death
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.motility import Motility
from oncarium.biology.rules import Link, Rules
from oncarium.biology.sensing import Sensing

SPEED = ("motility.speed", -1)
SIGNALS = {"oxygen": ("sense.factor", 0), "pressure": ("sense.pressure", -1), "time": ("sense.time", -1)}


def speed(rules, values, base):
    """The speed of one cell with these signals; rules are (signal, increases, saturation, half, power)."""
    process = Rules(6.0, [Link(0, SPEED, SIGNALS[s], up, b, h, p) for s, up, b, h, p in rules])
    mechanics = Mechanics(1.0)
    every = [mechanics, Sensing(6.0, mechanics, {"sense.time"}), Motility(1.0), Death(6.0), process]
    tissue = tissue_of(every, base={"motility.speed": base})
    add_cells(tissue, [0, 0, 0])
    for name, value in values.items():
        tissue.cells[SIGNALS[name][0]][:] = value
    fire(process, tissue)
    return tissue.cells["motility.speed"][0]


def exact(rules, values, base):
    """u = b0 + (bM - b0) U/(1 + U), b = u + (bm - u) D/(1 + D), in fractions."""
    base = Fraction(base)
    sums = {True: Fraction(0), False: Fraction(0)}
    ends = {True: base, False: base}
    for s, up, b, h, p in rules:
        sums[up] += (Fraction(values[s]) / Fraction(h)) ** p
        ends[up] = (max if up else min)(ends[up], Fraction(b))
    raised = base + (ends[True] - base) * sums[True] / (1 + sums[True])
    return float(raised + (ends[False] - raised) * sums[False] / (1 + sums[False]))


UP = ("oxygen", True, 4.0, 10.0, 4)
UP_TOO = ("pressure", True, 2.5, 1.5, 2)
DOWN = ("pressure", False, 0.25, 1.0, 8)
DOWN_TOO = ("time", False, 0.125, 60.0, 1)


@pytest.mark.parametrize(
    "rules", [[UP], [DOWN], [UP, UP_TOO], [DOWN, DOWN_TOO], [UP, DOWN], [UP, UP_TOO, DOWN, DOWN_TOO]]
)
@pytest.mark.parametrize(
    "values", [(0.0, 0.0, 0.0), (5.0, 0.5, 30.0), (10.0, 1.0, 60.0), (38.0, 2.75, 1440.0), (1e6, 1e3, 1e6)]
)
def test_a21_responses(rules, values):
    values = dict(zip(SIGNALS, values))
    assert speed(rules, values, 1.5) == pytest.approx(exact(rules, values, 1.5), rel=1e-10)


def test_a21_half_maximum_and_saturation():
    assert speed([UP], {"oxygen": 10.0}, 1.0) == 2.5
    assert speed([UP], {"oxygen": 1e30}, 1.0) == 4.0
    assert np.isclose(speed([UP, DOWN], {"oxygen": 1e30, "pressure": 1e30}, 1.0), 0.25, rtol=1e-15), "decreasing wins"
