"""Simulation: one Tissue, one seed, an integer clock and a Plan; nothing global."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..biology.order import ORDERS
from ..engine.fields import FieldError
from ..engine.plan import Plan
from ..engine.threads import default_threads
from ..engine.tissue import Tissue
from ..errors import DataError, NumericsError
from ..model.consistency import memory_here
from ..model.model import Model
from ..units import to_minutes
from .build import build
from .entries import spread
from .room import Room

MOST_CELLS = 50_000_000  # of any domain
COPIES = 3  # of the cells that must fit into 0.8 of the memory: growing needs the old arrays and the new ones
SOLVED = ("value", "supply", "demand", "capacity")  # of fields: what a state is, not what a model says
FINITE = ("position", "volume.total")
BEFORE = "The last checkpoint is from before."


def _finite(values: np.ndarray) -> bool:
    """Whether a sum shows that every number is finite; one that overflows does not."""
    return math.isfinite(np.add.reduce(values, axis=None))


class Simulation:
    """A model in motion.

    tissue, plan, seed, model     time (min), tick

    >>> from oncarium.model.model import EXAMPLE, Model
    >>> simulation = Simulation(Model.from_text(EXAMPLE), seed=1)
    >>> simulation.run("30 min")
    >>> simulation.tissue.cells.n, simulation.time
    (20, 30.0)
    """

    def __init__(self, model: Model, seed: int | None = None, threads: int | None = None):
        self.model = model.checked()
        self.seed = model.seed if seed is None else int(seed)
        self.tissue, processes = build(model, self.seed)
        order = ORDERS[model.numerics]
        self.plan = Plan(processes, order.tick(model), order.slots, summed=order.summed(model))
        self.most_cells = min(MOST_CELLS, int(0.8 * memory_here() / (COPIES * self.tissue.cells.bytes_per_cell)))
        self.room = Room(self.tissue)
        self.decision_ticks = max(1, round(model.clock.phenotype / self.plan.tick_minutes))
        # that program lets cells take more than there is
        self.least = -np.inf if model.numerics == "physicell" else 0.0
        self.threads = 1
        self.use_threads(threads or default_threads())

    def use_threads(self, threads: int) -> None:
        """How many threads the loops may use; the result does not depend on it."""
        self.threads = max(1, int(threads))
        for process in self.plan.processes:
            process.threads = self.threads

    @property
    def time(self) -> float:
        """Minutes since the start."""
        return self.tissue.time

    @property
    def tick(self) -> int:
        """Ticks since the start."""
        return self.tissue.tick

    def step(self) -> None:
        """One tick. Raises NumericsError."""
        try:
            self.plan.tick(self.tissue, self.seed)
        except FieldError as error:
            self._inspect_cells()
            raise NumericsError(self._now(), f"{error}.", remedy=BEFORE) from None
        cells = self.tissue.cells
        volume = float(np.add.reduce(cells["volume.total"], axis=None))
        sound = _finite(cells.position) and math.isfinite(volume) and self._sound_fields()
        deciding = self.tick % self.decision_ticks == 0  # before rates that are no numbers are acted on
        if deciding or not sound:
            self.inspect()
        crowd = self.room.lacking(self.tissue, volume, deciding)
        if crowd:
            raise NumericsError(
                self._now(),
                f"growth has run away: {self._counts()} {crowd}.",
                remedy="Let cells stop where there is no room (a rule: pressure decreases cycle.exit), slow the cycle"
                f" down or let cells die; a longer phase or a rate in 1/h instead of 1/min"
                f" may have been meant. {BEFORE}",
            )
        if cells.n > self.most_cells:
            raise NumericsError(
                self._now(),
                f"the population has run away: {self._counts()}.",
                f"Room is for {self.most_cells:,} cells.",
                BEFORE,
            )

    def run(self, until: Any, see: Callable[[Simulation], None] | None = None) -> None:
        """Run to a time ("2 day", or minutes); `see` is called after every tick."""
        last = round(to_minutes(until) / self.plan.tick_minutes)
        while self.tissue.tick < last:
            self.step()
            if see:
                see(self)

    def inspect(self) -> None:
        """Look at every number of every cell and voxel. Raises NumericsError for what no tissue can have: what is no
        number, a place or volume that is not finite, a concentration below 0."""
        self._inspect_cells()
        if self._sound_fields():
            return
        value, names = self.tissue.fields.value, self.tissue.fields.names
        wrong = ~(np.isfinite(value) & (value >= self.least))
        if wrong.any():
            f, z, y, x = (int(i) for i in np.argwhere(wrong)[0])
            raise NumericsError(
                self._now(),
                f"{names[f]} is {value[f, z, y, x]:.3g} in voxel (z, y, x) = ({z}, {y}, {x});"
                f" {wrong.sum()} voxels are affected.",
                remedy=f"Look for a mechanism that writes concentrations. {BEFORE}",
            )

    def _sound_fields(self) -> bool:
        value = self.tissue.fields.value
        return not value.size or (_finite(value) and bool(value.min() >= self.least))

    def _inspect_cells(self) -> None:
        cells = self.tissue.cells
        if cells.finite():
            return
        found = []
        for name, column in cells.columns.items():
            if column.numpy_dtype.kind == "f":
                if _finite(cells[name]):
                    continue
                values = cells[name] if column.axis else cells[name][:, None]
                wrong = np.isnan(values) if name not in FINITE else ~np.isfinite(values)
                if wrong.any():
                    found.append(((wrong.any(axis=1).sum(), column.kind != "behavior"), name, values, wrong))
        if not found:
            return
        # what is wrong spreads, and from behaviors to states: the least affected came first
        _, name, values, wrong = min(found, key=lambda f: f[0])
        rows = np.flatnonzero(wrong.any(axis=1))
        row = rows[np.argmin(cells.id[rows])]
        raise NumericsError(
            self._now(),
            f"{name} of cell {cells.id[row]} ({cells.types[cells.type[row]]}) is {values[row][wrong[row]][0]:g}; "
            f"{len(rows)} of {cells.n} cells are affected.",
            remedy=f"Look for a rule or a mechanism that makes a rate infinite. {BEFORE}",
        )

    def _now(self) -> str:
        return f"tick {self.tick} ({self.time:g} min)"

    def _counts(self) -> str:
        cells = self.tissue.cells
        return ", ".join(f"{n:,} {t}" for t, n in zip(cells.types, np.bincount(cells.type, minlength=len(cells.types))))

    def digest(self) -> str:
        """SHA-256 of the tissue, independent of the order in memory."""
        return self.tissue.digest()

    def copy(self) -> Simulation:
        """An independent simulation in the same state: the two go on alike until one of them is changed."""
        other = Simulation(self.model, self.seed, self.threads)
        other.restore(self.state())
        return other

    def state(self) -> dict[str, Any]:
        """Everything an exact restart needs, flat: name -> array or number."""
        t = self.tissue
        out: dict[str, Any] = {"tick": t.tick, "seed": self.seed}
        for name, member in t.members().items():
            out |= {f"{name}/{k}": v.copy() for k, v in member.arrays().items()}
        for p in self.plan.processes:
            out |= {f"process/{p.name}/{k}": v for k, v in p.state().items()}
        return out | t.population.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave. Raises DataError when it belongs to another model."""
        t = self.tissue

        def part(prefix: str) -> dict[str, Any]:
            return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}

        try:
            for name, member in t.members().items():
                member.restore(part(f"{name}/"))
            t.tick = int(state["tick"])
            t.time = t.tick * self.plan.tick_minutes
            self.seed = int(state["seed"])
            for p in self.plan.processes:
                kept = part(f"process/{p.name}/")
                if kept or not p.state():  # a mechanism that a branch switches on starts as at the beginning
                    p.restore(kept)
            t.population.restore(state)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise DataError(
                "checkpoint", f"it does not fit this model: {error.args[0] if error.args else error}."
            ) from None

    def adopt(self, state: Mapping[str, Any], before: Simulation) -> None:
        """Continue a state of the simulation `before` under this model: cells and concentrations are taken over, every
        number that the models set differently is this model's. Raises DataError when types or factors differ."""
        seed, fields, cells = self.seed, self.tissue.fields, self.tissue.cells
        past = before.tissue.fields
        lost = set(past.names) - set(fields.names)
        if cells.types != before.tissue.cells.types or fields.shape[1:] != past.shape[1:] or lost:
            raise DataError("checkpoint", "its cell types, factors or domain are not those of this model.")
        mine = {k: v.copy() for k, v in fields.arrays().items()}
        self.restore(self._fitted(state, before.tissue))
        self.seed = seed
        fields.restore({**mine, **{k: fields.arrays()[k] for k in SOLVED}})
        live = cells["vital"] == 0
        for name, column in cells.columns.items():
            if name not in before.tissue.cells.columns:
                continue
            was = before.tissue.cells.base[name]
            if column.axis:
                was = spread(was, before.tissue.cells.labels(name), cells.labels(name), column.default)
            changed = cells.base[name] != was
            if column.kind == "behavior" and changed.any():
                rows = np.flatnonzero(live & changed.reshape(len(cells.types), -1).any(axis=1)[cells.type])
                cells[name][rows] = cells.base[name][cells.type[rows]]
        if self.model != before.model:
            for p in self.plan.processes:
                p.rearm()

    def _fitted(self, state: Mapping[str, Any], past: Tissue) -> dict[str, Any]:
        """A state of another model, whose tissue is `past`, with the columns and factors of this one: what a mechanism
        needs that was not there starts at its base, a factor as the model gives it."""
        cells, t, before = self.tissue.cells, self.tissue, past.cells
        known = cells.arrays()
        out = {k: v for k, v in state.items() if not k.startswith("cells/") or k.removeprefix("cells/") in known}
        kind = np.asarray(state["cells/type"])
        out |= {f"cells/{name}": cells.base[name][kind] for name in cells.columns if f"cells/{name}" not in state}
        for name in cells.columns.keys() & before.columns.keys():
            have, want = before.labels(name), cells.labels(name)
            if have != want:
                out[f"cells/{name}"] = spread(state[f"cells/{name}"], have, want, cells.column(name).default)
        if t.fields.names != past.fields.names:
            out |= {f"fields/{k}": v for k, v in t.fields.arrays().items() if k not in SOLVED}
            for k in SOLVED:
                values = getattr(t.fields, k).copy()
                for f, name in enumerate(past.fields.names):
                    values[t.fields.index(name)] = state[f"fields/{k}"][f]
                out[f"fields/{k}"] = values
        for name, member in t.members().items():
            if not any(k.startswith(f"{name}/") for k in state):
                out |= {f"{name}/{k}": v for k, v in member.arrays().items()}
        return out

    def __str__(self) -> str:
        return f"{self.model.title} at {self.time:g} min: {self._counts()}"
