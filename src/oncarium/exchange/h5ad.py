"""AnnData in a file: every cell of every time, for scanpy and squidpy."""

from __future__ import annotations

from pathlib import Path

from ..run.anndata import annotated
from .selection import Selection


def write(selection: Selection, folder: Path) -> None:
    """cells.h5ad: what Result.to_anndata gives. Raises InputError where anndata is not installed."""
    tables = [selection.cells(t) for t in selection.times]
    annotated(tables, selection.result.attrs, selection.neighbors).write_h5ad(folder / "cells.h5ad", compression="gzip")
