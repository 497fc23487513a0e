"""What goes out comes in again: cells of a slide, exported and read as a slide, are the same cells."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import ModelError

DATA = Path(__file__).parent.parent / "data" / "scimap" / "exemplar_001.csv"
TEXT = """
domain: {x: [-140 um, 140 um], y: [-140 um, 140 um], voxel: 20 um}
record: {cells: 6 min, fields: 6 min}
factors: {oxygen: {unit: mmHg, diffusion: 100000 um^2/min, decay: 0.1 1/min, initial: 5 mmHg, boundary: 38 mmHg}}
cells: {tumor: {cycle: {model: live, exit: 0.01 1/min}, death: {apoptosis: 0.02 1/min}}, cd8: {}, other: {}}
initial: [%s]
"""
SLIDE = """{slide: exemplar_001.csv, columns: {nucleus: Area}, pixel: 0.65 um, types: {ECAD+: tumor, Immune: cd8},
  crop: {x: [1000 um, 1250 um], y: [1400 um, 1650 um]}}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("round")
    shutil.copy(DATA, folder)
    oc.run(oc.Model.from_text(TEXT % SLIDE, folder=folder), 0, seed=2, out=folder / "start")
    oc.run(oc.Model.from_text(TEXT % SLIDE, folder=folder), "12 min", seed=2, out=folder / "later")
    return folder


def again(folder, words, out):
    model = oc.Model.from_text(TEXT % words, folder=folder)
    return model, oc.run(model, 0, seed=2, out=out / "again").cells(0)


@pytest.mark.parametrize("name", ["cells.h5ad", "tables/cells.csv", "tables/cells.parquet"])
def test_cells_come_back_to_the_digit(folder, tmp_path, name):
    for library in ("anndata",) * (name.endswith("h5ad")) + ("pyarrow",) * name.endswith("parquet"):
        pytest.importorskip(library)
    kind = name.rpartition(".")[2]
    oc.export(folder / "start", tmp_path / (name if kind == "h5ad" else "tables"), kind)
    model, back = again(tmp_path, f"{{slide: {name}}}", tmp_path)
    start = oc.open(folder / "start").cells(0)
    assert 300 < len(start) == len(back)
    assert back["type"].tolist() == start["type"].tolist()
    for column in ("id", "x", "y", "z", "volume.total"):
        assert np.array_equal(back[column], start[column]), column
    assert np.allclose(back["radius"], start["radius"], rtol=2e-7, atol=0)  # of a volume kept with 24 bits
    assert not [p for p in model.problems if p.severity == "error"]


def test_labels_come_back_within_a_pixel(folder, tmp_path):
    pytest.importorskip("tifffile")
    oc.export(folder / "start", tmp_path / "masks", "ome-tiff", pixel="0.5 um")
    words = "{slide: masks/labels.ome.tif, classes: masks/classes.csv, origin: [140 um, 140 um]}"
    model, _ = again(tmp_path, words, tmp_path)
    start = oc.open(folder / "start").cells(0)
    rows = model.placements[0].rows
    assert [row[0] for row in rows] == start["type"].tolist()
    assert np.abs(np.array([row[1:3] for row in rows]) - start[["x", "y"]].to_numpy()).max() < 0.5
    volume = np.array(model.placements[0].values["volume.total", None])
    assert np.median(np.abs(np.cbrt(volume / start["volume.total"]) - 1.0)) < 0.02


def test_of_a_run_one_time_is_taken_without_the_dead(folder, tmp_path):
    oc.export(folder / "later", tmp_path / "tables", "csv")
    with pytest.raises(ModelError, match=r"it holds 3 times of a run, from 0.0 to 12.0 min.*only: \{time: 12.0\}"):
        again(tmp_path, "{slide: tables/cells.csv}", tmp_path)
    model, back = again(tmp_path, "{slide: tables/cells.csv, only: {time: 12}}", tmp_path)
    later = oc.open(folder / "later").cells(12)
    live = later[later["vital"] == 0]
    assert len(live) < len(later) and np.array_equal(back[["x", "y"]], live[["x", "y"]])
    dead = len(later) - len(live)
    assert any(f"{dead} cells that are dead there are left out" in p.message for p in model.problems)


def test_physicell_h5ad_and_csv_agree_to_the_digit(folder, tmp_path):
    anndata = pytest.importorskip("anndata")
    pd = pytest.importorskip("pandas")
    for kind in ("csv", "h5ad", "physicell"):
        oc.export(folder / "start", tmp_path / kind, kind)
    data = anndata.read_h5ad(tmp_path / "h5ad" / "cells.h5ad")
    table = pd.read_csv(tmp_path / "csv" / "cells.csv", float_precision="round_trip")
    theirs = oc.open(tmp_path / "physicell").cells(0)
    for k, axis in enumerate("xy"):
        assert np.array_equal(data.obsm["spatial"][:, k], table[axis]) and np.array_equal(table[axis], theirs[axis])
    volumes = [v.to_numpy(np.float32) for v in (table["volume.total"], theirs["volume.total"])]
    assert np.array_equal(*volumes) and np.array_equal(volumes[0], data[:, "volume.total"].X[:, 0])
