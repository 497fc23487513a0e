"""Death: chances and durations by hand, against the twin, statistics, what falls silent."""

import math

import numpy as np
import pytest

from helpers import add_cells, ball, fire, run, shuffle, tissue_of
from oncarium.biology.death import Death
from oncarium.biology.division import Division
from oncarium.biology.motility import Motility
from oncarium.biology.secretion import Secretion
from oncarium.biology.vital import APOPTOTIC, LIVE, LYSED, SWELLING
from oncarium.biology.volume import Volume
from reference import cells as twin


def world(count, exact=True, **base):
    death, volume, division = Death(6.0, exact), Volume(6.0, exact), Division(6.0)
    every = [death, volume, Motility(6.0), Secretion(6.0), division]
    tissue = tissue_of(every, base={k.replace("__", "."): v for k, v in base.items()})
    add_cells(tissue, ball(count, 100.0))
    return death, volume, division, tissue


@pytest.mark.parametrize("exact", [True, False])
def test_deaths_agree_with_the_twin(exact):
    death, _, _, tissue = world(300, exact, death__apoptosis=0.05, death__necrosis=0.03, apoptosis__duration=18.0)
    rng = np.random.default_rng(8)
    cells = tissue.cells
    cells["vital"][:] = rng.integers(0, 4, cells.n)
    cells["elapsed"][:] = 30.0 * rng.random(cells.n)
    cells["death.rupture_volume"][:] = rng.choice([2000.0, 3000.0], cells.n)
    shuffle(tissue)
    expected = {}
    for i in range(cells.n):
        cell = {
            "vital": cells["vital"][i],
            "elapsed": cells["elapsed"][i],
            "rupture": cells["death.rupture_volume"][i],
            "total": 2494.0,
        }
        draws = [twin.draw(3, death.stream, 5, cells.id[i], k) for k in (0, 1)]
        expected[cells.id[i]] = twin.death(cell, (0.05, 0.03), (18.0, 86400.0), draws, 6.0, exact)
    fire(death, tissue, 1, dt=6.0, seed=3, first=5)
    for i in range(cells.n):
        e = expected[cells.id[i]]
        assert (cells["vital"][i], cells["elapsed"][i], cells["death.rupture_volume"][i]) == (
            e["vital"],
            e["elapsed"],
            e["rupture"],
        )
    cleared = set(cells.id[np.concatenate(tissue.population.removed)])
    assert cleared == {c for c, e in expected.items() if e["cleared"]} and cleared


@pytest.mark.parametrize("dt", [6.0, 3.0, 1.0])
def test_apoptosis_lasts_its_duration_whatever_the_step(dt):
    death, volume, division, tissue = world(1, death__apoptosis=0.0)
    for p in (death, volume, division):
        p.period = dt
    tissue.cells["death.apoptosis"][:] = 1e9
    plan = run([death, volume, division], tissue, 516.0 - dt, dt)
    assert tissue.cells.n == 1 and tissue.cells["vital"][0] == APOPTOTIC
    plan.tick(tissue, 1)
    assert tissue.cells.n == 0


def test_a_necrotic_cell_swells_to_twice_its_volume_then_shrinks_and_calcifies():
    death, volume, division, tissue = world(1, death__apoptosis=0.0)
    cells = tissue.cells
    cells["death.necrosis"][:] = 1e9
    largest = []
    for _ in range(600):
        run([death, volume, division], tissue, 6.0, 6.0)
        if cells["vital"][0] == SWELLING:
            largest.append(cells["volume.total"][0])
    assert cells["vital"][0] == LYSED
    assert np.all(np.diff(largest) > 0) and largest[0] < 2 * 2494.0
    assert cells["volume.total"][0] < 0.5 * max(largest)
    assert 0.0 < cells["volume.calcified_fraction"][0] < 1.0


def test_a_dying_cell_falls_silent():
    death, _, _, tissue = world(2, death__apoptosis=0.0)
    cells = tissue.cells
    cells["motility.heading"][:] = [1.0, 0.0, 0.0]
    cells["secretion.rate"][:] = 5.0
    cells["secretion.uptake"][:] = 10.0
    cells["death.apoptosis"][0] = 1e9
    fire(death, tissue, 1, dt=6.0)
    assert cells["vital"].tolist() == [APOPTOTIC, LIVE]
    assert cells["motility.heading"][:, 0].tolist() == [0.0, 1.0]
    assert cells["secretion.rate"][:, 0].tolist() == [0.0, 5.0]
    assert cells["secretion.uptake"][:, 0].tolist() == [1.0, 10.0]


@pytest.mark.parametrize("dt", [12.0, 6.0, 3.0])
def test_survival_does_not_depend_on_the_step(dt):
    n, rate = 20_000, 0.002
    death, _, _, tissue = world(n, death__apoptosis=rate)
    fire(death, tissue, round(240 / dt), dt=dt, seed=11)
    p = math.exp(-rate * 240)
    alive = np.count_nonzero(tissue.cells["vital"] == LIVE)
    assert abs(alive - n * p) < 3 * math.sqrt(n * p * (1 - p))
    events = tissue.population.drain()
    assert np.count_nonzero(events["kind"] == tissue.population.kinds.index("apoptosis")) == n - alive
