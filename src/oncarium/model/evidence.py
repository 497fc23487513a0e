"""What the numbers of a model rest on: how many are measured, reported, recalled or assumed, and by whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..units import GRADES, Quantity

if TYPE_CHECKING:
    from .model import Model

# geometry, steps, what is recorded and who is there at the start are choices, and rest on nothing
CHOSEN = ("domain.", "clock.", "until", "seed", "record.", "initial.", "represents", "stop_when.", "matrix.period")
PLACES = (".disc.", ".ring.", ".ball.", ".box.", ".center.", ".voxel.")
PARTS = {"to": "rule: target", "half": "rule: half-maximum", "hill": "rule: Hill power"}
KINDS = {"secretion.rate": "secretion", "secretion.uptake": "uptake", "metabolism.consumption": "uptake"}
NONE_SAID = "none"


@dataclass(frozen=True)
class Told:
    """One number: where it stands, what kind of number it is, and the number with its evidence."""

    path: str
    kind: str
    quantity: Quantity


@dataclass(frozen=True)
class Sources:
    """All numbers of nature in a model; `str` of it is a table of kinds and grades.

    >>> from oncarium.model.model import EXAMPLE, Model
    >>> print(Model.from_text(EXAMPLE).sources())
    kind                   M   R   L   A  none  all
    cycle                  0   0   0   1     0    1
    decay                  0   0   0   1     0    1
    diffusion              0   0   0   1     0    1
    factor                 0   0   0   1     0    1
    rule: Hill power       0   0   0   1     0    1
    rule: half-maximum     0   0   0   1     0    1
    all                    0   0   0   6     0    6
    """

    numbers: tuple[Told, ...]

    def counts(self) -> dict[str, Counter[str]]:
        """Kind -> grade -> how many numbers; the grade of those that say none is "none"."""
        out: dict[str, Counter[str]] = {}
        for told in self.numbers:
            out.setdefault(told.kind, Counter())[told.quantity.grade or NONE_SAID] += 1
        return out

    def __str__(self) -> str:
        kinds = dict(sorted(self.counts().items()))
        kinds["all"] = sum(kinds.values(), Counter())
        grades = [*GRADES, NONE_SAID]
        lines = [f"{'kind':<20}" + "".join(f"{g:>{4 if len(g) == 1 else 6}}" for g in grades) + "  all"]
        for kind, counted in kinds.items():
            cells = "".join(f"{counted[g]:>{4 if len(g) == 1 else 6}}" for g in grades)
            lines.append(f"{kind:<20}{cells}{counted.total():>5}")
        return "\n".join(lines)

    def rows(self) -> Sequence[tuple[str, ...]]:
        """path, kind, value, unit, grade, low, high, sources of every number, as texts."""
        out = []
        for told in self.numbers:
            q = told.quantity
            ends = ("", "") if q.low is None or q.high is None else (f"{q.low:.10g}", f"{q.high:.10g}")
            out.append((told.path, told.kind, f"{q.value:.10g}", q.unit, q.grade, *ends, " ".join(q.sources)))
        return out


COLUMNS = ("path", "kind", "value", "unit", "grade", "low", "high", "sources")


def sources(model: Model) -> Sources:
    """The numbers of a model that say something of nature: no geometry, no steps, no counts, no plain zeros."""
    # a rule keeps the quantities that were read: what it joins says more than its number in a list
    joined = {id(q): f"cells.{kind}: {' on '.join(rule.pair)}" for kind, rule in model.rules for q in rule.numbers}
    told = [
        Told(f"{joined[id(q)]}, {path.rpartition('.')[2]}" if id(q) in joined else path, _kind(path), q)
        for path, q in model.numbers.items()
        if (q.value != 0.0 or q.sources)
        and not path.startswith(CHOSEN)
        and not path.endswith((".tolerance", ".start"))
        and not any(word in path for word in PLACES)
    ]
    return Sources(tuple(told))


def _kind(path: str) -> str:
    """What kind of number stands at a path.

    >>> _kind("cells.treg.secretion.rate.il10"), _kind("cells.treg.rules.0.half"), _kind("factors.il2.decay")
    ('secretion', 'rule: half-maximum', 'decay')
    """
    words = path.split(".")
    if words[0] == "cells" and "rules" in words:
        return PARTS[words[-1]]
    if words[0] == "cells":
        return KINDS.get(".".join(words[2:4]), words[2])
    if words[0] == "factors":
        return words[2] if words[2] in ("diffusion", "decay") else "factor"
    return words[0]
