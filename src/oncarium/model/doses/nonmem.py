"""Doses as NONMEM and mrgsolve write them: ID TIME AMT EVID CMT RATE (or TINF) II ADDL SS.

What is easily got wrong, and is tested here: ADDL counts the doses after the first; EVID 4 with ADDL resets at every
dose; RATE -1 and -2 (the model says the rate or the duration) stay with every additional dose; SS 2 adds its steady
state to what is there; an infusion at steady state has no ADDL; a reset (EVID 3) carries no dose.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import InputError, Problem
from ...units import UnitError
from .course import Course, Regimen
from .dose import Dose, Doses
from .tables import NOTHING, Sheet, clock, sheet_of, written
from .words import TIMES, say, unit_of

KNOWN = ("ID", "TIME", "AMT", "EVID", "CMT", "RATE", "TINF", "II", "ADDL", "SS", "DV", "MDV", "DRUG", "UNIT", "ROUTE")
TIES = ("row", "dose first")
COLUMNS = ("ID", "TIME", "AMT", "EVID", "CMT", "RATE", "II", "ADDL", "SS", "DRUG", "UNIT", "ROUTE")
CELLS = ("radiation", "surgery")


@dataclass(frozen=True)
class Sample:
    """A measurement: time (min), value (nan where none), compartment, and the row of the table."""

    time: float
    value: float
    patient: str = ""
    compartment: str = ""
    row: int = 0

    def sees(self, dose: Dose, ties: str = "row") -> bool:
        """Was this dose given before it? At the same time the order of rows decides (NONMEM), or with ties "dose
        first" the dose comes first (rxode2).

        >>> sample, dose = Sample(0.0, 1.0, row=1), Dose(0.0, "x", 1.0, "mg", row=2)
        >>> sample.sees(dose), sample.sees(dose, "dose first")
        (False, True)
        """
        if dose.patient != self.patient:
            return False
        return dose.time < self.time or (dose.time == self.time and (ties == "dose first" or dose.row < self.row))


@dataclass
class Nonmem:
    """What a table holds: its regimen, its samples, further columns (patient -> name -> first value), problems."""

    regimen: Regimen = field(default_factory=Regimen)
    samples: list[Sample] = field(default_factory=list)
    further: dict[str, dict[str, float]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def doses(self) -> Doses:
        """Every dose, additional ones too."""
        return self.regimen.doses()


def read_nonmem(
    text: str, name: str, time: str = "h", drug: str = "drug", unit: str = "mg", route: str = "",
    compartments: Mapping[str, str] | None = None,
) -> Nonmem:  # fmt: skip
    """Read a table. time, drug, unit, route: what columns of these names do not say.

    compartments   CMT -> drug, where several are given

    >>> found = read_nonmem("ID,TIME,AMT,EVID,II,ADDL\\n1,0,5,1,24,2\\n", "d.csv")
    >>> [d.time / 60 for d in found.doses()]
    [0.0, 24.0, 48.0]
    """
    sheet = sheet_of(text, name)
    out = Nonmem()
    for needed in ("TIME", "AMT"):
        if sheet.names and needed not in sheet.names:
            sheet.complain(1, f"the column {needed} is missing;", "", f"expected {', '.join(KNOWN[:10])}.")
    if "RATE" in sheet.names and "TINF" in sheet.names:
        sheet.complain(1, "the columns RATE and TINF both say how long.", remedy="Keep one of them.")
    if time not in TIMES:
        sheet.complain(1, "this is no unit of time", time, "expected min, h, day or week.")
    out.problems = sheet.told()
    if out.problems:
        return out
    courses: list[Course] = []
    last: dict[str, float] = {}
    for k, (line, row) in enumerate(sheet.rows):
        who = row.get("ID", "")
        who = "" if who.lower() in NOTHING else f"{float(who):g}" if who.replace(".", "", 1).isdigit() else who
        row["TIME"] = clock(row["TIME"])
        at = sheet.number(line, row, "TIME") * TIMES[time]
        amount = sheet.number(line, row, "AMT")
        kind = sheet.number(line, row, "EVID", 1.0 if amount > 0.0 or sheet.number(line, row, "RATE") > 0.0 else 0.0)
        if at < last.get(who, -math.inf):
            sheet.complain(line, "time goes back within a patient;", row["TIME"], "expected rows in the order of time.")
        last[who] = at
        out.further.setdefault(who, {n: v for n in sheet.names if n not in KNOWN
                                     and (v := _plain(row[n])) is not None})  # fmt: skip
        if kind == 0.0 or kind == 2.0:
            if amount:
                sheet.complain(line, "AMT on a record that is no dose;", row["AMT"], "expected EVID 1 or 4.")
            if kind == 0.0 and sheet.number(line, row, "MDV") == 0.0:
                value = sheet.number(line, row, "DV", math.nan)
                out.samples.append(Sample(at, value, who, row.get("CMT", ""), k))
        elif kind in (1.0, 3.0, 4.0):
            course = _course(sheet, line, row, k, int(kind), at, TIMES[time], who)
            if course is not None:
                cmt = row.get("CMT", "")
                courses.append(_named(sheet, line, row, course, (compartments or {}).get(cmt, drug), unit, route))
        else:
            sheet.complain(line, "EVID is none of", row.get("EVID", ""), "expected 0 (sample), 1 (dose), 2, 3 or 4.")
    if not courses and not sheet.wrong:
        sheet.complain(1, "there is no dose in it.", "", "Expected rows with AMT above 0.")
    out.problems = sheet.told()
    out.regimen = Regimen(tuple(courses))
    return out


def _plain(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _course(
    sheet: Sheet, line: int, row: Mapping[str, str], k: int, kind: int, at: float, one: float, who: str
) -> Course | None:
    """The course of one row; None where it makes none."""
    amount, rate, tinf, ii, addl, ss = (sheet.number(line, row, c) for c in ("AMT", "RATE", "TINF", "II", "ADDL", "SS"))
    if line in sheet.bad:
        return None

    def wrong(message: str, value: float, expected: str = "", remedy: str = "") -> None:
        sheet.complain(line, message, say(value), expected, remedy)

    if kind == 3:
        for column, value in (("AMT", amount), ("RATE", rate), ("ADDL", addl), ("SS", ss), ("II", ii)):
            if value:
                wrong(
                    f"{column} on a reset;", value, "expected none: a reset (EVID 3) carries no dose.", "Or use EVID 4."
                )
        return Course("reset", "reset", unit="", start=at, patient=who, row=k, where=f"{sheet.name}:{line}")
    if at < 0.0:
        wrong(
            "TIME of a dose is negative;",
            at,
            "expected 0 or more.",
            "Say what was given before as a steady state (SS).",
        )
    if amount < 0.0:
        wrong("AMT is negative;", amount, "expected above 0.")
    if rate < 0.0 and rate not in (-1.0, -2.0):
        wrong("RATE is out of range;", rate, "expected 0 or more, -1 (the model says it) or -2 (it says the duration).")
    if tinf < 0.0:
        wrong("TINF is negative;", tinf, "expected 0 or more.")
    if addl < 0.0 or addl != int(addl):
        wrong("ADDL is no number of doses;", addl, "expected 0, 1, 2, ...")
    if ss not in (0.0, 1.0, 2.0):
        wrong("SS is none of", ss, "expected 0, 1 or 2.")
    if ii < 0.0:
        wrong("II is negative;", ii, "expected above 0.")
    forever = ss > 0.0 and ii == 0.0
    if addl > 0.0 and ii <= 0.0 and not forever:
        wrong("additional doses without an interval;", addl, "expected II above 0.")
    if forever and addl:
        wrong(
            "ADDL with an infusion at steady state (SS, no II);", addl, "expected none.", "Say II, or leave ADDL out."
        )
    elif forever and (amount or rate <= 0.0):
        wrong("SS without an interval;", ss, "expected II above 0, or an infusion: AMT 0 and RATE above 0.")
    if amount == 0.0 and not forever:
        wrong("AMT of a dose is 0;", amount, "expected above 0.")
    duration = tinf * one or (amount / rate * one if rate > 0.0 else 0.0)
    if forever:
        amount, duration = rate, one
    elif 0.0 < ii * one < duration and addl > 0.0:
        wrong("an infusion overlaps the next;", duration / one, "expected no longer than II.")
    if line in sheet.bad:
        return None
    return Course(
        "", amount=amount, duration=duration, start=at, every=ii * one if addl else 0.0, count=int(addl) + 1,
        modelled={-1.0: "rate", -2.0: "duration"}.get(rate, ""),
        steady=math.inf if forever else ii * one if ss else 0.0,
        added=ss == 2.0, resets=kind == 4, patient=who, row=k, where=f"{sheet.name}:{line}",
    )  # fmt: skip


def _named(sheet: Sheet, line: int, row: Mapping[str, str], course: Course, drug: str, unit: str, route: str) -> Course:
    """The course with its drug, unit and route."""
    from dataclasses import replace

    if course.kind == "reset":
        return course
    what, said, way = row.get("DRUG") or drug, row.get("UNIT") or unit, row.get("ROUTE") or route
    try:
        said = unit_of(said)
    except UnitError as error:
        sheet.complain(line, f"{error}.")
    kind = what if what in CELLS else "cells" if said == "cells" else "drug"
    return replace(course, what=what, unit=said, route=way, kind=kind)


def nonmem(regimen: Regimen, until: float | None = None, time: str = "h") -> str:
    """A regimen as a table, one row for each course with regular doses and one for each dose otherwise.

    until   end of courses without one, min. Raises InputError for what such a table has no word for.

    >>> from oncarium.model.doses import read_doses
    >>> print(nonmem(read_doses("x 2 mg every week, 4 times")), end="")
    ID,TIME,AMT,EVID,CMT,RATE,II,ADDL,SS,DRUG,UNIT,ROUTE
    1,0,2,1,1,0,168,3,0,x,mg,
    """
    one = TIMES[time]
    rows: list[tuple[str, float, int, list[object]]] = []
    drugs = {d: k for k, d in enumerate(dict.fromkeys(c.what for c in regimen.courses if c.kind != "reset"), 1)}
    for k, c in enumerate(regular(regimen, until, "NONMEM")):
        who, cmt = c.patient or "1", drugs.get(c.what, 1)
        if c.kind == "reset":
            rows.append((who, c.start, k, [who, c.start / one, 0, 3, 1, 0, 0, 0, 0, "", "", ""]))
            continue
        forever = math.isinf(c.steady)
        rate = {"rate": -1.0, "duration": -2.0}.get(c.modelled, c.amount / c.duration * one if c.duration else 0.0)
        ii = c.every if c.every else 0.0 if forever else c.steady
        if c.steady and c.every and c.steady != c.every:
            raise InputError(c.where or "steady", "its steady state has another interval than its doses;",
                             "a table of NONMEM has one II for both.")  # fmt: skip
        rows.append((who, c.start, k, [
            who, c.start / one, 0.0 if forever else c.amount, 4 if c.resets else 1, cmt, rate, ii / one,
            (c.count or 1) - 1, (2 if c.added else 1) if c.steady else 0, c.what, c.unit, c.route,
        ]))  # fmt: skip
    order = {c.patient or "1": k for k, c in reversed(list(enumerate(regimen.courses)))}
    rows.sort(key=lambda r: (order[r[0]], r[1], r[2]))
    return written(COLUMNS, [r[-1] for r in rows])


def regular(regimen: Regimen, until: float | None, of: str) -> list[Course]:
    """The courses with nothing but a start, an interval and a count: others dose by dose. Raises InputError."""
    from dataclasses import replace

    out: list[Course] = []
    told = []
    for c in regimen.courses:
        what = "a rule" if c.rules else "a start that depends on the tissue" if c.origin is not None else ""
        if what or (c.endless and until is None):
            why = f"has {what}, for which {of} has no word" if what else "has no end"
            told.append(f"{c.where + ': ' if c.where else ''}{c.what} {why}")
            continue
        times = list(c.times(math.inf if until is None else until, regimen.first))
        if not times:
            continue
        even = len(times) == 1 or all(
            abs(t - times[0] - k * c.every) <= 1e-9 * max(t, 1.0) for k, t in enumerate(times)
        )
        bare = {"until": None, "days": (0.0,), "weekdays": (), "without": (), "rest": (0, 0.0), "on": 0.0, "off": 0.0}
        if even:
            every = c.every if len(times) > 1 else 0.0
            out.append(replace(c, start=times[0], count=len(times), every=every, **bare))  # type: ignore[arg-type]
        else:
            out += [
                replace(c, start=t, count=1, every=0.0, steady=c.steady if k == 0 else 0.0, **bare)  # type: ignore[arg-type]
                for k, t in enumerate(times)
            ]
    if told:
        raise InputError(told[0].partition(" ")[0] if len(told) == 1 else of, "; ".join(told) + ".",
                         remedy="Leave it out, or say until when.")  # fmt: skip
    return out
