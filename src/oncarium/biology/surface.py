"""What a cell shows to those that touch it: antigen on MHC-I,
PD-L1, CD47, and the PD-1 and TIE2 with which it looks."""

from __future__ import annotations

from ..engine.column import Behavior
from ..engine.process import Process


class Surface(Process):
    """Columns only: rules say what raises them (interferon, hypoxia, oncogenes), `checkpoint.py`, `antigen.py` and
    `contacts.py` what neighbors make of them.

    Column    Unit     Kind       Meaning
    mhc1      1        Behavior   antigen-presenting MHC-I, as a share of a normal cell's
    antigen   1        Behavior   foreignness of the antigens shown; 1 is a typical immunogenic tumor
    pdl1      1/um^2   Behavior   PD-L1 molecules per area
    pd1       1/um^2   Behavior   PD-1 molecules per area
    cd47      1/um^2   Behavior   CD47 molecules per area
    shield    1        Behavior   share by which CD47 lowers the rate of being eaten alive
    tie2      1        Behavior   TIE2, the receptor of ANG1 and ANG2, as a share of an endothelial cell's
    """

    section = "surface"
    slot = ""
    mhc1 = Behavior("1", 1.0, ge=0.0, doc="antigen-presenting MHC-I, as a share of a normal cell's")
    antigen = Behavior("1", 0.0, ge=0.0, doc="foreignness of the antigens shown; 1 is a typical immunogenic tumor")
    pdl1 = Behavior("1/um^2", 0.0, ge=0.0, doc="PD-L1 molecules per area")
    pd1 = Behavior("1/um^2", 0.0, ge=0.0, doc="PD-1 molecules per area")
    cd47 = Behavior("1/um^2", 0.0, ge=0.0, doc="CD47 molecules per area")
    shield = Behavior("1", 0.0, ge=0.0, le=1.0, doc="share by which CD47 lowers the rate of being eaten alive")
    tie2 = Behavior("1", 0.0, ge=0.0, doc="TIE2, the receptor of ANG1 and ANG2, as a share of an endothelial cell's")

    @classmethod
    def of(cls, model, build, **options) -> Surface:
        return cls()


SURFACE = tuple(Surface.declared.values())
