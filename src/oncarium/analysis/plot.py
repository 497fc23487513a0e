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

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..model.model import Model

# Okabe and Ito's seven colours and five more, chosen to lie farthest from all others (and black and grey, which are
# kept for the dead)
# as people without red, green or blue cones see them
PALETTE = (
    "#E69F00", "#0072B2", "#009E73", "#F0E442", "#2D1E87", "#56B4E9", "#CC79A7", "#A5E178", "#5A2D00", "#961E69", "#D55E00", "#0F3C2D",
)  # fmt: skip
__all__ = [
    "PALETTE", "STYLE", "color_of", "composition", "deaths", "factors", "field", "fields", "growth", "overview", "phases", "save", "tissue", "wiring",
]  # fmt: skip
MANY = 6  # from more types, and more factors, than this on, figures are drawn for many
APOPTOTIC, NECROTIC = "#000000", "#8A8A8A"
MAPS = ("viridis", "cividis", "magma", "plasma")


def color_of(result: Result, type: str) -> str:
    """Colour of a cell type, the same in every figure of a run.

    >>> oc.plot.color_of(result, "tumor")
    '#E69F00'
    """
    return PALETTE[result.types.index(type) % len(PALETTE)]


def _extent(result: Result) -> tuple[float, float, float, float]:
    grid = result.attrs["grid"]
    (x, y, _), (dx, dy, _), (_, ny, nx) = grid["origin"], grid["spacing"], grid["shape"]
    return x, x + nx * dx, y, y + ny * dy


def _scale_bar(ax: Axes, extent: tuple[float, float, float, float], color: str = "black", paper: bool = False) -> None:
    """A bar of a round length near a quarter of the width, at the lower right; on white paper where cells would hide
    it."""
    from matplotlib.patches import Rectangle

    x0, x1, y0, y1 = extent
    width, height = x1 - x0, y1 - y0
    length = max(v for p in range(-1, 5) for v in (10.0**p, 2 * 10.0**p, 5 * 10.0**p) if v <= 0.26 * width)
    left, bottom = x1 - 0.04 * width - length, y0 + 0.045 * height
    if paper:
        ax.add_patch(
            Rectangle(
                (left - 0.02 * width, y0),
                x1 - left + 0.02 * width,
                0.14 * height,
                color="white",
                alpha=0.8,
                lw=0,
                zorder=9,
            )
        )
    ax.add_patch(Rectangle((left, bottom), length, 0.012 * height, color=color, lw=0, zorder=10))
    ax.text(
        left + length / 2,
        bottom + 0.022 * height,
        f"{length:g} µm",
        color=color,
        ha="center",
        va="bottom",
        fontsize=8,
        zorder=10,
    )


def _bare(ax: Axes, extent: tuple[float, float, float, float]) -> None:
    ax.set(xlim=extent[:2], ylim=extent[2:], aspect="equal", xticks=[], yticks=[])
    for side in ax.spines.values():
        side.set_visible(True)
        side.set_linewidth(0.6)


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
    extent = _extent(result)
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
    order = sorted(
        range(len(result.types)), key=lambda k: -float(np.median(radius[kind == k])) if (kind == k).any() else 0.0
    )
    groups = [(NECROTIC, vital > 1, "necrotic"), (APOPTOTIC, vital == 1, "apoptotic")]
    groups += [(color_of(result, result.types[k]), (vital == 0) & (kind == k), result.types[k]) for k in order]
    for color, rows, label in groups:
        if not rows.any():
            continue
        width = 2 * radius[rows]
        ax.add_collection(
            EllipseCollection(
                width,
                width,
                np.zeros(len(width)),
                units="xy",
                offsets=position[rows, :2],
                offset_transform=ax.transData,
                facecolors=color,
                edgecolors="white",
                linewidths=0.15,
                alpha=0.92,
            )
        )
        shown.append(Line2D([], [], marker="o", ls="", color=color, label=f"{label} ({rows.sum():,})"))
    _bare(ax, extent)
    _scale_bar(ax, extent, paper=True)
    ax.set_title(say_time(float(result.times[result.frame(t, result.times)])) + note)
    if legend and shown:
        ax.legend(
            handles=shown,
            loc="upper left",
            bbox_to_anchor=(1.01, 1.0),
            borderaxespad=0,
            handletextpad=0.2,
            frameon=False,
        )
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
    extent = _extent(result)
    low, high = limits or (float(plane.min()), float(plane.max()))
    colors = MAPS[list(result.factors).index(name) % len(MAPS)]
    image = ax.imshow(
        plane,
        origin="lower",
        extent=extent,
        cmap=colors,
        vmin=low,
        vmax=high if high > low else low + 1e-9,
        interpolation="nearest",
    )
    _bare(ax, extent)
    _scale_bar(ax, extent, "white" if plane[:2, -6:].mean() < 0.5 * (low + high) else "black")
    unit = result.factors[name]
    ax.figure.colorbar(
        image, cax=ax.inset_axes((1.03, 0.0, 0.045, 1.0)), label=f"{name}" + (f" ({unit})" if unit != "1" else "")
    )
    ax.set_title(f"{name}, {say_time(float(data['time']))}" + ("" if result.is_2d else ", middle plane"))
    return ax


def _time_axis(ax: Axes, minutes: np.ndarray) -> np.ndarray:
    """Times in a unit that suits the span; labels the axis."""
    span = minutes[-1] - minutes[0] if len(minutes) else 0.0
    unit, size = ("days", 1440.0) if span > 2880 else ("hours", 60.0) if span > 180 else ("min", 1.0)
    ax.set_xlabel(f"time ({unit})")
    return minutes / size


@styled
def growth(result: Result, ax: Axes | None = None) -> Axes:
    """Live cells of each type over time.

    >>> oc.plot.growth(result).get_ylabel()
    'live cells'
    """
    ax = axes(ax, (4.6, 3.2))
    x = _time_axis(ax, result.times)
    names = _seen(result)
    for name in names:
        ax.plot(x, result.summary[f"live.{name}"], color=color_of(result, name), lw=1.8, label=name)
    ax.set(ylabel="live cells", title="growth")
    if len(names) > MANY:
        _decades(ax)
    ax.set_ylim(bottom=0)
    _legend(ax)
    return ax


def _seen(result: Result) -> list[str]:
    """Types that have, or had, cells; all where nobody has."""
    s = result.summary
    return [n for n in result.types if max(s[f"{k}.{n}"].max() for k in ("live", "apoptotic", "necrotic")) > 0] or list(
        result.types
    )


def _decades(ax: Axes) -> None:
    """Counts by tenfold steps, so that rare types are seen beside frequent ones; 0 included."""
    from matplotlib.ticker import FuncFormatter

    ax.set_yscale("symlog", linthresh=1.0, linscale=0.4)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.0f}"))
    ax.minorticks_off()


def _legend(ax: Axes, **how: Any) -> None:
    """Within the axes when short, beside them when long."""
    handles, _ = ax.get_legend_handles_labels()
    if len(handles) > MANY:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, handlelength=1.2, labelspacing=0.3)
    elif handles:
        ax.legend(**how)


@styled
def composition(result: Result, ax: Axes | None = None) -> Axes:
    """Share of each type among live cells over time.

    >>> oc.plot.composition(result).get_ylabel()
    'share of live cells'
    """
    ax = axes(ax, (4.6, 3.2))
    x = _time_axis(ax, result.times)
    names = _seen(result)
    live = np.array([result.summary[f"live.{name}"] for name in names])
    share = live / np.maximum(live.sum(axis=0), 1)
    ax.stackplot(x, share, colors=[color_of(result, n) for n in names], labels=names, alpha=0.9)
    ax.set(ylabel="share of live cells", title="composition", ylim=(0, 1), xlim=(x[0], max(x[-1], x[0] + 1e-9)))
    _legend(ax, loc="lower left", framealpha=0.8, frameon=True)
    return ax


@styled
def deaths(result: Result, ax: Axes | None = None) -> Axes:
    """Share of each type's cells that are apoptotic or necrotic over time; of many types, those with 30 cells or more.

    >>> oc.plot.deaths(result).get_xlabel()
    'time (min)'
    """
    ax = axes(ax, (4.6, 3.2))
    x = _time_axis(ax, result.times)
    s, many = result.summary, len(_seen(result)) > MANY
    for name in result.types:
        total = (s[f"live.{name}"] + s[f"apoptotic.{name}"] + s[f"necrotic.{name}"]).clip(lower=1)
        if many and total.median() < 30:
            continue
        for kind, style in (("apoptotic", "--"), ("necrotic", "-")):
            if s[f"{kind}.{name}"].max() > 0:
                ax.plot(
                    x, s[f"{kind}.{name}"] / total, style, color=color_of(result, name), lw=1.5, label=f"{name}, {kind}"
                )
    ax.set(ylabel="share of the type's cells", title="death")
    ax.set_ylim(bottom=0)
    _legend(ax)
    return ax


@styled
def phases(result: Result, ax: Axes | None = None) -> Axes:
    """Cycle of the dividing types: phase fractions, or (for a cycle of one phase) divisions per live cell and day.

    >>> oc.plot.phases(result).get_ylabel()
    'divisions per live cell and day'
    """
    from .measure import phase_fractions

    ax = axes(ax, (4.6, 3.2))
    x = _time_axis(ax, result.times)
    dividing = [t for t in result.types if result.attrs["phases"].get(t)]
    several = [t for t in dividing if len(result.attrs["phases"][t]) > 1]
    if several:
        for name in several:
            rows = [phase_fractions(result, name, t) for t in result.times]
            for phase, style in zip(result.attrs["phases"][name], ("-", "--", ":", "-.")):
                ax.plot(
                    x,
                    [r.get(phase, 0.0) for r in rows],
                    style,
                    color=color_of(result, name),
                    lw=1.5,
                    label=f"{name}, {phase}",
                )
        ax.set(ylabel="share of live cells", title="cycle phases", ylim=(0, 1))
    else:
        live = sum((result.summary[f"live.{t}"] for t in dividing), start=0 * result.summary["events.division"])
        rate = (
            np.gradient(result.summary["events.division"], result.times) * 1440.0 / live.clip(lower=1)
            if len(x) > 1
            else live * 0
        )
        ax.plot(x, rate, color="black", lw=1.5, label="dividing types")
        ax.set(ylabel="divisions per live cell and day", title="division")
        ax.set_ylim(bottom=0)
    _legend(ax)
    return ax


@styled
def factors(result: Result, ax: Axes | None = None) -> Axes:
    """Mean of each factor, as a share of its largest mean; of many factors, as bands of colour.

    >>> len(oc.plot.factors(result).lines)
    1
    """
    ax = axes(ax, (4.6, 3.2 if len(result.factors) <= MANY else 1.0 + 0.17 * len(result.factors)))
    x = _time_axis(ax, result.times)
    tops = {name: max(float(result.summary[f"mean.{name}"].max()), 1e-300) for name in result.factors}
    shares = {name: result.summary[f"mean.{name}"] / top for name, top in tops.items()}
    said = {
        name: f"{top:.3g}" + (f" {result.factors[name]}" if result.factors[name] != "1" else "")
        for name, top in tops.items()
    }
    if len(shares) > MANY:
        step = (x[-1] - x[0]) / max(len(x) - 1, 1) or 1.0
        across = (x[0] - step / 2, x[-1] + step / 2, len(shares) - 0.5, -0.5)
        image = ax.imshow(
            np.array(list(shares.values())),
            aspect="auto",
            extent=across,
            cmap="viridis",
            vmin=0,
            vmax=1,
            interpolation="nearest",
        )
        ax.set_yticks(range(len(shares)), [f"{name} ({said[name]})" for name in shares], fontsize=7)
        ax.tick_params(axis="y", length=0)
        ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0.0, 0.03, 0.4)), label="1 = largest mean")
        ax.set_title("mean of each factor (largest)")
        return ax
    for k, (name, share) in enumerate(shares.items()):
        ax.plot(x, share, color=PALETTE[(k + 3) % len(PALETTE)], lw=1.5, label=f"{name} (1 = {said[name]})")
    ax.set(ylabel="mean in the domain, relative", title="factors")
    ax.set_ylim(bottom=0)
    _legend(ax)
    return ax


@styled
def fields(result: Result, t: Any = None, columns: int = 6) -> Figure:
    """Small maps of all factors, each from its lowest to its highest value (below its map); in 3-D the middle plane.

    >>> [ax.get_title(loc="left") for ax in oc.plot.fields(result, "1 h").axes]
    ['oxygen']
    """
    columns = max(1, min(columns, len(result.factors)))
    rows = -(-len(result.factors) // columns)
    extent = _extent(result)
    tall = min(max((extent[3] - extent[2]) / (extent[1] - extent[0]), 0.3), 3.0)
    figure = new_figure(1.75 * columns, (1.5 * tall + 0.5) * rows + 0.3)
    grid = figure.subplots(rows, columns, squeeze=False)
    for k, (ax, (name, unit)) in enumerate(zip(grid.flat, result.factors.items())):
        data = result.fields[name].isel(time=result.frame(t, result.field_times))
        plane = data.isel(z=data.sizes["z"] // 2).values
        low, high = float(plane.min()), float(plane.max())
        ax.imshow(
            plane,
            origin="lower",
            extent=extent,
            cmap="viridis",
            vmin=low,
            vmax=high if high > low else low + 1e-9,
            interpolation="nearest",
        )
        _bare(ax, extent)
        ax.set_title(name, pad=2)
        ax.set_xlabel(f"{low:.2g} to {high:.2g}" + (f" {unit}" if unit != "1" else ""), fontsize=7.5, labelpad=2)
        if k == 0:
            _scale_bar(ax, extent, "white" if plane[:2, -6:].mean() < 0.5 * (low + high) else "black")
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

    >>> sorted(t.get_text() for t in oc.plot.wiring(oc.load("hypoxic_tumor")).axes[0].texts if t.get_text() == "glucose")
    ['glucose']
    """
    from .wiring_figure import draw  # here because it loads the mechanisms, which other figures do not need

    return draw(model)
