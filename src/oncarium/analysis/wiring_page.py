"""The wiring of a model in a file: the figure, or a page with every connection in words."""

from __future__ import annotations

import html
import io
from pathlib import Path

from ..errors import InputError
from ..model.model import Model
from ..writing import write_text
from . import plot
from .canvas import close
from .wiring import read_wiring

SUFFIXES = (".png", ".svg", ".pdf", ".html")
STYLE = """
body {font: 14px sans-serif; margin: 2em}
svg {max-width: 100%; height: auto}
td, th {padding: .3em .8em; vertical-align: top; text-align: left}
tr {border-top: 1px solid #ddd}
table {border-collapse: collapse}
"""


def write(model: Model, path: str | Path) -> Path:
    """Write the wiring of a model as .png, .svg, .pdf, or .html with every connection in words. Raises InputError."""
    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise InputError(
            str(path), f"'{path.suffix}' is no kind of picture here;", f"expected one of {', '.join(SUFFIXES)}."
        )
    figure = plot.wiring(model)
    if path.suffix != ".html":
        return plot.save(figure, path)
    picture = io.StringIO()
    figure.savefig(picture, format="svg")
    svg = picture.getvalue()
    close(figure)
    write_text(path, page(model, svg[svg.index("<svg") :]))
    return path


def page(model: Model, picture: str) -> str:
    """The picture, and below it a table of every factor and signal: who makes it, who takes it up, what it does."""
    wiring = read_wiring(model)
    rows = []
    for name in [*wiring.factors, *wiring.signals]:
        made = [
            *(["outside"] if name in wiring.outside else []),
            *(t for t in (*wiring.others, *wiring.types) if (name, t) in wiring.makes),
        ]
        taken = [t for t in (*wiring.others, *wiring.types) if (name, t) in wiring.takes]
        does = "<br>".join(html.escape(e.said) for e in wiring.effects if e.signal == name)
        rows.append(
            f"<tr><td>{html.escape(name)}<td>{html.escape(', '.join(made))}"
            f"<td>{html.escape(', '.join(taken))}<td>{does}</tr>"
        )
    title = html.escape(f"Wiring of {model.title}")
    head = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style><h1>{title}</h1>"
    )
    titles = "<tr><th>signal<th>made by<th>taken up by<th>what it does</tr>"
    return f"{head}{picture}<table>{titles}{''.join(rows)}</table></html>\n"
