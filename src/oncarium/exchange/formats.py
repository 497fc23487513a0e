"""The formats that a result can be written in, and how they come to lie in their place."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, InputError, ModelError, Problem, did_you_mean
from . import geojson, graphml, h5ad, ome_tiff, simularium, spatialdata, tables, vtk
from .physicell import snapshot
from .selection import Selection

if TYPE_CHECKING:
    from ..run.result import Result
from ..run.results import Results

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Format:
    """One format: main is the file (or folder) that is opened; takes are the options that mean something to it;
    single: what is written of one time is one file, which may be named itself."""

    what: str
    main: str
    write: Callable[[Selection, Path], None]
    takes: tuple[str, ...] = ("at", "columns", "only")
    single: bool = False


def _physicell(selection: Selection, folder: Path) -> None:
    for notice in snapshot.export(selection.result, folder):
        log.warning("%s", notice)


FORMATS = {
    "csv": Format("tables for R, Excel, pandas", "cells.csv", tables.csv),
    "parquet": Format("the same tables, small and quick", "cells.parquet", tables.parquet),
    "h5ad": Format(
        "AnnData for scanpy and squidpy", "cells.h5ad", h5ad.write, ("at", "columns", "only", "neighbors"), True
    ),
    "spatialdata": Format(
        "circles, table and images for SpatialData, napari", "result.zarr", spatialdata.write,
        ("at", "columns", "only", "neighbors"), True,
    ),
    "ome-tiff": Format(
        "fields and label masks for Fiji, napari, QuPath", "labels.ome.tif", ome_tiff.write, ("at", "only", "pixel")
    ),
    "vtk": Format("points, images and lines for ParaView, VisIt, PyVista", "cells.pvd", vtk.write),
    "geojson": Format("outlines for QuPath", "cells.geojson", geojson.write, ("at", "columns", "only", "pixel"), True),
    "simularium": Format(
        "a trajectory for the Simularium viewer", "cells.simularium", simularium.write, ("at", "only"), True
    ),
    "graphml": Format(
        "the network of vessels for networkx, Gephi, Cytoscape", "vessels.graphml", graphml.write, ("at",), True
    ),
    "physicell": Format("snapshots for pcdl and PhysiCell's tools", "initial.xml", _physicell, ()),
}  # fmt: skip


def export(
    result: Result | str | Path, path: str | Path | None = None, to: str | None = None, *, at: Any = None,
    columns: Any = None, only: Any = None, pixel: Any = None, neighbors: Any = None,
) -> list[Path]:  # fmt: skip
    """Write a result in the format of other programs; returns what was written. Nothing that lies there is replaced.

    path    a folder (left out: `export` beside the run's store), or a file of the format's kind
    to      csv, parquet, h5ad, spatialdata, ome-tiff, vtk, geojson, simularium, graphml or physicell; left out: as the
            path ends
    at      a time or several ("2 day", [0, "1 day"]); left out: all
    columns, only   columns of cells besides id, type, state, position and radius; types of cells; left out: all
    pixel   of masks and outlines, um (1)         neighbors   of AnnData, see Result.to_anndata ("delaunay")

    Raises InputError or ModelError before anything is written, DataError where the disk is full.

    >>> [path.name for path in oc.export(result, "for R", to="csv", at="1 h")]
    ['cells.csv', 'columns.csv', 'events.csv', 'fields.csv', 'summary.csv']
    >>> oc.export(result, "tumor.geojson", at=0)[0].name
    'tumor.geojson'
    """
    if isinstance(result, str | Path):
        from . import open as opened

        found = opened(result)
        result = found.only() if isinstance(found, Results) else found
    target = None if path is None else Path(path)
    chosen = FORMATS[name := _format(target, to)]
    options = {"at": at, "columns": columns, "only": only, "pixel": pixel, "neighbors": neighbors}
    useless = [
        Problem(option, "", f"it means nothing to {name}.", f"{name} takes: {', '.join(chosen.takes) or 'no option'}.")
        for option, given in options.items()
        if given is not None and option not in chosen.takes
    ]
    if useless:
        raise ModelError(useless)
    for many in ("columns", "only"):
        if isinstance(options[many], str):
            options[many] = [options[many]]
    options["neighbors"] = neighbors if neighbors is not None else "delaunay"
    selection = Selection.of(result, *options.values())
    if target is None:
        target = Path(result.path).parent / "export"
    file = target.suffix == Path(chosen.main).suffix
    if file and not chosen.single:
        raise InputError(str(target), f"{name} is several files;", "expected a folder.")
    return _place(selection, chosen, target, file)


def _format(target: Path | None, to: str | None) -> str:
    """Name of the format. Raises InputError."""
    if to is None:
        suffix = target.suffix if target is not None else ""
        fits = [name for name, f in FORMATS.items() if f.single and Path(f.main).suffix == suffix]
        if not fits:
            raise InputError("to", "the format is not said.", f"Formats: {', '.join(FORMATS)}.")
        return fits[0]
    return known(to)


def known(to: str) -> str:
    """The name of a format. Raises InputError where there is none.

    >>> known("h5ad")
    'h5ad'
    """
    if to not in FORMATS:
        raise InputError(f"--to {to}", f"no such format.{did_you_mean(to, FORMATS)}", f"Formats: {', '.join(FORMATS)}.")
    return to


def _place(selection: Selection, chosen: Format, target: Path, file: bool) -> list[Path]:
    """Write into a new folder beside the target, and move what lies there to its place."""
    _refuse(target if file else target / chosen.main)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    made = [p for p in (target if not file else target.parent, *target.parents) if not p.exists()]
    try:
        part.mkdir(parents=True)
        chosen.write(selection, part)
        entries = sorted(part.iterdir())
        if file and len(entries) > 1:
            raise InputError(
                str(target), f"{len(entries)} files do not fit into one.", "Name a folder, or one time (--at)."
            )
        places = [target] if file else [target / entry.name for entry in entries]
        for place in places:
            _refuse(place)
        if not file:
            target.mkdir(parents=True, exist_ok=True)
        for entry, place in zip(entries, places):
            entry.rename(place)
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            if error.filename and str(part) in str(error.filename):
                error.filename = str(error.filename).replace(str(part), str(target))
            raise DataError.of(error, target, "it cannot be written") from None
        raise
    shutil.rmtree(part, ignore_errors=True)
    return places


def _refuse(place: Path) -> None:
    if place.exists():
        raise InputError(str(place), "something lies here already.", remedy="Choose another place, or move it away.")
