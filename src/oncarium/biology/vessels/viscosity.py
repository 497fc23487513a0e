"""Apparent viscosity of blood in narrow vessels, and what it makes of pressure and flow.

Equation    relative viscosity = (1 + (eta45 - 1) ((1 - H)^C - 1) / (0.55^C - 1) f) f,   f = (D / (D - 1.1))^2,
            eta45 = 6 exp(-0.085 D) + 3.2 - 2.44 exp(-0.06 D^0.645), C from +1 (narrow) to -1 (wide)
            conductance = pi r^4 / (8 viscosity length)       shear = 4 viscosity flow / (pi r^3)
Source      Pries et al. 1994 (DOI 10.1161/01.RES.75.5.904); other cells than human by the cube root of their volume,
            Pries & Secomb 2005 (DOI 10.1152/ajpheart.00297.2005)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

PLASMA = 1.05  # cP at 37 C (range 1.0 to 1.3)
HUMAN_CELL = 92.0  # fl, volume of a red cell for which the law was made
RAT_CELL = 55.0  # fl
RIM = 1.1  # um, twice the layer that red cells keep free of themselves; the law has a pole there
NARROWEST = 2.5  # um, below which nothing was measured: the law is taken there
MMHG = 133.322387415  # Pa
# pi r^4 / (8 mu L) in nl/min/mmHg for r, L in um and mu in cP; 4 mu Q / (pi r^3) in Pa for Q in nl/min
CONDUCTANCE = math.pi / 8.0 * 60e12 * 1e-24 / 1e-3 / 1e-6 * MMHG
SHEAR = 4.0 / math.pi * 1e-3 * 1e-12 / 60.0 / 1e-18


@njit(cache=True, nogil=True)
def relative_viscosity(diameter, haematocrit):
    """Viscosity over that of plasma, of blood with human red cells. diameter (um) above 1.1; haematocrit below 1.

    >>> round(relative_viscosity(10.0, 0.45), 6), round(relative_viscosity(10.0, 0.0), 6)
    (5.872438, 1.262467)
    """
    f = (diameter / (diameter - RIM)) ** 2
    eta = 6.0 * math.exp(-0.085 * diameter) + 3.2 - 2.44 * math.exp(-0.06 * diameter**0.645)
    wide = 1.0 / (1.0 + 1e-11 * diameter**12)
    c = (0.8 + math.exp(-0.075 * diameter)) * (wide - 1.0) + wide
    # ((1-H)^C - 1) / (0.55^C - 1), whose limit at C = 0 is ln(1-H) / ln 0.55
    plasma = math.log1p(-haematocrit)
    if c == 0.0:
        cells = plasma / math.log(0.55)
    else:
        cells = math.expm1(c * plasma) / math.expm1(c * math.log(0.55))
    return (1.0 + (eta - 1.0) * cells * f) * f


@njit(cache=True, nogil=True)
def _viscosities(diameter, haematocrit, plasma, scale, out):
    for k in range(len(out)):
        out[k] = plasma * relative_viscosity(max(diameter[k], NARROWEST) * scale, haematocrit[k])


@dataclass(frozen=True)
class Rheology:
    """How thick blood is.

    plasma     cP, of plasma        cell   fl, mean volume of a red cell
    constant   cP everywhere, whatever its haematocrit and vessel; None: by the law

    >>> Rheology(constant=3.0).viscosity(np.array([10.0]), np.array([0.4])).tolist()
    [3.0]
    >>> human, rat = (Rheology(1.0, c).viscosity(np.array([6.0]), np.array([0.45]))[0] for c in (HUMAN_CELL, RAT_CELL))
    >>> bool(rat < human)
    True
    """

    plasma: float = PLASMA
    cell: float = HUMAN_CELL
    constant: float | None = None

    def viscosity(self, diameter: np.ndarray, haematocrit: np.ndarray) -> np.ndarray:
        """(segment) cP, of diameters in um; below 2.5 um, where nothing was measured, as at 2.5 um."""
        if self.constant is not None:
            return np.full(len(diameter), self.constant)
        out = np.empty(len(diameter))
        scale = (HUMAN_CELL / self.cell) ** (1.0 / 3.0)
        _viscosities(
            np.ascontiguousarray(diameter, float), np.ascontiguousarray(haematocrit, float), self.plasma, scale, out
        )
        return out


def conductances(radius: np.ndarray, length: np.ndarray, viscosity: np.ndarray) -> np.ndarray:
    """(segment) nl/min per mmHg, by Poiseuille's law; radius and length in um, viscosity in cP.

    >>> round(float(conductances(np.array([5.0]), np.array([100.0]), np.array([3.0]))[0]), 6)
    6.544447
    """
    return CONDUCTANCE * radius**4 / (viscosity * length)


def wall_shear(radius: np.ndarray, flow: np.ndarray, viscosity: np.ndarray) -> np.ndarray:
    """(segment) Pa, signed as the flow (nl/min); radius in um, viscosity in cP.

    >>> round(float(wall_shear(np.array([4.0]), np.array([1.0]), np.array([3.0]))[0]), 5)
    0.99472
    """
    return SHEAR * viscosity * flow / radius**3
