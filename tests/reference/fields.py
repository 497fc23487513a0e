"""Slow, readable twins of the field solvers: one voxel and one face at a time, matrices from scipy.sparse."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.sparse import csc_matrix, diags
from scipy.sparse.linalg import splu, spsolve

NEIGHBORS = ((0, 0, -1), (0, 0, 1), (0, -1, 0), (0, 1, 0), (-1, 0, 0), (1, 0, 0))  # (z, y, x) in the order of the faces


def assemble(shape, spacing, diffusion, permeability, mobility=None, velocity=None):
    """Operator L (voxel, voxel) 1/min of div(D grad c - u c),
    and wall (face, voxel) 1/min: dc/dt = L c + wall^T outside.

    permeability (face) um/min, 0 closed, inf a prescribed value; velocity three arrays of face velocities, um/min.
    """
    number = np.arange(np.prod(shape)).reshape(shape)
    local = diffusion * (np.ones(shape) if mobility is None else mobility)
    rows, columns, entries = [], [], []
    wall = np.zeros((6, number.size))
    for k, j, i in product(*map(range, shape)):
        here = number[k, j, i]
        for face, (dk, dj, di) in enumerate(NEIGHBORS):
            axis, h = face // 2, spacing[face // 2]
            upper = face % 2
            u = 0.0
            if velocity is not None:
                at = [k, j, i]
                at[2 - axis] += upper
                u = velocity[axis][tuple(at)] * (1 if upper else -1)  # outward
            there = (k + dk, j + dj, i + di)
            if all(0 <= there[a] < shape[a] for a in range(3)):
                g = 1.0 / (0.5 * h / local[k, j, i] + 0.5 * h / local[there])
                rows += [here, here]
                columns += [here, number[there]]
                entries += [-(g + max(u, 0.0)) / h, (g - min(u, 0.0)) / h]
            elif permeability[face] > 0.0:
                g = 1.0 / (1.0 / permeability[face] + 0.5 * h / local[k, j, i])
                rows.append(here)
                columns.append(here)
                entries.append(-(g + max(u, 0.0)) / h)
                wall[face, here] = (g - min(u, 0.0)) / h
    return csc_matrix((entries, (rows, columns)), shape=(number.size, number.size)), wall


def steady(operator, wall, outside, supply, sink, capacity=None, michaelis=1.0, fixed=None, held=None, start=None):
    """c (voxel) of 0 = L c + wall^T outside + supply - sink c - capacity c / (K + c); Newton when capacity is given."""
    n = operator.shape[0]
    c = np.zeros(n) if start is None else start.copy()
    source = supply + wall.T @ outside
    for _ in range(60 if capacity is not None else 1):
        loss, extra = sink.copy(), source.copy()
        if capacity is not None:
            level = np.maximum(c, 0.0)
            loss = loss + capacity * michaelis / (michaelis + level) ** 2
            extra = extra - capacity * level**2 / (michaelis + level) ** 2
        matrix = (diags(loss) - operator).tolil()
        if fixed is not None:
            for v, value in zip(fixed, held):
                matrix.rows[v], matrix.data[v] = [v], [1.0]
                extra[v] = value
        new = spsolve(matrix.tocsc(), extra)
        done = np.abs(new - c).max() <= 1e-14 * max(np.abs(new).max(), 1e-300)
        c = new
        if done:
            break
    return c


def backward_euler(operator, wall, outside, supply, sink, value, dt, steps=1):
    """c (voxel) after implicit steps of dt min."""
    factor = splu((diags(1.0 / dt + sink) - operator).tocsc())
    for _ in range(steps):
        value = factor.solve(value / dt + supply + wall.T @ outside)
    return value


def lod(value, dt, diffusion, decay, spacing, fixed=(), held=()):
    """One locally one-dimensional step by dense matrices, fixed voxels set before each sweep and at the end."""
    c = value.copy()
    dimensions = 3 if c.shape[0] > 1 else 2
    for axis in range(dimensions):
        n = c.shape[2 - axis]
        coupling = diffusion * dt / spacing[axis] ** 2 if n > 1 else 0.0
        matrix = np.eye(n) * (1.0 + decay * dt / dimensions)
        for i in range(n - 1):
            matrix[i, i] += coupling
            matrix[i + 1, i + 1] += coupling
            matrix[i, i + 1] -= coupling
            matrix[i + 1, i] -= coupling
        c.reshape(-1)[list(fixed)] = held
        c = np.moveaxis(
            np.linalg.solve(matrix, np.moveaxis(c, 2 - axis, 0).reshape(n, -1)).reshape(
                np.moveaxis(c, 2 - axis, 0).shape
            ),
            0,
            2 - axis,
        ).copy()
    c.reshape(-1)[list(fixed)] = held
    return c


def exchange(value, voxel, volume, secretion, uptake, target, export, internalised, voxel_volume, dt):
    """Cells of a list, one after another, secrete into and take up from value (voxel); both arrays are changed."""
    for i, at in enumerate(voxel):
        share = dt * volume[i] / voxel_volume
        after = (value[at] + share * secretion[i] * target[i]) / (1.0 + share * (secretion[i] + uptake[i]))
        internalised[i] -= (after - value[at]) * voxel_volume + dt * export[i]
        value[at] = after + dt * export[i] / voxel_volume


def secrete(fields, cells, per_amount):
    """supply, demand, capacity (factor, z, y, x) of the cells, by their voxels."""
    grid = fields.grid
    supply, demand, capacity = (np.zeros(fields.shape) for _ in range(3))
    for i in np.argsort(cells.id):
        x, y, z = np.minimum((cells.position[i] - grid.lower) // grid.spacing, np.array(grid.shape[::-1]) - 1).astype(
            int
        )
        share = cells["volume.total"][i] / grid.voxel_volume
        for f in range(len(fields.names)):
            approach = cells["secretion.approach"][i, f]
            released = cells["secretion.rate"][i, f] * per_amount[f]
            supply[f, z, y, x] += released + share * approach * cells["secretion.target"][i, f]
            demand[f, z, y, x] += share * (approach + cells["secretion.uptake"][i, f])
            capacity[f, z, y, x] += share * cells["metabolism.consumption"][i, f]
    return supply, demand, capacity
