"""Figures of arms of one tumor: curves with the doses above them, drug in plasma, tissue and on cells, and depth.

Every arm has one color in all of them; the control is black.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..run.result import Result
from ..run.results import Results
from .canvas import new_figure, styled
from .exposure import (
    Given,
    depth_of_death,
    depth_of_drug,
    doses_given,
    drugs_of,
    from_blood,
    growth_over_time,
    plasma_course,
    tissue_course,
    tumor_types,
)
from .rates import DAY
from .scales import FACTORS, PALETTE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CONTROL = "#000000"
GROWN = "#8A8A8A"  # before the arms part
STYLES = ("-", "--", "-.", ":")
PASTS = (1.0, 2.0, 4.0, 6.0, 12.0, 24.0, 48.0, 168.0)  # h: windows of growth
WINDOWS = 12  # in which growth is shown, about
RANGE = 1e6  # highest over lowest of an axis of concentrations
FEWEST, VOXELS = 20, 8  # cells and voxels in a bin of depth that is shown
MARKS = {"drug": "v", "radiation": "*", "surgery": "X", "cells": "P"}


def looks(arms: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Color and style of every arm.

    >>> looks(["control", "a"])["control"]
    ('#000000', '-')
    """
    others = [a for a in arms if a != "control"]
    found = {a: (FACTORS[k % len(FACTORS)], STYLES[k // len(FACTORS) % len(STYLES)]) for k, a in enumerate(others)}
    return {"control": (CONTROL, "-")} | found


def clock(span: float) -> tuple[str, float]:
    """A unit of time that suits a span (min), and its minutes."""
    return ("day", DAY) if span > 2 * DAY else ("h", 60.0) if span > 180.0 else ("min", 1.0)


def window_of(span: float, step: float) -> float:
    """Window (min) in which growth is read: about a twelfth of a span, and no shorter than recorded steps.

    >>> window_of(4 * 1440.0, 60.0)
    720.0
    """
    wanted = max(span / WINDOWS, step)
    return next((60.0 * h for h in PASTS if 60.0 * h >= wanted - 1e-9), wanted)


@styled
def over_time(
    results: Results, grown: Mapping[int, Result], of: Callable[[Result], pd.Series], label: str, zero: bool = False
) -> Figure:
    """A series of every arm over time with the band of its seeds, what was there before the arms parted in gray, and
    the doses of every arm above, hollow where rules held them back.

    >>> results = oc.treat(oc.Model.from_text(oc.EXAMPLE), {"a": "doxorubicin 60 mg/m2 on day 0.1"}, until="4 h",
    ...                    seeds=1, workers=1)
    >>> len(over_time(results, {}, lambda r: r.summary["live.tumor"], "tumor cells").axes)
    2
    """
    shown = {arm: results.of(arm).first() for arm in results.arms}
    begin = min(float(r.times[0]) for r in shown.values())
    early = min([float(r.times[0]) for r in grown.values()] or [begin])
    end = max(float(r.times[-1]) for r in results)
    unit, size = clock(end - early)
    doses = {arm: given for arm, r in shown.items() if (given := doses_given(r))}
    strip = 0.2 * max(len(doses), 1) + 0.05
    figure = new_figure(6.8, 3.0 + strip)
    above, ax = figure.subplots(2, 1, sharex=True, height_ratios=[strip, 2.7])
    color = looks(results.arms)
    for r in grown.values():
        if float(r.times[-1]) > float(r.times[0]):
            series = of(r)
            ax.plot(series.index / size, series, color=GROWN, lw=1.0, label="before" if r is first(grown) else None)
    for arm in results.arms:
        rows = results.of(arm)
        table = rows.spread({run: of(result) for run, result in rows.there})
        x, (c, style) = table["time"].to_numpy(float) / size, color[arm]
        ax.plot(x, table["median"], style, color=c, lw=1.7, label=arm, zorder=3)
        if (table["n"] > 1).any():
            ax.fill_between(x, table["low"], table["high"], color=c, alpha=0.15, lw=0)
    if zero:
        ax.axhline(0.0, color="0.6", lw=0.7, zorder=0)
    elif np.nanmin([of(r).min() for r in results]) >= 0.0:
        ax.set_ylim(bottom=0.0)
    ax.axvline(begin / size, color=GROWN, lw=0.8, ls=":")
    ax.set(xlabel=f"time ({unit})", ylabel=label)
    ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0, handlelength=1.8)
    _strip(above, doses, color, size)
    return figure


def first(grown: Mapping[int, Result]) -> Result:
    """The run before the arms of the lowest seed."""
    return grown[min(grown)]


def _strip(ax: Axes, doses: Mapping[str, list[Given]], color: Mapping[str, tuple[str, str]], size: float) -> None:
    """Doses as marks, a row for every arm, in its color; held ones are hollow."""
    from matplotlib.lines import Line2D

    kinds = []
    for k, (arm, given) in enumerate(doses.items()):
        for g in given:
            mark, full = MARKS.get(g.dose.kind, "o"), g.share > 0.0
            kinds.append((g.dose.kind, full))
            face = color[arm][0] if full else "white"
            ax.plot(g.dose.time / size, k, mark, ms=6.5, mec=color[arm][0], mfc=face, mew=0.8, clip_on=False)
            if g.dose.duration > 0.0:
                ax.plot(
                    np.array([0.0, g.dose.duration]) / size + g.dose.time / size, [k, k], color=color[arm][0], lw=1.2
                )
    ax.set(ylim=(len(doses) - 0.5, -0.5), yticks=range(len(doses)))
    ax.set_yticklabels(list(doses), fontsize=7)
    for label, arm in zip(ax.get_yticklabels(), doses):
        label.set_color(color[arm][0])
    ax.tick_params(axis="both", length=0, labelbottom=False)
    for side in ax.spines.values():
        side.set_visible(False)
    handles = [
        Line2D([], [], marker=MARKS.get(k, "o"), ls="", mec="0.2", mfc="0.2" if full else "white", ms=5.5,
               label=k if full else f"{k}, held")
        for k, full in dict.fromkeys(kinds)
    ]  # fmt: skip
    if handles:
        ax.legend(handles=handles, fontsize=7, loc="center left", bbox_to_anchor=(1.01, 0.5), borderaxespad=0,
                  handletextpad=0.1, labelspacing=0.2)  # fmt: skip


def growth_of(window: float, what: str = "growth") -> Callable[[Result], pd.Series]:
    """Growth (or deaths) of a run's tumor per day, window by window (min), as a series over time."""
    return lambda result: growth_over_time(result, tumor_types(result), window)[what]


@styled
def exposure(results: Results, arm: str) -> Figure | None:
    """An arm's drugs: concentration in plasma (total, free) and in the tissue (median, 10 to 90 % of the voxels), and
    occupancy of receptors by cell type; a row per drug. Of the lowest seed. None where nothing was given.

    >>> results = oc.treat(oc.Model.from_text(oc.EXAMPLE), {"a": "doxorubicin 60 mg/m2 on day 0.1"}, until="4 h",
    ...                    seeds=1, workers=1)
    >>> len(exposure(results, "a").axes), exposure(results, "control")
    (2, None)
    """
    result = results.of(arm).first()
    drugs = drugs_of(result)
    if not drugs:
        return None
    bound = {d: [c for c in result.summary if c.startswith(f"occupancy.{d}.")] for d in drugs}
    bound = {d: [c for c in names if result.summary[c].notna().any()] for d, names in bound.items()}
    wide = any(bound.values())
    figure = new_figure(8.6 if wide else 5.6, 2.55 * len(drugs) + 0.2)
    grid = figure.subplots(len(drugs), 2 if wide else 1, squeeze=False, sharex=True)
    unit, size = clock(float(np.ptp(result.times)))
    for row, drug in zip(grid, drugs):
        _levels(row[0], result, drug, size)
        if wide:
            for name in bound[drug]:
                kind = name.split(".", 2)[2]
                color = PALETTE[result.types.index(kind) % len(PALETTE)]
                row[1].plot(result.summary.index / size, result.summary[name], color=color, lw=1.6, label=kind)
            row[1].set(ylim=(-0.02, 1.02), ylabel="receptors occupied (share)")
            if bound[drug]:
                row[1].legend(fontsize=8, loc="best")
            else:
                row[1].set_axis_off()
                row[1].text(0.5, 0.5, "binds no cell here", ha="center", transform=row[1].transAxes, color="0.4")
    for ax in grid[-1]:
        ax.set_xlabel(f"time ({unit})")
    for ax in grid[:, 0]:
        ax.tick_params(labelbottom=True)
    return figure


def _levels(ax: Axes, result: Result, drug: str, size: float) -> None:
    """Concentrations of a drug in plasma and tissue."""
    blood, tissue = plasma_course(result, drug), tissue_course(result, drug)
    tissue = tissue.where(tissue > 0.0)
    x = blood["time"] / size
    ax.plot(x, blood["total"], color=FACTORS[0], lw=1.4, label="plasma, total")
    if not np.allclose(blood["free"], blood["total"], rtol=0.05):
        ax.plot(x, blood["free"], "--", color=FACTORS[0], lw=1.2, label="plasma, free")
    color = FACTORS[2]
    ax.plot(tissue["time"] / size, tissue["median"], color=color, lw=1.6, label="tissue, median")
    ax.fill_between(tissue["time"] / size, tissue["low"], tissue["high"], color=color, alpha=0.2, lw=0, label="10-90 %")
    top = float(np.nanmax([blood["total"].max(), tissue["high"].max()]))
    if top > 0.0:
        seen = [v[v > 0.0].quantile(0.05) for v in (blood["free"], tissue["median"]) if (v > 0.0).any()]
        ax.set_yscale("log")
        ax.set_ylim(max(0.3 * min(seen), top / RANGE), 2.0 * top)
    for g in doses_given(result):
        if g.dose.what == drug and g.dose.time >= result.times[0] - 1e-6:
            ax.plot(g.dose.time / size, 1.02, "v", ms=5, mec="0.3", mfc="0.3" if g.share > 0 else "white",
                    transform=ax.get_xaxis_transform(), clip_on=False)  # fmt: skip
    ax.set_ylabel(f"{drug}\n(nM)")
    ax.legend(fontsize=7, loc="best", labelspacing=0.25)


def looked_at(result: Result, drug: str) -> list[float]:
    """Times (min) at which depth is shown: 1 h and 24 h after the first dose, or the recorded times next to them."""
    times = [t for t in map(float, result.field_times)]
    starts = [g.dose.time for g in doses_given(result) if g.dose.what == drug and g.share > 0.0]
    after = [t for t in times if starts and t > starts[0] + 1e-6]
    return (
        list(dict.fromkeys(min(after, key=lambda t: abs(t - starts[0] - h * 60.0)) for h in (1.0, 24.0)))
        if after
        else []
    )


@styled
def depth(results: Results) -> Figure | None:
    """Concentration of every drug, and the share of dying and dead tumor cells, against the distance from blood. None
    where no arm has a drug with fields after its first dose.

    >>> results = oc.treat(oc.Model.from_text(oc.EXAMPLE), {"a": "doxorubicin 60 mg/m2 on day 0.1"}, until="4 h",
    ...                    seeds=1, workers=1)
    >>> [ax.get_xlabel() for ax in depth(results).axes]
    ['distance from the nearest face (µm)', 'distance from the nearest face (µm)']
    """
    panels = {}
    for arm in results.arms:
        result = results.of(arm).first()
        for drug in drugs_of(result):
            times = looked_at(result, drug)
            if times and drug not in panels:
                panels[drug] = (arm, result, times)
    if not panels:
        return None
    n = len(panels) + 1
    figure = new_figure(3.6 * min(n, 3), 2.9 * -(-n // 3))
    axes: list[Any] = list(np.atleast_1d(figure.subplots(-(-n // 3), min(n, 3))).ravel())
    words = from_blood(first_of(results))[1]
    for ax, (drug, (arm, result, times)) in zip(axes, panels.items()):
        starts = next(g.dose.time for g in doses_given(result) if g.dose.what == drug and g.share > 0.0)
        for k, t in enumerate(times):
            table, color = depth_of_drug(result, drug, t), FACTORS[k % len(FACTORS)]
            table = table[table["n"] >= VOXELS]
            ax.plot(table.index, table["median"], STYLES[k], color=color, lw=1.6, label=f"{(t - starts) / 60.0:.3g} h")
            ax.fill_between(table.index, table["low"], table["high"], color=color, alpha=0.18, lw=0)
        ax.set(ylabel=f"{drug} (nM)", xlabel=f"distance from {words} (µm)")
        ax.set_ylim(bottom=0.0)
        ax.set_title(f"{arm}: after the first dose", fontsize=8.5)
        ax.legend(fontsize=7)
    ax, look = axes[len(panels)], looks(results.arms)
    for arm in results.arms:
        tables = [depth_of_death(r, tumor_types(r), float(r.times[0])) for r in results.of(arm)]
        dead = sum((t["mean"].fillna(0.0) * t["n"]).reindex(union(tables)).fillna(0.0) for t in tables)
        seen = sum(t["n"].reindex(union(tables)).fillna(0.0) for t in tables)
        share = 100.0 * (dead / seen)[seen >= FEWEST]
        ax.plot(share.index, share, look[arm][1], color=look[arm][0], lw=1.6, label=arm)
    ax.set(ylabel="tumor cells dying or dead (%)", xlabel=f"distance from {words} (µm)")
    ax.set_ylim(bottom=0.0)
    ax.set_title("mean over the time of the arms", fontsize=8.5)
    ax.legend(fontsize=7)
    for ax in axes[n:]:
        ax.set_axis_off()
    return figure


def union(tables: Sequence[pd.DataFrame]) -> Any:
    """All distances of several tables."""
    return np.unique(np.concatenate([t.index.to_numpy(float) for t in tables]))


def first_of(results: Results) -> Result:
    """A result of the last arm, which is treated."""
    return results.of(results.arms[-1]).first()
