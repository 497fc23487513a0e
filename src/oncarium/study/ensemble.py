"""Many runs: each once, side by side, and never again when its result already lies there.

A run is known by what decides its outcome (run/identity.py). Workers are processes of one thread each (dask); one that
is killed is replaced and its run goes on from its last checkpoint. Where no worker can be had, runs are done here, one
after another."""

from __future__ import annotations

import copy
import logging
import multiprocessing
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..content import is_installed
from ..errors import DataError, InputError, OncariumError
from ..model.model import Model
from ..run import api
from ..run.identity import key_of
from ..run.result import Result

STARTS = 3  # of a set of workers, before runs are done here
DEATHS = 10  # of workers at one run, before it is given up
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Task:
    """One run: a model with its tables and mechanisms, until when (min), a seed; `key` is short for everything that
    decides the outcome."""

    model: Model = field(compare=False, repr=False)
    until: float
    seed: int
    key: str

    @classmethod
    def of(cls, model: Model, until: Any, seed: int) -> Task:
        """The task of running this model; `until` None: as the model says."""
        end = api.minutes(until, model)
        return cls(model, end, int(seed), key_of(model, end, seed))


def perform(task: Task, folder: str) -> str:
    """Run a task into its folder, or go on with what lies there; what cannot go on is run anew. Returns the error's
    text, or nothing."""
    place = Path(folder)
    try:
        if _finished(place):
            return ""
        if (place / api.STORE).exists():
            try:
                api.resume(place, task.until, threads=1, progress=False, processes=task.model.processes)
                return ""
            except DataError as error:
                log.warning("%s is run anew: %s", place, error)
        api.run(task.model, task.until, task.seed, out=place, threads=1, progress=False, overwrite=True)
    except OncariumError as error:
        return str(error)
    except Exception as error:  # one run that cannot be done ends no study
        return f"{type(error).__name__}: {error}"
    return ""


def run_all(
    tasks: Iterable[Task],
    folder: str | Path,
    *,
    workers: int | None = None,
    see: Callable[[int, int], Any] | None = None,
    client: Any = None,
) -> tuple[dict[Task, Path], dict[Task, str]]:
    """Run all tasks; returns where each result lies, and the error of each that failed.

    folder    results lie in folder/<key>        workers   processes (as many as there are processors)
    see       called with (done, all)            client    a dask client of your own, for a cluster

    Raises InputError where a mechanism of one's own cannot be sent to other processes.

    >>> from oncarium.model.model import EXAMPLE
    >>> tasks = [Task.of(Model.from_text(EXAMPLE), "30 min", seed) for seed in (1, 2)]
    >>> done, failed = run_all(tasks, "many", workers=1)
    >>> len(done), failed
    (2, {})
    """
    from ..run.simulation import default_threads

    wanted = list(dict.fromkeys(tasks))
    places = {task: Path(folder) / task.key for task in wanted}
    missing = [task for task in wanted if not _finished(places[task])]
    answers: dict[Task, str] = {}

    def answer(task: Task, error: str) -> None:
        answers[task] = error
        if see:
            see(len(wanted) - len(missing) + len(answers), len(wanted))

    if see:
        see(len(wanted) - len(missing), len(wanted))
    count = min(workers or default_threads(), max(1, len(missing)))
    if missing and (count > 1 or client is not None):
        for task, error in _by_workers(missing, places, count, client):
            answer(task, error)
    for task in missing:
        if task not in answers:
            answer(task, perform(task, str(places[task])))
    failed = {task: error for task, error in answers.items() if error}
    return {task: places[task] for task in wanted if task not in failed}, failed


def _finished(place: Path) -> bool:
    try:
        return Result.open(api.store_of(place)).finished
    except DataError:
        return False


@contextmanager
def _by_value(model: Model) -> Iterator[None]:
    """Within it, modules that only this process may have (scripts, notebooks, files beside them) are sent by their
    content."""
    import cloudpickle

    modules = {type(p).__module__ for p in model.processes} | {
        getattr(getattr(p, "function", None), "__module__", None) for p in model.processes
    }
    own = [sys.modules[m] for m in modules if m in sys.modules and m != "__main__" and not is_installed(m)]
    try:
        for module in own:
            cloudpickle.register_pickle_by_value(module)
        yield
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


def packed(task: Task) -> bytes:
    """A task as bytes that any process can open: tables and mechanisms of one's own are in it. Raises InputError."""
    import cloudpickle

    model = copy.copy(task.model)
    model.folder = None if model.folder is None else model.folder.resolve()
    try:
        with _by_value(model):
            return cloudpickle.dumps(Task(model, task.until, task.seed, task.key))
    except Exception as error:  # whatever a mechanism holds: locks, open files, generators
        names = ", ".join(p.name for p in model.processes)
        raise InputError(
            f"mechanisms {names}", f"they cannot be sent to other processes: {error}.",
            remedy="Keep in them only what can be pickled, or run in this process: workers=1.",
        ) from None  # fmt: skip


def unpacked(task: bytes, folder: str) -> str:
    """Perform a packed task."""
    import pickle

    return perform(pickle.loads(task), folder)


def _by_workers(
    missing: list[Task], places: Mapping[Task, Path], count: int, client: Any
) -> Iterator[tuple[Task, str]]:
    """(task, error or nothing) as workers finish; tasks that are left when workers cannot be had are left to the
    caller."""
    if getattr(
        multiprocessing.current_process(), "_inheriting", False
    ):  # a worker that imports the script which started it
        raise InputError(
            sys.argv[0], "it starts runs while it is imported.", remedy='Put them under  if __name__ == "__main__":'
        )
    left = {task: packed(task) for task in missing}
    for start in range(STARTS):
        try:
            with _client(count, client) as chosen:
                from distributed import as_completed

                futures = {
                    chosen.submit(unpacked, data, str(places[task].resolve()), pure=False): task
                    for task, data in left.items()
                }
                for future in as_completed(futures):
                    if future.status == "cancelled":
                        continue
                    error = (
                        f"{type(future.exception()).__name__}: {future.exception()}"
                        if future.status == "error"
                        else future.result()
                    )
                    del left[futures[future]]
                    yield futures[future], error
        except Exception as error:  # a worker that dies while all of them start ends the start, not the study
            log.warning("workers were lost (%s: %s), start %d of %d", type(error).__name__, error, start + 1, STARTS)
        if not left:
            return


@contextmanager
def _client(count: int, client: Any) -> Iterator[Any]:
    """The client given, or one with workers of its own."""
    import dask

    if client is not None:
        yield client
        return
    from distributed import Client, LocalCluster

    quiet = {
        "distributed.worker.daemon": True, "distributed.admin.tick.limit": "1h", "logging.distributed": "error",
        "distributed.scheduler.allowed-failures": DEATHS,
    }  # fmt: skip
    with (
        dask.config.set(quiet),
        LocalCluster(n_workers=count, threads_per_worker=1, processes=True, dashboard_address=None) as own,
        Client(own) as chosen,
    ):
        yield chosen
