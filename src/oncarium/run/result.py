"""Result: what was seen, read lazily from a run's store."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, InputError, did_you_mean
from ..units import UnitError, say_time, to_minutes
from . import checkpoint, words
from .anndata import annotated, unit_of
from .field_view import FieldView, frame_at
from .index import index_of, read_index
from .rows import Rows
from .store import FORMAT

if TYPE_CHECKING:
    import anndata
    import pandas


log = logging.getLogger(__name__)
NOTES = ("until", "continued", "stopped")  # what the index may say of a run besides how much of it is there


class Result:
    """A run on disk. Times are minutes, or texts such as "2 day"; None is the last frame.

    path, attrs, title, seed, types     times, field_times (min)     finished, digest (SHA-256 of the newest
                                                                     checkpoint's tissue)

    >>> import oncarium as oc, tempfile
    >>> result = oc.run(oc.Model.from_text(oc.EXAMPLE), "1 h", out=tempfile.mkdtemp())
    >>> result.types, len(result.cells(0)), result.fields["oxygen"].sel(time=60.0).shape
    (('tumor',), 20, (1, 10, 10))
    """

    def __init__(self, path: Path, records: Sequence[Mapping[str, Any]]):
        self.path = path
        self.group: Mapping[str, Any] = Rows(path, records)
        self.lengths: Mapping[str, int] = self.group.lengths
        self.finished: bool = records[-1]["finished"]
        self.tick: int = records[-1]["tick"]
        self._digest: str = records[-1].get("digest", "")
        self.attrs: dict[str, Any] = {**self.group.attrs, **{k: records[-1][k] for k in NOTES if k in records[-1]}}

    @classmethod
    def open(cls, path: str | Path) -> Result:
        """Open a store. Raises DataError when it is none, or damaged."""
        path = Path(path)
        try:
            root = json.loads((path / "zarr.json").read_bytes())
            if (root["node_type"], root["zarr_format"]) != ("group", 3):
                raise ValueError("no group")
            form = root["attributes"].get("format")
        except Exception:  # no file, or whatever damaged JSON can raise
            raise DataError(str(path), "this is no result of a run, or its root is damaged.") from None
        if form != FORMAT:
            raise DataError(str(path), f"its format is {form};", f"this version reads {FORMAT}.")
        saved = checkpoint.newest_tick(path)  # before the index: while a run is going on, the index comes first
        records = read_index(path)
        if not records:
            raise DataError(
                str(path), "no frame was finished: its index is missing, empty, or damaged from the first line on.",
                remedy="Run the model again: --overwrite, or overwrite=True.",
            )  # fmt: skip
        tick = records[-1]["tick"]
        if (lines := index_of(path).read_bytes().count(b"\n")) > len(records):
            said = "line %d of %d of the index of %s is damaged; frames up to tick %d are read"
            log.warning(said, len(records) + 1, lines, path, tick)
        elif saved > tick:
            said = "lines of the index of %s are lost: it ends at tick %d, and a checkpoint is of tick %d"
            log.warning(said, path, tick, saved)
        return cls(path, records)

    # -- what it is -------------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """The model's title."""
        return self.attrs["title"]

    @property
    def seed(self) -> int:
        """Seed of all randomness."""
        return int(self.attrs["seed"])

    @property
    def until(self) -> float:
        """When it ends, or was to end, min."""
        return float(self.attrs["until"])

    @property
    def stopped(self) -> str:
        """The rule that ended it before its time, or nothing."""
        return self.attrs.get("stopped", "")

    @property
    def types(self) -> tuple[str, ...]:
        """Names of the cell types, in the order in which array("type") counts them from 0."""
        return tuple(self.attrs["types"])

    @property
    def factors(self) -> dict[str, str]:
        """Name -> unit."""
        return dict(zip(self.attrs["factors"], self.attrs["factor_units"]))

    @property
    def is_2d(self) -> bool:
        """Whether the tissue is one layer of voxels."""
        return self.attrs["grid"]["shape"][0] == 1

    @property
    def model_yaml(self) -> str:
        """The model that was run."""
        return self.attrs["model"]

    @property
    def digest(self) -> str:
        """SHA-256 of the tissue: the final state of a finished run, else that of the newest checkpoint. Raises
        DataError."""
        return self._digest or checkpoint.newest(self.path)[1]

    @cached_property
    def times(self) -> np.ndarray:
        """Minutes of the frames of cells."""
        return self._read("cells/time")

    @cached_property
    def field_times(self) -> np.ndarray:
        """Minutes of the frames of fields."""
        return self._read("fields/time")

    def _read(self, name: str, first: int = 0, last: int | None = None) -> np.ndarray:
        """Rows of an array that are indexed. Raises DataError where they are not those that were written."""
        return self.group[name][first:last]

    def frame(self, t: Any, times: np.ndarray) -> int:
        """Index of the frame nearest to a time. Raises InputError when the run was not there."""
        if t is None:
            return len(times) - 1
        try:
            minutes = to_minutes(t)
        except UnitError as error:
            raise InputError("t", f"{error}.") from None
        k = int(np.argmin(np.abs(times - minutes)))
        gap = np.diff(times).max() if len(times) > 1 else 0.0
        if abs(times[k] - minutes) > 0.5 * gap + 1e-9:
            raise InputError(
                "t", f"{t} is outside the run, which was seen from {say_time(times[0])} to {say_time(times[-1])}."
            )
        return k

    # -- cells ------------------------------------------------------------------------------------------------------

    @cached_property
    def _offsets(self) -> np.ndarray:
        return np.append(self._read("cells/offsets"), self.lengths["cells/id"])

    @property
    def columns(self) -> list[str]:
        """Columns that were recorded."""
        return list(self.attrs["columns"])

    def array(self, column: str, t: Any = None) -> np.ndarray:
        """One column at a time, (cell,) or (cell, axis), in the order of ids. Raises InputError for an unknown
        column."""
        if column not in self.attrs["columns"]:
            raise InputError(
                "column",
                f"'{column}' was not recorded.{did_you_mean(column, self.columns)}",
                f"Recorded: {', '.join(self.columns)}.",
            )
        k = self.frame(t, self.times)
        with frame_at(self.times[k]):
            return self._read(f"cells/{column}", int(self._offsets[k]), int(self._offsets[k + 1]))

    def cells(self, t: Any = None, columns: Sequence[str] | None = None) -> pandas.DataFrame:
        """Cells at a time: one row per cell in the order of ids; an axis becomes one column per label."""
        import pandas as pd

        out: dict[str, Any] = {}
        for name in columns or self.columns:
            values = self.array(name, t)
            if name == "type":
                out[name] = pd.Categorical(np.array(self.types)[values], categories=list(self.types))
            elif values.ndim == 1:
                out[name] = values
            elif name == "position":
                out |= {a: values[:, i] for i, a in enumerate("xyz")}
            else:
                out |= {f"{name}.{label}": values[:, i] for i, label in enumerate(self._labels(name, values.shape[1]))}
        frame = pd.DataFrame(out)
        frame.attrs["time"] = float(self.times[self.frame(t, self.times)])
        return frame

    def numbers(self, name: str, t: Any = None) -> np.ndarray:
        """One number of every cell at a time, (cell,): a column, or one of its axis as "column.label". Raises
        InputError.

        >>> result.numbers("sense.factor.oxygen", 0).shape
        (20,)
        """
        column, at = self._found(name)
        values = self.array(column, t)
        return values if at is None else values[:, at]

    def unit(self, name: str) -> str:
        """Unit of such a number; of a factor's in the factor's own.

        >>> result.unit("volume.total"), result.unit("sense.factor.oxygen")
        ('um^3', 'mmHg')
        """
        self._found(name)
        return unit_of(self.attrs, name)

    def _found(self, name: str) -> tuple[str, int | None]:
        """Column and place on its axis of a number of cells."""
        known: dict[str, tuple[str, int | None]] = {}
        for column in self.columns:
            axes = self.group[f"cells/{column}"].shape[1:]
            labels = self._labels(column, axes[0]) if axes else []
            known.update({f"{column}.{label}": (column, k) for k, label in enumerate(labels)})
            if not labels:
                known[column] = (column, None)
        if name not in known:
            raise InputError(
                "column",
                f"'{name}' was not recorded.{did_you_mean(name, known)}",
                f"Recorded: {', '.join(known)}.",
                "More columns are kept with  record: {columns: [...]}.",
            )
        return known[name]

    def _labels(self, column: str, width: int) -> list[str]:
        axis = self.group[f"cells/{column}"].dimensions[1]
        labels = self.attrs["labels"].get(axis, [])
        return labels if len(labels) == width else [str(i) for i in range(width)]

    # -- fields -----------------------------------------------------------------------------------------------------

    @property
    def fields(self) -> FieldView:
        """Factor -> xarray.DataArray (time, z, y, x), read when it is used."""
        return FieldView(self)

    def vessels(self, t: Any = None) -> pandas.DataFrame:
        """Blood vessels at a time: one row per segment, with its two ends (a, b; ax to bz in um), radius (um), flow
        (nl/min, from a to b), haematocrit, oxygen (mmHg), shear (Pa) and what its wall is like. Raises InputError where
        the tissue has none."""
        from .networks import vessels_at

        return vessels_at(self, t)

    # -- tables -----------------------------------------------------------------------------------------------------

    @cached_property
    def summary(self) -> pandas.DataFrame:
        """One row per frame: live.TYPE, apoptotic.TYPE, necrotic.TYPE, volume.TYPE (um^3), mean.FACTOR, lowest.FACTOR,
        highest.FACTOR, events.KIND (so far), body.COMPARTMENT, matrix.PROPERTY (means over the tissue); the index is
        the time in min."""
        import pandas as pd

        return pd.DataFrame(self._series, index=pd.Index(self._read("summary/time"), name="time"))

    @cached_property
    def _series(self) -> dict[str, np.ndarray]:
        """Columns of the summary by name."""
        return {
            f"{series}.{what}": values
            for series, units in self.attrs["summary"].items()
            for what, values in zip(units, self._read(f"summary/{series}").T)
        }

    def told(self, frame: int) -> dict[str, float]:
        """The summary of one frame, -1 the last.

        >>> bool(result.told(0)["live.tumor"] == result.summary["live.tumor"].iloc[0])
        True
        """
        return {name: float(values[frame]) for name, values in self._series.items()}

    @cached_property
    def events(self) -> pandas.DataFrame:
        """What happened: time (min), id of the cell, kind, cause (id of the actor, a type, or -1)."""
        import pandas as pd

        out = pd.DataFrame({name: self._read(f"events/{name}") for name in ("time", "id", "kind", "cause")})
        out["kind"] = pd.Categorical.from_codes(out["kind"], self.attrs["events"])
        return out

    def to_anndata(self, t: Any = None, neighbors: Any = "delaunay") -> anndata.AnnData:
        """Cells at a time, at several ([0, "1 day"]) or at all ("all"): X holds every recorded number, var its unit,
        obs cell_type, state, dead, phase, id, time (min), frame and sample, obsm["spatial"] the place in um, obsp the
        neighbors that squidpy looks for (never those of another time), uns["oncarium"] where it comes from.

        neighbors   "delaunay" (as squidpy.gr.spatial_neighbors(delaunay=True)), "contact" (centres nearer than 1.25
                    times the sum of both radii), or a distance in um

        Raises InputError where anndata is not installed, or for a time outside the run."""
        times = self.times if isinstance(t, str) and t == "all" else t if isinstance(t, list | tuple) else [t]
        return annotated([self.cells(time) for time in times], self.attrs, neighbors)

    def __str__(self) -> str:
        return words.text(self)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return words.page(self)

    def __repr__(self) -> str:
        return f"<Result {self.title!r}, {len(self.times)} frames to {say_time(self.times[-1])}, {self.path}>"
