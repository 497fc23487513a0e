"""Cells without proteases squeeze: the level by its closed form, who switches, who comes through which pores."""

import math

import numpy as np
import pytest

import oncarium as oc
from oncarium.biology.matrix.guidance import pores, speed_factor

TEXT = """
domain: {x: [-300 um, 300 um], y: [-300 um, 300 um], voxel: 20 um}
clock: {transport: 6 min, mechanics: 6 min, phenotype: 6 min}
until: 2 day
factors: {mmp: {unit: "1", diffusion: 0 um^2/min, decay: 0 1/min, initial: "MMP"}}
matrix: {density: RHO, hyaluronan: HA}
cells:
  carcinoma:
    cycle: {model: live, exit: 0 1/min}
    death: {apoptosis: 0 1/min}
    mechanics: {repulsion: 10 um/min, adhesion: 0.4 um/min}
    motility: {speed: 0.4 um/min, persistence: 15 min}
    guidance: {optimum: 0.5, least: 0.3, pore: 12 um^2, lysis: 0}
    secretion: {rate: {mmp: 0 um^3/min}}
    emt: {rise: 0 1/min, fall: 0 1/min}
    amoeboid: {rise: 0.00003 1/min, fall: 0.001 1/min}
    rules: RULES
initial: [{cells: carcinoma, everywhere: , count: 60, with: {emt.level: EMT}}]
"""


def library_rules():
    """The sentences of the library's carcinoma about it."""
    rules = next(t for t in oc.load("reference").types if t.name == "carcinoma").rules
    return [r.text for r in rules if "amoeboid" in r.text or r.text.startswith("mmp increases guidance.lysis")]


def run(mmp=0.0, rho=0.5, hyaluronan=0.0, emt=1.0, rules=None, until="2 day"):
    text = TEXT
    rules = library_rules() if rules is None else rules
    for word, said in (("MMP", mmp), ("RHO", rho), ("HA", hyaluronan), ("EMT", emt), ("RULES", rules)):
        text = text.replace(word, str(said))
    simulation = oc.Simulation(oc.Model.from_text(text), seed=1)
    start = simulation.tissue.cells.position.copy()
    simulation.run(until)
    cells = simulation.tissue.cells
    return cells, np.linalg.norm(cells.position - start, axis=1).mean()


def test_without_proteases_invasive_cells_switch_within_a_day_and_return_with_them():
    rise, fall = 0.00003 + (0.003 - 0.00003) / (1 + 0.4**4), 0.001  # no lysis, EMT 1
    goal = rise / (rise + fall)
    for days in (0.25, 2):
        cells, _ = run(until=f"{days} day")
        expected = goal * (1 - math.exp(-(rise + fall) * (days * 1440)))
        assert cells["amoeboid.level"] == pytest.approx(expected, abs=0.02)
    assert goal > 0.7
    epithelial, _ = run(emt=0.0)
    assert epithelial["amoeboid.level"].max() < 0.05, "who does not invade does not switch"
    cutting, _ = run(mmp=1.0)
    assert cutting["guidance.lysis"].min() > 0.85 and cutting["amoeboid.level"].max() < 0.15


def test_who_squeezes_fits_through_narrower_pores_and_is_held_less():
    cells, _ = run()
    level = cells["amoeboid.level"][0]
    response = (level / 0.4) ** 4 / (1 + (level / 0.4) ** 4)
    assert cells["guidance.pore"] == pytest.approx(12 + (7 - 12) * response, abs=0.05)
    assert cells["mechanics.adhesion"] == pytest.approx(0.4 * (1 - response), abs=0.01)
    assert 7.0 < cells["guidance.pore"][0] < 7.6


def test_invasion_without_proteases_goes_on_where_pores_are_wide_and_nowhere_else():
    """Pores of 7 um^2 lie between those of a matrix of density 0.45 (9) and of 0.65 (3.7); hyaluronan narrows them."""
    assert pores(0.45, 0.0) > 7.0 > pores(0.65, 0.0) and pores(0.45, 1.0) < 7.0
    stuck = [r for r in library_rules() if "guidance.pore" not in r]
    wide, switched_off, dense, swollen = (
        run(**k)[1]
        for k in ({"rho": 0.45}, {"rho": 0.45, "rules": stuck}, {"rho": 0.65}, {"rho": 0.45, "hyaluronan": 1})
    )
    assert wide > 3 * switched_off and wide > 5 * dense and wide > 2 * swollen
    assert run(rho=0.65, mmp=1.0)[1] > 5 * dense, "who cuts comes through"
    assert speed_factor(0.45, 0.5, 0.3, pores(0.45, 0.0), 12.0, 0.0) < 0.1
