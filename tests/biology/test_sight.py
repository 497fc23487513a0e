"""What cells make of those they touch: PD-1 and PD-L1, antigen, macrophages that hold."""

import math

import numpy as np
import pytest

from helpers import add_cells, fire, shuffle, tissue_of
from oncarium.biology.antigen import antigen
from oncarium.biology.checkpoint import TRAITS, bound, checkpoint
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.trapping import trapping

MAKERS = {"checkpoint.brake": checkpoint, "antigen.seen": antigen, "trapping.held": trapping}


def crowd(maker, n=150, seed=3):
    process, mechanics, rng = maker(period=6.0), Mechanics(6.0), np.random.default_rng(seed)
    tissue = tissue_of([mechanics, process])
    add_cells(tissue, rng.uniform(-40, 40, (n, 3)))
    for name, most in (
        ("surface.pd1", 100),
        ("surface.pdl1", 150),
        ("surface.antigen", 2),
        ("surface.mhc1", 1),
        ("polarization.level", 1),
    ):
        if name in tissue.cells:
            tissue.cells[name][:] = most * rng.random(n)
    tissue.cells["vital"][::7] = 1
    return process, tissue


def twin(tissue, name):
    """All pairs, one by one."""
    c = tissue.cells
    reach = c["radius"] * c["mechanics.adhesion_distance"]
    out = np.zeros(c.n)
    for i in range(c.n):
        for j in range(c.n):
            if i == j or np.linalg.norm(c.position[i] - c.position[j]) >= reach[i] + reach[j]:
                continue
            if name == "checkpoint.brake":
                total = c["surface.pd1"][i] + c["surface.pdl1"][j] + TRAITS[0].default
                b = 0.5 * (total - math.sqrt(total**2 - 4 * c["surface.pd1"][i] * c["surface.pdl1"][j]))
                out[i] = max(out[i], b**2 / (36 + b**2))
            elif c["vital"][j] == 0:
                seen = (
                    c["surface.antigen"][j] * c["surface.mhc1"][j]
                    if name == "antigen.seen"
                    else c["polarization.level"][j]
                )
                out[i] = max(out[i], seen) if name == "antigen.seen" else out[i] + seen
    return np.where(c["vital"] == 0, out, c[name])


@pytest.mark.parametrize("name", MAKERS)
def test_agrees_with_a_twin_of_all_pairs(name):
    process, tissue = crowd(MAKERS[name])
    expected = twin(tissue, name)
    fire(process, tissue, dt=6.0)
    np.testing.assert_allclose(tissue.cells[name], expected, rtol=1e-12, atol=1e-14)
    assert expected.max() > 0.5


def test_binding_by_hand():
    assert bound(100.0, 0.0, 24.6) == 0.0 and bound(1e9, 10.0, 24.6) == pytest.approx(10.0, rel=1e-6)
    b = bound(60.0, 80.0, 24.6)
    assert (60.0 - b) * (80.0 - b) / b == pytest.approx(24.6)


@pytest.mark.parametrize("name", MAKERS)
def test_alone_nothing_is_seen_and_nothing_stays_from_before(name):
    process, tissue = crowd(MAKERS[name])
    fire(process, tissue, dt=6.0)
    n = np.arange(tissue.cells.n)
    tissue.cells.position[:] = np.stack([n % 6, n // 6 % 6, n // 36], axis=1) * 40.0 - 100.0
    fire(process, tissue, dt=6.0, first=1)
    assert (tissue.cells[name][tissue.cells["vital"] == 0] == 0.0).all()


@pytest.mark.parametrize("name", MAKERS)
def test_threads_and_order_do_not_matter(name, monkeypatch):
    monkeypatch.setattr("oncarium.engine.threads.PARALLEL_FROM", 10)
    found = set()
    for threads, order in ((1, None), (2, 1), (4, 2)):
        process, tissue = crowd(MAKERS[name])
        process.threads = threads
        if order:
            shuffle(tissue, order)
        fire(process, tissue, 2, dt=6.0)
        found.add(tissue.cells[name][tissue.cells.order()].tobytes())
    assert len(found) == 1
