"""Vessels release ANG1, ANG2 and PDGF-B, and take up VEGF-A."""

from __future__ import annotations

import numpy as np

from ...engine.process import Process, Tick
from ...engine.tissue import Tissue
from ...engine.why import Why, given
from .maturation import ANG2_VEGF
from .places import Course, course, spread
from .sprouting import CELL
from .state import TIP

MOLECULE = 1.0 / 0.602214076  # nM um^3 of one molecule
# molecules/min: ANG1 of the pericytes on 10 um of fully covered vessel, so that vessels of normal density hold about
# 1 nM (assumed); ANG2 of an endothelial cell at rest and what VEGF-A adds (50 to 600); PDGF-B of an endothelial cell,
# so that normal vessels stay covered, and of a tip (assumed)
ANG1, ANG2, ANG2_MORE, PDGFB, PDGFB_TIP = 300.0, 20.0, 200.0, 60.0, 600.0
# um^3/min of VEGF-A that an endothelial cell takes up: 1.2e4 VEGFR2, 0.6 /nM/min, of which 22 % are internalized before
# the ligand leaves (10.1186/1752-0509-5-170)
UPTAKE = 2600.0


class VesselSecretion(Process):
    """Exchange of growth factors between walls and tissue.

    Equation    of every 10 um of vessel: ANG1 300 c, ANG2 20 + 200 V / (V + 0.5 nM), PDGF-B 60 molecules/min, of each
                tip 600 molecules/min of PDGF-B besides;   uptake of VEGF-A 2,600 um^3/min
                c: coverage by pericytes, V: VEGF-A

    Adds to     fields.supply, fields.demand.
    Source      ANG2 from stores on stimuli: Fiedler et al. 2004 (DOI 10.1182/blood-2003-10-3685); PDGF-B of tips:
                Gerhardt et al. 2003 (DOI 10.1083/jcb.200302047); uptake: DOI 10.1186/1752-0509-5-170; rates assumed.
    """

    section = "vessels"
    slot = "transport"
    clock = "transport"
    part = "vessels"
    reads = ("fields.value", "vessels")
    adds = ("fields.supply", "fields.demand")
    makes = ("ang1", "ang2", "pdgfb")

    @classmethod
    def why(cls, model) -> Why:
        heard = {f.name for f in model.factors} & {"vegfa", *cls.makes}
        return given(model.vessels, "the model has vessels", "the model has no vessels") and given(
            heard, f"the model has {', '.join(sorted(heard))}", "the model has none of what walls release"
        )

    def __init__(self, period: float, cell: float = CELL, half: float = ANG2_VEGF):
        self.period = period
        self.cell, self.half = cell, half
        self.there: Course | None = None
        self.seen = (-1, -1)  # the graph that it was made of, and its version

    def step(self, tissue: Tissue, tick: Tick) -> None:
        graph, fields = tissue.vessels.graph, tissue.fields
        if not graph.n_segments:
            return
        if self.seen != (id(graph), graph.version):
            self.seen, self.there = (id(graph), graph.version), course(graph, fields.grid, 5.0)
            self.cells = self._laid(graph, np.ones(graph.n_segments), fields.grid)  # um of vessel per voxel
        per_cell = 1.0 / self.cell / fields.grid.voxel_volume
        names = fields.names
        if "ang1" in names:
            covered = self._laid(graph, graph.segments["coverage"], fields.grid)
            fields.supply[fields.index("ang1")] += ANG1 * MOLECULE * per_cell * covered
        if "ang2" in names:
            vegf = np.maximum(fields.value[fields.index("vegfa")], 0.0) if "vegfa" in names else 0.0
            rate = ANG2 + ANG2_MORE * vegf / (self.half + vegf)
            fields.supply[fields.index("ang2")] += rate * MOLECULE * per_cell * self.cells
        if "pdgfb" in names:
            supply = fields.supply[fields.index("pdgfb")]
            supply += PDGFB * MOLECULE * per_cell * self.cells
            tips = tissue.voxels(graph.position[graph.nodes["kind"] == TIP])
            np.add.at(supply.reshape(-1), tips, PDGFB_TIP * MOLECULE / fields.grid.voxel_volume)
        if "vegfa" in names:
            fields.demand[fields.index("vegfa")] += UPTAKE * per_cell * self.cells

    def _laid(self, graph, amount: np.ndarray, grid) -> np.ndarray:
        """(z, y, x) amount (segment) per um of vessel times the um in each voxel."""
        out, there = np.zeros(int(np.prod(grid.shape))), self.there
        assert there is not None
        given = (there.first, there.position, there.length, grid.lower, np.array(grid.spacing), grid.shape, out)
        spread(amount, *given)
        return out.reshape(grid.shape)
