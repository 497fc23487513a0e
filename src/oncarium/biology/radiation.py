"""Radiation leaves lethal lesions, of which cells die when they next divide, and lymphocytes within a day."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..engine.column import State, Trait
from ..engine.process import Process, Tick
from ..engine.random import uniform
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from ..engine.why import Why, given
from .death import begin_apoptosis
from .drugs.calendar import Calendar
from .drugs.levels import Schedule
from .vessels.regression import Regression
from .vital import LIVE

LAST = 2  # divisions that a cell with lesions may survive: it dies at one of its next three
SOONEST, LATEST = 360.0, 1440.0  # min to the death of a lymphocyte that does not divide (6 to 24 h)
MOST = 100_000  # lesions that are counted


@njit(cache=True, nogil=True)
def oxygen_effect(oxygen, oer, half):
    """Dose with plenty of oxygen that does the same as a dose of 1 at this oxygen (mmHg).

    >>> [round(oxygen_effect(p, 3.0, 3.0), 3) for p in (0.0, 2.5, 40.0)]
    [0.333, 0.636, 0.953]
    """
    return (oer * oxygen + half) / (oer * (oxygen + half))


@njit(cache=True, nogil=True)
def lesions(dose, alpha, beta):
    """Mean number of lethal lesions of a dose (Gy) in one fraction; exp(-this) of the cells have none.

    >>> round(math.exp(-lesions(2.0, 0.3, 0.03)), 4)
    0.4868
    """
    return alpha * dose + beta * dose * dose


@njit(cache=True, nogil=True)
def poisson(u, mean):
    """A Poisson number by inversion of one uniform number; in halves where its mean is large."""
    if mean > 500.0:
        return int(mean + math.sqrt(mean) * (2.0 * u - 1.0))
    p = math.exp(-mean)
    total, n = p, 0
    while u > total and n < MOST and p > 0.0:
        n += 1
        p *= mean / n
        total += p
    return n


@njit(cache=True, nogil=True)
def _irradiate(first, last, seed, stream, tick, time, dose, keys, kind, vital, phase, oxygen, law, types, state):
    """Lesions of one fraction. law: oer, half; types: alpha, beta, interphase (type) and weight (type, phase); state:
    lesions, divisions, due (cell)."""
    alpha, beta, interphase, weight = types
    count, divisions, due = state
    for i in range(first, last):
        if vital[i] != LIVE:
            continue
        t = kind[i]
        there = dose * oxygen_effect(oxygen[i], law[0], law[1]) if oxygen[i] >= 0.0 else dose
        new = poisson(uniform(seed, stream, tick, keys[i], 0), weight[t, phase[i]] * lesions(there, alpha[t], beta[t]))
        if new == 0:
            continue
        if count[i] == 0.0:
            divisions[i] = 0.0
        count[i] += new
        if due[i] == 0.0 and uniform(seed, stream, tick, keys[i], 1) < interphase[t]:
            due[i] = time + SOONEST + (LATEST - SOONEST) * uniform(seed, stream, tick, keys[i], 2)


@njit(cache=True, nogil=True)
def _catastrophes(seed, stream, tick, keys, rows, count, divisions, dies):
    """Which of these dividing cells die of it: each lesion kills with a half, and no cell survives the third time."""
    for k in range(rows.shape[0]):
        i = rows[k]
        if count[i] > 0.0:
            u = uniform(seed, stream, tick, keys[i], 3)
            dies[k] = divisions[i] >= LAST or u < 1.0 - 0.5 ** count[i]
            divisions[i] += 1.0


class Radiation(Process):
    """Fractions of radiation.

    Equation    mean lesions = w (alpha d + beta d^2),   d = dose (m p + K) / (m (p + K)),   p the oxygen at the cell
                a cell with N > 0 lesions dies at its next division with 1 - 2^-N, at the third for sure; both daughters
                inherit them. Of lymphocytes those with lesions die 6 to 24 h later without dividing.
                vessels: 1 - exp(-loss (dose - above)) of the segments close at once where a fraction is above 10 Gy

    w is the weight of the cell's phase. A share exp(-mean) of the cells has no lesion and goes on: the linear-quadratic
    law. What dead cells release, show and call follows from the mechanisms that do so for any dead cell.

    Column       Unit     Kind    Meaning
    alpha        1/Gy     Trait   lesions by dose
    beta         1/Gy^2   Trait   lesions by its square
    interphase   1        Trait   share of cells with lesions that die without dividing
    lesions      1        State   lethal lesions of the cell
    divisions    1        State   divisions since it got them
    due          min      State   when it dies without dividing; 0: it does not

    Source      linear-quadratic law and oxygen effect as in textbooks; numbers in the library's radiation.
    """

    section = "radiation"
    slot = "renew"
    reads = ("fields.value", "cycle.phase", "vital")
    sets = ("radiation.lesions",)
    adds = ("population", "vital", "vessels")
    clock = "mechanics"
    alpha = Trait("1/Gy", 0.3, ge=0.0, doc="lethal lesions by dose")
    beta = Trait("1/Gy^2", 0.03, ge=0.0, doc="lethal lesions by its square")
    interphase = Trait("1", 0.0, ge=0.0, le=1.0, doc="share of cells with lesions that die without dividing")
    lesions = State("1", ge=0.0, doc="lethal lesions of the cell")
    divisions = State("1", ge=0.0, doc="divisions since it got them")
    due = State("min", ge=0.0, doc="when it dies without dividing; 0: it does not")

    @classmethod
    def why(cls, model) -> Why:
        return given(model.therapy and model.therapy.gives("radiation"), "therapy.doses", "no radiation is given")

    @classmethod
    def of(cls, model, build, **options) -> Radiation:
        numbers = model.therapy.treatments.radiation
        table = {
            key: np.array([t.values.get(f"radiation.{key}", numbers.of(t.name, key)) for t in model.types], float)
            for key in ("alpha", "beta", "interphase")
        }
        most = max([1, *(len(t.cycle.phases) for t in model.types)])
        weight = np.ones((len(model.types), most))
        for k, t in enumerate(model.types):
            weight[k, : len(t.cycle.phases)] = [numbers.phases.get(p, 1.0) for p in t.cycle.phases]
        law = (numbers.oer, numbers.half)
        return cls(build.minutes(cls.clock), build[Schedule].calendar, law, table, weight, numbers.vessels, **options)

    def __init__(
        self, period: float, calendar: Calendar, law: tuple[float, float], table: dict[str, np.ndarray],
        weight: np.ndarray, vessels: tuple[float, float] = (10.0, 0.0),
    ):  # fmt: skip
        self.period, self.calendar, self.law, self.weight, self.vessels = period, calendar, law, weight, vessels
        self.table = table

    def prepare(self, tissue: Tissue) -> None:
        tissue.population.register(("mitotic_death", "interphase_death"))
        for key, values in self.table.items():
            tissue.cells.base[f"radiation.{key}"][:] = values

    def step(self, tissue: Tissue, tick: Tick) -> None:
        self._divide(tissue, tick)
        self._wait(tissue, tick)
        for d in self.calendar.due(tick.time, tick.time + tick.dt, "radiation"):
            if d.time >= tick.time:
                self.irradiate(tissue, tick, d.amount)

    def irradiate(self, tissue: Tissue, tick: Tick, dose: float) -> None:
        """One fraction (Gy) on every live cell and vessel."""
        cells, fields = tissue.cells, tissue.fields
        oxygen = np.full(cells.n, -1.0)
        if "oxygen" in fields.names:
            oxygen = np.maximum(fields.value[fields.index("oxygen")].reshape(-1)[tissue.voxels()], 0.0)
        phase = cells["cycle.phase"] if "cycle.phase" in cells else np.zeros(cells.n, np.int32)
        types = (*(self.table[k] for k in ("alpha", "beta", "interphase")), self.weight)
        state = tuple(cells[f"radiation.{k}"] for k in ("lesions", "divisions", "due"))
        draws = (np.uint64(tick.seed), self.stream, tick.number, tick.time)
        given_ = (cells.key, cells.type, cells["vital"], phase, oxygen, self.law, types, state)
        over_rows(_irradiate, cells.n, self.threads, *draws, dose, *given_)
        above, loss = self.vessels
        if tissue.vessels is not None and dose > above and tissue.vessels.graph.n_segments:
            ids = tissue.vessels.graph.segment_id
            u = np.array([uniform(np.uint64(tick.seed), self.stream, tick.number, int(k), 4) for k in ids])
            gone = u < -math.expm1(-loss * (dose - above))
            if gone.any():
                Regression().remove(tissue, tick, gone)

    def _divide(self, tissue: Tissue, tick: Tick) -> None:
        """Of those that are about to divide, some die of their lesions."""
        cells, queue = tissue.cells, tissue.population
        if not queue.dividing:
            return
        rows = np.unique(np.concatenate(queue.dividing))
        dies = np.zeros(len(rows), np.bool_)
        state = (cells["radiation.lesions"], cells["radiation.divisions"])
        _catastrophes(np.uint64(tick.seed), self.stream, tick.number, cells.key, rows, *state, dies)
        if dies.any():
            queue.dividing = [rows[~dies]] if not dies.all() else []
            self._kill(tissue, tick, rows[dies], "mitotic_death")

    def _wait(self, tissue: Tissue, tick: Tick) -> None:
        due = tissue.cells["radiation.due"]
        rows = np.flatnonzero((due > 0.0) & (due < tick.time + tick.dt) & (tissue.cells["vital"] == LIVE))
        if len(rows):
            queue = tissue.population
            queue.dividing = [np.setdiff1d(r, rows) for r in queue.dividing]
            self._kill(tissue, tick, rows, "interphase_death")

    @staticmethod
    def _kill(tissue: Tissue, tick: Tick, rows: np.ndarray, kind: str) -> None:
        begin_apoptosis(tissue, rows, tick.time)
        tissue.population.log(tick.time, tissue.cells.id[rows], kind)
