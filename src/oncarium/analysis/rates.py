"""What happens in time, as measures: events per cell and day, fronts that advance, cells that cross a line."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InputError, did_you_mean
from ..run.result import Result
from ..units import to_minutes
from .readings import index_of, measure, rows_of

DAY = 1440.0  # min
LATE = 1e-9  # min: moments so close are one
ENDS = ("apoptosis", "necrosis", "phagocytosis")


def _until(result: Result, t: Any) -> float:
    return float(result.times[result.frame(t, result.times)])


def _window(result: Result, t: Any, since: Any) -> tuple[float, float]:
    """From when until when (min); a start that is not before the end is a problem."""
    begin, end = to_minutes(since), _until(result, t)
    if not 0.0 <= begin < max(end, LATE):
        raise InputError("read-out", f"since {since} is no time before {end / DAY:.4g} day.")
    return begin, end


def _found(result: Result, kinds: tuple[str, ...], begin: float, end: float) -> Any:
    """Events of some kinds after one time, until another."""
    for kind in kinds:
        if kind not in result.attrs["events"]:
            raise InputError("read-out", f"no event is called '{kind}'.{did_you_mean(kind, result.attrs['events'])}")
    found = result.events
    late = (found["time"] > begin + LATE) | (begin == 0.0)
    return found[found["kind"].isin(kinds) & late & (found["time"] <= end + LATE)]


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


def cell_days(result: Result, of: str, begin: float, end: float) -> float:
    """Live cells of a type, summed over the days between two times."""
    index_of(result, of)
    live, times = result.summary[f"live.{of}"].to_numpy(), np.asarray(result.times, float)
    at = np.unique(np.concatenate([[begin, end], times[(times > begin) & (times < end)]]))
    return float(np.trapezoid(np.interp(at, times, live), at)) / DAY


def _number_of(result: Result, kinds: tuple[str, ...], of: str, begin: float, end: float) -> float:
    own, known = index_of(result, of), kinds_of(result)
    return float(sum(known.get(i) == own for i in _found(result, kinds, begin, end)["id"].tolist()))


@measure
def events(result: Result, t: Any, kind: str) -> float:
    """How many events of a kind have happened so far."""
    return float(len(_found(result, (kind,), 0.0, _until(result, t))))


@measure
def happened(result: Result, t: Any, kind: str, of: str, since: Any = 0.0) -> float:
    """Events of a kind that happened to cells of a type, so far or since a time."""
    return _number_of(result, (kind,), of, *_window(result, t, since))


@measure
def rate(result: Result, t: Any, kind: str, of: str, since: Any = 0.0, over: str = "cell") -> float:
    """Events of a kind that happened to cells of a type per day, over the live cells of the type ("cell"), or over the
    mm^2 (in space mm^3) of the domain ("area"); so far or since a time ("2 day")."""
    begin, end = _window(result, t, since)
    per = cell_days(result, of, begin, end) if over == "cell" else float(np.prod(_sides(result))) * (end - begin) / DAY
    return _number_of(result, (kind,), of, begin, end) / per if per > 0.0 else float("nan")


@measure
def growth(result: Result, t: Any, of: str, since: Any = 0.0) -> float:
    """Divisions less deaths of a type's cells, per live cell and day: the growth of the tissue of which this is a part,
    whatever leaves the domain. A death is apoptosis or necrosis, or being eaten alive."""
    begin, end = _window(result, t, since)
    days = cell_days(result, of, begin, end)
    return (births(result, of, begin, end) - deaths(result, of, begin, end)) / days if days > 0.0 else float("nan")


def births(result: Result, of: str, begin: float, end: float) -> float:
    """Divisions of a type's cells after one time, until another (min)."""
    return _number_of(result, ("division",), of, begin, end)


def deaths(result: Result, of: str, begin: float, end: float) -> float:
    """Deaths of a type's cells after one time, until another (min): who dies and is then eaten dies once, and who was
    dead when the run began (an arm of a grown tissue) does not die in it."""
    ends = _found(result, tuple(k for k in ENDS if k in result.attrs["events"]), 0.0, end).drop_duplicates("id")
    first = result.times[0]
    before = set(result.array("id", first)[result.array("vital", first) != 0].tolist())
    known, own = kinds_of(result), index_of(result, of)
    now = ends["id"][(ends["time"] > begin) | (begin == 0.0)].tolist()
    return float(sum(known.get(i) == own for i in now if i not in before))


@measure
def kills(result: Result, t: Any, by: str, of: str, hours: float = 6.0, since: Any = 0.0) -> float:
    """Kills per killer and day: cells of a type that went into apoptosis within so many hours of an attack by another
    type; so far or since a time."""
    killer, victim, (begin, end) = index_of(result, by), index_of(result, of), _window(result, t, since)
    known, struck, killed = kinds_of(result), dict[int, float](), 0
    found = _found(result, ("attack", "apoptosis"), 0.0, end)
    for time, i, kind, cause in zip(
        found["time"].tolist(), found["id"].tolist(), found["kind"].tolist(), found["cause"].tolist()
    ):
        if kind == "attack":
            if known.get(cause) == killer:
                struck[i] = time
        elif known.get(i) == victim and time >= begin and time - struck.get(i, -np.inf) <= 60.0 * hours:
            killed += 1
    days = cell_days(result, by, begin, end)
    return killed / days if days > 0.0 else float("nan")


@measure
def arrivals(result: Result, t: Any, of: str) -> float:
    """Cells of a type that have come from the blood so far."""
    return float((_found(result, ("arrival",), 0.0, _until(result, t))["cause"] == index_of(result, of)).sum())


def _sides(result: Result) -> list[float]:
    """Lengths of the domain (mm), two of a sheet and three in space."""
    (nz, ny, nx), spacing = result.attrs["grid"]["shape"], result.attrs["grid"]["spacing"]
    sides = [n * h / 1000.0 for n, h in zip((nx, ny, nz), spacing)]
    return sides[:2] if result.is_2d else sides


def _axis(axis: str) -> tuple[int, float]:
    """Number of an axis, and whether what advances along it goes up or, with a minus before it, down."""
    name, sign = axis.removeprefix("-"), -1.0 if axis.startswith("-") else 1.0
    return "xyz".index(name), sign


@measure
def front(result: Result, t: Any, of: str, axis: str = "x", share: float = 0.95) -> float:
    """Place (um) along an axis behind which so large a share of a type's live cells lie."""
    a, sign = _axis(axis)
    place = sign * result.array("position", t)[rows_of(result, t, of), a]
    return sign * float(np.quantile(place, share)) if len(place) else float("nan")


@measure
def front_speed(result: Result, t: Any, of: str, axis: str = "x", share: float = 0.95, since: Any = 0.0) -> float:
    """Speed (um/day) of a type's front along an axis: the slope of a line through all recorded places, so far or since
    a time."""
    begin, end = _window(result, t, since)
    times = [float(x) for x in result.times if begin - LATE <= x <= end + LATE]
    places = np.array([front(result, x, of, axis, share) for x in times])
    if len(times) < 2 or not np.isfinite(places).all():
        return float("nan")
    return _axis(axis)[1] * float(np.polyfit(np.array(times) / DAY, places, 1)[0])


@measure
def past(result: Result, t: Any, of: str, line: float, axis: str = "x") -> float:
    """Live cells of a type beyond a line (um) across an axis."""
    a, sign = _axis(axis)
    return float((sign * result.array("position", t)[rows_of(result, t, of), a] > sign * line).sum())


@measure
def flux(result: Result, t: Any, of: str, line: float, axis: str = "x", since: Any = 0.0) -> float:
    """Live cells of a type that cross a line (um) along an axis, less those that come back, per day and mm of the line
    (in space mm^2): those that lie on its other side in the next recorded frame."""
    (a, sign), (begin, end) = _axis(axis), _window(result, t, since)
    times = [float(x) for x in result.times if begin - LATE <= x <= end + LATE]
    crossed, before = 0, dict[int, bool]()
    for x in times:
        rows = rows_of(result, x, of)
        beyond = sign * result.array("position", x)[rows, a] > sign * line
        now = dict(zip(result.array("id", x)[rows].tolist(), beyond.tolist()))
        crossed += sum(there - before[i] for i, there in now.items() if i in before)
        before = now
    width = float(np.prod([side for k, side in enumerate(_sides(result)) if k != a]))
    return crossed / width / ((times[-1] - times[0]) / DAY) if len(times) > 1 else float("nan")
