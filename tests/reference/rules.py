"""Slow, readable twin of the rule grammar: one behavior of one cell."""

from __future__ import annotations


def hill(terms: list[tuple[float, float, float]]) -> float:
    """H of several signals; terms of signal, half-maximum and
    power. A negative signal has no broken power: it counts as 0."""
    x = sum(((s if power == int(power) else max(s, 0.0)) / half) ** power for s, half, power in terms)
    return x / (1.0 + x)


def behavior(base: float, highest: float, lowest: float, up: list[tuple], down: list[tuple]) -> float:
    """The behavior under all signals that increase and decrease it."""
    raised = base + (highest - base) * hill(up)
    return raised + (lowest - raised) * hill(down)


def over_pathways(base: float, made: list[float], least: float, most: float) -> float:
    """The behavior where each pathway alone would make one of these numbers of the base."""
    out = base
    for value in made:
        out *= value / base
    return min(max(out, least), most)
