"""Rows of the seven-point stencil over a level of voxels.

Per voxel, with c_m its six neighbors:   total c - sum_m coupling_m c_m = source,   total = sink + sum_m coupling_m + edges

Couplings are per volume (1/min). Two layouts: `line` (level, 3, n) when D is one number (couplings depend on the index along
their axis alone and stay in cache), `full` (6, z, y, x) when D varies in space or the fluid flows.
Arrays are indexed in place: a view per row would cost more than the row (its reference is counted with a locked instruction).
Every loop takes its rows from first to last, so threads can share a level; no result depends on how many there are.
A row's plane and line are k = row // ny, j = row - k ny: with row % ny the compiler makes poorer loops of the same sums.
"""

from __future__ import annotations

import numpy as np
from numba import njit

HELD = 1e-200  # inverse diagonal of a fixed voxel: so stiff that neighbors do not move it
FREE = 1e-190  # inverse diagonals above this belong to free voxels


@njit(inline="always", error_model="numpy")
def _varied(c, k, j, i, west, east, south, north, below, above, source, full):
    """Source plus couplings times neighbors of a voxel, full layout; at a wall, where couplings are zero, any voxel is neighbor."""
    return (source[k, j, i] + full[0, k, j, i] * c[k, j, west] + full[1, k, j, i] * c[k, j, east]
            + full[2, k, j, i] * c[k, south, i] + full[3, k, j, i] * c[k, north, i]
            + full[4, k, j, i] * c[below, j, i] + full[5, k, j, i] * c[above, j, i])


@njit(inline="always", error_model="numpy")
def _even(c, k, j, i, west, east, south, north, below, above, source, low, high):
    """The same, line layout."""
    return (source[k, j, i] + low[0, i] * c[k, j, west] + high[0, i] * c[k, j, east] + low[1, j] * c[k, south, i]
            + high[1, j] * c[k, north, i] + low[2, k] * c[below, j, i] + high[2, k] * c[above, j, i])


@njit(inline="always", error_model="numpy")
def _flat(c, k, j, i, south, north, source, low, high):
    """The same of a voxel inside a row of a level of one plane."""
    return (source[k, j, i] + low[0, i] * c[k, j, i - 1] + high[0, i] * c[k, j, i + 1] + low[1, j] * c[k, south, i]
            + high[1, j] * c[k, north, i])


@njit(cache=True, nogil=True, error_model="numpy")
def relax(first, last, new, c, source, inverse, weight, low, high, full):
    """One damped Jacobi sweep over rows: new = c + weight inverse (source - A c), all (z, y, x); low, high (axis, n) 1/min."""
    nz, ny, nx = c.shape
    keep = 1.0 - weight
    for row in range(first, last):
        k = row // ny
        j = row - k * ny
        south, north, below, above = max(j - 1, 0), min(j + 1, ny - 1), max(k - 1, 0), min(k + 1, nz - 1)
        if full.shape[1] > 0:
            for i in range(1, nx - 1):
                s = _varied(c, k, j, i, i - 1, i + 1, south, north, below, above, source, full)
                new[k, j, i] = keep * c[k, j, i] + weight * inverse[k, j, i] * s
            for i in (0, nx - 1):
                s = _varied(c, k, j, i, max(i - 1, 0), min(i + 1, nx - 1), south, north, below, above, source, full)
                new[k, j, i] = keep * c[k, j, i] + weight * inverse[k, j, i] * s
            continue
        if nz > 1:
            for i in range(1, nx - 1):
                s = _even(c, k, j, i, i - 1, i + 1, south, north, below, above, source, low, high)
                new[k, j, i] = keep * c[k, j, i] + weight * inverse[k, j, i] * s
        else:
            for i in range(1, nx - 1):
                s = _flat(c, k, j, i, south, north, source, low, high)
                new[k, j, i] = keep * c[k, j, i] + weight * inverse[k, j, i] * s
        for i in (0, nx - 1):
            s = _even(c, k, j, i, max(i - 1, 0), min(i + 1, nx - 1), south, north, below, above, source, low, high)
            new[k, j, i] = keep * c[k, j, i] + weight * inverse[k, j, i] * s
    return 0.0


@njit(inline="always", error_model="numpy")
def residual_row(out, peak, c, k, j, source, inverse, low, high, full):
    """out (x) = source - A c of one row, zero in fixed voxels; peak (x) keeps the largest |out inverse| of its column."""
    nz, ny, nx = c.shape
    south, north, below, above = max(j - 1, 0), min(j + 1, ny - 1), max(k - 1, 0), min(k + 1, nz - 1)
    if full.shape[1] > 0:
        for i in range(1, nx - 1):
            out[i] = _varied(c, k, j, i, i - 1, i + 1, south, north, below, above, source, full)
        for i in (0, nx - 1):
            out[i] = _varied(c, k, j, i, max(i - 1, 0), min(i + 1, nx - 1), south, north, below, above, source, full)
    else:
        if nz > 1:
            for i in range(1, nx - 1):
                out[i] = _even(c, k, j, i, i - 1, i + 1, south, north, below, above, source, low, high)
        else:
            for i in range(1, nx - 1):
                out[i] = _flat(c, k, j, i, south, north, source, low, high)
        for i in (0, nx - 1):
            out[i] = _even(c, k, j, i, max(i - 1, 0), min(i + 1, nx - 1), south, north, below, above, source, low, high)
    for i in range(nx):
        inv = inverse[k, j, i]
        r = out[i] - c[k, j, i] / inv
        r = r if inv > FREE else 0.0
        out[i] = r
        peak[i] = max(peak[i], abs(r * inv))


@njit(cache=True, nogil=True, error_model="numpy")
def restrict(first, last, coarse, c, source, inverse, low, high, full, group, share):
    """Volume-weighted mean of the residual in every coarse voxel of rows first to last; returns the largest |r inverse|.

    group (axis, n) first fine index, share (axis, n) part of the coarse volume.
    """
    ny, nx = coarse.shape[1], coarse.shape[2]
    line, total, peak = np.empty(c.shape[2]), np.empty(c.shape[2]), np.zeros(c.shape[2])
    for row in range(first, last):
        kc = row // ny
        jc = row - kc * ny
        for i in range(total.shape[0]):
            total[i] = 0.0
        for k in range(group[2, kc], group[2, kc + 1]):
            for j in range(group[1, jc], group[1, jc + 1]):
                residual_row(line, peak, c, k, j, source, inverse, low, high, full)
                w = share[2, k] * share[1, j]
                for i in range(total.shape[0]):
                    total[i] += w * line[i]
        for i in range(nx):
            s = 0.0
            for m in range(group[0, i], group[0, i + 1]):
                s += share[0, m] * total[m]
            coarse[kc, jc, i] = s
    return peak.max()


@njit(cache=True, nogil=True, error_model="numpy")
def prolong(first, last, c, coarse, near, other, near_weight, other_weight):
    """Add the multilinear interpolation of the coarse correction; returns its largest magnitude.

    near, other (axis, n) coarse indices and their weights.
    """
    ny, nx = c.shape[1], c.shape[2]
    line, peak = np.empty(coarse.shape[2]), np.zeros(nx)
    for row in range(first, last):
        k = row // ny
        j = row - k * ny
        kk, ok, jj, oj = near[2, k], other[2, k], near[1, j], other[1, j]
        w, wk = near_weight[2, k] * near_weight[1, j], other_weight[2, k] * near_weight[1, j]
        wj, wkj = near_weight[2, k] * other_weight[1, j], other_weight[2, k] * other_weight[1, j]
        for i in range(line.shape[0]):
            line[i] = w * coarse[kk, jj, i]
        if wk != 0.0:
            for i in range(line.shape[0]):
                line[i] += wk * coarse[ok, jj, i]
        if wj != 0.0:
            for i in range(line.shape[0]):
                line[i] += wj * coarse[kk, oj, i]
        if wkj != 0.0:
            for i in range(line.shape[0]):
                line[i] += wkj * coarse[ok, oj, i]
        for i in range(nx):
            e = near_weight[0, i] * line[near[0, i]] + other_weight[0, i] * line[other[0, i]]
            c[k, j, i] += e
            peak[i] = max(peak[i], abs(e))
    return peak.max()
