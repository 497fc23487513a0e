"""From patches to lesions, against what can be worked out by hand; RECIST on cases worked out by hand."""

import math

import numpy as np
import pytest

import oncarium as oc
from oncarium.errors import InputError, ModelError
from oncarium.study.lesion import Growth, Lesion, day_of_diameter, read_growth
from oncarium.study.recist import Visit, assess, seen_as, targets, visits_of


def patch(*rates, cells=1000.0, width=10.0):
    """A patch with these net rates, each for so many days."""
    edges = tuple(width * k for k in range(len(rates) + 1))
    exposure = cells * width
    births = tuple(exposure * max(r, 0.0) for r in rates)
    deaths = tuple(exposure * max(-r, 0.0) for r in rates)
    return Growth(edges, births, deaths, (exposure,) * len(rates))


def test_a_lesion_grows_exponentially_by_its_rates_and_goes_on_with_the_last():
    lesion = Lesion(10.0, (patch(0.06, -0.03),))
    expected = 10.0 * np.exp(np.array([0.0, 0.3, 0.6, 0.3, 0.3 - 0.9]) / 3.0)
    assert lesion.diameters([0.0, 5.0, 10.0, 20.0, 50.0]) == pytest.approx(expected)


def test_the_error_is_that_of_the_counts_and_grows_with_days_after_reading():
    lesion = Lesion(10.0, (Growth((0.0, 10.0), (99.0,), (0.0,), (10_000.0,)),))  # 100 counts: error 10 / 10,000
    sd = lesion.log_volume([0.0, 10.0, 30.0])[1]
    assert sd == pytest.approx([0.0, 0.01, math.hypot(0.01, 0.02)])
    low, high = lesion.interval([10.0])
    assert math.log(high[0] / low[0]) == pytest.approx(2 * 1.96 * 0.01 / 3.0, rel=1e-4)


def test_patches_are_averaged_and_what_they_differ_by_is_an_error():
    one, two = patch(0.02), patch(0.04)
    lesion = Lesion(10.0, (one, two))
    mean, sd = lesion.log_volume([10.0])
    assert mean[0] == pytest.approx(0.3) and sd[0] == pytest.approx(10.0 * 0.02 / math.sqrt(2.0) / math.sqrt(2.0))
    assert Lesion(10.0, (one, two), weights=(3.0, 1.0)).log_volume([10.0])[0][0] == pytest.approx(0.25)


def test_windows_cut_in_pieces_keep_their_error():
    whole = Growth((0.0, 10.0), (399.0,), (0.0,), (10_000.0,))
    halves = Growth((0.0, 5.0, 10.0), (199.0, 199.0), (0.0, 0.0), (5_000.0, 5_000.0))
    alone = Lesion(10.0, (whole,)).log_volume([10.0])[1][0]
    both = Lesion(10.0, (whole, halves)).log_volume([10.0])[1][0]
    assert both == pytest.approx(alone / math.sqrt(2.0), rel=0.02)


def test_the_day_of_a_diameter():
    lesion = Lesion(5.0, (patch(0.09, 0.03),))
    assert day_of_diameter(lesion, 5.0 * math.exp(0.4), 100.0) == pytest.approx(20.0)
    assert day_of_diameter(lesion, 4.0, 100.0) == 0.0
    assert math.isnan(day_of_diameter(Lesion(5.0, (patch(-0.1),)), 10.0, 1000.0))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Lesion(10.0, ()),
        lambda: Lesion(-1.0, (patch(0.1),)),
        lambda: Lesion(10.0, (patch(0.1),), weights=(1.0, 2.0)),
        lambda: Lesion(10.0, (patch(0.1),), weights=(0.0,)),
    ],
)
def test_lesions_that_cannot_be_are_refused(make):
    with pytest.raises(InputError):
        make()


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    return oc.run(oc.Model.from_text(oc.EXAMPLE), "12 h", out=tmp_path_factory.mktemp("patch") / "r")


def test_growth_of_a_patch_counts_what_happened(grown):
    growth = read_growth(grown, "tumor", window=0.25, fewest=5)
    happened = grown.events
    assert sum(growth.births) == (happened["kind"] == "division").sum()
    assert len(growth.rate) == 2 and growth.stopped == "" and min(growth.exposure) > 0.0


def test_reading_stops_where_too_few_cells_are_left(grown):
    with pytest.raises(InputError, match="fewer than 5000: reading stops"):
        read_growth(grown, "tumor", window=0.25, fewest=5000)
    with pytest.raises(InputError, match="longer than the run"):
        read_growth(grown, "tumor", window=3.0)


def visits(*rows):
    """Rows of (day, diameters...)."""
    return [Visit(float(r[0]), tuple(r[1:])) for r in rows]


@pytest.mark.parametrize(
    "rows, responses, best, progression",
    [
        # a fall of exactly 30 % is partial; confirmed four weeks later
        ([(0, 60, 40), (42, 40, 30), (70, 40, 30)], "PR PR", "PR", None),
        ([(0, 60, 40), (42, 40, 30), (69, 40, 30)], "PR PR", "SD", None),  # 27 days later: no confirmation
        ([(0, 60, 40), (42, 41, 30)], "SD", "SD", None),
        # progression: 20 % and 5 mm above the smallest
        ([(0, 60, 40), (42, 70, 50)], "PD", "PD", 42),
        ([(0, 60, 40), (42, 70, 49)], "SD", "SD", None),
        ([(0, 15), (42, 19)], "SD", "SD", None),  # 27 % but 4 mm
        ([(0, 15), (42, 20)], "PD", "PD", 42),
        # against the nadir, not the baseline
        ([(0, 100), (42, 60), (84, 60), (126, 72)], "PR PR PD", "PR", 126),
        ([(0, 100), (42, 60), (84, 71)], "PR SD", "SD", None),
        ([(0, 100), (42, 60), (84, 72)], "PR PD", "SD", 84),
        ([(0, 100), (28, 60), (56, 72)], "PR PD", "PD", 56),  # stable for less than six weeks
        # complete
        ([(0, 20, 15), (42, 0, 0), (84, 0, 0)], "CR CR", "CR", None),
        ([(0, 20, 15), (42, 0, 0), (84, 0, 5)], "CR PD", "SD", 84),  # what comes back after CR
        ([(0, 20, 15), (42, 8, 5), (84, 0, 0)], "PR CR", "PR", None),  # confirmed as partial only
        # a stable visit, or one not evaluable, between two partial ones
        ([(0, 100), (42, 69), (70, 72), (98, 69)], "PR SD PR", "PR", None),
        ([(0, 100), (42, 69), (70, None), (98, 69)], "PR NE PR", "PR", None),
        ([(0, 100), (42, None)], "NE", "NE", None),
        # one lesion not evaluated, the other alone is progression
        ([(0, 60, 40), (42, 125, None)], "PD", "PD", 42),
        # responses after progression do not count
        ([(0, 100), (42, 125), (84, 50), (126, 50)], "PD PR PR", "PD", 42),
        ([(0, 100)], "", "NE", None),
    ],
)  # fmt: skip
def test_responses_worked_out_by_hand(rows, responses, best, progression):
    found = assess(visits(*rows))
    assert (" ".join(found.responses), found.best, found.progression) == (responses, best, progression)


def test_new_lesions_and_others():
    base = Visit(0.0, (50.0,), others="present")
    assert assess([base, Visit(42.0, (20.0,), new=True)]).responses == ("PD",)
    assert assess([base, Visit(42.0, (20.0,), others="progress")]).responses == ("PD",)
    assert assess([base, Visit(42.0, (0.0,), others="present")]).responses == ("PR",)
    assert assess([base, Visit(42.0, (0.0,), others="gone")]).responses == ("CR",)
    assert assess([base, Visit(42.0, (0.0,), others="unknown")]).responses == ("PR",)


def test_a_lymph_node_is_gone_below_10_mm():
    found = assess(visits((0, 30, 20), (42, 0, 9)), nodes=(False, True))
    assert found.responses == ("CR",)
    assert assess(visits((0, 30, 20), (42, 0, 10)), nodes=(False, True)).responses == ("PR",)


def test_what_else_an_assessment_says():
    found = assess(visits((0, 100), (42, 60), (84, 80)))
    assert found.progression == 84.0 and found.nadir == (60.0, 42.0)
    assert found.best_change == pytest.approx(-40.0) and found.changes == pytest.approx((0.0, -40.0, -20.0))
    assert found.progression_free() == (84.0, True) and found.progression_free(50.0) == (50.0, True)
    assert assess(visits((0, 100), (42, 90), (84, None))).progression_free() == (42.0, False)


def test_small_lesions_and_which_ones_are_followed():
    assert [seen_as(d) for d in (0.2, 1.0, 4.0, 5.0, 7.0)] == [0.0, 5.0, 5.0, 5.0, 7.0] and seen_as(
        4.0, node=True
    ) == 4.0
    p = (patch(0.01),)
    lesions = [
        Lesion(d, p, organ)
        for d, organ in ((30.0, "liver"), (20.0, "liver"), (15.0, "liver"), (9.0, "lung"), (12.0, "lung"))
    ]
    assert targets([*lesions, Lesion(14.0, p, "node", node=True)]) == [0, 1, 4]
    with pytest.raises(InputError, match="none of the lesions is measurable"):
        visits_of([Lesion(9.0, p)], [0.0])


def test_a_patient_with_two_lesions_and_a_new_one():
    lesions = [Lesion(30.0, (patch(-0.03, -0.03),)), Lesion(20.0, (patch(0.0, 0.0),))]
    found = assess(visits_of(lesions, [0.0, 42.0, 84.0, 126.0], new=[100.0]))
    assert found.sums[:2] == pytest.approx((50.0, 30.0 * math.exp(-0.42) + 20.0))
    assert found.responses == ("SD", "PR", "PD") and found.progression == 126.0


def test_all_that_is_wrong_with_visits_at_once():
    with pytest.raises(ModelError) as raised:
        assess([Visit(0.0, (10.0,)), Visit(0.0, (10.0, 2.0)), Visit(5.0, (-1.0,), others="maybe")], nodes=(True, False))
    assert len(raised.value.problems) == 5
    with pytest.raises(ModelError, match="a diameter above 0"):
        assess([Visit(0.0, (None,))])
    with pytest.raises(InputError, match="without a visit"):
        assess([])
