"""Where the tumor ends, and who is how far on which side of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .points import Points, points_of, tidy

if TYPE_CHECKING:
    import pandas

PIXEL = 5.0  # um, of the mask; in space 10
SHARE = 0.05  # of the tumor cells that a mass must have


def infiltration(
    data: Any, tumor: str | Sequence[str] = "tumor", t: Any = None, *, width: float = 50.0, reach: float = 30.0,
    columns: Mapping[str, str] | None = None, dead: bool = False,
) -> pandas.DataFrame:  # fmt: skip
    """Density of each type by the distance from the border of the tumor, negative inside: type, distance (middle of the
    bin, um), cells, area_mm2, per_mm2 (in space volume_mm3, per_mm3).

    width   of a bin, um
    reach   tumor cells less than twice so far apart belong to one mass, um

    The tumor is what lies within `reach` of a tumor cell, drawn in by as much again (a closing: it follows the outer
    cells as an alpha shape of that radius does), with its holes filled; masses with fewer than 5 % of the tumor cells
    are no part of it. Distances are measured on a grid of 5 um (in space 10 um), within the domain, of tables within
    the box of all cells. Immune infiltration by distance from the margin: Galon 2006 (DOI 10.1126/science.1129139)
    tell center from margin; Carstens 2017 (DOI 10.1038/ncomms15095) count by distance.

    Raises InputError, also where there is no mass of tumor cells.

    >>> bool(oc.spatial.infiltration(result).query("distance < 0")["cells"].sum() > 15)
    True
    """
    import pandas as pd

    for name, given in (("width", width), ("reach", reach)):
        if not 0 < given < np.inf:
            raise InputError(name, f"{given} is no distance;", "expected more than 0 um.")

    def measure(points: Points) -> pandas.DataFrame:
        distance, lower, pixel = border_distance(points, tumor, reach)
        cells = np.floor((points.position - lower) / pixel).astype(int)
        own = distance[tuple(np.clip(cells, 0, np.array(distance.shape) - 1).T)]
        first, last = (int(np.floor(f(distance) / width)) for f in (np.min, np.max))
        edges = np.arange(first, last + 2) * width
        label, unit, size = ("area_mm2", "per_mm2", 1e6) if points.dimensions == 2 else ("volume_mm3", "per_mm3", 1e9)
        space = np.histogram(distance, edges)[0] * pixel**points.dimensions / size
        tables = []
        for k, name in enumerate(points.types):
            count = np.histogram(own[points.kind == k], edges)[0]
            told = {"distance": edges[:-1] + width / 2, "cells": count, label: space}
            tables.append(pd.DataFrame({"type": name, **told, unit: count / np.where(space > 0, space, np.nan)}))
        return pd.concat(tables, ignore_index=True)

    return tidy(points_of(data, t, columns, dead), measure)


def border_distance(points: Points, tumor: str | Sequence[str], reach: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Signed distance (um) from the tumor's border of every pixel of the domain, (x, y) or (x, y, z), negative inside;
    the lower corner of the domain, and the size of a pixel. Raises InputError where there is no tumor."""
    from scipy import ndimage

    rows = points.chosen(tumor, "tumor")
    pixel = PIXEL if points.dimensions == 2 else 2 * PIXEL
    lower, upper = (np.asarray(corner, float) for corner in points.box)
    margin = int(np.ceil(2 * reach / pixel)) + 1
    shape = np.maximum(np.ceil((upper - lower) / pixel - 1e-9).astype(int), 1)
    if float(np.prod(shape + 2.0 * margin)) > 3e8:
        raise InputError("data", f"the domain has {np.prod(shape.astype(float)):.2g} pixels of {pixel:g} um: too many.")
    if not rows.any():
        raise InputError("tumor", "no tumor cell is there.", f"There are: {', '.join(points.types)}.")
    place = np.clip(np.floor((points.position[rows] - lower) / pixel).astype(int), 0, shape - 1) + margin
    empty = np.ones(shape + 2 * margin, bool)
    empty[tuple(place.T)] = False
    around = ndimage.distance_transform_edt(empty, sampling=pixel) <= reach
    mass = ndimage.binary_fill_holes(ndimage.distance_transform_edt(around, sampling=pixel) > reach)
    named, count = ndimage.label(mass, np.ones((3,) * points.dimensions))
    held = np.bincount(named[tuple(place.T)], minlength=count + 1)
    held[0] = 0
    large = held >= max(SHARE * rows.sum(), 3)
    if not large.any():
        raise InputError(
            "tumor", f"its cells form no mass: none lie within {2 * reach:g} um of each other.", "Give a larger reach."
        )
    mass = large[named]
    outside, inside = (ndimage.distance_transform_edt(m, sampling=pixel) for m in (~mass, mass))
    signed = np.where(mass, 0.5 * pixel - inside, outside - 0.5 * pixel)
    return signed[(slice(margin, -margin),) * points.dimensions], lower, pixel
