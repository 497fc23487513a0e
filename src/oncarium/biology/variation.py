"""No two cells of a type are alike: receptor numbers and the like differ from cell to cell."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numba import njit

from ..engine.column import Column, State
from ..engine.process import Process, Tick
from ..engine.random import normal, stream_of
from ..engine.tissue import Tissue
from ..engine.why import Why, given


def column_of(behavior: str) -> str:
    """Column that holds a cell's own factor of a behavior."""
    return f"varies.{behavior}"


@njit(cache=True, nogil=True)
def draw(seed, stream, keys, rows, sigma, out):
    """out[k] = exp(s z - s^2 / 2), mean 1, of the cells in these rows; z is standard normal, s = sigma (row)."""
    for k in range(rows.shape[0]):
        out[k] = math.exp(sigma[k] * normal(seed, stream, 0, keys[rows[k]], 0) - 0.5 * sigma[k] ** 2)


class Variation(Process):
    """Every cell has factors of its own, by which its behaviors are larger or smaller than its type's.

    Equation    f = exp(sigma z - sigma^2 / 2),  z standard normal: log-normal with mean 1

    A cell draws its factors at its first decision, by its random key, so that nothing else decides them. Rules multiply
    what they make of a behavior with it (their base and their ends alike); a behavior that no rule changes is
    multiplied once. A daughter has her mother's factors. A cell that changes its type keeps its z, and has the sigma
    of its new type. Bounds of the column hold.

    Column           Unit   Kind    Meaning
    varies.BEHAVIOR  1      State   the cell's factor of a behavior; 0 before its first decision
    """

    slot = "decide"

    @classmethod
    def why(cls, model) -> Why:
        return given([t for t in model.types if t.varies], "varies", "cells of a type are alike")

    @classmethod
    def of(cls, model, build, **options) -> Variation:
        sigmas: dict[tuple[str, str | None], np.ndarray] = {}
        for k, t in enumerate(model.types):
            for v in t.varies:
                sigmas.setdefault((v.column, v.label), np.zeros(len(model.types)))[k] = v.sigma
        return cls(build.minutes(cls.clock), sigmas, **options)

    def __init__(self, period: float, sigmas: dict[tuple[str, str | None], np.ndarray]):
        self.period = period
        self.sigmas = sigmas

    def columns(self) -> Sequence[Column]:  # type: ignore[override]
        """One factor of each behavior that varies."""
        return [State("1", ge=0.0, at_change="zero", name=column_of(self._name(*at))) for at in self.sigmas]

    @staticmethod
    def _name(column: str, label: str | None) -> str:
        return column if label is None else f"{column}.{label}"

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        for (column, label), sigma in self.sigmas.items():
            name = self._name(column, label)
            own = cells[column_of(name)]
            rows = np.flatnonzero(own == 0.0)
            if not len(rows):
                continue
            factor, stream = np.empty(len(rows)), stream_of(f"{self.name} {name}")
            draw(np.uint64(tick.seed), stream, cells.key, rows, sigma[cells.type[rows]], factor)
            own[rows] = factor
            values = cells[column] if label is None else cells[column][:, cells.labels(column).index(label)]
            most = cells.column(column).le
            values[rows] = np.minimum(values[rows] * factor, np.inf if most is None else most)
