"""Every number of the library has a grade and a range, and every row of evidence is answered."""

import importlib.util
from pathlib import Path

import pytest

from oncarium import Model
from oncarium.model.library import on_shelf
from oncarium.sources import bibliography
from oncarium.units import NUMBER, parse_quantity, split_source

FILE = Path(__file__).parents[2] / "validation" / "evidence" / "table.py"
spec = importlib.util.spec_from_file_location("evidence_table", FILE)
evidence = importlib.util.module_from_spec(spec)
spec.loader.exec_module(evidence)
ROWS = evidence.rows()
ANSWERS = ("applied", "applied in part", "applied elsewhere", "kept", "check", "no such number", "mechanism missing")
# geometry, counts, steps; what is 1 by definition
NO_NATURE = (
    "domain.",
    "clock.",
    "until",
    "seed",
    "record.",
    "initial.",
    "represents",
    "matrix.period",
    "matrix.membrane",
)


def test_every_row_is_answered():
    assert len(ROWS) == 300 and len({r["id"] for r in ROWS}) == 300
    for r in ROWS:
        assert r["answer"] in ANSWERS, r["id"]
        assert r["place"] or r["why"], f"{r['id']} says neither where nor why"


@pytest.mark.parametrize("row", [r for r in ROWS if r["place"]], ids=lambda r: r["id"])
def test_the_library_lies_in_the_range_of_an_applied_row(row):
    text, told = split_source(evidence.said(row["place"]))
    unit = text[NUMBER.match(text).end() :].strip() or "1"
    value = parse_quantity(text, unit).value
    if row["answer"] == "applied":
        ends, _, there = row["range"].partition(" ")
        low, high = (parse_quantity(f"{end} {there}", unit).value for end in ends.split(".."))
        assert low * 0.999 <= value <= high * 1.001, (row["place"], text, row["range"])
    assert told.grade and told.low is not None and told.low <= value <= told.high, row["place"]


@pytest.mark.parametrize("name", on_shelf("scenarios"))
def test_every_number_of_a_scenario_has_a_grade_and_a_range(name):
    naked = [
        f"{path}: {q}"
        for path, q in Model.load(name).numbers.items()
        if q.value != 0.0
        and (not q.grade or q.low is None)
        and not path.startswith(NO_NATURE)
        and not path.endswith((".tolerance", ".start"))
        and not any(word in path for word in (".disc.", ".ring.", ".ball.", ".box."))
    ]
    assert naked == []


def test_measured_and_reported_numbers_name_entries_of_the_bibliography():
    used = set()
    for name in on_shelf("scenarios"):
        for path, q in Model.load(name).numbers.items():
            used.update(q.sources)
            assert q.grade not in ("M", "R") or q.sources, path
    own = {key for key in bibliography() if not key.startswith("doi")}
    unread = {"Ghaffarizadeh2016"}  # named in docstrings
    assert {s for s in used if not s.startswith(("doi:", "10."))} <= own
    assert len(used) > 100 and not {key for key in used if key.endswith("_recall")}
    assert unread <= own
