"""The verbs: what they take, what they refuse, and that they refuse it before anything is written."""

from pathlib import Path

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import InputError, ModelError
from oncarium.model.model import EXAMPLE, Model
from oncarium.run.api import new_folder, store_of


@pytest.fixture(scope="module")
def model():
    return Model.from_text(EXAMPLE)


@pytest.mark.parametrize("name", oc.scenarios())
def test_every_scenario_is_without_fault(name):
    assert oc.check(name) == []
    assert oc.load(name).types and oc.load(name).name == name


def test_a_model_that_is_wrong_says_everything_at_once(tmp_path):
    file = tmp_path / "model.yaml"
    file.write_text(EXAMPLE.replace("0.04 1/h", "0.04 um").replace("count: 20", "count: -1"))
    problems = oc.check(file)
    assert [p.path for p in problems if p.severity == "error"] == ["cells.tumor.cycle.exit", "initial.0.count"]
    for verb in (oc.load, lambda path: oc.run(path, out=tmp_path / "out")):
        with pytest.raises(ModelError, match="2 problems"):
            verb(file)
    assert [p.name for p in tmp_path.iterdir()] == ["model.yaml"]


def test_what_is_neither_file_nor_scenario_is_answered_with_the_nearest():
    assert "Did you mean 'hypoxic_tumor'" in str(oc.check("hypoxic_tumour")[0])


@pytest.mark.parametrize("until", ["tomorrow", "-1 h", -5, "5 um", float("inf")])
def test_an_end_that_is_none_is_refused_before_anything_is_written(model, tmp_path, until):
    with pytest.raises(InputError, match="until"):
        oc.run(model, until, out=tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_out_of_range_is_refused(model, tmp_path, seed):
    with pytest.raises(InputError, match="seed"):
        oc.run(model, "1 min", seed, out=tmp_path / "out")


def test_the_largest_seed_runs(model, tmp_path):
    assert oc.run(model, "1 min", 2**63 - 1, out=tmp_path).seed == 2**63 - 1


def test_a_run_of_no_time_has_its_start(model, tmp_path):
    result = oc.run(model, 0, out=tmp_path)
    assert result.finished and result.times.tolist() == [0.0] and len(result.cells()) == 20
    assert len(result.cells(0)) == 20 and result.fields["oxygen"].shape[0] == 1
    with pytest.raises(InputError, match="outside the run"):
        result.cells("1 min")


def test_seed_and_end_are_the_models_where_they_are_left_out(model, tmp_path):
    result = oc.run(model.with_({"seed": 7, "until": "10 min"}), out=tmp_path)
    assert result.seed == 7 and result.times[-1] == 10.0


def test_runs_without_a_folder_are_numbered(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = [oc.run(model.with_({"name": "a b/c"}), "1 min").path for _ in range(2)]
    assert paths == [Path("runs/a_b_c/run.zarr"), Path("runs/a_b_c-2/run.zarr")]
    assert new_folder("...", tmp_path) == tmp_path / "run"


def test_a_run_in_the_way_is_not_touched_unless_allowed(model, tmp_path):
    first = oc.run(model, "1 h", 1, out=tmp_path)
    digest = first.digest
    with pytest.raises(InputError, match="already lies here"):
        oc.run(model, "1 h", 2, out=tmp_path)
    assert oc.open(tmp_path).digest == digest
    assert oc.run(model, "1 h", 2, out=tmp_path, overwrite=True).digest != digest


def test_see_is_called_after_every_tick(model, tmp_path):
    seen = []
    oc.run(model, "5 min", out=tmp_path, see=lambda simulation: seen.append(simulation.tick))
    assert seen == [1, 2, 3, 4, 5]


def test_an_error_in_see_leaves_what_was_seen(model, tmp_path):
    def see(simulation):
        if simulation.tick == 90:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        oc.run(model, "1 day", out=tmp_path, see=see)
    assert oc.open(tmp_path).times.tolist() == [0.0, 60.0] and not (tmp_path / "run.lock").exists()


def test_threads_do_not_show(model, tmp_path):
    digests = {oc.run(model, "2 h", 1, out=tmp_path / str(n), threads=n).digest for n in (1, 2, 4)}
    assert len(digests) == 1


def test_arms_of_a_branch_share_their_past_and_go_their_own_ways(model, tmp_path):
    first = oc.run(model, "2 h", 1, out=tmp_path / "first")
    arms = oc.branch(
        first.path.parent, {"control": {}, "fast": {"cells.tumor.cycle.exit": "1 1/h"}}, "6 h", out=tmp_path / "arms"
    )
    assert arms.arms == ["control", "fast"] and arms["fast"].path == tmp_path / "arms" / "fast" / "run.zarr"
    assert [r.times[0] for r in arms] == [120.0, 120.0]
    assert arms["control"].cells("2 h").equals(first.cells()) and len(arms["fast"].cells()) > len(
        arms["control"].cells()
    )
    other = oc.branch(first.path.parent, {"control": {}}, "6 h", out=tmp_path / "other", seed=9)["control"]
    assert other.seed == 9 and other.digest != arms["control"].digest
    with pytest.raises(InputError, match="other runs lie here"):
        oc.branch(first.path.parent, {"fresh": {}, "fast": {}}, "6 h", out=tmp_path / "arms")
    assert not (tmp_path / "arms" / "fresh").exists()


def test_a_branch_that_is_no_model_says_so_before_anything_is_written(model, tmp_path):
    first = oc.run(model, "10 min", out=tmp_path / "first")
    with pytest.raises(ModelError):
        oc.branch(
            first.path.parent, {"control": {}, "wrong": {"cells.tumor.cycle.exit": "1 um"}}, out=tmp_path / "arms"
        )
    assert not (tmp_path / "arms").exists()


def test_a_folder_and_its_store_are_the_same_run(model, tmp_path):
    oc.run(model, "1 min", out=tmp_path)
    assert store_of(tmp_path) == store_of(str(tmp_path)) == tmp_path / "run.zarr" == store_of(tmp_path / "run.zarr")


def test_cells_of_a_table_come_along_on_resume(tmp_path):
    (tmp_path / "cells.csv").write_text("x,y\n0,0\n10,0\n")
    text = EXAMPLE.replace("{cells: tumor, disc: {radius: 50 um}, count: 20}", "{cells: tumor, table: cells.csv}")
    model = Model.from_text(text, folder=tmp_path)
    oc.run(model, "30 min", 1, out=tmp_path / "run")
    straight = oc.run(model, "1 h", 1, out=tmp_path / "straight")
    (tmp_path / "cells.csv").unlink()
    resumed = oc.resume(tmp_path / "run", "1 h")
    assert resumed.digest == straight.digest and np.array_equal(resumed.array("id", 0), [0, 1])


def test_progress_is_shown_when_asked_for(model, tmp_path, capsys):
    oc.run(model, "30 min", out=tmp_path / "quiet")
    assert capsys.readouterr() == ("", "")
    shown = oc.run(model, "30 min", out=tmp_path / "shown", progress=True)
    out, err = capsys.readouterr()
    assert out == "" and "30 min of 30 min, 20 cells" in err and "A small tumor" in err
    assert shown.digest == oc.open(tmp_path / "quiet").digest


def test_progress_is_shown_in_a_notebook(model, tmp_path, monkeypatch):
    from oncarium.run import progress

    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    assert progress.Bar("", 1.0, None).shown and not progress.Bar("", 1.0, False).shown
    monkeypatch.undo()
    assert not progress.Bar("", 1.0, None).shown
