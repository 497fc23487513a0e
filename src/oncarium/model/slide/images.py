"""Images of labels: every pixel holds the number of the cell that covers it, 0 where there is none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ModelError
from ...units import UnitError, factor
from .columns import find
from .opened import Opened, lacking, refuse
from .words import Words

if TYPE_CHECKING:
    import pandas

MOST_PIXELS = 4_000_000_000
LABELS = "Expected one plane of whole numbers: the number of the cell at every pixel, 0 between cells."


def read_image(path: Path, words: Words) -> Opened:
    """Centroid (px) and area (px^2) of every label, with its class where a table says it. Raises ModelError.

    The middle of the first pixel lies at (0.5, 0.5) px.
    """
    import pandas as pd

    image, pixel = _tiff(path) if path.suffix.lower() in (".tif", ".tiff") else (_plain(path), None)
    labels = _plane(path, image)
    found, index, count = np.unique(labels, return_inverse=True, return_counts=True)
    y, x = np.indices(labels.shape, dtype=np.float64)
    cells = found > 0
    if not cells.any():
        refuse(path, "no pixel holds a label: the image is empty.", LABELS)
    middle = [np.bincount(index.ravel(), axis.ravel() + 0.5) / count for axis in (x, y)]
    if cells.sum() == 1:
        _not_a_mask(path, labels > 0)
    frame = pd.DataFrame(
        {"label": found[cells], "x": middle[0][cells], "y": middle[1][cells], "area": count[cells].astype(float)}
    )
    notes: list[str] = []
    columns = {"x": "x", "y": "y", "label": "label", "area": "area"}
    if words.classes:
        frame["type"] = _classes(words, frame["label"].to_numpy(), notes)
        columns["type"] = "type"
    for role in ("nucleus", "diameter"):  # what was outlined may be said:  columns: {nucleus: area}
        if words.columns.get(role) == "area":
            del columns["area"]
    return Opened(frame, "an image of labels", pixel=pixel, down=True, columns=columns, notes=notes)


def _plane(path: Path, image: np.ndarray) -> np.ndarray:
    """The labels, (y, x)."""
    image = np.asarray(image)
    shape = " x ".join(map(str, image.shape))
    if image.ndim == 3 and (image.shape[-1] in (3, 4) or (image.shape[0] in (3, 4) and image.dtype == np.uint8)):
        refuse(path, f"this is a picture in colors ({shape}), no image of labels.", LABELS)
    while image.ndim > 2 and 1 in image.shape:
        image = image.squeeze(image.shape.index(1))
    if image.ndim != 2:
        refuse(path, f"the image has {image.ndim} dimensions ({shape}).", LABELS, "Save one plane.")
    if image.size > MOST_PIXELS:
        refuse(path, f"the image has {image.size:,} pixels.", f"At most {MOST_PIXELS:,} are read.", "Cut it.")
    if image.dtype.kind == "b":
        _not_a_mask(path, image)
    if image.dtype.kind == "f":
        if not np.isfinite(image).all() or (image != np.round(image)).any():
            refuse(path, f"the image holds broken numbers ({image.dtype}), no labels.", LABELS)
        image = image.astype(np.int64)
    if image.dtype.kind not in "iub":
        refuse(path, f"the image holds {image.dtype}, no numbers.", LABELS)
    if image.dtype.kind == "i" and image.size and image.min() < 0:
        refuse(path, f"the lowest label is {image.min()}.", LABELS)
    return image


def _not_a_mask(path: Path, mask: np.ndarray) -> None:
    """Raise where one label covers many pieces."""
    from scipy import ndimage

    pieces = ndimage.label(mask)[1]
    if pieces > 1:
        refuse(
            path, f"this is a mask: one label in {pieces:,} separate pieces.", LABELS,
            "Give every piece a number of its own, e.g. with scipy.ndimage.label.",
        )  # fmt: skip


def _plain(path: Path) -> np.ndarray:
    try:
        if path.suffix.lower() == ".npy":
            array = np.load(path, allow_pickle=False)
            return array if isinstance(array, np.ndarray) else refuse(path, "it holds several arrays.", LABELS)
        from PIL import Image
    except ImportError:
        lacking(path, "Pillow", "slides")
    except (OSError, ValueError, EOFError) as error:
        refuse(path, f"it cannot be read: {str(error).splitlines()[0][:120]}.", "Expected an array of numpy.")
    Image.MAX_IMAGE_PIXELS = None
    try:
        with Image.open(path) as image:
            if image.mode == "P":  # numbers that stand for colors are labels
                return np.asarray(image)
            return np.asarray(image.convert("I") if image.mode.startswith("I") else image)
    except (OSError, ValueError, SyntaxError) as error:
        refuse(path, f"it cannot be read: {str(error).splitlines()[0][:120]}.", "Expected a PNG.")


def _tiff(path: Path) -> tuple[np.ndarray, float | None]:
    try:
        import tifffile
    except ImportError:
        lacking(path, "tifffile", "slides")
    try:
        with tifffile.TiffFile(path) as file:
            return file.series[0].asarray(), _physical(path, file.ome_metadata or "")
    except ModelError:
        raise
    except Exception as error:  # whatever a damaged file makes it or its decoders raise
        refuse(path, f"it cannot be read: {(str(error).splitlines() or [''])[0][:120]}.", "Expected a TIFF.")


def _physical(path: Path, ome: str) -> float | None:
    """um per pixel as OME-XML says it."""
    size: dict[str, float] = {}
    for axis in "XY":
        said = re.search(rf'PhysicalSize{axis}="([^"]+)"', ome)
        unit = re.search(rf'PhysicalSize{axis}Unit="([^"]+)"', ome)
        if said is None:
            return None
        try:
            size[axis] = float(said[1]) * factor((unit[1] if unit else "um").replace("&#181;", "µ"), "um")
        except (ValueError, UnitError):
            return None
    if abs(size["X"] - size["Y"]) > 1e-3 * size["X"]:
        refuse(path, f"its pixels are {size['X']:g} um wide and {size['Y']:g} um high.", "Expected square ones.")
    return size["X"]


def _classes(words: Words, labels: np.ndarray, notes: list[str]) -> Any:
    """Class of every label, by a table beside the image. Raises ModelError."""
    from .delimited import read_text

    place = Path(words.classes)
    table: pandas.DataFrame = read_text(place).frame
    found = find(list(table.columns), {k: v for k, v in words.columns.items() if k in ("label", "type")},
                 ("label", "type"))  # fmt: skip
    for _, message, expected in found.problems:
        refuse(place, message, expected)
    missing = [role for role in ("label", "type") if role not in found.columns]
    if missing:
        refuse(
            place, f"which column is the {' and the '.join(missing)} is not said.",
            f"It has: {', '.join(table.columns[:12])}.", "Say it:  columns: {label: ..., type: ...}",
        )  # fmt: skip
    numbers = table[found.columns["label"]].str.strip().str.replace(r"\.0+$", "", regex=True)
    twice = numbers[numbers.duplicated()]
    if len(twice):
        refuse(place, f"{twice.nunique():,} labels stand in several rows (the first is {twice.iloc[0]}).",
               "Expected a row per label.")  # fmt: skip
    types = dict(zip(numbers, table[found.columns["type"]]))
    here = [str(label) for label in labels]
    unknown = [label for label in here if label not in types]
    more = len(set(types) - set(here))
    if unknown or more:
        said = f"the image has {len(here):,} labels and the table {len(types):,}"
        if not set(here) & set(types):
            refuse(place, f"{said}, and not one is in both.", "Expected the table of this image.")
        if unknown:
            refuse(place, f"{said}; {len(unknown):,} of the image are not in the table: {', '.join(unknown[:5])}"
                   f"{', ...' if len(unknown) > 5 else ''}.", "Expected a row per label.")  # fmt: skip
        notes.append(f"{more:,} rows of {place.name} have no cell in the image")
    return [types[label] for label in here]
