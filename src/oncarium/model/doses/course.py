"""A regimen: courses of doses, each one line of a protocol, and the single doses that they come to."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from .conditions import Condition, Rule
from .dose import Dose, Doses
from .words import DAY

MOST = 100_000  # doses of one course
LATE = 1e-9  # min by which a dose may be past an end


@dataclass(frozen=True)
class Course:
    """The same dose, given again and again.

    what, kind       a drug's name, "radiation", "surgery" or a cell type; drug, radiation, surgery, cells or reset
    route            iv, oral, subcutaneous or intraperitoneal; "" is the drug's usual one
    amount, unit     of each dose (surgery: the share of the tumor that stays, %)
    start            of the first cycle, min: since day 0 or, where there is an `origin`, since that first held
    every, days      min from one cycle to the next (0: one cycle only), and when in a cycle doses are given
    count, until     how many doses (None: no end), and when they end (min, exclusive; None: never)
    on, off          min with and without doses, in turn      weekdays   0 (Monday) to 6, all where empty
    rest             (n, min): so long a break after n doses     without   days of the run without one
    duration         of each infusion, min      modelled   "rate" or "duration": which of the two the drug's model says
    steady           interval of doses before the first one, min, that reached a steady state: 0 none, inf an infusion
    added            its steady state is added to what is there      resets   everything given before is gone
    """

    what: str
    kind: str = "drug"
    amount: float = 0.0
    unit: str = "mg"
    route: str = ""
    duration: float = 0.0
    modelled: str = ""
    start: float = 0.0
    origin: Condition | None = None
    every: float = 0.0
    days: tuple[float, ...] = (0.0,)
    count: int | None = 1
    until: float | None = None
    on: float = 0.0
    off: float = 0.0
    weekdays: tuple[int, ...] = ()
    rest: tuple[int, float] = (0, 0.0)
    without: tuple[int, ...] = ()
    steady: float = 0.0
    added: bool = False
    resets: bool = False
    rules: tuple[Rule, ...] = ()
    patient: str = ""
    row: int = 0
    where: str = ""

    @property
    def endless(self) -> bool:
        """Does nothing but the end of a run end it?"""
        return self.count is None and self.until is None and self.every > 0.0

    def times(self, end: float = math.inf, first: int = 0) -> Iterator[float]:
        """When its doses are given, min since its start's zero, before `end`. first: weekday of day 0 (0 Monday).

        >>> [t / 1440 for t in Course("x", every=1440.0, weekdays=(0, 1, 2, 3, 4), start=4 * 1440.0, count=3).times()]
        [4.0, 7.0, 8.0]
        """
        stop = end if self.until is None else min(end, self.until)
        if math.isinf(stop) and self.count is None and self.every > 0.0:
            raise ValueError("a course without an end needs one")
        given, cycle, shift = 0, 0, 0.0
        while True:
            for day in self.days:
                at = self.start + cycle * self.every + day + shift
                if at >= stop - LATE or (self.count is not None and given >= self.count) or given >= MOST:
                    return
                if self._given(at, first):
                    yield at
                    given += 1
                    if given == self.rest[0]:
                        shift = self.rest[1]
            cycle += 1
            if self.every <= 0.0 or cycle > 10 * MOST:
                return

    def _given(self, at: float, first: int) -> bool:
        whole = math.floor(at / DAY + 1e-12)
        return (
            (not self.weekdays or (whole + first) % 7 in self.weekdays)
            and whole not in self.without
            and (self.off <= 0.0 or (at - self.start) % (self.on + self.off) < self.on - LATE)
        )

    def dose(self, time: float, nth: int, shift: float = 0.0) -> Dose:
        """Its nth dose (from 0)."""
        first = nth == 0
        return Dose(
            time + shift, self.what, self.amount, self.unit, self.kind, self.route, self.duration, self.modelled,
            self.steady if first else 0.0, self.added and first, self.resets, self.patient, self.row, nth, self.rules,
            self.where,
        )  # fmt: skip


@dataclass(frozen=True)
class Regimen:
    """Courses that are given side by side. start: the date of day 0 (None: some Monday)."""

    courses: tuple[Course, ...] = ()
    start: datetime.date | None = None

    @property
    def first(self) -> int:
        """Weekday of day 0, 0 is Monday."""
        return self.start.weekday() if self.start else 0

    def doses(self, until: float = math.inf, origins: Mapping[Condition, float] | None = None) -> Doses:
        """Every dose before `until` (min), in the order of time; at one time the course that began first comes first.

        origins   when the conditions held from which courses start, min; a course whose condition is not there waits
        (`waiting`). Raises ValueError where a course has no end and there is no `until`.

        >>> from oncarium.model.doses import read_doses
        >>> [d.time / 1440 for d in read_doses("pembrolizumab 200 mg every 3 weeks from day 14").doses(60 * 1440.0)]
        [14.0, 35.0, 56.0]
        """
        out = []
        for k, course in enumerate(self.courses):
            shift = 0.0
            if course.origin is not None:
                if course.origin not in (origins or {}):
                    continue
                shift = (origins or {})[course.origin]
            out += [
                (d.patient, d.time, course.start + shift, course.row, k, d)
                for n, t in enumerate(course.times(until - shift, self.first))
                for d in [course.dose(t, n, shift)]
            ]
        names = {c.patient: k for k, c in reversed(list(enumerate(self.courses)))}
        out.sort(key=lambda o: (names[o[0]], *o[1:5]))
        return Doses(tuple(o[-1] for o in out))

    def shifted(self, by: float) -> Regimen:
        """The same regimen when its day 0 is so many min after another one's; what waits for a condition waits on.

        >>> from oncarium.model.doses import read_doses
        >>> [d.time / 1440 for d in read_doses("x 2 mg daily from day 1, 2 times").shifted(7 * 1440.0).doses()]
        [8.0, 9.0]
        """
        days = math.floor(by / DAY + 1e-9)
        monday = datetime.date(2024, 1, 1)
        courses = tuple(
            c
            if c.origin is not None
            else replace(
                c, start=c.start + by, until=None if c.until is None else c.until + by,
                without=tuple(d + days for d in c.without),
            )
            for c in self.courses
        )  # fmt: skip
        return Regimen(courses, (self.start or monday) - datetime.timedelta(days=days))

    @property
    def waiting(self) -> tuple[Course, ...]:
        """Courses that start when a condition first holds."""
        return tuple(c for c in self.courses if c.origin is not None)

    @property
    def drugs(self) -> tuple[str, ...]:
        """Names of the drugs, in the order in which they are first said."""
        return tuple(dict.fromkeys(c.what for c in self.courses if c.kind == "drug"))
