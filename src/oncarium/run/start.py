"""The state at time 0 beyond plain placements: held layers, concentrations per voxel, and values that single cells
have."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ..biology.vital import radius_of
from ..engine.cells import Cells
from ..engine.column import Behavior, Column
from ..engine.fields import Fields
from ..engine.random import normal, stream_of, uniform
from ..errors import InputError
from ..model.cell import Distribution
from ..model.environment import FACES
from ..model.initial import Placement
from ..model.model import Model

DRAWING = stream_of("Distribution")
MOST_DRAWS = 1_000_000  # of one value; a model whose limits hardly any draw meets is refused before


def custom_columns(model: Model) -> list[Column]:
    """The model's own variables; what is conserved is halved at division."""
    out = []
    for name, entry in model.names.columns.items():
        if name.startswith("custom."):
            out.append(Behavior("1", doc=entry.doc, inherit="halve" if name in model.conserved else "copy").named(name))
    return out


def fill_fields(model: Model, fields: Fields) -> None:
    """Concentrations from tables; where the model has no folder any more (a run goes on), the state is restored
    instead."""
    from ..model.concentrations import read_concentrations

    tables = {f.initial_table for f in model.factors if f.initial_table} if model.folder is not None else set()
    for table in tables:
        assert model.folder is not None
        values, content = read_concentrations(model.folder / table, fields.names, model.domain, table)
        if content not in {f.initial_content for f in model.factors if f.initial_table == table}:
            raise InputError(
                str(model.folder / table), "it was changed after the model was read.", remedy="Load the model again."
            )
        for f in model.factors:
            if f.initial_table == table and f.name in values:
                fields.value[fields.index(f.name)] = values[f.name]


def hold_layers(model: Model, fields: Fields) -> None:
    """Faces whose outermost voxels are held (condition "voxels").

    A face that any factor holds is decided for all of them, face after face in the order of FACES: along edges and in
    corners the later face says both the value and whether a factor is held at all.
    """
    held = {f.name: np.zeros(fields.grid.shape, np.bool_) for f in model.factors}
    value = {f.name: np.zeros(fields.grid.shape) for f in model.factors}
    for k, face in enumerate(FACES):
        if not any(f.boundary.get(face) and f.boundary[face].condition == "voxels" for f in model.factors):
            continue
        layer: list[slice | int] = [slice(None)] * 3
        layer[2 - k // 2] = -1 if k % 2 else 0
        at = tuple(layer)
        for f in model.factors:
            b = f.boundary.get(face)
            held[f.name][at] = b is not None and b.condition == "voxels"
            value[f.name][at] = b.value if b is not None else 0.0
    for f in model.factors:
        if held[f.name].any():
            fields.fix(f.name, held[f.name], value[f.name])


def give_values(model: Model, p: Placement, cells: Cells, rows: slice) -> None:
    """What single rows of a table say, or a placement of all its cells."""
    for (name, label), given in p.values.items():
        said = np.array(given) if p.table else np.broadcast_to(np.array(given), (rows.stop - rows.start,))
        who = np.flatnonzero(np.isfinite(said))
        set_values(model, cells, name, label, np.arange(rows.start, rows.stop)[who], said[who])


def set_values(model: Model, cells: Cells, name: str, label: str | None, rows: np.ndarray, values: np.ndarray) -> None:
    """Set a column of some rows; another volume scales every part of the cell."""
    if name == "volume.total":
        ratio = values / cells[name][rows]
        for part, c in cells.columns.items():
            if part.startswith("volume.") and c.inherit == "halve":
                cells[part][rows] *= ratio
        cells[name][rows] = values
        cells["radius"][rows] = radius_of(values)
    elif label is None:
        cells[name][rows] = values
    elif name == "cycle.exit":  # a phase has another number in another cycle
        for k in np.unique(cells.type[rows]):
            own = cells.type[rows] == k
            cells[name][rows[own], model.types[k].cycle.phases.index(label)] = values[own]
    else:
        cells[name][rows, cells.labels(name).index(label)] = values


def draw(model: Model, cells: Cells, seed: int) -> None:
    """Values that every cell of a type draws, for all cells placed so far."""
    for k, t in enumerate(model.types):
        rows = np.flatnonzero(cells.type == k)
        for number, x in enumerate(t.distributions):
            if not len(rows):
                continue
            values = np.empty(len(rows))
            if not _draw(np.uint64(seed), DRAWING, number, cells.key[rows], *_plain(x), values):
                raise InputError(
                    f"cells.{t.name}.distributions.{number}", f"no draw lies between {x.low:g} and {x.high:g}."
                )
            entry = model.names.columns[x.column]
            low, high = (-math.inf if entry.ge is None else entry.ge), (math.inf if entry.le is None else entry.le)
            set_values(model, cells, x.column, x.label, rows, np.clip(values, low, high))


def _plain(x: Distribution) -> tuple[bool, float, float, float, float, float]:
    """(uniform or normal, its parameters, scale of the exponent or 0, limits) of the number that is drawn."""
    one, two = x.parameters
    flat = x.kind in ("uniform", "loguniform")
    if x.kind == "loguniform":
        one, two = math.log(one), math.log(two)
    scale = {"loguniform": 1.0, "lognormal": 1.0, "log10normal": math.log(10.0)}.get(x.kind, 0.0)
    return flat, one, two, scale, x.low, x.high


@njit(cache=True)
def _draw(seed, stream, number, keys, flat, one, two, scale, low, high, out):
    for i in range(len(keys)):
        for attempt in range(MOST_DRAWS):
            if flat:
                value = one + (two - one) * uniform(seed, stream, number, keys[i], attempt)
            else:
                value = one + two * normal(seed, stream, number, keys[i], attempt)
            if scale > 0.0:
                value = math.exp(scale * value)
            if flat or low < value < high:
                out[i] = value
                break
        else:
            return False
    return True
