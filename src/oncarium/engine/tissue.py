"""Tissue: what is, at one instant. Closed: cells, fields, matrix, vessels, body and the time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .cells import Cells
from .fields import Fields


@dataclass
class Tissue:
    """Arrays only; copyable, comparable, savable.

    matrix, vessels and body are None where a model has none.
    """

    cells: Cells
    fields: Fields
    matrix: Any = None
    vessels: Any = None
    body: Any = None
    tick: int = 0
    time: float = 0.0
    links: dict[str, np.ndarray] = field(default_factory=dict)

    def copy(self) -> Tissue:
        return Tissue(
            self.cells.copy(),
            self.fields.copy(),
            self.matrix,
            self.vessels,
            self.body,
            self.tick,
            self.time,
            {k: v.copy() for k, v in self.links.items()},
        )

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
        return h.hexdigest()
