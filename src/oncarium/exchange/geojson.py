"""GeoJSON as QuPath imports it: every cell an outline with its class, its color and its measurements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..run.anndata import STATES
from ..run.colors import APOPTOTIC, NECROTIC, color_of
from .selection import Selection

CORNERS = 24


def write(selection: Selection, folder: Path) -> None:
    """cells.geojson, of several times cells_0000.geojson, ...: places in pixels of `labels.ome.tif` of the same pixel,
    from the upper left corner of the domain, y downward; of a tissue in space seen from above."""
    for k, time in enumerate(selection.times):
        name = f"cells_{k:04d}.geojson" if len(selection.times) > 1 else "cells.geojson"
        text = json.dumps({"type": "FeatureCollection", "features": _features(selection, time)}, separators=(",", ":"))
        (folder / name).write_text(text + "\n", encoding="utf-8")


def _features(selection: Selection, time: float) -> list[dict[str, Any]]:
    result, table, pixel = selection.result, selection.cells(time), selection.pixel
    angle = np.linspace(0.0, 2 * np.pi, CORNERS, endpoint=False)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    corner = np.array([selection.lower[0], selection.lower[1] + selection.size[1]])
    centers = (table[["x", "y"]].to_numpy(float) - corner) * [1, -1] / pixel
    radii = table["radius"].to_numpy(float) / pixel
    numbers = {"radius (um)": table["radius"].to_numpy()}
    for name, values in selection.measured(table).items():
        unit = selection.unit(name)
        numbers[name if unit == "1" else f"{name} ({unit})"] = values
    colors = {"apoptotic": _rgb(APOPTOTIC), "necrotic": _rgb(NECROTIC)}
    out = []
    for i, (center, radius, kind, vital) in enumerate(zip(centers, radii, table["type"], table["vital"])):
        ring = np.round(center + radius * circle, 3).tolist()
        state = STATES[vital]
        named = {"name": kind, "color": _rgb(color_of(result, kind))}
        if state != "live":
            named = {"name": f"{kind}: {state}", "color": colors[state]}
        measured = {name: float(str(values[i])) for name, values in numbers.items()}
        about = {"objectType": "detection", "name": str(table["id"].iloc[i]), "classification": named}
        about["measurements"] = {name: value for name, value in measured.items() if np.isfinite(value)}
        shape = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        out.append({"type": "Feature", "geometry": shape, "properties": about})
    return out


def _rgb(color: str) -> list[int]:
    """
    >>> _rgb("#E69F00")
    [230, 159, 0]
    """
    return [int(color[k : k + 2], 16) for k in (1, 3, 5)]
