"""Drugs in a tissue: PD-1 by exhaustion, doors under a CCR2 inhibitor, hyaluronan, vessels, phases, a buffer."""

import math

import numpy as np
import pytest

import oncarium as oc
from oncarium.biology.radiation import Radiation
from oncarium.engine.process import Tick

PLAIN = """
domain: {x: [-60 um, 60 um], y: [-60 um, 60 um], voxel: 20 um}
until: 3 day
clock: {transport: 6 min, mechanics: 6 min}
"""


def run(text, until, seed=1):
    simulation = oc.Simulation(oc.Model.from_text(PLAIN + text), seed=seed)
    simulation.run(until)
    return simulation


def test_progenitors_answer_to_anti_pd1_and_the_exhausted_do_not():
    placed = "".join(
        f"  - {{cells: cd8_effector, disc: {{radius: 50 um}}, count: 20, with: {{exhaustion.level: {x}}}}}\n"
        for x in (0.1, 0.5, 0.95)
    )
    tissue = run(f"""
factors: {{}}
cells:
  cd8_effector:
    death: {{apoptosis: 0 1/min}}
    surface: {{pd1: 100 1/um^2}}
    exhaustion: {{rise: 0 1/min, fall: 0 1/min}}
initial:
{placed}therapy: {{doses: ["pembrolizumab 200 mg on day 0"]}}
""", "12 h").tissue  # fmt: skip
    free, level = tissue.cells["surface.pd1"], tissue.cells["exhaustion.level"]
    means = [free[np.abs(level - x) < 0.01].mean() for x in (0.1, 0.5, 0.95)]
    assert means[0] < 3.0 and means[1] < 25.0 and means[2] > 90.0
    assert tissue.cells["drug.occupancy"].min() > 0.95, "the antibody sits on all of them"


DOOR = """
factors:
  ccl2: {unit: nM, diffusion: 0 um^2/min, decay: 0 1/min, initial: 0.23 nM}
cells:
  monocyte:
    death: {apoptosis: 0 1/min}
    mechanics: {repulsion: 0 um/min, adhesion: 0 um/min}
    motility: {speed: 0 um/min, sensitivity: {ccl2: 1}}
body: {monocytes: {start: 1}}
entry: [{cells: monocyte, from: monocytes, at: edge, rate: 0.01 1/min, size: 1e12, signal: ccl2, half: 0.23 nM}]
initial: [{cells: monocyte, disc: {radius: 20 um}, count: 1}]
therapy:
  doses: ["pf04136309 DOSE over 3 day on day 0"]
  drugs: {pf04136309: {plasma: {human: {bound: 0, route: intravenous}}}}
"""


def test_doors_hear_less_under_an_inhibitor_of_ccr2():
    """Half of the full rate without it; with free drug far above its half they hear a twentieth: 1/21."""
    came = [run(DOOR.replace("DOSE", d), "2 day").tissue for d in ("1e-9 mg iv", "20000 mg iv")]
    hears = came[1].plasma.hears("monocyte", "ccl2")
    c = came[1].plasma.free[0]
    assert hears == pytest.approx(1.0 - 0.95 * c / (c + 5.0)) and hears < 0.06
    share = hears * 0.23 / (hears * 0.23 + 0.23)
    n = [t.cells.n - 1 for t in came]
    assert n[0] > 50 and n[1] / n[0] == pytest.approx(share / 0.5, abs=4.0 * math.sqrt(share / 0.5 / n[0]) + 0.02)


def test_hyaluronan_goes_by_its_closed_form():
    text = """
factors: {}
cells: {tumor: {death: {apoptosis: 0 1/min}, mechanics: {repulsion: 0 um/min}}}
matrix: {density: 0.3, hyaluronan: 0.5, period: 6 min}
initial: [{cells: tumor, disc: {radius: 20 um}, count: 1}]
therapy: {doses: ["pegph20 DOSE over 3 day on day 0"]}
"""
    drug, none = (run(text.replace("DOSE", d), "12 h") for d in ("5 mg", "1e-9 mg"))
    left = drug.tissue.matrix.hyaluronan.mean() / none.tissue.matrix.hyaluronan.mean()
    c = drug.tissue.plasma.passed[0] / 720.0  # the faces are blood; its mean bounds the mean of the tissue
    assert math.exp(-0.00139 * 720.0) < left < math.exp(-0.00139 * 720.0 * 0.5 * c / (0.05 + c))


def test_vessels_go_above_ten_gray_only():
    network = "vessels: {columns: {density: 3000 1/mm^2, length: 100 um, diameter: 9 um}}"
    text = f"""
factors: {{oxygen: {{unit: mmHg, diffusion: 100000 um^2/min, decay: 0.1 1/min, initial: 20 mmHg}}}}
cells: {{tumor: {{death: {{apoptosis: 0 1/min}}}}}}
{network}
initial: [{{cells: tumor, disc: {{radius: 20 um}}, count: 1}}]
therapy: {{doses: ["radiation 8 Gy on day 2"]}}
"""
    left = {}
    for dose in (8.0, 20.0):
        simulation = oc.Simulation(oc.Model.from_text(PLAIN + text), seed=1)
        radiation = next(p for p in simulation.plan.processes if isinstance(p, Radiation))
        before = simulation.tissue.vessels.graph.n_segments
        radiation.irradiate(simulation.tissue, Tick(0, 0.0, 6.0, 1), dose)
        left[dose] = simulation.tissue.vessels.graph.n_segments / before
    assert left[8.0] == 1.0
    share = math.exp(-0.1 * 10.0)
    assert left[20.0] <= share + 4.0 * math.sqrt(share * (1.0 - share) / before), "and what hangs on them may go, too"
    assert left[20.0] > 0.05


CYCLE = """
factors: {}
cells:
  carcinoma:
    death: {apoptosis: 0 1/min}
    cycle: {model: flow_cytometry_separated, exit: {G0G1: 0.01 1/min, S: 0.01 1/min, G2: 0.01 1/min, M: 0.01 1/min}}
    mechanics: {repulsion: 0 um/min, adhesion: 0 um/min}
    damage: {repair: 0.0139 1/min}
initial: [{cells: carcinoma, disc: {radius: 50 um}, count: 400}]
therapy: {doses: ["DRUG 1000 mg/m^2 over 3 day on day 0"], drugs: {DRUG: {effects: {carcinoma: RULES}}}}
"""


def damage_by_phase(drug):
    given = oc.drug(drug).effects["carcinoma"]
    rules = [r for r in given if "hypoxia" not in r and "stem" not in r and "contact" not in r]
    tissue = run(CYCLE.replace("DRUG", drug).replace("RULES", str(rules)), "12 h").tissue
    assert np.array_equal(tissue.cells["cycle.now"].argmax(axis=1), np.argmax(tissue.cells["cycle.now"] == 1.0, axis=1))
    phase = tissue.cells["cycle.phase"]
    return [tissue.cells["damage.rate"][phase == p].mean() for p in range(4)], phase


def test_gemcitabine_finds_cells_that_make_dna_and_paclitaxel_holds_them_in_mitosis():
    rate, _ = damage_by_phase("gemcitabine")
    assert rate[1] > 1.02 * max(rate[0], rate[2], rate[3]), "far above its half even a fifth is much"
    rate, phase = damage_by_phase("paclitaxel")
    assert rate[3] > 1.02 * max(rate[:3])
    assert (phase == 3).mean() > 0.8, "nobody leaves mitosis"


def test_a_type_without_these_phases_leaves_the_effect_out():
    model = oc.Model.from_text(PLAIN + CYCLE.replace("flow_cytometry_separated", "live").replace(
        "{G0G1: 0.01 1/min, S: 0.01 1/min, G2: 0.01 1/min, M: 0.01 1/min}", "0.01 1/min").replace("DRUG", "paclitaxel")
        .replace(", drugs: {paclitaxel: {effects: {carcinoma: RULES}}}", ""))  # fmt: skip
    told = [effect for effect, why in model.therapy.left_out if why == "its cycle has no such phase"]
    assert (
        len(told) == 4
        and (
            "carcinoma: contact with tumor_macrophage on sense.response.paclitaxel",
            "the model has no tumor_macrophage",
        )
        in model.therapy.left_out
    )
    assert not [p for p in model.problems if p.severity == "error"]


def test_drugs_that_are_given_are_made_by_somebody():
    doses = ["doxorubicin 60 mg/m^2 on day 0", "evofosfamide 340 mg/m^2 on day 1", "bevacizumab 5 mg/kg on day 1"]
    model = oc.load("reference").with_({"therapy.doses": doses})
    assert not [p for p in model.problems if "nobody makes" in p.message]
    assert model.therapy.adds == ("doxorubicin", "evofosfamide", "bevacizumab", "evofosfamide_active",
                                  "bevacizumab_vegfa")  # fmt: skip


def test_a_buffer_raises_the_ph_that_cells_feel():
    text = """
factors: {acid: {unit: mM, diffusion: 60000 um^2/min, decay: 0 1/min, initial: 10 mM}}
cells:
  tumor: {death: {apoptosis: 0 1/min}, acidity: {}, rules: ["acid increases death.apoptosis to 1e-9 1/min, half 20 mM"]}
initial: [{cells: tumor, disc: {radius: 50 um}, count: 20}]
therapy: {species: mouse, doses: ["bicarbonate DOSE over 24 h daily"]}
"""
    ph = [run(text.replace("DOSE", d), "12 h").tissue.cells["acidity.ph"].mean() for d in ("1e-9 mg", "2700 mg/kg")]
    assert ph[0] == pytest.approx(7.0, abs=0.01) and 0.1 < ph[1] - ph[0] < 0.3
