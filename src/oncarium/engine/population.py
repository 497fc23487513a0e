"""Births, deaths and arrivals: queued by anyone during a tick, applied once, in the order of ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from .random import keys_of

if TYPE_CHECKING:
    from .tissue import Tissue

EVENT = np.dtype([("time", "f8"), ("id", "i8"), ("kind", "i4"), ("cause", "i8")])
NOBODY = (np.empty(0, np.int64), np.empty(0, np.int64))


class Population:
    """The queue of a tissue: births and deaths that are wanted, and what has happened.

    `divide` and `remove` take rows; nothing happens to the tissue until `apply`. `born` holds the rows of the mothers
    and daughters of this tick, `heard(kind)` the ids of all to whom something of a kind happened in it, for whoever
    acts later in the tick. `pending` collects what happened as records of time (min), id, kind (index into `kinds`) and
    cause (an id, a type, or -1); recorders drain it.

    kinds   names of the kinds of events, registered by the mechanisms that log them (Process.events)

    >>> queue = Population(("division", "arrival"))
    >>> queue.log(6.0, np.array([4, 7]), "arrival")
    >>> queue.heard("arrival").tolist(), queue.heard("division").tolist()
    ([4, 7], [])
    """

    def __init__(self, kinds: Iterable[str] = ()) -> None:
        self.kinds: list[str] = []
        self.register(kinds)
        self.dividing: list[np.ndarray] = []
        self.removed: list[np.ndarray] = []
        self.pending: list[np.ndarray] = []
        self.recent: dict[str, list[np.ndarray]] = {}
        self.born = NOBODY

    def register(self, kinds: Iterable[str]) -> None:
        """Kinds of events that somebody will log."""
        self.kinds += [k for k in dict.fromkeys(kinds) if k not in self.kinds]

    def begin(self) -> None:
        """A tick begins: nothing has been heard in it yet."""
        self.recent.clear()

    def heard(self, kind: str) -> np.ndarray:
        """(cell) ids of those to whom an event of this kind happened so far in this tick; some may be gone."""
        self._number(kind)
        return np.concatenate(self.recent.get(kind) or [np.empty(0, np.int64)])

    def _number(self, kind: str) -> int:
        if kind not in self.kinds:
            raise KeyError(f"no event is called {kind!r}; a mechanism that logs it says so:  events = ({kind!r},)")
        return self.kinds.index(kind)

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
            rows["time"], rows["id"], rows["kind"], rows["cause"] = time, ids, self._number(kind), cause
            self.pending.append(rows)
            self.recent.setdefault(kind, []).append(np.asarray(ids, np.int64))

    def state(self) -> dict[str, np.ndarray]:
        """What has happened and no recorder has taken over yet."""
        return {
            "events": np.concatenate(self.pending) if self.pending else np.empty(0, EVENT),
            "event_kinds": np.array(self.kinds, np.str_),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Take back what `state` gave; kinds that are not registered here are left out."""
        events, kinds = np.array(state["events"], EVENT), [str(k) for k in state["event_kinds"]]
        number = np.array([self.kinds.index(k) if k in self.kinds else -1 for k in kinds] or [-1])
        events["kind"] = number[events["kind"]] if len(events) else events["kind"]
        events = events[events["kind"] >= 0]
        self.pending = [events] if len(events) else []

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
            key = cells.key[parents]  # at each division both draw by a new key: no count of births has a say in it
            new = cells.add(cells.type[parents], key=keys_of("daughter", key))
            cells.key[parents] = keys_of("mother", key)
            daughters = np.arange(new.start, new.stop)
            for name, column in cells.columns.items():
                if name in ("id", "key", "type"):
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
