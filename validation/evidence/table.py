"""Writes the table of README.md: what was read of every number, and what the library says.

    python validation/evidence/table.py

rows.csv   id, kind; unit, value, low, high, grade, sources: the evidence; place: where the library says it;
           range: the same range in the unit of that place; answer and why
"""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from oncarium.model.catalog import groups
from oncarium.model.files import read
from oncarium.model.library import entry
from oncarium.model.rule import SENTENCE

HERE = Path(__file__).parent


def rows() -> list[dict[str, str]]:
    """The rows of rows.csv."""
    with (HERE / "rows.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def said(place: str) -> str:
    """What the library says at a place, as text. Raises KeyError where it says nothing."""
    file, _, path = place.partition(": ")
    if file == "mechanism":
        group, _, name = path.rpartition(".")
        return next(f"{n.default:.6g} {n.unit} {n.source}" for n in groups()[group] if n.name == name)
    tree = read(entry(*file.split("/"))).tree
    if " on " in path:
        pair, _, part = path.rpartition(", ")
        for sentence in tree.get("rules") or [s for listed in tree["effects"].values() for s in listed]:
            found = SENTENCE.match(sentence)
            if found and f"{found['signal']} on {found['behavior']}" == pair:
                return str(found[part])
        raise KeyError(place)
    words = path.split(".")
    while words:
        word = words.pop(0)
        if isinstance(tree, dict) and word not in tree and words:  # a name with a dot, such as surface.pd1
            word = f"{word}.{words.pop(0)}"
        tree = tree[int(word)] if isinstance(tree, list) else tree[word]
    return str(tree)


def table() -> str:
    """The rows as Markdown."""
    out = ["| row | evidence | grade | the library | answer |", "|---|---|---|---|---|"]
    for r in rows():
        spread = f" ({r['low']} to {r['high']})" if r["low"] else ""
        evidence = f"{r['value'] or 'nothing read'}{spread} {r['unit'] if r['unit'] != '1' else ''}".strip()
        here = f"{r['place']}: {said(r['place'])}" if r["place"] else ""
        out.append(
            f"| {r['id']} | {evidence} | {r['grade']} | {here} | {r['answer']}{': ' + r['why'] if r['why'] else ''} |"
        )
    return "\n".join(out)


if __name__ == "__main__":
    page = HERE / "README.md"
    head = page.read_text(encoding="utf-8").partition("<!-- table -->")[0]
    counts = ", ".join(f"{n} {word}" for word, n in Counter(r["answer"] for r in rows()).most_common())
    page.write_text(f"{head}<!-- table -->\n\n{len(rows())} rows: {counts}.\n\n{table()}\n", encoding="utf-8")
