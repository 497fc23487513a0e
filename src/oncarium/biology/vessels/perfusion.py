"""Blood flows through the network as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...engine.process import Process, Tick
from ...engine.tissue import Tissue
from .flow import BloodFlow, solve_flow
from .plumbing import Plumbing
from .state import Vessels
from .viscosity import Rheology

PERIOD = 60.0  # min: radii change within days
SHUT = 2.0  # um: a vessel squeezed to less lets no cell pass, and counts as closed
SQUEEZED = (
    0.9  # of the radius, below which a vessel counts as squeezed: narrow ones are not closed by a trace of stress
)
TOLERANCE = 1e-3  # of the haematocrit, from one update to the next: a third of a percent of the viscosity
MOST = 60  # turns of the iteration in one update; the next one goes on from there


def open_to_blood(vessels: Vessels) -> np.ndarray:
    """(segment) whether blood can pass: it has a lumen, and is not squeezed (by a tenth or more) to less than 2 um.

    >>> vessels = Vessels.empty()
    >>> a, b = vessels.graph.add_nodes([[0, 0, 0], [9, 0, 0]])
    >>> _ = vessels.graph.add_segments([[a, b]] * 3, length=9.0, radius=[4.0, 4.0, 1.5], squeeze=[1.0, 0.4, 0.95])
    >>> open_to_blood(vessels).tolist()
    [True, False, True]
    """
    s = vessels.graph.segments
    return (
        (s["lumen"] > 0)
        & (s["radius"] * s["squeeze"] > 0.0)
        & ~((s["squeeze"] < SQUEEZED) & (s["radius"] * s["squeeze"] < SHUT))
    )


class Perfusion(Process):
    """Pressure, flow, haematocrit and wall shear of every vessel.

    Equation    see flow.py: Poiseuille's law with the viscosity of blood, cells conserved at every node
    Sets        vessels.pressure (node); vessels.flow, haematocrit, shear (segment). A vessel that no blood reaches has
                flow and shear 0 and keeps the haematocrit, its nodes the pressure, that they had.
    Logs        unsteady_flow (ids of segments): what had not come to rest within 60 turns, e.g. between two flow
                directions that are both stable
    Source      Pries et al. 1994, Pries & Secomb 2005 (see viscosity.py, haematocrit.py)

    period   min between updates     separation   cells divide by the law of phase separation; else as the flow does
    rheology   viscosity of the blood

    >>> vessels = Vessels.empty()
    >>> nodes = vessels.graph.add_nodes([[0, 0, 0], [0, 0, 300]], kind=1, given=[25.0, 15.0], haematocrit=0.4)
    >>> _ = vessels.graph.add_segments([[0, 1]], length=300.0)
    >>> blood = Perfusion(rheology=Rheology(constant=3.0)).update(vessels)
    >>> vessels.graph.segments["flow"].round(6).tolist(), vessels.graph.segments["shear"].round(6).tolist()
    ([8.935352], [8.888159])
    """

    group = "vessels"
    section = "vessels"
    slot = "remodel"
    part = "vessels"
    reads = ("vessels.radius", "vessels.squeeze", "vessels.lumen")
    sets = ("vessels.pressure", "vessels.flow", "vessels.haematocrit", "vessels.shear")
    events = ("unsteady_flow",)

    @classmethod
    def of(cls, model, build, **options) -> Perfusion:
        return cls(model.vessels.period, separation=model.vessels.split == "separated", **options)

    def __init__(self, period: float = PERIOD, separation: bool = False, rheology: Rheology | None = None):
        self.period = period
        self.separation = separation
        self.rheology = rheology or Rheology()
        self.way: Plumbing | None = None
        self.known: dict[str, np.ndarray] = {}  # network that `way` belongs to

    def prepare(self, tissue: Tissue) -> None:
        self.update(tissue.vessels)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        blood = self.update(tissue.vessels)
        tissue.population.log(tick.time, tissue.vessels.graph.segment_id[blood.restless], "unsteady_flow")

    def update(self, vessels: Vessels) -> BloodFlow:
        """Flow through a network as it is now."""
        graph = vessels.graph
        s, nodes = graph.segments, graph.nodes
        blood = solve_flow(
            self._way(vessels), s["radius"] * s["squeeze"], s["length"], s["haematocrit"], nodes["haematocrit"],
            self.rheology, separation=self.separation, tolerance=TOLERANCE, most=MOST, near=nodes["pressure"],
        )  # fmt: skip
        held = np.isfinite(blood.pressure)
        nodes["pressure"] = np.where(held, blood.pressure, nodes["pressure"])
        s["flow"], s["haematocrit"], s["shear"] = blood.flow, blood.haematocrit, np.abs(blood.shear)
        return blood

    def _way(self, vessels: Vessels) -> Plumbing:
        """The plumbing, made anew where the network has changed; as long as it has not, its factors are kept."""
        graph = vessels.graph
        now = {
            "segment_id": graph.segment_id, "ends": graph.ends, "open": open_to_blood(vessels),
            "kind": graph.nodes["kind"], "given": graph.nodes["given"],
        }  # fmt: skip
        same = all(k in self.known and np.array_equal(self.known[k], v) for k, v in now.items())
        if self.way is None or not same:
            self.way = Plumbing(graph.ends, graph.n_nodes, now["kind"], now["given"], now["open"])
            if same and "reference" in self.known:  # a run goes on: with the same factors, for the same bytes
                self.way.refactorize(self.known["reference"])
            self.known = {k: v.copy() for k, v in now.items()}
        return self.way

    def state(self) -> dict[str, Any]:
        return self.known | ({"reference": self.way.reference} if self.way is not None else {})

    def restore(self, state: Mapping[str, Any]) -> None:
        self.known = {k: np.array(v) for k, v in state.items()}
        self.way = None
