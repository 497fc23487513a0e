"""What steps of other lengths cost and give: MODEL DAYS TABLE CLOCK...; a clock is transport,mechanics,phenotype, min.

Appends one row per clock and seed. The first clock is the finest: places and fields after an hour are compared with
its."""

import csv
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

import oncarium as oc

SEEDS = (1, 2, 3)
TUMOR, KILLER = ("carcinoma", "tumor"), ("ctl", "cd8", "cd8_effector")


def run(model, seed, days):
    """Numbers of one run, and its resting cells and fields after an hour."""
    s = oc.Simulation(model, seed=seed, threads=1)
    c, fields = s.tissue.cells, s.tissue.fields
    tumor, killer = (next(c.types.index(t) for t in named if t in c.types) for named in (TUMOR, KILLER))
    kinds, total, types, hour = s.tissue.population.kinds, Counter(), {}, {}

    def see(s):
        types.update(zip(c.id.tolist(), c.type.tolist()))
        for e in s.tissue.population.drain():
            total[types.get(int(e["id"])), kinds[e["kind"]]] += 1
        if not hour and s.tissue.time >= 60.0 - 1e-6:
            rest = c.type == tumor
            hour["places"] = dict(zip(c.id[rest].tolist(), c.position[rest].copy()))
            hour["fields"] = fields.value.copy()

    start = time.process_time()
    s.run(days * 1440.0, see=see)
    cpu = time.process_time() - start
    live = c["vital"] == 0
    q = live & (c.type == tumor)
    k = live & (c.type == killer)
    place = c.position[q]
    oxygen = fields.value[fields.names.index("oxygen")].reshape(-1)[s.tissue.voxels()[q]]
    out = {
        "cells": int(live.sum()), "tumor": int(q.sum()), "cd8": int(k.sum()), "dead": int((c["vital"] > 0).sum()),
        "divisions": total[tumor, "division"], "apoptosis": total[tumor, "apoptosis"],
        "necrosis": total[tumor, "necrosis"],
        "attacks": sum(n for (_, kind), n in total.items() if kind == "attack"),
        "activation": round(float(c["activation.level"][k].mean()), 4) if "activation.level" in c and k.any() else "",
        "oxygen": round(float(np.median(oxygen)), 3), "volume": round(float(c["volume.total"][q].mean()), 1),
        "radius": round(float(np.quantile(np.linalg.norm(place - place.mean(axis=0), axis=1), 0.95)), 2),
        "cpu": round(cpu, 2),
    }  # fmt: skip
    return out, hour


def compare(hour, fine):
    """Median and 95 % of the distance of resting cells from where they are by the finest clock, um; the largest and the
    median over factors of the relative difference of fields."""
    both = hour["places"].keys() & fine["places"].keys()
    far = np.linalg.norm([hour["places"][i] - fine["places"][i] for i in sorted(both)], axis=1)
    pairs = zip(hour["fields"], fine["fields"])
    off = np.array([np.linalg.norm(a - b) / max(np.linalg.norm(b), 1e-12) for a, b in pairs])
    return {
        "moved_median": round(float(np.median(far)), 3), "moved_95": round(float(np.quantile(far, 0.95)), 3),
        "fields_median": round(float(np.median(off)), 5), "fields_most": round(float(off.max()), 5),
    }  # fmt: skip


name, days, table, *clocks = sys.argv[1:]
for seed in SEEDS:
    fine = None
    for clock in clocks:
        periods = dict(zip(("transport", "mechanics", "phenotype"), (f"{p} min" for p in clock.split(","))))
        model = oc.load(name).with_({f"clock.{key}": value for key, value in periods.items()})
        out, hour = run(model, seed, float(days))
        fine = fine or hour
        row = {"model": Path(name).stem, "clock": clock.replace(",", " "), "seed": seed, **out, **compare(hour, fine)}
        new = not Path(table).exists()
        with open(table, "a", newline="") as file:
            writer = csv.DictWriter(file, row, lineterminator="\n")
            if new:
                writer.writeheader()
            writer.writerow(row)
        print(row, flush=True)
