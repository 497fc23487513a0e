"""Stem-like tumor cells renew themselves; their other daughters divide a number of times."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..engine.column import Behavior, State
from ..engine.process import Process, Tick
from ..engine.random import uniform
from ..engine.tissue import Tissue


@njit(cache=True, nogil=True)
def pass_on(seed, stream, tick, keys, parents, daughters, acts, kind, stem, divisions, renewal, return_):
    """What every pair of mother and daughter is after a division; one draw per mother."""
    for k in range(parents.shape[0]):
        i, j = parents[k], daughters[k]
        if not acts[kind[i]]:
            continue
        u = uniform(seed, stream, tick, keys[i], 0)
        if stem[i] > 0.5:
            stem[j] = 1.0 if u < renewal[i] else 0.0
            divisions[i] = 0.0
            divisions[j] = 0.0
        else:
            divisions[i] += 1.0
            divisions[j] = divisions[i]
            if u < return_[i]:
                stem[j] = 1.0
                divisions[j] = 0.0


class Stemness(Process):
    """Stem-like and differentiated tumor cells.

    A stem-like cell that divides stays stem-like; its daughter is one too with probability
    `renewal` and else begins to count her divisions. A differentiated cell counts on, in both
    daughters; with probability `return` one of them becomes stem-like again. Rules let
    `divisions` end the cycle, and let IL-6, hypoxia and macrophages raise both probabilities.

    Column      Unit   Kind       Meaning
    level       1      State      1 stem-like, 0 differentiated
    divisions   1      State      divisions since the last stem-like ancestor
    renewal     1      Behavior   probability that the daughter of a stem-like cell is one
    return      1      Behavior   probability that a division of a differentiated cell yields a stem-like one

    Source      Gupta et al. 2011, Cell 146:633 (DOI 10.1016/j.cell.2011.07.026):
                both states turn into each other; probabilities assumed.
    """

    section = "stem"
    slot = "renew"
    reads = ("population",)
    sets = ("stem.level", "stem.divisions")
    level = State("1", ge=0.0, le=1.0, doc="1 stem-like, 0 differentiated")
    divisions = State("1", ge=0.0, doc="divisions since the last stem-like ancestor")
    renewal = Behavior("1", ge=0.0, le=1.0, doc="probability that the daughter of a stem-like cell is one")
    return_ = Behavior(
        "1",
        ge=0.0,
        le=1.0,
        name="stem.return",
        doc="probability that a division of a differentiated cell yields a stem-like one",
    )

    clock = "mechanics"

    @classmethod
    def of(cls, model, build, **options) -> Stemness:
        return cls(build.minutes(cls.clock), np.array(["stem" in t.sections for t in model.types]), **options)

    def __init__(self, period: float, acts: np.ndarray | None = None):
        self.period = period
        self.acts = acts

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        acts = np.ones(len(cells.types), np.bool_) if self.acts is None else self.acts
        columns = (cells[f"stem.{k}"] for k in ("level", "divisions", "renewal", "return"))
        draws = (np.uint64(tick.seed), self.stream, tick.number, cells.key)
        pass_on(*draws, *tissue.population.born, acts, cells.type, *columns)
