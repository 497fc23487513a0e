"""AnnData: every recorded number at its place, with units, and a file that reads back."""

import sys

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import InputError
from oncarium.model.model import Model
from oncarium.run.recorder import Recorder
from oncarium.run.simulation import Simulation

anndata = pytest.importorskip(
    "anndata", reason="anndata, the optional reader and writer of this format, is not installed"
)

MODEL = """
oncarium: 1
title: For scanpy
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
record:
  columns: [volume.total, cycle.phase, cycle.exit, sense.factor, secretion.rate, secretion.uptake,
            metabolism.consumption, attack.rate, attack.target, damage.level]
factors:
  oxygen: {unit: mmHg, diffusion: 1e5 um^2/min, decay: 0.1 1/min, boundary: 38 mmHg}
  signal: {unit: nM, diffusion: 1e3 um^2/min, decay: 0.1 1/min}
cells:
  tumor: {cycle: {model: flow_cytometry}, secretion: {rate: {signal: 1e-3 fmol/min}}}
  cd8: {attack: {rate: {tumor: 0.1 1/min}}}
initial:
  - {cells: tumor, disc: {radius: 60 um}, count: 20}
  - {cells: cd8, disc: {radius: 60 um}, count: 5}
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    model = Model.from_text(MODEL)
    simulation = Simulation(model, seed=3)
    path = tmp_path_factory.mktemp("data") / "run.zarr"
    recorder = Recorder(
        path, simulation, cells_every=60, fields_every=60, checkpoint_every=60, columns=model.record.columns
    )
    recorder.see(simulation)
    simulation.run("1 h", see=recorder.see)
    simulation.tissue.cells["vital"][:4] = [1, 2, 3, 0]
    simulation.tissue.cells["cycle.phase"][:4] = [0, 1, 2, 1]
    simulation.run(61, see=recorder.see)
    recorder.close(simulation)
    return oc.open(recorder.path)


@pytest.fixture(scope="module")
def data(result):
    return result.to_anndata()


def test_every_recorded_number_is_there(result, data):
    table = result.cells()
    assert data.shape == (len(table), len(data.var)) and data.X.dtype == np.float32
    for name in (
        "radius",
        "volume.total",
        "sense.factor.oxygen",
        "sense.factor.signal",
        "attack.rate.tumor",
        "damage.level",
    ):
        assert np.array_equal(data[:, name].X[:, 0], table[name].to_numpy(np.float32)), name
    left = set(table.columns) - set(data.var_names)
    # they are names, places and ids
    assert left == {"id", "type", "vital", "x", "y", "z", "cycle.phase", "attack.target"}


def test_cells_have_their_id_type_state_and_phase(result, data):
    table = result.cells()
    assert list(data.obs_names) == list(table["id"].astype(str)) and data.obs_names.is_unique
    assert list(data.obs["cell_type"]) == list(table["type"]) and list(data.obs["cell_type"].cat.categories) == [
        "tumor",
        "cd8",
    ]
    assert list(data.obs["state"].cat.categories) == ["live", "apoptotic", "necrotic"]
    assert data.obs["state"].tolist()[:4] == [
        ("live", "apoptotic", "necrotic", "necrotic")[v] for v in table["vital"][:4]
    ]
    assert data.obs["phase"].tolist()[:4] == [("G0G1", "S", "G2M")[p] for p in table["cycle.phase"][:4]]
    assert data.obs["phase"][table["type"].to_numpy() == "cd8"].isna().all()  # it has no cycle


@pytest.mark.parametrize(
    "name, unit",
    [
        ("radius", "um"),
        ("volume.total", "um^3"),
        ("cycle.exit.S", "1/min"),
        ("sense.factor.oxygen", "mmHg"),
        ("sense.factor.signal", "nM"),
        ("secretion.uptake.oxygen", "1/min"),
        ("metabolism.consumption.oxygen", "mmHg/min"),
        ("secretion.rate.signal", "fmol/min"),
        ("attack.rate.tumor", "1/min"),
        ("damage.level", "1"),
    ],
)
def test_every_number_has_its_unit(data, name, unit):
    assert data.var.loc[name, "unit"] == unit


def test_what_no_cell_of_the_model_does_is_no_number(data):
    assert not {"metabolism.consumption.signal", "secretion.rate.oxygen"} & set(data.var_names)


def test_places_are_where_squidpy_looks_for_them(result, data):
    table = result.cells()
    assert (
        np.array_equal(data.obsm["spatial"], table[["x", "y"]].to_numpy()) and data.obsm["spatial"].dtype == np.float64
    )
    assert data.uns["oncarium"]["spatial_unit"] == "um"


def test_places_in_space_have_three_numbers(tmp_path):
    model = Model.from_text(MODEL.replace("y: [-100 um, 100 um],", "y: [-100 um, 100 um], z: [-100 um, 100 um],"))
    data = oc.run(model, 0, 1, out=tmp_path).to_anndata()
    assert data.obsm["spatial"].shape == (25, 3) and np.ptp(data.obsm["spatial"][:, 2]) > 50.0


def test_it_says_where_it_comes_from(result, data):
    said = data.uns["oncarium"]
    assert said["title"] == "For scanpy" and said["time_min"] == 61.0 and said["seed"] == "3"
    assert said["model_digest"] == result.attrs["model_digest"] and said["version"] == oc.__version__


def test_a_time_is_chosen_as_everywhere(result):
    first = result.to_anndata("1 h")
    assert first.uns["oncarium"]["time_min"] == 60.0 and (first.obs["state"] == "live").all()
    with pytest.raises(InputError, match="outside the run"):
        result.to_anndata("1 day")


def test_a_file_reads_back_the_same(data, tmp_path):
    data.write_h5ad(tmp_path / "cells.h5ad")
    back = anndata.read_h5ad(tmp_path / "cells.h5ad")
    assert np.array_equal(back.X, data.X) and back.obs.equals(data.obs) and back.var.equals(data.var)
    assert np.array_equal(back.obsm["spatial"], data.obsm["spatial"])
    assert {k: str(v) for k, v in back.uns["oncarium"].items()} == {k: str(v) for k, v in data.uns["oncarium"].items()}


def test_no_cells_are_a_table_too(tmp_path):
    result = oc.run(
        Model.from_text(MODEL.replace("count: 20", "count: 0").replace("count: 5", "count: 0")), 0, out=tmp_path / "run"
    )
    data = result.to_anndata()
    assert data.n_obs == 0 and data.n_vars > 5
    data.write_h5ad(tmp_path / "none.h5ad")
    assert anndata.read_h5ad(tmp_path / "none.h5ad").shape == data.shape


def test_without_anndata_it_says_what_to_install(result, monkeypatch):
    monkeypatch.setitem(sys.modules, "anndata", None)
    with pytest.raises(InputError, match=r"oncarium\[scverse\]"):
        result.to_anndata()
