"""One cycle of the multigrid, down to the last level and up again, and the single sweeps around it.

What is decorated with `both` is one source for two ways of running it. Where no level is worth sharing among threads, a
whole solve is one compiled call (see multigrid.py): calls from Python cost more than the loops over small levels. Else
Python steers, and shares the rows of the levels above `top` among threads. Both ways give the same bytes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numba.extending import overload, register_jitable

from ..threads import over_rows
from .hierarchy import Levels
from .level import books, coarsen, cut_at_zero, first_sweep, hold, hold_equations, linearise, residual, scaled, totals
from .stencil import prolong, relax, restrict

# couplings that make less than this share of every voxel's equation leave less than that of the error after a sweep
ALONE = 0.1
both = register_jitable(error_model="numpy")  # runs interpreted and compiled


class Equations(NamedTuple):
    """One factor's equations while they are solved: `value` is changed in place."""

    value: np.ndarray
    source: np.ndarray
    inflow: np.ndarray
    rate: float
    demand: np.ndarray
    capacity: np.ndarray
    michaelis: float
    fixed: np.ndarray
    held: np.ndarray
    drained: bool  # a source is negative: so may be the solution
    sink: np.ndarray  # this and what follows: flat over all levels
    right: np.ndarray
    inverse: np.ndarray
    guess: np.ndarray
    scratch: np.ndarray
    levels: Levels
    top: int
    threads: int


def over(loop, x, threads, arguments):
    """Run a loop over the rows of x; returns the largest of what its pieces return."""
    return max(over_rows(loop, x.shape[0] * x.shape[1], threads, *arguments, each=x.shape[2]))


@overload(over, inline="always")
def _over_compiled(loop, x, threads, arguments):
    return lambda loop, x, threads, arguments: loop(0, x.shape[0] * x.shape[1], *arguments)


@both
def at(flat, level, levels):
    """(z, y, x) of a level of an array that is flat over all of them."""
    shape = levels.shape
    own = flat[levels.offset[level] : levels.offset[level + 1]]
    return own.reshape(shape[level, 0], shape[level, 1], shape[level, 2])


@both
def couplings(level, levels):
    """low, high (axis, n) and full (6, z, y, x), or empty, of a level."""
    full, shape = levels.full, levels.shape
    if full.size == 0:
        return levels.low[level], levels.high[level], full.reshape(6, 0, 0, 0)
    six = full[6 * levels.offset[level] : 6 * levels.offset[level + 1]]
    return levels.low[level], levels.high[level], six.reshape(6, shape[level, 0], shape[level, 1], shape[level, 2])


@both
def prepare(e, newton):
    """Sink, right-hand side and inverse diagonal of the finest level, with the fixed voxels; returns whether each voxel
    is as good as alone."""
    sink, right, inverse = at(e.sink, 0, e.levels), at(e.right, 0, e.levels), at(e.inverse, 0, e.levels)
    given = (e.value, e.source, e.inflow, e.rate, e.demand, e.capacity, e.michaelis, newton)
    coupled = over(linearise, e.value, e.threads, (*given, sink, right, inverse, at(e.levels.total, 0, e.levels)))
    hold_equations(e.sink, e.right, e.inverse, e.fixed, e.held)
    return coupled < ALONE


@both
def coarsen_all(e):
    """Sinks and inverse diagonals of all levels below the finest, each from the one above it."""
    levels = e.levels
    for level in range(1, len(levels.shape)):
        above, coarse, inverse = level - 1, at(e.sink, level, levels), at(e.inverse, level, levels)
        merged, total = (levels.group[above], levels.share[above]), at(levels.total, level, levels)
        finer = (at(e.sink, above, levels), *merged, at(levels.total, above, levels))
        over(coarsen, coarse, e.threads, (coarse, inverse, *finer, total))


@both
def cycle(e, value, held, first, last):
    """V(2,2) cycle on value (z, y, x), that of the finest level,
    in place: over the levels first to last, and all below last.

    Returns the larger of the largest correction and the largest
    Jacobi residual of the finest level: about the error before."""
    levels, rough = e.levels, 0.0
    for level in range(first, last):
        x = value if level == 0 else at(e.guess, level, levels)
        y, b, inverse = at(e.scratch, level, levels), at(e.right, level, levels), at(e.inverse, level, levels)
        low, high, full = couplings(level, levels)
        if level == 0:
            over(relax, x, e.threads, (y, x, b, inverse, levels.weight[level, 0], low, high, full))
        else:
            over(first_sweep, x, e.threads, (y, b, inverse, levels.weight[level, 0]))
        over(relax, x, e.threads, (x, y, b, inverse, levels.weight[level, 1], low, high, full))
        coarse = at(e.right, level + 1, levels)
        merged = (levels.group[level], levels.share[level])
        peak = over(restrict, coarse, e.threads, (coarse, x, b, inverse, low, high, full, *merged))
        if level == 0:
            rough = peak
    if last < len(levels.shape) - 1:
        rough = max(rough, _below(e, value, held, last))
    elif last > 0:
        one = levels.offset[last]
        e.guess[one] = e.right[one] * e.inverse[one]
    else:
        value[0, 0, 0] = e.right[0] * e.inverse[0]
    for level in range(last - 1, first - 1, -1):
        x = value if level == 0 else at(e.guess, level, levels)
        y, b, inverse = at(e.scratch, level, levels), at(e.right, level, levels), at(e.inverse, level, levels)
        low, high, full = couplings(level, levels)
        near, other = levels.near[level], levels.other[level]
        weights = (levels.near_weight[level], levels.other_weight[level])
        peak = over(prolong, x, e.threads, (x, at(e.guess, level + 1, levels), near, other, *weights))
        if level == 0:
            rough = max(rough, peak)
            hold(x, e.fixed, held)
        over(relax, x, e.threads, (y, x, b, inverse, levels.weight[level, 1], low, high, full))
        over(relax, x, e.threads, (x, y, b, inverse, levels.weight[level, 0], low, high, full))
    return rough


_cycle_small = njit(cache=True, nogil=True, error_model="numpy")(cycle)


def _below(e, value, held, first):
    """The part of an interpreted cycle that is one compiled call."""
    return _cycle_small(e, value, held, first, len(e.levels.shape) - 1)


@overload(_below)
def _below_compiled(e, value, held, first):
    return lambda e, value, held, first: 0.0  # a compiled cycle goes down to the last level itself


@both
def sweep(e):
    """A plain lagged sweep of the finest level: it keeps the sign. Returns the largest change."""
    scratch, right, inverse = at(e.scratch, 0, e.levels), at(e.right, 0, e.levels), at(e.inverse, 0, e.levels)
    over(relax, e.value, e.threads, (scratch, e.value, right, inverse, 1.0, *couplings(0, e.levels)))
    change = over(scaled, e.value, e.threads, (e.value, scratch, 1.0))
    hold(e.value, e.fixed, e.held)
    return change


@both
def settle(e, prepared):
    """A last sweep, which balances the hungriest voxels, where a small error is a large flux."""
    if not e.drained:  # the solution is nowhere negative: cutting at zero brings the value closer to it
        over(cut_at_zero, e.value, e.threads, (e.value,))
    if not prepared:
        prepare(e, False)
    sweep(e)


@both
def improve(e, alone):
    """One sweep or one cycle; returns about the error before."""
    if alone:
        return sweep(e)
    return cycle(e, e.value, e.held, 0, e.top if e.top > 0 else len(e.levels.shape) - 1)


@both
def weigh(e):
    """Sums over the box of residual, right-hand side, what enters, what is taken up; and the largest |value|."""
    rest, part = at(e.scratch, 0, e.levels), np.zeros((e.value.shape[0] * e.value.shape[1], 4))
    sink, right, inverse = at(e.sink, 0, e.levels), at(e.right, 0, e.levels), at(e.inverse, 0, e.levels)
    over(residual, e.value, e.threads, (rest, e.value, right, inverse, *couplings(0, e.levels)))
    largest = over(books, e.value, e.threads, (part, rest, e.value, e.source, e.inflow, sink, right, inverse))
    net, driven, entered, taken = totals(part)
    return net, driven, entered, taken, largest
