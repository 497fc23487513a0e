"""What cells do to each other's motion: the velocities of all
pairs, of attachments and of walls (equation in mechanics.py)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

# sum of (1 - d/R)^2 over twelve close-packed neighbors at equilibrium, as in the source
PRESSURE_UNIT = 0.027288820670331
CLOSEST = 1e-5  # um; two cells at one place are treated as this far apart, along x
BLOCK = 256  # pairs whose numbers stay in the fastest cache
# What pairs do is added up in whole numbers, so that no sum depends on an order, be it of cells, pairs or threads.
GRAIN, PART = 2.0**-44, 2.0**-50  # um/min of velocity, and part of a pressure, that count as one
FASTEST = 2.0**15  # um/min; no pair drives its cells apart faster, so that 16 such pairs still have their sum


@njit(cache=True, nogil=True, error_model="numpy")
def push(first_pair, last_pair, total, body, kind, affinity, equal, one, other):
    """Add what pairs first_pair to last_pair do to both their cells: total (cell, 4) of whole numbers, velocity in
    GRAIN um/min and the sum of (1 - d/R)^2 in PART.

    body (cell, 8): x, y, z, radius, adhesive reach um; square roots of repulsion and
    adhesion (um/min); id; one line of cache. affinity (cell, type) 1, all one when
    `equal`; one, other: rows of the pairs' cells. Blocks are gathered first and then worked
    out: the second loop, with its root and division, is one of vector instructions."""
    x, y, z, touch, far, repulsion, adhesion, side = np.empty((8, BLOCK))
    on_x, on_y, on_z, part = np.empty((4, BLOCK), np.int64)
    for start in range(first_pair, last_pair, BLOCK):
        n = min(BLOCK, last_pair - start)
        for m in range(n):
            i, j = one[start + m], other[start + m]
            x[m], y[m], z[m] = body[i, 0] - body[j, 0], body[i, 1] - body[j, 1], body[i, 2] - body[j, 2]
            touch[m], far[m] = body[i, 3] + body[j, 3], body[i, 4] + body[j, 4]
            repulsion[m], adhesion[m] = body[i, 5] * body[j, 5], body[i, 6] * body[j, 6]
            side[m] = body[j, 7] - body[i, 7]
        if not equal:
            for m in range(n):
                i, j = one[start + m], other[start + m]
                adhesion[m] *= math.sqrt(affinity[i, kind[j]] * affinity[j, kind[i]])
        for m in range(n):
            dx, dy, dz, sum_r, sum_a = x[m], y[m], z[m], max(touch[m], CLOSEST), max(far[m], CLOSEST)
            d = math.sqrt(dx * dx + dy * dy + dz * dz)
            # coincident cells part along x, the smaller id to the right: symmetric and independent of memory order
            dx, dy, dz, d = (
                math.copysign(CLOSEST, side[m]) if d < CLOSEST else dx,
                0.0 if d < CLOSEST else dy,
                0.0 if d < CLOSEST else dz,
                max(d, CLOSEST),
            )
            # one division serves three, and beyond reach o and e are zero: no branch to guess
            inverse = 1.0 / (d * sum_r * sum_a)
            o = max(1.0 - d * d * sum_a * inverse, 0.0)
            o *= o
            e = max(1.0 - d * d * sum_r * inverse, 0.0)
            f = (repulsion[m] * o - adhesion[m] * e * e) * sum_r * sum_a * inverse
            f = min(max(f, -FASTEST / d), FASTEST / d) / GRAIN
            on_x[m], on_y[m], on_z[m] = np.int64(f * dx), np.int64(f * dy), np.int64(f * dz)
            part[m] = np.int64(o / PART)
        for m in range(n):
            i, j = one[start + m], other[start + m]
            total[i, 0] += on_x[m]
            total[i, 1] += on_y[m]
            total[i, 2] += on_z[m]
            total[i, 3] += part[m]
            total[j, 0] -= on_x[m]
            total[j, 1] -= on_y[m]
            total[j, 2] -= on_z[m]
            total[j, 3] += part[m]


@njit(cache=True, nogil=True, error_model="numpy")
def added(i, total):
    """Velocity (xyz) um/min and sum of (1 - d/R)^2 of cell i that its pairs have added up, which are set back to zero.
    total (thread, cell, 4): as of `push`."""
    x, y, z, part = total[0, i, 0], total[0, i, 1], total[0, i, 2], total[0, i, 3]
    for t in range(1, total.shape[0]):
        x, y, z, part = x + total[t, i, 0], y + total[t, i, 1], z + total[t, i, 2], part + total[t, i, 3]
    for t in range(total.shape[0]):
        total[t, i, 0] = total[t, i, 1] = total[t, i, 2] = total[t, i, 3] = 0
    return GRAIN * x, GRAIN * y, GRAIN * z, PART * part


class Moved(NamedTuple):
    """What moves cells besides their pairs: kind, mobility (cell): 0 stays in place, 1 without drag; motility (cell,
    xyz) um/min; wall (type) um/min; walls (low or high, xyz) um, infinite where a face is open; lower, upper corner of
    the box (xyz) um; flat: a 2-D tissue."""

    kind: np.ndarray
    mobility: np.ndarray
    motility: np.ndarray
    wall: np.ndarray
    walls: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    flat: bool


@njit(cache=True, nogil=True, error_model="numpy")
def velocities(first_row, last_row, velocity, pressure, total, body, moved):
    """Velocity (cell, xyz) um/min and pressure (cell) of cells first_row to last_row from what their pairs have added
    up, walls and motility.

    total (thread, cell, 4), body: as of `push`."""
    kind, mobility, motility, wall, walls, _, _, flat = moved
    for i in range(first_row, last_row):
        x, y, z, radius = body[i, 0], body[i, 1], body[i, 2], body[i, 3]
        vx, vy, vz, p = added(i, total)
        w = wall[kind[i]]
        if w > 0.0:
            vx += _push(x - walls[0, 0], radius, w) - _push(walls[1, 0] - x, radius, w)
            vy += _push(y - walls[0, 1], radius, w) - _push(walls[1, 1] - y, radius, w)
            if not flat:
                vz += _push(z - walls[0, 2], radius, w) - _push(walls[1, 2] - z, radius, w)
        free = mobility[i]
        if free > 0.0:  # what a cell does by itself, its motility says
            vx, vy, vz = free * vx + motility[i, 0], free * vy + motility[i, 1], free * vz + motility[i, 2]
        else:
            vx, vy, vz = 0.0, 0.0, 0.0
        velocity[i, 0] = vx
        velocity[i, 1] = vy
        velocity[i, 2] = 0.0 if flat else vz
        pressure[i] = p / PRESSURE_UNIT


@njit(cache=True, nogil=True)
def pull(velocity, pairs, position, elastic, affinity, kind, mobility, flat):
    """Add the elastic pull of every pair to both its cells to velocity (cell, xyz). pairs (pair, 2) rows, in an order
    that no memory order changes."""
    for p in range(pairs.shape[0]):
        i, j = pairs[p, 0], pairs[p, 1]
        k = math.sqrt(elastic[i] * elastic[j] * affinity[i, kind[j]] * affinity[j, kind[i]])
        for a in range(2 if flat else 3):
            v = k * (position[j, a] - position[i, a])
            velocity[i, a] += mobility[i] * v
            velocity[j, a] -= mobility[j] * v


@njit(cache=True, nogil=True)
def _push(distance, radius, strength):
    """A wall's push on a cell this far from it, um/min."""
    if distance >= radius:
        return 0.0
    o = 1.0 - max(distance, 0.0) / radius
    return strength * o * o
