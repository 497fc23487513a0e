"""Signals: what lies in the voxel, the gradient there, neighbors of each kind."""

import numpy as np
import pytest

from helpers import BOX, FACTORS, PLANE, TYPES, add_cells, ball, fire, shuffle, tissue_of
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.sensing import Sensing

ALL = set(Sensing.declared)


def world(grid, wanted=ALL, count=150):
    mechanics = Mechanics(1.0)
    sensing = Sensing(6.0, mechanics, wanted)
    tissue = tissue_of([mechanics, sensing], grid, TYPES, FACTORS)
    rng = np.random.default_rng(1)
    add_cells(tissue, ball(count, 80.0, flat=grid.is_2d), rng.integers(0, 3, count))
    tissue.fields.value[:] = rng.random(tissue.fields.value.shape)
    tissue.cells["vital"][:] = rng.integers(0, 4, count)
    tissue.cells["radius"][:] = 7.0 + 3.0 * rng.random(count)
    shuffle(tissue)
    return sensing, tissue


@pytest.mark.parametrize("grid", [BOX, PLANE], ids=["box", "plane"])
def test_signals_agree_with_a_search_over_everything(grid):
    sensing, tissue = world(grid)
    fire(sensing, tissue, 1, dt=6.0, first=3)
    c, fields = tissue.cells, tissue.fields
    at = ((c.position - grid.lower) / np.array(grid.spacing)).astype(int)
    x, y, z = np.clip(at, 0, np.array(grid.shape[::-1]) - 1).T
    np.testing.assert_array_equal(c["sense.factor"], fields.value[:, z, y, x].T)
    for f, name in enumerate(FACTORS):
        g = np.linalg.norm(fields.gradient(name), axis=0)[z, y, x]
        np.testing.assert_allclose(c["sense.gradient"][:, f], g, rtol=1e-12, atol=1e-15)
    d = np.linalg.norm(c.position[:, None] - c.position[None], axis=2)
    reach = 1.25 * c["radius"]
    touch = (d < reach[:, None] + reach[None]) & ~np.eye(c.n, dtype=bool)
    for t in range(3):
        np.testing.assert_array_equal(c["sense.contact"][:, t], touch[:, c.type == t].sum(axis=1))
    vital = c["vital"]
    for name, kinds in (("live", [0]), ("dead", [1, 2, 3]), ("apoptotic", [1]), ("necrotic", [2, 3])):
        np.testing.assert_array_equal(c[f"sense.contact_{name}"], touch[:, np.isin(vital, kinds)].sum(axis=1))
    assert c["sense.contact_live"].max() > 0
    np.testing.assert_array_equal(c["sense.time"], np.full(c.n, 18.0))
    np.testing.assert_array_equal(c["sense.dead"], vital != 0)


def test_only_what_is_wanted_costs_memory():
    sensing, tissue = world(PLANE, {"sense.time"})
    assert [c for c in tissue.cells.columns if c.startswith("sense.")] == [
        "sense.pressure",
        "sense.factor",
        "sense.time",
    ]
    fire(sensing, tissue)
    assert (tissue.cells["sense.factor"] > 0.0).all()


def test_a_linear_field_has_its_slope_everywhere():
    sensing, tissue = world(BOX)
    z, y, x = np.meshgrid(*(BOX.centers(a) for a in "zyx"), indexing="ij")
    tissue.fields.value[0] = 1.0 * x - 2.0 * y + 2.0 * z
    fire(sensing, tissue)
    np.testing.assert_allclose(tissue.cells["sense.gradient"][:, 0], 3.0, rtol=1e-12)


def test_a_look_ahead_fires_in_the_last_period_before_decisions():
    sensing, tissue = world(PLANE)
    ahead = Sensing(0.5, sensing.mechanics, ALL, ("contacts",), ahead=6.0, blind=True)
    ahead.prepare(tissue)
    c = tissue.cells
    for number in range(11):
        fire(ahead, tissue, 1, dt=0.5, first=number)
        assert not c["sense.contact_live"].any()
    fire(ahead, tissue, 1, dt=0.5, first=11)
    assert c["sense.contact_live"].any() and c["sense.contact_dead"].any()
    assert not c["sense.contact_apoptotic"].any() and not c["sense.contact_necrotic"].any(), (
        "blind as version 1.14.2 is"
    )


def test_what_a_cell_knows_of_itself():
    sensing, tissue = world(PLANE)
    fire(sensing, tissue, 1, dt=6.0, first=2)
    c = tissue.cells
    assert np.array_equal(c["sense.apoptotic"], c["vital"] == 1) and np.array_equal(
        c["sense.necrotic"], c["vital"] >= 2
    )
    assert np.array_equal(c["sense.dead"], c["vital"] > 0) and (c["sense.time"] == 12.0).all()


def test_the_first_look_may_be_at_the_given_concentrations():
    mechanics = Mechanics(1.0)
    sensing = Sensing(6.0, mechanics, ALL, given=True)
    tissue = tissue_of([mechanics, sensing], PLANE, TYPES, FACTORS)
    add_cells(tissue, [[0, 0, 0]])
    tissue.fields.value[:] = 38.0
    sensing.prepare(tissue)
    tissue.fields.value[:] = 5.0  # transport comes first in a tick
    fire(sensing, tissue, 1, dt=6.0)
    assert (tissue.cells["sense.factor"] == 38.0).all()
    fire(sensing, tissue, 1, dt=6.0, first=6)
    assert (tissue.cells["sense.factor"] == 5.0).all()
