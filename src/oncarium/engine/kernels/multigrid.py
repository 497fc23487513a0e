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

import numpy as np
from numba import njit

from .cycle import Equations, at, both, coarsen_all, couplings, cycle, improve, over, prepare, settle, weigh
from .hierarchy import NOTHING, Hierarchy
from .level import hold, residual, scaled

MEMORY = 4  # directions that conjugate residuals keep
CYCLE = 0.2  # a cycle is not trusted to leave less of the error than this
CIRCLES = 8  # so many cycles without a smaller correction than ever before go in circles
STAGNANT = 0.6  # a cycle that leaves more of the error than this is not worth repeating
SAMPLE = 101  # voxels that tell whether most of a box is even
EVEN = 1e-3  # quartiles this near, as a share of the median, are even
VANISHED = 1e-280  # concentration x 1/min x voxels: below it nothing is balanced, for numbers end at 5e-324
NO_INDEX = np.empty(0, np.int64)
NO_VALUE = np.empty(0)

START = (-1.0, 0.0, math.inf, math.inf, CYCLE, True, 0, 0, 0)  # progress before the first correction, see _advance


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
                settle(e, False)
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
            alone, prepared = prepare(e, newton), True
            if not alone:
                coarsen_all(e)
        if poor >= 2 and not alone:
            return False, 0.0, (size, before, best, error, reduction, newton, poor, idle, cycles)
        size = improve(e, alone)
        cycles += 1
    prepared, net, turnover = prepared and not saturable, 0.0, 0.0
    for again in range(MEMORY + 1):
        if again > 0 or not saturable:
            settle(e, prepared)
        if again == MEMORY:
            break
        if saturable or not prepared:
            alone, prepared = prepare(e, True), not saturable
        net, driven, entered, taken, largest = weigh(e)
        turnover = max(entered, taken)
        if e.fixed.shape[0] > 0 or driven <= VANISHED:
            break
        if abs(net) * largest <= tolerance * driven:
            # the last correction is that of the whole box: what enters leaves or stays, to rounding
            over(scaled, e.value, e.threads, (e.value, e.value, driven / (driven - net)))
            break
        if not alone:
            coarsen_all(e)
        improve(e, alone)
        cycles += 1
    imbalance = abs(net) / turnover if turnover > 0.0 else abs(net)
    return True, imbalance, (size, before, best, error, reduction, newton, poor, idle, cycles)


_in_one_call = njit(cache=True, nogil=True, error_model="numpy")(_advance)


def _conjugate(e: Equations, rounds: int, tolerance: float) -> tuple[float, float]:
    """Generalised conjugate residuals with the cycle as preconditioner;
    returns the sizes of the last and of all corrections.

    The right-hand side is overwritten.
    """
    value, right, inverse = e.value, at(e.right, 0, e.levels), at(e.inverse, 0, e.levels)

    def remain(out: np.ndarray, c: np.ndarray, source: np.ndarray) -> None:
        over(residual, c, e.threads, (out, c, source, inverse, *couplings(0, e.levels)))

    rest, empty = np.empty(value.shape), np.zeros(value.shape)
    kept: list[tuple[np.ndarray, np.ndarray, float]] = []
    remain(rest, value, right)
    start, still, size = value.copy(), np.zeros(len(e.fixed)), 0.0
    for _ in range(rounds):
        p, q = np.zeros(value.shape), np.empty(value.shape)
        right[...] = rest
        cycle(e, p, still, 0, e.top)
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
    room, uptake = (sink, right, inverse, guess, scratch), (demand, capacity, float(michaelis))
    top = hierarchy.top(threads)
    e = Equations(
        value, source, inflow, float(rate), *uptake, fixed, held, drained, *room, hierarchy.levels, top, threads
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
    """Where most of a closed box is even, scale the guess so that
    the equations hold there: cycles would leave an uneven error."""
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
