"""The wiring of a model, read from the model itself: who makes and takes up what, what acts on whom, who touches
whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..biology.fluid.lymph import Lymph
from ..biology.order import MECHANISMS
from ..biology.vessels.secretion import VesselSecretion
from ..engine.loop import Maker
from ..model.catalog import NAMED_SIGNALS
from ..model.cell import CellType
from ..model.model import Model

LETTERS = {  # section of a behavior -> letter in the figure, and what it stands for
    "cycle": ("G", "divides"),
    "death": ("D", "dies"),
    "motility": ("M", "moves"),
    "guidance": ("M", "moves"),
    "mechanics": ("M", "moves"),
    "secretion": ("S", "secretes"),
    "uptake": ("U", "takes up"),
    "attack": ("K", "kills, eats"),
    "phagocytosis": ("K", "kills, eats"),
    "fusion": ("K", "kills, eats"),
    "surface": ("P", "presents"),
    "checkpoint": ("P", "presents"),
    "matrix": ("X", "makes matrix"),
    "reservoir": ("X", "makes matrix"),
    "metabolism": ("E", "metabolism"),
    "transformation": ("F", "fate"),
    "stem": ("F", "fate"),
    "network": ("N", "network"),
    "entry": ("R", "is recruited"),
}
OTHER = ("O", "other")
MOLECULES = 6.02214076e8  # of one fmol
TOUCHES = {"attack.rate": "attacks", "phagocytosis.live": "eats", "fusion.rate": "fuses with"}


@dataclass(frozen=True)
class Effect:
    """A signal changes what cells of a type do; `letter` is one of LETTERS, or two letters for an inner state."""

    signal: str
    type: str
    letter: str
    up: bool
    said: str


@dataclass(frozen=True)
class Touch:
    """Cells of one type act on those of another that they touch; up is None where it is no rule."""

    by: str
    on: str
    verb: str
    up: bool | None = None


@dataclass(frozen=True)
class Wiring:
    """What a model joins.

    makes     (factor, type) -> rate without and with the rules that raise it; a mechanism's rate counts as 1
    takes     (factor, type) of uptake and consumption         outside   factors that come from the faces or from supply
                                                                         voxels
    states    inner state -> its two letters
    others    who makes and takes besides cells: vessels (what the blood brings, walls release and washout takes), lymph
    """

    types: tuple[str, ...]
    factors: tuple[str, ...]
    outside: frozenset[str]
    makes: dict[tuple[str, str], tuple[float, float]]
    takes: frozenset[tuple[str, str]]
    effects: tuple[Effect, ...]
    touches: tuple[Touch, ...]
    states: dict[str, str]
    others: tuple[str, ...] = ()

    @property
    def signals(self) -> list[str]:
        """What rules read beside factors: inner states first."""
        told = dict.fromkeys(e.signal for e in self.effects if e.signal not in self.factors)
        return [*(s for s in self.states if s in told), *(s for s in told if s not in self.states)]


def read_wiring(model: Model) -> Wiring:
    """The wiring that a model's types, rules, supplies and doors describe.

    >>> from oncarium.model.model import EXAMPLE, Model
    >>> [(e.signal, e.type, e.letter, e.up) for e in read_wiring(Model.from_text(EXAMPLE)).effects]
    [('oxygen', 'tumor', 'D', False)]
    """
    factors = tuple(f.name for f in model.factors)
    outside = {
        f.name
        for f in model.factors
        if f.held or any(b.condition != "no-flux" and b.value > 0.0 for b in f.boundary.values())
    }
    outside |= {name for s in model.patient.supply for name, _, blood in s.factors if blood > 0.0}
    makes: dict[tuple[str, str], tuple[float, float]] = {}
    takes: set[tuple[str, str]] = set()
    for t in model.types:
        made, taken = _exchange(model, t)
        makes |= {(f, t.name): rates for f, rates in made.items()}
        takes |= {(f, t.name) for f in taken}
    others = tuple(name for name, there in (("vessels", model.vessels), ("lymph", _drained(model))) if there)
    for name in others:
        made, taken = _vessels(model) if name == "vessels" else _lymph(model)
        makes |= {(f, name): rates for f, rates in made.items()}
        takes |= {(f, name) for f in taken}
    states = _inner_states(model)
    effects = [_effect(model, name, r, states) for name, r in model.rules if r.signal[0] != "sense.contact"]
    for t in model.types:
        ruled = {str(r.behavior[1]): r.value for r in t.rules if r.behavior[0] == "motility.sensitivity" and r.value}
        for factor, weight in (ruled | dict(_labels(t, "motility.sensitivity"))).items():
            effects.append(
                Effect(
                    factor,
                    t.name,
                    "M",
                    weight > 0.0,
                    f"{t.name} moves {'up' if weight > 0.0 else 'down'} the gradient of {factor}",
                )
            )
    for name, network in model.networks.items():
        for i in network.inputs:
            node = network.logic.nodes[i.node]
            said = (
                f"{name}: {signal_name(i.signal)} {'above' if i.above else 'below'} {i.threshold:g} switches on {node}"
            )
            effects.append(Effect(signal_name(i.signal), name, "N", i.above, said))
    effects += [
        Effect(e.factor, e.type, "R", True, f"{e.factor} lets {e.type} in") for e in model.patient.entries if e.factor
    ]
    unique = {(e.signal, e.type, e.letter, e.up, e.said): e for e in effects}
    return Wiring(
        tuple(t.name for t in model.types),
        factors,
        frozenset(outside),
        makes,
        frozenset(takes),
        tuple(unique.values()),
        _touches(model),
        states,
        others,
    )


def _drained(model: Model) -> bool:
    return Lymph.group in model.groups


def _washed(model: Model) -> set[str]:
    """Factors that pass walls."""
    return {f.name for f in model.factors if f.mass is not None or f.permeability is not None}


def _vessels(model: Model) -> tuple[dict[str, tuple[float, float]], set[str]]:
    """What vessels bring or release (rate, largest rate, of an endothelial cell), and what they take."""
    numbers = {n.name: n.default for n in VesselSecretion.numbers} | VesselSecretion.said(model)
    per_cell = {f: numbers[f] / (1.0 if f == "timp" else MOLECULES) for f in VesselSecretion.makes}
    most = per_cell | {"ang2": per_cell["ang2"] + numbers["ang2_more"] / MOLECULES}
    called = per_cell | {"cxcl9": 0.0}  # by interferon gamma only
    known = [f.name for f in model.factors]
    made = {f: (called[f], most[f]) for f in per_cell if f in known and most[f] > 0.0}
    made |= {f.name: (1.0, 1.0) for f in model.factors if f.name == "oxygen" or f.blood > 0.0}
    return made, _washed(model) | ({"vegfa"} & set(known))


def _lymph(model: Model) -> tuple[dict[str, tuple[float, float]], set[str]]:
    """What lymph vessels release, and what they drain."""
    rate = model.groups[Lymph.group]["ccl21"] / MOLECULES
    known = {f.name for f in model.factors}
    drained = {f.name for f in model.factors if f.mass is not None}
    return {f: (rate, rate) for f in Lymph.makes if f in known and rate > 0.0}, drained


def _labels(t: CellType, column: str) -> list[tuple[str, float]]:
    """(label, value) of a column with an axis where it is not zero."""
    given = t.values.get(column)
    return [(k, v) for k, v in given.items() if v] if isinstance(given, dict) else []


def _exchange(model: Model, t: CellType) -> tuple[dict[str, tuple[float, float]], set[str]]:
    """What one type releases (rate, largest rate) and takes up: by its numbers, its rules and its mechanisms."""
    made = {f: (v, v) for f, v in _labels(t, "secretion.rate")}
    made |= {f: (v, v) for f, v in _labels(t, "secretion.export") if v > 0.0}
    taken = {f for column in ("secretion.uptake", "metabolism.consumption") for f, _ in _labels(t, column)}
    for rule in t.rules:
        column, label = rule.behavior
        if label and column == "secretion.rate" and rule.increases and rule.value > 0.0:
            base, most = made.get(label, (0.0, 0.0))
            made[label] = (base, max(most, rule.value))
        elif label and column in ("secretion.uptake", "metabolism.consumption") and rule.value > 0.0:
            taken.add(label)
    for loop in MECHANISMS:
        if isinstance(loop, Maker) and any(t.values.get(word) for word in loop.words):
            for column, _, label in (str(w).rpartition(".") for w in loop.options["writes"]):
                if column == "secretion.rate":
                    made.setdefault(label, (1.0, 1.0))
                elif column == "metabolism.consumption":
                    taken.add(label)
    return made, taken


def _inner_states(model: Model) -> dict[str, str]:
    """Inner states that rules drive by `.rise` and `.fall`, with two letters each.

    A state without another letter free keeps its first and a digit.
    """
    out: dict[str, str] = {}
    for _, rule in model.rules:
        section, _, attribute = rule.behavior[0].partition(".")
        if attribute in ("rise", "fall") and section not in out:
            first = section[0].upper()
            free = [first + c for c in [*section[1:], *"23456789"] if first + c not in out.values()]
            out[section] = free[0]
    return dict(sorted(out.items()))


def _effect(model: Model, name: str, rule: Any, states: dict[str, str]) -> Effect:
    section, _, attribute = rule.behavior[0].partition(".")
    up = rule.increases
    if section in states and attribute in ("rise", "fall"):
        letter, up = states[section], up == (attribute == "rise")
    else:
        key = "uptake" if rule.behavior[0] in ("secretion.uptake", "metabolism.consumption") else section
        letter = LETTERS.get(key, OTHER)[0]
    return Effect(signal_name(rule.signal), name, letter, up, f"{name}: {rule.text}")


def signal_name(signal: tuple[str, str | None]) -> str:
    """What the figure calls a signal.

    >>> signal_name(("sense.factor", "oxygen")), signal_name(("emt.level", None)), signal_name(("sense.pressure", None))
    ('oxygen', 'emt', 'pressure')
    """
    column, label = signal
    short = {v: k for k, v in NAMED_SIGNALS.items()}.get(column)
    if short:
        return short
    if column == "sense.gradient":
        return f"gradient of {label}"
    return label or column.removesuffix(".level").removeprefix("sense.")


def _touches(model: Model) -> tuple[Touch, ...]:
    out = []
    for t in model.types:
        for column, verb in TOUCHES.items():
            on = {label for label, v in _labels(t, column) if v > 0.0}
            on |= {str(r.behavior[1]) for r in t.rules if r.behavior[0] == column and r.increases and r.value > 0.0}
            out += [Touch(t.name, label, verb) for label in (x.name for x in model.types) if label in on]
        for rule in t.rules:
            if rule.signal[0] == "sense.contact":
                out.append(Touch(str(rule.signal[1]), t.name, f"changes {rule.behavior[0]}", rule.increases))
    return tuple(dict.fromkeys(out))
