"""Macrophages take sides: M1 fights, M2 helps the tumor."""

from __future__ import annotations

from .score import Score, rate, share


class Polarization(Score):
    """Polarization: 0 is M1, 1 is M2.

    Equation    level' = rise (1 - level) - fall level

    Column   Unit    Kind       Meaning
    level    1       State      0 M1 (inflammatory), 1 M2 (repairing)
    rise     1/min   Behavior   IL-10, TGF-b, IL-6, lactate, hypoxia and CSF1 increase it
    fall     1/min   Behavior   IFN-g, IL-12 and debris increase it

    Assumptions   one continuous score; repolarization takes one to two days, as in culture.
    """

    section = "polarization"
    level = share("0 M1, 1 M2")
    rise = rate("rate toward M2")
    fall = rate("rate toward M1")
