"""PD-1 binds PD-L1 of a touching cell and brakes who carries it."""

from __future__ import annotations

import math

from numba import njit

from ..engine.column import Signal, Trait
from ..engine.loop import each_contact
from .surface import SURFACE

BRAKE = Signal(
    "1",
    ge=0.0,
    le=1.0,
    doc="how strongly PD-1 brakes this cell: the strongest of its contacts",
    name="checkpoint.brake",
)
TRAITS = (
    Trait(
        "1/um^2",
        24.6,
        ge=0.0,
        doc="dissociation of PD-1 and PD-L1 between two membranes",
        name="checkpoint.dissociation",
    ),
    Trait("1/um^2", 6.0, ge=1e-9, doc="complexes at half of the brake", name="checkpoint.half"),
    Trait("1", 2.0, ge=0.1, le=20.0, doc="how steep the brake is", name="checkpoint.hill"),
)


@njit(cache=True, nogil=True)
def bound(one, other, dissociation):
    """Complexes per area (1/um^2) of two kinds of molecules at these densities, at equilibrium.

    >>> round(bound(100.0, 150.0, 24.6), 2)
    75.24
    """
    total = one + other + dissociation
    return 0.5 * (total - math.sqrt(max(total * total - 4.0 * one * other, 0.0)))


@each_contact(
    name="Checkpoint", slot="sense", writes=("checkpoint.brake",), reduce="max", columns=(BRAKE, *TRAITS, *SURFACE)
)
def checkpoint(surface_pd1, other_surface_pdl1, checkpoint_dissociation, checkpoint_half, checkpoint_hill):
    """PD-1 signal.

    Equation    B = (P + L + K - sqrt((P + L + K)^2 - 4 P L)) / 2
                brake = B^hill / (half^hill + B^hill),   the largest over all contacts

    Column                    Unit     Kind       Meaning
    surface.pd1 (P)           1/um^2   Behavior   of the cell itself; an antibody lowers it
    surface.pdl1 (L)          1/um^2   Behavior   of its neighbor
    checkpoint.dissociation   1/um^2   Trait      K: 24.6, koff / kon in a synapse, as in models of the field
    checkpoint.half           1/um^2   Trait      6 complexes
    checkpoint.hill           1        Trait      2
    checkpoint.brake          1        Signal     0 free, 1 fully braked; rules say what is braked
    """
    b = bound(surface_pd1, other_surface_pdl1, checkpoint_dissociation)
    return b**checkpoint_hill / (checkpoint_half**checkpoint_hill + b**checkpoint_hill)
