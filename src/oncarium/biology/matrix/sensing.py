"""Cells feel the matrix where they are: how dense, how stiff, how aligned."""

from __future__ import annotations

import math

from numba import njit

from ...engine.column import Signal
from ...engine.process import Number, Process, Tick
from ...engine.threads import over_rows
from ...engine.tissue import Tissue
from ...engine.why import Why, given, lives_on
from .state import LINKED, POWER, SOFT


@njit(cache=True, nogil=True)
def order_of(orientation, v, flat):
    """Order of the fibres of a voxel: 0 none, 1 all parallel. orientation (5, voxel)."""
    xx, yy, xy, xz, yz = orientation[0, v], orientation[1, v], orientation[2, v], orientation[3, v], orientation[4, v]
    zz = 0.0 if flat else -xx - yy
    square = xx * xx + yy * yy + zz * zz + 2.0 * (xy * xy + xz * xz + yz * yz)
    return math.sqrt(square * (2.0 if flat else 1.5))


@njit(cache=True, nogil=True)
def feel(first, last, voxel, flat, law, density, crosslink, orientation, felt, stiffness, alignment):
    """Density, stiffness (kPa) and order of the fibres in each cell's voxel."""
    soft, power, linked = law
    for i in range(first, last):
        v = voxel[i]
        felt[i] = density[v]
        stiffness[i] = soft * density[v] ** power * (1.0 + linked * crosslink[v])
        alignment[i] = order_of(orientation, v, flat)


class MatrixSensing(Process):
    """What cells feel of the matrix.

    Equation    stiffness = 4 kPa rho^1.8 (1 + X); numbers of matrix.stiffness

    Column             Unit   Kind     Meaning
    sense.matrix       1      Signal   density
    sense.stiffness    kPa    Signal   stiffness
    sense.alignment    1      Signal   order of the fibres: 0 none, 1 all parallel

    Source      4 to 10 kPa in tumors, 0.2 to 0.4 kPa in normal tissue: Levental et al. 2009, Cell 139:891 (DOI
                10.1016/j.cell.2009.10.027).
    """

    group = "matrix.stiffness"
    numbers = (
        Number("soft", "kPa", SOFT, "assumed 2..8", "stiffness at density 1 without crosslinks", ge=0.0),
        Number(
            "power", "1", POWER, "@PDAC_priors R 1.2..2.5", "by which stiffness grows with density", ge=0.0, le=10.0
        ),
        Number("linked", "1", LINKED, "@Levental2009 R 0.5..1.5", "how many times that crosslinks add", ge=0.0),
    )
    section = "sense"
    slot = "sense"
    reads = ("matrix", "position")
    matrix = Signal("1", ge=0.0, doc="density of the matrix at the cell")
    stiffness = Signal("kPa", ge=0.0, doc="stiffness of the matrix at the cell")
    alignment = Signal("1", ge=0.0, le=1.0, doc="order of the fibres at the cell")
    sets = ("sense.matrix", "sense.stiffness", "sense.alignment")

    part = "matrix"

    @classmethod
    def why(cls, model) -> Why:
        read = model.wanted & set(cls.sets)
        return lives_on(cls, model) and given(
            read, f"somebody reads {', '.join(sorted(read))}", f"nobody reads {', '.join(cls.sets)}"
        )

    @classmethod
    def of(cls, model, build, **options) -> MatrixSensing:
        return cls(build.minutes(cls.clock), **options)  # its numbers are the matrix's

    def __init__(self, period: float):
        self.period = period

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, matrix, grid = tissue.cells, tissue.matrix, tissue.fields.grid
        there = (matrix.density.reshape(-1), matrix.crosslink.reshape(-1), matrix.orientation.reshape(5, -1))
        felt = (cells["sense.matrix"], cells["sense.stiffness"], cells["sense.alignment"])
        over_rows(feel, cells.n, self.threads, tissue.voxels(), grid.is_2d, matrix.law, *there, *felt)
