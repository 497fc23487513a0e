"""Where regions and packings lie, and whether cells find a place there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .environment import Domain

if TYPE_CHECKING:
    from .regions import Region

TRIES = 10_000  # places that are tried for each cell of a region
SAMPLE = 20_000  # points that estimate how much of a region lies in the domain
NODES = 2_000_000  # of a lattice that is looked through


def inside(region: Region, x: np.ndarray, y: np.ndarray, z: np.ndarray, is_2d: bool) -> np.ndarray:
    """Which points lie in the region; in 2-D z does not count."""
    inside = np.ones(x.shape, np.bool_)
    if region.kind == "box":
        for v, low, high in zip((x, y, z)[: 2 if is_2d else 3], region.low, region.high):
            inside &= (v >= low) & (v <= high)
    elif region.kind != "everywhere":
        cx, cy, cz = region.center
        squared = (x - cx) ** 2 + (y - cy) ** 2
        if region.kind in ("ball", "shell") and not is_2d:
            squared = squared + (z - cz) ** 2
        inside &= (squared <= region.outer**2) & (squared >= region.inner**2)
    return inside


def lattice(region: Region, domain: Domain, a: float) -> np.ndarray:
    """Hexagonal packing of a region, a um apart: rows in 2-D, ABAB layers in 3-D; (cell, xyz) um."""
    low, high = region.bounds(domain)
    center = [0.5 * (x + y) for x, y in zip(low, high)] if region.kind in ("box", "everywhere") else list(region.center)
    row, layer = a * math.sqrt(3.0) / 2.0, a * math.sqrt(2.0 / 3.0)

    def steps(axis: int, step: float) -> np.ndarray:
        return np.arange(
            math.floor((low[axis] - center[axis]) / step) - 1, math.ceil((high[axis] - center[axis]) / step) + 2
        )

    i, j = steps(0, a), steps(1, row)
    k = np.zeros(1, int) if domain.is_2d else steps(2, layer)
    kk, jj, ii = np.meshgrid(k, j, i, indexing="ij")
    odd = kk % 2
    x = center[0] + a * (ii + 0.5 * (jj % 2) + 0.5 * odd)
    y = center[1] + row * (jj + odd / 3.0)
    z = np.full(x.shape, 0.5 * (domain.lower[2] + domain.upper[2])) if domain.is_2d else center[2] + layer * kk
    keep = inside(region, x, y, z, domain.is_2d)
    for v, lower, upper in zip((x, y, z), domain.lower, domain.upper):
        keep &= (v >= lower) & (v <= upper)
    return np.stack([x[keep], y[keep], z[keep]], axis=1)


def misfit(region: Region, domain: Domain, count: int | None, spacing: float | None) -> str:
    """Why cells find no place in a region: `count` at random, or packed with a spacing; "" where they do.

    >>> from oncarium.model.regions import Region
    >>> box = Domain((-50, -50, -10), (20, 20, 20), (5, 5, 1))
    >>> misfit(Region("disc", (500, 0, 0), outer=50), box, 3, None), misfit(Region("disc", outer=50), box, 3, None)
    ('it lies outside the domain', '')
    """
    low, high = (np.array(v[: 2 if domain.is_2d else 3], float) for v in region.bounds(domain))
    if (low > high).any():
        return "it lies outside the domain"
    if count is not None:
        share = _share(region, domain, low, high)
        lost = count * (1.0 - share) ** TRIES
        return "hardly any of it lies in the domain" if lost > 1e-6 else ""
    assert spacing is not None
    small = float(np.prod((high - low) / spacing + 4.0)) <= NODES
    return (
        f"it holds no cell of a packing {spacing:g} um apart"
        if small and not len(lattice(region, domain, spacing))
        else ""
    )


def _share(region: Region, domain: Domain, low: np.ndarray, high: np.ndarray) -> float:
    """Share of the box around a region (cut to the domain) that it fills; of a thin one, seen from the region."""
    draw = np.random.default_rng(0)

    x, y, z = [*(low + draw.random((SAMPLE, len(low))) * (high - low)).T, np.zeros(SAMPLE)][:3]
    share = float(inside(region, x, y, z, domain.is_2d).mean())
    size = float(np.prod(high - low))
    if share > 0.02 or region.kind not in ("disc", "ring", "ball", "shell") or size <= 0.0:
        return share
    ball = region.kind in ("ball", "shell") and not domain.is_2d
    power = 3 if ball else 2
    r = (region.inner**power + draw.random(SAMPLE) * (region.outer**power - region.inner**power)) ** (1.0 / power)
    way = draw.normal(size=(SAMPLE, power))
    points = np.array(region.center[:power]) + way / np.linalg.norm(way, axis=1)[:, None] * r[:, None]
    seen = ((points >= low[:power]) & (points <= high[:power])).all(axis=1).mean()
    return max(share, min(1.0, float(seen) * region.volume(domain) / size))
