"""Cells push, pull and carry each other.

Overdamped motion: a cell moves with the sum of its pair velocities, its own motility, its attachments and the walls.

    v_i = sum_j [ sqrt(c_i c_j) (1 - d/R)^2  (d < R)  -  sqrt(a_i a_j f_ij f_ji) (1 - d/A)^2  (d < A) ] e_ij
          + motility_i + sum_partners sqrt(k_i k_j f_ij f_ji) (x_j - x_i) + wall

Partners are the cells a cell is attached to, the one it attacks and those that attack it.

R is the sum of the radii, A the sum of the adhesion reaches, d at least 1e-5 um. Pressure is the sum of (1 - d/R)^2,
scaled so that twelve neighbors at the equilibrium distance of the standard cell give 1.

Source: Ghaffarizadeh et al. 2018 (DOI 10.1371/journal.pcbi.1005991); Macklin et al. 2012 for the potential
(DOI 10.1016/j.jtbi.2012.02.002).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..engine.column import Behavior, Signal, State, Trait
from ..engine.kernels.neighbors import Neighbors
from ..engine.process import Process, Tick
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from .shape import RADIUS, VITAL

PRESSURE_UNIT = (
    0.027288820670331  # sum of (1 - d/R)^2 over twelve close-packed neighbors at equilibrium, as in the source
)
CLOSEST = 1e-5  # um; two cells at one place are treated as this far apart, along x


@njit(cache=True, nogil=True, error_model="numpy")
def velocities(
    first_row,
    last_row,
    ids,
    position,
    radius,
    repulsion,
    adhesion,
    reach,
    affinity,
    equal,
    kind,
    movable,
    wall,
    lower,
    upper,
    flat,
    motility,
    first,
    near,
    velocity,
    pressure,
):
    """Velocity (cell, xyz) um/min and pressure (cell) of cells first_row to last_row, gathered over their sorted neighbors.

    ids (cell) 1; position (cell, xyz) um; radius, reach (cell) um; repulsion, adhesion (cell) um/min; affinity (cell, type) 1, all one
    when `equal`; movable (cell) 1; wall (type) um/min; lower, upper (xyz) um; motility (cell, xyz) um/min;
    first, near: neighbor lists.
    """
    for i in range(first_row, last_row):
        x, y, z = position[i, 0], position[i, 1], position[i, 2]
        vx, vy, vz, p = 0.0, 0.0, 0.0, 0.0
        ti = kind[i]
        for m in range(first[i], first[i + 1]):
            j = near[m]
            dx = x - position[j, 0]
            dy = y - position[j, 1]
            dz = z - position[j, 2]
            far = reach[i] + reach[j]
            touch = radius[i] + radius[j]
            limit = max(far, touch)
            d2 = dx * dx + dy * dy + dz * dz
            if d2 >= limit * limit:
                continue
            d = math.sqrt(d2)
            if d < CLOSEST:
                # coincident cells part along x, the smaller id to the right: symmetric and independent of memory order
                d = CLOSEST
                dx, dy, dz = (d if ids[i] < ids[j] else -d), 0.0, 0.0
            f = 0.0
            if d < touch:
                o = 1.0 - d / touch
                o *= o
                f = math.sqrt(repulsion[i] * repulsion[j]) * o
                p += o
            if d < far:
                o = 1.0 - d / far
                a = adhesion[i] * adhesion[j]
                if not equal:
                    a *= affinity[i, kind[j]] * affinity[j, ti]
                f -= math.sqrt(a) * o * o
            f /= d
            vx += f * dx
            vy += f * dy
            vz += f * dz
        w = wall[ti]
        if w > 0.0:
            r = radius[i]
            vx += _push(x - lower[0], r, w) - _push(upper[0] - x, r, w)
            vy += _push(y - lower[1], r, w) - _push(upper[1] - y, r, w)
            if not flat:
                vz += _push(z - lower[2], r, w) - _push(upper[2] - z, r, w)
        vx += motility[i, 0]
        vy += motility[i, 1]
        vz += motility[i, 2]
        if movable[i] <= 0.5:
            vx, vy, vz = 0.0, 0.0, 0.0
        velocity[i, 0] = vx
        velocity[i, 1] = vy
        velocity[i, 2] = 0.0 if flat else vz
        pressure[i] = p / PRESSURE_UNIT


@njit(cache=True, nogil=True)
def pull(pairs, position, elastic, affinity, kind, movable, flat, velocity):
    """Add the elastic pull of every pair to both its cells. pairs (pair, 2) rows, in an order that no memory order changes."""
    for p in range(pairs.shape[0]):
        i, j = pairs[p, 0], pairs[p, 1]
        k = math.sqrt(elastic[i] * elastic[j] * affinity[i, kind[j]] * affinity[j, kind[i]])
        for a in range(2 if flat else 3):
            v = k * (position[j, a] - position[i, a])
            if movable[i] > 0.5:
                velocity[i, a] += v
            if movable[j] > 0.5:
                velocity[j, a] -= v


@njit(cache=True, nogil=True)
def _push(distance, radius, strength):
    """A wall's push on a cell this far from it, um/min."""
    if distance >= radius:
        return 0.0
    o = 1.0 - max(distance, 0.0) / radius
    return strength * o * o


@njit(cache=True, nogil=True, error_model="numpy")
def _advance(first, last, position, a, va, b, vb, lower, upper, out):
    """out = position + a va + b vb, kept inside the box."""
    for i in range(first, last):
        for k in range(3):
            out[i, k] = min(max(position[i, k] + a * va[i, k] + b * vb[i, k], lower[k]), upper[k])


@njit(cache=True, nogil=True, error_model="numpy")
def _largest_difference(first, last, a, b):
    """Largest |a - b| over cells first to last."""
    largest = 0.0
    for i in range(first, last):
        d = 0.0
        for k in range(3):
            d += (a[i, k] - b[i, k]) ** 2
        largest = max(largest, d)
    return math.sqrt(largest)


class Mechanics(Process):
    """Pair forces, attachments and walls move the cells.

    Column              Unit     Kind       Meaning
    repulsion           um/min   Behavior   cell-cell repulsion strength c
    adhesion            um/min   Behavior   cell-cell adhesion strength a
    adhesion_distance   1        Behavior   reach of adhesion in radii
    affinity            1        Behavior   adhesive affinity f to each type
    wall                um/min   Trait      repulsion by the walls of the domain
    movable             1        Behavior   1 if the cell can be moved

    Reads       radius, motility.heading, motility.speed, springs.partner, attack.target.     Sets   position, sense.pressure.

    Steps       "heun": second order, the substep h chosen so that the embedded first-order result differs by at most
                `tolerance` (um) for any cell; "adams-bashforth": one step of the period, x += h (1.5 v - 0.5 v_before).
    Accuracy    largest error of a position after 60 min against steps of 0.01 min, with the default tolerance of 0.01 um:
                0.0024 um in a growing cluster of 260 cells (100 substeps), 0.034 um among 300 cells that start in a ball of 45 um
                radius, overlapping (143 substeps); 1 % of a cell's radius is 0.084 um (tests/verification/test_mechanics.py).
    Conserves   without walls, motility and unequal affinities the centroid of all cells stays.
    """

    section = "mechanics"
    slot = "move"
    reads = ("radius", "motility.heading", "springs.partner", "attack.target")
    sets = ("position", "sense.pressure")
    repulsion = Behavior("um/min", 10.0, ge=0.0, doc="cell-cell repulsion strength")
    adhesion = Behavior("um/min", 0.4, ge=0.0, doc="cell-cell adhesion strength")
    adhesion_distance = Behavior("1", 1.25, ge=0.0, doc="reach of adhesion in multiples of the radius")
    affinity = Behavior("1", 1.0, ge=0.0, axis="type", doc="adhesive affinity to each type")
    wall = Trait("um/min", 0.0, ge=0.0, doc="repulsion by the walls of the domain")
    movable = Behavior("1", 1.0, ge=0.0, le=1.0, doc="1 if the cell can be moved")
    pressure = Signal("1", ge=0.0, doc="mechanical pressure; 1 is twelve close-packed neighbors", name="sense.pressure")
    velocity = State("um/min", axis="xyz", inherit="zero", doc="velocity of the last step", name="velocity")

    def __init__(self, period: float, method: str = "heun", tolerance: float = 0.01, largest_step: float = 1.0):
        self.period = period
        self.method = method
        self.tolerance = tolerance
        self.largest_step = largest_step
        self.step_minutes = 0.1
        self.substeps = 0
        self.evaluations = 0

    def columns(self):
        return [*super().columns(), RADIUS, VITAL]

    def prepare(self, tissue: Tissue) -> None:
        grid = tissue.fields.grid
        self.lower = np.array(grid.lower, float)
        self.upper = np.array(grid.upper, float)
        self.flat = grid.is_2d
        self.neighbors = Neighbors(self.lower, self.upper)
        self.equal = bool(np.all(tissue.cells.base["mechanics.affinity"] == 1.0))
        tissue.look = self.look

    def reach(self, tissue: Tissue) -> np.ndarray:
        """How far each cell can touch (um): the larger of its radius and its adhesion reach."""
        cells = tissue.cells
        return cells["radius"] * np.maximum(cells["mechanics.adhesion_distance"], 1.0)

    def look(self, tissue: Tissue) -> Neighbors:
        """Neighbor lists, valid for the present positions."""
        cells = tissue.cells
        self.neighbors.update(cells.position, self.reach(tissue), cells.id, self.threads)
        return self.neighbors

    def evaluate(self, tissue: Tissue, position: np.ndarray, velocity: np.ndarray, pressure: np.ndarray) -> None:
        """Velocities at these positions."""
        cells, near = tissue.cells, self.neighbors
        near.update(position, self._reach, cells.id, self.threads)
        self.evaluations += 1
        over_rows(
            velocities,
            cells.n,
            self.threads,
            cells.id,
            position,
            cells["radius"],
            cells["mechanics.repulsion"],
            cells["mechanics.adhesion"],
            self._adhesive,
            cells["mechanics.affinity"],
            self.equal,
            cells.type,
            cells["mechanics.movable"],
            cells.base["mechanics.wall"],
            self.lower,
            self.upper,
            self.flat,
            self._motility,
            near.first,
            near.list,
            velocity,
            pressure,
        )
        if len(self._pairs):
            pull(
                self._pairs,
                position,
                cells["springs.elastic"],
                cells["mechanics.affinity"],
                cells.type,
                cells["mechanics.movable"],
                self.flat,
                velocity,
            )

    @staticmethod
    def pairs(tissue: Tissue) -> np.ndarray:
        """Rows (pair, 2) of cells that hold on to each other: attached ones, then attackers and victims, in the order of ids."""
        cells = tissue.cells
        found = []
        if "springs.partner" in cells:
            partner = cells["springs.partner"]
            holds = np.flatnonzero((partner >= 0).any(axis=1))
            holds = holds[np.argsort(cells.id[holds], kind="stable")]
            who, place = np.nonzero(partner[holds] > cells.id[holds][:, None])  # each pair once
            found.append((holds[who], partner[holds[who], place]))
        if "attack.target" in cells:
            holds = np.flatnonzero(cells["attack.target"] >= 0)
            holds = holds[np.argsort(cells.id[holds], kind="stable")]
            found.append((holds, cells["attack.target"][holds]))
        if not any(len(a) for a, _ in found):
            return np.empty((0, 2), np.int64)
        out = np.stack([np.concatenate([a for a, _ in found]), cells.rows_of(np.concatenate([b for _, b in found]))], axis=1)
        return out[out[:, 1] >= 0]

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        if cells.n == 0:
            return
        self._reach = self.reach(tissue)
        self._adhesive = cells["radius"] * cells["mechanics.adhesion_distance"]
        self._pairs = self.pairs(tissue)
        self._motility = np.zeros((cells.n, 3))
        if "motility.heading" in cells:
            np.multiply(cells["motility.heading"], cells["motility.speed"][:, None], out=self._motility)
        (self._heun if self.method == "heun" else self._adams_bashforth)(tissue, tick.dt)

    def _move(self, position: np.ndarray, a: float, va: np.ndarray, b: float, vb: np.ndarray, out: np.ndarray) -> None:
        over_rows(_advance, len(position), self.threads, position, a, va, b, vb, self.lower, self.upper, out)

    def _adams_bashforth(self, tissue: Tissue, dt: float) -> None:
        cells = tissue.cells
        v = np.empty((cells.n, 3))
        self.evaluate(tissue, cells.position, v, cells["sense.pressure"])
        self._move(cells.position, 1.5 * dt, v, -0.5 * dt, cells["velocity"], cells.position)
        cells["velocity"][:] = v
        self.substeps += 1

    def _heun(self, tissue: Tissue, dt: float) -> None:
        cells = tissue.cells
        k1, k2, trial = np.empty((cells.n, 3)), np.empty((cells.n, 3)), np.empty((cells.n, 3))
        pressure = cells["sense.pressure"]
        left = dt
        moved = True
        while left > 1e-9 * dt:
            if moved:
                self.evaluate(tissue, cells.position, k1, pressure)
                moved = False
            pieces = math.ceil(left / min(self.step_minutes, self.largest_step) - 1e-9)
            h = left / max(pieces, 1)
            self._move(cells.position, h, k1, 0.0, k1, trial)
            self.evaluate(tissue, trial, k2, pressure)
            error = 0.5 * h * max(over_rows(_largest_difference, cells.n, self.threads, k1, k2))
            # the embedded estimate is of first order: its error grows as h^2
            factor = 0.9 * math.sqrt(self.tolerance / max(error, 1e-30))
            if error > self.tolerance and h > 1e-3:
                self.step_minutes = h * max(0.2, min(factor, 0.9))
                continue
            self._move(cells.position, 0.5 * h, k1, 0.5 * h, k2, cells.position)
            self.substeps += 1
            left -= h
            self.step_minutes = min(
                self.largest_step, max(self.step_minutes, h) if factor < 1.0 else h * min(factor, 2.0)
            )
            moved = True
        cells["velocity"][:] = k2

    def state(self) -> dict:
        return {"step_minutes": self.step_minutes}

    def restore(self, state: dict) -> None:
        self.step_minutes = float(state["step_minutes"])
        self.neighbors.forget()
