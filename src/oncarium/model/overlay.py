"""One model file, library entry or cell type laid over another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def overlay(below: Any, above: Any, key: str = "") -> Any:
    """Two trees, the upper one winning; lists are replaced as a whole, those of rules may be edited.

    >>> overlay({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}})
    {'a': {'x': 1, 'y': 3}}
    >>> overlay({"rules": ["one"]}, {"rules": {"add": ["two"]}})
    {'rules': {'add': ['two'], 'all': ['one']}}
    """
    if key == "rules" and isinstance(above, Mapping):
        return {**above, "all": overlay(below, above["all"], key) if "all" in above else below}
    if key != "rules" and isinstance(below, Mapping) and isinstance(above, Mapping):
        return {**below, **{k: overlay(below[k], v, k) if k in below else v for k, v in above.items()}}
    return above


def below_edits(path: str, above: Any) -> str:
    """Where the rule at a path stands when edits of the rules are laid over it.

    >>> below_edits("cells.a.rules.0", {"cells": {"a": {"rules": {"add": ["two"]}}}})
    'cells.a.rules.all.0'
    """
    before, found, place = path.partition("rules.")
    if not found:
        return path
    for part in before.split(".")[:-1]:
        above = above.get(part) if isinstance(above, Mapping) else None
    rules, depth = above.get("rules") if isinstance(above, Mapping) else None, 0
    while isinstance(rules, Mapping):
        rules, depth = rules.get("all"), depth + 1
    return f"{before}rules.{'all.' * depth}{place}"


def over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """A group over the one it builds on; another cycle, or durations for exit rates, replace how the phases end."""
    cycle = above.get("cycle")
    if isinstance(cycle, dict) and isinstance(below.get("cycle"), dict) and {"model", "exit", "duration"} & set(cycle):
        kept = () if "model" in cycle else ("model", "fixed")
        below = {**below, "cycle": {k: v for k, v in below["cycle"].items() if k in kept}}
    return overlay(below, above)
