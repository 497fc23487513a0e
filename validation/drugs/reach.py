"""Can the usual dose of a drug reach what it acts on? Plasma and tissue against the concentration of half its effect.

    python validation/drugs/reach.py          12 hours of the tissue `bulk` for each drug that tissue.csv lacks
    python validation/drugs/reach.py table    the table of README.md

Plasma: the share that free drug covers between the last two doses, its mean and before the last. Tissue: mean free
drug of the tissue over that of plasma in the 12 h from the first dose on; what it covers there is that ratio times
the mean level between the last two doses.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np

import oncarium as oc
from oncarium.analysis.plasma import coverage, levels
from oncarium.model.drug import drugs, load_drug

HERE = Path(__file__).parent
TISSUE, MARK = HERE / "tissue.csv", "<!-- coverage -->"
HOURS = 12


def in_tissue(name: str) -> list[str]:
    """Mean of the tissue over that of plasma, and the mean occupancy of the cells with receptors at the end."""
    drug = load_drug(name)
    species = next(iter(drug.plasma))
    model = oc.load("bulk").with_({"therapy.species": species, "therapy.doses": [f"{name} {drug.usual}"]})
    begin = model.therapy.regimen.doses(28 * 1440.0)[0].time
    simulation = oc.Simulation(model, seed=1)
    fields, seen, passed = simulation.tissue.fields, [], 0.0
    simulation.run(begin)
    for hour in range(1, HOURS + 1):
        simulation.run(begin + 60.0 * hour)
        seen.append(fields.value[fields.index(name)].mean() * model.therapy.nanomolar[name])
    plasma = simulation.tissue.plasma
    passed = plasma.passed[0] / (60.0 * HOURS)
    occupied = {t: x for t, x in zip(plasma.types, plasma.occupancy[0])} if plasma.binding else {}
    told = " ".join(f"{t} {x:.2f}" for t, x in occupied.items() if np.isfinite(x))
    return [name, species, f"{passed:.4g}", f"{np.mean(seen):.4g}", f"{np.mean(seen) / max(passed, 1e-300):.4g}", told]


def run() -> None:
    """Every drug that is not there yet."""
    there = {row["drug"] for row in csv.DictReader(TISSUE.open())} if TISSUE.exists() else set()
    with TISSUE.open("a", newline="") as file:
        write = csv.writer(file)
        if not there:
            write.writerow(["drug", "species", "plasma", "tissue", "ratio", "occupied"])
        for name in (n for n in drugs() if n not in there):
            write.writerow(in_tissue(name))
            file.flush()


def table() -> str:
    """Markdown."""
    seen = {row["drug"]: row for row in csv.DictReader(TISSUE.open())} if TISSUE.exists() else {}
    out = [
        "| drug | usual regimen | acts on | half (nM) | plasma: mean | before the next | tissue over plasma | tissue |"
        " receptors occupied after 12 h |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    short = []
    for name in drugs():
        drug = load_drug(name)
        found = levels(drug)
        row, cover = seen.get(name), coverage(found)
        mean = float(np.mean(found.course.free[found.times > 0.5 * found.times[-1]]))
        for k, (target, (half, average, trough)) in enumerate(cover.items()):
            c = mean * float(row["ratio"]) if row else float("nan")
            there = f"{c / (c + half):.2f}" if row else "not run yet"
            ratio = f"{float(row['ratio']):.2g}" if row else "not run yet"
            if (row and c / (c + half) < 0.5) or average < 0.5:
                short.append(f"{name} on {target}")
            first = (name, drug.usual) if k == 0 else ("", "")
            cells = (*first, target, f"{half:g}", f"{average:.2f}", f"{trough:.2f}", ratio, there,
                     row["occupied"] if row and drug.binds and k == 0 else "")  # fmt: skip
            out.append(f"| {' | '.join(cells)} |")
    return "\n".join(out) + f"\n\nLess than half is covered, in plasma or tissue: {', '.join(short)}.\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["table"]:
        page = HERE / "README.md"
        before, _, after = page.read_text(encoding="utf-8").partition(MARK)
        head, _, rest = after.partition("<!-- /coverage -->")
        page.write_text(f"{before}{MARK}\n\n{table()}\n<!-- /coverage -->{rest}", encoding="utf-8")
    else:
        run()
