"""Whether cells have room: growth that runs away is named when the domain is many times full, long before memory or
patience ends."""

from __future__ import annotations

import math

import numpy as np

from ..biology.outside import OUTSIDE
from ..engine.tissue import Tissue

# times the domain: packed spheres fill 0.74 of a volume and 0.91 of a plane, and soft cells that overlap some three
# times that
FULL = 5.0
BEYOND = 2.0  # times that: cells that have left the domain, where PhysiCell's numerics let them lie, are no crowd
PACKED = 100.0  # times one voxel: cells may be placed or born on top of each other for a while, but not so many


class Room:
    """How full a domain is, judged by what is known at every tick: how many cells there are, and their whole volume.

    In 3-D their volume counts, in 2-D the area of as many discs of the mean volume. A domain that is crowded from the
    start may get as many times fuller.
    """

    def __init__(self, tissue: Tissue):
        grid = tissue.fields.grid
        extent = grid.upper - grid.lower
        self.flat, self.voxel = grid.is_2d, grid.voxel_volume
        self.size = float(extent[0] * extent[1] * (1.0 if self.flat else extent[2]))
        cells = tissue.cells
        self.most = FULL * max(1.0, self.times_full(cells.n, float(cells["volume.total"].sum())))
        self.most_packed = PACKED * max(1.0, self.packing(tissue)[0])

    def times_full(self, count: int, volume: float) -> float:
        """How many times `count` cells of this whole volume (um^3) fill the domain."""
        if not self.flat or count == 0:
            return volume / self.size
        radius = (0.75 / math.pi * max(volume, 0.0) / count) ** (1.0 / 3.0)
        return count * math.pi * radius * radius / self.size

    def packing(self, tissue: Tissue) -> tuple[float, int]:
        """How many times the fullest voxel is filled by the cells that lie in it, and its number. A voxel smaller than
        the mean cell counts as large as that."""
        cells = tissue.cells
        if cells.n == 0:
            return 0.0, 0
        volume = cells["volume.total"] * self._inside(tissue)
        held = np.bincount(tissue.voxels(), volume)
        fullest = int(held.argmax())
        return float(held[fullest] / max(self.voxel, volume.mean())), fullest

    def lacking(self, tissue: Tissue, volume: float, thorough: bool) -> str:
        """What is wrong, in words, or nothing. volume um^3: of all cells; thorough: look into every voxel, too."""
        if self.times_full(tissue.cells.n, volume) > self.most:
            inside = self._inside(tissue)  # who has left the domain takes no room there
            full = self.times_full(int(inside.sum()), float((tissue.cells["volume.total"] * inside).sum()))
            if full > self.most:
                return f"fill the domain {full:.0f} times over"
            if self.times_full(tissue.cells.n, volume) > BEYOND * self.most:
                full = self.times_full(tissue.cells.n, volume)
                return f"would fill the domain {full:.0f} times over, most of them outside"
        if thorough:
            times, voxel = self.packing(tissue)
            if times > self.most_packed:
                z, y, x = (int(i) for i in np.unravel_index(voxel, tissue.fields.grid.shape))
                return f"fill voxel (z, y, x) = ({z}, {y}, {x}) {times:.0f} times over"
        return ""

    @staticmethod
    def _inside(tissue: Tissue) -> np.ndarray:
        cells = tissue.cells
        return cells[OUTSIDE.name] == 0 if OUTSIDE.name in cells else np.ones(cells.n, np.bool_)
