"""Neighbor lists against a search over all pairs, and when they are re-used."""

import numpy as np
import pytest

from oncarium.engine.kernels.neighbors import Neighbors, _usual
from reference import mechanics as twin


def rows(near, n):
    return [near.list[near.first[i] : near.first[i + 1]].tolist() for i in range(n)]


@pytest.mark.parametrize("flat", [False, True], ids=["box", "plane"])
@pytest.mark.parametrize("n", [1, 2, 50, 400])
def test_lists_agree_with_all_pairs(n, flat):
    rng = np.random.default_rng(n)
    upper = np.array([300.0, 200.0, 10.0 if flat else 150.0])
    position = rng.random((n, 3)) * upper
    position[0] = upper  # on the far corner
    reach, ids = 5.0 + 10.0 * rng.random(n), rng.permutation(n) * 3
    near = Neighbors(np.zeros(3), upper)
    margin = 3.0 * rng.random(n)
    assert near.update(position, reach, ids, margin)
    assert rows(near, n) == twin.neighbors(position, reach + margin, ids, 0.0)
    pairs = {tuple(sorted(p)) for p in zip(near.one.tolist(), near.other.tolist())}
    assert 2 * len(pairs) == 2 * len(near.one) == len(near.list), "every pair once"


@pytest.mark.parametrize("wide", [1, 12, 200])
def test_a_few_wide_cells_find_all_they_reach_and_leave_the_bins_of_the_others_small(wide, monkeypatch):
    monkeypatch.setattr("oncarium.engine.threads.PARALLEL_FROM", 10)
    rng = np.random.default_rng(wide)
    upper = np.full(3, 250.0)
    position = rng.random((400, 3)) * 290.0 - 20.0  # some outside
    position[7] = 1e12
    reach = 5.0 + 5.0 * rng.random(400)
    reach[rng.permutation(400)[:wide]] *= 1.0 + 4.0 * rng.random(wide)
    for ids in (np.arange(400), rng.permutation(400)):
        for threads in (1, 3):
            near = Neighbors(np.zeros(3), upper)
            near.update(position, reach, ids, np.zeros(400), threads)
            assert rows(near, 400) == twin.neighbors(position, reach, ids, 0.0)
    assert wide > 20 or _usual(reach) < 11.5


def test_lists_are_kept_until_somebody_moves_or_grows_too_far_or_rows_change():
    rng = np.random.default_rng(0)
    position, reach, ids = rng.random((50, 3)) * 100, np.full(50, 8.0), np.arange(50)
    margin = np.full(50, 1.5)
    margin[3] = 2.0
    near = Neighbors(np.zeros(3), np.full(3, 100.0))
    assert near.update(position, reach, ids, margin)
    position[3, 0] += 1.9
    assert not near.update(position, reach, ids, margin)
    reach[3] += 0.2
    assert near.update(position, reach, ids, margin)
    assert not near.update(position, reach, ids, margin)
    ids[[4, 5]] = ids[[5, 4]]
    assert near.update(position, reach, ids, margin), "rows are sorted by ids, so another id asks for a new list"
    assert near.update(position[:-1], reach[:-1], ids[:-1], margin[:-1])
    assert near.update(np.empty((0, 3)), np.empty(0), np.empty(0, np.int64), np.empty(0))
    assert near.rebuilds == 5


def test_a_list_that_is_kept_holds_every_true_neighbor():
    rng = np.random.default_rng(7)
    position, reach, ids = rng.random((300, 3)) * 120, 6.0 + rng.random(300), np.arange(300)
    near = Neighbors(np.zeros(3), np.full(3, 120.0))
    margin = 0.5 + 2.0 * rng.random(300)
    near.update(position, reach, ids, margin)
    for _ in range(6):
        position += 0.12 * rng.normal(size=position.shape).clip(-2, 2)
        near.update(position, reach, ids, margin)
        true = twin.neighbors(position, reach, ids, 0.0)
        for mine, wanted in zip(rows(near, 300), true):
            assert set(wanted) <= set(mine) and mine == sorted(mine)
    assert 1 < near.rebuilds < 7
