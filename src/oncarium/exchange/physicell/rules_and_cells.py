"""Two tables beside PhysiCell's settings: cell_rules.csv, and cells.csv of where cells start."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...model.initial import Placement
from ...model.physicell.phenotype import Key
from ...model.rows import Row
from ...run.build import pack, scatter
from .csv import cell_text
from .wording import Wording, say


def rules_text(w: Wording) -> str:
    """The table of rules; empty where there are none."""
    lines = []
    for name, rule in w.model.rules:
        signal, behavior = w.words.signal_name(*rule.signal), w.behavior(w.model.type(name), *rule.behavior)
        if signal is None or behavior is None:
            word = ".".join(str(part) for part in (rule.signal if signal is None else rule.behavior) if part)
            w.note(f"{name}: '{rule.text}' is left out, since the files have no word for {word}")
            continue
        if rule.pathway:
            w.note(f"{name}: '{rule.text}' is written without its pathway: there, all rules on one behavior add")
        column, label = rule.behavior
        scale = w.per_amount[label] if column == "secretion.rate" and label else 1.0
        verb = "increases" if rule.increases else "decreases"
        words = [cell_text(t) for t in (name, signal, verb, behavior)]
        numbers = [say(float(v)) for v in (rule.value * scale, rule.half, rule.hill)]
        lines.append(",".join([*words, *numbers, str(int(rule.dead))]))
    return "".join(f"{line}\n" for line in lines)


def everywhere(w: Wording) -> list[Placement]:
    """Placements at random in the whole domain."""
    counted = [p for p in w.model.placements if p.count is not None and p.region is not None]
    return [p for p in counted if p.region is not None and p.region.kind == "everywhere"]


def scattered(w: Wording) -> int:
    """Cells of each type that are placed at random in the whole domain, where the model says the same number for every
    type; otherwise 0."""
    found = everywhere(w)
    counts = {p.type: p.count for p in found}
    if len(counts) == len(w.types) == len(found) and len(set(counts.values())) == 1:
        return found[0].count or 0
    return 0


def cells_text(w: Wording, placed: Sequence[Row] | None) -> str:
    """The table of cells: rows of tables as they are, regions as the places their cells have with the model's seed.
    Empty where there are none.

    placed   the cells at the start, where they are known better than from the model
    """
    placements = w.model.placements if placed is None else [Placement("", table="given", rows=tuple(placed))]
    names: dict[Key, str] = {}
    for column, label in dict.fromkeys(key for p in placements for key in p.values):
        name = "volume" if column == "volume.total" else w.behavior(None, column, label)
        if name is None:
            w.note(f"values of {column} for single cells cannot be said")
        else:
            names[(column, label)] = name
    skipped = everywhere(w) if placed is None and scattered(w) else []
    lines: list[str] = []
    for number, p in enumerate(placements):
        if p in skipped:
            continue
        rows = p.rows if p.table else _places(w, p, number)
        for k, (name, *xyz) in enumerate(rows):
            more = [p.values[key][k] if key in p.values else math.nan for key in names]
            values = ["" if math.isnan(v) else say(float(v)) for v in more]
            lines.append(",".join([*(say(float(v)) for v in xyz), cell_text(name), *values]))
    head = ",".join(["x,y,z,type", *(cell_text(n) for n in names.values())])
    return "".join(f"{line}\n" for line in (head, *lines)) if lines else ""


def _places(w: Wording, p: Placement, number: int) -> list[Row]:
    """Where the cells of a region lie with the model's seed; number: of the placement."""
    domain, seed = w.model.domain, w.model.seed
    position = scatter(p, domain, seed, number) if p.count is not None else pack(p, domain)
    w.note("cells of regions are written where they lie with the model's seed")
    return [(p.type, float(x), float(y), float(z)) for x, y, z in position]
