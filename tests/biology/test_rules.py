"""Rules: by hand, against the twin, bounds, order of evaluation, the dead."""

import numpy as np
import pytest

from helpers import TYPES, add_cells, ball, fire, shuffle, tissue_of
from oncarium.biology.death import Death
from oncarium.biology.mechanics import Mechanics
from oncarium.biology.motility import Motility
from oncarium.biology.rules import Link, Rules
from oncarium.biology.sensing import Sensing
from reference import rules as twin

SPEED, BIAS = ("motility.speed", -1), ("motility.bias", -1)
OXYGEN, PRESSURE, TIME = ("sense.factor", 0), ("sense.pressure", -1), ("sense.time", -1)


def world(links, base=1.0, count=60):
    mechanics, rules = Mechanics(1.0), Rules(6.0, links)
    every = [mechanics, Sensing(6.0, mechanics, {"sense.time"}), Motility(1.0), Death(6.0), rules]
    tissue = tissue_of(every, types=TYPES, base={"motility.speed": base, "motility.bias": 0.5})
    add_cells(tissue, ball(count, 80.0), np.arange(count) % 3)
    cells, rng = tissue.cells, np.random.default_rng(5)
    cells["sense.factor"][:] = 40.0 * rng.random((count, 1))
    cells["sense.pressure"][:] = 3.0 * rng.random(count)
    cells["sense.time"][:] = 100.0 * rng.random(count)
    shuffle(tissue)
    return rules, tissue


def test_one_rule_by_hand():
    rules, tissue = world([Link(0, SPEED, OXYGEN, True, 5.0, 10.0, 4.0)])
    tissue.cells["sense.factor"][:] = 10.0
    fire(rules, tissue)
    np.testing.assert_allclose(tissue.cells["motility.speed"], np.where(tissue.cells.type == 0, 3.0, 1.0), rtol=1e-15)


def test_many_rules_agree_with_the_twin():
    up = [(OXYGEN, 20.0, 4.0, 5.0), (PRESSURE, 1.0, 2.0, 3.0)]
    down = [(TIME, 50.0, 3.0, 0.2), (PRESSURE, 2.0, 8.0, 0.1)]
    links = [Link(1, SPEED, s, True, b, h, p) for s, h, p, b in up] + [
        Link(1, SPEED, s, False, b, h, p) for s, h, p, b in down
    ]
    rules, tissue = world(links)
    fire(rules, tissue)
    c = tissue.cells
    for i in range(c.n):
        value = {OXYGEN: c["sense.factor"][i, 0], PRESSURE: c["sense.pressure"][i], TIME: c["sense.time"][i]}
        terms = [[(value[s], h, p) for s, h, p, _ in side] for side in (up, down)]
        expected = twin.behavior(1.0, 5.0, 0.1, *terms) if c.type[i] == 1 else 1.0
        assert c["motility.speed"][i] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("multiply", [True, False])
@pytest.mark.parametrize("power", [1.0, 2.0, 2.5, 3.0, 4.0])
def test_a_negative_signal_counts_as_zero_whatever_the_power(power, multiply):
    rules, tissue = world([Link(0, SPEED, OXYGEN, True, 5.0, 10.0, power)])
    rules.multiply = multiply
    rules.prepare(tissue)
    tissue.cells["sense.factor"][:] = -5.0
    fire(rules, tissue)
    assert (tissue.cells["motility.speed"] == 1.0).all()


@pytest.mark.parametrize("multiply", [True, False])
def test_a_negative_signal_counts_by_its_whole_power_where_the_standard_codes_bug_is_asked_for(multiply):
    for power in (2.0, 3.0, 2.5):
        rules, tissue = world([Link(0, SPEED, OXYGEN, True, 5.0, 10.0, power)])
        rules.multiply, rules.signed = multiply, True
        rules.prepare(tissue)
        tissue.cells["sense.factor"][:] = -5.0
        fire(rules, tissue)
        speed = tissue.cells["motility.speed"][tissue.cells.type == 0]
        np.testing.assert_allclose(speed, twin.behavior(1.0, 5.0, 1.0, [(-5.0, 10.0, power)], []), rtol=1e-14)


def test_behaviors_stay_between_their_bounds_for_any_signal():
    links = [Link(0, SPEED, OXYGEN, True, 5.0, 20.0, 8.0), Link(0, SPEED, PRESSURE, False, 0.2, 1.0, 8.0)]
    rules, tissue = world(links)
    rng = np.random.default_rng(2)
    c = tissue.cells
    c["sense.factor"][:, 0] = 10.0 ** rng.uniform(-300, 300, c.n)
    c["sense.pressure"][:] = 10.0 ** rng.uniform(-300, 300, c.n)
    fire(rules, tissue)
    speed = c["motility.speed"]
    rounding = 2e-16 * 5.0
    assert np.isfinite(speed).all() and (speed >= 0.2 - rounding).all() and (speed <= 5.0 + rounding).all()


def test_each_decision_starts_from_the_base():
    rules, tissue = world([Link(0, SPEED, OXYGEN, True, 5.0, 10.0, 4.0)])
    fire(rules, tissue)
    once = tissue.cells["motility.speed"].copy()
    fire(rules, tissue, 5)
    assert np.array_equal(tissue.cells["motility.speed"], once)


def test_a_later_behavior_reads_what_an_earlier_one_set():
    rules, tissue = world([Link(0, SPEED, OXYGEN, True, 5.0, 10.0, 4.0), Link(0, BIAS, SPEED, True, 1.0, 2.0, 1.0)])
    fire(rules, tissue)
    c = tissue.cells
    mine = c.type == 0
    expected = [twin.behavior(0.5, 1.0, 0.5, [(v, 2.0, 1.0)], []) for v in c["motility.speed"][mine]]
    np.testing.assert_allclose(c["motility.bias"][mine], expected, rtol=1e-13)


def test_the_dead_follow_only_rules_for_the_dead():
    links = [
        Link(0, SPEED, OXYGEN, True, 5.0, 10.0, 4.0),
        Link(0, SPEED, PRESSURE, True, 5.0, 1.0, 1.0, dead_too=True),
        Link(0, BIAS, OXYGEN, False, 0.0, 10.0, 4.0),
    ]
    rules, tissue = world(links)
    c = tissue.cells
    c["vital"][:] = 1
    fire(rules, tissue)
    expected = [twin.behavior(1.0, 5.0, 1.0, [(p, 1.0, 1.0)], []) for p in c["sense.pressure"]]
    np.testing.assert_allclose(c["motility.speed"], np.where(c.type == 0, expected, 1.0), rtol=1e-13)
    assert (c["motility.bias"] == 0.5).all()


def test_a_behavior_that_mechanisms_modulate_restarts_from_its_base_in_live_cells_only():
    rules, tissue = world([Link(0, BIAS, SPEED, True, 1.0, 2.0, 1.0)])
    rules.resets = ("motility.speed",)
    rules.prepare(tissue)
    c = tissue.cells
    c["vital"][::4] = 1
    c["motility.speed"][:] = 9.0
    fire(rules, tissue)
    live = c["vital"] == 0
    assert (c["motility.speed"] == np.where(live, 1.0, 9.0)).all()
    expected = twin.behavior(0.5, 1.0, 0.5, [(1.0, 2.0, 1.0)], [])  # the base, not what was left
    np.testing.assert_allclose(c["motility.bias"][live & (c.type == 0)], expected, rtol=1e-13)


def test_rules_follow_columns_that_move_when_the_population_grows():
    rules, tissue = world([Link(0, SPEED, OXYGEN, True, 5.0, 10.0, 4.0)])
    fire(rules, tissue)
    c = tissue.cells
    rows = c.add(np.zeros(500, np.int32))
    c["sense.factor"][:] = 10.0
    c["motility.speed"][rows] = 7.0
    fire(rules, tissue)
    np.testing.assert_allclose(c["motility.speed"], np.where(c.type == 0, 3.0, 1.0), rtol=1e-15)


def test_more_cells_than_one_block_and_a_trait_as_a_signal():
    links = [Link(k, SPEED, PRESSURE, True, 5.0, 1.0, 3.0) for k in range(3)]
    rules, tissue = world(links, count=700)
    c = tissue.cells
    assert "apoptosis.duration" in c.traits
    rules.links.append(Link(0, BIAS, ("apoptosis.duration", -1), True, 1.0, 516.0, 1.0))
    rules.prepare(tissue)
    c["vital"][::5] = 1
    c["motility.speed"][:] = 1.0
    fire(rules, tissue)
    live = c["vital"] == 0
    expected = [twin.behavior(1.0, 5.0, 1.0, [(p, 1.0, 3.0)], []) for p in c["sense.pressure"]]
    np.testing.assert_allclose(c["motility.speed"], np.where(live, expected, 1.0), rtol=1e-13)
    np.testing.assert_allclose(c["motility.bias"], np.where(live & (c.type == 0), 0.75, 0.5), rtol=1e-13)


def test_pathways_multiply_as_the_twin_says():
    links = [
        Link(1, SPEED, OXYGEN, True, 5.0, 20.0, 4.0, pathway="oxygen"),
        Link(1, SPEED, PRESSURE, False, 0.1, 1.0, 2.0, pathway="stress"),
        Link(1, SPEED, TIME, True, 3.0, 50.0, 3.0, pathway="stress"),
        Link(1, SPEED, TIME, False, 0.5, 50.0, 1.0),
    ]
    rules, tissue = world(links, base=0.8)
    fire(rules, tissue)
    c = tissue.cells
    for i in np.flatnonzero(c.type == 1):
        oxygen, pressure, time = c["sense.factor"][i, 0], c["sense.pressure"][i], c["sense.time"][i]
        made = [
            twin.behavior(0.8, 5.0, 0.8, [(oxygen, 20.0, 4.0)], []),
            twin.behavior(0.8, 3.0, 0.1, [(time, 50.0, 3.0)], [(pressure, 1.0, 2.0)]),
            twin.behavior(0.8, 0.8, 0.5, [], [(time, 50.0, 1.0)]),
        ]
        expected = twin.over_pathways(0.8, made, 0.0, np.inf)
        assert c["motility.speed"][i] == pytest.approx(expected, rel=1e-12)
    assert (c["motility.speed"][c.type != 1] == 0.8).all()


def test_pathways_keep_the_bounds_of_the_column_and_one_pathway_is_none():
    up = [Link(0, BIAS, OXYGEN, True, 1.0, 1e-9, 1.0, pathway=p) for p in ("a", "b")]
    rules, tissue = world(up)
    fire(rules, tissue)
    assert (tissue.cells["motility.bias"][tissue.cells.type == 0] == 1.0).all()  # 0.5 x 2 x 2, at most 1
    named = [Link(0, SPEED, s, True, 5.0, 10.0, 2.0, pathway="one") for s in (OXYGEN, PRESSURE)]
    values = []
    for links in (named, [Link(0, SPEED, s, True, 5.0, 10.0, 2.0) for s in (OXYGEN, PRESSURE)]):
        rules, tissue = world(links)
        fire(rules, tissue)
        values.append(tissue.cells["motility.speed"])
    assert (values[0] == values[1]).all()


def test_the_dead_follow_only_terms_for_the_dead_in_every_pathway():
    links = [
        Link(0, SPEED, OXYGEN, True, 5.0, 10.0, 4.0, pathway="a"),
        Link(0, SPEED, PRESSURE, True, 5.0, 1.0, 1.0, dead_too=True, pathway="b"),
    ]
    rules, tissue = world(links)
    tissue.cells["vital"][:] = 2
    fire(rules, tissue)
    c = tissue.cells
    x = c["sense.pressure"]
    np.testing.assert_allclose(c["motility.speed"], np.where(c.type == 0, 1.0 + 4.0 * x / (1.0 + x), 1.0), rtol=1e-12)
