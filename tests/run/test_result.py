"""A result: everything that was seen, in its unit, at its time, and clear words where there is nothing."""

import hashlib
import json
import zlib

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import DataError, InputError
from oncarium.model.model import Model
from oncarium.run.index import index_of
from oncarium.run.result import Result
from oncarium.run.simulation import Simulation

MODEL = """
oncarium: 1
title: Two kinds
domain: {x: [-100 um, 100 um], y: [-80 um, 80 um], thickness: 20 um, voxel: 20 um}
until: 5 h
record: {cells: 1 h, fields: 2 h, checkpoint: 2 h}
factors:
  oxygen: {unit: mmHg, diffusion: 1e5 um^2/min, decay: 0.1 1/min, boundary: 38 mmHg}
  signal: {unit: nM, diffusion: 1000 um^2/min, decay: 0.01 1/min, initial: 0.5 nM}
cells:
  tumor:
    cycle: {model: flow_cytometry, exit: {G0G1: 0.005 1/min}}
    death: {apoptosis: 0.001 1/min}
    secretion: {uptake: {oxygen: 10 1/min}, rate: {signal: 100 molecules/min}}
  cd8: {motility: {speed: 2 um/min, sensitivity: {signal: 1}}, attack: {rate: {tumor: 0.05 1/min}}}
initial:
  - {cells: tumor, disc: {radius: 60 um}, packing: hexagonal}
  - {cells: cd8, disc: {radius: 70 um}, count: 8}
"""


@pytest.fixture(scope="module")
def model():
    return Model.from_text(MODEL)


@pytest.fixture(scope="module")
def tissues(model):
    """Copies of the tissue at every hour of a run that nobody recorded."""
    simulation = Simulation(model, seed=2)
    seen = {0.0: simulation.tissue.copy()}
    for hour in range(1, 6):
        simulation.run(60.0 * hour)
        seen[60.0 * hour] = simulation.tissue.copy()
    return seen


@pytest.fixture(scope="module")
def result(model, tmp_path_factory):
    return oc.run(model, out=tmp_path_factory.mktemp("result"), seed=2)


def test_frames_are_at_the_times_asked_for_and_at_the_end(result):
    assert result.times.tolist() == [0.0, 60.0, 120.0, 180.0, 240.0, 300.0]
    assert result.field_times.tolist() == [0.0, 120.0, 240.0, 300.0]
    assert result.finished and result.digest


def test_cells_are_those_of_the_tissue(result, tissues):
    for t, tissue in tissues.items():
        cells, order = tissue.cells, tissue.cells.order()
        for name in result.columns:
            wanted = cells[name][order]
            if wanted.dtype.kind == "f" and name != "position":
                wanted = wanted.astype(np.float32)  # places and ids are exact, all else single
            assert np.array_equal(result.array(name, t), wanted), name


def test_the_table_of_cells_has_one_row_per_cell_and_names_for_every_column(result, tissues):
    table = result.cells("5 h")
    cells = tissues[300.0].cells
    assert len(table) == cells.n and table.attrs["time"] == 300.0 and table["id"].is_monotonic_increasing
    for name in (
        "x",
        "y",
        "z",
        "type",
        "vital",
        "radius",
        "volume.total",
        "sense.factor.oxygen",
        "sense.factor.signal",
    ):
        assert name in table.columns
    assert list(table["type"].cat.categories) == ["tumor", "cd8"]
    assert (table["type"] == "cd8").sum() == (cells.type == 1).sum()
    assert np.array_equal(table["y"], cells.position[cells.order(), 1])
    few = result.cells("5 h", ["id", "type"])
    assert list(few.columns) == ["id", "type"] and few.equals(table[["id", "type"]])
    assert len(table[table["type"] == "cd8"]) + len(table[table["type"] == "tumor"]) == len(table)


@pytest.mark.parametrize(
    "t, frame", [(None, 5), (0, 0), ("2 h", 2), (125.0, 2), ("2.6 h", 3), (300, 5), ("0.2 day", 5)]
)
def test_a_time_finds_its_nearest_frame(result, t, frame):
    assert result.frame(t, result.times) == frame
    assert result.cells(t).attrs["time"] == result.times[frame]


@pytest.mark.parametrize("t", ["6 h", -60, 1e9])
def test_a_time_outside_the_run_is_refused(result, t):
    with pytest.raises(InputError, match="outside the run, which was seen from 0 min to 5 h"):
        result.cells(t)


@pytest.mark.parametrize("t", ["tomorrow", "3 um", float("nan")])
def test_what_is_no_time_is_refused(result, t):
    with pytest.raises(InputError):
        result.cells(t)


def test_an_unknown_column_is_answered_with_the_nearest(result):
    with pytest.raises(InputError, match=r"'raduis' was not recorded. Did you mean 'radius'\? Recorded: id, type"):
        result.array("raduis")


def test_fields_are_those_of_the_tissue_with_places_times_and_units(result, tissues):
    assert list(result.fields) == ["oxygen", "signal"] and len(result.fields) == 2
    assert result.factors == {"oxygen": "mmHg", "signal": "nM"}
    for k, name in enumerate(result.fields):
        data = result.fields[name]
        assert data.dims == ("time", "z", "y", "x") and data.shape == (4, 1, 8, 10)
        assert data.attrs["units"] == result.factors[name] and data.name == name
        assert data["time"].attrs["units"] == "min" and all(data[a].attrs["units"] == "um" for a in "xyz")
        assert data["x"].values.tolist() == list(np.arange(-90.0, 91.0, 20.0))
        assert data["y"].values.tolist() == list(np.arange(-70.0, 71.0, 20.0)) and data["z"].values.tolist() == [0.0]
        for t in result.field_times:
            assert np.array_equal(data.sel(time=t), tissues[t].fields.value[k].astype(np.float32))


def test_parts_of_a_field_are_read_as_the_whole(result):
    data = result.fields["signal"]
    whole = data.values
    assert data.sel(time=110.0, method="nearest")["time"] == 120.0
    assert float(data.sel(time=300.0, x=31.0, y=-29.0, z=0.0, method="nearest")) == whole[3, 0, 2, 6]
    assert np.array_equal(data.isel(time=[0, 2], x=slice(2, 5), y=3), whole[[0, 2], :, 3, 2:5])
    assert np.array_equal(data.isel(time=-1, x=[7, 1]), whole[-1][..., [7, 1]])
    assert np.array_equal(data.sel(time=slice(100, 250)), whole[1:3])
    assert np.array_equal(data.mean("x"), whole.mean(axis=3))


def test_fields_are_read_when_they_are_used(result, monkeypatch):
    read = []
    array = type(result.group["fields/0"])
    original = array.oindex.fget
    monkeypatch.setattr(array, "oindex", property(lambda self: read.append(1) or original(self)))
    data = result.fields["oxygen"].isel(time=1)
    assert not read
    assert data.values.shape == (1, 8, 10) and len(read) == 1


def test_an_unknown_factor_is_answered_with_the_nearest(result):
    with pytest.raises(
        InputError, match=r"no field is called 'oxgen'. Did you mean 'oxygen'\? This run has: oxygen, signal"
    ):
        result.fields["oxgen"]


def test_a_damaged_field_is_noticed(model, tmp_path):
    damaged = oc.run(model, "1 h", out=tmp_path)
    chunk = next(p for p in sorted((damaged.path / "fields" / "0" / "c").rglob("*")) if p.is_file())
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 4
    chunk.write_bytes(data)
    with pytest.raises(DataError, match="fields/0 is damaged: rows 0 to 0"):
        oc.open(tmp_path).fields["oxygen"].isel(time=0).values.sum()
    assert np.isfinite(oc.open(tmp_path).fields["oxygen"].isel(time=1)).all()


def test_the_summary_counts_what_the_frames_hold(result, tissues):
    summary = result.summary
    assert summary.index.tolist() == result.times.tolist() and summary.index.name == "time"
    for t, tissue in tissues.items():
        cells, row = tissue.cells, summary.loc[t]
        for k, name in enumerate(cells.types):
            mine = cells.type == k
            assert row[f"live.{name}"] == (mine & (cells["vital"] == 0)).sum()
            assert row[f"apoptotic.{name}"] == (mine & (cells["vital"] == 1)).sum()
            assert row[f"necrotic.{name}"] == (mine & (cells["vital"] > 1)).sum()
            assert row[f"volume.{name}"] == pytest.approx(cells["volume.total"][mine].sum(), rel=1e-13)
        for k, name in enumerate(tissue.fields.names):
            value = tissue.fields.value[k]
            assert [row[f"{s}.{name}"] for s in ("lowest", "highest")] == [value.min(), value.max()]
            assert row[f"mean.{name}"] == pytest.approx(value.mean(), rel=1e-14)


def test_the_log_of_events_accounts_for_every_cell(result):
    """Cells at the end = cells at the start + divisions - removals, and every event names cells that lived then."""
    events, summary = result.events, result.summary
    count = events["kind"].value_counts()
    assert count["division"] > 0 and count["apoptosis"] > 0 and count["attack"] > 0
    lost = count["removal"] + count["phagocytosis"] + count["fusion"]
    assert len(result.cells(0)) + count["division"] - lost == len(result.cells())
    for k, t in enumerate(result.times):
        so_far = events[events["time"] < t]["kind"].value_counts()
        for kind in result.attrs["events"]:
            assert summary[f"events.{kind}"].iloc[k] == so_far[kind]
    assert events["time"].is_monotonic_increasing and events["time"].between(0, 300).all()
    divisions = events[events["kind"] == "division"]
    assert divisions["cause"].is_unique and (divisions["cause"] > divisions["id"]).all()  # the daughter
    dead = set(result.cells().query("vital == 1")["id"]) | set(events[events["kind"] == "removal"]["id"])
    assert set(events[events["kind"] == "apoptosis"]["id"]) == dead


def test_where_a_result_comes_from(result, model):
    again = Model.from_text(result.model_yaml)
    assert again == model and result.attrs["model_digest"] == model.digest
    assert (result.title, result.seed, result.types, result.is_2d) == ("Two kinds", 2, ("tumor", "cd8"), True)
    assert set(result.attrs["versions"]) == {"oncarium", "python", "numpy", "numba", "zarr"}
    assert result.attrs["versions"]["oncarium"] == oc.__version__
    assert result.attrs["columns"]["radius"]["unit"] == "um"
    assert "Transport" in result.attrs["processes"] and result.attrs["grid"]["spacing"] == [20.0, 20.0, 20.0]
    straight = Simulation(again, seed=result.seed)
    straight.run("5 h")
    assert straight.digest() == result.digest


def test_words_about_a_result(result):
    said = str(result)
    assert said.startswith("Two kinds: 5 h, seed 2\n") and "tumor" in said and "mmHg" in said and "division" in said
    assert repr(result).startswith("<Result 'Two kinds', 6 frames to 5 h")


def test_a_run_can_be_read_while_it_is_written(model, result, tmp_path, monkeypatch):
    monkeypatch.setattr("oncarium.run.recorder.SECONDS", 0.0)
    seen = []

    def look(simulation):
        if simulation.tick % 50 == 0:
            now = oc.open(tmp_path)
            assert not now.finished and now.times[-1] == simulation.tick // 60 * 60
            assert now.cells().equals(result.cells(now.times[-1]))
            assert np.array_equal(now.fields["oxygen"], result.fields["oxygen"][: len(now.field_times)])
            assert now.events.equals(result.events[result.events["time"] < simulation.time])
            seen.append(now)

    final = oc.run(model, out=tmp_path, seed=2, see=look)
    assert len(seen) == 6 and final.digest == result.digest
    for early in seen:  # what was opened early stays what it was
        assert early.cells().equals(result.cells(early.times[-1]))


def test_nothing_but_a_run_is_opened(result, tmp_path):
    with pytest.raises(DataError, match="no run here"):
        oc.open(tmp_path / "nowhere")
    with pytest.raises(DataError, match="no result of a run"):
        oc.open(tmp_path)
    with pytest.raises(DataError, match="no result of a run"):
        Result.open(result.path / "cells" / "id")
    with pytest.raises(DataError, match="format"):
        Result.open(result.path / "cells")
    assert oc.open(result.path).digest == oc.open(result.path.parent).digest == oc.open(str(result.path)).digest


def test_a_run_without_a_finished_frame_says_so(model, tmp_path):
    oc.run(model, "1 h", out=tmp_path)
    index = index_of(tmp_path / "run.zarr")
    index.write_bytes(b"")
    with pytest.raises(DataError, match="no frame was finished"):
        oc.open(tmp_path)
    index.unlink()
    with pytest.raises(DataError, match="no frame was finished"):
        oc.open(tmp_path)


def test_any_zarr_reader_finds_its_way(result):
    """The layout that is promised: zarr 3 with names for every dimension, and a checksummed index line per flush."""
    root = json.loads((result.path / "zarr.json").read_text())
    assert root["zarr_format"] == 3 and root["attributes"]["format"] == "oncarium-run-2"
    assert (
        hashlib.sha256(result.model_yaml.encode()).hexdigest()
        == hashlib.sha256(root["attributes"]["model"].encode()).hexdigest()
    )
    for name, dimensions in {
        "cells/position": ["row", "xyz"],
        "fields/0": ["t", "c", "z", "y", "x"],
        "summary/live": ["frame", "what"],
    }.items():
        assert json.loads((result.path / name / "zarr.json").read_text())["dimension_names"] == dimensions
    ome = json.loads((result.path / "fields" / "zarr.json").read_text())["attributes"]["ome"]
    scale, shift = ome["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    assert (
        ome["version"] == "0.5"
        and scale["scale"] == [120.0, 1.0, 20.0, 20.0, 20.0]
        and shift["translation"] == [0.0, 0.0, 0.0, -70.0, -90.0]
    )
    for line in index_of(result.path).read_text().splitlines():
        text, _, check = line.rpartition(" ")
        assert f"{zlib.crc32(text.encode()):08x}" == check


def test_a_tissue_without_cells_is_a_result_too(tmp_path):
    empty = oc.run(Model.from_text(MODEL.rpartition("initial:")[0]), "1 h", out=tmp_path)
    assert (
        empty.finished
        and len(empty.cells()) == len(empty.events) == 0
        and empty.fields["oxygen"].shape == (2, 1, 8, 10)
    )
    assert list(empty.cells().columns)[:3] == ["id", "type", "x"] and (empty.summary["live.tumor"] == 0).all()


def test_nothing_at_all_is_a_result_too(tmp_path):
    """A domain without factors and cells."""
    empty = oc.run(
        Model.from_text("oncarium: 1\ndomain: {x: [0 um, 40 um], y: [0 um, 40 um], voxel: 20 um}\n"),
        "1 h",
        out=tmp_path,
    )
    assert len(empty.cells()) == 0 and list(empty.fields) == [] and empty.types == ()
    assert empty.finished and len(empty.events) == 0 and str(empty).startswith("A tissue: 1 h")


def test_words_of_a_result_for_notebooks(result):
    page = result._repr_html_()
    assert (
        page.count("<table>") == 2
        and "Two kinds: 5 h, seed 2" in page
        and "<td>tumor</td>" in page
        and "oxygen" in page
    )
    assert (
        repr(result.fields) == "<fields oxygen (mmHg), signal (nM)>" and "4 x 1 x 8 x 10" in result.fields._repr_html_()
    )


def test_titles_are_no_markup(tmp_path):
    odd = Model.from_text(MODEL.replace("Two kinds", "'a <b>bold</b> title'"))
    page = oc.run(odd, "10 min", out=tmp_path)._repr_html_()
    assert "&lt;b&gt;bold" in page and "<b>bold" not in page


def test_a_damaged_result_says_so_in_a_notebook(model, tmp_path):
    damaged = oc.run(model, "1 h", out=tmp_path)
    (damaged.path / "summary" / "live" / "zarr.json").write_text("{")
    assert "summary/live is damaged" in oc.open(tmp_path)._repr_html_()
