"""Survival: Kaplan-Meier, log-rank, Cox. Times are what the caller's are; an event is 1, a censored time 0.

Kaplan-Meier with Greenwood's variance and the interval of the logarithm of minus the logarithm, which stays within 0
and 1. The log-rank test takes any number of groups and strata. Cox's hazard ratio counts ties by Efron or Breslow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError

LEVEL = 0.95
TIES = ("efron", "breslow")
STEPS, FINE = 50, 1e-10  # of Newton's steps, and when they end


def _read(times: Any, events: Any) -> tuple[np.ndarray, np.ndarray]:
    t, e = np.asarray(times, float), np.asarray(events, float)
    if t.ndim != 1 or t.shape != e.shape or not len(t):
        raise InputError("survival", f"{t.size} times and {e.size} events;", "expected as many of both, at least one.")
    if not np.isfinite(t).all() or (t < 0.0).any():
        bad = t[~(np.isfinite(t) & (t >= 0.0))][0]
        raise InputError("survival", f"{bad:g} is no time;", "expected finite numbers from 0 on.")
    if not np.isin(e, (0.0, 1.0)).all():
        raise InputError("survival", f"{e[~np.isin(e, (0.0, 1.0))][0]:g} is no event;", "expected 1, or 0 (censored).")
    return t, e


def normal_quantile(level: float) -> float:
    """Standard deviations on either side of a normal distribution that hold this share.

    >>> round(normal_quantile(0.95), 4)
    1.96
    """
    from statistics import NormalDist

    return NormalDist().inv_cdf(0.5 + 0.5 * level)


@dataclass(frozen=True)
class KaplanMeier:
    """A survival curve: steps at `times`, `survival` from each on, its interval, how many are at risk just before.

    times    with an event or a censoring, from 0 on     events, censored   at each     at_risk   just before each
    median   smallest time at which survival is 0.5 or less, with its interval; inf where it is never

    >>> curve = kaplan_meier([1.0, 2.0, 3.0, 4.0], [1, 0, 1, 1])
    >>> curve.survival.round(3).tolist(), curve.median[0]
    ([1.0, 0.75, 0.75, 0.375, 0.0], 3.0)
    """

    times: np.ndarray
    survival: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    censored: np.ndarray
    error: np.ndarray
    name: str = ""

    def at(self, time: Any) -> np.ndarray:
        """Survival at times."""
        return self.survival[np.searchsorted(self.times, np.asarray(time, float), side="right") - 1]

    def number_at_risk(self, time: Any) -> np.ndarray:
        """How many are still followed, just before a time."""
        t = np.asarray(time, float)
        left = np.append(self.at_risk[1:], 0.0)  # after each step but before the next
        k = np.searchsorted(self.times, t, side="left")
        return np.where(k < len(self.times), np.append(self.at_risk, 0.0)[k], left[-1]).astype(int)

    @property
    def median(self) -> tuple[float, float, float]:
        """Median time and its interval."""
        return tuple(  # type: ignore[return-value]
            float(self.times[np.argmax(s <= 0.5)]) if (s <= 0.5).any() else math.inf
            for s in (self.survival, self.low, self.high)
        )


def kaplan_meier(times: Any, events: Any, level: float = LEVEL, name: str = "") -> KaplanMeier:
    """The curve of survival. Raises InputError: times below 0, events that are neither 0 nor 1."""
    t, e = _read(times, events)
    at = np.unique(np.concatenate([[0.0], t]))
    died = np.array([float(((t == x) & (e == 1.0)).sum()) for x in at])
    lost = np.array([float(((t == x) & (e == 0.0)).sum()) for x in at])
    risk = np.array([float((t >= x).sum()) for x in at])
    survival = np.cumprod(1.0 - died / risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        green = np.cumsum(np.where(died > 0.0, died / (risk * (risk - died)), 0.0))
        error = survival * np.sqrt(green)
        v = np.log(-np.log(survival))
        half = normal_quantile(level) * np.sqrt(green) / np.abs(np.log(survival))
        low, high = np.exp(-np.exp(v + half)), np.exp(-np.exp(v - half))
    inner = (survival > 0.0) & (survival < 1.0)
    low, high = np.where(inner, low, survival), np.where(inner, high, survival)
    return KaplanMeier(at, survival, low, high, risk, died, lost, np.where(survival > 0.0, error, 0.0), name)


@dataclass(frozen=True)
class LogRank:
    """Do groups survive alike? chi2 with `df` degrees of freedom; observed and expected events by group.

    >>> str(logrank([1, 2, 3, 4], [1, 1, 1, 1], ["a", "a", "b", "b"]))
    'log-rank chi2 2.88, df 1, p 0.0896'
    """

    chi2: float
    df: int
    p: float
    observed: Mapping[Any, float]
    expected: Mapping[Any, float]

    def __str__(self) -> str:
        return f"log-rank chi2 {self.chi2:.3g}, df {self.df}, p {self.p:.3g}"


def logrank(times: Any, events: Any, groups: Sequence[Any], strata: Sequence[Any] | None = None) -> LogRank:
    """The log-rank test of k groups, within strata where they are said. Raises InputError: fewer than two groups."""
    from scipy.stats import chi2 as distribution

    t, e = _read(times, events)
    names = list(dict.fromkeys(groups))
    if len(groups) != len(t) or (strata is not None and len(strata) != len(t)):
        raise InputError("groups", f"{len(groups)} entries and {len(t)} times.")
    if len(names) < 2:
        raise InputError("groups", "one group;", "expected two or more.")
    own = np.array([names.index(g) for g in groups])
    layer = (
        np.zeros(len(t), int)
        if strata is None
        else np.unique(np.array([str(s) for s in strata]), return_inverse=True)[1]
    )
    k = len(names)
    observed, expected, cov = np.zeros(k), np.zeros(k), np.zeros((k, k))
    for s in np.unique(layer):
        here = layer == s
        for x in np.unique(t[here & (e == 1.0)]):
            risk = np.bincount(own[here & (t >= x)], minlength=k).astype(float)
            died = np.bincount(own[here & (t == x) & (e == 1.0)], minlength=k).astype(float)
            n, d = risk.sum(), died.sum()
            observed += died
            expected += d * risk / n
            if n > 1.0:
                cov += d * (n - d) / (n - 1.0) * (np.diag(risk / n) - np.outer(risk, risk) / n**2)
    difference = (observed - expected)[:-1]
    value = float(difference @ np.linalg.pinv(cov[:-1, :-1]) @ difference)
    return LogRank(
        value, k - 1, float(distribution.sf(value, k - 1)), dict(zip(names, observed.tolist())),
        dict(zip(names, expected.tolist())),
    )  # fmt: skip


@dataclass(frozen=True)
class Cox:
    """Proportional hazards: coefficients with standard errors, hazard ratios with intervals, p values (Wald).

    >>> fit = cox([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 0], {"treated": [0, 1, 0, 1, 0, 1]})
    >>> [round(x, 2) for x in fit.hazard_ratio("treated")]
    [0.53, 0.09, 3.24]
    """

    names: tuple[str, ...]
    coefficients: np.ndarray
    errors: np.ndarray
    log_likelihood: float
    level: float = LEVEL

    def hazard_ratio(self, name: str = "") -> tuple[float, float, float]:
        """Hazard ratio and its interval; of the only covariate where no name is said."""
        k = self.names.index(name) if name else 0
        half = normal_quantile(self.level) * self.errors[k]
        b = self.coefficients[k]
        return math.exp(b), math.exp(b - half), math.exp(b + half)

    def p(self, name: str = "") -> float:
        """Two-sided p value (Wald)."""
        k = self.names.index(name) if name else 0
        return math.erfc(abs(self.coefficients[k] / self.errors[k]) / math.sqrt(2.0))


def cox(
    times: Any, events: Any, covariates: Mapping[str, Any], strata: Sequence[Any] | None = None, ties: str = "efron",
    level: float = LEVEL,
) -> Cox:  # fmt: skip
    """Fit hazards by Newton's method. ties: "efron" or "breslow". Raises InputError: a covariate that is the same for
    all, or that separates events completely (its hazard ratio would be infinite)."""
    t, e = _read(times, events)
    if ties not in TIES:
        raise InputError("ties", f"no way to count ties is called '{ties}';", f"expected {' or '.join(TIES)}.")
    names = tuple(covariates)
    x = np.array([np.asarray(covariates[n], float) for n in names]).T.reshape(len(t), len(names))
    if not np.isfinite(x).all():
        raise InputError("covariates", "a value is not finite.")
    for k, name in enumerate(names):
        if np.ptp(x[:, k]) == 0.0:
            raise InputError(name, "it is the same for all;", "expected a covariate that varies.")
    if not e.any():
        raise InputError("events", "none happened;", "expected at least one.")
    layer = (
        np.zeros(len(t), int)
        if strata is None
        else np.unique(np.array([str(s) for s in strata]), return_inverse=True)[1]
    )
    center, scale = x.mean(0), x.std(0)
    z = (x - center) / scale
    b = np.zeros(len(names))
    value, gradient, hessian = _partial(z, t, e, layer, b, ties)
    for _ in range(STEPS):
        step = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        while (new := _partial(z, t, e, layer, b + step, ties))[0] < value - 1e-12:
            step = 0.5 * step
        b, (value, gradient, hessian) = b + step, new
        if np.abs(step).max() < FINE:
            break
    worst = int(np.argmax(np.abs(b)))
    if np.abs(b).max() > 15.0 or np.linalg.cond(hessian) > 1e12:
        raise InputError(names[worst], "it separates events completely, or another covariate says the same;",
                         "its hazard ratio has no end.")  # fmt: skip
    errors = np.sqrt(np.diag(np.linalg.inv(hessian)))
    return Cox(names, b / scale, errors / scale, value, level)


def _partial(
    z: np.ndarray, t: np.ndarray, e: np.ndarray, layer: np.ndarray, b: np.ndarray, ties: str
) -> tuple[float, np.ndarray, np.ndarray]:
    """Logarithm of the partial likelihood, its gradient and minus its second derivatives."""
    p = z.shape[1]
    value, gradient, hessian = 0.0, np.zeros(p), np.zeros((p, p))
    weight = np.exp(z @ b)
    for s in np.unique(layer):
        rows = np.flatnonzero(layer == s)
        rows = rows[np.argsort(-t[rows], kind="stable")]  # the latest first: those at risk add up
        s0, s1, s2 = 0.0, np.zeros(p), np.zeros((p, p))
        k = 0
        while k < len(rows):
            same = rows[k : k + int((t[rows[k:]] == t[rows[k]]).sum())]
            k += len(same)
            zs, ws = z[same], weight[same]
            s0, s1, s2 = s0 + ws.sum(), s1 + ws @ zs, s2 + (zs * ws[:, None]).T @ zs
            dead = same[e[same] == 1.0]
            d = len(dead)
            if not d:
                continue
            zd, wd = z[dead], weight[dead]
            value += float((zd @ b).sum())
            gradient = gradient + zd.sum(0)
            d0, d1, d2 = wd.sum(), wd @ zd, (zd * wd[:, None]).T @ zd
            for j in range(d):
                share = j / d if ties == "efron" else 0.0
                a0, a1, a2 = s0 - share * d0, s1 - share * d1, s2 - share * d2
                value -= math.log(a0)
                gradient = gradient - a1 / a0
                hessian = hessian + a2 / a0 - np.outer(a1, a1) / a0**2
    return value, gradient, hessian
