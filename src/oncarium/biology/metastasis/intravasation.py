"""Tumor cells leave the tissue: through the walls of blood vessels, above all beside macrophages, and by lymph."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...engine.process import Number, Process, Tick
from ...engine.tissue import Tissue
from ...engine.why import Why, given
from ..body.passages import leaving
from ..vessels.places import course
from ..vessels.wall import open_radius
from .state import DAY

TOUCH = 1.25  # of the sum of two radii: cells that are closer touch, as for adhesion
BY_BLOOD, BY_LYMPH, TOGETHER = 1, 2, 3  # streams of its draws


class Intravasation(Process):
    """Intravasation into blood and lymph.

    Equation    into blood    rate  w (1 - gate b) p / (p + leak) (1 + door D)     1/min, the highest of the perfused
                              vessels whose wall is within `reach` of the cell's surface
                into lymph    lymph  w  near l o  (1 - 0.7 speed / (v + speed) vegfc / (c + vegfc))

    w is how invasive the cell is: the highest of its `states`, from 0 to 1. b is the membrane of the vessel, which the
    proteases on touching cells lower (VesselMaturation), p its permeability. D is 1 where an opener (a macrophage with
    TIE2) touches the cell and the vessel's wall is within 15 um of it. Lymph vessels l have no membrane in the way, and
    are open to the share o; `near` of normal tissue lies within 10 um of one. Cells follow the fluid, whose speed is v
    there (um/min), and what VEGF-C (c, nM) makes lymph vessels release; either is 0 where a model does not have it.

    Whoever leaves by blood takes along, with the chance `cluster`, the cells of its kind that touch it, at most `size`
    in all. Events tell who left; their cause is the id of the cell that led a cluster, or -1.

    Adds to     the population's removals, before Division; metastasis.
    Source      door: Harney et al. 2015, Cancer Discov 5:932; clusters: Aceto et al. 2014, Cell 158:1110; fluid:
                Shields et al. 2007, Cancer Cell 11:526. Rates assumed: of the order of 3e6 cells per g and day (Butler
                & Gullino 1975, Cancer Res 35:512).
    """

    group = "metastasis.intravasation"
    numbers = (
        Number(
            "rate",
            "1/min",
            2e-4,
            "assumed 6.7e-05..0.0006",
            "into blood, of a fully invasive cell at a bare, leaky wall",
            ge=0.0,
        ),
        Number("reach", "um", 10.0, "assumed 5..20", "between a cell's surface and the wall of a vessel", ge=0.0),
        Number("gate", "1", 1.0, "assumed 0.33..1", "share of cells that a whole membrane holds back", ge=0.0, le=1.0),
        Number("leak", "1", 1.0, "assumed 0.33..3", "permeability of the wall at half of the effect", ge=1e-9),
        Number(
            "door",
            "1",
            9.0,
            "@doi:10.1158/2159-8290.CD-15-0012 R 3..27",
            "how much more where a macrophage opens",
            ge=0.0,
        ),
        Number(
            "doorway",
            "um",
            15.0,
            "@doi:10.1158/2159-8290.CD-15-0012 R 8..30",
            "between its surface and the wall that it opens",
            ge=0.0,
        ),
        Number(
            "lymph",
            "1/min",
            1e-3,
            "assumed 0.00033..0.003",
            "into lymph, of a fully invasive cell at a lymph vessel",
            ge=0.0,
        ),
        Number(
            "near",
            "1",
            0.15,
            "assumed 0.05..0.45",
            "share of normal tissue within 10 um of a lymph vessel",
            ge=0.0,
            le=1.0,
        ),
        Number("led", "1", 0.7, "assumed 0.35..1", "share that needs flow of the fluid, or VEGF-C", ge=0.0, le=1.0),
        Number("speed", "um/min", 18.0, "assumed 6..54", "of the fluid at half of its effect (0.1 to 1 um/s)", ge=1e-9),
        Number("vegfc", "nM", 0.1, "assumed 0.033..0.3", "VEGF-C at half of its effect", ge=1e-9),
        Number(
            "cluster",
            "1",
            0.03,
            "@doi:10.1016/j.cell.2014.07.013 R 0.01..0.09",
            "share that leaves in clusters",
            ge=0.0,
            le=1.0,
        ),
        Number("size", "1", 4.0, "assumed 2..12", "cells of a cluster at most", ge=2.0),
    )
    section = "metastasis"
    slot = "renew"
    part = "metastasis"
    reads = ("vessels", "fluid", "fields.value", "fields.velocity", "vital", "population")
    adds = ("cells", "metastasis")
    events = ("intravasation", "lymph_entry")

    @classmethod
    def why(cls, model) -> Why:
        return super().why(model) and given(
            model.vessels or model.fluid, cls.group, "the model has neither vessels nor lymph"
        )

    @classmethod
    def of(cls, model, build, **options) -> Intravasation:
        types, start = [t.name for t in model.types], model.metastasis
        door = start.door
        opener = None if door is None else (types.index(door.type), door.column, door.above)
        made = cls(
            build.minutes(cls.clock), types.index(start.cells), start.states, opener, **cls.said(model), **options
        )
        made.requires = start.columns
        return made

    def __init__(
        self,
        period: float,
        type: int = 0,
        states: Sequence[str] = (),
        opener: tuple[int, str, float] | None = None,
        **numbers: float,
    ):
        self.period = period
        self.type, self.states, self.opener = type, tuple(states), opener
        self.given = {n.name: n.default for n in self.numbers} | numbers

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, spread, queue = tissue.cells, tissue.metastasis, tissue.population
        rows = self._candidates(tissue)
        weight = self._weight(tissue, rows)
        if not len(rows):
            return spread.see(np.zeros(2), tick.dt)
        rates = np.stack([self.into_blood(tissue, rows), self.into_lymph(tissue, rows)]) * weight
        spread.see(DAY * rates.sum(axis=1), tick.dt)
        seed, draw = np.uint64(tick.seed), (tick.number, tick.dt, cells.key, rows)
        out = leaving(seed, self.stream + BY_BLOOD, *draw, rates[0])
        drained = leaving(seed, self.stream + BY_LYMPH, *draw, rates[1]) & ~out
        leaders, drained = rows[out], rows[drained]
        if not len(leaders) and not len(drained):
            return
        groups = self._groups(tissue, tick, leaders[np.argsort(cells.id[leaders])], drained)
        single = np.array([g[0] for g in groups if len(g) == 1], np.int64)
        queue.log(tick.time, cells.id[single], "intravasation")
        for group in groups:
            if len(group) > 1:
                queue.log(tick.time, cells.id[group], "intravasation", int(cells.id[group[0]]))
        queue.log(tick.time, cells.id[drained], "lymph_entry")
        spread.leave(len(single), [len(g) for g in groups if len(g) > 1], len(drained))
        queue.remove(np.concatenate([*groups, drained]))

    def _candidates(self, tissue: Tissue) -> np.ndarray:
        """Rows of the live cells of the type that are not on their way out already."""
        cells = tissue.cells
        live = (cells.type == self.type) & (cells["vital"] == 0)
        for gone in tissue.population.removed:
            live[gone] = False
        return np.flatnonzero(live)

    def _weight(self, tissue: Tissue, rows: np.ndarray) -> np.ndarray:
        """(row) how invasive they are, 0 to 1."""
        if not self.states:
            return np.ones(len(rows))
        return np.clip(np.max([tissue.cells[name][rows] for name in self.states], axis=0), 0.0, 1.0)

    def into_blood(self, tissue: Tissue, rows: np.ndarray) -> np.ndarray:
        """(row) 1/min, of fully invasive cells."""
        out, said = np.zeros(len(rows)), self.given
        if tissue.vessels is None or not tissue.vessels.graph.n_segments:
            return out
        graph, cells = tissue.vessels.graph, tissue.cells
        there = course(graph, tissue.fields.grid)
        owner = np.repeat(np.arange(graph.n_segments), np.diff(there.first))
        flows = (there.length > 0.0) & tissue.vessels.perfused[owner]
        place, owner = there.position[flows], owner[flows]
        leak, wall = graph.segments["permeability"], open_radius(graph)
        through = said["rate"] * (1.0 - said["gate"] * graph.segments["membrane"]) * leak / (leak + said["leak"])
        radius = radius_of(tissue)
        k, p, gap = apart(cells.position[rows], place, radius[rows].max() + wall.max() + said["reach"])
        near = gap <= radius[rows][k] + wall[owner[p]] + said["reach"]
        np.maximum.at(out, k[near], through[owner[p[near]]])
        if self.opener is not None and (out > 0.0).any():
            out[self._doors(tissue, rows, np.flatnonzero(out > 0.0), place, wall[owner])] *= 1.0 + said["door"]
        return out

    def _doors(
        self, tissue: Tissue, rows: np.ndarray, at: np.ndarray, place: np.ndarray, wall: np.ndarray
    ) -> np.ndarray:
        """Which of these cells (places in rows) touch an opener that is close to a vessel."""
        assert self.opener is not None
        cells, radius, doorway = tissue.cells, radius_of(tissue), self.given["doorway"]
        kind, column, above = self.opener
        opens = np.flatnonzero((cells.type == kind) & (cells["vital"] == 0))
        if column:
            opens = opens[cells[column][opens] > above]
        if not len(opens):
            return at[:0]
        m, p, gap = apart(cells.position[opens], place, radius[opens].max() + wall.max() + doorway)
        opens = opens[np.unique(m[gap <= radius[opens][m] + wall[p] + doorway])]
        if not len(opens):
            return at[:0]
        k, m, gap = apart(
            cells.position[rows[at]], cells.position[opens], TOUCH * (radius[rows[at]].max() + radius[opens].max())
        )
        return at[np.unique(k[gap <= TOUCH * (radius[rows[at]][k] + radius[opens][m])])]

    def into_lymph(self, tissue: Tissue, rows: np.ndarray) -> np.ndarray:
        """(row) 1/min, of fully invasive cells."""
        if tissue.fluid is None:
            return np.zeros(len(rows))
        fields, fluid, said = tissue.fields, tissue.fluid, self.given
        voxel = tissue.voxels(tissue.cells.position[rows])
        out = said["lymph"] * said["near"] * (fluid.lymph * fluid.open).reshape(-1)[voxel]
        unled = np.ones(len(rows))
        if fields.velocity is not None:
            unled *= said["speed"] / (speed_of(fields.velocity)[voxel] + said["speed"])
        if "vegfc" in fields.names:
            vegfc = np.maximum(fields.value[fields.index("vegfc")].reshape(-1)[voxel], 0.0)
            unled *= said["vegfc"] / (vegfc + said["vegfc"])
        return out * (1.0 - said["led"] * unled)

    def _groups(self, tissue: Tissue, tick: Tick, leaders: np.ndarray, drained: np.ndarray) -> list[np.ndarray]:
        """Rows that leave by blood together, the leader first; leaders come in the order of their ids."""
        cells, radius = tissue.cells, radius_of(tissue)
        chance = np.full(len(leaders), -math.log1p(-min(self.given["cluster"], 1.0 - 1e-12)))
        stream = self.stream + TOGETHER
        many = leaving(np.uint64(tick.seed), stream, tick.number, 1.0, cells.key, leaders, chance)
        taken = {int(row) for row in (*leaders, *drained)}
        others, groups = self._candidates(tissue), []
        for row, takes in zip(leaders.tolist(), many):
            group = [row]
            if takes:
                gap = np.linalg.norm(cells.position[others] - cells.position[row], axis=1)
                close = np.flatnonzero(gap <= TOUCH * (radius[others] + radius[row]))
                for k in close[np.lexsort((cells.id[others[close]], gap[close]))]:
                    if len(group) < self.given["size"] and int(others[k]) not in taken:
                        group.append(int(others[k]))
                taken.update(group)
            groups.append(np.array(group, np.int64))
        return groups


def radius_of(tissue: Tissue) -> np.ndarray:
    """(cell) um."""
    return np.cbrt(0.75 / math.pi * tissue.cells["volume.total"])


def apart(a: np.ndarray, b: np.ndarray, most: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of places (place, xyz) at most so many um apart: number in a, number in b, distance.

    >>> apart(np.zeros((1, 3)), np.array([[3.0, 4.0, 0.0], [9.0, 0.0, 0.0]]), 6.0)
    (array([0]), array([0]), array([5.]))
    """
    from scipy.spatial import cKDTree

    if not len(a) or not len(b):
        none = np.zeros(0, np.int64)
        return none, none, np.zeros(0)
    near = cKDTree(b).query_ball_point(a, most, return_sorted=True)
    first = np.repeat(np.arange(len(a)), [len(n) for n in near])
    second = np.fromiter((j for n in near for j in n), np.int64, len(first))
    return first, second, np.linalg.norm(a[first] - b[second], axis=1)


def speed_of(velocity: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """(voxel) speed in the middle of every voxel, um/min; velocity: across the faces, as Fields has it."""
    x, y, z = velocity
    middle = (x[..., 1:] + x[..., :-1], y[:, 1:] + y[:, :-1], z[1:] + z[:-1])
    return 0.5 * np.sqrt(sum(m**2 for m in middle)).reshape(-1)
