"""What a file of a slide holds, and what is said when it cannot be opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ...errors import InputError, ModelError, Problem

if TYPE_CHECKING:
    import pandas


@dataclass
class Opened:
    """What a file holds.

    frame     a row per cell                    first   line of its first row in the file; 0: it has no lines
    pixel     um per unit of the positions, where the file says it      down   whether y counts down; None: not said
    columns   role -> column that the format itself knows
    ours      it was written by Oncarium        notes   what is worth saying
    kind      what it is, in words
    """

    frame: pandas.DataFrame
    kind: str
    first: int = 0
    pixel: float | None = None
    down: bool | None = None
    columns: dict[str, str] = field(default_factory=dict)
    ours: bool = False
    notes: list[str] = field(default_factory=list)


def refuse(path: Path, message: str, expected: str = "", remedy: str = "") -> NoReturn:
    """One problem with a file of a slide."""
    raise ModelError(Problem(str(path), "", message, expected, remedy))


def lacking(path: Path, library: str, extra: str) -> NoReturn:
    """A library that reads this kind of file is not installed."""
    raise InputError(str(path), f"{library} is not installed.", remedy=f'Install it:  pip install "oncarium[{extra}]"')
