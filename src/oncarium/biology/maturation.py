"""Dendritic cells that have eaten mature, unless they are told not to."""

from __future__ import annotations

from .score import Score, rate, share


class Maturation(Score):
    """Maturation of dendritic cells: 0 immature, 1 mature and on its way to the lymph node.

    Equation    level' = rise (1 - level) - fall level

    Column   Unit    Kind       Meaning
    level    1       State      0 immature, 1 mature
    rise     1/min   Behavior   antigen increases it; IL-10, TGF-b and VEGF-A decrease it
    fall     1/min   Behavior   none by default
    """

    section = "maturation"
    level = share("0 immature, 1 mature")
    rise = rate("rate of maturation")
    fall = rate("rate of falling back")
