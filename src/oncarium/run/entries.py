"""Which entries of an axis cells need: of 29 factors a cell's uptake may differ from nothing for twelve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..engine.column import Column
from ..engine.loop.cells import LoopProcess
from ..engine.loop.source import word
from ..engine.process import Process
from ..model.model import Model


def only_spoken_of(
    model: Model, processes: Iterable[Process], columns: Iterable[Column], labels: Mapping[str, tuple[str, ...]]
) -> tuple[list[Column], dict[str, tuple[str, ...]]]:
    """The columns, each sparse one with an axis of its own that bears its name, and the labels of those axes.

    An entry is there if a type, a rule, a placement, a draw, a network or a loop speaks of it. All entries stay where
    something may reach for them by number: in PhysiCell's numerics, where cells keep account of what they hold, and
    where a user's mechanism is no loop."""
    processes, columns = list(processes), list(columns)
    whole = model.numerics == "physicell" or model.internalise
    if whole or any(not isinstance(p, LoopProcess) for p in model.processes):
        return columns, {}
    said = _said(model)
    loops = {w.replace(".", "_") for p in processes if isinstance(p, LoopProcess) for w in (*p.arguments, *p.writes)}
    loops |= {w.removeprefix("other_") for w in loops}
    own: dict[str, tuple[str, ...]] = {}
    for c in columns:
        if not c.sparse or c.axis is None:
            continue
        flat, every = c.name.replace(".", "_"), labels[c.axis]
        mine = set().union(*(said.get(name, set()) for name in (c.name, *c.along)))
        mine |= {label for label in every if f"{flat}_{word(label)}" in loops}
        kept = every if None in mine or flat in loops else tuple(label for label in every if label in mine)
        own[c.name] = kept or every[:1]  # an array of no width is none
    return [replace(c, axis=c.name) if c.name in own else c for c in columns], own


def _said(model: Model) -> dict[str, set[str | None]]:
    """Column -> labels that the model speaks of; None: of all of them."""
    out: dict[str, set[str | None]] = {}
    for t in model.types:
        for name, given in t.values.items():
            out.setdefault(name, set()).update(given if isinstance(given, dict) else {None})
        for r in t.rules:
            for column, label in (r.behavior, r.signal):
                out.setdefault(column, set()).add(label)
        for column, label in t.differing:
            out.setdefault(column, set()).add(label)
    for p in model.placements:
        for column, label in p.values:
            out.setdefault(column, set()).add(label)
    for n in model.networks.values():
        for i in n.inputs:
            out.setdefault(i.signal[0], set()).add(i.signal[1])
    return out


def spread(values: np.ndarray, have: Sequence[str], want: Sequence[str], rest: float | np.ndarray) -> np.ndarray:
    """Values (row, have) of some entries as (row, want), with `rest` for those that are not among them.

    >>> spread(np.array([[1.0, 2.0]]), ["b", "c"], ["a", "b", "c"], 0.0).tolist()
    [[0.0, 1.0, 2.0]]
    """
    out = np.empty((len(values), len(want)), values.dtype)
    out[:] = rest
    for k, label in enumerate(have):
        if label in want:
            out[:, list(want).index(label)] = values[:, k]
    return out
