"""Graph: nodes in space and the segments between them, with whatever is known of each. No biology."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..errors import OncariumError


class GraphError(OncariumError, ValueError):
    """Nodes or segments that a graph cannot have."""


@dataclass(frozen=True)
class Quantity:
    """One number per node or per segment.

    name, unit, doc     default: of new rows     extensive: the parts of a split segment share it (a length)
    """

    name: str
    unit: str
    default: float = 0.0
    doc: str = ""
    dtype: type = float
    extensive: bool = False


class Incidence(NamedTuple):
    """Which segments meet at which node: those of node i are segment[first[i] : first[i + 1]], in the order of their
    ids, and lead to the nodes `other`."""

    first: np.ndarray
    segment: np.ndarray
    other: np.ndarray


def incidence_of(ends: np.ndarray, nodes: int) -> Incidence:
    """Segments by node, of the rows of nodes (segment, 2) that they join.

    >>> incidence_of(np.array([[0, 1], [2, 1]]), 3).segment.tolist()
    [0, 0, 1, 1]
    """
    node = ends.T.ravel()
    segment = np.tile(np.arange(len(ends)), 2)
    order = np.lexsort((segment, node))
    first = np.zeros(nodes + 1, np.int64)
    np.cumsum(np.bincount(node, minlength=nodes), out=first[1:])
    return Incidence(first, segment[order], ends[:, ::-1].T.ravel()[order])


class Graph:
    """Struct of arrays; rows of nodes and segments in the order of their ids, which are never used again.

    position   (node, xyz) um          ends        (segment, 2) rows of the nodes that a segment joins
    node_id    (node)                  segment_id  (segment)
    nodes      name -> (node)          segments    name -> (segment), of the declared quantities

    >>> graph = Graph([Quantity("pressure", "mmHg")], [Quantity("length", "um", extensive=True)])
    >>> graph.add_nodes([[0, 0, 0], [100, 0, 0]]).tolist()
    [0, 1]
    >>> graph.add_segments([[0, 1]], length=100.0).tolist()
    [0]
    >>> graph.split(0, 0.25)
    2
    >>> graph.position[2].tolist(), graph.ends.tolist(), graph.segments["length"].tolist()
    ([25.0, 0.0, 0.0], [[0, 2], [2, 1]], [25.0, 75.0])
    """

    def __init__(self, nodes: Sequence[Quantity], segments: Sequence[Quantity]):
        self.declared = {"nodes": {q.name: q for q in nodes}, "segments": {q.name: q for q in segments}}
        self.position = np.zeros((0, 3))
        self.ends = np.zeros((0, 2), np.int64)
        self.node_id, self.segment_id = np.zeros(0, np.int64), np.zeros(0, np.int64)
        self.nodes: dict[str, np.ndarray] = {q.name: np.zeros(0, q.dtype) for q in nodes}
        self.segments: dict[str, np.ndarray] = {q.name: np.zeros(0, q.dtype) for q in segments}
        self.next_node = self.next_segment = 0
        self.version = 0  # rises with every change of what is joined to what

    @property
    def n_nodes(self) -> int:
        """How many nodes there are."""
        return len(self.position)

    @property
    def n_segments(self) -> int:
        """How many segments there are."""
        return len(self.ends)

    # -- growing and shrinking --------------------------------------------------------------------------------------

    def add_nodes(self, position: Any, **values: Any) -> np.ndarray:
        """Rows of new nodes at (node, xyz) um. Raises GraphError for places that are no numbers or unknown names."""
        position = np.asarray(position, float).reshape(-1, 3)
        if not np.isfinite(position).all():
            raise GraphError("Graph: a node has no place; expected three finite numbers, um")
        rows = np.arange(self.n_nodes, self.n_nodes + len(position))
        self.position = np.concatenate([self.position, position])
        self.node_id = np.concatenate([self.node_id, self.next_node + np.arange(len(rows))])
        self.next_node += len(rows)
        self._grow("nodes", len(rows), values)
        return rows

    def add_segments(self, ends: Any, **values: Any) -> np.ndarray:
        """Rows of new segments between rows of nodes (segment, 2). Raises GraphError for a loop from a node to itself
        and for nodes that are not there."""
        ends = np.asarray(ends, np.int64).reshape(-1, 2)
        if len(ends) and (ends.min() < 0 or ends.max() >= self.n_nodes):
            raise GraphError(f"Graph: a segment ends at a node that is not there; rows are 0 to {self.n_nodes - 1}")
        if (ends[:, 0] == ends[:, 1]).any():
            raise GraphError("Graph: a segment leads from a node to itself; expected two nodes")
        rows = np.arange(self.n_segments, self.n_segments + len(ends))
        self.ends = np.concatenate([self.ends, ends])
        self.segment_id = np.concatenate([self.segment_id, self.next_segment + np.arange(len(rows))])
        self.next_segment += len(rows)
        self._grow("segments", len(rows), values)
        return rows

    def _grow(self, which: str, count: int, values: Mapping[str, Any]) -> None:
        declared, arrays = self.declared[which], getattr(self, which)
        unknown = set(values) - set(declared)
        if unknown:
            raise GraphError(f"Graph: no quantity of {which} is called {', '.join(sorted(unknown))}")
        for name, quantity in declared.items():
            new: np.ndarray = np.empty(count, quantity.dtype)
            new[:] = values.get(name, quantity.default)
            arrays[name] = np.concatenate([arrays[name], new])
        self.version += 1

    def join(self, other: Graph) -> None:
        """Take in all nodes and segments of another graph with the same quantities, under new ids."""
        rows = self.add_nodes(other.position, **other.nodes)
        self.add_segments(rows[other.ends], **other.segments)

    def split(self, segment: int, where: float, **values: Any) -> int:
        """Row of a new node in a segment, at a share `where` of it (0 to 1, not its ends). The part towards its first
        node keeps its row and id; both parts have its quantities, extensive ones by their shares. values: of the node.
        """
        if not 0.0 < where < 1.0:
            raise GraphError(f"Graph: a segment is split at {where}; expected a share between 0 and 1")
        a, b = self.ends[segment]
        node = int(self.add_nodes(self.position[a] + where * (self.position[b] - self.position[a]), **values)[0])
        rest = {
            name: array[segment] * ((1.0 - where) if self.declared["segments"][name].extensive else 1)
            for name, array in self.segments.items()
        }
        for name, array in self.segments.items():
            if self.declared["segments"][name].extensive:
                array[segment] *= where
        self.ends[segment, 1] = node
        self.add_segments([[node, b]], **rest)
        return node

    def remove_segments(self, rows: Any) -> np.ndarray:
        """Take segments out, and the nodes that nothing is joined to any more; returns the ids of those nodes."""
        keep = np.ones(self.n_segments, np.bool_)
        keep[np.asarray(rows, np.int64)] = False
        self.ends, self.segment_id = self.ends[keep], self.segment_id[keep]
        self.segments = {name: array[keep] for name, array in self.segments.items()}
        held = np.zeros(self.n_nodes, np.bool_)
        held[self.ends] = True
        gone = self.node_id[~held]
        self.ends = (np.cumsum(held) - 1)[self.ends]
        self.position, self.node_id = self.position[held], self.node_id[held]
        self.nodes = {name: array[held] for name, array in self.nodes.items()}
        self.version += 1
        return gone

    # -- what is joined to what -------------------------------------------------------------------------------------

    def incidence(self) -> Incidence:
        """Segments by node."""
        return incidence_of(self.ends, self.n_nodes)

    def degree(self) -> np.ndarray:
        """(node) how many segments meet there."""
        return np.bincount(self.ends.ravel(), minlength=self.n_nodes)

    def components(self) -> np.ndarray:
        """(node) number of the connected part that a node belongs to, in the order of their first nodes."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        joined = coo_array((np.ones(self.n_segments), self.ends.T), (self.n_nodes, self.n_nodes))
        label = connected_components(joined, directed=False)[1]
        _, first = np.unique(label, return_index=True)
        rank = np.empty(len(first), np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        return rank[label]

    def distances(self) -> np.ndarray:
        """(segment) um between its ends, as the crow flies."""
        return np.linalg.norm(self.position[self.ends[:, 1]] - self.position[self.ends[:, 0]], axis=1)

    # -- copying, saving, comparing ---------------------------------------------------------------------------------

    def copy(self) -> Graph:
        """An independent graph with the same content."""
        return copy.deepcopy(self)

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything a checkpoint keeps, by name."""
        out = {name: getattr(self, name) for name in ("position", "ends", "node_id", "segment_id")}
        out |= {f"node.{name}": array for name, array in self.nodes.items()}
        out |= {f"segment.{name}": array for name, array in self.segments.items()}
        return out | {"next": np.array([self.next_node, self.next_segment])}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what `arrays` gave."""
        for name in ("position", "ends", "node_id", "segment_id"):
            setattr(self, name, np.array(arrays[name]))
        self.nodes = {name: np.array(arrays[f"node.{name}"]) for name in self.nodes}
        self.segments = {name: np.array(arrays[f"segment.{name}"]) for name in self.segments}
        self.next_node, self.next_segment = (int(v) for v in arrays["next"])
        self.version += 1

    def digest(self, h: Any) -> None:
        """Feed everything to a hash."""
        for array in self.arrays().values():
            h.update(np.ascontiguousarray(array).tobytes())
