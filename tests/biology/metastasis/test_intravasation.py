"""Cells that leave through vessels: rates by hand, a twin, conservation, any step, order and restart, slips."""

import math

import numpy as np
import pytest

import oncarium as oc
from helpers import add_cells, fire, shuffle
from oncarium.biology.death import Death
from oncarium.biology.metastasis.intravasation import Intravasation, apart, speed_of
from oncarium.biology.metastasis.state import Spread
from oncarium.biology.surface import Surface
from oncarium.biology.vessels.state import Vessels
from oncarium.biology.volume import Volume
from oncarium.engine.fields import Grid
from oncarium.errors import ModelError

from ..vessels.networks import SLICE, bathed, column

TIE2 = (1, "surface.tie2", 0.5)


def tissue_with(process, vessels=None, **options):
    tissue = bathed(
        process, Death(6.0), Volume(6.0), Surface(), vessels=vessels or Vessels.empty(),
        types=("tumor", "macrophage"), grid=options.pop("grid", SLICE), **options,
    )  # fmt: skip
    tissue.metastasis = Spread(["lung"])
    tissue.population.register(process.events)
    return tissue


def rates(process, cells, openers=(), tie2=1.0, **wall):
    """Rates into blood of tumor cells at these places beside a column at the middle."""
    tissue = tissue_with(process, column(Vessels.empty(), 0, 0, radius=5.0, **wall))
    add_cells(tissue, cells)
    if len(openers):
        add_cells(tissue, openers, 1)
        tissue.cells["surface.tie2"][len(cells) :] = tie2
    return process.into_blood(tissue, np.arange(len(cells)))


def radius():
    tissue = tissue_with(Intravasation(6.0))
    add_cells(tissue, [[0, 0, 0]])
    return float(np.cbrt(0.75 / math.pi * tissue.cells["volume.total"][0]))


def test_rates_by_hand():
    wall = {"membrane": 0.4, "permeability": 3.0}
    # points of a column lie 5 um above and below the plane of the slice
    edge = math.sqrt((radius() + 5.0 + 10.0) ** 2 - 25.0)
    cells = [[10.0, 0, 0], [edge - 0.01, 0, 0], [edge + 0.01, 0, 0], [0, 100.0, 0]]
    expected = 2e-4 * 0.6 * 0.75
    np.testing.assert_allclose(rates(Intravasation(6.0), cells, **wall), [expected, expected, 0, 0], rtol=1e-12)
    assert rates(Intravasation(6.0), cells, membrane=1.0).max() == 0.0, "a whole membrane lets nobody through"
    assert rates(Intravasation(6.0, gate=0.5), cells, membrane=1.0, permeability=1.0).max() == pytest.approx(0.5e-4)
    assert rates(Intravasation(6.0), cells, flow=0.0).max() == 0.0, "nor does a vessel without blood"
    assert rates(Intravasation(6.0), cells, lumen=0).max() == 0.0, "nor one without a lumen"


def test_a_macrophage_opens_the_door_where_it_touches_the_cell_and_the_vessel():
    process, wall = Intravasation(6.0, opener=TIE2), {"membrane": 0.0, "permeability": 1.0}
    cells = [[12.0, 0, 0], [-12.0, 0, 0]]
    np.testing.assert_allclose(rates(process, cells, [[20.0, 8.0, 0]], **wall), [1e-3, 1e-4], rtol=1e-12)
    assert rates(process, cells, [[20.0, 8.0, 0]], tie2=0.5, **wall).max() == pytest.approx(1e-4)
    assert rates(process, cells, [[60.0, 0, 0]], **wall).max() == pytest.approx(1e-4), "too far"
    assert rates(Intravasation(6.0), cells, [[20.0, 8.0, 0]], **wall).max() == pytest.approx(1e-4), "no door is said"
    far = Intravasation(6.0, opener=TIE2, reach=80.0)
    assert rates(far, [[60.0, 0, 0]], [[70.0, 0, 0]], **wall)[0] == pytest.approx(1e-4), "it touches no vessel"


def test_many_vessels_and_cells_agree_with_a_twin():
    rng = np.random.default_rng(4)
    vessels = Vessels.empty()
    for _ in range(12):
        column(
            vessels, *rng.uniform(-150, 150, 2), radius=float(rng.uniform(3, 9)), membrane=float(rng.random()),
            permeability=float(rng.uniform(0.3, 3)), flow=float(rng.random() > 0.2),
        )  # fmt: skip
    process = Intravasation(6.0, opener=TIE2)
    tissue = tissue_with(process, vessels)
    place = np.column_stack([rng.uniform(-150, 150, (400, 2)), np.zeros(400)])
    add_cells(tissue, place[:300])
    add_cells(tissue, place[300:], 1)
    tissue.cells["volume.total"][:] = rng.uniform(1500, 4000, 400)
    tissue.cells["surface.tie2"][300:] = rng.random(100)
    found = process.into_blood(tissue, np.arange(300))
    r = [(0.75 / math.pi * v) ** (1 / 3) for v in tissue.cells["volume.total"]]
    graph, s = vessels.graph, vessels.graph.segments

    def gap(i, k):  # from the surface of a cell to the wall of a vessel's half, in a slice of 20 um
        x, y = graph.position[graph.ends[k, 0]][:2]
        return math.sqrt((place[i, 0] - x) ** 2 + (place[i, 1] - y) ** 2 + 25.0) - r[i] - s["radius"][k]

    flowing = [k for k in range(graph.n_segments) if s["flow"][k] > 0]
    doors = [
        m for m in range(300, 400)
        if tissue.cells["surface.tie2"][m] > 0.5 and min(gap(m, k) for k in flowing) <= 15.0
    ]  # fmt: skip
    for i in range(300):
        best = 0.0
        for k in flowing:
            if gap(i, k) <= 10.0:
                best = max(best, 2e-4 * (1 - s["membrane"][k]) * s["permeability"][k] / (s["permeability"][k] + 1))
        if any(math.dist(place[i], place[m]) <= 1.25 * (r[i] + r[m]) for m in doors):
            best *= 10.0
        assert found[i] == pytest.approx(best, rel=1e-12)
    assert (found > 0).sum() > 30 and (found > 2e-4).any()


def test_rates_into_lymph_by_hand():
    process = Intravasation(6.0)
    tissue = tissue_with(process, fluid=True, vegfa=0.0, vegfc=0.1)
    add_cells(tissue, [[-150, 0, 0], [150, 0, 0]])
    tissue.fluid.lymph[..., :10], tissue.fluid.open[...] = 2.0, 0.25
    most = 1e-3 * 0.15 * 2.0 * 0.25
    np.testing.assert_allclose(process.into_lymph(tissue, np.arange(2)), [most * (1.0 - 0.7 * 0.5), 0.0], rtol=1e-12)
    shape = tissue.fields.grid.shape
    velocity = [np.zeros((shape[0] + (a == 2), shape[1] + (a == 1), shape[2] + (a == 0))) for a in range(3)]
    velocity[0][...], velocity[1][...] = 3.0, 4.0
    assert np.allclose(speed_of(tuple(velocity)), 5.0)
    tissue.fields.velocity = tuple(velocity)
    np.testing.assert_allclose(
        process.into_lymph(tissue, np.arange(2)), [most * (1.0 - 0.7 * 0.5 * 18.0 / 23.0), 0.0], rtol=1e-12
    )


def crowd(process, seed=2, count=900, **wall):
    """Cells all around a slice with nine bare vessels."""
    vessels = Vessels.empty()
    for x in (-120, 0, 120):
        for y in (-120, 0, 120):
            column(vessels, x, y, radius=5.0, **({"membrane": 0.0, "permeability": 1.0} | wall))
    tissue = tissue_with(process, vessels, fluid=True)
    tissue.fluid.lymph[...] = 1.0
    rng = np.random.default_rng(seed)
    add_cells(tissue, np.column_stack([rng.uniform(-190, 190, (count, 2)), np.zeros(count)]))
    return tissue


def leave(process, tissue, times, dt=6.0, first=0):
    for k in range(first, first + times):
        fire(process, tissue, dt=dt, first=k)
        tissue.population.apply(tissue)


def test_who_left_is_counted_once_and_the_chance_is_that_of_the_rate():
    process = Intravasation(6.0, rate=0.02, lymph=0.01, cluster=0.3)
    tissue = crowd(process)
    leave(process, tissue, 30)
    single, clusters, within, lymph = tissue.metastasis.left
    events = tissue.population.drain()
    by = {kind: events[events["kind"] == tissue.population.kinds.index(kind)] for kind in process.events}
    assert single + within + lymph == 900 - tissue.cells.n == len(np.unique(events["id"]))
    assert len(by["intravasation"]) == single + within and len(by["lymph_entry"]) == lymph > 10
    led = by["intravasation"]["cause"]
    assert len(np.unique(led[led >= 0])) == clusters > 5 and (led >= 0).sum() == within >= 2 * clusters
    sizes = np.unique(led[led >= 0], return_counts=True)[1]
    assert sizes.min() >= 2 and sizes.max() <= 4
    alone = Intravasation(6.0, rate=0.02, lymph=0.0, cluster=0.0)
    for dt, times in ((6.0, 10), (12.0, 5)):  # any step
        left = np.array([gone(alone, seed, dt, times) for seed in range(6)])
        near = (alone.into_blood(crowd(alone), np.arange(900)) > 0).sum()
        expected = near * (1.0 - math.exp(-0.01 * 60.0))
        assert abs(left.mean() - expected) < 4.0 * math.sqrt(expected / 6), (dt, left, expected)


def test_cells_per_day_are_the_sum_of_the_rates():
    process = Intravasation(6.0, cluster=0.0, rate=1e-7, lymph=2e-7)
    tissue = crowd(process)
    rates = [1440.0 * r(tissue, np.arange(900)).sum() for r in (process.into_blood, process.into_lymph)]
    for k in range(100):
        fire(process, tissue, dt=144.0, first=k)
    assert tissue.metastasis.left.sum() < 5 and min(rates) > 0.0
    np.testing.assert_allclose(tissue.metastasis.per_day, rates, rtol=0.02)


def test_an_empty_tissue_has_nobody_to_lose():
    process = Intravasation(6.0)
    tissue = crowd(process, count=0)
    tissue.metastasis.per_day += 1.0
    fire(process, tissue, dt=1440.0)
    assert tissue.metastasis.left.sum() == 0.0
    np.testing.assert_allclose(tissue.metastasis.per_day, math.exp(-1.0))


def gone(process, seed, dt, times):
    tissue = crowd(process)
    for k in range(times):
        fire(process, tissue, dt=dt, first=k, seed=seed)
        tissue.population.apply(tissue)
    return 900 - tissue.cells.n


def test_only_invasive_live_cells_leave():
    process = Intravasation(6.0, states=("surface.mhc1", "surface.tie2"), rate=1e3, lymph=0.0, cluster=0.0)
    tissue = crowd(process)
    near = process.into_blood(tissue, np.arange(900)) > 0
    kind = np.arange(900) % 3
    tissue.cells["surface.mhc1"][:] = 0.0
    tissue.cells["surface.tie2"][:] = kind == 1
    tissue.cells["vital"][::2] = 1
    expected = near & (kind == 1) & (np.arange(900) % 2 == 1)
    queued = expected.nonzero()[0][:1]
    tissue.population.remove(queued)  # eaten in the same tick
    fire(process, tissue, dt=6.0)
    assert tissue.metastasis.left.tolist() == [expected.sum() - 1, 0, 0, 0]


def test_same_bytes_for_any_order_of_rows_and_after_a_restart():
    def run(shuffled, stop):
        process = Intravasation(6.0, rate=0.02, lymph=0.01, cluster=0.3)
        tissue = crowd(process)
        if shuffled:
            shuffle(tissue)
        leave(process, tissue, 6)
        if stop:
            kept = tissue.metastasis.copy()
            tissue.metastasis = Spread(["lung"])
            tissue.metastasis.restore(kept.arrays())
        leave(process, tissue, 6, first=6)
        return tissue.digest(), tissue.population.drain().tobytes()

    assert run(False, False) == run(True, False) == run(False, True)


def test_pairs_agree_with_a_twin():
    rng = np.random.default_rng(0)
    a, b = rng.random((40, 3)), rng.random((30, 3))
    i, j, d = apart(a, b, 0.3)
    twin = [(p, q) for p in range(40) for q in range(30) if math.dist(a[p], b[q]) <= 0.3]
    assert list(zip(i.tolist(), j.tolist())) == twin and d[0] == pytest.approx(math.dist(a[i[0]], b[j[0]]))
    assert len(apart(a[:0], b, 1.0)[0]) == len(apart(a, b[:0], 1.0)[0]) == 0


def test_a_network_in_space_is_met_all_along():
    grid = Grid((-200, -200, -200), (20, 20, 20), (20, 20, 20))
    vessels = Vessels.empty()
    graph = vessels.graph
    graph.add_nodes([[-200, 0, 0], [200, 0, 0]], kind=[1, 1])
    graph.add_segments([[0, 1]], length=400.0, radius=5.0, flow=1.0, membrane=0.0, permeability=1.0)
    process = Intravasation(6.0)
    tissue = tissue_with(process, vessels, grid=grid)
    x = np.linspace(-190, 190, 77)
    add_cells(tissue, np.column_stack([x, np.full(77, 14.0), np.zeros(77)]))
    np.testing.assert_allclose(process.into_blood(tissue, np.arange(77)), 1e-4, rtol=1e-12)


WALLS = """
vessels: {columns: {density: 300 1/mm^2 assumed}, maturation: {}}
fluid: {lymph: {density: 1}}
"""
MODEL = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
clock: {transport: 6 min, mechanics: 6 min, phenotype: 6 min}
until: 12 h
represents: 1 mm^3
factors: {vegfa: {library: vegfa}, mmp: {library: mmp}}
cells:
  tumor:
    death: {apoptosis: 0 1/min}
    emt: {rise: 0.01 1/min assumed}
    secretion: {rate: {mmp: 500 um^3/min assumed}}
  macrophage: {death: {apoptosis: 0 1/min}, surface: {tie2: 1 assumed}}
{WALLS}metastasis:
  cells: tumor
  states: emt.level
  door: {cells: macrophage, when: surface.tie2, above: 0.5}
  intravasation: {rate: 0.01 1/min assumed, lymph: 0.05 1/min assumed}
  cascade: {efficiency: 0.01 assumed, wake: 0.5 1/day assumed}
  sites: {lung: {share: 0.75}, liver: {share: 0.25, doubling: 1 day}, node: {share: 1, by: lymph}}
initial:
  - {cells: tumor, everywhere: , count: 150}
  - {cells: macrophage, everywhere: , count: 20}
""".replace("{WALLS}", WALLS)


def test_a_model_is_the_same_for_threads_and_after_a_restart(tmp_path):
    whole = oc.Simulation(oc.Model.from_text(MODEL), seed=1, threads=1)
    whole.run("6 h")
    half = oc.Simulation(oc.Model.from_text(MODEL), seed=1, threads=2)
    half.run("3 h")
    other = oc.Simulation(oc.Model.from_text(MODEL), seed=1)
    other.restore(half.state())
    other.run("6 h")
    left = whole.tissue.metastasis.left
    assert other.digest() == whole.digest() and left[0] > 0 and left[3] > 0
    result = oc.run(oc.Model.from_text(MODEL), "6 h", out=tmp_path / "run")
    last = result.summary.iloc[-1]
    assert last["metastasis.blood"] == last["events.intravasation"] == left[0] + left[2]
    assert last["metastasis.lymph"] == last["events.lymph_entry"] == left[3]
    assert last["metastasis.circulating"] > 0 and last["metastasis.lung.dormant"] > 0


def test_a_model_without_intravasation_is_told_that_nobody_leaves():
    line = "  intravasation: {rate: 0.01 1/min assumed, lymph: 0.05 1/min assumed}\n"
    model = oc.Model.from_text(MODEL.replace(line, ""))
    assert ["nobody leaves" in p.message for p in model.problems] == [True]
    simulation = oc.Simulation(model, seed=1)
    simulation.run("1 h")
    assert simulation.tissue.metastasis.left.sum() == 0.0


def test_a_run_may_stop_by_what_has_spread():
    for rule in ("metastasis.lung.dormant > 3", "metastasis.blood_per_day > 2 1/day", "vessels.perfused < 0.5"):
        assert oc.Model.from_text(MODEL + f"stop_when: {rule}\n").stop_when[0].text == rule
    with pytest.raises(ModelError, match=r"Did you mean 'metastasis\.lung\.dormant'"):
        oc.Model.from_text(MODEL + "stop_when: metastasis.lung.dormand > 3\n")


def test_numerics_without_it_say_so():
    with pytest.raises(ModelError, match="PhysiCell's numerics have no metastasis"):
        oc.Model.from_text("numerics: physicell\n" + MODEL)


@pytest.mark.parametrize(
    "before, after, said",
    [
        ("  cells: tumor\n", "  cells: tumro\n", "Did you mean 'tumor'?"),
        ("  cells: tumor\n", "", "it does not say who may leave"),
        ("states: emt.level", "states: emt.levl", "Did you mean 'emt.level'?"),
        ("states: emt.level", "states: [emt.level, [1]]", "no column is called"),
        ("door: {cells: macrophage", "door: {cells: macrophag", "Did you mean 'macrophage'?"),
        ("when: surface.tie2", "when: surface.tie", "Did you mean 'surface.tie2'?"),
        ("above: 0.5}", "above: 0.5 mmHg}", "mmHg"),
        ("rate: 0.01 1/min", "rate: -0.01 1/min", "out of range"),
        ("efficiency: 0.01", "efficiency: 2", "out of range"),
        ("share: 0.75", "share: 0.85", "shares by blood add up to 1.1"),
        ("share: 0.75", "share: 1.75", "out of range"),
        ("by: lymph", "by: limph", "Did you mean 'lymph'?"),
        ("doubling: 1 day", "doubling: 0 day", "out of range"),
        ("sites: {lung: {share: 0.75}", "sites: {lung: {}", "metastasis.sites.lung.share"),
        ("sites: {", "site: {", "Did you mean 'sites'?"),
        (WALLS, "", "no cell can leave"),
    ],
)  # fmt: skip
def test_slips_are_named(before, after, said):
    assert before in MODEL
    with pytest.raises(ModelError) as error:
        oc.Model.from_text(MODEL.replace(before, after, 1))
    assert said in str(error.value)
