"""Fibroblasts lay down matrix, crosslink it and pull its fibres straight; three families of proteases cut it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numba import njit

from ...engine.column import Behavior
from ...engine.kernels.coupling import order_by_voxel
from ...engine.process import Number, Process, Tick
from ...engine.threads import over_rows
from ...engine.tissue import Tissue
from ...engine.why import Why, lives_on

FAMILIES = ("mmp", "serine_protease", "cathepsin")
# a change of density this large makes factors diffuse anew: by then their mobility is at most a tenth off (hindrance
# below 3)
REFRESH = 0.03


class Turnover(NamedTuple):
    """Numbers of matrix.turnover: density at which deposition stops; loss without proteases 1/min; how much crosslinks
    protect; loss of hyaluronan 1/min; alignment 1/min."""

    fullest: float
    loss: float
    protection: float
    hyaluronan: float
    alignment: float


class Rates(NamedTuple):
    """What cells do to the matrix, as the columns of MatrixRemodeling; each (cell)."""

    deposition: np.ndarray
    crosslinking: np.ndarray
    hyaluronan: np.ndarray
    traction: np.ndarray


class Done(NamedTuple):
    """What the cells of every voxel do: made, linked and swollen (voxel)
    1/min, pulled (voxel, 6): traction times n n and traction."""

    made: np.ndarray
    linked: np.ndarray
    swollen: np.ndarray
    pulled: np.ndarray


@njit(cache=True, nogil=True)
def gather(order, voxel, vital, share, heading, rates, done):
    """Sum what the live cells of every voxel do, in the fixed order
    of voxel and id; share (cell): its volume over the voxel's.

    made, linked, swollen (voxel) 1/min; pulled (voxel, 6): traction 1/min and its tensor h h (xx, yy, xy, xz, yz).
    """
    deposition, crosslinking, hyaluronan, traction = rates
    made, linked, swollen, pulled = done
    for k in range(order.shape[0]):
        i = order[k]
        if vital[i] != 0:
            continue
        v, s = voxel[i], share[i]
        made[v] += s * deposition[i]
        linked[v] += s * crosslinking[i]
        swollen[v] += s * hyaluronan[i]
        t = s * traction[i]
        if t > 0.0:
            x, y, z = heading[i, 0], heading[i, 1], heading[i, 2]
            pulled[v, 0] += t
            pulled[v, 1] += t * x * x
            pulled[v, 2] += t * y * y
            pulled[v, 3] += t * x * y
            pulled[v, 4] += t * x * z
            pulled[v, 5] += t * y * z


@njit(cache=True, nogil=True, error_model="numpy")
def remodel(first, last, dt, flat, done, proteases, cuts, turnover, matrix):
    """One step of every voxel; exact for rates that stay what they are during the step. orientation (5, voxel)."""
    made, bound, swollen, pulled = done
    mmp, serine, cathepsin = proteases
    density, crosslink, hyaluronan, orientation = matrix
    even = 0.5 if flat else 1.0 / 3.0
    for v in range(first, last):
        linked = 1.0 + turnover.protection * crosslink[v]
        cut = (cuts[0] * mmp[v] + turnover.loss) / linked + cuts[1] * serine[v] + cuts[2] * cathepsin[v]
        rate = made[v] / turnover.fullest + cut
        goal = made[v] / rate
        density[v] = goal + (density[v] - goal) * math.exp(-rate * dt)
        crosslink[v] = 1.0 + (crosslink[v] - 1.0) * math.exp(-bound[v] * dt)
        # what is cut takes its crosslinks along; new matrix has none
        rate = swollen[v] + turnover.hyaluronan
        goal = swollen[v] / rate
        hyaluronan[v] = goal + (hyaluronan[v] - goal) * math.exp(-rate * dt)
        t = pulled[v, 0]
        if t > 0.0:
            keep = math.exp(-turnover.alignment * min(t, 1.0) * dt / (1.0 + 2.0 * crosslink[v]))
            for c in range(5):
                goal = pulled[v, 1 + c] / t - (even if c < 2 else 0.0)
                orientation[c, v] = goal + (orientation[c, v] - goal) * keep


class MatrixRemodeling(Process):
    """Deposition, crosslinking, alignment and proteolysis of the matrix.

    Equation    rho' = d (1 - rho / 1.5) - rho ((k_M M + k_0) / (1 + 5 X) + k_S S + k_C C)   density
                X'   = l (1 - X)                                                             crosslinking
                h'   = s (1 - h) - 0.37 / day h                                              hyaluronan
                Q'   = min(t, 1) / day (<n n> - 1/dim - Q) / (1 + 2 X)                       order of the fibres
                n: the cells' headings

    d, l, s, t are sums over the cells of a voxel of their rates, each weighted with cell volume / voxel volume; M, S, C
    are the local activities of MMP, serine and cysteine proteases (1 is reference).

    Column                  Unit    Kind       Meaning
    matrix.deposition       1/min   Behavior   density laid down by a cell that fills its voxel
    matrix.crosslinking     1/min   Behavior   rate of crosslinking (LOX) by a cell that fills its voxel
    matrix.hyaluronan       1/min   Behavior   rate of filling the voxel with hyaluronan
    matrix.traction         1       Behavior   pull on fibres along the cell's heading, 0 to 1

    Sets        matrix; fields.mobility = exp(-hindrance rho) of every factor with a hindrance.
    Source      structure of the degradation: Mason & Joyce 2011, Trends Cell Biol 21:228 (DOI
                10.1016/j.tcb.2010.12.002); rates assumed.
    """

    group = "matrix.turnover"
    numbers = (
        Number("fullest", "1", 1.5, "assumed 1..2", "density at which deposition stops", ge=0.01),
        Number("loss", "1/min", 2.1e-5, "@Laurent1987 M 4.9e-6..6.9e-5", "of density without proteases", ge=0.0),
        Number("protection", "1", 5.0, "assumed 2..10", "how much full crosslinking holds back loss and MMP", ge=0.0),
        Number("hyaluronan", "1/min", 2.6e-4, "L 1.4e-4..4.9e-4", "loss of hyaluronan", ge=0.0),
        Number("alignment", "1/min", 1.0 / 1440.0, "assumed 2e-4..2e-3", "at which fibres follow traction", ge=0.0),
        Number("mmp", "1/min", 2e-4, "assumed 7e-5..6e-4", "of density, at reference activity", ge=0.0),
        Number("serine_protease", "1/min", 1e-4, "assumed 3e-5..3e-4", "of density, at reference activity", ge=0.0),
        Number("cathepsin", "1/min", 1e-4, "assumed 3e-5..3e-4", "of density, at reference activity", ge=0.0),
    )
    section = "matrix"
    slot = "remodel"
    reads = ("fields.value", "position", "volume.total", "motility.heading")
    sets = ("matrix", "fields.mobility")
    deposition = Behavior("1/min", ge=0.0, doc="density laid down by a cell that fills its voxel")
    crosslinking = Behavior("1/min", ge=0.0, doc="rate of crosslinking by a cell that fills its voxel")
    hyaluronan = Behavior("1/min", ge=0.0, doc="rate of filling the voxel with hyaluronan")
    traction = Behavior("1", ge=0.0, le=1.0, doc="pull on fibres along the cell's heading")

    part = "matrix"

    @classmethod
    def why(cls, model) -> Why:
        return lives_on(cls, model)

    @classmethod
    def of(cls, model, build, **options) -> MatrixRemodeling:
        return cls(model.matrix.period, {f.name: f.hindrance for f in model.factors}, **cls.said(model), **options)

    def __init__(self, period: float, hindrance: Mapping[str, float] | None = None, **numbers: float):
        self.period = period
        self.hindrance = dict(hindrance or {})
        said = {n.name: n.default for n in self.numbers} | numbers
        self.turnover = Turnover(*(said[k] for k in Turnover._fields))
        self.cuts = np.array([said[family] for family in FAMILIES])

    def prepare(self, tissue: Tissue) -> None:
        fields = tissue.fields
        grid = fields.grid
        self.none = np.zeros(fields.value[0].size if len(fields.names) else int(np.prod(grid.shape)))
        self.protease = [fields.index(name) if name in fields.names else -1 for name in FAMILIES]
        self.slowed = np.array([self.hindrance.get(name, 0.0) for name in fields.names])
        self.seen = np.full(grid.shape, -1.0)
        self.hinder(tissue)

    def hinder(self, tissue: Tissue) -> None:
        """Factors diffuse through the matrix as it is now."""
        if not self.slowed.any() or np.abs(tissue.matrix.density - self.seen).max() < REFRESH:
            return
        self.seen = tissue.matrix.density.copy()
        tissue.fields.mobility = np.exp(-self.slowed[:, None, None, None] * self.seen)
        tissue.fields.version += 1

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, fields, matrix = tissue.cells, tissue.fields, tissue.matrix
        voxel = tissue.voxels()
        n = len(self.none)
        done = Done(np.zeros(n), np.zeros(n), np.zeros(n), np.zeros((n, 6)))
        heading = cells["motility.heading"] if "motility.heading" in cells else np.zeros((cells.n, 3))
        rates = Rates(*(cells[f"matrix.{k}"] for k in Rates._fields))
        share = cells["volume.total"] / fields.grid.voxel_volume
        gather(order_by_voxel(voxel, cells.id, n), voxel, cells["vital"], share, heading, rates, done)
        proteases = tuple(np.maximum(fields.value[f], 0.0).reshape(-1) if f >= 0 else self.none for f in self.protease)
        arrays = (
            matrix.density.reshape(-1),
            matrix.crosslink.reshape(-1),
            matrix.hyaluronan.reshape(-1),
            matrix.orientation.reshape(5, -1),
        )
        over_rows(
            remodel, n, self.threads, tick.dt, fields.grid.is_2d, done, proteases, self.cuts, self.turnover, arrays
        )
        for effect in () if tissue.plasma is None else tissue.plasma.on_matrix:
            more = effect.times(fields.value[fields.index(effect.drug)] * effect.nanomolar) - 1.0
            matrix.hyaluronan *= np.exp(-self.turnover.hyaluronan * more * tick.dt)
        self.hinder(tissue)

    def state(self) -> dict:
        return {"seen": self.seen.copy()}

    def restore(self, state: dict) -> None:
        self.seen = np.array(state["seen"])
