"""Vessels as maps draw them: the part that lies in a box, its width, whether blood flows.

In the examples `result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h"), which has no vessels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, did_you_mean
from ..run.networks import table_at
from ..run.result import Result

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

BLOOD, STILL, TIP = "#B2182B", "#FFFFFF", "#000000"  # what carries blood, what does not, tips of sprouts
WHAT = {"diameter": "um", "perfused": "1"}  # besides the quantities of segments


def has_vessels(result: Result) -> bool:
    """Whether there is a network to draw.

    >>> has_vessels(result)
    False
    """
    return "nodes/offsets" in result.lengths


def box_of(result: Result, slab: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper corner of the domain, um; slab: of the layer of voxels in its middle, as maps show it."""
    grid = result.attrs["grid"]
    low, spacing, shape = (np.array(grid[k], float) for k in ("origin", "spacing", "shape"))
    high = low + spacing * shape[::-1]
    if slab:
        middle = 0.5 * (low[2] + high[2])
        low[2], high[2] = middle - 0.5 * spacing[2], middle + 0.5 * spacing[2]
    return low, high


def within(places: np.ndarray, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part of every segment (segment, 2, xyz) um in a box: its ends, and its share of the segment (0: outside).

    >>> ends, share = within(np.array([[[0.0, 5.0, -30.0], [0.0, 5.0, 30.0]]]), np.zeros(3), np.full(3, 15.0))
    >>> ends.tolist(), share.tolist()
    ([[[0.0, 5.0, 0.0], [0.0, 5.0, 15.0]]], [0.25])
    """
    a, way = places[:, 0], places[:, 1] - places[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        u, v = (low - a) / way, (high - a) / way
    still = way == 0.0
    outside = still & ((a < low) | (a > high))
    first = np.where(still, 0.0, np.minimum(u, v)).max(axis=1, initial=0.0)
    last = np.where(still, 1.0, np.maximum(u, v)).min(axis=1, initial=1.0)
    last = np.where(outside.any(axis=1) | (last < first), first, last)
    ends = np.stack([a + first[:, None] * way, a + last[:, None] * way], axis=1)
    return ends, last - first


def places_of(table: pandas.DataFrame) -> np.ndarray:
    """(segment, 2, xyz) um: the ends of the segments."""
    return np.stack([table[[f"{end}{axis}" for axis in "xyz"]].to_numpy(float) for end in "ab"], axis=1)


def points_along(ends: np.ndarray, step: float) -> np.ndarray:
    """(point, xyz) um along segments (segment, 2, xyz), at most `step` um apart, their ends included.

    >>> points_along(np.array([[[0.0, 0.0, 0.0], [10.0, 0.0, 0.0]]]), 5.0)[:, 0].tolist()
    [0.0, 5.0, 10.0]
    """
    return np.concatenate([np.linspace(a, b, max(2, math.ceil(np.linalg.norm(b - a) / step) + 1)) for a, b in ends])


def numbers_of(table: pandas.DataFrame, what: str) -> tuple[np.ndarray, str]:
    """A number of every segment, and its unit: diameter (as it is open), flow (without its sign), or any other that was
    recorded. Raises InputError."""
    units = {**table.attrs["units"], **WHAT}
    if what == "diameter":
        return 2.0 * (table["radius"] * table["squeeze"]).to_numpy(float), "um"
    known = [*WHAT, *(c for c in table.columns if c in units and c not in ("id", "a", "b", "perfused"))]
    if what not in known:
        raise InputError(
            "color", f"vessels have no '{what}'.{did_you_mean(what, known)}", f"Known: {', '.join(known)}."
        )
    values = table[what].to_numpy(float)
    return (np.abs(values) if what == "flow" else values), units[what]


@dataclass
class Network:
    """The vessels of a part of a tissue, as they are drawn.

    ends (segment, 2, xyz) um     radius (segment) um, as it is open     flows (segment) whether blood does
    tips (tip, xyz) um            rows (segment) of the whole network
    """

    ends: np.ndarray
    radius: np.ndarray
    flows: np.ndarray
    tips: np.ndarray
    rows: np.ndarray

    @classmethod
    def of(cls, result: Result, t: Any = None, slab: bool = True) -> Network:
        """of a result; slab: only what its middle layer of voxels holds. Raises InputError without vessels."""
        table, nodes = result.vessels(t), table_at(result, "nodes", t)
        radius, tips = 0.5 * numbers_of(table, "diameter")[0], nodes["position"][nodes["tip"] > 0]
        return cls.cut(places_of(table), radius, table["perfused"].to_numpy() > 0, tips, *box_of(result, slab))

    @classmethod
    def cut(cls, places: np.ndarray, radius: Any, flows: Any, tips: Any, low: np.ndarray, high: np.ndarray) -> Network:
        """What lies in a box of a network with these ends (segment, 2, xyz) um."""
        ends, share = within(places, low, high)
        rows = np.flatnonzero(share > 0.0)
        near = ((tips >= low - 1e-6) & (tips <= high + 1e-6)).all(axis=1)
        return cls(ends[rows], radius[rows], flows[rows], tips[near], rows)


def add_vessels(
    ax: Axes, seen: Network, numbers: np.ndarray | None = None, scale: tuple[float, float, str] | None = None
) -> tuple[Any, list[Any]]:
    """Draw vessels on a map; what was drawn, and handles for its legend.

    numbers   (segment) by which they are colored, on a scale (low, high, color map); None: by whether blood flows
    """
    from matplotlib.collections import PatchCollection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Circle, Polygon

    shapes: list[Any] = []
    rows: list[int] = []
    radius, along = np.maximum(seen.radius, 0.5), seen.ends[:, 1, :2] - seen.ends[:, 0, :2]
    length = np.hypot(*along.T)
    flat = length > 0.2 * radius  # it lies in the plane: a band of its width; else a disc, over the bands
    for i in np.argsort(~flat, kind="stable"):
        (a, b), r = seen.ends[i, :, :2], radius[i]
        if flat[i]:
            side = r * np.array([-along[i, 1], along[i, 0]]) / length[i]
            shapes.append(Polygon(np.array([a + side, b + side, b - side, a - side])))
        shapes += [Circle((float(end[0]), float(end[1])), r) for end in ((a, b) if flat[i] else (a,))]
        rows += [i] * (len(shapes) - len(rows))
    row = np.array(rows, int)
    rims = "white" if numbers is not None else ["black" if f else BLOOD for f in seen.flows[row]]
    ax.add_collection(PatchCollection(shapes, facecolors="none", edgecolors=rims, linewidths=1.4, zorder=3))
    drawn = PatchCollection(shapes, linewidths=0, zorder=3.1)  # over all rims, so that bands join
    if numbers is not None and scale is not None:
        drawn.set(array=numbers[row], cmap=scale[2], clim=scale[:2])
    else:
        drawn.set_facecolor([BLOOD if f else STILL for f in seen.flows[row]])
    ax.add_collection(drawn)
    handles: list[Any] = []
    if numbers is None:
        for yes, label in ((True, "vessel"), (False, "vessel without flow")):
            if (seen.flows == yes).any():
                face = BLOOD if yes else STILL
                handles.append(Line2D([], [], marker="o", ls="", mfc=face, mec=BLOOD, color=BLOOD, label=label))
    if len(seen.tips):
        look: Any = {"marker": "^", "s": 16, "color": TIP, "edgecolors": "white", "linewidths": 0.4, "zorder": 3.2}
        label = f"tip of a sprout ({len(seen.tips)})"
        handles.append(ax.scatter(seen.tips[:, 0], seen.tips[:, 1], label=label, **look))
    return drawn, handles
