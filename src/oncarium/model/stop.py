"""When a run stops before its end: "live.tumor > 5000", "live.tumor < 1 for 1 day", "mean.oxygen < 2 mmHg".

The names are those of a Result's summary. Rules are looked at when cells are recorded; the first frame that one holds
at, or that ends the time for which it has held, is the last of the run. Time 0 ends no run.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import catalog
from .reader import Reader

if TYPE_CHECKING:
    from .model import Model

SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
RULE = re.compile(r"(.+?)\s*(>=|<=|>|<)\s*(.+?)(?:\s+for\s+(.+))?")
PLASMA = {"": "nM", ".free": "nM", ".given": "nmol"}  # of every drug
EXPECTED = "expected a name of the summary, <, <=, > or >=, and a value, such as live.tumor > 5000."


@dataclass(frozen=True)
class StopRule:
    """One rule: a series of the summary against a value in its unit, for so long (min) without a break."""

    name: str
    sign: str
    value: float
    lasting: float
    text: str

    def holds(self, told: Mapping[str, float]) -> bool:
        """Does it hold for what was told at one frame?

        >>> StopRule("live.tumor", ">", 10.0, 0.0, "").holds({"live.tumor": 11.0})
        True
        """
        return SIGNS[self.sign](told[self.name], self.value)


class StopWatch:
    """Follows the rules frame by frame; `reason` is the text of the first rule that ends the run, `tick` when.

    >>> watch = StopWatch([StopRule("live.a", "<", 1.0, 60.0, "live.a < 1 for 1 h")])
    >>> for k, n in enumerate([5, 0, 0, 0]):
    ...     watch.see(k, 30.0 * k, {"live.a": float(n)})
    >>> watch.tick, watch.reason
    (3, 'live.a < 1 for 1 h')
    """

    def __init__(self, rules: Sequence[StopRule]):
        self.rules = rules
        self.since: dict[StopRule, float] = {}
        self.tick = -1
        self.reason = ""

    def see(self, tick: int, time: float, told: Mapping[str, float]) -> None:
        """One frame of cells, in the order of time."""
        for rule in self.rules:
            if not rule.holds(told):
                self.since.pop(rule, None)
            elif time - self.since.setdefault(rule, time) >= rule.lasting - 1e-9 and tick > 0 and self.tick < 0:
                self.tick, self.reason = tick, rule.text


def summary_units(model: Model) -> dict[str, str]:
    """Every series of the summary that a run of this model has, with its unit.

    >>> from oncarium.model.model import EXAMPLE, Model
    >>> list(summary_units(Model.from_text(EXAMPLE)))[:5]
    ['live.tumor', 'apoptotic.tumor', 'necrotic.tumor', 'volume.tumor', 'mean.oxygen']
    """
    said = catalog.summary()
    own = [c for p in model.processes for c in p.columns()]
    groups = {
        **said["cells"],
        **{g: "1" for c in own for g in c.counted},
        **{c.summed: c.unit for c in own if c.summed},
    }
    kinds = dict.fromkeys([*catalog.events(), *(e for p in model.processes for e in getattr(p, "events", ()))])
    matrix = said["matrix"] if model.matrix is not None else {}
    membrane = () if model.matrix is not None and model.matrix.membrane is not None else ("membrane", "breached")
    others = {name: said[name] for name in ("vessels", "fluid", "metastasis") if getattr(model, name) is not None}
    sites = model.metastasis.sites if model.metastasis else ()
    drugs = model.therapy.drugs if model.therapy else ()
    return {
        **{f"{group}.{t.name}": unit for group, unit in groups.items() for t in model.types},
        **{f"{what}.{f.name}": f.unit for what in ("mean", "lowest", "highest") for f in model.factors},
        **{f"events.{kind}": "1" for kind in kinds},
        **{f"body.{c.name}": "1" for c in model.patient.compartments},
        **{f"matrix.{name}": unit for name, unit in matrix.items() if name not in membrane},
        **{f"{member}.{name}": unit for member, series in others.items() for name, unit in series.items()},
        **{f"metastasis.{s.name}.{what}": "1" for s in sites for what in ("dormant", "growing", "cells")},
        **{f"plasma.{d.name}{what}": unit for d in drugs for what, unit in PLASMA.items()},
        **{f"occupancy.{d.name}.{t.name}": "1" for d in drugs if d.binds for t in model.types},
    }


def read_stop_rules(model: Model, reader: Reader, given: Any) -> tuple[StopRule, ...]:
    """The rules of a model's file; one may stand without its list."""
    texts = [given] if isinstance(given, str) else reader.listed(given, "stop_when", EXPECTED)
    units = summary_units(model) if texts else {}
    rules = [_read(reader, text, f"stop_when.{i}" if given is texts else "stop_when", units)
             for i, text in enumerate(texts)]  # fmt: skip
    return tuple(rule for rule in rules if rule is not None)


def _read(reader: Reader, text: Any, path: str, units: Mapping[str, str]) -> StopRule | None:
    found = RULE.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        reader.complain(path, f"'{str(text)[:60]}' is no rule to stop by;", EXPECTED)
        return None
    name, sign, value, lasting = (part.strip() if part else part for part in found.groups())
    if reader.word(name, path, units, "series of the summary") is None:
        return None
    number = reader.quantity(value, f"{path}.value", units[name])
    held = reader.quantity(lasting, f"{path}.for", "min", ge=0.0) if lasting else 0.0
    return StopRule(name, sign, number, held, text.strip()) if number is not None and held is not None else None
