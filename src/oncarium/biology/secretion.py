"""Cells release factors into the voxel that holds them, and take them up."""

from __future__ import annotations

import numpy as np
from numba import njit

from ..engine.column import Behavior, State
from ..engine.kernels.coupling import deposit_all, deposit_product, order_by_voxel
from ..engine.process import Process, Tick
from ..engine.tissue import Tissue
from ..engine.why import Why, given

UNITS_PER_AMOUNT = {"M": 1.0, "mM": 1e3, "uM": 1e6, "nM": 1e9, "pM": 1e12}  # 1 fmol/um^3 is 1 mol/L

INTERNALISED = State(
    "concentration*um^3",
    axis="factor",
    inherit="halve",
    doc="amount of each factor in the cell: taken up less released",
    name="secretion.internalised",
)
RELEASED = Behavior(
    "1",
    axis="factor",
    ge=0.0,
    le=1.0,
    doc="share of what the cell holds that returns to its voxel when it is gone",
    name="secretion.released",
)
TRANSFERRED = Behavior(
    "1",
    1.0,
    axis="factor",
    ge=0.0,
    le=1.0,
    doc="share of what the cell holds that passes to a cell that engulfs it",
    name="secretion.transferred",
)

NOTHING = np.empty((0, 0))  # where no type speaks of a target
TRADED = ("secretion.rate", "secretion.approach", "secretion.target", "secretion.uptake", "metabolism.consumption")


def factors_of(tissue: Tissue, name: str) -> np.ndarray:
    """(entry) the factor of every entry of a column; none of a column that is not there."""
    labels = tissue.cells.labels(name) if name in tissue.cells else ()
    return np.array([tissue.fields.index(label) for label in labels], np.int64)


def concentration_per_amount(unit: str) -> float:
    """Concentration (factor's unit) of one amount in one um^3: fmol for molar factors, unit * um^3 for all others.

    >>> concentration_per_amount("nM"), concentration_per_amount("mmHg")
    (1000000000.0, 1.0)
    """
    return UNITS_PER_AMOUNT.get(unit, 1.0)


@njit(cache=True, nogil=True)
def secrete(order, voxel, share, per_amount, traded, which, supply, demand, capacity):
    """Add what all cells release and take up to supply, demand and capacity (factor, voxel). share (cell): of its
    voxel. traded: rate, approach, target, uptake and consumption, each (cell, entry); which: of all but the target, the
    factor of every entry; approach and target have the same ones, or none."""
    rate, approach, target, uptake, consumption = traded
    released, approached, taken, consumed = which
    each, all_alike = np.ones(share.shape[0]), np.ones(supply.shape[0])
    deposit_all(order, voxel, rate, released, per_amount, each, supply)
    deposit_product(order, voxel, approach, target, approached, share, supply)
    deposit_all(order, voxel, approach, approached, all_alike, share, demand)
    deposit_all(order, voxel, uptake, taken, all_alike, share, demand)
    deposit_all(order, voxel, consumption, consumed, all_alike, share, capacity)


class Secretion(Process):
    """Cells release, take up and consume factors.

    Equation    supply   += rate / V  +  (v / V) approach target
                demand   += (v / V) (approach + uptake)
                capacity += (v / V) consumption          (saturates with the factor's Michaelis constant)
                summed over the cells in a voxel of volume V; v is the cell's volume.

    Column                 Unit                 Kind       Meaning
    rate                   amount/min           Behavior   amount released per time; negative takes up
    approach               1/min                Behavior   rate at which secretion drives the factor to its target
    target                 concentration        Behavior   concentration at which that secretion stops
    uptake                 1/min                Behavior   first-order uptake of a fully packed voxel
    consumption            concentration/min    Behavior   largest consumption of a fully packed voxel

    `approach` and `target` are there only where a type or a rule speaks of them. Where cells keep account of what they
    hold, the columns `internalised`, `released` and `transferred` come along.

    Reads       volume.total.     Adds to   fields.supply, fields.demand, fields.capacity (Transport sets the values).
    Conserves   total released = total gained by the fields (tests/biology/test_secretion.py).
    Source      Ghaffarizadeh et al. 2016 for the packed-voxel form (DOI 10.1093/bioinformatics/btv730).
    """

    section = "secretion"
    slot = "transport"
    reads = ("position", "volume.total", "secretion.*")
    adds = ("fields.supply", "fields.demand", "fields.capacity")
    rate = Behavior(
        "amount/min", axis="factor", sparse=True, at_death="stop", doc="amount released per time; negative takes up"
    )
    approach = Behavior(
        "1/min",
        axis="factor",
        sparse=True,
        ge=0.0,
        at_death="stop",
        rare=True,
        along=("secretion.target",),
        doc="rate at which secretion drives the factor to its target",
    )
    target = Behavior(
        "concentration",
        1.0,
        axis="factor",
        sparse=True,
        ge=0.0,
        rare=True,
        along=("secretion.approach",),
        doc="concentration at which secretion stops",
    )
    uptake = Behavior(
        "1/min", axis="factor", sparse=True, ge=0.0, at_death="fade", doc="first-order uptake of a fully packed voxel"
    )
    consumption = Behavior(
        "concentration/min",
        axis="factor",
        sparse=True,
        ge=0.0,
        at_death="fade",
        name="metabolism.consumption",
        doc="largest consumption of a fully packed voxel; saturates with the factor's michaelis constant",
    )

    clock = "transport"

    def __init__(self, period: float, internalise: bool = False):
        self.period = period
        self.internalise = internalise

    @classmethod
    def why(cls, model) -> Why:
        return given(model.factors, "the model has factors", "the model has no factor")

    @classmethod
    def of(cls, model, build, **options) -> Secretion:
        return cls(build.minutes(cls.clock), model.internalise, **options)

    def columns(self):
        return [*super().columns(), *((INTERNALISED, RELEASED, TRANSFERRED) if self.internalise else ())]

    def prepare(self, tissue: Tissue) -> None:
        fields = tissue.fields
        self.per_amount = np.array([concentration_per_amount(u) / fields.grid.voxel_volume for u in fields.units])
        self.which = tuple(factors_of(tissue, name) for name in (*TRADED[:2], *TRADED[3:]))

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, fields = tissue.cells, tissue.fields
        fields.clear_sources()
        voxel = tissue.voxels()
        order = order_by_voxel(voxel, cells.id, fields.value[0].size)
        share = cells["volume.total"] * (1.0 / fields.grid.voxel_volume)
        supply, demand, capacity = (
            a.reshape(len(fields.names), -1) for a in (fields.supply, fields.demand, fields.capacity)
        )
        traded = tuple(cells[name] if name in cells else NOTHING for name in TRADED)
        secrete(order, voxel, share, self.per_amount, traded, self.which, supply, demand, capacity)
