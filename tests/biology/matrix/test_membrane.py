"""The membrane of a nest: whom it holds, what opens it and where, what mends it."""

import math

import numpy as np
import pytest

from helpers import PLANE, add_cells, fire, tissue_of
from oncarium.biology.death import Death
from oncarium.biology.matrix.membrane import BREACH, REPAIR, SOLUBLE, SURFACE, Membrane, expressed, surface_cut
from oncarium.biology.matrix.remodeling import MatrixRemodeling
from oncarium.biology.matrix.state import Matrix
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.motility import Motility
from oncarium.biology.secretion import Secretion
from oncarium.biology.volume import Volume
from oncarium.engine.fields import Grid


def caged(strength, minutes=600.0):
    membrane, motility, mechanics = Membrane(1.0, cut=0.0, repair=0.0), Motility(1.0), Mechanics(1.0)
    matrix, (x, y) = Matrix(PLANE), np.meshgrid(PLANE.centers("x"), PLANE.centers("y"))
    matrix.enclose(((np.abs(x) < 60) & (np.abs(y) < 60))[None])
    tissue = tissue_of([motility, mechanics, Volume(1.0), Death(1.0), membrane], PLANE, matrix=matrix)
    for face in tissue.matrix.membrane:
        face *= strength
    add_cells(tissue, np.stack([*np.random.default_rng(1).uniform(-50, 50, (2, 60)), np.zeros(60)], axis=1))
    tissue.cells["motility.speed"][:], tissue.cells["motility.persistence"][:] = 3.0, 10.0
    tissue.cells["mechanics.repulsion"][:] = tissue.cells["mechanics.adhesion"][:] = 0.0
    for k in range(int(minutes)):
        for process in (motility, mechanics, membrane):
            fire(process, tissue, dt=1.0, first=k)
    return (np.abs(tissue.cells.position[:, :2]).max(axis=1) < 60.0).mean()


def test_a_membrane_holds_until_it_is_breached():
    assert caged(1.0) == 1.0 and caged(BREACH) == 1.0
    assert 0.0 < caged(0.5 * BREACH) < 1.0 and caged(0.0) < 0.7


def thinned(
    minutes, factor="mmp", *, steps=1, makes=0.0, traction=0.0, level=0.0, acid=None, vital=0, pull=1e-3, order=None,
    grid=PLANE,
):  # fmt: skip
    """The membrane of a square nest after some minutes, in which touching cells lie along one side: (face) strength of
    that side, and of the others. Cells make the factor, or pull, every second one half as much."""
    membrane, matrix = Membrane(1.0, cut=2e-3, repair=1e-3, pull=pull), Matrix(grid)
    x, y = np.meshgrid(grid.centers("x"), grid.centers("y"))
    matrix.enclose(((np.abs(x) < 60) & (np.abs(y) < 60))[None])
    processes = [Secretion(1.0), Motility(1.0), Volume(1.0), Death(1.0), MatrixRemodeling(60.0), membrane]
    factors = (factor,) if acid is None else (factor, "acid")
    tissue = tissue_of(processes, grid, factors=factors, matrix=matrix)
    along = np.arange(-55.0, 60.0, 10.0)
    add_cells(tissue, np.stack([0 * along + 54.0, along, 0 * along], axis=1))
    cells = tissue.cells
    cells["volume.total"][:] = 4.0 / 3.0 * np.pi * 6.0**3
    cells["secretion.rate"][:, 0], cells["matrix.traction"][:], cells["vital"][:] = makes, traction, vital
    cells["matrix.traction"][::2] *= 0.5
    cells["secretion.rate"][::2, 0] *= 0.5
    tissue.fields.value[0] = level
    if acid is not None:
        tissue.fields.value[1] = acid
    if order is not None:
        cells.reorder(np.random.default_rng(order).permutation(cells.n))
    for _ in range(steps):
        fire(membrane, tissue, dt=minutes / steps)
    mx, my, _ = tissue.matrix.membrane
    assert (mx[~membrane.laid[0]] == 0.0).all() and (my[~membrane.laid[1]] == 0.0).all()
    right = np.zeros_like(membrane.laid[0])
    right[:, :, int((60 - grid.origin[0]) / grid.spacing[0])] = True
    touched = mx[membrane.laid[0] & right]
    others = mx[membrane.laid[0] & ~right]
    assert len(touched) >= 6 and len(others) >= 6
    return touched, others


def after(minutes, thinning, repair=1e-3):
    """b' = r (1 - b) - b thinning from b = 1."""
    goal = repair / (repair + thinning)
    return goal + (1.0 - goal) * math.exp(-(repair + thinning) * minutes)


@pytest.mark.parametrize("factor", ["mmp", "serine_protease", "cathepsin"])
def test_dissolved_proteases_thin_a_membrane_everywhere_and_it_mends(factor):
    for side in thinned(500.0, factor, level=1.0):
        np.testing.assert_allclose(side, after(500.0, 2e-3), rtol=1e-12)
    # exact in any step
    np.testing.assert_allclose(thinned(500.0, level=1.0, steps=50), thinned(500.0, level=1.0), rtol=1e-12)
    assert all((side == 1.0).all() for side in thinned(500.0))


@pytest.mark.parametrize("factor, most", list(zip(("mmp", "serine_protease", "cathepsin"), SURFACE)))
def test_a_touching_cell_opens_what_it_touches_by_what_it_carries(factor, most):
    touched, others = thinned(500.0, factor, makes=160.0)
    # the strongest of the cells that touch a face counts: every second one carries less
    np.testing.assert_allclose(touched, after(500.0, most * expressed(160.0)), rtol=1e-12)
    assert (others == 1.0).all(), "faces do not open together"
    weak, _ = thinned(500.0, factor, makes=16.0)
    assert weak.min() > 0.9 > BREACH, "quiet cells hold it"
    dead, _ = thinned(500.0, factor, makes=160.0, vital=1)
    assert (dead == 1.0).all()
    both, _ = thinned(500.0, factor, makes=160.0, level=1.0)
    np.testing.assert_allclose(both, after(500.0, most * expressed(160.0) + 2e-3), rtol=1e-12)


def test_holes_do_not_depend_on_the_voxel():
    fine = Grid((-200, -200, -10), (5, 5, 20), (1, 80, 80))
    for grid in (PLANE, fine):
        touched, others = thinned(500.0, makes=160.0, grid=grid)
        low, high = (after(500.0, SURFACE[0] * expressed(s)) for s in (160.0, 80.0))
        assert touched.min() == pytest.approx(low, rel=1e-12) and touched.max() <= high + 1e-12
        assert (others == 1.0).all()


def test_cathepsins_on_the_surface_work_where_it_is_acid():
    acid, neutral = (thinned(500.0, "cathepsin", makes=160.0, acid=a)[0] for a in (20.0, 0.0))  # pH 6.6 and 7.4
    share = [1 / (1 + math.exp(8 * (7.4 - a / 25 - 7.0))) for a in (20.0, 0.0)]
    for side, s in zip((acid, neutral), share):
        np.testing.assert_allclose(side, after(500.0, SURFACE[2] * expressed(160.0) * s), rtol=1e-9)
    assert acid.max() < 0.94 < 0.98 < neutral.min()


def test_each_family_breaches_alone_and_together_sooner():
    """At full expression MT1-MMP opens a membrane within 30 h, the others within four days."""
    hours = {}
    for k, most in enumerate(SURFACE):
        rate, mend = most + REPAIR, REPAIR
        hours[k] = -math.log((BREACH - mend / rate) / (1 - mend / rate)) / rate / 60
    assert 24.0 < hours[0] < 30.0 < max(hours.values()) < 100.0


def test_the_dissolved_alone_thin_it_to_two_fifths_and_invasive_cells_open_it_within_days():
    """Reference activity leaves 0.3 to 0.5; at half of it, of which an edge of a tumor has about so much, cells halfway
    into EMT open what they touch within two to five days and epithelial ones never; what they leave closes."""
    assert 0.3 < REPAIR / (REPAIR + SOLUBLE) < 0.5

    def days(emt, activity=0.5):
        made = [20 + (160 - 20) * (h := emt**4 / (0.4**4 + emt**4)), 10 + (160 - 10) * h]  # as the library's carcinoma
        rate = REPAIR + SOLUBLE * activity + sum(s * expressed(m) for s, m in zip(SURFACE, made))
        least = REPAIR / rate
        return -math.log((BREACH - least) / (1 - least)) / rate / 1440 if least < BREACH else math.inf

    assert days(0.0) == days(0.2) == math.inf
    assert 2.0 < days(0.5) < 3.0 < days(0.4) < 5.0
    rate, strength = REPAIR + 0.5 * SOLUBLE, 0.2
    mended = -math.log((REPAIR / rate - BREACH) / (REPAIR / rate - strength)) / rate / 1440
    assert 0.1 < mended < 2.0


def test_surface_cut_adds_the_families_and_the_dead_have_none():
    names = ("mmp", "serine_protease", "cathepsin")
    tissue = tissue_of([Secretion(1.0), Death(1.0)], PLANE, factors=names)
    add_cells(tissue, np.zeros((3, 3)))
    tissue.cells["secretion.rate"][:] = [[160, 160, 160], [0, 320, 0], [160, 160, 160]]
    tissue.cells["vital"][2] = 1
    assert surface_cut(tissue) == pytest.approx([0.5 * sum(SURFACE), 0.8 * SURFACE[1], 0.0])


def test_pulling_cells_open_a_membrane_without_any_protease():
    touched, others = thinned(500.0, traction=1.0)
    np.testing.assert_allclose(touched, after(500.0, 1e-3), rtol=1e-12)
    assert (others == 1.0).all()
    assert (thinned(500.0, traction=1.0, vital=1)[0] == 1.0).all()
    assert (thinned(500.0, traction=1.0, pull=0.0)[0] == 1.0).all()
    np.testing.assert_array_equal(touched, thinned(500.0, traction=1.0, order=3)[0])
