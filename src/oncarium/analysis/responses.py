"""Read-outs of many runs: one tidy table, response curves, heat maps.

A read-out is a series of the summary with a time ("live.tumor at end", "mean.oxygen at 2 day", "live.tumor at last 1
day", a mean over it), or a measure of readout.py ({measure: mean, of: tumor_macrophage, column: polarization.level}).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, InputError, ModelError, Problem, did_you_mean
from ..model.stop import summary_units
from ..run.result import Result
from ..run.results import Results
from ..run.series import quantiles
from ..units import UnitError, say_time, to_minutes
from .canvas import axes, styled
from .readout import complaint
from .readout import read_out as measured
from .scales import FACTORS, add_legend

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ..model.model import Model

Readout = str | Mapping[str, Any]


def usual(types: Iterable[str]) -> list[str]:
    """What is read where nothing is said: live cells of every type at the end."""
    return [f"live.{t} at end" for t in types]


def called(what: Readout) -> str:
    """What a read-out is called in tables."""
    if isinstance(what, str):
        return what
    return str(what.get("called") or " ".join(str(v) for v in what.values()))


def check_readouts(readouts: Sequence[Readout], model: Model) -> None:
    """Raise ModelError with everything that is wrong with read-outs of runs of a model.

    >>> check_readouts(["live.tumr at end"], oc.Model.from_text(oc.EXAMPLE))
    Traceback (most recent call last):
    oncarium.errors.ModelError: read-out  live.tumr at end
      the summary has no 'live.tumr'. Did you mean 'live.tumor'?
    """
    known, problems = summary_units(model), []
    for what in readouts:
        wrong = complaint(what) if isinstance(what, Mapping) else ""
        if isinstance(what, str):
            name, at = _parts(what)
            if name not in known:
                wrong = f"the summary has no '{name}'.{did_you_mean(name, known)}"
            elif at != "end":
                try:
                    to_minutes(at.removeprefix("last "))
                except UnitError as error:
                    wrong = f"{error}; expected 'at end', 'at 2 day' or 'at last 1 day'."
        if wrong:
            problems.append(Problem("read-out", called(what), wrong))
    names = [called(what) for what in readouts]
    problems += [Problem("read-out", n, "it stands twice.") for k, n in enumerate(names) if n in names[:k]]
    if problems:
        raise ModelError(problems)


def _parts(what: str) -> tuple[str, str]:
    name, _, at = what.strip().partition(" at ")
    return name.strip(), at.strip() or "end"


def read_out(result: Result, what: Readout) -> float:
    """The value of a read-out on one run. Raises InputError.

    >>> oc.read_out(result, "live.tumor at end") >= 20
    True
    """
    if isinstance(what, Mapping):
        return measured(result, what)
    name, at = _parts(what)
    if name not in result.summary:
        raise InputError("read-out", f"the summary has no '{name}'.{did_you_mean(name, result.summary.columns)}")
    series = result.summary[name]
    try:
        if at.startswith("last "):
            return float(series[series.index >= series.index[-1] - to_minutes(at.removeprefix("last ")) - 1e-9].mean())
        return float(series.iloc[-1 if at == "end" else result.frame(at, result.times)])
    except UnitError as error:
        raise InputError("read-out", f"{error}.") from None


def responses(results: Results, readouts: Sequence[Readout] | None = None) -> pd.DataFrame:
    """A row per run: arm, what was set, seed, time reached (min), finished, and every read-out; nothing (NaN) where a
    run has none. Units stand in attrs["units"].

    >>> table = oc.responses(oc.repeat(oc.Model.from_text(oc.EXAMPLE), seeds=2, until="1 h", workers=1))
    >>> table.columns.tolist()
    ['arm', 'seed', 'time', 'finished', 'live.tumor at end']
    """
    wanted = list(readouts or results.design.get("readouts") or usual(results.first().types))
    out = results.table[["arm", *results.paths, "seed", "time", "finished"]].copy()
    out.attrs["units"] = dict(results.table.attrs["units"])
    for what in wanted:
        values = []
        for run in results.runs:
            result = results.open(run)
            try:
                values.append(np.nan if result is None else read_out(result, what))
            except (InputError, DataError):
                if result is results.first():
                    raise
                values.append(np.nan)  # a run that stopped before that time, or has no such type
        out[called(what)] = values
    return out


def numeric_paths(table: pd.DataFrame, paths: Sequence[str]) -> list[str]:
    """Paths whose values are numbers, at least two."""
    return [p for p in paths if table[p].dtype.kind in "if" and table[p].nunique() > 1]


@styled
def response(table: pd.DataFrame, path: str, readout: str, by: str | None = None, ax: Axes | None = None) -> Axes:
    """A read-out against a number that was set: median and 5-95 % of the runs at each value; by another path, a curve
    for each of its values; where every run has a value of its own, points.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"dose": [1.0, 1.0, 2.0, 2.0], "live": [4, 5, 2, 3]})
    >>> oc.plot.response(table, "dose", "live").get_xlabel()
    'dose'
    """
    ax = axes(ax, (4.6, 3.2))
    units = table.attrs.get("units", {})
    unit = units.get(path, "")
    groups = [(None, table)] if by is None else list(table.groupby(by, sort=True))
    for k, (value, rows) in enumerate(groups):
        color = FACTORS[k % len(FACTORS)]
        x = np.sort(rows[path].dropna().unique())
        label = "" if by is None else f"{by.rpartition('.')[2]} {_short(value)} {units.get(by, '')}".rstrip()
        if len(x) == len(rows) and len(x) > 8:
            ax.plot(rows[path], rows[readout], "o", ms=4, color=color, alpha=0.8, label=label)
            continue
        counts = rows.groupby(path)[readout].apply(lambda v: v.to_numpy(float))
        low, mid, high = np.array([quantiles(counts[v][None], (0.05, 0.5, 0.95))[:, 0] for v in x]).T
        ax.plot(x, mid, "o-", ms=4, color=color, lw=1.5, label=label)
        if max(map(len, counts)) > 1:
            ax.fill_between(x, low, high, color=color, alpha=0.18, lw=0)
    values = table[path].dropna().to_numpy(float)
    scattered = len(np.unique(values)) == len(values) > 8
    if not scattered and values.min() > 0 and values.max() / values.min() > 20:
        ax.set_xscale("log")
    ax.set(xlabel=path + (f" ({unit})" if unit else ""), ylabel=readout)
    top = float(table[readout].max())
    if float(table[readout].min()) >= 0 and top > 0:
        ax.set_ylim(0, 1.08 * top)
    points = table.groupby([path] if by is None else [path, by])
    seeds = int(points["seed"].nunique().max()) if "seed" in table else 1
    if seeds > 1:
        ax.set_title(f"{seeds} seeds at each point (median, 5-95 %)")
    if by is not None:
        add_legend(ax)
    return ax


@styled
def heat_map(table: pd.DataFrame, x: str, y: str, readout: str, ax: Axes | None = None) -> Axes:
    """The median of a read-out for every pair of values of two paths.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"a": [1.0, 1.0, 2.0, 2.0], "b": ["u", "v", "u", "v"], "live": [4.0, 5.0, 2.0, 3.0]})
    >>> oc.plot.heat_map(table, "a", "b", "live").images[0].get_array().shape
    (2, 2)
    """
    ax = axes(ax, (4.8, 3.8))
    wide = table.pivot_table(index=y, columns=x, values=readout, aggfunc="median", sort=True)
    values = wide.to_numpy(float)
    image = ax.imshow(values, origin="lower", aspect="auto", cmap="viridis", interpolation="nearest")
    units = table.attrs.get("units", {})
    for axis, names, path in ((ax.xaxis, wide.columns, x), (ax.yaxis, wide.index, y)):
        axis.set_ticks(range(len(names)), [_short(v) for v in names])
        axis.set_label_text(path + (f" ({units[path]})" if units.get(path) else ""))
    if values.size <= 100:
        low, high = np.nanmin(values), np.nanmax(values)
        for (j, i), v in np.ndenumerate(values):
            dark = high > low and v < 0.5 * (low + high)
            ax.text(i, j, _short(v), ha="center", va="center", fontsize=8, color="white" if dark else "black")
    ax.figure.colorbar(image, ax=ax, label=f"{readout}, median")
    for side in ax.spines.values():
        side.set_visible(False)
    ax.tick_params(length=0)
    return ax


def _short(value: Any) -> str:
    try:
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    except TypeError:  # a word
        return str(value)


def reached(results: Results) -> str:
    """Until when the runs were seen, in words."""
    times = sorted({float(r.times[-1]) for r in results})
    return say_time(times[0]) if len(times) == 1 else f"{say_time(times[0])} to {say_time(times[-1])}"
