"""Cells become cells of another type."""

from __future__ import annotations

import numpy as np

from ..engine.column import Behavior
from ..engine.population import Population
from ..engine.process import Process, Tick
from ..engine.random import uniform
from ..engine.tissue import Tissue
from .death import hazard
from .shape import LIVE


class Transformation(Process):
    """A live cell becomes each other type at its rate; it keeps its place, volume and damage, and takes the new type's
    behaviors. The first type that hits, in the order of types, is taken.

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
        rate = cells["transformation.rate"]
        rows, types = [], []
        for i in np.flatnonzero(np.any(rate > 0.0, axis=1) & (cells["vital"] == LIVE)):
            for t in np.flatnonzero(rate[i] > 0.0):
                p = hazard(rate[i, t], tick.dt, self.exact)
                if t != cells.type[i] and uniform(np.uint64(tick.seed), self.stream, tick.number, cells.id[i], t) < p:
                    rows.append(i)
                    types.append(t)
                    break
        if rows:
            self.population.log(tick.time, cells.id[rows], "transformation", np.array(types))
            cells.become(np.array(rows), np.array(types))
