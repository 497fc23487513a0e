"""What cells hold of each factor: what they took up less what they released. Kept only where a model asks for it."""

from __future__ import annotations

import numpy as np

from ..engine.process import Process, Tick
from ..engine.tissue import Tissue
from ..engine.why import Why, given
from .secretion import INTERNALISED, Secretion, concentration_per_amount


class Internalisation(Process):
    """Book what every cell took up less what it released, with the concentrations that Transport has just set.

    Equation    dI/dt = v ((approach + uptake + consumption / (K + c)) c - approach target) - rate
                (concentration um^3 / min)

    v is the cell's volume. The numerics of PhysiCell keep this account within their own steps
    (physicell/transport.py).

    Column                   Unit                  Kind       Meaning
    secretion.internalised   concentration um^3    State      amount in the cell
    secretion.released       1                     Behavior   share that returns to the voxel when the cell is gone
    secretion.transferred    1                     Behavior   share that passes to a cell that engulfs it

    Conserves   the same sum that Transport took from the fields, for
                steady fields exactly, else to the order of its step.
    """

    slot = "sense"
    reads = ("fields.value", "secretion.*", "volume.total")
    sets = ("secretion.internalised",)

    requires = ("secretion.approach", "secretion.target")
    clock = "transport"

    @classmethod
    def why(cls, model) -> Why:
        return Secretion.why(model) and given(
            model.internalise, "internalise: true", "the model does not say internalise: true"
        )

    def __init__(self, period: float):
        self.period = period

    def prepare(self, tissue: Tissue) -> None:
        self.per_amount = np.array([concentration_per_amount(u) for u in tissue.fields.units])

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, fields = tissue.cells, tissue.fields
        voxel = tissue.voxels()
        c = fields.value.reshape(len(fields.names), -1)[:, voxel].T
        approach = cells["secretion.approach"]
        saturable = np.where(
            np.isfinite(fields.michaelis),
            cells["metabolism.consumption"] / (np.nan_to_num(fields.michaelis, nan=1.0) + c),
            0.0,
        )
        gained = (approach + cells["secretion.uptake"] + saturable) * c - approach * cells["secretion.target"]
        gained = cells["volume.total"][:, None] * gained - cells["secretion.rate"] * self.per_amount
        cells[INTERNALISED.name][:] += tick.dt * gained
