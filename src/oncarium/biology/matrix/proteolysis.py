"""Proteases activate each other, inhibitors bind them, and cathepsins fail where it is not acid."""

from __future__ import annotations

import math

from ...engine.loop import each_voxel


@each_voxel(
    name="ProteaseCascade",
    writes=("supply_mmp", "supply_serine_protease"),
    needs=("mmp", "serine_protease", "cathepsin"),
)
def protease_cascade(
    supply_mmp, supply_serine_protease, serine_protease, cathepsin, zymogen="0.3", pro_upa="0.5", half="0.5"
):
    """Plasmin activates pro-MMP, cathepsin activates pro-uPA.

    Equation    share of the secreted zymogens that becomes active:
                0.3 + 0.7 S / (0.5 + S) of MMP,   0.5 + 0.5 C / (0.5 + C) of serine protease
                S, C: local activities of serine and cysteine proteases

    Reads       the supplies that secretion has added, and the activities.     Numbers assumed.
    Source      structure of the cascade: Mason & Joyce 2011, Trends Cell Biol 21:228 (DOI 10.1016/j.tcb.2010.12.002).
    """
    dormant_mmp = (1.0 - zymogen) * half / (half + max(serine_protease, 0.0))
    dormant_upa = (1.0 - pro_upa) * half / (half + max(cathepsin, 0.0))
    return -dormant_mmp * supply_mmp, -dormant_upa * supply_serine_protease


@each_voxel(name="TimpBinding", writes=("demand_mmp", "demand_timp"), needs=("mmp", "timp"))
def timp_binding(mmp, timp, rate="0.1 1/min"):
    """TIMP binds MMP one to one.

    Equation    both are lost at rate x MMP x TIMP (activities of 1 are the reference; rate assumed)
    """
    return rate * timp, rate * mmp


@each_voxel(name="CathepsinDecay", writes=("demand_cathepsin",), needs=("cathepsin", "acid"))
def cathepsin_decay(acid, normal="7.4", buffer="25", fast="0.2 1/min", half="7.0", steepness="8"):
    """Cysteine cathepsins are inactivated at neutral pH.

    Equation    rate = fast / (1 + exp(-steepness (pH - half))),   pH = normal - acid / buffer

    Source      lowest below pH 6.8, fast above 7.2 (assumed).
    """
    ph = normal - acid / buffer
    return fast / (1.0 + math.exp(-steepness * (ph - half)))
