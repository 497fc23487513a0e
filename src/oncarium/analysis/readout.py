"""Read-outs: what an experiment measures on a Result, named in words, so that a file can ask for it.

    {measure: mean, of: tumor_macrophage, column: polarization.level}
    {measure: share, of: carcinoma, column: emt.score, above: 0.5}
    {measure: count, of: cd8_effector, per: {measure: count, of: carcinoma}}

In the examples `result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..errors import InputError, did_you_mean
from ..run.result import Result

MEASURES: dict[str, Callable[..., float]] = {}
NUMBERS = ("above", "value", "share", "distance", "half", "hours", "sectors")  # options that are numbers


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
            raise InputError(
                "read-out", f"{name} has no '{label}'.{did_you_mean(label, labels)}", f"It has: {', '.join(labels)}."
            )
        values = values[:, labels.index(label)]
    return values[_rows(result, t, of)]


@_measure
def count(
    result: Result, t: Any, of: Any = None, vital: str = "live", column: str | None = None, above: float = 0.0
) -> float:
    """Number of cells; of those whose column lies above a value, where one is named."""
    return float(
        _rows(result, t, of, vital).sum() if column is None else (_values(result, t, of, column) > above).sum()
    )


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
def share_below(result: Result, t: Any, of: Any, column: str, value: float) -> float:
    """Share of live cells whose column lies below a value."""
    values = _values(result, t, of, column)
    return float((values < value).mean()) if len(values) else float("nan")


@_measure
def phases(result: Result, t: Any, of: str, phase: Any) -> float:
    """Share of live cells in one phase of the cycle, or several."""
    from .measure import phase_fractions

    fractions = phase_fractions(result, of, t)
    return (
        float(sum(fractions.get(p, 0.0) for p in ([phase] if isinstance(phase, str) else phase)))
        if fractions
        else float("nan")
    )


@_measure
def events(result: Result, t: Any, kind: str) -> float:
    """How many events of a kind have happened so far."""
    if kind not in result.attrs["events"]:
        raise InputError("read-out", f"no event is called '{kind}'.{did_you_mean(kind, result.attrs['events'])}")
    return float(result.summary[f"events.{kind}"].iloc[result.frame(t, result.times)])


def kinds_of(result: Result) -> dict[int, int]:
    """Id -> type of every cell that was ever seen, came, or was born."""
    known: dict[int, int] = {}
    for t in result.times:
        for i, kind in zip(result.array("id", t).tolist(), result.array("type", t).tolist()):
            known.setdefault(i, kind)
    happened = result.events
    for i, kind, cause in zip(happened["id"].tolist(), happened["kind"].tolist(), happened["cause"].tolist()):
        if kind == "arrival":
            known[i] = cause
        elif kind == "division" and i in known:
            known.setdefault(cause, known[i])
    return known


def _index(result: Result, of: str) -> int:
    if of not in result.types:
        raise InputError("read-out", f"no cell type is called '{of}'.{did_you_mean(of, result.types)}")
    return result.types.index(of)


def _cell_days(result: Result, t: Any, of: str) -> float:
    """Live cells of a type, summed over the days so far."""
    last = result.frame(t, result.times) + 1
    return float(np.trapezoid(result.summary[f"live.{of}"].to_numpy()[:last], result.times[:last])) / 1440.0


@_measure
def happened(result: Result, t: Any, kind: str, of: str) -> float:
    """Events of a kind that happened so far to cells of a type."""
    own, until = _index(result, of), result.times[result.frame(t, result.times)]
    found, known = result.events, kinds_of(result)
    found = found[(found["kind"] == kind) & (found["time"] <= until + 1e-9)]
    return float(sum(known.get(i) == own for i in found["id"].tolist()))


@_measure
def per_day(result: Result, t: Any, kind: str, of: str) -> float:
    """Events of a kind per live cell of a type and day."""
    days = _cell_days(result, t, of)
    return happened(result, t, kind, of) / days if days > 0.0 else float("nan")


@_measure
def kills(result: Result, t: Any, by: str, of: str, hours: float = 6.0) -> float:
    """Kills per killer and day: cells of a type that went into apoptosis within so many hours of an attack by another
    type."""
    killer, victim, until = _index(result, by), _index(result, of), result.times[result.frame(t, result.times)]
    known, struck, killed = kinds_of(result), dict[int, float](), 0
    found = result.events
    found = found[found["kind"].isin(["attack", "apoptosis"]) & (found["time"] <= until + 1e-9)]
    for time, i, kind, cause in zip(
        found["time"].tolist(), found["id"].tolist(), found["kind"].tolist(), found["cause"].tolist()
    ):
        if kind == "attack":
            if known.get(cause) == killer:
                struck[i] = time
        elif known.get(i) == victim and time - struck.get(i, -np.inf) <= 60.0 * hours:
            killed += 1
    days = _cell_days(result, t, by)
    return killed / days if days > 0.0 else float("nan")


@_measure
def arrivals(result: Result, t: Any, of: str) -> float:
    """Cells of a type that have come from the blood so far."""
    until, found = result.times[result.frame(t, result.times)], result.events
    return float(
        ((found["kind"] == "arrival") & (found["cause"] == _index(result, of)) & (found["time"] <= until + 1e-9)).sum()
    )


@_measure
def matrix(result: Result, t: Any, name: str) -> float:
    """Mean over the tissue: density, crosslink, hyaluronan, stiffness (kPa), order of the fibres, or membrane (mean
    strength), breached (share)."""
    known = list(result.attrs["summary"].get("matrix", {}))
    if name not in known:
        raise InputError("read-out", f"no property of the matrix was recorded as '{name}'.{did_you_mean(name, known)}")
    return float(result.summary[f"matrix.{name}"].iloc[result.frame(t, result.times)])


@_measure
def metastasis(result: Result, t: Any, name: str) -> float:
    """Cells of the tissue that have entered blood or lymph so far, clusters among them, cells per day (blood_per_day,
    lymph_per_day), circulating cells of the patient, and of a site dormant, growing, cells ("lung.cells")."""
    known = list(result.attrs["summary"].get("metastasis", {}))
    if name not in known:
        raise InputError("read-out", f"nothing of metastasis was recorded as '{name}'.{did_you_mean(name, known)}")
    return float(result.summary[f"metastasis.{name}"].iloc[result.frame(t, result.times)])


@_measure
def factor(result: Result, t: Any, name: str, statistic: str = "mean") -> float:
    """Mean, lowest or highest concentration."""
    if name not in result.factors:
        raise InputError("read-out", f"no factor is called '{name}'.{did_you_mean(name, result.factors)}")
    return float(result.summary[f"{statistic}.{name}"].iloc[result.frame(t, result.times)])


@_measure
def tissue(result: Result, t: Any, name: str) -> float:
    """What vessels and fluid tell of themselves at every time: "vessels.perfused", "fluid.pressure"."""
    known = [f"{part}.{key}" for part, keys in result.attrs["summary"].items() for key in keys]
    if name not in known:
        raise InputError("read-out", f"nothing was recorded as '{name}'.{did_you_mean(name, known)}")
    return float(result.summary[name].iloc[result.frame(t, result.times)])


@_measure
def vessels(result: Result, t: Any, name: str, of: str | None = None) -> float:
    """Vessels as in images: density (1/mm^2), apart (um), perfused (share of the length), distance (um, median of the
    distances of a type's cells from vessels with blood)."""
    from .vasculature import Vasculature, vasculature

    if name not in Vasculature._fields:
        raise InputError("read-out", f"vessels have no '{name}'.{did_you_mean(name, Vasculature._fields)}")
    return float(getattr(vasculature(result, t, of), name))


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
def beyond(result: Result, t: Any, of: str, distance: float) -> float:
    """Cells of a type further out than its edge (95th percentile) at the start plus so many um."""
    start, now = (result.array("position", x)[_rows(result, x, of)] for x in (0.0, t))
    if not len(start):
        return float("nan")
    middle = start.mean(axis=0)
    edge = float(np.quantile(np.linalg.norm(start - middle, axis=1), 0.95))
    return float((np.linalg.norm(now - middle, axis=1) > edge + distance).sum())


@_measure
def roundness(result: Result, t: Any, of: str, sectors: float = 24) -> float:
    """1 - spread / mean of the distance of the edge from the middle, sector by sector (in the plane): 1 is a disc, less
    has fingers."""
    place = result.array("position", t)[_rows(result, t, of)][:, :2]
    if len(place) < 2 * sectors:
        return float("nan")
    place = place - place.mean(axis=0)
    sector = ((np.arctan2(place[:, 1], place[:, 0]) / (2.0 * np.pi) + 0.5) * sectors).astype(int) % int(sectors)
    far = np.array([np.quantile(np.linalg.norm(place[sector == s], axis=1), 0.95) for s in np.unique(sector)])
    return float(1.0 - far.std() / far.mean())


@_measure
def embedded(result: Result, t: Any, of: str, of_whom: str, distance: float = 30.0, half: float = 0.5) -> float:
    """Cells of a type whose live neighbors within so many um are, for at least this share, of another type: how many
    are in the nest."""
    from scipy.spatial import cKDTree

    rows = _rows(result, t, None)
    place, kind = result.array("position", t)[rows], result.array("type", t)[rows]
    own, other = _index(result, of), _index(result, of_whom)
    count = 0
    for i, near in zip(np.flatnonzero(kind == own), cKDTree(place).query_ball_point(place[kind == own], distance)):
        around = kind[[j for j in near if j != i]]
        count += bool(len(around)) and float((around == other).mean()) >= half
    return float(count)


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

    what   measure and its options; at: "end" (default), a time such as "14 day", or a share of the run's days to
           average over, as in "last 3 day"; per: another read-out to divide by (at the same time, unless it says when)

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
    numbers = {k: float(v) if k in NUMBERS and v is not None else v for k, v in options.items()}
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
    name = what.get("measure")
    if not isinstance(name, str) or name not in MEASURES:
        return f"no measure is called '{str(name)[:60]}'.{did_you_mean(str(name), MEASURES)}"
    known = [p for p in inspect.signature(MEASURES[name]).parameters if p not in ("result", "t")]
    for key in what:
        if key not in (*known, "measure", "at", "per", "unit", "called"):
            return f"{name} has no option '{key[:60]}'.{did_you_mean(key, known)}"
    missing = [
        p.name
        for p in inspect.signature(MEASURES[name]).parameters.values()
        if p.default is p.empty and p.name not in ("result", "t", *what)
    ]
    if missing:
        return f"{name} needs {' and '.join(missing)}."
    for key, value in what.items():
        if key == "per":
            if not isinstance(value, Mapping):
                return "per is another read-out, such as {measure: count}."
        elif key in NUMBERS:
            if value is not None and not _is_number(value):
                return f"{key} is '{str(value)[:60]}', no number."
        elif key in ("of", "phase") and isinstance(value, list) and all(isinstance(v, str) for v in value):
            continue
        elif value is not None and not isinstance(value, str):
            return f"{key} is '{str(value)[:60]}', no word."
    per = what.get("per")
    return complaint(per) if isinstance(per, Mapping) else ""


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and bool(np.isfinite(float(value)))
    except (TypeError, ValueError, OverflowError):
        return False
