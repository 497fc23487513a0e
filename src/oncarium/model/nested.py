"""What a model file is as a tree of groups, lists and texts: changed at a path, moved, compared."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import UNPRINTABLE, did_you_mean
from .overlay import overlay

FILES = ("table", "slide", "classes")  # words that name a file which a model reads cells or concentrations from
GIVEN = "given"  # a group whose values are all files: a network of vessels
NAMED = ("types", "columns", "only")  # groups of a slide whose words are the file's


def without_tables(tree: Any) -> Any:
    """The tree without the names of its tables: their content counts, not where they lie."""
    if isinstance(tree, Mapping):
        return {k: v if k in NAMED else without_tables(v) for k, v in tree.items() if k not in (*FILES, GIVEN)}
    return [without_tables(v) for v in tree] if isinstance(tree, list) else tree


def moved(tree: Any, here: Path, there: Path) -> Any:
    """The tree with its tables named from another folder."""
    if isinstance(tree, Mapping):
        out: dict[str, Any] = {}
        for k, v in tree.items():
            if k in FILES and isinstance(v, str):
                out[k] = os.path.relpath(here / v, there)
            elif k == GIVEN and isinstance(v, Mapping):
                out[k] = {name: os.path.relpath(here / f, there) if isinstance(f, str) else f for name, f in v.items()}
            else:
                out[k] = v if k in NAMED else moved(v, here, there)
        return out
    return [moved(v, here, there) for v in tree] if isinstance(tree, list) else tree


def check_named(tree: dict[str, Any], parts: list[str]) -> None:
    """A value inside a cell type or a factor that the model does not have is a slip, not a new type."""
    known = tree.get(parts[0])
    if parts[0] in ("cells", "factors") and len(parts) > 2 and isinstance(known, dict) and parts[1] not in known:
        raise KeyError(
            f"no {'cell type' if parts[0] == 'cells' else 'factor'} is called '{parts[1]}'."
            f"{did_you_mean(parts[1], known)} This model has: {', '.join(known)}"
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


LISTS = ("rules", "initial", "entry", "exit", "columns", "distributions", "stop_when", "fixed")


def change(tree: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a path; at "path+" it is added to a list, and at "path-" taken out of one. Raises as set_at, and
    ValueError where it is not there to be taken out.

    >>> tree = {"cells": {"tumor": {"rules": ["one"]}}}
    >>> change(tree, "cells.tumor.rules+", "two")
    >>> change(tree, "cells.tumor.rules-", "oxygen on *")
    >>> tree
    {'cells': {'tumor': {'rules': {'all': ['one', 'two'], 'drop': ['oxygen on *']}}}}
    """
    parts = path.split(".")
    name, sign = parts[-1][:-1], parts[-1][-1:]
    if sign not in ("+", "-") or name not in LISTS:  # names of factors and types may end so, too
        check_named(tree, parts)
        set_at(tree, parts, overlay(value_at(tree, parts), value, parts[-1]) if parts[-1] == "rules" else value)
        return
    parts[-1] = name
    check_named(tree, parts)
    there, items = value_at(tree, parts), value if isinstance(value, list) else [value]
    if name == "rules":
        new = _edited(there, sign, items)
    elif there is not None and not isinstance(there, list):
        raise ValueError(f"'{'.'.join(parts)}' is no list")
    elif sign == "+":
        new = [*(there or []), *items]
    else:
        missing = [item for item in items if item not in (there or [])]
        if missing:
            raise ValueError(f"'{missing[0]}' is not in it.{did_you_mean(str(missing[0]), map(str, there or []))}")
        new = [item for item in there or [] if item not in items]
    set_at(tree, parts, new)


def _edited(rules: Any, sign: str, items: list[Any]) -> Any:
    """Rules (a list, or edits, or nothing) with some added or dropped."""
    if sign == "-":
        return {**({} if rules is None else {"all": rules}), "drop": items}
    if isinstance(rules, Mapping):
        return {**rules, "add": [*(rules.get("add") or []), *items]}
    return {"add": items} if rules is None else [*rules, *items]


def value_at(tree: Any, parts: list[str]) -> Any:
    """What stands at a path; None where nothing does."""
    for part in parts:
        if isinstance(tree, list) and part.isdigit() and int(part) < len(tree):
            tree = tree[int(part)]
        else:
            tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


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


def layer(base: str, changed: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says that includes another one and changes it: rules as edits, other lists whole.

    base   the name of the file that is included     changed   its tree after the changes
    """
    out: dict[str, Any] = {"oncarium": "1", "include": base}
    for path in changes:
        parts = path.split(".")
        if parts[-1] in ("rules+", "rules-"):
            change(out.setdefault("cells", {}).setdefault(parts[1], {}), parts[-1], texts(changes[path]))
            continue
        if parts[-1][:-1] in LISTS:
            parts[-1] = parts[-1].rstrip("+-")
        depth = next((k for k in range(1, len(parts)) if isinstance(value_at(changed, parts[:k]), list)), len(parts))
        set_at(out, parts[:depth], value_at(changed, parts[:depth]))
    return out
