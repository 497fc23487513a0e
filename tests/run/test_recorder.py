"""The recorder: what it writes, when, and that it never changes what it watches."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import DataError, InputError
from oncarium.model.model import EXAMPLE, Model
from oncarium.run import checkpoint
from oncarium.run.recorder import Recorder
from oncarium.run.simulation import Simulation


@pytest.fixture(scope="module")
def model():
    return Model.from_text(EXAMPLE).with_({"cells.tumor.cycle.exit": "0.01 1/min"})


def watched(model, path, until, cells=30.0, fields=60.0, checkpoints=60.0, **options):
    simulation = Simulation(model, seed=1)
    recorder = Recorder(
        path / "run.zarr", simulation, cells_every=cells, fields_every=fields, checkpoint_every=checkpoints, **options
    )
    recorder.see(simulation)
    simulation.run(until, see=recorder.see)
    recorder.close(simulation)
    return simulation, oc.open(path)


def test_watching_changes_nothing(model, tmp_path):
    simulation, _ = watched(model, tmp_path, "90 min", cells=1.0, fields=1.0, checkpoints=5.0)
    alone = Simulation(model, seed=1)
    alone.run("90 min")
    assert simulation.digest() == alone.digest()


@pytest.mark.parametrize(
    "cells, fields, times, field_times",
    [(30, 60, [0, 30, 60, 90, 100], [0, 60, 100]), (50, 7, [0, 50, 100], [*range(0, 99, 7), 100])],
)
def test_frames_come_at_their_times_and_once_at_the_end(model, tmp_path, cells, fields, times, field_times):
    _, result = watched(model, tmp_path, "100 min", cells, fields)
    assert result.times.tolist() == times and result.field_times.tolist() == field_times
    assert result.fields["oxygen"].shape[0] == len(field_times) and len(result.summary) == len(times)


def test_seeing_a_tick_twice_is_seeing_it_once(model, tmp_path):
    simulation = Simulation(model, seed=1)
    recorder = Recorder(tmp_path / "run.zarr", simulation, cells_every=30, fields_every=30, checkpoint_every=60)
    for _ in range(3):
        recorder.see(simulation)
    simulation.run(30, see=recorder.see)
    recorder.see(simulation)
    recorder.close(simulation)
    assert oc.open(tmp_path).times.tolist() == [0.0, 30.0]


def test_chosen_columns_are_recorded_with_those_that_every_reader_needs(model, tmp_path):
    simulation, result = watched(model, tmp_path, "30 min", columns=["secretion.uptake", "volume.nuclear"])
    assert result.columns == ["id", "type", "position", "vital", "radius", "secretion.uptake", "volume.nuclear"]
    cells = simulation.tissue.cells
    assert np.array_equal(result.array("secretion.uptake"), cells["secretion.uptake"][cells.order()].astype(np.float32))
    assert "secretion.uptake.oxygen" in result.cells().columns
    assert str(result) and oc.plot.tissue(result) and oc.measure.live_fraction(result) == 1.0


def test_an_unknown_column_is_refused_before_anything_is_written(model, tmp_path):
    with pytest.raises(InputError, match=r"no column is called 'volume.totl'. Did you mean 'volume.total'"):
        watched(model, tmp_path, "1 h", columns=["volume.totl"])
    assert not list(tmp_path.iterdir())


def test_what_is_not_there_is_told_and_the_rest_recorded(tmp_path, caplog):
    """What check calls fine can be run: columns of mechanisms that are off, and constants of the types."""
    model = oc.Model.from_text(oc.EXAMPLE).with_(
        {"record.columns": ["stem.level", "motility.contrast", "volume.fluid"]}
    )
    result = oc.run(model, "10 min", out=tmp_path)
    assert "volume.fluid" in result.columns and "stem.level" not in result.columns
    assert "stem.level is not recorded: Stemness is off: nobody speaks of stem" in caplog.text
    assert "motility.contrast is not recorded: Motility is off: nobody speaks of motility" in caplog.text


def test_checkpoints_come_at_their_times(model, tmp_path):
    seen = []
    simulation = Simulation(model, seed=1)
    recorder = Recorder(tmp_path / "run.zarr", simulation, cells_every=60, fields_every=60, checkpoint_every=20)

    def see(simulation):
        recorder.see(simulation)
        seen.append(checkpoint.newest_tick(tmp_path / "run.zarr"))

    see(simulation)
    simulation.run("45 min", see=see)
    recorder.close(simulation)
    assert seen == [-1] * 20 + [t // 20 * 20 for t in range(20, 46)]  # who begins at time 0 begins there again
    state, digest, _ = checkpoint.newest(tmp_path / "run.zarr")
    assert state["tick"] == 45 and digest == simulation.digest() == oc.open(tmp_path).digest


def test_slow_simulations_are_saved_by_the_clock_on_the_wall(model, tmp_path, monkeypatch):
    monkeypatch.setattr("oncarium.run.recorder.CHECKPOINT_SECONDS", 0.0)
    simulation = Simulation(model, seed=1)
    recorder = Recorder(tmp_path / "run.zarr", simulation, cells_every=60, fields_every=60, checkpoint_every=1e4)
    recorder.see(simulation)
    simulation.run(7, see=recorder.see)
    assert checkpoint.newest(tmp_path / "run.zarr")[0]["tick"] == 7
    recorder.abort()


def test_what_was_seen_is_on_disk_within_seconds_or_when_it_is_large(model, tmp_path, monkeypatch):
    simulation = Simulation(model, seed=1)
    recorder = Recorder(tmp_path / "run.zarr", simulation, cells_every=1, fields_every=60, checkpoint_every=1e4)
    recorder.see(simulation)
    simulation.run(5, see=recorder.see)
    with pytest.raises(DataError, match="no frame was finished"):
        oc.open(tmp_path)
    monkeypatch.setattr("oncarium.run.recorder.BYTES", 1)
    simulation.run(6, see=recorder.see)
    assert len(oc.open(tmp_path).times) == 7
    assert checkpoint.newest_tick(tmp_path / "run.zarr") == 6  # with the first frames that are reported
    monkeypatch.setattr("oncarium.run.recorder.BYTES", 1e9)
    simulation.run(8, see=recorder.see)
    assert len(oc.open(tmp_path).times) == 7
    monkeypatch.setattr("oncarium.run.recorder.SECONDS", 0.0)
    simulation.run(9, see=recorder.see)
    assert len(oc.open(tmp_path).times) == 10
    recorder.abort()


def test_after_an_abort_frames_and_events_stay_and_the_lock_is_gone(model, tmp_path):
    simulation = Simulation(model, seed=1)
    recorder = Recorder(tmp_path / "run.zarr", simulation, cells_every=30, fields_every=30, checkpoint_every=1e4)
    recorder.see(simulation)
    simulation.run(100, see=recorder.see)
    assert (tmp_path / "run.lock").exists()
    recorder.abort()
    result = oc.open(tmp_path)
    assert result.times.tolist() == [0.0, 30.0, 60.0, 90.0] and not result.finished
    assert len(result.events) == result.summary["events.division"].iloc[-1] > 0
    assert not (tmp_path / "run.lock").exists()


def test_overwriting_leaves_nothing_of_the_run_before(model, tmp_path):
    watched(model, tmp_path, "3 h")
    with pytest.raises(InputError, match="already lies here"):
        watched(model, tmp_path, "1 h")
    _, result = watched(model, tmp_path, "1 h", overwrite=True)
    assert result.times.tolist() == [0.0, 30.0, 60.0]
    assert [int(p.stem) for p in sorted(checkpoint.folder_of(result.path).iterdir())] == [60]


def test_a_run_goes_on_over_its_end(model, tmp_path):
    """Resumed beyond an end between two frames: that frame stays, and the rest come at their times."""
    _, first = watched(model, tmp_path, "100 min", cells=60, fields=60)
    again = Simulation(model, seed=1)
    again.restore(checkpoint.latest(first.path))
    recorder = Recorder(first.path, again, cells_every=60, fields_every=60, checkpoint_every=60, resume=True)
    recorder.see(again)
    again.run("3 h", see=recorder.see)
    recorder.close(again)
    result = oc.open(tmp_path)
    assert result.times.tolist() == [0.0, 60.0, 100.0, 120.0, 180.0]
    straight = watched(model, tmp_path / "straight", "3 h", cells=60, fields=60)[1]
    assert result.digest == straight.digest and result.events.equals(straight.events)
    assert result.cells("2 h").equals(straight.cells("2 h"))
    assert (result.summary.loc[[0.0, 60.0, 120.0, 180.0]] == straight.summary).all(axis=None)


def test_a_run_that_is_stopped_on_purpose_is_not_finished(model, tmp_path):
    result = oc.run(model, "3 h", out=tmp_path, seed=1, see=lambda s: s.tick == 70)
    assert not result.finished and checkpoint.newest(result.path)[0]["tick"] == 70
    assert "(not finished)" in str(result)
