"""Open faces: by hand, against a twin, the books, no drain without growth, any step, threads, order and restart."""

import numpy as np
import pytest
from scipy import stats

import oncarium as oc
from helpers import add_cells, fire, shuffle, tissue_of
from oncarium.biology.division import Division
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.motility import Motility
from oncarium.biology.outflow import Outflow, surplus
from oncarium.engine.fields import Grid
from oncarium.errors import ModelError
from reference.outflow import leaving

SHEET = Grid(origin=(-300, -300, -6), spacing=(20, 20, 12), shape=(1, 30, 30))
TEXT = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], thickness: 12 um, voxel: 20 um, open: OPEN}
clock: {mechanics: 6 min, phenotype: 6 min, transport: 6 min, error: 0.1 um/min}
record: {cells: 12 h}
until: 2 day
cells:
  tumor:
    cycle: {model: live, exit: GROWTH}
    death: {apoptosis: DEATH}
    motility: {speed: 0.02 um/min, persistence: 15 min}
  ctl:
    volume: {total: 480 um^3, nuclear: 200 um^3}
    cycle: {model: live, exit: 0 1/min}
    death: {apoptosis: 0 1/min}
    mechanics: {repulsion: 10 um/min, adhesion: 0 um/min, wall: 10 um/min}
    motility: {speed: 4 um/min, persistence: 8 min}
initial:
  - {cells: tumor, everywhere: , packing: hexagonal, spacing: 17 um}
  - {cells: ctl, everywhere: , count: 20}
"""


def model(open="all", growth="0 1/min", death="0 1/min", text=TEXT, **more):
    return oc.Model.from_text(text.replace("OPEN", open).replace("GROWTH", growth).replace("DEATH", death)).with_(more)


def sheet(faces, n=400, seed=2):
    """Cells anywhere in a sheet, some right at its faces, with a push and a motion of their own."""
    processes = [Mechanics(6.0), Motility(6.0), Outflow(6.0, faces), Division(6.0)]
    tissue, rng = tissue_of(processes, grid=SHEET, base={"motility.speed": 1.0}), np.random.default_rng(seed)
    place = np.column_stack([rng.uniform(-300, 300, (n, 2)), np.zeros(n)])
    place[:60, 0], place[60:120, 0] = 300.0, -300.0
    add_cells(tissue, place)
    c = tissue.cells
    angle = rng.uniform(0, 2 * np.pi, n)
    c["motility.heading"][:] = np.column_stack([np.cos(angle), np.sin(angle), 0 * angle])
    c["velocity"][:] = rng.normal(0.5, 1.0, (n, 3)) * np.array([1.0, 1.0, 0.0])
    return processes, tissue


def test_by_hand():
    assert surplus(12, 5.0, 95.0, True) == 2.0 and surplus(9, 5.0, 95.0, True) == 0.0
    room = 1e4 / (0.5 * np.sqrt(3.0) * 9.5**2)  # hexagons in the plane
    assert surplus(200, 5.0, 1e4, False) == pytest.approx(200 - room)


def test_as_many_leave_as_have_no_room_in_the_row():
    """Of all types alike, from the row and from right behind it; none while the row is not full."""
    lost = np.zeros(2)
    for seed in range(200):
        processes, tissue = sheet(("xmax",), 130)
        c = tissue.cells
        c.position[:, 0] = np.repeat([300.0, 285.0, 0.0], [60, 40, 30])
        c.position[:, 1] = np.random.default_rng(seed).uniform(-300, 0, 130)
        c["motility.speed"][:] = 0.0
        fire(processes[2], tissue, dt=6.0, seed=seed)
        gone = np.concatenate(tissue.population.removed)
        assert (gone < 100).all()
        lost += [(gone < 60).sum(), (gone >= 60).sum()]
    expected = 200 * (60 - 300.0 / (1.9 * c["radius"][0]))
    low, high = stats.binom.interval(0.999, 200 * 100, expected / (200 * 100))
    assert low <= lost.sum() <= high
    assert lost[0] / lost.sum() == pytest.approx(0.6, abs=0.03)
    c.position[:30, 1] = np.linspace(-300, 300, 30)
    c.position[30:, 0] = 0.0
    tissue.population.removed.clear()
    fire(processes[2], tissue, dt=6.0)
    assert not sum(map(len, tissue.population.removed))


def test_it_agrees_with_the_twin():
    processes, tissue = sheet(("xmin", "xmax", "ymax"))
    outflow, c = processes[2], tissue.cells
    c["motility.speed"][:] = 0.0
    c["radius"][:] = np.random.default_rng(4).uniform(5.0, 12.0, c.n)
    cells = list(zip(c.key.tolist(), c.position.tolist(), c["radius"].tolist()))
    expected = leaving(cells, [(0, False), (0, True), (1, True)], SHEET.lower, SHEET.upper, 1, outflow.stream, 0)
    shuffle(tissue)
    fire(outflow, tissue, dt=6.0)
    assert set(c.key[np.concatenate(tissue.population.removed)].tolist()) == expected
    assert 5 < len(expected) < 100


def test_who_walks_to_a_face_enters_at_the_opposite_one_or_turns_round():
    for faces, place, heading in ((("xmin", "xmax"), -300.0, 1.0), (("xmax",), 300.0, -1.0)):
        processes, tissue = sheet(faces, 10)
        c = tissue.cells
        c.position[:, 0] = 0.0
        c.position[:3, 0] = 300.0
        c["motility.heading"][:] = [1.0, 0.0, 0.0]
        c["velocity"][:] = [1.0, 0.0, 0.0]
        c["velocity"][2] = [2.5, 0.0, 0.0]  # its neighbors push it more than it walks
        c["motility.heading"][1] = [-1.0, 0.0, 0.0]  # it walks inward
        fire(processes[2], tissue, dt=6.0)
        assert c.position[:4, 0].tolist() == [place, 300.0, 300.0, 0.0]
        assert c["motility.heading"][:4, 0].tolist() == [heading, -1.0, 1.0, 1.0]
        assert not sum(map(len, tissue.population.removed))


def test_without_growth_and_death_nobody_drains_out():
    """T cells at 4 um/min reach a face within the hour; their number holds over two days, with all faces open and with
    one."""
    for faces in ("all", "xmax"):
        result = oc.run(model(faces), seed=1)
        live = result.summary
        assert live["live.ctl"].iloc[-1] >= 19
        # the sheet of tumor cells spreads by its first pressure, and then holds
        assert live["live.tumor"].iloc[-1] >= 0.95 * live["live.tumor"].iloc[1]


def test_growth_flows_out_and_the_books_balance():
    result = oc.run(model(growth="0.4 1/day", death="0.1 1/day"), seed=3)
    events = result.events["kind"].value_counts()
    cells = result.cells(result.times[-1])
    begun = len(result.cells(0.0))
    gone = events.get("removal", 0) + events["outflow"]
    assert begun + events["division"] - gone == len(cells)
    assert events["outflow"] > 30
    closed = oc.run(model("[]", growth="0.4 1/day", death="0.1 1/day"), seed=3).summary["live.tumor"].iloc[-1]
    assert result.summary["live.tumor"].iloc[-1] < closed - 20
    assert set(result.events.query("kind == 'outflow'")["cause"]) <= {0, 1}, "the cause of an outflow is the type"


def test_half_the_step_lets_as_many_out():
    def left(step):
        clock = {"clock": f"{{mechanics: {step} min, phenotype: 6 min, transport: 6 min, error: 0.1 um/min}}"}
        runs = [oc.run(model(growth="0.4 1/day").with_(clock), seed=s, until="1 day") for s in (1, 2, 3)]
        return sum((r.events["kind"] == "outflow").sum() for r in runs)

    long, short = left(6), left(3)
    assert abs(long - short) < 4.0 * np.sqrt(long + short), (long, short)


def test_any_threads_order_and_restart_give_the_same_bytes(tmp_path):
    grows = model(growth="0.4 1/day", death="0.1 1/day")
    whole = oc.Simulation(grows, seed=5)
    whole.run("12 h")
    again = oc.Simulation(grows, seed=5, threads=2)
    again.run("6 h")
    shuffle(again.tissue)
    again.run("12 h")
    assert again.tissue.digest() == whole.tissue.digest()
    oc.run(grows, "6 h", 5, out=tmp_path / "half.zarr")
    assert oc.resume(tmp_path / "half.zarr", "12 h").digest == whole.tissue.digest()


@pytest.mark.parametrize(
    ("open", "said"),
    [
        ("[xmaxx]", "no face is called 'xmaxx'. Did you mean 'xmax'"),
        ("left", "no face is called 'left'"),
        ("[zmin]", "no face is called 'zmin'"),
        ("3", "no face is called '3'"),
        ("{xmax: true}", "[xmax], or all"),
        ("[[xmax]]", "no face is called"),
    ],
)
def test_faces_that_are_none_are_named(open, said):
    with pytest.raises(ModelError) as error:
        model(open)
    assert said in str(error.value) and "domain.open" in str(error.value)


def test_another_program_has_no_open_faces():
    text = TEXT.replace("clock: {mechanics: 6", "numerics: physicell\nclock: {mechanics: 6").replace("OPEN", "all")
    text = text.replace("GROWTH", "0 1/min").replace("DEATH", "0 1/min")
    with pytest.raises(ModelError, match="no open faces"):
        oc.Model.from_text(text)


def test_it_is_told():
    assert "leave by xmin, xmax, ymin, ymax" in model().describe()
    assert model("[]").domain.open == () and model("[ymax, all]").domain.open == ("xmin", "xmax", "ymin", "ymax")
