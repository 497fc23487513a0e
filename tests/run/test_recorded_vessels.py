"""Vessels, pressure of the fluid and stress in the store of a run."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import InputError

MODEL = """
oncarium: 1
name: Columns
domain: {x: [0 um, 300 um], y: [0 um, 300 um], thickness: 20 um, voxel: 20 um}
clock: {transport: 6 min, mechanics: 6 min, phenotype: 6 min}
record: {cells: 12 h, fields: 12 h}
factors:
  oxygen: {library: oxygen, decay: 5 1/min}
  vegfa: {library: vegfa, boundary: 0.8 nM}
cells: {tumor: {library: tumor_simple}}
initial: [{cells: tumor, disc: {center: [150 um, 150 um], radius: 60 um}, packing: hexagonal, spacing: 16 um}]
vessels:
  columns: {density: 90 1/mm^2 assumed, ring: {center: [150 um, 150 um], inner: 0 um, outer: 140 um}}
  sprouting: {}
  maturation: {}
  regression: {}
fluid: {lymph: {density: 1}, pressure: {}, stress: {}, drainage: {}}
"""


@pytest.fixture(scope="module")
def model():
    return oc.Model.from_text(MODEL)


@pytest.fixture(scope="module")
def result(model, tmp_path_factory):
    return oc.run(model, "2 day", out=tmp_path_factory.mktemp("run") / "run", seed=2)


def test_every_frame_has_its_vessels(result):
    first, last = result.vessels(0), result.vessels()
    assert len(first) == 10 and len(last) > len(first) and last.attrs["time"] == 2880.0
    assert set(first.id) <= set(result.vessels("36 h").id)
    assert last.attrs["units"]["flow"] == "nl/min" and last.attrs["units"]["oxygen"] == "mmHg"
    assert last.tip.sum() == result.summary["vessels.tips"].iloc[-1] > 0
    length = result.summary["vessels.length"]
    assert [result.vessels(t).length.sum() for t in result.times] == pytest.approx(length.tolist(), rel=1e-6)


def test_ends_of_segments_lie_where_they_were(model, result):
    graph = oc.Simulation(model, 2).tissue.vessels.graph
    first = result.vessels(0)
    a, b = graph.position[graph.ends[:, 0]], graph.position[graph.ends[:, 1]]
    assert first[["ax", "ay", "az"]].to_numpy() == pytest.approx(a) and first[
        ["bx", "by", "bz"]
    ].to_numpy() == pytest.approx(b)
    assert first.radius.to_numpy() == pytest.approx(graph.segments["radius"], rel=1e-6)


def test_pressure_and_stress_are_fields(result):
    pressure, stress = result.fields["fluid.pressure"], result.fields["fluid.stress"]
    assert pressure.shape == stress.shape == (5, 1, 15, 15)
    assert pressure.attrs["units"] == "mmHg" and stress.attrs["units"] == "kPa"
    assert float(pressure.isel(time=-1).mean()) == pytest.approx(result.summary["fluid.pressure"].iloc[-1], rel=1e-5)
    assert float(stress.isel(time=-1).max()) == pytest.approx(result.summary["fluid.highest_stress"].iloc[-1], rel=1e-5)
    assert "fluid.pressure" in list(result.fields) and "fluid.pressure" not in result.factors


def test_a_run_without_vessels_says_so(tmp_path):
    run = oc.run(oc.Model.from_text(oc.EXAMPLE), "1 h", out=tmp_path / "run")
    with pytest.raises(InputError, match="this tissue has no vessels"):
        run.vessels()


def test_a_run_goes_on_in_the_middle_of_sprouting_with_the_same_bytes(model, result, tmp_path):
    half = oc.run(model, "42 h", out=tmp_path / "half", seed=2, threads=2)
    tips = half.vessels().tip.sum()
    assert tips > 0
    whole = oc.resume(half.path.parent, "2 day")
    assert whole.digest == result.digest
    assert np.array_equal(whole.vessels().to_numpy(), result.vessels().to_numpy())
