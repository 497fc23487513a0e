"""Between cells and voxels."""

import numpy as np
import pytest

from oncarium.engine.fields import Fields, Grid
from oncarium.engine.kernels.coupling import (
    concentration_at,
    deposit,
    deposit_all,
    deposit_product,
    gradient_at,
    order_by_voxel,
    voxel_of,
)

GRID = Grid((-10.0, 5.0, 0.0), (20.0, 10.0, 30.0), (3, 5, 4))


def voxels(position):
    out = np.empty(len(position), np.int64)
    voxel_of(position, GRID.lower, np.array(GRID.spacing), GRID.shape, out)
    return out


def test_voxel_of_a_point_and_of_points_outside():
    centers = np.array([[x, y, z] for z in GRID.centers("z") for y in GRID.centers("y") for x in GRID.centers("x")])
    assert voxels(centers).tolist() == list(range(60))
    assert voxels(np.array([[-1e9, -1e9, -1e9], [1e9, 1e9, 1e9]])).tolist() == [0, 59]
    assert voxels(np.array([[-30.1, 6.0, 1.0]])).tolist() == [0]


def test_order_is_by_voxel_then_id():
    random = np.random.default_rng(1)
    voxel, ids = random.integers(0, 9, 200), random.permutation(200)
    order = order_by_voxel(voxel, ids, 9)
    assert order.tolist() == np.lexsort((ids, voxel)).tolist()


def test_deposits_sum_and_do_not_depend_on_the_order_of_rows():
    random = np.random.default_rng(2)
    voxel, ids = random.integers(0, 9, 200), random.permutation(200)
    amount, target, weight = random.random((200, 2)), random.random((200, 2)), random.random(200)

    def sums(rows):
        field, both, product = np.zeros(9), np.zeros((3, 9)), np.zeros((3, 9))
        which = np.array([2, 1])  # nobody trades factor 0
        order = order_by_voxel(voxel[rows], ids[rows], 9)
        deposit(order, voxel[rows], amount[rows], 1, 3.0, weight[rows], field)
        deposit_all(order, voxel[rows], amount[rows], which, np.array([7.0, 3.0, 2.0]), weight[rows], both)
        deposit_product(order, voxel[rows], amount[rows], target[rows], which, weight[rows], product)
        assert both[1].tobytes() == field.tobytes() and not both[0].any() and both[2].any()
        return field, product

    field, product = sums(np.arange(200))
    shuffled = sums(random.permutation(200))
    assert field.tobytes() == shuffled[0].tobytes() and product.tobytes() == shuffled[1].tobytes()
    np.testing.assert_allclose(field, np.bincount(voxel, 3.0 * weight * amount[:, 1], 9), rtol=1e-13)
    np.testing.assert_allclose(product[1], np.bincount(voxel, weight * amount[:, 1] * target[:, 1], 9), rtol=1e-13)


def test_concentration_at_cells():
    value = np.arange(120.0).reshape(2, 60)
    out = np.empty((3, 2))
    concentration_at(np.array([0, 59, 7]), value, out)
    assert out.tolist() == [[0.0, 60.0], [59.0, 119.0], [7.0, 67.0]]


@pytest.mark.parametrize("shape", [(3, 5, 4), (1, 5, 4), (1, 1, 2), (1, 1, 1)])
def test_gradient_at_is_the_gradient_of_the_field(shape):
    fields = Fields(Grid((0, 0, 0), (20.0, 10.0, 30.0), shape), ["oxygen"], diffusion=[1.0], decay=[0.0])
    fields.value[0] = np.random.default_rng(3).random(shape)
    expected = fields.gradient("oxygen").reshape(3, -1)
    got = np.array(
        [
            gradient_at(v, fields.value[0].reshape(-1), np.array(fields.grid.spacing), shape)
            for v in range(expected.shape[1])
        ]
    )
    np.testing.assert_allclose(got.T, expected, rtol=1e-12, atol=1e-15)
