"""Fibroblasts taken away by an antibody against FAP, 0 to 100 %: is less always better?

python validation/therapy/fap.py [seeds, 5]
"""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from pool import HERE, seeds, seen, tissue

DOSES = (0.0, 0.005, 0.02, 10.0)  # mg/kg, to take none, about 0.3, 0.6 and all; what each takes is measured
READ = {
    "fibroblasts": ({"measure": "count", "of": "fibroblast"}, "fibroblasts"),
    "past": ({"measure": "past", "of": "carcinoma", "line": -230, "at": "last 4 day"},
             "tumor cells beyond the membrane"),
    "division": ({"measure": "rate", "kind": "division", "of": "carcinoma", "since": "1 day"},
                 "divisions per cell and day"),
    "nest": ({"measure": "past", "of": "cd8_effector", "line": -260, "axis": "-x", "at": "last 8 day",
              "per": {"measure": "count", "of": "cd8_effector"}}, "share of CD8 T cells in the nest"),
}  # fmt: skip
SHOWN = ("past", "division", "nest")


def main() -> None:
    rows = {}
    for dose in DOSES:
        given = (
            {"therapy.species": "mouse", "therapy.doses": [f"fap_depletion {dose:g} mg/kg on day 0"]} if dose else {}
        )
        model = tissue("front", given)
        wanted = {k: what for k, (what, _) in READ.items()}
        rows[dose] = [seen(f"fap {dose:g} mg/kg", model, "10 day", s, wanted) for s in seeds(5)]
    n = len(rows[0.0])
    mean = {k: np.array([np.mean([r[k] for r in rows[d]]) for d in DOSES]) for k in READ}
    gone = 1.0 - mean["fibroblasts"] / mean["fibroblasts"][0]
    plt.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
    fig, panels = plt.subplots(1, 3, figsize=(7.2, 2.5), constrained_layout=True)
    for ax, k in zip(panels, SHOWN):
        each = np.array([[r[k] for r in rows[d]] for d in DOSES])
        ax.plot(100 * gone, mean[k], "-", color="#332288")
        ax.plot(np.repeat(100 * gone, n), each.ravel(), "o", color="#D55E00", ms=3.5)
        ax.set(xlabel="fibroblasts gone on day 10 (%)", ylabel=READ[k][1], ylim=(0, 1.15 * max(each.max(), 1e-9)))
    fig.savefig(HERE / "fap.png", dpi=200)
    out = [f"{n} seed{'s' if n > 1 else ''} per dose.", "",
           "| dose (mg/kg) | fibroblasts on day 10 | gone | " + " | ".join(READ[k][1] for k in SHOWN) + " |",
           "|---|---|---|---|---|---|"]  # fmt: skip
    for i, d in enumerate(DOSES):
        told = " | ".join(f"{mean[k][i]:.3g}" for k in SHOWN)
        out.append(f"| {d:g} | {mean['fibroblasts'][i]:.1f} | {100 * gone[i]:.0f} % | {told} |")
    (HERE / "fap.md").write_text("\n".join(out) + "\n")
    print("\n".join(out))


if __name__ == "__main__":
    main()
