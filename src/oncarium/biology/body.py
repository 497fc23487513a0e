"""The body around the tissue: blood, marrow and lymph node as compartments that feed each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..engine.process import Process, Tick
from ..engine.tissue import Tissue
from ..spec.body import Compartment

SUBSTEP = 1.0  # min: rates of the body are at most a few per hour


class Circulation(Process):
    """Compartments of the body.

    Equation    x' = gain D + (grow - loss - sum of flows) x + sum of inflows
                D = y / (y + half) where the compartment is driven by another one (y), else 1

    One number per compartment, 1 that of a healthy body. Cells that enter the tissue or leave it change the numbers by 1 / size (Recruitment).

    Sets        body.
    Order       fourth (Runge-Kutta), substeps of a minute.
    """

    section = "body"
    slot = "body"
    reads = ("body",)
    sets = ("body",)

    def __init__(self, period: float, compartments: Sequence[Compartment]):
        self.period = period
        self.compartments = list(compartments)
        names = [c.name for c in self.compartments]
        count = len(names)
        self.gain = np.array([c.gain for c in self.compartments])
        self.driver = np.array([names.index(c.by) if c.by else -1 for c in self.compartments])
        self.half = np.array([c.half for c in self.compartments])
        self.matrix = np.zeros((count, count))
        for k, c in enumerate(self.compartments):
            self.matrix[k, k] += c.grow - c.loss
            for target, rate in c.flows:
                self.matrix[k, k] -= rate
                self.matrix[names.index(target), k] += rate

    def change(self, level: np.ndarray) -> np.ndarray:
        """Rate of change of every compartment (1/min)."""
        driven = self.driver >= 0
        y = np.where(driven, level[self.driver], 0.0)
        share = np.where(driven, y / (y + self.half), 1.0)
        # one sum after another, so that no library's way of adding shows in the last digit
        flow = np.zeros_like(level)
        for k in range(len(level)):
            flow += self.matrix[:, k] * level[k]
        return self.gain * share + flow

    def step(self, tissue: Tissue, tick: Tick) -> None:
        steps = max(1, round(tick.dt / SUBSTEP))
        h, x = tick.dt / steps, tissue.body.level
        for _ in range(steps):
            a = self.change(x)
            b = self.change(x + 0.5 * h * a)
            c = self.change(x + 0.5 * h * b)
            d = self.change(x + h * c)
            x = x + h / 6.0 * (a + 2.0 * b + 2.0 * c + d)
        tissue.body.level = np.maximum(x, 0.0)
