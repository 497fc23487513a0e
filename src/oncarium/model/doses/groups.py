"""A course as a group of a YAML file: {drug: doxorubicin, amount: 60 mg/m^2, over: 30 min, every: 3 week, times: 4}.

An English line is read into the same group, so that a word means the same in both.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import Problem, did_you_mean
from ...units import UnitError
from .conditions import Condition, Rule, read_condition, read_rule
from .course import Course
from .words import DAY, MASSES, MOLES, NUMBER, TIMES, WEEKDAYS, amount_of, date_of, number, say_span, span

HEADS = ("drug", "radiation", "surgery", "cells", "reset")
KEYS = (*HEADS, "amount", "route", "over", "rate", "modelled", "every", "from", "on", "times", "cycles", "for", "until",
        "given", "pause", "break", "except", "steady", "resets", "rules", "then", "patient")  # fmt: skip
ROUTES = ("iv", "oral", "subcutaneous", "intraperitoneal")
RATE = re.compile(rf"({NUMBER})\s*(\w+)/(\w+)")
BREAK = re.compile(r"(.+?)\s+after\s+(\d+)")
MOST_TIMES = 100_000
Where = Callable[[str], str]


@dataclass
class Reading:
    """What reading needs beside the group: where things stand, what is known, and the problems met.

    start   date of day 0     drugs, types   names that are known (None: not looked at)
    """

    where: Where
    start: datetime.date | None = None
    drugs: Collection[str] | None = None
    types: Collection[str] | None = None
    problems: list[Problem] = field(default_factory=list)

    def complain(self, key: str, message: str, expected: str = "", remedy: str = "", severity: str = "error") -> None:
        """One problem at a key of the group."""
        self.problems.append(Problem(self.where(key), key, message, expected, remedy, severity))


def read_group(given: Mapping[str, Any], reading: Reading) -> list[Course]:
    """The courses of a group, one more for each `then`; none, and problems, where it says nothing sensible.

    >>> reading = Reading(lambda key: "doses.yaml:1")
    >>> [c] = read_group({"drug": "x", "amount": "2 mg/kg", "every": "week", "times": 4}, reading)
    >>> c.every / 1440, c.count, reading.problems
    (7.0, 4, [])
    """
    before = len(reading.problems)
    for key in given:
        if key not in KEYS:
            reading.complain(
                key, f"'{key}' is no part of a dose.{did_you_mean(key, KEYS)}", f"Known: {', '.join(KEYS)}."
            )
    heads = [h for h in HEADS if h in given]
    if len(heads) != 1:
        said = f"{' and '.join(heads)} stand in one entry" if heads else "it does not say what is given"
        reading.complain("", f"{said};", f"expected one of {', '.join(HEADS)}.")
        return []
    out: list[Course] = []
    part: Mapping[str, Any] | None = given
    while part is not None:
        course = _Builder(part, reading).course(out[-1] if out else None)
        if course is None or any(p.severity == "error" for p in reading.problems[before:]):
            return []
        out.append(course)
        further = part.get("then")
        if further is not None and not isinstance(further, Mapping):
            reading.complain(
                "then", f"'{str(further)[:60]}' is no dose;", "expected a group such as {amount: 30 mg/kg}."
            )
            return []
        kept = {k: part[k] for k in (*heads, "route", "over", "patient") if k in part}
        if further is not None and course.kind == "drug" and further.get("drug", course.what) != course.what:
            kept = {k: v for k, v in kept.items() if k == "patient"}
        part = None if further is None else {**kept, **further}
    return out


class _Builder:
    """Reads one group, key by key."""

    def __init__(self, given: Mapping[str, Any], reading: Reading):
        self.given, self.reading = given, reading

    def try_(self, key: str, read: Callable[[str], Any], default: Any = None) -> Any:
        """The value at a key; the default where nothing is said or it is wrong, which is a problem."""
        if self.given.get(key) is None:
            return default
        try:
            return read(str(self.given[key]).strip())
        except UnitError as error:
            self.reading.complain(key, f"{error}.")
            return default

    def listed(self, key: str) -> list[str]:
        """The texts at a key: a list, or one text with commas."""
        found = self.given.get(key)
        if found is None:
            return []
        items = found if isinstance(found, list | tuple) else re.split(r"\s*,\s*|\s+and\s+", str(found))
        return [str(i).strip() for i in items]

    def course(self, previous: Course | None) -> Course | None:
        kind, what, amount, unit = self.what()
        if kind == "drug" and what and self.reading.drugs is not None and what not in self.reading.drugs:
            near = did_you_mean(what, self.reading.drugs)
            self.reading.complain("drug", f"no drug is called '{what[:60]}'.{near}", "See  oncarium drugs .")
        if kind == "cells" and self.reading.types is not None and what not in self.reading.types:
            near = did_you_mean(what, self.reading.types)
            self.reading.complain("cells", f"no cell type is called '{what[:60]}'.{near}")
        route = str(self.given.get("route") or "")
        if route and route not in ROUTES:
            self.reading.complain("route", f"no route is called '{route[:60]}'.{did_you_mean(route, ROUTES)}",
                                  f"Known: {', '.join(ROUTES)}.")  # fmt: skip
        every, weekdays = self.try_("every", self.every, (0.0, ()))
        start, origin = self.try_("from", self.when, (None, None))
        days = self.days(every, start is not None)
        if previous is not None and start is None and (every > 0.0 or days == (0.0,)):
            start = self.after(previous, every)
            origin = previous.origin
        if every <= 0.0 and days != (0.0,):
            start, days = days[0], tuple(t - days[0] for t in days)
        duration = self.try_("over", span, 0.0)
        if self.given.get("rate") is not None:
            duration = self.duration(amount, unit)
        count, until, rules = self.ends(every, days, start or 0.0)
        on, off = self.try_("given", lambda t: span(t, 1.0), 0.0), self.try_("pause", lambda t: span(t, 1.0), 0.0)
        if ("given" in self.given) != ("pause" in self.given):
            self.reading.complain("given" if on else "pause", "weeks with and without doses need each other;",
                                  "expected given: 4 week, pause: 2 week.")  # fmt: skip
        if 0.0 < every < duration:
            self.reading.complain(
                "over", f"an infusion of {say_span(duration)} every {say_span(every)} overlaps the next."
            )
        steady, added = self.steady(every, origin)
        return Course(
            what, kind, amount, unit, route, duration, self.modelled(duration), start or 0.0, origin, every, days,
            count, until, on, off, weekdays, self.try_("break", self.rest, (0, 0.0)), self.without(), steady, added,
            str(self.given.get("resets", "")).lower() == "true", tuple(rules), str(self.given.get("patient", "")),
            where=self.reading.where(""),
        )  # fmt: skip

    def what(self) -> tuple[str, str, float, str]:
        """Kind, name, amount and unit."""
        kind = next(h for h in HEADS if h in self.given)
        if kind == "reset":
            return kind, "reset", 0.0, ""
        if kind in ("radiation", "surgery"):
            unit = {"radiation": "Gy", "surgery": "%"}[kind]
            value, said = self.try_(kind, self.plain, (0.0, unit))
            if (
                said != unit
                or (kind == "surgery" and not 0.0 <= value < 100.0)
                or (kind == "radiation" and value <= 0.0)
            ):
                wanted = "above 0 Gy" if kind == "radiation" else "the share that stays, from 0 to below 100 %"
                self.reading.complain(kind, f"'{self.given[kind]}' is no {kind};", f"expected {wanted}.")
            return kind, kind, value, unit
        what = str(self.given[kind] or "").strip()
        if not re.fullmatch(r"[\w.+-]+(?: [\w.+-]+)*", what):
            self.reading.complain(kind, f"'{what[:60]}' is no name.")
        if self.given.get("amount") is None:
            self.reading.complain("amount", f"how much of {what[:60]} is not said.", "Expected amount: 200 mg.")
            return kind, what, 0.0, "mg"
        read = self.plain if kind == "cells" else amount_of
        value, unit = self.try_("amount", read, (math.nan, "cells" if kind == "cells" else "mg"))
        unit = unit or "cells"
        if unit != "cells" if kind == "cells" else unit in ("Gy", "%", "cells"):
            wanted = "cells" if kind == "cells" else "mg, mg/kg, mg/m^2 or nmol"
            self.reading.complain("amount", f"'{self.given['amount']}' is no amount of {what};", f"expected {wanted}.")
        elif value <= 0.0:
            self.reading.complain("amount", f"{self.given['amount']} is out of range;", "expected above 0.")
        return kind, what, value, unit

    @staticmethod
    def plain(text: str) -> tuple[float, str]:
        found = re.fullmatch(rf"({NUMBER})\s*(\S*)", text)
        if not found:
            raise UnitError(f"'{text[:60]}' is no number with a unit")
        return number(found[1]), found[2]

    @staticmethod
    def every(text: str) -> tuple[float, tuple[int, ...]]:
        """Interval, and weekdays: "3 week", "weekday", "monday, thursday"."""
        low = text.lower()
        if low in ("weekday", "weekdays", "working day"):
            return DAY, (0, 1, 2, 3, 4)
        named = [w.rstrip("s") for w in re.split(r"\s*,\s*|\s+and\s+", low)]
        if all(w in WEEKDAYS for w in named):
            return DAY, tuple(sorted(WEEKDAYS.index(w) for w in named))
        return span(text, 1.0), ()

    def when(self, text: str) -> tuple[float, Condition | None]:
        """A time: "14 day", "day 14", a date, "diagnosis", "3 day after diameter >= 10 mm"."""
        offset, sign, condition = text.rpartition(" after ")
        try:
            return self.moment(text), None
        except UnitError:
            if not sign and not re.search(r"[a-z_]{3}", re.sub(r"|".join(TIMES), "", text.lower())):
                raise
        return (span(offset) if sign else 0.0), read_condition(condition)

    def moment(self, text: str) -> float:
        """Min since day 0 of "14 day", "day 14" or a date."""
        if (date := date_of(text)) is not None:
            if self.reading.start is None:
                raise UnitError(
                    f"{text} is a date, and no date of day 0 is said; expected a line such as  start {text}"
                )
            minutes = (date - self.reading.start).days * DAY
            if minutes < 0.0:
                raise UnitError(f"{text} lies before day 0, which is {self.reading.start}")
            return minutes
        found = re.fullmatch(rf"day\s+({NUMBER})", text)
        return span(f"{found[1]} day" if found else text)

    def days(self, every: float, from_said: bool) -> tuple[float, ...]:
        """Days on which doses are given, min: of the cycle where there is one, else of the run."""
        out: list[float] = []
        for item in self.listed("on"):
            ends = re.fullmatch(r"(?:days?\s+)?(\d+)\s*-\s*(\d+)", item)
            plain = re.fullmatch(rf"({NUMBER})", item)
            try:
                if ends and int(ends[2]) - int(ends[1]) > 1000:
                    raise UnitError(f"'{item}' are more than a thousand days")
                out += ([k * DAY for k in range(int(ends[1]), int(ends[2]) + 1)] if ends
                        else [span(f"{plain[1]} day")] if plain else [self.moment(item)])  # fmt: skip
            except UnitError as error:
                self.reading.complain("on", f"{error}.")
        if not out:
            return (0.0,)
        out = sorted(set(out))
        if every <= 0.0:
            if from_said:
                self.reading.complain("on", "'on' and 'from' both say when.", remedy="Keep one of them.")
            return tuple(out)
        if out[0] >= DAY:  # the first day of a cycle is day 1, as protocols count
            out = [t - DAY for t in out]
        if out[-1] >= every:
            self.reading.complain("on", f"day {out[-1] / DAY + 1:g} lies beyond a cycle of {say_span(every)}.")
        return tuple(out)

    def after(self, previous: Course, every: float) -> float:
        """When the course begins that follows another."""
        if previous.endless:
            self.reading.complain(
                "then", "nothing follows a course without an end.", "Say how many times, or until when."
            )
            return 0.0
        if len(previous.days) > 1 and previous.every > 0.0 and previous.count:
            return previous.start + math.ceil(previous.count / len(previous.days)) * previous.every
        last = max(
            previous.times(first=self.reading.start.weekday() if self.reading.start else 0), default=previous.start
        )
        return last + (previous.every or every)

    def ends(self, every: float, days: tuple[float, ...], start: float) -> tuple[int | None, float | None, list[Rule]]:
        """How many doses, until when, and the rules."""
        rules = [r for r in (self.rule(text) for text in self.rules()) if r is not None]
        count = None if every > 0.0 else len(days)
        until: float | None = None
        for key in ("times", "cycles"):
            n = self.try_(key, number)
            if n is None:
                continue
            if n != int(n) or not 1 <= n <= MOST_TIMES:
                self.reading.complain(key, f"'{self.given[key]}' is out of range;", f"expected 1 to {MOST_TIMES:,}.")
            elif every <= 0.0 and n > 1:
                self.reading.complain(key, f"{n:g} {key}, and how often is not said.", "Expected e.g. every: 3 week.")
            else:
                count = int(n) * (len(days) if key == "cycles" else 1)
        if (lasts := self.try_("for", lambda t: span(t, 1.0))) is not None:
            until = start + lasts
        end, condition = self.try_("until", self.when, (None, None))
        if condition is not None:
            rules.append(Rule(0.0, False, condition))
        elif end is not None:
            if end <= start:
                self.reading.complain("until", f"{self.given['until']} is not after its start, {say_span(start)}.")
            until = end if until is None else min(until, end)
        return count, until, rules

    def rules(self) -> list[str]:
        found = self.given.get("rules")
        return [found] if isinstance(found, str) else [str(f) for f in found or ()]

    def rule(self, text: str) -> Rule | None:
        try:
            return read_rule(text)
        except UnitError as error:
            self.reading.complain("rules", f"{error}.")
            return None

    def duration(self, amount: float, unit: str) -> float:
        """Of an infusion whose rate is said."""
        found = RATE.fullmatch(str(self.given["rate"]).strip())
        above, _, per = unit.partition("/")
        same = next((u for u in (MASSES, MOLES) if found and found[2] in u and above in u), None)
        if self.given.get("over") is not None:
            self.reading.complain("rate", "'rate' and 'over' both say how long.", remedy="Keep one of them.")
        elif not found or found[3] not in TIMES or same is None or per:
            self.reading.complain("rate", f"'{self.given['rate']}' is no rate of {unit};", f"expected {above}/h."
                                  if not per else "expected over: 30 min for a dose by weight or area.")  # fmt: skip
        elif number(found[1]) <= 0.0:
            self.reading.complain("rate", f"{self.given['rate']} is out of range;", "expected above 0.")
        else:
            return amount * same[above] / (number(found[1]) * same[found[2]]) * TIMES[found[3]]
        return 0.0

    def modelled(self, duration: float) -> str:
        found = str(self.given.get("modelled") or "")
        if found not in ("", "rate", "duration"):
            self.reading.complain("modelled", f"'{found[:60]}' is nothing a model says;", "expected rate or duration.")
        elif found and duration:
            self.reading.complain("modelled", f"the {found} is said and left to the model.", remedy="Keep one of them.")
        return found

    def steady(self, every: float, origin: Condition | None) -> tuple[float, bool]:
        """Interval of the steady state, and whether it adds to what is there."""
        said = str(self.given.get("steady") or "").lower()
        added, said = said.startswith("added"), said.removeprefix("added").strip()
        if said in ("", "false") and not added:
            return 0.0, False
        if said == "infusion":
            return math.inf, added
        if said not in ("true", ""):
            return self.try_("steady", lambda t: span(t.lower().removeprefix("added").strip(), 1.0), 0.0), added
        if every <= 0.0:
            self.reading.complain(
                "steady", "a steady state of a single dose.", "Expected every: 12 h, or steady: 12 h."
            )
        return every, added

    def rest(self, text: str) -> tuple[int, float]:
        found = BREAK.fullmatch(text)
        if not found or int(found[2]) < 1:
            raise UnitError(f"'{text[:60]}' is no break; expected '14 day after 15', a time and a number of doses")
        return int(found[2]), span(found[1], 1.0)

    def without(self) -> tuple[int, ...]:
        out = []
        for item in self.listed("except"):
            try:
                out.append(math.floor(self.moment(item) / DAY))
            except UnitError as error:
                self.reading.complain("except", f"{error}.")
        return tuple(sorted(set(out)))
