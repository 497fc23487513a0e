"""Growth factors and oncogenes release the brake of the cycle (Rb)."""

from __future__ import annotations

from ..engine.column import Behavior
from .score import Score, rate, share


class Drive(Score):
    """Drive to divide: the share of Rb that is inactivated, whether by growth factors or by an oncogene.

    Equation    level' = rise (1 - level) - fall level

    Column     Unit    Kind       Meaning
    level      1       State      inactivated share of Rb
    rise       1/min   Behavior   EGF, HGF, IL-6 and the oncogene increase it
    fall       1/min   Behavior   TGF-b and p53 increase it
    oncogene   1       Behavior   strength of an activated oncogene, 0 to 1; a signal for rules
    """

    section = "drive"
    level = share("inactivated share of Rb")
    rise = rate("rate of inactivation of Rb")
    fall = rate("rate of its return")
    oncogene = Behavior("1", ge=0.0, le=1.0, doc="strength of an activated oncogene")
