"""Proteolysis: by hand, voxel by voxel, never more active protease
than is secreted, one TIMP for one MMP, same bytes for any threads."""

import math

import numpy as np
import pytest

from helpers import PLANE, fire, tissue_of
from oncarium.biology.matrix.proteolysis import cathepsin_decay, protease_cascade, timp_binding
from oncarium.biology.secretion import Secretion
from oncarium.biology.transport import Transport

FACTORS = ("mmp", "serine_protease", "cathepsin", "timp", "acid")


def world(process, threads=1, seed=4):
    tissue = tissue_of([Secretion(6.0), process], PLANE, factors=FACTORS)
    process.threads = threads
    rng = np.random.default_rng(seed)
    tissue.fields.value[:] = rng.random(tissue.fields.value.shape)
    tissue.fields.value[FACTORS.index("acid")] *= 20.0
    tissue.fields.clear_sources()
    tissue.fields.supply[:] = 0.01 * rng.random(tissue.fields.supply.shape)
    return tissue


def test_by_hand():
    # no plasmin, no cathepsin
    assert protease_cascade.function(1.0, 1.0, 0.0, 0.0, zymogen=0.3, pro_upa=0.5, half=0.5) == (-0.7, -0.5)
    assert protease_cascade.function(1.0, 2.0, 0.5, 0.5, zymogen=0.3, pro_upa=0.5, half=0.5) == (-0.35, -0.5)
    assert timp_binding.function(2.0, 3.0, rate=0.1) == pytest.approx((0.3, 0.2))
    # at pH 7.0
    assert cathepsin_decay.function(10.0, normal=7.4, buffer=25.0, fast=0.2, half=7.0, steepness=8.0) == 0.1


def test_cascade_agrees_with_a_loop_over_voxels_and_never_makes_more_than_is_secreted():
    cascade = protease_cascade(period=6.0)
    tissue = world(cascade)
    value, before = tissue.fields.value.copy(), tissue.fields.supply.copy()
    fire(cascade, tissue)
    after = tissue.fields.supply
    for j, i in np.ndindex(20, 20):
        s, c = value[1, 0, j, i], value[2, 0, j, i]
        assert after[0, 0, j, i] == pytest.approx(before[0, 0, j, i] * (0.3 + 0.7 * s / (0.5 + s)), rel=1e-12)
        assert after[1, 0, j, i] == pytest.approx(before[1, 0, j, i] * (0.5 + 0.5 * c / (0.5 + c)), rel=1e-12)
    assert (after[:2] <= before[:2]).all() and (after[:2] > 0.0).all() and np.array_equal(after[2:], before[2:])


def test_plasmin_unlocks_mmp_and_without_it_a_third_is_left():
    amounts = []
    for serine in (0.0, 0.5, 50.0):
        cascade = protease_cascade(period=6.0)
        tissue = world(cascade)
        tissue.fields.value[1] = serine
        fire(cascade, tissue)
        amounts.append(tissue.fields.supply[0].sum())
    whole = world(protease_cascade(period=6.0)).fields.supply[0].sum()
    np.testing.assert_allclose(np.array(amounts) / whole, [0.3, 0.65, 0.3 + 0.7 * 50 / 50.5])


@pytest.mark.parametrize("dt", [6.0, 60.0])
def test_one_timp_binds_one_mmp_whatever_the_step(dt):
    binding, transport = timp_binding(period=dt), Transport(dt)
    tissue = tissue_of([Secretion(dt), binding, transport], PLANE, factors=FACTORS)
    fields = tissue.fields
    fields.decay[:] = 0.0
    for f in (0, 3):
        fields.value[f] = 0.5
    for k in range(int(360 / dt)):
        fields.clear_sources()
        fire(binding, tissue, dt=dt, first=k)
        fire(transport, tissue, dt=dt, first=k)
    mmp, timp = fields.value[0], fields.value[3]
    assert (mmp > 0.0).all() and np.allclose(mmp, timp, rtol=1e-6)
    # m' = -r m^2: m = m0 / (1 + r m0 t); an hour's step, linear in it, loses too fast, but never below zero
    if dt == 6.0:
        assert mmp.mean() == pytest.approx(0.5 / (1.0 + 0.1 * 0.5 * 360.0), rel=0.05)


def test_cathepsin_lives_where_it_is_acid():
    decay = cathepsin_decay(period=6.0)
    tissue = world(decay)
    tissue.fields.value[4] = np.linspace(0.0, 25.0, 400).reshape(1, 20, 20)
    fire(decay, tissue)
    rate = tissue.fields.demand[2].ravel()
    assert (
        (np.diff(rate) < 0.0).all()
        and rate[0] == pytest.approx(0.2 / (1.0 + math.exp(-3.2)))
        and rate[-1] < 0.02 * rate[0]
    )


@pytest.mark.parametrize("maker", [protease_cascade, timp_binding, cathepsin_decay])
def test_same_bytes_for_any_threads(maker):
    out = []
    for threads in (1, 2, 4):
        process = maker(period=6.0)
        tissue = world(process, threads)
        fire(process, tissue)
        out.append((tissue.fields.supply.tobytes(), tissue.fields.demand.tobytes()))
    assert out[0] == out[1] == out[2]
