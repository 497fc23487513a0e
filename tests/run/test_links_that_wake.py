"""Links of the library that sleep in an untreated tissue, and cells that differ, each by hand."""

import numpy as np
import pytest
from scipy import stats

import oncarium as oc
from oncarium.biology.checkpoint import bound

TISSUE = """
include: bulk
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um]}
until: 12 min
entry: []
initial:
  - {cells: carcinoma, everywhere: {}, packing: hexagonal, spacing: 20 um, with: WITH}
  - {cells: tumor_macrophage, disc: {radius: 40 um}, count: MYELOID}
  - {cells: mdsc, disc: {radius: 40 um}, count: MYELOID}
"""


def tumor(tmp_path, changes=None, *, myeloid=8, damage=0.0, resistance=1.0, columns=()):
    """These columns of the tumor cells after two decisions."""
    text = TISSUE.replace("MYELOID", str(myeloid))
    text = text.replace("WITH", f"{{damage.level: {damage}, evolution.resistance: {resistance}}}")
    path = tmp_path / "piece.yaml"
    path.write_text(text)
    simulation = oc.Simulation(oc.load(path).with_(changes or {}), seed=1)
    simulation.run("12 min")
    cells = simulation.tissue.cells
    mine = (cells.type == cells.types.index("carcinoma")) & (cells["vital"] == 0)
    touching = cells["sense.contact"][mine]
    near = {k: touching[:, cells.labels("sense.contact").index(k)] for k in ("tumor_macrophage", "mdsc")}
    return {name: cells[name][mine] for name in columns}, near


def test_myeloid_cells_and_hypoxia_raise_the_rate_of_mutation(tmp_path):
    found, near = tumor(tmp_path, columns=("evolution.rate", "hypoxia.level"))

    def factor(signal, half, most):
        return 1 + (most - 1) * signal**2 / (half**2 + signal**2)

    expected = 0.005 * factor(found["hypoxia.level"], 0.6, 2.0)
    for n in near.values():
        expected = expected * factor(n.astype(float), 1.0, 3.0)
    # hypoxia has moved on by a step since the last decision
    np.testing.assert_allclose(found["evolution.rate"], expected, rtol=0.01)
    alone = (near["tumor_macrophage"] == 0) & (near["mdsc"] == 0)
    assert alone.any() and found["evolution.rate"][~alone].min() > 2 * 0.0049
    off, _ = tumor(tmp_path, {"cells.carcinoma.rules-": ["* on evolution.rate"]}, columns=("evolution.rate",))
    assert (off["evolution.rate"] == 0.005).all()


def test_resistant_clones_die_less_of_the_same_damage(tmp_path):
    def rate(resistance, changes=None):
        found, _ = tumor(
            tmp_path, changes, myeloid=0, damage=3.0, resistance=resistance, columns=("death.apoptosis", "damage.level")
        )
        return np.median(found["death.apoptosis"])

    held = [1 / (1 + (r / 3) ** 4) for r in (1.0, 3.0, 6.0)]
    rates = [rate(r) for r in (1.0, 3.0, 6.0)]
    np.testing.assert_allclose(np.array(rates[1:]) / rates[0], np.array(held[1:]) / held[0], rtol=1e-6)
    assert rates[0] > 0.005
    dropped = {"cells.carcinoma.rules-": ["evolution.resistance on *"]}
    assert rate(6.0, dropped) == rate(1.0, dropped)


def spread(kind, column):
    """Sigma of a behavior of a type in the reference."""
    varies = next(t for t in oc.load("reference").types if t.name == kind).varies
    return next(v.sigma for v in varies if v.name == column)


@pytest.mark.parametrize("ligand", [20.0, 150.0])
def test_a_blockade_of_pd1_is_no_cliff(ligand):
    """Mean brake of T cells that differ, before tumor cells that differ, at these shares of free PD-1."""
    z = stats.norm.ppf((np.arange(200) + 0.5) / 200)

    def lognormal(mean, sigma):
        return mean * np.exp(sigma * z - sigma**2 / 2)

    killers, targets = (
        lognormal(100.0, spread("cd8_effector", "surface.pd1")), lognormal(ligand, spread("carcinoma", "surface.pdl1")),
    )  # fmt: skip
    brakes = []
    for free in (1.0, 0.5, 0.25, 0.1, 0.05):
        b = np.array([[bound(free * p, t, 24.6) for t in targets] for p in killers])
        brakes.append(float((b**2 / (20.0**2 + b**2)).mean()))
    steps = -np.diff(brakes)
    assert (steps > 0.0).all() and steps.max() < 0.5 * (brakes[0] - brakes[-1])


def test_half_of_the_killers_do_little():
    """Of log-normal killers the lower half does less than a third of all damage."""
    for kind in ("cd8_effector", "nk"):
        sigma = spread(kind, "attack.damage_rate")
        share = stats.norm.cdf(-sigma)  # of the sum that those below the median make
        assert 0.2 < share < 0.33
