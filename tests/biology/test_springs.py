"""Attachments: both hold, never more than allowed, chances, and the pull."""

import math

import numpy as np
import pytest

from helpers import TYPES, add_cells, ball, fire, shuffle, tissue_of
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.springs import Springs

SURE = 1e9


def world(position, kinds=0, exact=True, **base):
    mechanics = Mechanics(1.0)
    springs = Springs(1.0, mechanics, exact)
    tissue = tissue_of([springs, mechanics], types=TYPES, base={k.replace("__", "."): v for k, v in base.items()})
    add_cells(tissue, position, kinds)
    return springs, tissue


def bonds(tissue):
    """Set of (id, id) pairs, every attachment as both sides see it."""
    c = tissue.cells
    return {(int(c.id[i]), int(p)) for i in range(c.n) for p in c["springs.partner"][i] if p >= 0}


def test_attachments_are_held_by_both_and_never_too_many():
    springs, tissue = world(ball(200, 40.0), springs__attachment=SURE, springs__maximum=4.0)
    fire(springs, tissue, 3)
    held = bonds(tissue)
    assert held and {(b, a) for a, b in held} == held
    count = (tissue.cells["springs.partner"] >= 0).sum(axis=1)
    assert count.max() == 4
    packed = tissue.cells["springs.partner"] >= 0
    assert (packed == (np.arange(packed.shape[1]) < count[:, None])).all(), "partners lie in front"


def test_order_in_memory_does_not_matter():
    found = []
    for order in (None, 1):
        springs, tissue = world(ball(200, 40.0), springs__attachment=0.05, springs__detachment=0.1)
        if order:
            shuffle(tissue, order)
        fire(springs, tissue, 20)
        found.append(tissue.digest())
        assert len(bonds(tissue)) > 50
    assert found[0] == found[1]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("dt", [1.0, 0.5])
def test_pairs_attach_and_part_with_their_rates(exact, dt):
    """2000 isolated pairs; only one side is willing, at half affinity; later both sides may let go."""
    n = 2000
    x = np.stack(
        np.meshgrid(np.arange(-190, 190, 30.0), np.arange(-190, 190, 30.0), np.arange(-190, 190, 30.0)), axis=-1
    ).reshape(-1, 3)[:n]
    springs, tissue = world(np.concatenate([x, x + np.array([12.0, 0, 0])]), np.repeat([0, 1], len(x)), exact)
    n = len(x)
    c = tissue.cells
    c["springs.attachment"][:n] = 0.2
    c["mechanics.affinity"][:, 1] = 0.5
    c["mechanics.adhesion_distance"][:] = 1.0  # pairs do not reach each other
    fire(springs, tissue, round(4 / dt), dt=dt)
    step = (1 - math.exp(-0.1 * dt)) if exact else 0.1 * dt
    p = 1 - (1 - step) ** (4 / dt)
    attached = len(bonds(tissue)) / 2
    assert abs(attached - n * p) < 3 * math.sqrt(n * p * (1 - p))
    c["springs.attachment"][:] = 0.0
    c["springs.detachment"][:] = 0.05
    fire(springs, tissue, round(4 / dt), dt=dt, first=100)
    step = (1 - math.exp(-0.05 * dt)) if exact else 0.05 * dt
    q = (1 - step) ** (2 * 4 / dt)
    assert abs(len(bonds(tissue)) / 2 - attached * q) < 3 * math.sqrt(attached * q * (1 - q))


def test_the_dead_and_the_gone_are_let_go():
    springs, tissue = world(ball(60, 25.0), springs__attachment=SURE, springs__maximum=6.0)
    fire(springs, tissue)
    c = tissue.cells
    c["springs.attachment"][:] = 0.0
    c["vital"][:10] = 1
    dead = set(c.id[:10].tolist())
    c.reorder(np.arange(50))
    gone = set(range(50, 60))
    kept = {(a, b) for a, b in bonds(tissue) if not {a, b} & (dead | gone)}
    fire(springs, tissue, 1, first=1)
    assert bonds(tissue) == kept and kept


def test_a_spring_pulls_both_ends_by_hand():
    springs, tissue = world(
        [[0, 0, 0], [40, 0, 0]], [0, 1], mechanics__affinity=np.array([[1, 0.5, 1], [0.5, 1, 1], [1, 1, 1]])
    )
    c = tissue.cells
    c["springs.partner"][:, 0] = [1, 0]
    c["springs.elastic"][:] = [0.02, 0.08]
    fire(springs.mechanics, tissue, 1, dt=1e-4)
    np.testing.assert_allclose(c["velocity"][:, 0], [0.8, -0.8], rtol=1e-4)
