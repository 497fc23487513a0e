"""Drugs bind receptors of cells, in one step with their transport."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from ...engine.column import Behavior, Signal, State
from ...engine.kernels.coupling import order_by_voxel
from ...engine.process import Process, Tick
from ...engine.tissue import Tissue
from ...engine.why import Why, given
from ..vital import LIVE

MOLECULE = 1e24 / 6.02214076e23  # nM of one molecule in 1 um^3
MOST = 1e9  # bound receptors per free one: an occupancy of 1 has no ratio

OCCUPANCY = State(
    "1", axis="drug", ge=0.0, le=1.0, doc="share of the drug's receptors on the cell that it occupies",
    name="drug.occupancy",
)  # fmt: skip
BOUND = Signal(
    "1", axis="drug", ge=0.0, doc="bound receptors per free one, as far as the cell follows them", name="drug.binding"
)
RESPONSE = Behavior(
    "1", 1.0, axis="drug", ge=0.0, le=1.0, rare=True, doc="how far the cell follows what it has bound",
    name="drug.response",
)  # fmt: skip


@dataclass(frozen=True)
class Lock:
    """How a drug binds: on (1/nM/min), off and what goes inside (1/min).

    receptor     column of molecules per um^2, "" where the model counts none     nanomolar   nM in one unit of the drug
    lowered      index of the types whose rules let the density fall with the drug's binding: what is read is free
    """

    drug: str
    receptor: str
    on: float
    off: float
    inside: float = 0.0
    nanomolar: float = 1.0
    lowered: tuple[int, ...] = ()


def locks_of(model) -> list[Lock]:
    """The locks of a model's drugs on cells."""
    types = [t.name for t in model.types]
    out = []
    for drug in model.therapy.drugs if model.therapy else ():
        for b in drug.binds.values():
            counted = b.receptor in model.names.columns and model.names.columns[b.receptor].unit == "1/um^2"
            falls = {
                types.index(t)
                for t, r in model.rules
                if r.signal == ("drug.binding", drug.name) and r.behavior == (b.receptor, None)
                and (r.value, r.half, r.hill) == (0.0, 1.0, 1.0)
            }  # fmt: skip
            scale = model.therapy.nanomolar[drug.name]
            receptor = b.receptor if counted else ""
            out.append(Lock(drug.name, receptor, b.on, b.off, b.internalisation, scale, tuple(sorted(falls))))
    return out


@njit(cache=True, nogil=True)
def occupied(share, c, on, off, inside, dt):
    """Share of occupied receptors after dt min in c nM of a drug: implicit, so that it lies between 0 and 1 for any dt
    and ends at c / (c + (off + inside) / on).

    >>> round(occupied(0.0, 1.0, 0.06, 0.06, 0.0, 1e9), 6)
    0.5
    """
    return (share + dt * on * c) / (1.0 + dt * (on * c + off + inside))


@njit(cache=True, nogil=True)
def _ask(order, voxel, receptors, share, dt, off, inside, scale, supply, capacity):
    """What the receptors of all cells give and can take of a drug within dt. With K = (1 + dt (off + inside)) /
    (dt on), capacity c / (K + c) - supply is what `occupied` of every cell takes."""
    for k in range(order.shape[0]):
        i = order[k]
        bound = receptors[i] * share[i]
        released = off * bound / (1.0 + dt * (off + inside))
        supply[voxel[i]] += scale * released
        capacity[voxel[i]] += scale * ((receptors[i] * (1.0 + dt * inside) - bound) / dt + released)


@njit(cache=True, nogil=True)
def _take(voxel, c, on, off, inside, dt, share):
    for i in range(voxel.shape[0]):
        share[i] = occupied(share[i], c[voxel[i]], on, off, inside, dt)


class Binding(Process):
    """What the receptors of cells ask of a drug, before it is transported.

    Equation    R = density x area of the cell                                        molecules
                o' = on c (1 - o) - (off + internalisation) o                         share o of them that is occupied
                lost by the voxel:  R (o' + internalisation o)

    A receptor that goes inside with its drug is replaced: the cell keeps its density.

    Column       Unit   Kind       Meaning
    occupancy    1      State      o
    response     1      Behavior   r, how far the cell follows what it has bound; 1, rules may lower it
    binding      1      Signal     o r / (1 - o r): a rule with half 1 and Hill power 1 responds by the occupancy

    Numerics    one implicit step with diffusion and decay: o stays between 0 and 1 and ends at c / (c + Kd) for any
                step, and the drug of voxels and receptors adds up; first order in time.
    Adds to     fields.supply, fields.capacity. `Occupancy` takes what was transported.
    """

    section = "drug"
    slot = "transport"
    reads = ("position", "radius", "drug.occupancy", "drug.binding")
    adds = ("fields.supply", "fields.capacity")
    clock = "transport"
    occupancy, binding, response = OCCUPANCY, BOUND, RESPONSE

    @classmethod
    def why(cls, model) -> Why:
        names = [drug.name for drug in model.therapy.drugs if drug.binds] if model.therapy else []
        return given(names, f"{', '.join(names)} binds cells", "no drug binds cells")

    @classmethod
    def of(cls, model, build, **options) -> Binding:
        return cls(build.minutes(cls.clock), locks_of(model), **options)

    def __init__(self, period: float, locks: Sequence[Lock]):
        self.period = period
        self.locks = tuple(locks)

    def prepare(self, tissue: Tissue) -> None:
        fields = tissue.fields
        self.rows = [fields.index(lock.drug) for lock in self.locks]
        for f, lock in zip(self.rows, self.locks):
            half = (1.0 + self.period * (lock.off + lock.inside)) / (self.period * lock.on)
            fields.michaelis[f] = half / lock.nanomolar

    def receptors(self, tissue: Tissue, k: int) -> np.ndarray:
        """(cell) receptors of a drug, free and occupied; 0 where the model counts none."""
        cells, lock = tissue.cells, self.locks[k]
        if lock.receptor not in cells:
            return np.zeros(cells.n)
        density = cells[lock.receptor].astype(float)
        for j, other in enumerate(self.locks):
            if other.receptor == lock.receptor and other.lowered:
                falls = np.isin(cells.type, other.lowered)
                density[falls] *= 1.0 + cells["drug.binding"][falls, j]
        return density * (4.0 * math.pi) * cells["radius"] ** 2

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, fields = tissue.cells, tissue.fields
        voxel = tissue.voxels()
        order = order_by_voxel(voxel, cells.id, fields.value[0].size)
        for k, (f, lock) in enumerate(zip(self.rows, self.locks)):
            share = np.ascontiguousarray(cells["drug.occupancy"][:, k])
            scale = MOLECULE / fields.grid.voxel_volume / lock.nanomolar
            there = (fields.supply[f].reshape(-1), fields.capacity[f].reshape(-1))
            _ask(order, voxel, self.receptors(tissue, k), share, tick.dt, lock.off, lock.inside, scale, *there)


class Occupancy(Process):
    """What receptors have taken of the drugs that were transported, and the mean of every type.

    Equation    see Binding.     Sets   drug.occupancy; plasma's table of mean occupancies.
    """

    slot = "sense"
    reads = ("fields.value",)
    sets = ("drug.occupancy",)
    clock = "transport"

    @classmethod
    def why(cls, model) -> Why:
        return Binding.why(model)

    @classmethod
    def of(cls, model, build, **options) -> Occupancy:
        return cls(build.minutes(cls.clock), build[Binding], **options)

    def __init__(self, period: float, binding: Binding):
        self.period = period
        self.binding = binding

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, fields, locks = tissue.cells, tissue.fields, self.binding.locks
        voxel = tissue.voxels()
        for k, (f, lock) in enumerate(zip(self.binding.rows, locks)):
            share = np.ascontiguousarray(cells["drug.occupancy"][:, k])
            c = np.maximum(fields.value[f].reshape(-1), 0.0) * lock.nanomolar
            _take(voxel, c, lock.on, lock.off, lock.inside, tick.dt, share)
            cells["drug.occupancy"][:, k] = share
        if tissue.plasma is not None:
            self._tell(tissue)

    def _tell(self, tissue: Tissue) -> None:
        """Means over the live cells with receptors, added up in the order of ids."""
        cells = tissue.cells
        order = cells.order()
        for k, lock in enumerate(self.binding.locks):
            shows = np.ones(cells.n) if lock.receptor not in cells else self.binding.receptors(tissue, k)
            weight = np.where((cells["vital"] == LIVE) & (shows > 0.0), 1.0, 0.0)[order]
            kind, count = cells.type[order], len(cells.types)
            total = np.bincount(kind, weight * cells["drug.occupancy"][order, k], count)
            number = np.bincount(kind, weight, count)
            mean = np.divide(total, number, out=np.full(count, np.nan), where=number > 0.0)
            tissue.plasma.occupancy[tissue.plasma.binding.index(lock.drug)] = mean


class Bound(Process):
    """What a cell makes of the receptors that a drug has bound, before it decides.

    Equation    binding = o r / (1 - o r)
    """

    slot = "sense"
    reads = ("drug.occupancy", "drug.response")
    sets = ("drug.binding",)

    @classmethod
    def why(cls, model) -> Why:
        return Binding.why(model)

    def __init__(self, period: float):
        self.period = period

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        heard = cells["drug.occupancy"] * (cells["drug.response"] if "drug.response" in cells else 1.0)
        cells["drug.binding"][:] = np.minimum(heard / np.maximum(1.0 - heard, 1.0 / MOST), MOST)
