"""How signals turn into behavior: the Hill response of the field's rule grammar (Johnson et al. 2025).

    x(S) = sum_j (s_j / h_j)^p_j,    H(S) = x / (1 + x)
    up   = base + (highest - base) H(U)
    b    = up + (lowest - up) H(D)

U are the signals that increase the behavior, D those that decrease it; decreasing wins.
"""

from __future__ import annotations

import numpy as np
from numba import njit

GROUP = np.dtype(
    [("behavior", np.int64), ("base", float), ("highest", float), ("lowest", float), ("up", np.int64),
     ("down", np.int64), ("end", np.int64), ("dead_too", np.bool_), ("whole", np.bool_)]
)  # fmt: skip
TERM = np.dtype([("signal", np.int64), ("half", float), ("power", float), ("times", np.int64), ("dead_too", np.bool_)])


@njit(inline="always")
def _multiplied(x, times):
    """x to a whole power of at least 1."""
    out = 1.0
    while times > 1:
        if times & 1:
            out *= x
        x *= x
        times >>= 1
    return out * x


@njit(cache=True, nogil=True, error_model="numpy")
def hill_sum(values, i, terms, first, last, only_dead_terms, signed):
    """x(S) of cell i over terms first to last. A negative signal (more given away than taken up, say) counts as 0;
    where `signed`, only if its power is no whole number: a bug of PhysiCell that may be asked for. A
    power given as `times`, a whole number above 0, is multiplied out: a fifth of the time of the library's function."""
    x = 0.0
    for t in range(first, last):
        term = terms[t]
        if only_dead_terms and not term.dead_too:
            continue
        s = values[i, term.signal]
        if s < 0.0 and not (signed and term.power == np.floor(term.power)):
            s = 0.0
        x += _multiplied(s / term.half, term.times) if term.times > 0 else (s / term.half) ** term.power
    return x


@njit(cache=True, nogil=True, error_model="numpy")
def respond(first, last, kind, vital, start, groups, terms, signed, values):
    """Set the behaviors of cells first to last, group after
    group; a dead cell follows only terms that apply to the dead.

    values (cell, row): signals and behaviors, a behavior that is a signal too only once, so that later groups see what
    earlier ones set groups (GROUP): all terms on one behavior (row) of one type; terms[up:down] increase it,
    terms[down:end] decrease it; `whole`: is cut to a whole number. start (type + 1): groups of a type are
    groups[start[type]:start[type + 1]]. terms (TERM): signal is a row; signed: see hill_sum."""
    for i in range(first, last):
        if vital[i] >= 128:  # frozen outside the domain
            continue
        dead = vital[i] != 0
        for k in range(start[kind[i]], start[kind[i] + 1]):
            g = groups[k]
            if dead and not g.dead_too:
                continue
            u = hill_sum(values, i, terms, g.up, g.down, dead, signed)
            d = hill_sum(values, i, terms, g.down, g.end, dead, signed)
            b = g.base + (g.highest - g.base) * (u / (1.0 + u) if u < 1e300 else 1.0)
            b = b + (g.lowest - b) * (d / (1.0 + d) if d < 1e300 else 1.0)
            values[i, g.behavior] = np.trunc(b) if g.whole else b
