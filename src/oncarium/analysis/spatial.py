"""Spatial statistics: who is near whom, and how near.

Every function takes a Result, a table (pandas) or AnnData and returns a tidy table:

    data      a Result, or its folder; a table with x, y (z), type in um, under any header
              (columns={"x": "X_centroid", ...}); AnnData with obsm["spatial"] in um and obs["cell_type"]
              (columns={"type": "leiden"})
    t         a time, a list of times, or "all"; None is the last. Tables and AnnData of several times have `time`, min
    dead      count the dead, too; tables say who is dead in a column `dead`
    neighbors "delaunay", "contact" (centres nearer than 1.25 times the sum of both radii), or a distance in um

Where squidpy has a statistic of the same name, ours has the same value. In the examples `result` is that of
oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h"), and `slide` a table of four cells.

    slide = pandas.DataFrame({"x": [0.0, 10, 0, 10], "y": [0.0, 0, 10, 12], "type": ["tumor", "tumor", "cd8", "cd8"]})
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .border import infiltration
from .points import Points, points_of, tidy
from .ripley import ripley

if TYPE_CHECKING:
    import pandas

    Columns = Mapping[str, str] | None

__all__ = [
    "assortativity", "composition", "cooccurrence", "distances", "enrichment", "infiltration", "interactions", "mixing",
    "nearest", "ripley", "section",
]  # fmt: skip


def composition(data: Any, t: Any = None, *, columns: Columns = None, dead: bool = False) -> pandas.DataFrame:
    """Cells of each type: type, cells, share, and per_mm2 (in space per_mm3) of the domain; of tables of the convex
    hull of their cells. Raises InputError.

    >>> oc.spatial.composition(slide)["share"].tolist()
    [0.5, 0.5]
    """
    import pandas as pd

    def measure(points: Points) -> pandas.DataFrame:
        counts = np.array([len(points.of(name)) for name in points.known])
        unit, size = ("per_mm2", 1e6) if points.dimensions == 2 else ("per_mm3", 1e9)
        window = points.window or points.hull
        share = counts / max(points.n, 1)
        return pd.DataFrame({"type": points.known, "cells": counts, "share": share, unit: counts / window * size})

    return tidy(points_of(data, t, columns, dead), measure)


def section(per_mm2: float, diameter: float, slab: float, thickness: float = 5.0) -> float:
    """Cells per mm^2 that a section of this thickness (um) shows of a slab that holds so many per mm^2: a section cuts
    every cell whose center lies within it or within half a diameter (um) of it, so it shows (thickness + diameter) /
    slab of them. Images count such cells; compare a slab with them by this. Raises InputError.

    >>> oc.spatial.section(5100, diameter=17, slab=12)   # a full sheet, 12 um thick
    9350.0
    """
    for name, value in (("per_mm2", per_mm2), ("diameter", diameter), ("thickness", thickness)):
        if not 0.0 <= value < np.inf:
            raise InputError(name, f"it is {value:g};", "expected a finite number, at least 0.")
    if not 0.0 < slab < np.inf:
        raise InputError("slab", f"it is {slab:g};", "expected a finite number above 0.")
    return per_mm2 * (thickness + diameter) / slab


def distances(
    data: Any, source: str | Sequence[str], target: str | Sequence[str], t: Any = None, *, columns: Columns = None,
    dead: bool = False,
) -> pandas.DataFrame:  # fmt: skip
    """Distance from every cell of one type to the nearest (other) cell of another: type, x, y, (z), distance; um.
    Raises InputError, also where a target has no cell.

    >>> oc.spatial.distances(slide, "cd8", "tumor")["distance"].tolist()
    [10.0, 12.0]
    """
    import pandas as pd

    def measure(points: Points) -> pandas.DataFrame:
        rows, ends = points.chosen(source, "source"), points.chosen(target, "target")
        near = _nearest(points.position, rows, ends)
        if not np.isfinite(near).all():
            raise InputError("target", f"no {target} cell is there to be near to.")
        names = np.array(points.types)[points.kind[rows]]
        places = {axis: points.position[rows, i] for i, axis in enumerate("xyz"[: points.dimensions])}
        return pd.DataFrame({"type": names, **places, "distance": near})

    return tidy(points_of(data, t, columns, dead), measure)


def nearest(data: Any, t: Any = None, *, columns: Columns = None, dead: bool = False) -> pandas.DataFrame:
    """Distance to the nearest (other) cell of each type, for every pair of types: source, target, cells, mean, median,
    low and high (5 and 95 %), um; nan where there is no such cell. Raises InputError.

    >>> oc.spatial.nearest(slide).query("source == 'cd8' and target == 'tumor'")["median"].item()
    11.0
    """
    import pandas as pd

    def measure(points: Points) -> pandas.DataFrame:
        rows = []
        for source in points.types:
            for target in points.types:
                near = _nearest(points.position, points.chosen(source, ""), points.chosen(target, ""))
                found = near if np.isfinite(near).all() else np.array([np.nan])
                rows.append((source, target, len(near), found.mean(), *np.quantile(found, (0.5, 0.05, 0.95))))
        return pd.DataFrame(rows, columns=["source", "target", "cells", "mean", "median", "low", "high"])

    return tidy(points_of(data, t, columns, dead), measure)


def interactions(
    data: Any, t: Any = None, *, neighbors: Any = "delaunay", columns: Columns = None, dead: bool = False
) -> pandas.DataFrame:
    """Pairs of neighbors by type: source, target, count, and the share among the source's neighbors. A pair of one type
    counts from both sides, as in squidpy.gr.interaction_matrix. Raises InputError.

    >>> oc.spatial.interactions(slide, neighbors=10)["count"].tolist()
    [0, 1, 1, 2]
    """
    import pandas as pd

    def measure(points: Points) -> pandas.DataFrame:
        count = _pairs(points, neighbors)
        share = count / np.where(count.any(axis=1), count.sum(axis=1), np.nan)[:, None]
        return pd.DataFrame({**_both(points), "count": count.ravel(), "share": share.ravel()})

    return tidy(points_of(data, t, columns, dead), measure)


def enrichment(
    data: Any, t: Any = None, *, neighbors: Any = "delaunay", permutations: int = 1000, seed: int = 0,
    columns: Columns = None, dead: bool = False,
) -> pandas.DataFrame:  # fmt: skip
    """Neighborhood enrichment: how many neighbors of one type cells of another have, against the same tissue with its
    types shuffled: source, target, count, expected, sd, z; z is nan where shuffling changes nothing.

    The test of histoCAT (Schapiro 2017, DOI 10.1038/nmeth.4391) as squidpy.gr.nhood_enrichment has it (Palla 2022,
    DOI 10.1038/s41592-021-01358-2): the same counts, and z within the error of the permutations.

    Raises InputError, also where all cells are of one type.

    >>> oc.spatial.enrichment(slide, neighbors=10, permutations=100)[["count", "z"]].round(0).to_numpy().tolist()[3]
    [2.0, 1.0]
    """
    import pandas as pd

    if permutations < 2:
        raise InputError("permutations", f"{permutations} is too few;", "expected 2 or more.")

    def measure(points: Points) -> pandas.DataFrame:
        if len(points.types) < 2:
            raise InputError("enrichment", f"all cells are {points.types[0]};", "it compares two types or more.")
        linked, k = _linked(points, neighbors), len(points.types)
        rng, kind = np.random.default_rng(seed), points.kind.copy()
        shuffled = np.empty((permutations, k, k))
        for row in shuffled:
            rng.shuffle(kind)
            row[...] = _counted(linked, kind, k)
        count, expected, sd = _counted(linked, points.kind, k), shuffled.mean(axis=0), shuffled.std(axis=0)
        z = (count - expected) / np.where(sd > 0, sd, np.nan)
        told = {"count": count, "expected": expected, "sd": sd, "z": z}
        return pd.DataFrame({**_both(points), **{name: values.ravel() for name, values in told.items()}})

    return tidy(points_of(data, t, columns, dead), measure)


def cooccurrence(
    data: Any, t: Any = None, *, distance: Sequence[float] | None = None, columns: Columns = None, dead: bool = False
) -> pandas.DataFrame:
    """How much likelier a type is near cells of another than anywhere: type, given, distance (um), ratio =
    p(type | given, within the distance) / p(type, within the distance); 1 where both are independent.

    As squidpy.gr.co_occurrence(interval=[0, *distance]) has it (Palla 2022, DOI 10.1038/s41592-021-01358-2), in space
    too. distance: left out, 20 steps to a quarter of the shorter side. Raises InputError.

    >>> oc.spatial.cooccurrence(slide, distance=[10, 20]).query("type == 'tumor' and given == 'cd8'")["ratio"].tolist()
    [1.3333333333333333, 1.3333333333333333]
    """
    import pandas as pd

    def measure(points: Points) -> pandas.DataFrame:
        reach = points.steps(distance)
        count = _within(points, reach)
        beside = count.sum(axis=1, keepdims=True)  # pairs of the given type (type, 1, step)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = (count / beside) / (count.sum(axis=0) / count.sum(axis=(0, 1)))[None]
        ratio = np.nan_to_num(ratio, nan=0.0).transpose(1, 0, 2)
        k = len(reach)
        names = {a: np.repeat(v, k) for a, v in zip(("type", "given"), _both(points).values())}
        return pd.DataFrame({**names, "distance": np.tile(reach, len(points.types) ** 2), "ratio": ratio.ravel()})

    return tidy(points_of(data, t, columns, dead), measure)


def assortativity(
    data: Any, t: Any = None, *, neighbors: Any = "delaunay", columns: Columns = None, dead: bool = False
) -> pandas.DataFrame:
    """Whether cells are neighbors of their own type: 1 of nothing else, 0 as often as chance has it, below 0 less often
    (Newman 2003, DOI 10.1103/PhysRevE.67.026126). Raises InputError.

    >>> oc.spatial.assortativity(slide, neighbors=10)["assortativity"].round(3).tolist()
    [-0.333]
    """
    import pandas as pd

    def measure(points: Points) -> pandas.DataFrame:
        count = _pairs(points, neighbors).astype(float)
        share = count / max(count.sum(), 1.0)
        chance = float(share.sum(axis=0) @ share.sum(axis=1))
        value = (np.trace(share) - chance) / (1.0 - chance) if chance < 1.0 - 1e-12 and count.any() else np.nan
        return pd.DataFrame({"assortativity": [value]})

    return tidy(points_of(data, t, columns, dead), measure)


def mixing(
    data: Any, tumor: str | Sequence[str] = "tumor", immune: str | Sequence[str] | None = None, t: Any = None, *,
    neighbors: Any = "delaunay", columns: Columns = None, dead: bool = False,
) -> pandas.DataFrame:  # fmt: skip
    """Mixing score: pairs of neighbors of which one is immune and the other tumor, to pairs of which both are immune;
    low where immune cells keep apart from the tumor: tumor_immune, immune_immune, mixing (nan without immune pairs).

    Keren 2018 (DOI 10.1016/j.cell.2018.08.039), who call a tumor with less than 0.22 compartmentalized; immune: left
    out, every type that is no tumor. Raises InputError.

    >>> oc.spatial.mixing(slide, neighbors=12)["mixing"].tolist()
    [2.0]
    """
    import pandas as pd

    def measure(points: Points) -> pandas.DataFrame:
        ours = points.chosen(tumor, "tumor")
        theirs = ~ours if immune is None else points.chosen(immune, "immune")
        if (ours & theirs).any():
            raise InputError("immune", "a type is named as tumor and as immune.")
        a, b = points.links(neighbors).nonzero()
        between, within = int((theirs[a] & ours[b]).sum()), int((theirs[a] & theirs[b]).sum()) // 2
        score = between / within if within else np.nan
        return pd.DataFrame({"tumor_immune": [between], "immune_immune": [within], "mixing": [score]})

    return tidy(points_of(data, t, columns, dead), measure)


def _both(points: Points) -> dict[str, np.ndarray]:
    """Names of every pair of types, as the rows of a matrix stand below each other."""
    names, k = np.array(points.types, object), len(points.types)
    return {"source": np.repeat(names, k), "target": np.tile(names, k)}


def _linked(points: Points, by: Any) -> tuple[np.ndarray, np.ndarray]:
    if points.n < 2:
        raise InputError(
            "data", f"{points.n} cell{' is' if points.n == 1 else 's are'} too few;", "expected 2 or more."
        )
    links = points.links(by)
    return np.repeat(np.arange(points.n), np.diff(links.indptr)), links.indices


def _counted(linked: tuple[np.ndarray, np.ndarray], kind: np.ndarray, k: int) -> np.ndarray:
    """(type, type) links between cells."""
    return np.bincount(kind[linked[0]] * k + kind[linked[1]], minlength=k * k).reshape(k, k)


def _pairs(points: Points, by: Any) -> np.ndarray:
    return _counted(_linked(points, by), points.kind, len(points.types))


def _nearest(position: np.ndarray, rows: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Distance from each of these rows to the nearest other row of the ends; inf where there is none."""
    from scipy.spatial import cKDTree

    if not ends.any():
        return np.full(int(rows.sum()), np.inf)
    near = cKDTree(position[ends]).query(position[rows], k=2)[0]
    return np.where(ends[rows], near[:, 1], near[:, 0])


def _within(points: Points, reach: np.ndarray) -> np.ndarray:
    """(type, type, step) ordered pairs of different cells at most so far apart."""
    from scipy.spatial import cKDTree

    if points.n < 2:
        raise InputError(
            "data", f"{points.n} cell{' is' if points.n == 1 else 's are'} too few;", "expected 2 or more."
        )
    trees, k = [cKDTree(points.of(name)) for name in points.types], len(points.types)
    out = np.empty((k, k, len(reach)))
    for i in range(k):
        for j in range(i, k):
            out[i, j] = out[j, i] = trees[i].count_neighbors(trees[j], reach) - (trees[i].n if i == j else 0)
    return out
