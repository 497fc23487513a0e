"""A loop over pairs of cells that touch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ..cells import Cells
from ..process import Tick
from ..tissue import Tissue
from .cells import LoopProcess, flat_names
from .source import word


class ContactProcess(LoopProcess):
    """A scalar function of a cell and one neighbor, folded over all neighbors in the order of their ids."""

    driver = "each_contact"
    special = (*LoopProcess.special, "distance", "other_kind", "other_id")

    def __init__(self, function: Callable, options: Mapping[str, Any], parameters: Mapping[str, Any]):
        super().__init__(function, options, parameters)
        if options.get("reduce", "sum") not in ("sum", "max"):
            raise self._say(f"reduce {options['reduce']!r}; expected 'sum' or 'max'")
        # adding is no owning: several processes may add damage to a cell
        self.sets, self.adds = (), self.writes

    def names(self, tissue: Tissue) -> dict[str, tuple[str, int]]:
        """Argument -> (column, index), of the cell itself and, as other_..., of its neighbor."""
        names = flat_names(tissue.cells)
        return names | {f"other_{flat}": found for flat, found in names.items()}

    def _copied(self) -> list[str]:
        """Arrays that are written here and read of neighbors: the neighbor's is the value from before."""
        others = {self.table[a][0] for a in self.table if a.startswith("other_")}
        return [n for n in dict.fromkeys(n for n, _ in self.written) if n in others]

    def _driver_arguments(self) -> list[str]:
        return ["start", "near", "position", "reach", "chosen_other", *(f"other_{word(n)}" for n in self._copied())]

    def _read(self, cells: Cells, argument: str) -> str:
        if argument == "distance":
            return "distance"
        if re.fullmatch(r"u\d*", argument):
            return f"uniform(seed, stream, tick, pair(keys[i], keys[j]), {int(argument[1:] or 0)})"
        if argument in ("other_kind", "other_id"):
            return f"{'kind' if argument == 'other_kind' else 'ids'}[j]"
        if argument.startswith("other_") and argument in self.table:
            before = "other_" if self.table[argument][0] in self._copied() else ""
            return before + self._at(cells, *self.table[argument], "j")
        return super()._read(cells, argument)

    def body(self, cells: Cells) -> list[str]:
        parts = [f"part{k}" for k in range(len(self.written))]
        fold = "{0} += {1}" if self.options.get("reduce", "sum") == "sum" else "{0} = max({0}, {1})"
        targets = [self._at(cells, *t, "i") for t in self.written]
        fresh = [t for t, (name, _) in zip(targets, self.written) if cells.column(name).kind == "signal"]
        return [
            "    for i in range(first, last):",
            f"        if not ({self._guard(cells)}):",
            "            continue",
            *(f"        {t} = 0.0" for t in fresh),
            "        for m in range(start[i], start[i + 1]):",
            "            j = near[m]",
            "            if not chosen_other[kind[j]]:",
            "                continue",
            "            dx = position[i, 0] - position[j, 0]",
            "            dy = position[i, 1] - position[j, 1]",
            "            dz = position[i, 2] - position[j, 2]",
            "            distance, far = sqrt(dx * dx + dy * dy + dz * dz), reach[i] + reach[j]",
            "            if distance < far:",
            f"                {', '.join(parts)} = {self._call(cells)}",
            *(f"                {fold.format(t, part)}" for t, part in zip(targets, parts)),
        ]

    def step(self, tissue: Tissue, tick: Tick) -> None:
        if tissue.look is None or tissue.touch is None:
            raise self._say("cells have no neighbor lists; each_contact needs a process that moves the cells")
        cells, near, reach = tissue.cells, tissue.look(tissue), tissue.touch(tissue)
        before = [cells[n].copy() for n in self._copied()]
        pairs = (near.first, near.list, cells.position, reach, self.chosen_other)
        self._run(tissue, tick, cells.n, cells.id, cells.key, cells.type, *pairs, *before)
