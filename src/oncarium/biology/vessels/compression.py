"""Matrix swollen by hyaluronan and solid stress press vessels together."""

from __future__ import annotations

import math

import numpy as np

from ...engine.process import Number, Process, Tick
from ...engine.tissue import Tissue
from .places import along, course

HALF, STEEP = 0.85, 4.0  # load at half of the compression, and how steep it is (as in models of the field)
UNIT = 1.0  # kPa of solid stress that load a vessel as density 1 filled with hyaluronan does (assumed)
RELAXATION = 720.0  # min: how long a vessel takes to give way or to reopen (assumed)


def squeezed(density, hyaluronan, stress):
    """Share of its radius that a vessel keeps under a load that lasts.

    >>> round(float(squeezed(1.0, 0.85, 0.0)), 12), round(float(squeezed(0.3, 0.2, 0.1)), 4)
    (0.5, 0.9987)
    """
    load = np.maximum(density * hyaluronan + stress / UNIT, 0.0) / HALF
    return 1.0 / (1.0 + load**STEEP)


class Compression(Process):
    """How much of their radius vessels keep.

    Equation    q' = (1 / (1 + (L / 0.85)^4) - q) / 12 h,   L = density hyaluronan + stress / 1 kPa

    Means along the part of a segment that lies in the box. Below a radius of 2 um nothing flows (Perfusion).

    Sets        segments squeeze.     Reads   matrix, fluid.
    Source      half and steepness as in a model of pancreatic cancer; stress and hyaluronan close vessels:
                Provenzano et al. 2012 (DOI 10.1016/j.ccr.2012.01.007), Padera et al. 2004 (DOI 10.1038/427695a); others
                assumed.
    """

    group = "vessels.compression"
    numbers = (
        Number("relaxation", "min", RELAXATION, "assumed", "how long a vessel takes to give way or to reopen", ge=1.0),
    )
    section = "vessels"
    slot = "remodel"
    part = "vessels"
    reads = ("matrix", "fluid", "vessels")
    adds = ("vessels",)

    @classmethod
    def of(cls, model, build, **options) -> Compression:
        return cls(model.vessels.period, **cls.said(model), **options)

    def __init__(self, period: float = 60.0, relaxation: float = RELAXATION):
        self.period = period
        self.relaxation = relaxation

    def step(self, tissue: Tissue, tick: Tick) -> None:
        graph, grid = tissue.vessels.graph, tissue.fields.grid
        if not graph.n_segments:
            return
        squeeze = graph.segments["squeeze"]
        none, matrix, fluid = np.zeros(grid.shape), tissue.matrix, tissue.fluid
        pressing = np.stack([matrix.density, matrix.hyaluronan] if matrix is not None else [none, none])
        stress = none if fluid is None else fluid.stress
        goal = squeezed(*along(course(graph, grid), grid, np.concatenate([pressing, stress[None]])))
        squeeze[:] = goal + (squeeze - goal) * math.exp(-tick.dt / self.relaxation)
