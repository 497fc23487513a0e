"""How signals turn into behavior: the Hill response of the field's rule grammar (Johnson et al. 2025).

    x(S) = sum_j (s_j / h_j)^p_j,    H(S) = x / (1 + x)
    up   = base + (highest - base) H(U)
    b    = up + (lowest - up) H(D)

U are the signals that increase the behavior, D those that decrease it; decreasing wins.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def hill_sum(signals, i, which, half, power, dead_too, only_dead_terms):
    """x(S) of cell i. signals (signal, cell); which, half, power, dead_too (term). A negative signal (more given away than taken
    up, say) counts as 0 where its power is no whole number."""
    x = 0.0
    for t in range(which.shape[0]):
        if only_dead_terms and not dead_too[t]:
            continue
        s = signals[which[t], i]
        if s > 0.0 or power[t] == np.floor(power[t]):
            x += (s / half[t]) ** power[t]
    return x


@njit(cache=True, nogil=True, error_model="numpy")
def respond(
    first,
    last,
    kind,
    of,
    vital,
    signals,
    up,
    up_half,
    up_power,
    up_dead,
    down,
    down_half,
    down_power,
    down_dead,
    base,
    highest,
    lowest,
    out,
    column,
):
    """Set out[:, column] of all cells of type `of`; a dead cell follows only terms that apply to the dead."""
    any_dead = np.any(up_dead) or np.any(down_dead)
    for i in range(first, last):
        if kind[i] != of or vital[i] >= 128:  # frozen outside the domain
            continue
        dead = vital[i] != 0
        if dead and not any_dead:
            continue
        u = hill_sum(signals, i, up, up_half, up_power, up_dead, dead)
        d = hill_sum(signals, i, down, down_half, down_power, down_dead, dead)
        b = base + (highest - base) * (u / (1.0 + u) if u < 1e300 else 1.0)
        out[i, column] = b + (lowest - b) * (d / (1.0 + d) if d < 1e300 else 1.0)
