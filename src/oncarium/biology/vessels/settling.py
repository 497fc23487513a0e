"""A mesh that was drawn becomes one that blood keeps: radii adapt, and what stays without shear goes.

Otherwise the first days of a run would prune a drawn mesh to death.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .adaptation import Law, adapt, stimuli
from .perfusion import Perfusion
from .state import Vessels

LEAST_SHEAR = 0.8  # Pa, below which vessels regress (Owen et al. 2011)
ENOUGH = 0.01  # share of the segments that may be below it
SHARE = 0.2  # of the time constant in one turn
TURNS, ROUNDS = 40, 60
GONE = 0.05  # share of the segments that goes in one round, at most
LEFT = 1.0 / 3.0  # share that stays whatever its shear
REST = 0.02  # median stimulus at which radii are at rest


class Settled(NamedTuple):
    """below: share of the segments below the least shear; removed: how many went; rounds: of adapting and removing."""

    below: float
    removed: int
    rounds: int


def settle(
    vessels: Vessels, flow: Perfusion | None = None, law: Law | None = None, least: float = LEAST_SHEAR
) -> Settled:
    """Let radii adapt and take out what stays below a wall shear (Pa), until fewer than 1 % of the segments are.

    Changes the network, which then carries blood. What has no blood goes first, then what has least shear; a third of
    the segments stay, whatever their shear: pressures too low for a network's length cannot be helped by pruning.

    >>> from oncarium.biology.vessels.seeding import mesh
    >>> vessels = mesh((0, 0, 0), (500, 400, 20), seed=1)
    >>> before = vessels.graph.n_segments
    >>> done = settle(vessels)
    >>> done.below < 0.01, done.removed < before / 2
    (True, True)
    """
    flow, law = flow or Perfusion(), law or Law()
    graph = vessels.graph
    before = graph.n_segments
    below, rounds = 1.0, 0
    while rounds < ROUNDS:
        rounds += 1
        for _ in range(TURNS):
            flow.update(vessels)
            s = graph.segments
            push = stimuli(vessels, law)
            on = s["flow"] != 0.0
            if on.any() and np.median(np.abs(push[on])) < REST:
                break
            s["radius"] = adapt(s["radius"], push, SHARE)
        flow.update(vessels)
        shear, rows = graph.segments["shear"], np.arange(graph.n_segments)
        low = shear < least
        below = float(low.mean()) if len(low) else 0.0
        if below < ENOUGH:
            break
        dry = graph.segments["flow"] == 0.0
        through = np.abs(graph.segments["flow"])
        weak = np.flatnonzero(low & (through < np.median(through)))  # what is wide and slow will be narrower
        weak = weak[np.lexsort((weak, shear[weak]))][: max(1, int(GONE * len(rows)))]
        gone = rows[dry] if dry.any() else weak
        if not len(gone) or len(rows) - len(gone) < LEFT * before:
            break
        graph.remove_segments(gone)
    flow.update(vessels)
    return Settled(below, before - graph.n_segments, rounds)
