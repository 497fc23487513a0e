"""Blood vessels, interstitial fluid and lymph of a model at the start."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..biology.fluid.state import Fluid
from ..biology.vessels import seeding
from ..biology.vessels.given import vessels_of as from_tables
from ..biology.vessels.perfusion import Perfusion
from ..biology.vessels.scattered import random_network
from ..biology.vessels.settling import settle
from ..biology.vessels.state import Vessels
from ..model.model import Model
from ..model.vessels import Laid, VesselStart
from .regions import grid_of, inside, voxel_centers


def vessels_of(model: Model, seed: int) -> Vessels | None:
    """The network at time 0, or None where a model has none. Raises InputError where its vessels do not fit."""
    start = model.vessels
    if start is None:
        return None
    vessels = Vessels.empty()
    for k, lot in enumerate(start.lots):
        vessels.graph.join(_laid(model, lot, seed + k).graph)
    if start.network is not None:  # a run that goes on restores them
        vessels.graph.join(_given(start).graph)
    return vessels


def _laid(model: Model, lot: Laid, seed: int) -> Vessels:
    start, said = model.vessels, lot.numbers
    assert start is not None
    blood = {"haematocrit": start.haematocrit, "oxygen": start.oxygen}
    size = {"radius": 0.5 * said["diameter"], "spread": said["spread"]}
    domain = model.domain
    if lot.way == "columns":
        grid = grid_of(domain)
        where = np.ones(grid.shape, np.bool_)
        if lot.region is not None:
            where = inside(lot.region, *voxel_centers(grid), is_2d=domain.is_2d)
        return seeding.columns(
            grid, where, said["density"], seed, length=(2.0 / 3.0 * said["length"], 4.0 / 3.0 * said["length"]),
            gradient=said["gradient"], pressure=said["pressure"], closest=said["apart"] or None, **size, **blood,
        )  # fmt: skip
    low, high = (domain.lower, domain.upper) if lot.region is None else lot.region.bounds(domain)
    inlet, outlet = said["inlet"] or None, said["outlet"]
    if lot.way == "mesh":
        vessels = seeding.mesh(
            low, high, said["spacing"], seed, feeders=said["feeders"], murray=said["murray"], inlet=inlet,
            outlet=outlet, **size, **blood,
        )  # fmt: skip
    else:
        density = 1e-6 * said["density"]  # um per um^3
        vessels = random_network(low, high, density, seed, inlet=inlet, outlet=outlet, **size, **blood)
    if start.adapted:
        settle(vessels, Perfusion(separation=start.split == "separated"))
    return vessels


def _given(start: VesselStart) -> Vessels:
    """A network of the author's; flows at ends that are unknown are estimated."""
    from ..biology.vessels.viscosity import Rheology
    from ..model.vessel_parameters import VesselParameters
    from .vessel_case import closed

    assert start.network is not None
    kind, value, _ = closed(start.network, VesselParameters(), Rheology())
    return from_tables(replace(start.network, boundary=kind, value=value), start.haematocrit, start.oxygen)


def fluid_of(model: Model) -> Fluid | None:
    """Interstitial fluid at rest and the lymph vessels, or None where a model has none."""
    if model.fluid is None:
        return None
    grid = grid_of(model.domain)
    fluid = Fluid(grid)
    for lot in model.fluid.lymph:
        where = np.ones(grid.shape, np.bool_)
        if lot.region is not None:
            where = inside(lot.region, *voxel_centers(grid), is_2d=model.domain.is_2d)
        fluid.lymph[where] = lot.density
    return fluid
