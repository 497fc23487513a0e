"""Sweeps and cycles against the memory bandwidth of the same working set, on one thread: python
benchmarks/bench_fields.py"""

from __future__ import annotations

import numpy as np
from timing import spread, take_turns, triad

from oncarium.biology.transport import Transport
from oncarium.engine.cells import Cells
from oncarium.engine.fields import Fields, Grid
from oncarium.engine.kernels import cycle, multigrid
from oncarium.engine.kernels.hierarchy import build
from oncarium.engine.kernels.lod import coefficients, lod_steps, plane_starts
from oncarium.engine.process import Tick
from oncarium.engine.tissue import Tissue


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


def side_by_side(shape: tuple[int, int, int], factors: int, threads: int = 1):
    """Calls that take one backward Euler step of 6 min, together and one by one, and how many cycles each has taken."""
    random = np.random.default_rng(1)

    def transport(least: int):
        names = [f"f{i}" for i in range(factors)]
        fields = Fields(Grid((0, 0, 0), (20, 20, 20), shape), names, diffusion=[1e3] * factors, decay=[0.01] * factors)
        fields.mobility = np.exp(0.3 * random.normal(size=shape))
        fields.value[:] = 1.0
        ours = Transport(6.0, dict.fromkeys(names, "backward-euler"))
        tissue = Tissue(Cells((), ("tumor",), {"factor": tuple(names)}), fields)
        ours.prepare(tissue)
        ours.threads = threads
        find = ours.groups.find
        ours.groups.find = lambda fields, members: find(fields, members, least)

        def run() -> None:
            fields.supply[:] = 0.1 * random.random(fields.shape)
            ours.step(tissue, Tick(0, 0.0, 6.0, 1))

        return run, ours

    return transport(1), transport(factors + 1)


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
    print(f"\n{'one step of':<14}{'voxels':>16}{'together / one by one':>30}{'ns per voxel, factor and cycle':>36}")
    for shape in ((1, 25, 25), (1, 50, 50), (1, 100, 100), (32, 32, 32), (64, 64, 64)):
        for factors in (1, 2, 3, 6, 8):
            (together, ours), (alone, other) = side_by_side(shape, factors)
            seconds = take_turns({"together": together, "alone": alone})
            cells = float(np.prod(shape)) * factors
            cycles = [t.cycles.sum() / max(1, t.solves.sum()) for t in (ours, other)]
            each = [
                1e9 * sorted(s)[len(s) // 2] / cells / c
                for s, c in zip((seconds["together"], seconds["alone"]), cycles)
            ]
            ratio = spread([a / b for a, b in zip(seconds["together"], seconds["alone"])])
            print(f"{factors:>2} factors{'':<4}{shape!s:>16}{ratio:>30}{each[0]:>20.1f} / {each[1]:.1f}")


if __name__ == "__main__":
    main()
