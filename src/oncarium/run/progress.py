"""How far a run is, for whoever starts it from Python: a line that moves, on a terminal and in a notebook."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from ..units import say_time

if TYPE_CHECKING:
    from .simulation import Simulation

EVERY = 0.25  # s between looks


def in_notebook() -> bool:
    """Is this a notebook?"""
    python = sys.modules.get("IPython")
    shell = python.get_ipython() if python else None
    return type(shell).__name__ == "ZMQInteractiveShell"


class Count:
    """How many of many runs are done, and how long the others may take; within `with`, call it with (done, all).

    shown   True, False, or None: in a notebook only
    """

    def __init__(self, title: str, shown: bool | None):
        self.title = title
        self.shown = in_notebook() if shown is None else shown
        self.bar: Any = None

    def __enter__(self) -> Count:
        if self.shown:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
            self.bar = Progress(*columns, console=Console(stderr=not in_notebook()))
            self.task = self.bar.add_task(self.title, total=None)
            self.bar.start()
        return self

    def __call__(self, done: int, all: int) -> None:
        if self.bar is not None:
            self.bar.update(self.task, completed=done, total=all, refresh=True)

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()


class Bar:
    """A bar from the start of a run to its end; within `with`, call it with the Simulation after every tick.

    shown   True, False, or None: in a notebook only
    """

    def __init__(self, title: str, end: float, shown: bool | None):
        self.title, self.end = title, end
        self.shown = in_notebook() if shown is None else shown
        self.looked = 0.0
        self.bar: Any = None

    def __enter__(self) -> Bar:
        if self.shown:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[said]}"),
                TimeRemainingColumn(),
            )
            self.bar = Progress(*columns, console=Console(stderr=not in_notebook()), auto_refresh=False)
            self.task = self.bar.add_task(self.title, total=self.end, said="preparing")
            self.bar.start()
        return self

    def __call__(self, simulation: Simulation) -> None:
        now = time.monotonic()
        if self.bar is None or (now - self.looked < EVERY and simulation.time < self.end):
            return
        self.looked = now
        said = f"{say_time(simulation.time)} of {say_time(self.end)}, {simulation.tissue.cells.n:,} cells"
        self.bar.update(self.task, completed=simulation.time, said=said, refresh=True)

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()
