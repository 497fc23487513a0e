"""The cosine step against the matrix exponential of the same finite volumes."""

import numpy as np
import pytest
from scipy.linalg import expm, solve

from oncarium.engine.kernels.cosine import cosine_step, relaxation_rates
from reference.fields import assemble

SPACING = (10.0, 20.0, 15.0)


@pytest.mark.parametrize("shape", [(1, 5, 8), (3, 4, 5), (1, 1, 7)])
@pytest.mark.parametrize("dt", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_matches_the_matrix_exponential(shape, dt, decay):
    random = np.random.default_rng(6)
    value, supply = random.random(shape), random.random(shape)
    operator, _ = assemble(shape, SPACING, 500.0, np.zeros(6))
    n = value.size
    both = np.zeros((n + 1, n + 1))  # supply is the last column of one larger linear system
    both[:n, :n] = operator.toarray() - decay * np.eye(n)
    both[:n, n] = supply.ravel()
    expected = (expm(both * dt) @ np.append(value.ravel(), 1.0))[:n]
    cosine_step(value, supply, dt, relaxation_rates(shape, SPACING, 500.0, decay))
    np.testing.assert_allclose(value.ravel(), expected, rtol=1e-11)


def test_two_steps_are_one():
    random = np.random.default_rng(7)
    once, supply = random.random((4, 5, 6)), random.random((4, 5, 6))
    twice = once.copy()
    rates = relaxation_rates(once.shape, SPACING, 500.0, 0.1)
    cosine_step(once, supply, 3.0, rates)
    cosine_step(twice, supply, 1.0, rates)
    cosine_step(twice, supply, 2.0, rates)
    np.testing.assert_allclose(once, twice, rtol=1e-13)


def test_mass_and_positivity():
    value = np.zeros((1, 20, 20))
    value[0, 3, 4] = 1.0
    cosine_step(value, np.zeros_like(value), 0.5, relaxation_rates(value.shape, SPACING, 500.0, 0.0))
    assert value.sum() == pytest.approx(1.0, rel=1e-14)
    assert value.min() > -1e-16


def test_long_times_reach_the_steady_state():
    random = np.random.default_rng(8)
    value, supply = random.random((1, 5, 6)), random.random((1, 5, 6))
    operator, _ = assemble(value.shape, SPACING, 500.0, np.zeros(6))
    cosine_step(value, supply, 1e5, relaxation_rates(value.shape, SPACING, 500.0, 0.2))
    np.testing.assert_allclose(value.ravel(), solve(0.2 * np.eye(30) - operator.toarray(), supply.ravel()), rtol=1e-12)
