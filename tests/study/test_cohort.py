"""Virtual patients: distributions and weights against closed forms; what is refused."""

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from oncarium.errors import InputError, ModelError
from oncarium.study.cohort import Cohort, control_of, frame, read_cohort, read_screen
from oncarium.study.distributions import read_distribution
from oncarium.study.weighting import distance, weigh
from oncarium.units import UnitError

SHARES = np.array([0.001, 0.05, 0.3, 0.5, 0.77, 0.95, 0.999])


@pytest.mark.parametrize(
    "text, expected",
    [
        ("uniform 1..4 um", stats.uniform(1, 3)),
        ("log-uniform 0.01..10", stats.loguniform(0.01, 10)),
        ("triangular 1..3..9", stats.triang(0.25, 1, 8)),
        ("triangular 1..1..9", stats.triang(0.0, 1, 8)),
        ("triangular 1..9..9", stats.triang(1.0, 1, 8)),
        ("normal 5 um sd 2", stats.norm(5, 2)),
        ("normal -5 sd 2 um", stats.norm(-5, 2)),
        ("log-normal 5 nM sd 0.3", stats.lognorm(0.3, scale=5)),
        ("normal 5 sd 2 within 3..6", stats.truncnorm(-1, 0.5, 5, 2)),
    ],
)
def test_quantiles_are_those_of_scipy(text, expected):
    assert read_distribution(text).quantile(SHARES) == pytest.approx(expected.ppf(SHARES), rel=1e-9)


def test_nine_of_ten_lie_within_a_range():
    assert read_distribution("range 2..8 um").quantile([0.05, 0.5, 0.95]) == pytest.approx([2, 4, 8])
    assert read_distribution("range -2..8 um").quantile([0.05, 0.5, 0.95]) == pytest.approx([-2, 3, 8])
    assert read_distribution("fixed 3 um").quantile([0.1, 0.9]).tolist() == [3.0, 3.0]
    assert read_distribution("log-normal 5 sd 0.3 within 0..6").quantile(1.0) == pytest.approx(6.0)


@pytest.mark.parametrize(
    "text, said",
    [
        ("unifrom 1..4", "Did you mean 'uniform'?"),
        ("uniform 4..1", "does not rise"),
        ("uniform 1..1", "does not rise"),
        ("uniform 1", "is no uniform distribution"),
        ("uniform 1..2..3", "is no uniform distribution"),
        ("normal 5", "is no normal distribution"),
        ("normal 5 sd 0", "out of range"),
        ("normal 5 sd -1", "out of range"),
        ("log-normal 0 sd 1", "has no logarithm"),
        ("log-uniform -1..3", "has no logarithm"),
        ("triangular 1..9..3", "does not rise"),
        ("normal 5 sd 1 within 9..3", "holds nothing"),
        ("normal 5 sd 1 within 50..60", "holds hardly anything"),
        ("normal inf sd 1", "is no normal distribution"),
        ("", "no distribution is called ''"),
    ],
)
def test_distributions_that_cannot_be_are_refused(text, said):
    with pytest.raises(UnitError) as raised:
        read_distribution(text)
    assert said in str(raised.value)


COHORT = {
    "model": "spheroid",
    "seed": "3",
    "numbers": {
        "apoptosis": {"path": "cells.tumor.death.apoptosis", "as": "log-normal 0.00005 1/min sd 0.5"},
        "cells.tumor.mechanics.repulsion": "uniform 5..15 um/min",
    },
    "correlations": ["apoptosis with cells.tumor.mechanics.repulsion = 0.6"],
    "archetypes": {
        "plain": {"share": "0.25"},
        "stiff": {"share": "0.75", "numbers": {"cells.tumor.mechanics.repulsion": "fixed 20 um/min"}},
    },
    "screens": ["0 < growth < 0.2"],
}


def test_patients_have_their_distributions_shares_and_correlations():
    table = frame(
        read_cohort({**COHORT, "archetypes": {"a": {"share": "0.25"}, "b": {"share": "0.75"}}}).patients(2000)
    )
    x, y = np.log(table["apoptosis"] / 5e-5) / 0.5, ndtri((table["cells.tumor.mechanics.repulsion"] - 5.0) / 10.0)
    assert stats.kstest(x, "norm").pvalue > 0.01 and stats.kstest(y, "norm").pvalue > 0.01
    assert np.corrcoef(x, y)[0, 1] == pytest.approx(0.6, abs=0.05)
    assert (table["archetype"] == "b").mean() == pytest.approx(0.75, abs=0.04)


def test_a_larger_cohort_has_the_same_first_patients_and_seeds_are_apart():
    cohort = read_cohort(COHORT)
    few, many = cohort.patients(5), cohort.patients(40)
    assert many[:5] == few and cohort.patients(3, first=3) == many[2:5]
    assert [p.seed for p in few] == [300_001, 300_002, 300_003, 300_004, 300_005]
    other = read_cohort({**COHORT, "seed": "4"}).patients(1)[0]
    assert other.seed != few[0].seed and other.values != few[0].values


def test_a_patient_is_a_model():
    cohort = read_cohort(COHORT).resolved()
    stiff = next(p for p in cohort.patients(20) if p.archetype == "stiff")
    model = stiff.load()
    assert model.numbers["cells.tumor.mechanics.repulsion"].value == 20.0
    assert model.numbers["cells.tumor.death.apoptosis"].value == pytest.approx(stiff.values["apoptosis"], rel=1e-8)


def test_the_range_that_a_model_says_is_looked_up():
    path = "cells.tumor.death.apoptosis"
    cohort = read_cohort({"model": "hypoxic_tumor", "numbers": {path: "range"}})
    with pytest.raises(InputError, match="was not looked up"):
        cohort.patients(1)
    with pytest.raises(ModelError, match="Did you mean"):
        read_cohort({"model": "spheroid", "numbers": {"cells.tumor.death.apoptosi": "range"}}).resolved()
    with pytest.raises(ModelError, match="archetype all"):
        read_cohort({"model": "spheroid", "numbers": {"cells.tumor.death.apoptosi": "uniform 1..2 1/min"}}).resolved()


@pytest.mark.parametrize(
    "change, said",
    [
        ({"numbers": {"a": "uniform 2..1"}}, "does not rise"),
        ({"numbers": {f"n{k}": "uniform 1..2" for k in range(21)}}, "at most 20"),
        ({"numbres": {}}, "Did you mean 'numbers'?"),
        ({"correlations": ["apoptosis with repulsion = 2"]}, "is no correlation"),
        ({"correlations": ["apoptosis with repulsoin = 0.5"]}, "does not vary in this cohort"),
        ({"archetypes": {"a": {"share": "-1"}}}, "out of range"),
        ({"archetypes": {"a": {"share": "0"}}}, "no archetype has a share above 0"),
        ({"archetypes": {"a": {"numbers": {"apoptosi": "fixed 3"}}}}, "Did you mean 'apoptosis'?"),
        ({"screens": ["growth"]}, "is no screen"),
        ({"screens": ["3 < growth < 2"]}, "lets nobody pass"),
        ({"seed": "x"}, "is not a number"),
    ],
)
def test_cohorts_that_cannot_be_are_refused(change, said):
    with pytest.raises(ModelError) as raised:
        read_cohort({**COHORT, "correlations": [], **change})
    assert said in str(raised.value)


def test_all_problems_of_a_file_at_once_with_their_lines(tmp_path):
    (tmp_path / "c.yaml").write_text(
        "model: spheroid\nnumbers:\n  a: uniform 2..1\n  b: nromal 2 sd 1\nscreens: [growth]\n"
    )
    with pytest.raises(ModelError) as raised:
        read_cohort(tmp_path / "c.yaml")
    assert [p.where.rpartition(":")[2] for p in raised.value.problems] == ["3", "4", "5"]


def test_correlations_that_no_numbers_can_have_are_refused():
    numbers = {k: "uniform 1..2" for k in "abc"}
    with pytest.raises(ModelError, match="all these correlations at once"):
        read_cohort({"numbers": numbers, "correlations": ["a with b = 0.9", "b with c = 0.9", "a with c = -0.9"]})


def test_screens_count_whom_they_refuse():
    cohort = Cohort({}, (), screens=(read_screen("1 < g < 3"), read_screen("n > 5")))
    kept, refused = cohort.screened({"g": [0.0, 2.0, 2.0, math.nan], "n": [9.0, 9.0, 1.0, 9.0]})
    assert kept.tolist() == [False, True, False, False] and refused == {"1 < g < 3": 2, "n > 5": 1}
    with pytest.raises(InputError, match="no patient is plausible"):
        cohort.screened({"g": [0.0], "n": [9.0]})
    with pytest.raises(InputError, match="Did you mean 'nn'"):
        cohort.screened({"g": [2.0], "nn": [9.0]})


def test_weights_of_largest_entropy_are_exponential():
    """One mean: weights are exp(l x), with the l of the closed form for values 0 and 1; ditto on many normal ones."""
    x = np.array([0.0] * 60 + [1.0] * 40)
    found = weigh({"x": x}, ["mean of x = 0.5"])
    assert found.weights[0] == pytest.approx(0.5 / 60) and found.weights[-1] == pytest.approx(0.5 / 40)
    assert found.size == pytest.approx(1.0 / (60 * (0.5 / 60) ** 2 + 40 * (0.5 / 40) ** 2))
    z = ndtri((np.arange(4000) + 0.5) / 4000)
    tilted = weigh({"z": z}, ["mean of z = 0.4"], ["median of z = 0.4"])
    assert np.polyfit(z, np.log(tilted.weights), 1)[0] == pytest.approx(0.4, rel=2e-3)  # a normal moved by 0.4
    assert tilted.told["mean of z = 0.4"][1] == pytest.approx(0.4)
    assert tilted.held_out["median of z = 0.4"] == pytest.approx((0.5, 0.5), abs=2e-3)
    assert tilted.size == pytest.approx(4000 * math.exp(-(0.4**2)), rel=0.01)


def test_no_summary_leaves_all_alike_and_shares_are_met():
    x = np.arange(100.0)
    even = weigh({"x": x}, [])
    assert even.weights == pytest.approx(np.full(100, 0.01)) and even.size == pytest.approx(100.0)
    found = weigh(
        {"x": x}, ["share of x > 79.5 = 0.5", "median of x = 79.5"], observed={"x": [*range(80), *range(80, 100)]}
    )
    assert found.weights[:80].sum() == pytest.approx(0.5) and found.worst == pytest.approx(0.3)
    spread = weigh({"x": x}, ["mean of x = 60", "sd of x = 20"])
    w = spread.weights
    assert [w @ x, math.sqrt(w @ (x - w @ x) ** 2)] == pytest.approx([60.0, 20.0])


def test_a_soft_summary_is_met_half_way():
    """For values -1 and 1 and a mean with an error: the weights minimise entropy's loss + (miss / error)^2 / 2."""
    x = np.array([-1.0, 1.0] * 50)
    m = weigh({"x": x}, ["mean of x = 0.9 +- 0.5"]).told["mean of x = 0.9 +- 0.5"][1]
    assert math.atanh(m) == pytest.approx((0.9 - m) / 0.25, rel=1e-6)  # d/dm of both terms


def test_distances_are_kolmogorov_smirnov():
    random = np.random.default_rng(5)
    a, b = random.normal(size=60), random.normal(0.5, 1.0, size=45)
    assert distance(a, np.full(60, 1 / 60), b) == pytest.approx(stats.ks_2samp(a, b).statistic)


@pytest.mark.parametrize(
    "summaries, kind, said",
    [
        (["mean of x = 200"], InputError, "no weights of these patients have all summaries"),
        (["mean of x = 98.9"], InputError, "fewer than 10"),
        (["mean of x = 20", "share of x > 90 = 0.9"], InputError, "no weights of these patients"),
        (["mean of y = 2"], ModelError, "no read-out is called 'y'"),
        (["mena of x = 2"], ModelError, "is no summary"),
        (["sd of x = 2"], ModelError, "needs the mean of x, too"),
        (["share of x < 2 = 2"], ModelError, "a share lies between 0 and 1"),
        (["share of x = 0.2"], ModelError, "is no summary"),
        (["mean of broken = 2"], ModelError, "1 patients have no broken"),
    ],
)
def test_cohorts_that_cannot_be_weighted_are_refused(summaries, kind, said):
    x = np.arange(100.0)
    with pytest.raises(kind, match=said):
        weigh({"x": x, "broken": np.where(x == 3.0, np.nan, x)}, summaries)


def test_a_trial_needs_a_control():
    assert control_of({"a": ["x 5 mg"], "control": ["y 5 mg"]}) == "control"
    assert control_of({"a": ["x 5 mg"], "none": []}) == "none"
    assert control_of({"a": ["x 5 mg"], "b": ["y 5 mg"]}, "b") == "b"
    for arms, control, said in (
        ({"a": []}, None, "none to compare it with"),
        ({"a": ["x 5 mg"], "b": ["y 5 mg"]}, None, "none of a, b is said to be the control"),
        ({"arm a": [], "b": []}, "arm A", "Did you mean 'arm a'?"),
    ):
        with pytest.raises(InputError, match=said.replace("?", r"\?")):
            control_of(arms, control)
