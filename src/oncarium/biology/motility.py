"""Cells crawl: a persistent random walk, biased along the gradients they are sensitive to."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from ..engine.column import Behavior, State, Trait
from ..engine.kernels.coupling import gradient_at, voxel_at
from ..engine.process import Process, Tick
from ..engine.random import direction, uniform
from ..engine.threads import over_rows
from ..engine.tissue import Tissue
from .outside import free
from .secretion import factors_of
from .vital import RADIUS, who

VECTOR = State(
    "um/min",
    axis="xyz",
    at_death="stop",
    at_change="zero",
    doc="heading times the speed at the last turn",
    name="motility.vector",
)
BIAS_DIRECTION = State(
    "1", axis="xyz", at_change="zero", doc="direction of the cue at the last turn", name="motility.bias_direction"
)
MOST_TURNS = 64  # in one step; the mean of more hardly differs
TINY = 1e-32  # squared length below which a direction is none
NOBODY, NOWHERE = np.empty(0), np.empty((0, 3))


class Concentrations(NamedTuple):
    """Where gradients are read: value (factor, voxel), lower
    corner and spacing (xyz) um, shape (z, y, x) of the grid."""

    value: np.ndarray
    lower: np.ndarray
    spacing: np.ndarray
    shape: tuple[int, int, int]


class Crawling(NamedTuple):
    """Traits of crawling: flat (a 2-D tissue), planar, active, follows_cue, normalized, contrast (type), cue (type,
    factor); any_cue: whether somebody follows anything; which (entry): factor of each entry of the sensitivity."""

    flat: bool
    planar: np.ndarray
    active: np.ndarray
    cue: np.ndarray
    follows_cue: np.ndarray
    normalized: np.ndarray
    contrast: np.ndarray
    any_cue: bool
    which: np.ndarray


class Walk(NamedTuple):
    """How cells crawl now: persistence (min), bias (1), sensitivity (cell, entry), speed (um/min), heading (cell,
    xyz); vector (um/min) and toward (cell, xyz) belong to chances per step and are empty otherwise."""

    persistence: np.ndarray
    bias: np.ndarray
    sensitivity: np.ndarray
    speed: np.ndarray
    heading: np.ndarray
    vector: np.ndarray
    toward: np.ndarray


@njit(cache=True, nogil=True, error_model="numpy")
def turn(first, last, firing, who, free, position, radius, field, types, walk):
    """Give a new heading (cell, xyz) to every live cell whose persistence has run out.

    free (cell): can move at all; active, follows_cue, planar, normalized, contrast (type); cue (type, factor). Not
    exact: vector (cell, xyz) um/min keeps the speed of the moment, and toward (cell, xyz) the direction of the cue.
    """
    seed, stream, tick, dt, exact = firing
    _, keys, kind, vital = who
    value, lower, spacing, shape = field
    flat, planar, active, cue, follows_cue, normalized, contrast, any_cue, which = types
    persistence, bias, sensitivity, speed, heading, vector, toward = walk
    for i in range(first, last):
        t = kind[i]
        if not exact and free[i] <= 0.5:
            continue
        if vital[i] != 0 or not active[t]:
            for k in range(3):
                heading[i, k] = 0.0
                if not exact:
                    vector[i, k] = 0.0
            continue
        p = dt / persistence[i] if persistence[i] > 0.0 else 1.0
        if exact:
            # a walk of straight steps of dt then spreads as the walk in continuous time, whatever dt
            p /= 1.0 + 0.5 * p
        still = exact and heading[i, 0] == 0.0 and heading[i, 1] == 0.0 and heading[i, 2] == 0.0
        kept = persistence[i] > 0.0 if exact else persistence[i] >= dt
        if kept and not still and uniform(seed, stream, tick, keys[i], 0) >= p:
            continue
        b = bias[i]
        cx, cy, cz = 0.0, 0.0, 0.0
        if any_cue and (b > 0.0 or not exact):
            voxel = voxel_at(position[i, 0], position[i, 1], position[i, 2], lower, spacing, shape)
            for k in range(value.shape[0] if follows_cue[t] else which.shape[0]):
                f = k if follows_cue[t] else which[k]
                s = cue[t, f] if follows_cue[t] else sensitivity[i, k]
                if s == 0.0:
                    continue
                gx, gy, gz = gradient_at(voxel, value[f], spacing, shape)
                if normalized[t]:
                    g = math.sqrt(TINY + gx * gx + gy * gy + gz * gz)
                    s = s / g if g > 1e-16 else 0.0
                    if contrast[t] > 0.0:
                        across = 2.0 * radius[i] * g
                        s *= across / (across + contrast[t] * max(value[f, voxel], 0.0))
                cx += s * gx
                cy += s * gy
                cz += s * gz
            if flat:
                cz = 0.0
            c = math.sqrt(TINY + cx * cx + cy * cy + cz * cz)
            if contrast[t] > 0.0:
                b *= min(c, 1.0)
            c = 1.0 / c if c > 1e-16 else 0.0
            cx, cy, cz = cx * c, cy * c, cz * c
            if not exact:
                toward[i, 0], toward[i, 1], toward[i, 2] = cx, cy, cz
        # of a step that holds several turns, the mean of as many headings: the walk spreads as it does in shorter steps
        turns = max(0.5 * dt / persistence[i], 1.0) if exact and persistence[i] > 0.0 else 1.0
        draws = min(math.ceil(turns), MOST_TURNS)
        last = (1.0 - math.sqrt(max(0.0, 1.0 - draws * (1.0 - (draws - 1.0) / turns)))) / draws
        for k in range(3):
            heading[i, k] = 0.0
        for d in range(draws):
            rx, ry, rz = direction(seed, stream, tick, keys[i], 1 + 2 * d, flat or planar[t])
            hx = b * cx + (1.0 - b) * rx
            hy = b * cy + (1.0 - b) * ry
            hz = b * cz + (1.0 - b) * rz
            h = math.sqrt(hx * hx + hy * hy + hz * hz)
            h = 1.0 / h if h > 1e-16 else 0.0
            if draws > 1:
                h *= last if d == draws - 1 else (1.0 - last) / (draws - 1)
            heading[i, 0] += hx * h
            heading[i, 1] += hy * h
            heading[i, 2] += hz * h
        if not exact:
            for k in range(3):
                vector[i, k] = heading[i, k] * speed[i]


class Motility(Process):
    """Persistent, biased random walk.

    Equation    at rate 1/persistence a cell takes the heading  normalise(bias cue + (1 - bias) xi),  xi a random unit
                vector, cue = normalise(sum over factors of sensitivity * gradient); it moves at speed * heading.
                With `normalized` gradients count by their direction alone. With a `contrast` too, each counts
                d / (d + contrast), d the relative difference of the factor across the cell, and bias is multiplied with
                the length of their sum (at most 1): no cell has a direction in a field that is even.

    Column        Unit     Kind       Meaning
    active        1        Trait      1 if cells of this type crawl at all
    speed         um/min   Behavior   speed of active migration
    persistence   min      Behavior   mean time between changes of direction
    bias          1        Behavior   0 random walk, 1 straight along the cue
    sensitivity   1        Behavior   weight of each factor's gradient; negative flees
    contrast      1        Trait      relative difference across the cell that gives half of the bias; 0: any gradient
                                      gives all of it
    cue           1        Trait      1 or -1 for the one factor that is followed or fled where `advanced` is 0
    planar        1        Trait      1 if random headings lie in the xy plane in 3-D, too
    advanced      1        Trait      1 the cue is the sum over sensitivities, 0
                                      the one factor of `cue`, 2 there is none
    heading       1        State      present direction, a unit vector (zero: has none yet); shorter where a step
                                      holds several turns

    Hazard      exact: a turn within dt has probability dt/(persistence + dt/2), and a cell without a heading takes one
                at once; a step of more than two persistences has the mean of dt/(2 persistence) headings. Otherwise a
                turn has dt/persistence. The columns `vector` (um/min: heading times the speed at the last
                turn) and `bias_direction` belong to the latter only.
    Source      Ghaffarizadeh et al. 2018 (DOI 10.1371/journal.pcbi.1005991); that cells tell differences of some per
                cent across their length is known of amoebae and leukocytes (value assumed).
    """

    section = "motility"
    slot = "act"
    reads = ("fields.value", "position", "vital")
    sets = ("motility.heading",)
    radius = RADIUS
    active = Trait("1", 1.0, ge=0.0, le=1.0, wakes=True, doc="1 if cells of this type crawl")
    speed = Behavior("um/min", ge=0.0, doc="speed of active migration")
    persistence = Behavior("min", 1.0, ge=0.0, doc="mean time between changes of direction")
    bias = Behavior("1", ge=0.0, le=1.0, doc="0 random walk, 1 straight along the cues")
    sensitivity = Behavior(
        "1", axis="factor", sparse=True, doc="weight of each factor's gradient in the cue; negative flees"
    )
    cue = Trait(
        "1", axis="factor", ge=-1.0, le=1.0, doc="1 to follow, -1 to flee the gradient of a factor, where advanced is 0"
    )
    advanced = Trait(
        "1",
        1.0,
        ge=0.0,
        le=2.0,
        doc="1 if the cue is the sum over sensitivities, 0 if it is the one of `cue`, 2 if there is none",
    )
    planar = Trait("1", 0.0, ge=0.0, le=1.0, doc="1 if random headings lie in the xy plane in 3-D, too")
    contrast = Trait(
        "1",
        0.0,
        ge=0.0,
        doc="relative difference of a normalized cue across the cell that gives half of the bias; 0: any gives all",
    )
    heading = State("1", axis="xyz", at_death="stop", at_change="zero", doc="present direction of migration")

    clock = "mechanics"

    @classmethod
    def of(cls, model, build, **options) -> Motility:
        normalized = np.array([t.normalized for t in model.types], np.bool_)
        return cls(build.minutes(cls.clock), build.exact, normalized, **options)

    def __init__(self, period: float, exact: bool = True, normalized: np.ndarray | None = None):
        self.period = period
        self.exact = exact
        self.normalized = normalized

    def columns(self):
        return [*super().columns(), *(() if self.exact else (VECTOR, BIAS_DIRECTION))]

    def prepare(self, tissue: Tissue) -> None:
        grid, base = tissue.fields.grid, tissue.cells.base
        self.lower = np.array(grid.lower, float)
        self.spacing = np.array(grid.spacing, float)
        advanced, none = base["motility.advanced"], np.zeros(len(tissue.cells.types), np.bool_)
        self.traits = Crawling(
            flat=grid.is_2d,
            planar=base["motility.planar"] > 0.5,
            active=base["motility.active"] > 0.5,
            cue=np.where((advanced > 1.5)[:, None], 0.0, base["motility.cue"]),
            follows_cue=(advanced <= 0.5) | (advanced > 1.5),
            normalized=none if self.normalized is None else self.normalized,
            contrast=base["motility.contrast"],
            any_cue=True,
            which=factors_of(tissue, "motility.sensitivity"),
        )

    def step(self, tissue: Tissue, tick: Tick) -> None:
        cells, fields = tissue.cells, tissue.fields
        if not self.traits.active.any() or (self.exact and not cells["motility.speed"].any()):
            return
        sensitivity = cells["motility.sensitivity"]
        value = fields.value.reshape(len(fields.names), int(np.prod(fields.grid.shape)))
        traits = self.traits._replace(
            contrast=cells.base["motility.contrast"], any_cue=bool(np.any(self.traits.cue) or np.any(sensitivity))
        )
        if "sense.response" in cells:  # a blocked receptor has no gradient
            sensitivity = sensitivity * cells["sense.response"][:, self.traits.which]
        persistence, bias, speed, heading = (
            cells[f"motility.{k}"] for k in ("persistence", "bias", "speed", "heading")
        )
        cue = (NOWHERE, NOWHERE) if self.exact else (cells[VECTOR.name], cells[BIAS_DIRECTION.name])
        walk = Walk(persistence, bias, sensitivity, speed, heading, *cue)
        movers = (who(cells), NOBODY if self.exact else free(cells), cells.position, cells["radius"])
        there = Concentrations(value, self.lower, self.spacing, fields.grid.shape)
        over_rows(turn, cells.n, self.threads, self.firing(tick), *movers, there, traits, walk)
