"""Three drivers turn a scalar Python function into a compiled loop: each_cell, each_contact, each_voxel.

Argument names are the contract. They resolve, through the registry of columns only, to

    a column                 dots as underscores: `volume_total`, `cycle_exit` (the row of an axis column)
    one entry of an axis     `secretion_rate_oxygen`; a factor's concentration also as `sense_oxygen`
    u, u1, u2 ...            fresh uniform numbers in [0, 1) of this cell and this tick
    dt, time, kind, id       minutes of this step, minutes since the start, index of the cell's type, the cell's id
    keywords with a unit     `k="0.01 1/min"`: parameters, changed when the process is made

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
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from . import cache_folder
from .cells import Cells
from .column import Column
from .process import Process, Tick
from .tissue import Tissue

PARALLEL_FROM = 20_000  # cells; below it, handing pieces to threads costs more than it saves
_POOL: dict[int, ThreadPoolExecutor] = {}
AMONG = {"live": "vital[i] == 0", "dead": "vital[i] != 0", "all": "True"}


class LoopError(TypeError):
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


def over_rows(loop: Callable, n: int, threads: int, *arguments) -> None:
    """Run loop(first, last, ...) over all rows; rows are independent, so pieces may go to threads."""
    if n < PARALLEL_FROM or threads < 2:
        loop(0, n, *arguments)
        return
    pool = _POOL.setdefault(threads, ThreadPoolExecutor(threads))
    cuts = np.linspace(0, n, threads + 1).astype(int)
    for done in [pool.submit(loop, int(a), int(b), *arguments) for a, b in zip(cuts[:-1], cuts[1:])]:
        done.result()


class LoopProcess(Process):
    """A process made of one scalar function by a driver."""

    driver = "each_cell"

    def __init__(self, function: Callable, options: Mapping[str, Any], parameters: Mapping[str, Any]):
        from ..units import parse_number

        self.function = function
        self.options = dict(options)
        self.slot = options["slot"]
        self.period = float(parameters.get("period", options.get("period", 0.0)))
        signature = inspect.signature(function)
        defaults = {k: p.default for k, p in signature.parameters.items() if p.default is not p.empty}
        unknown = set(parameters) - set(defaults) - {"period"}
        if unknown:
            near = difflib.get_close_matches(sorted(unknown)[0], defaults, n=1)
            raise LoopError(
                f"{function.__name__} has no parameter {', '.join(sorted(unknown))}"
                + (f"; did you mean {near[0]}?" if near else f"; it has: {', '.join(defaults) or 'none'}")
            )
        self.parameters = {k: parse_number(parameters.get(k, v)) for k, v in defaults.items()}
        self.arguments = [k for k in signature.parameters if k not in defaults]
        self.writes = tuple(options.get("writes", ()))
        self.added = {k: c.named(k) for k, c in dict(options.get("adds_state", {})).items()}
        self.sets = tuple(options.get("owns", self.writes))
        self.threads = 1

    @property
    def name(self) -> str:
        return self.options.get("name") or "".join(w.title() for w in self.function.__name__.split("_"))

    def columns(self) -> list[Column]:
        return [*self.added.values(), *self.options.get("columns", ())]

    def resolve(self, cells: Cells) -> dict[str, tuple[str, int]]:
        """Argument -> (column, index); an unknown name is answered with the nearest ones."""
        names = flat_names(cells)
        special = {"dt", "time", "kind", "id", "distance", "factor", "voxel_volume"}
        table = {}
        for argument in self.arguments:
            bare = argument.removeprefix("other_") if self.driver == "each_contact" else argument
            if bare in special or re.fullmatch(r"u\d*", bare):
                continue
            if bare not in names:
                near = difflib.get_close_matches(bare, names, n=3, cutoff=0.5)
                raise LoopError(
                    f"{self.function.__name__}: the argument {argument} is no column of this model."
                    + (f" Did you mean {', '.join(near)}?" if near else "")
                )
            table[argument] = names[bare]
        for w in self.writes:
            if w.replace(".", "_") not in names:
                near = difflib.get_close_matches(w, [*cells.columns], n=3, cutoff=0.5)
                raise LoopError(
                    f"{self.function.__name__}: writes {w}, which is no column."
                    + (f" Did you mean {', '.join(near)}?" if near else "")
                )
        return table

    def prepare(self, tissue: Tissue) -> None:
        cells = tissue.cells
        self.table = self.resolve(cells)
        names = flat_names(cells)
        self.targets = [names[w.replace(".", "_")] for w in self.writes]
        for name, _ in self.targets:
            if name in cells.traits:
                raise LoopError(
                    f"{self.function.__name__} writes {name}, a trait: a constant of its type cannot change"
                )
        self.reads = tuple(dict.fromkeys(n for n, _ in self.table.values()))
        used = dict.fromkeys([*(n for n, _ in self.table.values()), *(n for n, _ in self.targets), "vital"])
        self.arrays = [n for n in used if n in cells.columns or n in cells.traits]
        self.module = compile_file(_word(self.function.__name__), self.text(cells))
        of = self.options.get("of")
        self.chosen = np.ones(len(cells.types), np.bool_)
        if of is not None:
            wanted = {of} if isinstance(of, str) else set(of)
            for t in wanted - set(cells.types):
                near = difflib.get_close_matches(t, cells.types, n=1)
                raise LoopError(
                    f"{self.function.__name__}: no cell type {t}." + (f" Did you mean {near[0]}?" if near else "")
                )
            self.chosen[:] = [t in wanted for t in cells.types]

    def _read(self, cells: Cells, argument: str, row: str) -> str:
        if argument in ("dt", "time", "distance"):
            return argument
        if argument == "kind":
            return f"kind[{row}]"
        if argument == "id":
            return f"ids[{row}]"
        if re.fullmatch(r"u\d*", argument):
            return f"uniform(seed, stream, tick, ids[{row}], {int(argument[1:] or 0)})"
        name, k = self.table[argument]
        array = name.replace(".", "_")
        at = f"kind[{row}]" if name in cells.traits else row
        return f"{array}[{at}, {k}]" if k >= 0 else f"{array}[{at}]"

    def text(self, cells: Cells) -> str:
        """The generated file."""
        scalar, lines = _source(self.function)
        arrays = ", ".join(n.replace(".", "_") for n in self.arrays)
        parameters = ", ".join(self.parameters)
        body = self.body(cells)
        head = [
            "# generated from the scalar function below; edit the function, not this file",
            "from numba import njit",
            "from oncarium.engine.random import uniform",
            *lines,
            "",
        ]
        signature = ", ".join(
            x
            for x in (
                "first, last, seed, stream, tick, dt, time, ids, kind, chosen",
                self.extra_arguments(),
                arrays,
                parameters,
            )
            if x
        )
        return "\n".join(
            [
                *head,
                "@njit(cache=True, nogil=True, error_model='numpy')",
                scalar,
                "",
                "@njit(cache=True, nogil=True, error_model='numpy')",
                f"def loop({signature}):",
                body,
                "",
            ]
        )

    def extra_arguments(self) -> str:
        return ""

    def _call(self, cells: Cells) -> str:
        values = [self._read(cells, a, "i") for a in self.arguments] + list(self.parameters)
        return f"{self.function.__name__}({', '.join(values)})"

    def _target(self, k: int) -> str:
        name, index = self.targets[k]
        array = name.replace(".", "_")
        return f"{array}[i, {index}]" if index >= 0 else f"{array}[i]"

    def body(self, cells: Cells) -> str:
        guard = AMONG[self.options.get("among", "live")]
        left = ", ".join(self._target(k) for k in range(len(self.targets)))
        return "\n".join(
            [
                "    for i in range(first, last):",
                f"        if chosen[kind[i]] and {guard}:",
                f"            {left + ' = ' if left else ''}{self._call(cells)}",
            ]
        )

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells = tissue.cells
        arrays = [cells.base[n] if n in cells.traits else cells[n] for n in self.arrays]
        over_rows(
            self.module.loop,
            cells.n,
            self.threads,
            np.uint64(tick.seed),
            self.stream,
            tick.number,
            tick.dt,
            tick.time,
            cells.id,
            cells.type,
            self.chosen,
            *arrays,
            *self.parameters.values(),
        )

    def describe(self) -> str:
        """The resolved table: argument, column, unit and meaning; then where the generated loop lies."""
        rows = [f"{a:<28}{self.table[a][0]}" for a in self.arguments if a in self.table]
        rows += [f"{k:<28}parameter = {v:g}" for k, v in self.parameters.items()]
        return "\n".join([f"{self.name} ({self.driver}, slot {self.slot})", *rows, f"loop: {self.module.__file__}"])


class _Maker:
    """What a driver leaves in place of the function: call it with parameters to make the process."""

    process = LoopProcess

    def __init__(self, function: Callable, options: Mapping[str, Any]):
        self.function, self.options = function, options
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__

    def __call__(self, **parameters) -> LoopProcess:
        return self.process(self.function, self.options, parameters)


def each_cell(*, slot: str = "act", writes: tuple[str, ...] = (), **options) -> Callable[[Callable], _Maker]:
    """Compile a scalar function into a loop over cells.

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
    return lambda function: _Maker(function, {"slot": slot, "writes": writes, **options})
