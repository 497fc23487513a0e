"""Vessels at their true width and place, how far blood is, and how a network fares over time.

In the examples `result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h"), which has no vessels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, did_you_mean
from ..run.networks import table_at
from ..run.result import Result
from ..units import say_time
from .canvas import axes, new_figure, styled
from .scales import bare, colors_of, extent_of, range_of, scale_bar, shaded, time_axis, with_unit

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLOOD, STILL, TIP = "#B2182B", "#FFFFFF", "#000000"  # what carries blood, what does not, tips of sprouts
FAR = (100.0, 150.0)  # um from blood within which tissue is hypoxic: drawn as lines
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


@styled
def vessels(
    result: Result,
    t: Any = None,
    ax: Axes | None = None,
    *,
    color: str = "oxygen",
    limits: tuple[float, float] | None = None,
    field: str | None = "oxygen",
    crop: Sequence[float] | None = None,
) -> Axes:
    """Vessels at their true width and place over the map of a factor: those that cross a slice as discs, those in its
    plane as bands, tips of sprouts as triangles. In 3-D those of the middle layer of voxels.

    color   oxygen, flow, diameter, haematocrit, coverage, perfused or any other number of a segment, between `limits`
    field   the factor whose map lies below; None: none. One scale, where both are oxygen

    Raises InputError where the tissue has no vessels, or no such number.

    >>> oc.plot.vessels(result)
    Traceback (most recent call last):
    oncarium.errors.InputError: vessels
      this tissue has no vessels. Add a section vessels to the model.
    """
    from .maps import _bar, _plane, window_of

    seen, (numbers, unit) = Network.of(result, t), numbers_of(result.vessels(t), color)
    extent = extent_of(result)
    window = window_of(crop, extent)
    field = field if field is None or field in result.fields else None
    apart = field is not None and color not in (field, "perfused")  # two scales
    named = color == "perfused" or len(seen.tips) > 0  # and a legend
    ax = axes(ax, (5.7 + 1.2 * apart + 1.6 * named, 4.6))
    name = f"blood {color}" if color == "oxygen" else f"{'flow' if color == 'flow' else color} of vessels"
    shown, in_bars = _plane(result, field, t) if field else None, 0
    low, high = limits or range_of(numbers)[:2]
    if shown is not None and field is not None:
        lowest, highest = range_of(shown)[:2]
        if field == color:
            low, high = limits or (min(low, lowest), max(high, highest))
            lowest, highest, name = low, high, field
        below = shaded(ax, shown, lowest, highest, extent, colors_of(result.fields.units[field]))
        if field != color:
            _bar(ax, below, with_unit(field, result.fields.units[field]))
            in_bars = 1
    if color == "perfused":
        _, handles = add_vessels(ax, seen)
    else:
        scale = (low, high if high > low else low + 1e-9, colors_of(unit))
        drawn, handles = add_vessels(ax, seen, numbers[seen.rows], scale)
        _bar(ax, drawn, with_unit(name, unit), second=in_bars > 0)
        in_bars += 1
    bare(ax, window)
    scale_bar(ax, window, "black", paper=True)
    ax.set_title(say_time(float(result.times[result.frame(t, result.times)])))
    if handles:
        at = (1.03 + 0.22 * in_bars, 1.0)
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=at, borderaxespad=0, handletextpad=0.2)
    ax.set_anchor("W")
    return ax


def distance_from_blood(result: Result, t: Any = None) -> np.ndarray:
    """(y, x) um from the middle of every voxel of the plane that maps show to the nearest perfused vessel's axis (in
    3-D whatever its depth); infinite where none is perfused. Raises InputError."""
    from scipy.spatial import cKDTree

    low, high = box_of(result)
    seen = Network.of(result, t, slab=False)
    ends = seen.ends[seen.flows]
    grid = result.attrs["grid"]
    (x0, y0, _), (dx, dy, _), (_, ny, nx) = grid["origin"], grid["spacing"], grid["shape"]
    x, y = np.meshgrid(x0 + (np.arange(nx) + 0.5) * dx, y0 + (np.arange(ny) + 0.5) * dy)
    if not len(ends):
        return np.full((ny, nx), np.inf)
    pieces = [np.linspace(a, b, max(2, int(np.linalg.norm(b - a) / 2.0) + 1)) for a, b in ends]
    points, middle = np.concatenate(pieces), 0.5 * (low[2] + high[2])
    if result.is_2d:
        points[:, 2] = middle
    return cKDTree(points).query(np.stack([x, y, np.full(x.shape, middle)], axis=-1))[0]


@styled
def perfusion(result: Result, t: Any = None, ax: Axes | None = None) -> Axes:
    """How far blood is: a map of the distance from the nearest perfused vessel, with lines at 100 and 150 um, within
    which tissue usually has its oxygen. Vessels without flow are hollow. Raises InputError where there are no vessels.

    >>> oc.plot.perfusion(result)
    Traceback (most recent call last):
    oncarium.errors.InputError: vessels
      this tissue has no vessels. Add a section vessels to the model.
    """
    from .maps import _bar

    distance, extent = distance_from_blood(result, t), extent_of(result)
    ax = axes(ax, (7.4, 4.6))
    there = bool(np.isfinite(distance).all())
    shown = distance if there else np.full(distance.shape, FAR[1])
    image = shaded(ax, shown, 0.0, max(FAR[1], float(shown.max())), extent, "cividis_r")
    if there and shown.max() > FAR[0] and min(shown.shape) > 1:
        lines = ax.contour(
            shown, levels=[f for f in FAR if f < shown.max()], extent=extent, colors="white", linewidths=1.0
        )
        ax.clabel(lines, fmt=lambda v: f"{v:g} µm", fontsize=7)
    _, handles = add_vessels(ax, Network.of(result, t))
    bare(ax, extent)
    scale_bar(ax, extent, "black", paper=True)
    _bar(ax, image, "distance from blood (µm)")
    if handles:
        beside: Any = {"loc": "upper left", "bbox_to_anchor": (1.25, 1.0), "borderaxespad": 0}
        ax.legend(handles=handles, handletextpad=0.2, **beside)
    far = f", {100.0 * float((distance > FAR[0]).mean()):.0f} % farther than {FAR[0]:g} µm"
    ax.set_title(say_time(float(result.times[result.frame(t, result.times)])) + (far if there else ", no blood flows"))
    ax.set_anchor("W")
    return ax


def length_density(result: Result, t: Any = None) -> float:
    """mm of vessel per mm^3 of tissue, of what lies in the domain. Raises InputError where there are no vessels."""
    low, high = box_of(result)
    table = result.vessels(t)
    share = within(places_of(table), low, high)[1]
    return float((share * table["length"]).sum() / np.prod(high - low) * 1e6)


PANELS: tuple[tuple[str, str, dict[str, str]], ...] = (  # title, unit, label -> series of the summary
    ("carries blood", "share of length", {"": "vessels.perfused"}),
    ("length in the tissue", "mm/mm³", {"": "length density"}),
    ("inflow", "nl/min", {"": "vessels.inflow"}),
    ("oxygen of blood", "mmHg", {"": "vessels.oxygen"}),
    ("walls", "share or factor", {"pericyte coverage": "vessels.coverage", "permeability": "vessels.permeability"}),
    ("tips of sprouts", "count", {"": "vessels.tips"}),
    ("fluid pressure", "mmHg", {"mean": "fluid.pressure", "highest": "fluid.highest_pressure"}),
    ("solid stress", "kPa", {"mean": "fluid.stress", "highest": "fluid.highest_stress"}),
    ("open lymph vessels", "share", {"": "fluid.open_lymph"}),
)


@styled
def vessel_course(result: Result) -> Figure:
    """How the network and the fluid fare over time, a panel each: what carries blood, length, inflow, oxygen, walls,
    sprouts, pressure, stress, open lymph vessels. Raises InputError where there are no vessels.

    >>> oc.plot.vessel_course(result)
    Traceback (most recent call last):
    oncarium.errors.InputError: vessels
      this tissue has no vessels. Add a section vessels to the model.
    """
    density = [length_density(result, t) for t in result.times]  # raises where there are none
    summary = result.summary
    panels = [p for p in PANELS if all(s in summary or s == "length density" for s in p[2].values())]
    rows = -(-len(panels) // 3)
    figure = new_figure(8.4, 2.1 * rows + 0.3)
    grid = figure.subplots(rows, 3, squeeze=False)
    for ax, (title, unit, lines) in zip(grid.flat, panels):
        for k, (label, series) in enumerate(lines.items()):
            x = np.asarray(result.times if series == "length density" else summary.index, float)
            y = density if series == "length density" else summary[series]
            ax.plot(time_axis(ax, x), y, ("-", "--")[k], color=("#0072B2", "#D55E00")[k], lw=1.6, label=label)
        ax.set(title=title, ylabel=unit)
        top = max(float(np.max(density if s == "length density" else summary[s])) for s in lines.values())
        ax.set_ylim(0.0, 1.08 * top if top > 0.0 else 1.0)
        if len(lines) > 1:
            ax.legend(fontsize=7.5)
    for ax in list(grid.flat)[len(panels) :]:
        ax.remove()
    return figure
