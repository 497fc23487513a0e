"""Many runs: each once, side by side, and never again when its result already lies there.

A run is known by what decides its outcome: the model, the seed, how long, and the sources of the mechanisms. Workers are processes of one
thread each (dask); one that is killed is replaced and its run goes on from its last checkpoint.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import DataError, OncariumError
from ..run import api
from ..run.result import Result
from ..spec.model import Model


@dataclass(frozen=True)
class Task:
    """One run: a model (as YAML), until when (min), a seed."""

    model: str
    until: float
    seed: int

    @classmethod
    def of(cls, model: Model, until: Any, seed: int) -> Task:
        """The task of running this model; `until` None: as the model says."""
        return cls(model.to_yaml(), api.minutes(until, model), int(seed))

    @property
    def key(self) -> str:
        """Short name of everything that decides the outcome."""
        from ..engine import sources_digest

        return hashlib.sha256(f"{_digest_of(self.model)} {self.until!r} {self.seed} {sources_digest()}".encode()).hexdigest()[:20]


@lru_cache(maxsize=4096)
def _digest_of(text: str) -> str:
    return Model.from_text(text, folder=None).digest


def perform(task: Task, folder: str) -> str:
    """Run a task into its folder, or go on with what lies there; returns the error's text, or nothing."""
    place = Path(folder)
    try:
        try:
            before = api.open(place)
        except DataError:
            before = None
        if before is not None and before.finished:
            return ""
        model = Model.from_text(task.model, folder=None)
        if before is not None:
            api.resume(place, task.until, threads=1)
        else:
            api.run(model, task.until, task.seed, out=place, threads=1, overwrite=True)
    except OncariumError as error:
        return str(error)
    return ""


def run_all(
    tasks: Iterable[Task], folder: str | Path, *, workers: int | None = None, see: Callable[[int, int], Any] | None = None, client: Any = None
) -> tuple[dict[Task, Path], dict[Task, str]]:
    """Run all tasks; returns where each result lies, and the error of each that failed.

    folder    results lie in folder/<key>        workers   processes (as many as there are processors)
    see       called with (done, all)            client    a dask client of your own, for a cluster

    >>> from oncarium.spec.model import EXAMPLE
    >>> tasks = [Task.of(Model.from_text(EXAMPLE), "30 min", seed) for seed in (1, 2)]
    >>> done, failed = run_all(tasks, "many", workers=1)
    >>> len(done), failed
    (2, {})
    """
    wanted = list(dict.fromkeys(tasks))
    places = {task: Path(folder) / task.key for task in wanted}
    missing = [task for task in wanted if not _finished(places[task])]
    if see:
        see(len(wanted) - len(missing), len(wanted))
    failed: dict[Task, str] = {}
    count = min(workers or len(os.sched_getaffinity(0)), max(1, len(missing)))
    if count == 1 and client is None:
        for n, task in enumerate(missing, len(wanted) - len(missing) + 1):
            error = perform(task, str(places[task]))
            if error:
                failed[task] = error
            if see:
                see(n, len(wanted))
    elif missing:
        failed = _with_dask(missing, places, count, see, len(wanted), client)
    return {task: places[task] for task in wanted if task not in failed}, failed


def _finished(place: Path) -> bool:
    try:
        return Result.open(api.store_of(place)).finished
    except DataError:
        return False


def _with_dask(missing: list[Task], places: Mapping[Task, Path], workers: int, see: Any, all: int, client: Any) -> dict[Task, str]:
    import dask
    from distributed import Client, LocalCluster, as_completed

    failed: dict[Task, str] = {}
    quiet = {"distributed.worker.daemon": True, "distributed.admin.tick.limit": "1h", "logging.distributed": "error"}
    with dask.config.set(quiet):
        own = LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None) if client is None else None
        chosen = Client(own) if own is not None else client
        try:
            futures = {chosen.submit(perform, task, str(places[task].resolve()), pure=False, retries=2): task for task in missing}
            for n, future in enumerate(as_completed(futures), all - len(missing) + 1):
                task = futures[future]
                error = f"{type(future.exception()).__name__}: {future.exception()}" if future.status == "error" else future.result()
                if error:
                    failed[task] = error
                if see:
                    see(n, all)
        finally:
            if own is not None:
                chosen.close()
                own.close()
    return failed
