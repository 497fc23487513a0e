"""The page of a sweep: the dose of half the effect where the runs determine it; what never changes is not drawn."""

import numpy as np
import pandas as pd
import pytest

import oncarium as oc
from oncarium.analysis.study_page import _halves
from oncarium.model.model import EXAMPLE, Model

DOSES = [0.0, 0.5, 1.0, 2.0, 5.0, 20.0]


def table(noise, end=20.0, doses=DOSES, half=2.0):
    chance = np.random.default_rng(1)
    rows = [
        (s, d, 100 + (end - 100) * d**2 / (half**2 + d**2) + noise * chance.normal()) for s in (1, 2, 3) for d in doses
    ]
    out = pd.DataFrame(rows, columns=["seed", "drug", "live"])
    out.attrs["units"] = {"drug": "uM"}
    return out


def test_a_half_is_found_with_its_unit():
    (curve,) = _halves(table(1.0), ["drug"], ["live"])
    assert curve.ec50[1] < 2.0 < curve.ec50[2] and "uM" in str(curve)


@pytest.mark.parametrize(
    "what",
    [table(1.0, end=100.0), table(0.0, end=100.0), table(1.0, half=200.0), table(1.0, doses=DOSES[:4])],
    ids=["noise", "flat", "beyond the doses", "few doses"],
)
def test_no_half_is_claimed_where_runs_do_not_determine_it(what):
    assert _halves(what, ["drug"], ["live"]) == []


def test_a_sweep_shows_it(tmp_path):
    rates = {"cells.tumor.cycle.exit": [f"{r} 1/h" for r in (0, 0.1, 0.2, 0.4, 0.8)]}
    model = Model.from_text(EXAMPLE.replace("  tumor:", "  idle: {}\n  tumor:"))
    results = oc.sweep(model, rates, 2, "3 h", out=tmp_path, workers=1)
    text = results.page.read_text()
    assert "live.idle at end" in text and "The same in every run, and not drawn: live.idle at end." in text
    curve = oc.dose_response(oc.responses(results), "cells.tumor.cycle.exit", "live.tumor at end")
    assert curve.unit == "1/h" and curve.seeds == 2
