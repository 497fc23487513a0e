"""Factors side by side against a direct solution of the same finite volumes, one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from oncarium.engine.fields import Fields, Grid
from oncarium.engine.groups import Groups
from oncarium.engine.kernels import mesh
from reference.fields import assemble, steady

INF = np.inf
FACES = ([0.0] * 6, [INF, 0, 0, INF, 0, 0], [INF] * 4 + [0, 0])


def fields_of(seed, shape, factors, faces, mobile, flow, hungry, held):
    """Fields of random factors with what cells and vessels have written into them."""
    random = np.random.default_rng(seed)
    fields = Fields(
        Grid((0, 0, 0), (20.0, 15.0, 25.0), shape),
        [f"f{i}" for i in range(factors)],
        diffusion=10.0 ** random.uniform(1, 4, factors),
        decay=10.0 ** random.uniform(-3, -1, factors),
        michaelis=np.where(np.arange(factors) % 2 == 0, 2.5, np.nan) if hungry else None,
        initial=random.random(factors),
    )
    full = fields.shape
    fields.supply[:] = random.random(full) * (random.random(full) < 0.3)
    fields.demand[:] = random.random(full) * (random.random(full) < 0.5)
    fields.capacity[:] = random.random(full)
    for f in range(factors):
        for face, p in enumerate(faces):
            fields.kind[f, face] = 0 if p == 0.0 else 1 if p == INF else 2
            fields.permeability[f, face] = p * fields.diffusion[f] if 0.0 < p < INF else 0.0
            fields.outside[f, face] = random.random()
    if mobile:
        fields.mobility = np.exp(random.normal(0, 0.5, shape))
    if flow:
        nz, ny, nx = shape
        sizes = ((nz, ny, nx + 1), (nz, ny + 1, nx), (nz + 1, ny, nx))
        fields.velocity = tuple(flow * random.normal(size=s) for s in sizes)
        fields.convection[:] = random.random(factors) * (random.random(factors) < 0.7)
    if held:
        fields.fix("f0", random.random(shape) < 0.05, 3.0)
    return fields


def exact(fields, f, rate=0.0):
    """The direct solution of one implicit step from the present value."""
    velocity = None if fields.velocity is None else tuple(fields.convection[f] * v for v in fields.velocity)
    grid, faces = fields.grid, fields.face_permeability(f)
    operator, wall = assemble(grid.shape, grid.spacing, fields.diffusion[f], faces, fields.mobility_of(f), velocity)
    supply = (fields.supply[f] + rate * fields.value[f]).ravel()
    sink = (fields.demand[f] + fields.decay[f] + rate).ravel()
    saturable = np.isfinite(fields.michaelis[f])
    index = np.flatnonzero(fields.fixed[f]) if fields.fixed is not None else None
    return steady(
        operator, wall, fields.outside[f], supply, sink, fields.capacity[f].ravel() if saturable else None,
        fields.michaelis[f], index, None if index is None else fields.fixed_value[f].ravel()[index],
        fields.value[f].ravel(),
    ).reshape(grid.shape)  # fmt: skip


def solved(fields, members=None, rate=0.0, tolerance=1e-10, threads=1):
    groups, count = Groups(), len(fields.names)
    found = groups.find(fields, range(count) if members is None else members, 1)
    rates = np.full(count, rate)
    return found, groups.solve(fields, found, rates, rates, np.full(count, tolerance), threads)


@settings(max_examples=25, deadline=None)
@given(
    seed=some.integers(0, 10**6),
    shape=some.sampled_from([(1, 9, 12), (1, 1, 20), (1, 1, 1), (5, 6, 7), (2, 3, 1)]),
    factors=some.integers(1, 11),
    faces=some.sampled_from([*FACES, [0.01, 0, 0, 0.02, 0, 0]]),
    mobile=some.booleans(),
    flow=some.sampled_from([0.0, 0.5]),
    hungry=some.booleans(),
    held=some.booleans(),
    rate=some.sampled_from([0.0, 0.2]),
)
def test_any_group_is_solved_as_its_factors_one_by_one(seed, shape, factors, faces, mobile, flow, hungry, held, rate):
    fields = fields_of(seed, shape, factors, faces, mobile, flow, hungry, held)
    expected = np.array([exact(fields, f, rate) for f in range(factors)])
    before = fields.value.copy()
    _, out = solved(fields, rate=rate)
    for f in range(factors):
        if out.solved[f]:
            assert np.abs(fields.value[f] - expected[f]).max() < 1e-8 * max(expected[f].max(), 1.0)
        else:  # left to be solved alone
            assert (fields.value[f] == before[f]).all()
    assert out.solved.sum() >= factors // 2


def test_who_is_solved_beside_whom_changes_no_byte():
    """Eleven factors with tolerances of their own: together, in other company and alone, with threads or without."""
    found = []
    company = ([list(range(11))], [[f] for f in range(11)], [[10, 3, 5], [0, 1, 2, 4, 6, 7, 8, 9]])
    for parts in company:
        for threads in (1, 2):
            fields = fields_of(5, (1, 40, 41), 11, FACES[1], True, 0.3, True, False)
            groups, rates, tolerance = Groups(), np.full(11, 0.1), 10.0 ** -np.linspace(2, 8, 11)
            for part in parts:
                out = groups.solve(fields, groups.find(fields, part, 1), rates, rates, tolerance, threads)
                assert out.solved[part].all()
            found.append(fields.value.tobytes())
    assert len(set(found)) == 1


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
@pytest.mark.parametrize("shape", [(1, 50, 50), (1, 37, 53), (11, 12, 13)])
def test_the_estimated_error_is_the_error_and_the_fluxes_balance(shape, tolerance):
    fields = fields_of(3, shape, 4, FACES[0], True, 0.3, False, False)
    expected = [exact(fields, f, 0.2) for f in range(4)]
    entered = (fields.supply + 0.2 * fields.value).reshape(4, -1).sum(axis=1)
    _, out = solved(fields, rate=0.2, tolerance=tolerance)
    taken = ((fields.demand + 0.2 + fields.decay[:, None, None, None]) * fields.value).reshape(4, -1).sum(axis=1)
    assert out.solved.all() and (out.error <= tolerance).all()
    assert max(np.abs(fields.value[f] - expected[f]).max() for f in range(4)) < 6.0 * tolerance
    np.testing.assert_allclose(taken, entered, rtol=1e-12)


def test_groups_are_those_of_one_mobility_and_one_kind_of_faces():
    fields = fields_of(1, (1, 9, 12), 6, FACES[0], False, 0.0, False, False)
    fields.mobility = np.ones(fields.shape)
    fields.mobility[[1, 4]] = 0.5
    fields.set_boundary("f2", "xmin", "value", 1.0)
    fields.diffusion[5] = 0.0  # what does not move is in none
    fields.set_boundary("f0", "ymax", "exchange", 1.0, 2.0 * fields.diffusion[0])
    fields.set_boundary("f3", "ymax", "exchange", 1.0, 2.0 * fields.diffusion[3])
    members = [own for _, own in Groups().find(fields, range(6))]
    assert [own for _, own in Groups().find(fields, range(6), 1)] == [*members, [2]]
    assert members == [[0, 3], [1, 4]]


def test_a_factor_that_is_not_finite_spoils_no_other():
    groups, found = Groups(), []
    for spoiled in (True, False, False):  # the third time in the room that was used before
        fields = fields_of(2, (1, 20, 20), 5, FACES[0], True, 0.0, False, False)
        if spoiled:
            fields.supply[2, 0, 3, 4] = np.nan
        rates = np.full(5, 0.1)
        out = groups.solve(fields, groups.find(fields, range(5)), rates, rates, np.full(5, 1e-6), 1)
        assert out.solved.tolist() == [True, True, not spoiled, True, True]
        found.append(fields.value[[0, 1, 3, 4]].tobytes())
    assert len(set(found)) == 1


def test_an_even_field_of_a_closed_box_stays_even():
    fields = fields_of(2, (1, 20, 20), 3, FACES[0], True, 0.0, False, False)
    fields.supply[:], fields.demand[:] = 0.3, 0.1
    fields.decay[:] = 0.0
    solved(fields, tolerance=1e-3)
    np.testing.assert_allclose(fields.value, 3.0, rtol=1e-12)


def test_levels_have_room_for_neighbors():
    fluid = mesh.flow((3, 4, 5), (10, 10, 10), np.zeros(6, bool), None)
    levels, walls = mesh.mesh((3, 4, 5), (10, 10, 10), np.full(6, INF), None, fluid)
    ends = levels.first + levels.shape.prod(axis=1)
    assert (levels.first[1:] - ends[:-1] >= levels.shape[1:, 1] * levels.shape[1:, 2]).all()
    assert walls.closed and levels.sides == 6
