"""Cells as typed points, whatever they come in: a Result, a table, AnnData."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, did_you_mean
from ..run import api
from ..run.neighbors import neighbors
from ..run.result import Result
from ..units import UnitError, to_minutes

if TYPE_CHECKING:
    import pandas
    from scipy.sparse import csr_matrix

WORDS = ("x", "y", "z", "type", "time", "dead", "radius")


@dataclass(frozen=True)
class Points:
    """Cells of one time.

    position   (cell, 2 or 3) um        kind     (cell) index into types     types   that have cells, in their order
    known      all types, of which some may have no cell                     time    min, or None
    window     size of the domain, um^2 or um^3, or None where nobody knows  radius  (cell) um, or None
    box        lower and upper corner of the domain, or of the cells, um
    """

    position: np.ndarray
    kind: np.ndarray
    types: tuple[str, ...]
    known: tuple[str, ...]
    time: float | None = None
    window: float | None = None
    radius: np.ndarray | None = None
    domain: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def n(self) -> int:
        """How many cells."""
        return len(self.kind)

    @property
    def dimensions(self) -> int:
        """2 or 3."""
        return self.position.shape[1]

    @cached_property
    def counts(self) -> np.ndarray:
        """Cells of each type."""
        return np.bincount(self.kind, minlength=len(self.types))

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper corner of the domain, or of the cells, um."""
        return self.domain or (self.position.min(axis=0), self.position.max(axis=0))

    @cached_property
    def hull(self) -> float:
        """Size of the convex hull, um^2 or um^3; nan where the cells span none."""
        from scipy.spatial import ConvexHull, QhullError

        try:
            return float(ConvexHull(self.position).volume)
        except (QhullError, ValueError):
            return float("nan")

    def steps(self, distance: Sequence[float] | None) -> np.ndarray:
        """Distances at which something is counted, um, rising; left out, 20 to a quarter of the shorter side. Raises
        InputError."""
        if distance is None:
            low, high = self.box
            return np.linspace(0.0, 0.25 * float((high - low).min()), 21)[1:]
        steps = np.sort(np.asarray(distance, float).ravel())
        if not len(steps) or not np.isfinite(steps).all() or steps[0] < 0:
            raise InputError("distance", f"{distance!r} is none;", "expected distances in um, such as [10, 20, 50].")
        return steps

    def of(self, name: str) -> np.ndarray:
        """Places of the cells of a type."""
        return self.position[self.kind == self.types.index(name)] if name in self.types else self.position[:0]

    def chosen(self, names: str | Sequence[str], what: str) -> np.ndarray:
        """Which cells are of these types. Raises InputError for a type that nobody knows."""
        asked = [names] if isinstance(names, str) else list(names)
        for name in asked:
            if name not in self.known:
                raise InputError(
                    what,
                    f"no cell type is called '{name}'.{did_you_mean(name, self.known)}",
                    f"There are: {', '.join(self.known)}.",
                )
        return np.isin(self.kind, [self.types.index(name) for name in asked if name in self.types])

    def links(self, by: Any) -> csr_matrix:
        """(cell, cell) distances between neighbors. Raises InputError."""
        return neighbors(self.position, by, self.radius)


def points_of(data: Any, t: Any, columns: Mapping[str, str] | None, dead: bool) -> list[Points]:
    """The cells of every time asked for. Raises InputError for data that are none, DataError for a folder that is no
    run."""
    if isinstance(data, str | Path):
        data = api.open(data)
    if isinstance(data, Result):
        if columns:
            raise InputError("columns", "a Result has its own columns;", "leave it out.")
        asked = data.times if _all(t) else t if isinstance(t, list | tuple) else [t]
        return [_of_result(data, time, dead) for time in asked]
    columns = dict(columns or {})
    for word in columns:
        if word not in WORDS:
            raise InputError("columns", f"'{word}' is none.{did_you_mean(word, WORDS)}", f"Known: {', '.join(WORDS)}.")
    table = _table(data, columns)
    problems = _problems(table, columns)
    if problems:
        raise InputError("the table of cells", " ".join(problems))
    return _of_table(table, t, dead)


def tidy(frames: Sequence[Points], measure: Callable[[Points], pandas.DataFrame]) -> pandas.DataFrame:
    """What is measured at every time, one below the other; the time (min) comes first where it is known."""
    import pandas as pd

    out = []
    for points in frames:
        found = measure(points)
        if points.time is not None:
            found.insert(0, "time", points.time)
        out.append(found)
    return pd.concat(out, ignore_index=True)


def _all(t: Any) -> bool:
    return isinstance(t, str) and t == "all"


def _of_result(result: Result, t: Any, dead: bool) -> Points:
    axes = 2 if result.is_2d else 3
    rows = np.ones(len(result.array("id", t)), bool) if dead else result.array("vital", t) == 0
    grid = result.attrs["grid"]
    lower, size = np.array(grid["origin"]), np.array(grid["spacing"]) * np.array(grid["shape"][::-1])
    domain = (lower[:axes], (lower + size)[:axes])
    return _typed(
        result.array("position", t)[rows, :axes],
        result.array("type", t)[rows],
        result.types,
        time=float(result.times[result.frame(t, result.times)]),
        window=float(np.prod(size[:axes])),
        radius=result.array("radius", t)[rows].astype(float),
        domain=domain,
    )


def _typed(position: np.ndarray, kind: np.ndarray, known: Sequence[str], **more: Any) -> Points:
    """Points whose types are numbered without gaps."""
    present = np.unique(kind)
    return Points(position, np.searchsorted(present, kind), tuple(known[k] for k in present), tuple(known), **more)


def _table(data: Any, columns: Mapping[str, str]) -> pandas.DataFrame:
    """The columns that are needed, under our words."""
    import pandas as pd

    if hasattr(data, "obsm") and hasattr(data, "obs"):
        if "spatial" not in data.obsm:
            raise InputError("AnnData", 'obsm["spatial"] is missing;', "it holds the place of every cell in um.")
        places = np.asarray(data.obsm["spatial"], float)
        table = pd.DataFrame(places[:, :3], columns=list("xyz")[: places.shape[1]], index=data.obs.index)
        names = {"type": "cell_type", "time": "time", "dead": "dead", **columns}
        found = data.obs
    elif isinstance(data, pd.DataFrame):
        table = pd.DataFrame(index=data.index)
        names, found = {**{w: w for w in WORDS}, **columns}, data
        if "dead" not in names and "vital" in data:
            table["dead"] = data["vital"] > 0
    else:
        raise InputError("data", f"{type(data).__name__} holds no cells;", "expected a Result, a table or AnnData.")
    for word, name in names.items():
        if name in found:
            table[word] = found[name]
        elif word in columns or (word in ("x", "y", "type") and word not in table):
            raise InputError(
                "the table of cells",
                f"it has no column '{name}' for {word}.{did_you_mean(name, map(str, found.columns))}",
                f"It has: {', '.join(map(str, list(found.columns)[:12]))}.",
                f'Say which it is:  columns={{"{word}": "..."}}',
            )
    return table


def _problems(table: pandas.DataFrame, columns: Mapping[str, str]) -> list[str]:
    """Everything that is wrong with a table, by kind."""
    import pandas as pd

    out = [] if len(table) else ["It has no cell."]
    for word in ("x", "y", "z", "time", "radius"):
        if word not in table:
            continue
        numbers = pd.to_numeric(table[word], errors="coerce")
        bad = ~np.isfinite(numbers.to_numpy(float))
        if bad.any():
            first = table.index[bad][0]
            out.append(
                f"{columns.get(word, word)} is no finite number in {bad.sum():,} of {len(table):,} rows (first: row"
                f" {first}, '{table[word][bad].iloc[0]}')."
            )
        table[word] = numbers
    nameless = table["type"].isna()
    if nameless.any():
        out.append(f"{columns.get('type', 'type')} is missing in {nameless.sum():,} of {len(table):,} rows.")
    return out


def _of_table(table: pandas.DataFrame, t: Any, dead: bool) -> list[Points]:
    import pandas as pd

    if "dead" in table and not dead:
        table = table[~table["dead"].astype(bool)]
    kinds = table["type"]
    if not isinstance(kinds.dtype, pd.CategoricalDtype):
        kinds = kinds.astype(str).astype("category")
    known = [str(name) for name in kinds.cat.categories]
    axes = ["x", "y", "z"] if "z" in table and np.ptp(table["z"].to_numpy(float)) > 0 else ["x", "y"]
    out = []
    for time, rows in _times(table, t):
        cells = table[rows]
        radius = cells["radius"].to_numpy(float) if "radius" in cells else None
        kind = kinds[rows].cat.codes.to_numpy().astype(int)
        out.append(_typed(cells[axes].to_numpy(float), kind, known, time=time, radius=radius))
    return out


def _times(table: pandas.DataFrame, t: Any) -> list[tuple[float | None, np.ndarray]]:
    """(time, rows) of the times asked for; without a column of times everything is one time."""
    if "time" not in table:
        if t is not None and not _all(t):
            raise InputError("t", "the table has no column of times.", 'Say which it is:  columns={"time": "..."}')
        return [(None, np.ones(len(table), bool))]
    times = table["time"].to_numpy(float)
    there = np.unique(times)
    if _all(t):
        return [(float(time), times == time) for time in there]
    out: list[tuple[float | None, np.ndarray]] = []
    for asked in t if isinstance(t, list | tuple) else [t]:
        try:
            minutes = there[-1] if asked is None else to_minutes(asked)
        except UnitError as error:
            raise InputError("t", f"{error}.") from None
        nearest = there[np.argmin(np.abs(there - minutes))]
        if abs(nearest - minutes) > 1e-6 * max(1.0, abs(minutes)):
            raise InputError("t", f"no cell is of {minutes:g} min;", f"the nearest time is {nearest:g} min.")
        out.append((float(nearest), times == nearest))
    return out
