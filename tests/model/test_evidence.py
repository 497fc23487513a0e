"""What a number says of where it comes from: sources, grade, range."""

import pytest

from oncarium import Model
from oncarium.errors import ModelError
from oncarium.units import UnitError, parse_quantity, split_source

MODEL = """
domain: {{x: [0 um, 40 um], y: [0 um, 40 um], voxel: 20 um}}
sources: {{Key2016: "Author 2016", Other2019: "Another 2019"}}
factors:
  il6: {{unit: nM, diffusion: {diffusion}}}
cells:
  tumor:
    stat3: {{rise: 0 1/min, fall: 0.02 1/min assumed}}
    rules:
      - {rule}
"""
RULE = (
    "il6 increases stat3.rise to 0.02 1/min assumed 0.01..0.04, half 0.05 nM @Key2016 R 0.005..0.2, hill 1 assumed 1..2"
)


def model(diffusion="800 um^2/min assumed", rule=RULE):
    return Model.from_text(MODEL.format(diffusion=diffusion, rule=rule))


def test_sources_grade_and_range_of_a_number():
    q = parse_quantity("2 um/h @Key2016 @Other2019 R 0.6..3", "um/min")
    assert (q.value, q.sources, q.grade) == (2.0 / 60.0, ("Key2016", "Other2019"), "R")
    assert (q.low, q.high) == (0.6 / 60.0, 3.0 / 60.0)  # in the canonical unit, as the value
    assert split_source("0.1 mM L 0.04..0.12")[1].grade == "L"  # recalled, without a source
    assert (parse_quantity("5 mM", "mM").grade, parse_quantity("5 L", "L").value) == ("", 5.0)  # a litre is no grade


WRITTEN = ("2 um", "2 um assumed", "2 um assumed 1..4", "2 um @Key2016", "2 um @Key2016 M", "2 um L 1..3",
           "2 um @Key2016 @Other2019 R 0.5..2.5", "-2 um @Key2016 A -3..1e-05")  # fmt: skip


@pytest.mark.parametrize("said", WRITTEN)
def test_a_quantity_prints_as_it_was_written(said):
    q = parse_quantity(said, "um")
    assert str(q) == said and parse_quantity(str(q), "um") == q and parse_quantity(q, "um") == q


@pytest.mark.parametrize(("said", "why"), [
    ("5 um assumed 1..4", "5 lies outside its own range 1..4"),
    ("3 um assumed 4..1", "wrong way round; expected 1..4"),
    ("3 um @Key2016 X 1..4", "'X' is no grade; expected M (measured, and read), R"),
    ("3 um @Key2016 measured", "'measured' is no grade"),
    ("3 um M 1..4", "grade M stands without a source"),
    ("3 um R 1..4", "grade R stands without a source"),
    ("3 um 1..4", "does not say where it comes from"),
    ("3 um assumed 1..4 nM", "in the number's own unit and says none"),
    ("3 um assumed 1...4", "is no range"),
    ("3 um assumed 1..", "is no range"),
    ("3 um assumed M 1..4", "'M' is no range"),
    ("3 assumed 1..4", "has no unit"),
])  # fmt: skip
def test_what_is_wrong_with_evidence_is_said(said, why):
    with pytest.raises(UnitError) as told:
        parse_quantity(said, "um")
    assert why in str(told.value)


def test_every_number_of_a_rule_has_its_own_evidence():
    rule = model().type("tumor").rules[0]
    assert [str(q) for q in rule.numbers] == [
        "0.02 1/min assumed 0.01..0.04",
        "0.05 nM @Key2016 R 0.005..0.2",
        "1 assumed 1..2",
    ]
    assert rule.text == "il6 increases stat3.rise to 0.02 1/min, half 0.05 nM, hill 1"
    assert rule.sources == ("Key2016",) and rule.said == "increases to 0.02 1/min, half 0.05 nM, hill 1"


def test_evidence_at_the_end_stands_for_all_that_say_none():
    for tail in ("hill 1 @Key2016", "hill 1 @Key2016 M 1..2", "hill 1, also when dead @Key2016"):
        said = f"il6 increases stat3.rise to 0.02 1/min, half 0.05 nM assumed 0.02..0.1, {tail}"
        to, half, hill = model(rule=said).type("tumor").rules[0].numbers
        assert to.sources == hill.sources == ("Key2016",) and (to.low, half.grade) == (None, "A"), tail
        assert hill.high == (2.0 if "M" in tail else None)
    plain = "il6 increases stat3.rise to 0.02 1/min, half 0.05 nM, hill 1"
    assert model(rule=plain).digest != model(rule=plain.replace("0.05", "0.06")).digest
    assert model(rule=plain).type("tumor").rules[0].sources == ()


def test_a_model_with_evidence_reads_back_as_itself():
    m = model("800 um^2/min @Key2016 M 500..1200")
    again = Model.from_text(m.to_yaml())
    assert again.digest == m.digest and again.numbers == m.numbers and m.diff(again) == []
    assert m.diff(m.with_({"factors.il6.diffusion": "900 um^2/min assumed 500..1200"})) == [
        "factors.il6.diffusion: 800 um^2/min @Key2016 M 500..1200 -> 900 um^2/min assumed 500..1200"
    ]


def test_all_that_is_wrong_is_said_at_once_with_its_line():
    wrong = RULE.replace("0.01..0.04", "0.03..0.04").replace("1..2", "2..1")
    with pytest.raises(ModelError) as told:
        model("800 um^2/min @Kye2016 M 500..1200", wrong.replace("assumed 2..1", "assumed 1..2"))
    said = str(told.value)
    assert "no source is called 'Kye2016'" in said and "Key2016" in said and "0.02 lies outside its own range" in said
    assert ":5" in said and ":10" in said  # lines
    with pytest.raises(ModelError, match="wrong way round"):
        model(rule=wrong)


def test_what_a_model_rests_on():
    found = model("800 um^2/min @Key2016 M 500..1200").sources()
    rows = {row[0]: row[1:] for row in found.rows()}
    assert rows["factors.il6.diffusion"] == ("diffusion", "800", "um^2/min", "M", "500", "1200", "Key2016")
    half = ("rule: half-maximum", "0.05", "nM", "R", "0.005", "0.2", "Key2016")
    assert rows["cells.tumor: il6 on stat3.rise, half"] == half
    counts = found.counts()
    assert counts["rule: target"]["A"] == counts["rule: Hill power"]["A"] == counts["diffusion"]["M"] == 1
    assert sum(c.total() for c in counts.values()) == len(found.numbers) == len(rows)
    assert not [row for row in rows if row.startswith(("domain", "clock", "until"))]
    assert str(found).splitlines()[-1].split() == ["all", "1", "1", "0", "3", "0", "5"]
