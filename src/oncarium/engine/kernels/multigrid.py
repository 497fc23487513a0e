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
from numba import njit

from ..threads import over_rows, shared
from .hierarchy import Hierarchy
from .stencil import FREE, HELD, prolong, relax, residual_row, restrict

MEMORY = 4  # directions that conjugate residuals keep
CYCLE = 0.2  # a cycle is not trusted to leave less of the error than this
CIRCLES = 8  # so many cycles without a smaller correction than ever before go in circles
STAGNANT = 0.6  # a cycle that leaves more of the error than this is not worth repeating


@njit(cache=True, nogil=True, error_model="numpy")
def _level(flat, level, shape, offset):
    return flat[offset[level]:offset[level + 1]].reshape(shape[level, 0], shape[level, 1], shape[level, 2])


@njit(cache=True, nogil=True, error_model="numpy")
def _full(flat, level, shape, offset):
    if flat.size == 0:
        return flat.reshape(6, 0, 0, 0)
    return flat[6 * offset[level]:6 * offset[level + 1]].reshape(6, shape[level, 0], shape[level, 1], shape[level, 2])


@njit(inline="always", error_model="numpy")
def _between(out, k, j, low, high, edge, full, full_edge):
    """out (x) 1/min = all couplings and edges of a row: the diagonal without the sink. low, high, edge (axis, n) of a level."""
    if full.shape[1] > 0:
        for i in range(out.shape[0]):
            out[i] = (full_edge[k, j, i] + full[0, k, j, i] + full[1, k, j, i] + full[2, k, j, i] + full[3, k, j, i]
                      + full[4, k, j, i] + full[5, k, j, i])
    else:
        yz = low[1, j] + high[1, j] + edge[1, j] + low[2, k] + high[2, k] + edge[2, k]
        for i in range(out.shape[0]):
            out[i] = low[0, i] + high[0, i] + edge[0, i] + yz


@njit(cache=True, nogil=True, error_model="numpy")
def _of_level(level, tables):
    """What _between takes of a level."""
    shape, offset, full, full_edge = tables[0], tables[1], tables[12], tables[13]
    edges = full_edge[offset[level]:offset[level + 1]] if full_edge.size > 0 else full_edge
    boxed = edges.reshape(shape[level, 0], shape[level, 1], shape[level, 2]) if full_edge.size > 0 else edges.reshape(0, 0, 0)
    return tables[2][level], tables[3][level], tables[4][level], _full(full, level, shape, offset), boxed


@njit(cache=True, nogil=True, error_model="numpy")
def _linearise(first, last, value, source, inflow, rate, demand, capacity, michaelis, newton, sink, right, inverse, tables):
    """Sink 1/min, right-hand side and inverse diagonal of the finest level, linearised at value.

    Newton: capacity c/(K+c) is replaced by its tangent; below zero by the tangent at zero, so the sink stays positive.
    Lagged (newton False): by capacity c / (K + c_now), slower but never overshooting. Returns the least that enters a voxel.
    """
    ny, nx = value.shape[1], value.shape[2]
    saturable = capacity.shape[0] > 0
    low, high, edge, full, full_edge = _of_level(0, tables)
    total, least = np.empty(nx), np.full(nx, np.inf)
    for row in range(first, last):
        k = row // ny
        j = row - k * ny
        _between(total, k, j, low, high, edge, full, full_edge)
        for i in range(nx):
            sink[k, j, i] = rate + demand[k, j, i]
            enter = source[k, j, i] + inflow[k, j, i]
            right[k, j, i] = enter
            least[i] = min(least[i], enter)
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
            inverse[k, j, i] = 1.0 / (sink[k, j, i] + total[i])
    return least.min()


@njit(cache=True, nogil=True, error_model="numpy")
def _coarsen(first, last, coarse, inverse, fine, level, tables):
    """Sink and inverse diagonal of a coarser level.

    A voxel can take no more than reaches it: its sink acts in series with its couplings, k G / (k + G). A fixed voxel or a
    very hungry cell is thus seen on the next level with the strength it really has.
    """
    group, share = tables[5][level - 1], tables[6][level - 1]
    low, high, edge, full, full_edge = _of_level(level - 1, tables)
    low2, high2, edge2, full2, full_edge2 = _of_level(level, tables)
    total, line, between = np.empty(fine.shape[2]), np.empty(fine.shape[2]), np.empty(coarse.shape[2])
    for row in range(first, last):
        kc = row // coarse.shape[1]
        jc = row - kc * coarse.shape[1]
        for i in range(line.shape[0]):
            line[i] = 0.0
        for k in range(group[2, kc], group[2, kc + 1]):
            for j in range(group[1, jc], group[1, jc + 1]):
                _between(total, k, j, low, high, edge, full, full_edge)
                w = share[2, k] * share[1, j]
                for i in range(line.shape[0]):
                    line[i] += w * fine[k, j, i] * total[i] / (fine[k, j, i] + total[i])
        _between(between, kc, jc, low2, high2, edge2, full2, full_edge2)
        for i in range(coarse.shape[2]):
            mean = 0.0
            for m in range(group[0, i], group[0, i + 1]):
                mean += share[0, m] * line[m]
            coarse[kc, jc, i] = mean
            inverse[kc, jc, i] = 1.0 / (mean + between[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _coarsen_from(top, sink, inverse, tables):
    """Every level below `top`."""
    shape, offset = tables[0], tables[1]
    for level in range(top + 1, shape.shape[0]):
        coarse = _level(sink, level, shape, offset)
        _coarsen(0, coarse.shape[0] * coarse.shape[1], coarse, _level(inverse, level, shape, offset),
                 _level(sink, level - 1, shape, offset), level, tables)


@njit(cache=True, nogil=True, error_model="numpy")
def _hold(value, fixed, held):
    flat = value.reshape(-1)
    for m in range(fixed.shape[0]):
        flat[fixed[m]] = held[m]


@njit(cache=True, nogil=True, error_model="numpy")
def _cycle_from(top, value, right, inverse, guess, scratch, fixed, held, tables):
    """V(2,2) cycle over the level `top` and all below it; value (z, y, x) is that of the finest level.

    Returns the larger of the largest correction and the largest Jacobi residual: about the error before the cycle.
    """
    shape, offset, low, high, group, share = tables[0], tables[1], tables[2], tables[3], tables[5], tables[6]
    near, other, near_weight, other_weight, weight, full = (tables[7], tables[8], tables[9], tables[10], tables[11], tables[12])
    last = shape.shape[0] - 1
    rough = 0.0
    for level in range(top, last):
        x = value if level == 0 else _level(guess, level, shape, offset)
        y, b = _level(scratch, level, shape, offset), _level(right, level, shape, offset)
        inv, six = _level(inverse, level, shape, offset), _full(full, level, shape, offset)
        rows = x.shape[0] * x.shape[1]
        if level == 0:
            relax(0, rows, y, x, b, inv, weight[level, 0], low[level], high[level], six)
        else:
            yf, bf, inf = y.reshape(-1), b.reshape(-1), inv.reshape(-1)
            w = weight[level, 0]
            for i in range(yf.shape[0]):
                yf[i] = w * inf[i] * bf[i]
        relax(0, rows, x, y, b, inv, weight[level, 1], low[level], high[level], six)
        coarse = _level(right, level + 1, shape, offset)
        peak = restrict(0, coarse.shape[0] * coarse.shape[1], coarse, x, b, inv, low[level], high[level], six, group[level],
                        share[level])
        if level == 0:
            rough = peak
    if last > 0:
        guess[offset[last]] = right[offset[last]] * inverse[offset[last]]
    else:
        value[0, 0, 0] = right[0] * inverse[0]
    for level in range(last - 1, top - 1, -1):
        x = value if level == 0 else _level(guess, level, shape, offset)
        y, b = _level(scratch, level, shape, offset), _level(right, level, shape, offset)
        inv, six = _level(inverse, level, shape, offset), _full(full, level, shape, offset)
        rows = x.shape[0] * x.shape[1]
        peak = prolong(0, rows, x, _level(guess, level + 1, shape, offset), near[level], other[level], near_weight[level],
                       other_weight[level])
        if level == 0:
            rough = max(rough, peak)
            _hold(x, fixed, held)
        relax(0, rows, y, x, b, inv, weight[level, 1], low[level], high[level], six)
        relax(0, rows, x, y, b, inv, weight[level, 0], low[level], high[level], six)
    return rough


@njit(cache=True, nogil=True, error_model="numpy")
def _residual(first, last, out, c, source, inverse, low, high, full):
    """out (z, y, x) = source - A c."""
    ny, nx = c.shape[1], c.shape[2]
    line, peak = np.empty(nx), np.zeros(nx)
    for row in range(first, last):
        k = row // ny
        j = row - k * ny
        residual_row(line, peak, c, k, j, source, inverse, low, high, full)
        for i in range(nx):
            out[k, j, i] = line[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _books(first, last, part, rest, value, source, inflow, sink, right, inverse):
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


class _Equations:
    """One factor's equations while they are solved: `value` is changed in place.

    Large levels are shared among threads, row by row; the levels from `top` on are done in one call.
    """

    def __init__(self, value, source, inflow, rate, demand, capacity, michaelis, fixed, held, work, hierarchy, threads):
        self.value, self.source, self.inflow, self.rate, self.demand = value, source, inflow, rate, demand
        self.capacity, self.michaelis, self.fixed, self.held, self.threads = capacity, michaelis, fixed, held, threads
        self.flat, self.levels, self.tables, self.couplings = work, hierarchy, hierarchy.tables, hierarchy.couplings
        self.sink, self.right, self.inverse, _, self.scratch = work[:, :value.size].reshape(5, *value.shape)
        self.saturable, self.prepared, self.drained = capacity.shape[0] > 0, False, False
        self.top = sum(shared(voxels, threads) for voxels in hierarchy.voxels[:-1])

    def at(self, array: np.ndarray, level: int) -> np.ndarray:
        """(z, y, x) of a level of an array that is flat over all of them."""
        offset = self.levels.offset
        return array[offset[level]:offset[level + 1]].reshape(self.levels.shape[level])

    def over(self, loop, x: np.ndarray, *arguments) -> list:
        """A loop over the rows of x."""
        return over_rows(loop, x.shape[0] * x.shape[1], self.threads, *arguments, each=x.shape[2])

    def prepare(self, newton: bool = True) -> None:
        """Sink, right-hand side and inverse diagonal of the finest level, with the fixed voxels."""
        if self.prepared and not self.saturable:
            return  # linear equations stay what they are
        self.prepared = True
        least = self.over(_linearise, self.value, self.value, self.source, self.inflow, self.rate, self.demand, self.capacity, self.michaelis,
                          newton, self.sink, self.right, self.inverse, self.tables)
        self.drained = min(least) < 0.0
        if len(self.fixed):
            sink, right, inverse = self.flat[:3]
            sink[self.fixed], inverse[self.fixed], right[self.fixed] = 1.0 / HELD, HELD, self.held / HELD

    def coarsen(self) -> None:
        """Sinks and inverse diagonals of all coarser levels."""
        sink, inverse = self.flat[0], self.flat[2]
        for level in range(1, self.top + 1):
            coarse = self.at(sink, level)
            self.over(_coarsen, coarse, coarse, self.at(inverse, level), self.at(sink, level - 1), level, self.tables)
        _coarsen_from(self.top, sink, inverse, self.tables)

    def cycle(self, value: np.ndarray, held: np.ndarray) -> float:
        """One V(2,2) cycle on value in place; returns about the error before it, see _cycle_from."""
        _, right, inverse, guess, scratch = self.flat
        if self.top == 0:
            return _cycle_from(0, value, right, inverse, guess, scratch, self.fixed, held, self.tables)
        h, weight, rough = self.levels, self.levels.weight, 0.0
        for level in range(self.top):
            x, y = value if level == 0 else self.at(guess, level), self.at(scratch, level)
            b, inv, couplings = self.at(right, level), self.at(inverse, level), self.couplings[level]
            if level == 0:
                self.over(relax, x, y, x, b, inv, weight[level, 0], *couplings)
            else:
                np.multiply(inv, weight[level, 0], out=y)
                y *= b
            self.over(relax, x, x, y, b, inv, weight[level, 1], *couplings)
            coarse = self.at(right, level + 1)
            peaks = self.over(restrict, coarse, coarse, x, b, inv, *couplings, h.group[level], h.share[level])
            rough = max(peaks) if level == 0 else rough
        _cycle_from(self.top, value, right, inverse, guess, scratch, self.fixed, held, self.tables)
        for level in range(self.top - 1, -1, -1):
            x, y = value if level == 0 else self.at(guess, level), self.at(scratch, level)
            b, inv, couplings = self.at(right, level), self.at(inverse, level), self.couplings[level]
            peaks = self.over(prolong, x, x, self.at(guess, level + 1), h.near[level], h.other[level], h.near_weight[level],
                              h.other_weight[level])
            if level == 0:
                rough = max(rough, *peaks)
                _hold(x, self.fixed, held)
            self.over(relax, x, y, x, b, inv, weight[level, 1], *couplings)
            self.over(relax, x, x, y, b, inv, weight[level, 0], *couplings)
        return rough

    def residual(self, out: np.ndarray, c: np.ndarray, source: np.ndarray) -> None:
        """out (z, y, x) = source - A c."""
        self.over(_residual, c, out, c, source, self.inverse, *self.couplings[0])

    def conjugate(self, rounds: int, tolerance: float) -> tuple[float, float]:
        """Generalised conjugate residuals with the cycle as preconditioner; returns the sizes of the last and of all corrections."""
        rest, empty = np.empty(self.value.shape), np.zeros(self.value.shape)
        kept: list[tuple[np.ndarray, np.ndarray, float]] = []
        self.residual(rest, self.value, self.right)
        start, still, size = self.value.copy(), np.zeros(len(self.fixed)), 0.0
        self.prepared = False  # the right-hand side is overwritten
        for _ in range(rounds):
            p, q = np.zeros(self.value.shape), np.empty(self.value.shape)
            self.right[...] = rest
            self.cycle(p, still)
            self.residual(q, p, empty)
            np.negative(q, out=q)
            for direction, image, norm in kept:
                share = (q * image).sum() / norm
                p -= share * direction
                q -= share * image
            norm = (q * q).sum()
            if norm == 0.0:
                break
            kept = [*kept, (p, q, norm)][-MEMORY + 1:]
            length = (rest * q).sum() / norm
            step = length * p
            self.value += step
            rest -= length * q
            size = float(np.abs(step).max())
            if size < tolerance:
                break
        return size, float(np.abs(self.value - start).max())

    def settle(self) -> None:
        """A plain lagged sweep: it keeps the sign, and balances the hungriest voxels, where a small error is a large flux."""
        if not self.drained:  # the solution is nowhere negative: cutting at zero brings the value closer to it
            np.maximum(self.value, 0.0, out=self.value)
        self.prepare(newton=False)
        self.over(relax, self.value, self.scratch, self.value, self.right, self.inverse, 1.0, *self.couplings[0])
        self.value[...] = self.scratch
        _hold(self.value, self.fixed, self.held)

    def solve(self, tolerance: float, most: int) -> tuple[int, float, float, float]:
        """Cycles until the estimated error is below tolerance; returns (cycles, error, last reduction, flux imbalance)."""
        _hold(self.value, self.fixed, self.held)
        before, best, error, reduction, newton, poor, idle, cycles = 0.0, math.inf, math.inf, CYCLE, True, 0, 0, 0
        while cycles < most:
            self.prepare(newton)
            if self.saturable or cycles == 0:
                self.coarsen()
            if poor < 2:
                size = self.cycle(self.value, self.held)
                cycles += 1
            else:
                last, whole = self.conjugate(8, tolerance)
                size = whole if self.saturable else last  # the equations change with the value: all of it was one Newton step
                cycles += 8
            if self.saturable:
                self.settle()
            if before > 0.0:
                reduction = min(max(size / before, CYCLE), 0.99)
                newton = size < 1.5 * before  # an overshooting tangent is followed by a lagged step
                poor = poor + 1 if size > STAGNANT * before else 0 if poor < 2 else poor
                idle = 0 if size < best else idle + 1
                poor = 2 if idle > CIRCLES else poor
            before, best = size, min(size, best)
            error = size * reduction / (1.0 - reduction)
            if error <= tolerance:
                break
        if not self.saturable:
            self.settle()
        for _ in range(MEMORY):
            net, driven, entered, taken, largest = self.books()
            if len(self.fixed) or driven <= 0.0:
                break
            if abs(net) * largest <= tolerance * driven:
                # the last correction is that of the whole box: what enters leaves or stays, to rounding
                self.value *= driven / (driven - net)
                break
            if self.saturable:
                self.coarsen()
            self.cycle(self.value, self.held)
            cycles += 1
            self.settle()
        turnover = max(entered, taken)
        return cycles, error, reduction, abs(net) / turnover if turnover > 0.0 else abs(net)

    def books(self) -> tuple[float, ...]:
        """Sums over free voxels: residual, right-hand side, what enters, what sinks take up; then their largest |value|.

        Linearises at the present value.
        """
        self.prepare()
        self.residual(self.scratch, self.value, self.right)
        part = np.zeros((self.value.shape[0] * self.value.shape[1], 4))
        peaks = self.over(_books, self.value, part, self.scratch, self.value, self.source, self.inflow, self.sink, self.right, self.inverse)
        return (*part.sum(axis=0).tolist(), max(peaks))


def workspace(voxels: int) -> np.ndarray:
    """(5, voxels of all levels) scratch that solves of any factor on the grid may share."""
    return np.zeros((5, voxels))


NOTHING = np.empty((0, 0, 0))
NO_INDEX = np.empty(0, np.int64)
NO_VALUE = np.empty(0)


def solve(value: np.ndarray, source: np.ndarray, hierarchy: Hierarchy, *, rate: float, demand: np.ndarray,
          capacity: np.ndarray = NOTHING, michaelis: float = 1.0, outside: np.ndarray | None = None,
          fixed: np.ndarray = NO_INDEX, held: np.ndarray = NO_VALUE, tolerance: float = 1e-8, cycles: int = 60,
          work: np.ndarray | None = None, threads: int = 1) -> tuple[int, float, float, float]:
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
    return _Equations(value, source, inflow, float(rate), demand, capacity, float(michaelis), fixed, held, work, hierarchy,
                      threads).solve(float(tolerance), cycles)
