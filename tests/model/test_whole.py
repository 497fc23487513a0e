"""What is missing between the parts of a model is named before anything runs."""

import pytest

from oncarium.errors import ModelError
from oncarium.model.model import Model

BASE = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min, decay: 0.1 1/min, boundary: 38 mmHg}
  signal: {unit: nM, diffusion: 1000 um^2/min, decay: 0.1 1/min, michaelis: 1 nM}
cells:
  tumor:
    death: {apoptosis: 0 1/min}
    EXTRA
initial: [{cells: tumor, disc: {radius: 50 um}, count: 5}]
"""


def problems(extra):
    return Model(
        __import__("oncarium.model.files", fromlist=["parse"]).parse(BASE.replace("EXTRA", extra), "m")
    ).problems


@pytest.mark.parametrize(
    "extra, said",
    [
        ("motility: {speed: 1 um/min, sensitivity: {signal: 1}}", "nobody makes signal"),
        ("rules: ['signal increases motility.speed to 1 um/min, half 1 nM']", "nobody makes signal"),
        ("metabolism: {consumption: {signal: 1 nM/min}}", "nobody makes signal"),
    ],
)
def test_a_factor_that_nobody_makes(extra, said):
    found = problems(extra)
    assert [p.severity for p in found] == ["warning"] and said in str(found[0])


@pytest.mark.parametrize(
    "extra",
    [
        "secretion: {rate: {signal: 1 fmol/min}}\n    motility: {speed: 1 um/min, sensitivity: {signal: 1}}",
        "rules: ['oxygen increases secretion.rate.signal to 1 fmol/min, half 1 mmHg', 'signal increases "
        "motility.speed to 1 um/min, half 1 nM']",
        "motility: {speed: 1 um/min, sensitivity: {oxygen: 1}}",
        "",
    ],
)
def test_nothing_is_said_where_somebody_makes_it_or_nobody_asks(extra):
    assert problems(extra) == []


@pytest.mark.parametrize(
    "extra, said",
    [
        ("metabolism: {respiration: 0.7 mM/min}", "works on glucose, lactate, acid"),
        ("acidity: {}", "works on acid"),
        ("metabolism: {consumption: {oxygen: 1 mmHg/min}}", "has no concentration of half of it"),
        ("guidance: {optimum: 0.4}", "the model has no matrix"),
        ("matrix: {deposition: 0.1 1/min}", "the model has no matrix"),
    ],
)
def test_a_mechanism_without_what_it_works_on_is_refused(extra, said):
    with pytest.raises(ModelError, match=said):
        Model.from_text(BASE.replace("EXTRA", extra))


@pytest.mark.parametrize(
    "step, speed, noticed", [("30 min", 1.0, True), ("15 min", 1.0, False), ("30 min", 0.0, False)]
)
def test_steps_that_hold_many_turns_of_a_walk(step, speed, noticed):
    clock = f"clock: {{mechanics: {step}, transport: {step}, phenotype: {step}}}"
    extra = f"motility: {{speed: {speed} um/min, persistence: 5 min}}\n{clock}"
    found = [p for p in problems(extra) if p.path == "clock.mechanics"]
    assert [p.severity for p in found] == ["notice"] * noticed
    assert all("tumor (5 min)" in p.message and "15 min" in str(p) for p in found)
