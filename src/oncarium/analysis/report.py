"""A report of a run: one HTML file that needs nothing else, and its figures as PNG.

In the examples `result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import DataError, OncariumError
from ..model.model import Model
from ..run.result import Result
from ..units import say_time
from . import start_page
from .page import Page, escaped, swatch
from .scales import APOPTOTIC, MANY, NECROTIC, color_of
from .vessel_plots import length_density
from .vessel_shapes import has_vessels

FRAMES = 6  # of the tissue over time
LARGEST_TABLE = 2_000_000  # characters of a table that a page carries
WIDE = ("fields", "overview", "vessel_course")  # figures of a page's width
WORDS = {
    "live, apoptotic, necrotic": "a cell lives; dies in an ordered way and shrinks; or swells, bursts and lies there",
    "middle plane": "of a tissue in space, the cells that a plane through its middle cuts, at the size of the cut",
    "seed": "of all chance: the same seed gives the same bytes, another one another history of the same tissue",
    "band": "where several seeds were run: the median, and where nine of ten seeds lie",
}
CITE = """@software{oncarium,
  title = {Oncarium: a simulator of the tumor microenvironment},
  author = {{The Oncarium authors}},
  version = {%s},
}"""
Pictures = dict[str, list[tuple[Path, str]]]


def report(result: Result, folder: str | Path | None = None) -> Path:
    """Write report.html and figures/ into a folder (that of the run when left out); returns the path of the report.

    >>> oc.report(result, "seen").name
    'report.html'
    """
    target = Path(folder) if folder is not None else result.path.parent
    target.mkdir(parents=True, exist_ok=True)
    beside = start_page.NAME if (target / start_page.NAME).is_file() else ""
    return _page(result, draw(result, target / "figures"), beside).write(target / "report.html")


def file_name(name: str, taken: Collection[str] = ()) -> str:
    """A name as one of a file: no path, and not one that is taken.

    >>> file_name("field_../../a b", ["field_a_b"]), file_name("a b", ["a_b"])
    ('field_a_b_', 'a_b_')
    """
    file = re.sub(r"[^\w+-]+", "_", name)[:80].replace("__", "_")
    while file in taken:
        file += "_"
    return file


def draw(result: Result, folder: Path) -> Pictures:
    """All figures: section -> (file, caption)."""
    from . import plot

    times = result.times
    moments = np.unique(np.linspace(0, len(times) - 1, FRAMES).round().astype(int))
    out: Pictures = {"Tissue": [], "Factors": [], "Vessels": [], "Curves": []}

    def keep(section: str, name: str, caption: str, make: Callable[[], object]) -> None:
        file = file_name(name, [path.stem for path, _ in out[section]])
        out[section].append((plot.save(make(), folder / f"{file}.png"), caption))  # type: ignore[arg-type]

    for k in moments.tolist():
        keep("Tissue", f"tissue_{k:04d}", say_time(times[k]), partial(plot.tissue, result, times[k]))
    when = say_time(result.field_times[-1]) if result.factors else ""
    if len(result.factors) > MANY:
        caption = f"All factors at {when}, each from 0 to its highest value, or from its lowest where it hardly varies."
        keep("Factors", "fields", caption, partial(plot.fields, result))
    else:
        for name in result.factors:
            keep("Factors", f"field_{name}", f"{name} at {when}.", partial(plot.field, result, name))
    if has_vessels(result):
        end = say_time(times[-1])
        seen: dict[str, tuple[Callable, str]] = {
            "vessels": (plot.vessels, f"Vessels over oxygen at {end}, at their true width."),
            "perfusion": (plot.perfusion, f"Distance from the nearest vessel that carries blood at {end}."),
            "vessel_course": (plot.vessel_course, "Vessels and fluid over time."),
        }
        for name, (make, caption) in seen.items():
            keep("Vessels", name, caption, partial(make, result))
    curves = {
        "growth": (plot.growth, "Live cells of each type."),
        "composition": (plot.composition, "Share of each type among live cells."),
        "phases": (plot.phases, "Cycle of the dividing types."),
        "deaths": (plot.deaths, "Share of each type's cells that are dying or dead."),
        "factors": (plot.factors, "Mean concentrations."),
    }
    for name, (make, caption) in curves.items():
        if (name == "factors" and not result.factors) or (
            name == "phases" and not any(result.attrs["phases"].values())
        ):
            continue
        keep("Curves", name, caption, partial(make, result))
    keep("Curves", "overview", "The run on one page.", partial(plot.overview, result))
    return out


def _page(result: Result, pictures: Pictures, start: str = "") -> Page:
    """The page; start: that of the data and the start, where it lies beside."""
    model = _model(result)
    page = Page(result.title)
    page.text(
        f"{say_time(result.times[-1])} of tissue, seed {result.seed}{'' if result.finished else ', not finished'}"
        f"{f'; stopped by {result.stopped}' if result.stopped else ''}. One "
        f"run: how much of what it shows is chance, several seeds tell (oncarium run ... --seeds 10)."
    )
    if model is not None and model.description:
        page.text(model.description)
    if model is not None and model.look:
        page.add(f"<p><b>What to look at.</b> {escaped(model.look)}</p>")
    if start:
        page.add(f"<p>The cells come from a slide: <a href='{start}'>data and start side by side</a>.</p>")
    _summary(page, result)
    page.heading("Tissue").over_time(pictures["Tissue"], "Cells at their true size.")
    for section in ("Factors", "Vessels", "Curves"):
        if pictures[section]:
            page.heading(section)
            if section == "Vessels":
                _vessels(page, result)
            page.pictures([(path, caption, path.stem in WIDE) for path, caption in pictures[section]])
    _glossary(page, result, model)
    _tables(page, result)
    _citation(page, result, model)
    _provenance(page, result)
    return page.folded("The model", result.model_yaml)


def _model(result: Result) -> Model | None:
    """The model that was run, as far as the store alone tells."""
    try:
        return Model.from_text(result.model_yaml, folder=None)
    except OncariumError:  # it spoke of mechanisms of one's own, or is another program's
        return None


def _summary(page: Page, result: Result) -> None:
    first, last = result.summary.iloc[0], result.summary.iloc[-1]
    page.heading("Summary")
    page.table(
        ["cells", "at start", "live", "apoptotic", "necrotic", "volume (µm³)"],
        [
            [
                name,
                f"{first[f'live.{name}']:,.0f}",
                *(f"{last[f'{k}.{name}']:,.0f}" for k in ("live", "apoptotic", "necrotic")),
                f"{last[f'volume.{name}']:,.0f}",
            ]
            for name in result.types
        ],
    )
    if result.factors:
        levels = ("mean", "lowest", "highest")
        page.table(
            ["factor", *levels, "unit"],
            [[n, *(f"{last[f'{k}.{n}']:.4g}" for k in levels), unit] for n, unit in result.factors.items()],
        )
    happened = {k: int(last[f"events.{k}"]) for k in result.attrs["events"] if last[f"events.{k}"] > 0}
    if happened:
        page.table(list(happened), [[f"{n:,}" for n in happened.values()]])


def _vessels(page: Page, result: Result) -> None:
    """The network and the fluid in numbers."""
    lines = [
        ("share of the length that carries blood", "vessels.perfused", "1"),
        ("inflow", "vessels.inflow", "nl/min"),
        ("oxygen of the blood, mean", "vessels.oxygen", "mmHg"),
        ("share of walls covered by pericytes", "vessels.coverage", "1"),
        ("permeability of walls (1: leaky)", "vessels.permeability", "1"),
        ("tips of sprouts", "vessels.tips", "1"),
        ("pressure of the fluid, mean", "fluid.pressure", "mmHg"),
        ("pressure of the fluid, highest", "fluid.highest_pressure", "mmHg"),
        ("solid stress, mean", "fluid.stress", "kPa"),
        ("solid stress, highest", "fluid.highest_stress", "kPa"),
        ("share of lymph vessels that is open", "fluid.open_lymph", "1"),
    ]
    summary, ends = result.summary, (result.times[0], result.times[-1])
    rows = [["length of vessels", *(f"{length_density(result, t):.4g}" for t in ends), "mm/mm³"]]
    rows += [
        [said, *(f"{summary[name].iloc[k]:.4g}" for k in (0, -1)), "" if unit == "1" else unit]
        for said, name, unit in lines
        if name in summary
    ]
    page.table(["vessels and fluid", "at start", "at the end", "unit"], rows)


def _glossary(page: Page, result: Result, model: Model | None) -> None:
    """Colors of the cells, and what words mean."""
    types = {t.name: t.doc for t in model.types} if model is not None else {}
    factors = {f.name: f.doc for f in model.factors} if model is not None else {}
    rows = [(swatch(color_of(result, name)), name, types.get(name, "")) for name in result.types]
    rows += [(swatch(APOPTOTIC), "apoptotic", ""), (swatch(NECROTIC), "necrotic", "")]
    page.heading("Colors and words")
    lines = [f"<tr><td>{spot} {escaped(name)}<td class=t>{escaped(doc)}" for spot, name, doc in rows]
    lines += [
        f"<tr><td>{escaped(name)} ({escaped(unit)})<td class=t>{escaped(factors.get(name, ''))}"
        for name, unit in result.factors.items()
    ]
    lines += [f"<tr><td>{escaped(word)}<td class=t>{escaped(means)}" for word, means in WORDS.items()]
    page.add(f"<div class=scroll><table>{''.join(lines)}</table></div>")


def _tables(page: Page, result: Result) -> None:
    """Tables that the page carries."""
    page.heading("Tables").text("One row per frame, per event and per cell at the end; times in min, lengths in µm.")
    left = []
    for name, table in (
        ("summary.csv", result.summary.reset_index()),
        ("events.csv", result.events),
        ("cells_at_the_end.csv", result.cells()),
    ):
        text = table.to_csv(index=False, float_format="%.7g", lineterminator="\n")
        if len(text) <= LARGEST_TABLE:
            page.download(name, text)
        else:
            left.append(name)
    said = f" {', '.join(left)} would make this page too large." if left else ""
    page.text(f"More, and in other formats: oncarium export {result.path.parent} --to csv.{said}")


def _citation(page: Page, result: Result, model: Model | None) -> None:
    sources = model.cite() if model is not None else ""
    page.heading("How to cite")
    page.text("The program, with its version, and the sources of the model's numbers and rules.")
    page.add(f"<pre>{escaped(CITE % result.attrs['versions'].get('oncarium', 'unknown'))}</pre>")
    if sources:
        page.folded("Sources of the model (BibTeX)", sources)


def _provenance(page: Page, result: Result) -> None:
    attrs = result.attrs
    continued = [c for c in attrs.get("continued", ()) if c["differs"]]
    known: dict[str, Any] = attrs.get("identity", {})
    rows = {
        "model digest (SHA-256)": attrs["model_digest"],
        f"{'final state' if result.finished else 'newest checkpoint'} (SHA-256)": _digest(result),
        "seed": result.seed,
        "started": attrs["started"],
        "machine": attrs["machine"],
        "threads": f"{attrs['threads']} (no result depends on it)",
        "versions": json.dumps(attrs["versions"]),
        "command": attrs["command"],
        "processes": ", ".join(attrs["processes"]),
        "sources (SHA-256)": known.get("sources", "unknown"),
        "mechanisms of one's own": ", ".join(known.get("mechanisms", {})) or "none",
        "processor": known.get("processor", "unknown"),
        "gone on with other code": "; ".join(f"from tick {c['tick']}: {', '.join(c['differs'])}" for c in continued)
        or "no",
    }
    page.heading("Provenance").table([], rows.items(), words=True)


def _digest(result: Result) -> str:
    try:
        return result.digest
    except DataError:
        return "no checkpoint is left"
