"""What becomes of cells that left: closed forms in any step, seeding, growth, a published cascade as limit."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import solve_ivp

from helpers import add_cells, fire
from oncarium.biology.death import Death
from oncarium.biology.metastasis.cascade import Metastasis, binomial, circulated, grown, poisson
from oncarium.biology.metastasis.intravasation import Intravasation
from oncarium.biology.metastasis.state import Spread
from oncarium.biology.vessels.state import Vessels
from oncarium.biology.volume import Volume
from oncarium.engine.tissue import Tissue
from oncarium.model.metastasis import Site

from ..vessels.networks import bathed, column

BOTH = (Site("lung", 0.75), Site("liver", 0.25))


def patient(sites=BOTH):
    return Tissue(None, None, metastasis=Spread([s.name for s in sites]))


def test_circulation_agrees_with_a_solver_and_loses_nothing():
    for arrest, lost in ((0.01, 0.03), (0.02, 0.02), (0.05, 0.001)):
        blood = np.array([100.0, 20.0, 70.0])

        def law(_, y, arrest=arrest, lost=lost):
            s, c, k = y[:3]
            return [-arrest * s + 0.4 * lost * k, -lost * c, -lost * k, arrest * s, 0.6 * lost * c]

        twin = solve_ivp(law, (0, 60), [*blood, 0, 0], rtol=1e-11, atol=1e-11).y[:, -1]
        after, arrested = circulated(blood, arrest, lost, 0.4, 60.0)
        np.testing.assert_allclose([*after, *arrested], twin, rtol=1e-8)
        assert after[0] + arrested[0] == pytest.approx(100.0 + 0.4 * (70.0 - after[2]), rel=1e-12)
        for parts in (2, 7):  # any step
            step, total = blood, np.zeros(2)
            for _ in range(parts):
                step, more = circulated(step, arrest, lost, 0.4, 60.0 / parts)
                total = total + more
            np.testing.assert_allclose([*step, *total], [*after, *arrested], rtol=1e-9)


def test_growth_is_exponential_then_gompertz_in_any_step():
    rate, slowing, capacity = math.log(2.0) / 4320.0, 0.02 / 1440.0, 1e9
    assert grown(np.ones(1), np.array([rate]), slowing, capacity, 43200.0)[0] == pytest.approx(2.0**10, rel=1e-12)
    start, days = np.array([1.0, 1e3, 1e5, 1e9]), 60.0
    twin = solve_ivp(
        lambda _, n: n * np.minimum(rate, slowing * np.log(capacity / n)),
        (0, days * 1440),
        start,
        rtol=1e-10,
        atol=1e-3,
    ).y[:, -1]
    whole = grown(start, np.full(4, rate), slowing, capacity, days * 1440)
    np.testing.assert_allclose(whole, twin, rtol=1e-5)
    pieces = start
    for _ in range(2400):
        pieces = grown(pieces, np.full(4, rate), slowing, capacity, days * 1440 / 2400)
    np.testing.assert_allclose(pieces, whole, rtol=1e-9)
    assert grown(np.array([5.0]), np.array([rate]), 0.0, 1.0, 4320.0)[0] == pytest.approx(10.0)


def test_draws_are_those_of_their_distributions():
    for u in (0.0, 1e-9, 0.03, 0.5, 0.97, 1.0 - 1e-9):
        for mean in (1e-6, 0.2, 3.0, 50.0, 4e4):
            assert poisson(u, mean) == max(stats.poisson.ppf(u, mean), 0), (u, mean)
        for count, share in ((1, 0.5), (10, 0.01), (1000, 0.3), (3, 1.0 - 1e-9)):
            assert binomial(u, count, share) == max(stats.binom.ppf(u, count, share), 0), (u, count, share)


def test_what_waits_is_counted_as_often_as_the_lesion_has_such_pieces():
    process, tissue = Metastasis(6.0, BOTH, represents=1000.0, broken=0.0, efficiency=0.0), patient()
    tissue.metastasis.leave(2, [3, 4], 5)
    fire(process, tissue, dt=6.0)
    spread = tissue.metastasis
    by = math.exp(-6.0 * math.log(2.0) / 90.0), math.exp(-6.0 * math.log(2.0) / 30.0)
    np.testing.assert_allclose(spread.blood, [2000 * by[0], 2000 * by[1], 7000 * by[1]], rtol=1e-12)
    assert spread.lymph[0] == pytest.approx(5000.0 * math.exp(-6.0 / 1080.0)) and not spread.waiting.any()
    assert spread.left.tolist() == [2, 2, 7, 5], "the tissue's own"


def test_seeds_are_poisson_and_sites_get_their_shares():
    sites = (Site("lung", 0.5), Site("liver", 0.3), Site("node", 0.6, by="lymph"))
    seeds = []
    for seed in range(300):
        process = Metastasis(6.0, sites, efficiency=1e-3, node_efficiency=1e-2, advantage=35.0, broken=0.25, wake=0.0)
        tissue = patient(sites)
        tissue.metastasis.leave(4000, [3] * 400, 1000)
        for k in range(3):
            fire(process, tissue, dt=1e5, first=k, seed=seed)
        seeds.append(tissue.metastasis.dormant.copy())
    arrested, clusters = 4000 + 0.25 * 1200, 0.75 * 400
    mean = np.array([0.5, 0.3]) * 1e-3 * (arrested + 35.0 * clusters)
    mean = np.append(mean, 0.6 * 1e-2 * 1000)
    found = np.array(seeds)
    np.testing.assert_allclose(found.mean(axis=0), mean, atol=4 * np.sqrt(mean / 300).max())
    np.testing.assert_allclose(found.var(axis=0), mean, rtol=0.35)


def test_micrometastases_are_whole_until_they_wake_and_grow_from_one_cell():
    process = Metastasis(1440.0, (Site("lung", 1.0, doubling=1440.0),), efficiency=0.0, wake=0.1 / 1440.0, slowing=0.0)
    tissue = patient((Site("lung", 1.0),))
    spread = tissue.metastasis
    spread.dormant[0] = 10_000
    for k in range(10):
        fire(process, tissue, dt=1440.0, first=k)
    assert spread.dormant[0] + spread.number.sum() == 10_000
    assert abs(spread.dormant[0] - 10_000 * math.exp(-1.0)) < 4 * math.sqrt(10_000 * 0.37 * 0.63)
    np.testing.assert_allclose(spread.size, 2.0 ** np.arange(9, -1, -1), rtol=1e-9)
    assert spread.summary()["metastasis.lung.cells"][0] == pytest.approx((spread.number * spread.size).sum())


def test_a_restart_in_the_middle_changes_nothing():
    def run(stop):
        process, tissue = Metastasis(6.0, BOTH, represents=1e4, wake=0.01), patient()
        for k in range(60):
            if k == stop:
                kept = {name: a.copy() for name, a in tissue.metastasis.arrays().items()}
                tissue.metastasis = Spread(["lung", "liver"])
                tissue.metastasis.restore(kept)
            tissue.metastasis.leave(k % 3, [2] * (k % 2), k % 5)
            fire(process, tissue, dt=6.0, first=k)
        return [a.tolist() for a in tissue.metastasis.arrays().values()]

    assert run(-1) == run(30) and sum(run(-1)[-2]) > 0


def test_a_published_cascade_is_a_limit_case():
    """Eight normal and two ruptured vessels; 180 steps in blood; survival 5e-4 alone and 0.025 in a cluster, half of
    which break up; sites 0.75 and 0.25; doubling in 3,000 and 2,000 steps up to 4 cells in a place."""
    vessels = Vessels.empty()
    for k in range(10):  # who is ruptured has no membrane
        ruptured = k in (3, 7)
        column(
            vessels, -150 + 60 * (k % 5), 80 * (k // 5), radius=5.0, membrane=0.0 if ruptured else 1.0, permeability=1.0
        )
    process = Intravasation(1.0, rate=0.02, cluster=0.0)
    tissue = bathed(process, Death(1.0), Volume(1.0), vessels=vessels)
    tissue.metastasis = Spread(["one", "two"])
    tissue.population.register(process.events)
    rng = np.random.default_rng(1)
    add_cells(tissue, np.column_stack([rng.uniform(-190, 190, (2500, 2)), np.zeros(2500)]))
    near = process.into_blood(tissue, np.arange(2500)) > 0
    place = tissue.cells.position[:, :2]
    far = np.min([np.hypot(*(place - p).T) for p in ((30.0, 0.0), (-30.0, 80.0))], axis=0)
    assert near.any() and far[near].max() < 25.0, "cells leave by the ruptured vessels alone"
    for k in range(180):
        fire(process, tissue, dt=1.0, first=k)
        tissue.population.apply(tissue)
    share, left = 1.0 - math.exp(-0.01 * 180.0), tissue.metastasis.left[0]
    assert abs(left - share * near.sum()) < 4 * math.sqrt(share * (1.0 - share) * near.sum())

    # survival alone: exp(-180 a) = 5e-4; of clusters exp(-180 l) = 0.025
    alone, together = math.log(2000.0) / 180.0, math.log(40.0) / 180.0
    after, _ = circulated(np.array([1e6, 0.0, 0.0]), alone, together, 0.5, 180.0)
    assert after[0] == pytest.approx(500.0, rel=1e-9)
    after, arrested = circulated(np.array([0.0, 1e4, 2e4]), alone, together, 0.5, 180.0)
    assert after[1] == pytest.approx(250.0, rel=1e-9) and arrested[1] == pytest.approx(0.5 * 9750.0, rel=1e-9)

    # arrested ones survive as they would have: 5e-4, and 50 times that in a cluster; half of the clusters break up
    numbers = {
        "half_life": math.log(2.0) / alone, "cluster_half_life": math.log(2.0) / together, "broken": 0.5,
        "efficiency": 5e-4, "advantage": 0.025 / 5e-4, "wake": 0.0,
    }  # fmt: skip
    single, clusters = 200_000, 20_000
    spread = patient()
    spread.metastasis.leave(single, [2] * clusters, 0)
    cascade = Metastasis(1.0, BOTH, **numbers)
    for k in range(3000):
        fire(cascade, spread, dt=1.0, first=k)
    seeds = spread.metastasis.dormant
    expected = single * 5e-4 + clusters * (0.5 * 0.025 + 0.5 * 2 * 5e-4)
    assert abs(seeds.sum() - expected) < 4 * math.sqrt(expected)
    assert abs(seeds[0] - 0.75 * seeds.sum()) < 4 * math.sqrt(0.75 * 0.25 * seeds.sum())

    # what grows doubles in 3,000 and 2,000 steps, and stops at the 4 cells that a place holds
    rate = math.log(2.0) / np.array([3000.0, 2000.0])
    np.testing.assert_allclose(grown(np.ones(2), rate, 0.0, 4.0, 6000.0), [4.0, 8.0], rtol=1e-12)
    np.testing.assert_allclose(grown(np.ones(2), rate, 1.0, 4.0, 1e5), 4.0, rtol=1e-6)
