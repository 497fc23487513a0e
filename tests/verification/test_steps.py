"""Each mechanism on its own, over steps of 2 to 30 min, against closed forms that know no step."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from helpers import add_cells, ball, fire, run, tissue_of
from oncarium.biology.body.circulation import Circulation
from oncarium.biology.body.state import Body
from oncarium.biology.cycle import CYCLES, Cycle
from oncarium.biology.damage import damage
from oncarium.biology.death import Death
from oncarium.biology.division import Division
from oncarium.biology.polarization import Polarization
from oncarium.biology.transformation import Transformation
from oncarium.biology.vital import APOPTOTIC, LIVE, LYSED, SWELLING
from oncarium.biology.volume import Volume
from oncarium.engine.process import Tick
from oncarium.engine.tissue import Tissue
from oncarium.model.body import Compartment, Flow

STEPS = pytest.mark.parametrize("dt", [2.0, 6.0, 12.0, 30.0])


def within(count, n, p):
    """Whether a binomial count is within 3.5 standard deviations."""
    return abs(count - n * p) < 3.5 * math.sqrt(n * p * (1 - p))


@STEPS
def test_scores_and_damage_are_exact(dt):
    score, hurt = Polarization(dt), damage(period=dt)
    tissue = tissue_of([score, hurt])
    add_cells(tissue, [0, 0, 0])
    c = tissue.cells
    c["polarization.rise"][:], c["polarization.fall"][:] = 0.01, 0.03
    c["damage.rate"][:], c["damage.repair"][:] = 0.02, 0.01
    for p in (score, hurt):
        fire(p, tissue, round(60 / dt), dt=dt)
    assert c["polarization.level"][0] == pytest.approx(0.25 * (1 - math.exp(-2.4)), rel=1e-12)
    assert c["damage.level"][0] == pytest.approx(2.0 * (1 - math.exp(-0.6)), rel=1e-12)


@STEPS
@pytest.mark.parametrize("vital, wanted", [(LIVE, 0.75), (APOPTOTIC, 0.0), (SWELLING, 1.0), (LYSED, 0.0)])
def test_volumes_follow_their_equations(dt, vital, wanted):
    """A growing cell errs by 0.01 % at steps of 6 min and 0.2 % at 30, a swelling one by nothing."""
    volume = Volume(dt)
    tissue = tissue_of([volume, Death(dt)])
    add_cells(tissue, [0, 0, 0])
    c = tissue.cells
    c["vital"][:], c["elapsed"][:] = vital, 1000.0
    c["volume.target_nuclear"][:] = 270.0 if vital == LIVE else 0.0
    fire(volume, tissue, round(120 / dt), dt=dt)
    r_fluid, r_cytoplasm, r_nucleus, _ = volume.rates[vital, :, 0]
    goal = 270.0 if vital == LIVE else 0.0

    def change(_, y):
        fluid, nucleus, cytoplasm = y
        wet = r_fluid * (wanted * y.sum() - fluid)
        return [wet, r_nucleus * (goal - nucleus), r_cytoplasm * (volume.ratio[0] * goal - cytoplasm)]

    end = solve_ivp(change, (0, 120), [1870.5, 135.0, 488.5], rtol=1e-10, atol=1e-8).y[:, -1]
    assert c["volume.nuclear_solid"][0] == pytest.approx(end[1], rel=1e-6)
    assert c["volume.cytoplasm_solid"][0] == pytest.approx(end[2], rel=1e-6)
    assert c["volume.total"][0] == pytest.approx(end.sum(), rel=4.4e-6 * dt**2)


@STEPS
def test_the_dead_are_there_for_their_duration(dt):
    """Of cells that die at a rate and lie for 120 min, as many are seen as died in the last 120 min."""
    n, rate = 40_000, 0.003
    death, division = Death(dt), Division(dt)
    tissue = tissue_of([death, Volume(dt), division], base={"death.apoptosis": rate, "apoptosis.duration": 120.0})
    add_cells(tissue, ball(n, 100.0))
    run([death, division], tissue, 240.0, dt, seed=3)
    vital = tissue.cells["vital"]
    assert within(np.count_nonzero(vital == LIVE), n, math.exp(-rate * 240))
    assert within(np.count_nonzero(vital == APOPTOTIC), n, math.exp(-rate * 120) - math.exp(-rate * 240))


@STEPS
def test_of_two_deaths_each_has_its_share(dt):
    n, a, b = 40_000, 0.02, 0.01
    death = Death(dt)
    base = {"death.apoptosis": a, "death.necrosis": b, "apoptosis.fixed": 0.0, "apoptosis.duration": 100.0}
    tissue = tissue_of([death, Volume(dt), Division(dt)], base=base)
    add_cells(tissue, ball(n, 100.0))
    gone = 0
    for k in range(round(60 / dt)):
        fire(death, tissue, 1, dt=dt, first=k, seed=5)
        for rows in tissue.population.removed:
            gone += len(rows)
            tissue.cells["vital"][rows] = LYSED  # taken out by hand
            tissue.cells["elapsed"][rows] = -1e9
        tissue.population.removed.clear()
    vital, dead = tissue.cells["vital"], 1 - math.exp(-(a + b) * 60)
    assert within(np.count_nonzero(vital == SWELLING), n, b / (a + b) * dead)
    # x' = a exp(-(a + b) t) - x / 100
    lying = a / (a + b - 0.01) * (math.exp(-0.01 * 60) - math.exp(-(a + b) * 60))
    assert within(np.count_nonzero(vital == APOPTOTIC), n, lying)
    assert within(gone, n, a / (a + b) * dead - lying)


@STEPS
def test_a_single_phase_grows_as_an_exponential(dt):
    n, rate, time = 6000, 0.002, 1080.0
    cycle, division = Cycle(dt, [CYCLES["live"]], np.zeros((1, 1), np.bool_)), Division(dt)
    tissue = tissue_of([cycle, Volume(dt), Death(dt), division], phases=1, base={"cycle.exit": np.array([[rate]])})
    add_cells(tissue, ball(n, 100.0))
    run([cycle, division], tissue, time, dt, seed=2)
    mean = math.exp(rate * time)
    assert abs(tissue.cells.n - n * mean) < 3.5 * math.sqrt(n * mean * (mean - 1.0))


@STEPS
def test_phases_follow_their_equations(dt):
    """Mean numbers in four phases, of which the last doubles: M' = A M."""
    n, time, exits = 20_000, 1080.0, np.array([1 / 300.0, 1 / 480.0, 1 / 240.0, 1 / 60.0])
    cycle, division = Cycle(dt, [CYCLES["flow_cytometry_separated"]], np.zeros((1, 4), np.bool_)), Division(dt)
    tissue = tissue_of([cycle, Volume(dt), Death(dt), division], base={"cycle.exit": exits[None]})
    add_cells(tissue, ball(n, 100.0))
    run([cycle, division], tissue, time, dt, seed=4)
    a = np.diag(-exits) + np.diag(exits[:3], -1)
    a[0, 3] += 2.0 * exits[3]
    expected = n * expm(a * time)[:, 0]
    found = np.bincount(tissue.cells["cycle.phase"], minlength=4)
    assert (np.abs(found - expected) < 3.5 * np.sqrt(2.0 * expected)).all()


@STEPS
def test_cells_become_the_type_that_comes_first(dt):
    n, a, b = 40_000, 0.03, 0.01
    change = Transformation(dt)
    rates = np.array([[0.0, a, b], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    tissue = tissue_of(
        [change, Volume(dt), Death(dt)], types=("one", "two", "three"), base={"transformation.rate": rates}
    )
    add_cells(tissue, ball(n, 100.0))
    fire(change, tissue, round(60 / dt), dt=dt, seed=7)
    left = math.exp(-(a + b) * 60)
    for kind, share in enumerate((left, a / (a + b) * (1 - left), b / (a + b) * (1 - left))):
        assert within(np.count_nonzero(tissue.cells.type == kind), n, share)


@STEPS
def test_the_body_follows_its_equations(dt):
    parts = [
        Compartment("a", 1.0, loss=0.01, flows=(Flow("b", 0.02, "c", 0.5),)),
        Compartment("b", 0.2, gain=0.03, by="a", half=2.0, loss=0.05),
        Compartment("c", 1.0, loss=0.004),
    ]
    process = Circulation(dt, parts)
    tissue = Tissue(None, None, body=Body([p.name for p in parts], [p.start for p in parts]))
    for k in range(round(120 / dt)):
        process.step(tissue, Tick(k, k * dt, dt, 1))

    def change(_, y):
        passed = 0.02 * y[2] / (y[2] + 0.5) * y[0]
        return [-0.01 * y[0] - passed, 0.03 * y[0] / (y[0] + 2.0) - 0.05 * y[1] + passed, -0.004 * y[2]]

    end = solve_ivp(change, (0, 120), [1.0, 0.2, 1.0], rtol=1e-11, atol=1e-12).y[:, -1]
    np.testing.assert_allclose(tissue.body.level, end, rtol=1e-8)
