"""Content of Python objects: a fingerprint of what a function, a class or an object is, wherever it came from.

Two objects that do the same have the same fingerprint in any process of the same Python version: names of files, line
numbers, comments and addresses in memory do not count; compiled code, defaults, closures, what a function reads from
its module, and all values do. What belongs to Python, to Oncarium or to an installed package is known by its name (and
the package's version).
"""

from __future__ import annotations

import copyreg
import dis
import functools
import hashlib
import sys
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))
BOOKKEEPING = {  # of a class: where it was written, and what Python keeps there for itself
    "__module__", "__dict__", "__weakref__", "__doc__", "__firstlineno__", "__static_attributes__", "__slotnames__",
    "__abstractmethods__", "_abc_impl", "__annotations__", "__annotate_func__", "__annotations_cache__", "__qualname__",
}  # fmt: skip


def content_of(thing: Any) -> str:
    """SHA-256 of what an object is.

    >>> content_of(lambda x, k=2.0: k * x) == content_of(lambda x, k=2.0: k * x)
    True
    >>> content_of(lambda x, k=2.0: k * x) == content_of(lambda x, k=3.0: k * x)
    False
    """
    return _Reader().read(thing)


def is_installed(module: str | None) -> bool:
    """Is a module Python's, Oncarium's or an installed package's, so that a name and a version say what it is?"""
    top = (module or "builtins").partition(".")[0]
    if top in ("builtins", "oncarium") or top in sys.stdlib_module_names:
        return True
    file = getattr(sys.modules.get(top), "__file__", None) if top != "__main__" else None
    return file is not None and not {"site-packages", "dist-packages"}.isdisjoint(Path(file).parts)


def _is_named(thing: Any) -> bool:
    """Can its name stand for it? What a function of a package made, a closure, has only its content."""
    return is_installed(thing.__module__) and "<" not in thing.__qualname__


def globals_of(code: types.CodeType) -> Iterator[str]:
    """Names that a piece of code, and what is defined in it, looks up in its module."""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
            yield step.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from globals_of(constant)


def _is_array(thing: Any) -> bool:
    """An array of numbers; numpy is not imported for the question."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(thing, numpy.ndarray) and not thing.dtype.hasobject


class _Reader:
    """Reads one object, every part once; a part that holds what it is part of says how far up: so circles end."""

    def __init__(self) -> None:
        self.known: dict[
            int, tuple[str, Any]
        ] = {}  # with the object itself: an address must not be used again meanwhile
        self.above: list[int] = []

    def read(self, thing: Any) -> str:
        address = id(thing)
        if address in self.known:
            return self.known[address][0]
        if address in self.above:
            return f"{len(self.above) - self.above.index(address)} above"
        self.above.append(address)
        h = hashlib.sha256()
        for part in self._parts(thing):
            h.update(part.encode() if isinstance(part, str) else part)
            h.update(b"\0")
        self.above.pop()
        self.known[address] = h.hexdigest(), thing
        return h.hexdigest()

    def _parts(self, thing: Any) -> Iterator[str | bytes]:
        if (type(thing).__module__ or "").startswith("numba.") and hasattr(thing, "py_func"):
            thing = thing.py_func
        yield type(thing).__name__
        if isinstance(thing, PLAIN):
            yield repr(thing)
        elif isinstance(thing, types.ModuleType):
            yield from self._module(thing)
        elif isinstance(thing, type | types.FunctionType | types.BuiltinFunctionType) and _is_named(thing):
            yield f"{thing.__module__}.{thing.__qualname__} {self._version(thing.__module__)}"
        elif isinstance(thing, types.FunctionType):
            yield from self._function(thing)
        elif isinstance(thing, types.CodeType):
            yield from self._code(thing)
        elif isinstance(thing, type):
            yield from map(self.read, thing.__bases__)
            own = {
                k: v
                for k, v in vars(thing).items()
                if k not in BOOKKEEPING and not isinstance(v, types.GetSetDescriptorType)
            }
            yield from self._mapping(own)
        elif _is_array(thing):
            yield f"{thing.dtype.str} {thing.shape}"
            yield thing.tobytes()
        elif isinstance(thing, Mapping):
            yield from self._mapping(thing)
        elif isinstance(thing, set | frozenset):
            yield from sorted(map(self.read, thing))
        elif isinstance(thing, list | tuple):
            yield from map(self.read, thing)
        elif isinstance(thing, staticmethod | classmethod | types.MethodType):
            yield self.read(thing.__func__)
            yield self.read(getattr(thing, "__self__", None)) if isinstance(thing, types.MethodType) else ""
        elif isinstance(thing, property):
            yield from map(self.read, (thing.fget, thing.fset, thing.fdel))
        elif isinstance(thing, functools.partial):
            yield from map(self.read, (thing.func, thing.args, thing.keywords))
        else:
            yield from self._object(thing)

    def _module(self, module: types.ModuleType) -> Iterator[str | bytes]:
        yield module.__name__
        file = Path(getattr(module, "__file__", None) or "")
        yield (
            self._version(module.__name__) if is_installed(module.__name__) or not file.is_file() else file.read_bytes()
        )

    def _function(self, function: types.FunctionType) -> Iterator[str | bytes]:
        yield self.read(function.__code__)
        yield self.read(function.__defaults__)
        yield self.read(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            try:
                yield self.read(cell.cell_contents)
            except ValueError:  # not filled in yet
                yield "empty"
        used = sorted(set(globals_of(function.__code__)) & set(function.__globals__))
        yield from self._mapping({name: function.__globals__[name] for name in used})

    def _code(self, code: types.CodeType) -> Iterator[str | bytes]:
        yield code.co_code
        yield f"{code.co_name} {code.co_argcount} {code.co_posonlyargcount} {code.co_kwonlyargcount} {code.co_flags}"
        yield from map(repr, (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars))
        yield from map(self.read, code.co_consts)

    def _mapping(self, mapping: Mapping[Any, Any]) -> Iterator[str]:
        for key in sorted(mapping, key=repr):
            yield repr(key) if isinstance(key, PLAIN) else self.read(key)
            yield self.read(mapping[key])

    def _object(self, thing: Any) -> Iterator[str]:
        """By what pickling it would keep; of what cannot be kept (a lock, an open file) only the type counts."""
        try:
            reduce = copyreg.dispatch_table.get(type(thing))
            reduced = reduce(thing) if reduce else thing.__reduce_ex__(4)
        except TypeError:
            reduced = (type(thing),)
        if isinstance(reduced, str):
            yield reduced
        else:
            yield from (self.read(list(part) if isinstance(part, Iterator) else part) for part in reduced)

    @staticmethod
    def _version(module: str) -> str:
        top = module.partition(".")[0]
        return "" if top == "oncarium" else str(getattr(sys.modules.get(top), "__version__", ""))
