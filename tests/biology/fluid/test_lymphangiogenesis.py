"""VEGF-C makes lymph vessels grow: the logistic law in any step, its bounds, a model that has it."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import oncarium as oc
from helpers import PLANE, fire, tissue_of
from oncarium.biology.fluid.lymphangiogenesis import Lymphangiogenesis, grown
from oncarium.biology.fluid.state import Fluid
from oncarium.errors import ModelError


def tissue_with(process, lymph, vegfc):
    tissue = tissue_of([process], PLANE, factors=("oxygen", "vegfc"))
    tissue.fluid = Fluid(PLANE)
    tissue.fluid.lymph[...] = lymph
    tissue.fields.value[1] = vegfc
    return tissue


def test_growth_is_logistic_in_any_step():
    rate = 0.2 / 1440.0 * 0.3 / 0.4
    twin = solve_ivp(lambda _, y: rate * y * (1 - y / 3.0), (0, 14400), [0.5], rtol=1e-11, atol=1e-12).y[0, -1]
    for steps in (1, 10, 240):
        process = Lymphangiogenesis()
        tissue = tissue_with(process, 0.5, 0.3)
        fire(process, tissue, times=steps, dt=14400.0 / steps)
        np.testing.assert_allclose(tissue.fluid.lymph, twin, rtol=1e-9)


def test_none_come_from_none_nor_without_vegfc_nor_beyond_the_most():
    process = Lymphangiogenesis()
    lymph = np.zeros(PLANE.shape)
    lymph[..., 5:10], lymph[..., 10:] = 1.0, 5.0
    vegfc = np.zeros(PLANE.shape)
    vegfc[:, :10] = 100.0
    tissue = tissue_with(process, lymph, vegfc)
    fire(process, tissue, times=100, dt=1440.0)
    found = tissue.fluid.lymph
    assert (found[..., :5] == 0.0).all() and (found[..., 10:] == 5.0).all()
    np.testing.assert_allclose(found[:, :10, 5:10], 3.0, rtol=1e-6)
    assert (found[:, 10:, 5:10] == 1.0).all()


def test_a_small_number_doubles_at_the_rate():
    assert grown(np.array([1e-6]), np.array([math.log(2.0)]), 3.0, 4.0)[0] == pytest.approx(16e-6, rel=1e-4)


MODEL = """
domain: {x: [-50 um, 50 um], y: [-50 um, 50 um], voxel: 20 um}
clock: {transport: 6 min, mechanics: 6 min, phenotype: 6 min}
until: 1 day
factors: {vegfc: {library: vegfc, decay: 0 1/min, initial: 1 nM assumed}}
cells: {tumor: {}}
fluid: {lymph: {density: 1}, lymphangiogenesis: {rate: 1 1/day assumed, most: 2}}
initial: [{cells: tumor, disc: {radius: 5 um}, count: 1}]
"""


def test_a_model_tells_it_and_goes_on_after_a_restart():
    whole = oc.Simulation(oc.Model.from_text(MODEL), seed=1)
    whole.run("12 h")
    half = oc.Simulation(oc.Model.from_text(MODEL), seed=1)
    half.run("5 h")
    other = oc.Simulation(oc.Model.from_text(MODEL), seed=1)
    other.restore(half.state())
    other.run("12 h")
    told = whole.tissue.fluid.summary()["fluid.lymph"][0]
    assert other.digest() == whole.digest()
    assert told == pytest.approx(2.0 / (1.0 + math.exp(-0.5 / 1.1)), rel=1e-6)
    with pytest.raises(ModelError, match="out of range"):
        oc.Model.from_text(MODEL.replace("most: 2", "most: 0.5"))
