"""Models side by side on one page: what they say differently, tissue and fields at equal times with one scale, curves
with bands over seeds, and read-outs with the interval of their difference."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, InputError, ModelError, OncariumError, Problem
from ..model.model import Model
from ..run.result import Result
from ..run.results import Results
from ..run.series import units_of
from ..units import say_time
from .canvas import close, new_figure, picture, styled
from .curves import over_time
from .maps import field, tissue
from .page import Page
from .responses import read_out
from .scales import MANY, PALETTE, bare, common_range

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOMENTS = 4
SIDE = 4  # arms beside each other in one figure
LINES = 60  # of differences that are told per arm


def check_alike(given: Mapping[str, Model | Result | Results]) -> None:
    """Raise ModelError with everything that keeps arms from being set side by side: no type in common, a factor with
    two units, 2-D beside 3-D."""
    profiles = {name: _profile(what) for name, what in given.items()}
    (first, (types, factors, flat)), *others = profiles.items()
    problems = []
    for name, (its, theirs, its_flat) in others:
        where = f"{first} and {name}"
        if flat != its_flat:
            problems.append(
                Problem(
                    where,
                    "",
                    f"{first if flat else name} is 2-D, {name if flat else first} is 3-D;",
                    "they share no plane.",
                )
            )
        if not set(types) & set(its):
            said = f"they have no cell type in common: {', '.join(types)}; {', '.join(its)}."
            problems.append(Problem(where, "", said, remedy="Give types that mean the same the same name."))
        for factor in factors.keys() & theirs.keys():
            if factors[factor] != theirs[factor]:
                problems.append(Problem(where, factor, f"its unit is {factors[factor]} and {theirs[factor]}."))
    if problems:
        raise ModelError(problems)


def _profile(what: Model | Result | Results) -> tuple[list[str], dict[str, str], bool]:
    """Types, factors with units, and whether it is 2-D."""
    if isinstance(what, Model):
        return [t.name for t in what.types], {f.name: f.unit for f in what.factors}, what.domain.is_2d
    one = what.first() if isinstance(what, Results) else what
    return list(one.types), one.factors, one.is_2d


def write(results: Results) -> Path:
    """Write compare.html into the folder of the results; returns its path. Raises DataError, InputError."""
    if results.folder is None:
        raise DataError(results.title, "these runs lie in no folder of their own.")
    empty = [arm for arm in results.arms if not len(results.of(arm))]
    if empty:
        errors = [run.error for run in results.runs if run.error]
        raise DataError(
            str(results.folder), f"no run of {', '.join(empty)} has left anything{': ' + errors[0] if errors else ''}."
        )
    path = results.folder / "compare.html"
    return page(results).write(path)


def common_end(results: Results) -> float:
    """The latest time (min) that every arm reached with at least one seed."""
    return min(max(float(r.times[-1]) for r in results.of(arm)) for arm in results.arms)


def page(results: Results) -> Page:
    """The page."""
    shown = {arm: _longest(results.of(arm)) for arm in results.arms}
    end, ends = common_end(results), {arm: float(r.times[-1]) for arm, r in shown.items()}
    out = Page(results.title)
    counts = {arm: len(results.of(arm)) for arm in results.arms}
    out.text("; ".join(f"{arm}: {n} seed{'s' if n > 1 else ''}" for arm, n in counts.items()) + ".")
    common = together([r.times for r in shown.values()], end)
    end = float(common[-1])
    if len(set(ends.values())) > 1:
        reached = ", ".join(f"{arm} {say_time(t)}" for arm, t in ends.items())
        out.text(f"They end at different times ({reached}) and are compared up to {say_time(end)}.")
    types = {arm: r.types for arm, r in shown.items()}
    for arm, its in types.items():
        only = [t for t in its if not all(t in others for others in types.values())]
        if only:
            out.text(f"Not in every arm: {', '.join(only)} ({arm}).")
    failed = [run for run in results.runs if run.error]
    if failed:
        out.heading("Runs that failed").table(["arm", "seed", "why"], [[r.arm, r.seed, r.error] for r in failed], True)
    _said(out, shown)
    moments = common[np.unique(np.linspace(0, len(common) - 1, MOMENTS).round().astype(int))]
    out.heading("Tissue")
    seeds = {f"seed {r.seed}" for r in shown.values()}
    out.text(f"One run of each arm ({', '.join(sorted(seeds))}), at equal times and one scale.")
    out.pictures(
        (_png(tissues(part, moments)), f"Cells of {', '.join(part)} at their true size.", True)
        for part in _parts(shown)
    )
    factors = list(dict.fromkeys(f for r in shown.values() for f in r.factors))
    if factors:
        out.heading("Factors")
        when = float(together([r.field_times for r in shown.values()], end)[-1])
        if when < end - 1e-9:
            out.text(f"{say_time(when)} is the last time up to {say_time(end)} at which all arms have fields.")
        for name in factors[: 2 * MANY]:
            scale, said = limits(shown, name, when), f"{name} at {say_time(when)}, one scale for all arms."
            out.pictures((_png(fields(part, name, when, scale)), said, True) for part in _parts(shown))
    out.heading("Curves")
    if max(counts.values()) > 1:
        out.text("Medians over the seeds; bands hold 90 % of them.")
    series = [f"live.{t}" for t in _all_types(shown)] + [f"mean.{f}" for f in factors]
    out.pictures((_png(over_time(results, s)), s) for s in series[: 4 * MANY] if s in results.first().summary)
    _readouts(out, results, end)
    return out


def together(times: Sequence[np.ndarray], end: float) -> np.ndarray:
    """Times (min) up to an end at which every arm was recorded. Raises InputError where there is none.

    >>> from oncarium.analysis.compare_page import together
    >>> together([np.array([0.0, 30, 60]), np.array([0.0, 60, 90])], 80.0).tolist()
    [0.0, 60.0]
    """
    common = functools.reduce(np.intersect1d, [np.round(t, 6) for t in times])
    if not (common <= end + 1e-6).any():
        raise InputError(
            "compare", "there is no time at which all arms were recorded;", "record cells and fields at the same times."
        )
    return common[common <= end + 1e-6]


def _longest(results: Results) -> Result:
    """The run of the lowest seed among those that went farthest."""
    return max(results, key=lambda r: (float(r.times[-1]), -r.seed))


def _all_types(shown: Mapping[str, Result]) -> list[str]:
    return list(dict.fromkeys(t for r in shown.values() for t in r.types))


def _parts(shown: Mapping[str, Result]) -> Iterator[dict[str, Result]]:
    """Arms, a few at a time."""
    items = list(shown.items())
    return (dict(items[k : k + SIDE]) for k in range(0, len(items), SIDE))


def _said(out: Page, shown: Mapping[str, Result]) -> None:
    """What the models say differently, against the first."""
    out.heading("What they say differently")
    (name, first), *others = shown.items()
    try:
        base = Model.from_text(first.model_yaml, name, None)
    except (KeyError, OncariumError):
        out.text(f"{name} brings no model that could be read.")
        return
    for arm, result in others:
        try:
            lines = base.diff(Model.from_text(result.model_yaml, arm, None))
        except (KeyError, OncariumError):
            out.text(f"{arm} brings no model that could be read.")
            continue
        if not lines:
            out.text(f"{arm} says the same as {name}.")
            continue
        rows = [[path, *change.split(" -> ", 1)] for path, _, change in (line.partition(": ") for line in lines)]
        out.table(["value", name, arm], rows[:LINES], True)
        if len(lines) > LINES:
            out.text(f"and {len(lines) - LINES} more.")


@styled
def tissues(shown: Mapping[str, Result], moments: np.ndarray) -> Figure:
    """Tissue of every arm (rows) at the same times (columns): one extent, one scale, one color per type.

    >>> from oncarium.analysis.compare_page import tissues
    >>> len(tissues({"a": result, "b": result}, [0, 60]).axes)
    4
    """
    from matplotlib.lines import Line2D

    extent, ratio = _extent(shown)
    types = _all_types(shown)
    colors = {t: PALETTE[k % len(PALETTE)] for k, t in enumerate(types)}
    width = 2.6
    figure = new_figure(width * len(moments) + 1.3, (width * ratio + 0.35) * len(shown) + 0.2)
    grid = figure.subplots(len(shown), len(moments), squeeze=False)
    for row, (arm, result) in zip(grid, shown.items()):
        for ax, t in zip(row, moments):
            tissue(result, _nearest(result.times, t), ax, legend=False, colors=colors)
            bare(ax, extent)
        row[0].set_ylabel(arm, fontsize=10)
    every = [Line2D([], [], marker="o", ls="", color=c, label=t) for t, c in colors.items()]
    every += [
        Line2D([], [], marker="o", ls="", color=c, label=t)
        for c, t in (("#000000", "apoptotic"), ("#8A8A8A", "necrotic"))
    ]
    figure.legend(handles=every, loc="outside right upper", handletextpad=0.2)
    return figure


@styled
def fields(shown: Mapping[str, Result], name: str, t: float, scale: tuple[float, float]) -> Figure:
    """A factor in every arm at one time, with one scale.

    >>> from oncarium.analysis.compare_page import fields
    >>> len(fields({"a": result, "b": result}, "oxygen", 60.0, (0.0, 40.0)).axes)
    2
    """
    extent, ratio = _extent(shown)
    of = {arm: r for arm, r in shown.items() if name in r.factors}
    figure = new_figure(2.7 * len(of) + 1.0, 2.7 * ratio + 0.4)
    row = figure.subplots(1, len(of), squeeze=False)[0]
    for ax, (arm, result) in zip(row, of.items()):
        field(result, name, _nearest(result.field_times, t), ax, scale)
        bare(ax, extent)
        ax.set_title(arm)
        if ax is not row[-1]:
            for child in list(ax.child_axes):
                child.remove()
    return figure


def limits(shown: Mapping[str, Result], name: str, t: float) -> tuple[float, float]:
    """One scale of a factor over all arms at a time."""
    values = [r.fields[name].sel(time=_nearest(r.field_times, t)).values for r in shown.values() if name in r.factors]
    return common_range(values)


def _nearest(times: np.ndarray, t: float) -> float:
    return float(times[np.argmin(np.abs(times - t))])


def _extent(shown: Mapping[str, Result]) -> tuple[tuple[float, float, float, float], float]:
    """The box that holds every domain, um, and its height over its width."""
    from .scales import extent_of

    every = np.array([extent_of(r) for r in shown.values()])
    x0, x1, y0, y1 = every[:, 0].min(), every[:, 1].max(), every[:, 2].min(), every[:, 3].max()
    return (x0, x1, y0, y1), min(max((y1 - y0) / (x1 - x0), 0.3), 3.0)


def _readouts(out: Page, results: Results, end: float) -> None:
    """Read-outs at the common end: of every arm, and the difference to the first with its interval."""
    table = readouts(results, end)
    several = len(results.seeds) > 1 and table["low"].notna().any()
    out.heading(f"Read-outs at {say_time(end)}")
    if several:
        out.text(
            "Means over the seeds. The 95 % interval of the difference is Student's t: of the differences seed by seed "
            "where arms have the same seeds, else Welch's. An interval without 0 is a difference that chance alone "
            "seldom makes; many are looked at here, so one in twenty would be so by chance."
        )
    else:
        out.text("One seed per arm: a difference may be chance, and there is no interval. Give more seeds.")
    units = {k: u for r in reversed(list(results)) for k, u in units_of(r).items() if u != "1"}
    heads = ["read-out", "unit", "arm", "mean", "seeds", "difference", *(["95 % interval"] if several else [])]
    rows = []
    for row in table.itertuples():
        base = row.arm == results.arms[0]
        interval = "" if base or np.isnan(row.low) else f"{row.low:+.4g} to {row.high:+.4g}"
        rows.append(
            [
                row.readout,
                units.get(row.readout, ""),
                row.arm,
                f"{row.mean:.4g}",
                row.n,
                "" if base else f"{row.difference:+.4g}",
                *([interval] if several else []),
            ]
        )
    out.table(heads, rows)
    out.download("readouts.csv", table.to_csv(index=False))


def readouts(results: Results, end: float) -> pd.DataFrame:
    """A row per read-out and arm at a time (min): mean over seeds, n, difference to the first arm, and low, high (95 %
    by Student's t; nothing with one seed).

    >>> from oncarium.analysis.compare_page import readouts
    >>> results = oc.compare(oc.Model.from_text(oc.EXAMPLE), oc.Model.from_text(oc.EXAMPLE), until="1 h", workers=1)
    >>> readouts(results, 60.0)["difference"].tolist()[:2]
    [0.0, 0.0]
    """
    import pandas as pd

    names = [n for n in results.first().summary.columns if not n.startswith(("lowest.", "highest."))]
    rows = []
    first: dict[int, float] = {}
    for name in names:
        for arm in results.arms:
            values = {}
            for run, result in results.of(arm).there:
                if name in result.summary and result.times[-1] >= end - 1e-9:
                    values[run.seed] = read_out(result, f"{name} at {_nearest(result.times, end)} min")
            first = values if arm == results.arms[0] else first
            if any(values.values()) or any(first.values()):
                mean = float(np.mean(list(values.values()))) if values else np.nan
                low, high = interval(first, values)
                base = float(np.mean(list(first.values()))) if first else np.nan
                rows.append(
                    {
                        "readout": name,
                        "arm": arm,
                        "mean": mean,
                        "n": len(values),
                        "difference": mean - base,
                        "low": low,
                        "high": high,
                    }
                )
    return pd.DataFrame(rows, columns=["readout", "arm", "mean", "n", "difference", "low", "high"])


def interval(control: Mapping[int, float], other: Mapping[int, float]) -> tuple[float, float]:
    """95 % interval of the difference of means by Student's t: of pairs where the seeds are the same, else Welch's;
    nothing (nan) with one seed.

    >>> interval({1: 1.0, 2: 3.0}, {1: 2.0, 2: 4.0}), interval({1: 1.0}, {1: 2.0})
    ((1.0, 1.0), (nan, nan))
    """
    from scipy.special import stdtrit

    if len(control) < 2 or len(other) < 2:
        return np.nan, np.nan
    if set(control) == set(other):
        samples = [np.array([other[s] - control[s] for s in control])]
    else:
        samples = [np.array([*other.values()]), -np.array([*control.values()])]
    middle = float(sum(v.mean() for v in samples))
    parts = [v.var(ddof=1) / len(v) for v in samples]  # of the variance of the difference
    if not sum(parts) > 0.0:
        return (middle, middle) if sum(parts) == 0.0 else (np.nan, np.nan)
    freedom = sum(parts) ** 2 / sum(p**2 / (len(v) - 1) for p, v in zip(parts, samples))
    half = float(stdtrit(freedom, 0.975) * np.sqrt(sum(parts)))
    return middle - half, middle + half


def _png(figure: Figure | Axes) -> bytes:
    owner: Any = getattr(figure, "figure", figure)
    png = picture(owner, 130)
    close(owner)
    return png
