"""What can be measured on a Result at one time: cells, factors, matrix, vessels, places. rates.py has what happens in
time, readout.py asks for them by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import InputError, did_you_mean
from ..run.result import Result

MEASURES: dict[str, Callable[..., float]] = {}


def measure(function: Callable[..., float]) -> Callable[..., float]:
    MEASURES[function.__name__] = function
    return function


def rows_of(result: Result, t: Any, of: str | list[str] | None, vital: str = "live") -> np.ndarray:
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


def values_of(result: Result, t: Any, of: Any, column: str) -> np.ndarray:
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
    return values[rows_of(result, t, of)]


@measure
def count(
    result: Result, t: Any, of: Any = None, vital: str = "live", column: str | None = None, above: float = 0.0
) -> float:
    """Number of cells; of those whose column lies above a value, where one is named."""
    return float(
        rows_of(result, t, of, vital).sum() if column is None else (values_of(result, t, of, column) > above).sum()
    )


@measure
def mean(result: Result, t: Any, of: Any, column: str) -> float:
    """Mean of a column over live cells; nan where there are none."""
    values = values_of(result, t, of, column)
    return float(values.mean()) if len(values) else float("nan")


@measure
def median(result: Result, t: Any, of: Any, column: str) -> float:
    """Median of a column over live cells; nan where there are none."""
    values = values_of(result, t, of, column)
    return float(np.median(values)) if len(values) else float("nan")


@measure
def share(result: Result, t: Any, of: Any, column: str, above: float) -> float:
    """Share of live cells whose column lies above a value."""
    values = values_of(result, t, of, column)
    return float((values > above).mean()) if len(values) else float("nan")


@measure
def share_below(result: Result, t: Any, of: Any, column: str, value: float) -> float:
    """Share of live cells whose column lies below a value."""
    values = values_of(result, t, of, column)
    return float((values < value).mean()) if len(values) else float("nan")


@measure
def phases(result: Result, t: Any, of: str, phase: Any) -> float:
    """Share of live cells in one phase of the cycle, or several."""
    from .measure import phase_fractions

    fractions = phase_fractions(result, of, t)
    return (
        float(sum(fractions.get(p, 0.0) for p in ([phase] if isinstance(phase, str) else phase)))
        if fractions
        else float("nan")
    )


def index_of(result: Result, of: str) -> int:
    if of not in result.types:
        raise InputError("read-out", f"no cell type is called '{of}'.{did_you_mean(of, result.types)}")
    return result.types.index(of)


@measure
def matrix(result: Result, t: Any, name: str) -> float:
    """Mean over the tissue: density, crosslink, hyaluronan, stiffness (kPa), order of the fibres, or membrane (mean
    strength), breached (share)."""
    known = list(result.attrs["summary"].get("matrix", {}))
    if name not in known:
        raise InputError("read-out", f"no property of the matrix was recorded as '{name}'.{did_you_mean(name, known)}")
    return float(result.summary[f"matrix.{name}"].iloc[result.frame(t, result.times)])


@measure
def metastasis(result: Result, t: Any, name: str) -> float:
    """Cells of the tissue that have entered blood or lymph so far, clusters among them, cells per day (blood_per_day,
    lymph_per_day), circulating cells of the patient, and of a site dormant, growing, cells ("lung.cells")."""
    known = list(result.attrs["summary"].get("metastasis", {}))
    if name not in known:
        raise InputError("read-out", f"nothing of metastasis was recorded as '{name}'.{did_you_mean(name, known)}")
    return float(result.summary[f"metastasis.{name}"].iloc[result.frame(t, result.times)])


@measure
def factor(result: Result, t: Any, name: str, statistic: str = "mean") -> float:
    """Mean, lowest or highest concentration."""
    if name not in result.factors:
        raise InputError("read-out", f"no factor is called '{name}'.{did_you_mean(name, result.factors)}")
    return float(result.summary[f"{statistic}.{name}"].iloc[result.frame(t, result.times)])


@measure
def tissue(result: Result, t: Any, name: str) -> float:
    """What vessels, fluid, body and blood tell of themselves at every time: "vessels.perfused", "body.monocytes",
    "plasma.imatinib.free". A drug of the library that a run does not give is at 0."""
    from ..model.drug import drugs

    known = [f"{part}.{key}" for part, keys in result.attrs["summary"].items() for key in keys]
    if name not in known:
        part, _, rest = name.partition(".")
        if part in ("plasma", "occupancy") and rest.partition(".")[0] in drugs():
            return 0.0
        raise InputError("read-out", f"nothing was recorded as '{name}'.{did_you_mean(name, known)}")
    return float(result.summary[name].iloc[result.frame(t, result.times)])


@measure
def vessels(result: Result, t: Any, name: str, of: str | None = None) -> float:
    """Vessels as in images: density (1/mm^2), apart (um), perfused (share of the length), distance (um, median of the
    distances of a type's cells from vessels with blood)."""
    from .vasculature import Vasculature, vasculature

    if name not in Vasculature._fields:
        raise InputError("read-out", f"vessels have no '{name}'.{did_you_mean(name, Vasculature._fields)}")
    return float(getattr(vasculature(result, t, of), name))


@measure
def depth(result: Result, t: Any, of: str, share: float = 0.95) -> float:
    """How far (um) the outermost cells of a type have got beyond where the type's edge was at the start.

    The edge is the same quantile of the distance from the type's middle at the start.
    """
    start, now = (result.array("position", x)[rows_of(result, x, of)] for x in (0.0, t))
    if not len(start) or not len(now):
        return float("nan")
    middle = start.mean(axis=0)
    far = [float(np.quantile(np.linalg.norm(p - middle, axis=1), share)) for p in (start, now)]
    return far[1] - far[0]


@measure
def beyond(result: Result, t: Any, of: str, distance: float) -> float:
    """Cells of a type further out than its edge (95th percentile) at the start plus so many um."""
    start, now = (result.array("position", x)[rows_of(result, x, of)] for x in (0.0, t))
    if not len(start):
        return float("nan")
    middle = start.mean(axis=0)
    edge = float(np.quantile(np.linalg.norm(start - middle, axis=1), 0.95))
    return float((np.linalg.norm(now - middle, axis=1) > edge + distance).sum())


@measure
def roundness(result: Result, t: Any, of: str, sectors: float = 24) -> float:
    """1 - spread / mean of the distance of the edge from the middle, sector by sector (in the plane): 1 is a disc, less
    has fingers."""
    place = result.array("position", t)[rows_of(result, t, of)][:, :2]
    if len(place) < 2 * sectors:
        return float("nan")
    place = place - place.mean(axis=0)
    sector = ((np.arctan2(place[:, 1], place[:, 0]) / (2.0 * np.pi) + 0.5) * sectors).astype(int) % int(sectors)
    far = np.array([np.quantile(np.linalg.norm(place[sector == s], axis=1), 0.95) for s in np.unique(sector)])
    return float(1.0 - far.std() / far.mean())


@measure
def embedded(result: Result, t: Any, of: str, of_whom: str, distance: float = 30.0, half: float = 0.5) -> float:
    """Cells of a type whose live neighbors within so many um are, for at least this share, of another type: how many
    are in the nest."""
    from scipy.spatial import cKDTree

    rows = rows_of(result, t, None)
    place, kind = result.array("position", t)[rows], result.array("type", t)[rows]
    own, other = index_of(result, of), index_of(result, of_whom)
    count = 0
    for i, near in zip(np.flatnonzero(kind == own), cKDTree(place).query_ball_point(place[kind == own], distance)):
        around = kind[[j for j in near if j != i]]
        count += bool(len(around)) and float((around == other).mean()) >= half
    return float(count)


@measure
def within(result: Result, t: Any, of: str, of_whom: str, distance: float) -> float:
    """Share of a type's live cells that have a live cell of another type within so many um."""
    from scipy.spatial import cKDTree

    own, other = (result.array("position", t)[rows_of(result, t, x)] for x in (of, of_whom))
    if not len(own):
        return float("nan")
    if not len(other):
        return 0.0
    near, _ = cKDTree(other).query(own, k=1)
    return float((near <= distance).mean())


@measure
def diversity(result: Result, t: Any, distance: float = 50.0) -> float:
    """Mean Shannon diversity (nat) of the types among live cells within so many um of each other."""
    from scipy.spatial import cKDTree

    rows = rows_of(result, t, None)
    position, kind = result.array("position", t)[rows], result.array("type", t)[rows]
    if len(kind) < 2:
        return 0.0
    found = []
    for near in cKDTree(position).query_ball_point(position, distance):
        p = np.bincount(kind[near]) / len(near)
        found.append(-(p[p > 0] * np.log(p[p > 0])).sum())
    return float(np.mean(found))
