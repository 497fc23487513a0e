"""Given voxels exchange factors with the blood behind them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..engine.process import Process, Tick
from ..engine.tissue import Tissue
from ..engine.why import Why, given


class Supply(Process):
    """Exchange of factors between supply voxels and blood.

    Equation    dc/dt = exchange (outside - c) in every supply voxel: exchange = permeability x surface / voxel volume

    Adds to     fields.supply (exchange x outside) and fields.demand (exchange); Transport solves with both.
    Source      Robin exchange as of a vessel wall; a given voxel stands for a vessel that crosses it.

    exchanges   (voxels, factor, exchange 1/min, outside concentration): flat voxel numbers and index of the factor
    """

    section = "supply"
    slot = "transport"
    adds = ("fields.supply", "fields.demand")

    clock = "transport"

    @classmethod
    def why(cls, model) -> Why:
        return given(any(s.factors for s in model.patient.supply), "supply", "the model has no supply")

    @classmethod
    def of(cls, model, build, **options) -> Supply:
        factors = [f.name for f in model.factors]
        supplied = [(build.inside(s.region), s.factors) for s in model.patient.supply]
        exchanges = [
            (voxels, factors.index(name), rate, outside) for voxels, given in supplied for name, rate, outside in given
        ]
        return cls(build.minutes(cls.clock), exchanges, **options)

    def __init__(self, period: float, exchanges: Sequence[tuple[np.ndarray, int, float, float]]):
        self.period = period
        self.exchanges = list(exchanges)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        fields = tissue.fields
        for voxels, f, rate, outside in self.exchanges:
            fields.supply[f].reshape(-1)[voxels] += rate * outside
            fields.demand[f].reshape(-1)[voxels] += rate
