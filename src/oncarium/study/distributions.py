"""How a number varies among patients, as one line: "log-normal 5 um sd 0.3", "uniform 0.01..0.04 1/h".

uniform LOW..HIGH          log-uniform LOW..HIGH          triangular LOW..MODE..HIGH
normal MEAN sd SD          log-normal MEDIAN sd SD (of the natural logarithm)
range LOW..HIGH            nine of ten patients lie within (log-normal where LOW is above 0, else normal)
fixed VALUE

A unit follows the numbers; `within LOW..HIGH` cuts the tails off.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from ..errors import did_you_mean
from ..units import UnitError

KINDS = ("uniform", "log-uniform", "triangular", "normal", "log-normal", "range", "fixed")
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
TEXT = re.compile(
    rf"(?P<kind>[a-z-]+)\s+(?P<ends>{NUMBER}(?:\.\.{NUMBER}){{0,2}})(?:\s+(?!sd\b|within\b)(?P<unit>\S+))?"
    rf"(?:\s+sd\s+(?P<sd>{NUMBER}))?(?:\s+(?!within\b)(?P<after>\S+))?(?:\s+within\s+(?P<low>{NUMBER})\.\.(?P<high>{NUMBER}))?"
)
NINE_OF_TEN = NormalDist().inv_cdf(0.95)
STANDARD = NormalDist()


@dataclass(frozen=True)
class Distribution:
    """Of one number, in one unit.

    kind   uniform, log-uniform, triangular, normal, log-normal or fixed
    ends   its numbers: low and high; low, mode and high; mean (median) and sd; or the value
    low, high   where its tails are cut off
    """

    kind: str
    ends: tuple[float, ...]
    unit: str = "1"
    low: float = -math.inf
    high: float = math.inf

    def quantile(self, share: Any) -> np.ndarray:
        """The number below which so large a share of patients lies.

        >>> read_distribution("log-uniform 1..100 um").quantile([0.0, 0.5, 1.0]).round(9).tolist()
        [1.0, 10.0, 100.0]
        """
        u = np.asarray(share, float)
        if self.kind in ("normal", "log-normal"):
            from scipy.special import ndtr, ndtri

            a, b = (float(ndtr(self._standard(x))) for x in (self.low, self.high))
            z = ndtri(np.clip(a + u * (b - a), 1e-15, 1.0 - 1e-15))
            x = self.ends[0] + self.ends[1] * z if self.kind == "normal" else self.ends[0] * np.exp(self.ends[1] * z)
            return np.clip(x, self.low, self.high)
        if self.kind == "fixed":
            return np.full(u.shape, self.ends[0])
        if self.kind == "triangular":
            a, m, b = self.ends
            turn = (m - a) / (b - a)
            rising = a + np.sqrt(u * (b - a) * (m - a))
            return np.where(u < turn, rising, b - np.sqrt((1.0 - u) * (b - a) * (b - m)))
        a, b = self.ends
        return a * (b / a) ** u if self.kind == "log-uniform" else a + u * (b - a)

    def _standard(self, x: float) -> float:
        if math.isinf(x) or (self.kind == "log-normal" and x <= 0.0):
            return math.copysign(math.inf, x if x else -1.0) if self.kind == "normal" or x > 0.0 else -math.inf
        return (x - self.ends[0]) / self.ends[1] if self.kind == "normal" else math.log(x / self.ends[0]) / self.ends[1]

    def said(self, value: float) -> str:
        """A number as a model reads it.

        >>> read_distribution("uniform 1..4 um/h").said(2.5)
        '2.5 um/h assumed'
        """
        return f"{value:.9g}{'' if self.unit == '1' else ' ' + self.unit} assumed"


def read_distribution(text: str) -> Distribution:
    """The distribution that a line says. Raises UnitError for one that cannot be.

    >>> read_distribution("normal 10 um sd 2 within 5..15")
    Distribution(kind='normal', ends=(10.0, 2.0), unit='um', low=5.0, high=15.0)
    """
    found = TEXT.fullmatch(" ".join(str(text).split()))
    kind = str(text).split()[0] if str(text).split() else ""
    if kind not in KINDS:
        raise UnitError(
            f"no distribution is called '{kind[:40]}'.{did_you_mean(kind, KINDS)} Known: {', '.join(KINDS)}"
        )
    wanted = 3 if kind == "triangular" else 1 if kind in ("normal", "log-normal", "fixed") else 2
    ends = [float(x) for x in found["ends"].split("..")] if found else []
    if found is None or len(ends) != wanted or (found["sd"] is not None) != kind.endswith("normal") or (
        found["unit"] and found["after"]
    ):  # fmt: skip
        shape = {1: "VALUE sd SD" if kind != "fixed" else "VALUE", 2: "LOW..HIGH", 3: "LOW..MODE..HIGH"}[wanted]
        raise UnitError(f"'{str(text)[:60]}' is no {kind} distribution; expected '{kind} {shape} unit'")
    unit = found["unit"] or found["after"] or "1"
    low, high = (float(found[k]) if found[k] else s * math.inf for k, s in (("low", -1.0), ("high", 1.0)))
    if any(a >= b for a, b in zip(ends, ends[1:])) and not (kind == "triangular" and _ordered(ends)):
        raise UnitError(f"'{found['ends']}' does not rise; expected the lower end first")
    if kind in ("log-uniform", "log-normal") and ends[0] <= 0.0:
        raise UnitError(f"{ends[0]:g} has no logarithm; expected numbers above 0")
    if low >= high:
        raise UnitError(f"within {low:g}..{high:g} holds nothing; expected the lower end first")
    if kind == "range":
        a, b = ends
        logs = a > 0.0
        middle = math.sqrt(a * b) if logs else 0.5 * (a + b)
        kind, ends = (
            ("log-normal" if logs else "normal"),
            [middle, (math.log(b / a) if logs else b - a) / 2 / NINE_OF_TEN],
        )
    elif found["sd"] is not None:
        ends.append(float(found["sd"]))
        if ends[1] <= 0.0:
            raise UnitError(f"sd {ends[1]:g} is out of range; expected above 0")
    out = Distribution(kind, tuple(ends), unit, low, high)
    if (
        kind.endswith("normal")
        and STANDARD.cdf(_finite(out._standard(high))) - STANDARD.cdf(_finite(out._standard(low))) < 1e-6
    ):
        raise UnitError(f"within {low:g}..{high:g} holds hardly anything of '{str(text)[:60]}'")
    return out


def _ordered(ends: list[float]) -> bool:
    return ends[0] <= ends[1] <= ends[2] and ends[0] < ends[2]


def _finite(z: float) -> float:
    return min(max(z, -40.0), 40.0)
