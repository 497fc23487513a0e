"""Solid stress: by hand in an even tissue, the same for any voxel, any order of cells."""

import numpy as np
import pytest

from helpers import add_cells, ball, fire, shuffle, tissue_of
from oncarium.biology.death import Death
from oncarium.biology.fluid.state import Fluid
from oncarium.biology.fluid.stress import PRESSURE, SPARSE, SWELLING, SolidStress
from oncarium.biology.matrix.state import Matrix
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.volume import Volume
from oncarium.engine.fields import Grid


def pressed(voxel=20.0, position=None, pressure=2.0, order=None, size=2000.0, hyaluronan=0.0):
    n = round(400 / voxel)
    grid = Grid((-200, -200, -10), (voxel, voxel, 20), (1, n, n))
    process = SolidStress()
    tissue = tissue_of([Mechanics(1.0), Volume(1.0), Death(1.0), process], grid)
    tissue.fluid, tissue.matrix = Fluid(grid), Matrix(grid)
    tissue.matrix.density[:], tissue.matrix.hyaluronan[:] = 0.5, hyaluronan
    x, y = np.meshgrid(np.arange(-195, 200, 10.0), np.arange(-195, 200, 10.0))
    add_cells(tissue, np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], axis=1) if position is None else position)
    tissue.cells["sense.pressure"][:] = pressure
    tissue.cells["volume.total"][:] = size
    if order is not None:
        shuffle(tissue, order)
    fire(process, tissue, dt=60.0)
    return tissue


def test_an_even_tissue_has_the_stress_of_its_cells_up_to_the_walls():
    np.testing.assert_allclose(pressed().fluid.stress, PRESSURE * 2.0, rtol=1e-9)
    np.testing.assert_allclose(pressed(hyaluronan=0.6).fluid.stress, PRESSURE * 2.0 + SWELLING * 0.3, rtol=1e-9)
    # a tenth of the space: half of what bears as a tissue
    np.testing.assert_allclose(pressed(size=200.0).fluid.stress, PRESSURE * 2.0 * 0.1 / SPARSE, rtol=1e-9)
    none = pressed(position=np.zeros((0, 3)))
    assert (none.fluid.stress == 0.0).all()


def test_the_dead_do_not_press():
    tissue = pressed()
    tissue.cells["vital"][:] = 1
    fire(SolidStress(), tissue, dt=60.0)
    assert (tissue.fluid.stress == 0.0).all()


@pytest.mark.parametrize("voxel", [5.0, 10.0, 25.0])
def test_stress_does_not_depend_on_the_voxel(voxel):
    place = ball(400, 120.0, flat=True)
    level = 3.0 * np.exp(-np.linalg.norm(place, axis=1) / 60.0)
    coarse = pressed(20.0, place, level).fluid
    other = pressed(voxel, place, level).fluid
    from oncarium.biology.vessels.places import sample

    spots = np.stack([np.arange(-180, 181, 5.0), 0.3 * np.arange(-180, 181, 5.0), np.zeros(73)], axis=1)
    found = [
        sample(f.stress.reshape(1, -1), spots, np.array([-200.0, -200, -10]), np.array([v, v, 20.0]), f.stress.shape)[0]
        for f, v in ((coarse, 20.0), (other, voxel))
    ]
    assert np.abs(found[0] - found[1]).max() < 0.06 * found[0].max()


def test_order_of_cells_does_not_matter():
    place = ball(300, 150.0, flat=True)
    level = np.linspace(0, 3, 300)
    assert pressed(position=place, pressure=level).digest() != pressed(position=place, pressure=level[::-1]).digest()
    one = pressed(position=place, pressure=level).fluid.stress
    tissue = pressed(position=place, pressure=level)
    shuffle(tissue, 5)
    fire(SolidStress(), tissue, dt=60.0)
    np.testing.assert_array_equal(tissue.fluid.stress, one)
