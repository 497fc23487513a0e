"""A store never lies: whatever happens to its files is told with the array's name, or changes nothing that is read."""

import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import DataError
from oncarium.model.model import EXAMPLE, Model
from oncarium.run.index import index_of, line_of, read_index, sums_of

SCRIPT = Path(__file__).parents[2] / "validation" / "damaged_stores" / "damage.py"


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A finished run of three hours: four frames, two checkpoints."""
    folder = tmp_path_factory.mktemp("base") / "run"
    oc.run(Model.from_text(EXAMPLE).with_({"record.checkpoint": "2 h"}), "3 h", 1, out=folder)
    return folder


@pytest.fixture
def copy(base, tmp_path):
    return Path(shutil.copytree(base, tmp_path / "copy"))


def chunks(folder, name):
    return sorted(p for p in (folder / "run.zarr" / name).rglob("*") if p.is_file() and p.name != "zarr.json")


@pytest.mark.parametrize(
    "name",
    [
        "cells/radius",
        "cells/position",
        "cells/id",
        "cells/time",
        "fields/0",
        "fields/time",
        "summary/live",
        "events/time",
    ],
)
def test_a_missing_chunk_is_told_and_never_read_as_zeros(copy, name):
    assert oc.open(copy).group[name][:].any()
    chunks(copy, name)[-1].unlink()
    with pytest.raises(DataError, match=f"{name} is damaged"):
        oc.open(copy).group[name][:]


def test_a_frame_in_the_place_of_another_is_told_and_the_frames_before_it_are_read(copy, base):
    frames = chunks(copy, "fields/0")
    assert len(frames) == 2
    shutil.copy(frames[0], frames[-1])
    found, whole = oc.open(copy).fields["oxygen"], oc.open(base).fields["oxygen"]
    assert np.array_equal(found.isel(time=0), whole.isel(time=0)) and not np.array_equal(whole[0], whole[-1])
    with pytest.raises(
        DataError, match=r"the frame at 3 h: fields/0 is damaged: rows 1 to 1 are not those that were written"
    ):
        found.isel(time=-1).values.sum()


@pytest.mark.parametrize(
    "said, other",
    [('"seed": 1', '"seed": 2'), ("tumor", "tumos"), ("0.04 1/h", "0.05 1/h"), ("oncarium-run-2", "oncarium-run-9")],
)
def test_an_edited_root_is_told(copy, said, other):
    root = copy / "run.zarr" / "zarr.json"
    assert said in root.read_text()
    root.write_text(root.read_text().replace(said, other))
    with pytest.raises(DataError, match="was changed since it was written|its format is"):
        oc.open(copy)


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{",
        "[]",
        "3",
        "null",
        '{"shape": 3}',
        '{"node_type": "array", "shape": []}',
        '{"zarr_format": 2}',
        "\x00",
    ],
)
def test_damaged_metadata_of_an_array_are_told_and_other_arrays_are_read(copy, base, content):
    file = copy / "run.zarr" / "summary" / "live" / "zarr.json"
    file.unlink() if content is None else file.write_text(content)
    result = oc.open(copy)
    with pytest.raises(DataError, match="summary/live"):
        str(result)
    assert result.cells().equals(oc.open(base).cells())
    with pytest.raises(DataError, match="summary/live"):
        oc.resume(copy, "4 h")


def test_the_root_of_another_format_of_zarr_is_no_run(copy):
    root = copy / "run.zarr" / "zarr.json"
    (copy / "run.zarr" / ".zgroup").write_text('{"zarr_format": 2}')
    root.rename(copy / "run.zarr" / "zarr.json.away")
    with pytest.raises(DataError, match="no result of a run"):
        oc.open(copy)


@pytest.mark.parametrize("change", ["left out", "moved", "doubled"])
def test_lines_of_the_index_that_do_not_follow_each_other_are_told(copy, change, caplog, monkeypatch):
    monkeypatch.setattr("oncarium.run.recorder.SECONDS", 0.0)
    shutil.rmtree(copy)
    oc.run(Model.from_text(EXAMPLE), "2 h", 1, out=copy)
    index = index_of(copy / "run.zarr")
    lines = index.read_text().splitlines(keepends=True)
    k = next(k for k, line in enumerate(lines) if k > 3 and '"cells/id": [[' in line)
    index.write_text(
        "".join(
            {
                "left out": lines[:k] + lines[k + 1 :],
                "doubled": lines[: k + 1] + lines[k:],
                "moved": [*lines[1:], lines[0]],
            }[change]
        )
    )
    try:
        result = oc.open(copy)
    except DataError as error:
        assert change == "moved" and "from the first line on" in str(error)
    else:
        assert "is damaged" in caplog.text and result.times.tolist() == ([0.0] if change == "left out" else [0.0, 60.0])


def test_lost_lines_of_the_index_are_told_by_the_checkpoint_and_made_up_for(copy, base, caplog, monkeypatch):
    """Frames that are not counted any more are written again, from a checkpoint that is not younger than they are."""
    whole = oc.open(base)
    index = index_of(copy / "run.zarr")
    index.write_text(index.read_text().splitlines(keepends=True)[0])
    cut = oc.open(copy)
    assert "lines of the index" in caplog.text and cut.times.tolist() == [0.0, 60.0, 120.0] and not cut.finished
    again = oc.resume(copy, "3 h")
    assert again.digest == whole.digest and again.summary.equals(whole.summary) and again.events.equals(whole.events)


def test_the_digest_of_a_finished_run_outlives_its_checkpoints(copy, base):
    shutil.rmtree(copy / "run.checkpoints")
    assert oc.open(copy).digest == oc.open(base).digest


def test_a_digest_that_was_changed_in_a_checkpoint_is_told(copy, caplog):
    from oncarium.run import checkpoint

    newest = sorted((copy / "run.checkpoints").iterdir())[-1]
    data = newest.read_bytes()
    at = data.index(b"\n") - 3
    newest.write_bytes(data[:at] + (b"0" if data[at : at + 1] != b"0" else b"1") + data[at + 1 :])
    assert checkpoint.newest(copy / "run.zarr")[0]["tick"] == 120 and "damaged" in caplog.text


def test_small_neighbors_in_one_chunk_share_a_checksum():
    rows = [np.arange(k, dtype=float) for k in (3, 0, 2, 4, 40_000)]
    assert [n for n, _ in sums_of(rows, 0, 1 << 20)] == [9, 40_000]  # too large together
    assert [n for n, _ in sums_of(rows[:4], 0, 5)] == [5, 4]  # a chunk ends in between
    assert [n for n, _ in sums_of(rows[:4], 1, 5)] == [3, 6]
    assert sums_of([np.arange(5.0)], 0, 8) == sums_of([np.arange(3.0), np.arange(3.0, 5.0)], 0, 8)


def test_a_line_must_be_sound_and_follow_the_one_before(tmp_path):
    path = tmp_path / "run.zarr"
    first = {"lengths": {"a": 2}, "rows": {"a": [[2, 5]]}, "tick": 1, "finished": False, "metadata": {}}
    second = {"lengths": {"a": 3}, "rows": {"a": [[1, 5]]}, "tick": 2, "finished": False}
    for records, good in (
        ([first, second], 2),
        ([second], 0),
        ([first, first], 1),
        ([first, {**second, "tick": 0}], 1),
        ([first, {"tick": 3}], 1),
        ([[1]], 0),
    ):
        index_of(path).write_text("".join(line_of(r) for r in records))
        assert len(read_index(path)) == good
    assert json.loads(line_of(first).rpartition(" ")[0]) == first


def test_thirty_damages_of_every_kind_are_told_or_harmless(tmp_path):
    """The whole campaign: validation/damaged_stores."""
    spec = importlib.util.spec_from_file_location("damage", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    found = script.campaign(30, 5, tmp_path)
    assert {what for _, what, _ in found} <= {"told", "harmless"}, found
    assert sum(what == "told" for _, what, _ in found) > 15
