"""Adaptive steps of third order along the velocities of all cells, in one compiled call that a crew of threads shares.

Every thread takes the same decisions from the same sums, and no sum depends on who added what."""

from __future__ import annotations

import math

from numba import njit

from ..engine.kernels.gate import meet
from .forces import pull, push, velocities

STAGES = 3  # of a substep
SHORTEST = 1e-3  # min; a substep this short is taken whatever its error
FINE = 4  # steps of the error's scale per factor of two of its square
OCTAVES = 128  # of the error's square, half of them below 1
PLACES = FINE * OCTAVES


@njit(cache=True, nogil=True)
def _weights(stage, h):
    """Minutes with which the first three velocities of a substep of h min lead to where a stage takes the next one."""
    if stage < 0:
        return 0.0, 0.0, 0.0
    if stage == 0:
        return 0.5 * h, 0.0, 0.0
    if stage == 1:
        return 0.0, 0.75 * h, 0.0
    return h * (2.0 / 9.0), h / 3.0, h * (4.0 / 9.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _advance(first, last, start, body, minutes, k, order, lower, upper, reach, known):
    """Places of cells first to last, kept inside the box, into body; returns whether one outran its neighbor list."""
    position0, reach0, margin0, _ = known
    a, b, c = minutes
    outrun = False
    for i in range(first, last):
        squared = 0.0
        for x in range(3):
            p = start[i, x]  # who was placed outside stays there
            there = p + a * k[order[0], i, x] + b * k[order[1], i, x] + c * k[order[2], i, x]
            there = min(max(there, min(lower[x], p)), max(upper[x], p))
            body[i, x] = there
            squared += (there - position0[i, x]) ** 2
        rest = max(margin0[i] - max(reach[i] - reach0[i], 0.0), 0.0)
        outrun |= squared > rest * rest
    return outrun


@njit(cache=True, nogil=True, error_model="numpy")
def _errors(first, last, k, order, motility, tolerance, share, count):
    """Count the cells first to last by the difference of their velocities of third and second order, as a part of what
    each is allowed: tolerance um/min and a share of its own motility (cell, xyz) um/min."""
    k1, k2, k3, k4 = order
    count[:] = 0
    for i in range(first, last):
        d, own = 0.0, 0.0
        for x in range(3):
            d += (k[k4, i, x] / 8.0 - k[k3, i, x] / 9.0 - k[k2, i, x] / 12.0 + k[k1, i, x] * (5.0 / 72.0)) ** 2
            own += motility[i, x] ** 2
        allowed = tolerance + share * math.sqrt(own)
        part, power = math.frexp(d / (allowed * allowed))
        place = FINE * (power + OCTAVES // 2) + int((part - 0.5) * (2 * FINE)) if d > 0.0 else 0
        count[min(max(place, 0), count.shape[0] - 1)] += 1


@njit(cache=True, nogil=True)
def _norm(count, forgiven):
    """The error that at most so many cells exceed, to a fifth. count (thread, place): of `_errors`."""
    above = 0
    for place in range(count.shape[1] - 1, 0, -1):
        for t in range(count.shape[0]):
            above += count[t, place]
        if above > forgiven:
            part = 0.5 + (place % FINE + 1) / (2.0 * FINE)
            return math.sqrt(math.ldexp(part, place // FINE - OCTAVES // 2))
    return 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def travel(me, crew, gate, clock, rules, start, k, pressure, total, count, flags, body, pairs, moved, attached, lists):
    """Move all cells through the minutes that are left; returns False where new neighbor lists are needed to go on.

    me, crew, gate   which thread this is, of how many, and where they meet
    clock            minutes left, of a substep, of the present one; its stage, evaluations, substeps: where to go on
    rules            tolerance um/min and share of the motility, longest substep min, cells whose error is forgiven
    start            (cell, xyz) um, where the present substep starts
    k                (4, cell, xyz) um/min, velocities at its stages; the first is that of the start
    total, count, flags   room of every thread: of `velocities`, of `_errors`, who outran
    body, pairs      of `push`: kind, affinity, equal, one, other; moved of `velocities`, attached of `pull`
    lists            reach (cell) um and what `Neighbors` knows of its lists
    """
    left, step, h, stage = clock[0], clock[1], clock[2], int(clock[3])
    evaluations, substeps = clock[4], clock[5]
    tolerance, share, longest, forgiven = rules
    kind, affinity, equal, one, other = pairs
    n = start.shape[0]
    first, last = n * me // crew, n * (me + 1) // crew
    from_pair, to_pair = one.shape[0] * me // crew, one.shape[0] * (me + 1) // crew
    order = (0, 1, 2, 3) if clock[6] == 0.0 else (3, 1, 2, 0)
    going = True
    while going:
        if stage == 0:
            pieces = math.ceil(left / min(step, longest) - 1e-9)
            h = left / max(pieces, 1)
        while stage < STAGES:
            outrun = _advance(
                first, last, start, body, _weights(stage, h), k, order, moved.lower, moved.upper, lists[0], lists[1]
            )
            flags[me] = outrun
            meet(gate, crew)
            if flags.any():
                going = False
                break
            push(from_pair, to_pair, total[me], body, kind, affinity, equal, one, other)
            meet(gate, crew)
            velocities(first, last, k[order[stage + 1]], pressure, total, body, moved)
            if attached[0].shape[0] > 0:
                meet(gate, crew)
                if me == 0:
                    pull(k[order[stage + 1]], *attached)
                meet(gate, crew)
            evaluations += 1
            stage += 1
            if stage == 0:
                break
        if not going:
            break
        if stage == 0:
            going = left > 0.0
            continue
        _errors(first, last, k, order, moved.motility, tolerance, share, count[me])
        meet(gate, crew)
        error = _norm(count, forgiven)
        # error per minute grows as h^2
        factor = 0.9 / math.sqrt(max(error, 1e-30))
        stage = 0
        if error > 1.0 and h > SHORTEST:
            step = h * max(0.2, min(factor, 0.9))
            continue
        for i in range(first, last):
            for x in range(3):
                start[i, x] = body[i, x]
        order = (order[3], order[1], order[2], order[0])
        substeps += 1
        left -= h
        step = min(longest, max(step, h) if factor < 1.0 else h * min(factor, 3.0))
        going = left > 1e-9
    meet(gate, crew)  # all have read the clock before it is set
    if me == 0:
        clock[0], clock[1], clock[2], clock[3] = left, step, h, stage
        clock[4], clock[5], clock[6] = evaluations, substeps, order[0]
    return not flags.any()
