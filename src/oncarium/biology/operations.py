"""What is done on a day besides drugs and radiation: a surgeon cuts, cells are given."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numba import njit

from ..engine.process import Process, Tick
from ..engine.random import keys_of, uniform
from ..engine.tissue import Tissue
from ..engine.why import Why, given
from ..model.doses import Dose
from .drugs.calendar import Calendar
from .drugs.levels import Schedule


@dataclass(frozen=True)
class Way:
    """Where given cells of a type go: a compartment of the body, by so many units for each cell; "": the tissue."""

    body: str = ""
    share: float = 0.0


@njit(cache=True, nogil=True)
def draws(seed, stream, tick, keys, draw, out):
    """Uniform numbers by keys."""
    for i in range(keys.shape[0]):
        out[i] = uniform(seed, stream, tick, keys[i], draw)


class Operations(Process):
    """Surgery and cells.

    Surgery     every cell of the region (of the tissue, where none is said) is taken with 1 - share; which, is drawn by
                its key. Where it cuts, the wound's factors rise at once.
    Cells       T cells and others go where the tissue takes such cells from: the compartment of their entry; dendritic
                cells under the skin go to lymph, a share of them; what comes from nowhere is put into the tissue, in
                proportion to the lesion that it is a piece of, anywhere in it.

    Adds to     cells, population, fields.value, body.
    """

    slot = "renew"
    reads = ("position",)
    adds = ("cells", "population", "fields.value", "body")
    clock = "mechanics"

    @classmethod
    def why(cls, model) -> Why:
        there = model.therapy and model.therapy.gives("surgery", "cells")
        return given(there, "therapy.doses", "neither surgery nor cells are given")

    @classmethod
    def of(cls, model, build, **options) -> Operations:
        t, patient = model.therapy.treatments, model.patient
        ways = {}
        for name in {c.what for c in model.therapy.regimen.courses if c.kind == "cells"}:
            ways[name] = Way("", 1.0 / patient.represents)
            for p in patient.exits:
                if p.type == name and p.body and math.isfinite(p.size):
                    ways[name] = Way(p.body, t.reach * t.load / p.size)
            for p in patient.entries:
                if p.type == name and p.body and math.isfinite(p.size):
                    ways[name] = Way(p.body, 1.0 / p.size)
        cut = None if t.region is None else build.inside(t.region)
        return cls(build.minutes(cls.clock), build[Schedule].calendar, t.wound, cut, ways, **options)

    def __init__(
        self, period: float, calendar: Calendar, wound: Mapping[str, float], cut: np.ndarray | None = None,
        ways: Mapping[str, Way] | None = None,
    ):  # fmt: skip
        self.period, self.calendar, self.wound, self.cut = period, calendar, dict(wound), cut
        self.ways = dict(ways or {})

    def prepare(self, tissue: Tissue) -> None:
        tissue.population.register(("resection", "given"))

    def step(self, tissue: Tissue, tick: Tick) -> None:
        for d in self.calendar.due(tick.time, tick.time + tick.dt, "surgery", "cells"):
            if d.time >= tick.time:
                (self.operate if d.kind == "surgery" else self.give)(tissue, tick, d)

    def operate(self, tissue: Tissue, tick: Tick, d: Dose) -> None:
        """Take all cells but a share (percent)."""
        cells, fields = tissue.cells, tissue.fields
        u = np.empty(cells.n)
        draws(np.uint64(tick.seed), self.stream, tick.number, cells.key, 0, u)
        inside = np.ones(cells.n, np.bool_) if self.cut is None else np.isin(tissue.voxels(), self.cut)
        gone = np.flatnonzero(inside & (u >= d.amount / 100.0))
        tissue.population.log(tick.time, cells.id[gone], "resection")
        tissue.population.dividing = [np.setdiff1d(r, gone) for r in tissue.population.dividing]
        tissue.population.remove(gone)
        for name, more in self.wound.items():
            value = fields.value[fields.index(name)].reshape(-1)
            value[slice(None) if self.cut is None else self.cut] += more

    def give(self, tissue: Tissue, tick: Tick, d: Dose) -> None:
        """Give so many cells to the patient."""
        way, cells, grid = self.ways[d.what], tissue.cells, tissue.fields.grid
        if way.body:
            tissue.body[way.body] += d.amount * way.share
            return
        key = keys_of("given", d.row, d.nth, np.arange(int(d.amount * way.share) + 1))
        u = np.empty(len(key))
        draws(np.uint64(tick.seed), self.stream, tick.number, key, 0, u)
        count = int(d.amount * way.share) + int(u[-1] < d.amount * way.share % 1.0)
        if not count:
            return
        place = np.empty((count, 3))
        for axis in range(3):
            draws(np.uint64(tick.seed), self.stream, tick.number, key[:count], 1 + axis, place[:, axis])
        lower, upper = np.array(grid.lower), np.array(grid.upper)
        if grid.is_2d:
            place[:, 2] = 0.5
        rows = cells.add(np.full(count, cells.types.index(d.what), np.int32), key=key[:count])
        cells.position[rows] = lower + place * (upper - lower)
        tissue.population.log(tick.time, cells.id[rows], "given")
