"""The patient around the tissue: compartments of the body, doors of cells, voxels that blood supplies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .environment import Factor
from .reader import Reader
from .regions import REGIONS, Region, read_region
from .rule import STEEPEST, Names

PLACES = ("edge", "supply", "vessel", "lymph")


NEEDED = {
    "edge": ("edge", "at: edge"),
    "supply": ("supply voxels", "a section supply"),
    "vessel": ("vessels", "a section vessels"),
    "lymph": ("lymph vessels", "fluid: {lymph: {density: 1}}"),
}


@dataclass(frozen=True)
class Flow:
    """What passes to another compartment: 1/min, times y / (y + half) where a compartment drives it (y its level)."""

    to: str
    rate: float
    by: str = ""
    half: float = 1.0


@dataclass(frozen=True)
class Compartment:
    """One compartment of the body.

    start (1 is healthy)     gain, loss, growth (1/min)     what drives the gain     flows to others
    """

    name: str
    start: float = 0.0
    gain: float = 0.0
    loss: float = 0.0
    grow: float = 0.0
    by: str = ""
    half: float = 1.0
    flows: tuple[Flow, ...] = ()


@dataclass(frozen=True)
class Passage:
    """How cells of a type enter or leave: through `edge` or `supply` voxels, perfused vessels or open lymph vessels.

    rate    1/min and voxel (1/min and um of perfused vessel), or 1/min and cell
    count   cells per nl of blood at a full body, of which vessels cannot deliver more; infinite: no bound
    """

    type: str
    at: str
    rate: float
    body: str = ""
    size: float = math.inf
    factor: str = ""
    half: float = 1.0
    hill: float = 1.0
    column: str = ""
    above: float = 0.0
    carries: str = ""
    count: float = math.inf


@dataclass(frozen=True)
class Supplied:
    """Voxels of a region that exchange factors with blood: (factor, exchange 1/min, concentration of blood)."""

    region: Region
    factors: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True)
class Patient:
    """Everything around the tissue.

    represents   how many such pieces the lesion has, all of which give to the body and take from it
    """

    compartments: tuple[Compartment, ...] = ()
    entries: tuple[Passage, ...] = ()
    exits: tuple[Passage, ...] = ()
    supply: tuple[Supplied, ...] = field(default=())
    represents: float = 1.0


def read_patient(
    reader: Reader,
    tree: dict[str, Any],
    names: Names,
    factors: Sequence[Factor],
    has: Mapping[str, bool],
    volume: float,
) -> Patient:
    """Sections represents, body, entry, exit and supply of a model.

    has   whether the model has vessels, and lymph     volume   um^3 of the tissue
    """
    bodies = _body(reader, tree.get("body"))
    known = [c.name for c in bodies]
    supply = tuple(
        s for i, given in _list(reader, tree, "supply") if (s := _supplied(reader, given, f"supply.{i}", names))
    )
    ways = {"edge": True, "supply": bool(supply), **has}
    entries = tuple(
        p for i, g in _list(reader, tree, "entry") if (p := _entry(reader, g, f"entry.{i}", names, known, ways))
    )
    exits = tuple(p for i, g in _list(reader, tree, "exit") if (p := _exit(reader, g, f"exit.{i}", names, known, ways)))
    represents = 1.0
    if "represents" in tree:
        lesion = reader.quantity(tree["represents"], "represents", "um^3", gt=0.0)
        represents = (lesion or volume) / volume
        if represents < 1.0:
            reader.complain(
                "represents", f"the lesion is smaller than the tissue, which has {volume:.3g} um^3;",
                "expected the volume of the whole lesion, e.g. 1 cm^3.",
            )  # fmt: skip
    return Patient(tuple(bodies), entries, exits, supply, represents)


def _list(reader: Reader, tree: dict[str, Any], key: str) -> list[tuple[int, Any]]:
    return list(enumerate(reader.listed(tree.get(key), key, "each entry in a line of its own after '- '.")))


def _body(reader: Reader, tree: Any) -> list[Compartment]:
    out = []
    group = reader.named(tree, "body", "compartment")
    for name, given in group.items():
        path = f"body.{name}"
        said = reader.group(
            given, path, ("start", "gain", "loss", "grow", "by", "half", "flows", "doc"), "part of a compartment"
        )
        units = {"start": "1", "half": "1", "gain": "1/min", "loss": "1/min", "grow": "1/min"}
        numbers = {k: reader.quantity(said[k], f"{path}.{k}", units[k], ge=0.0) for k in said if k in units}
        by = reader.text(said.get("by"), f"{path}.by")
        if by and by not in group:
            reader.word(by, f"{path}.by", group, "compartment")
            continue
        flows = []
        for target, rate in reader.group(said.get("flows"), f"{path}.flows").items():
            if target not in group:
                reader.word(target, f"{path}.flows.{target}", group, "compartment")
                continue
            flow = _flow(reader, target, rate, f"{path}.flows.{target}", group)
            if flow:
                flows.append(flow)
        if all(v is not None for v in numbers.values()):
            out.append(
                Compartment(
                    name, by=by, flows=tuple(flows), **{k: float(v) for k, v in numbers.items() if v is not None}
                )
            )
    return out


def _flow(reader: Reader, target: str, given: Any, path: str, known: Mapping[str, Any]) -> Flow | None:
    """A rate, or rate, by and half."""
    if not isinstance(given, dict):
        value = reader.quantity(given, path, "1/min", ge=0.0)
        return None if value is None else Flow(target, value)
    said = reader.group(given, path, ("rate", "by", "half"), "part of a flow")
    value = reader.quantity(said.get("rate"), f"{path}.rate", "1/min", ge=0.0)
    half = reader.quantity(said.get("half", "1"), f"{path}.half", "1", gt=0.0)
    by = reader.word(said.get("by"), f"{path}.by", known, "compartment")
    return None if value is None or half is None or by is None else Flow(target, value, by, half)


def _supplied(reader: Reader, given: Any, path: str, names: Names) -> Supplied | None:
    tree = reader.group(given, path, (*REGIONS, "of"), "part of a supply")
    region = read_region(reader, {k: v for k, v in tree.items() if k != "of"}, path)
    out = []
    for factor, what in reader.group(tree.get("of"), f"{path}.of").items():
        if factor not in names.factors:
            reader.word(factor, f"{path}.of.{factor}", names.factors, "factor")
            continue
        said = reader.group(what, f"{path}.of.{factor}", ("exchange", "outside"), "part of a supply")
        rate = reader.quantity(said.get("exchange"), f"{path}.of.{factor}.exchange", "1/min", gt=0.0)
        outside = reader.quantity(
            said.get("outside", "0"), f"{path}.of.{factor}.outside", names.factors[factor], ge=0.0
        )
        if rate is not None and outside is not None:
            out.append((factor, rate, outside))
    return Supplied(region, tuple(out)) if region else None


def _passage(
    reader: Reader,
    tree: dict[str, Any],
    path: str,
    names: Names,
    known: Sequence[str],
    key: str,
    ways: Mapping[str, bool],
) -> dict[str, Any] | None:
    """What entries and exits have in common."""
    type = tree.get("cells")
    if reader.word(type, f"{path}.cells", names.types, "cell type") is None:
        return None
    at = tree.get("at", "edge")
    if reader.word(at, f"{path}.at", PLACES, "place") is None:
        return None
    if not ways.get(str(at)):
        reader.complain(
            f"{path}.at",
            f"the model has no {NEEDED[str(at)][0]};",
            f"expected {NEEDED[str(at)][1]}, or at: {', '.join(w for w, there in ways.items() if there)}.",
        )
    body = reader.text(tree.get(key), f"{path}.{key}")
    if body and body not in known:
        reader.word(body, f"{path}.{key}", known, "compartment of the body")
        return None
    per_length = at == "vessel" and key == "from"
    rate = reader.quantity(tree.get("rate"), f"{path}.rate", "1/min/um" if per_length else "1/min", ge=0.0)
    size = reader.quantity(tree["size"], f"{path}.size", "1", gt=0.0) if "size" in tree else math.inf
    return (
        None
        if rate is None or size is None
        else {"type": str(type), "at": at, "body": body, "rate": rate, "size": size}
    )


def _entry(
    reader: Reader, given: Any, path: str, names: Names, known: Sequence[str], ways: Mapping[str, bool]
) -> Passage | None:
    tree = reader.group(
        given, path, ("cells", "from", "at", "rate", "size", "signal", "half", "hill", "count"), "part of an entry"
    )
    common = _passage(reader, tree, path, names, known, "from", ways)
    signal = reader.text(tree.get("signal"), f"{path}.signal")
    if common is None:
        return None
    if signal and signal not in names.factors:
        reader.word(signal, f"{path}.signal", names.factors, "factor")
        return None
    half = reader.quantity(tree.get("half"), f"{path}.half", names.factors[signal], gt=0.0) if signal else 1.0
    hill = reader.quantity(tree["hill"], f"{path}.hill", "1", gt=0.0, le=STEEPEST) if "hill" in tree else 1.0
    count = reader.quantity(tree["count"], f"{path}.count", "1/nl", gt=0.0) if "count" in tree else math.inf
    if half is None or hill is None or count is None:
        return None
    return Passage(**common, factor=signal, half=half, hill=hill, count=count)


def _exit(
    reader: Reader, given: Any, path: str, names: Names, known: Sequence[str], ways: Mapping[str, bool]
) -> Passage | None:
    tree = reader.group(
        given, path, ("cells", "to", "at", "rate", "size", "when", "above", "carries"), "part of an exit"
    )
    common = _passage(reader, tree, path, names, known, "to", ways)
    column, carries = (reader.text(tree.get(key), f"{path}.{key}") for key in ("when", "carries"))
    plain = [n for n, e in names.columns.items() if e.axis is None]
    for key, name in (("when", column), ("carries", carries)):
        if name and reader.word(name, f"{path}.{key}", plain, "column") is None:
            return None
    above = reader.quantity(tree.get("above", "0"), f"{path}.above", names.unit(column, None)) if column else 0.0
    return None if common is None or above is None else Passage(**common, column=column, above=above, carries=carries)
