"""Between cells and voxels: which voxel holds a cell, what it finds there, and what it leaves there."""

from __future__ import annotations

import numpy as np
from numba import njit

SAME = 1e-10  # a difference between neighboring voxels below this share of the value is rounding, and has no direction


@njit(cache=True, nogil=True)
def voxel_at(x, y, z, lower, spacing, shape):
    """Linear voxel index (z, y, x order) of one place (um);
    outside the box, of the nearest voxel. shape (nz, ny, nx)."""
    nz, ny, nx = shape
    ix = min(max(int((x - lower[0]) / spacing[0]), 0), nx - 1)
    iy = min(max(int((y - lower[1]) / spacing[1]), 0), ny - 1)
    iz = min(max(int((z - lower[2]) / spacing[2]), 0), nz - 1)
    return (iz * ny + iy) * nx + ix


@njit(cache=True, nogil=True)
def voxels_around(x, y, z, lower, spacing, shape, voxel, weight):
    """The eight voxels whose middles surround a place (um), and their weights in linear interpolation between them;
    none is lost at the walls. shape (nz, ny, nx); voxel, weight (8): what has no weight is voxel 0."""
    nz, ny, nx = shape
    u = min(max((x - lower[0]) / spacing[0] - 0.5, 0.0), nx - 1.0)
    v = min(max((y - lower[1]) / spacing[1] - 0.5, 0.0), ny - 1.0)
    w = min(max((z - lower[2]) / spacing[2] - 0.5, 0.0), nz - 1.0)
    i, j, k = int(u), int(v), int(w)
    u, v, w = u - i, v - j, w - k
    for c in range(8):
        weight[c] = (u if c & 1 else 1.0 - u) * (v if c & 2 else 1.0 - v) * (w if c & 4 else 1.0 - w)
        voxel[c] = ((k + (c >> 2)) * ny + j + (c >> 1 & 1)) * nx + i + (c & 1) if weight[c] > 0.0 else 0


@njit(cache=True, nogil=True)
def voxel_of(position, lower, spacing, shape, out):
    """Linear voxel index (z, y, x order) of every cell. position (cell, xyz) um; shape (nz, ny, nx); out (cell)."""
    for i in range(position.shape[0]):
        out[i] = voxel_at(position[i, 0], position[i, 1], position[i, 2], lower, spacing, shape)


@njit(cache=True, nogil=True)
def order_by_voxel(voxel, ids, voxels):
    """Rows sorted by voxel and, within a voxel, by id: the fixed order in which cells are summed."""
    n = voxel.shape[0]
    start = np.zeros(voxels + 1, np.int64)
    for i in range(n):
        start[voxel[i] + 1] += 1
    for v in range(voxels):
        start[v + 1] += start[v]
    fill = start.copy()
    order = np.empty(n, np.int64)
    for i in range(n):
        v = voxel[i]
        k = fill[v]
        while k > start[v] and ids[order[k - 1]] > ids[i]:
            order[k] = order[k - 1]
            k -= 1
        order[k] = i
        fill[v] += 1
    return order


@njit(cache=True, nogil=True)
def deposit(order, voxel, amount, factor, scale, weight, field):
    """field[voxel] += scale * weight * amount[:, factor] over cells in a fixed order; one serial sum, no race.

    amount (cell, factor); weight (cell); field (voxel) of one factor.
    """
    for k in range(order.shape[0]):
        i = order[k]
        a = amount[i, factor]
        if a != 0.0:
            field[voxel[i]] += scale * weight[i] * a


@njit(cache=True, nogil=True)
def deposit_all(order, voxel, amount, which, scale, weight, field):
    """field[factor, voxel] += scale * weight * amount over cells in a fixed order, of all entries: amount (cell,
    entry), which (entry) factor, scale (factor), weight (cell), field (factor, voxel). A cell's row is read once."""
    for k in range(order.shape[0]):
        i = order[k]
        v = voxel[i]
        for e in range(which.shape[0]):
            a, f = amount[i, e], which[e]
            if a != 0.0:
                field[f, v] += scale[f] * weight[i] * a


@njit(cache=True, nogil=True)
def deposit_product(order, voxel, amount, target, which, weight, field):
    """field[factor, voxel] += weight * amount * target: the supply of secretions that stop at their target. amount,
    target (cell, entry), the rest as above."""
    for k in range(order.shape[0]):
        i = order[k]
        v = voxel[i]
        for e in range(which.shape[0]):
            a, f = amount[i, e] * target[i, e], which[e]
            if a != 0.0:
                field[f, v] += weight[i] * a


@njit(cache=True, nogil=True)
def concentration_at(voxel, value, out):
    """out[i, f] = value[f, voxel of cell i]; value (factor, voxel)."""
    for f in range(value.shape[0]):
        for i in range(voxel.shape[0]):
            out[i, f] = value[f, voxel[i]]


@njit(cache=True, nogil=True, error_model="numpy")
def gradient_at(v, value, spacing, shape):
    """Gradient (x, y, z) of one factor at voxel v: central differences, one-sided at the faces; none in a field that is
    even but for rounding. value (voxel)."""
    nz, ny, nx = shape
    ix = v % nx
    iy = (v // nx) % ny
    iz = v // (nx * ny)
    gx = gy = gz = 0.0
    if nx > 1:
        a, b = max(ix - 1, 0), min(ix + 1, nx - 1)
        gx = (value[v + b - ix] - value[v + a - ix]) / ((b - a) * spacing[0])
    if ny > 1:
        a, b = max(iy - 1, 0), min(iy + 1, ny - 1)
        gy = (value[v + (b - iy) * nx] - value[v + (a - iy) * nx]) / ((b - a) * spacing[1])
    if nz > 1:
        a, b = max(iz - 1, 0), min(iz + 1, nz - 1)
        gz = (value[v + (b - iz) * nx * ny] - value[v + (a - iz) * nx * ny]) / ((b - a) * spacing[2])
    rise = max(abs(gx) * spacing[0], abs(gy) * spacing[1], abs(gz) * spacing[2])
    if rise < SAME * abs(value[v]):
        return 0.0, 0.0, 0.0
    return gx, gy, gz
