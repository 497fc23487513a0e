"""One HTML file that needs nothing else: headings, tables, pictures that enlarge, pictures over time with a slider, and
tables to download. It reads on a phone, and prints."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..writing import write_text

CSS = """
body{font:15px/1.5 system-ui,sans-serif;color:#1b1b1b;max-width:1100px;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;margin:.4rem 0}
h2{font-size:1.1rem;margin:1.6rem 0 .4rem;border-bottom:1px solid #ddd;padding-bottom:.2rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;margin:.5rem 0;font-size:.9rem}
td,th{padding:.25rem .7rem;text-align:right;border-bottom:1px solid #eee}
td:first-child,th:first-child,.t{text-align:left}figure{margin:.6rem 0}img{max-width:100%;height:auto}
.row{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(300px,100%),1fr));gap:.8rem}.wide{grid-column:1/-1}
figcaption{color:#555;font-size:.85rem}.swatch{display:inline-block;width:.8em;height:.8em;border-radius:50%}
pre{background:#f6f6f4;padding:.8rem;overflow:auto;font-size:.8rem;border-radius:4px}summary{cursor:pointer}
figure>img{cursor:zoom-in}dialog{border:0;padding:0;max-width:100vw;max-height:100vh;background:#fff}
dialog img{max-width:98vw;max-height:96vh;cursor:zoom-out;display:block}dialog::backdrop{background:#000b}
.over{display:flex;gap:.8rem;align-items:center}.over input{flex:1;min-width:8rem}.over output{min-width:6rem}
@media print{dialog,.over{display:none}}
"""
SCRIPT = """
(()=>{const big=document.createElement('dialog'),shown=document.createElement('img');big.append(shown);
document.body.append(big);big.onclick=()=>big.close();
document.querySelectorAll('figure>img').forEach(i=>{i.tabIndex=0;
const open=()=>{shown.src=i.src;shown.alt=i.alt;big.showModal()};
i.onclick=open;i.onkeydown=e=>{if(e.key==='Enter')open()}});
document.querySelectorAll('figure[data-frames]').forEach(f=>{const all=[...f.querySelectorAll('img')],
dial=f.querySelector('input'),says=f.querySelector('output');
const show=()=>{all.forEach((i,k)=>i.hidden=k!=dial.value);says.textContent=all[dial.value].alt};
dial.oninput=show;dial.parentNode.hidden=false;show()})})()
"""


class Page:
    """A page that is written part by part. Text is escaped; what `add` is given is HTML.

    >>> page = Page("A page")
    >>> page.heading("Cells").table(["type", "n"], [["tumor", 20]]).text("Nothing died.")
    <Page 'A page', 4 parts>
    >>> "<td>20" in page.html()
    True
    """

    def __init__(self, title: str, style: str = ""):
        self.title = title
        self.style = style
        self.parts: list[str] = [f"<h1>{escaped(title)}</h1>"]

    def add(self, part: str) -> Page:
        """HTML as it is."""
        self.parts.append(part)
        return self

    def heading(self, text: str) -> Page:
        """A heading of a section."""
        return self.add(f"<h2>{escaped(text)}</h2>")

    def text(self, words: str) -> Page:
        """A paragraph."""
        return self.add(f"<p>{escaped(words)}</p>")

    def table(self, heads: Sequence[Any], rows: Iterable[Sequence[Any]], words: bool = False) -> Page:
        """A table; its first column is of words, or (`words`) all of them are."""
        return self.add(table(heads, rows, words))

    def pictures(self, pictures: Iterable[tuple[Path | bytes, str] | tuple[Path | bytes, str, bool]]) -> Page:
        """Pictures side by side, as (PNG, caption) or (PNG, caption, of the page's width)."""
        figures = [
            f"<figure{' class=wide' if wide and wide[0] else ''}>{image(png, caption)}"
            f"<figcaption>{escaped(caption)}</figcaption></figure>"
            for png, caption, *wide in pictures
        ]
        return self.add(f"<div class=row>{''.join(figures)}</div>") if figures else self

    def over_time(self, frames: Sequence[tuple[Path | bytes, str]], caption: str) -> Page:
        """Pictures (PNG, moment in words) one at a time, with a slider; all of them where scripts are off."""
        shown = "".join(image(png, moment) for png, moment in frames)
        dial = (
            f"<div class=over hidden><input type=range min=0 max={len(frames) - 1} value={len(frames) - 1} "
            f"aria-label='{escaped(caption)}'><output></output></div>"
        )
        return self.add(
            f"<figure data-frames>{dial if len(frames) > 1 else ''}{shown}<figcaption>{escaped(caption)}</figcaption>"
            "</figure>"
        )

    def download(self, name: str, text: str) -> Page:
        """A link that saves a table, which the page carries."""
        data = base64.b64encode(text.encode()).decode()
        return self.add(f"<a download='{escaped(name)}' href='data:text/csv;base64,{data}'>{escaped(name)}</a> ")

    def folded(self, title: str, text: str) -> Page:
        """Text as it is written, folded away below a title."""
        return self.add(f"<details><summary>{escaped(title)}</summary><pre>{escaped(text)}</pre></details>")

    def html(self) -> str:
        """The whole page."""
        head = (
            "<!doctype html><html lang=en><meta charset=utf-8>"
            "<meta name=viewport content='width=device-width,initial-scale=1'>"
            f"<title>{escaped(self.title)}</title><style>{CSS}{self.style}</style>"
        )
        return "\n".join([head, *self.parts, f"<script>{SCRIPT}</script></html>"])

    def write(self, path: str | Path) -> Path:
        """Write the page; returns its path."""
        write_text(Path(path), self.html())
        return Path(path)

    def __repr__(self) -> str:
        return f"<Page {self.title!r}, {len(self.parts)} parts>"


def escaped(text: Any) -> str:
    """Text as HTML shows it, quotes included."""
    return html.escape(str(text))


def image(png: Path | bytes, says: str) -> str:
    """A picture within the page."""
    data = base64.b64encode(png if isinstance(png, bytes) else png.read_bytes()).decode()
    return f"<img alt='{escaped(says)}' src='data:image/png;base64,{data}'>"


def table(heads: Sequence[Any], rows: Iterable[Sequence[Any]], words: bool = False) -> str:
    """A table as HTML.

    >>> table(["a"], [["<"]])
    '<div class=scroll><table><tr><th>a<tr><td>&lt;</table></div>'
    """
    left = " class=t" if words else ""
    lines = ["".join(f"<th{left}>{escaped(h)}" for h in heads)] if heads else []
    lines += ["".join(f"<td{left}>{escaped(cell)}" for cell in row) for row in rows]
    return f"<div class=scroll><table>{''.join(f'<tr>{line}' for line in lines)}</table></div>"


def swatch(color: str) -> str:
    """A spot of a color, as HTML."""
    return f"<span class=swatch style='background:{escaped(color)}'></span>"
