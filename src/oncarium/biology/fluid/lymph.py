"""Lymph takes fluid and all that is dissolved in it, as long as nothing presses its vessels shut."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ...engine.process import Number, Process, Tick
from ...engine.tissue import Tissue
from ..vessels.secretion import MOLECULE
from .pressure import leaving

FLOW = 0.0015  # 1/min of normal lymph, per volume of tissue: 0.0005 to 0.004 in models of tumors (QSP-IO)
SHUT = 0.5  # kPa of solid stress at which half of the lymph vessels are collapsed (assumed; Padera et al. 2004)
POWER = 2.0  # of that response (assumed)
# 1/um^3: endothelial cells of normal lymph vessels: 15 vessels per mm^2, 100 um around, 500 um^2 per cell (assumed)
CELLS = 15e-6 * 100.0 / 500.0
CCL21 = 50.0  # molecules/min of each (assumed)


@njit(cache=True, nogil=True)
def _drain(moved, convection, last, same, demand):
    """Add to demand (factor, voxel) of the factors `moved` what lymph drains, last[0], and what leaves through the
    faces closed to them, last[1 + same], 1/min."""
    for f in moved:
        out = 1 + same[f]
        for v in range(demand.shape[1]):
            demand[f, v] += convection[f] * (last[0, v] + last[out, v])


@njit(cache=True, nogil=True)
def _count(moved, amount, last, same, value, taken, left):
    """Add to taken and left (factor) what went by these two ways of value (factor, voxel); amount (factor)."""
    for f in moved:
        by_lymph = by_faces = 0.0
        out = 1 + same[f]
        for v in range(value.shape[1]):
            by_lymph += last[0, v] * value[f, v]
            by_faces += last[out, v] * value[f, v]
        taken[f] += amount[f] * by_lymph
        left[f] += amount[f] * by_faces


def _flat(array: np.ndarray) -> np.ndarray:
    """(factor, voxel) of an array over factors (factor, z, y, x)."""
    return array.reshape(len(array), -1)


class Lymph(Process):
    """Washout of dissolved factors by lymph, and with fluid that leaves through the faces.

    Equation    dc/dt = - a (l + o) c,   open = 1 - s^2 / (s^2 + 0.5^2);   CCL21: + 50 molecules/min of each
                endothelial cell of the lymph vessels, open or not, 3e-6 /um^3 in normal tissue

    l (1/min) is what lymph drains: `flow` x lymph x open, or, where the pressure of the fluid is solved, what it says.
    o is fluid that leaves through faces that are closed to the factor (what a patch passes on to the rest of a tumor);
    s is the solid stress, kPa; a the share of the fluid's velocity that the factor has (fields.convection).

    flow     1/min in normal tissue; None: as the pressure of the fluid drives it
    taken    (factor) concentration x um^3 that lymph has taken so far, for the node that it leads to
    left     (factor) the same, through the faces

    Adds to     fields.supply, fields.demand.     Sets   fluid.open, and fluid.drained where `flow` is given.
    Source      Padera et al. 2004, Nature 427:695 (DOI 10.1038/427695a): lymph vessels inside tumors are collapsed.
    """

    group = "fluid.drainage"
    numbers = (
        Number(
            "flow",
            "1/min",
            FLOW,
            "@QSPIO_TNBC R 5e-4..4e-3",
            "of normal lymph, where no pressure of the fluid is solved",
            ge=0.0,
        ),
        Number(
            "shut", "kPa", SHUT, "assumed 0.17..1.5", "stress at which half of the lymph vessels are collapsed", ge=1e-6
        ),
        Number("power", "1", POWER, "assumed 1.3..3", "of that response", ge=0.1, le=20.0),
        Number("ccl21", "molecules/min", CCL21, "assumed 17..150", "of an endothelial cell of lymph vessels", ge=0.0),
    )
    section = "fluid"
    slot = "transport"
    reads = ("fields.value", "fluid")
    sets = ("fluid.open", "fluid.drained")
    adds = ("fields.supply", "fields.demand")
    makes = ("ccl21",)
    words = ("fluid.drainage",)
    part = "fluid"
    clock = "transport"

    @classmethod
    def of(cls, model, build, **options) -> Lymph:
        said: dict[str, Any] = dict(cls.said(model))
        if "fluid.pressure" in model.groups:
            said["flow"] = None
        return cls(build.minutes(cls.clock), **said, **options)

    def __init__(
        self,
        period: float,
        flow: float | None = FLOW,
        *,
        shut: float = SHUT,
        power: float = POWER,
        ccl21: float = CCL21,
    ):
        self.period = period
        self.flow = flow
        self.shut, self.power, self.ccl21 = shut, power, ccl21

    def prepare(self, tissue: Tissue) -> None:
        fields = tissue.fields
        self.taken, self.left = np.zeros(len(fields.names)), np.zeros(len(fields.names))
        # factors with the same closed faces lose the same through them
        closed = fields.kind == 0
        self.closed, self.same = np.unique(closed, axis=0, return_inverse=True)
        self.same = self.same.reshape(-1)
        self.last = np.zeros((1 + len(self.closed), *fields.grid.shape))
        self.minutes = 0.0

    def step(self, tissue: Tissue, tick: Tick) -> None:
        fields, fluid = tissue.fields, tissue.fluid
        moved = np.flatnonzero(fields.convection > 0.0)
        self._count(tissue, moved)
        pressed = (np.maximum(fluid.stress, 0.0) / self.shut) ** self.power
        fluid.open[...] = 1.0 / (1.0 + pressed)
        if self.flow is not None:
            fluid.drained[...] = self.flow * fluid.lymph * fluid.open
        self.last[0] = fluid.drained
        for k, faces in enumerate(self.closed):
            self.last[1 + k] = 0.0 if fields.velocity is None else leaving(fields.velocity, fields.grid.spacing, faces)
        self.minutes = tick.dt
        _drain(moved, fields.convection, self.last.reshape(len(self.last), -1), self.same, _flat(fields.demand))
        if "ccl21" in fields.names:
            fields.supply[fields.index("ccl21")] += self.ccl21 * CELLS * MOLECULE * fluid.lymph

    def _count(self, tissue: Tissue, moved: np.ndarray) -> None:
        """What the last step took: its rates times what it left behind, as the implicit solvers have it."""
        fields = tissue.fields
        last, volume = self.last.reshape(len(self.last), -1), fields.grid.voxel_volume * self.minutes
        _count(moved, volume * fields.convection, last, self.same, _flat(fields.value), self.taken, self.left)

    def state(self) -> dict:
        return {name: getattr(self, name).copy() for name in ("taken", "left", "last")} | {
            "minutes": np.array(self.minutes)
        }

    def restore(self, state: dict) -> None:
        for name in ("taken", "left"):  # drugs that an arm adds come last, and have lost nothing yet
            getattr(self, name)[: len(state[name])] = state[name]
        if np.shape(state["last"]) == self.last.shape:
            self.last = np.array(state["last"])
        self.minutes = float(state["minutes"])
