"""Drivers: names, draws, parameters, filters, and what the generated loops compute."""

import math
from pathlib import Path

import numpy as np
import pytest

from helpers import PLANE, TYPES, add_cells, ball, fire, shuffle, tissue_of
from oncarium.biology.damage import damage
from oncarium.biology.death import Death
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.secretion import Secretion
from oncarium.biology.transport import Transport
from oncarium.biology.volume import Volume
from oncarium.engine.column import Signal, State
from oncarium.engine.loop import LoopError, each_cell, each_contact, each_voxel
from oncarium.engine.plan import Plan
from oncarium.engine.random import pair, uniform

SCALE = 2.0


@each_cell(writes=("stress",), columns=(State("1", name="stress"),), of="tumor", among="all")
def stressing(stress, volume_total, volume_fluid_change, dt, gain="0.6 1/h"):
    """Grows with the cell's volume."""
    return stress + gain * dt * volume_total * math.sqrt(volume_fluid_change**SCALE)


@each_cell(writes=("draw", "other_draw"), columns=(State("1", name="draw"), State("1", name="other_draw")))
def drawing(u, u1, kind, id):
    return u, u1 + kind + id


@each_contact(writes=("push", "nearest"), columns=(Signal("1", name="push"), State("1", name="nearest")))
def pushing(distance, other_radius, other_volume_total, other_kind, u):
    return math.exp(-distance / other_radius) * (1.0 + other_kind), u


@each_contact(
    writes=("highest",), reduce="max", columns=(State("1", 0.1, name="highest"),), of="tumor", other=("killer", "eater")
)
def highest(other_highest, distance):
    return other_highest + 1.0 / (1.0 + distance)


@each_voxel(writes=("supply_signal", "demand_oxygen"))
def reacting(oxygen, signal, voxel_volume, k="2 1/min"):
    return k * oxygen * signal + voxel_volume, k * signal


def world(*processes, grid=PLANE, count=60):
    """Cells of three types in the plane."""
    every = [Volume(1.0), Death(1.0), Mechanics(1.0), *processes]
    tissue = tissue_of(every, grid, TYPES, ("oxygen", "signal"))
    add_cells(tissue, ball(count, 60.0, flat=True), np.arange(count) % 3)
    return tissue


def test_the_function_stays_a_function():
    assert stressing.function(1.0, 100.0, 0.5, 2.0, gain=0.25) == 26.0
    assert stressing.__doc__ == "Grows with the cell's volume."


def test_cells_of_a_type_parameters_with_units_and_traits():
    for process, gain in ((stressing(), 0.01), (stressing(gain="0.02 1/min"), 0.02), (stressing(gain=3), 3.0)):
        tissue = world(process)
        fire(process, tissue, 2, dt=0.5)
        expected = np.where(tissue.cells.type == 0, gain * 2494.0 * 0.05, 0.0)
        np.testing.assert_allclose(tissue.cells["stress"], expected, rtol=1e-14)


@pytest.mark.parametrize("among, acts", [("live", [True, False]), ("dead", [False, True]), ("all", [True, True])])
def test_among_the_living_the_dead_or_all(among, acts):
    @each_cell(writes=("mark",), columns=(State("1", name="mark"),), among=among)
    def marking(mark):
        return mark + 1.0

    process = marking()
    tissue = world(process, count=2)
    tissue.cells["vital"][:] = [0, 1]
    fire(process, tissue)
    assert (tissue.cells["mark"] == 1.0).tolist() == acts


def test_draws_are_those_of_the_cell_and_the_tick():
    process = drawing()
    tissue = world(process)
    shuffle(tissue)
    fire(process, tissue, seed=5, first=7)
    for i in range(tissue.cells.n):
        cell = tissue.cells.id[i]
        assert tissue.cells["draw"][i] == uniform(np.uint64(5), process.stream, 7, cell, 0)
        assert (
            tissue.cells["other_draw"][i]
            == uniform(np.uint64(5), process.stream, 7, cell, 1) + tissue.cells.type[i] + cell
        )


def pairs_within_reach(tissue):
    cells = tissue.cells
    reach = cells["radius"] * cells["mechanics.adhesion_distance"]
    for i in range(cells.n):
        for j in cells.order():
            d = float(np.sqrt(((cells.position[i] - cells.position[j]) ** 2).sum()))
            if i != j and d < reach[i] + reach[j]:
                yield i, j, d


def test_contacts_sum_over_neighbors_and_signals_start_from_zero():
    process = pushing()
    tissue = world(process)
    shuffle(tissue)
    cells = tissue.cells
    fire(process, tissue, 2, seed=3)
    push, drawn = np.zeros(cells.n), np.zeros(cells.n)
    for i, j, d in pairs_within_reach(tissue):
        push[i] += math.exp(-d / cells["radius"][j]) * (1.0 + cells.type[j])
        for tick in (0, 1):
            drawn[i] += uniform(np.uint64(3), process.stream, tick, pair(cells.key[i], cells.key[j]), 0)
    assert push.max() > 0.0
    np.testing.assert_allclose(cells["push"], push, rtol=1e-12)
    np.testing.assert_allclose(cells["nearest"], drawn, rtol=1e-12)


def test_contacts_take_the_largest_and_read_neighbors_as_they_were():
    process = highest()
    tissue = world(process)
    cells = tissue.cells
    cells["highest"][:] = np.random.default_rng(1).random(cells.n)
    before = cells["highest"].copy()
    expected = before.copy()
    for i, j, d in pairs_within_reach(tissue):
        if cells.type[i] == 0 and cells.type[j] > 0:
            expected[i] = max(expected[i], before[j] + 1.0 / (1.0 + d))
    fire(process, tissue)
    assert (expected > before).any()
    np.testing.assert_allclose(cells["highest"], expected, rtol=1e-14)


@pytest.mark.parametrize("maker", [drawing, pushing])
def test_threads_and_order_in_memory_do_not_matter(maker, monkeypatch):
    monkeypatch.setattr("oncarium.engine.threads.PARALLEL_FROM", 10)
    found = set()
    for threads, order in ((1, None), (2, 1), (4, 2)):
        process = maker()
        tissue = world(process)
        if order:
            shuffle(tissue, order)
        process.threads = threads
        fire(process, tissue, 2)
        rows = tissue.cells.order()
        found.add(b"".join(tissue.cells[c.name][rows].tobytes() for c in process.columns()))
    assert len(found) == 1


def test_voxels_add_to_what_transport_solves():
    process = reacting()
    tissue = world(process)
    fields = tissue.fields
    rng = np.random.default_rng(2)
    fields.value[:] = rng.random(fields.value.shape)
    fields.supply[:] = 1.0
    fire(process, tissue)
    oxygen, signal = fields.value
    np.testing.assert_allclose(fields.supply[1], 1.0 + 2.0 * oxygen * signal + 8000.0, rtol=1e-14)
    np.testing.assert_allclose(fields.demand[0], 2.0 * signal, rtol=1e-14)
    assert (fields.supply[0] == 1.0).all() and (fields.demand[1] == 0.0).all() and (fields.capacity == 0.0).all()


def test_voxels_come_after_secretion_and_before_transport():
    secretion, transport, process = Secretion(1.0), Transport(1.0), reacting()
    assert Plan([secretion, transport, process], 1.0).processes == [secretion, process, transport]


def test_one_process_serves_several_tissues():
    process = pushing()
    small, large = world(process, count=20), world(process, count=60)
    for tissue in (small, large, small):
        fire(process, tissue)
    again = world(pushing(), count=20)
    fire(pushing_of(again), again)
    assert small.cells["push"].tobytes() == again.cells["push"].tobytes()


def pushing_of(tissue):
    process = pushing()
    process.prepare(tissue)
    return process


def test_the_generated_file_is_readable_and_made_once():
    first, second = damage(), damage(exact=0)
    tissue = world(first, second)
    path = Path(first.module.__file__)
    assert first.module is second.module
    text = path.read_text()
    assert (
        "def one_damage(" in text
        and "damage_level[i] = one_damage(damage_level[i], damage_rate[i], damage_repair[i], dt, exact)" in text
    )
    stamp = path.stat().st_mtime_ns
    damage().prepare(tissue)
    assert path.stat().st_mtime_ns == stamp
    assert "damage_repair" in first.describe() and str(path) in first.describe()


def test_errors_name_the_nearest():
    @each_cell(writes=("stress",), columns=(State("1", name="stress"),))
    def misspelt(stress, volum_total):
        return stress + volum_total

    with pytest.raises(LoopError, match=r"misspelt: the argument volum_total .* Did you mean volume_total"):
        world(misspelt())

    @each_cell(writes=("volume.totl",))
    def lost(dt):
        return dt

    with pytest.raises(LoopError, match=r"writes volume.totl, which is no column. Did you mean volume.total"):
        world(lost())

    @each_cell(writes=("volume.rupture",))
    def constant(dt):
        return dt

    with pytest.raises(LoopError, match="a trait"):
        world(constant())

    @each_cell(writes=("volume.total",), of="tumour")
    def nobody(volume_total):
        return volume_total

    with pytest.raises(LoopError, match=r"no cell type tumour. Did you mean tumor"):
        world(nobody())

    with pytest.raises(LoopError, match="has no parameter gian; Did you mean gain"):
        stressing(gian=1.0)

    @each_voxel(writes=("supply_oxigen",))
    def breathing(signal):
        return signal

    with pytest.raises(LoopError, match=r"writes supply_oxigen, which no factor has. Did you mean supply_oxygen"):
        world(breathing())


def test_errors_of_words_functions_and_missing_neighbors():
    @each_cell(writes=("volume.total",))
    def clash(volume_total, near=1.0):
        return volume_total * near

    with pytest.raises(LoopError, match="the name near is used by the loop itself"):
        world(clash())

    @each_cell(writes=("volume.total",))
    def texts(volume_total):
        return {"a": volume_total}.get("b", []).append(1)

    process = texts()
    tissue = world(process)
    with pytest.raises(LoopError, match="texts: cannot be compiled"):
        fire(process, tissue)

    names = ["no", "number"]

    @each_cell(writes=("volume.total",))
    def outside(volume_total):
        return volume_total + len(names)

    with pytest.raises(LoopError, match="names is neither a module, a number nor a compiled function"):
        world(outside())

    process = pushing()
    tissue = world(process)
    tissue.look = None
    with pytest.raises(LoopError, match="needs a process that moves the cells"):
        fire(process, tissue)
