"""Drugs hold dissolved factors: what is bound is a factor of its own, and what everybody hears is the free rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from ...engine.process import Process, Tick
from ...engine.tissue import Tissue
from ...engine.why import Why, given


@dataclass(frozen=True)
class Hold:
    """How a drug holds a factor: on (1/nM/min), off (1/min), nM in one unit of the drug, of the factor and of what both
    are together."""

    drug: str
    factor: str
    complex: str
    on: float
    off: float
    nanomolar: tuple[float, float, float] = (1.0, 1.0, 1.0)


@njit(cache=True, nogil=True)
def caught(drug, free, bound, on, off, dt):
    """Rates (1/min of the free factor, nM/min) at which a drug takes a factor and gives it back, in a step of dt min
    that is implicit in drug and bound: no drug is used twice where the factor outnumbers it.

    >>> take, give = caught(10.0, 0.1, 0.0, 1.0, 1.0, 1e-6)
    >>> round(take, 4), give
    (10.0, 0.0)
    """
    slow = 1.0 + dt * (off + on * free)
    return on * drug / slow, off * bound / slow


@njit(cache=True, nogil=True)
def _hold(drug, free, bound, on, off, dt, scale, supply, demand, take, give):
    """scale: units of the drug, the factor and the bound in nM."""
    for v in range(free.shape[0]):
        if drug[v] <= 0.0 and bound[v] <= 0.0:
            take[v] = give[v] = 0.0
            continue
        now = (max(drug[v], 0.0) * scale[0], max(free[v], 0.0) * scale[1], max(bound[v], 0.0) * scale[2])
        take[v], give[v] = caught(now[0], now[1], now[2], on, off, dt)
        demand[v] += take[v]
        supply[v] += give[v] / scale[1]


@njit(cache=True, nogil=True)
def _settle(drug, free, bound, take, give, dt, scale):
    """What was caught in the step leaves the drug and joins the bound."""
    for v in range(free.shape[0]):
        moved = dt * (take[v] * max(free[v], 0.0) * scale[1] - give[v])
        moved = min(max(moved, -bound[v] * scale[2]), drug[v] * scale[0])
        drug[v] -= moved / scale[0]
        bound[v] += moved / scale[2]


class Neutralising(Process):
    """A drug D holds a factor L.

    Equation    L + D <-> LD,   LD' = on D L - off LD   per voxel

    L stays what is free, so that cells, vessels and gradients hear it without knowing of the drug; LD is a factor of
    its own (`DRUG_FACTOR`) that diffuses and leaves by blood as a molecule of both masses does. An effective free share
    was the other choice: it has no complex that outlives the free factor, and so no rise of the total.

    Numerics    L loses implicitly, with its own transport; LD and the drug then change by what it lost (`Held`): the
                three add up, for any step.
    Adds to     fields.supply, fields.demand.
    """

    slot = "transport"
    reads = ("fields.value",)
    adds = ("fields.supply", "fields.demand")
    clock = "transport"

    @classmethod
    def why(cls, model) -> Why:
        holds = model.therapy.holds if model.therapy else ()
        return given(
            holds, ", ".join(f"{h.drug} holds {h.factor}" for h in holds), "no drug holds a factor of the model"
        )

    @classmethod
    def of(cls, model, build, **options) -> Neutralising:
        return cls(build.minutes(cls.clock), [Hold(**vars(h)) for h in model.therapy.holds], **options)

    def __init__(self, period: float, holds: Sequence[Hold]):
        self.period = period
        self.holds = tuple(holds)

    def prepare(self, tissue: Tissue) -> None:
        fields = tissue.fields
        self.rows = [tuple(fields.index(name) for name in (h.drug, h.factor, h.complex)) for h in self.holds]
        self.take, self.give = (np.zeros((len(self.holds), fields.value[0].size)) for _ in range(2))

    def step(self, tissue: Tissue, tick: Tick) -> None:
        fields = tissue.fields
        value, supply, demand = (a.reshape(len(a), -1) for a in (fields.value, fields.supply, fields.demand))
        for k, (h, (d, f, b)) in enumerate(zip(self.holds, self.rows)):
            given = (value[d], value[f], value[b], h.on, h.off, tick.dt, h.nanomolar)
            _hold(*given, supply[f], demand[f], self.take[k], self.give[k])


class Held(Process):
    """What drugs have caught in the step that was just transported. See Neutralising."""

    slot = "sense"
    adds = ("fields.value",)
    clock = "transport"

    @classmethod
    def why(cls, model) -> Why:
        return Neutralising.why(model)

    @classmethod
    def of(cls, model, build, **options) -> Held:
        return cls(build.minutes(cls.clock), build[Neutralising], **options)

    def __init__(self, period: float, neutralising: Neutralising):
        self.period = period
        self.neutralising = neutralising

    def step(self, tissue: Tissue, tick: Tick) -> None:
        value, all = tissue.fields.value.reshape(len(tissue.fields.value), -1), self.neutralising
        for k, (h, (d, f, b)) in enumerate(zip(all.holds, all.rows)):
            _settle(value[d], value[f], value[b], all.take[k], all.give[k], tick.dt, h.nanomolar)
