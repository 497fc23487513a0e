"""Rows of independent work, shared among threads. No result depends on how many there are."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

PARALLEL_FROM = 20_000  # items; below it, handing pieces to threads costs more than it saves
_POOL: dict[int, ThreadPoolExecutor] = {}
_TURN = [threading.Lock()]  # a crew is sent out whole, or two crews could each wait for a thread of the other


def _forget() -> None:
    """Neither threads nor what they hold survive a fork."""
    _POOL.clear()
    _TURN[0] = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def default_threads() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shared(items: int, threads: int) -> bool:
    """Whether so many items of work are worth handing to threads."""
    return threads > 1 and items >= PARALLEL_FROM


def _together(threads: int, calls: list[Callable[[], Any]]) -> list:
    """What these calls return, each made by a thread of its own, the first by this one."""
    with _TURN[0]:
        pool = _POOL.get(threads)
        if pool is None:
            pool = _POOL[threads] = ThreadPoolExecutor(threads - 1)
        others: list[Future] = [pool.submit(call) for call in calls[1:]]
    own = calls[0]()
    return [own, *(other.result() for other in others)]


def take(work: Callable, tasks: Sequence, threads: int) -> None:
    """Do all tasks; whoever has time takes the next.

    >>> done = []
    >>> take(done.append, [1, 2, 3], 2)
    >>> sorted(done)
    [1, 2, 3]
    """
    stack = list(tasks)[::-1]

    def go() -> None:
        while stack:
            try:
                task = stack.pop()
            except IndexError:  # another thread took the last one
                return
            work(task)

    several = min(threads, len(stack))
    if several > 1:
        _together(threads, [go] * several)
    else:
        go()


def over_rows(loop: Callable, n: int, threads: int, *arguments: Any, each: int = 1) -> list:
    """Run loop(first, last, *arguments) over n rows of `each` items; returns what every piece returned, in order.

    The loop must be compiled with nogil and write to its own rows only.

    >>> over_rows(lambda first, last: last - first, 10, 2)
    [10]
    >>> over_rows(lambda first, last: last - first, 10, 2, each=PARALLEL_FROM)
    [5, 5]
    """
    if not shared(n * each, threads):
        return [loop(0, n, *arguments)]
    cuts = [n * p // threads for p in range(threads + 1)]
    return _together(threads, [partial(loop, a, b, *arguments) for a, b in zip(cuts, cuts[1:])])


def as_crew(loop: Callable, crew: int, *arguments: Any) -> list:
    """Run loop(number, crew, *arguments) by so many threads at once, which may wait for each other (kernels/gate.py).

    The loop must be compiled with nogil.

    >>> as_crew(lambda number, crew: (number, crew), 2)
    [(0, 2), (1, 2)]
    """
    if crew == 1:
        return [loop(0, 1, *arguments)]
    return _together(crew, [partial(loop, number, crew, *arguments) for number in range(crew)])
