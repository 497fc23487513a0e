"""Ripley's functions: whether the cells of a type lie in clumps, by chance, or evenly spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, did_you_mean
from .points import Points, points_of, tidy

if TYPE_CHECKING:
    import pandas

STATISTICS = ("K", "L", "G", "F")
DOTS = 1000  # random places from which F looks


def ripley(
    data: Any, statistic: str = "L", t: Any = None, *, distance: Sequence[float] | None = None, simulations: int = 39,
    seed: int = 0, columns: Mapping[str, str] | None = None, dead: bool = False,
) -> pandas.DataFrame:  # fmt: skip
    """Ripley's functions of each type with two cells or more: type, distance (um), value, expected (of points thrown by
    chance into an endless plane), low and high (the lowest and highest of as many points thrown by chance into the hull
    of all cells, `simulations` times: 39 leave 5 % outside).

    statistic
        K   A / n^2 times the ordered pairs at most so far apart, um^2 (in space um^3); A is the hull of all cells
        L   sqrt(K / pi) (in space the cube root of K / (4 pi / 3)), um: above `high` clumped, below `low` evenly spread
        G   share of cells with the nearest of their type at most so far away
        F   share of 1000 random places with the nearest cell of the type at most so far away

    Edges are not corrected for; the band has the same edges. Ripley 1977 (DOI 10.1111/j.2517-6161.1977.tb01615.x).
    squidpy.gr.ripley divides L by the cells of all types: its L is ours times n / (all cells). Raises InputError.

    >>> oc.spatial.ripley(slide, "G", distance=[5, 10], simulations=0).query("type == 'tumor'")["value"].tolist()
    [0.0, 1.0]
    """
    import pandas as pd

    if statistic not in STATISTICS:
        known = ", ".join(STATISTICS)
        raise InputError(
            "statistic", f"'{statistic}' is none.{did_you_mean(statistic, STATISTICS)}", f"Known: {known}."
        )
    if simulations < 0:
        raise InputError("simulations", f"{simulations} is negative.")

    def measure(points: Points) -> pandas.DataFrame:
        if not points.hull > 0:
            raise InputError("data", "the cells lie on one line or are too few;", "expected cells that span an area.")
        reach, rng = points.steps(distance), np.random.default_rng(seed)
        throw = _Window(points.position)
        dots = throw(DOTS, rng) if statistic == "F" else None
        tables = []
        for name, n in zip(points.types, points.counts):
            if n < 2:
                continue
            told = {
                "value": _value(statistic, points.of(name), reach, points.hull, dots),
                "expected": _expected(statistic, n / points.hull, reach, points.dimensions),
            }
            if simulations:
                thrown = [_value(statistic, throw(n, rng), reach, points.hull, dots) for _ in range(simulations)]
                told |= {"low": np.min(thrown, axis=0), "high": np.max(thrown, axis=0)}
            tables.append(pd.DataFrame({"type": name, "distance": reach, **told}))
        if not tables:
            raise InputError("data", "no type has two cells.")
        return pd.concat(tables, ignore_index=True)

    return tidy(points_of(data, t, columns, dead), measure)


class _Window:
    """Throws points by chance into the convex hull of others."""

    def __init__(self, position: np.ndarray):
        from scipy.spatial import ConvexHull, Delaunay

        corners = position[ConvexHull(position).vertices]
        self.mesh, self.low, self.high = Delaunay(corners), corners.min(axis=0), corners.max(axis=0)

    def __call__(self, n: int, rng: np.random.Generator) -> np.ndarray:
        out = np.empty((0, len(self.low)))
        while len(out) < n:
            more = rng.uniform(self.low, self.high, (2 * n, len(self.low)))
            out = np.concatenate([out, more[self.mesh.find_simplex(more) >= 0]])
        return out[:n]


def _value(
    statistic: str, position: np.ndarray, reach: np.ndarray, window: float, dots: np.ndarray | None
) -> np.ndarray:
    from scipy.spatial import cKDTree

    tree, n = cKDTree(position), len(position)
    if statistic in ("G", "F"):
        near = tree.query(position, k=2)[0][:, 1] if dots is None else tree.query(dots)[0]
        return np.searchsorted(np.sort(near), reach, "right") / len(near)
    k = (tree.count_neighbors(tree, reach) - n) * window / n**2
    return k if statistic == "K" else _length(k, position.shape[1])


def _length(volume: np.ndarray, dimensions: int) -> np.ndarray:
    """Radius of the disc or ball of this size."""
    return np.sqrt(volume / np.pi) if dimensions == 2 else np.cbrt(volume / (4.0 / 3.0 * np.pi))


def _expected(statistic: str, intensity: float, reach: np.ndarray, dimensions: int) -> np.ndarray:
    if statistic == "L":
        return reach
    volume = np.pi * reach**2 if dimensions == 2 else 4.0 / 3.0 * np.pi * reach**3
    return volume if statistic == "K" else 1.0 - np.exp(-intensity * volume)
