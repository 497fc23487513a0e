"""Anti-PD-1 in five archetypes with so many patients each; the density of CD8 T cells before it as a biomarker.

    python validation/therapy/archetypes.py [patients of each, 20]

A patient is a seed and five numbers drawn within their ranges; both arms have the same patient. Response: the growth of
the tumor on days 1 to 5 is lower by 0.05 per day or more under the drug.
"""

from __future__ import annotations

import csv

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from pool import HERE, seeds, seen, tissue

ARCHETYPES = ("inflamed", "excluded", "desert", "hypoxic_desmoplastic", "well_perfused")
DOSE, LESS = {"therapy.doses": ["pembrolizumab 200 mg on day 0"]}, 0.05
READ = {
    "growth": {"measure": "growth", "of": "carcinoma", "since": "1 day"},
    "kills": {"measure": "rate", "kind": "apoptosis", "of": "carcinoma", "since": "1 day"},
    "cd8": {"measure": "count", "of": "cd8_effector", "per": {"measure": "count", "of": "carcinoma"}, "at": "0 day"},
}
DRAWN = {  # how many times the usual number: lowest, highest
    "body.cd8.start": (0.4, 2.5),
    "cells.carcinoma.surface.pdl1": (0.4, 2.5),
    "cells.carcinoma.surface.mhc1": (0.4, 2.5),
    "cells.cd8_effector.exhaustion.rise": (0.5, 2.0),
    "vessels.columns.density": (0.8, 1.25),
}


def patient(archetype: str, k: int) -> dict[str, str]:
    """What is told of the kth patient, log-uniform in its ranges."""
    rng = np.random.default_rng([ARCHETYPES.index(archetype), k])
    told = {path: f"times {np.exp(rng.uniform(np.log(a), np.log(b))):.4g}" for path, (a, b) in DRAWN.items()}
    return {p: v for p, v in told.items() if archetype != "excluded" or not p.startswith("vessels")}


def area(score: np.ndarray, responded: np.ndarray) -> float:
    """Area under the curve of a biomarker: how often a responder has more than one who is not."""
    a, b = score[responded], score[~responded]
    return float(np.mean((a[:, None] > b) + 0.5 * (a[:, None] == b))) if len(a) and len(b) else float("nan")


def main() -> None:
    rows = []
    for archetype in ARCHETYPES:
        for k in seeds(20):
            told = patient(archetype, k)
            arms = [seen(f"{archetype} {k}", tissue(archetype, told | d), "5 day", k, READ)
                    for d in ({}, DOSE)]  # fmt: skip
            change = arms[1]["growth"] - arms[0]["growth"]
            rows.append((archetype, k, arms[0]["cd8"], arms[0]["growth"], arms[1]["growth"], change, change <= -LESS))
    with (HERE / "archetypes.csv").open("w", newline="") as file:
        write = csv.writer(file)
        write.writerow(["archetype", "patient", "cd8 per tumor cell", "growth", "treated", "change", "responds"])
        write.writerows([a, k, *(f"{x:.4g}" for x in rest), r] for a, k, *rest, r in rows)
    score, responds = np.array([r[2] for r in rows]), np.array([r[-1] for r in rows])
    rng = np.random.default_rng(1)
    drawn = [area(score[i], responds[i]) for i in rng.integers(0, len(rows), (2000, len(rows)))]
    low, high = np.nanpercentile(drawn, [2.5, 97.5]) if np.isfinite(drawn).any() else (np.nan, np.nan)
    n = len(rows) // len(ARCHETYPES)
    out = ["| archetype | patients | change of growth (1/day), median | respond |", "|---|---|---|---|"]
    plt.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
    fig, ax = plt.subplots(figsize=(4.2, 2.8), constrained_layout=True)
    for a, color in zip(ARCHETYPES, ("#D55E00", "#0072B2", "#999999", "#CC79A7", "#009E73")):
        mine = [r for r in rows if r[0] == a]
        out.append(f"| {a} | {len(mine)} | {np.median([r[5] for r in mine]):.3f} | {sum(r[-1] for r in mine)} |")
        ax.plot([r[2] for r in mine], [r[5] for r in mine], "o", color=color, ms=4, label=a.replace("_", ", "))
    out += ["", f"Density of CD8 T cells before treatment as a biomarker: area {area(score, responds):.2f} "
            f"({low:.2f} to {high:.2f}, bootstrap), {n} patient{'s' if n > 1 else ''} of each archetype."]  # fmt: skip
    ax.axhline(-LESS, color="0.5", lw=0.7, ls=":")
    ax.set(xlabel="CD8 T cells per tumor cell before treatment", ylabel="change of growth (1/day)")
    ax.legend(frameon=False, fontsize=7)
    fig.savefig(HERE / "archetypes.png", dpi=200)
    (HERE / "archetypes.md").write_text("\n".join(out) + "\n")
    print("\n".join(out))


if __name__ == "__main__":
    main()
