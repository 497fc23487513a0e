"""Crowded cells and swollen matrix press on everything around: solid stress."""

from __future__ import annotations

import numpy as np
from numba import njit

from ...engine.kernels.coupling import order_by_voxel, voxels_around
from ...engine.process import Number, Process, Tick
from ...engine.tissue import Tissue

PRESSURE = 0.25  # kPa of cells whose pressure is 1, that of twelve close-packed neighbors (assumed: 0.5 to 1 in tumors)
SWELLING = 0.2  # kPa of matrix of density 1 filled with hyaluronan (assumed)
WIDTH = 20.0  # um: standard deviation of the neighborhood over which cells are averaged (assumed)
SPARSE = 0.2  # share of the volume from which on cells bear on each other as a tissue (assumed)


@njit(cache=True, nogil=True)
def share_out(order, position, values, lower, spacing, shape, out):
    """Give each cell's values (cell, k) to the voxels around it by linear weights; none is lost at the walls. order:
    rows by voxel and id; out (k, voxel)."""
    voxel, weight = np.empty(8, np.int64), np.empty(8)
    for m in range(order.shape[0]):
        r = order[m]
        voxels_around(position[r, 0], position[r, 1], position[r, 2], lower, spacing, shape, voxel, weight)
        for c in range(8):
            for f in range(values.shape[1]):
                out[f, voxel[c]] += weight[c] * values[r, f]


class SolidStress(Process):
    """Stress of the solid tissue.

    Equation    stress = 0.25 kPa p min(f / 0.2, 1) + 0.2 kPa density hyaluronan
                p: mean pressure of the live cells (sense.pressure), by volume, f: their share of the volume, both
                over a Gaussian neighborhood of 20 um, which the walls of the box mirror

    Sets        fluid.stress (z, y, x) kPa.     Reads   sense.pressure, volume.total, matrix.
    Source      solid stress closes vessels and lymph: Padera et al. 2004 (DOI 10.1038/427695a); scale assumed, within
                the 0.2 to 10 kPa of tumors (Nia et al. 2016, DOI 10.1038/s41551-016-0004).
    """

    group = "fluid.stress"
    numbers = (
        Number("pressure", "kPa", PRESSURE, "assumed 0.083..0.75", "of cells whose pressure is 1", ge=0.0),
        Number("swelling", "kPa", SWELLING, "assumed 0.067..0.6", "of matrix of density 1 full of hyaluronan", ge=0.0),
        Number(
            "sparse", "1", SPARSE, "assumed 0.1..0.4", "share of volume from which on cells bear on each other", ge=1e-9
        ),
        Number("width", "um", WIDTH, "assumed 10..40", "of the neighborhood", ge=0.0),
    )
    section = "fluid"
    slot = "remodel"
    part = "fluid"
    reads = ("sense.pressure", "volume.total", "position", "matrix")
    sets = ("fluid.stress",)

    @classmethod
    def of(cls, model, build, **options) -> SolidStress:
        return cls(model.fluid.period, **cls.said(model), **options)

    def __init__(
        self, period: float = 60.0, pressure: float = PRESSURE, width: float = WIDTH, swelling: float = SWELLING,
        sparse: float = SPARSE,
    ):  # fmt: skip
        self.period = period
        self.pressure, self.width, self.swelling, self.sparse = pressure, width, swelling, sparse

    def step(self, tissue: Tissue, tick: Tick) -> None:
        from scipy.ndimage import gaussian_filter

        cells, grid = tissue.cells, tissue.fields.grid
        stress = np.zeros(grid.shape)
        if "sense.pressure" in cells and cells.n:
            live = np.where(cells["vital"] == 0, cells["volume.total"], 0.0)
            values = np.stack([live * np.maximum(cells["sense.pressure"], 0.0), live], axis=1)
            summed = np.zeros((2, stress.size))
            order = order_by_voxel(tissue.voxels(), cells.id, stress.size)
            share_out(order, cells.position, values, grid.lower, np.array(grid.spacing), grid.shape, summed)
            # sharing a cell out among voxels has widened it already, by a variance of a sixth of their size squared
            left = [max(self.width**2 - h**2 / 6.0, 0.0) ** 0.5 / h for h in grid.spacing[::-1]]
            width = [0.0 if n == 1 else w for n, w in zip(grid.shape, left)]
            pressed, filled = (gaussian_filter(a.reshape(grid.shape), width, mode="reflect") for a in summed)
            stress = self.pressure * pressed / np.maximum(filled, self.sparse * grid.voxel_volume)
        if tissue.matrix is not None:
            stress = stress + self.swelling * tissue.matrix.density * tissue.matrix.hyaluronan
        tissue.fluid.stress[...] = stress
