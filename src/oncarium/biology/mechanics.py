"""Cells push, pull and carry each other.

Overdamped motion: a cell moves with the sum of its pair velocities, its own motility, its attachments and the walls.

    v_i = sum_j [ sqrt(c_i c_j) (1 - d/R)^2  (d < R)  -  sqrt(a_i a_j f_ij f_ji) (1 - d/A)^2  (d < A) ] e_ij
          + motility_i + sum_partners sqrt(k_i k_j f_ij f_ji) (x_j - x_i) + wall

Partners are the cells a cell is attached to, the one it attacks and those that attack it.

Where a matrix drags (guidance.drag), all but the motility is multiplied with the cell's mobility.
R is the sum of the radii, A the sum of the adhesion reaches, d at least 1e-5 um. Pressure is the sum of (1 - d/R)^2,
scaled so that twelve neighbors at the equilibrium distance of the standard cell give 1.

Source: Ghaffarizadeh et al. 2018 (DOI 10.1371/journal.pcbi.1005991); Macklin et al. 2012 for the potential
(DOI 10.1016/j.jtbi.2012.02.002).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ..engine.column import Behavior, Signal, State, Trait
from ..engine.kernels.neighbors import Neighbors, worn
from ..engine.process import Process, Tick
from ..engine.threads import over_rows, shared
from ..engine.tissue import Tissue
from ..engine.why import Why, given
from .forces import Moved, pull, push, velocities
from .outside import free
from .vital import MOBILITY, RADIUS, VITAL

SKIN = 2.0  # um; assumed: a cell may move or grow so far before neighbor lists are built anew
# min; assumed: a cell may besides travel so long at its own speed or at that of its last step, whichever is larger
LOOK_AHEAD = 2.0
STAGES = 3  # of a substep
SHORTEST = 1e-3  # min; a substep this short is taken whatever its error


@njit(cache=True, nogil=True, error_model="numpy")
def _advance(first, last, position, a, va, b, vb, c, vc, lower, upper, out, body):
    """out = position + a va + b vb + c vc, kept inside the box; also written into body."""
    for i in range(first, last):
        for k in range(3):
            p = position[i, k]  # who was placed outside stays there
            x = min(max(p + a * va[i, k] + b * vb[i, k] + c * vc[i, k], min(lower[k], p)), max(upper[k], p))
            out[i, k] = x
            body[i, k] = x


@njit(cache=True, nogil=True)
def _weights(stage, h):
    """Minutes with which the first three velocities of a substep of h min lead to where a stage takes the next one."""
    if stage == 0:
        return 0.5 * h, 0.0, 0.0
    if stage == 1:
        return 0.0, 0.75 * h, 0.0
    return h * (2.0 / 9.0), h / 3.0, h * (4.0 / 9.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _largest_error(first, last, k1, k2, k3, k4, motility, tolerance, share):
    """Largest difference of the velocities of third and second order over cells first to last, as a part of what each
    is allowed: tolerance um/min and a share of its own motility (cell, xyz) um/min."""
    largest = 0.0
    for i in range(first, last):
        d, own = 0.0, 0.0
        for k in range(3):
            d += (k4[i, k] / 8.0 - k3[i, k] / 9.0 - k2[i, k] / 12.0 + k1[i, k] * (5.0 / 72.0)) ** 2
            own += motility[i, k] ** 2
        largest = max(largest, math.sqrt(d) / (tolerance + share * math.sqrt(own)))
    return largest


@njit(cache=True, nogil=True, error_model="numpy")
def _stages(
    first, h, start, out, body, lower, upper, k, pressure, reach, ids, known, force, pushed, moved, near, attached
):
    """Velocities k[s + 1] of the stages s from `first` to the
    last of a substep of h min, one after another by one thread.

    Returns the first stage that asks for new neighbor lists, or how many stages
    there are. Tuples: `known` of `worn`, `pushed` of push, `moved` and `near` of
    velocities, `attached` of pull; force: room for those of all pairs (4, pair)."""
    n = start.shape[0]
    for s in range(first, STAGES):
        a, b, c = _weights(s, h)
        _advance(0, n, start, a, k[0], b, k[1], c, k[2], lower, upper, out, body)
        if worn(0, n, out, reach, ids, *known):
            return s
        push(0, force.shape[1], force, body, *pushed)
        velocities(0, n, k[s + 1], pressure, force, body, moved, near)
        pull(k[s + 1], *attached)
    return STAGES


def touch(tissue: Tissue) -> np.ndarray:
    """How far adhesion of each cell reaches (um): two cells touch within the sum of both."""
    return tissue.cells["radius"] * tissue.cells["mechanics.adhesion_distance"]


class Neighborhood(NamedTuple):
    """Where cells look for those they touch: places (cell, xyz) and reach (cell) um, neighbor lists (the neighbors of
    cell i are near[first[i] : first[i + 1]], in the order of their ids)."""

    position: np.ndarray
    reach: np.ndarray
    first: np.ndarray
    near: np.ndarray

    @classmethod
    def of(cls, tissue: Tissue, mechanics: Mechanics) -> Neighborhood:
        """That of the present places."""
        near = mechanics.look(tissue)
        return cls(tissue.cells.position, touch(tissue), near.first, near.list)


class Mechanics(Process):
    """Pair forces, attachments and walls move the cells.

    Column              Unit     Kind       Meaning
    repulsion           um/min   Behavior   cell-cell repulsion strength c
    adhesion            um/min   Behavior   cell-cell adhesion strength a
    adhesion_distance   1        Behavior   reach of adhesion in radii
    affinity            1        Behavior   adhesive affinity f to each type
    wall                um/min   Trait      repulsion by the walls of the domain
    membrane_adhesion, membrane_repulsion   um/min   Behavior   strengths at a basement membrane (none is modelled)
    movable             1        Behavior   1 if the cell can be moved

    Reads       radius, motility.heading, motility.speed, springs.partner, attack.target.
    Sets        position, sense.pressure.

    Steps       "adaptive": third order (Bogacki & Shampine 1989, DOI 10.1016/0893-9659(89)90079-7),
                the substep h chosen so that the embedded second-order result differs by at most
                `tolerance` (um/min) and `share` of a cell's own motility, times h, for any cell;
                "adams-bashforth": one step of the period, x += h (1.5 v - 0.5 v_before).
    Accuracy    largest error of a position after 60 min against steps of 0.01 min, with the defaults and ticks of 1, 3
                and 6 min: 0.002, 0.013, 0.032 um in a growing cluster of 260 cells (255, 113, 103 evaluations); 0.060,
                0.073, 0.076 um among 300 cells that start in a ball of 45 um radius, overlapping; 1 % of a cell's
                radius is 0.084 um. Forty cells that squeeze through a crowd at 4 um/min for 6 min: 0.03 to 0.13 um in
                six draws, where fixed steps of 0.1 min leave 0.20 to 0.23 (tests/verification/test_mechanics.py).
    Conserves   without walls, motility and unequal affinities the centroid of all cells stays.
    """

    section = "mechanics"
    slot = "move"
    reads: tuple[str, ...] = ("radius", "motility.heading", "springs.partner", "attack.target")
    sets = ("position", "sense.pressure")
    radius, vital = RADIUS, VITAL
    repulsion = Behavior("um/min", 10.0, ge=0.0, doc="cell-cell repulsion strength")
    adhesion = Behavior("um/min", 0.4, ge=0.0, doc="cell-cell adhesion strength")
    adhesion_distance = Behavior("1", 1.25, ge=0.0, doc="reach of adhesion in multiples of the radius")
    affinity = Behavior("1", 1.0, ge=0.0, axis="type", steady=True, doc="adhesive affinity to each type")
    wall = Trait("um/min", 0.0, ge=0.0, doc="repulsion by the walls of the domain")
    attached = Trait(
        "1",
        1.0,
        ge=0.0,
        le=1.0,
        name="springs.active",
        doc="1 if cells of this type attach to others and are pulled by them",
    )
    membrane_adhesion = Behavior(
        "um/min", 4.0, ge=0.0, rare=True, doc="adhesion to a basement membrane (none is modelled)"
    )
    membrane_repulsion = Behavior(
        "um/min", 100.0, ge=0.0, rare=True, doc="repulsion by a basement membrane (none is modelled)"
    )
    movable = Behavior("1", 1.0, ge=0.0, le=1.0, doc="1 if the cell can be moved")
    pressure = Signal("1", ge=0.0, doc="mechanical pressure; 1 is twelve close-packed neighbors", name="sense.pressure")
    velocity = State("um/min", axis="xyz", inherit="default", doc="velocity of the last step", name="velocity")

    clock = "mechanics"

    @classmethod
    def why(cls, model) -> Why:
        return given(True, "every cell pushes")

    @classmethod
    def of(cls, model, build, **options) -> Mechanics:
        return cls(build.minutes(cls.clock), tolerance=model.clock.error, **options)

    def __init__(
        self,
        period: float,
        method: str = "adaptive",
        tolerance: float = 0.03,
        largest_step: float = 3.0,
        share: float = 0.03,
    ):
        self.period = period
        self.method = method
        self.tolerance = tolerance
        self.share = share
        self.largest_step = largest_step
        self.step_minutes = 0.1
        self.substeps = 0
        self.evaluations = 0

    def prepare(self, tissue: Tissue) -> None:
        grid = tissue.fields.grid
        self.lower = np.array(grid.lower, float)
        self.upper = np.array(grid.upper, float)
        self.flat = grid.is_2d
        self.neighbors = Neighbors(self.lower, self.upper)
        self.room = np.empty((4, 0))
        self.equal = True
        tissue.look, tissue.touch = self.look, touch
        self.reads = tuple(name for name in type(self).reads if name in tissue.cells)

    def reach(self, tissue: Tissue) -> np.ndarray:
        """How far each cell can touch (um): the larger of its radius and its adhesion reach."""
        cells = tissue.cells
        return cells["radius"] * np.maximum(cells["mechanics.adhesion_distance"], 1.0)

    def margin(self, tissue: Tissue) -> np.ndarray:
        """How far each cell may move before neighbor lists are built anew (um): cells on their way get more."""
        cells = tissue.cells
        v = cells["velocity"]
        speed = np.sqrt(np.einsum("ij,ij->i", v, v))
        if "motility.speed" in cells:
            np.maximum(speed, cells["motility.speed"], out=speed)
        return SKIN + LOOK_AHEAD * speed

    def look(self, tissue: Tissue) -> Neighbors:
        """Neighbor lists, valid for the present positions."""
        cells = tissue.cells
        self.neighbors.update(cells.position, self.reach(tissue), cells.id, self.margin(tissue), self.threads)
        return self.neighbors

    def evaluate(self, position: np.ndarray, velocity: np.ndarray, pressure: np.ndarray) -> None:
        """Velocities at these positions, which `body` holds too."""
        near = self.neighbors
        near.update(position, self._reach, self._ids, self._margin, self.threads)
        self.evaluations += 1
        force, lists = self._force(), (near.first, near.pair)
        over_rows(push, len(near.one), self.threads, force, self._body, *self._alike, near.one, near.other)
        given = (force, self._body, self._moved, lists)
        over_rows(velocities, len(position), self.threads, velocity, pressure, *given)
        pull(velocity, *self._attached)

    def _force(self) -> np.ndarray:
        """Room for the forces of all pairs (4, pair)."""
        if self.room.shape[1] != len(self.neighbors.one):
            self.room = np.empty((4, len(self.neighbors.one)))
        return self.room

    @staticmethod
    def pairs(tissue: Tissue) -> np.ndarray:
        """Rows (pair, 2) of cells that hold on to each other: attached
        ones, then attackers and victims, in the order of ids."""
        cells = tissue.cells
        found = []
        active = cells["springs.active"] > 0.5
        if "springs.partner" in cells:
            partner = cells["springs.partner"]
            holds = np.flatnonzero((partner >= 0).any(axis=1) & active)
            holds = holds[np.argsort(cells.id[holds], kind="stable")]
            who, place = np.nonzero(partner[holds] > cells.id[holds][:, None])  # each pair once
            found.append((holds[who], partner[holds[who], place]))
        if "attack.target" in cells:
            holds = np.flatnonzero((cells["attack.target"] >= 0) & active)
            holds = holds[np.argsort(cells.id[holds], kind="stable")]
            found.append((holds, cells["attack.target"][holds]))
        if not any(len(a) for a, _ in found):
            return np.empty((0, 2), np.int64)
        out = np.stack(
            [np.concatenate([a for a, _ in found]), cells.rows_of(np.concatenate([b for _, b in found]))], axis=1
        )
        return out[out[:, 1] >= 0]

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        if cells.n == 0:
            return
        self.equal = bool((cells["mechanics.affinity"] == 1.0).all())  # rules may change affinities
        pairs = self.pairs(tissue)
        mobility = np.where(free(cells) > 0.5, cells[MOBILITY.name] if MOBILITY.name in cells else 1.0, 0.0)
        motility = np.zeros((cells.n, 3))
        if "motility.heading" in cells:
            np.multiply(cells["motility.heading"], cells["motility.speed"][:, None], out=motility)
        body = np.empty((cells.n, 8))
        body[:, :3] = cells.position
        body[:, 3] = cells["radius"]
        body[:, 4] = cells["radius"] * cells["mechanics.adhesion_distance"]
        body[:, 5] = np.sqrt(cells["mechanics.repulsion"])
        body[:, 6] = np.sqrt(cells["mechanics.adhesion"])
        kind, affinity = cells.type, cells["mechanics.affinity"]
        elastic = cells["springs.elastic"] if len(pairs) else np.empty(0)
        self._body, self._ids, self._reach, self._margin = body, cells.id, self.reach(tissue), self.margin(tissue)
        wall = cells.base["mechanics.wall"]
        self._alike = (kind, affinity, self.equal)
        self._moved = Moved(kind, mobility, motility, wall, self.lower, self.upper, self.flat)
        self._attached = (pairs, body, elastic, affinity, kind, mobility, self.flat)
        (self._adaptive if self.method == "adaptive" else self._adams_bashforth)(tissue, tick.dt)
        # they are of this step only
        del self._body, self._ids, self._reach, self._margin, self._alike, self._moved, self._attached

    def _adams_bashforth(self, tissue: Tissue, dt: float) -> None:
        cells = tissue.cells
        v, start = np.empty((cells.n, 3)), cells.position.copy()
        self.evaluate(start, v, cells["sense.pressure"])
        self._advance(start, cells.position, (1.5 * dt, -0.5 * dt, 0.0), (v, cells["velocity"], v))
        cells["velocity"][:] = v
        self.substeps += 1

    def _adaptive(self, tissue: Tissue, dt: float) -> None:
        cells, pressure = tissue.cells, tissue.cells["sense.pressure"]
        motility = self._moved.motility
        k1, k2, k3, k4 = np.zeros((4, cells.n, 3))  # numbers from the start: what has no weight is multiplied with it
        start, trial = cells.position.copy(), np.empty((cells.n, 3))
        self.evaluate(start, k1, pressure)
        left = dt
        while left > 1e-9 * dt:
            pieces = math.ceil(left / min(self.step_minutes, self.largest_step) - 1e-9)
            h = left / max(pieces, 1)
            self._try(h, start, trial, (k1, k2, k3, k4), pressure)
            error = max(
                over_rows(_largest_error, cells.n, self.threads, k1, k2, k3, k4, motility, self.tolerance, self.share)
            )
            # error per minute grows as h^2
            factor = 0.9 / math.sqrt(max(error, 1e-30))
            if error > 1.0 and h > SHORTEST:
                self.step_minutes = h * max(0.2, min(factor, 0.9))
                continue
            start, trial = trial, start
            k1, k4 = k4, k1
            self.substeps += 1
            left -= h
            self.step_minutes = min(
                self.largest_step, max(self.step_minutes, h) if factor < 1.0 else h * min(factor, 3.0)
            )
        cells.position[:] = start
        cells["velocity"][:] = k1

    def _try(
        self, h: float, start: np.ndarray, out: np.ndarray, k: tuple[np.ndarray, ...], pressure: np.ndarray
    ) -> None:
        """One substep of h min from `start` with velocity k[0] to `out`: the velocities at its stages."""
        near = self.neighbors
        stage = 0
        while stage < STAGES:
            if shared(len(start), self.threads):
                self._advance(start, out, _weights(stage, h), k[:3])
                self.evaluate(out, k[stage + 1], pressure)
                stage += 1
            else:  # few cells: what costs time are the calls
                bodies, cells = (self._body, self.lower, self.upper), (self._reach, self._ids)
                pairs, lists = (*self._alike, near.one, near.other), (near.first, near.pair)
                forces = (self._force(), pairs, self._moved, lists, self._attached)
                done = _stages(stage, h, start, out, *bodies, k, pressure, *cells, near.known, *forces)
                self.evaluations += done - stage
                stage = done
                if stage < STAGES:
                    near.build(out, self._reach, self._ids, self._margin)

    def _advance(
        self, start: np.ndarray, out: np.ndarray, minutes: tuple[float, ...], v: tuple[np.ndarray, ...]
    ) -> None:
        """out = start + sum of minutes times velocity, kept inside the box."""
        weighed = (x for pair in zip(minutes, v) for x in pair)
        over_rows(_advance, len(start), self.threads, start, *weighed, self.lower, self.upper, out, self._body)

    def counts(self) -> dict[str, int]:
        return {"evaluations": self.evaluations, "substeps": self.substeps, "list builds": self.neighbors.rebuilds}

    def state(self) -> dict:
        return {"step_minutes": self.step_minutes}

    def restore(self, state: dict) -> None:
        self.step_minutes = float(state["step_minutes"])
        self.neighbors.forget()
