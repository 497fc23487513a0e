"""Senescence: by hand, against a twin, no lineage beyond its limit, the same for any step, threads and order; rules on
both sides of it."""

import numpy as np
import pytest

import oncarium as oc
from helpers import add_cells, ball, fire, shuffle, tissue_of
from oncarium.biology.cycle import CYCLES, Cycle
from oncarium.biology.death import Death
from oncarium.biology.division import Division
from oncarium.biology.senescence import Senescence, arrest
from oncarium.biology.volume import Volume
from reference.senescence import arrest_one

TEXT = """
domain: {x: [-200 um, 200 um], y: [-200 um, 200 um], voxel: 20 um}
clock: {phenotype: STEP min, mechanics: STEP min, transport: STEP min}
cells:
  tumor:
    cycle: {model: live, exit: 0.05 1/min}
    death: {apoptosis: 0 1/min}
    EXTRA
initial: [{cells: tumor, disc: {radius: 30 um}, count: 4}]
"""


def model(extra="senescence: {limit: 3}", step="6"):
    return oc.Model.from_text(TEXT.replace("EXTRA", extra).replace("STEP", step))


def world(n=200, seed=1):
    senescence, rng = Senescence(6.0), np.random.default_rng(seed)
    cycle = Cycle(6.0, [CYCLES["flow_cytometry"]], np.zeros((1, 3), np.bool_))
    tissue = tissue_of([cycle, Volume(6.0), Death(6.0), Division(6.0), senescence], phases=3, base={"cycle.exit": 0.01})
    add_cells(tissue, ball(n, 100.0))
    c = tissue.cells
    c["vital"][:] = rng.integers(0, 2, n)
    c["division.count"][:] = rng.integers(0, 6, n)
    c["senescence.limit"][:] = rng.integers(1, 6, n)
    c["senescence.level"][::7] = 1.0
    return senescence, tissue


def test_by_hand():
    level, exit_rate = np.array([0.0, 0.0, 1.0, 0.0]), np.full((4, 2), 0.1)
    arrest(0, 4, np.array([0, 0, 0, 1], np.uint8), np.array([2.0, 3.0, 0.0, 9.0]), np.full(4, 3.0), level, exit_rate)
    assert level.tolist() == [0.0, 1.0, 1.0, 0.0], "at the limit; once senescent, always; the dead are not asked"
    assert exit_rate.tolist() == [[0.1, 0.1], [0.0, 0.0], [0.0, 0.0], [0.1, 0.1]]


def test_it_agrees_with_the_twin():
    senescence, tissue = world()
    c = tissue.cells
    rows = zip(c["vital"], c["division.count"], c["senescence.limit"], c["senescence.level"], c["cycle.exit"].copy())
    expected = [arrest_one(*row) for row in rows]
    fire(senescence, tissue, dt=6.0)
    assert c["senescence.level"].tolist() == [level for level, _ in expected]
    assert c["cycle.exit"].tolist() == [rates for _, rates in expected]
    assert 20 < c["senescence.level"].sum() < 180


@pytest.mark.parametrize("step", ["6", "3", "1"])
def test_every_lineage_ends_after_as_many_divisions_whatever_the_step(step):
    """Each of 4 cells leaves 2^3, and none of them divides again."""
    simulation = oc.Simulation(model(step=step), seed=2)
    simulation.run("24 h")
    cells = simulation.tissue.cells
    assert cells.n == 4 * 2**3
    assert (cells["division.count"] == 3.0).all() and (cells["senescence.level"] == 1.0).all()


def test_without_it_they_go_on():
    simulation = oc.Simulation(model("rules: []"), seed=2)
    simulation.run("90 min")
    assert simulation.tissue.cells.n > 4 * 2**3
    assert "senescence.level" not in simulation.tissue.cells


def test_rules_move_the_limit_and_read_the_level():
    extra = (
        "senescence: {limit: 2}\n    rules: ['damage increases senescence.limit to 4, half 1, hill 4', "
        "'senescence.level increases damage.rate to 100 1/min, half 0.5']"
    )
    simulation = oc.Simulation(model(extra), seed=2)
    simulation.run("24 h")
    cells = simulation.tissue.cells
    assert cells.n == 4 * 2**2 and (cells["damage.level"] > 100.0).all(), (
        "damage comes with senescence, too late for a higher limit"
    )
    assert (cells["senescence.limit"] > 3.9).all()


def test_threads_and_the_order_in_memory_do_not_matter():
    found = set()
    for threads, order in ((1, None), (2, 3), (7, 5)):
        senescence, tissue = world()
        if order:
            shuffle(tissue, order)
        senescence.threads = threads
        fire(senescence, tissue, 2, dt=6.0)
        found.add(tissue.digest())
    assert len(found) == 1
