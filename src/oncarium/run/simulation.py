"""Simulation: one Tissue, one seed, an integer clock and a Plan; nothing global."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..engine.plan import Plan
from ..engine.population import EVENT
from ..errors import DataError, NumericsError
from ..spec.model import Model
from ..units import to_minutes
from .build import build

MOST_CELLS = 50_000_000  # beyond it a run is taken to have run away


def default_threads() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Simulation:
    """A model in motion.

    tissue, plan, population, seed, model     time (min), tick

    >>> from oncarium.spec.model import EXAMPLE, Model
    >>> simulation = Simulation(Model.from_text(EXAMPLE), seed=1)
    >>> simulation.run("30 min")
    >>> simulation.tissue.cells.n, simulation.time
    (20, 30.0)
    """

    def __init__(self, model: Model, seed: int | None = None, threads: int | None = None):
        self.model = model.checked()
        self.seed = model.seed if seed is None else int(seed)
        self.tissue, processes, self.population = build(model, self.seed)
        self.plan = Plan(processes, model.clock.transport)
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
        return self.tissue.tick

    def step(self) -> None:
        """One tick."""
        self.plan.tick(self.tissue, self.seed)
        self._watch()

    def run(self, until: Any, see: Callable[[Simulation], None] | None = None) -> None:
        """Run to a time ("2 day", or minutes); `see` is called after every tick."""
        last = round(to_minutes(until) / self.plan.tick_minutes)
        while self.tissue.tick < last:
            self.step()
            if see:
                see(self)

    def _watch(self) -> None:
        """Stop on numbers that no tissue can have."""
        cells = self.tissue.cells
        if not np.isfinite(cells.position.sum()) or not np.isfinite(cells["volume.total"].sum()):
            for name in ("position", "volume.total"):
                bad = np.flatnonzero(~np.isfinite(cells[name].reshape(cells.n, -1)).all(axis=1))
                if len(bad):
                    raise NumericsError(
                        f"tick {self.tick} ({self.time:g} min)",
                        f"{name} of cell {int(cells.id[bad[0]])} ({cells.types[cells.type[bad[0]]]}) is not finite; {len(bad)} cells are affected.",
                        remedy="The last checkpoint is from before. Look for a rule or a mechanism that makes a rate infinite.",
                    )
        if cells.n > MOST_CELLS:
            raise NumericsError(f"tick {self.tick} ({self.time:g} min)", f"{cells.n:,} cells: the population has run away.")

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
        out: dict[str, Any] = {"tick": t.tick, "seed": self.seed, "next_id": t.cells.next_id}
        out |= {f"cells/{k}": v for k, v in t.cells.state().items()}
        out |= {f"fields/{k}": v.copy() for k, v in t.fields.arrays().items()}
        for p in self.plan.processes:
            out |= {f"process/{p.name}/{k}": v for k, v in p.state().items()}
        pending = self.population.pending
        out["events"] = np.concatenate(pending) if pending else np.empty(0, EVENT)
        return out

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` gave. Raises DataError when it belongs to another model."""
        t = self.tissue

        def part(prefix: str) -> dict[str, Any]:
            return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}

        try:
            t.cells.restore(part("cells/"), int(state["next_id"]))
        except KeyError as error:
            raise DataError("checkpoint", f"it does not fit this model: {error.args[0]}.") from None
        t.fields.restore(part("fields/"))
        t.tick = int(state["tick"])
        t.time = t.tick * self.plan.tick_minutes
        self.seed = int(state["seed"])
        for p in self.plan.processes:
            p.restore(part(f"process/{p.name}/"))
        events = np.asarray(state["events"], EVENT)
        self.population.pending = [events] if len(events) else []

    def adopt(self, state: Mapping[str, Any], before: Simulation) -> None:
        """Continue a state of the simulation `before` under this model: cells and concentrations are taken over, every
        number that the models set differently is this model's. Raises DataError when types or factors differ."""
        seed, fields, cells = self.seed, self.tissue.fields, self.tissue.cells
        if cells.types != before.tissue.cells.types or fields.shape != before.tissue.fields.shape:
            raise DataError("checkpoint", "its cell types, factors or domain are not those of this model.")
        mine = {k: v.copy() for k, v in fields.arrays().items()}
        self.restore(state)
        self.seed = seed
        fields.restore({**mine, **{k: fields.arrays()[k] for k in ("value", "supply", "demand", "capacity")}})
        live = cells["vital"] == 0
        for name, column in cells.columns.items():
            changed = cells.base[name] != before.tissue.cells.base[name]
            if column.kind == "behavior" and changed.any():
                rows = np.flatnonzero(live & changed.reshape(len(cells.types), -1).any(axis=1)[cells.type])
                cells[name][rows] = cells.base[name][cells.type[rows]]
        if self.model != before.model:
            for p in self.plan.processes:
                if hasattr(p, "rearm"):
                    p.rearm()

    def __str__(self) -> str:
        cells = self.tissue.cells
        counts = np.bincount(cells.type, minlength=len(cells.types))
        return f"{self.model.title} at {self.time:g} min: " + ", ".join(f"{n} {t}" for t, n in zip(cells.types, counts))
