"""Tissue: what is, at one instant. Closed: cells, fields, matrix, vessels, body and the time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .cells import Cells
from .fields import Fields
from .kernels.coupling import voxel_of
from .population import Population

if TYPE_CHECKING:
    from .kernels.neighbors import Neighbors


@dataclass
class Tissue:
    """Arrays only; copyable, comparable, savable.

    matrix, vessels and body are None where a model has none. `population` is the queue of births and deaths, and what was just heard of
    them; empty between ticks. `look(tissue)` gives neighbor lists of the present positions: a service of the process that moves the cells,
    left out of copies.
    """

    cells: Cells
    fields: Fields
    matrix: Any = None
    vessels: Any = None
    body: Any = None
    tick: int = 0
    time: float = 0.0
    population: Population = field(default_factory=Population, compare=False)
    look: Callable[[Tissue], Neighbors] | None = field(default=None, compare=False)

    def copy(self) -> Tissue:
        """An independent tissue in the same state."""
        return Tissue(
            self.cells.copy(),
            self.fields.copy(),
            None if self.matrix is None else self.matrix.copy(),
            self.vessels,
            None if self.body is None else self.body.copy(),
            self.tick,
            self.time,
            Population(self.population.kinds),
        )

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
        """SHA-256 of everything, rows in id order: equal tissues have equal digests whatever their memory order.

        Signals are left out: they are what cells perceived at their last look and are recomputed from the rest.
        """
        h = hashlib.sha256(f"{self.tick}".encode())
        order = self.cells.order()
        for name in sorted(self.cells.columns):
            if self.cells.columns[name].kind == "signal":
                continue
            h.update(name.encode())
            h.update(np.ascontiguousarray(self.cells[name][order]).tobytes())
        h.update(np.ascontiguousarray(self.fields.value).tobytes())
        if self.matrix is not None:
            for array in self.matrix.arrays().values():
                h.update(np.ascontiguousarray(array).tobytes())
        if self.body is not None:
            h.update(self.body.level.tobytes())
        return h.hexdigest()
