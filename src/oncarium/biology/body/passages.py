"""Cells enter the tissue from the blood, and leave it for the lymph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from ...engine.process import Process, Tick
from ...engine.random import uniform
from ...engine.tissue import Tissue
from ...engine.why import Why, given

MOST = 50  # arrivals of one kind in one voxel and one step
PLACE = MOST + 1  # first draw that places an arrival


@dataclass(frozen=True)
class Door:
    """Where cells of a type enter.

    type       index of the type             voxels     flat numbers of the voxels they enter by
    rate       1/min and voxel at a full body and a saturating signal
    body       index of the compartment they come from, or -1
    factor     index of the factor that calls them, or -1; half, hill: of its response
    size       cells that are one unit of the compartment
    """

    type: int
    voxels: np.ndarray
    rate: float
    body: int = -1
    factor: int = -1
    half: float = 1.0
    hill: float = 1.0
    size: float = math.inf


@dataclass(frozen=True)
class Exit:
    """Where cells of a type leave.

    column, above   only cells whose column lies above a value    rate   1/min, in one of the voxels
    body            index of the compartment they go to, or -1    size   as of Door
    carries         column that they bring to the compartment, in place of themselves
    """

    type: int
    voxels: np.ndarray
    rate: float
    column: str = ""
    above: float = 0.0
    body: int = -1
    size: float = math.inf
    carries: str = ""


@njit(cache=True, nogil=True)
def count_arrivals(seed, stream, tick, voxels, mean, first, out):
    """Poisson numbers of arrivals per voxel, by inversion of one uniform number each."""
    for k in range(voxels.shape[0]):
        m = mean[k]
        out[k] = 0
        if m <= 0.0:
            continue
        u = uniform(seed, stream, tick, first + voxels[k], 0)
        p = math.exp(-m)
        total = p
        while u > total and out[k] < MOST:
            out[k] += 1
            p *= m / out[k]
            total += p


@njit(cache=True, nogil=True)
def leaving(seed, stream, tick, dt, ids, rows, rate):
    """Which of these cells leave now."""
    out = np.zeros(rows.shape[0], np.bool_)
    for k in range(rows.shape[0]):
        out[k] = uniform(seed, stream, tick, ids[rows[k]], 1) < 1.0 - math.exp(-rate * dt)
    return out


class Recruitment(Process):
    """Arrivals from the blood and departures to the lymph.

    Equation    arrivals per voxel and time   rate  b  s^hill / (half^hill + s^hill),   a Poisson number per step
                departures                    at `rate` for cells in an exit voxel

    b is the level of the compartment they come from, s the concentration that calls
    them (1 where nothing does). Arrivals lie anywhere in their voxel. They and
    departures change the compartment by 1 / size, or by what they carry / size.

    Adds to     cells and the population's removals, before Division; body.     Reads   fields.value.
    """

    section = "entry"
    slot = "renew"
    reads = ("fields.value", "body", "population")
    adds = ("cells", "body")
    events = ("arrival", "departure")
    serves = ("entry", "exit")

    @classmethod
    def why(cls, model) -> Why:
        ways = model.patient
        return given(
            ways.entries or ways.exits, "entry" if ways.entries else "exit", "the model has neither entry nor exit"
        )

    @classmethod
    def of(cls, model, build, **options) -> Recruitment:
        ways, types, factors = model.patient, [t.name for t in model.types], [f.name for f in model.factors]
        bodies = [c.name for c in ways.compartments]

        def voxels(p: Any) -> np.ndarray:
            return (
                build.edge()
                if p.at == "edge"
                else np.unique(np.concatenate([build.inside(s.region) for s in ways.supply]))
            )

        def body(p: Any) -> int:
            return bodies.index(p.body) if p.body else -1

        doors = [
            Door(
                types.index(p.type),
                voxels(p),
                p.rate,
                body(p),
                factors.index(p.factor) if p.factor else -1,
                p.half,
                p.hill,
                p.size,
            )
            for p in ways.entries
        ]
        exits = [
            Exit(types.index(p.type), voxels(p), p.rate, p.column, p.above, body(p), p.size, p.carries)
            for p in ways.exits
        ]
        return cls(build.minutes(cls.clock), doors, exits, **options)

    def __init__(self, period: float, doors: Sequence[Door], exits: Sequence[Exit] = ()):
        self.period = period
        self.doors, self.exits = list(doors), list(exits)

    def prepare(self, tissue: Tissue) -> None:
        grid = tissue.fields.grid
        self.lower, self.spacing = np.array(grid.lower, float), np.array(grid.spacing, float)
        self.inside = []
        for way in self.exits:
            mask = np.zeros(int(np.prod(grid.shape)), np.bool_)
            mask[way.voxels] = True
            self.inside.append(mask)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        for k, door in enumerate(self.doors):
            self._enter(tissue, tick, k, door)
        gone = [self._leave(tissue, tick, way, mask) for way, mask in zip(self.exits, self.inside)]
        if gone:
            tissue.population.remove(np.unique(np.concatenate(gone)))

    def _enter(self, tissue: Tissue, tick: Tick, k: int, door: Door) -> None:
        cells, fields = tissue.cells, tissue.fields
        level = tissue.body.level[door.body] if door.body >= 0 else 1.0
        mean = np.full(len(door.voxels), door.rate * level * tick.dt)
        if door.factor >= 0:
            s = np.maximum(fields.value[door.factor].reshape(-1)[door.voxels], 0.0) ** door.hill
            mean *= s / (s + door.half**door.hill)
        count = np.zeros(len(door.voxels), np.int64)
        seed, stream = np.uint64(tick.seed), self.stream + 1 + k
        first = 1 << 20  # voxels have numbers of their own
        count_arrivals(seed, stream, tick.number, door.voxels, mean, first, count)
        total = int(count.sum())
        if not total:
            return
        voxel = np.repeat(door.voxels, count)
        ny, nx = fields.grid.shape[1:]
        corner = np.stack([voxel % nx, voxel // nx % ny, voxel // (nx * ny)], axis=1)
        new = cells.add(np.full(total, door.type))
        u = np.array([[uniform(seed, stream, tick.number, i, a) for a in (1, 2, 3)] for i in cells.id[new]])
        if fields.grid.is_2d:
            u[:, 2] = 0.5
        cells.position[new] = self.lower + (corner + u) * self.spacing
        tissue.population.log(tick.time, cells.id[new], "arrival", door.type)
        if door.body >= 0:
            tissue.body.level[door.body] = max(tissue.body.level[door.body] - total / door.size, 0.0)

    def _leave(self, tissue: Tissue, tick: Tick, way: Exit, inside: np.ndarray) -> np.ndarray:
        cells = tissue.cells
        rows = np.flatnonzero((cells.type == way.type) & (cells["vital"] == 0))
        if way.column:
            rows = rows[cells[way.column][rows] > way.above]
        voxel = tissue.voxels(cells.position[rows])
        rows = rows[inside[voxel]]
        rows = rows[leaving(np.uint64(tick.seed), self.stream, tick.number, tick.dt, cells.id, rows, way.rate)]
        tissue.population.log(tick.time, cells.id[rows], "departure", way.type)
        if way.body >= 0:
            tissue.body.level[way.body] += (cells[way.carries][rows].sum() if way.carries else len(rows)) / way.size
        return rows
