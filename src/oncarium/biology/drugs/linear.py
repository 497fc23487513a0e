"""Linear pharmacokinetics in closed form: amounts in compartments after boluses and infusions, exact at any time.

Compartments around a central one (volumes V, flows Q, clearance CL) relax by real rates l_i: with y_k = A_k / sqrt(V_k)
their matrix is symmetric. What is absorbed from a depot (rate k) enters as k exp(-k t), and its answer is a divided
difference of exponentials, which is right where k equals one of the rates, too.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...model.plasma import Plasma

Array = NDArray[np.float64]
TERMS = 24  # of a series whose arguments are at most 1


def phi(x: Array) -> Array:
    """(1 - exp(-x)) / x, 1 at 0.

    >>> float(phi(np.array([0.0]))[0])
    1.0
    """
    small = np.abs(x) < 1e-300
    return np.where(small, 1.0, -np.expm1(-x) / np.where(small, 1.0, x))


def two(a: Array, b: Array, t: Array) -> Array:
    """(exp(-a t) - exp(-b t)) / (b - a), t exp(-a t) where they are equal."""
    return np.exp(-np.minimum(a, b) * t) * t * phi(np.abs(a - b) * t)


def three(a: Array, b: Array, t: Array) -> Array:
    """The integral of `two` from 0 to t."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    far = high * t > 1.0
    straight = (t * phi(low * t) - two(low, high, t)) / np.where(far, high, 1.0)
    x, y = np.where(far, 0.0, low * t), np.where(far, 0.0, high * t)
    power, symmetric, term = np.ones_like(x), np.ones_like(x), 0.5
    series = term * symmetric
    for k in range(1, TERMS):
        power = power * y
        symmetric = power + x * symmetric
        term = -term / (k + 2)
        series = series + term * symmetric
    return np.where(far, straight, t * t * series)


class Modes:
    """The relaxing modes of several bodies with the same compartments.

    rates   (body, mode), 1/min     shapes   (body, compartment, mode): amounts per unit in the central compartment
    absorption   (body, depot), 1/min
    """

    def __init__(self, bodies: Sequence[Plasma], routes: Sequence[str]):
        count = 1 + len(bodies[0].peripheral)
        volume = np.array([[p.central, *(c.volume for c in p.peripheral)] for p in bodies])
        flow = np.array([[c.flow for c in p.peripheral] for p in bodies]).reshape(len(bodies), count - 1)
        matrix = np.zeros((len(bodies), count, count))
        matrix[:, 0, 0] = (np.array([p.clearance for p in bodies]) + flow.sum(axis=1)) / volume[:, 0]
        for j in range(1, count):
            matrix[:, j, j] = flow[:, j - 1] / volume[:, j]
            matrix[:, 0, j] = matrix[:, j, 0] = -flow[:, j - 1] / np.sqrt(volume[:, 0] * volume[:, j])
        rates, vectors = np.linalg.eigh(matrix)
        self.rates = np.maximum(rates, 0.0)
        root = np.sqrt(volume)
        self.shapes = root[:, :, None] * vectors * vectors[:, :1, :] / root[:, :1, None]
        self._into = vectors / root[:, :, None]  # amounts -> modes
        self._out = vectors * root[:, :, None]
        self.absorption = np.array([[p.absorption[r].rate for r in routes] for p in bodies]).reshape(len(bodies), -1)

    def spread(self, modes: Array) -> Array:
        """(body, mode, time) of what entered the central compartment -> (body, time, compartment)."""
        return np.einsum("pki,pit->ptk", self.shapes, modes)

    def left(self, amounts: Array, depots: Array, t: Array) -> tuple[Array, Array]:
        """(body, time, compartment), (body, time, depot) of what there was at time 0: (body, ...)."""
        modes = np.einsum("pki,pk->pi", self._into, amounts)
        fading = np.exp(-self.rates[:, :, None] * t)
        there = np.einsum("pki,pi,pit->ptk", self._out, modes, fading)
        for d in range(depots.shape[1]):
            k = self.absorption[:, d, None, None]
            there = there + self.spread(depots[:, d, None, None] * k * two(k, self.rates[:, :, None], t))
        return there, np.swapaxes(depots[:, :, None] * np.exp(-self.absorption[:, :, None] * t), 1, 2)

    def infused(self, amount: Array, duration: float, t: Array, depot: int | None) -> tuple[Array, Array]:
        """The same of an amount (body,) that runs in over a duration from time 0 on; 0 before."""
        bodies, rates = len(self.rates), self.rates[:, :, None]
        during, after = np.clip(t, 0.0, duration), np.maximum(t - duration, 0.0)
        flow = (amount / duration)[:, None, None]
        depots = np.zeros((bodies, len(t), self.absorption.shape[1]))
        if depot is None:
            return self.spread(flow * during * phi(rates * during) * np.exp(-rates * after)), depots
        k = self.absorption[:, depot, None, None]
        waiting = flow * during * phi(k * during)
        modes = flow * k * three(k, rates, during) * np.exp(-rates * after) + waiting * k * two(k, rates, after)
        depots[:, :, depot] = (waiting * np.exp(-k * after))[:, 0, :]
        return self.spread(modes), depots

    def given(self, amount: Array, t: Array, depot: int | None) -> tuple[Array, Array]:
        """The same of an amount (body,) that is there at once at time 0; 0 before."""
        bodies, late = len(self.rates), np.maximum(t, 0.0)
        here = np.where(t >= 0.0, 1.0, 0.0)
        depots = np.zeros((bodies, len(t), self.absorption.shape[1]))
        if depot is None:
            return self.spread(amount[:, None, None] * here * np.exp(-self.rates[:, :, None] * late)), depots
        k = self.absorption[:, depot, None, None]
        depots[:, :, depot] = (amount[:, None, None] * here * np.exp(-k * late))[:, 0, :]
        return self.spread(amount[:, None, None] * k * two(k, self.rates[:, :, None], late)), depots
