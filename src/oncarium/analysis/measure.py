"""Measures on a Result: numbers that a paper would report.

In the examples `result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import InputError, did_you_mean
from ..run.result import Result

SHELL = 20.0  # um


def _chosen(result: Result, t: Any, type: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Position (cell, xyz) um and vital (cell) of the cells of a type (None: all)."""
    position, vital = result.array("position", t), result.array("vital", t)
    rows = np.ones(len(vital), bool) if type is None else result.array("type", t) == _index(result, type)
    return position[rows], vital[rows]


def _index(result: Result, type: str) -> int:
    if type not in result.types:
        raise InputError(
            "type",
            f"no cell type is called '{type}'.{did_you_mean(type, result.types)}",
            f"This run has: {', '.join(result.types)}.",
        )
    return result.types.index(type)


def radius_of_gyration(result: Result, t: Any = None, type: str | None = None) -> float:
    """Root mean square distance of the cells from their centre, um.

    >>> 25.0 < oc.measure.radius_of_gyration(result) < 50.0
    True
    """
    position, _ = _chosen(result, t, type)
    return float(np.sqrt(((position - position.mean(axis=0)) ** 2).sum(axis=1).mean())) if len(position) else 0.0


def equivalent_radius(result: Result, t: Any = None, type: str | None = None, share: float = 0.95) -> float:
    """Radius (um) around the centre that holds this share of the cells, scaled to the edge of a uniform disc or ball.

    >>> 40.0 < oc.measure.equivalent_radius(result, 0) < 60.0
    True
    """
    position, _ = _chosen(result, t, type)
    if not len(position):
        return 0.0
    distance = np.sqrt(((position - np.median(position, axis=0)) ** 2).sum(axis=1))
    return float(np.quantile(distance, share) / share ** (1.0 / (2 if result.is_2d else 3)))


def necrotic_radius(result: Result, t: Any = None, type: str | None = None) -> float:
    """Radius (um) of the core around the centre in which the dead outnumber the living in every shell of 20 um that
    holds cells; 0 where there is no such core.

    >>> oc.measure.necrotic_radius(result)
    0.0
    """
    position, vital = _chosen(result, t, type)
    if not len(position):
        return 0.0
    distance = np.sqrt(((position - np.median(position, axis=0)) ** 2).sum(axis=1))
    shell = (distance / SHELL).astype(int)
    all, live = np.bincount(shell), np.bincount(shell[vital == 0], minlength=shell.max() + 1)
    alive = np.flatnonzero((all > 0) & (2 * live >= all))
    core = np.flatnonzero(all[: alive[0]] if len(alive) else all)  # shells within it that hold cells
    return float(SHELL * (core[-1] + 1)) if len(core) else 0.0


def live_fraction(result: Result, t: Any = None, type: str | None = None) -> float:
    """Share of the cells that live.

    >>> oc.measure.live_fraction(result, "1 h")
    1.0
    """
    _, vital = _chosen(result, t, type)
    return float((vital == 0).mean()) if len(vital) else 0.0


def phase_fractions(result: Result, type: str, t: Any = None) -> dict[str, float]:
    """Share of a type's live cells in each phase of its cycle.

    >>> oc.measure.phase_fractions(result, "tumor", 0)
    {'live': 1.0}
    """
    kind, phases = _index(result, type), result.attrs["phases"].get(type, [])
    rows = (result.array("type", t) == kind) & (result.array("vital", t) == 0)
    if not phases or not rows.any() or "cycle.phase" not in result.columns:
        return {}
    counts = np.bincount(result.array("cycle.phase", t)[rows], minlength=len(phases))
    return {p: float(n / rows.sum()) for p, n in zip(phases, counts)}


def radial_profile(result: Result, factor: str, t: Any = None, width: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    """Distance from the middle of the domain (um) and mean concentration in shells of this width.

    >>> distance, oxygen = oc.measure.radial_profile(result, "oxygen")
    >>> distance[:3].tolist(), bool(oxygen[0] < oxygen[-1])
    ([10.0, 30.0, 50.0], True)
    """
    data = result.fields[factor].isel(time=result.frame(t, result.field_times))
    z, y, x = np.meshgrid(*(data[a] - float(data[a].mean()) for a in "zyx"), indexing="ij")
    shell = (np.sqrt(x**2 + y**2 + z**2) / width).astype(int).ravel()
    counts = np.bincount(shell)
    means = np.bincount(shell, data.values.ravel().astype(float)) / np.maximum(counts, 1)
    return (np.arange(len(counts)) + 0.5)[counts > 0] * width, means[counts > 0]
