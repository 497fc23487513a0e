"""Radiation: the table of the oxygen effect, survival of many cells, lesions that kill at divisions, lymphocytes."""

import math

import numpy as np
import pytest

import oncarium as oc
from helpers import add_cells, fire, shuffle, tissue_of
from oncarium.biology.cycle import CYCLES, Cycle
from oncarium.biology.death import Death
from oncarium.biology.division import Division
from oncarium.biology.drugs.calendar import Calendar
from oncarium.biology.radiation import Radiation, lesions, oxygen_effect, poisson
from oncarium.biology.volume import Volume
from oncarium.engine.process import Tick
from oncarium.model.doses import Regimen

TABLE = {0: 0.333, 1: 0.5, 2.5: 0.636, 3: 0.667, 5: 0.75, 10: 0.846, 20: 0.913, 40: 0.953}


def world(n=0, alpha=0.3, beta=0.03, interphase=0.0, weight=(1.0, 1.0, 1.0), oxygen=38.0):
    table = {"alpha": np.array([alpha]), "beta": np.array([beta]), "interphase": np.array([interphase])}
    radiation = Radiation(6.0, Calendar(Regimen()), (3.0, 3.0), table, np.array([weight]))
    cycle = Cycle(6.0, [CYCLES["flow_cytometry"]], np.zeros((1, 3), np.bool_))
    tissue = tissue_of([cycle, Volume(6.0), Death(6.0), Division(6.0), radiation], phases=3)
    tissue.fields.value[:] = oxygen
    if n:
        add_cells(tissue, np.zeros((n, 3)))
    return radiation, tissue


@pytest.mark.parametrize(("pressure", "share"), TABLE.items())
def test_the_oxygen_effect(pressure, share):
    assert oxygen_effect(float(pressure), 3.0, 3.0) == pytest.approx(share, abs=5e-4)


def test_closed_forms():
    """Two gray at alpha 0.3 and beta 0.03; the same without oxygen; the dose that leaves a tenth."""
    assert math.exp(-lesions(2.0, 0.3, 0.03)) == pytest.approx(0.4868, abs=5e-5)
    assert math.exp(-lesions(2.0 * oxygen_effect(0.0, 3.0, 3.0), 0.3, 0.03)) == pytest.approx(0.8079, abs=5e-5)
    assert math.exp(-lesions(5.09, 0.3, 0.03)) == pytest.approx(0.1, abs=3e-4)


@pytest.mark.parametrize("mean", [0.2, 3.0, 18.0])
def test_poisson_numbers(mean):
    u = (np.arange(20_000) + 0.5) / 20_000
    n = np.array([poisson(x, mean) for x in u])
    assert n.mean() == pytest.approx(mean, rel=2e-3) and n.var() == pytest.approx(mean, rel=1e-2)


@pytest.mark.parametrize(("dose", "pressure"), [(2.0, 38.0), (2.0, 1.0), (6.0, 38.0)])
def test_survival_of_a_hundred_thousand_cells(dose, pressure):
    n = 100_000
    radiation, tissue = world(n, oxygen=pressure)
    radiation.irradiate(tissue, Tick(0, 0.0, 6.0, 1), dose)
    alive = (tissue.cells["radiation.lesions"] == 0.0).mean()
    d = dose * (3.0 * pressure + 3.0) / (3.0 * (pressure + 3.0))
    exact = math.exp(-0.3 * d - 0.03 * d * d)
    assert abs(alive - exact) < 3.0 * math.sqrt(exact * (1.0 - exact) / n)


def test_phases_weigh():
    radiation, tissue = world(30_000, weight=(1.0, 0.8, 1.2))
    tissue.cells["cycle.phase"][:] = np.arange(30_000) % 3
    radiation.irradiate(tissue, Tick(0, 0.0, 6.0, 1), 2.0)
    mean = [tissue.cells["radiation.lesions"][k::3].mean() for k in range(3)]
    full = lesions(2.0 * oxygen_effect(38.0, 3.0, 3.0), 0.3, 0.03)
    assert np.allclose(mean, [full, 0.8 * full, 1.2 * full], rtol=0.05)


def test_fractions_add_up():
    radiation, tissue = world(20_000)
    for k in range(3):
        radiation.irradiate(tissue, Tick(k, 6.0 * k, 6.0, 1), 2.0)
    alive = (tissue.cells["radiation.lesions"] == 0.0).mean()
    one = math.exp(-lesions(2.0 * oxygen_effect(38.0, 3.0, 3.0), 0.3, 0.03))
    assert abs(alive - one**3) < 3.0 * math.sqrt(one**3 / 20_000)


def test_they_die_at_one_of_the_next_three_divisions():
    """All divide at once, again and again: the doomed and their daughters are gone after the third."""
    radiation, tissue = world(400)
    division = Division(6.0)
    division.prepare(tissue)
    radiation.irradiate(tissue, Tick(0, 0.0, 6.0, 1), 2.0)
    cells = tissue.cells
    sound = int((cells["radiation.lesions"] == 0.0).sum())
    left = []
    for k in range(1, 4):
        tissue.population.divide(np.flatnonzero(cells["vital"] == 0))
        fire(radiation, tissue, dt=6.0, first=k)
        fire(division, tissue, dt=6.0, first=k)
        left.append(int(((cells["vital"] == 0) & (cells["radiation.lesions"] > 0.0)).sum()))
    live = cells["vital"] == 0
    assert left[0] > 0 and left[2] == 0, "not at the dose, and at the third division at the latest"
    assert int(live.sum()) == 8 * sound
    died = [r["kind"] for r in tissue.population.drain()]
    assert tissue.population.kinds.index("mitotic_death") in died


def test_lymphocytes_do_not_wait_for_a_division():
    radiation, tissue = world(2000, alpha=0.5, interphase=1.0)
    radiation.irradiate(tissue, Tick(0, 0.0, 6.0, 1), 2.0)
    hit = int((tissue.cells["radiation.lesions"] > 0.0).sum())
    gone: list[int] = []
    for first, last in ((0, 59), (59, 120), (120, 241)):
        for k in range(first, last):
            radiation.step(tissue, Tick(k, 6.0 * k, 6.0, 1))
        gone.append(int((tissue.cells["vital"] != 0).sum()))
    assert gone[0] == 0 and 0.2 * hit < gone[1] < 0.5 * hit and gone[2] == hit


def test_the_order_of_rows_changes_nothing():
    (a, one), (b, two) = world(500), world(500)
    shuffle(two)
    for radiation, tissue in ((a, one), (b, two)):
        radiation.irradiate(tissue, Tick(0, 0.0, 6.0, 1), 2.0)
    assert one.digest() == two.digest()


MODEL = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
until: 9 day
clock: {transport: 6 min, mechanics: 6 min}
factors: {oxygen: {unit: mmHg, diffusion: 100000 um^2/min, decay: 0.1 1/min, boundary: 38 mmHg}}
cells:
  tumor: {death: {apoptosis: 0 1/min}, radiation: {alpha: 1 1/Gy}}
  cd8_effector: {death: {apoptosis: 0 1/min}}
initial: [{cells: tumor, disc: {radius: 90 um}, count: 200}, {cells: cd8_effector, disc: {radius: 90 um}, count: 200}]
therapy: {doses: ["radiation 2 Gy on days 1, 2"], radiation: {beta: 0 1/Gy^2}}
"""


def test_in_a_model_a_type_may_say_its_own():
    simulation = oc.Simulation(oc.Model.from_text(MODEL), seed=3)
    base = simulation.tissue.cells.base
    assert base["radiation.alpha"].tolist() == [1.0, 0.5] and base["radiation.beta"].tolist() == [0.0, 0.0]
    simulation.run("23.9 h")
    assert not simulation.tissue.cells["radiation.lesions"].any()
    simulation.run("24.1 h")
    first = simulation.tissue.cells["radiation.lesions"].mean()
    assert first > 0.5
    simulation.run("48.2 h")
    assert simulation.tissue.cells["radiation.lesions"][:200].mean() > 1.5 * first


def test_a_model_without_it_has_none_of_it():
    text = MODEL.replace("therapy:", "#").replace(", radiation: {alpha: 1 1/Gy}", "")
    assert "radiation.lesions" not in oc.Simulation(oc.Model.from_text(text)).tissue.cells
