"""Snapshots: what is written is what was recorded, pcdl opens it, and it reads back as a Result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import DataError
from oncarium.exchange.physicell import mat, snapshot
from oncarium.exchange.physicell.moment import Moment

from .world import TEXT

COLUMNS = (
    "columns: [volume.total, volume.nuclear, volume.fluid, elapsed, cycle.phase, attack.target, springs.partner,"
    " sense.pressure]"
)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(result, folder of its snapshots, notices)."""
    parent = tmp_path_factory.mktemp("snapshots")
    model = oc.Model.from_text(TEXT.replace("fields: 30 min}", "fields: 30 min, " + COLUMNS + "}"))
    result = oc.run(model, "2 h", seed=3, out=parent / "run", threads=1)
    return result, parent / "out", snapshot.export(result, parent / "out")


def test_a_folder_holds_what_upstream_leaves(exported):
    result, folder, _ = exported
    for name in ("initial", "final", *(f"output{k:08d}" for k in range(len(result.times)))):
        graphs = (f"_{graph}.txt" for graph in snapshot.GRAPHS.values())
        for end in (".xml", "_cells.mat", "_microenvironment0.mat", *graphs):
            assert (folder / f"{name}{end}").exists()
    assert (folder / "initial_mesh0.mat").exists() and not list(folder.glob("*.part*"))


def test_columns_that_were_not_recorded_are_told(exported):
    _, _, notices = exported
    (told,) = (n for n in notices if n.startswith("not recorded"))
    assert "death.apoptosis" in told and "motility.speed" in told
    assert "volume.total" not in told and "position" not in told
    assert any("clocks" in n for n in notices), "what the settings beside them cannot say"


def test_pcdl_finds_the_settings_beside_them(exported):
    pcdl = pytest.importorskip("pcdl", reason="pcdl, the reader of these snapshots, is not installed")
    _, folder, _ = exported
    series = pcdl.TimeSeries(str(folder), verbose=False)
    assert [step.get_time() for step in series.get_mcds_list()] == [0.0, 30.0, 60.0, 90.0, 120.0]


def test_pcdl_reads_cells_and_substrates(exported):
    pcdl = pytest.importorskip("pcdl", reason="pcdl, the reader of these snapshots, is not installed")
    result, folder, _ = exported
    step = pcdl.TimeStep(str(folder / "output00000004.xml"), settingxml=None, verbose=False)
    assert step.get_time() == 120.0
    cells, ours = step.get_cell_df(), result.cells("2 h")
    assert cells.index.tolist() == ours["id"].tolist()
    assert cells["cell_type"].tolist() == ours["type"].tolist()
    for theirs, mine in (
        ("position_x", "x"),
        ("position_y", "y"),
        ("total_volume", "volume.total"),
        ("radius", "radius"),
    ):
        np.testing.assert_array_equal(cells[theirs], ours[mine])
    assert (cells["dead"] == (ours["vital"] > 0).to_numpy()).all()
    fields = step.get_conc_df()
    assert fields.shape[0] == 80
    np.testing.assert_allclose(
        fields["oxygen"].mean(), result.fields["oxygen"].sel(time=120).values.astype(float).mean(), rtol=1e-12
    )
    assert sorted(step.get_substrate_list()) == ["oxygen", "signal"]


def test_pcdl_reads_the_graphs(exported):
    pcdl = pytest.importorskip("pcdl", reason="pcdl, the reader of these snapshots, is not installed")
    result, folder, _ = exported
    step = pcdl.TimeStep(str(folder / "output00000004.xml"), settingxml=None, verbose=False)
    near = step.get_neighbor_graph_dict()
    cells = result.cells("2 h")
    position, reach = cells[["x", "y", "z"]].to_numpy(), 1.25 * cells["radius"].to_numpy(float)
    ids = cells["id"].to_numpy()
    for i in range(len(ids)):
        apart = np.sqrt(((position - position[i]) ** 2).sum(axis=1))
        assert near[ids[i]] == set(ids[(apart < reach + reach[i]) & (np.arange(len(ids)) != i)])
    held = step.get_spring_graph_dict()
    partner = result.array("springs.partner", "2 h")
    target = result.array("attack.target", "2 h")
    wanted = {
        (min(a, b), max(a, b)) for a, row in zip(ids, np.column_stack([partner, target])) for b in row if b in set(ids)
    }
    assert wanted and {(min(a, b), max(a, b)) for a in held for b in held[a]} == wanted


def test_it_opens_as_a_result(exported):
    result, folder, _ = exported
    again = oc.open(folder)
    assert (
        again.times.tolist() == result.times.tolist()
        and again.types == result.types
        and again.factors == result.factors
    )
    for t in again.times:
        for column in ("id", "type", "vital", "position", "radius", "volume.total", "elapsed", "attack.target"):
            np.testing.assert_array_equal(again.array(column, t), result.array(column, t), err_msg=column)
        live = result.array("vital", t) == 0  # the dead are in a phase of their death there
        np.testing.assert_array_equal(again.array("cycle.phase", t)[live], result.array("cycle.phase", t)[live])
    np.testing.assert_array_equal(again.fields["signal"].values, result.fields["signal"].values)
    assert (again.attrs["grid"], again.is_2d, again.seed) == (result.attrs["grid"], True, result.seed)
    for name in ("live.tumor", "apoptotic.tumor", "necrotic.tumor", "live.t cell"):
        np.testing.assert_array_equal(again.summary[name], result.summary[name])
    assert again.neighbors("2 h", "spring_attached_cells_graph").keys() == set(result.array("id", "2 h").tolist())


def test_figures_and_anndata_work_on_it(exported):
    pytest.importorskip("anndata", reason="anndata is not installed")
    _, folder, _ = exported
    again = oc.open(folder)
    assert oc.plot.tissue(again, "1 h").get_title(loc="left") == "1 h"
    oc.plot.field(again, "oxygen", "1 h")
    assert len(oc.plot.overview(again).axes) >= 9
    data = again.to_anndata("2 h")
    assert data.n_obs == len(again.cells("2 h")) and set(data.obs["cell_type"]) == {"tumor", "t cell"}
    assert set(data.obs["phase"][data.obs["cell_type"] == "tumor"]) <= {"G0G1", "S", "G2M"}
    assert set(data.obs["phase"][data.obs["cell_type"] == "t cell"]) == {"live"}, (
        "what has no cycle is written as living at rate 0"
    )
    assert data.var.loc["total_volume", "unit"] == "cubic microns" and data.var.loc["volume.total", "unit"] == "um^3"


def test_snapshots_are_not_overwritten(exported):
    result, folder, _ = exported
    with pytest.raises(oc.InputError, match="snapshots lie here already"):
        snapshot.export(result, folder)


def test_no_cells_make_a_table_without_columns(tmp_path):
    empty = oc.Model.from_text(oc.EXAMPLE.replace("count: 20", "count: 0"))
    snapshot.write(tmp_path, "output00000000", Moment.of_simulation(oc.Simulation(empty, seed=1, threads=1)))
    name, table = mat.read(tmp_path / "output00000000_cells.mat")
    assert name == "cells" and table.shape[0] == 0
    assert len(oc.open(tmp_path).cells()) == 0


def test_matrices_read_back_and_as_scipy_reads_them(tmp_path):
    from scipy.io import loadmat

    values = np.random.default_rng(0).normal(size=(5, 3))
    (tmp_path / "m.mat").write_bytes(mat.content("cells", values))
    np.testing.assert_array_equal(loadmat(tmp_path / "m.mat")["cells"], values.T)
    name, again = mat.read(tmp_path / "m.mat")
    assert name == "cells"
    np.testing.assert_array_equal(again, values)


def test_command_line(exported, tmp_path, capsys, monkeypatch):
    from oncarium import cli

    result, _, _ = exported
    monkeypatch.setattr(
        "sys.argv", ["oncarium", "export", str(result.path.parent), "--to", "physicell", str(tmp_path / "out")]
    )
    with pytest.raises(SystemExit) as done:
        cli.main()
    said = capsys.readouterr()
    assert (
        done.value.code == 0
        and "files into" in said.out
        and len(list((tmp_path / "out").glob("output*.xml"))) == 5
        and "not recorded" in said.err
    )
    monkeypatch.setattr(
        "sys.argv", ["oncarium", "export", str(result.path.parent), "--to", "physicel", str(tmp_path / "other")]
    )
    with pytest.raises(SystemExit) as done:
        cli.main()
    assert done.value.code == 2 and "Did you mean 'physicell'?" in capsys.readouterr().err


@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize(
    "last", ["initial.xml", "output00000001_cells.mat", "PhysiCell_settings.xml", "random_seed.txt"]
)
def test_what_cannot_be_written_whole_is_not_there(exported, tmp_path, monkeypatch, there, last):
    """A disk that is full at any file: nothing stays of the export, what lay in the folder does."""
    result, folder = exported[0], tmp_path / "out"
    if there:
        folder.mkdir()
        (folder / "mine.txt").write_text("mine")
    replace = Path.replace

    def full(part, path):
        if Path(path).name == last:
            raise OSError(28, "No space left on device")
        return replace(part, path)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DataError, match="No space left"):
        snapshot.export(result, folder)
    assert [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")] == (
        ["out", "out/mine.txt"] if there else []
    )
