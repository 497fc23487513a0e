"""Fluid: pressure of the interstitial fluid, solid stress, and the lymph vessels that drain, voxel by voxel."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...engine.fields import Grid
from ...engine.part import Part

ARRAYS = ("pressure", "stress", "lymph", "open", "filtration", "drained")


class Fluid(Part):
    """Arrays on the grid of the fields; the velocity of the fluid is that of the fields.

    pressure   (z, y, x) mmHg of the interstitial fluid     stress   (z, y, x) kPa of the cells and the matrix
    lymph      (z, y, x) lymph vessels, 1 as in normal tissue     open   (z, y, x) share of them not collapsed
    filtration (z, y, x) 1/min, fluid from the blood, below 0 back into it, per volume of tissue
    drained    (z, y, x) 1/min, fluid that lymph takes

    >>> Fluid(Grid((0, 0, 0), (10, 10, 10), (1, 4, 4))).pressure.shape
    (1, 4, 4)
    """

    def __init__(self, grid: Grid):
        self.pressure, self.stress, self.lymph = (np.zeros(grid.shape) for _ in range(3))
        self.filtration, self.drained = np.zeros(grid.shape), np.zeros(grid.shape)
        self.open = np.ones(grid.shape)

    def digest(self, h: Any) -> None:
        """Feed all arrays to a hash."""
        for array in self.arrays().values():
            h.update(np.ascontiguousarray(array).tobytes())

    def summary(self) -> dict[str, tuple[float, str]]:
        """Mean and highest pressure and stress, mean lymph vessels, and the share of them that is open."""
        lymph = float(self.lymph.sum())
        return {
            "fluid.pressure": (float(self.pressure.mean()), "mmHg"),
            "fluid.highest_pressure": (float(self.pressure.max()), "mmHg"),
            "fluid.stress": (float(self.stress.mean()), "kPa"),
            "fluid.highest_stress": (float(self.stress.max()), "kPa"),
            "fluid.lymph": (float(self.lymph.mean()), "1"),
            "fluid.open_lymph": (float((self.lymph * self.open).sum() / lymph) if lymph else 0.0, "1"),
        }

    def maps(self) -> dict[str, tuple[np.ndarray, str]]:
        """Pressure of the fluid, stress of the tissue."""
        return {"fluid.pressure": (self.pressure, "mmHg"), "fluid.stress": (self.stress, "kPa")}

    def copy(self) -> Fluid:
        """An independent fluid with the same content."""
        return copy.deepcopy(self)

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything a checkpoint keeps, by name."""
        return {name: getattr(self, name) for name in ARRAYS}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what `arrays` gave."""
        for name in ARRAYS:
            setattr(self, name, np.array(arrays[name]))
