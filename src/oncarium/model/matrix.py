"""The extracellular matrix at the start: how dense, how linked, how its fibres point, where a membrane lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .groups import inner_groups, whole_period
from .reader import Reader
from .regions import REGIONS, Region, read_region

FIBRES = ("random", "radial", "tangential", "x", "y")
SHARES = ("density", "crosslink", "hyaluronan")
KEYS = (*SHARES, "fibres", "order")


@dataclass(frozen=True)
class Patch:
    """Matrix of a region (None: everywhere).

    density (1 is a scar)     crosslink, hyaluronan (0 to 1)     fibres and their order (0 to 1)
    """

    region: Region | None = None
    density: float | None = None
    crosslink: float | None = None
    hyaluronan: float | None = None
    fibres: str = "random"
    order: float = 0.0


@dataclass(frozen=True)
class MatrixStart:
    """Everything a model says of its matrix; later patches lie over earlier ones.

    period   minutes between remodelings
    """

    patches: tuple[Patch, ...]
    membrane: Region | None = None
    period: float = 60.0


def read_matrix(reader: Reader, tree: Any, tick: float) -> MatrixStart | None:
    """Section matrix of a model."""
    if tree is None:
        return None
    group = reader.group(tree, "matrix", (*KEYS, "patches", "membrane", "period", *inner_groups("matrix")))
    period = whole_period(reader, group, "matrix", tick)
    around = reader.group(group.get("membrane"), "matrix.membrane", REGIONS, "region")
    membrane = read_region(reader, around, "matrix.membrane") if around else None
    patches = [_patch(reader, {k: v for k, v in group.items() if k in KEYS}, "matrix", None)]
    for i, given in enumerate(
        reader.listed(group.get("patches"), "matrix.patches", "each patch in a line of its own after '- '.")
    ):
        path = f"matrix.patches.{i}"
        said = reader.group(given, path, (*KEYS, *REGIONS), "part of a patch")
        region = read_region(reader, {k: v for k, v in said.items() if k in REGIONS}, path)
        if region is not None:
            patches.append(_patch(reader, {k: v for k, v in said.items() if k in KEYS}, path, region))
    return MatrixStart(tuple(patches), membrane, period)


def _patch(reader: Reader, given: dict[str, Any], path: str, region: Region | None) -> Patch:
    numbers = {
        k: reader.quantity(given[k], f"{path}.{k}", "1", ge=0.0, le=1.5 if k == "density" else 1.0)
        for k in (*SHARES, "order")
        if k in given
    }
    fibres = given.get("fibres", "random")
    if not isinstance(fibres, str) or fibres not in FIBRES:
        reader.word(fibres, f"{path}.fibres", FIBRES, "direction of fibres")
    return Patch(region, fibres=str(fibres), **{k: v for k, v in numbers.items() if v is not None})
