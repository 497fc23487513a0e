"""How red cells divide where vessels divide.

Equation    logit(share of cells) = A + B logit((share of flow - X0) / (1 - 2 X0)) into branch a of a parent,
            A = -13.29 (Da^2 - Db^2) / (Da^2 + Db^2) (1 - H) / D,  B = 1 + 6.98 (1 - H) / D,  X0 = 0.964 (1 - H) / D;
            a branch with less than X0 of the flow takes no cells
Rule        cells divide as the flow does where the law has no meaning (X0 >= 1/2), where other than one vessel leads
            to two, and at nodes with an exchange of their own; no branch is filled above 0.95: the other takes the rest
Source      Pries & Secomb 2005 (DOI 10.1152/ajpheart.00297.2005), constants as in 2008 (DOI 10.1002/cphy.cp020403)
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

SKEW, STEEPNESS, THRESHOLD = -13.29, 6.98, 0.964  # um
FULLEST = 0.95  # discharge haematocrit of packed blood that still flows (assumed)


@njit(cache=True, nogil=True)
def share_of_cells(flow, a, b, parent, haematocrit):
    """Share of the cells that enters branch a, which takes the share `flow` of the blood.

    a, b, parent   diameters of both branches and of the vessel before, um     haematocrit   discharge, of the parent

    >>> round(share_of_cells(0.3, 8.0, 8.0, 10.0, 0.4), 9), share_of_cells(0.05, 8.0, 8.0, 10.0, 0.4)
    (0.200420413, 0.0)
    """
    plasma = (1.0 - haematocrit) / parent
    least = THRESHOLD * plasma
    if least >= 0.5:
        return flow
    if flow <= least:
        return 0.0
    if flow >= 1.0 - least:
        return 1.0
    skew = SKEW * (a * a - b * b) / (a * a + b * b) * plasma
    x = skew + (1.0 + STEEPNESS * plasma) * math.log((flow - least) / (1.0 - least - flow))
    return 1.0 / (1.0 + math.exp(-x)) if x > -700.0 else 0.0


@njit(cache=True, nogil=True)
def spread_cells(order, first, segment, other, flow, diameter, pressure, exchange, entering, separation, out):
    """Discharge haematocrit of every segment that blood flows through, node by node downstream.

    order      (node) rows, falling pressure     first, segment, other   incidence of the segments by node
    flow       (segment) nl/min, magnitude       diameter   (segment) um     pressure (node) mmHg
    exchange   (node) nl/min that enters the network there (negative: leaves)
    entering   (node) haematocrit of what enters     separation   whether cells divide by the law
    out        (segment) is written where flow > 0; the rest keeps its value
    """
    for k in range(len(order)):
        node = order[k]
        cells = max(exchange[node], 0.0) * entering[node]
        leaving = max(-exchange[node], 0.0)
        inlets = 0
        outlets = 0
        parent = -1
        a = -1
        b = -1
        for i in range(first[node], first[node + 1]):
            s = segment[i]
            if flow[s] == 0.0:
                continue
            if pressure[other[i]] > pressure[node]:
                inlets += 1
                parent = s
                cells += flow[s] * out[s]
            else:
                outlets += 1
                b = a
                a = s
                leaving += flow[s]
        if outlets == 0:
            continue
        mixed = cells / leaving
        if separation and inlets == 1 and outlets == 2 and exchange[node] == 0.0 and mixed > 0.0:
            part = flow[a] / leaving
            share = share_of_cells(part, diameter[a], diameter[b], diameter[parent], mixed)
            share = min(share, part * FULLEST / mixed) if mixed < FULLEST else part
            share = max(share, 1.0 - (1.0 - part) * FULLEST / mixed) if mixed < FULLEST else part
            out[a] = share * cells / flow[a]
            out[b] = (1.0 - share) * cells / flow[b]
        else:
            for i in range(first[node], first[node + 1]):
                s = segment[i]
                if flow[s] != 0.0 and pressure[other[i]] <= pressure[node]:
                    out[s] = mixed


def passed_order(pressure: np.ndarray) -> np.ndarray:
    """(node) rows in the order in which blood passes them: by falling pressure, equal ones by row.

    >>> passed_order(np.array([10.0, 30.0, 20.0])).tolist()
    [1, 2, 0]
    """
    return np.argsort(-pressure, kind="stable")
