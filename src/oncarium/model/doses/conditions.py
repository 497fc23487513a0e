"""Rules of a regimen that depend on what the patient's body does: "hold while neutrophils < 1", "stop at 2x nadir".

A rule multiplies a dose by a share: 0 holds it back, 0.5 halves it. With `while` it acts as long as its condition
holds, otherwise from the first time on that it held. Readings are named by who runs the regimen (a tissue's
summary, a trial); `diameter`, `progression` and `diagnosis` are those that every trial has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...errors import Problem, did_you_mean
from ...units import UnitError, factor
from ..stop import SIGNS
from .words import NUMBER, number, say

WORDS = {"above": ">", "over": ">", "at least": ">=", "below": "<", "under": "<", "at most": "<="}
COMPARED = re.compile(
    rf"([A-Za-z_][\w.]*)\s*(>=|<=|>|<|above|over|at least|below|under|at most)\s*({NUMBER})\s*(\S.*)?"
)
TIMES = re.compile(rf"({NUMBER})\s*(?:x|times|fold)\s*(?:the\s+)?(nadir|baseline)(?:\s+of\s+([A-Za-z_][\w.]*))?")
RULE = re.compile(
    rf"(hold|skip|stop|halve|reduce\s+to\s+({NUMBER})\s*%|reduce\s+by\s+({NUMBER})\s*%)\s+(while|if|when|once|at)\s+(.+)"
)
EXPECTED = "expected e.g. 'hold while neutrophils < 1', 'stop at 2x nadir', 'halve if neutrophils < 1'."
EVENTS = ("progression", "diagnosis")


@dataclass(frozen=True)
class Condition:
    """A reading against a value: in its unit, or in multiples of its lowest (`nadir`) or first (`baseline`) value.

    >>> Condition("neutrophils", "<", 1.0).holds({"neutrophils": 0.4}, {}, {})
    True
    """

    name: str
    sign: str
    value: float
    unit: str = ""
    of: str = ""

    def holds(
        self, now: Mapping[str, float], lowest: Mapping[str, float], first: Mapping[str, float], unit: str = ""
    ) -> bool:
        """Does it hold? unit: the reading's own. A reading that was never seen fulfils nothing."""
        if self.name not in now:
            return False
        one = {"": 1.0, "nadir": lowest.get(self.name), "baseline": first.get(self.name)}[self.of]
        if one is None:
            return False
        scale = factor(self.unit, unit) if self.unit and unit and not self.of else 1.0
        return SIGNS[self.sign](now[self.name], self.value * one * scale)

    def __str__(self) -> str:
        if self.name in EVENTS:
            return self.name
        if self.of:
            return f"{say(self.value)}x {self.of} of {self.name}"
        return f"{self.name} {self.sign} {say(self.value)}{f' {self.unit}' if self.unit else ''}"


@dataclass(frozen=True)
class Rule:
    """A share of the dose while a condition holds, or (`lasting` False) from when it first held.

    >>> print(read_rule("reduce by 25 % if neutrophils below 1"))
    reduce to 75 % if neutrophils < 1
    """

    share: float
    lasting: bool
    condition: Condition

    def __str__(self) -> str:
        how = {0.0: "hold" if self.lasting else "stop", 0.5: "halve"}.get(self.share, "")
        how = how or f"reduce to {say(100.0 * self.share)} %"
        return f"{how} {'while' if self.lasting else 'if'} {self.condition}"


def read_condition(text: str) -> Condition:
    """A condition. Raises UnitError.

    >>> read_condition("diameter >= 10 mm"), read_condition("2x nadir").of
    (Condition(name='diameter', sign='>=', value=10.0, unit='mm', of=''), 'nadir')
    """
    text = text.strip()
    if text in EVENTS:
        return Condition(text, ">=", 1.0)
    if found := TIMES.fullmatch(text):
        return Condition(found[3] or "diameter", ">=", number(found[1]), "", found[2])
    if found := COMPARED.fullmatch(text):
        return Condition(found[1], WORDS.get(found[2], found[2]), number(found[3]), (found[4] or "").strip())
    raise UnitError(f"'{text[:60]}' is no condition; expected e.g. 'neutrophils < 1', '2x nadir' or 'progression'")


def read_rule(text: str) -> Rule:
    """A rule. Raises UnitError."""
    found = RULE.fullmatch(text.strip())
    if not found:
        raise UnitError(f"'{text[:60]}' is no rule of a regimen; {EXPECTED.rstrip('.')}")
    verb, to, by, how, condition = found.groups()
    share = 0.5 if verb == "halve" else 0.0
    if to or by:
        share = number(to) / 100.0 if to else (100.0 - number(by)) / 100.0
        if not 0.0 < share < 1.0:
            raise UnitError(f"'{verb}' is no reduction; expected a share between 0 and 100 %")
    return Rule(share, verb in ("hold", "skip") or (how == "while" and verb != "stop"), read_condition(condition))


def problems_of(rules: Sequence[Rule], units: Mapping[str, str], where: str) -> list[Problem]:
    """What is wrong with rules, given the readings that there are and their units: unknown names, units that do not
    fit.

    >>> print(problems_of([read_rule("hold while neutrophil < 1")], {"neutrophils": "1/nl"}, "doses.txt:1")[0])
    doses.txt:1
      no reading is called 'neutrophil'. Did you mean 'neutrophils'? There are: neutrophils.
    """
    out = []
    for c in (rule.condition for rule in rules):
        if c.name not in units and c.name not in EVENTS:
            names = f"There are: {', '.join(units)}." if len(units) <= 24 else ""
            out.append(Problem(where, "", f"no reading is called '{c.name}'.{did_you_mean(c.name, units)}", names))
        elif c.unit:
            try:
                factor(c.unit, units[c.name])
            except UnitError as error:
                out.append(Problem(where, "", f"{c}: {error}."))
    return out


@dataclass
class Watch:
    """Follows the readings of a run for the rules of one course: `see` at every look, `share` at every dose.

    lowest, first   of every reading seen     fired   for each rule, whether its condition ever held

    >>> watch = Watch([read_rule("hold while neutrophils < 1"), read_rule("stop at 2x nadir")])
    >>> for d in (10.0, 6.0, 11.0):
    ...     watch.see({"diameter": d, "neutrophils": 3.0})
    >>> watch.share(), watch.share({"diameter": 12.0, "neutrophils": 3.0})
    (1.0, 0.0)
    """

    rules: Sequence[Rule]
    units: Mapping[str, str] = field(default_factory=dict)
    lowest: dict[str, float] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    now: dict[str, float] = field(default_factory=dict)
    fired: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.fired = self.fired or [False] * len(self.rules)

    def see(self, readings: Mapping[str, float]) -> None:
        """What is read now."""
        for name, value in readings.items():
            self.now[name] = value
            self.first.setdefault(name, value)
            self.lowest[name] = min(value, self.lowest.get(name, value))
        for k, rule in enumerate(self.rules):
            self.fired[k] |= self._holds(rule)

    def _holds(self, rule: Rule) -> bool:
        return rule.condition.holds(self.now, self.lowest, self.first, self.units.get(rule.condition.name, ""))

    def share(self, readings: Mapping[str, float] | None = None) -> float:
        """What the rules leave of a dose that is due now."""
        if readings is not None:
            self.see(readings)
        out = 1.0
        for rule, fired in zip(self.rules, self.fired):
            out *= rule.share if (self._holds(rule) if rule.lasting else fired) else 1.0
        return out
