"""Matrix swollen by hyaluronan and solid stress press vessels together."""

from __future__ import annotations

import math

import numpy as np

from ...engine.process import Number, Process, Tick
from ...engine.tissue import Tissue
from .places import along, course

HALF, STEEP = 0.85, 4.0  # load at half of the compression, and how steep it is (as in models of the field)
# kPa of solid stress that halves the radius by itself: as much as the blood's own pressure (20 mmHg), which holds the
# wall open (assumed; single capillaries close at 4 to 5 kPa in one model)
COLLAPSE = 2.7
RELAXATION = 720.0  # min: how long a vessel takes to give way or to reopen (assumed)


def squeezed(density, hyaluronan, stress, collapse=COLLAPSE):
    """Share of its radius that a vessel keeps under a load that lasts.

    >>> round(float(squeezed(1.0, 0.85, 0.0)), 12), round(float(squeezed(0.3, 0.2, 0.1)), 4)
    (0.5, 0.9999)
    """
    load = np.maximum(density * hyaluronan / HALF + stress / collapse, 0.0)
    return 1.0 / (1.0 + load**STEEP)


class Compression(Process):
    """How much of their radius vessels keep.

    Equation    q' = (1 / (1 + L^4) - q) / 12 h,   L = density hyaluronan / 0.85 + stress / 2.7 kPa

    Means along the part of a segment that lies in the box. Below a radius of 2 um nothing flows (Perfusion).

    Sets        segments squeeze.     Reads   matrix, fluid.
    Source      half and steepness as in a model of pancreatic cancer; stress and hyaluronan close vessels:
                Provenzano et al. 2012 (DOI 10.1016/j.ccr.2012.01.007), Padera et al. 2004 (DOI 10.1038/427695a); others
                assumed.
    """

    group = "vessels.compression"
    numbers = (
        Number(
            "collapse", "kPa", COLLAPSE, "assumed 0.9..8.1", "solid stress that by itself halves the radius", ge=1e-3
        ),
        Number(
            "relaxation",
            "min",
            RELAXATION,
            "assumed 240..2200",
            "how long a vessel takes to give way or to reopen",
            ge=1.0,
        ),
    )
    section = "vessels"
    slot = "remodel"
    part = "vessels"
    reads = ("matrix", "fluid", "vessels")
    adds = ("vessels",)

    @classmethod
    def of(cls, model, build, **options) -> Compression:
        return cls(model.vessels.period, **cls.said(model), **options)

    def __init__(self, period: float = 60.0, collapse: float = COLLAPSE, relaxation: float = RELAXATION):
        self.period = period
        self.collapse, self.relaxation = collapse, relaxation

    def step(self, tissue: Tissue, tick: Tick) -> None:
        graph, grid = tissue.vessels.graph, tissue.fields.grid
        if not graph.n_segments:
            return
        squeeze = graph.segments["squeeze"]
        none, matrix, fluid = np.zeros(grid.shape), tissue.matrix, tissue.fluid
        pressing = np.stack([matrix.density, matrix.hyaluronan] if matrix is not None else [none, none])
        stress = none if fluid is None else fluid.stress
        load = along(course(graph, grid), grid, np.concatenate([pressing, stress[None]]))
        goal = squeezed(load[0], load[1], load[2], self.collapse)
        squeeze[:] = goal + (squeeze - goal) * math.exp(-tick.dt / self.relaxation)
