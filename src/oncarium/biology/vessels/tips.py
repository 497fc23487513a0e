"""Tips of sprouts crawl up VEGF-A and along fibres, cut the matrix before them, branch, and join what they meet."""

from __future__ import annotations

import heapq
import math
from types import SimpleNamespace

import numpy as np
from numba import njit

from ...engine.graph import Graph, Incidence
from ...engine.process import Number, Process, Tick
from ...engine.tissue import Tissue
from ..matrix.guidance import along as along_fibres
from .places import course, within
from .sprouting import EXCLUSION, FIRST, HALF, draws, gradient, node_at, slice_of, sprout, wander
from .state import INNER, TIP

SPEED = 10.0 / 60.0  # um/min (5 to 25 um/h)
BRANCHING = 0.02 / 60.0  # 1/min at full response to VEGF-A, so that sprouts branch every few hundred um (assumed)
LYSIS = 0.1 / 60.0  # 1/min at which a tip's own proteases cut the matrix within 10 um of the place ahead (assumed)
OPEN_MATRIX, DENSEST = 0.6, 0.8
CONE = math.radians(60.0)  # opening of the cone in which filopodia find other tips and vessels
LOOP = 60.0  # um along vessels: nothing nearer than this is joined
TRAIL = 30.0  # um: the trail gets a node at this distance (20 to 40)
FORK = math.radians(35.0)  # of each branch from the way before
FIELD = "@doi:10.1098/rsif.2015.0546 L"  # as in models of the field


class Tips(Process):
    """Growth of sprouts.

    Equation    way = 0.7 up VEGF-A + 0.2 along fibres + 0.1 random + 0.3 straight on + 0.5 toward what filopodia see,
                normalised; step = 10 um/h dt, slower from a density of 0.6 on, none from 0.8 on
                matrix within 10 um ahead: rho' = -0.1/h rho
                branching at 0.02/h V^2 / (V^2 + V_half^2), not within 80 um of other tips, nor of the last fork

    A tip within 15 um of a vessel or tip that is not of its own sprout is joined to it by a short segment, unless the
    two are joined already within 60 um along vessels. A lumen opens with age (VesselMaturation). A tip that has joined
    nothing dies after 50 to 72 h; its sprout, as long as no blood flows in it, goes back from its blunt end.

    Sets        nodes and segments of sprouts, matrix.density.     Reads   fields.value, matrix.
    Source      weights of the ways and sight of filopodia as in models of the field (Connor et al. 2015, DOI
                10.1098/rsif.2015.0546); others assumed.
    """

    group = "vessels.sprouting"
    numbers = (
        Number("speed", "um/min", SPEED, "L 0.083..0.42", "of a tip", ge=0.0),
        Number("uphill", "1", 0.7, f"{FIELD} 0.35..1.4", "weight of the way up VEGF-A", ge=0.0),
        Number("fibres", "1", 0.2, f"{FIELD} 0.1..0.4", "of the way along fibres", ge=0.0),
        Number("chance", "1", 0.1, f"{FIELD} 0.05..0.2", "of a random way", ge=0.0),
        Number("ahead", "1", 0.3, "assumed 0.15..0.6", "of the way straight on: the stalk pushes from behind", ge=0.0),
        Number("found", "1", 0.5, "assumed 0.25..1", "of the way to a vessel that filopodia have found", ge=0.0),
        Number(
            "contrast",
            "1",
            0.02,
            "assumed 0.01..0.04",
            "relative difference over 20 um at half of a full turn",
            ge=1e-9,
        ),
        Number("sight", "um", 120.0, f"{FIELD} 60..240", "of filopodia", ge=1.0),
        Number("touch", "um", 15.0, f"{FIELD} 8..30", "a tip joins what it comes this near to", ge=1.0),
        Number("branching", "1/min", BRANCHING, "assumed 0.00011..0.001", "of a tip in much VEGF-A", ge=0.0),
        Number("half", "nM", HALF, "@Desai2006 @VEGF_2011_table R 0.028..0.5", "VEGF-A at half of it", ge=1e-9),
        Number("lysis", "1/min", LYSIS, "assumed 0.00056..0.005", "of the matrix ahead", ge=0.0),
        Number("digs", "um", 10.0, "assumed 5..20", "how far a tip's proteases reach", ge=1.0),
        Number(
            "open", "1", OPEN_MATRIX, "assumed 0.3..0.78", "density up to which a tip is as fast as in fluid", ge=0.0
        ),
        Number("densest", "1", DENSEST, "assumed 0.62..1", "density from which on it is stuck", ge=1e-3),
        Number("shortest", "min", 3000.0, "L 1500..4320", "life of a tip that joins nothing, at least", ge=1.0),
        Number("longest", "min", 4320.0, "L 3000..8640", "and at most: drawn evenly", ge=1.0),
        Number(
            "retract",
            "1/min",
            0.2 / 60.0,
            "L 0.0017..0.005",
            "loss of the blunt end of a sprout without tip and blood",
            ge=0.0,
        ),
        Number(
            "exclusion",
            "um",
            EXCLUSION,
            "@doi:10.1158/0008-5472.CAN-10-2834 R 40..160",
            "around tips and young branches",
            ge=0.0,
        ),
    )
    section = "vessels"
    slot = "remodel"
    part = "vessels"
    needs = ("vegfa",)
    reads = ("fields.value", "matrix", "vessels")
    adds = ("vessels", "matrix")
    events = ("branch", "anastomosis", "tip_death")

    @classmethod
    def of(cls, model, build, **options) -> Tips:
        return cls(model.vessels.period, **cls.said(model), **options)

    def __init__(self, period: float = 60.0, **said: float):
        self.period = period
        self.n = SimpleNamespace(**{n.name: n.default for n in self.numbers} | said)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        graph = tissue.vessels.graph
        carried = tissue.vessels.perfused
        graph.segments["sprout"][carried] = -1
        tips = np.flatnonzero(graph.nodes["kind"] == TIP)
        if len(tips):
            self._crawl(tissue, tick, tips)
            self._join(tissue, tick, tips)
            self._die(tissue, tick)
            self._branch(tissue, tick)
        self._retract(tissue, tick)

    # -- crawling -----------------------------------------------------------------------------------------------------

    def _crawl(self, tissue: Tissue, tick: Tick, tips: np.ndarray) -> None:
        """Move all tips, each by what the tissue was before any of them moved; trails get nodes."""
        graph, grid = tissue.vessels.graph, tissue.fields.grid
        stalk = stalks(graph, tips)
        way = self.ways(tissue, tick, tips, stalk)
        fast = self.n.speed * self._before(tissue, graph.position[tips] + FIRST * way, tick.dt)
        for tip, segment, w, speed in zip(tips, stalk, way, fast):
            here = graph.position[tip].copy()
            to = np.clip(here + speed * tick.dt * w, grid.lower, grid.upper)
            gone = float(np.linalg.norm(to - here))
            if gone <= 0.0:
                continue
            graph.position[tip] = to
            if graph.segments["length"][segment] < TRAIL:
                graph.segments["length"][segment] += gone
                continue
            node = int(graph.add_nodes(here, kind=INNER)[0])
            graph.ends[segment, int(graph.ends[segment, 1] == tip)] = node
            kept = {name: array[segment] for name, array in graph.segments.items()}
            graph.add_segments([[node, tip]], **kept | {"length": gone, "age": 0.0, "lumen": 0})
        graph.version += 1

    def ways(self, tissue: Tissue, tick: Tick, tips: np.ndarray, stalk: np.ndarray) -> np.ndarray:
        """(tip, xyz) unit vectors along which the tips crawl."""
        graph, flat = tissue.vessels.graph, tissue.fields.grid.is_2d
        position, ids = graph.position[tips], graph.node_id[tips]
        vegf, rise = gradient(tissue, position)
        size = np.linalg.norm(rise, axis=1)
        steep = 20.0 * size / np.maximum(20.0 * size + self.n.contrast * np.maximum(vegf, 0.0), 1e-300)
        out = self.n.uphill * steep[:, None] * rise / np.maximum(size, 1e-300)[:, None]
        root = graph.ends[stalk].sum(axis=1) - tips
        straight = position - graph.position[root]
        straight /= np.maximum(np.linalg.norm(straight, axis=1), 1e-300)[:, None]
        out += self.n.ahead * straight + self.n.chance * wander(tick.seed, self.stream, tick.number, ids, 0, flat)
        if tissue.matrix is not None:
            q, voxel = tissue.matrix.orientation.reshape(5, -1), tissue.voxels(position)
            for k, v in enumerate(voxel):
                out[k] += self.n.fibres * np.array(along_fibres(q[:, v], flat, *straight[k])) * (2.0 if flat else 1.5)
        out += self.n.found * self._seen(tissue, tips, stalk, straight)
        if flat:
            out[:, 2] = 0.0
        size = np.linalg.norm(out, axis=1)
        return np.where(size[:, None] > 1e-12, out / np.maximum(size, 1e-300)[:, None], straight)

    def _seen(self, tissue: Tissue, tips: np.ndarray, stalk: np.ndarray, straight: np.ndarray) -> np.ndarray:
        """(tip, xyz) toward the nearest vessel or tip of others within the cone, less the farther it is."""
        from scipy.spatial import cKDTree

        graph = tissue.vessels.graph
        there = course(graph, tissue.fields.grid)
        owner = np.repeat(np.arange(graph.n_segments), np.diff(there.first))
        inside = there.length > 0.0
        place, family = there.position[inside], graph.segments["sprout"][owner[inside]]
        out = np.zeros((len(tips), 3))
        if not len(place):
            return out
        found = cKDTree(place).query_ball_point(graph.position[tips], self.n.sight, return_sorted=True)
        for k, near in enumerate(found):
            near = np.array(near, np.int64)
            near = near[family[near] != graph.segments["sprout"][stalk[k]]]
            gap = place[near] - graph.position[tips[k]]
            far = np.linalg.norm(gap, axis=1)
            ahead = (far > 0.0) & (gap @ straight[k] >= math.cos(0.5 * CONE) * far)
            if ahead.any():
                best = np.flatnonzero(ahead)[np.argmin(far[ahead])]
                out[k] = gap[best] / far[best] * (1.0 - far[best] / self.n.sight)
        return out

    def _before(self, tissue: Tissue, ahead: np.ndarray, dt: float) -> np.ndarray:
        """(tip) factor on the speed in the matrix at the places ahead, after the tips' proteases have cut it."""
        if tissue.matrix is None:
            return np.ones(len(ahead))
        grid, density = tissue.fields.grid, tissue.matrix.density
        before = np.clip(
            (self.n.densest - density.reshape(-1)[tissue.voxels(ahead)]) / (self.n.densest - self.n.open), 0.0, 1.0
        )
        flat, half = density.reshape(-1), 0.5 * np.array(grid.spacing)
        size = math.pi * self.n.digs**2 * (grid.spacing[2] if grid.is_2d else self.n.digs * 4.0 / 3.0)
        for place in ahead:
            low = np.clip(((place - self.n.digs - grid.lower) / grid.spacing).astype(int), 0, None)
            high = np.minimum(
                ((place + self.n.digs - grid.lower) / grid.spacing).astype(int), np.array(grid.shape[::-1]) - 1
            )
            i, j, k = (a.ravel() for a in np.meshgrid(*(np.arange(lo, hi + 1) for lo, hi in zip(low, high))))
            gap = grid.lower + np.stack([i, j, k], axis=1) * grid.spacing + half - place
            if grid.is_2d:
                gap[:, 2] = 0.0
            voxel = ((k * grid.ny + j) * grid.nx + i)[(gap**2).sum(axis=1) <= self.n.digs**2]
            if not len(voxel):
                voxel = tissue.voxels(place[None])
            flat[voxel] *= math.exp(-self.n.lysis * dt * size / (len(voxel) * grid.voxel_volume))
        return before

    # -- joining ------------------------------------------------------------------------------------------------------

    def _join(self, tissue: Tissue, tick: Tick, tips: np.ndarray) -> None:
        """Tips in the order of their ids join the nearest vessel or tip of others."""
        from scipy.spatial import cKDTree

        graph, grid, flat = tissue.vessels.graph, tissue.fields.grid, slice_of(tissue)
        there = course(graph, grid)
        owner = np.repeat(np.arange(graph.n_segments), np.diff(there.first))
        inside, seen, before = there.length > 0.0, graph.n_segments, graph.incidence()
        if not inside.any():
            return
        near = cKDTree(there.position[inside]).query_ball_point(graph.position[tips], self.n.touch + 10.0)
        joined = []
        for tip, rows in zip(tips, near):
            if graph.nodes["kind"][tip] != TIP:
                continue  # another one has joined it
            family = graph.segments["sprout"][stalks(graph, np.array([tip]))[0]]
            rows = np.unique(np.r_[owner[inside][np.array(rows, np.int64)], np.arange(seen, graph.n_segments)])
            rows = rows[graph.segments["sprout"][rows] != family]
            share, far = nearest(graph.position, graph.ends, rows, graph.position[tip], grid.lower, grid.upper)
            close = None
            for k in np.lexsort((graph.segment_id[rows], far)):
                if far[k] > self.n.touch:
                    break
                close = close if close is not None else _near(graph, before, int(tip), LOOP)
                a, b = graph.ends[rows[k]]
                if a in close or b in close:
                    continue
                node = _other_tip(graph, rows[k], share[k], self.n.touch)
                node = node_at(graph, int(rows[k]), float(share[k]), flat) if node < 0 else node
                gap = max(float(np.linalg.norm(graph.position[node] - graph.position[tip])), 1.0)
                segment = stalks(graph, np.array([tip]))[0]
                kept = {name: array[segment] for name, array in graph.segments.items()}
                graph.add_segments([[tip, node]], **kept | {"length": gap, "age": 0.0, "lumen": 0})
                graph.nodes["kind"][[tip, node]] = np.where(
                    graph.nodes["kind"][[tip, node]] == TIP, INNER, graph.nodes["kind"][[tip, node]]
                )
                joined.append(tip)
                break
        tissue.population.log(tick.time, graph.node_id[joined], "anastomosis")

    # -- branching, dying ---------------------------------------------------------------------------------------------

    def _branch(self, tissue: Tissue, tick: Tick) -> None:
        """A tip forks: it turns to one side, a new tip begins at the other."""
        graph, grid = tissue.vessels.graph, tissue.fields.grid
        tips = np.flatnonzero(graph.nodes["kind"] == TIP)
        if not len(tips):
            return
        ids = graph.node_id[tips]
        vegf = np.maximum(gradient(tissue, graph.position[tips])[0], 0.0) ** 2
        rate = self.n.branching * vegf / (self.n.half**2 + vegf)
        forks = draws(tick.seed, self.stream, tick.number, ids, 3) < -np.expm1(-rate * tick.dt)
        side = np.where(draws(tick.seed, self.stream, tick.number, ids, 4) < 0.5, 1.0, -1.0)
        spin = wander(tick.seed, self.stream, tick.number, ids, 5, False)
        born = []
        for k in np.flatnonzero(forks):
            tip = int(tips[k])
            others = np.flatnonzero(graph.nodes["kind"] == TIP)
            gap = np.linalg.norm(graph.position[others[others != tip]] - graph.position[tip], axis=1)
            if (gap < self.n.exclusion).any() or _unforked(graph, tip) < self.n.exclusion:
                continue
            segment = stalks(graph, np.array([tip]))[0]
            root = int(graph.ends[segment].sum()) - tip
            straight = graph.position[tip] - graph.position[root]
            straight = straight / max(float(np.linalg.norm(straight)), 1e-300)
            aside = np.cross(straight, (0.0, 0.0, 1.0) if grid.is_2d else spin[k])
            aside *= side[k] / max(float(np.linalg.norm(aside)), 1e-300)
            here = graph.position[tip].copy()
            ends = [
                np.clip(here + FIRST * (math.cos(FORK) * straight + s * math.sin(FORK) * aside), grid.lower, grid.upper)
                for s in (1.0, -1.0)
            ]
            if min(float(np.linalg.norm(e - here)) for e in ends) <= 0.1 * FIRST:
                continue
            node = int(graph.add_nodes(here, kind=INNER)[0])
            graph.ends[segment, int(graph.ends[segment, 1] == tip)] = node
            graph.position[tip] = ends[0]
            kept = {name: array[segment] for name, array in graph.segments.items()}
            far = float(np.linalg.norm(ends[0] - here))
            graph.add_segments([[node, tip]], **kept | {"length": far, "age": 0.0, "lumen": 0})
            family = int(graph.segments["sprout"][segment])
            born.append(sprout(graph, node, ends[1], float(np.linalg.norm(ends[1] - here)), tick.time, family))
        tissue.population.log(tick.time, graph.node_id[born], "branch")

    def _die(self, tissue: Tissue, tick: Tick) -> None:
        """Tips that are too old stop to be tips; the time of each is drawn once, by its id."""
        graph = tissue.vessels.graph
        tips = np.flatnonzero(graph.nodes["kind"] == TIP)
        life = self.n.shortest + (self.n.longest - self.n.shortest) * draws(
            tick.seed, self.stream, 0, graph.node_id[tips], 7
        )
        gone = tips[tick.time - graph.nodes["since"][tips] >= life]
        graph.nodes["kind"][gone] = INNER
        tissue.population.log(tick.time, graph.node_id[gone], "tip_death")

    def _retract(self, tissue: Tissue, tick: Tick) -> None:
        """Blunt segments of sprouts without tip go, and sprouts that nothing holds any more."""
        graph = tissue.vessels.graph
        own = graph.segments["sprout"] >= 0
        if not own.any():
            return
        blunt = (graph.degree() == 1) & (graph.nodes["kind"] == INNER)
        u = draws(tick.seed, self.stream, tick.number, graph.segment_id, 8)
        gone = own & blunt[graph.ends].any(axis=1) & (u < -math.expm1(-self.n.retract * tick.dt))
        if gone.any():
            graph.remove_segments(np.flatnonzero(gone))
        remove_orphans(graph)


def stalks(graph: Graph, tips: np.ndarray) -> np.ndarray:
    """(tip) row of the segment that ends at each tip."""
    only = np.full(graph.n_nodes, -1, np.int64)
    only[graph.ends.T.ravel()] = np.tile(np.arange(graph.n_segments), 2)  # a tip has one segment
    return only[tips]


def remove_orphans(graph: Graph) -> None:
    """Take out sprouts that hang on no vessel."""
    label = graph.components()
    held = np.zeros(int(label.max(initial=-1)) + 1, np.bool_)
    held[label[graph.ends[graph.segments["sprout"] < 0].ravel()]] = True
    lost = ~held[label[graph.ends[:, 0]]]
    if lost.any():
        graph.remove_segments(np.flatnonzero(lost))


@njit(cache=True, nogil=True)
def nearest(position, ends, rows, place, lower, upper):
    """Share of each segment's straight line, within the box, that comes nearest to a place (xyz), and the distance."""
    share, far = np.empty(rows.shape[0]), np.empty(rows.shape[0])
    for k in range(rows.shape[0]):
        a, b = position[ends[rows[k], 0]], position[ends[rows[k], 1]]
        t0, t1 = within(a, b, lower, upper)
        d = b - a
        t = min(max(((place - a) * d).sum() / max((d * d).sum(), 1e-300), t0), t1)
        share[k], far[k] = t, math.sqrt(((a + t * d - place) ** 2).sum())
    return share, far


def _other_tip(graph: Graph, row: int, share: float, touch: float) -> int:
    """Row of the tip at which a segment is met within so many um, or -1."""
    node = int(graph.ends[row, int(share > 0.5)])
    chord = float(np.linalg.norm(graph.position[graph.ends[row, 1]] - graph.position[graph.ends[row, 0]]))
    return node if graph.nodes["kind"][node] == TIP and min(share, 1.0 - share) * chord < touch else -1


def _near(graph: Graph, there: Incidence, start: int, reach: float) -> set[int]:
    """Nodes within so many um along vessels."""
    done: dict[int, float] = {}
    queue = [(0.0, start)]
    while queue:
        far, node = heapq.heappop(queue)
        if node in done:
            continue
        done[node] = far
        for k in range(there.first[node], there.first[node + 1]):
            onward = far + float(graph.segments["length"][there.segment[k]])
            if onward < reach:
                heapq.heappush(queue, (onward, int(there.other[k])))
    return set(done)


def _unforked(graph: Graph, tip: int) -> float:
    """um of sprout behind a tip to the last node where more than two segments meet."""
    there, node, before, far = graph.incidence(), tip, -1, 0.0
    while far < 1e4:
        onward = [k for k in range(there.first[node], there.first[node + 1]) if there.segment[k] != before]
        if (before >= 0 and len(onward) != 1) or not onward:
            break
        before = int(there.segment[onward[0]])
        far += float(graph.segments["length"][before])
        node = int(there.other[onward[0]])
    return far
