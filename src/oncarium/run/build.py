"""A Model becomes a Tissue and the Processes that will change it."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import numpy as np
from numba import njit

from ..biology.contacts import Contacts
from ..biology.cycle import CYCLES, Cycle
from ..biology.damage import damage
from ..biology.death import Death
from ..biology.division import Division
from ..biology.internal import Internalisation
from ..biology.mechanics import Mechanics
from ..biology.motility import Motility
from ..biology.rules import Link, Rules
from ..biology.secretion import Secretion
from ..biology.sensing import Sensing
from ..biology.springs import BONDS, Springs
from ..biology.transformation import Transformation
from ..biology.transport import Transport
from ..biology.volume import Volume
from ..engine.cells import Cells
from ..engine.fields import Fields
from ..engine.population import Population
from ..engine.process import Process
from ..engine.random import stream_of, uniform
from ..engine.tissue import Tissue
from ..errors import InputError
from ..spec.environment import Domain
from ..spec.initial import Placement
from ..spec.model import Model
from . import matrix, mechanisms, patient, physicell_plan
from .regions import grid_of, inside, voxel_centers
from .start import custom_columns, draw, fill_fields, give_values, hold_layers

CONTACT_SECTIONS = ("phagocytosis", "attack", "fusion")
RARE = (  # columns that are left out where nobody speaks of them
    "mechanics.membrane_adhesion", "mechanics.membrane_repulsion", "phagocytosis.other_dead", "attack.delivered", "fusion.nuclei",
    "division.count", "division.asymmetric", "secretion.approach", "secretion.target",
)  # fmt: skip
TARGETED = ("secretion.approach", "secretion.target")  # one is nothing without the other
SHOWN = ("attack.delivered", "division.asymmetric", *TARGETED)  # PhysiCell's tables of cells have them
STEADY = ("mechanics.affinity", "attack.immunogenicity", "fusion.rate")  # behaviors that are constants of the type where nobody changes them
PLACING = stream_of("Placement")


def build(model: Model, seed: int) -> tuple[Tissue, list[Process], Population]:
    """Tissue at time 0, processes in order, and the population queue they share. The model must be free of errors; raises
    InputError where a region holds no cell."""
    population = Population()
    processes = list_processes(model, population)
    fields = build_fields(model)
    columns = [c for p in processes for c in p.columns() if c.name not in RARE or speaks_of(model, c.name)] + custom_columns(model)
    changed = {w for p in processes for w in (*p.sets, *p.adds)}
    steady = [n for n in STEADY if n not in changed and not varies(model, n) and model.numerics != "physicell"]
    columns = [replace(c, kind="trait") if c.name in steady else c for c in columns]
    labels = {
        "factor": tuple(fields.names),
        "phase": phase_labels(model),
        "bond": tuple(str(b) for b in range(BONDS)),
    }
    cells = Cells(columns, tuple(t.name for t in model.types), labels)
    set_base(model, cells)
    place(model, cells, seed)
    if model.numerics == "physicell":
        cells.next_id += len(cells.types)  # that program gives an id to one cell of each type in the legend of its pictures
    tissue = Tissue(cells, fields, matrix.matrix_of(model), body=patient.body_of(model))
    for process in processes:
        process.prepare(tissue)
        if isinstance(process, Contacts):
            process.let_act([k for k, t in enumerate(model.types) if any(r.behavior[0].startswith(CONTACT_SECTIONS) for r in t.rules)])
    return tissue, processes, population


def speaks_of(model: Model, column: str) -> bool:
    """Does a type, a rule, a placement or a drawn value of the model name this column?"""
    if column == "fusion.nuclei":
        return model.uses("fusion")
    if (model.numerics == "physicell" and column in SHOWN) or (model.internalise and column in TARGETED):
        return True
    names = TARGETED if column in TARGETED else (column,)
    said = {c for t in model.types for c in t.values} | {r.signal[0] for _, r in model.rules}
    return any(name in said or varies(model, name) for name in names)


def varies(model: Model, column: str) -> bool:
    """May cells of one type differ in this column: by a rule, a placement or a draw?"""
    return (
        any(column == d.column for t in model.types for d in t.distributions)
        or any(column == r.behavior[0] for _, r in model.rules)
        or any(column == name for p in model.placements for name, _ in p.values)
    )


def list_processes(model: Model, population: Population) -> list[Process]:
    """The mechanisms this model needs, in the order they act within their slots."""
    clock = model.clock
    mechanics = Mechanics(clock.mechanics, tolerance=clock.error)
    solver = {f.name: f.solver for f in model.factors}
    tolerance = {f.name: f.tolerance for f in model.factors if f.tolerance is not None}
    wanted = {signal for signal in model.signals if signal.startswith("sense.")}
    for process in model.processes:
        wanted |= {c for c in Sensing.declared if any(a.startswith(c.replace(".", "_")) for a in getattr(process, "arguments", ()))}
    own = [copy.copy(p) for p in model.processes]  # each simulation prepares its own
    for process in own:
        if process.slot == "decide" and not process.period:
            process.period = clock.phenotype
    resets = dict.fromkeys(w for p in own for w in p.adds if model.names.columns[w].kind == "behavior")
    if model.matrix is not None and model.uses("guidance"):
        resets["motility.speed"] = None
    if model.numerics == "physicell":
        return physicell_plan.list_processes(model, population, links(model), wanted, tuple(resets)) + own
    sensing = Sensing(clock.phenotype, mechanics, wanted, blind=model.compat == "1.14.2", given=model.start == "given")
    out: list[Process] = []
    if model.factors:
        out += [Secretion(clock.transport, model.internalise), *patient.supply(model), *matrix.reactions(model), Transport(clock.transport, solver, tolerance)]
        if model.internalise:
            out.append(Internalisation(clock.transport))
    out += [sensing, *matrix.feelers(model)]
    if model.rules or resets:
        out.append(Rules(clock.phenotype, links(model), tuple(resets), signed=model.compat == "1.14.2"))
    if model.uses("transformation"):
        out.append(Transformation(clock.phenotype, population))
    if model.uses("motility"):
        out.append(Motility(clock.mechanics, normalized=np.array([t.normalized for t in model.types], np.bool_)))
    out.append(Death(clock.phenotype, population))
    if any(t.cycle.phases for t in model.types):
        longest = max(len(t.cycle.phases) for t in model.types)
        fixed = np.zeros((len(model.types), longest), np.bool_)
        for i, t in enumerate(model.types):
            fixed[i, : len(t.fixed)] = t.fixed
        out.append(Cycle(clock.phenotype, population, [CYCLES[t.cycle.name] for t in model.types], fixed))
    out.append(Volume(clock.phenotype))
    out += mechanisms.chosen(model)
    out += matrix.mechanisms(model)
    contacts = any(model.uses(s) for s in CONTACT_SECTIONS)
    if contacts or model.uses("damage"):
        out.append(damage(period=clock.phenotype))
    if contacts:
        out.append(Contacts(clock.mechanics, population, mechanics))
    if model.uses("springs"):
        out.append(Springs(clock.mechanics, mechanics))
    out += [mechanics, *matrix.walls(model), *patient.passages(model, population), Division(clock.mechanics, population)]
    out += mechanisms.after_division(model, population)
    return out + own


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


def links(model: Model) -> list[Link]:
    """All rules as numbers."""
    names = [t.name for t in model.types]
    factors = [f.name for f in model.factors]

    def index(column: str, label: str | None, kind: int) -> tuple[str, int]:
        if label is None:
            return column, -1
        axis = model.names.columns[column].axis
        along: Any = {"factor": factors, "type": names, "phase": model.types[kind].cycle.phases}[axis or ""]
        return column, list(along).index(label)

    out = []
    for name, r in model.rules:
        k = names.index(name)
        out.append(Link(k, index(*r.behavior, k), index(*r.signal, k), r.increases, r.value, r.half, r.hill, r.dead))
    return out


def place(model: Model, cells: Cells, seed: int) -> None:
    """Put the cells of every placement into the tissue, in the order of the model."""
    names = [t.name for t in model.types]
    domain = model.domain
    for p in model.placements:
        if p.table:
            kinds = np.array([names.index(r[0]) for r in p.rows], np.int32)
            position = np.array([r[1:] for r in p.rows], float).reshape(-1, 3)
        elif p.count is not None:
            position = scatter(p, domain, seed, cells.next_id)
            kinds = np.full(len(position), names.index(p.type), np.int32)
        else:
            position = pack(p, domain)
            kinds = np.full(len(position), names.index(p.type), np.int32)
        rows = cells.add(kinds)
        cells.position[rows] = position
        give_values(model, p, cells, rows)
    draw(model, cells, seed)


@njit(cache=True)
def _uniforms(seed, stream, first, out, draw):
    for i in range(out.shape[0]):
        for k in range(out.shape[1]):
            out[i, k] = uniform(seed, stream, 0, first[i], draw + k)


def scatter(p: Placement, domain: Domain, seed: int, first: int) -> np.ndarray:
    """Positions (cell, xyz) um of `count` cells, uniform in the part of the region that lies in the domain."""
    assert p.region is not None and p.count is not None
    region = p.region
    low, high = (np.array(v) for v in region.bounds(domain))
    middle = 0.5 * (domain.lower[2] + domain.upper[2])
    position = np.zeros((p.count, 3))
    left = np.arange(p.count)
    for attempt in range(10_000):
        u = np.empty((len(left), 3))
        _uniforms(np.uint64(seed), PLACING, first + left, u, 3 * attempt)
        trial = low + u * (high - low)
        if domain.is_2d:
            trial[:, 2] = middle
        good = inside(region, trial[:, 0], trial[:, 1], trial[:, 2], domain.is_2d)
        position[left[good]] = trial[good]
        left = left[~good]
        if not len(left):
            return position
    raise InputError(f"initial, cells: {p.type}", f"{len(left)} of {p.count} places were not found.", "The region must lie in the domain.")


def pack(p: Placement, domain: Domain) -> np.ndarray:
    """Hexagonal packing of the region: rows in 2-D, ABAB layers in 3-D; (cell, xyz) um."""
    assert p.region is not None and p.spacing is not None
    region, a = p.region, p.spacing
    low, high = region.bounds(domain)
    center = [0.5 * (x + y) for x, y in zip(low, high)] if region.kind in ("box", "everywhere") else list(region.center)
    row, layer = a * math.sqrt(3.0) / 2.0, a * math.sqrt(2.0 / 3.0)

    def steps(axis: int, step: float) -> np.ndarray:
        return np.arange(math.floor((low[axis] - center[axis]) / step) - 1, math.ceil((high[axis] - center[axis]) / step) + 2)

    i, j = steps(0, a), steps(1, row)
    k = np.zeros(1, int) if domain.is_2d else steps(2, layer)
    kk, jj, ii = np.meshgrid(k, j, i, indexing="ij")
    odd = kk % 2
    x = center[0] + a * (ii + 0.5 * (jj % 2) + 0.5 * odd)
    y = center[1] + row * (jj + odd / 3.0)
    z = np.full(x.shape, 0.5 * (domain.lower[2] + domain.upper[2])) if domain.is_2d else center[2] + layer * kk
    keep = inside(region, x, y, z, domain.is_2d)
    for v, lower, upper in zip((x, y, z), domain.lower, domain.upper):
        keep &= (v >= lower) & (v <= upper)
    if not keep.any():
        raise InputError(f"initial, cells: {p.type}", "its region holds no cell.", "The region must lie in the domain.")
    return np.stack([x[keep], y[keep], z[keep]], axis=1)
