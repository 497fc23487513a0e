"""A Model becomes a Tissue and the Processes that will change it."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit

from ..biology.order import ORDERS
from ..biology.springs import BONDS
from ..biology.volume import Volume
from ..engine.cells import Cells
from ..engine.column import Column
from ..engine.fields import Fields
from ..engine.process import Process, plain
from ..engine.random import keys_of, stream_of, uniform
from ..engine.tissue import Tissue
from ..errors import InputError
from ..model.environment import Domain
from ..model.initial import Placement
from ..model.model import Model
from ..model.places import TRIES, lattice
from ..model.regions import Region
from . import matrix, patient, vessels
from .entries import only_spoken_of
from .initial import begin
from .regions import edge_voxels, grid_of, inside, voxel_centers
from .start import custom_columns, draw, fill_fields, give_values, hold_layers

PLACING = stream_of("Placement")


class Build:
    """What mechanisms are made with: a model's clocks and voxels, and the other mechanisms of its plan, each made once.

    exact   rates are hazards; else chances per step     tick   min     wanted   columns that somebody reads
    """

    def __init__(self, model: Model):
        self.model = model
        self.order = ORDERS[model.numerics]
        self.exact = self.order.exact
        self.tick = self.order.tick(model)
        said = model.wanted | {r.behavior[0] for _, r in model.rules}
        self.wanted = {column for column in said if column.startswith("sense.")}
        self._made: dict[int, Process] = {}

    def minutes(self, clock: str) -> float:
        """Step of one of the model's clocks: transport, mechanics or phenotype."""
        return getattr(self.model.clock, clock)

    def inside(self, region: Region) -> np.ndarray:
        """Flat numbers of the voxels in a region."""
        domain = self.model.domain
        return np.flatnonzero(inside(region, *voxel_centers(grid_of(domain)), is_2d=domain.is_2d))

    def edge(self) -> np.ndarray:
        """Flat numbers of the voxels at the faces of the box."""
        return edge_voxels(grid_of(self.model.domain))

    def __getitem__(self, kind: type[Process]) -> Process:
        """The mechanism of this plan that is of a kind."""
        return next(self._make(m) for m in self.order.mechanisms if isinstance(m, type) and issubclass(m, kind))

    def _make(self, mechanism: Any) -> Process:
        if id(mechanism) not in self._made:
            self._made[id(mechanism)] = mechanism.of(self.model, self)
        return self._made[id(mechanism)]

    def mechanisms(self) -> list[Process]:
        """The mechanisms that the model needs, in their order, then those of the user."""
        own = [copy.copy(p) for p in self.model.processes]  # each simulation prepares its own
        for process in own:
            if process.slot == "decide" and not process.period:
                process.period = self.model.clock.phenotype
        return [self._make(m) for m in self.order.mechanisms if m.why(self.model)] + own


def build(model: Model, seed: int) -> tuple[Tissue, list[Process]]:
    """Tissue at time 0, and the processes in the order they act within their slots. The model must be free of errors;
    raises InputError where a region holds no cell."""
    plan = Build(model)
    mechanisms = plan.mechanisms()
    processes = [p for p in mechanisms if p.slot]  # the others are columns only
    fields = build_fields(model)
    columns = columns_of(model, mechanisms)
    labels = {"factor": tuple(fields.names), "phase": phase_labels(model), "bond": tuple(str(b) for b in range(BONDS))}
    if model.therapy is not None:
        labels["drug"] = tuple(d.name for d in model.therapy.drugs if d.binds)
    columns, own = only_spoken_of(model, mechanisms, columns, {"type": tuple(t.name for t in model.types), **labels})
    cells = Cells(columns, tuple(t.name for t in model.types), labels | own, absent(model, {c.name for c in columns}))
    set_base(model, cells)
    place(model, cells, seed)
    if model.numerics == "physicell":
        # that program gives an id to one cell of each type in the legend of its pictures
        cells.next_id += len(cells.types)
    tissue = Tissue(
        cells, fields, matrix.matrix_of(model), vessels.vessels_of(model, seed), vessels.fluid_of(model),
        patient.body_of(model), patient.metastasis_of(model), patient.plasma_of(model),
    )  # fmt: skip
    tissue.population.register([*plan.order.events, *(e for p in processes for e in p.events)])
    for process in processes:
        process.prepare(tissue)
    begin(model, tissue, processes)
    return tissue, processes


def columns_of(model: Model, processes: Iterable[Process]) -> list[Column]:
    """The columns that the processes of a model need: rare ones only where somebody speaks of them, constants as
    traits."""
    processes = list(processes)
    required = {name for p in processes for name in p.requires} | model.wanted
    columns = [c for p in processes for c in p.columns() if not c.rare or c.name in required or speaks_of(model, c)]
    changed = {w for p in processes for w in (*p.sets, *p.adds)}

    def constant(c: Column) -> bool:
        return c.steady and c.name not in changed and not varies(model, c.name) and model.numerics != "physicell"

    return [replace(c, kind="trait") if constant(c) else c for c in columns] + custom_columns(model)


def absent(model: Model, known: set[str]) -> dict[str, str]:
    """Column -> why this model's cells have none of it."""
    out: dict[str, str] = {}
    for mechanism in ORDERS[model.numerics].mechanisms:
        declaring = plain(mechanism)
        why = mechanism.why(model)
        reason = (
            f"{declaring.__name__} is off: {why.because}"
            if not why
            else f"{declaring.__name__} keeps it only where a model speaks of it"
        )
        out |= {name: reason for name in declaring.declared if name not in known}
    return out


def speaks_of(model: Model, column: Column) -> bool:
    """Does a type, a rule, a placement or a drawn value of the model name this column, or one that comes along with
    it?"""
    said = {c for t in model.types for c in t.values} | {r.signal[0] for _, r in model.rules}
    columns = [w for w in (column.name, *column.along) if "." in w]
    return any(name in said or varies(model, name) for name in columns) or any(
        model.uses(w) for w in column.along if "." not in w
    )


def varies(model: Model, column: str) -> bool:
    """May cells of one type differ in this column: by a rule, a placement or a draw?"""
    return (
        any(column == drawn for t in model.types for drawn, _ in t.differing)
        or any(column == r.behavior[0] for _, r in model.rules)
        or any(column == name for p in model.placements for name, _ in p.values)
    )


def build_fields(model: Model) -> Fields:
    """Fields at their initial values, with boundaries and held voxels."""
    d = model.domain
    grid = grid_of(d)
    factors = model.factors
    fields = Fields(
        grid,
        [f.name for f in factors],
        [f.unit for f in factors],
        diffusion=[f.diffusion for f in factors],
        decay=[f.decay for f in factors],
        michaelis=[math.nan if f.michaelis is None else f.michaelis for f in factors],
        initial=[f.initial for f in factors],
    )
    if model.fluid is not None:  # it carries what is dissolved; a gas has no mass
        fields.convection[:] = [float(f.mass is not None) for f in factors]
    for f in factors:
        for face, b in f.boundary.items():
            if b.condition == "voxels":
                continue
            fields.set_boundary(f.name, face, b.condition, b.value, b.permeability)
        for held in f.held:
            mask = inside(held.region, *voxel_centers(grid), is_2d=d.is_2d)
            fields.fix(f.name, mask, held.value)
            fields.value[fields.index(f.name)][mask] = held.value
    fill_fields(model, fields)
    hold_layers(model, fields)
    return fields


def phase_labels(model: Model) -> tuple[str, ...]:
    """Names of the cycle phases: those of the only cycle model, or numbers where types differ."""
    different = {t.cycle.phases for t in model.types if t.cycle.phases}
    if len(different) == 1:
        return next(iter(different))
    return tuple(f"phase {i}" for i in range(max([len(p) for p in different], default=1)))


def set_base(model: Model, cells: Cells) -> None:
    """Base tables from the model's values; what the model leaves out keeps the column's default."""
    for k, t in enumerate(model.types):
        for name, given in t.values.items():
            if name not in cells.base:
                continue
            if isinstance(given, dict):
                axis = cells.labels(name)
                for label, number in given.items():
                    cells.base[name][k, axis.index(label)] = number
            else:
                cells.base[name][k] = given
        if "cycle.exit" in cells.base:
            cells.base["cycle.exit"][k, : len(t.exit)] = t.exit
    Volume.set_base(cells.base)


def place(model: Model, cells: Cells, seed: int) -> None:
    """Put the cells of every placement into the tissue, in the order of the model."""
    names = [t.name for t in model.types]
    domain = model.domain
    for number, p in enumerate(model.placements):
        if p.table:
            kinds = np.array([names.index(r[0]) for r in p.rows], np.int32)
            position = np.array([r[1:] for r in p.rows], float).reshape(-1, 3)
        elif p.count is not None:
            position = scatter(p, domain, seed, number)
            kinds = np.full(len(position), names.index(p.type), np.int32)
        else:
            position = pack(p, domain)
            kinds = np.full(len(position), names.index(p.type), np.int32)
        rows = cells.add(kinds, key=placed(number, len(kinds)))
        cells.position[rows] = position
        give_values(model, p, cells, rows)
    draw(model, cells, seed)


def placed(number: int, count: int) -> np.ndarray:
    """Keys of the cells of a placement."""
    return keys_of("placement", number, np.arange(count))


@njit(cache=True)
def _uniforms(seed, stream, keys, out, draw):
    for i in range(out.shape[0]):
        for k in range(out.shape[1]):
            out[i, k] = uniform(seed, stream, 0, keys[i], draw + k)


def scatter(p: Placement, domain: Domain, seed: int, number: int) -> np.ndarray:
    """Positions (cell, xyz) um of `count` cells, uniform in the part of the region that lies in the domain.

    number: of the placement in the model. Where its k-th cell lies depends on nothing else."""
    assert p.region is not None and p.count is not None
    region = p.region
    low, high = (np.array(v) for v in region.bounds(domain))
    middle = 0.5 * (domain.lower[2] + domain.upper[2])
    position, keys = np.zeros((p.count, 3)), placed(number, p.count)
    left = np.arange(p.count)
    for attempt in range(TRIES):
        u = np.empty((len(left), 3))
        _uniforms(np.uint64(seed), PLACING, keys[left], u, 3 * attempt)
        trial = low + u * (high - low)
        if domain.is_2d:
            trial[:, 2] = middle
        good = inside(region, trial[:, 0], trial[:, 1], trial[:, 2], domain.is_2d)
        position[left[good]] = trial[good]
        left = left[~good]
        if not len(left):
            return position
    raise InputError(
        f"initial, cells: {p.type}",
        f"{len(left)} of {p.count} places were not found.",
        "The region must lie in the domain.",
    )


def pack(p: Placement, domain: Domain) -> np.ndarray:
    """Hexagonal packing of the region: rows in 2-D, ABAB layers in 3-D; (cell, xyz) um."""
    assert p.region is not None and p.spacing is not None
    found = lattice(p.region, domain, p.spacing)
    if not len(found):
        raise InputError(f"initial, cells: {p.type}", "its region holds no cell.", "The region must lie in the domain.")
    return found
