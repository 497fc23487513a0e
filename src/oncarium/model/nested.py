"""What a model file is as a tree of groups, lists and texts: laid over another one, changed at a path, compared."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import UNPRINTABLE, did_you_mean
from .files import overlay


def over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """A group over the one it builds on; another cycle, or durations for exit rates, replace how the phases end."""
    cycle = above.get("cycle")
    if isinstance(cycle, dict) and isinstance(below.get("cycle"), dict) and {"model", "exit", "duration"} & set(cycle):
        kept = () if "model" in cycle else ("model", "fixed")
        below = {**below, "cycle": {k: v for k, v in below["cycle"].items() if k in kept}}
    return overlay(below, above)


FILES = ("table", "slide", "classes")  # words that name a file which a model reads cells or concentrations from
NAMED = ("types", "columns")  # groups of a slide whose words are the file's


def without_tables(tree: Any) -> Any:
    """The tree without the names of its tables: their content counts, not where they lie."""
    if isinstance(tree, Mapping):
        return {k: v if k in NAMED else without_tables(v) for k, v in tree.items() if k not in FILES}
    return [without_tables(v) for v in tree] if isinstance(tree, list) else tree


def moved(tree: Any, here: Path, there: Path) -> Any:
    """The tree with its tables named from another folder."""
    if isinstance(tree, Mapping):
        return {
            k: os.path.relpath(here / v, there)
            if k in FILES and isinstance(v, str)
            else v
            if k in NAMED
            else moved(v, here, there)
            for k, v in tree.items()
        }
    return [moved(v, here, there) for v in tree] if isinstance(tree, list) else tree


def check_named(tree: dict[str, Any], parts: list[str]) -> None:
    """A value inside a cell type or a factor that the model does not have is a slip, not a new type."""
    known = tree.get(parts[0])
    if parts[0] in ("cells", "factors") and len(parts) > 2 and isinstance(known, dict) and parts[1] not in known:
        raise KeyError(
            f"no {'cell type' if parts[0] == 'cells' else 'factor'} is called '{parts[1]}'."
            f"{did_you_mean(parts[1], known)}".rstrip(".")
        )


def set_at(tree: Any, parts: list[str], value: Any) -> None:
    """Put a value at a path; groups on the way are made. Raises KeyError or IndexError where there is no such place."""
    for depth, part in enumerate(parts[:-1]):
        if isinstance(tree, list):
            tree = tree[_index(tree, part)]
        elif isinstance(tree, dict):
            if tree.get(part) is None:
                tree[part] = {}
            tree = tree[part]
        else:
            raise KeyError(f"'{'.'.join(parts[:depth])}' is a single value, not a group")
    if isinstance(tree, list):
        tree[_index(tree, parts[-1])] = value
    elif isinstance(tree, dict):
        tree[parts[-1]] = value
    else:
        raise KeyError(f"'{'.'.join(parts[:-1])}' is a single value, not a group")


def _index(tree: list, part: str) -> int:
    if not part.isdigit() or int(part) >= len(tree):
        raise IndexError(f"'{part}' is no place in a list of {len(tree)} (the first is 0)")
    return int(part)


def texts(value: Any) -> Any:
    """Numbers become texts, as if they had been read from a file."""
    if isinstance(value, Mapping):
        return {str(k): texts(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [texts(v) for v in value]
    if isinstance(value, str) and UNPRINTABLE.search(value):
        raise ValueError("it holds characters that cannot be printed")
    return value if value is None or isinstance(value, bool) else str(value)


def in_order(tree: Any) -> Any:
    """The tree with the keys of every group sorted."""
    if isinstance(tree, Mapping):
        return {k: in_order(tree[k]) for k in sorted(tree)}
    return [in_order(v) for v in tree] if isinstance(tree, list) else tree


def flatten(tree: Any, path: str = "") -> dict[str, str]:
    """Dotted path -> text of every value.

    >>> flatten({"a": {"b": "1"}, "c": ["x"]})
    {'a.b': '1', 'c.0': 'x'}
    """
    if isinstance(tree, Mapping):
        items: Iterable = tree.items()
    elif isinstance(tree, list):
        items = enumerate(tree)
    else:
        return {path: str(tree)}
    out: dict[str, str] = {}
    for key, value in items:
        out |= flatten(value, f"{path}.{key}" if path else str(key))
    return out
