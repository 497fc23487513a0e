"""Arms that add drugs to a grown state: the control is the run that was never branched, arms share their chance."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import ModelError

GROWN = """
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
clock: {transport: 6 min, mechanics: 6 min}
until: 1 day
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min, decay: 0.1 1/min, boundary: 38 mmHg}
  vegfa: {unit: nM, diffusion: 1000 um^2/min, decay: 0.01 1/min, solver: backward-euler, mass: 40 kDa}
cells:
  tumor:
    cycle: {model: live, exit: 0.02 1/h}
    death: {apoptosis: 0.0002 1/min}
    secretion: {rate: {vegfa: 100 molecules/min}}
    rules: ["vegfa increases cycle.exit.live to 0.03 1/h, half 0.2 nM, hill 1"]
  killer: {death: {apoptosis: 0.00005 1/min}, motility: {speed: 2 um/min}, surface: {pd1: 100 1/um^2}}
initial:
  - {cells: tumor, disc: {radius: 60 um}, count: 40}
  - {cells: killer, disc: {radius: 90 um}, count: 20}
"""
TREATED = {"therapy.doses": ["pembrolizumab 200 mg every 3 weeks from day 1", "catcher 350 mg on day 1"],
           "therapy.drugs.catcher": {
               "class": "antibody", "factor": {"unit": "nM", "diffusion": "800 um^2/min", "mass": "149 kDa"},
               "plasma": {"human": {"central": "3 L", "clearance": "0.2 L/d"}},
               "neutralises": {"vegfa": {"affinity": "0.8 nM", "on": "0.06 1/nM/min"}}}}  # fmt: skip


@pytest.fixture(scope="module")
def arms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arms")
    model = oc.Model.from_text(GROWN)
    oc.run(model, "1 day", out=folder / "grown", progress=False)
    oc.run(model, "36 h", out=folder / "whole", progress=False)
    results = oc.branch(folder / "grown", {"control": {}, "treated": TREATED, "more": TREATED | {
        "therapy.doses": [*TREATED["therapy.doses"], "pembrolizumab 200 mg on day 1.2"]}},
        "36 h", out=folder / "arms", workers=1, progress=False)  # fmt: skip
    return folder, results


def test_the_control_is_the_run_that_was_never_branched(arms):
    folder, results = arms
    whole, control = oc.open(folder / "whole"), results["control"]
    a, b = whole.cells(36 * 60.0), control.cells(36 * 60.0)
    assert a.equals(b), "the same cells at the same places, bit by bit"
    assert len(a) > 40


def test_a_treated_arm_begins_where_the_run_was(arms):
    folder, results = arms
    grown, treated = oc.open(folder / "grown"), results["treated"]
    shared = list(grown.cells(1440.0).columns)
    first = treated.cells(treated.times[0])
    same = grown.cells(1440.0)
    assert treated.times[0] == 1440.0
    for name in ("id", "x", "y", "type"):
        if name in shared:
            assert np.array_equal(first[name].to_numpy(), same[name].to_numpy())
    s = treated.summary
    assert s["mean.vegfa"].iloc[-1] < 0.2 * results["control"].summary["mean.vegfa"].iloc[-1]
    assert s["plasma.pembrolizumab"].iloc[-1] > 300.0


def test_arms_are_paired(arms):
    """A second dose of what no rule hears changes nobody's chance: killers in both arms are where they were."""
    _, results = arms
    one, two = (results[name].cells(36 * 60.0) for name in ("treated", "more"))
    assert np.array_equal(one["id"], two["id"]) and np.allclose(one["x"], two["x"])
    assert results["more"].summary["plasma.pembrolizumab"].iloc[-1] > 1.5 * results["treated"].summary[
        "plasma.pembrolizumab"].iloc[-1]  # fmt: skip


def test_a_drug_that_was_given_stays(arms):
    folder, _ = arms
    with pytest.raises(ModelError, match="it changes the factors"):
        oc.branch(folder / "arms" / "treated", {"without": {"therapy.doses": [], "therapy.drugs": {}}}, "40 h")
