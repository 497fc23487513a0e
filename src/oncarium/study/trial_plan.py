"""What a trial is, as its file says it: a patch of tissue, virtual patients, arms, visits, endpoints.

model: bulk
grow: 7 day                    # before the baseline, which is day 0 of all doses and visits
until: 21 day                  # from the baseline on, the patch is followed; later its growth is extrapolated
cohort: {numbers: {...}, archetypes: {...}, screens: [...], weights: [...]}     # or a file, or {from: posterior.csv}
patients: 100
read: {cd8: {measure: count, of: cd8_effector}}
arms: {control: [], anti-PD-1: [pembrolizumab 200 mg every 3 weeks]}
visits: {every: 6 week}
follow: 1 year
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ..model.model import Model
from .cohort import Cohort, Patient
from .distributions import Distribution, read_distribution
from .lesion import FEWEST

ENDPOINTS = ("volume", "response", "progression", "survival")
DAY = 1440.0
PATCHES = 2_000_000_000  # between the seeds of a patient's patches
OTHER = 1  # key of the random numbers that are the patient's but not its tissue's


@dataclass(frozen=True)
class Arm:
    """What the patients of an arm are given: section therapy (its doses counted from day 0 of the run), other changes,
    and both in words. levels: of two drugs, where arms form a grid of doses."""

    name: str
    therapy: Mapping[str, Any] = field(default_factory=dict)
    set: Mapping[str, Any] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    levels: Mapping[str, float] = field(default_factory=dict)
    drugs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lesions:
    """How many lesions patients have (number -> share), how large they are (diameter, mm), and from how many patches of
    tissue they are read."""

    number: Mapping[int, float] = field(default_factory=lambda: {1: 1.0})
    diameter: Distribution = read_distribution("log-normal 30 mm sd 0.4 within 10..150")  # noqa: RUF009
    patches: int = 1


@dataclass(frozen=True)
class Ends:
    """What ends a patient's time in the trial besides progression.

    burden    volume of all lesions (cm^3) at which a patient dies, of those that live at the baseline: the proxy of
              survival
    new       new lesions per year, in proportion to the volume of those that are there
    drop_out  share that is lost, at even odds, until the end of follow-up
    """

    burden: Distribution = read_distribution("log-normal 1000 cm^3 sd 0.5")  # noqa: RUF009
    new: float = 0.0
    drop_out: float = 0.0


@dataclass(frozen=True)
class Fate:
    """What a patient has in every arm: diameters of its lesions (mm), the volume that it dies of (cm^3), the day on
    which it is lost, and how much of the chance of a new lesion it withstands."""

    diameters: tuple[float, ...]
    burden: float
    lost: float
    withstands: float


@dataclass(frozen=True)
class Plan:
    """A trial, checked.

    grow, until   min: before the baseline, and from it on     follow, visits   days from the baseline
    tumor   cell types whose divisions and deaths are the lesion's growth, read in windows of so many days, while at
            least so many (fewest) are alive
    read    name -> read-out, at the baseline and at the end of the patch     bases   digests of the patch models
    """

    title: str
    cohort: Cohort
    patients: int
    arms: tuple[Arm, ...]
    control: str
    grow: float
    until: float
    follow: float
    visits: tuple[float, ...]
    tumor: tuple[str, ...]
    read: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    stratify: tuple[str, ...] = ()
    biomarkers: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ENDPOINTS
    lesions: Lesions = Lesions()
    ends: Ends = Ends()
    window: float = 1.0
    fewest: float = FEWEST
    observed: str = ""
    bases: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    def arm(self, name: str) -> Arm:
        """The arm of this name."""
        return next(a for a in self.arms if a.name == name)

    @property
    def treated(self) -> tuple[Arm, ...]:
        """All arms but the control."""
        return tuple(a for a in self.arms if a.name != self.control)

    def enrolled(self) -> list[Patient]:
        """All virtual patients, before any is screened out."""
        return self.cohort.patients(self.patients)

    def model(self, patient: Patient, arm: Arm | None = None) -> Model:
        """A patient's tissue: before the baseline, or in an arm. Raises ModelError."""
        model = patient.load()
        if arm is None:
            return model.with_({"until": f"{self.grow:.12g} min"})
        changes: dict[str, Any] = {"until": f"{self.grow + self.until:.12g} min", **arm.set}
        if arm.therapy:
            changes["therapy"] = dict(arm.therapy)
        model = model.with_(changes)
        if arm.therapy and patient.treatment:
            own = {k: v for k, v in patient.treatment.items() if _concerns(k, arm)}
            model = model.with_(own) if own else model
        return model

    def fate(self, patient: Patient) -> Fate:
        """What the patient has in every arm. It depends on the seed of the cohort and the patient's number alone.

        >>> from oncarium.study.trial_file import read_trial
        >>> plan = read_trial({"model": "spheroid", "patients": 3, "arms": {"control": [], "same": []},
        ...     "cohort": {"numbers": {"cells.tumor.motility.speed": "uniform 0.1..0.2 um/min"}}, "control": "control"})
        >>> patient = plan.enrolled()[0]
        >>> plan.fate(patient) == plan.fate(patient), len(plan.fate(patient).diameters)
        (True, 1)
        """
        random = np.random.Generator(
            np.random.Philox(key=np.array([self.cohort.seed, OTHER], np.uint64), counter=patient.number << 64)
        )
        u = random.random(16)
        numbers = sorted(self.lesions.number)
        shares = np.cumsum([self.lesions.number[n] for n in numbers])
        count = numbers[min(int(np.searchsorted(shares / shares[-1], u[0], side="right")), len(numbers) - 1)]
        size = tuple(float(self.lesions.diameter.quantile(x)) for x in u[4 : 4 + count])
        lost, drop = np.inf, self.ends.drop_out
        if drop > 0.0:
            lost = self.follow * float(np.log(1.0 - u[2]) / np.log(1.0 - drop))
        volume = float(ball(size).sum())
        low, high = 0.0, 1.0  # the share of patients whose lesions would have killed them before the baseline
        for _ in range(50):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if self.ends.burden.quantile(middle) <= volume else (low, middle)
        burden = max(float(self.ends.burden.quantile(high + u[1] * (1.0 - high))), 1.01 * volume)
        return Fate(size, burden, lost, float(-np.log(1.0 - u[3])))

    def key(self, patient: Patient, arm: Arm | None = None) -> str:
        """Short for everything that decides what a patient gives, at the baseline or in an arm."""
        from ..run.identity import sources

        said: list[Any] = [
            sources(), patient.seed, dict(patient.changes), self.bases.get(patient.model, patient.model), self.grow,
            self.tumor, dict(self.read), self.lesions.patches, self.fewest, [asdict(s) for s in self.cohort.screens],
        ]  # fmt: skip
        if arm is not None:
            own = {k: v for k, v in patient.treatment.items() if _concerns(k, arm)} if arm.therapy else {}
            said += [self.until, self.window, dict(arm.therapy), dict(arm.set), own]
        return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:20]


def ball(diameter: Any) -> np.ndarray:
    """Volume (cm^3) of a lesion of a diameter (mm).

    >>> float(ball(10.0).round(4))
    0.5236
    """
    return np.pi / 6.0 * (np.asarray(diameter, float) / 10.0) ** 3


def _concerns(path: str, arm: Arm) -> bool:
    """Has a patient's number below `therapy` a meaning in an arm: is its drug given there?"""
    parts = path.split(".")
    return len(parts) < 3 or parts[1] != "drugs" or parts[2] in arm.drugs
