"""Restarts are exact: cut anywhere, killed at any moment, branched without a change."""

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import DataError, InputError
from oncarium.run import checkpoint
from oncarium.run.index import index_of, read_index
from oncarium.run.simulation import Simulation

SCRIPT = Path(__file__).parents[2] / "validation" / "kill_and_resume" / "at_operations.py"
MODEL = """
oncarium: 1
domain: {x: [-200 um, 200 um], y: [-200 um, 200 um], voxel: 20 um}
until: 8 h
record: {cells: 30 min, fields: 1 h, checkpoint: 2 h}
factors:
  oxygen: {library: oxygen, boundary: 38 mmHg}
  chemokine: {library: chemokine, solver: bdf2}
cells:
  tumor:
    library: tumor_simple
    cycle: {exit: 0.2 1/h}
    death: {apoptosis: 0.001 1/min}
    secretion: {uptake: {oxygen: 10 1/min}, rate: {chemokine: 100 molecules/min}}
    damage: {repair: 0.004 1/min}
    springs: {attachment: 0.01 1/min, detachment: 0.01 1/min}
    transformation: {rate: {motile: 0.001 1/min}}
    rules:
      - oxygen increases cycle.exit.live to 0.3 1/h, half 21 mmHg, hill 4
      - damage increases death.apoptosis to 0.02 1/min, half 20, hill 4
  motile: {like: tumor, motility: {speed: 1 um/min, persistence: 5 min, bias: 0.5, sensitivity: {oxygen: 1}}}
  macrophage: {library: macrophage_simple, motility: {sensitivity: {oxygen: -1}},
    fusion: {rate: {macrophage: 0.001 1/min}}}
  cd8: {library: cd8_simple, motility: {sensitivity: {chemokine: 1}}, attack: {rate: {tumor: 0.1 1/min}}}
initial:
  - {cells: tumor, disc: {radius: 80 um}, packing: hexagonal}
  - {cells: macrophage, disc: {radius: 120 um}, count: 15}
  - {cells: cd8, disc: {radius: 120 um}, count: 15}
"""


@pytest.fixture(scope="module")
def model():
    return oc.Model.from_text(MODEL)


@pytest.fixture(scope="module")
def whole(model, tmp_path_factory):
    """The uninterrupted run."""
    return oc.run(model, out=tmp_path_factory.mktemp("whole"), seed=5)


def test_a_cut_at_any_of_twenty_points_changes_nothing(model):
    uncut = Simulation(model, seed=5)
    uncut.run("3 h")
    wanted = uncut.digest()
    for cut in random.Random(1).sample(range(1, 180), 20):
        first = Simulation(model, seed=5)
        first.run(cut)
        second = Simulation(model, seed=99)
        second.restore(first.state())
        second.run("3 h")
        assert second.digest() == wanted, f"cut at {cut} min"


def test_a_run_on_disk_resumes_to_the_same_digest(model, whole, tmp_path):
    stopped = oc.run(model, out=tmp_path, seed=5, see=lambda simulation: simulation.tick == 217)
    assert not stopped.finished
    result = oc.resume(tmp_path)
    assert result.finished and result.digest == whole.digest
    assert np.array_equal(result.times, whole.times)
    assert result.events.equals(whole.events)
    assert result.summary.equals(whole.summary)


RUN = """
import sys
import oncarium as oc
from pathlib import Path
folder, text = Path(sys.argv[1]), sys.argv[2]
from oncarium.run import recorder
recorder.SECONDS = 0.05
if (folder / "run.zarr").exists():
    oc.resume(folder)
else:
    oc.run(oc.Model.from_text(text), out=folder, seed=5)
"""


def test_killed_at_random_moments_nothing_reported_is_lost(whole, tmp_path):
    """SIGKILL again and again, resuming in between, until the run ends: same digest, and no indexed frame ever
    vanishes."""
    chance = random.Random(3)
    kills, frames, ended = 0, 0, False
    while not ended:
        run = subprocess.Popen(
            [sys.executable, "-c", RUN, str(tmp_path), MODEL], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        started = time.monotonic()
        index = index_of(tmp_path / "run.zarr")
        before = index.read_bytes() if index.exists() else b""
        while (
            run.poll() is None
            and time.monotonic() - started < 60
            and (index.read_bytes() if index.exists() else b"") == before
        ):
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 0.4) if kills < 8 else 60)
        if run.poll() is None:
            run.send_signal(signal.SIGKILL)
            kills += 1
        said = run.communicate()[1].decode()
        ended = run.returncode == 0
        assert ended or run.returncode == -signal.SIGKILL, said
        if not (tmp_path / "run.zarr").exists() or not read_index(tmp_path / "run.zarr"):
            continue
        result = oc.open(tmp_path)
        assert len(result.times) >= frames
        frames = len(result.times)
        for t in result.times:
            assert np.array_equal(result.array("position", t), whole.array("position", t))
    assert kills >= 5
    result = oc.open(tmp_path)
    assert result.digest == whole.digest and result.events.equals(whole.events)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked and killed with SIGKILL")
def test_killed_at_any_file_operation_a_run_goes_on_to_the_same_digest(tmp_path):
    """The first operations, in which a store comes to be, one by one, and some of the others; all of them:
    validation/kill_and_resume."""
    spec = importlib.util.spec_from_file_location("at_operations", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    rows = list(script.campaign(16, 3, tmp_path))
    digest = oc.open(tmp_path / "whole").digest
    assert len(rows) == 16 and [r for r in rows if r[3] != digest] == []


def test_a_branch_without_a_change_is_the_run_itself(model, whole, tmp_path):
    oc.run(model, "4 h", out=tmp_path / "first", seed=5)
    arms = oc.branch(
        tmp_path / "first",
        {"control": {}, "unarmed": {"cells.cd8.attack.rate.tumor": "0 1/min"}},
        until="8 h",
        out=tmp_path / "arms",
    )
    assert arms["control"].digest == whole.digest
    assert arms["unarmed"].digest != whole.digest
    assert (arms["unarmed"].events["kind"] == "attack").sum() == 0


def test_a_damaged_checkpoint_gives_way_to_the_one_before(whole, tmp_path, caplog):
    store = tmp_path / "run.zarr"
    state, digest, _ = checkpoint.newest(whole.path)
    checkpoint.write(store, {**state, "tick": 1}, "a" * 64)
    last = checkpoint.write(store, {**state, "tick": 2}, digest)
    data = bytearray(last.read_bytes())
    data[len(data) // 2] ^= 1
    last.write_bytes(data)
    assert checkpoint.newest(store)[0]["tick"] == 1
    assert "damaged" in caplog.text
    (checkpoint.folder_of(store) / "000000000001.checkpoint").write_bytes(b"oncarium-checkpoint-9 x y\n")
    with pytest.raises(DataError, match="oncarium-checkpoint-9"):
        checkpoint.newest(store)


def test_only_two_checkpoints_are_kept(tmp_path):
    for tick in range(5):
        checkpoint.write(tmp_path / "run.zarr", {"tick": tick, "a": np.arange(3.0)}, "d")
    assert sorted(p.name for p in checkpoint.folder_of(tmp_path / "run.zarr").iterdir()) == [
        "000000000003.checkpoint",
        "000000000004.checkpoint",
    ]


def test_a_second_run_into_a_folder_in_use_is_refused(model, tmp_path):
    def intrude(simulation):
        if simulation.tick == 30:
            with pytest.raises(DataError, match=str(os.getpid())):
                oc.resume(tmp_path)
            return True
        return False

    oc.run(model, "1 h", out=tmp_path, see=intrude)
    with pytest.raises(InputError, match="already lies here"):
        oc.run(model, "1 h", out=tmp_path)


def test_the_lock_of_a_dead_process_is_taken_over(model, tmp_path):
    oc.run(model, "30 min", out=tmp_path)
    (tmp_path / "run.lock").write_text(json.dumps({"host": os.uname().nodename, "pid": 999999999, "boot": ""}))
    os.utime(tmp_path / "run.lock", (0, 0))
    assert oc.resume(tmp_path, "40 min").times[-1] == 40.0


def test_a_full_disk_stops_at_the_last_complete_frame(model, tmp_path, monkeypatch):
    """A file-size limit makes every larger write fail, as a full disk or a quota does."""
    import errno

    from oncarium.run import store as module

    real = module.Store._sync
    calls = []

    def failing(self, since):
        calls.append(1)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, since)

    monkeypatch.setattr(module.Store, "_sync", failing)
    monkeypatch.setattr("oncarium.run.recorder.SECONDS", 0.0)
    with pytest.raises(DataError, match="oncarium resume"):
        oc.run(model, "2 h", out=tmp_path, seed=5)
    monkeypatch.setattr(module.Store, "_sync", real)
    kept = oc.open(tmp_path)
    assert not kept.finished and len(kept.times) >= 1 and not (tmp_path / "run.lock").exists()
    straight = Simulation(model, seed=5)
    straight.run("2 h")
    assert oc.resume(tmp_path, "2 h").digest == straight.digest()


def test_damaged_index_lines_are_left_out(model, tmp_path, caplog):
    oc.run(model, "2 h", out=tmp_path, seed=5)
    index = index_of(tmp_path / "run.zarr")
    lines = index.read_bytes().splitlines(keepends=True)
    index.write_bytes(b"".join(lines[:-1]) + lines[-1].replace(b"tick", b"tock"))
    assert len(read_index(Path(tmp_path / "run.zarr"))) == len(lines) - 1
    oc.open(tmp_path)
    assert "is damaged" in caplog.text


def test_a_bit_flip_in_a_chunk_is_noticed(model, tmp_path):
    oc.run(model, "1 h", out=tmp_path, seed=5)
    chunk = tmp_path / "run.zarr" / "cells" / "radius" / "c" / "0"
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 4
    chunk.write_bytes(data)
    with pytest.raises(DataError, match="damaged"):
        oc.open(tmp_path).array("radius")
    assert len(oc.open(tmp_path).array("position"))
