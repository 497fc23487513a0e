"""Where vessels are in the box: lengths, means along them, what they leave in voxels, whatever the voxel."""

import numpy as np
import pytest

from oncarium.biology.vessels.places import along, course, sample, spread
from oncarium.biology.vessels.state import Vessels
from oncarium.engine.fields import Grid

from .networks import GRID, SLICE, column, tube


def test_a_straight_vessel_has_its_length_in_the_box_and_a_column_the_part_in_the_slice():
    inside = course(tube(Vessels.empty(), [-150, 0, 0], [150, 40, 10]).graph, GRID)
    assert inside.length.sum() == pytest.approx(np.sqrt(300**2 + 40**2 + 10**2), rel=1e-12)
    crossing = course(column(Vessels.empty(), 30, 30).graph, SLICE)
    assert np.add.reduceat(crossing.length, crossing.first[:-1]) == pytest.approx([10.0, 10.0])
    outside = course(tube(Vessels.empty(), [300, 0, 0], [400, 0, 0]).graph, GRID)
    assert outside.length.tolist() == [0.0] and (outside.position[0] <= GRID.upper).all()


@pytest.mark.parametrize("voxel", [10, 20, 40])
def test_means_along_a_vessel_do_not_depend_on_the_voxel(voxel):
    n = 400 // voxel
    grid = Grid((-200, -200, -200), (voxel,) * 3, (n, n, n))
    z, y, x = np.meshgrid(*(grid.centers(a) for a in "zyx"), indexing="ij")
    there = course(tube(Vessels.empty(), [-100, 13, 7], [60, 13, 7]).graph, grid)
    # linear in space: exact; the mean of x over the vessel is -20
    assert along(there, grid, (2.0 + 0.01 * x + 0.003 * y - 0.02 * z)[None])[0, 0] == pytest.approx(
        2.0 - 0.2 + 0.039 - 0.14, rel=1e-12
    )
    laid = np.zeros(grid.shape).reshape(-1)
    spread(np.array([3.0]), *there[:2], there.length, grid.lower, np.array(grid.spacing), grid.shape, laid)
    assert laid.sum() == pytest.approx(3.0 * 160.0)


def test_samples_agree_with_scipy():
    from scipy.interpolate import RegularGridInterpolator

    rng = np.random.default_rng(3)
    value, place = rng.random(GRID.shape), rng.uniform(-189, 189, (200, 3))
    expected = RegularGridInterpolator([GRID.centers(a) for a in "zyx"], value)(place[:, ::-1])
    found = sample(value.reshape(1, -1), place, GRID.lower, np.array(GRID.spacing), GRID.shape)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
