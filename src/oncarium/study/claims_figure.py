"""The figure of a claim: every run's read-outs in both arms, and the effects against the band that is expected."""

from __future__ import annotations

import math
from typing import Any

from .claims import OFF
from .effects import LOGS, called, said
from .verdicts import Outcome
from .wiring import heat_map

ON_COLOR, OFF_COLOR, BAND = "#0072B2", "#888888", "#009E73"
AGAINST = {
    "ratio": "perturbed / control", "equivalence": "perturbed / control", "difference": "perturbed - control",
    "level": "level", "interaction": "both together / product of each", "contrast": "inner points / mean of both ends",
}  # fmt: skip


def figure(o: Outcome) -> Any:
    """A row for each read-out. Left: every seed, with the mechanism and without. Right: the effects with their 90 %
    intervals, and the expected band."""
    from ..analysis.canvas import new_figure

    if o.table is not None:
        return heat_map(o.table)
    fig = new_figure(7.4, 4.8)
    axes = fig.subplots(2, 2, width_ratios=[1.3, 1])
    for k, (role, x) in enumerate(o.judged.items()):
        left, right = axes[k]
        _seeds(left, o, k, role)
        _effects(right, x, k == 0)
        for ax in (left, right):
            ax.spines[["top", "right"]].set_visible(False)
            ax.tick_params(labelsize=8)
    return fig


def _seeds(ax: Any, o: Outcome, k: int, role: str) -> None:
    claim, readout = o.claim, o.judged[role].readout
    arms = [a for a in o.values if not a.endswith(OFF) and a not in ("sham", "positive")]
    ticks: list[float] = []
    for side, (end, color) in enumerate((("", ON_COLOR), (OFF, OFF_COLOR))):
        rows = [[x.value for x in o.values[a + end][k]] for a in arms if a + end in o.values]
        x0 = side * (len(arms) + 1.0)
        ticks += [x0 + i for i in range(len(rows))]
        for values in zip(*rows):
            ax.plot([x0 + i for i in range(len(values))], values, "o-", color=color, lw=0.8, ms=3.5)
        if rows:
            ax.annotate("mechanism " + ("off" if end else "on"), (x0 + 0.5 * (len(rows) - 1), 1.0), ha="center",
                        xycoords=("data", "axes fraction"), va="bottom", fontsize=8, color=color)  # fmt: skip
    names = [f"{x:g}" for x, _ in claim.series] if claim.series else arms
    ax.set_xticks(ticks, (names * 2)[: len(ticks)], fontsize=7.5)
    if claim.series and k:
        ax.set_xlabel(claim.along, fontsize=8)
    ax.set_xlim(-0.6, 2.0 * len(arms) + 0.6)
    ax.set_ylabel(_folded(f"{role}: {called(readout.what)}"), fontsize=8)


def _folded(text: str, width: int = 30) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, width))


def _effects(ax: Any, x: Any, first: bool) -> None:
    kind = x.readout.effect
    logs = kind in LOGS
    every = [("on", x.main, ON_COLOR), ("off", x.off, OFF_COLOR)]
    if kind != "level":  # of the others only the difference is known
        every += [("sham", x.sham, "#CC79A7"), ("positive", x.positive, "#E69F00")]
    shown = [(name, e, color) for name, e, color in every if e.n and not math.isnan(e.value)]
    ends = [said(kind, v) for _, e, _ in shown for v in e.interval() if math.isfinite(v)]
    low, high = x.readout.band
    if logs:
        ax.set_xscale("log")
        least = min([v for v in (low, *ends) if v > 0.0], default=0.1)
        low = max(low, 0.7 * least)
        ax.set_xlim(max(0.7 * least, 1e-3), min(1.4 * max([high, 1.0, *ends]), 1e3))
    ax.axvspan(low, high, color=BAND, alpha=0.15, lw=0, label="expected")
    if x.readout.sign:
        ax.axvline(1.0 if logs else 0.0, color="k", lw=0.8, ls=":", label="no effect")
    for y, (_, e, color) in enumerate(shown):
        start, end = (said(kind, v) for v in e.interval())
        ax.plot([max(start, 1e-3) if logs else start, end], [-y, -y], color=color, lw=2)
        ax.plot(said(kind, e.value), -y, "o", color=color, ms=5)
    ax.set_yticks([-y for y in range(len(shown))], [name for name, *_ in shown], fontsize=8)
    ax.set_ylim(-len(shown) + 0.4, 0.6)
    ax.set_xlabel(AGAINST[kind], fontsize=8)
    if logs:
        from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=6))
        ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.xaxis.set_minor_formatter(NullFormatter())
    if first:
        ax.legend(fontsize=7, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
