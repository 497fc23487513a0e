"""What surrounds a tissue: compartments against closed forms, supply against its steady state, arrivals in
distribution, departures, one body."""

import math

import numpy as np
import pytest
from scipy import stats

import oncarium as oc
from oncarium.biology.body.circulation import Circulation
from oncarium.biology.body.state import Body
from oncarium.engine.process import Tick
from oncarium.engine.tissue import Tissue
from oncarium.errors import ModelError
from oncarium.model.body import Compartment, Flow

MODEL = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
clock: {transport: 1 min, mechanics: 1 min, phenotype: 6 min}
until: 10 h
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min assumed, decay: 10 1/min assumed}
  ccl2:
    {unit: nM, diffusion: 6000 um^2/min assumed, decay: 0.02 1/min assumed, boundary: 0.23 nM assumed,
     fixed: [{everywhere: , value: 0.23 nM}]}
cells:
  monocyte: {death: {apoptosis: 0 1/min}, mechanics: {repulsion: 0 um/min, adhesion: 0 um/min}}
  dendritic:
    death: {apoptosis: 0 1/min}
    mechanics: {repulsion: 0 um/min, adhesion: 0 um/min}
    maturation: {rise: 0.05 1/min assumed}
supply: [{disc: {radius: 25 um}, of: {oxygen: {exchange: 5 1/min assumed, outside: 60 mmHg assumed}}}]
body:
  marrow: {start: 1, gain: 0.01 1/min assumed, flows: {monocytes: 0.01 1/min assumed}}
  monocytes: {start: 1, loss: 0.01 1/min assumed}
  node: {start: 0}
entry: [{cells: monocyte, from: monocytes, at: edge, rate: 0.002 1/min assumed, size: 1e9, signal: ccl2, half: 0.23 nM}]
exit: [{cells: dendritic, to: node, at: edge, rate: 0.1 1/min assumed, size: 10, when: maturation.level, above: 0.5}]
initial: [{cells: dendritic, everywhere: , count: 200}]
"""


def circulation(*compartments):
    process = Circulation(6.0, compartments)
    return process, Tissue(None, None, body=Body([c.name for c in compartments], [c.start for c in compartments]))


def test_a_body_at_rest_stays_and_a_pulse_decays():
    process, tissue = circulation(
        Compartment("a", 1.0, gain=0.02, flows=(Flow("b", 0.02),)),
        Compartment("b", 1.0, loss=0.02),
        Compartment("c", 2.0, loss=0.01),
    )
    for k in range(100):
        process.step(tissue, Tick(k, 6.0 * k, 6.0, 1))
    np.testing.assert_allclose(tissue.body.level, [1.0, 1.0, 2.0 * math.exp(-6.0)], rtol=1e-9)


def test_a_chain_follows_its_closed_form():
    process, tissue = circulation(Compartment("a", 1.0, flows=(Flow("b", 0.01),)), Compartment("b", 0.0, loss=0.03))
    for k in range(20):
        process.step(tissue, Tick(k, 6.0 * k, 6.0, 1))
    t = 120.0
    np.testing.assert_allclose(
        tissue.body.level, [math.exp(-0.01 * t), 0.01 / 0.02 * (math.exp(-0.01 * t) - math.exp(-0.03 * t))], rtol=1e-8
    )


def test_a_driven_gain_saturates():
    process, tissue = circulation(Compartment("signal", 3.0), Compartment("b", 0.0, gain=0.5, by="signal", half=1.0))
    process.step(tissue, Tick(0, 0.0, 6.0, 1))
    assert tissue.body["b"] == pytest.approx(6.0 * 0.5 * 0.75)


def test_blocked_egress_fills_the_marrow_and_rebounds():
    """The mechanism behind the overshoot after a blockade: what is held back comes at once."""

    def run(flow, start):
        process, tissue = circulation(
            Compartment("marrow", start[0], gain=0.01, flows=(Flow("blood", flow),)),
            Compartment("blood", start[1], loss=0.05),
        )
        levels = []
        for k in range(200):
            process.step(tissue, Tick(k, 6.0 * k, 6.0, 1))
            levels.append(tissue.body.level.copy())
        return np.array(levels)

    rest = run(0.01, (1.0, 0.2))
    blocked = run(0.001, rest[-1])
    released = run(0.01, blocked[-1])
    assert blocked[:40, 1].min() < 0.5 * rest[-1, 1] and released[:, 1].max() > 1.5 * rest[-1, 1]


def test_supply_balances_uptake():
    simulation = oc.Simulation(oc.Model.from_text(MODEL), seed=1)
    simulation.run("1 h")
    oxygen, fields = simulation.tissue.fields.value[0], simulation.tissue.fields
    supplied = fields.demand[0] > 0.0
    assert supplied.sum() == 4 and oxygen[supplied].min() > oxygen[~supplied].max() > 0.0
    gained = (5.0 * (60.0 - oxygen[supplied])).sum()
    assert gained == pytest.approx(10.0 * oxygen.sum(), rel=1e-3)


def test_arrivals_are_poisson_and_lie_at_the_edge():
    simulation = oc.Simulation(oc.Model.from_text(MODEL), seed=3)
    simulation.run("10 h")
    cells = simulation.tissue.cells
    new = cells.type == 0
    expected = 36 * 0.002 * 0.5 * 600  # edge voxels, half-maximal signal, 10 h
    assert abs(new.sum() - expected) < 4 * math.sqrt(expected)
    assert (np.abs(cells.position[new][:, :2]).max(axis=1) > 80.0).all() and (cells.position[new][:, 2] == 0.0).all()
    counts = []
    for seed in range(40):
        s = oc.Simulation(oc.Model.from_text(MODEL), seed=seed)
        s.run("1 h")
        counts.append(int((s.tissue.cells.type == 0).sum()))
    assert (
        stats.kstest(
            np.array(counts) + np.random.default_rng(0).random(40) - 0.5,
            lambda x: stats.poisson.cdf(np.floor(x + 0.5), 2.16),
        ).pvalue
        > 0.001
    )


def test_mature_cells_leave_and_are_counted():
    simulation = oc.Simulation(oc.Model.from_text(MODEL), seed=1)
    at_start = 200
    simulation.run("2 h")
    left = at_start - int((simulation.tissue.cells.type == 1).sum())
    events = simulation.tissue.population.drain()
    assert left > 20 and simulation.tissue.body["node"] == pytest.approx(left / 10)
    assert (events["kind"] == simulation.tissue.population.kinds.index("departure")).sum() == left


def test_who_leaves_takes_the_antigen_along():
    text = MODEL.replace("above: 0.5}", "above: 0.5, carries: antigen.load}").replace(
        "count: 200}", "count: 200, with: {antigen.load: 0.25}}"
    )
    simulation = oc.Simulation(oc.Model.from_text(text), seed=1)
    simulation.run("2 h")
    cells = simulation.tissue.cells
    left = 200 - int((cells.type == 1).sum())
    assert left > 20 and simulation.tissue.body["node"] == pytest.approx(0.25 * left / 10)
    assert 10 * simulation.tissue.body["node"] + cells["antigen.load"].sum() == pytest.approx(50.0, rel=1e-12), (
        "none is lost or made"
    )


def test_same_bytes_for_threads_and_after_a_restart():
    whole = oc.Simulation(oc.Model.from_text(MODEL), seed=1, threads=1)
    whole.run("3 h")
    half = oc.Simulation(oc.Model.from_text(MODEL), seed=1, threads=2)
    half.run("1 h")
    other = oc.Simulation(oc.Model.from_text(MODEL), seed=1)
    other.restore(half.state())
    other.run("3 h")
    assert other.digest() == whole.digest() and np.array_equal(other.tissue.body.level, whole.tissue.body.level)


@pytest.mark.parametrize(
    "before, after, said",
    [
        ("from: monocytes", "from: monocites", "Did you mean 'monocytes'?"),
        ("cells: monocyte,", "cells: monocite,", "Did you mean 'monocyte'?"),
        ("signal: ccl2", "signal: ccl3", "Did you mean 'ccl2'?"),
        ("when: maturation.level", "when: maturation.levl", "Did you mean 'maturation.level'?"),
        ("above: 0.5}", "above: 0.5, carries: antigen.lode}", "Did you mean 'antigen.load'?"),
        ("flows: {monocytes", "flows: {monocyte", "Did you mean 'monocytes'?"),
        ("exchange: 5 1/min", "exchange: -5 1/min", "out of range"),
        ("at: edge, rate: 0.002", "at: door, rate: 0.002", "no place is called 'door'"),
    ],
)
def test_slips_are_named(before, after, said):
    assert before in MODEL
    with pytest.raises(ModelError) as error:
        oc.Model.from_text(MODEL.replace(before, after, 1))
    assert said in str(error.value)


def test_the_body_is_recorded(tmp_path):
    result = oc.run(oc.Model.from_text(MODEL), "2 h", out=tmp_path / "run")
    assert result.summary["body.node"].iloc[-1] > 0.0 and result.summary["body.monocytes"].iloc[0] == 1.0
