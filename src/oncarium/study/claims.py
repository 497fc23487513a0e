"""Claims: statements about tumors as experiments with a control, replicates and a negative control.

A claim is a file (library/claims): a scenario, what the perturbed arm changes, what switches the mechanism off in both
arms, what is measured, and the direction and band that the literature gives. verdicts.py runs and judges them."""

from __future__ import annotations

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

ARMS = ("changes", "control", "perturbed", "off")
KEYS = (
    "claim", "says", "mechanism", "scenario", "until", "each", "series", "along", *ARMS, "readouts", "effect", "expect",
    "seeds", "notes",
)  # fmt: skip
EFFECTS, DIRECTIONS = ("ratio", "difference", "level", "dip"), ("up", "down", "within")


@dataclass(frozen=True)
class Claim:
    """One claim as read from its file.

    changes   of the scenario, in every arm          control, perturbed, off   further changes: of one arm, or of both
                                                                               with the mechanism off
    readouts  the first one decides                  effect                    "ratio", "difference" (perturbed against
                                                                               control) or "level" (of control)
    direction "up", "down", or "within" the band     band                      lowest and highest plausible effect

    series    in place of perturbed: (x, changes) of a row of arms, x along what `along` says; effect "dip": the lowest
              inner mean over the lower of both ends
    each      "factor", in place of perturbed and off: an arm without each factor (see study/wiring.py); the effect is
              the share of the factors that are heard that shift a read-out, its negative control the same of those that
              nothing hears

    A change "times 0.5" is half of what the model says. What is a claim about a state, not about a perturbation, looks
    at the level alone: it must lie within its band, and with the mechanism off it must not.
    """

    id: str
    says: str
    mechanism: str
    scenario: str
    until: str
    readouts: tuple[Mapping[str, Any], ...]
    effect: str
    direction: str
    band: tuple[float, float]
    source: str
    perturbed: Mapping[str, str]
    off: Mapping[str, str]
    control: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, str] = field(default_factory=dict)
    series: tuple[tuple[float, Mapping[str, str]], ...] = ()
    along: str = ""
    each: str = ""
    seeds: int = 4
    notes: str = ""

    @property
    def none(self) -> float:
        """The value of no effect."""
        return 1.0 if self.effect in ("ratio", "dip") else 0.0

    def arms(self, base: Mapping[str, str] | None = None) -> dict[str, Model]:
        """The arms: control and perturbed (or the series), and the same with the mechanism off. `base`: changes of a
        profile."""
        model = Model.load(self.scenario)
        model = model.with_(base or {})
        if self.each:
            model = model.with_(scaled(model, joined(self.changes, self.control)))
            return {"control": model, **{f: model.with_(wiring.silenced(model, f)) for f in wiring.made(model)}}
        given = {f"{x:g}": joined(self.control, what) for x, what in self.series}
        given = given or {"control": dict(self.control), "perturbed": joined(self.control, self.perturbed)}
        given |= {f"{name}, mechanism off": joined(what, self.off) for name, what in given.items()}
        return {name: model.with_(scaled(model, joined(self.changes, what))) for name, what in given.items()}


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
    needed = {"claim", "says", "mechanism", "scenario", "perturbed", "off", "readouts", "effect", "expect"}
    needed -= {"perturbed"} if tree.get("effect") == "level" or "series" in tree else set()
    needed -= {"off"} if "each" in tree else set()
    series = _read_series(reader, tree)
    for key in KEYS:
        if key in needed and key not in tree:
            said = "a claim without a negative control;" if key == "off" else f"{key} is missing;"
            reader.complain(key, said, "expected what switches the mechanism off." if key == "off" else "")
    readouts = reader.listed(tree.get("readouts"), "readouts", "read-outs such as {measure: count}.")
    if not readouts and "readouts" in tree:
        reader.complain("readouts", "nothing is measured;", "expected read-outs such as {measure: count}.")
    for i, what in enumerate(readouts):
        problem = complaint(what) if isinstance(what, dict) else "expected {measure: ...}."
        if problem:
            reader.complain(f"readouts.{i}", problem)
    effect = reader.text(tree.get("effect"), "effect")
    if effect not in EFFECTS:
        reader.complain("effect", f"'{effect[:60]}' is no effect;", "expected ratio, difference, level or dip.")
    expect = reader.group(tree.get("expect"), "expect", ("direction", "band", "source"))
    direction = reader.text(expect.get("direction"), "expect.direction")
    if direction not in DIRECTIONS:
        reader.complain("expect.direction", f"'{direction[:60]}' is no direction;", "expected up, down or within.")
    elif effect == "level" and direction != "within":
        reader.complain("expect.direction", "a level has no direction;", "expected within.")
    band = reader.interval(expect.get("band"), "expect.band", "1") or (0.0, 1.0)
    scenario = reader.text(tree.get("scenario"), "scenario")
    known = api.scenarios()
    if scenario not in known:
        said = f"no scenario is called '{scenario[:60]}'.{did_you_mean(scenario, known)}"
        reader.complain("scenario", said, f"Scenarios: {', '.join(known)}.")
    seeds = reader.whole(tree["seeds"], "seeds", 1, 1000) if "seeds" in tree else 4
    if "until" in tree:
        reader.quantity(tree["until"], "until", "min", gt=0.0, le=LONGEST)
    changes = {k: reader.group(tree.get(k), k) for k in ARMS}
    words = {k: reader.text(tree.get(k), k) for k in ("claim", "says", "mechanism", "notes", "along", "each")}
    until = reader.text(tree.get("until"), "until", "14 day")
    source = reader.text(expect.get("source"), "expect.source", ASSUMED)
    errors = [p for p in reader.problems if p.severity == "error"]
    if errors:
        raise ModelError(errors)
    claim = Claim(
        words["claim"], words["says"], words["mechanism"], scenario, until, tuple(readouts), effect, direction, band,
        source, seeds=seeds or 4, notes=words["notes"], series=series, along=words["along"], each=words["each"],
        **changes,
    )  # fmt: skip
    try:
        claim.arms()
    except ModelError as error:
        told = [Problem(p.where or path.name, p.path, p.message, p.expected, p.remedy) for p in error.problems]
        raise ModelError(told) from None
    return claim


def _read_series(reader: Reader, tree: Mapping[str, Any]) -> tuple[tuple[float, dict[str, Any]], ...]:
    """The points of a series; at least three, or nothing could dip."""
    if tree.get("each", "factor") != "factor":
        reader.complain("each", f"'{str(tree['each'])[:60]}' is nothing to leave out in turn;", "expected factor.")
    if tree.get("effect") == "dip" and "series" not in tree:
        reader.complain("effect", "a dip needs a series;", "expected series: [{x: 0}, {x: 0.5, path: value}, ...].")
    if "series" not in tree:
        return ()
    given = tree["series"]
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
        return self.changes if self.scenario == claim.scenario else {}


def profiles() -> dict[str, Profile]:
    """The library's profiles by name."""
    out = {}
    for name, given in read(entry("claims", "profiles")).tree.items():
        doc, scenario, until = (str(given.get(key, "")) for key in ("doc", "scenario", "until"))
        seeds = int(given["seeds"]) if "seeds" in given else None
        out[name] = Profile(name, doc, scenario, given.get("changes") or {}, until, seeds)
    return out


def library() -> list[Path]:
    """Files of the library's claims, in order."""
    return sorted((LIBRARY / "claims").glob("C*.yaml"))
