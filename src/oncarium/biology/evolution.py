"""Tumor cells inherit what they are, and now and then a daughter is a little different."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..engine.column import Behavior, State
from ..engine.process import Process, Tick
from ..engine.random import normal, uniform
from ..engine.tissue import Tissue

HERITABLE = ("growth", "antigen", "resistance")


@njit(cache=True, nogil=True)
def mutate(seed, stream, tick, ids, keys, daughters, rate, step, clone, growth, antigen, resistance):
    """Change the heritable traits of mutating daughters by log-normal
    factors; each of them founds a clone named by her id."""
    for j in daughters:
        if uniform(seed, stream, tick, keys[j], 0) < rate[j]:
            clone[j] = ids[j]
            growth[j] *= math.exp(step[j] * normal(seed, stream, tick, keys[j], 1))
            antigen[j] *= math.exp(step[j] * normal(seed, stream, tick, keys[j], 2))
            resistance[j] *= math.exp(step[j] * normal(seed, stream, tick, keys[j], 3))


class Evolution(Process):
    """Clones and their heritable traits.

    Column       Unit   Kind       Meaning
    clone        1      State      id of the cell that founded the clone, -1 for the first one
    growth       1      State      heritable drive to divide; 1 at the start
    antigen      1      State      heritable foreignness; 1 at the start
    resistance   1      State      heritable resistance to damage; 1 at the start
    rate         1      Behavior   probability that a daughter mutates; radicals of macrophages raise it by a rule
    step         1      Behavior   standard deviation of the logarithm of a change

    Rules use the traits as signals. Mutations are neither aimed
    nor selected here: who divides and who is killed decides."""

    section = "evolution"
    slot = "renew"
    reads = ("population",)
    sets = tuple(f"evolution.{k}" for k in ("clone", *HERITABLE))
    clone = State("1", -1, dtype=int, doc="id of the cell that founded the clone, -1 for the first one")
    growth = State("1", 1.0, ge=0.0, doc="heritable drive to divide")
    antigen = State("1", 1.0, ge=0.0, doc="heritable foreignness")
    resistance = State("1", 1.0, ge=0.0, doc="heritable resistance to damage")
    rate = Behavior("1", ge=0.0, le=1.0, doc="probability that a daughter mutates")
    step_ = Behavior("1", 0.2, ge=0.0, name="evolution.step", doc="standard deviation of the logarithm of a change")

    clock = "mechanics"

    def __init__(self, period: float):
        self.period = period

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        columns = (cells[f"evolution.{k}"] for k in ("rate", "step", "clone", *HERITABLE))
        mutate(np.uint64(tick.seed), self.stream, tick.number, cells.id, cells.key, tissue.population.born[1], *columns)
