"""What of a model's numbers is unusual: each kind with a number that is and one that is not."""

import pytest

import oncarium as oc
from oncarium.model.plausible import dish_level, plausible, protein_diffusion

TEXT = """
domain: {x: [-50 um, 50 um], y: [-50 um, 50 um], voxel: 20 um}
factors:
  il6: {unit: nM, diffusion: 2400 um^2/min assumed, decay: 0.01 1/min assumed, mass: 21 kDa assumed}
cells:
  tumor:
    cycle: {model: live, exit: 0.0005 1/min assumed}
    motility: {speed: 0.1 um/min assumed}
    secretion: {rate: {il6: 20 molecules/min assumed}, uptake: {il6: 0.1 1/min assumed}}
    rules: ["pressure increases motility.speed to 1 um/min, half 1 assumed"]
initial: [{cells: tumor, everywhere: {}, count: 2}]
"""


def odd(**changes):
    model = oc.Model.from_text(TEXT).with_({k.replace("__", "."): v for k, v in changes.items()})
    return [c.path for c in plausible(model) if not c.usual]


def test_usual_numbers_are_usual():
    assert odd() == []


@pytest.mark.parametrize(
    "path, value",
    [
        ("factors.il6.diffusion", "100 um^2/min"),
        ("factors.il6.diffusion", "20000 um^2/min"),
        ("factors.il6.decay", "100 1/min"),
        ("cells.tumor.secretion.rate.il6", "0.01 molecules/min"),
        ("cells.tumor.secretion.rate.il6", "3e4 molecules/min"),
        ("cells.tumor.secretion.uptake.il6", "500 1/min"),
        ("cells.tumor.motility.speed", "40 um/min"),
    ],
)
def test_an_unusual_number_is_told(path, value):
    assert odd(**{path.replace(".", "__"): value}) == [path]


def test_the_end_of_a_rule_counts_and_so_does_the_whole_cycle():
    rule = ["pressure increases motility.speed to 60 um/min, half 1 assumed"]
    assert odd(cells__tumor__rules=rule) == ["cells.tumor.motility.speed"]
    assert odd(cells__tumor__cycle__exit="0.01 1/min") == ["cells.tumor.cycle.exit"]


def test_closed_forms():
    # bovine serum albumin in the gel law: radius 3.35 nm by its mass; a million cells, 1 molecule a minute of 1 kDa
    assert protein_diffusion(66.5)[1] == pytest.approx(3.152e-6 * 3.3426**-1.294 / 1.96 * 6e9, rel=1e-3)
    assert dish_level(1e15 / 6.02214076e23, 1.0) == pytest.approx(1e6 * 1440 / 6.02214076e23 * 1e3 * 1e12)


def test_the_command():
    from typer.testing import CliRunner

    from oncarium.cli import app

    done = CliRunner().invoke(app, ["check", "hypoxic_tumor", "--plausible"])
    assert done.exit_code == 0 and "held against what is known" in done.output
