"""A random network with so much vessel in a volume: places at random, joined to their neighbors."""

from __future__ import annotations

import numpy as np

from ...engine.fields import Grid
from ...errors import InputError
from .seeding import CLOSEST, GRADIENT, RADIUS, SPREAD, joined, scatter, sizes
from .state import PRESSURE, Vessels

BRANCHES = 3  # vessels that meet at a node


def scattered(
    grid: Grid, inside: np.ndarray, density: float, seed: int = 0, *, radius: float = RADIUS, spread: float = SPREAD,
    outlet: float = 15.0, gradient: float = GRADIENT, haematocrit: float = 0.45, oxygen: float = 40.0,
) -> Vessels:  # fmt: skip
    """A random network of a given density, from inlets at the lowest x to outlets at the highest.

    grid, inside   the voxels, and which of them (z, y, x) have vessels
    density        mm of vessel per mm^3 of these voxels; per mm^2 where the grid has one layer
    radius, spread um, and standard deviation of its logarithm     outlet   mmHg     gradient   mmHg/mm to the inlets
    haematocrit, oxygen (mmHg)   of the blood that enters

    All nodes hang together; three vessels meet at most nodes. Radii have not adapted yet: see `settle`, which takes a
    third of it. Raises InputError where the density is too low for a network, or too high for vessels side by side.

    >>> grid = Grid((0, 0, 0), (20, 20, 20), (20, 40, 40))
    >>> graph = scattered(grid, np.ones(grid.shape, bool), 150.0, seed=1).graph
    >>> round(float(graph.segments["length"].sum()) / (800 * 800 * 400 * 1e-6)), int(graph.degree().max())
    (150, 5)
    """
    flat = inside.shape[0] == 1
    voxel = grid.spacing[0] * grid.spacing[1] * (1.0 if flat else grid.spacing[2])
    room = float(inside.sum()) * voxel
    target = density * room * (1e-3 if flat else 1e-6)  # um
    axes = 2 if flat else 3
    # N nodes of three half vessels, each about one spacing long
    spacing = 0.5 * BRANCHES / (density * 1e-3) if flat else np.sqrt(0.5 * BRANCHES / (density * 1e-6))
    count = round(room / spacing**axes)
    if count < 4 or spacing < 4.0 * radius:
        unit = "mm/mm^2" if flat else "mm/mm^3"
        said = "is too little for a network" if count < 4 else f"leaves no tissue between vessels of {radius:g} um"
        raise InputError(
            "vessels", f"{density:g} {unit} of vessels {said};", "expected about 100 in three dimensions, 10 in two."
        )
    place = scatter(grid, inside, count, CLOSEST * spacing, seed)
    ends, length = _neighbors(place[:, :axes])
    ends = ends[_chosen(ends, length, len(place), target)]
    x = place[:, 0]
    low, high = x <= x.min() + 0.5 * spacing, x >= x.max() - 0.5 * spacing
    given = np.where(low, outlet + 1e-3 * gradient * float(x.max() - x.min()), outlet)
    kind = np.where(low | high, PRESSURE, 0)
    return joined(place, ends, sizes(seed, len(ends), radius, spread), kind, given, haematocrit, oxygen)


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
