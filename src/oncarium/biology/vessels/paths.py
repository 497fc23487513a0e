"""Which segments blood can flow through at all: those that lie on a path between two ends."""

from __future__ import annotations

import numpy as np
from numba import njit

from ...engine.graph import incidence_of


@njit(cache=True, nogil=True)
def _on_paths(first, segment, other, open_, terminal, root, out):
    """Mark the segments in the same block (2-connected part) as an edge between a virtual node and the terminals.

    The virtual node joins all terminals of the part that holds `root`; a depth-first search starts there. The segments
    that were met since a node was entered form a block with it when nothing below reaches above it.
    """
    n = len(first) - 1
    depth = np.full(n, -1, np.int64)
    low = np.empty(n, np.int64)
    at = first[:-1].copy()
    via = np.full(n, -1, np.int64)  # segment by which a node was entered
    path = np.empty(n, np.int64)
    stack = np.empty(len(segment), np.int64)
    mark = np.empty(n, np.int64)  # height of the stack of segments when a node was entered
    for start in root:
        if depth[start] >= 0:
            continue
        # the virtual node has depth 0 and is joined to every terminal: the first one is entered from it
        top = 0
        high = 0
        depth[start] = 1
        low[start] = 0
        path[0] = start
        mark[start] = 0
        while top >= 0:
            node = path[top]
            if at[node] < first[node + 1]:
                i = at[node]
                at[node] += 1
                s = segment[i]
                if not open_[s] or s == via[node]:
                    continue
                to = other[i]
                if depth[to] < 0:
                    depth[to] = depth[node] + 1
                    low[to] = depth[to]
                    if terminal[to]:
                        low[to] = 0
                    via[to] = s
                    mark[to] = high
                    stack[high] = s
                    high += 1
                    top += 1
                    path[top] = to
                elif depth[to] < depth[node]:
                    stack[high] = s
                    high += 1
                    low[node] = min(low[node], depth[to])
            else:
                top -= 1
                if top < 0:
                    for k in range(high):  # what is left hangs together with the virtual node
                        out[stack[k]] = True
                    break
                above = path[top]
                if low[node] >= depth[above]:
                    high = mark[node]  # a block of its own, without the virtual node: nothing flows there
                low[above] = min(low[above], low[node])


def on_paths(ends: np.ndarray, nodes: int, open_: np.ndarray, terminal: np.ndarray) -> np.ndarray:
    """(segment) whether it is open and lies on a path between two different terminals that repeats no node.

    ends   (segment, 2) rows of nodes     open_   (segment) whether blood can pass     terminal   (node)

    Blunt ends, loops on a stalk and islands lie on none.

    >>> ends = np.array([[0, 1], [1, 2], [1, 3], [3, 4], [4, 1]])
    >>> on_paths(ends, 5, np.ones(5, bool), np.array([True, False, True, False, False])).tolist()
    [True, True, False, False, False]
    """
    out = np.zeros(len(ends), np.bool_)
    first, segment, other = incidence_of(ends, nodes)
    _on_paths(first, segment, other, np.asarray(open_, np.bool_), terminal, np.flatnonzero(terminal), out)
    return out
