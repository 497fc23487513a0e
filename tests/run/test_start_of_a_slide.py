"""Before time 0 cells of a slide are pushed apart and factors come into balance; and it all goes on, anywhere."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import oncarium as oc
from oncarium.run.initial import overlapping
from oncarium.run.simulation import Simulation
from oncarium.study.ensemble import Task, packed, unpacked

DATA = Path(__file__).parent.parent / "data" / "scimap" / "exemplar_001.csv"
TEXT = """
domain: {x: [-140 um, 140 um], y: [-140 um, 140 um], voxel: 20 um}
until: 12 min
record: {cells: 6 min, fields: 6 min, checkpoint: 6 min}
factors: {oxygen: {unit: mmHg, diffusion: 100000 um^2/min, decay: 0.1 1/min, initial: 5 mmHg, boundary: 38 mmHg}}
cells: {tumor: {cycle: {model: live, exit: 0.01 1/min}, secretion: {uptake: {oxygen: 10 1/min}}}, cd8: {}}
initial:
  - slide: exemplar_001.csv
    columns: {nucleus: Area}
    pixel: 0.65 um
    crop: {x: [1000 um, 1250 um], y: [1400 um, 1650 um]}
    types: {ECAD+: tumor, Immune: cd8}
"""

SMALL = "domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}\ncells: {a: {}}\n"


@pytest.fixture()
def model(tmp_path):
    shutil.copy(DATA, tmp_path)
    return oc.Model.from_text(TEXT, folder=tmp_path)


def test_overlaps_are_relaxed_and_by_how_much_is_said(model, caplog):
    given = np.array([row[1:] for row in model.placements[0].rows])
    cells = Simulation(model, 1).tissue.cells
    moved = np.linalg.norm(cells.position - given, axis=1)
    before, after = (overlapping(p, cells["radius"]) for p in (given, cells.position))
    assert before > 0.5 and after < 0.05 and np.median(moved) < 4.0 and moved.max() < 30.0
    said = f"cells moved by {np.median(moved):.2g} um (median), at most {moved.max():.2g} um; {100 * before:.0f} % of"
    assert said in caplog.text
    assert (cells["velocity"] == 0.0).all() and (cells["mechanics.adhesion"] > 0.0).all()


def test_two_cells_are_pushed_to_where_they_only_touch(tmp_path):
    (tmp_path / "slide.csv").write_text("x_um,y_um,type\n0,0,a\n6,0,a\n100,0,a\n")
    words = SMALL + "initial: [{slide: slide.csv%s}]"
    cells = Simulation(oc.Model.from_text(words % "", folder=tmp_path), 1).tissue.cells
    x = cells.position[:, 0]
    assert x[2] == 50.0  # nobody touches it
    assert x[0] + x[1] == pytest.approx(-94.0) and 0.9 < (x[1] - x[0]) / (2.0 * cells["radius"][0]) < 1.0
    off = Simulation(oc.Model.from_text(words % ", relax: false", folder=tmp_path), 1).tissue.cells
    assert off.position[:, 0].tolist() == [-50.0, -44.0, 50.0]


def test_cells_without_room_are_told(tmp_path, caplog):
    rows = [f"{6 * i},{6 * j},a" for i in range(20) for j in range(20)]  # 16.8 um across, 6 um apart
    (tmp_path / "slide.csv").write_text("x_um,y_um,type\n" + "\n".join(rows))
    walls = SMALL.replace("100 um", "60 um")
    Simulation(oc.Model.from_text(walls + "initial: [{slide: slide.csv}]", folder=tmp_path), 1)
    covered = 400 * np.pi * 8.412710548**2 / (19 * 6 + 2 * 8.412710548) ** 2
    assert f"they have no room: cells of these sizes cover the slide {covered:.1f} times over" in caplog.text


def test_factors_are_in_balance_at_time_0(model):
    steady, given = Simulation(model, 1), Simulation(model.with_(start="given"), 1)
    assert (given.tissue.fields.value == 5.0).all() and steady.model.start == "steady"
    balanced = steady.tissue.fields.value.copy()
    assert 1.0 < np.ptp(balanced) and balanced.max() < 38.0
    for simulation in (given, steady):  # oxygen is fast: its first step ends in balance with the cells of time 0
        simulation.step()
        assert np.abs(simulation.tissue.fields.value - balanced).max() < 1e-3 * np.ptp(balanced)


def test_a_factor_without_a_balance_starts_as_it_is_given(model):
    closed = {"factors.oxygen.boundary": "no-flux", "factors.oxygen.decay": "0 1/min",
              "cells.tumor.secretion.uptake.oxygen": "0 1/min"}  # fmt: skip
    assert (Simulation(model.with_(closed), 1).tissue.fields.value == 5.0).all()


def test_a_plain_table_starts_as_it_always_did(tmp_path):
    (tmp_path / "cells.csv").write_text("x,y,type\n0,0,a\n6,0,a\n")
    simulation = Simulation(oc.Model.from_text(SMALL + "initial: [{table: cells.csv}]", folder=tmp_path), 1)
    assert simulation.tissue.cells.position[:, 0].tolist() == [0.0, 6.0] and simulation.model.start == "solved"


def test_a_run_goes_on_without_its_slide(model, tmp_path):
    whole = oc.run(model, out=tmp_path / "whole", seed=2)
    oc.run(model, "6 min", out=tmp_path / "half", seed=2)
    (tmp_path / "exemplar_001.csv").unlink()
    again = oc.resume(tmp_path / "half", "12 min")
    assert again.digest == whole.digest and "other" in again.types
    arms = oc.branch(tmp_path / "whole", {"control": {}, "slow": {"cells.tumor.cycle.exit": "0 1/min"}}, until="18 min")
    assert len(arms["control"].cells()) >= len(arms["slow"].cells()) > 0
    assert (arms["slow"].cells()["type"] == "other").sum() == (whole.cells(0)["type"] == "other").sum()


def test_a_task_carries_its_slide(model, tmp_path):
    task = Task.of(model, "6 min", 3)
    data = packed(model)
    (tmp_path / "exemplar_001.csv").unlink()
    assert unpacked(data, task, str(tmp_path / "there")) == ""
    assert oc.open(tmp_path / "there").attrs["model_digest"] == model.digest


def test_cells_come_back_from_anndata_where_they_were(model, tmp_path):
    anndata = pytest.importorskip("anndata")
    result = oc.run(model, 0, out=tmp_path / "run")
    result.to_anndata(0).write_h5ad(tmp_path / "start.h5ad")
    changed = {"initial": [{"slide": "start.h5ad"}]}
    again = model.with_(changed)
    one, two = result.cells(0), Simulation(again, 1).tissue.cells
    assert np.array_equal(one[["x", "y"]].to_numpy(), two.position[:, :2])
    assert one["type"].tolist() == [two.types[k] for k in two.type]
    assert np.allclose(one["volume.total"], two["volume.total"], rtol=1e-6)
    assert "pushed apart" not in again.describe()
    later = oc.run(model, "12 min", out=tmp_path / "later")
    both = anndata.concat([later.to_anndata(t) for t in (0, 12)], uns_merge="first", index_unique="-")
    both.obs["time"] = [0.0] * len(later.cells(0)) + [12.0] * len(later.cells(12))
    both.write_h5ad(tmp_path / "both.h5ad")
    with pytest.raises(oc.ModelError, match=r"it holds 2 times of a run, from 0.0 to 12.0 min. Expected one"):
        model.with_({"initial": [{"slide": "both.h5ad"}]})
    end = model.with_({"initial": [{"slide": "both.h5ad", "only": {"time": "12"}}]}).placements[0]
    assert np.allclose([row[1:3] for row in end.rows], later.cells(12).query("vital == 0")[["x", "y"]])
