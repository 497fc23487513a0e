"""Multigrid for many factors at once: those that share a mobility and the kind of their faces go through one cycle,
eight side by side (block.py). Each keeps its own rates, sources, uptake, held voxels and tolerance.

The equations, the order of what is done to them and the meaning of a result are those of multigrid.py; the cycle is
V(1,1) with sweeps of one color after the other, which leaves about as much of an error as two damped sweeps before and
behind. A lane that is done keeps its values while others go on, and no lane's numbers meet another's: what comes out
for a factor does not depend on which others are solved beside it, nor on threads."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from .block import (
    TILE,
    Block,
    at_least,
    books,
    coarsen,
    cycle,
    gather,
    hold,
    hold_equations,
    invert,
    scale,
    spill,
    sweep,
)  # fmt: skip
from .lanes import WIDTH, load, numbers, smaller, spread, store
from .mesh import Mesh, places
from .multigrid import CIRCLES, CYCLE, EVEN, MEMORY, SAMPLE, STAGNANT, VANISHED

NOWHERE = np.empty((0, 0))  # where there is no array over factors and voxels


class Equations(NamedTuple):
    """Of all factors (factor, voxel): rate c - div(D grad c - u c) + demand c + capacity c / (K + c) = source, with
    source = supply + carried value + inflow.

    value is changed in place; inflow, fixed (bool) and held may be empty; by factor: diffusion um^2/min, convection 1,
    rate and carried 1/min, michaelis (nan: no saturable uptake), tolerance concentration
    """

    value: np.ndarray
    supply: np.ndarray
    demand: np.ndarray
    capacity: np.ndarray
    inflow: np.ndarray
    fixed: np.ndarray
    held: np.ndarray
    diffusion: np.ndarray
    convection: np.ndarray
    rate: np.ndarray
    carried: np.ndarray
    michaelis: np.ndarray
    tolerance: np.ndarray


class Outcome(NamedTuple):
    """Of all factors: cycles, estimated error (concentration), imbalance of fluxes (1), whether it is solved: not where
    cycles stagnate or run out, a supply takes more than there is, or a number is not finite."""

    cycles: np.ndarray
    error: np.ndarray
    imbalance: np.ndarray
    solved: np.ndarray


def outcome(factors: int) -> Outcome:
    """Room for the outcome of so many factors."""
    return Outcome(np.zeros(factors, np.int64), np.zeros(factors), np.zeros(factors), np.zeros(factors, np.bool_))


def workspace(levels: Mesh) -> np.ndarray:
    """(4, place x lane) room for one block at a time."""
    return np.zeros((4, places(levels.shape)[1] * WIDTH))


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(block, e, rows, total, least):
    """Values, right-hand sides and sinks of the linear part. total, least (lane): of all numbers, which is finite if
    they are, and of the supplies."""
    start, voxels = block.mesh.first[0], e.value.shape[1]
    value, right, sink = numbers(block.value), numbers(block.right), numbers(block.sink)
    rate, carried = e.rate[rows], e.carried[rows]
    more, brought = load(numbers(rate), 0), load(numbers(carried), 0)
    everything, lowest = spread(0.0), spread(0.0)
    for first in range(0, voxels, TILE):
        last = min(first + TILE, voxels)
        gather(rows, first, last, start, e.value, block.value)
        gather(rows, first, last, start, e.supply, block.right)
        gather(rows, first, last, start, e.demand, block.sink)
        for p in range(start + first, start + last):
            own, source, taken = load(value, p), load(right, p), load(sink, p)
            everything = everything + own + source + taken
            lowest = smaller(lowest, source)
            store(right, p, source + brought * own)
            store(sink, p, taken + more)
    store(numbers(total), 0, everything)
    store(numbers(least), 0, lowest)
    if e.inflow.shape[0] > 0:
        for lane in range(WIDTH):
            for v in range(voxels):
                block.right[(start + v) * WIDTH + lane] += e.inflow[rows[lane], v]


@njit(cache=True, nogil=True, error_model="numpy")
def _linearise(block, e, f, lane, newton, at_first):
    """Sinks and right-hand sides of a lane with saturable uptake at its present value: by the tangent (newton), or
    lagged, as in level.linearise. at_first (voxel): the value that its source carries."""
    start, half, inflow = block.mesh.first[0], e.michaelis[f], e.inflow.shape[0] > 0
    for v in range(e.value.shape[1]):
        at = (start + v) * WIDTH + lane
        source = e.supply[f, v] + e.carried[f] * at_first[v]
        if inflow:
            source += e.inflow[f, v]
        level = max(block.value[at], 0.0)
        part = 1.0 / (half + level)
        slope = e.capacity[f, v] * part
        if newton:
            block.sink[at] = e.rate[f] + e.demand[f, v] + slope * half * part
            block.right[at] = source - slope * level * level * part
        else:
            block.sink[at] = e.rate[f] + e.demand[f, v] + slope
            block.right[at] = source


@njit(cache=True, nogil=True, error_model="numpy")
def _prepare(block, e, rows, saturable, newton):
    """Equations of the finest level at the present values. saturable, newton (lane)."""
    for lane in range(WIDTH):
        if saturable[lane] and block.on[lane] > 0.0:
            _linearise(block, e, rows[lane], lane, newton[lane], e.value[rows[lane]])
    invert(block)
    _hold(block, e, rows, True)


@njit(cache=True, nogil=True, error_model="numpy")
def _hold(block, e, rows, equations):
    if e.fixed.shape[0] > 0:
        for lane in range(WIDTH):
            f = rows[lane]
            hold(block, lane, e.fixed[f], e.held[f])
            if equations:
                hold_equations(block, lane, e.fixed[f], e.held[f])


@njit(cache=True, nogil=True, error_model="numpy")
def _middle(some):
    """Median of numbers that are even, else nan."""
    some.sort()
    quarter, middle = some.shape[0] // 4, some[some.shape[0] // 2]
    if some[some.shape[0] - 1 - quarter] - some[quarter] > EVEN * abs(middle):
        return math.nan
    return middle


@njit(cache=True, nogil=True, error_model="numpy")
def _solve_the_even_part(block, lane, voxels):
    """Where most of a closed box is even, scale the guess so that the equations hold there (see multigrid.py)."""
    step, start = max(1, voxels // SAMPLE), block.mesh.first[0]
    first, last = start * WIDTH + lane, (start + voxels) * WIDTH + lane
    guess = _middle(block.value[first : last : step * WIDTH].copy())
    if math.isnan(guess) or guess < 0.0:
        return
    enters, sink = (
        _middle(block.right[first : last : step * WIDTH].copy()),
        _middle(block.sink[first : last : step * WIDTH].copy()),
    )
    if enters > 0.0 and sink > 0.0:
        for at in range(first, last, WIDTH):
            if guess > 0.0:
                block.value[at] *= enters / sink / guess
            else:
                block.value[at] += enters / sink


@njit(cache=True, nogil=True, error_model="numpy")
def _examine(block, e, rows, count, closed, total, saturable, out):
    """What each lane is, before the first cycle; a lane that is not finite is emptied and left out."""
    start, voxels = block.mesh.first[0], e.value.shape[1]
    for lane in range(WIDTH):
        f = rows[lane]
        block.on[lane] = 1.0 if lane < count else 0.0
        saturable[lane], fixed = False, False
        if not math.isnan(e.michaelis[f]):
            for v in range(voxels):
                total[lane] += e.capacity[f, v]
                saturable[lane] |= e.capacity[f, v] != 0.0
        if e.fixed.shape[0] > 0:
            fixed = e.fixed[f].any()
        if not math.isfinite(total[lane]):
            for at in range(start * WIDTH + lane, (start + voxels) * WIDTH + lane, WIDTH):
                block.value[at] = block.right[at] = 0.0
                block.sink[at] = 1.0
            saturable[lane], block.on[lane] = False, 0.0
            out.solved[f] = False
        elif closed and not fixed and not saturable[lane] and lane < count:
            _solve_the_even_part(block, lane, voxels)


@njit(cache=True, nogil=True, error_model="numpy")
def solve(rows, e, levels, closed, work, most, out):
    """Solve the factors rows (at most eight) in place from their present values, with at most so many cycles; what
    becomes of them stands in out. One that is not solved keeps the value it had."""
    count, voxels = rows.shape[0], e.value.shape[1]
    lanes = np.empty(WIDTH, np.int64)
    for lane in range(WIDTH):
        lanes[lane] = rows[min(lane, count - 1)]
    active, ones, peak = np.zeros(WIDTH), np.ones(WIDTH), np.zeros(WIDTH)
    diffusion, convection = e.diffusion[lanes], e.convection[lanes]
    block = Block(levels, work[0], work[1], work[2], work[3], diffusion, convection, active)
    saturable, total, least = np.zeros(WIDTH, np.bool_), np.zeros(WIDTH), np.zeros(WIDTH)
    out.solved[rows] = True
    _fill(block, e, lanes, total, least)
    drained = least < 0.0
    _examine(block, e, lanes, count, closed, total, saturable, out)
    _hold(block, e, lanes, False)
    _cycles(block, e, lanes, saturable, drained, ones, peak, most, out)
    finite = True
    for lane in range(count):
        active[lane] = 1.0 if out.solved[lanes[lane]] else 0.0
        finite &= math.isfinite(out.error[lanes[lane]])
    _balance(block, e, lanes, saturable, drained, ones, peak, out)
    _hold(block, e, lanes, False)
    for lane in range(count):
        f = lanes[lane]
        if drained[lane] and out.solved[f]:
            for v in range(voxels):
                out.solved[f] &= work[0][(levels.first[0] + v) * WIDTH + lane] >= 0.0
    spill(rows, out.solved, levels.first[0], work[0], e.value)
    if not finite:
        work[:] = 0.0  # nothing of it may reach the next block


@njit(cache=True, nogil=True, error_model="numpy")
def _settle(block, e, rows, saturable, drained, which, fresh):
    """A last sweep of the lanes `which`, which balances the hungriest voxels, where a small error is a large flux."""
    least, keep = np.empty(WIDTH), block.on.copy()
    for lane in range(WIDTH):
        least[lane] = 0.0 if which[lane] > 0.0 and not drained[lane] else -math.inf
    at_least(block, least)
    block.on[:] = which
    if fresh and (saturable & (which > 0.0)).any():
        _prepare(block, e, rows, saturable, np.zeros(WIDTH, np.bool_))
    sweep(block, 0, which)
    block.on[:] = keep
    _hold(block, e, rows, False)


@njit(cache=True, nogil=True, error_model="numpy")
def _cycles(block, e, rows, saturable, drained, ones, peak, most, out):
    """Cycles of each lane until its estimated error is below its tolerance (see multigrid._advance)."""
    before, best, reduction = np.zeros(WIDTH), np.full(WIDTH, math.inf), np.full(WIDTH, CYCLE)
    newton, poor, idle = np.ones(WIDTH, np.bool_), np.zeros(WIDTH, np.int64), np.zeros(WIDTH, np.int64)
    bent, prepared = np.zeros(WIDTH), False
    cycles = 0
    while block.on.any():
        curved = (saturable & (block.on > 0.0)).any()
        if curved or not prepared:
            _prepare(block, e, rows, saturable, newton)
            coarsen(block)
            prepared = True
        cycle(block, ones, peak)
        cycles += 1
        _hold(block, e, rows, False)
        if curved:
            for lane in range(WIDTH):
                bent[lane] = block.on[lane] if saturable[lane] else 0.0
            _settle(block, e, rows, saturable, drained, bent, True)
        for lane in range(WIDTH):
            if block.on[lane] == 0.0:
                continue
            f, size = rows[lane], peak[lane]
            if before[lane] > 0.0:
                reduction[lane] = min(max(size / before[lane], CYCLE), 0.99)
                newton[lane] = size < 1.5 * before[lane]
                if size > STAGNANT * before[lane]:
                    poor[lane] += 1
                elif poor[lane] < 2:
                    poor[lane] = 0
                idle[lane] = 0 if size < best[lane] else idle[lane] + 1
                if idle[lane] > CIRCLES:
                    poor[lane] = 2
            before[lane], best[lane] = size, min(size, best[lane])
            out.error[f] = size * reduction[lane] / (1.0 - reduction[lane])
            out.cycles[f] = cycles
            if out.error[f] <= e.tolerance[f]:
                block.on[lane] = 0.0
            elif cycles >= most or poor[lane] >= 2 or not math.isfinite(size):
                block.on[lane] = 0.0
                out.solved[f] = False


@njit(cache=True, nogil=True, error_model="numpy")
def _balance(block, e, rows, saturable, drained, ones, peak, out):
    """Scale each lane that is on, within its tolerance, so that the fluxes of the whole box balance; cycle on where
    they are too far from it."""
    net, driven, used, top = np.zeros(WIDTH), np.zeros(WIDTH), np.zeros(WIDTH), np.zeros(WIDTH)
    factor, straight, newton = np.ones(WIDTH), np.zeros(WIDTH), np.ones(WIDTH, np.bool_)
    for again in range(MEMORY + 1):
        if not block.on.any():
            return
        for lane in range(WIDTH):
            straight[lane] = block.on[lane] if again > 0 or not saturable[lane] else 0.0
        if straight.any():
            _settle(block, e, rows, saturable, drained, straight, again > 0)
        if again == MEMORY:
            return
        if (saturable & (block.on > 0.0)).any():
            _prepare(block, e, rows, saturable, newton)
        books(block, net, driven, used, top)
        for lane in range(WIDTH):
            factor[lane] = 1.0
            if block.on[lane] == 0.0:
                continue
            f = rows[lane]
            entered = _entered(block, e, f, saturable[lane], driven[lane])
            turnover = max(entered, used[lane] - driven[lane] + entered)
            out.imbalance[f] = abs(net[lane]) / turnover if turnover > 0.0 else abs(net[lane])
            held = e.fixed.shape[0] > 0 and e.fixed[f].any()
            if held or driven[lane] <= VANISHED:
                block.on[lane] = 0.0
            elif abs(net[lane]) * top[lane] <= e.tolerance[f] * driven[lane]:
                factor[lane] = driven[lane] / (driven[lane] - net[lane])
                block.on[lane] = 0.0
            else:
                out.cycles[f] += 1
        scale(block, factor)
        if block.on.any():
            coarsen(block)
            cycle(block, ones, peak)
            _hold(block, e, rows, False)


@njit(cache=True, nogil=True, error_model="numpy")
def _entered(block, e, f, saturable, driven):
    """What sources and faces bring to the free voxels of a factor; for linear equations it is their right-hand side."""
    if not saturable:
        return driven
    total = 0.0
    for v in range(e.value.shape[1]):
        if e.fixed.shape[0] == 0 or not e.fixed[f, v]:
            total += e.supply[f, v] + e.carried[f] * e.value[f, v]
            if e.inflow.shape[0] > 0:
                total += e.inflow[f, v]
    return total
