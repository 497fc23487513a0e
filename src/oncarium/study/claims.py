"""Claims: statements about tumors as experiments with a control, replicates and a negative control.

A claim is a file (library/claims): a tissue, what the perturbed arm changes, what switches the mechanism off in both
arms, the rules that carry it, and two read-outs, one of a state and one of the function that follows from it, each with
the direction and band that the literature gives. verdicts.py judges them, protocol.py runs them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..analysis.readout import complaint
from ..errors import ModelError, Problem, did_you_mean
from ..model.environment import LONGEST
from ..model.files import LIBRARY, read
from ..model.library import entry
from ..model.model import Model
from ..model.reader import Reader
from ..run import api
from ..units import ASSUMED
from . import wiring
from .effects import KINDS, LOGS
from .effects import scaled as on_scale

ARMS = ("changes", "control", "perturbed", "second", "off", "sham", "positive")
KEYS = (
    "claim", "says", "mechanism", "tissue", "until", "each", "series", "along", *ARMS, "rules", "readouts", "seeds",
    "notes",
)  # fmt: skip
ROLES, OWN = ("state", "function"), ("effect", "direction", "band", "source")
DIRECTIONS = ("up", "down", "within")
OFF = ", mechanism off"
FEW = ("C10", "C31")  # growth factors drive the cycle; PD-1 holds T cells back


@dataclass(frozen=True)
class Readout:
    """What is measured (analysis/readout.py), how arms are compared (effects.py), and what is expected of it.

    direction   "up", "down", or "within" the band     band   lowest and highest plausible effect
    """

    what: Mapping[str, Any]
    effect: str = "ratio"
    direction: str = "within"
    band: tuple[float, float] = (0.0, 1.0)
    source: str = ""

    @property
    def sign(self) -> float:
        """1 up, -1 down, 0 within."""
        return {"up": 1.0, "down": -1.0}.get(self.direction, 0.0)

    @property
    def limits(self) -> tuple[float, float]:
        """The band on the scale on which effects are compared."""
        low, high = (on_scale(self.effect, x) for x in self.band)
        return low, high


@dataclass(frozen=True)
class Claim:
    """One claim as read from its file.

    changes   of the tissue, in every arm            control, perturbed, off   further changes: of one arm, or of both
                                                                               with the mechanism off
    state, function   the two read-outs that decide  also                      others, told and not judged
    second    of an interaction: the other change, alone and together with the first
    sham      in place of the tissue's: a link that is heard but has nothing to do with the claim, cut as hard
    positive  in place of the tissue's: what must move the read-outs
    rules     that carry it: "tam: lactate on polarization.rise"

    series    in place of perturbed: (x, changes) of a row of arms, x along what `along` says; effect "contrast"
    each      "factor", in place of perturbed and off: an arm without each factor (see study/wiring.py); the effect is
              the share of the factors that are heard that shift a read-out, its negative control the same of those that
              nothing hears

    A change "times 0.5" is half of what the model says. What is a claim about a state, not about a perturbation, looks
    at levels alone: they must lie within their bands, and with the mechanism off they must not.
    """

    id: str
    says: str
    mechanism: str
    tissue: str
    until: str
    state: Readout
    function: Readout
    perturbed: Mapping[str, Any]
    off: Mapping[str, Any]
    also: tuple[Mapping[str, Any], ...] = ()
    control: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    second: Mapping[str, Any] = field(default_factory=dict)
    sham: Mapping[str, Any] = field(default_factory=dict)
    positive: Mapping[str, Any] = field(default_factory=dict)
    series: tuple[tuple[float, Mapping[str, Any]], ...] = ()
    along: str = ""
    each: str = ""
    rules: tuple[str, ...] = ()
    seeds: int | None = None
    notes: str = ""
    digest: str = ""

    @property
    def readouts(self) -> dict[str, Readout]:
        """Those that decide."""
        return {"state": self.state, "function": self.function}

    def arms(self, base: Mapping[str, Any] | None = None) -> dict[str, Model]:
        """The arms: control and perturbed (or the series), the same with the mechanism off, sham and positive control
        where there are any. `base`: changes of a profile."""
        model = Model.load(self.tissue)
        model = model.with_(base or {})
        if self.each:
            model = model.with_(scaled(model, joined(self.changes, self.control)))
            return {"control": model, **{f: model.with_(wiring.silenced(model, f)) for f in wiring.made(model)}}
        given = {f"{x:g}": joined(self.control, what) for x, what in self.series}
        given = given or {"control": dict(self.control)}
        if not self.series and self.perturbed:
            given["perturbed"] = joined(self.control, self.perturbed)
        if self.second and self.perturbed:
            given["second"] = joined(self.control, self.second)
            given["both"] = joined(given["perturbed"], self.second)
        given |= {f"{name}{OFF}": joined(what, self.off) for name, what in given.items()}
        for name, what in self.controls().items():
            given[name] = joined(self.control, what)
        return {name: model.with_(scaled(model, joined(self.changes, what))) for name, what in given.items()}

    def controls(self) -> dict[str, Mapping[str, Any]]:
        """Changes of the sham and of the positive control: the claim's own, or those that the tissue's claims share."""
        shared = controls().get(self.tissue, {}) if not self.series and not self.each else {}
        found = {name: getattr(self, name) or shared.get(name, {}) for name in ("sham", "positive")}
        return {name: what for name, what in found.items() if what}


def controls() -> dict[str, dict[str, Mapping[str, Any]]]:
    """Tissue -> sham and positive control that its claims share (library/claims/controls.yaml)."""
    return read(entry("claims", "controls")).tree


def scaled(model: Model, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes with every "times <number>" worked out: that many times what the model says there.

    >>> from oncarium.model.model import EXAMPLE
    >>> scaled(Model.from_text(EXAMPLE), {"initial.0.count": "times 0.5", "cells.tumor.cycle.exit": "times 2"})
    {'initial.0.count': '10', 'cells.tumor.cycle.exit': '0.001333333333 1/min assumed'}
    """
    out, problems = dict(changes), []
    for path, value in changes.items():
        if not (isinstance(value, str) and value.startswith("times ")):
            continue
        try:
            number = model.numbers[path]
            new = float(value.removeprefix("times ")) * number.value
            out[path] = (
                str(round(new))
                if path.endswith(".count")
                else str(replace(number, value=new, evidence=number.evidence.origin))
            )
        except (KeyError, ValueError, OverflowError):
            said = "cannot be set: there is no number to multiply, or none to multiply it by."
            problems.append(Problem(f"--set {path}={value}"[:200], path, said))
    if problems:
        raise ModelError(problems)
    return out


def joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of both; lists of rules that a type drops are added up, otherwise the later one counts.

    >>> joined({"cells.a.rules-": ["x on y"]}, {"cells.a.rules-": ["z on y"], "until": "1 day"})
    {'cells.a.rules-': ['x on y', 'z on y'], 'until': '1 day'}
    """
    out = {**one, **other}
    for key in {*one} & {*other}:
        if isinstance(one[key], list) and isinstance(other[key], list):
            out[key] = [*one[key], *(x for x in other[key] if x not in one[key])]
    return out


def read_claim(path: str | Path) -> Claim:
    """A claim from its file. Raises ModelError with everything that is wrong, a missing negative control among it."""
    path = Path(path)
    document = read(path, path.name)
    reader = Reader(document)
    tree = reader.group(document.tree, "", KEYS)
    changes = {k: reader.group(tree.get(k), k) for k in ARMS}
    readouts, also = _read_readouts(reader, tree.get("readouts"))
    kinds = {r.effect for r in readouts.values()}
    series = _read_series(reader, tree, kinds)
    needed = ["claim", "says", "mechanism", "tissue", "readouts"]
    needed += [] if kinds == {"level"} or "series" in tree or "each" in tree else ["perturbed"]
    needed += ["second"] if "interaction" in kinds else []
    needed += [] if "each" in tree else ["off"]
    for key in needed:
        if not (changes if key in ARMS else tree).get(key):
            said = "a claim without a negative control;" if key == "off" else f"{key} is missing;"
            reader.complain(key, said, "expected what switches the mechanism off." if key == "off" else "")
    tissue = reader.text(tree.get("tissue"), "tissue")
    known = api.scenarios()
    if tissue and tissue not in known:
        said = f"no tissue or scenario is called '{tissue[:60]}'.{did_you_mean(tissue, known)}"
        reader.complain("tissue", said, f"There are: {', '.join(known)}.")
    seeds = reader.whole(tree["seeds"], "seeds", 1, 1000) if "seeds" in tree else None
    if "until" in tree:
        reader.quantity(tree["until"], "until", "min", gt=0.0, le=LONGEST)
    words = {k: reader.text(tree.get(k), k) for k in ("claim", "says", "mechanism", "notes", "along", "each")}
    until = reader.text(tree.get("until"), "until", "14 day")
    rules = _read_rules(reader, tree.get("rules", []))
    if tissue not in known or not all(isinstance(x, dict) for x in (tree.get("readouts"), document.tree)):
        raise ModelError([p for p in reader.problems if p.severity == "error"])
    nothing = Readout({})
    claim = Claim(
        words["claim"], words["says"], words["mechanism"], tissue, until, readouts.get("state", nothing),
        readouts.get("function", nothing), also=also, seeds=seeds, notes=words["notes"], series=series,
        along=words["along"], each=words["each"], rules=tuple(f"{t}: {r}" for t, r in rules),
        digest=hashlib.sha256(path.read_bytes()).hexdigest(), **changes,
    )  # fmt: skip
    more: list[Problem] = []
    try:
        control = next(iter(claim.arms().values()))
        _check_rules(reader, control, rules)
        _check_names(reader, control, tree["readouts"])
    except ModelError as error:
        more = [Problem(p.where or path.name, p.path, p.message, p.expected, p.remedy) for p in error.problems]
    if errors := [p for p in reader.problems if p.severity == "error"] + more:
        raise ModelError(errors)
    return claim


def _read_readouts(reader: Reader, given: Any) -> tuple[dict[str, Readout], tuple[Mapping[str, Any], ...]]:
    """The read-out of a state and the one of a function, each with what is expected of it, and others."""
    tree = reader.group(given, "readouts", (*ROLES, "also"))
    found: dict[str, Readout] = {}
    for role in ROLES:
        path = f"readouts.{role}"
        if role not in tree:
            if given is not None:
                said = f"a claim with one read-out: its {role} is missing;"
                reader.complain("readouts", said, "expected state: {measure: ...} and function: {measure: ...}.")
            continue
        own = reader.group(tree[role], path)
        what = {k: v for k, v in own.items() if k not in OWN}
        if problem := complaint(what):
            reader.complain(path, problem)
        effect = reader.text(own.get("effect"), f"{path}.effect", "ratio")
        if effect not in KINDS:
            said = f"'{effect[:60]}' is no effect;{did_you_mean(effect, KINDS)}"
            reader.complain(f"{path}.effect", said, f"expected one of {', '.join(KINDS)}.")
        direction = reader.text(own.get("direction"), f"{path}.direction")
        if direction not in DIRECTIONS:
            reader.complain(f"{path}.direction", f"'{direction[:60]}' is no direction;", "expected up, down or within.")
        elif effect in ("level", "equivalence") and direction != "within":
            a = "a level has" if effect == "level" else "an equivalence has"
            reader.complain(f"{path}.direction", f"{a} no direction;", "expected within.")
        band = reader.interval(own.get("band"), f"{path}.band", "1") or (0.0, 1.0)
        if effect in LOGS and band[0] < 0.0:
            reader.complain(f"{path}.band", f"{band[0]:g} is below 0;", "a ratio lies above.")
        source = reader.text(own.get("source"), f"{path}.source", ASSUMED)
        found[role] = Readout(what, effect if effect in KINDS else "ratio", direction, band, source)
    also = reader.listed(tree.get("also", []), "readouts.also", "read-outs such as {measure: count}.")
    for i, what in enumerate(also):
        problem = complaint(what) if isinstance(what, dict) else "expected {measure: ...}."
        if problem:
            reader.complain(f"readouts.also.{i}", problem)
    return found, tuple(x for x in also if isinstance(x, dict))


def _read_rules(reader: Reader, given: Any) -> list[tuple[str, str]]:
    """(type, signal on behavior) of the rules that carry a claim."""
    found = []
    for k, text in enumerate(reader.listed(given, "rules", "rules such as 'tam: lactate on polarization.rise'.")):
        kind, colon, rule = text.partition(":") if isinstance(text, str) else ("", "", "")
        if not colon or " on " not in rule:
            reader.complain(f"rules.{k}", f"'{str(text)[:60]}' is no rule;", "expected 'TYPE: SIGNAL on BEHAVIOR'.")
            continue
        found.append((kind.strip(), rule.strip()))
    return found


def _check_rules(reader: Reader, model: Model, rules: list[tuple[str, str]]) -> None:
    """A rule that a claim rests on must be there."""
    names = [t.name for t in model.types]
    for k, (kind, rule) in enumerate(rules):
        if kind not in names:
            reader.complain(f"rules.{k}", f"no cell type is called '{kind[:60]}'.{did_you_mean(kind, names)}")
            continue
        try:
            model.with_({f"cells.{kind}.rules-": [rule]})
        except ModelError as error:
            said = error.problems[0]
            reader.complain(f"rules.{k}", f"the claim rests on a rule that is not there: {said.message}", said.expected)


def _check_names(reader: Reader, model: Model, given: Mapping[str, Any]) -> None:
    """Types, columns and factors that read-outs name must be in the tissue."""
    types, columns, factors = [t.name for t in model.types], model.names.columns, [f.name for f in model.factors]

    def look(what: Any, path: str) -> None:
        if not isinstance(what, Mapping):
            return
        for key in ("of", "by", "of_whom"):
            for name in what[key] if isinstance(what.get(key), list) else [what.get(key)]:
                if isinstance(name, str) and name not in types:
                    reader.complain(path, f"no cell type is called '{name[:60]}'.{did_you_mean(name, types)}")
        column = what.get("column")
        if isinstance(column, str) and column not in columns and column.rpartition(".")[0] not in columns:
            reader.complain(path, f"no column is called '{column[:60]}'.{did_you_mean(column, columns)}")
        name = str(what.get("name"))
        if what.get("measure") == "factor" and name not in factors:
            reader.complain(path, f"no factor is called '{name[:60]}'.{did_you_mean(name, factors)}")
        look(what.get("per"), f"{path}.per")

    for role in ROLES:
        look(given.get(role), f"readouts.{role}")
    for i, what in enumerate(given["also"] if isinstance(given.get("also"), list) else []):
        look(what, f"readouts.also.{i}")


def _read_series(reader: Reader, tree: Mapping[str, Any], kinds: set[str]) -> tuple[tuple[float, dict[str, Any]], ...]:
    """The points of a series; at least three, or nothing could dip."""
    if tree.get("each", "factor") != "factor":
        reader.complain("each", f"'{str(tree['each'])[:60]}' is nothing to leave out in turn;", "expected factor.")
    if "contrast" in kinds and "series" not in tree:
        reader.complain("series", "a contrast needs a series;", "expected [{x: 0}, {x: 0.5, path: value}, ...].")
    if "series" not in tree:
        return ()
    given = tree["series"]
    if kinds - {"contrast"}:
        reader.complain("series", "a series is for contrasts;", "expected effect: contrast in both read-outs.")
    if not isinstance(given, list) or len(given) < 3 or not all(isinstance(p, dict) and "x" in p for p in given):
        such = "such as [{x: 0}, {x: 0.5, path: value}, {x: 1, path: value}]."
        reader.complain("series", "expected three points or more, each with an x,", such)
        return ()
    places = [reader.quantity(p["x"], f"series.{i}.x", "1") for i, p in enumerate(given)]
    return tuple((x, {k: v for k, v in p.items() if k != "x"}) for x, p in zip(places, given) if x is not None)


@dataclass(frozen=True)
class Profile:
    """How large, how long and how often claims are run: changes of one scenario; until and seeds in place of the
    claims' own."""

    name: str
    doc: str = ""
    scenario: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    until: str = ""
    seeds: int | None = None

    def of(self, claim: Claim) -> Mapping[str, Any]:
        """Changes of the claim's scenario."""
        return self.changes if self.scenario == claim.tissue else {}


def profiles() -> dict[str, Profile]:
    """The library's profiles by name."""
    out = {}
    for name, given in read(entry("claims", "profiles")).tree.items():
        doc, scenario, until = (str(given.get(key, "")) for key in ("doc", "scenario", "until"))
        seeds = int(given["seeds"]) if "seeds" in given else None
        out[name] = Profile(name, doc, scenario, given.get("changes") or {}, until, seeds)
    return out


def few(profile: Profile) -> Profile:
    """A profile for `FEW` claims within minutes: two days, three seeds."""
    return replace(profile, name=f"{profile.name}, few", until="2 day", seeds=3)


def library() -> list[Path]:
    """Files of the library's claims, in order."""
    return sorted((LIBRARY / "claims").glob("C*.yaml"))
