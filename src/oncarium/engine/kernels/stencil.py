"""Rows of the seven-point stencil over a level of voxels.

Per voxel, with c_m its six neighbors:

    total c - sum_m coupling_m c_m = source,   total = sink + sum_m coupling_m + edges

Couplings are per volume (1/min). Two layouts: `line` (level, 3, n) when D is one number (couplings depend on the index
along their axis alone and stay in cache), `full` (6, z, y, x) when D varies in space or the fluid flows.
Arrays of line layout are indexed in place: a view per row would cost more than the row (its reference is counted with a
locked instruction). Every loop takes its rows from first to last, so threads can share a level; no result depends on
how many there are. A row's plane and line are k = row // ny, j = row - k ny: with row % ny the compiler makes poorer
loops of the same sums."""

from __future__ import annotations

import numpy as np
from numba import njit

HELD = 1e-200  # inverse diagonal of a fixed voxel: so stiff that neighbors do not move it
PIECE = 2048  # voxels: pieces of a level that stay in cache between two passes
FREE = 1e-190  # inverse diagonals above this belong to free voxels


@njit(cache=True, nogil=True, error_model="numpy")
def _varied(out, c, first, last, source, full):
    """out = source plus couplings times neighbors of the voxels first to last of the flat level, full layout.

    Rows of small levels are too short for vector instructions, so they are taken as one: at a wall, where couplings are
    zero, any voxel is neighbor. Only neighbors before the first and behind the last voxel need care.
    """
    nz, ny, nx = c.shape
    plane, n = nx * ny, c.size
    flat, q, f = c.reshape(-1), source.reshape(-1), full.reshape(6, -1)
    reach = plane if nz > 1 else nx
    a = min(max(first, reach), last)
    b = max(min(last, n - reach), a)
    o, s, f0, f1, f2, f3 = out[a - first : b - first], q[a:b], f[0, a:b], f[1, a:b], f[2, a:b], f[3, a:b]
    if b > a:
        west, east, south, north = (
            flat[a - 1 : b - 1],
            flat[a + 1 : b + 1],
            flat[a - nx : b - nx],
            flat[a + nx : b + nx],
        )
        if nz > 1:
            below, above, f4, f5 = flat[a - plane : b - plane], flat[a + plane : b + plane], f[4, a:b], f[5, a:b]
            for i in range(b - a):
                o[i] = (
                    s[i]
                    + f0[i] * west[i]
                    + f1[i] * east[i]
                    + f2[i] * south[i]
                    + f3[i] * north[i]
                    + f4[i] * below[i]
                    + f5[i] * above[i]
                )
        else:
            for i in range(b - a):
                o[i] = s[i] + f0[i] * west[i] + f1[i] * east[i] + f2[i] * south[i] + f3[i] * north[i]
    for start, stop in ((first, a), (b, last)):
        for p in range(start, stop):
            out[p - first] = (
                q[p]
                + f[0, p] * flat[max(p - 1, 0)]
                + f[1, p] * flat[min(p + 1, n - 1)]
                + f[2, p] * flat[max(p - nx, 0)]
                + f[3, p] * flat[min(p + nx, n - 1)]
                + f[4, p] * flat[max(p - plane, 0)]
                + f[5, p] * flat[min(p + plane, n - 1)]
            )


@njit(inline="always", error_model="numpy")
def _even(c, k, j, i, west, east, south, north, below, above, source, low, high):
    """Source plus couplings times neighbors of a voxel, line layout."""
    return (
        source[k, j, i]
        + low[0, i] * c[k, j, west]
        + high[0, i] * c[k, j, east]
        + low[1, j] * c[k, south, i]
        + high[1, j] * c[k, north, i]
        + low[2, k] * c[below, j, i]
        + high[2, k] * c[above, j, i]
    )


@njit(inline="always", error_model="numpy")
def _flat(c, k, j, i, south, north, source, low, high):
    """The same of a voxel inside a row of a level of one plane."""
    return (
        source[k, j, i]
        + low[0, i] * c[k, j, i - 1]
        + high[0, i] * c[k, j, i + 1]
        + low[1, j] * c[k, south, i]
        + high[1, j] * c[k, north, i]
    )


@njit(cache=True, nogil=True, error_model="numpy")
def relax(first, last, new, c, source, inverse, weight, low, high, full):
    """One damped Jacobi sweep over rows: new = c + weight inverse
    (source - A c), all (z, y, x); low, high (axis, n) 1/min."""
    nz, ny, nx = c.shape
    keep = 1.0 - weight
    if full.shape[1] > 0:
        o, flat, inv, step = new.reshape(-1), c.reshape(-1), inverse.reshape(-1), max(1, PIECE // nx) * nx
        for start in range(first * nx, last * nx, step):
            stop = min(start + step, last * nx)
            _varied(o[start:stop], c, start, stop, source, full)
            for p in range(start, stop):
                o[p] = keep * flat[p] + weight * inv[p] * o[p]
        return 0.0
    for row in range(first, last):
        k = row // ny
        j = row - k * ny
        south, north, below, above = max(j - 1, 0), min(j + 1, ny - 1), max(k - 1, 0), min(k + 1, nz - 1)
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


@njit(cache=True, nogil=True, error_model="numpy")
def residual_rows(out, peak, c, first, last, source, inverse, low, high, full):
    """out (flat) = source - A c of rows, zero in fixed voxels;
    peak (x) keeps the largest |out inverse| of its column."""
    nz, ny, nx = c.shape
    if full.shape[1] > 0:
        _varied(out, c, first * nx, last * nx, source, full)
    for row in range(first, last):
        k = row // ny
        j = row - k * ny
        at = (row - first) * nx
        line = out[at : at + nx]
        if full.shape[1] == 0:
            south, north, below, above = max(j - 1, 0), min(j + 1, ny - 1), max(k - 1, 0), min(k + 1, nz - 1)
            if nz > 1:
                for i in range(1, nx - 1):
                    line[i] = _even(c, k, j, i, i - 1, i + 1, south, north, below, above, source, low, high)
            else:
                for i in range(1, nx - 1):
                    line[i] = _flat(c, k, j, i, south, north, source, low, high)
            for i in (0, nx - 1):
                line[i] = _even(
                    c, k, j, i, max(i - 1, 0), min(i + 1, nx - 1), south, north, below, above, source, low, high
                )
        for i in range(nx):
            inv = inverse[k, j, i]
            r = line[i] - c[k, j, i] / inv
            r = r if inv > FREE else 0.0
            line[i] = r
            peak[i] = max(peak[i], abs(r * inv))


@njit(cache=True, nogil=True, error_model="numpy")
def restrict(first, last, coarse, c, source, inverse, low, high, full, group, share):
    """Volume-weighted mean of the residual in every coarse voxel
    of rows first to last; returns the largest |r inverse|.

    group (axis, n) first fine index, share (axis, n) part of the coarse volume.
    """
    ny, nx, width = coarse.shape[1], coarse.shape[2], c.shape[2]
    most = max(PIECE // (3 * width), 1)  # rows of the coarse level at a time; three rows at most are merged into one
    lines, total, peak = np.empty(3 * most * width), np.empty((most, width)), np.zeros(width)
    row = first
    while row < last:
        kc = row // ny
        jc = row - kc * ny
        rows = min(most, ny - jc, last - row)
        total[:rows] = 0.0
        top = group[1, jc]
        for k in range(group[2, kc], group[2, kc + 1]):
            residual_rows(
                lines,
                peak,
                c,
                k * c.shape[1] + top,
                k * c.shape[1] + group[1, jc + rows],
                source,
                inverse,
                low,
                high,
                full,
            )
            for r in range(rows):
                for j in range(group[1, jc + r], group[1, jc + r + 1]):
                    w, at = share[2, k] * share[1, j], (j - top) * width
                    for i in range(width):
                        total[r, i] += w * lines[at + i]
        for r in range(rows):
            for i in range(nx):
                s = 0.0
                for m in range(group[0, i], group[0, i + 1]):
                    s += share[0, m] * total[r, m]
                coarse[kc, jc + r, i] = s
        row += rows
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
