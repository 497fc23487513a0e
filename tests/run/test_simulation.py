"""A simulation: what stops it, what it leaves when it stops, and that neither threads nor the order in memory show."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.engine.process import Process
from oncarium.errors import DataError, NumericsError
from oncarium.model.model import EXAMPLE, Model
from oncarium.run import checkpoint
from oncarium.run.simulation import Simulation


class Spoiler(Process):
    """Writes one number into one cell or voxel at one tick, after everyone else has acted."""

    slot = "body"

    def __init__(self, name, value, at=150, slot="body"):
        self.what, self.value, self.at, self.slot = name, value, at, slot

    def step(self, tissue, tick):
        if tick.number == self.at:
            if self.what == "value":
                tissue.fields.value[0, 0, 3, 4] = self.value
            else:
                tissue.cells[self.what][tissue.cells.id == 7] = self.value


@pytest.fixture(scope="module")
def model():
    return Model.from_text(EXAMPLE).with_({"record": {"cells": "30 min", "fields": "1 h", "checkpoint": "1 h"}})


CELLS = [("position", np.nan), ("position", np.inf), ("volume.total", np.inf), ("volume.total", np.nan)]


@pytest.mark.parametrize("name, value", CELLS)
def test_a_cell_gone_wrong_stops_the_run_at_once(model, name, value):
    simulation = Simulation(model.with_process(Spoiler(name, value)), seed=1)
    with pytest.raises(NumericsError) as caught:
        simulation.run("4 h")
    said = str(caught.value)
    assert simulation.tick == 151
    assert f"tick 151 (151 min)\n  {name} of cell 7 (tumor) is {value:g}; 1 of " in said


@pytest.mark.parametrize("name", ["cycle.exit", "radius", "damage.level", "secretion.uptake"])
@pytest.mark.parametrize("slot", ["act", "body"])
def test_any_number_of_a_cell_gone_wrong_is_named_before_cells_decide_again(model, tmp_path, name, slot):
    """And what it spreads to is not what is named; nothing of it is in any frame."""
    spoiled = model.with_({"cells.tumor.damage.repair": "0.1 1/min", "cells.tumor.rules": []}).with_process(
        Spoiler(name, np.nan, slot=slot)
    )
    with pytest.raises(NumericsError, match=rf"{name} of cell 7 \(tumor\) is nan; 1 of ") as caught:
        oc.run(spoiled, "4 h", out=tmp_path, seed=1)
    tick = int(str(caught.value).split()[1])
    assert 151 <= tick <= 156
    result = oc.open(tmp_path)
    assert result.times[-1] == 150.0
    for t in result.times:
        assert np.isfinite(result.array("radius", t)).all()


def test_what_is_no_number_is_in_no_frame(model, tmp_path):
    """Spoiled between two decisions, when a frame of cells is due at once."""
    spoiled = model.with_({"record.cells": "1 min"}).with_process(Spoiler("cycle.exit", np.nan, at=152))
    with pytest.raises(NumericsError, match=r"tick 153 \(153 min\)\n  cycle.exit of cell 7"):
        oc.run(spoiled, "4 h", out=tmp_path, seed=1)
    assert oc.open(tmp_path).times[-1] == 152.0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1e-6])
@pytest.mark.parametrize("solver", ["quasi-steady", "bdf2"])
def test_a_field_gone_wrong_names_factor_voxel_and_time(model, value, solver):
    simulation = Simulation(
        model.with_({"factors.oxygen.solver": solver}).with_process(Spoiler("value", value)), seed=1
    )
    with pytest.raises(NumericsError) as caught:
        simulation.run("4 h")
    assert f"tick 151 (151 min)\n  oxygen is {value:.3g} in voxel (z, y, x) = (0, 3, 4); 1 voxels" in str(caught.value)


def test_a_sink_that_takes_more_than_there_is_names_factor_voxel_and_time(model):
    simulation = Simulation(model.with_({"cells.tumor.secretion.rate.oxygen": "-1e9 mmHg*um^3/min"}), seed=1)
    with pytest.raises(NumericsError, match=r"oxygen is -[\d.e+]+ in voxel \(z, y, x\) = \(0, \d+, \d+\) at 1 min"):
        simulation.run("1 h")


def test_a_source_that_is_no_number_names_the_cell(model):
    simulation = Simulation(model.with_process(Spoiler("secretion.rate", np.nan)), seed=1)
    with pytest.raises(NumericsError, match=r"secretion.rate of cell 7 \(tumor\) is nan; 1 of "):
        simulation.run("4 h")


def test_a_population_that_runs_away_stops_the_run(model, monkeypatch):
    monkeypatch.setattr("oncarium.run.simulation.MOST_CELLS", 100)
    simulation = Simulation(model.with_({"cells.tumor.cycle.exit": "0.1 1/min"}), seed=1)
    with pytest.raises(
        NumericsError, match=r"tick \d+ \(\d+ min\)\n  the population has run away: 1\d\d tumor. Room is for 100 cells"
    ):
        simulation.run("1 day")
    assert 100 < simulation.tissue.cells.n < 250


def test_room_for_cells_is_that_of_the_machine(model, monkeypatch):
    monkeypatch.setattr("oncarium.run.simulation.memory_here", lambda: 1e6)
    simulation = Simulation(model, seed=1)
    assert simulation.most_cells == int(0.8e6 / (3 * simulation.tissue.cells.bytes_per_cell))


def test_after_a_stop_checkpoint_and_frames_are_whole_and_the_run_goes_on(model, tmp_path):
    """The mechanism that spoils it is repaired, and the run goes on from the last checkpoint as if it had never
    been."""
    with pytest.raises(NumericsError):
        oc.run(model.with_process(Spoiler("position", np.nan)), "4 h", out=tmp_path, seed=1)
    straight = oc.run(model.with_process(Spoiler("position", np.nan, at=-1)), "4 h", out=tmp_path / "straight", seed=1)
    kept = oc.open(tmp_path)
    assert (
        not kept.finished
        and list(kept.times) == [0.0, 30.0, 60.0, 90.0, 120.0, 150.0]
        and list(kept.field_times) == [0.0, 60.0, 120.0]
    )
    for t in kept.times:
        assert kept.cells(t).equals(straight.cells(t))
    assert checkpoint.newest(kept.path)[0]["tick"] == 120
    resumed = oc.resume(tmp_path, "4 h", processes=[Spoiler("position", np.nan, at=-1)], other_code=True)
    assert resumed.finished and resumed.digest == straight.digest
    assert resumed.events.equals(straight.events) and resumed.summary.equals(straight.summary)


def test_events_between_the_last_frames_of_cells_and_of_fields_survive_a_stop(model, tmp_path):
    """Fields are seen later than cells before the run stops: the events in between are not lost."""
    dividing = model.with_(
        {"cells.tumor.cycle.exit": "0.02 1/min", "record": {"cells": "2 h", "fields": "10 min", "checkpoint": "1 h"}}
    )
    with pytest.raises(NumericsError):
        oc.run(dividing.with_process(Spoiler("position", np.nan)), "3 h", out=tmp_path, seed=1)
    straight = oc.run(dividing, "3 h", out=tmp_path / "straight", seed=1)
    resumed = oc.resume(tmp_path, "3 h", processes=[Spoiler("position", np.nan, at=-1)], other_code=True)
    between = straight.events["time"].between(120, 150)
    assert between.any()
    assert resumed.events.equals(straight.events) and resumed.digest == straight.digest


def test_a_run_with_own_mechanisms_does_not_go_on_without_them(model, tmp_path):
    oc.run(model.with_process(Spoiler("position", np.nan, at=-1)), "1 h", out=tmp_path, seed=1)
    with pytest.raises(DataError, match="Spoiler"):
        oc.resume(tmp_path, "2 h")
    with pytest.raises(DataError, match="Spoiler"):
        oc.branch(tmp_path, {"control": {}}, "2 h", out=tmp_path / "arms")
    arms = oc.branch(
        tmp_path,
        {"control": {}},
        "2 h",
        out=tmp_path / "arms",
        processes=[Spoiler("position", np.nan, at=-1)],
        other_code=True,
    )
    assert (
        arms["control"].digest
        == oc.resume(tmp_path, "2 h", processes=[Spoiler("position", np.nan, at=-1)], other_code=True).digest
    )


def test_a_tissue_whose_cells_are_gone_goes_on(model):
    simulation = Simulation(model.with_({"initial.0.count": 0}), seed=1)
    simulation.run("1 h")
    assert simulation.tissue.cells.n == 0


def test_the_clock_counts_ticks(model):
    simulation = Simulation(
        model.with_({"clock": {"transport": "0.1 min", "mechanics": "0.1 min", "phenotype": "6 min"}}), seed=1
    )
    seen = []
    simulation.run("0.5 min", see=lambda s: seen.append((s.tick, s.time)))
    assert [tick for tick, _ in seen] == [1, 2, 3, 4, 5]
    assert [time for _, time in seen] == [k * 0.1 for k in range(1, 6)]
    simulation.run("0.5 min")
    assert simulation.tick == 5 and str(simulation) == "A small tumor at 0.5 min: 20 tumor"


def test_a_copy_goes_on_alike_and_apart(model):
    simulation = Simulation(model, seed=3)
    simulation.run("1 h")
    other = simulation.copy()
    before = simulation.digest()
    other.run("3 h")
    assert simulation.digest() == before != other.digest()
    simulation.run("3 h")
    assert simulation.digest() == other.digest()


@pytest.fixture(scope="module")
def slice_of_tumor():
    """The hypoxic tumor with about 200 cells: every mechanism of it acts within six hours."""
    return oc.load("hypoxic_tumor").with_(
        {
            "domain.x": ["-160 um", "160 um"],
            "domain.y": ["-160 um", "160 um"],
            "initial.0.disc.radius": "100 um",
            "initial.1.disc.radius": "120 um",
            "initial.1.count": 30,
            "initial.2.ring": {"inner": "20 um", "outer": "150 um"},
            "initial.2.count": 30,
            "cells.tumor.cycle.exit": "0.001 1/min",
            "cells.tumor.death.apoptosis": "0.0005 1/min",
            "cells.cd8.attack.rate.tumor": "0.1 1/min",
        }
    )


def ending(model, threads, order=None):
    simulation = Simulation(model, seed=4, threads=threads)
    cells = simulation.tissue.cells
    if order is not None:
        cells.reorder(np.random.default_rng(order).permutation(cells.n))
    simulation.run("6 h")
    return simulation


@pytest.fixture(scope="module")
def serial(slice_of_tumor):
    return ending(slice_of_tumor, 1)


def test_everything_of_the_scenario_happens_within_six_hours(serial, slice_of_tumor):
    events = serial.tissue.population.drain()
    happened = {serial.tissue.population.kinds[k] for k in np.unique(events["kind"])}
    assert happened >= {"division", "apoptosis", "attack", "phagocytosis"}
    assert 150 < slice_of_tumor.cells_at_start < 250


@pytest.mark.parametrize("threads, order", [(1, 1), (2, None), (4, 2)])
def test_neither_threads_nor_the_order_at_the_start_change_the_scenario(
    slice_of_tumor, serial, monkeypatch, threads, order
):
    monkeypatch.setattr("oncarium.engine.threads.PARALLEL_FROM", 10)
    assert ending(slice_of_tumor, threads, order).digest() == serial.digest()


def test_another_seed_is_another_tissue(slice_of_tumor, serial):
    other = Simulation(slice_of_tumor, seed=5)
    other.run("1 h")
    again = Simulation(slice_of_tumor, seed=4)
    again.run("1 h")
    assert other.digest() != again.digest()
