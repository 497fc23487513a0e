"""The numerics of PhysiCell as a Plan: the same mechanisms at the file's time steps, in its order, with rates as chances per step.

One tick is one mechanics step. At its start a single diffusion step, then what is due of

    sense, decide, act    once per phenotype step: transformations, rules, volume, damage, death, cycle
    renew                 divisions, then removals
    move                  headings, attachments, velocities, contacts, removals, new positions
    rest                  the remaining diffusion steps of the tick, in one call

so that a snapshot holds the state before the step that starts at its time, and all mechanisms act at time 0 with their whole step.
Source: Ghaffarizadeh et al. 2018 (DOI 10.1371/journal.pcbi.1005991); order and formulas as of version 1.14.2.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd

import numpy as np

from ..biology.cycle import CYCLES, Cycle
from ..biology.damage import damage
from ..biology.death import Death
from ..biology.division import Division
from ..biology.exchange import Exchange
from ..biology.in_order import ContactsInOrder, SpringsInOrder
from ..biology.motility import Motility
from ..biology.outside import Freeze
from ..biology.rules import Link, Rules
from ..biology.sensing import Sensing
from ..biology.stepping import Positions, Velocities
from ..biology.transformation import Transformation
from ..biology.volume import Volume
from ..engine.population import Population
from ..engine.process import Process
from ..spec.model import Model

SLOTS = ("transport", "sense", "decide", "act", "renew", "move", "rest", "remodel", "body")


def tick_minutes(model: Model) -> float:
    """The longest tick that divides the steps of mechanics and phenotype and whatever is recorded, in whole diffusion steps."""
    step = model.clock.transport
    spans = [model.clock.mechanics, model.clock.phenotype, model.record.cells, model.record.fields, model.until]
    whole = [round(Fraction(span) / Fraction(step)) for span in spans if span > 0.0]
    return gcd(*whole) * step


def list_processes(model: Model, population: Population, links: list[Link], wanted: set[str], resets: tuple[str, ...]) -> list[Process]:
    """The mechanisms this model needs, slot by slot."""
    clock, count = model.clock, len(model.types)
    tick = tick_minutes(model)
    steps = round(tick / clock.transport)
    mechanics = Velocities(clock.mechanics)
    blind = model.compat == "1.14.2"
    out: list[Process] = []
    first = Exchange(tick, clock.transport, 1, model.internalise)
    if model.factors:
        out.append(first)
    out += [
        Sensing(clock.phenotype, mechanics, wanted, parts=("factors", "self")),
        Freeze(clock.phenotype, "sense", freeze=True),
    ]
    transforms = model.uses("transformation")
    remembers = transforms or model.uses("division") or model.uses("fusion")
    if transforms:
        out.append(Transformation(clock.phenotype, population, exact=False))
    if links or resets:
        out.append(Rules(clock.phenotype, links, resets, multiply=False, signed=blind))
    out += [
        Volume(clock.phenotype, exact=False, remembers=remembers),
        damage(period=clock.phenotype, exact=0.0),
        Death(clock.phenotype, population, exact=False),
    ]
    if any(t.cycle.phases for t in model.types):
        fixed = np.zeros((count, max(len(t.cycle.phases) for t in model.types)), np.bool_)
        for i, t in enumerate(model.types):
            fixed[i, : len(t.fixed)] = t.fixed
        out.append(Cycle(clock.phenotype, population, [CYCLES[t.cycle.name] for t in model.types], fixed, exact=False))
    out += [Freeze(clock.phenotype, "act", freeze=False), Division(clock.phenotype, population, exact=False)]
    if model.uses("motility"):
        motility = Motility(clock.mechanics, exact=False, normalized=np.array([t.normalized for t in model.types], np.bool_))
        motility.slot = "move"
        out.append(motility)
    contacts = any(model.uses(s) for s in ("phagocytosis", "attack", "fusion"))
    if model.uses("springs") or contacts:
        out.append(SpringsInOrder(clock.mechanics, mechanics, exact=False))
    out.append(mechanics)
    if contacts:
        out += [ContactsInOrder(clock.mechanics, population, mechanics, exact=False)]
        out += [Division(clock.mechanics, population, exact=False, slot="move")]
    if any(w.startswith("sense.contact") for w in wanted):
        out.append(Sensing(clock.mechanics, mechanics, wanted, ("contacts",), "move", clock.phenotype, blind))
    out.append(Positions(clock.mechanics))
    if "sense.gradient" in wanted:
        out.append(Sensing(clock.mechanics, mechanics, wanted, ("gradients",), "move", clock.phenotype))
    if model.factors and steps > 1:
        out.append(first.before(Exchange(tick, clock.transport, steps - 1, model.internalise, "rest", "Exchange on")))
    return out
