"""Cells hold on to neighbors by elastic attachments that form and break at random."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..engine.column import Behavior, State
from ..engine.process import Process, Tick
from ..engine.random import pair, uniform
from ..engine.tissue import Tissue
from .death import hazard
from .mechanics import Mechanics, Neighborhood
from .vital import LIVE, who

BONDS = 16  # places for attachments per cell: the largest number a model may ask for


@njit(cache=True, nogil=True)
def held_by(partner, i):
    """How many attachments row i holds."""
    for b in range(partner.shape[1]):
        if partner[i, b] < 0:
            return b
    return partner.shape[1]


@njit(cache=True, nogil=True)
def hold(partner, i, other):
    """Row i holds on to the id `other`, once."""
    count = held_by(partner, i)
    for b in range(count):
        if partner[i, b] == other:
            return
    if count < partner.shape[1]:
        partner[i, count] = other


@njit(cache=True, nogil=True)
def join(partner, ids, i, j):
    """Rows i and j hold on to each other."""
    hold(partner, i, ids[j])
    hold(partner, j, ids[i])


@njit(cache=True, nogil=True)
def release(partner, i, other):
    """Row i lets go of the id `other`; the last attachment takes its place."""
    count = held_by(partner, i)
    for b in range(count):
        if partner[i, b] == other:
            partner[i, b] = partner[i, count - 1]
            partner[i, count - 1] = -1
            return


@njit(cache=True, nogil=True)
def release_all(partner, i, own, row_of, first_id):
    """Row i, of id `own`, lets go of everybody and everybody of it; row_of[id - first_id] is a row or -1."""
    for b in range(held_by(partner, i)):
        j = row_with(partner[i, b], row_of, first_id)
        if j >= 0:
            release(partner, j, own)
        partner[i, b] = -1


@njit(cache=True, nogil=True)
def rows_by_id(ids):
    """Table of rows by id, and the id of its first entry."""
    if ids.shape[0] == 0:
        return np.empty(0, np.int64), 0
    first = ids.min()
    table = np.full(ids.max() - first + 1, -1, np.int64)
    for i in range(ids.shape[0]):
        table[ids[i] - first] = i
    return table, first


@njit(cache=True, nogil=True)
def row_with(id, row_of, first_id):
    """Row of an id in that table, -1 if there is none."""
    k = id - first_id
    return row_of[k] if 0 <= k < row_of.shape[0] else -1


@njit(cache=True, nogil=True)
def touch(position, reach, i, j):
    """Whether rows i and j lie within the sum of their reaches (um)."""
    d = 0.0
    for x in range(3):
        d += (position[i, x] - position[j, x]) ** 2
    return d < (reach[i] + reach[j]) ** 2


@njit(cache=True, nogil=True)
def _drop(partner, i, other):
    """Row i forgets the id `other`, keeping its other attachments in front and in their order."""
    k = 0
    for b in range(partner.shape[1]):
        if partner[i, b] != other:
            partner[i, k] = partner[i, b]
            k += 1
    partner[i, k:] = -1


@njit(cache=True, nogil=True)
def let_go(firing, order, ids, keys, vital, detachment, before, row, partner):
    """End attachments by chance, and those to cells that are dead or gone. before, row (cell, bond): the ids held
    so far and their rows, -1 if gone."""
    seed, stream, tick, dt, exact = firing
    for i in order:
        for b in range(held_by(before, i)):
            j, other = row[i, b], before[i, b]
            if not np.any(partner[i] == other):
                continue  # the other one has let go first
            if j < 0 or vital[j] != LIVE or vital[i] != LIVE:
                _drop(partner, i, other)
            elif uniform(seed, stream, tick, pair(keys[i], keys[j]), 0) < hazard(detachment[i], dt, exact):
                _drop(partner, i, other)
                _drop(partner, j, ids[i])


@njit(cache=True, nogil=True)
def attach(firing, order, who, place, affinity, attachment, maximum, partner):
    """New attachments between live neighbors that both have a place free."""
    seed, stream, tick, dt, exact = firing
    ids, keys, kind, vital = who
    position, reach, first, near = place
    for i in order:
        if vital[i] != LIVE or attachment[i] <= 0.0:
            continue
        for m in range(first[i], first[i + 1]):
            j = near[m]
            if held_by(partner, i) >= min(maximum[i], BONDS):
                break
            if vital[j] != LIVE or held_by(partner, j) >= min(maximum[j], BONDS) or np.any(partner[i] == ids[j]):
                continue
            if not touch(position, reach, i, j):
                continue
            p = hazard(attachment[i] * affinity[i, kind[j]], dt, exact)
            if uniform(seed, stream, tick, pair(keys[i], keys[j]), 1) < p:
                join(partner, ids, i, j)


class Springs(Process):
    """Attachments between neighbors; Mechanics turns them into forces.

    Column       Unit    Kind       Meaning
    elastic      1/min   Behavior   elastic constant k; the pair's is the geometric mean, times both affinities
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
    attachment = Behavior("1/min", ge=0.0, wakes=True, doc="rate of attaching to a neighbor")
    detachment = Behavior("1/min", ge=0.0, doc="rate of letting go of an attachment")
    maximum = Behavior("1", 12.0, ge=0.0, le=float(BONDS), whole=True, doc="largest number of attachments")
    partner = State("1", -1, dtype=int, axis="bond", inherit="default", doc="ids of attached cells, -1 where free")

    clock = "mechanics"

    @classmethod
    def of(cls, model, build, **options) -> Springs:
        return cls(build.minutes(cls.clock), build[Mechanics], build.exact, **options)

    def __init__(self, period: float, mechanics: Mechanics, exact: bool = True):
        self.period = period
        self.mechanics = mechanics
        self.exact = exact

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        if not (cells.base["springs.active"] > 0.5).any():
            return
        partner, order = cells["springs.partner"], cells.order()
        if np.any(partner >= 0):
            before, row = partner.copy(), cells.rows_of(partner)
            held = (cells["springs.detachment"], before, row, partner)
            let_go(self.firing(tick), order, cells.id, cells.key, cells["vital"], *held)
        if np.any(cells["springs.attachment"]):
            around = Neighborhood.of(tissue, self.mechanics)
            given = (cells["mechanics.affinity"], cells["springs.attachment"], cells["springs.maximum"])
            attach(self.firing(tick), order, who(cells), around, *given, partner)
