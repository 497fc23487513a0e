"""Scores: shares from 0 to 1 that rise at one rate and fall at another, both of them behaviors that rules modulate.

Most of what a cell remembers of its surroundings (hypoxia response, polarization, exhaustion, ...) is such a score. The
mechanism knows no factor by name: which signals drive it is said in the rules of a cell type, and a score whose rates
are zero stays where it is."""

from __future__ import annotations

import math

from numba import njit

from ..engine.column import Behavior, State
from ..engine.process import Process, Tick
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from .vital import VITAL


@njit(cache=True, nogil=True)
def relax(first, last, dt, vital, level, rise, fall):
    """level' = rise (1 - level) - fall level, exact over the step with constant rates (1/min); the dead keep theirs."""
    for i in range(first, last):
        rate = rise[i] + fall[i]
        if vital[i] == 0 and rate > 0.0:
            goal = rise[i] / rate
            level[i] = goal + (level[i] - goal) * math.exp(-rate * dt)


class Score(Process):
    """A share that relaxes between 0 and 1.

    Equation    level' = rise (1 - level) - fall level

    Column   Unit    Kind       Meaning
    level    1       State      the share
    rise     1/min   Behavior   rate toward 1
    fall     1/min   Behavior   rate toward 0

    Exact       over a step with constant rates. A daughter inherits her mother's level.
    """

    slot = "act"
    vital = VITAL

    def __init__(self, period: float):
        self.period = period

    def prepare(self, tissue: Tissue) -> None:
        self.reads = (f"{self.section}.rise", f"{self.section}.fall", "vital")
        self.sets = (f"{self.section}.level",)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        level, rise, fall = (cells[f"{self.section}.{k}"] for k in ("level", "rise", "fall"))
        over_rows(relax, cells.n, self.threads, tick.dt, cells["vital"], level, rise, fall)


def share(doc: str, inherit: str = "copy"):
    """The column of a level."""
    return State("1", ge=0.0, le=1.0, inherit=inherit, doc=doc)


def rate(doc: str, default: float = 0.0):
    """The column of a rate, 1/min."""
    return Behavior("1/min", default, ge=0.0, doc=doc)
