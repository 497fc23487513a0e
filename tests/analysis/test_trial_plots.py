"""Figures of trials show what they were given."""

import math

import numpy as np
import pandas as pd
import pytest

from oncarium.analysis import plot
from oncarium.study.diagnostics import roc, wilson
from oncarium.study.survival import kaplan_meier
from oncarium.study.synergy import synergy


def texts(ax):
    return [t.get_text() for t in ax.texts]


def legend(ax):
    return [t.get_text() for t in ax.get_legend().get_texts()]


def test_survival_has_ticks_and_numbers_at_risk():
    curves = [kaplan_meier([3, 5, 8, 9], [1, 0, 1, 0], name="drug"), kaplan_meier([1, 2, 4], [1, 1, 1], name="control")]
    ax = plot.kaplan_meier(curves, said="hazard ratio 0.3")
    assert legend(ax) == ["drug (n 4, median 8)", "control (n 3, median 2)"]
    assert {"at risk", "drug", "control", "hazard ratio 0.3", "4", "3"} <= set(texts(ax))
    ticks = [line for line in ax.lines if line.get_marker() == "|"]
    assert ticks[0].get_xdata().tolist() == [5, 9] and ticks[0].get_ydata().tolist() == [0.75, 0.375]
    assert "not reached" in legend(plot.kaplan_meier([kaplan_meier([5.0], [0])]))[0]


def test_a_waterfall_falls_and_says_what_it_cuts_off():
    ax = plot.waterfall([10.0, -40.0, 150.0, float("nan")], ["SD", "PR", "PD", "NE"])
    assert [bar.get_height() for bar in ax.patches] == [100.0, 10.0, -40.0, 0.0]
    assert "150" in texts(ax) and {"+20 %", "-30 %"} <= set(texts(ax)) and legend(ax) == ["PR", "SD", "PD", "NE"]


def test_a_spider_leaves_out_what_was_not_evaluated():
    ax = plot.spider([[0, 42, 84]], [[0.0, float("nan"), -50.0]], ["PR"])
    assert ax.lines[0].get_xydata().tolist() == [[0, 0], [84, -50]]


def test_a_swimmer_has_the_longest_on_top():
    rows = [
        {"name": "a", "until": 50.0, "best": "PD", "progression": 50.0},
        {"name": "b", "until": 90.0, "best": "CR", "response": 42.0, "dosing": 60.0, "death": None},
    ]
    ax = plot.swimmer(rows)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]
    assert legend(ax) == ["response", "progression", "goes on", "CR", "PD"]


def test_a_forest_has_its_ratios_and_bounds():
    ax = plot.forest(
        [("high", (0.5, 0.3, 0.8), 50), ("all", (0.7, 0.001, math.inf), 100)], less="drug better", more="control better"
    )
    assert "0.50 (0.30 to 0.80)" in texts(ax) and "high (n 50)" in texts(ax) and "← drug better" in texts(ax)
    low, high = ax.get_xlim()
    assert 0.0 < low < 0.5 and 0.8 < high < 60.0


def test_a_predictive_check_has_the_percentiles_of_its_bins():
    t = np.repeat([1.0, 2.0], 50)
    y = np.concatenate([np.arange(50.0), 100.0 + np.arange(50.0)])
    ax = plot.vpc(t, y, np.tile(y, (20, 1)), bins=2)
    middle = next(line for line in ax.lines if line.get_label() == "median, observed")
    assert middle.get_ydata() == pytest.approx([24.5, 124.5])


def test_roc_power_and_synergy():
    ax = plot.roc({"CD8": roc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]), "PD-L1": roc([1.0, 2.0], [0, 1])})
    assert legend(ax)[0].startswith("CD8: 0.75 (") and legend(ax)[1] == "PD-L1: 1.00"
    ax = plot.power([20, 40], {"strong": [wilson(4, 20), wilson(9, 20)]})
    assert ax.lines[0].get_ydata().tolist() == [0.2, 0.45] and "80 %" in texts(ax)
    rows = [(s, a, b, 0.1 * (a > 0) * (b > 0)) for s in (1, 2) for a in (0, 1, 3) for b in (0, 1, 3)]
    figure = plot.synergy_map(synergy(pd.DataFrame(rows, columns=["seed", "a", "b", "e"]), "a", "b", "e", resamples=9))
    assert texts(figure.axes[0]).count("+0.10") == 4 and len(figure.axes[0].lines) == 4  # framed where 0 is left out
