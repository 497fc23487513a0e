"""What is exported is what the run holds, to the digit, in every format; bad words are answered before anything is
written."""

import base64
import json
import sys
from xml.etree import ElementTree as xml

import numpy as np
import pandas as pd
import pytest

import oncarium as oc
from oncarium.errors import DataError, InputError, ModelError
from oncarium.exchange.formats import FORMATS

MODEL = """
oncarium: 1
title: For others
domain: {x: [-100 um, 100 um], y: [-80 um, 80 um], voxel: 20 um}
record: {cells: 30 min, fields: 60 min}
factors:
  oxygen: {unit: mmHg, diffusion: 1e5 um^2/min, decay: 0.1 1/min, boundary: 38 mmHg}
  signal: {unit: nM, diffusion: 1e3 um^2/min, decay: 0.1 1/min}
cells:
  tumor: {cycle: {model: flow_cytometry}, death: {apoptosis: 0.01 1/min}, secretion: {rate: {signal: 1e-3 fmol/min}}}
  cd8: {}
initial:
  - {cells: tumor, disc: {radius: 60 um}, count: 25}
  - {cells: cd8, disc: {radius: 60 um}, count: 6}
"""
SPACE = MODEL.replace("y: [-80 um, 80 um],", "y: [-80 um, 80 um], z: [-60 um, 60 um],")


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return oc.run(oc.Model.from_text(MODEL), "90 min", seed=3, out=tmp_path_factory.mktemp("export") / "run")


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    return oc.run(oc.Model.from_text(SPACE), 0, seed=3, out=tmp_path_factory.mktemp("export3") / "run")


def read(path, **how):
    """A table, with every digit."""
    return pd.read_csv(path, float_precision="round_trip", **how)


def all_cells(result):
    return pd.concat([result.cells(t).assign(time=t) for t in result.times], ignore_index=True)


# -- tables ------------------------------------------------------------------------------------------------------------


def test_the_tables_hold_the_run_to_the_digit(result, tmp_path):
    names = [p.name for p in oc.export(result, tmp_path / "out", "csv")]
    assert names == ["cells.csv", "columns.csv", "events.csv", "fields.csv", "summary.csv"]
    found, want = read(tmp_path / "out" / "cells.csv"), all_cells(result)
    assert len(found) == len(want) and (found["id"] == want["id"]).all()
    for name in ("x", "y", "z", "time"):
        assert np.array_equal(found[name], want[name]), name
    for name in ("radius", "volume.total", "sense.factor.oxygen"):
        assert np.array_equal(found[name].to_numpy(np.float32), want[name].to_numpy()), name
    assert found["type"].tolist() == want["type"].tolist() and found["dead"].tolist() == (want["vital"] > 0).tolist()
    assert set(found["state"]) == {"live", "apoptotic"}
    fields = read(tmp_path / "out" / "fields.csv").query("time == 60")
    there = result.fields["oxygen"].sel(time=60.0)
    assert np.array_equal(fields["oxygen"].to_numpy(np.float32), there.values.ravel().astype(np.float32))
    assert np.array_equal(fields["x"].to_numpy().reshape(there.shape)[0, 0], there["x"].values)
    summary = read(tmp_path / "out" / "summary.csv", index_col="time")
    assert np.allclose(summary, result.summary, rtol=1e-15, atol=0)
    assert len(read(tmp_path / "out" / "events.csv")) == len(result.events)


def test_every_column_has_its_unit(result, tmp_path):
    oc.export(result, tmp_path, "csv")
    about = read(tmp_path / "columns.csv").set_index(["table", "column"])
    for table in ("cells", "fields", "summary", "events"):
        assert list(about.loc[table].index) == list(read(tmp_path / f"{table}.csv").columns)
    for key, unit in {
        ("cells", "x"): "um", ("cells", "volume.total"): "um^3", ("cells", "sense.factor.signal"): "nM",
        ("fields", "oxygen"): "mmHg", ("summary", "mean.oxygen"): "mmHg", ("summary", "volume.tumor"): "um^3",
        ("summary", "time"): "min",
    }.items():  # fmt: skip
        assert about.loc[key, "unit"] == unit, key


def test_parquet_is_the_same_table(result, tmp_path):
    pytest.importorskip("pyarrow")
    oc.export(result, tmp_path, "csv")
    oc.export(result, tmp_path, "parquet")
    for table in ("cells", "fields", "summary", "events", "columns"):
        text, found = (
            read(tmp_path / f"{table}.csv", keep_default_na=table != "columns"),
            pd.read_parquet(tmp_path / f"{table}.parquet"),
        )
        assert list(found.columns) == list(text.columns)
        for name in text.columns:
            one, two = text[name], found[name]
            if one.dtype.kind == "f" and two.dtype.kind == "f":
                assert np.array_equal(one.to_numpy(two.dtype), two.to_numpy()), (table, name)
            else:
                assert one.fillna("").tolist() == two.fillna("").tolist(), (table, name)


def test_twice_the_same_bytes(result, tmp_path):
    for to in ("csv", "geojson", "vtk", "simularium"):
        for folder in ("one", "two"):
            oc.export(result, tmp_path / folder / to, to)
    files = [p for p in (tmp_path / "one").rglob("*") if p.is_file()]
    assert len(files) > 15
    for path in files:
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes(), path


def test_times_columns_and_types_are_chosen(result, tmp_path):
    oc.export(result, tmp_path, "csv", at=["30 min", 90], columns="volume.total", only="cd8")
    found = read(tmp_path / "cells.csv")
    assert sorted(set(found["time"])) == [30.0, 90.0] and set(found["type"]) == {"cd8"}
    assert list(found.columns)[-2:] == ["radius", "volume.total"]
    assert read(tmp_path / "summary.csv")["time"].tolist() == [30.0, 90.0]


# -- AnnData -----------------------------------------------------------------------------------------------------------


def test_h5ad_agrees_with_physicell_and_csv(result, tmp_path):
    anndata = pytest.importorskip("anndata")
    oc.export(result, tmp_path / "cells.h5ad")
    oc.export(result, tmp_path / "csv", "csv")
    oc.export(result, tmp_path / "snapshots", "physicell")
    data, table = anndata.read_h5ad(tmp_path / "cells.h5ad"), read(tmp_path / "csv" / "cells.csv")
    other = oc.open(tmp_path / "snapshots")
    assert np.array_equal(data.obsm["spatial"], table[["x", "y"]]) and list(data.obs["id"]) == list(table["id"])
    assert np.array_equal(data[:, "volume.total"].X[:, 0], table["volume.total"].to_numpy(np.float32))
    for t in result.times:
        rows = (data.obs["time"] == t).to_numpy()
        theirs = other.cells(t)
        assert np.array_equal(data.obsm["spatial"][rows], theirs[["x", "y"]])
        assert np.array_equal(data[rows, "volume.total"].X[:, 0], theirs["volume.total"].to_numpy(np.float32))
        assert data.obs["cell_type"][rows].tolist() == theirs["type"].tolist()


def test_h5ad_holds_all_times_and_links_none_of_them(result, tmp_path):
    anndata = pytest.importorskip("anndata")
    oc.export(result, tmp_path, "h5ad")
    data = anndata.read_h5ad(tmp_path / "cells.h5ad")
    assert data.obs_names.is_unique and list(data.obs["frame"].cat.categories) == [
        "0 min",
        "30 min",
        "60 min",
        "90 min",
    ]
    assert data.obs["sample"].unique().tolist() == ["For others, seed 3"]
    a, b = data.obsp["spatial_connectivities"].nonzero()
    assert len(a) and (data.obs["time"].to_numpy()[a] == data.obs["time"].to_numpy()[b]).all()
    gap = np.linalg.norm(data.obsm["spatial"][a] - data.obsm["spatial"][b], axis=1)
    assert np.allclose(data.obsp["spatial_distances"][a, b].A1, gap)
    assert list(data.uns["cell_type_colors"]) == [
        oc.plot.color_of(result, t) for t in data.obs["cell_type"].cat.categories
    ]
    assert set(data.obs.loc[data.obs["dead"], "state"]) == {"apoptotic"}


def test_neighbors_by_contact_and_distance(result):
    pytest.importorskip("anndata")
    near = result.to_anndata(0, neighbors=20.0)
    place, radius = near.obsm["spatial"], result.array("radius", 0).astype(float)
    gap = np.linalg.norm(place[:, None] - place, axis=2) + np.diag(np.full(len(place), np.inf))
    assert np.array_equal(near.obsp["spatial_connectivities"].toarray() > 0, gap <= 20.0)
    touch = result.to_anndata(0, neighbors="contact").obsp["spatial_connectivities"].toarray() > 0
    assert np.array_equal(touch, gap < 1.25 * (radius[:, None] + radius))


# -- pictures and films ------------------------------------------------------------------------------------------------


def test_ome_tiff_says_its_scale_and_masks_the_cells(result, tmp_path):
    tifffile = pytest.importorskip("tifffile")
    oc.export(result, tmp_path, "ome-tiff", at=["60 min"], pixel="0.5 um")
    with tifffile.TiffFile(tmp_path / "fields.ome.tif") as file:
        fields, about = file.asarray(), xml.fromstring(file.ome_metadata)
    there = np.stack([result.fields[name].sel(time=60.0).values for name in result.fields])
    assert np.array_equal(fields.reshape(2, 8, 10), there[:, 0, ::-1].astype(np.float32))
    name = "{http://www.openmicroscopy.org/Schemas/OME/2016-06}"
    pixels = next(about.iter(f"{name}Pixels"))
    assert (pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeXUnit")) == ("20.0", "µm")
    assert [c.get("Name") for c in about.iter(f"{name}Channel")] == ["oxygen (mmHg)", "signal (nM)"]
    mask, classes = tifffile.imread(tmp_path / "labels.ome.tif").squeeze(), read(tmp_path / "classes.csv")
    assert mask.shape == (320, 400) and set(np.unique(mask)) - {0} == set(classes["label"])
    cells = result.cells("60 min")
    for label, x, y, radius in zip(cells["id"] + 1, cells["x"], cells["y"], cells["radius"]):
        rows, columns = np.nonzero(mask == label)
        assert len(rows) * 0.25 <= np.pi * radius**2 * 1.05
        assert abs((columns.mean() + 0.5) * 0.5 - 100 - x) < 0.75 * radius
        assert abs(80 - (rows.mean() + 0.5) * 0.5 - y) < 0.75 * radius


def test_a_lone_cell_is_a_disc_of_its_area():
    from oncarium.exchange.ome_tiff import mask

    class Place:
        pixel, lower, size = 0.25, np.zeros(3), np.array([40.0, 30.0, 20.0])

        class result:
            is_2d = True

    table = pd.DataFrame({"id": [4], "x": [12.0], "y": [9.0], "z": [10.0], "radius": [6.0]})
    out = mask(Place, table, (1, 120, 160))
    assert set(np.unique(out)) == {0, 5}
    assert (out > 0).sum() * 0.25**2 == pytest.approx(np.pi * 36, rel=0.01)
    rows, columns = np.nonzero(out[0])
    assert (columns.mean() + 0.5) * 0.25 == pytest.approx(12.0) and 30 - (rows.mean() + 0.5) * 0.25 == pytest.approx(
        9.0
    )


def vtk_array(element):
    raw = base64.b64decode(element.text)
    kind = {"Float64": "<f8", "Float32": "<f4", "Int32": "<i4", "Int64": "<i8", "UInt8": "u1"}[element.get("type")]
    assert np.frombuffer(raw[:8], "<u8")[0] == len(raw) - 8
    return np.frombuffer(raw[8:], kind)


def test_vtk_files_hold_cells_and_fields(result, tmp_path):
    oc.export(result, tmp_path, "vtk")
    listed = xml.parse(tmp_path / "cells.pvd").getroot().findall(".//DataSet")
    assert [float(d.get("timestep")) for d in listed] == result.times.tolist()
    root = xml.parse(tmp_path / listed[2].get("file")).getroot()
    cells = result.cells(60.0)
    arrays = {e.get("Name"): vtk_array(e) for e in root.iter("DataArray")}
    assert np.array_equal(arrays["Points"].reshape(-1, 3), cells[["x", "y", "z"]])
    assert np.array_equal(arrays["radius"], cells["radius"]) and np.array_equal(arrays["id"], cells["id"])
    assert np.array_equal(arrays["volume.total (um^3)"], cells["volume.total"])
    field = xml.parse(tmp_path / "fields" / "fields_0001.vti").getroot()
    assert field.find("ImageData").get("WholeExtent") == "0 10 0 8 0 1"
    oxygen = next(vtk_array(e) for e in field.iter("DataArray") if e.get("Name") == "oxygen (mmHg)")
    assert np.array_equal(oxygen, result.fields["oxygen"].sel(time=60.0).values.ravel())


def test_geojson_has_outlines_in_pixels_from_the_top(result, tmp_path):
    oc.export(result, tmp_path / "cells.geojson", at="60 min", pixel="0.5 um", columns=["volume.total"])
    features = json.loads((tmp_path / "cells.geojson").read_text())["features"]
    cells = result.cells("60 min")
    assert len(features) == len(cells)
    for feature, (_, cell) in zip(features, cells.iterrows()):
        ring = np.array(feature["geometry"]["coordinates"][0])
        assert np.array_equal(ring[0], ring[-1])
        middle = ring[:-1].mean(axis=0) * 0.5
        assert middle == pytest.approx([cell["x"] + 100, 80 - cell["y"]], abs=1e-3)
        about = feature["properties"]
        assert about["classification"]["name"].split(":")[0] == cell["type"]
        assert about["measurements"]["volume.total (um^3)"] == pytest.approx(cell["volume.total"], rel=1e-6)


def test_simularium_has_every_cell_of_every_time(result, tmp_path):
    oc.export(result, tmp_path, "simularium")
    content = json.loads((tmp_path / "cells.simularium").read_text())
    info, frames = content["trajectoryInfo"], content["spatialData"]["bundleData"]
    assert info["version"] == 3 and info["totalSteps"] == len(result.times) == len(frames)
    scale = info["spatialUnits"]["magnitude"]
    for frame, t in zip(frames, result.times):
        rows, cells = np.array(frame["data"]).reshape(-1, 11), result.cells(t)
        assert np.allclose(rows[:, 3:6] * scale, cells[["x", "y", "z"]], atol=1e-4)
        assert np.allclose(rows[:, 9] * scale, cells["radius"], atol=1e-4)
        names = [info["typeMapping"][str(int(k))]["name"].partition("#")[0] for k in rows[:, 2]]
        assert names == cells["type"].tolist()


def test_tissue_in_space_goes_out_too(space, tmp_path):
    tifffile = pytest.importorskip("tifffile")
    pytest.importorskip("anndata")
    for to in ("csv", "h5ad", "ome-tiff", "vtk", "geojson", "simularium"):
        assert oc.export(space, tmp_path / to, to, pixel="4 um" if to == "ome-tiff" else None)
    mask = tifffile.imread(tmp_path / "ome-tiff" / "labels.ome.tif").squeeze()
    assert mask.shape == (30, 40, 50)
    cells = space.cells()
    inside = mask[
        tuple(
            np.floor(v / 4).astype(int).clip(0, n - 1)
            for v, n in zip((cells["z"] + 60, 80 - cells["y"], cells["x"] + 100), mask.shape)
        )
    ]
    assert (inside == cells["id"] + 1).mean() > 0.8  # others overlap


# -- where it goes, and what is refused --------------------------------------------------------------------------------


def test_left_out_it_lies_beside_the_run(result):
    written = oc.export(result, to="geojson", at=0)
    assert [p.relative_to(result.path.parent).as_posix() for p in written] == ["export/cells.geojson"]
    with pytest.raises(InputError, match="something lies here already"):
        oc.export(result, to="geojson", at=0)


@pytest.mark.parametrize(
    "words, said",
    [
        ({"to": "h5da"}, "Did you mean 'h5ad'"),
        ({}, "the format is not said"),
        ({"to": "csv", "at": "9 day"}, "outside the run"),
        ({"to": "csv", "at": "noon"}, "noon"),
        ({"to": "csv", "columns": "volume.totl"}, "Did you mean 'volume.total'"),
        ({"to": "csv", "only": "tumour"}, "Did you mean 'tumor'"),
        ({"to": "ome-tiff", "pixel": "0 um"}, "no size of a pixel"),
        ({"to": "ome-tiff", "pixel": "2 min"}, "Expected a length"),
        ({"to": "ome-tiff", "pixel": 1e-5}, "too many"),
        ({"to": "h5ad", "neighbors": "knn"}, "Expected delaunay"),
        ({"to": "csv", "pixel": 1}, "means nothing to csv"),
        ({"to": "physicell", "at": 0}, "physicell takes: no option"),
    ],
)
def test_bad_words_are_answered_before_anything_is_written(result, tmp_path, words, said):
    with pytest.raises((InputError, ModelError), match=said):
        oc.export(result, tmp_path / "out", **words)
    assert list(tmp_path.iterdir()) == []


def test_all_problems_at_once(result, tmp_path):
    with pytest.raises(ModelError) as told:
        oc.export(result, tmp_path / "out", "csv", at=["noon"], columns=["radios"], only=["tumour"])
    assert len(told.value.problems) == 3


def test_files_where_folders_are_wanted_and_several_files_for_one(result, tmp_path):
    with pytest.raises(InputError, match="expected a folder"):
        oc.export(result, tmp_path / "cells.csv", "csv")
    with pytest.raises(InputError, match="4 files do not fit into one"):
        oc.export(result, tmp_path / "all.geojson")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("to", sorted(set(FORMATS) - {"physicell", "spatialdata"}))
def test_a_full_disk_leaves_nothing(result, tmp_path, monkeypatch, to):
    import dataclasses
    import errno

    def full(selection, folder):
        (folder / "half").write_text("x")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(FORMATS, to, dataclasses.replace(FORMATS[to], write=full))
    with pytest.raises(DataError, match="No space left on device"):
        oc.export(result, tmp_path / "a" / "out", to)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "to, library, extra",
    [("h5ad", "anndata", "scverse"), ("parquet", "pyarrow", "parquet"), ("ome-tiff", "tifffile", "images"),
     ("spatialdata", "spatialdata", "spatialdata")],
)  # fmt: skip
def test_what_is_missing_is_said_with_its_command(result, tmp_path, monkeypatch, to, library, extra):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(
        InputError, match=rf"{library} is not installed. Install it:  pip install \"oncarium\[{extra}\]\""
    ):
        oc.export(result, tmp_path / "out", to)
    assert list(tmp_path.iterdir()) == []


def test_command_line(result, tmp_path, capsys, monkeypatch):
    from oncarium import cli

    def run(*words):
        monkeypatch.setattr("sys.argv", ["oncarium", "export", *map(str, words)])
        with pytest.raises(SystemExit) as done:
            cli.main()
        return done.value.code, capsys.readouterr()

    run_folder = result.path.parent
    code, said = run(
        run_folder, tmp_path / "t", "--to", "csv", "--at", "30 min", "--at", "90 min", "--only", "tumor,cd8"
    )
    assert code == 0 and "Wrote cells.csv, columns.csv" in said.out
    assert sorted(set(read(tmp_path / "t" / "cells.csv")["time"])) == [30.0, 90.0]
    code, said = run(run_folder, tmp_path / "t", "--to", "csv")
    assert code == 2 and "something lies here already" in said.err and "Traceback" not in said.err
    code, said = run("hypoxic_tumor", tmp_path / "x", "--to", "csv")
    assert code == 2 and "a model has no results" in said.err
    code, said = run("hypoxic_tumor", tmp_path / "x", "--to", "physicell", "--at", "1 h")
    assert code == 2 and "a model is written whole" in said.err
    code, said = run(run_folder, tmp_path / "one.simularium")
    assert code == 0 and (tmp_path / "one.simularium").exists()


def test_snapshots_of_physicell_go_out_too(result, tmp_path):
    oc.export(result, tmp_path / "snapshots", "physicell")
    oc.export(tmp_path / "snapshots", tmp_path / "csv", "csv")
    found = read(tmp_path / "csv" / "cells.csv")
    assert np.array_equal(found[["x", "y", "z"]], all_cells(result)[["x", "y", "z"]])
