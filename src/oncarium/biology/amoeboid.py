"""Cells whose proteases fail them squeeze through pores in place of cutting their way."""

from __future__ import annotations

from .score import Score, rate, share


class Amoeboid(Score):
    """Amoeboid way of moving: 0 as ever, 1 rounded, loosely held and squeezing.

    Equation    level' = rise (1 - level) - fall level

    Column   Unit    Kind       Meaning
    level    1       State      0 cuts its way, 1 squeezes
    rise     1/min   Behavior   EMT increases it, lysis around the cell (guidance.lysis) decreases it
    fall     1/min   Behavior   rate of turning back

    What the level changes is said by rules: a cell that squeezes fits through narrower pores (guidance.pore) and holds
    on less to others (mechanics.adhesion); it is as fast as before. So where all proteases are blocked, invasion goes
    on wherever pores are wide enough, and nowhere else.

    Source      pores of 7 um^2 let tumor cells through without proteases: Wolf et al. 2013, J Cell Biol 201:1069 (DOI
                10.1083/jcb.201210152); the switch: Wolf et al. 2003, J Cell Biol 160:267 (DOI 10.1083/jcb.200209006);
                rates assumed.
    """

    section = "amoeboid"
    level = share("0 cuts its way, 1 squeezes")
    rise = rate("rate of beginning to squeeze")
    fall = rate("rate of turning back")
