"""Arms of one state side by side: each goes on in a run of its own, and all end on one page."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..content import content_of
from ..errors import InputError, ModelError, Problem
from ..model.model import Model
from ..run import api
from ..run.past import Past
from ..run.results import Results
from .conduct import See, conduct
from .design import Design, Settled
from .ensemble import Origin
from .verbs import write_page

if TYPE_CHECKING:
    from ..engine.process import Process


def branch(
    path: str | Path,
    arms: Mapping[str, Mapping[str, Any]],
    until: Any = None,
    *,
    out: str | Path | None = None,
    seed: int | None = None,
    workers: int | None = None,
    processes: Sequence[Process] = (),
    other_code: bool = False,
    overwrite: bool = False,
    progress: bool | None = None,
    see: See | None = None,
    client: Any = None,
) -> Results:
    """Continue a run's last checkpoint under several changes, side by side. Raises DataError, InputError, ModelError.

    arms   name -> {dotted path: value}; an empty change is the control
    until  when to stop; left out: when the run was asked to stop, or, where it is there already, when the models say
    out    the folder, which holds a folder per arm and compare.html; the same command goes on where it was stopped
    seed   other random numbers from the branching point on, the same in all arms
    processes, other_code   the mechanisms of your own that the run had; whether other code may go on, as for oc.resume
    the others              as for oc.repeat

    >>> import oncarium as oc
    >>> first = oc.run(oc.Model.from_text(oc.EXAMPLE), "1 h", out="runs/common")
    >>> changes = {"control": {}, "fast": {"cells.tumor.cycle.exit": "0.5 1/h"}}
    >>> arms = oc.branch("runs/common", changes, until="4 h", workers=1)
    >>> len(arms["fast"].cells()) > len(arms["control"].cells())
    True
    """
    design = branch_design(path, arms, until, seed, processes, other_code)
    folder = Path(out) if out is not None else api.new_folder(f"{Path(path).name}-branch")
    return perform(design, folder, workers=workers, overwrite=overwrite, progress=progress, see=see, client=client)


def perform(design: Design, folder: Path, **how: Any) -> Results:
    """Run the arms, and write their page."""
    results = conduct(design, "branch", folder, **how)
    write_page(results)
    return results


def branch_design(
    path: str | Path, arms: Mapping[str, Mapping[str, Any]], until: Any = None, seed: int | None = None,
    processes: Sequence[Process] = (), other_code: bool = False,
) -> Design:  # fmt: skip
    """The arms of a branch; everything wrong with it is said here, before anything runs."""
    if not arms:
        raise InputError("arms", "nothing is given;", "expected a name and its changes, {} for a control.")
    past = Past.of(api.store_of(path))
    api.check_seed(seed)
    before, state, _ = past.before(processes, other_code)
    changed = _changed(before, arms)
    asked = float(past.attrs["until"])
    there = 0.0 if state is None else state["tick"] * past.attrs["tick_minutes"]

    def end(name: str) -> float:
        if until is None and ("until" in arms[name] or there >= asked):
            return api.minutes(None, changed[name])
        return api.minutes(asked if until is None else until, changed[name])

    origin = origin_of(Path(path), past, state, other_code)
    told = [Settled(name, m, {k: str(v) for k, v in arms[name].items()}) for name, m in changed.items()]
    seeds = [int(past.attrs["seed"]) if seed is None else seed]
    design = Design.of(f"{past.attrs['title']}, {len(arms)} arm{'s' if len(arms) > 1 else ''}", told, seeds)
    return replace(design, ends={name: end(name) for name in arms}, origins=dict.fromkeys(seeds, origin))


def origin_of(path: Path, past: Past, state: Any, other_code: bool = False) -> Origin:
    """The last state of a run, as what arms go on from."""
    return Origin(path.resolve(), content_of([past.attrs["model_digest"], past.attrs["seed"], state]), other_code)


def _changed(before: Model, arms: Mapping[str, Mapping[str, Any]]) -> dict[str, Model]:
    """The model of every arm. Raises ModelError with all that is wrong with any of them."""
    out, problems = {}, []
    for name, changes in arms.items():
        try:
            out[name] = arm_of(before, name, changes)
        except ModelError as error:
            problems += [p for p in error.problems if p not in problems]
    if problems:
        raise ModelError(problems)
    return out


def arm_of(before: Model, name: str, changes: Mapping[str, Any]) -> Model:
    """The model of an arm. Raises ModelError: what is wrong with its changes, or keeps it from going on with a state
    of the model before."""
    out = before.with_(changes)
    new = _of_drugs(out) - {f.name for f in before.factors}
    pairs = zip(("cell types", "factors", "domain"), _kept(out, new), _kept(before))
    other = [what for what, its, theirs in pairs if its != theirs]
    if other:
        said, expected = f"it changes the {' and the '.join(other)};", "an arm goes on with those of the run."
        raise ModelError([Problem(f"arm {name}", "", said, expected)])
    return out


def _kept(model: Model, new: Collection[str] = ()) -> tuple[Any, ...]:
    """What a state fits: names of types and factors without new ones, the domain."""
    return [t.name for t in model.types], {f.name for f in model.factors} - set(new), model.domain


def _of_drugs(model: Model) -> set[str]:
    """Names of the factors that a model has for its drugs; an arm may add some, which start at nothing."""
    therapy = model.therapy
    return set(therapy.adds) if therapy else set()
