"""A page that shows the cells of a slide and the start of a model side by side, with the same statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from . import spatial
from .canvas import picture
from .page import Page

if TYPE_CHECKING:
    import pandas

    from .preview import Preview

FEW = 20  # cells; who neighbors whom is not told of fewer


NAME = "start.html"  # beside the report of a run


def write(start: Preview, path: str | Path) -> Path:
    """Write the page of a model's start."""
    return page(start).write(path)


def page(start: Preview) -> Page:
    """The page. Raises InputError where the model has no slide."""
    model = start.model
    if model is None:
        raise InputError(start.title, "a page needs a model.", remedy="Write one:  oncarium import slide FILE")
    rows = [row for p in model.placements if p.table for row in p.rows]
    if not rows:
        raise InputError(
            start.title, "no cell of this model comes from a slide or a table.", remedy="Write a picture: .png"
        )
    place, names = np.array([row[1:3] for row in rows]), np.array([row[0] for row in rows])
    size = {t: float(np.median(start.diameter[start.names == t])) for t in start.types}
    same = len(names) == len(start.names) and bool((names == start.names).all())
    across = start.diameter if same else np.array([size[n] for n in names])
    data = replace(start, title="data", place=place, diameter=across, names=names)
    shown = replace(start, title="start")
    out = Page(f"Start: {model.title}")
    out.text("Left what the data say, right the tissue at time 0, in the same colors and with the same statistics.")
    pictures = []
    for seen, caption in ((data, "Cells where the data have them."), (shown, "Cells at time 0, at their true size.")):
        ax = seen.figure()
        pictures.append((picture(ax.figure, 150), caption))  # type: ignore[arg-type]
    out.pictures(pictures)
    if same:  # no cell is the model's own
        moved = np.linalg.norm(shown.place - data.place, axis=1)
        out.text(f"Cells moved by {np.median(moved):.2g} um (median), at most {moved.max():.2g} um.")
    both, kinds = (data.table, shown.table), list(dict.fromkeys([*data.types, *start.types]))
    counts = [spatial.composition(t).set_index("type") for t in both]
    forms = {"cells": ("cells", "{:,.0f}"), "share": ("share", "{:.1%}"), "per_mm2": ("per mm²", "{:,.0f}")}
    out.heading("Composition")
    out.text("Cells per mm² are those of the convex hull around all cells.")
    heads = [f"{named}, {side}" for named, _ in forms.values() for side in ("data", "start")]
    lines = [[_said(c[k].get(of, 0.0), form) for k, (_, form) in forms.items() for c in counts] for of in kinds]
    out.table(["type", *heads], [[of, *line] for of, line in zip(kinds, lines)])
    if len(rows) < FEW:
        return out
    out.heading("Nearest neighbors")
    out.text("Median distance (um) from a cell of the type in the row to the nearest of the column, data / start.")
    _matrix(out, [spatial.nearest(t) for t in both], "median", kinds, "{:.1f}")
    out.heading("Neighborhoods")
    out.text("Share of the type in the column among the neighbors (Delaunay) of those in the row, data / start.")
    _matrix(out, [spatial.interactions(t) for t in both], "share", kinds, "{:.2f}")
    return out


def _said(value: float, form: str) -> str:
    return form.format(value) if np.isfinite(value) else "-"


def _matrix(out: Page, tables: Sequence[pandas.DataFrame], column: str, kinds: Sequence[str], form: str) -> None:
    full = [
        t.pivot(index="source", columns="target", values=column).reindex(index=kinds, columns=kinds) for t in tables
    ]
    lines = [[of, *(" / ".join(_said(t.at[of, to], form) for t in full) for to in kinds)] for of in kinds]
    out.table(["", *kinds], lines)
