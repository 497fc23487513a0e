"""A calendar decides by what the tissue shows, remembers it exactly, and tells nobody else's rules of it."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.biology.drugs.calendar import Calendar
from oncarium.model.doses import read_doses
from oncarium.model.model import EXAMPLE

UNITS = {"cells": "1"}


def calendar(*lines):
    return Calendar(read_doses(list(lines)), units=UNITS)


def follow(one, seen, since=0):
    """Amounts that are given, a look and a dose every 60 min."""
    out = []
    for k, cells in list(enumerate(seen))[since:]:
        one.see({"cells": cells}, 60.0 * k)
        out += [(d.time, d.amount) for d in one.due(60.0 * k, 60.0 * k + 60.0, "drug")]
    return out


SEEN = [10.0, 6.0, 4.0, 9.0, 12.0, 3.0]
HOURLY = "x 8 mg every 1 h from day 0, "


@pytest.mark.parametrize(
    "rule, amounts",
    [
        ("hold while cells < 5", [8, 8, 0, 8, 8, 0]),
        ("stop at 2x nadir of cells", [8, 8, 8, 0, 0, 0]),
        ("halve if cells < 5", [8, 8, 4, 4, 4, 4]),
        ("reduce to 75 % if cells > 11, hold while cells < 5", [8, 8, 0, 8, 6, 0]),
    ],
)
def test_rules_by_hand(rule, amounts):
    expected = [(60.0 * k, float(a)) for k, a in enumerate(amounts) if a]
    assert follow(calendar(HOURLY + rule), SEEN) == expected


def test_a_course_waits_for_its_condition_and_is_told_when_it_begins():
    one = calendar("x 8 mg every 1 h at cells >= 9")
    assert one.see({"cells": 3.0}, 0.0) == [] and one.due(0.0, 60.0, "drug") == []
    assert one.see({"cells": 9.0}, 60.0) == [0] and one.see({"cells": 9.0}, 66.0) == []
    assert [d.time for d in one.due(60.0, 180.0, "drug")] == [60.0, 120.0]


@pytest.mark.parametrize("cut", range(1, 6))
def test_what_it_kept_goes_on_exactly(cut):
    lines = (HOURLY + "stop at 2x nadir of cells", "y 2 mg every 1 h at cells > 8, halve if cells < 5")
    whole = follow(calendar(*lines), SEEN)
    first = calendar(*lines)
    before = follow(first, SEEN[:cut])
    again = calendar(*lines)
    again.restore({k: np.array(v) for k, v in first.state().items()})
    assert before + follow(again, SEEN, cut) == whole


def test_an_arm_with_other_rules_does_not_inherit_decisions():
    """The first course was stopped; an arm whose first course is another one gives it, and keeps what was seen."""
    first = calendar(HOURLY + "stop at 2x nadir of cells")
    follow(first, SEEN[:5])
    other = calendar(HOURLY + "stop if cells < 1")
    other.restore(first.state())
    assert follow(other, [*SEEN[:5], 3.0], 5) == [(300.0, 8.0)]
    assert other.seen.lowest["cells"] == 3.0 and other.seen.first["cells"] == 10.0


def test_events_of_trials_are_told_and_drugs_come_from_blood():
    model = oc.Model.from_text(EXAMPLE).with_(
        {"therapy.doses": ["doxorubicin 60 mg/m2 on day 0.5, hold if progression"]}
    )
    said = " ".join(p.message for p in model.problems)
    assert "progression is known to trials" in said and "nobody makes doxorubicin" not in said


def test_plasma_and_occupancy_are_readings():
    doses = ["pembrolizumab 200 mg on day 0.2, hold while plasma.pembrolizumab > 1 nM",
             "doxorubicin 60 mg/m2 on day 0.5, hold while occupancy.pembrolizumab.tumor > 0.9"]  # fmt: skip
    model = oc.Model.from_text(EXAMPLE).with_({"therapy.doses": doses})
    assert model.therapy.units["plasma.pembrolizumab.given"] == "nmol"


def test_a_diameter_is_one_of_the_volume_of_the_tumor():
    """A disc of 120 um in a slice of 20 um; twice the diameter is four times the area. A part of a tumor has none."""
    doses = ["doxorubicin 60 mg/m2 at a diameter of 120 um, stop at 2x nadir"]
    [course] = oc.Model.from_text(EXAMPLE).with_({"therapy.doses": doses}).therapy.regimen.courses
    assert course.origin.name == "volume.tumor" and course.origin.unit == "um^3"
    assert course.origin.value == pytest.approx(np.pi / 4.0 * 120.0**2 * 20.0, rel=1e-5)
    assert (course.rules[0].condition.value, course.rules[0].condition.of) == (4.0, "nadir")
    for changes, said in (
        ({"domain.open": "all"}, "is a part of a tumor"), ({"therapy.doses": [doses[0].replace("um,", "nM,")]}, "nM"),
    ):  # fmt: skip
        with pytest.raises(oc.ModelError, match=said):
            oc.Model.from_text(EXAMPLE).with_({"therapy.doses": doses} | changes)
