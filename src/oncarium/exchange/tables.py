"""Tidy tables as CSV or Parquet, with the units of their columns beside them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .selection import Selection

if TYPE_CHECKING:
    import pandas

log = logging.getLogger(__name__)
LARGE = 5_000_000  # rows from which on the size is told
FIXED = {  # what is there whatever was recorded: column -> (unit, description)
    "time": ("min", "time since the start"),
    "id": ("1", "number of the cell, never used again"),
    "type": ("", "cell type"),
    "state": ("", "live, apoptotic or necrotic"),
    "dead": ("", "apoptotic or necrotic"),
    "phase": ("", "phase of the cycle; empty where the type has none"),
    **{axis: ("um", f"{axis} of the cell's centre") for axis in "xyz"},
}
VESSELS = {  # columns of nodes and segments that are no quantities of theirs
    "time": "time since the start",
    "id": "number of the node or segment, never used again",
    **{axis: f"{axis} of the node" for axis in "xyz"},
    "tip": "1: the tip of a sprout",
    "a": "node where it begins",
    "b": "node where it ends",
    "flow": "of blood, positive from a to b",
    "perfused": "1: blood flows",
}


def csv(selection: Selection, folder: Path) -> None:
    """cells.csv, fields.csv, summary.csv, events.csv and columns.csv (units); of vessels nodes.csv and segments.csv."""

    def write(path: Path, parts: Iterator[pandas.DataFrame]) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            for k, part in enumerate(parts):
                part.to_csv(file, index=False, header=k == 0, lineterminator="\n")

    _write(selection, folder, "csv", write)


def parquet(selection: Selection, folder: Path) -> None:
    """The same tables as Parquet. Raises InputError where pyarrow is not installed."""
    try:
        import pyarrow
        from pyarrow import parquet as writer
    except ImportError:
        raise InputError(
            "--to parquet", "pyarrow is not installed.", remedy='Install it:  pip install "oncarium[parquet]"'
        ) from None

    def write(path: Path, parts: Iterator[pandas.DataFrame]) -> None:
        first = next(parts)
        texts = {c: pyarrow.string() for c in first.columns if first[c].dtype == object}
        schema = pyarrow.Schema.from_pandas(first.head(0), preserve_index=False)
        for name, kind in texts.items():  # of an empty part nobody can tell
            schema = schema.set(schema.get_field_index(name), pyarrow.field(name, kind))
        schema = schema.remove_metadata()
        with writer.ParquetWriter(path, schema) as file:
            for part in (first, *parts):
                file.write_table(pyarrow.Table.from_pandas(part, schema, preserve_index=False))

    _write(selection, folder, "parquet", write)


def _write(selection: Selection, folder: Path, suffix: str, write: Callable[[Path, Any], None]) -> None:
    result = selection.result
    last = selection.times[-1] if selection.at is not None else np.inf
    summary = result.summary.reset_index()
    tables = {
        "cells": (selection.named(t) for t in selection.times),
        "fields": _fields(selection),
        "summary": iter([summary[np.isin(summary["time"], selection.times)] if selection.at is not None else summary]),
        "events": iter([result.events[result.events["time"] <= last].astype({"kind": object})]),
    }
    if selection.has_vessels:
        tables["nodes"] = (selection.nodes(t) for t in selection.times)
        tables["segments"] = (selection.segments(t) for t in selection.times)
    if not len(result.fields) or not selection.field_frames:
        del tables["fields"]
    rows = int(np.prod(result.attrs["grid"]["shape"])) * len(selection.field_frames)
    if "fields" in tables and rows > LARGE:
        log.warning("fields.%s has %s rows; choose times with --at to have fewer", suffix, f"{rows:,}")
    for name, parts in tables.items():
        write(folder / f"{name}.{suffix}", parts)
    write(folder / f"columns.{suffix}", iter([_columns(selection, summary.columns)]))


def _fields(selection: Selection) -> Iterator[pandas.DataFrame]:
    """One row per voxel and time: time, x, y, z (centre), then every factor; x runs fastest."""
    import pandas as pd

    shape = selection.result.attrs["grid"]["shape"]
    centers = [selection.lower[i] + (np.arange(shape[2 - i]) + 0.5) * selection.spacing[i] for i in range(3)]
    z, y, x = (a.ravel() for a in np.meshgrid(*centers[::-1], indexing="ij"))
    for frame, time in zip(selection.field_frames, selection.field_times):
        values = selection.concentration(frame)
        factors = {name: values[k].ravel() for k, name in enumerate(selection.result.fields)}
        yield pd.DataFrame({"time": time, "x": x, "y": y, "z": z, **factors})


def _columns(selection: Selection, summary: Any) -> pandas.DataFrame:
    """Unit and meaning of every column: table, column, unit, description."""
    import pandas as pd

    attrs = selection.result.attrs
    declared = attrs["columns"]
    rows = []
    for name in selection.named(selection.times[0]).columns:
        owner = next((n for n in sorted(declared, key=len, reverse=True) if f"{name}.".startswith(f"{n}.")), "")
        fixed = FIXED.get(name)
        rows.append(("cells", name, *(fixed or (selection.unit(name), declared[owner].get("doc", "")))))
    rows.append(("fields", "time", *FIXED["time"]))
    rows += [("fields", axis, "um", f"{axis} of the voxel's centre") for axis in "xyz"]
    rows += [("fields", name, unit, "") for name, unit in selection.result.fields.units.items()]
    if selection.has_vessels:
        for table, frame in (
            ("nodes", selection.nodes(selection.times[0])),
            ("segments", selection.segments(selection.times[0])),
        ):
            rows += [(table, name, unit, VESSELS.get(name, "")) for name, unit in frame.attrs["units"].items()]
    for name in summary:
        series, _, what = str(name).partition(".")
        unit = "min" if name == "time" else attrs.get("summary", {}).get(series, "")
        unit = unit.get(what, "") if isinstance(unit, dict) else selection.result.factors.get(what, unit or "1")
        rows.append(("summary", name, unit if isinstance(unit, str) else "1", ""))
    rows += [
        ("events", "time", "min", "when it happened"),
        ("events", "id", "1", "number of the cell"),
        ("events", "kind", "", "what happened"),
        ("events", "cause", "1", "number of the cell that did it, a type, or -1"),
    ]
    return pd.DataFrame(rows, columns=["table", "column", "unit", "description"])
