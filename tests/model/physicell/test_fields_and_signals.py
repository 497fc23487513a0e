"""Settings whose fields or signals are at an edge: far from a source, without diffusion, even, below zero."""

import numpy as np
import pytest

from oncarium.errors import NumericsError
from oncarium.run.simulation import Simulation

from .world import DOMAIN, OXYGEN, WITH_CELLS, cell, read, settings, told, with_rules

BOTH = ["oncarium", "physicell"]
WIDE = DOMAIN.replace("100", "1000").replace("60", "1000")
STILL = ["0", "1e-12", "1e-9", "1e-6"]


def factor(diffusion="1000", decay="0.1", initial="0"):
    return OXYGEN.replace(">1000<", f">{diffusion}<").replace(">0.1<", f">{decay}<").replace(">38<", f">{initial}<")


def gives(**numbers):
    inside = "".join(f"<{k}>{v}</{k}>" for k, v in numbers.items())
    return f'<cycle code="5"/><secretion><substrate name="oxygen">{inside}</substrate></secretion>'


def follows(bias):
    return f"""<motility><speed>2</speed><persistence_time>1</persistence_time><migration_bias>{bias}</migration_bias>\
<options>
    <enabled>true</enabled><use_2D>true</use_2D><chemotaxis><enabled>true</enabled><substrate>oxygen</substrate>\
<direction>1</direction>
    </chemotaxis></options></motility>"""


def run(model, until):
    simulation = Simulation(model)
    lowest = []
    simulation.run(until, lambda s: lowest.append(s.tissue.fields.value.min()))
    return simulation.tissue, min(lowest)


def test_a_source_in_a_large_empty_domain(tmp_path):
    text = settings(WIDE, substrates=factor(), cells=cell(gives(secretion_rate=1, secretion_target=1)), rest=WITH_CELLS)
    tissue, lowest = run(read(tmp_path, text, cells_csv="x,y,z,type\n0,0,0,tumor\n"), "1 h")
    assert lowest >= 0.0
    value = tissue.fields.value[0]
    supplied = 2494.0 / 8000.0 * (1.0 - value.max())  # of a cell that stops at its target, all but at once
    assert value.sum() == pytest.approx(supplied / 0.1, rel=0.01)


def test_an_overdraft_is_told(tmp_path):
    text = settings(WIDE, substrates=factor(), cells=cell(gives(net_export_rate=-1)), rest=WITH_CELLS)
    with pytest.raises(NumericsError, match=r"oxygen is -.*negative secretion.rate takes more than there is"):
        run(read(tmp_path, text, cells_csv="x,y,z,type\n0,0,0,tumor\n"), "1 h")


@pytest.mark.parametrize("numerics", BOTH)
@pytest.mark.parametrize("diffusion", STILL)
@pytest.mark.parametrize("decay", ["0", "0.1"])
def test_a_substrate_that_does_not_diffuse(tmp_path, numerics, diffusion, decay):
    text = settings(
        substrates=factor(diffusion, decay, "0.5"),
        cells=cell(gives(secretion_rate=0.1, secretion_target=1)),
        rest=WITH_CELLS,
    )
    until = "1 h" if numerics == "oncarium" else "12 min"
    tissue, _ = run(read(tmp_path, text, numerics, cells_csv="x,y,z,type\n0,0,0,tumor\n"), until)
    minutes, given = (60.0 if numerics == "oncarium" else 12.0), 0.1 * 2494.0 / 8000.0
    value = tissue.fields.value[0].ravel()
    cell_at, rate = int(value.argmax()), given + float(decay)
    assert value[cell_at] == pytest.approx(given / rate + (0.5 - given / rate) * np.exp(-rate * minutes), abs=0.002)
    others = np.delete(value, cell_at)
    assert np.abs(others - others[0]).max() < (1e-12 if diffusion == "0" else 1e-6)
    assert others[0] == pytest.approx(0.5 * np.exp(-float(decay) * minutes), abs=2e-3 if decay != "0" else 1e-7)


@pytest.mark.parametrize("numerics", BOTH)
def test_cells_climb_a_substrate_that_does_not_diffuse(tmp_path, numerics):
    types = cell(gives(secretion_rate=0.1, secretion_target=1)) + cell(f'<cycle code="5"/>{follows(1)}', "T cell", 1)
    text = settings(substrates=factor("0", "0", "0.5"), cells=types, rest=WITH_CELLS)
    table = "x,y,z,type\n0,0,0,tumor\n30,10,0,T cell\n-85,45,0,T cell\n"
    tissue, _ = run(read(tmp_path, text, numerics, cells_csv=table), "12 min")
    near, far = tissue.cells.position[1], tissue.cells.position[2]
    assert near[0] < 22.0 and np.hypot(*(far - (-85.0, 45.0, 0.0))[:2]) < 1e-9


@pytest.mark.parametrize("numerics", BOTH)
@pytest.mark.parametrize("decay", ["0.1", "0"])
@pytest.mark.parametrize("bias", [1, 0.5])
def test_no_gradient_leads_nobody(tmp_path, numerics, decay, bias):
    """Even but for what one cell far away takes up."""
    places = [(x, y) for x in range(-80, 81, 40) for y in range(-40, 41, 40)]
    table = "x,y,z,type\n" + "".join(f"{x},{y},0,tumor\n" for x, y in places)
    text = settings(
        substrates=factor(decay=decay, initial="38"), cells=cell(f'<cycle code="5"/>{follows(bias)}'), rest=WITH_CELLS
    )
    tissue, _ = run(read(tmp_path, text, numerics, cells_csv=table), "12 min")
    value = tissue.fields.value[0]
    assert np.ptp(value) < 1e-12 * value.mean()
    moved = np.hypot(*(tissue.cells.position[:, :2] - places).T).mean()
    assert moved < 0.1 if bias == 1 else 5.0 < moved < 24.0


@pytest.mark.parametrize(("numerics", "compat"), [("oncarium", None), ("physicell", None), ("physicell", "1.14.2")])
@pytest.mark.parametrize("power", ["1", "2", "2.5", "3", "4"])
def test_a_cell_that_gave_away_more_than_it_took_up(tmp_path, numerics, compat, power):
    text = settings(
        substrates=factor(),
        environment="<track_internalized_substrates_in_each_agent>true</track_internalized_substrates_in_each_agent>",
        cells=cell(
            gives(net_export_rate=100)
            + "<motility><speed>1</speed><options><enabled>true</enabled></options></motility>"
        ),
        rest=WITH_CELLS + with_rules(),
    )
    rule = f"tumor,intracellular oxygen,increases,migration speed,5,0.5,{power},0\n"
    model = read(tmp_path, text, numerics, compat, cells_csv="x,y,z,type\n0,0,0,tumor\n", rules_csv=rule)
    tissue, _ = run(model, "18 min")
    assert tissue.cells["secretion.internalised"].max() < 0.0
    counts = compat is not None and power != "2.5"
    assert (tissue.cells["motility.speed"] == 1.0).all() != counts
    assert ("below 0 it counts" in told(model)) == counts
