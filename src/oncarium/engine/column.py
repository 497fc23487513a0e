"""A Column is one per-cell quantity, declared once and seen everywhere under its dotted name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

KINDS = ("trait", "state", "signal", "behavior")
INHERIT = ("copy", "halve", "zero", "default")
AT_DEATH = ("keep", "stop", "fade")
AT_CHANGE = ("keep", "base", "zero")


@dataclass(frozen=True)
class Column:
    """One per-cell quantity.

    name      dotted: the Process's section, then the attribute ("motility.speed"); set by the Process
    unit      canonical unit ("um/min"); "1" when dimensionless
    kind      trait | state | signal | behavior
    default   value of a cell whose type says nothing
    ge, le    bounds, or None
    axis      None (one number per cell), "factor", "type", "phase" or "xyz"
    inherit   what a daughter gets at division: copy, halve (both daughters), zero, default
    doc       what it means, one sentence

    What becomes of it:

    at_death    keep; stop: 0 from death on; fade: a tenth of what it was
    at_change   of the cell's type. keep; base: that of the new type; zero. Left out: behaviors take the new type's
                base, the rest stays
    settable    may a model give it a value? Left out: traits and behaviors
                may; signals are perceived, and states come about
    rare        it is there only where a model speaks of it, or of one of
                `along` (columns or sections), or a mechanism requires it
    steady      a behavior that is a constant of its type where nobody changes it
    wakes       its mechanism sleeps in types whose waking columns are all zero
    whole       a behavior that is a whole number
    groups      name -> (lowest, highest) value: cells that loops choose by this column, and that are counted where
                `counted` names the group
    summed      the name under which its sum over the cells of each type is told, if it is
    sparse      of its axis, cells have only those entries that a model speaks of
    short       first word by which its entries go in arguments of loops, besides its own name
    """

    unit: str
    kind: str
    default: float = 0.0
    ge: float | None = None
    le: float | None = None
    axis: str | None = None
    inherit: str = "copy"
    doc: str = ""
    dtype: type = float
    name: str = field(default="")
    at_death: str = "keep"
    at_change: str = ""
    settable: bool | None = None
    rare: bool = False
    along: tuple[str, ...] = ()
    steady: bool = False
    wakes: bool = False
    whole: bool = False
    groups: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    counted: tuple[str, ...] = ()
    summed: str = ""
    sparse: bool = False
    short: str = ""

    def __post_init__(self) -> None:
        if not self.at_change:
            conserved = self.kind != "behavior" or self.inherit == "halve"
            object.__setattr__(self, "at_change", "keep" if conserved else "base")
        if self.settable is None:
            object.__setattr__(self, "settable", self.kind in ("trait", "behavior"))
        if self.kind not in KINDS:
            raise ValueError(f"column kind {self.kind!r}: one of {', '.join(KINDS)}")
        for what, given, known in (
            ("inheritance", self.inherit, INHERIT),
            ("at_death", self.at_death, AT_DEATH),
            ("at_change", self.at_change, AT_CHANGE),
        ):
            if given not in known:
                raise ValueError(f"column {what} {given!r}: one of {', '.join(known)}")

    def named(self, name: str) -> Column:
        """The same column under a dotted name."""
        return replace(self, name=name)

    @property
    def numpy_dtype(self) -> np.dtype:
        """Type of the array's numbers."""
        return np.dtype(np.float64 if self.dtype is float else np.int64 if self.dtype is int else self.dtype)


def Trait(unit: str, default: float = 0.0, **options) -> Column:
    """A constant of a cell, from its type.

    >>> Trait("um", 8.0, doc="radius of the nucleus").kind
    'trait'
    """
    return Column(unit, "trait", default, **options)


def State(unit: str, default: float = 0.0, **options) -> Column:
    """Memory of a cell: volume, phase, damage.

    >>> State("1", inherit="halve").inherit
    'halve'
    """
    return Column(unit, "state", default, **options)


def Signal(unit: str, default: float = 0.0, **options) -> Column:
    """What the cell perceives now.

    >>> Signal("mmHg", axis="factor").numpy_dtype
    dtype('float64')
    """
    return Column(unit, "signal", default, **options)


def Behavior(unit: str, default: float = 0.0, **options) -> Column:
    """What the cell is inclined to do now.

    >>> Behavior("um/min", ge=0.0).ge
    0.0
    """
    return Column(unit, "behavior", default, **options)
