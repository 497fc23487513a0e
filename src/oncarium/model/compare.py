"""What two models say differently.

Values are compared as quantities, whatever the spelling, and whether said or left at their default.
"""

from __future__ import annotations

import math
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ..units import Quantity
from . import environment
from .nested import flatten

if TYPE_CHECKING:
    from .model import Model

WORDS = ("numerics", "compat", "internalise", "start")
TREES = ("custom", "initial", "matrix", "supply", "body", "entry", "exit")  # compared as they are written
CLOSE = 1e-9  # of a value: what is nearer is the same
NOTHING = "(nothing)"
FACES = tuple(f".boundary.{face}" for face in environment.FACES)
Meaning = dict[str, tuple[Any, str, bool]]  # path -> (value, how to say it, whether the file says it)


def differences(one: Model, other: Model) -> list[str]:
    """One line per value, in the order of the models.

    >>> from oncarium.model.model import EXAMPLE, Model
    >>> model = Model.from_text(EXAMPLE)
    >>> differences(model, model.with_({"until": "24 h"})), differences(model, model.with_({"until": "2 day"}))
    ([], ['until: 1 day -> 2 day'])
    """
    mine, theirs = _meaning(one), _meaning(other)
    lines: dict[str, None] = {}
    for path in dict.fromkeys([*mine, *theirs]):
        a, b = mine.get(path), theirs.get(path)
        alone = a or b
        if (a is None or b is None) and alone is not None and not alone[2]:
            continue  # a default of what only one of them has
        if not _same(a[0] if a else None, b[0] if b else None):
            where = path.rpartition(".")[0] if path.endswith(FACES) and _whole(path, mine, theirs) else path
            lines[f"{where}: {a[1] if a else NOTHING} -> {b[1] if b else NOTHING}"] = None
    return list(lines)


def _whole(path: str, *meanings: Meaning) -> bool:
    """Whether all faces that a boundary speaks of say the same, in each of the models."""
    start = path.rpartition(".")[0] + "."
    said = [{m[p][:2] for p in m if p.startswith(start)} for m in meanings]
    return all(len(one) <= 1 for one in said)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a == b or math.isclose(a, b, rel_tol=CLOSE)
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b))
    return a == b


def _meaning(model: Model) -> Meaning:
    """What a model says, by path."""
    written = flatten(model.document.tree)
    out: Meaning = {}

    def put(path: str, value: Any, unit: str = "", at: str = "") -> None:
        said = written.get(at or path)
        spoken = said is not None
        if said is None and isinstance(value, int | float) and not isinstance(value, bool):
            said = str(Quantity(value, unit or "1"))
        out[path] = (value, str(value) if said is None else said, spoken)

    for word in WORDS:
        put(word, getattr(model, word))
    put("until", model.until, "min")
    put("seed", model.seed)
    for k, axis in enumerate("xyz"):
        put(f"domain.{axis}", (model.domain.lower[k], model.domain.upper[k]))
        put(f"domain.voxel.{axis}", model.domain.voxel[k], "um", "domain.voxel")
    for i, stop in enumerate(model.stop_when):
        out[f"stop_when.{i}"] = ((stop.name, stop.sign, stop.value, stop.lasting), stop.text, True)
    for section, given in (("clock", model.clock), ("record", model.record)):
        for f in fields(given):
            put(f"{section}.{f.name}", getattr(given, f.name), "um/min" if f.name == "error" else "min")
    for factor in model.factors:
        path = f"factors.{factor.name}"
        out[path] = (factor.name, factor.name, True)
        for name, unit in (("unit", ""), ("diffusion", "um^2/min"), ("decay", "1/min"), ("michaelis", factor.unit),
                           ("initial", factor.unit), ("initial_content", ""), ("tolerance", factor.unit),
                           ("hindrance", "")):  # fmt: skip
            put(f"{path}.{name}", getattr(factor, name), unit)
        put(f"{path}.solver", written.get(f"{path}.solver", "usual"))
        put(f"{path}.fixed", tuple((repr(h.region), h.value) for h in factor.held))
        for face, b in factor.boundary.items():
            if b.condition != "no-flux":
                put(f"{path}.boundary.{face}", (b.condition, b.value, b.permeability), "", f"{path}.boundary")
    for t in model.types:
        _cell(model, t, put, out)
    for section in TREES:
        if section != "initial" or not all(p.table for p in model.placements):
            _written(model, section, written, out)
    for i, p in enumerate(model.placements if all(p.table for p in model.placements) else ()):
        values = sorted((c, label or "", tuple(None if x != x else x for x in v)) for (c, label), v in p.values.items())
        out[f"initial.{i}"] = ((p.rows, tuple(values)), f"{len(p.rows)} cells of {p.table}", True)
    return out


def _cell(model: Model, t: Any, put: Any, out: Meaning) -> None:
    path, names = f"cells.{t.name}", model.names
    out[path] = (t.name, t.name, True)
    put(f"{path}.cycle.model", t.cycle.name)
    for k, phase in enumerate(t.cycle.phases):
        put(f"{path}.cycle.exit" + (f".{phase}" if len(t.cycle.phases) > 1 else ""), t.exit[k], "1/min")
        put(f"{path}.cycle.fixed.{phase}", t.fixed[k])
    put(f"{path}.motility.normalized", t.normalized)
    for name, entry in names.columns.items():
        if not (entry.settable or name in t.values) or name == "cycle.exit" or entry.axis in ("xyz", "bond", "phase"):
            continue
        for label in names.labels(entry) if entry.axis else (None,):
            put(f"{path}.{name}" + (f".{label}" if label else ""), t.value(entry, label), names.unit(name, label))
    for rule in t.rules:
        pair = tuple(".".join(w for w in words if w) for words in (rule.signal, rule.behavior))
        how = (rule.increases, rule.value, rule.half, rule.hill, rule.dead, rule.pathway)
        said = " on ".join(word.removeprefix("sense.").removeprefix("factor.") for word in pair)
        out[f"{path}.rules.{said}"] = (how, rule.said, True)
    for i, d in enumerate(t.distributions):
        put(f"{path}.distributions.{i}", (d.column, d.label, d.kind, d.parameters, d.low, d.high))
    for v in t.varies:
        put(f"{path}.varies.{v.name}", v.sigma)
    if t.name in model.networks:
        n = model.networks[t.name]
        put(f"{path}.network", (repr(n.logic), n.minutes, n.held, tuple(repr(i) for i in n.inputs)))


def _written(model: Model, section: str, written: dict[str, str], out: Meaning) -> None:
    """Values of a section as they are written, numbers as numbers."""
    for path, text in written.items():
        if path.partition(".")[0] != section or path.rpartition(".")[2] in ("doc", "gives", "outside"):
            continue
        number = model.numbers.get(path)
        out[path] = (number.value if number is not None else text, text, True)
