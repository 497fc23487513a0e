"""The catalog: sections, units, bounds and meanings of all columns, and the cycle models, as data.

Generated from the mechanisms, so that a model can be checked without the engine; a test keeps it fresh.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("catalog.json")
MOLAR = ("M", "mM", "uM", "nM", "pM")
NAMED_SIGNALS = {
    "pressure": "sense.pressure",
    "time": "sense.time",
    "dead": "sense.dead",
    "attacked": "sense.attacked",
    "damage": "damage.level",
    "volume": "volume.total",
    "live contacts": "sense.contact_live",
    "dead contacts": "sense.contact_dead",
    "apoptotic contacts": "sense.contact_apoptotic",
    "necrotic contacts": "sense.contact_necrotic",
}


@dataclass(frozen=True)
class Entry:
    """One column as a model sees it; the fields are those of engine.column.Column."""

    name: str
    unit: str
    kind: str
    default: float
    ge: float | None
    le: float | None
    axis: str | None
    doc: str
    settable: bool = True  # may a model give it a value? Signals are perceived, and most states come about
    wakes: bool = False  # its mechanism sleeps in types whose waking columns are all zero
    at_death: str = "keep"  # or stop, or fade

    @property
    def section(self) -> str:
        """The first word of the name, e.g. "cycle" of "cycle.exit"."""
        return self.name.partition(".")[0]

    @property
    def attribute(self) -> str:
        """The rest of the name, e.g. "exit" of "cycle.exit"."""
        return self.name.partition(".")[2]


@dataclass(frozen=True)
class CycleEntry:
    """One cycle model: its phases, their default exit rates (1/min), and which last a fixed time."""

    name: str
    phases: tuple[str, ...]
    rates: tuple[float, ...]
    fixed: tuple[bool, ...]


@lru_cache(maxsize=1)
def columns() -> Mapping[str, Entry]:
    """Every column of every mechanism by its dotted name."""
    rows = json.loads(PATH.read_text(encoding="utf-8"))["columns"]
    return {r["name"]: Entry(**r) for r in rows}


@lru_cache(maxsize=1)
def cycles() -> Mapping[str, CycleEntry]:
    """Every cycle model by name."""
    rows = json.loads(PATH.read_text(encoding="utf-8"))["cycles"]
    return {r["name"]: CycleEntry(r["name"], tuple(r["phases"]), tuple(r["rates"]), tuple(r["fixed"])) for r in rows}


@dataclass(frozen=True)
class Mechanism:
    """What a model must know of a mechanism.

    serves   sections it answers for            words   sections or columns that switch it on
    needs, makes   factors it works on, and releases besides what cells secrete
    part     member of the tissue it works on   numerics   those that have it
    modulates   behaviors that it changes from their base at every decision
    """

    name: str
    serves: tuple[str, ...]
    words: tuple[str, ...]
    needs: tuple[str, ...]
    makes: tuple[str, ...]
    part: str
    modulates: tuple[str, ...]
    numerics: tuple[str, ...]


@lru_cache(maxsize=1)
def mechanisms() -> tuple[Mechanism, ...]:
    """Every mechanism, in the order of a tick."""

    def frozen(row: dict[str, Any]) -> dict[str, Any]:
        return {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}

    return tuple(Mechanism(**frozen(row)) for row in json.loads(PATH.read_text(encoding="utf-8"))["mechanisms"])


@dataclass(frozen=True)
class Number:
    """One number of a mechanism; the fields are those of engine.process.Number."""

    name: str
    unit: str
    default: float
    source: str
    doc: str
    ge: float | None
    le: float | None


@lru_cache(maxsize=1)
def groups() -> Mapping[str, tuple[Number, ...]]:
    """Group of a model ("vessels.sprouting") -> the numbers that may stand there."""
    rows = json.loads(PATH.read_text(encoding="utf-8"))["groups"]
    return {group: tuple(Number(**n) for n in numbers) for group, numbers in rows.items()}


def served(numerics: str) -> set[str]:
    """Sections of a model that some mechanism of these numerics answers for.

    >>> "metabolism" in served("oncarium"), "metabolism" in served("physicell")
    (True, False)
    """
    return {section for m in mechanisms() if numerics in m.numerics for section in m.serves}


@lru_cache(maxsize=1)
def events() -> list[str]:
    """Kinds of events that mechanisms log."""
    return json.loads(PATH.read_text(encoding="utf-8"))["events"]


@lru_cache(maxsize=1)
def summary() -> dict[str, dict[str, str]]:
    """Series of a run's summary with their units: `cells` (one per type), and those of members of the tissue."""
    return json.loads(PATH.read_text(encoding="utf-8"))["summary"]


def unit_of(entry: Entry, factor_unit: str = "1") -> str:
    """The unit that a value of this column has; `factor_unit` is that of the factor it speaks of.

    >>> unit_of(columns()["secretion.rate"], "nM"), unit_of(columns()["sense.gradient"], "mmHg")
    ('fmol/min', 'mmHg/um')
    """
    if entry.unit == "amount/min":
        return "fmol/min" if factor_unit in MOLAR else "um^3/min" if factor_unit == "1" else f"{factor_unit}*um^3/min"
    if entry.unit.startswith("concentration"):
        rest = entry.unit.removeprefix("concentration")
        return f"{factor_unit}{rest}"
    return entry.unit
