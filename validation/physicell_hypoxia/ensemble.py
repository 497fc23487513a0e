"""The published hypoxia model, many seeds, against recorded runs of PhysiCell 1.14.2: python
validation/physicell_hypoxia/ensemble.py CASES [--seeds 20]

CASES is the folder with grammar_models/hypoxia and gold_physicell_ensembles. Every hour of six, every quantity: z with
the combined standard error. `fine` runs PhysiCell's own numerics with a tenth of its time step of diffusion: where its
numerics lead when its splitting error goes."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import oncarium as oc

HERE = Path(__file__).parent
QUANTITIES = (
    "n",
    "dead",
    "live_tumor",
    "live_motile_tumor",
    "mean_volume",
    "mean_pressure",
    "Rg",
    "sub0_mean",
    "sub0_min",
)
HOURS = range(60, 361, 60)


def measure(simulation: oc.Simulation) -> list[float]:
    """The recorded quantities, in their order. Pressure is that of live cells; Rg is about the origin."""
    cells, oxygen = simulation.tissue.cells, simulation.tissue.fields.value[0]
    live = cells["vital"] == 0
    return [
        cells.n, (~live).sum(), (live & (cells.type == 0)).sum(), (live & (cells.type == 1)).sum(),
        cells["volume.total"].mean(), cells["sense.pressure"][live].mean(),
        np.sqrt((cells.position**2).sum(axis=1).mean()), oxygen.mean(), oxygen.min(),
    ]  # fmt: skip


def model(cases: Path, mode: str) -> oc.Model:
    """The published files; `fine`: the steps of diffusion a tenth of theirs."""
    published = oc.load(
        cases / "grammar_models" / "hypoxia" / "PhysiCell_settings.xml",
        numerics="oncarium" if mode == "default" else "physicell",
    )
    return published.with_({"clock.transport": "0.001 min"}) if mode == "fine" else published


def run(cases: Path, mode: str, seeds: int, until: int = 360) -> Iterator[tuple[int, int, list[float]]]:
    """(seed, minute, quantities) of every hour of every seed."""
    chosen = model(cases, mode)
    for seed in range(seeds):
        simulation = oc.Simulation(chosen, seed=seed, threads=1)
        for minute in (m for m in HOURS if m <= until):
            simulation.run(minute)
            yield seed, minute, measure(simulation)


def recorded(cases: Path) -> dict[int, np.ndarray]:
    """Minute -> (seed, quantity) of the recorded runs."""
    rows = list(csv.DictReader((cases / "gold_physicell_ensembles" / "hypoxia_runs.csv").open()))
    return {m: np.array([[float(r[q]) for q in QUANTITIES] for r in rows if float(r["time"]) == m]) for m in HOURS}


def scores(ours: dict[int, np.ndarray], theirs: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Minute -> z of every quantity."""
    out = {}
    for minute, a in ours.items():
        b = theirs[minute]
        error = np.sqrt(a.var(axis=0, ddof=1) / len(a) + b.var(axis=0, ddof=1) / len(b))
        out[minute] = (a.mean(axis=0) - b.mean(axis=0)) / error
    return out


def gather(rows: list[tuple[int, int, list[float]]]) -> dict[int, np.ndarray]:
    """Minute -> (seed, quantity)."""
    return {m: np.array([values for _, minute, values in rows if minute == m]) for m in sorted({r[1] for r in rows})}


def main() -> None:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("cases", type=Path)
    ask.add_argument("--seeds", type=int, default=20)
    ask.add_argument("--modes", nargs="+", default=["physicell", "default"])
    ask.add_argument("--until", type=int, default=360)
    given = ask.parse_args()
    theirs = recorded(given.cases)
    for mode in given.modes:
        rows = []
        with (HERE / f"{mode}.csv").open("w") as file:
            file.write("seed,time," + ",".join(QUANTITIES) + "\n")
            for seed, minute, values in run(given.cases, mode, given.seeds, given.until):
                rows.append((seed, minute, values))
                file.write(f"{seed},{minute}," + ",".join(f"{v:.9g}" for v in values) + "\n")
                file.flush()
        say(f"{mode}, {given.seeds} seeds, against the recorded runs", scores(gather(rows), theirs))
    if "default" in given.modes and "fine" in given.modes:
        ours, fine = (np.genfromtxt(HERE / f"{mode}.csv", delimiter=",", skip_header=1) for mode in ("default", "fine"))
        by_minute = [{m: rows[rows[:, 1] == m][:, 2:] for m in HOURS if m <= given.until} for rows in (ours, fine)]
        say("default against fine", scores(*by_minute))


def say(title: str, table: dict[int, np.ndarray]) -> None:
    """Print z, and how many are large."""
    print(f"{title}: z\n{'minute':>8}" + "".join(f"{q:>18}" for q in QUANTITIES))
    for minute, z in table.items():
        print(f"{minute:>8}" + "".join(f"{v:>18.2f}" for v in z))
    every = np.concatenate(list(table.values()))
    size = np.abs(every)
    print(f"beyond 3: {(size > 3).sum()} of {len(size)}, beyond 4: {(size > 4).sum()}, largest {size.max():.2f}\n")


if __name__ == "__main__":
    main()
