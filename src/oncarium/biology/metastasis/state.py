"""Spread: the cells that have left the tissue, those in the blood and on the way, and what has become of them."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...engine.part import Part

ARRAYS = ("left", "waiting", "per_day", "blood", "lymph", "dormant", "place", "number", "size")
DAY = 1440.0  # min: over which cells per day are a mean


class Spread(Part):
    """Metastasis outside of the tissue: its member `metastasis`.

    sites     names of the distant sites

    left      (4) of the tissue so far: single cells and clusters into blood, cells in those clusters, cells into lymph
    waiting   (4) the same, since the cascade last looked
    per_day   (2) cells of the tissue that may be expected to leave into blood and lymph per day, as they stand: a mean
              whose weights fall e-fold a day
    blood     (3) in the blood of the patient: single cells, clusters, cells in those clusters     lymph   on the way
    dormant   (site) micrometastases that do not grow yet
    place, number, size   (cohort) site of metastases that began to grow together, how many, and cells of each

    >>> spread = Spread(["lung"])
    >>> spread.leave(1, [3], 2)
    >>> spread.left.tolist(), spread.summary()["metastasis.lung.dormant"]
    ([1.0, 1.0, 3.0, 2.0], (0.0, '1'))
    """

    def __init__(self, sites: Sequence[str] = ()):
        self.sites = tuple(sites)
        self.left, self.waiting = np.zeros(4), np.zeros(4)
        self.per_day, self.blood, self.lymph = np.zeros(2), np.zeros(3), np.zeros(1)
        self.dormant = np.zeros(len(self.sites), np.int64)
        self.place, self.number, self.size = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)

    def leave(self, single: int, clusters: Sequence[int], lymph: int) -> None:
        """Cells leave the tissue: single ones and clusters of so many into blood, others into lymph."""
        gone = np.array([single, len(clusters), sum(clusters), lymph], float)
        self.left += gone
        self.waiting += gone

    def see(self, per_day: np.ndarray, dt: float) -> None:
        """For dt min so many cells per day (2) were about to leave into blood and lymph."""
        fade = math.exp(-dt / DAY)
        self.per_day = self.per_day * fade + per_day * (1.0 - fade)

    def digest(self, h: Any) -> None:
        """Feed all arrays to a hash."""
        for array in self.arrays().values():
            h.update(np.ascontiguousarray(array).tobytes())

    def summary(self) -> dict[str, tuple[float, str]]:
        """Cells and clusters of the tissue that left so far, cells expected per day; of the patient: circulating cells,
        and at every site micrometastases, metastases that grow, and cells in them."""
        single, clusters, within, lymph = self.left.tolist()
        told = {
            "blood": (single + within, "1"),
            "clusters": (clusters, "1"),
            "lymph": (lymph, "1"),
            "blood_per_day": (float(self.per_day[0]), "1/day"),
            "lymph_per_day": (float(self.per_day[1]), "1/day"),
            "circulating": (float(self.blood[0] + self.blood[2]), "1"),
        }
        for k, site in enumerate(self.sites):
            here = self.place == k
            told[f"{site}.dormant"] = (float(self.dormant[k]), "1")
            told[f"{site}.growing"] = (float(self.number[here].sum()), "1")
            told[f"{site}.cells"] = (float((self.number * self.size)[here].sum()), "1")
        return {f"metastasis.{name}": value for name, value in told.items()}

    def copy(self) -> Spread:
        """An independent one with the same content."""
        return copy.deepcopy(self)

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything a checkpoint keeps, by name."""
        return {name: getattr(self, name) for name in ARRAYS}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what `arrays` gave."""
        for name in ARRAYS:
            setattr(self, name, np.array(arrays[name]))
