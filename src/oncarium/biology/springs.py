"""Cells hold on to neighbors by elastic attachments that form and break at random."""

from __future__ import annotations

import numpy as np

from ..engine.column import Behavior, State
from ..engine.process import Process, Tick
from ..engine.random import uniform
from ..engine.tissue import Tissue
from .death import hazard
from .mechanics import Mechanics
from .shape import LIVE

BONDS = 16  # places for attachments per cell: the largest number a model may ask for


class Springs(Process):
    """Attachments between neighbors; Mechanics turns them into forces.

    Column       Unit    Kind       Meaning
    elastic      1/min   Behavior   elastic constant k; the pair's is the geometric mean
    attachment   1/min   Behavior   rate of attaching to a neighbor, times the affinity to its type
    detachment   1/min   Behavior   rate of letting go of an attachment
    maximum      1       Behavior   largest number of attachments
    partner      1       State      ids of attached cells, -1 where free

    Pairs are decided one after another in the order of ids; an attachment is always held by both.
    """

    section = "springs"
    slot = "move"
    reads = ("position", "vital")
    sets = ("springs.partner",)
    elastic = Behavior("1/min", 0.01, ge=0.0, doc="elastic constant of attachments")
    attachment = Behavior("1/min", ge=0.0, doc="rate of attaching to a neighbor")
    detachment = Behavior("1/min", ge=0.0, doc="rate of letting go of an attachment")
    maximum = Behavior("1", 12.0, ge=0.0, le=float(BONDS), doc="largest number of attachments")
    partner = State("1", -1, dtype=int, axis="bond", inherit="default", doc="ids of attached cells, -1 where free")

    def __init__(self, period: float, mechanics: Mechanics, exact: bool = True):
        self.period = period
        self.mechanics = mechanics
        self.exact = exact

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        partner = cells["springs.partner"]
        row_of = {int(c): i for i, c in enumerate(cells.id)} if np.any(partner >= 0) else {}
        seed = np.uint64(tick.seed)
        for i in np.flatnonzero(np.any(partner >= 0, axis=1)):
            for b in np.flatnonzero(partner[i] >= 0):
                other = int(partner[i, b])
                j = row_of.get(other, -1)
                if j < 0 or cells["vital"][j] != LIVE or cells["vital"][i] != LIVE:
                    partner[i, b] = -1
                    continue
                p = hazard(cells["springs.detachment"][i], tick.dt, self.exact)
                if uniform(seed, self.stream, tick.number, cells.id[i], 2 * (other + 1)) < p:
                    partner[i, b] = -1
                    partner[j][partner[j] == cells.id[i]] = -1
        if not np.any(cells["springs.attachment"]):
            return
        near = self.mechanics.look(tissue)
        reach = cells["radius"] * cells["mechanics.adhesion_distance"]
        willing = np.flatnonzero((cells["springs.attachment"] > 0.0) & (cells["vital"] == LIVE))
        for i in willing[np.argsort(cells.id[willing], kind="stable")]:
            for j in near.list[near.first[i] : near.first[i + 1]]:
                if cells["vital"][j] != LIVE or np.any(partner[i] == cells.id[j]):
                    continue
                if np.linalg.norm(cells.position[i] - cells.position[j]) >= reach[i] + reach[j]:
                    continue
                full = [np.count_nonzero(partner[k] >= 0) >= min(cells["springs.maximum"][k], BONDS) for k in (i, j)]
                rate = cells["springs.attachment"][i] * cells["mechanics.affinity"][i, cells.type[j]]
                if any(full) or uniform(
                    seed, self.stream, tick.number, cells.id[i], 2 * int(cells.id[j]) + 1
                ) >= hazard(rate, tick.dt, self.exact):
                    continue
                for a, b in ((i, j), (j, i)):
                    partner[a, np.flatnonzero(partner[a] < 0)[0]] = cells.id[b]
