"""Columns that nearly every mechanism shares: is a cell alive, and how large is it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..engine.cells import Cells
from ..engine.column import State

LIVE, APOPTOTIC, SWELLING, LYSED = 0, 1, 2, 3
FROZEN = 128  # added to the state of a cell that lies outside the domain while others decide and act

VITAL = State(
    "1", dtype=np.uint8, doc="0 live, 1 apoptotic, 2 necrotic and swelling, 3 necrotic and lysed", name="vital",
    groups={
        "live": (LIVE, LIVE), "apoptotic": (APOPTOTIC, APOPTOTIC), "necrotic": (SWELLING, FROZEN - 1),
        "dead": (APOPTOTIC, 255), "inside": (0, FROZEN - 1),
    },
    counted=("live", "apoptotic", "necrotic"),
)  # fmt: skip
RADIUS = State("um", 8.412710547954228, ge=0.0, doc="radius of the whole cell", name="radius")
MOBILITY = State(
    "1",
    1.0,
    ge=0.0,
    le=1.0,
    doc="share of the velocity under pushes and pulls that drag leaves",
    name="mechanics.mobility",
)


class Who(NamedTuple):
    """Who the cells are, as kernels see them: id, key (of their random numbers), kind (index of the type), vital
    (state), each (cell)."""

    id: np.ndarray
    key: np.ndarray
    kind: np.ndarray
    vital: np.ndarray


def who(cells: Cells) -> Who:
    """Who all cells are."""
    return Who(cells.id, cells.key, cells.type, cells["vital"])


def radius_of(volume):
    """Radius (um) of a sphere of this volume (um^3).

    >>> round(float(radius_of(2494.0)), 6)
    8.412711
    """
    return np.cbrt(volume * (3.0 / (4.0 * np.pi)))
