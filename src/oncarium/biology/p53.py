"""Damage switches p53 on."""

from __future__ import annotations

from .score import Score, rate, share


class P53(Score):
    """p53: 0 silent, 1 fully active; it arrests the cycle and kills by rules.

    Equation    level' = rise (1 - level) - fall level

    Column   Unit    Kind       Meaning
    level    1       State      activity of p53
    rise     1/min   Behavior   damage increases it, STAT3 decreases it; 0 in cells that have lost p53
    fall     1/min   Behavior   MDM2
    """

    section = "p53"
    level = share("activity of p53")
    rise = rate("rate of activation")
    fall = rate("rate of inactivation")
