"""Dose and response: known curves are found again, intervals cover, and what is no curve is told."""

import numpy as np
import pandas as pd
import pytest

import oncarium as oc

DOSES = [0.0, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0]


def table(half=2.0, power=1.5, start=400.0, end=50.0, seeds=1, noise=0.0, doses=DOSES, chance=1):
    random = np.random.default_rng(chance)
    rows = []
    for seed in range(1, seeds + 1):
        shift = noise * random.standard_normal()  # of a seed as a whole
        for d in doses:
            y = start + (end - start) * d**power / (half**power + d**power)
            rows.append({"seed": seed, "drug": d, "live": y + shift + noise * random.standard_normal()})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("half", [0.2, 2.0, 12.0])
@pytest.mark.parametrize("power", [0.7, 1.5, 4.0])
@pytest.mark.parametrize("ends", [(400.0, 50.0), (0.0, 1.0), (3.0, 900.0)])
def test_a_curve_without_noise_is_found_again(half, power, ends):
    found = oc.dose_response(table(half, power, *ends), "drug", "live")
    assert found.ec50[0] == pytest.approx(half, rel=1e-4) and found.hill[0] == pytest.approx(power, rel=1e-3)
    assert (found.start[0], found.end[0]) == pytest.approx(ends, rel=1e-3, abs=1e-3 * max(ends))
    assert np.isnan(found.ec50[1]) and "One seed: no interval." in str(found)


def test_intervals_over_seeds_cover_the_truth_about_as_often_as_they_say():
    hits = 0
    for chance in range(40):
        curve = oc.dose_response(table(seeds=8, noise=15.0, chance=chance), "drug", "live", resamples=120)
        hits += curve.ec50[1] <= 2.0 <= curve.ec50[2]
    assert 30 <= hits <= 40


def test_the_same_table_gives_the_same_numbers_in_any_order_of_rows():
    rows = table(seeds=4, noise=10.0)
    one = oc.dose_response(rows, "drug", "live", resamples=50)
    two = oc.dose_response(rows.iloc[::-1].reset_index(drop=True), "drug", "live", resamples=50)
    assert one.ec50 == pytest.approx(two.ec50, rel=1e-6)


def test_a_curve_that_has_not_ended_is_told():
    found = oc.dose_response(table(half=20.0, doses=[0.0, 1.0, 3.0, 10.0]), "drug", "live")
    assert found.reached < 0.5 and "the curve's end is a guess" in str(found)


def test_the_figure_has_every_run_and_the_dose_of_half_the_effect():
    rows = table(seeds=3, noise=5.0)
    rows.attrs["units"] = {"drug": "uM"}
    curve = oc.dose_response(rows, "drug", "live", resamples=50)
    ax = oc.plot.dose_response(curve)
    assert ax.get_xlabel() == "drug (µM)" and len(ax.lines[2].get_xdata()) == len(rows)
    assert ax.lines[0].get_xdata()[0] == curve.ec50[0] and "3 seeds" in ax.get_legend().get_texts()[2].get_text()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.rename(columns={"drug": "drugs"}), "Did you mean 'drugs'"),
        (lambda t: t[t["drug"] < 0.5], "3 doses"),
        (lambda t: t.assign(live=3.0), "at every dose"),
        (lambda t: t.assign(drug=-t["drug"]), "Expected doses of 0 and more"),
        (lambda t: t.assign(live="many"), "no numbers"),
        (lambda t: t.assign(live=np.nan), "0 doses"),
    ],
)
def test_what_is_no_curve_is_told(change, told):
    with pytest.raises(oc.InputError, match=told):
        oc.dose_response(change(table()), "drug", "live")
