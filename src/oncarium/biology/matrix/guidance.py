"""Matrix lets cells crawl best where it is neither thin nor dense, stops those that do not fit its pores, leads them
along fibres, and drags."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ...engine.column import Behavior, Trait
from ...engine.process import Number, Process, Tick
from ...engine.threads import over_rows
from ...engine.tissue import Tissue
from ...engine.why import Why, lives_on, spoken
from ..vital import MOBILITY

OPEN, STEEPNESS, FILLED = 30.0, 8.0, 0.5  # what a model may say of pores, see Guidance


@njit(cache=True, nogil=True, error_model="numpy")
def pores(density, hyaluronan, widest=OPEN, filled=FILLED):
    """Cross-section (um^2) of the pores between fibres: less where the matrix is dense or swollen.

    >>> pores(0.5, 0.0), pores(0.5, 1.0)
    (7.5, 3.75)
    """
    return widest * max(1.0 - density, 0.0) ** 2 * (1.0 - filled * min(max(hyaluronan, 0.0), 1.0))


@njit(cache=True, nogil=True, error_model="numpy")
def speed_factor(density, optimum, least, area, pore, lysis, steepness=STEEPNESS):
    """Factor on a cell's speed: biphasic in the density, and none where pores (area, um^2) are too small for what it
    cannot cut.

    >>> round(speed_factor(0.4, 0.4, 0.2, 10.8, 0.0, 0.0), 3), round(speed_factor(0.0, 0.4, 0.2, 30.0, 0.0, 0.0), 3)
    (1.0, 0.2)
    """
    r = min(max(0.5 * density / optimum, 0.0), 1.0)
    biphasic = least + (1.0 - least) * 4.0 * r * (1.0 - r)
    fits = 1.0 if pore <= 0.0 else area**steepness / (area**steepness + pore**steepness)
    return biphasic * max(fits, lysis)


@njit(cache=True, nogil=True)
def along(q, flat, x, y, z):
    """q applied to (x, y, z); q (5): xx, yy, xy, xz, yz of a tensor without trace."""
    zz = 0.0 if flat else -q[0] - q[1]
    return q[0] * x + q[2] * y + q[3] * z, q[2] * x + q[1] * y + q[4] * z, q[3] * x + q[4] * y + zz * z


class Traits(NamedTuple):
    """What guides the cells of each type, as the columns of Guidance; each (type)."""

    optimum: np.ndarray
    least: np.ndarray
    guidance: np.ndarray
    barrier: np.ndarray
    drag: np.ndarray


class Walk(NamedTuple):
    """What is changed of the cells' way and what that depends on: pore (cell) um^2, lysis (cell), persistence (cell)
    min, heading (cell, xyz), speed (cell) um/min, mobility (cell)."""

    pore: np.ndarray
    lysis: np.ndarray
    persistence: np.ndarray
    heading: np.ndarray
    speed: np.ndarray
    mobility: np.ndarray


@njit(cache=True, nogil=True, error_model="numpy")
def lead(first, last, dt, acts, kind, vital, voxel, flat, law, matrix, traits, walk):
    """Turn headings toward the fibres, scale speeds, set mobility.

    optimum, least, guidance, barrier, drag (type); pore, lysis, persistence, speed, mobility (cell).
    """
    optimum, least, guidance, barrier, drag = traits
    pore, lysis, persistence, heading, speed, mobility = walk
    density, hyaluronan, orientation = matrix
    widest, steepness, filled = law
    size = 2.0 if flat else 3.0
    for i in range(first, last):
        t = kind[i]
        v = voxel[i]
        mobility[i] = 1.0 / (1.0 + drag[t] * density[v])  # of the dead, too
        if not acts[t] or vital[i] != 0:
            continue
        x, y, z = heading[i, 0], heading[i, 1], heading[i, 2]
        qx, qy, qz = along(orientation[:, v], flat, x, y, z)
        across = max(-(x * qx + y * qy + z * qz) * size, 0.0)  # 0 along the fibres, their order across them
        area = pores(density[v], hyaluronan[v], widest, filled)
        fast = speed_factor(density[v], optimum[t], least[t], area, pore[i], lysis[i], steepness)
        speed[i] *= fast * (1.0 - barrier[t] * across)
        g = guidance[t] * min(dt / max(persistence[i], dt), 1.0)
        if g > 0.0:
            before = x * x + y * y + z * z
            x, y, z = x + g * qx, y + g * qy, z + g * qz
            after = x * x + y * y + z * z
            if after > 1e-32:
                same = math.sqrt(before / after)
                heading[i, 0], heading[i, 1], heading[i, 2] = x * same, y * same, z * same


class Guidance(Process):
    """What the matrix does to crawling cells.

    Equation    speed x [least + (1 - least) 4 r (1 - r)] x max(fits, lysis) x (1 - barrier across)
                r = density / (2 optimum),   fits = a^8 / (a^8 + pore^8)
                a = 30 um^2 (1 - density)^2 (1 - 0.5 hyaluronan): cross-section of the pores
                heading += guidance dt / persistence Q heading, its length kept
                across = -dim heading . Q . heading (at least 0)
                velocity under pushes and pulls x mobility,   mobility = 1 / (1 + drag density)

    Column      Unit   Kind       Meaning
    optimum     1      Trait      density at which the cell is fastest
    least       1      Trait      share of its speed that is left without matrix
    guidance    1      Trait      how strongly fibres turn it along themselves
    barrier     1      Trait      how much slower it is across fully aligned fibres
    drag        1      Trait      friction with matrix of density 1, as a multiple of that with fluid and cells
    pore        um^2   Behavior   smallest pore it squeezes through (0: any)
    lysis       1      Behavior   share of its speed that its own proteases secure whatever the pores

    Source      biphasic: Zaman et al. 2006, PNAS 103:10889 (DOI 10.1073/pnas.0604460103); pores of 7 um^2 for tumor
                cells and 4 um^2 for T cells: Wolf et al. 2013, J Cell Biol 201:1069 (DOI 10.1083/jcb.201210152); what
                hyaluronan takes of them: assumed.
    """

    group = "matrix.pores"
    numbers = (
        Number("open", "um^2", OPEN, "assumed 20..40", "cross-section of pores where there is no matrix", ge=0.0),
        Number(
            "steepness", "1", STEEPNESS, "assumed 5..12", "how sharply too small a pore stops a cell", ge=0.1, le=50.0
        ),
        Number("filled", "1", FILLED, "assumed 0.25..0.9", "share of a pore that a full gel takes", ge=0.0, le=1.0),
    )
    section = "guidance"
    slot = "act"
    reads = ("matrix", "position", "motility.persistence")
    sets = (MOBILITY.name,)
    adds = ("motility.heading", "motility.speed")
    optimum = Trait("1", 0.4, ge=0.01, doc="density of the matrix at which the cell is fastest")
    least = Trait("1", 0.2, ge=0.0, le=1.0, doc="share of its speed that is left without matrix")
    guidance = Trait("1", 0.0, ge=0.0, doc="how strongly fibres turn the cell along themselves")
    barrier = Trait("1", 0.0, ge=0.0, le=1.0, doc="how much slower the cell is across aligned fibres")
    drag = Trait("1", 0.0, ge=0.0, doc="friction with matrix of density 1, as a multiple of that with fluid and cells")
    mobility = MOBILITY
    pore = Behavior("um^2", 0.0, ge=0.0, doc="smallest pore the cell squeezes through")
    lysis = Behavior(
        "1", 0.0, ge=0.0, le=1.0, doc="share of its speed that its own proteases secure whatever the pores"
    )

    part = "matrix"

    @classmethod
    def why(cls, model) -> Why:
        return lives_on(cls, model) and spoken(model, cls.section)

    @classmethod
    def of(cls, model, build, **options) -> Guidance:
        return cls(
            build.minutes(cls.clock), np.array(["guidance" in t.sections for t in model.types]), **cls.said(model),
            **options,
        )  # fmt: skip

    def __init__(
        self, period: float, acts: np.ndarray, open: float = OPEN, steepness: float = STEEPNESS, filled: float = FILLED
    ):
        self.period = period
        self.law = (open, steepness, filled)
        self.acts = acts

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, matrix, grid = tissue.cells, tissue.matrix, tissue.fields.grid
        voxel = tissue.voxels()
        traits = Traits(*(cells.base[f"guidance.{k}"] for k in Traits._fields))
        columns = (
            "guidance.pore",
            "guidance.lysis",
            "motility.persistence",
            "motility.heading",
            "motility.speed",
            MOBILITY.name,
        )
        fibres = (matrix.density.reshape(-1), matrix.hyaluronan.reshape(-1), matrix.orientation.reshape(5, -1))
        walk = Walk(*(cells[name] for name in columns))
        given = (tick.dt, self.acts, cells.type, cells["vital"], voxel, grid.is_2d, self.law, fibres, traits, walk)
        over_rows(lead, cells.n, self.threads, *given)
