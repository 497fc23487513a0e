"""Blood vessels, interstitial fluid and lymph of a model at the start."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..biology.fluid.state import Fluid
from ..biology.vessels import seeding
from ..biology.vessels.given import vessels_of as from_tables
from ..biology.vessels.perfusion import Perfusion
from ..biology.vessels.scattered import random_network
from ..biology.vessels.settling import settle
from ..biology.vessels.state import Vessels
from ..model.model import Model
from ..model.vessels import Laid
from .regions import grid_of, inside, voxel_centers


def vessels_of(model: Model, seed: int) -> Vessels | None:
    """The network at time 0, or None where a model has none. Raises InputError where its vessels do not fit."""
    start = model.vessels
    if start is None:
        return None
    vessels = Vessels.empty()
    for k, lot in enumerate(start.lots):
        vessels.graph.join(_laid(model, lot, seed + k).graph)
    if start.files:
        vessels.graph.join(_given(model).graph)
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
        vessels = random_network(low, high, said["density"], seed, inlet=inlet, outlet=outlet, **size, **blood)
    if start.adapted:
        settle(vessels, Perfusion(separation=start.split == "separated"))
    return vessels


def _given(model: Model) -> Vessels:
    """A network from tables."""
    start, domain = model.vessels, model.domain
    assert start is not None
    files = {k: Path(model.folder or ".") / v for k, v in start.files}
    box = tuple(zip(domain.lower, domain.upper))
    from ..model.vessel_tables import read_network
    from ..model.vtp import read_vtp

    if "vtp" in files:  # no ends are known: the blunt ones, as of a capillary bed along x
        network = read_vtp(files["vtp"], inlet=25.0, outlet=15.0)
        return from_tables(network, start.haematocrit, start.oxygen)
    folder = files.get("folder", files["nodes"].parent if "nodes" in files else Path("."))
    return from_tables(read_network(folder, box), start.haematocrit, start.oxygen)


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
