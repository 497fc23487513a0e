"""Which cells may leave the tissue through vessels, what lets them out, and where they may settle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .groups import inner_groups
from .reader import Reader
from .rule import Names

BLOOD, LYMPH = "blood", "lymph"
WAYS = (BLOOD, LYMPH)


@dataclass(frozen=True)
class Site:
    """A distant site: the share of what arrests in it, the way that leads to it, doubling time (min; 0: the usual)."""

    name: str
    share: float
    by: str = BLOOD
    doubling: float = 0.0


@dataclass(frozen=True)
class Opener:
    """Cells that open the wall of a vessel for tumor cells that they touch: a type, and a column above a value."""

    type: str
    column: str = ""
    above: float = 0.0


@dataclass(frozen=True)
class MetastasisStart:
    """Everything a model says of metastasis.

    cells   type that may leave     states   columns from 0 to 1, the highest of which scales its rate; none: all alike
    """

    cells: str
    states: tuple[str, ...] = ()
    door: Opener | None = None
    sites: tuple[Site, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that it speaks of."""
        return (*self.states, *([self.door.column] if self.door and self.door.column else []))


def read_metastasis(reader: Reader, tree: Any, names: Names, has: Mapping[str, bool]) -> MetastasisStart | None:
    """Section metastasis of a model. has: whether the model has vessels (vessel) and lymph."""
    if tree is None:
        return None
    known = ("cells", "states", "door", "sites", *inner_groups("metastasis"))
    group = reader.group(tree, "metastasis", known, "part of metastasis")
    if not any(has.values()):
        reader.complain(
            "metastasis", "no cell can leave: the model has neither vessels nor lymph vessels;",
            "expected a section vessels, or fluid: {lymph: {density: 1}}.",
        )  # fmt: skip
    if "intravasation" not in group:
        nobody = "nobody leaves, for it does not speak of intravasation;"
        reader.complain("metastasis", nobody, "expected intravasation: {}.", severity="warning")
    if "cells" in group:
        cells = reader.word(group["cells"], "metastasis.cells", names.types, "cell type")
    else:
        cells = None
        reader.complain("metastasis", "it does not say who may leave;", "expected e.g. cells: carcinoma.")
    plain = [n for n, e in names.columns.items() if e.axis is None]
    given = group.get("states", [])
    said = given if isinstance(given, list) else [given]
    states = [reader.word(s, f"metastasis.states.{i}", plain, "column") for i, s in enumerate(said)]
    door = _door(reader, group["door"], names, plain) if "door" in group else None
    sites = _sites(reader, group.get("sites"))
    return None if cells is None else MetastasisStart(cells, tuple(s for s in states if s), door, sites)


def _door(reader: Reader, given: Any, names: Names, plain: list[str]) -> Opener | None:
    path = "metastasis.door"
    tree = reader.group(given, path, ("cells", "when", "above"), "part of a door")
    type = reader.word(tree.get("cells"), f"{path}.cells", names.types, "cell type")
    column = reader.word(tree["when"], f"{path}.when", plain, "column") if "when" in tree else ""
    if type is None or column is None:
        return None
    above = reader.quantity(tree.get("above", "0"), f"{path}.above", names.unit(column, None)) if column else 0.0
    return None if above is None else Opener(type, column, above)


def _sites(reader: Reader, given: Any) -> tuple[Site, ...]:
    sites = []
    for name, one in reader.named(given, "metastasis.sites", "site").items():
        path = f"metastasis.sites.{name}"
        tree = reader.group(one, path, ("share", "by", "doubling"), "part of a site")
        share = reader.quantity(tree.get("share"), f"{path}.share", "1", ge=0.0, le=1.0)
        by = reader.word(tree.get("by", BLOOD), f"{path}.by", WAYS, "way")
        doubling = reader.quantity(tree["doubling"], f"{path}.doubling", "min", ge=1.0) if "doubling" in tree else 0.0
        if share is not None and by is not None and doubling is not None:
            sites.append(Site(name, share, by, doubling))
    for way in WAYS:
        total = sum(s.share for s in sites if s.by == way)
        if total > 1.0 + 1e-9:
            reader.complain("metastasis.sites", f"shares by {way} add up to {total:.3g};", "expected at most 1 in all.")
    return tuple(sites)
