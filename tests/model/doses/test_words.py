"""Lines of English, and rules: what they come to, by hand; what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oncarium.errors import ModelError
from oncarium.model.doses import (
    Course,
    Dose,
    Doses,
    Regimen,
    Watch,
    check_regimen,
    differ,
    english,
    problems_of,
    read_doses,
    read_nonmem,
    yaml,
)
from oncarium.model.doses.conditions import Condition, read_rule

DAY = 1440.0


def days(line, until=None, **further):
    found = read_doses(line, **further)
    return [round(d.time / DAY, 6) for d in found.doses(*([] if until is None else [until * DAY]))]


@pytest.mark.parametrize(
    "line, until, expected",
    [
        ("pembrolizumab 200 mg every 3 weeks from day 14", 60, [14, 35, 56]),
        ("pembrolizumab 200 mg q3w, 3 times", None, [0, 21, 42]),
        ("gemcitabine 1000 mg/m2 over 30 min on days 1, 8, 15 every 4 weeks, 2 cycles", None, [0, 7, 14, 28, 35, 42]),
        ("gemcitabine 1 g/m2 on days 1, 8 and 15 of every 4 weeks from day 10, 1 cycle", None, [10, 17, 24]),
        ("x 1 mg on days 0, 7 of every 3 weeks, 2 cycles", None, [0, 7, 21, 28]),
        ("fluorouracil 400 mg/m2 on days 1-5 every 4 weeks, 1 cycle", None, [0, 1, 2, 3, 4]),
        ("magrolimab 1 mg/kg on day 0 then 30 mg/kg weekly", 22, [0, 7, 14, 21]),
        ("tocilizumab loading dose 8 mg/kg then 4 mg/kg every 4 weeks, 2 times", None, [0, 28, 56]),
        ("x 100 mg weekly, 3 times then 200 mg every 3 weeks, 2 times", None, [0, 7, 14, 21, 42]),
        ("radiation 2 Gy every weekday from day 20, 6 times", None, [21, 22, 23, 24, 25, 28]),  # day 20 is a Sunday
        ("radiation 2 Gy every weekday, 6 times, break of 14 days after 3", None, [0, 1, 2, 17, 18, 21]),
        ("radiation 8 Gy on Mondays and Thursdays, 3 times", None, [0, 3, 7]),
        ("sunitinib 50 mg daily, 2 days on 3 days off", 11, [0, 1, 5, 6, 10]),
        ("surgery on day 30 leaving 5 %", None, [30]),
        ("1e7 cd8_effector cells on day 21", None, [21]),
        ("1e7 dendritic cells every 2 weeks from day 7, 3 times", None, [7, 21, 35]),
        ("x 5 mg twice daily for 1 day", None, [0, 0.5]),
        ("x 5 mg daily until day 3", None, [0, 1, 2]),  # the end is excluded
        ("x 5 mg by mouth every 12 h from 36 h, 2 times", None, [1.5, 2.0]),
        ("x 5 mg on days 3, 10", None, [3, 10]),
        ("x 5 mg on day 14 every 3 weeks, 2 times", None, [14, 35]),
        ("x 5 mg once", None, [0]),
    ],
)  # fmt: skip
def test_lines_come_to_the_doses_worked_out_by_hand(line, until, expected):
    assert days(line, until) == expected


def test_dates_count_from_the_date_of_day_0_and_holidays_are_left_out():
    text = ["start 2026-01-07", "radiation 2 Gy every weekday from 2026-01-08, 4 times, except 2026-01-09"]
    assert days(text) == [1, 5, 6, 7]  # Thursday, then Monday (day 5) to Wednesday
    assert days("x 1 mg on 2026-02-01", start="2026-01-31") == [1]


def test_what_else_a_line_says():
    [c] = read_doses("doxorubicin 60 mg/m2 iv over 30 min every 3 weeks, 4 times").courses
    assert (c.what, c.amount, c.unit, c.route, c.duration, c.count) == ("doxorubicin", 60.0, "mg/m^2", "iv", 30.0, 4)
    [c] = read_doses("x 30 mg at 20 mg/h on day 1").courses
    assert c.duration == 90.0
    [c] = read_doses("x 30 mg sc every 12 h at steady state, 3 times").courses
    assert (c.steady, c.route) == (720.0, "subcutaneous")
    doses = Regimen((c,)).doses()
    assert [d.steady for d in doses] == [720.0, 0.0, 0.0]  # the first dose alone carries it
    [c] = read_doses("surgery leaving 5 % on day 3").courses
    assert (c.kind, c.amount, c.unit) == ("surgery", 5.0, "%")


def test_a_course_may_wait_for_a_diameter_or_for_diagnosis():
    found = read_doses(["x 5 mg weekly at a diameter of 10 mm, 2 times", "y 1 mg 3 days after diagnosis"])
    assert len(found.doses()) == 0 and len(found.waiting) == 2
    large, known = (c.origin for c in found.courses)
    assert large == Condition("diameter", ">=", 10.0, "mm") and known.name == "diagnosis"
    assert [d.time / DAY for d in found.doses(origins={large: 4 * DAY, known: 1 * DAY})] == [4, 4, 11]


def test_rules_hold_halve_and_stop():
    [c] = read_doses("x 5 mg weekly, hold while neutrophils < 1, halve if neutrophils < 0.5, stop at 2x nadir").courses
    watch = Watch(c.rules)
    told = [(3.0, 10.0), (0.8, 8.0), (2.0, 6.0), (0.4, 7.0), (2.0, 8.0), (2.0, 12.0), (2.0, 5.0)]
    shares = [watch.share({"neutrophils": n, "diameter": d}) for n, d in told]
    assert shares == [1.0, 0.0, 1.0, 0.0, 0.5, 0.0, 0.0]
    again = Watch(c.rules, lowest=watch.lowest, first=watch.first, now=watch.now, fired=watch.fired)
    assert again.share() == 0.0  # goes on from its state
    assert [str(r) for r in read_doses("x 5 mg weekly until progression").courses[0].rules] == ["stop if progression"]
    assert read_rule("reduce by 25 % if platelets below 50").share == 0.75
    assert Watch([read_rule("hold while pressure > 1 kPa")], {"pressure": "mmHg"}).share({"pressure": 8.0}) == 0.0


def test_names_of_readings_are_held_against_those_that_there_are():
    [c] = read_doses("x 5 mg weekly, hold while neutrophil < 1, stop when size > 3 mm").courses
    [one, two] = problems_of(c.rules, {"neutrophils": "1/nl", "size": "1/nl"}, "a.txt:1")
    assert "Did you mean 'neutrophils'?" in one.message and "mm" in two.message


@pytest.mark.parametrize(
    "line, said",
    [
        ("x 5 frogs daily", "'frogs' is no unit of a dose"),
        ("x 5 daily", "'5 daily' has no unit"),
        ("x -5 mg daily", "'-5 mg' is negative"),
        ("x 0 mg daily", "0 mg is out of range"),
        ("x 1e999 mg daily", "is not finite"),
        ("x 5 Gy daily", "is no amount of x"),
        ("x 5 mg dayly", "'dayly' is not understood. Did you mean 'daily'?"),
        ("x 5 mg every 3 months", "not understood"),
        ("x 5 mg", None),
        ("pembro", "does not say what is given"),
        ("x 5 mg over 3 h every 2 h", "overlaps the next"),
        ("x 5 mg on days 1, 30 of every 4 weeks", "beyond a cycle of 28 day"),
        ("x 5 mg 3 times", "how often is not said"),
        ("x 5 mg daily 0 times", "'0' is out of range"),
        ("x 5 mg daily until day 3 from day 4", "is not after its start"),
        ("x 5 mg on 2026-02-30", "is no date of the calendar"),
        ("x 5 mg on 2026-02-03", "no date of day 0 is said"),
        ("radiation 2 mg daily", "is no radiation"),
        ("radiation 0 Gy daily", "is no radiation"),
        ("surgery leaving 120 % on day 3", "is no surgery"),
        ("x 5 mg weekly then 4 mg daily", "nothing follows a course without an end"),
        ("x 5 mg weekly hold while foo", "is no condition"),
        ("x 5 mg weekly weekly", "'every' is said twice"),
        ("x 5 mg weekly from -3 days", "is below 0"),
        ("x 5 mg at steady state", "a steady state of a single dose"),
        ("x 5 mg daily, 4 weeks on 0 weeks off", "is below 1 min"),
        ("x 5 mg/kg at 3 mg/h", "is no rate of mg/kg"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_refused_with_one_message(line, said):
    if said is None:
        assert days(line) == [0]
        return
    with pytest.raises(ModelError) as raised:
        read_doses(line)
    [problem] = raised.value.problems
    assert said in str(problem)


def test_all_problems_at_once_each_with_file_and_line(tmp_path):
    (tmp_path / "a.txt").write_text("# mine\nx 5 frogs daily\n\npembrolizumb 5 mg daily\nx 5 mg daily\nx 5 mg daily\n")
    with pytest.raises(ModelError) as raised:
        read_doses(tmp_path / "a.txt", drugs=["x", "pembrolizumab"])
    assert [p.where.rpartition("/")[2] for p in raised.value.problems] == ["a.txt:2", "a.txt:4"]
    assert "Did you mean 'pembrolizumab'?" in str(raised.value)
    (tmp_path / "b.txt").write_text("x 5 mg daily\nx 5 mg daily\n")
    with pytest.raises(ModelError, match=r"stands twice, here and in .*b.txt:1"):
        read_doses(tmp_path / "b.txt")


def test_groups_say_the_same_as_lines(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "doses:\n"
        "  - pembrolizumab 200 mg every 3 weeks from day 14\n"
        "  - {drug: doxorubicin, amount: 60 mg/m^2, route: iv, over: 30 min, every: 3 week, from: 14 day, times: 4}\n"
        "  - {drug: m, amount: 1 mg/kg, then: {amount: 30 mg/kg, every: week, times: 2}}\n"
        "  - {cells: cd8_effector, amount: 1e7, on: [21]}\n"
        "  - {radiation: 2 Gy, every: weekday, from: day 20, times: 3}\n"
        "  - {surgery: 5 %, on: 30 day}\n"
    )
    lines = [
        "pembrolizumab 200 mg every 3 weeks from day 14",
        "doxorubicin 60 mg/m2 iv over 30 min every 3 weeks from day 14, 4 times",
        "m 1 mg/kg then 30 mg/kg weekly, 2 times",
        "1e7 cd8_effector cells on day 21",
        "radiation 2 Gy every weekday from day 20, 3 times",
        "surgery on day 30 leaving 5 %",
    ]
    end = 100 * DAY
    assert differ(read_doses(tmp_path / "a.yaml").doses(end), read_doses(lines).doses(end)) == ""


@pytest.mark.parametrize(
    "group, said",
    [
        ({"drug": "x", "amuont": "5 mg"}, "Did you mean 'amount'?"),
        ({"amount": "5 mg"}, "it does not say what is given"),
        ({"drug": "x", "radiation": "2 Gy"}, "stand in one entry"),
        ({"drug": "x"}, "how much of x is not said"),
        ({"drug": "x", "amount": "5 mg", "route": "sublingual"}, "no route is called"),
        ({"drug": "x", "amount": "5 mg", "rate": "2 mg/h", "over": "2 h"}, "both say how long"),
        ({"drug": "x", "amount": "5 mg", "from": "3 day", "on": [3]}, "both say when"),
        ({"drug": "x", "amount": "5 mg", "every": "day", "given": "4 week"}, "need each other"),
        ({"drug": "x", "amount": "5 mg", "modelled": "rate", "over": "2 h"}, "is said and left to the model"),
        ({"drug": "x", "amount": "5 mg", "then": "4 mg"}, "is no dose"),
        ({"cells": "cd8", "amount": "5 mg"}, "is no amount of cd8"),
        (3, "is no dose"),
        ({"file": "a.csv", "tiem": "h"}, "is no part of a file of doses"),
        ({"file": "nowhere.csv"}, "no such file"),
        ({"file": "a.xlsx"}, "is no kind of file of doses"),
    ],
)  # fmt: skip
def test_wrong_groups_are_refused(group, said):
    with pytest.raises(ModelError, match=said.replace("?", r"\?")):
        read_doses([group])


def test_what_does_not_fit_a_run_is_told():
    found = read_doses(["x 5 mg on day 9", "y 5 mg daily, 8 times", "z 5 mg daily from day 7", "w 5 mg weekly"])
    told = check_regimen(found, 5 * DAY)
    assert [(p.severity, p.message.split()[0]) for p in told] == [("error", "x"), ("notice", "2"), ("error", "z")]


def test_amounts_become_nmol_and_unknown_drugs_are_told_together():
    doses = read_doses(["a 200 mg", "b 60 mg/m2", "c 3 nmol/kg", "radiation 2 Gy on day 1"]).doses()
    found = doses.resolved({"a": 149_000.0, "b": 543.5, "c": 1.0}, 70.0, 1.8)
    assert [d.amount for d in found] == pytest.approx([200 / 149e3 * 1e6, 60 * 1.8 / 543.5 * 1e6, 210.0, 2.0])
    with pytest.raises(ModelError) as raised:
        doses.resolved({"a": 1.0}, 70.0, 1.8)
    assert len(raised.value.problems) == 2


def test_a_rate_left_to_the_model_needs_one():
    doses = Doses((Dose(0.0, "x", 6.0, "nmol", modelled="rate"), Dose(9.0, "y", 6.0, "nmol", modelled="duration")))
    with pytest.raises(ModelError, match="left to its model"):
        doses.resolved({"x": 1.0, "y": 1.0}, 70.0, 1.8)
    assert [d.duration for d in doses.resolved({"x": 1.0, "y": 1.0}, 70.0, 1.8, {"x": 2.0, "y": 45.0})] == [3.0, 45.0]


def test_a_table_says_units_and_totals():
    text = read_doses(["x 5 mg/kg weekly, 2 times", "radiation 2 Gy daily, 3 times"]).doses().table()
    assert "x: 2 doses, 10 mg/kg in all" in text and "radiation: 3 doses, 6 Gy in all" in text
    frame = read_doses("x 5 mg over 30 min weekly, 2 times").doses().frame()
    assert frame[["day", "amount", "unit", "duration"]].to_numpy().tolist() == [[0, 5, "mg", 30], [7, 5, "mg", 30]]


def test_writers_say_what_a_course_has():
    found = read_doses(["start 2026-01-05", "x 5 mg weekly, 2 times, hold while neutrophils < 1"])
    assert read_doses(english(found).splitlines()) == read_doses(
        english(read_doses(english(found).splitlines())).splitlines()
    )
    assert "start: 2026-01-05" in yaml(found) and "hold while neutrophils < 1" in yaml(found)
    assert Course("x").endless is False


WORDS = """x|5 mg|radiation|2 Gy|surgery|leaving 5 %|reset|1e7 cd8 cells|every 3 weeks|daily|on day 3|on days 1, 8
of every 4 weeks|from day 2|at a diameter of 10 mm|3 times|2 cycles|until day 9|then|break of 3 days after 2|-|1e308
4 weeks on 2 weeks off|hold while a < 1|stop at 2x nadir|at steady state|nan|,|%|over 30 min|at 20 mg/h|q3w|'|\x00
except 2026-01-05|start 2026-01-05|for 0 days|every 1e-300 min|999999999 times|on days 1-999999999|every monday
1 day on 1 day off|every 2 days""".replace("\n", "|").split("|")


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=7), st.text(max_size=8))
def test_any_line_is_read_or_refused(words, text):
    for line in (" ".join(["x 5 mg", *words]), " ".join(words), text):
        try:
            found = read_doses(line)
        except ModelError as error:
            assert error.problems and all(p.message for p in error.problems)
        else:
            assert all(c.amount >= 0.0 for c in found.courses)
            found.doses(1e5)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.lists(
            st.sampled_from(["0", "1", "-1", "-2", "5", "24", "x", ".", "", "1e400", "2"]), min_size=9, max_size=9
        ),
        max_size=4,
    )
)
def test_any_table_is_read_or_refused(rows):
    text = "ID,TIME,AMT,EVID,RATE,II,ADDL,SS,DV\n" + "".join(",".join(r) + "\n" for r in rows)
    found = read_nonmem(text, "d.csv")
    assert found.problems or len(found.doses()) > 0
