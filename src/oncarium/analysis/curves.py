"""Curves over time: growth, composition, deaths, phases of the cycle, factors.

Every function draws into `ax` (or a new figure of its own, see canvas.py) and returns the Axes. In the examples
`result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..run.result import Result
from .canvas import axes, styled
from .scales import MANY, PALETTE, add_legend, color_of, decades, time_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@styled
def growth(result: Result, ax: Axes | None = None) -> Axes:
    """Live cells of each type over time.

    >>> oc.plot.growth(result).get_ylabel()
    'live cells'
    """
    ax = axes(ax, (4.6, 3.2))
    x = time_axis(ax, result.times)
    names = seen_types(result)
    for name in names:
        ax.plot(x, result.summary[f"live.{name}"], color=color_of(result, name), lw=1.8, label=name)
    ax.set(ylabel="live cells", title="growth")
    if len(names) > MANY:
        decades(ax)
    ax.set_ylim(bottom=0)
    add_legend(ax)
    return ax


def seen_types(result: Result) -> list[str]:
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
    names = seen_types(result)
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
    s, many = result.summary, len(seen_types(result)) > MANY
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
