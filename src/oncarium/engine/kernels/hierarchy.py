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
    """wall (6 arrays) 1/min: exchange of the finest boundary voxels with outside."""

    levels: Levels
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


@njit(cache=True, nogil=True, error_model="numpy")
def _couple(full, edge, local, width, permeability, first, second, third):
    """full (6, z, y, x) and edge (z, y, x), both zero before, 1/min, of one level: harmonic mean of local diffusion
    (z, y, x) on inner faces, and what is lost through open ones.

    width (axis, n) um; first, second, third: velocity along x, y, z on all faces, um/min, or empty. Upwind: a face
    passes the concentration of the voxel the fluid comes from. A closed face passes no fluid either.
    """
    shape = local.shape
    for a in range(3):
        velocity, dx, dy, dz = (first, 1, 0, 0) if a == 0 else (second, 0, 1, 0) if a == 1 else (third, 0, 0, 1)
        flows = velocity.size > 0
        for k in range(shape[0]):
            for j in range(shape[1]):
                for i in range(shape[2]):
                    at = i if a == 0 else j if a == 1 else k
                    here, half = width[a, at], 0.5 * width[a, at] / local[k, j, i]
                    if at == 0 and permeability[2 * a] > 0.0:
                        edge[k, j, i] += 1.0 / (1.0 / permeability[2 * a] + half) / here
                        if flows:
                            edge[k, j, i] += max(-velocity[k, j, i], 0.0) / here
                    u = velocity[k + dz, j + dy, i + dx] if flows else 0.0
                    if at + 1 < shape[2 - a]:
                        there = width[a, at + 1]
                        g = 1.0 / (half + 0.5 * there / local[k + dz, j + dy, i + dx])
                        full[2 * a + 1, k, j, i] = (g + max(-u, 0.0)) / here
                        full[2 * a, k + dz, j + dy, i + dx] = (g + max(u, 0.0)) / there
                        edge[k, j, i] += u / here
                        edge[k + dz, j + dy, i + dx] -= u / there
                    elif permeability[2 * a + 1] > 0.0:
                        edge[k, j, i] += (1.0 / (1.0 / permeability[2 * a + 1] + half) + max(u, 0.0)) / here


@njit(cache=True, nogil=True, error_model="numpy")
def _merge(out, fine, groups, share):
    """out (z, y, x): means of fine, by their share (axis, n), over groups along x, y and z."""
    first, second, third = groups
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            for i in range(out.shape[2]):
                mean = 0.0
                for kf in range(third[k], third[k + 1]):
                    for jf in range(second[j], second[j + 1]):
                        for f in range(first[i], first[i + 1]):
                            mean += share[2, kf] * share[1, jf] * share[0, f] * fine[kf, jf, f]
                out[k, j, i] = mean


def _assemble(tables, widths: np.ndarray, local: np.ndarray, velocity, permeability: np.ndarray):
    """full (6 x voxels of all levels) and total (voxels of all levels), 1/min."""
    flat, totals = [], []
    first, second, third = (NOTHING,) * 3 if velocity is None else velocity
    for level, shape in enumerate(tables["shape"]):
        full, edge = np.zeros((6, *shape)), np.zeros(tuple(shape))
        _couple(full, edge, local, widths[level], permeability, first, second, third)
        flat.append(full.ravel())
        totals.append((edge + full.sum(axis=0)).ravel())
        if level + 1 < len(tables["shape"]):
            counts = tables["shape"][level + 1][::-1]
            groups = tuple(tables["group"][level, a, : n + 1] for a, n in enumerate(counts))
            share, fine = tables["share"][level], local
            local = np.empty(tuple(counts[::-1]))
            _merge(local, fine, groups, share)
            if velocity is not None:
                first, second, third = (_merge_faces(v, a, groups, share) for a, v in enumerate((first, second, third)))
    return np.concatenate(flat), np.concatenate(totals)


def _merge_faces(velocity: np.ndarray, axis: int, groups: tuple[np.ndarray, ...], share: np.ndarray) -> np.ndarray:
    """Velocities on the faces of the next level: those between its groups along the axis, their mean along others."""
    kept = np.ascontiguousarray(np.take(velocity, groups[axis], axis=2 - axis))
    n = kept.shape[2 - axis]
    groups, share = (*groups[:axis], np.arange(n + 1), *groups[axis + 1 :]), share.copy()
    if share.shape[1] < n:
        share = np.pad(share, ((0, 0), (0, n - share.shape[1])))
    share[axis] = 1.0
    out = np.empty(tuple(len(g) - 1 for g in groups[::-1]))
    _merge(out, kept, groups, share)
    return out


def _walls(local: np.ndarray, velocity, widths: np.ndarray, permeability: np.ndarray) -> list[np.ndarray]:
    """1/min, what each face lets into the voxels at it, of the finest level."""
    wall = []
    for face in range(6):
        at, a = _face(face), face // 2
        h = widths[a, 0]
        enter = _conductance(h, local[at], permeability[face]) / h
        wall.append(enter)
        if permeability[face] > 0.0 and velocity is not None:
            enter += np.maximum(velocity[a][at] * (1.0 if face % 2 == 0 else -1.0), 0.0) / h
    return wall


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
        return Hierarchy(Levels(full=np.empty(0), total=np.concatenate(totals), **tables), walls)
    local = np.full(shape, diffusion) if mobility is None else diffusion * np.ascontiguousarray(mobility)
    permeability = np.asarray(permeability, float)
    full, total = _assemble(tables, widths, local, velocity, permeability)
    return Hierarchy(Levels(full=full, total=total, **tables), _walls(local, velocity, widths[0], permeability))


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
    spread = np.zeros((len(all_widths), 3, size))
    for level, own in enumerate(all_widths):
        for a, w in enumerate(own):
            spread[level, a, : len(w)] = w
    return stacked, spread, edges, wall
