"""Births and deaths of a tick take effect: the only place where the number of cells changes."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..engine.column import Behavior, State
from ..engine.population import NOBODY
from ..engine.process import Process, Tick
from ..engine.random import direction, uniform
from ..engine.tissue import Tissue
from ..engine.why import Why, given
from ..errors import NumericsError
from .outside import BORN_OUTSIDE, OUTSIDE, beyond
from .secretion import INTERNALISED, RELEASED
from .springs import release_all, rows_by_id
from .vital import radius_of


@njit(cache=True, nogil=True)
def place(parents, daughters, seed, stream, tick, keys, position, radius, lower, upper, flat, exact):
    """Put daughters at one (mother's) radius along a random axis and move the mother back by half of it.

    Exact: the axis of a 2-D tissue lies in its plane, and nobody leaves the box. Otherwise the axis is random in space
    and its part in the plane counts, and cells may come to lie outside.
    """
    for k in range(parents.shape[0]):
        i, j = parents[k], daughters[k]
        u = direction(seed, stream, tick, keys[i], 0, flat and exact)
        r = radius[i]
        for a in range(3):
            step = u[a] * r if a < 2 or not flat else 0.0
            position[j, a] = position[i, a] + step
            position[i, a] -= 0.5 * step
            if exact:
                position[j, a] = min(max(position[j, a], lower[a]), upper[a])
                position[i, a] = min(max(position[i, a], lower[a]), upper[a])


class Division(Process):
    """Apply the population queue.

    A dividing cell halves all its volumes; the daughter lies one radius of the mother away along a random axis (in the
    plane in 2-D), the mother moves back by half of it, and both let go of all attachments. With `asymmetric`
    probabilities the daughter becomes another type; if they sum to more than 1, that of the mother's own type is
    lowered. Of what a removed cell holds of each factor, its share secretion.released returns to its voxel.

    Column       Unit   Kind       Meaning
    asymmetric   1      Behavior   probability that the daughter is of each type
    count        1      State      divisions since the cell, or its first ancestor, came or was placed; there only where
                                   a rule reads it

    Source      Ghaffarizadeh et al. 2018 (DOI 10.1371/journal.pcbi.1005991).
    """

    section = "division"
    slot = "renew"
    reads = ("population",)
    sets = ("cells",)
    asymmetric = Behavior(
        "1", ge=0.0, le=1.0, axis="type", rare=True, doc="probability that the daughter is of each type"
    )
    count = State("1", ge=0.0, rare=True, doc="divisions since the cell, or its first ancestor, came or was placed")

    events = ("division",)

    @classmethod
    def why(cls, model) -> Why:
        return given(True, "births and deaths take effect")

    @classmethod
    def of(cls, model, build, *, clock: str = "mechanics", **options) -> Division:
        return cls(build.minutes(clock), build.exact, **options)

    def __init__(self, period: float, exact: bool = True):
        self.period = period
        self.exact = exact

    def prepare(self, tissue: Tissue) -> None:
        grid = tissue.fields.grid
        self.lower, self.upper, self.flat = np.array(grid.lower, float), np.array(grid.upper, float), grid.is_2d

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        tissue.population.born = NOBODY
        if not tissue.population.dividing and not tissue.population.removed:
            return
        self._let_go(tissue)
        parents, daughters = tissue.population.born = tissue.population.apply(tissue)
        if not len(parents):
            return
        tissue.population.log(tick.time, cells.id[parents], "division", cells.id[daughters])
        draws = (np.uint64(tick.seed), self.stream, tick.number, cells.key)
        box = (self.lower, self.upper, self.flat)
        place(parents, daughters, *draws, cells.position, cells["radius"], *box, self.exact)
        if OUTSIDE.name in cells:
            for rows in (parents, daughters):
                cells[OUTSIDE.name][rows[beyond(cells.position[rows], self.lower, self.upper)]] = BORN_OUTSIDE
        both = np.concatenate([parents, daughters])
        cells["radius"][both] = radius_of(cells["volume.total"][both])
        if "division.count" in cells:
            cells["division.count"][both] += 1.0
        if "division.asymmetric" in cells and np.any(cells["division.asymmetric"][parents]):
            self._differentiate(tissue, tick, parents, daughters)

    def _let_go(self, tissue: Tissue) -> None:
        """Who divides or goes is attached to nobody; who goes leaves behind what it releases."""
        cells, queue = tissue.cells, tissue.population
        gone = np.unique(np.concatenate(queue.removed)) if queue.removed else np.empty(0, np.int64)
        if "springs.partner" in cells:
            partner = cells["springs.partner"]
            rows = np.unique(np.concatenate([gone, *queue.dividing]))
            for i in rows[partner[rows, 0] >= 0]:
                release_all(partner, i, cells.id[i], *rows_by_id(cells.id))
        if INTERNALISED.name in cells and len(gone):
            gone = gone[np.argsort(cells.id[gone], kind="stable")]
            voxel = tissue.voxels(cells.position[gone])
            released = cells[INTERNALISED.name][gone] * cells[RELEASED.name][gone] / tissue.fields.grid.voxel_volume
            for f, value in enumerate(tissue.fields.value):
                np.add.at(value.reshape(-1), voxel, released[:, f])

    def _differentiate(self, tissue: Tissue, tick: Tick, parents: np.ndarray, daughters: np.ndarray) -> None:
        cells = tissue.cells
        chances = cells["division.asymmetric"]
        for i, j in zip(parents, daughters):
            own, total = cells.type[i], chances[i].sum()
            if total > 1.0:
                rest = chances[i, own] + 1.0 - total
                if rest < 0.0:
                    raise NumericsError(
                        f"{tick.time:g} min",
                        f"division.asymmetric of cell {cells.id[i]} ({cells.types[own]}) sums to {total:g};",
                        "expected at most 1 without its own type.",
                        "Lower the probabilities or the rules that raise them.",
                    )
                chances[i, own] = chances[j, own] = rest
            left = uniform(np.uint64(tick.seed), self.stream, tick.number, cells.key[i], 9)
            for t, p in enumerate(chances[i]):
                if left < p:
                    if t != cells.type[j]:
                        cells.become(np.array([j]), np.array([t]))
                    break
                left -= p
