"""Motility: headings against a twin, unit length, cues, who turns when."""

import math

import numpy as np
import pytest

from helpers import BOX, FACTORS, PLANE, add_cells, ball, fire, shuffle, tissue_of
from oncarium.biology.death import Death
from oncarium.biology.motility import Motility
from oncarium.engine.random import direction, uniform


def world(grid=PLANE, count=200, exact=True, normalized=False, dt=1.0, **base):
    motility = Motility(dt, exact, np.array([normalized]))
    tissue = tissue_of(
        [motility, Death(6.0)], grid, factors=FACTORS, base={f"motility.{k}": v for k, v in base.items()}
    )
    add_cells(tissue, ball(count, 150.0, flat=grid.is_2d))
    z, y, x = np.meshgrid(*(grid.centers(a) for a in "zyx"), indexing="ij")
    tissue.fields.value[0] = 500.0 + x + 0.5 * np.sin(y / 30.0) * 100.0
    tissue.fields.value[1] = 500.0 - 2.0 * y + 0.01 * x * x + 0.3 * z
    return motility, tissue


def gradient(tissue, i, f):
    fields = tissue.fields
    grid = fields.grid
    at = [
        min(max(int((tissue.cells.position[i, a] - grid.lower[a]) / grid.spacing[a]), 0), grid.shape[2 - a] - 1)
        for a in range(3)
    ]
    return fields.gradient(fields.names[f])[:, at[2], at[1], at[0]]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("normalized", [True, False])
@pytest.mark.parametrize("grid", [PLANE, BOX], ids=["plane", "box"])
def test_headings_agree_with_the_twin(grid, exact, normalized):
    motility, tissue = world(
        grid, 100, exact, normalized, speed=1.0, persistence=4.0, bias=0.6, sensitivity=np.array([0.7, -0.4])
    )
    cells, rng = tissue.cells, np.random.default_rng(3)
    cells["motility.heading"][::2] = ball(50, 1.0, flat=grid.is_2d)
    cells["motility.bias"][:] = rng.random(100)
    shuffle(tissue)
    before = cells["motility.heading"].copy()
    fire(motility, tissue, 1, seed=6, first=9)
    p = 1.0 - math.exp(-0.25) if exact else 0.25
    turned = 0
    for i in range(cells.n):
        key = (np.uint64(6), motility.stream, 9, cells.id[i])
        # in PhysiCell a cell without a heading waits for its first turn
        if (before[i].any() or not exact) and uniform(*key, 0) >= p:
            assert np.array_equal(cells["motility.heading"][i], before[i])
            continue
        turned += 1
        cue = np.zeros(3)
        for f, s in enumerate((0.7, -0.4)):
            g = gradient(tissue, i, f)
            cue += s * (g / np.linalg.norm(g) if normalized else g)
        if grid.is_2d:
            cue[2] = 0.0
        b = cells["motility.bias"][i]
        heading = b * cue / np.linalg.norm(cue) + (1.0 - b) * np.array(direction(*key, 1, grid.is_2d))
        np.testing.assert_allclose(
            cells["motility.heading"][i], heading / np.linalg.norm(heading), rtol=1e-11, atol=1e-12
        )
    assert 50 < turned < 90 if exact else 15 < turned < 35


def test_full_bias_runs_straight_up_the_gradient_and_negative_sensitivity_flees():
    for sensitivity, sign in ((2.0, 1.0), (-2.0, -1.0)):
        motility, tissue = world(count=20, speed=1.0, bias=1.0, sensitivity=np.array([sensitivity, 0.0]))
        tissue.fields.value[0] = np.broadcast_to(np.arange(20.0), tissue.fields.value[0].shape)
        fire(motility, tissue)
        np.testing.assert_allclose(tissue.cells["motility.heading"], np.tile([sign, 0.0, 0.0], (20, 1)), atol=1e-14)


def test_with_a_contrast_a_shallow_gradient_gives_little_direction_and_a_steep_one_all():
    def along(relative, contrast):
        motility, tissue = world(
            count=2000, normalized=True, speed=1.0, bias=0.8, sensitivity=np.array([1.0, 0.0]), contrast=contrast
        )
        tissue.fields.value[0] = 1.0 + relative * np.linspace(-0.5, 0.5, 20)
        tissue.cells["radius"][:] = 5.0
        fire(motility, tissue)
        return tissue.cells["motility.heading"][:, 0].mean()

    whole = along(0.02, 0.0)
    assert along(0.0, 0.02) == pytest.approx(0.0, abs=0.05) and whole > 0.9  # without a contrast any gradient gives all
    # a relative difference of 0.02 over 380 um: 0.0005 across a cell of 10 um, so a bias of 0.8 x 0.0005 / (0.0005 +
    # contrast)
    share = 0.02 * 10.0 / 380.0 / (0.02 * 10.0 / 380.0 + 0.02)
    b, angle = 0.8 * share, np.linspace(0.0, 2.0 * np.pi, 3600, endpoint=False)
    x, y = b + (1.0 - b) * np.cos(angle), (1.0 - b) * np.sin(angle)
    assert along(0.02, 0.02) == pytest.approx((x / np.hypot(x, y)).mean(), abs=0.05)
    assert along(0.02, 1e-9) == pytest.approx(whole, abs=0.01)
    assert along(1.9, 0.002) > 0.5 * whole > along(0.05, 0.02)


def test_the_dead_stand_still_and_headings_have_length_one():
    motility, tissue = world(speed=1.0)
    tissue.cells["vital"][:10] = 1
    fire(motility, tissue, 5)
    length = np.linalg.norm(tissue.cells["motility.heading"], axis=1)
    np.testing.assert_allclose(length, np.where(tissue.cells["vital"] == 0, 1.0, 0.0), atol=1e-14)


def test_a_persistence_shorter_than_the_step_turns_every_step():
    motility, tissue = world(speed=1.0, persistence=0.5)
    fire(motility, tissue, 1)
    before = tissue.cells["motility.heading"].copy()
    fire(motility, tissue, 1, first=1)
    assert (before != tissue.cells["motility.heading"]).any(axis=1).all()


@pytest.mark.parametrize("dt", [2.0, 1.0, 0.5])
def test_persistence_does_not_depend_on_the_step(dt):
    motility, tissue = world(count=5000, dt=dt, speed=1.0, persistence=10.0)
    fire(motility, tissue, 1, dt=dt)
    before = tissue.cells["motility.heading"].copy()
    fire(motility, tissue, round(8.0 / dt), dt=dt, first=1)
    same = (before == tissue.cells["motility.heading"]).all(axis=1).mean()
    p = math.exp(-0.8)
    assert abs(same - p) < 3 * math.sqrt(p * (1 - p) / 5000)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("normalized", [True, False])
@pytest.mark.parametrize("grid", [PLANE, BOX], ids=["plane", "box"])
def test_a_gradient_of_rounding_is_none(grid, exact, normalized):
    """Whoever only follows a gradient stays; whoever also wanders walks at random, as without a cue."""
    headings = {}
    for bias in (1.0, 0.5):
        for spread in (0.0, 1e-13, 1e-11):
            motility, tissue = world(
                grid, 100, exact, normalized, speed=1.0, persistence=1.0, bias=bias, sensitivity=np.array([1.0, 0.0])
            )
            rounding = np.random.default_rng(1).random(grid.shape)
            tissue.fields.value[0] = 38.0 * (1.0 + spread * rounding)
            fire(motility, tissue, 5)
            headings[bias, spread] = tissue.cells["motility.heading"].copy()
        assert np.array_equal(headings[bias, 0.0], headings[bias, 1e-13]) and np.array_equal(
            headings[bias, 0.0], headings[bias, 1e-11]
        )
    assert not headings[1.0, 0.0].any()
    walking = headings[0.5, 0.0]
    np.testing.assert_allclose(np.linalg.norm(walking, axis=1), 1.0)
    assert np.linalg.norm(walking.mean(axis=0)) < 0.4
