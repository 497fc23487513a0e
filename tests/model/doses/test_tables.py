"""Tables of NONMEM, mrgsolve and SimBiology: what is easily got wrong; two public data sets; round trips."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncarium.errors import InputError, ModelError
from oncarium.model.doses import (
    Condition,
    Course,
    Regimen,
    Rule,
    differ,
    english,
    nonmem,
    read_doses,
    read_nonmem,
    read_simbiology,
    simbiology,
    yaml,
)

DATA = Path(__file__).parents[2] / "data" / "nonmem"
HEAD = "ID,TIME,AMT,EVID,CMT,RATE,II,ADDL,SS,DV\n"


def table(*rows, head=HEAD):
    found = read_nonmem(head + "\n".join(rows) + "\n", "d.csv")
    assert found.problems == []
    return found


def refused(*rows, head=HEAD):
    return [str(p) for p in read_nonmem(head + "\n".join(rows) + "\n", "d.csv").problems]


def test_additional_doses_come_after_the_first():
    assert [d.time / 60 for d in table("1,0,5,1,1,0,24,2,0,").doses()] == [0, 24, 48]  # three doses
    found, problems = read_simbiology("StartTime,Amount,Rate,Interval,RepeatCount\n0,5,0,24,2\n", "s.csv")
    assert problems == [] and [d.time / 60 for d in found.doses()] == [0, 24, 48]


def test_a_reset_with_additional_doses_resets_at_every_dose():
    doses = table("1,0,5,1,1,0,0,0,0,", "1,10,7,4,1,0,12,2,0,").doses()
    assert [(d.time / 60, d.resets) for d in doses] == [(0, False), (10, True), (22, True), (34, True)]


@pytest.mark.parametrize("rate, what", [(-1, "rate"), (-2, "duration")])
def test_what_the_model_says_of_an_infusion_stays_with_additional_doses(rate, what):
    doses = table(f"1,0,6,1,1,{rate},24,2,0,").doses()
    assert [d.modelled for d in doses] == [what] * 3
    with pytest.raises(ModelError, match=f"the {what} of drug is left to its model"):
        doses.resolved({"drug": 1e6}, 70.0, 1.8)
    told = doses.resolved({"drug": 1e6}, 70.0, 1.8, {"drug": 2.0})
    assert [d.duration for d in told] == [3.0 if what == "rate" else 2.0] * 3


def test_steady_states_add_where_the_table_says_so():
    morning, night = table("1,8,10,1,1,0,24,0,1,", "1,20,20,1,1,0,24,0,2,").doses()
    assert (morning.steady, morning.added) == (1440.0, False)
    assert (night.steady, night.added) == (1440.0, True)


def test_additional_doses_have_no_steady_state_of_their_own():
    assert [d.steady for d in table("1,0,10,1,1,0,12,2,1,").doses()] == [720.0, 0.0, 0.0]


def test_an_infusion_at_steady_state_forbids_additional_doses():
    [dose] = table("1,0,0,1,1,5,0,0,1,").doses()
    assert math.isinf(dose.steady) and dose.amount / dose.duration == pytest.approx(5.0 / 60.0)
    assert table("1,0,0,1,1,5,0,0,1,").doses().totals == {}
    [said] = refused("1,0,0,1,1,5,0,3,1,")
    assert "ADDL with an infusion at steady state" in said and "d.csv:2" in said


def test_a_reset_carries_no_dose():
    assert [d.kind for d in table("1,0,5,1,1,0,0,0,0,", "1,9,0,3,1,0,0,0,0,").doses()] == ["drug", "reset"]
    said = refused("1,0,5,1,1,0,0,0,0,", "1,9,5,3,1,0,12,2,1,")
    assert len(said) == 4 and all("on a reset" in s for s in said)


def test_a_sample_at_the_time_of_a_dose_sees_it_or_not():
    found = table("1,0,5,1,1,0,0,0,0,", "1,12,0,0,1,0,0,0,0,3.5", "1,12,5,1,1,0,0,0,0,", "1,12,0,0,1,0,0,0,0,9.1")
    seen = [[s.sees(d) for d in found.doses()] for s in found.samples]
    assert seen == [[True, False], [True, True]]  # the order of rows decides
    assert [s.sees(d, "dose first") for s in found.samples for d in found.doses()] == [True] * 4
    assert [s.value for s in found.samples] == [3.5, 9.1]


def test_rates_and_durations_of_infusions():
    assert table("1,0,60,1,1,20,0,0,0,").doses()[0].duration == 180.0
    found = table("1,0,60,1,2", head="ID,TIME,AMT,EVID,TINF\n")
    assert found.doses()[0].duration == 120.0


def test_clock_times_other_units_and_who_is_given_what():
    found = read_nonmem("TIME AMT CMT\n1:30 5 1\n2 5 2\n", "d.dta", compartments={"1": "a", "2": "b"})
    assert [(d.what, d.time) for d in found.doses()] == [("a", 90.0), ("b", 120.0)]
    assert read_nonmem("TIME,AMT\n2,5\n", "d.csv", time="day", unit="mg/kg").doses()[0].time == 2880.0


@pytest.mark.parametrize(
    "row, said",
    [
        ("1,0,-5,1,1,0,0,0,0,", "AMT is negative"),
        ("1,-2,5,1,1,0,0,0,0,", "TIME of a dose is negative"),
        ("1,0,5,7,1,0,0,0,0,", "EVID is none of"),
        ("1,0,5,1,1,-3,0,0,0,", "RATE is out of range"),
        ("1,0,5,1,1,0,0,2,0,", "additional doses without an interval"),
        ("1,0,5,1,1,0,24,1.5,0,", "ADDL is no number of doses"),
        ("1,0,5,1,1,0,0,0,1,", "SS without an interval"),
        ("1,0,5,1,1,0,24,0,3,", "SS is none of"),
        ("1,0,0,1,1,0,0,0,0,", "AMT of a dose is 0"),
        ("1,0,5,0,1,0,0,0,0,", "AMT on a record that is no dose"),
        ("1,0,5,1,1,1,2,3,0,", "overlaps the next"),
        ("1,0,five,1,1,0,0,0,0,", "AMT is no number"),
        ("1,0,nan,1,1,0,0,0,0,inf", "AMT of a dose is 0"),
        ("1,0,5,1,1", "has not the 10 values"),
    ],
)
def test_wrong_rows_are_refused_with_file_and_line(row, said):
    [told] = refused(row)
    assert said in told and "d.csv:2" in told


def test_one_message_for_many_rows_of_one_kind():
    said = refused(*[f"1,{k},-5,1,1,0,0,0,0," for k in range(30)], "1,29,5,1,1,0,24,2,9,")
    assert len(said) == 2 and "30 rows: also line 3" in said[0] and "d.csv:32" in said[1]


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "the table is empty"),
        ("TIME,AMT\n", "a header only"),
        ("TIME,DOSE\n0,5\n", "the column AMT is missing"),
        ("TIME,AMT,RATE,TINF\n0,5,1,1\n", "both say how long"),
        ("TIME,AMT,AMT\n0,5,1\n", "stands twice"),
        ("TIME,AMT\n5,5\n3,5\n", "time goes back"),
        ("TIME,AMT\n5,0\n", "there is no dose in it"),
    ],
)
def test_wrong_tables_are_refused(text, said):
    assert said in " ".join(str(p) for p in read_nonmem(text, "d.csv").problems)


@pytest.mark.parametrize(
    "text, said",
    [
        ("StartTime,Amount\n-1,5\n", "StartTime is negative"),
        ("StartTime,Amount,Interval,RepeatCount\n0,5,0,3\n", "repeats without an interval"),
        ("StartTime,Amount,RepeatCount\n0,5,-1\n", "RepeatCount is no number of doses"),
        ("Time,Amount\n0,0\n", "Amount of a dose is 0"),
        ("Time,Amount,AmountUnits\n0,5,frogs\n", "'frogs' is no unit of a dose"),
        ("Time,Amount,TimeUnits\n0,5,fortnight\n", "TimeUnits is no unit of time"),
        ("Time,Amount,Rate,RateUnits\n0,5,1,mole/hour\n", "RateUnits does not fit mg"),
        ("Time\n0\n", "the column AMOUNT is missing"),
    ],
)
def test_wrong_tables_of_simbiology_are_refused(text, said):
    [told] = read_simbiology(text, "s.csv")[1]
    assert said in str(told)


def test_units_of_simbiology():
    head = "TargetName,Time,Amount,Rate,AmountUnits,RateUnits,TimeUnits\n"
    found, problems = read_simbiology(head + "d,1,2,0.5,gram,milligram/second,hour\n", "s.csv")
    [dose] = found.doses()
    assert problems == [] and (dose.what, dose.time, dose.amount, dose.unit) == ("d", 60.0, 2.0, "g")
    assert dose.duration == pytest.approx(2000.0 / 0.5 / 60.0)


def test_phenobarbital():
    """What the table holds, counted by hand for its first patient."""
    found = read_nonmem((DATA / "pheno.dta").read_text(), "pheno.dta", drug="phenobarbital")
    assert found.problems == []
    doses = found.doses().of("1")
    assert len(doses) == 10 and (doses[0].amount, doses[1].amount) == (25.0, 3.5)
    assert [d.time / 60 for d in doses][:4] == [0.0, 12.5, 24.5, 37.0]
    assert found.further["1"] == {"WGT": 1.4, "APGR": 7.0, "FA1": 1.0, "FA2": 1.0}
    assert [s.value for s in found.samples if s.patient == "1" and s.value > 0.0] == [17.3, 31.0]


def test_moxonidine():
    """At the second visit a reset, a steady state of doses every 12 h, and a sample at the very time of the dose."""
    found = read_nonmem((DATA / "moxo.csv").read_text(), "moxo.csv", drug="moxonidine", unit="ug", route="oral")
    assert found.problems == []
    first, second = found.doses().of("110")
    assert (first.amount, first.unit, first.steady, first.resets) == (100.0, "ug", 0.0, False)
    assert (second.time, second.amount, second.steady, second.resets) == (2400.0, 200.0, 720.0, True)
    [at_once] = [s for s in found.samples if s.patient == "110" and s.time == second.time]
    assert at_once.sees(second) and at_once.value == 0.33561


def hours(most):
    return st.integers(0, most).map(lambda h: 60.0 * h)


AMOUNTS = st.floats(1e-3, 1e5, allow_nan=False)
UNITS = st.sampled_from(["mg", "mg/kg", "ug/kg", "g/m^2", "nmol", "nmol/kg"])
RULES = st.sampled_from(
    [
        Rule(0.0, True, Condition("neutrophils", "<", 1.0)),
        Rule(0.0, False, Condition("diameter", ">=", 2.0, "", "nadir")),
        Rule(0.5, False, Condition("platelets", "<=", 50.0)),
        Rule(0.75, True, Condition("live.tumor", ">", 1234.5)),
        Rule(0.0, False, Condition("progression", ">=", 1.0)),
    ]
)


@st.composite
def plain_courses(draw):
    """What every notation has a word for."""
    repeats = draw(st.booleans())
    every = draw(st.integers(1, 2000)) * 60.0 if repeats else 0.0
    count = draw(st.integers(2, 9)) if repeats else 1
    duration = draw(st.sampled_from([0.0, 30.0, 45.0]))
    return Course(
        draw(st.sampled_from(["pembrolizumab", "gemcitabine", "x_1"])), amount=draw(AMOUNTS), unit=draw(UNITS),
        route=draw(st.sampled_from(["", "iv", "oral", "subcutaneous"])), duration=duration, start=draw(hours(3000)),
        every=every, count=count,
    )  # fmt: skip


@st.composite
def events(draw):
    """What NONMEM has a word for, too."""
    c = draw(plain_courses())
    steady = c.every or draw(st.sampled_from([0.0, 720.0]))
    changes = {"resets": draw(st.booleans()), "patient": draw(st.sampled_from(["1", "2"]))}
    if draw(st.booleans()):
        changes |= {"steady": steady, "added": bool(steady) and draw(st.booleans())}
    if draw(st.booleans()) and not c.duration:
        changes |= {"modelled": draw(st.sampled_from(["rate", "duration"]))}
    return Course(**{**c.__dict__, **changes})


@st.composite
def courses(draw):
    """What lines and groups have words for."""
    kind = draw(st.sampled_from(["drug", "drug", "radiation", "surgery", "cells", "reset"]))
    if kind == "surgery":
        return Course("surgery", kind, draw(st.floats(0.0, 99.0)), "%", start=draw(hours(3000)))
    if kind == "reset":
        return Course("reset", kind, unit="", start=draw(hours(100)))
    c = draw(events())
    changes = {"rules": tuple(draw(st.lists(RULES, max_size=2, unique=True))), "patient": ""}
    if kind == "radiation":
        changes |= {
            "what": kind,
            "kind": kind,
            "unit": "Gy",
            "route": "",
            "duration": 0.0,
            "modelled": "",
            "steady": 0.0,
            "added": False,
        }
    if kind == "cells":
        changes |= {
            "what": "cd8_effector",
            "kind": kind,
            "unit": "cells",
            "route": "",
            "duration": 0.0,
            "modelled": "",
            "steady": 0.0,
            "added": False,
        }
    if c.every and draw(st.booleans()):
        changes |= draw(
            st.sampled_from(
                [
                    {"every": 1440.0, "weekdays": (0, 1, 2, 3, 4), "without": (3, 4)},
                    {"every": 1440.0, "weekdays": (1, 3)},
                    {"every": 4 * 7 * 1440.0, "days": (0.0, 7 * 1440.0, 14 * 1440.0)},
                    {"every": 21 * 1440.0, "days": (1440.0, 8 * 1440.0)},
                    {"every": 1440.0, "on": 4 * 1440.0, "off": 2 * 1440.0},
                    {"every": 1440.0, "rest": (2, 14 * 1440.0)},
                    {"count": None, "until": c.start + 90 * 1440.0},
                    {"count": None},
                ]
            )
        )
        if changes.get("steady", c.steady):
            changes["steady"] = changes.get("every", c.every)
    elif draw(st.booleans()):
        changes |= {
            "origin": draw(
                st.sampled_from([Condition("diagnosis", ">=", 1.0), Condition("diameter", ">=", 10.0, "mm")])
            )
        }
    return Course(**{**c.__dict__, **changes})


def regimens(of):
    return st.lists(of, min_size=1, max_size=4, unique_by=lambda c: (c.what, c.start)).map(
        lambda cs: Regimen(tuple(Course(**{**c.__dict__, "row": k}) for k, c in enumerate(cs)))
    )


def difference(a, b):
    """What the doses of two regimens differ in; nothing where they are the same."""
    at = {c.origin: 1440.0 for c in (*a.waiting, *b.waiting)}
    return differ(a.doses(200 * 1440.0, at), b.doses(200 * 1440.0, at))


@settings(max_examples=150, deadline=None)
@given(regimens(courses()))
def test_lines_and_groups_come_back(regimen):
    assert difference(regimen, read_doses(english(regimen).splitlines())) == ""


@settings(max_examples=80, deadline=None)
@given(regimens(courses()))
def test_yaml_comes_back(tmp_path_factory, regimen):
    path = tmp_path_factory.mktemp("yaml") / "d.yaml"
    path.write_text(yaml(regimen))
    assert difference(regimen, read_doses(path)) == ""


@settings(max_examples=150, deadline=None)
@given(regimens(events()))
def test_nonmem_comes_back(regimen):
    order = {c.patient: k for k, c in reversed(list(enumerate(regimen.courses)))}
    found = read_nonmem(nonmem(regimen), "d.csv")
    assert found.problems == [] and order
    assert difference(regimen, found.regimen) == ""


@settings(max_examples=100, deadline=None)
@given(regimens(plain_courses()))
def test_simbiology_comes_back(regimen):
    found, problems = read_simbiology(simbiology(regimen), "s.csv")
    assert problems == []
    assert difference(regimen, found) == ""


def test_irregular_courses_become_single_rows():
    found = read_doses("x 2 mg on days 1, 8 of every 3 weeks, 2 cycles")
    assert [r.split(",")[1] for r in nonmem(found).splitlines()[1:]] == ["0", "168", "504", "672"]
    endless = read_doses("x 2 mg weekly")
    assert nonmem(endless, 22 * 1440.0).splitlines()[1] == "1,0,2,1,1,0,168,3,0,x,mg,"


@pytest.mark.parametrize(
    "line, said",
    [
        ("x 2 mg weekly", "has no end"),
        ("x 2 mg weekly, 2 times, hold while neutrophils < 1", "has a rule"),
        ("x 2 mg at diagnosis", "a start that depends on the tissue"),
    ],
)
def test_what_a_table_has_no_word_for_is_told(line, said):
    for write in (nonmem, simbiology):
        with pytest.raises(InputError, match=said):
            write(read_doses(line))
    with pytest.raises(InputError, match="has a steady state"):
        simbiology(read_doses("x 2 mg weekly, 2 times at steady state"))
