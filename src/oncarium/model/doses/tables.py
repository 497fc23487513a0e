"""Tables of doses as other programs write them: rows with the names of their columns."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...errors import Problem
from ..rows import number_in, rows_of
from .words import say

NOTHING = ("", ".", "na", "nan")
MOST = 5  # examples of one kind of problem


@dataclass
class Sheet:
    """Rows of a table, and what is wrong with them: one message per kind of problem, with its first places.

    names   of the columns, in upper case     rows   (line, column -> text)     bad   lines with a problem
    """

    name: str
    names: tuple[str, ...] = ()
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    wrong: dict[tuple[str, str, str], list[tuple[int, str]]] = field(default_factory=dict)
    bad: set[int] = field(default_factory=set)

    def complain(self, line: int, message: str, value: str = "", expected: str = "", remedy: str = "") -> None:
        """A problem in a line; the value that is wrong stands apart, so that many lines become one message."""
        self.bad.add(line)
        found = self.wrong.setdefault((message, expected, remedy), [])
        if (line, value) not in found[-1:]:
            found.append((line, value))

    def number(self, line: int, row: Mapping[str, str], column: str, default: float = 0.0) -> float:
        """A number in a column; the default where nothing stands there."""
        text = row.get(column, "")
        if text.lower() in NOTHING:
            return default
        value = number_in(text)
        if value is None or not math.isfinite(value):
            self.complain(line, f"{column} is no number;", text, "expected a finite number, or nothing.")
            return default
        return value

    def told(self) -> list[Problem]:
        """All problems, each kind once."""
        out = list(self.problems)
        for (message, expected, remedy), found in self.wrong.items():
            line, value = found[0]
            others = [f"line {at}" for at, _ in found[1:MOST]] + (["..."] if len(found) > MOST else [])
            where = f" ('{value[:40]}')" if value else ""
            also = f" {len(found)} rows: also {', '.join(others)}." if others else ""
            text = f"{message.removesuffix(';').removesuffix('.')}{where}{';' if message.endswith(';') else '.'}"
            out.append(Problem(f"{self.name}:{line}", "", text, f"{expected}{also}".strip(), remedy))
        return out


def sheet_of(text: str, name: str) -> Sheet:
    """The table in a text: comma, semicolon, tab or blanks between values; lines that start with # are left out.

    >>> sheet_of("TIME,AMT\\n0,5\\n", "d.csv").rows
    [(2, {'TIME': '0', 'AMT': '5'})]
    """
    sheet = Sheet(name)
    lines = _fields(text, name, sheet.problems)
    head = next(lines, None)
    if head is None:
        sheet.problems.append(Problem(name, "", "the table is empty.", "Expected a header and doses."))
        return sheet
    sheet.names = tuple(h.strip().lstrip("#@").strip().upper() for h in head[1])
    again = [n for n in dict.fromkeys(sheet.names) if sheet.names.count(n) > 1]
    if again:
        sheet.complain(head[0], f"the column {again[0]} stands twice.", remedy="Keep one of them.")
    for line, fields in lines:
        if len(fields) != len(sheet.names):
            sheet.complain(line, f"a row has not the {len(sheet.names)} values of the header.", str(len(fields)))
            continue
        sheet.rows.append((line, {k: v.strip() for k, v in zip(sheet.names, fields)}))
    if not sheet.rows and not sheet.wrong and not sheet.problems:
        sheet.problems.append(Problem(name, "", "the table has a header only.", "Expected at least one dose."))
    return sheet


def _fields(text: str, name: str, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    first = next((row for row in text.split("\n") if row.strip()), "")
    mark = next((m for m in (",", ";", "\t") if m in first), "")
    if mark == ",":
        for line, row in rows_of(text, name, problems):
            if any(f.strip() for f in row) and not (line > 1 and row[0].lstrip().startswith("#")):
                yield line, row
        return
    for line, whole in enumerate(text.split("\n"), 1):
        if whole.strip() and not (line > 1 and whole.lstrip().startswith("#")):
            yield line, whole.split(mark) if mark else whole.split()


def clock(text: str) -> str:
    """A time of the clock such as 13:30 as hours; anything else as it is.

    >>> clock("1:30"), clock("2.5")
    ('1.5', '2.5')
    """
    found = re.fullmatch(r"(\d+):(\d\d)", text.strip())
    return say(int(found[1]) + int(found[2]) / 60.0) if found else text


def written(names: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A CSV of these columns."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([say(v) if isinstance(v, float) else v for v in row])
    return out.getvalue()
