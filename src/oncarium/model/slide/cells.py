"""Cells of a slide as cells of a model: places in um, types, sizes."""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ...errors import did_you_mean
from ..reader import FARTHEST
from ..rows import number_in
from .columns import SAMPLES, find, plain, sized
from .files import open_file
from .opened import Opened
from .plausible import FEW, LARGEST, SMALLEST, Look, doubt, look
from .words import OTHER, Words

NAMELESS = "(none)"
MANY_TWINS = 0.05  # share of cells at the place of another one from which on a table is no table of cells
Complain = Callable[..., None]


@dataclass
class Slide:
    """The cells of a slide, as many numbers as cells in every array.

    x, y, z   um of the slide, as it lies       names   what the file calls them        types   types of the model
    size      what `role` says: um^2 (area, nucleus), um (diameter), um^3 (volume); nan where nothing is said
    counts    name -> (cells, type of the model, or "" where they are left out)
    pixel     um per unit in the file       down   y counts down      ours   it was written by Oncarium
    columns   role -> column of the file       words   as they were said       kind   what the file is
    header    columns of the file, where they have names that a model can say
    """

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray | None
    names: np.ndarray
    types: np.ndarray
    size: np.ndarray | None
    role: str
    counts: dict[str, tuple[int, str]]
    pixel: float
    down: bool
    ours: bool
    kind: str
    columns: dict[str, str]
    words: Words
    look: Look
    header: list[str] = field(default_factory=list)

    @property
    def relax(self) -> bool:
        """Whether overlaps are to be relaxed before time 0; a state that Oncarium left is taken as it is."""
        return not self.ours if self.words.relax is None else self.words.relax

    @property
    def unknown(self) -> bool:
        """Whether cells are of no type that the model knows."""
        return bool((self.types == OTHER).any())

    @property
    def middle(self) -> tuple[float, float]:
        """What lies in the middle of the model: um of the slide."""
        if isinstance(self.words.origin, tuple):
            return self.words.origin
        if self.ours and self.words.origin is None:
            return 0.0, 0.0
        spans = {a: self.words.crop.get(a, (float(v.min()), float(v.max()))) for a, v in (("x", self.x), ("y", self.y))}
        return 0.5 * sum(spans["x"]), 0.5 * sum(spans["y"])

    def placed(self, middle: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
        """Places (cell, xyz) um in a model whose middle this is; y up."""
        at = self.middle
        centered = not isinstance(self.words.origin, tuple) and not (self.ours and self.words.origin is None)
        shift = middle if centered else (0.0, 0.0)
        y = at[1] - self.y if self.down else self.y - at[1]
        z = np.zeros(len(self.x)) if self.z is None else self.z
        return np.stack([self.x - at[0] + shift[0], y + shift[1], z], axis=1)

    def volumes(self, total: Sequence[float], nuclear: Sequence[float], types: Sequence[str]) -> tuple[np.ndarray, int]:
        """Volume of every cell (um^3, nan: as its type), and how many sizes no cell can have. total, nuclear: um^3 of
        each type."""
        if self.size is None:
            return np.full(len(self.x), math.nan), 0
        number = {t: k for k, t in enumerate(types)}
        kind = np.array([number[t] for t in self.types])
        if self.role == "volume":
            volume = self.size.copy()
        else:
            volume = math.pi / 6.0 * _across(self.role, self.size) ** 3
            if self.role == "nucleus":
                volume *= np.asarray(total)[kind] / np.maximum(np.asarray(nuclear)[kind], 1e-16)
        low, high = (math.pi / 6.0 * d**3 for d in (SMALLEST, LARGEST))
        wrong = ~((volume >= low) & (volume <= high))
        volume[wrong] = math.nan
        return volume, int(wrong.sum())


def read_slide(path: Path, words: Words, known: Sequence[str], complain: Complain) -> Slide | None:
    """Read a slide. Problems go to complain(word, message, expected, remedy, severity); None: it cannot be used. Raises
    ModelError and InputError where the file cannot be opened.

    known   types of the model; empty: every name is a type of its own
    """
    opened = open_file(path, words)
    failed: list[bool] = []

    def problem(word: str, message: str, expected: str = "", remedy: str = "", severity: str = "error") -> None:
        failed.append(severity == "error")
        complain(word, f"{path.name}: {message}", expected, remedy, severity)

    found = find(list(opened.frame.columns), opened.columns | dict(words.columns))
    for role, message, expected in found.problems:
        problem(f"columns.{role}", message, expected)
    _only(opened, words, problem)
    missing = [a for a in "xy" if a not in found.columns and a not in words.columns]
    if missing:
        shown = ", ".join(list(opened.frame.columns)[:12])
        problem("columns", f"which column is {' and '.join(missing)} is not said.", f"It has: {shown}.",
                "Say it:  columns: {x: ..., y: ..., type: ...}")  # fmt: skip
    elif "x" in found.columns and found.columns["x"] == found.columns.get("y"):
        problem("columns", f"x and y are both the column {found.columns['x']}.", "Expected two.")
    if any(failed):
        return None
    read: dict[str, np.ndarray] = {
        r: _numbers(opened, found.columns[r], r, problem) for r in ("x", "y", "z") if r in found.columns
    }
    if not len(opened.frame):
        problem("slide", "it holds no cell.", "Expected a row per cell.")
    lost = np.isnan(read["x"]) | np.isnan(read["y"])
    pixel = _pixel(opened, found.columns, words, read["x"][~lost], read["y"][~lost], problem)
    if any(failed) or pixel is None:
        return None
    for note in opened.notes:
        problem("slide", f"{note}.", severity="notice")
    if found.guessed:
        problem("columns", f"{', '.join(found.guessed)}, by their names.", severity="notice")
    return _slide(opened, found.columns, words, read, pixel, known, problem, failed)


def _only(opened: Opened, words: Words, problem: Complain) -> None:
    """Keep the rows that are wanted; tell of a table that seems to hold several slides."""
    import pandas as pd

    frame = opened.frame
    for column, value in words.only.items():
        if column not in frame:
            problem(f"only.{column}", f"no column is called '{column[:60]}'.{did_you_mean(column, frame.columns)}",
                    f"It has: {', '.join(list(frame.columns)[:12])}.")  # fmt: skip
            continue
        kept = frame[column].astype(str).str.strip() == value
        if not kept.any() and (number := number_in(value)) is not None:  # 60 is 60.0
            kept = pd.to_numeric(frame[column], errors="coerce") == number
        if not kept.any():
            values = list(dict.fromkeys(frame[column].astype(str)))
            shown = ", ".join(v[:40] for v in values[:8]) + (", ..." if len(values) > 8 else "")
            message = f"no cell has '{value[:60]}' there.{did_you_mean(value, values)}"
            problem(f"only.{column}", message, f"It has: {shown}.")
        frame = frame[kept]
        opened.first = 0  # its rows are no longer the lines of the file
    opened.frame = frame.reset_index(drop=True)
    for column in frame.columns:
        if column not in words.only and plain(column)[0] in SAMPLES and frame[column].nunique() > 1:
            values = list(dict.fromkeys(frame[column].astype(str)))
            message = f"{column} has {len(values):,} values: cells of several slides would lie on each other."
            remedy = f"Take one:  only: {{{column}: {values[0][:40]}}}"
            problem("only", message, remedy=remedy, severity="warning")


def _slide(
    opened: Opened, columns: dict[str, str], words: Words, read: dict[str, np.ndarray], pixel: float,
    known: Sequence[str], problem: Complain, failed: list[bool],
) -> Slide | None:  # fmt: skip
    frame = opened.frame
    x, y = read["x"] * pixel, read["y"] * pixel
    z = read["z"] * pixel if "z" in read else None
    role = sized(columns)
    size = _sizes(opened, columns, role, pixel, problem) if role else None
    names = _names(frame[columns["type"]]) if "type" in columns else np.full(len(frame), NAMELESS, object)
    if "type" not in columns:
        problem(
            "columns", "no column says the type of the cells.", f"It has: {', '.join(list(frame.columns)[:12])}.",
            "Say it:  columns: {type: ...}", "warning" if words.others != "refuse" or not known else "error",
        )  # fmt: skip
    for name in words.types:
        if name not in set(names):
            problem(f"types.{name}", f"no cell is called '{name[:60]}'.{did_you_mean(name, set(names))}",
                    severity="warning")  # fmt: skip
    kept = np.ones(len(x), bool)
    for axis, (low, high) in words.crop.items():
        kept &= ((x if axis == "x" else y) >= low) & ((x if axis == "x" else y) <= high)
    if not kept.any() and len(x):
        problem(
            "crop", "no cell lies within the crop.",
            f"Cells lie from {x.min():.4g} to {x.max():.4g} um in x and from {y.min():.4g} to {y.max():.4g} um in y.",
        )  # fmt: skip
    if any(failed):
        return None
    across = None if size is None else _across(role, size[kept])
    seen = look(x[kept], y[kept], across)
    _doubt(seen, pixel, role, words, problem)
    types = _types(names[kept], words, known, problem)
    if types is None:
        return None
    left = types != ""
    rows = np.flatnonzero(kept)[left]
    fate = dict(zip(names[kept], types))
    counts = {name: (n, str(fate[name])) for name, n in Counter(names[kept].tolist()).most_common()}
    if not len(rows):
        problem("others", "no cell is left.", remedy="Map a name to a type:  types: {name: type}")
        return None
    down = opened.down if opened.down is not None else True
    down = words.down if words.down is not None else down
    x, y = x[rows], y[rows]
    seen = look(x, y, None if size is None else _across(role, size[rows]))
    slide = Slide(
        x, y, None if z is None else z[rows], names[rows], types[left], None if size is None else size[rows], role,
        counts, pixel, down, opened.ours, opened.kind, columns, words, seen,
        [] if opened.columns else list(frame.columns),
    )  # fmt: skip
    return None if any(failed) else slide


def _across(role: str, size: np.ndarray) -> np.ndarray:
    """Diameter, um."""
    if role == "diameter":
        return size
    return 2.0 * np.sqrt(np.maximum(size, 0.0) / math.pi) if role != "volume" else np.cbrt(6.0 / math.pi * size)


def _numbers(opened: Opened, column: str, role: str, problem: Complain, places: bool = True) -> np.ndarray:
    """A column as numbers; what is none is nan, and said once."""
    import pandas as pd

    given = opened.frame[column]
    values = pd.to_numeric(given, errors="coerce").to_numpy(float, copy=True)
    if given.dtype.kind == "O":  # texts; pandas is off by a digit at times
        right = np.isfinite(values)
        values[right] = given.to_numpy()[right].astype(float)
    wrong = np.flatnonzero(~(np.abs(values) <= FARTHEST))
    if len(wrong) and places:
        texts = Counter(f"'{str(v)[:20]}'" if str(v).strip() else "nothing" for v in given.iloc[wrong])
        comma = any("," in text and re.fullmatch(r"'-?[\d,.]+'", text) for text in texts)
        said = ", ".join(f"{text} ({n:,} rows)" for text, n in texts.most_common(3))
        where = f", first in line {opened.first + wrong[0]}" if opened.first else f", first in row {wrong[0] + 1}"
        problem(
            f"columns.{role}", f"{len(wrong):,} cells have no {role}: {column} is {said}{where}.",
            "Expected a decimal point and no other marks, e.g. 1234.5." if comma else "Expected a finite number.",
            "" if comma else "Take these rows out of the table.",
        )  # fmt: skip
    values[wrong] = math.nan
    return values


def short(name: str) -> str:
    """A name as a message shows it."""
    return " ".join(name.split())[:40]


def _names(given: Sequence) -> np.ndarray:
    """What the cells are called, as texts."""
    texts = [str(v).strip() for v in given]
    return np.array([NAMELESS if t in ("", "nan", "None", "<NA>") else t for t in texts], object)


def _pixel(
    opened: Opened, columns: dict[str, str], words: Words, x: np.ndarray, y: np.ndarray, problem: Complain
) -> float | None:
    """um per unit of the positions; a problem where nobody says it, or two say different things."""
    units = {axis: plain(columns[axis])[1] for axis in "xy"}
    if len(set(units.values())) > 1:
        two = " and ".join(f"{columns[a]} in {units[a] or 'no unit that is said'}" for a in "xy")
        problem("columns", f"x and y are in different units: {two}.", "Expected both in um, or both in pixels.")
        return None
    in_um = units["x"] == "um"
    if in_um and words.pixel is not None and abs(words.pixel - 1.0) > 1e-9:
        problem("pixel", f"{columns['x']} is in um already, and the pixel is said to be {words.pixel:g} um.",
                remedy="Take pixel away, or name the columns that are in pixels.")  # fmt: skip
        return None
    said = 1.0 if in_um else opened.pixel
    if words.pixel is not None:
        if said is not None and abs(said - words.pixel) > 1e-3 * said:
            problem("pixel", f"the file says {said:g} um per pixel; {words.pixel:g} um is used, as the model says.",
                    severity="warning")  # fmt: skip
        return words.pixel
    if said is None:
        apart = look(x, y, None).apart
        hint = f" Cells lie {apart:.3g} apart (median): with pixel: 0.65 um that is {0.65 * apart:.2g} um." * (
            math.isfinite(apart)
        )
        problem("pixel", f"the size of a pixel is not said.{hint}", "Expected um per pixel.",
                "Add e.g.  pixel: 0.65 um;  where positions are in um already:  pixel: 1 um")  # fmt: skip
    return said


def _sizes(opened: Opened, columns: dict[str, str], role: str, pixel: float, problem: Complain) -> np.ndarray:
    """Sizes in um, um^2 or um^3; a column whose unit is not said has that of the positions."""
    values = _numbers(opened, columns[role], role, problem, places=False)
    if not np.isfinite(values).any():
        problem(f"columns.{role}", f"{columns[role]} holds no number.", "Expected a size for every cell.")
    if plain(columns[role])[1] == "px" and plain(columns["x"])[1] == "um":
        problem(f"columns.{role}", f"{columns[role]} is in pixels, and {columns['x']} in um.", "Expected both in one.")
    power = {"diameter": 1, "volume": 3}.get(role, 2)
    return values * (1.0 if plain(columns[role])[1] == "um" or opened.ours else pixel) ** power


def _types(names: np.ndarray, words: Words, known: Sequence[str], problem: Complain) -> np.ndarray | None:
    """Type of the model of every cell, "" where it is left out; names that no type has are told by kind."""
    of = {name: words.types.get(name, name if name in known or not known else "") for name in dict.fromkeys(names)}
    strange = Counter(name for name in names if not of[name])
    if not strange:
        return np.array([of[name] for name in names], object)
    told = ", ".join(f"{short(name)} ({n:,} rows)" for name, n in strange.most_common(8))
    more = f", and {len(strange) - 8} more" if len(strange) > 8 else ""
    count = f"{len(strange):,} names are" if len(strange) > 1 else "1 name is"
    if words.others == "refuse":
        problem(
            "types", f"{count} unknown: {told}{more}.", f"This model has: {', '.join(known)}.",
            "Say whose they are:  types: {name: type};  keep the others as inert cells:  others: inert",
        )  # fmt: skip
        return None
    fate = "kept as inert cells" if words.others == "inert" else "left out"
    problem("types", f"{count} unknown, {fate}: {told}{more}.", severity="notice")
    default = OTHER if words.others == "inert" else ""
    return np.array([of[name] or default for name in names], object)


def _doubt(seen: Look, pixel: float, role: str, words: Words, problem: Complain) -> None:
    """What makes a wrong pixel size, or a table that is none of cells, plain."""
    if words.trust:
        return
    said, remedy = doubt(seen, pixel, role == "nucleus")
    if said:
        problem("pixel", f"with {pixel:g} um per pixel {said}.", f"Expected {SMALLEST:g} to {LARGEST:g} um.",
                f"{remedy} If they are right:  trust: true".strip())  # fmt: skip
    if seen.count >= FEW and seen.again > MANY_TWINS * seen.count:
        problem(
            "slide", f"{seen.again:,} of {seen.count:,} cells lie exactly where another one does.",
            "Expected one row per cell.", "Keep one row of each cell. If they are right:  trust: true",
        )  # fmt: skip
    elif seen.again:
        problem("slide", f"{seen.again:,} cells lie exactly where another one does; they are pushed apart, always in "
                "the same way.", severity="notice")  # fmt: skip


def in_folder(words: Words, folder: Path) -> Words:
    """The words with the table of classes where it lies."""
    return replace(words, classes=os.path.normpath(folder / words.classes)) if words.classes else words
