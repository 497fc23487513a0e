"""Cells that have left the domain stay as they are: they neither
age nor act, and after a move of their own nobody feels them."""

from __future__ import annotations

import numpy as np

from ..engine.cells import Cells
from ..engine.column import State
from ..engine.process import Process, Tick
from ..engine.tissue import Tissue
from ..engine.why import Why, given
from .vital import FROZEN

INSIDE, BORN_OUTSIDE, LEFT = 0, 1, 2
TRADES = ("secretion.rate", "secretion.approach", "secretion.uptake", "metabolism.consumption")
OUTSIDE = State(
    "1",
    dtype=np.uint8,
    inherit="default",
    doc="0 inside, 1 placed or born outside the domain, 2 has left it",
    name="outside",
)


def beyond(position: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Which positions (cell, xyz) um lie outside the box."""
    return np.any((position < lower) | (position > upper), axis=1)


def free(cells: Cells) -> np.ndarray:
    """(cell) above 0.5 where a cell can be moved: it is movable and inside."""
    movable = cells["mechanics.movable"] if "mechanics.movable" in cells else np.ones(cells.n)
    if OUTSIDE.name in cells and cells[OUTSIDE.name].any():
        return movable * (cells[OUTSIDE.name] == INSIDE)
    return movable


class Freeze(Process):
    """Until it thaws, a cell outside the domain has a vital state that no mechanism acts on.

    Column    Unit   Kind    Meaning
    outside   1      State   0 inside, 1 placed or born outside, 2 has left
    """

    adds = ("vital",)
    outside = OUTSIDE

    @classmethod
    def why(cls, model) -> Why:
        return given(True, "a cell may lie outside the domain")

    def __init__(self, period: float, freeze: bool):
        self.period = period
        self.freeze = freeze

    @property
    def name(self) -> str:
        """What it does with cells outside the domain."""
        return "Freeze" if self.freeze else "Thaw"

    def prepare(self, tissue: Tissue) -> None:
        grid, cells = tissue.fields.grid, tissue.cells
        lost = beyond(cells.position, np.array(grid.lower, float), np.array(grid.upper, float))
        cells["outside"][lost & (cells["outside"] == INSIDE)] = BORN_OUTSIDE
        for name in TRADES:
            if name in cells:
                cells[name][lost] = 0.0

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        outside = cells["outside"]
        if not outside.any():
            return
        vital = cells["vital"]
        vital[:] = np.where(outside > 0, vital | FROZEN, vital) if self.freeze else vital & ~np.uint8(FROZEN)


class FreezePlaced(Freeze):
    """The same for a whole tick, where cells can be outside only because they were placed there."""

    clock = "transport"

    @classmethod
    def why(cls, model) -> Why:
        return given(model.cells_outside, "cells are placed outside the domain", "no cell is placed outside the domain")
