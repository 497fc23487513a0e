"""The page of treatments side by side: what each arm is, its doses over shared curves, what came of it against the
control, drug in blood, tissue and on cells, depth, and the tissue of all arms at the same times."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DataError
from ..model.therapy import say_therapy
from ..run.result import Result
from ..run.results import Results
from ..run.series import units_of
from ..units import say_time
from .canvas import close, picture
from .compare_page import MOMENTS, _parts, common_end, interval, tissues, together
from .exposure import doses_given, drugs_of, growth_over_time, model_of, tissue_course, tumor_types
from .page import Page
from .treat_plots import depth, exposure, growth_of, over_time, window_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

ROWS = 60  # doses of an arm that the page lists
SERIES = ("mean.oxygen", "vessels.perfused", "vessels.length", "fluid.pressure", "matrix.stiffness")


def write(results: Results) -> Path:
    """Write treat.html and readouts.csv into the folder of the results; returns the path of the page. Raises DataError
    where an arm has left nothing.

    >>> from oncarium.analysis.treat_page import write
    >>> results = oc.treat(oc.Model.from_text(oc.EXAMPLE), {"a": "doxorubicin 60 mg/m2 on day 0.1"}, until="4 h",
    ...                    seeds=1, workers=1)
    >>> write(results).name
    'treat.html'
    """
    if results.folder is None:
        raise DataError(results.title, "these runs lie in no folder of their own.")
    errors = [run.error for run in results.runs if run.error]
    if len(finished(results).arms) < 2:
        why = f": {errors[0]}" if errors else ""
        raise DataError(str(results.folder), f"fewer than two arms have a run to show{why}.")
    return page(results).write(results.folder / "treat.html")


def finished(results: Results) -> Results:
    """The runs that did not fail, and the arms that have any."""
    runs = [run for run in results.runs if not run.error and results.open(run) is not None]
    arms = [results._arms[a] for a in results.arms if any(run.arm == a for run in runs)]
    return Results(results.title, arms, runs, results.folder, results.design)


def grown(results: Results) -> dict[int, Result]:
    """Seed -> the run before the arms parted, where it can be read."""
    out = {}
    for seed, path in results.design.get("grown", {}).items():
        assert results.folder is not None
        found = results.open_path(results.folder / path)
        if found is not None:
            out[int(seed)] = found
    return out


def page(results: Results) -> Page:
    """The page."""
    failed = [run for run in results.runs if run.error]
    results = finished(results)
    before, shown = grown(results), {arm: results.of(arm).first() for arm in results.arms}
    begin = {float(r.times[0]) for r in results}
    end = common_end(results)
    out = Page(results.title)
    parted = say_time(min(begin)) if len(begin) == 1 else f"{say_time(min(begin))} to {say_time(max(begin))}"
    n = len(results.seeds)
    out.text(
        f"{len(results.arms)} arms of {n} seed{'s' if n > 1 else ''} each. Every seed grew one tumor; its arms part at "
        f"{parted} from that one state, with the same chance, and are compared at {say_time(end)}."
    )
    if failed:
        out.heading("Runs that failed").table(["arm", "seed", "why"], [[r.arm, r.seed, r.error] for r in failed], True)
    _arms(out, results, shown)
    step = float(np.diff(results.first().times[:2])[0]) if len(results.first().times) > 1 else 60.0
    window = window_of(end - min(begin), step)
    tumor = ", ".join(tumor_types(results.first()))
    out.heading("Tumor")
    many = "Lines are medians over the seeds, bands hold 90 % of them. " if n > 1 else ""
    out.text(f"{many}Marks above are doses; hollow ones were held back by a rule. Gray: before the arms part.")
    out.pictures([
        (_png(over_time(results, before, tumor_cells, "live tumor cells")), f"Live cells: {tumor}.", True),
        (_png(over_time(results, before, growth_of(window), "net growth (1/day)", zero=True)),
         f"Divisions less deaths per live tumor cell and day, in windows of {say_time(window)}.", True),
        (_png(over_time(results, before, growth_of(window, "deaths"), "deaths (1/day)")),
         f"Deaths per live tumor cell and day, in windows of {say_time(window)}.", True),
    ])  # fmt: skip
    _readouts(out, results, end)
    drawn = [(arm, figure) for arm in results.arms if (figure := exposure(results, arm)) is not None]
    if drawn:
        out.heading("Drug in blood, in the tissue, and on cells")
        seed = shown[results.arms[0]].seed
        out.text(f"Of seed {seed}. Plasma is followed from dose to dose; tissue is what the recorded fields hold.")
        out.pictures((_png(figure), f"{arm}.", True) for arm, figure in drawn)
    deep = depth(results)
    if deep is not None:
        out.heading("Depth")
        out.text(
            "Left: concentration against the distance from blood (median and 10-90 % of the voxels, one seed). Last: "
            "share of tumor cells that are dying or dead, over all seeds and the whole time of each arm."
        )
        out.pictures([(_png(deep), "Concentration and killing against depth.", True)])
    common = together([r.times for r in shown.values()], end)
    moments = common[np.unique(np.linspace(0, len(common) - 1, MOMENTS).round().astype(int))]
    out.heading("Tissue")
    out.text(f"Seed {shown[results.arms[0]].seed} of every arm, at equal times and one scale.")
    out.pictures(
        (_png(tissues(part, moments)), f"Cells of {', '.join(part)} at their true size.", True)
        for part in _parts(shown)
    )
    return out


def tumor_cells(result: Result) -> pd.Series:
    """Live cells of all types of the tumor, over time."""
    return result.summary[[f"live.{t}" for t in tumor_types(result)]].sum(axis=1)


def _arms(out: Page, results: Results, shown: Mapping[str, Result]) -> None:
    """What each arm is: its changes in words, and its doses as they were given."""
    out.heading("Arms")
    for arm, result in shown.items():
        model, given = model_of(result), doses_given(result)
        said = [f"{path} = {value}" for path, value in results.settings(arm).items() if not path.startswith("therapy")]
        words = say_therapy(model) if model is not None and model.therapy else []
        out.text(f"{arm}: {' '.join([*words, *said]) if words or said else 'nothing is given.'}")
        if not given:
            continue
        rows = [
            [f"{g.dose.time / 1440.0:.6g}", g.dose.what, f"{g.dose.amount:.6g} {g.dose.unit}",
             say_time(g.dose.duration) if g.dose.duration else "", g.dose.route or "",
             "given" if g.share == 1.0 else "held" if g.share == 0.0 else f"{100 * g.share:.3g} %"]
            for g in given[:ROWS]
        ]  # fmt: skip
        out.table(["day", "what", "amount", "over", "route", "given"], rows)
        if len(given) > ROWS:
            out.text(f"and {len(given) - ROWS} more.")


def readouts(results: Results, end: float) -> pd.DataFrame:
    """A row per read-out and arm at a time (min): unit, mean over the seeds, n, effect (difference to the control), low
    and high (95 % by Student's t of pairs; nothing with one seed), percent of the control.

    >>> results = oc.treat(oc.Model.from_text(oc.EXAMPLE), {"a": "doxorubicin 60 mg/m2 on day 0.1"}, until="4 h",
    ...                    seeds=1, workers=1)
    >>> readouts(results, 240.0)["readout"].tolist()[:2]
    ['tumor cells', 'tumor cells']
    """
    import pandas as pd

    seen = {
        (arm, run.seed): _read(result, end)
        for arm in results.arms
        for run, result in results.of(arm).there
        if result.times[-1] >= end - 1e-9
    }
    names = dict.fromkeys((name, unit) for told in seen.values() for name, (_, unit) in told.items())
    control, rows = results.arms[0], []
    for name, unit in names:
        values = {
            arm: {s: told[name][0] for (a, s), told in seen.items() if a == arm and name in told}
            for arm in results.arms
        }
        values = {arm: {s: v for s, v in by.items() if np.isfinite(v)} for arm, by in values.items()}
        if not any(v for by in values.values() for v in by.values()):
            continue
        base = values[control]
        for arm, by in values.items():
            mean, usual = (float(np.mean(list(x.values()))) if x else np.nan for x in (by, base))
            low, high = interval(base, by) if arm != control else (np.nan, np.nan)
            rows.append({
                "readout": name, "unit": unit, "arm": arm, "mean": mean, "n": len(by), "effect": mean - usual,
                "low": low, "high": high, "percent": 100.0 * mean / usual if usual else np.nan,
            })  # fmt: skip
    columns = ["readout", "unit", "arm", "mean", "n", "effect", "low", "high", "percent"]
    return pd.DataFrame(rows, columns=columns)


def _read(result: Result, end: float) -> dict[str, tuple[float, str]]:
    """Read-outs of a run at a time: name -> (value, unit)."""
    k = int(np.argmin(np.abs(result.times - end)))
    now, units, tumor = result.summary.iloc[k], units_of(result), tumor_types(result)
    span = float(result.times[-1] - result.times[0])
    out = {"tumor cells": (float(now[[f"live.{t}" for t in tumor]].sum()), "1")}
    if span > 0.0:
        growth = growth_over_time(result, tumor, span).iloc[0]
        out["net growth of the tumor"] = (float(growth["growth"]), "1/day")
        out["deaths of the tumor"] = (float(growth["deaths"]), "1/day")
    out |= {f"live {t}": (float(now[f"live.{t}"]), "1") for t in result.types if t not in tumor}
    out |= {name: (float(now[name]), units.get(name, "1")) for name in SERIES if name in now}
    for drug in drugs_of(result):
        course = tissue_course(result, drug)
        if len(course):
            mean = float(np.trapezoid(course["median"], course["time"]) / max(float(np.ptp(course["time"])), 1e-9))
            out[f"{drug} in the tissue, mean over time"] = (mean, "nM")
    return out


def _readouts(out: Page, results: Results, end: float) -> None:
    table = readouts(results, end)
    several = len(results.seeds) > 1
    out.heading(f"Read-outs at {say_time(end)}")
    if several:
        out.text(
            "Means over the seeds; rates are over the whole time of the arms. The effect is the difference to the "
            "control seed by seed, with its 95 % interval (Student's t of the pairs)."
        )
    else:
        out.text("One seed: an effect may be chance, and there is no interval. Give more seeds.")
    rows = []
    for row in table.itertuples():
        base = row.arm == results.arms[0]
        bounds = "" if base or np.isnan(row.low) else f"{row.low:+.3g} to {row.high:+.3g}"
        share = "" if base or np.isnan(row.percent) or row.mean * row.percent < 0 else f"{row.percent:.0f} %"
        rows.append([
            row.readout, "" if row.unit == "1" else row.unit, row.arm, f"{row.mean:.4g}", row.n,
            "" if base or np.isnan(row.effect) else f"{row.effect:+.3g}", bounds, share,
        ])  # fmt: skip
    out.table(["read-out", "unit", "arm", "mean", "seeds", "effect", "95 % interval", "of control"], rows)
    out.download("readouts.csv", table.to_csv(index=False))


def _png(figure: Figure | Any) -> bytes:
    owner: Any = getattr(figure, "figure", None) or figure
    png = picture(owner, 130)
    close(owner)
    return png
