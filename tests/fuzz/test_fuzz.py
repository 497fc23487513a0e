"""A short run of the fuzzer; the whole campaign and its record: validation/fuzz."""

import pytest

from .campaign import KINDS, campaign
from .inputs import make


@pytest.mark.parametrize("kind", KINDS)
def test_no_input_is_a_fault(kind):
    if kind == "qual":
        pytest.importorskip("libsbml", reason="python-libsbml is not installed: pip install oncarium[networks]")
    outcomes, faults = campaign((kind,), 500_000, 60)
    assert faults == [] and outcomes[kind, "refused"] > 0 and outcomes[kind, "accepted"] > 0


def test_the_same_seed_gives_the_same_files_and_others_others():
    assert make("model", 3) == make("model", 3) != make("model", 4)
