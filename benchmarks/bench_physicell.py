"""A PhysiCell model here and in PhysiCell itself, built on the same machine:

    python benchmarks/bench_physicell.py EXECUTABLE FOLDER SETTINGS.xml
    [--minutes 360] [--whole 7200] [--threads 2] [--rounds 5]

EXECUTABLE is run in FOLDER on copies of the settings, with the same number of threads and the same saved times as ours.
In every round the contestants take turns, so a busy machine slows them alike; printed are medians and quartiles of
seconds, and of ratios within a round.

--minutes   simulated, start-up excluded: for the peer, the time of a run less that of a run of one step; for ours, the
time of all ticks
            and of recording, in a process that has compiled and built everything. 0 leaves this part out.
--whole     simulated as whole processes, from the command to its end. 0 (or left out) leaves this part out.
--voxels    a wider domain in place of the settings' own: voxels along x, y and z (300 300 1), with 14,000 cells of the
            first type on a jittered lattice of 16 um around its middle
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree as xml

import numpy as np
from timing import spread

import oncarium as oc

MODES = ("physicell", "oncarium")
OURS = """
import json, sys, time
import oncarium as oc
from oncarium.run.recorder import Recorder
file, mode, minutes, threads, out = sys.argv[1], sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
model = oc.load(file, numerics=mode)
warm = oc.Simulation(model, threads=threads)
warm.run(2 * model.clock.phenotype)
simulation = oc.Simulation(model, threads=threads)
every = model.record.cells
start = time.perf_counter()
recorder = Recorder(out, simulation, cells_every=every, fields_every=every, checkpoint_every=1e9)
recorder.see(simulation)
simulation.run(minutes, see=recorder.see)
recorder.close(simulation)
print(json.dumps([time.perf_counter() - start, simulation.tissue.cells.n]))
"""


CROWD, LATTICE = 14_000, 16.0  # cells of the wider domains, and um between them


def wider(settings: Path, folder: Path, voxels: list[int]) -> Path:
    """The settings with other voxels and a crowd in the middle."""
    shutil.copytree(settings.parent, folder, ignore=shutil.ignore_patterns("output*", "*.zarr"))
    tree = xml.parse(settings)
    root = tree.getroot()
    size = [float(root.findtext(f"domain/d{a}", "20")) for a in "xyz"]
    for a, n, h in zip("xyz", voxels, size):
        root.find(f"domain/{a}_min").text, root.find(f"domain/{a}_max").text = str(-n * h / 2), str(n * h / 2)
    flat = voxels[2] == 1
    root.find("domain/use_2D").text = "true" if flat else "false"
    rng, each = np.random.default_rng(1), np.arange(-60, 61) * LATTICE
    x, y, z = np.meshgrid(each, each, [0.0] if flat else np.arange(-20, 21) * LATTICE, indexing="ij")
    place = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    place = place[np.argsort((place**2).sum(axis=1), kind="stable")[:CROWD]]
    place += rng.uniform(-2.0, 2.0, place.shape) * [1.0, 1.0, 0.0 if flat else 1.0]
    kind = root.find("cell_definitions/cell_definition").get("name")
    lines = ["x,y,z,type", *(f"{a},{b},{c},{kind}" for a, b, c in place)]
    (folder / "crowd.csv").write_text("\n".join(lines) + "\n")
    root.find("initial_conditions/cell_positions/filename").text = "crowd.csv"
    tree.write(folder / settings.name)
    return folder / settings.name


def prepare(settings: Path, folder: Path, minutes: float, threads: int) -> Path:
    """A copy of the settings and the files beside them that runs
    so long, with so many threads, and saves into folder/output."""
    config = folder / "config"
    if not config.exists():
        shutil.copytree(settings.parent, config, ignore=shutil.ignore_patterns("output*", "*.zarr"))
    root = xml.parse(settings).getroot()

    def put(path: str, text: object) -> None:
        node = root
        for tag in path.split("/"):
            found = node.find(tag)
            node = xml.SubElement(node, tag) if found is None else found
        node.text = str(text)

    put("overall/max_time", minutes)
    put("parallel/omp_num_threads", threads)
    put("save/folder", folder / "output")
    put("save/full_data/enable", "true")
    put("save/SVG/enable", "false")
    for given in (*root.iter("ruleset"), *root.iter("cell_positions")):
        if given.find("folder") is not None:
            given.find("folder").text = str(config)
    copy = config / f"bench_{minutes:g}.xml"
    xml.ElementTree(root).write(copy)
    return copy


def peer(executable: Path, where: Path, settings: Path, folder: Path, minutes: float, threads: int) -> float:
    """Seconds of a whole process of the peer."""
    file = prepare(settings, folder, minutes, threads)
    shutil.rmtree(folder / "output", ignore_errors=True)
    (folder / "output").mkdir()
    start = time.perf_counter()
    done = subprocess.run([executable, file], cwd=where, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{executable} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds


def steady(settings: Path, folder: Path, mode: str, minutes: float, threads: int) -> tuple[float, int]:
    """Seconds of ticks and recording, and cells at the end."""
    file = prepare(settings, folder, minutes, threads)
    shutil.rmtree(folder / f"{mode}.zarr", ignore_errors=True)
    done = subprocess.run(
        [sys.executable, "-c", OURS, file, mode, str(minutes), str(threads), folder / f"{mode}.zarr"],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stderr)
    seconds, cells = json.loads(done.stdout.splitlines()[-1])
    shutil.rmtree(folder / "run.checkpoints", ignore_errors=True)
    return seconds, cells


def whole(settings: Path, folder: Path, mode: str, minutes: float, threads: int) -> float:
    """Seconds of a whole process of ours."""
    file = prepare(settings, folder, minutes, threads)
    words = ["run", file, "--numerics", mode, "--threads", threads, "-o", folder / mode]
    words += ["--overwrite", "--no-report", "-q"]
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", "oncarium", *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return time.perf_counter() - start


def say(what: str, seconds: dict[str, list[float]]) -> None:
    print(what)
    for name, values in seconds.items():
        ratio = (
            ""
            if name == "peer"
            else f", {spread([a / b for a, b in zip(seconds['peer'], values)])} times the peer's speed"
        )
        print(f"  {name:<22}{spread(values)} s{ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("executable", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("settings", type=Path)
    parser.add_argument("--minutes", type=float, default=360.0)
    parser.add_argument("--whole", type=float, default=0.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--voxels", type=int, nargs=3, default=None)
    given = parser.parse_args()
    executable, where, settings = (p.resolve() for p in (given.executable, given.folder, given.settings))
    step = float(xml.parse(settings).findtext("overall/dt_diffusion", "0.01"))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "runs"
        folder.mkdir()
        if given.voxels:
            settings = wider(settings, Path(temporary) / f"{settings.parent.name}-{given.voxels[0]}", given.voxels)
        cells: dict[str, int] = {}
        parts: dict[str, dict[str, list[float]]] = {
            part: {"peer": [], **{m: [] for m in MODES}} for part in ("steady", "whole")
        }
        for _ in range(max(3, given.rounds)):
            if given.minutes:
                run = peer(executable, where, settings, folder, given.minutes, given.threads)
                cells["peer"] = len(oc.open(folder / "output").cells())
                parts["steady"]["peer"].append(run - peer(executable, where, settings, folder, step, given.threads))
                for mode in MODES:
                    seconds, cells[mode] = steady(settings, folder, mode, given.minutes, given.threads)
                    parts["steady"][mode].append(seconds)
            if given.whole:
                parts["whole"]["peer"].append(peer(executable, where, settings, folder, given.whole, given.threads))
                for mode in MODES:
                    parts["whole"][mode].append(whole(settings, folder, mode, given.whole, given.threads))
    threads = f"{given.threads} thread{'s' * (given.threads > 1)}"
    if given.minutes:
        what = f"{settings.parent.name}, {given.minutes:g} simulated min, start-up excluded, {threads}"
        say(f"{what}, {cells} cells at the end", parts["steady"])
    if given.whole:
        say(f"{settings.parent.name}, {given.whole:g} simulated min as whole processes, {threads}", parts["whole"])


if __name__ == "__main__":
    main()
