"""A loop over cells, and what all loops have in common."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numba.core.errors import NumbaError

from ...units import parse_number
from ..cells import Cells
from ..column import Column
from ..process import Process, Tick
from ..threads import over_rows
from ..tissue import Tissue
from .source import LoopError, compile_file, nearest, source_of, word

EVERYBODY = "all"
# arguments of every generated loop
FIXED = ("first", "last", "seed", "stream", "tick", "dt", "time", "ids", "keys", "kind", "chosen")
RESERVED = {*FIXED, "i", "j", "m", "start", "near", "position", "reach", "distance", "far", "dx", "dy", "dz"}


def flat_names(cells: Cells) -> dict[str, tuple[str, int]]:
    """Every name an argument may have -> (column, index along its axis or -1)."""
    names: dict[str, tuple[str, int]] = {}
    for name in [*cells.traits, *cells.columns]:
        flat = name.replace(".", "_")
        names[flat] = (name, -1)
        short = cells.column(name).short
        for k, label in enumerate(cells.labels(name)):
            names[f"{flat}_{word(label)}"] = (name, k)
            if short:
                names[f"{short}_{word(label)}"] = (name, k)
    return names


class LoopProcess(Process):
    """A process made of one scalar function by a driver: `function`, `parameters`, `describe()`."""

    driver = "each_cell"
    special: tuple[str, ...] = ("dt", "time", "kind", "id")
    source: tuple[str, list[str]] | None = None  # the function's, where it is known already

    def __init__(self, function: Callable, options: Mapping[str, Any], parameters: Mapping[str, Any]):
        self.function = function
        self.options = dict(options)
        self.slot = options["slot"]
        self.period = parse_number(parameters.get("period", options.get("period", 0.0)))
        self.order = list(inspect.signature(function).parameters.values())
        defaults = {p.name: p.default for p in self.order if p.default is not p.empty}
        unknown = sorted(set(parameters) - set(defaults) - {"period"})
        if unknown:
            raise LoopError(
                f"{function.__name__} has no parameter {', '.join(unknown)};"
                + (nearest(unknown[0], defaults) or " it takes only period")
            )
        self.parameters = {k: parse_number(parameters.get(k, v)) for k, v in defaults.items()}
        self.arguments = [p.name for p in self.order if p.name not in defaults]
        self.writes = tuple(options.get("writes", ()))
        # what is read and written is modulated, not owned: a rule may set it before
        read = {w for w in self.writes if w.replace(".", "_") in self.arguments}
        self.sets = tuple(w for w in self.writes if w not in read)
        self.adds = tuple(w for w in self.writes if w in read)

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs: the source goes along, which
        cannot be read there where it came from a notebook."""
        return {
            **{k: v for k, v in vars(self).items() if k != "module"},
            "source": self.source or source_of(self.function),
        }

    @property
    def name(self) -> str:
        """What the plan calls it: the function's name as one word, or `name`."""
        return self.options.get("name") or "".join(w.title() for w in self.function.__name__.split("_"))

    def columns(self) -> list[Column]:
        return list(self.options.get("columns", ()))

    def _say(self, problem: str) -> LoopError:
        return LoopError(f"{self.function.__name__}: {problem}")

    # what names mean; the other drivers differ only here and in their loop

    def names(self, tissue: Tissue) -> dict[str, tuple[str, int]]:
        """Every name an argument may have -> (array, index along its axis or -1)."""
        return flat_names(tissue.cells)

    def targets(self, tissue: Tissue) -> list[tuple[str, int]]:
        """What `writes` stands for, in order."""
        names, found = flat_names(tissue.cells), []
        for w in self.writes:
            if w.replace(".", "_") not in names:
                raise self._say(f"writes {w}, which is no column.{nearest(w, tissue.cells.columns)}")
            found.append(names[w.replace(".", "_")])
            if found[-1][0] in tissue.cells.traits:
                raise self._say(f"writes {w}, a trait: a constant of its type cannot change")
        return found

    def array(self, tissue: Tissue, name: str) -> np.ndarray:
        """The array behind a name of `arrays`."""
        return tissue.cells.base[name] if name in tissue.cells.traits else tissue.cells[name]

    def resolve(self, tissue: Tissue) -> dict[str, tuple[str, int]]:
        """Argument -> (array, index); an unknown name is answered with the nearest ones."""
        names = self.names(tissue)
        table = {}
        for argument in self.arguments:
            if argument in self.special or re.fullmatch(r"u\d*", argument):
                continue
            if argument not in names:
                raise self._say(f"the argument {argument} is no name of this model.{nearest(argument, names)}")
            table[argument] = names[argument]
        return table

    def prepare(self, tissue: Tissue) -> None:
        cells = tissue.cells
        self.table, self.written = self.resolve(tissue), self.targets(tissue)
        used = [*(n for n, _ in self.table.values()), *(n for n, _ in self.written)]
        self.arrays = list(dict.fromkeys([*used, *self._guards(cells)]))
        self.reads = tuple(dict.fromkeys(n for n, _ in self.table.values()))
        self.chosen, self.chosen_other = (self._chosen(cells, key) for key in ("of", "other"))
        for used_up in {*map(word, self.arrays), *self.parameters} & RESERVED:
            raise self._say(f"the name {used_up} is used by the loop itself; choose another one")
        self.module = compile_file(word(self.function.__name__), self.text(cells))

    def _chosen(self, cells: Cells, key: str) -> np.ndarray:
        """(type) which types take part; key "of": those that act, "other": those that act on them."""
        wanted = self.options.get(key)
        wanted = set(cells.types) if wanted is None else {wanted} if isinstance(wanted, str) else set(wanted)
        for t in sorted(wanted - set(cells.types)):
            raise self._say(f"no cell type {t}.{nearest(t, cells.types)}")
        return np.array([t in wanted for t in cells.types], np.bool_)

    def _guards(self, cells: Cells) -> list[str]:
        """Columns that decide who takes part."""
        among = self.options.get("among", "live")
        groups = {group: c.name for c in cells.columns.values() for group in c.groups}
        if groups and among not in groups and among != EVERYBODY:  # cells that die are grouped by how they live
            raise self._say(f"among {among!r}; expected one of {', '.join([*groups, EVERYBODY])}")
        return [groups[among]] if among in groups else []

    def _guard(self, cells: Cells) -> str:
        conditions = ["chosen[kind[i]]"]
        for name in self._guards(cells):
            low, high = cells.column(name).groups[self.options.get("among", "live")]
            conditions.append(f"{word(name)}[i] == {low}" if low == high else f"{low} <= {word(name)}[i] <= {high}")
        return " and ".join(conditions)

    def _read(self, cells: Cells, argument: str) -> str:
        """The expression that stands for an argument inside the loop."""
        if argument in ("dt", "time"):
            return argument
        if argument in ("kind", "id"):
            return f"{'kind' if argument == 'kind' else 'ids'}[i]"
        if re.fullmatch(r"u\d*", argument):
            return f"uniform(seed, stream, tick, keys[i], {int(argument[1:] or 0)})"
        return self._at(cells, *self.table[argument], "i")

    def _at(self, cells: Cells, name: str, index: int, row: str) -> str:
        at = f"kind[{row}]" if name in cells.traits else row
        return f"{word(name)}[{at}, {index}]" if index >= 0 else f"{word(name)}[{at}]"

    def _call(self, cells: Cells) -> str:
        values = [p.name if p.name in self.parameters else self._read(cells, p.name) for p in self.order]
        return f"one_{self.function.__name__}({', '.join(values)})"

    def text(self, cells: Cells) -> str:
        """The generated file."""
        scalar, lines = self.source or source_of(self.function)
        signature = [*FIXED, *self._driver_arguments(), *map(word, self.arrays), *self.parameters]
        jit = "@njit(cache=True, nogil=True, error_model='numpy')"
        return "\n".join(
            [
                "# generated from the scalar function below; edit the function, not this file",
                "from math import sqrt",
                "",
                "from numba import njit",
                "",
                "from oncarium.engine.random import pair, uniform",
                *lines,
                *("", "", jit, scalar, "", "", jit),
                f"def loop({', '.join(signature)}):",
                *self.body(cells),
                "",
            ]
        )

    def _driver_arguments(self) -> list[str]:
        return []

    def body(self, cells: Cells) -> list[str]:
        left = ", ".join(self._at(cells, *t, "i") for t in self.written)
        return [
            "    for i in range(first, last):",
            f"        if {self._guard(cells)}:",
            f"            {left + ' = ' if left else ''}{self._call(cells)}",
        ]

    def step(self, tissue: Tissue, tick: Tick) -> None:
        self._run(tissue, tick, tissue.cells.n, tissue.cells.id, tissue.cells.key, tissue.cells.type)

    def _run(self, tissue: Tissue, tick: Tick, rows: int, *who_and_more: Any) -> None:
        draws = (np.uint64(tick.seed), self.stream, tick.number, float(tick.dt), float(tick.time))
        arrays = (self.array(tissue, name) for name in self.arrays)
        ids, keys, kind, *more = who_and_more
        given = (*draws, ids, keys, kind, self.chosen, *more, *arrays, *self.parameters.values())
        try:
            over_rows(self.module.loop, rows, self.threads, *given)
        except NumbaError as error:
            raise self._say(f"cannot be compiled; a loop knows numbers, math and if, for, while.\n{error}") from error

    def describe(self) -> str:
        """The resolved table: argument, column, unit and meaning; then where the generated loop lies."""
        rows = [f"{a:<28}{name}" for a, (name, _) in self.table.items()]
        rows += [f"{k:<28}parameter = {v:g}" for k, v in self.parameters.items()]
        return "\n".join([f"{self.name} ({self.driver}, slot {self.slot})", *rows, f"loop: {self.module.__file__}"])
