"""Courses written as groups of YAML and as English lines."""

from __future__ import annotations

import math
from typing import Any

from .course import Course, Regimen
from .words import DAY, WEEKDAYS, say, say_span

WORKING = (0, 1, 2, 3, 4)


def group_of(course: Course) -> dict[str, Any]:
    """A course as `read_group` reads it.

    >>> from oncarium.model.doses import read_doses
    >>> group_of(read_doses("x 2 mg/kg every week, 4 times").courses[0])
    {'drug': 'x', 'amount': '2 mg/kg', 'every': '7 day', 'times': '4'}
    """
    c = course
    amount = f"{say(c.amount)} {c.unit}".strip()
    out: dict[str, Any] = {"drug": c.what, "amount": amount}
    if c.kind == "cells":
        out = {"cells": c.what, "amount": say(c.amount)}
    elif c.kind != "drug":
        out = {c.kind: "all" if c.kind == "reset" else amount}
    if c.route:
        out["route"] = c.route
    if c.duration:
        out["over"] = say_span(c.duration)
    if c.modelled:
        out["modelled"] = c.modelled
    if c.every:
        named = [WEEKDAYS[d] for d in c.weekdays]
        out["every"] = "weekday" if c.weekdays == WORKING else ", ".join(named) if named else say_span(c.every)
    if c.start or c.origin is not None:
        after = f"{say_span(c.start)} after " if c.start and c.origin is not None else ""
        out["from"] = f"{after}{c.origin}" if c.origin is not None else say_span(c.start)
    if c.days != (0.0,) and c.every:
        base = DAY if c.days[0] == 0.0 else 0.0
        days = [t + base for t in c.days] if base else list(c.days)
        if days[0] >= DAY and not base:  # would be read as counted from day 1
            days = [t + DAY for t in c.days]
        out["on"] = [say(t / DAY) if (t / DAY) * DAY == t else say_span(t) for t in days]
    elif c.days != (0.0,):
        out.pop("from", None)
        out["on"] = [say_span(t + c.start) for t in c.days]
    if c.count is not None and c.every:
        out["times"] = str(c.count)
    if c.until is not None and c.every:
        out["until"] = say_span(c.until)
    if c.on and c.off:
        out |= {"given": say_span(c.on), "pause": say_span(c.off)}
    if c.rest[0]:
        out["break"] = f"{say_span(c.rest[1])} after {c.rest[0]}"
    if c.without:
        out["except"] = [f"day {d}" for d in c.without]
    if c.steady:
        how = "infusion" if math.isinf(c.steady) else "true" if c.steady == c.every else say_span(c.steady)
        out["steady"] = f"added {'' if how == 'true' else how}".strip() if c.added else how
    if c.resets:
        out["resets"] = "true"
    if c.rules:
        out["rules"] = [str(rule) for rule in c.rules]
    if c.patient:
        out["patient"] = c.patient
    return out


def line_of(course: Course) -> str:
    """A course as an English line.

    >>> from oncarium.model.doses import read_doses
    >>> line_of(read_doses("gemcitabine 1 g/m2 over 30 min on days 1, 8, 15 every 4 weeks, 3 cycles").courses[0])
    'gemcitabine 1 g/m^2 over 30 min on days 1, 8, 15 of every 28 days, 9 times'
    """
    c, g = course, group_of(course)
    head = {
        "drug": f"{c.what} {g.get('amount')}", "cells": f"{g.get('amount')} {c.what} cells",
        "radiation": f"radiation {say(c.amount)} Gy", "surgery": f"surgery leaving {say(c.amount)} %", "reset": "reset",
    }[c.kind]  # fmt: skip
    words = [head]
    words += [g["route"]] if "route" in g else []
    words += [f"over {_days(g['over'])}"] if "over" in g else []
    words += [f"{c.modelled} of its model"] if c.modelled else []
    if "on" in g and c.every:
        words.append(f"on days {', '.join(g['on'])} of every {_days(g['every'])}")
    elif "on" in g:
        days = [t.removesuffix(" day") for t in g["on"]]
        words.append(f"on {'day' if len(days) == 1 else 'days'} {', '.join(days)}")
    elif "every" in g:
        words.append(f"every {_days(g['every'])}")
    if "from" in g:
        alone = not c.every and c.origin is None and c.start % DAY == 0.0
        words.append(f"on day {say(c.start / DAY)}" if alone else f"from {_from(c, g['from'])}")
    out = " ".join(words)
    further = [f"{c.count} times" if c.count != 1 else "once"] if "times" in g else []
    further += [f"until {_day(g['until'])}"] if "until" in g else []
    further += [f"{_days(g['given'])} on {_days(g['pause'])} off"] if "given" in g else []
    further += [f"break of {_days(g['break'])}"] if "break" in g else []
    further += [f"except {', '.join(g['except'])}"] if "except" in g else []
    if c.steady:
        state = "an infusion" if math.isinf(c.steady) else _days(say_span(c.steady))
        further.append(f"at {'added ' if c.added else ''}steady state{'' if c.steady == c.every else f' of {state}'}")
    further += ["after a reset"] if c.resets else []
    further += [f"patient {c.patient}"] if c.patient else []
    further += [str(rule) for rule in c.rules]
    return ", ".join([out, *further])


def _from(c: Course, said: str) -> str:
    return _days(said) if c.origin is not None else _day(said)


def _day(said: str) -> str:
    return f"day {said.removesuffix(' day')}" if said.endswith(" day") else said


def _days(said: str) -> str:
    """ "21 day" as one says it: "21 days"."""
    number, _, unit = said.partition(" ")
    return f"{number} days{unit[3:]}" if unit.startswith("day") and number != "1" else said


def english(regimen: Regimen) -> str:
    """A regimen as lines of English."""
    head = [f"start {regimen.start}"] if regimen.start else []
    return "\n".join([*head, *(line_of(c) for c in regimen.courses)]) + "\n"


def yaml(regimen: Regimen) -> str:
    """A regimen as a YAML file."""
    from ..files import emit

    head = {"start": str(regimen.start)} if regimen.start else {}
    return emit({**head, "doses": [group_of(c) for c in regimen.courses]})
