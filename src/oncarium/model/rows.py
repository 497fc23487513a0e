"""Rows of a CSV, and numbers in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from ..errors import Problem

LARGEST_TABLE = 2_000_000_000  # bytes
Row = tuple[str, float, float, float]  # type, x, y, z


def rows_of(text: str, name: str, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """(line, fields) one after another; what cannot be read ends them and is a problem.

    >>> list(rows_of('x,y\\n1,"a, b"\\n', "t.csv", []))
    [(1, ['x', 'y']), (2, ['1', 'a, b'])]
    """
    reader = csv.reader(io.StringIO(text))
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            longest = max(text.split("\n")[max(reader.line_num - 1, 0)].split(","), key=len)
            said = f"this line is no CSV: {error}; its longest field starts with '{longest[:60]}'."
            problems.append(
                Problem(
                    f"{name}:{max(reader.line_num, 1)}",
                    "",
                    said,
                    "Expected values separated by commas.",
                    "Correct or remove the field.",
                )
            )
            return
        yield reader.line_num, row


def number_in(text: str) -> float | None:
    """The number that a text is, nan and inf among them; None where it is none.

    >>> number_in(" 2.5e3 "), number_in("1_000"), number_in("x")
    (2500.0, None, None)
    """
    try:
        return float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None
