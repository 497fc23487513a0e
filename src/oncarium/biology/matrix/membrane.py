"""A basement membrane around a nest keeps cells in or out, until proteases breach it."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ...engine.column import State
from ...engine.process import Number, Process, Tick
from ...engine.random import uniform
from ...engine.tissue import Tissue
from ...engine.why import Why, given, lives_on
from .remodeling import FAMILIES
from .state import BREACH

# 1/min: how fast a membrane mends; of every dissolved family at reference activity, which alone leaves 0.4 of it; and
# of a family on the surface of a touching cell at full expression: MT1-MMP breaches within 30 h, uPAR-plasmin or
# cathepsin alone within four days. All set at the tissue's level: a cell halfway into EMT opens what it touches within
# two to four days, an epithelial one never, and the hole closes within two days of its leaving
REPAIR, SOLUBLE = 1.5e-4, 2.2e-4
SURFACE = (8.5e-4, 4e-4, 4e-4)
EXPRESSION = 160.0  # um^3/min of secretion at half of the surface expression (assumed: that of an invasive cell)
TOUCH = 1.0  # um between a cell and a face that it touches (assumed)
ACID = (7.0, 8.0)  # pH at which half of a cathepsin works, and how steep that is, as in proteolysis
NORMAL, BUFFER = 7.4, 25.0  # pH without acid, mM of acid per pH
INSIDE = 1e-3  # um: how far before the membrane a cell is stopped


@njit(cache=True, nogil=True)
def hold(firing, keys, position, voxel, voxel_before, grid, gate, membrane):
    """Put back along the axis whoever crossed a face whose membrane
    did not let it pass; leaves the voxel each cell is in now."""
    seed, stream, tick, dt, _ = firing
    lower, spacing, shape = grid
    passing, opening = gate
    mx, my, mz = membrane
    ny, nx = shape[1], shape[2]
    for i in range(keys.shape[0]):
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
                    chance = passing * max(1.0 - strength / opening, 0.0)
                    if uniform(seed, stream, tick, keys[i], axis) >= 1.0 - math.exp(-chance * dt):
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


def expressed(secretion, half=EXPRESSION):
    """Share of the full surface expression of a cell that secretes so much (um^3/min).

    >>> float(expressed(160.0)), round(float(expressed(16.0)), 4)
    (0.5, 0.0099)
    """
    square = np.maximum(secretion, 0.0) ** 2
    return square / (square + half**2)


def surface_cut(tissue: Tissue, rates: tuple[float, ...] = SURFACE, half: float = EXPRESSION) -> np.ndarray:
    """(cell) 1/min at which each cell cuts a membrane that it touches, by the proteases on its own surface.

    MMP (MT1-MMP), serine proteases (uPAR-plasmin) and, where it is acid, cathepsins add up; what a cell secretes tells
    what it carries. The dead carry nothing."""
    cells, fields = tissue.cells, tissue.fields
    out = np.zeros(cells.n)
    if "secretion.rate" not in cells:
        return out
    labels = cells.labels("secretion.rate")
    for name, most in zip(FAMILIES, rates):
        if name in labels:
            share = expressed(cells["secretion.rate"][:, labels.index(name)], half)
            if name == "cathepsin" and "acid" in fields.names:
                ph = NORMAL - fields.value[fields.index("acid")].reshape(-1)[tissue.voxels()] / BUFFER
                share = share / (1.0 + np.exp(ACID[1] * (ph - ACID[0])))
            out += most * share
    return np.where(cells["vital"] == 0, out, 0.0) if "vital" in cells else out


@njit(cache=True, nogil=True)
def touch(position, radius, rate, grid, laid, axis, most):
    """most[face] = the highest rate (cell) of the cells that touch it: whose surface is within TOUCH of the rectangle.
    A maximum has no order of cells. laid, most: of the faces across one axis."""
    lower, spacing, shape = grid
    low, high, gap = np.empty(3, np.int64), np.empty(3, np.int64), np.empty(3)
    for i in range(position.shape[0]):
        if rate[i] <= 0.0:
            continue
        reach = radius[i] + TOUCH
        for a in range(3):
            n = shape[2 - a] + (1 if a == axis else 0)
            from_lower = position[i, a] - lower[a]
            if a == axis:
                low[a] = max(math.ceil((from_lower - reach) / spacing[a]), 0)
                high[a] = min(math.floor((from_lower + reach) / spacing[a]), n - 1)
            else:
                low[a] = max(math.floor((from_lower - reach) / spacing[a]), 0)
                high[a] = min(math.floor((from_lower + reach) / spacing[a]), n - 1)
        for z in range(low[2], high[2] + 1):
            for y in range(low[1], high[1] + 1):
                for x in range(low[0], high[0] + 1):
                    if not laid[z, y, x] or most[z, y, x] >= rate[i]:
                        continue
                    for a in range(3):
                        at = x if a == 0 else y if a == 1 else z
                        first = lower[a] + at * spacing[a]
                        last = first if a == axis else first + spacing[a]
                        gap[a] = max(first - position[i, a], position[i, a] - last, 0.0)
                    if gap[0] ** 2 + gap[1] ** 2 + gap[2] ** 2 <= reach**2:
                        most[z, y, x] = rate[i]


class Membrane(Process):
    """Nest basement membrane on the faces between voxels.

    Equation    b' = r (1 - b) - b (k (M + S + C) + m + p q)
                M, S, C: activities of dissolved MMP, serine and cysteine proteases, means over both sides of the face
                m: the highest m_M e(s_M) + m_S e(s_S) + m_C e(s_C) a of the cells that touch the face
                e(s) = s^2 / (s^2 + (160 um^3/min)^2) of what the cell secretes,   a = 1 / (1 + exp(8 (pH - 7)))
                q: the strongest traction (matrix.traction) of the cells that touch it
                a cell that meets a face passes at rate 0.05/min (1 - b / 0.3), and is stopped before it otherwise

    So a membrane opens where an invasive cell sits, hole by hole, and mends behind it; dissolved proteases thin it
    everywhere and make holes come sooner. Where a tissue has no acid, cathepsins on the surface work fully.

    Column            Unit   Kind    Meaning
    membrane.voxel    1      State   voxel the cell was in at the last look

    Only faces that held a membrane at the start mend.

    Sets        matrix.membrane, position.
    Source      Rowe & Weiss 2008, Trends Cell Biol 18:560 (DOI 10.1016/j.tcb.2008.08.007); MT1-MMP on the surface:
                Hotary et al. 2006, Genes Dev 20:2673 (DOI 10.1101/gad.1451806); fibroblasts that pull it open: Glentis
                et al. 2017, Nat Commun 8:924 (DOI 10.1038/s41467-017-00985-8); numbers assumed.
    """

    group = "matrix.breach"
    numbers = (
        Number("repair", "1/min", REPAIR, "assumed 1.1e-4..1e-3", "of the membrane", ge=0.0),
        Number("cut", "1/min", SOLUBLE, "assumed 1e-4..2.5e-3", "by each dissolved family at reference", ge=0.0),
        Number(
            "mmp", "1/min", SURFACE[0], "assumed 8.3e-4..7.5e-3", "on the surface of a cell that touches it", ge=0.0
        ),
        Number("serine_protease", "1/min", SURFACE[1], "assumed 4e-4..3.6e-3", "on the surface of such a cell", ge=0.0),
        Number("cathepsin", "1/min", SURFACE[2], "assumed 4e-4..3.6e-3", "on the surface of such a cell", ge=0.0),
        Number("expression", "um^3/min", EXPRESSION, "assumed 50..500", "secretion at half of these", ge=1e-9),
        Number("pull", "1/min", REPAIR, "assumed 1.1e-4..1e-3", "by a contracting cell", ge=0.0),
        Number("passing", "1/min", 0.05, "assumed 0.017..0.15", "rate of passing where nothing is left", ge=0.0),
        Number("opening", "1", BREACH, "assumed 0.15..0.6", "strength below which a cell can pass", ge=1e-9, le=1.0),
    )
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

    def __init__(self, period: float, **numbers: float):
        self.period = period
        k = {n.name: n.default for n in self.numbers} | numbers
        self.cut, self.repair, self.pull = k["cut"], k["repair"], k["pull"]
        self.surface, self.expression = tuple(k[family] for family in FAMILIES), k["expression"]
        self.gate = (k["passing"], k["opening"])

    def prepare(self, tissue: Tissue) -> None:
        fields = tissue.fields
        self.lower, self.spacing = np.array(fields.grid.lower, float), np.array(fields.grid.spacing, float)
        self.protease = [fields.index(name) for name in FAMILIES if name in fields.names]
        self.laid = tuple(face > 0.0 for face in tissue.matrix.membrane)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, fields = tissue.cells, tissue.fields
        self._thin(tissue, tick.dt)
        grid, voxel = (self.lower, self.spacing, fields.grid.shape), tissue.voxels()
        hold(
            self.firing(tick),
            cells.key,
            cells.position,
            voxel,
            cells["membrane.voxel"],
            grid,
            self.gate,
            tissue.matrix.membrane,
        )

    def _thin(self, tissue: Tissue, dt: float) -> None:
        """Dissolved proteases, and the cells that touch it, thin the membrane; it mends."""
        cells, fields = tissue.cells, tissue.fields
        dissolved = np.zeros(fields.grid.shape)
        for f in self.protease:
            dissolved += self.cut * np.maximum(fields.value[f], 0.0)
        radius = np.cbrt(0.75 / math.pi * cells["volume.total"])
        pulling = np.zeros(cells.n)
        if "matrix.traction" in cells:
            pulling = np.where(cells["vital"] == 0, self.pull * cells["matrix.traction"], 0.0)
        cutting, grid = (
            surface_cut(tissue, self.surface, self.expression),
            (self.lower, self.spacing, fields.grid.shape),
        )
        for a, (face, laid) in enumerate(zip(tissue.matrix.membrane, self.laid)):
            if not laid.any():
                continue
            cut, pulled, axis = np.zeros(face.shape), np.zeros(face.shape), 2 - a
            touch(cells.position, radius, cutting, grid, laid, a, cut)
            touch(cells.position, radius, pulling, grid, laid, a, pulled)
            padded = np.concatenate([dissolved.take([0], axis), dissolved, dissolved.take([-1], axis)], axis)
            low, high = ([slice(None)] * 3 for _ in range(2))
            low[axis], high[axis] = slice(0, -1), slice(1, None)
            rate = self.repair + 0.5 * (padded[tuple(low)] + padded[tuple(high)]) + cut + pulled
            goal = self.repair / np.maximum(rate, 1e-300)
            face[laid] = (goal + (face - goal) * np.exp(-rate * dt))[laid]
