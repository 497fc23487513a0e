"""Simularium: a trajectory of spheres that its viewer shows in a browser (simularium.allencell.org)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..run.anndata import STATES
from ..run.colors import APOPTOTIC, NECROTIC, color_of
from .selection import Selection

WIDTH = 100.0  # units that the longest side takes in the viewer
SPHERE = 1000.0  # its number for what is no fibre


def write(selection: Selection, folder: Path) -> None:
    """cells.simularium: version 3 of its JSON; the dead are states of their type (tumor#necrotic)."""
    result = selection.result
    scale = WIDTH / float(selection.size.max())
    middle = selection.lower + 0.5 * selection.size
    states = list(dict.fromkeys(STATES))
    colors = {"apoptotic": APOPTOTIC, "necrotic": NECROTIC}
    mapping = {}
    for k, name in enumerate(result.types):
        for s, state in enumerate(states):
            shown = {"displayType": "SPHERE", "color": colors.get(state, color_of(result, name))}
            mapping[str(k * len(states) + s)] = {
                "name": name if state == "live" else f"{name}#{state}",
                "geometry": shown,
            }
    frames, used = [], set()
    for number, time in enumerate(selection.times):
        table = selection.cells(time)
        rows = np.zeros((len(table), 11))
        rows[:, 0], rows[:, 1] = SPHERE, table["id"]
        state = np.array([states.index(s) for s in STATES])[table["vital"].to_numpy(int)]
        rows[:, 2] = [result.types.index(name) for name in table["type"]]
        rows[:, 2] = rows[:, 2] * len(states) + state
        rows[:, 3:6] = np.round((table[["x", "y", "z"]].to_numpy(float) - middle) * scale, 6)
        rows[:, 9] = np.round(table["radius"].to_numpy(float) * scale, 6)
        used |= {str(int(kind)) for kind in np.unique(rows[:, 2])}
        frames.append({"frameNumber": number, "time": time, "data": rows.ravel().tolist()})
    step = float(np.diff(selection.times).min()) if len(frames) > 1 else 1.0
    content = {
        "trajectoryInfo": {
            "version": 3,
            "timeUnits": {"magnitude": 1.0, "name": "min"},
            "timeStepSize": step,
            "totalSteps": len(frames),
            "spatialUnits": {"magnitude": 1.0 / scale, "name": "um"},
            "size": _xyz(selection.size * scale),
            "cameraDefault": {
                "position": _xyz([0.0, 0.0, 1.2 * WIDTH]),
                "lookAtPosition": _xyz([0.0, 0.0, 0.0]),
                "upVector": _xyz([0.0, 1.0, 0.0]),
                "fovDegrees": 75.0,
            },
            "typeMapping": {kind: mapping[kind] for kind in mapping if kind in used},
            "trajectoryTitle": f"{result.title}, seed {result.seed}",
            "modelInfo": {"title": result.title, "version": f"Oncarium {__version__}"},
        },
        "spatialData": {"version": 1, "msgType": 1, "bundleStart": 0, "bundleSize": len(frames), "bundleData": frames},
        "plotData": {"version": 1, "data": []},
    }
    (folder / "cells.simularium").write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")


def _xyz(numbers: Any) -> dict[str, float]:
    return dict(zip("xyz", map(float, numbers)))
