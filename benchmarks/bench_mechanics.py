"""Mechanics of a growing ball, neighbor lists included, from 1e4 to 1e6 cells; one evaluation of all velocities against
a naive twin; one thread against several: python benchmarks/bench_mechanics.py [THREADS] [LARGEST]"""

from __future__ import annotations

import sys
import time

import numpy as np
from timing import spread, take_turns

from helpers import add_cells, tissue_of  # isort: skip
from reference import mechanics as twin  # isort: skip
from oncarium.biology.mechanics import Mechanics
from oncarium.engine.fields import Grid
from oncarium.engine.process import Tick


def packed(count: int, threads: int, **options):
    """A dense ball of cells at about their resting distance: mechanics and tissue."""
    side = round((count * 1.6) ** (1 / 3)) + 2
    k, j, i = np.meshgrid(*[np.arange(side)] * 3, indexing="ij")
    points = (
        np.stack([i + 0.5 * (j % 2) + 0.5 * (k % 2), 0.866 * (j + (k % 2) / 3), 0.8165 * k], axis=-1).reshape(-1, 3)
        * 15.5
    )
    points -= points.mean(axis=0)
    points = points[np.argsort((points**2).sum(axis=1), kind="stable")][:count]
    rng = np.random.default_rng(1)
    points = rng.permutation(points + rng.normal(0.0, 0.5, points.shape))
    half = float(np.abs(points).max()) + 40.0
    voxels = int(2 * half / 20) + 1
    mechanics = Mechanics(6.0, **options)
    mechanics.threads = threads
    tissue = tissue_of([mechanics], Grid((-half,) * 3, (2 * half / voxels,) * 3, (voxels,) * 3))
    add_cells(tissue, points)
    tissue.sort_in_space()
    return mechanics, tissue


class Growing:
    """Ticks of 6 min in which 0.3 % of the cells divide and all grow back to their size within half a day."""

    def __init__(self, count: int, threads: int):
        self.mechanics, self.tissue = packed(count, threads)
        self.number, self.rng, self.radius = 0, np.random.default_rng(2), self.tissue.cells["radius"][0]

    def tick(self) -> float:
        """Seconds of mechanics per cell and evaluation."""
        cells = self.tissue.cells
        cells["radius"][:] = np.minimum(cells["radius"] * (1.0 + 0.0035 / 1.2), self.radius)
        mothers = np.flatnonzero(self.rng.random(cells.n) < 0.003)
        along = self.rng.normal(size=(len(mothers), 3))
        along *= 0.5 * self.radius / np.linalg.norm(along, axis=1)[:, None]
        add_cells(self.tissue, cells.position[mothers] + along)
        cells = self.tissue.cells
        cells.position[mothers] -= along
        cells["velocity"][mothers] = 0.0
        for rows in (mothers, slice(cells.n - len(mothers), None)):
            cells["radius"][rows] = self.radius * 0.5 ** (1 / 3)
        before, self.number = self.mechanics.evaluations, self.number + 1
        start = time.perf_counter()
        self.mechanics.step(self.tissue, Tick(self.number, 6.0 * self.number, 6.0, 1))
        return (time.perf_counter() - start) / cells.n / (self.mechanics.evaluations - before)


def growth(sizes: list[int], threads: int, rounds: int = 5) -> None:
    """Growing balls of these sizes, in turns."""
    worlds = [Growing(n, threads) for n in sizes]
    for _ in range(2):
        for world in worlds:
            world.tick()
    counts = [(w.mechanics.evaluations, w.mechanics.neighbors.rebuilds) for w in worlds]
    seconds = [[w.tick() for w in worlds] for _ in range(rounds)]
    for n, world, (evaluations, builds), each in zip(sizes, worlds, counts, zip(*seconds)):
        m = world.mechanics
        print(
            f"{n:>10,} growing cells, threads {threads}: {spread([1e9 * s for s in each])} ns per cell and evaluation, "
            f"lists included; {spread([s / turn[0] for s, turn in zip(each, seconds)])} of {sizes[0]:,} cells; per "
            f"tick of 6 min {(m.evaluations - evaluations) / rounds:.1f} evaluations, "
            f"{(m.neighbors.rebuilds - builds) / rounds:.1f} lists built"
        )


def main(threads: int = 2, largest: int = 1_000_000) -> None:
    few = 400
    mechanics, tissue = packed(few, 1, method="adams-bashforth")
    c = tissue.cells
    names = ("repulsion", "adhesion", "affinity", "movable")
    view = {n: c[f"mechanics.{n}"] for n in names} | {n: c[n] for n in ("id", "type", "position", "radius")}
    view |= {"reach": c["radius"] * 1.25, "wall": np.zeros(1), "motility": np.zeros((few, 3)), "elastic": np.zeros(few)}
    lower, upper = tissue.fields.grid.lower, tissue.fields.grid.upper
    turns = {
        "ours": lambda: mechanics.step(tissue, Tick(0, 0.0, 0.001, 1)),
        "naive": lambda: twin.velocities(view, (), lower, upper),
    }
    seconds = take_turns(turns, 5)
    times = spread([b / a for a, b in zip(seconds["ours"], seconds["naive"])])
    print(f"naive twin in Python, {few} cells: {times} times as long")
    growth([n for n in (10_000, 100_000, 1_000_000) if n <= largest], threads)
    for n in (2_000, 100_000):
        one, several = Growing(n, 1), Growing(n, threads)
        seconds = take_turns({"one": one.tick, "several": several.tick}, 9)
        times = spread([a / b for a, b in zip(seconds["one"], seconds["several"])])
        print(f"{n:>10,} cells: {threads} threads are {times} times as fast as one")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
