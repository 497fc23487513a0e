"""The body around the tissue: blood, marrow and lymph node as compartments that feed each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from ...engine.process import Process, Tick
from ...engine.tissue import Tissue
from ...engine.why import Why, given
from ...model.body import Compartment

SUBSTEP = 1.0  # min: rates of the body are at most a few per hour


@njit(cache=True, nogil=True, error_model="numpy")
def change(level, gain, driver, half, matrix, driven):
    """Rate of change of every compartment (1/min); driver (compartment): that which drives it, or -1. driven: flows
    that a compartment drives: (flow, from, to, by) and (flow, 1/min, half)."""
    out = np.empty_like(level)
    for m in range(level.shape[0]):
        y = level[driver[m]]
        share = y / (y + half[m]) if driver[m] >= 0 else 1.0
        flow = 0.0  # one sum after another, so that no library's way of adding shows in the last digit
        for k in range(level.shape[0]):
            flow += matrix[m, k] * level[k]
        out[m] = gain[m] * share + flow
    ways, rates = driven
    for k in range(ways.shape[0]):
        y = level[ways[k, 2]]
        passed = rates[k, 0] * y / (y + rates[k, 1]) * level[ways[k, 0]]
        out[ways[k, 0]] -= passed
        out[ways[k, 1]] += passed
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def circulate(x, h, steps, gain, driver, half, matrix, driven):
    """Levels after so many steps of h min."""
    for _ in range(steps):
        a = change(x, gain, driver, half, matrix, driven)
        b = change(x + 0.5 * h * a, gain, driver, half, matrix, driven)
        c = change(x + 0.5 * h * b, gain, driver, half, matrix, driven)
        d = change(x + h * c, gain, driver, half, matrix, driven)
        x = x + h / 6.0 * (a + 2.0 * b + 2.0 * c + d)
    return x


class Circulation(Process):
    """Compartments of the body.

    Equation    x' = gain D + (grow - loss - sum of flows) x + sum of inflows
                D = y / (y + half) where the compartment is driven by another one (y), else 1; so are flows

    One number per compartment, 1 that of a healthy body. Cells that enter the tissue or leave it change the numbers by
    1 / size (Recruitment).

    Sets        body.
    Order       fourth (Runge-Kutta), substeps of a minute.
    """

    section = "body"
    slot = "body"
    reads = ("body",)
    sets = ("body",)

    @classmethod
    def why(cls, model) -> Why:
        return given(model.patient.compartments, "body", "the model has no body")

    @classmethod
    def of(cls, model, build, **options) -> Circulation:
        return cls(build.minutes(cls.clock), model.patient.compartments, **options)

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
            for f in c.flows:
                if not f.by:
                    self.matrix[k, k] -= f.rate
                    self.matrix[names.index(f.to), k] += f.rate
        flows = [(k, f) for k, c in enumerate(self.compartments) for f in c.flows if f.by]
        ways = [(k, names.index(f.to), names.index(f.by)) for k, f in flows]
        self.driven = (
            np.array(ways, np.int64).reshape(-1, 3),
            np.array([(f.rate, f.half) for _, f in flows], float).reshape(-1, 2),
        )

    def step(self, tissue: Tissue, tick: Tick) -> None:
        steps = max(1, round(tick.dt / SUBSTEP))
        said = (self.gain, self.driver, self.half, self.matrix, self.driven)
        if tissue.plasma is not None and (tissue.plasma.on_body or tissue.plasma.carried):
            said = self._under_drugs(tissue)
        level = circulate(tissue.body.level, tick.dt / steps, steps, *said)
        tissue.body.level = np.maximum(level, 0.0)

    def _under_drugs(self, tissue: Tissue) -> tuple:
        """The same numbers as drugs in blood have them: gains, losses and flows, each so many times what it was; what a
        drug carries along is gained by the share of it that is free, which its compartment follows within its own
        turnover."""
        gain, matrix, rates = self.gain.copy(), self.matrix.copy(), self.driven[1].copy()
        names = [c.name for c in self.compartments]
        for ligand in tissue.plasma.carried:
            gain[names.index(ligand.compartment)] *= tissue.plasma.left(ligand)
        for effect in tissue.plasma.on_body:
            times = effect.times(tissue.plasma.free[tissue.plasma.index(effect.drug)])
            k, what = names.index(effect.target[0]), effect.target[1]
            if what == "gain":
                gain[k] *= times
            elif what == "loss":
                matrix[k, k] -= (times - 1.0) * self.compartments[k].loss
            else:
                to = names.index(what)
                matrix[k, k] -= (times - 1.0) * matrix[to, k]
                matrix[to, k] *= times
                rates[(self.driven[0][:, 0] == k) & (self.driven[0][:, 1] == to), 0] *= times
        return gain, self.driver, self.half, matrix, (self.driven[0], rates)
