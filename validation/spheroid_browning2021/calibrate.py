"""Calibrate the scenario `spheroid` on melanoma spheroids of 5,000 cells and predict those of 2,500 and 10,000.

    python validation/spheroid_browning2021/calibrate.py --data confocal_983b.csv

Data: outer radius R and necrotic fraction (radius of the necrotic core over R) of 983b spheroids on days 3 to 21 after
seeding, Browning et al. 2021 (DOI 10.7554/eLife.73020). A simulation starts on day 3 as a packed ball of the mean
measured radius.

A radial sketch of the same model (shells instead of cells, seconds instead of minutes) is fitted first; its optimum is
the first guess and its Jacobian steers Gauss-Newton steps whose residuals come from simulations (Broyden's update
corrects the Jacobian). Every simulation goes to log.csv as soon as it ends, and is read from there when the script is
started again."""

from __future__ import annotations

import argparse
import csv
import time
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from ruamel.yaml import YAML
from scipy.linalg import solve_banded
from scipy.optimize import minimize

import oncarium
from oncarium.model.environment import Factor
from oncarium.run.simulation import Simulation

matplotlib.use("Agg")
import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent
LAST_DAY = 14  # of the simulations; later, simulated spheroids lose their round shape, and a run takes long
# share of its space that a dead cell leaves open: simulated cores close little as their cells shrink; of the sketch
KEPT = 0.8
FILL = 0.857  # share of space that close-packed cells fill at a spacing of 1.9 radii
DAY = 1440.0  # min
TOLERANCE = 0.1  # of the radius (relative) and of the necrotic fraction: the unit of a residual
PRIOR = 0.2  # residual per e-fold away from the first guess: holds what the data leave open
GUESS = {  # start of the sketch's fit
    "division": 3.5e-4,  # 1/min, with plenty of oxygen
    "half": 40.0,  # mmHg, oxygen that halves division
    "consumption": 1100.0,  # mmHg/min in fully packed tissue
    "necrosis": 2.2e-4,  # 1/min, without oxygen
    "threshold": 10.0,  # mmHg, oxygen that halves necrosis
}


def measured(path: Path) -> pd.DataFrame:
    """Mean and SD of radius (um) and necrotic fraction by (series, day), for days with three spheroids or more."""
    table = pd.read_csv(path)
    table.columns = ["line", "series", "day", "radius", "inhibited", "necrotic"]
    groups = table.groupby(["series", "day"])[["radius", "necrotic"]]
    found = groups.agg(["mean", "std"])
    return found[groups.size() >= 3]


def changes(parameters: dict[str, float], radius: float) -> dict[str, str]:
    """What the parameters and the radius (um) at the start say in the scenario."""
    p = parameters
    return {
        "cells.tumor.death.necrosis": f"{p['necrosis']:g} 1/min assumed",
        "cells.tumor.metabolism.consumption.oxygen": f"{p['consumption']:g} mmHg/min assumed",
        "cells.tumor.rules.0": f"oxygen increases cycle.exit.live to {p['division']:g} 1/min,"
        f" half {p['half']:g} mmHg, hill 4 assumed",
        "cells.tumor.rules.1": "oxygen decreases death.necrosis to 0 1/min,"
        f" half {p['threshold']:g} mmHg, hill 8 assumed",
        "initial.0.ball.radius": f"{radius:.1f} um",
    }


def structure(distance: np.ndarray, volume: np.ndarray, live: np.ndarray) -> tuple[float, float]:
    """Outer radius (um) and necrotic fraction from cells' distances to the middle (um), volumes (um^3) and whether they
    live.

    The outer edge is where cells fill half of what packed tissue fills; the core's edge is where live cells do. Both
    are found as the extremes of (filled volume - half of packed tissue) within a radius, which needs no bins.

    >>> r = 100.0 * (np.arange(1, 2001) / 2000) ** (1 / 3)
    >>> R, eta = structure(r, np.full(2000, 0.857 * 4 / 3 * np.pi * 1e6 / 2000), r > 40.0)
    >>> round(R), round(eta, 2)
    (100, 0.4)
    """
    order = np.argsort(distance)
    r, v, alive = distance[order], volume[order], live[order]
    half = 0.5 * FILL * 4.0 / 3.0 * np.pi * r**3
    outer = r[np.argmax(np.cumsum(v) - half)]
    inside = r <= outer
    lacking = (half - np.cumsum(v * alive))[inside]
    best = int(np.argmax(lacking))
    core = r[best] if np.count_nonzero(~alive[: best + 1]) > 20 else 0.0
    return float(outer), float(core / outer)


def simulate(parameters: dict[str, float], radius: float, days: list[int], tolerance: float = 0.3) -> np.ndarray:
    """Radius (um) and necrotic fraction (day, 2) on these days; the first is the day at which a ball of this radius
    (um) starts.

    tolerance   um, error allowed to a step of the cells' motion; a cell's radius is 10 um
    """
    model = oncarium.load("spheroid").with_(changes(parameters, radius))
    simulation = Simulation(model, threads=1)
    mechanics = next(p for p in simulation.plan.processes if p.name == "Mechanics")
    mechanics.tolerance, mechanics.largest_step = tolerance, 4.0
    out = []
    for day in days:
        simulation.run((day - days[0]) * DAY)
        cells = simulation.tissue.cells
        distance = np.linalg.norm(cells.position - np.median(cells.position, axis=0), axis=1)
        out.append(structure(distance, cells["volume.total"], cells["vital"] == 0))
    return np.array(out)


# -- the sketch: shells of tissue around a middle
# --------------------------------------------------------------------------------


@cache
def scenario() -> tuple[float, Factor]:
    """Rate of apoptosis (1/min) and oxygen, as the scenario says."""
    simulation = Simulation(oncarium.load("spheroid"), threads=1)
    return float(simulation.tissue.cells.base["death.apoptosis"][0]), simulation.model.factors[0]


def oxygen(edges: np.ndarray, consumption: np.ndarray, medium: Factor, before: np.ndarray | None) -> np.ndarray:
    """Steady oxygen (mmHg) of shells between edges (um) with a largest consumption (mmHg/min), and of medium out to the
    sphere that holds as the faces of the box do (its radius is 1.15 times half a side)."""
    outside, air = 12, medium.boundary["xmin"].value
    r = np.concatenate([edges, np.linspace(edges[-1], 1.15 * 500.0, outside + 1)[1:]])
    q = np.concatenate([consumption, np.zeros(outside)])
    volume, middle = (r[1:] ** 3 - r[:-1] ** 3) / 3.0, 0.5 * (r[1:] + r[:-1])
    flux = medium.diffusion * r[1:] ** 2 / (np.append(middle[1:], r[-1]) - middle)
    c = np.full(len(q), air) if before is None else before
    for _ in range(60):
        band = np.zeros((3, len(q)))
        band[0, 1:] = band[2, :-1] = -flux[:-1]
        band[1] = flux + np.append(0.0, flux[:-1]) + q * volume / (medium.michaelis + c)
        new = solve_banded((1, 1), band, np.append(np.zeros(len(q) - 1), flux[-1] * air))
        if np.abs(new - c).max() < 0.01:
            break
        c = 0.5 * (c + new)
    return new


def sketch(parameters: dict[str, float], radius: float, days: list[int], dt: float = 240.0) -> np.ndarray:
    """As `simulate`, for shells of tissue that grow and die in place of cells."""
    p = parameters
    apoptosis, medium = scenario()
    steps = round((days[-1] - days[0]) * DAY / dt)
    live = np.full(40, 4.0 / 3.0 * np.pi * radius**3 * FILL / 40)  # um^3 of cells per shell
    dead = np.zeros(40)  # um^3 that they fill and leave empty
    c, out, due = None, [], list(days)
    for k in range(steps + 1):
        space = (live + dead) / FILL
        edges = (np.append(0.0, np.cumsum(space)) * 0.75 / np.pi) ** (1 / 3)
        if days[0] + k * dt / DAY >= due[0] - 1e-6:
            lacking = np.append(0.5 * FILL * np.cumsum(space) - np.cumsum(live), 0.0)
            edge, share = int(np.argmax(lacking)), live / space / FILL
            core = 0.0
            if edge + 1 < len(share) and lacking[edge] > 0.0:
                middle = 0.5 * (edges[1:] + edges[:-1])
                core = np.interp(0.5, share[edge : edge + 2], middle[edge : edge + 2])
            out.append((edges[-1], core / edges[-1]))
            due.pop(0)
        if not due:
            break
        c = oxygen(edges, p["consumption"] * (live + 0.1 * dead) / space, medium, c)
        here = c[: len(live)]
        division = p["division"] * here**4 / (here**4 + p["half"] ** 4)
        dying = live * -np.expm1(-p["necrosis"] * dt / (1.0 + (here / p["threshold"]) ** 8))
        dead = dead + KEPT * dying
        live = (live - dying) * np.exp((division - apoptosis) * dt)
        copies = np.where(live + dead > FILL * np.sum(space) / 60, 2, 1)  # shells that have grown thick are cut in two
        live, dead = (np.repeat(a / copies, copies) for a in (live, dead))
        c = np.concatenate([np.repeat(here, copies), c[len(here) :]])
    return np.array(out)


# -- calibration
# -----------------------------------------------------------------------------------------------------------------


def rounded(x: np.ndarray) -> dict[str, float]:
    """Parameters (three digits) from their logarithms."""
    return {name: float(f"{value:.3g}") for name, value in zip(GUESS, np.exp(x))}


def residuals(found: np.ndarray, data: pd.DataFrame) -> np.ndarray:
    """Errors of radius and necrotic fraction after the first day, in units of the tolerance."""
    radius, necrotic = data["radius"]["mean"].to_numpy(), data["necrotic"]["mean"].to_numpy()
    return np.concatenate([found[1:, 0] / radius[1:] - 1.0, found[1:, 1] - necrotic[1:]]) / TOLERANCE


class Log:
    """Simulations done, one line each."""

    def __init__(self, path: Path, data: pd.DataFrame):
        self.path, self.data = path, data

    def run(self, series: int, parameters: dict[str, float]) -> np.ndarray:
        """The simulation of a series under these parameters (day, 2), from the log or run now."""
        key = [str(series), *(f"{v:g}" for v in parameters.values())]
        if self.path.exists():
            for row in csv.reader(self.path.open()):
                if row[: len(key)] == key:
                    return np.array([[float(v) for v in cell.split()] for cell in row[-2:]]).T
        data = self.data.loc[series].loc[:LAST_DAY]
        start = time.perf_counter()
        found = simulate(parameters, data["radius"]["mean"].iloc[0], list(data.index))
        seconds = time.perf_counter() - start
        new = not self.path.exists()
        with self.path.open("a", newline="") as file:
            write = csv.writer(file)
            if new:
                write.writerow(
                    ["series", *parameters, "sum of squares", "seconds", "days", "radius", "necrotic fraction"]
                )
            total = float((residuals(found, data) ** 2).sum())
            columns = (" ".join(f"{v:.{n}f}" for v in c) for n, c in ((1, found[:, 0]), (4, found[:, 1])))
            write.writerow([*key, f"{total:.4f}", f"{seconds:.0f}", " ".join(map(str, data.index)), *columns])
        print(series, parameters, f"sum of squares {total:.3f}, {seconds:.0f} s", flush=True)
        return found


def calibrate(log: Log, simulations: int) -> dict[str, float]:
    """Parameters of the best simulation of 5,000 cells."""
    data = log.data.loc[5000]
    radius, days = data["radius"]["mean"].iloc[0], list(data.index)

    def errors(x: np.ndarray, last: int) -> np.ndarray:
        until = data.loc[:last]
        return np.append(
            residuals(sketch(dict(zip(GUESS, np.exp(x))), radius, list(until.index)), until), PRIOR * (x - start)
        )

    start = np.log(list(GUESS.values()))
    simplex = np.vstack([start, start + 0.2 * np.eye(len(start))])
    options = {"maxfev": 200, "initial_simplex": simplex}
    # the day on which a core appears is a jump, which a search by slopes does not pass
    first = minimize(lambda x: float((errors(x, days[-1]) ** 2).sum()), start, method="Nelder-Mead", options=options).x
    print(
        "sketch:",
        rounded(first),
        f"sum of squares {(errors(first, days[-1])[: -len(first)] ** 2).sum():.3f}",
        flush=True,
    )
    steps = 0.08 * np.eye(len(first))
    jacobian = np.array(
        [(errors(first + s, LAST_DAY) - errors(first - s, LAST_DAY))[: -len(s)] / 0.16 for s in steps]
    ).T
    x, damping, data = first, 0.3, data.loc[:LAST_DAY]
    r = residuals(log.run(5000, rounded(x)), data)
    for _ in range(simulations - 1):
        normal = jacobian.T @ jacobian + (damping + PRIOR**2) * np.eye(len(x))
        step = np.clip(-np.linalg.solve(normal, jacobian.T @ r + PRIOR**2 * (x - first)), -0.5, 0.5)
        if r @ r - np.sum((r + jacobian @ step) ** 2) < 0.01 * (r @ r):
            break
        trial = residuals(log.run(5000, rounded(x + step)), data)
        jacobian += np.outer(trial - r - jacobian @ step, step) / (step @ step)
        if trial @ trial < r @ r:
            x, r, damping = x + step, trial, damping / 3.0
        else:
            damping *= 4.0
    return rounded(x)


def write_result(parameters: dict[str, float], runs: dict[int, np.ndarray], data: pd.DataFrame, path: Path) -> None:
    """Parameters, and every prediction beside its datum, as YAML."""
    tree: dict = {"source": "Browning et al. 2021, DOI 10.7554/eLife.73020", "parameters": parameters, "series": {}}
    for series, found in runs.items():
        d = data.loc[series].loc[:LAST_DAY]
        rows = []
        for i, day in enumerate(d.index):
            m = {(q, s): float(d[q][s].iloc[i]) for q in ("radius", "necrotic") for s in ("mean", "std")}
            rows.append(
                {
                    "day": int(day),
                    "radius": round(float(found[i, 0]), 1),
                    "measured radius": [round(m["radius", "mean"], 1), round(m["radius", "std"], 1)],
                    "radius error": round(float(found[i, 0]) / m["radius", "mean"] - 1.0, 3),
                    "necrotic fraction": round(float(found[i, 1]), 3),
                    "measured necrotic fraction": [round(m["necrotic", "mean"], 3), round(m["necrotic", "std"], 3)],
                    "necrotic fraction error": round(float(found[i, 1]) - m["necrotic", "mean"], 3),
                }
            )
        within = {k: sum(abs(r[f"{k} error"]) <= TOLERANCE for r in rows[1:]) for k in ("radius", "necrotic fraction")}
        tree["series"][series] = {"use": "calibration" if series == 5000 else "prediction"}
        tree["series"][series] |= {
            f"days with {k} within 0.1": f"{n} of {len(rows) - 1}" for k, n in within.items()
        } | {"days": rows}
    yaml = YAML()
    yaml.default_flow_style, yaml.width = None, 160
    yaml.dump(tree, path)


def draw(runs: dict[int, np.ndarray], data: pd.DataFrame, path: Path) -> None:
    """Radius and necrotic fraction over days, a column per series."""
    colors = {2500: "#0072B2", 5000: "#000000", 10000: "#D55E00"}
    figure, axes = plt.subplots(2, 3, figsize=(9.0, 5.2), sharex=True, sharey="row", layout="constrained")
    for (top, bottom), series in zip(axes.T, sorted(runs)):
        d, found, color = data.loc[series], runs[series], colors[series]
        for ax, quantity, column in ((top, "radius", 0), (bottom, "necrotic", 1)):
            ax.errorbar(
                d.index,
                d[quantity]["mean"],
                d[quantity]["std"],
                fmt="o",
                ms=4,
                capsize=2,
                color=color,
                label="measured, mean and SD",
            )
            ax.plot(
                d.index[: len(found)],
                found[:, column],
                color=color,
                label="calibrated" if series == 5000 else "predicted",
            )
            ax.spines[["top", "right"]].set_visible(False)
        top.set_title(f"{series:,} cells seeded", fontsize=10)
        top.legend(frameon=False, fontsize=8, loc="lower right")
        bottom.set_xlabel("time since seeding (d)")
    axes[0, 0].set(ylabel="outer radius (µm)", ylim=(0, None))
    axes[1, 0].set(ylabel="necrotic radius / outer radius", ylim=(-0.02, 1))
    figure.savefig(path, dpi=160)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="confocal_983b.csv of Browning et al. 2021")
    parser.add_argument("--simulations", type=int, default=2, help="most simulations of 5,000 cells (result.yaml: 2)")
    given = parser.parse_args()
    data = measured(given.data)
    log = Log(HERE / "log.csv", data)
    best = calibrate(log, given.simulations)
    runs = {series: log.run(series, best) for series in (2500, 5000, 10000)}
    write_result(best, runs, data, HERE / "result.yaml")
    draw(runs, data, HERE / "figure.png")


if __name__ == "__main__":
    main()
