"""Kill a run with SIGKILL at random moments of its life, resume it, again and again: python
validation/kill_and_resume/kill.py [kills]

Every kill is logged at once to log.csv: seconds after the start of the process, frames reported before and after, and
whether every reported frame still reads as in the uninterrupted run. result.txt compares the digests at the end.
"""

from __future__ import annotations

import csv
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "tests" / "run"))
from test_restart import MODEL, RUN  # noqa: E402

import oncarium as oc  # noqa: E402
from oncarium.run.index import read_index  # noqa: E402


def frames_of(folder: Path, whole: oc.Result) -> int:
    """How many frames are reported; raises AssertionError where one differs from the uninterrupted run."""
    if not (folder / "run.zarr").exists() or not read_index(folder / "run.zarr"):
        return 0
    result = oc.open(folder)
    for t in result.times:
        for name in ("position", "type", "volume.total"):
            assert np.array_equal(result.array(name, t), whole.array(name, t)), (name, t)
    return len(result.times)


def main(kills: int = 50) -> None:
    model = MODEL.replace("until: 8 h", "until: 12 h").replace("cells: 30 min", "cells: 6 min")
    chance = random.Random(2026)
    with tempfile.TemporaryDirectory() as place:
        began = time.monotonic()
        whole = oc.run(oc.Model.from_text(model), out=Path(place) / "whole", seed=5)
        longest = 3.0 + 4.0 * (time.monotonic() - began) / kills  # start-up, and a few shares of the run
        cut = Path(place) / "cut"
        with (HERE / "log.csv").open("w", newline="") as file:
            log = csv.writer(file)
            log.writerow(["kill", "seconds", "frames_before", "frames_after"])
            done, frames, ended = 0, 0, False
            while not ended:
                run = subprocess.Popen(
                    [sys.executable, "-c", RUN, str(cut), model], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
                )
                wait = chance.uniform(0.0, longest) if done < kills else 1e4
                try:
                    run.wait(wait)
                except subprocess.TimeoutExpired:
                    run.send_signal(signal.SIGKILL)
                    done += 1
                said = run.communicate()[1].decode()
                ended = run.returncode == 0
                assert ended or run.returncode == -signal.SIGKILL, said
                after = frames_of(cut, whole)
                assert after >= frames
                log.writerow([done, f"{wait:.2f}", frames, after])
                file.flush()
                frames = after
        digest = oc.open(cut).digest
        digests = f"digest of the killed run {digest}, of the uninterrupted run {whole.digest}"
        text = f"{done} kills, {frames} frames; {digests}\n"
        (HERE / "result.txt").write_text(text)
        print(text, end="")
        assert digest == whole.digest


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
