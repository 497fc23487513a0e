"""How claims are run: three seeds for all, then more for those whose verdict may still change.

Claims and library are frozen before the first run (frozen.json), so that nothing can be changed after a result without
being told. Arms that several claims share are one run. After the first look, seeds go where they are most likely to
change a verdict for their time, until all are decided or the budget is spent; what it leaves open is told so.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..errors import DataError, InputError, OncariumError
from ..model.files import LIBRARY
from ..run import api
from ..run.identity import sources
from ..writing import write_text
from . import wiring
from .claims import Claim, Profile
from .design import tick_seconds
from .effects import Seen
from .effects import see as look_at
from .ensemble import Task, run_all
from .inference import LOOKS
from .verdicts import BUDGET, FAILED, NOT, SUPPORTED, UNDECIDED, Outcome, Values, judge, priors

FROZEN = "frozen.json"
DECIDING = ("control", "perturbed")
CALM = 0.01  # chance of another verdict below which no more seeds are run
See = Callable[[int, int], Any]


class Study:
    """The claims of a folder: what is to be run, what was, and what it says.

    budget   runs in all, those of earlier starts among them     hours   of this start
    seeds    looks go no further than so many                    see     called with (done, all) of each batch
    """

    def __init__(
        self, claims: Sequence[Claim], folder: str | Path, *, profile: Profile | None = None, seeds: int | None = None,
        budget: int | None = None, hours: float | None = None, workers: int | None = None, see: See | None = None,
    ):  # fmt: skip
        self.claims, self.folder, self.profile = list(claims), Path(folder), profile or Profile("")
        self.budget, self.workers, self.see = budget, workers, see
        self.until = time.monotonic() + 3600.0 * hours if hours else float("inf")
        most = seeds or self.profile.seeds or LOOKS[-1]
        self.looks = [n for n in LOOKS if n <= most] or [most]
        self.arms = {c.id: c.arms(self.profile.of(c)) for c in claims}
        self.ends = {c.id: self.profile.until or c.until for c in claims}
        self.n = dict.fromkeys(self.arms, 0)
        self.done: dict[Task, Path] = {}
        self.failed: dict[Task, str] = {}
        self.seen: dict[tuple[str, str], Seen] = {}

    def tasks(self, claim: Claim, n: int) -> dict[str, list[Task]]:
        """Arm -> its runs of the first n seeds."""
        end = self.ends[claim.id]
        return {a: [Task.of(m, end, s) for s in range(1, n + 1)] for a, m in self.arms[claim.id].items()}

    def missing(self, claim: Claim, n: int) -> list[Task]:
        """Runs of a claim with n seeds that nobody has asked for yet."""
        every = dict.fromkeys(t for tasks in self.tasks(claim, n).values() for t in tasks)
        return [t for t in every if t not in self.done and t not in self.failed]

    def cost(self, claim: Claim, n: int) -> float:
        """Core-seconds (estimated) that n seeds would take beyond what is there."""
        return sum(t.until / t.model.clock.tick * tick_seconds(t.model) for t in self.missing(claim, n))

    def left(self) -> float:
        """Runs that the budget leaves."""
        return float("inf") if self.budget is None else self.budget - len(self.done) - len(self.failed)

    def run(self) -> list[Outcome]:
        """Run and judge. Raises InputError where claims or library are not those that were frozen."""
        freeze(self.claims, self.folder, self.profile)
        first: list[Claim] = []
        room, asked = self.left(), dict[Task, None]()
        for claim in self.claims:
            new = [t for t in self.missing(claim, self.first(claim)) if t not in asked]
            if len(new) <= room - len(asked):
                asked |= dict.fromkeys(new)
                first.append(claim)
        self._run(first, {c.id: self.first(c) for c in first})
        outcomes = self.judge()
        while time.monotonic() < self.until:
            chosen = self._next(outcomes)
            if chosen is None:
                break
            claim, n = chosen
            self._run([claim], {claim.id: n})
            outcomes = self.judge()
        return self.judge(last=True)

    def first(self, claim: Claim) -> int:
        """Seeds before anything is judged."""
        return min(claim.seeds or self.looks[0], self.looks[-1])

    def _next(self, outcomes: Sequence[Outcome]) -> tuple[Claim, int] | None:
        """The claim whose verdict is most likely to change for the time that its next look takes, and that look."""
        best, best_worth = None, 0.0
        for o in outcomes:
            n = next((x for x in self.looks if x > self.n[o.claim.id]), None)
            if n is None or o.chance < CALM or o.error or o.claim.each or not self.n[o.claim.id]:
                continue
            if len(self.missing(o.claim, n)) > self.left():
                continue
            worth = o.chance / max(self.cost(o.claim, n), 1e-9)
            if worth > best_worth:
                best, best_worth = (o.claim, n), worth
        return best

    def _run(self, claims: Sequence[Claim], n: Mapping[str, int]) -> None:
        wanted = [t for c in claims for tasks in self.tasks(c, n[c.id]).values() for t in tasks]
        done, failed = run_all(wanted, self.folder / "arms", workers=self.workers, see=self.see)
        self.done |= done
        self.failed |= failed
        self.n |= n

    def judge(self, *, last: bool = False) -> list[Outcome]:
        """What all claims come to with what is there."""
        read = {c.id: self._read(c) for c in self.claims}
        values = {name: found for name, found in read.items() if not isinstance(found, str)}
        found = priors([c for c in self.claims if c.id in values and not c.each], values)
        return [self._outcome(c, read[c.id], found, last) for c in self.claims]

    def _outcome(self, claim: Claim, values: Values | str, found: Mapping[str, Any], last: bool) -> Outcome:
        keys = {a: tuple(t.key for t in tasks) for a, tasks in self.tasks(claim, self.n[claim.id]).items()}
        if isinstance(values, str):
            return Outcome(claim, UNDECIDED, "could not be measured", n=self.n[claim.id], keys=keys, error=values)
        if not self.n[claim.id]:
            return Outcome(claim, BUDGET, "no run within the budget", keys=keys)
        if claim.each:
            return replace(_wired(claim, self.arms[claim.id]["control"], values), keys=keys, n=self.n[claim.id])
        return replace(judge(claim, values, found.get(claim.id), last=last), keys=keys)

    def _read(self, claim: Claim) -> Values | str:
        """Arm -> (read-out, seed): the two that decide, then the others; or why it cannot be read."""
        wanted = [dict(r.what) for r in claim.readouts.values()] + [dict(x) for x in claim.also]
        found: dict[str, list[list[Seen]]] = {}
        for arm, tasks in self.tasks(claim, self.n[claim.id]).items():
            if broken := [self.failed[t] for t in tasks if t in self.failed]:
                return broken[0]
            found[arm] = [[] for _ in wanted]
            for task in tasks:
                result = None
                for k, what in enumerate(wanted):
                    name = task.key, json.dumps(what, sort_keys=True)
                    if name not in self.seen:
                        try:
                            result = result or api.open(self.done[task])
                            self.seen[name] = look_at(result, what)
                        except OncariumError as error:
                            if arm in DECIDING or claim.each:
                                return str(error)
                            self.seen[name] = Seen(math.nan)  # the positive control of a membrane has none to be read
                    found[arm][k].append(self.seen[name])
        return found


def _wired(claim: Claim, control: Any, values: Values) -> Outcome:
    """The outcome of leaving out each factor in turn: the share of those heard that shift a read-out must lie in the
    band of the claim's state, and none that nobody hears may shift any."""
    heard = wiring.heard(control)
    names = [str(what.get("called", what["measure"])) for what in (claim.state.what, claim.function.what, *claim.also)]
    plain = {arm: np.array([[x.value for x in row] for row in rows], float) for arm, rows in values.items()}
    table = wiring.table({f: f in heard for f in plain if f != "control"}, names, plain)
    share, others = table.share(True), table.share(False)
    low, high = claim.state.band
    verdict = FAILED if others > 0.0 else SUPPORTED if low <= share <= high else NOT
    why = f"{share:.2f} of the factors that are heard shift a read-out, {others:.2f} of the others"
    return Outcome(claim, verdict, why, values=values, table=table)


def run_claims(claims: Sequence[Claim], folder: str | Path, **how: Any) -> list[Outcome]:
    """Run claims in a folder, or go on with them; `how` as in `Study`."""
    return Study(claims, folder, **how).run()


def frozen(claims: Sequence[Claim], profile: Profile) -> dict[str, Any]:
    """What decides the outcome of a study of claims: hashes of the claims' files and of the package."""
    return {
        "claims": {c.id: c.digest for c in claims},
        "controls": hashlib.sha256((LIBRARY / "claims" / "controls.yaml").read_bytes()).hexdigest(),
        "package": sources(),
        "version": __version__,
        "profile": profile.name,
    }


def freeze(claims: Sequence[Claim], folder: Path, profile: Profile) -> dict[str, Any]:
    """Note what is about to be run, once; what lies there already must be the same. Raises InputError, DataError."""
    path, now = folder / FROZEN, frozen(claims, profile)
    if not path.exists():
        now["since"] = datetime.now(UTC).isoformat(timespec="seconds")
        folder.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(now, indent=1))
        return now
    try:
        before = json.loads(path.read_text())
        changed = [name for name, digest in now["claims"].items() if before["claims"].get(name, digest) != digest]
    except (ValueError, KeyError, AttributeError, TypeError):
        raise DataError(str(path), "it cannot be read.", remedy="Take another folder:  --out FOLDER") from None
    said = [f"claims {', '.join(changed)}"] if changed else []
    said += [f"the {what}" for what in ("controls", "package", "profile") if before.get(what) != now[what]]
    if said:
        raise InputError(
            str(path), f"{' and '.join(said)} changed since this study began ({before.get('since', '')}).",
            "A study is of one library: what is changed after a result belongs to another one.",
            remedy="Begin anew, and say what was changed:  --out FOLDER --changed FILE",
        )  # fmt: skip
    if new := {k: v for k, v in now["claims"].items() if k not in before["claims"]}:
        before["claims"] |= new
        write_text(path, json.dumps(before, indent=1))
    return before
