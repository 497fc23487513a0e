"""Branches: arms side by side from one state, what is refused, and what an interrupt leaves."""

import os
import signal
import subprocess
import sys
import time

import pytest

import oncarium as oc
from oncarium.errors import DataError, InputError, ModelError
from oncarium.model.model import EXAMPLE, Model

EXIT = "cells.tumor.cycle.exit"
ARMS = {"control": {}, "fast": {EXIT: "0.5 1/h"}}


@pytest.fixture(scope="module")
def model():
    return Model.from_text(EXAMPLE)


@pytest.fixture(scope="module")
def common(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("common")
    oc.run(model, "2 h", 1, out=folder, threads=1)
    return folder


@pytest.fixture(scope="module")
def arms(common, tmp_path_factory):
    return oc.branch(common, ARMS, "4 h", out=tmp_path_factory.mktemp("arms"), workers=2)


def test_a_control_is_the_run_itself_and_arms_end_on_one_page(model, arms, tmp_path):
    straight = oc.run(model, "4 h", 1, out=tmp_path, threads=1)
    assert arms["control"].digest == straight.digest != arms["fast"].digest
    assert arms.page.name == "compare.html" and arms["control"].times[0] == 120.0 and arms.kind == "branch"
    assert EXIT in arms.page.read_text()


def test_what_is_there_is_not_run_again_and_what_is_missing_is(common, arms):
    import shutil

    before = {r.path: (r.digest, (r.path.parent / "run.index").stat().st_mtime_ns) for r in arms}
    shutil.rmtree(arms["fast"].path.parent)
    again = oc.branch(common, ARMS, "4 h", out=arms.folder, workers=1)
    assert {r.path: r.digest for r in again} == {path: digest for path, (digest, _) in before.items()}
    control = again["control"].path
    assert (control.parent / "run.index").stat().st_mtime_ns == before[control][1]


def test_an_arm_that_was_cut_off_goes_on_from_the_branching_point(common, arms, tmp_path):
    """From its own first state; without any checkpoint left it is refused, for time 0 is not where it began."""
    for name in ("checkpoints", "frames"):
        half = oc.branch(common, ARMS, "3 h", out=tmp_path / name, workers=1)
        with pytest.raises(InputError, match="until 3 h instead of 4 h"):
            oc.branch(common, ARMS, "4 h", out=tmp_path / name, workers=1)
        if name == "frames":
            for path in (half["fast"].path.parent / "run.checkpoints").iterdir():
                path.unlink()
            with pytest.raises(DataError, match="no checkpoint is left"):
                oc.resume(half["fast"].path, "4 h")
        else:
            assert oc.resume(half["fast"].path, "4 h").digest == arms["fast"].digest


@pytest.mark.parametrize(
    "changes, error, said",
    [
        ({}, InputError, "nothing is given"),
        ({"a": {EXIT: "1 um"}, "b": {"cells.tumr.x": "1"}}, ModelError, "Did you mean 'tumor'"),
        ({"a": {"cells.other": {}}}, ModelError, "it changes the cell types"),
        ({"a": {"domain.x": ["-50 um", "50 um"]}}, ModelError, "it changes the domain"),
    ],
)
def test_what_is_wrong_with_arms_is_said_before_anything_runs(common, tmp_path, changes, error, said):
    with pytest.raises(error) as told:
        oc.branch(common, changes, "4 h", out=tmp_path / "arms")
    assert said in str(told.value) and not (tmp_path / "arms").exists()
    if len(changes) == 2:
        assert len(told.value.problems) == 2


def test_a_script_needs_no_guard(common, tmp_path):
    (tmp_path / "script.py").write_text(
        "import sys, oncarium as oc\nprint('begun')\n"
        "class Still(oc.Process):\n    def step(self, tissue, tick):\n        pass\n"
        "model = oc.Model.from_text(oc.EXAMPLE).with_process(Still())\n"
        "print(len(oc.repeat(model, 2, '10 min', out='runs/two', workers=2)))\n"
    )
    ran = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0 and ran.stdout == "begun\n2\n", ran.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("verb, end", [("sweep", signal.SIGTERM), ("branch", signal.SIGINT)])
def test_an_interrupt_says_so_and_loses_nothing(common, tmp_path, verb, end):
    """Stopped once a run of two has begun; the same command goes on to the digests of runs that were never stopped."""
    (tmp_path / "m.yaml").write_text(EXAMPLE + "record: {cells: 1 h, checkpoint: 4 h}\n")
    oc.run(tmp_path / "m.yaml", "2 h", 1, out=tmp_path / "common", threads=1)
    values = [f"{EXIT}=0.02 1/h,0.03 1/h", "--seeds", "1"]
    words = {
        "sweep": ["sweep", "m.yaml", *values, "--until", "2 day"],
        "branch": ["branch", "common", "--arm", "control", "--arm", f"slow:{EXIT}=0.02 1/h", "--until", "2 day"],
    }[verb]
    command = [sys.executable, "-m", "oncarium", *words, "-o", "out", "-q", "--workers", "2"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as run:
        while run.poll() is None and len(list((tmp_path / "out").rglob("run.index"))) < 2:
            time.sleep(0.02)
        time.sleep(0.2)
        run.send_signal(end)
        said = run.stderr.read()
    assert run.returncode == 128 + end and "the same command goes on" in said and "Traceback" not in said
    begun = oc.open(tmp_path / "out")
    assert len(begun.runs) == 2 and not begun.table["finished"].all()
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    done = oc.open(tmp_path / "out")
    assert done.table["finished"].all()
    model = oc.load(tmp_path / "m.yaml")
    first, changes = (done.arms[0], {EXIT: "0.02 1/h"}) if verb == "sweep" else ("control", {})
    straight = oc.run(model.with_(changes), "2 day", 1, out=tmp_path / "straight", threads=1)
    assert done[first].digest == straight.digest
