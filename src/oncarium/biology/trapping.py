"""M2 macrophages hold T cells that touch them."""

from __future__ import annotations

from ..engine.column import Signal
from ..engine.loop import each_contact
from .polarization import Polarization

HELD = Signal("1", ge=0.0, doc="touching macrophages, each counted by its M2 score", name="trapping.held")


@each_contact(name="Trapping", slot="sense", writes=("trapping.held",), columns=(HELD, Polarization.level))
def trapping(other_polarization_level, other_vital):
    """Contacts with M2 macrophages.

    Equation    held = sum of polarization.level over touching live neighbors

    Column               Unit   Kind     Meaning
    polarization.level   1      State    of the neighbor (0 for what is no macrophage)
    trapping.held        1      Signal   a rule on motility.speed makes it hold T cells

    Source      Peranzoni et al. 2018, PNAS 115:E4041 (DOI 10.1073/pnas.1720948115):
                T cells stay with macrophages; the strength is assumed.
    """
    return other_polarization_level if other_vital == 0 else 0.0
