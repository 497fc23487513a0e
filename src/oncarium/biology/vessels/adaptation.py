"""Vessels adapt their radius to the blood that they carry.

Equation    r' = r S / T,  S = log(tau + tau0) - kp log tau_set(P) + km log(1 + Q0 / (Q H)) + kc J / (J + J0) - ks
            logarithms of base 10, tau and tau_set in dyn/cm^2; Q0 is a constant and what blood has collected on its way
            downstream, per length of vessel; J is conducted upstream along the wall: it collects the metabolic term,
            per length, and decays: J' = log(1 + Q0 / (Q H)) / l0 - J / lc
Rule        where nothing flows, nothing adapts. The flow of cells, Q H, counts as 1e-4 nl/min at least.
Source      Pries, Secomb & Gaehtgens 1998 (DOI 10.1152/ajpheart.1998.275.2.H349); set point by pressure: Pries et al.
            1995 (DOI 10.1161/01.RES.77.5.1017). Without the conducted term a network ends as one shunt (Pries 1998).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from ...engine.graph import Incidence
from ...engine.process import Number, Process, Tick
from ...engine.tissue import Tissue
from .haematocrit import passed_order
from .state import Vessels

DYN = 10.0  # dyn/cm^2 in a Pa
LEAST_CELLS = 1e-4  # nl/min
TIME = 72.0 * 60.0  # min: radii settle within 24 to 144 h
NARROWEST, WIDEST = 2.6, 25.0  # um, radii that adaptation ends at


@dataclass(frozen=True)
class Law:
    """Weights of the stimuli: pressure, metabolic, conducted, shrinking (1).

    reference   dyn/cm^2, keeps the logarithm finite     cells     nl/min, of the metabolic signal everywhere
    convected   nl/min per um, that blood collects       half      conducted signal of half effect
    reach       um, along which it decays                spacing   um of vessel that add one unit to it
    convected and spacing are assumed, such that drawn networks settle at 1 to 6 Pa, venules as wide as arterioles
    """

    pressure: float = 0.68
    metabolic: float = 0.70
    conducted: float = 2.45
    shrinking: float = 1.72
    reference: float = 0.103
    cells: float = 0.0
    convected: float = 0.05
    half: float = 27.9
    reach: float = 1730.0
    spacing: float = 300.0


def shear_set_point(pressure: np.ndarray) -> np.ndarray:
    """Pa of wall shear that vessels of a pressure (mmHg) have; below 10 mmHg as there, 1.4 Pa.

    >>> shear_set_point(np.array([5.0, 25.0])).round(4).tolist()
    [1.4, 2.6034]
    """
    height = np.log10(np.log10(np.maximum(pressure, 10.0)))
    return (100.0 - 86.0 * np.exp(-5000.0 * np.maximum(height, 0.0) ** 5.4)) / DYN


def stimulus(
    shear: np.ndarray, pressure: np.ndarray, need: np.ndarray, signal: np.ndarray | float, law: Law
) -> np.ndarray:
    """(segment) relative growth per time constant.

    shear   Pa, above 0     pressure   mmHg     need   metabolic signal     signal   conducted

    >>> law = Law(pressure=0.5, metabolic=1.7, conducted=0.0, shrinking=1.7, reference=1e-5, cells=40.0)
    >>> stimulus(np.array([2.08678639913]), np.array([25.0]), need(np.array([0.9]), law), 0.0, law).round(9).tolist()
    [1.729422596]
    """
    mechanical = np.log10(DYN * shear + law.reference) - law.pressure * np.log10(DYN * shear_set_point(pressure))
    conducted = law.conducted * signal / (signal + law.half)
    return mechanical + law.metabolic * need + conducted - law.shrinking


def need(cells: np.ndarray, law: Law, collected: np.ndarray | float = 0.0) -> np.ndarray:
    """(segment) metabolic signal of a flow of cells and what blood has collected (nl/min): how far from plenty."""
    return np.log10(1.0 + (law.cells + collected) / np.maximum(cells, LEAST_CELLS))


@njit(cache=True, nogil=True)
def _convect(order, first, segment, other, flow, pressure, length, rate, out):
    """Mean of what blood has collected in every segment: each node hands on what enters, by shares of flow."""
    at = np.zeros(len(order))
    for k in range(len(order)):
        node = order[k]
        leaving = 0.0
        for i in range(first[node], first[node + 1]):
            if flow[segment[i]] > 0.0 and pressure[other[i]] < pressure[node]:
                leaving += flow[segment[i]]
        for i in range(first[node], first[node + 1]):
            s = segment[i]
            if flow[s] > 0.0 and pressure[other[i]] < pressure[node]:
                above = at[node] * flow[s] / leaving
                out[s] = above + 0.5 * rate * length[s]
                at[other[i]] += above + rate * length[s]


@njit(cache=True, nogil=True)
def _conduct(order, first, segment, other, flow, pressure, length, need, reach, spacing, out):
    """Mean signal of every segment, against the blood: each node hands on what its outlets bring, by shares of flow."""
    at = np.zeros(len(order))
    for k in range(len(order) - 1, -1, -1):  # the last nodes that blood passes first
        node = order[k]
        entering = 0.0
        for i in range(first[node], first[node + 1]):
            if flow[segment[i]] > 0.0 and pressure[other[i]] > pressure[node]:
                entering += flow[segment[i]]
        for i in range(first[node], first[node + 1]):
            s = segment[i]
            if flow[s] > 0.0 and pressure[other[i]] > pressure[node]:
                below = at[node] * flow[s] / entering
                level = need[s] * reach / spacing
                keep = math.exp(-length[s] / reach)
                out[s] = level + (below - level) * (1.0 - keep) * reach / length[s]
                at[other[i]] += level + (below - level) * keep


def conducted_signal(
    incidence: Incidence, flow: np.ndarray, pressure: np.ndarray, length: np.ndarray, need: np.ndarray, law: Law
) -> np.ndarray:
    """(segment) what is conducted upstream, mean along the segment; it does not depend on how segments are divided.

    flow (segment) nl/min    pressure (node) mmHg    length (segment) um    need (segment) metabolic signal

    >>> from oncarium.engine.graph import incidence_of
    >>> ends, flow, p, need = np.array([[0, 1], [1, 2]]), np.ones(2), np.array([3.0, 2.0, 1.0]), np.full(2, 2.0)
    >>> signal = conducted_signal(incidence_of(ends, 3), flow, p, np.full(2, 150.0), need, Law())
    >>> bool(signal[0] > signal[1] > 0.0), round(float(signal.mean()), 6)
    (True, 0.944618)
    """
    out = np.zeros(len(flow))
    _conduct(passed_order(pressure), *incidence, np.abs(flow), pressure, length, need, law.reach, law.spacing, out)
    return out


def stimuli(vessels: Vessels, law: Law) -> np.ndarray:
    """(segment) stimulus of a network that blood flows through; 0 where nothing flows."""
    graph = vessels.graph
    s, pressure = graph.segments, graph.nodes["pressure"]
    on = s["flow"] != 0.0
    flow, incidence = np.abs(s["flow"]), graph.incidence()
    collected = np.zeros(len(on))
    _convect(passed_order(pressure), *incidence, flow, pressure, s["length"], law.convected, collected)
    wanted = need(flow * s["haematocrit"], law, collected)
    signal = conducted_signal(incidence, flow, pressure, s["length"], wanted, law)
    out = np.zeros(len(on))
    mean = pressure[graph.ends].mean(axis=1)
    out[on] = stimulus(s["shear"][on], mean[on], wanted[on], signal[on], law)
    return out


def adapt(radius: np.ndarray, stimulus: np.ndarray, share: float) -> np.ndarray:
    """(segment) um after a share of the time constant; within 2.6 and 25 um, unless a vessel starts beyond.

    >>> adapt(np.array([4.0, 24.0, 2.0]), np.array([0.0, 1.0, -1.0]), 0.5).tolist()
    [4.0, 25.0, 2.0]
    """
    goal = radius * np.exp(np.clip(stimulus, -1.0, 1.0) * share)
    return np.clip(goal, np.minimum(radius, NARROWEST), np.maximum(radius, WIDEST))


class Adaptation(Process):
    """Radii follow shear, pressure, the needs of the tissue and what is conducted from downstream.

    Equation, source    see above
    Sets                vessels.radius of what carries blood

    period   min     time   min, constant of the radii     law   weights of the stimuli
    """

    group = "vessels.adaptation"
    numbers = (Number("time", "min", TIME, "assumed 1400..13000", "constant of the radii", ge=1.0),)
    section = "vessels"
    slot = "remodel"
    part = "vessels"
    reads = ("vessels.flow", "vessels.haematocrit", "vessels.pressure", "vessels.shear")
    sets = ("vessels.radius",)

    @classmethod
    def of(cls, model, build, **options) -> Adaptation:
        return cls(model.vessels.period, cls.said(model)["time"], **options)

    def __init__(self, period: float = 60.0, time: float = TIME, law: Law | None = None):
        self.period, self.time, self.law = period, time, law or Law()

    def step(self, tissue: Tissue, tick: Tick) -> None:
        s = tissue.vessels.graph.segments
        s["radius"] = adapt(s["radius"], stimuli(tissue.vessels, self.law), tick.dt / self.time)
