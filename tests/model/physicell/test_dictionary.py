"""PhysiCell's names of signals and behaviors."""

from oncarium.model import catalog
from oncarium.model.physicell.dictionary import Dictionary

WORDS = Dictionary(["oxygen", "IL-2"], ["tumor", "T cell"], ["hits"])


def test_every_name_is_a_column_of_the_catalog():
    columns = catalog.columns()
    for words in (WORDS.behaviors, WORDS.signals):
        for name, (column, label) in words.items():
            if column.startswith("custom."):
                continue
            axis = columns[column].axis
            assert (label is None) == (axis is None), name
            assert axis in (None, "factor", "type", "phase"), name


def test_behaviors_are_behaviors_and_have_bounds_that_allow_zero():
    for column, _ in WORDS.behaviors.values():
        if not column.startswith("custom."):
            entry = catalog.columns()[column]
            assert entry.kind == "behavior" and (entry.ge is None or entry.ge <= 0.0), column


def test_names_lead_back_to_themselves():
    for name, column in WORDS.behaviors.items():
        assert WORDS.behaviors[str(WORDS.behavior_name(*column))] == column, name
    for name, column in WORDS.signals.items():
        assert WORDS.signals[str(WORDS.signal_name(*column))] == column, name


def test_the_number_of_behaviors_is_that_of_the_format():
    canonical = {WORDS.behavior_name(*c) for c in WORDS.behaviors.values()}
    m, n, customs = 2, 2, 1
    assert len(canonical) == 4 * m + 6 + 2 + 3 + m + 2 + n + 4 + 3 + 5 * n + customs + 1 + n + 7
