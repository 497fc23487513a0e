"""Quantities: numbers, units, sources."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oncarium import units


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("36 um/h", "um/min", 0.6),
        ("0.0432 1/h", "1/min", 0.00072),
        ("1e-5 cm^2/s", "um^2/min", 6e4),
        ("5 %", "1", 0.05),
        ("2 µm", "um", 2.0),
        ("10 pM", "nM", 0.01),
        ("602214076 molecules", "fmol", 1.0),
        ("0", "um", 0.0),
        (3, "1", 3.0),
        ("1 week", "min", 10080.0),
    ],
)
def test_known_conversions(text, unit, value):
    assert units.parse_quantity(text, unit).value == pytest.approx(value, rel=1e-12)


def test_a_source_travels_with_its_number():
    assert units.parse_quantity("2 um @Key2019", "um").sources == ("Key2019",)
    assert units.parse_quantity("2 um assumed", "um").grade == "A"


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
def test_any_number_survives_being_written(x):
    assert units.parse_quantity(f"{x!r} um", "um").value == x


@given(st.text(max_size=40))
def test_any_text_is_a_quantity_or_a_unit_error(text):
    try:
        assert isinstance(units.parse_quantity(text, "um").value, float)
    except units.UnitError as error:
        assert str(error)


def test_usual_units_are_what_pint_makes_of_them():
    for (unit, wanted), said in units.USUAL.items():
        assert (units._registry()(unit) / units._registry()(wanted)).to("1").magnitude == pytest.approx(said, rel=1e-14)
