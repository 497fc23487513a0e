"""Whether blood can flow through a network at all, from what is known of its ends."""

from __future__ import annotations

import numpy as np

from ..errors import ModelError, Problem
from .vessel_tables import FLOW, INNER, PRESSURE, UNKNOWN, VesselTables


def parts_of(ends: np.ndarray, nodes: int) -> np.ndarray:
    """(node) number of the connected part that a node belongs to.

    >>> parts_of(np.array([[0, 2]]), 3).tolist()
    [0, 1, 0]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    joined = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), (nodes, nodes))
    return connected_components(joined, directed=False)[1]


def blunt_ends(position: np.ndarray, ends: np.ndarray, inlet: float, outlet: float) -> tuple[np.ndarray, np.ndarray]:
    """(node) boundary and value (mmHg) where nothing is known: pressures at blunt ends that fall with x.

    >>> blunt_ends(np.array([[0.0, 0, 0], [50, 0, 0], [100, 0, 0]]), np.array([[0, 1], [1, 2]]), 25.0, 15.0)
    (array([1, 0, 1], dtype=int8), array([25., nan, 15.]))
    """
    blunt = np.bincount(ends.ravel(), minlength=len(position)) == 1
    x = position[:, 0]
    share = (x - x.min()) / max(float(np.ptp(x)), 1e-300)
    return np.where(blunt, PRESSURE, INNER).astype(np.int8), np.where(blunt, inlet + (outlet - inlet) * share, np.nan)


def check_ends(network: VesselTables, file: str = "nodes.csv") -> None:
    """Raise ModelError where no blood can flow anywhere, or where nothing says how high the pressure is.

    A part that has no ends, or one only, is no reason: it carries nothing.

    >>> from oncarium.model.vessel_tables import VesselTables
    >>> nothing = np.full(2, np.nan)
    >>> network = VesselTables(["a", "b"], np.eye(2, 3), np.array([1, 1]), np.array([20.0, 20.0]), nothing, nothing,
    ...                        ["s"], np.array([[0, 1]]), np.ones(1), np.ones(1), nothing[:1], nothing[:1])
    >>> check_ends(network)
    Traceback (most recent call last):
    oncarium.errors.ModelError: nodes.csv  value
      there is no pressure difference: all 2 pressures are 20 mmHg, so no blood flows. Give inlets more than outlets.
    """
    kind, part = network.boundary, parts_of(network.ends, len(network.nodes))
    flowing = (kind == FLOW) & (network.value != 0.0)
    known = kind == PRESSURE
    if (kind == INNER).all():
        raise ModelError(
            Problem(
                file, "boundary", "no node has a boundary: nothing says where blood enters and leaves.",
                "Expected pressure_mmHg or flow_nl_min at two nodes at least.",
            )
        )  # fmt: skip
    if (kind == UNKNOWN).any():
        if not known.any():
            raise ModelError(_no_pressure(file, "no node has a pressure."))
        return
    lacking = np.setdiff1d(part[flowing], part[known])
    if len(lacking):
        inside = flowing & (part == lacking[0])
        names = ", ".join(network.nodes[k] for k in np.flatnonzero(inside)[:3])
        balance = float(network.value[inside].sum())
        others = " and others" if inside.sum() > 3 else ""
        said = f"flows are given at {names}{others}, and no pressure: it is known only up to a constant"
        amount = float(np.abs(network.value[inside]).sum())
        said += f"; nor do these flows balance, {balance:g} nl/min are left." if abs(balance) > 1e-9 * amount else "."
        raise ModelError(_no_pressure(file, said))
    if flowing.any():
        return
    for p in np.unique(part[known]):
        if len(np.unique(network.value[known & (part == p)])) > 1:
            return
    values = network.value[known]
    if len(values) == 1:
        one = network.nodes[int(np.flatnonzero(known)[0])]
        raise ModelError(
            Problem(
                file, "boundary", f"node {one} is the only end: there is no outlet, so no flow.",
                "Expected pressure_mmHg or flow_nl_min at two nodes at least.",
            )
        )  # fmt: skip
    alike = len(np.unique(values)) == 1
    said = (
        f"all {len(values)} pressures are {values[0]:g} mmHg" if alike else "within every part all pressures are equal"
    )
    raise ModelError(
        Problem(
            file, "value", f"there is no pressure difference: {said}, so no blood flows.",
            remedy="Give inlets more than outlets.",
        )
    )  # fmt: skip


def _no_pressure(file: str, said: str) -> Problem:
    return Problem(file, "boundary", said, "Expected pressure_mmHg at one node of each connected part at least.")
