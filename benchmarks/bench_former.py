"""The same model texts run by an earlier commit and by this one, in turns, on one thread each:

    python benchmarks/bench_former.py SOURCES [--rounds 3] [--whole]

SOURCES is the `src` folder of the earlier commit. Printed are ms per tick (medians and quartiles) of processor time,
nothing recorded, and the ratio within a round. The texts (models/*_8f04c71.yaml) have their library written out.

--whole     the 28 days of `reference`, once, by this commit alone
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from timing import fma_rate, spread

MODELS = Path(__file__).parent / "models"
# name, text, one cell of so many stays, spacing of a nest that fills the box (um, 0: as the text says), minutes
CASES = (
    ("hypoxic_tumor", "hypoxic_tumor", 1, 0.0, 360),
    ("reference", "reference", 1, 0.0, 360),
    ("reference, few cells", "reference", 88, 0.0, 720),
    ("reference, 5,400 cells", "reference", 1, 11.9, 120),
)
CODE = """
import json, sys, time
import numpy as np
import oncarium as oc
text, one_of, spacing, minutes = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
model = oc.load(text)
if spacing:
    place = {"cells": "carcinoma", "ring": {"inner": "62 um", "outer": "430 um"}, "packing": "hexagonal"}
    others = [p for p in model.document.tree["initial"] if "ring" not in p or p["cells"] != "carcinoma"]
    model = model.with_({"initial": [*others, {**place, "spacing": f"{spacing} um"}]})
simulation = oc.Simulation(model, seed=1, threads=1)
cells = simulation.tissue.cells
if one_of > 1:
    cells.reorder(np.arange(0, cells.n, one_of))
simulation.run(60)
before, began = simulation.tissue.tick, time.process_time()
simulation.run(60 + minutes)
print(json.dumps([1e3 * (time.process_time() - began) / (simulation.tissue.tick - before), cells.n]))
"""


def milliseconds(sources: str, text: Path, *told: float) -> tuple[float, int]:
    """Per tick, and how many cells there are."""
    cache = os.environ.get("ONCARIUM_CACHE", os.path.expanduser("~/.cache/oncarium"))
    known = os.environ | {"PYTHONPATH": sources, "ONCARIUM_CACHE": f"{cache}-{Path(sources).parent.name}"}
    words = [sys.executable, "-c", CODE, str(text), *(str(x) for x in told)]
    done = subprocess.run(words, capture_output=True, text=True, env=known)
    if done.returncode:
        sys.exit(done.stderr)
    ms, cells = json.loads(done.stdout.splitlines()[-1])
    return ms, cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--whole", action="store_true")
    given = parser.parse_args()
    ways = {"before": str(given.sources.resolve()), "now": str(Path(__file__).parents[1] / "src")}
    for name, text, *told in CASES:
        file, ms, cells = MODELS / f"{text}_8f04c71.yaml", {way: [] for way in ways}, {}
        for sources in ways.values():
            milliseconds(sources, file, *told[:-1], 12)  # compiles
        for _ in range(max(2, given.rounds)):
            for way, sources in ways.items():
                one, cells[way] = milliseconds(sources, file, *told)
                ms[way].append(one)
        ratio = spread([a / b for a, b in zip(ms["before"], ms["now"])])
        print(
            f"{name}, {cells} cells: {spread(ms['before'])} ms per tick before, {spread(ms['now'])} now, {ratio} times"
        )
    print(f"one thread of this machine: {fma_rate():.1f} billion multiplications with an addition a second")
    if given.whole:
        ms, cells = milliseconds(ways["now"], MODELS / "reference_8f04c71.yaml", 1, 0.0, 28 * 1440)
        print(f"reference, 28 days: {ms * 28 * 240 / 1e3:.0f} s, {cells} cells at the end")


if __name__ == "__main__":
    main()
