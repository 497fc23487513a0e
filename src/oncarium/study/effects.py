"""Effects of an experiment, pair by pair of runs with the same seed, each on the scale of its kind."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..analysis.readout import read_out
from ..run.result import Result

# kind -> arms it compares, or nothing where it takes a whole series
KINDS: dict[str, tuple[str, ...]] = {
    "ratio": ("control", "perturbed"),
    "equivalence": ("control", "perturbed"),
    "difference": ("control", "perturbed"),
    "level": ("control",),
    "interaction": ("control", "perturbed", "second", "both"),
    "contrast": (),
}
LOGS = ("ratio", "equivalence", "interaction", "contrast")  # compared as logarithms
COUNTS = ("count", "events", "happened", "arrivals", "embedded", "beyond", "past")
RATES = {"rate": "of", "kills": "by"}  # events over the days that live cells of a type have lived
FLOOR = 0.01  # of the larger mean: smaller values of what is no count are not told apart


class Seen(NamedTuple):
    """A read-out of one run, and what half an event more would have added to it (0 where nothing is counted)."""

    value: float
    half: float = 0.0


def see(result: Result, what: Mapping[str, Any]) -> Seen:
    """Read a run.

    >>> found = see(result, {"measure": "count", "of": "tumor"})
    >>> found.value == read_out(result, {"measure": "count", "of": "tumor"}), found.half
    (True, 0.5)
    """
    name, per = str(what["measure"]), what.get("per")
    value = read_out(result, what)
    half = 0.0
    if name in COUNTS:
        half = 0.5
    elif name in RATES:
        live = result.summary[f"live.{what[RATES[name]]}"].to_numpy()
        days = float(np.trapezoid(live, result.times)) / 1440.0
        half = 0.5 / days if days > 0.0 else 0.0
    if half and isinstance(per, Mapping):
        over = read_out(result, {**per, "at": per.get("at", what.get("at", "end"))})
        half = half / over if over > 0.0 else 0.0
    return Seen(value, half)


def effect_of(kind: str, arms: Sequence[Sequence[Seen]]) -> list[float]:
    """The effect in every pair: a logarithm, or a difference, or a level; nan where a run has nothing to measure.

    arms   (arm, seed), in the order of `KINDS`, or of a series

    A ratio of counts is log((x + 0.5) / (y + 0.5)), of rates per exposure of each. An interaction is how far both
    changes together are from the product of each alone. A contrast is the mean of the inner points over that of both
    ends.

    >>> a, b = [Seen(10, 0.5), Seen(0, 0.5)], [Seen(20, 0.5), Seen(0, 0.5)]
    >>> [round(math.exp(x), 4) for x in effect_of("ratio", [a, b])]      # 20.5 / 10.5, and nothing in either
    [1.9524, 1.0]
    >>> [round(math.exp(x), 2) for x in effect_of("contrast", [[Seen(2)], [Seen(1)], [Seen(1)], [Seen(8)]])]
    [0.25]
    """
    if kind not in LOGS:
        values = np.array([[x.value for x in arm] for arm in arms], float)
        return [float(x) for x in (values[0] if kind == "level" else values[1] - values[0])]
    values = _logs(arms)
    if kind == "interaction":
        y = values[3] - values[2] - values[1] + values[0]
    elif kind == "contrast":
        y = values[1:-1].mean(axis=0) - 0.5 * (values[0] + values[-1])
    else:
        y = values[1] - values[0]
    return [float(x) for x in y]


def _logs(arms: Sequence[Sequence[Seen]]) -> np.ndarray:
    """(arm, seed) logarithms."""
    value, half = (np.array([[x[k] for x in arm] for arm in arms], float) for k in (0, 1))
    means = [row[np.isfinite(row)].mean() for row in np.abs(value) if np.isfinite(row).any()]
    floor = FLOOR * max(means, default=0.0) or 1.0  # nothing anywhere is no effect
    with np.errstate(invalid="ignore"):
        return np.log(np.where(half > 0.0, value + half, np.maximum(value, floor)))


def gain(kind: str, arms: Sequence[Sequence[Seen]]) -> float:
    """What pairing leaves of the variance: that of the difference over the sum of both arms'; 1 where it is of no use,
    nan where there are not two arms with a spread.

    >>> gain("difference", [[Seen(1), Seen(2), Seen(3)], [Seen(2), Seen(3), Seen(4)]])
    0.0
    """
    if len(arms) != 2 or len(arms[0]) < 2:
        return math.nan
    values = _logs(arms) if kind in LOGS else np.array([[x.value for x in arm] for arm in arms], float)
    values = values[:, np.isfinite(values).all(axis=0)]
    if values.shape[1] < 2:
        return math.nan
    whole = float(values.var(axis=1, ddof=1).sum())
    return float((values[1] - values[0]).var(ddof=1)) / whole if whole > 0.0 else math.nan


def said(kind: str, value: float) -> float:
    """A value of the scale as one writes it: a ratio, or itself."""
    return math.exp(min(value, 700.0)) if kind in LOGS else value


def scaled(kind: str, value: float) -> float:
    """What one writes, on the scale."""
    return (math.log(value) if value > 0.0 else -math.inf) if kind in LOGS else value


def called(what: Mapping[str, Any]) -> str:
    """A read-out in words: its own name, or what it measures."""
    if "called" in what:
        return f"{what['called']}" + (f" ({what['unit']})" if "unit" in what else "")
    rest = " ".join(str(v) for k, v in what.items() if k not in ("measure", "per", "at", "unit"))
    return f"{what['measure']} {rest}" + (f" per {called(what['per'])}" if "per" in what else "")
