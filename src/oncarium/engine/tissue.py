"""Tissue: what is, at one instant. Closed: cells, fields, matrix, vessels, fluid, body and the time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .cells import Cells
from .fields import Fields
from .kernels.coupling import voxel_of
from .part import Part
from .population import Population

if TYPE_CHECKING:
    from .kernels.neighbors import Neighbors


MEMBERS = ("cells", "fields", "matrix", "vessels", "fluid", "body", "metastasis", "plasma")


@dataclass
class Tissue:
    """Arrays only; copyable, comparable, savable.

    matrix, vessels, fluid, body, metastasis and plasma are None where a model has none. `population` is the queue of
    births and deaths, and what was just heard of them; empty between ticks. `look(tissue)` gives neighbor lists of the
    present positions, `touch(tissue)` how far each cell reaches (um; two touch within the sum of both): services of the
    process that moves the cells, left out of copies."""

    cells: Cells
    fields: Fields
    matrix: Any = None  # a Part, as those that follow
    vessels: Any = None
    fluid: Any = None
    body: Any = None
    metastasis: Any = None
    plasma: Any = None
    tick: int = 0
    time: float = 0.0
    population: Population = field(default_factory=Population, compare=False)
    look: Callable[[Tissue], Neighbors] | None = field(default=None, compare=False)
    touch: Callable[[Tissue], np.ndarray] | None = field(default=None, compare=False)

    def members(self) -> dict[str, Part]:
        """Those that this tissue has, by name."""
        parts = {name: getattr(self, name) for name in MEMBERS}
        return {name: part for name, part in parts.items() if part is not None}

    def copy(self) -> Tissue:
        """An independent tissue in the same state."""
        parts: dict[str, Any] = {name: part.copy() for name, part in self.members().items()}
        return Tissue(**parts, tick=self.tick, time=self.time, population=Population(self.population.kinds))

    def sort_in_space(self) -> None:
        """Rows of neighbors come close to each other in memory: sorted by voxel, then id. Nothing else changes."""
        self.cells.reorder(np.lexsort((self.cells.id, self.voxels())))

    def voxels(self, position: np.ndarray | None = None) -> np.ndarray:
        """Linear voxel index (z, y, x order) of every cell, or of these positions (place, xyz) um."""
        grid, position = self.fields.grid, self.cells.position if position is None else position
        voxel = np.empty(len(position), np.int64)
        voxel_of(position, np.array(grid.lower, float), np.array(grid.spacing, float), grid.shape, voxel)
        return voxel

    def digest(self) -> str:
        """SHA-256 of everything, rows in id order: equal tissues have equal digests whatever their memory order."""
        h = hashlib.sha256(f"{self.tick}".encode())
        for part in self.members().values():
            part.digest(h)
        return h.hexdigest()
