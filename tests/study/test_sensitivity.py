"""Elementary effects: those of a known function, and of a small model whose numbers do what they say."""

import numpy as np
import pytest

pytest.importorskip("SALib")

from oncarium.errors import InputError, ModelError
from oncarium.model.model import EXAMPLE, Model
from oncarium.study import sensitivity

READOUTS = [{"measure": "count", "of": "tumor"}, {"measure": "factor", "name": "oxygen", "called": "mean oxygen"}]
NUMBERS = [
    sensitivity.Uncertain("division", ("cells.tumor.cycle.exit",), "0.0005 1/min", "0.004 1/min"),
    sensitivity.Uncertain("oxygen outside", ("factors.oxygen.boundary",), "20 mmHg", "40 mmHg"),
]


def test_the_numbers_of_the_library_belong_to_the_reference():
    numbers, readouts = sensitivity.uncertain()
    model = Model.load("reference")
    assert len(numbers) == 31 and len(readouts) >= 5
    numbers = [n.of(model) for n in numbers]
    ends = [{k: v for n in numbers for k, v in n.changes(x).items()} for x in (0.0, 1.0)]
    low, own, high = (
        {told.path: told.quantity.value for told in m.sources().numbers}
        for m in (sensitivity.changed(model, ends[0]), model, sensitivity.changed(model, ends[1]))
    )
    for path in (p for n in numbers for p in n.paths):
        assert low[path] * 0.9999 <= own[path] <= high[path] * 1.0001 and low[path] < high[path], path
    # all of one pathway share one end
    shared = [f"cells.tumor_macrophage: {signal} on polarization.rise, to" for signal in ("il10", "tgfb", "il6")]
    assert len({high[path] for path in shared}) == 1 and high[shared[0]] > own[shared[0]]


def test_ranges_are_those_of_the_model():
    said = EXAMPLE.replace("0.04 1/h assumed", "0.04 1/h assumed 0.02..0.16").replace(
        "38 mmHg assumed", "38 mmHg assumed 0..60"
    )
    model = Model.from_text(said)
    division = sensitivity.Uncertain("division", ("cells.tumor.cycle.exit",)).of(model)
    assert division.changes(0.5) == {
        "cells.tumor.cycle.exit": "0.000942809 1/min assumed"
    }  # geometric middle, 0.0566 1/h
    outside = sensitivity.Uncertain("oxygen outside", ("factors.oxygen.boundary",)).of(model)
    assert outside.changes(0.5) == {"factors.oxygen.boundary": "30 mmHg assumed"}  # from 0 on, evenly
    assert NUMBERS[0].of(model) == NUMBERS[0]  # a range of its own counts
    half = sensitivity.Uncertain("x", ("cells.tumor: oxygen on death.necrosis, haf",))
    with pytest.raises(InputError, match="no such number.*half"):
        half.of(model)
    with pytest.raises(InputError, match="says no range"):
        sensitivity.Uncertain("decay", ("factors.oxygen.decay",)).of(model)


def test_influence_beside_grade():
    import pandas as pd

    rows = [("a", "x", 0.1, 0.0), ("b", "x", 0.5, 0.1), ("a", "y", 0.7, 0.2), ("gone", "y", 0.9, 0.2)]
    table = pd.DataFrame(rows, columns=["number", "readout", "mu_star", "chance"])
    numbers = [
        sensitivity.Uncertain("a", ("cells.tumor.cycle.exit",)),
        sensitivity.Uncertain("b", ("factors.oxygen.decay",)),
    ]
    found = sensitivity.ranking(Model.from_text(EXAMPLE), table, numbers)
    assert list(found["number"]) == ["a", "b"] and list(found["readout"]) == ["y", "x"] and set(found["grade"]) == {"A"}


def test_what_is_wrong_in_a_file_is_named(tmp_path):
    file = tmp_path / "u.yaml"
    file.write_text(
        "numbers:\n  a: {path: x, range: [2 um, 1 um]}\n  b: {range: [1 um, 2 um]}\nreadouts: [{measure: cuont}]\n"
    )
    with pytest.raises(ModelError) as said:
        sensitivity.uncertain(file)
    assert [p.path for p in said.value.problems] == ["numbers.a", "numbers.b", "readouts.0"] and "u.yaml:2" in str(
        said.value
    )


def test_effects_of_a_small_model(tmp_path):
    seen = []
    table = sensitivity.morris(
        Model.from_text(EXAMPLE),
        NUMBERS,
        READOUTS,
        tmp_path,
        trajectories=2,
        until="6 h",
        repeats=2,
        workers=1,
        see=lambda *x: seen.append(x),
    )
    assert seen[-1] == (8, 8) and len(list(tmp_path.iterdir())) <= 8
    assert (
        list(table["readout"]) == ["count tumor"] * 2 + ["mean oxygen"] * 2
        and list(table["number"]) == ["division", "oxygen outside"] * 2
    )
    effect = table.set_index(["readout", "number"])["mu_star"]
    assert effect["count tumor", "division"] > 0.5 > effect["count tumor", "oxygen outside"]
    # a doubling, about as a share of its mean
    assert effect["mean oxygen", "oxygen outside"] == pytest.approx(np.log(2.0), rel=0.25)
    figure = sensitivity.figure(table)
    assert len(figure.axes) == 2 and [t.get_text() for t in figure.axes[0].get_yticklabels()] == [
        "oxygen outside",
        "division",
    ]


def test_a_run_that_fails_is_named(tmp_path, monkeypatch):
    from oncarium.errors import OncariumError
    from oncarium.study import ensemble

    monkeypatch.setattr(ensemble, "perform", lambda task, folder: "burned")
    with pytest.raises(OncariumError, match="runs failed, the first with: burned"):
        sensitivity.morris(
            Model.from_text(EXAMPLE), NUMBERS, READOUTS, tmp_path, trajectories=1, until="1 min", repeats=1, workers=1
        )


def test_shares_of_variance_of_a_known_function(tmp_path, monkeypatch):
    """y = 4 x1 + 2 x2 + x3 of uniform x: shares 16, 4 and 1 of 21, and nothing by interaction."""
    numbers = [sensitivity.Uncertain(n, (n,), "1 um", "2 um") for n in "abc"]

    def measured(model, numbers, points, *_):
        value = points @ np.array([4.0, 2.0, 1.0])
        return [(value / value.mean(), np.empty(0), float(value.mean()))]

    monkeypatch.setattr(sensitivity, "_measured", measured)
    table = sensitivity.sobol(Model.from_text(EXAMPLE), numbers, READOUTS[:1], tmp_path, samples=256)
    assert table["first"].to_numpy() == pytest.approx(np.array([16.0, 4.0, 1.0]) / 21.0, abs=0.03)
    assert table["total"].to_numpy() == pytest.approx(np.array([16.0, 4.0, 1.0]) / 21.0, abs=0.03)
    assert "alone" in sensitivity.figure(table).get_supxlabel()


def test_shares_of_a_small_model(tmp_path):
    table = sensitivity.sobol(
        Model.from_text(EXAMPLE), NUMBERS, READOUTS[1:], tmp_path, samples=32, until="10 min", workers=1
    )
    share = table.set_index("number")["total"]
    assert share["oxygen outside"] > 0.7 > share["division"]
    with pytest.raises(InputError, match="no power of 2"):
        sensitivity.sobol(Model.from_text(EXAMPLE), NUMBERS, READOUTS, tmp_path, samples=10)
