"""What a treated tissue was given and what came of it: doses as they were given, drug in plasma, in the tissue and on
cells, growth of the tumor window by window, and all of it against the distance from blood.

In the examples `result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import OncariumError
from ..model import diameter
from ..model.doses import Dose
from ..model.model import Model
from ..run.result import Result
from .rates import DAY, ENDS, cell_days, kinds_of
from .readings import rows_of
from .vessel_shapes import box_of, has_vessels, numbers_of, places_of, points_along, within

if TYPE_CHECKING:
    import pandas as pd

FINE = 600  # points of a plasma course
STEP = 3.0  # um between the points that stand for a vessel
MINUTE = 1e-6


def tumor_types(result: Result) -> list[str]:
    """Types of the tumor, by their names; the first type where none is known.

    >>> tumor_types(result)
    ['tumor']
    """
    return diameter.tumor_types(result.types) or [result.types[0]]


def model_of(result: Result) -> Model | None:
    """The model that was run; None where it cannot be read without mechanisms of somebody's own."""
    try:
        return Model.from_text(result.model_yaml, "the run's own model", None)
    except OncariumError:
        return None


@dataclass(frozen=True)
class Given:
    """A dose that fell due: the dose as it was planned, and the share of it that rules left (0: it was held back)."""

    dose: Dose
    share: float


def doses_given(result: Result, model: Model | None = None) -> list[Given]:
    """Doses that fell due up to the end of a run, in order, with what its rules decided.

    >>> doses_given(result)
    []
    """
    model = model or model_of(result)
    if model is None or model.therapy is None:
        return []
    rows = result.events
    rows = rows[rows["kind"].isin(["course_begun", "dose_held", "dose_reduced"])]
    begun, left = {}, {}
    for time, row, kind, cause in zip(rows["time"], rows["id"], rows["kind"], rows["cause"]):
        if kind == "course_begun":
            begun[int(row)] = float(time)
        else:
            left[int(row), round(float(time), 3)] = float(cause) / 100.0
    regimen = model.therapy.regimen
    origins = {c.origin: begun[c.row] for c in regimen.courses if c.origin is not None and c.row in begun}
    end = float(result.times[-1])
    return [Given(d, left.get((d.row, round(d.time, 3)), 1.0)) for d in regimen.doses(end + MINUTE, origins)]


def plasma_course(result: Result, drug: str, model: Model | None = None) -> pd.DataFrame:
    """Total and free concentration (nM) of a drug in plasma over time (min): the curve of the doses that were given
    where it follows from them, else what was recorded."""
    import pandas as pd

    from ..biology.drugs.pharmacokinetics import Pharmacokinetics

    told = result.summary
    seen = pd.DataFrame({"time": told.index, "total": told[f"plasma.{drug}"], "free": told[f"plasma.{drug}.free"]})
    model = model or model_of(result)
    if model is None or model.therapy is None or seen["total"].iloc[0] > 0.0:
        return seen.reset_index(drop=True)
    therapy = model.therapy
    given = [replace(g.dose, amount=g.dose.amount * g.share) for g in doses_given(result, model) if g.share > 0.0]
    if any(d.kind == "reset" or d.steady or d.resets for d in given):
        return seen.reset_index(drop=True)
    from ..model.doses import Doses

    resolved = [d for d in therapy.resolved(Doses(tuple(given))) if d.what == drug and d.kind == "drug"]
    begin, end = float(result.times[0]), float(result.times[-1])
    looks = {begin, end, *np.linspace(begin, end, FINE)}
    for d in resolved:
        after = d.time + d.duration * np.linspace(0.0, 1.0, 7)
        looks |= {float(np.nextafter(d.time, 0.0)), *after.tolist()}
        looks |= set((d.time + d.duration + DAY * np.geomspace(1e-4, 1.0, 24)).tolist())
    times = np.array(sorted(t for t in looks if begin <= t <= end))
    body = next(therapy.body(d) for d in therapy.drugs if d.name == drug)
    course = Pharmacokinetics(body).concentration(resolved, times)
    return pd.DataFrame({"time": times, "total": course.total, "free": course.free})


def nanomolar(result: Result, drug: str) -> float:
    """nM in one unit of a drug's field."""
    from ..model.therapy import NANOMOLAR

    return NANOMOLAR[result.factors[drug]]


def tissue_course(result: Result, drug: str) -> pd.DataFrame:
    """Free concentration (nM) of a drug in the tissue over time (min): median over the voxels, and 10 and 90 %."""
    import pandas as pd

    scale, rows = nanomolar(result, drug), []
    for t in result.field_times:
        values = result.fields[drug].sel(time=float(t)).values
        low, middle, high = np.quantile(scale * values, (0.1, 0.5, 0.9))
        rows.append({"time": float(t), "median": middle, "low": low, "high": high})
    return pd.DataFrame(rows)


def drugs_of(result: Result) -> list[str]:
    """Drugs that a run had in plasma."""
    return [c.split(".")[1] for c in result.summary if c.startswith("plasma.") and c.endswith(".given")]


def growth_over_time(result: Result, of: Sequence[str], window: float) -> pd.DataFrame:
    """Divisions less deaths, and deaths, per live cell of some types and day, in windows (min): by the middle of each.

    >>> growth_over_time(result, ["tumor"], 60.0).columns.tolist()
    ['growth', 'deaths']
    """
    import pandas as pd

    known, numbers = kinds_of(result), {result.types.index(t) for t in of}
    found = result.events
    found = found[np.array([known.get(i) in numbers for i in found["id"].tolist()], bool)]
    born = found["time"][found["kind"] == "division"].to_numpy(float)
    dead = found[found["kind"].isin(ENDS)].drop_duplicates("id")["time"].to_numpy(float)
    begin, end = float(result.times[0]), float(result.times[-1])
    edges = (
        np.linspace(begin, end, max(1, round((end - begin) / window)) + 1) if end > begin else np.array([begin, end])
    )
    days = np.array([sum(cell_days(result, t, a, b) for t in of) for a, b in zip(edges, edges[1:])])
    with np.errstate(divide="ignore", invalid="ignore"):
        births, deaths = (np.where(days > 0.0, np.histogram(x, edges)[0] / days, np.nan) for x in (born, dead))
    middle = pd.Index(0.5 * (edges[1:] + edges[:-1]), name="time")
    return pd.DataFrame({"growth": births - deaths, "deaths": deaths}, index=middle)


# -- depth -----------------------------------------------------------------------------------------------------------


def from_blood(
    result: Result, t: Any = None, model: Model | None = None
) -> tuple[Callable[[np.ndarray], np.ndarray], str]:
    """Distance (um) of places (place, xyz) from the nearest wall of a vessel that carries blood; without vessels, from
    the nearest supply voxel, or face of the box. And what it is a distance from, in words.

    >>> distance, words = from_blood(result)
    >>> float(distance(np.array([[0.0, 0.0, 0.0]]))[0]), words
    (100.0, 'the nearest face')
    """
    from scipy.spatial import cKDTree

    low, high = box_of(result)
    if has_vessels(result):
        table = result.vessels(t)
        ends, share = within(places_of(table), low, high)
        on = (table["perfused"].to_numpy() > 0) & (share > 0.0)
        if not on.any():
            return (lambda places: np.full(len(places), np.inf)), "the nearest perfused vessel"
        radius = 0.5 * numbers_of(table, "diameter")[0][on]
        points = [points_along(e[None], STEP) for e in ends[on]]
        tree = cKDTree(np.concatenate(points))
        thick = np.repeat(radius, [len(p) for p in points])

        def walls(places: np.ndarray) -> np.ndarray:
            far, near = tree.query(places, k=min(8, len(thick)))
            far, near = np.atleast_2d(far.T).T, np.atleast_2d(near.T).T
            return np.maximum((far - thick[near]).min(axis=1), 0.0)

        return walls, "the nearest perfused vessel"
    model = model or model_of(result)
    if model is not None and model.patient.supply:
        from ..run.build import Build

        voxels = np.unique(np.concatenate([Build(model).inside(s.region) for s in model.patient.supply]))
        tree = cKDTree(centers(result)[voxels])
        return (lambda places: tree.query(places)[0]), "the nearest supply voxel"
    axes = [k for k in range(3) if k < 2 or not result.is_2d]

    def faces(places: np.ndarray) -> np.ndarray:
        return np.minimum(places - low, high - places)[:, axes].min(axis=1)

    return faces, "the nearest face"


def centers(result: Result) -> np.ndarray:
    """(voxel, xyz) um, in the order of fields (z, y, x)."""
    grid = result.attrs["grid"]
    (nz, ny, nx), origin, spacing = grid["shape"], grid["origin"], grid["spacing"]
    z, y, x = np.meshgrid(*(np.arange(n) + 0.5 for n in (nz, ny, nx)), indexing="ij")
    return np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1) * np.array(spacing) + np.array(origin)


def depth_of_drug(result: Result, drug: str, t: float, width: float = 10.0) -> pd.DataFrame:
    """Concentration (nM) of a drug in voxels by their distance from blood (um, middle of bins): median, low and high
    (10 and 90 %), n."""
    values = nanomolar(result, drug) * result.fields[drug].sel(time=t).values.ravel()
    return _binned(from_blood(result, t)[0](centers(result)), values, width)


def depth_of_death(result: Result, of: Sequence[str], since: float, width: float = 10.0) -> pd.DataFrame:
    """Share of a tumor's cells that are dying or dead, by their distance from blood (um, middle of bins), over all
    frames since a time (min): mean, n."""
    import pandas as pd

    far, dead = [], []
    for t in result.times[result.times >= since - MINUTE]:
        rows = rows_of(result, t, list(of), "all")
        far.append(from_blood(result, t)[0](result.array("position", t)[rows]))
        dead.append(result.array("vital", t)[rows] != 0)
    distance, gone = np.concatenate(far), np.concatenate(dead).astype(float)
    keep = np.isfinite(distance)
    place = (distance[keep] / width).astype(int)
    n, sums = np.bincount(place), np.bincount(place, gone[keep])
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(n > 0, sums / n, np.nan)
    return pd.DataFrame({"mean": share, "n": n}, index=pd.Index((np.arange(len(n)) + 0.5) * width, name="distance"))


def _binned(distance: np.ndarray, values: np.ndarray, width: float) -> pd.DataFrame:
    import pandas as pd

    keep = np.isfinite(distance)
    place, rows = (distance[keep] / width).astype(int), []
    for k in np.unique(place):
        here = values[keep][place == k]
        low, middle, high = np.quantile(here, (0.1, 0.5, 0.9))
        rows.append({"distance": (k + 0.5) * width, "median": middle, "low": low, "high": high, "n": len(here)})
    return pd.DataFrame(rows, columns=["distance", "median", "low", "high", "n"]).set_index("distance")


def half_depth(distance: np.ndarray, values: np.ndarray) -> float:
    """Where values that fall with distance come to half of the first of them, between two of them; nan: nowhere.

    >>> half_depth(np.array([0.0, 10.0, 20.0]), np.array([4.0, 3.0, 1.0]))
    15.0
    """
    below = np.flatnonzero(values <= 0.5 * values[0])
    if not len(below) or not values[0] > 0.0:
        return float("nan")
    k = int(below[0])
    x0, x1, y0, y1 = distance[k - 1], distance[k], values[k - 1], values[k]
    return float(x0 + (x1 - x0) * (y0 - 0.5 * values[0]) / (y0 - y1))
