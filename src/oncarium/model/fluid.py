"""Interstitial fluid and the lymph vessels that drain it, at the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .groups import inner_groups, whole_period
from .reader import Reader
from .regions import REGIONS, Region, read_region


@dataclass(frozen=True)
class Drained:
    """Lymph vessels of a region (None: everywhere); 1 is as many as in normal tissue."""

    region: Region | None
    density: float


@dataclass(frozen=True)
class FluidStart:
    """Everything a model says of fluid and lymph; later lots of lymph vessels replace earlier ones where they lie.

    period   min between solutions     margin   um of the same tumor beyond each face of the box; 0: closed faces
    """

    lymph: tuple[Drained, ...] = ()
    period: float = 60.0
    margin: float = 0.0


def read_fluid(reader: Reader, tree: Any, tick: float) -> FluidStart | None:
    """Section fluid of a model."""
    if tree is None:
        return None
    group = reader.group(tree, "fluid", ("lymph", "period", "margin", *inner_groups("fluid")), "part of fluid")
    said = group.get("lymph")
    lots = []
    for i, one in enumerate(said if isinstance(said, list) else [] if said is None else [said]):
        path = f"fluid.lymph.{i}" if isinstance(said, list) else "fluid.lymph"
        given = reader.group(one, path, ("density", *REGIONS), "part of lymph")
        density = reader.quantity(given.get("density", "1"), f"{path}.density", "1", ge=0.0, le=10.0)
        where = {k: v for k, v in given.items() if k in REGIONS}
        region = read_region(reader, where, path) if where else None
        if density is not None:
            lots.append(Drained(region, density))
    period = whole_period(reader, group, "fluid", tick)
    margin = reader.length(group["margin"], "fluid.margin", ge=0.0) if "margin" in group else 0.0
    return FluidStart(tuple(lots), period, margin or 0.0)
