"""Series of summaries and values of settings as numbers: quantiles, units, names that are checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, did_you_mean
from ..units import NUMBER, UnitError, bare, canonical, factor
from .result import Result

if TYPE_CHECKING:
    import pandas


def quantiles(values: np.ndarray, shares: Iterable[float]) -> np.ndarray:
    """(share, row) quantiles over the columns that are there; nothing where none is."""
    out = np.full((len(list(shares := list(shares))), len(values)), np.nan)
    some = np.isfinite(values).any(axis=1)
    if some.any():
        out[:, some] = np.nanquantile(values[some], shares, axis=1)
    return out


def check_series(result: Result, name: str) -> pandas.Series:
    """A series of the summary. Raises InputError."""
    if name not in result.summary:
        raise InputError(
            "series",
            f"the summary has no '{name}'.{did_you_mean(name, result.summary.columns)}",
            f"It has: {', '.join(result.summary.columns)}." if len(result.summary.columns) < 40 else "",
        )
    return result.summary[name]


def units_of(result: Result) -> dict[str, str]:
    """Series of the summary -> unit."""
    return {f"{series}.{what}": unit for series, of in result.attrs["summary"].items() for what, unit in of.items()}


def as_numbers(texts: Mapping[str, str | None]) -> tuple[dict[str, Any], str]:
    """Values of one path as numbers in one unit (the author's, or the canonical one where several are used), and that
    unit; as texts, and "", where one is no number.

    >>> as_numbers({"a": "1 h", "b": "90 min"}), as_numbers({"a": "1 h", "b": "2 h assumed"})
    (({'a': 60.0, 'b': 90.0}, 'min'), ({'a': 1.0, 'b': 2.0}, 'h'))
    >>> as_numbers({"a": "live", "b": "1"})
    ({'a': 'live', 'b': '1'}, '')
    """
    pairs = {}
    for key, text in texts.items():
        found = NUMBER.match(bare(text)) if text is not None else None
        if text is not None and found is None:
            return dict(texts), ""
        pairs[key] = (float(found.group()), bare(text)[found.end() :].strip()) if found and text else (np.nan, None)
    units = {unit for value, unit in pairs.values() if unit is not None and not (value == 0.0 and unit == "")}
    if len(units) <= 1:
        return {key: value for key, (value, _) in pairs.items()}, next(iter(units), "")
    try:
        wanted = canonical(min(units))
        return {
            k: v if u is None else v * (factor(u, wanted) if u or v else 1.0) for k, (v, u) in pairs.items()
        }, wanted
    except UnitError:
        return dict(texts), ""
