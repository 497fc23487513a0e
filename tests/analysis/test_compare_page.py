"""Numbers of the page that compares: intervals of differences, times in common."""

import numpy as np
import pytest

from oncarium.analysis.compare_page import interval, together
from oncarium.errors import InputError


@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("paired", [True, False])
def test_intervals_hold_the_truth_as_often_as_they_say(n, paired):
    """Normal samples whose means differ by 1: 4,000 intervals, within three standard errors of 95 %."""
    rng, held = np.random.default_rng(n), 0
    for _ in range(4000):
        low, high = interval(dict(enumerate(rng.normal(0, 1, n))),
                             dict(enumerate(rng.normal(1, 2, n), 0 if paired else n)))  # fmt: skip
        held += low <= 1.0 <= high
    assert held / 4000 == pytest.approx(0.95, abs=0.0104 if paired else 0.02)  # Welch's freedom is an approximation


def test_intervals_by_hand():
    from scipy import stats

    same = {1: 1.0, 2: 5.0, 3: 9.0}
    assert interval(same, {k: v + 2 for k, v in same.items()}) == (2.0, 2.0)  # pairs know that seeds differ
    welch = stats.ttest_ind([3.0, 7.0, 12.0, 4.0], [1.0, 5.0, 9.0], equal_var=False).confidence_interval(0.95)
    assert interval(same, {4: 3.0, 5: 7.0, 6: 12.0, 7: 4.0}) == pytest.approx(tuple(welch))
    assert all(np.isnan(interval({1: 1.0}, {1: 2.0})))


def test_times_in_common():
    assert together([np.array([0.0, 1, 2, 3]), np.array([1.0, 3, 5])], 2.5).tolist() == [1.0]
    with pytest.raises(InputError, match="no time"):
        together([np.array([0.0, 2]), np.array([1.0, 3])], 5.0)
