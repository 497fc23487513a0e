"""Statistics of few paired values, looked at more than once.

The variance of each effect is shrunk toward what the other effects of the same run have (Smyth 2004, Stat Appl Genet
Mol Biol 3:3, DOI 10.2202/1544-6115.1027), so that three pairs are not left with two degrees of freedom. Looks at 3, 5,
8, 12 and 20 pairs share one error rate: each spends a part of it, and the p value of where it ended counts all that was
spent before. Many effects are told by their false discovery rate
(Benjamini & Hochberg 1995, DOI 10.1111/j.2517-6161.1995.tb02031.x).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LOOKS = (3, 5, 8, 12, 20)  # pairs of seeds
SPENT = (0.004, 0.006, 0.010, 0.015, 0.025)  # one-sided error that may be made up to each look
FUTILE = 0.05  # probability of showing the effect at the last look, below which it is given up


@dataclass(frozen=True)
class Prior:
    """What other effects say of a variance: it is `variance`, as if from `df` degrees of freedom; at most `most` in
    all."""

    variance: float = math.nan
    df: float = 0.0
    most: float = math.inf


def fit_prior(variances: Sequence[float], dfs: Sequence[float]) -> Prior:
    """The prior of a family of variances, by the moments of their logarithms. Two variances above 0, or there is none.

    >>> fit_prior([1.0, 1.0, 1.0, 1.0], [2, 2, 2, 2]).df    # as like as they can be: one variance for all
    inf
    """
    from scipy.special import digamma, polygamma

    s, d = np.array(variances, float), np.array(dfs, float)
    good = np.isfinite(s) & (s > 0.0) & (d > 0.0)
    s, d = s[good], d[good]
    if len(s) < 2:
        return Prior()
    e = np.log(s) - digamma(d / 2.0) + np.log(d / 2.0)
    spread = e.var(ddof=1) - polygamma(1, d / 2.0).mean()
    if spread <= 0.0:
        return Prior(float(np.exp(e.mean())), math.inf, float(d.sum()))
    df = 2.0 * inverse_trigamma(float(spread))
    return Prior(float(np.exp(e.mean() + digamma(df / 2.0) - np.log(df / 2.0))), df, float(d.sum()))


def inverse_trigamma(y: float) -> float:
    """x at which trigamma(x) is y, by Newton's steps on its inverse, which is nearly straight.

    >>> from scipy.special import polygamma
    >>> round(float(polygamma(1, inverse_trigamma(0.3))), 12)
    0.3
    """
    from scipy.special import polygamma

    if y > 1e7:
        return 1.0 / math.sqrt(y)
    x = 0.5 + 1.0 / y
    for _ in range(50):
        t = float(polygamma(1, x))
        step = t * (1.0 - t / y) / float(polygamma(2, x))
        x += step
        if -step / x < 1e-12:
            break
    return x


@dataclass(frozen=True)
class Estimate:
    """The mean of paired values on the scale they are compared on (logs of ratios, or differences), its standard error
    and degrees of freedom, and how many pairs there are. same: both arms ran the same course in every pair."""

    value: float = math.nan
    error: float = math.nan
    df: float = 0.0
    n: int = 0
    same: bool = False

    def interval(self, level: float = 0.9) -> tuple[float, float]:
        """Two-sided interval.

        >>> low, high = Estimate(1.0, 0.5, 2.0, 3).interval(0.95)
        >>> round(high - 1.0, 3)      # 4.303 standard errors
        2.151
        """
        from scipy.stats import t

        far = 0.0 if self.same else self.error * float(t.ppf(0.5 + level / 2.0, self.df)) if self.df > 0 else math.inf
        return self.value - far, self.value + far

    def p(self, sign: float, at: float = 0.0) -> float:
        """One-sided p value of lying above (sign 1) or below (sign -1) a value."""
        from scipy.stats import t

        if not self.df > 0.0 or math.isnan(self.value):
            return 1.0
        if self.error == 0.0:
            return 0.0 if sign * (self.value - at) > 0.0 else 1.0
        return float(t.sf(sign * (self.value - at) / self.error, self.df))


def estimate(values: Sequence[float], prior: Prior | None = None) -> Estimate:
    """The mean of paired values with a moderated error; what is not finite is left out.

    By hand: the values 1, 2, 3 have variance 1 with 2 degrees of freedom; a prior of 0.25 with 2 makes it
    (2 * 0.25 + 2 * 1) / 4 = 0.625.

    >>> found = estimate([1.0, 2.0, 3.0], Prior(0.25, 2.0))
    >>> found.value, found.df, round(found.error**2 * 3, 6)
    (2.0, 4.0, 0.625)
    """
    y = np.array(values, float)
    y = y[np.isfinite(y)]
    if not len(y):
        return Estimate()
    prior, d, n = prior or Prior(), float(len(y) - 1), len(y)
    s = float(y.var(ddof=1)) if n > 1 else 0.0
    if math.isinf(prior.df):
        variance, df = prior.variance, prior.most
    elif prior.df > 0.0:
        variance, df = (prior.df * prior.variance + d * s) / (prior.df + d), min(prior.df + d, max(prior.most, d))
    else:
        variance, df = s, d
    return Estimate(float(y.mean()), math.sqrt(variance / n), df, n, bool(n > 1 and not y.any()))


def level(n: int) -> float:
    """One-sided p value at which the look at n pairs decides: what may be spent at it, so that the sum of all looks
    bounds the error however they hang together (walks of t, with few pairs, do so less than those of normal scores,
    whose boundaries made 0.027 in place of 0.025). Between looks that of the one before; before the first, none.

    >>> [round(level(n), 3) for n in (2, *LOOKS)]
    [0.0, 0.004, 0.002, 0.004, 0.005, 0.01]
    """
    k = look(n)
    return SPENT[k] - (SPENT[k - 1] if k else 0.0) if k >= 0 else 0.0


def look(n: int) -> int:
    """Number of the look that n pairs suffice for; -1: none."""
    return sum(n >= x for x in LOOKS) - 1


def adjusted(p: float, n: int) -> float:
    """The p value of an effect that was looked at until n pairs: what was spent before, and its own.

    >>> adjusted(0.004, 3), adjusted(0.004, 20)
    (0.004, 0.019)
    """
    k = look(n)
    return 1.0 if k < 0 else min(1.0, p + (SPENT[k - 1] if k else 0.0))


def will_show(found: Estimate, sign: float, n: int) -> float:
    """Probability that with n pairs the effect is shown in its direction, by what was seen so far."""
    from scipy.stats import norm, t

    if found.n >= n or math.isnan(found.value) or found.df <= 0.0:
        return float(found.p(sign) < level(n))
    if found.error == 0.0:
        return float(sign * found.value > 0.0)
    one = found.error * math.sqrt(found.n)  # of a single pair
    need = float(norm.isf(level(n))) * one / math.sqrt(n)
    spread = one * math.sqrt((n - found.n) / (n * found.n))
    return float(t.sf((need - sign * found.value) / spread, found.df))


def will_settle(found: Estimate, low: float, high: float, n: int, level: float = 0.9) -> float:
    """Probability that with n pairs the interval lies wholly within two limits, or wholly beyond one."""
    from scipy.stats import t

    if found.n >= n or found.df <= 0.0 or not found.error > 0.0:
        return 0.0
    one = found.error * math.sqrt(found.n)
    half, spread = (
        one / math.sqrt(n) * float(t.ppf(0.5 + level / 2.0, found.df)),
        one * math.sqrt((n - found.n) / (n * found.n)),
    )

    def below(x: float) -> float:
        return float(t.cdf((x - found.value) / spread, found.df))

    within = max(0.0, below(high - half) - below(low + half))
    return min(1.0, within + below(low - half) + 1.0 - below(high + half))


def false_discovery(p: Sequence[float]) -> list[float]:
    """q values of p values (Benjamini-Hochberg); nan stays nan.

    >>> false_discovery([0.01, 0.04, 0.03, 0.5])
    [0.04, 0.05333333333333334, 0.05333333333333334, 0.5]
    """
    p_ = np.array(p, float)
    q = np.full(len(p_), math.nan)
    good = np.flatnonzero(np.isfinite(p_))
    order = good[np.argsort(p_[good], kind="stable")]
    worst = 1.0
    for rank in range(len(order), 0, -1):
        worst = min(worst, float(p_[order[rank - 1]]) * len(order) / rank)
        q[order[rank - 1]] = worst
    return [float(x) for x in q]


EQUIVALENT, DIFFERENT, OPEN = "equivalent", "different", "inconclusive"


def equivalence(found: Estimate, margin: float, level: float = 0.9) -> str:
    """Whether an effect is nothing: its interval lies within the margin (two one-sided tests), beyond it, or neither.

    >>> equivalence(Estimate(0.01, 0.01, 10, 5), 0.1), equivalence(Estimate(0.3, 0.01, 10, 5), 0.1)
    ('equivalent', 'different')
    >>> equivalence(Estimate(0.1, 0.05, 10, 5), 0.1)
    'inconclusive'
    """
    if found.same:
        return EQUIVALENT
    low, high = found.interval(level)
    if math.isnan(low):
        return OPEN
    if -margin < low and high < margin:
        return EQUIVALENT
    return DIFFERENT if low > margin or high < -margin else OPEN
