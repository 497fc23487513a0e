"""A random network with so much vessel in a volume: places at random, joined to their neighbors."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ...engine.fields import Grid
from ...errors import InputError
from .seeding import CLOSEST, GRADIENT, RADIUS, SPREAD, joined, scatter, sizes
from .state import PRESSURE, Vessels

BRANCHES = 3  # vessels that meet at a node
LEAST = 8  # nodes


def random_network(
    lower: Sequence[float], upper: Sequence[float], density: float, seed: int = 0, *, radius: float = RADIUS,
    spread: float = SPREAD, inlet: float | None = None, outlet: float = 15.0, haematocrit: float = 0.45,
    oxygen: float = 40.0,
) -> Vessels:  # fmt: skip
    """A random network of a given density, from inlets at the lowest x to outlets at the highest.

    lower, upper   corners of the box (xyz), um; one that is thinner than the way between two branches has one layer
    density        um of vessel per um^3 of the box (1e-4: 100 mm per mm^3)
    radius, spread um, and standard deviation of its logarithm
    inlet, outlet  mmHg; inlet left out: 10 mmHg per mm of way above the outlet
    haematocrit, oxygen (mmHg)   of the blood that enters

    All nodes hang together; three vessels meet at most nodes. Radii have not adapted yet: see `settle`, which takes a
    third of it. Raises InputError where the density is too low for a network, or too high for vessels side by side.

    >>> graph = random_network((0, 0, 0), (800, 800, 400), 1.5e-4, seed=1).graph
    >>> round(float(graph.segments["length"].sum()) / (800 * 800 * 400 * 1e-6)), int(graph.degree().max())
    (150, 4)
    """
    size = np.array(upper, float) - np.array(lower, float)
    target = density * float(np.prod(size))  # um
    # N nodes of three half vessels, each about one spacing long
    spacing = math.sqrt(0.5 * BRANCHES / max(density, 1e-300))
    flat = bool(size[2] < spacing)
    if flat:
        spacing = 0.5 * BRANCHES / max(density * size[2], 1e-300)
    count = round(float(np.prod(size[: 2 if flat else 3])) / spacing ** (2 if flat else 3))
    if count < LEAST or spacing < 4.0 * radius:
        why = "is too little for a network" if count < LEAST else f"leaves no tissue between vessels of {radius:g} um"
        box = " x ".join(f"{v:g}" for v in size)
        raise InputError(
            "vessels", f"{1e6 * density:g} mm of vessel per mm^3 in a box of {box} um {why};",
            "expected about 100 in three dimensions, 500 in a slice.",
        )  # fmt: skip
    x, y, z = (float(v) for v in size)
    grid = Grid((lower[0], lower[1], lower[2]), (x, y, z), (1, 1, 1))
    place = scatter(grid, np.ones((1, 1, 1), np.bool_), count, CLOSEST * spacing, seed, flat)
    ends, length = _neighbors(place[:, : 2 if flat else 3])
    ends = ends[_chosen(ends, length, len(place), target)]
    along = place[:, 0]
    low, high = along <= along.min() + 0.5 * spacing, along >= along.max() - 0.5 * spacing
    if inlet is None:
        inlet = outlet + 1e-3 * GRADIENT * float(np.ptp(along))
    kind = np.where(low | high, PRESSURE, 0)
    radii = sizes(seed, len(ends), radius, spread)
    return joined(place, ends, radii, kind, np.where(low, inlet, outlet), haematocrit, oxygen)


def _neighbors(place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of places with nothing in the ball between them (Gabriel's graph), and their distances, shortest first."""
    from scipy.spatial import Delaunay, cKDTree

    corners = Delaunay(place).simplices
    n = corners.shape[1]
    pairs = np.concatenate([corners[:, [i, j]] for i in range(n) for j in range(i + 1, n)])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    length = np.linalg.norm(place[pairs[:, 1]] - place[pairs[:, 0]], axis=1)
    nearest = cKDTree(place).query(place[pairs].mean(axis=1))[0]
    free = nearest >= 0.5 * length * (1.0 - 1e-9)
    pairs, length = pairs[free], length[free]
    order = np.lexsort((pairs[:, 1], pairs[:, 0], length))
    return pairs[order], length[order]


def _chosen(ends: np.ndarray, length: np.ndarray, nodes: int, target: float) -> np.ndarray:
    """Rows that join everything with least length, then the shortest, where fewer than three meet, up to a length."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import minimum_spanning_tree

    rank = np.arange(1, len(ends) + 1)
    tree = minimum_spanning_tree(coo_array((rank.astype(float), ends.T), (nodes, nodes)))
    taken = np.zeros(len(ends), np.bool_)
    taken[tree.data.astype(np.int64) - 1] = True
    degree = np.bincount(ends[taken].ravel(), minlength=nodes)
    total = float(length[taken].sum())
    for most in (BRANCHES, BRANCHES + 1, BRANCHES + 2):
        for k in np.flatnonzero(~taken):
            if total >= target:
                break
            if (degree[ends[k]] < most).all():
                taken[k] = True
                degree[ends[k]] += 1
                total += length[k]
    return np.flatnonzero(taken)
