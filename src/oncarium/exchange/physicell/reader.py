"""Output folders of PhysiCell, read as a Result: the same tables, fields and figures as for a run of one's own."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as xml

import numpy as np

from ...errors import DataError, InputError, did_you_mean
from ...model import catalog
from ...run.result import Result
from . import mat
from .labels import CYCLES, ROWS

if TYPE_CHECKING:
    import pandas

LOG = logging.getLogger(__name__)
NAMES = ("output*.xml", "initial.xml", "final.xml")
WHOLE = {"id": np.int64, "type": np.int32, "vital": np.uint8, "cycle.phase": np.int32, "attack.target": np.int64}
DEAD_PHASES = {100: 1, 101: 2, 102: 3}  # code of the phase -> vital
CYCLE_OF = {code: name for name, (code, _) in CYCLES.items() if name != "none"}
AXES = {"xyz": ("x", "y", "z"), "death": ("apoptosis", "necrosis")}
KEPT = 4  # snapshots in memory


def is_output(folder: Path) -> bool:
    """Does this folder hold snapshots?"""
    return folder.is_dir() and any(any(folder.glob(name)) for name in NAMES)


@dataclass(frozen=True)
class Label:
    """Rows start to start + size of the table of cells."""

    name: str
    start: int
    size: int
    unit: str


def parse(path: Path) -> xml.Element:
    """Root of a snapshot's XML; no document type is accepted, so nothing is expanded or fetched. Raises DataError."""
    try:
        content = path.read_bytes()
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content or b"\0" in content:
            raise DataError(str(path), "it declares a document type or holds NUL bytes, which no snapshot does.")
        return xml.fromstring(content)
    except OSError as error:
        raise DataError(str(path), f"it cannot be read: {error.strerror}.") from None
    except (xml.ParseError, ValueError, LookupError) as error:
        raise DataError(
            str(path),
            f"it is no complete XML: {error}.",
            remedy="Move it away to read the other snapshots of the folder.",
        ) from None


class Snapshots(Result):
    """Snapshots of a folder. Columns have our names where Oncarium has the same quantity, and PhysiCell's labels
    besides.

    labels   name -> Label, as the files say

    What a folder of snapshots does not hold (events, the model, a digest) is missing here: events are nan in `summary`.
    """

    @classmethod
    def open(cls, path: str | Path) -> Snapshots:
        """Open a folder. Raises DataError when it holds no snapshot, or a damaged one."""
        return cls(Path(path))

    def __init__(self, path: Path):
        self.path = path
        files = sorted(path.glob("output*.xml")) or [f for f in (path / "initial.xml",) if f.exists()]
        if (last := path / "final.xml").exists():
            files.append(last)
        if not files:
            raise DataError(
                str(path), "no snapshot lies here;", "expected output00000000.xml, initial.xml or final.xml."
            )
        timed = self._of_one_run([(float(self._text(f, parse(f), "metadata/current_time")), f) for f in files], last)
        if (
            len(timed) > 2
            and timed[-1][1] == last
            and timed[-1][0] - timed[-2][0] < 0.5 * (timed[-2][0] - timed[-3][0])
        ):
            timed.pop()  # the last saved state once more, or a step later
        timed.sort(key=lambda found: found[0])
        self.files = [f for _, f in timed]
        self._times = np.array([t for t, _ in timed])
        self.finished = (path / "final.xml").exists()
        self.group = {"fields/0": _Frames(self)}
        self._describe(parse(self.files[0]))
        self.lengths = {"fields/0": len(self.files)}
        self._table = lru_cache(KEPT)(self._read_table)
        self._field = lru_cache(KEPT)(self._read_field)
        self.attrs["phases"] = {name: self._phases_of(k) for k, name in enumerate(self.types)}

    def _of_one_run(self, timed: list[tuple[float, Path]], last: Path) -> list[tuple[float, Path]]:
        """Snapshots without those that a longer run left in the folder before: times go up, and none is later than the
        end."""
        end = next((t for t, f in timed if f == last), math.inf)
        kept: list[tuple[float, Path]] = []
        frames = [pair for pair in timed if pair[1] != last]
        for time, file in frames:
            if time > end + 1e-6 or (kept and time <= kept[-1][0]):
                break
            kept.append((time, file))
        left = frames[len(kept) :]
        if left:
            LOG.warning(
                "%s: %d snapshots, from %s on, are left from an earlier run and are not read.",
                self.path,
                len(left),
                left[0][1].name,
            )
        return kept + [pair for pair in timed if pair[1] == last]

    # -- the files --------------------------------------------------------------------------------------------------

    @staticmethod
    def _text(file: Path, root: xml.Element, place: str) -> str:
        found = root.find(place)
        if found is None or not (found.text or "").strip():
            raise DataError(str(file), f"{place} is missing in it.")
        return str(found.text).strip()

    def _describe(self, root: xml.Element) -> None:
        """What is the same in all snapshots."""
        file = self.files[0]
        try:
            mesh = "microenvironment/domain/mesh/"
            centers = [self._text(file, root, f"{mesh}{a}_coordinates").replace(",", " ").split() for a in "xyz"]
            box = [float(v) for v in self._text(file, root, f"{mesh}bounding_box").replace(",", " ").split()]
            shape = [len(c) for c in centers]
            data = self._cell_data(file, root)
            labels = [
                Label(str(e.text), int(e.get("index", "")), int(e.get("size", "")), e.get("units", ""))
                for e in data.iter("label")
            ]
            self.ids = {int(float(e.get("type", e.get("ID", "0")))): str(e.text) for e in data.iter("type")}
            variables = [
                (e.get("name", ""), e.get("units", ""))
                for e in root.iterfind("microenvironment/domain/variables/variable")
            ]
        except (ValueError, IndexError) as error:
            raise DataError(str(file), f"a number in it is none: {error}.") from None
        self.labels = {label.name: label for label in reversed(labels)}  # of two with one name the first counts
        missing = [n for n in ("ID", "position", "total_volume", "cell_type") if n not in self.labels]
        if missing or len(box) != 6:
            raise DataError(
                str(file),
                f"its table of cells has no {', '.join(missing)}."
                if missing
                else f"its box has {len(box)} numbers, not 6.",
            )
        if not self.ids:  # older files do not name their types
            table = mat.read(file.parent / self._text(file, data, "filename"))[1]
            self.ids = {int(k): f"type {int(k)}" for k in np.unique(table[:, self.labels["cell_type"].start])}
        self.height = max(label.start + label.size for label in labels)
        self.attrs = {
            "format": "MultiCellDS",
            "title": f"PhysiCell, {self.path.resolve().name}",
            "name": self.path.resolve().name,
            "seed": self._seed(),
            "model_digest": "",
            "versions": {
                "oncarium": "",
                root.findtext("metadata/software/name", "PhysiCell"): root.findtext("metadata/software/version", ""),
            },
            "types": list(self.ids.values()),
            "factors": [name for name, _ in variables],
            "factor_units": ["1" if unit in ("dimensionless", "") else unit for _, unit in variables],
            "grid": {
                "origin": box[:3],
                "spacing": [(b - a) / n for a, b, n in zip(box[:3], box[3:], shape)],
                "shape": shape[::-1],
            },
            "events": catalog.events(),
        }
        self._name_columns()

    @staticmethod
    def _cell_data(file: Path, root: xml.Element) -> xml.Element:
        found = root.find(
            "cellular_information/cell_populations/cell_population/custom/simplified_data[@source='PhysiCell']"
        )
        if found is None:
            raise DataError(str(file), "it has no table of cells (simplified_data).")
        return found

    def _seed(self) -> int:
        file = self.path / "random_seed.txt"
        text = file.read_text(errors="replace").strip() if file.exists() else ""
        return int(text) if text.isdecimal() else 0

    def _name_columns(self) -> None:
        """Our columns of which the files hold the same quantity, and all labels."""
        known = catalog.columns()
        self.rows: dict[str, str] = {}  # our column -> label
        self.axis: dict[str, str] = {r.label: r.axis for r in ROWS}
        for row in ROWS:
            if isinstance(row.source, str) and row.label in self.labels:
                self.rows[row.source] = row.label
        usual = {r.label for r in ROWS}
        self.rows |= {f"custom.{label}": label for label in self.labels if label not in usual}
        derived = {
            "type": ("1", "index of the cell's type"),
            "vital": ("1", "0 live, 1 apoptotic, 2 necrotic and swelling, 3 necrotic and lysed"),
            "radius": ("um", "radius of the whole cell"),
            "cycle.phase": ("1", "present phase of the cycle"),
        }
        ours = list(dict.fromkeys(["id", "type", "position", "vital", "radius", "cycle.phase", *self.rows]))
        columns = {}
        for name in ours:
            unit, doc = derived.get(name) or ((known[name].unit, known[name].doc) if name in known else ("1", ""))
            columns[name] = {"unit": unit, "doc": doc, "kind": known[name].kind if name in known else "state"}
        columns |= {
            n: {"unit": label.unit, "doc": "as PhysiCell writes it", "kind": "state"}
            for n, label in self.labels.items()
            if n not in columns
        }
        self.attrs["columns"] = columns

    def _read_table(self, k: int) -> np.ndarray:
        """(cell, row) of a snapshot, in the order of ids."""
        file = self.files[k]
        name = self._text(file, self._cell_data(file, parse(file)), "filename")
        where = self._beside(file, name)
        table = mat.read(where)[1]
        if table.shape[1] < self.height:
            if not table.size:
                return np.empty((0, self.height))
            raise DataError(str(where), f"it has {table.shape[1]} rows; the labels of {file.name} need {self.height}.")
        return table[np.argsort(table[:, self.labels["ID"].start], kind="stable")]

    def _read_field(self, k: int) -> np.ndarray:
        """(factor, z, y, x) of a snapshot."""
        file, shape = self.files[k], self.attrs["grid"]["shape"]
        where = self._beside(file, self._text(file, parse(file), "microenvironment/domain/data/filename"))
        table = mat.read(where)[1]
        wanted = (int(np.prod(shape)), 4 + len(self.factors))
        if table.shape != wanted:
            raise DataError(
                str(where),
                f"it has {table.shape[0]} voxels and {table.shape[1]} rows;",
                f"expected {wanted[0]} and {wanted[1]}.",
            )
        return table[:, 4:].T.reshape(len(self.factors), *shape)

    def _beside(self, file: Path, name: str) -> Path:
        """A file that a snapshot points to: by name only, so none outside the folder is opened."""
        if Path(name).name != name:
            raise DataError(str(file), f"it points to '{name[:80]}', outside its folder.")
        return file.parent / name

    # -- as a Result ------------------------------------------------------------------------------------------------

    @property
    def times(self) -> np.ndarray:  # type: ignore[override]
        """Minutes of the snapshots."""
        return self._times

    @property
    def field_times(self) -> np.ndarray:  # type: ignore[override]
        """The same: every snapshot has its fields."""
        return self._times

    @property
    def model_yaml(self) -> str:
        """Snapshots do not hold the model. Raises DataError."""
        raise DataError(
            str(self.path),
            "snapshots do not hold the model.",
            remedy="Read its settings:  oc.load('PhysiCell_settings.xml')",
        )

    @property
    def digest(self) -> str:
        """Snapshots of another program have no digest. Raises DataError."""
        raise DataError(str(self.path), "snapshots of another program have no digest.")

    def array(self, column: str, t: Any = None) -> np.ndarray:
        """One column, or one of PhysiCell's labels, at a time: (cell,) or (cell, axis) in the order of ids. Raises
        InputError."""
        if column not in self.attrs["columns"]:
            raise InputError(
                "column",
                f"'{column}' is not in these files.{did_you_mean(column, self.columns)}",
                f"They have: {', '.join(self.columns)}.",
            )
        table = self._table(self.frame(t, self.times))
        if column in ("type", "vital", "cycle.phase"):
            values = {"type": self._types, "vital": self._vital, "cycle.phase": self._phase}[column](table)
        elif column == "radius" and "radius" not in self.labels:
            values = np.cbrt(table[:, self.labels["total_volume"].start] * (3.0 / (4.0 * np.pi)))
        else:
            label = self.labels[self.rows.get(column, column)]
            values = table[:, label.start : label.start + label.size]
            vector = label.size > 1 or (column in self.rows and self.axis.get(label.name) in ("factor", "type"))
            values = values if vector else values[:, 0]
        return values.astype(WHOLE.get(column, float))

    def _one(self, table: np.ndarray, label: str) -> np.ndarray:
        found = self.labels.get(label)
        return table[:, found.start] if found else np.zeros(len(table))

    def _types(self, table: np.ndarray) -> np.ndarray:
        ids, given = np.array(list(self.ids)), self._one(table, "cell_type")
        place = {k: i for i, k in enumerate(ids.tolist())}
        unknown = set(given.astype(int).tolist()) - set(place)
        if unknown:
            raise DataError(
                str(self.path),
                f"cells are of type {', '.join(map(str, sorted(unknown)))}, which the files do not name.",
            )
        return np.array([place[k] for k in given.astype(int).tolist()], np.int32)

    def _vital(self, table: np.ndarray) -> np.ndarray:
        phase = self._one(table, "current_phase").astype(int)
        out = np.zeros(len(table), np.uint8)
        for code, vital in DEAD_PHASES.items():
            out[phase == code] = vital
        out[(self._one(table, "dead") > 0.5) & (out == 0)] = DEAD_PHASES[100]
        return out

    def _phase(self, table: np.ndarray) -> np.ndarray:
        model, phase = self._one(table, "cycle_model").astype(int), self._one(table, "current_phase").astype(int)
        out = np.zeros(len(table), np.int32)
        for code, name in CYCLE_OF.items():
            for k, wanted in enumerate(CYCLES[name][1]):
                out[(model == code) & (phase == wanted)] = k
        return out

    def _phases_of(self, kind: int) -> list[str]:
        """Phases of a type's cycle, told from its live cells in the first or last snapshot."""
        for k in dict.fromkeys((0, len(self.files) - 1)):
            table = self._table(k)
            live = table[(self._types(table) == kind) & (self._vital(table) == 0)]
            if len(live):
                name = CYCLE_OF.get(int(self._one(live, "cycle_model")[0]))
                return list(catalog.cycles()[name].phases) if name else []
        return []

    def _labels(self, column: str, width: int) -> list[str]:
        axis = self.axis.get(self.rows.get(column, column), "")
        found = {"factor": list(self.factors), "type": list(self.types)}.get(axis) or list(AXES.get(axis, ()))
        return found if len(found) == width else [str(i) for i in range(width)]

    @cached_property
    def summary(self) -> pandas.DataFrame:
        """As for a run of one's own; snapshots do not tell events, so these are nan."""
        import pandas as pd

        rows = []
        for k in range(len(self.files)):
            table, field = self._table(k), self._field(k)
            kind, vital, n = self._types(table), self._vital(table), len(self.types)
            row: dict[str, float] = {}
            for name, which in (("live", vital == 0), ("apoptotic", vital == 1), ("necrotic", vital > 1)):
                row |= dict(
                    zip((f"{name}.{t}" for t in self.types), np.bincount(kind[which], minlength=n).astype(float))
                )
            row |= dict(
                zip(
                    (f"volume.{t}" for t in self.types),
                    np.bincount(kind, self._one(table, "total_volume"), minlength=n),
                )
            )
            for name, values in (
                ("mean", field.mean(axis=(1, 2, 3))),
                ("lowest", field.min(axis=(1, 2, 3))),
                ("highest", field.max(axis=(1, 2, 3))),
            ):
                row |= dict(zip((f"{name}.{f}" for f in self.factors), values))
            rows.append(row | dict.fromkeys((f"events.{e}" for e in catalog.events()), np.nan))
        return pd.DataFrame(rows, index=pd.Index(self._times, name="time"))

    @cached_property
    def events(self) -> pandas.DataFrame:
        """Empty: snapshots do not tell events."""
        import pandas as pd

        return pd.DataFrame(
            {
                "time": np.empty(0),
                "id": np.empty(0, int),
                "kind": pd.Categorical([], catalog.events()),
                "cause": np.empty(0, int),
            }
        )

    def neighbors(self, t: Any = None, graph: str = "cell_neighbor_graph") -> dict[int, list[int]]:
        """Id -> ids of its neighbors, from the graph of a snapshot (or "spring_attached_cells_graph",
        "attached_cells_graph")."""
        file = self.files[self.frame(t, self.times)]
        where = file.with_name(f"{file.stem}_{graph}.txt")
        try:
            lines = where.read_text(encoding="ascii").splitlines()
            return {
                int(a): [int(b) for b in rest.split(",") if b.strip()]
                for a, _, rest in (line.partition(":") for line in lines if line.strip())
            }
        except (OSError, ValueError) as error:
            raise DataError(str(where), f"it cannot be read: {error}.") from None


class _Frames:
    """All fields of a folder as one array (time, factor, z, y, x), read when it is indexed."""

    dtype = np.dtype(float)

    def __init__(self, snapshots: Snapshots):
        self.snapshots = snapshots

    @property
    def shape(self) -> tuple[int, ...]:
        """(time, factor, z, y, x)."""
        s = self.snapshots
        return (len(s.files), len(s.factors), *s.attrs["grid"]["shape"])

    @property
    def oindex(self) -> _Frames:
        """Itself: it is indexed axis by axis anyway."""
        return self

    def __getitem__(self, key: Sequence[Any]) -> np.ndarray:
        time, factor, *space = key
        chosen = np.arange(len(self.snapshots.files))[time]
        out = (
            np.stack([self.snapshots._field(int(k))[factor] for k in np.atleast_1d(chosen)])
            if np.size(chosen)
            else np.empty((0, *self.shape[2:]))
        )
        for axis in (3, 2, 1):
            out = out[(slice(None),) * axis + (space[axis - 1],)]
        return out if np.ndim(chosen) else out[0]
