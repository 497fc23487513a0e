"""A slide's file, opened by what it is; all formats come out as one table."""

from __future__ import annotations

import os
from pathlib import Path

from ..files import check_regular
from .opened import Opened, lacking, refuse
from .own import PLACES, is_own, own
from .words import Words

IMAGES = (".tif", ".tiff", ".png", ".npy")
TEXTS = (".csv", ".tsv", ".txt", ".tab")
KNOWN = "CSV, TSV, TXT (also .gz), parquet, h5ad, zarr (AnnData or SpatialData), TIFF, OME-TIFF, PNG, npy"


def is_slide_file(path: Path) -> bool:
    """Whether a path looks like a file of cells rather than a model.

    >>> is_slide_file(Path("a.csv.gz")), is_slide_file(Path("mask.ome.tif")), is_slide_file(Path("model.yaml"))
    (True, True, False)
    """
    return kind_of(path) != ""


def kind_of(path: Path) -> str:
    """text, image, parquet, h5ad or zarr, by the end of the name; "" where it is none of them."""
    ends = [s.lower() for s in path.suffixes if s.lower() != ".gz"][-1:] or [""]
    if ends[0] in TEXTS:
        return "text"
    if ends[0] in IMAGES:
        return "image"
    return ends[0].removeprefix(".") if ends[0] in (".parquet", ".h5ad", ".zarr") else ""


def open_file(path: Path, words: Words) -> Opened:
    """Open a file of cells. Raises ModelError, and InputError where a library is missing."""
    kind = kind_of(path)
    if not os.path.exists(path):
        near = sorted(p.name for p in path.parent.glob("*") if kind_of(p)) if path.parent.is_dir() else []
        refuse(
            path, f"no such file: {os.path.abspath(path)}", remedy=f"Here lie: {', '.join(near[:8])}." if near else ""
        )
    if kind == "":
        refuse(path, "what this file is cannot be told from its name;", f"expected {KNOWN}.")
    if kind != "zarr":
        check_regular(path)
    if words.classes and kind != "image":
        refuse(path, "only an image of labels has a table of classes.", remedy="Remove classes.")
    if words.element and kind != "zarr":
        refuse(path, "only SpatialData (.zarr) has elements.", remedy="Remove element.")
    if kind == "text":
        from .delimited import read_text

        return _told_apart(path, read_text(path), words)
    if kind == "image":
        from .images import read_image

        return read_image(path, words)
    if kind == "parquet":
        return _told_apart(path, _parquet(path), words)
    from .scverse import read_scverse

    return read_scverse(path, words)


def _told_apart(path: Path, opened: Opened, words: Words) -> Opened:
    """A table as it is, or as what Oncarium itself exported."""
    return own(path, opened.frame, words, opened.kind, PLACES) if is_own(opened.frame) else opened


def _parquet(path: Path) -> Opened:
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except ImportError:
        lacking(path, "pyarrow", "slides")
    except Exception as error:  # whatever a damaged file makes the library raise
        refuse(path, f"this is no parquet file that can be read: {str(error).splitlines()[0][:120]}")
    frame = frame.reset_index() if frame.index.name else frame
    return Opened(frame.set_axis([str(c) for c in frame.columns], axis=1), "a parquet table")
