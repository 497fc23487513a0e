"""AnnData and SpatialData: cells with their places in `obsm["spatial"]` or `obs`, or as points and shapes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .opened import Opened, lacking, refuse
from .own import VOLUME, own
from .words import Words

if TYPE_CHECKING:
    import pandas

MICRONS = ("um", "micron", "microns", "micrometer", "micrometers", "global_um")  # names of coordinate systems in um


def read_scverse(path: Path, words: Words) -> Opened:
    """An h5ad, or a zarr of AnnData or SpatialData. Raises ModelError and InputError."""
    if path.suffix.lower() == ".zarr" and path.is_dir() and _is_spatialdata(path):
        return _spatialdata(path, words)
    try:
        import anndata
    except ImportError:
        lacking(path, "anndata", "scverse")
    try:
        data = anndata.read_h5ad(path) if path.suffix.lower() == ".h5ad" else anndata.read_zarr(path)
    except Exception as error:  # whatever a damaged file makes h5py, zarr or anndata raise
        refuse(path, f"it cannot be read as AnnData: {(str(error).splitlines() or [''])[0][:150]}")
    return _annotated(path, data, words)


def _annotated(path: Path, data: Any, words: Words) -> Opened:
    frame = _obs(data)
    columns: dict[str, str] = {}
    if "spatial" in data.obsm:
        try:
            place = np.asarray(data.obsm["spatial"], float)
        except (TypeError, ValueError):
            refuse(path, "obsm['spatial'] holds no numbers.", "Expected places (cells, 2) or (cells, 3).")
        if place.ndim != 2 or place.shape[1] not in (2, 3):
            refuse(path, f"obsm['spatial'] has the shape {place.shape}.", "Expected (cells, 2) or (cells, 3).")
        for k, axis in enumerate("xyz"[: place.shape[1]]):
            frame[f"spatial.{axis}"] = place[:, k]
            columns[axis] = f"spatial.{axis}"
    if "oncarium" not in data.uns:
        return Opened(frame, "AnnData", columns=columns)
    if VOLUME in data.var_names:
        column = data[:, VOLUME].X
        frame[VOLUME] = np.asarray(column.todense() if hasattr(column, "todense") else column, float).ravel()
    return own(path, frame, words, "AnnData", columns | {"type": "cell_type"})


def _obs(data: Any) -> pandas.DataFrame:
    """The table of cells with plain texts and numbers."""
    frame = data.obs.reset_index(drop=True)
    frame.columns = [str(c) for c in frame.columns]
    for name in frame.columns:
        if frame[name].dtype.kind not in "iufb":
            frame[name] = frame[name].astype(object).where(frame[name].notna(), "").astype(str)
    return frame


def _is_spatialdata(path: Path) -> bool:
    import json

    for name in ("zarr.json", ".zattrs"):
        if (path / name).exists():
            try:
                attrs = json.loads((path / name).read_text())
            except ValueError:
                continue
            if "spatialdata_attrs" in attrs.get("attributes", attrs):
                return True
    return any((path / kind).is_dir() for kind in ("shapes", "points", "tables"))


def _spatialdata(path: Path, words: Words) -> Opened:
    try:
        import spatialdata
    except ImportError:
        lacking(path, "spatialdata", "spatialdata")
    try:
        data = spatialdata.read_zarr(path, selection=("shapes", "points", "tables"))
    except Exception as error:
        refuse(path, f"it cannot be read as SpatialData: {(str(error).splitlines() or [''])[0][:150]}")
    elements = [*data.shapes, *data.points]
    if not elements:
        refuse(path, "it has neither shapes nor points.", "Expected cells as shapes or points.")
    name = words.element or (elements[0] if len(elements) == 1 else next(iter(data.shapes), ""))
    if name not in elements or (not words.element and len(data.shapes) > 1):
        asked = f"no element is called '{words.element[:60]}'" if words.element else "which element are the cells?"
        refuse(path, asked + ("." if words.element else ""), f"It has: {', '.join(elements)}.", "Say it:  element: ...")
    element = data[name]
    systems = spatialdata.transformations.get_transformation(element, get_all=True)
    system = next((s for s in systems if s.lower() in MICRONS), next(iter(systems)))
    element = spatialdata.transform(element, to_coordinate_system=system)
    frame, columns = _places(path, name, element)
    for table in data.tables.values():
        attrs = table.uns.get("spatialdata_attrs", {})
        regions = attrs.get("region", [])
        if name in ([regions] if isinstance(regions, str) else list(regions)):
            rows = table[table.obs[attrs["region_key"]] == name]
            cells = _obs(rows).set_axis(rows.obs[attrs["instance_key"]].to_numpy(), axis=0)
            frame = frame.join(cells[[c for c in cells if c not in frame]], how="left")
            break
    pixel = 1.0 if system.lower() in MICRONS else None
    return Opened(frame.reset_index(drop=True), f"SpatialData, element {name}, coordinates of {system}", pixel=pixel,
                  down=None, columns=columns)  # fmt: skip


def _places(path: Path, name: str, element: Any) -> tuple[pandas.DataFrame, dict[str, str]]:
    """Centers, and sizes where the element has them."""
    import pandas as pd

    columns = {"x": "x", "y": "y"}
    if "geometry" not in element:  # points
        frame = element.compute() if hasattr(element, "compute") else element
        frame = pd.DataFrame(frame)
        for column in frame.columns:
            if frame[column].dtype.kind not in "iufb":
                frame[column] = frame[column].astype(str)
        return frame, columns
    kinds = set(element.geometry.geom_type)
    if not kinds <= {"Point", "Polygon", "MultiPolygon"}:
        refuse(path, f"the element {name} holds {', '.join(sorted(kinds))}.", "Expected circles or polygons.")
    center = element.geometry.centroid
    frame = pd.DataFrame({"x": center.x.to_numpy(), "y": center.y.to_numpy()}, index=element.index)
    if "radius" in element:
        frame["diameter"] = 2.0 * element["radius"].to_numpy(float)
        columns["diameter"] = "diameter"
    elif kinds <= {"Polygon", "MultiPolygon"}:
        frame["area"] = element.geometry.area.to_numpy()
        columns["area"] = "area"
    own = element.drop(columns=[c for c in ("geometry", "radius") if c in element])
    return frame.join(pd.DataFrame({str(c): own[c].astype(str) for c in own if str(c) not in frame})), columns
