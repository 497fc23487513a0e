"""The picture of vessel_claims.md: claims about vessels, each in the smallest tissue that shows its mechanism.

python docs/vessel_claims.py [FOLDER]     the two runs of the maps lie in this folder (runs/vessel_claims)
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np

import oncarium as oc
from oncarium.biology.vessels.places import course

# A nodule of tumor cells without vessels, vessels around it, macrophages and fibroblasts between them.
NODULE = """
oncarium: 1
name: nodule
title: A nodule without vessels among vessels
domain: {x: [-250 um, 250 um], y: [-250 um, 250 um], thickness: 20 um, voxel: 20 um}
clock: {transport: 20 min, mechanics: 20 min, phenotype: 20 min, error: 0.1 um/min}
until: 6 day
record: {cells: 2 day, fields: 2 day, checkpoint: 6 day, columns: [hypoxia.level]}
factors:
  oxygen: {library: oxygen, michaelis: 2.5 mmHg assumed, decay: 0 1/min, tolerance: 0.1 mmHg assumed,
    initial: 20 mmHg assumed, boundary: no-flux}
  vegfa: {library: vegfa}
  ang1: {library: ang1}
  ang2: {library: ang2}
  pdgfb: {library: pdgfb}
  mmp: {library: mmp}
cells:
  tumor:
    cycle: {model: live, exit: 0 1/min}
    death: {apoptosis: 0 1/min}
    metabolism: {consumption: {oxygen: 900 mmHg/min assumed}}
    reservoir: {latent: 0 fmol/min}
    hypoxia: {rise: 0.0166667 1/min assumed, fall: 0 1/min}
    secretion: {rate: {vegfa: 6 molecules/min assumed}}
    rules:
      - oxygen decreases hypoxia.rise to 0 1/min, half 11 mmHg, hill 2 assumed
      - oxygen increases hypoxia.fall to 0.0166667 1/min, half 11 mmHg, hill 2 assumed
      - hypoxia.level increases secretion.rate.vegfa to 42 molecules/min, half 0.5, hill 2 assumed
  macrophage:
    death: {apoptosis: 0 1/min}
    secretion: {rate: {vegfa: 10 molecules/min assumed, mmp: 80 um^3/min assumed}}
  fibroblast: {death: {apoptosis: 0 1/min}, secretion: {rate: {vegfa: 30 molecules/min assumed}}}
matrix: {density: 0.3, period: 1 h}
vessels:
  columns: {ring: {inner: 140 um, outer: 350 um}, density: 100 1/mm^2 assumed, diameter: 9 um assumed}
  oxygen: 40 mmHg assumed
  maturation: {}
  sprouting: {}
  regression: {}
fluid: {lymph: [{everywhere: {}, density: 1}, {disc: {radius: 130 um}, density: 0}], pressure: {}}
initial:
  - {cells: tumor, disc: {radius: 130 um}, packing: hexagonal, spacing: 16 um}
  - {cells: macrophage, ring: {inner: 132 um, outer: 245 um}, count: 150}
  - {cells: fibroblast, ring: {inner: 132 um, outer: 245 um}, count: 60}
"""
# Invasive tumor cells behind a membrane; lymph vessels begin beyond it.
STRIP = """
oncarium: 1
name: strip
title: Invasive cells behind a membrane, lymph beyond it
domain: {x: [0 um, 300 um], y: [0 um, 200 um], thickness: 20 um, voxel: 20 um}
clock: {transport: 10 min, mechanics: 10 min, phenotype: 10 min, error: 0.1 um/min}
until: 4 day
factors: {mmp: {library: mmp}, serine_protease: {library: serine_protease}}
cells:
  tumor:
    cycle: {model: live, exit: 0 1/min}
    death: {apoptosis: 0 1/min}
    emt: {rise: 0.01 1/min assumed, fall: 0 1/min}
    motility: {speed: 0.4 um/min assumed, persistence: 15 min assumed}
    mechanics: {adhesion: 0.08 um/min assumed}
    secretion: {rate: {mmp: 160 um^3/min assumed, serine_protease: 160 um^3/min assumed}}
matrix: {density: 0.3, membrane: {box: {x: [0 um, 120 um]}}, period: 1 h}
fluid: {lymph: [{everywhere: {}, density: 1}, {box: {x: [0 um, 120 um]}, density: 0}]}
metastasis:
  cells: tumor
  states: emt.level
  intravasation: {}
  cascade: {}
  sites: {node: {share: 1, by: lymph}}
initial: [{cells: tumor, box: {x: [2 um, 116 um]}, packing: hexagonal, spacing: 16 um}]
"""
GROWING = {"cells.tumor.rules+": "oxygen increases cycle.exit.live to 0.0002 1/min, half 8 mmHg, hill 2 assumed"}
STILL = {"vessels.sprouting": None, "vessels.regression": None}


class Arms(NamedTuple):
    """A claim's arms, in words of its model: every arm with `changes`, two of them perturbed, two with the mechanism
    off; shows: what is told of them."""

    says: str
    shows: str
    perturbed: Mapping[str, Any]
    off: Mapping[str, Any]
    changes: Mapping[str, Any] = {}
    model: str = NODULE

    def models(self) -> dict[str, oc.Model]:
        base = oc.Model.from_text(self.model).with_(self.changes)
        off = base.with_(self.off)
        return {
            "control": base, "perturbed": base.with_(self.perturbed), "control, off": off,
            "perturbed, off": off.with_(self.perturbed),
        }  # fmt: skip


LENGTH = "vessels in the slice, mm"
MACROPHAGES, FIBROBLASTS = (
    {f"cells.{name}.secretion.rate.vegfa": "0 molecules/min"} for name in ("macrophage", "fibroblast")
)
CLAIMS = {
    "C14": Arms("stroma without VEGF-A", LENGTH, MACROPHAGES | FIBROBLASTS, STILL),
    "C27": Arms("without macrophages", LENGTH, {"initial.1.count": 0}, STILL),
    "C53": Arms("fibroblasts without VEGF-A", LENGTH, FIBROBLASTS, STILL),
    "C45": Arms(
        "MMP inhibited", LENGTH, {"factors.mmp.decay": "1000 1/min"},
        {"cells.macrophage.secretion.rate.mmp": "0 um^3/min"},
    ),
    "C36": Arms(
        "without sprouts", "tumor cells", {"vessels.sprouting.largest": "0 1/min"},
        {"factors.vegfa.decay": "1000 1/min"}, GROWING | {"until": "9 day"},
    ),
    "C38": Arms(
        "PDGF-B blocked", "coverage by pericytes", {"factors.pdgfb.decay": "10 1/min"}, {"vessels.maturation": None},
        {"vessels.sprouting": None, "until": "10 day"},
    ),
    "C48": Arms(
        "without proteases", "cells that entered lymph",
        {f"cells.tumor.secretion.rate.{name}": "0 um^3/min" for name in ("mmp", "serine_protease")},
        {"matrix.membrane": None}, model=STRIP,
    ),
}  # fmt: skip


def told(simulation: oc.Simulation) -> dict[str, float]:
    """What a simulation has come to."""
    tissue = simulation.tissue
    fields, cells, out = tissue.fields, tissue.cells, {"day": simulation.time / 1440.0}
    if tissue.vessels is not None:
        graph = tissue.vessels.graph
        out |= {
            LENGTH: float(course(graph, fields.grid).length.sum()) * 1e-3,
            "sprouts": float(count(tissue, "sprout")),
            "VEGF-A, nM": float(fields.value[fields.index("vegfa")].mean()),
            "least oxygen, mmHg": float(fields.value[fields.index("oxygen")].min()),
            "coverage by pericytes": float(graph.segments["coverage"].mean()),
            "permeability of walls": float(graph.segments["permeability"].mean()),
            "membrane of vessels": float(graph.segments["membrane"].mean()),
            "pressure of the fluid, mmHg": float(tissue.fluid.pressure.mean()),
            "share of hypoxic cells": float((cells["hypoxia.level"][cells.type == 0] > 0.5).mean()),
            "tumor cells": float((cells.type == 0).sum()),
        }
    else:
        membrane = tissue.matrix.membrane
        out |= {
            "weakest membrane": 0.0 if membrane is None else float(membrane[0][membrane[0] > 0.0].min()),
            "cells beyond": float((cells.position[:, 0] > 120.0).sum()),
            "cells that entered lymph": float(tissue.metastasis.left[3]),
        }
    return out


def count(tissue: Any, kind: str) -> int:
    """Events of a kind so far."""
    log = tissue.population
    return sum(int((events["kind"] == log.kinds.index(kind)).sum()) for events in log.pending)


@functools.cache
def one(text: str, seed: int) -> list[dict[str, float]]:
    """What a model comes to every half day; arms that several claims share run once."""
    simulation, rows = oc.Simulation(oc.Model.from_text(text), seed=seed), []
    for half in range(round(simulation.model.until / 720.0) + 1):
        simulation.run(720.0 * half)
        rows.append(told(simulation))
    return rows


def courses(model: oc.Model, seeds: int = 1) -> dict[str, np.ndarray]:
    """Quantity -> (time) mean over the seeds, every half day."""
    runs = [one(model.to_yaml(), seed) for seed in range(1, seeds + 1)]
    return {name: np.mean([[row[name] for row in rows] for rows in runs], axis=0) for name in runs[0][0]}


LOOKS = {  # of the arms; with the mechanism off, curves that agree lie on each other
    "control": {"color": "#0072B2"}, "perturbed": {"color": "#D55E00"},
    "control, off": {"color": "#56B4E9", "ls": "-", "lw": 4.0, "alpha": 0.6},
    "perturbed, off": {"color": "black", "ls": ":"},
}  # fmt: skip
PANELS = (
    ("C14", LENGTH), ("C27", LENGTH), ("C53", LENGTH), ("C45", LENGTH),
    ("C36", "share of hypoxic cells"), ("C36", "tumor cells"), ("C38", "coverage by pericytes"),
    ("C38", "pressure of the fluid, mmHg"),
    ("C48", "weakest membrane"), ("C48", "cells beyond"), ("C48", "cells that entered lymph"),
)  # fmt: skip


def maps(folder: Path, axes: Any) -> None:
    """The nodule at the start and in the end, with and without the VEGF-A of macrophages and fibroblasts."""
    arms = CLAIMS["C14"].models()
    runs = [oc.run(arms[arm], out=folder / arm, overwrite=True) for arm in ("control", "perturbed")]
    for ax, run, t, said in zip(
        axes, (runs[0], *runs), ("0 h", "6 day", "6 day"), ("start", "control", CLAIMS["C14"].says)
    ):
        oc.plot.vessels(run, t, ax, limits=(0.0, 40.0))
        ax.set_title(f"{t}, {said}" if said != "start" else "at the start", fontsize=8.5)


def draw(folder: Path, path: Path, seeds: int = 4) -> None:
    with plt.rc_context(oc.plot.STYLE):
        figure = plt.figure(figsize=(12.5, 12.5), layout="constrained")
        above, below = figure.subfigures(2, 1, height_ratios=(1.0, 2.4))
        maps(folder, above.subplots(1, 3))
        places = below.subplots(3, 4).ravel()
        seen = {}
        for ax, (name, quantity) in zip(places, PANELS):
            arms = CLAIMS[name]
            if name not in seen:
                seen[name] = {arm: courses(model, seeds) for arm, model in arms.models().items()}
            for arm, found in seen[name].items():
                ax.plot(found["day"], found[quantity], **LOOKS[arm])
            ax.set(title=f"{name}: {arms.says}", xlabel="day", ylabel=quantity)
            ax.set_ylim(bottom=0.0)
        places[-1].axis("off")
        lines = [plt.Line2D([], [], **look) for look in LOOKS.values()]
        names = ("control", "perturbed", "control, mechanism off", "perturbed, mechanism off")
        places[-1].legend(lines, names, loc="center", frameon=False)
        figure.savefig(path, dpi=90, pil_kwargs={"optimize": True})
        plt.close(figure)
        for name, arms in seen.items():
            for arm, found in arms.items():
                print(name, arm, {k: round(float(v[-1]), 3) for k, v in found.items()}, flush=True)


if __name__ == "__main__":
    draw(
        Path(sys.argv[1] if len(sys.argv) > 1 else "runs/vessel_claims"),
        Path(__file__).parent / "_static" / "vessel_claims.png",
    )
