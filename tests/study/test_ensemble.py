"""Many runs: what travels to workers, what is run again, and that nothing that dies ends a study."""

import os
import subprocess
import sys
import threading

import pytest

import oncarium as oc
from oncarium.engine.loop import each_cell
from oncarium.engine.process import Process
from oncarium.errors import InputError
from oncarium.model.model import EXAMPLE, Model
from oncarium.run.identity import key_of
from oncarium.run.index import index_of
from oncarium.study import ensemble
from oncarium.study.ensemble import Task, packed, perform, run_all


class Shrinking(Process):
    slot = "renew"

    def step(self, tissue, tick):
        tissue.cells["volume.total"][:] *= 1.0 - 0.001 * tick.dt


@each_cell(writes=("volume.total",))
def swelling(volume_total, dt, rate="0.0001 1/min"):
    return volume_total * (1.0 + rate * dt)


@pytest.fixture
def tables(tmp_path):
    """A model whose cells and concentrations lie in tables."""
    (tmp_path / "cells.csv").write_text("x,y\n0,0\n20,0\n")
    rows = "".join(f"{x},{y},0,5\n" for x in range(-90, 100, 20) for y in range(-90, 100, 20))
    (tmp_path / "oxygen.csv").write_text("x,y,z,oxygen\n" + rows)
    text = EXAMPLE.replace("{cells: tumor, disc: {radius: 50 um}, count: 20}", "{cells: tumor, table: cells.csv}")
    return Model.from_text(text.replace("boundary: 38", "initial: {table: oxygen.csv}, boundary: 38"), folder=tmp_path)


@pytest.mark.parametrize("workers", [1, 2])
def test_tables_and_mechanisms_travel(tables, tmp_path, workers):
    """Two cells of a table, with mechanisms of one's own: the same digest as the same run by hand."""
    model = tables.with_process(Shrinking(), swelling())
    tasks = [Task.of(model, "20 min", seed) for seed in (1, 2)]
    done, failed = run_all(tasks, tmp_path / "many", workers=workers)
    assert not failed
    for task in tasks:
        result, straight = (
            oc.open(done[task]),
            oc.run(model, "20 min", task.seed, out=tmp_path / f"straight{task.seed}"),
        )
        assert len(result.cells()) == len(straight.cells()) == 2 and result.digest == straight.digest
        assert result.attrs["identity"] == straight.attrs["identity"]
        assert result.digest != oc.run(tables, "20 min", task.seed, out=tmp_path / f"bare{task.seed}").digest


def test_a_packed_task_needs_nothing_of_the_process_that_packed_it(tables, tmp_path):
    """Opened where neither this file nor its folder is known."""
    task = Task.of(tables.with_process(Shrinking(), swelling()), "10 min", 1)
    (tmp_path / "model").write_bytes(packed(task.model))
    code = (
        "import sys; from pathlib import Path; from oncarium.study.ensemble import Task, unpacked;"
        f" print(unpacked(Path(sys.argv[1]).read_bytes(), Task(None, 10.0, 1, {task.key!r}), sys.argv[2]))"
    )
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model"), str(tmp_path / "run")],
        cwd=elsewhere,
        capture_output=True,
        text=True,
    )
    assert ran.stdout.strip() == "" and ran.returncode == 0, ran.stderr
    assert oc.open(tmp_path / "run").digest == oc.run(task.model, "10 min", 1, out=tmp_path / "here").digest


def test_a_mechanism_that_cannot_travel_is_told_before_anything_runs(tmp_path):
    stuck = Shrinking()
    stuck.lock = threading.Lock()
    model = Model.from_text(EXAMPLE).with_process(stuck)
    with pytest.raises(InputError, match=r"(?s)mechanisms Shrinking.*cannot be sent.*workers=1"):
        run_all([Task.of(model, "10 min", seed) for seed in (1, 2)], tmp_path / "many", workers=2)
    assert not (tmp_path / "many").exists()
    assert not run_all([Task.of(model, "10 min", 1)], tmp_path / "many", workers=1)[1]


def test_a_task_is_known_by_what_decides_its_outcome(tables):
    model = Model.from_text(EXAMPLE)
    task = Task.of(model, "1 h", 1)
    assert task == Task.of(model.with_({"title": "The same"}), 60.0, 1) and task.key == key_of(model, 60.0, 1)
    assert (
        len(
            {
                task,
                Task.of(model, "1 h", 2),
                Task.of(tables, "1 h", 1),
                Task.of(model.with_process(Shrinking()), "1 h", 1),
            }
        )
        == 4
    )


def test_an_arm_that_cannot_go_on_is_run_anew(tmp_path):
    """Cut off, with neither index nor checkpoints that can be read."""
    task = Task.of(Model.from_text(EXAMPLE), "2 h", 1)
    place = tmp_path / "arm"
    oc.run(task.model, "2 h", 1, out=place, see=lambda s: s.tick == 70)
    for file in (place / "run.checkpoints").iterdir():
        file.write_bytes(b"damaged")
    index_of(place / "run.zarr").write_text("damaged\n")
    assert perform(task, str(place)) == ""
    assert oc.open(place).digest == oc.run(task.model, "2 h", 1, out=tmp_path / "straight").digest


def test_an_error_that_nobody_foresaw_is_that_runs_alone(tmp_path):
    class Breaking(Process):
        def step(self, tissue, tick):
            raise ZeroDivisionError("nothing to divide by")

    model = Model.from_text(EXAMPLE)
    bad, good = Task.of(model.with_process(Breaking()), "10 min", 1), Task.of(model, "10 min", 1)
    done, failed = run_all([bad, good], tmp_path, workers=1)
    assert list(done) == [good] and failed == {bad: "ZeroDivisionError: nothing to divide by"}


def test_workers_that_never_come_end_no_study(tmp_path, monkeypatch, caplog):
    from contextlib import contextmanager

    @contextmanager
    def none(count):
        class Dead:
            def submit(self, *_):
                raise RuntimeError("No process can be started.")

        yield Dead()

    monkeypatch.setattr(ensemble, "_pool", none)
    tasks = [Task.of(Model.from_text(EXAMPLE), "10 min", seed) for seed in (1, 2)]
    seen = []
    done, failed = run_all(tasks, tmp_path, workers=2, see=lambda d, n: seen.append((d, n)))
    assert (
        list(done) == tasks
        and not failed
        and seen == [(0, 2), (1, 2), (2, 2)]
        and caplog.text.count("workers were lost") == 3
    )


@pytest.mark.skipif(os.name != "posix", reason="processes are killed with SIGKILL")
def test_workers_that_are_killed_at_any_moment_end_no_study(tmp_path):
    """Every child process is killed twice within the first seconds: while workers start, and while they work."""
    psutil = pytest.importorskip("psutil", reason="psutil finds the workers")
    me, stop, killed = psutil.Process(), threading.Event(), []

    def kill():
        for wait in (0.3, 0.7, 2.0, 2.0):  # a start is lost, another one, then workers at their runs
            if stop.wait(wait):
                return
            for child in me.children(recursive=True):
                try:
                    if "resource_tracker" not in " ".join(child.cmdline()):
                        child.kill()
                        killed.append(wait)
                except psutil.NoSuchProcess:
                    pass

    tasks = [Task.of(Model.from_text(EXAMPLE), "3 day", seed) for seed in (1, 2, 3)]
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        done, failed = run_all(tasks, tmp_path, workers=2)
    finally:
        stop.set()
        killer.join()
    assert killed and not failed and len(done) == 3
    straight = oc.run(tasks[0].model, "3 day", 1, out=tmp_path / "straight")
    assert oc.open(done[tasks[0]]).digest == straight.digest


@pytest.mark.skipif(os.name != "posix", reason="a process kills itself with SIGKILL")
def test_a_run_that_kills_its_worker_fails_alone(tmp_path):
    class Deadly(Process):
        def step(self, tissue, tick):
            os.kill(os.getpid(), 9)

    model = Model.from_text(EXAMPLE)
    bad = Task.of(model.with_process(Deadly()), "10 min", 1)
    good = [Task.of(model, "10 min", seed) for seed in (1, 2)]
    done, failed = run_all([bad, *good], tmp_path, workers=2)
    assert list(done) == good and list(failed) == [bad] and "died" in failed[bad]


def test_dask_is_imported_only_for_a_client(tmp_path):
    code = """
import sys
from oncarium.model.model import EXAMPLE, Model
from oncarium.study.ensemble import Task, run_all
from oncarium.cli import app
done, failed = run_all([Task.of(Model.from_text(EXAMPLE), "1 min", 1)], sys.argv[1])
assert not failed and "distributed" not in sys.modules  # pint imports the rest of dask where it finds it
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
