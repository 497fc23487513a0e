"""Locally one-dimensional implicit diffusion, and exchange cell after cell: the numerics of PhysiCell.

One step solves, along x, then y, then z, the tridiagonal systems

    (1 + decay dt / dim) c_i + (D dt / h^2) sum_neighbors (c_i - c_j) = c_i(before)

with nothing passing the ends. Fixed voxels are set before each sweep and at the end, not inside the implicit solve; a
steady line between two fixed ends is therefore bent when D dt / h^2 is large. Use multigrid where that matters.

Source: Ghaffarizadeh et al. 2016 (DOI 10.1093/bioinformatics/btv730).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from ..threads import over_rows, shared
from .coupling import voxel_of
from .fma import fma

# rows swept together along x, so that vectors hold one voxel of each; the fastest from 4 to 32, and it divides 75 and
# 300
LANES = 15
SLAB = 1 << 17  # values a z sweep works on at a time (1 MB), to stay in cache


# fma: a product is added in one rounding, as PhysiCell's compilers do


@njit(cache=True)
def _pivots(coupling, sink, n, table):
    """Ratio to the next voxel, inverse pivot and pivot of one axis into table (3, n + 1)."""
    for i in range(n):
        pivot = 1.0
        if n > 1:
            pivot += coupling
            if 0 < i < n - 1:
                pivot += coupling
        pivot += sink
        if i > 0:
            pivot = fma(-coupling, table[0, i - 1], pivot)
        table[0, i] = coupling / pivot
        table[1, i] = 1.0 / pivot
        table[2, i] = pivot
    table[0, -1] = coupling


def coefficients(
    shape: Sequence[int], spacing: Sequence[float], diffusion: float, decay: float, dt: float
) -> np.ndarray:
    """Thomas coefficients (axis, 3, n): ratio to the next voxel,
    inverse pivot and pivot; the coupling in (axis, 0, -1).

    Axes in the order x, y, z; an axis of one voxel has no coupling.
    """
    counts = list(shape)[::-1]
    table = np.zeros((3, 3, max(counts) + 1))
    dimensions = 3 if counts[2] > 1 else 2
    for axis in range(dimensions):
        n = counts[axis]
        coupling = diffusion * dt / spacing[axis] / spacing[axis] if n > 1 else 0.0
        _pivots(coupling, decay * dt / dimensions, n, table[axis])
    return table


@njit(nogil=True, error_model="numpy", inline="always")
def _divided(a, pivot, inverse):
    """a / pivot, correctly rounded, from the inverse: two more
    roundings are cheaper than a division (Markstein 1990)."""
    q = a * inverse
    return fma(fma(-q, pivot, a), inverse, q)


@njit(cache=True, nogil=True, error_model="numpy")
def _impose(value, index, held):
    flat = value.reshape(-1)
    for m in range(index.shape[0]):
        flat[index[m]] = held[m]


@njit(nogil=True, error_model="numpy", inline="always")
def _sweep_some(plane, first, count, table, lanes):
    """Sweep `count` rows of a plane at once: taken into lanes (x, count) on the way there, put back on the way back."""
    nx = plane.shape[1]
    coupling, inverse, pivot = table[0, -1], table[1, 0], table[2, 0]
    for j in range(count):
        lanes[0, j] = _divided(plane[first + j, 0], pivot, inverse)
    for i in range(1, nx):
        inverse, pivot = table[1, i], table[2, i]
        for j in range(count):
            lanes[i, j] = _divided(fma(coupling, lanes[i - 1, j], plane[first + j, i]), pivot, inverse)
    for j in range(count):
        plane[first + j, nx - 1] = lanes[nx - 1, j]
    for i in range(nx - 2, -1, -1):
        ratio = table[0, i]
        for j in range(count):
            lanes[i, j] = fma(ratio, lanes[i + 1, j], lanes[i, j])
        for j in range(count):
            plane[first + j, i] = lanes[i, j]


@njit(cache=True, nogil=True, error_model="numpy")
def _sweep_x(plane, table, lanes):
    """Sweep the rows of a plane (y, x), LANES at once; lanes (x, LANES) is scratch."""
    ny = plane.shape[0]
    whole = ny - ny % LANES
    for first in range(0, whole, LANES):
        _sweep_some(plane, first, LANES, table, lanes)  # a count known to the compiler
    if whole < ny:
        _sweep_some(plane, whole, ny - whole, table, lanes)


@njit(cache=True, nogil=True, error_model="numpy")
def _sweep_rows(rows, table):
    """Sweep along the first axis of rows (n, m): every operation is a vector over m."""
    n, m = rows.shape
    coupling = table[0, -1]
    inverse, pivot = table[1, 0], table[2, 0]
    first = rows[0]
    for i in range(m):
        first[i] = _divided(first[i], pivot, inverse)
    for k in range(1, n):
        inverse, pivot = table[1, k], table[2, k]
        here, before = rows[k], rows[k - 1]
        for i in range(m):
            here[i] = _divided(fma(coupling, before[i], here[i]), pivot, inverse)
    for k in range(n - 2, -1, -1):
        ratio = table[0, k]
        here, after = rows[k], rows[k + 1]
        for i in range(m):
            here[i] = fma(ratio, after[i], here[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _plane(value, table, k, plane_start, index, held):
    """x then y sweep of plane k, with the plane's fixed voxels set before the y sweep."""
    lanes = np.zeros((value.shape[2], LANES))
    _sweep_x(value[k], table[0], lanes)
    flat = value.reshape(-1)
    for m in range(plane_start[k], plane_start[k + 1]):
        flat[index[m]] = held[m]
    _sweep_rows(value[k], table[1])


@njit(cache=True, nogil=True, error_model="numpy")
def _planes(first, last, value, table, plane_start, index, held):
    for k in range(first, last):
        _plane(value, table, k, plane_start, index, held)


@njit(cache=True, nogil=True, error_model="numpy")
def _column(value, table, first, last):
    """z sweep of the columns first to last of value seen as (z, y x), in a buffer that stays in cache."""
    nz, ny, nx = value.shape
    flat = value.reshape(nz, ny * nx)
    buffer = np.empty((nz, last - first))
    for k in range(nz):
        buffer[k] = flat[k, first:last]
    _sweep_rows(buffer, table)
    for k in range(nz):
        flat[k, first:last] = buffer[k]


@njit(cache=True, nogil=True, error_model="numpy")
def _columns(first, last, value, table, width):
    """z sweeps of slabs first to last, each of `width` columns."""
    many = value.shape[1] * value.shape[2]
    for b in range(first, last):
        _column(value, table, b * width, min(many, (b + 1) * width))


@njit(cache=True, nogil=True, error_model="numpy")
def _steps(value, table, plane_start, index, held, width, steps):
    for _ in range(steps):
        _impose(value, index, held)
        _planes(0, value.shape[0], value, table, plane_start, index, held)
        if value.shape[0] > 1:
            _impose(value, index, held)
            _columns(0, (value.shape[1] * value.shape[2] + width - 1) // width, value, table[2], width)
        _impose(value, index, held)


def lod_steps(value, table, plane_start, index, held, steps, threads=1):
    """Advance value (z, y, x) in place by `steps` equal steps;
    index (fixed) flat and sorted, held (fixed) concentration."""
    planes, columns = value.shape[0], value.shape[1] * value.shape[2]
    width = max(64, SLAB // planes)
    if planes == 1 or not shared(value.size, threads):
        _steps(value, table, plane_start, index, held, width, steps)
        return
    for _ in range(steps):
        _impose(value, index, held)
        over_rows(_planes, planes, threads, value, table, plane_start, index, held, each=columns)
        _impose(value, index, held)
        over_rows(_columns, (columns + width - 1) // width, threads, value, table[2], width, each=width * planes)
        _impose(value, index, held)


def plane_starts(index: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """First entry of each plane in a sorted list of flat voxel indices, (nz + 1)."""
    return np.searchsorted(index, np.arange(shape[0] + 1) * shape[1] * shape[2])


def lod_step(
    value: np.ndarray,
    dt: float,
    diffusion: float,
    decay: float,
    spacing: Sequence[float],
    index: np.ndarray | None = None,
    held: np.ndarray | None = None,
    steps: int = 1,
    threads: int = 1,
) -> None:
    """Advance value (z, y, x) in place by steps of dt min; index, held (fixed): flat voxel numbers and their values.

    >>> c = np.full((1, 3, 3), 2.0)
    >>> lod_step(c, 0.01, 1e3, 1.0, (20, 20, 20))
    >>> bool(np.allclose(c, 2.0 / (1 + 0.01 / 2) ** 2, rtol=1e-13))
    True
    """
    index = np.empty(0, np.int64) if index is None else np.asarray(index, np.int64)
    held = np.empty(0) if held is None else np.asarray(held, float)
    order = np.argsort(index, kind="stable")
    index, held = index[order], held[order]
    table = coefficients(value.shape, spacing, diffusion, decay, dt)
    lod_steps(value, table, plane_starts(index, value.shape), index, held, steps, threads)


@njit(cache=True, nogil=True, error_model="numpy")
def exchange(value, order, voxel, volume, secretion, uptake, target, export, internalised, lost, voxel_volume, dt):
    """Let cells secrete into and take up from their voxels, one after another.

        rho <- (rho + c1) / c2,  c1 = dt v S T,  c2 = 1 + dt v (S + U),  v = cell volume / voxel volume
        rho <- rho + dt E / voxel volume

    value (voxel) concentration, in place; order (cell) rows in id order; voxel (cell) flat numbers, -1 outside;
    volume (cell) um^3; secretion, uptake (cell) 1/min; target (cell) concentration; export (cell) concentration
    um^3/min; internalised (cell) concentration um^3, in place, and lost (cell), what its sum lost to rounding so far;
    voxel_volume um^3; dt min."""
    for m in range(order.shape[0]):
        i = order[m]
        at = voxel[i]
        if at < 0:
            continue
        share = dt * (volume[i] / voxel_volume)
        rho = value[at]
        after = (rho + share * secretion[i] * target[i]) / (1.0 + share * (secretion[i] + uptake[i]))
        value[at] = after + dt * export[i] / voxel_volume
        # compensated: a million small gains add up to the last digits
        gain = (rho - value[at]) * voxel_volume - lost[i]
        total = internalised[i] + gain
        lost[i] = (total - internalised[i]) - gain
        internalised[i] = total


@njit(cache=True, nogil=True, error_model="numpy")
def couple(
    order, inside, position, lower, spacing, shape, volume, secretion, uptake, target, export, per_amount, dt,
    voxel_volume,
):  # fmt: skip
    """What the cells do to their voxels in every step of dt,
    factor after factor and cell after cell in the given order.

    order (cell) rows; inside (cell); volume (cell) um^3; secretion, uptake (cell, factor) 1/min; target (cell, factor)
    concentration; export (cell, factor) amount/min; per_amount (factor) concentration um^3 per amount. Returns start
    (factor + 1), voxel, row, and four numbers of each entry: c1, c2, the amount (concentration um^3) and the
    concentration exported in a step; cells that do nothing have no entry."""
    n, factors = secretion.shape
    at = np.empty(n, np.int64)
    voxel_of(position, lower, spacing, shape, at)
    start = np.zeros(factors + 1, np.int64)
    voxel, row = np.empty(n * factors, np.int64), np.empty(n * factors, np.int64)
    numbers = np.empty((n * factors, 4))
    k = 0
    for f in range(factors):
        for i in order:
            s, u, e = secretion[i, f], uptake[i, f], export[i, f]
            if (s == 0.0 and u == 0.0 and e == 0.0) or not inside[i]:
                continue
            share = dt * volume[i] / voxel_volume
            voxel[k], row[k] = at[i], i
            numbers[k, 0] = s * target[i, f] * share
            numbers[k, 1] = fma(share, u, fma(share, s, 1.0))
            numbers[k, 2] = e * dt * per_amount[f]
            numbers[k, 3] = numbers[k, 2] / voxel_volume
            k += 1
        start[f + 1] = k
    return start, voxel[:k], row[:k], numbers[:k]


@njit(cache=True, nogil=True, error_model="numpy")
def _exchange_entries(value, first, last, voxel, row, numbers, factor, voxel_volume, internalised):
    """One exchange of the entries first to last with one factor's value
    (voxel); internalised (cell, factor), or no cell: not kept."""
    keep = internalised.shape[0] > 0
    for k in range(first, last):
        at = voxel[k]
        before, c1, c2 = value[at], numbers[k, 0], numbers[k, 1]
        value[at] = (before + c1) / c2 + numbers[k, 3]
        if keep:
            # the change of the field without losing the digits of a small difference
            internalised[row[k], factor] -= ((1.0 - c2) * before + c1) / c2 * voxel_volume
            internalised[row[k], factor] -= numbers[k, 2]


@njit(cache=True, nogil=True, error_model="numpy")
def diffuse_and_exchange(
    first_factor, last_factor, steps, values, still, tables, fixed, width, entries, voxel_volume, internalised,
):  # fmt: skip
    """`steps` steps of LOD, each followed by the exchange of all cells, for factors first_factor to last_factor.

    values (factor, z, y, x); still (factor): neither diffuses nor decays; tables (factor, axis, 2, n); plane_start
    (factor, z + 1) counts from fixed_start (factor + 1), where a factor's held voxels start in index and held; the
    others as `couple` gives them."""
    plane_start, fixed_start, index, held = fixed
    start, voxel, row, numbers = entries
    for f in range(first_factor, last_factor):
        value, table = values[f], tables[f]
        flat = value.reshape(-1)
        own_index, own_held = index[fixed_start[f] : fixed_start[f + 1]], held[fixed_start[f] : fixed_start[f + 1]]
        for _ in range(steps):
            if still[f]:
                _impose(value, own_index, own_held)
            else:
                _steps(value, table, plane_start[f], own_index, own_held, width, 1)
            _exchange_entries(flat, start[f], start[f + 1], voxel, row, numbers, f, voxel_volume, internalised)
