"""Forces and steps: by hand, against a twin of all pairs, laws, resolution, order in memory."""

import math

import numpy as np
import pytest

from helpers import BOX, PLANE, TYPES, add_cells, ball, fire, run, shuffle, tissue_of
from oncarium.biology.contacts import Contacts
from oncarium.biology.death import Death
from oncarium.biology.forces import FASTEST, PRESSURE_UNIT
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.motility import Motility
from oncarium.biology.springs import Springs
from oncarium.biology.steps import PLACES, _errors, _norm
from oncarium.biology.volume import Volume
from reference import mechanics as twin

R = 8.412710547954228
AB = {"method": "adams-bashforth"}


def crowd(grid=BOX, count=120, seed=1, radius=60.0, options=AB):
    """Cells of three unlike types, some immovable, attached, attacking, moving and near the walls."""
    rng = np.random.default_rng(seed)
    mechanics = Mechanics(0.1, **options)
    every = [Motility(0.1), Springs(0.1, mechanics), Contacts(0.1, mechanics), Death(6.0), Volume(6.0), mechanics]
    tissue = tissue_of(
        every, grid, TYPES, base={"mechanics.wall": [10.0, 0.0, 30.0], "mechanics.affinity": rng.random((3, 3))}
    )
    add_cells(tissue, ball(count, radius, seed, grid.is_2d) + np.array([0.0, 150.0, 0.0]), np.arange(count) % 3)
    cells = tissue.cells
    cells["radius"][:] = 8.0 + rng.random(count)
    for name in ("repulsion", "adhesion"):
        cells[f"mechanics.{name}"][:] *= 0.5 + rng.random(count)
    cells["mechanics.adhesion_distance"][:] = 0.9 + 0.5 * rng.random(count)
    cells["mechanics.movable"][:] = rng.random(count) > 0.1
    cells["springs.elastic"][:] = rng.random(count)
    cells["motility.speed"][:] = rng.random(count)
    cells["motility.heading"][:] = ball(count, 1.0, seed + 1, grid.is_2d)
    for a, b in ((0, 5), (0, 8), (7, 3)):
        for i, j in ((a, b), (b, a)):
            cells["springs.partner"][i, np.argmin(cells["springs.partner"][i])] = j
    cells["attack.target"][11] = 2
    cells["attack.target"][13] = 10_000  # gone
    return mechanics, tissue


def of(tissue):
    """The twin's view of the cells."""
    c = tissue.cells
    names = ("repulsion", "adhesion", "affinity", "movable")
    view = {n: c[f"mechanics.{n}"] for n in names} | {n: c[n] for n in ("id", "type", "position", "radius")}
    return view | {
        "reach": c["radius"] * c["mechanics.adhesion_distance"],
        "wall": c.base["mechanics.wall"],
        "elastic": c["springs.elastic"],
        "motility": c["motility.heading"] * c["motility.speed"][:, None],
    }


def test_two_cells_by_hand():
    mechanics = Mechanics(0.1, **AB)
    tissue = tissue_of([mechanics])
    add_cells(tissue, [[0, 0, 0], [10, 0, 0]])
    fire(mechanics, tissue, dt=0.1)
    v = 10.0 * (1 - 10 / (2 * R)) ** 2 - 0.4 * (1 - 10 / (2.5 * R)) ** 2
    # forces are whole multiples of 6e-14 um/min
    np.testing.assert_allclose(tissue.cells["velocity"], [[-v, 0, 0], [v, 0, 0]], rtol=1e-13)
    np.testing.assert_allclose(tissue.cells.position[:, 0], [-0.15 * v, 10 + 0.15 * v], rtol=1e-13)
    np.testing.assert_allclose(tissue.cells["sense.pressure"], (1 - 10 / (2 * R)) ** 2 / PRESSURE_UNIT, rtol=1e-14)


@pytest.mark.parametrize("grid", [BOX, PLANE], ids=["box", "plane"])
def test_velocities_agree_with_the_twin(grid):
    mechanics, tissue = crowd(grid)
    shuffle(tissue)
    view = {k: v.copy() for k, v in of(tissue).items()}
    pairs = tissue.cells.rows_of(np.array([[0, 5], [0, 8], [3, 7], [11, 2]]))
    expected, pressure = twin.velocities(view, pairs, grid.lower, grid.upper, grid.is_2d)
    fire(mechanics, tissue, dt=0.1)
    np.testing.assert_allclose(tissue.cells["velocity"], expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(tissue.cells["sense.pressure"], pressure, rtol=1e-12, atol=1e-12)


def test_cells_at_one_place_part():
    mechanics = Mechanics(0.1)
    tissue = tissue_of([mechanics])
    add_cells(tissue, np.zeros((2, 3)))
    shuffle(tissue)
    run([mechanics], tissue, 60.0, 0.1)
    x = tissue.cells.position[tissue.cells.order(), 0]
    assert x[0] > 7.5 and x[0] == -x[1]


@pytest.mark.parametrize("options", [AB, {}], ids=["adams-bashforth", "adaptive"])
def test_pair_forces_keep_the_centroid(options):
    """A12: without walls and motility, whatever the affinities (they act through the product of both)."""
    mechanics = Mechanics(0.1, **options)
    tissue = tissue_of([mechanics])
    add_cells(tissue, ball(500, 55.0))
    before = tissue.cells.position.sum(axis=0)
    run([mechanics], tissue, 60.0, 0.1)
    n = tissue.cells.n
    assert np.abs(tissue.cells["velocity"].sum(axis=0)).max() < 1e-12 * n
    assert np.abs(tissue.cells.position.sum(axis=0) - before).max() / n < 1e-12 * n


def test_walls_keep_cells_in_the_box():
    mechanics = Mechanics(0.5)
    tissue = tissue_of([mechanics], base={"mechanics.wall": 100.0})
    add_cells(tissue, ball(200, 30.0) + np.array([190.0, 190.0, 0.0]))
    run([mechanics], tissue, 30.0, 0.5)
    assert (tissue.cells.position <= BOX.upper - 2.0).all()


def ending(options):
    """Five unlike cells that stay within touch, so that every force is smooth along the way."""
    mechanics = Mechanics(0.5, **options)
    tissue = tissue_of([mechanics])
    add_cells(tissue, [[0, 0, 0], [9, 1, 0], [2, 8, 1], [1, 3, 9], [-4, -3, -4]])
    tissue.cells["mechanics.repulsion"][:] = [10, 12, 8, 14, 9]
    run([mechanics], tissue, 1.0, 0.5)
    return tissue.cells.position.copy()


def test_adaptive_steps_are_of_third_order():
    """Steps of fixed length (no error control): halving them divides the error by about eight."""
    exact = ending({"tolerance": 1e9, "largest_step": 0.5 / 512})
    error = [np.abs(ending({"tolerance": 1e9, "largest_step": h}) - exact).max() for h in (0.0625, 0.03125)]
    assert math.log2(error[0] / error[1]) > 2.8


def test_error_control_rejects_and_recovers():
    mechanics = Mechanics(6.0)
    tissue = tissue_of([mechanics])
    add_cells(tissue, ball(100, 10.0))
    fire(mechanics, tissue, 10, dt=6.0)
    assert mechanics.evaluations > 3 * mechanics.substeps + 10
    assert mechanics.step_minutes == mechanics.largest_step
    assert np.isfinite(tissue.cells.position).all()


@pytest.mark.parametrize("options", [AB, {}], ids=["adams-bashforth", "adaptive"])
def test_threads_and_order_in_memory_do_not_matter(options, monkeypatch):
    monkeypatch.setattr("oncarium.engine.threads.PARALLEL_FROM", 10)
    monkeypatch.setattr(Mechanics, "crew_from", 1)
    found = set()
    for threads, order in ((1, None), (2, 1), (4, 2)):
        mechanics, tissue = crowd(options=options)
        mechanics.threads = threads
        if order:
            shuffle(tissue, order)
        fire(mechanics, tissue, 30, dt=0.1)
        found.add(tissue.digest())
    assert len(found) == 1


def test_a_restart_goes_on_with_the_same_bytes():
    whole, tissue = crowd(options={})
    fire(whole, tissue, 20, dt=0.5)
    first, half = crowd(options={})
    fire(first, half, 10, dt=0.5)
    second = Mechanics(0.1)
    second.prepare(half)
    second.restore(first.state())
    fire(second, half, 10, dt=0.5, first=10)
    assert half.digest() == tissue.digest()


def test_no_pair_is_so_strong_that_its_sum_overflows():
    mechanics = Mechanics(0.1, **AB)
    tissue = tissue_of([mechanics])
    add_cells(tissue, [[0, 0, 0], [1, 0, 0]])
    tissue.cells["mechanics.repulsion"][:] = 1e12
    fire(mechanics, tissue, dt=1e-9)
    assert tissue.cells["velocity"][:, 0].tolist() == [-FASTEST, FASTEST]


@pytest.mark.parametrize("forgiven", [0, 3, 50])
def test_the_error_that_counts_is_the_largest_but_a_few(forgiven):
    """Against a sorted list; told to a fifth, and never too small."""
    rng = np.random.default_rng(forgiven)
    k, motility = np.zeros((4, 500, 3)), np.zeros((500, 3))
    k[3, :, 0] = 0.24 * 10.0 ** rng.uniform(-6, 3, 500)  # an eighth of it is the error
    motility[::2, 1] = 1.0
    allowed = 0.03 + 0.5 * motility[:, 1]
    count = np.zeros((2, PLACES), np.int64)
    for part in range(2):
        _errors(250 * part, 250 * part + 250, k, (0, 1, 2, 3), motility, 0.03, 0.5, count[part])
    exact = np.sort(k[3, :, 0] / 8.0 / allowed)[-1 - forgiven]
    assert count.sum() == 500 and exact <= _norm(count, forgiven) <= 1.2 * exact
    assert _norm(count, 500) == 0.0
