"""Fields of the microenvironment against closed forms: one cell that secretes, oxygen in spheres and slabs, reach and
spread of a cytokine."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.engine.kernels.cosine import cosine_step, relaxation_rates
from oncarium.model.model import Model

from .test_fields import INF, along_x, radius, steady

NM = 1.0 / 0.60221408  # nM of one molecule per um^3


# V01: a point source


def test_v01_the_formula_gives_the_number():
    assert 167.0 / (4.0 * np.pi * 6000.0 * 10.0) * NM == pytest.approx(3.68e-4, rel=1e-3)


def test_v01_steady_point_source_without_decay():
    n, h = 34, 2.5
    r = radius(n, h)
    exact = 167.0 / (4.0 * np.pi * 6000.0 * r) * NM
    source = np.zeros((n, n, n))
    # an octant: the corner voxel holds all of the source in an eighth of its space
    source[0, 0, 0] = 167.0 * NM / (8.0 * h**3)
    c = steady((n, n, n), h, 6000.0, supply=source, held=r >= 75.0, values=exact, tolerance=1e-7)
    at = np.array([10.0, 20.0, 40.0])  # from four voxels on
    np.testing.assert_allclose(along_x(c, h, at), 3.68e-4 * 10.0 / at, rtol=0.05)


def test_v01_a_cell_of_a_model(tmp_path):
    """Molecules per minute become nM around one cell of a model."""
    model = Model.from_text("""
domain: {x: [-205 um, 205 um], y: [-205 um, 205 um], z: [-205 um, 205 um], voxel: 10 um}
clock: {transport: 3 min, mechanics: 6 min, phenotype: 6 min}
factors: {signal: {unit: nM, diffusion: 6000 um^2/min, decay: 2.4 1/min, solver: backward-euler}}
cells: {source: {cycle: {model: none}, secretion: {rate: {signal: 167 molecules/min}}}}
initial: [{cells: source, ball: {radius: 0.01 um}, count: 1}]
""")
    result = oc.run(model, "1 h", 1, out=tmp_path)
    c = result.fields["signal"].isel(time=-1).values
    x = 10.0 * (np.arange(c.shape[0]) - c.shape[0] // 2)
    r = np.sqrt(x[:, None, None] ** 2 + x[:, None] ** 2 + x**2)
    exact = 167.0 / (4.0 * np.pi * 6000.0 * np.maximum(r, 1.0)) * np.exp(-r / 50.0) * NM
    for low in (30.0, 40.0, 60.0, 80.0):
        shell = (r >= low) & (r < low + 10.0)
        assert c[shell].sum() == pytest.approx(exact[shell].sum(), rel=0.02)
        # along the axes a grid carries farther, across them less far
        np.testing.assert_allclose(c[shell], exact[shell], rtol=0.07)


# V02 to V05: oxygen


def depleted(size, h, most, outside, diffusion=1.2e5):
    """Oxygen (octant) of a sphere of this radius that takes up as much as it can get, and its distances. mmHg, min."""
    n = round(size / h) + 3
    r = radius(n, h)
    limit = np.sqrt(6.0 * diffusion * outside / most)
    core = 0.0 if size <= limit else grimes(size, limit)
    around = outside + most / (6.0 * diffusion) * (r**2 - size**2 + 2.0 * core**3 * (1.0 / r - 1.0 / size))
    return steady(
        (n, n, n), h, diffusion, capacity=most, michaelis=0.01, held=r >= size, values=around, tolerance=1e-3
    ), r


def grimes(size, limit):
    """Necrotic radius of a sphere."""
    return size * (0.5 - np.cos((np.arccos(1.0 - 2.0 * limit**2 / size**2) - 2.0 * np.pi) / 3.0))


def test_v02_the_largest_sphere_without_a_core():
    limit = np.sqrt(6.0 * 1.2e5 * 100.0 / (22.1 * 60.0))
    assert limit == pytest.approx(233.0, abs=0.05)
    center = {
        share: along_x(depleted(share * limit, 10.0, 22.1 * 60.0, 100.0)[0], 10.0, [0.0])[0] for share in (0.97, 1.03)
    }
    assert center[0.97] > 0.8 * 100.0 * (1.0 - 0.97**2) and center[1.03] < 0.05


@pytest.mark.parametrize("size, core", [(250.0, 56.8), (300.0, 129.2), (400.0, 243.5), (500.0, 349.5)])
def test_v03_necrotic_radius(size, core):
    assert grimes(size, 233.0) == pytest.approx(core, abs=0.15)
    h = 10.0
    c, r = depleted(size, h, 22.1 * 60.0, 100.0)
    starved = (0.01 / (0.01 + c))[r < size].sum() * h**3 * 8.0
    assert (3.0 * starved / (4.0 * np.pi)) ** (1.0 / 3.0) == pytest.approx(core, abs=h)


@pytest.mark.parametrize("outside, most, depth", [(38.0, 15.0, 100.7), (100.0, 22.1, 134.5)])
def test_v04_depth_of_a_slab(outside, most, depth):
    """D 2000 um^2/s; how deep oxygen reaches is how much tissue is fed."""
    assert np.sqrt(2.0 * 2000.0 * outside / most) == pytest.approx(depth, abs=0.05)
    c = steady(
        (1, 1, 120),
        2.0,
        1.2e5,
        capacity=60.0 * most,
        michaelis=1e-3,
        faces=(INF, 0, 0, 0, 0, 0),
        outside=(outside, 0, 0, 0, 0, 0),
        tolerance=1e-6,
    )
    assert (c / (c + 1e-3)).sum() * 2.0 == pytest.approx(depth, rel=0.03)


@pytest.mark.parametrize(
    "size, center", [(100.0, 32.33), (200.0, 20.95), (250.0, 15.70), (300.0, 11.38), (400.0, 5.57)]
)
def test_v05_first_order_uptake(size, center):
    h = 5.0 if size <= 200.0 else 10.0
    n = round(size / h) + 3
    r = radius(n, h)
    around = 38.0 * size * np.sinh(r / 100.0) / (r * np.sinh(size / 100.0))
    assert 38.0 * (size / 100.0) / np.sinh(size / 100.0) == pytest.approx(center, rel=1e-3)
    c = steady((n, n, n), h, 1e5, sink=10.0, held=r >= size, values=around)
    assert along_x(c, h, [0.0])[0] == pytest.approx(center, rel=0.02)


# V07, V08: reach and spread


def test_v07_reach_of_vegf():
    h, n = 20.0, 400
    c = steady((1, 1, n), h, 4200.0, sink=0.0133, faces=(INF, 0, 0, 0, 0, 0), outside=(1, 0, 0, 0, 0, 0))[
        0, 0, : n // 4
    ]
    reach = -h / np.polyfit(np.arange(len(c)), np.log(c), 1)[0]
    assert reach == pytest.approx(562.0, rel=0.02)


@pytest.mark.parametrize("diffusion", [100.0, 4200.0])
def test_v08_a_release_spreads_by_2dt_along_every_axis(diffusion):
    h, n, t = 10.0, 60, 3e3 / diffusion
    c = np.zeros((n, n, n))
    c[30, 30, 30] = 1.0
    cosine_step(c, np.zeros_like(c), t, relaxation_rates(c.shape, (h, h, h), diffusion, 0.0))
    assert c.sum() == pytest.approx(1.0, rel=1e-12)
    x = (np.arange(n) - 30) * h
    for axes in ((1, 2), (0, 2), (0, 1)):
        along = c.sum(axis=axes)
        assert (along * x**2).sum() == pytest.approx(2.0 * diffusion * t, rel=0.02)
        np.testing.assert_allclose(
            along[20:41],
            h * np.exp(-(x[20:41] ** 2) / (4.0 * diffusion * t)) / np.sqrt(4.0 * np.pi * diffusion * t),
            rtol=0.02,
        )
