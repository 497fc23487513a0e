"""Runs on a dask cluster: the same results as here, and what is said where there is none."""

import subprocess
import sys
import time

import pytest

import oncarium as oc
from oncarium.model.model import EXAMPLE, Model

EXIT = "cells.tumor.cycle.exit"


def oncarium(*words, cwd):
    return subprocess.run([sys.executable, "-m", "oncarium", *words], cwd=cwd, capture_output=True, text=True)


def test_a_cluster_runs_what_processes_here_run(tmp_path):
    distributed = pytest.importorskip("distributed", reason="dask's scheduler is not installed")
    (tmp_path / "m.yaml").write_text(EXAMPLE)
    model = Model.from_text(EXAMPLE)
    how = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**how) as cluster, distributed.Client(cluster) as client:
        there = oc.repeat(model, 2, "1 h", out=tmp_path / "there", client=client)
        words = ("m.yaml", f"{EXIT}=0.02 1/h,0.5 1/h", "--seeds", "1", "--until", "1 h", "-o", "swept", "-q")
        ran = oncarium("sweep", *words, "--scheduler", cluster.scheduler_address, cwd=tmp_path)
    here = oc.repeat(model, 2, "1 h", out=tmp_path / "here", workers=1)
    assert [r.digest for r in there] == [r.digest for r in here]
    assert ran.returncode == 0 and len(oc.open(tmp_path / "swept")) == 2, ran.stderr


@pytest.mark.parametrize(
    "address, words",
    [("tcp://127.0.0.1:9", ("run", "m.yaml", "--seeds", "2")), ("nowhere", ("compare", "m.yaml", "m.yaml"))],
)
def test_where_no_scheduler_answers_it_is_said_within_seconds(tmp_path, address, words):
    pytest.importorskip("distributed", reason="dask's scheduler is not installed")
    (tmp_path / "m.yaml").write_text(EXAMPLE)
    begun = time.monotonic()
    ran = oncarium(*words, "--scheduler", address, "-q", cwd=tmp_path)
    assert ran.returncode == 2 and time.monotonic() - begun < 30 and not (tmp_path / "runs").exists()
    assert ran.stderr.splitlines()[-2] == f"--scheduler {address}" and "no scheduler answers there" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_without_dask_the_command_says_what_to_install(tmp_path, monkeypatch):
    from oncarium.cli.studies import scheduled

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(oc.InputError, match=r'pip install "oncarium\[cluster\]"'), scheduled("tcp://127.0.0.1:8786"):
        pass
