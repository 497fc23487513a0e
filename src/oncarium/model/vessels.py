"""Where blood vessels come from: columns through a slice, a network that is laid out, or one that is given."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, Problem
from .environment import Domain
from .groups import inner_groups, whole_period
from .reader import Reader
from .regions import REGIONS, Region, read_region

if TYPE_CHECKING:
    from .vessel_tables import VesselTables

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
INLET, OUTLET = 25.0, 15.0  # mmHg of a capillary bed, at blunt ends of which nothing is known
CROWDED = 0.5  # share of the area that discs of the least distance can take at random (the most is 0.547)


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
    network    what is given; None where nothing is, or where a run goes on      given   whether something is
    adapted    whether radii adapt before time 0
    species    whose blood it is     period     min between updates of flow and walls
    """

    lots: tuple[Laid, ...]
    haematocrit: float = 0.45
    oxygen: float = 40.0
    split: str = "uniform"
    network: VesselTables | None = None
    given: bool = False
    adapted: bool = True
    species: str = "human"
    period: float = 60.0


def read_vessels(
    reader: Reader, tree: Any, domain: Domain, tick: float, folder: Path | None = None
) -> VesselStart | None:
    """Section vessels of a model; folder None: its files are not opened."""
    if tree is None:
        return None
    known = (*WAYS, *BLOOD, "split", "species", "adapted", "period", *inner_groups("vessels"))
    group = reader.group(tree, "vessels", known, "part of vessels")
    ways = [w for w in WAYS if group.get(w) is not None]  # a file that includes another takes a way out by null
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
                _fit(reader, lot, path, domain)
                lots.append(lot)
    files = _files(reader, group.get("given"))
    network = _network(reader, files, domain, folder) if files and folder is not None else None
    blood = {}
    for key, (unit, usual, low, high) in BLOOD.items():
        value = reader.quantity(group[key], f"vessels.{key}", unit, ge=low, le=high) if key in group else usual
        blood[key] = usual if value is None else value
    split = reader.word(group.get("split", SPLITS[0]), "vessels.split", SPLITS, "way in which red cells part") or ""
    adapted = reader.truth(group.get("adapted", True), "vessels.adapted")
    species = reader.word(group.get("species", SPECIES[0]), "vessels.species", SPECIES, "species") or SPECIES[0]
    period = whole_period(reader, group, "vessels", tick)
    return VesselStart(
        tuple(lots), blood["haematocrit"], blood["oxygen"], split, network, bool(files), adapted, species, period
    )


def _lot(reader: Reader, given: Any, path: str, way: str) -> Laid | None:
    numbers = NUMBERS[way]
    tree = reader.group(given, path, (*numbers, *REGIONS), f"part of {way}")
    values: dict[str, float] = {}
    for key, (unit, usual, low) in numbers.items():
        if key in tree:
            value = reader.quantity(tree[key], f"{path}.{key}", unit, ge=low)
        elif usual is None:
            reader.complain(f"{path}.{key}", f"the {key} is missing;", f"expected e.g. 100 {unit}.")
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


def _fit(reader: Reader, lot: Laid, path: str, domain: Domain) -> None:
    """Vessels that do not fit into the tissue, or not beside each other."""
    low, high = (domain.lower, domain.upper) if lot.region is None else lot.region.bounds(domain)
    size, said = [b - a for a, b in zip(low, high)], lot.numbers
    place = " x ".join(f"{v:g}" for v in size) + " um"
    if min(size) <= 0.0:
        reader.complain(path, "the region lies outside the domain;", "expected one within it.")
    elif lot.way == "columns" and said["density"] > 0.0:
        apart = max(said["apart"], said["diameter"])
        most = CROWDED / (0.25 * math.pi * apart**2) * 1e6
        if said["density"] > most:
            reader.complain(
                f"{path}.density", f"{said['density']:g} vessels per mm^2, none closer than {apart:g} um to another, "
                "do not fit;", f"expected at most {most:.3g} per mm^2.",
            )  # fmt: skip
    elif lot.way == "mesh" and min(size[:2]) < 2.0 * said["spacing"]:
        reader.complain(
            f"{path}.spacing", f"a mesh of {said['spacing']:g} um does not fit into {place};",
            "expected at least two spacings in x and y.",
        )  # fmt: skip
    elif lot.way == "random":
        share = 0.25 * math.pi * said["diameter"] ** 2 * said["density"] * 1e-6
        length = said["density"] * math.prod(size) * 1e-9
        if share > 0.2:
            reader.complain(
                f"{path}.density", f"{said['density']:g} mm of vessel per mm^3, {said['diameter']:g} um wide, leave no "
                "tissue between them;", "expected about 100 in three dimensions, 500 in a slice.",
            )  # fmt: skip
        elif length < 0.5e-3 * max(size):
            reader.complain(
                f"{path}.density", f"{length:.3g} mm of vessel in {place} are no network;",
                "expected about 100 mm/mm^3 in three dimensions, 500 in a slice.",
            )  # fmt: skip


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
    return tuple((k, v) for k, v in files.items() if v)


def _network(reader: Reader, files: tuple[tuple[str, str], ...], domain: Domain, folder: Path) -> VesselTables | None:
    """The network that the files hold, with ends; what is wrong with it is told by file and line."""
    from .vessel_ends import blunt_ends, check_ends
    from .vessel_tables import INNER, read_network
    from .vtp import read_vtp

    path = {k: folder / v for k, v in files}
    # vessels may leave a slice upwards and downwards, and nothing else
    box = tuple(zip(domain.lower, domain.upper))[: 2 if domain.is_2d else 3]
    try:
        if "vtp" in path:
            network = read_vtp(path["vtp"], inlet=INLET, outlet=OUTLET)
            file = path["vtp"].name
            _inside(network, file, box)
        else:
            # either both names are told from the same folder, or a folder holds both
            base = path.get("folder", folder)
            names = {k: str(path[k]) for k in ("nodes", "segments") if k in path}
            file = names.get("nodes", "nodes.csv")
            network = read_network(base, box, **names)
        if (network.boundary == INNER).all() and len(network.ends):
            boundary, value = blunt_ends(network.position, network.ends, INLET, OUTLET)
            count = int((boundary != INNER).sum())
            said = f"no end is known: its {count} blunt ends have {INLET:g} to {OUTLET:g} mmHg, falling with x."
            network = replace(network, boundary=boundary, value=value)
            reader.complain("vessels.given", said, severity="notice")
        if domain.is_2d:
            z = network.position[network.ends][:, :, 2]
            if not ((z.min(axis=1) <= domain.upper[2]) & (z.max(axis=1) >= domain.lower[2])).any():
                said = f"no vessel meets the slice, which has z from {domain.lower[2]:g} to {domain.upper[2]:g} um;"
                raise ModelError(Problem(file, "", said, "expected vessels in it or through it."))
        check_ends(network, file)
    except ModelError as error:
        for p in error.problems:
            reader.complain("vessels.given", f"{p.where} {p.message}".strip(), p.expected, p.remedy)
        return None
    for p in network.notices:
        reader.complain("vessels.given", f"{p.where} {p.message}", severity="notice")
    return network


def _inside(network: VesselTables, name: str, box: tuple[tuple[float, float], ...]) -> None:
    low, high = (tuple(end[side] for end in box) for side in (0, 1))
    place = network.position[:, : len(box)]
    beyond = [k for k, at in enumerate(place.tolist()) if any(v < a or v > b for v, a, b in zip(at, low, high))]
    if beyond:
        at = ", ".join(f"{v:g}" for v in network.position[beyond[0]])
        raise ModelError(
            Problem(
                name, "", f"{len(beyond)} of {len(place)} points lie outside the domain, e.g. ({at}) um;",
                "expected " + ", ".join(f"{axis} {a:g} to {b:g}" for axis, (a, b) in zip("xyz", box)) + " um.",
            )
        )  # fmt: skip
