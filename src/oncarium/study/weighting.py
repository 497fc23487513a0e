"""Weights that make virtual patients have the summaries of real ones, and are otherwise as even as they can be.

Of all weights with the wanted means and shares, those of largest entropy are exp(l . f) with one l for each summary
(found by Newton's method on the dual, which is convex). A summary may be soft (`+- error`): what it misses costs
(miss / error)^2 / 2. How much was asked is told by the effective sample size 1 / sum w^2, how well it fits by a
summary that was held out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import InputError, ModelError, Problem, did_you_mean
from ..units import UnitError

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
TEXT = re.compile(
    rf"(?:(?P<kind>mean|median|sd)|(?P<q>{NUMBER})\s*%\s+quantile|share)\s+of\s+(?P<of>\S+)"
    rf"(?:\s*(?P<sign>[<>])\s*(?P<at>{NUMBER}))?\s*=\s*(?P<value>{NUMBER})(?:\s*\+-\s*(?P<error>{NUMBER}))?"
)
FEWEST = 10.0  # effective patients
STEPS, FINE = 200, 1e-9
EXPECTED = (
    "expected e.g. 'mean of age = 61', 'median of x = 3', '90 % quantile of x = 9', 'share of x < 2 = 0.4 +- 0.1'."
)


@dataclass(frozen=True)
class Summary:
    """One thing that is known of real patients.

    of     a read-out     kind   mean, sd, or share (below `at`; medians and quantiles are shares, too)
    error  how exactly it is to be had; 0 exactly
    """

    of: str
    kind: str
    value: float
    at: float = math.nan
    error: float = 0.0
    text: str = ""

    def told(self, x: np.ndarray, weights: np.ndarray) -> float:
        """What these patients say.

        >>> read_summary("share of x < 2 = 0.5").told(np.array([1.0, 2.0, 3.0]), np.ones(3) / 3)
        0.5
        """
        if self.kind == "share":
            return float(weights @ below(x, self.at))
        mean = float(weights @ x)
        return mean if self.kind == "mean" else math.sqrt(max(float(weights @ (x - mean) ** 2), 0.0))


def below(x: np.ndarray, at: float) -> np.ndarray:
    """1 below a value, one half at it."""
    return (x < at) + 0.5 * (x == at)


def read_summary(text: str) -> Summary:
    """A summary. Raises UnitError.

    >>> read_summary("90 % quantile of x = 9").kind, read_summary("share of x > 9 = 0.25").value
    ('share', 0.75)
    """
    found = TEXT.fullmatch(" ".join(str(text).split()))
    share = found is not None and not found["kind"]
    if found is None or (found["at"] is not None) != (share and not found["q"]):
        raise UnitError(f"'{str(text)[:60]}' is no summary; {EXPECTED.rstrip('.')}")
    value, error = float(found["value"]), float(found["error"] or 0.0)
    kind, at = found["kind"] or "share", math.nan
    if found["q"] or kind == "median":
        kind, at, value = "share", value, float(found["q"] or 50.0) / 100.0
        if error:
            raise UnitError(f"'{text}': an error belongs to a mean, an sd or a share; say the quantile as a share")
    elif share:
        at, value = float(found["at"]), 1.0 - value if found["sign"] == ">" else value
    if kind == "share" and not 0.0 < value < 1.0:
        raise UnitError(f"'{text}': a share lies between 0 and 1")
    if kind == "sd" and value <= 0.0:
        raise UnitError(f"'{text}': an sd is above 0")
    return Summary(found["of"], kind, value, at, error, str(text))


@dataclass(frozen=True)
class Weighted:
    """Weights of patients (they sum to 1), and how good they are.

    size        effective number of patients     told   summary -> (wanted, what the patients say)
    worst       largest distance between a wanted and a weighted share; of observed values the largest step between the
                two distributions (Kolmogorov-Smirnov)     held_out   the same as `told` for what was not fitted
    """

    weights: np.ndarray
    size: float
    told: dict[str, tuple[float, float]]
    worst: float
    held_out: dict[str, tuple[float, float]]

    def __str__(self) -> str:
        lines = [f"{len(self.weights)} patients weigh as {self.size:.1f}; worst marginal distance {self.worst:.3f}"]
        lines += [f"  {name}: {said:.4g}" for name, (_, said) in self.told.items()]
        lines += [f"  {name}: {said:.4g} (held out)" for name, (_, said) in self.held_out.items()]
        return "\n".join(lines)


def weigh(
    table: Mapping[str, Any], summaries: Sequence[Summary | str], held_out: Sequence[Summary | str] = (),
    observed: Mapping[str, Sequence[float]] | None = None, fewest: float = FEWEST,
) -> Weighted:  # fmt: skip
    """Weights of patients by their read-outs (name -> value of each).

    held_out   summaries that are told and not fitted     observed   values of real patients, for distances alone

    Raises ModelError: an unknown read-out, an sd without a mean. Raises InputError: no weights have these summaries, or
    fewer effective patients than `fewest` are left.

    >>> found = weigh({"x": np.arange(100.0)}, ["mean of x = 60"])
    >>> round(float(found.weights @ np.arange(100.0)), 6), found.size < 100
    (60.0, True)
    """
    data = {k: np.asarray(v, float) for k, v in table.items()}
    fitted, held = _read(data, summaries), _read(data, held_out)
    n = len(next(iter(data.values()), ()))
    f, soft = _moments(data, fitted, n)
    weights = _entropy(f, soft, fitted)
    size = 1.0 / float((weights**2).sum())
    if size < fewest:
        raise InputError(
            "cohort", f"{n} patients weigh as {size:.1f}, fewer than {fewest:g}: few are like those of the summaries.",
            remedy="Sample more patients or wider ranges, or ask for less.",
        )  # fmt: skip
    apart = [abs(s.told(data[s.of], weights) - s.value) for s in (*fitted, *held) if s.kind == "share"]
    apart += [distance(data[name], weights, np.asarray(real, float)) for name, real in (observed or {}).items()]
    told, kept = ({s.text: (s.value, s.told(data[s.of], weights)) for s in group} for group in (fitted, held))
    return Weighted(weights, size, told, max(apart, default=0.0), kept)


def distance(x: np.ndarray, weights: np.ndarray, real: np.ndarray) -> float:
    """Largest step between the weighted distribution of x and that of real values.

    >>> distance(np.array([1.0, 2.0]), np.array([0.5, 0.5]), np.array([1.0, 1.0, 1.0, 2.0]))
    0.25
    """
    at = np.unique(np.concatenate([x, real]))
    order = np.argsort(x, kind="stable")
    mass = np.concatenate([[0.0], np.cumsum(weights[order])])
    ours = mass[np.searchsorted(x[order], at, side="right")]
    theirs = np.searchsorted(np.sort(real), at, side="right") / len(real)
    return float(np.abs(ours - theirs).max())


def _read(data: Mapping[str, np.ndarray], summaries: Sequence[Summary | str]) -> list[Summary]:
    out, problems = [], []
    for given in summaries:
        try:
            s = read_summary(given) if isinstance(given, str) else given
        except UnitError as error:
            problems.append(Problem("summaries", "", f"{error}."))
            continue
        if s.of not in data:
            problems.append(Problem("summaries", "", f"no read-out is called '{s.of}'.{did_you_mean(s.of, data)}"))
        elif not np.isfinite(data[s.of]).all():
            lacking = int((~np.isfinite(data[s.of])).sum())
            problems.append(Problem("summaries", "", f"{lacking} patients have no {s.of}.", remedy="Screen them out."))
        out.append(s)
    known = {s.of for s in out if s.kind == "mean"}
    problems += [Problem("summaries", "", f"'{s.text}' needs the mean of {s.of}, too.") for s in out
                 if s.kind == "sd" and s.of not in known]  # fmt: skip
    if problems:
        raise ModelError(problems)
    return out


def _moments(data: Mapping[str, np.ndarray], fitted: Sequence[Summary], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Functions of each patient whose weighted means must be 0, scaled; and how soft each is."""
    means = {s.of: s.value for s in fitted if s.kind == "mean"}
    rows, soft = [], []
    for s in fitted:
        x = data[s.of]
        if s.kind == "share":
            f, slope = below(x, s.at) - s.value, 1.0
        elif s.kind == "mean":
            f, slope = x - s.value, 1.0
        else:
            f, slope = (x - means[s.of]) ** 2 - s.value**2, 2.0 * s.value
        scale = float(np.abs(f).max()) or 1.0
        rows.append(f / scale)
        soft.append((slope * s.error / scale) ** 2)
    return np.array(rows).reshape(len(rows), n), np.array(soft)


def _entropy(f: np.ndarray, soft: np.ndarray, fitted: Sequence[Summary]) -> np.ndarray:
    """The weights. Raises InputError where none have these summaries."""
    n = f.shape[1]
    k = len(f)
    lam = np.zeros(k)

    def dual(lam: np.ndarray) -> tuple[float, np.ndarray]:
        z = lam @ f if k else np.zeros(n)
        top = z.max()
        w = np.exp(z - top)
        return top + math.log(w.mean()) + 0.5 * float(soft @ lam**2), w / w.sum()

    value, w = dual(lam)
    for _ in range(STEPS):
        gradient = f @ w + soft * lam
        if np.abs(gradient).max(initial=0.0) < FINE:
            return w
        hessian = (f * w) @ f.T - np.outer(f @ w, f @ w) + np.diag(soft + 1e-14)
        step = np.linalg.lstsq(hessian, -gradient, rcond=None)[0]
        step *= min(1.0, 20.0 / max(float(np.abs(step).max()), 1e-300))
        for _ in range(60):
            new, after = dual(lam + step)
            if new <= value + 1e-4 * float(gradient @ step):
                break
            step = 0.5 * step
        else:
            break
        lam, value, w = lam + step, new, after
        if np.abs(lam).max() > 1e5:
            break
    gradient = f @ w + soft * lam
    if np.abs(gradient).max() < 1e-6:
        return w
    worst = fitted[int(np.argmax(np.abs(f @ w)))]
    raise InputError(
        "summaries", f"no weights of these patients have all summaries; '{worst.text}' is missed most.",
        remedy="Sample wider ranges, leave one out, or make it soft: +- an error.",
    )  # fmt: skip
