"""Verdicts: what two read-outs and their controls say of a claim, and whether more seeds might say something else.

A read-out is *right* where its effect is shown in the direction that is expected, *wrong* where the opposite is shown,
*futile* where the effect is equivalent to none or what was seen leaves little chance of showing it by the last look,
otherwise *open*. With the mechanism off the effect must be nothing: equivalent within a margin of a quarter of it (at
least 0.1 on the scale of logarithms); one that is shown to be there is a failed control, and one that cannot be told
caps the claim at weak.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from . import wiring
from .claims import OFF, Claim, Readout
from .effects import KINDS, LOGS, Seen, effect_of, gain
from .inference import (
    DIFFERENT,
    EQUIVALENT,
    FUTILE,
    LOOKS,
    OPEN,
    Estimate,
    Prior,
    adjusted,
    equivalence,
    estimate,
    fit_prior,
    level,
    will_settle,
    will_show,
)  # fmt: skip

SUPPORTED, WEAK, NOT, CONTRADICTED = "supported", "weak", "not supported", "contradicted"
UNDECIDED, BUDGET, FAILED = "undecided", "undecided (budget)", "control failed"
VERDICTS = (SUPPORTED, WEAK, NOT, CONTRADICTED, UNDECIDED, BUDGET, FAILED)
RIGHT, WRONG, FUTILE_ = "right", "wrong", "futile"
SHARE, LEAST = 0.25, 0.10  # of the main effect, and of a logarithm: the margin of a negative control
WIDER = 0.10  # by which the band is widened, of its width
ALIKE = 4  # variances, at least, that make a family
Values = Mapping[str, Sequence[Sequence[Seen]]]  # arm -> (read-out, seed)


@dataclass(frozen=True)
class Judged:
    """One read-out: its effect, the same with the mechanism off and in the sham, how each is told, what pairing leaves
    of the variance, and the p value that counts all looks."""

    readout: Readout
    main: Estimate
    off: Estimate
    sham: Estimate
    positive: Estimate
    told: str
    inside: str  # of its band: "inside", "across" or "outside"
    control: str
    gain: float
    p: float


@dataclass(frozen=True)
class Outcome:
    """What came of a claim.

    why       in a few words                         judged   its two read-outs, state and function
    chance    of another verdict at the next look    keys     arm -> names of its runs
    values    arm -> (read-out, seed)                table    of one that leaves out each factor in turn
    """

    claim: Claim
    verdict: str
    why: str = ""
    judged: Mapping[str, Judged] = field(default_factory=dict)
    n: int = 0
    chance: float = 0.0
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Values = field(default_factory=dict)
    error: str = ""
    table: wiring.Table | None = None

    @property
    def p(self) -> float:
        """That of both read-outs: the larger one."""
        return max((x.p for x in self.judged.values()), default=math.nan)


def paired(readout: Readout, k: int, values: Values, off: bool = False, against: str = "") -> list[float]:
    """The effect (seed) of read-out k: with the mechanism on or off, or of another arm against control."""
    end, names = OFF if off else "", tuple[str, ...]()
    if against:
        kind, names = ("difference" if readout.effect not in LOGS else "ratio"), ("control", against)
    elif readout.effect == "contrast":
        plain = [a for a in values if not a.endswith(OFF) and a not in ("sham", "positive")]
        kind, names = "contrast", tuple(a + end for a in plain)
    else:
        kind, names = readout.effect, tuple(a + end for a in KINDS[readout.effect])
    if not all(name in values for name in names):
        return []
    shortest = min(len(values[name][k]) for name in names)
    return effect_of(kind, [values[name][k][:shortest] for name in names])


def priors(claims: Sequence[Claim], seen: Mapping[str, Values]) -> dict[str, dict[int, Prior]]:
    """Claim -> read-out -> prior of its variance: of all effects of this run of the same read-out; where those are
    fewer than four, of all logarithms (levels and differences, each in a unit of its own, have no other family)."""
    families: dict[str, list[tuple[float, float]]] = {}
    for claim in claims:
        for k, readout in enumerate(claim.readouts.values()):
            for off, against in ((False, ""), (True, ""), (False, "sham"), (False, "positive")):
                if against and readout.effect == "level":
                    continue  # the others are no levels, but differences
                y = [x for x in paired(readout, k, seen.get(claim.id, {}), off, against) if math.isfinite(x)]
                if len(y) > 1:
                    mean = sum(y) / len(y)
                    found = (sum((x - mean) ** 2 for x in y) / (len(y) - 1), float(len(y) - 1))
                    families.setdefault(family(readout), []).append(found)
                    if readout.effect in LOGS:
                        families.setdefault("", []).append(found)

    def prior(readout: Readout) -> Prior:
        own = families.get(family(readout), [])
        if len(own) < ALIKE and readout.effect in LOGS:
            own = families.get("", [])
        return fit_prior(*zip(*own)) if len(own) >= ALIKE else Prior()

    return {c.id: {k: prior(r) for k, r in enumerate(c.readouts.values())} for c in claims}


def family(readout: Readout) -> str:
    """Read-outs whose variances are alike: of one measure, of one type, on one scale."""
    told = {k: v for k, v in readout.what.items() if k not in ("called", "unit", "at")}
    return f"{readout.effect if readout.effect not in LOGS else 'log'} {sorted(told.items(), key=str)}"


def judge(claim: Claim, values: Values, prior: Mapping[int, Prior] | None = None, *, last: bool = False) -> Outcome:
    """The verdict on what has been seen (arm -> read-out -> seeds, the two that decide first); last: nothing more will
    be run."""
    judged = {
        role: _judged(readout, k, values, (prior or {}).get(k))
        for k, (role, readout) in enumerate(claim.readouts.items())
    }
    n = min((x.main.n for x in judged.values()), default=0)
    verdict, why, open_ = _verdict(list(judged.values()), n)
    chance = 0.0
    if open_ and n < LOOKS[-1]:
        after = next(x for x in LOOKS if x > n)
        chance = 1.0 - math.prod(1.0 - _may_change(x, after) for x in judged.values())
        if verdict == UNDECIDED and last:
            verdict = BUDGET
    return Outcome(claim, verdict, why, judged, n, chance, values=values)


def _judged(readout: Readout, k: int, values: Values, prior: Prior | None) -> Judged:
    main, off = (estimate(paired(readout, k, values, x), prior) for x in (False, True))
    sham, positive = (estimate(paired(readout, k, values, against=x), prior) for x in ("sham", "positive"))
    told, inside = _told(readout, main), _inside(readout, main)
    if not readout.sign:  # it must not be so with the mechanism off
        control = {"inside": DIFFERENT, "outside": EQUIVALENT}.get(_inside(readout, off, 0.0), OPEN)
    else:
        control = equivalence(off, margin(readout, main, values, k))
    names = KINDS[readout.effect]
    pairs = [values[a][k] for a in names] if len(names) == 2 and all(a in values for a in names) else []
    p = adjusted(_p(readout, main), main.n)
    return Judged(readout, main, off, sham, positive, told, inside, control, gain(readout.effect, pairs), p)


def margin(readout: Readout, main: Estimate, values: Values, k: int) -> float:
    """What counts as nothing: a quarter of the main effect, and at least a tenth (of a logarithm, or of the control's
    level)."""
    least = LEAST
    if readout.effect not in LOGS:
        control = [x.value for x in values.get("control", [[]] * (k + 1))[k] if math.isfinite(x.value)]
        least = LEAST * abs(sum(control) / len(control)) if control else 0.0
    return max(SHARE * abs(main.value), least)


def _p(readout: Readout, main: Estimate) -> float:
    """One-sided p value of what the read-out is to show: a direction, or that it lies within its band."""
    if readout.sign:
        return main.p(readout.sign)
    low, high = readout.limits
    return max(main.p(1.0, low), main.p(-1.0, high))


def _told(readout: Readout, main: Estimate) -> str:
    """Right, wrong, futile or open."""
    need = level(main.n)
    if not readout.sign:
        low, high = readout.limits
        if _p(readout, main) < need:
            return RIGHT
        return FUTILE_ if min(main.p(-1.0, low), main.p(1.0, high)) < need else OPEN
    if main.p(readout.sign) < need:
        return RIGHT
    if main.p(-readout.sign) < need:
        return WRONG
    if main.n < LOOKS[0]:
        return OPEN
    nothing = readout.effect in LOGS and equivalence(main, LEAST) == EQUIVALENT
    return FUTILE_ if nothing or will_show(main, readout.sign, LOOKS[-1]) < FUTILE else OPEN


def widened(readout: Readout, by: float = WIDER) -> tuple[float, float]:
    """The band on the scale of effects, wider by a share of its width; a ratio of 0 has no lower limit."""
    low, high = readout.limits
    more = by * (high - low) if math.isfinite(low) else by
    return low - more, high + more


def _inside(readout: Readout, main: Estimate, by: float = WIDER) -> str:
    """Where the 90 % interval lies."""
    low, high = main.interval()
    least, most = widened(readout, by)
    if math.isnan(low):
        return "across"
    return "inside" if least <= low and high <= most else "outside" if high < least or low > most else "across"


def _verdict(both: Sequence[Judged], n: int) -> tuple[str, str, bool]:
    """Verdict, why, and whether more seeds might change it."""
    if not n:
        return UNDECIDED, "nothing to measure", False
    told = [x.told for x in both]
    more = n < LOOKS[-1]
    if n < LOOKS[0]:
        return UNDECIDED, f"{n} of {LOOKS[0]} seeds", True
    if told.count(WRONG) == len(told):
        return CONTRADICTED, "both read-outs go the other way", False
    if RIGHT in told and WRONG in told:
        return WEAK, "state and function contradict each other", False
    if RIGHT not in told:
        if OPEN in told and more:
            return UNDECIDED, f"neither is shown with {n} seeds", True
        if WRONG in told:
            return CONTRADICTED, "one read-out goes the other way, the other shows nothing", False
        if OPEN in told:
            return UNDECIDED, f"not shown with {n} seeds, nor given up", False
        return NOT, "nothing shown, and nothing to be expected of more seeds", False
    if OPEN in told and more:
        return UNDECIDED, f"only one of state and function is shown with {n} seeds", True
    controls = [x.control for x, t in zip(both, told) if t == RIGHT]
    if DIFFERENT in controls:
        return FAILED, "with the mechanism off the effect stays", False
    if told.count(RIGHT) < len(told):
        which = "state" if told[0] == RIGHT else "function"
        return WEAK, f"shown for the {which} only", False
    if any(x.inside == "outside" for x in both):
        return WEAK, "out of band", False
    if OPEN in controls:
        return WEAK, "control inconclusive", more
    if any(x.inside == "across" for x in both):
        return WEAK, "out of band: the interval leaves it", more
    if any(equivalence(x.sham, SHARE * abs(x.main.value)) == DIFFERENT for x in both):
        return WEAK, "an unrelated link does it, too", False
    return SUPPORTED, "", False


def _may_change(x: Judged, n: int) -> float:
    """Probability that n seeds tell this read-out, or its control, otherwise."""
    chances = []
    if x.told == OPEN:
        if x.readout.sign:
            chances.append(max(will_show(x.main, x.readout.sign, n), will_show(x.main, -x.readout.sign, n)))
        else:
            chances.append(will_settle(x.main, *x.readout.limits, n))
    if x.inside == "across" and x.told == RIGHT:
        chances.append(will_settle(x.main, *widened(x.readout), n))
    if x.control == OPEN and x.told == RIGHT and x.off.n:
        least = SHARE * abs(x.main.value) if x.readout.effect not in LOGS else max(SHARE * abs(x.main.value), LEAST)
        limits = (-least, least) if x.readout.sign else x.readout.limits
        chances.append(will_settle(x.off, *limits, n))
    return max(chances, default=0.0)
