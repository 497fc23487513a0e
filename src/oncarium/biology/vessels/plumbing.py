"""Pressures of a network of conductances: one sparse system, whose factors are kept while little changes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .paths import on_paths
from .state import FLOW, PRESSURE

TURN = 12  # steps of conjugate gradients after which factors are made anew
EXACT, GOOD = 1e-16, 1e-12  # residual over the right side: the search ends, and may end where it stalls twice


class Plumbing:
    """Which segments can carry blood, and the pressures in them.

    ends    (segment, 2) rows of nodes     nodes   how many
    kind    (node) PRESSURE and FLOW are ends, all others inner nodes
    given   (node) mmHg of an end of known pressure; nl/min into the network of one of known flow
    open    (segment) whether blood can pass

    solved     (node) whether its pressure is defined: something holds the pressure of its part
    carrying   (segment) whether blood can flow there: it lies on a path between two ends of a part in which a pressure
               is held and not all of them are equal. All else carries exactly nothing.

    >>> way = Plumbing(np.array([[0, 1], [1, 2], [1, 3]]), 4, np.array([1, 0, 1, 0]), np.array([30.0, 0, 10, 0]))
    >>> way.pressures(np.array([1.0, 1.0, 5.0])).tolist(), way.carrying.tolist()
    ([30.0, 20.0, 10.0, 20.0], [True, True, False])
    """

    def __init__(
        self, ends: np.ndarray, nodes: int, kind: np.ndarray, given: np.ndarray, open: np.ndarray | None = None
    ):
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        self.open = np.ones(len(ends), np.bool_) if open is None else np.array(open, np.bool_)
        self.ends, self.nodes = ends, nodes
        held, flowing = kind == PRESSURE, (kind == FLOW) & (given != 0.0)
        joined = coo_array((np.ones(int(self.open.sum())), ends[self.open].T), (nodes, nodes))
        count, part = connected_components(joined, directed=False)
        high, low, flows = np.full(count, -np.inf), np.full(count, np.inf), np.zeros(count, np.bool_)
        np.maximum.at(high, part[held], given[held])
        np.minimum.at(low, part[held], given[held])
        flows[part[flowing]] = True
        has = np.isfinite(high)
        self.solved = has[part]
        moves = (has & ((high > low) | flows))[part]
        self.carrying = on_paths(ends, nodes, self.open, (held | flowing) & moves)
        self.held, self.given = held, np.where(held, given, 0.0)
        self.inflow = np.where(flowing & self.solved, given, 0.0)
        self.free = np.flatnonzero(self.solved & ~held)
        self._lay_out()
        self.lu: Any = None
        self.reference = np.zeros(len(ends))  # conductances that the factors belong to

    def _lay_out(self) -> None:
        """Where each segment goes in the matrix of the free nodes."""
        number = np.full(self.nodes, -1, np.int64)
        number[self.free] = np.arange(len(self.free))
        a, b = number[self.ends[:, 0]], number[self.ends[:, 1]]
        size = max(len(self.free), 1)
        k = np.arange(len(self.ends))
        entries = [(a, a, 1.0), (b, b, 1.0), (a, b, -1.0), (b, a, -1.0)]
        real = [(r >= 0) & (c >= 0) & self.open for r, c, _ in entries]
        row = np.concatenate([r[m] for (r, _, _), m in zip(entries, real)])
        col = np.concatenate([c[m] for (_, c, _), m in zip(entries, real)])
        self.source = np.concatenate([k[m] for m in real])
        self.sign = np.concatenate([np.full(m.sum(), s) for (_, _, s), m in zip(entries, real)])
        places, self.place = np.unique(col * size + row, return_inverse=True)
        self.indices = (places % size).astype(np.int32)
        self.indptr = np.searchsorted(places, np.arange(len(self.free) + 1) * size).astype(np.int32)
        self.edge = [
            (np.flatnonzero(self.open & (x >= 0) & self.held[self.ends[:, 1 - side]]), side)
            for side, x in ((0, a), (1, b))
        ]
        self.number = number

    def matrix(self, conductance: np.ndarray) -> Any:
        """The system's matrix, (free node, free node), nl/min per mmHg."""
        from scipy.sparse import csc_array

        data = np.bincount(self.place, self.sign * conductance[self.source], len(self.indices))
        return csc_array((data, self.indices, self.indptr), (len(self.free), len(self.free)))

    def right_side(self, conductance: np.ndarray) -> np.ndarray:
        """(free node) nl/min that would enter if all free pressures were 0."""
        out = self.inflow[self.free].copy()
        for rows, side in self.edge:
            near, far = self.ends[rows, side], self.ends[rows, 1 - side]
            out += np.bincount(self.number[near], conductance[rows] * self.given[far], len(self.free))
        return out

    def pressures(self, conductance: np.ndarray, near: np.ndarray | None = None, error: float = GOOD) -> np.ndarray:
        """(node) mmHg, nan where nothing defines it.

        conductance (segment) nl/min/mmHg      near   (node) a guess, e.g. of the last time
        error       what may be left of the balance of a node, as a share of the largest inflow; at GOOD, rounding
        """
        out = np.where(self.solved, self.given, np.nan)
        if len(self.free):
            matrix, right = self.matrix(conductance), self.right_side(conductance)
            guess = None if near is None else near[self.free]
            x = self._descend(matrix, right, guess, error) if self.lu is not None else None
            if x is None:
                self._factorize(matrix, conductance)
                x = self._descend(matrix, right, None, error)
            if x is None:  # conductances too far apart for the residual that we ask for
                x = self.lu.solve(right)
            out[self.free] = x
        return out

    def _factorize(self, matrix: Any, conductance: np.ndarray) -> None:
        from scipy.sparse.linalg import splu

        self.reference = conductance.copy()
        options = {"SymmetricMode": True}
        self.lu = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)

    def _descend(self, matrix: Any, right: np.ndarray, x: np.ndarray | None, error: float) -> np.ndarray | None:
        """Conjugate gradients with the kept factors; None where they lead nowhere soon."""
        x = self.lu.solve(right) if x is None or not np.isfinite(x).all() else x
        scale = float(np.abs(right).max())
        r = right - matrix @ x
        d, rz, before, stalls = np.zeros(len(x)), 1.0, math.inf, 0
        for turn in range(TURN + 1):
            left = float(np.abs(r).max())
            stalls = stalls + 1 if left > 0.5 * before else 0
            done = left <= error * scale and (error > GOOD or stalls == 2)  # no more than rounding is left
            if done or left <= EXACT * scale:
                return x
            if turn == TURN:
                break
            z = self.lu.solve(r)
            new = float((r * z).sum())
            if new <= 0.0:
                return x
            d = z + (new / rz) * d
            ad = matrix @ d
            curve = float((d * ad).sum())
            if curve <= 0.0:
                break
            x = x + (new / curve) * d
            r = r - (new / curve) * ad if error > GOOD else right - matrix @ x
            rz, before = new, left
        return x if left <= error * scale else None

    def refactorize(self, reference: np.ndarray) -> None:
        """Make the factors that belong to these conductances, as they were when a run was saved."""
        if len(self.free) and reference.any():
            self._factorize(self.matrix(reference), reference)
