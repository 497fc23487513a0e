"""Blood in networks of 5,000 and 50,000 vessels, and what vessels add to `reference`: processor time of one core.

python benchmarks/bench_vessels.py [network reference]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from timing import spread

import oncarium as oc
from oncarium.biology.vessels.exchange import VesselExchange
from oncarium.biology.vessels.oxygen import way_of
from oncarium.biology.vessels.perfusion import Perfusion
from oncarium.engine.process import Tick
from oncarium.engine.tissue import Tissue

BLOCK = """
name: Block of vessels
domain: {{x: [0 um, {side} um], y: [0 um, {side} um], z: [0 um, {side} um], voxel: 30 um}}
factors:
  oxygen: {{unit: mmHg, diffusion: 120000 um^2/min, decay: 10 1/min, initial: 20 mmHg}}
cells: {{tumor: {{}}}}
initial: [{{cells: tumor, everywhere: {{}}, count: 5}}]
vessels: {{random: {{density: 100 mm/mm^3}}, split: {split}, adapted: false}}
"""
EACH = 2264 / 2.211  # vessels per mm^3 at 100 mm/mm^3


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def breathe(oxygen: VesselExchange, tissue: Tissue) -> None:
    """Oxygen of the blood alone, the order of its vessels included."""
    oxygen.perfused = tissue.vessels.perfused
    oxygen.way = way_of(tissue.vessels.graph, oxygen.perfused)
    oxygen._breathe(tissue)


def network(segments: int, split: str) -> None:
    """First solve, then updates after every radius has changed by up to 0.2 %, with the oxygen of the blood."""
    side = 30 * round(1e3 * (segments / EACH) ** (1.0 / 3.0) / 30)
    simulation = oc.Simulation(oc.Model.from_text(BLOCK.format(side=side, split=split)), 1)
    tissue = simulation.tissue
    flow = next(p for p in simulation.plan.processes if isinstance(p, Perfusion))
    oxygen = next(p for p in simulation.plan.processes if isinstance(p, VesselExchange))
    s, tick = tissue.vessels.graph.segments, Tick(0, 0.0, 1.0, 1)
    anew = Perfusion(separation=split == "separated")
    s["haematocrit"][:] = 0.45
    first = seconds(lambda: anew.update(tissue.vessels))
    flow.update(tissue.vessels)
    blood, air, turns = [], [], []
    for k in range(9):
        s["radius"] *= 1.0 + 0.002 * np.sin(np.arange(len(s["radius"])) + k)
        blood.append(1e3 * seconds(lambda: turns.append(flow.update(tissue.vessels).turns)))
        oxygen._cut(tissue)  # once an hour, when radii have changed
        air.append(1e3 * seconds(lambda: breathe(oxygen, tissue)))
    cut = seconds(lambda: (oxygen.prepare(tissue), oxygen._cut(tissue)))
    oxygen.step(tissue, tick)
    print(
        f"{len(s['radius']):>7} vessels, cells {split:<10} first {1e3 * first:>6.0f} ms   flow and cells "
        f"{spread(blood)} ms in {int(np.median(turns))} turns   oxygen {spread(air)} ms   "
        f"pieces in voxels {1e3 * cut:.0f} ms"
    )


def reference() -> None:
    """Days of `reference` with and without vessels and fluid, in turns."""
    model = oc.load("reference")
    supplied = {"vessels": None, "fluid": None, "exit": []}
    entries = [{**e, "at": "edge"} for e in model.document.tree["entry"]]
    for e in entries:
        e.pop("count", None)
        e["rate"] = "0.0001 1/min assumed"
    bare = model.with_({**supplied, "entry": entries, "factors.oxygen.boundary": "40 mmHg assumed"})
    taken: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(3):
        for name, one in (("with", model), ("without", bare)):
            simulation = oc.Simulation(one, 1)
            simulation.run("2 h")
            taken[name].append(seconds(lambda s=simulation: s.run("14 h")))
    more = [100.0 * (a / b - 1.0) for a, b in zip(taken["with"], taken["without"])]
    print(f"reference, 12 h: {spread(taken['with'])} s, {spread(more)} % more than without vessels and fluid")


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["network", "reference"]
    if "network" in wanted:
        for count in (5_000, 50_000):
            for split in ("uniform", "separated"):
                network(count, split)
    if "reference" in wanted:
        reference()
