"""Vessels that are not held stable sprout towards VEGF-A."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ...engine.graph import Graph
from ...engine.process import Number, Process, Tick
from ...engine.random import uniform
from ...engine.tissue import Tissue
from .hearing import heard
from .places import Course, along, course, sample
from .state import INNER, TIP

LARGEST = 2.5e-4  # 1/min and endothelial cell (1e-4 to 6.25e-4, as in models of vascular tumors)
HALF = 0.1  # nM of VEGF-A (0.06 to 0.1: affinity of VEGFR2 and response of endothelium)
HILL = 2.0
CELL = 10.0  # um of vessel for each endothelial cell (assumed: 10 to 20 of a capillary)
EXCLUSION = 80.0  # um around tips and young branches without another sprout, by DLL4 (40 to 160)
YOUNG = 720.0  # min: a new vessel sprouts from 12 h on (assumed)
OPENED = 0.5  # strength of the basement membrane below which a sprout can leave (assumed)
FIRST = 10.0  # um: a sprout begins with a tip this far from its vessel (assumed)
NARROW = 3.0  # um: radius of a sprout (2.6 to 4)
NEAR = 5.0  # um: a sprout that would start this near to a node starts at the node


@njit(cache=True, nogil=True)
def up(x, half, hill):
    """Share of the response to x, 0 to 1: x^hill / (half^hill + x^hill)."""
    return x**hill / (half**hill + x**hill) if x > 0.0 else 0.0


def sprout_probability(
    vegf: float, cells: float, dt: float, largest: float = LARGEST, half: float = HALF, hill: float = HILL
) -> float:
    """Chance that a vessel of so many endothelial cells sprouts within dt min in VEGF-A (nM): that of a rate.

    >>> round(sprout_probability(0.1, 2.0, 60.0), 5)
    0.01489
    """
    return -math.expm1(-largest * cells * up(vegf, half, hill) * dt)


@njit(cache=True, nogil=True)
def waiting(seed, stream, tick, ids, rate):
    """(segment) min until each would sprout at its rate (1/min); infinite where it is 0. Drawn by the segment's id."""
    out = np.full(ids.shape[0], np.inf)
    for i in range(ids.shape[0]):
        if rate[i] > 0.0:
            out[i] = -math.log1p(-uniform(seed, stream, tick, ids[i], 0)) / rate[i]
    return out


def spaced(position: np.ndarray, when: np.ndarray, ids: np.ndarray, taken: np.ndarray, least: float) -> np.ndarray:
    """Rows of the candidates that may sprout, in the order of time: who comes first keeps later ones away.

    position (candidate, xyz) um; when (candidate) min; taken (place, xyz) um: none comes nearer than `least` to these.

    >>> places = np.array([[0.0, 0, 0], [50, 0, 0], [100, 0, 0]])
    >>> spaced(places, np.array([2.0, 1, 3]), np.arange(3), np.zeros((0, 3)), 80)
    array([1])
    """
    from scipy.spatial import cKDTree

    rows = np.lexsort((ids, when))
    if len(taken):
        rows = rows[cKDTree(taken).query(position[rows])[0] >= least]
    kept: list[int] = []
    for row in rows:
        gaps = position[kept] - position[row]
        if ((gaps**2).sum(axis=1) >= least**2).all():
            kept.append(int(row))
    return np.array(kept, np.int64)


def node_at(graph: Graph, segment: int, share: float, flat: tuple[float, float] | None = None) -> int:
    """Row of the node at a share of a segment's straight line: one of its ends where that is near, or else a new one.

    flat: lowest and highest z of a 2-D slice; a segment that leaves it is met at the node that lies in it."""
    a, b = graph.ends[segment]
    if flat is not None:
        in_plane = [n for n in (a, b) if flat[0] <= graph.position[n, 2] <= flat[1]]
        if len(in_plane) == 1:
            return int(in_plane[0])
    chord = float(np.linalg.norm(graph.position[b] - graph.position[a]))
    for node, far in ((a, share * chord), (b, (1.0 - share) * chord)):
        if far < NEAR and graph.nodes["kind"][node] == INNER:
            return int(node)
    margin = min(0.5, NEAR / chord) if chord > 0.0 else 0.5  # ends of known pressure stay ends
    return graph.split(segment, min(max(share, margin), 1.0 - margin), kind=INNER)


def slice_of(tissue: Tissue) -> tuple[float, float] | None:
    """Lowest and highest z of a 2-D tissue, um; None in 3-D."""
    grid = tissue.fields.grid
    return (float(grid.lower[2]), float(grid.upper[2])) if grid.is_2d else None


class Sprouting(Process):
    """New tips.

    Equation    rate = k cells V^2 / (V^2 + V_half^2) (1 - stability),   k = 2.5e-4/min, one cell per 10 um of vessel
                where the membrane is below 0.5 and the vessel is older than 12 h
                chance within dt = 1 - exp(-rate dt)
                whoever sprouts first keeps others within 80 um from it; so do tips and young branches

    A sprout starts anywhere on its segment, at the node in the plane if the vessel crosses a 2-D slice, up the gradient
    of VEGF-A, at right angles to the vessel. Its tip is a node of the kind `tip`.

    Reads       fields.value, segments stability, membrane, age.     Adds to   vessels.
    Source      rate and exclusion as in models of vascular tumors (Owen et al. 2011, DOI
                10.1158/0008-5472.CAN-10-2834); half-effect: affinity of VEGFR2 (DOI
                10.1186/1752-0509-5-170); exclusion in the order of time.
    """

    group = "vessels.sprouting"
    numbers = (
        Number(
            "largest",
            "1/min",
            LARGEST,
            "@doi:10.1158/0008-5472.CAN-10-2834 R 1e-4..6.25e-4",
            "of an endothelial cell",
            ge=0.0,
        ),
        Number("half", "nM", HALF, "@Desai2006 @VEGF_2011_table R 0.028..0.5", "VEGF-A at half of it", ge=1e-9),
        Number(
            "hill",
            "1",
            HILL,
            "@doi:10.1158/0008-5472.CAN-10-2834 R 1.3..3",
            "steepness of the response",
            ge=0.1,
            le=20.0,
        ),
        Number(
            "exclusion",
            "um",
            EXCLUSION,
            "@doi:10.1158/0008-5472.CAN-10-2834 R 40..160",
            "around tips and young branches",
            ge=0.0,
        ),
        Number("cell", "um", CELL, "assumed 5..20", "of vessel for each endothelial cell", ge=1.0),
    )
    section = "vessels"
    slot = "remodel"
    part = "vessels"
    needs = ("vegfa",)
    reads = ("fields.value", "vessels")
    adds = ("vessels",)
    events = ("sprout",)

    @classmethod
    def of(cls, model, build, **options) -> Sprouting:
        return cls(model.vessels.period, **cls.said(model), **options)

    def __init__(
        self,
        period: float = 60.0,
        largest: float = LARGEST,
        half: float = HALF,
        hill: float = HILL,
        exclusion: float = EXCLUSION,
        cell: float = CELL,
    ):
        self.period = period
        self.largest, self.half, self.hill, self.exclusion, self.cell = largest, half, hill, exclusion, cell

    def rates(self, tissue: Tissue, there: Course) -> np.ndarray:
        """(segment) 1/min at which each sprouts."""
        graph, fields = tissue.vessels.graph, tissue.fields
        s = graph.segments
        vegf = along(there, fields.grid, heard(tissue, ["vegfa"]))[0]
        held = np.add.reduceat(there.length, there.first[:-1])
        share = np.maximum(vegf, 0.0) ** self.hill
        share = share / (self.half**self.hill + share)
        ready = (s["age"] >= YOUNG) & (s["membrane"] < OPENED) & (s["lumen"] > 0)
        return self.largest * held / self.cell * share * (1.0 - np.clip(s["stability"], 0.0, 1.0)) * ready

    def taken(self, graph: Graph) -> np.ndarray:
        """(place, xyz) um of the tips and of the nodes of young branches."""
        busy = graph.nodes["kind"] == TIP
        busy[graph.ends[graph.segments["age"] < YOUNG]] = True
        return graph.position[busy]

    def step(self, tissue: Tissue, tick: Tick) -> None:
        graph, grid = tissue.vessels.graph, tissue.fields.grid
        if not graph.n_segments:
            return
        there = course(graph, grid)
        when = waiting(np.uint64(tick.seed), self.stream, tick.number, graph.segment_id, self.rates(tissue, there))
        rows = np.flatnonzero(when < tick.dt)
        if not len(rows):
            return
        u = draws(tick.seed, self.stream, tick.number, graph.segment_id[rows], 1)
        flat = slice_of(tissue)
        count = np.diff(there.first)[rows]
        point = there.first[rows] + np.minimum((u * count).astype(np.int64), count - 1)
        place = there.position[point]
        chosen = spaced(place, when[rows], graph.segment_id[rows], self.taken(graph), self.exclusion)
        chosen = chosen[np.argsort(graph.segment_id[rows[chosen]])]  # ids of tips follow those of their vessels
        ahead = heading(tissue, place[chosen], tick.seed, self.stream, tick.number, graph.segment_id[rows[chosen]])
        born = []
        for k, way in zip(chosen, ahead):
            axis = graph.position[graph.ends[rows[k], 1]] - graph.position[graph.ends[rows[k], 0]]
            node = node_at(graph, int(rows[k]), float(there.share[point[k]]), flat)
            to = np.clip(graph.position[node] + FIRST * across(way, axis, flat is not None), grid.lower, grid.upper)
            length = float(np.linalg.norm(to - graph.position[node]))
            if length > 0.1 * FIRST:  # a sprout out of the box is none
                born.append(sprout(graph, node, to, length, tick.time))
        tissue.population.log(tick.time, graph.node_id[born], "sprout")


def sprout(graph: Graph, node: int, to: np.ndarray, length: float, time: float, family: int = -1) -> int:
    """A tip at `to`, and the bare segment that joins it to a node; returns the tip's row. family: id of the tip whose
    sprout it belongs to; left out, its own."""
    tip = int(graph.add_nodes(to, kind=TIP, since=time)[0])
    family = int(graph.node_id[tip]) if family < 0 else family
    bare = {"coverage": 0.0, "stability": 0.0, "membrane": 0.0, "permeability": 1.0, "age": 0.0, "maturity": 1.0}
    graph.add_segments(
        [[node, tip]],
        length=length,
        radius=NARROW,
        lumen=0,
        flow=0.0,
        haematocrit=0.0,
        oxygen=0.0,
        sprout=family,
        **bare,
    )
    return tip


def across(way: np.ndarray, axis: np.ndarray, flat: bool) -> np.ndarray:
    """The part of a unit vector at right angles to a vessel, as a unit vector; in a slice within its plane."""
    if flat:
        way, axis = way * (1, 1, 0), axis * (1, 1, 0)
    size = float(np.linalg.norm(axis))
    out = way - (way @ axis / size**2) * axis if size > 0.0 else way
    long = float(np.linalg.norm(out))
    if long < 1e-6:  # the gradient runs along the vessel: to either side
        out = (
            np.array([-axis[1], axis[0], 0.0]) if abs(axis[2]) < 0.9 * max(size, 1e-300) else np.array([1.0, 0.0, 0.0])
        )
        long = float(np.linalg.norm(out))
    return out / long if long > 0.0 else np.array([1.0, 0.0, 0.0])


@njit(cache=True, nogil=True)
def draws(seed, stream, tick, ids, draw):
    """(id) one number in [0, 1) each."""
    out = np.empty(ids.shape[0])
    for i in range(ids.shape[0]):
        out[i] = uniform(np.uint64(seed), stream, tick, ids[i], draw)
    return out


def gradient(tissue: Tissue, position: np.ndarray, half_way: float = 10.0) -> tuple[np.ndarray, np.ndarray]:
    """VEGF-A (place) nM and its gradient (place, xyz) nM/um: differences over 20 um, about the size of a cell."""
    grid = tissue.fields.grid
    value = heard(tissue, ["vegfa"]).reshape(1, -1)
    there = (grid.lower, np.array(grid.spacing), grid.shape)
    position = np.ascontiguousarray(position, float)
    out = np.zeros((len(position), 3))
    for axis in range(2 if grid.is_2d else 3):
        shift = np.eye(3)[axis] * half_way
        high, low = (np.clip(position + s, grid.lower, grid.upper) for s in (shift, -shift))
        rise = sample(value, high, *there)[0] - sample(value, low, *there)[0]
        out[:, axis] = rise / np.maximum(high[:, axis] - low[:, axis], 1e-300)
    return sample(value, position, *there)[0], out


def heading(tissue: Tissue, position: np.ndarray, seed: int, stream: int, tick: int, ids: np.ndarray) -> np.ndarray:
    """(place, xyz) unit vectors up the gradient of VEGF-A; drawn where there is none."""
    _, out = gradient(tissue, position)
    size = np.linalg.norm(out, axis=1)
    lost = wander(seed, stream, tick, ids, 2, tissue.fields.grid.is_2d)
    return np.where(size[:, None] > 0.0, out / np.maximum(size, 1e-300)[:, None], lost)


def wander(seed: int, stream: int, tick: int, ids: np.ndarray, draw: int, flat: bool) -> np.ndarray:
    """(id, xyz) random unit vectors, in the plane of a slice."""
    angle = 2.0 * np.pi * draws(seed, stream, tick, ids, draw)
    z = np.zeros(len(ids)) if flat else 2.0 * draws(seed, stream, tick, ids, draw + 1) - 1.0
    r = np.sqrt(np.maximum(1.0 - z * z, 0.0))
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1)
