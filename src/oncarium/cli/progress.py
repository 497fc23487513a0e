"""The live display of a run."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from ..run.simulation import Simulation


class Progress:
    """The live display of a run, and the signals that end it in good order."""

    def __init__(self, title: str, until: float, quiet: bool):
        from rich.console import Console

        self.title, self.until, self.quiet = title, until, quiet
        self.console = Console(stderr=True)
        self.stopped = 0
        self.shown = 0.0
        self.said = 0.0

    def __enter__(self) -> Progress:
        from rich.live import Live

        from ..engine import compiling

        self.first: tuple[float, float] | None = None
        self.live = None
        if not self.quiet and self.console.is_terminal:
            self.live = Live(f"{self.title}: preparing", console=self.console, auto_refresh=False, transient=True)
            self.live.start(refresh=True)
        elif not self.quiet:
            self.console.print(f"{self.title}: preparing")
        self.compiles = compiling.told(self._compiling)
        self.compiles.__enter__()
        ends = {signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGUSR1", signal.SIGTERM)}
        self.before = {s: signal.signal(s, self._stop) for s in ends}
        return self

    def _compiling(self, count: int, name: str) -> None:
        """A loop begins to be compiled."""
        import time

        from ..engine.compiling import loops

        now = time.monotonic()
        line = f"{self.title}: the first run compiles its loops, once: {count} of at most {max(loops(), count)}, {name}"
        if self.live:
            self.live.update(line, refresh=True)
        elif not self.quiet and (count == 1 or now - self.said > 10):
            self.said = now
            self.console.print(line)

    def _stop(self, number: int, frame: Any) -> None:
        if self.stopped:
            raise KeyboardInterrupt
        self.stopped = number

    def __call__(self, simulation: Simulation) -> bool:
        import time

        now = time.monotonic()
        if self.first is None:
            self.first = (now, simulation.time)
        if not self.quiet and now - self.shown > 0.25:
            self.shown = now
            if self.live:
                self.live.update(self.table(simulation, now), refresh=True)
            elif now - self.said > 10:
                self.said = now
                self.console.print(self.line(simulation, now))
        return bool(self.stopped)

    def rate(self, simulation: Simulation, now: float) -> float:
        """Simulated minutes per second."""
        assert self.first is not None
        return (simulation.time - self.first[1]) / max(now - self.first[0], 1e-9)

    def line(self, simulation: Simulation, now: float) -> str:
        """Where the run is, in one line."""
        from ..units import say_time

        cells = simulation.tissue.cells
        there = f"{say_time(simulation.time)} of {say_time(self.until)}"
        return f"{there}, {cells.n} cells, {self.rate(simulation, now):.0f} simulated min/s"

    def table(self, simulation: Simulation, now: float) -> Any:
        """Where the run is, with the live cells of every type."""
        import numpy as np
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        from ..units import say_time

        cells = simulation.tissue.cells
        live = np.bincount(cells.type[cells["vital"] == 0], minlength=len(cells.types))
        dead = np.bincount(cells.type[cells["vital"] != 0], minlength=len(cells.types))
        rate = self.rate(simulation, now)
        left = (self.until - simulation.time) / rate if rate > 0 else 0.0
        table = Table(box=None, pad_edge=False, show_header=True)
        for head in ("cells", "live", "dead"):
            table.add_column(head, justify="left" if head == "cells" else "right")
        for name, a, d in zip(cells.types, live, dead):
            table.add_row(name, f"{a:,}", f"{d:,}")
        there = f"{say_time(simulation.time)} of {say_time(self.until)}"
        head = f"{self.title}\n{there}   {rate:,.0f} simulated min/s   about {left:.0f} s left"
        return Group(Text(head), ProgressBar(total=max(self.until, 1e-9), completed=simulation.time, width=60), table)

    def __exit__(self, *_: object) -> None:
        self.compiles.__exit__(None, None, None)
        if self.live:
            self.live.stop()
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def exit_if_stopped(self, folder: Path) -> None:
        """Say how to go on, and leave with 128 + signal."""
        if self.stopped:
            print(f"Stopped. Go on with:  oncarium resume {folder}", file=sys.stderr)
            raise typer.Exit(128 + self.stopped)
