"""What cells do to each other's motion: the velocities of all pairs, of attachments and of walls (equation in mechanics.py)."""

from __future__ import annotations

import math

from numba import njit

PRESSURE_UNIT = 0.027288820670331  # sum of (1 - d/R)^2 over twelve close-packed neighbors at equilibrium, as in the source
CLOSEST = 1e-5  # um; two cells at one place are treated as this far apart, along x


@njit(cache=True, nogil=True, error_model="numpy")
def velocities(first_row, last_row, velocity, pressure, body, ids, kind, affinity, equal, mobility, motility, wall, lower, upper, flat, first, near):
    """Velocity (cell, xyz) um/min and pressure (cell) of cells first_row to last_row, gathered over their sorted neighbors.

    body (cell, 8): x, y, z, radius, adhesive reach um; square roots of repulsion and adhesion (um/min); one line of cache.
    affinity (cell, type) 1, all one when `equal`; mobility (cell): 0 stays in place, 1 without drag; motility (cell, xyz) um/min; wall (type) um/min;
    lower, upper (xyz) um; first, near: neighbor lists.
    """
    for i in range(first_row, last_row):
        x, y, z, radius, reach = body[i, 0], body[i, 1], body[i, 2], body[i, 3], body[i, 4]
        vx, vy, vz, p = 0.0, 0.0, 0.0, 0.0
        ti = kind[i]
        for m in range(first[i], first[i + 1]):
            j = near[m]
            dx = x - body[j, 0]
            dy = y - body[j, 1]
            dz = z - body[j, 2]
            touch = radius + body[j, 3]
            far = max(reach + body[j, 4], CLOSEST)
            d = math.sqrt(dx * dx + dy * dy + dz * dz)
            if d < CLOSEST:
                # coincident cells part along x, the smaller id to the right: symmetric and independent of memory order
                d = CLOSEST
                dx, dy, dz = (d if ids[i] < ids[j] else -d), 0.0, 0.0
            one = 1.0 / (d * touch * far)  # one division serves three, and beyond reach o and e are zero: no branch to guess
            o = max(1.0 - d * d * far * one, 0.0)
            o *= o
            p += o
            e = max(1.0 - d * d * touch * one, 0.0)
            a = body[i, 6] * body[j, 6]
            if not equal:
                a *= math.sqrt(affinity[i, kind[j]] * affinity[j, ti])
            f = (body[i, 5] * body[j, 5] * o - a * e * e) * touch * far * one
            vx += f * dx
            vy += f * dy
            vz += f * dz
        w = wall[ti]
        if w > 0.0:
            vx += _push(x - lower[0], radius, w) - _push(upper[0] - x, radius, w)
            vy += _push(y - lower[1], radius, w) - _push(upper[1] - y, radius, w)
            if not flat:
                vz += _push(z - lower[2], radius, w) - _push(upper[2] - z, radius, w)
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
    """Add the elastic pull of every pair to both its cells to velocity (cell, xyz). pairs (pair, 2) rows, in an order that no memory order changes."""
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
