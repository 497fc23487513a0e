"""Commands for slides: a look at their cells, and a model file that starts from them."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import say_problems

if TYPE_CHECKING:
    from ..model.files import Document
    from ..model.slide.cells import Slide

Columns = Annotated[
    str | None,
    typer.Option(metavar="x=NAME,type=NAME", help="What columns mean: x, y, z, type, area, nucleus, diameter."),
]
Pixel = Annotated[str | None, typer.Option(help="um per pixel, e.g. 0.65um; 1um where positions are in um already.")]
Y = Annotated[str | None, typer.Option(metavar="down|up", help="Whether y counts down, as in images.")]
Origin = Annotated[str | None, typer.Option(metavar="center|X,Y", help="What lies in the middle: um of the slide.")]
Crop = Annotated[str | None, typer.Option(metavar="x=0..500,y=0..500", help="Take this part: um of the slide.")]
Types = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=TYPE,...", help="Which name of the slide is which cell type; may be repeated."),
]
Others = Annotated[str | None, typer.Option(metavar="inert|drop|refuse", help="What becomes of cells of no type.")]
Classes = Annotated[str | None, typer.Option(metavar="FILE", help="Table of the labels of an image and their types.")]
Element = Annotated[str | None, typer.Option(help="Which element of SpatialData the cells are.")]
Only = Annotated[str | None, typer.Option(metavar="COLUMN=VALUE", help="Take only the rows with this value.")]
Trust = Annotated[bool, typer.Option("--trust", help="Take positions whatever they look like.")]


def preview(
    file: Annotated[str, typer.Argument(help="A file of cells, or a model.")],
    columns: Columns = None,
    pixel: Pixel = None,
    y: Y = None,
    origin: Origin = None,
    crop: Crop = None,
    types: Types = None,
    others: Others = None,
    classes: Classes = None,
    element: Element = None,
    only: Only = None,
    trust: Trust = False,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="The picture to write; .html: a page that shows slide and start of a model."),
    ] = Path("preview.png"),
) -> None:
    """Look at the cells of a slide, or of a model as it starts, before anything runs."""
    from ..analysis.preview import of_slide
    from ..analysis.preview import preview as look
    from ..errors import InputError
    from ..model.slide.files import is_slide_file

    said = _words(columns, pixel, y, origin, crop, types, others, classes, element, only, trust)
    if is_slide_file(Path(file)):
        seen = of_slide(_document(file, said))
    elif said:
        raise InputError(file, "a model says itself what its slide is;", "expected no other options than --out.")
    else:
        seen = look(file)
    seen.save(out)
    print(f"{seen}\nWrote {out}")


def import_slide(
    file: Annotated[Path, typer.Argument(help="A file of cells.")],
    like: Annotated[
        str, typer.Option(help="The scenario, or model file, whose factors and cell types are taken.")
    ] = "hypoxic_tumor",
    columns: Columns = None,
    pixel: Pixel = None,
    y: Y = None,
    origin: Origin = None,
    crop: Crop = None,
    types: Types = None,
    others: Others = None,
    classes: Classes = None,
    element: Element = None,
    only: Only = None,
    trust: Trust = False,
    margin: Annotated[str, typer.Option(help="Room around the cells.")] = "20 um",
    out: Annotated[Path, typer.Option("--out", "-o", help="The model file to write.")] = Path("model.yaml"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """Write a model that starts from the cells of a slide."""
    from ..analysis.preview import open_slide, size_hint, tell
    from ..errors import InputError, ModelError
    from ..model.files import emit
    from ..model.model import Model
    from ..units import UnitError, parse_quantity
    from ..writing import write_text

    if out.exists() and not overwrite:
        raise InputError(str(out), "this file exists.", remedy="Choose another name, or add --overwrite.")
    try:
        room = parse_quantity(margin, "um").value
    except UnitError as error:
        raise InputError(f"--margin {margin}", f"{error}.") from None
    base = Model.load(like)
    said = _words(columns, pixel, y, origin, crop, types, others, classes, element, only, trust)
    slide, problems = open_slide(_document(str(file), said), [t.name for t in base.types])
    if slide is None:
        raise ModelError([p for p in problems if p.severity == "error"])
    tree = _tree(slide, base, like, file, said, room, out)
    text = emit(tree)
    model = Model.from_text(text, str(out), out.parent).checked()
    write_text(out, text)
    say_problems([p for p in model.problems if "by their names" not in p.message and "unknown" not in p.message])
    hint = size_hint(slide.header, slide.columns)
    print(tell(slide, "um", problems))
    print(_overlaps(model))
    if hint:
        print(f"The column {hint} may say how large cells are: --columns nucleus={hint}, or area={hint}")
    fixed = [w for w in ("supply", "matrix") if base.document.tree.get(w)]
    if fixed:
        print(f"{' and '.join(fixed)} lie where {like} has them, not where the slide has: look at them.")
    print(f"Wrote {out}. Look at it with:  oncarium preview {out}\nRun it with:  oncarium run {out}")


def _tree(
    slide: Slide, base: Any, like: str, file: Path, said: dict[str, Any], room: float, out: Path
) -> dict[str, Any]:
    """The model as a tree: like another one, with the domain around the cells of the slide."""
    from ..model.nested import moved

    place = slide.placed()
    step = base.domain.voxel
    domain: dict[str, Any] = {}
    for k, axis in enumerate("xy"):
        low, high = place[:, k].min() - room, place[:, k].max() + room
        if said.get("origin", "center") == "center" and not slide.ours:  # the middle of the domain stays where it is
            high = max(-low, high)
            low = -high
        ends = (math.floor(low / step[k]) * step[k], math.ceil(high / step[k]) * step[k])
        domain[axis] = [f"{end:g} um" for end in ends]
    here = out.parent.resolve()
    words = {k: v for k, v in said.items() if k != "classes"}
    if said.get("classes"):
        words["classes"] = os.path.relpath(Path(said["classes"]).resolve(), here)
    named = {role: name for role, name in slide.columns.items() if name in slide.header and role != "label"}
    words |= {"columns": named} if named else {}  # what was guessed by their names is said
    words |= {"pixel": f"{slide.words.pixel:g} um"} if slide.words.pixel else {}
    words |= {} if slide.ours else {"y": "down" if slide.down else "up"}
    tree = moved(base.document.tree, base.folder.resolve(), here)
    tree.pop("look", None)  # what to look at there need not be here
    return tree | {
        "name": out.stem,
        "title": f"{base.title}, from {file.name}",
        "description": f"The cells of {file.name} in the surroundings of {like}.",
        "domain": tree["domain"] | domain,
        "initial": [{"slide": os.path.relpath(file.resolve(), here), **words}],
    }


def _overlaps(model: Any) -> str:
    """How much cells of these sizes overlap where the slide has them."""
    import numpy as np

    from ..run.initial import overlapping

    p = model.placements[0]
    total = model.names.columns["volume.total"]
    volume = np.array([model.type(row[0]).value(total) for row in p.rows])
    own = np.array(p.values.get(("volume.total", None), np.full(len(volume), math.nan)))
    radius = np.cbrt(np.where(np.isfinite(own), own, volume) * (0.75 / math.pi))
    share = overlapping(np.array([row[1:] for row in p.rows]), radius)
    return f"cells {2.0 * np.median(radius):.3g} um across (median): {100 * share:.0f} % of those that touch overlap"


def _words(
    columns: str | None, pixel: str | None, y: str | None, origin: str | None, crop: str | None,
    types: Sequence[str] | None, others: str | None, classes: str | None, element: str | None, only: str | None,
    trust: bool,
) -> dict[str, Any]:  # fmt: skip
    """The options as a model would say them."""
    out: dict[str, Any] = {"pixel": pixel, "y": y, "others": others, "classes": classes, "element": element}
    out["columns"] = _pairs("columns", columns)
    out["types"] = {k: v for item in types or () for k, v in _pairs("types", item).items()}
    out["origin"] = [f"{v.strip()} um" for v in origin.split(",")] if origin and "," in origin else origin
    out["crop"] = {
        axis: [f"{end.strip().removesuffix('um')} um" for end in span.split("..")]
        for axis, span in _pairs("crop", crop).items()
    }
    out["only"] = _pairs("only", only)
    out["trust"] = trust or None
    return {k: v for k, v in out.items() if v not in (None, {}, "")}


def _pairs(option: str, given: str | None) -> dict[str, str]:
    """NAME=VALUE,NAME=VALUE; a name that holds a comma stands in quotes."""
    from ..errors import InputError

    out: dict[str, str] = {}
    for item in next(csv.reader([given or ""], skipinitialspace=True), []):
        name, sign, value = item.rpartition("=")
        if not sign or not name.strip() or not value.strip():
            raise InputError(f"--{option} {given}", f"'{item}' is no pair;", "expected NAME=VALUE,NAME=VALUE.")
        out[name.strip()] = value.strip()
    return out


def _document(file: str, said: dict[str, Any]) -> Document:
    """A slide by its file and the options, which are where its problems are."""
    from ..model.files import Document

    places = {f"slide.{word}": (f"--{word}", 0, 0) for word in said}
    return Document({"slide": {"slide": file, **said}}, places)
