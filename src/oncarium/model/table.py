"""Tables of cells: where each one stands, and what it has that others of its type have not."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from ..errors import Problem, did_you_mean
from .environment import Domain
from .rows import Row, number_in, rows_of
from .rule import Names

MOST_PROBLEMS = 20  # of one table
Column = tuple[str, str | None]


@dataclass
class Table:
    """What a table says: rows (type, x, y, z), further values per column (nan: nothing said), and its problems."""

    rows: list[Row] = field(default_factory=list)
    values: dict[Column, tuple[float, ...]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    outside: int = 0


def columns_of(names: Names) -> dict[str, Column]:
    """Every name a further column may have: ours, and PhysiCell's; a cycle's phases by number ("cycle.exit", "0")."""
    from .physicell.dictionary import Dictionary

    custom = [c.partition(".")[2] for c in names.columns if c.startswith("custom.")]
    ours: dict[str, Column] = {k: v for k, v in names.all(("behavior",)).items() if v[0] in names.columns}
    ours |= {n: (n, None) for n, e in names.columns.items() if e.settable and e.kind == "state"}
    return Dictionary(list(names.factors), names.types, custom).behaviors | {"volume": ("volume.total", None)} | ours


def read_table(
    text: str, name: str, names: Names, domain: Domain, kind: str = "", clip: bool = False,
    numbers: Mapping[int, str] | None = None, inactive: bool = False,
) -> Table:  # fmt: skip
    """Read a CSV of cells, coordinates in um.

    With a header x, y (, z, type, further columns), or without one: x, y, z and the number of the type. An empty
    further value, one that starts with s ("skip"), or one that a row is too short for leaves that cell as its type is.

    clip   cells outside the domain are moved to its edge     inactive   they are placed there and take no part
    """
    table = Table()

    def complain(line: int, message: str, expected: str = "", remedy: str = "", severity: str = "error") -> None:
        if len(table.problems) < MOST_PROBLEMS:
            table.problems.append(Problem(f"{name}:{line}", "", message, expected, remedy, severity))

    lines = rows_of(text, name, table.problems)
    top, first = next(lines, (1, []))
    if table.problems:
        return table
    if len(first) == 1 and ";" in first[0]:
        complain(
            1, "the columns are separated by semicolons.", "Expected commas.", "Or read it as a slide:  slide: ..."
        )
        return table
    if not any(f.strip() for f in first):
        complain(1, "0 cells: the table is empty.", severity="notice")
        return table
    headless = number_in(first[0]) is not None
    head = ["x", "y", "z", "type"] if headless else [h.strip() for h in first]
    head = [h.lower() if h.lower() in ("x", "y", "z", "type") else h for h in head]
    further = _further(head, names, kind, complain)
    if further is None:
        return table
    by_number = numbers or dict(enumerate(names.types)) if headless else {}
    said: list[dict[Column, float]] = []
    outside: list[int] = []
    moved: list[int] = []
    short: list[int] = []
    needed = 1 + max(k for k, h in enumerate(head) if h in ("x", "y", "z", "type"))
    for line, row in chain([(top, first)], lines) if headless else lines:
        if not row or not any(f.strip() for f in row):
            continue
        if needed <= len(row) < len(head):
            short.append(line)
            row = [*row, *[""] * (len(head) - len(row))]
        if len(row) != len(head):
            if len(row) == 1 and ";" in row[0]:
                complain(line, "the columns are separated by semicolons.", "Expected commas.")
                return table
            lacking = f"column '{head[len(row)]}' is missing" if len(row) < len(head) else "there are too many"
            complain(line, f"{len(row)} values, {lacking};", f"expected {len(head)}: {', '.join(head)[:120]}.")
            continue
        given = {h: v.strip() for h, v in zip(head, row)}
        point = _point(given, line, complain)
        of = _type(given, kind, names, by_number, headless, line, complain)
        if point is None or of is None:
            continue
        beyond = any(not a <= p <= b for p, a, b in zip(point, domain.lower, domain.upper))
        if domain.is_2d and not (beyond and inactive):
            middle = 0.5 * (domain.lower[2] + domain.upper[2])
            if "z" in given and not abs(point[2] - middle) < 1e-9 * domain.voxel[2]:
                moved.append(line)
            point[2] = middle
            beyond = any(not a <= p <= b for p, a, b in zip(point, domain.lower, domain.upper))
        if beyond:
            outside.append(line)
            if not clip and not inactive:
                continue
        if beyond and not inactive:
            point = [min(max(p, a), b) for p, a, b in zip(point, domain.lower, domain.upper)]
        table.rows.append((of, point[0], point[1], point[2]))
        said.append(_values(given, further, of, names, line, complain) if further else {})
    if short:
        complain(
            short[0],
            f"{len(short)} rows end before the column '{head[-1]}' (the first is this line); nothing is said there.",
            severity="notice",
        )
    table.outside = len(outside) if inactive else 0
    fate = "; they are placed there and take no part" if inactive else "; they are moved to its edge" if clip else ""
    _conclude(table, said, outside, moved, fate, complain)
    return table


def _further(head: Sequence[str], names: Names, kind: str, complain) -> dict[str, Column] | None:
    """Header -> column of everything beyond place and type; None where the header is no header."""
    if not {"x", "y"} <= set(head) or ("type" not in head and not kind):
        complain(1, f"the header is '{','.join(head)[:80]}';",
                 "expected x, y, z, type (z may be left out; type, too, where the model says cells).",
                 "Other columns are read by  slide: <file>, columns: {x: ..., type: ...}, pixel: ...")  # fmt: skip
        return None
    twice = [h for k, h in enumerate(head) if h in head[:k]]
    if twice:
        complain(1, f"the column '{twice[0][:60]}' stands twice.", remedy="Keep one of them.")
        return None
    others = [h for h in head if h not in ("x", "y", "z", "type")]
    if not others:
        return {}
    known = columns_of(names)
    for h in others:
        if h not in known:
            complain(
                1, f"the column '{h[:60]}' is no behavior and is ignored.{did_you_mean(h, known)}", severity="warning"
            )
    return {h: known[h] for h in others if h in known}


def _point(given: Mapping[str, str], line: int, complain) -> list[float] | None:
    point = []
    for axis in "xyz":
        value = number_in(given.get(axis, "0"))
        if value is None:
            complain(line, f"{axis} is '{given[axis][:40]}', no number.")
            return None
        if not math.isfinite(value):
            complain(line, f"{axis} is {given[axis]}.", "Expected a finite number.")
            return None
        point.append(value)
    return point


def _type(
    given: Mapping[str, str], kind: str, names: Names, by_number: Mapping[int, str], headless: bool, line: int, complain
) -> str | None:
    of = given.get("type", kind) or kind
    if not headless:
        if of in names.types:
            return of
        complain(
            line,
            f"no cell type is called '{of[:60]}'.{did_you_mean(of, names.types)}",
            f"This model has: {', '.join(names.types)}.",
        )
        return None
    number = number_in(of)
    if number is None or not math.isfinite(number) or int(number) not in by_number:
        complain(
            line,
            f"no cell type has the number {of[:20]}.",
            f"This model has: {', '.join(f'{k} ({t})' for k, t in by_number.items())}.",
        )
        return None
    return by_number[int(number)]


def _values(
    given: Mapping[str, str], further: Mapping[str, Column], of: str, names: Names, line: int, complain
) -> dict[Column, float]:
    out: dict[Column, float] = {}
    for h, (column, label) in further.items():
        text = given[h]
        if not text or text[0] in "sS":
            continue
        value = number_in(text)
        if value is None or not math.isfinite(value):
            complain(line, f"{h} is '{text[:40]}'.", "Expected a finite number, or nothing.")
            continue
        entry = names.columns.get(column)
        if entry is None:
            complain(line, f"{h} needs the column {column}, which this version does not have.")
            continue
        phases = names.cycles.get(of, ())
        if column == "cycle.exit" and label not in phases:
            if not str(label).isdigit() or int(str(label)) >= len(phases):
                complain(line, f"{h}: the cycle of {of} has {len(phases)} phases: {', '.join(phases) or 'none'}.")
                continue
            label = phases[int(str(label))]
        if (
            (entry.ge is not None and value < entry.ge)
            or (entry.le is not None and value > entry.le)
            or (column == "volume.total" and value <= 0.0)
        ):
            bounds = [f"at least {entry.ge:g}"] if entry.ge is not None else []
            bounds += [f"at most {entry.le:g}"] if entry.le is not None else []
            complain(
                line,
                f"{h} is {text[:40]}.",
                f"Expected {' and '.join(bounds) if column != 'volume.total' else 'above 0'}.",
            )
            continue
        out[(column, label)] = value
    return out


def _conclude(
    table: Table,
    said: Sequence[Mapping[Column, float]],
    outside: Sequence[int],
    moved: Sequence[int],
    then: str,
    complain,
) -> None:
    """Columns of the further values, and what is worth saying about the whole table."""
    for column in dict.fromkeys(c for row in said for c in row):
        table.values[column] = tuple(row.get(column, math.nan) for row in said)
    if outside:
        complain(
            outside[0],
            f"{len(outside)} cells lie outside the domain (first in this line){then}.",
            remedy=""
            if then
            else "Enlarge the domain, or add  clip: true  (to its edge) or  inactive: true  (they take no part).",
            severity="error" if not then else "notice" if "edge" in then else "warning",
        )
    if moved:
        complain(
            moved[0],
            f"{len(moved)} cells lie above or below the 2-D domain (first in this line); they are moved into its "
            "plane.",
            severity="notice",
        )
    again = len(table.rows) - len({row[1:] for row in table.rows})
    if again:
        complain(
            1,
            f"{again} cells lie exactly where another one does; they are pushed apart, always in the same way.",
            severity="notice",
        )
    if not table.rows and not any(p.severity == "error" for p in table.problems):
        complain(1, "0 cells: the table has a header only.", severity="notice")
