"""A report of a run: one HTML file that needs nothing else, and its figures as PNG.

In the examples `result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

from ..errors import DataError
from ..run.result import Result
from ..units import say_time
from ..writing import write_text
from .page import CSS
from .scales import MANY

WIDE = ("fields", "overview")  # figures of a page's width


def report(result: Result, folder: str | Path | None = None) -> Path:
    """Write report.html and figures/ into a folder (that of the run when left out); returns the path of the report.

    >>> oc.report(result, "seen").name
    'report.html'
    """
    target = Path(folder) if folder is not None else result.path.parent
    target.mkdir(parents=True, exist_ok=True)
    pictures = draw(result, target / "figures")
    page = _page(result, pictures)
    path = target / "report.html"
    write_text(path, page)
    return path


def file_name(name: str, taken: Collection[str] = ()) -> str:
    """A name as one of a file: no path, and not one that is taken.

    >>> file_name("field_../../a b", ["field_a_b"]), file_name("a b", ["a_b"])
    ('field_a_b_', 'a_b_')
    """
    file = re.sub(r"[^\w+-]+", "_", name)[:80].replace("__", "_")
    while file in taken:
        file += "_"
    return file


def draw(result: Result, folder: Path) -> dict[str, list[tuple[Path, str]]]:
    """All figures: section -> (file, caption)."""
    from . import plot

    times = result.times
    moments = sorted({0, len(times) // 3, 2 * len(times) // 3, len(times) - 1})
    out: dict[str, list[tuple[Path, str]]] = {"Tissue": [], "Factors": [], "Curves": []}

    def keep(section: str, name: str, caption: str, make: Callable[[], object]) -> None:
        file = file_name(name, [path.stem for path, _ in out[section]])
        out[section].append((plot.save(make(), folder / f"{file}.png"), caption))  # type: ignore[arg-type]

    for k in moments:
        keep(
            "Tissue",
            f"tissue_{k:04d}",
            f"Cells at {say_time(times[k])}, at their true size.",
            partial(plot.tissue, result, times[k]),
        )
    if len(result.factors) > MANY:
        caption = f"All factors at {say_time(result.field_times[-1])}, each from its lowest to its highest value."
        keep("Factors", "fields", caption, partial(plot.fields, result))
    else:
        for name in result.factors:
            keep(
                "Factors",
                f"field_{name}",
                f"{name} at {say_time(result.field_times[-1])}.",
                partial(plot.field, result, name),
            )
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


def _page(result: Result, pictures: dict[str, list[tuple[Path, str]]]) -> str:
    e = html.escape
    attrs = result.attrs
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width,initial-scale=1'>",
        f"<title>{e(result.title)}</title><style>{CSS}</style><h1>{e(result.title)}</h1>",
        f"<p>{say_time(result.times[-1])} of tissue, seed {result.seed}"
        f"{'' if result.finished else ', not finished'}"
        f"{f'; stopped since {e(result.stopped)}' if result.stopped else ''}.</p>",
        _summary(result),
    ]
    for section, items in pictures.items():
        if not items:
            continue
        parts.append(f"<h2>{section}</h2><div class=row>")
        for path, caption in items:
            data = base64.b64encode(path.read_bytes()).decode()
            wide = " class=wide" if path.stem in WIDE else ""
            image = f"<img alt='{e(caption)}' src='data:image/png;base64,{data}'>"
            parts.append(f"<figure{wide}>{image}<figcaption>{e(caption)}</figcaption></figure>")
        parts.append("</div>")
    continued = [c for c in attrs.get("continued", ()) if c["differs"]]
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
        "sources (SHA-256)": attrs.get("identity", {}).get("sources", "unknown"),
        "mechanisms of one's own": ", ".join(attrs.get("identity", {}).get("mechanisms", {})) or "none",
        "processor": attrs.get("identity", {}).get("processor", "unknown"),
        "gone on with other code": "; ".join(f"from tick {c['tick']}: {', '.join(c['differs'])}" for c in continued)
        or "no",
    }
    parts.append(
        "<h2>Provenance</h2><table>"
        + "".join(f"<tr><td>{e(k)}<td style='text-align:left'>{e(str(v))}" for k, v in rows.items())
        + "</table>"
    )
    parts.append(f"<details><summary>The model</summary><pre>{e(result.model_yaml)}</pre></details></html>")
    return "\n".join(parts)


def _digest(result: Result) -> str:
    try:
        return result.digest
    except DataError:
        return "no checkpoint is left"


def _summary(result: Result) -> str:
    e = html.escape
    first, last = result.summary.iloc[0], result.summary.iloc[-1]
    out = ["<h2>Summary</h2><table><tr><th>cells<th>at start<th>live<th>apoptotic<th>necrotic<th>volume (µm³)"]
    for name in result.types:
        cells = [
            f"{first[f'live.{name}']:,.0f}",
            *(f"{last[f'{k}.{name}']:,.0f}" for k in ("live", "apoptotic", "necrotic")),
            f"{last[f'volume.{name}']:,.0f}",
        ]
        out.append(f"<tr><td>{e(name)}" + "".join(f"<td>{c}" for c in cells))
    out.append("</table>")
    if result.factors:
        out.append("<table><tr><th>factor<th>mean<th>lowest<th>highest<th>unit")
        for name, unit in result.factors.items():
            out.append(
                f"<tr><td>{e(name)}"
                + "".join(f"<td>{last[f'{k}.{name}']:.4g}" for k in ("mean", "lowest", "highest"))
                + f"<td>{e(unit)}"
            )
        out.append("</table>")
    happened = {k: int(last[f"events.{k}"]) for k in result.attrs["events"] if last[f"events.{k}"] > 0}
    if happened:
        out.append(
            "<table><tr>"
            + "".join(f"<th>{e(k)}" for k in happened)
            + "<tr>"
            + "".join(f"<td>{n:,}" for n in happened.values())
            + "</table>"
        )
    return "\n".join(out)
