"""A cell's volume relaxes to its targets: fluid, nuclear solids, cytoplasmic solids, and calcium in the dead."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ..engine.column import State, Trait
from ..engine.process import Process, Tick
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from ..engine.why import Why, given, spoken
from .vital import APOPTOTIC, FROZEN, LIVE, LYSED, RADIUS, SWELLING, VITAL, radius_of

GROWN_AS = State(
    "1", dtype=np.int32, doc="index of the type whose rates of volume change the cell has", name="volume.grown_as"
)
TARGET_CYTOPLASM = State(
    "um^3",
    ge=0.0,
    inherit="halve",
    at_death="stop",
    doc="target of the solids of the cytoplasm",
    name="volume.target_cytoplasm",
)
NOTHING = 1e-16  # um^3, so that a cell that has shrunk away has no part of nothing


@njit(cache=True, nogil=True)
def relax(rate, dt, exact):
    """Share of the distance to its target that a quantity covers in dt: exact, or by Euler's rule."""
    return 1.0 - math.exp(-rate * dt) if exact else rate * dt


PARTS = (
    "volume.total", "volume.fluid", "volume.nuclear", "volume.nuclear_solid", "volume.cytoplasm_solid",
    "volume.target_nuclear", "volume.calcified_fraction", "radius", "elapsed",
)  # fmt: skip


class Parts(NamedTuple):
    """Volumes of the cells, um^3, the calcified share, the radius, um, and the time in the present phase of cycle or
    death, min; each (cell)."""

    total: np.ndarray
    fluid: np.ndarray
    nuclear: np.ndarray
    nuclear_solid: np.ndarray
    cytoplasm_solid: np.ndarray
    target_nuclear: np.ndarray
    calcified: np.ndarray
    radius: np.ndarray
    elapsed: np.ndarray


@njit(cache=True, nogil=True)
def wetted(fluid, total, solid, wanted, rate, dt, exact):
    """Fluid after dt min, relaxing at `rate` to the share `wanted` of a volume that it is part of itself: exact for the
    mean of the solids over the step, or by Euler's rule for the total at its start."""
    if not exact:
        return fluid + rate * dt * (wanted * total - fluid)
    slow = rate * (1.0 - wanted) * dt
    minutes = dt * (-math.expm1(-slow) / slow if slow > 1e-12 else 1.0)
    return fluid * math.exp(-slow) + rate * wanted * solid * minutes


@njit(cache=True, nogil=True, error_model="numpy")
def grow(first, last, dt, exact, kind, grown_as, vital, rates, fluid_fraction, ratio, parts):
    """One step of every cell's volume (um^3).

    rates (vital state, part, type) 1/min; grown_as (cell): the type whose rates a live cell grows with; fluid_fraction,
    ratio (type): rest fluid fraction and cytoplasm:nucleus ratio.
    """
    total, fluid, nuclear, nuclear_solid, cytoplasm_solid, target_nuclear, calcified, radius, elapsed = parts
    for i in range(first, last):
        t, s = kind[i], vital[i]
        if s >= FROZEN:
            continue
        g = grown_as[i] if s == LIVE else t
        wanted = fluid_fraction[t]
        if s == APOPTOTIC or s == LYSED:
            wanted = 0.0
        elif s == SWELLING:
            wanted = 1.0
        h = min(dt, elapsed[i]) if exact and s != LIVE else dt  # of a step within which a cell dies, the rest
        goal = target_nuclear[i]
        n = max(nuclear_solid[i] + relax(rates[s, 2, g], h, exact) * (goal - nuclear_solid[i]), 0.0)
        c = max(cytoplasm_solid[i] + relax(rates[s, 1, g], h, exact) * (ratio[t] * goal - cytoplasm_solid[i]), 0.0)
        solid = 0.5 * (nuclear_solid[i] + cytoplasm_solid[i] + n + c)
        f = max(wetted(fluid[i], total[i], solid, wanted, rates[s, 0, g], h, exact), 0.0)
        nuclear_fluid = f * (nuclear[i] / (total[i] + NOTHING))
        calcified[i] += relax(rates[s, 3, g], h, exact) * (1.0 - calcified[i])
        fluid[i] = f
        nuclear_solid[i] = n
        cytoplasm_solid[i] = c
        nuclear[i] = nuclear_fluid + n
        total[i] = f + n + c
        radius[i] = (total[i] * (3.0 / (4.0 * math.pi))) ** (1.0 / 3.0)


class Volume(Process):
    """Fluid, solids and calcification of every cell.

    Equation    F' = r_F (phi V - F);  N' = r_N (N* - N);  C' = r_C (ratio N* - C);  calcified' = r_cal (1 - calcified)
                V = F + N + C. Live: phi is the type's fluid fraction. Apoptotic and lysed: phi = 0; swelling: phi = 1;
                the dead have N* = 0. Rates are the type's, those of its death once dead.

    Column               Unit    Kind    Meaning
    total                um^3    State   whole cell
    fluid                um^3    State   fluid of nucleus and cytoplasm
    nuclear              um^3    State   nucleus, fluid and solids
    nuclear_solid        um^3    State   solids of the nucleus N
    cytoplasm_solid      um^3    State   solids of the cytoplasm C
    target_nuclear       um^3    State   target N*; doubled when DNA is copied
    calcified_fraction   1       State   calcified share

    Exact       solids and calcium exactly, fluid to second order in the step; otherwise Euler's rule.
    Source      Ghaffarizadeh et al. 2018 (DOI 10.1371/journal.pcbi.1005991).
    """

    section = "volume"
    slot = "act"
    reads = ("vital", "elapsed")
    sets = ("volume.*", "radius")
    radius, vital = RADIUS, VITAL
    total = State("um^3", 2494.0, ge=0.0, inherit="halve", settable=True, summed="volume", doc="whole cell volume")
    fluid_fraction = Trait("1", 0.75, ge=0.0, le=1.0, doc="share of fluid in the cell at rest")
    nuclear = State("um^3", 540.0, ge=0.0, inherit="halve", settable=True, doc="nuclear volume")
    fluid = State("um^3", 1870.5, ge=0.0, inherit="halve", doc="fluid volume")
    nuclear_solid = State("um^3", 135.0, ge=0.0, inherit="halve", doc="solids of the nucleus")
    cytoplasm_solid = State("um^3", 488.5, ge=0.0, inherit="halve", doc="solids of the cytoplasm")
    target_nuclear = State(
        "um^3", 135.0, ge=0.0, inherit="halve", at_change="base", doc="target of the solids of the nucleus"
    )
    calcified_fraction = State("1", ge=0.0, le=1.0, settable=True, doc="calcified share")
    fluid_change = Trait("1/min", 0.05, ge=0.0, doc="relaxation rate of fluid")
    cytoplasm_change = Trait("1/min", 0.0045, ge=0.0, doc="relaxation rate of cytoplasmic solids")
    nucleus_change = Trait("1/min", 0.0055, ge=0.0, doc="relaxation rate of nuclear solids")
    calcification = Trait("1/min", 0.0, ge=0.0, doc="calcification rate of a live cell")
    rupture = Trait(
        "1", 2.0, ge=0.0, doc="volume at which a swelling cell ruptures, in multiples of its volume at death"
    )

    @classmethod
    def why(cls, model) -> Why:
        return given(True, "every cell has a volume")

    @classmethod
    def of(cls, model, build, **options) -> Volume:
        remembers = not build.exact and bool(spoken(model, "transformation", "division", "fusion"))
        return cls(build.minutes(cls.clock), build.exact, remembers, **options)

    def __init__(self, period: float, exact: bool = True, remembers: bool = False):
        self.period = period
        self.exact = exact
        self.remembers = remembers  # cells that change type or fuse keep rates and target of what they were

    def columns(self):
        return [*super().columns(), *([GROWN_AS, TARGET_CYTOPLASM] if self.remembers else [])]

    def prepare(self, tissue: Tissue) -> None:
        cells, base = tissue.cells, tissue.cells.base
        tables = {
            LIVE: ("volume.fluid_change", "volume.cytoplasm_change", "volume.nucleus_change", "volume.calcification"),
            APOPTOTIC: tuple(
                f"apoptosis.{k}" for k in ("fluid_change", "cytoplasm_change", "nucleus_change", "calcification")
            ),
            SWELLING: (
                "necrosis.swelling",
                "necrosis.cytoplasm_change",
                "necrosis.nucleus_change",
                "necrosis.calcification",
            ),
            LYSED: tuple(
                f"necrosis.{k}" for k in ("fluid_change", "cytoplasm_change", "nucleus_change", "calcification")
            ),
        }
        self.rates = np.array([[base[name] for name in tables[s]] for s in (LIVE, APOPTOTIC, SWELLING, LYSED)])
        total, nuclear = base["volume.total"], base["volume.nuclear"]
        self.ratio = (total - nuclear) / np.maximum(nuclear, 1e-16)
        base[GROWN_AS.name] = np.arange(len(cells.types), dtype=np.int32)
        if self.remembers:
            cells[GROWN_AS.name][:] = cells.type
            cells[TARGET_CYTOPLASM.name][:] = self.ratio[cells.type] * cells["volume.target_nuclear"]

    @staticmethod
    def set_base(base: dict[str, np.ndarray]) -> None:
        """Derive the parts of a resting cell from its total volume, nuclear volume and fluid fraction, per type."""
        total, nuclear, wet = base["volume.total"], base["volume.nuclear"], base["volume.fluid_fraction"]
        base["volume.fluid"] = wet * total
        base["volume.nuclear_solid"] = (1.0 - wet) * nuclear
        base["volume.cytoplasm_solid"] = (1.0 - wet) * (total - nuclear)
        base["volume.target_nuclear"] = base["volume.nuclear_solid"].copy()
        base["radius"] = radius_of(total)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        grown_as = cells[GROWN_AS.name] if GROWN_AS.name in cells else cells.type
        parts = Parts(*(cells[name] for name in PARTS))
        over_rows(
            grow, cells.n, self.threads, tick.dt, self.exact, cells.type, grown_as, cells["vital"], self.rates,
            cells.base["volume.fluid_fraction"], self.ratio, parts,
        )  # fmt: skip
        if self.remembers:
            live = cells["vital"] == LIVE
            cells[TARGET_CYTOPLASM.name][live] = self.ratio[cells.type[live]] * cells["volume.target_nuclear"][live]
