"""Vessels that carry nothing, or that nothing keeps alive, thin and go."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ...engine.process import Number, Process, Tick
from ...engine.random import uniform
from ...engine.tissue import Tissue
from .hearing import heard
from .maturation import USUAL, Tie2, VesselMaturation, ang1_of, ang2_of, ang2_rules
from .places import along, course
from .sprouting import slice_of, up
from .tips import remove_orphans

WALL = 1.0  # um: thickness of a mature wall, against which `thinning` counts
PATIENCE = 4000.0
SURVIVAL, COVERED = 0.05, 0.3


class Limits(NamedTuple):
    """Numbers of vessels.regression, see Regression."""

    shear: float
    patience: float
    thinning: float
    healing: float
    collapse: float
    survival: float
    covered: float


@njit(cache=True, nogil=True)
def neglect(vegf, coverage, ang1, ang2, survival=SURVIVAL, covered=COVERED, says=USUAL):
    """Share, 0 to 1, at which the wall of a vessel with blood thins: all of it where ANG2 rules without VEGF-A; else as
    much as it lacks pericytes and VEGF-A."""
    if vegf < survival and ang2_rules(ang1, ang2, says):
        return 1.0
    return max(1.0 - coverage / covered, 0.0) * (1.0 - up(vegf, survival, 2.0))


@njit(cache=True, nogil=True)
def thin(firing, limits, says, ids, carried, signals, known, lumen, shear, coverage, slack, maturity, gone):
    """One step of all segments: slack, maturity, and whether each is gone. signals (3, segment): VEGF-A, ANG1, ANG2.

    Patience that ends and walls that come to their end within the step count from then on, whatever the step."""
    seed, stream, tick, dt, _ = firing
    for i in range(ids.shape[0]):
        idle = lumen[i] > 0 and (not carried[i] or shear[i] < limits.shear)
        slack[i] = slack[i] + dt if idle else (slack[i] if lumen[i] == 0 else 0.0)
        over = min(max(slack[i] - limits.patience, 0.0), dt) if idle else 0.0  # min of this step beyond its patience
        vegf = max(signals[0, i], 0.0)
        ang1 = max(signals[1, i], 0.0) if known[1] else ang1_of(coverage[i], says)
        ang2 = max(signals[2, i], 0.0) if known[2] else ang2_of(vegf, says)
        share = neglect(vegf if known[0] else 1.0, coverage[i], ang1, ang2, limits.survival, limits.covered, says)
        loss = limits.thinning / WALL * (over + share * (dt - over))
        if over == 0.0 and share < 0.5:
            maturity[i] = 1.0 + (maturity[i] - 1.0) * math.exp(-limits.healing * (1.0 - share) * dt)
        bare = 0.0  # min of this step without a wall
        if loss > 0.0 and loss >= maturity[i]:
            bare = (1.0 - maturity[i] / loss) * (dt if share > 0.0 else over)
        maturity[i] = max(maturity[i] - loss, 0.0)
        gone[i] = uniform(seed, stream, tick, ids[i], 0) < -math.expm1(-limits.collapse * bare)


class Regression(Process):
    """Pruning.

    Equation    slack' = 1 without flow or below a shear of 0.8 Pa, else 0 at once
                w' = -n 0.05 um/h / 1 um, and (1 - w) (1 - n) / day besides where n < 0.5     maturity of the wall
                n = 1 where slack > 4000 min, or where ANG2 has most of Tie2 and VEGF-A is below 0.05 nM
                n = max(1 - c / 0.3, 0) 0.05^2 / (0.05^2 + V^2) elsewhere: uncovered vessels need VEGF-A
                where w is 0 a vessel goes at 0.2/h

    Vessels without lumen are not slack yet. Of a vessel that crosses a 2-D slice both halves go. Where a tissue has no
    VEGF-A, vessels do not lack it. Sprouts that hang on nothing any more go too.

    Sets        segments slack, maturity; takes segments out.
    Source      shear and time as in models of vascular tumors (Owen et al. 2011, DOI 10.1158/0008-5472.CAN-10-2834);
                thinning: Welter & Rieger 2016 (DOI 10.1371/journal.pone.0161267); survival: Benjamin et al. 1999 (DOI
                10.1172/JCI5028); others assumed.
    """

    group = "vessels.regression"
    numbers = (
        Number("shear", "Pa", 0.8, "@Owen11_file R 0.1..1", "below which a vessel is slack", ge=0.0),
        Number(
            "patience", "min", PATIENCE, "@Owen11_file R 2000..8000", "without flow or shear until a wall thins", ge=0.0
        ),
        Number("thinning", "um/min", 0.05 / 60.0, "assumed 0.00028..0.0025", "of a wall of 1 um", ge=0.0),
        Number("healing", "1/min", 1.0 / 1440.0, "assumed 0.00023..0.0021", "of a wall that is cared for", ge=0.0),
        Number("collapse", "1/min", 0.2 / 60.0, "assumed 0.0016..0.005", "of a vessel without a wall", ge=0.0),
        Number(
            "survival", "nM", SURVIVAL, "assumed 0.01..0.25", "VEGF-A at half of what uncovered vessels need", ge=1e-9
        ),
        Number("covered", "1", COVERED, "assumed 0.15..0.6", "coverage that needs no VEGF-A", ge=1e-9, le=1.0),
    )
    section = "vessels"
    slot = "remodel"
    part = "vessels"
    reads = ("fields.value", "vessels")
    adds = ("vessels",)
    events = ("vessel_regression",)
    signals = ("vegfa", "ang1", "ang2")

    @classmethod
    def of(cls, model, build, **options) -> Regression:
        told = VesselMaturation.said(model)
        tie2 = Tie2(**{k: told[k] for k in Tie2._fields if k in told})
        return cls(model.vessels.period, tie2, **cls.said(model), **options)

    def __init__(self, period: float = 60.0, tie2: Tie2 = USUAL, **numbers: float):
        self.period, self.tie2 = period, tie2
        said = {n.name: n.default for n in self.numbers} | numbers
        self.limits = Limits(*(said[k] for k in Limits._fields))

    def step(self, tissue: Tissue, tick: Tick) -> None:
        graph, fields, s = tissue.vessels.graph, tissue.fields, tissue.vessels.graph.segments
        if not graph.n_segments:
            return
        known = np.array([name in fields.names for name in self.signals])
        signals = np.zeros((3, graph.n_segments))
        if known.any():
            names = [name for name in self.signals if name in fields.names]
            signals[known] = along(course(graph, fields.grid), fields.grid, heard(tissue, names))
        gone = np.zeros(graph.n_segments, np.bool_)
        given_ = (self.firing(tick), self.limits, self.tie2, graph.segment_id, tissue.vessels.perfused, signals, known)
        thin(*given_, s["lumen"], s["shear"], s["coverage"], s["slack"], s["maturity"], gone)
        if gone.any():
            self.remove(tissue, tick, gone)

    def remove(self, tissue: Tissue, tick: Tick, gone: np.ndarray) -> None:
        """Take segments (bool) out, with the other halves of those that cross a slice."""
        graph, flat = tissue.vessels.graph, slice_of(tissue)
        if flat is not None:
            z = graph.position[:, 2]
            outside = (z < flat[0]) | (z > flat[1])
            crossing = outside[graph.ends].sum(axis=1) == 1
            node = np.where(outside[graph.ends[:, 0]], graph.ends[:, 1], graph.ends[:, 0])
            shut = np.zeros(graph.n_nodes, np.bool_)
            shut[node[crossing & gone]] = True
            gone = gone | (crossing & shut[node])
        tissue.population.log(tick.time, graph.segment_id[gone], "vessel_regression")
        graph.remove_segments(np.flatnonzero(gone))
        remove_orphans(graph)
