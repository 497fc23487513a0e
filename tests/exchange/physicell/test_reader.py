"""Reading output folders: what is damaged, missing or foreign is named."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import oncarium as oc
from oncarium.exchange.physicell import mat, snapshot
from oncarium.exchange.physicell.moment import Moment
from oncarium.exchange.physicell.reader import Snapshots

from .world import model


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Three snapshots, half an hour apart."""
    folder = tmp_path_factory.mktemp("original")
    simulation = oc.Simulation(model(), seed=3, threads=1)
    for k in range(3):
        simulation.run(30.0 * k)
        snapshot.write(folder, f"output{k:08d}", Moment.of_simulation(simulation))
    return folder


@pytest.fixture
def folder(original, tmp_path):
    return shutil.copytree(original, tmp_path / "output")


def test_times_come_from_the_files(folder):
    result = oc.open(folder)
    assert isinstance(result, Snapshots) and isinstance(result, oc.Result)
    assert result.times.tolist() == [0.0, 30.0, 60.0]
    assert result.frame("1 h", result.times) == 2
    with pytest.raises(oc.InputError, match="outside the run"):
        result.cells("3 h")


def test_the_original_labels_are_there_besides_ours(folder):
    cells = oc.open(folder).cells("1 h")
    assert {
        "type",
        "x",
        "volume.total",
        "attack.rate.t cell",
        "attack_rates.t cell",
        "death_rates.apoptosis",
        "secretion_rates.signal",
    } <= set(cells.columns)
    np.testing.assert_array_equal(cells["volume.total"], cells["total_volume"])
    assert set(cells["type"]) == {"tumor", "t cell"}


def test_a_last_snapshot_one_step_later_is_no_frame_of_its_own(folder):
    for file in folder.glob("output00000002*"):
        shutil.copy(file, folder / file.name.replace("output00000002", "final"))
    text = (folder / "final.xml").read_text().replace("output00000002", "final").replace("60.000000", "60.010000")
    (folder / "final.xml").write_text(text)
    result = oc.open(folder)
    assert result.times.tolist() == [0.0, 30.0, 60.0] and result.finished


def test_initial_alone_is_enough(folder):
    for file in folder.glob("output00000000*"):
        shutil.copy(file, folder / file.name.replace("output00000000", "initial"))
    (folder / "initial.xml").write_text((folder / "initial.xml").read_text().replace("output00000000", "initial"))
    for file in folder.glob("output*"):
        file.unlink()
    assert oc.open(folder).times.tolist() == [0.0]


def test_a_truncated_xml_is_named(folder):
    file = folder / "output00000001.xml"
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(oc.DataError, match=r"(?s)output00000001\.xml.*no complete XML"):
        oc.open(folder)


@pytest.mark.parametrize("end", ["_cells.mat", "_microenvironment0.mat"])
def test_missing_and_truncated_tables_are_named_and_the_others_can_be_read(folder, end):
    file = folder / f"output00000001{end}"
    content = file.read_bytes()
    read = (lambda r, t: r.cells(t)) if "cells" in end else (lambda r, t: r.fields["oxygen"].sel(time=t).values)
    for damage, said in (
        (content[: len(content) // 2], "cut short"),
        (b"abc", "cut short"),
        (b"\x01" * 100, "version 4"),
        (None, "cannot be read"),
    ):
        file.unlink(missing_ok=True)
        if damage is not None:
            file.write_bytes(damage)
        result = oc.open(folder)
        with pytest.raises(oc.DataError, match=said) as error:
            read(result, 30.0)
        assert file.name in str(error.value)
        read(result, 0.0)
        read(result, 60.0)


def test_a_table_that_does_not_fit_its_labels_is_named(folder):
    (folder / "output00000001_cells.mat").write_bytes(mat.content("cells", np.ones((4, 7))))
    with pytest.raises(oc.DataError, match=r"(?s)output00000001_cells\.mat.*7 rows"):
        oc.open(folder).cells(30.0)


def test_nothing_is_expanded_and_nothing_outside_is_opened(folder):
    file = folder / "output00000001.xml"
    text = file.read_text()
    file.write_text(text.replace("<MultiCellDS", '<!DOCTYPE x [<!ENTITY a "b">]><MultiCellDS', 1))
    with pytest.raises(oc.DataError, match="document type"):
        oc.open(folder)
    file.write_text(text.replace("output00000001_cells.mat", "../../secret.mat"))
    with pytest.raises(oc.DataError, match="outside its folder"):
        oc.open(folder).cells(30.0)


def test_what_snapshots_do_not_tell_is_said(folder):
    result = oc.open(folder)
    assert len(result.events) == 0 and result.summary["events.division"].isna().all()
    assert "live" in str(result) and "events" not in str(result)
    for ask in ("model_yaml", "digest"):
        with pytest.raises(oc.DataError):
            getattr(result, ask)
    with pytest.raises(oc.InputError, match="Did you mean"):
        result.array("total_volum")


def test_a_folder_without_snapshots(tmp_path):
    (tmp_path / "other.xml").write_text("<a/>")
    with pytest.raises(oc.DataError, match="no snapshot lies here"):
        oc.open(tmp_path)
    with pytest.raises(oc.DataError):
        oc.open(tmp_path / "nowhere")
