"""Cells become cells of another type."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..engine.column import Behavior
from ..engine.process import Process, Tick
from ..engine.random import uniform
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from .death import moment
from .vital import LIVE


@njit(cache=True, nogil=True)
def choose(first, last, seed, stream, tick, dt, exact, keys, kind, vital, rate, which, becomes):
    """becomes (cell) = the type each live cell turns into now, or -1; rate (cell, entry) 1/min, which (entry): type."""
    for i in range(first, last):
        if vital[i] != LIVE:
            continue
        soonest = dt
        for k in range(which.shape[0]):
            t, r = which[k], rate[i, k]
            if r > 0.0 and t != kind[i]:
                after = moment(uniform(seed, stream, tick, keys[i], t), r, dt, exact)
                if after < soonest:
                    soonest, becomes[i] = after, t


class Transformation(Process):
    """A live cell becomes each other type at its rate; of several the one whose moment comes first (by
    chances per step: the first in the order of types).

    It keeps its place, volume, attachments, what it holds of each factor and conserved quantities of its own;
    behaviors, damage and the target of its nucleus are the new type's, its cycle starts anew, and it attacks nobody.

    Column   Unit    Kind       Meaning
    rate     1/min   Behavior   rate of becoming each type
    """

    section = "transformation"
    slot = "decide"
    reads = ("vital",)
    sets = ("type",)
    events = ("transformation",)
    rate = Behavior("1/min", ge=0.0, axis="type", sparse=True, wakes=True, doc="rate of becoming each type")

    @classmethod
    def of(cls, model, build, **options) -> Transformation:
        return cls(build.minutes(cls.clock), exact=build.exact, **options)

    def __init__(self, period: float, exact: bool = True):
        self.period = period
        self.exact = exact

    def prepare(self, tissue: Tissue) -> None:
        cells = tissue.cells
        self.which = np.array([cells.types.index(t) for t in cells.labels("transformation.rate")], np.int64)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        becomes = np.full(cells.n, -1, np.int32)
        draws = (np.uint64(tick.seed), self.stream, tick.number, tick.dt, self.exact)
        given = (cells.key, cells.type, cells["vital"], cells["transformation.rate"], self.which)
        over_rows(choose, cells.n, self.threads, *draws, *given, becomes)
        rows = np.flatnonzero(becomes >= 0)
        if len(rows):
            tissue.population.log(tick.time, cells.id[rows], "transformation", becomes[rows])
            cells.become(rows, becomes[rows])
