"""Cells that come through walls of vessels and leave by lymph: rates by hand, a twin, one lesion and one body, any
tick, the same bytes; marrow that a chemokine opens, and the way of lymph."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

import oncarium as oc
from helpers import shuffle
from oncarium.biology.body.circulation import Circulation
from oncarium.biology.body.passages import Door, Exit, Recruitment
from oncarium.biology.body.state import Body
from oncarium.biology.death import Death
from oncarium.biology.vessels.state import Vessels
from oncarium.biology.volume import Volume
from oncarium.engine.process import Tick
from oncarium.engine.tissue import Tissue
from oncarium.errors import ModelError
from oncarium.model.body import Compartment, Flow

from ..vessels.networks import SLICE, bathed, column, tube

DEATH = (Death(6.0), Volume(6.0))  # whose columns exits read

HELD, WAY, ANERGY, ANERGY_HALF = (n.default for n in Recruitment.numbers)


def slice_of(door, n=1, **values):
    """n columns in a slice of 20 um, and a tissue around them that holds what they let in."""
    vessels, rng = Vessels.empty(), np.random.default_rng(7)
    for x, y in rng.uniform(-190, 190, (n, 2)):
        column(vessels, x, y, **values)
    process = Recruitment(6.0, [door])
    levels = {"vegfa": 0.0, "cxcl9": 0.0}
    tissue = bathed(process, *DEATH, vessels=vessels, grid=SLICE, fluid=True, types=("tumor", "cd8"), **levels)
    tissue.body = Body(["blood", "node"], [1.0, 0.0])
    return tissue, process


def mean_rate(tissue, process):
    return process._through_walls(tissue, process.doors[0])[1].sum()


def test_the_rate_is_per_um_of_perfused_vessel_in_the_tissue():
    """Of a column of 400 um, 20 um lie in the slice."""
    tissue, process = slice_of(Door(1, None, 2e-4), n=5)
    assert mean_rate(tissue, process) == pytest.approx(5 * 20.0 * 2e-4)
    tissue.vessels.graph.segments["flow"][:2] = 0.0
    assert mean_rate(tissue, process) == pytest.approx(4 * 20.0 * 2e-4), "one of them carries no blood"


def test_chemokine_calls_and_vegf_silences_the_endothelium():
    tissue, process = slice_of(Door(1, None, 2e-4, factor=1, half=0.5, hill=2.0))
    rates = []
    for cxcl9, vegf in ((0.0, 0.0), (0.5, 0.0), (0.5, 0.1), (0.5, 1e9), (-1.0, -1.0)):
        tissue.fields.value[0], tissue.fields.value[1] = vegf, cxcl9
        rates.append(mean_rate(tissue, process) / (20.0 * 2e-4))
    assert rates == pytest.approx([0.0, 0.5, 0.5 * 0.65, 0.5 * 0.3, 0.0], abs=1e-9)


def test_no_more_come_than_blood_delivers():
    """A hundredth of the cells that flow by stays along 450 um of capillary; what is asked for below that is let in."""
    tissue, process = slice_of(Door(1, None, 1.0, count=0.5), flow=2.0)
    assert mean_rate(tissue, process) == pytest.approx(0.01 * 0.5 * 2.0 * 20.0 / 450.0)
    tissue, process = slice_of(Door(1, None, 1e-7, count=0.5), flow=2.0)
    assert mean_rate(tissue, process) == pytest.approx(1e-7 * 20.0)


def test_perfusion_bounds_cd8_to_about_43_a_day_and_square_millimeter():
    """0.3 ml of blood per g and min with 0.5 CD8 per nl, in a slice of 20 um, of which a hundredth stays: 0.3 nl/min
    per nl of tissue x 20 nl x 500 per ul x 0.01 a day. Columns that carry as much let in no more."""
    volume = 1000.0 * 1000.0 * 20.0  # um^3 of a square millimeter
    delivered = 0.3 * volume / 1e6 * 0.5 * 0.01 * 1440.0
    assert delivered == pytest.approx(43.2)
    # a vessel of 450 um feeds the tissue along its way: 20 um of it lie in the slice, and its share of that tissue
    side = 400.0
    flow = 0.3 * side * side * WAY / 1e6 / 12  # nl/min of each of 12 that feed a block as deep as they are long
    tissue, process = slice_of(Door(1, None, 1.0, count=0.5), n=12, flow=flow)
    a_day = mean_rate(tissue, process) * 1440.0 / (side * side / 1e6)
    assert a_day == pytest.approx(delivered, rel=1e-9)


def test_a_twin():
    door = Door(1, None, 3e-3, factor=1, half=0.3, hill=1.5, count=0.4)
    vessels, rng = Vessels.empty(), np.random.default_rng(3)
    for _ in range(8):
        tube(vessels, rng.uniform(-190, 190, 3) * [1, 1, 0], rng.uniform(-190, 190, 3) * [1, 1, 0], flow=rng.random())
    vessels.graph.segments["flow"][3] = 0.0
    process = Recruitment(6.0, [door])
    levels = {"vegfa": lambda x, y, z: 0.1 + 0 * x + y / 4000, "cxcl9": lambda x, y, z: 0.4 + x / 1000}
    tissue = bathed(process, vessels=vessels, grid=SLICE, types=("tumor", "cd8"), **levels)
    total = np.zeros(SLICE.shape)
    graph, shape = vessels.graph, SLICE.shape
    for i, (a, b) in enumerate(graph.position[graph.ends]):
        if graph.segments["flow"][i] == 0.0:
            continue
        parts, wanted = 2000, np.zeros(shape)
        for u in (np.arange(parts) + 0.5) / parts:
            x, y, _ = a + u * (b - a)
            p, q = (x + 190) / 20, (y + 190) / 20  # between the middles of voxels
            for i0, j0 in ((0, 0), (0, 1), (1, 0), (1, 1)):
                weight = abs(1 - i0 - p % 1) * abs(1 - j0 - q % 1)
                at = (0, min(max(int(q // 1) + j0, 0), 19), min(max(int(p // 1) + i0, 0), 19))
                v, s = tissue.fields.value[0][at], tissue.fields.value[1][at]
                called = s**1.5 / (s**1.5 + 0.3**1.5) * (1 - ANERGY * v / (v + ANERGY_HALF))
                wanted[at] += 3e-3 * graph.segments["length"][i] / parts * weight * called
        most = HELD * 0.4 * graph.segments["flow"][i] * graph.segments["length"][i] / WAY
        total += wanted * min(1.0, most / wanted.sum())
    there, rate = process._through_walls(tissue, door)
    got = np.bincount(there, rate, total.size)
    assert rate.sum() == pytest.approx(total.sum(), rel=1e-4)
    assert np.abs(got - total.ravel()).max() < 0.1 * total.max(), "pieces of a voxel's length, here a hundredth of it"


@pytest.mark.parametrize("dt", [6.0, 60.0])
def test_as_many_come_in_any_tick(dt):
    door, days = Door(1, None, 1e-4), 5
    tissue, process = slice_of(door, n=20)
    for k in range(round(days * 1440 / dt)):
        process.step(tissue, Tick(k, k * dt, dt, 5))
    expected = 20 * 20.0 * 1e-4 * days * 1440
    came = tissue.cells.n
    assert abs(came - expected) < 4 * math.sqrt(expected)
    voxels, (where, rate) = np.bincount(tissue.voxels(), minlength=400), process._through_walls(tissue, door)
    assert came == voxels[where].sum(), "only where vessels are"
    often = rate * days * 1440 > 4.0
    seen, told = voxels[where][often], rate[often]
    assert stats.chisquare(seen, told * seen.sum() / told.sum()).pvalue > 0.001


def test_the_lesion_and_the_body_hold_the_same_cells():
    """What enters is taken from the blood, what leaves comes to the node, times the pieces that the lesion has."""
    pieces, size = 50.0, 1e5
    tissue, process = slice_of(Door(1, None, 2e-3, body=0, size=size / pieces), n=10)
    process.exits = [Exit(1, None, 0.01, body=1, size=size / pieces)]
    tissue.fluid.lymph[..., :10] = 1.0
    process.prepare(tissue)
    for k in range(200):
        process.step(tissue, Tick(k, 6.0 * k, 6.0, 2))
        tissue.population.apply(tissue)
    kinds = [tissue.population.kinds[k] for k in np.concatenate(tissue.population.pending)["kind"]]
    came, left = kinds.count("arrival"), kinds.count("departure")
    assert came > 50 and left > 10 and tissue.cells.n == came - left
    assert tissue.body["blood"] == pytest.approx(1.0 - came * pieces / size, rel=1e-9)
    assert tissue.body["node"] == pytest.approx(left * pieces / size, rel=1e-9)


def test_lymph_takes_as_far_as_it_is_open():
    way = Exit(1, None, 0.02)
    process = Recruitment(6.0, [], [way])
    tissue = bathed(process, *DEATH, vessels=Vessels.empty(), grid=SLICE, fluid=True, types=("tumor", "cd8"), vegfa=0.0)
    process.prepare(tissue)
    rows = tissue.cells.add(np.full(4000, 1))
    tissue.cells.position[rows, 0] = np.repeat([-150.0, 150.0], 2000)
    tissue.fluid.lymph[:] = 0.5
    tissue.fluid.open[..., 10:] = 0.2
    gone = process._leave(tissue, Tick(0, 0.0, 30.0, 4), way, process.inside[0])
    for share, rows in ((0.5, gone[gone < 2000]), (0.1, gone[gone >= 2000])):
        expected = 2000 * (1.0 - math.exp(-0.02 * share * 30.0))
        assert abs(len(rows) - expected) < 4 * math.sqrt(expected)


def test_same_bytes_for_any_order_of_rows_and_threads():
    def digest(threads, mixed):
        tissue, process = slice_of(Door(1, None, 1e-3, body=0, size=1e3), n=10)
        process.threads, process.exits = threads, [Exit(1, None, 0.01, body=1, size=1e3)]
        tissue.fluid.lymph[:] = 1.0
        process.prepare(tissue)
        for k in range(50):
            if mixed and tissue.cells.n:
                shuffle(tissue, k)
            process.step(tissue, Tick(k, 6.0 * k, 6.0, 2))
            tissue.population.apply(tissue)
        return tissue.digest()

    assert digest(1, False) == digest(2, False) == digest(1, True)


def test_same_bytes_after_a_restart_in_the_middle():
    model = oc.Model.from_text(RESTARTED)
    whole = oc.Simulation(model, seed=1)
    whole.run("6 h")
    half = oc.Simulation(model, seed=1, threads=2)
    half.run("3 h")
    other = oc.Simulation(model, seed=1)
    other.restore(half.state())
    other.run("6 h")
    assert other.digest() == whole.digest() and (whole.tissue.cells.type == 1).sum() > 3
    assert whole.tissue.body["blood"] < 1.0


RESTARTED = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
clock: {transport: 6 min, mechanics: 6 min, phenotype: 6 min}
represents: 1 mm^3
factors: {oxygen: {library: oxygen, boundary: no-flux}}
cells: {tumor: {death: {apoptosis: 0 1/min}}, cd8: {motility: {speed: 1 um/min}}}
initial: [{cells: tumor, disc: {radius: 30 um}, count: 5}]
vessels: {columns: {density: 150 1/mm^2}}
fluid: {lymph: {density: 1}, drainage: {}}
body: {blood: {start: 1}, node: {start: 0}}
entry: [{cells: cd8, from: blood, at: vessel, rate: 20 1/h/mm, size: 1e6}]
exit: [{cells: cd8, to: node, at: lymph, rate: 0.002 1/min, size: 1e6}]
"""


# -- the body behind the doors ---------------------------------------------------------------------------------------


def body_of(ccl2=1.0, levels=None):
    """Marrow that CCL2 of the blood opens, as in the reference tissue."""
    parts = [
        Compartment("marrow", 1.0, gain=0.0007, flows=(Flow("monocytes", 0.0014, "ccl2", 1.0),)),
        Compartment("ccl2", ccl2),
        Compartment("monocytes", 1.0, loss=0.0007),
    ]
    process = Circulation(6.0, parts)
    return process, Tissue(None, None, body=Body([c.name for c in parts], levels or [c.start for c in parts]))


def circulated(process, tissue, minutes):
    levels = []
    for k in range(round(minutes / 6.0)):
        process.step(tissue, Tick(k, 6.0 * k, 6.0, 1))
        levels.append(tissue.body.level.copy())
    return np.array(levels)


def test_a_flow_that_a_compartment_drives_follows_the_equations():
    process, tissue = body_of(0.3)
    got = circulated(process, tissue, 3000.0)
    share = 0.3 / 1.3

    def twin(_, x):
        return [0.0007 - 0.0014 * share * x[0], 0.0014 * share * x[0] - 0.0007 * x[1]]

    told = integrate.solve_ivp(twin, (0, 3000.0), [1.0, 1.0], rtol=1e-10, atol=1e-12, t_eval=6.0 * np.arange(1, 501))
    np.testing.assert_allclose(got[:, [0, 2]], told.y.T, rtol=1e-7)
    rest = circulated(*body_of(1.0), 3000.0)
    np.testing.assert_allclose(rest[-1], [1.0, 1.0, 1.0], rtol=1e-12)  # it is at rest at the usual level


def test_stopping_a_blockade_of_ccl2_rebounds():
    blocked = circulated(*body_of(0.02), 7 * 1440.0)
    assert blocked[-1, 2] < 0.35 and blocked[-1, 0] > 3.0, "monocytes pile up in the marrow"
    assert (np.diff(blocked[:, 0]) > 0.0).all()
    released = circulated(*body_of(1.0, [blocked[-1, 0], 1.0, blocked[-1, 2]]), 20 * 1440.0)
    assert released[:, 2].max() > 1.8 and released[-1, 2] == pytest.approx(1.0, abs=0.01), (
        "more than ever, then as usual"
    )
    half = circulated(*body_of(0.02, None), 7 * 720.0)
    sooner = circulated(*body_of(1.0, [half[-1, 0], 1.0, half[-1, 2]]), 20 * 1440.0)
    assert sooner[:, 2].max() < released[:, 2].max(), "the longer the blockade, the higher"


def test_the_way_of_lymph_delays_as_its_closed_form():
    """Cells that leave at once come to the node one after another: a chain of two first-order steps."""
    out, loss, t = 0.00093, 0.0002, 2000.0
    parts = [Compartment("lymph", 1.0, flows=(Flow("node", out),)), Compartment("node", 0.0, loss=loss)]
    process = Circulation(6.0, parts)
    tissue = Tissue(None, None, body=Body(["lymph", "node"], [1.0, 0.0]))
    node = circulated(process, tissue, 6000.0)[:, 1]
    told = out / (out - loss) * (math.exp(-loss * 1998.0) - math.exp(-out * 1998.0))
    assert node[332] == pytest.approx(told, rel=1e-8) and t > 1998.0
    peak = 6.0 * (int(node.argmax()) + 1)
    assert peak == pytest.approx(math.log(out / loss) / (out - loss), abs=6.0)


BODY = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
cells: {tumor: {death: {apoptosis: 0 1/min}}}
initial: [{cells: tumor, disc: {radius: 30 um}, count: 2}]
body:
  marrow: {start: 1, gain: 0.7 1/day, flows: {monocytes: FLOW}}
  ccl2: {start: 1}
  monocytes: {start: 1, loss: 0.7 1/day}
"""


def test_a_driven_flow_is_read():
    flow = (
        oc.Model.from_text(BODY.replace("FLOW", "{rate: 1.44 1/day, by: ccl2, half: 2}"))
        .patient.compartments[0]
        .flows[0]
    )
    assert (flow.to, flow.by, flow.half) == ("monocytes", "ccl2", 2.0) and flow.rate == pytest.approx(0.001)
    plain = oc.Model.from_text(BODY.replace("FLOW", "1.44 1/day")).patient.compartments[0].flows[0]
    assert plain == Flow("monocytes", pytest.approx(0.001))


@pytest.mark.parametrize(
    "flow, said",
    [
        ("{rate: 1 1/day, by: ccl3}", "Did you mean 'ccl2'?"),
        ("{rate: 1 1/day, by: ccl2, half: 0}", "body.marrow.flows.monocytes.half"),
        ("{rate: -1 1/day, by: ccl2}", "body.marrow.flows.monocytes.rate"),
        ("{by: ccl2}", "body.marrow.flows.monocytes.rate"),
        ("{rate: 1 1/day, of: ccl2, by: ccl2}", "of"),
    ],
)
def test_slips_in_a_flow_are_named(flow, said):
    with pytest.raises(ModelError) as error:
        oc.Model.from_text(BODY.replace("FLOW", flow))
    assert said in str(error.value)
