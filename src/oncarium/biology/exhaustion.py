"""T cells that see antigen without end lose their force."""

from __future__ import annotations

from .score import Score, rate, share


class Exhaustion(Score):
    """Exhaustion: 0 fresh, 1 exhausted.

    Equation    level' = rise (1 - level) - fall level

    Column   Unit    Kind       Meaning
    level    1       State      0 fresh, 1 exhausted
    rise     1/min   Behavior   antigen, PD-1, regulatory T cells, hypoxia and TGF-b increase it
    fall     1/min   Behavior   recovery
    """

    section = "exhaustion"
    level = share("0 fresh, 1 exhausted")
    rise = rate("rate of exhaustion")
    fall = rate("rate of recovery")
