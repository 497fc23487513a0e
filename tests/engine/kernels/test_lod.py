"""Locally one-dimensional steps against dense matrices; exchange against a loop over cells."""

import numpy as np
import pytest

from oncarium.engine.kernels.lod import exchange, lod_step
from reference import fields as twin


@pytest.mark.parametrize("shape", [(1, 3, 3), (1, 37, 21), (1, 1, 9), (1, 9, 1), (5, 7, 6), (9, 18, 33)])
@pytest.mark.parametrize("held", [0, 4])
def test_matches_dense_matrices(shape, held):
    random = np.random.default_rng(2)
    value = random.random(shape)
    index = random.choice(value.size, held, replace=False)
    values = random.random(held)
    expected = value.copy()
    for _ in range(3):
        expected = twin.lod(expected, 0.01, 2e4, 0.5, (20.0, 10.0, 30.0), index, values)
    lod_step(value, 0.01, 2e4, 0.5, (20.0, 10.0, 30.0), index, values, steps=3)
    assert np.abs(value - expected).max() < 1e-13


def test_wide_planes_are_swept_in_slabs():
    """More columns than one slab of the z sweep holds."""
    random = np.random.default_rng(4)
    value = random.random((4, 150, 300))
    expected = twin.lod(value, 0.1, 1e3, 0.1, (20.0, 20.0, 20.0))
    lod_step(value, 0.1, 1e3, 0.1, (20.0, 20.0, 20.0))
    assert np.abs(value - expected).max() < 1e-13


def test_mass_and_positivity():
    value = np.zeros((7, 8, 9))
    value[3, 4, 5] = 1.0
    lod_step(value, 0.01, 1e5, 0.0, (20.0, 20.0, 20.0), steps=100)
    assert value.min() > 0.0
    assert value.sum() == pytest.approx(1.0, rel=1e-13)


def test_exchange_matches_a_loop_over_cells():
    random = np.random.default_rng(5)
    cells, voxels = 50, 12
    value, voxel = random.random(voxels), random.integers(0, voxels, cells)
    arrays = [random.random(cells) for _ in range(5)]
    volume = arrays[0] * 4000.0
    got, expected = np.zeros(cells), np.zeros(cells)
    start, by_loop = value.copy(), value.copy()
    twin.exchange(by_loop, voxel, volume, *arrays[1:], expected, 8000.0, 0.01)
    exchange(value, np.arange(cells), voxel, volume, *arrays[1:], got, np.zeros_like(got), 8000.0, 0.01)
    np.testing.assert_allclose(value, by_loop, rtol=1e-14)
    np.testing.assert_allclose(got, expected, rtol=1e-13, atol=1e-10)
    assert (value.sum() - start.sum()) * 8000.0 + got.sum() == pytest.approx(0.0, abs=1e-9)


def test_exchange_passes_over_cells_outside():
    value, internalised = np.ones(2), np.zeros(1)
    one = np.ones(1)
    exchange(
        value, np.zeros(1, np.int64), np.array([-1]), one, one, one, one, one, internalised, np.zeros(1), 8000.0, 0.01
    )
    assert value.tolist() == [1.0, 1.0] and internalised[0] == 0.0
