"""Rules files of the Cell Behavior Hypothesis Grammar, versions 0 to 3, as sentences of ours."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...errors import ModelError, Problem, did_you_mean
from .. import catalog
from ..files import decode, read_bytes
from ..rows import LARGEST_TABLE, number_in
from .dictionary import ALWAYS_ZERO, BROKEN_1_14_2, Column, Dictionary

# columns of a row, by version of the format
SINCE_2 = ("cell type", "signal", "direction", "behavior", "saturation value", "half-maximum", "Hill power",
           "applies to dead")  # fmt: skip
LAYOUTS: dict[int, tuple[str, ...]] = {
    0: ("cell type", "behavior", "min", "base", "max", "signal", "direction", "half-maximum", "Hill power",
        "applies to dead"),
    1: ("cell type", "signal", "direction", "behavior", "base", "saturation value", "half-maximum", "Hill power",
        "applies to dead"),
    2: SINCE_2,
    3: SINCE_2,
}  # fmt: skip
# of version 2, three behaviors since
TRIPLED = ("phagocytose dead cell", "phagocytosis of dead cell", "phagocytosis of dead cells")
WORDS = {column: word for word, column in catalog.NAMED_SIGNALS.items()}


@dataclass(frozen=True)
class Line:
    """One rule of a file: whose, the sentence without its type, and where it stands."""

    type: str
    sentence: str
    place: tuple[str, int, int]


class RulesFile:
    """Reads one file after another; remembers what stood where, so that both of two contradicting rules are named.

    phases   type -> its cycle's phases     base(type, column, label) -> value in the cell definition
    """

    def __init__(self, words: Dictionary, units: Mapping[str, str], phases: Mapping[str, Sequence[str]],
                 base: Callable[[str, str, str | None], float], compat: str):  # fmt: skip
        self.words, self.units, self.phases, self.base, self.compat = words, units, phases, base, compat
        self.problems: list[Problem] = []
        self.lines: list[Line] = []
        self.seen: dict[tuple, str] = {}

    def read(self, path: Path, name: str, version: str, where: str) -> None:
        """Read a file; `where` is the place of the ruleset in the settings."""
        try:
            major = min(3, int(float(version))) if version else -1
        except ValueError:
            self.problems.append(
                Problem(where, "ruleset", f"version '{version[:20]}' is not known;", "expected 0 to 3.")
            )
            return
        try:
            text = decode(read_bytes(path, LARGEST_TABLE), name)
        except ModelError as error:
            self.problems += error.problems
            return
        if 0 <= major < 3:
            self.problems.append(
                Problem(where, "ruleset", f"version {version} is read and converted to version 3.", severity="notice")
            )
        rows = 0
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip() or line.lstrip().startswith("//"):
                continue
            rows += 1
            self._line(line, f"{name}:{number}", (name, number, 0), major)
        if not rows:
            self.problems.append(Problem(name, "", "0 rules: the file has none.", severity="notice"))

    def _line(self, line: str, where: str, place: tuple[str, int, int], major: int) -> None:
        def complain(message: str, expected: str = "", remedy: str = "", severity: str = "error") -> None:
            self.problems.append(Problem(where, "", message, expected, remedy, severity))

        layout = LAYOUTS[3 if major < 0 else major]
        fields = [f.strip() for f in line.split(",")]
        if len(fields) != len(layout) and "\t" in line:
            fields = [f.strip() for f in line.split("\t")]
        if major < 0 and len(fields) != len(layout):
            layout = next((known for known in LAYOUTS.values() if len(known) == len(fields)), layout)
        if len(fields) != len(layout):
            if ";" in line:
                complain("the columns are separated by semicolons.", "Expected commas.")
                return
            missing = f"'{layout[len(fields)]}' is missing" if len(fields) < len(layout) else "there are too many"
            complain(f"{len(fields)} values, {missing};", f"expected {len(layout)}: {', '.join(layout)}.")
            return
        row = dict(zip(layout, fields))
        empty = [k for k, v in row.items() if not v]
        if empty:
            complain(f"the value of '{empty[0]}' is empty.", f"Expected {', '.join(layout)}.")
            return
        if row["cell type"] not in self.phases:
            complain(f"no cell type is called '{row['cell type'][:60]}'.{did_you_mean(row['cell type'], self.phases)}",
                     f"This model has: {', '.join(self.phases)}.")  # fmt: skip
            return
        numbers: dict[str, float] = {}
        for column in layout:
            if column in ("cell type", "behavior", "signal", "direction"):
                continue
            value = number_in(row[column])
            if value is None:
                complain(f"{column} is '{row[column][:40]}', no number.")
                return
            if not math.isfinite(value):
                complain(f"{column} is {row[column][:40]}.", "Expected a finite number.")
                return
            numbers[column] = value
        increases = {"increases": True, "decreases": False}.get(row["direction"])
        if increases is None:
            complain(f"'{row['direction'][:40]}' is no direction."
                     f"{did_you_mean(row['direction'], ('increases', 'decreases'))}",
                     "Expected increases or decreases.")  # fmt: skip
            return
        if "min" in row:
            row["saturation value"] = row["max" if increases else "min"]
            numbers["saturation value"] = numbers["max" if increases else "min"]
        small = [column for column in ("half-maximum", "Hill power") if numbers[column] <= 0.0]
        for column in small:
            complain(f"{column} is {row[column][:40]}.", "Expected a number above 0.")
        if small:
            return
        behaviors = TRIPLED_NOW if row["behavior"] in TRIPLED and major < 3 else (row["behavior"],)
        for behavior in behaviors:
            self._rule(row, numbers, behavior, increases, where, place, complain)

    def _rule(self, row: dict[str, str], numbers: dict[str, float], behavior: str, increases: bool, where: str,
              place: tuple[str, int, int], complain: Callable[..., None]) -> None:  # fmt: skip
        kind = row["cell type"]
        signal, target = self.words.signals.get(row["signal"]), self.words.behaviors.get(behavior)
        if signal is None:
            complain(f"no signal is called '{row['signal'][:60]}'.{did_you_mean(row['signal'], self.words.signals)}",
                     f"Substrates of this model: {', '.join(self.units)}.")  # fmt: skip
        if target is None:
            complain(f"no behavior is called '{behavior[:60]}'.{did_you_mean(behavior, self.words.behaviors)}")
        if signal is None or target is None:
            return
        if target[0] == "cycle.exit":
            phases = self.phases[kind]
            if int(target[1] or 0) >= len(phases):
                complain(
                    f"'{behavior}': the cycle of {kind} has {len(phases)} phases; the rule has no effect, "
                    "as in PhysiCell.",
                    severity="warning",
                )
                return
            target = ("cycle.exit", phases[int(target[1] or 0)])
        key = (kind, target, signal, increases)
        if key in self.seen:
            complain(f"a rule of {kind} by which '{row['signal']}' {row['direction']} '{behavior}' already stands at "
                     f"{self.seen[key]}.",
                     remedy="Keep one of them.")  # fmt: skip
            return
        self.seen[key] = where
        if signal[0] in ALWAYS_ZERO:
            complain(
                f"'{row['signal']}' is always 0 in PhysiCell itself; only custom code changes it. The rule is left "
                "out.",
                severity="warning",
            )
            return
        if self.compat == "1.14.2" and signal[0] in BROKEN_1_14_2:
            complain(f"compat 1.14.2: '{row['signal']}' reads 0 in rules, as in PhysiCell.", severity="warning")
        may_be_negative = signal[0] == "sense.intracellular" or signal[0].startswith("custom.")
        if self.compat == "1.14.2" and may_be_negative and numbers["Hill power"] % 1 == 0:
            counts = "by its amount" if numbers["Hill power"] % 2 == 0 else "as a negative drive"
            complain(f"compat 1.14.2: where '{row['signal']}' is below 0 it counts {counts}, as in PhysiCell; without "
                     "compat it counts as 0.",
                     severity="warning")  # fmt: skip
        for column in (signal[0], target[0]):
            if column not in catalog.columns() and not column.startswith("custom."):
                complain(f"'{row['signal']}' or '{behavior}' needs {column}, which this version does not have.")
                return
        if "base" in numbers:
            have = self.base(kind, *target)
            if abs(numbers["base"] - have) > 1e-15 + 1e-12 * abs(have):
                complain(
                    f"the base value {row['base']} differs from {have:.6g} in the cell definition; the definition "
                    "counts.",
                    severity="warning",
                )
        unit, half_unit = self.unit(target), self.unit(signal)
        sentence = (
            f"{say_signal(signal)} {row['direction']} {say_column(target)} to {row['saturation value']}{_tail(unit)}, "
            f"half {row['half-maximum']}{_tail(half_unit)}, hill "
            f"{row['Hill power']}{', also when dead' if numbers['applies to dead'] else ''}"
        )
        self.lines.append(Line(kind, sentence, place))

    def unit(self, column: Column) -> str:
        """Unit of a column, or of its entry for a factor; 1 where the column is not in the catalog."""
        entry = catalog.columns().get(column[0])
        return catalog.unit_of(entry, self.units.get(column[1] or "", "1")) if entry else "1"


TRIPLED_NOW = ("phagocytose apoptotic cell", "phagocytose necrotic cell", "phagocytose other dead cell")


def _tail(unit: str) -> str:
    return "" if unit == "1" else f" {unit}"


def say_column(column: Column) -> str:
    """A column as a rule names it."""
    return column[0] if column[1] is None else f"{column[0]}.{column[1]}"


def say_signal(signal: Column) -> str:
    """A signal as a sentence names it.

    >>> [say_signal(s) for s in (("sense.gradient", "oxygen"), ("sense.pressure", None), ("sense.factor", "time"))]
    ['gradient of oxygen', 'pressure', 'sense.factor.time']
    """
    column, label = signal
    if column == "sense.factor" and label and label not in catalog.NAMED_SIGNALS:
        return label
    if column in ("sense.gradient", "sense.contact"):
        return f"{'gradient of' if column == 'sense.gradient' else 'contact with'} {label}"
    return WORDS.get(column) or say_column(signal)
