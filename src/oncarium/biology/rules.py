"""Rules join signals to behaviors: each behavior that has rules restarts from its base at every decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.kernels.response import GROUP, TERM, respond
from ..engine.process import Process, Tick
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from ..engine.why import Why, given


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


def links_of(model: Any) -> list[Link]:
    """All rules of a model as numbers."""
    names, factors = [t.name for t in model.types], [f.name for f in model.factors]

    def place(named: tuple[str, str | None], kind: int) -> tuple[str, int]:
        column, label = named
        if label is None:
            return column, -1
        along: Any = {"factor": factors, "type": names, "phase": model.types[kind].cycle.phases}[
            model.names.columns[column].axis
        ]
        return column, list(along).index(label)

    out = []
    for name, r in model.rules:
        k = names.index(name)
        out.append(Link(k, place(r.behavior, k), place(r.signal, k), r.increases, r.value, r.half, r.hill, r.dead))
    return out


class Rules(Process):
    """Evaluate all rules (engine/kernels/response.py has the equation).

    All rules that increase one behavior of one type share the largest saturation, all that decrease it the smallest.
    Behaviors are evaluated in the order of their first rule, so a later one may read what an earlier one has set. A
    signal below 0 counts as 0; where `signed`, by its power: even powers lose the sign and odd ones keep it, as in
    version 1.14.2 of PhysiCell."""

    slot = "decide"

    @classmethod
    def why(cls, model) -> Why:
        return given(model.rules, f"{len(model.rules)} rules") or given(
            model.modulated,
            f"{', '.join(model.modulated)} restart from their base",
            "no type has rules, and no mechanism modulates a behavior",
        )

    @classmethod
    def of(cls, model, build, **options) -> Rules:
        return cls(
            build.minutes(cls.clock),
            links_of(model),
            tuple(model.modulated),
            signed=model.compat == "1.14.2",
            **options,
        )

    def __init__(
        self,
        period: float,
        links: Sequence[Link],
        resets: Sequence[str] = (),
        multiply: bool = True,
        signed: bool = False,
    ):
        self.period = period
        self.signed = signed
        # whole powers; else by the function of PhysiCell, which rounds otherwise
        self.multiply = multiply
        self.links = list(links)
        self.resets = tuple(resets)  # behaviors that other mechanisms modulate from their base

    def prepare(self, tissue: Tissue) -> None:
        cells = tissue.cells
        groups: dict[tuple[int, tuple[str, int]], list[Link]] = {}
        for link in self.links:
            groups.setdefault((link.type, link.behavior), []).append(link)
        self.rows = list(dict.fromkeys([link.signal for link in self.links] + [link.behavior for link in self.links]))
        self.behaviors = [
            (row, *self.rows[row]) for row in sorted({self.rows.index(behavior) for _, behavior in groups})
        ]
        table: list[tuple] = []
        terms: list[tuple] = []
        for (kind, (column, k)), links in sorted(groups.items(), key=lambda group: group[0][0]):
            base = float(cells.base[column][kind] if k < 0 else cells.base[column][kind, k])
            up = [link for link in links if link.increases]
            down = [link for link in links if not link.increases]
            # one bookkeeping for both directions: a lone rule may saturate on either side of the base
            highest = max([link.saturation for link in up] + ([base] if down or not up else []))
            lowest = min([link.saturation for link in down] + ([base] if up or not down else []))
            first = len(terms)
            terms += [
                (self.rows.index(link.signal), link.half, link.power, self._times(link.power), link.dead_too)
                for link in up + down
            ]
            table.append((self.rows.index((column, k)), base, highest, lowest, first, first + len(up), len(terms),
                          any(link.dead_too for link in links), cells.column(column).whole))  # fmt: skip
        self.groups, self.terms = np.array(table, GROUP), np.array(terms, TERM)
        self.start = np.searchsorted(sorted(kind for kind, _ in groups), np.arange(len(cells.types) + 1))
        self.reads = tuple(dict.fromkeys(link.signal[0] for link in self.links))
        self.sets = tuple(dict.fromkeys(column for _, (column, _) in groups))

    def _times(self, power: float) -> int:
        """How often a factor is multiplied, or 0."""
        return int(power) if self.multiply and power >= 1.0 and power == int(power) else 0

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        kinds, vital = cells.type, cells["vital"]
        live = vital == 0
        for name in self.resets:
            cells[name][live] = cells.base[name][kinds[live]]
        values = np.empty((cells.n, len(self.rows)))
        for row, (name, k) in enumerate(self.rows):
            values[:, row] = cells[name] if k < 0 else cells[name][:, k]
        over_rows(
            respond, cells.n, self.threads, kinds, vital, self.start, self.groups, self.terms, self.signed, values
        )
        for row, name, k in self.behaviors:
            if k < 0:
                cells[name][:] = values[:, row]
            else:
                cells[name][:, k] = values[:, row]
