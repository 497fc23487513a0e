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
    goal = cell["target_nuclear"]
    nuclear_solid = cell["nuclear_solid"] + share[2] * (goal - cell["nuclear_solid"])
    cytoplasm_solid = cell["cytoplasm_solid"] + share[1] * (ratio * goal - cell["cytoplasm_solid"])
    if exact:  # F' = rate (wanted (F + S) - F), S the mean of both ends
        solid = 0.5 * (cell["nuclear_solid"] + cell["cytoplasm_solid"] + nuclear_solid + cytoplasm_solid)
        slow = rates[0] * (1.0 - wanted)
        if slow > 0.0:
            rest = wanted * solid / (1.0 - wanted)
            fluid = rest + (cell["fluid"] - rest) * math.exp(-slow * dt)
        else:
            fluid = cell["fluid"] + rates[0] * solid * dt
    else:
        fluid = cell["fluid"] + share[0] * (wanted * cell["total"] - cell["fluid"])
    nuclear_fluid = fluid * cell["nuclear"] / cell["total"]
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
    late = 1e-6 * dt if exact else 0.5 * dt
    if vital != LIVE:
        elapsed += dt
    else:
        when = [
            -math.log1p(-draw) / rate if exact else 0.0
            for rate, draw in zip(rates, draws)
            if draw < chance(rate, dt, exact)
        ]
        hits = [
            state for state, rate, draw in zip((APOPTOTIC, SWELLING), rates, draws) if draw < chance(rate, dt, exact)
        ]
        if hits:
            vital = hits[when.index(min(when))]
            elapsed, rupture = dt - min(when), 2.0 * cell["total"]
    cleared = False
    if vital == SWELLING:
        if cell["total"] >= rupture:
            vital, elapsed = LYSED, dt if exact else 0.0
    elif vital != LIVE:
        cleared = elapsed > times[0 if vital == APOPTOTIC else 1] - late
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
