"""Births, deaths and arrivals: queued by anyone during a tick, applied once, in the order of ids."""

from __future__ import annotations

import numpy as np

from .tissue import Tissue

EVENT = np.dtype([("time", "f8"), ("id", "i8"), ("kind", "i4"), ("cause", "i8")])
EVENTS = (
    "division",
    "removal",
    "apoptosis",
    "necrosis",
    "phagocytosis",
    "attack",
    "fusion",
    "transformation",
    "arrival",
    "departure",
)


NOBODY = (np.empty(0, np.int64), np.empty(0, np.int64))


class Population:
    """The queue of a simulation.

    `divide` and `remove` take rows; nothing happens to the tissue until `apply`. `events` collects what happened as
    records of time (min), id, kind (index into EVENTS) and cause (an id, a type, or -1); recorders drain it. `born` holds the rows of
    the mothers and daughters of this tick, for whoever acts after them.
    """

    def __init__(self) -> None:
        self.dividing: list[np.ndarray] = []
        self.removed: list[np.ndarray] = []
        self.pending: list[np.ndarray] = []
        self.born = NOBODY

    def divide(self, rows: np.ndarray) -> None:
        """Queue these rows for division."""
        if len(rows):
            self.dividing.append(np.asarray(rows, np.int64))

    def remove(self, rows: np.ndarray) -> None:
        """Queue these rows for removal."""
        if len(rows):
            self.removed.append(np.asarray(rows, np.int64))

    def log(self, time: float, ids: np.ndarray, kind: str, cause: np.ndarray | int = -1) -> None:
        """Note that something happened to these cells."""
        if len(ids):
            rows = np.empty(len(ids), EVENT)
            rows["time"], rows["id"], rows["kind"], rows["cause"] = time, ids, EVENTS.index(kind), cause
            self.pending.append(rows)

    def drain(self) -> np.ndarray:
        """All events since the last call, sorted by time, then id."""
        out = np.concatenate(self.pending) if self.pending else np.empty(0, EVENT)
        self.pending = []
        return out[np.lexsort((out["cause"], out["kind"], out["id"], out["time"]))]

    def apply(self, tissue: Tissue) -> tuple[np.ndarray, np.ndarray]:
        """Do it: returns rows of the parents and of their daughters (valid now), for whoever places them.

        A daughter gets each column by the column's own inheritance; ids are given in the order of the parents' ids.
        """
        cells = tissue.cells
        gone = np.unique(np.concatenate(self.removed)) if self.removed else np.empty(0, np.int64)
        parents = np.unique(np.concatenate(self.dividing)) if self.dividing else np.empty(0, np.int64)
        self.dividing, self.removed = [], []
        parents = np.setdiff1d(parents, gone, assume_unique=True)
        parents = parents[np.argsort(cells.id[parents], kind="stable")]
        daughters = np.empty(0, np.int64)
        if len(parents):
            new = cells.add(cells.type[parents])
            daughters = np.arange(new.start, new.stop)
            for name, column in cells.columns.items():
                if name in ("id", "type"):
                    continue
                values = cells[name]
                if column.inherit == "halve":
                    values[parents] *= 0.5
                if column.inherit in ("copy", "halve"):
                    values[daughters] = values[parents]
                elif column.inherit == "zero":
                    values[daughters] = 0
                    values[parents] = 0
        if len(gone):
            keep = np.ones(cells.n, bool)
            keep[gone] = False
            kept = np.flatnonzero(keep)
            place = np.full(cells.n, -1, np.int64)
            place[kept] = np.arange(len(kept))
            cells.reorder(kept)
            parents, daughters = place[parents], place[daughters]
        return parents, daughters
