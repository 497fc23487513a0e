"""Read-outs: what an experiment measures on a Result, named in words, so that a file can ask for it.

    {measure: mean, of: tumor_macrophage, column: polarization.level}
    {measure: share, of: carcinoma, column: emt.score, above: 0.5}
    {measure: count, of: cd8_effector, per: {measure: count, of: carcinoma}}

In the examples `result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import InputError, did_you_mean
from ..run.result import Result
from ..units import UnitError, to_minutes
from . import rates  # noqa: F401
from .readings import MEASURES

NUMBERS = ("above", "value", "share", "distance", "half", "hours", "sectors", "line")  # options that are numbers
WORDS = {"over": ("cell", "area"), "axis": ("x", "y", "z", "-x", "-y", "-z")}


def read_out(result: Result, what: Mapping[str, Any]) -> float:
    """The value of a read-out.

    what   measure and its options; at: "end" (default), a time such as "14 day", or a share of the run's days to
           average over, as in "last 3 day"; per: another read-out to divide by (at the same time, unless it says when)

    >>> from oncarium.analysis.readout import read_out
    >>> read_out(result, {"measure": "count", "of": "tumor"}) >= 20
    True
    """
    options = dict(what)
    name, at, per = options.pop("measure", None), options.pop("at", "end"), options.pop("per", None)
    problem = complaint(what)
    if problem:
        raise InputError("read-out", problem)
    options.pop("unit", None)
    options.pop("called", None)
    numbers = {k: float(v) if k in NUMBERS and v is not None else v for k, v in options.items()}
    value = float(np.mean([MEASURES[str(name)](result, t, **numbers) for t in _moments(result, str(at))]))
    return value / read_out(result, {**per, "at": per.get("at", at)}) if per else value


def _moments(result: Result, at: str) -> list[Any]:
    if at == "end":
        return [None]
    if at.startswith("last "):
        return [float(t) for t in result.times if t >= result.times[-1] - to_minutes(at.removeprefix("last ")) - 1e-9]
    return [at]


def complaint(what: Mapping[str, Any]) -> str:
    """What is wrong with a read-out as written, or nothing.

    >>> complaint({"measure": "cuont", "of": "tumor"})
    "no measure is called 'cuont'. Did you mean 'count'?"
    """
    name = what.get("measure")
    if not isinstance(name, str) or name not in MEASURES:
        return f"no measure is called '{str(name)[:60]}'.{did_you_mean(str(name), MEASURES)}"
    known = [p for p in inspect.signature(MEASURES[name]).parameters if p not in ("result", "t")]
    for key in what:
        if key not in (*known, "measure", "at", "per", "unit", "called"):
            return f"{name} has no option '{key[:60]}'.{did_you_mean(key, known)}"
    missing = [
        p.name
        for p in inspect.signature(MEASURES[name]).parameters.values()
        if p.default is p.empty and p.name not in ("result", "t", *what)
    ]
    if missing:
        return f"{name} needs {' and '.join(missing)}."
    for key, value in what.items():
        if key == "per":
            if not isinstance(value, Mapping):
                return "per is another read-out, such as {measure: count}."
        elif key in NUMBERS:
            if value is not None and not _is_number(value):
                return f"{key} is '{str(value)[:60]}', no number."
        elif key == "since":
            try:
                to_minutes(value)
            except (UnitError, TypeError):
                return f"since is '{str(value)[:60]}', no time such as '2 day'."
        elif key in WORDS and (not isinstance(value, str) or value not in WORDS[key]):
            return f"{key} is '{str(value)[:60]}'; expected one of {', '.join(WORDS[key])}."
        elif key in ("of", "phase") and isinstance(value, list) and all(isinstance(v, str) for v in value):
            continue
        elif value is not None and not isinstance(value, str):
            return f"{key} is '{str(value)[:60]}', no word."
    per = what.get("per")
    return complaint(per) if isinstance(per, Mapping) else ""


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and bool(np.isfinite(float(value)))
    except (TypeError, ValueError, OverflowError):
        return False
