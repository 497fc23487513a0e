"""Numbers of a model that nothing hears: changed by a lot, they change no byte of a tissue that is awake.

Three tissues are asked, until one answers. The first is a small box in which cells of all types crowd at random, with
every state that a rule reads and every factor anywhere between nothing and three times its largest half, vessels open
and the body full: rare events happen there. The second is the model as it is, for a few decisions: what depends on its
regions and its start shows there. The third is the second, awake like the first.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..biology.rules import Rules
from ..errors import ModelError, OncariumError
from ..model.catalog import columns
from ..model.model import Model
from ..units import Quantity
from .simulation import Simulation

SECTIONS = (
    "factors",
    "cells",
    "matrix",
    "membrane",
    "vessels",
    "fluid",
    "supply",
    "body",
    "entry",
    "exit",
    "metastasis",
)
HALF_SIDE, EACH = 90.0, 16  # um of the small box; cells of each type in it
DECISIONS, START, WHOLE = 30, 4, 12  # after which the box, the model as it is and the model awake are looked at
RATE, OTHER = 100.0, 10.0  # by which a rate and any other number are multiplied
KNOWN = {  # path -> why nothing in a tissue hears such a number
    r"^vessels\.regression\.": "heard by vessels that have been without flow for days",
    r"\.necrosis\.duration$": "how long remains stay: days",
    r"^vessels\.sprouting\.": "heard once a vessel has sprouted, which takes a day",
    r"^vessels\.maturation\.lumen$": "heard by a sprout after a day",
    r"^fluid\.drainage\.flow$": "heard where no pressure of the fluid is modelled",
    r"^factors\..*\.mass$": "what a small molecule weighs, for the check of its diffusion",
}
MORE = {"vessels.columns.density": "1000 1/mm^2", "vessels.sprouting.largest": "0.05 1/min"}  # in the small box
RULE = re.compile(r"cells\.(?P<type>[^.]+)\.(?P<at>rules\.[\w.]*\d+)\.(?P<part>to|half|hill)$")
VARIES = re.compile(r"cells\.(?P<type>[^.]+)\.varies\.(?P<what>.+)$")


@dataclass(frozen=True)
class Dead:
    """A number that nothing hears; tried: what it was changed to, in its own unit ("" where nothing could be tried)."""

    path: str
    number: Quantity
    tried: str

    def __str__(self) -> str:
        return f"{self.path}: {self.number}" + ("" if self.tried else " (no other value is allowed)")


def asked(model: Model, only: str = "") -> dict[str, Quantity]:
    """The biological numbers of a model (not geometry, counts, record and solver) whose path has this text. A number
    that is 0 says that something is not there, and is left out."""
    return {p: q for p, q in model.numbers.items() if _is_asked(p, q) and only in p}


def dead_numbers(model: Model, paths: Iterable[str] | None = None, seed: int = 1) -> Iterator[Dead]:
    """Those numbers whose change leaves all tissues the same; all that `asked` gives, or those at some paths.

    >>> import oncarium as oc
    >>> [str(d) for d in dead_numbers(oc.Model.from_text(oc.EXAMPLE), ["factors.oxygen.diffusion"])]
    []
    """
    small = _small(model)
    tissues = ((small, DECISIONS, True), (model, START, False), (model, WHOLE, True))
    before = [_seen(*tissue, seed) for tissue in tissues]
    heard: set[tuple[str, str, str | None]] = set()
    for path in asked(model) if paths is None else paths:
        number, tried = model.numbers[path], ""
        own = _own(model, path)
        for (m, decisions, awake), seen in zip(tissues, before):
            changed = next(_changed(m, path, number, _which(model, path)), None)
            if changed is None:
                continue
            tried = changed[0]
            differ = _differ(_seen(changed[1], decisions, awake, seed), seen)
            if differ - {own[1]} or (differ and own in heard):
                break
            if differ and _is_heard(small, *own, seed):
                heard.add(own)
                break
        else:
            yield Dead(path, number, tried)


def why_dead(dead: Dead) -> str:
    """Why nothing may hear a number, where that is known; or ""."""
    return next((why for pattern, why in KNOWN.items() if re.search(pattern, dead.path)), "")


def _is_asked(path: str, number: Quantity) -> bool:
    section, last = path.partition(".")[0], path.rpartition(".")[2]
    geometry = any(f".{word}." in path for word in ("disc", "ring", "ball", "shell", "box"))
    return section in SECTIONS and number.value != 0.0 and not geometry and last not in ("count", "tolerance", "period")


def _changed(model: Model, path: str, number: Quantity, rule: int) -> Iterator[tuple[str, Model]]:
    """The model with another value there, the first that it allows."""
    large = RATE if "/min" in number.unit else 1 / RATE if number.unit == "min" else OTHER
    for times in (large, 1 / large, 1.5, 1 / 1.5, 1.05, 0.95):
        said = str(Quantity(number.value * times, number.unit))
        try:
            yield said, _with(model, path, said, rule)
        except OncariumError:
            continue


def _with(model: Model, path: str, said: str, rule: int) -> Model:
    found = VARIES.match(path)
    if found:
        return model.with_({f"cells.{found['type']}.varies": {found["what"]: said}})
    found = RULE.match(path)
    if not found:
        return model.with_({path: said})
    kind, k, part = found["type"], rule, found["part"]
    own = [r for name, r in model.rules if name == kind]
    shared = (own[k].behavior, own[k].increases, own[k].pathway)  # rules that share an end move it together
    pattern = {"to": r"( to )[^,]+", "half": r"(, half )[^,]+", "hill": r"(, hill )[^,]+"}[part]
    rules = [
        re.sub(pattern, lambda m: m[1] + said, r.text, count=1)
        if at == k or (part == "to" and (r.behavior, r.increases, r.pathway) == shared)
        else r.text
        for at, r in enumerate(own)
    ]
    return model.with_({f"cells.{kind}.rules": rules})


def _which(model: Model, path: str) -> int:
    """Place of the rule of a number among the rules of its type, which are listed, added to and dropped from; or -1."""
    found = RULE.match(path)
    if not found:
        return -1
    places = dict.fromkeys(m["at"] for m in map(RULE.match, model.numbers) if m and m["type"] == found["type"])
    return list(places).index(found["at"])


def _small(model: Model) -> Model:
    """The same biology in a small box in which all cell types crowd."""
    tree = model.document.tree
    scale = HALF_SIDE / max(model.domain.upper[0], -model.domain.lower[0], 1.0)
    changes: dict[str, Any] = {f"domain.{a}": [f"{-HALF_SIDE} um", f"{HALF_SIDE} um"] for a in "xy"}
    if not model.domain.is_2d:
        changes["domain.z"] = changes["domain.x"]
    changes.update({path: said for path, said in MORE.items() if path in model.numbers})
    changes["initial"] = [{"cells": t.name, "everywhere": {}, "count": EACH} for t in model.types]
    for path, number in model.numbers.items():
        if any(f".{word}." in path for word in ("disc", "ring", "ball", "shell")) and not path.startswith("initial"):
            changes[path] = f"{number.value * scale:.6g} um"
    for t in model.types:  # all rules in one list, so that one of them can be changed
        if t.rules:
            changes[f"cells.{t.name}.rules"] = [r.text for r in t.rules]
    while True:
        try:
            return model.with_(changes)
        except ModelError as error:  # what the small box cannot have stays as it was
            wrong = [p for p in changes if any(problem.path.startswith(p.rstrip("+-")) for problem in error.problems)]
            if not wrong or wrong[0].startswith(("domain", "initial")) or "initial" not in tree:
                raise
            for p in wrong:
                del changes[p]


def _own(model: Model, path: str) -> tuple[str, str, str | None]:
    """Type, column and label that a number itself sets: that these change says nothing about who hears them."""
    found = RULE.match(path)
    if found:
        return found["type"], *[r for name, r in model.rules if name == found["type"]][_which(model, path)].behavior
    parts = path.split(".")
    return (parts[1], ".".join(parts[2:4]), ".".join(parts[4:]) or None) if parts[0] == "cells" else ("", "", None)


def _is_heard(small: Model, kind: str, column: str, label: str | None, seed: int) -> bool:
    """Whether it matters for anything but the column itself what cells of a type have there: nothing, or very much. So
    a number that moves the chance of rare events is not taken for dead."""
    own = {r for name, r in small.rules if name == kind and r.behavior == (column, label)}
    ends = [r.value for r in own]
    paths = [f"cells.{kind}.{column}.{label}"] if label else []
    paths += [f"cells.{kind}.{column}"]  # a cycle of one phase
    rules = {f"cells.{kind}.rules": [r.text for name, r in small.rules if name == kind and r not in own]}
    seen = []
    for value in (0.0, *(v for v in ends if v > 0.0), 0.1, 1.0, 10.0, 1e3, 1e5):
        said = str(Quantity(value, small.names.unit(column, label)))
        for path in paths:
            try:
                seen.append(_seen(small.with_({**rules, path: said}), DECISIONS, True, seed))
                break
            except OncariumError:
                continue
        if seen and _differ(seen[0], seen[-1]) - {column}:
            return True
    return False


def _differ(one: Mapping[str, str], other: Mapping[str, str]) -> set[str]:
    return {k for k in {*one, *other} if one.get(k) != other.get(k)}


def _seen(model: Model, decisions: int, awake: bool, seed: int) -> dict[str, str]:
    """What is there after some decisions: a hash for every column of the cells and every other part of the tissue."""
    simulation = Simulation(model, seed, 1)
    if awake:
        _wake(simulation)
    try:
        for _ in range(simulation.decision_ticks * decisions):
            simulation.step()
    except OncariumError as error:
        return {"error": str(error)}
    cells = simulation.tissue.cells
    order = cells.order()
    out = {name: hashlib.sha256(cells[name][order].tobytes()).hexdigest() for name in cells.columns}
    for name, part in simulation.tissue.members().items():
        if part is not cells:
            h = hashlib.sha256()
            part.digest(h)
            out[f"{name} (part)"] = h.hexdigest()
    return out


def _wake(simulation: Simulation) -> None:
    """Give states that rules read, and all factors, values anywhere between nothing and far above their halves;
    open the vessels, and fill the compartments of the body."""
    rng = np.random.default_rng(1)
    tissue, known = simulation.tissue, columns()
    cells, links = tissue.cells, [k for p in simulation.plan.processes if isinstance(p, Rules) for k in p.links]
    halves: dict[tuple[str, Any], float] = {}
    for link in links:
        halves[link.signal] = max(halves.get(link.signal, 0.0), link.half)
    for door in simulation.model.patient.entries:
        if door.factor:
            at = ("sense.factor", door.factor)
            halves[at] = max(halves.get(at, 0.0), door.half)
    _anywhere_in_the_cycle(simulation, rng)
    for name in cells.columns:  # scores, such as how far a cell is a stem cell, whether rules read them or not
        if name.endswith(".level"):
            halves.setdefault((name, -1), 0.5)
    for (name, _), half in halves.items():
        entry = known.get(name)
        if entry is None or entry.kind != "state" or entry.axis is not None or cells[name].dtype != float:
            continue
        most = 3.0 * half if entry.le is None else min(entry.le, 3.0 * half)
        cells[name][:] = most * rng.random(cells.n) ** 2
    for k, factor in enumerate(simulation.model.factors):
        value = tissue.fields.value[k]
        most = 3.0 * halves.get(("sense.factor", factor.name), 0.0) or 2.0 * max(float(value.max()), 1e-3)
        value[...] = (most if math.isfinite(most) else 1.0) * rng.random(value.shape) ** 2
    matrix = tissue.members().get("matrix")
    for name, strength in (matrix.arrays() if matrix else {}).items():
        if name.startswith("membrane"):
            strength[...] *= rng.random(strength.shape)
    if getattr(tissue, "vessels", None) is not None:
        segments = tissue.vessels.graph.segments
        segments["membrane"][:] = segments["stability"][:] = 0.0
        segments["age"][:] = 1e5
    if getattr(tissue, "body", None) is not None:
        tissue.body.level[:] = rng.uniform(0.5, 3.0, len(tissue.body.level))


def _anywhere_in_the_cycle(simulation: Simulation, rng: np.random.Generator) -> None:
    """Every cell in some phase of its cycle, so that some divide within the hour."""
    cells = simulation.tissue.cells
    if "cycle.phase" not in cells.columns:
        return
    for k, t in enumerate(simulation.model.types):
        mine = np.flatnonzero(cells.type[: cells.n] == k)
        if t.cycle.phases:
            cells["cycle.phase"][mine] = rng.integers(0, len(t.cycle.phases), len(mine))


def by_section(found: Iterable[Dead]) -> Mapping[str, list[Dead]]:
    """Section and name ("cells.carcinoma") -> its dead numbers."""
    out: dict[str, list[Dead]] = {}
    for d in found:
        out.setdefault(".".join(d.path.split(".")[:2]), []).append(d)
    return out
