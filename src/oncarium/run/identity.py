"""Identity of a run: all that decides its outcome besides its model, its seed and its end.

sources      SHA-256 of every file of the package, data included          python, numpy, scipy, numba, llvmlite
             versions
mechanisms   name -> content of each mechanism of one's own (oncarium.content), parameters included
processor    name and instruction sets
mathematics  short name of what exp, log, pow, sin and the like give here, the C library's and numpy's (see
             engine/processor.py): they are chosen by processor and system, and a digest that was measured with one
             name holds where the name is the same

No result is meant to depend on processor and mathematics, so another one is told and does not stop a run; but a last
digit may differ.

The model's own digest covers its numbers, rules and the content of its tables.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..content import content_of
from ..engine.processor import mathematics

if TYPE_CHECKING:
    from ..model.model import Model

PACKAGES = ("numpy", "scipy", "numba", "llvmlite")


@functools.cache
def sources() -> str:
    """SHA-256 of the package as it lies on disk."""
    root = Path(__file__).resolve().parents[1]
    h = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        h.update(path.relative_to(root).as_posix().encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return h.hexdigest()


@functools.cache
def versions() -> dict[str, str]:
    """Versions that machine code and sums depend on."""
    return {
        "python": ".".join(platform.python_version_tuple()[:2]),
        **{n: importlib.metadata.version(n) for n in PACKAGES},
    }


@functools.cache
def processor() -> str:
    """Name and instruction sets of the processor that code is compiled for."""
    import llvmlite.binding as llvm
    from numba import config

    # what the environment says, if it does
    name = getattr(config, "CPU_NAME", None) or llvm.get_host_cpu_name()
    features = getattr(config, "CPU_FEATURES", None)
    features = features or " ".join(sorted(f for f, there in llvm.get_host_cpu_features().items() if there))
    return f"{platform.machine()} {name}: {features}"


def identity_of(model: Model) -> dict[str, Any]:
    """What decides the outcome of running this model, besides the model itself."""
    return {
        "sources": sources(),
        **versions(),
        "mechanisms": {p.name: content_of(p) for p in model.processes},
        "processor": processor(),
        "mathematics": mathematics(),
    }


def key_of(model: Model, until: float, seed: int) -> str:
    """Short name of a run by everything that decides its outcome.

    >>> from oncarium.model.model import EXAMPLE, Model
    >>> model = Model.from_text(EXAMPLE)
    >>> key_of(model, 60.0, 1) == key_of(model.with_({"title": "The same"}), 60.0, 1) != key_of(model, 60.0, 2)
    True
    """
    code = {"sources": sources(), **versions(), "mechanisms": sorted((p.name, content_of(p)) for p in model.processes)}
    return hashlib.sha256(repr((model.digest, float(until), int(seed), sorted(code.items()))).encode()).hexdigest()[:20]


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What differs between the codes of two identities, in words; empty where they are the same code.

    >>> differences({"numpy": "1.26.4", "sources": "a"}, {"numpy": "2.4.6", "sources": "b"})
    ['numpy 1.26.4 (now 2.4.6)', "the package's sources"]
    """
    said = [
        f"{n} {before.get(n, 'unknown')} (now {now[n]})"
        for n in ("python", *PACKAGES)
        if n in now and before.get(n) != now[n]
    ]
    if before.get("sources") != now.get("sources"):
        said.append("the package's sources")
    had, have = before.get("mechanisms", {}), now.get("mechanisms", {})
    for name in sorted({*had, *have}):
        if name not in have:
            said.append(f"the mechanism {name} (not given)")
        elif name not in had:
            said.append(f"the mechanism {name} (not in that run)")
        elif had[name] != have[name]:
            said.append(f"what the mechanism {name} does")
    return said
