"""Composition of the reference tissue against images of triple-negative breast cancers.

python validation/composition/compare.py [--runs FOLDER] [--days 21] [--seeds 3]     writes log.csv
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

import oncarium as oc
from oncarium.analysis.readout import read_out
from oncarium.study.ensemble import Task, run_all

HERE = Path(__file__).parent
IMMUNE = ["monocyte", "tumor_macrophage", "dendritic", "cd8_effector", "cd4_helper", "treg", "nk", "mdsc"]
SHARES = {  # types and the quartiles seen
    "tumor": (["carcinoma"], 0.30, 0.67),
    "immune": (IMMUNE, 0.19, 0.63),
    "macrophages": (["tumor_macrophage"], 0.06, 0.14),
    "CD8": (["cd8_effector"], 0.03, 0.10),
    "CD4": (["cd4_helper", "treg"], 0.01, 0.06),
    "endothelial": (["endothelial"], 0.003, 0.018),
    "mesenchymal": (["fibroblast", "pericyte"], 0.01, 0.04),
}


def nearest(result: oc.Result, t: float) -> dict[str, float]:
    """Distances (um), contacts within 15 um, and cells per mm2."""
    live, kind, position = result.array("vital", t) == 0, result.array("type", t), result.array("position", t)
    of = {n: position[live & (kind == result.types.index(n))] for n in result.types}
    tumor, immune = cKDTree(of["carcinoma"]), cKDTree(np.concatenate([of[n] for n in IMMUNE]))
    mixed, alike = immune.count_neighbors(tumor, 15.0), (immune.count_neighbors(immune, 15.0) - immune.n) / 2
    quartiles = np.quantile(tumor.query(of["cd8_effector"])[0], [0.25, 0.5, 0.75])
    grid = result.attrs["grid"]
    area = np.prod(grid["spacing"][:2]) * np.prod(grid["shape"][1:]) / 1e6
    return {
        "CD8 to tumor, 25 %": quartiles[0], "CD8 to tumor, median": quartiles[1], "CD8 to tumor, 75 %": quartiles[2],
        "tumor to macrophage, median": float(np.median(cKDTree(of["tumor_macrophage"]).query(of["carcinoma"])[0])),
        "mixing score": mixed / max(alike, 1), "cells per mm2": live.sum() / area,
    }  # fmt: skip


def measured(result: oc.Result, days: float) -> dict[str, float]:
    at = f"{days:g} day"
    shares = {
        n: read_out(result, {"measure": "count", "of": of, "at": at, "per": {"measure": "count"}})
        for n, (of, *_) in SHARES.items()
    }
    return shares | nearest(result, days * 1440.0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=Path, default=Path("runs/composition"))
    parser.add_argument("--days", type=float, default=21.0)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    model = oc.load("reference").with_({"record.cells": "1 day"})
    tasks = [Task.of(model, f"{given.days:g} day", seed) for seed in range(1, given.seeds + 1)]
    done, failed = run_all(tasks, given.runs)
    assert not failed, failed
    rows = []
    for task in tasks:
        result = oc.open(done[task])
        for days in (given.days / 3, given.days * 2 / 3, given.days):
            rows.append({"seed": task.seed, "day": days} | {k: f"{v:.3g}" for k, v in measured(result, days).items()})
    with open(HERE / "log.csv", "w", newline="") as file:
        table = csv.DictWriter(file, rows[0])
        table.writeheader()
        table.writerows(rows)
    print((HERE / "log.csv").read_text())
