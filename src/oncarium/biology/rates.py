"""What cells are inclined to do to the neighbors they touch, as contacts read it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from ..engine.cells import Cells

NO_SHIELD = np.empty(0)


class Toward(NamedTuple):
    """Rates (cell, entry) toward neighbors of single types; at (type): the entry of each type, or -1 of those to whom
    no cell is inclined."""

    rate: np.ndarray
    at: np.ndarray

    @classmethod
    def of(cls, cells: Cells, name: str) -> Toward:
        """Those that a column holds."""
        labels = cells.labels(name)
        return cls(cells[name], np.array([labels.index(t) if t in labels else -1 for t in cells.types], np.int64))


@njit(inline="always")
def toward(rates, i, t):
    """Rate of cell i toward type t."""
    return rates.rate[i, rates.at[t]] if rates.at[t] >= 0 else 0.0


class Rates(NamedTuple):
    """What cells are inclined to do to neighbors, 1/min: engulf apoptotic and necrotic ones (cell), live ones of each
    type, attack and fuse with those of each type; 1: how strongly a cell is attacked by each
    type (cell, type), how much it is shielded (cell)."""

    apoptotic: np.ndarray
    necrotic: np.ndarray
    live: Toward
    attack: Toward
    immunogenicity: np.ndarray
    shield: np.ndarray
    fusion: Toward

    @classmethod
    def of(cls, cells: Cells, shield: np.ndarray) -> Rates:
        """Those of all cells."""
        live, attack, fusion = (Toward.of(cells, k) for k in ("phagocytosis.live", "attack.rate", "fusion.rate"))
        apoptotic, necrotic = cells["phagocytosis.apoptotic"], cells["phagocytosis.necrotic"]
        return cls(apoptotic, necrotic, live, attack, cells["attack.immunogenicity"], shield, fusion)
