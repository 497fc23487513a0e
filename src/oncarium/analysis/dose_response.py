"""Dose and response: a Hill curve through the runs of a sweep, with intervals over seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, did_you_mean
from .canvas import axes, styled
from .scales import with_unit

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

FEWEST = 4  # doses, as many as the curve has numbers
Number = tuple[float, float, float]  # estimate, lower and upper end of its 95 % interval


@dataclass(frozen=True)
class DoseResponse:
    """A Hill curve: response = start + (end - start) dose^hill / (ec50^hill + dose^hill).

    start, end, ec50, hill   each (estimate, low, high): 95 % of a bootstrap over seeds; nan where there is one seed
    reached                  share of the whole effect that the highest dose has
    doses, responses         of the runs     dose, readout, unit   what they are called, and the dose's unit
    """

    start: Number
    end: Number
    ec50: Number
    hill: Number
    reached: float
    seeds: int
    dose: str
    readout: str
    unit: str
    doses: np.ndarray
    responses: np.ndarray

    def at(self, dose: Any) -> np.ndarray:
        """The curve at doses.

        >>> curve.at(0.0) == curve.start[0]
        np.True_
        """
        return hill_curve(np.asarray(dose, float), self.start[0], self.end[0], np.log(self.ec50[0]), self.hill[0])

    def __str__(self) -> str:
        def said(name: str, number: Number, unit: str = "") -> str:
            value, low, high = number
            interval = f" ({low:.3g} to {high:.3g})" if np.isfinite(low) else ""
            return f"{name:<14}{value:.3g}{f' {unit}' if unit else ''}{interval}"

        lines = [
            f"{self.readout} against {self.dose}, {self.seeds} seed{'s' if self.seeds > 1 else ''}",
            said("EC50", self.ec50, self.unit),
            said("Hill power", self.hill),
            said("without", self.start),
            said("at most", self.end),
        ]
        if self.seeds == 1:
            lines.append("One seed: no interval.")
        if self.reached < 0.8:
            lines.append(f"The highest dose has {100 * self.reached:.0f} % of the effect: the curve's end is a guess.")
        return "\n".join(lines)


def hill_curve(dose: np.ndarray, start: float, end: float, log_half: float, power: float) -> np.ndarray:
    """A Hill curve between two levels; its half given as a logarithm."""
    with np.errstate(divide="ignore"):
        share = 1.0 / (1.0 + np.exp(-power * (np.log(dose) - log_half)))
    return start + (end - start) * share


def dose_response(table: pd.DataFrame, dose: str, readout: str, *, resamples: int = 500) -> DoseResponse:
    """A Hill curve through the rows of a sweep's table, by least squares; the intervals are of a bootstrap over seeds,
    which are drawn whole, since the same seed is run at every dose.

    table   one row per run, with columns `seed`, the dose and the read-out, as `oc.sweep(...)` tells it

    Raises InputError for unknown columns, fewer than four doses, doses below 0, and responses that do not change.

    >>> import pandas as pd
    >>> doses = [0, 0.3, 1, 3, 10, 30]
    >>> table = pd.DataFrame({"seed": 1, "drug": doses, "live": [100 - 80 * d**2 / (4 + d**2) for d in doses]})
    >>> curve = oc.dose_response(table, "drug", "live")
    >>> round(curve.ec50[0], 3), round(curve.hill[0], 3), round(curve.end[0], 2)
    (2.0, 2.0, 20.0)
    """
    for name in (dose, readout):
        if name not in table:
            raise InputError(
                name, f"no column is called so.{did_you_mean(name, table.columns)}",
                f"The table has: {', '.join(map(str, table.columns))}.",
            )  # fmt: skip
    rows = table[[*(["seed"] if "seed" in table else []), dose, readout]].copy()
    for name in (dose, readout):
        try:
            rows[name] = rows[name].astype(float)
        except (TypeError, ValueError):
            raise InputError(name, "its values are no numbers.") from None
    rows = rows.dropna()
    if (rows[dose] < 0.0).any():
        raise InputError(dose, f"a dose is {rows[dose].min():g}.", "Expected doses of 0 and more.")
    levels = np.unique(rows[dose])
    if len(levels) < FEWEST:
        raise InputError(dose, f"{len(levels)} doses;", f"expected at least {FEWEST}, one of them without effect.")
    if np.ptp(rows[readout]) == 0.0:
        raise InputError(readout, f"it is {rows[readout].iloc[0]:g} at every dose: there is no curve.")
    x, y = rows[dose].to_numpy(), rows[readout].to_numpy()
    best = _fitted(x, y)
    names = rows["seed"].to_numpy() if "seed" in rows else np.zeros(len(rows), int)
    seeds = np.unique(names)
    drawn = np.full((resamples, 4), np.nan)
    if len(seeds) > 1:
        of = {s: np.flatnonzero(names == s) for s in seeds}
        chance = np.random.default_rng(0)
        for k in range(resamples):
            picked = np.concatenate([of[s] for s in chance.choice(seeds, len(seeds))])
            drawn[k] = _fitted(x[picked], y[picked], best)
    with np.errstate(all="ignore"):
        ends = np.full((2, 4), np.nan) if len(seeds) == 1 else np.nanquantile(drawn, [0.025, 0.975], axis=0)
    numbers = np.vstack([best, ends])
    numbers[:, 2] = np.exp(numbers[:, 2])
    start, end, ec50, power = (tuple(map(float, numbers[:, k])) for k in range(4))
    share = float(hill_curve(np.array([levels[-1]]), 0.0, 1.0, best[2], best[3])[0])
    units = table.attrs.get("units", {})
    return DoseResponse(start, end, ec50, power, share, len(seeds), dose, readout, str(units.get(dose, "")), x, y)  # type: ignore[arg-type]


def _fitted(x: np.ndarray, y: np.ndarray, begin: np.ndarray | None = None) -> np.ndarray:
    """start, end, log EC50 and Hill power of least squares; the best of several beginnings where none is given."""
    from scipy.optimize import least_squares

    positive = np.unique(x[x > 0.0])
    low, high = np.log(positive[0]) - np.log(100.0), np.log(positive[-1]) + np.log(100.0)
    levels = np.unique(x)
    first, last = y[x == levels[0]].mean(), y[x == levels[-1]].mean()
    size = np.ptp(y) or np.abs(y).max() or 1.0  # of a draw that happens to be flat
    bounds = (
        [y.min() - 2.0 * size, y.min() - 2.0 * size, low, 0.2],
        [y.max() + 2.0 * size, y.max() + 2.0 * size, high, 12.0],
    )
    begins = [np.array([first, last, np.log(h), 1.5]) for h in positive] if begin is None else [begin]
    weight = 1.0 / size
    found = [
        least_squares(
            lambda p: weight * (hill_curve(x, *p) - y), np.clip(b, *bounds), bounds=bounds, x_scale=[size, size, 1, 1]
        )
        for b in begins
    ]
    return min(found, key=lambda f: f.cost).x


@styled
def draw(curve: DoseResponse, ax: Axes | None = None) -> Axes:
    """Every run, the Hill curve, and the dose of half the effect with its interval.

    >>> oc.plot.dose_response(curve).get_ylabel()
    'live'
    """
    ax = axes(ax, (4.8, 3.4))
    positive = np.unique(curve.doses[curve.doses > 0.0])
    smallest = float(positive[0])
    fine = np.concatenate([[0.0], np.geomspace(smallest / 3.0, positive[-1] * 1.5, 200)])
    value, low, high = curve.ec50
    if np.isfinite(low):
        ax.axvspan(low, high, color="#0072B2", alpha=0.12, lw=0)
    said = f"EC50 {value:.3g}" + (f" {curve.unit}" if curve.unit else "")
    ax.axvline(
        value, color="#0072B2", lw=1, ls=":", label=said + (f" ({low:.3g} to {high:.3g})" if np.isfinite(low) else "")
    )
    ax.plot(fine, curve.at(fine), color="black", lw=1.5, label=f"Hill power {curve.hill[0]:.2g}")
    ax.plot(curve.doses, curve.responses, "o", color="#0072B2", ms=4, alpha=0.7, label=f"runs ({curve.seeds} seeds)")
    ax.set_xscale("symlog", linthresh=smallest, linscale=0.4)
    levels = np.unique(curve.doses)
    if len(levels) <= 10:
        ax.set_xticks(levels, [f"{d:g}" for d in levels])
    ax.minorticks_off()
    ax.set_xlim(-0.1 * smallest if (curve.doses == 0.0).any() else smallest / 2.0, None)
    ax.set(xlabel=with_unit(curve.dose, curve.unit), ylabel=curve.readout, title="dose and response")
    ax.set_ylim(bottom=min(0.0, float(curve.responses.min())))
    ax.legend()
    return ax
