"""The command that writes runs and models in the formats of other programs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import Compat, Ignore, Numerics, SetOption, load


def export(
    source: Annotated[str, typer.Argument(help="Folder of a run, or a model as  oncarium run  takes it.")],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="PLACE", help="Folder or file to write; left out, the folder `export` of the run."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT",
            help="csv, parquet, h5ad, spatialdata, ome-tiff, vtk, geojson, simularium, graphml or physicell; left "
            "out, as the name of the file ends.",
        ),
    ] = None,
    at: Annotated[
        list[str] | None, typer.Option(metavar="TIME", help="A time such as '2 day'; may be repeated. Left out: all.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="A,B", help="Columns of cells to write, besides names, places and radii.")
    ] = None,
    only: Annotated[str | None, typer.Option(metavar="A,B", help="Cell types to write.")] = None,
    pixel: Annotated[str | None, typer.Option(help="Size of a pixel of masks and outlines, '1 um'.")] = None,
    neighbors: Annotated[
        str | None, typer.Option(help="Neighbors in AnnData: delaunay, contact, or a distance in um.")
    ] = None,
    set: SetOption = None,
    numerics: Numerics = None,
    compat: Compat = None,
    ignore: Ignore = None,
) -> None:
    """Write a run for other programs: R, scanpy, ParaView, QuPath and others; or a model as PhysiCell's settings."""
    from ..errors import InputError
    from ..exchange import formats
    from ..model.physicell import is_project

    options = {
        "at": at or None, "columns": _words(columns), "only": _words(only), "pixel": pixel,
        "neighbors": _number(neighbors),
    }  # fmt: skip
    if Path(source).is_dir() and not is_project(Path(source)):
        written = formats.export(source, folder, to, **options)
        names = ", ".join(path.name for path in written) if len(written) < 7 else f"{len(written)} files"
        print(f"Wrote {names} into {written[0].parent}")
        return
    if to is not None and formats.known(to) != "physicell":
        raise InputError(
            source, f"a model has no results to write as {to}.", remedy="Run it first:  oncarium run MODEL"
        )
    if folder is None or any(value is not None for value in options.values()):
        raise InputError(
            source, "a model is written whole into a folder;", "expected  oncarium export MODEL DIR --to physicell."
        )
    from ..exchange.physicell import settings

    for notice in settings.write(load(source, set, numerics, compat, ignore), folder):
        print(f"notice: {notice}", file=sys.stderr)
    print(f"Wrote {settings.FILES[0]} into {folder}")


def _words(given: str | None) -> list[str] | None:
    return None if given is None else [word.strip() for word in given.split(",") if word.strip()]


def _number(given: str | None) -> float | str | None:
    try:
        return None if given is None else float(given.removesuffix("um"))
    except ValueError:
        return given
