"""Flows in a network of which only some ends are known: those nearest to pressures and shear as vessels have them.

Equation    minimize  sum over nodes w (p - p0)^2 + k sum over segments L (tau - sign b tau0)^2
            so that no blood is lost at inner nodes and known flows and pressures hold; w is half the length of the
            segments at a node, tau the signed wall shear (dyn/cm^2), sign the direction of the last solution, b a
            factor against the bias of least squares, mean(tau^2) / mean(|tau|)^2
Iteration   k grows step by step; for each, directions are taken from the last solution until none changes
Source      Fry, Lee, Smith & Secomb 2012 (DOI 10.1111/j.1549-8719.2012.00184.x); shear by pressure: Pries et al. 1995
            (DOI 10.1161/01.RES.77.5.1017)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .adaptation import shear_set_point
from .plumbing import Plumbing
from .state import FLOW, PRESSURE
from .viscosity import CONDUCTANCE, MMHG

PRESSURE_TARGET = 31.0  # mmHg, mean of microvessels (Fry et al. 2012)
HAEMATOCRIT = 0.4  # at which the viscosity is taken: cells that divide by the law would make directions unstable
WEIGHTS = (0.0, *(0.004 * 2.0**k for k in range(11)))  # of shear, up to 4.096 um mmHg^2 / (dyn/cm^2)^2
MOST = 60  # turns for one weight; directions may alternate between two that are equally good
DYN = 10.0 * MMHG  # dyn/cm^2 in a mmHg


class Estimate(NamedTuple):
    """pressure (node) mmHg, nan where nothing defines it; flow (segment) nl/min; settled: no direction changed in the
    last turn."""

    pressure: np.ndarray
    flow: np.ndarray
    settled: bool


def estimate_flow(
    ends: np.ndarray, kind: np.ndarray, given: np.ndarray, unknown: np.ndarray, diameter: np.ndarray,
    length: np.ndarray, viscosity: np.ndarray, *, pressure: float = PRESSURE_TARGET, shear: float | None = None,
    weights: Sequence[float] = WEIGHTS, bias: float | None = None,
) -> Estimate:  # fmt: skip
    """Estimate pressures and flows.

    ends     (segment, 2) rows of nodes       kind, given   (node) PRESSURE or FLOW and its value, mmHg or nl/min
    unknown  (node) ends of which nothing is known           diameter, length   (segment) um     viscosity (segment) cP
    pressure target, mmHg                     shear   target, Pa; None: by the pressure, as vessels have it
    weights  of shear, one after another      bias    the factor b; None: from the shear of the last solution

    >>> ends, um = np.array([[0, 1], [1, 2], [1, 3]]), np.array([100.0, 100.0, 100.0])
    >>> kind, given = np.array([2, 0, 0, 1]), np.array([20.0, 0, 0, 25.0])
    >>> unknown = np.array([False, False, True, False])
    >>> found = estimate_flow(ends, kind, given, unknown, np.array([14.0, 10, 10]), um, np.full(3, 3.0))
    >>> bool(found.flow[0].round(9) == 20.0), bool(abs(found.flow[1:].sum() - 20.0) < 1e-9)
    (True, True)
    """
    from scipy.sparse import block_array, coo_array, diags_array
    from scipy.sparse.linalg import splu

    nodes, count = len(kind), np.arange(len(ends))
    way = Plumbing(ends, nodes, np.where(unknown, PRESSURE, kind), np.where(unknown, np.arange(nodes), given))
    held = kind == PRESSURE
    free = np.flatnonzero(way.solved & ~held)
    conductance = CONDUCTANCE * (0.5 * diameter) ** 4 / (viscosity * length)
    # difference of pressure along each segment, its part of the free nodes and of those that are held
    both = coo_array(
        (np.repeat([1.0, -1.0], len(ends)), (np.tile(count, 2), ends.T.ravel())), (len(ends), nodes)
    ).tocsc()  # fmt: skip
    part, known = both[:, free], both @ np.where(held, given, 0.0)
    balanced = np.flatnonzero(~unknown[free])
    flows = (diags_array(conductance) @ part).tocsc()
    constraint = (both[:, free[balanced]].T @ flows).tocsc()
    wanted = np.where(kind == FLOW, given, 0.0)[free[balanced]]
    wanted = wanted - both[:, free[balanced]].T @ (conductance * known)
    w = np.bincount(ends.ravel(), np.repeat(0.5 * length, 2), nodes)[free]
    stress = 0.5 * (0.5 * diameter) / length * DYN  # dyn/cm^2 per mmHg
    sign, settled = np.ones(len(ends)), True
    p = np.where(held, given, np.where(way.solved, pressure, np.nan))
    for k in weights:
        curve = (diags_array(w) + part.T @ diags_array(k * length * stress**2) @ part).tocsc()
        lu = splu(block_array([[curve, constraint.T], [constraint, None]], format="csc"))
        for _turn in range(MOST):
            tau = stress * (both @ np.nan_to_num(p))
            goal = _targets(ends, p, tau, shear, bias, way.carrying)
            right = w * pressure + part.T @ (k * length * stress * (sign * goal - stress * known))
            p[free] = lu.solve(np.concatenate([right, wanted]))[: len(free)]
            flow = np.where(way.carrying, conductance * (both @ np.nan_to_num(p)), 0.0)
            new = np.where(flow < 0.0, -1.0, 1.0)
            settled = bool((new == sign).all())
            sign = new
            if settled or k == 0.0:
                break
    return Estimate(p, flow, settled)


def _targets(
    ends: np.ndarray, p: np.ndarray, tau: np.ndarray, shear: float | None, bias: float | None, on: np.ndarray
) -> np.ndarray:
    """(segment) dyn/cm^2, of the last solution's pressures and shear."""
    goal = 10.0 * (shear_set_point(np.nan_to_num(p[ends].mean(axis=1))) if shear is None else np.full(len(ends), shear))
    if bias is None:
        size = np.abs(tau[on])
        mean = float(size.mean()) if len(size) else 0.0
        bias = float((size**2).mean()) / mean**2 if mean > 0.0 else 1.0
    return bias * goal
