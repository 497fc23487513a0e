"""VTK's XML files for ParaView: cells as points with their radius, fields as images, vessels as lines, and a
collection of each over time."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as xml

import numpy as np

from ..run.colors import color_of
from .selection import Selection

KINDS = {"f4": "Float32", "f8": "Float64", "i4": "Int32", "i8": "Int64", "u1": "UInt8"}


def write(selection: Selection, folder: Path) -> None:
    """cells.pvd over cells/*.vtp, fields.pvd over fields/*.vti, vessels.pvd over vessels/*.vtp, and types.csv: number
    -> name and color of a type."""
    result = selection.result
    (folder / "cells").mkdir()
    names = []
    for k, time in enumerate(selection.times):
        names.append((time, f"cells/cells_{k:04d}.vtp"))
        _cells(selection, time, folder / names[-1][1])
    _collection(folder / "cells.pvd", names)
    if len(result.fields) and selection.field_frames:
        (folder / "fields").mkdir()
        names = [(t, f"fields/fields_{k:04d}.vti") for k, t in enumerate(selection.field_times)]
        for frame, (_, name) in zip(selection.field_frames, names):
            _fields(selection, frame, folder / name)
        _collection(folder / "fields.pvd", names)
    if selection.has_vessels:
        (folder / "vessels").mkdir()
        names = [(t, f"vessels/vessels_{k:04d}.vtp") for k, t in enumerate(selection.times)]
        for time, name in names:
            _vessels(selection, time, folder / name)
        _collection(folder / "vessels.pvd", names)
    rows = "".join(f"{k},{name},{color_of(result, name)}\n" for k, name in enumerate(result.types))
    (folder / "types.csv").write_text("type,name,color\n" + rows, encoding="utf-8")


def _cells(selection: Selection, time: float, path: Path) -> None:
    table = selection.cells(time)
    root, piece = _file("PolyData", {}, {"NumberOfPoints": len(table), "NumberOfVerts": len(table)})
    data = xml.SubElement(piece, "PointData", Scalars="type")
    numbers = {
        "type": table["type"].cat.codes.to_numpy(np.int32),
        **{name: table[name].to_numpy() for name in ("id", "vital", "radius")},
        **selection.measured(table),
    }
    for name, values in numbers.items():
        unit = "" if name in ("type", "id", "vital") else selection.unit(name)
        _array(data, f"{name} ({unit})" if unit not in ("", "1", "um") else name, values)
    _array(xml.SubElement(piece, "Points"), "Points", table[["x", "y", "z"]].to_numpy(float))
    verts = xml.SubElement(piece, "Verts")
    _array(verts, "connectivity", np.arange(len(table)))
    _array(verts, "offsets", np.arange(1, len(table) + 1))
    _save(root, path)


def _vessels(selection: Selection, time: float, path: Path) -> None:
    """Segments as lines between the nodes, with all that is known of both."""
    nodes, segments = selection.nodes(time), selection.segments(time)
    root, piece = _file("PolyData", {}, {"NumberOfPoints": len(nodes), "NumberOfLines": len(segments)})
    for parent, table, left in (("PointData", nodes, "time x y z"), ("CellData", segments, "time a b")):
        data = xml.SubElement(piece, parent)
        for name in (c for c in table if c not in left.split()):
            unit, values = table.attrs["units"][name], table[name].to_numpy()
            values = values.astype(np.int32) if values.dtype.itemsize < 4 else values
            _array(data, f"{name} ({unit})" if unit not in ("", "1", "um") else name, values)
    _array(xml.SubElement(piece, "Points"), "Points", nodes[["x", "y", "z"]].to_numpy(float))
    lines = xml.SubElement(piece, "Lines")
    rows = np.searchsorted(nodes["id"].to_numpy(), segments[["a", "b"]].to_numpy())
    _array(lines, "connectivity", rows.ravel().astype(np.int64))
    _array(lines, "offsets", 2 * np.arange(1, len(segments) + 1))
    _save(root, path)


def _fields(selection: Selection, frame: int, path: Path) -> None:
    nz, ny, nx = selection.result.attrs["grid"]["shape"]
    extent = f"0 {nx} 0 {ny} 0 {nz}"
    box = {"WholeExtent": extent, "Origin": _said(selection.lower), "Spacing": _said(selection.spacing)}
    root, piece = _file("ImageData", box, {"Extent": extent})
    factors = selection.result.fields.units
    data = xml.SubElement(piece, "CellData", Scalars=f"{next(iter(factors))} ({next(iter(factors.values()))})")
    for (name, unit), values in zip(factors.items(), selection.concentration(frame)):
        _array(data, f"{name} ({unit})", values.ravel())
    _save(root, path)


def _file(kind: str, box: Mapping[str, str], counts: Mapping[str, object]) -> tuple[xml.Element, xml.Element]:
    root = xml.Element("VTKFile", type=kind, version="1.0", byte_order="LittleEndian", header_type="UInt64")
    grid = xml.SubElement(root, kind, dict(box))
    return root, xml.SubElement(grid, "Piece", {name: str(value) for name, value in counts.items()})


def _array(parent: xml.Element, name: str, values: np.ndarray) -> None:
    """One array: its length in bytes, then its bytes, in base 64."""
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    about = {"type": KINDS[values.dtype.str[1:]], "Name": name, "format": "binary"}
    if values.ndim > 1:
        about["NumberOfComponents"] = str(values.shape[1])
    array = xml.SubElement(parent, "DataArray", about)
    array.text = base64.b64encode(np.uint64(little.nbytes).tobytes() + little.tobytes()).decode()


def _collection(path: Path, files: list[tuple[float, str]]) -> None:
    """Files by time, min."""
    root = xml.Element("VTKFile", type="Collection", version="0.1", byte_order="LittleEndian")
    parent = xml.SubElement(root, "Collection")
    for time, name in files:
        xml.SubElement(parent, "DataSet", timestep=f"{time:.10g}", group="", part="0", file=name)
    _save(root, path)


def _save(root: xml.Element, path: Path) -> None:
    xml.indent(root)
    xml.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _said(numbers: np.ndarray) -> str:
    return " ".join(f"{v:.17g}" for v in numbers)
