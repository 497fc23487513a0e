"""Cells die by apoptosis or necrosis, change while dead, and are cleared."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ..engine.column import Behavior, State, Trait
from ..engine.process import Process, Tick
from ..engine.random import uniform
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from ..engine.why import Why, given
from .vital import APOPTOTIC, FROZEN, LIVE, LYSED, SWELLING, VITAL, who


@njit(cache=True, nogil=True)
def hazard(rate, dt, exact):
    """Probability that an event of this rate happens within dt: 1 - exp(-rate dt), or rate dt."""
    return 1.0 - math.exp(-rate * dt) if exact else rate * dt


@njit(cache=True, nogil=True)
def moment(draw, rate, dt, exact):
    """Minutes until an event of this rate (1/min), for a uniform draw; by chances per step: at once or never."""
    if exact:
        return -math.log1p(-draw) / rate if rate > 0.0 else math.inf
    return 0.0 if draw < rate * dt else math.inf


class Dying(NamedTuple):
    """What changes in dying cells, each (cell): time in the present phase (min), volume, target of the nucleus and
    volume at which a cell ruptures (um^3)."""

    elapsed: np.ndarray
    total: np.ndarray
    target_nuclear: np.ndarray
    rupture_volume: np.ndarray


class Fate(NamedTuple):
    """The traits of both deaths, each (type): durations (min), whether they are fixed or means, the shortest time of
    swelling (min), volumes at rupture in multiples of that at death."""

    apoptosis_duration: np.ndarray
    necrosis_duration: np.ndarray
    apoptosis_fixed: np.ndarray
    necrosis_fixed: np.ndarray
    necrosis_swelling_duration: np.ndarray
    apoptosis_rupture: np.ndarray
    necrosis_rupture: np.ndarray


@njit(cache=True, nogil=True)
def die(first, last, firing, who, state, rates, fate, started, cleared):
    """New deaths (started: 1 apoptosis, 2 necrosis), lysis, and clearance (cleared: 1)."""
    seed, stream, tick, dt, exact = firing
    _, keys, kind, vital = who
    elapsed, total, target_nuclear, rupture_volume = state
    apoptosis, necrosis = rates
    (
        apoptosis_duration, necrosis_duration, apoptosis_fixed, necrosis_fixed, swelling_duration, apoptosis_rupture,
        necrosis_rupture,
    ) = fate  # fmt: skip
    late = 1e-6 * dt if exact else 0.5 * dt
    for i in range(first, last):
        t = kind[i]
        if vital[i] >= FROZEN:
            continue
        if vital[i] == LIVE:
            # what comes first happens, and the rest of the step belongs to it
            shrinks, swells = math.inf, math.inf
            if apoptosis[i] > 0.0:
                shrinks = moment(uniform(seed, stream, tick, keys[i], 0), apoptosis[i], dt, exact)
            if necrosis[i] > 0.0:
                swells = moment(uniform(seed, stream, tick, keys[i], 1), necrosis[i], dt, exact)
            if min(shrinks, swells) >= dt:
                continue
            started[i] = 1 if shrinks <= swells else 2
            vital[i] = APOPTOTIC if started[i] == 1 else SWELLING
            rupture_volume[i] = (apoptosis_rupture[t] if started[i] == 1 else necrosis_rupture[t]) * total[i]
            elapsed[i] = dt - min(shrinks, swells)
            target_nuclear[i] = 0.0
        else:
            elapsed[i] += dt
        if vital[i] == SWELLING:
            if total[i] >= rupture_volume[i] and elapsed[i] > swelling_duration[t] - late:
                vital[i] = LYSED
                elapsed[i] = dt if exact else 0.0  # it grew so far in the step before
            continue
        duration, fixed = (
            (apoptosis_duration[t], apoptosis_fixed[t])
            if vital[i] == APOPTOTIC
            else (necrosis_duration[t], necrosis_fixed[t])
        )
        if fixed > 0.5 or duration <= 0.0:
            cleared[i] = elapsed[i] > duration - late
        else:
            cleared[i] = uniform(seed, stream, tick, keys[i], 2) < hazard(1.0 / duration, min(dt, elapsed[i]), exact)


def begin_apoptosis(tissue: Tissue, rows: np.ndarray, time: float) -> None:
    """Live cells (rows) begin to die now, whatever their rates; logged as apoptosis."""
    cells = tissue.cells
    cells["vital"][rows] = APOPTOTIC
    cells["death.rupture_volume"][rows] = cells["apoptosis.rupture"][rows] * cells["volume.total"][rows]
    cells["elapsed"][rows] = 0.0
    cells["volume.target_nuclear"][rows] = 0.0
    cells.die(rows)
    tissue.population.log(time, cells.id[rows], "apoptosis")


class Death(Process):
    """Apoptosis and necrosis.

    A live cell starts apoptosis or necrosis at its rates. Apoptotic cells shrink and are cleared after `duration`.
    Necrotic cells swell to `rupture` times their volume at death, lyse, shrink, calcify and are cleared after
    `duration`. A dying cell stops moving and secreting and takes up a tenth.

    Column               Unit    Kind       Meaning
    death.apoptosis      1/min   Behavior   rate of apoptosis
    death.necrosis       1/min   Behavior   rate of necrosis
    vital                1       State      0 live, 1 apoptotic, 2 swelling, 3 lysed
    elapsed              min     State      time in the present phase of cycle or death

    Exact       of both deaths what comes first happens, at its moment within the step, from which its duration counts;
                a swelling cell that has grown enough ruptures at the next step.
    Source      Ghaffarizadeh et al. 2018 (DOI 10.1371/journal.pcbi.1005991).
    """

    section = "death"
    slot = "act"
    reads = ("volume.total",)
    sets = ("vital",)
    adds = ("population",)
    events = ("removal", "apoptosis", "necrosis")
    vital = VITAL
    apoptosis = Behavior("1/min", 0.00319 / 60.0, ge=0.0, doc="rate of apoptosis")
    necrosis = Behavior("1/min", 0.0, ge=0.0, doc="rate of necrosis")
    rupture_volume = State(
        "um^3", inherit="copy", doc="volume at which this dying cell ruptures", name="death.rupture_volume"
    )
    elapsed = State("min", at_change="base", doc="time in the present phase of cycle or death", name="elapsed")
    apoptosis_duration = Trait(
        "min", 516.0, ge=0.0, name="apoptosis.duration", doc="time from the start of apoptosis to clearance"
    )
    apoptosis_fixed = Trait(
        "1",
        1.0,
        ge=0.0,
        le=1.0,
        name="apoptosis.fixed",
        doc="1 if clearance always takes the duration, 0 if that is its mean",
    )
    apoptosis_fluid = Trait("1/min", 0.05, ge=0.0, name="apoptosis.fluid_change", doc="fluid loss of an apoptotic cell")
    apoptosis_cytoplasm = Trait(
        "1/min", 1 / 60, ge=0.0, name="apoptosis.cytoplasm_change", doc="loss of cytoplasmic solids"
    )
    apoptosis_nucleus = Trait("1/min", 0.35 / 60, ge=0.0, name="apoptosis.nucleus_change", doc="loss of nuclear solids")
    apoptosis_calcium = Trait(
        "1/min", 0.0, ge=0.0, name="apoptosis.calcification", doc="calcification of an apoptotic cell"
    )
    apoptosis_rupture = Trait(
        "1", 2.0, ge=0.0, name="apoptosis.rupture", doc="rupture volume in multiples of the volume at death"
    )
    necrosis_duration = Trait("min", 86400.0, ge=0.0, name="necrosis.duration", doc="time from lysis to clearance")
    necrosis_fixed = Trait(
        "1",
        1.0,
        ge=0.0,
        le=1.0,
        name="necrosis.fixed",
        doc="1 if clearance always takes the duration, 0 if that is its mean",
    )
    swelling_duration = Trait(
        "min", 0.0, ge=0.0, name="necrosis.swelling_duration", doc="shortest time from necrosis to rupture"
    )
    necrosis_swelling = Trait("1/min", 0.67 / 60, ge=0.0, name="necrosis.swelling", doc="fluid gain before lysis")
    necrosis_fluid = Trait("1/min", 0.05 / 60, ge=0.0, name="necrosis.fluid_change", doc="fluid loss after lysis")
    necrosis_cytoplasm = Trait(
        "1/min", 0.0032 / 60, ge=0.0, name="necrosis.cytoplasm_change", doc="loss of cytoplasmic solids"
    )
    necrosis_nucleus = Trait("1/min", 0.013 / 60, ge=0.0, name="necrosis.nucleus_change", doc="loss of nuclear solids")
    necrosis_calcium = Trait(
        "1/min", 0.0042 / 60, ge=0.0, name="necrosis.calcification", doc="calcification of a necrotic cell"
    )
    necrosis_rupture = Trait(
        "1", 2.0, ge=0.0, name="necrosis.rupture", doc="rupture volume in multiples of the volume at death"
    )

    @classmethod
    def why(cls, model) -> Why:
        return given(True, "every cell may die")

    @classmethod
    def of(cls, model, build, **options) -> Death:
        return cls(build.minutes(cls.clock), exact=build.exact, **options)

    def __init__(self, period: float, exact: bool = True):
        self.period = period
        self.exact = exact

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, base = tissue.cells, tissue.cells.base
        started, cleared = np.zeros(cells.n, np.uint8), np.zeros(cells.n, np.uint8)
        state = Dying(
            *(cells[name] for name in ("elapsed", "volume.total", "volume.target_nuclear", "death.rupture_volume"))
        )
        fate = Fate(*(base[name.replace("_", ".", 1)] for name in Fate._fields))
        rates = (cells["death.apoptosis"], cells["death.necrosis"])
        over_rows(die, cells.n, self.threads, self.firing(tick), who(cells), state, rates, fate, started, cleared)
        new = np.flatnonzero(started)
        if len(new):
            cells.die(new)
            for code, kind in ((1, "apoptosis"), (2, "necrosis")):
                tissue.population.log(tick.time, cells.id[new[started[new] == code]], kind)
        gone = np.flatnonzero(cleared)
        tissue.population.log(tick.time, cells.id[gone], "removal")
        tissue.population.remove(gone)
