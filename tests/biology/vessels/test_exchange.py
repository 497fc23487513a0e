"""Blood and tissue exchange oxygen and every other factor: nothing is made or lost between them."""

import math

import numpy as np
import pytest

from helpers import fire
from oncarium.biology.fluid.state import Fluid
from oncarium.biology.transport import Transport
from oncarium.biology.vessels.exchange import Passage, VesselExchange, passage, plasma_flow
from oncarium.biology.vessels.oxygen import MICROLITRE, TISSUE
from oncarium.biology.vessels.state import PRESSURE, Vessels
from oncarium.engine.cells import Cells
from oncarium.engine.fields import Fields, Grid
from oncarium.engine.process import Process, Tick
from oncarium.engine.tissue import Tissue

SLICE = Grid((0, 0, -10), (20, 20, 20), (1, 20, 20))
FACTORS = ("oxygen", "glucose", "signal", "inert")
PASSAGES = {"glucose": Passage(5.0, 16.0, 0.0), "signal": Passage(0.0, 0.4, 0.5)}


class Cellless(Process):
    """Sources instead of cells."""

    slot = "transport"
    adds = ("fields.supply", "fields.demand", "fields.capacity")

    def __init__(self, uptake=900.0, made=0.01):
        self.uptake, self.made = uptake, made

    def step(self, tissue, tick):
        tissue.fields.clear_sources()
        tissue.fields.capacity[0] = self.uptake
        tissue.fields.supply[2] += self.made


def columns(count=12, seed=4, flow=0.6, length=400.0, haematocrit=0.4, side=400.0):
    """Vessels across a slice, two segments each."""
    rng = np.random.default_rng(seed)
    vessels = Vessels.empty()
    for x, y in rng.random((count, 2)) * side:
        a, b, c = vessels.graph.add_nodes(
            [[x, y, -length / 2], [x, y, 0], [x, y, length / 2]],
            kind=[PRESSURE, 0, PRESSURE],
            oxygen=60.0,
            haematocrit=haematocrit,
        )
        vessels.graph.add_segments(
            [[a, b], [b, c]], length=length / 2, radius=rng.uniform(3, 8), flow=flow, haematocrit=haematocrit
        )
    return vessels


def tissue_of(vessels, grid=SLICE, fluid=False, process=None, solver="backward-euler", period=1.0, made=0.01):
    fields = Fields(
        grid,
        FACTORS,
        ("mmHg", "mM", "nM", "nM"),
        diffusion=[1.2e5, 3e4, 5e3, 5e3],
        decay=[0.0, 0.0, 0.0, 0.0],
        michaelis=[1.0, math.nan, math.nan, math.nan],
        initial=[20.0, 1.0, 0.5, 2.0],
    )
    fields.convection[2] = 1.0
    cells = Cells([], ("tumor",), {})
    tissue = Tissue(cells, fields, vessels=vessels, fluid=Fluid(grid) if fluid else None)
    process = process or VesselExchange(period, PASSAGES)
    solve = Transport(period, {"oxygen": "quasi-steady"} | dict.fromkeys(FACTORS[1:], solver), 1e-9)
    steps = [Cellless(made=made), process, solve]
    for p in steps:
        p.prepare(tissue)
    return tissue, process, steps


def turn(tissue, steps, times=1, dt=1.0, first=0):
    for n in range(first, first + times):
        for p in steps:
            p.step(tissue, Tick(n, n * dt, dt, 1))


def test_what_blood_loses_the_tissue_takes():
    tissue, process, steps = tissue_of(columns())
    turn(tissue, steps, 30)
    process.step(tissue, Tick(30, 30.0, 1.0, 1))
    assert process.imbalance < 1e-6
    fields, graph = tissue.fields, tissue.vessels.graph
    taken = (900.0 * fields.value[0] / (1.0 + fields.value[0])).sum() * fields.grid.voxel_volume * TISSUE
    share = 20.0 / 400.0  # of each vessel that lies in the slice
    assert process.marched.loss.sum() * share == pytest.approx(taken, rel=1e-6)
    assert (graph.segments["oxygen"] < 60.0).all() and (graph.segments["oxygen"] > 0.0).all()
    upper, lower = graph.segments["oxygen"][1::2], graph.segments["oxygen"][::2]
    assert (upper < lower).all()


def test_blood_and_tissue_agree_within_a_few_ticks():
    tissue, process, steps = tissue_of(columns(flow=0.1))
    turn(tissue, steps, 12)
    process.step(tissue, Tick(12, 12.0, 1.0, 1))
    assert process.imbalance < 1e-3


def test_plasma_carries_a_factor_no_faster_than_it_flows():
    """A well mixed slice with one column: the exact steady level."""
    grid = Grid((0, 0, -10), (20, 20, 20), (1, 2, 2))
    for permeability, flow in ((0.4, 1.0), (50.0, 1e-3), (50.0, 1.0)):
        vessels = columns(1, flow=flow, side=40.0)
        process = VesselExchange(1.0, {"glucose": Passage(5.0, permeability, 0.0)})
        tissue, _, _ = tissue_of(vessels, grid, process=process)
        tissue.fields.diffusion[1] = 1e12
        process.prepare(tissue)
        process.step(tissue, Tick(0, 0.0, 1.0, 1))
        radius = vessels.graph.segments["radius"][0]
        half = 2 * math.pi * radius * permeability * 0.44 * 200.0  # of one half of the column, um^3/min
        plasma = flow * 0.6 * MICROLITRE
        passed = 2 * plasma * (1 - math.exp(-half / plasma)) * 20.0 / 400.0
        assert tissue.fields.demand[1].sum() * grid.voxel_volume == pytest.approx(passed, rel=1e-6)
        assert tissue.fields.supply[1] == pytest.approx(5.0 * tissue.fields.demand[1])


def test_washout_by_hand_and_what_it_tells():
    tissue, process, steps = tissue_of(columns())
    before = tissue.fields.value.sum(axis=(1, 2, 3)) * tissue.fields.grid.voxel_volume
    turn(tissue, steps, 50)
    value, volume = tissue.fields.value, tissue.fields.grid.voxel_volume
    assert value[3].sum() * volume == pytest.approx(before[3], rel=1e-12)  # no passage: it stays
    assert value[1].max() < 5.0 and value[1].min() > 1.0
    turn(tissue, steps, 1000, 100.0, first=50)
    made = 0.01 * value[2].size * volume
    assert process.washout(tissue)["signal"] == pytest.approx(made, rel=1e-3)
    assert process.washout(tissue)["glucose"] == pytest.approx(0.0, abs=1e-3 * made)


def test_nothing_passes_where_no_blood_flows():
    vessels = columns()
    vessels.graph.segments["flow"][:] = 0.0
    tissue, process, _ = tissue_of(vessels)
    process.step(tissue, Tick(0, 0.0, 1.0, 1))
    assert not tissue.fields.demand.any() and not tissue.fields.supply.any()
    assert not plasma_flow(vessels).any()
    assert vessels.graph.segments["oxygen"] == pytest.approx(20.0)  # as the tissue
    vessels.graph.segments["flow"][:2] = 0.5
    vessels.graph.segments["lumen"][:2] = 0
    process.step(tissue, Tick(1, 1.0, 1.0, 1))
    assert not tissue.fields.demand.any()


def test_blood_without_cells_carries_little():
    full, empty = (tissue_of(columns(haematocrit=h)) for h in (0.4, 0.0))
    for tissue, _, steps in (full, empty):
        turn(tissue, steps, 20)
    assert 0.0 < empty[0].fields.value[0].mean() < 0.2 * full[0].fields.value[0].mean()


def test_the_wall_lets_through_what_its_factor_says():
    one, two = tissue_of(columns()), tissue_of(columns())
    two[0].vessels.graph.segments["permeability"] *= 2.0
    for tissue, process, _ in (one, two):
        process.step(tissue, Tick(0, 0.0, 1.0, 1))
    assert two[0].fields.demand[2].sum() == pytest.approx(2.0 * one[0].fields.demand[2].sum(), rel=0.02)
    assert (two[0].fields.demand[0] == one[0].fields.demand[0]).all()


def test_fluid_draws_solutes_through_the_wall():
    tissue, process, _ = tissue_of(
        columns(), fluid=True, process=VesselExchange(1.0, {"signal": Passage(3.0, 0.0, 0.25)})
    )
    tissue.fluid.filtration[0, 3, 4], tissue.fluid.filtration[0, 5, 6] = 0.02, -0.01
    process.step(tissue, Tick(0, 0.0, 1.0, 1))
    assert tissue.fields.supply[2, 0, 3, 4] == pytest.approx(0.75 * 0.02 * 3.0)
    assert tissue.fields.demand[2, 0, 5, 6] == pytest.approx(0.75 * 0.01)
    assert tissue.fields.demand[2].sum() == pytest.approx(0.75 * 0.01)


def test_passages_follow_from_mass():
    assert passage(150.0).permeability == pytest.approx(3e-7 * 6e5)  # IgG, 3e-7 cm/s
    assert 1.7e-7 * 6e5 < passage(45.0).permeability < 4e-5 * 6e5  # VEGF-A, as models of tumors have it
    assert passage(66.0).reflection == pytest.approx(0.82) and passage(1e4).reflection == 0.95
    assert passage(0.18, 5.0).blood == 5.0 and passage(0.18).reflection < 0.05


def test_oxygen_does_not_depend_on_the_voxel():
    drops = []  # from the blood to the tissue
    for width in (10.0, 20.0, 30.0):
        n = round(360 / width)
        grid = Grid((0, 0, -10), (width, width, 20), (1, n, n))
        tissue, _, steps = tissue_of(columns(flow=3.0, side=360.0), grid)
        turn(tissue, steps, 12)
        drops.append(60.0 - tissue.fields.value[0].mean())
    assert np.abs(np.array(drops) / drops[0] - 1.0).max() < 0.03


def test_half_the_tick_gives_the_same():
    once, twice = tissue_of(columns()), tissue_of(columns(), period=0.5)
    turn(once[0], once[2], 40)
    turn(twice[0], twice[2], 80, 0.5)
    assert twice[0].fields.value[0] == pytest.approx(once[0].fields.value[0], rel=1e-4)
    assert twice[0].fields.value[2] == pytest.approx(once[0].fields.value[2], rel=0.01)


def test_same_bytes_for_threads_and_after_a_restart_in_the_middle():
    whole, threaded, resumed = (tissue_of(columns()) for _ in range(3))
    for p in threaded[2]:
        p.threads = 2
    turn(whole[0], whole[2], 6)
    turn(threaded[0], threaded[2], 6)
    turn(resumed[0], resumed[2], 3)
    again, _, steps = tissue_of(columns(seed=9))
    for name, part in resumed[0].members().items():
        if name != "cells":
            getattr(again, name).restore({k: v.copy() for k, v in part.arrays().items()})
    for old, new in zip(resumed[2], steps):
        new.restore(old.state())
    turn(again, steps, 3, first=3)
    assert whole[0].fields.value.tobytes() == threaded[0].fields.value.tobytes() == again.fields.value.tobytes()
    assert whole[0].vessels.graph.segments["oxygen"].tobytes() == again.vessels.graph.segments["oxygen"].tobytes()


def test_no_vessels_no_exchange():
    tissue, process, _ = tissue_of(Vessels.empty())
    fire(process, tissue, 2)
    assert not tissue.fields.demand.any()
