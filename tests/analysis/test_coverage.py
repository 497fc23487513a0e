"""Whether the usual dose of every drug of the library reaches what it acts on; those that cannot, and why."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.analysis.plasma import coverage, levels
from oncarium.analysis.readout import read_out
from oncarium.errors import InputError
from oncarium.model.drug import drugs

SHORT = {  # covers less than half of it on average, between the last two doses, in plasma
    ("doxorubicin", "damage.rate"): "acts for hours after each dose",
    ("evofosfamide", "damage.rate"): "acts for hours after each dose",
    ("gemcitabine", "damage.rate"): "gone within an hour; what cells keep of it is not followed",
    ("paclitaxel", "damage.rate"): "acts for days after each dose",
    ("paclitaxel", "cycle.exit.M"): "acts for days after each dose",
    ("nab_paclitaxel", "damage.rate"): "acts for days after each dose",
    ("nab_paclitaxel", "cycle.exit.M"): "acts for days after each dose",
    ("losartan", "matrix.deposition"): "its metabolite, which lasts, is not followed",
    ("losartan", "tgfb"): "its metabolite, which lasts, is not followed",
    ("odanacatib", "cathepsin"): "made for cathepsin K; of those of tumors it needs a thousand times as much",
    ("sunitinib", "vegfa"): "bound by proteins; its metabolite is not followed",
    ("upamostat", "serine_protease"): "a weak inhibitor",
}


def test_the_usual_dose_reaches_what_it_acts_on_or_the_reason_is_known():
    short = {(d, target) for d in drugs() for target, (_, mean, _) in coverage(levels(d)).items() if mean < 0.5}
    assert short == set(SHORT)


def test_coverage_is_that_of_the_law_of_mass_action():
    """The mean of C / (C + K) over three weeks after one dose, on a grid of its own."""
    found = levels("bevacizumab", "0.02 mg/kg on day 0", until="21 day")
    even = np.linspace(0.0, 21 * 1440.0, 20_001)
    free = np.interp(even, found.times, found.course.free)
    half, mean, last = coverage(found)["vegfa"]
    assert half == 0.8 and 0.3 < mean < 0.9 and mean == pytest.approx(np.mean(free / (free + 0.8)), rel=1e-3)
    assert last == pytest.approx(free[-1] / (free[-1] + 0.8), rel=0.01)


def test_a_drug_that_a_run_does_not_give_is_at_nothing(tmp_path):
    result = oc.run(oc.Model.from_text(oc.EXAMPLE), "1 h", out=tmp_path / "run", progress=False)
    for name in ("plasma.imatinib.free", "occupancy.pembrolizumab.cd8_effector"):
        assert read_out(result, {"measure": "tissue", "name": name}) == 0.0
    with pytest.raises(InputError, match="nothing was recorded"):
        read_out(result, {"measure": "tissue", "name": "plasma.imatinip.free"})
