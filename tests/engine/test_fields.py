"""Grid and fields: shapes, boundaries, gradient, copies, errors."""

import numpy as np
import pytest

from oncarium.engine.fields import FieldError, Fields, Grid

GRID = Grid((-10.0, 0.0, 5.0), (10.0, 20.0, 5.0), (3, 4, 5))


def fields(grid=GRID):
    return Fields(
        grid,
        ["oxygen", "glucose"],
        ["mmHg", "mM"],
        diffusion=[1e5, 6.6e3],
        decay=[0.1, 0.0],
        michaelis=[2.5, np.nan],
        initial=[38.0, 5.0],
    )


def test_grid():
    assert (GRID.nx, GRID.ny, GRID.nz, GRID.is_2d, GRID.voxel_volume) == (5, 4, 3, False, 1000.0)
    assert GRID.centers("z").tolist() == [7.5, 12.5, 17.5]
    assert GRID.lower.tolist() == [-10.0, 0.0, 5.0] and GRID.upper.tolist() == [40.0, 80.0, 20.0]


@pytest.mark.parametrize(
    "spacing, shape", [((1, 1, 0), (1, 1, 1)), ((1, 1, 1), (0, 1, 1)), ((1, 1), (1, 1, 1)), ((1, 1, 1), (1, 1))]
)
def test_a_grid_that_is_no_box(spacing, shape):
    with pytest.raises(FieldError, match="is no box of voxels"):
        Grid((0, 0, 0), spacing, shape)


def test_amount_and_initial_values():
    assert fields().amount("glucose") == pytest.approx(5.0 * 60 * 1000.0)


@pytest.mark.parametrize("shape", [(3, 4, 5), (1, 4, 5)])
def test_gradient_is_exact_for_a_slope(shape):
    some = fields(Grid((-10.0, 0.0, 5.0), (10.0, 20.0, 5.0), shape))
    x, y, z = (some.grid.centers(a) for a in "xyz")
    some.value[0] = 2.0 * x - 3.0 * y[:, None] + 4.0 * z[:, None, None]
    expected = np.array([2.0, -3.0, 4.0 if shape[0] > 1 else 0.0])
    np.testing.assert_allclose(
        some.gradient("oxygen"), expected[:, None, None, None] * np.ones(shape), rtol=1e-12, atol=1e-13
    )


def test_gradient_is_central_inside_and_one_sided_at_the_edges():
    some = fields()
    x = some.grid.centers("x")
    some.value[0] = x**2
    got = some.gradient("oxygen")[0, 1, 2]
    np.testing.assert_allclose(got[1:-1], 2.0 * x[1:-1])
    np.testing.assert_allclose(got[[0, -1]], [x[0] + x[1], x[-2] + x[-1]])


def test_boundaries():
    some = fields()
    some.set_boundary("oxygen", "xmin", "value", 38.0)
    some.set_boundary("oxygen", "ymax", "exchange", 20.0, 3.0)
    assert some.face_permeability(0).tolist() == [np.inf, 0, 0, 3.0, 0, 0]
    assert some.outside[0].tolist() == [38.0, 0, 0, 20.0, 0, 0]
    some.set_boundary("oxygen", "all", "no-flux")
    assert not some.face_permeability(0).any()


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda f: f.set_boundary("oxygen", "left", "value"), "faces are xmin, xmax"),
        (lambda f: f.set_boundary("oxygen", "xmin", "dirichlet"), "conditions are no-flux, value, exchange"),
        (lambda f: f.set_boundary("oxigen", "xmin", "value"), "Did you mean 'oxygen'"),
        (lambda f: Fields(GRID, ["a", "a"], diffusion=[1, 1], decay=[0, 0]), "repeat"),
        (lambda f: Fields(GRID, ["a"], diffusion=[-1], decay=[0]), "at least 0"),
        (lambda f: Fields(GRID, ["a"], diffusion=[1, 1], decay=[0]), "one per factor"),
        (lambda f: Fields(GRID, ["a"], diffusion=[np.inf], decay=[0]), "finite"),
    ],
)
def test_errors_say_what_is_wrong(call, words):
    with pytest.raises(FieldError, match=words):
        call(fields())


def test_fixed_voxels():
    some = fields()
    mask = np.zeros(GRID.shape, np.bool_)
    mask[1, 2, 3] = True
    some.fix("glucose", mask, 7.0)
    some.fix("oxygen", mask, np.full(GRID.shape, 9.0))
    assert some.fixed.sum() == 2
    assert some.fixed_value[1, 1, 2, 3] == 7.0 and some.fixed_value[0, 1, 2, 3] == 9.0


def test_arrays_and_restore_are_exact():
    some, other = fields(), fields()
    some.value += np.random.default_rng(0).random(some.shape)
    some.mobility = np.random.default_rng(1).random(GRID.shape)
    some.velocity = (np.ones((3, 4, 6)), np.ones((3, 5, 5)), np.ones((4, 4, 5)))
    some.set_boundary("oxygen", "zmax", "exchange", 1.0, 2.0)
    other.restore(some.arrays())
    assert other.arrays().keys() == some.arrays().keys()
    assert all(other.arrays()[k].tobytes() == v.tobytes() for k, v in some.arrays().items())
    some.value += 1.0
    assert not np.array_equal(some.value, other.value)


def test_a_copy_is_independent():
    some = fields()
    twin = some.copy()
    twin.value += 1.0
    twin.supply += 1.0
    assert some.value.max() == 38.0 and not some.supply.any()
    twin.clear_sources()
    assert not (twin.supply.any() or twin.demand.any() or twin.capacity.any())
