"""What a model says of a slide: which file, what its columns mean, how large a pixel is, whose cells are whose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..reader import Reader

ROLES = ("x", "y", "z", "type", "label", "area", "nucleus", "diameter", "volume")
SIZES = ("area", "nucleus", "diameter", "volume")
OTHER = "other"  # type of cells whose type the model does not know
OTHERS = ("inert", "drop", "refuse")
WORDS = ("slide", "columns", "pixel", "y", "origin", "crop", "types", "others", "classes", "element", "only",
         "relax", "trust",
         "clip", "gives")  # fmt: skip
OWN = set(WORDS) - {"slide", "clip", "gives"}  # words that no other placement has


@dataclass(frozen=True)
class Words:
    """The words of one slide; what they leave out is None, or empty.

    columns   role (x, y, z, type, label, area, nucleus, diameter, volume) -> name in the file
    pixel     um per pixel        down     y counts down, as in images     origin   um of the slide, or "center"
    crop      axis -> (from, to), um of the slide      types   name in the slide -> type of the model
    others    what becomes of cells of no type         classes  table of the labels of an image
    element   of SpatialData                           only     column -> value of the rows that are taken
    trust     positions are taken whatever they look like
    """

    file: str
    columns: Mapping[str, str] = field(default_factory=dict)
    pixel: float | None = None
    down: bool | None = None
    origin: tuple[float, float] | str | None = None
    crop: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    others: str = "refuse"
    classes: str = ""
    element: str = ""
    only: Mapping[str, str] = field(default_factory=dict)
    relax: bool | None = None
    trust: bool = False
    clip: bool = False


def is_slide(given: Any) -> bool:
    """Whether an entry of `initial` is a slide: it says so, or it is a table with words that only slides have.

    >>> is_slide({"slide": "a.csv"}), is_slide({"table": "a.csv", "pixel": "0.5 um"}), is_slide({"table": "a.csv"})
    (True, True, False)
    """
    return isinstance(given, dict) and ("slide" in given or ("table" in given and bool(OWN & set(given))))


def read_words(reader: Reader, given: Mapping[str, Any], path: str, known: Sequence[str]) -> Words | None:
    """The words of a slide at a path; every problem goes to the reader. known: types of the model; empty: any."""
    before = sum(p.severity == "error" for p in reader.problems)
    key = "slide" if "slide" in given else "table"
    tree = reader.group(given, path, [key, *WORDS[1:]], "word of a slide")
    file = reader.text(tree.get(key), f"{path}.{key}")
    if not file:
        reader.complain(f"{path}.{key}", "no file is named;", "expected a table, an image of labels, AnnData, ...")
    columns = {
        role: reader.text(name, f"{path}.columns.{role}")
        for role, name in reader.group(tree.get("columns"), f"{path}.columns", ROLES, "meaning of a column").items()
    }
    sizes = [role for role in SIZES if role in columns]
    if len(sizes) > 1:
        reader.complain(
            f"{path}.columns",
            f"{' and '.join(sizes)} each say how large the cells are.",
            remedy="Keep one of them: area where whole cells were outlined, nucleus where nuclei were.",
        )
    types = {
        str(name): (reader.word(of, f"{path}.types.{name}", known, "cell type") if known else str(of)) or ""
        for name, of in reader.group(tree.get("types"), f"{path}.types").items()
    }
    others = tree.get("others", "inert" if types else "refuse")
    words = Words(
        file,
        columns,
        _pixel(reader, tree.get("pixel"), f"{path}.pixel"),
        _down(reader, tree.get("y"), f"{path}.y"),
        _origin(reader, tree.get("origin"), f"{path}.origin"),
        _crop(reader, tree.get("crop"), f"{path}.crop"),
        types,
        reader.word(others, f"{path}.others", OTHERS, "way with cells of no type") or "refuse",
        reader.text(tree.get("classes"), f"{path}.classes"),
        reader.text(tree.get("element"), f"{path}.element"),
        {k: reader.text(v, f"{path}.only.{k}") for k, v in reader.group(tree.get("only"), f"{path}.only").items()},
        reader.truth(tree["relax"], f"{path}.relax") if "relax" in tree else None,
        *(reader.truth(tree.get(word, False), f"{path}.{word}") for word in ("trust", "clip")),
    )
    return words if sum(p.severity == "error" for p in reader.problems) == before else None


def _pixel(reader: Reader, given: Any, path: str) -> float | None:
    """um per pixel; "0.65 um/px" is understood."""
    if given is None:
        return None
    if isinstance(given, list | dict):
        reader.complain(path, "it is one length, as pixels are square;", "expected um per pixel, e.g. 0.65 um.")
        return None
    text = str(given)
    for per in ("/px", "/pixel", " per pixel"):
        text = text.removesuffix(per)
    if text.rstrip().endswith(("px", "pixel", "pixels")):
        reader.complain(path, f"'{text[:40]}' says nothing of a length;", "expected um per pixel, e.g. 0.65 um.")
        return None
    return reader.length(text, path, gt=0.0)


def _down(reader: Reader, given: Any, path: str) -> bool | None:
    if given is None:
        return None
    word = reader.word(given, path, ("down", "up"), "direction of y")
    return None if word is None else word == "down"


def _origin(reader: Reader, given: Any, path: str) -> tuple[float, float] | str | None:
    if given is None or given == "center":
        return given
    if not isinstance(given, list) or len(given) != 2:
        reader.complain(path, f"'{str(given)[:60]}' is no origin;", "expected center, or [x, y] in um of the slide.")
        return None
    point = reader.point(given, path)
    return None if point is None else point[:2]


def _crop(reader: Reader, given: Any, path: str) -> dict[str, tuple[float, float]]:
    spans = {
        axis: reader.interval(span, f"{path}.{axis}")
        for axis, span in reader.group(given, path, ("x", "y"), "axis").items()
    }
    return {axis: span for axis, span in spans.items() if span is not None}
