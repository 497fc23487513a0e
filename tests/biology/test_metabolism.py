"""Metabolism and acid: by hand, carbon and protons, any step, in a tissue with and without oxygen."""

import math

import numpy as np
import pytest

import oncarium as oc
from oncarium.biology.metabolism import BY_OXYGEN, FULL, GLUCOSE_HALF, OXYGEN_HALF, fluxes, glucose_capacity

MODEL = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
clock: {transport: 1 min, mechanics: 1 min, phenotype: PHENOTYPE min}
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min assumed, michaelis: 2.5 mmHg assumed, boundary: OUTSIDE mmHg assumed}
  glucose: {unit: mM, diffusion: 6600 um^2/min assumed, michaelis: 0.04 mM assumed, boundary: 5 mM assumed}
  lactate: {unit: mM, diffusion: 10000 um^2/min assumed, boundary: 1 mM assumed, initial: 1 mM assumed}
  acid: {unit: mM, diffusion: 60000 um^2/min assumed, boundary: 0 mM assumed}
cells:
  tumor:
    death: {apoptosis: 0 1/min}
    metabolism: {respiration: 0.72 mM/min assumed, glycolysis: 1.5 assumed}
    acidity: {}
initial: [{cells: tumor, disc: {radius: 60 um}, packing: hexagonal, spacing: 16 um}]
"""


def grown(outside=38.0, phenotype=6, until="1 day"):
    simulation = oc.Simulation(
        oc.Model.from_text(MODEL.replace("OUTSIDE", str(outside)).replace("PHENOTYPE", str(phenotype))), seed=1
    )
    simulation.run(until)
    return simulation


@pytest.mark.parametrize("oxygen", [0.0, 1.0, 38.0, 1e6])
@pytest.mark.parametrize("glycolysis", [0.5, 1.0, 3.0])
def test_carbon_and_energy_balance(oxygen, glycolysis):
    o, g, lactate, energy = fluxes(oxygen, 5.0, 0.72, glycolysis)
    assert o == pytest.approx(0.72 * oxygen / (oxygen + OXYGEN_HALF))
    assert g == pytest.approx(glucose_capacity(oxygen, 0.72, glycolysis) * 5.0 / (5.0 + GLUCOSE_HALF))
    assert lactate == pytest.approx(2.0 * max(g - o / 5.0, 0.0))  # two lactates of each glucose that is not burnt
    assert energy == pytest.approx(min((2.0 * g + BY_OXYGEN * o) / (FULL * 0.72), 1.0))


def test_without_oxygen_cells_ferment():
    with_oxygen, without = grown(38.0), grown(0.0)
    lactate = [s.tissue.fields.value[s.tissue.fields.index("lactate")].max() for s in (with_oxygen, without)]
    assert lactate[1] > 1.3 * lactate[0] > 1.3
    ph = [s.tissue.cells["acidity.ph"].min() for s in (with_oxygen, without)]
    assert ph[1] < ph[0] < 7.4


def test_what_leaves_is_what_the_scalar_function_says():
    s = grown()
    cells, fields = s.tissue.cells, s.tissue.fields
    made, used = (
        cells.labels(name).index(f) for name, f in (("secretion.rate", "lactate"), ("metabolism.consumption", "oxygen"))
    )
    oxygen, glucose = (cells["sense.factor"][:, fields.index(n)] for n in ("oxygen", "glucose"))
    for k in range(0, cells.n, 7):
        _, _, lactate, met = fluxes(oxygen[k], glucose[k], 0.72, 1.5)
        assert cells["secretion.rate"][k, made] == pytest.approx(lactate * cells["volume.total"][k] * 1e-3, rel=1e-3)
        assert cells["metabolism.consumption"][k, used] == pytest.approx(0.72 / 1.3e-3)
        assert cells["metabolism.energy"][k] == pytest.approx(met, abs=0.01)
    acid = cells["sense.factor"][:, fields.index("acid")]
    np.testing.assert_allclose(cells["acidity.ph"], 7.4 - acid / 25.0, rtol=1e-12)


def test_starving_cells_lose_energy_with_the_lag():
    s = oc.Simulation(
        oc.Model.from_text(
            MODEL.replace("OUTSIDE", "0").replace("PHENOTYPE", "6").replace("boundary: 5 mM", "boundary: 0 mM")
        ),
        seed=1,
    )
    s.run("1 day")
    assert s.tissue.cells["metabolism.energy"] == pytest.approx(math.exp(-1.0), rel=0.01)


def test_half_the_step_gives_the_same():
    a, b = grown(phenotype=6, until="12 h"), grown(phenotype=3, until="12 h")
    for name in ("lactate", "acid", "oxygen"):
        k = a.tissue.fields.index(name)
        np.testing.assert_allclose(a.tissue.fields.value[k], b.tissue.fields.value[k], rtol=0.01, atol=1e-3)


def test_threads_do_not_matter():
    text = MODEL.replace("OUTSIDE", "38").replace("PHENOTYPE", "6")
    found = set()
    for threads in (1, 2):
        s = oc.Simulation(oc.Model.from_text(text), seed=1, threads=threads)
        s.run("2 h")
        found.add(s.digest())
    assert len(found) == 1
