"""What happens before time 0: cells that overlap are pushed apart, and concentrations come into balance with them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..biology.fluid.lymph import Lymph
from ..biology.mechanics import Mechanics
from ..biology.secretion import Secretion
from ..biology.supply import Supply
from ..biology.transport import Transport
from ..biology.vessels.exchange import VesselExchange
from ..biology.vessels.secretion import VesselSecretion
from ..engine.fields import FieldError
from ..engine.process import Process, Tick
from ..engine.tissue import Tissue
from ..model.model import Model

TOUCHING = 0.9  # of the sum of two radii: closer cells overlap
STEP = 6.0  # min of one firing of the mechanics
LONGEST = 240.0  # min of mechanics before time 0
CROWDED, FULL = 0.2, 0.8  # share of neighbors that still overlap, and of the plane that discs cover: no room
MOST_ROUNDS, AGREED = 40, 1e-3  # between blood and tissue; share of the oxygen that passes
AT_REST = 0.02  # um/min: no cell that moves slower is waited for
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Relaxed:
    """How far cells were pushed apart: median and largest shift (um), share of the pairs of neighbors that overlap
    before and after, and how many times their discs cover the plane that they lie in."""

    median: float
    largest: float
    before: float
    after: float
    covered: float

    def __str__(self) -> str:
        room = f"; they have no room: cells of these sizes cover the slide {self.covered:.1f} times over"
        return (
            f"overlaps were relaxed before time 0: cells moved by {self.median:.2g} um (median), at most "
            f"{self.largest:.2g} um; {100 * self.before:.0f} % of neighbors overlapped, {100 * self.after:.0f} % do now"
            + room
            * (self.after > CROWDED and self.covered > FULL)
        )


def begin(model: Model, tissue: Tissue, processes: Sequence[Process]) -> Relaxed | None:
    """Bring a tissue that was just built into the state of time 0, as the model asks."""
    done = None
    if any(p.relax and p.rows for p in model.placements):
        done = relax(tissue)
        log.warning("%s", done)
    if model.start == "steady" and tissue.cells.n:
        balance(tissue, processes)
    return done


def relax(tissue: Tissue) -> Relaxed:
    """Let cells push each other apart, without adhesion, until all but rest or four hours are over."""
    cells = tissue.cells
    held, own = cells["mechanics.adhesion"].copy(), (tissue.look, tissue.touch)
    start, before = cells.position.copy(), overlapping(cells.position, cells["radius"])
    cells["mechanics.adhesion"][:] = 0.0
    pushing = Mechanics(STEP)
    pushing.prepare(tissue)
    for number in range(round(LONGEST / STEP)):
        pushing.step(tissue, Tick(number, 0.0, STEP, 0))
        if np.abs(cells["velocity"]).max() < AT_REST:
            break
    cells["mechanics.adhesion"][:] = held
    cells["velocity"][:] = 0.0
    cells["sense.pressure"][:] = 0.0
    tissue.look, tissue.touch = own
    moved = np.linalg.norm(cells.position - start, axis=1)
    after = overlapping(cells.position, cells["radius"])
    sides = np.ptp(start[:, :2], axis=0) + 2.0 * cells["radius"].mean()
    covered = float(np.pi * (cells["radius"] ** 2).sum() / sides.prod()) if tissue.fields.grid.is_2d else 0.0
    return Relaxed(float(np.median(moved)), float(moved.max()), before, after, covered)


def overlapping(position: np.ndarray, radius: np.ndarray) -> float:
    """Share of the pairs of touching cells that overlap: of those closer than the sum of their radii, the ones closer
    than 0.9 of it.

    >>> overlapping(np.array([[0.0, 0, 0], [9.5, 0, 0], [14.0, 0, 0]]), np.full(3, 5.0))
    0.5
    """
    from scipy.spatial import cKDTree

    if len(position) < 2:
        return 0.0
    pairs = cKDTree(position).query_pairs(2.0 * float(radius.max()), output_type="ndarray")
    apart = np.linalg.norm(position[pairs[:, 0]] - position[pairs[:, 1]], axis=1)
    sums = radius[pairs[:, 0]] + radius[pairs[:, 1]]
    touching = int((apart < sums).sum())
    return float((apart < TOUCHING * sums).sum() / touching) if touching else 0.0


def balance(tissue: Tissue, processes: Sequence[Process]) -> None:
    """Solve every factor for the steady state with cells and vessels as they stand, in rounds until blood and tissue
    agree on the oxygen that passes between them; a factor that has no steady state starts as it is given."""
    fields = tissue.fields
    sources = [p for p in processes if isinstance(p, Secretion | Supply | VesselSecretion | VesselExchange | Lymph)]
    exchange = next((p for p in sources if isinstance(p, VesselExchange)), None)
    solver = Transport(1.0, dict.fromkeys(fields.names, "quasi-steady"))
    solver.prepare(tissue)
    factors = range(len(fields.names))
    for number in range(MOST_ROUNDS):
        fields.clear_sources()
        for process in sources:
            process.step(tissue, Tick(0, 0.0, 0.0, 0))
        if number > 0 and exchange is not None and exchange.imbalance < AGREED:
            break
        for f in factors:
            given = fields.value[f].copy()
            try:
                solver.settle(fields, f)
            except FieldError:  # nothing takes it up and nothing passes the faces
                fields.value[f] = given
        if exchange is None or exchange.breath < 0:
            break
        factors = range(exchange.breath, exchange.breath + 1)
    fields.clear_sources()
