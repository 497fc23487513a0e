"""Tables of a run in PhysiCell's words: cells.csv and field.csv, written while it runs."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DataError
from ...writing import whole
from .labels import flat
from .moment import Moment

if TYPE_CHECKING:
    from ...run.simulation import Simulation

DIGITS = "%.15g"
FILES = ("cells.csv", "field.csv")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what makes a spreadsheet take a text for a formula


def cell_text(text: str) -> str:
    """A text as one cell of a CSV that no spreadsheet takes for a formula.

    >>> cell_text("=1+1"), cell_text('a "b", c')
    ("'=1+1", '"a ""b"", c"')
    """
    safe = f"'{text}" if text.startswith(FORMULA) else text
    return '"' + safe.replace('"', '""') + '"' if any(c in safe for c in ',"\n\r') else safe


class Tables:
    """An observer of a Simulation: one row per cell, and one per voxel, at the start and at every `every` min. go_on:
    after what lies there.

    Each time is appended in one piece and flushed, so whole times are what an interrupted run leaves. A row holds the
    state before the step that starts at its time, as PhysiCell's snapshots do; the velocity is 0 there, and here.
    """

    def __init__(self, folder: str | Path, every: float, go_on: bool = False):
        self.folder = Path(folder)
        self.every = every
        self.saved = 0
        self.going_on = go_on
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for name in FILES:
                (self.folder / name).open("ab" if go_on else "wb").close()
        except OSError as error:
            raise DataError.of(error, self.folder, "no tables can be written here") from None

    def _go_on(self, time: float) -> None:
        """Keep what an interrupted run wrote before a time; what it wrote later is written again."""
        self.going_on = False
        self.saved = max(0, math.ceil((time - 1e-9) / self.every))
        for name in FILES:
            path = self.folder / name
            try:
                with whole(path) as part, path.open("rb") as old, part.open("wb") as new:
                    head = old.readline()
                    new.write(head)
                    rows = (line for line in old if line.endswith(b"\n"))
                    new.writelines(row for row in rows if float(row.partition(b",")[0]) < time - 1e-9)
            except OSError as error:
                raise DataError.of(error, path, "it cannot be written on") from None
            if not head:
                self.saved = 0

    def see(self, simulation: Simulation) -> None:
        """Look after a tick, and once before the first. Raises DataError when the disk is full."""
        if self.going_on:
            self._go_on(simulation.time)
        half = 0.5 * simulation.plan.tick_minutes
        if simulation.time <= self.saved * self.every - half:
            return
        moment = Moment.of_simulation(simulation)
        self._append("cells.csv", [("time", np.full(moment.n, moment.time)), *flat(moment)])
        self._append("field.csv", list(voxels(moment)))
        self.saved += 1

    def _append(self, name: str, columns: list[tuple[str, np.ndarray]]) -> None:
        text = io.StringIO()
        if not self.saved:
            text.write(",".join(cell_text(heading) for heading, _ in columns) + "\n")
        if len(columns[0][1]):
            np.savetxt(text, np.stack([values for _, values in columns], axis=1), fmt=DIGITS, delimiter=",")
        try:
            with open(self.folder / name, "ab") as file:
                file.write(text.getvalue().encode())
        except OSError as error:
            raise DataError.of(error, self.folder / name, "it cannot be written") from None


def voxels(moment: Moment) -> Any:
    """(heading, (voxel,) values): time, centre, volume, then each factor; x runs fastest."""
    grid = moment.grid
    z, y, x = np.meshgrid(grid.centers("z"), grid.centers("y"), grid.centers("x"), indexing="ij")
    yield "time", np.full(x.size, moment.time)
    for name, values in (("x", x), ("y", y), ("z", z)):
        yield name, values.ravel()
    yield "voxel_volume", np.full(x.size, grid.voxel_volume)
    for k, name in enumerate(moment.factors):
        yield name, moment.concentration[k].ravel()
