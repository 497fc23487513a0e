"""Fibroblasts become cancer-associated."""

from __future__ import annotations

from .score import Score, rate, share


class Caf(Score):
    """Activation of fibroblasts: 0 quiescent, 1 cancer-associated.

    Equation    level' = rise (1 - level) - fall level

    Column   Unit    Kind       Meaning
    level    1       State      0 quiescent, 1 cancer-associated (CAF)
    rise     1/min   Behavior   TGF-b, PDGF-B and stiffness increase it
    fall     1/min   Behavior   return to quiescence
    """

    section = "caf"
    level = share("0 quiescent, 1 cancer-associated")
    rise = rate("rate of activation")
    fall = rate("rate of return to quiescence")
