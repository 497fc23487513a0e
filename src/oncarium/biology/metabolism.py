"""Cells live on oxygen and glucose, and leave lactate and acid."""

from __future__ import annotations

import math

from numba import njit

from ..engine.column import Behavior, State
from ..engine.loop import each_cell
from .secretion import Secretion

RESPIRATION = Behavior(
    "mM/min", 0.72, ge=0.0, doc="largest oxygen consumption of the cell's volume", name="metabolism.respiration"
)
GLYCOLYSIS = Behavior(
    "1",
    1.0,
    ge=0.0,
    doc="glucose taken up beyond what energy needs, in multiples (Warburg)",
    name="metabolism.glycolysis",
)
ENERGY = State("1", 1.0, ge=0.0, le=1.0, doc="share of the need for ATP that was met lately", name="metabolism.energy")
SOLUBILITY = 1.3e-3  # mM/mmHg of oxygen in tissue
OXYGEN_HALF = 2.5  # mmHg: half of the largest consumption; the factor's michaelis constant should say the same
BALANCE = (RESPIRATION.name, GLYCOLYSIS.name, ENERGY.name)  # a consumption alone needs no balance of energy
GLUCOSE_HALF = 0.04  # mM, likewise
FMOL = 1e-3  # fmol in 1 mM um^3
FULL = 29.0 / 5.0  # ATP per oxygen when glucose is burnt whole
BY_OXYGEN = 27.0 / 5.0  # of which respiration itself makes these


@njit(cache=True, nogil=True)
def glucose_capacity(oxygen, respiration, glycolysis):
    """Largest glucose consumption (mM/min) at this oxygen: what respiration leaves to do."""
    return max(0.5 * respiration * (glycolysis * FULL - BY_OXYGEN * oxygen / (oxygen + OXYGEN_HALF)), 0.0)


@njit(cache=True, nogil=True)
def fluxes(oxygen, glucose, respiration, glycolysis):
    """(oxygen, glucose, lactate) mM/min of a cell's volume at these
    concentrations (mmHg, mM), and the share of its need for ATP.

    >>> [round(x, 4) for x in fluxes(1e6, 5.0, 0.72, 1.0)]
    [0.72, 0.1429, 0.0, 0.9995]
    >>> [round(x, 2) for x in fluxes(0.0, 5.0, 0.72, 1.0)]
    [0.0, 2.07, 4.14, 0.99]
    """
    need = FULL * respiration
    o = respiration * oxygen / (oxygen + OXYGEN_HALF)
    g = glucose_capacity(oxygen, respiration, glycolysis) * glucose / (glucose + GLUCOSE_HALF)
    lactate = 2.0 * max(g - 0.2 * o, 0.0)
    return o, g, lactate, min((2.0 * g + BY_OXYGEN * o) / max(need, 1e-30), 1.0)


@each_cell(
    name="Metabolism", slot="decide", words=BALANCE,
    columns=(RESPIRATION, GLYCOLYSIS, ENERGY, Secretion.consumption, Secretion.rate),
    needs=("oxygen", "glucose", "lactate", "acid"), makes=("lactate", "acid"),
    writes=(
        "metabolism.consumption.oxygen", "metabolism.consumption.glucose", "secretion.rate.lactate",
        "secretion.rate.acid", "metabolism.energy",
    ),
)  # fmt: skip
def metabolism(
    sense_oxygen,
    sense_glucose,
    volume_total,
    metabolism_respiration,
    metabolism_glycolysis,
    metabolism_energy,
    dt,
    lag="1 day",
):
    """Oxygen, glucose, lactate, acid and ATP.

    Equation    f_O = V_O O / (O + k_O)                                   oxygen
                f_G = (p A / 2 - 27 f_O / 10) G / (G + k_G)               glucose; A = 29 V_O / 5 is the need for ATP
                lactate = acid = 2 (f_G - f_O / 5)                        what is not burnt
                energy' = ((2 f_G + 27 f_O / 5) / A - energy) / lag       at most 1

    Column                  Unit     Kind       Meaning
    respiration (V_O)       mM/min   Behavior   largest oxygen consumption of the cell's volume
    glycolysis (p)          1        Behavior   1 covers the need; more is the Warburg
                                                effect, which hypoxia raises by a rule
    energy                  1        State      share of the need met lately; a rule makes cells that starve die

    Writes      the largest consumption of oxygen and glucose (Transport
                saturates them) and the release of lactate and acid.
    Assumes     as much acid as lactate leaves the cell; what is released follows the concentrations of the last look.
    Source      Robertson-Tessi et al. 2015, Cancer Res 75:1567 (DOI 10.1158/0008-5472.CAN-14-1428); lag assumed.
    """
    _, _, lactate, met = fluxes(sense_oxygen, sense_glucose, metabolism_respiration, metabolism_glycolysis)
    room = glucose_capacity(sense_oxygen, metabolism_respiration, metabolism_glycolysis)
    out = lactate * volume_total * FMOL
    energy = met + (metabolism_energy - met) * math.exp(-dt / lag)
    return metabolism_respiration / SOLUBILITY, room, out, out, energy
