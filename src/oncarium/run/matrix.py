"""The matrix of a model at the start."""

from __future__ import annotations

import numpy as np

from ..biology.matrix.state import Matrix
from ..model.matrix import SHARES
from ..model.model import Model
from .regions import grid_of, inside, voxel_centers


def matrix_of(model: Model) -> Matrix | None:
    """The matrix at the start, or None where a model has none."""
    start = model.matrix
    if start is None:
        return None
    grid, flat = grid_of(model.domain), model.domain.is_2d
    x, y, z = voxel_centers(grid)
    law, breach = model.groups["matrix.stiffness"], model.groups["matrix.breach"]["opening"]
    matrix = Matrix(grid, law["soft"], law["power"], law["linked"], breach)
    for patch in start.patches:
        mask = np.ones(grid.shape, np.bool_) if patch.region is None else inside(patch.region, x, y, z, flat)
        for name in SHARES:
            value = getattr(patch, name)
            if value is not None:
                getattr(matrix, name)[mask] = value
        if patch.order > 0.0 and patch.fibres != "random":
            center = patch.region.center if patch.region is not None else (0.0, 0.0, 0.0)
            matrix.orientation[:, mask] = (
                patch.order * order_tensor(patch.fibres, x - center[0], y - center[1], z - center[2], flat)[:, mask]
            )
    if start.membrane is not None:
        matrix.enclose(inside(start.membrane, x, y, z, flat))
    return matrix


def order_tensor(fibres: str, x: np.ndarray, y: np.ndarray, z: np.ndarray, flat: bool) -> np.ndarray:
    """(5, z, y, x) n n - 1/dim of fully ordered fibres; tangential in 3-D: any direction in the shell."""
    length = np.maximum(np.sqrt(x**2 + y**2 + (0.0 if flat else z**2)), 1e-9)
    radial = [x / length, y / length, 0.0 * z if flat else z / length]
    if fibres in ("x", "y"):
        n = [np.full(x.shape, float(fibres == a)) for a in "xy"] + [np.zeros(x.shape)]
    elif fibres == "tangential" and flat:
        n = [-radial[1], radial[0], radial[2]]
    else:
        n = radial
    even = 0.5 if flat else 1.0 / 3.0
    q = np.array([n[0] * n[0] - even, n[1] * n[1] - even, n[0] * n[1], n[0] * n[2], n[1] * n[2]])
    return -0.5 * q if fibres == "tangential" and not flat else q
