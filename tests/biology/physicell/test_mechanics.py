"""Steps of second order in two halves: by hand; walls, cells that cannot move and cells that leave."""

import math

import numpy as np
import pytest

from helpers import BOX, PLANE, add_cells, fire, tissue_of
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.motility import Motility
from oncarium.biology.outside import BORN_OUTSIDE, LEFT, Freeze
from oncarium.biology.physicell.mechanics import Positions, Velocities
from oncarium.biology.vital import FROZEN

DT = 0.1


def world(position, grid=PLANE, **base):
    processes = [Motility(DT, exact=False), Velocities(DT), Positions(DT), Freeze(6.0, True)]
    tissue = tissue_of(processes[:3], grid, base={k.replace("__", "."): v for k, v in base.items()})
    add_cells(tissue, position)
    processes[3].prepare(tissue)
    return processes, tissue


def step(processes, tissue, times=1):
    for k in range(times):
        for process in processes[1:3]:
            fire(process, tissue, 1, dt=DT, first=k)


def test_two_steps_of_a_pair_by_hand():
    processes, tissue = world([[0, 0, 0], [10, 0, 0]])
    c = tissue.cells

    def speed(d):
        return 10.0 * (1 - d / (2 * 8.412710547954228)) ** 2 - 0.4 * (1 - d / (2.5 * 8.412710547954228)) ** 2

    first = speed(10.0)
    step(processes, tissue)
    np.testing.assert_allclose(c.position[:, 0], [-1.5 * DT * first, 10 + 1.5 * DT * first], rtol=1e-13)
    second = speed(10.0 + 3 * DT * first)
    step(processes, tissue)
    np.testing.assert_allclose(c.position[1, 0], 10 + 1.5 * DT * first + DT * (1.5 * second - 0.5 * first), rtol=1e-13)
    assert c["sense.pressure"][0] == pytest.approx(
        (1 - (10 + 3 * DT * first) / (2 * 8.412710547954228)) ** 2 / 0.027288820670331
    )


@pytest.mark.parametrize("grid", [PLANE, BOX], ids=["plane", "box"])
def test_velocities_are_those_of_the_other_numerics(grid):
    rng = np.random.default_rng(1)
    position = rng.uniform(-60, 60, (80, 3)) * ([1, 1, 0] if grid.is_2d else 1)
    processes, tissue = world(position, grid)
    step(processes, tissue)
    mechanics = Mechanics(DT, "adams-bashforth")
    other = tissue_of([mechanics], grid)
    add_cells(other, position)
    fire(mechanics, other, 1, dt=DT)
    np.testing.assert_allclose(tissue.cells["velocity"], other.cells["velocity"], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(tissue.cells["sense.pressure"], other.cells["sense.pressure"], rtol=1e-12)


@pytest.mark.parametrize(
    "place, push",
    [((-196, 50, 0), (1, 0)), ((196, 198, 0), (0, -1)), ((-195, -195, 0), (math.sqrt(0.5), math.sqrt(0.5)))],
)
def test_the_nearest_face_pushes_and_on_the_diagonal_both(place, push):
    processes, tissue = world([place], mechanics__wall=100.0)
    step(processes, tissue)
    distance = 200.0 - max(abs(place[0]), abs(place[1]))
    strength = 100.0 * (1 - distance / 8.412710547954228) ** 2
    np.testing.assert_allclose(tissue.cells["velocity"][0, :2], strength * np.array(push), rtol=1e-12, atol=1e-12)


def test_immovable_cells_keep_pressure_and_place_but_push():
    processes, tissue = world([[0, 0, 0], [10, 0, 0]])
    tissue.cells["mechanics.movable"][0] = 0.0
    step(processes, tissue)
    assert tissue.cells.position[0].tolist() == [0, 0, 0] and tissue.cells["sense.pressure"][0] == 0.0
    assert tissue.cells.position[1, 0] > 10.0 and tissue.cells["sense.pressure"][1] > 0.0


def test_who_leaves_stays_where_it_is_and_is_felt_by_nobody():
    processes, tissue = world([[199.9, 0, 0], [190, 0, 0]])
    c = tissue.cells
    step(processes, tissue)
    assert c["outside"].tolist() == [LEFT, 0] and c.position[0, 0] > 200.0
    place, other = c.position[0].copy(), c["velocity"][1].copy()
    step(processes, tissue)
    assert np.array_equal(c.position[0], place) and other[0] < 0.0
    assert c["velocity"][1].tolist() == [0.0, 0.0, 0.0], "its old neighbor no longer feels it"
    fire(processes[3], tissue)
    assert c["vital"].tolist() == [FROZEN, 0]
    fire(Freeze(6.0, False), tissue)
    assert c["vital"].tolist() == [0, 0]


def test_who_is_placed_outside_is_felt():
    processes, tissue = world([[201, 0, 0], [195, 0, 0]])
    assert tissue.cells["outside"].tolist() == [BORN_OUTSIDE, 0]
    step(processes, tissue)
    assert tissue.cells["velocity"][1, 0] < 0.0 and tissue.cells.position[0, 0] == 201.0


def test_motility_keeps_the_speed_of_the_last_turn():
    processes, tissue = world([[0, 0, 0]], motility__speed=2.0, motility__persistence=0.01)
    fire(processes[0], tissue, 1, dt=DT)
    c = tissue.cells
    vector = c["motility.vector"][0].copy()
    assert np.linalg.norm(vector) == pytest.approx(2.0)
    c["motility.speed"][:] = 7.0
    c["motility.persistence"][:] = 1e12
    fire(processes[0], tissue, 1, dt=DT, first=1)
    step(processes, tissue)
    np.testing.assert_allclose(c["velocity"][0], vector, rtol=1e-14)
