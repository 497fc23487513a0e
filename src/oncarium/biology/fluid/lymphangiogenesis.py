"""VEGF-C makes lymph vessels grow where there are some."""

from __future__ import annotations

import numpy as np

from ...engine.process import Number, Process, Tick
from ...engine.tissue import Tissue

RATE = 0.2 / 1440.0  # 1/min at saturating VEGF-C: twice as many within four days (assumed)
HALF = 0.1  # nM of VEGF-C at half of it (assumed)
MOST = 3.0  # times normal tissue (assumed; two to four times in counts at the margin of tumors)


def grown(lymph: np.ndarray, rate: np.ndarray, most: float, dt: float) -> np.ndarray:
    """Lymph vessels after dt min of l' = rate l (1 - l / most); exact. What is beyond `most` already stays.

    >>> grown(np.array([0.0, 1.0, 4.0]), np.array([0.1] * 3), 3.0, 1e4).tolist()
    [0.0, 3.0, 4.0]
    """
    fewer = np.exp(-rate * dt)
    return np.where(lymph < most, lymph * most / np.maximum(lymph + (most - lymph) * fewer, 1e-300), lymph)


class Lymphangiogenesis(Process):
    """Lymphangiogenesis.

    Equation    l' = rate c / (c + half) l (1 - l / most)

    c is VEGF-C (nM). New vessels come from those that are there: none grow into a nest without any, so they become more
    at its margin. Whether they drain is said by the stress that presses them (Lymph).

    Sets        fluid.lymph.
    Source      Skobe et al. 2001, Nat Med 7:192 (DOI 10.1038/84643): VEGF-C of tumors makes lymph vessels grow around
                them, and metastases in lymph nodes more frequent; numbers assumed.
    """

    group = "fluid.lymphangiogenesis"
    numbers = (
        Number("rate", "1/min", RATE, "assumed 4.6e-05..0.00042", "of growth with all the VEGF-C they can use", ge=0.0),
        Number("half", "nM", HALF, "assumed 0.033..0.3", "VEGF-C at half of it", ge=1e-9),
        Number("most", "1", MOST, "assumed 1..9", "lymph vessels at most, 1 as in normal tissue", ge=1.0, le=10.0),
    )
    section = "fluid"
    slot = "remodel"
    part = "fluid"
    needs = ("vegfc",)
    reads = ("fields.value",)
    adds = ("fluid.lymph",)

    @classmethod
    def of(cls, model, build, **options) -> Lymphangiogenesis:
        return cls(model.fluid.period, **cls.said(model), **options)

    def __init__(self, period: float = 60.0, rate: float = RATE, half: float = HALF, most: float = MOST):
        self.period = period
        self.rate, self.half, self.most = rate, half, most

    def step(self, tissue: Tissue, tick: Tick) -> None:
        fields, fluid = tissue.fields, tissue.fluid
        vegfc = np.maximum(fields.value[fields.index("vegfc")], 0.0)
        fluid.lymph[...] = grown(fluid.lymph, self.rate * vegfc / (vegfc + self.half), self.most, tick.dt)
