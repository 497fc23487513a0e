"""Rules join signals to behaviors: each behavior that has rules restarts from its base at every decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..engine.kernels.response import respond
from ..engine.process import Process, Tick
from ..engine.threads import over_rows
from ..engine.tissue import Tissue

WHOLE = ("springs.maximum",)  # behaviors that are whole numbers


@dataclass(frozen=True)
class Link:
    """One rule as numbers.

    type, behavior, signal   index of the cell type; (column, index along its axis or -1) of behavior and signal
    increases                direction; saturation, half, power: value far above half, half-maximum, Hill power
    dead_too                 also acts on dead cells
    """

    type: int
    behavior: tuple[str, int]
    signal: tuple[str, int]
    increases: bool
    saturation: float
    half: float
    power: float
    dead_too: bool = False


class Rules(Process):
    """Evaluate all rules (engine/kernels/response.py has the equation).

    All rules that increase one behavior of one type share the largest saturation, all that decrease it the smallest.
    Behaviors are evaluated in the order of their first rule, so a later one may read what an earlier one has set.
    """

    slot = "decide"

    def __init__(self, period: float, links: Sequence[Link], resets: Sequence[str] = ()):
        self.period = period
        self.links = list(links)
        self.resets = tuple(resets)  # behaviors that other mechanisms modulate from their base

    def prepare(self, tissue: Tissue) -> None:
        cells = tissue.cells
        groups: dict[tuple[int, tuple[str, int]], list[Link]] = {}
        for link in self.links:
            groups.setdefault((link.type, link.behavior), []).append(link)
        self.signals = list(dict.fromkeys(link.signal for link in self.links))
        self.groups = []
        for (kind, (column, k)), links in groups.items():
            base = float(cells.base[column][kind] if k < 0 else cells.base[column][kind, k])
            up = [link for link in links if link.increases]
            down = [link for link in links if not link.increases]
            # one bookkeeping for both directions: a lone rule may saturate on either side of the base
            highest = max([link.saturation for link in up] + ([base] if down or not up else []))
            lowest = min([link.saturation for link in down] + ([base] if up or not down else []))
            sides = [
                np.array(x, t)
                for side in (up, down)
                for x, t in (
                    ([self.signals.index(link.signal) for link in side], np.int64),
                    ([link.half for link in side], float),
                    ([link.power for link in side], float),
                    ([link.dead_too for link in side], np.bool_),
                )
            ]
            self.groups.append((kind, column, max(k, 0), sides, base, highest, lowest))
        self.reads = tuple(dict.fromkeys(s for s, _ in self.signals))
        self.sets = tuple(dict.fromkeys(g[1] for g in self.groups))

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        kinds, vital = cells.type, cells["vital"]
        live = vital == 0
        for name in self.resets:
            cells[name][live] = cells.base[name][kinds[live]]
        signals = np.empty((len(self.signals), cells.n))
        for row, (name, k) in enumerate(self.signals):
            signals[row] = cells[name] if k < 0 else cells[name][:, k]
        own = {s: row for row, s in enumerate(self.signals)}
        for kind, column, k, sides, base, highest, lowest in self.groups:
            out = cells[column]
            over_rows(
                respond,
                cells.n,
                self.threads,
                kinds,
                kind,
                vital,
                signals,
                *sides,
                base,
                highest,
                lowest,
                out if out.ndim > 1 else out[:, None],
                k,
            )
            if column in WHOLE:
                np.trunc(out, out=out)
            mine = (column, k if out.ndim > 1 else -1)
            if mine in own:
                signals[own[mine]] = out if out.ndim == 1 else out[:, k]
