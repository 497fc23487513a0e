"""PD-1 binds PD-L1 of a touching cell and brakes who carries it."""

from __future__ import annotations

import math

from numba import njit

from ..engine.column import Signal
from ..engine.loop import each_contact
from .surface import SURFACE

BRAKE = Signal(
    "1",
    ge=0.0,
    le=1.0,
    doc="how strongly PD-1 brakes this cell: the strongest of its contacts",
    name="checkpoint.brake",
)
DISSOCIATION = 24.6  # 1/um^2: koff / kon = 1.476 / 0.06 in a synapse, as in models of the field (assumed)


@njit(cache=True, nogil=True)
def bound(one, other, dissociation):
    """Complexes per area (1/um^2) of two kinds of molecules at these densities, at equilibrium.

    >>> round(bound(100.0, 150.0, 24.6), 2)
    75.24
    """
    total = one + other + dissociation
    return 0.5 * (total - math.sqrt(max(total * total - 4.0 * one * other, 0.0)))


@each_contact(name="Checkpoint", slot="sense", writes=("checkpoint.brake",), reduce="max", columns=(BRAKE, *SURFACE))
def checkpoint(surface_pd1, other_surface_pdl1, half="6", hill="2"):
    """PD-1 signal.

    Equation    B = (P + L + K - sqrt((P + L + K)^2 - 4 P L)) / 2
                brake = B^hill / (half^hill + B^hill),   the largest over all contacts

    Column             Unit     Kind       Meaning
    surface.pd1 (P)    1/um^2   Behavior   of the cell itself; an antibody lowers it
    surface.pdl1 (L)   1/um^2   Behavior   of its neighbor
    checkpoint.brake   1        Signal     0 free, 1 fully braked; rules say what is braked

    Parameters    K = 24.6 per um^2; half = 6 complexes per um^2, hill = 2 (assumed, as in models of the field).
    """
    b = bound(surface_pd1, other_surface_pdl1, DISSOCIATION)
    return b**hill / (half**hill + b**hill)
