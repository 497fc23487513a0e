"""The queue of births and deaths: once, in the order of ids, whatever the order of calls and rows."""

import numpy as np
import pytest

from helpers import add_cells, ball, shuffle, tissue_of
from oncarium.biology.death import Death
from oncarium.biology.volume import Volume
from oncarium.engine.population import EVENT, Population

KINDS = ("division", "removal", "apoptosis")


def world(count=20):
    tissue = tissue_of([Volume(1.0), Death(1.0)])
    tissue.population = Population(KINDS)
    add_cells(tissue, ball(count, 50.0))
    return tissue.population, tissue


def test_nothing_queued_nothing_done():
    population, tissue = world()
    before = tissue.digest()
    parents, daughters = population.apply(tissue)
    assert len(parents) == len(daughters) == 0 and tissue.digest() == before
    population.divide(np.empty(0, np.int64))
    assert population.dividing == []


@pytest.mark.parametrize("order", [None, 1, 2])
def test_the_order_of_rows_and_calls_does_not_matter(order):
    population, tissue = world()
    if order:
        shuffle(tissue, order)
    cells = tissue.cells
    calls = [[3, 8], [8, 1], [12]]
    for ids in calls if order != 2 else calls[::-1]:
        population.divide(cells.rows_of(np.array(ids)))
    population.remove(cells.rows_of(np.array([12, 5])))
    population.remove(cells.rows_of(np.array([5])))
    parents, daughters = population.apply(tissue)
    assert cells.n == 20 + 3 - 2
    assert cells.id[parents].tolist() == [1, 3, 8] and cells.id[daughters].tolist() == [20, 21, 22]
    np.testing.assert_array_equal(cells["volume.total"][parents], cells["volume.total"][daughters])
    assert not np.isin([5, 12], cells.id).any()
    assert population.apply(tissue)[0].tolist() == [], "a queue is emptied once"
    reference = world()
    reference[0].divide(np.array([1, 3, 8]))
    reference[0].remove(np.array([5, 12]))
    reference[0].apply(reference[1])
    assert tissue.digest() == reference[1].digest()


def test_events_come_sorted_and_once():
    population, _ = world()
    population.log(6.0, np.array([4, 2]), "division", np.array([9, 8]))
    population.log(3.0, np.array([7]), "apoptosis")
    population.log(6.0, np.empty(0, np.int64), "removal")
    events = population.drain()
    assert events.dtype == EVENT
    assert events.tolist() == [(3.0, 7, 2, -1), (6.0, 2, 0, 8), (6.0, 4, 0, 9)]
    assert len(population.drain()) == 0


def test_kinds_of_events_are_registered_by_those_who_log_them():
    population = Population(KINDS)
    population.register(["shock", "division"])
    population.log(1.0, np.array([5]), "shock")
    assert population.kinds == [*KINDS, "shock"] and population.drain()["kind"].tolist() == [3]
    with pytest.raises(KeyError, match="no event is called 'fright'; a mechanism that logs it says so"):
        population.log(1.0, np.array([5]), "fright")


def test_what_happened_is_heard_until_the_next_tick():
    population, _ = world()
    population.log(6.0, np.array([4, 2]), "division")
    population.log(6.0, np.array([9]), "division")
    population.drain()
    assert population.heard("division").tolist() == [4, 2, 9] and population.heard("removal").tolist() == []
    population.begin()
    assert population.heard("division").tolist() == []


def test_a_state_goes_to_a_queue_with_other_kinds():
    population, _ = world()
    population.log(3.0, np.array([7]), "apoptosis")
    population.log(3.0, np.array([8]), "removal")
    other = Population(["shock", "apoptosis"])
    other.restore(population.state())
    assert other.drain()[["id", "kind"]].tolist() == [(7, 1)]
