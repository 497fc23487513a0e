"""Who takes part in a trial: screened, weighted, drawn; and the course of a patient in an arm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import InputError
from .cohort import Patient, read_screen
from .lesion import Lesion
from .recist import Assessment, assess, visits_of
from .trial_patient import growth_of
from .trial_plan import Plan, ball
from .weighting import Weighted, weigh

GRID = 400  # moments of follow-up at which lesions are looked at for death and new lesions


@dataclass(frozen=True)
class Enrolled:
    """Who takes part.

    numbers   of the patients, one more often than once where its weight says so     table   name -> value of each
    virtual number   plausible, failed, absent   patients by what became of them     refused   screen -> how many
    weighted   how good the weights are; None where all count alike
    """

    numbers: tuple[int, ...]
    values: Mapping[int, Mapping[str, float]]
    found: Mapping[int, Mapping[str, Any]]
    refused: Mapping[str, int] = field(default_factory=dict)
    screened: tuple[int, ...] = ()
    failed: Mapping[int, str] = field(default_factory=dict)
    absent: tuple[int, ...] = ()
    weighted: Weighted | None = None

    def column(self, name: str) -> np.ndarray:
        """A number or read-out of everybody who takes part."""
        return np.array([self.values[k][name] for k in self.numbers], float)


def enrol(plan: Plan, found: Mapping[int, Mapping[str, Any]]) -> Enrolled:
    """Screen, weight and draw. Raises InputError: nobody is plausible, weights that cannot be had.

    found   number -> what is known of each patient (trial_patient.told)
    """
    patients = {p.number: p for p in plan.enrolled()}
    absent = tuple(k for k in patients if not found.get(k))
    failed = {k: str(f["error"]) for k, f in found.items() if f and f["error"]}
    rest = [k for k in patients if k not in absent and k not in failed]
    if not rest:
        first = next(iter(failed.values()), "nobody was followed yet")
        raise InputError("patients", f"there is none to report of: {first}.")
    screened = tuple(k for k in rest if found[k]["screened"])
    refused = {s.text: sum(s.text in found[k]["screened"] for k in rest) for s in plan.cohort.screens}
    kept = [k for k in rest if k not in screened]
    if not kept:
        said = ", ".join(f"{text} refuses {n}" for text, n in refused.items())
        raise InputError("screens", f"no patient is plausible: {said}.", remedy="Widen the screens or the ranges.")
    values = {k: values_of(patients[k], found[k]) for k in kept}
    weighted, numbers = None, kept
    if plan.cohort.weights:
        table = {n: np.array([values[k][n] for k in kept]) for n in values[kept[0]]}
        weighted = weigh(table, plan.cohort.weights, plan.cohort.held_out)
        numbers = [kept[i] for i in drawn(weighted.weights, int(weighted.size))]
    return Enrolled(tuple(numbers), values, found, refused, screened, failed, absent, weighted)


def values_of(patient: Patient, found: Mapping[str, Any]) -> dict[str, float]:
    """Numbers and read-outs of a patient; nan for what could not be read."""
    read = {k: math.nan if v is None else float(v) for k, v in found["reads"].items()}
    return {**patient.values, **read}


def drawn(weights: np.ndarray, count: int) -> list[int]:
    """So many patients in proportion to their weights, as evenly as can be (systematic sampling).

    >>> drawn(np.array([0.5, 0.25, 0.25]), 4)
    [0, 0, 1, 2]
    """
    at = (np.arange(count) + 0.5) / count
    return [
        int(i) for i in np.searchsorted(np.cumsum(weights / weights.sum()), at, side="right").clip(0, len(weights) - 1)
    ]


@dataclass(frozen=True)
class Course:
    """A patient in an arm.

    days, sums, change, volume   at the visits: sum of diameters of target lesions (mm), its change from baseline (%),
                                 volume of all lesions (cm^3)
    low, high    of the change, 95 %: what counting divisions and deaths, and extrapolation, leave open
    found        RECIST     progression, survival   (days, event)
    read_until   day until which the patch was read     stopped   why it ended earlier
    ratio        volume at the end of the patch, of the baseline's     reads   read-outs at the end of the patch
    """

    number: int
    arm: str
    days: tuple[float, ...]
    sums: tuple[float, ...]
    change: tuple[float, ...]
    volume: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    found: Assessment
    progression: tuple[float, bool]
    survival: tuple[float, bool]
    read_until: float
    stopped: str
    ratio: float
    reads: Mapping[str, float]


def course_of(plan: Plan, patient: Patient, arm: str, said: Mapping[str, Any], off: Sequence[float] = ()) -> Course:
    """The course of a patient in an arm. Raises InputError where no lesion is measurable.

    off   how many standard errors off the mean the growth of each lesion is (0 where nothing is said)
    """
    fate = plan.fate(patient)
    patches = [growth_of(p) for p in said["patches"]]
    lesions = [
        _Off(Lesion(size, (patches[k % len(patches)],)), off[k] if k < len(off) else 0.0)
        for k, size in enumerate(fate.diameters)
    ]
    grid = np.linspace(0.0, plan.follow, GRID + 1)
    each = [ball(x.diameters(grid)) for x in lesions]
    total = np.sum(each, axis=0)
    death = _first(grid, total >= fate.burden)
    new = _new_lesion(plan, fate.withstands, grid, total)
    end = min(plan.follow, fate.lost, math.inf if death is None else death)
    days = tuple(d for d in plan.visits if d <= end)
    found = assess(visits_of(lesions, days, () if new is None else (new,)))  # type: ignore[arg-type]
    seen = min(fate.lost, plan.follow)
    event = death is not None and death <= seen
    at = np.array(days)
    mid, low, high = (_change(lesions, at, s) for s in (0.0, -1.0, 1.0))
    patch = plan.until / 1440.0
    ratio = float(sum(ball(x.diameters([patch]))[0] for x in lesions) / total[0])
    return Course(
        patient.number, arm, days, found.sums, found.changes, tuple(np.interp(at, grid, total).tolist()),
        tuple(np.minimum(low, mid).tolist()), tuple(np.maximum(high, mid).tolist()), found,
        found.progression_free(death if event else None), (float(death), True) if event else (seen, False),  # type: ignore[arg-type]
        max(x.read_until for x in lesions), "; ".join(dict.fromkeys(t for x in lesions for t in x.stopped)), ratio,
        {k: math.nan if v is None else float(v) for k, v in said["reads"].items()},
    )  # fmt: skip


class _Off:
    """A lesion whose growth is so many standard errors off its mean."""

    def __init__(self, lesion: Lesion, off: float):
        self.lesion, self.off = lesion, off
        self.diameter, self.node, self.organ = lesion.diameter, lesion.node, lesion.organ
        self.read_until, self.stopped = lesion.read_until, lesion.stopped

    def diameters(self, days: Any, more: float = 0.0) -> np.ndarray:
        """Diameters (mm) at these days."""
        mean, sd = self.lesion.log_volume(days)
        return self.diameter * np.exp(np.minimum((mean + (self.off + more) * sd) / 3.0, 10.0))


def _change(lesions: Sequence[_Off], days: np.ndarray, sign: float) -> np.ndarray:
    """Change (%) of the sum of diameters, at one end of its 95 % interval."""
    base = sum(x.diameter for x in lesions)
    return 100.0 * (np.sum([x.diameters(days, 1.96 * sign) for x in lesions], axis=0) / base - 1.0)


def _first(grid: np.ndarray, there: np.ndarray) -> float | None:
    return float(grid[int(np.argmax(there))]) if there.any() else None


def _new_lesion(plan: Plan, withstands: float, grid: np.ndarray, total: np.ndarray) -> float | None:
    """The day of the first new lesion: what seeds it is the volume that is there."""
    if plan.ends.new <= 0.0:
        return None
    rate = plan.ends.new / 365.25 * total / total[0]
    risk = np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(grid))])
    return _first(grid, risk >= withstands)


def strata_of(plan: Plan, patient: Patient, values: Mapping[str, float]) -> str:
    """The stratum of a patient, in words; nothing where the trial has none."""
    said = []
    for text in plan.stratify:
        if text == "archetype":
            said.append(patient.archetype)
        else:
            screen = read_screen(text)
            said.append(text if bool(screen.passes(values[screen.name])) else f"not {text}")
    return ", ".join(said)
