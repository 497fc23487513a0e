"""Shares and biomarkers: Wilson's interval, the receiver operating characteristic with DeLong's interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError
from .survival import LEVEL, normal_quantile


def wilson(successes: int, trials: int, level: float = LEVEL) -> tuple[float, float, float]:
    """A share and its interval by Wilson's score. Raises InputError: no trials, more successes than trials.

    >>> [round(x, 4) for x in wilson(4, 20)]
    [0.2, 0.0807, 0.416]
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise InputError("share", f"{successes} of {trials};", "expected at least one trial, and no more successes.")
    z = normal_quantile(level)
    p = successes / trials
    middle = (p + z * z / (2.0 * trials)) / (1.0 + z * z / trials)
    half = z / (1.0 + z * z / trials) * math.sqrt(p * (1.0 - p) / trials + z * z / (4.0 * trials**2))
    return p, max(middle - half, 0.0) if successes else 0.0, min(middle + half, 1.0) if successes < trials else 1.0


@dataclass(frozen=True)
class Roc:
    """How well a marker tells responders: points of the curve, the area under it and DeLong's interval.

    thresholds    a marker of at least this much is called a responder     false, true   shares of the others and of
    responders so called     area   (estimate, low, high); 0.5 tells nothing     n   responders and others

    >>> found = roc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    >>> found.area[0], found.true.tolist()
    (0.75, [0.0, 0.5, 0.5, 1.0, 1.0])
    """

    thresholds: np.ndarray
    false: np.ndarray
    true: np.ndarray
    area: tuple[float, float, float]
    n: tuple[int, int]
    error: float = math.nan


def roc(marker: Any, responded: Any, level: float = LEVEL) -> Roc:
    """The curve of a marker. Raises InputError: fewer than one responder or one other, values that are no numbers.

    DeLong et al. 1988, Biometrics 44:837 (DOI 10.2307/2531595).
    """
    m, r = np.asarray(marker, float), np.asarray(responded, float)
    if m.shape != r.shape or m.ndim != 1 or not np.isfinite(m).all() or not np.isin(r, (0.0, 1.0)).all():
        raise InputError("marker", "expected as many finite numbers as responses, each 0 or 1.")
    yes, no = m[r == 1.0], m[r == 0.0]
    if not len(yes) or not len(no):
        raise InputError("responses", f"{len(yes)} responders and {len(no)} others;", "expected one of each at least.")
    at = np.concatenate([[math.inf], np.unique(m)[::-1]])
    true = np.array([(yes >= x).mean() for x in at])
    false = np.array([(no >= x).mean() for x in at])
    better = (yes[:, None] > no[None, :]) + 0.5 * (yes[:, None] == no[None, :])
    area = float(better.mean())
    v10, v01 = better.mean(1), better.mean(0)
    variance = sum(float(v.var(ddof=1)) / len(v) if len(v) > 1 else 0.0 for v in (v10, v01))
    error = math.sqrt(variance) if min(len(v10), len(v01)) > 1 else math.nan
    half = normal_quantile(level) * error
    return Roc(at, false, true, (area, max(area - half, 0.0), min(area + half, 1.0)), (len(yes), len(no)), error)
