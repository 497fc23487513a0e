"""Concentrations of every voxel at the start, from a CSV or a MATLAB file of version 4."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, Problem, did_you_mean
from .files import decode, read_bytes
from .rows import LARGEST_TABLE, number_in, rows_of

if TYPE_CHECKING:
    from .environment import Domain


def read_concentrations(
    path: Path, factors: Sequence[str], domain: Domain, name: str = ""
) -> tuple[dict[str, Any], str]:
    """Factor -> array (z, y, x) of concentrations, and the SHA-256 of the file. Raises ModelError.

    CSV: x, y, z of each voxel's center and one column per factor under a header; factors without a column start at 0.
    Without a header the columns are the factors in their order. MATLAB: the same as one matrix of doubles.
    """
    name = name or str(path)
    data = read_bytes(path, LARGEST_TABLE)
    if path.suffix.lower() == ".mat":
        rows, columns = _matrix(data, name, factors), list(factors)
        lines = list(range(1, len(rows) + 1))
        what = "row"
    else:
        rows, columns, lines = _csv(decode(data, name), name, factors)
        what = "line"
    return _fill(rows, columns, lines, what, domain, name), hashlib.sha256(data).hexdigest()


def _csv(text: str, name: str, factors: Sequence[str]) -> tuple[Any, list[str], list[int]]:
    import numpy as np

    problems: list[Problem] = []
    given = rows_of(text, name, problems)
    top, first = next(given, (1, []))
    first = [f.strip() for f in first]
    if problems:
        raise ModelError(problems)
    if len(first) == 1 and ";" in first[0]:
        raise ModelError(Problem(f"{name}:1", "", "the columns are separated by semicolons.", "Expected commas."))
    if not any(first):
        raise ModelError(Problem(name, "", "the table is empty.", "Expected one row per voxel."))
    headless = _is_number(first[0])
    head = ["x", "y", "z", *factors] if headless else first
    if not headless:
        if [h.lower() for h in head[:3]] != ["x", "y", "z"]:
            problems.append(
                Problem(
                    f"{name}:1",
                    "",
                    f"the header is '{','.join(head)[:80]}';",
                    "expected x, y, z and names of substrates.",
                )
            )
        for h in head[3:]:
            if h not in factors:
                said = f"no substrate is called '{h[:60]}'.{did_you_mean(h, factors)}"
                problems.append(Problem(f"{name}:1", "", said, f"This model has: {', '.join(factors)}."))
        if problems:
            raise ModelError(problems)
    rows, lines = [], []
    for line, row in chain([(top, first)], given) if headless else given:
        if not any(f.strip() for f in row):
            continue
        if len(row) != len(head):
            problems.append(
                Problem(f"{name}:{line}", "", f"{len(row)} values;", f"expected {len(head)}: {', '.join(head)[:120]}.")
            )
        else:
            bad = [(h, f) for h, f in zip(head, row) if not _is_number(f)]
            if bad:
                problems.append(
                    Problem(
                        f"{name}:{line}", "", f"{bad[0][0]} is '{bad[0][1].strip()[:40]}'.", "Expected a finite number."
                    )
                )
            else:
                rows.append([float(f) for f in row])
                lines.append(line)
        if len(problems) >= 20:
            break
    if problems:
        raise ModelError(problems)
    return np.array(rows, float).reshape(-1, len(head)), head[3:], lines


def _is_number(text: str) -> bool:
    value = number_in(text)
    return value is not None and math.isfinite(value)


def _matrix(data: bytes, name: str, factors: Sequence[str]) -> Any:
    """One real matrix of doubles from a MATLAB file of version 4: rows are voxels."""
    import numpy as np

    def refuse(message: str, expected: str = "") -> ModelError:
        return ModelError(Problem(name, "", message, expected))

    if len(data) < 20:
        raise refuse(f"{len(data)} bytes are no MATLAB file of version 4.")
    kind, rows, columns, imaginary, letters = (int(v) for v in np.frombuffer(data[:20], "<u4"))
    if kind != 0 or imaginary or letters > 256:
        raise refuse("this is no MATLAB file of version 4 with one real matrix of doubles.", "Save it with -v4.")
    # some programs count the closing zero of the name, PhysiCell does not
    start = len(data) - 8 * rows * columns
    if rows * columns == 0 or not 20 + letters <= start <= 21 + letters:
        raise refuse(f"a matrix of {rows} x {columns} does not fit into {len(data):,} bytes.")
    matrix = np.frombuffer(data[start:], "<f8").reshape(columns, rows).T
    if columns != 3 + len(factors):
        raise refuse(f"{columns} columns;", f"expected {3 + len(factors)}: x, y, z, {', '.join(factors)}.")
    if not np.isfinite(matrix).all():
        raise refuse(
            f"row {int(np.argwhere(~np.isfinite(matrix).all(axis=1))[0, 0]) + 1} holds a number that is not finite."
        )
    return matrix


def _fill(
    rows: Any, columns: Sequence[str], lines: Sequence[int], what: str, domain: Domain, name: str
) -> dict[str, Any]:
    """Every voxel exactly once."""
    import numpy as np

    lower, step, shape = np.array(domain.lower), np.array(domain.voxel), np.array(domain.shape)
    at = np.floor((rows[:, :3] - lower) / step).astype(np.int64)
    outside = ((rows[:, :3] < lower) | (at >= shape)).any(axis=1)
    if outside.any():
        k = int(np.argmax(outside))
        where = ", ".join(f"{v:g}" for v in rows[k, :3])
        raise ModelError(
            Problem(f"{name}:{lines[k]}", "", f"({where}) lies outside the domain ({int(outside.sum())} such rows).")
        )
    flat = (at[:, 2] * shape[1] + at[:, 1]) * shape[0] + at[:, 0]
    times = np.bincount(flat, minlength=domain.voxels)
    if (times > 1).any():
        voxel = int(np.argmax(times > 1))
        same = [lines[k] for k in np.flatnonzero(flat == voxel)[:2]]
        raise ModelError(
            Problem(
                f"{name}:{same[1]}",
                "",
                f"this voxel stands twice, here and in {what} {same[0]}.",
                "Expected every voxel once.",
            )
        )
    if (times == 0).any():
        i = int(np.argmax(times == 0))
        z, y, x = np.unravel_index(i, tuple(shape[::-1]))
        center = ", ".join(f"{v:g}" for v in lower + (np.array([x, y, z]) + 0.5) * step)
        missing = int((times == 0).sum())
        raise ModelError(
            Problem(
                name,
                "",
                f"{missing:,} of {domain.voxels:,} voxels are missing, the first at ({center}).",
                "Expected every voxel once.",
            )
        )
    if (rows[:, 3:] < 0.0).any():
        k = int(np.argmax((rows[:, 3:] < 0.0).any(axis=1)))
        raise ModelError(
            Problem(f"{name}:{lines[k]}", "", f"a concentration of {rows[k, 3:].min():g};", "expected at least 0.")
        )
    out = {}
    for c, factor in enumerate(columns):
        values = np.zeros(domain.voxels)
        values[flat] = rows[:, 3 + c]
        out[factor] = values.reshape(tuple(shape[::-1]))
    return out
