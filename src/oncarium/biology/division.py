"""Births and deaths of a tick take effect: the only place where the number of cells changes."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..engine.column import Behavior
from ..engine.population import Population
from ..engine.process import Process, Tick
from ..engine.random import direction, uniform
from ..engine.tissue import Tissue
from .shape import radius_of


@njit(cache=True, nogil=True)
def place(parents, daughters, seed, stream, tick, ids, position, radius, lower, upper, flat):
    """Put daughters at one (mother's) radius along a random axis and move the mother back by half of it."""
    for k in range(parents.shape[0]):
        i, j = parents[k], daughters[k]
        u = direction(seed, stream, tick, ids[i], 0, flat)
        r = radius[i]
        for a in range(3):
            position[j, a] = min(max(position[i, a] + u[a] * r, lower[a]), upper[a])
            position[i, a] = min(max(position[i, a] - 0.5 * u[a] * r, lower[a]), upper[a])


class Division(Process):
    """Apply the population queue.

    A dividing cell halves all its volumes; the daughter lies one radius of the mother away along a random axis (in the
    plane in 2-D), the mother moves back by half of it. With `asymmetric` probabilities the daughter becomes another type.

    Column       Unit   Kind       Meaning
    asymmetric   1      Behavior   probability that the daughter is of each type

    Source      Ghaffarizadeh et al. 2018 (DOI 10.1371/journal.pcbi.1005991).
    """

    section = "division"
    slot = "renew"
    reads = ("population",)
    sets = ("cells",)
    asymmetric = Behavior("1", ge=0.0, le=1.0, axis="type", doc="probability that the daughter is of each type")

    def __init__(self, period: float, population: Population):
        self.period = period
        self.population = population

    def prepare(self, tissue: Tissue) -> None:
        grid = tissue.fields.grid
        self.lower, self.upper, self.flat = np.array(grid.lower, float), np.array(grid.upper, float), grid.is_2d

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        parents, daughters = self.population.apply(tissue)
        if not len(parents):
            return
        self.population.log(tick.time, cells.id[parents], "division", cells.id[daughters])
        place(
            parents,
            daughters,
            np.uint64(tick.seed),
            self.stream,
            tick.number,
            cells.id,
            cells.position,
            cells["radius"],
            self.lower,
            self.upper,
            self.flat,
        )
        both = np.concatenate([parents, daughters])
        cells["radius"][both] = radius_of(cells["volume.total"][both])
        if "division.asymmetric" in cells and np.any(cells["division.asymmetric"][parents]):
            self._differentiate(tissue, tick, parents, daughters)

    def _differentiate(self, tissue: Tissue, tick: Tick, parents: np.ndarray, daughters: np.ndarray) -> None:
        cells = tissue.cells
        for i, j in zip(parents, daughters):
            left = uniform(np.uint64(tick.seed), self.stream, tick.number, cells.id[i], 9)
            for t, p in enumerate(cells["division.asymmetric"][i]):
                if left < p:
                    if t != cells.type[j]:
                        cells.become(np.array([j]), np.array([t]))
                    break
                left -= p
