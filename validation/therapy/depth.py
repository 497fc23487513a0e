"""How deep drugs come from a vessel: free drug by distance, doxorubicin after an hour and an antibody after a day.

python validation/therapy/depth.py
"""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from pool import HERE, tissue
from scipy.ndimage import distance_transform_edt

import oncarium as oc
from oncarium.biology.vessels.wall import pieces

CASES = {  # label -> (factor, doses, when it is looked at)
    "doxorubicin, 1 h": ("doxorubicin", ["doxorubicin 60 mg/m^2 over 30 min on day 0"], "1 h"),
    "paclitaxel, 2 h": ("paclitaxel", ["paclitaxel 80 mg/m^2 over 1 h on day 0"], "2 h"),
    "pembrolizumab, 1 day": ("pembrolizumab", ["pembrolizumab 200 mg on day 0"], "1 day"),
    "magrolimab, 1 day": ("magrolimab", ["magrolimab 30 mg/kg on day 0"], "1 day"),
}
VOXEL = "10 um"


def profile(name: str, doses: list[str], when: str) -> tuple[np.ndarray, np.ndarray]:
    """Distance from the nearest perfused vessel (um), and mean concentration there over that beside vessels."""
    model = tissue("bulk", {"domain.voxel": VOXEL, "therapy.doses": doses})
    simulation = oc.Simulation(model, seed=1)
    simulation.run(when)
    fields, vessels = simulation.tissue.fields, simulation.tissue.vessels
    found = pieces(vessels.graph, fields.grid)
    crossed = np.zeros(fields.grid.shape, bool)
    crossed.reshape(-1)[found.voxel[found.weight > 0.25]] = True
    away = distance_transform_edt(~crossed) * fields.grid.spacing[0]
    value = fields.value[fields.index(name)]
    edges = np.arange(0.0, away.max() + 10.0, 10.0)
    place = np.digitize(away.ravel(), edges) - 1
    mean = np.bincount(place, value.ravel()) / np.maximum(np.bincount(place), 1)
    there = np.bincount(place) > 5
    return edges[: len(mean)][there], (mean / mean[0])[there]


def main() -> None:
    rows = ["| drug | half depth (um) |", "|---|---|"]
    plt.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
    fig, ax = plt.subplots(figsize=(3.6, 2.7), constrained_layout=True)
    for (label, case), color in zip(CASES.items(), ("#332288", "#009E73", "#D55E00", "#CC79A7")):
        x, y = profile(*case)
        below = np.flatnonzero(y < 0.5)
        half = f"{np.interp(0.5, y[below[0] - 1 : below[0] + 1][::-1], x[below[0] - 1 : below[0] + 1][::-1]):.0f}" \
            if len(below) else f"more than {x[-1]:.0f}"  # fmt: skip
        rows.append(f"| {label} | {half} |")
        ax.plot(x, y, color=color, label=label)
    ax.axhline(0.5, color="0.5", lw=0.7, ls=":")
    ax.set(xlabel="distance from the nearest vessel (µm)", ylabel="free drug over that at vessels", ylim=(0, 1.05))
    ax.set_xlim(left=0.0)
    ax.legend(frameon=False, fontsize=7)
    fig.savefig(HERE / "depth.png", dpi=200)
    (HERE / "depth.md").write_text("\n".join(rows) + "\n")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
