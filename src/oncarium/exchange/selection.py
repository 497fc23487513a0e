"""What of a result is to be written: which times, columns and types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, ModelError, Problem, did_you_mean
from ..run.anndata import STATES, phases, unit_of
from ..run.neighbors import check
from ..run.networks import table_at
from ..units import UnitError, parse_quantity, say_time

if TYPE_CHECKING:
    import pandas

    from ..run.result import Result

ALWAYS = ("id", "type", "position", "vital", "radius")


@dataclass(frozen=True)
class Selection:
    """What of a result is to be written.

    at       times; None is all of them       columns   besides id, type, state, position and radius; None is all
    only     types; None is all of them       pixel     um
    neighbors   which cells are neighbors, see run/neighbors.py
    """

    result: Result
    at: Sequence[Any] | None = None
    columns: Sequence[str] | None = None
    only: Sequence[str] | None = None
    pixel: float = 1.0
    neighbors: Any = "delaunay"

    @classmethod
    def of(cls, result: Result, at: Any, columns: Any, only: Any, pixel: Any, by: Any) -> Selection:
        """What was asked for, looked through. Raises InputError, or ModelError for several problems."""
        problems: list[Problem] = []
        at = None if at is None else list(at) if isinstance(at, list | tuple) else [at]
        for time in at or ():
            _attempt(problems, lambda time=time: result.frame(time, result.times), f"at {time}")
        for what, given, known in (("columns", columns, result.columns), ("only", only, result.types)):
            for name in given or ():
                if name not in known:
                    near, said = did_you_mean(name, known), f"Known: {', '.join(known)}."
                    problems.append(Problem(what, "", f"'{name}' is not there.{near}", said))
        _attempt(problems, lambda: check(by), "neighbors")
        size = _attempt(problems, lambda: _length(pixel), "pixel")
        if len(problems) == 1:
            p = problems[0]
            raise InputError(p.where, p.message, p.expected, p.remedy)
        if problems:
            raise ModelError(problems)
        return cls(result, at, columns, only, 1.0 if size is None else size, by)

    @cached_property
    def frames(self) -> list[int]:
        """Numbers of the frames of cells, rising."""
        times = self.result.times
        return list(range(len(times))) if self.at is None else sorted({self.result.frame(t, times) for t in self.at})

    @property
    def times(self) -> list[float]:
        """Minutes of the frames of cells."""
        return [float(self.result.times[k]) for k in self.frames]

    @cached_property
    def field_frames(self) -> list[int]:
        """Numbers of the frames of fields: all, or those nearest to the times asked for."""
        times = self.result.field_times
        if self.at is None:
            return list(range(len(times)))
        return sorted({int(np.argmin(np.abs(times - t))) for t in self.times}) if len(times) else []

    @property
    def field_times(self) -> list[float]:
        """Minutes of the frames of fields."""
        return [float(self.result.field_times[k]) for k in self.field_frames]

    def cells(self, time: float) -> pandas.DataFrame:
        """Cells of these types at a time, as Result.cells has them."""
        result = self.result
        asked = [*ALWAYS, *(self.columns if self.columns is not None else result.columns)]
        if "cycle.phase" in result.columns:
            asked.append("cycle.phase")
        table = result.cells(time, list(dict.fromkeys(name for name in asked if name in result.columns)))
        if self.only is None:
            return table
        kept = table[table["type"].isin(self.only)].reset_index(drop=True)
        kept.attrs = table.attrs
        return kept

    def named(self, time: float) -> pandas.DataFrame:
        """The same in words: time, id, type, state, dead, phase, x, y, z, radius, then the numbers."""
        table, attrs = self.cells(time), self.result.attrs
        table.insert(0, "time", float(table.attrs["time"]))
        table["state"] = np.array(STATES, object)[table["vital"].to_numpy(int)]
        table["dead"] = table.pop("vital") > 0
        first = ["time", "id", "type", "state", "dead"]
        if "cycle.phase" in table:
            table["phase"] = phases(attrs, table).astype(object)
            table = table.drop(columns="cycle.phase")
            first.append("phase")
        table["type"] = table["type"].astype(object)
        first += ["x", "y", "z", "radius"]
        return table[[*first, *(c for c in table.columns if c not in first)]]

    def measured(self, table: pandas.DataFrame) -> dict[str, np.ndarray]:
        """Name -> (cell) of every number of a table of cells besides names, places and the radius."""
        left = ("time", "id", "type", "state", "dead", "phase", "x", "y", "z", "radius", "vital", "cycle.phase")
        return {c: table[c].to_numpy() for c in table.columns if c not in left}

    def unit(self, column: str) -> str:
        """Unit of a column of the table of cells."""
        return unit_of(self.result.attrs, column)

    @property
    def has_vessels(self) -> bool:
        """Whether there is a network."""
        return "nodes/offsets" in self.result.lengths

    def nodes(self, time: float) -> pandas.DataFrame:
        """Nodes of the vessels at a time: time, id, x, y, z, then their numbers; attrs["units"] by column. Raises
        InputError where the tissue has no vessels."""
        import pandas as pd

        told = table_at(self.result, "nodes", time)
        place = told.pop("position")
        frame = pd.DataFrame(
            {"time": float(time), "id": told.pop("id"), "x": place[:, 0], "y": place[:, 1], "z": place[:, 2]}
        )
        for name, values in told.items():
            frame[name] = values
        units = self.result.attrs["tables"]["nodes"]
        frame.attrs["units"] = {c: units.get(c, "1") for c in frame} | {"time": "min", "x": "um", "y": "um", "z": "um"}
        return frame

    def segments(self, time: float) -> pandas.DataFrame:
        """Segments of the vessels at a time: time, id, a, b (ids of their nodes), then their numbers; units as of
        nodes."""
        told = self.result.vessels(time)
        frame = told.drop(columns=[*(f"{end}{axis}" for end in "ab" for axis in "xyz"), "tip"])
        frame.insert(0, "time", float(time))
        units = told.attrs["units"]
        frame.attrs["units"] = {c: units.get(c, "1") for c in frame} | {"time": "min"}
        return frame

    def concentration(self, frame: int) -> np.ndarray:
        """(field, z, y, x) at a frame of fields: factors, then what else was recorded voxel by voxel."""
        fields = self.result.fields
        return np.stack([fields[name].isel(time=frame).values for name in fields])

    @property
    def lower(self) -> np.ndarray:
        """Lower corner of the domain, (x, y, z) um."""
        return np.array(self.result.attrs["grid"]["origin"], float)

    @property
    def spacing(self) -> np.ndarray:
        """Of voxels, (x, y, z) um."""
        return np.array(self.result.attrs["grid"]["spacing"], float)

    @property
    def size(self) -> np.ndarray:
        """Of the domain, (x, y, z) um."""
        return self.spacing * np.array(self.result.attrs["grid"]["shape"][::-1])

    def one_time(self) -> float:
        """The last of the times. Raises InputError where several were asked for."""
        if self.at is not None and len(self.frames) > 1:
            raise InputError("at", "this format holds one time.", f"Asked for: {', '.join(map(say_time, self.times))}.")
        return self.times[-1]


def _attempt(problems: list[Problem], read: Any, where: str) -> Any:
    """What is read, or None and one problem more."""
    try:
        return read()
    except InputError as error:
        told = error.problem
        problems.append(Problem(where, "", told.message, told.expected, told.remedy))
    return None


def _length(given: Any) -> float | None:
    """A length in um. Raises InputError."""
    if given is None:
        return None
    try:
        value = parse_quantity(given, "um").value if isinstance(given, str) else float(given)
    except (UnitError, ValueError) as error:
        raise InputError("pixel", f"{error}.", "Expected a length such as '0.5 um'.") from None
    if not 0 < value < np.inf:
        raise InputError("pixel", f"{given} is no size of a pixel;", "expected a length such as '0.5 um'.")
    return value
