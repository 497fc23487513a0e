"""Cells become cells of another type."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..engine.cells import Cells
from ..engine.column import Behavior
from ..engine.population import Population
from ..engine.process import Process, Tick
from ..engine.random import uniform
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from .death import hazard
from .shape import LIVE


@njit(cache=True, nogil=True)
def choose(first, last, seed, stream, tick, dt, exact, ids, kind, vital, rate, becomes):
    """becomes (cell) = the type each live cell turns into now, or -1; rate (cell, type) 1/min."""
    for i in range(first, last):
        if vital[i] != LIVE:
            continue
        for t in range(rate.shape[1]):
            r = rate[i, t]
            if r > 0.0 and t != kind[i] and uniform(seed, stream, tick, ids[i], t) < hazard(r, dt, exact):
                becomes[i] = t
                break


STARTS_ANEW = ("cycle.phase", "elapsed", "damage.level", "volume.target_nuclear", "attack.target", "attack.delivered")
STOPS = ("motility.heading", "motility.vector", "motility.bias_direction")


def turn_into(cells: Cells, rows: np.ndarray, types: np.ndarray) -> None:
    """These rows become cells of these types."""
    conserved = [c.name for c in cells.columns.values() if c.kind == "behavior" and c.inherit == "halve"]
    kept = {name: cells[name][rows].copy() for name in conserved}
    cells.become(rows, types)
    for name, values in kept.items():
        cells[name][rows] = values
    for name in STARTS_ANEW:
        if name in cells:
            cells[name][rows] = cells.base[name][types]
    for name in STOPS:
        if name in cells:
            cells[name][rows] = 0.0


class Transformation(Process):
    """A live cell becomes each other type at its rate. The first type that hits, in the order of types, is taken.

    It keeps its place, volume, attachments, what it holds of each factor and conserved quantities of its own; behaviors, damage and the
    target of its nucleus are the new type's, its cycle starts anew, and it attacks nobody.

    Column   Unit    Kind       Meaning
    rate     1/min   Behavior   rate of becoming each type
    """

    section = "transformation"
    slot = "decide"
    reads = ("vital",)
    sets = ("type",)
    rate = Behavior("1/min", ge=0.0, axis="type", doc="rate of becoming each type")

    def __init__(self, period: float, population: Population, exact: bool = True):
        self.period = period
        self.population = population
        self.exact = exact

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        becomes = np.full(cells.n, -1, np.int32)
        over_rows(
            choose,
            cells.n,
            self.threads,
            np.uint64(tick.seed),
            self.stream,
            tick.number,
            tick.dt,
            self.exact,
            cells.id,
            cells.type,
            cells["vital"],
            cells["transformation.rate"],
            becomes,
        )
        rows = np.flatnonzero(becomes >= 0)
        if len(rows):
            self.population.log(tick.time, cells.id[rows], "transformation", becomes[rows])
            turn_into(cells, rows, becomes[rows])
