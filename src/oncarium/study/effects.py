"""Effects over paired seeds, each with the interval of a bootstrap."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000  # of the bootstrap


@dataclass(frozen=True)
class Effect:
    """An effect over paired seeds: its value and the 95 % interval of a bootstrap over pairs."""

    value: float
    low: float
    high: float
    control: tuple[float, ...]
    perturbed: tuple[float, ...]


def effect_of(control: Sequence[float], perturbed: Sequence[float], kind: str) -> Effect:
    """Perturbed against control, pair by pair: ratio of means, or difference of means; or the mean of the control alone
    (level).

    >>> round(effect_of([10.0, 12.0, 11.0], [5.0, 6.0, 5.5], "ratio").value, 3)
    0.5
    """
    a, b = np.array(control, float), np.array(perturbed, float)
    good = np.isfinite(a) & np.isfinite(b)
    a, b = a[good], b[good]
    if not len(a):
        return Effect(math.nan, math.nan, math.nan, tuple(map(float, control)), tuple(map(float, perturbed)))
    # nothing there in either arm is no effect, something from nothing an endless one
    if kind == "ratio" and a.mean() == 0.0:
        value = 1.0 if b.mean() == 0.0 else math.inf
        return Effect(value, value, value, tuple(map(float, control)), tuple(map(float, perturbed)))
    pick = np.random.default_rng(0).integers(0, len(a), (RESAMPLES, len(a)))
    x, y = a[pick].mean(axis=1), b[pick].mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        many = {"ratio": y / x, "difference": y - x, "level": x}[kind]
    ratio = b.mean() / a.mean() if a.mean() else 0.0
    value = {"ratio": ratio, "difference": b.mean() - a.mean(), "level": a.mean()}[kind]
    low, high = np.nanquantile(many, [0.025, 0.975])
    return Effect(float(value), float(low), float(high), tuple(map(float, control)), tuple(map(float, perturbed)))


def dip_of(values: Sequence[Sequence[float]]) -> Effect:
    """The lowest mean of the inner points over the lower mean of the two ends; values (point, seed); control: the means
    of all points.

    >>> round(dip_of([[10.0, 11.0], [5.0, 6.0], [12.0, 12.0]]).value, 2)
    0.52
    """
    v = np.array(values, float)
    pick = np.random.default_rng(0).integers(0, v.shape[1], (RESAMPLES, v.shape[1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.vstack([v.mean(axis=1), v[:, pick].mean(axis=2).T])
        many = means[:, 1:-1].min(axis=1) / means[:, [0, -1]].min(axis=1)
    low, high = np.nanquantile(many[1:], [0.025, 0.975]) if np.isfinite(many).any() else (math.nan, math.nan)
    return Effect(float(many[0]), float(low), float(high), tuple(map(float, means[0])), ())
