"""Geometric multigrid for  rate c + demand c + capacity c / (K + c) - div(D grad c - u c) = source.

One V(2,2) cycle: two damped Jacobi sweeps whose dampings are the roots of a Chebyshev polynomial, the residual averaged to
the next level, its correction interpolated back, two sweeps again; the last level is one voxel and exact. Saturable uptake is
linearised anew (Newton) before every cycle. Where cycles stagnate, generalised conjugate residuals take over with the cycle as
preconditioner. The solved field is nowhere negative where no source is, and is scaled, within the tolerance, so that the fluxes
of the whole box balance: time steps conserve mass whatever the tolerance. The same bytes come out for any number of threads.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, prange

from .hierarchy import Hierarchy
from .stencil import FREE, HELD, PARALLEL_FROM, prolong, relax, residual_row, restrict

MEMORY = 4  # directions that conjugate residuals keep
CYCLE = 0.2  # a cycle is not trusted to leave less of the error than this
STAGNANT = 0.6  # a cycle that leaves more of the error than this is not worth repeating


@njit(cache=True, nogil=True, error_model="numpy")
def _level(flat, level, shape, offset):
    return flat[offset[level]:offset[level + 1]].reshape(shape[level, 0], shape[level, 1], shape[level, 2])


@njit(cache=True, nogil=True, error_model="numpy")
def _full(flat, level, shape, offset):
    if flat.size == 0:
        return flat.reshape(6, 0, 0, 0)
    return flat[6 * offset[level]:6 * offset[level + 1]].reshape(6, shape[level, 0], shape[level, 1], shape[level, 2])


@njit(cache=True, nogil=True, error_model="numpy")
def _between(out, k, j, level, tables):
    """out (x) 1/min = all couplings and edges of a row: the diagonal without the sink."""
    shape, offset, low, high, edge, full, full_edge = (tables[0], tables[1], tables[2], tables[3], tables[4], tables[12],
                                                       tables[13])
    n = out.shape[0]
    if full.size > 0:
        six = _full(full, level, shape, offset)
        out[:] = _level(full_edge, level, shape, offset)[k, j]
        for m in range(6):
            one = six[m, k, j]
            for i in range(n):
                out[i] += one[i]
    else:
        yz = (low[level, 1, j] + high[level, 1, j] + edge[level, 1, j]
              + low[level, 2, k] + high[level, 2, k] + edge[level, 2, k])
        lx, hx, ex = low[level, 0], high[level, 0], edge[level, 0]
        for i in range(n):
            out[i] = lx[i] + hx[i] + ex[i] + yz


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def _linearise(value, source, inflow, rate, demand, capacity, michaelis, newton, sink, right, inverse, tables):
    """Sink 1/min, right-hand side and inverse diagonal of the finest level, linearised at value.

    Newton: capacity c/(K+c) is replaced by its tangent; below zero by the tangent at zero, so the sink stays positive.
    Lagged (newton False): by capacity c / (K + c_now), slower but never overshooting.
    """
    nz, ny, nx = value.shape
    saturable = capacity.shape[0] > 0
    for row in prange(nz * ny):
        k, j = row // ny, row % ny
        total = np.empty(nx)
        _between(total, k, j, 0, tables)
        s, b, inv = sink[k, j], right[k, j], inverse[k, j]
        given, enter, need = source[k, j], inflow[k, j], demand[k, j]
        for i in range(nx):
            s[i] = rate + need[i]
            b[i] = given[i] + enter[i]
        if saturable:
            most, c = capacity[k, j], value[k, j]
            for i in range(nx):
                level = max(c[i], 0.0)
                part = 1.0 / (michaelis + level)
                slope = most[i] * part
                if newton:
                    s[i] += slope * michaelis * part
                    b[i] -= slope * level * level * part
                else:
                    s[i] += slope
        for i in range(nx):
            inv[i] = 1.0 / (s[i] + total[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _coarsen_sinks(sink, inverse, tables):
    """Sink and inverse diagonal of every coarser level.

    A voxel can take no more than reaches it: its sink acts in series with its couplings, k G / (k + G). A fixed voxel or a
    very hungry cell is thus seen on the next level with the strength it really has.
    """
    shape, offset, group, share = tables[0], tables[1], tables[5], tables[6]
    for level in range(1, shape.shape[0]):
        fine, coarse = _level(sink, level - 1, shape, offset), _level(sink, level, shape, offset)
        inv = _level(inverse, level, shape, offset)
        if fine.size < PARALLEL_FROM:
            for row in range(coarse.shape[0] * coarse.shape[1]):
                _coarsen_row(row, coarse, inv, fine, level, group[level - 1], share[level - 1], tables)
        else:
            _coarsen_threads(coarse, inv, fine, level, group[level - 1], share[level - 1], tables)


@njit(cache=True, nogil=True, error_model="numpy")
def _coarsen_row(row, coarse, inv, fine, level, group, share, tables):
    kc, jc = row // coarse.shape[1], row % coarse.shape[1]
    total, line = np.empty(fine.shape[2]), np.zeros(fine.shape[2])
    for k in range(group[2, kc], group[2, kc + 1]):
        for j in range(group[1, jc], group[1, jc + 1]):
            _between(total, k, j, level - 1, tables)
            w, s = share[2, k] * share[1, j], fine[k, j]
            for i in range(line.shape[0]):
                line[i] += w * s[i] * total[i] / (s[i] + total[i])
    out = coarse[kc, jc]
    between = np.empty(out.shape[0])
    _between(between, kc, jc, level, tables)
    for i in range(out.shape[0]):
        mean = 0.0
        for m in range(group[0, i], group[0, i + 1]):
            mean += share[0, m] * line[m]
        out[i] = mean
        inv[kc, jc, i] = 1.0 / (mean + between[i])


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def _coarsen_threads(coarse, inv, fine, level, group, share, tables):
    for row in prange(coarse.shape[0] * coarse.shape[1]):
        _coarsen_row(row, coarse, inv, fine, level, group, share, tables)


@njit(cache=True, nogil=True, error_model="numpy")
def cycle(value, right, inverse, guess, scratch, fixed, held, tables):
    """One V(2,2) cycle on value (z, y, x) in place; right, inverse, guess, scratch are flat over all levels.

    Returns the larger of the largest correction and the largest Jacobi residual: about the error before the cycle.
    """
    shape, offset, low, high, group, share = tables[0], tables[1], tables[2], tables[3], tables[5], tables[6]
    near, other, near_weight, other_weight, weight, full = (tables[7], tables[8], tables[9], tables[10], tables[11], tables[12])
    last = shape.shape[0] - 1
    rough = 0.0
    for level in range(last):
        x = value if level == 0 else _level(guess, level, shape, offset)
        y, b = _level(scratch, level, shape, offset), _level(right, level, shape, offset)
        inv, six = _level(inverse, level, shape, offset), _full(full, level, shape, offset)
        if level == 0:
            relax(y, x, b, inv, weight[level, 0], low[level], high[level], six)
        else:
            yf, bf, inf = y.reshape(-1), b.reshape(-1), inv.reshape(-1)
            w = weight[level, 0]
            for i in range(yf.shape[0]):
                yf[i] = w * inf[i] * bf[i]
        relax(x, y, b, inv, weight[level, 1], low[level], high[level], six)
        peak = restrict(_level(right, level + 1, shape, offset), x, b, inv, low[level], high[level], six, group[level],
                        share[level])
        if level == 0:
            rough = peak
    if last > 0:
        guess[offset[last]] = right[offset[last]] * inverse[offset[last]]
    else:
        value[0, 0, 0] = right[0] * inverse[0]
    for level in range(last - 1, -1, -1):
        x = value if level == 0 else _level(guess, level, shape, offset)
        y, b = _level(scratch, level, shape, offset), _level(right, level, shape, offset)
        inv, six = _level(inverse, level, shape, offset), _full(full, level, shape, offset)
        peak = prolong(x, _level(guess, level + 1, shape, offset), near[level], other[level], near_weight[level],
                       other_weight[level])
        if level == 0:
            rough = max(rough, peak)
            flat = x.reshape(-1)
            for m in range(fixed.shape[0]):
                flat[fixed[m]] = held[m]
        relax(y, x, b, inv, weight[level, 1], low[level], high[level], six)
        relax(x, y, b, inv, weight[level, 0], low[level], high[level], six)
    return rough


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def _residual(out, c, source, inverse, low, high, full):
    """out (z, y, x) = source - A c."""
    nz, ny, nx = c.shape
    for row in prange(nz * ny):
        residual_row(out[row // ny, row % ny], np.zeros(nx), c, row // ny, row % ny, source, inverse, low, high, full)


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def _cut(value, source, inflow):
    """Without negative sources the solution is nowhere negative: cutting at zero brings the value closer to it."""
    nz, ny, nx = value.shape
    negative = np.zeros(nz * ny, np.bool_)
    for row in prange(nz * ny):
        given, enter = source[row // ny, row % ny], inflow[row // ny, row % ny]
        for i in range(nx):
            negative[row] |= given[i] + enter[i] < 0.0
    if not negative.any():
        for row in prange(nz * ny):
            c = value[row // ny, row % ny]
            for i in range(nx):
                c[i] = max(c[i], 0.0)


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def _balance(rest, value, source, inflow, sink, right, inverse):
    """Sums over free voxels, in a fixed order: rest, right, what enters (source and inflow), what sinks take up."""
    nz, ny, nx = value.shape
    part = np.zeros((nz * ny, 4))
    for row in prange(nz * ny):
        k, j = row // ny, row % ny
        r, c, given, enter, s, b, inv = rest[k, j], value[k, j], source[k, j], inflow[k, j], sink[k, j], right[k, j], inverse[k, j]
        for i in range(nx):
            if inv[i] > FREE:
                part[row, 0] += r[i]
                part[row, 1] += b[i]
                part[row, 2] += given[i] + enter[i]
                part[row, 3] += s[i] * c[i] - b[i] + given[i] + enter[i]
    total = np.zeros(4)
    for row in range(nz * ny):
        total += part[row]
    return total


@njit(cache=True, nogil=True, error_model="numpy", parallel=True)
def _dot(a, b):
    """Sum of products: partial sums of equal rows, then one after another."""
    n = a.shape[0]
    pieces = (n + 1023) // 1024
    part = np.zeros(pieces)
    for p in prange(pieces):
        s = 0.0
        for i in range(p * 1024, min(n, p * 1024 + 1024)):
            s += a[i] * b[i]
        part[p] = s
    total = 0.0
    for p in range(pieces):
        total += part[p]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _conjugate(value, right, inverse, guess, scratch, fixed, tables, rounds, tolerance):
    """Generalised conjugate residuals with the cycle as preconditioner; returns the sizes of the last and of all corrections."""
    shape, offset, low, high, full = tables[0], tables[1], tables[2], tables[3], tables[12]
    n = offset[1]
    six = _full(full, 0, shape, offset)
    inv = _level(inverse, 0, shape, offset)
    rest, empty = np.empty(value.shape), np.zeros(value.shape)
    direction, image = np.zeros((MEMORY, n)), np.zeros((MEMORY, n))
    norm = np.zeros(MEMORY)
    _residual(rest, value, _level(right, 0, shape, offset), inv, low[0], high[0], six)
    still = np.zeros(fixed.shape[0])
    flat, left = value.reshape(-1), rest.reshape(-1)
    start = flat.copy()
    size = 0.0
    for step in range(rounds):
        slot = step % MEMORY
        p, q = direction[slot], image[slot]
        p[:] = 0.0
        right[:n] = left
        cycle(p.reshape(value.shape), right, inverse, guess, scratch, fixed, still, tables)
        _residual(q.reshape(value.shape), p.reshape(value.shape), empty, inv, low[0], high[0], six)
        for i in range(n):
            q[i] = -q[i]
        for m in range(MEMORY):
            if m != slot and norm[m] > 0.0:
                share = _dot(q, image[m]) / norm[m]
                for i in range(n):
                    p[i] -= share * direction[m, i]
                    q[i] -= share * image[m, i]
        norm[slot] = _dot(q, q)
        if norm[slot] == 0.0:
            break
        length = _dot(left, q) / norm[slot]
        size = 0.0
        for i in range(n):
            flat[i] += length * p[i]
            left[i] -= length * q[i]
            size = max(size, abs(length * p[i]))
        if size < tolerance:
            break
    return size, np.abs(flat - start).max()


@njit(cache=True, nogil=True, error_model="numpy")
def _prepare(value, source, inflow, rate, demand, capacity, michaelis, newton, fixed, held, work, tables):
    """Sink, right-hand side and inverse diagonal of the finest level, with the fixed voxels."""
    shape, offset = tables[0], tables[1]
    sink, right, inverse = work[0], work[1], work[2]
    _linearise(value, source, inflow, rate, demand, capacity, michaelis, newton, _level(sink, 0, shape, offset),
               _level(right, 0, shape, offset), _level(inverse, 0, shape, offset), tables)
    for m in range(fixed.shape[0]):
        sink[fixed[m]] = 1.0 / HELD
        inverse[fixed[m]] = HELD
        right[fixed[m]] = held[m] / HELD


@njit(cache=True, nogil=True, error_model="numpy")
def _settle(value, source, inflow, rate, demand, capacity, michaelis, fixed, held, work, tables):
    """A plain lagged sweep: it keeps the sign, and balances the hungriest voxels, where a small error is a large flux."""
    shape, offset = tables[0], tables[1]
    right, inverse, scratch = work[1], work[2], work[4]
    _cut(value, source, inflow)
    _prepare(value, source, inflow, rate, demand, capacity, michaelis, False, fixed, held, work, tables)
    new = _level(scratch, 0, shape, offset)
    relax(new, value, _level(right, 0, shape, offset), _level(inverse, 0, shape, offset), 1.0, tables[2][0], tables[3][0],
          _full(tables[12], 0, shape, offset))
    value[:] = new
    flat = value.reshape(-1)
    for m in range(fixed.shape[0]):
        flat[fixed[m]] = held[m]


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(value, source, inflow, rate, demand, capacity, michaelis, fixed, held, tolerance, most, work, tables):
    """Cycles until the estimated error is below tolerance; returns (cycles, error, last reduction, flux imbalance)."""
    shape, offset = tables[0], tables[1]
    sink, right, inverse, guess, scratch = work[0], work[1], work[2], work[3], work[4]
    flat = value.reshape(-1)
    for m in range(fixed.shape[0]):
        flat[fixed[m]] = held[m]
    before, error, reduction, newton, poor = 0.0, math.inf, CYCLE, True, 0
    cycles = 0
    saturable = capacity.shape[0] > 0
    while cycles < most:
        if saturable or cycles == 0 or poor >= 2:  # conjugate residuals overwrite the right-hand side
            _prepare(value, source, inflow, rate, demand, capacity, michaelis, newton, fixed, held, work, tables)
            if saturable or cycles == 0:
                _coarsen_sinks(sink, inverse, tables)
        if poor < 2:
            size = cycle(value, right, inverse, guess, scratch, fixed, held, tables)
            cycles += 1
        else:
            last, whole = _conjugate(value, right, inverse, guess, scratch, fixed, tables, 8, tolerance)
            size = whole if saturable else last  # the equations change with the value: all of it was one Newton step
            cycles += 8
        if saturable:
            _settle(value, source, inflow, rate, demand, capacity, michaelis, fixed, held, work, tables)
        if before > 0.0:
            reduction = min(max(size / before, CYCLE), 0.99)
            newton = size < 1.5 * before  # an overshooting tangent is followed by a lagged step
            poor = poor + 1 if size > STAGNANT * before else 0 if poor < 2 else poor
        before = size
        error = size * reduction / (1.0 - reduction)
        if error <= tolerance:
            break
    if not saturable:
        _settle(value, source, inflow, rate, demand, capacity, michaelis, fixed, held, work, tables)
    rest, b, inv = _level(scratch, 0, shape, offset), _level(right, 0, shape, offset), _level(inverse, 0, shape, offset)
    low, high, six = tables[2][0], tables[3][0], _full(tables[12], 0, shape, offset)
    _prepare(value, source, inflow, rate, demand, capacity, michaelis, True, fixed, held, work, tables)
    _residual(rest, value, b, inv, low, high, six)
    net, driven, entered, taken = _balance(rest, value, source, inflow, _level(sink, 0, shape, offset), b, inv)
    if fixed.shape[0] == 0 and driven > 0.0 and abs(net) * np.abs(flat).max() <= tolerance * driven:
        # the last correction is that of the whole box: what enters leaves or stays, to rounding
        flat *= driven / (driven - net)
    turnover = max(entered, taken)
    return cycles, error, reduction, abs(net) / turnover if turnover > 0.0 else abs(net)


def workspace(voxels: int) -> np.ndarray:
    """(5, voxels of all levels) scratch that solves of any factor on the grid may share."""
    return np.zeros((5, voxels))


NOTHING = np.empty((0, 0, 0))
NO_INDEX = np.empty(0, np.int64)
NO_VALUE = np.empty(0)


def solve(value: np.ndarray, source: np.ndarray, hierarchy: Hierarchy, *, rate: float, demand: np.ndarray,
          capacity: np.ndarray = NOTHING, michaelis: float = 1.0, outside: np.ndarray | None = None,
          fixed: np.ndarray = NO_INDEX, held: np.ndarray = NO_VALUE, tolerance: float = 1e-8, cycles: int = 60,
          work: np.ndarray | None = None) -> tuple[int, float, float, float]:
    """Solve in place from the present value (z, y, x); returns cycles, estimated error, last reduction, flux imbalance.

    The imbalance is what enters less what the sinks take up before the last correction, which removes it (where no voxel is
    fixed and it is within the tolerance), as a share of either.

    source (z, y, x) concentration/min; demand (z, y, x) 1/min; capacity (z, y, x) concentration/min or empty; rate 1/min;
    outside (face) concentration; fixed, held (fixed): flat voxel numbers and values; tolerance concentration.

    >>> from .hierarchy import build
    >>> shape = (1, 5, 20)
    >>> levels = build(shape, (10, 10, 10), 1e3, np.array([np.inf, np.inf, 0, 0, 0, 0]))
    >>> c = np.zeros(shape)
    >>> _ = solve(c, np.zeros(shape), levels, rate=0.0, demand=np.zeros(shape), outside=np.array([0, 20.0, 0, 0, 0, 0]))
    >>> np.round(c[0, 0, :3], 6).tolist()
    [0.5, 1.5, 2.5]
    """
    if work is None:
        work = workspace(int(hierarchy.offset[-1]))
    inflow = hierarchy.inflow(np.zeros(6) if outside is None else outside)
    return _solve(value, source, inflow, float(rate), demand, capacity, float(michaelis), fixed, held, float(tolerance), cycles,
                  work, hierarchy.tables)
