"""Who is near whom: bins, and neighbor lists with a margin that
are re-used until somebody moved or grew farther than that.

Rows are full (i sees j and j sees i), so loops gather and never scatter; each row is sorted by cell id, so a sum over
it depends neither on threads, nor on memory order, nor on when the list was built. What is the same for both cells of a
pair is worked out once, over the list of pairs, and found from the rows by the number of the pair.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ..threads import over_rows

CANDIDATES = 10  # pairs looked at per cell and worth a thread, at least


@njit(cache=True, nogil=True, error_model="numpy")
def _bins(position, far, lower, upper):
    """Counting sort of cells into cubic bins that reach from any
    cell to all its neighbors. position (cell, xyz), far (cell) um.

    Returns the bins' size (um) and shape (xyz), start (bin + 1), member (cell): rows, bin after bin, and place (cell,
    4): their x, y, z, far."""
    n = position.shape[0]
    extent = np.maximum(upper - lower, 1e-9)
    size = max(2.0 * far.max(), 1.0)
    # more bins than a few per cell only cost memory
    while np.ceil(extent / size).prod() > 4 * n + 64:
        size *= 1.5
    shape = np.maximum(np.ceil(extent / size).astype(np.int64), 1)
    nx, ny, nz = shape[0], shape[1], shape[2]
    start = np.zeros(nx * ny * nz + 1, np.int64)
    bin_of, member = np.empty(n, np.int32), np.empty(n, np.int32)
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
    place = np.empty((n, 4))
    for m in range(n):
        i = member[m]
        place[m, 0], place[m, 1], place[m, 2], place[m, 3] = position[i, 0], position[i, 1], position[i, 2], far[i]
    return size, shape, start, member, place


@njit(cache=True, nogil=True, error_model="numpy")
def _row(out, i, x, y, z, own, x0, x1, y0, y1, z0, z1, nx, ny, ids, start, member, place):
    """Neighbors of cell i among the cells of some bins, sorted by id, into out; returns how many."""
    total = 0
    for kz in range(z0, z1):
        for ky in range(y0, y1):
            row = (kz * ny + ky) * nx
            for m in range(start[row + x0], start[row + x1]):
                j = member[m]
                dx, dy, dz, reach = place[m, 0] - x, place[m, 1] - y, place[m, 2] - z, own + place[m, 3]
                out[total] = j  # kept if it counts: no branch to guess
                total += (dx * dx + dy * dy + dz * dz < reach * reach) & (j != i)
    for m in range(1, total):
        j = out[m]
        k = m
        while k > 0 and ids[out[k - 1]] > ids[j]:
            out[k] = out[k - 1]
            k -= 1
        out[k] = j
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _rows(first, last, position, far, ids, lower, size, shape, start, member, place, count):
    """Neighbors of cells first to last, row after row, each sorted by id; count[i + 1] is the length of row i."""
    nx, ny, nz = shape[0], shape[1], shape[2]
    out = np.empty(64 + 16 * (last - first), np.int32)
    total = 0
    for i in range(first, last):
        x, y, z, own = position[i, 0], position[i, 1], position[i, 2], far[i]
        ix = min(max(int((x - lower[0]) / size), 0), nx - 1)
        iy = min(max(int((y - lower[1]) / size), 0), ny - 1)
        iz = min(max(int((z - lower[2]) / size), 0), nz - 1)
        # one check for the whole row keeps the inner loop simple
        most = 0
        for kz in range(max(iz - 1, 0), min(iz + 2, nz)):
            for ky in range(max(iy - 1, 0), min(iy + 2, ny)):
                row = (kz * ny + ky) * nx
                most += start[row + min(ix + 1, nx - 1) + 1] - start[row + max(ix - 1, 0)]
        if total + most >= out.shape[0]:
            longer = np.empty(2 * (total + most), np.int32)
            longer[:total] = out[:total]
            out = longer
        found = _row(
            out[total:], i, x, y, z, own, max(ix - 1, 0), min(ix + 2, nx), max(iy - 1, 0), min(iy + 2, ny),
            max(iz - 1, 0), min(iz + 2, nz), nx, ny, ids, start, member, place,
        )  # fmt: skip
        count[i + 1] = found
        total += found
    return out[:total].copy()


@njit(cache=True, nogil=True, error_model="numpy")
def worn(first, last, position, reach, ids, position0, reach0, margin0, ids0):
    """Whether a row holds another cell, or a cell moved and grew by more than its margin."""
    for i in range(first, last):
        dx = position[i, 0] - position0[i, 0]
        dy = position[i, 1] - position0[i, 1]
        dz = position[i, 2] - position0[i, 2]
        rest = margin0[i] - max(reach[i] - reach0[i], 0.0)
        if ids[i] != ids0[i] or rest < 0.0 or dx * dx + dy * dy + dz * dz > rest * rest:
            return True
    return False


@njit(cache=True, nogil=True)
def _pairs(order, first, near, ids):
    """one, other (pair): every pair of cells once, the smaller id first; pair (entry of near): which it is, -1 - that
    of the larger id.

    order: rows by rising id. A row's smaller ids are met in rising order too: they fill it from its start. Pairs are
    then numbered as the rows meet them, so that neighbors in memory have neighboring pairs whatever their ids are.
    """
    count = near.shape[0] // 2
    one, other, pair, fill, p = (
        np.empty(count, np.int32),
        np.empty(count, np.int32),
        np.empty(near.shape[0], np.int32),
        first[:-1].copy(),
        0,
    )
    for i in order:
        for m in range(first[i], first[i + 1]):
            j = near[m]
            if ids[j] > ids[i]:
                pair[m], pair[fill[j]] = p, -1 - p
                fill[j] += 1
                p += 1
    number, p = np.full(count, -1, np.int32), 0
    for i in range(first.shape[0] - 1):
        for m in range(first[i], first[i + 1]):
            q = pair[m] if pair[m] >= 0 else -1 - pair[m]
            if number[q] < 0:
                number[q] = p
                one[p], other[p] = (i, near[m]) if pair[m] >= 0 else (near[m], i)
                p += 1
            pair[m] = number[q] if pair[m] >= 0 else -1 - number[q]
    return one, other, pair


class Neighbors:
    """Neighbor lists of all cells within the sum of their reaches.

    first       (cell + 1) int64: row i is list[first[i]:first[i + 1]]
    list        int32 rows, each row sorted by the neighbors' ids; a superset: callers test the true distance
    one, other  (pair) int32: cells of each pair, the smaller id first
    pair        (entry of list) int32: its pair where the neighbor has the larger id, else -1 - its pair

    >>> import numpy as np
    >>> near = Neighbors(np.zeros(3), np.array([100.0, 100.0, 20.0]))
    >>> p = np.array([[10.0, 10, 10], [20, 10, 10], [90, 90, 10]])
    >>> near.update(p, np.full(3, 6.0), np.arange(3), np.full(3, 1.5))
    True
    >>> near.first.tolist(), near.list.tolist()
    ([0, 1, 2, 2], [1, 0])
    """

    def __init__(self, lower: np.ndarray, upper: np.ndarray):
        self.lower = np.asarray(lower, float)
        self.upper = np.asarray(upper, float)
        self.rebuilds = 0
        self.forget()

    def forget(self) -> None:
        """Rows changed: the next update builds anew."""
        self.known = (np.empty((0, 3)), np.empty(0), np.empty(0), np.empty(0, np.int64))
        self.first = np.zeros(1, np.int64)
        self.list = self.one = self.other = self.pair = np.empty(0, np.int32)

    def update(
        self, position: np.ndarray, reach: np.ndarray, ids: np.ndarray, margin: np.ndarray, threads: int = 1
    ) -> bool:
        """Make the lists valid for these positions (cell, xyz) um and reaches (cell) um; True if they were rebuilt.

        New lists last until a cell has moved and grown by more than its margin (cell) um.
        """
        n = len(reach)
        if (
            len(self.known[1]) == n
            and n > 0
            and not any(over_rows(worn, n, threads, position, reach, ids, *self.known))
        ):
            return False
        self.build(position, reach, ids, margin, threads)
        return True

    def build(
        self, position: np.ndarray, reach: np.ndarray, ids: np.ndarray, margin: np.ndarray, threads: int = 1
    ) -> None:
        """Lists for these positions; arguments as those of update."""
        n = len(reach)
        self.rebuilds += 1
        self.known = (position.copy(), reach.copy(), margin.copy(), ids.copy())
        if n == 0:
            self.forget()
            return
        far = reach + margin
        bins = _bins(position, far, self.lower, self.upper)
        count = np.zeros(n + 1, np.int64)
        rows = over_rows(_rows, n, threads, position, far, ids, self.lower, *bins, count, each=CANDIDATES)
        self.first = np.cumsum(count)
        self.list = rows[0] if len(rows) == 1 else np.concatenate(rows)
        self.one, self.other, self.pair = _pairs(np.argsort(ids, kind="stable"), self.first, self.list, ids)
