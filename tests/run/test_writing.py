"""What cannot be written is one message with its path and what to do, and nothing half-made stays."""

import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import DataError
from oncarium.model.model import EXAMPLE, Model
from oncarium.run import checkpoint
from oncarium.run.index import index_of
from oncarium.writing import whole, write_text

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture
def model():
    return Model.from_text(EXAMPLE)


def cli(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "oncarium", *map(str, arguments)], capture_output=True, text=True, **options
    )


def told(answer, *words):
    """One message of two lines, no traceback, exit code 1."""
    assert answer.returncode == 1 and "Traceback" not in answer.stderr, answer.stderr
    assert all(w in answer.stderr for w in words) and len(answer.stderr.strip().splitlines()) == 2, answer.stderr


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 60 kB (tmpfs): function(size or "ro") changes it."""
    if not ROOT or not sys.platform.startswith("linux"):
        pytest.skip("only root on Linux can mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60k", "tmpfs", str(place)], capture_output=True).returncode:
        pytest.skip("this container may not mount a small disk")

    def change(option):
        subprocess.run(["mount", "-o", f"remount,{option}", str(place)], check=True)

    yield place, change
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_full_at_the_start_leaves_nothing(model, small_disk):
    place, change = small_disk
    with pytest.raises(DataError, match=r"(?s)no run can be written here: No space left on device. Make room"):
        oc.run(model, "1 h", out=place / "a" / "run")
    assert list(place.iterdir()) == []
    change("size=50m")
    assert oc.run(model, "1 h", out=place / "a" / "run").finished


def test_a_disk_that_fills_while_running_keeps_what_was_reported_and_the_advice_helps(model, small_disk, monkeypatch):
    place, change = small_disk
    change("size=400k")
    monkeypatch.setattr("oncarium.run.recorder.SECONDS", 0.0)
    ballast = place / "ballast"

    def fill(simulation):
        if simulation.tick == 90:
            with ballast.open("wb", buffering=0) as file, pytest.raises(OSError):
                while True:
                    file.write(bytes(4096))

    with pytest.raises(
        DataError, match=rf"(?s)No space left on device.*Make room. Then go on with:  oncarium resume {place / 'run'}"
    ):
        oc.run(model, "4 h", 1, out=place / "run", see=fill)
    assert oc.open(place / "run").times.tolist() == [0.0, 60.0] and not (place / "run" / "run.lock").exists()
    ballast.unlink()
    change("size=50m")
    assert oc.resume(place / "run").digest == oc.run(model, "4 h", 1, out=place / "straight").digest


def test_every_command_tells_a_disk_that_may_only_be_read(model, small_disk, tmp_path):
    place, change = small_disk
    run = oc.run(model, "1 h", out=tmp_path / "run").path.parent
    change("ro")
    for arguments in (
        ("run", "hypoxic_tumor", "--until", "1h", "-q", "--no-report", "-o", place / "r"),
        ("report", run, "-o", place / "x"),
        ("export", run, place / "y", "--to", "physicell"),
        ("new", place / "m.yaml"),
        ("schema", "-o", place / "s.json"),
        ("plan", "hypoxic_tumor", "--wiring", place / "w.png"),
    ):
        told(cli(*arguments), "Read-only file system", "Choose a folder that you may write to", str(place))
    assert not list(place.iterdir())


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("mine")
    told(
        cli("run", "spheroid", "--until", "1 min", "-q", "-o", tmp_path / "file"),
        "no run can be written here",
        "move it away",
    )
    told(
        cli("run", "spheroid", "--until", "1 min", "-q", "-o", tmp_path / "file" / "run"), "no run can be written here"
    )
    assert (tmp_path / "file").read_text() == "mine" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.skipif(ROOT, reason="root may write everywhere")
def test_a_folder_that_is_not_ones_own_is_told(model, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DataError, match=r"Permission denied. Choose a folder"):
        oc.run(model, "1 h", out=tmp_path / "run")


@pytest.mark.parametrize("step", ["_create", "known"])
def test_what_was_not_begun_leaves_no_trace(model, tmp_path, monkeypatch, step):
    """Any failure while a run is set up: no store, no lock, no folder; a folder that was there stays."""
    (tmp_path / "there").mkdir()

    def fail(*_, **__):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("zarr.Group.create_array" if step == "_create" else "oncarium.run.store.Store.note", fail)
    for folder in ("a/b/run", "there"):
        with pytest.raises(DataError, match="no run can be written here: Input/output error"):
            oc.run(model, "1 h", out=tmp_path / folder)
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if "run.zarr" not in p.parts] in (
        ["there"],
    ) or step == "known"
    assert not list(tmp_path.rglob("*.lock")) and not list(tmp_path.rglob("*.part"))


def test_a_run_that_cannot_be_replaced_stays(model, tmp_path, monkeypatch):
    before = oc.run(model, "1 h", 1, out=tmp_path).digest

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("zarr.Group.create_array", full)
    with pytest.raises(DataError, match="Make room"):
        oc.run(model, "1 h", 2, out=tmp_path, overwrite=True)
    assert oc.open(tmp_path).digest == before and oc.open(tmp_path).seed == 1


def test_a_folder_that_is_deleted_while_running_is_told_and_not_made_again(model, tmp_path, monkeypatch):
    monkeypatch.setattr("oncarium.run.recorder.SECONDS", 0.0)

    def delete(simulation):
        if simulation.tick == 60:
            shutil.rmtree(tmp_path / "run")

    with pytest.raises(DataError, match=r"run.zarr\n.*was deleted while the run was writing. Run the model again"):
        oc.run(model, "3 h", out=tmp_path / "run", see=delete)
    assert not (tmp_path / "run").exists()


def test_arrays_that_are_deleted_while_running_are_told(model, tmp_path, monkeypatch):
    monkeypatch.setattr("oncarium.run.recorder.SECONDS", 0.0)

    def delete(simulation):
        if simulation.tick == 70:
            shutil.rmtree(tmp_path / "run.zarr" / "cells")

    try:
        oc.run(model, "3 h", out=tmp_path, see=delete)
    except DataError:
        pass
    with pytest.raises(DataError, match="damaged"):
        oc.open(tmp_path).cells(0)


@pytest.mark.parametrize("path", ["m.yaml", "deep/er/m.yaml"])
def test_files_are_whole_or_not_there(tmp_path, path):
    """A disk that fills in the middle of a file leaves the file that was there, no part of the new one, and no folder
    made for it."""
    wanted = tmp_path / path
    with pytest.raises(OSError, match=f"No space left.*{wanted}"):
        with whole(wanted) as part:
            part.write_text("half")
            raise OSError(28, "No space left on device", str(part))
    assert list(tmp_path.iterdir()) == []
    write_text(wanted, "old")
    with pytest.raises(KeyboardInterrupt):
        with whole(wanted) as part:
            part.write_text("half")
            raise KeyboardInterrupt
    assert wanted.read_text() == "old" and len(list(wanted.parent.iterdir())) == 1


def test_what_is_written_of_a_run_is_whole_or_not_there(model, small_disk, tmp_path):
    """Report and model files on a disk of 60 kB."""
    place, _ = small_disk
    run = oc.run(model, "1 h", out=tmp_path / "run").path.parent
    told(cli("report", run, "-o", place / "x"), "No space left on device", "Make room")
    assert all(p.suffix == ".png" and p.stat().st_size for p in place.rglob("*") if p.is_file())
    shutil.rmtree(place / "x", ignore_errors=True)
    (place / "ballast").write_bytes(bytes(20_000))
    told(cli("schema", "-o", place / "s.json"), "No space left on device", str(place / "s.json"))
    assert [p.name for p in place.iterdir()] == ["ballast"]


# -- going on --------------------------------------------------------------------------------------------------------


def test_a_run_goes_on_to_the_end_that_was_asked_for(model, tmp_path):
    """Twelve hours of a model that says one day; resume may say another end, which is kept from then on."""
    stopped = oc.run(model, "12 h", 1, out=tmp_path / "run", see=lambda s: s.tick == 200)
    assert stopped.until == 720.0 and model.until == 1440.0
    assert oc.resume(tmp_path / "run").times[-1] == 720.0
    assert oc.resume(tmp_path / "run", "14 h", see=lambda s: s.tick == 750).until == 840.0
    later = oc.resume(tmp_path / "run")
    assert later.times[-1] == 840.0 and later.digest == oc.run(model, "14 h", 1, out=tmp_path / "straight").digest
    arms = oc.branch(
        oc.run(model, "5 h", 1, out=tmp_path / "cut", see=lambda s: s.tick == 100).path.parent,
        {"a": {}},
        out=tmp_path / "arms",
    )
    assert arms["a"].times[-1] == 300.0
    assert (
        oc.branch(tmp_path / "arms" / "a", {"b": {}}, out=tmp_path / "more")["b"].times[-1] == 1440.0
    )  # it is there: when the model says


def stop_early(folder, *more):
    """The command line, killed once a checkpoint lies there."""
    run = subprocess.Popen(
        [sys.executable, "-m", "oncarium", "run", *map(str, more), "-q", "-o", str(folder)], stdout=subprocess.DEVNULL
    )
    store = folder / "run.zarr"
    while run.poll() is None and checkpoint.newest_tick(store) < 1:
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    return store


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_everything_the_command_line_said_is_part_of_the_run(tmp_path):
    """End, seed, changes, tables for spreadsheets and no report: resume knows them all."""
    (tmp_path / "model.yaml").write_text(EXAMPLE + "record: {cells: 5 min, checkpoint: 10 min}\n")
    said = (
        tmp_path / "model.yaml",
        "--until",
        "4h",
        "--seed",
        "9",
        "--set",
        "cells.tumor.cycle.exit=0.1 1/h",
        "--no-report",
    )
    stop_early(tmp_path / "cut", *said, "--csv", tmp_path / "cut_csv")
    assert cli("resume", tmp_path / "cut", "-q").returncode == 0
    assert cli("run", *said, "--csv", tmp_path / "csv", "-q", "-o", tmp_path / "whole").returncode == 0
    cut, whole = oc.open(tmp_path / "cut"), oc.open(tmp_path / "whole")
    assert (cut.seed, cut.until, cut.digest) == (9, 240.0, whole.digest) and not (
        tmp_path / "cut" / "report.html"
    ).exists()
    for name in ("cells.csv", "field.csv"):
        assert (tmp_path / "cut_csv" / name).read_bytes() == (tmp_path / "csv" / name).read_bytes()


@pytest.mark.parametrize("left", ["a line", "no line", "damaged checkpoints"])
def test_a_run_without_a_checkpoint_goes_on_from_time_0(tmp_path, left, caplog):
    """What SIGKILL leaves before the first checkpoint; a table of cells is read again."""
    (tmp_path / "cells.csv").write_text("x,y\n0,0\n20,0\n")
    text = EXAMPLE.replace("{cells: tumor, disc: {radius: 50 um}, count: 20}", "{cells: tumor, table: cells.csv}")
    whole = oc.run(Model.from_text(text, folder=tmp_path), "3 h", 4, out=tmp_path / "run")
    digest, summary, events = whole.digest, whole.summary, whole.events
    index = index_of(whole.path)
    index.write_text("" if left == "no line" else index.read_text().splitlines(keepends=True)[0])
    for file in sorted(checkpoint.folder_of(whole.path).iterdir()):
        file.write_bytes(b"damaged") if left == "damaged checkpoints" else file.unlink()
    if left == "damaged checkpoints":
        (checkpoint.folder_of(whole.path) / "000000000000.checkpoint").write_bytes(b"damaged")
    again = oc.resume(tmp_path / "run")
    assert again.finished and again.digest == digest and again.summary.equals(summary) and again.events.equals(events)
    assert ("goes on from time 0" in caplog.text) and np.array_equal(again.array("id", 0), [0, 1])


def test_a_run_that_must_begin_anew_tells_tables_that_changed(tmp_path):
    (tmp_path / "cells.csv").write_text("x,y\n0,0\n20,0\n")
    text = EXAMPLE.replace("{cells: tumor, disc: {radius: 50 um}, count: 20}", "{cells: tumor, table: cells.csv}")
    whole = oc.run(Model.from_text(text, folder=tmp_path), "1 h", 4, out=tmp_path / "run")
    shutil.rmtree(checkpoint.folder_of(whole.path))
    (tmp_path / "cells.csv").write_text("x,y\n0,0\n21,0\n")
    with pytest.raises(DataError, match="its tables are not what they were.*--overwrite"):
        oc.resume(tmp_path / "run", "2 h")
    (tmp_path / "cells.csv").unlink()
    with pytest.raises(DataError, match=r"(?s)its tables cannot be read.*--overwrite"):
        oc.resume(tmp_path / "run", "2 h")


def test_a_store_without_its_index_is_not_begun_anew_while_checkpoints_show_that_more_was_there(model, tmp_path):
    whole = oc.run(model, "2 h", 4, out=tmp_path)
    index_of(whole.path).unlink()
    with pytest.raises(DataError, match=r"index is missing.*--overwrite"):
        oc.resume(tmp_path)
