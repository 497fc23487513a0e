"""What a scalar function becomes: its own text, the lines it needs, and a file that is compiled."""

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
from collections.abc import Callable, Iterable
from typing import Any

from ...errors import OncariumError
from .. import cache_folder


class LoopError(OncariumError, TypeError):
    """An argument that is no column, or a function that cannot be compiled."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Did you mean ...? or nothing."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f" Did you mean {', '.join(near)}?" if near else ""


def word(label: str) -> str:
    """A label as part of a Python name."""
    return re.sub(r"\W", "_", label)


def source_of(function: Callable) -> tuple[str, list[str]]:
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
                f"{function.__name__}: {name} is neither a module, a number nor a compiled function of an importable "
                "module; pass it as a keyword with a unit"
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
