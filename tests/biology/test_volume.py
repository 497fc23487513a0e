"""Volumes: by hand, against the twin, positivity, resolution, the books at division."""

import numpy as np
import pytest

from helpers import add_cells, ball, fire, shuffle, tissue_of
from oncarium.biology.death import Death
from oncarium.biology.vital import LIVE, radius_of
from oncarium.biology.volume import Volume
from reference import cells as twin

PARTS = ("total", "fluid", "nuclear", "nuclear_solid", "cytoplasm_solid", "target_nuclear", "calcified_fraction")


def world(exact=True, count=80, seed=4):
    volume = Volume(6.0, exact)
    tissue = tissue_of([volume, Death(6.0)], types=("a", "b"))
    add_cells(tissue, ball(count, 50.0), np.arange(count) % 2)
    cells, rng = tissue.cells, np.random.default_rng(seed)
    cells["vital"][:] = rng.integers(0, 4, count)
    for part in PARTS:
        cells[f"volume.{part}"][:] *= 0.5 + rng.random(count)
    cells["volume.target_nuclear"][cells["vital"] != LIVE] = 0.0
    cells["elapsed"][:] = 1000.0
    return volume, tissue


def test_a_resting_cell_rests():
    volume = Volume(6.0)
    tissue = tissue_of([volume, Death(6.0)])
    add_cells(tissue, [0, 0, 0])
    fire(volume, tissue, 100, dt=6.0)
    cells = tissue.cells
    assert cells["volume.total"][0] == pytest.approx(2494.0, rel=1e-12)
    assert cells["volume.nuclear"][0] == pytest.approx(540.0, rel=1e-12)
    assert cells["radius"][0] == pytest.approx(8.412710547954228, rel=1e-12)


def test_a_grown_target_by_hand():
    volume = Volume(6.0, exact=False)
    tissue = tissue_of([volume, Death(6.0)])
    add_cells(tissue, [0, 0, 0])
    tissue.cells["volume.target_nuclear"][:] = 270.0
    fire(volume, tissue, 1, dt=6.0)
    solid = 135.0 + 6.0 * 0.0055 * 135.0
    rest = 488.5 + 6.0 * 0.0045 * (977.0 - 488.5)
    assert tissue.cells["volume.total"][0] == pytest.approx(1870.5 + solid + rest, rel=1e-13)
    assert tissue.cells["volume.nuclear"][0] == pytest.approx(1870.5 * 540.0 / 2494.0 + solid, rel=1e-13)


@pytest.mark.parametrize("exact", [True, False])
def test_volumes_agree_with_the_twin(exact):
    volume, tissue = world(exact)
    shuffle(tissue)
    cells = tissue.cells
    rows = [{p: float(cells[f"volume.{p}"][i]) for p in PARTS} for i in range(cells.n)]
    fire(volume, tissue, 1, dt=6.0)
    wanted = (0.75, 0.0, 1.0, 0.0)
    for i, cell in enumerate(rows):
        vital, kind = cells["vital"][i], cells.type[i]
        fluid, cytoplasm, nucleus, calcium = volume.rates[vital, :, kind]
        new = twin.volume(cell, (fluid, cytoplasm, nucleus, calcium), wanted[vital], volume.ratio[kind], 6.0, exact)
        for part in PARTS:
            assert cells[f"volume.{part}"][i] == pytest.approx(new[part], rel=1e-12)
        assert cells["radius"][i] == pytest.approx(radius_of(new["total"]), rel=1e-12)


def test_volumes_stay_positive_and_add_up_for_any_step():
    volume, tissue = world()
    fire(volume, tissue, 30, dt=500.0)
    c = tissue.cells
    for part in PARTS:
        assert (c[f"volume.{part}"] >= 0.0).all()
    parts = c["volume.fluid"] + c["volume.nuclear_solid"] + c["volume.cytoplasm_solid"]
    np.testing.assert_allclose(c["volume.total"], parts, rtol=1e-14)
    assert (c["volume.calcified_fraction"] <= 1.0).all()


@pytest.mark.parametrize("exact, gain", [(True, 4.0), (False, 2.0)])
def test_the_order_of_the_step(exact, gain):
    def ending(dt):
        volume, tissue = world(exact)
        fire(volume, tissue, round(240 / dt), dt=dt)
        return tissue.cells["volume.total"].copy()

    best = ending(0.01)
    error = [np.abs(ending(dt) - best).max() for dt in (6.0, 3.0)]
    assert 0.9 * gain < error[0] / error[1] < 1.2 * gain
