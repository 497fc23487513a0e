"""The numerics of PhysiCell as an order: the same mechanisms at the
file's time steps, in its order, with rates as chances per step.

One tick is one mechanics step. At its start a single diffusion step, then what is due of

    sense, decide, act    once per phenotype step: transformations, rules, volume, damage, death, cycle
    renew                 divisions, then removals
    move                  headings, attachments, velocities, contacts, removals, new positions
    rest                  the remaining diffusion steps of the tick, in one call

so that a snapshot holds the state before the step that starts at its time, and all
mechanisms act at time 0 with their whole step. Source: Ghaffarizadeh et al. 2018
(DOI 10.1371/journal.pcbi.1005991); order and formulas as of version 1.14.2."""

from __future__ import annotations

from fractions import Fraction
from math import gcd
from typing import Any

from ...engine.process import Variant
from ...engine.why import Why, given
from ..cycle import Cycle
from ..damage import damage
from ..death import Death
from ..division import Division
from ..motility import Motility
from ..outside import Freeze
from ..rules import Rules
from ..sensing import Sensing
from ..transformation import Transformation
from ..volume import Volume
from .contacts import ContactsInOrder, SpringsInOrder
from .mechanics import Positions, Velocities
from .transport import Exchange

SLOTS = ("transport", "sense", "decide", "act", "renew", "move", "rest", "remodel", "body")


def tick_minutes(model: Any) -> float:
    """The longest tick that divides the steps of mechanics and
    phenotype and whatever is recorded, in whole diffusion steps."""
    step = model.clock.transport
    spans = [model.clock.mechanics, model.clock.phenotype, model.record.cells, model.record.fields, model.until]
    whole = [round(Fraction(span) / Fraction(step)) for span in spans if span > 0.0]
    return gcd(*whole) * step


def reads(model: Any, *starts: str) -> Why:
    """Does somebody read a signal that starts so?"""
    read = sorted(w for w in model.wanted if w.startswith(starts))
    return given(read, f"somebody reads {', '.join(read)}", f"nobody reads {' or '.join(starts)}")


def several_steps(model: Any) -> Why:
    """Does a tick hold more than one diffusion step?"""
    return Exchange.why(model) and given(
        round(tick_minutes(model) / model.clock.transport) > 1, "a tick has several diffusion steps"
    )


MECHANISMS = (
    Exchange,
    Variant(Sensing, parts=("factors", "self")),
    Variant(Freeze, slot="sense", freeze=True),
    Transformation,
    Variant(Rules, multiply=False),
    Volume,
    Variant(damage, why=Death.why, clock="phenotype", exact=0.0),
    Death,
    Cycle,
    Variant(Freeze, slot="act", freeze=False),
    Variant(Division, clock="phenotype", requires=("division.asymmetric",)),
    Variant(Motility, slot="move"),
    SpringsInOrder,
    Velocities,
    ContactsInOrder,
    Variant(Division, why=ContactsInOrder.why, slot="move"),
    Variant(Sensing, why=lambda model: reads(model, "sense.contact"), slot="move", parts=("contacts",), ahead=True),
    Positions,
    Variant(Sensing, why=lambda model: reads(model, "sense.gradient"), slot="move", parts=("gradients",), ahead=True),
    Variant(Exchange, why=several_steps, slot="rest", rest=True),
)
