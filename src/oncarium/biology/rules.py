"""Rules join signals to behaviors: each behavior that has rules restarts from its base at every decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.cells import Cells
from ..engine.kernels.places import places_of
from ..engine.kernels.response import GROUP, TERM, respond
from ..engine.process import Process, Tick
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from ..engine.why import Why, given
from .variation import column_of

Place = tuple[str, str | int]


@dataclass(frozen=True)
class Link:
    """One rule as numbers.

    type, behavior, signal   index of the cell type; (column, label or index along its axis, or -1) of behavior and
                             signal
    increases                direction; saturation, half, power: value far above half, half-maximum, Hill power
    dead_too                 also acts on dead cells
    pathway                  rules of one pathway add, pathways multiply
    """

    type: int
    behavior: Place
    signal: Place
    increases: bool
    saturation: float
    half: float
    power: float
    dead_too: bool = False
    pathway: str = ""


def links_of(model: Any) -> list[Link]:
    """All rules of a model as numbers."""
    names = [t.name for t in model.types]

    def place(named: tuple[str, str | None], kind: int) -> Place:
        column, label = named
        if label is not None and model.names.columns[column].axis == "phase":
            return column, list(model.types[kind].cycle.phases).index(label)
        return column, -1 if label is None else label

    out = []
    for name, r in model.rules:
        k = names.index(name)
        behavior, signal = place(r.behavior, k), place(r.signal, k)
        out.append(Link(k, behavior, signal, r.increases, r.value, r.half, r.hill, r.dead, r.pathway))
    return out


class Rules(Process):
    """Evaluate all rules (engine/kernels/response.py has the equation).

    All rules that increase one behavior of one type share the largest saturation, all that decrease it the smallest:
    within one pathway, if they name any. Each pathway makes of the base what its rules alone would; the behavior is the
    base times all these changes, within the bounds of its column.
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
        groups: dict[tuple[int, Place], list[Link]] = {}
        for link in self.links:
            groups.setdefault((link.type, link.behavior), []).append(link)
        # what other mechanisms modulate restarts from its base before all rules: groups without terms
        fresh: list[Place] = [(name, label) for name in self.resets for label in cells.labels(name) or (-1,)]
        behaviors = list(dict.fromkeys([*(link.behavior for link in self.links), *fresh]))
        own = {b: (name, -1) for b in behaviors if (name := self._factor(cells, b)) in cells}
        named = [*(link.signal for link in self.links), *behaviors, *own.values()]
        self.rows = list(dict.fromkeys(named))
        self._there: tuple = ()
        self.used = list(dict.fromkeys(name for name, _ in self.rows))
        self.column = np.array([self.used.index(name) for name, _ in self.rows], np.int64)
        at = [k if isinstance(k, int) else cells.labels(name).index(k) for name, k in self.rows]
        self.entry = np.maximum(np.array(at, np.int64), 0)
        table: list[tuple] = []
        kinds: list[int] = []
        terms: list[tuple] = []
        every: list[tuple[tuple[int, Place], list[Link]]]
        every = [((kind, behavior), []) for kind in range(len(cells.types)) for behavior in fresh]
        every += groups.items()
        for (kind, behavior), links in sorted(every, key=lambda group: group[0][0]):
            row, column = self.rows.index(behavior), cells.column(behavior[0])
            base = float(np.atleast_1d(cells.base[behavior[0]][kind])[self.entry[row]])
            pathways = list(dict.fromkeys(link.pathway for link in links)) or [""]
            dead_too = any(link.dead_too for link in links)
            for pathway in pathways:
                up = [link for link in links if link.pathway == pathway and link.increases]
                down = [link for link in links if link.pathway == pathway and not link.increases]
                # one bookkeeping for both directions: a lone rule may saturate on either side of the base
                highest = max([link.saturation for link in up] + ([base] if down or not up else []))
                lowest = min([link.saturation for link in down] + ([base] if up or not down else []))
                first = len(terms)
                terms += [
                    (self.rows.index(link.signal), link.half, link.power, self._times(link.power), link.dead_too)
                    for link in up + down
                ]
                kinds.append(kind)
                last = pathway == pathways[-1]
                factor = self.rows.index(own[behavior]) if last and behavior in own else -1
                bounded = last and (len(pathways) > 1 or factor >= 0)
                least = column.ge if bounded and column.ge is not None else -np.inf
                most = column.le if bounded and column.le is not None else np.inf
                table.append((row, base, highest, lowest, first, first + len(up), len(terms), dead_too,
                              last and column.whole, pathway != pathways[0], least, most, factor))  # fmt: skip
        self.groups, self.terms = np.array(table, GROUP), np.array(terms, TERM)
        self.start = np.searchsorted(kinds, np.arange(len(cells.types) + 1))
        self.reads = tuple(dict.fromkeys(link.signal[0] for link in self.links))
        self.sets = tuple(dict.fromkeys(column for _, (column, _) in groups))

    @staticmethod
    def _factor(cells: Cells, behavior: Place) -> str:
        """Column that holds the cells' own factors of a behavior, where it varies."""
        name, label = behavior
        if isinstance(label, int) and label >= 0:  # a phase, told by its number
            label = cells.labels(name)[label]
        return column_of(name if label == -1 else f"{name}.{label}")

    def _times(self, power: float) -> int:
        """How often a factor is multiplied, or 0."""
        return int(power) if self.multiply and power >= 1.0 and power == int(power) else 0

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        places, copies = self._places(cells)
        given = (cells.type, cells["vital"], self.start, self.groups, self.terms, self.signed, places)
        over_rows(respond, cells.n, self.threads, *given)
        for name in copies.keys() & {*self.sets, *self.resets}:
            cells[name][:] = copies[name]

    def _places(self, cells: Cells) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Where signals and behaviors lie, and copies of what is no column of float64 (traits, whole numbers)."""
        if self._there[:2] != (cells, cells.capacity):  # columns move where they grow
            columns = {name: cells[name] for name in self.used}
            copies = {k: c.astype(float) for k, c in columns.items() if c.dtype != np.float64 or k in cells.traits}
            places = places_of([*(columns | copies).values()], self.column, self.entry)
            self._there = () if copies else (cells, cells.capacity, places)
            return places, copies
        return self._there[2], {}
