"""Sweeps and cycles against the memory bandwidth of the same working set, on one thread: python
benchmarks/bench_fields.py"""

from __future__ import annotations

import numpy as np
from timing import spread, take_turns, triad

from oncarium.engine.kernels import cycle, multigrid
from oncarium.engine.kernels.hierarchy import build
from oncarium.engine.kernels.lod import coefficients, lod_steps, plane_starts


def lod(shape: tuple[int, int, int], steps: int):
    """Call and the least bytes it must move: every sweep reads and writes every value once."""
    value = np.ones(shape)
    table = coefficients(shape, (20, 20, 20), 1e5, 0.1, 0.01)
    index, held = np.empty(0, np.int64), np.empty(0)
    start = plane_starts(index, shape)
    sweeps = sum(n > 1 for n in shape)
    return lambda: lod_steps(value, table, start, index, held, steps), 16 * value.size * sweeps * steps


def v_cycle(shape: tuple[int, int, int], times: int):
    """Call and the least bytes it must move: four relaxations of
    32, a restriction of 24 and a prolongation of 16 per voxel."""
    levels = build(shape, (20, 20, 20), 1e5, np.array([np.inf] * 6))
    work = multigrid.workspace(sum(levels.voxels))
    value = np.full(shape, 38.0)
    source, inflow, demand = np.zeros(shape), np.zeros(shape), np.full(shape, 5.0)
    uptake, held = (demand, multigrid.NOTHING, 1.0), (multigrid.NO_INDEX, multigrid.NO_VALUE)
    e = cycle.Equations(value, source, inflow, 0.1, *uptake, *held, False, *work, levels.levels, 0, 1)
    cycle.prepare(e, True)
    cycle.coarsen_all(e)

    def run() -> None:
        for _ in range(times):
            cycle.cycle(e, value, multigrid.NO_VALUE, 0, 0)

    return run, 168 * sum(levels.voxels) * times


def main() -> None:
    print(f"{'kernel':<10}{'voxels':>16}{'share of triad bandwidth':>34}{'ns per voxel':>16}")
    for shape, arrays in (((1, 50, 50), 1), ((1, 75, 75), 1), ((64, 64, 64), 1)):
        for name, make, sets in (("LOD", lod, 1), ("V-cycle", v_cycle, 5)):
            repeats = max(1, 2_000_000 // int(np.prod(shape)))
            run, moved = make(shape, repeats)
            stream, streamed = triad(8 * int(np.prod(shape)) * sets * arrays)
            seconds = take_turns({"ours": run, "triad": stream})
            share = [moved / a / (streamed / b) for a, b in zip(seconds["ours"], seconds["triad"])]
            each = [1e9 * a / repeats / np.prod(shape) for a in seconds["ours"]]
            print(f"{name:<10}{shape!s:>16}{spread(share):>34}{sorted(each)[len(each) // 2]:>16.2f}")


if __name__ == "__main__":
    main()
