"""Nonlinear pharmacokinetics: saturable loss, a target in blood, a ligand that is carried along.

    C' = (input + k D)/V - (CL/V) C - sum Q/V (C - C_j) - (most/V) C/(half + C) - bindings
    R' = made - loss R - on f C R + off RC        RC' = on f C R - off RC - complex RC

by RODAS (six stages, order 4 with an embedded 3, L-stable; Hairer and Wanner, Solving Ordinary Differential Equations
II, 1996), with the Jacobian written out and the error of every step held.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

RELATIVE = 1e-9
SMALLEST = 1e-11  # nM: below it nothing is followed
MOST_STEPS = 2_000_000
# where numbers stand in the parameters of a body
CENTRAL, CLEARANCE, FREE, MOST, HALF, TARGETS = range(6)
PAIR = 5  # numbers of one target: made, loss, on, off, complex

GAMMA = 0.25
A = np.zeros((6, 6))
A[1, 0] = 1.544000000000000
A[2, :2] = 0.9466785280815826, 0.2557011698983284
A[3, :3] = 3.314825187068521, 2.896124015972201, 0.9986419139977817
A[4, :4] = 1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950
A[5, :5] = 1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1.0
G = np.zeros((6, 6))
G[1, 0] = -5.6688
G[2, :2] = -2.430093356833875, -0.2063599157091915
G[3, :3] = -0.1073529058151375, -9.594562251023355, -20.47028614809616
G[4, :4] = 7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160
G[5, :5] = 8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054


@njit(cache=True, nogil=True)
def slope(y, flow, depots, sides, targets, p, out):
    """Rates of change of amounts (nmol) of depots, central and sides, concentrations (nM) of targets and their
    complexes, and of what is lost (nmol)."""
    n = depots + 1 + sides
    volume = p[CENTRAL]
    c = y[depots] / volume
    rest = TARGETS + PAIR * targets
    out[:] = 0.0
    for d in range(depots):
        taken = p[rest + d] * y[d]
        out[d] += flow[d] - taken
        out[depots] += taken
    rest += depots
    lost = p[CLEARANCE] * c + p[MOST] * c / (p[HALF] + c)
    out[depots] += flow[depots] - lost
    for j in range(sides):
        there = p[rest + 2 * j + 1] * (c - y[depots + 1 + j] / p[rest + 2 * j])
        out[depots] -= there
        out[depots + 1 + j] += there
    for k in range(targets):
        q = TARGETS + PAIR * k
        free, pair = n + 2 * k, n + 2 * k + 1
        bound = p[q + 2] * p[FREE] * c * y[free] - p[q + 3] * y[pair]
        out[depots] -= volume * bound
        out[free] = p[q] - p[q + 1] * y[free] - bound
        out[pair] = bound - p[q + 4] * y[pair]
        lost += volume * p[q + 4] * y[pair]
    out[n + 2 * targets] = lost


@njit(cache=True, nogil=True)
def jacobian(y, depots, sides, targets, p, out):
    """Of `slope`."""
    n = depots + 1 + sides
    last = n + 2 * targets
    volume = p[CENTRAL]
    c = y[depots] / volume
    rest = TARGETS + PAIR * targets
    out[:, :] = 0.0
    for d in range(depots):
        out[d, d] -= p[rest + d]
        out[depots, d] += p[rest + d]
    rest += depots
    linear = (p[CLEARANCE] + p[MOST] * p[HALF] / (p[HALF] + c) ** 2) / volume
    out[depots, depots] -= linear
    out[last, depots] = linear
    for j in range(sides):
        side = depots + 1 + j
        go, back = p[rest + 2 * j + 1] / volume, p[rest + 2 * j + 1] / p[rest + 2 * j]
        out[depots, depots] -= go
        out[depots, side] += back
        out[side, depots] += go
        out[side, side] -= back
    for k in range(targets):
        q = TARGETS + PAIR * k
        free, pair = n + 2 * k, n + 2 * k + 1
        by_c, by_free = p[q + 2] * p[FREE] * y[free] / volume, p[q + 2] * p[FREE] * c
        out[depots, depots] -= volume * by_c
        out[depots, free] -= volume * by_free
        out[depots, pair] += volume * p[q + 3]
        out[free, depots] = -by_c
        out[free, free] = -p[q + 1] - by_free
        out[free, pair] = p[q + 3]
        out[pair, depots] = by_c
        out[pair, free] = by_free
        out[pair, pair] = -p[q + 3] - p[q + 4]
        out[last, pair] = volume * p[q + 4]


@njit(cache=True, nogil=True)
def factorize(m, order):
    """LU of a small matrix in place, with its rows' order."""
    n = len(m)
    for i in range(n):
        order[i] = i
    for i in range(n):
        best = i
        for r in range(i + 1, n):
            if abs(m[r, i]) > abs(m[best, i]):
                best = r
        if best != i:
            for c in range(n):
                m[i, c], m[best, c] = m[best, c], m[i, c]
            order[i], order[best] = order[best], order[i]
        for r in range(i + 1, n):
            m[r, i] /= m[i, i]
            for c in range(i + 1, n):
                m[r, c] -= m[r, i] * m[i, c]


@njit(cache=True, nogil=True)
def solve(m, order, b, x):
    """x of m x = b, m as `factorize` leaves it."""
    n = len(m)
    for i in range(n):
        x[i] = b[order[i]]
        for c in range(i):
            x[i] -= m[i, c] * x[c]
    for i in range(n - 1, -1, -1):
        for c in range(i + 1, n):
            x[i] -= m[i, c] * x[c]
        x[i] /= m[i, i]


@njit(cache=True, nogil=True)
def advance(y, span, flow, depots, sides, targets, p):
    """The state after a span (min) of constant inputs (nmol/min); the number of steps, -1 where they run out."""
    n = len(y)
    stages, matrix, order = np.zeros((6, n)), np.zeros((n, n)), np.zeros(n, np.int64)
    slopes, at, right, jac = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros((n, n))
    volume, kept = p[CENTRAL], depots + 1 + sides
    t, h, steps, before = 0.0, span, 0, 1.0
    while t < span:
        steps += 1
        if steps > MOST_STEPS:
            return -1
        h = min(h, span - t)
        jacobian(y, depots, sides, targets, p, jac)
        for i in range(n):
            for j in range(n):
                matrix[i, j] = -jac[i, j]
            matrix[i, i] += 1.0 / (h * GAMMA)
        factorize(matrix, order)
        for s in range(6):
            for i in range(n):
                at[i] = y[i]
                for r in range(s):
                    at[i] += A[s, r] * stages[r, i]
            slope(at, flow, depots, sides, targets, p, slopes)
            for i in range(n):
                right[i] = slopes[i]
                for r in range(s):
                    right[i] += G[s, r] * stages[r, i] / h
            solve(matrix, order, right, stages[s])
        error = 0.0
        for i in range(n - 1):  # what is lost follows from the rest
            new = at[i] + stages[5, i]
            least = SMALLEST * volume if i < kept else SMALLEST
            error = max(error, abs(stages[5, i]) / (least + RELATIVE * max(abs(y[i]), abs(new))))
        if not math.isfinite(error):
            h *= 0.1
            before = 0.2
            continue
        change = min(5.0, max(0.2, 0.9 * max(error, 1e-10) ** -0.25))
        if error <= 1.0:
            t = t + h if h < span - t else span
            for i in range(n):
                y[i] = at[i] + stages[5, i]
            h *= min(change, before)
            before = 5.0
        else:
            h *= change
            before = 1.0
    return steps
