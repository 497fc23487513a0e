"""Loops over a block: eight factors on one grid, which lie side by side in every voxel (see lanes.py).

Arrays are flat over (voxel, lane); voxels of all levels follow each other, x fastest, with room before and behind each
level, so that a voxel at a wall, whose coupling there is zero, has a neighbor to read. The couplings of a lane are
diffusion x those of the mobility + convection x those of the fluid, both shared by all lanes. Voxels are swept like a
chessboard, first those whose indices add up to an even number: each color sees the newest values of the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from .lanes import WIDTH, larger, load, numbers, size, smaller, spread, spread_from, store, where_above
from .mesh import Mesh
from .stencil import FREE, HELD

TILE = 64  # voxels that are put into lanes at a time: they stay in the fastest cache
SMALLEST = 1e-290  # 1/min: a voxel that nothing enters or leaves faster stands still


class Block(NamedTuple):
    """One block while it is solved: value, right, inverse, sink (place x lane); diffusion, convection, on (lane), on
    being 1 or 0: a lane that is off keeps its values to the last digit."""

    mesh: Mesh
    value: np.ndarray
    right: np.ndarray
    inverse: np.ndarray
    sink: np.ndarray
    diffusion: np.ndarray
    convection: np.ndarray
    on: np.ndarray


@njit(inline="always", error_model="numpy")
def _pull(x, p, nx, plane, sides, mobile, flows, flown, diffusion, convection):
    """Couplings times neighbors of the voxel at place p."""
    m = sides * p
    west, east, south, north = load(x, p - 1), load(x, p + 1), load(x, p - nx), load(x, p + nx)
    out = spread_from(mobile, m) * west + spread_from(mobile, m + 1) * east
    out = out + spread_from(mobile, m + 2) * south + spread_from(mobile, m + 3) * north
    if sides == 6:
        out = out + spread_from(mobile, m + 4) * load(x, p - plane) + spread_from(mobile, m + 5) * load(x, p + plane)
    out = diffusion * out
    if flows:
        flow = spread_from(flown, m) * west + spread_from(flown, m + 1) * east
        flow = flow + spread_from(flown, m + 2) * south + spread_from(flown, m + 3) * north
        if sides == 6:
            flow = flow + spread_from(flown, m + 4) * load(x, p - plane)
            flow = flow + spread_from(flown, m + 5) * load(x, p + plane)
        out = out + convection * flow
    return out


@njit(inline="always", error_model="numpy")
def _total(p, mobile, flows, flown, diffusion, convection):
    """All couplings of a voxel and what it loses through faces."""
    out = diffusion * spread_from(mobile, p)
    if flows:
        out = out + convection * spread_from(flown, p)
    return out


@njit(inline="always", error_model="numpy")
def _inverse(diagonal):
    return where_above(diagonal, spread(SMALLEST), spread(1.0) / diagonal)


@njit(cache=True, nogil=True, error_model="numpy")
def sweep(block, level, on):
    """Solve every voxel of a level for its own value, one color after the other, in lanes that are on (lane)."""
    mesh, x, right, inverse = block.mesh, numbers(block.value), numbers(block.right), numbers(block.inverse)
    nz, ny, nx = mesh.shape[level]
    start, sides = mesh.first[level], mesh.sides
    mobile, flows, flown = numbers(mesh.moved), mesh.flown.shape[0] > 0, numbers(mesh.flown)
    diffusion, convection, active = (
        load(numbers(block.diffusion), 0),
        load(numbers(block.convection), 0),
        load(numbers(on), 0),
    )
    parts, rows = (nz, ny) if nz > 1 else (ny, 1)
    for step in range(parts + 1):
        for color in range(2):  # the second color follows one part behind: what both need is still in the cache
            part = step - color
            if part < 0 or part == parts:
                continue
            for row in range(part * rows, part * rows + rows):
                k = row // ny
                at = start + row * nx
                for i in range((k + row - k * ny + color) & 1, nx, 2):
                    p = at + i
                    own, pulled = (
                        load(x, p),
                        _pull(x, p, nx, nx * ny, sides, mobile, flows, flown, diffusion, convection),
                    )
                    store(x, p, own + active * (load(inverse, p) * (load(right, p) + pulled) - own))


@njit(cache=True, nogil=True, error_model="numpy")
def first_sweep(block, level):
    """The same on a coarse level whose values are zero before."""
    mesh, x, right, inverse = block.mesh, numbers(block.value), numbers(block.right), numbers(block.inverse)
    nz, ny, nx = mesh.shape[level]
    start, sides = mesh.first[level], mesh.sides
    mobile, flows, flown = numbers(mesh.moved), mesh.flown.shape[0] > 0, numbers(mesh.flown)
    diffusion, convection = load(numbers(block.diffusion), 0), load(numbers(block.convection), 0)
    parts, rows = (nz, ny) if nz > 1 else (ny, 1)
    for step in range(parts + 1):
        for color in range(2):  # the second color follows one part behind: what both need is still in the cache
            part = step - color
            if part < 0 or part == parts:
                continue
            for row in range(part * rows, part * rows + rows):
                k = row // ny
                at = start + row * nx
                for i in range((k + row - k * ny + color) & 1, nx, 2):
                    p = at + i
                    if color == 0:
                        store(x, p, load(inverse, p) * load(right, p))
                    else:
                        pulled = _pull(x, p, nx, nx * ny, sides, mobile, flows, flown, diffusion, convection)
                        store(x, p, load(inverse, p) * (load(right, p) + pulled))


@njit(cache=True, nogil=True, error_model="numpy")
def restrict(block, level, peak):
    """Mean of the residual after a sweep as right-hand side of the next level; peak (lane): largest |residual inverse|.

    Voxels of the second color have no residual left.
    """
    mesh, x, right, inverse = block.mesh, numbers(block.value), numbers(block.right), numbers(block.inverse)
    ny, nx = mesh.shape[level, 1], mesh.shape[level, 2]
    nzc, nyc, nxc = mesh.shape[level + 1]
    start, coarse, sides = mesh.first[level], mesh.first[level + 1], mesh.sides
    mobile, flows, flown = numbers(mesh.moved), mesh.flown.shape[0] > 0, numbers(mesh.flown)
    group, share = mesh.group[level], mesh.share[level]
    diffusion, convection, most, free = (
        load(numbers(block.diffusion), 0),
        load(numbers(block.convection), 0),
        spread(0.0),
        spread(FREE),
    )
    for kc in range(nzc):
        for jc in range(nyc):
            for ic in range(nxc):
                mean = spread(0.0)
                for k in range(group[2, kc], group[2, kc + 1]):
                    for j in range(group[1, jc], group[1, jc + 1]):
                        w = share[2, k] * share[1, j]
                        for i in range(group[0, ic], group[0, ic + 1]):
                            if (k + j + i) & 1 == 0:
                                p = start + (k * ny + j) * nx + i
                                inv = load(inverse, p)
                                pulled = _pull(x, p, nx, nx * ny, sides, mobile, flows, flown, diffusion, convection)
                                change = inv * (load(right, p) + pulled) - load(x, p)
                                most = larger(most, size(change))
                                mean = mean + spread(w * share[0, i]) * where_above(inv, free, change / inv)
                store(right, coarse + (kc * nyc + jc) * nxc + ic, mean)
    store(numbers(peak), 0, most)


@njit(cache=True, nogil=True, error_model="numpy")
def prolong(block, level, on, peak):
    """Add the multilinear interpolation of the coarse correction in lanes that are on; peak (lane): its largest
    magnitude, or what it was before."""
    mesh, x = block.mesh, numbers(block.value)
    nz, ny, nx = mesh.shape[level]
    nyc, nxc = mesh.shape[level + 1, 1], mesh.shape[level + 1, 2]
    start, coarse = mesh.first[level], mesh.first[level + 1]
    near, other, nw, ow = mesh.near[level], mesh.other[level], mesh.near_weight[level], mesh.other_weight[level]
    active, most = load(numbers(on), 0), load(numbers(peak), 0)
    for k in range(nz):
        for j in range(ny):
            a, b = coarse + (near[2, k] * nyc + near[1, j]) * nxc, coarse + (near[2, k] * nyc + other[1, j]) * nxc
            c, d = coarse + (other[2, k] * nyc + near[1, j]) * nxc, coarse + (other[2, k] * nyc + other[1, j]) * nxc
            wa, wb = nw[2, k] * nw[1, j], nw[2, k] * ow[1, j]
            wc, wd = ow[2, k] * nw[1, j], ow[2, k] * ow[1, j]
            for i in range(nx):
                m, o, w, v = near[0, i], other[0, i], spread(nw[0, i]), spread(ow[0, i])
                e = spread(wa) * (w * load(x, a + m) + v * load(x, a + o))
                if wb != 0.0:
                    e = e + spread(wb) * (w * load(x, b + m) + v * load(x, b + o))
                if wc != 0.0:
                    e = e + spread(wc) * (w * load(x, c + m) + v * load(x, c + o))
                if wd != 0.0:
                    e = e + spread(wd) * (w * load(x, d + m) + v * load(x, d + o))
                p = start + (k * ny + j) * nx + i
                store(x, p, load(x, p) + active * e)
                most = larger(most, size(e))
    store(numbers(peak), 0, most)


@njit(cache=True, nogil=True, error_model="numpy")
def cycle(block, everywhere, peak):
    """V(1,1) cycle on the lanes that are on; everywhere (lane): ones.

    peak (lane): the larger of the largest correction and the largest residual x inverse of the finest level: about the
    error before.
    """
    last, below = len(block.mesh.shape) - 1, np.empty(WIDTH)
    if last == 0:
        own, start = block.value[:], block.mesh.first[0] * WIDTH
        before = own[start : start + WIDTH].copy()
        sweep(block, 0, block.on)
        for lane in range(WIDTH):
            peak[lane] = abs(own[start + lane] - before[lane])
        return
    sweep(block, 0, block.on)
    restrict(block, 0, peak)
    for level in range(1, last):
        first_sweep(block, level)
        restrict(block, level, below)
    p = block.mesh.first[last]
    store(numbers(block.value), p, load(numbers(block.right), p) * load(numbers(block.inverse), p))
    for level in range(last - 1, 0, -1):
        prolong(block, level, everywhere, below)
        sweep(block, level, everywhere)
    prolong(block, 0, block.on, peak)
    sweep(block, 0, block.on)


@njit(cache=True, nogil=True, error_model="numpy")
def invert(block):
    """Inverse diagonal of the finest level, by its sinks."""
    mesh, sink, inverse = block.mesh, numbers(block.sink), numbers(block.inverse)
    mobile, flows, flown = numbers(mesh.moved_total), mesh.flown.shape[0] > 0, numbers(mesh.flown_total)
    diffusion, convection, start = load(numbers(block.diffusion), 0), load(numbers(block.convection), 0), mesh.first[0]
    for p in range(start, start + mesh.shape[0].prod()):
        store(inverse, p, _inverse(load(sink, p) + _total(p, mobile, flows, flown, diffusion, convection)))


@njit(cache=True, nogil=True, error_model="numpy")
def coarsen(block):
    """Sinks and inverse diagonals of all coarser levels. By what a voxel takes more than the hungriest others of its
    group leave it can take no more than reaches it: that part acts in series with its couplings, k G / (k + G)."""
    mesh, sink, inverse = block.mesh, numbers(block.sink), numbers(block.inverse)
    mobile, flows, flown = numbers(mesh.moved_total), mesh.flown.shape[0] > 0, numbers(mesh.flown_total)
    diffusion, convection = load(numbers(block.diffusion), 0), load(numbers(block.convection), 0)
    for level in range(len(mesh.shape) - 1):
        ny, nx, at = mesh.shape[level, 1], mesh.shape[level, 2], mesh.first[level]
        nzc, nyc, nxc = mesh.shape[level + 1]
        group, share = mesh.group[level], mesh.share[level]
        for kc in range(nzc):
            for jc in range(nyc):
                for ic in range(nxc):
                    mean, least = spread(0.0), load(sink, at + (group[2, kc] * ny + group[1, jc]) * nx + group[0, ic])
                    for k in range(group[2, kc], group[2, kc + 1]):
                        for j in range(group[1, jc], group[1, jc + 1]):
                            for i in range(group[0, ic], group[0, ic + 1]):
                                least = smaller(least, load(sink, at + (k * ny + j) * nx + i))
                    for k in range(group[2, kc], group[2, kc + 1]):
                        for j in range(group[1, jc], group[1, jc + 1]):
                            w = share[2, k] * share[1, j]
                            for i in range(group[0, ic], group[0, ic + 1]):
                                p = at + (k * ny + j) * nx + i
                                more = load(sink, p) - least
                                total = _total(p, mobile, flows, flown, diffusion, convection)
                                both = more + total
                                series = where_above(both, spread(SMALLEST), more * total / both)
                                mean = mean + spread(w * share[0, i]) * series
                    mean = mean + least
                    p = mesh.first[level + 1] + (kc * nyc + jc) * nxc + ic
                    store(sink, p, mean)
                    store(inverse, p, _inverse(mean + _total(p, mobile, flows, flown, diffusion, convection)))


@njit(cache=True, nogil=True, error_model="numpy")
def at_least(block, least):
    """Raise the values of the finest level to the least of each lane (lane)."""
    start, bound, x = block.mesh.first[0], load(numbers(least), 0), numbers(block.value)
    for p in range(start, start + block.mesh.shape[0].prod()):
        store(x, p, larger(bound, load(x, p)))


@njit(cache=True, nogil=True, error_model="numpy")
def scale(block, factor):
    """Multiply the values of the finest level by a number per lane (lane)."""
    start, times, x = block.mesh.first[0], load(numbers(factor), 0), numbers(block.value)
    for p in range(start, start + block.mesh.shape[0].prod()):
        store(x, p, times * load(x, p))


@njit(cache=True, nogil=True, error_model="numpy")
def books(block, net, driven, used, most):
    """Sums over free voxels, per lane: residual, right-hand side, sink x value; and the largest |value|."""
    mesh, x, right, inverse = block.mesh, numbers(block.value), numbers(block.right), numbers(block.inverse)
    nz, ny, nx = mesh.shape[0]
    start, sides = mesh.first[0], mesh.sides
    mobile, flows, flown = numbers(mesh.moved), mesh.flown.shape[0] > 0, numbers(mesh.flown)
    diffusion, convection, free = load(numbers(block.diffusion), 0), load(numbers(block.convection), 0), spread(FREE)
    sink = numbers(block.sink)
    rests, rights, uses, top = spread(0.0), spread(0.0), spread(0.0), spread(0.0)
    for p in range(start, start + nz * ny * nx):
        own, inv, given = load(x, p), load(inverse, p), load(right, p)
        pulled = _pull(x, p, nx, nx * ny, sides, mobile, flows, flown, diffusion, convection)
        rests = rests + where_above(inv, free, given + pulled - own / inv)
        rights = rights + where_above(inv, free, given)
        uses = uses + where_above(inv, free, own * load(sink, p))
        top = larger(top, where_above(inv, free, size(own)))
    store(numbers(net), 0, rests)
    store(numbers(driven), 0, rights)
    store(numbers(used), 0, uses)
    store(numbers(most), 0, top)


@njit(cache=True, nogil=True, error_model="numpy")
def gather(rows, first, last, start, given, lanes):
    """Voxels first to last of rows (lane) of given (factor, voxel) into lanes (place x lane), from place start on."""
    for lane in range(WIDTH):
        f = rows[lane]
        for v in range(first, last):
            lanes[(start + v) * WIDTH + lane] = given[f, v]


@njit(cache=True, nogil=True, error_model="numpy")
def spill(rows, which, start, lanes, out):
    """Lanes back into their rows of out (factor, voxel), of factors that are `which` (factor)."""
    voxels = out.shape[1]
    for tile in range(0, voxels, TILE):
        for lane in range(rows.shape[0]):
            f = rows[lane]
            if which[f]:
                for v in range(tile, min(tile + TILE, voxels)):
                    out[f, v] = lanes[(start + v) * WIDTH + lane]


@njit(cache=True, nogil=True, error_model="numpy")
def hold(block, lane, fixed, held):
    """Put the fixed voxels of a lane to what they are held at: fixed (voxel) bool, held (voxel)."""
    start = block.mesh.first[0]
    for v in range(fixed.shape[0]):
        if fixed[v]:
            block.value[(start + v) * WIDTH + lane] = held[v]


@njit(cache=True, nogil=True, error_model="numpy")
def hold_equations(block, lane, fixed, held):
    """Make the equations of the fixed voxels of a lane so stiff that their solution is what they are held at."""
    start = block.mesh.first[0]
    for v in range(fixed.shape[0]):
        if fixed[v]:
            at = (start + v) * WIDTH + lane
            block.sink[at], block.right[at], block.inverse[at] = 1.0 / HELD, held[v] / HELD, HELD
