"""The store: rows exist if and only if an index line counts them, whatever was written beside."""

import json
import os
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import zarr

from oncarium.errors import DataError
from oncarium.run import store as module
from oncarium.run.index import index_of, line_of, read_index
from oncarium.run.lock import Lock, boot, lock_of, started
from oncarium.run.store import Store

ARRAYS = {"numbers": ((), "f8", ("row",), (4,)), "pairs": ((2,), "i8", ("row", "axis"), (4, 2))}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.zarr"


@pytest.fixture
def store(path):
    return Store.create(path, {"format": "x"}, ARRAYS, {"group": {"a": 1}})


def test_rows_are_there_after_a_flush(store, path):
    store.add("numbers", np.arange(3.0))
    store.add("numbers", np.arange(3.0, 9.0))
    store.add("pairs", np.ones((2, 2)))
    assert store.length("numbers") == 9 and store.bytes_waiting == 9 * 8 + 4 * 8
    assert read_index(path) == []
    store.flush(5)
    assert store.bytes_waiting == 0
    store.add("numbers", np.array([9.0]))
    store.flush(7, finished=True)
    records = read_index(path)
    assert [{k: r[k] for k in ("lengths", "tick", "finished")} for r in records] == [
        {"lengths": {"numbers": 9, "pairs": 2}, "tick": 5, "finished": False},
        {"lengths": {"numbers": 10, "pairs": 2}, "tick": 7, "finished": True},
    ]
    assert [[n for n, _ in r["rows"].get("numbers", ())] for r in records] == [[3, 6], [1]] and set(
        records[0]["metadata"]
    ) == {"", "group", *ARRAYS}
    group = zarr.open_group(path, mode="r")
    assert group["numbers"][:].tolist() == list(range(10)) and group["group"].attrs["a"] == 1
    assert group["pairs"].metadata.dimension_names == ("row", "axis")


def test_what_was_added_may_change_afterwards(store):
    rows = np.arange(3.0)
    store.add("numbers", rows)
    rows[:] = -1.0
    store.flush(1)
    assert store.group["numbers"][:].tolist() == [0.0, 1.0, 2.0]


def test_nothing_new_is_no_new_line(store, path):
    store.flush(0)
    store.flush(0)
    assert len(read_index(path)) == 1


def test_rows_beyond_the_index_do_not_exist(store, path):
    """Written, but killed before the index line: the next writer starts where the index ends."""
    store.add("numbers", np.arange(6.0))
    store.flush(1)
    store._array("numbers").resize((11,))
    store._array("numbers")[6:] = 99.0
    again = Store.reopen(path)
    assert again.length("numbers") == 6 and again.group["numbers"].shape == (6,)
    again.add("numbers", np.array([6.0, 7.0]))
    again.flush(2)
    assert zarr.open_group(path, mode="r")["numbers"][:].tolist() == list(range(8))


@pytest.mark.parametrize(
    "whole, spoil",
    [
        (3, lambda lines: [*lines, b'{"tick": 9']),
        (2, lambda lines: [*lines[:2], lines[2][:-3] + b"zz\n"]),
        (2, lambda lines: [*lines[:2], b"\xff\n", lines[2]]),
    ],
    ids=["cut off", "checksum", "other bytes"],
)
def test_the_index_ends_at_its_first_damaged_line(store, path, whole, spoil):
    for tick in range(3):
        store.add("numbers", np.array([float(tick)]))
        store.flush(tick)
    lines = index_of(path).read_bytes().splitlines(keepends=True)
    index_of(path).write_bytes(b"".join(spoil(lines)))
    assert [r["tick"] for r in read_index(path)] == list(range(whole))
    again = Store.reopen(path)
    assert again.record["tick"] == whole - 1 and len(index_of(path).read_bytes().splitlines()) == whole


def test_any_changed_character_of_a_line_is_noticed(path):
    line = line_of({"lengths": {"a": 12}, "rows": {"a": [[12, 1]]}, "metadata": {}, "tick": 3, "finished": False})
    for k in range(len(line) - 1):
        index_of(path).write_text(line[:k] + ("0" if line[k] != "0" else "1") + line[k + 1 :])
        assert read_index(path) == [], f"character {k}"
    index_of(path).write_text(line)
    assert read_index(path)[0]["tick"] == 3


def test_without_an_index_there_is_nothing_to_go_on_from(store, path):
    with pytest.raises(DataError, match="index is missing"):
        Store.reopen(path)


@pytest.mark.parametrize("step", ["open_group", "rmtree", "rename"])
def test_a_new_store_takes_the_place_of_the_old_one_or_nothing_happens(store, path, monkeypatch, step):
    """A crash in between leaves the old frames with their index, or no index that counts rows which are gone."""
    store.add("numbers", np.arange(3.0))
    store.flush(1)

    def crash(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if step == "open_group":
            patch.setattr(zarr, step, crash)
        elif step == "rename":
            patch.setattr(module.Path, "rename", crash)
        else:
            patch.setattr(module, "folder_of", crash)
        with pytest.raises(KeyboardInterrupt):
            Store.create(path, {}, ARRAYS, {})
    if step == "open_group":
        assert Store.reopen(path).rows["numbers"][:].tolist() == [0.0, 1.0, 2.0]
    else:
        assert read_index(path) == []
    assert not path.with_suffix(".part").exists()
    Store.create(path, {}, ARRAYS, {})
    assert sorted(p.name for p in path.parent.iterdir()) == ["run.zarr"]


def test_a_failed_write_keeps_what_waits_and_what_was_there(store, path, monkeypatch):
    store.add("numbers", np.arange(3.0))
    store.flush(1)
    store.add("numbers", np.arange(3.0, 5.0))

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module.Store, "_sync", full)
        advice = "Everything up to tick 1 is kept. Make room. Then go on with:  oncarium resume"
        with pytest.raises(DataError, match=f"writing failed: No space left on device. {advice}"):
            store.flush(2)
    assert [r["tick"] for r in read_index(path)] == [1]
    store.flush(2)  # there is room again
    assert zarr.open_group(path, mode="r")["numbers"][:].tolist() == list(range(5))


def test_one_writer_at_a_time(path):
    lock = Lock(path)
    assert json.loads(lock_of(path).read_text())["pid"] == os.getpid()
    with pytest.raises(
        DataError, match=f"another run is writing here: process {os.getpid()} on {socket.gethostname()}"
    ):
        Lock(path)
    lock.release()
    Lock(path).release()
    assert not lock_of(path).exists()


HERE = {"host": socket.gethostname(), "pid": os.getpid(), "boot": boot(), "started": started(os.getpid())}


@pytest.mark.parametrize("age, taken", [(0.0, False), (60.0, False), (3600.0, True)])
def test_the_lock_of_another_machine_is_taken_over_when_its_heart_stopped(path, age, taken):
    lock_of(path).write_text(json.dumps({"host": "elsewhere", "pid": 4711, "boot": "x"}))
    os.utime(lock_of(path), (time.time() - age,) * 2)
    if taken:
        return Lock(path).release()
    with pytest.raises(DataError, match=rf"(?s)process 4711 on elsewhere.*Its lock is {lock_of(path)}.*--take-over"):
        Lock(path)
    Lock(path, take_over=True).release()
    assert not lock_of(path).exists()


@pytest.mark.parametrize("kernel", [True, False])
@pytest.mark.parametrize(
    "change, taken",
    [
        ({"pid": 999_999_999}, True),  # it died
        ({"boot": "before"}, True),  # the machine was started anew
        ({"started": "1"}, True),  # its number was given to another process
        ({}, None),  # this very process, which holds no lock of the kernel
    ],
)
def test_the_lock_of_this_machine_is_taken_over_when_its_process_is_gone(path, change, taken, kernel, monkeypatch):
    if not kernel:
        monkeypatch.setattr("oncarium.run.lock.lock_file", None)
    lock_of(path).write_text(json.dumps({**HERE, **change}))
    if taken or kernel:
        return Lock(path).release()
    with pytest.raises(DataError, match="another run is writing here"):
        Lock(path)


@pytest.mark.parametrize("kernel", [True, False])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"3",
        b"{",
        b"\xff\x00",
        b'{"pid": "x"}',
        b'{"host": 1, "pid": "x", "boot": []}',
        b'"text"',
        b"1e999",
    ],
)
def test_a_damaged_lock_is_no_lock(path, content, kernel, monkeypatch):
    if not kernel:
        monkeypatch.setattr("oncarium.run.lock.lock_file", None)
    lock_of(path).write_bytes(content)
    os.utime(lock_of(path), (time.time() - 3600.0,) * 2)
    Lock(path).release()
    assert not lock_of(path).exists()


def test_whose_lock_was_taken_over_notices_and_leaves_it(path):
    first = Lock(path)
    second = Lock(path, take_over=True)
    with pytest.raises(DataError, match="another run has taken this folder over"):
        first.beat(now=True)
    first.release()
    second.beat(now=True)
    assert lock_of(path).exists()
    lock_of(path).unlink()
    with pytest.raises(DataError, match="was deleted while the run was writing"):
        second.beat(now=True)
    second.release()


def test_the_heart_beats(path):
    lock = Lock(path)
    os.utime(lock_of(path), (0, 0))
    lock.beat()
    assert lock_of(path).stat().st_mtime == 0  # not yet
    lock.beat(now=True)
    assert time.time() - lock_of(path).stat().st_mtime < 60
    lock.release()


def test_a_lock_whose_process_was_killed_is_free_at_once(path):
    code = (
        "import sys, time; from pathlib import Path; from oncarium.run.lock import Lock;"
        " Lock(Path(sys.argv[1])); print(1, flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    holder.stdout.readline()
    with pytest.raises(DataError, match=f"process {holder.pid} on"):
        Lock(path)
    holder.kill()
    holder.wait()
    Lock(path).release()
