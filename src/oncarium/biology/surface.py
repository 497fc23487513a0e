"""What a cell shows to those that touch it: antigen on MHC-I, PD-L1, CD47, and the PD-1 and TIE2 with which it looks.

Columns only: rules say what raises them (interferon, hypoxia, oncogenes), `checkpoint.py` and `antigen.py` what neighbors make of them.
"""

from __future__ import annotations

from ..engine.column import Behavior

MHC1 = Behavior("1", 1.0, ge=0.0, doc="antigen-presenting MHC-I, as a share of a normal cell's", name="surface.mhc1")
ANTIGEN = Behavior("1", 0.0, ge=0.0, doc="foreignness of the antigens shown; 1 is a typical immunogenic tumor", name="surface.antigen")
PDL1 = Behavior("1/um^2", 0.0, ge=0.0, doc="PD-L1 molecules per area", name="surface.pdl1")
PD1 = Behavior("1/um^2", 0.0, ge=0.0, doc="PD-1 molecules per area", name="surface.pd1")
CD47 = Behavior("1/um^2", 0.0, ge=0.0, doc="CD47 molecules per area", name="surface.cd47")
SHIELD = Behavior("1", 0.0, ge=0.0, le=1.0, doc="share by which CD47 lowers the rate of being eaten alive", name="surface.shield")
TIE2 = Behavior("1", 0.0, ge=0.0, doc="TIE2, the receptor of ANG1 and ANG2, as a share of an endothelial cell's", name="surface.tie2")
SURFACE = (MHC1, ANTIGEN, PDL1, PD1, CD47, SHIELD, TIE2)
