"""A moment: the cells and fields of one instant, of a running Simulation or of a recorded Result, asked for by
column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ...biology.volume import Volume
from ...engine.cells import FADED
from ...engine.fields import Grid
from ...run.entries import spread

if TYPE_CHECKING:
    from ...model.model import Model
    from ...run.result import Result
    from ...run.simulation import Simulation

DERIVED = ("volume.fluid", "volume.nuclear_solid", "volume.cytoplasm_solid", "volume.target_nuclear", "volume.nuclear")


@dataclass
class Moment:
    """Cells in the order of their ids, and fields.

    time      min                       concentration     (factor, z, y, x)
    read      column -> (cell,) or (cell, axis) values, or None where whoever holds the cells has no such column
    labels    column, how many entries it has -> their names
    assumed   columns that were asked for and not held: they have their types' base values

    `moment[column]` is always an array of float64.
    """

    model: Model
    time: float
    grid: Grid
    concentration: np.ndarray
    read: Callable[[str], np.ndarray | None]
    labels: Callable[[str, int], Sequence[str]]
    assumed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        kind = self.read("type")
        assert kind is not None
        self.kind = np.asarray(kind, np.int64)
        self.n = len(self.kind)
        self.types = tuple(t.name for t in self.model.types)
        self.factors = {f.name: f.unit for f in self.model.factors}
        self._known: dict[str, np.ndarray] = {}

    @classmethod
    def of_simulation(cls, simulation: Simulation) -> Moment:
        """The present state, in full precision."""
        tissue = simulation.tissue
        cells, order = tissue.cells, tissue.cells.order()
        return cls(
            simulation.model,
            tissue.time,
            tissue.fields.grid,
            tissue.fields.value,
            lambda name: cells[name][order] if name in cells else None,
            lambda name, width: cells.labels(name),
        )

    @classmethod
    def of_result(cls, result: Result, t: Any, model: Model) -> Moment:
        """What was recorded at a time; what was not is assumed to be at the base value of the cell's type."""
        shape = result.attrs["grid"]
        grid = Grid(tuple(shape["origin"]), tuple(shape["spacing"]), tuple(shape["shape"]))
        k = result.frame(t, result.times)
        value = np.zeros((len(result.factors), *grid.shape))
        if len(result.factors):
            at = result.frame(float(result.times[k]), result.field_times)
            for f, name in enumerate(result.factors):
                value[f] = result.fields.at(name, float(result.field_times[at]))
        held = set(result.columns)
        return cls(
            model,
            float(result.times[k]),
            grid,
            value,
            lambda name: result.array(name, result.times[k]) if name in held else None,
            result._labels,
        )

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._known:
            held = self.read(name)
            self._known[name] = self._assume(name) if held is None else self._whole(name, np.asarray(held, float))
        return self._known[name]

    def _whole(self, name: str, held: np.ndarray) -> np.ndarray:
        """Values of a column with those entries that cells lack because the model does not speak of them."""
        want = self._labels(name) if held.ndim > 1 and name in self.model.names.columns else None
        if not want or held.shape[1] == len(want):
            return held
        return spread(held, self.labels(name, held.shape[1]), want, self.model.names.columns[name].default)

    def has(self, name: str) -> bool:
        """Does whoever holds the cells, or the model, know this column?"""
        return name in self.model.names.columns or self.read(name) is not None

    def base(self, name: str) -> np.ndarray:
        """(type,) or (type, axis): what the model says of a column."""
        entry = self.model.names.columns[name]
        if name in DERIVED:
            return self._parts()[name]
        labels = self._labels(name)
        if labels is None:
            return np.array([t.value(entry) for t in self.model.types], float)
        return np.array([[t.value(entry, label) for label in labels] for t in self.model.types], float).reshape(
            len(self.types), len(labels)
        )

    def _labels(self, name: str) -> list[str] | None:
        axis = self.model.names.columns[name].axis
        if axis == "phase":  # by place, since types differ in their names
            return [str(k) for k in range(max([len(t.exit) for t in self.model.types], default=0))]
        return {None: None, "factor": list(self.factors), "type": list(self.types), "xyz": list("xyz")}.get(axis, [])

    def _parts(self) -> dict[str, np.ndarray]:
        names = self.model.names.columns
        table = {
            c: np.array([t.value(names[c]) for t in self.model.types], float)
            for c in ("volume.total", "volume.nuclear", "volume.fluid_fraction")
        }
        Volume.set_base(table)
        return table

    def _assume(self, name: str) -> np.ndarray:
        """Base values of a column that is not held; the dead have stopped what death stops."""
        if self.model.names.columns[name].kind not in ("trait", "signal"):
            self.assumed.add(name)
        if name == "cycle.exit":
            longest = max([len(t.exit) for t in self.model.types], default=0)
            return np.array([[*t.exit, *[0.0] * (longest - len(t.exit))] for t in self.model.types]).reshape(
                -1, longest
            )[self.kind]
        out = self.base(name)[self.kind]
        if name in DERIVED:
            out = out * self["volume.total"] / self._parts()["volume.total"][self.kind]
        at_death = self.model.names.columns[name].at_death
        if at_death != "keep":
            out[np.asarray(self.read("vital")) > 0] *= 0.0 if at_death == "stop" else FADED
        return out
