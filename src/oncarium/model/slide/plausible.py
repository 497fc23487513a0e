"""Whether positions and sizes can be those of cells: a wrong pixel size makes them dwarfs or giants."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

SMALLEST, LARGEST = 4.0, 40.0  # um, diameter of a cell
USUAL = 10.0  # um, for the guess of a pixel size
FULLEST = 1.5  # times the area of the slide that outlined cells may cover together
FEW = 20  # cells; the places of fewer say nothing


@dataclass(frozen=True)
class Look:
    """What positions and sizes look like.

    count   cells       width, height   um of the box around them       density   cells per mm^2 of it
    apart   um to the nearest neighbor (median)      diameter   um by the outlined areas (median), nan: none
    again   cells that lie exactly where another one does       covered   share of the box that outlines cover
    """

    count: int
    width: float
    height: float
    density: float
    apart: float
    diameter: float
    again: int
    covered: float

    def __str__(self) -> str:
        lines = [
            f"extent: {self.width:,.0f} x {self.height:,.0f} um, {self.density:,.0f} cells/mm^2",
            f"nearest neighbor: {self.apart:.3g} um away (median)" if math.isfinite(self.apart) else "",
            f"size: {self.diameter:.3g} um across (median), {100 * self.covered:.0f} % of the area"
            if math.isfinite(self.diameter)
            else "",
            f"{self.again:,} cells lie exactly where another one does" if self.again else "",
        ]
        return "\n".join(line for line in lines if line)


def look(x: np.ndarray, y: np.ndarray, diameter: np.ndarray | None) -> Look:
    """Look at positions (um) and diameters (um, nan where unknown).

    >>> x, y = np.meshgrid(np.arange(10) * 8.0, np.arange(10) * 8.0)
    >>> seen = look(x.ravel(), y.ravel(), None)
    >>> seen.count, seen.apart, seen.again
    (100, 8.0, 0)
    """
    from scipy.spatial import cKDTree

    places = np.stack([x, y], axis=1)
    own = np.unique(places, axis=0)
    near = cKDTree(own).query(own, k=2)[0][:, 1] if len(own) > 1 else np.full(1, math.nan)
    width, height = (float(np.ptp(v)) if len(v) else 0.0 for v in (x, y))
    area = width * height
    sizes = np.empty(0) if diameter is None else diameter[np.isfinite(diameter) & (diameter > 0.0)]
    usual = float(np.median(sizes)) if len(sizes) else math.nan
    known = area > 0.0
    return Look(
        len(x), width, height, len(x) / area * 1e6 if known else math.nan, float(np.median(near)), usual,
        len(places) - len(own), len(x) * math.pi / 4.0 * usual**2 / area if known else math.nan,
    )  # fmt: skip


def doubt(seen: Look, pixel: float, nucleus: bool) -> tuple[str, str]:
    """What cannot be, and what would make it right; ("", "") where all is well. nucleus: outlines are of nuclei.

    >>> doubt(Look(900, 100, 100, 90000, 1.2, math.nan, 0, 0), 0.1, False)[1]
    'With a pixel of about 0.8 um they would be usual cells.'
    """
    smallest = 0.5 * SMALLEST if nucleus else SMALLEST
    what = "nuclei" if nucleus else "cells"
    if math.isfinite(seen.diameter) and not smallest <= seen.diameter <= LARGEST:
        said = f"{what} would be {seen.diameter:.3g} um across (median)"
        wrong = seen.diameter
    elif seen.count >= FEW and not SMALLEST <= seen.apart <= LARGEST and math.isfinite(seen.apart):
        said = f"the nearest neighbor of a cell would be {seen.apart:.3g} um away (median)"
        wrong = seen.apart
    elif seen.count >= FEW and seen.covered > FULLEST:
        said = f"outlined {what} would cover the slide {seen.covered:.1f} times over: areas and places differ in unit"
        return said, ""
    else:
        return "", ""
    guess = float(f"{pixel * USUAL / wrong:.1g}")
    return (
        said + (f", {seen.density:,.0f} of them per mm^2" if math.isfinite(seen.density) else ""),
        f"With a pixel of about {guess:g} um they would be usual cells.",
    )
