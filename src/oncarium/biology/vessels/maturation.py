"""Pericytes come to vessels and leave them, ANG1 and ANG2 compete for Tie2, walls mature, leak, thin and mend."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ...engine.process import Number, Process, Tick
from ...engine.threads import over_rows
from ...engine.tissue import Tissue
from ..matrix.membrane import surface_cut
from ..matrix.remodeling import FAMILIES
from .hearing import heard
from .places import along, course
from .sprouting import HALF, up

PDGFB_SHARE = 0.2  # response to PDGF-B where a model has none: coverage 0.8 at rest, as in normal tissue
TOUCH = 10.0  # um between a cell's surface and a vessel within which its surface proteases cut the membrane


class Tie2(NamedTuple):
    """What decides Tie2 signaling, nM: see VesselMaturation.numbers."""

    ang1_half: float = 3.7
    ang2_half: float = 3.0
    ang1_rest: float = 1.0
    ang2_most: float = 3.0
    ang2_least: float = 3.0 / 11.0
    ang2_vegfa: float = 0.5


USUAL = Tie2()


@njit(cache=True, nogil=True)
def tie2(ang1, ang2, says=USUAL):
    """Tie2 signaling, 1 as at rest: ANG1 (nM) binds it against ANG2 (nM).

    >>> round(tie2(1.0, 0.0), 12), round(tie2(1.0, 3.0), 3)
    (1.0, 0.56)
    """
    bound = ang1 / (ang1 + says.ang1_half * (1.0 + ang2 / says.ang2_half)) if ang1 > 0.0 else 0.0
    return min(bound / (says.ang1_rest / (says.ang1_rest + says.ang1_half)), 1.0)


@njit(cache=True, nogil=True)
def ang2_rules(ang1, ang2, says=USUAL):
    """Whether ANG2 has more of Tie2 than ANG1, and more than a fifth of it (assumed)."""
    one, two = ang1 / says.ang1_half, ang2 / says.ang2_half
    return two > one and two > 0.2 * (1.0 + one + two)


@njit(cache=True, nogil=True)
def relaxed(value, gain, loss, dt):
    """value after dt min of value' = gain (1 - value) - loss value; exact."""
    rate = gain + loss
    return value if rate <= 0.0 else gain / rate + (value - gain / rate) * math.exp(-rate * dt)


@njit(cache=True, nogil=True)
def permeability(coverage, vegf, half):
    """Factor on the wall's permeability: 1 without pericytes and VEGF-A.

    >>> round(permeability(0.8, 0.0, 0.1), 2), round(permeability(0.0, 0.1, 0.1), 2)
    (0.44, 2.0)
    """
    return (0.3 + 0.7 * (1.0 - coverage)) * (1.0 + 2.0 * up(vegf, half, 1.0))


@njit(cache=True, nogil=True)
def ang1_of(coverage, says=USUAL):
    """nM of ANG1 at a vessel of which nothing else is known: in proportion to its pericytes."""
    return says.ang1_rest * coverage / 0.8


@njit(cache=True, nogil=True)
def ang2_of(vegf, says=USUAL):
    """nM of ANG2 at a vessel of which nothing else is known: endothelium releases it on VEGF-A."""
    return says.ang2_least + (says.ang2_most - says.ang2_least) * up(vegf, says.ang2_vegfa, 1.0)


class Rates(NamedTuple):
    """Numbers of vessels.maturation, see VesselMaturation."""

    half: float
    covering: float
    pdgfb_half: float
    leaving: float
    leaving_vegfa: float
    leaving_half: float
    mending: float
    own_cut: float


class Wall(NamedTuple):
    """What becomes of the walls, as the quantities of segments; each (segment)."""

    coverage: np.ndarray
    stability: np.ndarray
    membrane: np.ndarray
    permeability: np.ndarray
    age: np.ndarray


@njit(cache=True, nogil=True)
def mature(first, last, dt, rates, says, signals, known, cut, wall):
    """One step of segments first to last. signals (4, segment): VEGF-A, PDGF-B, ANG1, ANG2 nM; known (4): whether the
    tissue has each; cut (segment) 1/min of the membrane by proteases of others."""
    coverage, stability, membrane, leak, age = wall
    half = rates.half
    for i in range(first, last):
        vegf, before = max(signals[0, i], 0.0), coverage[i]
        share = up(max(signals[1, i], 0.0), rates.pdgfb_half, 1.0) if known[1] else PDGFB_SHARE
        leaving = rates.leaving + rates.leaving_vegfa * up(vegf, rates.leaving_half, 1.0)
        coverage[i] = relaxed(before, rates.covering * share, leaving, dt)
        between = 0.5 * (before + coverage[i])  # second order
        for k in range(2):
            covered = between if k == 0 else coverage[i]
            ang1 = max(signals[2, i], 0.0) if known[2] else ang1_of(covered, says)
            ang2 = max(signals[3, i], 0.0) if known[3] else ang2_of(vegf, says)
            stability[i] = covered * tie2(ang1, ang2, says)
            if k == 0:
                own = rates.own_cut * up(vegf, half, 2.0) * (1.0 - stability[i])
                membrane[i] = relaxed(membrane[i], rates.mending * (1.0 + between), own + cut[i], dt)
        leak[i] = permeability(coverage[i], vegf, half)
        age[i] += dt


class VesselMaturation(Process):
    """Walls of vessels.

    Equation    c' = 0.02/h P / (P + 0.3) (1 - c) - c (0.001 + 0.01 V / (V + 1))/h      coverage by pericytes
                T  = A1 / (A1 + 3.7 (1 + A2 / 3)), 1 at an ANG1 of 1 nM                 Tie2 signaling
                s  = c T                                                                stability
                b' = 0.02/h (1 + c) (1 - b) - b (0.15/h V^2 / (V^2 + V_half^2) (1 - s) + proteases)      membrane
                leak = (0.3 + 0.7 (1 - c)) (1 + 2 V / (V + V_half))                     permeability
                a lumen opens at 24 h

    V, P, A1, A2: VEGF-A, PDGF-B, ANG1, ANG2 (nM), means along the segment. Where a tissue has no PDGF-B, its response
    is 0.2; where it has no ANG1, that is 1 nM at a coverage of 0.8 and in proportion to it; where it has no ANG2, that
    is 0.27 to 3 nM, by VEGF-A.

    Coverage belongs to the network and needs no pericytes among the cells. Pericytes and endothelial cells that a
    model places besides act on it by what they release, not by where they lie.

    Sets        segments coverage, stability, membrane, permeability, age, lumen.
    Source      Tie2: Maisonpierre et al. 1997 (DOI 10.1126/science.277.5322.55); PDGF-B: Lindblom et al. 2003 (DOI
                10.1101/gad.266803); VEGF-A's half-effect: DOI 10.1186/1752-0509-5-170; rates assumed.
    """

    group = "vessels.maturation"
    numbers = (
        Number("half", "nM", HALF, "@Desai2006 @VEGF_2011_table R 0.028..0.5", "VEGF-A at half of its effect", ge=1e-9),
        Number(
            "covering", "1/min", 0.02 / 60.0, "assumed 0.00011..0.001", "recruitment of pericytes by PDGF-B", ge=0.0
        ),
        Number(
            "pdgfb_half", "nM", 0.3, "@Apte1999 A 0.04..0.4", "PDGF-B at half of it, as read for fibroblasts", ge=1e-9
        ),
        Number("leaving", "1/min", 0.001 / 60.0, "assumed 5.6e-6..5e-5", "of pericytes", ge=0.0),
        Number("leaving_vegfa", "1/min", 0.01 / 60.0, "assumed 5.6e-5..5e-4", "of pericytes in much VEGF-A", ge=0.0),
        Number("leaving_half", "nM", 1.0, "assumed 0.2..5", "VEGF-A at half of that", ge=1e-9),
        Number("mending", "1/min", 0.02 / 60.0, "assumed 0.00011..0.001", "of the membrane without pericytes", ge=0.0),
        Number("own_cut", "1/min", 0.15 / 60.0, "assumed 0.0008..0.0075", "of the membrane by endothelium", ge=0.0),
        Number("cut", "1/min", 5e-4, "assumed 1e-4..2.5e-3", "of it by each dissolved family at reference", ge=0.0),
        Number("mmp", "1/min", 2.5e-3, "assumed 8.3e-4..7.5e-3", "of it by MMP on a cell that touches it", ge=0.0),
        Number("serine_protease", "1/min", 1.2e-3, "assumed 4e-4..3.6e-3", "by serine proteases there", ge=0.0),
        Number("cathepsin", "1/min", 1.2e-3, "assumed 4e-4..3.6e-3", "by cathepsin there, in acid", ge=0.0),
        Number(
            "ang1_half", "nM", 3.7, "@doi:10.1126/science.277.5322.55 L 1.9..7.4", "affinity of Tie2 for ANG1", ge=1e-9
        ),
        Number(
            "ang2_half", "nM", 3.0, "@doi:10.1126/science.277.5322.55 L 1.5..6", "affinity of Tie2 for ANG2", ge=1e-9
        ),
        Number("ang1_rest", "nM", 1.0, "assumed 0.3..3", "ANG1 at covered vessels: Tie2 signals 1 there", ge=1e-9),
        Number(
            "ang2_most", "nM", 3.0, "assumed 1..9", "ANG2 at vessels in much VEGF-A, where a tissue has none", ge=0.0
        ),
        Number(
            "ang2_least",
            "nM",
            3.0 / 11.0,
            "assumed 0.09..0.8",
            "ANG2 at vessels at rest, where a tissue has none",
            ge=0.0,
        ),
        Number("ang2_vegfa", "nM", 0.5, "assumed 0.17..1.5", "VEGF-A at half of the release of ANG2", ge=1e-9),
        Number("lumen", "min", 1440.0, "assumed 720..2880", "age at which a new vessel has a lumen", ge=0.0),
    )
    section = "vessels"
    slot = "remodel"
    part = "vessels"
    reads = ("fields.value", "secretion.rate", "vessels")
    adds = ("vessels",)
    signals = ("vegfa", "pdgfb", "ang1", "ang2")

    @classmethod
    def of(cls, model, build, **options) -> VesselMaturation:
        return cls(model.vessels.period, **cls.said(model), **options)

    def __init__(self, period: float = 60.0, **numbers: float):
        self.period = period
        said = {n.name: n.default for n in self.numbers} | numbers
        self.rates, self.lumen_age = Rates(*(said[k] for k in Rates._fields)), said["lumen"]
        self.tie2 = Tie2(*(said[k] for k in Tie2._fields))
        self.cut, self.surface = said["cut"], tuple(said[k] for k in FAMILIES)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        graph, fields = tissue.vessels.graph, tissue.fields
        if not graph.n_segments:
            return
        there, s = course(graph, fields.grid), graph.segments
        known = np.array([name in fields.names for name in self.signals])
        names = [name for name in (*self.signals, *FAMILIES) if name in fields.names]
        felt = dict(zip(names, along(there, fields.grid, heard(tissue, names))))
        none = np.zeros(graph.n_segments)
        signals = np.stack([felt.get(name, none) for name in self.signals])
        cut = self.touched(tissue, there)
        for name in FAMILIES:
            cut = cut + self.cut * np.maximum(felt.get(name, none), 0.0)
        wall = Wall(*(s[name] for name in Wall._fields))
        over_rows(mature, graph.n_segments, self.threads, tick.dt, self.rates, self.tie2, signals, known, cut, wall)
        s["lumen"][:] = s["age"] >= self.lumen_age

    def touched(self, tissue: Tissue, there) -> np.ndarray:
        """(segment) 1/min by which the surface proteases of the cells within 10 um cut the membrane: the strongest."""
        from scipy.spatial import cKDTree

        out = np.zeros(len(there.first) - 1)
        rate = surface_cut(tissue, self.surface)
        rows = np.flatnonzero(rate > 0.0)
        inside = there.length > 0.0
        if not len(rows) or not inside.any():
            return out
        owner = np.repeat(np.arange(len(out)), np.diff(there.first))[inside]
        cells = tissue.cells
        size = (0.75 / math.pi * cells["volume.total"][rows]) ** (1.0 / 3.0) + tissue.vessels.graph.segments[
            "radius"
        ].max()
        found = cKDTree(there.position[inside]).query_ball_point(cells.position[rows], size + TOUCH)
        for row, points in zip(rows, found):
            np.maximum.at(out, owner[points], rate[row])
        return out
