"""Rows of independent work, shared among threads. No result depends on how many there are."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PARALLEL_FROM = 20_000  # items; below it, handing pieces to threads costs more than it saves
_POOL: dict[int, ThreadPoolExecutor] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_POOL.clear)  # threads do not survive a fork


def shared(items: int, threads: int) -> bool:
    """Whether so many items of work are worth handing to threads."""
    return threads > 1 and items >= PARALLEL_FROM


def _pool(threads: int) -> ThreadPoolExecutor:
    if threads not in _POOL:
        _POOL[threads] = ThreadPoolExecutor(threads - 1)
    return _POOL[threads]


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

    others = [_pool(threads).submit(go) for _ in range(min(threads, len(stack)) - 1)]
    go()
    for other in others:
        other.result()


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
    pool = _pool(threads)
    cuts = [n * p // threads for p in range(threads + 1)]
    others = [pool.submit(loop, a, b, *arguments) for a, b in zip(cuts[1:-1], cuts[2:])]
    own = loop(cuts[0], cuts[1], *arguments)
    return [own, *(other.result() for other in others)]
