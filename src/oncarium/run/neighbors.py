"""Which cells are neighbors of which, as a sparse matrix of distances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, did_you_mean

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

REACH = 1.25  # cells touch when their centres are nearer than this times the sum of their radii
WORDS = ("delaunay", "contact")


def neighbors(position: np.ndarray, by: Any = "delaunay", radius: np.ndarray | None = None) -> csr_matrix:
    """(cell, cell) distances in um between neighbors, both ways; nothing where cells are none.

    position   (cell, 2 or 3) um      radius   (cell) um, for "contact"
    by         "delaunay": corners of one triangle (in space: tetrahedron) of Delaunay's triangulation, as
               squidpy.gr.spatial_neighbors(delaunay=True) has it
               "contact": centres nearer than 1.25 times the sum of both radii
               a number: centres at most so many um apart

    Raises InputError.

    >>> neighbors(np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 20.0]])).toarray().round(1).tolist()
    [[0.0, 10.0, 20.0], [10.0, 0.0, 22.4], [20.0, 22.4, 0.0]]
    """
    from scipy.sparse import csr_matrix

    check(by)
    n = len(position)
    pairs = np.empty((0, 2), int) if n < 2 else _delaunay(position) if by == "delaunay" else _near(position, by, radius)
    distance = np.sqrt(((position[pairs[:, 0]] - position[pairs[:, 1]]) ** 2).sum(axis=1))
    both = np.concatenate([pairs, pairs[:, ::-1]])
    order = np.lexsort((both[:, 1], both[:, 0]))
    start = np.searchsorted(both[order, 0], np.arange(n + 1))
    return csr_matrix((np.tile(distance, 2)[order], both[order, 1], start), shape=(n, n))


def check(by: Any) -> None:
    """Raise InputError where a word for neighbors is none."""
    number = isinstance(by, int | float | np.number) and not isinstance(by, bool)
    if by not in WORDS if not number else not (0 < by < np.inf):
        raise InputError(
            "neighbors", f"{by!r} is none.{did_you_mean(by, WORDS)}", "Expected delaunay, contact, or a distance in um."
        )


def _near(position: np.ndarray, by: Any, radius: np.ndarray | None) -> np.ndarray:
    """Pairs (pair, 2) within a distance, or within the reach of both."""
    from scipy.spatial import cKDTree

    if by == "contact" and radius is None:
        raise InputError(
            "neighbors", "'contact' needs the radius of every cell.", "Name delaunay, or a distance in um."
        )
    reach = REACH * radius if radius is not None and by == "contact" else np.full(len(position), by / 2)
    pairs = cKDTree(position).query_pairs(2.0 * float(reach.max()), output_type="ndarray")
    if by == "contact":
        a, b = pairs.T
        pairs = pairs[((position[a] - position[b]) ** 2).sum(axis=1) < (reach[a] + reach[b]) ** 2]
    return pairs


def _delaunay(position: np.ndarray) -> np.ndarray:
    """Pairs (pair, 2) of Delaunay's triangulation of what the points span: of a plane in space its triangles, of a line
    each point and the next; few points are all neighbors."""
    from scipy.spatial import Delaunay

    middle = position - position.mean(axis=0)
    _, size, axes = np.linalg.svd(middle, full_matrices=False)
    rank = int((size > 1e-9 * max(size[0], 1e-300)).sum())
    if len(position) <= rank + 1 or rank == 0:
        return np.column_stack(np.triu_indices(len(position), 1))
    flat = position if rank == position.shape[1] else middle @ axes[:rank].T
    if rank == 1:
        order = np.argsort(flat[:, 0], kind="stable")
        return np.column_stack([order[:-1], order[1:]])
    start, near = Delaunay(flat).vertex_neighbor_vertices
    rows = np.repeat(np.arange(len(position)), np.diff(start))
    return np.column_stack([rows, near])[rows < near].astype(int)
