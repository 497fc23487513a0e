"""Cells look for foreign antigen on those that touch them, and carry that of those they have eaten."""

from __future__ import annotations

from ..engine.column import Signal, State
from ..engine.loop import each_contact
from .surface import SURFACE

SEEN = Signal("1", ge=0.0, doc="antigen seen: the largest of all contacts", name="antigen.seen")

LOAD = State(
    "1",
    ge=0.0,
    inherit="halve",
    doc="antigen of the cells it has eaten; 1 is that of one typical tumor cell",
    name="antigen.load",
)


@each_contact(
    name="Antigen", slot="sense", writes=("antigen.seen",), reduce="max", columns=(SEEN, LOAD, *SURFACE), among="live"
)
def antigen(other_surface_antigen, other_surface_mhc1, other_vital):
    """Antigen that a lymphocyte sees on live and dying neighbors.

    Equation    seen = largest of antigen * mhc1 over all neighbors

    Column            Unit   Kind       Meaning
    surface.antigen   1      Behavior   foreignness of what the neighbor shows
    surface.mhc1      1      Behavior   how much of it the neighbor shows
    antigen.seen      1      Signal     what is seen; rules join it to activation, exhaustion and attack
    antigen.load      1      State      what it has eaten: an eater gains what its victim shows and carries (contacts),
                                        an exit takes it to a node
    """
    return other_surface_antigen * other_surface_mhc1 if other_vital == 0 else 0.0
