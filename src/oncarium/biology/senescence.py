"""Cells that have divided often enough stop for good: senescence."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..engine.column import Behavior, State
from ..engine.process import Process, Tick
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from .vital import LIVE


@njit(cache=True, nogil=True)
def arrest(first, last, vital, divisions, limit, level, exit_rate):
    """Cells first to last: who is alive and has divided `limit` times becomes senescent, and stays it; no phase of its
    cycle ends any more.

    vital, divisions, limit, level (cell); exit_rate (cell, phase) 1/min
    """
    for i in range(first, last):
        if vital[i] != LIVE:
            continue
        if divisions[i] >= limit[i]:
            level[i] = 1.0
        if level[i] > 0.0:
            exit_rate[i, :] = 0.0


class Senescence(Process):
    """Replicative senescence.

    Equation    level = 1 once divisions >= limit;   where level = 1 the exit rate of every phase of the cycle is 0

    Column   Unit   Kind       Meaning
    limit    1      Behavior   divisions after which a cell stops; a rule may raise
                               it (telomerase) or lower it (damage, an oncogene)
    level    1      State      1 senescent, 0 not; rules read it (senescent cells secrete IL-6, say)

    Reads       division.count, which counts since the first ancestor came or was placed.
    Adds to     cycle.exit, after the rules.
    Source      human fibroblasts in culture stop after about 50 divisions: Hayflick & Moorhead 1961, Exp Cell Res
                25:585 (DOI 10.1016/0014-4827(61)90192-6).
    """

    section = "senescence"
    slot = "decide"
    requires = ("division.count",)
    reads = ("division.count", "vital")
    sets = ("senescence.level",)
    adds = ("cycle.exit",)
    limit = Behavior("1", 50.0, ge=0.0, doc="divisions after which a cell stops for good")
    level = State("1", ge=0.0, le=1.0, doc="1 senescent, 0 not")

    def __init__(self, period: float):
        self.period = period

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        exit_rate = cells["cycle.exit"] if "cycle.exit" in cells else np.empty((cells.n, 0))
        columns = (cells[name] for name in ("vital", "division.count", "senescence.limit", "senescence.level"))
        over_rows(arrest, cells.n, self.threads, *columns, exit_rate)
