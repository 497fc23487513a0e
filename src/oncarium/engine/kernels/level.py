"""One level of the multigrid: what its equations are, their residual, and the sums of what enters and leaves.

Loops take their rows from first to last, as those of stencil.py do, and are shared among threads in the same way.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .stencil import FREE, HELD, residual_rows


@njit(cache=True, nogil=True, error_model="numpy")
def linearise(
    first, last, value, source, inflow, rate, demand, capacity, michaelis, newton, sink, right, inverse, total
):
    """Sink 1/min, right-hand side and inverse diagonal of the finest level, linearised at value.

    Newton: capacity c/(K+c) is replaced by its tangent; below zero by the tangent at
    zero, so the sink stays positive. Lagged (newton False): by capacity c / (K +
    c_now), slower but never overshooting. total: all couplings and edges of a voxel,
    1/min. Returns the largest share that they have in the diagonal of a voxel."""
    ny, nx = value.shape[1], value.shape[2]
    saturable = capacity.shape[0] > 0
    least = np.ones(nx)
    for row in range(first, last):
        k = row // ny
        j = row - k * ny
        for i in range(nx):
            sink[k, j, i] = rate + demand[k, j, i]
            right[k, j, i] = source[k, j, i] + inflow[k, j, i]
        if saturable:
            for i in range(nx):
                level = max(value[k, j, i], 0.0)
                part = 1.0 / (michaelis + level)
                slope = capacity[k, j, i] * part
                if newton:
                    sink[k, j, i] += slope * michaelis * part
                    right[k, j, i] -= slope * level * level * part
                else:
                    sink[k, j, i] += slope
        for i in range(nx):
            inverse[k, j, i] = 1.0 / (sink[k, j, i] + total[k, j, i])
            least[i] = min(least[i], sink[k, j, i] * inverse[k, j, i])
    return 1.0 - least.min()


@njit(cache=True, nogil=True, error_model="numpy")
def coarsen(first, last, coarse, inverse, fine, group, share, total, coarse_total):
    """Sink and inverse diagonal of a coarser level; totals of the
    finer and of this one: all couplings and edges of a voxel, 1/min.

    A voxel can take no more than reaches it: its sink acts in series with its couplings, k G / (k + G). A fixed voxel
    or a very hungry cell is thus seen on the next level with the strength it really has.
    """
    line = np.empty(fine.shape[2])
    for row in range(first, last):
        kc = row // coarse.shape[1]
        jc = row - kc * coarse.shape[1]
        for i in range(line.shape[0]):
            line[i] = 0.0
        for k in range(group[2, kc], group[2, kc + 1]):
            for j in range(group[1, jc], group[1, jc + 1]):
                w = share[2, k] * share[1, j]
                for i in range(line.shape[0]):
                    line[i] += w * fine[k, j, i] * total[k, j, i] / (fine[k, j, i] + total[k, j, i])
        for i in range(coarse.shape[2]):
            mean = 0.0
            for m in range(group[0, i], group[0, i + 1]):
                mean += share[0, m] * line[m]
            coarse[kc, jc, i] = mean
            inverse[kc, jc, i] = 1.0 / (mean + coarse_total[kc, jc, i])
    return 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def hold(value, fixed, held):
    """Put the fixed voxels (flat numbers) of value (z, y, x) to what they are held at."""
    flat = value.reshape(-1)
    for m in range(fixed.shape[0]):
        flat[fixed[m]] = held[m]


@njit(cache=True, nogil=True, error_model="numpy")
def hold_equations(sink, right, inverse, fixed, held):
    """Make the equations of the fixed voxels, flat over the finest
    level, so stiff that their solution is what they are held at."""
    for m in range(fixed.shape[0]):
        sink[fixed[m]], right[fixed[m]], inverse[fixed[m]] = 1.0 / HELD, held[m] / HELD, HELD


@njit(cache=True, nogil=True, error_model="numpy")
def first_sweep(first, last, new, source, inverse, weight):
    """The first sweep of _fall over a coarse level, whose correction starts at zero."""
    ny = new.shape[1]
    for row in range(first, last):
        k = row // ny
        j = row - k * ny
        for i in range(new.shape[2]):
            new[k, j, i] = weight * inverse[k, j, i] * source[k, j, i]
    return 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def cut_at_zero(first, last, value):
    """Raise what is below zero in rows of value (z, y, x) to zero."""
    ny = value.shape[1]
    for row in range(first, last):
        k = row // ny
        j = row - k * ny
        for i in range(value.shape[2]):
            value[k, j, i] = max(value[k, j, i], 0.0)
    return 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def scaled(first, last, value, other, factor):
    """value = factor other; returns the largest change."""
    ny, change = value.shape[1], np.zeros(value.shape[2])
    for row in range(first, last):
        k = row // ny
        j = row - k * ny
        for i in range(value.shape[2]):
            new = factor * other[k, j, i]
            change[i] = max(change[i], abs(new - value[k, j, i]))
            value[k, j, i] = new
    return change.max()


@njit(cache=True, nogil=True, error_model="numpy")
def residual(first, last, out, c, source, inverse, low, high, full):
    """out (z, y, x) = source - A c."""
    nx = c.shape[2]
    residual_rows(
        out.reshape(-1)[first * nx : last * nx], np.zeros(nx), c, first, last, source, inverse, low, high, full
    )
    return 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def books(first, last, part, rest, value, source, inflow, sink, right, inverse):
    """part (row, 4): sums over free voxels of rest, right, what enters (source and inflow), what sinks take up.

    Returns the largest |value| of them.
    """
    ny, nx = value.shape[1], value.shape[2]
    largest = 0.0
    for row in range(first, last):
        k = row // ny
        j = row - k * ny
        for i in range(nx):
            if inverse[k, j, i] > FREE:
                enter = source[k, j, i] + inflow[k, j, i]
                part[row, 0] += rest[k, j, i]
                part[row, 1] += right[k, j, i]
                part[row, 2] += enter
                part[row, 3] += sink[k, j, i] * value[k, j, i] - right[k, j, i] + enter
                largest = max(largest, abs(value[k, j, i]))
    return largest


@njit(cache=True, nogil=True, error_model="numpy")
def totals(part):
    """Sums over the rows of part (row, 4)."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    for row in range(part.shape[0]):
        a, b, c, d = a + part[row, 0], b + part[row, 1], c + part[row, 2], d + part[row, 3]
    return a, b, c, d
