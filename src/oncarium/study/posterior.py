"""What a calibration kept is a cohort: each of its points is a virtual patient, drawn by its weight."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import did_you_mean
from ..model.reader import Reader
from .weighting import FEWEST

FILE = "numbers.csv"  # beside the posterior: name, path and unit of its numbers


@dataclass(frozen=True)
class Point:
    """One set of numbers that a calibration kept: its values, what it changes, and its weight."""

    values: Mapping[str, float]
    changes: Mapping[str, str]
    weight: float


def read_posterior(reader: Reader, given: Any, file: Path | None = None) -> tuple[Point, ...]:
    """Points of a posterior.csv that `oncarium calibrate` wrote; what is wrong is told to the reader.

    given   path of the table, as the file says it (beside `file`, or from here)
    """
    import pandas as pd

    path = Path(str(given))
    if file is not None and (file.parent / path).exists():
        path = file.parent / path
    try:
        table = pd.read_csv(path)
        numbers = pd.read_csv(path.with_name(FILE), keep_default_na=False)
        where = [(str(n), str(p), str(u)) for n, p, u in numbers[["name", "path", "unit"]].to_numpy()]
        weights = table["weight"].to_numpy(float)
        lacking = next((n for n, _, _ in where if n not in table), None)
    except FileNotFoundError as error:
        missing = Path(str(error.filename))
        reader.complain("from", f"no such file: {missing}.{_near(missing)}", "Expected what  oncarium calibrate  left.")
        return ()
    except (ValueError, KeyError, OSError) as error:
        reader.complain("from", f"{path} is no posterior: {error}.", "Expected what  oncarium calibrate  left.")
        return ()
    if lacking is not None:
        reader.complain("from", f"{path} has no column '{lacking}', which {FILE} speaks of.")
        return ()
    if not (weights >= 0.0).all() or not weights.sum() > 0.0:
        reader.complain("from", f"weights of {path} are no weights;", "expected numbers from 0 on, some above it.")
        return ()
    size = float(weights.sum() ** 2 / (weights**2).sum())
    if size < FEWEST:
        reader.complain(
            "from", f"{len(weights)} points weigh as {size:.1f}, fewer than {FEWEST:g}: that is no cohort.",
            remedy="Calibrate with  method: abc  and larger batches.",
        )  # fmt: skip
        return ()
    out = []
    for k, w in enumerate(weights.tolist()):
        values = {n: float(table[n].iloc[k]) for n, _, _ in where}
        if not all(map(math.isfinite, values.values())):
            reader.complain("from", f"row {k + 1} of {path} has a number that is not finite.")
            return ()
        changes = {p: f"{values[n]:.9g} {u} assumed".replace("  ", " ") for n, p, u in where}
        out.append(Point(values, changes, w))
    return tuple(out)


def _near(path: Path) -> str:
    there = [p.name for p in path.parent.glob("*.csv")] if path.parent.is_dir() else []
    return did_you_mean(path.name, there)
