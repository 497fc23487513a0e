"""Who is near whom: bins, and neighbor lists with a skin that are re-used until somebody moved or grew too far.

Rows are full (i sees j and j sees i), so loops gather and never scatter; each row is sorted by cell id, so a sum over
it depends neither on threads, nor on memory order, nor on when the list was built.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..threads import over_rows

SKIN = 3.0  # um; assumed: about a third of a radius balances list length against rebuilds


@njit(cache=True, nogil=True)
def _bin_cells(position, lower, size, shape, bin_of, start, member):
    """Counting sort of cells into cubic bins. position (cell, xyz) um; start (bin + 1); member (cell) rows."""
    n = position.shape[0]
    nx, ny, nz = shape[0], shape[1], shape[2]
    start[:] = 0
    for i in range(n):
        ix = min(max(int((position[i, 0] - lower[0]) / size), 0), nx - 1)
        iy = min(max(int((position[i, 1] - lower[1]) / size), 0), ny - 1)
        iz = min(max(int((position[i, 2] - lower[2]) / size), 0), nz - 1)
        b = (iz * ny + iy) * nx + ix
        bin_of[i] = b
        start[b + 1] += 1
    for b in range(start.shape[0] - 1):
        start[b + 1] += start[b]
    fill = start[:-1].copy()
    for i in range(n):
        b = bin_of[i]
        member[fill[b]] = i
        fill[b] += 1


@njit(cache=True, nogil=True)
def _row(i, position, reach, ids, skin, size, lower, shape, start, member, out, first, write):
    """Neighbors of cell i: count them, or write them sorted by id from out[first]."""
    nx, ny, nz = shape[0], shape[1], shape[2]
    ix = min(max(int((position[i, 0] - lower[0]) / size), 0), nx - 1)
    iy = min(max(int((position[i, 1] - lower[1]) / size), 0), ny - 1)
    iz = min(max(int((position[i, 2] - lower[2]) / size), 0), nz - 1)
    count = 0
    for kz in range(max(iz - 1, 0), min(iz + 2, nz)):
        for ky in range(max(iy - 1, 0), min(iy + 2, ny)):
            row = (kz * ny + ky) * nx
            for m in range(start[row + max(ix - 1, 0)], start[row + min(ix + 1, nx - 1) + 1]):
                j = member[m]
                if j == i:
                    continue
                dx = position[j, 0] - position[i, 0]
                dy = position[j, 1] - position[i, 1]
                dz = position[j, 2] - position[i, 2]
                far = reach[i] + reach[j] + skin
                if dx * dx + dy * dy + dz * dz < far * far:
                    if write:
                        k = first + count
                        while k > first and ids[out[k - 1]] > ids[j]:
                            out[k] = out[k - 1]
                            k -= 1
                        out[k] = j
                    count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def _count_rows(first, last, position, reach, ids, skin, size, lower, shape, start, member, count):
    for i in range(first, last):
        count[i + 1] = _row(i, position, reach, ids, skin, size, lower, shape, start, member, member, 0, False)


@njit(cache=True, nogil=True, error_model="numpy")
def _write_rows(first, last, position, reach, ids, skin, size, lower, shape, start, member, begin, out):
    for i in range(first, last):
        _row(i, position, reach, ids, skin, size, lower, shape, start, member, out, begin[i], True)


@njit(cache=True, nogil=True, error_model="numpy")
def _largest_change(first, last, position, reach, ids, position0, reach0, ids0):
    """Largest of (displacement + growth of reach), um, infinite if a row holds another cell: rows are sorted by id."""
    largest = 0.0
    for i in range(first, last):
        if ids[i] != ids0[i]:
            return math.inf
        dx = position[i, 0] - position0[i, 0]
        dy = position[i, 1] - position0[i, 1]
        dz = position[i, 2] - position0[i, 2]
        largest = max(largest, math.sqrt(dx * dx + dy * dy + dz * dz) + max(reach[i] - reach0[i], 0.0))
    return largest


class Neighbors:
    """Neighbor lists of all cells within the sum of their reaches.

    first  (cell + 1) int64: row i is list[first[i]:first[i + 1]]
    list   int32 rows, each row sorted by the neighbors' ids; a superset: callers test the true distance

    >>> import numpy as np
    >>> near = Neighbors(np.zeros(3), np.array([100.0, 100.0, 20.0]))
    >>> p = np.array([[10.0, 10, 10], [20, 10, 10], [90, 90, 10]])
    >>> near.update(p, np.full(3, 6.0), np.arange(3))
    True
    >>> near.first.tolist(), near.list.tolist()
    ([0, 1, 2, 2], [1, 0])
    """

    def __init__(self, lower: np.ndarray, upper: np.ndarray, skin: float = SKIN):
        self.lower = np.asarray(lower, float)
        self.upper = np.asarray(upper, float)
        self.skin = skin
        self.rebuilds = 0
        self.forget()

    def forget(self) -> None:
        """Rows changed: the next update builds anew."""
        self.position0 = np.empty((0, 3))
        self.reach0 = np.empty(0)
        self.ids0 = np.empty(0, np.int64)
        self.first = np.zeros(1, np.int64)
        self.list = np.empty(0, np.int32)

    def update(self, position: np.ndarray, reach: np.ndarray, ids: np.ndarray, threads: int = 1) -> bool:
        """Make the lists valid for these positions (cell, xyz) um and reaches (cell) um; True if they were rebuilt."""
        n = len(reach)
        if len(self.reach0) == n and n > 0:
            change = over_rows(_largest_change, n, threads, position, reach, ids, self.position0, self.reach0, self.ids0)
            if 2.0 * max(change) <= self.skin:
                return False
        self._build(position, reach, ids, threads)
        return True

    def _build(self, position: np.ndarray, reach: np.ndarray, ids: np.ndarray, threads: int) -> None:
        n = len(reach)
        self.rebuilds += 1
        self.position0 = position.copy()
        self.reach0 = reach.copy()
        self.ids0 = ids.copy()
        if n == 0:
            self.first = np.zeros(1, np.int64)
            self.list = np.empty(0, np.int32)
            return
        size = max(2.0 * float(reach.max()) + self.skin, 1.0)
        extent = np.maximum(self.upper - self.lower, 1e-9)
        # more bins than a few per cell only cost memory
        while np.prod(np.ceil(extent / size)) > 4 * n + 64:
            size *= 1.5
        shape = np.maximum(np.ceil(extent / size).astype(np.int64), 1)
        start = np.zeros(int(shape.prod()) + 1, np.int64)
        bin_of = np.empty(n, np.int32)
        member = np.empty(n, np.int32)
        _bin_cells(position, self.lower, size, shape, bin_of, start, member)
        first = np.zeros(n + 1, np.int64)
        over_rows(_count_rows, n, threads, position, reach, ids, self.skin, size, self.lower, shape, start, member, first)
        np.cumsum(first, out=first)
        out = np.empty(int(first[-1]), np.int32)
        over_rows(_write_rows, n, threads, position, reach, ids, self.skin, size, self.lower, shape, start, member, first, out)
        self.first, self.list = first, out
