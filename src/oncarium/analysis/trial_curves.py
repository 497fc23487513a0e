"""More figures of trials: bands of a simulation over what was observed, biomarkers, synergy of two drugs, power."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .canvas import axes, new_figure, styled
from .trial_plots import ARMS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..study.diagnostics import Roc
    from ..study.synergy import Synergy

SHARES = (0.05, 0.5, 0.95)
NAMES = {"bliss": "beyond Bliss", "hsa": "beyond the better drug", "loewe": "beyond Loewe"}


@styled
def vpc(
    time: Any, observed: Any, simulated: Any, ax: Axes | None = None, *, bins: int = 8, unit: str = "days",
    name: str = "value",
) -> Axes:  # fmt: skip
    """Visual predictive check: percentiles 5, 50 and 95 of what was observed over the bands (90 %) in which those of
    repeated simulations lie.

    time, observed   of every observation     simulated   (repeat, observation), at the same times

    >>> random = np.random.default_rng(1)
    >>> t = np.repeat(np.arange(8.0), 20)
    >>> vpc(t, random.normal(size=160), random.normal(size=(30, 160))).get_xlabel()
    'days'
    """
    t, y, s = np.asarray(time, float), np.asarray(observed, float), np.asarray(simulated, float)
    ax = axes(ax, (5.2, 3.4))
    edges = np.unique(np.quantile(t, np.linspace(0.0, 1.0, bins + 1)))
    own = np.clip(np.searchsorted(edges, t, side="right") - 1, 0, max(len(edges) - 2, 0))
    groups = [np.flatnonzero(own == k) for k in np.unique(own)]
    middle = np.array([np.median(t[g]) for g in groups])
    seen = np.array([np.quantile(y[g], SHARES) for g in groups])
    many = np.array([np.quantile(s[:, g], SHARES, axis=1) for g in groups])  # (group, share, repeat)
    low, high = np.quantile(many, 0.05, axis=2), np.quantile(many, 0.95, axis=2)
    for k, color in enumerate((ARMS[0], ARMS[1], ARMS[0])):
        label = {0: "5 and 95 %, simulated", 1: "median, simulated"}.get(k)
        ax.fill_between(middle, low[:, k], high[:, k], color=color, alpha=0.25, lw=0, label=label)
        ax.plot(middle, seen[:, k], color="black", lw=1.4, ls="-" if k == 1 else "--",
                label={0: "5 and 95 %, observed", 1: "median, observed"}.get(k))  # fmt: skip
    ax.plot(t, y, ".", color="#8A8A8A", ms=2.5, alpha=0.6, zorder=0)
    if y.min() >= 0.0:
        ax.set_ylim(bottom=0.0)
    ax.set(xlabel=unit, ylabel=name, title=f"observed over {len(s)} simulations")
    ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return ax


@styled
def roc(found: Roc | Mapping[str, Roc], ax: Axes | None = None, *, title: str = "does it tell responders?") -> Axes:
    """Curves of one or several markers, with the area under each and its interval.

    >>> from oncarium.study.diagnostics import roc as curve
    >>> roc(curve([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])).get_ylabel()
    'responders found'
    """
    several = found if isinstance(found, Mapping) else {"": found}
    ax = axes(ax, (3.9, 3.9))
    for k, (name, r) in enumerate(several.items()):
        area, low, high = r.area
        label = f"{name + ': ' if name else ''}{area:.2f}" + (f" ({low:.2f} to {high:.2f})" if np.isfinite(low) else "")
        ax.plot(r.false, r.true, color=ARMS[k % len(ARMS)], lw=1.6, ls=("-", "--", "-.", ":")[k % 4], label=label)
    ax.plot([0, 1], [0, 1], color="#8A8A8A", lw=0.8, ls=":")
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel="others called responders", ylabel="responders found")
    ax.set_title(title)
    ax.set_aspect("equal")
    ax.legend(fontsize=8, loc="lower right", title="area under the curve", title_fontsize=8)
    return ax


@styled
def synergy_map(found: Synergy, models: Sequence[str] = ("bliss", "hsa", "loewe"), unit: str = "") -> Figure:
    """The excess of every pair of doses, one panel for each model; a frame where the interval leaves out 0.

    >>> import pandas as pd
    >>> from oncarium.study.synergy import synergy
    >>> kept = lambda d: 1 / (1 + d)
    >>> rows = [(s, a, b, 1 - kept(a) * kept(b)) for s in (1, 2) for a in (0, 1, 3) for b in (0, 1, 3)]
    >>> table = pd.DataFrame(rows, columns=["seed", "a", "b", "effect"])
    >>> len(synergy_map(synergy(table, "a", "b", "effect", resamples=5)).axes)
    4
    """
    figure = new_figure(2.9 * len(models) + 0.9, 3.3)
    panels: Any = np.atleast_1d(figure.subplots(1, len(models), sharey=True))
    top = max(float(np.abs(found.excess[m]).max()) for m in models) or 1.0
    image = None
    for ax, model in zip(panels, models):
        values = found.excess[model]
        image = ax.imshow(values.T, origin="lower", cmap="PuOr_r", vmin=-top, vmax=top, aspect="auto")
        for i, j in np.ndindex(*values.shape):
            shade = "white" if abs(values[i, j]) > 0.6 * top else "black"
            ax.text(i, j, f"{values[i, j]:+.2f}", ha="center", va="center", fontsize=7, color=shade)
            if i and j and found.low[model][i, j] * found.high[model][i, j] > 0.0:
                around = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]) * 0.46
                ax.plot(i + around[:, 0], j + around[:, 1], color="black", lw=1.0)
        mean, low, high = found.overall[model]
        interval = f" ({low:+.2f} to {high:+.2f})" if np.isfinite(low) else ""
        ax.set_title(f"{NAMES[model]}\n{mean:+.2f}{interval}", fontsize=8.5)
        ax.set_xticks(range(len(found.doses_a)), [f"{d:g}" for d in found.doses_a])
        ax.set_xlabel(f"{found.a}{f' ({unit})' if unit else ''}")
    panels[0].set_yticks(range(len(found.doses_b)), [f"{d:g}" for d in found.doses_b])
    panels[0].set_ylabel(f"{found.b}{f' ({unit})' if unit else ''}")
    figure.colorbar(image, ax=list(panels), label="excess effect", shrink=0.85)
    return figure


@styled
def power(
    sizes: Sequence[float], shares: Mapping[str, Sequence[tuple[float, float, float]]], ax: Axes | None = None, *,
    wanted: float = 0.8, title: str = "power",
) -> Axes:  # fmt: skip
    """The share of trials that show an effect against their size, with intervals, for one or several effects.

    shares   name -> (share, low, high) for every size

    >>> power([20, 40], {"hazard ratio 0.6": [(0.4, 0.3, 0.5), (0.8, 0.7, 0.9)]}).get_xlabel()
    'patients in each arm'
    """
    ax = axes(ax, (4.8, 3.3))
    for k, (name, rows) in enumerate(shares.items()):
        middle, low, high = np.array(rows, float).T
        color = ARMS[k % len(ARMS)]
        ax.fill_between(sizes, low, high, color=color, alpha=0.15, lw=0)
        ax.plot(sizes, middle, "-" if k == 0 else "--", marker="os^D"[k % 4], color=color, lw=1.5, ms=4, label=name)
    ax.axhline(wanted, color="black", lw=0.8, ls=":")
    ax.text(max(sizes), wanted, f"{100 * wanted:.0f} %", fontsize=7, ha="right", va="bottom")
    ax.set(ylim=(0.0, 1.03), xlabel="patients in each arm", ylabel="trials that show the effect", title=title)
    ax.legend(fontsize=8, loc="lower right")
    return ax
