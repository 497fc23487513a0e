"""The page of replicates and sweeps: response curves, heat maps, curves with bands over seeds, and the table; with its
tables as CSV and parquet beside it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError, InputError
from ..run.results import Results
from ..writing import whole, write_text
from . import curves, dose_response, maps
from .canvas import close, picture
from .dose_response import DoseResponse
from .page import Page
from .responses import Readout, heat_map, numeric_paths, reached, response, responses
from .scales import MANY

if TYPE_CHECKING:
    import pandas as pd

MOST = 6  # of arms in one panel of curves, and of panels of a kind
HEADS = 200  # rows of the table on the page
NOISE = 0.5  # share of the variance that a curve may leave unexplained
DOSES = 5  # from so many values on, a curve may have a half
log = logging.getLogger(__name__)


def write(results: Results, readouts: Sequence[Readout] | None = None) -> Path:
    """Write table.csv, table.parquet (where pyarrow is installed), curves.csv and report.html into the folder of the
    results; returns the path of the page. Raises DataError where no run has left anything.

    >>> from oncarium.analysis.study_page import write
    >>> results = oc.repeat(oc.Model.from_text(oc.EXAMPLE), seeds=2, until="1 h", workers=1)
    >>> write(results).name
    'report.html'
    """
    folder = results.folder
    if folder is None:
        raise DataError(results.title, "these runs lie in no folder of their own.")
    results.first()
    table = responses(results, readouts)
    write_text(folder / "table.csv", table.to_csv(index=False))
    if not write_parquet(table, folder / "table.parquet"):
        log.warning('table.parquet was not written: pip install "oncarium[study]"')
    write_text(folder / "curves.csv", results.curves().to_csv(index=False))
    return page(results, table, folder / "report.html")


def write_parquet(table: pd.DataFrame, path: Path) -> bool:
    """Write a table as parquet; False where pyarrow is not installed."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        return False
    with whole(path) as part:
        table.to_parquet(part, index=False)
    return True


def page(results: Results, table: pd.DataFrame, path: Path) -> Path:
    """The page alone."""
    first, chosen = (
        results.first(),
        [c for c in table.columns if c not in ("arm", "seed", "time", "finished", *results.paths)],
    )
    still = [c for c in chosen if len(results.arms) > 1 and table[c].nunique() <= 1]
    chosen = [c for c in chosen if c not in still] or chosen
    out = Page(results.title)
    out.text(
        f"{results.head}. Seen until {reached(results)}.{' Every arm has the same seeds.' * (len(results.arms) > 1)}"
    )
    if len(results.seeds) > 1:
        out.text("Lines are medians over the seeds, bands hold 90 % of them (5 to 95 %).")
    stops = results.table["stopped"].value_counts().drop("", errors="ignore")
    for rule, n in stops.items():
        out.text(f"{n} of {len(results.runs)} runs were stopped by the rule {rule}.")
    failed = [run for run in results.runs if run.error]
    if failed:
        out.heading("Runs that failed").table(["arm", "seed", "why"], [[r.arm, r.seed, r.error] for r in failed], True)
    numbers = numeric_paths(table, results.paths)
    out_of = [p for p in results.paths if table[p].nunique(dropna=False) > 1]
    if numbers:
        out.heading("Response")
        for number in numbers[:MOST]:
            others = [o for o in out_of if o != number and table[o].nunique() <= MOST and _is_grid(table, number, o)]
            by = others[0] if others else None
            said = f"against {number}{f', by {by}' if by else ''}."
            out.pictures((_png(response(table, number, r, by)), f"{r} {said}") for r in chosen[:MOST])
    halves = _halves(table, numbers, chosen[:MOST]) if len(out_of) == 1 else []
    if halves:
        out.heading("Dose of half the effect")
        out.pictures((_png(dose_response.draw(curve)), f"{curve.readout}: the Hill curve.") for curve in halves)
        for curve in halves:
            out.folded(curve.readout, str(curve))
    if still and numbers:
        out.text(f"The same in every run, and not drawn: {', '.join(still)}.")
    pairs = [(a, b) for k, a in enumerate(out_of) for b in out_of[k + 1 :] if _is_grid(table, a, b)]
    if pairs:
        out.heading("Two at a time")
        out.pictures((_png(heat_map(table, a, b, r)), f"{r}: median over seeds and whatever else was set.")
                     for a, b in pairs[:MOST] for r in chosen[:MOST])  # fmt: skip
    out.heading("Over time")
    if len(results.arms) == 1:
        draws: list[Any] = [
            (curves.growth, "Live cells of each type."),
            (curves.composition, "Share of each type among live cells."),
            (curves.deaths, "Share of each type's cells that are dying or dead."),
        ]
        draws += [(curves.factors, "Mean concentrations.")] if first.factors else []
        out.pictures((_png(draw(results)), text) for draw, text in draws)
    elif len(results.arms) <= 2 * MANY:
        series = [f"live.{t}" for t in first.types] + [f"mean.{f}" for f in first.factors]
        series = [s for s in series if any(r.summary[s].nunique() > 1 for r in results)]
        wide = curves.beside(results, False) > 0
        out.pictures((_png(curves.over_time(results, s)), f"{s} of every arm.", wide) for s in series[: 2 * MOST])
    else:
        out.text(f"{len(results.arms)} arms are too many for one figure; curves.csv has them all.")
    ends = [(run, result) for run, result in results.there if len(results.arms) == 1][:MOST]
    if ends:
        out.heading("Tissue")
        out.text(f"The end of {'every seed' if len(ends) == len(results.runs) else f'the first {len(ends)} seeds'}.")
        out.pictures((_png(maps.tissue(result)), f"Seed {run.seed}.") for run, result in ends)
    out.heading("Table")
    head = table.head(HEADS)
    out.table([*head.columns], [[_cell(v) for v in row] for row in head.itertuples(index=False)])
    if len(table) > HEADS:
        out.text(f"The first {HEADS} of {len(table):,} rows.")
    out.download("table.csv", table.to_csv(index=False))
    out.folded("The model of the first run", first.model_yaml)
    return out.write(path)


def _halves(table: pd.DataFrame, numbers: Sequence[str], readouts: Sequence[str]) -> list[DoseResponse]:
    """Hill curves of read-outs that a swept number determines: the dose of half the effect lies among the values, its
    interval, where there is one, spans less than tenfold."""
    found = []
    for number in numbers:
        doses = table[number].dropna().unique()
        if len(doses) < DOSES:
            continue
        for readout in readouts:
            try:
                curve = dose_response.dose_response(table, number, readout, resamples=0)
            except InputError:  # it has no curve
                continue
            left = np.var(curve.responses - curve.at(curve.doses)) / np.var(curve.responses)
            if left < NOISE and doses.min() <= curve.ec50[0] <= doses.max() and curve.reached > 0.5:
                curve = dose_response.dose_response(table, number, readout)
                if not curve.ec50[2] >= 10.0 * curve.ec50[1]:
                    found.append(curve)
    return found


def _is_grid(table: pd.DataFrame, a: str, b: str) -> bool:
    """Is every value of one path there with every value of the other?"""
    pairs = table[[a, b]].drop_duplicates()
    return len(pairs) > 1 and len(pairs) == table[a].nunique() * table[b].nunique()


def _png(drawn: Any) -> bytes:
    figure = drawn.figure
    png = picture(figure, 150)
    close(figure)
    return png


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
