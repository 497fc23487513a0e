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
STRETCH = 250.0  # um: the flow at a face is that of so much of it
FEWEST = 3  # cells of a stretch that make a flow


@njit(cache=True, nogil=True)
def leaves(seed, stream, tick, ids, face, chance, out):
    """Mark the cells of a layer that leave, each by its chance (cell)."""
    for i in range(ids.shape[0]):
        out[i] |= uniform(seed, stream, tick, ids[i], face) < chance[i]


def flow(push: np.ndarray, stretch: np.ndarray) -> np.ndarray:
    """(cell) um/min at which the tissue flows out around each cell of a layer: the median over the cells of its
    stretch, none where it is inward or where there are fewer than three.

    push      (cell) um/min at which others push each cell outward     stretch   (cell) which part of the face it is at

    >>> flow(np.array([0.1, 0.3, 4.0, 2.0, -1.0, -2.0, -3.0]), np.array([0, 0, 0, 1, 2, 2, 2])).tolist()
    [0.3, 0.3, 0.3, 0.0, 0.0, 0.0, 0.0]
    """
    out = np.zeros(len(push))
    for s in np.unique(stretch):
        there = stretch == s
        if np.count_nonzero(there) >= FEWEST:
            out[there] = max(float(np.median(push[there])), 0.0)
    return out


class Outflow(Process):
    """Cells leave through open faces as fast as the tissue flows there.

    Equation    chance of a cell within 20 um of an open face   1 - exp(-u dt / 20 um)
                u = the median, over the cells of its 250 um of the face, of the velocity at which neighbors push
                outward: all that moves a cell but its own motility; 0 where it is inward

    So the flux through a face is (cells per area) u, for cells that crawl and for cells that rest. A median, because
    the few cells that a T cell shoves aside are no flow. Whoever its own motion, more than its neighbors, brings to
    an open face comes in again at the opposite one; where that is closed it turns round. Cells that hold on to
    others wait. A wall that repels cells does not at an open face.

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
        gone = np.zeros(cells.n, np.bool_)
        for k, (axis, upper) in enumerate(self.faces):
            near = np.flatnonzero(self._depth(cells.position, axis, upper) < LAYER)
            speed = flow(self._outward(push[near], axis, upper), self._stretches(cells.position[near], axis))
            out = np.zeros(len(near), np.bool_)
            chance = 1.0 - np.exp(-speed * tick.dt / LAYER)
            leaves(np.uint64(tick.seed), self.stream, tick.number, cells.id[near], k, chance, out)
            gone[near[out]] = True
        for rows in queue.removed:  # the dead, and those that leave in another way
            gone[rows] = False
        rows = np.flatnonzero(gone)
        queue.remove(rows)
        queue.log(tick.time, cells.id[rows], "outflow", cells.type[rows].astype(np.int64))
        self._walk_on(tissue, own, push, gone)

    @staticmethod
    def _outward(values: np.ndarray, axis: int, upper: bool) -> np.ndarray:
        return values[:, axis] if upper else -values[:, axis]

    def _depth(self, position: np.ndarray, axis: int, upper: bool) -> np.ndarray:
        """(cell) um between each cell and a face."""
        return np.abs(position[:, axis] - self.box[int(upper), axis])

    def _stretches(self, position: np.ndarray, axis: int) -> np.ndarray:
        """(cell) which stretch of a face each position is at: as many of equal length as are nearest to 250 um."""
        which = np.zeros(len(position), np.int64)
        for a in range(self.tangents):
            if a != axis:
                side = self.box[1, a] - self.box[0, a]
                count = max(1, round(side / STRETCH))
                at = (position[:, a] - self.box[0, a]) * (count / side)
                which = which * count + np.clip(at.astype(np.int64), 0, count - 1)
        return which

    def _walk_on(self, tissue: Tissue, own: np.ndarray, push: np.ndarray, gone: np.ndarray) -> None:
        """Who has come to a face by its own motion enters again at the opposite one, or turns round."""
        cells = tissue.cells
        still = gone.copy()
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
