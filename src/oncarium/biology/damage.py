"""Cells gather damage and repair it."""

from __future__ import annotations

import math

from ..engine.column import Behavior, State
from ..engine.loop import each_cell

RATE = Behavior("1/min", ge=0.0, doc="damage gained per time", name="damage.rate")
REPAIR = Behavior("1/min", ge=0.0, doc="repair rate of damage", name="damage.repair")
LEVEL = State("1", ge=0.0, settable=True, at_change="base", doc="accumulated damage", name="damage.level")
NEGLIGIBLE = 1e-8  # 1/min: PhysiCell leaves damage alone where both rates are smaller


@each_cell(
    name="Damage", slot="act", among="inside", writes=("damage.level",), columns=(RATE, REPAIR, LEVEL),
    words=("damage", "phagocytosis", "attack", "fusion"), clock="mechanics",  # as attacks, whose damage it repairs
)  # fmt: skip
def damage(damage_level, damage_rate, damage_repair, dt, exact=1.0):
    """D' = rate - repair D; exact over the step, or (exact = 0) implicit Euler as in PhysiCell."""
    if exact > 0.5:
        if damage_repair * dt > 1e-12:
            keep = math.exp(-damage_repair * dt)
            return damage_level * keep + damage_rate * (1.0 - keep) / damage_repair
        return damage_level + damage_rate * dt
    if damage_rate <= NEGLIGIBLE and damage_repair <= NEGLIGIBLE:
        return damage_level
    return (damage_level + dt * damage_rate) / (1.0 + dt * damage_repair)
