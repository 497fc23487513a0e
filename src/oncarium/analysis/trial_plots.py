"""Figures of trials, as reviewers expect them: survival with numbers at risk, waterfall, spider, swimmer, forest, bands
of a simulation over what was observed, biomarkers, synergy, power.

Each takes what the study layer computes, or plain numbers, draws into `ax` (or a new figure of its own) and returns the
Axes. Colors tell arms apart for everybody; responses have marks of their own beside their colors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .canvas import axes, styled
from .scales import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..study.survival import KaplanMeier

ARMS = (PALETTE[1], PALETTE[10], PALETTE[2], PALETTE[4], PALETTE[6], PALETTE[8])  # readable as lines on white
RESPONSES = {"CR": "#0F3C2D", "PR": "#009E73", "SD": "#56B4E9", "PD": "#D55E00", "NE": "#8A8A8A"}
PARTIAL, PROGRESS = -30.0, 20.0  # % change of RECIST's limits
CAP = 100.0  # % above which a bar is cut off, and says so


@styled
def kaplan_meier(
    curves: Sequence[KaplanMeier], ax: Axes | None = None, *, unit: str = "days", title: str = "survival",
    band: bool = True, said: str = "",
) -> Axes:  # fmt: skip
    """Steps of each curve with its 95 % band, ticks where somebody was censored, and the numbers at risk below.

    said   a line within the axes, such as the hazard ratio

    >>> from oncarium.study.survival import kaplan_meier as km
    >>> kaplan_meier([km([3, 5, 8], [1, 0, 1], name="placebo")]).get_ylabel()
    'share without an event'
    """
    ax = axes(ax, (7.4, 3.4 + 0.17 * len(curves)))
    end = max(float(c.times[-1]) for c in curves)
    for k, c in enumerate(curves):
        color, style = ARMS[k % len(ARMS)], ("-", "--", "-.", ":")[k % 4]
        label = f"{c.name or 'all'} (n {int(c.at_risk[0])}, median {_median(c.median[0])})"
        ax.step(c.times, c.survival, where="post", color=color, ls=style, lw=1.6, label=label)
        if band:
            ax.fill_between(c.times, c.low, c.high, step="post", color=color, alpha=0.13, lw=0)
        at = c.times[c.censored > 0]
        ax.plot(at, c.at(at), "|", color=color, ms=7, mew=1.2)
    ax.set(ylim=(0.0, 1.03), xlim=(0.0, 1.02 * end), ylabel="share without an event", title=title)
    ax.set_xlabel(unit)
    if said:
        ax.text(0.02, 0.04, said, transform=ax.transAxes, fontsize=8)
    ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    ticks = [t for t in ax.get_xticks() if 0.0 <= t <= 1.02 * end]
    ax.set_xticks(ticks)
    how: Any = {"textcoords": "offset points", "fontsize": 8, "va": "center", "annotation_clip": False}
    ax.annotate("at risk", (0.0, 0.0), xytext=(-10.0, -42.0), xycoords="axes fraction", ha="right", **how)
    for k, c in enumerate(curves):  # in points, so that no layout moves rows into each other
        y, color = -54.0 - 12.0 * k, ARMS[k % len(ARMS)]
        ax.annotate(c.name or "all", (0.0, 0.0), xytext=(-10.0, y), xycoords="axes fraction", color=color, ha="right",
                    **how)  # fmt: skip
        for t in ticks:
            said_n = str(int(c.number_at_risk(t)))
            ax.annotate(said_n, (t, 0.0), xytext=(0.0, y), xycoords=ax.get_xaxis_transform(), ha="center", **how)
    return ax


def _median(value: float) -> str:
    return "not reached" if math.isinf(value) else f"{value:.4g}"


@styled
def waterfall(
    changes: Sequence[float], responses: Sequence[str] | None = None, ax: Axes | None = None, *,
    title: str = "best change of the sum of diameters",
) -> Axes:  # fmt: skip
    """A bar for every patient, the largest rise first, with lines at +20 and -30 %; colored by best response.

    >>> waterfall([35.0, -12.0, -60.0], ["PD", "SD", "PR"]).get_ylabel()
    'change from baseline (%)'
    """
    values = np.asarray(changes, float)
    order = np.argsort(-np.where(np.isfinite(values), values, -np.inf), kind="stable")
    ax = axes(ax, (max(4.6, 0.11 * len(values) + 2.0), 3.2))
    names = [responses[k] for k in order] if responses is not None else ["SD"] * len(values)
    shown = np.minimum(np.nan_to_num(values[order]), CAP)
    ax.bar(range(len(values)), shown, color=[RESPONSES.get(n, RESPONSES["NE"]) for n in names], width=0.82)
    for k, i in enumerate(order):
        if values[i] > CAP:
            ax.text(k, CAP + 2, f"{values[i]:.0f}", ha="center", va="bottom", fontsize=6, rotation=90)
    for y in (PROGRESS, PARTIAL):
        ax.axhline(y, color="black", lw=0.8, ls="--")
        ax.text(1.005, y, f"{y:+.0f} %", transform=ax.get_yaxis_transform(), fontsize=7, va="center")
    ax.axhline(0.0, color="black", lw=0.8)
    ax.set(
        xlim=(-0.8, len(values) - 0.2), xlabel=f"{len(values)} patients", ylabel="change from baseline (%)", title=title
    )
    ax.set_ylim(-105.0, max(30.0, float(shown.max(initial=0.0)) + (22.0 if (values > CAP).any() else 6.0)))
    ax.set_xticks([])
    if responses is not None:
        _response_legend(ax, names, "bar")
    return ax


def _response_legend(ax: Axes, names: Sequence[str], kind: str, **how: Any) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    seen = [n for n in RESPONSES if n in names]
    handles: list[Any] = (
        [Patch(color=RESPONSES[n], label=n) for n in seen]
        if kind == "bar"
        else [Line2D([], [], color=RESPONSES[n], lw=1.6, label=n) for n in seen]
    )
    place = how or {"loc": "upper left", "bbox_to_anchor": (1.06, 1.0)}
    ax.legend(handles=handles, fontsize=8, handlelength=1.2, columnspacing=1.0, **place)


@styled
def spider(
    days: Sequence[Sequence[float]], changes: Sequence[Sequence[float]], responses: Sequence[str] | None = None,
    ax: Axes | None = None, *, title: str = "change of the sum of diameters",
) -> Axes:  # fmt: skip
    """A line for every patient from baseline on, colored by best response.

    >>> spider([[0, 42, 84]], [[0, -20, -40]], ["PR"]).get_xlabel()
    'days from baseline'
    """
    ax = axes(ax, (5.0, 3.4))
    names = list(responses) if responses is not None else ["NE"] * len(days)
    top = 30.0
    for t, given, name in zip(days, changes, names):
        y = np.asarray(given, float)
        ok = np.isfinite(y)
        ax.plot(
            np.asarray(t, float)[ok],
            y[ok],
            "-o",
            color=RESPONSES.get(name, RESPONSES["NE"]),
            lw=1.0,
            ms=2.2,
            alpha=0.85,
        )
        top = max(top, float(y[ok].max(initial=0.0)))
    for limit in (PROGRESS, PARTIAL):
        ax.axhline(limit, color="black", lw=0.8, ls="--")
    ax.axhline(0.0, color="black", lw=0.6)
    ax.set(xlabel="days from baseline", ylabel="change from baseline (%)", title=title)
    ax.set_ylim(-105.0, min(top + 8.0, 2.0 * CAP))
    ax.set_xlim(left=0.0)
    if responses is not None:
        _response_legend(ax, names, "line", loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


@styled
def swimmer(
    courses: Sequence[Mapping[str, Any]], ax: Axes | None = None, *, title: str = "course of every patient"
) -> Axes:  # fmt: skip
    """A bar for every patient as long as it was followed, with its response and when it progressed or died.

    courses   each {name, until, best, response (day or None), progression, death, dosing (last day of treatment)}

    >>> swimmer([{"name": "1", "until": 90.0, "best": "PR", "response": 42.0}]).get_xlabel()
    'days from the first dose'
    """
    from matplotlib.lines import Line2D

    order = sorted(range(len(courses)), key=lambda k: (-float(courses[k]["until"]), k))
    ax = axes(ax, (5.6, max(2.4, 0.17 * len(courses) + 1.3)))
    marks = {
        "response": ("^", "#FFFFFF", "response"),
        "progression": ("X", "black", "progression"),
        "death": ("s", "black", "death"),
    }
    used: list[str] = []
    names = []
    for y, k in enumerate(reversed(order)):
        c = courses[k]
        best = str(c.get("best", "NE"))
        names.append(best)
        color = RESPONSES.get(best, RESPONSES["NE"])
        ax.barh(y, float(c["until"]), color=color, alpha=0.55, height=0.72)
        if c.get("dosing"):
            ax.barh(y, float(c["dosing"]), color=color, height=0.36)
        for what, (mark, face, _) in marks.items():
            if c.get(what) is not None:
                ax.plot(float(c[what]), y, mark, mfc=face, mec="black", ms=5, mew=0.8)
                used.append(what)
        if c.get("progression") is None and c.get("death") is None:
            ax.plot([float(c["until"])], [y], ">", color="black", ms=4, clip_on=False)
            used.append("followed")
    ax.set_yticks(range(len(order)), [str(courses[k].get("name", k + 1)) for k in reversed(order)], fontsize=7)
    ax.set(xlabel="days from the first dose", title=title, ylim=(-0.8, len(order) - 0.2))
    ax.set_xlim(0.0, 1.04 * max(float(c["until"]) for c in courses))
    handles = [
        Line2D([], [], marker=m, mfc=f, mec="black", ls="", ms=5, label=label)
        for w, (m, f, label) in marks.items()
        if w in used
    ]
    if "followed" in used:
        handles.append(Line2D([], [], marker=">", color="black", ls="", ms=4, label="goes on"))
    handles += [Line2D([], [], color=RESPONSES[n], lw=5, alpha=0.7, label=n) for n in RESPONSES if n in names]
    ax.legend(handles=handles, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


@styled
def forest(
    rows: Sequence[tuple[str, tuple[float, float, float], int]], ax: Axes | None = None, *, less: str = "",
    more: str = "", title: str = "hazard ratio by subgroup",
) -> Axes:  # fmt: skip
    """Hazard ratios with intervals, one row for each subgroup, squares as large as the group.

    rows   (name, (ratio, low, high), patients); the last may be of all     less, more   what stands left and right of 1

    >>> forest([("all", (0.6, 0.4, 0.9), 200)]).get_xscale()
    'log'
    """
    ax = axes(ax, (6.2, 0.30 * len(rows) + 1.5))
    largest = max(n for *_, n in rows)
    ends = np.array([x for _, (r, a, b), _ in rows for x in (r, a, b) if 0.0 < x < math.inf])
    low, high = min(0.8 * ends.min(), 0.5), max(1.25 * ends.max(), 2.0)
    low, high = max(low, 0.02), min(high, 50.0)
    for k, (name, (ratio, a, b), n) in enumerate(rows):
        y = len(rows) - 1 - k
        ax.plot([max(a, low), min(b, high)], [y, y], color="black", lw=1.1)
        ax.plot(ratio, y, "s", color=ARMS[0], ms=3.0 + 5.0 * math.sqrt(n / largest))
        ax.text(-0.02, y, f"{name} (n {n})", transform=ax.get_yaxis_transform(), ha="right", va="center", fontsize=8)
        ax.text(
            1.02,
            y,
            f"{ratio:.2f} ({a:.2f} to {b:.2f})",
            transform=ax.get_yaxis_transform(),
            ha="left",
            va="center",
            fontsize=8,
        )
    ax.axvline(1.0, color="black", lw=0.8, ls="--")
    ax.set_xscale("log")
    ax.set(xlim=(low, high), ylim=(-0.8, len(rows) + (0.35 if less or more else -0.2)), title=title)
    ticks = [t for t in (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0) if low <= t <= high]
    ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.set_xlabel("hazard ratio (95 %)")
    ax.text(0.96, len(rows) - 0.25, f"← {less}" if less else "", ha="right", fontsize=8)
    ax.text(1.04, len(rows) - 0.25, f"{more} →" if more else "", ha="left", fontsize=8)
    return ax
