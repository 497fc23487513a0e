"""Bound VEGF-A: sums that are kept, and how much is free at rest as MMP has it."""

import numpy as np
import pytest

import oncarium as oc
from helpers import PLANE, fire, tissue_of
from oncarium.biology.matrix.reservoir import Reservoir
from oncarium.biology.matrix.state import Matrix
from oncarium.biology.secretion import Secretion

from .test_matrix import MODEL

USUAL = {n.name: n.default for n in Reservoir.numbers}
BINDING, BOUND_LOSS, CUT, HELD, RELEASE = (USUAL[k] for k in ("binding", "bound_loss", "cut", "held", "release"))


def quiet(start, step="1 min"):
    """The model without cells, decay, edges or MMP in which VEGF-A starts at 1 nM."""
    text = MODEL.replace("MMP", "0").replace("count: 60", "count: 0").replace("transport: 1 min", f"transport: {step}")
    return text.replace("decay: 0.0133 1/min assumed, boundary: 1 nM assumed", start)


@pytest.mark.parametrize("step, error", [("0.5 min", 0.002), ("1 min", 0.004)])
def test_free_bound_and_lost_keep_their_sum(step, error):
    """VEGF-A that binds is missing in the fluid: with closed faces and no decay only the bound pool loses any."""
    simulation = oc.Simulation(oc.Model.from_text(quiet("decay: 0, initial: 1 nM", step)), seed=1)
    bound, lost = simulation.tissue.matrix.bound_vegfa, 0.0
    for _ in range(round(360 / float(step.split()[0]))):
        before = simulation.tissue.matrix.bound_vegfa.sum()
        simulation.step()
        bound = simulation.tissue.matrix.bound_vegfa.sum()
        lost += 0.5 * (before + bound) * BOUND_LOSS * float(step.split()[0])
    assert bound > 0.2 * 100
    assert simulation.tissue.fields.value[1].sum() + bound + lost == pytest.approx(100.0, rel=error)


@pytest.mark.parametrize("mmp", [0.0, 0.1, 1.0])
def test_mmp_decides_at_rest_how_much_vegf_is_free(mmp):
    """c = v (1 - h + h f) / (d + b rho (1 - f)), f = (r + k M) / (r + k M + loss): what of the bound pool gets free."""
    reservoir, matrix = Reservoir(60.0), Matrix(PLANE)
    tissue = tissue_of([Secretion(60.0), reservoir], PLANE, factors=("vegfa", "mmp"), matrix=matrix)
    matrix.density[:] = 0.4
    fields, v, d, dt = tissue.fields, 1e-3, 0.0115, 60.0
    fields.value[1] = mmp
    for k in range(600):
        fields.clear_sources()
        fields.supply[0] = v
        fire(reservoir, tissue, dt=dt, first=k)
        rate = d + fields.demand[0]
        goal = fields.supply[0] / rate
        fields.value[0] = goal + (fields.value[0] - goal) * np.exp(-rate * dt)
    share = (RELEASE + CUT * mmp) / (RELEASE + CUT * mmp + BOUND_LOSS)
    free = v * (1 - HELD + HELD * share) / (d + BINDING * 0.4 * (1 - share))
    np.testing.assert_allclose(fields.value[0], free, rtol=1e-6)
    thin = Matrix(PLANE)
    assert thin.bound_vegfa.max() == 0.0
    if mmp == 1.0:
        none = v * (1 - HELD + HELD / 11) / (d + BINDING * 0.4 * 10 / 11)
        assert free > 2.0 * none, "MMP frees VEGF-A at rest"


def test_matrix_that_is_not_there_holds_no_vegf():
    reservoir = Reservoir(1.0)
    tissue = tissue_of([Secretion(1.0), reservoir], PLANE, factors=("vegfa",), matrix=Matrix(PLANE))
    tissue.fields.supply[0] = 1e-3
    fire(reservoir, tissue, 10, dt=1.0)
    assert (tissue.fields.supply[0] == 1e-3).all() and tissue.matrix.bound_vegfa.max() == 0.0
