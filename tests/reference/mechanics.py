"""Slow, readable twin of the forces: every pair of cells, one after another."""

from __future__ import annotations

import math

import numpy as np

UNIT = 0.027288820670331
CLOSEST = 1e-5


def velocities(cells, pairs=(), lower=None, upper=None, flat=False):
    """Velocity (cell, xyz) um/min and pressure (cell). `cells` is a dict of arrays; pairs (pair, 2) are elastic."""
    x, n = cells["position"], len(cells["position"])
    v, pressure = np.zeros((n, 3)), np.zeros(n)
    for i in range(n):
        for j in range(n):
            if i == j:
                continue
            along = x[i] - x[j]
            d = math.sqrt(along @ along)
            if d < CLOSEST:
                along, d = np.array([CLOSEST if cells["id"][i] < cells["id"][j] else -CLOSEST, 0.0, 0.0]), CLOSEST
            touch = cells["radius"][i] + cells["radius"][j]
            far = cells["reach"][i] + cells["reach"][j]
            f = 0.0
            if d < touch:
                f += math.sqrt(cells["repulsion"][i] * cells["repulsion"][j]) * (1 - d / touch) ** 2
                pressure[i] += (1 - d / touch) ** 2 / UNIT
            if d < far:
                f -= math.sqrt(cells["adhesion"][i] * cells["adhesion"][j] * liking(cells, i, j)) * (1 - d / far) ** 2
            v[i] += f * along / d
        for axis in range(2 if flat else 3):
            r = cells["radius"][i]
            for distance, sign in ((x[i, axis] - lower[axis], 1.0), (upper[axis] - x[i, axis], -1.0)):
                if distance < r:
                    v[i, axis] += sign * cells["wall"][cells["type"][i]] * (1 - max(distance, 0.0) / r) ** 2
        v[i] += cells["motility"][i]
    for i, j in pairs:
        k = math.sqrt(cells["elastic"][i] * cells["elastic"][j] * liking(cells, i, j))
        v[i] += k * (x[j] - x[i])
        v[j] += k * (x[i] - x[j])
    v[cells["movable"] <= 0.5] = 0.0
    if flat:
        v[:, 2] = 0.0
    return v, pressure


def liking(cells, i, j):
    """How strongly two cells adhere: both affinities."""
    return cells["affinity"][i, cells["type"][j]] * cells["affinity"][j, cells["type"][i]]


def neighbors(position, reach, ids, skin):
    """Per cell the neighbors within both reaches and the skin, by id."""
    out = []
    for i in range(len(reach)):
        d = np.sqrt(((position - position[i]) ** 2).sum(axis=1))
        near = np.flatnonzero((d < reach + reach[i] + skin) & (np.arange(len(reach)) != i))
        out.append(near[np.argsort(ids[near])].tolist())
    return out
