"""Cells without oxygen stabilise HIF-1a."""

from __future__ import annotations

from .score import Score, rate, share


class Hypoxia(Score):
    """Hypoxia response: the share of HIF-1a that is stable.

    Equation    level' = rise (1 - level) - fall level; with rise = h / lag and fall = (1 - h) / lag it follows
                h(oxygen) with that lag

    Column   Unit    Kind       Meaning
    level    1       State      stable HIF-1a, as a share of the most a cell has
    rise     1/min   Behavior   oxygen decreases it: half at 11 mmHg, Hill power 2
    fall     1/min   Behavior   oxygen increases it

    Assumptions   a lag of one hour in place of half-lives of 5 min (with oxygen) and 60 min (without).
    Source        half of the largest response at 1.5 to 2 % oxygen: Jiang et al. 1996, Am J Physiol 271:C1172 (DOI
                  10.1152/ajpcell.1996.271.4.C1172).
    """

    section = "hypoxia"
    level = share("stable HIF-1a, as a share of the most a cell has")
    rise = rate("rate at which HIF-1a becomes stable")
    fall = rate("rate at which it is degraded")
