"""TGF-b switches SMAD2/3 on."""

from __future__ import annotations

from .score import Score, rate, share


class Smad(Score):
    """SMAD2/3: the share that is phosphorylated.

    Equation    level' = rise (1 - level) - fall level

    Column   Unit    Kind       Meaning
    level    1       State      phosphorylated share of SMAD2/3
    rise     1/min   Behavior   TGF-b increases it (half 0.1 nM)
    fall     1/min   Behavior   dephosphorylation, one to two hours
    """

    section = "smad"
    level = share("phosphorylated share of SMAD2/3")
    rise = rate("rate of phosphorylation")
    fall = rate("rate of dephosphorylation")
