"""One evaluation of all velocities with re-used lists, against a naive twin and from 1e4 to 1e6 cells: python
benchmarks/bench_mechanics.py"""

from __future__ import annotations

import sys

import numpy as np
from timing import spread, take_turns

from helpers import add_cells, tissue_of  # isort: skip
from reference import mechanics as twin  # isort: skip
from oncarium.biology.mechanics import Mechanics
from oncarium.engine.fields import Grid


def packed(count: int, threads: int):
    """A dense ball of cells at about their resting distance,
    rows in random order; returns a call for one fixed step."""
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
    mechanics = Mechanics(0.01, method="adams-bashforth")
    mechanics.threads = threads
    tissue = tissue_of([mechanics], Grid((-half,) * 3, (2 * half / voxels,) * 3, (voxels,) * 3))
    add_cells(tissue, points)
    tissue.sort_in_space()
    from oncarium.engine.process import Tick

    return lambda: mechanics.step(tissue, Tick(0, 0.0, 0.001, 1)), mechanics, tissue


def main(threads: int = 2) -> None:
    few = 400
    step, _, tissue = packed(few, 1)
    c = tissue.cells
    names = ("repulsion", "adhesion", "affinity", "movable")
    view = {n: c[f"mechanics.{n}"] for n in names} | {n: c[n] for n in ("id", "type", "position", "radius")}
    view |= {"reach": c["radius"] * 1.25, "wall": np.zeros(1), "motility": np.zeros((few, 3)), "elastic": np.zeros(few)}
    lower, upper = tissue.fields.grid.lower, tissue.fields.grid.upper
    seconds = take_turns({"ours": step, "naive": lambda: twin.velocities(view, (), lower, upper)}, 5)
    times = spread([b / a for a, b in zip(seconds["ours"], seconds["naive"])])
    print(f"naive twin in Python, {few} cells: {times} times as long")
    sizes = (10_000, 100_000, 1_000_000)
    worlds = {f"{n:,}": packed(n, threads) for n in sizes}
    seconds = take_turns({name: world[0] for name, world in worlds.items()})
    small = seconds[f"{sizes[0]:,}"]
    for n, name in zip(sizes, worlds):
        _, mechanics, tissue = worlds[name]
        each = [1e9 * s / n for s in seconds[name]]
        ratio = [s / n / (t / sizes[0]) for s, t in zip(seconds[name], small)]
        print(
            f"{name:>10} cells, {len(mechanics.neighbors.list) / n:.1f} neighbors, {threads} threads: "
            f"{spread(each)} ns per cell and step; {spread(ratio)} of {sizes[0]:,} cells; "
            f"lists built {mechanics.neighbors.rebuilds} times"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
