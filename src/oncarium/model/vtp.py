"""Networks of vessels as VTK PolyData in XML (.vtp): lines between points, a radius or a diameter of each."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from ..errors import ModelError, Problem
from .files import read_bytes
from .rows import LARGEST_TABLE
from .vessel_ends import blunt_ends
from .vessel_tables import INNER, NARROWEST, VesselTables

TYPES = {
    "Float32": "f4", "Float64": "f8", "Int8": "i1", "UInt8": "u1", "Int16": "i2", "UInt16": "u2", "Int32": "i4",
    "UInt32": "u4", "Int64": "i8", "UInt64": "u8",
}  # fmt: skip
WIDTHS = {"radius": 2.0, "diameter": 1.0}  # name of the array -> diameter in it
APPENDED = re.compile(rb"<AppendedData[^>]*encoding\s*=\s*[\"'](\w+)[\"'][^>]*>\s*_", re.IGNORECASE)
OTHER = 'Save it as ASCII or base64, or read it with another program:  pip install "oncarium[three-d]"  (pyvista).'


def _refuse(name: str, message: str, expected: str = "", remedy: str = "") -> NoReturn:
    raise ModelError(Problem(name, "", message, expected, remedy))


def read_vtp(
    path: Path, merge: float = 1e-3, least: float = 4.0, inlet: float | None = None, outlet: float | None = None
) -> VesselTables:
    """A network of straight pieces between the points of all lines; points closer than `merge` um are one node.

    least           um: narrower pieces count as that wide, with a notice (images have widths down to nothing)
    inlet, outlet   mmHg at the blunt ends: falling with x from one to the other; left out: they stay inner nodes

    Such files know no ends, so that flow needs pressures or flows of its own. Raises ModelError.

    >>> _ = Path("v.vtp").write_text('''<VTKFile type="PolyData"><PolyData><Piece>
    ... <PointData><DataArray type="Float32" Name="Radius" format="ascii">5 5 4</DataArray></PointData>
    ... <Points><DataArray type="Float32" format="ascii">0 0 0  10 0 0  10 20 0</DataArray></Points>
    ... <Lines><DataArray type="Int32" Name="connectivity" format="ascii">0 1 2</DataArray>
    ... <DataArray type="Int32" Name="offsets" format="ascii">3</DataArray></Lines></Piece></PolyData></VTKFile>''')
    >>> network = read_vtp(Path("v.vtp"))
    >>> network.ends.tolist(), network.diameter.tolist(), network.length.tolist()
    ([[0, 1], [1, 2]], [10.0, 9.0], [10.0, 20.0])
    """
    name = path.name
    root, blob = _open(read_bytes(path, LARGEST_TABLE), name)
    pieces = root.findall(".//Piece")
    if root.tag != "VTKFile" or root.get("type") != "PolyData" or not pieces:
        _refuse(name, f"it is {root.get('type') or root.tag}, no PolyData.", "Expected lines in a .vtp file.")
    places, widths, pairs, line, start = [], [], [], [], 0
    for piece in pieces:
        read = _Arrays(root, blob, name)
        points = read.array(piece.find("Points/DataArray"), "the points").astype(float)
        if points.size % 3 or not np.isfinite(points).all():
            _refuse(name, "the points are no triples of finite numbers.")
        points = points.reshape(-1, 3)
        along, of = read.lines(piece, len(points))
        widths.append(read.widths(piece, len(points), along, of))
        places.append(points)
        pairs.append(along + start)
        line.append(of)
        start += len(points)
    place, ends = np.concatenate(places), np.concatenate(pairs)
    if not len(ends):
        _refuse(name, "there are no lines in it.", "Expected the vessels as lines between points.")
    return _network(name, place, ends, np.concatenate(widths), merge, least, inlet, outlet)


def _network(
    name: str, place: np.ndarray, ends: np.ndarray, width: np.ndarray, merge: float, least: float, inlet: float | None,
    outlet: float | None,
) -> VesselTables:  # fmt: skip
    key = np.round(place / merge).astype(np.int64)
    _, first, node = np.unique(key, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    node = rank[node.ravel()]
    position, ends = place[first[order]], node[ends]
    notices = []

    def tell(count: int, said: str) -> None:
        if count:
            notices.append(Problem(name, "", f"{count} {said}", severity="notice"))

    keep = ends[:, 0] != ends[:, 1]
    tell(int((~keep).sum()), "pieces have no length; they are left out.")
    ends, width = ends[keep], width[keep]
    _, once = np.unique(np.sort(ends, axis=1), axis=0, return_index=True)
    tell(len(ends) - len(once), "pieces join two nodes that another piece joins; they are parallel vessels.")
    wide = width > NARROWEST
    if not wide.any():
        _refuse(name, f"no vessel is wider than {NARROWEST} um.", "Expected the radius in um.", "Look at the units.")
    tell(int((~(width >= least)).sum()), f"pieces are narrower than {least:g} um; they count as that wide.")
    width = np.maximum(np.nan_to_num(width), least)
    length = np.linalg.norm(position[ends[:, 1]] - position[ends[:, 0]], axis=1)
    used = np.unique(ends)
    tell(len(position) - len(used), "points belong to no line; they are left out.")
    ends = np.searchsorted(used, ends)
    position = position[used]
    count = len(position)
    boundary, value = np.full(count, INNER, np.int8), np.full(count, np.nan)
    if inlet is not None and outlet is not None:
        boundary, value = blunt_ends(position, ends, inlet, outlet)
    nothing, none = np.full(count, np.nan), np.full(len(ends), np.nan)
    return VesselTables(
        [f"n{k}" for k in range(count)], position, boundary, value, nothing, nothing.copy(),
        [f"s{k}" for k in range(len(ends))], ends, width, length, none, none.copy(), notices,
    )  # fmt: skip


def _open(data: bytes, name: str) -> tuple[Any, bytes]:
    """The tree of a file, and the bytes appended to it, decoded if they are base64."""
    from lxml import etree

    found = APPENDED.search(data)
    blob = b""
    if found:  # raw bytes are no XML
        stop = data.rfind(b"</AppendedData>")
        blob, data = data[found.end() : stop], data[: found.end()] + data[stop:]
        if found[1].lower() == b"base64":
            blob = b"base64" + re.sub(rb"\s", b"", blob)
        elif found[1].lower() != b"raw":
            _refuse(name, f"its data are appended as {found[1].decode()};", "expected raw or base64.", OTHER)
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)), blob
    except etree.XMLSyntaxError as error:
        _refuse(name, f"it is no XML: {error.msg}.", "Expected VTK PolyData in XML.")


class _Arrays:
    """Arrays of one piece, in whichever of VTK's encodings they are."""

    def __init__(self, root: Any, blob: bytes, name: str):
        self.order = ">" if root.get("byte_order") == "BigEndian" else "<"
        self.header = np.dtype(self.order + TYPES.get(root.get("header_type") or "UInt32", "u4"))
        compressor = root.get("compressor") or ""
        if compressor not in ("", "vtkZLibDataCompressor"):
            _refuse(name, f"its data are compressed by {compressor};", "expected none or zlib.", OTHER)
        self.packed, self.blob, self.name = bool(compressor), blob, name

    def array(self, element: Any, what: str) -> np.ndarray:
        """Numbers of a DataArray."""
        if element is None:
            _refuse(self.name, f"{what} are missing.", "Expected VTK PolyData with points and lines.")
        kind, form = element.get("type"), (element.get("format") or "ascii").lower()
        if kind not in TYPES or form not in ("ascii", "binary", "appended"):
            _refuse(self.name, f"{what} are {kind} in the format {form}, which is not known.", "", OTHER)
        dtype = np.dtype(self.order + TYPES[kind])
        try:
            if form == "ascii":
                return np.array((element.text or "").split(), float).astype(dtype)
            if form == "binary":
                return np.frombuffer(self._decoded(re.sub(r"\s", "", element.text or "").encode()), dtype)
            if self.blob[:6] == b"base64":
                return np.frombuffer(self._decoded(self.blob[6 + int(element.get("offset")) :]), dtype)
            return np.frombuffer(self._unpacked(self.blob[int(element.get("offset")) :])[0], dtype)
        except (ValueError, TypeError, IndexError, binascii.Error, zlib.error) as error:
            _refuse(self.name, f"{what} cannot be decoded: {str(error)[:100]}.", "", OTHER)

    def _decoded(self, text: bytes) -> bytes:
        """Base64 with VTK's header; a compressed block has its header encoded apart."""
        if not self.packed:
            size = self.header.itemsize
            count = int(np.frombuffer(base64.b64decode(text[: 4 * -(-size // 3)])[:size], self.header)[0])
            return base64.b64decode(text[: 4 * -(-(size + count) // 3)])[size : size + count]
        blocks = int(np.frombuffer(base64.b64decode(text[:16])[: self.header.itemsize], self.header)[0])
        head = 4 * -(-self.header.itemsize * (3 + blocks) // 3)
        sizes = np.frombuffer(base64.b64decode(text[:head])[: self.header.itemsize * (3 + blocks)], self.header)
        body = text[head : head + 4 * -(-int(sizes[3:].sum()) // 3)]
        return self._unpacked(sizes.tobytes() + base64.b64decode(body))[0]

    def _unpacked(self, data: bytes) -> tuple[bytes, int]:
        """Bytes of a block with its header, and how many it took."""
        size = self.header.itemsize
        if not self.packed:
            count = int(np.frombuffer(data[:size], self.header)[0])
            if len(data) < size + count:
                raise ValueError("it ends too early")
            return data[size : size + count], size + count
        blocks = int(np.frombuffer(data[:size], self.header)[0])
        sizes = np.frombuffer(data[: size * (3 + blocks)], self.header)[3:]
        at, out = size * (3 + blocks), []
        for one in sizes:
            out.append(zlib.decompress(data[at : at + int(one)]))
            at += int(one)
        return b"".join(out), at

    def lines(self, piece: Any, points: int) -> tuple[np.ndarray, np.ndarray]:
        """(piece of a line, 2) points, and which line it is of."""
        found = {e.get("Name"): e for e in piece.findall("Lines/DataArray")}
        if not found:
            return np.zeros((0, 2), np.int64), np.zeros(0, np.int64)
        way = self.array(found.get("connectivity"), "the points of the lines").astype(np.int64)
        stop = self.array(found.get("offsets"), "the ends of the lines").astype(np.int64)
        if (len(way) and (way.min() < 0 or way.max() >= points)) or (len(stop) and stop.max() > len(way)):
            _refuse(self.name, "a line goes through a point that is not there.")
        of = np.searchsorted(stop, np.arange(len(way)), side="right")
        same = of[1:] == of[:-1]
        return np.column_stack([way[:-1], way[1:]])[same], of[:-1][same]

    def widths(self, piece: Any, points: int, along: np.ndarray, of: np.ndarray) -> np.ndarray:
        """(piece of a line) diameter, the mean of its ends where points have one."""
        for where in ("PointData", "CellData"):
            for element in piece.findall(f"{where}/DataArray"):
                words = re.split(r"[^a-z]+", (element.get("Name") or "").lower())
                factor = next((f for word, f in WIDTHS.items() if word in words), 0.0)
                if factor:
                    values = factor * self.array(element, f"the {element.get('Name')}").astype(float)
                    if len(values) < (points if where == "PointData" else int(of.max(initial=-1)) + 1):
                        _refuse(self.name, f"{element.get('Name')} has {len(values)} values, too few.")
                    if where == "CellData":
                        return values[of]
                    # a point of no width, or none, says nothing
                    pair = np.where(np.isfinite(values[along]) & (values[along] > 0.0), values[along], np.nan)
                    known = np.isfinite(pair)
                    return np.where(
                        known.any(axis=1), np.nansum(pair, axis=1) / np.maximum(known.sum(axis=1), 1), np.nan
                    )
        _refuse(self.name, "no vessel has a width.", "Expected an array Radius or Diameter of points or lines, in um.")
