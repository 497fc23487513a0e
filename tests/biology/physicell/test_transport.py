"""Exchange by hand, in the order of ids, with held voxels and accounts of what cells hold."""

import numpy as np
import pytest

from helpers import BOX, PLANE, add_cells, fire, run, shuffle, tissue_of
from oncarium.biology.death import Death
from oncarium.biology.division import Division
from oncarium.biology.internalisation import Internalisation
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.outside import BORN_OUTSIDE
from oncarium.biology.physicell.transport import Exchange
from oncarium.biology.secretion import Secretion
from oncarium.biology.transport import Transport
from oncarium.biology.volume import Volume
from oncarium.engine.fields import FieldError

DT, VOXEL = 0.01, 8000.0


def world(position, grid=PLANE, steps=1, internalise=True, diffusion=0.0, decay=0.0, **base):
    exchange = Exchange(DT * steps, DT, steps, internalise)
    given = {k.replace("__", "."): v for k, v in base.items()}
    tissue = tissue_of([Volume(6.0), Death(6.0), exchange], grid, factors=("oxygen", "signal"), base=given)
    tissue.fields.diffusion[:], tissue.fields.decay[:] = diffusion, decay
    tissue.fields.value[:] = 10.0
    add_cells(tissue, position)
    exchange.prepare(tissue)
    return exchange, tissue


def test_one_cell_by_hand():
    exchange, tissue = world([[5, 5, 0]])
    c = tissue.cells
    c["secretion.approach"][:], c["secretion.target"][:], c["secretion.uptake"][:] = [2.0, 0.0], [40.0, 1.0], [3.0, 0.0]
    c["secretion.rate"][:] = [0.0, 500.0]
    fire(exchange, tissue, 1, dt=DT)
    share = DT * 2494.0 / VOXEL
    after = (10.0 + share * 2.0 * 40.0) / (1.0 + share * 5.0)
    assert tissue.fields.value[0, 0, 10, 10] == pytest.approx(after, rel=1e-15)
    assert tissue.fields.value[1, 0, 10, 10] == pytest.approx(10.0 + DT * 500.0 / VOXEL, rel=1e-15)
    np.testing.assert_allclose(c["secretion.internalised"][0], [(10.0 - after) * VOXEL, -DT * 500.0], rtol=1e-10)
    assert (np.delete(tissue.fields.value[0].ravel(), 10 * 20 + 10) == 10.0).all()


def test_cells_of_a_voxel_take_turns_in_the_order_of_ids():
    found = []
    for order in (None, 1, 2):
        exchange, tissue = world([[5, 5, 0], [6, 5, 0], [7, 5, 0]], steps=9)
        tissue.cells["secretion.uptake"][:, 0] = [1e3, 10.0, 1e4]
        if order:
            shuffle(tissue, order)
        fire(exchange, tissue, 3, dt=9 * DT)
        found.append(tissue.digest())
    assert len(set(found)) == 1
    rho = 10.0
    for _ in range(27):
        for uptake in (1e3, 10.0, 1e4):
            rho /= 1.0 + DT * 2494.0 / VOXEL * uptake
    assert tissue.fields.value[0, 0, 10, 10] == pytest.approx(rho, rel=1e-12)


@pytest.mark.parametrize("grid", [PLANE, BOX], ids=["plane", "box"])
def test_what_the_fields_lose_the_cells_hold(grid):
    rng = np.random.default_rng(2)
    exchange, tissue = world(
        rng.uniform(-190, 190, (50, 3)) * ([1, 1, 0] if grid.is_2d else 1), grid, steps=10, diffusion=1e4
    )
    tissue.cells["secretion.uptake"][:] = rng.random((50, 2)) * 10
    tissue.cells["secretion.rate"][:, 1] = rng.random(50) * 100
    before = tissue.fields.value.sum(axis=(1, 2, 3)) * VOXEL
    fire(exchange, tissue, 20, dt=10 * DT)
    lost = before - tissue.fields.value.sum(axis=(1, 2, 3)) * VOXEL
    np.testing.assert_allclose(tissue.cells["secretion.internalised"].sum(axis=0), lost, rtol=1e-9)


def test_short_steps_in_one_call_or_in_many_are_the_same():
    values = []
    for steps, times in ((12, 1), (1, 12)):
        exchange, tissue = world(
            [[5, 5, 0], [60, -40, 0]], steps=steps, diffusion=1e4, decay=0.3, secretion__uptake=7.0
        )
        tissue.fields.set_boundary("oxygen", "xmin", "value", 38.0)
        exchange.prepare(tissue)
        fire(exchange, tissue, times, dt=steps * DT)
        values.append(tissue.fields.value.copy())
        assert (tissue.fields.value[0, :, :, 0] == 38.0).all()
    assert np.array_equal(*values)


def test_cells_outside_exchange_nothing_and_saturation_is_refused():
    exchange, tissue = world([[5, 5, 0]], secretion__uptake=7.0)
    tissue.cells["outside"][:] = BORN_OUTSIDE
    fire(exchange, tissue, 1, dt=DT)
    assert (tissue.fields.value == 10.0).all()
    with pytest.raises(FieldError, match="saturates"):
        world([[5, 5, 0]], metabolism__consumption=1.0)


def test_what_is_released_returns_to_the_voxel():
    division = Division(DT, exact=False)
    _, tissue = world([[5, 5, 0], [100, 5, 0]], secretion__released=0.25)
    division.prepare(tissue)
    tissue.cells["secretion.internalised"][:] = [[4e4, 8e4], [1.0, 1.0]]
    tissue.population.remove(np.array([0]))
    fire(division, tissue)
    assert tissue.fields.value[:, 0, 10, 10].tolist() == [10.0 + 0.25 * 4e4 / VOXEL, 10.0 + 0.25 * 8e4 / VOXEL]
    assert tissue.cells["secretion.internalised"].tolist() == [[1.0, 1.0]]


def test_accounts_of_our_own_numerics_balance():
    """Steady uptake against an open face: what flows in is what the cells gain."""
    secretion, transport, account = (
        Secretion(1.0, internalise=True),
        Transport(1.0, {"oxygen": "quasi-steady"}),
        Internalisation(1.0),
    )
    every = [secretion, transport, account, Volume(6.0), Death(6.0), Mechanics(1.0)]
    tissue = tissue_of(every, PLANE, base={"secretion.uptake": 10.0})
    tissue.fields.decay[:] = 0.0
    tissue.fields.set_boundary("oxygen", "xmin", "value", 38.0)
    add_cells(tissue, [[-150, 0, 0], [0, 50, 0], [100, -80, 0]])
    run(every[:3], tissue, 5.0, 1.0)
    value, grid = tissue.fields.value[0], tissue.fields.grid
    # flux through half a voxel times its area, um^3 mmHg/min
    inflow = (2.0 * 1e5 / 20.0 * (38.0 - value[:, :, 0]) * 400.0).sum()
    assert tissue.cells["secretion.internalised"].sum() == pytest.approx(5.0 * inflow, rel=2e-3)
    assert grid.voxel_volume == VOXEL
