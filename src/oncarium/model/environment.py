"""Where and when: the domain, the clocks, what is recorded, and the factors."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import ModelError, did_you_mean, nearest
from ..units import whole_ticks
from .reader import Reader

SHORTEST, LONGEST = 1e-5, 1e9  # min, of any period
PERIODS = ("transport", "mechanics", "phenotype")
FACES = ("xmin", "xmax", "ymin", "ymax", "zmin", "zmax")
NUMERICS = ("oncarium", "physicell")
COMPAT = ("", "1.14.2")
SOLVERS = ("auto", "quasi-steady", "bdf2", "backward-euler", "lod", "cosine")
FACTOR_UNITS = ("mmHg", "nM", "mM", "uM", "pM", "M", "1")
FACTOR_KEYS = (
    "library", "unit", "diffusion", "decay", "michaelis", "initial", "boundary", "fixed", "hindrance", "solver",
    "tolerance", "doc", "blood", "permeability", "mass",
)  # fmt: skip


@dataclass(frozen=True)
class Domain:
    """The box and its voxels: lower corner and voxel size (um, xyz), voxels (xyz), faces that are open for cells."""

    lower: tuple[float, float, float]
    voxel: tuple[float, float, float]
    shape: tuple[int, int, int]
    open: tuple[str, ...] = ()

    @property
    def upper(self) -> tuple[float, float, float]:
        """Upper corner (um, xyz)."""
        x, y, z = (a + n * h for a, n, h in zip(self.lower, self.shape, self.voxel))
        return x, y, z

    @property
    def is_2d(self) -> bool:
        """Whether there is one layer of voxels."""
        return self.shape[2] == 1

    @property
    def voxels(self) -> int:
        """Number of voxels."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Clock:
    """Periods in minutes, each a multiple of the shortest, which is the tick."""

    transport: float = 1.0
    mechanics: float = 1.0
    phenotype: float = 6.0
    error: float = 0.03  # um/min, of the cells' motion

    @property
    def tick(self) -> float:
        """The shortest period, min."""
        return min(self.transport, self.mechanics, self.phenotype)


@dataclass(frozen=True)
class Record:
    """How often what is written, min; columns None: the usual ones."""

    cells: float = 60.0
    fields: float = 360.0
    checkpoint: float = 1440.0
    columns: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Boundary:
    """Condition at one face: no-flux, value, exchange or voxels.

    value      this concentration at the face
    exchange   with outside, through a permeability (um/min)
    voxels     the outermost layer of voxels is held at the value
    """

    condition: str = "no-flux"
    value: float = 0.0
    permeability: float = 0.0


@dataclass(frozen=True)
class Held:
    """Voxels of a region held at a concentration."""

    region: Any
    value: float


@dataclass(frozen=True)
class Factor:
    """A diffusing substance: unit of its concentration, um^2/min, 1/min, concentration.

    initial_table, initial_content   file of concentrations per voxel at the start, and its SHA-256 ("" without one)
    """

    name: str
    unit: str
    diffusion: float
    decay: float
    michaelis: float | None
    initial: float
    boundary: dict[str, Boundary]
    held: tuple[Held, ...]
    solver: str
    tolerance: float | None
    doc: str = ""
    initial_table: str = ""
    initial_content: str = ""
    hindrance: float = 0.0  # diffusion in matrix of density r is multiplied by exp(-hindrance r)
    blood: float = 0.0  # its concentration in blood
    permeability: float | None = None  # um/min, of a vessel's wall without pericytes and VEGF-A; None: by its mass
    mass: float | None = None  # kDa


SMALLEST = 1e-3  # um, of a voxel
DOMAIN_KEYS = ("x", "y", "z", "thickness", "voxel", "open")


def read_domain(reader: Reader, tree: Any) -> Domain | None:
    """Domain of a model; every problem goes to the reader."""
    if tree is None:
        reader.complain("domain", "the model has no domain;", "expected x, y and voxel, and z or thickness.")
        return None
    slips = [
        near
        for key in (tree if isinstance(tree, dict) else ())
        if key not in DOMAIN_KEYS
        for near in nearest(key, DOMAIN_KEYS)
    ]
    tree = reader.group(tree, "domain", DOMAIN_KEYS)
    missing = [k for k in ("x", "y", "voxel") if k not in tree]
    if missing:
        if not set(missing) <= set(slips):  # a slip is named already
            reader.complain(
                "domain", f"{' and '.join(missing)} missing;", "expected e.g. x: [-500 um, 500 um] and voxel: 20 um."
            )
        return None
    given = tree["voxel"]
    if isinstance(given, list):
        size = [reader.length(v, f"domain.voxel.{i}", ge=SMALLEST) for i, v in enumerate(given)]
        if len(size) != 3:
            reader.complain("domain.voxel", f"{len(size)} sizes;", "expected one, or three in the order x, y, z.")
            return None
    else:
        one = reader.length(given, "domain.voxel", ge=SMALLEST)
        size = [one, one, one]
    x, y = (reader.interval(tree[a], f"domain.{a}") for a in "xy")
    if "z" in tree:
        z = reader.interval(tree["z"], "domain.z")
        if tree.get("thickness") is not None:
            reader.complain(
                "domain.thickness",
                "a domain with z is three-dimensional and has no thickness.",
                remedy="Remove one of them.",
            )
    else:
        thickness = (
            reader.length(tree["thickness"], "domain.thickness", ge=SMALLEST) if "thickness" in tree else size[2]
        )
        z = None if thickness is None else (-0.5 * thickness, 0.5 * thickness)
        size[2] = thickness
    spans = [s for s in (x, y, z) if s is not None]
    sizes = [s for s in size if s is not None]
    if len(spans) < 3 or len(sizes) < 3:
        return None
    if any(not 0.0 < h or (b - a) / h > 1e9 for (a, b), h in zip(spans, sizes)):
        reader.complain(
            "domain.voxel",
            "a side of the box has more than a billion voxels.",
            remedy="Use larger voxels or a smaller domain.",
        )
        return None
    counts = [max(1, math.ceil((b - a) / h - 1e-9)) for (a, b), h in zip(spans, sizes)]
    low, step = [a for a, _ in spans], sizes
    domain = Domain((low[0], low[1], low[2]), (step[0], step[1], step[2]), (counts[0], counts[1], counts[2]))
    domain = replace(domain, open=_open_faces(reader, tree.get("open"), domain.is_2d))
    for axis, (a, b), n, h in zip("xyz", spans, counts, sizes):
        if abs(n * h - (b - a)) > 1e-6 * h:
            reader.complain(
                f"domain.{axis}",
                f"{b - a:g} um are not a whole number of voxels of {h:g} um; the box ends at {a + n * h:g} um.",
                severity="notice",
            )
    return domain


def _open_faces(reader: Reader, given: Any, flat: bool) -> tuple[str, ...]:
    """Faces through which cells leave that are pushed out, in the order of FACES."""
    known = FACES[:4] if flat else FACES
    if given is None or given == "all":
        return () if given is None else known
    said = [given] if isinstance(given, str) else reader.listed(given, "domain.open", "e.g. [xmax], or all.")
    for i, face in enumerate(said):
        reader.word(face, "domain.open" if isinstance(given, str) else f"domain.open.{i}", (*known, "all"), "face")
    return known if "all" in said else tuple(face for face in known if face in said)


def read_clock(reader: Reader, tree: Any, rising: bool) -> Clock:
    """Clock of a model. rising: every period is a multiple of the one before, as in PhysiCell."""
    tree = reader.group(tree, "clock", (*PERIODS, "error"))
    periods = {
        k: reader.quantity(v, f"clock.{k}", "um/min", gt=0.0)
        if k == "error"
        else reader.quantity(v, f"clock.{k}", "min", ge=SHORTEST, le=LONGEST)
        for k, v in tree.items()
    }
    if any(v is None for v in periods.values()):
        return Clock()
    clock = Clock(**{k: float(v) for k, v in periods.items() if v is not None})
    shortest = min(PERIODS, key=lambda name: getattr(clock, name))
    for short, long in zip(PERIODS, PERIODS[1:]) if rising else [(shortest, name) for name in PERIODS]:
        a, b = getattr(clock, short), getattr(clock, long)
        if whole_ticks(b, a) is None:
            told = f"{long} ({b:g} min) is not a whole multiple of {short} ({a:g} min);"
            each = "transport <= mechanics <= phenotype, each a multiple of the one before."
            reader.complain("clock", told, f"expected {each if rising else 'multiples of the shortest of the three.'}")
            return Clock()
    return clock


def read_record(reader: Reader, tree: Any, tick: float) -> Record:
    """What is recorded, and how often."""
    tree = reader.group(tree, "record", ("cells", "fields", "checkpoint", "columns"))
    out: dict[str, Any] = {}
    for key, value in tree.items():
        if key == "columns":
            listed = (
                [value]
                if isinstance(value, str)
                else reader.listed(value, "record.columns", "e.g. [radius, volume.total].")
            )
            out[key] = tuple(reader.text(v, f"record.columns.{i}") for i, v in enumerate(listed))
            continue
        every = reader.quantity(value, f"record.{key}", "min", ge=SHORTEST, le=LONGEST)
        if every is None:
            continue
        if whole_ticks(every, tick) is None and abs(every / tick - round(every / tick)) > 1e-9:
            reader.complain(
                f"record.{key}",
                f"{value} is not a whole number of ticks of {tick:g} min.",
                remedy=f"Choose a multiple of {tick:g} min.",
            )
            continue
        out[key] = every
    return Record(**out)


def read_factor(
    reader: Reader, name: str, tree: dict[str, Any], is_2d: bool, usual_solver: str = "auto", path: str = ""
) -> Factor | None:
    """One factor; its table of initial concentrations is named, not opened. path: where it stands, if not among the
    factors."""
    path = path or f"factors.{name}"
    tree = reader.group(tree, path, FACTOR_KEYS)
    unit = reader.text(tree.get("unit"), f"{path}.unit") or None
    if unit is None:
        reader.complain(path, "its unit is missing;", f"expected one of {', '.join(FACTOR_UNITS)}.")
        return None
    if unit not in FACTOR_UNITS:
        near = did_you_mean(unit, FACTOR_UNITS)
        reader.complain(
            f"{path}.unit", f"'{unit}' is no unit of a factor.{near}", f"Expected one of {', '.join(FACTOR_UNITS)}."
        )
        return None
    if "diffusion" not in tree:
        reader.complain(path, "its diffusion is missing;", "expected e.g. diffusion: 100000 um^2/min.")

    def number(key: str, given_unit: str, default: float | None, **bounds: Any) -> float | None:
        if key not in tree:
            return default
        value = reader.quantity(tree[key], f"{path}.{key}", given_unit, **bounds)
        return default if value is None else value

    diffusion = number("diffusion", "um^2/min", 0.0, ge=0.0)
    decay = number("decay", "1/min", 0.0, ge=0.0)
    michaelis = number("michaelis", unit, None, gt=0.0)
    boundary = _boundary(reader, tree.get("boundary"), f"{path}.boundary", unit, is_2d)
    outside = [b.value for b in boundary.values() if b.condition != "no-flux"]
    table = ""
    if isinstance(tree.get("initial"), dict):
        table = reader.text(
            reader.group(tree.pop("initial"), f"{path}.initial", ("table",)).get("table"), f"{path}.initial.table"
        )
        if not table:
            reader.complain(
                f"{path}.initial",
                "no table is named;",
                f"expected a concentration, e.g. 38 {unit}, or {{table: file.csv}}.",
            )
    initial = 0.0 if table else number("initial", unit, outside[0] if outside else 0.0, ge=0.0)
    solver = tree.get("solver", usual_solver)
    if not isinstance(solver, str) or solver not in SOLVERS:
        reader.word(solver, f"{path}.solver", SOLVERS, "solver")
    if solver == "cosine" and outside:
        reader.complain(
            f"{path}.solver", "cosine needs closed faces;", "expected no-flux on every face, or another solver."
        )
    held = []
    for i, item in enumerate(
        reader.listed(tree.get("fixed"), f"{path}.fixed", "e.g. - {disc: {radius: 20 um}, value: ...}.")
    ):
        from .regions import REGIONS, read_region

        where = f"{path}.fixed.{i}"
        said = reader.group(item, where, ("value", *REGIONS))
        value = reader.quantity(said.get("value"), f"{where}.value", unit, ge=0.0)
        region = read_region(reader, {k: v for k, v in said.items() if k != "value"}, where)
        if value is not None and region is not None:
            held.append(Held(region, value))
    tolerance = number("tolerance", unit, None, gt=0.0)
    assert diffusion is not None and decay is not None and initial is not None
    hindrance = number("hindrance", "1", 0.0, ge=0.0) or 0.0
    blood = number("blood", unit, 0.0, ge=0.0) or 0.0
    permeability = number("permeability", "um/min", None, ge=0.0)
    mass = number("mass", "kDa", None, gt=0.0)
    doc = reader.text(tree.get("doc"), f"{path}.doc")
    held_at = tuple(held)
    return Factor(
        name,
        unit,
        diffusion,
        decay,
        michaelis,
        initial,
        boundary,
        held_at,
        str(solver),
        tolerance,
        doc,
        table,
        hindrance=hindrance,
        blood=blood,
        permeability=permeability,
        mass=mass,
    )


def with_tables(reader: Reader, factors: list[Factor], domain: Domain, folder: Path | None) -> list[Factor]:
    """Factors with what their tables of initial concentrations hold (for the digest), if they can be read."""
    from .concentrations import read_concentrations

    done: dict[str, str] = {}
    names = [f.name for f in factors]
    for table in dict.fromkeys(f.initial_table for f in factors if f.initial_table and folder is not None):
        try:
            assert folder is not None
            _, done[table] = read_concentrations(folder / table, names, domain, table)
        except ModelError as error:
            reader.problems += error.problems
    return [replace(f, initial_content=done.get(f.initial_table, "")) for f in factors]


def _boundary(reader: Reader, tree: Any, path: str, unit: str, is_2d: bool) -> dict[str, Boundary]:
    """A value for all faces, or a condition per face; the z faces of a 2-D tissue stay closed unless named."""
    faces = FACES[:4] if is_2d else FACES
    if tree is None:
        return {}
    if not isinstance(tree, dict) or set(tree) & {"value", "exchange", "outside", "voxels"}:
        one = _condition(reader, tree, path, unit)
        return dict.fromkeys(faces, one) if one else {}
    out = {}
    for face, given in reader.group(tree, path, FACES, "face").items():
        one = _condition(reader, given, f"{path}.{face}", unit)
        if one:
            out[face] = one
    return out


def _condition(reader: Reader, given: Any, path: str, unit: str) -> Boundary | None:
    if given == "no-flux":
        return Boundary()
    if isinstance(given, dict):
        tree = reader.group(given, path, ("value", "voxels", "exchange", "outside"), "part of a boundary")
        if "voxels" in tree:
            value = reader.quantity(tree["voxels"], f"{path}.voxels", unit, ge=0.0)
            return None if value is None else Boundary("voxels", value)
        if "value" in tree:
            value = reader.quantity(tree["value"], f"{path}.value", unit, ge=0.0)
            return None if value is None else Boundary("value", value)
        permeability = reader.quantity(tree.get("exchange"), f"{path}.exchange", "um/min", gt=0.0)
        outside = reader.quantity(tree.get("outside"), f"{path}.outside", unit, ge=0.0)
        return None if permeability is None or outside is None else Boundary("exchange", outside, permeability)
    value = reader.quantity(given, path, unit, ge=0.0)
    return None if value is None else Boundary("value", value)
