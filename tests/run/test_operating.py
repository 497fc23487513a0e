"""Operating points of rules: against the response worked out by hand, the classes, what sleeps, the command."""

import numpy as np
import pytest

import oncarium as oc
from oncarium.biology.rules import Link, Rules
from oncarium.run.operating import behavior, look
from oncarium.run.simulation import Simulation

RULES = {
    "oxygen increases cycle.exit.live to 0.002 1/min, half 20 mmHg, hill 1 assumed": "uniform",
    "pressure decreases motility.speed to 0 um/min, half 1000, hill 4 assumed": "silent",
    "motility.bias decreases mechanics.adhesion to 0 um/min, half 0.01, hill 1 assumed": "saturated",
    "sense.time increases mechanics.adhesion to 0.8 um/min, half 1 h, hill 1 assumed": "faint",
}
TEXT = f"""
domain: {{x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}}
factors:
  oxygen: {{unit: mmHg, diffusion: 0 um^2/min, decay: 0 1/min, initial: 20 mmHg assumed, boundary: no-flux}}
cells:
  tumor:
    cycle: {{model: live, exit: 0.0001 1/min assumed}}
    motility: {{speed: 0.1 um/min assumed, bias: 0.5 assumed}}
    mechanics: {{adhesion: 0.4 um/min assumed}}
    rules: {list(RULES)}
initial: [{{cells: tumor, disc: {{radius: 40 um}}, packing: hexagonal, spacing: 14 um}}]
"""


@pytest.fixture(scope="module")
def model():
    return oc.Model.from_text(TEXT)


def test_every_class_and_the_effect_by_hand(model):
    found = oc.operating_points(model, "12 min", seed=1)
    assert {p.rule.pair: p.verdict for p in found.points} == {
        p.rule.pair: v for p, v in zip(found.points, RULES.values(), strict=True)
    }
    first = found.points[0]
    assert first.signal == pytest.approx((20.0,) * 3) and first.own == pytest.approx((0.5,) * 3)
    assert first.effect == pytest.approx(0.5)  # at its half, of its own range, without others
    assert found.share(["works", "uniform"]) == 0.25 and found.counts()["silent"] == 1
    assert list(found.frame().verdict) == [p.verdict for p in found.points]
    assert "25% of the rules act" in str(found)


def test_the_behavior_is_what_the_rules_made_of_the_cells():
    more = [
        "oxygen increases motility.speed to 1 um/min, half 5 mmHg, hill 2, pathway air assumed",
        "motility.bias decreases motility.speed to 0.05 um/min, half 0.2, hill 1, pathway way assumed",
    ]
    simulation = Simulation(oc.Model.from_text(TEXT).with_({"cells.tumor.rules": more}), seed=1)
    simulation.run("12 min")
    cells = simulation.tissue.cells
    rules = next(p for p in simulation.plan.processes if isinstance(p, Rules))
    signals = {"sense.factor": cells["sense.factor"][:, 0], "motility.bias": cells["motility.bias"]}
    x = {id(k): (signals[k.signal[0]] / k.half) ** k.power for k in rules.links}
    made, span = behavior(0.1, rules.links, x)
    np.testing.assert_allclose(made, cells["motility.speed"], rtol=1e-12)
    assert span == pytest.approx(0.1 * 10 * 1 - 0.1 * 1 * 0.5)
    effect = look(simulation).points[1].effect  # of what there is: pathways multiply
    assert effect == pytest.approx(-(1 - (1 - 0.5 * 2.5 / 3.5)), rel=1e-9)


def test_a_rule_that_says_why_it_sleeps_leaves_the_count(model):
    asleep = model.with_({"cells.tumor.sleeps": {"pressure on *": "nothing presses here"}})
    found = oc.operating_points(asleep, "12 min", seed=1)
    assert [p.verdict for p in found.points][1] == "asleep" and found.points[1].reason == "nothing presses here"
    assert found.share(["works", "uniform"]) == pytest.approx(1 / 3)
    with pytest.raises(oc.ModelError, match="presure.*Did you mean .pressure."):
        model.with_({"cells.tumor.sleeps": {"presure on *": "no"}})


def test_a_type_without_cells_is_said(model):
    text = TEXT.replace(
        "  tumor:", '  other: {rules: ["oxygen increases motility.speed to 1 um/min, half 1 mmHg"]}\n  tumor:'
    )
    found = oc.operating_points(oc.Model.from_text(text), "6 min")
    assert [p.verdict for p in found.points if p.type == "other"] == ["no cells"]


def test_pathways_are_judged_by_what_is_left():
    one = Link(0, ("a", -1), ("s", -1), True, 4.0, 1.0, 1.0, pathway="p")
    other = Link(0, ("a", -1), ("s", -1), False, 0.0, 1.0, 1.0, pathway="q")
    x = {id(one): np.array([1.0]), id(other): np.array([3.0])}
    made, _ = behavior(2.0, [one, other], x)
    assert made == pytest.approx([2.0 * (3.0 / 2.0) * (0.5 / 2.0)])
    assert behavior(2.0, [one, other], x, skip=other)[0] == pytest.approx([3.0])
