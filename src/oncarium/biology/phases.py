"""Which phase of its cycle a cell is in, for rules that ask."""

from __future__ import annotations

import numpy as np

from ..engine.column import Signal
from ..engine.process import Process, Tick
from ..engine.tissue import Tissue
from ..engine.why import Why, spoken

NOW = Signal("1", axis="phase", ge=0.0, le=1.0, rare=True, doc="1 in the phase the cell is in", name="cycle.now")


class Phase(Process):
    """The phase as rules read it: `cycle.now.S` is 1 in S and 0 elsewhere.

    Column   Unit   Kind     Meaning
    now      1      Signal   1 for the present phase of the cycle, 0 for the others
    """

    section = "cycle"
    slot = "sense"
    reads = ("cycle.phase",)
    sets = ("cycle.now",)
    now = NOW

    @classmethod
    def why(cls, model) -> Why:
        return spoken(model, "cycle.now")

    def __init__(self, period: float):
        self.period = period

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        now = cells["cycle.now"]
        now[:] = 0.0
        now[np.arange(cells.n), cells["cycle.phase"]] = 1.0
