"""Diffusion by LOD and exchange cell after cell, many short
steps in one call: PhysiCell as one process."""

from __future__ import annotations

import numpy as np

from ...engine.fields import FieldError
from ...engine.kernels.lod import _exchange_entries, coefficients, couple, diffuse_and_exchange, lod_steps, plane_starts
from ...engine.process import Process, Tick
from ...engine.threads import over_rows, shared
from ...engine.tissue import Tissue
from ...engine.why import Why
from ..outside import OUTSIDE
from ..secretion import INTERNALISED, Secretion, concentration_per_amount

SLAB = 1 << 17


class Exchange(Process):
    """`steps` times: locally one-dimensional diffusion of every factor,
    then every cell exchanges with its voxel in the order of ids.

    Equation    diffusion and decay: engine/kernels/lod.py;  then for one cell after another
                rho <- (rho + dt v S T) / (1 + dt v (S + U)) + dt E / V,    v = cell volume / V

    S, T, U, E are secretion.approach, .target, .uptake and .rate, V is the voxel's volume. What cells gained is kept in
    secretion.internalised where the tissue has this column.

    Sets        fields.value.     Reads   secretion.*, volume.total, position.
    Limits      no saturable uptake, mobility, velocity or exchange through faces.
    Source      Ghaffarizadeh et al. 2016 (DOI 10.1093/bioinformatics/btv730).
    """

    section = ""
    slot = "transport"
    reads = ("position", "volume.total", "secretion.*")
    sets = ("fields.value",)

    requires = ("secretion.approach", "secretion.target")
    serves = ("secretion",)

    @classmethod
    def why(cls, model) -> Why:
        return Secretion.why(model)

    @classmethod
    def of(cls, model, build, *, rest: bool = False, **options) -> Exchange:
        """rest: all diffusion steps of a tick but the first, which hand on to the first of the next tick."""
        step = model.clock.transport
        if not rest:
            return cls(build.tick, step, 1, model.internalise, **options)
        return build[Exchange].before(
            cls(build.tick, step, round(build.tick / step) - 1, model.internalise, "Exchange on", **options)
        )

    def __init__(self, period: float, dt: float, steps: int, internalise: bool = False, name: str = "Exchange"):
        self.period = period
        self.internalise = internalise
        self.shared: dict[int, tuple] = {}  # tick -> entries
        self.shares = False
        self.dt = dt
        self.steps = steps
        self._name = name

    def before(self, later: Exchange) -> Exchange:
        """Let `later`, which fires at the end of a tick, hand what cells exchange to this process at the start of the
        next one: nothing changes in between. Returns `later`."""
        later.shared, later.shares = self.shared, True
        return later

    @property
    def name(self) -> str:
        """As the plan prints it."""
        return self._name

    def columns(self):
        return [*Secretion(self.period, self.internalise).columns(), OUTSIDE]

    def prepare(self, tissue: Tissue) -> None:
        fields, grid = tissue.fields, tissue.fields.grid
        if np.any(tissue.cells.base["metabolism.consumption"]):
            raise FieldError(
                "Exchange: metabolism.consumption saturates, which these numerics have not; use secretion.uptake"
            )
        if fields.mobility is not None or fields.velocity is not None or (fields.kind == 2).any():
            raise FieldError(
                "Exchange: these numerics have no mobility, velocity or exchange through faces; use numerics: oncarium"
            )
        self.lower, self.spacing = np.array(grid.lower, float), np.array(grid.spacing, float)
        self.upper = np.array(grid.upper, float)
        self.per_amount = np.array([concentration_per_amount(u) for u in fields.units])
        self.tables = np.array(
            [coefficients(grid.shape, grid.spacing, d, k, self.dt) for d, k in zip(fields.diffusion, fields.decay)]
        ).reshape(len(fields.names), 3, 3, -1)
        self.still = (fields.diffusion == 0.0) & (fields.decay == 0.0)
        held = [fields.dirichlet_voxels(f) for f in range(len(fields.names))]
        self.fixed_start = np.cumsum([0, *(len(i) for i, _ in held)])
        self.index = np.concatenate([i for i, _ in held] or [np.empty(0, np.int64)])
        self.values_held = np.concatenate([v for _, v in held] or [np.empty(0)])
        self.plane_start = np.array([plane_starts(i, grid.shape) for i, _ in held]).reshape(len(held), -1)

    def _entries(self, tissue: Tissue) -> tuple:
        cells, grid = tissue.cells, tissue.fields.grid
        there = (cells.order(), cells[OUTSIDE.name] == 0, cells.position, self.lower, self.spacing, grid.shape)
        sinks = (cells["volume.total"], cells["secretion.approach"], cells["secretion.uptake"])
        sources = (cells["secretion.target"], cells["secretion.rate"], self.per_amount)
        return couple(*there, *sinks, *sources, self.dt, grid.voxel_volume)

    def restore(self, state: dict) -> None:
        self.shared.clear()

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, fields = tissue.cells, tissue.fields
        grid = fields.grid
        entries = self.shared.pop(tick.number, None) or self._entries(tissue)
        if self.shares:
            self.shared.clear()
            self.shared[tick.number + 1] = entries
        kept = cells[INTERNALISED.name] if INTERNALISED.name in cells else np.empty((0, 0))
        planes, columns = grid.shape[0], grid.shape[1] * grid.shape[2]
        width = max(64, SLAB // planes)
        factors = len(fields.names)
        if factors == 1 and planes > 1 and shared(planes * columns, self.threads):
            value, table = fields.value[0], self.tables[0]
            start, voxel, row, numbers = entries
            for _ in range(self.steps):
                lod_steps(value, table, self.plane_start[0], self.index, self.values_held, 1, self.threads)
                _exchange_entries(value.reshape(-1), 0, start[1], voxel, row, numbers, 0, grid.voxel_volume, kept)
            return
        over_rows(
            diffuse_and_exchange, factors, self.threads, self.steps, fields.value, self.still, self.tables,
            (self.plane_start, self.fixed_start, self.index, self.values_held), width, entries, grid.voxel_volume, kept,
            each=self.steps * planes * columns if factors > 1 else 1,
        )  # fmt: skip
