"""What blood does with a drug: compartments, ways of giving, ways of loss; numbers of one body, read and scaled.

Units: min, L, nM and nmol; weights in kg, areas in m^2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import did_you_mean
from ..units import NUMBER, USUAL, UnitError, bare, parse_quantity
from .reader import Reader

ROUTES = ("oral", "subcutaneous", "intraperitoneal")  # besides intravenous, which every drug has
USUAL_BODY = {"human": (70.0, 1.8), "mouse": (0.02, 0.0067)}  # kg, m^2
PLASMA_KEYS = (
    "weight", "area", "central", "clearance", "peripheral", "bound", "route", *ROUTES, "saturable", "target", "ligand",
)  # fmt: skip


@dataclass(frozen=True)
class Peripheral:
    """A compartment beside the central one: volume (L) and flow to and fro (L/min)."""

    volume: float
    flow: float


@dataclass(frozen=True)
class Absorption:
    """A way of giving a drug that is no vein: rate (1/min), share that arrives, and lag (min)."""

    rate: float
    bioavailable: float = 1.0
    lag: float = 0.0


@dataclass(frozen=True)
class Saturable:
    """Loss from the central compartment at  most C / (half + C): nmol/min and nM, of total drug."""

    most: float
    half: float


@dataclass(frozen=True)
class Target:
    """What blood holds that the drug binds: a receptor that takes it inside, or a ligand that it carries along.

    level   of the free one without drug, nM     loss   of the free one, 1/min: it is made at level x loss
    affinity   nM     on   1/nM/min     complex   loss of the bound pair, 1/min
    factor   the factor of the tissue that it is, "" for a receptor
    """

    level: float
    loss: float
    affinity: float
    on: float
    complex: float
    factor: str = ""

    @property
    def production(self) -> float:
        """nM/min."""
        return self.level * self.loss

    @property
    def off(self) -> float:
        """1/min."""
        return self.affinity * self.on


@dataclass(frozen=True)
class Plasma:
    """What blood does with a drug in one body.

    weight, area   of the body that the numbers are of, kg and m^2     central   L     clearance   L/min
    peripheral     further compartments     bound   share that plasma's proteins hold
    absorption     by route     target, ligand   in the central compartment, or None
    scales         which numbers grow with weight or area: ("central", "kg"), ...
    route          the usual one
    """

    weight: float
    area: float
    central: float
    clearance: float
    peripheral: tuple[Peripheral, ...] = ()
    bound: float = 0.0
    absorption: Mapping[str, Absorption] = field(default_factory=dict)
    saturable: Saturable | None = None
    target: Target | None = None
    ligand: Target | None = None
    scales: tuple[tuple[str, str], ...] = ()
    route: str = "intravenous"

    @property
    def linear(self) -> bool:
        """Whether twice the dose is twice the concentration."""
        return self.saturable is None and self.target is None and self.ligand is None

    @property
    def routes(self) -> tuple[str, ...]:
        """Ways in which it may be given."""
        return ("intravenous", *(r for r in ROUTES if r in self.absorption))

    def of(self, weight: float | None = None, area: float | None = None) -> Plasma:
        """The same drug in another body (kg, m^2): what was said per kg or per m^2 follows, the rest stays.

        >>> Plasma(70.0, 1.8, 3.5, 1e-4, scales=(("central", "kg"),)).of(weight=35.0).central
        1.75
        """
        weight, area = weight or self.weight, area or self.area
        by = {"kg": weight / self.weight, "m^2": area / self.area}
        grown = {name: by[unit] for name, unit in self.scales}

        def one(name: str) -> float:
            return grown.get(name, 1.0)

        return replace(
            self,
            weight=weight,
            area=area,
            central=self.central * one("central"),
            clearance=self.clearance * one("clearance"),
            peripheral=tuple(
                Peripheral(p.volume * one(f"peripheral.{i}.volume"), p.flow * one(f"peripheral.{i}.flow"))
                for i, p in enumerate(self.peripheral)
            ),
            saturable=self.saturable and replace(self.saturable, most=self.saturable.most * one("saturable.most")),
        )


class _Body:
    """Reads the numbers of one body: each in one of several units, and which of them grow with it."""

    def __init__(self, reader: Reader, path: str, weight: float, area: float, mass: float):
        self.reader, self.path = reader, path
        per_mg = 1000.0 / mass  # nmol
        self.units: dict[str, dict[str, float]] = {
            "L": {"L": 1.0, "L/kg": weight, "L/m^2": area},
            "L/min": {"L/min": 1.0, "L/min/kg": weight, "L/min/m^2": area},
            "nM": {"nM": 1.0, "mg/L": per_mg},
            "nmol/min": {"nmol/min": 1.0, "mg/min": per_mg, "mg/min/kg": per_mg * weight, "mg/min/m^2": per_mg * area},
        }
        self.scales: list[tuple[str, str]] = []

    def number(self, tree: Mapping[str, Any], name: str, unit: str, default: float | None = None, **bounds: Any) -> Any:
        """The number called `name` (its last word is its key in the tree), in `unit`."""
        key, path = name.rpartition(".")[2], f"{self.path}.{name}"
        given = tree.get(key)
        if given is None:
            if default is None:
                self.reader.complain(
                    path.rpartition(".")[0],
                    f"{key} is missing;",
                    f"expected e.g. {key}: 1 {'' if unit == '1' else unit}.",
                )
            return default
        units = self.units.get(unit, {unit: 1.0})
        # the one that is said, or is known to convert, first: asking for others takes long
        rest = NUMBER.sub("", bare(str(given)), count=1).strip()
        for said in sorted(units, key=lambda u: u != rest and (rest, u) not in USUAL):
            try:
                parse_quantity(given, said)
            except UnitError:
                continue
            if said != unit and said.endswith(("/kg", "/m^2")):
                self.scales.append((name, said.rpartition("/")[2]))
            value = self.reader.quantity(given, path, said, **bounds)
            return None if value is None else value * units[said]
        return self.reader.quantity(given, path, unit, **bounds)


def read_plasma(reader: Reader, given: Any, path: str, species: str, mass: float) -> Plasma | None:
    """What blood does with a drug in one species."""
    tree = reader.group(given, path, PLASMA_KEYS)
    weight, area = USUAL_BODY[species]
    if "weight" in tree:
        weight = reader.quantity(tree["weight"], f"{path}.weight", "kg", gt=0.0, le=1000.0) or weight
    if "area" in tree:
        area = reader.quantity(tree["area"], f"{path}.area", "m^2", gt=0.0, le=10.0) or area
    body = _Body(reader, path, weight, area, mass)
    central = body.number(tree, "central", "L", gt=0.0)
    saturable = target = ligand = None
    if tree.get("saturable") is not None:
        said = reader.group(tree["saturable"], f"{path}.saturable", ("most", "half"))
        both = (
            body.number(said, "saturable.most", "nmol/min", ge=0.0),
            body.number(said, "saturable.half", "nM", gt=0.0),
        )
        saturable = None if None in both else Saturable(*both)
    target, ligand = (_target(body, tree.get(key), key) for key in ("target", "ligand"))
    clearance = body.number(tree, "clearance", "L/min", 0.0 if saturable or target else None, ge=0.0)
    listed = reader.listed(tree.get("peripheral"), f"{path}.peripheral", "e.g. [{volume: 3 L, flow: 0.8 L/d}].")
    if len(listed) > 2:
        reader.complain(
            f"{path}.peripheral", f"{len(listed)} compartments;", "expected at most 2 beside the central one."
        )
    peripheral = []
    for i, said in enumerate(listed[:2]):
        said = reader.group(said, f"{path}.peripheral.{i}", ("volume", "flow"))
        volume = body.number(said, f"peripheral.{i}.volume", "L", gt=0.0)
        flow = body.number(said, f"peripheral.{i}.flow", "L/min", gt=0.0)
        peripheral.append(None if volume is None or flow is None else Peripheral(volume, flow))
    bound = body.number(tree, "bound", "1", 0.0, ge=0.0, le=1.0)
    absorption = {}
    for route in ROUTES:
        if tree.get(route) is None:
            continue
        said = reader.group(tree[route], f"{path}.{route}", ("rate", "bioavailable", "lag"))
        rate = body.number(said, f"{route}.rate", "1/min", gt=0.0)
        share = body.number(said, f"{route}.bioavailable", "1", 1.0, gt=0.0, le=1.0)
        lag = body.number(said, f"{route}.lag", "min", 0.0, ge=0.0)
        if None not in (rate, share, lag):
            absorption[route] = Absorption(rate, share, lag)
    if None in (central, clearance, bound) or None in peripheral:
        return None
    known = tuple(p for p in peripheral if p is not None)
    ways = ("intravenous", *(r for r in ROUTES if tree.get(r) is not None))
    route = reader.text(tree.get("route"), f"{path}.route", ways[0])
    if route not in ways:
        near = did_you_mean(route, ways)
        reader.complain(f"{path}.route", f"'{route[:60]}' is no route here.{near}", f"Expected {', '.join(ways)}.")
    return Plasma(
        weight, area, central, clearance, known, bound, absorption, saturable, target, ligand, tuple(body.scales),
        route,
    )  # fmt: skip


def _target(body: _Body, given: Any, name: str) -> Target | None:
    """A receptor in blood (its complex is taken inside), or a ligand (a factor; its complex has a loss of its own)."""
    if given is None:
        return None
    loss = "internalisation" if name == "target" else "complex"
    keys = ("level", "loss", "affinity", "on", loss, *(("factor",) if name == "ligand" else ()))
    tree = body.reader.group(given, f"{body.path}.{name}", keys)
    level = body.number(tree, f"{name}.level", "nM", ge=0.0)
    free = body.number(tree, f"{name}.loss", "1/min", gt=0.0)
    affinity = body.number(tree, f"{name}.affinity", "nM", gt=0.0)
    on = body.number(tree, f"{name}.on", "1/nM/min", gt=0.0)
    pair = body.number(tree, f"{name}.{loss}", "1/min", ge=0.0)
    factor = body.reader.text(tree.get("factor"), f"{body.path}.{name}.factor")
    return None if None in (level, free, affinity, on, pair) else Target(level, free, affinity, on, pair, factor)
