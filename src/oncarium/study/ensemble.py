"""Many runs: each once, side by side, and never again when its result already lies there.

A run is known by what decides its outcome (run/identity.py). Workers are processes of one thread each that keep what
they imported, compiled and read last, or those of a dask cluster; one that is killed is replaced and its run goes on
from its last checkpoint. Where no worker can be had, runs are done here, one after another."""

from __future__ import annotations

import copy
import functools
import hashlib
import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from ..content import is_installed
from ..engine.threads import default_threads
from ..errors import DataError, InputError, OncariumError
from ..model.model import Model
from ..run import api
from ..run.identity import key_of
from ..run.past import Past
from ..run.result import Result

START = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
CONTEXT = multiprocessing.get_context(START)
STARTS = 3  # of workers that finish nothing, before each run has one to itself; of that one, before it is given up
log = logging.getLogger(__name__)
Name = TypeVar("Name")


@dataclass(frozen=True)
class Origin:
    """The run whose last state tasks go on from; `state` is short for that state, `other_code` whether other code may
    go on from it."""

    path: Path
    state: str
    other_code: bool = False


@dataclass(frozen=True)
class Task:
    """One run: a model with its tables and mechanisms, until when (min), a seed, and the run that it goes on from, if
    any; `key` is short for everything that decides the outcome."""

    model: Model = field(compare=False, repr=False)
    until: float
    seed: int
    key: str
    origin: Origin | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, model: Model, until: Any, seed: int, origin: Origin | None = None) -> Task:
        """The task of running this model; `until` None: as the model says."""
        end = api.minutes(until, model)
        key = key_of(model, end, seed)
        if origin is not None:
            key = hashlib.sha256(f"{origin.state} {key}".encode()).hexdigest()[: len(key)]
        return cls(model, end, int(seed), key, origin)


def perform(task: Task, folder: str) -> str:
    """Run a task into its folder, or go on with what lies there; what cannot go on is run anew. Returns the error's
    text, or nothing."""
    place = Path(folder)
    try:
        if _finished(place, task):
            return ""
        if _asked(place) == (task.key, task.until):
            try:
                api.resume(place, task.until, threads=1, progress=False, processes=task.model.processes)
                return ""
            except DataError as error:
                log.warning("%s is run anew: %s", place, error)
        how: Any = {"threads": 1, "progress": False, "overwrite": True, "asked": {"key": task.key}}
        if (origin := task.origin) is not None:
            api.fork(origin.path, task.model, task.until, place, task.seed, other_code=origin.other_code, **how)
        else:
            api.run(task.model, task.until, task.seed, out=place, **how)
    except OncariumError as error:
        return str(error)
    except Exception as error:  # one run that cannot be done ends no study
        return f"{type(error).__name__}: {error}"
    return ""


def run_all(
    tasks: Iterable[Task],
    folder: str | Path | Mapping[Task, Path],
    *,
    workers: int | None = None,
    see: Callable[[int, int], Any] | None = None,
    client: Any = None,
) -> tuple[dict[Task, Path], dict[Task, str]]:
    """Run all tasks; returns where each result lies, and the error of each that failed.

    folder    results lie in folder/<key>, or where it says for each task
    workers   processes (as many as there are processors)
    see       called with (done, all)            client    a dask client of your own, for a cluster

    Raises InputError where a mechanism of one's own cannot be sent to other processes.

    >>> from oncarium.model.model import EXAMPLE
    >>> tasks = [Task.of(Model.from_text(EXAMPLE), "30 min", seed) for seed in (1, 2)]
    >>> done, failed = run_all(tasks, "many", workers=1)
    >>> len(done), failed
    (2, {})
    """
    wanted = list(dict.fromkeys(tasks))
    places = folder if isinstance(folder, Mapping) else {task: Path(folder) / task.key for task in wanted}
    missing = [task for task in wanted if not _finished(places[task], task)]
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


def _finished(place: Path, task: Task) -> bool:
    try:
        return _asked(place) == (task.key, task.until) and Result.open(api.store_of(place)).finished
    except DataError:
        return False


def _asked(place: Path) -> tuple[Any, float] | None:
    """Key and end of the run that lies there, finished or not; None where none can be read."""
    try:
        attrs = Past.of(api.store_of(place)).attrs
        return (attrs.get("asked") or {}).get("key"), float(attrs["until"])
    except DataError:
        return None


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


def packed(model: Model) -> bytes:
    """A model as bytes that any process can open: tables and mechanisms of one's own are in it. Raises InputError."""
    import cloudpickle

    copied = copy.copy(model)
    copied.folder = None if model.folder is None else model.folder.resolve()
    try:
        with _by_value(model):
            return cloudpickle.dumps(copied)
    except Exception as error:  # whatever a mechanism holds: locks, open files, generators
        names = ", ".join(p.name for p in model.processes)
        raise InputError(
            f"mechanisms {names}", f"they cannot be sent to other processes: {error}.",
            remedy="Keep in them only what can be pickled, or run in this process: workers=1.",
        ) from None  # fmt: skip


@functools.lru_cache(maxsize=1)
def _opened(model: bytes) -> Model:
    """The model that this worker ran last, or another one."""
    return pickle.loads(model)


def unpacked(model: bytes, task: Task, folder: str) -> str:
    """Perform a task with this packed model."""
    return perform(replace(task, model=_opened(model)), folder)


def _by_workers(
    missing: list[Task], places: Mapping[Task, Path], count: int, client: Any
) -> Iterator[tuple[Task, str]]:
    """(task, error or nothing) as workers finish; tasks that are left when workers cannot be had are left to the
    caller."""
    models = {id(model): packed(model) for model in {id(t.model): t.model for t in missing}.values()}
    jobs = {
        t: (unpacked, (models[id(t.model)], replace(t, model=None), str(places[t].resolve())))  # type: ignore[arg-type]
        for t in missing
    }
    return by_workers(jobs, count, client)


Job = tuple[Callable[..., str], tuple[Any, ...]]  # a function that any process can import, and what it is given


def by_workers(jobs: Mapping[Name, Job], count: int, client: Any) -> Iterator[tuple[Name, str]]:
    """(name, error or nothing) of jobs as workers finish them; left out where no worker can be had. Workers that die
    are replaced, and their jobs done again."""
    left, lost = dict(jobs), 0
    while left and lost < STARTS:
        had = len(left)
        try:
            with _team(count, client) as finish:
                for task, error in finish(dict(left)):
                    del left[task]
                    yield task, error
        except Exception as fault:  # a worker that dies ends this start, not the study
            lost = lost + 1 if len(left) == had else 0
            log.warning("workers were lost (%s: %s); %d runs are left", type(fault).__name__, fault, len(left))
    if client is None:
        for task, job in left.items():
            found = _alone(job)
            if found is not None:
                yield task, found


def _alone(job: Job) -> str | None:
    """A job in a process of its own, which may die; None where none can be had."""
    for _ in range(STARTS):
        with _pool(1) as pool:
            try:
                pool.submit(os.getpid).result()
            except Exception:
                return None
            try:
                return pool.submit(job[0], *job[1]).result()
            except BrokenProcessPool:
                continue
    return "the process that ran it died, again and again; its memory may not suffice."


Finish = Callable[[Mapping[Any, Job]], Iterator[tuple[Any, str]]]


@contextmanager
def _team(count: int, client: Any) -> Iterator[Finish]:
    """What does jobs and gives them back as they finish: a dask client, or processes of this machine."""
    if client is not None:
        yield functools.partial(_by_client, client)
        return
    with _pool(count) as pool:

        def finish(jobs: Mapping[Any, Job]) -> Iterator[tuple[Any, str]]:
            futures = {pool.submit(function, *given): task for task, (function, given) in jobs.items()}
            for future in as_completed(futures):
                yield futures[future], future.result()

        yield finish


def _by_client(client: Any, jobs: Mapping[Any, Job]) -> Iterator[tuple[Any, str]]:
    from distributed import as_completed as completed

    futures = {client.submit(function, *given, pure=False): task for task, (function, given) in jobs.items()}
    try:
        for future in completed(futures):
            if future.status == "error":
                yield futures[future], f"{type(future.exception()).__name__}: {future.exception()}"
            elif future.status != "cancelled":
                yield futures[future], future.result()
    finally:
        client.cancel([future for future in futures if not future.done()])


class _Apart(CONTEXT.Process):  # type: ignore[name-defined, misc]
    """A process that does not import the script which started it, so scripts and notebooks need no `if __name__`: all
    that a run needs comes with it."""

    @staticmethod
    def _Popen(process: Any) -> Any:
        script = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            return CONTEXT.Process._Popen(process)  # type: ignore[attr-defined]
        finally:
            sys.modules["__main__"] = script


@contextmanager
def _pool(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that wait for tasks, each with what it has imported, compiled and read; they end at once when the
    caller is interrupted: what they have reported is safe, and runs go on from it."""
    context = copy.copy(CONTEXT)
    context.Process = _Apart  # type: ignore[attr-defined]
    if START == "forkserver":
        context.set_forkserver_preload([__name__, "oncarium.run.simulation", "oncarium.run.recorder"])
    pool = ProcessPoolExecutor(count, context, initializer=_begin)
    workers = pool._processes
    try:
        yield pool
    except BaseException:
        for worker in list((workers or {}).values()):
            worker.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _begin() -> None:
    """A worker leaves Ctrl-C to whoever started it, and does not outlive them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
