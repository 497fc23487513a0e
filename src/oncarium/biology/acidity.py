"""Acid lowers the pH as far as the buffer lets it."""

from __future__ import annotations

from ..engine.column import Signal
from ..engine.loop import each_cell

PH = Signal("1", 7.4, ge=0.0, doc="pH of the fluid around the cell", name="acidity.ph")


@each_cell(name="Acidity", slot="sense", among="all", writes=("acidity.ph",), columns=(PH,), needs=("acid",))
def acidity(sense_acid, normal="7.4", buffer="25"):
    """pH around the cell.

    Equation    pH = normal - acid / buffer

    Column       Unit   Kind     Meaning
    sense.acid   mM     Signal   acid added to the fluid
    acidity.ph   1      Signal   pH; normal = 7.4

    Parameters   buffer: mM of acid per unit of pH, bicarbonate and proteins together (assumed: 25).
    """
    return normal - sense_acid / buffer
