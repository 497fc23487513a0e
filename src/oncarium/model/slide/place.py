"""Slides of a model: read before its cell types, since who is on them decides which there are; placed after them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InputError, ModelError
from ..cell import CellType
from ..environment import Domain
from ..initial import Placement
from ..reader import Reader
from ..rule import Names
from .words import is_slide, read_words

if TYPE_CHECKING:
    import numpy as np

    from .cells import Slide

INERT = {
    "doc": "cells of a slide whose type is not known; they take up room and do nothing",
    "death": {"apoptosis": "0 1/min", "necrosis": "0 1/min"},
}


def read_slides(reader: Reader, tree: Mapping[str, Any], folder: Path | None) -> dict[int, Slide]:
    """The slides that `initial` names, by the number of the entry; folder None: they are not opened."""
    listed, types = tree.get("initial"), tree.get("cells")
    known = list(types) if isinstance(types, dict) else []
    out: dict[int, Slide] = {}
    for i, given in enumerate(listed if isinstance(listed, list) else []):
        if is_slide(given):
            words = read_words(reader, given, f"initial.{i}", known)
            slide = None if words is None or folder is None else _read(reader, words, folder, known, f"initial.{i}")
            if slide is not None:
                out[i] = slide
    return out


def _read(reader: Reader, words: Any, folder: Path, known: Sequence[str], path: str) -> Slide | None:
    from .cells import in_folder, read_slide

    def complain(word: str, message: str, expected: str = "", remedy: str = "", severity: str = "error") -> None:
        reader.complain(f"{path}.{word}", message, expected, remedy, severity)

    if not known:
        reader.complain(path, "the model has no cell types for the cells of this slide.", "Expected a section cells.")
        return None
    try:
        return read_slide(Path(os.path.normpath(folder / words.file)), in_folder(words, folder), known, complain)
    except ModelError as error:
        for p in error.problems:
            reader.complain(path, f"{p.where}: {p.message}", p.expected, p.remedy)
    except InputError as error:
        reader.complain(path, f"{error.problem.where}: {error.problem.message}", "", error.problem.remedy)
    return None


def remembered(given: Mapping[str, Any]) -> Placement:
    """A slide that is not opened: a run goes on, and its cells are restored."""
    gives = given.get("gives")
    values: Any = {(c, None): () for c in gives if isinstance(c, str)} if isinstance(gives, list) else {}
    return Placement("", table=str(given.get("slide", given.get("table"))), values=values)


def in_domain(
    reader: Reader, slide: Slide, path: str, types: Sequence[CellType], names: Names, domain: Domain
) -> Placement:
    """The cells of a slide in the domain; those that lie outside are a problem, or are moved to its edge."""
    import numpy as np

    low, high = np.array(domain.lower), np.array(domain.upper)
    middle = 0.5 * (low + high)
    at = slide.placed((float(middle[0]), float(middle[1])))
    if domain.is_2d:
        if slide.z is not None and not slide.ours and np.ptp(slide.z) > 0.0:
            reader.complain(f"{path}.columns.z", "the domain is 2-D: all cells are put into its plane.",
                            severity="notice")  # fmt: skip
        at[:, 2] = middle[2]
    beyond = np.maximum(low - at, at - high)
    if (beyond > 0.0).any():
        _say_outside(reader, slide, path, domain, at, beyond)
        at = np.clip(at, low, high)
    values: dict[tuple[str, str | None], tuple[float, ...]] = {}
    if slide.size is not None:
        total, nuclear = ([t.value(names.columns[c]) for t in types] for c in ("volume.total", "volume.nuclear"))
        volume, wrong = slide.volumes(total, nuclear, names.types)
        if wrong:
            most = 2 * wrong > len(volume) and not slide.words.trust
            reader.complain(
                f"{path}.columns.{slide.role}",
                f"{wrong:,} of {len(volume):,} cells have a size that no cell has"
                f"{'.' if most else '; they are as large as their type.'}",
                "Expected 4 to 40 um across." * most,
                "Name another column, or none." * most,
                "error" if most else "notice",
            )
        values = {("volume.total", None): tuple(volume.tolist())}
    rows = tuple((str(t), float(x), float(y), float(z)) for t, (x, y, z) in zip(slide.types, at))
    return Placement("", table=slide.words.file, rows=rows, values=values, relax=slide.relax)


def _say_outside(reader: Reader, slide: Slide, path: str, domain: Domain, at: np.ndarray, beyond: np.ndarray) -> None:
    outside = (beyond > 0.0).any(axis=1)
    spans = ", ".join(
        f"{axis} from {at[:, k].min():.4g} to {at[:, k].max():.4g} um (domain {domain.lower[k]:g} to "
        f"{domain.upper[k]:g} um)"
        for k, axis in enumerate("xyz")
        if (beyond[:, k] > 0.0).any()
    )
    reader.complain(
        path,
        f"{outside.sum():,} of {len(at):,} cells lie outside the domain, by up to {beyond.max():.4g} um: {spans}"
        f"{'; they are moved to its edge' if slide.words.clip else ''}.",
        remedy="" if slide.words.clip else
        "Enlarge the domain, cut the slide (crop: {x: [0 um, 500 um], y: [...]}), or move it (origin).",
        severity="warning" if slide.words.clip else "error",
    )  # fmt: skip
