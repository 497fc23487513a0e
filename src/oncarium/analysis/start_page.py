"""A page that shows the cells of a slide and the start of a model side by side, with the same statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError
from .canvas import picture
from .page import Page

if TYPE_CHECKING:
    import pandas

    from .preview import Preview


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
    size = {t: float(np.median(start.diameter[start.names == t])) for t in start.standing.types}
    same = len(names) == len(start.names) and bool((names == start.names).all())
    across = start.diameter if same else np.array([size[n] for n in names])
    data = replace(start, title="data", place=place, diameter=across, names=names)
    shown = replace(start, title="start")
    out = Page(f"Start: {model.title}")
    out.text("Left what the data say, right the tissue at time 0, in the same colours and with the same statistics.")
    pictures = []
    for seen, caption in ((data, "Cells where the data have them."), (shown, "Cells at time 0, at their true size.")):
        ax = seen.figure()
        pictures.append((picture(ax.figure, 150), caption))  # type: ignore[arg-type]
    out.pictures(pictures)
    if same:  # no cell is the model's own
        moved = np.linalg.norm(shown.place - data.place, axis=1)
        out.text(f"Cells moved by {np.median(moved):.2g} um (median), at most {moved.max():.2g} um.")
    out.heading("Composition")
    one, two = data.standing, shown.standing
    a, b = (s.composition() for s in (one, two))
    kinds = list(dict.fromkeys([*a.index, *b.index]))
    forms = {"cells": "{:,.0f}", "share": "{:.1%}", "per mm^2": "{:,.0f}"}
    heads = [f"{column}, {side}" for column in forms for side in ("data", "start")]
    out.table(
        ["type", *heads],
        [[t, *(cell for column, form in forms.items() for cell in _pair(a, b, t, column, form))] for t in kinds],
    )
    out.heading("Nearest neighbors")
    out.text(
        "Median distance (um) from a cell of the type in the row to the nearest of that in the column: data / start."
    )
    _matrix(out, one.nearest(), two.nearest(), kinds, "{:.1f}")
    out.heading("Neighborhoods")
    out.text(
        "Share of the type in the column among the 6 nearest neighbors of a cell of that in the row: data / start."
    )
    _matrix(out, one.mixing(), two.mixing(), kinds, "{:.2f}")
    return out


def _pair(a: pandas.DataFrame, b: pandas.DataFrame, type: str, column: str, form: str) -> list[str]:
    return [form.format(x.loc[type, column]) if type in x.index else "0" for x in (a, b)]


def _matrix(out: Page, one: pandas.DataFrame, two: pandas.DataFrame, kinds: Sequence[str], form: str) -> None:
    def said(table: pandas.DataFrame, of: str, to: str) -> str:
        value = table.loc[of, to] if of in table.index and to in table.columns else np.nan
        return form.format(value) if np.isfinite(value) else "-"

    out.table(["", *kinds], [[of, *(f"{said(one, of, to)} / {said(two, of, to)}" for to in kinds)] for of in kinds])
