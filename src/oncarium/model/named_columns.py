"""Tables whose columns are known by name: numbers and texts of every row, and all that is wrong with them at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..errors import ModelError, Problem, did_you_mean
from .files import decode, read_bytes
from .rows import LARGEST_TABLE, number_in, rows_of


@dataclass(frozen=True)
class Bounds:
    """What a number of a column may be; `words` says it."""

    words: str = "a finite number"
    least: float = -math.inf
    most: float = math.inf
    open: bool = False  # whether the ends themselves are refused

    def fits(self, value: float) -> bool:
        """Whether a number may stand there."""
        if not math.isfinite(value):
            return False
        return self.least < value < self.most if self.open else self.least <= value <= self.most


ANY = Bounds()
ABOVE_ZERO = Bounds("a number above 0", 0.0, open=True)
SHARE = Bounds("a share, at least 0 and below 1 (45 per cent is 0.45)", 0.0, 1.0 - 1e-12)


class Faults:
    """Problems by kind: one message for each, with the first example and how many there are."""

    def __init__(self, file: str):
        self.file = file
        self.kinds: dict[str, tuple[Problem, int]] = {}

    def add(
        self, kind: str, line: int, column: str, message: str, expected: str = "", remedy: str = "", severity="error"
    ) -> None:
        """One more of a kind; only the first is told in full."""
        first, count = self.kinds.get(
            kind,
            (Problem(f"{self.file}:{line}" if line else self.file, column, message, expected, remedy, severity), 0),
        )
        self.kinds[kind] = (first, count + 1)

    def problems(self) -> list[Problem]:
        """All of them, in the order in which they were met."""
        return [
            first if count == 1 else Problem(
                first.where, first.path, f"{first.message.rstrip('.;')} (the first of {count} such rows).",
                first.expected[:1].upper() + first.expected[1:], first.remedy, first.severity,
            )
            for first, count in self.kinds.values()
        ]  # fmt: skip


@dataclass
class NamedColumns:
    """A table: `texts` and `numbers` by the name of the column, `line` of every row, and its `faults`."""

    name: str
    line: list[int] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)
    numbers: dict[str, np.ndarray] = field(default_factory=dict)
    faults: Faults = field(default_factory=lambda: Faults(""))


def read_columns(
    path: Path,
    what: str,
    texts: Sequence[str],
    numbers: Mapping[str, Bounds],
    optional: Mapping[str, Bounds] | None = None,
    maybe: Sequence[str] = (),
) -> NamedColumns:
    """Read a CSV with a header line; columns in any order, unknown ones ignored with a notice.

    what      what a row is ("segment")       texts     columns of texts     maybe   texts that may be left out
    numbers   columns that every row needs    optional  columns that may be missing or empty (nan)

    Raises ModelError where the file cannot be read at all; what is wrong with columns and rows is in `faults`.

    >>> _ = Path("t.csv").write_text("id,d_um\\na,8\\nb,-1\\nc,-2\\n")
    >>> table = read_columns(Path("t.csv"), "segment", ["id"], {"d_um": ABOVE_ZERO})
    >>> table.texts["id"], table.faults.problems()[0].message
    (['a', 'b', 'c'], 'd_um of segment b is -1 (the first of 2 such rows).')
    """
    optional = optional or {}
    table = NamedColumns(path.name, faults=Faults(path.name))
    broken: list[Problem] = []
    lines = rows_of(decode(read_bytes(path, LARGEST_TABLE), path.name), path.name, broken)
    wanted = [*texts, *numbers]
    header = next((row for row in lines if any(f.strip() for f in row[1])), None)
    if broken:
        raise ModelError(broken)
    if header is None:
        raise ModelError(
            Problem(path.name, "", f"the file is empty: there is no {what} in it.", f"Expected {', '.join(wanted)}.")
        )
    top, head = header[0], [h.strip() for h in header[1]]
    if len(head) == 1 and (";" in head[0] or "\t" in head[0]):
        raise ModelError(
            Problem(f"{path.name}:{top}", "", "the columns are not separated by commas.", "Expected commas.")
        )
    known = [*wanted, *optional, *maybe]
    _look_at_header(table, top, head, wanted, known, what)
    place = {h: head.index(h) for h in known if h in head}
    rows = []
    for line, row in lines:
        if not any(f.strip() for f in row):
            continue
        if len(row) != len(head):
            label = row[0].strip()[:40]
            table.faults.add(
                "short", line, "", f"the row of {what} '{label}' (line {line}) has {len(row)} values;",
                f"expected {len(head)}: {', '.join(head)[:120]}.",
            )  # fmt: skip
            continue
        rows.append([f.strip() for f in row])
        table.line.append(line)
    if broken:
        raise ModelError(broken)
    if not rows and not table.faults.kinds:
        table.faults.add("none", 0, "", f"there is no {what} in it, only a header.")
    labels = [row[place[texts[0]]] for row in rows] if texts and texts[0] in place else [f"row {n}" for n in table.line]
    for name in (*texts, *maybe):
        table.texts[name] = [row[place[name]] for row in rows] if name in place else [""] * len(rows)
    for name, bounds in {**numbers, **optional}.items():
        table.numbers[name] = (
            _numbers(table, name, bounds, [row[place[name]] for row in rows], labels, what, name in optional)
            if name in place
            else np.full(len(rows), np.nan)
        )
    return table


def _look_at_header(
    table: NamedColumns, top: int, head: list[str], wanted: Sequence[str], known: Sequence[str], what: str
) -> None:
    for name in dict.fromkeys(h for k, h in enumerate(head) if h in head[:k] and h):
        table.faults.add("twice", top, name, f"the column '{name[:60]}' stands twice.", remedy="Keep one of them.")
    others = [h for h in head if h not in known]
    for name in wanted:
        if name in head:
            continue
        radius = name.replace("diameter", "radius")
        if radius != name and radius in head:
            remedy = f"'{radius}' is not read as a diameter: double it and call it {name}."
        else:
            remedy = did_you_mean(name, others).strip().replace("Did you mean", "Is it") if others else ""
        table.faults.add(
            f"missing {name}", top, name, f"the column {name} of every {what} is missing.",
            f"Expected {', '.join(wanted)}.", remedy,
        )  # fmt: skip
    if others:
        said = ", ".join(f"'{h[:30]}'" for h in others[:5])
        table.faults.add("unknown", top, "", f"columns that are not known are ignored: {said}.", severity="notice")


def _numbers(
    table: NamedColumns, name: str, bounds: Bounds, values: list[str], labels: list[str], what: str, may_lack: bool
) -> np.ndarray:
    out = np.full(len(values), np.nan)
    for k, text in enumerate(values):
        if not text and may_lack:
            continue
        value = number_in(text)
        if value is not None and bounds.fits(value):
            out[k] = value
            continue
        said = f"'{text[:40]}', no number;" if value is None else f"{text[:40]};"
        kind = f"{name} {'text' if value is None else 'value'}"
        table.faults.add(
            kind, table.line[k], name, f"{name} of {what} {labels[k][:40]} is {said}", f"expected {bounds.words}."
        )
    return out
