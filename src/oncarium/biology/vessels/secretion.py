"""Vessels release ANG1, ANG2, PDGF-B, chemokines and TIMP, and take up VEGF-A."""

from __future__ import annotations

import numpy as np

from ...engine.process import Number, Process, Tick
from ...engine.tissue import Tissue
from ...engine.why import Why, given
from .hearing import heard
from .places import Course, course, spread
from .sprouting import CELL
from .state import TIP

MOLECULE = 1.0 / 0.602214076  # nM um^3 of one molecule
RATE = "molecules/min"


class VesselSecretion(Process):
    """Exchange of growth factors and chemokines between walls and tissue.

    Equation    of every endothelial cell (one on 10 um of vessel): ANG2 20 + 200 V / (V + 0.5 nM), PDGF-B 60, CXCL12
                20, CCL2 5, CXCL9 20 I^2 / (I^2 + (0.1 nM)^2) molecules/min, TIMP 80 um^3/min;   of its pericytes:
                ANG1 300 c molecules/min;   of each tip: PDGF-B 600 molecules/min besides;
                uptake of VEGF-A 2,600 um^3/min
                c: coverage by pericytes, V: VEGF-A, I: interferon gamma

    A model may set these numbers under vessels.secretion.

    Adds to     fields.supply, fields.demand.
    Source      ANG2 from stores on stimuli: Fiedler et al. 2004 (DOI 10.1182/blood-2003-10-3685); PDGF-B of tips:
                Gerhardt et al. 2003 (DOI 10.1083/jcb.200302047); uptake: 1.2e4 VEGFR2 per cell, 0.6 /nM/min, of which
                22 % are internalized before the ligand leaves (DOI 10.1186/1752-0509-5-170); rates assumed.
    """

    group = "vessels.secretion"
    numbers = (
        Number(
            "ang1",
            RATE,
            300.0,
            "assumed 100..900",
            "of pericytes that cover 10 um, so that normal tissue has 1 nM",
            ge=0.0,
        ),
        Number("ang2", RATE, 20.0, "assumed 7..60", "of an endothelial cell at rest", ge=0.0),
        Number("ang2_more", RATE, 200.0, "assumed 70..600", "what VEGF-A adds", ge=0.0),
        Number(
            "pdgfb",
            RATE,
            60.0,
            "assumed 20..180",
            "of an endothelial cell, so that normal vessels stay covered",
            ge=0.0,
        ),
        Number("pdgfb_tip", RATE, 600.0, "assumed 200..1800", "what the tip of a sprout adds", ge=0.0),
        Number("cxcl12", RATE, 20.0, "assumed 7..60", "of an endothelial cell", ge=0.0),
        Number("ccl2", RATE, 5.0, "assumed 1.7..15", "of an endothelial cell", ge=0.0),
        Number("cxcl9", RATE, 20.0, "assumed 7..60", "of an endothelial cell in interferon gamma", ge=0.0),
        Number("ang2_half", "nM", 0.5, "assumed 0.17..1.5", "VEGF-A at half of that", ge=1e-9),
        Number(
            "ifng_half", "nM", 0.1, "assumed 0.003..0.3", "interferon gamma at half of the release of CXCL9", ge=1e-9
        ),
        Number("ifng_hill", "1", 2.0, "assumed 1.3..3", "and how steep it is", ge=0.1, le=20.0),
        Number("timp", "um^3/min", 80.0, "assumed 27..240", "of an endothelial cell", ge=0.0),
        Number("uptake", "um^3/min", 2600.0, "@VEGF_2011_table R 1550..17000", "of VEGF-A, by a cell", ge=0.0),
    )
    section = "vessels"
    slot = "transport"
    clock = "transport"
    part = "vessels"
    reads = ("fields.value", "vessels")
    adds = ("fields.supply", "fields.demand")
    makes = ("ang1", "ang2", "pdgfb", "cxcl12", "ccl2", "cxcl9", "timp")

    @classmethod
    def why(cls, model) -> Why:
        heard = {f.name for f in model.factors} & {"vegfa", *cls.makes}
        return given(model.vessels, "the model has vessels", "the model has no vessels") and given(
            heard, f"the model has {', '.join(sorted(heard))}", "the model has none of what walls release"
        )

    def __init__(self, period: float, cell: float = CELL, **numbers: float):
        self.period = period
        self.cell = cell
        self.rate = {n.name: n.default for n in self.numbers} | numbers
        self.there: Course | None = None
        self.seen = (-1, -1)  # the graph that it was made of, and its version

    def step(self, tissue: Tissue, tick: Tick) -> None:
        graph, fields = tissue.vessels.graph, tissue.fields
        if not graph.n_segments:
            return
        if self.seen != (id(graph), graph.version):
            self.seen, self.there = (id(graph), graph.version), course(graph, fields.grid, 5.0)
            self.cells = self._laid(graph, np.ones(graph.n_segments), fields.grid)  # um of vessel per voxel
        names, rate, cells = fields.names, self.rate, self.cells / self.cell / fields.grid.voxel_volume

        def add(factor: str, amount) -> None:
            if factor in names:
                fields.supply[fields.index(factor)] += amount

        def level(factor: str):
            return np.maximum(heard(tissue, [factor])[0], 0.0) if factor in names else 0.0

        vegf, ifng = level("vegfa"), level("ifng") ** rate["ifng_hill"]
        for factor in ("pdgfb", "cxcl12", "ccl2"):
            add(factor, rate[factor] * MOLECULE * cells)
        add("timp", rate["timp"] * cells)
        add("ang2", (rate["ang2"] + rate["ang2_more"] * vegf / (rate["ang2_half"] + vegf)) * MOLECULE * cells)
        add("cxcl9", rate["cxcl9"] * ifng / (rate["ifng_half"] ** rate["ifng_hill"] + ifng) * MOLECULE * cells)
        if "ang1" in names:
            covered = self._laid(graph, graph.segments["coverage"], fields.grid)
            add("ang1", rate["ang1"] * MOLECULE / self.cell / fields.grid.voxel_volume * covered)
        if "pdgfb" in names:
            tips = tissue.voxels(graph.position[graph.nodes["kind"] == TIP])
            supply = fields.supply[fields.index("pdgfb")].reshape(-1)
            np.add.at(supply, tips, rate["pdgfb_tip"] * MOLECULE / fields.grid.voxel_volume)
        if "vegfa" in names:
            fields.demand[fields.index("vegfa")] += rate["uptake"] * cells

    def _laid(self, graph, amount: np.ndarray, grid) -> np.ndarray:
        """(z, y, x) amount (segment) per um of vessel times the um in each voxel."""
        out, there = np.zeros(int(np.prod(grid.shape))), self.there
        assert there is not None
        given = (there.first, there.position, there.length, grid.lower, np.array(grid.spacing), grid.shape, out)
        spread(amount, *given)
        return out.reshape(grid.shape)
