"""Closed forms of a tissue cylinder around one capillary (Krogh & Erlang 1919). Slow and plain."""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_bvp
from scipy.optimize import brentq


def radial(r, wall, capillary, tissue, diffusion, uptake):
    """mmHg at radius r (um): value at the wall, the same uptake everywhere (mmHg/s), closed at the outer radius."""
    return (
        wall
        + uptake / (4 * diffusion) * (r**2 - capillary**2)
        - uptake * tissue**2 / (2 * diffusion) * np.log(r / capillary)
    )


def lethal_radius(wall, capillary, diffusion, uptake):
    """um: the outer radius at which the tension there is just 0."""
    return brentq(lambda outer: radial(outer, wall, capillary, outer, diffusion, uptake), capillary * 1.001, 1e4)


def radial_michaelis(r, wall, capillary, tissue, krogh, largest, half):
    """mmHg where uptake is largest P / (half + P); krogh um^2/s/mmHg, largest 1/s."""

    def slope(x, y):
        return np.vstack([y[1], largest / krogh * y[0] / (half + y[0]) - y[1] / x])

    def ends(a, b):
        return np.array([a[0] - wall, b[1]])

    x = np.linspace(capillary, tissue, 400)
    found = solve_bvp(slope, ends, x, np.vstack([np.full(400, 0.3 * wall), np.zeros(400)]), tol=1e-10, max_nodes=200000)
    assert found.success
    return found.sol(np.asarray(r, float))[0]


def axial(z, entry, haematocrit, flow, efflux, blood):
    """Content of the blood (cm^3/cm^3) and its tension (mmHg) at z (um); flow um^3/s, efflux um^3/s/um."""
    power, p50, capacity, solubility = blood

    def content(p):
        return haematocrit * capacity * p**power / (p50**power + p**power) + solubility * p

    carried = content(entry) - efflux * np.asarray(z, float) / flow
    return carried, np.array([brentq(lambda p, c=c: content(p) - c, 0.0, entry + 1.0, xtol=1e-13) for c in carried])
