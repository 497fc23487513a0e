"""OME-TIFF: fields as channels over time, and a mask in which every cell has its number; row 0 is the top."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import __version__
from ..errors import InputError
from .selection import Selection

MOST = 4e9  # pixels of a mask


def write(selection: Selection, folder: Path) -> None:
    """fields.ome.tif (t, c, z, y, x), labels.ome.tif (t, z, y, x; 0 where no cell is, else the cell's id + 1) and
    classes.csv: label -> type. Raises InputError where tifffile is not installed or a mask would be too large."""
    try:
        import tifffile
    except ImportError:
        raise InputError(
            "--to ome-tiff", "tifffile is not installed.", remedy='Install it:  pip install "oncarium[images]"'
        ) from None
    shape = _shape(selection)
    if float(np.prod([float(n) for n in shape])) * len(selection.times) > MOST:
        said = " x ".join(str(n) for n in shape[::-1])
        raise InputError("pixel", f"{len(selection.times)} masks of {said} pixels are too many.", "Give a larger one.")
    result = selection.result
    if len(result.fields) and selection.field_frames:
        names = [f"{factor} ({unit})" for factor, unit in result.fields.units.items()]
        pages = [
            np.ascontiguousarray(selection.concentration(frame)[:, :, ::-1], np.float32)
            for frame in selection.field_frames
        ]
        about = _about(selection, "TCZYX", selection.spacing, selection.field_times, "fields")
        about["Channel"] = {"Name": names}
        tifffile.imwrite(
            folder / "fields.ome.tif", np.stack(pages), ome=True, compression="zlib", metadata=about,
            photometric="minisblack", software=f"Oncarium {__version__}",
        )  # fmt: skip
    tables = [selection.cells(t) for t in selection.times]
    highest = max((int(t["id"].max()) + 1 for t in tables if len(t)), default=0)
    kind = np.uint16 if highest < 1 << 16 else np.uint32
    size = (
        np.array([selection.pixel] * 3) if not result.is_2d else np.array([selection.pixel] * 2 + [selection.size[2]])
    )
    tifffile.imwrite(
        folder / "labels.ome.tif", _planes(selection, tables, kind, shape), ome=True, compression="zlib",
        shape=(len(tables), *shape), dtype=kind, photometric="minisblack", software=f"Oncarium {__version__}",
        metadata=_about(selection, "TZYX", size, selection.times, "labels"),
    )  # fmt: skip
    rows = []
    for time in selection.times:
        table = selection.named(time)
        table.insert(1, "label", table["id"] + 1)
        rows.append(table[["label", "type", "state", "time", "id", "x", "y", "z", "radius"]])
    pd.concat(rows).to_csv(folder / "classes.csv", index=False, lineterminator="\n")


def _shape(selection: Selection) -> tuple[int, int, int]:
    """(z, y, x) pixels of a mask; of a plane one layer."""
    x, y, z = (max(int(np.ceil(length / selection.pixel - 1e-9)), 1) for length in selection.size)
    return (1 if selection.result.is_2d else z), y, x


def _planes(
    selection: Selection, tables: list[pd.DataFrame], kind: Any, shape: tuple[int, ...]
) -> Iterator[np.ndarray]:
    for table in tables:
        yield from mask(selection, table, shape).astype(kind)


def mask(selection: Selection, table: pd.DataFrame, shape: tuple[int, ...]) -> np.ndarray:
    """(z, y, x) id + 1 of the cell that a pixel lies in, else 0; where cells overlap, of the one that it is deeper
    in (squared distance less squared radius: cells are parted by straight lines)."""
    pixel, flat = selection.pixel, selection.result.is_2d
    out, depth = np.zeros(shape, np.int64), np.zeros(shape)
    top = selection.lower[1] + selection.size[1]
    z = np.zeros(len(table)) if flat else (table["z"].to_numpy() - selection.lower[2]) / pixel
    places = np.column_stack(
        [z, (top - table["y"].to_numpy()) / pixel, (table["x"].to_numpy() - selection.lower[0]) / pixel]
    )
    for place, radius, number in zip(places, table["radius"].to_numpy(float) / pixel, table["id"].to_numpy()):
        low = np.maximum(np.floor(place - radius).astype(int), 0)
        high = np.minimum(np.ceil(place + radius).astype(int), shape)
        if flat:
            low[0], high[0], place[0] = 0, 1, 0.5
        if (low >= high).any():
            continue
        box = tuple(slice(a, b) for a, b in zip(low, high))
        axes = np.ogrid[box]
        own = sum((axis + 0.5 - at) ** 2 for axis, at in zip(axes, place)) - radius**2
        deeper = own < depth[box]
        out[box][deeper], depth[box][deeper] = number + 1, own[deeper]
    return out


def _about(selection: Selection, axes: str, size: np.ndarray, times: list[float], name: str) -> dict[str, Any]:
    """What the header of an image says."""
    out: dict[str, Any] = {"axes": axes, "Name": f"{selection.result.title}, {name}", "Creator": "Oncarium"}
    known = uuid.uuid5(uuid.NAMESPACE_URL, f"{selection.result.attrs['model_digest']} {selection.result.seed} {name}")
    out["UUID"] = f"urn:uuid:{known}"
    for axis, length in zip("XYZ", size):
        out |= {f"PhysicalSize{axis}": float(length), f"PhysicalSize{axis}Unit": "µm"}
    steps = np.diff(times)
    if len(steps) and np.ptp(steps) < 1e-9 * steps[0]:
        out |= {"TimeIncrement": float(steps[0]), "TimeIncrementUnit": "min"}
    return out
