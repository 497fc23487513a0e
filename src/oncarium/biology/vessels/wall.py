"""Where the walls of vessels lie among the voxels, and how far a voxel's value is from that at the wall.

A vessel much thinner than a voxel is a line source: the value of its voxel is not that at its wall but that at an
equivalent radius, 0.1985 h where the whole source lies in one voxel (Peaceman 1978, DOI 10.2118/6893-PA). Here every
piece of a vessel is spread over a ring of its own radius, each point of which is shared among the nearest voxel
centers. In a plane of voxels of width h where each takes its weight w, the value of voxel i is that at

    ln(r_i / h) = -1.617 + 2 pi sum_j w_j a(x_i - x_j)

with a the potential kernel of the five-point Laplacian (0 at 0, 1/4 beside it, 1/pi across), here its smooth form
a(d) = ln(1 + (d / 0.1985 h)^2) / 4 pi. Flux per length from blood to voxel i is then

    w_i (P_blood - P_i) / (K + ln(r_i / r) / (2 pi D)),     K the resistance of the wall.

Thin vessels get the line source's correction, thick ones (r_i near r) the wall alone, with one formula, at any place
in a voxel. A vessel that lies in the plane of a slice (one voxel of thickness H) feeds a sheet: there the distance from
its wall to the sheet is ln(H / 2 pi r) instead, at least 0.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ...engine.fields import Grid
from ...engine.graph import Graph

PEACEMAN = math.exp(-(0.5772156649015329 + 1.5 * math.log(2.0)))  # r_eq / h of a source in one voxel: 0.1985
LEAST = 0.05  # of 2 pi D x a resistance: without a wall, voxels inside a vessel are almost as its blood
MOST_POINTS = 96  # on a ring
UPRIGHT = 0.5  # cosine with the slice's normal above which a vessel crosses the slice, and does not lie in it


class Pieces(NamedTuple):
    """The vessels cut into pieces no longer than a voxel.

    segment   (piece) row of its segment             length   (piece) um of vessel
    first     (piece + 1) where its voxels begin     voxel    (entry) flat number
    weight    (entry) share of the piece in it       spread   (entry) ln(r_eq / r), 1
    inside    (segment) share of it that lies in the box
    """

    segment: np.ndarray
    length: np.ndarray
    first: np.ndarray
    voxel: np.ndarray
    weight: np.ndarray
    spread: np.ndarray
    inside: np.ndarray


@njit(cache=True, nogil=True)
def clip(a, b, lower, upper):
    """Shares along the line from a to b (xyz) between which it lies in the box; (1, 0) where it does not."""
    start, stop = 0.0, 1.0
    for axis in range(3):
        d = b[axis] - a[axis]
        if d == 0.0:
            if a[axis] < lower[axis] or a[axis] > upper[axis]:
                return 1.0, 0.0
        else:
            s, t = (lower[axis] - a[axis]) / d, (upper[axis] - a[axis]) / d
            start, stop = max(start, min(s, t)), min(stop, max(s, t))
    return (start, stop) if start < stop else (1.0, 0.0)


@njit(cache=True, nogil=True)
def _neighbors(at, origin, spacing, count):
    """Along one axis: the two voxels between whose centers a place lies, and the share of the upper one. What lies
    within half a voxel of a wall is mirrored there: all of it is the last voxel's."""
    t = (at - origin) / spacing - 0.5
    low = math.floor(t)
    share = t - low
    return min(max(low, 0), count - 1), min(max(low + 1, 0), count - 1), share


@njit(cache=True, nogil=True)
def _frame(u):
    """Two unit vectors perpendicular to u and to each other."""
    k = 0
    for axis in range(1, 3):
        if abs(u[axis]) < abs(u[k]):
            k = axis
    e = np.zeros(3)
    e[k] = 1.0
    v = np.cross(u, e)
    v /= math.sqrt((v * v).sum())
    return v, np.cross(u, v)


@njit(cache=True, nogil=True)
def _distances(weight, x, y, count, h, radius, out):
    """ln(r_eq / r) of each of the voxels at x, y (um) in the plane across the vessel, when each takes its weight."""
    scale, begin = 1.0 / (PEACEMAN * h) ** 2, math.log(PEACEMAN * h / radius)
    for i in range(count):
        row = begin
        for j in range(count):
            row += 0.5 * weight[j] * math.log(1.0 + ((x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2) * scale)
        out[i] = row


@njit(cache=True, nogil=True)
def _cut(position, ends, length, radius, origin, upper, spacing, shape):
    """The arrays of Pieces."""
    nz, ny, nx = shape
    n = ends.shape[0]
    flat = nz == 1
    short = min(spacing[0], spacing[1]) if flat else min(min(spacing[0], spacing[1]), spacing[2])
    inside, start, parts = np.zeros(n), np.zeros(n), np.zeros(n, np.int64)
    for s in range(n):
        a, b = position[ends[s, 0]], position[ends[s, 1]]
        first, last = clip(a, b, origin, upper)
        if first < last and length[s] > 0.0:
            inside[s], start[s] = last - first, first
            run = (b - a) * (last - first)
            if flat:  # along z there is one voxel only
                run[2] = 0.0
            parts[s] = max(1, math.ceil(math.sqrt((run * run).sum()) / short))
    total = parts.sum()
    segment, lengths = np.zeros(total, np.int64), np.zeros(total)
    begins = np.zeros(total + 1, np.int64)
    guess = 16 * max(1, total)
    voxel, weight, spread = np.zeros(guess, np.int64), np.zeros(guess), np.zeros(guess)
    slot = np.full(nz * ny * nx, -1, np.int64)
    room = 16 * (MOST_POINTS + 1)
    mine, share = np.zeros(room, np.int64), np.zeros(room)
    px, py, apart = np.zeros(room), np.zeros(room), np.zeros(room)
    piece, entry = 0, 0
    for s in range(n):
        if parts[s] == 0:
            continue
        a, b, r = position[ends[s, 0]], position[ends[s, 1]], radius[s]
        u = (b - a) / math.sqrt(((b - a) ** 2).sum())
        lying = flat and abs(u[2]) < UPRIGHT
        if flat and not lying:
            u = np.array([0.0, 0.0, 1.0])
        v, w = _frame(u)
        # width of a voxel across the vessel
        h = math.sqrt(spacing[0] * spacing[1] * spacing[2] / math.sqrt(((u * spacing) ** 2).sum()))
        points = min(MOST_POINTS, max(8, 4 * math.ceil(r * math.pi / short)))
        step = inside[s] / parts[s]
        for p in range(parts[s]):
            count = 0
            for half in range(2):
                middle = a + (b - a) * (start[s] + (p + 0.25 + 0.5 * half) * step)
                for m in range(points):
                    turn = 2.0 * math.pi * (m + 0.5) / points
                    at = middle + r * (math.cos(turn) * v + math.sin(turn) * w)
                    x0, x1, fx = _neighbors(at[0], origin[0], spacing[0], nx)
                    y0, y1, fy = _neighbors(at[1], origin[1], spacing[1], ny)
                    z0, z1, fz = _neighbors(at[2], origin[2], spacing[2], nz)
                    for corner in range(8):
                        i = x1 if corner & 1 else x0
                        j = y1 if corner & 2 else y0
                        k = z1 if corner & 4 else z0
                        part = (fx if corner & 1 else 1.0 - fx) * (fy if corner & 2 else 1.0 - fy)
                        part *= fz if corner & 4 else 1.0 - fz
                        if part <= 0.0:
                            continue
                        q = (k * ny + j) * nx + i
                        if slot[q] < 0:
                            slot[q] = count
                            mine[count], share[count] = q, 0.0
                            c = np.array([(i + 0.5) * spacing[0], (j + 0.5) * spacing[1], (k + 0.5) * spacing[2]])
                            px[count], py[count] = (c * v).sum(), (c * w).sum()
                            count += 1
                        share[slot[q]] += part / (2.0 * points)
            if lying:
                apart[:count] = max(0.0, math.log(spacing[2] / (2.0 * math.pi * r)))
            else:
                _distances(share, px, py, count, h, r, apart)
            segment[piece], lengths[piece] = s, length[s] * step
            while entry + count > voxel.shape[0]:
                voxel = np.concatenate((voxel, np.zeros(voxel.shape[0], np.int64)))
                weight = np.concatenate((weight, np.zeros(weight.shape[0])))
                spread = np.concatenate((spread, np.zeros(spread.shape[0])))
            for m in range(count):
                voxel[entry], weight[entry], spread[entry] = mine[m], share[m], apart[m]
                slot[mine[m]] = -1
                entry += 1
            piece += 1
            begins[piece] = entry
    return segment, lengths, begins, voxel[:entry], weight[:entry], spread[:entry], inside


def open_radius(graph: Graph) -> np.ndarray:
    """(segment) um: what compression leaves of the radius."""
    return graph.segments["radius"] * graph.segments["squeeze"]


def pieces(graph: Graph, grid: Grid) -> Pieces:
    """The vessels of a graph among the voxels of a grid.

    >>> from oncarium.biology.vessels.state import Vessels
    >>> graph = Vessels.empty().graph
    >>> _ = graph.add_nodes([[50, 50, -150], [50, 50, 150]])
    >>> _ = graph.add_segments([[0, 1]], length=300.0, radius=5.0)
    >>> found = pieces(graph, Grid((0, 0, -10), (20, 20, 20), (1, 5, 5)))
    >>> found.length.round(9).tolist(), found.inside.round(3).tolist(), round(float(found.weight.sum()), 12)
    ([20.0], [0.067], 1.0)
    """
    radius = np.maximum(open_radius(graph), 1e-3)
    made = _cut(
        graph.position, graph.ends, graph.segments["length"], radius, grid.lower, grid.upper, np.array(grid.spacing),
        grid.shape,
    )  # fmt: skip
    return Pieces(*made)


@njit(cache=True, nogil=True, error_model="numpy")
def _conductances(segment, first, length, weight, spread, wall, diffusion, out):
    around = 1.0 / (2.0 * math.pi * diffusion)
    for p in range(segment.shape[0]):
        for m in range(first[p], first[p + 1]):
            out[m] = weight[m] * length[p] / max(wall[segment[p]] + around * spread[m], LEAST * around)


def conductances(found: Pieces, wall: np.ndarray, diffusion: float) -> np.ndarray:
    """(entry) um^3/min per unit of concentration between blood and voxel: what passes is that times (blood - voxel).

    wall   (segment) resistance of one um of wall, min/um^2: 1 / (2 pi radius permeability)     diffusion   um^2/min
    """
    out = np.empty(len(found.voxel))
    _conductances(found.segment, found.first, found.length, found.weight, found.spread, wall, diffusion, out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _meet(segment, first, voxel, conductance, value, whole, mean):
    for p in range(segment.shape[0]):
        s = segment[p]
        for m in range(first[p], first[p + 1]):
            whole[s] += conductance[m]
            mean[s] += conductance[m] * value[voxel[m]]
    for s in range(whole.shape[0]):
        mean[s] = mean[s] / whole[s] if whole[s] > 0.0 else 0.0


def meet(found: Pieces, conductance: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What every segment meets: its conductance within the box, and the mean of value (z, y, x) at it, weighted by
    conductance (entry); 0 where no part of it lies in the box."""
    whole, mean = np.zeros(len(found.inside)), np.zeros(len(found.inside))
    _meet(found.segment, found.first, found.voxel, conductance, np.ascontiguousarray(value).reshape(-1), whole, mean)
    return whole, mean


@njit(cache=True, nogil=True, error_model="numpy")
def _deposit(segment, first, voxel, amount, share, source, supply, demand):
    for p in range(segment.shape[0]):
        s = segment[p]
        for m in range(first[p], first[p + 1]):
            part = share[s] * amount[m]
            demand[voxel[m]] += part
            supply[voxel[m]] += part * source[s]


def deposit(
    found: Pieces, amount: np.ndarray, share: np.ndarray, source: np.ndarray, supply: np.ndarray, demand: np.ndarray
) -> None:
    """Add to demand (z, y, x) the amounts (entry) times share (segment), and that times source (segment) to supply."""
    _deposit(found.segment, found.first, found.voxel, amount, share, source, supply.reshape(-1), demand.reshape(-1))
