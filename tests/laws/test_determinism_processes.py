"""All mechanisms together: nothing breaks, books balance, and neither threads nor the order in memory matter."""

import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from helpers import run, shuffle, small_world
from oncarium.engine.population import EVENTS


def digest(threads: int = 1, order: int | None = None, count: int = 300) -> str:
    processes, tissue, _ = small_world(threads, count)
    if order is not None:
        shuffle(tissue, order)
    before = numba.get_num_threads()
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    try:
        run(processes, tissue, 60.0, 0.5)
    finally:
        numba.set_num_threads(before)
    return tissue.digest()


def test_everything_happens_within_an_hour_and_the_books_balance():
    processes, tissue, population = small_world()
    start = tissue.cells.n
    run(processes, tissue, 60.0, 0.5)
    cells, events = tissue.cells, population.drain()
    count = {name: int(np.count_nonzero(events["kind"] == k)) for k, name in enumerate(EVENTS)}
    for name in ("division", "removal", "apoptosis", "phagocytosis", "attack", "transformation"):
        assert count[name] > 0, f"no {name} in an hour: {count}"
    lost = count["removal"] + count["phagocytosis"] + count["fusion"]
    # a cell that divides in the tick in which it is taken away does not divide
    assert start + count["division"] - lost == cells.n
    assert len(np.unique(cells.id)) == cells.n
    assert (cells["volume.total"] > 0).all()
    assert np.isfinite(cells.position).all()
    assert (cells["springs.partner"] >= 0).any()
    assert (tissue.fields.value >= 0).all()


@pytest.fixture(scope="module")
def reference() -> str:
    return digest()


@pytest.mark.parametrize("order", [1, 2])
def test_the_order_of_rows_does_not_matter(reference, order):
    assert digest(order=order) == reference


def test_two_threads_give_the_same_bytes(reference, monkeypatch):
    monkeypatch.setattr("oncarium.engine.loop.PARALLEL_FROM", 10)
    assert digest(threads=2) == reference


def test_four_threads_give_the_same_bytes(reference):
    code = (
        "import oncarium.engine.loop as loop; loop.PARALLEL_FROM = 10\n"
        "from test_determinism_processes import digest; print(digest(threads=4, order=3))"
    )
    here = os.path.dirname(__file__)
    paths = [here, os.path.dirname(here), os.path.join(os.path.dirname(os.path.dirname(here)), "src")]
    env = {**os.environ, "NUMBA_NUM_THREADS": "4", "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == reference
