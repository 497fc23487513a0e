"""Geometric multigrid for  rate c + demand c + capacity c / (K + c) - div(D grad c - u c) = source.

One V(2,2) cycle: two damped Jacobi sweeps whose dampings are the roots of a Chebyshev polynomial, the residual averaged
to the next level, its correction interpolated back, two sweeps again; the last level is one voxel and exact. Saturable
uptake is linearised anew (Newton) before every cycle. Where cycles stagnate, generalised conjugate residuals take over
with the cycle as preconditioner. Where sinks outweigh couplings in every voxel (slow diffusion, short steps), a sweep
alone is as good as a cycle and no level is built. The solved field is nowhere negative where no source is, and is
scaled, within the tolerance, so that the fluxes of the whole box balance: time steps conserve mass whatever the
tolerance. What is even in most of a closed box is solved at once, before the first cycle: an even field stays even. The
same bytes come out for any number of threads."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numba.extending import overload, register_jitable

from ..threads import over_rows
from .hierarchy import NOTHING, Hierarchy, Levels
from .level import books, coarsen, cut_at_zero, first_sweep, hold, hold_equations, linearise, residual, scaled, totals
from .stencil import prolong, relax, restrict

MEMORY = 4  # directions that conjugate residuals keep
CYCLE = 0.2  # a cycle is not trusted to leave less of the error than this
CIRCLES = 8  # so many cycles without a smaller correction than ever before go in circles
STAGNANT = 0.6  # a cycle that leaves more of the error than this is not worth repeating
# couplings that make less than this share of every voxel's equation leave less than that of the error after a sweep
ALONE = 0.1
SAMPLE = 101  # voxels that tell whether most of a box is even
EVEN = 1e-3  # quartiles this near, as a share of the median, are even

START = (-1.0, 0.0, math.inf, math.inf, CYCLE, True, 0, 0, 0)  # progress before the first correction, see _advance
both = register_jitable(error_model="numpy")  # runs interpreted and compiled


class Equations(NamedTuple):
    """One factor's equations while they are solved: `value` is changed in place.

    What is decorated with `both` is one source for two ways of running it. Where no level is worth sharing among
    threads, a whole solve is one compiled call (_in_one_call): calls from Python cost more than the loops over small
    levels. Else Python steers, and shares the rows of the levels above `top` among threads. Both ways give the same
    bytes."""

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


def _over(loop, x, threads, arguments):
    """Run a loop over the rows of x; returns the largest of what its pieces return."""
    return max(over_rows(loop, x.shape[0] * x.shape[1], threads, *arguments, each=x.shape[2]))


@overload(_over, inline="always")
def _over_compiled(loop, x, threads, arguments):
    return lambda loop, x, threads, arguments: loop(0, x.shape[0] * x.shape[1], *arguments)


@both
def _at(flat, level, levels):
    """(z, y, x) of a level of an array that is flat over all of them."""
    shape = levels.shape
    return flat[levels.offset[level] : levels.offset[level + 1]].reshape(
        shape[level, 0], shape[level, 1], shape[level, 2]
    )


@both
def _couplings(level, levels):
    """low, high (axis, n) and full (6, z, y, x), or empty, of a level."""
    full, shape = levels.full, levels.shape
    if full.size == 0:
        return levels.low[level], levels.high[level], full.reshape(6, 0, 0, 0)
    six = full[6 * levels.offset[level] : 6 * levels.offset[level + 1]]
    return levels.low[level], levels.high[level], six.reshape(6, shape[level, 0], shape[level, 1], shape[level, 2])


@both
def _prepare(e, newton):
    """Sink, right-hand side and inverse diagonal of the finest level, with the fixed voxels; returns whether each voxel
    is as good as alone."""
    sink, right, inverse = _at(e.sink, 0, e.levels), _at(e.right, 0, e.levels), _at(e.inverse, 0, e.levels)
    coupled = _over(
        linearise,
        e.value,
        e.threads,
        (
            e.value,
            e.source,
            e.inflow,
            e.rate,
            e.demand,
            e.capacity,
            e.michaelis,
            newton,
            sink,
            right,
            inverse,
            _at(e.levels.total, 0, e.levels),
        ),
    )
    hold_equations(e.sink, e.right, e.inverse, e.fixed, e.held)
    return coupled < ALONE


@both
def _coarsen_all(e):
    """Sinks and inverse diagonals of all levels below the finest, each from the one above it."""
    levels = e.levels
    for level in range(1, len(levels.shape)):
        coarse, above = _at(e.sink, level, levels), level - 1
        _over(
            coarsen,
            coarse,
            e.threads,
            (
                coarse,
                _at(e.inverse, level, levels),
                _at(e.sink, above, levels),
                levels.group[above],
                levels.share[above],
                _at(levels.total, above, levels),
                _at(levels.total, level, levels),
            ),
        )


@both
def _cycle(e, value, held, first, last):
    """V(2,2) cycle on value (z, y, x), that of the finest level, in place: over the levels first to last, and all below
    last.

    Returns the larger of the largest correction and the largest Jacobi residual of the finest level: about the error
    before."""
    levels, rough = e.levels, 0.0
    for level in range(first, last):
        x = value if level == 0 else _at(e.guess, level, levels)
        y, b, inverse = _at(e.scratch, level, levels), _at(e.right, level, levels), _at(e.inverse, level, levels)
        low, high, full = _couplings(level, levels)
        if level == 0:
            _over(relax, x, e.threads, (y, x, b, inverse, levels.weight[level, 0], low, high, full))
        else:
            _over(first_sweep, x, e.threads, (y, b, inverse, levels.weight[level, 0]))
        _over(relax, x, e.threads, (x, y, b, inverse, levels.weight[level, 1], low, high, full))
        coarse = _at(e.right, level + 1, levels)
        peak = _over(
            restrict,
            coarse,
            e.threads,
            (coarse, x, b, inverse, low, high, full, levels.group[level], levels.share[level]),
        )
        if level == 0:
            rough = peak
    if last < len(levels.shape) - 1:
        rough = max(rough, _below(e, value, held, last))
    elif last > 0:
        at = levels.offset[last]
        e.guess[at] = e.right[at] * e.inverse[at]
    else:
        value[0, 0, 0] = e.right[0] * e.inverse[0]
    for level in range(last - 1, first - 1, -1):
        x = value if level == 0 else _at(e.guess, level, levels)
        y, b, inverse = _at(e.scratch, level, levels), _at(e.right, level, levels), _at(e.inverse, level, levels)
        low, high, full = _couplings(level, levels)
        peak = _over(
            prolong,
            x,
            e.threads,
            (
                x,
                _at(e.guess, level + 1, levels),
                levels.near[level],
                levels.other[level],
                levels.near_weight[level],
                levels.other_weight[level],
            ),
        )
        if level == 0:
            rough = max(rough, peak)
            hold(x, e.fixed, held)
        _over(relax, x, e.threads, (y, x, b, inverse, levels.weight[level, 1], low, high, full))
        _over(relax, x, e.threads, (x, y, b, inverse, levels.weight[level, 0], low, high, full))
    return rough


_cycle_small = njit(cache=True, nogil=True, error_model="numpy")(_cycle)


def _below(e, value, held, first):
    """The part of an interpreted cycle that is one compiled call."""
    return _cycle_small(e, value, held, first, len(e.levels.shape) - 1)


@overload(_below)
def _below_compiled(e, value, held, first):
    return lambda e, value, held, first: 0.0  # a compiled cycle goes down to the last level itself


@both
def _sweep(e):
    """A plain lagged sweep of the finest level: it keeps the sign. Returns the largest change."""
    scratch = _at(e.scratch, 0, e.levels)
    _over(
        relax,
        e.value,
        e.threads,
        (scratch, e.value, _at(e.right, 0, e.levels), _at(e.inverse, 0, e.levels), 1.0, *_couplings(0, e.levels)),
    )
    change = _over(scaled, e.value, e.threads, (e.value, scratch, 1.0))
    hold(e.value, e.fixed, e.held)
    return change


@both
def _settle(e, prepared):
    """A last sweep, which balances the hungriest voxels, where a small error is a large flux."""
    if not e.drained:  # the solution is nowhere negative: cutting at zero brings the value closer to it
        _over(cut_at_zero, e.value, e.threads, (e.value,))
    if not prepared:
        _prepare(e, False)
    _sweep(e)


@both
def _improve(e, alone):
    """One sweep or one cycle; returns about the error before."""
    if alone:
        return _sweep(e)
    return _cycle(e, e.value, e.held, 0, e.top if e.top > 0 else len(e.levels.shape) - 1)


@both
def _weigh(e):
    """Sums over the box of residual, right-hand side, what enters, what is taken up; and the largest |value|."""
    rest, part = _at(e.scratch, 0, e.levels), np.zeros((e.value.shape[0] * e.value.shape[1], 4))
    sink, right, inverse = _at(e.sink, 0, e.levels), _at(e.right, 0, e.levels), _at(e.inverse, 0, e.levels)
    _over(residual, e.value, e.threads, (rest, e.value, right, inverse, *_couplings(0, e.levels)))
    largest = _over(books, e.value, e.threads, (part, rest, e.value, e.source, e.inflow, sink, right, inverse))
    net, driven, entered, taken = totals(part)
    return net, driven, entered, taken, largest


@both
def _advance(e, tolerance, most, progress):
    """Cycles until the estimated error is below tolerance, or until they stagnate.

    progress    size of the last correction (-1: none yet), of the one before and of the smallest, estimated error, last
                reduction, whether Newton's tangent is taken, how many cycles were poor and idle, cycles
    Then the fluxes of the whole box are balanced. Returns whether it came to an end, the flux imbalance, progress.
    """
    size, before, best, error, reduction, newton, poor, idle, cycles = progress
    saturable, prepared, alone = e.capacity.shape[0] > 0, False, False  # linear equations stay what they are
    while True:
        if size != -1.0:
            if saturable:
                _settle(e, False)
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
        if cycles >= most:
            break
        if saturable or not prepared:
            alone, prepared = _prepare(e, newton), True
            if not alone:
                _coarsen_all(e)
        if poor >= 2 and not alone:
            return False, 0.0, (size, before, best, error, reduction, newton, poor, idle, cycles)
        size = _improve(e, alone)
        cycles += 1
    prepared, net, turnover = prepared and not saturable, 0.0, 0.0
    for again in range(MEMORY + 1):
        if again > 0 or not saturable:
            _settle(e, prepared)
        if again == MEMORY:
            break
        if saturable or not prepared:
            alone, prepared = _prepare(e, True), not saturable
        net, driven, entered, taken, largest = _weigh(e)
        turnover = max(entered, taken)
        if e.fixed.shape[0] > 0 or driven <= 0.0:
            break
        if abs(net) * largest <= tolerance * driven:
            # the last correction is that of the whole box: what enters leaves or stays, to rounding
            _over(scaled, e.value, e.threads, (e.value, e.value, driven / (driven - net)))
            break
        if not alone:
            _coarsen_all(e)
        _improve(e, alone)
        cycles += 1
    imbalance = abs(net) / turnover if turnover > 0.0 else abs(net)
    return True, imbalance, (size, before, best, error, reduction, newton, poor, idle, cycles)


_in_one_call = njit(cache=True, nogil=True, error_model="numpy")(_advance)


def _conjugate(e: Equations, rounds: int, tolerance: float) -> tuple[float, float]:
    """Generalised conjugate residuals with the cycle as preconditioner; returns the sizes of the last and of all
    corrections.

    The right-hand side is overwritten.
    """
    value, right, inverse = e.value, _at(e.right, 0, e.levels), _at(e.inverse, 0, e.levels)

    def remain(out: np.ndarray, c: np.ndarray, source: np.ndarray) -> None:
        _over(residual, c, e.threads, (out, c, source, inverse, *_couplings(0, e.levels)))

    rest, empty = np.empty(value.shape), np.zeros(value.shape)
    kept: list[tuple[np.ndarray, np.ndarray, float]] = []
    remain(rest, value, right)
    start, still, size = value.copy(), np.zeros(len(e.fixed)), 0.0
    for _ in range(rounds):
        p, q = np.zeros(value.shape), np.empty(value.shape)
        right[...] = rest
        _cycle(e, p, still, 0, e.top)
        remain(q, p, empty)
        np.negative(q, out=q)
        for direction, image, norm in kept:
            share = (q * image).sum() / norm
            p -= share * direction
            q -= share * image
        norm = (q * q).sum()
        if norm == 0.0:
            break
        kept = [*kept, (p, q, norm)][-MEMORY + 1 :]
        length = (rest * q).sum() / norm
        step = length * p
        value += step
        rest -= length * q
        size = float(np.abs(step).max())
        if size < tolerance:
            break
    return size, float(np.abs(value - start).max())


def workspace(voxels: int) -> np.ndarray:
    """(5, voxels of all levels) scratch that solves of any factor on the grid may share."""
    return np.zeros((5, voxels))


NO_INDEX = np.empty(0, np.int64)
NO_VALUE = np.empty(0)


def solve(
    value: np.ndarray,
    source: np.ndarray,
    hierarchy: Hierarchy,
    *,
    rate: float,
    demand: np.ndarray,
    capacity: np.ndarray = NOTHING,
    michaelis: float = 1.0,
    outside: np.ndarray | None = None,
    fixed: np.ndarray = NO_INDEX,
    held: np.ndarray = NO_VALUE,
    tolerance: float = 1e-8,
    cycles: int = 60,
    drained: bool | None = None,
    work: np.ndarray | None = None,
    threads: int = 1,
) -> tuple[int, float, float, float]:
    """Solve in place from the present value (z, y, x); returns cycles, estimated error, last reduction, flux imbalance.

    The imbalance is what enters less what the sinks take up before the last correction, which removes it (where no
    voxel is fixed and it is within the tolerance), as a share of either.

    source (z, y, x) concentration/min; demand (z, y, x) 1/min; capacity (z, y, x) concentration/min or empty; rate
    1/min; outside (face) concentration; fixed, held (fixed): flat voxel numbers and values; tolerance concentration;
    drained: whether the solution may be below zero (default: where a source is).

    >>> from .hierarchy import build
    >>> shape = (1, 5, 20)
    >>> levels = build(shape, (10, 10, 10), 1e3, np.array([np.inf, np.inf, 0, 0, 0, 0]))
    >>> c = np.zeros(shape)
    >>> _ = solve(c, np.zeros(shape), levels, rate=0.0, demand=np.zeros(shape), outside=np.array([0, 20.0, 0, 0, 0, 0]))
    >>> np.round(c[0, 0, :3], 6).tolist()
    [0.5, 1.5, 2.5]
    """
    if hierarchy.closed and len(fixed) == 0 and not capacity.any():
        _solve_the_even_part(value, source, rate, demand)
    if work is None:
        work = workspace(sum(hierarchy.voxels))
    if drained is None:
        drained = bool((source < 0.0).any())
    inflow = hierarchy.inflow(np.zeros(6) if outside is None else outside)
    sink, right, inverse, guess, scratch = work
    top = hierarchy.top(threads)
    e = Equations(
        value,
        source,
        inflow,
        float(rate),
        demand,
        capacity,
        float(michaelis),
        fixed,
        held,
        drained,
        sink,
        right,
        inverse,
        guess,
        scratch,
        hierarchy.levels,
        top,
        threads,
    )
    hold(value, fixed, held)
    advance = _advance if top > 0 else _in_one_call
    done, imbalance, progress = advance(e, float(tolerance), cycles, START)
    while not done:
        last, whole = _conjugate(e, 8, tolerance)
        # saturable equations change with the value: all of it was one Newton step
        size = whole if len(capacity) else last
        _, *others, count = progress
        done, imbalance, progress = advance(e, float(tolerance), cycles, (size, *others, count + 8))
    return progress[8], progress[3], progress[4], imbalance


def _solve_the_even_part(value: np.ndarray, source: np.ndarray, rate: float, demand: np.ndarray) -> None:
    """Where most of a closed box is even, scale the guess so that the equations hold there: cycles would leave an
    uneven error."""
    step = max(1, value.size // SAMPLE)
    level = []
    for array in (value, source, demand):
        some = np.sort(array.reshape(-1)[::step])
        quarter, middle = len(some) // 4, float(some[len(some) // 2])
        if some[-1 - quarter] - some[quarter] > EVEN * abs(middle):
            return
        level.append(middle)
    guess, enters, sink = level[0], level[1], rate + level[2]
    if sink > 0.0 and enters > 0.0:
        if guess > 0.0:
            value *= enters / sink / guess
        elif guess == 0.0:
            value += enters / sink
