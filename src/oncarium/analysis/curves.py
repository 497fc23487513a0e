"""Curves over time: growth, composition, deaths, phases of the cycle, factors, and any series or column.

Every function takes a Result, or Results: then it draws the median of the seeds and the band that holds 90 % of them,
one style of line per arm, and its title says how many seeds there are. It draws into `ax` (or a new figure of its own,
see canvas.py) and returns the Axes. In the examples `result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, did_you_mean
from ..run.result import Result
from ..run.results import Results
from ..run.series import check_series, quantiles, units_of
from .canvas import axes, styled
from .readings import values_of
from .scales import FACTORS, MANY, PALETTE, add_legend, decades, edge, time_axis, with_unit

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

STYLES = ("-", "--", ":", "-.")
WIDTH = 1.6  # of lines, points
SIDE = 4  # lines with short names whose legend stands within the axes
BAND = "median, 5-95 %"
Series = Callable[[Result], "pd.Series"]


class _Drawing:
    """Axes of curves: their clock, their colors and styles, and what their title must say."""

    def __init__(
        self, given: Result | Results, ax: Axes | None, size: tuple[float, float] = (4.6, 3.2), several: bool = True
    ):
        """several: are there several lines for every arm?"""
        self.aside = beside(given, several)
        self.given, self.ax = given, axes(ax, (size[0] + self.aside, size[1]))
        self.first = given.first() if isinstance(given, Results) else given
        self.arms = given.arms if isinstance(given, Results) else [""]
        every = list(given) if isinstance(given, Results) else [given]
        self.types = list(dict.fromkeys(t for result in every for t in result.types))
        self.factors = {name: unit for result in reversed(every) for name, unit in result.factors.items()}
        ends = np.array([min(r.times[0] for r in every), max(r.times[-1] for r in every)])
        scaled = time_axis(self.ax, ends)
        self.minutes = float(np.ptp(ends) / np.ptp(scaled)) if np.ptp(scaled) > 0 else 1.0
        self.seen = [t for t in self.types if any(t in seen_types(r) for r in every)]

    def color(self, type: str) -> str:
        """A type's color, the same in every arm."""
        return PALETTE[self.types.index(type) % len(PALETTE)]

    def line(self, of: Series, color: str, label: str, style: str | None = None) -> None:
        """One curve per arm, with its band; each arm has a style of its own unless one is given."""
        for arm, table in spread(self.given, of).items():
            k = self.arms.index(arm)
            many = len(self.arms) > 1
            look = style or STYLES[k % len(STYLES)]
            name = f"{label}, {self.given.label(arm)}" if many and isinstance(self.given, Results) else label
            draw_band(self.ax, table, self.minutes, color, name, look)

    def legend(self, **how: Any) -> None:
        """The legend; beside the axes where there are several arms."""
        if self.aside:
            how = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0, "handlelength": 1.6}
            self.ax.legend(fontsize=8, labelspacing=0.3, **how)
        else:
            add_legend(self.ax, **how)

    def title(self, text: str) -> None:
        """The title, with the number of seeds."""
        self.ax.set_title(text + said_seeds(self.given))


def beside(given: Result | Results, several: bool = True) -> float:
    """Inches that a legend of several arms takes beside the axes; 0 where it is short enough to stand in them."""
    labels = [given.label(arm) for arm in given.arms] if isinstance(given, Results) else []
    longest = max(map(len, labels), default=0)
    if len(labels) <= 1 or (not several and len(labels) <= SIDE and longest <= 20):
        return 0.0
    return (1.3 if several else 0.6) + 0.065 * longest


def said_seeds(given: Result | Results) -> str:
    """How many seeds are shown, for a title; nothing for one run."""
    if isinstance(given, Result):
        return ""
    counts = sorted({len(given.of(arm)) for arm in given.arms})
    n = str(counts[0]) if len(counts) == 1 else f"{counts[0]}-{counts[-1]}"
    return f", {n} seed{'s' if counts[-1] != 1 else ''}" + (f" ({BAND})" if counts[-1] > 1 else "")


def spread(given: Result | Results, of: Series) -> dict[str, pd.DataFrame]:
    """Arm -> median, low, high and n of a series over time (min)."""
    import pandas as pd

    if isinstance(given, Result):
        series = of(given)
        return {"": pd.DataFrame({"time": series.index, "median": series, "low": np.nan, "high": np.nan, "n": 1})}
    table = given.spread({run: of(result) for run, result in given.there})
    return {str(arm): rows for arm, rows in table.groupby("arm", sort=False)}


def draw_band(ax: Axes, table: pd.DataFrame, minutes: float, color: str, label: str, style: str = "-") -> None:
    """A median and, where there are several seeds, its band."""
    x = table["time"].to_numpy(float) / minutes
    ax.plot(x, table["median"], style, color=color, lw=WIDTH, label=label, path_effects=edge(color, WIDTH))
    if (table["n"] > 1).any() or table["low"].notna().any():
        ax.fill_between(x, table["low"], table["high"], color=color, alpha=0.18, lw=0)


def seen_types(result: Result) -> list[str]:
    """Types that have, or had, cells; all where nobody has."""
    s = result.summary
    states = ("live", "apoptotic", "necrotic")
    return [n for n in result.types if max(s[f"{k}.{n}"].max() for k in states) > 0] or list(result.types)


def _summary(name: str) -> Series:
    """A series of the summary; nothing in a run that has no such type or factor."""
    import pandas as pd

    return lambda r: r.summary[name] if name in r.summary else pd.Series(np.nan, r.summary.index)


@styled
def growth(given: Result | Results, ax: Axes | None = None) -> Axes:
    """Live cells of each type over time.

    >>> oc.plot.growth(result).get_ylabel()
    'live cells'
    """
    drawn = _Drawing(given, ax)
    for name in drawn.seen:
        drawn.line(_summary(f"live.{name}"), drawn.color(name), name)
    drawn.ax.set(ylabel="live cells")
    drawn.title("growth")
    if len(drawn.seen) > MANY:
        decades(drawn.ax)
    drawn.ax.set_ylim(bottom=0)
    drawn.legend()
    return drawn.ax


@styled
def composition(given: Result | Results, ax: Axes | None = None) -> Axes:
    """Share of each type among live cells over time; of several seeds, as lines with bands.

    >>> oc.plot.composition(result).get_ylabel()
    'share of live cells'
    """
    drawn = _Drawing(given, ax)
    names = drawn.seen

    def share(name: str) -> Series:
        def of(result: Result) -> pd.Series:
            live = [result.summary[f"live.{t}"] for t in result.types]
            return _summary(f"live.{name}")(result) / sum(live, start=0 * live[0]).clip(lower=1)

        return of

    if isinstance(given, Results):
        for name in names:
            drawn.line(share(name), drawn.color(name), name)
    else:
        x = given.times / drawn.minutes
        drawn.ax.stackplot(x, np.array([share(n)(given) for n in names]), colors=[drawn.color(n) for n in names],
                           labels=names, alpha=0.9)  # fmt: skip
        drawn.ax.set_xlim(x[0], max(x[-1], x[0] + 1e-9))
    drawn.ax.set(ylabel="share of live cells", ylim=(0, 1))
    drawn.title("composition")
    drawn.legend(loc="lower left" if isinstance(given, Result) else "best", framealpha=0.8, frameon=True)
    return drawn.ax


@styled
def deaths(given: Result | Results, ax: Axes | None = None) -> Axes:
    """Share of each type's cells that are apoptotic or necrotic over time; of many types, those with 30 cells or more.

    >>> oc.plot.deaths(result).get_xlabel()
    'time (min)'
    """
    drawn = _Drawing(given, ax)
    for name in drawn.types:
        states = {kind: _summary(f"{kind}.{name}") for kind in ("live", "apoptotic", "necrotic")}

        def total(result: Result, states: dict[str, Series] = states) -> pd.Series:
            return sum((of(result) for of in states.values()), start=0.0).clip(lower=1)  # type: ignore[union-attr]

        if len(drawn.seen) > MANY and total(drawn.first).median() < 30:
            continue
        for kind, style in (("apoptotic", "--"), ("necrotic", "-")):
            dead = states[kind]
            if any(dead(r).max() > 0 for r in (given if isinstance(given, Results) else [given])):
                one = style if len(drawn.arms) == 1 else None
                drawn.line(lambda r, d=dead, t=total: d(r) / t(r), drawn.color(name), f"{name}, {kind}", one)  # type: ignore[misc]
    drawn.ax.set(ylabel="share of the type's cells")
    drawn.title("death")
    drawn.ax.set_ylim(bottom=0)
    drawn.legend()
    return drawn.ax


@styled
def phases(given: Result | Results, ax: Axes | None = None) -> Axes:
    """Cycle of the dividing types: phase fractions, or (for a cycle of one phase) divisions per live cell and day.

    >>> oc.plot.phases(result).get_ylabel()
    'divisions per live cell and day'
    """
    import pandas as pd

    from .measure import phase_fractions

    drawn = _Drawing(given, ax)
    cycles = drawn.first.attrs["phases"]
    dividing = [t for t in drawn.first.types if cycles.get(t)]
    several = [t for t in dividing if len(cycles[t]) > 1]

    def fraction(name: str, phase: str) -> Series:
        return lambda r: pd.Series([phase_fractions(r, name, t).get(phase, 0.0) for t in r.times], r.summary.index)

    def rate(result: Result) -> pd.Series:
        divisions = result.summary["events.division"]
        live = sum((_summary(f"live.{t}")(result) for t in dividing), start=0 * divisions).clip(lower=1)
        return pd.Series(np.gradient(divisions, result.times) * 1440.0 if len(live) > 1 else 0.0, live.index) / live

    for name in several:
        for phase, style in zip(cycles[name], STYLES):
            drawn.line(fraction(name, phase), drawn.color(name), f"{name}, {phase}", style)
    if several:
        drawn.ax.set(ylabel="share of live cells", ylim=(0, 1))
    else:
        drawn.line(rate, "black", "dividing types")
        drawn.ax.set(ylabel="divisions per live cell and day")
        drawn.ax.set_ylim(bottom=0)
    drawn.title("cycle phases" if several else "division")
    drawn.legend()
    return drawn.ax


@styled
def factors(given: Result | Results, ax: Axes | None = None) -> Axes:
    """Mean of each factor, as a share of its largest mean; of many factors, as bands of color.

    >>> len(oc.plot.factors(result).lines)
    1
    """
    first = given.first() if isinstance(given, Results) else given
    drawn = _Drawing(given, ax, (4.6, 3.2 if len(first.factors) <= MANY else 1.0 + 0.17 * len(first.factors)))
    ax, every = drawn.ax, list(given) if isinstance(given, Results) else [given]
    tops = {n: max(1e-300, *(float(_summary(f"mean.{n}")(r).max()) for r in every)) for n in drawn.factors}
    units = {name: f" {unit}" if unit != "1" else "" for name, unit in drawn.factors.items()}
    said = {name: f"{top:.3g}{units[name]}" if top > 1e-300 else "none" for name, top in tops.items()}
    if len(tops) > MANY:
        tables = {n: next(iter(spread(given, _summary(f"mean.{n}")).values())) for n in tops}
        x = next(iter(tables.values()))["time"].to_numpy(float) / drawn.minutes
        step = (x[-1] - x[0]) / max(len(x) - 1, 1) or 1.0
        across = (x[0] - step / 2, x[-1] + step / 2, len(tops) - 0.5, -0.5)
        bands = np.array([tables[n]["median"] / top for n, top in tops.items()])
        image = ax.imshow(bands, extent=across, aspect="auto", interpolation="nearest", cmap="viridis", vmin=0, vmax=1)
        ax.set_yticks(range(len(tops)), [f"{name} ({said[name]})" for name in tops], fontsize=7)
        ax.tick_params(axis="y", length=0)
        ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0.0, 0.03, 0.4)), label="1 = largest mean")
        drawn.title("mean of each factor (largest)")
        return ax
    for k, (name, top) in enumerate(tops.items()):
        color = FACTORS[k % len(FACTORS)]
        label = f"{name} ({'1 = ' * (top > 1e-300)}{said[name]})"
        drawn.line(lambda r, n=name, t=top: _summary(f"mean.{n}")(r) / t, color, label)  # type: ignore[misc]
    ax.set(ylabel="mean in the domain, relative")
    drawn.title("factors")
    ax.set_ylim(bottom=0)
    drawn.legend()
    return ax


@styled
def over_time(
    given: Result | Results, what: str, of: str | Sequence[str] | None = None, ax: Axes | None = None
) -> Axes:
    """Any series of the summary ("live.tumor", "mean.oxygen"), or any recorded column of the cells ("hypoxia.level",
    "sense.factor.oxygen") by type, over time. Raises InputError.

    of   the types of cells of a column; all that there are when left out

    A column of one run shows the median of its live cells and the band that holds 90 % of them; of Results, the median
    over the seeds of these medians, and the band of the seeds. Series of several arms have a color per arm, and dashes
    from the seventh on.

    >>> oc.plot.over_time(result, "sense.pressure").get_ylabel()
    'sense.pressure'
    >>> len(oc.plot.over_time(result, "live.tumor").lines)
    1
    """
    series = what in (given.first() if isinstance(given, Results) else given).summary
    drawn = _Drawing(given, ax, several=not series)
    if series:
        unit, cells = units_of(drawn.first)[what], what.partition(".")[2]
        for arm, table in spread(given, lambda r: check_series(r, what)).items():
            k = drawn.arms.index(arm)
            name = given.label(arm) if isinstance(given, Results) else what
            color = drawn.color(cells) if len(drawn.arms) == 1 and cells in drawn.types else FACTORS[k % len(FACTORS)]
            draw_band(drawn.ax, table, drawn.minutes, color, name, STYLES[k // len(FACTORS) % len(STYLES)])
    else:
        unit = _unit_of_column(drawn.first, what)
        for name in [of] if isinstance(of, str) else list(of or drawn.seen):
            if name not in drawn.types:
                raise InputError("of", f"no cell type is called '{name}'.{did_you_mean(name, drawn.types)}")
            if isinstance(given, Results):
                drawn.line(lambda r, n=name: column_over_time(r, what, n)["median"], drawn.color(name), name)  # type: ignore[misc]
            else:
                draw_band(
                    drawn.ax, column_over_time(given, what, name).reset_index(), drawn.minutes, drawn.color(name), name
                )
    drawn.ax.set_ylabel(with_unit(what, unit))
    drawn.title(what if isinstance(given, Results) or series else f"{what}, live cells ({BAND})")
    drawn.legend()
    return drawn.ax


def _unit_of_column(result: Result, what: str) -> str:
    """Unit of a recorded column, or of one entry of it. Raises InputError."""
    try:
        return result.unit(what)
    except InputError:
        known = [*result.summary.columns, *result.columns]
        raise InputError(
            "over time", f"'{what}' is neither a series of the summary nor a recorded column."
            f"{did_you_mean(what, known)}", f"Recorded: {', '.join(result.columns)}.",
        ) from None  # fmt: skip


def column_over_time(result: Result, column: str, of: str) -> pd.DataFrame:
    """median, low, high (5 and 95 %) and n of a column over the live cells of a type, by time (min).

    >>> from oncarium.analysis.curves import column_over_time
    >>> column_over_time(result, "radius", "tumor").columns.tolist()
    ['median', 'low', 'high', 'n']
    """
    import pandas as pd

    rows = []
    for t in result.times:
        values = np.asarray(values_of(result, t, of, column), float)
        low, mid, high = quantiles(values[None], (0.05, 0.5, 0.95))[:, 0] if len(values) else (np.nan,) * 3
        rows.append({"median": mid, "low": low, "high": high, "n": len(values)})
    return pd.DataFrame(rows, index=pd.Index(result.times, name="time"))
