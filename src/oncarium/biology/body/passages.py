"""Cells enter the tissue from the blood, and leave it for the lymph."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from ...engine.process import Number, Process, Tick
from ...engine.random import keys_of, uniform
from ...engine.tissue import Tissue
from ...engine.why import Why, given
from ..vessels.hearing import heard
from ..vessels.wall import open_radius, pieces

MOST = 50  # arrivals of one kind in one voxel and one step
PLACE = MOST + 1  # first draw that places an arrival


@dataclass(frozen=True)
class Door:
    """Where cells of a type enter.

    type       index of the type             voxels     flat numbers of the voxels they enter by; None: by vessels
    rate       1/min and voxel at a full body and a saturating signal; 1/min and um of perfused vessel
    body       index of the compartment they come from, or -1
    factor     index of the factor that calls them, or -1; half, hill: of its response
    size       cells that are one unit of the compartment
    count      cells per nl of blood at a full body, of which vessels let at most a share in
    """

    type: int
    voxels: np.ndarray | None
    rate: float
    body: int = -1
    factor: int = -1
    half: float = 1.0
    hill: float = 1.0
    size: float = math.inf
    count: float = math.inf


@dataclass(frozen=True)
class Exit:
    """Where cells of a type leave.

    voxels          flat numbers of the voxels that they leave by; None: by lymph vessels, as far as they are open

    column, above   only cells whose column lies above a value    rate   1/min, in one of the voxels
    body            index of the compartment they go to, or -1    size   as of Door
    carries         column that they bring to the compartment, in place of themselves
    """

    type: int
    voxels: np.ndarray | None
    rate: float
    column: str = ""
    above: float = 0.0
    body: int = -1
    size: float = math.inf
    carries: str = ""


class Walls(NamedTuple):
    """Where cells come through vessels: voxel and segment of each piece of wall, um of it that holds cells, share of
    what flows (segment, nl/min) that stays, and the voxels with walls."""

    voxel: np.ndarray
    segment: np.ndarray
    holding: np.ndarray
    most: np.ndarray
    there: np.ndarray


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
def leaving(seed, stream, tick, dt, keys, rows, rate):
    """Which of these cells leave now, each at its own rate (row), 1/min."""
    out = np.zeros(rows.shape[0], np.bool_)
    for k in range(rows.shape[0]):
        out[k] = uniform(seed, stream, tick, keys[rows[k]], 1) < 1.0 - math.exp(-rate[k] * dt)
    return out


class Recruitment(Process):
    """Arrivals from the blood and departures to the lymph.

    Equation    arrivals per voxel and time   rate  b  s^hill / (half^hill + s^hill),   a Poisson number per step
                departures                    at `rate` for cells in an exit voxel; x lymph x its open share

    b is the level of the compartment they come from, s the concentration that calls them (1 where nothing does).
    Arrivals lie anywhere in their voxel. They and departures change the compartment by 1 / size, or by what they carry
    / size, times the number of such pieces that the lesion has.

    Through vessels `rate` is per um of perfused vessel. VEGF-A keeps the endothelium from holding them (anergy), down
    to 0.3; and of the cells that blood delivers at most a hundredth stays along a capillary's whole way.

    Adds to     cells and the population's removals, before Division; body.     Reads   fields.value, vessels, fluid.
    Source      anergy of endothelium: Griffioen et al. 1996 (Cancer Res 56:1111); a hundredth: assumed, as recalled
                from intravital counts.
    """

    group = "vessels.adhesion"
    numbers = (
        Number(
            "held",
            "1",
            0.01,
            "L 0.003..0.03",
            "share of passing cells that stays along a capillary's way",
            ge=0.0,
            le=1.0,
        ),
        Number("way", "um", 450.0, "assumed 300..680", "along a capillary", ge=1.0),
        Number("anergy", "1", 0.7, "assumed 0.35..0.95", "share of adhesion that VEGF-A takes", ge=0.0, le=1.0),
        Number("anergy_half", "nM", 0.1, "assumed 0.03..0.5", "VEGF-A at half of that", ge=1e-9),
    )
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

        def voxels(p: Any) -> np.ndarray | None:
            if p.at in ("vessel", "lymph"):
                return None
            if p.at == "edge":
                return build.edge()
            return np.unique(np.concatenate([build.inside(s.region) for s in ways.supply]))

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
                p.size / ways.represents,
                p.count,
            )
            for p in ways.entries
        ]
        exits = [
            Exit(
                types.index(p.type), voxels(p), p.rate, p.column, p.above, body(p), p.size / ways.represents, p.carries
            )
            for p in ways.exits
        ]
        return cls(build.minutes(cls.clock), doors, exits, **cls.said(model), **options)

    def __init__(self, period: float, doors: Sequence[Door], exits: Sequence[Exit] = (), **numbers: float):
        self.period = period
        self.given = {n.name: n.default for n in self.numbers} | numbers
        self.doors, self.exits = list(doors), list(exits)

    def prepare(self, tissue: Tissue) -> None:
        grid = tissue.fields.grid
        self.lower, self.spacing = np.array(grid.lower, float), np.array(grid.spacing, float)
        self.inside = []
        for way in self.exits:
            mask = np.zeros(math.prod(grid.shape))
            mask[slice(None) if way.voxels is None else way.voxels] = 1.0
            self.inside.append(mask)
        self.vegf = tissue.fields.index("vegfa") if "vegfa" in tissue.fields.names else -1
        self.cut: tuple[np.ndarray, ...] = ()  # of the network that was cut into pieces

    def step(self, tissue: Tissue, tick: Tick) -> None:
        walls = self._walls(tissue) if any(door.voxels is None for door in self.doors) else None
        for k, door in enumerate(self.doors):
            self._enter(tissue, tick, k, door, walls)
        gone = [self._leave(tissue, tick, way, mask) for way, mask in zip(self.exits, self.inside)]
        if gone:
            tissue.population.remove(np.unique(np.concatenate(gone)))

    def _called(self, tissue: Tissue, door: Door, voxels: np.ndarray) -> np.ndarray | float:
        """Response (voxel) to the factor that calls them."""
        if door.factor < 0:
            return 1.0
        s = np.maximum(tissue.fields.value[door.factor].reshape(-1)[voxels], 0.0)
        if tissue.plasma is not None:
            s = s * tissue.plasma.hears(tissue.cells.types[door.type], tissue.fields.names[door.factor])
        s = s**door.hill
        return s / (s + door.half**door.hill)

    def _walls(self, tissue: Tissue) -> Walls:
        """The walls that let cells in now."""
        vessels, fields, said = tissue.vessels, tissue.fields, self.given
        graph = vessels.graph
        seen = (graph.position, graph.ends, graph.segments["length"], open_radius(graph))
        if not self.cut or not all(np.array_equal(a, b) for a, b in zip(self.cut, seen)):
            self.cut = tuple(a.copy() for a in seen)
            found = pieces(graph, fields.grid)
            piece = np.repeat(np.arange(len(found.length)), np.diff(found.first))
            self.laid = (found.voxel, found.segment[piece], found.length[piece] * found.weight, np.unique(found.voxel))
        voxel, segment, length, there = self.laid
        holding = length * vessels.perfused[segment]
        if self.vegf >= 0:
            vegf = np.maximum(heard(tissue, ["vegfa"])[0].reshape(-1)[voxel], 0.0)
            holding = holding * (1.0 - said["anergy"] * vegf / (vegf + said["anergy_half"]))
        most = (
            said["held"] * np.abs(graph.segments["flow"]) * np.bincount(segment, length, graph.n_segments) / said["way"]
        )
        return Walls(voxel, segment, holding, most, there)

    def _through_walls(self, tissue: Tissue, door: Door, walls: Walls | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Voxels, and 1/min of arrivals in each, from perfused vessels at a full body."""
        w = walls or self._walls(tissue)
        rate = door.rate * w.holding * self._called(tissue, door, w.voxel)
        if math.isfinite(door.count):
            total = np.bincount(w.segment, rate, len(w.most))
            rate = rate * np.minimum(1.0, door.count * w.most / np.maximum(total, 1e-300))[w.segment]
        return w.there, np.bincount(w.voxel, rate, math.prod(tissue.fields.grid.shape))[w.there]

    def _enter(self, tissue: Tissue, tick: Tick, k: int, door: Door, walls: Walls | None) -> None:
        cells, fields = tissue.cells, tissue.fields
        level = tissue.body.level[door.body] if door.body >= 0 else 1.0
        if door.voxels is None:
            voxels, mean = self._through_walls(tissue, door, walls)
            mean = mean * level * tick.dt
        else:
            voxels = door.voxels
            mean = np.full(len(voxels), door.rate * level * tick.dt) * self._called(tissue, door, voxels)
        count = np.zeros(len(voxels), np.int64)
        seed, stream = np.uint64(tick.seed), self.stream + 1 + k
        first = 1 << 20  # voxels have numbers of their own
        count_arrivals(seed, stream, tick.number, voxels, mean, first, count)
        total = int(count.sum())
        if not total:
            return
        voxel = np.repeat(voxels, count)
        ny, nx = fields.grid.shape[1:]
        corner = np.stack([voxel % nx, voxel // nx % ny, voxel // (nx * ny)], axis=1)
        place = np.arange(total) - np.repeat(np.cumsum(count) - count, count)  # in the queue before the voxel
        key = keys_of("arrival", k, voxel, tick.number, place)
        new = cells.add(np.full(total, door.type), key=key)
        u = np.array([[uniform(seed, stream, tick.number, i, a) for a in (1, 2, 3)] for i in key])
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
        if way.voxels is None:
            inside = (tissue.fluid.lymph * tissue.fluid.open).reshape(-1)
        share = inside[tissue.voxels(cells.position[rows])]
        rows, share = rows[share > 0.0], share[share > 0.0]
        seed = np.uint64(tick.seed)
        rows = rows[leaving(seed, self.stream, tick.number, tick.dt, cells.key, rows, way.rate * share)]
        tissue.population.log(tick.time, cells.id[rows], "departure", way.type)
        if way.body >= 0:
            tissue.body.level[way.body] += (cells[way.carries][rows].sum() if way.carries else len(rows)) / way.size
        return rows
