"""Kill a run with SIGKILL right before its n-th file operation, let it go on, and see that it ends as if nothing had
happened:

    python validation/kill_and_resume/at_operations.py [points] [seed]

A file operation is whatever changes the run's folder: a file opened for writing, renamed, removed or cut, a folder made
or removed (Python's audit events tell them). Points lie at every one of the first operations, in which a store comes to
be, and at random among the others; a third of the runs is killed once more while it goes on. operations.csv has a line
per point."""

from __future__ import annotations

import csv
import os
import random
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import oncarium as oc
from oncarium.errors import DataError

HERE = Path(__file__).parent
FIRST = 12  # operations at which every run is killed in turn, before points are drawn
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate")
MODEL = """
oncarium: 1
title: A small run
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
until: 4 h
record: {cells: 30 min, fields: 1 h, checkpoint: 1 h}
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min assumed, decay: 0.1 1/min assumed, boundary: 38 mmHg assumed}
cells:
  tumor: {cycle: {model: live, exit: 0.1 1/h assumed}, motility: {speed: 0.5 um/min assumed}}
initial:
  - {cells: tumor, disc: {radius: 50 um}, count: 20}
"""


def watch_operations(folder: Path, at: float) -> list[int]:
    """Count operations in a folder from now on; die before number `at`. Lasts as long as the process."""
    count = [0]

    def hook(event: str, arguments: tuple) -> None:
        if event == "open":
            if not isinstance(arguments[2], int) or not arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif event not in CHANGES:
            return
        if str(folder) in str(arguments[0]) or event == "os.truncate":
            count[0] += 1
            if count[0] >= at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    return count


def in_a_child(what: Callable[[], Any]) -> int:
    """Do something in a process of its own; its status as os.wait tells it."""
    child = os.fork()
    if not child:
        status = 1
        try:
            what()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


def begin(folder: Path) -> None:
    """Run, or go on with what lies there."""
    from oncarium.run import recorder

    seconds, recorder.SECONDS = recorder.SECONDS, 0.0  # every frame is written at once
    try:
        if (folder / "run.zarr").exists():
            oc.resume(folder, threads=1)
        else:
            oc.run(oc.Model.from_text(MODEL), seed=5, out=folder, threads=1)
    finally:
        recorder.SECONDS = seconds


def campaign(points: int, seed: int, place: Path) -> Iterator[tuple[int, int, bool, str]]:
    """(operation, operation of the second kill or 0, whether a frame was reported in between, digest) of so many
    runs."""
    begin(place / "whole")  # compiles what children need

    def count() -> None:
        counted = watch_operations(place / "counted", float("inf"))
        begin(place / "counted")
        (place / "count").write_text(str(counted[0]))

    assert in_a_child(count) == 0
    every, chance = int((place / "count").read_text()), random.Random(seed)
    drawn = [*range(1, min(FIRST, points) + 1), *(chance.randint(FIRST + 1, every) for _ in range(points - FIRST))]
    for number, at in enumerate(drawn):
        folder = place / f"run{number}"
        again = chance.randint(1, every // 2) if number % 3 == 2 else 0

        def killed(at: int, folder: Path = folder) -> None:
            watch_operations(folder, at)
            begin(folder)

        assert in_a_child(lambda at=at: killed(at)) == signal.SIGKILL
        if again:
            assert in_a_child(lambda again=again: killed(again)) in (0, signal.SIGKILL)
        try:
            reported = len(oc.open(folder).times) > 0
        except DataError:
            reported = False
        begin(folder)
        yield at, again, reported, oc.open(folder).digest


def main(points: int = 50, seed: int = 2026) -> None:
    with tempfile.TemporaryDirectory() as place, (HERE / "operations.csv").open("w", newline="") as file:
        log = csv.writer(file)
        log.writerow(["operation", "second_kill", "frames_reported", "digest"])
        rows = list(campaign(points, seed, Path(place)))
        log.writerows((a, b, int(c), d[:16]) for a, b, c, d in rows)
        digest = oc.open(Path(place) / "whole").digest
    same = sum(d == digest for *_, d in rows)
    print(
        f"{len(rows)} runs killed, {sum(b > 0 for _, b, *_ in rows)} of them twice;"
        f" {same} end with the digest of the uninterrupted run"
    )
    sys.exit(same != len(rows))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
