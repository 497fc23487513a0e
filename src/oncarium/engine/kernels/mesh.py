"""Levels that factors share which are solved side by side (together.py): of one mobility, one kind of faces."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .hierarchy import Hierarchy, Levels, build


class Mesh(NamedTuple):
    """Levels that factors share; x, y, z in this order in tables, (z, y, x) in shape.

    shape (level, 3); first (level) place of its first voxel, room included; sides 4 or 6, neighbors of a voxel;
    group, share, near, other, near_weight, other_weight as in hierarchy.Levels;
    moved, flown (place x side) 1/um^2 and 1/min: what a neighbor gives for a diffusion of 1 um^2/min, and for the
    fluid (or empty); moved_total, flown_total (place): all couplings of a voxel and what it loses through faces
    """

    shape: np.ndarray
    first: np.ndarray
    sides: int
    group: np.ndarray
    share: np.ndarray
    near: np.ndarray
    other: np.ndarray
    near_weight: np.ndarray
    other_weight: np.ndarray
    moved: np.ndarray
    flown: np.ndarray
    moved_total: np.ndarray
    flown_total: np.ndarray


class Walls(NamedTuple):
    """What faces let in per concentration outside (voxel, face): moved 1/um^2, times diffusion; flown 1/min, times
    convection; closed: nothing passes."""

    moved: np.ndarray
    flown: np.ndarray
    closed: bool


class Flow(NamedTuple):
    """The part of a mesh that the fluid makes: couplings, totals, walls as in Mesh and Walls; empty where it rests."""

    couplings: np.ndarray
    totals: np.ndarray
    walls: np.ndarray


def flow(shape, spacing, open_faces: np.ndarray, velocity) -> Flow:
    """Of all factors whose open faces (face) bool are these; velocity as in hierarchy.build, or None."""
    if velocity is None:
        return Flow(np.empty(0), np.empty(0), np.zeros((int(np.prod(shape)), 6)))
    levels = build(shape, spacing, 1.0, np.where(open_faces, np.inf, 0.0), np.zeros(shape), velocity)
    return Flow(*_spaced(levels.levels), _walls(levels))


def mesh(shape, spacing, slip: np.ndarray, mobility: np.ndarray | None, fluid: Flow) -> tuple[Mesh, Walls]:
    """Levels and walls of all factors with this mobility (z, y, x) or None, and this diffusion / permeability of the
    faces (face) um: infinite where closed, 0 where the value is prescribed.

    >>> levels, walls = mesh((1, 37, 53), (20, 20, 20), np.full(6, np.inf), None, flow((1, 37, 53), 20, None, None))
    >>> levels.shape.tolist(), walls.closed
    ([[1, 37, 53], [1, 18, 26], [1, 9, 13], [1, 4, 6], [1, 2, 3], [1, 1, 1]], True)
    """
    with np.errstate(divide="ignore"):
        permeability = 1.0 / slip
    still = build(shape, spacing, 1.0, permeability, np.ones(shape) if mobility is None else mobility)
    tables = still.levels
    couplings, totals = _spaced(tables)
    levels = Mesh(
        tables.shape, places(tables.shape)[0], 4 if shape[0] == 1 else 6, tables.group, tables.share, tables.near,
        tables.other, tables.near_weight, tables.other_weight, couplings, fluid.couplings, totals,
        fluid.totals,
    )  # fmt: skip
    return levels, Walls(_walls(still), fluid.walls, still.closed)


def places(shape: np.ndarray) -> tuple[np.ndarray, int]:
    """Place of the first voxel of every level, and how many places there are."""
    counts = shape.prod(axis=1)
    room = shape[:, 2] * np.where(shape[:, 0] > 1, shape[:, 1], 1)
    return np.cumsum(counts + 2 * room) - counts - room, int((counts + 2 * room).sum())


def _spaced(levels: Levels) -> tuple[np.ndarray, np.ndarray]:
    """Couplings (place x side) and totals (place) of all levels, with room between them."""
    first, count = places(levels.shape)
    sides = 4 if levels.shape[0, 0] == 1 else 6
    full, total = np.zeros((count, sides)), np.zeros(count)
    for at, n, start in zip(first, levels.shape.prod(axis=1), levels.offset):
        full[at : at + n] = levels.full[6 * start : 6 * (start + n)].reshape(6, n)[:sides].T
        total[at : at + n] = levels.total[start : start + n]
    return full.ravel(), total


def _walls(levels: Hierarchy) -> np.ndarray:
    """(voxel, face) what a face lets in."""
    return np.stack([levels.inflow(face).ravel() for face in np.eye(6)], axis=1)
