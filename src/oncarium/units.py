"""Quantities as people write them: "2 molecules/min @Key2019 M 1..4" -> value in the canonical unit, unit, evidence.

Canonical units: um, min, mmHg (gases), nM (proteins), mM (metabolites), uM (small drugs), nN, fmol. Beyond this border
the program sees plain floats.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_NUMBER = r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
RANGE = re.compile(rf"({_NUMBER})\.\.(?!\.)({_NUMBER})")
TAIL = re.compile(r"(?:^|\s)(?=assumed(?:\s|$)|@|(?:[A-Z]\s+)?[-+]?\.?\d\S*\.\.)")  # where a number's evidence begins
KEY = re.compile(r"[\w:./()<>;+-]+")
# parts of a unit: a name with at most one small power, a short number, * / ( ) and spaces; nothing that takes long to
# work out
UNIT = re.compile(
    r"\s+|(?:[^\W\d]\w*|[%°])(?:\s*(?:\^|\*\*)\s*-?[0-9](?![\w.]))?|[0-9]{1,4}(?:\.[0-9]{1,4})?(?![\w.])|\*(?!\*)|[/()]"
)
POWER_WORDS = re.compile(r"\b(square|squared|cubic|cubed|sq)\b", re.I)
ASSUMED = "assumed"
GRADES = {"M": "measured, and read", "R": "reported by a public model or data file", "L": "recalled", "A": "assumed"}
LONGEST = 1000  # characters of one quantity
AVOGADRO = 6.02214076e23  # 1/mol, exact in the SI since 2019
A_DAY = 1.0 / 24.0 / 60.0  # per minute, to the digit as pint has it
PER_MINUTE = (("h", 1.0 / 60.0), ("day", A_DAY))
# what files of the library say: pint, which takes half a second to start, is asked for everything else
USUAL = {
    ("h", "min"): 60.0,
    ("day", "min"): 1440.0,
    ("um/h", "um/min"): 1.0 / 60.0,
    ("1/h", "1/min"): 1.0 / 60.0,
    ("1/h/mm", "1/min/um"): 1.0 / 60_000.0,
    ("cm^3", "um^3"): 1e12,
    ("1/ul", "1/nl"): 1e-3,
    ("molecules/min", "fmol/min"): 1e15 / AVOGADRO,
    ("1/day", "1/min"): A_DAY,
    **{(f"L/{t}{per}", f"L/min{per}"): one for t, one in PER_MINUTE for per in ("", "/kg", "/m^2")},
    **{(f"{m}/{t}", "mg/min"): k * one for m, k in (("mg", 1.0), ("ug", 1e-3)) for t, one in PER_MINUTE},
    ("ug/L", "mg/L"): 1e-3,
}


class UnitError(ValueError):
    """A text that is no quantity of the wanted unit; the message says why and what would be."""


@dataclass(frozen=True)
class Evidence:
    """Where a number comes from.

    sources     keys of the bibliography      grade   M, R, L or A (see GRADES), "" where none is said
    low, high   range in the number's unit: it lies within in nine of ten cases; None where none is said

    >>> str(Evidence(("Key2016", "Other2019"), "R", 0.5, 2.0)), str(Evidence((), "A", 1.0, 4.0))
    ('@Key2016 @Other2019 R 0.5..2', 'assumed 1..4')
    """

    sources: tuple[str, ...] = ()
    grade: str = ""
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        words = [f"@{key}" for key in self.sources]
        words += [ASSUMED if self.grade == "A" and not self.sources else self.grade]
        words += [] if self.low is None else [f"{self.low:.10g}..{self.high:.10g}"]
        return " ".join(w for w in words if w)

    @property
    def origin(self) -> Evidence:
        """The same without a range."""
        return Evidence(self.sources, self.grade)


UNSAID = Evidence()


@dataclass(frozen=True)
class Quantity:
    """A number in its canonical unit, and the evidence for it, whose range is in that unit, too.

    >>> str(Quantity(2.0, "um", Evidence(("Key2016",), "M", 1.0, 4.0)))
    '2 um @Key2016 M 1..4'
    """

    value: float
    unit: str = "1"
    evidence: Evidence = UNSAID

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys of the bibliography."""
        return self.evidence.sources

    @property
    def grade(self) -> str:
        """M, R, L or A; "" where none is said."""
        return self.evidence.grade

    @property
    def low(self) -> float | None:
        """Lower end of its range."""
        return self.evidence.low

    @property
    def high(self) -> float | None:
        """Upper end of its range."""
        return self.evidence.high

    def __str__(self) -> str:
        return f"{self.value:.10g}{'' if self.unit == '1' else ' ' + self.unit} {self.evidence}".rstrip()


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(autoconvert_offset_to_baseunit=False, cache_folder=None, on_redefinition="ignore")
    registry.define(f"molecule = {1 / AVOGADRO!r} mol = molecules")
    return registry


@lru_cache(maxsize=4096)
def factor(unit: str, wanted: str) -> float:
    """What one `unit` is in `wanted`.

    >>> factor("um/h", "um/min") * 60
    1.0
    """
    if unit == wanted:
        return 1.0
    if (unit, wanted) in USUAL:
        return USUAL[unit, wanted]
    if len(unit) > 60 or UNIT.sub("", unit) or POWER_WORDS.search(unit):
        raise UnitError(
            f"'{unit[:60]}' is not a unit; expected one that converts to {wanted}, with powers such as um^2 (at most 9)"
        )
    import pint

    registry = _registry()
    try:
        have = registry.parse_expression(unit if unit not in ("", "1") else "dimensionless")
        want = registry.parse_expression(wanted if wanted != "1" else "dimensionless")
        found = float((1.0 * have / want).to("dimensionless").magnitude)
    except pint.UndefinedUnitError as error:
        raise UnitError(
            f"'{error.args[0] if error.args else unit}' is no known unit; expected one that converts to {wanted}"
        ) from None
    except pint.DimensionalityError:
        raise UnitError(f"'{unit or 'no unit'}' cannot be converted to {wanted}") from None
    except Exception:
        raise UnitError(f"'{unit}' is not a unit; expected one that converts to {wanted}") from None
    if not 0.0 < found < math.inf:
        raise UnitError(f"'{unit}' is no unit that converts to {wanted} in numbers of usual size")
    return found


def split_source(text: str) -> tuple[str, Evidence]:
    """Text without its evidence, and the evidence. Raises UnitError.

    >>> body, evidence = split_source("2 um @Key2019 M 1..4")
    >>> body, evidence.sources, evidence.grade, evidence.high
    ('2 um', ('Key2019',), 'M', 4.0)
    """
    found = TAIL.search(text)
    if not found:
        return text.strip(), UNSAID
    words = text[found.start() :].split()
    sources, grade, low, high = [], "", None, None
    while words and words[0].startswith("@"):
        sources.append(words.pop(0)[1:])
        if not KEY.fullmatch(sources[-1]):
            raise UnitError(f"'@{sources[-1][:60]}' is no source; expected @ and a key of the bibliography")
    if words and words[0] == ASSUMED and not sources:
        grade = "A"
        words.pop(0)
    elif words and ".." not in words[0]:
        grade = words.pop(0)
        if grade not in GRADES:
            known = ", ".join(f"{k} ({meaning})" for k, meaning in GRADES.items())
            raise UnitError(f"'{grade[:60]}' is no grade; expected {known}")
        if grade in "MR" and not sources:
            raise UnitError(f"grade {grade} stands without a source; expected @Key {grade}")
    if words:
        said = words.pop(0)
        ends = RANGE.fullmatch(said)
        if not ends:
            raise UnitError(f"'{said[:60]}' is no range; expected low..high, two numbers")
        low, high = float(ends[1]), float(ends[2])
        if low > high:
            raise UnitError(f"the range {said} has its ends the wrong way round; expected {ends[2]}..{ends[1]}")
        if not sources and not grade:
            raise UnitError(
                f"the range {said} does not say where it comes from; expected 'assumed {said}' or '@Key M {said}'"
            )
    if words:
        what = (
            f"the range {said} is in the number's own unit and says none" if low is not None else "nothing stands there"
        )
        raise UnitError(f"'{' '.join(words)[:60]}' stands after the evidence; {what}")
    return text[: found.start()].strip(), Evidence(tuple(sources), grade, low, high)


def bare(text: str) -> str:
    """Text without its evidence; what is no number with evidence stays what it is.

    >>> bare("2 um @Key2019 M 1..4"), bare("5..7 days after")
    ('2 um', '5..7 days after')
    """
    try:
        return split_source(text)[0]
    except UnitError:
        return text.strip()


def parse_quantity(given: Any, unit: str) -> Quantity:
    """Read a number, a Quantity or a text as a quantity of this canonical unit.

    A bare number is allowed where the unit is 1, and for 0; anything else must say its unit.

    >>> parse_quantity("36 um/h assumed", "um/min")
    Quantity(value=0.6, unit='um/min', evidence=Evidence(sources=(), grade='A', low=None, high=None))
    """
    if isinstance(given, Quantity):
        one = factor(given.unit, unit)
        return Quantity(_finite(given.value * one, given), unit, _scaled(given.evidence, one))
    if isinstance(given, bool) or given is None or isinstance(given, dict | list | tuple):
        raise UnitError(
            f"{_show(given)} is not a number; expected a number"
            + ("" if unit == "1" else f" with a unit, e.g. '1 {unit}'")
        )
    text, evidence = split_source(str(given)[:LONGEST])
    found = NUMBER.match(text)
    if not found:
        if re.fullmatch(r"[-+]?(nan|inf|infinity|\.nan|\.inf)\b.*", text, re.I):
            raise UnitError(f"'{text[:60]}' is not finite; expected a finite number")
        raise UnitError(
            f"'{text[:60]}' is not a number; expected a number"
            + ("" if unit == "1" else f" with a unit, e.g. '1 {unit}'")
        )
    rest = text[found.end() :]
    if rest.startswith(",") and rest[1:2].isdigit():
        raise UnitError(f"'{text[:60]}' has a decimal comma; expected a decimal point")
    number = _finite(float(found.group()), text)
    given_unit = rest.strip()
    if not given_unit and unit != "1":
        if number == 0.0:
            return Quantity(0.0, unit, _around(0.0, evidence))
        raise UnitError(f"'{text[:60]}' has no unit; expected one that converts to {unit}, e.g. '{text[:60]} {unit}'")
    one = factor(given_unit or "1", unit)
    return Quantity(_finite(number * one, text), unit, _scaled(_around(number, evidence), one))


def _around(number: float, evidence: Evidence) -> Evidence:
    """The evidence, if its range holds the number."""
    if evidence.low is not None and evidence.high is not None and not evidence.low <= number <= evidence.high:
        raise UnitError(f"{number:g} lies outside its own range {evidence.low:g}..{evidence.high:g}")
    return evidence


def _scaled(evidence: Evidence, one: float) -> Evidence:
    """The evidence in another unit, `one` of which the first is."""
    if evidence.low is None or evidence.high is None or one == 1.0:
        return evidence
    return Evidence(
        evidence.sources, evidence.grade, _finite(evidence.low * one, evidence), _finite(evidence.high * one, evidence)
    )


def _finite(number: float, given: Any) -> float:
    if not math.isfinite(number):
        raise UnitError(f"'{str(given)[:60]}' is too large for a number; expected a finite one")
    return number


def _show(value: Any) -> str:
    text = repr(value) if not isinstance(value, dict) else "a group of values"
    return text if len(text) <= 60 else text[:57] + "..."


CANONICAL = ("1", "um", "min", "1/min", "um/min", "um^2", "um^3", "um^2/min", "um^3/min", "mmHg", "mmHg/min", "nM",
             "nM/min", "nN", "fmol", "fmol/min", "1/nM")  # fmt: skip


def canonical(unit: str) -> str:
    """The canonical unit that a free unit converts to: the first of um, min, ... of the same dimension.

    >>> canonical("1/h"), canonical("mm"), canonical("pM")
    ('1/min', 'um', 'nM')
    """
    usual = [wanted for wanted in CANONICAL if unit == wanted or (unit, wanted) in USUAL]
    for wanted in usual or CANONICAL:
        try:
            factor(unit, wanted)
        except UnitError:
            continue
        return wanted
    raise UnitError(f"'{unit}' converts to none of Oncarium's units; see 'Canonical units' in the documentation")


def parse_number(given: Any) -> float:
    """A parameter such as "0.01 1/min" or "5 mmHg" as a number in its canonical unit; plain numbers pass.

    >>> parse_number("0.6 1/h"), parse_number(3)
    (0.01, 3.0)
    """
    if isinstance(given, int | float) and not isinstance(given, bool):
        return float(given)
    text, _ = split_source(str(given))
    found = NUMBER.match(text)
    unit = text[found.end() :].strip() if found else ""
    if unit in ("mM", "uM"):  # metabolites and small drugs keep their own scale
        return parse_quantity(given, unit).value
    return parse_quantity(given, canonical(unit) if unit else "1").value


def whole_ticks(period: float, tick: float) -> int | None:
    """How many ticks a period lasts (both in min, to a millionth); None where that is no whole number above 0.

    >>> whole_ticks(6, 0.1), whole_ticks(1, 0.3)
    (60, None)
    """
    long, short = (Fraction(t).limit_denominator(10**6) for t in (period, tick))
    ratio = long / short if short > 0 else Fraction(0)
    return int(ratio) if ratio >= 1 and ratio.denominator == 1 else None


def to_minutes(given: Any) -> float:
    """A time such as "5 day", "36 h" or a number of minutes.

    >>> to_minutes("5 day"), to_minutes(90)
    (7200.0, 90.0)
    """
    if isinstance(given, int | float) and not isinstance(given, bool):
        if not math.isfinite(given):
            raise UnitError(f"{given} is not a time; expected a finite number of minutes, or a text such as '5 day'")
        return float(given)
    return parse_quantity(given, "min").value


def say_time(minutes: float) -> str:
    """A time as a person would say it.

    >>> say_time(7200), say_time(90), say_time(1500)
    ('5 d', '1.5 h', '1 d 1 h')
    """
    if minutes < 60:
        return f"{minutes:.4g} min"
    if minutes < 1440:
        return f"{minutes / 60:.4g} h"
    days, rest = divmod(minutes, 1440)
    return f"{days:.0f} d" + (f" {rest / 60:.3g} h" if rest / 60 >= 0.05 else "")
