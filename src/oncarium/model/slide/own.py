"""Cells that Oncarium itself exported: in um, y up, and back where they were."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .opened import Opened, refuse
from .words import Words

if TYPE_CHECKING:
    import pandas

VOLUME = "volume.total"
FIRST = ["time", "id", "type", "state", "dead"]  # how the header of an exported table begins
PLACES = {"x": "x", "y": "y", "z": "z", "type": "type"}


def is_own(frame: pandas.DataFrame) -> bool:
    """Whether a table has the header of `oncarium export --to csv`."""
    return list(frame.columns[: len(FIRST)]) == FIRST and {"x", "y", "z", "radius"} <= set(frame.columns)


def own(path: Path, frame: pandas.DataFrame, words: Words, kind: str, columns: Mapping[str, str]) -> Opened:
    """The living cells of one time, with their volumes. Raises ModelError where it holds several and none is chosen."""
    times = list(dict.fromkeys(frame["time"].astype(str))) if "time" in frame else []
    if len(times) > 1 and "time" not in words.only:
        refuse(
            path, f"it holds {len(times)} times of a run, from {times[0]} to {times[-1]} min.", "Expected one.",
            f"Take one:  only: {{time: {times[-1]}}}",
        )  # fmt: skip
    notes: list[str] = []
    if "state" in frame:
        from ..rows import number_in

        here = np.ones(len(frame), bool)
        if len(times) > 1:
            chosen = number_in(words.only["time"])
            here = np.array([number_in(t) == chosen for t in frame["time"].astype(str)])
        dead = (frame["state"] != "live").to_numpy()
        if (here & dead).any():
            notes.append(f"{int((here & dead).sum()):,} cells that are dead there are left out")
        frame = frame[~dead]
    sizes = {"volume": VOLUME} if VOLUME in frame else {}
    return Opened(frame.reset_index(drop=True), f"{kind} of Oncarium", pixel=1.0, down=False,
                  columns={**columns, **sizes}, ours=True, notes=notes)  # fmt: skip
