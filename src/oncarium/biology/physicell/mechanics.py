"""One step of second order with the velocities of now and before,
in two halves: what others do in between sees the old places.

    x <- x + dt (3/2 v - 1/2 v_before)

Between `Velocities` and `Positions` cells attach, engulf and
fuse; whoever is gone by then has still pushed its neighbors."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ...engine.column import State
from ...engine.kernels.gate import meet, new_gate
from ...engine.process import Process, Tick
from ...engine.threads import as_crew, over_rows
from ...engine.tissue import Tissue
from ...engine.why import Why
from ..forces import PRESSURE_UNIT, added, pull, push
from ..mechanics import Mechanics
from ..outside import LEFT, OUTSIDE, free

NOW = State(
    "um/min", axis="xyz", inherit="zero", doc="velocity of this step, until the cells move", name="velocity.now"
)
MARGIN = 1.0  # um: assumed; a cell moves or grows so far before neighbor lists are built anew
AHEAD = 1.0  # min: assumed; a motile cell may besides travel so long
FAR_AWAY = 1e9  # um
WALL = 100.0  # um/min
SAME = 1e-7  # um: PhysiCell's tolerance for a cell on a diagonal of the box


@njit(cache=True, nogil=True, error_model="numpy")
def gather(first, last, position, radius, distance, repulsion, adhesion, ids, speed, left, body, place, reach, margin):
    """Row after row what the pair loop needs: body (cell, 8) as of `push`; place (cell, xyz), reach and
    margin (cell) um of the neighbor lists. left (cell): has left the domain, so nobody feels it."""
    for i in range(first, last):
        gone = left.shape[0] > 0 and left[i]
        for k in range(3):
            x = position[i, k] + (FAR_AWAY * (1.0 + i) if gone else 0.0)
            body[i, k] = x
            place[i, k] = x
        body[i, 3] = radius[i]
        body[i, 4] = radius[i] * distance[i]
        body[i, 5] = math.sqrt(repulsion[i])
        body[i, 6] = math.sqrt(adhesion[i])
        body[i, 7] = ids[i]
        reach[i] = radius[i] * max(distance[i], 1.0)
        margin[i] = MARGIN + (AHEAD * speed[i] if speed.shape[0] > 0 else 0.0)


@njit(cache=True, nogil=True)
def wall_push(x, y, z, lower, upper, radius, strength, flat):
    """Push (xyz) um/min of the nearest face only; a cell on the box's diagonal is pushed along it."""
    nearest, face = x - lower[0], 0
    for k, d in enumerate((upper[0] - x, y - lower[1], upper[1] - y, z - lower[2], upper[2] - z)):
        if d < nearest and (k < 3 or not flat):
            nearest, face = d, k + 1
    if nearest >= radius:
        return 0.0, 0.0, 0.0
    o = 1.0 - nearest / radius
    w = strength * o * o
    if flat and abs(x - y) < SAME:
        w *= math.sqrt(0.5) * (-1.0 if x > 0.0 else 1.0)
        return w, w, 0.0
    if not flat and abs(x - y) < SAME and abs(y - z) < SAME and abs(x - z) < SAME:
        w *= math.sqrt(1.0 / 3.0) * (-1.0 if x > 0.0 else 1.0)
        return w, w, w
    sign = 1.0 if face % 2 == 0 else -1.0
    return (w * sign if face < 2 else 0.0), (w * sign if 2 <= face < 4 else 0.0), (w * sign if face >= 4 else 0.0)


@njit(cache=True, nogil=True, error_model="numpy")
def settle(me, crew, gate, total, body, pairs, free, motility, box, velocity, pressure):
    """Velocities (cell, xyz) um/min and pressures (cell) of the cells that can move; the others keep their pressure.

    me, crew, gate: which thread this is, of how many, and where they meet; total (thread, cell, 4): zero before and
    after; body and pairs (kind, affinity, equal, one, other): as of `push`; motility may have no rows.
    """
    wall, lower, upper, flat = box
    kind, affinity, equal, one, other = pairs
    n, pair = body.shape[0], one.shape[0]
    push(pair * me // crew, pair * (me + 1) // crew, total[me], body, kind, affinity, equal, one, other)
    meet(gate, crew)
    moving = motility.shape[0] > 0
    for i in range(n * me // crew, n * (me + 1) // crew):
        vx, vy, vz, p = added(i, total)
        if free[i] <= 0.5:
            velocity[i, 0] = velocity[i, 1] = velocity[i, 2] = 0.0
            continue
        w = wall[kind[i]]
        if w > 0.0:
            wx, wy, wz = wall_push(body[i, 0], body[i, 1], body[i, 2], lower, upper, body[i, 3], w, flat)
            vx, vy, vz = vx + wx, vy + wy, vz + wz
        if moving:
            vx += motility[i, 0]
            vy += motility[i, 1]
            vz += motility[i, 2]
        velocity[i, 0] = vx
        velocity[i, 1] = vy
        velocity[i, 2] = 0.0 if flat else vz
        pressure[i] = p / PRESSURE_UNIT


@njit(cache=True, nogil=True, error_model="numpy")
def move(first, last, dt, free, lower, upper, position, now, before, outside):
    """Move the cells that can; outside (cell) becomes LEFT where one crosses the box."""
    for i in range(first, last):
        if free[i] <= 0.5:
            continue
        out = False
        for k in range(3):
            x = position[i, k] + dt * (1.5 * now[i, k] - 0.5 * before[i, k])
            before[i, k] = now[i, k]
            position[i, k] = x
            out = out or x < lower[k] or x > upper[k]
        if out:
            outside[i] = LEFT


class Velocities(Mechanics):
    """Velocities and pressure from pair forces, walls, motility and springs: the first half of a step.

    Walls push from the nearest face only, immovable cells keep their last pressure, and motility counts with the speed
    of the last turn, as in PhysiCell. Reads and columns as Mechanics; `velocity` is that of the step before.
    """

    sets = ("velocity.now", "sense.pressure")
    crew_from = 10_000  # every step sends the threads out anew
    now, outside = NOW, OUTSIDE

    @classmethod
    def of(cls, model, build, **options) -> Velocities:
        return cls(build.minutes(cls.clock), **options)

    def __init__(self, period: float):
        super().__init__(period, "adams-bashforth")
        self.total = np.empty((0, 0, 4), np.int64)

    def look(self, tissue: Tissue):
        """Neighbor lists of the present positions."""
        self._gather(tissue)
        return self.neighbors

    def _gather(self, tissue: Tissue) -> np.ndarray:
        """Rows for the pair loop, and neighbor lists that fit them."""
        cells = tissue.cells
        n = cells.n
        body, place, reach, margin = np.empty((n, 8)), np.empty((n, 3)), np.empty(n), np.empty(n)
        outside = cells[OUTSIDE.name]
        forces = (cells[f"mechanics.{k}"] for k in ("adhesion_distance", "repulsion", "adhesion"))
        speed = cells["motility.speed"] if "motility.speed" in cells else np.empty(0)
        left = outside == LEFT if outside.any() else np.empty(0, np.bool_)
        given = (cells.position, cells["radius"], *forces, cells.id, speed, left)
        over_rows(gather, n, self.threads, *given, body, place, reach, margin)
        self.neighbors.update(place, reach, cells.id, margin, self.threads)
        return body

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        if cells.n == 0:
            return
        body, can = self._gather(tissue), free(cells)
        self.evaluations += 1
        motility = cells["motility.vector"] if "motility.vector" in cells else np.empty((0, 3))
        walls = (cells.base["mechanics.wall"], self.lower, self.upper, self.flat)
        crew = self.crew(cells.n)
        if self.total.shape[:2] != (crew, cells.n):
            self.total = np.zeros((crew, cells.n, 4), np.int64)
        given = (new_gate(), self.total, body, self.alike(cells), can, motility, walls)
        as_crew(settle, crew, *given, cells["velocity.now"], cells["sense.pressure"])
        if "mechanics.membrane_repulsion" in cells:  # PhysiCell's wall is a membrane and sets this strength
            cells["mechanics.membrane_repulsion"][(can > 0.5) & (cells["mechanics.wall"] > 0.0)] = WALL
        pairs = self.held(tissue)
        if len(pairs):
            elastic, affinity = cells["springs.elastic"], cells["mechanics.affinity"]
            pull(cells["velocity.now"], pairs, cells.position, elastic, affinity, cells.type, can, self.flat)

    @staticmethod
    def held(tissue: Tissue) -> np.ndarray:
        """Rows (pair, 2) of attached cells in the order of ids; an attack is an attachment too."""
        cells = tissue.cells
        if "springs.partner" not in cells or not (cells.base["springs.active"] > 0.5).any():
            return np.empty((0, 2), np.int64)
        partner = cells["springs.partner"]
        holds = np.flatnonzero(partner[:, 0] >= 0)
        holds = holds[np.argsort(cells.id[holds], kind="stable")]
        who, place = np.nonzero(partner[holds] > cells.id[holds][:, None])  # each pair once
        return np.stack([holds[who], cells.rows_of(partner[holds[who], place])], axis=1)


class Positions(Process):
    """The second half of a step: every cell that can moves. One that leaves the box stays where it is from then on."""

    section = ""
    slot = "move"
    reads = ("velocity.now", "velocity")
    sets = ("position",)
    clock = "mechanics"

    @classmethod
    def why(cls, model) -> Why:
        return Mechanics.why(model)

    def __init__(self, period: float):
        self.period = period

    def prepare(self, tissue: Tissue) -> None:
        grid = tissue.fields.grid
        self.lower, self.upper = np.array(grid.lower, float), np.array(grid.upper, float)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        given = (tick.dt, free(cells), self.lower, self.upper)
        changed = (cells.position, cells["velocity.now"], cells["velocity"], cells[OUTSIDE.name])
        over_rows(move, cells.n, self.threads, *given, *changed)
