"""Rows of the seven-point stencil over a level of voxels.

Per voxel, with c_m its six neighbors:   total c - sum_m coupling_m c_m = source,   total = sink + sum_m coupling_m + edges

Couplings are per volume (1/min). Two layouts: `line` (level, 3, n) when D is one number (couplings depend on the index along
their axis alone and stay in cache), `full` (6, z, y, x) when D varies in space or the fluid flows.
Every loop takes its rows from first to last, so threads can share a level; no result depends on how many there are.
"""

from __future__ import annotations

import numpy as np
from numba import njit

HELD = 1e-200  # inverse diagonal of a fixed voxel: so stiff that neighbors do not move it
FREE = 1e-190  # inverse diagonals above this belong to free voxels


@njit(cache=True, nogil=True, error_model="numpy")
def _gather_line(out, c, k, j, source, low, high):
    """out (x) = source + sum of couplings times neighbors, row j of plane k; low, high (axis, n) 1/min."""
    nz, ny, nx = c.shape
    here = c[k, j]
    south, north = c[k, max(j - 1, 0)], c[k, min(j + 1, ny - 1)]
    below, above = c[max(k - 1, 0), j], c[min(k + 1, nz - 1), j]
    ls, ln, lb, la = low[1, j], high[1, j], low[2, k], high[2, k]
    s = source[k, j]
    if nx == 1:
        out[0] = s[0] + ls * south[0] + ln * north[0] + lb * below[0] + la * above[0]
        return
    lw, le = low[0], high[0]
    left, right = here[:-2], here[2:]
    out[0] = s[0] + le[0] * here[1] + ls * south[0] + ln * north[0] + lb * below[0] + la * above[0]
    inner, si, so, no, be, ab = out[1:-1], s[1:-1], south[1:-1], north[1:-1], below[1:-1], above[1:-1]
    wi, ei = lw[1:nx - 1], le[1:nx - 1]
    if nz > 1:
        for i in range(nx - 2):
            inner[i] = si[i] + wi[i] * left[i] + ei[i] * right[i] + ls * so[i] + ln * no[i] + lb * be[i] + la * ab[i]
    else:
        for i in range(nx - 2):
            inner[i] = si[i] + wi[i] * left[i] + ei[i] * right[i] + ls * so[i] + ln * no[i]
    e = nx - 1
    out[e] = s[e] + lw[e] * here[e - 1] + ls * south[e] + ln * north[e] + lb * below[e] + la * above[e]


@njit(cache=True, nogil=True, error_model="numpy")
def _gather_full(out, c, k, j, source, full):
    """The same with couplings full (6, z, y, x) 1/min in the order of the faces; they are zero at the walls."""
    nz, ny, nx = c.shape
    here, s = c[k, j], source[k, j]
    south, north = c[k, max(j - 1, 0)], c[k, min(j + 1, ny - 1)]
    below, above = c[max(k - 1, 0), j], c[min(k + 1, nz - 1), j]
    ls, ln, lb, la = full[2, k, j], full[3, k, j], full[4, k, j], full[5, k, j]
    for i in range(nx):
        out[i] = s[i] + ls[i] * south[i] + ln[i] * north[i] + lb[i] * below[i] + la[i] * above[i]
    west, east = full[0, k, j], full[1, k, j]
    for i in range(nx - 1):
        out[i + 1] += west[i + 1] * here[i]
    for i in range(nx - 1):
        out[i] += east[i] * here[i + 1]


@njit(cache=True, nogil=True, error_model="numpy")
def _gather(out, c, k, j, source, low, high, full):
    if full.shape[1] > 0:
        _gather_full(out, c, k, j, source, full)
    else:
        _gather_line(out, c, k, j, source, low, high)


@njit(cache=True, nogil=True, error_model="numpy")
def relax(first, last, new, c, source, inverse, weight, low, high, full):
    """One damped Jacobi sweep over rows: new = c + weight inverse (source - A c), all (z, y, x)."""
    ny = c.shape[1]
    keep = 1.0 - weight
    for row in range(first, last):
        k, j = row // ny, row % ny
        out, here, inv = new[k, j], c[k, j], inverse[k, j]
        _gather(out, c, k, j, source, low, high, full)
        for i in range(out.shape[0]):
            out[i] = keep * here[i] + weight * inv[i] * out[i]


@njit(cache=True, nogil=True, error_model="numpy")
def residual_row(out, peak, c, k, j, source, inverse, low, high, full):
    """out (x) = source - A c of one row, zero in fixed voxels; peak (x) keeps the largest |out inverse| of its column."""
    here, inv = c[k, j], inverse[k, j]
    _gather(out, c, k, j, source, low, high, full)
    for i in range(out.shape[0]):
        r = out[i] - here[i] / inv[i]
        r = r if inv[i] > FREE else 0.0
        out[i] = r
        peak[i] = max(peak[i], abs(r * inv[i]))


@njit(cache=True, nogil=True, error_model="numpy")
def restrict(first, last, coarse, c, source, inverse, low, high, full, group, share):
    """Volume-weighted mean of the residual in every coarse voxel of rows first to last; returns the largest |r inverse|."""
    ny, nx = coarse.shape[1], coarse.shape[2]
    line, total, peak = np.empty(c.shape[2]), np.empty(c.shape[2]), np.zeros(c.shape[2])
    gx, sx = group[0], share[0]
    for row in range(first, last):
        kc, jc = row // ny, row % ny
        total[:] = 0.0
        for k in range(group[2, kc], group[2, kc + 1]):
            for j in range(group[1, jc], group[1, jc + 1]):
                residual_row(line, peak, c, k, j, source, inverse, low, high, full)
                w = share[2, k] * share[1, j]
                for i in range(total.shape[0]):
                    total[i] += w * line[i]
        out = coarse[kc, jc]
        for i in range(nx):
            s = 0.0
            for m in range(gx[i], gx[i + 1]):
                s += sx[m] * total[m]
            out[i] = s
    return peak.max()


@njit(cache=True, nogil=True, error_model="numpy")
def prolong(first, last, c, coarse, near, other, near_weight, other_weight):
    """Add the multilinear interpolation of the coarse correction; returns its largest magnitude."""
    ny, nx = c.shape[1], c.shape[2]
    line, peak = np.empty(coarse.shape[2]), np.zeros(nx)
    ax, bx, wa, wb = near[0, :nx], other[0, :nx], near_weight[0, :nx], other_weight[0, :nx]
    for row in range(first, last):
        k, j = row // ny, row % ny
        w = near_weight[2, k] * near_weight[1, j]
        a = coarse[near[2, k], near[1, j]]
        for i in range(line.shape[0]):
            line[i] = w * a[i]
        for kk, jj, w in ((other[2, k], near[1, j], other_weight[2, k] * near_weight[1, j]),
                          (near[2, k], other[1, j], near_weight[2, k] * other_weight[1, j]),
                          (other[2, k], other[1, j], other_weight[2, k] * other_weight[1, j])):
            if w != 0.0:
                a = coarse[kk, jj]
                for i in range(line.shape[0]):
                    line[i] += w * a[i]
        here = c[k, j]
        for i in range(nx):
            e = wa[i] * line[ax[i]] + wb[i] * line[bx[i]]
            here[i] += e
            peak[i] = max(peak[i], abs(e))
    return peak.max()
