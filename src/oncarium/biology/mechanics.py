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
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit

from ..engine.cells import Cells
from ..engine.column import Behavior, Signal, State, Trait
from ..engine.kernels.gate import new_gate
from ..engine.kernels.neighbors import Neighbors
from ..engine.process import Process, Tick
from ..engine.threads import as_crew
from ..engine.tissue import Tissue
from ..engine.why import Why, given
from .forces import Moved
from .outside import free
from .steps import PLACES, travel
from .vital import MOBILITY, RADIUS, VITAL

SKIN = 2.0  # um; assumed: a cell may move or grow so far before neighbor lists are built anew
LOOK_AHEAD = 2.0  # min; assumed: a cell may besides travel so long at its present or its own speed, the larger of both
NEWBORN = 6.0  # um; assumed: so much farther may cells part that have just divided, whose speed is not known yet
FEW = 0.05  # assumed: cells without speed are newborn if they are fewer than this share of all


@njit(cache=True, nogil=True)
def margins(velocity, own):
    """Margins of neighbor lists (um) for cells with this velocity (cell, xyz) and own speed (cell) um/min."""
    margin, resting = np.empty(own.shape[0]), 0
    for i in range(own.shape[0]):
        speed = math.sqrt(velocity[i, 0] ** 2 + velocity[i, 1] ** 2 + velocity[i, 2] ** 2)
        resting += speed == 0.0
        margin[i] = SKIN + LOOK_AHEAD * max(speed, own[i])
    if resting < FEW * own.shape[0]:  # more were never on their way
        for i in range(own.shape[0]):
            if velocity[i, 0] == 0.0 and velocity[i, 1] == 0.0 and velocity[i, 2] == 0.0:
                margin[i] += NEWBORN
    return margin


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
    wall                um/min   Trait      repulsion by the walls of the domain; an open face (domain.open) has none
    membrane_adhesion, membrane_repulsion   um/min   Behavior   strengths at a basement membrane (none is modelled)
    movable             1        Behavior   1 if the cell can be moved

    Reads       radius, motility.heading, motility.speed, springs.partner, attack.target.
    Sets        position, sense.pressure.

    Steps       "adaptive": third order (Bogacki & Shampine 1989, DOI 10.1016/0893-9659(89)90079-7),
                the substep h chosen so that the embedded second-order result differs by at most
                `tolerance` (um/min) and `share` of a cell's own motility, times h, for all cells but
                the part `forgiven`: whoever squeezes through a crowd would set everybody's step;
                "adams-bashforth": one step of the period, x += h (1.5 v - 0.5 v_before).
    Accuracy    largest error of a position after 60 min against steps of 0.01 min, with the defaults and ticks of 1, 3
                and 6 min, nobody forgiven: 0.002, 0.013, 0.032 um in a growing cluster of 260 cells; 0.060, 0.073,
                0.076 um among 300 cells that start in a ball of 45 um radius, overlapping; 1 % of a cell's radius is
                0.084 um. What forgiving 0.5 % does in living tissue (30 min of mechanics alone, against steps of 0.01
                min): `reference` 22.6 evaluations per tick in place of 29.2, errors of the median cell 0.003 (0.002)
                um, of the 90th percentile 0.07 (0.03), of the 99th 0.55 (0.21), of pressure 0.07 (0.02) in the mean;
                `hypoxic_tumor` 13.3 (18.7), 0.005 (0.002), 0.07 (0.03), 0.78 (0.34) um and 0.04 (0.02). Fixed steps of
                0.1 min, the field's standard, leave 0.84 and 0.23 um at the 99th percentile. Single cells among the
                forgiven choose another way through the crowd, with any tolerance: no accepted step of that half hour
                had an error above ten times what is allowed, and after six hours steps of 0.012 and of 0.01 min differ
                by up to 28 and 45 um. After a day (three seeds each, against nobody forgiven) numbers of cells of each
                type, pressure and radius of the tumor lie within the spread of seeds; contacts per cell in `reference`
                are 3.52 in place of 3.58.
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
    # cells; below it, threads that wait for each other gain little on a quiet machine and lose on a busy one
    crew_from = 5000

    @classmethod
    def why(cls, model) -> Why:
        return given(True, "every cell pushes")

    @classmethod
    def of(cls, model, build, **options) -> Mechanics:
        return cls(build.minutes(cls.clock), tolerance=model.clock.error, open=model.domain.open, **options)

    def __init__(
        self,
        period: float,
        method: str = "adaptive",
        tolerance: float = 0.03,
        largest_step: float = 3.0,
        share: float = 0.03,
        forgiven: float = 0.005,
        open: Sequence[str] = (),
    ):
        self.period = period
        self.method = method
        self.tolerance = tolerance
        self.share = share
        self.forgiven = forgiven
        self.open = open  # faces that have no wall
        self.largest_step = largest_step
        self.step_minutes = 0.1
        self.substeps = 0
        self.evaluations = 0

    def prepare(self, tissue: Tissue) -> None:
        grid = tissue.fields.grid
        self.lower = np.array(grid.lower, float)
        self.upper = np.array(grid.upper, float)
        self.walls = np.array([self.lower, self.upper])
        for face in self.open:
            self.walls[int(face.endswith("max")), "xyz".index(face[0])] = np.inf if face.endswith("max") else -np.inf
        self.flat = grid.is_2d
        self.neighbors = Neighbors(self.lower, self.upper)
        tissue.look, tissue.touch = self.look, touch
        self.reads = tuple(name for name in type(self).reads if name in tissue.cells)

    def reach(self, tissue: Tissue) -> np.ndarray:
        """How far each cell can touch (um): the larger of its radius and its adhesion reach."""
        cells = tissue.cells
        return cells["radius"] * np.maximum(cells["mechanics.adhesion_distance"], 1.0)

    def margin(self, tissue: Tissue, velocity: np.ndarray) -> np.ndarray:
        """How far each cell may move before neighbor lists are built anew (um), at these velocities (cell, xyz) um/min:
        cells on their way get more."""
        cells = tissue.cells
        own = cells["motility.speed"] if "motility.speed" in cells else np.zeros(cells.n)
        return margins(velocity, own)

    def look(self, tissue: Tissue) -> Neighbors:
        """Neighbor lists, valid for the present positions."""
        cells = tissue.cells
        reach = self.reach(tissue)
        if self.neighbors.stale(cells.position, reach, cells.id, self.threads):
            self.neighbors.build(cells.position, reach, cells.id, self.margin(tissue, cells["velocity"]), self.threads)
        return self.neighbors

    def crew(self, cells: int) -> int:
        """How many threads share the pairs of so many cells."""
        return self.threads if cells >= self.crew_from else 1

    def alike(self, cells: Cells) -> tuple:
        """What `push` is told of all pairs: kind, affinity, equal, one, other."""
        affinity = cells["mechanics.affinity"]
        equal = bool((affinity == 1.0).all())  # rules may change affinities
        return cells.type, affinity, equal, self.neighbors.one, self.neighbors.other

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
        cells, n, near = tissue.cells, tissue.cells.n, self.neighbors
        if n == 0:
            return
        self.look(tissue)
        held = self.pairs(tissue)
        mobility = np.where(free(cells) > 0.5, cells[MOBILITY.name] if MOBILITY.name in cells else 1.0, 0.0)
        motility = np.zeros((n, 3))
        if "motility.heading" in cells:
            np.multiply(cells["motility.heading"], cells["motility.speed"][:, None], out=motility)
        body = np.empty((n, 8))
        body[:, :3] = cells.position
        body[:, 3] = cells["radius"]
        body[:, 4] = cells["radius"] * cells["mechanics.adhesion_distance"]
        body[:, 5] = np.sqrt(cells["mechanics.repulsion"])
        body[:, 6] = np.sqrt(cells["mechanics.adhesion"])
        body[:, 7] = cells.id
        kind, affinity = cells.type, cells["mechanics.affinity"]
        moved = Moved(
            kind, mobility, motility, cells.base["mechanics.wall"], self.walls, self.lower, self.upper, self.flat
        )
        elastic = cells["springs.elastic"] if len(held) else np.empty(0)
        attached = (held, body, elastic, affinity, kind, mobility, self.flat)
        crew = self.crew(n)
        adaptive = self.method == "adaptive"
        start, k = cells.position.copy(), np.zeros((4, n, 3))
        clock = np.array([tick.dt if adaptive else 0.0, self.step_minutes, 0.0, -1.0, 0.0, 0.0, 0.0])
        rules = (self.tolerance, self.share, self.largest_step, int(self.forgiven * n))
        room = (np.zeros((crew, n, 4), np.int64), np.zeros((crew, PLACES), np.int64), np.zeros(crew, np.bool_))
        gate, reach = new_gate(), self.reach(tissue)
        while True:
            given = (clock, rules, start, k, cells["sense.pressure"], *room, body, self.alike(cells), moved, attached)
            if all(as_crew(travel, crew, gate, *given, (reach, near.known))):
                break
            latest = k[int(clock[6]) if clock[3] <= 0.0 else int(clock[3])] if clock[3] >= 0.0 else cells["velocity"]
            del given  # and with it the lists that are built anew
            near.build(body[:, :3], reach, cells.id, self.margin(tissue, latest), self.threads)
        self.evaluations += int(clock[4])
        self.substeps += int(clock[5])
        v = k[int(clock[6])]
        if adaptive:
            self.step_minutes = float(clock[1])
            cells.position[:] = start
        else:
            far = start + tick.dt * (1.5 * v - 0.5 * cells["velocity"])
            cells.position[:] = np.clip(far, np.minimum(self.lower, start), np.maximum(self.upper, start))
            self.substeps += 1
        cells["velocity"][:] = v

    def counts(self) -> dict[str, int]:
        return {"evaluations": self.evaluations, "substeps": self.substeps, "list builds": self.neighbors.rebuilds}

    def state(self) -> dict:
        return {"step_minutes": self.step_minutes}

    def restore(self, state: dict) -> None:
        self.step_minutes = float(state["step_minutes"])
        self.neighbors.forget()
