"""Maps: cells at their true size and place, and factors.

Every function draws into `ax` (or a new figure of its own, see canvas.py) and returns the Axes. In the examples
`result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..run.result import Result
from ..units import say_time
from .canvas import axes, new_figure, styled
from .scales import bare, color_of, extent_of, readable, scale_bar, shaded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

APOPTOTIC, NECROTIC = "#000000", "#8A8A8A"
MAPS = ("viridis", "cividis", "magma", "plasma")


@styled
def tissue(
    result: Result, t: Any = None, ax: Axes | None = None, legend: bool = True, colors: Mapping[str, str] | None = None
) -> Axes:
    """Cells at their true size and place; in 3-D those that the middle plane cuts, at the radius of the cut.

    colors   of types, in place of the usual ones

    >>> ax = oc.plot.tissue(result, "1 h")
    >>> ax.get_title(loc="left")
    '1 h'
    """
    from matplotlib.collections import EllipseCollection
    from matplotlib.lines import Line2D

    ax = axes(ax, (6.4, 4.8))
    extent = extent_of(result)
    position, radius = result.array("position", t), result.array("radius", t).astype(float)
    kind, vital = result.array("type", t), result.array("vital", t)
    note = ""
    if not result.is_2d:
        grid = result.attrs["grid"]
        depth = position[:, 2] - (grid["origin"][2] + 0.5 * grid["spacing"][2] * grid["shape"][0])
        cut = np.abs(depth) < radius
        position, kind, vital = position[cut], kind[cut], vital[cut]
        radius = np.sqrt(radius[cut] ** 2 - depth[cut] ** 2)
        note = ", middle plane"
    shown = []
    # immune and other small cells come last and stay visible
    size = [float(np.median(radius[kind == k])) if (kind == k).any() else 0.0 for k in range(len(result.types))]
    order = sorted(range(len(result.types)), key=lambda k: -size[k])
    groups = [(NECROTIC, vital > 1, "necrotic"), (APOPTOTIC, vital == 1, "apoptotic")]
    color = {name: color_of(result, name) for name in result.types} | dict(colors or {})
    groups += [(color[result.types[k]], (vital == 0) & (kind == k), result.types[k]) for k in order]
    for paint, rows, label in groups:
        if not rows.any():
            continue
        width = 2 * radius[rows]
        where: Any = {"offsets": position[rows, :2], "offset_transform": ax.transData}
        look: Any = {"facecolors": paint, "edgecolors": "white", "linewidths": 0.15, "alpha": 0.92}
        ax.add_collection(EllipseCollection(width, width, np.zeros(len(width)), units="xy", **where, **look))
        shown.append(Line2D([], [], marker="o", ls="", color=paint, label=f"{label} ({rows.sum():,})"))
    bare(ax, extent)
    scale_bar(ax, extent, paper=True)
    ax.set_title(say_time(float(result.times[result.frame(t, result.times)])) + note)
    if legend and shown:
        beside: Any = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0}
        ax.legend(handles=shown, handletextpad=0.2, frameon=False, **beside)
    return ax


@styled
def field(
    result: Result, name: str, t: Any = None, ax: Axes | None = None, limits: tuple[float, float] | None = None
) -> Axes:
    """Map of a factor, with its unit; in 3-D the middle plane.

    >>> ax = oc.plot.field(result, "oxygen", limits=(0, 40))
    >>> ax.images[0].get_array().shape
    (10, 10)
    """
    ax = axes(ax, (5.6, 4.6))
    data = result.fields[name].isel(time=result.frame(t, result.field_times))
    plane = data.isel(z=data.sizes["z"] // 2).values
    extent = extent_of(result)
    low, high = limits or (float(plane.min()), float(plane.max()))
    colors = MAPS[list(result.factors).index(name) % len(MAPS)]
    image = shaded(ax, plane, low, high, extent, colors)
    bare(ax, extent)
    scale_bar(ax, extent, readable(plane, low, high))
    unit = f" ({result.factors[name]})" if result.factors[name] != "1" else ""
    ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0.0, 0.045, 1.0)), label=name + unit)
    ax.set_title(f"{name}, {say_time(float(data['time']))}" + ("" if result.is_2d else ", middle plane"))
    return ax


@styled
def fields(result: Result, t: Any = None, columns: int = 6) -> Figure:
    """Small maps of all factors, each from its lowest to its highest value (below its map); in 3-D the middle plane.

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
        data = result.fields[name].isel(time=result.frame(t, result.field_times))
        plane = data.isel(z=data.sizes["z"] // 2).values
        low, high = float(plane.min()), float(plane.max())
        shaded(ax, plane, low, high, extent)
        bare(ax, extent)
        ax.set_title(name, pad=2)
        ax.set_xlabel(f"{low:.2g} to {high:.2g}" + (f" {unit}" if unit != "1" else ""), fontsize=7.5, labelpad=2)
        if k == 0:
            scale_bar(ax, extent, readable(plane, low, high))
    for ax in list(grid.flat)[len(result.factors) :]:
        ax.remove()
    when = say_time(float(result.field_times[result.frame(t, result.field_times)]))
    figure.suptitle(when + ("" if result.is_2d else ", middle plane"), x=0.005, ha="left", fontsize=10)
    return figure
