"""Words of regimens: amounts, times and dates as texts, and back."""

from __future__ import annotations

import datetime
import math
import re

from ...units import UnitError

DAY = 1440.0
TIMES = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0 / 60.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 1.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 60.0),
    **dict.fromkeys(("d", "day", "days"), DAY),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 7.0 * DAY),
}
MASSES = {"kg": 1e6, "g": 1e3, "mg": 1.0, "ug": 1e-3, "µg": 1e-3, "μg": 1e-3, "mcg": 1e-3, "ng": 1e-6, "pg": 1e-9}
MOLES = {"mol": 1e9, "mmol": 1e6, "umol": 1e3, "µmol": 1e3, "μmol": 1e3, "nmol": 1.0, "pmol": 1e-3, "fmol": 1e-6}
PER = {"": "", "kg": "kg", "m2": "m^2", "m^2": "m^2", "m²": "m^2", "m**2": "m^2"}
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
QUANTITY = re.compile(rf"({NUMBER})\s*(\S.*)?")
DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NO_UNITS = ("daily", "weekly", "every", "on", "over", "from", "until", "once", "twice", "at", "iv", "oral", "then")
AMOUNT = "expected a mass or an amount such as mg, mg/kg, mg/m^2 or nmol"


def number(text: str) -> float:
    """A finite number. Raises UnitError."""
    try:
        found = float(text)
    except ValueError:
        raise UnitError(f"'{text[:60]}' is no number") from None
    if not math.isfinite(found):
        raise UnitError(f"'{text[:60]}' is not finite; expected a finite number")
    return found


def span(text: str, least: float = 0.0) -> float:
    """A length of time in min; one without a number is one of it. Raises UnitError.

    >>> span("3 weeks"), span("day"), span("90 min")
    (30240.0, 1440.0, 90.0)
    """
    body = str(text).strip()
    body = f"1 {body}" if body.lower() in TIMES else body
    found = QUANTITY.fullmatch(body)
    unit = (found[2] or "").strip().lower() if found else ""
    if not found or unit not in TIMES:
        if found and not unit and float(found[1]) == 0.0:
            return 0.0
        what = "has no unit" if found and not unit else "is no length of time"
        raise UnitError(f"'{body[:60]}' {what}; expected min, h, day or week, e.g. '3 week'")
    minutes = number(found[1]) * TIMES[unit]
    if minutes < least or (least > 0.0 and minutes == 0.0):
        raise UnitError(f"'{body[:60]}' is below {say_span(least) if least else '0'}")
    return minutes


def say_span(minutes: float) -> str:
    """A length of time that `span` reads back exactly.

    >>> say_span(30240.0), say_span(720.0), say_span(0.5)
    ('21 day', '12 h', '0.5 min')
    """
    for unit, one in (("day", DAY), ("h", 60.0)):
        if minutes % one == 0.0:
            return f"{minutes / one:.0f} {unit}"
    return f"{say(minutes)} min"


def say(value: float) -> str:
    """A number with as few digits as read back the same.

    >>> say(200.0), say(0.1), say(1e7)
    ('200', '0.1', '1e+07')
    """
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def unit_of(text: str) -> str:
    """An amount's unit in the house's spelling. Raises UnitError.

    >>> unit_of("mg/m2"), unit_of("ug/kg"), unit_of("Gy")
    ('mg/m^2', 'ug/kg', 'Gy')
    """
    if text in ("Gy", "%", "cells"):
        return text
    above, slash, below = (part.strip() for part in text.partition("/"))
    if (above not in MASSES and above not in MOLES) or below not in PER or (slash and not below):
        raise UnitError(f"'{text[:60]}' is no unit of a dose; {AMOUNT}")
    above = {"µg": "ug", "μg": "ug", "mcg": "ug", "µmol": "umol", "μmol": "umol"}.get(above, above)
    return f"{above}/{PER[below]}" if below else above


def amount_of(text: str) -> tuple[float, str]:
    """An amount with its unit. Raises UnitError.

    >>> amount_of("60 mg/m2")
    (60.0, 'mg/m^2')
    """
    found = QUANTITY.fullmatch(str(text).strip())
    if not found:
        raise UnitError(f"'{str(text)[:60]}' is no amount; {AMOUNT}")
    if not found[2] or found[2].split()[0].rstrip(",") in NO_UNITS:
        raise UnitError(f"'{str(text)[:60]}' has no unit; {AMOUNT}")
    value, unit = number(found[1]), unit_of(found[2].strip())
    if value < 0.0:
        raise UnitError(f"'{str(text)[:60]}' is negative; expected an amount above 0")
    return value, unit


def one_of(unit: str) -> tuple[str, float, str]:
    """Kind of a unit ("mass" or "moles"), what one is in mg or nmol, and per what it is counted.

    >>> one_of("g/m^2")
    ('mass', 1000.0, 'm^2')
    """
    above, _, below = unit.partition("/")
    return ("mass", MASSES[above], below) if above in MASSES else ("moles", MOLES[above], below)


def date_of(text: str) -> datetime.date | None:
    """A calendar date; None where the text is none. Raises UnitError for 2026-02-30."""
    found = DATE.fullmatch(text.strip())
    if not found:
        return None
    try:
        return datetime.date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise UnitError(f"'{text}' is no date of the calendar; expected year-month-day") from None
