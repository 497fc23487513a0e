"""The library's shelves: what lies there, and how a model lays its own values over an entry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import FORMER, did_you_mean
from .files import LIBRARY, read
from .overlay import below_edits, over
from .reader import Reader


def on_shelf(shelf: str) -> list[str]:
    """Names of the entries of a shelf (scenarios, factors, cells).

    >>> "oxygen" in on_shelf("factors")
    True
    """
    return sorted(p.stem for p in (LIBRARY / shelf).glob("*.yaml"))


def entry(shelf: str, name: str) -> Path:
    """File of an entry."""
    return LIBRARY / shelf / f"{name}.yaml"


def laid_over(reader: Reader, given: Any, path: str, shelf: str) -> dict[str, Any]:
    """A group laid over the library entry that it names, if it names one."""
    tree = reader.group(given, path)
    wanted = reader.text(tree.get("library"), f"{path}.library")
    if not wanted:
        return tree
    known = on_shelf(shelf)
    if wanted not in known and (now := FORMER.get(wanted)) in known:
        reader.complain(f"{path}.library", f"'{wanted}' is called '{now}' now.", severity="warning")
        wanted = str(now)
    if wanted not in known:
        reader.complain(
            f"{path}.library",
            f"the library has no {shelf} called '{wanted}'.{did_you_mean(str(wanted), known)}",
            f"It has: {', '.join(known)}.",
        )
        return tree
    below = read(entry(shelf, wanted), f"library/{shelf}/{wanted}.yaml")
    merged = over(below.tree, tree)
    for key, place in below.places.items():
        reader.document.places.setdefault(f"{path}.{below_edits(key, tree)}" if key else path, place)
    return merged
