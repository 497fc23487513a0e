"""A look at cells before anything runs: those of a slide, or of a model as it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ModelError, Problem
from ..model.files import Document
from ..model.model import Model
from ..model.nested import texts
from ..model.reader import Reader
from ..model.slide.cells import Slide, in_folder, read_slide, short
from ..model.slide.columns import plain
from ..model.slide.files import is_slide_file
from ..model.slide.plausible import look
from ..model.slide.words import SIZES, read_words
from .canvas import axes, save, styled
from .scales import PALETTE, bare, scale_bar
from .vessel_shapes import Network, add_vessels, has_vessels

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

    from ..run.result import Result

GREY = "#B0B0B0"
MOST = 30  # names that are listed
SHOWN = 11  # names with a color of their own
FILLED = 0.8  # of the distance to the nearest neighbor: how wide a cell of unknown size is drawn


@dataclass
class Preview:
    """Cells as they stand, and what is worth saying of them.

    title, text   in words      place (cell, xy), diameter   um, y up      names   what each is
    problems   what is to be said before a model can take them
    unit   of the lengths: um, or px where the size of a pixel is not known       model   that they are the start of
    network   its vessels
    """

    title: str
    text: str
    place: np.ndarray
    diameter: np.ndarray
    names: np.ndarray
    problems: list[Problem] = field(default_factory=list)
    unit: str = "um"
    model: Model | None = None
    network: Network | None = None

    @property
    def types(self) -> list[str]:
        """Names, the most frequent first."""
        names, count = np.unique(self.names, return_counts=True)
        return [str(n) for n in names[np.lexsort((names, -count))]]

    @property
    def table(self) -> pandas.DataFrame:
        """The cells as a table (x, y, type), as `oc.spatial` takes it."""
        import pandas as pd

        return pd.DataFrame({"x": self.place[:, 0], "y": self.place[:, 1], "type": self.names})

    def figure(self, ax: Axes | None = None) -> Axes:
        """Cells at their places, a color per name."""
        return draw(self, ax)

    def save(self, path: str | Path) -> Path:
        """Write a picture, or (.html) a page that shows slide and start of a model side by side."""
        if Path(path).suffix.lower() in (".html", ".htm"):
            from .start_page import write

            return write(self, path)
        return save(self.figure(), path)

    def __str__(self) -> str:
        said = [str(p) for p in self.problems if p.severity == "error"]
        return "\n".join([self.text, *(["to be said:"] if said else []), *said])


def preview(path: str | Path | Model, **words: Any) -> Preview:
    """Look at a file of cells, or at a model as it starts; nothing runs.

    words   what a model would say of the slide: columns, pixel, y, origin, crop, types, others, classes, element, trust

    Raises ModelError where the cells cannot be read at all.

    >>> _ = Path("slide.csv").write_text("X_centroid,Y_centroid,type\\n10,10,Tumor\\n30,10,Tumor\\n20,28,T cell\\n")
    >>> seen = oc.preview("slide.csv", pixel="0.65 um")
    >>> len(seen.place), seen.unit, seen.types
    (3, 'um', ['Tumor', 'T cell'])
    """
    if isinstance(path, Model) or not is_slide_file(Path(path)):
        return of_model(path if isinstance(path, Model) else Model.load(path))
    said = {k: v for k, v in texts(words).items() if v not in (None, "", [], {})}
    return of_slide(Document({"slide": {"slide": str(path), **said}}))


def of_slide(document: Document, known: Sequence[str] = ()) -> Preview:
    """A look at the slide of a document; what is missing is guessed for the picture, and told."""
    slide, problems = open_slide(document, known)
    errors = [p for p in problems if p.severity == "error"]
    words = slide.words if slide else None
    if slide is None:
        reader = Reader(document)
        given = read_words(reader, document.tree["slide"], "slide", known)
        curable = given and all(p.path in ("slide.pixel", "slide.types") or not p.path for p in errors)
        if not given or not curable:
            raise ModelError(errors)
        words = replace(given, pixel=given.pixel or 1.0, trust=True, others="inert")
        slide = read_slide(Path(words.file), in_folder(words, Path()), known, lambda *a, **k: None)
    if slide is None or words is None:
        raise ModelError(errors)
    unit = "px" if any(p.path == "slide.pixel" and "not said" in p.message for p in errors) else "um"
    place = slide.placed()[:, :2]
    apart = slide.look.apart if np.isfinite(slide.look.apart) else 10.0
    across = np.full(len(place), FILLED * apart)
    return Preview(
        Path(words.file).name, tell(slide, unit, problems), place, across, slide.names.astype(str), problems, unit
    )


def open_slide(document: Document, known: Sequence[str]) -> tuple[Slide | None, list[Problem]]:
    """The slide of a document {slide: words}, and every problem."""
    reader = Reader(document)
    words = read_words(reader, document.tree["slide"], "slide", known)
    slide = None
    if words is not None:

        def complain(word: str, message: str, expected: str = "", remedy: str = "", severity: str = "error") -> None:
            reader.complain(f"slide.{word}", message, expected, remedy, severity)

        slide = read_slide(Path(words.file), in_folder(words, Path()), known, complain)
    return slide, reader.problems


def tell(slide: Slide, unit: str, problems: Sequence[Problem]) -> str:
    """What a slide holds, in words."""
    seen = slide.look
    said = str(seen) if unit == "um" else f"extent: {seen.width:,.0f} x {seen.height:,.0f} px"
    lines = [f"{Path(slide.words.file).name}: {slide.kind}, {len(slide.x):,} cells"]
    lines += [", ".join(f"{role} is {name}" for role, name in slide.columns.items() if role != "label")]
    lines += [f"{slide.pixel:g} um per pixel, y {'down' if slide.down else 'up'}"] if unit == "um" else []
    lines += said.split("\n")
    shown = dict(list(slide.counts.items())[:MOST])
    wide = max(len(short(name)) for name in shown)
    total = sum(n for n, _ in slide.counts.values())
    for name, (n, of) in shown.items():
        fate = f"  -> {of or 'left out'}" if of != name else ""
        lines.append(f"  {short(name):<{wide}}  {n:>8,}  {100 * n / total:>3.0f} %{fate}")
    lines += [f"  and {len(slide.counts) - MOST:,} more names"] if len(slide.counts) > MOST else []
    lines += [
        p.message.partition(": ")[2] for p in problems if p.severity != "error" and "by their names" not in p.message
    ]
    return "\n".join(lines)


def size_hint(header: Sequence[str], columns: Mapping[str, str]) -> str:
    """A column that may say how large the cells are, where none is named."""
    if any(role in columns for role in SIZES):
        return ""
    return next((h for h in header if "area" in plain(h)[0]), "")


def of_model(model: Model) -> Preview:
    """The cells of a model at time 0."""
    from ..biology.vessels.state import TIP
    from ..run.simulation import Simulation

    tissue = Simulation(model).tissue
    cells, network = tissue.cells, None
    if tissue.vessels is not None:
        graph, grid = tissue.vessels.graph, tissue.fields.grid
        radius = graph.segments["radius"] * graph.segments["squeeze"]
        tips = graph.position[graph.nodes["kind"] == TIP]
        places = graph.position[graph.ends]
        network = Network.cut(places, radius, tissue.vessels.perfused, tips, grid.lower, grid.upper)
    place, types = cells.position[:, :2].copy(), [cells.types[k] for k in cells.type]
    return _started(model, place, types, 2.0 * cells["radius"], network)


def of_run(model: Model, result: Result) -> Preview:
    """The cells at the first frame of a run of the model."""
    cells = result.cells(result.times[0], ["type", "position", "radius"])
    network = Network.of(result, result.times[0], slab=False) if has_vessels(result) else None
    return _started(model, cells[["x", "y"]].to_numpy(), cells["type"], 2.0 * cells["radius"].to_numpy(), network)


def write_start(model: Model, result: Result, folder: Path) -> Path | None:
    """Write the page of a run's start into its folder; None where no cell of the model comes from a slide."""
    from .start_page import NAME, write

    if any(p.rows and p.table for p in model.placements):
        return write(of_run(model, result), folder / NAME)
    (folder / NAME).unlink(missing_ok=True)  # that of a run which was replaced
    return None


def _started(
    model: Model, place: np.ndarray, given: Sequence[str], across: np.ndarray, network: Network | None
) -> Preview:
    names = np.array(given, object).astype(str)
    count = {t: int((names == t).sum()) for t in (t.name for t in model.types) if (names == t).any()}
    wide = max([len(t) for t in count], default=1)
    lines = [f"{model.title}: {len(names):,} cells at the start"]
    lines += str(look(place[:, 0], place[:, 1], across)).split("\n") if len(names) else []
    lines += [f"  {t:<{wide}}  {n:>8,}  {100 * n / len(names):>3.0f} %" for t, n in count.items()]
    if network is not None:
        lines.append(f"  {len(network.rows):,} segments of vessels")
    return Preview(model.title, "\n".join(lines), place, across, names, model.problems, model=model, network=network)


def palette(names: Sequence[str]) -> dict[str, str]:
    """A color for each of the first names; the others share grey."""
    shown = len(PALETTE) if len(names) <= len(PALETTE) else SHOWN
    return {n: PALETTE[k] if k < shown else GREY for k, n in enumerate(names)}


@styled
def draw(seen: Preview, ax: Axes | None = None) -> Axes:
    """Cells at their places; names beyond the palette share grey."""
    from matplotlib.collections import EllipseCollection
    from matplotlib.lines import Line2D

    ax = axes(ax, (7.4, 4.8))
    names = seen.types
    own = {} if seen.model is None else {t.name: PALETTE[k % len(PALETTE)] for k, t in enumerate(seen.model.types)}
    colors = own or palette(names)  # of a model those of its runs
    handles = []
    rest = [n for n in names if colors[n] == GREY]
    for name in sorted(names, key=lambda n: n in rest, reverse=True):
        rows = seen.names == name
        width = seen.diameter[rows]
        where: Any = {"offsets": seen.place[rows], "offset_transform": ax.transData}
        look: Any = {"facecolors": colors[name], "edgecolors": "white", "linewidths": 0.15, "alpha": 0.92}
        ax.add_collection(EllipseCollection(width, width, np.zeros(len(width)), units="xy", **where, **look))
    for name in names:
        if name not in rest:
            label = f"{name[:26]} ({(seen.names == name).sum():,})"
            handles.append(Line2D([], [], marker="o", ls="", color=colors[name], label=label))
    if rest:
        count = int(np.isin(seen.names, rest).sum())
        handles.append(Line2D([], [], marker="o", ls="", color=GREY, label=f"{len(rest)} more ({count:,})"))
    if seen.network is not None:
        handles += add_vessels(ax, seen.network)[1]
    low, high = seen.place.min(axis=0), seen.place.max(axis=0)
    if seen.model is not None:
        low, high = np.array(seen.model.domain.lower[:2]), np.array(seen.model.domain.upper[:2])
    edge = 0.02 * max(float((high - low).max()), 1.0) if seen.model is None else 0.0
    extent = (low[0] - edge, high[0] + edge, low[1] - edge, high[1] + edge)
    bare(ax, extent)
    if seen.unit == "um":
        scale_bar(ax, extent, paper=True)
    ax.set_title(seen.title + ("" if seen.unit == "um" else ", pixel size unknown"))
    beside: Any = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0}
    ax.legend(handles=handles, handletextpad=0.2, frameon=False, **beside)
    ax.set_anchor("W")  # as in maps.tissue
    return ax
