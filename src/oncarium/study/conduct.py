"""A design is run into a folder: <arm>/seed-<n> for every run, and study.json, which is written first and whole, so
that a set of runs can be opened, gone on with and drawn again at any time. What is finished is never run again, and a
changed model is never taken for the one it was."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import DataError, InputError
from ..run import api
from ..run.progress import Count
from ..run.result import Result
from ..run.results import FILE, Arm, Results, Run, relative
from ..units import say_time
from .design import AT_MOST, Design, count_runs, say_seconds
from .ensemble import Origin, Task, run_all

See = Callable[[int, int], Any]


def conduct(
    design: Design,
    kind: str,
    out: str | Path | None,
    *,
    workers: int | None = None,
    client: Any = None,
    see: See | None = None,
    progress: bool | None = None,
    overwrite: bool = False,
    at_most: int | None = AT_MOST,
    readouts: list[Any] | None = None,
    taken: Mapping[str, Result | Results] | None = None,
    order: Sequence[str] = (),
) -> Results:
    """Run what a design asks for and is not there yet; a failed run is told in the table. Raises InputError, DataError.

    kind     repeat, sweep, compare, branch, treat   out       the folder; runs/<title> when left out
    see      called with (done, all)          at_most   refuse more runs than this (None: as many as asked for)
    taken    arms that were run elsewhere, by name          order      of all arms
    """
    if at_most is not None:
        count_runs(design.runs, at_most)
    folder = Path(out) if out is not None else api.new_folder(f"{design.title}-{kind}")
    wanted, tasks = _planned(design, kind, folder, readouts)
    if taken:
        every = {name: taken[name] if name in taken else wanted.of(name) for name in order}
        wanted = Results.joined(design.title, every, folder, wanted.design)
    _check_folder(folder, wanted, overwrite)
    wanted.save()
    with Count(f"{design.title}: runs", progress) as count:
        first, told = len(design.grown), _both(see, count)
        total = first + len(tasks)
        how: dict[str, Any] = {"workers": workers, "client": client}
        lost = _grow(design, folder, see=lambda done, _: told(done, total), **how) if first else {}
        ready = {t: p for p, t in reversed(tasks.items()) if t.seed not in lost}
        _, failed = run_all(list(reversed(ready)), ready, see=lambda done, _: told(first + done, total), **how)
        failed |= {t: lost[t.seed] for t in tasks.values() if t.seed in lost}
    if failed:
        wanted.runs = tuple(
            replace(r, error=failed.get(tasks[r.path], "") if r.path in tasks else "") for r in wanted.runs
        )
        wanted.save()
    return Results.read(folder)


def _grow(design: Design, folder: Path, **how: Any) -> dict[int, str]:
    """Run what comes before the arms; seed -> why its state was not reached."""
    places = {task: grown_folder(folder, seed) for seed, task in design.grown.items()}
    _, failed = run_all(places, places, **how)
    lost = {task.seed: f"the state that it goes on from was not reached: {why}" for task, why in failed.items()}
    for task, place in places.items():
        if task.seed not in lost and design.moment:
            if Result.open(api.store_of(place)).stopped != design.moment:
                lost[task.seed] = f"{design.moment} did not come to hold by {say_time(task.until)}."
    return lost


def grown_folder(folder: Path, seed: int) -> Path:
    """Where the run lies whose end the arms of a seed go on from."""
    return folder / "grown" / f"seed-{seed}"


def _both(*sees: See | None) -> See:
    def see(done: int, all: int) -> None:
        for one in sees:
            if one:
                one(done, all)

    return see


def _planned(design: Design, kind: str, folder: Path, readouts: list[Any] | None) -> tuple[Results, dict[Path, Task]]:
    """The runs as they are to be, and the task of each folder; an arm that is another one's twin shares its runs."""
    names = folders(design, kind)
    origins = dict(design.origins)
    origins |= {s: Origin(grown_folder(folder, s).resolve(), t.key) for s, t in design.grown.items()}
    runs, tasks, first = [], dict[Path, Task](), dict[Task, Path]()
    for arm in design.arms:
        for seed in design.seeds:
            task = Task.of(arm.model, design.ends[arm.name], seed, origins.get(seed))
            below = f"seed-{seed}" if kind != "branch" else ""  # an arm of a branch has one seed
            path = first.setdefault(task, folder / names[arm.name] / below)
            tasks[path] = task
            runs.append(Run(arm.name, seed, path, task.key))
    arms = [Arm(a.name, dict(a.settings), a.model.digest) for a in design.arms]
    told = {"kind": kind, "until": dict(design.ends), "seeds": list(design.seeds), "readouts": readouts or []}
    if len(design.origins) == 1:
        told["from"] = str(next(iter(design.origins.values())).path)
    if kind == "treat":
        told["grown"] = {str(seed): relative(origin.path, folder.resolve()) for seed, origin in origins.items()}
    return Results(design.title, arms, runs, folder, told), tasks


def folders(design: Design, kind: str) -> dict[str, str]:
    """Arm -> name of its folder; replicates of one model need none."""
    if kind == "repeat":
        return {a.name: "" for a in design.arms}
    out: dict[str, str] = {}
    for arm in design.arms:
        name = re.sub(r"[^\w.+-]+", "_", arm.name).strip("._")[:60] or "arm"
        while name.lower() in {n.lower() for n in out.values()}:
            name += "_"
        out[arm.name] = name
    return out


def _check_folder(folder: Path, wanted: Results, overwrite: bool) -> None:
    """Raise InputError where other runs lie in the folder than those that are wanted."""
    if overwrite or not folder.exists():
        return
    remedy = "Choose another folder (--out), or replace what is there: --overwrite (overwrite=True)."
    if not (folder / FILE).exists():
        if not folder.is_dir() or any(folder.iterdir()):
            raise InputError(str(folder), "something else lies here.", remedy=remedy)
        return
    try:
        there = Results.read(folder)
    except DataError as error:
        raise InputError(
            str(folder), f"what lies here cannot be read: {error.problem.message}", remedy=remedy
        ) from None
    different = difference(there, wanted)
    if different:
        raise InputError(str(folder), f"other runs lie here: {different}.", remedy=remedy)


def difference(there: Results, wanted: Results) -> str:
    """What two sets of runs differ in, in words; nothing where they are the same."""
    if there.kind != wanted.kind:
        return f"{there.kind} instead of {wanted.kind}"
    if [a for a in there.arms if a not in wanted.arms] or [a for a in wanted.arms if a not in there.arms]:
        return f"arms {_few(there.arms)} instead of {_few(wanted.arms)}"
    for name in wanted.arms:
        if there._arms[name].digest != wanted._arms[name].digest:
            return f"the model of arm {name} is another one"
    if there.seeds != wanted.seeds:
        return f"seeds {_few(there.seeds)} instead of {_few(wanted.seeds)}"
    before, now = there.design.get("until", {}), wanted.design["until"]
    for name in now:
        if before.get(name) != now[name]:
            return f"until {say_time(before.get(name, 0.0))} instead of {say_time(now[name])}"
    keys = [{(r.arm, r.seed): r.key for r in of.runs} for of in (there, wanted)]
    since = "they go on from another state, or " if wanted.kind in ("branch", "treat") else "they "
    return "" if keys[0] == keys[1] else f"{since}were run by other code (sources, versions or mechanisms)"


def _few(numbers: Sequence[Any]) -> str:
    return ", ".join(map(str, numbers[:5])) + (", ..." if len(numbers) > 5 else "")


def say_cost(design: Design, workers: int) -> str:
    """How many runs of how long, and a guess of the time they take."""
    ends = sorted(set(design.ends.values()))
    long = say_time(ends[0]) if len(ends) == 1 else f"{say_time(ends[0])} to {say_time(ends[-1])}"
    n = design.runs
    team = f"{workers} worker{'s' if workers > 1 else ''}"
    cost = f"about {say_seconds(design.seconds(workers))} on {team} (by the cells and voxels at the start)"
    return f"{n:,} run{'s' if n > 1 else ''} of {long}, {cost}"
