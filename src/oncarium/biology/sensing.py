"""What a cell perceives: factors and their gradients where it lies, its neighbors, the time."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..engine.column import Signal
from ..engine.kernels.coupling import concentration_at, gradient_at, voxel_of
from ..engine.process import Process, Tick
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from .mechanics import Mechanics


@njit(cache=True, nogil=True)
def _gradients(first, last, voxel, value, spacing, shape, wanted, out):
    for i in range(first, last):
        for f in range(value.shape[0]):
            if wanted[f]:
                gx, gy, gz = gradient_at(voxel[i], value[f], spacing, shape)
                out[i, f] = math.sqrt(gx * gx + gy * gy + gz * gz)


@njit(cache=True, nogil=True)
def _contacts(first, last, position, reach, kind, vital, start, near, by_type, live, dead, apoptotic, necrotic):
    """Count the neighbors within the sum of adhesion reaches."""
    for i in range(first, last):
        by_type[i, :] = 0.0
        a = d = ap = ne = 0.0
        for m in range(start[i], start[i + 1]):
            j = near[m]
            dx = position[i, 0] - position[j, 0]
            dy = position[i, 1] - position[j, 1]
            dz = position[i, 2] - position[j, 2]
            far = reach[i] + reach[j]
            if dx * dx + dy * dy + dz * dz >= far * far:
                continue
            by_type[i, kind[j]] += 1.0
            if vital[j] == 0:
                a += 1.0
            else:
                d += 1.0
                if vital[j] == 1:
                    ap += 1.0
                else:
                    ne += 1.0
        live[i], dead[i], apoptotic[i], necrotic[i] = a, d, ap, ne


class Sensing(Process):
    """Fill the signals that somebody reads.

    Column               Unit               Kind     Meaning
    factor               concentration      Signal   concentration in the cell's voxel
    gradient             concentration/um   Signal   size of the gradient there
    contact              1                  Signal   neighbors of each type, alive or dead
    contact_live ...     1                  Signal   live, dead, apoptotic and necrotic neighbors
    time, dead           min, 1             Signal   time of the simulation; 1 if the cell is dead

    A neighbor is a cell within the sum of both adhesion reaches.
    """

    section = "sense"
    slot = "sense"
    reads = ("fields.value", "position", "vital")
    factor = Signal("concentration", axis="factor", doc="concentration at the cell")
    gradient = Signal("concentration/um", axis="factor", ge=0.0, doc="size of the gradient at the cell")
    contact = Signal("1", axis="type", ge=0.0, doc="neighbors of each type, alive or dead")
    contact_live = Signal("1", ge=0.0, doc="live neighbors")
    contact_dead = Signal("1", ge=0.0, doc="dead neighbors")
    contact_apoptotic = Signal("1", ge=0.0, doc="apoptotic neighbors")
    contact_necrotic = Signal("1", ge=0.0, doc="necrotic neighbors")
    time = Signal("min", ge=0.0, doc="time of the simulation")
    dead = Signal("1", ge=0.0, le=1.0, doc="1 if the cell is dead")

    def __init__(self, period: float, mechanics: Mechanics, wanted: set[str]):
        self.period = period
        self.mechanics = mechanics
        self.wanted = wanted | {"sense.factor"}

    def columns(self):
        contacts = any(w.startswith("sense.contact") for w in self.wanted)
        return [
            c for c in super().columns() if c.name in self.wanted or (contacts and c.name.startswith("sense.contact"))
        ]

    def prepare(self, tissue: Tissue) -> None:
        grid = tissue.fields.grid
        self.lower = np.array(grid.lower, float)
        self.spacing = np.array(grid.spacing, float)
        self.sets = tuple(c.name for c in self.columns())

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, fields = tissue.cells, tissue.fields
        voxel = np.empty(cells.n, np.int64)
        voxel_of(cells.position, self.lower, self.spacing, fields.grid.shape, voxel)
        value = fields.value.reshape(len(fields.names), int(np.prod(fields.grid.shape)))
        concentration_at(voxel, value, cells["sense.factor"])
        if "sense.gradient" in cells:
            wanted = np.ones(len(fields.names), np.bool_)
            over_rows(
                _gradients,
                cells.n,
                self.threads,
                voxel,
                value,
                self.spacing,
                fields.grid.shape,
                wanted,
                cells["sense.gradient"],
            )
        if "sense.contact" in cells:
            near = self.mechanics.look(tissue)
            over_rows(
                _contacts,
                cells.n,
                self.threads,
                cells.position,
                cells["radius"] * cells["mechanics.adhesion_distance"],
                cells.type,
                cells["vital"],
                near.first,
                near.list,
                cells["sense.contact"],
                cells["sense.contact_live"],
                cells["sense.contact_dead"],
                cells["sense.contact_apoptotic"],
                cells["sense.contact_necrotic"],
            )
        if "sense.time" in cells:
            cells["sense.time"][:] = tick.time
        if "sense.dead" in cells:
            cells["sense.dead"][:] = cells["vital"] != 0
