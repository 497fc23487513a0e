"""How deep drugs get from one vessel into packed tumor cells, against what was measured; nothing is fitted.

    python validation/therapy/depth.py

One vessel crosses the middle of a slice full of tumor cells that neither divide nor die. Doxorubicin 60 mg/m^2: half
depth (from the vessel's wall) of what the tissue has taken up (as fluorescence shows it) and of what is free.
An antibody with a receptor of 1e5 or 1e6 per cell (atezolizumab's numbers): half-depth of all of it, free and bound,
at 24 h. Writes depth.csv, depth.png and the table of README.md.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import numpy as np

import oncarium as oc
from oncarium.analysis.canvas import new_figure, save, styled
from oncarium.analysis.exposure import centers, from_blood, half_depth

HERE = Path(__file__).parent
SIDE, VOXEL, BIN = 360.0, 10.0, 10.0  # um
RADIUS = (2494.0 / (4.0 / 3.0 * math.pi)) ** (1.0 / 3.0)
MODEL = """
domain: {x: [0 um, 360 um], y: [0 um, 360 um], voxel: 10 um, thickness: 10 um}
clock: {transport: 3 min, mechanics: 6 min, phenotype: 6 min}
until: 24 h
record: {cells: 24 h, fields: 15 min, columns: [drug.occupancy, radius]}
factors: {oxygen: {library: oxygen, boundary: no-flux, decay: 5 1/min assumed, initial: 20 mmHg assumed}}
cells:
  tumor: {library: tumor_simple, cycle: {exit: 0 1/min}, death: {apoptosis: 0 1/min}, surface: {pdl1: PDL1}}
vessels: {columns: {density: 7.716 1/mm^2 assumed}}
initial: [{cells: tumor, everywhere: {}, packing: hexagonal, spacing: 16 um}]
therapy: {doses: [DOSE]}
"""


def seen(dose: str, receptors: float) -> tuple[np.ndarray, np.ndarray, oc.Result]:
    """A run of a day, the distance of every voxel from the vessel's wall (um), and the fields (time, voxel)."""
    density = receptors / (4.0 * math.pi * RADIUS**2)
    model = oc.Model.from_text(MODEL.replace("PDL1", f"{density:.6g} 1/um^2 assumed").replace("DOSE", dose))
    result = oc.run(model, seed=1, out=tempfile.mkdtemp(), progress=False)
    far = from_blood(result)[0](centers(result))
    drug = dose.split()[0]
    values = np.array([result.fields[drug].sel(time=t).values.ravel() for t in result.field_times])
    return far, values, result


def profile(far: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means in bins of the distance (um, middles), up to half of the side."""
    place = (far / BIN).astype(int)
    n = int(0.5 * SIDE / BIN) - 2
    means = np.array([values[place == k].mean() for k in range(n)])
    return (np.arange(n) + 0.5) * BIN, means


def bound(result: oc.Result, drug: str) -> np.ndarray:
    """(voxel) nM of drug that cells of a voxel hold at the end."""
    occupied = result.array("drug.occupancy", None).reshape(len(result.array("id", None)), -1)[:, 0]
    shown = result.array("surface.pdl1", None) if "surface.pdl1" in result.columns else None
    del shown
    position, radius = result.array("position", None), result.array("radius", None)
    per_cell = occupied * RECEPTORS[0] * (radius / RADIUS) ** 2
    place = np.minimum((position[:, :2] / VOXEL).astype(int), int(SIDE / VOXEL) - 1)
    flat = place[:, 1] * int(SIDE / VOXEL) + place[:, 0]
    molecules = np.bincount(flat, per_cell, minlength=int(SIDE / VOXEL) ** 2)
    return molecules / 6.02214076e23 / (VOXEL**3 * 1e-15) * 1e9


RECEPTORS = [0.0]  # per cell, of the run that is read


def main() -> None:
    rows: list[tuple[str, str, str, float]] = []
    curves: list[tuple[str, np.ndarray, np.ndarray]] = []
    far, values, result = seen("doxorubicin 60 mg/m^2 on day 0", 0.0)
    times = np.asarray(result.field_times)
    taken = np.trapezoid(values, times, axis=0)
    peak = int(np.argmax(values.mean(axis=1)))
    for what, field in (("taken up within 24 h", taken), (f"free at {times[peak] / 60.0:.3g} h", values[peak])):
        x, y = profile(far, field)
        rows.append(("doxorubicin 60 mg/m^2", what, "40 to 50", half_depth(x, y)))
        curves.append((f"doxorubicin, {what}", x, y / y[0]))
    for dose in ("1 mg/kg", "10 mg/kg"):
        for receptors in (1e5, 1e6):
            RECEPTORS[0] = receptors
            far, values, result = seen(f"atezolizumab {dose} on day 0", receptors)
            x, y = profile(far, values[-1] + bound(result, "atezolizumab"))
            rows.append((f"antibody {dose}", f"all at 24 h, {receptors:.0e} receptors per cell", "50 to 100",
                         half_depth(x, y)))  # fmt: skip
            curves.append((f"antibody {dose}, {receptors:.0e} per cell", x, y / y[0]))
    lines = ["drug,what,read_um,here_um"] + [f"{d},{w.replace(',', ';')},{r},{h:.1f}" for d, w, r, h in rows]
    (HERE / "depth.csv").write_text("\n".join(lines) + "\n")
    save(drawn(curves), HERE / "depth.png")
    table = ["| drug | what | read (um) | here (um) |", "|---|---|---|---|"]
    table += [f"| {d} | {w} | {r} | {'beyond 160' if math.isnan(h) else f'{h:.0f}'} |" for d, w, r, h in rows]
    page = HERE / "README.md"
    head = page.read_text().partition("<!-- table -->")[0]
    page.write_text(head + "<!-- table -->\n\n" + "\n".join(table) + "\n")
    print("\n".join(table))


@styled
def drawn(curves):
    figure = new_figure(7.4, 3.4)
    ax = figure.subplots()
    colors = ("#332288", "#88CCEE", "#117733", "#AA4499", "#999933", "#882255")
    for k, (label, x, y) in enumerate(curves):
        ax.plot(x, y, ("-", "--")[k % 2], color=colors[k], lw=1.7, label=label)
    ax.axhline(0.5, color="0.5", lw=0.8, ls=":")
    ax.axvspan(40, 50, ymax=0.06, color="#332288", alpha=0.5, lw=0)
    ax.axvspan(50, 100, ymax=0.03, color="#117733", alpha=0.5, lw=0)
    ax.set(xlabel="distance from the wall of the vessel (µm)", ylabel="of what is beside the vessel", ylim=(0, 1.05))
    ax.set_xlim(left=0.0)
    ax.legend(fontsize=7.5, loc="upper left", bbox_to_anchor=(1.01, 1.0), title="bars below: measured half-depths",
              title_fontsize=7.5)  # fmt: skip
    return figure


if __name__ == "__main__":
    main()
