"""Secretion: by hand, against the twin, the books between cells and fields, any step, any order."""

import numpy as np
import pytest

from helpers import BOX, FACTORS, PLANE, TYPES, add_cells, ball, fire, run, shuffle, small_world, tissue_of
from oncarium.biology.death import Death
from oncarium.biology.secretion import Secretion, concentration_per_amount
from oncarium.biology.transport import Transport
from oncarium.biology.volume import Volume
from reference import fields as twin

COLUMNS = ("secretion.rate", "secretion.approach", "secretion.target", "secretion.uptake", "metabolism.consumption")
SOURCES = ("supply", "demand", "capacity")


def world(grid=BOX, count=300, seed=1, units=("mmHg", "nM")):
    """Cells of random rates; some share a voxel, some lie beyond the box."""
    processes = [Secretion(0.5), Volume(6.0), Death(6.0)]
    tissue = tissue_of(processes, grid, factors=FACTORS)
    tissue.fields.units = units
    processes[0].prepare(tissue)
    add_cells(tissue, ball(count, 210.0, seed, flat=grid.is_2d))
    rng = np.random.default_rng(seed)
    for name in COLUMNS:
        tissue.cells[name][:] = rng.random((count, len(FACTORS))) * (rng.random((count, len(FACTORS))) < 0.7)
    tissue.cells["volume.total"][:] = rng.uniform(500.0, 4000.0, count)
    return processes[0], tissue


@pytest.mark.parametrize(
    "unit, amount", [("mmHg", 1.0), ("M", 1.0), ("mM", 1e3), ("uM", 1e6), ("nM", 1e9), ("pM", 1e12), ("1", 1.0)]
)
def test_one_femtomole_in_one_cubic_micrometer(unit, amount):
    """1 fmol / um^3 = 1e-15 mol / 1e-15 L."""
    assert concentration_per_amount(unit) == amount


def test_one_cell_by_hand():
    secretion, tissue = world(count=1, units=("mmHg", "nM"))
    cells, fields = tissue.cells, tissue.fields
    cells.position[:] = [-199.0, -150.0, 199.9]
    cells["volume.total"][:] = 2000.0  # a quarter of a voxel of 8000 um^3
    for name, values in zip(COLUMNS, ([800.0, 1e-3], [2.0, 0.0], [38.0, 5.0], [10.0, 0.1], [0.5, 3.0])):
        cells[name][:] = values
    fields.supply[:] = fields.demand[:] = fields.capacity[:] = 7.0  # of the step before
    fire(secretion, tissue)
    at = (19, 2, 0)
    assert fields.supply[(0, *at)] == 800.0 / 8000.0 + 0.25 * 2.0 * 38.0
    assert fields.supply[(1, *at)] == pytest.approx(1e-3 * 1e9 / 8000.0, rel=1e-15)  # 1e-3 fmol in 8 pL is 125 nM
    assert fields.demand[(0, *at)] == 0.25 * 2.0 + 0.25 * 10.0 and fields.demand[(1, *at)] == 0.25 * 0.1
    assert fields.capacity[(0, *at)] == 0.25 * 0.5 and fields.capacity[(1, *at)] == 0.25 * 3.0
    for name in SOURCES:
        assert np.count_nonzero(getattr(fields, name)) == 2


@pytest.mark.parametrize("grid", [BOX, PLANE], ids=["3-D", "2-D"])
def test_sources_agree_with_the_twin(grid):
    secretion, tissue = world(grid)
    shuffle(tissue)
    before = [tissue.cells[name].copy() for name in (*COLUMNS, "volume.total", "position")]
    fire(secretion, tissue)
    outside = tissue.cells.position.copy()
    # what lies beyond belongs to the outermost voxel
    tissue.cells.position[:] = np.clip(outside, grid.lower, grid.upper)
    per_amount = [concentration_per_amount(u) / grid.voxel_volume for u in tissue.fields.units]
    for name, wanted in zip(SOURCES, twin.secrete(tissue.fields, tissue.cells, per_amount)):
        np.testing.assert_allclose(getattr(tissue.fields, name), wanted, rtol=1e-13, atol=0)
    tissue.cells.position[:] = outside
    assert all(np.array_equal(a, tissue.cells[n]) for a, n in zip(before, (*COLUMNS, "volume.total", "position")))


def test_what_cells_release_is_what_the_fields_gain():
    """Amounts, summed over all cells by hand: released per minute, and taken up at the concentration a cell finds."""
    secretion, tissue = world()
    cells, fields = tissue.cells, tissue.fields
    fields.value[:] = np.random.default_rng(5).random(fields.shape)
    fire(secretion, tissue)
    volume, cell = fields.grid.voxel_volume, cells["volume.total"][:, None]
    x, y, z = np.clip((cells.position - fields.grid.lower) // 20.0, 0, 19).astype(int).T
    here = fields.value[:, z, y, x].T
    for f, amount in enumerate((1.0, 1e9)):
        released = (cells["secretion.rate"] * amount + cell * cells["secretion.approach"] * cells["secretion.target"])[
            :, f
        ].sum()
        taken = (cell * (cells["secretion.approach"] + cells["secretion.uptake"]) * here)[:, f].sum()
        consumed = (cell * cells["metabolism.consumption"] * here / (2.0 + here))[:, f].sum()
        assert fields.supply[f].sum() * volume == pytest.approx(released, rel=1e-12)
        assert (fields.demand[f] * fields.value[f]).sum() * volume == pytest.approx(taken, rel=1e-12)
        assert (fields.capacity[f] * fields.value[f] / (2.0 + fields.value[f])).sum() * volume == pytest.approx(
            consumed, rel=1e-12
        )


def closed_box(*solver):
    """Secretion and transport in a closed box without decay, and its 200 cells."""
    secretion, transport = Secretion(0.5), Transport(0.5, dict.fromkeys(FACTORS, *solver))
    tissue = tissue_of([secretion, transport, Volume(6.0), Death(6.0)], factors=FACTORS)
    tissue.fields.decay[:] = 0.0
    add_cells(tissue, ball(200, 150.0))
    return secretion, transport, tissue


@pytest.mark.parametrize("start", [1.0, 0.0])
def test_what_is_released_arrives(start):
    secretion, transport, tissue = closed_box("bdf2")
    tissue.fields.value[0] = start
    tissue.cells["secretion.rate"][:, 0] = np.arange(200.0)
    run([secretion, transport], tissue, 30.0, 0.5)
    assert tissue.fields.amount("oxygen") - start * 400.0**3 == pytest.approx(30.0 * 199.0 * 100.0, rel=1e-8)
    assert tissue.fields.amount("signal") == 0.0


def test_what_is_taken_up_is_gone():
    """Mixed at once, c' = -k c with k the sum of volume times uptake over the box."""
    secretion, transport, tissue = closed_box("bdf2")
    tissue.fields.value[0] = 10.0
    tissue.fields.diffusion[0] = 1e7
    tissue.cells["secretion.uptake"][:, 0] = 4.0
    run([secretion, transport], tissue, 30.0, 0.5)
    rate = 4.0 * tissue.cells["volume.total"].sum() / 400.0**3
    assert tissue.fields.value[0].mean() == pytest.approx(10.0 * np.exp(-30.0 * rate), rel=1e-3)


def test_the_target_is_where_a_secreting_cell_stops():
    """Mixed at once, c' = k (target - c)."""
    secretion, transport, tissue = closed_box("bdf2")
    tissue.fields.diffusion[0] = 1e7
    tissue.cells["secretion.approach"][:, 0] = 10.0
    tissue.cells["secretion.target"][:, 0] = 20.0
    rate = 10.0 * tissue.cells["volume.total"].sum() / 400.0**3
    run([secretion, transport], tissue, 10.0, 0.5)
    assert tissue.fields.value[0].mean() == pytest.approx(20.0 * (1.0 - np.exp(-10.0 * rate)), rel=2e-3)
    run([secretion, transport], tissue, 200.0, 0.5)
    np.testing.assert_allclose(tissue.fields.value[0], 20.0, rtol=1e-4)
    assert tissue.fields.value[0].max() <= 20.0 * (1.0 + 1e-9)


def test_sources_are_rates_and_do_not_depend_on_the_step():
    ends = []
    for dt in (0.1, 6.0):
        secretion, tissue = world()
        fire(secretion, tissue, 3, dt=dt)  # each firing replaces the one before
        ends.append([getattr(tissue.fields, name).copy() for name in SOURCES])
    assert all(np.array_equal(a, b) for a, b in zip(*ends))


def test_a_finer_step_of_the_clock_changes_nothing_that_rests():
    """Sources and cells at rest: any period of secretion and transport gives the same steady state."""
    ends = []
    for dt in (0.5, 5.0):
        secretion, transport = Secretion(dt), Transport(dt, {"oxygen": "quasi-steady"}, 1e-6)
        tissue = tissue_of([secretion, transport, Volume(6.0), Death(6.0)])
        tissue.fields.set_boundary("oxygen", "zmax", "value", 38.0)
        add_cells(tissue, ball(100, 150.0))
        tissue.cells["secretion.uptake"][:] = 10.0
        run([secretion, transport], tissue, 20.0, dt)
        ends.append(tissue.fields.value.copy())
    np.testing.assert_allclose(ends[0], ends[1], atol=2e-6)


def sources(threads=1, order=None):
    processes, tissue = small_world(threads)
    if order is not None:
        shuffle(tissue, order)
    tissue.cells["secretion.rate"][:] = np.sin(tissue.cells.id + 1.0)[:, None] * [1.0, 1e-9]
    secretion = processes[0]
    assert isinstance(secretion, Secretion) and len(TYPES) == 3
    fire(secretion, tissue)
    return b"".join(getattr(tissue.fields, name).tobytes() for name in SOURCES)


@pytest.mark.parametrize("threads, order", [(1, 1), (2, None), (4, 2)])
def test_neither_threads_nor_the_order_of_rows_show(monkeypatch, threads, order):
    monkeypatch.setattr("oncarium.engine.threads.PARALLEL_FROM", 10)
    assert sources(threads, order) == sources()
