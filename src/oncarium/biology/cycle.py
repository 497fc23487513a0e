"""Cells run through the phases of their cycle and divide at its end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from ..engine.column import Behavior, State
from ..engine.process import Process, Tick
from ..engine.random import uniform
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from ..engine.why import Why, given
from .death import hazard
from .vital import LIVE, who


@dataclass(frozen=True)
class CycleModel:
    """A chain of phases that returns to its first.

    phases      names, in order          rates    default exit rates, 1/min
    fixed       phases of fixed duration (1/rate); the others end at random with their rate
    divides     phase at whose end the cell divides        copies   phase at whose start the target of solids doubles
    """

    name: str
    phases: tuple[str, ...]
    rates: tuple[float, ...]
    fixed: tuple[bool, ...]
    divides: int
    copies: int


H = 1.0 / 60.0  # 1/h in 1/min
CYCLES = {
    m.name: m
    for m in (
        CycleModel("live", ("live",), (0.0432 * H,), (False,), 0, 0),
        CycleModel("ki67_basic", ("negative", "positive"), (H / 4.59, H / 15.5), (False, True), 1, 1),
        CycleModel(
            "ki67_advanced",
            ("negative", "premitotic", "postmitotic"),
            (H / 3.62, H / 13.0, H / 2.5),
            (False, True, True),
            1,
            1,
        ),
        CycleModel("flow_cytometry", ("G0G1", "S", "G2M"), (0.00324, 0.00208, 0.00333), (False,) * 3, 2, 1),
        CycleModel(
            "flow_cytometry_separated",
            ("G0G1", "S", "G2", "M"),
            (0.00335, 0.00208, 0.00417, 0.0167),
            (False,) * 4,
            3,
            1,
        ),
        CycleModel("cycling_quiescent", ("quiescent", "cycling"), (H / 4.59, H / 15.5), (False, True), 1, 1),
        CycleModel("none", (), (), (), -1, -1),
    )
}
"""Source: Ghaffarizadeh et al. 2018 (DOI 10.1371/journal.pcbi.1005991)."""


class Phases(NamedTuple):
    """The cycles of the types: how many phases each has (type), at whose end a cell divides (type), at whose start it
    doubles its target of solids (type), and which last a fixed time (type, phase)."""

    number: np.ndarray
    divides: np.ndarray
    copies: np.ndarray
    fixed: np.ndarray


@njit(cache=True, nogil=True)
def advance(first, last, firing, who, phase, elapsed, exit_rate, target_nuclear, models, dividing):
    """Move live cells on to their next phases; dividing[i] = 1 where one of them ended in division.

    Exact: the time at which a phase ended is drawn too, and the rest of the step belongs to the next phase. Where there
    is one phase only, daughters that are born within the step may divide in it too: the chance is exp(rate dt) - 1, so
    that the mean number of cells is exact for any step.
    """
    seed, stream, tick, dt, exact = firing
    _, keys, kind, vital = who
    phases, divides, copies, fixed = models
    for i in range(first, last):
        t = kind[i]
        if vital[i] != LIVE or phases[t] == 0:
            continue
        elapsed[i] += dt
        left = dt
        for draw in range(phases[t]):  # no phase ends twice in a step
            p = phase[i]
            rate = exit_rate[i, p]
            if rate <= 0.0:
                break
            if fixed[t, p]:
                over = elapsed[i] - 1.0 / rate
                if over < -1e-9 * dt if exact else elapsed[i] <= 1.0 / rate - 0.5 * dt:
                    break
                left = max(over, 0.0)
            else:
                u = uniform(seed, stream, tick, keys[i], draw)
                if u >= (math.expm1(rate * left) if exact and phases[t] == 1 else hazard(rate, left, exact)):
                    break
                left = max(left + math.log1p(-u) / rate, 0.0) if exact else left
            if p == divides[t]:
                dividing[i] = 1
            phase[i] = (p + 1) % phases[t]
            if phase[i] == copies[t]:
                target_nuclear[i] *= 2.0
            if not exact:
                elapsed[i] = 0.0
                break
            elapsed[i] = left


class Cycle(Process):
    """Phases of the cell cycle.

    Column    Unit    Kind       Meaning
    exit      1/min   Behavior   exit rate of each phase; a fixed phase lasts 1/exit
    phase     1       State      present phase, an index into the type's phases

    Hazard      exact: times in a phase are exponential (or fixed) for any dt, the number of cells with a single phase
                grows as exp(exit t) for any dt; otherwise leaves with probability exit * dt.
    Reads       elapsed.     Adds to   the population's divisions (done in `renew`).
    Source      Ghaffarizadeh et al. 2018 (DOI 10.1371/journal.pcbi.1005991).
    """

    section = "cycle"
    slot = "act"
    reads = ("cycle.exit", "vital")
    sets = ("cycle.phase",)
    adds = ("population",)
    exit = Behavior("1/min", ge=0.0, axis="phase", doc="exit rate of each cycle phase")
    phase = State("1", dtype=np.int32, at_change="base", doc="present phase of the cycle")

    @classmethod
    def why(cls, model) -> Why:
        cycling = [t.name for t in model.types if t.cycle.phases]
        return given(cycling, f"cells.{next(iter(cycling), '')}.cycle", "no type has a cycle")

    @classmethod
    def of(cls, model, build, **options) -> Cycle:
        fixed = np.zeros((len(model.types), max(len(t.cycle.phases) for t in model.types)), np.bool_)
        for i, t in enumerate(model.types):
            fixed[i, : len(t.fixed)] = t.fixed
        return cls(build.minutes(cls.clock), [CYCLES[t.cycle.name] for t in model.types], fixed, build.exact, **options)

    def __init__(self, period: float, models: list[CycleModel], fixed: np.ndarray, exact: bool = True):
        self.period = period
        self.models = models
        self.exact = exact
        numbers = zip(*((len(m.phases), m.divides, m.copies) for m in models))
        count, divides, copies = (np.array(v, np.int64) for v in numbers)
        self.phases = Phases(count, divides, copies, fixed)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        dividing = np.zeros(cells.n, np.uint8)
        before = cells["volume.target_nuclear"].copy() if "volume.target_cytoplasm" in cells else None
        columns = (cells[name] for name in ("cycle.phase", "elapsed", "cycle.exit", "volume.target_nuclear"))
        over_rows(advance, cells.n, self.threads, self.firing(tick), who(cells), *columns, self.phases, dividing)
        if before is not None:
            cells["volume.target_cytoplasm"][cells["volume.target_nuclear"] != before] *= 2.0
        tissue.population.divide(np.flatnonzero(dividing))
