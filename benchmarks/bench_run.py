"""Whole runs: speed, accuracy of fields, cost of recording, memory per cell, many cells, start-up: python
benchmarks/bench_run.py [part ...]"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from timing import spread, take_turns

import oncarium as oc


def speed() -> None:
    """Simulated minutes per second of hypoxic_tumor, nothing recorded, start-up excluded, for 1 and 2 threads."""
    state = oc.Simulation(oc.load("hypoxic_tumor"), seed=1)
    state.run("2 h")
    copies = {f"{n} thread{'s' * (n > 1)}": oc.Simulation(oc.load("hypoxic_tumor"), seed=1, threads=n) for n in (1, 2)}

    def six_hours(simulation: oc.Simulation) -> None:
        simulation.restore(state.state())
        simulation.run("8 h")

    seconds = take_turns({name: lambda s=s: six_hours(s) for name, s in copies.items()}, 5)
    for name, values in seconds.items():
        print(
            f"hypoxic_tumor, {state.tissue.cells.n} cells, {name}: {spread([360 / v for v in values])} simulated min/s"
        )
    print(copies["1 thread"].plan)


def fields() -> None:
    """Largest difference of oxygen to a converged solution of the same sources during 6 h."""
    simulation = oc.Simulation(oc.load("hypoxic_tumor"), seed=1)
    transport = next(p for p in simulation.plan.processes if p.name == "Transport")
    fine = type(transport)(transport.period, transport.solver, {name: 1e-7 for name in simulation.tissue.fields.names})
    fine.prepare(simulation.tissue)
    oxygen, step, errors = simulation.tissue.fields.index("oxygen"), transport.step, []

    def watched(tissue, tick) -> None:
        step(tissue, tick)
        kept = tissue.fields.value.copy()
        fine._know(tissue.fields)
        fine._measure(tissue.fields, tick.dt)
        fine.chosen[oxygen] = "quasi-steady"
        fine._quasi_steady(tissue.fields, oxygen, tick.dt)
        errors.append(np.abs(tissue.fields.value[oxygen] - kept[oxygen]).max())
        tissue.fields.value[...] = kept

    transport.step = watched
    simulation.run("6 h")
    print(f"oxygen against a converged solution, every tick of 6 h: largest difference {max(errors):.2g} mmHg")


def recording() -> None:
    """Time of a run that records (frames each hour, fields each second hour) over the same run that does not."""
    model = oc.load("hypoxic_tumor").with_({"until": "12 h"})
    with tempfile.TemporaryDirectory() as folder:
        ways = {
            "recorded": lambda: oc.run(model, seed=1, out=Path(folder) / "run", overwrite=True),
            "bare": lambda: oc.Simulation(model, seed=1).run("12 h"),
        }
        seconds = take_turns(ways, 5)
    percent = spread([100 * (a / b - 1) for a, b in zip(seconds["recorded"], seconds["bare"])])
    print(f"recording costs {percent} % of the run")


def memory() -> None:
    """Bytes of all columns per cell."""
    cells = oc.Simulation(oc.load("hypoxic_tumor"), seed=1).tissue.cells
    print(f"hypoxic_tumor: {cells.bytes_per_cell} bytes per cell in {len(cells.columns)} columns")


MANY = """
title: a million cells
domain: {x: [-880 um, 880 um], y: [-880 um, 880 um], z: [-880 um, 880 um], voxel: 20 um}
clock: {transport: 2 min, mechanics: 2 min, phenotype: 10 min}
until: 10 min
factors: {oxygen: {library: oxygen, boundary: 38 mmHg}}
cells: {tumor: {library: tumor_simple, secretion: {uptake: {oxygen: 10 1/min assumed}}}}
initial: [{cells: tumor, ball: {radius: 866 um}, packing: hexagonal, spacing: 15.6 um}]
"""


def million() -> None:
    """Ten minutes of about a million cells in 3-D: seconds and the most memory of the process."""
    code = (
        f"import time, oncarium as oc\nfrom oncarium.model.model import Model\nstart = time.perf_counter()\n"
        f"s = oc.Simulation(Model.from_text({MANY!r}), seed=1)\nmade = time.perf_counter()\ns.run('10 min')\n"
        f"took = time.perf_counter() - made\n"
        f"print(f'{{s.tissue.cells.n:,}} cells: made in {{made - start:.0f}} s, 10 min in {{took:.0f}} s')\n"
        f"print(s.plan)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    print(done.stdout or done.stderr, end="")
    print(f"most memory of any child: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20:.2f} GiB")


def start() -> None:
    """First run after installation (empty cache) and a cached start:
    seconds to the first word and to the end of a 3 min run."""
    clean = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    with tempfile.TemporaryDirectory() as folder:
        for name in ("empty cache", "cached"):
            began = time.perf_counter()
            words = ["run", "hypoxic_tumor", "--until", "3 min", "--no-report", "--overwrite", "-o", f"{folder}/run"]
            child = subprocess.Popen(
                [sys.executable, "-m", "oncarium", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env=clean | {"ONCARIUM_CACHE": f"{folder}/cache"},
            )  # fmt: skip
            child.stdout.read(1)
            first = time.perf_counter() - began
            child.communicate()
            whole = time.perf_counter() - began
            print(f"{name}: first word after {first:.1f} s, a run of 3 min ends after {whole:.1f} s")


def microenvironment() -> None:
    """`reference` with everything switched on: simulated minutes
    per second on its fifth day, bytes per cell, its plan."""
    simulation = oc.Simulation(oc.load("reference"), seed=1)
    simulation.run("4 day")
    simulation.plan.forget_times()
    began = time.perf_counter()
    simulation.run("5 day")
    seconds = time.perf_counter() - began
    cells = simulation.tissue.cells
    print(
        f"reference, {cells.n} cells, {len(simulation.tissue.fields.names)} factors: "
        f"{1440 / seconds:.0f} simulated min/s, 28 days in {28 * seconds:.0f} s at this size; "
        f"{cells.bytes_per_cell} bytes per cell"
    )
    print(simulation.plan)


def cube() -> None:
    """The same tissue as a cube of half a millimeter: its first day."""
    side = ["-250 um", "250 um"]
    crowd = {
        "tumor_macrophage": 400,
        "dendritic": 80,
        "cd8_effector": 300,
        "cd4_helper": 100,
        "treg": 40,
        "nk": 40,
        "fibroblast": 300,
    }
    changes = {
        "domain": {"x": side, "y": side, "z": side, "voxel": "20 um"},
        "matrix": {"density": "0.3 assumed", "membrane": {"ball": {"radius": "142 um"}}, "period": "1 h"},
        "initial": [
            {
                "cells": "carcinoma",
                "ball": {"radius": "60 um"},
                "packing": "hexagonal",
                "spacing": "16 um",
                "with": {"stem.level": "1"},
            },
            {
                "cells": "carcinoma",
                "shell": {"inner": "62 um", "outer": "130 um"},
                "packing": "hexagonal",
                "spacing": "16 um",
            },
            *({"cells": t, "shell": {"inner": "145 um", "outer": "245 um"}, "count": str(n)} for t, n in crowd.items()),
        ],
    }
    simulation = oc.Simulation(oc.load("reference").with_(changes), seed=1)
    simulation.run("1 h")
    began = time.perf_counter()
    simulation.run("25 h")
    seconds = time.perf_counter() - began
    voxels = simulation.tissue.fields.value[0].size
    print(f"reference as a cube, {simulation.tissue.cells.n} cells, {voxels} voxels: a day in {seconds:.0f} s")


PARTS = {f.__name__: f for f in (speed, fields, recording, memory, start, million, microenvironment, cube)}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
