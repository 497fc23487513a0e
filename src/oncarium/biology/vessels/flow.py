"""Flow of blood through a network, and the red cells that it carries.

Equation    sum of conductance x (p_i - p_j) = inflow at every node; conductance by viscosity, viscosity by diameter and
            haematocrit, haematocrit by flow
Iteration   flow, then cells node by node downstream, then viscosity. A segment whose haematocrit swings takes smaller
            steps. It ends where nothing changes by more than a tolerance, or at a cap, with the names of the restless:
            what is returned are flows, and the cells that exactly these flows carry.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...engine.graph import incidence_of
from .haematocrit import passed_order, spread_cells
from .plumbing import Plumbing
from .viscosity import Rheology, conductances, wall_shear

STILL = 1e-12  # share of the largest flow below which a flow is rounding, and nothing
MOST = 400  # turns of the iteration


@dataclass
class BloodFlow:
    """A solution.

    pressure    (node) mmHg, nan where nothing defines it     flow        (segment) nl/min, along its direction
    haematocrit (segment) discharge                           viscosity   (segment) cP
    shear       (segment) Pa, signed as the flow              exchange    (node) nl/min that enters the network there
    turns       of the iteration                              change      of a haematocrit in the last one, at most
    restless    (row) segments whose haematocrit had not come to rest
    """

    pressure: np.ndarray
    flow: np.ndarray
    haematocrit: np.ndarray
    viscosity: np.ndarray
    shear: np.ndarray
    exchange: np.ndarray
    turns: int
    change: float
    restless: np.ndarray


def balance(ends: np.ndarray, nodes: int, flow: np.ndarray) -> np.ndarray:
    """(node) what leaves a node through its segments, in the unit of `flow`: what enters the network there.

    >>> balance(np.array([[0, 1], [1, 2]]), 3, np.array([5.0, 5.0])).tolist()
    [5.0, 0.0, -5.0]
    """
    return np.bincount(ends[:, 0], flow, nodes) - np.bincount(ends[:, 1], flow, nodes)


def solve_flow(
    way: Plumbing,
    radius: np.ndarray,
    length: np.ndarray,
    haematocrit: np.ndarray,
    entering: np.ndarray,
    rheology: Rheology | None = None,
    fixed: bool = False,
    separation: bool = False,
    tolerance: float = 1e-10,
    most: int = MOST,
    near: np.ndarray | None = None,
) -> BloodFlow:
    """Flow and haematocrit that fit each other.

    radius, length   (segment) um            haematocrit   (segment) where to start; what stays where nothing flows
    entering         (node) discharge haematocrit of blood that enters there
    fixed            the haematocrit is the given one     separation   cells divide by the law; else as the flow does
    tolerance        of the haematocrit      most   turns         near   (node) pressures to start from, mmHg

    >>> way = Plumbing(np.array([[0, 1], [1, 2]]), 3, np.array([1, 0, 1]), np.array([30.0, 0.0, 10.0]))
    >>> two, water = np.ones(2), Rheology(constant=3.0)
    >>> blood = solve_flow(way, 5.0 * two, 100.0 * two, 0.45 * two, np.full(3, 0.4), water)
    >>> blood.flow.round(6).tolist(), blood.haematocrit.tolist(), blood.pressure.round(9).tolist()
    ([65.444474, 65.444474], [0.4, 0.4], [30.0, 20.0, 10.0])
    """
    rheology = rheology or Rheology()
    h, diameter = np.array(haematocrit, float), 2.0 * radius
    step, last = np.ones(len(h)), np.zeros(len(h))
    first, segment, other = incidence_of(way.ends, way.nodes)
    pressure, carries = np.full(way.nodes, np.nan) if near is None else near, way.carrying
    for turn in range(1, most + 1):
        viscosity = rheology.viscosity(diameter, h)
        conductance = conductances(radius, length, viscosity)
        pressure = way.pressures(conductance, pressure)
        flow = _flows(way, conductance, pressure)
        exchange = np.where(way.held | (way.inflow != 0.0), balance(way.ends, way.nodes, flow), 0.0)
        found = h.copy()
        if not fixed:
            known = np.nan_to_num(pressure)
            spread_cells(
                passed_order(known), first, segment, other, np.abs(flow), diameter, known, exchange, entering,
                separation, found,
            )  # fmt: skip
        move = found - h
        change = float(np.abs(move[carries]).max(initial=0.0))
        if change <= tolerance or rheology.constant is not None or turn == most:
            break
        swings = move * last < 0.0
        step = np.where(swings, np.maximum(0.7 * step, 0.1), np.minimum(1.3 * step, 1.0))
        last = move
        h = h + step * move
    restless = (
        np.flatnonzero((np.abs(found - h) > tolerance) & carries) if rheology.constant is None else np.zeros(0, int)
    )
    return BloodFlow(
        pressure, flow, found, viscosity, wall_shear(radius, flow, viscosity), exchange, turn,
        change if rheology.constant is None else 0.0, restless,
    )  # fmt: skip


def _flows(way: Plumbing, conductance: np.ndarray, pressure: np.ndarray) -> np.ndarray:
    """(segment) nl/min; exactly nothing where nothing can flow, or no more than rounding does."""
    flow = np.zeros(len(way.ends))
    on = np.flatnonzero(way.carrying)
    flow[on] = conductance[on] * (pressure[way.ends[on, 0]] - pressure[way.ends[on, 1]])
    flow[np.abs(flow) <= STILL * np.abs(flow).max(initial=0.0)] = 0.0
    return flow
