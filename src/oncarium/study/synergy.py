"""Two drugs together: what they do beyond Bliss, the highest single agent (HSA) and Loewe, with intervals over seeds.

Effects run from 0 (as without a drug) to 1 (all that can be had). Bliss expects a + b - a b, HSA the larger of the two,
Loewe the effect at which the doses are the parts of one dose: d1 / D1(E) + d2 / D2(E) = 1, where D(E) is the dose of a
drug alone with that effect, of a Hill curve through its doses. Excess above 0 is synergy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

MODELS = ("bliss", "hsa", "loewe")
RESAMPLES = 500


@dataclass(frozen=True)
class Hill:
    """Effect of one drug: most d^power / (half^power + d^power).

    >>> Hill(1.0, 2.0, 1.0).effect(2.0), Hill(1.0, 2.0, 1.0).dose(0.5)
    (0.5, 2.0)
    """

    most: float
    half: float
    power: float

    def effect(self, dose: float) -> float:
        """Effect of a dose."""
        return self.most / (1.0 + (self.half / dose) ** self.power) if dose > 0.0 else 0.0

    def dose(self, effect: float) -> float:
        """Dose with an effect; inf where no dose has it."""
        if effect <= 0.0:
            return 0.0
        return self.half * (self.most / effect - 1.0) ** (-1.0 / self.power) if effect < self.most else math.inf


def fit_hill(doses: np.ndarray, effects: np.ndarray) -> Hill:
    """The Hill curve through effects, by least squares from several beginnings."""
    from scipy.optimize import least_squares

    d, e = np.asarray(doses, float), np.asarray(effects, float)
    use = d > 0.0
    logs = np.log(d[use])

    def curve(p: np.ndarray) -> np.ndarray:
        return 1.0 / (1.0 + np.exp(-p[0])) / (1.0 + np.exp(-np.exp(p[2]) * (logs - p[1]))) - e[use]

    starts = [(3.0, float(np.quantile(logs, q)), 0.0) for q in (0.2, 0.5, 0.8)]
    fits = [
        least_squares(curve, s, bounds=([-8.0, logs.min() - 7.0, -2.0], [8.0, logs.max() + 7.0, 2.5])) for s in starts
    ]
    m, half, power = min(fits, key=lambda f: f.cost).x
    return Hill(1.0 / (1.0 + math.exp(-m)), math.exp(half), math.exp(power))


def loewe(a: Hill, b: Hill, dose_a: float, dose_b: float) -> float:
    """The effect that Loewe expects of two doses together.

    >>> h = Hill(1.0, 2.0, 1.0)
    >>> abs(loewe(h, h, 1.0, 1.0) - h.effect(2.0)) < 1e-9    # a drug with itself
    True
    """
    if dose_a <= 0.0 or dose_b <= 0.0:
        return a.effect(dose_a) if dose_b <= 0.0 else b.effect(dose_b)

    def parts(effect: float) -> float:
        return dose_a / a.dose(effect) + dose_b / b.dose(effect) - 1.0

    low, high = max(a.effect(dose_a), b.effect(dose_b)), max(a.most, b.most)
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if parts(middle) > 0.0 else (low, middle)
    return 0.5 * (low + high)


@dataclass(frozen=True)
class Synergy:
    """Excess over what each model expects, with its interval; each array is (dose of a, dose of b).

    a, b      names     doses_a, doses_b     effect   mean over seeds     excess, low, high   by model
    overall   mean excess where both drugs are given, with its interval, by model

    >>> import pandas as pd
    >>> kept = lambda d: 1 / (1 + d)    # what a dose leaves
    >>> rows = [(s, a, b, 1 - kept(a) * kept(b)) for s in (1, 2) for a in (0, 1, 3) for b in (0, 1, 3)]
    >>> found = synergy(pd.DataFrame(rows, columns=["seed", "a", "b", "effect"]), "a", "b", "effect", resamples=20)
    >>> float(abs(found.excess["bliss"]).max()) < 1e-12
    True
    """

    a: str
    b: str
    doses_a: np.ndarray
    doses_b: np.ndarray
    effect: np.ndarray
    excess: dict[str, np.ndarray]
    low: dict[str, np.ndarray]
    high: dict[str, np.ndarray]
    overall: dict[str, tuple[float, float, float]]
    seeds: int


def synergy(table: pd.DataFrame, a: str, b: str, effect: str, *, resamples: int = RESAMPLES) -> Synergy:
    """The excess of every pair of doses.

    table   rows with the doses of two drugs (columns a and b), an effect from 0 to 1, and a seed

    The interval (95 %) is of a bootstrap over seeds, which are drawn whole; nan for one seed. Raises InputError: a
    column that is not there, effects beyond 0 to 1, pairs of doses that some seed lacks, fewer than two doses above 0
    of a drug.
    """
    for column in (a, b, effect, "seed"):
        if column not in table:
            raise InputError("synergy", f"no column is called '{column}'.{did_you_mean(column, table.columns)}")
    values = table[effect].to_numpy(float)
    if not np.isfinite(values).all() or values.max() > 1.0 + 1e-9 or values.min() < -0.5:
        raise InputError(effect, "effects lie beyond 0 to 1;", "expected shares: 0 as without a drug, 1 all of it.")
    doses_a, doses_b, seeds = (np.unique(table[c].to_numpy(float)) for c in (a, b, "seed"))
    for name, doses in ((a, doses_a), (b, doses_b)):
        if doses[0] != 0.0 or len(doses) < 3:
            raise InputError(name, f"doses {', '.join(f'{d:g}' for d in doses)};", "expected 0 and two or more above.")
    cube = np.full((len(seeds), len(doses_a), len(doses_b)), np.nan)
    where = [np.searchsorted(u, table[c].to_numpy(float)) for u, c in ((seeds, "seed"), (doses_a, a), (doses_b, b))]
    cube[tuple(where)] = values
    if np.isnan(cube).any():
        lacking = int(np.isnan(cube).sum())
        raise InputError("synergy", f"{lacking} runs are missing;", "expected every pair of doses for every seed.")
    found = _excess(cube.mean(0), doses_a, doses_b)
    random = np.random.default_rng(1)
    drawn = [
        _excess(cube[random.integers(0, len(seeds), len(seeds))].mean(0), doses_a, doses_b)
        for _ in range(resamples if len(seeds) > 1 else 0)
    ]
    low, high, overall = {}, {}, {}
    for m in MODELS:
        many = np.array([d[m] for d in drawn]) if drawn else np.full((1, *found[m].shape), np.nan)
        low[m], high[m] = np.quantile(many, 0.025, axis=0), np.quantile(many, 0.975, axis=0)
        both = many[:, 1:, 1:].mean((1, 2))
        overall[m] = (float(found[m][1:, 1:].mean()), float(np.quantile(both, 0.025)), float(np.quantile(both, 0.975)))
    return Synergy(a, b, doses_a, doses_b, cube.mean(0), found, low, high, overall, len(seeds))


def _excess(effect: np.ndarray, doses_a: np.ndarray, doses_b: np.ndarray) -> dict[str, np.ndarray]:
    alone_a, alone_b = effect[:, :1], effect[:1, :]
    one, other = fit_hill(doses_a, effect[:, 0]), fit_hill(doses_b, effect[0])
    added = np.array([[loewe(one, other, x, y) for y in doses_b] for x in doses_a])
    out = {"bliss": effect - (alone_a + alone_b - alone_a * alone_b), "hsa": effect - np.maximum(alone_a, alone_b),
           "loewe": effect - added}  # fmt: skip
    for excess in out.values():  # a drug alone is what it is
        excess[0, :] = excess[:, 0] = 0.0
    return out
