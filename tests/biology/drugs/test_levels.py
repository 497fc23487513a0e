"""Blood and tissue: doses at their minutes, the same area for any step, exact restarts in the middle of an infusion,
what vessels, faces, supply voxels and the body see; rules that hold doses back."""

import math

import numpy as np
import pytest

import oncarium as oc
from oncarium.biology.drugs.state import Effect
from oncarium.biology.vessels.hearing import heard

MODEL = """
domain: {x: [-60 um, 60 um], y: [-60 um, 60 um], voxel: 20 um}
until: 3 day
clock: {transport: STEP min, mechanics: 6 min, phenotype: 6 min}
factors: {vegfa: {unit: nM, diffusion: 1000 um^2/min, decay: 0.01 1/min, boundary: 0.5 nM, mass: 38 kDa}}
cells: {tumor: {death: {apoptosis: 0 1/min}}}
body:
  node: {start: 1, gain: 0.01 1/min, loss: 0.01 1/min, flows: {blood: 0.01 1/min}}
  blood: {start: 1, loss: 0.01 1/min}
initial: [{cells: tumor, disc: {radius: 50 um}, count: 10}]
VESSELS
therapy:
  weight: 50 kg
  drugs:
    x:
      class: small molecule
      factor: {unit: uM, diffusion: 20000 um^2/min, mass: 0.5 kDa, decay: 0.05 1/min}
      plasma: {human: {central: 10 L, clearance: 20 L/h, bound: 0.9, oral: {rate: 1 1/h, lag: 20 min}}}
      effects:
        body: ["x increases node.gain to 3, half 1 nM, hill 1", "x decreases node.blood to 0, half 1 nM, hill 1"]
        vessels: ["x decreases sense.response.vegfa to 0, half 1 uM, hill 1"]
  doses: [DOSES]
"""
AT, KE = 125.0, 20.0 / 600.0  # min of the dose, 1/min


def model(doses='"x 1 mg/kg on day 0.0868055555555555"', step="6", vessels=""):
    return oc.Model.from_text(MODEL.replace("STEP", step).replace("DOSES", doses).replace("VESSELS", vessels))


def free(t):
    """nM: 50 mg of 0.5 kDa in 10 L, a tenth of it free."""
    return 0.1 * 1e4 * np.exp(-KE * (t - AT)) * (t >= AT)


def test_a_dose_between_two_ticks_acts_at_its_minute():
    simulation = oc.Simulation(model())
    simulation.run("2 h")
    assert simulation.tissue.plasma.free[0] == 0.0
    simulation.run("126 min")
    assert simulation.tissue.plasma.free[0] == pytest.approx(free(126.0), rel=1e-9)
    assert simulation.tissue.plasma.total[0] == pytest.approx(10.0 * free(126.0), rel=1e-9)
    assert simulation.tissue.plasma.given[0] == pytest.approx(1e5)


@pytest.mark.parametrize("step", ["2", "6", "30"])
def test_the_area_under_the_curve_is_that_of_any_step(step):
    simulation = oc.Simulation(model(step=step))
    simulation.run("10 h")
    exact = (free(AT) - free(600.0)) / KE
    assert simulation.tissue.plasma.passed[0] == pytest.approx(exact, rel=1e-4)


def test_the_faces_of_a_tissue_without_vessels_are_blood():
    simulation = oc.Simulation(model('"x 1 mg/kg over 10 h on day 0"'))
    simulation.run("5 h")
    fields, plasma = simulation.tissue.fields, simulation.tissue.plasma
    assert fields.outside[1, 0] == pytest.approx(plasma.free[0] / 1000.0, rel=0.02), "in uM, the mean of the step"
    assert fields.value[1].mean() == pytest.approx(plasma.free[0] / 1000.0, rel=0.05)


def test_what_the_body_makes_of_it():
    """Free x far above its half: three times the gain and no way out, so that the node rises toward its own level."""
    simulation = oc.Simulation(model('"x 10 mg/kg over 60 h on day 0"'))
    simulation.run("2 day")
    body = simulation.tissue.body
    assert body["node"] == pytest.approx(3.0, rel=0.02), "gain 3 x 0.01 and loss 0.01"
    assert body["blood"] == pytest.approx(3.0 / (1.0 + 250.0 / 3.0), rel=0.05), "83 nM free, half 1 nM"
    untreated = oc.Simulation(model('"x 0.001 ng/kg on day 0"'))
    untreated.run("2 day")
    assert untreated.tissue.body["node"] == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("doses", ['"x 1 mg/kg over 4 h on day 0.05"', '"x 50 mg oral on day 0.08"',
                                   '"x 50 mg every 2 h from day 0, hold while body.node > 1.2"'])  # fmt: skip
def test_a_restart_in_the_middle_is_exact(doses):
    m = model(doses)
    whole = oc.Simulation(m, seed=2)
    whole.run("6 h")
    half = oc.Simulation(m, seed=2)
    half.run("126 min")
    other = oc.Simulation(m, seed=2)
    other.restore(half.state())
    other.run("6 h")
    assert other.digest() == whole.digest()
    assert other.tissue.plasma.summary() == whole.tissue.plasma.summary()
    assert whole.tissue.plasma.given[0] > 0.0


def test_rules_hold_doses_back():
    """x raises the node; above 1.2 no more is given, until it is below again."""
    plain, ruled = (oc.Simulation(model(f'"x 50 mg every 2 h from day 0{rule}"'), seed=1)
                    for rule in ("", ", hold while body.node > 1.2"))  # fmt: skip
    plain.run("1 day")
    ruled.run("1 day")
    assert plain.tissue.plasma.given[0] == pytest.approx(12 * 1e5)
    assert 1e5 < ruled.tissue.plasma.given[0] < plain.tissue.plasma.given[0]


def test_vessels_hear_less():
    from oncarium.biology.drugs.state import Plasma

    simulation = oc.Simulation(model('"x 1 mg on day 2"'))
    tissue = simulation.tissue
    tissue.fields.value[1] = 3.0
    assert np.array_equal(heard(tissue, ["vegfa"])[0], tissue.fields.value[0]), "the model has no vessels: no effect"
    effect = Effect(("vegfa",), "x", 0.0, 1000.0, 1.0, 1000.0)
    tissue.plasma = Plasma(["x"], {"x": [0.0]}, effects=((effect,), (), (), ()))
    assert np.allclose(heard(tissue, ["vegfa"])[0], 0.25 * tissue.fields.value[0])


NETWORK = "vessels: {columns: {density: 200 1/mm^2, length: 100 um, diameter: 9 um}}"


def test_supply_voxels_are_crossed_by_a_capillary():
    supply = "supply: [{disc: {radius: 18 um}, of: {}}]"
    simulation = oc.Simulation(model('"x 10 mg/kg over 60 h on day 0"', vessels=supply))
    simulation.run("8 h")
    value = simulation.tissue.fields.value[1, 0]
    assert value[2:4, 2:4].min() > value[0, 0] > 0.0 and value.max() < simulation.tissue.plasma.free[0] / 1000.0


def test_perfused_vessels_bring_it():
    """A decay of 0.05 /min in tissue; what vessels bring and tissue loses are in balance, below the free level."""
    simulation = oc.Simulation(model('"x 10 mg/kg over 60 h on day 0"', vessels=NETWORK))
    simulation.run("8 h")
    plasma, value = simulation.tissue.plasma, simulation.tissue.fields.value[1]
    assert 0.0 < value.mean() < plasma.free[0] / 1000.0
    exchange = next(p for p in simulation.plan.processes if type(p).__name__ == "VesselExchange")
    brought = -exchange.washout(simulation.tissue)["x"]
    lost = 0.05 * value.sum() * simulation.tissue.fields.grid.voxel_volume
    assert brought == pytest.approx(lost, rel=0.05)


def test_the_same_bytes_for_any_threads():
    digests = set()
    for threads in (1, 2):
        simulation = oc.Simulation(model(vessels=NETWORK), seed=4, threads=threads)
        simulation.run("3 h")
        digests.add(simulation.digest())
    assert len(digests) == 1


def test_prodrugs_turn_where_oxygen_lacks():
    from oncarium.biology.drugs.prodrug import activation

    assert np.allclose(activation(np.array([0.0, 1.5, 13.5]), 0.05, 1.5), [0.05, 0.025, 0.005])
    text = MODEL.replace("STEP", "6").replace("DOSES", '"evofosfamide 340 mg/m^2 over 30 min on day 0"')
    oxygen = "factors: {oxygen: {unit: mmHg, diffusion: 0 um^2/min, initial: 0.5 mmHg}, "
    text = text.replace("VESSELS", "").replace("factors: {", oxygen, 1)
    simulation = oc.Simulation(oc.Model.from_text(text))
    simulation.tissue.fields.value[0, :, :, :3] = 30.0
    simulation.run("1 h")
    active = simulation.tissue.fields.value[simulation.tissue.fields.index("evofosfamide_active")]
    assert active[0, 3, 5] > 1.05 * active[0, 3, 0] > 0.0, "and some of it reaches where there is oxygen"
    assert math.isfinite(active.sum())
