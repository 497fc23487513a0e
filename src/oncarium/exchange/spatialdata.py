"""SpatialData: cells as circles, the numbers of cells as a table, fields as images; everything in um."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..run.anndata import annotated
from .selection import Selection


def write(selection: Selection, folder: Path) -> None:
    """result.zarr: shapes `cells`, images `fields`, the table `table`; of several times cells_0000, ... Raises
    InputError where spatialdata is not installed."""
    try:
        from spatialdata import SpatialData
        from spatialdata import models as sd
        from spatialdata import transformations as move
    except ImportError:
        raise InputError(
            "--to spatialdata",
            "spatialdata is not installed.",
            remedy='Install it:  pip install "oncarium[spatialdata]"',
        ) from None
    result, axes = selection.result, "xy" if selection.result.is_2d else "xyz"
    several = len(selection.times) > 1
    tables = [selection.cells(t) for t in selection.times]
    cells, regions = {}, []
    for k, table in enumerate(tables):
        name = f"cells_{k:04d}" if several else "cells"
        regions += [name] * len(table)
        cells[name] = sd.ShapesModel.parse(
            table[list(axes)].to_numpy(float), geometry=0, radius=table["radius"].to_numpy(float),
            index=table["id"].to_numpy(), transformations={"global": move.Identity()},
        )  # fmt: skip
    data = annotated(tables, result.attrs, selection.neighbors)
    data.obs["region"] = regions
    data.obs["region"] = data.obs["region"].astype("category")
    table = sd.TableModel.parse(data, region=sorted(set(regions)), region_key="region", instance_key="id")
    corner = selection.lower + 0.0
    place = move.Sequence(
        [
            move.Scale(selection.spacing[: len(axes)], axes=tuple(axes)),
            move.Translation(corner[: len(axes)], axes=tuple(axes)),
        ]
    )
    images = {}
    for k, frame in enumerate(selection.field_frames if len(result.fields) else ()):
        values = selection.concentration(frame).astype(np.float32)
        model, values = (sd.Image2DModel, values[:, 0]) if result.is_2d else (sd.Image3DModel, values)
        name = f"fields_{k:04d}" if len(selection.field_frames) > 1 else "fields"
        channels = [f"{factor} ({unit})" for factor, unit in result.fields.units.items()]
        images[name] = model.parse(
            values, dims=("c", *reversed(axes)), c_coords=channels, transformations={"global": place}
        )
    attrs = {"oncarium": {"unit": "um", "cells_min": selection.times, "fields_min": selection.field_times}}
    whole = SpatialData(images=images, shapes=cells, tables={"table": table}, attrs=attrs)
    try:
        whole.write(folder / "result.zarr")
    except (AttributeError, ImportError, TypeError) as error:  # its own parts, of versions that do not fit together
        raise InputError(
            "--to spatialdata", f"spatialdata {version('spatialdata')} cannot write here: {error}.",
            remedy='Bring its parts up to date:  pip install --upgrade "oncarium[spatialdata]"',
        ) from None  # fmt: skip
