"""Claims: statements about tumors as experiments with a control, replicates and a negative control.

A claim is a file (library/claims): a scenario, what the perturbed arm changes, what switches the mechanism off in both
arms, what is measured, and the direction and band that the literature gives. Arms that several claims share are run
once. With the mechanism off the effect must vanish; a claim whose effect stays is reported as one whose negative
control failed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..analysis.readout import complaint, read_out
from ..errors import ModelError, OncariumError, Problem, did_you_mean
from ..model.environment import LONGEST
from ..model.files import LIBRARY, read
from ..model.library import entry
from ..model.model import Model
from ..model.reader import Reader
from ..run import api
from ..units import ASSUMED
from . import wiring
from .ensemble import Task, run_all

SUPPORTED, WEAK, NOT, FAILED, UNKNOWN = "supported", "weak", "not supported", "negative control failed", "not measured"
ARMS = ("changes", "control", "perturbed", "off")
KEYS = (
    "claim",
    "says",
    "mechanism",
    "scenario",
    "until",
    "each",
    "series",
    "along",
    *ARMS,
    "readouts",
    "effect",
    "expect",
    "seeds",
    "notes",
)
EFFECTS, DIRECTIONS = ("ratio", "difference", "level", "dip"), ("up", "down", "within")
RESAMPLES = 10_000  # of the bootstrap
LEFT = 0.25  # with the mechanism off, at most this share of the effect may stay


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
            return {"control": model} | {
                factor: model.with_(wiring.silenced(model, factor)) for factor in wiring.made(model)
            }
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
            said = model.numbers[path]
            new = float(value.removeprefix("times ")) * said.value
            out[path] = str(round(new)) if path.endswith(".count") else str(replace(said, value=new))
        except (KeyError, ValueError, OverflowError):
            problems.append(
                Problem(
                    f"--set {path}={value}"[:200],
                    path,
                    "cannot be set: there is no number to multiply, or none to multiply it by.",
                )
            )
    if problems:
        raise ModelError(problems)
    return out


def joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of both; lists of rules that a type does without are added up, otherwise the later one counts.

    >>> joined({"cells.a.without": ["x on y"]}, {"cells.a.without": ["z on y"], "until": "1 day"})
    {'cells.a.without': ['x on y', 'z on y'], 'until': '1 day'}
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
        reader.complain(
            "scenario",
            f"no scenario is called '{scenario[:60]}'.{did_you_mean(scenario, known)}",
            f"Scenarios: {', '.join(known)}.",
        )
    seeds = reader.whole(tree["seeds"], "seeds", 1, 1000) if "seeds" in tree else 4
    if "until" in tree:
        reader.quantity(tree["until"], "until", "min", gt=0.0, le=LONGEST)
    changes = {k: reader.group(tree.get(k), k) for k in ARMS}
    words = {k: reader.text(tree.get(k), k) for k in ("claim", "says", "mechanism", "notes", "along", "each")}
    until, source = (
        reader.text(tree.get("until"), "until", "14 day"),
        reader.text(expect.get("source"), "expect.source", ASSUMED),
    )
    errors = [p for p in reader.problems if p.severity == "error"]
    if errors:
        raise ModelError(errors)
    claim = Claim(
        words["claim"], words["says"], words["mechanism"], scenario, until, tuple(readouts), effect, direction, band, source, seeds=seeds or 4,
        notes=words["notes"], series=series, along=words["along"], each=words["each"], **changes,
    )  # fmt: skip
    try:
        claim.arms()
    except ModelError as error:
        raise ModelError(
            [Problem(p.where or path.name, p.path, p.message, p.expected, p.remedy) for p in error.problems]
        ) from None
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
        reader.complain(
            "series",
            "expected three points or more, each with an x,",
            "such as [{x: 0}, {x: 0.5, path: value}, {x: 1, path: value}].",
        )
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
        seeds = int(given["seeds"]) if "seeds" in given else None
        out[name] = Profile(
            name,
            str(given.get("doc", "")),
            str(given.get("scenario", "")),
            given.get("changes") or {},
            str(given.get("until", "")),
            seeds,
        )
    return out


def library() -> list[Path]:
    """Files of the library's claims, in order."""
    return sorted((LIBRARY / "claims").glob("C*.yaml"))


@dataclass(frozen=True)
class Effect:
    """An effect over paired seeds: its value and the 95 % interval of a bootstrap over pairs."""

    value: float
    low: float
    high: float
    control: tuple[float, ...]
    perturbed: tuple[float, ...]


def effect_of(control: Sequence[float], perturbed: Sequence[float], kind: str) -> Effect:
    """Perturbed against control, pair by pair: ratio of means, or difference of means; or the mean of the control alone
    (level).

    >>> round(effect_of([10.0, 12.0, 11.0], [5.0, 6.0, 5.5], "ratio").value, 3)
    0.5
    """
    a, b = np.array(control, float), np.array(perturbed, float)
    good = np.isfinite(a) & np.isfinite(b)
    a, b = a[good], b[good]
    if not len(a):
        return Effect(math.nan, math.nan, math.nan, tuple(map(float, control)), tuple(map(float, perturbed)))
    # nothing there in either arm is no effect, something from nothing an endless one
    if kind == "ratio" and a.mean() == 0.0:
        value = 1.0 if b.mean() == 0.0 else math.inf
        return Effect(value, value, value, tuple(map(float, control)), tuple(map(float, perturbed)))
    pick = np.random.default_rng(0).integers(0, len(a), (RESAMPLES, len(a)))
    x, y = a[pick].mean(axis=1), b[pick].mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        many = {"ratio": y / x, "difference": y - x, "level": x}[kind]
    value = {"ratio": b.mean() / a.mean() if a.mean() else 0.0, "difference": b.mean() - a.mean(), "level": a.mean()}[
        kind
    ]
    low, high = np.nanquantile(many, [0.025, 0.975])
    return Effect(float(value), float(low), float(high), tuple(map(float, control)), tuple(map(float, perturbed)))


def dip_of(values: Sequence[Sequence[float]]) -> Effect:
    """The lowest mean of the inner points over the lower mean of the two ends; values (point, seed); control: the means
    of all points.

    >>> round(dip_of([[10.0, 11.0], [5.0, 6.0], [12.0, 12.0]]).value, 2)
    0.52
    """
    v = np.array(values, float)
    pick = np.random.default_rng(0).integers(0, v.shape[1], (RESAMPLES, v.shape[1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.vstack([v.mean(axis=1), v[:, pick].mean(axis=2).T])
        many = means[:, 1:-1].min(axis=1) / means[:, [0, -1]].min(axis=1)
    low, high = np.nanquantile(many[1:], [0.025, 0.975]) if np.isfinite(many).any() else (math.nan, math.nan)
    return Effect(float(many[0]), float(low), float(high), tuple(map(float, means[0])), ())


@dataclass(frozen=True)
class Outcome:
    """What came of a claim; table: of one that leaves out each factor in turn."""

    claim: Claim
    verdict: str
    effects: tuple[Effect, ...]
    off: tuple[Effect, ...]
    keys: Mapping[str, tuple[str, ...]]
    error: str = ""
    table: wiring.Table | None = None


def judge(claim: Claim, main: Effect, off: Effect) -> str:
    """Verdict of the decisive read-out.

    supported   direction right, the interval excludes no effect, the effect lies in the band          weak   right, but
                outside the band
    negative control failed   right, but with the mechanism off more than a quarter of it stays and its interval
                              excludes no effect

    Within a band: supported if the interval lies in it, weak if the estimate does; with the mechanism off the estimate
    must lie outside."""
    if not all(map(math.isfinite, (main.value, main.low, main.high))):
        return UNKNOWN
    low, high = claim.band
    if claim.direction == "within":
        if not low <= main.value <= high:
            return NOT
        if low <= off.value <= high:
            return FAILED
        return SUPPORTED if low <= main.low and main.high <= high else WEAK
    right = main.low > claim.none if claim.direction == "up" else main.high < claim.none
    if not right:
        return NOT
    stays = off.low > claim.none if claim.direction == "up" else off.high < claim.none
    if stays and _size(claim, off.value) > LEFT * _size(claim, main.value):
        return FAILED
    return SUPPORTED if low <= main.value <= high else WEAK


def _size(claim: Claim, value: float) -> float:
    return abs(math.log(max(value, 1e-12))) if claim.none == 1.0 else abs(value)


def run_claims(
    claims: Sequence[Claim],
    folder: str | Path,
    *,
    profile: Profile | None = None,
    seeds: int | None = None,
    workers: int | None = None,
    see: Callable[[int, int], Any] | None = None,
) -> list[Outcome]:
    """Run every arm of every claim (each once), then judge. A second start goes on where the first was stopped.

    folder    results lie in folder/arms          profile   size, days and seeds          seeds   in place of the
              profile's and the claims' own
    """
    folder, profile = Path(folder), profile or Profile("")
    wanted: dict[str, dict[str, list[Task]]] = {}
    for claim in claims:
        count, until = seeds or profile.seeds or claim.seeds, profile.until or claim.until
        wanted[claim.id] = {
            name: [Task.of(model, until, s) for s in range(1, count + 1)]
            for name, model in claim.arms(profile.of(claim)).items()
        }
    done, failed = run_all(
        (t for arms in wanted.values() for tasks in arms.values() for t in tasks),
        folder / "arms",
        workers=workers,
        see=see,
    )
    return [_outcome(claim, wanted[claim.id], done, failed) for claim in claims]


def _outcome(
    claim: Claim, arms: Mapping[str, list[Task]], done: Mapping[Task, Path], failed: Mapping[Task, str]
) -> Outcome:
    keys = {name: tuple(t.key for t in tasks) for name, tasks in arms.items()}
    broken = [failed[t] for tasks in arms.values() for t in tasks if t in failed]
    if broken:
        return Outcome(claim, UNKNOWN, (), (), keys, broken[0])
    try:
        values = {
            name: [[read_out(api.open(done[t]), what) for t in tasks] for what in claim.readouts]
            for name, tasks in arms.items()
        }
    except OncariumError as error:
        return Outcome(claim, UNKNOWN, (), (), keys, str(error))
    if claim.each:
        return _wired(claim, arms, values, keys)
    names, n = list(arms), range(len(claim.readouts))
    halves = names[: len(names) // 2], names[len(names) // 2 :]
    if claim.series:
        pairs = [tuple(dip_of([values[name][k] for name in half]) for k in n) for half in halves]
    else:
        pairs = [tuple(effect_of(values[a][k], values[b][k], claim.effect) for k in n) for a, b in halves]
    return Outcome(claim, judge(claim, pairs[0][0], pairs[1][0]), pairs[0], pairs[1], keys)


def _wired(
    claim: Claim,
    arms: Mapping[str, list[Task]],
    values: Mapping[str, list[list[float]]],
    keys: Mapping[str, tuple[str, ...]],
) -> Outcome:
    """The outcome of leaving out each factor in turn: one number of all seeds, so that its interval is that number."""
    heard = wiring.heard(arms["control"][0].model)
    names = [str(what.get("called", what["measure"])) for what in claim.readouts]
    table = wiring.table(
        {f: f in heard for f in arms if f != "control"}, names, {k: np.array(v, float) for k, v in values.items()}
    )
    main, off = (Effect(x, x, x, (x,), (x,)) for x in (table.share(True), table.share(False)))
    return Outcome(claim, judge(claim, main, off), (main,), (off,), keys, table=table)
