"""From a patch of tissue to a lesion: the patch tells how fast its tumor cells multiply and die, the lesion follows.

A patch that is a small part of a lesion says nothing by its size: it is full. What it says is g, divisions less deaths
per live tumor cell and day; the lesion's volume follows V' = g V. Several patches may speak for one lesion (their
rates are averaged, and what they differ by is part of the error). Counts of births and deaths are random, so every
window has an error, and the volume an interval. Where too few tumor cells are left to count, reading stops and says
so; what comes later is extrapolated from the last days that were read, with an error that grows with time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    from ..run.result import Result

FEWEST = 50  # tumor cells that must be left in a patch, on average over a window
TAIL = 7.0  # days before the end of reading that speak for what comes after
LEVEL = 1.959963984540054  # standard deviations on either side that hold 95 %


@dataclass(frozen=True)
class Growth:
    """What one patch told of its tumor cells, window by window.

    edges            of the windows, days (n + 1)     births, deaths   in each     exposure   live cells x days in each
    stopped          why reading ended before the run did, or ""

    >>> Growth((0.0, 1.0), (30.0,), (10.0,), (100.0,)).rate
    array([0.2])
    """

    edges: tuple[float, ...]
    births: tuple[float, ...]
    deaths: tuple[float, ...]
    exposure: tuple[float, ...]
    stopped: str = ""

    @property
    def rate(self) -> np.ndarray:
        """Divisions less deaths per cell and day, in each window."""
        return (np.array(self.births) - np.array(self.deaths)) / np.array(self.exposure)

    @property
    def error(self) -> np.ndarray:
        """Standard error of the rate, from the numbers that were counted (one more, so that none is not certainty)."""
        return np.sqrt(np.array(self.births) + np.array(self.deaths) + 1.0) / np.array(self.exposure)


def read_growth(
    result: Result, of: str | Sequence[str], window: float = 1.0, fewest: float = FEWEST, since: float = 0.0
) -> Growth:
    """The growth of a patch.

    of   cell types of the tumor     window   days     fewest   live tumor cells below which reading stops
    since   day of the run from which on it is read, day 0 of the windows

    Raises InputError: a window longer than the run, fewer cells than that from the start.

    >>> growth = read_growth(result, "tumor", window=1 / 24, fewest=5)
    >>> len(growth.rate), growth.stopped
    (2, '')
    """
    from ..analysis import rates

    types = (of,) if isinstance(of, str) else tuple(of)
    end = float(result.times[-1]) / rates.DAY - since
    count = int(end / window + 1e-9)
    if count < 1:
        raise InputError("window", f"{window:g} day is longer than the run, which has {end:.4g} day.")
    edges, births, deaths, exposure, stopped = [0.0], [], [], [], ""
    for k in range(count):
        begin, until = ((since + j * window) * rates.DAY for j in (k, k + 1))
        days = sum(rates.cell_days(result, t, begin, until) for t in types)
        if days / window < fewest:
            stopped = (
                f"{days / window:.3g} tumor cells are left in the patch on day {edges[-1]:.4g}, fewer than {fewest:g}: "
                "reading stops"
            )
            break
        born, died = (np.sum([f(result, t, begin, until) for t in types]) for f in (rates.births, rates.deaths))
        edges.append((k + 1) * window)
        births.append(float(born))
        deaths.append(float(died))
        exposure.append(days)
    if not births:
        raise InputError("lesion", f"{stopped}.", remedy="Take a larger patch, or more of them.")
    return Growth(tuple(edges), tuple(births), tuple(deaths), tuple(exposure), stopped)


@dataclass(frozen=True)
class Lesion:
    """A lesion that grows as its patches say.

    diameter   on day 0, mm     patches   what they told     organ   where it lies; node: a lymph node (short axis)
    weights    of the patches (equal where none are given)

    >>> steady = Growth((0.0, 10.0), (6000.0,), (3000.0,), (10000.0,))
    >>> round(float(Lesion(10.0, (steady,)).diameters([10.0])[0]), 2)    # exp(0.3 x 10 / 3) times
    27.18
    """

    diameter: float
    patches: tuple[Growth, ...]
    organ: str = ""
    node: bool = False
    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.patches:
            raise InputError("lesion", "a lesion without a patch.", "Expected at least one.")
        if self.weights and (
            len(self.weights) != len(self.patches) or min(self.weights) < 0.0 or sum(self.weights) <= 0.0
        ):
            raise InputError("weights", f"{self.weights} do not fit {len(self.patches)} patches.")
        if not self.diameter > 0.0 or not math.isfinite(self.diameter):
            raise InputError("diameter", f"{self.diameter:g} mm is out of range;", "expected above 0.")

    @property
    def read_until(self) -> float:
        """Day until which the patches that speak longest were read; later is extrapolated."""
        return max(p.edges[-1] for p in self.patches)

    @property
    def stopped(self) -> tuple[str, ...]:
        """What the patches say of why reading stopped."""
        return tuple(dict.fromkeys(p.stopped for p in self.patches if p.stopped))

    def _pooled(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Edges of all windows, and in each the mean rate and its error."""
        edges = np.unique(np.concatenate([p.edges for p in self.patches]))
        said = np.array(self.weights or [1.0] * len(self.patches))
        rates, errors = [], []
        for a, b in zip(edges[:-1], edges[1:]):
            middle = 0.5 * (a + b)
            here = [(w, p, int(np.searchsorted(p.edges, middle)) - 1) for w, p in zip(said, self.patches)
                    if p.edges[0] <= middle < p.edges[-1]]  # fmt: skip
            w = np.array([h[0] for h in here])
            w = w / w.sum() if w.sum() > 0.0 else np.full(len(here), 1.0 / len(here))
            g = np.array([p.rate[k] for _, p, k in here])
            # a window that is cut in pieces has in each piece only a part of its counts
            e = np.array([p.error[k] * math.sqrt((p.edges[k + 1] - p.edges[k]) / (b - a)) for _, p, k in here])
            mean = float(w @ g)
            within = float(np.sqrt((w**2) @ (e**2)))
            between = math.sqrt(float((w**2) @ (g - mean) ** 2) * len(g) / (len(g) - 1.0)) if len(g) > 1 else 0.0
            rates.append(mean)
            errors.append(max(within, between))
        return edges, np.array(rates), np.array(errors)

    def log_volume(self, days: Any) -> tuple[np.ndarray, np.ndarray]:
        """Logarithm of V / V(0) at days from 0 on, and its standard deviation.

        After reading stopped the mean rate of its last days goes on, and its error with it, day by day.
        """
        t = np.asarray(days, float)
        edges, g, e = self._pooled()
        widths = np.diff(edges)
        total = np.concatenate([[0.0], np.cumsum(g * widths)])
        variance = np.concatenate([[0.0], np.cumsum((e * widths) ** 2)])
        mean, var = np.interp(t, edges, total), np.interp(t, edges, variance)
        late = np.maximum(t - edges[-1], 0.0)
        tail = edges[1:] > edges[-1] - TAIL + 1e-9
        span = float(widths[tail].sum())
        ahead = float((g * widths)[tail].sum() / span)
        counted = math.sqrt(float(((e * widths)[tail] ** 2).sum())) / span
        n = int(tail.sum())
        scatter = math.sqrt(float((widths[tail] * (g[tail] - ahead) ** 2).sum() / span) / (n - 1)) if n > 1 else 0.0
        return mean + ahead * late, np.sqrt(var + (max(counted, scatter) * late) ** 2)

    def diameters(self, days: Any) -> np.ndarray:
        """Diameters (mm) at these days."""
        return self.diameter * np.exp(self.log_volume(days)[0] / 3.0)

    def interval(self, days: Any) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of the diameters' 95 % interval."""
        mean, sd = self.log_volume(days)
        return tuple(self.diameter * np.exp((mean + s * LEVEL * sd) / 3.0) for s in (-1.0, 1.0))  # type: ignore[return-value]


def day_of_diameter(lesion: Lesion, diameter: float, until: float) -> float:
    """First day on which a lesion has this diameter (mm): when it is found, or treated; nan where it never does before
    `until`.

    >>> steady = Growth((0.0, 10.0), (6000.0,), (3000.0,), (10000.0,))
    >>> round(day_of_diameter(Lesion(5.0, (steady,)), 10.0, 100.0), 2)    # 3 ln(2) / 0.3
    6.93
    """
    edges = lesion._pooled()[0]
    days = np.unique(np.concatenate([edges[edges < until], [until]]))
    size = np.log(lesion.diameters(days))
    wanted = math.log(diameter)
    if size[0] >= wanted:
        return float(days[0])
    for k in range(1, len(days)):
        if size[k] >= wanted:  # a straight line between two edges
            return float(days[k - 1] + (wanted - size[k - 1]) / (size[k] - size[k - 1]) * (days[k] - days[k - 1]))
    return math.nan
