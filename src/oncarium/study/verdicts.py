"""Verdicts on claims: their arms run, their effects measured, and judged against a negative control.

Arms that several claims share are run once. With the mechanism off the effect must vanish; a claim whose effect stays
is reported as one whose negative control failed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..analysis.readout import read_out
from ..errors import OncariumError
from ..run import api
from . import wiring
from .claims import Claim, Profile
from .effects import Effect, dip_of, effect_of
from .ensemble import Task, run_all

SUPPORTED, WEAK, NOT, FAILED, UNKNOWN = "supported", "weak", "not supported", "negative control failed", "not measured"
LEFT = 0.25  # with the mechanism off, at most this share of the effect may stay


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
