"""Treatments side by side: a tumor grows once per seed, is treated in many ways from that one state with the same
chance, and all of it ends on one page. An arm without treatment is always among them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, ModelError, Problem, did_you_mean
from ..model.doses import Course, Regimen, check_regimen
from ..model.model import Model
from ..model.therapy import KEYS
from ..run import api
from ..run.past import Past
from ..run.result import Result
from ..run.results import Results
from ..units import say_time
from .branching import arm_of, origin_of
from .conduct import See, conduct
from .design import Design, Settled, read_seeds
from .ensemble import Origin, Task
from .verbs import opened, write_page

if TYPE_CHECKING:
    from ..engine.process import Process

CONTROL = "control"
SEEDS = 3
FILE_KEYS = ("arms", "therapy", "at", "until", "seeds")
EXPECTED = "expected doses, a section therapy, or {dotted path: value}."
Arms = Mapping[str, Any]


def treat(
    given: Model | Result | Results | str | Path,
    arms: Arms,
    *,
    at: Any = None,
    until: Any = None,
    seeds: Any = None,
    therapy: Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    processes: Sequence[Process] = (),
    other_code: bool = False,
    overwrite: bool = False,
    progress: bool | None = None,
    see: See | None = None,
    client: Any = None,
) -> Results:
    """Grow once per seed, treat in several ways from there, and set all arms side by side on one page (treat.html).
    Raises ModelError with all that is wrong with any arm, InputError, DataError.

    given    a model (a name, a file, a Model), which is grown; or a run, or Results of replicates or of an earlier
             oc.treat, whose last states are taken as they are
    arms     name -> a dose or a list of them ("pembrolizumab 200 mg every 3 weeks from day 14"), a section therapy, or
             {dotted path: value}; the arm `control`, which changes nothing, is added by itself
    at       when the arms part, a time or a condition ("live.tumor > 500"); left out: the first dose
    until    when they end; left out: as the model says      seeds   how many, or which; three when left out
    therapy  what all arms share: species, weight, drugs of your own
    the others   as for oc.branch

    >>> import oncarium as oc
    >>> arms = {"chemotherapy": "doxorubicin 60 mg/m2 on day 0.1"}
    >>> results = oc.treat(oc.Model.from_text(oc.EXAMPLE), arms, until="6 h", seeds=1, out="runs/treat", workers=1)
    >>> results.arms, float(results["control"].times[0]), results.page.name
    (['control', 'chemotherapy'], 144.0, 'treat.html')
    """
    design = treat_design(given, arms, at, until, seeds, therapy, processes, other_code)
    folder = Path(out) if out is not None else api.new_folder(f"{name_of(given)}-treat")
    return perform(design, folder, workers=workers, overwrite=overwrite, progress=progress, see=see, client=client)


def perform(design: Design, folder: Path, **how: Any) -> Results:
    """Grow, run the arms, and write their page."""
    results = conduct(design, "treat", folder, **how)
    write_page(results)
    return results


def name_of(given: Any) -> str:
    """What a folder is called after."""
    if isinstance(given, str | Path):
        return Path(given).stem
    return str(getattr(given, "name", "") or getattr(given, "title", "") or "run")


def treat_design(
    given: Model | Result | Results | str | Path, arms: Arms, at: Any = None, until: Any = None, seeds: Any = None,
    therapy: Mapping[str, Any] | None = None, processes: Sequence[Process] = (), other_code: bool = False,
) -> Design:  # fmt: skip
    """The arms of a treatment; everything wrong with it is said here, before anything runs."""
    if not isinstance(arms, Mapping) or not arms:
        raise InputError("arms", "nothing is given;", "expected a name and its doses for each arm.")
    found = opened(given)
    if isinstance(found, Model):
        base, origins, there = _with(found, processes), dict[int, Origin](), None
        wanted = read_seeds(SEEDS if seeds is None else seeds)
    else:
        base, origins, there = _states(found, processes, other_code)
        if at is not None and abs(api.minutes(at) - there) > 1e-6:
            raise InputError(
                f"at {at}", f"this run is at {say_time(there)}, and arms go on from there.",
                remedy="Leave it out, or give the model instead of the run.",
            )  # fmt: skip
        wanted = tuple(origins) if seeds is None else read_seeds(seeds)
        if len(origins) > 1 and not set(wanted) <= set(origins):
            raise InputError(
                "seeds", f"{', '.join(str(s) for s in wanted if s not in origins)} was not grown;",
                f"expected some of {', '.join(map(str, origins))}.",
            )  # fmt: skip
        origins = {s: origins.get(s) or next(iter(origins.values())) for s in wanted}
    models, changes, problems = _models(base, arms, therapy)
    end = api.minutes(until, base)
    moment, grow = "", None
    if there is None:
        begin = _moment(at, {name: m for name, m in models.items()}, base, end, problems)
        if isinstance(begin, str):
            moment, there = begin, None
            grow = api.stopping(base, begin)
            problems += [p for name, m in models.items() for p in _dated(name, m, base, begin)]
        else:
            there = begin
    if there is not None:
        if there >= end - 1e-9:
            said = f"the arms would part at {say_time(there)}, and end at {say_time(end)};"
            raise ModelError([*problems, Problem("until", "", said, "expected a later end.")])
        problems += [p for name, m in models.items() for p in _untimely(name, m, base, there, end)]
    if problems:
        raise ModelError(list(dict.fromkeys(problems)))
    settled = [Settled(name, m, {k: str(v) for k, v in changes[name].items()}) for name, m in models.items()]
    n = len(settled)
    design = Design(f"{base.title}, {n} arms", tuple(settled), wanted, dict.fromkeys(models, end), origins)
    if origins:
        return design
    first = (grow, end) if grow is not None else (base, there)
    return replace(design, grown={s: Task.of(first[0], first[1], s) for s in wanted}, moment=moment)


def _with(model: Model, processes: Sequence[Process]) -> Model:
    return model.with_process(*processes) if processes else model


def _states(
    found: Result | Results, processes: Sequence[Process], other_code: bool
) -> tuple[Model, dict[int, Origin], float]:
    """What was run before: its model, seed -> its last state, and the latest time (min) of these states."""
    if isinstance(found, Result):
        paths = [Path(found.path)]
    elif found.kind == "treat" and found.folder is not None:
        paths = [found.folder / p for p in found.design.get("grown", {}).values()]
    elif len(found.arms) == 1:
        paths = [run.path for run in found.runs]
    else:
        raise InputError(
            found.title,
            f"these are {len(found.arms)} arms;",
            "expected a run, replicates of one model, or a treatment.",
        )
    origins, times, model = dict[int, Origin](), [0.0], None
    for path in paths:
        store = path if path.suffix == ".zarr" else api.store_of(path)
        past = Past.of(store)
        model, state, _ = past.before(processes, other_code)
        origins[int(past.attrs["seed"])] = origin_of(store.parent, past, state, other_code)
        times.append(0.0 if state is None else float(state["tick"] * past.attrs["tick_minutes"]))
    assert model is not None
    if model.document.tree.get("stop_when"):
        model = model.with_({"stop_when": []})
    return model, origins, max(times)


def _models(
    base: Model, arms: Arms, therapy: Mapping[str, Any] | None
) -> tuple[dict[str, Model], dict[str, dict[str, Any]], list[Problem]]:
    """Every arm's model and changes, the control first, and all that is wrong with them."""
    said = {CONTROL: {}} | dict(arms)
    said = {CONTROL: said[CONTROL]} | said
    models, changes, problems = dict[str, Model](), dict[str, dict[str, Any]](), list[Problem]()
    for name, what in said.items():
        where = f"arm {name}"
        if not isinstance(name, str) or not name.strip() or "/" in name or name.startswith("."):
            problems.append(Problem(f"arm '{name}'", "", "this is no usable name;", "expected words."))
            continue
        found = _changes(what)
        if isinstance(found, str):
            problems.append(Problem(where, "", found, EXPECTED))
            continue
        if therapy and any(path.startswith("therapy.") for path in found):
            found = {f"therapy.{key}": value for key, value in therapy.items()} | found
        try:
            models[name] = arm_of(base, name, found)
        except ModelError as error:
            problems += [_relabelled(p, where) for p in error.problems]
            continue
        changes[name] = found
        empty = not found or (_of(models[name]) == () and any(p.startswith("therapy") for p in found))
        if name != CONTROL and empty:
            del models[name]
            problems.append(Problem(where, "", "it gives no dose and changes nothing;", EXPECTED))
    return models, changes, problems


def _changes(what: Any) -> dict[str, Any] | str:
    """What an arm sets, dotted path -> value; or what is wrong with it."""
    if what is None or (isinstance(what, Mapping) and not what):
        return {}
    if isinstance(what, str):
        return {"therapy.doses": [line for part in what.splitlines() for line in _lines(part)]}
    if isinstance(what, Path):
        return {"therapy.doses": [{"file": str(what.resolve())}]}
    if isinstance(what, Regimen):
        from ..model.doses import english

        return {"therapy.doses": [line for line in english(what).splitlines() if line.strip()]}
    if isinstance(what, Mapping):
        if "drug" in what:
            return {"therapy.doses": [dict(what)]}
        unknown = [str(k) for k in what if "." not in str(k) and k not in KEYS]
        if unknown:
            return f"'{unknown[0][:60]}' is no part of a therapy and no dotted path.{did_you_mean(unknown[0], KEYS)}"
        return {k if "." in str(k) else f"therapy.{k}": v for k, v in what.items()}
    if isinstance(what, Sequence):
        return {"therapy.doses": list(what)}
    return f"'{str(what)[:60]}' is no arm;"


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split(";") if line.strip()]


def _relabelled(p: Problem, where: str) -> Problem:
    return replace(p, where=where) if p.where.startswith("--set") else replace(p, where=f"{where}, {p.where}")


def _of(model: Model) -> tuple[Course, ...]:
    return model.therapy.regimen.courses if model.therapy else ()


def _own(model: Model, base: Model) -> list[Course]:
    """Courses that an arm has and its model has not."""
    known = {replace(c, where="", row=0) for c in _of(base)}
    return [c for c in _of(model) if replace(c, where="", row=0) not in known]


def _first(course: Course, model: Model, end: float) -> float | None:
    assert model.therapy is not None
    return next(course.times(end if course.endless else math.inf, model.therapy.regimen.first), None)


def _moment(at: Any, models: Mapping[str, Model], base: Model, end: float, problems: list[Problem]) -> float | str:
    """When the arms part: min, or a condition. Raises InputError."""
    if isinstance(at, str) and ("<" in at or ">" in at):
        return at.strip()
    if at is not None:
        try:
            return api.minutes(at)
        except InputError as error:
            raise InputError(
                "at", error.problem.message, "expected a time ('14 day') or a condition ('live.tumor > 500')."
            ) from None
    courses = [(c, m) for m in models.values() for c in _own(m, base)]
    dated = [t for c, m in courses if c.origin is None and (t := _first(c, m, end)) is not None]
    if dated:
        return min([t for t in dated if t < end] or [0.0])  # what comes too late is told of its arm
    waiting = list(dict.fromkeys(c.origin for c, _ in courses if c.origin is not None))
    if len(waiting) == 1 and not waiting[0].of:
        return str(waiting[0])
    if problems:
        return 0.0
    raise InputError(
        "at", "it is not said when the arms part;", "expected a time ('14 day') or a condition ('live.tumor > 500')."
    )


def _dated(name: str, model: Model, base: Model, moment: str) -> list[Problem]:
    """Courses with a date in an arm that parts when a condition holds."""
    said = f"is given on a date, and when {moment} nobody knows yet."
    return [
        Problem(f"arm {name}", "", f"{c.what} {said}", remedy=f"Say  {c.what} ... at {moment}, or part at a time.")
        for c in _own(model, base) if c.origin is None
    ]  # fmt: skip


def _untimely(name: str, model: Model, base: Model, there: float, end: float) -> list[Problem]:
    """Doses of an arm before the state that it goes on from, or after the end."""
    where, out = f"arm {name}", []
    own = _own(model, base)
    for c in own:
        first = None if c.origin is not None else _first(c, model, end)
        if first is not None and first < there - 1e-6:
            said = f"{c.what} is given from day {first / 1440:g}, and the arms part on day {there / 1440:g}."
            out.append(Problem(where, "", said, remedy="Give it later, or let the arms part earlier (at)."))
    late = check_regimen(Regimen(tuple(own), model.therapy.regimen.start if model.therapy else None), end)
    return out + [replace(p, where=where) for p in late if p.severity == "error"]


def read_arms(path: Path) -> dict[str, Any]:
    """Arms from a YAML file: `arms` (name -> doses, a section therapy or paths) and what oc.treat takes besides:
    therapy, at, until, seeds. Raises ModelError with every problem."""
    from ..model.files import decode, parse, read_bytes

    document = parse(decode(read_bytes(path), str(path)), str(path))
    problems = [p for p in document.problems if p.severity == "error"]
    for key in document.tree:
        if key not in FILE_KEYS:
            said = f"'{key}' is no part of a file of arms.{did_you_mean(str(key), FILE_KEYS)}"
            problems.append(Problem(document.where(str(key)), "", said, f"Parts: {', '.join(FILE_KEYS)}."))
    arms = document.tree.get("arms")
    if not isinstance(arms, dict) or not arms:
        problems.append(
            Problem(document.where("arms"), "arms", "no arms stand in it;", "expected arms: {NAME: [doses]}.")
        )
    if problems:
        raise ModelError(problems)
    return dict(document.tree)
