"""Cell types: sections of values, one section per mechanism."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import did_you_mean
from .catalog import CycleEntry, Entry, cycles
from .reader import Reader
from .rule import Names, Rule
from .varies import Varies

EXTRA = {"cycle": ("model", "exit", "duration", "fixed"), "motility": ("normalized",)}
PLAIN = ("library", "like", "doc", "rules", "without", "distributions", "varies", "sleeps")
KINDS = {"uniform": "two ends", "loguniform": "two ends", "normal": "mean and standard deviation",
         "lognormal": "mean and standard deviation of the logarithm",
         "log10normal": "mean and standard deviation of the decadic logarithm"}  # fmt: skip


LARGEST_POWER = 100.0  # of ten, of what is drawn
BRIEFEST = 1e-16  # min, of a phase: none is shorter in PhysiCell


@dataclass(frozen=True)
class Distribution:
    """Values that every cell placed at the start draws for one column (volume.total, or a behavior).

    kind   one of KINDS, parameters as it says     low, high   what lies outside is drawn again (ends excluded)
    """

    column: str
    label: str | None
    kind: str
    parameters: tuple[float, float]
    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True)
class CellType:
    """What a model says about one type.

    values   column -> number, or label -> number for a column with an axis; absent where the file says nothing
    exit     exit rate of each cycle phase, 1/min
    fixed    whether each phase lasts a fixed time
    sleeps   "signal on behavior" (* for any) -> why such a rule does nothing as long as nobody interferes
    """

    name: str
    values: Mapping[str, Any]
    cycle: CycleEntry
    exit: tuple[float, ...]
    fixed: tuple[bool, ...]
    normalized: bool = False
    rules: tuple[Rule, ...] = ()
    sections: frozenset[str] = field(default_factory=frozenset)
    doc: str = ""
    distributions: tuple[Distribution, ...] = ()
    varies: tuple[Varies, ...] = ()
    sleeps: Mapping[str, str] = field(default_factory=dict)

    @property
    def differing(self) -> list[tuple[str, str | None]]:
        """(column, label) of all in which cells of this type differ by a draw."""
        return [(x.column, x.label) for x in self.distributions] + [(x.column, x.label) for x in self.varies]

    def value(self, entry: Entry, label: str | None = None) -> float:
        """Unmodulated value of a column (or of one label of it)."""
        if entry.name == "cycle.exit":
            return self.exit[self.cycle.phases.index(label)] if label in self.cycle.phases else 0.0
        given = self.values.get(entry.name, entry.default)
        if isinstance(given, Mapping):
            return given.get(label, entry.default)
        return given


def read_cell(reader: Reader, name: str, tree: Mapping[str, Any], names: Names) -> CellType:
    """One cell type without its rules."""
    path = f"cells.{name}"
    sections: dict[str, dict[str, Entry]] = {}
    for entry in names.columns.values():
        if entry.settable:
            sections.setdefault(entry.section, {})[entry.attribute] = entry
        elif entry.attribute and entry.section != "sense":
            sections.setdefault(entry.section, {})  # nothing to set, but to switch on
    values: dict[str, Any] = {}
    cycle = cycles()["none"]
    exit: tuple[float, ...] = ()
    fixed: tuple[bool, ...] = ()
    normalized = False
    for key, given in tree.items():
        where = f"{path}.{key}"
        if key in PLAIN:
            continue
        if key not in sections:
            known = [*sections, *PLAIN]
            reader.complain(
                where, f"'{key}' is no section of a cell type.{did_you_mean(key, known)}", f"Known: {', '.join(known)}."
            )
            continue
        attributes = sections[key]
        allowed = [*attributes, *(x for x in EXTRA.get(key, ()) if x not in attributes)]
        group = reader.group(given, where, allowed, f"part of {key}")
        if key == "cycle":
            cycle, exit, fixed = _cycle(reader, group, where)
        for attribute, item in group.items():
            if attribute == "normalized":
                normalized = reader.truth(item, f"{where}.{attribute}")
            elif key != "cycle":
                entry = attributes[attribute]
                value = _value(reader, item, f"{where}.{attribute}", entry, names)
                if value is not None:
                    values[entry.name] = value
    used = frozenset(k for k in tree if k in sections)
    return CellType(name, values, cycle, exit, fixed, normalized, (), used, reader.text(tree.get("doc"), f"{path}.doc"))


def _value(reader: Reader, given: Any, path: str, entry: Entry, names: Names) -> Any:
    if entry.axis is None:
        return reader.quantity(given, path, names.unit(entry.name, None), ge=entry.ge, le=entry.le)
    labels = names.labels(entry)
    if not isinstance(given, Mapping):
        if entry.axis == "type":  # one value for all types
            one = reader.quantity(given, path, names.unit(entry.name, None), ge=entry.ge, le=entry.le)
            return None if one is None else dict.fromkeys(labels, one)
        reader.complain(
            path,
            f"'{str(given)[:60]}': expected one value per {entry.axis},",
            f"e.g. {{{next(iter(labels), 'name')}: ...}}.",
        )
        return None
    out = {}
    for label, item in given.items():
        if label not in labels:
            reader.complain(
                f"{path}.{label}",
                f"no {'cell type' if entry.axis == 'type' else entry.axis} is called '{label}'."
                f"{did_you_mean(label, labels)}",
                f"This model has: {', '.join(labels) or 'none'}.",
            )
            continue
        value = reader.quantity(item, f"{path}.{label}", names.unit(entry.name, label), ge=entry.ge, le=entry.le)
        if value is not None:
            out[label] = value
    return out


def read_distributions(reader: Reader, given: Any, path: str, names: Names) -> tuple[Distribution, ...]:
    """What the cells of a type draw at the start."""
    given = reader.listed(given, path, "e.g. - {column: volume.total, normal: [2494 um^3, 200 um^3]}.")
    columns = names.all(("behavior",)) | {"volume.total": ("volume.total", None)}
    out = []
    for i, item in enumerate(given):
        where = f"{path}.{i}"
        tree = reader.group(item, where, ("column", "between", *KINDS))
        name, kinds = reader.text(tree.get("column"), f"{where}.column"), [k for k in KINDS if k in tree]
        if name not in columns:
            reader.complain(f"{where}.column", f"no behavior is called '{name}'.{did_you_mean(name, columns)}")
            continue
        if len(kinds) != 1:
            reader.complain(where, f"{len(kinds)} distributions;", f"expected exactly one of {', '.join(KINDS)}.")
            continue
        kind = kinds[0]
        column, label = columns[name]
        unit = names.unit(column, label)
        logarithms = kind in ("lognormal", "log10normal")
        pair = _pair(reader, tree[kind], f"{where}.{kind}", "1" if logarithms else unit, KINDS[kind])
        between = (
            _pair(reader, tree["between"], f"{where}.between", unit, "two ends") if "between" in tree else (None, None)
        )
        if pair is None or between is None or pair[0] is None or pair[1] is None:
            continue
        one, two = pair[0], pair[1]
        low, high = (-math.inf if between[0] is None else between[0]), (math.inf if between[1] is None else between[1])
        if kind in ("uniform", "loguniform"):
            if one > two or (kind == "loguniform" and one <= 0.0):
                reader.complain(f"{where}.{kind}", f"the ends are {one:g} and {two:g};",
                                f"expected {'0 < ' if kind == 'loguniform' else ''}low <= high.")  # fmt: skip
                continue
        elif logarithms and abs(one) + 8.0 * abs(two) > (
            LARGEST_POWER if kind == "log10normal" else LARGEST_POWER * math.log(10.0)
        ):
            reader.complain(
                f"{where}.{kind}",
                f"draws of {one:g} +- {two:g} are powers beyond 1e{LARGEST_POWER:g}.",
                remedy="They are logarithms.",
            )
            continue
        elif two < 0.0:
            reader.complain(f"{where}.{kind}", f"a standard deviation of {two:g};", "expected at least 0.")
            continue
        if not _reachable(kind, one, two, low, high):
            reader.complain(
                f"{where}.between", f"almost no draw lies between {low:g} and {high:g}.", remedy="Widen the limits."
            )
            continue
        out.append(Distribution(column, label, kind, (one, two), low, high))
    return tuple(out)


def _reachable(kind: str, mu: float, sigma: float, low: float, high: float) -> bool:
    """Do at least one in ten thousand draws lie within the limits?"""
    if kind in ("uniform", "loguniform"):
        return low < mu or low < high
    if kind != "normal":
        scale = math.log(10.0) if kind == "log10normal" else 1.0
        low, high = (math.log(v) / scale if v > 0.0 else -math.inf for v in (low, high))
    if sigma == 0.0:
        return low < mu < high
    within = 0.5 * (math.erf((high - mu) / sigma / math.sqrt(2.0)) - math.erf((low - mu) / sigma / math.sqrt(2.0)))
    return within >= 1e-4


def _pair(reader: Reader, given: Any, path: str, unit: str, what: str) -> tuple[float | None, float | None] | None:
    if not isinstance(given, list) or len(given) != 2:
        reader.complain(path, f"'{str(given)[:60]}';", f"expected {what}, as [.., ..].")
        return None
    values = [None if v is None else reader.quantity(v, f"{path}.{i}", unit) for i, v in enumerate(given)]
    if any(v is None and g is not None for v, g in zip(values, given)):
        return None
    return values[0], values[1]


def _cycle(reader: Reader, tree: dict[str, Any], path: str) -> tuple[CycleEntry, tuple[float, ...], tuple[bool, ...]]:
    """Cycle model, exit rates and fixed phases."""
    known = cycles()
    chosen = tree.get("model", "live")
    if not isinstance(chosen, str) or chosen not in known:
        reader.word(chosen, f"{path}.model", known, "cycle model")
        chosen = "live"
    model = known[chosen]
    rates, fixed = list(model.rates), list(model.fixed)
    if "exit" in tree and "duration" in tree:
        reader.complain(f"{path}.duration", "exit and duration both set the phases.", remedy="Keep one of them.")
    for key, unit in (("exit", "1/min"), ("duration", "min")):
        given = tree.get(key)
        if given is None:
            continue
        if not isinstance(given, dict):
            if len(model.phases) != 1:
                reader.complain(
                    f"{path}.{key}",
                    f"the cycle model {chosen} has {len(model.phases)} phases;",
                    f"expected one value for each: {', '.join(model.phases)}.",
                )
                continue
            given = {model.phases[0]: given}
            place = f"{path}.{key}"
        else:
            place = ""
        for phase, item in given.items():
            if phase not in model.phases:
                reader.word(phase, f"{path}.{key}.{phase}", model.phases, "phase")
                continue
            value = reader.quantity(item, place or f"{path}.{key}.{phase}", unit, ge=0.0 if key == "exit" else BRIEFEST)
            if value is not None:
                rates[model.phases.index(phase)] = value if key == "exit" else 1.0 / value
    given = tree.get("fixed")
    if isinstance(given, list):
        for i, phase in enumerate(given):
            reader.word(phase, f"{path}.fixed.{i}", model.phases, "phase")
        fixed = [p in given for p in model.phases]
    elif given is not None:
        fixed = [reader.truth(given, f"{path}.fixed")] * len(model.phases)
    return model, tuple(rates), tuple(fixed)


def awake(cell: CellType, columns: Mapping[str, Entry]) -> set[str]:
    """Sections of a type whose mechanism is awake: some column that wakes it is not zero."""

    def moves(name: str) -> bool:
        given = cell.values.get(name, columns[name].default)
        return any(v != 0.0 for v in given.values()) if isinstance(given, Mapping) else given != 0.0

    waking: dict[str, list[str]] = {}
    for name, entry in columns.items():
        if entry.wakes:
            waking.setdefault(entry.section, []).append(name)
    return set(cell.sections) - {section for section, names in waking.items() if not any(moves(n) for n in names)}
