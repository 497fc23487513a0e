"""Arms of one state side by side: each goes on in a worker of its own, and all end on one page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..run import api
from ..run.past import Past
from ..run.progress import Count
from ..run.results import FILE, Arm, Results, Run
from .conduct import See
from .ensemble import side_by_side
from .verbs import write_page


def branch(
    path: str | Path,
    arms: Mapping[str, Mapping[str, Any]],
    until: Any = None,
    *,
    out: str | Path | None = None,
    seed: int | None = None,
    workers: int | None = None,
    other_code: bool = False,
    progress: bool | None = None,
    see: See | None = None,
) -> Results:
    """Continue a run's last checkpoint under several changes, side by side, as oc.branch does one after another; the
    page is compare.html. Raises DataError, InputError, ModelError.

    >>> import oncarium as oc
    >>> from oncarium.study.branching import branch
    >>> first = oc.run(oc.Model.from_text(oc.EXAMPLE), "1 h", out="runs/common")
    >>> arms = branch("runs/common", {"control": {}, "fast": {"cells.tumor.cycle.exit": "0.5 1/h"}}, "4 h", workers=1)
    >>> len(arms["fast"].cells()) > len(arms["control"].cells())
    True
    """
    past = Past.of(api.store_of(path))
    model = past.model(())
    changed = {name: model.with_(changes) for name, changes in arms.items()}
    api.check_seed(seed)
    past.notes(model, past.tick, other_code)
    end = None if until is None else api.minutes(until, model)
    folder = Path(out) if out is not None else api.new_folder(f"{Path(path).name}-branch")
    for place in (folder, *(folder / name for name in arms)):
        if (place / api.STORE).exists() or (place / FILE).exists():
            raise InputError(str(place), "a run already lies here.", remedy="Choose another folder.")
    runs = [Run(name, int(past.attrs["seed"]) if seed is None else seed, folder / name) for name in arms]
    told = [Arm(name, {k: str(v) for k, v in arms[name].items()}, changed[name].digest) for name in arms]
    results = Results(
        f"{past.attrs['title']}, {len(arms)} arms", told, runs, folder, {"kind": "branch", "from": str(path)}
    )
    results.save()
    here, there = str(Path(path).resolve()), str(folder.resolve())
    jobs = {
        name: (one_arm, (here, name, dict(changes), end, there, seed, other_code)) for name, changes in arms.items()
    }
    failed = {}
    with Count(f"{past.attrs['title']}: arms", progress) as count:
        for k, (name, error) in enumerate(side_by_side(jobs, workers)):
            if error:
                failed[name] = error
            for one in (count, see):
                if one:
                    one(k + 1, len(jobs))
    results.runs = tuple(replace(run, error=failed.get(run.arm, "")) for run in runs)
    results.save()
    results = Results.read(folder)
    write_page(results)
    return results


def one_arm(path: str, name: str, changes: dict[str, Any], end: float | None, folder: str, seed: int | None,
            other_code: bool) -> str:  # fmt: skip
    """Run one arm; returns the error's text, or nothing."""
    try:
        arms = {name: changes}
        found = api.branch(path, arms, end, out=folder, seed=seed, threads=1, progress=False, other_code=other_code)
        return "" if found[name].finished else "it was stopped."
    except Exception as error:  # one arm that cannot be done ends no other
        return str(error) or type(error).__name__
