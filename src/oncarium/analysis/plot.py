"""Figures that a paper would print: true sizes, scale bars, units on axes, colours that everyone can tell apart.

Every function draws into `ax` (or a new figure of its own, see canvas.py) and returns the Axes; `save` writes it. In
the examples `result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..run.result import Result
from ..units import say_time
from .canvas import STYLE, axes, new_figure, save, styled
from .scales import MANY, add_legend, bare, decades, extent_of, readable, scale_bar, shaded, time_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..model.model import Model

# Okabe and Ito's seven colours and five more, chosen to lie farthest from all others (and from black and grey, which
# are kept for the dead) as people without red, green or blue cones see them
PALETTE = (
    "#E69F00", "#0072B2", "#009E73", "#F0E442", "#2D1E87", "#56B4E9", "#CC79A7", "#A5E178", "#5A2D00", "#961E69",
    "#D55E00", "#0F3C2D",
)  # fmt: skip
__all__ = [
    "PALETTE", "STYLE", "color_of", "composition", "deaths", "factors", "field", "fields", "growth", "overview",
    "phases", "save", "tissue", "wiring",
]  # fmt: skip
APOPTOTIC, NECROTIC = "#000000", "#8A8A8A"
MAPS = ("viridis", "cividis", "magma", "plasma")


def color_of(result: Result, type: str) -> str:
    """Colour of a cell type, the same in every figure of a run.

    >>> oc.plot.color_of(result, "tumor")
    '#E69F00'
    """
    return PALETTE[result.types.index(type) % len(PALETTE)]


@styled
def tissue(result: Result, t: Any = None, ax: Axes | None = None, legend: bool = True) -> Axes:
    """Cells at their true size and place; in 3-D those that the middle plane cuts, at the radius of the cut.

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
    groups += [(color_of(result, result.types[k]), (vital == 0) & (kind == k), result.types[k]) for k in order]
    for color, rows, label in groups:
        if not rows.any():
            continue
        width = 2 * radius[rows]
        where: Any = {"offsets": position[rows, :2], "offset_transform": ax.transData}
        look: Any = {"facecolors": color, "edgecolors": "white", "linewidths": 0.15, "alpha": 0.92}
        ax.add_collection(EllipseCollection(width, width, np.zeros(len(width)), units="xy", **where, **look))
        shown.append(Line2D([], [], marker="o", ls="", color=color, label=f"{label} ({rows.sum():,})"))
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
def growth(result: Result, ax: Axes | None = None) -> Axes:
    """Live cells of each type over time.

    >>> oc.plot.growth(result).get_ylabel()
    'live cells'
    """
    ax = axes(ax, (4.6, 3.2))
    x = time_axis(ax, result.times)
    names = _seen(result)
    for name in names:
        ax.plot(x, result.summary[f"live.{name}"], color=color_of(result, name), lw=1.8, label=name)
    ax.set(ylabel="live cells", title="growth")
    if len(names) > MANY:
        decades(ax)
    ax.set_ylim(bottom=0)
    add_legend(ax)
    return ax


def _seen(result: Result) -> list[str]:
    """Types that have, or had, cells; all where nobody has."""
    s = result.summary
    states = ("live", "apoptotic", "necrotic")
    return [n for n in result.types if max(s[f"{k}.{n}"].max() for k in states) > 0] or list(result.types)


@styled
def composition(result: Result, ax: Axes | None = None) -> Axes:
    """Share of each type among live cells over time.

    >>> oc.plot.composition(result).get_ylabel()
    'share of live cells'
    """
    ax = axes(ax, (4.6, 3.2))
    x = time_axis(ax, result.times)
    names = _seen(result)
    live = np.array([result.summary[f"live.{name}"] for name in names])
    share = live / np.maximum(live.sum(axis=0), 1)
    ax.stackplot(x, share, colors=[color_of(result, n) for n in names], labels=names, alpha=0.9)
    ax.set(ylabel="share of live cells", title="composition", ylim=(0, 1), xlim=(x[0], max(x[-1], x[0] + 1e-9)))
    add_legend(ax, loc="lower left", framealpha=0.8, frameon=True)
    return ax


@styled
def deaths(result: Result, ax: Axes | None = None) -> Axes:
    """Share of each type's cells that are apoptotic or necrotic over time; of many types, those with 30 cells or more.

    >>> oc.plot.deaths(result).get_xlabel()
    'time (min)'
    """
    ax = axes(ax, (4.6, 3.2))
    x = time_axis(ax, result.times)
    s, many = result.summary, len(_seen(result)) > MANY
    for name in result.types:
        total = (s[f"live.{name}"] + s[f"apoptotic.{name}"] + s[f"necrotic.{name}"]).clip(lower=1)
        if many and total.median() < 30:
            continue
        for kind, style in (("apoptotic", "--"), ("necrotic", "-")):
            count = s[f"{kind}.{name}"]
            if count.max() > 0:
                ax.plot(x, count / total, style, color=color_of(result, name), lw=1.5, label=f"{name}, {kind}")
    ax.set(ylabel="share of the type's cells", title="death")
    ax.set_ylim(bottom=0)
    add_legend(ax)
    return ax


@styled
def phases(result: Result, ax: Axes | None = None) -> Axes:
    """Cycle of the dividing types: phase fractions, or (for a cycle of one phase) divisions per live cell and day.

    >>> oc.plot.phases(result).get_ylabel()
    'divisions per live cell and day'
    """
    from .measure import phase_fractions

    ax = axes(ax, (4.6, 3.2))
    x = time_axis(ax, result.times)
    dividing = [t for t in result.types if result.attrs["phases"].get(t)]
    several = [t for t in dividing if len(result.attrs["phases"][t]) > 1]
    if several:
        for name in several:
            rows = [phase_fractions(result, name, t) for t in result.times]
            for phase, style in zip(result.attrs["phases"][name], ("-", "--", ":", "-.")):
                share = [r.get(phase, 0.0) for r in rows]
                ax.plot(x, share, style, color=color_of(result, name), lw=1.5, label=f"{name}, {phase}")
        ax.set(ylabel="share of live cells", title="cycle phases", ylim=(0, 1))
    else:
        divisions = result.summary["events.division"]
        live = sum((result.summary[f"live.{t}"] for t in dividing), start=0 * divisions).clip(lower=1)
        rate = np.gradient(divisions, result.times) * 1440.0 / live if len(x) > 1 else live * 0
        ax.plot(x, rate, color="black", lw=1.5, label="dividing types")
        ax.set(ylabel="divisions per live cell and day", title="division")
        ax.set_ylim(bottom=0)
    add_legend(ax)
    return ax


@styled
def factors(result: Result, ax: Axes | None = None) -> Axes:
    """Mean of each factor, as a share of its largest mean; of many factors, as bands of colour.

    >>> len(oc.plot.factors(result).lines)
    1
    """
    ax = axes(ax, (4.6, 3.2 if len(result.factors) <= MANY else 1.0 + 0.17 * len(result.factors)))
    x = time_axis(ax, result.times)
    tops = {name: max(float(result.summary[f"mean.{name}"].max()), 1e-300) for name in result.factors}
    shares = {name: result.summary[f"mean.{name}"] / top for name, top in tops.items()}
    units = {name: f" {unit}" if unit != "1" else "" for name, unit in result.factors.items()}
    said = {name: f"{top:.3g}{units[name]}" for name, top in tops.items()}
    if len(shares) > MANY:
        step = (x[-1] - x[0]) / max(len(x) - 1, 1) or 1.0
        across = (x[0] - step / 2, x[-1] + step / 2, len(shares) - 0.5, -0.5)
        bands = np.array(list(shares.values()))
        image = ax.imshow(bands, extent=across, aspect="auto", interpolation="nearest", cmap="viridis", vmin=0, vmax=1)
        ax.set_yticks(range(len(shares)), [f"{name} ({said[name]})" for name in shares], fontsize=7)
        ax.tick_params(axis="y", length=0)
        ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0.0, 0.03, 0.4)), label="1 = largest mean")
        ax.set_title("mean of each factor (largest)")
        return ax
    for k, (name, share) in enumerate(shares.items()):
        ax.plot(x, share, color=PALETTE[(k + 3) % len(PALETTE)], lw=1.5, label=f"{name} (1 = {said[name]})")
    ax.set(ylabel="mean in the domain, relative", title="factors")
    ax.set_ylim(bottom=0)
    add_legend(ax)
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


@styled
def overview(result: Result) -> Figure:
    """The run on one page: tissue at start, middle and end, the first factors at the end, and the curves.

    >>> len(oc.plot.overview(result).axes) >= 9
    True
    """
    figure = new_figure(12.5, 10.4)
    panels = figure.subplots(3, 3)
    last = len(result.times) - 1
    frames = sorted({0, (last + 1) // 2, last})  # a short run has fewer than three
    for ax, k in zip(panels[0], frames):
        tissue(result, result.times[k], ax, legend=k == last)
    for ax in panels[0][len(frames) :]:
        ax.axis("off")
    for ax, name in zip(panels[1], list(result.factors)[:3]):
        field(result, name, None, ax)
    for ax in panels[1][len(result.factors) :]:
        ax.axis("off")
    for ax, draw in zip(panels[2], (growth, composition, deaths)):
        draw(result, ax)
        if draw is not deaths and len(_seen(result)) > MANY and (beside := ax.get_legend()):
            beside.remove()  # the tissue above names the colours
    figure.suptitle(f"{result.title}, seed {result.seed}", x=0.01, ha="left", fontsize=11)
    return figure


@styled
def wiring(model: Model) -> Figure:
    """Who makes and takes up which factor, what each factor and state does to whom, and who touches whom: drawn from
    the model.

    >>> drawn = oc.plot.wiring(oc.load("hypoxic_tumor")).axes[0]
    >>> "glucose" in [text.get_text() for text in drawn.texts]
    True
    """
    from .wiring_figure import draw  # here because it loads the mechanisms, which other figures do not need

    return draw(model)
