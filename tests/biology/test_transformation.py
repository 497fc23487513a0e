"""Transformation: chances as in the twin, what changes and what stays."""

import math

import numpy as np
import pytest

from helpers import TYPES, add_cells, ball, fire, shuffle, tissue_of
from oncarium.biology.damage import damage
from oncarium.biology.death import Death
from oncarium.biology.motility import Motility
from oncarium.biology.transformation import Transformation
from oncarium.biology.volume import Volume
from oncarium.engine.random import uniform


def world(count=300, exact=True, rate=0.0):
    transformation = Transformation(6.0, exact)
    every = [transformation, Volume(6.0), Death(6.0), Motility(6.0), damage()]
    base = {"motility.speed": [0.0, 1.0, 2.0], "transformation.rate": rate}
    tissue = tissue_of(every, types=TYPES, base=base)
    add_cells(tissue, ball(count, 100.0), np.arange(count) % 3)
    return transformation, tissue


@pytest.mark.parametrize("exact", [True, False])
def test_the_type_that_comes_first_is_taken(exact):
    rates = np.random.default_rng(1).random((3, 3)) * 0.1
    transformation, tissue = world(exact=exact, rate=rates)
    c = tissue.cells
    c["vital"][::10] = 1
    shuffle(tissue)
    expected = c.type.copy()
    for i in range(c.n):
        soonest = 6.0
        for t in range(3):
            rate, u = rates[c.type[i], t], uniform(np.uint64(1), transformation.stream, 2, c.id[i], t)
            after = -math.log(1.0 - u) / rate if exact else 0.0 if u < 6 * rate else math.inf
            if c["vital"][i] == 0 and t != c.type[i] and after < soonest:
                soonest, expected[i] = after, t
    before = c.type.copy()
    fire(transformation, tissue, 1, dt=6.0, first=2)
    np.testing.assert_array_equal(c.type, expected)
    assert len(tissue.population.drain()) == np.count_nonzero(before != expected) > 50


def test_behaviors_restart_and_states_stay():
    transformation, tissue = world(3, rate=np.array([[0, 1e9, 0], [0, 0, 0], [0, 0, 0]]))
    c = tissue.cells
    c["volume.total"][:], c["damage.level"][:] = 3000.0, 2.0
    place = c.position.copy()
    fire(transformation, tissue, 1, dt=6.0)
    assert c.type.tolist() == [1, 1, 2] and c["motility.speed"].tolist() == [1.0, 1.0, 2.0]
    assert (c["volume.total"] == 3000.0).all() and np.array_equal(c.position, place)
    assert c["damage.level"].tolist() == [0.0, 2.0, 2.0], "damage starts anew, as PhysiCell has it"
    assert tissue.population.drain()[["id", "cause"]].tolist() == [(0, 1)]


@pytest.mark.parametrize("dt", [6.0, 3.0, 1.0])
def test_the_step_does_not_matter(dt):
    n, rate = 6000, 0.01
    transformation, tissue = world(n, rate=np.array([[0, rate, 0], [0, 0, 0], [0, 0, 0]]))
    fire(transformation, tissue, round(60 / dt), dt=dt)
    p = math.exp(-rate * 60)
    assert abs(np.count_nonzero(tissue.cells.type == 0) - n / 3 * p) < 3 * math.sqrt(n / 3 * p * (1 - p))
