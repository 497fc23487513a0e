"""Division: where daughters lie, what they inherit, whose ids they get; asymmetric fates."""

import numpy as np
import pytest

from helpers import BOX, PLANE, TYPES, add_cells, ball, fire, shuffle, small_world, tissue_of
from oncarium.biology.death import Death
from oncarium.biology.division import Division
from oncarium.biology.volume import Volume
from oncarium.engine.random import direction, keys_of

HALVED = ("total", "fluid", "nuclear", "nuclear_solid", "cytoplasm_solid", "target_nuclear")


def world(count=100, grid=BOX, **base):
    division = Division(6.0)
    tissue = tissue_of(
        [Volume(6.0), Death(6.0), division], grid, TYPES, base={k.replace("__", "."): v for k, v in base.items()}
    )
    add_cells(tissue, ball(count, 80.0, flat=grid.is_2d))
    return division, tissue


@pytest.mark.parametrize("grid", [BOX, PLANE], ids=["box", "plane"])
def test_daughters_lie_one_radius_away_and_volumes_are_shared(grid):
    division, tissue = world(100, grid)
    shuffle(tissue)
    cells = tissue.cells
    before = {c: cells.position[i].copy() for i, c in enumerate(cells.id)}
    whole = {part: cells[f"volume.{part}"].sum() for part in HALVED}
    rows = np.flatnonzero(cells.id % 3 == 0)
    mothers = np.sort(cells.id[rows])
    tissue.population.divide(rows)
    fire(division, tissue, 1, seed=4, first=2)
    assert cells.n == 100 + len(rows)
    for part in HALVED:
        assert cells[f"volume.{part}"].sum() == pytest.approx(whole[part], rel=1e-14)
    for k, mother in enumerate(mothers):
        i, j = cells.rows_of(np.array([mother, 100 + k]))  # ids are given in the order of the mothers' ids
        u = np.array(direction(np.uint64(4), division.stream, 2, keys_of("mother", mother), 0, grid.is_2d))
        r = 8.412710547954228
        np.testing.assert_allclose(cells.position[j], before[mother] + r * u, atol=1e-10)
        np.testing.assert_allclose(cells.position[i], before[mother] - 0.5 * r * u, atol=1e-10)
        np.testing.assert_allclose(cells["radius"][[i, j]], r * 0.5 ** (1 / 3), rtol=1e-13)
    if grid.is_2d:
        assert (cells.position[:, 2] == 0.0).all()
    events = tissue.population.drain()
    assert events["id"].tolist() == mothers.tolist() and events["cause"].tolist() == list(range(100, cells.n))


def test_both_daughters_count_the_divisions_of_their_line():
    division, tissue = world(10)
    assert (tissue.cells["division.count"] == 0.0).all()
    for first in range(3):
        # cell 0, and then its first daughter, 10, too
        tissue.population.divide(np.flatnonzero(tissue.cells.id % 10 == 0))
        fire(division, tissue, 1, first=first)
    cells = tissue.cells
    count = cells["division.count"][cells.rows_of(np.array([0, 10, 11, 12, 13, 14, 1]))]
    assert cells.n == 15 and count.tolist() == [3.0, 3.0, 2.0, 2.0, 3.0, 3.0, 0.0]


def test_inheritance_is_the_columns_own():
    processes, tissue = small_world(count=30)
    cells, division = tissue.cells, processes[-1]
    rng = np.random.default_rng(6)
    for name, column in cells.columns.items():
        if name not in ("id", "type", "position", "radius", "division.asymmetric") and column.dtype is float:
            cells[name][:] = 1.0 + rng.random(cells[name].shape)
    cells["division.asymmetric"][:] = 0.0
    cells["springs.partner"][3, 0], cells["springs.partner"][8, 0] = 8, 3
    before = {name: cells[name][3].copy() for name in cells.columns}
    tissue.population.divide(np.array([3]))
    fire(division, tissue)
    for name, column in cells.columns.items():
        mother, daughter = cells[name][3], cells[name][30]
        if name in ("id", "key", "position", "radius", "division.count"):
            continue
        if name == "springs.partner":
            assert (cells[name][[3, 8, 30]] == -1).all(), "who divides is let go"
            continue
        expected = {
            "copy": (before[name], before[name]),
            "halve": (before[name] * 0.5,) * 2 if column.inherit == "halve" else None,
            "zero": (before[name] * 0,) * 2,
            "default": (before[name], np.full_like(before[name], column.default)),
        }[column.inherit]
        assert np.array_equal(mother, expected[0]) and np.array_equal(daughter, expected[1]), name


def test_daughters_stay_in_the_box():
    division, tissue = world(50)
    tissue.cells.position[:] = BOX.upper
    tissue.population.divide(np.arange(50))
    fire(division, tissue)
    assert (tissue.cells.position <= BOX.upper).all() and (tissue.cells.position >= BOX.lower).all()


def test_asymmetric_fates_have_their_probabilities():
    division, tissue = world(4000)
    tissue.cells["division.asymmetric"][:] = [0.0, 0.3, 0.2]
    tissue.population.divide(np.arange(4000))
    fire(division, tissue)
    cells = tissue.cells
    assert (cells.type[cells.id < 4000] == 0).all(), "mothers keep their type"
    fates = np.bincount(cells.type[cells.id >= 4000], minlength=3) / 4000
    for found, p in zip(fates, (0.5, 0.3, 0.2)):
        assert abs(found - p) < 3 * np.sqrt(p * (1 - p) / 4000)


def test_a_removed_cell_does_not_divide():
    division, tissue = world(10)
    tissue.population.divide(np.array([2, 3]))
    tissue.population.remove(np.array([3, 5]))
    fire(division, tissue)
    assert sorted(tissue.cells.id.tolist()) == [0, 1, 2, 4, 6, 7, 8, 9, 10]
