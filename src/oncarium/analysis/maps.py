"""Maps: cells at their true size and place, in the color of their type or of any number they have, and factors.

Every function draws into `ax` (or a new figure of its own, see canvas.py) and returns the Axes. In the examples
`result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..run.result import Result
from ..units import say_time
from .canvas import axes, new_figure, styled
from .scales import (
    APOPTOTIC,
    NECROTIC,
    PALETTE,
    Extent,
    bare,
    color_of,
    colors_of,
    extent_of,
    range_of,
    readable,
    scale_bar,
    shaded,
    with_unit,
)  # fmt: skip
from .vessel_shapes import Network, add_vessels, has_vessels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DEAD = "#C9C9C9"  # where color says something else
Group = tuple[Any, np.ndarray, str]  # color, cells (as a mask), label


@dataclass
class Plane:
    """Cells as a map shows them: all of a 2-D tissue, or those that the middle plane cuts, at the radius of the cut.

    rows    of the frame's cells     note   what a title says of the plane
    """

    position: np.ndarray
    radius: np.ndarray
    kind: np.ndarray
    vital: np.ndarray
    rows: np.ndarray
    note: str

    @classmethod
    def of(cls, result: Result, t: Any) -> Plane:
        """Cells of a result at a time."""
        position, radius = result.array("position", t), result.array("radius", t).astype(float)
        kind, vital = result.array("type", t), result.array("vital", t)
        if result.is_2d:
            return cls(position[:, :2], radius, kind, vital, np.arange(len(radius)), "")
        z = middle(result)
        depth = position[:, 2] - z
        cut = np.flatnonzero(np.abs(depth) < radius)
        at = np.sqrt(radius[cut] ** 2 - depth[cut] ** 2)
        return cls(position[cut, :2], at, kind[cut], vital[cut], cut, f", middle plane (z = {z:g} µm)")


def middle(result: Result) -> float:
    """z of the middle of the domain, um."""
    grid = result.attrs["grid"]
    return grid["origin"][2] + 0.5 * grid["spacing"][2] * grid["shape"][0]


@styled
def tissue(
    result: Result,
    t: Any = None,
    ax: Axes | None = None,
    legend: bool = True,
    *,
    color: str = "type",
    colors: Mapping[str, str] | None = None,
    limits: tuple[float, float] | None = None,
    field: str | None = None,
    field_limits: tuple[float, float] | None = None,
    crop: Sequence[float] | None = None,
    vessels: bool = True,
) -> Axes:
    """Cells at their true size and place; in 3-D those that the middle plane cuts, at the radius of the cut.

    color   "type", or any number that cells have ("hypoxia.level", "sense.factor.oxygen", "cycle.phase"): living cells
            are colored by it, between `limits`, the dead are grey
    colors  of types, in place of the usual ones
    field   a factor whose map lies below the cells, between `field_limits`
    crop    (lowest x, highest x, lowest y, highest y) of what is shown, um
    vessels   are drawn over the cells where there are some: red where blood flows, else hollow

    Raises InputError for what was not recorded, and for a crop that shows nothing.

    >>> ax = oc.plot.tissue(result, "1 h")
    >>> ax.get_title(loc="left")
    '1 h'
    >>> oc.plot.tissue(result, "1 h", color="sense.factor.oxygen").child_axes[0].get_ylabel()
    'sense.factor.oxygen (mmHg)'
    """
    extent = extent_of(result)
    window = window_of(crop, extent)
    plane = Plane.of(result, t)
    groups, numbers = _groups(result, plane, color, t, colors or {})
    bars = (numbers is not None) + (field is not None)
    ax = axes(ax, (6.9 + max(0, bars - 1) * 1.6, 4.8))
    if field is not None:
        shown = _plane(result, field, t)
        low, high, _ = (*field_limits, "") if field_limits else range_of(shown)
        below = shaded(ax, shown, low, high, extent, colors_of(result.fields.units[field]))
        _bar(ax, below, with_unit(field, result.fields.units[field]))
    living = plane.vital == 0
    handles = []
    if numbers is not None:
        low, high, _ = (*limits, "") if limits else range_of(numbers[living])
        if (plane.vital > 0).any():
            _discs(ax, plane, plane.vital > 0, DEAD, ringed=field is not None)
            handles.append(_handle(DEAD, f"dead ({(plane.vital > 0).sum():,})"))
        drawn = _discs(ax, plane, living, numbers[living], (low, high, colors_of(result.unit(color))))
        _bar(ax, drawn, with_unit(color, result.unit(color)), second=field is not None)
    for shade, rows, label in groups:
        if rows.any():
            _discs(ax, plane, rows, shade, ringed=field is not None)
            handles.append(_handle(shade, f"{label} ({rows.sum():,})"))
    if vessels and has_vessels(result):
        handles += add_vessels(ax, Network.of(result, t))[1]
    bare(ax, window)
    scale_bar(ax, window, paper=True)
    ax.set_title(say_time(float(result.times[result.frame(t, result.times)])) + plane.note)
    if legend and handles:
        beside: Any = {"loc": "upper left", "bbox_to_anchor": (1.01 + 0.22 * bars, 1.0), "borderaxespad": 0}
        ax.legend(handles=handles, handletextpad=0.2, frameon=False, **beside)
        ax.set_anchor("W")  # the layout leaves room for the legend right of a wider box than a square takes
    return ax


def window_of(crop: Sequence[float] | None, extent: Extent) -> Extent:
    """What a map shows of the domain."""
    if crop is None:
        return extent
    try:
        x0, x1, y0, y1 = map(float, crop)
    except (TypeError, ValueError):
        raise InputError(
            "crop", f"'{crop}' is no part of a map;", "expected lowest x, highest x, lowest y, highest y in um."
        ) from None
    if not (x0 < x1 and y0 < y1 and x0 < extent[1] and x1 > extent[0] and y0 < extent[3] and y1 > extent[2]):
        raise InputError(
            "crop",
            f"{x0:g} to {x1:g} and {y0:g} to {y1:g} um shows nothing of the domain,",
            f"which goes from {extent[0]:g} to {extent[1]:g} and from {extent[2]:g} to {extent[3]:g} um.",
        )
    return x0, x1, y0, y1


def _groups(
    result: Result, plane: Plane, color: str, t: Any, colors: Mapping[str, str]
) -> tuple[list[Group], np.ndarray | None]:
    """Groups of cells of one color each, those drawn last on top; or the number by which living cells are colored."""
    kind, living = plane.kind, plane.vital == 0
    dead = [(NECROTIC, plane.vital > 1, "necrotic"), (APOPTOTIC, plane.vital == 1, "apoptotic")]
    if color == "type":
        # immune and other small cells come last and stay visible
        size = [
            float(np.median(plane.radius[kind == k])) if (kind == k).any() else 0.0 for k in range(len(result.types))
        ]
        order = sorted(range(len(result.types)), key=lambda k: -size[k])
        shades = {name: color_of(result, name) for name in result.types} | dict(colors)
        named = [(shades[result.types[k]], living & (kind == k), result.types[k]) for k in order]
        return [*dead, *named], None
    numbers = result.numbers(color, t)[plane.rows]
    if color == "vital":
        return [*dead, (PALETTE[2], living, "live")], None
    if color == "cycle.phase":
        phases = [result.attrs["phases"].get(name) or ["does not divide"] for name in result.types]
        names = np.array([phases[k][min(int(p), len(phases[k]) - 1)] for k, p in zip(kind, numbers)], dtype=object)
        known = list(dict.fromkeys(p for own in phases for p in own))
        shades = {name: PALETTE[k % len(PALETTE)] for k, name in enumerate(known)}
        return [*dead, *((shades[name], living & (names == name), name) for name in known)], None
    return [], numbers.astype(float)


def _discs(
    ax: Axes,
    plane: Plane,
    rows: np.ndarray,
    color: Any,
    scale: tuple[float, float, str] | None = None,
    ringed: bool = False,
) -> Any:
    """Cells as discs of one color, or of numbers on a scale."""
    from matplotlib.collections import EllipseCollection

    width = 2 * plane.radius[rows]
    where: Any = {"offsets": plane.position[rows], "offset_transform": ax.transData}
    look: Any = {"edgecolors": "black" if ringed else "white", "linewidths": 0.3 if ringed else 0.15, "alpha": 0.92}
    if scale:
        low, high, colors = scale
        look |= {"array": color, "cmap": colors, "clim": (low, high)}
    else:
        look |= {"facecolors": color}
    drawn = EllipseCollection(width, width, np.zeros(len(width)), units="xy", **where, **look)
    ax.add_collection(drawn)
    return drawn


def _handle(color: Any, label: str) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], marker="o", ls="", color=color, label=label)


def _bar(ax: Axes, drawn: Any, label: str, second: bool = False) -> None:
    """A color bar beside the map; of a second one, beside the first."""
    ax.figure.colorbar(drawn, cax=ax.inset_axes((1.25 if second else 1.03, 0.0, 0.045, 1.0)), label=label)


def _plane(result: Result, name: str, t: Any) -> np.ndarray:
    """A factor in the plane that maps show."""
    values = result.fields.at(name, t)
    return values[len(values) // 2]


def _below_bar(plane: np.ndarray, extent: Extent, window: Extent) -> np.ndarray:
    """The part of a map on which the scale bar lies."""
    ny, nx = plane.shape
    x0, x1, y0, y1 = window
    xs = extent[0] + (np.arange(nx) + 0.5) * (extent[1] - extent[0]) / nx
    ys = extent[2] + (np.arange(ny) + 0.5) * (extent[3] - extent[2]) / ny
    rows, columns = ys < y0 + 0.15 * (y1 - y0), (xs > x1 - 0.35 * (x1 - x0)) & (xs < x1)
    part = plane[np.ix_(rows & (ys > y0), columns)]
    return part if part.size else plane


@styled
def field(
    result: Result,
    name: str,
    t: Any = None,
    ax: Axes | None = None,
    limits: tuple[float, float] | None = None,
    crop: Sequence[float] | None = None,
) -> Axes:
    """Map of a factor, or of what else was recorded voxel by voxel (fluid.pressure, fluid.stress), with its unit, from
    0 to its highest value; what varies by less than a fifth is shown from its lowest value, and the title says so. In
    3-D the middle plane.

    limits   other ends of the scale     crop   (lowest x, highest x, lowest y, highest y) of what is shown, um

    >>> ax = oc.plot.field(result, "oxygen", limits=(0, 40))
    >>> ax.images[0].get_array().shape
    (10, 10)
    """
    extent = extent_of(result)
    window = window_of(crop, extent)
    plane = _plane(result, name, t)
    ax = axes(ax, (5.6, 4.6))
    low, high, note = (*limits, "") if limits else range_of(plane)
    image = shaded(ax, plane, low, high, extent, colors_of(result.fields.units[name]))
    bare(ax, window)
    scale_bar(ax, window, readable(_below_bar(plane, extent, window), low, high))
    _bar(ax, image, with_unit(name, result.fields.units[name]))
    when = say_time(float(result.field_times[result.frame(t, result.field_times)]))
    plane_note = "" if result.is_2d else f", middle plane (z = {middle(result):g} µm)"
    ax.set_title(f"{name}, {when}{plane_note}" + (f", {note}" if note else ""))
    return ax


@styled
def fields(result: Result, t: Any = None, columns: int = 6) -> Figure:
    """Small maps of all factors, each from 0 to its highest value, or from its lowest where it hardly varies (see
    below its map); in 3-D the middle plane.

    >>> [ax.get_title(loc="left") for ax in oc.plot.fields(result, "1 h").axes]
    ['oxygen']
    """
    columns = max(1, min(columns, len(result.factors)))
    rows = -(-len(result.factors) // columns)
    extent = extent_of(result)
    tall = min(max((extent[3] - extent[2]) / (extent[1] - extent[0]), 0.3), 3.0)
    figure = new_figure(1.75 * columns, (1.5 * tall + 0.5) * rows + 0.3)
    grid = figure.subplots(rows, columns, squeeze=False)
    for k, (ax, (name, unit)) in enumerate(zip(grid.flat, result.factors.items())):
        plane = _plane(result, name, t)
        low, high, note = range_of(plane)
        shaded(ax, plane, low, high, extent, colors_of(unit))
        bare(ax, extent)
        ax.set_title(name, pad=2)
        said = f"{low:.2g} to {high:.2g}" + (f" {unit}" if unit != "1" else "")
        ax.set_xlabel(f"{said}\n{note}" if note else said, fontsize=7.5, labelpad=2)
        if k == 0:
            scale_bar(ax, extent, readable(_below_bar(plane, extent, extent), low, high))
    for ax in list(grid.flat)[len(result.factors) :]:
        ax.remove()
    when = say_time(float(result.field_times[result.frame(t, result.field_times)]))
    plane_note = "" if result.is_2d else f", middle plane (z = {middle(result):g} µm)"
    figure.suptitle(when + plane_note, x=0.005, ha="left", fontsize=10)
    return figure
