"""Transport: every solver against twins, orders in time, restart, errors."""

import numpy as np
import pytest
from scipy.linalg import expm

import oncarium.biology.transport as module
from oncarium.biology.transport import Transport
from oncarium.engine.cells import Cells
from oncarium.engine.fields import FieldError, Fields, Grid
from oncarium.engine.kernels import mesh
from oncarium.engine.process import Tick
from oncarium.engine.tissue import Tissue
from reference import fields as twin

SPACING = (20.0, 20.0, 20.0)


def tissue(shape=(1, 13, 16), diffusion=1e3, decay=0.01, michaelis=np.nan, initial=0.0, names=("factor",)):
    n = len(names)
    fields = Fields(
        Grid((0, 0, 0), SPACING, shape),
        names,
        diffusion=[diffusion] * n,
        decay=[decay] * n,
        michaelis=[michaelis] * n,
        initial=[initial] * n,
    )
    return Tissue(Cells((), ("tumor",), {"factor": tuple(names)}), fields)


def oxygen(shape=(1, 30, 30), seed=1):
    """Oxygen with one lit face and hungry cells, capacity in mmHg/min."""
    some = tissue(shape, 1e5, 0.0, 2.5, 38.0, ("oxygen",))
    some.fields.set_boundary("oxygen", "all", "value", 38.0)
    if shape[0] == 1:
        some.fields.set_boundary("oxygen", "zmin", "no-flux")
        some.fields.set_boundary("oxygen", "zmax", "no-flux")
    some.fields.capacity[0] = 900.0 * np.random.default_rng(seed).random(shape)
    return some


def ready(some, solver, period=1.0, tolerance=None):
    transport = Transport(period, {n: solver for n in some.fields.names}, tolerance)
    transport.prepare(some)
    return transport


def fire(transport, some, firings=1):
    for k in range(firings):
        transport.step(some, Tick(k, k * transport.period, transport.period, 1))
    return some.fields.value[0]


def operator_of(fields):
    return twin.assemble(
        fields.grid.shape, fields.grid.spacing, fields.diffusion[0], fields.face_permeability(0), fields.mobility_of(0)
    )


def wave(some):
    """An initial value with no kinks that agrees with closed faces."""
    x, y = some.fields.grid.centers("x"), some.fields.grid.centers("y")
    some.fields.value[0] = 2.0 + np.cos(np.pi * x / 320.0) + 0.5 * np.cos(2 * np.pi * y[:, None] / 260.0)
    return some.fields.value[0].ravel().copy()


# quasi-steady


@pytest.mark.parametrize("shape", [(1, 30, 30), (12, 13, 15)])
def test_quasi_steady_is_the_steady_state(shape):
    some = oxygen(shape)
    operator, wall = operator_of(some.fields)
    fields = some.fields
    none, capacity = np.zeros(operator.shape[0]), fields.capacity[0].ravel()
    exact = twin.steady(operator, wall, fields.outside[0], none, none, capacity, 2.5)
    got = fire(ready(some, "quasi-steady"), some).ravel()
    assert np.abs(got - exact).max() < 0.01  # mmHg
    assert got.min() >= 0.0


def test_quasi_steady_oxygen_stays_within_a_hundredth_mmHg_as_sources_change():
    """One or two cycles per firing follow slowly changing cells; each is compared with a converged solution."""
    some, other = oxygen((1, 60, 60)), oxygen((1, 60, 60))
    transport, exact = ready(some, "quasi-steady"), ready(other, "quasi-steady", tolerance=1e-9)
    random = np.random.default_rng(2)
    worst, cycles = 0.0, []
    for _ in range(20):
        change = 1.0 + 0.02 * random.normal(size=some.fields.shape)
        some.fields.capacity *= change
        other.fields.capacity *= change
        worst = max(worst, np.abs(fire(transport, some) - fire(exact, other)).max())
        cycles.append(transport.report()[0]["cycles"])
    assert worst < 0.01
    assert np.mean(cycles[1:]) <= 3.0
    assert transport.report()[0]["imbalance"] < 0.01


def test_quasi_steady_needs_a_steady_state():
    some = tissue(decay=0.0, initial=1.0)
    with pytest.raises(FieldError, match=r"no steady state.*bdf2"):
        fire(ready(some, "quasi-steady"), some)


# orders in time


def test_backward_euler_is_of_first_order():
    errors = []
    for period in (0.4, 0.2, 0.1):
        some = tissue()
        start = wave(some)
        operator, _ = operator_of(some.fields)
        exact = expm((operator.toarray() - 0.01 * np.eye(start.size)) * 8.0) @ start
        got = fire(ready(some, "backward-euler", period, 1e-9), some, round(8.0 / period)).ravel()
        errors.append(np.abs(got - exact).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (np.abs(orders - 1.0) < 0.1).all()


def test_backward_euler_is_the_twin():
    some = tissue()
    start = wave(some)
    some.fields.supply[0, 0, 3, 4] = 1.0
    operator, wall = operator_of(some.fields)
    expected = twin.backward_euler(
        operator, wall, np.zeros(6), some.fields.supply.ravel(), np.full(start.size, 0.01), start, 0.7, 3
    )
    got = fire(ready(some, "backward-euler", 0.7, 1e-9), some, 3).ravel()
    np.testing.assert_allclose(got, expected, rtol=1e-9)


@pytest.mark.parametrize("ratio", [1.0, 1.6])
def test_bdf2_is_of_second_order_also_when_steps_change(ratio):
    """Steps h, ratio h, h, ... from an exact past."""
    errors = []
    for h in (0.4, 0.2, 0.1):
        some = tissue()
        start = wave(some)
        matrix = operator_of(some.fields)[0].toarray() - 0.01 * np.eye(start.size)
        transport = ready(some, "bdf2", tolerance=1e-9)
        shape = some.fields.value[0].shape
        transport.scale[:] = 1.0
        transport.earlier[0], transport.before[0] = start.reshape(shape), (expm(matrix * h) @ start).reshape(shape)
        some.fields.value[0] = (expm(2 * h * matrix) @ start).reshape(shape)
        transport.last_step[0] = transport.older_step[0] = h
        time, k = 2 * h, 0
        while time < 6.0:
            step = h * (ratio if k % 2 else 1.0)
            trial, middle, _ = transport._two_step(some.fields, 0, step)
            transport.earlier[0], transport.before[0] = transport.before[0].copy(), middle
            some.fields.value[0] = trial
            transport.older_step[0], transport.last_step[0] = transport.last_step[0], step
            time, k = time + step, k + 1
        errors.append(np.abs(some.fields.value[0].ravel() - expm(matrix * time) @ start).max())
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders > 1.85).all()


def test_bdf2_errors_follow_the_tolerance():
    """A source switched on and off; the error after 40 min against the matrix exponential."""
    errors = []
    for tolerance in (1e-2, 1e-3, 1e-4):
        some = tissue()
        c = wave(some)
        n = c.size
        matrix = operator_of(some.fields)[0].toarray() - 0.01 * np.eye(n)
        transport = ready(some, "bdf2", 2.0, tolerance)
        worst = 0.0
        for k in range(20):
            some.fields.supply[0, 0, 5, 6] = 0.5 if (k // 5) % 2 else 0.0
            both = np.zeros((n + 1, n + 1))
            both[:n, :n], both[:n, n] = matrix, some.fields.supply.ravel()
            c = (expm(2.0 * both) @ np.append(c, 1.0))[:n]
            got = fire(transport, some)
            worst = max(worst, np.abs(got.ravel() - c).max())
        errors.append(worst)
        assert worst < 10.0 * tolerance  # each of some hundred steps may err by the tolerance
    assert errors[2] < errors[1] < errors[0]


def test_bdf2_takes_long_steps_when_nothing_happens():
    some = tissue(initial=1.0)
    transport = ready(some, "bdf2", 6.0)
    fire(transport, some, 20)
    solves = transport.solves[0]
    fire(transport, some, 10)
    assert transport.solves[0] - solves == 10  # one step per firing
    assert transport.last_step[0] == 6.0


def test_rearm_starts_with_a_short_step():
    some = tissue(initial=1.0)
    transport = ready(some, "bdf2", 6.0)
    fire(transport, some, 20)
    solves = transport.solves[0]
    transport.rearm()
    fire(transport, some)
    assert transport.solves[0] - solves > 5


def test_a_jump_of_the_sources_starts_anew():
    """A supply that fills the factor ten times over within one firing."""
    some = tissue(initial=1.0)
    transport = ready(some, "bdf2", 6.0)
    fire(transport, some, 20)
    some.fields.supply[0, 0, 5, 6] = 1e3
    steps = []
    original = transport._euler_start
    transport._euler_start = lambda *a: steps.append(a[2]) or original(*a)
    fire(transport, some)
    assert steps and min(steps) < 0.1


# conservation


@pytest.mark.parametrize("solver", ["bdf2", "backward-euler", "lod", "cosine"])
def test_mass_is_conserved_whatever_the_tolerance(solver):
    some = tissue(decay=0.0)
    wave(some)
    some.fields.supply[0, 0, 5, 6] = 0.3
    start = some.fields.amount("factor")
    transport = ready(some, solver, 1.0, 0.01 if solver != "cosine" else None)
    fire(transport, some, 200)
    gained = 200.0 * 0.3 * some.fields.grid.voxel_volume
    assert some.fields.amount("factor") - start == pytest.approx(gained, rel=1e-10)


@pytest.mark.parametrize("solver", ["bdf2", "backward-euler", "lod", "quasi-steady"])
def test_a_hungry_box_is_never_negative(solver):
    some = tissue(michaelis=0.1, initial=1.0)
    some.fields.set_boundary("factor", "xmin", "value", 1.0)
    some.fields.capacity[0, 0, 4:9, 5:12] = 100.0
    transport = ready(some, solver, 2.0)
    for _ in range(10):
        assert fire(transport, some).min() >= 0.0


# lod and cosine


@pytest.mark.parametrize("solver", ["backward-euler", "bdf2"])
@pytest.mark.parametrize("names", [("factor",), ("factor", "other")])
def test_a_factor_that_cells_have_used_up_is_never_a_number_that_is_none(solver, names):
    """Without a source a saturable factor fades by orders of magnitude at every step, through all that a number can
    hold; what is left of it there balances nothing, and is no reason to scale it."""
    random = np.random.default_rng(2)
    some = tissue((1, 25, 25), 6600.0, 0.0, 0.04, names=names)
    some.fields.value[:] = 1e-318 * random.random(some.fields.value.shape) ** 4  # numbers end at 5e-324
    transport = ready(some, solver, period=30.0)
    for n in range(6):
        some.fields.capacity[:] = 1.0 + 3.0 * random.random(some.fields.capacity.shape)
        transport.step(some, Tick(n, 30.0 * n, 30.0, 1))
        assert np.isfinite(some.fields.value).all() and some.fields.value.min() >= 0.0
    assert some.fields.value.max() <= 1e-318


def test_lod_holds_boundary_voxels_where_a_face_prescribes_a_value():
    some = tissue(decay=0.2)
    some.fields.set_boundary("factor", "ymin", "value", 3.0)
    index = np.arange(16)
    expected = np.zeros((1, 13, 16))
    for _ in range(10):
        expected = twin.lod(expected, 0.01, 1e3, 0.2, SPACING, index, np.full(16, 3.0))
    got = fire(ready(some, "lod", 0.1), some)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


def test_cosine_and_bdf2_agree():
    results = []
    for solver in ("cosine", "bdf2"):
        some = tissue()
        wave(some)
        some.fields.supply[0, 0, 5, 6] = 0.3
        results.append(fire(ready(some, solver, 5.0, 1e-4 if solver == "bdf2" else None), some, 4).copy())
    assert np.abs(results[0] - results[1]).max() < 1e-3


# choice, tables, restart, threads


@pytest.mark.parametrize(
    "diffusion, decay, faces, expected",
    [
        (1e5, 0.1, "value", "quasi-steady"),
        (1e5, 0.0, "value", "quasi-steady"),
        (1e5, 0.0, "no-flux", "bdf2"),
        (1e3, 0.01, "no-flux", "bdf2"),
        (600.0, 0.3, "no-flux", "quasi-steady"),
        (6.6e3, 0.0, "value", "bdf2"),
    ],
)
def test_auto_goes_by_time_scales(diffusion, decay, faces, expected):
    some = tissue((1, 50, 50), diffusion, decay, initial=1.0)
    some.fields.set_boundary("factor", "xmin", faces, 1.0)
    transport = ready(some, "auto")
    fire(transport, some)
    assert transport.report()[0]["solver"] == expected


@pytest.mark.parametrize("where, name, factors", [(module, "build", 1), (mesh, "mesh", 2)])
def test_tables_are_built_when_a_coefficient_changes_only(monkeypatch, where, name, factors):
    """Of one factor alone, and of two that share them."""
    built = []
    original = getattr(where, name)
    monkeypatch.setattr(where, name, lambda *a: built.append(1) or original(*a))
    some = tissue((1, 30, 30), 1e5, 0.1, initial=1.0, names=("oxygen", "other")[:factors])
    transport = ready(some, "quasi-steady")
    fire(transport, some, 3)
    assert len(built) == 1
    some.fields.mobility = np.full(some.fields.grid.shape, 0.5)
    fire(transport, some, 2)
    assert len(built) == 2
    some.fields.mobility[0, 3:9, 3:9] = 0.1
    some.fields.version += 1
    fire(transport, some, 2)
    assert len(built) == 3
    for name in some.fields.names:
        some.fields.set_boundary(name, "xmin", "exchange", 38.0, 10.0)
    fire(transport, some, 2)
    assert len(built) == 4


@pytest.mark.parametrize("solver", ["quasi-steady", "bdf2", "backward-euler", "lod"])
@pytest.mark.parametrize("factors", [1, 3])
def test_a_run_cut_anywhere_gives_the_same_bytes(solver, factors):
    def sources(some, k):
        some.fields.capacity[:] = 50.0 * np.random.default_rng(k).random(some.fields.grid.shape)
        some.fields.supply[:] = 0.1 * k * np.random.default_rng(100 + k).random(some.fields.grid.shape)

    whole = tissue(michaelis=2.5, initial=5.0, names=("factor", "second", "third")[:factors])
    transport = ready(whole, solver, 0.5)
    kept = []
    for k in range(6):
        kept.append((whole.fields.copy(), transport.state()))
        sources(whole, k)
        fire(transport, whole)
    for k, (fields, state) in enumerate(kept):
        part = Tissue(whole.cells, fields)
        resumed = ready(part, solver, 0.5)
        resumed.restore(state)
        for later in range(k, 6):
            sources(part, later)
            fire(resumed, part)
        assert part.fields.value.tobytes() == whole.fields.value.tobytes()


@pytest.mark.parametrize("solver", ["quasi-steady", "bdf2", "lod"])
def test_any_number_of_threads_gives_the_same_bytes(solver, monkeypatch):
    """On a grid large enough for threads, and with every level shared."""
    found = set()
    for threads, least in ((1, 20_000), (2, 20_000), (4, 10)):
        monkeypatch.setattr("oncarium.engine.threads.PARALLEL_FROM", least)
        some = oxygen((28, 30, 31))
        if solver != "quasi-steady":
            some.fields.supply[0, 10] = 5.0
        transport = ready(some, solver, 0.05)
        transport.threads = threads
        fire(transport, some, 2)
        found.add(some.fields.value.tobytes())
    assert len(found) == 1


# errors


@pytest.mark.parametrize(
    "solver, change, words",
    [
        ("euler", None, "no solver is called 'euler'"),
        ("cosine", lambda f: f.demand.fill(1.0), "cosine needs closed faces"),
        ("cosine", lambda f: f.set_boundary("factor", "xmin", "value", 1.0), "use bdf2"),
        ("lod", lambda f: f.set_boundary("factor", "xmin", "exchange", 1.0, 1.0), "use bdf2"),
        ("lod", lambda f: setattr(f, "mobility", np.ones(f.grid.shape)), "use bdf2"),
        ("bdf2", lambda f: f.value.__setitem__((0, 0, 3, 4), np.nan), r"factor is nan in voxel \(z, y, x\) = "),
        (
            "backward-euler",
            lambda f: f.supply.__setitem__((0, 0, 3, 4), -50.0),
            r"factor is -.* in voxel \(z, y, x\) = \(0, 3, 4\) at 1 min",
        ),
    ],
)
def test_errors_say_what_is_wrong(solver, change, words):
    some = tissue(initial=1.0)
    if change:
        change(some.fields)
    with pytest.raises(FieldError, match=words):
        fire(ready(some, solver), some)


# far from a source, without diffusion, even


@pytest.mark.parametrize("solver", ["auto", "bdf2", "backward-euler", "quasi-steady", "lod", "cosine"])
def test_far_from_a_source_nothing_is_negative_and_mass_is_kept(solver):
    """One source in a large empty box: the true value falls below any solver's tolerance there."""
    some = tissue((1, 100, 100), decay=0.1)
    some.fields.supply[0, 0, 50, 50] = 0.3
    transport = ready(some, solver, 3.0)
    for _ in range(20):
        assert fire(transport, some).min() >= 0.0
    assert some.fields.value.sum() == pytest.approx(0.3 / 0.1 * (1.0 - np.exp(-6.0)), rel=0.01)


@pytest.mark.parametrize("solver", ["bdf2", "backward-euler", "quasi-steady"])
def test_a_negative_source_that_is_fed_is_no_overdraft_anywhere(solver):
    """What one cell takes away another one gives; solving for both must not look like an overdraft far from them."""
    some = tissue((1, 60, 60), decay=0.1)
    some.fields.supply[0, 0, 30, 30], some.fields.supply[0, 0, 30, 31] = 0.3, -0.01
    transport = ready(some, solver, 3.0)
    for _ in range(10):
        assert fire(transport, some).min() >= 0.0


@pytest.mark.parametrize(
    "solver, drain",
    [(s, d) for s in ("bdf2", "backward-euler", "lod") for d in (-1e-3, -1e-9)] + [("quasi-steady", -1e-3)],
)
def test_an_overdraft_is_told_however_small_it_is_against_another_source(solver, drain):
    some = tissue((1, 60, 60), decay=0.1)
    some.fields.supply[0, 0, 5, 5], some.fields.supply[0, 0, 55, 55] = 0.3, drain
    with pytest.raises(
        FieldError, match=r"factor is -.*\(0, 55, 55\).*negative secretion.rate takes more than there is"
    ):
        fire(ready(some, solver, 0.1), some)


STILL = [0.0, 1e-300, 1e-12, 1e-9, 1e-6]


@pytest.mark.parametrize("diffusion", STILL)
@pytest.mark.parametrize("solver", ["auto", "bdf2", "backward-euler", "lod"])
@pytest.mark.parametrize("shape", [(1, 11, 10), (4, 5, 6), (1, 1, 1)])
def test_what_does_not_diffuse_changes_voxel_by_voxel(diffusion, solver, shape):
    some = tissue(shape, diffusion, 0.0, initial=0.5)
    at = (0, *(n // 2 for n in shape))
    some.fields.supply[at] = some.fields.demand[at] = 0.0312
    fire(
        ready(some, solver, 3.0 if solver != "backward-euler" else 0.1), some, 20 if solver != "backward-euler" else 600
    )
    value = some.fields.value
    assert value[at] == pytest.approx(1.0 - 0.5 * np.exp(-0.0312 * 60.0), abs=0.002)
    assert np.abs(np.delete(value, np.ravel_multi_index(at, value.shape)) - 0.5).max(initial=0.0) < (
        1e-12 if diffusion < 1e-100 else 1e-6
    )


@pytest.mark.parametrize("diffusion", STILL)
@pytest.mark.parametrize("condition", ["value", "exchange"])
def test_what_does_not_diffuse_does_not_enter_through_faces_nor_from_held_voxels(diffusion, condition):
    some = tissue((1, 6, 7), diffusion, 0.05, initial=2.0)
    some.fields.set_boundary("factor", "all", condition, 40.0, 5.0)
    held = np.zeros((1, 6, 7), np.bool_)
    held[0, 2, 3] = True
    some.fields.fix("factor", held, 9.0)
    got = fire(ready(some, "auto", 3.0, 1e-4), some, 10)
    assert got[held] == pytest.approx(9.0, rel=1e-12)
    np.testing.assert_allclose(got[~held], 2.0 * np.exp(-1.5), rtol=3e-3)


@pytest.mark.parametrize("diffusion", STILL)
def test_saturable_uptake_without_diffusion(diffusion):
    """K ln(c0 / c) + c0 - c = V t."""
    some = tissue((1, 6, 7), diffusion, 0.0, michaelis=2.5, initial=5.0)
    some.fields.capacity[0, 0, 2, 3] = 0.3
    got = fire(ready(some, "auto", 1.0), some, 20)
    c = got[0, 2, 3]
    assert 2.5 * np.log(5.0 / c) + 5.0 - c == pytest.approx(0.3 * 20.0, rel=2e-3)
    assert got[0, 0, 0] == pytest.approx(5.0, rel=1e-7)


def test_quasi_steady_without_diffusion_needs_a_sink_in_every_voxel():
    some = tissue(diffusion=0.0, decay=0.0, initial=1.0)
    some.fields.demand[0, 0, :5] = 50.0
    with pytest.raises(FieldError, match="in every voxel where it does not diffuse"):
        fire(ready(some, "quasi-steady"), some)
    free = ready(some, "auto")
    fire(free, some)
    assert free.report()[0]["solver"] == "bdf2" and some.fields.value[0, 0, 9, 9] == pytest.approx(1.0, rel=1e-14)
    some.fields.demand[:], some.fields.supply[:] = 50.0, 25.0
    np.testing.assert_allclose(fire(ready(some, "auto", 6.0), some), 0.5, rtol=1e-3)


def test_matrix_that_lets_nothing_pass_in_places():
    """A mobility of 0 walls voxels off; the rest goes on."""
    some = tissue((1, 9, 9), 1e3, 0.1, initial=1.0)
    some.fields.mobility = np.ones((1, 9, 9))
    some.fields.mobility[0, 4, :] = 0.0
    some.fields.supply[0, 0, 1, 1] = 5.0
    got = fire(ready(some, "bdf2", 3.0), some, 20)
    assert got[0, :4].min() > 0.1
    np.testing.assert_allclose(got[0, 4:], np.exp(-6.0), atol=1e-3)


@pytest.mark.parametrize("solver", ["auto", "bdf2", "backward-euler", "quasi-steady"])
@pytest.mark.parametrize("shape", [(1, 50, 50), (7, 9, 11)])
def test_an_even_field_stays_even(solver, shape):
    some = tissue(shape, decay=0.1, initial=38.0)
    some.fields.supply[:] = 0.4
    value = fire(ready(some, solver, 3.0), some, 20)
    assert np.ptp(value) < 1e-12 * value.mean()
    assert value.mean() == pytest.approx(4.0 + (0.0 if solver == "quasi-steady" else 34.0 * np.exp(-6.0)), rel=0.1)


@pytest.mark.parametrize("mobile", [False, True])
def test_an_even_field_with_a_cell_in_it_is_uneven_by_what_the_cell_takes_only(mobile):
    some = tissue((1, 50, 50), decay=0.1, initial=38.0)
    some.fields.demand[0, 0, 10, 10] = 1e-9
    some.fields.mobility = np.exp(-np.random.default_rng(0).random((1, 50, 50))) if mobile else None
    value = fire(ready(some, "bdf2", 3.0), some, 20)
    assert np.ptp(value) < 1e-8 * value.mean()


def test_an_unknown_factor_is_answered_with_the_nearest():
    with pytest.raises(FieldError, match="Did you mean 'factor'"):
        Transport(1.0, {"facor": "lod"}).prepare(tissue())


def test_nothing_stays_nothing():
    some = tissue()
    transport = ready(some, "bdf2")
    fire(transport, some, 5)
    assert not some.fields.value.any() and transport.solves[0] == 0


def test_a_tissue_without_factors_has_nothing_to_solve():
    some = tissue(names=())
    transport = ready(some, "bdf2")
    transport.step(some, Tick(0, 0.0, 1.0, 1))
    assert transport.report() == []
