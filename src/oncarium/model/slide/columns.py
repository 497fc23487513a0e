"""What the columns of a slide's table mean: as the model says, or by the names that programs give them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ...errors import did_you_mean
from .words import ROLES, SIZES

UNIT = re.compile(r"[\s_.(\[-]*\b(um2|um\^2|um|micron|microns|micrometer|micrometers|pixels|pixel|px2|px\^2|px)[)\]]*$")
PLACES = ("{}", "centroid{}", "{}centroid", "{}position", "position{}", "pos{}", "{}pos", "center{}", "{}center",
          "{}coordinate", "coordinate{}", "coord{}", "{}coord", "{}location", "location{}", "spatial{}",
          "cellcentroid{}", "cellx{}position", "nucleuscentroid{}")  # fmt: skip
NAMES: Mapping[str, Sequence[str]] = {
    **{axis: [place.format(axis) for place in PLACES] for axis in "xyz"},
    "type": ["celltype", "phenotype", "type", "classification", "class", "annotation", "cellclass", "phenotypes"],
    "label": ["label", "cellid", "labels", "id", "cell", "objectid", "instanceid"],
}

SAMPLES = ("imageid", "image", "sample", "sampleid", "slide", "slideid", "libraryid", "core", "coreid", "patient")


def plain(name: str) -> tuple[str, str]:
    """Letters and digits of a column's name without its unit, and the unit: "um", "px" or "".

    >>> plain("Centroid X µm"), plain("X_centroid"), plain("x_um"), plain("Area (px^2)")
    (('centroidx', 'um'), ('xcentroid', ''), ('x', 'um'), ('area', 'px'))
    """
    low = name.strip().lower().replace("µ", "u").replace("μ", "u").replace("²", "2").replace("_", " ")
    found = UNIT.search(low)
    stem = low[: found.start()] if found and found.start() else low
    unit = "" if not found or not found.start() else "px" if found[1].startswith("p") else "um"
    return re.sub(r"[^a-z0-9]", "", stem), unit


@dataclass(frozen=True)
class Found:
    """role -> column, what is wrong (message, expected), and what was taken without being said."""

    columns: dict[str, str]
    problems: list[tuple[str, str, str]]
    guessed: list[str]


def find(header: Sequence[str], said: Mapping[str, str], roles: Sequence[str] = ROLES) -> Found:
    """Which column is which.

    >>> find(["CellID", "X_centroid", "Y_centroid", "phenotype"], {}).columns
    {'x': 'X_centroid', 'y': 'Y_centroid', 'type': 'phenotype', 'label': 'CellID'}
    """
    columns, problems, guessed = {}, [], []
    stems = {plain(h)[0]: h for h in reversed(header)}
    for role in roles:
        if role in said:
            if said[role] in header:
                columns[role] = said[role]
            else:
                shown = ", ".join(header[:12]) + (", ..." if len(header) > 12 else "")
                message = f"no column is called '{said[role][:60]}'.{did_you_mean(said[role], header)}"
                problems.append((role, message, f"It has: {shown}."))
        elif role in NAMES:
            near = next((stems[name] for name in NAMES[role] if name in stems), None)
            if near is not None and near not in columns.values():
                columns[role] = near
                if role != "label":
                    guessed.append(f"{role} is {near}")
    return Found(columns, problems, guessed)


def sized(columns: Mapping[str, str]) -> str:
    """The role that says how large cells are, or ""."""
    return next((role for role in SIZES if role in columns), "")
