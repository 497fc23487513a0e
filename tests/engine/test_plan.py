"""The plan: order, periods, owners, the clock, what it prints."""

import pytest

from helpers import tissue_of
from oncarium.engine.plan import Plan, PlanError
from oncarium.engine.process import Process


class Note(Process):
    """Writes down when it fires."""

    def __init__(self, label, slot, period=0.0, sets=(), adds=(), log=None):
        self.label, self.slot, self.period, self.sets, self.adds = label, slot, period, sets, adds
        self.log = [] if log is None else log

    @property
    def name(self):
        return self.label

    def step(self, tissue, tick):
        self.log.append((self.label, tick.number, tick.time, tick.dt))


def test_order_is_slot_then_as_given_and_sources_come_before_the_solver():
    order = [
        ("e", "move", ("x",)),
        ("c", "act", ("y",)),
        ("d", "act", ()),
        ("b", "transport", ("value",)),
        ("a", "transport", ()),
    ]
    plan = Plan([Note(n, s, sets=sets) for n, s, sets in order], 1.0)
    assert "".join(p.name for p in plan.processes) == "abcde"


def test_processes_fire_at_multiples_of_their_period_and_the_clock_is_exact():
    log = []
    plan = Plan(
        [Note("fast", "move", 0.1, log=log), Note("slow", "act", 0.3, log=log), Note("tick", "body", log=log)], 0.1
    )
    tissue = tissue_of([])
    for _ in range(7):
        plan.tick(tissue, seed=1)
    assert [n for label, n, _, _ in log if label == "slow"] == [0, 3, 6]
    assert [label for label, n, _, _ in log if n == 3] == ["slow", "fast", "tick"]
    assert {dt for label, _, _, dt in log if label == "slow"} == {3 * 0.1}
    assert tissue.tick == 7 and tissue.time == 7 * 0.1
    assert [row["firings"] for row in plan.rows()] == [3, 7, 7]


def test_a_period_must_be_a_whole_number_of_ticks():
    for period in (0.25, 0.05):
        with pytest.raises(PlanError, match=r"n: a period of .* is not a whole number of ticks of 0.1 min"):
            Plan([Note("n", "act", period)], 0.1)


def test_one_owner_per_array_and_slot():
    with pytest.raises(PlanError, match="slot act: a and b both set speed"):
        Plan([Note("a", "act", sets=("speed",)), Note("b", "act", sets=("speed",))], 1.0)
    Plan(
        [Note("a", "act", sets=("speed",)), Note("b", "move", sets=("speed",)), Note("c", "act", adds=("speed",))], 1.0
    )


def test_the_printed_plan_names_everything():
    text = str(Plan([Note("a", "act", 2.0, sets=("speed",), adds=("fields.supply",))], 1.0))
    assert "act" in text and "2 min" in text and "speed, +fields.supply" in text


def test_a_long_list_is_folded_to_sections_and_cut():
    many = tuple(f"s{k // 2}.{'ab'[k % 2]}" for k in range(60))
    process = Note("a", "act", 1.0, sets=many, adds=("position",))
    plan = Plan([process], 1.0)
    line = str(plan).splitlines()[-1]
    assert "s0.*, s1.*" in line and line.endswith(" more") and len(line) < 140
    told = len(line.partition("s0")[2].split(", ")) + int(line.split()[-2])
    assert told == 31  # thirty sections and +position
    assert plan.rows()[0]["writes"].count(",") == 60, "the rows themselves keep every name"


def test_a_process_without_a_step_says_so():
    with pytest.raises(TypeError, match="Process has no step"):
        Process().step(None, None)


def test_summed_times_have_their_rounding_and_survive_a_restart():
    """Steps of 0.01 min summed one by one: 6 min later it is not 6.0
    to the last bit, and 7.5 times 6 min falls on the source's side."""
    note = Note("six", "act", 6.0)
    plan = Plan([note], 0.1, summed=0.01)
    tissue = tissue_of([note])
    for _ in range(181):
        plan.tick(tissue, 1)
    times, t = [0.0], 0.0
    for k in range(1, 1801):
        t += 0.01
        if k % 600 == 0:
            times.append(t)
    assert [dt for *_, dt in note.log] == [6.0, times[1] - times[0], times[2] - times[1], times[3] - times[2]]
    assert times[1] != 6.0
    other, again = Note("six", "act", 6.0), tissue_of([note])
    again.tick, again.time = 180, 18.0
    Plan([other], 0.1, summed=0.01).tick(again, 1)
    assert other.log[0][3] == note.log[3][3]
