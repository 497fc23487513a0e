"""Rules to stop by: read and refused, followed frame by frame, and the same after any restart."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import ModelError
from oncarium.model.model import EXAMPLE, Model
from oncarium.model.stop import StopRule, StopWatch, summary_units

RULE = "live.tumor > 22"


@pytest.fixture(scope="module")
def free(tmp_path_factory):
    """The same run without rules."""
    return oc.run(Model.from_text(EXAMPLE), "12 h", 1, out=tmp_path_factory.mktemp("free"))


def test_it_ends_at_the_first_frame_that_fulfils_the_rule(free, tmp_path):
    result = oc.run(Model.from_text(EXAMPLE), "12 h", 1, out=tmp_path / "run", stop_when=RULE)
    live = free.summary["live.tumor"]
    assert result.times[-1] == live.index[live > 22][0] < free.times[-1]
    assert result.finished and result.stopped == RULE and result.until == 720.0 and f"stopped: {RULE}" in str(result)
    assert np.array_equal(result.summary["live.tumor"], live.loc[: result.times[-1]])


def test_a_rule_that_never_holds_changes_no_number(free, tmp_path):
    result = oc.run(Model.from_text(EXAMPLE), "12 h", 1, out=tmp_path / "run", stop_when="live.tumor > 1e6")
    assert result.digest == free.digest and result.finished and not result.stopped


@pytest.mark.parametrize("cut", [40, 130, 235])
def test_what_has_held_for_a_time_is_known_after_a_restart(tmp_path, cut):
    """Cut off before, within and near the end of the four hours for which the rule must hold."""
    model = Model.from_text(EXAMPLE + "record: {cells: 30 min, checkpoint: 1 h}\nstop_when: live.tumor >= 20 for 4 h\n")
    whole = oc.run(model, "12 h", 1, out=tmp_path / "whole")
    part = oc.run(model, "12 h", 1, out=tmp_path / "part", see=lambda s: s.time >= cut)
    assert not part.finished and not part.stopped and whole.times[-1] == 240.0
    again = oc.resume(tmp_path / "part")
    assert again.digest == whole.digest and again.stopped == whole.stopped and again.times[-1] == 240.0
    assert oc.resume(tmp_path / "part", "1 day").times[-1] == 240.0  # as if it had been asked for at once


def test_streaks_and_the_start():
    rule = StopRule("x", "<", 1.0, 20.0, "x < 1 for 20 min")
    for values, tick in (([0, 0, 0], 2), ([0, 1, 0, 0, 0], 4), ([1, 0, 0], -1), ([0], -1)):
        watch = StopWatch([rule])
        for k, value in enumerate(values):
            watch.see(k, 10.0 * k, {"x": float(value)})
        assert watch.tick == tick
    at_once = StopWatch([StopRule("x", ">=", 0.0, 0.0, "now")])
    at_once.see(0, 0.0, {"x": 1.0})
    assert at_once.tick == -1  # time 0 ends no run


def test_everything_wrong_is_told_at_once():
    rules = ["live.tumr > 3", "mean.oxygen < 3 nM", "foo", "live.tumor > 3 for soon", "live.tumor >> 3"]
    with pytest.raises(ModelError) as told:
        Model.from_text(EXAMPLE + f"stop_when: {rules}\n")
    text = str(told.value)
    assert len(told.value.problems) == 5
    assert "Did you mean 'live.tumor'?" in text and "cannot be converted to mmHg" in text and "'soon'" in text
    assert "live.tumor > 5000" in text and "model:14" in text


@pytest.mark.parametrize("given", ["[[1]]", "{a: 1}", "[3]", '""', "[null]"])
def test_what_is_no_rule_is_refused(given):
    with pytest.raises(ModelError):
        Model.from_text(EXAMPLE + f"stop_when: {given}\n")


def test_rules_are_part_of_the_model():
    plain, ruled = Model.from_text(EXAMPLE), Model.from_text(EXAMPLE + f"stop_when: {RULE}\n")
    assert plain.digest != ruled.digest and Model.from_text(ruled.to_yaml()) == ruled
    assert plain.diff(ruled) == [f"stop_when.0: (nothing) -> {RULE}"]
    assert ruled.diff(Model.from_text(EXAMPLE + "stop_when: [live.tumor > 22.0]\n")) == []
    assert f"or until {RULE}" in ruled.describe()


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["hypoxic_tumor", "reference"])
def test_names_are_those_of_the_summary(scenario, tmp_path):
    result = oc.run(scenario, 1, out=tmp_path)
    assert set(summary_units(oc.load(scenario))) == set(result.summary.columns)
    series = result.attrs["summary"]
    assert summary_units(oc.load(scenario)) == {f"{s}.{w}": u for s, of in series.items() for w, u in of.items()}
