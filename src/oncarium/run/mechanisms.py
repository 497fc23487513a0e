"""Which mechanisms a model's sections switch on, beyond those that every tissue has."""

from __future__ import annotations

import numpy as np

from ..biology.acidity import acidity
from ..biology.activation import Activation
from ..biology.antigen import antigen
from ..biology.caf import Caf
from ..biology.checkpoint import checkpoint
from ..biology.drive import Drive
from ..biology.emt import Emt
from ..biology.evolution import Evolution
from ..biology.exhaustion import Exhaustion
from ..biology.hypoxia import Hypoxia
from ..biology.inflammation import Inflammation
from ..biology.maturation import Maturation
from ..biology.metabolism import metabolism
from ..biology.networks import Net, Networks
from ..biology.p53 import P53
from ..biology.polarization import Polarization
from ..biology.score import Score
from ..biology.smad import Smad
from ..biology.stat3 import Stat3
from ..biology.stemness import Stemness
from ..biology.trapping import trapping
from ..engine.population import Population
from ..engine.process import Process
from ..spec.model import Model

SCORES: tuple[type[Score], ...] = (
    Hypoxia, Stat3, Smad, Emt, P53, Drive, Polarization, Activation, Exhaustion, Maturation, Caf, Inflammation,
)  # fmt: skip
LOOPS = {"acidity": acidity, "metabolism": metabolism, "checkpoint": checkpoint, "antigen": antigen, "trapping": trapping}


BALANCE = ("metabolism.respiration", "metabolism.glycolysis", "metabolism.energy")  # a consumption alone needs no balance of energy


def speaks_of(model: Model, section: str) -> bool:
    """Does a type, or a rule, speak of this mechanism?"""
    if section != "metabolism":
        return model.uses(section)
    named = {c for t in model.types for c in t.values} | {c for _, r in model.rules for c, _ in (r.behavior, r.signal)}
    return not named.isdisjoint(BALANCE)


def chosen(model: Model) -> list[Process]:
    """The mechanisms that some cell type, or a rule, speaks of."""
    period = model.clock.phenotype
    scores = [score(period) for score in SCORES if model.uses(score.section)]
    return networks(model) + scores + [make(period=period) for section, make in LOOPS.items() if speaks_of(model, section)]


def networks(model: Model) -> list[Process]:
    """Boolean networks of the cell types; types with the same one share it."""
    if not model.networks:
        return []
    types, factors = [t.name for t in model.types], [f.name for f in model.factors]
    labels: dict[str, list[str]] = {"factor": factors, "type": types, "phase": list(model.names.phases)}
    different = list({repr(n): n for n in model.networks.values()}.values())
    nets = []
    for n in different:
        inputs = []
        for i in n.inputs:
            column, label = i.signal
            axis = model.names.columns[column].axis
            inputs.append((i.node, column, labels[axis or ""].index(label) if label is not None else -1, i.threshold, i.above))
        kinds = np.array([repr(model.networks.get(t)) == repr(n) for t in types])
        starts = tuple((s.nodes, s.states, s.chances) for s in n.logic.starts)
        p = np.array(list(n.logic.parameters.values()), float)
        nets.append(Net(kinds, n.logic.nodes, n.logic.up, n.logic.down, p, starts, n.held, tuple(inputs), n.minutes))
    return [Networks(model.clock.phenotype, nets)]


def after_division(model: Model, population: Population) -> list[Process]:
    """What mothers pass on to daughters."""
    out: list[Process] = []
    if model.uses("stem"):
        out.append(Stemness(model.clock.mechanics, population, np.array(["stem" in t.sections for t in model.types])))
    if model.uses("evolution"):
        out.append(Evolution(model.clock.mechanics, population))
    return out
