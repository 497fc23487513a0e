"""Multigrid against a direct solution of the same finite volumes."""

import numpy as np
import pytest

from oncarium.engine.kernels import multigrid
from oncarium.engine.kernels.hierarchy import build
from reference.fields import assemble, steady

INF = np.inf
OUTSIDE = np.array([38.0, 10.0, 5.0, 20.0, 3.0, 7.0])
CLOSED, ROBIN, ONE, BOX = [0.0] * 6, [5.0, 0, 0, 50.0, 0, 0], [INF, 0, 0, 0, 0, 0], [INF, INF, INF, INF, 0, 0]
CASES = {
    "closed": dict(shape=(1, 37, 75), rate=0.01),
    "slow decay": dict(shape=(1, 64, 64), rate=1e-4, demand=0.0),
    "values on faces": dict(shape=(1, 37, 75), faces=BOX, demand=0.0),
    "exchange": dict(shape=(1, 37, 75), faces=ROBIN),
    "three dimensions": dict(shape=(11, 13, 17), faces=[INF, 0, 3.0, 0, INF, 0]),
    "flat voxels": dict(shape=(5, 30, 30), spacing=(10.0, 20.0, 40.0), faces=[INF, 0, 3.0, 0, INF, 0]),
    "one row": dict(shape=(1, 1, 50), faces=[INF, 0, 0, 0, 0, 0]),
    "mobility": dict(shape=(1, 37, 75), faces=ONE, mobile=True),
    "mobility in three dimensions": dict(shape=(11, 13, 17), rate=0.01, mobile=True),
    "flow": dict(shape=(1, 37, 75), faces=[INF, INF, 0, 0, 0, 0], flow=5.0),
    "strong flow": dict(shape=(1, 37, 75), faces=[INF, INF, 0, 0, 0, 0], flow=200.0),
    "Michaelis-Menten": dict(shape=(1, 37, 75), faces=BOX, diffusion=1e5, capacity=1000.0),
    "Michaelis-Menten in three dimensions": dict(shape=(15, 15, 15), faces=[INF] * 6, diffusion=1e5, capacity=900.0),
    "held voxels": dict(shape=(1, 37, 75), held=100, diffusion=1e5, demand=10.0),
    "few held voxels": dict(shape=(1, 64, 64), held=5, diffusion=1e5, demand=0.0),
    "held voxels and Michaelis-Menten": dict(shape=(13, 15, 15), held=20, diffusion=1e5, capacity=900.0),
}


def problem(
    shape, spacing=(20.0, 20.0, 20.0), diffusion=1e3, faces=CLOSED, mobile=False, flow=0.0, demand=0.1, capacity=0.0,
    held=0, rate=0.0,
):  # fmt: skip
    """Keyword arguments of multigrid.solve, and the direct solution."""
    random = np.random.default_rng(1)
    faces, n = np.array(faces, float), int(np.prod(shape))
    mobility = np.exp(random.normal(0, 1, shape)) if mobile else None
    nz, ny, nx = shape
    sizes = ((nz, ny, nx + 1), (nz, ny + 1, nx), (nz + 1, ny, nx))
    velocity = tuple(np.full(s, flow * part) for s, part in zip(sizes, (1.0, 0.5, 0.0))) if flow else None
    supply = random.random(n) * (random.random(n) < 0.2)
    need = demand * random.random(n) * (random.random(n) < 0.5)
    most = capacity * random.random(n)
    index = np.sort(random.choice(n, held, replace=False)) if held else multigrid.NO_INDEX
    values = random.random(held) * 40.0
    operator, wall = assemble(shape, spacing, diffusion, faces, mobility, velocity)
    exact = steady(operator, wall, OUTSIDE, supply, need + rate, most if capacity else None, 2.5, index, values)
    given = dict(
        source=supply.reshape(shape),
        hierarchy=build(shape, spacing, diffusion, faces, mobility, velocity),
        rate=rate,
        demand=need.reshape(shape),
        capacity=most.reshape(shape) if capacity else multigrid.NOTHING,
        michaelis=2.5,
        outside=OUTSIDE,
        fixed=index,
        held=values,
    )
    return given, exact.reshape(shape)


@pytest.mark.parametrize("name", CASES)
def test_converges_to_the_direct_solution(name):
    given, exact = problem(**CASES[name])
    value = np.zeros(exact.shape)
    cycles, error, _, imbalance = multigrid.solve(value, **given, tolerance=1e-11 * exact.max())
    assert np.abs(value - exact).max() < 1e-9 * exact.max()
    assert error < 1e-11 * exact.max() and cycles < 60
    assert imbalance < 1e-8


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
def test_estimated_error_is_the_error(name, tolerance):
    given, exact = problem(**CASES[name])
    value = np.zeros(exact.shape)
    _, error, _, _ = multigrid.solve(value, **given, tolerance=tolerance * exact.max())
    assert error <= tolerance * exact.max()
    assert np.abs(value - exact).max() < 6.0 * tolerance * exact.max()


@pytest.mark.parametrize(
    "shape, most",
    [
        ((1, 32, 32), 0.2),
        ((1, 64, 64), 0.2),
        ((1, 37, 75), 0.2),
        ((1, 100, 100), 0.2),
        ((16, 16, 16), 0.2),
        ((32, 32, 32), 0.2),
        # the last three: odd at every level
        ((24, 24, 24), 0.2),
        ((1, 127, 127), 0.25),
        ((11, 13, 17), 0.25),
        ((37, 75, 21), 0.25),
    ],
)
@pytest.mark.parametrize("faces", ["values", "exchange", "one", "closed"])
def test_convergence_factor(shape, most, faces):
    """Error left by one V-cycle, after ten; groups of three, which odd numbers of voxels need, cost a little."""
    flat = shape[0] == 1
    permeability = np.array({"values": [INF] * 6, "exchange": [10.0] * 6, "one": ONE, "closed": CLOSED}[faces], float)
    if flat:
        permeability[4:] = 0.0
    levels = build(shape, (20.0, 20.0, 20.0), 1e3, permeability)
    zero, left = np.zeros(shape), []
    # the solution is zero, so the value is the error; cutting at zero would make it look smaller, hence a source just
    # below zero
    zero[0, 0, 0] = -1e-300
    value = np.random.default_rng(0).random(shape)
    for _ in range(12):
        multigrid.solve(
            value,
            zero,
            levels,
            rate=0.05 if faces == "closed" else 0.0,
            demand=np.zeros(shape),
            tolerance=0.0,
            cycles=1,
        )
        left.append(np.abs(value).max())
    assert left[-1] / left[-2] < most
    assert (left[-1] / left[3]) ** (1.0 / 8.0) < most


def test_nowhere_negative_and_balanced():
    """A hungry spot in a lit box: a loose solution still has no negative voxel, and its fluxes balance."""
    given, _ = problem((1, 40, 40), faces=ONE)
    given["source"] = np.zeros((1, 40, 40))
    given["demand"] = np.zeros((1, 40, 40))
    given["demand"][0, 10:30, 10:30] = 1e4
    value = np.zeros((1, 40, 40))
    multigrid.solve(value, **given, tolerance=1e-3)
    assert value.min() >= 0.0
    operator, wall = assemble((1, 40, 40), (20.0, 20.0, 20.0), 1e3, np.array(ONE, float))
    inflow = (wall.T @ OUTSIDE + np.asarray(operator.sum(axis=0)).ravel() * value.ravel()).sum()
    taken = (given["demand"].ravel() * value.ravel()).sum()
    assert abs(inflow - taken) < 1e-10 * taken


def test_one_voxel():
    levels = build((1, 1, 1), (10.0, 10.0, 10.0), 1e3, np.zeros(6))
    value = np.zeros((1, 1, 1))
    multigrid.solve(value, np.full((1, 1, 1), 3.0), levels, rate=0.5, demand=np.ones((1, 1, 1)))
    assert value[0, 0, 0] == pytest.approx(2.0, rel=1e-14)


def test_conjugate_residuals_take_over_where_cycles_stagnate():
    """Diffusion jumping by four orders of magnitude between neighbors."""
    shape = (1, 40, 40)
    random = np.random.default_rng(3)
    mobility = np.where(random.random(shape) < 0.5, 1.0, 1e-4)
    operator, wall = assemble(shape, (20.0, 20.0, 20.0), 1e3, np.array(ONE, float), mobility)
    supply, sink = random.random(1600), np.full(1600, 0.01)
    exact = steady(operator, wall, OUTSIDE, supply, sink)
    value = np.zeros(shape)
    levels = build(shape, (20.0, 20.0, 20.0), 1e3, np.array(ONE, float), mobility)
    given = dict(rate=0.01, demand=np.zeros(shape), outside=OUTSIDE)
    cycles, *_ = multigrid.solve(
        value, supply.reshape(shape), levels, **given, tolerance=1e-11 * exact.max(), cycles=300
    )
    assert cycles < 300
    assert np.abs(value.ravel() - exact).max() < 1e-9 * exact.max()
