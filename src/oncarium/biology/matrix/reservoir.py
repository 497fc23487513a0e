"""The matrix holds TGF-b and VEGF-A, and lets them go where it is cut and pulled."""

from __future__ import annotations

import math

import numpy as np

from ...engine.column import Behavior
from ...engine.kernels.coupling import deposit, order_by_voxel
from ...engine.process import Number, Process, Tick
from ...engine.tissue import Tissue
from ...engine.why import Why, lives_on, spoken

REFERENCE = 7.5  # kPa of the matrix whose pull is `pull`


class Reservoir(Process):
    """Latent TGF-b and matrix-bound VEGF-A.

    Equation    L' = s - L (a + 0.001/min),   a = k_S S + k_M M + k_E (stiffness / 7.5 kPa);   supply of tgfb += a L
                B' = h v + b rho c - B (r + k M + 0.001/min)
                demand of vegfa += b rho,   supply += B (r + k M) - h v,   h = 0.6 min(rho / 0.1, 1)

    s sums the cells' release of latent TGF-b, v is the supply of VEGF-A so far; c is free VEGF-A, S and M the
    activities of serine proteases and MMP. What is bound is lost slowly, so that MMP decides at rest, too, how much is
    free: where decay is d, c = v (1 - h + h f) / (d + b rho (1 - f)), f = (r + k M) / (r + k M + 0.001/min).

    Column              Unit       Kind       Meaning
    reservoir.latent    fmol/min   Behavior   latent TGF-b laid down by a cell

    Adds to     fields.supply, fields.demand.     Sets   matrix.latent_tgfb, matrix.bound_vegfa.
    Source      Bergers et al. 2000, Nat Cell Biol 2:737 (DOI 10.1038/35036374): MMP-9 releases VEGF; bound isoforms:
                Houck et al. 1992, J Biol Chem 267:26031; rates assumed.
    """

    group = "matrix.reservoir"
    numbers = (
        Number("loss", "1/min", 1e-3, "assumed 3e-4..3e-3", "of latent TGF-b", ge=0.0),
        Number("serine_protease", "1/min", 2e-3, "assumed 4e-4..1e-2", "activation at reference activity", ge=0.0),
        Number("mmp", "1/min", 2e-3, "assumed 4e-4..1e-2", "activation at reference activity", ge=0.0),
        Number("pull", "1/min", 1e-3, "assumed 2e-4..5e-3", "activation in matrix of 7.5 kPa", ge=0.0),
        Number("held", "1", 0.6, "assumed 0.5..0.7", "share of VEGF-A that stays on the matrix", ge=0.0, le=1.0),
        Number("enough", "1", 0.1, "assumed 0.03..0.3", "density from which on it holds all of that", ge=1e-9),
        Number("binding", "1/min", 5e-3, "assumed 1.7e-3..0.015", "of free VEGF-A at density 1", ge=0.0),
        Number("release", "1/min", 1e-4, "assumed 3e-5..3e-4", "of bound VEGF-A", ge=0.0),
        Number("cut", "1/min", 0.02, "assumed 4e-3..0.1", "release by MMP at reference activity", ge=0.0),
        Number("bound_loss", "1/min", 1e-3, "assumed 3e-4..3e-3", "of bound VEGF-A", ge=0.0),
    )
    section = "reservoir"
    slot = "transport"
    reads = ("matrix", "position")
    adds = ("fields.supply", "fields.demand", "matrix")
    part = "matrix"
    clock = "transport"
    makes = ("tgfb", "vegfa")
    latent = Behavior("fmol/min", ge=0.0, doc="latent TGF-b laid down by a cell")

    @classmethod
    def why(cls, model) -> Why:
        return lives_on(cls, model) and spoken(model, cls.section)

    def __init__(self, period: float, **numbers: float):
        self.period = period
        self.k = {n.name: n.default for n in self.numbers} | numbers

    def prepare(self, tissue: Tissue) -> None:
        fields = tissue.fields
        self.at: dict[str, int] = {
            name: fields.index(name) for name in ("tgfb", "vegfa", "mmp", "serine_protease") if name in fields.names
        }

    def activity(self, tissue: Tissue, name: str) -> np.ndarray:
        """Local activity of a protease family, 0 where the model has none."""
        return (
            np.maximum(tissue.fields.value[self.at[name]], 0.0)
            if name in self.at
            else np.zeros(tissue.fields.grid.shape)
        )

    def step(self, tissue: Tissue, tick: Tick) -> None:
        fields, matrix, dt, k = tissue.fields, tissue.matrix, tick.dt, self.k
        if "tgfb" in self.at:
            rate = k["pull"] * matrix.stiffness() / REFERENCE
            for family in ("serine_protease", "mmp"):
                rate = rate + k[family] * self.activity(tissue, family)
            self._release(tissue, "tgfb", matrix.latent_tgfb, self._laid_down(tissue), rate, k["loss"], dt)
        if "vegfa" in self.at:
            f = self.at["vegfa"]
            bound = k["binding"] * matrix.density
            fields.demand[f] += bound
            held = k["held"] * np.minimum(matrix.density / k["enough"], 1.0) * np.maximum(fields.supply[f], 0.0)
            fields.supply[f] -= held
            rate = k["release"] + k["cut"] * self.activity(tissue, "mmp")
            gain = held + bound * np.maximum(fields.value[f], 0.0)
            self._release(tissue, "vegfa", matrix.bound_vegfa, gain, rate, k["bound_loss"], dt)

    def _release(
        self, tissue: Tissue, name: str, pool: np.ndarray, gain: np.ndarray, rate: np.ndarray, loss: float, dt: float
    ) -> None:
        """Pool (nM) with a gain (nM/min) over the step; what leaves it at `rate` is released evenly during the step."""
        total = np.maximum(rate + loss, 1e-300)
        goal = gain / total
        after = goal + (pool - goal) * np.exp(-total * dt)
        left = (pool - after) / dt + gain  # nM/min, released and lost
        tissue.fields.supply[self.at[name]] += left * (rate / total)
        pool[...] = after

    def _laid_down(self, tissue: Tissue) -> np.ndarray:
        """Latent TGF-b from cells (nM/min) per voxel."""
        cells, grid = tissue.cells, tissue.fields.grid
        voxel, out = tissue.voxels(), np.zeros(math.prod(grid.shape))
        order = order_by_voxel(voxel, cells.id, len(out))
        deposit(
            order,
            voxel,
            np.where(cells["vital"] == 0, cells["reservoir.latent"], 0.0)[:, None],
            0,
            1e9 / grid.voxel_volume,
            np.ones(cells.n),
            out,
        )
        return out.reshape(grid.shape)
