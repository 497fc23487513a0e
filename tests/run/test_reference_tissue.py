"""The reference tissue at its operating point: what its rules do after five days, and that all that sleep can wake."""

import numpy as np
import pytest

import oncarium as oc
from helpers import fire
from oncarium.biology.rules import Rules
from oncarium.model.rule import speaks_of
from oncarium.run.operating import look
from oncarium.run.simulation import Simulation


@pytest.fixture(scope="module")
def tissue():
    simulation = Simulation(oc.load("reference"), seed=1)
    simulation.run("5 day")
    return simulation


def test_most_rules_act_and_half_tell_cells_apart(tissue):
    found = look(tissue)
    assert found.share(["works", "uniform"]) >= 0.75
    assert found.share(["works"]) >= 0.5
    assert sum(p.verdict == "asleep" for p in found.points) <= 0.12 * len(found.points)


def test_the_tissue_is_one(tissue):
    """No kind of cell has died out or taken over, and oxygen is that of tumors."""
    cells = tissue.tissue.cells
    live = cells["vital"] == 0
    count = {t: int((live & (cells.type == k)).sum()) for k, t in enumerate(cells.types)}
    assert 1000 < count["carcinoma"] < 3000 and 60 < count["tumor_macrophage"] < 400
    assert 80 < count["cd8_effector"] < 330  # per mm^2, as in human tumors
    oxygen = cells["sense.factor"][:, cells.labels("sense.factor").index("oxygen")][live & (cells.type == 0)]
    assert 2.0 < np.median(oxygen) < 32.0 and (oxygen < 2.5).mean() < 0.5  # mmHg: medians of 2,257 tumors


def test_every_rule_that_sleeps_can_be_woken():
    """Its signal far above its half, or, where it sleeps because it is always full, at nothing, moves the behavior."""
    simulation = Simulation(oc.load("reference"), seed=1)
    simulation.step()
    model, cells = simulation.model, simulation.tissue.cells
    rules = next(p for p in simulation.plan.processes if isinstance(p, Rules))
    sleeps = {t.name: t.sleeps for t in model.types}
    asked = 0
    for (name, rule), link in zip(model.rules, rules.links, strict=True):
        if not any(speaks_of(said, rule.pair) for said in sleeps[name]):
            continue
        asked += 1
        fate = cells["vital"].copy()
        mine = np.flatnonzero(cells.type == link.type)
        if not len(mine):
            continue
        if rule.pair[0] == "dead":
            cells["vital"][mine] = 1  # acts on the dead
        signal, behavior = (_entry(cells, place) for place in (link.signal, link.behavior))
        before = signal[mine].copy()
        seen = []
        for value in (0.0, 20.0 * link.half):
            signal[mine] = value
            fire(rules, simulation.tissue)
            seen.append(behavior[mine].copy())
        signal[mine] = before
        cells["vital"][:] = fate
        assert not np.array_equal(*seen), (name, rule.text)
    assert asked >= 10


def _entry(cells, place):
    name, label = place
    column = cells[name]
    return (
        column if column.ndim == 1 else column[:, label if isinstance(label, int) else cells.labels(name).index(label)]
    )
