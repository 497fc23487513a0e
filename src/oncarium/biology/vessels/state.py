"""Vessels: the network of blood vessels at one instant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...engine.graph import Graph, Quantity
from ...engine.part import Part

# kinds of nodes
INNER, PRESSURE, FLOW, TIP = 0, 1, 2, 3
KINDS = ("inner", "pressure", "flow", "tip")

NODES = (
    Quantity("kind", "1", doc="inner, or an end of known pressure or flow, or the tip of a sprout", dtype=np.int8),
    Quantity("given", "mmHg or nl/min", doc="pressure or flow (into the network) of an end"),
    Quantity("pressure", "mmHg", doc="of the blood"),
    Quantity("haematocrit", "1", 0.45, doc="discharge haematocrit of the blood that enters at an end"),
    Quantity("oxygen", "mmHg", 40.0, doc="oxygen tension of the blood that enters at an end"),
    Quantity("since", "min", doc="time at which a tip came to be"),
)
SEGMENTS = (
    Quantity("length", "um", extensive=True, doc="along the vessel"),
    Quantity("radius", "um", 4.0, doc="inner radius, as it would be uncompressed"),
    Quantity("squeeze", "1", 1.0, doc="share of the radius that solid stress and matrix leave open"),
    Quantity("flow", "nl/min", doc="of blood, positive from the first end to the second"),
    Quantity("haematocrit", "1", 0.45, doc="discharge haematocrit"),
    Quantity("oxygen", "mmHg", 40.0, doc="oxygen tension of the blood, mean along the segment"),
    Quantity("shear", "Pa", doc="wall shear stress"),
    Quantity("coverage", "1", 0.8, doc="share of the wall covered by pericytes"),
    Quantity("stability", "1", 0.6, doc="coverage times Tie2 signaling"),
    Quantity("membrane", "1", 1.0, doc="strength of the basement membrane"),
    Quantity("permeability", "1", 0.44, doc="factor on the wall's permeability: 1 without pericytes and VEGF-A"),
    Quantity("age", "min", 1e6, doc="since its lumen or sprout came to be"),
    Quantity("maturity", "1", 1.0, doc="1 is a mature wall; at 0 it is gone"),
    Quantity("slack", "min", doc="how long it has been without flow or shear"),
    Quantity("lumen", "1", 1, doc="whether blood can pass", dtype=np.int8),
    Quantity("sprout", "1", -1, doc="id of the tip whose sprout it is; -1 once it has carried blood", dtype=np.int64),
)
LEAST_FLOW = 1e-6  # share of the largest flow below which a segment carries nothing


class Vessels(Part):
    """The network: a Graph with the quantities of NODES and SEGMENTS.

    >>> vessels = Vessels.empty()
    >>> a, b = vessels.graph.add_nodes([[0, 0, 0], [0, 0, 300]], kind=PRESSURE, given=[25.0, 15.0])
    >>> _ = vessels.graph.add_segments([[a, b]], length=300.0)
    >>> vessels.graph.n_segments
    1
    """

    def __init__(self, graph: Graph):
        self.graph = graph

    @classmethod
    def empty(cls) -> Vessels:
        """A network without vessels."""
        return cls(Graph(NODES, SEGMENTS))

    @property
    def perfused(self) -> np.ndarray:
        """(segment) whether blood flows there."""
        flow = np.abs(self.graph.segments["flow"])
        return (self.graph.segments["lumen"] > 0) & (flow > LEAST_FLOW * flow.max(initial=0.0))

    def digest(self, h: Any) -> None:
        """Feed everything to a hash."""
        self.graph.digest(h)

    def summary(self) -> dict[str, tuple[float, str]]:
        """Length, share that is perfused, tips, flow in; means of radius, blood and wall."""
        graph, length = self.graph, self.graph.segments["length"]
        total = max(float(length.sum()), 1e-300)

        def mean(name: str, over: np.ndarray) -> float:
            return float((graph.segments[name] * over).sum() / max(float(over.sum()), 1e-300))

        carried = length * self.perfused
        ends = graph.nodes["kind"] != INNER
        inflow = np.zeros(graph.n_nodes)
        np.add.at(inflow, graph.ends[:, 0], graph.segments["flow"])
        np.add.at(inflow, graph.ends[:, 1], -graph.segments["flow"])
        return {
            "vessels.length": (float(length.sum()), "um"),
            "vessels.segments": (float(graph.n_segments), "1"),
            "vessels.perfused": (float(carried.sum() / total), "1"),
            "vessels.tips": (float((graph.nodes["kind"] == TIP).sum()), "1"),
            "vessels.inflow": (float(np.maximum(inflow, 0.0)[ends].sum()), "nl/min"),
            "vessels.radius": (mean("radius", length), "um"),
            "vessels.haematocrit": (mean("haematocrit", carried), "1"),
            "vessels.oxygen": (mean("oxygen", carried), "mmHg"),
            "vessels.coverage": (mean("coverage", length), "1"),
            "vessels.stability": (mean("stability", length), "1"),
            "vessels.permeability": (mean("permeability", length), "1"),
        }

    def tables(self) -> dict[str, dict[str, tuple[np.ndarray, str]]]:
        """Nodes and segments."""
        graph = self.graph
        units = {q.name: q.unit for q in SEGMENTS}
        nodes = {
            "id": (graph.node_id, "1"),
            "position": (graph.position, "um"),
            "tip": ((graph.nodes["kind"] == TIP).astype(np.int8), "1"),
            "pressure": (graph.nodes["pressure"], "mmHg"),
        }
        ends = graph.node_id[graph.ends]
        joined = {"id": (graph.segment_id, "1"), "a": (ends[:, 0], "1"), "b": (ends[:, 1], "1")}
        perfused = {"perfused": (self.perfused.astype(np.int8), "1")}
        return {
            "nodes": nodes,
            "segments": joined | {name: (array, units[name]) for name, array in graph.segments.items()} | perfused,
        }

    def copy(self) -> Vessels:
        """An independent network with the same content."""
        return Vessels(self.graph.copy())

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything a checkpoint keeps, by name."""
        return self.graph.arrays()

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what `arrays` gave."""
        self.graph.restore(arrays)
