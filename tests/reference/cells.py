"""Slow, readable twins of what single cells do: one cell at a time, plain Python numbers."""

from __future__ import annotations

import math

from oncarium.engine.random import uniform

LIVE, APOPTOTIC, SWELLING, LYSED = 0, 1, 2, 3


def chance(rate: float, dt: float, exact: bool) -> float:
    """Probability of an event of this rate within dt."""
    return 1.0 - math.exp(-rate * dt) if exact else rate * dt


def volume(
    cell: dict, rates: tuple[float, float, float, float], wanted: float, ratio: float, dt: float, exact: bool
) -> dict:
    """One step of fluid, solids and calcium; rates of fluid, cytoplasm, nucleus, calcification (1/min)."""
    share = [chance(r, dt, exact) for r in rates]
    fluid = cell["fluid"] + share[0] * (wanted * cell["total"] - cell["fluid"])
    nuclear_fluid = fluid * cell["nuclear"] / cell["total"]
    goal = cell["target_nuclear"]
    nuclear_solid = cell["nuclear_solid"] + share[2] * (goal - cell["nuclear_solid"])
    cytoplasm_solid = cell["cytoplasm_solid"] + share[1] * (ratio * goal - cell["cytoplasm_solid"])
    return {
        "fluid": fluid,
        "nuclear_solid": nuclear_solid,
        "cytoplasm_solid": cytoplasm_solid,
        "nuclear": nuclear_fluid + nuclear_solid,
        "total": fluid + nuclear_solid + cytoplasm_solid,
        "target_nuclear": goal,
        "calcified_fraction": cell["calcified_fraction"] + share[3] * (1.0 - cell["calcified_fraction"]),
    }


def death(
    cell: dict,
    rates: tuple[float, float],
    times: tuple[float, float],
    draws: tuple[float, float],
    dt: float,
    exact: bool,
) -> dict:
    """Vital state, elapsed time, and whether the cell is cleared; rates and times of apoptosis and necrosis."""
    vital, elapsed, rupture = cell["vital"], cell["elapsed"], cell["rupture"]
    if vital == LIVE:
        for state, rate, draw in zip((APOPTOTIC, SWELLING), rates, draws):
            if draw < chance(rate, dt, exact):
                vital, elapsed, rupture = state, 0.0, 2.0 * cell["total"]
                break
    cleared = False
    if vital != LIVE:
        elapsed += dt
        if vital == SWELLING:
            if cell["total"] >= rupture:
                vital, elapsed = LYSED, 0.0
        else:
            cleared = elapsed > times[0 if vital == APOPTOTIC else 1] - 0.5 * dt
    return {"vital": vital, "elapsed": elapsed, "rupture": rupture, "cleared": cleared}


def cycle(
    phase: int, elapsed: float, exits: list[float], fixed: list[bool], draws: list[float], dt: float, exact: bool
) -> tuple[int, float, list[int]]:
    """Phase, elapsed time, and the phases that ended."""
    elapsed += dt
    left, ended = dt, []
    for u in draws:
        rate = exits[phase]
        if rate == 0.0:
            break
        if fixed[phase]:
            if elapsed < 1.0 / rate - (1e-9 if exact else 0.5) * dt:
                break
            left = max(elapsed - 1.0 / rate, 0.0)
        elif exact:
            lasted = -math.log1p(-u) / rate
            if lasted > left:
                break
            left -= lasted
        elif u >= rate * dt:
            break
        ended.append(phase)
        phase, elapsed = (phase + 1) % len(exits), left if exact else 0.0
        if not exact:
            break
    return phase, elapsed, ended


def draw(seed: int, stream: int, tick: int, cell: int, number: int) -> float:
    """The uniform number a kernel draws there."""
    return uniform(seed, stream, tick, cell, number)
