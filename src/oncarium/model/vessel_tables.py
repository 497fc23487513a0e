"""Networks of vessels as tables: nodes.csv and segments.csv, and the tables that may lie beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from ..errors import ModelError, Problem, nearest
from .named_columns import ABOVE_ZERO, ANY, SHARE, Bounds, Faults, NamedColumns, read_columns

INNER, PRESSURE, FLOW, UNKNOWN = 0, 1, 2, 3
BOUNDARIES = {"": INNER, "pressure_mmHg": PRESSURE, "flow_nl_min": FLOW, "unknown": UNKNOWN}
NARROWEST = 1.1  # um: the width of a red cell's two membranes; nothing but plasma passes
ROUNDED = 0.01  # share by which a length may be below the distance of its ends: coordinates are rounded
SLIP = 0.4  # of the distance: what is shorter is no sketch of a vessel but another unit
Box = Sequence[tuple[float, float]]  # lower and upper end of x, y, z, um


@dataclass
class VesselTables:
    """A network as its author gave it, rows in the order of the files.

    nodes      names                                  segments    names
    position   (node, xyz) um                         ends        (segment, 2) rows of nodes
    boundary   (node) INNER, PRESSURE, FLOW, UNKNOWN  diameter    (segment) um
    value      (node) mmHg, or nl/min into it         length      (segment) um, along the vessel
    hd         (node) discharge haematocrit; nan      flow        (segment) nl/min from its first end on; nan
    oxygen     (node) mmHg of the blood there; nan    segment_hd  (segment) discharge haematocrit; nan
    notices    what is odd, and no reason to refuse it
    """

    nodes: list[str]
    position: np.ndarray
    boundary: np.ndarray
    value: np.ndarray
    hd: np.ndarray
    oxygen: np.ndarray
    segments: list[str]
    ends: np.ndarray
    diameter: np.ndarray
    length: np.ndarray
    flow: np.ndarray
    segment_hd: np.ndarray
    notices: list[Problem] = field(default_factory=list)

    @property
    def content(self) -> bytes:
        """What it says, names and notices apart: the same for the same vessels."""
        arrays = (getattr(self, f.name) for f in fields(self))
        return b"".join(np.ascontiguousarray(a).tobytes() for a in arrays if isinstance(a, np.ndarray))


def read_network(
    folder: Path, box: Box | None = None, nodes: str = "nodes.csv", segments: str = "segments.csv"
) -> VesselTables:
    """Read nodes.csv and segments.csv of a folder.

    box   x, y and z (or x and y alone) that every node must lie in, um     nodes, segments   names of the tables

    Raises ModelError with all problems of both files at once, one message for each kind.

    >>> head, ends = "id,x_um,y_um,z_um,boundary,value", ["a,0,0,0,pressure_mmHg,40", "b,100,0,0,pressure_mmHg,10"]
    >>> _ = Path("nodes.csv").write_text("\\n".join([head, *ends]))
    >>> _ = Path("segments.csv").write_text("id,a,b,diameter_um,length_um\\ns1,a,b,12,100\\n")
    >>> network = read_network(Path("."))
    >>> network.nodes, network.ends.tolist(), network.value.tolist()
    (['a', 'b'], [[0, 1]], [40.0, 10.0])
    """
    problems: list[Problem] = []
    read: list[NamedColumns | None] = []
    place = {"x_um": ANY, "y_um": ANY, "z_um": ANY}
    blood = {"value": ANY, "hd": SHARE, "po2_mmHg": Bounds("a tension of at least 0 mmHg", 0.0)}
    size = {"diameter_um": ABOVE_ZERO, "length_um": ABOVE_ZERO}
    for name, arguments in (
        (nodes, ("node", ["id"], place, blood, ["type", "boundary"])),
        (segments, ("segment", ["id", "a", "b"], size, {"flow_nl_min": ANY, "hd": SHARE})),
    ):  # fmt: skip
        try:
            read.append(read_columns(folder / name, *arguments))  # type: ignore[arg-type]
        except ModelError as error:
            problems += error.problems
            read.append(None)
    points, tubes = read
    if points is None or tubes is None:
        raise ModelError(problems + [p for t in read if t for p in t.faults.problems() if p.severity == "error"])
    boundary = _boundaries(points)
    row = _names(points, "node")
    _names(tubes, "segment")
    ends = _ends(tubes, row)
    position = np.column_stack([points.numbers[k] for k in place]) if points.line else np.zeros((0, 3))
    _sizes(tubes, ends, position)
    _unjoined(points, ends, len(position))
    if box is not None:
        _outside(points, position, box)
    problems += points.faults.problems() + tubes.faults.problems()
    if any(p.severity == "error" for p in problems):
        raise ModelError([p for p in problems if p.severity == "error"])
    return VesselTables(
        points.texts["id"], position, boundary, points.numbers["value"], points.numbers["hd"],
        points.numbers["po2_mmHg"], tubes.texts["id"], ends, tubes.numbers["diameter_um"],
        tubes.numbers["length_um"], tubes.numbers["flow_nl_min"], tubes.numbers["hd"], problems,
    )  # fmt: skip


def _names(table: NamedColumns, what: str) -> dict[str, int]:
    """Row of each name; names that are empty or stand twice are faults."""
    row: dict[str, int] = {}
    for k, name in enumerate(table.texts["id"]):
        if not name:
            table.faults.add("nameless", table.line[k], "id", f"a {what} has no id.")
        elif name in row:
            table.faults.add(
                "duplicate", table.line[k], "id",
                f"the id '{name[:40]}' is a duplicate: line {table.line[row[name]]} has it already.",
                remedy=f"Give every {what} its own.",
            )  # fmt: skip
        else:
            row[name] = k
    return row


def _boundaries(table: NamedColumns) -> np.ndarray:
    kinds = np.zeros(len(table.line), np.int8)
    for k, (word, value) in enumerate(zip(table.texts["boundary"], table.numbers["value"])):
        label, line = table.texts["id"][k][:40], table.line[k]
        if word not in BOUNDARIES:
            near = nearest(word, [b for b in BOUNDARIES if b])
            table.faults.add(
                "boundary word", line, "boundary", f"the boundary of node {label} is '{word[:40]}';",
                "expected pressure_mmHg, flow_nl_min, unknown, or nothing.",
                f"Did you mean '{near[0]}'?" if near else "",
            )  # fmt: skip
        else:
            kinds[k] = BOUNDARIES[word]
            if (
                kinds[k] in (PRESSURE, FLOW)
                and math.isnan(value)
                and not any("value" in kind for kind in table.faults.kinds)
            ):
                table.faults.add("no value", line, "value", f"node {label} has a boundary, {word}, and no value.")
    return kinds


def _ends(table: NamedColumns, row: Mapping[str, int]) -> np.ndarray:
    ends = np.full((len(table.line), 2), -1)
    for k, line in enumerate(table.line):
        label = table.texts["id"][k][:40]
        for side, column in enumerate("ab"):
            name = table.texts[column][k]
            ends[k, side] = row.get(name, -1)
            if name not in row:
                near = nearest(name, row)
                table.faults.add(
                    "unknown node", line, column,
                    f"segment {label} ends at the node '{name[:40]}', which is not there.",
                    remedy=f"Did you mean '{near[0]}'?" if near else "",
                )  # fmt: skip
        if ends[k, 0] == ends[k, 1] >= 0:
            table.faults.add(
                "loop", line, "b", f"segment {label} leads from node {table.texts['a'][k][:40]} to itself.",
                remedy="Split it by a node, or remove it.",
            )  # fmt: skip
    return ends


def _sizes(table: NamedColumns, ends: np.ndarray, position: np.ndarray) -> None:
    """Lengths that cannot be, widths that let nothing pass."""
    joined = (ends >= 0).all(axis=1) & (ends[:, 0] != ends[:, 1])
    length, width = table.numbers["length_um"], table.numbers["diameter_um"]
    apart = np.full(len(ends), np.nan)
    apart[joined] = np.linalg.norm(position[ends[joined, 1]] - position[ends[joined, 0]], axis=1)
    for k in np.flatnonzero(length < apart * (1.0 - ROUNDED) - 0.1):
        said = (
            f"the length of segment {table.texts['id'][k][:40]} is {length[k]:g} um, but its ends are {apart[k]:g} um"
        )
        if length[k] < SLIP * apart[k]:
            known = "a vessel is at least as long as that."
            table.faults.add("unit slip", table.line[k], "length_um", f"{said} apart;", known, "Look at the units.")
        else:
            said = f"{said} apart: the length of the table counts."
            table.faults.add("short length", table.line[k], "length_um", said, severity="notice")
    for k in np.flatnonzero(apart == 0.0):
        table.faults.add(
            "same place", table.line[k], "", f"both ends of segment {table.texts['id'][k][:40]} lie at the same place;"
            f" the length of the table counts, {length[k]:g} um.", severity="notice",
        )  # fmt: skip
    for k in np.flatnonzero(width <= NARROWEST):
        table.faults.add(
            "narrow", table.line[k], "diameter_um",
            f"the diameter of segment {table.texts['id'][k][:40]} is {width[k]:g} um; the laws of viscosity hold above "
            f"{NARROWEST} um, where nothing but plasma passes.", "Expected a diameter in um.",
            "Look at the units, or remove it.",
        )  # fmt: skip


def _unjoined(table: NamedColumns, ends: np.ndarray, count: int) -> None:
    for k in np.flatnonzero(np.bincount(ends[ends >= 0], minlength=count) == 0) if not table.faults.kinds else ():
        table.faults.add(
            "unused", table.line[k], "", f"no segment ends at node {table.texts['id'][k][:40]}; it is left as it is.",
            severity="notice",
        )  # fmt: skip


def _outside(table: NamedColumns, position: np.ndarray, box: Box) -> None:
    low, high = (np.array([end[side] for end in box], float) for side in (0, 1))
    with np.errstate(invalid="ignore"):
        beyond = ((position[:, : len(box)] < low) | (position[:, : len(box)] > high)).any(axis=1)
    for k in np.flatnonzero(beyond):
        at = ", ".join(f"{v:g}" for v in position[k])
        table.faults.add(
            "outside", table.line[k], "", f"node {table.texts['id'][k][:40]} at ({at}) um lies outside the domain;",
            "expected " + ", ".join(f"{axis} {a:g} to {b:g}" for axis, (a, b) in zip("xyz", box)) + " um.",
        )  # fmt: skip


def read_points(path: Path) -> np.ndarray:
    """(point, xyz) um of a table x_um, y_um, z_um. Raises ModelError.

    >>> _ = Path("tissue_points.csv").write_text("x_um,y_um,z_um\\n1,2,3\\n")
    >>> read_points(Path("tissue_points.csv")).tolist()
    [[1.0, 2.0, 3.0]]
    """
    table = read_columns(path, "point", [], {"x_um": ANY, "y_um": ANY, "z_um": ANY})
    _refuse(table.faults)
    return np.column_stack([table.numbers[k] for k in ("x_um", "y_um", "z_um")])


def read_wall_resistance(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Diameters (um, rising) and resistances to oxygen (mmHg um s/um3) of a table. Raises ModelError.

    >>> _ = Path("wall.csv").write_text("diameter_um,resistance_mmHg_um_s_per_um3\\n8,1.44\\n5,2\\n")
    >>> [v.tolist() for v in read_wall_resistance(Path("wall.csv"))]
    [[5.0, 8.0], [2.0, 1.44]]
    """
    size, value = "diameter_um", "resistance_mmHg_um_s_per_um3"
    table = read_columns(path, "diameter", [], {size: ABOVE_ZERO, value: Bounds("at least 0", 0.0)})
    diameter = table.numbers[size]
    if len(np.unique(diameter)) < len(diameter) and not table.faults.kinds:
        table.faults.add("twice", 0, size, "a diameter stands twice.", remedy="Keep one row for each.")
    _refuse(table.faults)
    order = np.argsort(diameter)
    return diameter[order], table.numbers[value][order]


def _refuse(faults: Faults) -> None:
    wrong = [p for p in faults.problems() if p.severity == "error"]
    if wrong:
        raise ModelError(wrong)
