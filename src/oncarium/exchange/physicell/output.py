"""Files of an output folder of PhysiCell: which snapshots belong to its run, and the tables that each points to."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as xml

import numpy as np

from ...errors import DataError
from . import mat

LOG = logging.getLogger(__name__)
KEPT = 4  # snapshots in memory
CELLS = "cellular_information/cell_populations/cell_population/custom/simplified_data[@source='PhysiCell']"
MESH = "microenvironment/domain/mesh/"
NEEDED = ("ID", "position", "total_volume", "cell_type")


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


class Output:
    """An output folder. Raises DataError when it holds no snapshot, or a damaged one.

    files, times   the snapshots, and their minutes       labels         name -> Label of the table of cells
    ids            PhysiCell's number of a type -> name   factors        (name, unit)
    grid           origin, spacing (um) and shape         finished       whether the run came to its end
    """

    def __init__(self, path: Path):
        self.path = path
        files = sorted(path.glob("output*.xml")) or [f for f in (path / "initial.xml",) if f.exists()]
        last = path / "final.xml"
        self.finished = last.exists()
        if self.finished:
            files.append(last)
        if not files:
            expected = "expected output00000000.xml, initial.xml or final.xml."
            raise DataError(str(path), "no snapshot lies here;", expected)
        timed = self._of_one_run([(float(_text(f, parse(f), "metadata/current_time")), f) for f in files], last)
        if len(timed) > 2 and timed[-1][1] == last:
            before, step = timed[-2][0] - timed[-3][0], timed[-1][0] - timed[-2][0]
            if step < 0.5 * before:
                timed.pop()  # the last saved state once more, or a step later
        timed.sort(key=lambda found: found[0])
        self.files = [f for _, f in timed]
        self.times = np.array([t for t, _ in timed])
        self._describe(parse(self.files[0]))
        self.table = lru_cache(KEPT)(self._read_table)
        self.field = lru_cache(KEPT)(self._read_field)

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

    def _describe(self, root: xml.Element) -> None:
        """What is the same in all snapshots."""
        file = self.files[0]
        try:
            centers = [_text(file, root, f"{MESH}{a}_coordinates").replace(",", " ").split() for a in "xyz"]
            box = [float(v) for v in _text(file, root, f"{MESH}bounding_box").replace(",", " ").split()]
            data = _cell_data(file, root)
            labels = [
                Label(str(e.text), int(e.get("index", "")), int(e.get("size", "")), e.get("units", ""))
                for e in data.iter("label")
            ]
            self.ids = {int(float(e.get("type", e.get("ID", "0")))): str(e.text) for e in data.iter("type")}
        except (ValueError, IndexError) as error:
            raise DataError(str(file), f"a number in it is none: {error}.") from None
        variables = root.iterfind("microenvironment/domain/variables/variable")
        units = [(e.get("name", ""), e.get("units", "")) for e in variables]
        self.factors = [(name, "1" if unit in ("dimensionless", "") else unit) for name, unit in units]
        self.program = root.findtext("metadata/software/name", "PhysiCell")
        self.version = root.findtext("metadata/software/version", "")
        self.labels = {label.name: label for label in reversed(labels)}  # of two with one name the first counts
        self.height = max((label.start + label.size for label in labels), default=0)
        missing = [n for n in NEEDED if n not in self.labels]
        if missing:
            raise DataError(str(file), f"its table of cells has no {', '.join(missing)}.")
        if len(box) != 6:
            raise DataError(str(file), f"its box has {len(box)} numbers, not 6.")
        shape = [len(c) for c in centers]
        spacing = [(b - a) / n for a, b, n in zip(box[:3], box[3:], shape)]
        self.grid: dict[str, list[Any]] = {"origin": box[:3], "spacing": spacing, "shape": shape[::-1]}
        if not self.ids:  # older files do not name their types
            table = mat.read(file.parent / _text(file, data, "filename"))[1]
            self.ids = {int(k): f"type {int(k)}" for k in np.unique(table[:, self.labels["cell_type"].start])}

    @property
    def seed(self) -> int:
        """Seed of the run, where the folder says it; otherwise 0."""
        file = self.path / "random_seed.txt"
        text = file.read_text(errors="replace").strip() if file.exists() else ""
        return int(text) if text.isdecimal() else 0

    def _read_table(self, k: int) -> np.ndarray:
        """(cell, row) of a snapshot, in the order of ids."""
        file = self.files[k]
        where = _beside(file, _text(file, _cell_data(file, parse(file)), "filename"))
        table = mat.read(where)[1]
        if table.shape[1] < self.height:
            if not table.size:
                return np.empty((0, self.height))
            raise DataError(str(where), f"it has {table.shape[1]} rows; the labels of {file.name} need {self.height}.")
        return table[np.argsort(table[:, self.labels["ID"].start], kind="stable")]

    def _read_field(self, k: int) -> np.ndarray:
        """(factor, z, y, x) of a snapshot."""
        file, shape = self.files[k], self.grid["shape"]
        where = _beside(file, _text(file, parse(file), "microenvironment/domain/data/filename"))
        table = mat.read(where)[1]
        count, rows = int(np.prod(shape)), 4 + len(self.factors)
        if table.shape != (count, rows):
            said = f"it has {table.shape[0]} voxels and {table.shape[1]} rows;"
            raise DataError(str(where), said, f"expected {count} and {rows}.")
        return table[:, 4:].T.reshape(len(self.factors), *shape)

    def graph(self, k: int, name: str) -> dict[int, list[int]]:
        """Id -> ids, from a graph of a snapshot."""
        where = self.files[k].with_name(f"{self.files[k].stem}_{name}.txt")
        try:
            lines = [line.partition(":") for line in where.read_text(encoding="ascii").splitlines() if line.strip()]
            return {int(a): [int(b) for b in rest.split(",") if b.strip()] for a, _, rest in lines}
        except (OSError, ValueError) as error:
            raise DataError(str(where), f"it cannot be read: {error}.") from None


def _text(file: Path, root: xml.Element, place: str) -> str:
    found = root.find(place)
    if found is None or not (found.text or "").strip():
        raise DataError(str(file), f"{place} is missing in it.")
    return str(found.text).strip()


def _cell_data(file: Path, root: xml.Element) -> xml.Element:
    found = root.find(CELLS)
    if found is None:
        raise DataError(str(file), "it has no table of cells (simplified_data).")
    return found


def _beside(file: Path, name: str) -> Path:
    """A file that a snapshot points to: by name only, so none outside the folder is opened."""
    if Path(name).name != name:
        raise DataError(str(file), f"it points to '{name[:80]}', outside its folder.")
    return file.parent / name


class Frames:
    """All fields of a folder as one array (time, factor, z, y, x), read when it is indexed."""

    dtype = np.dtype(float)

    def __init__(self, output: Output):
        self.output = output

    @property
    def shape(self) -> tuple[int, ...]:
        """(time, factor, z, y, x)."""
        s = self.output
        return (len(s.files), len(s.factors), *s.grid["shape"])

    @property
    def oindex(self) -> Frames:
        """Itself: it is indexed axis by axis anyway."""
        return self

    def __getitem__(self, key: Sequence[Any]) -> np.ndarray:
        time, factor, *space = key
        chosen = np.arange(len(self.output.files))[time]
        out = (
            np.stack([self.output.field(int(k))[factor] for k in np.atleast_1d(chosen)])
            if np.size(chosen)
            else np.empty((0, *self.shape[2:]))
        )
        for axis in (3, 2, 1):
            out = out[(slice(None),) * axis + (space[axis - 1],)]
        return out if np.ndim(chosen) else out[0]
