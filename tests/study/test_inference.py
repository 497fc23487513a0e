"""Statistics of few pairs: against closed forms, published definitions written out anew, and simulation."""

import math

import numpy as np
import pytest
from scipy import optimize, special, stats

from oncarium.study.inference import (
    DIFFERENT,
    EQUIVALENT,
    LOOKS,
    OPEN,
    SPENT,
    Estimate,
    Prior,
    adjusted,
    equivalence,
    estimate,
    false_discovery,
    fit_prior,
    inverse_trigamma,
    level,
    will_settle,
    will_show,
)


def test_without_a_prior_it_is_the_paired_t_test():
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, 8), rng.normal(0.5, 1, 8)
    found, known = estimate(b - a), stats.ttest_rel(b, a, alternative="greater")
    assert found.p(1.0) == pytest.approx(known.pvalue, rel=1e-12) and found.df == 7
    low, high = known.confidence_interval(0.9)  # one-sided: the lower end of 80 %
    assert found.interval(0.8)[0] == pytest.approx(low) and high == math.inf
    assert found.p(-1.0) == pytest.approx(1.0 - known.pvalue)


def test_the_prior_solves_the_moments_of_log_variances():
    """By another way: the two equations of Smyth's section 6.2, given to a general solver."""
    rng = np.random.default_rng(2)
    d = np.repeat([2.0, 4.0], 40)
    s = 0.3 * rng.f(d, 3.0, 80)
    found = fit_prior(s, d)
    e = np.log(s) - special.digamma(d / 2) + np.log(d / 2)
    target = e.var(ddof=1) - special.polygamma(1, d / 2).mean()
    df = 2 * optimize.brentq(lambda x: special.polygamma(1, x) - target, 1e-3, 1e3, xtol=1e-12)
    assert found.df == pytest.approx(df, rel=1e-8)
    assert math.log(found.variance) == pytest.approx(e.mean() + special.digamma(df / 2) - math.log(df / 2), rel=1e-8)


def test_the_prior_finds_what_variances_were_drawn_from():
    rng = np.random.default_rng(3)
    s = 0.2 * rng.f(4.0, 6.0, 20_000)  # of a scaled inverse chi square with 6 degrees of freedom around 0.2
    found = fit_prior(s, np.full(len(s), 4.0))
    assert found.df == pytest.approx(6.0, rel=0.1) and found.variance == pytest.approx(0.2, rel=0.03)
    alike = fit_prior(0.2 * rng.chisquare(4.0, 2000) / 4.0 * 0.999, np.full(2000, 4.0))
    assert alike.df > 50 and alike.variance == pytest.approx(0.2, rel=0.05)
    assert fit_prior([0.1], [2]).df == 0.0 and fit_prior([0.0, math.nan, 0.2], [2, 2, 2]).df == 0.0


def test_a_moderated_error_by_hand():
    # variance of 1, 2, 3 is 1 with 2 df; (3 * 0.5 + 2 * 1) / 5 = 0.7, over 3 pairs
    found = estimate([1.0, 2.0, 3.0], Prior(0.5, 3.0))
    assert found.error == pytest.approx(math.sqrt(0.7 / 3)) and found.df == 5
    assert found.p(1.0) == pytest.approx(stats.t.sf(2.0 / math.sqrt(0.7 / 3), 5))
    assert estimate([1.0, 2.0, 3.0], Prior(0.5, math.inf, 12.0)).error == pytest.approx(math.sqrt(0.5 / 3))
    gone = estimate([1.0, math.nan, 3.0])
    assert gone.n == 2 and gone.value == 2.0
    assert estimate([]).n == 0 and math.isnan(estimate([math.nan]).value)
    assert estimate([0.0, 0.0, 0.0], Prior(0.5, 3.0)).same and not estimate([0.1, 0.1]).same


@pytest.mark.parametrize("x", [1e-6, 0.01, 0.5, 3.0, 100.0, 1e9])
def test_inverse_of_trigamma(x):
    assert special.polygamma(1, inverse_trigamma(x)) == pytest.approx(x, rel=1e-6)


def wrong(df, moderated, studies, family=40, effect=0.0, seed=5):
    """Share of effects that are shown at some look; variances are of an inverse chi square with df."""
    rng, shown = np.random.default_rng(seed), 0
    for _ in range(studies):
        s = df / rng.chisquare(df, family) if math.isfinite(df) else np.ones(family)
        y = rng.normal(effect, 1.0, (family, LOOKS[-1])) * np.sqrt(s)[:, None]
        done = np.zeros(family, bool)
        for n in LOOKS:
            v, mean = y[:, :n].var(axis=1, ddof=1), y[:, :n].mean(axis=1)
            prior = fit_prior(v, np.full(family, n - 1.0)) if moderated else Prior()
            endless = math.isinf(prior.df)
            shrunk = (
                prior.variance
                if endless
                else (prior.df * prior.variance * (prior.df > 0) + (n - 1) * v) / (prior.df + n - 1)
                if prior.df
                else v
            )
            dof = prior.most if endless else min(prior.df + n - 1, max(prior.most, n - 1))
            done |= stats.t.sf(mean / np.sqrt(shrunk / n), dof) < level(n)
        shown += int(done.sum())
    return shown / (studies * family)


@pytest.mark.parametrize("df, moderated", [(4.0, True), (math.inf, True), (4.0, False)])
def test_of_effects_that_are_not_there_at_most_a_fortieth_is_shown(df, moderated):
    found = wrong(df, moderated, studies=250)  # 10,000 effects: a standard error of 0.0015
    assert 0.010 < found < SPENT[-1] + 0.0015


def test_an_effect_of_one_standard_deviation_is_found():
    assert wrong(4.0, True, studies=20, effect=1.0) > 0.9


def test_looks_spend_what_they_may():
    assert [sum(level(n) for n in LOOKS[: k + 1]) for k in range(5)] == pytest.approx(SPENT)
    assert level(4) == level(3) and level(100) == level(20) and level(2) == 0.0
    p = [adjusted(level(n), n) for n in LOOKS]
    assert p == pytest.approx(SPENT), "who is shown only just at a look has just what was spent"
    assert adjusted(0.9, 20) > 0.9 and adjusted(1.0, 20) == 1.0 and adjusted(0.001, 2) == 1.0


def test_the_chance_to_show_an_effect_is_what_simulation_says():
    """The rest of the pairs drawn around what was seen, with its uncertainty."""
    found = Estimate(0.5, 1.0 / math.sqrt(5), 40.0, 5)
    rng = np.random.default_rng(7)
    one = found.error * math.sqrt(5) * np.sqrt(40.0 / rng.chisquare(40.0, 20_000))
    truth = rng.normal(found.value, one / math.sqrt(5))
    mean = (5 * found.value + 15 * rng.normal(truth, one / math.sqrt(15))) / 20
    drawn = (mean / (1.0 / math.sqrt(20)) > stats.norm.isf(level(20))).mean()
    assert will_show(found, 1.0, 20) == pytest.approx(drawn, abs=0.02)
    assert will_show(found, -1.0, 20) < 0.01 and will_show(Estimate(), 1.0, 20) == 0.0
    half = 1.684 / math.sqrt(20)
    settled = ((mean - half > 0.2) & (mean + half < 1.2)) | (mean + half < 0.2) | (mean - half > 1.2)
    assert will_settle(found, 0.2, 1.2, 20) == pytest.approx(settled.mean(), abs=0.02)


def test_equivalence_is_two_one_sided_tests():
    rng = np.random.default_rng(8)
    for mean in (0.0, 0.05, 0.1, 0.3, -0.3):
        found = estimate(rng.normal(mean, 0.06, 6))
        both = max(found.p(1.0, -0.1), found.p(-1.0, 0.1)) < 0.05
        assert (equivalence(found, 0.1) == EQUIVALENT) == both
        beyond = min(found.p(1.0, 0.1), found.p(-1.0, -0.1)) < 0.05
        assert (equivalence(found, 0.1) == DIFFERENT) == beyond
    assert equivalence(estimate([0.0, 0.0]), 0.1) == EQUIVALENT and equivalence(Estimate(), 0.1) == OPEN


def test_false_discovery_as_scipy_has_it():
    p = np.random.default_rng(9).random(50) ** 2
    assert false_discovery(p) == pytest.approx(stats.false_discovery_control(p))
    assert math.isnan(false_discovery([0.1, math.nan])[1]) and false_discovery([0.1, math.nan])[0] == 0.1
