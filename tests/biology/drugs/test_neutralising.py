"""Drugs that hold factors: equilibrium, conservation for any step, against scipy, a total that outlives the free."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from oncarium.biology.drugs.neutralising import Held, Hold, Neutralising
from oncarium.biology.transport import Transport
from oncarium.engine.cells import Cells
from oncarium.engine.fields import Fields, Grid
from oncarium.engine.process import Tick
from oncarium.engine.tissue import Tissue

ON, OFF = 0.06, 0.048
NAMES = ["drug", "factor", "both"]


def world(step, drug=5.0, factor=1.0, supply=0.0, diffusion=0.0, decay=0.0):
    fields = Fields(Grid((0, 0, 0), (20, 20, 20), (1, 4, 4)), NAMES, ["nM"] * 3, diffusion=[diffusion] * 3,
                    decay=[0.0, decay, 0.0], initial=[drug, factor, 0.0])  # fmt: skip
    fields.value[1, 0, 0] *= 2.0
    tissue = Tissue(Cells([], ("a",), {"factor": tuple(NAMES)}), fields)
    hold = Neutralising(step, [Hold("drug", "factor", "both", ON, OFF)])
    solver = Transport(step, dict.fromkeys(NAMES, "backward-euler"), 1e-12)
    processes = (hold, solver, Held(step, hold))
    for p in processes:
        p.prepare(tissue)

    def run(minutes):
        for k in range(round(minutes / step)):
            fields.clear_sources()
            fields.supply[1] += supply
            for p in processes:
                p.step(tissue, Tick(k, k * step, step, 1))
        return fields.value

    return run


@pytest.mark.parametrize("step", [0.1, 6.0, 30.0])
def test_nothing_is_lost(step):
    run = world(step, diffusion=500.0)
    drug, factor, both = run(600.0)
    assert (drug + both).mean() == pytest.approx(5.0, rel=1e-9)
    assert (factor + both).mean() == pytest.approx(1.25, rel=1e-9)
    assert min(drug.min(), factor.min(), both.min()) >= 0.0


@pytest.mark.parametrize("step", [1.0, 30.0])
def test_it_ends_in_balance(step):
    drug, factor, both = world(step)(6000.0)
    assert np.allclose(drug * factor / both, OFF / ON, rtol=1e-6)


def test_in_time_as_scipy_has_it():
    def slope(_, y):
        moved = ON * y[0] * y[1] - OFF * y[2]
        return [-moved, -moved + 0.01 - 0.02 * y[1], moved]

    exact = solve_ivp(slope, (0, 40.0), [5.0, 1.0, 0.0], method="Radau", rtol=1e-9).y[:, -1]
    found = world(0.05, supply=0.01, decay=0.02)(40.0)[:, 0, 2, 2]
    assert np.allclose(found, exact, rtol=5e-3)


def test_where_the_factor_outnumbers_the_drug_none_is_used_twice():
    drug, _, both = world(30.0, drug=0.5, factor=50.0)(300.0)
    assert np.allclose(drug + both, 0.5, rtol=1e-9) and drug.min() >= 0.0
    assert both.mean() > 0.45


def test_the_total_rises_while_the_free_falls():
    """What is held is not lost as fast as what is free: as CCL2 under its antibody."""
    free = world(1.0, drug=0.0, factor=0.5, supply=0.01, decay=0.02)(600.0)[1].mean()
    _, less, both = (v.mean() for v in world(1.0, drug=50.0, factor=0.5, supply=0.01, decay=0.02)(600.0))
    assert less < 0.25 * free < free < 5.0 * free < less + both
