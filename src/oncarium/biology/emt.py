"""Epithelial cells become mesenchymal, and turn back."""

from __future__ import annotations

from .score import Score, rate, share


class Emt(Score):
    """Epithelial-mesenchymal transition: 0 epithelial, 1 mesenchymal and invasive.

    Equation    level' = rise (1 - level) - fall level. A rule by which the level increases its own rise (ZEB and
                miR-200 repress each other) makes it bistable.

    Column   Unit    Kind       Meaning
    level    1       State      0 epithelial, 1 mesenchymal
    rise     1/min   Behavior   TGF-b (by SMAD), hypoxia, HGF and stiffness increase it
    fall     1/min   Behavior   TGF-b decreases it: without the signal cells turn back

    Source      the structure is that of Tian et al. 2013, Biophys J
                105:1079 (DOI 10.1016/j.bpj.2013.07.011); rates are assumed.
    """

    section = "emt"
    level = share("0 epithelial, 1 mesenchymal")
    rise = rate("rate of becoming mesenchymal")
    fall = rate("rate of turning back")
