"""How dense vessels are, how far apart, how many of them carry blood, and how far cells are from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError

if TYPE_CHECKING:
    import pandas

    from ..run.result import Result

STEP = 5.0  # um between the points that stand for a vessel


class Vasculature(NamedTuple):
    """Vessels of a tissue at a time.

    density    1/mm^2: vessels that a section cuts (in 3-D half of the length per volume, whatever their directions)
    apart      um between neighbors, 1 / sqrt(density)
    perfused   share of the vessels' length in the tissue that carries blood
    distance   um, median of the live cells' distances from the middle of the nearest vessel; nan without cells
    """

    density: float
    apart: float
    perfused: float
    distance: float


def _box(result: Result) -> np.ndarray:
    """(2, xyz) um: lower and upper corner of the tissue."""
    grid = result.attrs["grid"]
    low = np.array(grid["origin"], float)
    return np.array([low, low + np.array(grid["spacing"], float) * np.array(grid["shape"][::-1])])


def _points(vessels: pandas.DataFrame, box: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(point, xyz) um within the box, (point) um of vessel that each stands for, (point) row of its vessel."""
    a, b = (vessels[[f"{end}{axis}" for axis in "xyz"]].to_numpy(float) for end in "ab")
    chord = np.linalg.norm(b - a, axis=1)
    count = np.maximum(np.ceil(chord / STEP).astype(int), 1)
    row = np.repeat(np.arange(len(a)), count)
    share = (np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + 0.5) / count[row]
    place = a[row] + share[:, None] * (b - a)[row]
    inside = ((place >= box[0]) & (place <= box[1])).all(axis=1)
    length = (vessels["length"].to_numpy(float) / count)[row]
    return place[inside], length[inside], row[inside]


def vasculature(result: Result, t: Any = None, of: str | None = None) -> Vasculature:
    """Vessels at a time (the end, if left out); of: the type whose distance from perfused vessels is asked for.

    Raises InputError where the result has no vessels, or no such type.

    In a 2-D tissue crossing vessels count by what of them lies in the slice: its length over the thickness. Median
    distances measured in tumors are about 90 um, vessels 50 to 200 per mm^2, 100 to 300 um apart; in normal tissue
    50 to 100 um.
    """
    from scipy.spatial import cKDTree

    if "segments" not in result.attrs.get("tables", {}):
        raise InputError("vasculature", "the result has no vessels;", "expected a model with a section vessels.")
    vessels, box = result.vessels(t), _box(result)
    place, length, row = _points(vessels, box)
    on = vessels["perfused"].to_numpy()[row] > 0
    size = box[1] - box[0]
    flat = result.attrs["grid"]["shape"][0] == 1
    total = float(length.sum())
    density = total / size.prod() * 1e6 * (1.0 if flat else 0.5)
    live = result.array("vital", t) == 0
    if of is not None:
        if of not in result.types:
            from ..errors import did_you_mean

            raise InputError("vasculature", f"no cell type is called '{of}'.{did_you_mean(of, result.types)}")
        live &= result.array("type", t) == result.types.index(of)
    cells = result.array("position", t)[live]
    far = float("nan")
    if len(cells) and on.any():
        far = float(np.median(cKDTree(place[on]).query(cells)[0]))
    return Vasculature(
        density, 1e3 / density**0.5 if density > 0.0 else float("inf"),
        float(length[on].sum()) / total if total > 0.0 else 0.0, far,
    )  # fmt: skip
