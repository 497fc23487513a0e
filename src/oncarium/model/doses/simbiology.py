"""Doses as SimBiology's tables hold them: RepeatDose (StartTime, Amount, Rate, Interval, RepeatCount) and ScheduleDose
(Time, Amount, Rate). RepeatCount counts the doses after the first."""

from __future__ import annotations

from ...errors import InputError, Problem
from ...units import UnitError
from .course import Course, Regimen
from .nonmem import CELLS, regular
from .tables import Sheet, sheet_of, written
from .words import MASSES, MOLES, TIMES, say, unit_of

COLUMNS = (
    "TargetName",
    "StartTime",
    "Amount",
    "Rate",
    "Interval",
    "RepeatCount",
    "AmountUnits",
    "RateUnits",
    "TimeUnits",
    "Route",
)
WORDS = {
    "gram": "g", "milligram": "mg", "microgram": "ug", "nanogram": "ng", "kilogram": "kg", "mole": "mol",
    "millimole": "mmol", "micromole": "umol", "nanomole": "nmol", "picomole": "pmol",
}  # fmt: skip


def read_simbiology(
    text: str, name: str, time: str = "h", drug: str = "drug", unit: str = "mg"
) -> tuple[Regimen, list[Problem]]:
    """Read a table of either kind. time, drug, unit: where no column TimeUnits, TargetName or AmountUnits says it.

    >>> table = "StartTime,Amount,Rate,Interval,RepeatCount\\n0,5,0,24,2\\n"
    >>> len(read_simbiology(table, "d.csv")[0].doses())
    3
    """
    sheet = sheet_of(text, name)
    start = "STARTTIME" if "STARTTIME" in sheet.names else "TIME"
    for needed in (start, "AMOUNT"):
        if sheet.names and needed not in sheet.names:
            sheet.complain(1, f"the column {needed} is missing;", "", f"expected {', '.join(COLUMNS[:6])}.")
    if sheet.told():
        return Regimen(), sheet.told()
    courses = [
        c
        for k, (line, row) in enumerate(sheet.rows)
        if (c := _course(sheet, line, row, k, start, time, drug, unit)) is not None
    ]
    return Regimen(tuple(courses)), sheet.told()


def _course(
    sheet: Sheet, line: int, row: dict[str, str], k: int, start: str, time: str, drug: str, unit: str
) -> Course | None:
    at, amount, rate, interval, count = (
        sheet.number(line, row, c) for c in (start, "AMOUNT", "RATE", "INTERVAL", "REPEATCOUNT")
    )
    clock = row.get("TIMEUNITS") or time
    said = row.get("AMOUNTUNITS") or unit
    said = WORDS.get(said, said)
    try:
        said = unit_of(said)
    except UnitError as error:
        sheet.complain(line, f"{error}.")
    if clock not in TIMES:
        sheet.complain(line, "TimeUnits is no unit of time;", clock, "expected minute, hour, day or week.")
        return None
    for column, value in (
        ("StartTime" if start == "STARTTIME" else "Time", at),
        ("Amount", amount),
        ("Rate", rate),
        ("Interval", interval),
    ):
        if value < 0.0:
            sheet.complain(line, f"{column} is negative;", say(value), "expected 0 or more.")
    if amount == 0.0 and line not in sheet.bad:
        sheet.complain(line, "Amount of a dose is 0;", "0", "expected above 0.")
    if count < 0.0 or count != int(count):
        sheet.complain(line, "RepeatCount is no number of doses;", say(count), "expected 0, 1, 2, ...")
    if count > 0.0 and interval <= 0.0:
        sheet.complain(line, "repeats without an interval;", say(count), "expected Interval above 0.")
    one = TIMES[clock]
    duration = 0.0
    if rate > 0.0 and line not in sheet.bad:
        duration = amount / _rate(sheet, line, row.get("RATEUNITS", ""), rate, said, one)
        if count and 0.0 < interval * one < duration:
            sheet.complain(
                line, "an infusion overlaps the next;", say(duration / one), "expected no longer than Interval."
            )
    if line in sheet.bad:
        return None
    what = row.get("TARGETNAME") or drug
    kind = what if what in CELLS else "cells" if said == "cells" else "drug"
    return Course(
        what, kind, amount, said, row.get("ROUTE") or "", duration, start=at * one,
        every=interval * one if count else 0.0, count=int(count) + 1, row=k, where=f"{sheet.name}:{line}",
    )  # fmt: skip


def _rate(sheet: Sheet, line: int, text: str, rate: float, unit: str, one: float) -> float:
    """A rate in the dose's unit per min."""
    if not text:
        return rate / one
    above, _, below = (WORDS.get(part.strip(), part.strip()) for part in text.rpartition("/"))
    known = next((u for u in (MASSES, MOLES) if above in u and unit in u), None)
    if above == unit and below in TIMES:
        return rate / TIMES[below]
    if known is None or below not in TIMES:
        sheet.complain(line, f"RateUnits does not fit {unit};", text, f"expected {unit}/hour.")
        return 1.0
    return rate * known[above] / known[unit] / TIMES[below]


def simbiology(regimen: Regimen, until: float | None = None) -> str:
    """A regimen as a table of repeat doses, times in hours. Raises InputError for what it has no word for.

    >>> from oncarium.model.doses import read_doses
    >>> print(simbiology(read_doses("x 2 mg every week, 4 times")).splitlines()[1])
    x,0,2,0,168,3,mg,mg/h,h,
    """
    rows: list[list[object]] = []
    for c in regular(regimen, until, "SimBiology"):
        odd = next((w for w, is_ in (("a steady state", c.steady), ("a reset", c.resets or c.kind == "reset"),
                                     ("a rate that its model says", c.modelled), ("several patients", c.patient))
                    if is_), "")  # fmt: skip
        if odd:
            raise InputError(c.where or c.what, f"{c.what} has {odd}, for which SimBiology's tables have no word.")
        rate = c.amount / c.duration * 60.0 if c.duration else 0.0
        every = c.every / 60.0
        rows.append(
            [c.what, c.start / 60.0, c.amount, rate, every, (c.count or 1) - 1, c.unit, f"{c.unit}/h", "h", c.route]
        )
    return written(COLUMNS, rows)
