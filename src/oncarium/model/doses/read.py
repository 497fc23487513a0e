"""Reads regimens from wherever they stand: a line, a group, a list of both, or a file."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...errors import ModelError, Problem
from ...units import UnitError
from ..files import Document, decode, parse, read_bytes
from .course import Course, Regimen
from .english import read_line
from .groups import Reading, read_group
from .nonmem import read_nonmem
from .simbiology import read_simbiology
from .words import date_of, say_span

SUFFIXES = (".csv", ".dta", ".tsv", ".txt", ".yaml", ".yml")
FILE_KEYS = ("file", "time", "drug", "unit")


def regimen_of(
    given: Any, where: Callable[[str], str], folder: Path | None = None, start: datetime.date | None = None,
    drugs: Collection[str] | None = None, types: Collection[str] | None = None,
) -> tuple[Regimen, list[Problem]]:  # fmt: skip
    """A regimen and what is wrong with it.

    given    a line, a group, or a list of lines and groups, as a model's `therapy.doses` holds them
    where    place in that list ("0", "0.amount") -> file and line     folder   in which named files lie
    start    date of day 0     drugs, types   names that are known (None: not looked at)

    >>> regimen, problems = regimen_of(["x 2 mg dayly"], lambda path: "model.yaml:3")
    >>> print(problems[0].message)
    'dayly' is not understood. Did you mean 'daily'?
    """
    items = given if isinstance(given, list | tuple) else [given]
    courses: list[Course] = []
    problems: list[Problem] = []
    for k, item in enumerate(items):
        if isinstance(item, str) and (said := item.strip()).startswith("start ") and k == 0:
            try:
                start = date_of(said[6:])
                if start is None:
                    raise UnitError(f"'{said[6:]}' is no date; expected year-month-day")
            except UnitError as error:
                problems.append(Problem(where(str(k)), "start", f"{error}."))
            continue
        reading = Reading(lambda key, k=k: where(f"{k}.{key}" if key else str(k)), start, drugs, types)  # type: ignore[misc]
        if isinstance(item, Mapping) and "file" in item:
            found, told = _named_file(item, reading, folder)
            courses += found.courses
            start = start or found.start
            problems += told
            continue
        group = item if isinstance(item, Mapping) else read_line(item, reading) if isinstance(item, str) else None
        if group is None and not reading.problems:
            reading.complain("", f"'{str(item)[:60]}' is no dose;", "expected a line or a group.")
        courses += [] if group is None else read_group(group, reading)
        problems += reading.problems
    found = Regimen(tuple(replace(c, row=k) for k, c in enumerate(courses)), start)
    return found, problems + ([] if problems else _twice(found))


def _named_file(item: Mapping[str, Any], reading: Reading, folder: Path | None) -> tuple[Regimen, list[Problem]]:
    for key in item:
        if key not in FILE_KEYS:
            reading.complain(key, f"'{key}' is no part of a file of doses;", f"expected {', '.join(FILE_KEYS)}.")
    if reading.problems:
        return Regimen(), reading.problems
    further = {k: str(v) for k, v in item.items() if k != "file"}
    path = (folder or Path()) / str(item["file"])
    return read_file(path, str(item["file"]), start=reading.start, drugs=reading.drugs, types=reading.types, **further)


def read_file(
    path: Path, name: str | None = None, *, time: str = "h", drug: str = "drug", unit: str = "mg",
    start: datetime.date | None = None, drugs: Collection[str] | None = None, types: Collection[str] | None = None,
) -> tuple[Regimen, list[Problem]]:  # fmt: skip
    """A regimen from a file, and what is wrong with it; its ending, and the header of a table, say what it is."""
    name = name or str(path)
    if path.suffix.lower() not in SUFFIXES:
        return Regimen(), [Problem(name, "", f"'{path.suffix}' is no kind of file of doses;",
                                   f"expected {', '.join(SUFFIXES)}.")]  # fmt: skip
    try:
        text = decode(read_bytes(path), name)
        if path.suffix.lower() in (".yaml", ".yml"):
            return _yaml(parse(text, name), path.parent, start, drugs, types)
    except ModelError as error:
        return Regimen(), error.problems
    if path.suffix.lower() == ".txt":
        return _lines(text, name, path.parent, start, drugs, types)
    head = text.lstrip("\ufeff \n").partition("\n")[0].upper()
    if "AMOUNT" in head:
        regimen, problems = read_simbiology(text, name, time, drug, unit)
    else:
        found = read_nonmem(text, name, time, drug, unit)
        regimen, problems = found.regimen, found.problems
    reading = Reading(lambda key: name, start, drugs, types)
    for what in regimen.drugs:
        if drugs is not None and what not in drugs:
            from ...errors import did_you_mean

            at = next(c.where for c in regimen.courses if c.what == what)
            problems.append(Problem(at, "", f"no drug is called '{what[:60]}'.{did_you_mean(what, drugs)}", remedy=(
                "Say whose doses these are:  drug: NAME." if what == drug == "drug" else "")))  # fmt: skip
    return regimen, problems + reading.problems


def _yaml(
    document: Document, folder: Path, start: datetime.date | None, drugs: Collection[str] | None,
    types: Collection[str] | None,
) -> tuple[Regimen, list[Problem]]:  # fmt: skip
    tree = document.tree
    problems = list(document.problems)
    base = "doses"
    if isinstance(tree.get("therapy"), dict):
        tree, base = tree["therapy"], "therapy.doses"
    if "doses" not in tree:
        place = document.where("")
        return Regimen(), [*problems, Problem(place, "", "no doses stand in it;", "expected doses: [...].")]
    said = tree.get("start")
    try:
        start = date_of(str(said)) if said else start
    except UnitError as error:
        problems.append(Problem(document.where("start"), "start", f"{error}."))
    given = tree["doses"]
    one = not isinstance(given, list)
    found, told = regimen_of(
        given, lambda path: document.where(base if one else f"{base}.{path}"), folder, start, drugs, types
    )
    return found, problems + told


def _lines(
    text: str, name: str, folder: Path, start: datetime.date | None, drugs: Collection[str] | None,
    types: Collection[str] | None,
) -> tuple[Regimen, list[Problem]]:  # fmt: skip
    lines = [(k, line.partition("#")[0].strip()) for k, line in enumerate(text.split("\n"), 1)]
    lines = [(k, line) for k, line in lines if line]
    if not lines:
        return Regimen(), [Problem(name, "", "the file is empty.", "Expected a dose in every line.")]
    return regimen_of(
        [line for _, line in lines], lambda path: f"{name}:{lines[int(path.partition('.')[0])][0]}", folder, start,
        drugs, types,
    )  # fmt: skip


def read_doses(
    given: Any, *, time: str = "h", drug: str = "drug", unit: str = "mg", start: datetime.date | str | None = None,
    drugs: Collection[str] | None = None, types: Collection[str] | None = None,
) -> Regimen:  # fmt: skip
    """The regimen that a line, a group, a list of both or a file (a Path) says.

    time, drug, unit   of tables that do not say them     start   date of day 0
    drugs, types       names that are known (None: not looked at). Raises ModelError with every problem.

    >>> len(read_doses("radiation 2 Gy every weekday from day 20, 30 times").doses())
    30
    """
    day0 = date_of(start) if isinstance(start, str) else start
    if isinstance(given, Path):
        found, problems = read_file(given, time=time, drug=drug, unit=unit, start=day0, drugs=drugs, types=types)
    else:
        found, problems = regimen_of(given, lambda path: "doses", None, day0, drugs, types)
    if any(p.severity == "error" for p in problems):
        raise ModelError(problems)
    return found


def check_regimen(regimen: Regimen, until: float) -> list[Problem]:
    """What does not fit a run that ends at `until` (min): courses that begin after it, and (a notice) doses past it.

    >>> print(check_regimen(read_doses("x 2 mg on day 9"), 7200.0)[0].message)
    x begins on day 9, and the run ends on day 5.
    """
    out = []
    for c in regimen.courses:
        if c.origin is not None:
            continue
        end = math.inf if not c.endless else until
        times = list(c.times(end, regimen.first))
        late = [t for t in times if t > until]
        if (not times and c.endless) or (times and len(late) == len(times)):
            begins = times[0] if times else c.start
            out.append(Problem(c.where, "", f"{c.what} begins on day {begins / 1440:g}, and the run ends on day "
                               f"{until / 1440:g}.", remedy="Begin earlier, or run for longer."))  # fmt: skip
        elif late:
            past = f"{len(late)} of {len(times)} doses of {c.what} lie past the end of the run ({say_span(until)})."
            out.append(Problem(c.where, "", past, severity="notice"))
    return out


def _twice(regimen: Regimen) -> list[Problem]:
    """Courses that say the same dose at the same time."""
    seen: dict[tuple[object, ...], Course] = {}
    out = []
    for c in regimen.courses:
        key = (c.what, c.start, c.origin, c.every, c.days, c.route, c.patient, c.kind, c.steady, c.weekdays, c.amount)
        if key in seen and c.kind != "reset":
            out.append(Problem(c.where, "", f"this course of {c.what} stands twice, here and in {seen[key].where}.",
                               remedy="Keep one of them."))  # fmt: skip
        seen.setdefault(key, c)
    return out
