"""Curves of several runs: the drawn numbers are quantiles over seeds, and titles say how many there are."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.analysis.canvas import save
from oncarium.errors import InputError
from oncarium.model.model import EXAMPLE, Model

plot = oc.plot
MODEL = EXAMPLE.replace("  tumor:", "  immune: {motility: {speed: 0.5 um/min assumed}}\n  tumor:").replace(
    "initial:", "initial:\n  - {cells: immune, disc: {radius: 80 um}, count: 5}"
)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return oc.repeat(Model.from_text(MODEL), 5, "6 h", out=tmp_path_factory.mktemp("bands"), workers=1)


@pytest.fixture(scope="module")
def arms(results, tmp_path_factory):
    fast = Model.from_text(MODEL).with_({"name": "fast", "cells.tumor.cycle.exit": "0.2 1/h"})
    return oc.compare(results, fast, seeds=3, until="4 h", out=tmp_path_factory.mktemp("arms"), workers=1)


def edges(ax, k):
    """Lowest and highest y at each x of a band."""
    points = ax.collections[k].get_paths()[0].vertices
    return {
        x: (points[points[:, 0] == x, 1].min(), points[points[:, 0] == x, 1].max()) for x in np.unique(points[:, 0])
    }


@pytest.mark.parametrize("draw", [plot.growth, plot.composition, plot.deaths, plot.factors, plot.phases])
def test_titles_say_how_many_seeds(results, arms, draw, tmp_path):
    assert "5 seeds (median, 5-95 %)" in draw(results).get_title(loc="left")
    assert "3-5 seeds" in draw(arms).get_title(loc="left")
    assert "seed" not in draw(results[0]).get_title(loc="left")
    assert save(draw(arms), tmp_path / "a.png").stat().st_size > 5000


def test_growth_is_median_and_quantiles(results):
    ax = plot.growth(results)
    live = np.array([r.summary["live.tumor"] for r in results])
    k = [line.get_label() for line in ax.lines].index("tumor")
    assert np.allclose(ax.lines[k].get_ydata(), np.median(live, axis=0))
    low, high = np.quantile(live, [0.05, 0.95], axis=0)
    assert np.allclose(list(edges(ax, k).values()), np.stack([low, high], axis=1))
    assert ax.lines[k].get_color() == plot.color_of(results[0], "tumor")


def test_arms_have_styles_and_one_color_per_type(arms):
    ax = plot.growth(arms)
    by = {line.get_label(): (line.get_color(), line.get_linestyle()) for line in ax.lines}
    names = arms.arms
    assert by[f"tumor, {names[0]}"][0] == by[f"tumor, {names[1]}"][0] != by[f"immune, {names[0]}"][0]
    assert by[f"tumor, {names[0]}"][1] != by[f"tumor, {names[1]}"][1]
    assert [line.get_label() for line in plot.over_time(arms, "live.tumor").lines] == names


def test_a_column_over_time(results):
    one = results[0]
    ax = plot.over_time(one, "sense.factor.oxygen", of="tumor")
    rows = [one.cells(t) for t in one.times]
    values = [r[(r["type"] == "tumor") & (r["vital"] == 0)]["sense.factor.oxygen"].astype(float) for r in rows]
    assert np.allclose(ax.lines[0].get_ydata(), [v.median() for v in values])
    assert np.allclose(list(edges(ax, 0).values()), [v.quantile([0.05, 0.95]) for v in values])
    assert ax.get_ylabel() == "sense.factor.oxygen (mmHg)"
    several = plot.over_time(results, "radius")
    tumor = results[0].types.index("tumor")
    live = {(r, t): (r.array("type", t) == tumor) & (r.array("vital", t) == 0) for r in results for t in r.times}
    medians = [[np.median(r.array("radius", t)[live[r, t]]) for t in r.times] for r in results]
    k = [line.get_label() for line in several.lines].index("tumor")
    assert np.allclose(several.lines[k].get_ydata(), np.median(medians, axis=0), rtol=1e-6)


def test_what_is_not_there_is_told(results):
    for what, said in (("live.tumr", "Did you mean 'live.tumor'"), ("hypoxia.level", "neither a series")):
        with pytest.raises(InputError, match=said):
            plot.over_time(results, what)
    with pytest.raises(InputError, match="Did you mean 'tumor'"):
        plot.over_time(results, "radius", of="tumr")
