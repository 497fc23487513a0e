"""A prodrug becomes what acts where oxygen lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...engine.process import Process, Tick
from ...engine.tissue import Tissue
from ...engine.why import Why, given


@dataclass(frozen=True)
class Turn:
    """What becomes of what: rate (1/min) without oxygen, oxygen (mmHg) at half of it, units of the product for one unit
    of the prodrug."""

    drug: str
    product: str
    rate: float
    oxygen: float
    share: float = 1.0


def activation(oxygen, rate, half):
    """1/min at which a prodrug is activated: rate K / (K + oxygen).

    >>> [round(float(activation(oxygen, 0.05, 1.5)), 6) for oxygen in (1.5, 0.0)]
    [0.025, 0.05]
    """
    return rate * half / (half + np.maximum(oxygen, 0.0))


class Prodrug(Process):
    """Activation of prodrugs.

    Equation    lost = rate K / (K + oxygen) prodrug;   the product, a factor of its own, gains what was lost in the
                step before: nothing is made twice, and it reaches its neighbors as far as it diffuses

    Adds to     fields.supply, fields.demand.
    """

    slot = "transport"
    reads = ("fields.value",)
    adds = ("fields.supply", "fields.demand")
    clock = "transport"

    @classmethod
    def why(cls, model) -> Why:
        turns = model.therapy.turns if model.therapy else ()
        return given(turns, ", ".join(f"{t.drug} is a prodrug" for t in turns), "no drug is a prodrug")

    @classmethod
    def of(cls, model, build, **options) -> Prodrug:
        return cls(build.minutes(cls.clock), [Turn(**vars(t)) for t in model.therapy.turns], **options)

    def __init__(self, period: float, turns: Sequence[Turn]):
        self.period = period
        self.turns = tuple(turns)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        fields = tissue.fields
        oxygen = fields.value[fields.index("oxygen")]
        for t in self.turns:
            prodrug, product = fields.index(t.drug), fields.index(t.product)
            rate = activation(oxygen, t.rate, t.oxygen)
            fields.demand[prodrug] += rate
            fields.supply[product] += t.share * rate * np.maximum(fields.value[prodrug], 0.0)
