"""Lymphocytes that meet their antigen are active for hours."""

from __future__ import annotations

from .score import Score, rate, share


class Activation(Score):
    """Activation: 1 right after contact with antigen; cytokines are released while it lasts.

    Equation    level' = rise (1 - level) - fall level

    Column   Unit    Kind       Meaning
    level    1       State      activation
    rise     1/min   Behavior   contact with antigen increases it
    fall     1/min   Behavior   half-life of 6.6 h
    """

    section = "activation"
    level = share("activation by antigen")
    rise = rate("rate of activation")
    fall = rate("rate at which it is forgotten")
