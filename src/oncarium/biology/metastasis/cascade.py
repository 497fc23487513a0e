"""What becomes of tumor cells that have left: they circulate, arrest, seed distant sites, rest and grow there."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...engine.process import Number, Process, Tick
from ...engine.random import uniform
from ...engine.tissue import Tissue
from ...model.metastasis import BLOOD, Site
from .state import DAY


def circulated(blood: np.ndarray, arrest: float, lost: float, broken: float, dt: float) -> tuple[np.ndarray, ...]:
    """Blood after dt min, and how many single cells and clusters arrested meanwhile; exact.

    blood   (3) single cells, clusters, cells in those clusters     arrest   1/min of single cells
    lost    1/min of clusters, of which the share `broken` breaks up into single cells and the rest arrests

    >>> after, arrested = circulated(np.array([0.0, 10.0, 30.0]), 0.01, 0.02, 0.5, 1e6)
    >>> after.round(9).tolist(), arrested.round(9).tolist()
    ([0.0, 0.0, 0.0], [15.0, 5.0])
    """
    single, clusters, within = blood
    alone, together = math.exp(-arrest * dt), math.exp(-lost * dt)
    gain = broken * lost * within
    if abs(arrest - lost) * dt < 1e-9:
        fed = gain * dt * together
    else:
        fed = gain * (together - alone) / (arrest - lost)
    after = np.array([single * alone + fed, clusters * together, within * together])
    freed = broken * within * (1.0 - together)
    return after, np.array([single + freed - after[0], (1.0 - broken) * clusters * (1.0 - together)])


def grown(size: np.ndarray, rate: np.ndarray, slowing: float, capacity: float, dt: float) -> np.ndarray:
    """Sizes after dt min of n' = n min(rate, slowing ln(capacity / n)): exponential, then Gompertz; exact.

    >>> grown(np.array([1.0, 1e9]), np.array([math.log(2.0)] * 2), 0.05, 1e9, 3.0).round(6).tolist()
    [8.0, 1000000000.0]
    """
    if slowing <= 0.0:
        return size * np.exp(rate * dt)
    turn = capacity * np.exp(-rate / slowing)  # size at which both laws agree
    first = np.clip(np.log(np.maximum(turn / size, 1.0)) / np.maximum(rate, 1e-300), 0.0, dt)
    size = size * np.exp(rate * first)
    slowed = capacity * np.exp(np.log(size / capacity) * np.exp(-slowing * (dt - first)))
    return np.where(first >= dt, size, slowed)


def poisson(u: float, mean: float) -> int:
    """The Poisson number of this mean whose distribution function first reaches u.

    >>> poisson(0.5, 0.0), poisson(0.5, 3.0), poisson(0.999, 3.0)
    (0, 3, 10)
    """
    from scipy.special import pdtr, pdtrik

    if mean <= 0.0 or u <= math.exp(-mean):
        return 0
    k = math.ceil(pdtrik(u, mean))
    return k - 1 if k > 0 and pdtr(k - 1, mean) >= u else k


def binomial(u: float, count: int, share: float) -> int:
    """The binomial number whose distribution function first reaches u.

    >>> binomial(0.5, 10, 0.5), binomial(0.99, 10, 0.0), binomial(0.01, 10, 1.0)
    (5, 0, 10)
    """
    from scipy.special import bdtr, bdtrik

    if count == 0 or share <= 0.0 or u <= (1.0 - share) ** count:
        return 0
    if share >= 1.0:
        return count
    k = min(math.ceil(bdtrik(u, count, share)), count)
    return k - 1 if k > 0 and bdtr(k - 1, count, share) >= u else k


class Metastasis(Process):
    """Circulation, seeding and growth at distant sites.

    Equation    S' = - a S + x l K,   C' = - l C,   K' = - l K      in blood: single cells, clusters, cells in clusters
                L' = - L / delay                                    on the way to the lymph node
                micrometastases: a Poisson number of mean  share e (a S + A (1 - x) l C)  per time, e the efficiency,
                of sites that lymph leads to  share e_l L / delay;   each wakes at `wake`
                n' = n min(g, b ln(capacity / n))      cells of a metastasis that grows, from one

    All in exact steps. What leaves the tissue counts as often as the lesion has such pieces. A micrometastasis is a
    whole number until it grows; those that began in the same step grow alike.

    sites       share of what arrests there (by blood) or of what lymph brings; doubling (min), or the usual one
    represents  pieces like the tissue that the lesion has

    Sets        metastasis.
    Source      half-life of circulating cells: Meng et al. 2004, Clin Cancer Res 10:8152; clusters: Aceto et al. 2014,
                Cell 158:1110; efficiency: Fidler 1970, J Natl Cancer Inst 45:773. Growth assumed, as of transplanted
                tumors of the mouse.
    """

    group = "metastasis.cascade"
    numbers = (
        Number("half_life", "min", 90.0, "@Meng2004 R 30..270", "of single cells in the blood", ge=0.1),
        Number("cluster_half_life", "min", 30.0, "assumed 10..90", "of clusters in the blood: a third of it", ge=0.1),
        Number(
            "broken", "1", 0.5, "assumed 0.17..1", "share of clusters that break up before they arrest", ge=0.0, le=1.0
        ),
        Number(
            "efficiency",
            "1",
            1e-4,
            "@doi:10.1093/jnci/45.4.773 R 3.3e-05..0.0003",
            "metastases per arrested cell",
            ge=0.0,
            le=1.0,
        ),
        Number(
            "advantage",
            "1",
            35.0,
            "@doi:10.1016/j.cell.2014.07.013 M 23..50",
            "of a cluster over a cell: 23 to 50",
            ge=0.0,
        ),
        Number("delay", "min", 1080.0, "assumed 360..3200", "on the way to the lymph node", ge=0.1),
        Number(
            "node_efficiency",
            "1",
            1e-4,
            "assumed 3.3e-05..0.0003",
            "metastases per cell that lymph brings",
            ge=0.0,
            le=1.0,
        ),
        Number(
            "wake", "1/min", 0.1 / DAY, "assumed 2.3e-05..0.00021", "at which a micrometastasis begins to grow", ge=0.0
        ),
        Number("doubling", "min", 3.0 * DAY, "assumed 1400..13000", "of a small metastasis", ge=1.0),
        Number("slowing", "1/min", 0.02 / DAY, "assumed 4.6e-06..4.2e-05", "rate b of the Gompertz law", ge=0.0),
        Number("capacity", "1", 1e9, "assumed 330000000..3000000000", "cells of a metastasis at most", ge=1.0),
    )
    section = "metastasis"
    slot = "body"
    part = "metastasis"
    reads = ("metastasis",)
    sets = ("metastasis",)

    @classmethod
    def of(cls, model, build, **options) -> Metastasis:
        sites, represents = model.metastasis.sites, model.patient.represents
        return cls(build.minutes(cls.clock), sites, represents, **cls.said(model), **options)

    def __init__(self, period: float, sites: Sequence[Site] = (), represents: float = 1.0, **numbers: float):
        self.period = period
        self.sites, self.represents = tuple(sites), represents
        said = {n.name: n.default for n in self.numbers} | numbers
        self.arrest, self.lost = (math.log(2.0) / said[k] for k in ("half_life", "cluster_half_life"))
        self.broken, self.advantage, self.delay = (said[k] for k in ("broken", "advantage", "delay"))
        self.wake, self.slowing, self.capacity = (said[k] for k in ("wake", "slowing", "capacity"))
        self.efficiency = np.array([said["efficiency" if s.by == BLOOD else "node_efficiency"] for s in self.sites])
        self.share = np.array([s.share for s in self.sites])
        self.by_blood = np.array([s.by == BLOOD for s in self.sites], np.bool_)
        self.rate = math.log(2.0) / np.array([s.doubling or said["doubling"] for s in self.sites])

    def step(self, tissue: Tissue, tick: Tick) -> None:
        spread, dt = tissue.metastasis, tick.dt
        came = spread.waiting * self.represents
        spread.waiting = np.zeros(4)
        spread.blood, arrested = circulated(spread.blood + came[:3], self.arrest, self.lost, self.broken, dt)
        there = spread.lymph + came[3]
        spread.lymph = there * math.exp(-dt / self.delay)
        brought = float((there - spread.lymph)[0])
        self._grow(tissue, tick)
        held = np.where(self.by_blood, arrested[0] + self.advantage * arrested[1], brought)
        for k, mean in enumerate(self.share * self.efficiency * held):
            u = uniform(np.uint64(tick.seed), self.stream, tick.number, k, 0)
            spread.dormant[k] += poisson(u, float(mean))

    def _grow(self, tissue: Tissue, tick: Tick) -> None:
        """Metastases grow, and micrometastases begin to."""
        spread = tissue.metastasis
        spread.size = grown(spread.size, self.rate[spread.place], self.slowing, self.capacity, tick.dt)
        woken = np.zeros(len(self.sites), np.int64)
        for k, count in enumerate(spread.dormant.tolist()):
            u = uniform(np.uint64(tick.seed), self.stream, tick.number, k, 1)
            woken[k] = binomial(u, count, -math.expm1(-self.wake * tick.dt))
        new = np.flatnonzero(woken)
        spread.dormant -= woken
        spread.place = np.concatenate([spread.place, new])
        spread.number = np.concatenate([spread.number, woken[new]])
        spread.size = np.concatenate([spread.size, np.ones(len(new))])
