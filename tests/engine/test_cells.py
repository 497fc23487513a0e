"""Cells: rows, ids, growth, base values, types that change, exact content."""

import numpy as np
import pytest

from oncarium.engine.cells import Cells
from oncarium.engine.column import Behavior, Column, State, Trait

COLUMNS = (
    State("um^3", 2.0).named("volume"),
    Behavior("1/min", axis="type").named("attack.rate"),
    Trait("1", 0.5).named("fluid"),
    State("1", dtype=np.uint8).named("vital"),
)


def world(count=10):
    cells = Cells(COLUMNS, ("a", "b"), {})
    cells.base["attack.rate"][:] = [[0.1, 0.2], [0.3, 0.4]]
    cells.base["volume"][:] = [1.0, 5.0]
    cells.base["fluid"][:] = [0.7, 0.8]
    cells.add(np.arange(count, dtype=np.int32) % 2)
    return cells


def test_new_cells_take_the_base_of_their_type_and_fresh_ids():
    cells = world()
    assert cells.n == len(cells) == 10 and cells.id.tolist() == list(range(10))
    np.testing.assert_array_equal(cells["volume"], [1.0, 5.0] * 5)
    np.testing.assert_array_equal(cells["attack.rate"], [[0.1, 0.2], [0.3, 0.4]] * 5)
    np.testing.assert_array_equal(cells["fluid"], [0.7, 0.8] * 5)  # a trait is looked up
    assert (
        cells["vital"].dtype == np.uint8 and cells.labels("attack.rate") == ("a", "b") and cells.labels("volume") == ()
    )


def test_rows_grow_without_losing_anything():
    cells = world()
    cells["volume"][:] = np.arange(10)
    for _ in range(12):
        cells.add(1, 100)
    assert cells.n == 1210 and cells.capacity >= 1210
    np.testing.assert_array_equal(cells["volume"][:10], np.arange(10))
    assert len(np.unique(cells.id)) == 1210


def test_reordering_keeps_rows_together():
    cells = world()
    cells["volume"][:] = cells.id * 10.0
    cells.reorder(np.array([7, 2, 9, 4]))
    assert cells.id.tolist() == [7, 2, 9, 4] and cells["volume"].tolist() == [70.0, 20.0, 90.0, 40.0]
    assert cells.order().tolist() == [1, 3, 0, 2]
    assert cells.add(0).start == 4 and cells.id[4] == 10, "ids are never used again"


@pytest.mark.parametrize("far", [0, 10_000_000])
def test_rows_of_ids(far):
    cells = world()
    cells.reorder(np.array([7, 2, 9, 4]))
    cells["id"][0] += far
    wanted = np.array([[7 + far, 2], [9, 4], [3, -1], [5, 10**12]])
    assert cells.rows_of(wanted).tolist() == [[0, 1], [2, 3], [-1, -1], [-1, -1]]
    cells.reorder(np.empty(0, np.int64))
    assert cells.rows_of(wanted[0]).tolist() == [-1, -1]


def test_becoming_another_type_restarts_behaviors_and_keeps_states():
    cells = world()
    cells["volume"][:] = 9.0
    cells.become(np.array([0, 2]), np.array([1, 1]))
    assert cells.type[:4].tolist() == [1, 1, 1, 1] and (cells["volume"] == 9.0).all()
    np.testing.assert_array_equal(cells["attack.rate"][:4], [[0.3, 0.4]] * 4)
    np.testing.assert_array_equal(cells["fluid"][:4], [0.8] * 4)


def test_copies_and_exact_content():
    cells = world()
    copy = cells.copy()
    cells["volume"][:] = 0.0
    assert (copy["volume"] > 0.0).all()
    other = Cells(COLUMNS, ("a", "b"), {})
    other.restore(copy.arrays())
    for name in copy.columns:
        assert np.array_equal(other[name], copy[name])
    assert other.next_id == 10
    with pytest.raises(KeyError, match="do not match the model: volume"):
        other.restore({k: v for k, v in copy.arrays().items() if k != "volume"})


def test_unknown_names_are_answered_with_the_nearest():
    cells = world()
    assert "volume" in cells and "fluid" in cells and "volum" not in cells
    with pytest.raises(KeyError, match="no column 'volum'; nearest: volume"):
        cells["volum"]


def test_memory_and_declarations():
    assert world().bytes_per_cell == 8 + 8 + 4 + 24 + 8 + 16 + 1
    for wrong in ({"kind": "thing"}, {"kind": "state", "inherit": "maybe"}):
        with pytest.raises(ValueError, match="one of"):
            Column("1", **wrong)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_found_wherever_it_stands(wrong):
    for name in ("mass", "amount"):
        columns = [Column("1", "state", name="mass"), Column("1", "state", axis="factor", name="amount")]
        cells = Cells(columns, ("a",), {"factor": ("x", "y")})
        for _ in range(3):  # columns move as they grow
            cells.add(0, 100)
            assert cells.finite()
        cells[name][-1] = wrong
        assert not cells.finite() and not cells.copy().finite()
        cells.reorder(np.arange(cells.n - 1))  # what lies beyond the last row does not count
        assert cells.finite()
