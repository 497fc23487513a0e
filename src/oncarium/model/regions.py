"""Regions of the domain: discs, rings, balls, shells, boxes, everywhere."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .reader import Reader

if TYPE_CHECKING:
    from .environment import Domain

REGIONS = ("disc", "ring", "ball", "shell", "box", "everywhere")


@dataclass(frozen=True)
class Region:
    """disc and ball: center, outer; ring and shell: center, inner, outer; box: low and high corner; all um."""

    kind: str
    center: tuple[float, float, float] = (0.0, 0.0, 0.0)
    inner: float = 0.0
    outer: float = math.inf
    low: tuple[float, float, float] = (-math.inf,) * 3
    high: tuple[float, float, float] = (math.inf,) * 3

    def bounds(self, domain: Domain) -> tuple[list[float], list[float]]:
        """Lower and upper corner of the region within the domain."""
        low, high = list(domain.lower), list(domain.upper)
        for a in range(3):
            if a < 2 or self.kind in ("ball", "shell", "box"):
                low[a] = max(low[a], self.low[a], self.center[a] - self.outer)
                high[a] = min(high[a], self.high[a], self.center[a] + self.outer)
        return low, high

    def volume(self, domain: Domain) -> float:
        """um^2 in a 2-D domain, um^3 in a 3-D one, ignoring what the domain cuts off a disc or ball."""
        low, high = self.bounds(domain)
        if self.kind in ("disc", "ring"):
            area = math.pi * (self.outer**2 - self.inner**2)
            return area if domain.is_2d else area * (domain.upper[2] - domain.lower[2])
        if self.kind in ("ball", "shell"):
            if domain.is_2d:
                return math.pi * (self.outer**2 - self.inner**2)
            return 4.0 / 3.0 * math.pi * (self.outer**3 - self.inner**3)
        sides = [b - a for a, b in zip(low, high)]
        return sides[0] * sides[1] * (1.0 if domain.is_2d else sides[2])


def read_region(reader: Reader, tree: dict[str, Any], path: str) -> Region | None:
    """The one region a group names."""
    given = [k for k in tree if k in REGIONS and (tree[k] is not None or k == "everywhere")]  # null takes one out
    if len(given) != 1:
        reader.complain(path, f"{len(given)} regions;", f"expected exactly one of {', '.join(REGIONS)}.")
        return None
    kind = given[0]
    where, value = f"{path}.{kind}", tree[kind]
    if kind == "everywhere":
        return Region("everywhere")
    if kind == "box":
        value = reader.group(value, where, ("x", "y", "z"))
        spans = {a: reader.interval(value[a], f"{where}.{a}") for a in value}
        if any(s is None for s in spans.values()):
            return None
        low = tuple((spans.get(a) or (-math.inf, 0.0))[0] for a in "xyz")
        high = tuple((spans.get(a) or (0.0, math.inf))[1] for a in "xyz")
        return Region("box", low=low, high=high)  # type: ignore[arg-type]
    hollow = kind in ("ring", "shell")
    keys = ("center", "inner", "outer") if hollow else ("center", "radius")
    value = reader.group(value, where, keys)
    center = reader.point(value["center"], f"{where}.center") if "center" in value else (0.0, 0.0, 0.0)
    outer = reader.length(value.get(keys[-1]), f"{where}.{keys[-1]}", gt=0.0)
    inner = reader.length(value.get("inner"), f"{where}.inner", ge=0.0) if hollow else 0.0
    if center is None or outer is None or inner is None:
        return None
    if inner >= outer:
        reader.complain(where, f"the inner radius {inner:g} um is not below the outer radius {outer:g} um.")
        return None
    return Region(kind, center, inner, outer)
