"""Three drivers turn a scalar Python function into a compiled loop: each_cell, each_contact, each_voxel.

Argument names are the contract. They resolve, through the registry of columns only, to

    a column                 dots as underscores: `volume_total`, `cycle_exit` (the row of an axis column)
    one entry of an axis     `secretion_rate_oxygen`; a factor's concentration also as `sense_oxygen`
    other_<column>           each_contact: the neighbor's; and `distance` (um) between the centers
    <factor>                 each_voxel: its concentration, and supply_<factor>, what was added to its supply so far; `voxel_volume` (um^3)
    u, u1, u2, u3            fresh uniform numbers in [0, 1) of this cell (pair, voxel) and this tick
    dt, time, kind, id       minutes of this step, minutes since the start, index of the cell's type, the cell's id
    keywords with a unit     `k="0.01 1/min"`: parameters, changed when the process is made

A process made by a driver keeps no tissue's data: one may serve several simulations.

The generated loop is a readable file; its path stands in tracebacks and in `describe()`.
"""

from __future__ import annotations

import ast
import difflib
import hashlib
import importlib.util
import inspect
import os
import re
import sys
import textwrap
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numba.core.errors import NumbaError

from ..errors import OncariumError
from . import cache_folder
from .cells import Cells
from .column import Column
from .fields import Fields
from .process import Process, Tick
from .threads import over_rows
from .tissue import Tissue

AMONG = {"live": "vital[{row}] == 0", "dead": "vital[{row}] != 0", "all": "", "inside": "vital[{row}] < 128"}  # inside: not frozen outside the domain
DRAWS = 4  # uniform numbers per pair of cells
SOURCES = ("supply", "demand", "capacity")
FIXED = ("first", "last", "seed", "stream", "tick", "dt", "time", "ids", "kind", "chosen")  # arguments of every generated loop
RESERVED = {*FIXED, "i", "j", "m", "start", "near", "position", "reach", "distance", "far", "dx", "dy", "dz"}


class LoopError(OncariumError, TypeError):
    """An argument that is no column, or a function that cannot be compiled."""


def flat_names(cells: Cells) -> dict[str, tuple[str, int]]:
    """Every name an argument may have -> (column, index along its axis or -1)."""
    names: dict[str, tuple[str, int]] = {}
    for name in [*cells.traits, *cells.columns]:
        flat = name.replace(".", "_")
        names[flat] = (name, -1)
        for k, label in enumerate(cells.labels(name)):
            names[f"{flat}_{_word(label)}"] = (name, k)
            if name == "sense.factor":
                names[f"sense_{_word(label)}"] = (name, k)
    return names


def _nearest(name: str, known: Iterable[str]) -> str:
    """ Did you mean ...? or nothing."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f" Did you mean {', '.join(near)}?" if near else ""


def _word(label: str) -> str:
    return re.sub(r"\W", "_", label)


def _source(function: Callable) -> tuple[str, list[str]]:
    """A scalar function's own text without decorators, and the lines that define the names it uses."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
    except OSError as error:
        raise LoopError(
            f"{function.__name__}: its source cannot be read ({error}); write it in a file or notebook cell"
        ) from None
    node = next(n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef))
    node.decorator_list = []
    node.name = f"one_{node.name}"  # a function may be called like the column it writes
    node.returns = None
    for a in [*node.args.args, *node.args.kwonlyargs]:
        a.annotation = None
    node.args.defaults, node.args.kw_defaults = [], [None] * len(node.args.kwonlyargs)
    node.args.args += node.args.kwonlyargs
    node.args.kwonlyargs, node.args.kw_defaults = [], []
    used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    known = inspect.getclosurevars(function)
    lines = []
    for name, value in sorted({**known.globals, **known.nonlocals}.items()):
        if name not in used:
            continue
        if isinstance(value, types.ModuleType):
            lines.append(f"import {value.__name__} as {name}")
        elif isinstance(value, int | float | bool):
            lines.append(f"{name} = {value!r}")
        elif hasattr(value, "py_func") and getattr(value, "__module__", "__main__") != "__main__":
            lines.append(f"from {value.__module__} import {value.__name__} as {name}")
        else:
            raise LoopError(
                f"{function.__name__}: {name} is neither a module, a number nor a compiled function of an importable module; "
                "pass it as a keyword with a unit"
            )
    return ast.unparse(node), lines


def compile_file(name: str, text: str) -> Any:
    """Write the generated text into the cache, import it, and return the module."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    folder = cache_folder() / "loops"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}_{digest}.py"
    module_name = f"oncarium_loop_{name}_{digest}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    if not path.exists() or path.read_text() != text:
        part = path.with_suffix(f".{os.getpid()}.part")
        part.write_text(text)
        part.replace(path)
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    spec.loader.exec_module(module)
    return module


class LoopProcess(Process):
    """A process made of one scalar function by a driver: `function`, `parameters`, `describe()`."""

    driver = "each_cell"
    special: tuple[str, ...] = ("dt", "time", "kind", "id")

    def __init__(self, function: Callable, options: Mapping[str, Any], parameters: Mapping[str, Any]):
        from ..units import parse_number

        self.function = function
        self.options = dict(options)
        self.slot = options["slot"]
        self.period = parse_number(parameters.get("period", options.get("period", 0.0)))
        self.order = list(inspect.signature(function).parameters.values())
        defaults = {p.name: p.default for p in self.order if p.default is not p.empty}
        unknown = sorted(set(parameters) - set(defaults) - {"period"})
        if unknown:
            raise LoopError(
                f"{function.__name__} has no parameter {', '.join(unknown)};" + (_nearest(unknown[0], defaults) or " it takes only period")
            )
        self.parameters = {k: parse_number(parameters.get(k, v)) for k, v in defaults.items()}
        self.arguments = [p.name for p in self.order if p.name not in defaults]
        self.writes = tuple(options.get("writes", ()))
        self.added = {k: c.named(k) for k, c in dict(options.get("adds_state", {})).items()}
        # what is read and written is modulated, not owned: a rule may set it before
        read = {w for w in self.writes if w.replace(".", "_") in self.arguments}
        self.sets = tuple(w for w in self.writes if w not in read or w in self.added)
        self.adds = tuple(w for w in self.writes if w not in self.sets)

    @property
    def name(self) -> str:
        return self.options.get("name") or "".join(w.title() for w in self.function.__name__.split("_"))

    def columns(self) -> list[Column]:
        return [*self.added.values(), *self.options.get("columns", ())]

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
                raise self._say(f"writes {w}, which is no column.{_nearest(w, tissue.cells.columns)}")
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
                raise self._say(f"the argument {argument} is no name of this model.{_nearest(argument, names)}")
            table[argument] = names[argument]
        return table

    def prepare(self, tissue: Tissue) -> None:
        cells = tissue.cells
        self.table, self.written = self.resolve(tissue), self.targets(tissue)
        used = [*(n for n, _ in self.table.values()), *(n for n, _ in self.written)]
        self.arrays = list(dict.fromkeys([*used, *self._guards(cells)]))
        self.reads = tuple(dict.fromkeys(n for n, _ in self.table.values()))
        self.chosen, self.chosen_other = (self._chosen(cells, key) for key in ("of", "other"))
        for word in {*map(_word, self.arrays), *self.parameters} & RESERVED:
            raise self._say(f"the name {word} is used by the loop itself; choose another one")
        self.module = compile_file(_word(self.function.__name__), self.text(cells))

    def _chosen(self, cells: Cells, key: str) -> np.ndarray:
        """(type) which types take part; key "of": those that act, "other": those that act on them."""
        wanted = self.options.get(key)
        wanted = set(cells.types) if wanted is None else {wanted} if isinstance(wanted, str) else set(wanted)
        for t in sorted(wanted - set(cells.types)):
            raise self._say(f"no cell type {t}.{_nearest(t, cells.types)}")
        return np.array([t in wanted for t in cells.types], np.bool_)

    def _guards(self, cells: Cells) -> list[str]:
        among = self.options.get("among", "live")
        if among not in AMONG:
            raise self._say(f"among {among!r}; expected one of {', '.join(AMONG)}")
        return ["vital"] if among != "all" and "vital" in cells else []

    def _guard(self, cells: Cells) -> str:
        conditions = ["chosen[kind[i]]"]
        if self._guards(cells):
            conditions.append(AMONG[self.options.get("among", "live")].format(row="i"))
        return " and ".join(conditions)

    def _read(self, cells: Cells, argument: str) -> str:
        """The expression that stands for an argument inside the loop."""
        if argument in ("dt", "time"):
            return argument
        if argument in ("kind", "id"):
            return f"{'kind' if argument == 'kind' else 'ids'}[i]"
        if re.fullmatch(r"u\d*", argument):
            return f"uniform(seed, stream, tick, ids[i], {int(argument[1:] or 0)})"
        return self._at(cells, *self.table[argument], "i")

    def _at(self, cells: Cells, name: str, index: int, row: str) -> str:
        at = f"kind[{row}]" if name in cells.traits else row
        return f"{_word(name)}[{at}, {index}]" if index >= 0 else f"{_word(name)}[{at}]"

    def _call(self, cells: Cells) -> str:
        values = [p.name if p.name in self.parameters else self._read(cells, p.name) for p in self.order]
        return f"one_{self.function.__name__}({', '.join(values)})"

    def text(self, cells: Cells) -> str:
        """The generated file."""
        scalar, lines = _source(self.function)
        signature = [*FIXED, *self._driver_arguments(), *map(_word, self.arrays), *self.parameters]
        jit = "@njit(cache=True, nogil=True, error_model='numpy')"
        return "\n".join(
            [
                "# generated from the scalar function below; edit the function, not this file",
                "from math import sqrt",
                "",
                "from numba import njit",
                "",
                "from oncarium.engine.random import uniform",
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
        self._run(tissue, tick, tissue.cells.n, tissue.cells.id, tissue.cells.type)

    def _run(self, tissue: Tissue, tick: Tick, rows: int, ids: np.ndarray, kind: np.ndarray, *more) -> None:
        try:
            over_rows(
                self.module.loop,
                rows,
                self.threads,
                *(np.uint64(tick.seed), self.stream, tick.number, float(tick.dt), float(tick.time), ids, kind, self.chosen),
                *more,
                *(self.array(tissue, name) for name in self.arrays),
                *self.parameters.values(),
            )
        except NumbaError as error:
            raise self._say(f"cannot be compiled; a loop knows numbers, math and if, for, while.\n{error}") from error

    def describe(self) -> str:
        """The resolved table: argument, column, unit and meaning; then where the generated loop lies."""
        rows = [f"{a:<28}{name}" for a, (name, _) in self.table.items()]
        rows += [f"{k:<28}parameter = {v:g}" for k, v in self.parameters.items()]
        return "\n".join([f"{self.name} ({self.driver}, slot {self.slot})", *rows, f"loop: {self.module.__file__}"])


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
        names = flat_names(tissue.cells)
        return names | {f"other_{flat}": found for flat, found in names.items()}

    def prepare(self, tissue: Tissue) -> None:
        super().prepare(tissue)
        for name in ("radius", "mechanics.adhesion_distance"):
            tissue.cells.column(name)

    def _copied(self) -> list[str]:
        """Arrays that are written here and read of neighbors: the neighbor's is the value from before."""
        others = {self.table[a][0] for a in self.table if a.startswith("other_")}
        return [n for n in dict.fromkeys(n for n, _ in self.written) if n in others]

    def _driver_arguments(self) -> list[str]:
        return ["start", "near", "position", "reach", "chosen_other", *(f"other_{_word(n)}" for n in self._copied())]

    def _read(self, cells: Cells, argument: str) -> str:
        if argument == "distance":
            return "distance"
        if re.fullmatch(r"u\d*", argument):
            if int(argument[1:] or 0) >= DRAWS:
                raise self._say(f"{argument}; a pair of cells has the draws u, u1 ... u{DRAWS - 1}")
            return f"uniform(seed, stream, tick, ids[i], {DRAWS} * (ids[j] + 1) + {int(argument[1:] or 0)})"
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
            "            dx, dy, dz = position[i, 0] - position[j, 0], position[i, 1] - position[j, 1], position[i, 2] - position[j, 2]",
            "            distance, far = sqrt(dx * dx + dy * dy + dz * dz), reach[i] + reach[j]",
            "            if distance < far:",
            f"                {', '.join(parts)} = {self._call(cells)}",
            *(f"                {fold.format(t, part)}" for t, part in zip(targets, parts)),
        ]

    def step(self, tissue: Tissue, tick: Tick) -> None:
        if tissue.look is None:
            raise self._say("cells have no neighbor lists; each_contact needs Mechanics among the processes")
        cells, near = tissue.cells, tissue.look(tissue)
        reach = cells["radius"] * cells["mechanics.adhesion_distance"]
        before = [cells[n].copy() for n in self._copied()]
        self._run(tissue, tick, cells.n, cells.id, cells.type, near.first, near.list, cells.position, reach, self.chosen_other, *before)


class VoxelProcess(LoopProcess):
    """A scalar function of the concentrations in a voxel, whose values are added to what Transport solves with."""

    driver = "each_voxel"
    special = ("dt", "time", "id", "voxel_volume")

    def __init__(self, function: Callable, options: Mapping[str, Any], parameters: Mapping[str, Any]):
        super().__init__(function, options, parameters)
        self.sets, self.adds = (), ()

    def prepare(self, tissue: Tissue) -> None:
        super().prepare(tissue)
        self.adds = tuple(dict.fromkeys(name for name, _ in self.written))

    def names(self, tissue: Tissue) -> dict[str, tuple[str, int]]:
        return {_word(name): ("fields.value", k) for k, name in enumerate(tissue.fields.names)} | self._sources(tissue)

    @staticmethod
    def _sources(tissue: Tissue) -> dict[str, tuple[str, int]]:
        return {f"{source}_{_word(name)}": (f"fields.{source}", k) for source in SOURCES for k, name in enumerate(tissue.fields.names)}

    def targets(self, tissue: Tissue) -> list[tuple[str, int]]:
        names = self._sources(tissue)
        for w in self.writes:
            if w not in names:
                raise self._say(f"writes {w}, which no factor has.{_nearest(w, names)}")
        return [names[w] for w in self.writes]

    def array(self, tissue: Tissue, name: str) -> np.ndarray:
        fields: Fields = tissue.fields
        return getattr(fields, name.removeprefix("fields.")).reshape(len(fields.names), -1)

    def _guards(self, cells: Cells) -> list[str]:
        return []

    def _at(self, cells: Cells, name: str, index: int, row: str) -> str:
        return f"{_word(name)}[{index}, {row}]"

    def _read(self, cells: Cells, argument: str) -> str:
        return "voxel_volume" if argument == "voxel_volume" else super()._read(cells, argument)

    def _driver_arguments(self) -> list[str]:
        return ["voxel_volume"]

    def body(self, cells: Cells) -> list[str]:
        parts = [f"part{k}" for k in range(len(self.written))]
        return [
            "    for i in range(first, last):",
            f"        {', '.join(parts)} = {self._call(cells)}",
            *(f"        {self._at(cells, *t, 'i')} += {part}" for t, part in zip(self.written, parts)),
        ]

    def step(self, tissue: Tissue, tick: Tick) -> None:
        voxels = tissue.fields.value[0].size
        self._run(tissue, tick, voxels, np.arange(voxels), tissue.cells.type, tissue.fields.grid.voxel_volume)


class _Maker:
    """What a driver leaves in place of the function: call it with parameters to make the process."""

    def __init__(self, process: type[LoopProcess], function: Callable, options: Mapping[str, Any]):
        self.process, self.function, self.options = process, function, options
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__

    def __call__(self, **parameters) -> LoopProcess:
        return self.process(self.function, self.options, parameters)


def each_cell(*, slot: str = "act", writes: tuple[str, ...] = (), **options) -> Callable[[Callable], _Maker]:
    """Compile a scalar function into a loop over cells; its return values are the new values of `writes`.

    slot, writes   where it acts, and the columns its return values go to, in order
    of             a type or several: only these cells         among   "live" (default), "dead" or "all"
    adds_state     {"stress": State("1")}: columns of its own   period  min; every tick when left out

    >>> from oncarium.engine.column import State
    >>> @each_cell(writes=("age",), adds_state={"age": State("min")})
    ... def ageing(age, dt):
    ...     return age + dt
    >>> ageing.function(3.0, 0.5)
    3.5
    """
    return lambda function: _Maker(LoopProcess, function, {"slot": slot, "writes": writes, **options})


def each_contact(*, slot: str = "act", writes: tuple[str, ...] = (), reduce: str = "sum", **options) -> Callable[[Callable], _Maker]:
    """Compile "what does this neighbor do to me?" into a loop over all pairs of cells within their adhesion reaches.

    Own columns go by their names, the neighbor's by `other_<name>`; `distance` is in um. What the function returns is added
    to `writes` (reduce="sum"), or raises them to the largest value (reduce="max"), neighbor after neighbor in the order of ids;
    a signal starts from 0 at every firing. Neighbors show what they were before this step.

    other          a type or several: only these neighbors; the rest as for each_cell

    >>> @each_contact(writes=("damage.level",), of="tumor", other="killer")
    ... def burning(distance, dt, strength="0.1 1/min"):
    ...     return strength * dt / (1.0 + distance)
    >>> burning.function(9.0, 0.5, strength=2.0)
    0.1
    """
    return lambda function: _Maker(ContactProcess, function, {"slot": slot, "writes": writes, "reduce": reduce, **options})


def each_voxel(*, writes: tuple[str, ...], slot: str = "transport", **options) -> Callable[[Callable], _Maker]:
    """Compile a reaction between factors into a loop over voxels.

    Arguments are factors' concentrations; what the function returns is added to `writes`: `supply_<factor>`
    (concentration/min), `demand_<factor>` (1/min) or `capacity_<factor>` (concentration/min), which the same tick's
    Transport uses up.

    >>> @each_voxel(writes=("demand_drug", "supply_product"))
    ... def conversion(drug, enzyme, rate="0.1 1/min"):
    ...     return rate * enzyme, rate * enzyme * drug
    >>> conversion.function(2.0, 3.0, rate=0.5)
    (1.5, 3.0)
    """
    return lambda function: _Maker(VoxelProcess, function, {"slot": slot, "writes": writes, **options})
