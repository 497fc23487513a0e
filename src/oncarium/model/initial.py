"""Who is where at the start: regions filled at random or by packing, and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ModelError
from .environment import Domain
from .files import decode, read_bytes
from .reader import Reader
from .regions import REGIONS, Region, read_region
from .rows import LARGEST_TABLE, Row
from .rule import Names

CLOSEST = 0.01  # um, of packed cells
WORDS = ("cells", *REGIONS, "count", "packing", "spacing", "with", "table", "clip", "inactive", "numbers", "gives",
         "outside")  # fmt: skip


@dataclass(frozen=True)
class Placement:
    """Cells of one type: `count` at random in a region, or packed hexagonally with a spacing (um), or rows of a table.

    rows     (type, x, y, z) of a table
    values   (column, label) -> one number per row, nan where the row says nothing; or one for all cells
    outside  rows that lie outside the domain and take no part
    relax    overlaps are relaxed before time 0
    """

    type: str
    region: Region | None = None
    count: int | None = None
    spacing: float | None = None
    table: str = ""
    rows: tuple[Row, ...] = ()
    values: Mapping[tuple[str, str | None], tuple[float, ...]] = field(default_factory=dict)
    outside: int = 0
    relax: bool = False


def placed(placements: Sequence[Placement], domain: Domain) -> int:
    """Cells that placements ask for (packed regions estimated by their area or volume)."""
    count = 0.0
    for p in placements:
        if p.count is not None:
            count += p.count
        elif p.spacing is not None and p.region is not None:
            all = Region("everywhere").volume(domain)
            count += min(p.region.volume(domain), all) / (
                0.866 * p.spacing**2 if domain.is_2d else 0.7071 * p.spacing**3
            )
        count += len(p.rows)
    return int(count)


def read_placement(
    reader: Reader, tree: Any, path: str, names: Names, domain: Domain, radius: dict[str, float], folder: Path | None
) -> Placement | None:
    """One entry of `initial`; folder None: tables are not opened."""
    tree = reader.group(tree, path, WORDS)
    if "table" in tree:
        return _table(reader, tree, path, names, domain, folder)
    kind = reader.word(tree.get("cells"), f"{path}.cells", names.types, "cell type")
    region = read_region(reader, tree, path)
    values = _given(reader, tree.get("with"), f"{path}.with", names)
    if kind is None or region is None:
        return None
    if ("count" in tree) == ("packing" in tree):
        reader.complain(path, "either count (at random) or packing (hexagonal) must be given.")
        return None
    if "count" in tree:
        count = reader.whole(tree["count"], f"{path}.count", 0, 10**8)
        return (
            None
            if count is None
            else _fitting(reader, path, Placement(kind, region, count=count, values=values), domain)
        )
    if tree["packing"] != "hexagonal":
        reader.word(tree["packing"], f"{path}.packing", ("hexagonal",), "packing")
        return None
    # close-packed neighbors rest at about 1.9 radii (two-body equilibrium of the standard adhesion and repulsion)
    spacing = (
        reader.length(tree["spacing"], f"{path}.spacing", ge=CLOSEST)
        if "spacing" in tree
        else max(CLOSEST, 1.9 * radius[kind])
    )
    return (
        None
        if spacing is None
        else _fitting(reader, path, Placement(kind, region, spacing=spacing, values=values), domain)
    )


def _fitting(reader: Reader, path: str, p: Placement, domain: Domain) -> Placement:
    """The placement; a region where its cells find no place is a problem."""
    from .places import misfit

    assert p.region is not None
    if p.region.kind != "everywhere" and (p.count or p.spacing):
        said = misfit(p.region, domain, p.count, p.spacing)
        if said:
            reader.complain(f"{path}.{p.region.kind}",
                            f"no cell of {p.type} finds a place in this {p.region.kind}: {said}.",
                            "The region must lie in the domain.")  # fmt: skip
    return p


def _given(reader: Reader, tree: Any, path: str, names: Names) -> dict[tuple[str, str | None], tuple[float, ...]]:
    """Values that all cells of a placement start with, by the column's name."""
    known = names.all(("state", "behavior"))
    out: dict[tuple[str, str | None], tuple[float, ...]] = {}
    for name, item in reader.group(tree, path).items():
        if reader.word(name, f"{path}.{name}", known, "column") is not None:
            entry = names.columns[known[name][0]]
            value = reader.quantity(item, f"{path}.{name}", names.unit(*known[name]), ge=entry.ge, le=entry.le)
            out[known[name]] = () if value is None else (value,)
    return out


def _table(
    reader: Reader, tree: dict[str, Any], path: str, names: Names, domain: Domain, folder: Path | None
) -> Placement | None:
    name = reader.text(tree["table"], f"{path}.table")
    if not name:
        reader.complain(f"{path}.table", "no table is named;", "expected the name of a CSV file.")
        return None
    kind = reader.word(tree["cells"], f"{path}.cells", names.types, "cell type") if "cells" in tree else ""
    clip, inactive = (reader.truth(tree.get(key, False), f"{path}.{key}") for key in ("clip", "inactive"))
    if clip and inactive:
        reader.complain(
            f"{path}.inactive",
            "cells outside the domain are moved to its edge, or they take no part;",
            remedy="Keep clip or inactive.",
        )
    given = reader.group(tree.get("numbers"), f"{path}.numbers", names.types, "cell type")
    numbers = {t: reader.whole(v, f"{path}.numbers.{t}", -(2**31), 2**31) for t, v in given.items()}
    if kind is None:
        return None
    from .table import columns_of, read_table

    if folder is None:  # a run goes on: its cells are restored, and what the table gave them is remembered
        known = columns_of(names)
        gives = tree.get("gives")
        values: Any = (
            {known[w]: () for w in gives if isinstance(w, str) and w in known} if isinstance(gives, list) else {}
        )
        return Placement(
            kind,
            table=name,
            values=values,
            outside=reader.whole(tree.get("outside", "0"), f"{path}.outside", 0, 10**9) or 0,
        )

    where = str(folder / name)
    try:
        text = decode(read_bytes(folder / name, LARGEST_TABLE), where)
    except ModelError as error:
        for p in error.problems:
            reader.complain(f"{path}.table", f"{p.where} {p.message}", p.expected, p.remedy)
        return None
    table = read_table(
        text, where, names, domain, kind, clip, {n: t for t, n in numbers.items() if n is not None}, inactive
    )
    reader.problems += table.problems
    return Placement(kind, table=name, rows=tuple(table.rows), values=table.values, outside=table.outside)
