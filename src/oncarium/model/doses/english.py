"""A course as a line: "gemcitabine 1000 mg/m2 over 30 min on days 1, 8, 15 every 4 weeks, 3 cycles".

A line becomes a group (see `groups`): what is given, then clauses in any order, with or without commas between them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ...errors import did_you_mean
from .groups import Reading
from .words import NUMBER, TIMES, WEEKDAYS

UNIT_OF_TIME = "|".join(sorted(TIMES, key=len, reverse=True))
SPAN = rf"(?:{NUMBER}\s*)?(?:{UNIT_OF_TIME})\b"
DATE = r"\d{4}-\d{1,2}-\d{1,2}"
DAY_OR_DATE = rf"(?:day\s+{NUMBER}|{SPAN}|{DATE})"
DAYS = rf"{NUMBER}(?:\s*-\s*\d+)?"
LIST = rf"{DAYS}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+){DAYS})*"
DATES = rf"(?:{DATE}|day\s+\d+)(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+)(?:{DATE}|day\s+\d+))*"
NAMED = rf"(?:{'|'.join(WEEKDAYS)})s?"
SIZE = rf"(?:a\s+)?(?:lesion\s+)?diameter\s+(?:of|>=)\s+{NUMBER}\s*\w+"
EVENT = rf"(?:diagnosis|{SIZE}|[A-Za-z_][\w.]*\s*[<>]=?\s*{NUMBER}\s*[^\s,]*)"
OFTEN = {
    "daily": "1 day", "once daily": "1 day", "once a day": "1 day", "qd": "1 day", "weekly": "1 week",
    "once weekly": "1 week", "once a week": "1 week", "biweekly": "", "twice daily": "12 h", "twice a day": "12 h",
    "bid": "12 h", "tid": "8 h", "three times daily": "8 h", "three times a day": "8 h", "every other day": "2 day",
    "qod": "2 day", "hourly": "1 h",
}  # fmt: skip
ROUTES = {
    "iv": "iv", "intravenously": "iv", "intravenous": "iv", "oral": "oral", "orally": "oral", "by mouth": "oral",
    "po": "oral", "sc": "subcutaneous", "subcutaneous": "subcutaneous", "subcutaneously": "subcutaneous",
    "ip": "intraperitoneal", "intraperitoneal": "intraperitoneal", "intraperitoneally": "intraperitoneal",
}  # fmt: skip
EXPECTED = (
    "expected what is given, how much, and clauses such as: over 30 min, every 3 weeks, daily, from day 14, on day 21, "
    "on days 1, 8, 15 of every 4 weeks, 4 times, 3 cycles, until day 90, for 6 weeks, 4 weeks on 2 weeks off."
)
HEADS: tuple[tuple[str, Callable[[re.Match[str]], dict[str, Any]]], ...] = (
    (rf"(?:radiation|radiotherapy)\s+(?:of\s+)?({NUMBER}\s*[^\s,]*)", lambda m: {"radiation": m[1]}),
    (r"(?:surgery|resection)\b", lambda m: {"surgery": "0 %"}),
    (rf"({NUMBER})\s+([A-Za-z_][\w.+-]*)\s+cells\b", lambda m: {"cells": m[2], "amount": m[1]}),
    (r"reset\b", lambda m: {"reset": "all"}),
    (
        rf"(?:an?\s+)?(?:loading\s+dose\s+of\s+)?([A-Za-z][\w.+-]*)\s+(?:loading\s+dose\s+(?:of\s+)?)?({NUMBER}\s*[^\s,]*)",
        lambda m: {"drug": m[1], "amount": m[2]},
    ),
)
AMOUNT = rf"(?:a\s+)?(?:maintenance\s+dose\s+of\s+)?({NUMBER}\s*[^\s,]+)"


def _day_of(text: str) -> str:
    found = re.fullmatch(rf"day\s+({NUMBER})", text)
    return f"{found[1]} day" if found else text


def _event(text: str) -> str:
    return re.sub(r"^(?:a\s+)?(?:lesion\s+)?diameter\s+of\s+", "diameter >= ", text)


def _from(m: re.Match[str]) -> dict[str, Any]:
    after = f"{m[1]} after " if m[1] else ""
    return {"from": after + _event(m[2])}


CLAUSES: tuple[tuple[str, Callable[[re.Match[str]], dict[str, Any]]], ...] = (
    (rf"over\s+({SPAN})", lambda m: {"over": m[1]}),
    (rf"(?:at\s+)?({NUMBER}\s*\w+/(?:{UNIT_OF_TIME}))\b", lambda m: {"rate": m[1]}),
    (r"(?:with\s+)?(?:the\s+)?(rate|duration)\s+of\s+its\s+model", lambda m: {"modelled": m[1]}),
    (rf"({'|'.join(sorted(ROUTES, key=len, reverse=True))})\b", lambda m: {"route": ROUTES[m[1]]}),
    (rf"({SPAN})\s+on,?\s+(?:and\s+)?({SPAN})\s+off", lambda m: {"given": m[1], "pause": m[2]}),
    (rf"({'|'.join(sorted(OFTEN, key=len, reverse=True))})\b", lambda m: {"every": OFTEN[m[1]] or m[1]}),
    (r"every\s+(weekday|working day)\b", lambda m: {"every": "weekday"}),
    (rf"(?:every|on)\s+({NAMED}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+){NAMED})*)", lambda m: {"every": m[1]}),
    (rf"on\s+days?\s+({LIST})\s+of\s+every\s+({SPAN})", lambda m: {"on": m[1], "every": m[2]}),
    (rf"every\s+({SPAN})", lambda m: {"every": m[1]}),
    (r"q\s?(\d+)\s?([hdw])\b", lambda m: {"every": f"{m[1]} {m[2]}"}),
    (rf"(?:from|starting)\s+(?:on\s+)?(?:the\s+)?({DAY_OR_DATE})(?!\s+after)", lambda m: {"from": _day_of(m[1])}),
    (rf"(?:from|at|starting|on)\s+(?:({SPAN})\s+after\s+)?({EVENT})", _from),
    (rf"({SPAN})\s+after\s+({EVENT})", _from),
    (rf"on\s+days\s+({LIST})", lambda m: {"on": m[1]}),
    (rf"on\s+day\s+({NUMBER})(?!\s*(?:,|and)\s*\d)", lambda m: {"day": f"{m[1]} day"}),
    (rf"on\s+({DATE})", lambda m: {"day": m[1]}),
    (r"(?:for\s+)?(\d+)\s+(?:times|doses|fractions|x)\b", lambda m: {"times": m[1]}),
    (r"once\b", lambda m: {"times": "1"}),
    (r"(?:for\s+)?(\d+)\s+cycles?\b", lambda m: {"cycles": m[1]}),
    (rf"until\s+({DAY_OR_DATE})", lambda m: {"until": _day_of(m[1])}),
    (rf"until\s+(progression|{EVENT})", lambda m: {"until": _event(m[1])}),
    (rf"for\s+({SPAN})", lambda m: {"for": m[1]}),
    (rf"(?:with\s+)?a?\s*break\s+of\s+({SPAN})\s+after\s+(\d+)", lambda m: {"break": f"{m[1]} after {m[2]}"}),
    (rf"except\s+(?:on\s+)?({DATES})", lambda m: {"except": m[1]}),
    (rf"(?:at|in)\s+(added\s+)?steady\s+state(?:\s+of\s+(?:one\s+every\s+)?(an infusion|{SPAN}))?",
     lambda m: {"steady": f"{m[1] or ''}{(m[2] or 'true').replace('an infusion', 'infusion')}"}),
    (r"after\s+a\s+reset", lambda m: {"resets": "true"}),
    (rf"leaving\s+({NUMBER}\s*%)", lambda m: {"surgery": m[1]}),
    (r"(?:for\s+)?patient\s+([^\s,]+)", lambda m: {"patient": m[1]}),
    (r"((?:hold|skip|stop|halve|reduce)\s+[^,]+)", lambda m: {"rules": m[1].strip()}),
)  # fmt: skip


def read_line(line: str, reading: Reading) -> dict[str, Any] | None:
    """The group that a line says; None, and a problem, where it is not understood.

    >>> read_line("magrolimab 1 mg/kg on day 0 then 30 mg/kg weekly", Reading(lambda key: "line"))
    {'drug': 'magrolimab', 'amount': '1 mg/kg', 'on': ['0 day'], 'then': {'amount': '30 mg/kg', 'every': '1 week'}}
    """
    first, *others = re.split(r",?\s+(?:and\s+)?then\s+", " ".join(line.split()))
    whole = _part(first, reading, HEADS)
    last = whole
    for text in others:
        further = ((r"()" + AMOUNT, lambda m: {"amount": m[2]}),)
        part = _part(text, reading, further if re.match(AMOUNT, text) else (*HEADS, *((r"(?=\w)", lambda m: {}),)))
        if part is None or last is None:
            return None
        last["then"] = part
        last = part
    return whole


def _part(
    text: str, reading: Reading, heads: tuple[tuple[str, Callable[[re.Match[str]], dict[str, Any]]], ...]
) -> dict[str, Any] | None:
    found = next(((m, make) for pattern, make in heads if (m := re.match(pattern, text, re.I))), None)
    if found is None:
        reading.complain("", f"'{text[:80]}' does not say what is given;", EXPECTED)
        return None
    group = found[1](found[0])
    rest = text[found[0].end() :]
    while rest := re.sub(r"^(?:\s|,|;|and\b|\.$)+", "", rest):
        hit = next(((m, make) for pattern, make in CLAUSES if (m := re.match(pattern, rest, re.I))), None)
        if hit is None or hit[0].end() == 0:
            word = rest.split()[0].strip(",")
            known = ["over", "every", "from", "on", "until", "times", "cycles", "daily", "weekly", "leaving", *ROUTES]
            reading.complain("", f"'{rest[:60]}' is not understood.{did_you_mean(word, known)}", EXPECTED.capitalize())
            return None
        clause = hit[1](hit[0])
        for key, value in clause.items():
            if key == "rules":
                group.setdefault("rules", []).append(value)
            elif key in group and key != "surgery":
                reading.complain(key, f"'{key}' is said twice: {group[key]} and {value}.", remedy="Keep one of them.")
            else:
                group[key] = value
        rest = rest[hit[0].end() :]
    if (day := group.pop("day", None)) is not None:  # the first of several, or the only one
        if "on" in group:
            reading.complain("on", f"'{day}' and 'days {group['on']}' both say when.")
        group.update({"from": day} if "every" in group else {"on": [day]})
    return group
