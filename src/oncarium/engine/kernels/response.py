"""How signals turn into behavior: the Hill response of the field's rule grammar (Johnson et al. 2025).

    x(S) = sum_j (s_j / h_j)^p_j,    H(S) = x / (1 + x)
    up   = base + (highest - base) H(U)
    b    = up + (lowest - up) H(D)

U are the signals that increase the behavior, D those that decrease it; decreasing wins. Signals may belong to
pathways: each pathway k makes b_k of the base by its own signals and ends, and together they make

    b = base prod_k (b_k / base)
"""

from __future__ import annotations

import numpy as np
from numba import njit

from .places import read, write

GROUP = np.dtype(
    [("behavior", np.int64), ("base", float), ("highest", float), ("lowest", float), ("up", np.int64),
     ("down", np.int64), ("end", np.int64), ("dead_too", np.bool_), ("whole", np.bool_),
     ("times", np.bool_), ("least", float), ("most", float), ("own", np.int64)]
)  # fmt: skip
TERM = np.dtype([("signal", np.int64), ("half", float), ("power", float), ("times", np.int64), ("dead_too", np.bool_)])


BLOCK = 128  # cells that are worked on side by side


@njit(inline="always")
def _raise(x, out, n, times, power):
    """out += x^power for n cells; a power given as `times`, a whole number above 0, is multiplied out: a fifth of the
    time of the library's function. x is used up."""
    if times == 0:
        for q in range(n):
            out[q] += x[q] ** power
        return
    product = np.ones(BLOCK)
    while times > 1:
        if times & 1:
            for q in range(n):
                product[q] *= x[q]
        for q in range(n):
            x[q] *= x[q]
        times >>= 1
    for q in range(n):
        out[q] += product[q] * x[q]


@njit(cache=True, nogil=True, error_model="numpy")
def hill_sums(places, rows, n, terms, first, last, dead, signed, out):
    """x(S) of the first n of these cells (rows) over terms first to last: out (BLOCK). A negative signal (more given
    away than taken up, say) counts as 0; where `signed`, only if its power is no whole number: a bug of PhysiCell that
    may be asked for. dead: only terms that apply to the dead."""
    out[:n] = 0.0
    x = np.empty(BLOCK)
    for t in range(first, last):
        term = terms[t]
        if dead and not term.dead_too:
            continue
        for q in range(n):
            x[q] = read(places, term.signal, rows[q])
        if not (signed and term.power == np.floor(term.power)):
            for q in range(n):
                x[q] = 0.0 if x[q] < 0.0 else x[q]
        for q in range(n):
            x[q] /= term.half
        _raise(x, out, n, term.times, term.power)


@njit(inline="always")
def _share(x):
    return x / (1.0 + x) if x < 1e300 else 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def _follow(rows, n, dead, groups, first, last, terms, signed, places):
    """Set the behaviors of the first n of these cells, all of one type and all alive or all dead."""
    up, down = np.empty(BLOCK), np.empty(BLOCK)
    for k in range(first, last):
        g = groups[k]
        if dead and not g.dead_too:
            continue
        hill_sums(places, rows, n, terms, g.up, g.down, dead, signed, up)
        hill_sums(places, rows, n, terms, g.down, g.end, dead, signed, down)
        for q in range(n):
            b = g.base + (g.highest - g.base) * _share(up[q])
            up[q] = b + (g.lowest - b) * _share(down[q])
        if g.times:
            for q in range(n):
                up[q] *= read(places, g.behavior, rows[q]) / g.base
        if g.own >= 0:
            for q in range(n):
                up[q] *= read(places, g.own, rows[q])
        for q in range(n):
            value = up[q]
            value = g.least if value < g.least else g.most if value > g.most else value
            write(places, g.behavior, rows[q], np.trunc(value) if g.whole else value)


@njit(cache=True, nogil=True, error_model="numpy")
def respond(first, last, kind, vital, start, groups, terms, signed, places):
    """Set the behaviors of cells first to last, group after group; a dead cell follows only terms that apply to the
    dead, and one that is frozen outside the domain (128 and more) none.

    places (row, 2): where signals and behaviors lie (places.py); later groups see what earlier ones set. groups
    (GROUP): all terms on one behavior (row) of one type; terms[up:down] increase it, terms[down:end] decrease it,
    without any it takes its base; `times`: multiplies what an earlier group (another pathway) made of it; `own`: row
    of the cell's own factor of it, or -1; it stays within least and most; `whole`: is cut to a whole number.
    start (type + 1): groups of a type are groups[start[type]:start[type + 1]]. terms (TERM): signal is a row; signed:
    see hill_sums.

    Cells of one type go through their groups side by side, BLOCK at a time: vector instructions, same bytes."""
    rows = np.empty(BLOCK, np.int64)
    for t in range(start.shape[0] - 1):
        for dead in (False, True):
            some = False
            for k in range(start[t], start[t + 1]):
                some = some or not dead or groups[k].dead_too
            if not some:
                continue
            n = 0
            for i in range(first, last):
                if kind[i] == t and vital[i] < 128 and (vital[i] != 0) == dead:
                    rows[n] = i
                    n += 1
                    if n == BLOCK:
                        _follow(rows, n, dead, groups, start[t], start[t + 1], terms, signed, places)
                        n = 0
            if n > 0:
                _follow(rows, n, dead, groups, start[t], start[t + 1], terms, signed, places)
