"""Numbers of mechanisms that stand in groups of their own, such as vessels.sprouting: the mechanisms tell what may."""

from __future__ import annotations

from typing import Any

from ..units import Quantity, split_source, whole_ticks
from .catalog import groups
from .reader import Reader

# groups whose mechanisms are there whether or not the model speaks of their numbers, where it has the section
STANDING = ("matrix.", "vessels.exchange")


def inner_groups(outer: str) -> tuple[str, ...]:
    """Names of the groups that mechanisms have within a section.

    >>> all(isinstance(name, str) for name in inner_groups("vessels"))
    True
    """
    return tuple(g.partition(".")[2] for g in groups() if g.startswith(f"{outer}."))


def whole_period(reader: Reader, group: dict[str, Any], path: str, tick: float, usual: float = 60.0) -> float:
    """Minutes between updates that a section asks for: a whole number of ticks (min)."""
    period = reader.quantity(group["period"], f"{path}.period", "min", gt=0.0) if "period" in group else None
    if period is not None and whole_ticks(period, tick) is None:
        reader.complain(
            f"{path}.period",
            f"{period:g} min is not a whole number of ticks of {tick:g} min.",
            remedy=f"Choose a multiple of {tick:g} min.",
        )
    return usual if period is None else period


def read_groups(reader: Reader, tree: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Group -> its numbers, of every group that the model speaks of; what it leaves out has the mechanism's default."""
    out: dict[str, dict[str, float]] = {}
    for path, numbers in groups().items():
        outer, _, inner = path.partition(".")
        section = tree.get(outer)
        given = section.get(inner) if inner and isinstance(section, dict) else None if inner else section
        if given is None and not (path.startswith(STANDING) and section is not None):
            continue
        said = reader.group(given, path, [n.name for n in numbers], "number") if inner else reader.group(given, path)
        values = {}
        for n in numbers:
            if n.name in said:
                value = reader.quantity(said[n.name], f"{path}.{n.name}", n.unit, ge=n.ge, le=n.le)
            else:
                value = n.default
                reader.numbers[f"{path}.{n.name}"] = Quantity(value, n.unit, split_source(n.source)[1])
            values[n.name] = n.default if value is None else value
        out[path] = values
    return out
