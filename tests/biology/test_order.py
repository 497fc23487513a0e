"""Every mechanism answers for itself: who declares a column acts,
what is asked for is there, and each says why it is or is not."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.biology.order import ORDERS, reasons
from oncarium.engine.loop import Maker
from oncarium.engine.process import Process, plain
from oncarium.errors import ModelError
from oncarium.model import catalog
from oncarium.model.model import Model
from oncarium.run.catalog import declaring
from oncarium.run.simulation import Simulation

BASE = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min, decay: 0.1 1/min, boundary: 38 mmHg}
  il6: {unit: nM, diffusion: 1000 um^2/min, decay: 0.1 1/min}
cells:
  tumor:
    death: {apoptosis: 0 1/min}
    EXTRA
initial: [{cells: tumor, disc: {radius: 50 um}, count: 5}]
"""


def model(extra=""):
    return Model.from_text(BASE.replace("EXTRA", extra))


def test_whoever_declares_a_column_stands_in_an_order():
    standing = {plain(m) for order in ORDERS.values() for m in order.mechanisms}
    base = {cls for m in standing if isinstance(m, type) for cls in m.__mro__}
    left = [m.__name__ for m in declaring() if m not in standing and m not in base]
    assert left == [], "add them to biology/order.py"


def test_nobody_stands_twice_in_the_default_order():
    mechanisms = ORDERS["oncarium"].mechanisms
    assert len(set(mechanisms)) == len(mechanisms)
    assert all(isinstance(plain(m), Maker) or issubclass(plain(m), Process) for m in mechanisms)


@pytest.mark.parametrize("scenario", oc.scenarios())
def test_what_a_scenario_speaks_of_is_served_by_its_plan(scenario):
    chosen = oc.load(scenario)
    there = {name for name, why in reasons(chosen) if why}
    for section in {s for t in chosen.types for s in t.sections} - {"custom"}:
        serving = {m.name for m in catalog.mechanisms() if section in m.serves}
        assert serving & there, f"{section} is read and never acts"


@pytest.mark.parametrize("numerics", ["oncarium", "physicell"])
def test_a_section_that_nobody_serves_is_an_error_of_check(numerics, monkeypatch):
    served = catalog.served(numerics) - {"damage"}
    monkeypatch.setattr("oncarium.model.consistency.served", lambda _: served)
    with pytest.raises(
        ModelError, match=r"cells.tumor.damage\n.*(no mechanism answers for|PhysiCell's numerics have no) damage"
    ):
        Model.from_text(f"numerics: {numerics}\n" + BASE.replace("EXTRA", "damage: {repair: 0.1 1/min}"))


def test_reasons_name_the_place_or_what_is_missing():
    told = dict(
        reasons(model("stem: {renewal: 0.2}\n    rules: ['oxygen decreases emt.rise to 0 1/min, half 5 mmHg']"))
    )
    assert told["Stemness"] == (True, "cells.tumor.stem") and told["Emt"] == (True, "cells.tumor.rules")
    assert told["Evolution"] == (False, "nobody speaks of evolution")
    assert told["Reservoir"] == (False, "the model has no matrix")
    assert told["Metabolism"] == (False, "the model has no glucose, lactate, acid")


class Look(Process):
    """Reads signals and one state, writes one entry of an axis."""

    slot = "decide"
    reads = ("sense.gradient", "sense.contact", "stem.level")
    adds = ("secretion.rate.il6",)

    def step(self, tissue, tick):
        cells = tissue.cells
        self.seen = cells["sense.gradient"].copy(), cells["sense.contact"].copy(), cells["stem.level"].copy()
        cells["secretion.rate"][:, 1] += 7.0


def test_what_a_process_of_the_user_reads_is_made_and_what_it_writes_is_one_entry_of_an_axis():
    simulation = Simulation(
        model("secretion: {rate: {oxygen: 3 mmHg*um^3/min, il6: 1 fmol/min}}").with_process(Look()), seed=1
    )
    simulation.run("12 min")
    look = next(p for p in simulation.plan.processes if p.name == "Look")
    gradient, contact, level = look.seen
    assert (gradient[:, 0] > 0.0).any() and contact.shape == (5, 1) and (level == 0.0).all()
    assert any(p.name == "Stemness" for p in simulation.plan.processes)
    # it restarts from its base at every decision, and the other entry keeps its own
    np.testing.assert_array_equal(simulation.tissue.cells["secretion.rate"], np.tile([3.0, 8.0], (5, 1)))


def test_what_a_loop_of_the_user_reads_is_made():
    @oc.each_cell(slot="decide", writes=("secretion.rate.il6",), of="tumor")
    def quorum(sense_contact_live, sense_gradient_oxygen, emt_level, secretion_rate_il6):
        return secretion_rate_il6 + 1.0 + 0.0 * (sense_contact_live + sense_gradient_oxygen + emt_level)

    simulation = Simulation(model().with_process(quorum()), seed=1)
    simulation.run("12 min")
    assert {"Emt", "Quorum"} <= {p.name for p in simulation.plan.processes}
    cells = simulation.tissue.cells
    assert (cells["secretion.rate"][:, cells.labels("secretion.rate").index("il6")] == 1.0).all()


def test_a_column_of_a_mechanism_that_is_off_says_why():
    cells = Simulation(model()).tissue.cells
    with pytest.raises(KeyError, match="no column 'stem.level'; Stemness is off: nobody speaks of stem"):
        cells["stem.level"]
    with pytest.raises(KeyError, match="no column 'division.count'; Division keeps it only where a model speaks of it"):
        cells["division.count"]


class Shock(Process):
    """Hears who divided, and makes their mothers die: births, deaths and events of a user's own."""

    slot = "renew"
    events = ("shock",)
    heard = 0

    def step(self, tissue, tick):
        mothers = tissue.population.heard("division")
        self.heard += len(mothers)
        tissue.population.log(tick.time, mothers, "shock")
        tissue.population.remove(tissue.cells.rows_of(mothers))


def test_a_mechanism_of_the_user_hears_births_and_causes_deaths():
    simulation = Simulation(model("cycle: {model: live, exit: 0.02 1/min}").with_process(Shock()), seed=3)
    simulation.run("2 h")
    events = simulation.tissue.population.drain()
    kinds = simulation.tissue.population.kinds
    count = {k: int((events["kind"] == kinds.index(k)).sum()) for k in ("division", "shock")}
    shock = next(p for p in simulation.plan.processes if p.name == "Shock")
    assert count["division"] == count["shock"] == shock.heard > 5
    assert simulation.tissue.cells.n == 5, "whoever divides leaves one daughter"


def test_surface_columns_are_there_for_whoever_reads_them():
    """Before, a shield without checkpoint or antigen in the model was accepted and never acted."""
    shielded = model("surface: {shield: 1}\n    phagocytosis: {live: {tumor: 1 1/min}}")
    bare = model("phagocytosis: {live: {tumor: 1 1/min}}")
    left = []
    for chosen in (shielded, bare):
        simulation = Simulation(chosen.with_({"initial.0.count": 60}), seed=1)
        simulation.run("30 min")
        left.append(simulation.tissue.cells.n)
    assert left[0] == 60 > left[1]


def test_a_class_or_a_function_in_place_of_a_mechanism_is_told():
    with pytest.raises(ModelError, match=r"Look is a class;.*give one of it: Look\(\)"):
        model().with_process(Look)
    with pytest.raises(ModelError, match="is no mechanism"):
        model().with_process(lambda tissue: None)


@pytest.mark.parametrize("scenario", ["spheroid", "spheroid_with_macrophages"])
def test_spheroids_in_medium_have_no_vessels(scenario):
    chosen = oc.load(scenario)
    there = {name for name, why in reasons(chosen) if why}
    assert chosen.vessels is None and chosen.fluid is None and not there & {"VesselExchange", "Perfusion", "Lymph"}
    medium = {f.name: {b.value for b in f.boundary.values()} for f in chosen.factors}
    assert medium["oxygen"] in ({140.0}, {150.0}) and medium.get("glucose", {5.0}) == {5.0}
