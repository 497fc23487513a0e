"""Inhibitors bind proteases, and cathepsins fail where it is not acid."""

from __future__ import annotations

import math

from ..engine.loop import each_voxel


@each_voxel(name="TimpBinding", writes=("demand_mmp", "demand_timp"))
def timp_binding(mmp, timp, rate="0.1 1/min"):
    """TIMP binds MMP one to one.

    Equation    both are lost at rate x MMP x TIMP (activities of 1 are the reference; rate assumed)
    """
    return rate * timp, rate * mmp


@each_voxel(name="CathepsinDecay", writes=("demand_cathepsin",))
def cathepsin_decay(acid, normal="7.4", buffer="25", fast="0.2 1/min", half="7.0", steepness="8"):
    """Cysteine cathepsins are inactivated at neutral pH.

    Equation    rate = fast / (1 + exp(-steepness (pH - half))),   pH = normal - acid / buffer

    Source      lowest below pH 6.8, fast above 7.2 (assumed).
    """
    ph = normal - acid / buffer
    return fast / (1.0 + math.exp(-steepness * (ph - half)))
