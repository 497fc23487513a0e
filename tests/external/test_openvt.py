"""Eleven overlapping cells in a row relax as recorded in the OpenVT monolayer comparison."""

import xml.etree.ElementTree as ElementTree

import numpy as np

from helpers import add_cells, run, tissue_of
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.vital import radius_of
from oncarium.engine.fields import Grid

UNIT_OF_TIME = 88.7  # min, as recorded


def test_width_of_eleven_cells(cases):
    """Width over ten radii at every recorded time, with the recorded fixed steps."""
    folder = cases / "openvt_monolayer"
    settings = ElementTree.parse(folder / "user_projects_cells11_final_config_PhysiCell_settings.xml").getroot()
    number = {
        key: float(settings.find(f".//{key}").text) for key in ("dt_mechanics", "total", "cell_cell_repulsion_strength")
    }
    dt = number["dt_mechanics"]
    start = np.genfromtxt(
        folder / "user_projects_cells11_final_config_equilib_11cells_symm.csv", delimiter=",", skip_header=1
    )[:, :3]
    recorded = np.genfromtxt(folder / "results_pc_plot_11cells.csv", delimiter=",", names=True)
    mechanics = Mechanics(dt, method="adams-bashforth")
    tissue = tissue_of(
        [mechanics],
        Grid((-60, -15, -10), (20, 20, 20), (1, 2, 6)),
        base={
            "mechanics.adhesion": 0.0,
            "mechanics.repulsion": number["cell_cell_repulsion_strength"],
            "radius": radius_of(number["total"]),
        },
    )
    add_cells(tissue, start)
    widths, steps = [], 0
    for time in recorded["time"] * UNIT_OF_TIME:
        run([mechanics], tissue, (round(time / dt) - steps) * dt, dt)
        steps = round(time / dt)
        widths.append(np.ptp(tissue.cells.position[:, 0]) / 10.0)
    np.testing.assert_allclose(widths, recorded["width"], atol=1e-7, rtol=0.0)
    assert len(widths) > 50
