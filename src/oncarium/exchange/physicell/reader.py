"""Output folders of PhysiCell, read as a Result: the same tables, fields and figures as for a run of one's own."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DataError, InputError, did_you_mean
from ...model import catalog
from ...run.result import Result
from .labels import CYCLES, ROWS
from .output import Frames, Output

if TYPE_CHECKING:
    import pandas

WHOLE = {"id": np.int64, "type": np.int32, "vital": np.uint8, "cycle.phase": np.int32, "attack.target": np.int64}
DEAD_PHASES = {100: 1, 101: 2, 102: 3}  # code of the phase -> vital
CYCLE_OF = {code: name for name, (code, _) in CYCLES.items() if name != "none"}
AXES = {"xyz": ("x", "y", "z"), "death": ("apoptosis", "necrosis")}
# columns that several labels tell: unit and meaning
DERIVED = {
    "type": ("1", "index of the cell's type"),
    "vital": ("1", "0 live, 1 apoptotic, 2 necrotic and swelling, 3 necrotic and lysed"),
    "radius": ("um", "radius of the whole cell"),
    "cycle.phase": ("1", "present phase of the cycle"),
}


def is_output(folder: Path) -> bool:
    """Is this a folder with XML files? A store holds none."""
    return folder.is_dir() and any(folder.glob("*.xml"))


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
        output = Output(path)
        self.path, self.output = path, output
        self.files, self.labels, self.finished, self._times = output.files, output.labels, output.finished, output.times
        self._table, self._field = output.table, output.field
        self.group = {"fields/0": Frames(output)}
        self.lengths = {"fields/0": len(self.files)}
        name = path.resolve().name
        self.attrs = {
            "format": "MultiCellDS",
            "title": f"PhysiCell, {name}",
            "name": name,
            "seed": output.seed,
            "model_digest": "",
            "versions": {"oncarium": "", output.program: output.version},
            "types": list(output.ids.values()),
            "factors": [name for name, _ in output.factors],
            "factor_units": [unit for _, unit in output.factors],
            "grid": output.grid,
            "events": catalog.events(),
        }
        self._name_columns()
        self.attrs["phases"] = {name: self._phases_of(k) for k, name in enumerate(self.types)}

    def _name_columns(self) -> None:
        """Our columns of which the files hold the same quantity, and all labels."""
        known = catalog.columns()
        self.axis: dict[str, str] = {r.label: r.axis for r in ROWS}
        self.rows = {r.source: r.label for r in ROWS if isinstance(r.source, str) and r.label in self.labels}
        self.rows |= {f"custom.{label}": label for label in self.labels if label not in self.axis}
        columns = {}
        for name in dict.fromkeys(["id", "type", "position", "vital", "radius", "cycle.phase", *self.rows]):
            entry = known.get(name)
            unit, doc = DERIVED.get(name) or ((entry.unit, entry.doc) if entry else ("1", ""))
            columns[name] = {"unit": unit, "doc": doc, "kind": entry.kind if entry else "state"}
        for name, label in self.labels.items():
            columns.setdefault(name, {"unit": label.unit, "doc": "as PhysiCell writes it", "kind": "state"})
        self.attrs["columns"] = columns

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
        ids, given = np.array(list(self.output.ids)), self._one(table, "cell_type")
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

    def told(self, frame: int) -> dict[str, float]:
        """The summary of one frame, -1 the last."""
        return dict(self.summary.iloc[frame])

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
        return self.output.graph(self.frame(t, self.times), graph)
