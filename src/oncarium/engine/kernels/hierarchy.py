"""The levels of a multigrid: who merges with whom, couplings on every level, interpolation between them.

Voxels merge in pairs along each axis; where their number is odd, one pair near the middle takes
a third, and coarse voxels keep their true widths. Every level is therefore a finite-volume grid
of the same box whatever its size: 75, 100 or 37 voxels need no padding. An axis whose coupling
is much weaker than the strongest waits (semi-coarsening), and an axis of one voxel, as z in 2-D,
never merges. Source of the method: Trottenberg, Oosterlee & Schueller, Multigrid (2001)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numba import njit

from ..threads import shared

NOTHING = np.empty((0, 0, 0))  # where there is no array over voxels
WEAK = 1.0 / 3.0  # an axis is merged when its coupling is at least this part of the strongest one


class Levels(NamedTuple):
    """What the kernels take: tables over levels; axes in the order x, y, z in every table, (z, y, x) in shape.

    shape (level, 3); offset (level + 1) into flat arrays over all levels; low, high (level, axis, n) 1/min;
    group (level, axis, n + 1); share, near_weight, other_weight (level, axis, n) 1; near, other (level, axis, n);
    weight (level, 2) damping of the two Jacobi sweeps; full (6 x voxels of all levels) 1/min or empty;
    total (voxels of all levels) 1/min: all couplings of a voxel and what it loses through edges.
    """

    shape: np.ndarray
    offset: np.ndarray
    low: np.ndarray
    high: np.ndarray
    group: np.ndarray
    share: np.ndarray
    near: np.ndarray
    other: np.ndarray
    near_weight: np.ndarray
    other_weight: np.ndarray
    weight: np.ndarray
    full: np.ndarray
    total: np.ndarray


@dataclass
class Hierarchy:
    """wall (6 arrays) 1/min: exchange of the finest boundary voxels with outside; leave (z, y, x) 1/min or empty: what
    boundary voxels lose, when couplings are full.
    """

    levels: Levels
    leave: np.ndarray
    wall: list[np.ndarray]
    known: tuple[bytes, np.ndarray] | None = field(default=None, init=False)  # outside concentrations and what they add

    @cached_property
    def closed(self) -> bool:
        """Whether nothing passes the faces."""
        return not any(np.any(wall) for wall in self.wall)

    @cached_property
    def voxels(self) -> list[int]:
        """How many every level has."""
        return np.diff(self.levels.offset).tolist()

    def top(self, threads: int) -> int:
        """How many levels are worth sharing among so many threads."""
        return sum(shared(voxels, threads) for voxels in self.voxels[:-1]) if threads > 1 else 0

    def inflow(self, outside: np.ndarray) -> np.ndarray:
        """(z, y, x) concentration/min that outside (face) concentrations add to the boundary voxels."""
        key = outside.tobytes()
        if self.known is None or self.known[0] != key:
            out = np.zeros(self.levels.shape[0])
            for face in range(6):
                out[_face(face)] += self.wall[face] * outside[face]
            self.known = (key, out)
        return self.known[1]


def _face(face: int) -> tuple:
    """Index of the voxels that touch a face, in an array (z, y, x)."""
    index: list = [slice(None)] * 3
    index[2 - face // 2] = 0 if face % 2 == 0 else -1
    return tuple(index)


def _conductance(width: float | np.ndarray, diffusion: float | np.ndarray, permeability: float) -> np.ndarray:
    """um/min from a voxel's center through its wall to the outside: half a voxel in series with the wall."""
    if permeability == 0.0:
        return np.zeros(np.broadcast(width, diffusion).shape)
    with np.errstate(divide="ignore"):
        return 1.0 / (1.0 / permeability + 0.5 * width / np.asarray(diffusion, float))


def _groups(n: int, merge: bool) -> np.ndarray:
    if not merge:
        return np.arange(n + 1)
    pairs = np.arange(n // 2 + 1) * 2
    pairs[n // 4 + 1 :] += n % 2
    return pairs


@lru_cache(maxsize=1024)  # the same for every factor with the same slip
def _interpolation(widths: tuple[float, ...], merge: bool, slip: tuple[float, float]) -> tuple[np.ndarray, ...]:
    """near, other, near_weight, other_weight (n): linear between coarse centers; `slip` um is D/P at the two ends,
    where the correction falls to zero at that distance behind the wall (no-flux: infinite, so it stays level)."""
    width, group = np.array(widths), _groups(len(widths), merge)
    faces = np.append(0.0, np.cumsum(width))
    center, ends = 0.5 * (faces[1:] + faces[:-1]), faces[group]
    coarse = 0.5 * (ends[1:] + ends[:-1])
    near = np.searchsorted(group, np.arange(len(width)), side="right") - 1
    step = np.sign(np.round((center - coarse[near]) / width, 9)).astype(int)
    other = near + step
    near_weight, other_weight = np.ones(len(width)), np.zeros(len(width))
    for i in range(len(width)):
        if 0 <= other[i] < len(coarse):
            if step[i]:
                other_weight[i] = (center[i] - coarse[near[i]]) / (coarse[other[i]] - coarse[near[i]])
                near_weight[i] = 1.0 - other_weight[i]
        else:
            wall = faces[0] if step[i] < 0 else faces[-1]
            behind = slip[0] if step[i] < 0 else slip[1]
            if np.isfinite(behind):
                near_weight[i] = (abs(center[i] - wall) + behind) / (abs(coarse[near[i]] - wall) + behind)
            other[i] = near[i]
    return near, other, near_weight, other_weight


def _mean(values: np.ndarray, axis: int, group: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Width-weighted mean over groups along an array axis."""
    w = width.reshape([-1 if a == axis else 1 for a in range(3)])
    return np.add.reduceat(values * w, group[:-1], axis=axis) / np.add.reduceat(w, group[:-1], axis=axis)


@njit(cache=True, nogil=True, error_model="numpy")
def _couple(full, edge, diffusion, width, first, second, third):
    """full (6, z, y, x) and edge (z, y, x), both zero before, 1/min, of the inner faces of one level: harmonic mean of
    diffusion (z, y, x).

    width (axis, n) um; first, second, third: velocity along x, y, z on all faces, um/min, or empty. Upwind: a face
    passes the concentration of the voxel the fluid comes from.
    """
    nz, ny, nx = diffusion.shape
    for a in range(3):
        velocity, dx, dy, dz = (first, 1, 0, 0) if a == 0 else (second, 0, 1, 0) if a == 1 else (third, 0, 0, 1)
        for k in range(nz - dz):
            for j in range(ny - dy):
                for i in range(nx - dx):
                    here, there = (
                        (width[0, i], width[0, i + 1])
                        if a == 0
                        else (width[1, j], width[1, j + 1])
                        if a == 1
                        else (width[2, k], width[2, k + 1])
                    )
                    g = 1.0 / (0.5 * here / diffusion[k, j, i] + 0.5 * there / diffusion[k + dz, j + dy, i + dx])
                    full[2 * a + 1, k, j, i] = g / here
                    full[2 * a, k + dz, j + dy, i + dx] = g / there
                    if velocity.size > 0:
                        u = velocity[k + dz, j + dy, i + dx]
                        full[2 * a + 1, k, j, i] += max(-u, 0.0) / here
                        full[2 * a, k + dz, j + dy, i + dx] += max(u, 0.0) / there
                        edge[k, j, i] += u / here
                        edge[k + dz, j + dy, i + dx] -= u / there


def _assemble(diffusion: np.ndarray, velocity, widths: list[np.ndarray], permeability: np.ndarray):
    """couplings (6, z, y, x), edge (z, y, x), wall (6 arrays), leave (z, y, x), all 1/min, of one level.

    A closed face passes no fluid either.
    """
    full, edge, leave = np.zeros((6, *diffusion.shape)), np.zeros(diffusion.shape), np.zeros(diffusion.shape)
    width = np.zeros((3, max(diffusion.shape)))
    for a in range(3):
        width[a, : len(widths[a])] = widths[a]
    _couple(full, edge, diffusion, width, *((NOTHING,) * 3 if velocity is None else velocity))
    wall = []
    for face in range(6):
        at, a = _face(face), face // 2
        h = widths[a][0 if face % 2 == 0 else -1]
        enter = _conductance(h, diffusion[at], permeability[face]) / h
        wall.append(enter)
        if permeability[face] > 0.0:
            out = enter.copy()
            if velocity is not None:
                inward = velocity[a][at] * (1.0 if face % 2 == 0 else -1.0)
                enter += np.maximum(inward, 0.0) / h
                out += np.maximum(-inward, 0.0) / h
            edge[at] += out
            leave[at] += out
    return full, edge, wall, leave


def _weights(strength: np.ndarray, merged: np.ndarray, odd: bool) -> tuple[float, float]:
    """Damping of two Jacobi sweeps: inverse roots of the Chebyshev polynomial on the rough part of the spectrum.

    A group of three leaves longer waves to the sweeps than a pair does: there the rough part starts lower.
    """
    lowest = 0.9 * (max(strength[merged].min() / strength.sum(), 0.05) if merged.any() else 1.0)
    if odd:
        lowest = min(lowest, 0.22 if merged.all() else 0.25)  # measured: smallest convergence factors
    middle, half = 0.5 * (2.0 + lowest), 0.5 * (2.0 - lowest)
    return 1.0 / (middle + half * np.sqrt(0.5)), 1.0 / (middle - half * np.sqrt(0.5))


def build(
    shape: Sequence[int],
    spacing: Sequence[float],
    diffusion: float,
    permeability: np.ndarray,
    mobility: np.ndarray | None = None,
    velocity=None,
) -> Hierarchy:
    """All levels down to one voxel, for one diffusion coefficient, one permeability per face (um/min, 0 closed, inf
    value), an optional mobility (z, y, x) and optional face velocities.

    >>> build((1, 37, 53), (20, 20, 20), 1e3, np.zeros(6)).levels.shape.tolist()
    [[1, 37, 53], [1, 18, 26], [1, 9, 13], [1, 4, 6], [1, 2, 3], [1, 1, 1]]
    """
    tables, widths, edges, walls = _tables(tuple(shape), tuple(spacing), float(diffusion), tuple(permeability))
    totals: list[np.ndarray] = []
    if mobility is None and velocity is None:
        for low, high, edge, count in zip(tables["low"], tables["high"], edges, tables["shape"]):
            x, y, z = ((low + high + edge)[a, :n] for a, n in enumerate(count[::-1]))
            totals.append((x + (y[:, None] + z[:, None, None])).ravel())
        return Hierarchy(Levels(full=np.empty(0), total=np.concatenate(totals), **tables), NOTHING, walls)
    local = np.full(shape, diffusion) if mobility is None else diffusion * mobility
    flat: list[np.ndarray] = []
    for level, w in enumerate(widths):
        full, edge, faces, gone = _assemble(local, velocity, w, permeability)
        flat.append(full.ravel())
        totals.append((edge + full[0] + full[1] + full[2] + full[3] + full[4] + full[5]).ravel())
        if level == 0:
            walls, leave = faces, gone
        for a in range(3):
            if level + 1 < len(widths) and len(widths[level + 1][a]) < len(w[a]):
                groups = tables["group"][level, a, : len(widths[level + 1][a]) + 1]
                local = _mean(local, 2 - a, groups, w[a])
                if velocity is not None:
                    velocity = tuple(
                        np.take(v, groups, axis=2 - a) if b == a else _mean(v, 2 - a, groups, w[a])
                        for b, v in enumerate(velocity)
                    )
    return Hierarchy(Levels(full=np.concatenate(flat), total=np.concatenate(totals), **tables), leave, walls)


@lru_cache(maxsize=256)  # mobilities change, these do not
def _tables(shape: tuple[int, ...], spacing: tuple[float, ...], diffusion: float, permeability: tuple[float, ...]):
    """What no mobility or velocity decides: tables of Levels by name; widths (level, axis) of the voxels, um; edges
    (level), 1/min that voxels lose through the ends of each axis (axis, n); wall of a Hierarchy."""
    widths = [np.full(shape[2 - a], float(spacing[a])) for a in range(3)]
    slip = [float(np.inf if p == 0.0 else diffusion / p) for p in permeability]
    size = max(shape) + 1
    levels: dict[str, list] = {
        k: []
        for k in ("shape", "low", "high", "group", "share", "near", "other", "near_weight", "other_weight", "weight")
    }
    wall: list[np.ndarray] = []
    all_widths, edges = [], []
    while True:
        all_widths.append(widths)
        count = np.array([len(w) for w in widths])
        table = {k: np.zeros((3, size)) for k in ("low", "high", "share", "near_weight", "other_weight")}
        index = {k: np.zeros((3, size), np.int64) for k in ("group", "near", "other")}
        edge = np.zeros((3, size))
        strength = np.where(count > 1, (count / np.array([w.sum() for w in widths])) ** 2, 0.0)
        merged = (count > 1) & (strength >= WEAK * strength.max())
        for a in range(3):
            w, n = widths[a], count[a]
            if n > 1:
                g = diffusion / (0.5 * (w[1:] + w[:-1]))
                table["high"][a, : n - 1] = g / w[:-1]
                table["low"][a, 1:n] = g / w[1:]
            for end, face in ((0, 2 * a), (n - 1, 2 * a + 1)):
                open_wall = _conductance(w[end], diffusion, permeability[face]) / w[end]
                edge[a, end] += open_wall
                if len(wall) < 6:
                    wall.append(open_wall)
            group = _groups(n, bool(merged[a]))
            index["group"][a, : len(group)] = group
            table["share"][a, :n] = w / np.repeat(np.add.reduceat(w, group[:-1]), np.diff(group))
            near = _interpolation(tuple(w.tolist()), bool(merged[a]), (slip[2 * a], slip[2 * a + 1]))
            for name, values in zip(("near", "other", "near_weight", "other_weight"), near):
                (index if name in index else table)[name][a, :n] = values
        edges.append(edge)
        levels["shape"].append(count[::-1])
        levels["weight"].append(_weights(strength, merged, bool((count[merged] % 2).any())))
        for name, values in {**table, **index}.items():
            levels[name].append(values)
        if count.max() == 1:
            break
        widths = [np.add.reduceat(widths[a], _groups(count[a], bool(merged[a]))[:-1]) for a in range(3)]
    stacked = {k: np.array(v) for k, v in levels.items()}
    stacked["offset"] = np.append(0, np.cumsum(stacked["shape"].prod(axis=1)))
    return stacked, all_widths, edges, wall
