"""Where vessels are: points along the part of every segment that lies in the box, and what fields are there."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ...engine.fields import Grid
from ...engine.graph import Graph
from ...engine.kernels.coupling import voxel_at, voxels_around
from .wall import clip

STEP = 10.0  # um: the points of a segment are at most this far apart


class Course(NamedTuple):
    """Points along the segments: those of segment i are first[i] to first[i + 1], at the middles of equal pieces.

    first (segment + 1)     position (point, xyz) um     share (point) of the straight line from its first end
    length (point) um of vessel that the point stands for, 0 for segments outside the box
    """

    first: np.ndarray
    position: np.ndarray
    share: np.ndarray
    length: np.ndarray


@njit(cache=True, nogil=True)
def within(a, b, lower, upper):
    """Shares along the line from a to b (xyz) between which it lies in the box; its middle where it does not."""
    first, last = clip(a, b, lower, upper)
    return (first, last) if first < last else (0.5, 0.5)


@njit(cache=True, nogil=True)
def _walk(position, ends, length, lower, upper, step, first, share, held):
    """Count the points of every segment (share empty) or write them."""
    writes = share.shape[0] > 0
    for i in range(ends.shape[0]):
        a, b = position[ends[i, 0]], position[ends[i, 1]]
        t0, t1 = within(a, b, lower, upper)
        chord = math.sqrt((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2 + (b[2] - a[2]) ** 2)
        n = max(math.ceil((t1 - t0) * chord / step - 1e-9), 1)
        if not writes:
            first[i + 1] = first[i] + n
            continue
        for k in range(n):
            share[first[i] + k] = t0 + (t1 - t0) * (k + 0.5) / n
            held[first[i] + k] = length[i] * (t1 - t0) / n


def course(graph: Graph, grid: Grid, step: float = STEP) -> Course:
    """Points along all segments.

    >>> from oncarium.biology.vessels.state import Vessels
    >>> graph = Vessels.empty().graph
    >>> _ = graph.add_segments([graph.add_nodes([[-20, 10, 5], [20, 10, 5]])], length=40.0)
    >>> there = course(graph, Grid((0, 0, 0), (10, 10, 10), (1, 4, 4)))
    >>> there.position.tolist(), there.length.tolist()
    ([[5.0, 10.0, 5.0], [15.0, 10.0, 5.0]], [10.0, 10.0])
    """
    first, none = np.zeros(graph.n_segments + 1, np.int64), np.zeros(0)
    given = (graph.position, graph.ends, graph.segments["length"], grid.lower, grid.upper, step)
    _walk(*given, first, none, none)
    share, length = np.empty(first[-1]), np.empty(first[-1])
    _walk(*given, first, share, length)
    a, b = (np.repeat(graph.position[graph.ends[:, k]], np.diff(first), axis=0) for k in (0, 1))
    return Course(first, np.clip(a + share[:, None] * (b - a), grid.lower, grid.upper), share, length)


@njit(cache=True, nogil=True)
def sample(value, position, lower, spacing, shape):
    """(factor, point) linear interpolation between the middles of voxels, even beyond them. value (factor, voxel);
    position (point, xyz) um; shape (nz, ny, nx)."""
    voxel, weight = np.empty(8, np.int64), np.empty(8)
    out = np.zeros((value.shape[0], position.shape[0]))
    for p in range(position.shape[0]):
        voxels_around(position[p, 0], position[p, 1], position[p, 2], lower, spacing, shape, voxel, weight)
        for c in range(8):
            for f in range(value.shape[0]):
                out[f, p] += weight[c] * value[f, voxel[c]]
    return out


@njit(cache=True, nogil=True)
def mean_along(first, values):
    """(factor, segment) means of what stands at the points of a Course. values (factor, point)."""
    out = np.zeros((values.shape[0], first.shape[0] - 1))
    for f in range(values.shape[0]):
        for i in range(first.shape[0] - 1):
            for p in range(first[i], first[i + 1]):
                out[f, i] += values[f, p]
            out[f, i] /= first[i + 1] - first[i]
    return out


@njit(cache=True, nogil=True)
def spread(amount, first, position, length, lower, spacing, shape, out):
    """out[voxel] += amount (segment) per um times the length of the points in the voxel, in the order of the points."""
    for i in range(first.shape[0] - 1):
        if amount[i] != 0.0:
            for p in range(first[i], first[i + 1]):
                v = voxel_at(position[p, 0], position[p, 1], position[p, 2], lower, spacing, shape)
                out[v] += amount[i] * length[p]


def along(there: Course, grid: Grid, values: np.ndarray) -> np.ndarray:
    """(factor, segment) means along the segments of values (factor, z, y, x)."""
    flat = np.ascontiguousarray(values).reshape(len(values), -1)
    given = (grid.lower, np.array(grid.spacing), grid.shape)
    return mean_along(there.first, sample(flat, there.position, *given))
