"""All mechanisms together: nothing breaks, books balance, and neither threads nor the order in memory matter."""

import numpy as np
import pytest

from helpers import run, shuffle, small_world


def digest(threads: int = 1, order: int | None = None, count: int = 300) -> str:
    processes, tissue = small_world(threads, count)
    if order is not None:
        shuffle(tissue, order)
    run(processes, tissue, 60.0, 0.5)
    return tissue.digest()


def test_everything_happens_within_an_hour_and_the_books_balance():
    processes, tissue = small_world()
    start = tissue.cells.n
    run(processes, tissue, 60.0, 0.5)
    cells, events = tissue.cells, tissue.population.drain()
    count = {name: int(np.count_nonzero(events["kind"] == k)) for k, name in enumerate(tissue.population.kinds)}
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


@pytest.mark.parametrize("threads", [2, 4])
def test_any_number_of_threads_gives_the_same_bytes(reference, monkeypatch, threads):
    monkeypatch.setattr("oncarium.engine.threads.PARALLEL_FROM", 10)
    assert digest(threads=threads, order=threads) == reference
