"""Growth that runs away is named when the domain is many times full; crowds that PhysiCell's models live with are
not."""

import numpy as np
import pytest

from oncarium.errors import NumericsError
from oncarium.model.model import EXAMPLE, Model
from oncarium.run.room import FULL, PACKED
from oncarium.run.simulation import Simulation


def model(solid=False, **changes):
    found = Model.from_text(EXAMPLE)
    if solid:
        found = found.with_(
            {"domain": {"x": ["-30 um", "30 um"], "y": ["-30 um", "30 um"], "z": ["-30 um", "30 um"], "voxel": "20 um"}}
        )
    return found.with_(changes)


@pytest.mark.parametrize(("solid", "numerics"), [(False, "oncarium"), (True, "oncarium"), (False, "physicell")])
def test_a_rate_in_the_wrong_unit_is_named_early(solid, numerics):
    """0.04 1/h written as 0.04 1/min."""
    box = {} if solid else {"domain.x": ["-60 um", "60 um"], "domain.y": ["-60 um", "60 um"]}
    simulation = Simulation(
        model(solid, **{"cells.tumor.cycle.exit": "0.04 1/min", "numerics": numerics, **box}), seed=1
    )
    said = (
        r"^tick \d+ \(\d+(\.\d+)? min\)\n  growth has run away: [\d,]+ tumor .*fill the domain .* times over. .*"
        r"1/h instead of 1/min"
    )
    with pytest.raises(NumericsError, match=said):
        simulation.run("1 day")
    assert simulation.tissue.cells.n < 20_000
    assert simulation.time < 6 * 60


def test_cells_that_swell_without_end_are_named():
    simulation = Simulation(model(), seed=1)
    simulation.run("30 min")
    cells = simulation.tissue.cells
    for name in (c for c in cells.columns if c.startswith("volume.")):
        if cells[name].ndim == 1 and cells.columns[name].unit == "um^3":
            cells[name][:] *= 1000.0
    with pytest.raises(NumericsError, match="tumor fill the domain .* times over"):
        simulation.run("1 h")


def test_many_cells_in_one_place_of_a_large_domain_are_named():
    wide = model(**{"domain.x": ["-2 mm", "2 mm"], "domain.y": ["-2 mm", "2 mm"], "cells.tumor.mechanics.movable": "0"})
    simulation = Simulation(wide, seed=1)
    rows = simulation.tissue.cells.add(np.zeros(400, np.int32))
    simulation.tissue.cells.position[rows] = 5.0
    with pytest.raises(NumericsError, match=r"\d+ tumor fill voxel \(z, y, x\) = \(0, 100, 100\) 1\d\d times over"):
        simulation.run("12 min")


@pytest.mark.parametrize("numerics", ["oncarium", "physicell"])
def test_a_crowd_that_was_placed_goes_its_way(numerics):
    """Eight hundred cells within 20 um: PhysiCell's models may start like this."""
    some = model(**{"initial": [{"cells": "tumor", "disc": {"radius": "10 um"}, "count": "800"}], "numerics": numerics})
    simulation = Simulation(some, seed=1)
    assert simulation.room.most > FULL and simulation.room.most_packed > PACKED
    simulation.run("12 min")


def test_a_full_domain_goes_on():
    """Growth into twice what fits."""
    simulation = Simulation(
        model(
            **{"cells.tumor.cycle.exit": "0.15 1/h", "initial": [{"cells": "tumor", "everywhere": {}, "count": "100"}]}
        ),
        seed=1,
    )
    simulation.run("15 h")
    cells = simulation.tissue.cells
    assert 1.5 < simulation.room.times_full(cells.n, cells["volume.total"].sum()) < FULL


def test_how_full_a_domain_is():
    room = Simulation(model(), seed=1).room
    disc = np.pi * 8.0**2
    assert room.times_full(100, 100 * 4.0 / 3.0 * np.pi * 8.0**3) == pytest.approx(100 * disc / 200.0**2)
    assert room.times_full(0, 0.0) == 0.0
    solid = Simulation(model(True), seed=1).room
    assert solid.times_full(7, 60.0**3) == pytest.approx(1.0)
