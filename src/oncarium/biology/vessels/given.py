"""A network of vessels that was measured or drawn becomes one that blood can flow through."""

from __future__ import annotations

import numpy as np

from ...model.vessel_tables import FLOW, INNER, PRESSURE, VesselTables
from . import state
from .state import Vessels

HAEMATOCRIT, OXYGEN = 0.45, 95.0  # of blood that enters where the tables do not say (mmHg)


def vessels_of(network: VesselTables, hd: float = HAEMATOCRIT, oxygen: float = OXYGEN) -> Vessels:
    """The graph of a network's tables, rows in their order.

    hd, oxygen   discharge haematocrit and mmHg of blood that enters at ends of which the tables do not say

    >>> from oncarium.model.vessel_tables import VesselTables
    >>> nothing = np.full(2, np.nan)
    >>> network = VesselTables(["a", "b"], np.eye(2, 3), np.array([1, 1]), np.array([20.0, 10.0]), nothing, nothing,
    ...                        ["s"], np.array([[0, 1]]), np.full(1, 8.0), np.full(1, 90.0), nothing[:1], nothing[:1])
    >>> graph = vessels_of(network).graph
    >>> graph.segments["radius"].tolist(), graph.nodes["given"].tolist(), graph.nodes["haematocrit"].tolist()
    ([4.0], [20.0, 10.0], [0.45, 0.45])
    """
    kinds = np.array([state.INNER, state.PRESSURE, state.FLOW, state.INNER])
    assert (INNER, PRESSURE, FLOW) == (0, 1, 2)
    vessels = Vessels.empty()
    vessels.graph.add_nodes(
        network.position,
        kind=kinds[network.boundary],
        given=np.nan_to_num(network.value),
        haematocrit=np.where(np.isnan(network.hd), hd, network.hd),
        oxygen=np.where(np.isnan(network.oxygen), oxygen, network.oxygen),
    )
    vessels.graph.add_segments(
        network.ends,
        length=network.length,
        radius=0.5 * network.diameter,
        flow=np.nan_to_num(network.flow),
        haematocrit=np.where(np.isnan(network.segment_hd), hd, network.segment_hd),
    )
    return vessels
