"""Whether the numbers of a model could be: secretion against what a dish would hold, diffusion against the size of the
molecule, rates against what cells are known to do. It says what is unusual, not what is wrong."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..units import AVOGADRO

if TYPE_CHECKING:
    from .cell import CellType
    from .environment import Factor
    from .model import Model

DISH_CELLS, DISH_MINUTES = 1e6, 1440.0  # per mL; a usual culture, of which the medium is taken after a day
DISH = (
    1.0,
    1e6,
)  # pg/mL: what assays can tell from nothing; a microgram per mL, which only professional secretors reach
PROTEIN = 1.0  # kDa, from which on the laws of diffusion below hold
SPREAD = 2.0  # by which a diffusion may lie outside what the two laws span
REACH = (5.0, 3000.0)  # um, sqrt(D / decay): less than a cell, more than a tissue
SHORTEST_CYCLE = 360.0  # min: no human or mouse tumor cell or lymphocyte is known to divide faster than in six hours
LIMITS = {  # column -> (highest value, unit, why)
    "motility.speed": (30.0, "um/min", "the fastest leukocytes move at about 25 um/min"),
    "death.apoptosis": (0.05, "1/min", "apoptosis takes longer than 20 min to commit"),
    "death.necrosis": (0.05, "1/min", "necrosis takes longer than 20 min to commit"),
    "metabolism.respiration": (5.0, "mM/min", "tumor cells use about 1 mM of oxygen per minute"),
    "phagocytosis.live": (0.1, "1/min", "to eat a cell takes longer than 10 min"),
    "attack.rate": (1.0, "1/min", "a T cell needs minutes to form a synapse"),
    "volume.total": (20_000.0, "um^3", "a sphere of more than 33 um"),
}


@dataclass(frozen=True)
class Checked:
    """One number held against what is known: path, what was worked out from it, its value there (unit), the range that
    is usual, and whether it lies in it."""

    path: str
    what: str
    value: float
    unit: str
    low: float
    high: float
    why: str = ""

    @property
    def usual(self) -> bool:
        return self.low <= self.value <= self.high

    def __str__(self) -> str:
        mark = "" if self.usual else "   unusual"
        usual = f"{self.low:.3g} to {self.high:.3g}" if self.low else f"up to {self.high:.3g}"
        why = f" ({self.why})" if self.why else ""
        return f"{self.path}: {self.what} {self.value:.3g} {self.unit}, usual {usual}{why}{mark}"


def plausible(model: Model) -> list[Checked]:
    """Every number that can be held against what is known.

    >>> from oncarium.model.model import EXAMPLE, Model
    >>> [str(c) for c in plausible(Model.from_text(EXAMPLE)) if not c.usual]
    []
    """
    checked = [c for f in model.factors for c in _diffusion(f)]
    for t in model.types:
        checked += [*_dish(model, t), *_rates(model, t), *_cycle(model, t)]
    return checked


def protein_diffusion(mass: float) -> tuple[float, float]:
    """What a protein of this mass (kDa) diffuses with in tumors and in collagen gel, um^2/min.

    Nugent and Jain 1984 (PMID 6197161): 2.51e-2 M^-1.14 cm^2/s, dextrans and albumin in a carcinoma; Ramanujan et al.
    2002 (DOI 10.1016/S0006-3495(02)73933-7): 3.15e-6 R^-1.29 cm^2/s in gel, with R = 0.0825 M^(1/3) nm, over a
    tortuosity of 1.4 squared.

    >>> [round(d) for d in protein_diffusion(15.5)]
    [2517, 3795]
    """
    dalton = 1000.0 * mass
    tumor = 2.51e-2 * dalton**-1.14
    gel = 3.152e-6 * (1.25 * 0.066 * dalton ** (1 / 3)) ** -1.294 / 1.4**2
    return tumor * 6e9, gel * 6e9


def dish_level(rate: float, mass: float) -> float:
    """pg/mL that a million cells per mL leave in a day, each secreting this (fmol/min) of a protein of this mass (kDa).

    >>> round(dish_level(20e15 / 6.02214076e23, 21.0))  # 20 molecules a minute of 21 kDa
    1004
    """
    return rate * 1e-15 * DISH_CELLS * DISH_MINUTES * mass * 1e3 * 1e12


def _diffusion(f: Factor) -> Iterator[Checked]:
    path = f"factors.{f.name}.diffusion"
    if f.mass is not None and f.mass >= PROTEIN and f.diffusion > 0.0:
        laws = protein_diffusion(f.mass)
        yield Checked(path, "diffusion of a protein of its mass", f.diffusion, "um^2/min",
                      min(laws) / SPREAD, max(laws) * SPREAD)  # fmt: skip
    if f.diffusion > 0.0 and f.decay > 0.0:
        yield Checked(f"factors.{f.name}.decay", "reach", math.sqrt(f.diffusion / f.decay), "um", *REACH)


def _most(model: Model, t: CellType, column: str, label: str | None) -> float:
    """The most that a behavior can be: its base, or the farthest end of its rules."""
    entry = model.names.columns[column]
    ends = [r.value for r in t.rules if r.behavior == (column, label) and r.increases]
    return max([t.value(entry, label), *ends])


def _dish(model: Model, t: CellType) -> Iterator[Checked]:
    for f in model.factors:
        if f.mass is None or f.mass < PROTEIN or f.unit != "nM" or "secretion.rate" not in model.names.columns:
            continue
        most = _most(model, t, "secretion.rate", f.name)
        if most > 0.0:
            what = f"at most {most * AVOGADRO * 1e-15:.3g} molecules/min, in a dish after a day"
            path = f"cells.{t.name}.secretion.rate.{f.name}"
            yield Checked(path, what, dish_level(most, f.mass), "pg/mL", *DISH)


def _rates(model: Model, t: CellType) -> Iterator[Checked]:
    for column, (high, unit, why) in LIMITS.items():
        entry = model.names.columns.get(column)
        if entry is None or (column not in t.values and not any(r.behavior[0] == column for r in t.rules)):
            continue
        for label in model.names.labels(entry) if entry.axis else (None,):
            most = _most(model, t, column, label)
            if most > 0.0:
                path = f"cells.{t.name}.{column}" + (f".{label}" if label else "")
                yield Checked(path, "at most", most, unit, 0.0, high, why)
    radius = (0.75 * t.value(model.names.columns["volume.total"]) / math.pi) ** (1 / 3)
    for f in model.factors:
        uptake = _most(model, t, "secretion.uptake", f.name) if "secretion.uptake" in model.names.columns else 0.0
        if uptake > 0.0 and radius > 0.0:
            yield Checked(f"cells.{t.name}.secretion.uptake.{f.name}", "at most", uptake, "1/min", 0.0,
                          3.0 * f.diffusion / radius**2, "what diffusion can bring to a cell")  # fmt: skip


def _cycle(model: Model, t: CellType) -> Iterator[Checked]:
    if not t.cycle.phases:
        return
    rates = [_most(model, t, "cycle.exit", phase) for phase in t.cycle.phases]
    if min(rates) > 0.0:
        shortest = sum(1.0 / r for r in rates)
        yield Checked(
            f"cells.{t.name}.cycle.exit", "shortest cycle", shortest / 60.0, "h", SHORTEST_CYCLE / 60.0, math.inf
        )
