"""Open faces: what growth pushes out leaves the tissue, what only walks stays in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from ..engine.process import Process, Tick
from ..engine.random import uniform
from ..engine.tissue import Tissue
from ..engine.why import Why, given
from .mechanics import Mechanics

LAYER = 20.0  # um: cells so close to a face may leave, about one row of cells
STRETCH = 250.0  # um: a face is looked at in parts of about this length
APART = 1.9  # radii between cells that rest beside each other (two-body equilibrium of standard adhesion)


@njit(cache=True, nogil=True)
def leaves(seed, stream, tick, keys, face, chance, out):
    """Mark the cells of a layer that leave, each by its chance (cell)."""
    for i in range(keys.shape[0]):
        out[i] |= uniform(seed, stream, tick, keys[i], face) < chance[i]


def surplus(held: int, radius: float, length: float, flat: bool) -> float:
    """How many cells too many stand at a part of a face: held, less those that have room side by side.

    radius   um, their mean     length   um of a sheet's face, or um^2 in space     flat   a sheet

    >>> surplus(20, 10.0, 190.0, True), surplus(3, 10.0, 190.0, True)
    (10.0, 0.0)
    """
    apart = APART * radius
    room = length / apart if flat else length / (0.5 * 3.0**0.5 * apart**2)
    return max(held - room, 0.0)


class Outflow(Process):
    """Cells leave through open faces as fast as the tissue flows there.

    Equation    chance of a cell within 20 um of an open face to leave in this step   (h - n) / m
                h cells stand at that part (250 um) of the face, n have room side by side, m are within 20 um of it

    Growth presses cells to the face until they stand there in a full row; every further one pushes another out. So as
    many leave as are pressed into the row, of all types alike, and a tissue that does not grow loses nobody. Whoever
    its own motion, more than its neighbors, brings to an open face comes in again at the opposite one; where that is
    closed it turns round. Cells that hold on to others wait until they let go. A wall that repels cells does not at an
    open face.

    Adds to     the population's removals, before Division; position, motility.heading.
    Conserves   births - deaths + arrivals - departures - outflow is the change of the number of cells.
    """

    slot = "renew"
    reads = ("velocity", "motility.speed", "population")
    adds = ("position", "motility.heading")
    events = ("outflow",)
    clock = "mechanics"

    @classmethod
    def why(cls, model) -> Why:
        return given(model.domain.open, "domain.open", "no face is open for cells")

    @classmethod
    def of(cls, model, build, **options) -> Outflow:
        return cls(build.minutes(cls.clock), model.domain.open, **options)

    def __init__(self, period: float, faces: Sequence[str]):
        self.period = period
        self.faces = [("xyz".index(face[0]), face.endswith("max")) for face in faces]

    def prepare(self, tissue: Tissue) -> None:
        grid = tissue.fields.grid
        self.box = np.array([grid.lower, grid.upper], float)
        self.tangents = 2 if grid.is_2d else 3

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, queue = tissue.cells, tissue.population
        own = np.zeros((cells.n, 3))
        if "motility.heading" in cells:
            np.multiply(cells["motility.heading"], cells["motility.speed"][:, None], out=own)
        push = cells["velocity"] - own
        self._walk_on(tissue, own, push)
        gone = np.zeros(cells.n, np.bool_)
        for k, (axis, upper) in enumerate(self.faces):
            depth = self._depth(cells.position, axis, upper)
            near = np.flatnonzero(depth < LAYER)
            near = near[np.argsort(cells.id[near], kind="stable")]  # sums have one order
            part, parts, length = self._parts(cells.position[near], axis)
            held = depth[near] == 0.0
            h, m = np.bincount(part[held], minlength=parts), np.bincount(part, minlength=parts)
            radius = np.bincount(part[held], cells["radius"][near[held]], parts) / np.maximum(h, 1)
            many = [surplus(int(n), r, length, self.tangents == 2) if n else 0.0 for n, r in zip(h, radius.tolist())]
            out = np.zeros(len(near), np.bool_)
            chance = (np.array(many) / np.maximum(m, 1))[part]
            leaves(np.uint64(tick.seed), self.stream, tick.number, cells.key[near], k, chance, out)
            gone[near[out]] = True
        for rows in queue.removed:  # the dead, and those that leave in another way
            gone[rows] = False
        rows = np.flatnonzero(gone)
        queue.remove(rows)
        queue.log(tick.time, cells.id[rows], "outflow", cells.type[rows].astype(np.int64))

    @staticmethod
    def _outward(values: np.ndarray, axis: int, upper: bool) -> np.ndarray:
        return values[:, axis] if upper else -values[:, axis]

    def _depth(self, position: np.ndarray, axis: int, upper: bool) -> np.ndarray:
        """(cell) um between each cell and a face."""
        return np.abs(position[:, axis] - self.box[int(upper), axis])

    def _parts(self, position: np.ndarray, axis: int) -> tuple[np.ndarray, int, float]:
        """(cell) which part of a face each position is at, how many parts of equal length there are, and um (in space
        um^2) of each."""
        which, parts, length = np.zeros(len(position), np.int64), 1, 1.0
        for a in range(self.tangents):
            if a != axis:
                side = float(self.box[1, a] - self.box[0, a])
                count = max(1, round(side / STRETCH))
                at = (position[:, a] - self.box[0, a]) * (count / side)
                which = which * count + np.clip(at.astype(np.int64), 0, count - 1)
                parts, length = parts * count, length * side / count
        return which, parts, length

    def _walk_on(self, tissue: Tissue, own: np.ndarray, push: np.ndarray) -> None:
        """Who has come to a face by its own motion enters again at the opposite one, or turns round."""
        cells = tissue.cells
        still = np.zeros(cells.n, np.bool_)
        still[Mechanics.pairs(tissue).ravel()] = True
        for axis, upper in self.faces:
            mine, theirs = self._outward(own, axis, upper), self._outward(push, axis, upper)
            there = (self._depth(cells.position, axis, upper) == 0.0) & (mine > 0.0) & (mine > theirs) & ~still
            rows = np.flatnonzero(there)
            if (axis, not upper) in self.faces:
                cells.position[rows, axis] = self.box[int(not upper), axis]
                if "membrane.voxel" in cells:
                    cells["membrane.voxel"][rows] = -1  # they have crossed no membrane
            else:
                cells["motility.heading"][rows, axis] *= -1.0
            still |= there
