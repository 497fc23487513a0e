"""What surrounds the tissue of a model: supply voxels, doors for cells, the body."""

from __future__ import annotations

import numpy as np

from ..biology.body import Circulation
from ..biology.recruitment import Door, Exit, Recruitment
from ..biology.supply import Supply
from ..engine.body import Body
from ..engine.population import Population
from ..engine.process import Process
from ..spec.body import Passage
from ..spec.model import Model
from .regions import edge_voxels, grid_of, inside, voxel_centers


def body_of(model: Model) -> Body | None:
    """The body at the start, or None where a model has none."""
    compartments = model.patient.compartments
    return Body([c.name for c in compartments], [c.start for c in compartments]) if compartments else None


def supply_voxels(model: Model) -> list[np.ndarray]:
    """Flat numbers of the voxels of every supply."""
    centers = voxel_centers(grid_of(model.domain))
    return [np.flatnonzero(inside(s.region, *centers, is_2d=model.domain.is_2d)) for s in model.patient.supply]


def supply(model: Model) -> list[Process]:
    """Exchange with blood in supply voxels."""
    factors = [f.name for f in model.factors]
    exchanges = [
        (voxels, factors.index(name), rate, outside)
        for s, voxels in zip(model.patient.supply, supply_voxels(model))
        for name, rate, outside in s.factors
    ]
    return [Supply(model.clock.transport, exchanges)] if exchanges else []


def passages(model: Model, population: Population) -> list[Process]:
    """Doors by which cells enter and leave, and the body they come from and go to."""
    given = model.patient
    types, factors, bodies = [t.name for t in model.types], [f.name for f in model.factors], [c.name for c in given.compartments]

    def voxels(p: Passage) -> np.ndarray:
        return edge_voxels(grid_of(model.domain)) if p.at == "edge" else np.unique(np.concatenate(supply_voxels(model)))

    def body(p: Passage) -> int:
        return bodies.index(p.body) if p.body else -1

    doors = [
        Door(types.index(p.type), voxels(p), p.rate, body(p), factors.index(p.factor) if p.factor else -1, p.half, p.hill, p.size)
        for p in given.entries
    ]
    exits = [Exit(types.index(p.type), voxels(p), p.rate, p.column, p.above, body(p), p.size, p.carries) for p in given.exits]
    out: list[Process] = [Recruitment(model.clock.phenotype, population, doors, exits)] if doors or exits else []
    return out + ([Circulation(model.clock.phenotype, given.compartments)] if given.compartments else [])
