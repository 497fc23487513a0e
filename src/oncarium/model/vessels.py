"""Where blood vessels come from: columns through a slice, a network that is laid out, or one that is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .environment import Domain
from .groups import inner_groups, whole_period
from .reader import Reader
from .regions import REGIONS, Region, read_region

WAYS = ("columns", "mesh", "random", "given")
SPLITS = ("uniform", "separated")
SPECIES = ("human", "rodent")
# what a way of having vessels may say: name -> (unit, usual value, lowest); None: it must be said
NUMBERS: dict[str, dict[str, tuple[str, float | None, float]]] = {
    "columns": {
        "density": ("1/mm^2", None, 0.0),
        "length": ("um", 450.0, 1.0),  # the shortest have two thirds of it, the longest four thirds
        "diameter": ("um", 8.0, 3.0),
        "spread": ("1", 0.2, 0.0),
        "gradient": ("mmHg/mm", 10.0, 0.0),
        "pressure": ("mmHg", 20.0, 0.0),
        "apart": ("um", 0.0, 0.0),  # 0: 0.6 of the mean spacing
    },
    "mesh": {
        "spacing": ("um", 80.0, 10.0),
        "feeders": ("um", 500.0, 20.0),
        "diameter": ("um", 8.0, 3.0),
        "spread": ("1", 0.2, 0.0),
        "murray": ("1", 3.0, 2.0),
        "inlet": ("mmHg", 0.0, 0.0),  # 0: 10 mmHg per mm of way above the outlet
        "outlet": ("mmHg", 15.0, 0.0),
    },
    "random": {
        "density": ("mm/mm^3", None, 0.0),
        "diameter": ("um", 8.0, 3.0),
        "spread": ("1", 0.2, 0.0),
        "inlet": ("mmHg", 0.0, 0.0),
        "outlet": ("mmHg", 15.0, 0.0),
    },
}
BLOOD = {  # of all blood that enters: name -> (unit, usual value, lowest, highest)
    "haematocrit": ("1", 0.45, 0.0, 0.95),
    "oxygen": ("mmHg", 40.0, 0.0, 760.0),
}
FILES = ("nodes", "segments", "vtp", "folder")


@dataclass(frozen=True)
class Laid:
    """One lot of vessels: the way, its numbers, and the region where they lie (None: everywhere)."""

    way: str
    numbers: dict[str, float]
    region: Region | None = None


@dataclass(frozen=True)
class VesselStart:
    """Everything a model says of its vessels at the start.

    haematocrit, oxygen (mmHg)   of the blood that enters       split   how red cells part at bifurcations
    files      name -> path of a network that is given         adapted   whether radii adapt before time 0
    species    whose blood it is     period     min between updates of flow and walls
    """

    lots: tuple[Laid, ...]
    haematocrit: float = 0.45
    oxygen: float = 40.0
    split: str = "uniform"
    files: tuple[tuple[str, str], ...] = ()
    adapted: bool = True
    species: str = "human"
    period: float = 60.0


def read_vessels(reader: Reader, tree: Any, domain: Domain, tick: float) -> VesselStart | None:
    """Section vessels of a model."""
    if tree is None:
        return None
    known = (*WAYS, *BLOOD, "split", "species", "adapted", "period", *inner_groups("vessels"))
    group = reader.group(tree, "vessels", known, "part of vessels")
    ways = [w for w in WAYS if w in group]
    if not ways:
        reader.complain(
            "vessels",
            "it does not say where the vessels are;",
            "expected columns, mesh, random or given, e.g. columns: {density: 75 1/mm^2}.",
        )
    lots: list[Laid] = []
    for way in ways:
        if way == "given":
            continue
        if way == "columns" and not domain.is_2d:
            reader.complain(
                "vessels.columns", "columns cross a slice;", "expected a 2-D domain, or mesh, random, given."
            )
            continue
        said = group[way]
        for i, one in enumerate(said if isinstance(said, list) else [said]):
            path = f"vessels.{way}.{i}" if isinstance(said, list) else f"vessels.{way}"
            lot = _lot(reader, one, path, way)
            if lot:
                lots.append(lot)
    files = _files(reader, group.get("given"))
    blood = {}
    for key, (unit, usual, low, high) in BLOOD.items():
        value = reader.quantity(group[key], f"vessels.{key}", unit, ge=low, le=high) if key in group else usual
        blood[key] = usual if value is None else value
    split = reader.word(group.get("split", SPLITS[0]), "vessels.split", SPLITS, "way in which red cells part") or ""
    adapted = reader.truth(group.get("adapted", True), "vessels.adapted")
    species = reader.word(group.get("species", SPECIES[0]), "vessels.species", SPECIES, "species") or SPECIES[0]
    period = whole_period(reader, group, "vessels", tick)
    return VesselStart(tuple(lots), blood["haematocrit"], blood["oxygen"], split, files, adapted, species, period)


def _lot(reader: Reader, given: Any, path: str, way: str) -> Laid | None:
    numbers = NUMBERS[way]
    tree = reader.group(given, path, (*numbers, *REGIONS), f"part of {way}")
    values: dict[str, float] = {}
    for key, (unit, usual, low) in numbers.items():
        if key in tree:
            value = reader.quantity(tree[key], f"{path}.{key}", unit, ge=low)
        elif usual is None:
            reader.complain(f"{path}.{key}", f"the {key} is missing;", "expected e.g. 75 1/mm^2.")
            value = None
        else:
            value = usual
        if value is None:
            return None
        values[key] = value
    if values.get("gradient") == 0.0 or 0.0 < values.get("inlet", 0.0) <= values.get("outlet", 0.0):
        key = "gradient" if "gradient" in values else "inlet"
        reader.complain(f"{path}.{key}", "there is no pressure difference, so no blood flows;", "expected one above 0.")
        return None
    where = {k: v for k, v in tree.items() if k in REGIONS}
    return Laid(way, values, read_region(reader, where, path) if where else None)


def _files(reader: Reader, given: Any) -> tuple[tuple[str, str], ...]:
    """Files of a network that is given: nodes and segments, or a VTP file, or a folder that holds the two tables."""
    if given is None:
        return ()
    tree = reader.group(given, "vessels.given", FILES, "file of a network")
    files = {k: reader.text(v, f"vessels.given.{k}") for k, v in tree.items()}
    if set(files) not in ({"nodes", "segments"}, {"vtp"}, {"folder"}):
        reader.complain(
            "vessels.given",
            f"{' and '.join(files) or 'no file'} given;",
            "expected nodes and segments, or vtp, or folder.",
        )
        return ()
    return tuple(files.items())
