"""Survival, shares, biomarkers and synergy, against lifelines and statsmodels on public data, and by hand."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu

from oncarium.errors import InputError
from oncarium.study.diagnostics import roc, wilson
from oncarium.study.survival import cox, kaplan_meier, logrank
from oncarium.study.synergy import Hill, fit_hill, loewe, synergy

DATA = Path(__file__).parents[1] / "data" / "survival"
EXPECTED = json.loads((DATA / "expected.json").read_text())
TABLES = {name: pd.read_csv(DATA / f"{name}.csv") for name in ("lung", "gbsg2", "rossi", "waltons")}
LUNG, ROSSI, WALTONS, GBSG = (TABLES[n] for n in ("lung", "rossi", "waltons", "gbsg2"))
CONTROL = WALTONS[WALTONS.group == "control"]
KM = {"lung sex 1": LUNG[LUNG.sex == 1], "lung sex 2": LUNG[LUNG.sex == 2], "waltons control": CONTROL}


@pytest.mark.parametrize("name", list(KM))
def test_kaplan_meier_is_that_of_lifelines(name):
    curve, expected = kaplan_meier(KM[name].time, KM[name].status), EXPECTED["km"][name]
    assert curve.times.tolist() == expected["times"] and curve.at_risk.tolist() == expected["at_risk"]
    assert curve.survival == pytest.approx(expected["survival"], rel=1e-9, abs=1e-12)
    inner = slice(1, -1)
    assert curve.low[inner] == pytest.approx(expected["low"][inner], rel=1e-8)
    assert curve.high[inner] == pytest.approx(expected["high"][inner], rel=1e-8)
    assert curve.median == tuple(expected["median"])


def test_kaplan_meier_by_hand():
    curve = kaplan_meier([6, 6, 6, 6, 7, 9, 10], [1, 1, 1, 0, 1, 0, 1])
    assert curve.at([0, 5.9, 6, 7, 9.5, 10]) == pytest.approx([1, 1, 4 / 7, 4 / 7 * 2 / 3, 4 / 7 * 2 / 3, 0])
    assert curve.error[2] == pytest.approx(4 / 7 * 2 / 3 * math.sqrt(3 / (7 * 4) + 1 / (3 * 2)))  # Greenwood
    assert curve.number_at_risk([0, 6, 6.5, 7, 8, 10, 11]).tolist() == [7, 7, 3, 3, 2, 1, 0]
    assert kaplan_meier([5.0, 8.0], [0, 0]).median == (math.inf,) * 3


@pytest.mark.parametrize("table, by", [("lung", "sex"), ("gbsg2", "tgrade"), ("waltons", "group")])
def test_logrank_is_that_of_lifelines(table, by):
    time, status, group = (TABLES[table][c] for c in ("time", "status", by))
    found, expected = logrank(time, status, group.tolist()), EXPECTED["logrank"][f"{table} {by}"]
    assert found.chi2 == pytest.approx(expected["chi2"], rel=1e-8) and found.p == pytest.approx(expected["p"], rel=1e-6)
    assert sum(found.observed.values()) == pytest.approx(sum(found.expected.values()))


def test_a_stratified_logrank_is_that_of_statsmodels():
    found = logrank(LUNG.time, LUNG.status, LUNG.sex.tolist(), (LUNG.age > 63).tolist())
    assert [found.chi2, found.p] == pytest.approx(EXPECTED["stratified"]["lung sex by age above 63"], rel=1e-8)


@pytest.mark.parametrize("name", list(EXPECTED["cox"]))
def test_cox_is_that_of_lifelines(name):
    expected = EXPECTED["cox"][name]
    table = TABLES[name.split()[0]]
    time, status = ("week", "arrest") if "week" in table else ("time", "status")
    strata = table.wexp.tolist() if "by" in name else None
    fit = cox(table[time], table[status], {n: table[n] for n in expected["names"]}, strata)
    assert fit.coefficients == pytest.approx(expected["coefficients"], rel=1e-6)
    assert fit.errors == pytest.approx(expected["errors"], rel=1e-6)
    assert fit.log_likelihood == pytest.approx(expected["log_likelihood"], rel=1e-8)
    for k, covariate in enumerate(expected["names"]):
        assert fit.hazard_ratio(covariate) == pytest.approx(
            [expected[x][k] for x in ("ratio", "low", "high")], rel=1e-6
        )
        assert fit.p(covariate) == pytest.approx(expected["p"][k], rel=1e-5)


@pytest.mark.parametrize("name", list(EXPECTED["breslow"]))
def test_ties_by_breslow_are_those_of_statsmodels(name):
    expected, table = EXPECTED["breslow"][name], TABLES[name]
    time, status = ("week", "arrest") if "week" in table else ("time", "status")
    fit = cox(table[time], table[status], {n: table[n] for n in expected["names"]}, ties="breslow")
    assert fit.coefficients == pytest.approx(expected["coefficients"], rel=1e-5)
    assert fit.errors == pytest.approx(expected["errors"], rel=1e-5)


@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: kaplan_meier([1, -2], [1, 1]), "-2 is no time"),
        (lambda: kaplan_meier([1, 2], [1, 2]), "2 is no event"),
        (lambda: kaplan_meier([], []), "0 times"),
        (lambda: kaplan_meier([1, math.nan], [1, 1]), "nan is no time"),
        (lambda: logrank([1, 2], [1, 1], ["a", "a"]), "one group"),
        (lambda: logrank([1, 2], [1, 1], ["a"]), "1 entries and 2 times"),
        (lambda: cox([1, 2], [1, 1], {"x": [1, 1]}), "the same for all"),
        (lambda: cox([1, 2], [0, 0], {"x": [0, 1]}), "none happened"),
        (lambda: cox([1, 2, 3, 4], [1, 1, 0, 0], {"x": [1, 1, 0, 0]}), "separates events completely"),
        (lambda: cox([1, 2, 3], [1, 1, 1], {"x": [1, 2, 1], "y": [2, 4, 2]}), "another covariate says the same"),
        (lambda: cox([1, 2], [1, 1], {"x": [0, 1]}, ties="exact"), "no way to count ties"),
        (lambda: wilson(3, 2), "3 of 2"),
        (lambda: wilson(0, 0), "0 of 0"),
        (lambda: roc([1, 2], [1, 1]), "2 responders and 0 others"),
        (lambda: roc([1, math.nan], [1, 0]), "finite numbers"),
    ],
)
def test_what_cannot_be_is_refused(call, said):
    with pytest.raises(InputError, match=said):
        call()


@pytest.mark.parametrize("k, n, low, high", EXPECTED["wilson"])
def test_wilson_is_that_of_statsmodels(k, n, low, high):
    assert wilson(k, n) == pytest.approx((k / n, low, high), abs=1e-9)


def test_the_area_under_a_curve_is_mann_whitney_and_its_error_delong():
    random = np.random.default_rng(2)
    marker = np.round(np.concatenate([random.normal(1.0, 1.0, 23), random.normal(0.0, 1.0, 31)]), 1)
    responded = np.array([1] * 23 + [0] * 31)
    found = roc(marker, responded)
    u = mannwhitneyu(marker[:23], marker[23:]).statistic
    assert found.area[0] == pytest.approx(u / (23 * 31))
    assert np.trapezoid(found.true, found.false) == pytest.approx(found.area[0])
    # DeLong by hand: placements (1, 1/2), (1, 0) of two responders; of two others (1, 1), (1/2, 0)
    small = roc([3.0, 2.0, 1.0, 2.0], [1, 1, 0, 0])
    assert small.area[0] == pytest.approx((1 + 1 + 1 + 0.5) / 4)
    assert small.error == pytest.approx(math.sqrt(np.var([1.0, 0.75], ddof=1) / 2 + np.var([1.0, 0.75], ddof=1) / 2))
    # and by a bootstrap of both groups
    draws = [
        roc(np.concatenate([random.choice(marker[:23], 23), random.choice(marker[23:], 31)]), responded).area[0]
        for _ in range(400)
    ]
    assert found.error == pytest.approx(np.std(draws), rel=0.15)


def grid(effect, seeds=(1, 2, 3), noise=0.0):
    random = np.random.default_rng(4)
    doses = (0.0, 0.5, 1.0, 2.0, 4.0)
    rows = [(s, a, b, min(effect(a, b) + noise * random.normal(), 1.0)) for s in seeds for a in doses for b in doses]
    return pd.DataFrame(rows, columns=["seed", "a", "b", "effect"])


def test_a_drug_with_itself_is_loewe_additive_and_independent_drugs_are_bliss():
    hill = Hill(0.9, 1.5, 2.0)
    own = synergy(grid(lambda a, b: hill.effect(a + b)), "a", "b", "effect", resamples=10)
    assert np.abs(own.excess["loewe"]).max() < 1e-5 and own.excess["bliss"].max() > 0.05
    other = synergy(grid(lambda a, b: 1 - 1 / (1 + a) / (1 + b / 3)), "a", "b", "effect", resamples=10)
    assert np.abs(other.excess["bliss"]).max() < 1e-12
    best = synergy(grid(lambda a, b: max(hill.effect(a), hill.effect(b))), "a", "b", "effect", resamples=10)
    assert np.abs(best.excess["hsa"]).max() < 1e-12 and best.overall["bliss"][0] < 0.0


def test_intervals_of_synergy_cover_what_is_true():
    found = synergy(grid(lambda a, b: 1 - 1 / (1 + a) / (1 + b), range(8), 0.03), "a", "b", "effect", resamples=200)
    mean, low, high = found.overall["bliss"]
    assert low < 0.0 < high or abs(mean) < 0.03
    assert (found.low["bliss"][1:, 1:] < found.high["bliss"][1:, 1:]).all() and found.seeds == 8
    assert math.isnan(synergy(grid(lambda a, b: 0.1, (1,)), "a", "b", "effect").overall["hsa"][1])


def test_hill_curves_are_found_again():
    doses = np.array([0.0, 0.3, 1.0, 3.0, 10.0, 30.0])
    for true in (Hill(0.8, 2.0, 1.5), Hill(0.4, 5.0, 3.0)):
        fit = fit_hill(doses, np.array([true.effect(d) for d in doses]))
        assert (fit.most, fit.half, fit.power) == pytest.approx((true.most, true.half, true.power), rel=1e-3)
    strong, weak = Hill(0.9, 1.0, 1.0), Hill(0.2, 1.0, 1.0)
    assert loewe(strong, weak, 4.0, 1.0) >= strong.effect(4.0) - 1e-9  # beyond what the weak one can do


@pytest.mark.parametrize(
    "table, said",
    [
        (lambda: grid(lambda a, b: 0.1).drop(index=3), "1 runs are missing"),
        (lambda: grid(lambda a, b: 7.0 * (a > 0)).assign(effect=7.0), "beyond 0 to 1"),
        (lambda: grid(lambda a, b: 0.1).query("a > 0"), "expected 0 and two or more"),
        (lambda: grid(lambda a, b: 0.1).rename(columns={"a": "aa"}), "Did you mean 'aa'"),
    ],
)
def test_tables_of_pairs_that_cannot_be_used_are_refused(table, said):
    with pytest.raises(InputError, match=said):
        synergy(table(), "a", "b", "effect")
