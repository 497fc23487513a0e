"""Cells run Boolean networks, each by itself: a node goes up or down at a rate that the other nodes decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from ..engine.column import Column, State
from ..engine.loop.source import compile_file
from ..engine.process import Process, Tick
from ..engine.random import uniform
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from ..engine.why import Why, given
from ..errors import NumericsError
from .vital import VITAL

MOST = 1_000_000  # changes of one cell in one step
LOOP = '''# generated from a Boolean network; edit the network, not this file
import math

from numba import njit

from oncarium.engine.random import uniform

JIT = dict(cache=True, nogil=True, error_model="numpy")


@njit(**JIT)
def rates(s, p, held, out):
    """Rate at which each node changes; returns their sum."""
{rates}
    total = 0.0
    for k in range({n}):
        if held[k] or not out[k] > 0.0:
            out[k] = 0.0
        total += out[k]
    return total


@njit(**JIT)
def loop(first, last, seed, stream, tick, time, most, keys, rows, p, held, state, out):
    """Every row runs for `time`: waits, picks the node that changes, changes it. Returns the most changes of a row."""
    largest = 0
    for r in range(first, last):
        s, rate, key = state[r], out[r], keys[rows[r]]
        left, draw = time, 0
        while draw < 2 * most:
            total = rates(s, p, held, rate)
            if not total > 0.0:
                break
            left += math.log(1.0 - uniform(seed, stream, tick, key, draw)) / total
            if left <= 0.0:
                break
            at = uniform(seed, stream, tick, key, draw + 1) * total
            draw += 2
            k = 0
            while k < {n} - 1 and at >= rate[k]:
                at -= rate[k]
                k += 1
            while rate[k] <= 0.0:
                k -= 1
            s[k] = 1 - s[k]
        largest = max(largest, draw // 2)
    return largest
'''


@njit(cache=True, nogil=True)
def draws(seed, stream, tick, keys, rows, draw, out):
    """One uniform number per row."""
    for r in range(rows.shape[0]):
        out[r] = uniform(seed, stream, tick, keys[rows[r]], draw)


@dataclass(frozen=True)
class Net:
    """A network as numbers.

    kinds       (type) which cells run it                    nodes   names of its nodes
    up, down    expressions of the rates (model/logic.py)    p       parameters
    starts      (nodes, states, chances) drawn when a cell first runs it
    held        (node, 0 or 1)
    inputs      (node, column, label or index along its axis, or -1, threshold, above)
    minutes     how long one unit of its time lasts
    """

    kinds: np.ndarray
    nodes: tuple[str, ...]
    up: tuple[str, ...]
    down: tuple[str, ...]
    p: np.ndarray
    starts: tuple[tuple[tuple[int, ...], tuple[tuple[int, ...], ...], tuple[float, ...]], ...]
    held: tuple[tuple[int, int], ...]
    inputs: tuple[tuple[int, str, str | int, float, bool], ...]
    minutes: float


def nets_of(model: Any) -> list[Net]:
    """The networks of a model's cell types; types with the same one share it."""
    types, phases = [t.name for t in model.types], list(model.names.phases)
    nets = []
    for n in {repr(n): n for n in model.networks.values()}.values():
        inputs = []
        for i in n.inputs:
            column, label = i.signal
            if label is not None and model.names.columns[column].axis == "phase":
                label = phases.index(label)
            inputs.append((i.node, column, -1 if label is None else label, i.threshold, i.above))
        kinds = np.array([repr(model.networks.get(t)) == repr(n) for t in types])
        starts = tuple((s.nodes, s.states, s.chances) for s in n.logic.starts)
        p = np.array(list(n.logic.parameters.values()), float)
        nets.append(Net(kinds, n.logic.nodes, n.logic.up, n.logic.down, p, starts, n.held, tuple(inputs), n.minutes))
    return nets


class Networks(Process):
    """Boolean networks in continuous time.

    Equation    node k changes from 0 to 1 at rate up_k(nodes), from 1 to 0 at rate down_k(nodes): a Markov process

    Column         Unit   Kind    Meaning
    network.NODE   1      State   0 or 1, one column for each node; rules read it like any state
    network.runs   1      State   number of the network that the cell runs, 0 before its first step

    Nodes that are inputs follow a signal at every step: 1 above a threshold, or below it. A daughter inherits all
    nodes; a cell that is placed, arrives or changes its type draws the network's start.

    Exact       in distribution for any step (Gillespie's algorithm), with inputs constant during the step.
    Source      Stoll et al. 2012, BMC Syst Biol 6:116 (DOI 10.1186/1752-0509-6-116); in agents: Letort et al. 2019
                (DOI 10.1093/bioinformatics/bty766).
    """

    section = "network"
    slot = "act"
    vital = VITAL
    runs = State(
        "1", dtype=np.int8, ge=0.0, doc="number of the Boolean network that the cell runs, 0 before its first step"
    )

    @classmethod
    def why(cls, model) -> Why:
        return given(model.networks, f"cells.{next(iter(model.networks), '')}.network", "no type has a network")

    @classmethod
    def of(cls, model, build, **options) -> Networks:
        return cls(build.minutes(cls.clock), nets_of(model), **options)

    def __init__(self, period: float, nets: Sequence[Net]):
        self.period = period
        self.nets = list(nets)
        self.nodes = sorted({node for net in self.nets for node in net.nodes})
        self.sets = (*(f"network.{node}" for node in self.nodes), "network.runs")
        self.reads = (*dict.fromkeys(i[1] for net in self.nets for i in net.inputs), "vital")

    def columns(self) -> list[Column]:
        nodes = [
            State("1", ge=0.0, le=1.0, dtype=np.int8, doc=f"node {node} of the cell's network").named(f"network.{node}")
            for node in self.nodes
        ]
        return [*super().columns(), *nodes]

    def prepare(self, tissue: Tissue) -> None:
        self.modules = [compile_file("network", text(net)) for net in self.nets]

    def step(self, tissue: Tissue, tick: Tick) -> None:
        for number, (net, module) in enumerate(zip(self.nets, self.modules), start=1):
            self._run(tissue, tick, number, net, module)

    def _run(self, tissue: Tissue, tick: Tick, number: int, net: Net, module: Any) -> None:
        cells = tissue.cells
        rows = np.flatnonzero(net.kinds[cells.type] & (cells["vital"] == 0))
        state = np.stack([cells[f"network.{node}"][rows] for node in net.nodes], axis=1)
        held = np.zeros(len(net.nodes), np.bool_)
        self._begin(tissue, tick, number, net, rows, state)
        for at, value in net.held:
            held[at], state[:, at] = True, value
        for at, column, k, threshold, above in net.inputs:
            k = cells.labels(column).index(k) if isinstance(k, str) else k
            signal = cells[column][rows] if k < 0 else cells[column][rows, k]
            held[at], state[:, at] = True, (signal > threshold) if above else (signal < threshold)
        draws = (np.uint64(tick.seed), self.stream, tick.number)
        given = (*draws, tick.dt / net.minutes, MOST, cells.key, rows, net.p, held, state, np.zeros(state.shape))
        most = over_rows(module.loop, len(rows), self.threads, *given)
        if max(most, default=0) >= MOST:
            raise NumericsError(
                f"tick {tick.number} ({tick.time:g} min)",
                f"a cell's network changes more than {MOST:,} times within {tick.dt:g} min.",
                remedy="Give the network slower rates, or a longer `time`.",
            )
        for k, name in enumerate(net.nodes):
            cells[f"network.{name}"][rows] = state[:, k]

    def _begin(self, tissue: Tissue, tick: Tick, number: int, net: Net, rows: np.ndarray, state: np.ndarray) -> None:
        """Cells that have not run this network yet draw how it starts."""
        runs = tissue.cells["network.runs"]
        new = np.flatnonzero(runs[rows] != number)
        runs[rows[new]] = number
        u = np.empty(len(new))
        for draw, (nodes, states, chances) in enumerate(net.starts):
            draws(np.uint64(tick.seed), self.stream, tick.number, tissue.cells.key, rows[new], 2 * MOST + 2 + draw, u)
            picked = np.minimum(np.searchsorted(np.cumsum(chances), u, side="right"), len(states) - 1)
            state[new[:, None], list(nodes)] = np.array(states, np.int8)[picked]


def text(net: Net) -> str:
    """The generated file."""
    lines = [f"    out[{k}] = {down} if s[{k}] > 0 else {up}" for k, (up, down) in enumerate(zip(net.up, net.down))]
    return LOOP.replace("{rates}", "\n".join(lines)).replace("{n}", str(len(net.nodes)))
