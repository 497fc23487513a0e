"""Flow of blood through a network, and the red cells that it carries.

Equation    sum of conductance x (p_i - p_j) = inflow at every node; conductance by viscosity, viscosity by diameter and
            haematocrit, haematocrit by flow
Iteration   flow, then cells node by node downstream, then viscosity. A segment takes the step that would have ended its
            last move, were it alone: shorter where its haematocrit swings, longer where it creeps. Flows are rough
            until nothing changes by more than a tolerance, or up to a cap; the last one is exact. What is returned are
            flows, the cells that exactly these flows carry, and the names of the restless.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...engine.graph import incidence_of
from .haematocrit import FULLEST, passed_order, spread_cells
from .plumbing import GOOD, Plumbing
from .viscosity import Rheology, conductances, wall_shear

STILL = 1e-12  # share of the largest flow below which a flow is rounding, and nothing
MOST = 400  # turns of the iteration
ROUGH = 1e-4  # of the tolerance: what may be left of the balance of a node until the last turn
SHORTEST, LONGEST = 0.1, 2.0  # steps of the iteration; 1 goes where the last flow carried the cells


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
    error = max(ROUGH * tolerance, GOOD) if separation else GOOD
    for turn in range(1, most + 1):
        viscosity = rheology.viscosity(diameter, h)
        conductance = conductances(radius, length, viscosity)
        error = GOOD if turn == most else error
        pressure = way.pressures(conductance, pressure, error)
        flow = _flows(way, conductance, pressure, error)
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
            if error <= GOOD:
                break
            error = GOOD
            continue
        creeps = 1.0 - np.divide(move, last, out=np.zeros(len(h)), where=last != 0.0)
        goal = np.where(creeps > 0.0, step / np.maximum(creeps, 1e-3), LONGEST)
        step = np.clip(goal, np.maximum(0.5 * step, SHORTEST), np.minimum(1.5 * step, LONGEST))
        last = move
        h = np.clip(h + step * move, 0.0, np.maximum(np.maximum(h, found), FULLEST))
    restless = (
        np.flatnonzero((np.abs(found - h) > tolerance) & carries) if rheology.constant is None else np.zeros(0, int)
    )
    return BloodFlow(
        pressure, flow, found, viscosity, wall_shear(radius, flow, viscosity), exchange, turn,
        change if rheology.constant is None else 0.0, restless,
    )  # fmt: skip


def _flows(way: Plumbing, conductance: np.ndarray, pressure: np.ndarray, error: float) -> np.ndarray:
    """(segment) nl/min; exactly nothing where nothing can flow, or no more than rounding does, or the error is."""
    flow = np.zeros(len(way.ends))
    on = np.flatnonzero(way.carrying)
    flow[on] = conductance[on] * (pressure[way.ends[on, 0]] - pressure[way.ends[on, 1]])
    least = STILL if error <= GOOD else max(STILL, error)
    flow[np.abs(flow) <= least * np.abs(flow).max(initial=0.0)] = 0.0
    return flow
