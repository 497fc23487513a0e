"""What cell types of the library do by several mechanisms together, each with the mechanism off."""

import numpy as np
import yaml

import oncarium as oc

GRADIENT = """
domain: {x: [-200 um, 200 um], y: [-100 um, 100 um], thickness: 20 um, voxel: 20 um}
factors:
  oxygen: {library: oxygen, michaelis: 2.5 mmHg, boundary: OXYGEN, initial: OXYGEN}
  ang2:
    {library: ang2, diffusion: 450 um^2/min, decay: 0 1/min, solver: quasi-steady,
     boundary: {xmin: 0 nM, xmax: 2 nM, ymin: no-flux, ymax: no-flux}}
matrix: {density: 0.3}
cells: {tumor_macrophage: {library: tumor_macrophage}, carcinoma: {library: carcinoma}}
initial: [{cells: tumor_macrophage, disc: {radius: 90 um}, count: 40}]
"""


def alone(text):
    """The reference with nothing in it but what the text says, and all its factors."""
    tree, given = dict(oc.load("reference").document.tree), yaml.safe_load(text)
    for part in ("vessels", "fluid", "represents", "body", "entry", "exit", "record"):
        tree.pop(part, None)
    factors = {**tree["factors"], **given.pop("factors", {})}
    return oc.Model.from_dict({**tree, **given, "factors": factors})


def drift(oxygen, tie2=True):
    """Mean way of macrophages along a gradient of ANG2 within a day, um."""
    model = alone(GRADIENT.replace("OXYGEN", oxygen))
    if not tie2:
        model = model.with_({"cells.tumor_macrophage.rules-": ["* on surface.tie2"]})
    simulation = oc.Simulation(model, seed=3)
    cells = simulation.tissue.cells
    before = dict(zip(cells.id.tolist(), cells.position[:, 0]))
    simulation.run("1 day")
    return np.mean([x - before[i] for i, x in zip(cells.id.tolist(), cells.position[:, 0]) if i in before])


def test_hypoxic_macrophages_follow_ang2_by_tie2():
    led = drift("2 mmHg")
    assert led > 60.0
    # by chance alone the mean of 40 macrophages is 9 um off (five seeds)
    assert abs(drift("2 mmHg", tie2=False)) < led / 3.0 and abs(drift("60 mmHg")) < led / 3.0


def test_cd8_t_cells_stop_dividing_after_some_divisions():
    """However long antigen keeps them active, a line ends; without the ceiling it does not."""
    text = """
oncarium: 1
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], thickness: 20 um, voxel: 20 um}
clock: {transport: 6 min, mechanics: 6 min, phenotype: 6 min}
cells:
  cd8_effector:
    cycle: {model: live, exit: 0.0004 1/min assumed}
    death: {apoptosis: 0 1/min}
    rules: [CEILING]
initial: [{cells: cd8_effector, disc: {radius: 20 um}, count: 1}]
"""
    cd8_effector = next(t for t in oc.load("reference").types if t.name == "cd8_effector")
    ceiling = next(r.text for r in cd8_effector.rules if r.signal[0] == "division.count")
    counts = {}
    for name, rule in (("on", ceiling), ("off", "time increases cycle.exit.live to 0.0004 1/min, half 1 min")):
        simulation = oc.Simulation(oc.Model.from_text(text.replace("CEILING", f'"{rule}"')), seed=1)
        simulation.run("10 day")
        counts[name] = simulation.tissue.cells
    assert 4.0 <= counts["on"]["division.count"].max() <= 8.0 and counts["on"].n <= 2**8
    assert counts["off"].n > counts["on"].n
