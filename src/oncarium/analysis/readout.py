"""Read-outs: what an experiment measures on a Result, named in words, so that a file can ask for it.

    {measure: mean, of: tam, column: polarization.score}
    {measure: share, of: carcinoma, column: emt.score, above: 0.5}
    {measure: count, of: ctl, per: {measure: count, of: carcinoma}}

In the examples `result` is that of oc.run(oc.Model.from_text(oc.spec.model.EXAMPLE), "2 h").
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import InputError, did_you_mean
from ..run.result import Result

MEASURES: dict[str, Callable[..., float]] = {}


def _measure(function: Callable[..., float]) -> Callable[..., float]:
    MEASURES[function.__name__] = function
    return function


def _rows(result: Result, t: Any, of: str | list[str] | None, vital: str = "live") -> np.ndarray:
    """Which cells (of a type, several, or all) that live, are dead, or both."""
    state = result.array("vital", t)
    rows = {"live": state == 0, "dead": state != 0, "all": np.ones(len(state), bool)}[vital]
    if of is None:
        return rows
    names = [of] if isinstance(of, str) else list(of)
    for name in names:
        if name not in result.types:
            raise InputError("read-out", f"no cell type is called '{name}'.{did_you_mean(name, result.types)}")
    return rows & np.isin(result.array("type", t), [result.types.index(n) for n in names])


def _values(result: Result, t: Any, of: Any, column: str) -> np.ndarray:
    """A column, or one entry of it ("sense.factor.oxygen"), of live cells."""
    name, _, label = (column, "", "") if column in result.columns else column.rpartition(".")
    values = result.array(name or column, t)
    if values.ndim > 1:
        labels = result._labels(name, values.shape[1])
        if label not in labels:
            raise InputError("read-out", f"{name} has no '{label}'.{did_you_mean(label, labels)}", f"It has: {', '.join(labels)}.")
        values = values[:, labels.index(label)]
    return values[_rows(result, t, of)]


@_measure
def count(result: Result, t: Any, of: Any = None, vital: str = "live") -> float:
    """Number of cells."""
    return float(_rows(result, t, of, vital).sum())


@_measure
def mean(result: Result, t: Any, of: Any, column: str) -> float:
    """Mean of a column over live cells; nan where there are none."""
    values = _values(result, t, of, column)
    return float(values.mean()) if len(values) else float("nan")


@_measure
def median(result: Result, t: Any, of: Any, column: str) -> float:
    """Median of a column over live cells; nan where there are none."""
    values = _values(result, t, of, column)
    return float(np.median(values)) if len(values) else float("nan")


@_measure
def share(result: Result, t: Any, of: Any, column: str, above: float) -> float:
    """Share of live cells whose column lies above a value."""
    values = _values(result, t, of, column)
    return float((values > above).mean()) if len(values) else float("nan")


@_measure
def phases(result: Result, t: Any, of: str, phase: Any) -> float:
    """Share of live cells in one phase of the cycle, or several."""
    from .measure import phase_fractions

    fractions = phase_fractions(result, of, t)
    return float(sum(fractions.get(p, 0.0) for p in ([phase] if isinstance(phase, str) else phase))) if fractions else float("nan")


@_measure
def events(result: Result, t: Any, kind: str) -> float:
    """How many events of a kind have happened so far."""
    if kind not in result.attrs["events"]:
        raise InputError("read-out", f"no event is called '{kind}'.{did_you_mean(kind, result.attrs['events'])}")
    return float(result.summary[f"events.{kind}"].iloc[result.frame(t, result.times)])


@_measure
def factor(result: Result, t: Any, name: str, statistic: str = "mean") -> float:
    """Mean, lowest or highest concentration."""
    if name not in result.factors:
        raise InputError("read-out", f"no factor is called '{name}'.{did_you_mean(name, result.factors)}")
    return float(result.summary[f"{statistic}.{name}"].iloc[result.frame(t, result.times)])


@_measure
def depth(result: Result, t: Any, of: str, share: float = 0.95) -> float:
    """How far (um) the outermost cells of a type have got beyond where the type's edge was at the start.

    The edge is the same quantile of the distance from the type's middle at the start.
    """
    start, now = (result.array("position", x)[_rows(result, x, of)] for x in (0.0, t))
    if not len(start) or not len(now):
        return float("nan")
    middle = start.mean(axis=0)
    far = [float(np.quantile(np.linalg.norm(p - middle, axis=1), share)) for p in (start, now)]
    return far[1] - far[0]


@_measure
def within(result: Result, t: Any, of: str, of_whom: str, distance: float) -> float:
    """Share of a type's live cells that have a live cell of another type within so many um."""
    from scipy.spatial import cKDTree

    own, other = (result.array("position", t)[_rows(result, t, x)] for x in (of, of_whom))
    if not len(own):
        return float("nan")
    if not len(other):
        return 0.0
    near, _ = cKDTree(other).query(own, k=1)
    return float((near <= distance).mean())


@_measure
def diversity(result: Result, t: Any, distance: float = 50.0) -> float:
    """Mean Shannon diversity (nat) of the types among live cells within so many um of each other."""
    from scipy.spatial import cKDTree

    rows = _rows(result, t, None)
    position, kind = result.array("position", t)[rows], result.array("type", t)[rows]
    if len(kind) < 2:
        return 0.0
    found = []
    for near in cKDTree(position).query_ball_point(position, distance):
        p = np.bincount(kind[near]) / len(near)
        found.append(-(p[p > 0] * np.log(p[p > 0])).sum())
    return float(np.mean(found))


def read_out(result: Result, what: Mapping[str, Any]) -> float:
    """The value of a read-out.

    what   measure and its options; at: "end" (default), a time such as "14 day", or a share of the run's days to average over, as in
           "last 3 day"; per: another read-out to divide by

    >>> from oncarium.analysis.readout import read_out
    >>> read_out(result, {"measure": "count", "of": "tumor"}) >= 20
    True
    """
    options = dict(what)
    name, at, per = options.pop("measure", None), options.pop("at", "end"), options.pop("per", None)
    problem = complaint(what)
    if problem:
        raise InputError("read-out", problem)
    options.pop("unit", None)
    options.pop("called", None)
    numbers = {k: float(v) if k in ("above", "share", "distance") and v is not None else v for k, v in options.items()}
    value = float(np.mean([MEASURES[str(name)](result, t, **numbers) for t in _moments(result, str(at))]))
    return value / read_out(result, {**per, "at": per.get("at", at)}) if per else value


def _moments(result: Result, at: str) -> list[Any]:
    if at == "end":
        return [None]
    if at.startswith("last "):
        from ..units import to_minutes

        return [float(t) for t in result.times if t >= result.times[-1] - to_minutes(at.removeprefix("last ")) - 1e-9]
    return [at]


def complaint(what: Mapping[str, Any]) -> str:
    """What is wrong with a read-out as written, or nothing.

    >>> complaint({"measure": "cuont", "of": "tumor"})
    "no measure is called 'cuont'. Did you mean 'count'?"
    """
    name = str(what.get("measure"))
    if name not in MEASURES:
        return f"no measure is called '{name}'.{did_you_mean(name, MEASURES)}"
    known = [p for p in inspect.signature(MEASURES[name]).parameters if p not in ("result", "t")]
    for key in what:
        if key not in (*known, "measure", "at", "per", "unit", "called"):
            return f"{name} has no option '{key}'.{did_you_mean(key, known)}"
    missing = [
        p.name for p in inspect.signature(MEASURES[name]).parameters.values() if p.default is p.empty and p.name not in ("result", "t", *what)
    ]
    if missing:
        return f"{name} needs {' and '.join(missing)}."
    per = what.get("per")
    return complaint(per) if isinstance(per, Mapping) else ""
