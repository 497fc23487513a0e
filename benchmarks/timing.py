"""Ratios measured in one run: contestants take turns, so a busy machine slows them alike."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numba import njit

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # worlds and slow twins


def take_turns(contestants: dict[str, Callable[[], object]], rounds: int = 9) -> dict[str, list[float]]:
    """Seconds per call, `rounds` times for each; every contestant is warmed up first."""
    for run in contestants.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def spread(values: list[float]) -> str:
    """Median and quartiles."""
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.3g} ({low:.3g} to {high:.3g})"


@njit(cache=True, nogil=True, error_model="numpy")
def _triad(a, b, c, rounds):
    for r in range(rounds):
        s = 1e-9 * r
        for i in range(a.shape[0]):
            a[i] = b[i] + s * c[i]


def triad(bytes_in_use: int) -> tuple[Callable[[], None], int]:
    """The STREAM triad on three arrays that together are as large as the working set: (call, bytes it moves)."""
    n = max(bytes_in_use // 24, 64)
    a, b, c = np.zeros(n), np.ones(n), np.ones(n)
    rounds = max(1, 20_000_000 // n)
    return lambda: _triad(a, b, c, rounds), 24 * n * rounds


@njit(cache=True, nogil=True, fastmath=True, error_model="numpy")
def _multiply_and_add(a, rounds):
    for _ in range(rounds):
        for i in range(a.shape[0]):
            a[i] = a[i] * 0.999 + 1e-3
    return a[0]


def fma_rate() -> float:
    """Billions of multiplications with an addition per second, of one thread on 64 numbers: what absolute times beside
    it are worth."""
    a, rounds = np.ones(64), 2_000_000
    _multiply_and_add(a, 10)
    start = time.perf_counter()
    _multiply_and_add(a, rounds)
    return a.size * rounds / (time.perf_counter() - start) / 1e9
