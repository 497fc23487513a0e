"""Vessels at their true width and place, how far blood is, and how a network fares over time.

In the examples `result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h"), which has no vessels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..run.result import Result
from ..units import say_time
from .canvas import axes, new_figure, styled
from .maps import _bar, _plane, window_of
from .scales import bare, colors_of, extent_of, range_of, scale_bar, shaded, time_axis, with_unit
from .vessel_shapes import Network, add_vessels, box_of, numbers_of, places_of, points_along, within

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAR = (100.0, 150.0)  # um from blood within which tissue is hypoxic: drawn as lines

# a legend on the map, where its few lines hide least
WITHIN: dict[str, Any] = {
    "loc": "lower left",
    "frameon": True,
    "framealpha": 0.8,
    "edgecolor": "none",
    "handletextpad": 0.2,
}


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
    seen, (numbers, unit) = Network.of(result, t), numbers_of(result.vessels(t), color)
    extent = extent_of(result)
    window = window_of(crop, extent)
    field = field if field is None or field in result.fields else None
    apart = field is not None and color not in (field, "perfused")  # two scales
    ax = axes(ax, (5.7 + 1.2 * apart, 4.6))
    name = f"blood {color}" if color == "oxygen" else f"{'flow' if color == 'flow' else color} of vessels"
    shown = _plane(result, field, t) if field else None
    low, high = limits or range_of(numbers)[:2]
    if shown is not None and field is not None:
        lowest, highest = range_of(shown)[:2]
        if field == color:
            low, high = limits or (min(low, lowest), max(high, highest))
            lowest, highest, name = low, high, field
        below = shaded(ax, shown, lowest, highest, extent, colors_of(result.fields.units[field]))
        if field != color:
            _bar(ax, below, with_unit(field, result.fields.units[field]))
    if color == "perfused":
        _, handles = add_vessels(ax, seen)
    else:
        scale = (low, high if high > low else low + 1e-9, colors_of(unit))
        drawn, handles = add_vessels(ax, seen, numbers[seen.rows], scale)
        _bar(ax, drawn, with_unit(name, unit), second=field is not None and field != color)
    bare(ax, window)
    scale_bar(ax, window, "black", paper=True)
    ax.set_title(say_time(float(result.times[result.frame(t, result.times)])))
    if handles:
        ax.legend(handles=handles, **WITHIN)
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
    points, middle = points_along(ends, 2.0), 0.5 * (low[2] + high[2])
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
    distance, extent = distance_from_blood(result, t), extent_of(result)
    ax = axes(ax, (5.9, 4.6))
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
        ax.legend(handles=handles, **WITHIN)
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
