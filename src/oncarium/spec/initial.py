"""Who is where at the start: regions filled at random or by packing, and tables."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import ModelError, Problem, did_you_mean
from .environment import Domain
from .files import decode, read_bytes
from .reader import Reader

REGIONS = ("disc", "ring", "ball", "shell", "box", "everywhere")
LARGEST_TABLE = 2_000_000_000  # bytes


@dataclass(frozen=True)
class Region:
    """disc and ball: center, outer; ring and shell: center, inner, outer; box: low and high corner; all um."""

    kind: str
    center: tuple[float, float, float] = (0.0, 0.0, 0.0)
    inner: float = 0.0
    outer: float = math.inf
    low: tuple[float, float, float] = (-math.inf,) * 3
    high: tuple[float, float, float] = (math.inf,) * 3

    def bounds(self, domain: Domain) -> tuple[list[float], list[float]]:
        """Lower and upper corner of the region within the domain."""
        low, high = list(domain.lower), list(domain.upper)
        for a in range(3):
            if a < 2 or self.kind in ("ball", "shell", "box"):
                low[a] = max(low[a], self.low[a], self.center[a] - self.outer)
                high[a] = min(high[a], self.high[a], self.center[a] + self.outer)
        return low, high

    def volume(self, domain: Domain) -> float:
        """um^2 in a 2-D domain, um^3 in a 3-D one, ignoring what the domain cuts off a disc or ball."""
        low, high = self.bounds(domain)
        if self.kind in ("disc", "ring"):
            area = math.pi * (self.outer**2 - self.inner**2)
            return area if domain.is_2d else area * (domain.upper[2] - domain.lower[2])
        if self.kind in ("ball", "shell"):
            if domain.is_2d:
                return math.pi * (self.outer**2 - self.inner**2)
            return 4.0 / 3.0 * math.pi * (self.outer**3 - self.inner**3)
        sides = [b - a for a, b in zip(low, high)]
        return sides[0] * sides[1] * (1.0 if domain.is_2d else sides[2])


@dataclass(frozen=True)
class Placement:
    """Cells of one type: `count` at random in a region, or packed hexagonally with a spacing (um), or rows of a table.

    rows   (type, x, y, z) of a table
    """

    type: str
    region: Region | None = None
    count: int | None = None
    spacing: float | None = None
    table: str = ""
    rows: tuple[tuple[str, float, float, float], ...] = ()


def read_region(reader: Reader, tree: dict[str, Any], path: str) -> Region | None:
    """The one region a group names."""
    given = [k for k in tree if k in REGIONS]
    if len(given) != 1:
        reader.complain(path, f"{len(given)} regions;", f"expected exactly one of {', '.join(REGIONS)}.")
        return None
    kind = given[0]
    where, value = f"{path}.{kind}", tree[kind]
    if kind == "everywhere":
        return Region("everywhere")
    if kind == "box":
        value = reader.group(value, where, ("x", "y", "z"))
        spans = {a: reader.interval(value[a], f"{where}.{a}") for a in value}
        if any(s is None for s in spans.values()):
            return None
        low = tuple((spans.get(a) or (-math.inf, 0.0))[0] for a in "xyz")
        high = tuple((spans.get(a) or (0.0, math.inf))[1] for a in "xyz")
        return Region("box", low=low, high=high)  # type: ignore[arg-type]
    hollow = kind in ("ring", "shell")
    keys = ("center", "inner", "outer") if hollow else ("center", "radius")
    value = reader.group(value, where, keys)
    center = reader.point(value["center"], f"{where}.center") if "center" in value else (0.0, 0.0, 0.0)
    outer = reader.quantity(value.get(keys[-1]), f"{where}.{keys[-1]}", "um", gt=0.0)
    inner = reader.quantity(value.get("inner"), f"{where}.inner", "um", ge=0.0) if hollow else 0.0
    if center is None or outer is None or inner is None:
        return None
    if inner >= outer:
        reader.complain(where, f"the inner radius {inner:g} um is not below the outer radius {outer:g} um.")
        return None
    return Region(kind, center, inner, outer)


def read_placement(
    reader: Reader, tree: Any, path: str, types: Sequence[str], domain: Domain, radius: dict[str, float], folder: Path | None
) -> Placement | None:
    """One entry of `initial`; folder None: tables are not opened."""
    tree = reader.group(tree, path, ("cells", *REGIONS, "count", "packing", "spacing", "table", "clip"))
    if "table" in tree:
        return _table(reader, tree, path, types, domain, folder)
    kind = reader.word(tree.get("cells"), f"{path}.cells", types, "cell type")
    region = read_region(reader, tree, path)
    if kind is None or region is None:
        return None
    if ("count" in tree) == ("packing" in tree):
        reader.complain(path, "either count (at random) or packing (hexagonal) must be given.")
        return None
    if "count" in tree:
        count = reader.whole(tree["count"], f"{path}.count", 0, 10**8)
        return None if count is None else Placement(kind, region, count=count)
    if tree["packing"] != "hexagonal":
        reader.word(tree["packing"], f"{path}.packing", ("hexagonal",), "packing")
        return None
    # close-packed neighbors rest at about 1.9 radii (two-body equilibrium of the standard adhesion and repulsion)
    spacing = reader.quantity(tree["spacing"], f"{path}.spacing", "um", gt=0.0) if "spacing" in tree else 1.9 * radius[kind]
    return None if spacing is None else Placement(kind, region, spacing=spacing)


def _table(reader: Reader, tree: dict[str, Any], path: str, types: Sequence[str], domain: Domain, folder: Path | None) -> Placement | None:
    name = str(tree["table"])
    kind = reader.word(tree["cells"], f"{path}.cells", types, "cell type") if "cells" in tree else ""
    clip = reader.truth(tree.get("clip", False), f"{path}.clip")
    if kind is None:
        return None
    if folder is None:
        return Placement(kind, table=name)
    try:
        text = decode(read_bytes(folder / name, LARGEST_TABLE), name)
        rows, problems = read_table(text, name, types, domain, kind, clip)
    except ModelError as error:
        reader.problems += error.problems
        return None
    reader.problems += problems
    return Placement(kind, table=name, rows=tuple(rows))


def read_table(
    text: str, name: str, types: Sequence[str], domain: Domain, kind: str = "", clip: bool = False
) -> tuple[list[tuple[str, float, float, float]], list[Problem]]:
    """Rows (type, x, y, z) of a CSV with a header x, y (, z, type), coordinates in um; and what is wrong with it."""
    problems: list[Problem] = []

    def complain(line: int, message: str, expected: str = "", remedy: str = "", severity: str = "error") -> None:
        if len(problems) < 20:
            problems.append(Problem(f"{name}:{line}", "", message, expected, remedy, severity))

    reader = csv.reader(io.StringIO(text))
    head = [h.strip().lower() for h in next(reader, [])]
    if len(head) == 1 and ";" in head[0]:
        complain(1, "the columns are separated by semicolons.", "Expected commas.")
        return [], problems
    if not head:
        complain(1, "0 cells: the table is empty.", severity="notice")
        return [], problems
    unknown = [h for h in head if h not in ("x", "y", "z", "type")]
    if unknown or not {"x", "y"} <= set(head) or ("type" not in head and not kind):
        complain(
            1,
            f"the header is '{','.join(head)[:80]}';",
            "expected x, y, z, type (z may be left out; type, too, where the model says cells).",
        )
        return [], problems
    rows: list[tuple[str, float, float, float]] = []
    outside = 0
    first_outside = 0
    for row in reader:
        line = reader.line_num
        if not row or not any(f.strip() for f in row):
            continue
        if len(row) != len(head):
            complain(
                line,
                f"{len(row)} values, column '{head[min(len(row), len(head) - 1)]}' missing or too many;",
                f"expected {len(head)} as in the header.",
            )
            continue
        field = {h: v.strip() for h, v in zip(head, row)}
        point = []
        for axis in "xyz":
            given = field.get(axis, "0")
            try:
                value = float(given)
            except ValueError:
                complain(line, f"{axis} is '{given[:40]}', no number.")
                break
            if not math.isfinite(value):
                complain(line, f"{axis} is {given}.", "Expected a finite number.")
                break
            point.append(value)
        if len(point) < 3:
            continue
        of = field.get("type", kind) or kind
        if of not in types:
            complain(line, f"no cell type is called '{of}'.{did_you_mean(of, types)}", f"This model has: {', '.join(types)}.")
            continue
        if domain.is_2d:
            point[2] = 0.5 * (domain.lower[2] + domain.upper[2])
        if any(not a <= p <= b for p, a, b in zip(point, domain.lower, domain.upper)):
            outside += 1
            first_outside = first_outside or line
            if not clip:
                continue
            point = [min(max(p, a), b) for p, a, b in zip(point, domain.lower, domain.upper)]
        rows.append((of, point[0], point[1], point[2]))
    if outside:
        complain(
            first_outside,
            f"{outside} cells lie outside the domain (first in this line){'; they are moved to its edge' if clip else ''}.",
            remedy="" if clip else "Enlarge the domain, or add  clip: true.",
            severity="notice" if clip else "error",
        )
    if not rows and not any(p.severity == "error" for p in problems):
        complain(1, "0 cells: the table has a header only.", severity="notice")
    return rows, problems
