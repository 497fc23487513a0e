"""Every rule of the library does what its sentence says: more of the signal, everything else equal, moves the behavior
in the said direction."""

import numpy as np
import pytest

from oncarium.biology.rules import Rules
from oncarium.engine.kernels.places import places_of
from oncarium.engine.kernels.response import respond
from oncarium.model.files import LIBRARY
from oncarium.model.model import Model
from oncarium.run.simulation import Simulation

LEVELS = (0.0, 0.1, 0.5, 1.0, 2.0, 10.0)  # of the signal, in halves


def engine_of(scenario):
    """The engine's rules of a scenario, prepared with the values of its types, and the names of these."""
    simulation = Simulation(Model.load(scenario), seed=1)
    engine = next(p for p in simulation.plan.processes if isinstance(p, Rules))
    return engine, simulation.tissue.cells.types


ENGINES = {name: engine_of(name) for name in ("hypoxic_tumor", "reference")}
CASES = [(name, k) for name, (engine, _) in ENGINES.items() for k in range(len(engine.links))]


def called(case):
    name, k = case
    link, types = ENGINES[name][0].links[k], ENGINES[name][1]
    return f"{types[link.type]}: {link.signal[0]}.{link.signal[1]} on {link.behavior[0]}.{link.behavior[1]}"


def response(engine, link, others):
    """The behavior at every level of the rule's signal, all other signals at `others` halves of their own rules; its
    base and its end."""
    row = engine.rows.index(link.behavior)
    own = engine.groups[engine.start[link.type] : engine.start[link.type + 1]]
    own = own[(own["behavior"] == row) & (own["end"] > own["up"])]
    values = np.zeros((len(LEVELS), len(engine.rows)))
    for other in engine.links:
        if (other.type, other.behavior) == (link.type, link.behavior):
            values[:, engine.rows.index(other.signal)] = others * other.half
    values[:, engine.rows.index(link.signal)] = np.array(LEVELS) * link.half
    values[:, own["own"][own["own"] >= 0]] = 1.0  # a cell like the mean of its type
    n = len(LEVELS)
    rows = np.arange(values.shape[1])
    places = places_of([values], np.zeros_like(rows), rows)
    kinds, vital, start = np.zeros(n, np.int32), np.zeros(n, np.uint8), np.array([0, len(own)])
    respond(0, n, kinds, vital, start, own, engine.terms, False, places)
    pathways = dict.fromkeys(k.pathway for k in engine.links if (k.type, k.behavior) == (link.type, link.behavior))
    mine = own[list(pathways).index(link.pathway)]
    return values[:, row], mine["base"], mine["highest" if link.increases else "lowest"]


def test_every_rule_of_the_library_is_here():
    told = {
        said["library"]: len(model.type(name).rules)
        for model in map(Model.load, ENGINES)
        for name, said in model.document.tree["cells"].items()
    }
    assert set(told) == {f.stem for f in (LIBRARY / "cells").glob("*.yaml")}
    assert len(CASES) >= sum(told.values())


@pytest.mark.parametrize("case", CASES, ids=called)
def test_more_of_the_signal_moves_the_behavior_as_said(case):
    engine, link = ENGINES[case[0]][0], ENGINES[case[0]][0].links[case[1]]
    sign = 1.0 if link.increases else -1.0
    for others in (0.0, 0.3, 1.0):
        values, base, end = response(engine, link, others)
        assert np.isfinite(values).all() and (np.diff(sign * values) >= 0.0).all()
        if others == 0.3:
            assert sign * (values[-1] - values[0]) > 0.0, "nothing moves"
        if others == 0.0:
            assert sign * (end - base) >= 0.0, "saturates on the wrong side of its base"
