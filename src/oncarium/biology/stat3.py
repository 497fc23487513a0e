"""IL-6 switches STAT3 on."""

from __future__ import annotations

from .score import Score, rate, share


class Stat3(Score):
    """STAT3: the share that is phosphorylated.

    Equation    level' = rise (1 - level) - fall level

    Column   Unit    Kind       Meaning
    level    1       State      phosphorylated share of STAT3
    rise     1/min   Behavior   IL-6 increases it (half 0.015 to 0.1 nM)
    fall     1/min   Behavior   dephosphorylation, half an hour to an hour
    """

    section = "stat3"
    level = share("phosphorylated share of STAT3")
    rise = rate("rate of phosphorylation")
    fall = rate("rate of dephosphorylation")
