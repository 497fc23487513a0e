"""Activated fibroblasts contract or inflame: myCAF and iCAF."""

from __future__ import annotations

from .score import Score, rate, share


class Inflammation(Score):
    """Balance of cancer-associated fibroblasts: 0 is myCAF (contractile), 1 is iCAF (inflammatory).

    Equation    level' = rise (1 - level) - fall level

    Column   Unit    Kind       Meaning
    level    1       State      0 myCAF, 1 iCAF
    rise     1/min   Behavior   IL-1 and IL-6 increase it
    fall     1/min   Behavior   TGF-b increases it

    Source      Ohlund et al. 2017, J Exp Med 214:579 (DOI 10.1084/jem.20162024); Biffi et al. 2019, Cancer Discov 9:282
                (DOI 10.1158/2159-8290.CD-18-0710), for the two states and what drives them.
    """

    section = "inflammation"
    level = share("0 myCAF, 1 iCAF")
    rise = rate("rate toward iCAF")
    fall = rate("rate toward myCAF")
