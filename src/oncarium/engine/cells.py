"""Cells: a struct of arrays, one array per Column, all rows in the same order."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .column import Column
from .kernels.places import all_finite, places_of
from .part import Part

POSITION = Column("um", "state", axis="xyz", doc="centre of the cell", name="position")
ID = Column("1", "state", dtype=int, default=-1, doc="unique, never reused", name="id")
KEY = Column("1", "state", dtype=int, doc="64-bit number of how the cell came to be, by which it draws", name="key")
TYPE = Column("1", "state", dtype=np.int32, doc="index of the cell's type", name="type")
NEXT_ID = "next_id"  # among the arrays of a checkpoint
FADED = 0.1  # what is left of a column that fades at death, as in PhysiCell


class Cells(Part):
    """All cells of a tissue.

    types    names of the cell types, in the order of the integer column `type`
    labels   names along each axis: {"factor": ("oxygen", ...), "type": ..., "phase": ..., "xyz": ("x", "y", "z")}
    n        how many cells there are now; `cells[name]` is a view of the first n rows
    base     one table per column, (type,) or (type, axis): what a new cell of a type starts with, and what a rule
             modulates. Traits live only here: `cells[trait]` looks them up for every cell
    absent   column -> why these cells have none of it: its mechanism is off

    Rows may be re-ordered by whoever needs locality; the id
    travels with its row, and no result may depend on the order."""

    def __init__(
        self,
        columns: Iterable[Column],
        types: tuple[str, ...],
        labels: Mapping[str, tuple[str, ...]],
        absent: Mapping[str, str] | None = None,
    ):
        self.types = tuple(types)
        self.absent = dict(absent or {})
        self.axes = {"xyz": ("x", "y", "z"), "type": self.types, **labels}
        self.columns: dict[str, Column] = {c.name: c for c in (ID, KEY, TYPE, POSITION)}
        self.traits: dict[str, Column] = {}
        for c in columns:
            (self.traits if c.kind == "trait" else self.columns).setdefault(c.name, c)
        self.base: dict[str, np.ndarray] = {}
        for name, c in {**self.columns, **self.traits}.items():
            shape = (len(self.types), len(self.axes[c.axis])) if c.axis else (len(self.types),)
            self.base[name] = np.full(shape, c.default, dtype=c.numpy_dtype)
        self.n = 0
        self.next_id = 0
        self.capacity = 0
        self._arrays: dict[str, np.ndarray] = {}
        self._views: dict[str, np.ndarray] = {}  # the rows in use, as they were last asked for: a tick asks 700 times
        self._lie: tuple[np.ndarray, np.ndarray] | None = None  # where columns lie, and how wide they are
        self._reserve(64)

    def labels(self, name: str) -> tuple[str, ...]:
        """Names along a column's axis; empty for a column without one."""
        axis = self.column(name).axis
        return self.axes[axis] if axis else ()

    def column(self, name: str) -> Column:
        """The declaration of a column or trait; an unknown name is answered with the nearest ones."""
        found = self.columns.get(name) or self.traits.get(name)
        if found is None:
            near = difflib.get_close_matches(name, [*self.columns, *self.traits], n=3)
            why = self.absent.get(name) or (f"nearest: {', '.join(near)}" if near else "")
            raise KeyError(f"no column {name!r}" + (f"; {why}" if why else ""))
        return found

    def _reserve(self, capacity: int) -> None:
        for name, c in self.columns.items():
            shape = (capacity, len(self.axes[c.axis])) if c.axis else (capacity,)
            new = np.full(shape, c.default, dtype=c.numpy_dtype)
            old = self._arrays.get(name)
            if old is not None:
                new[: self.n] = old[: self.n]
            self._arrays[name] = new
        self.capacity = capacity
        self._views.clear()
        self._lie = None  # columns move where they grow

    def __getitem__(self, name: str) -> np.ndarray:
        view = self._views.get(name)
        if view is not None and len(view) == self.n:
            return view
        array = self._arrays.get(name)
        if array is not None:
            view = self._views[name] = array[: self.n]
            return view
        self.column(name)
        return self.base[name][self.type]

    def __contains__(self, name: str) -> bool:
        return name in self._arrays or name in self.traits

    def __len__(self) -> int:
        return self.n

    @property
    def id(self) -> np.ndarray:
        """(cell) ids."""
        return self["id"]

    @property
    def type(self) -> np.ndarray:
        """(cell) index of each cell's type."""
        return self["type"]

    @property
    def position(self) -> np.ndarray:
        """(cell, xyz) um: centers."""
        return self["position"]

    @property
    def key(self) -> np.ndarray:
        """(cell) keys of their random numbers (engine/random.py)."""
        return self["key"]

    def add(self, type: int | np.ndarray, count: int = 1, key: np.ndarray | None = None) -> slice:
        """Append `count` rows of a type (or one row per entry of an array of types) with base values and fresh ids.

        key: how each came to be (`keys_of`); left out: its id."""
        kinds = np.asarray(type, np.int32)
        kinds = kinds if kinds.ndim else np.broadcast_to(kinds, (count,))
        count = len(kinds)
        need = self.n + count
        if need > self.capacity:
            self._reserve(max(need, self.capacity + self.capacity // 4))
        rows = slice(self.n, need)
        for name in self.columns:
            self._arrays[name][rows] = self.base[name][kinds]
        self._arrays["type"][rows] = kinds
        self._arrays["id"][rows] = np.arange(self.next_id, self.next_id + count)
        self._arrays["key"][rows] = self._arrays["id"][rows] if key is None else key
        self.next_id += count
        self.n = need
        return rows

    def reorder(self, rows: np.ndarray) -> None:
        """Keep `rows` in this order; used both to drop rows and to sort them."""
        m = len(rows)
        for name, a in self._arrays.items():
            self._arrays[name][:m] = a[: self.n][rows]
        self.n = m

    def order(self) -> np.ndarray:
        """Rows in the order of ids: what files and digests are written in."""
        return np.argsort(self.id, kind="stable")

    def become(self, rows: np.ndarray, type: np.ndarray) -> None:
        """These rows take another type; each column becomes what it says itself (Column.at_change)."""
        self.type[rows] = type
        for name, c in self.columns.items():
            if c.at_change == "base":
                self._arrays[name][rows] = self.base[name][type]
            elif c.at_change == "zero":
                self._arrays[name][rows] = 0

    def die(self, rows: np.ndarray) -> None:
        """What death changes at once in these rows, column by column (Column.at_death)."""
        for name, c in self.columns.items():
            if c.at_death == "stop":
                self._arrays[name][rows] = 0
            elif c.at_death == "fade":
                self._arrays[name][rows] *= FADED

    def rows_of(self, ids: np.ndarray) -> np.ndarray:
        """Rows of these ids (any shape), -1 where a cell is gone or the id is -1."""
        if self.n == 0:
            return np.full(np.shape(ids), -1, np.int64)
        ids = np.asarray(ids)
        first, span = self.id.min(), self.id.max() - self.id.min() + 1
        if span > 8 * self.n + 1024:  # a table of all ids would be mostly holes
            order = self.order()
            known = self.id[order]
            at = np.minimum(np.searchsorted(known, ids), self.n - 1)
            return np.where(known[at] == ids, order[at], -1)
        table = np.full(span + 1, -1, np.int64)  # the last entry answers for all unknown ids
        table[self.id - first] = np.arange(self.n)
        return table[np.where((ids >= first) & (ids < first + span), ids - first, span)]

    def digest(self, h: Any) -> None:
        """Feed all columns to a hash, rows in the order of ids. Signals are left out: they are what cells perceived at
        their last look and are recomputed from the rest."""
        order = self.order()
        for name in sorted(self.columns):
            if self.columns[name].kind != "signal":
                h.update(name.encode())
                h.update(np.ascontiguousarray(self[name][order]).tobytes())

    def summary(self) -> dict[str, tuple[float, str]]:
        """Per type: cells in every group that is counted, sums of columns that are summed (in the order of ids)."""
        kind, out = self.type, dict[str, tuple[float, str]]()

        def tell(name: str, values: np.ndarray, unit: str) -> None:
            out.update({f"{name}.{t}": (float(v), unit) for t, v in zip(self.types, values)})

        for c in self.columns.values():
            for name in c.counted:
                tell(name, np.bincount(kind[self.group(c.name, name)], minlength=len(self.types)), "1")
        for c in self.columns.values():
            if c.summed:
                order = self.order()
                tell(c.summed, np.bincount(kind[order], self[c.name][order], minlength=len(self.types)), c.unit)
        return out

    def group(self, column: str, name: str) -> np.ndarray:
        """(cell) who belongs to a group that a column defines."""
        low, high = self.columns[column].groups[name]
        return (self[column] >= low) & (self[column] <= high)

    def finite(self) -> bool:
        """Whether every number of floating point is finite."""
        if self._lie is None:
            found = [a for a in self._arrays.values() if a.dtype == np.float64]
            each = np.arange(len(found))
            self._lie = places_of(found, each, 0 * each), np.array([a[0].size for a in found], np.int64)
        return all_finite(*self._lie, self.n)

    @property
    def bytes_per_cell(self) -> int:
        """Memory that one cell takes."""
        return sum(a.itemsize * (a.shape[1] if a.ndim > 1 else 1) for a in self._arrays.values())

    def copy(self) -> Cells:
        """Independent cells with the same content."""
        new = Cells.__new__(Cells)
        new.__dict__.update(self.__dict__)
        new.columns = dict(self.columns)
        new.base = {k: v.copy() for k, v in self.base.items()}
        new._arrays = {k: v.copy() for k, v in self._arrays.items()}
        new._views, new._lie = {}, None
        return new

    def arrays(self) -> dict[str, np.ndarray]:
        """Exact content, rows in their present order, and the next id."""
        return {name: self[name].copy() for name in self.columns} | {NEXT_ID: np.array(self.next_id)}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what `arrays` gave; unknown or missing columns are an error."""
        arrays = dict(arrays)
        next_id = int(arrays.pop(NEXT_ID))
        missing = set(self.columns) ^ set(arrays)
        if missing:
            raise KeyError(f"these columns do not match the model: {', '.join(sorted(missing))}")
        self.n = 0
        count = len(arrays["id"])
        if count > self.capacity:
            self._reserve(count)
        for name, a in arrays.items():
            self._arrays[name][:count] = a
        self.n = count
        self.next_id = next_id
