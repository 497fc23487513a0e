"""Anti-CCL2 in blood: why carlumab fails to hold CCL2, and what comes when a block stops. No tissue is run.

python validation/therapy/ccl2.py
"""

from __future__ import annotations

from types import SimpleNamespace

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from pool import HERE

import oncarium as oc
from oncarium.biology.body.circulation import Circulation
from oncarium.biology.body.state import Body
from oncarium.biology.drugs.pharmacokinetics import Given, Pharmacokinetics
from oncarium.run.patient import plasma_of

DAY, STEP, DAYS = 1440.0, 30.0, 56


def course(doses: list[float], affinity: str = "") -> dict[str, np.ndarray]:
    """Free and total CCL2 of blood against their start, monocytes of marrow and blood, by half hours."""
    changes = {"therapy.doses": ["carlumab 15 mg/kg once"]}
    changes |= {"therapy.drugs.carlumab.plasma.human.ligand.affinity": affinity} if affinity else {}
    model = oc.load("reference").with_(changes)
    drug, plasma = model.therapy.drugs[0], plasma_of(model)
    blood = Pharmacokinetics(model.therapy.body(drug))
    body = model.patient.compartments
    tissue = SimpleNamespace(body=Body([c.name for c in body], [c.start for c in body]), plasma=plasma)
    process = Circulation(STEP, [c for c in body])
    given = [Given(d * DAY, drug.nmol(15.0 * 70.0)) for d in doses]
    pair = blood.states.index("ligand.pair")
    out: dict[str, list[float]] = {k: [] for k in ("free", "total", "marrow", "monocytes")}
    for i in range(round(DAYS * DAY / STEP)):
        now = plasma.amounts["carlumab"]
        plasma.amounts["carlumab"] = blood.advance(now, i * STEP, (i + 1) * STEP, given)
        process.step(tissue, SimpleNamespace(dt=STEP))
        carried, amounts = plasma.carried[0], plasma.amounts["carlumab"]
        out["free"].append(plasma.left(carried))
        out["total"].append(plasma.left(carried) + amounts[pair] / carried.level)
        for name in ("marrow", "monocytes"):
            out[name].append(tissue.body[name])
    return {k: np.array(v) for k, v in out.items()}


def main() -> None:
    every = course([0, 14, 28, 42])
    once = course([0, 14])
    tight = course([0, 14], "0.022 nM")
    days = (np.arange(len(every["free"])) + 1) * STEP / DAY
    plt.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
    fig, (a, b) = plt.subplots(1, 2, figsize=(7.2, 2.9), constrained_layout=True)
    a.semilogy(days, every["total"], color="#332288", label="total")
    a.semilogy(days, every["free"], color="#D55E00", label="free")
    a.axhline(1.0, color="0.5", lw=0.7, ls=":")
    a.set(xlabel="time (day)", ylabel="CCL2 of blood (1: as usual)", xlim=(0, DAYS))
    a.set_title("carlumab 15 mg/kg every two weeks", fontsize=8)
    a.legend(frameon=False, loc=(0.6, 0.56))
    named = (("every two weeks", every, "#332288", "-"), ("stopped after two", once, "#D55E00", "-"))
    for label, found, color, style in (*named, ("stopped; affinity of the dish", tight, "#009E73", "--")):
        b.plot(days, found["monocytes"], style, color=color, label=label)
    b.axhline(1.0, color="0.5", lw=0.7, ls=":")
    b.plot([0, 14], [0.02, 0.02], "v", color="0.3", ms=4, transform=b.get_xaxis_transform(), clip_on=False)
    top = max(f["monocytes"].max() for f in (every, once, tight))
    b.set(xlabel="time (day)", ylabel="monocytes of blood (1: as usual)", xlim=(0, DAYS), ylim=(0, 1.45 * top))
    b.legend(frameon=False, loc="upper right")
    fig.savefig(HERE / "ccl2.png", dpi=200)
    rows = ["| course | free CCL2, day 4 | day 14 | total CCL2, highest | monocytes, lowest | highest after day 14 |",
            "|---|---|---|---|---|---|"]  # fmt: skip
    for label, f in (("every two weeks", every), ("stopped after two", once), ("stopped, affinity of the dish", tight)):
        after = f["monocytes"][round(14 * DAY / STEP) :].max()
        at = [f["free"][round(d * DAY / STEP) - 1] for d in (4, 14)]
        told = (*at, f["total"].max(), f["monocytes"].min(), after)
        rows.append(f"| {label} | {told[0]:.2f} | {told[1]:.2f} | {told[2]:.0f} | {told[3]:.2f} | {told[4]:.2f} |")
    text = "\n".join(rows) + "\n"
    (HERE / "ccl2.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
