"""Factors that are solved together: those with one mobility map and the same kind of faces, found by what they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from .fields import Fields
from .kernels import mesh as levels_of
from .kernels import together
from .kernels.lanes import WIDTH
from .threads import shared, take

# voxels up to which so many factors of a group are faster together than one by one, whose rows are shared among threads
WORTH = ((2, 5_000), (3, 50_000), (6, 1_000_000_000))
MOST_CYCLES = 60


class Groups:
    """Blocks of at most eight factors, and the levels that they share. Who is solved beside whom changes no digit."""

    def __init__(self) -> None:
        self.meshes: dict[tuple, tuple[levels_of.Mesh, levels_of.Walls]] = {}
        self.keys: dict[int, tuple] = {}
        self.flows: dict[tuple, levels_of.Flow] = {}
        self.rooms: dict[tuple, list[np.ndarray]] = {}

    def forget(self) -> None:
        """After a coefficient of the fields has changed."""
        self.meshes.clear()
        self.keys.clear()
        self.flows.clear()

    def key(self, fields: Fields, f: int) -> tuple:
        """What factors of one group have in common: mobility, and diffusion / permeability of their faces."""
        if f not in self.keys:
            mobility, faces = fields.mobility_of(f), fields.face_permeability(f)
            with np.errstate(divide="ignore"):
                slip = np.where(faces > 0.0, fields.diffusion[f] / faces, np.inf)
            same = None if mobility is None else hashlib.blake2b(np.ascontiguousarray(mobility).data).digest()
            self.keys[f] = (same, tuple(slip.tolist()))
        return self.keys[f]

    def find(self, fields: Fields, factors: Iterable[int], least: int = 0) -> list[tuple[tuple, list[int]]]:
        """Groups of at least so many of the factors, by their keys (0: as many as are worth it); what does not move is
        in none."""
        found: dict[tuple, list[int]] = {}
        for f in factors:
            if fields.diffusion[f] > 0.0:
                found.setdefault(self.key(fields, f), []).append(f)
        least = least or next(count for count, most in WORTH if fields.value[:1].size <= most)
        return [(key, members) for key, members in found.items() if len(members) >= least]

    def solve(
        self, fields: Fields, groups: list[tuple[tuple, list[int]]], rate: np.ndarray, carried: np.ndarray,
        tolerance: np.ndarray, threads: int,
    ) -> together.Outcome:  # fmt: skip
        """One implicit step, or a steady state, of all groups in place. rate, carried (factor) 1/min: besides the
        factors' decay, and of the present value; tolerance (factor) concentration."""
        count = len(fields.names)
        out = together.outcome(count)
        value, supply, demand, capacity = (
            a.reshape(count, -1) for a in (fields.value, fields.supply, fields.demand, fields.capacity)
        )
        fixed, held = np.empty((0, 0), np.bool_), together.NOWHERE
        if fields.fixed is not None and fields.fixed_value is not None:
            fixed, held = fields.fixed.reshape(count, -1), fields.fixed_value.reshape(count, -1)
        equations = together.Equations(
            value, supply, demand, capacity, self._inflow(fields, groups), fixed, held, fields.diffusion,
            fields.convection, fields.decay + rate, carried, fields.michaelis, tolerance,
        )  # fmt: skip
        rooms = self.rooms.setdefault(fields.grid.shape, [])
        tasks = []
        for key, members in groups:
            levels, walls = self._mesh(fields, key)
            pieces = -(-len(members) // WIDTH)
            tasks += [(np.array(members[p::pieces]), levels, walls.closed) for p in range(pieces)]

        def solve(task: tuple) -> None:
            rows, levels, closed = task
            room = rooms.pop() if rooms else together.workspace(levels)
            together.solve(rows, equations, levels, closed, room, MOST_CYCLES, out)
            rooms.append(room)

        take(solve, tasks, threads if shared(fields.value[0].size * len(tasks) * WIDTH, threads) else 1)
        return out

    def _mesh(self, fields: Fields, key: tuple) -> tuple[levels_of.Mesh, levels_of.Walls]:
        if key not in self.meshes:
            f = next(f for f, own in self.keys.items() if own == key)
            grid, slip = fields.grid, np.array(key[1])
            open_faces = tuple(np.isfinite(slip).tolist())
            if open_faces not in self.flows:
                self.flows[open_faces] = levels_of.flow(grid.shape, grid.spacing, np.array(open_faces), fields.velocity)
            fluid = self.flows[open_faces]
            self.meshes[key] = levels_of.mesh(grid.shape, grid.spacing, slip, fields.mobility_of(f), fluid)
        return self.meshes[key]

    def _inflow(self, fields: Fields, groups: list[tuple[tuple, list[int]]]) -> np.ndarray:
        """(factor, voxel) concentration/min that faces bring, empty where all are closed."""
        if all(self._mesh(fields, key)[1].closed for key, _ in groups):
            return together.NOWHERE
        inflow = np.zeros((len(fields.names), fields.value[0].size))
        for key, members in groups:
            walls = self._mesh(fields, key)[1]
            if not walls.closed:
                for f in members:
                    moved, flown = walls.moved @ fields.outside[f], walls.flown @ fields.outside[f]
                    inflow[f] = fields.diffusion[f] * moved + fields.convection[f] * flown
        return inflow
