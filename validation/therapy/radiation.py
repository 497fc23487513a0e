"""Radiation: survival after one fraction with oxygen and without, and the return of a tumor with its macrophages.

python validation/therapy/radiation.py survival        no tissue is run
python validation/therapy/radiation.py [seeds, 8]      the return, three arms of 14 days
"""

from __future__ import annotations

import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from pool import HERE, daily, seeds, seen, tissue

from oncarium.biology.radiation import lesions, oxygen_effect

DAYS = range(0, 15)
DOSE = "radiation 5 Gy on days 1, 2, 3"
ARMS = {
    "none": {},
    "15 Gy": {"therapy.doses": [DOSE]},
    "15 Gy and plerixafor": {"therapy.doses": [DOSE, "plerixafor 0.24 mg/kg daily from day 1"]},
    "15 Gy and pexidartinib": {"therapy.doses": [DOSE, "pexidartinib 250 mg twice a day from day 1"]},
}
COLORS = ("0.35", "#D55E00", "#0072B2", "#009E73")


def survival() -> str:
    """Closed forms of the law with the library's numbers, and the published ones."""
    import oncarium as oc

    r = oc.load("reference").with_({"therapy.doses": ["radiation 2 Gy on day 0"]}).therapy.treatments.radiation
    alpha, beta = r.of("carcinoma", "alpha"), r.of("carcinoma", "beta")
    sf = {p: float(np.exp(-lesions(2.0 * oxygen_effect(p, r.oer, r.half), alpha, beta))) for p in (0.0, 3.0, 40.0)}
    full = float(np.exp(-lesions(2.0, alpha, beta)))
    dose = (-alpha + np.sqrt(alpha**2 + 4.0 * beta * np.log(10.0))) / (2.0 * beta)
    return "\n".join([
        "| what | published | ours |", "|---|---|---|",
        f"| survival after 2 Gy, with oxygen | 0.3 to 0.6 | {full:.4f} |",
        f"| without oxygen | 0.8079 (closed form) | {sf[0.0]:.4f} |",
        f"| at 3 and at 40 mmHg | | {sf[3.0]:.3f}, {sf[40.0]:.3f} |",
        f"| dose that leaves a tenth (Gy) | 5.09 (closed form) | {dose:.2f} |",
        f"| alpha over beta (Gy) | 10 (tumors) | {alpha / beta:.0f} |",
    ])  # fmt: skip


def back() -> str:
    """Growth and macrophages by day."""
    count = {"measure": "count", "of": "carcinoma"}
    wanted = daily("tumor", count, DAYS) | daily("macrophages", count | {"of": "tumor_macrophage"}, DAYS)
    wanted |= daily("vessels", {"measure": "vessels", "name": "density"}, DAYS)
    runs = {a: [seen(f"radiation {a}", tissue("bulk", {"record.cells": "12 h", **c}), "14 day", s, wanted)
                for s in seeds(8)] for a, c in ARMS.items()}  # fmt: skip
    plt.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
    fig, panels = plt.subplots(1, 3, figsize=(7.2, 2.6), constrained_layout=True)
    out = ["| arm | tumor cells, lowest | day 14 | macrophages, highest after day 3 | vessels, day 14 |",
           "|---|---|---|---|---|"]  # fmt: skip
    for (arm, its), color in zip(runs.items(), COLORS):
        mean = {k: np.array([np.mean([r[f"{k} {d}"] for r in its]) for d in DAYS])
                for k in ("tumor", "macrophages", "vessels")}  # fmt: skip
        mean = {k: v / v[0] for k, v in mean.items()}
        for ax, k in zip(panels, mean):
            ax.plot(DAYS, mean[k], color=color, label=arm)
            ax.set(xlabel="time (day)", ylabel=f"{k} over the start", ylim=(0, None))
        top = mean["macrophages"][3:].max()
        out.append(
            f"| {arm} | {mean['tumor'].min():.2f} | {mean['tumor'][-1]:.2f} | {top:.2f} | {mean['vessels'][-1]:.2f} |"
        )
    panels[1].legend(frameon=False, fontsize=6.5)
    fig.savefig(HERE / "radiation.png", dpi=200)
    n = len(next(iter(runs.values())))
    return f"{n} seed{'s' if n > 1 else ''} per arm, over the start.\n\n" + "\n".join(out)


if __name__ == "__main__":
    page = HERE / "radiation.md"
    parts = page.read_text().split("\n\n<!-- the return -->\n\n") if page.exists() else ["", ""]
    parts = [survival(), parts[-1]] if sys.argv[1:] == ["survival"] else [survival(), back()]
    page.write_text("\n\n<!-- the return -->\n\n".join(p.strip("\n") for p in parts) + "\n")
    print(page.read_text())
