"""Walls of vessels: laws by hand, a twin, any step, the four corners of ANG2 and VEGF-A, what walls release."""

import math

import numpy as np
import pytest

from helpers import add_cells, fire
from oncarium.biology.death import Death
from oncarium.biology.secretion import Secretion
from oncarium.biology.vessels.maturation import VesselMaturation, ang2_rules, permeability, relaxed, tie2
from oncarium.biology.vessels.regression import Regression
from oncarium.biology.vessels.secretion import MOLECULE, VesselSecretion
from oncarium.biology.vessels.sprouting import Sprouting, sprout
from oncarium.biology.vessels.state import Vessels
from oncarium.biology.volume import Volume
from oncarium.engine.fields import Grid

from .networks import GRID, SLICE, bathed, column, tube


def aged(hours, dt=60.0, start=None, process=None, **levels):
    vessels = tube(Vessels.empty(), [-150, 0, 0], [150, 0, 0], **(start or {}))
    process = process or VesselMaturation()
    tissue = bathed(process, vessels=vessels, **levels)
    for k in range(round(hours * 60 / dt)):
        fire(process, tissue, dt=dt, first=k)
    return {name: float(a[0]) for name, a in vessels.graph.segments.items()}


def test_laws_by_hand():
    assert tie2(1.0, 0.0) == 1.0 and tie2(5.0, 0.0) == 1.0 and tie2(0.0, 1.0) == 0.0
    assert tie2(1.0, 3.0) == pytest.approx((1 / (1 + 3.7 * 2)) / (1 / 4.7))
    assert permeability(1.0, 0.0, 0.1) == pytest.approx(0.3) and permeability(0.0, 1e9, 0.1) == pytest.approx(3.0)
    assert relaxed(0.2, 0.03, 0.01, 50.0) == pytest.approx(0.75 - 0.55 * math.exp(-2.0))
    assert relaxed(0.2, 0.0, 0.0, 50.0) == 0.2
    assert ang2_rules(1.0, 3.0) and not ang2_rules(1.0, 0.3) and not ang2_rules(0.0, 0.1)


def test_coverage_follows_its_law_exactly_in_any_step():
    levels = {"vegfa": 0.4, "pdgfb": 0.6}
    gain, loss = 0.02 * 0.6 / 0.9, 0.001 + 0.01 * 0.4 / 1.4
    goal = gain / (gain + loss)
    expected = goal + (0.1 - goal) * math.exp(-(gain + loss) * 48)
    for dt in (10.0, 60.0, 480.0):
        assert aged(48, dt, {"coverage": 0.1}, **levels)["coverage"] == pytest.approx(expected, rel=1e-9)


def test_membrane_and_stability_are_of_second_order_in_the_step():
    levels = {"vegfa": 0.2, "pdgfb": 3.0}
    start = {"coverage": 0.0, "membrane": 0.9}
    fine = aged(24, 1.0, start, **levels)
    errors = [abs(aged(24, dt, start, **levels)["membrane"] - fine["membrane"]) for dt in (480.0, 240.0, 120.0)]
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.2) and errors[1] / errors[2] == pytest.approx(4.0, rel=0.2)
    assert errors[2] < 2e-4 and aged(24, 120.0, start, **levels)["stability"] == pytest.approx(
        fine["stability"], rel=1e-9
    )


def test_one_step_agrees_with_a_twin():
    process, rng = VesselMaturation(), np.random.default_rng(4)
    vessels = Vessels.empty()
    for k in range(12):
        tube(
            vessels, [-150, -170 + 30 * k, 10], [150, -160 + 30 * k, -30], coverage=rng.random(), membrane=rng.random()
        )
    levels = dict(zip(("vegfa", "pdgfb", "ang1", "ang2", "mmp"), rng.random(5)))
    tissue = bathed(process, vessels=vessels, **{k: lambda x, y, z, v=v: v * (1 + y / 400) for k, v in levels.items()})
    before = {n: a.copy() for n, a in vessels.graph.segments.items()}
    fire(process, tissue, dt=60.0)
    s, y = vessels.graph.segments, vessels.graph.position[vessels.graph.ends, 1].mean(axis=1)
    for i in range(12):
        v, p, a1, a2, m = (levels[n] * (1 + y[i] / 400) for n in ("vegfa", "pdgfb", "ang1", "ang2", "mmp"))
        gain, loss = 0.02 * p / (p + 0.3), 0.001 + 0.01 * v / (v + 1)
        c0 = before["coverage"][i]
        c = gain / (gain + loss) + (c0 - gain / (gain + loss)) * math.exp(-gain - loss)
        tie = min(a1 / (a1 + 3.7 * (1 + a2 / 3)) * 4.7, 1.0)
        mid = 0.5 * (c + c0)
        mend = 0.02 * (1 + mid)
        cut = 0.15 * v**2 / (v**2 + 0.01) * (1 - mid * tie) + 60 * 5e-4 * m
        b = mend / (mend + cut) + (before["membrane"][i] - mend / (mend + cut)) * math.exp(-mend - cut)
        assert s["coverage"][i] == pytest.approx(c, rel=1e-9) and s["stability"][i] == pytest.approx(c * tie, rel=1e-9)
        assert s["membrane"][i] == pytest.approx(b, rel=1e-9)
        assert s["permeability"][i] == pytest.approx((0.3 + 0.7 * (1 - c)) * (1 + 2 * v / (v + 0.1)), rel=1e-9)
        assert s["age"][i] == before["age"][i] + 60.0


def corner(ang2, vegf, ang1=1.0, hours=240, seed=1):
    """Ten vessels for ten days: how many sprouts began, which share of the length is left, mean stability."""
    processes = [VesselMaturation(), Regression(), Sprouting()]
    vessels = Vessels.empty()
    for y in np.linspace(-180, 180, 10):
        tube(vessels, [-190, y, 0], [190, y, 0], pieces=10, stability=0.6)
    tissue = bathed(*processes, vessels=vessels, vegfa=vegf, pdgfb=0.1, ang1=ang1, ang2=ang2)
    for k in range(hours):
        for p in processes:
            fire(p, tissue, dt=60.0, seed=seed, first=k)
    events, kinds, s = tissue.population.drain(), tissue.population.kinds, vessels.graph.segments
    sprouts = int((events["kind"] == kinds.index("sprout")).sum())
    vessel = s["sprout"] < 0
    return sprouts, s["length"][vessel].sum() / 3800.0, float(s["stability"].mean()) if len(vessel) else 0.0


def test_the_four_corners_of_ang2_and_vegf():
    both, ang2, vegf, neither = corner(3.0, 0.5), corner(3.0, 0.005), corner(0.1, 0.5), corner(0.1, 0.005)
    assert both[0] > vegf[0] > 0 == neither[0], "ANG2 with VEGF-A sprouts, more than VEGF-A alone"
    assert ang2[0] == 0 and ang2[1] < 0.2, "ANG2 without VEGF-A regresses"
    assert neither[1] == both[1] == vegf[1] == pytest.approx(1.0)
    calm = corner(0.0, 0.2, ang1=4.0)
    loud = corner(3.0, 0.2, ang1=0.3)
    assert calm[0] < loud[0] and calm[2] > 2.0 * loud[2], "ANG1 holds vessels stable"


def test_touching_cells_open_the_membrane_of_a_vessel():
    process = VesselMaturation()
    vessels = tube(Vessels.empty(), [-150, 0, 0], [150, 0, 0], pieces=6, coverage=0.8)
    tissue = bathed(Secretion(1.0), Volume(1.0), Death(1.0), process, vessels=vessels, mmp=0.0)
    add_cells(tissue, [[-120, 12, 0], [30, 60, 0], [120, 12, 0]])
    tissue.cells["secretion.rate"][:, 0] = [480.0, 480.0, 2.0]
    fire(process, tissue, 24, dt=60.0)
    b = vessels.graph.segments["membrane"]
    assert b[0] < 0.3 < 0.9 < b[2:].min() and b[5] < 1.0, "near an invasive cell only"
    tissue.cells["vital"][:] = 1
    fire(process, tissue, 48, dt=60.0, first=24)
    assert b[0] > 0.7, "it mends"


def test_a_lumen_opens_with_age():
    process = VesselMaturation()
    vessels = tube(Vessels.empty(), [-150, 0, 0], [150, 0, 0], pieces=2)
    vessels.graph.segments["age"][:] = [0.0, 1e6]
    tissue = bathed(process, vessels=vessels, vegfa=0.0)
    fire(process, tissue, 23, dt=60.0)
    assert vessels.graph.segments["lumen"].tolist() == [0, 1]
    fire(process, tissue, 1, dt=60.0)
    assert vessels.graph.segments["lumen"].tolist() == [1, 1]


@pytest.mark.parametrize("voxel", [10, 20, 40])
def test_what_walls_release_by_hand_whatever_the_voxel(voxel):
    n = 400 // voxel
    grid = Grid((-200, -200, -200), (voxel,) * 3, (n, n, n))
    vessels = tube(Vessels.empty(), [-150, 3, 2], [150, 7, 9], coverage=0.5)
    sprout(vessels.graph, 1, np.array([160.0, 7, 9]), 10.0, 0.0)
    process = VesselSecretion(6.0)
    tissue = bathed(process, vessels=vessels, grid=grid, vegfa=0.1, ang1=0.0, ang2=0.0, pdgfb=0.0)
    tissue.fields.clear_sources()
    fire(process, tissue, dt=6.0)
    vessel = np.sqrt(300**2 + 4**2 + 7**2)
    length = vessel + 10.0  # the tube's length is the distance, the sprout's is given
    sums = tissue.fields.supply.sum(axis=(1, 2, 3)) * grid.voxel_volume / MOLECULE
    # the path of the sprout is 10 um of which all lies in the box
    assert sums[1] == pytest.approx(300 * 0.5 * vessel / 10) and sums[3] == pytest.approx(6 * length + 600)
    assert sums[2] == pytest.approx(length / 10 * (20 + 200 * 0.1 / 0.6)) and sums[0] == 0.0
    assert tissue.fields.demand[0].sum() * grid.voxel_volume == pytest.approx(2600 * length / 10)


def test_walls_release_what_endothelial_cells_do():
    """Chemokines and TIMP of 40 cells on 400 um, whatever the pieces; CXCL9 by interferon gamma, half at 0.1 nM."""
    sums = {}
    for pieces, ifng in ((1, 0.1), (8, 0.1), (1, 0.0), (1, 1e6)):
        process, vessels = VesselSecretion(6.0), tube(Vessels.empty(), [-200, 3, 2], [200, 3, 2], pieces)
        levels = dict.fromkeys(("cxcl12", "ccl2", "cxcl9", "timp"), 0.0)
        tissue = bathed(process, vessels=vessels, grid=GRID, ifng=ifng, **levels)
        tissue.fields.clear_sources()
        fire(process, tissue, dt=6.0)
        sums[pieces, ifng] = tissue.fields.supply.sum(axis=(1, 2, 3)) * GRID.voxel_volume / 40.0
    half = [0.0, 20 * MOLECULE, 5 * MOLECULE, 10 * MOLECULE, 80.0]
    assert sums[1, 0.1] == pytest.approx(half) and sums[8, 0.1] == pytest.approx(half)
    assert sums[1, 0.0][3] == 0.0 and sums[1, 1e6][3] == pytest.approx(20 * MOLECULE)


def test_a_model_sets_what_walls_release():
    process = VesselSecretion(6.0, cxcl12=3.0, uptake=0.0)
    tissue = bathed(process, vessels=tube(Vessels.empty(), [-100, 3, 2], [100, 3, 2]), cxcl12=0.0, vegfa=1.0)
    tissue.fields.clear_sources()
    fire(process, tissue, dt=6.0)
    assert tissue.fields.supply[0].sum() * GRID.voxel_volume == pytest.approx(20 * 3 * MOLECULE)
    assert not tissue.fields.demand.any()


def test_a_column_releases_only_what_its_part_in_the_slice_does():
    process, vessels = VesselSecretion(6.0), column(Vessels.empty(), 10, 10, coverage=1.0)
    tissue = bathed(process, vessels=vessels, grid=SLICE, ang1=0.0)
    tissue.fields.clear_sources()
    fire(process, tissue, dt=6.0)
    assert tissue.fields.supply[0].sum() * SLICE.voxel_volume == pytest.approx(300 * MOLECULE * 20.0 / 10)
    assert np.count_nonzero(tissue.fields.supply[0]) == 1


def test_threads_do_not_matter(monkeypatch):
    monkeypatch.setattr("oncarium.engine.threads.PARALLEL_FROM", 2)

    def digest(threads):
        process = VesselMaturation()
        process.threads = threads
        vessels = tube(Vessels.empty(), [-150, 0, 0], [150, 50, 9], pieces=40)
        tissue = bathed(process, vessels=vessels, vegfa=lambda x, y, z: 0.3 + x / 1000)
        fire(process, tissue, 10, dt=60.0)
        return tissue.digest()

    assert digest(1) == digest(2) == digest(3)


def test_no_vessels_no_trouble():
    for process in (VesselMaturation(), VesselSecretion(6.0), Regression()):
        fire(process, bathed(process, vessels=Vessels.empty(), grid=GRID, vegfa=1.0), dt=6.0)
        assert process.columns() == []
