"""Oxygen in the blood: what it carries, what the wall lets through, and the balance along the segments.

    Q d/dx (c_H H S(P) + a P) = -(P - T) / R,     S = P^n / (P50^n + P^n)

Q flow, H discharge haematocrit, P the tension of the blood, T that of the tissue at the segment, R the resistance of
one um between the two. Blood that meets at a node mixes by what it carries. Along a segment the equation is stepped
implicitly (second order, L-stable: Alexander 1977, DOI 10.1137/0714068), so that slow blood ends at the tissue's value.
What a segment loses is exactly what its blood carries less at its end.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ...engine.graph import Graph, Incidence
from .state import INNER

MICROLITRE = 1e6  # um^3 in a nl
STEPS = 2  # implicit steps along a segment
GAMMA = 1.0 - math.sqrt(0.5)  # of the implicit formula


class Blood(NamedTuple):
    """power, p50 (mmHg)   of the Hill curve     capacity   cm^3 of oxygen per cm^3 of red cells, saturated
    solubility   cm^3 of oxygen per cm^3 of plasma and mmHg

    The default is human blood; rodents have 3.0 and 38 mmHg (Secomb et al. 2004, Ann Biomed Eng
    32:1519).
    """

    power: float = 2.55
    p50: float = 26.0
    capacity: float = 0.5
    solubility: float = 3.1e-5


HUMAN, RODENT = Blood(), Blood(3.0, 38.0)
TISSUE = 2.9e-5  # solubility in tissue, cm^3 of oxygen per cm^3 and mmHg: 1.3e-3 mM/mmHg
# resistance of the wall and of the plasma inside: (diameter um, mmHg um s per um^3 of oxygen) (Hellums et al. 1996,
# Ann Biomed Eng 24:1; the table that Secomb et al. 2004 use)
RESISTANCE = (
    (4.0, 2.45), (5.0, 2.0), (6.0, 1.74), (8.0, 1.44), (10.0, 1.27), (12.0, 1.16), (14.0, 1.08), (16.0, 1.02),
    (18.0, 0.974), (20.0, 0.935), (22.0, 0.895), (24.0, 0.853), (28.0, 0.815), (32.0, 0.779), (40.0, 0.75),
    (50.0, 0.73),
)  # fmt: skip


class March(NamedTuple):
    """What one march finds: of every node oxygen (mmHg), of every segment mean oxygen (mmHg), loss (um^3 of oxygen per
    min), slope (um^3/min/mmHg: how much less it loses per mmHg that the tissue has more)."""

    node: np.ndarray
    oxygen: np.ndarray
    loss: np.ndarray
    slope: np.ndarray


def wall_resistance(radius: np.ndarray, table=RESISTANCE) -> np.ndarray:
    """mmHg um min per um^3 of oxygen, of vessels of these radii (um): linear between rows, constant outside.

    >>> wall_resistance(np.array([5.0])) * 60.0
    array([1.27])
    """
    rows = np.asarray(table, float)
    return np.interp(2.0 * np.asarray(radius), rows[:, 0], rows[:, 1]) / 60.0


@njit(cache=True, nogil=True)
def saturation(oxygen, power, p50):
    """Share of the hemoglobin that carries oxygen at a tension, mmHg."""
    if oxygen <= 0.0:
        return 0.0
    return 1.0 / (1.0 + (p50 / oxygen) ** power)


@njit(cache=True, nogil=True)
def content(oxygen, haematocrit, blood):
    """cm^3 of oxygen per cm^3 of blood. blood: a Blood.

    >>> round(content(60.0, 0.4, Blood(3.0, 38.0)), 9)
    0.161344923
    """
    if blood[2] == 0.0:  # dissolved only
        return blood[3] * oxygen
    return haematocrit * blood[2] * saturation(oxygen, blood[0], blood[1]) + blood[3] * oxygen


@njit(cache=True, nogil=True)
def tension(carried, haematocrit, linear, low, high, blood):
    """mmHg at which content + linear x tension is `carried`, between low and high."""
    power, p50 = blood[0], blood[1]
    bound, slope = haematocrit * blood[2], blood[3] + linear
    if bound == 0.0 and slope > 0.0:
        return min(max(carried / slope, low), high)
    a, b = low, high
    p = 0.5 * (a + b)
    for _ in range(60):
        s = saturation(p, power, p50)
        wrong = bound * s + slope * p - carried
        if wrong > 0.0:
            b = p
        else:
            a = p
        rise = slope + (bound * power * s * (1.0 - s) / p if p > 0.0 else 0.0)
        new = p - wrong / rise if rise > 0.0 else 0.5 * (a + b)
        if not a <= new <= b:
            new = 0.5 * (a + b)
        if abs(new - p) <= 1e-13 * (abs(p) + 1e-3):
            return new
        p = new
    return p


@njit(cache=True, nogil=True)
def along(entry, haematocrit, exchange, tissue, blood):
    """mmHg at the end of a segment that blood enters at `entry`. exchange: conductance / flow, cm^3/cm^3/mmHg; tissue:
    mmHg."""
    p, h = entry, exchange / STEPS
    low, high = min(entry, tissue), max(entry, tissue)
    for _ in range(STEPS):
        k = GAMMA * h
        start = content(p, haematocrit, blood)
        middle = tension(start + k * tissue, haematocrit, k, low, high, blood)
        rest = start - (1.0 - GAMMA) * h * (middle - tissue)
        p = tension(rest + k * tissue, haematocrit, k, low, high, blood)
    return p


@njit(cache=True, nogil=True)
def downstream(ends, flow, carries, first, segment, nodes):
    """Rows of the nodes in the order in which blood reaches them; where given flows run in circles, the first node by
    row goes on. carries (segment): whether blood flows; first, segment: the graph's incidence."""
    waiting = np.zeros(nodes, np.int64)
    for s in range(ends.shape[0]):
        if carries[s]:
            waiting[ends[s, 1] if flow[s] > 0.0 else ends[s, 0]] += 1
    order, done = np.empty(nodes, np.int64), np.zeros(nodes, np.bool_)
    count, taken, search = 0, 0, 0
    for v in range(nodes):
        if waiting[v] == 0:
            order[count], done[v] = v, True
            count += 1
    while count < nodes or taken < count:
        if taken == count:
            while done[search]:
                search += 1
            order[count], done[search] = search, True
            count += 1
        v = order[taken]
        taken += 1
        for m in range(first[v], first[v + 1]):
            s = segment[m]
            if carries[s] and (ends[s, 0] if flow[s] > 0.0 else ends[s, 1]) == v:
                to = ends[s, 1] if flow[s] > 0.0 else ends[s, 0]
                waiting[to] -= 1
                if waiting[to] == 0 and not done[to]:
                    order[count], done[to] = to, True
                    count += 1
    return order


@njit(cache=True, nogil=True, error_model="numpy")
def _march(order, ends, flow, carries, haematocrit, first, segment, enters, inlet, conductance, tissue, blood, out):
    node, oxygen, loss, slope, arriving = out
    for s in range(ends.shape[0]):
        if not carries[s]:
            oxygen[s] = tissue[s]
    for v in order:
        plasma = cells = carried = 0.0
        low, high, gone = np.inf, -np.inf, 0.0
        for m in range(first[v], first[v + 1]):
            s = segment[m]
            if not carries[s]:
                continue
            q = abs(flow[s])
            if (ends[s, 1] if flow[s] > 0.0 else ends[s, 0]) == v:
                plasma, cells = plasma + q, cells + q * haematocrit[s]
                carried += q * content(arriving[s], haematocrit[s], blood)
                low, high = min(low, arriving[s]), max(high, arriving[s])
            else:
                gone += q
        fresh = gone - plasma
        if fresh > 1e-9 * gone and (inlet[v] or plasma == 0.0):
            plasma, cells = plasma + fresh, cells + fresh * enters[v, 0]
            carried += fresh * content(enters[v, 1], enters[v, 0], blood)
            low, high = min(low, enters[v, 1]), max(high, enters[v, 1])
        if plasma == 0.0:
            continue
        node[v] = low if low == high else tension(carried / plasma, cells / plasma, 0.0, low, high, blood)
        for m in range(first[v], first[v + 1]):
            s = segment[m]
            if not carries[s] or (ends[s, 0] if flow[s] > 0.0 else ends[s, 1]) != v:
                continue
            q, g, h = abs(flow[s]) * MICROLITRE, conductance[s], haematocrit[s]
            if g == 0.0:
                arriving[s], oxygen[s], loss[s], slope[s] = node[v], node[v], 0.0, 0.0
                continue
            arriving[s] = along(node[v], h, g / q, tissue[s], blood)
            loss[s] = q * (content(node[v], h, blood) - content(arriving[s], h, blood))
            oxygen[s] = tissue[s] + loss[s] / g
            # the secant of the curve from the tissue's value to the entering blood's
            rise = node[v] - tissue[s]
            steep = (
                (content(node[v], h, blood) - content(tissue[s], h, blood)) / rise
                if abs(rise) > 1e-9
                else blood[3] + h * blood[2] * blood[0] * 0.25 / blood[1]
            )
            slope[s] = q * steep * -math.expm1(-g / (q * steep))


class Way(NamedTuple):
    """Which segments meet at which node, and the rows of nodes in the order in which blood reaches them."""

    incidence: Incidence
    order: np.ndarray


def way_of(graph: Graph, carries: np.ndarray) -> Way:
    """How blood goes through a graph with flow; carries (segment): whether it flows there."""
    found = graph.incidence()
    flow = graph.segments["flow"]
    return Way(found, downstream(graph.ends, flow, carries, found.first, found.segment, graph.n_nodes))


def march(
    graph: Graph,
    carries: np.ndarray,
    conductance: np.ndarray,
    tissue: np.ndarray,
    blood: Blood = HUMAN,
    entering: np.ndarray | None = None,
    way: Way | None = None,
) -> March:
    """Oxygen of the blood of a network with flow and haematocrit.

    carries       (segment) whether blood flows there
    conductance   (segment) um^3 of oxygen per min and mmHg between its blood and the tissue
    tissue        (segment) mmHg, weighted mean of the tissue at it
    entering      (node) mmHg of blood that enters there; left out: the nodes' oxygen
    way           way_of(graph, carries), where it is known

    >>> from oncarium.biology.vessels.state import FLOW, Vessels
    >>> graph = Vessels.empty().graph
    >>> _ = graph.add_nodes([[0, 0, 0], [0, 0, 50]], kind=FLOW, oxygen=60.0, haematocrit=0.4)
    >>> _ = graph.add_segments([[0, 1]], length=50.0, flow=0.5, haematocrit=0.4)
    >>> found = march(graph, np.array([True]), np.array([100.0]), np.array([20.0]), Blood(3.0, 38.0))
    >>> found.node.round(2).tolist(), found.loss.round(0).tolist()
    ([60.0, 55.83], [3782.0])
    """
    flow, n = graph.segments["flow"], graph.n_segments
    incidence, order = way_of(graph, carries) if way is None else way
    out = (np.full(graph.n_nodes, np.nan), np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n))
    enters = np.stack([graph.nodes["haematocrit"], graph.nodes["oxygen"] if entering is None else entering], axis=1)
    _march(
        order, graph.ends, flow, carries, graph.segments["haematocrit"], incidence.first, incidence.segment, enters,
        graph.nodes["kind"] != INNER, conductance, tissue, tuple(float(v) for v in blood), out,
    )  # fmt: skip
    return March(*out[:4])
