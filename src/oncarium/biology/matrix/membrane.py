"""A basement membrane around a nest keeps cells in or out, until proteases breach it."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ...engine.column import State
from ...engine.process import Process, Tick
from ...engine.random import uniform
from ...engine.tissue import Tissue
from ...engine.why import Why, given, lives_on
from .remodeling import FAMILIES
from .state import BREACH

REPAIR = 0.02 / 60.0  # 1/min (assumed)
CUT = 8e-3  # 1/min of every family at reference activity: together they breach it within an hour (assumed)
SURFACE = 3.0  # how much more MMP cuts where it sits on a cell that makes it, as MT1-MMP does (assumed)
PULL = 0.02 / 60.0  # 1/min: a contracting cell opens it without any protease (Glentis et al. 2017; rate assumed)
PASSING = 0.05  # 1/min: rate of passing where nothing is left of it (assumed)
INSIDE = 1e-3  # um: how far before the membrane a cell is stopped


@njit(cache=True, nogil=True)
def hold(firing, ids, position, voxel, voxel_before, grid, membrane):
    """Put back along the axis whoever crossed a face whose membrane
    did not let it pass; leaves the voxel each cell is in now."""
    seed, stream, tick, dt, _ = firing
    lower, spacing, shape = grid
    mx, my, mz = membrane
    ny, nx = shape[1], shape[2]
    for i in range(ids.shape[0]):
        b, v = voxel_before[i], voxel[i]
        if b < 0 or b == v:
            voxel_before[i] = v
            continue
        at = (b % nx, b // nx % ny, b // (nx * ny))
        to = (v % nx, v // nx % ny, v // (nx * ny))
        x, y, z = at
        for axis in range(3):
            while at[axis] != to[axis]:
                here = x if axis == 0 else y if axis == 1 else z
                if here == to[axis]:
                    break
                up = to[axis] > here
                face = here + 1 if up else here
                strength = mx[z, y, face] if axis == 0 else my[z, face, x] if axis == 1 else mz[face, y, x]
                if strength > 0.0:
                    chance = PASSING * max(1.0 - strength / BREACH, 0.0)
                    if uniform(seed, stream, tick, ids[i], axis) >= 1.0 - math.exp(-chance * dt):
                        position[i, axis] = lower[axis] + face * spacing[axis] + (-INSIDE if up else INSIDE)
                        break
                step = 1 if up else -1
                if axis == 0:
                    x += step
                elif axis == 1:
                    y += step
                else:
                    z += step
        voxel_before[i] = (z * ny + y) * nx + x


class Membrane(Process):
    """Nest basement membrane on the faces between voxels.

    Equation    b' = r (1 - b) - b (k (s M + S + C) + p q),   the bracket averaged over the voxels beside the face
                M, S, C: activities of MMP, serine and cysteine proteases
                s: 3 where a live cell that makes MMP lies, 1 elsewhere
                q: the strongest traction (matrix.traction) of the live cells there
                a cell that meets a face passes at rate 0.05/min (1 - b / 0.3), and is stopped before it otherwise

    Column            Unit   Kind    Meaning
    membrane.voxel    1      State   voxel the cell was in at the last look

    Only faces that held a membrane at the start mend.

    Sets        matrix.membrane, position.
    Source      Rowe & Weiss 2008, Trends Cell Biol 18:560 (DOI 10.1016/j.tcb.2008.08.007); fibroblasts that pull it
                open: Glentis et al. 2017, Nat Commun 8:924 (DOI 10.1038/s41467-017-00985-8); numbers assumed.
    """

    section = "membrane"
    slot = "move"
    reads = ("fields.value", "secretion.rate", "matrix.traction", "vital")
    adds = ("position", "matrix.membrane")
    voxel = State("1", -1, dtype=int, inherit="copy", doc="voxel the cell was in at the last look")

    part = "matrix"
    clock = "mechanics"

    @classmethod
    def why(cls, model) -> Why:
        return lives_on(cls, model) and given(
            model.matrix.membrane is not None, "matrix.membrane", "the matrix has no membrane"
        )

    def __init__(self, period: float, cut: float = CUT, repair: float = REPAIR, pull: float = PULL):
        self.period = period
        self.cut, self.repair, self.pull = cut, repair, pull

    def prepare(self, tissue: Tissue) -> None:
        fields = tissue.fields
        self.lower, self.spacing = np.array(fields.grid.lower, float), np.array(fields.grid.spacing, float)
        self.protease = [fields.index(name) if name in fields.names else -1 for name in FAMILIES]
        self.laid = tuple(face > 0.0 for face in tissue.matrix.membrane)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, fields = tissue.cells, tissue.fields
        voxel = tissue.voxels()
        self._thin(tissue, voxel, tick.dt)
        grid = (self.lower, self.spacing, fields.grid.shape)
        hold(self.firing(tick), cells.id, cells.position, voxel, cells["membrane.voxel"], grid, tissue.matrix.membrane)

    def _thin(self, tissue: Tissue, voxel: np.ndarray, dt: float) -> None:
        """Proteases and pulling cells thin the membrane, it mends."""
        fields = tissue.fields
        surface, pulled = self._touch(tissue, voxel)
        activity = self.pull * pulled
        strength: tuple[np.ndarray | float, ...] = (surface, 1.0, 1.0)
        for f, more in zip(self.protease, strength):
            if f >= 0:
                activity += self.cut * more * np.maximum(fields.value[f], 0.0)
        for axis, face, laid in zip((2, 1, 0), tissue.matrix.membrane, self.laid):
            if not laid.any():
                continue
            padded = np.concatenate([activity.take([0], axis), activity, activity.take([-1], axis)], axis)
            low, high = ([slice(None)] * 3 for _ in range(2))
            low[axis], high[axis] = slice(0, -1), slice(1, None)
            rate = self.repair + 0.5 * (padded[tuple(low)] + padded[tuple(high)])
            goal = self.repair / np.maximum(rate, 1e-300)
            face[laid] = (goal + (face - goal) * np.exp(-rate * dt))[laid]

    def _touch(self, tissue: Tissue, voxel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(z, y, x) of both: how much more MMP cuts there, and the strongest
        pull of the cells there. A maximum has no order of cells."""
        cells, shape = tissue.cells, tissue.fields.grid.shape
        surface, pulled = np.ones(math.prod(shape)), np.zeros(math.prod(shape))
        live = cells["vital"] == 0
        if self.protease[0] >= 0 and "secretion.rate" in cells:
            surface[voxel[live & (cells["secretion.rate"][:, self.protease[0]] > 0.0)]] = SURFACE
        if "matrix.traction" in cells:
            np.maximum.at(pulled, voxel, np.where(live, cells["matrix.traction"], 0.0))
        return surface.reshape(shape), pulled.reshape(shape)
