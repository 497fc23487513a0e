"""Where a region lies: voxels and points inside it."""

from __future__ import annotations

import numpy as np

from ..engine.fields import Grid
from ..model.environment import Domain
from ..model.places import inside

__all__ = ["edge_voxels", "grid_of", "inside", "voxel_centers"]


def grid_of(domain: Domain) -> Grid:
    """The voxels of a domain."""
    return Grid(origin=domain.lower, spacing=domain.voxel, shape=(domain.shape[2], domain.shape[1], domain.shape[0]))


def edge_voxels(grid: Grid) -> np.ndarray:
    """Flat numbers of the voxels at the faces of the box (in 2-D those at its four sides)."""
    edge = np.zeros(grid.shape, np.bool_)
    for axis, count in enumerate(grid.shape):
        if count > 1:
            at = [slice(None)] * 3
            for end in (0, -1):
                at[axis] = end  # type: ignore[call-overload]
                edge[tuple(at)] = True
    return np.flatnonzero(edge)


def voxel_centers(grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, y, z (z, y, x) um of the centers of all voxels."""
    z, y, x = np.meshgrid(grid.centers("z"), grid.centers("y"), grid.centers("x"), indexing="ij")
    return x, y, z
