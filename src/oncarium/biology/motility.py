"""Cells crawl: a persistent random walk, biased along the gradients they are sensitive to."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..engine.column import Behavior, State
from ..engine.kernels.coupling import gradient_at, voxel_of
from ..engine.process import Process, Tick
from ..engine.random import direction, uniform
from ..engine.threads import over_rows
from ..engine.tissue import Tissue


@njit(cache=True, nogil=True, error_model="numpy")
def turn(
    first,
    last,
    seed,
    stream,
    tick,
    dt,
    exact,
    ids,
    kind,
    vital,
    voxel,
    value,
    spacing,
    shape,
    flat,
    persistence,
    bias,
    sensitivity,
    normalized,
    any_cue,
    heading,
):
    """Give a new heading (cell, xyz) to every live cell whose persistence has run out."""
    for i in range(first, last):
        if vital[i] != 0:
            heading[i, :] = 0.0
            continue
        p = dt / persistence[i] if persistence[i] > 0.0 else 1.0
        if exact:
            p = 1.0 - math.exp(-p)
        still = heading[i, 0] == 0.0 and heading[i, 1] == 0.0 and heading[i, 2] == 0.0
        if not still and uniform(seed, stream, tick, ids[i], 0) >= p and persistence[i] >= dt:
            continue
        rx, ry, rz = direction(seed, stream, tick, ids[i], 1, flat)
        b = bias[i]
        cx, cy, cz = 0.0, 0.0, 0.0
        if any_cue and b > 0.0:
            for f in range(sensitivity.shape[1]):
                s = sensitivity[i, f]
                if s == 0.0:
                    continue
                gx, gy, gz = gradient_at(voxel[i], value[f], spacing, shape)
                if normalized[kind[i]]:
                    g = math.sqrt(gx * gx + gy * gy + gz * gz)
                    s = s / g if g > 1e-16 else 0.0
                cx += s * gx
                cy += s * gy
                cz += s * gz
            if flat:
                cz = 0.0
            c = math.sqrt(cx * cx + cy * cy + cz * cz)
            c = 1.0 / c if c > 1e-16 else 0.0
            cx, cy, cz = cx * c, cy * c, cz * c
        hx = b * cx + (1.0 - b) * rx
        hy = b * cy + (1.0 - b) * ry
        hz = b * cz + (1.0 - b) * rz
        h = math.sqrt(hx * hx + hy * hy + hz * hz)
        h = 1.0 / h if h > 1e-16 else 0.0
        heading[i, 0] = hx * h
        heading[i, 1] = hy * h
        heading[i, 2] = hz * h


class Motility(Process):
    """Persistent, biased random walk.

    Equation    at rate 1/persistence a cell takes the heading  normalise(bias cue + (1 - bias) xi),  xi a random unit
                vector, cue = normalise(sum over factors of sensitivity * gradient); it moves at speed * heading.

    Column        Unit     Kind       Meaning
    speed         um/min   Behavior   speed of active migration
    persistence   min      Behavior   mean time between changes of direction
    bias          1        Behavior   0 random walk, 1 straight along the cue
    sensitivity   1        Behavior   weight of each factor's gradient; negative flees
    heading       1        State      present direction, a unit vector (zero: has none yet)

    Hazard      exact: a turn within dt has probability 1 - exp(-dt/persistence); otherwise dt/persistence.
    Source      Ghaffarizadeh et al. 2018 (DOI 10.1371/journal.pcbi.1005991).
    """

    section = "motility"
    slot = "act"
    reads = ("fields.value", "position", "vital")
    sets = ("motility.heading",)
    speed = Behavior("um/min", ge=0.0, doc="speed of active migration")
    persistence = Behavior("min", 1.0, ge=0.0, doc="mean time between changes of direction")
    bias = Behavior("1", ge=0.0, le=1.0, doc="0 random walk, 1 straight along the cues")
    sensitivity = Behavior("1", axis="factor", doc="weight of each factor's gradient in the cue; negative flees")
    heading = State("1", axis="xyz", doc="present direction of migration")

    def __init__(self, period: float, exact: bool = True, normalized: np.ndarray | None = None):
        self.period = period
        self.exact = exact
        self.normalized = normalized

    def prepare(self, tissue: Tissue) -> None:
        grid = tissue.fields.grid
        self.lower = np.array(grid.lower, float)
        self.spacing = np.array(grid.spacing, float)
        self.flat = grid.is_2d
        if self.normalized is None:
            self.normalized = np.zeros(len(tissue.cells.types), np.bool_)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, fields = tissue.cells, tissue.fields
        if not np.any(cells["motility.speed"]):
            return
        voxel = np.empty(cells.n, np.int64)
        voxel_of(cells.position, self.lower, self.spacing, fields.grid.shape, voxel)
        sensitivity = cells["motility.sensitivity"]
        over_rows(
            turn,
            cells.n,
            self.threads,
            np.uint64(tick.seed),
            self.stream,
            tick.number,
            tick.dt,
            self.exact,
            cells.id,
            cells.type,
            cells["vital"],
            voxel,
            fields.value.reshape(len(fields.names), int(np.prod(fields.grid.shape))),
            self.spacing,
            fields.grid.shape,
            self.flat,
            cells["motility.persistence"],
            cells["motility.bias"],
            sensitivity,
            self.normalized,
            bool(np.any(sensitivity)),
            cells["motility.heading"],
        )
