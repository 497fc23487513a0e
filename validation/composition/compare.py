"""Composition, oxygen, pH and growth of the reference tissue and five archetypes against what was measured in tumors.

python validation/composition/compare.py [--runs FOLDER] [--seeds 3] [--workers 2]   writes log.csv and README's tables
"""

import argparse
import csv
import math
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

import oncarium as oc
from oncarium.analysis.readout import read_out
from oncarium.study.ensemble import Task, run_all

HERE = Path(__file__).parent
FROM, TO = "<!-- compare.py writes what follows -->", "<!-- to here -->"
MODELS = ("reference", "inflamed", "excluded", "desert", "hypoxic_desmoplastic", "well_perfused")
DAYS = (7, 14)
IMMUNE = ["monocyte", "tumor_macrophage", "dendritic", "cd8_effector", "cd4_helper", "treg", "nk", "mdsc"]
SHARES = {  # of the cells that a section shows
    "tumor": ["carcinoma"], "immune": IMMUNE, "macrophages": ["tumor_macrophage"], "CD8": ["cd8_effector"],
    "CD4": ["cd4_helper", "treg"], "mesenchymal": ["fibroblast", "pericyte"],
}  # fmt: skip
SEEN = {  # what was measured: lowest and highest, where
    "tumor": (0.30, 0.67, "quartiles of 33 breast cancers"), "immune": (0.19, 0.63, "same"),
    "macrophages": (0.06, 0.14, "same"), "CD8": (0.03, 0.10, "same"), "CD4": (0.01, 0.06, "same"),
    "mesenchymal": (0.01, 0.04, "same"), "cells per mm2": (6480.0, 9720.0, "same, 8,100; 20 % either way"),
    "CD8 per mm2": (None, None, ""),
    "CD8 to tumor (um)": (10.0, 25.0, "same; 10 mixed, 26 compartmentalised"),
    "tumor to macrophage (um)": (23.0, 35.0, "same, 29; 20 % either way"),
    "mixing score": (0.17, 1.20, "same: compartmentalised, mixed"),
    "pO2 of tumor cells (mmHg)": (5.0, 15.0, "medians of human tumors, 10 +- 5"),
    "below 2.5 mmHg": (0.10, 0.40, "human tumors"), "pH of tumor cells": (6.5, 6.9, "electrodes in tumors"),
    "doubling (days)": (2.3, 11.0, "mouse tumors of 200 to 1,000 mm3"),
    "macrophages lost a day": (0.043, 0.58, "turnover of 3e-5 to 4e-4 per min"),
}  # fmt: skip


def composition(result: oc.Result, days: float) -> dict[str, float]:
    """What a section of 5 um would show, and where cells lie."""
    t = days * 1440.0
    live, kind = result.array("vital", t) == 0, result.array("type", t)
    position, grid = result.array("position", t), result.attrs["grid"]
    area = float(np.prod(grid["spacing"][:2]) * np.prod(grid["shape"][1:])) / 1e6
    diameter = 2.0 * (0.75 / np.pi * result.array("volume.total", t)) ** (1.0 / 3.0)
    shown = {}
    for k, name in enumerate(result.types):
        rows = live & (kind == k)
        if rows.any():
            shown[name] = oc.spatial.section(rows.sum() / area, float(diameter[rows].mean()), grid["spacing"][2])
    total = sum(shown.values())
    out = {n: sum(shown.get(x, 0.0) for x in of) / total for n, of in SHARES.items()}
    place = {n: position[live & (kind == k)] for k, n in enumerate(result.types)}
    tumor, immune = cKDTree(place["carcinoma"]), cKDTree(np.concatenate([place[n] for n in IMMUNE if n in place]))
    alike = (immune.count_neighbors(immune, 15.0) - immune.n) / 2
    pairs = {
        "CD8 to tumor (um)": ("cd8_effector", "carcinoma"),
        "tumor to macrophage (um)": ("carcinoma", "tumor_macrophage"),
    }
    far = {
        n: cKDTree(place[b]).query(place[a])[0] if len(place[a]) and len(place[b]) else [math.nan]
        for n, (a, b) in pairs.items()
    }
    return out | {
        "cells per mm2": total, "CD8 per mm2": shown.get("cd8_effector", 0.0),
        **{n: float(np.median(x)) for n, x in far.items()},
        "mixing score": immune.count_neighbors(tumor, 15.0) / max(alike, 1),
    }  # fmt: skip


def measured(result: oc.Result, days: float) -> dict[str, float]:
    def of(measure: str, **options: object) -> float:
        return read_out(result, {"measure": measure, "of": "carcinoma", "at": f"{days:g} day", **options})

    since = f"{days - 4:g} day"
    g = of("growth", since=since)
    macrophages = {"of": "tumor_macrophage", "since": since}
    return composition(result, days) | {
        "pO2 of tumor cells (mmHg)": of("median", column="sense.factor.oxygen"),
        "below 2.5 mmHg": of("share_below", column="sense.factor.oxygen", value=2.5),
        "pH of tumor cells": of("median", column="acidity.ph"),
        "doubling (days)": math.log(2.0) / g if g > 0 else math.inf,
        "macrophages lost a day": of("rate", kind="apoptosis", **macrophages),
    }


def table(rows: list[dict[str, str]], day: int) -> list[str]:
    """Mean, lowest and highest of the seeds; bold: the mean lies outside of what was measured."""
    lines = [f"| day {day} | {' | '.join(MODELS)} | measured |", "|---" * (len(MODELS) + 2) + "|"]
    for name, (low, high, where) in SEEN.items():
        cells = []
        for model in MODELS:
            x = np.array([float(r[name]) for r in rows if r["model"] == model and int(r["day"]) == day])
            mean = float(np.mean(x)) if len(x) else math.nan
            inside = low is None or not math.isfinite(mean) or low <= mean <= high
            text = f"{mean:.3g}" if inside else f"**{mean:.3g}**"
            cells.append(f"{text} ({x.min():.3g} to {x.max():.3g})" if len(x) else "")
        range_ = "" if low is None else f"{low:g} to {high:g} ({where})"
        lines.append(f"| {name} | {' | '.join(cells)} | {range_} |")
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=Path, default=Path("runs/composition"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    columns = ["sense.factor", "acidity.ph", "volume.total"]
    tasks = {
        (name, seed): Task.of(oc.load(name).with_({"record.cells": "1 day", "record.columns": columns}),
                              f"{DAYS[-1]} day", seed)
        for name in MODELS for seed in range(1, given.seeds + 1)
    }  # fmt: skip
    done, failed = run_all(tasks.values(), given.runs, workers=given.workers)
    assert not failed, failed
    rows = []
    for (name, seed), task in tasks.items():
        result = oc.open(done[task])
        for day in DAYS:
            found = {k: f"{v:.4g}" for k, v in measured(result, day).items()}
            rows.append({"model": name, "seed": seed, "day": day} | found)
    with open(HERE / "log.csv", "w", newline="") as file:
        written = csv.DictWriter(file, rows[0])
        written.writeheader()
        written.writerows(rows)
    page = HERE / "README.md"
    before, _, rest = page.read_text().partition(FROM)
    lines = [line for day in DAYS for line in ["", *table(rows, day)]]
    page.write_text("\n".join([before + FROM, *lines, "", TO]) + rest.partition(TO)[2])
