"""Who is near whom: bins, and lists of pairs with a margin that
are re-used until somebody moved or grew farther than that.

Every pair is found once, in no order that anything may depend on: sums over pairs are exact (biology/forces.py).
Loops that need rows (i sees j and j sees i), each sorted by cell id, get them from the pairs when they first ask.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ..threads import over_rows

CANDIDATES = 10  # pairs looked at per cell and worth a thread, at least
AROUND = 14  # bins, with the one itself, of which each pair has one that it is found from
USUAL = 0.95  # assumed: bins are as large as this share of the cells needs; wider cells search farther


@njit(cache=True, nogil=True, error_model="numpy")
def _usual(far):
    """A distance (um) that holds that of the usual cells and is at most the largest. far (cell) um."""
    low, high = far.min(), far.max()
    if high <= 1.1 * low:
        return high
    count = np.zeros(65, np.int64)
    scale = 64.0 / (high - low)
    for i in range(far.shape[0]):
        count[int((far[i] - low) * scale)] += 1
    seen = 0
    for k in range(64):
        seen += count[k]
        if seen >= USUAL * far.shape[0]:
            return high if high * scale <= 1.1 * (low * scale + k + 1) else low + (k + 1) / scale
    return high


@njit(cache=True, nogil=True, error_model="numpy")
def _bins(position, far, usual, lower, upper):
    """Counting sort of cells into cubic bins that reach from a usual cell to all its usual neighbors. position (cell,
    xyz), far (cell), usual um.

    Returns the corner (xyz) and size of the bins (um), their shape (xyz), start (bin + 1), member (cell): rows, bin
    after bin, and place (cell, 4): their x, y, z and far, negative where it is more than usual."""
    n = position.shape[0]
    corner, end = upper.copy(), lower.copy()
    for i in range(n):
        for k in range(3):
            corner[k] = min(corner[k], max(position[i, k], lower[k]))
            end[k] = max(end[k], min(position[i, k], upper[k]))
    extent = np.maximum(end - corner, 1e-9)
    size = max(2.0 * usual, 1.0)
    # more bins than a few per cell only cost memory
    while np.ceil(extent / size).prod() > 4 * n + 64:
        size *= 1.5
    shape = np.maximum(np.ceil(extent / size).astype(np.int64), 1)
    nx, ny, nz = shape[0], shape[1], shape[2]
    start = np.zeros(nx * ny * nz + 2, np.int64)
    bin_of, member = np.empty(n, np.int32), np.empty(n, np.int32)
    for i in range(n):
        ix = min(max(int((position[i, 0] - corner[0]) / size), 0), nx - 1)
        iy = min(max(int((position[i, 1] - corner[1]) / size), 0), ny - 1)
        iz = min(max(int((position[i, 2] - corner[2]) / size), 0), nz - 1)
        b = (iz * ny + iy) * nx + ix
        bin_of[i] = b
        start[b + 2] += 1
    for b in range(start.shape[0] - 1):
        start[b + 1] += start[b]
    place = np.empty((n, 4))
    for i in range(n):
        b = bin_of[i] + 1
        m = start[b]
        start[b] = m + 1
        member[m] = i
        place[m, 0], place[m, 1], place[m, 2] = position[i, 0], position[i, 1], position[i, 2]
        place[m, 3] = far[i] if far[i] <= usual else -far[i]
    return corner, size, shape, start[:-1], member, place


@njit(cache=True, nogil=True, error_model="numpy")
def _room(one, other, total, more):
    """The two lists, made longer where they have no room for so many more."""
    if np.int64(total) + more < one.shape[0]:
        return one, other
    longer = np.empty((2, one.shape[0] // 2 + one.shape[0] + more), np.uint32)
    longer[0, :total], longer[1, :total] = one[:total], other[:total]
    return longer[0], longer[1]


@njit(cache=True, nogil=True, error_model="numpy")
def _widely(m, one, other, total, corner, size, shape, start, member, place):
    """The pairs of a wide cell, at m of the bins' order, with cells less wide, added to those found so far."""
    nx, ny, nz = shape[0], shape[1], shape[2]
    x, y, z, own = place[m, 0], place[m, 1], place[m, 2], abs(place[m, 3])
    x0, x1 = int((x - 2.0 * own - corner[0]) / size), int((x + 2.0 * own - corner[0]) / size)
    y0, y1 = int((y - 2.0 * own - corner[1]) / size), int((y + 2.0 * own - corner[1]) / size)
    z0, z1 = int((z - 2.0 * own - corner[2]) / size), int((z + 2.0 * own - corner[2]) / size)
    for kz in range(min(max(z0, 0), nz - 1), min(max(z1, 0), nz - 1) + 1):
        for ky in range(min(max(y0, 0), ny - 1), min(max(y1, 0), ny - 1) + 1):
            row = (kz * ny + ky) * nx
            a, b = start[row + min(max(x0, 0), nx - 1)], start[row + min(max(x1, 0), nx - 1) + 1]
            one, other = _room(one, other, total, b - a)
            for q in range(a, b):
                dx, dy, dz, its = place[q, 0] - x, place[q, 1] - y, place[q, 2] - z, abs(place[q, 3])
                one[total], other[total] = member[m], member[q]
                less = (its < own) | ((its == own) & (q > m))
                total += np.uint64((dx * dx + dy * dy + dz * dz < (own + its) ** 2) & less)
    return one, other, total


@njit(cache=True, nogil=True, error_model="numpy")
def _found(first, last, corner, size, shape, start, member, place):
    """one, other (pair): the pairs found from bins that begin with cells first to last of the bins' order.

    A pair of usual cells is found by the one in the earlier bin, any other by the wider of the two."""
    nx, ny, nz = shape[0], shape[1], shape[2]
    one, other = np.empty((2, 64 + 14 * (last - first)), np.uint32)
    room = 1 + AROUND * (start[1:] - start[:-1]).max()  # arrays that grow within the loop would keep it from vectors
    x, y, z, far = np.empty((4, room))
    who, near = np.empty(room, np.uint32), np.empty(room, np.uint8)
    total = np.uint64(0)
    for b in range(np.searchsorted(start[:-1], first), np.searchsorted(start[:-1], last)):
        if start[b] == start[b + 1]:
            continue
        ix, iy, iz = b % nx, b // nx % ny, b // (nx * ny)
        many, own = 0, 0
        # the usual cells of this bin, then those of the bins around it that come later, side by side
        for kz in range(iz, min(iz + 2, nz)):
            for ky in range(max(iy - 1, 0) if kz > iz else iy, min(iy + 2, ny)):
                row = (kz * ny + ky) * nx
                here = kz == iz and ky == iy
                begin, end = start[b if here else row + max(ix - 1, 0)], start[row + min(ix + 2, nx)]
                for m in range(np.uint64(begin), np.uint64(end)):
                    x[many], y[many], z[many], far[many] = place[m, 0], place[m, 1], place[m, 2], place[m, 3]
                    who[many] = member[m]
                    many += place[m, 3] >= 0.0
                    if np.int64(m) == start[b + 1] - 1:
                        own = many
        one, other = _room(one, other, total, many * own)
        for i in range(own):
            x0, y0, z0, far0 = x[i], y[i], z[i], far[i]
            # a loop of vector instructions, then one that keeps what counts: no branch to guess
            for q in range(many):
                dx, dy, dz, reach = x[q] - x0, y[q] - y0, z[q] - z0, far[q] + far0
                near[q] = dx * dx + dy * dy + dz * dz < reach * reach
            for q in range(np.uint64(i + 1), np.uint64(many)):
                one[total], other[total] = who[i], who[q]
                total += np.uint64(near[q])
    for m in range(first, last):
        if place[m, 3] < 0.0:
            one, other, total = _widely(m, one, other, total, corner, size, shape, start, member, place)
    return one[:total], other[:total]


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
def _rows(one, other, ids):
    """first (cell + 1), list: the neighbors of every cell, sorted by id. one, other (pair): every pair once.

    Rows as the pairs come, turned over in the order of ids: what is written into a row comes in that order."""
    n = ids.shape[0]
    first = np.zeros(n + 2, np.int64)
    for p in range(one.shape[0]):
        first[one[p] + 2] += 1
        first[other[p] + 2] += 1
    for i in range(n + 1):
        first[i + 1] += first[i]
    near, out = np.empty((2, first[n + 1]), np.int32)
    for p in range(one.shape[0]):
        i, j = one[p], other[p]
        near[first[i + 1]], near[first[j + 1]] = j, i
        first[i + 1] += 1
        first[j + 1] += 1
    rising = True
    for i in range(1, n):
        rising &= ids[i] > ids[i - 1]
    order = np.arange(n) if rising else np.argsort(ids)
    fill = first[:-1].copy()
    for i in order:
        for m in range(first[i], first[i + 1]):
            j = near[m]
            out[fill[j]] = i
            fill[j] += 1
    return first[:-1], out


class Neighbors:
    """Neighbor lists of all cells within the sum of their reaches.

    one, other  (pair) uint32: rows of the two cells of each pair, every pair once, in no certain order, a superset:
                callers test the true distance
    first       (cell + 1) int64: row i is list[first[i]:first[i + 1]]
    list        int32 rows: the same as neighbors of each cell, sorted by their ids

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
        self.one = self.other = np.empty(0, np.uint32)
        self.rows: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def first(self) -> np.ndarray:
        return self._rows()[0]

    @property
    def list(self) -> np.ndarray:
        return self._rows()[1]

    def _rows(self) -> tuple[np.ndarray, np.ndarray]:
        if self.rows is None:
            self.rows = _rows(self.one, self.other, self.known[3])
        return self.rows

    def update(
        self, position: np.ndarray, reach: np.ndarray, ids: np.ndarray, margin: np.ndarray, threads: int = 1
    ) -> bool:
        """Make the lists valid for these positions (cell, xyz) um and reaches (cell) um; True if they were rebuilt.

        New lists last until a cell has moved and grown by more than its margin (cell) um.
        """
        if not self.stale(position, reach, ids, threads):
            return False
        self.build(position, reach, ids, margin, threads)
        return True

    def stale(self, position: np.ndarray, reach: np.ndarray, ids: np.ndarray, threads: int = 1) -> bool:
        """Whether the lists are not those of these cells and places; arguments as those of update."""
        n = len(reach)
        return len(self.known[1]) != n or n == 0 or any(over_rows(worn, n, threads, position, reach, ids, *self.known))

    def build(
        self, position: np.ndarray, reach: np.ndarray, ids: np.ndarray, margin: np.ndarray, threads: int = 1
    ) -> None:
        """Lists for these positions; arguments as those of update."""
        n = len(reach)
        self.rebuilds += 1
        self.forget()
        self.known = (np.array(position, order="C"), reach.copy(), margin.copy(), ids.copy())
        if n == 0:
            return
        far = reach + margin
        usual = _usual(far)
        bins = _bins(self.known[0], far, usual, self.lower, self.upper)
        found = over_rows(_found, n, threads, *bins, each=CANDIDATES)
        self.one, self.other = found[0] if len(found) == 1 else map(np.concatenate, zip(*found))
