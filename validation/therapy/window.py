"""The window of normalization: blood, oxygen and fluid over ten days of anti-VEGF at two doses, from mechanisms alone.

python validation/therapy/window.py [seeds, 3]
"""

from __future__ import annotations

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from pool import HERE, daily, seeds, seen, tissue

ARMS = {
    "none": {},
    "0.5 mg/kg": {"therapy.doses": ["bevacizumab 0.5 mg/kg on day 1"]},
    "10 mg/kg": {"therapy.doses": ["bevacizumab 10 mg/kg on day 1"]},
}
DAYS = range(0, 11)
READ = {
    "pO2": ({"measure": "factor", "name": "oxygen"}, "mean oxygen (mmHg)"),
    "hypoxic": ({"measure": "share", "of": "carcinoma", "column": "hypoxia.level", "above": 0.5},
                "share of hypoxic tumor cells"),
    "perfused": ({"measure": "tissue", "name": "vessels.perfused"}, "perfused share of vessels"),
    "inflow": ({"measure": "tissue", "name": "vessels.inflow"}, "blood that comes in (nl/min)"),
    "density": ({"measure": "vessels", "name": "density"}, "vessels per mm²"),
    "leak": ({"measure": "tissue", "name": "vessels.permeability"}, "permeability of walls"),
    "pressure": ({"measure": "tissue", "name": "fluid.pressure"}, "fluid pressure (mmHg)"),
    "vegfa": ({"measure": "factor", "name": "vegfa"}, "free VEGF-A (nM)"),
}  # fmt: skip
SHOWN = ("vegfa", "leak", "density", "inflow", "pO2", "hypoxic", "pressure", "perfused")
COLORS = {"none": "0.35", "0.5 mg/kg": "#009E73", "10 mg/kg": "#D55E00"}


def main() -> None:
    wanted = {k: v for name, (what, _) in READ.items() for k, v in daily(name, what, DAYS).items()}
    found = {}
    for arm, changes in ARMS.items():
        model = tissue("reference", {"record.fields": "1 day", **changes})
        runs = [seen(f"window {arm}", model, "10 day", s, wanted) for s in seeds(3)]
        found[arm] = {n: np.array([[r[f"{n} {d}"] for d in DAYS] for r in runs]) for n in READ}
    plt.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
    fig, panels = plt.subplots(2, 4, figsize=(7.4, 3.9), constrained_layout=True)
    for ax, name in zip(panels.flat, SHOWN):
        for arm, values in found.items():
            for row in values[name]:
                ax.plot(DAYS, row, color=COLORS[arm], lw=0.6, alpha=0.5)
            ax.plot(DAYS, values[name].mean(axis=0), color=COLORS[arm], lw=1.8, label=arm)
        ax.axvline(1, color="0.6", lw=0.7, ls=":")
        ax.set(xlabel="time (day)", ylabel=READ[name][1], xlim=(0, 10))
        ax.set_ylim(bottom=0.0)
    panels[0, 0].legend(frameon=False, title="bevacizumab on day 1", title_fontsize=7, fontsize=7)
    fig.savefig(HERE / "window.png", dpi=200)
    n = len(next(iter(found.values()))["pO2"])
    rows = [f"{n} seed{'s' if n > 1 else ''} per arm; ratios of means to those without the drug.", "",
            "| read-out | dose | day 2 | day 4 | day 6 | day 10 |", "|---|---|---|---|---|---|"]  # fmt: skip
    for name in SHOWN:
        for arm in list(ARMS)[1:]:
            ratio = found[arm][name].mean(axis=0) / found["none"][name].mean(axis=0)
            rows.append(f"| {READ[name][1]} | {arm} | " + " | ".join(f"{ratio[d]:.2f}" for d in (2, 4, 6, 10)) + " |")
    (HERE / "window.md").write_text("\n".join(rows) + "\n")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
