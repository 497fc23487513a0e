"""The matrix holds TGF-b and VEGF-A, and lets them go where it is cut and pulled."""

from __future__ import annotations

import math

import numpy as np

from ...engine.column import Behavior
from ...engine.kernels.coupling import deposit, order_by_voxel
from ...engine.process import Process, Tick
from ...engine.tissue import Tissue
from .state import LINKED, POWER

LATENT_LOSS = 1e-3  # 1/min: clearance of the latent pool, half-life of 12 h (assumed)
ACTIVATION = {"serine_protease": 2e-3, "mmp": 2e-3}  # 1/min at reference activity (assumed)
PULL = 1e-3  # 1/min: activation in matrix of 7.5 kPa (assumed: in proportion to stiffness)
HELD = 0.6  # share of secreted VEGF-A that stays on the matrix: isoforms 165 and 189 (assumed: 0.5 to 0.7)
ENOUGH = 0.1  # density of the matrix from which on it holds all of that (assumed)
# 1/min: binding of free VEGF-A at density 1, dissociation, release by MMP at reference activity, loss of what is bound
# (assumed)
BINDING, RELEASE, CUT, BOUND_LOSS = 5e-3, 1e-4, 0.02, 1e-3


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

    section = "reservoir"
    slot = "transport"
    reads = ("matrix", "position")
    adds = ("fields.supply", "fields.demand", "matrix")
    part = "matrix"
    clock = "transport"
    makes = ("tgfb", "vegfa")
    latent = Behavior("fmol/min", ge=0.0, doc="latent TGF-b laid down by a cell")

    def __init__(self, period: float):
        self.period = period

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
        fields, matrix, dt = tissue.fields, tissue.matrix, tick.dt
        if "tgfb" in self.at:
            pull = matrix.density**POWER * (1.0 + LINKED * matrix.crosslink) / (1.0 + LINKED)
            rate = PULL * pull
            for family, k in ACTIVATION.items():
                rate = rate + k * self.activity(tissue, family)
            self._release(tissue, "tgfb", matrix.latent_tgfb, self._laid_down(tissue), rate, LATENT_LOSS, dt)
        if "vegfa" in self.at:
            f = self.at["vegfa"]
            bound = BINDING * matrix.density
            fields.demand[f] += bound
            held = HELD * np.minimum(matrix.density / ENOUGH, 1.0) * np.maximum(fields.supply[f], 0.0)
            fields.supply[f] -= held
            rate = RELEASE + CUT * self.activity(tissue, "mmp")
            gain = held + bound * np.maximum(fields.value[f], 0.0)
            self._release(tissue, "vegfa", matrix.bound_vegfa, gain, rate, BOUND_LOSS, dt)

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
