"""Births and deaths against branching processes: means, variances, growth rates, hazards per step."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from helpers import add_cells, ball, fire, run, tissue_of
from oncarium.biology.cycle import CYCLES, Cycle
from oncarium.biology.death import Death
from oncarium.biology.division import Division
from oncarium.biology.vital import LIVE
from oncarium.biology.volume import Volume
from oncarium.engine.process import Tick

TIMES = (300.0, 480.0, 240.0, 60.0)  # min: G1, S, G2, M
FOUR = CYCLES["flow_cytometry_separated"]


def world(model, exits, fixed, count, period=6.0, exact=True):
    cycle = Cycle(period, [model], np.array([fixed], np.bool_), exact)
    division = Division(period)
    tissue = tissue_of(
        [cycle, Volume(period), Death(period), division], phases=len(exits), base={"cycle.exit": np.array([exits])}
    )
    add_cells(tissue, ball(count, 150.0))
    return cycle, division, tissue


def founders(tissue, events, count):
    """(cell) the first cell of every lineage; events of division name mother and daughter."""
    of = {c: c for c in range(count)}
    for event in events:
        of[int(event["cause"])] = of[int(event["id"])]
    return np.array([of[int(c)] for c in tissue.cells.id])


def test_a14_exponential_lineages_have_the_right_mean_and_variance():
    n, rate, time = 4000, 1 / 1080, 2880.0
    cycle, division, tissue = world(CYCLES["live"], [rate], [False], n)
    run([cycle, division], tissue, time, 6.0)
    size = np.bincount(founders(tissue, tissue.population.drain(), n), minlength=n)
    mean = math.exp(rate * time)
    assert mean == pytest.approx(14.3919, abs=1e-4)
    variance = mean**2 - mean
    assert variance == pytest.approx(192.735, abs=1e-2)
    assert abs(size.mean() - mean) < 3 * math.sqrt(variance / n)
    fourth = ((size - size.mean()) ** 4).mean()
    assert abs(size.var() - variance) < 3 * math.sqrt((fourth - size.var() ** 2) / n)


def times_to_division(exits, fixed, count, period):
    """(cell) minutes from birth to the first division."""
    cycle, _, tissue = world(FOUR, exits, fixed, count, period)
    found, step = np.zeros(count), 0
    while not found.all():
        cycle.step(tissue, Tick(step, step * period, period, 11))
        step += 1
        for rows in tissue.population.dividing:
            new = rows[found[rows] == 0.0]
            found[new] = step * period - tissue.cells["elapsed"][new]
        tissue.population.dividing.clear()
    return found


def solve(exits, fixed):
    """g of 2 prod f_i(g) = 1."""

    def balance(g):
        return math.log(2.0) + sum(-g / r if f else math.log(r / (r + g)) for r, f in zip(exits, fixed))

    return brentq(balance, 1e-8, 1e-1, xtol=1e-16)


CASES = [((False, True, True, True), 6.577619e-4), ((False,) * 4, 7.189066e-4), ((True,) * 4, 6.418029e-4)]


@pytest.mark.parametrize("fixed, rate", CASES)
def test_a15_the_closed_form(fixed, rate):
    assert solve([1 / t for t in TIMES], fixed) == pytest.approx(rate, rel=1e-6)


@pytest.mark.parametrize("fixed, rate", CASES)
def test_a15_growth_rate_of_the_simulated_durations(fixed, rate):
    """A population whose generations last T grows at the g of 2 E[exp(-g T)] = 1."""
    lasted = times_to_division([1 / t for t in TIMES], fixed, 10 if all(fixed) else 100_000, 6.0)
    growth = brentq(lambda g: 2.0 * np.exp(-g * lasted).mean() - 1.0, 1e-5, 1e-2)
    assert growth == pytest.approx(rate, rel=0.005)


@pytest.mark.parametrize("exact, p", [(True, math.exp(-5.31667e-5 * 6)), (False, 1 - 5.31667e-5 * 6)])
def test_a16_survival_over_two_days(exact, p):
    """The exact hazard gives .8580267, rate * dt gives .8580057: both documented, told apart by their closed forms."""
    n = 40_000
    assert p**480 == pytest.approx(0.8580267 if exact else 0.8580057, abs=2e-7)
    death = Death(6.0, exact)
    tissue = tissue_of([death, Volume(6.0)], base={"death.apoptosis": 5.31667e-5})
    add_cells(tissue, ball(n, 150.0))
    fire(death, tissue, 480, dt=6.0, seed=2)
    alive = np.count_nonzero(tissue.cells["vital"] == LIVE)
    q = p**480
    assert abs(alive - n * q) < 3 * math.sqrt(n * q * (1 - q))
