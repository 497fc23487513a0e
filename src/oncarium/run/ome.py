"""Metadata by which programs for microscopes read the fields of a run."""

from __future__ import annotations

from typing import Any


def ome_attributes(fields: Any, every: float) -> dict[str, Any]:
    """OME-Zarr 0.5 metadata of the fields."""
    dx, dy, dz = fields.grid.spacing
    x, y, z = (o + 0.5 * h for o, h in zip(fields.grid.origin, fields.grid.spacing))
    return {
        "ome": {
            "version": "0.5",
            "multiscales": [
                {
                    "name": "fields",
                    "axes": [
                        {"name": "t", "type": "time", "unit": "minute"},
                        {"name": "c", "type": "channel"},
                        *({"name": a, "type": "space", "unit": "micrometer"} for a in "zyx"),
                    ],
                    "datasets": [
                        {
                            "path": "0",
                            "coordinateTransformations": [
                                {"type": "scale", "scale": [every, 1.0, dz, dy, dx]},
                                {"type": "translation", "translation": [0.0, 0.0, z, y, x]},
                            ],
                        }
                    ],
                }
            ],
            "omero": {
                "channels": [
                    {"label": f"{n} ({u})", "color": "FFFFFF", "active": True}
                    for n, u in zip(fields.names, fields.units)
                ]
            },
        }
    }
