"""Reads the arms of a trial: doses in any notation, other changes; and tries each on a patient."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError, ModelError
from ..model.doses import check_regimen, regimen_of
from ..model.doses.say import group_of, line_of
from ..model.drug import drugs
from ..model.model import Model
from ..model.reader import Reader
from .cohort import control_of
from .trial_plan import Arm, Plan


def read_arms(
    reader: Reader, tree: Mapping[str, Any], said: Mapping[str, Any], folder: Path, base: Model | None
) -> list[Arm]:
    """The arms of a file; doses count from the baseline and are kept as the run's own time has them."""
    common = reader.group(tree.get("therapy"), "therapy")
    types = [] if base is None else [t.name for t in base.types]
    return [
        _arm(reader, name, given, common, said["grow"], said["until"], folder, types)
        for name, given in reader.named(tree.get("arms"), "arms", "arm").items()
    ]


def _arm(
    reader: Reader, name: str, given: Any, common: Mapping[str, Any], grow: float, until: float, folder: Path,
    types: Sequence[str],
) -> Arm:  # fmt: skip
    path = f"arms.{name}"
    plain = given is None or isinstance(given, str | list)
    part = {} if plain else reader.group(given, path, ("doses", "therapy", "set", "levels"), "part of an arm")
    own = reader.group(part.get("therapy"), f"{path}.therapy")
    therapy = {**common, **own}
    at = path if plain else f"{path}.doses" if "doses" in part else f"{path}.therapy.doses"
    doses = (given if plain else part.get("doses", own.get("doses"))) or []
    start = None
    if therapy.get("start"):
        try:
            start = datetime.date.fromisoformat(str(therapy["start"]))
        except ValueError:
            reader.complain(f"{path}.therapy.start", f"'{therapy['start']}' is no date;", "expected year-month-day.")
    more = therapy.get("drugs")
    known = [*drugs(), *(more if isinstance(more, dict) else ())]
    listed = doses if isinstance(doses, list) else [doses]
    regimen, problems = regimen_of(
        listed, lambda p: reader.document.where(f"{at}.{p}" if isinstance(doses, list) else at), folder, start, known,
        types or None,
    )  # fmt: skip
    if not any(p.severity == "error" for p in problems):
        problems += [p for p in check_regimen(regimen, until) if p.severity == "error"]
    reader.problems += [replace(p, path=at if p.path in ("", "doses") else f"{at} {p.path}") for p in problems]
    levels = {
        k: reader.quantity(v, f"{path}.levels.{k}", "1", ge=0.0) or 0.0
        for k, v in reader.group(part.get("levels"), f"{path}.levels").items()
    }
    changes = {
        k: v if isinstance(v, list | dict) else str(v) for k, v in reader.group(part.get("set"), f"{path}.set").items()
    }
    words = tuple(line_of(c) for c in regimen.courses)
    told = tuple(f"{k}: {v}" for k, v in changes.items())
    if regimen.courses:
        later = regimen.shifted(grow)
        therapy |= {"start": str(later.start), "doses": [group_of(c) for c in later.courses]}
    return Arm(name, therapy if regimen.courses else {}, changes, words, told, levels, regimen.drugs)


def read_control(reader: Reader, tree: Mapping[str, Any], arms: Sequence[Arm]) -> str:
    """The name of the arm that the others are compared with."""
    given = reader.text(tree.get("control"), "control") or None
    said = {a.name: any(tree["arms"][a.name].values()) if isinstance(tree["arms"][a.name], dict)
            else tree["arms"][a.name] for a in arms}  # fmt: skip
    try:
        return control_of(said, given)
    except InputError as error:
        p = error.problem
        reader.complain(p.where, p.message, p.expected, p.remedy)
    return ""


def try_arms(reader: Reader, plan: Plan) -> None:
    """Each arm on a first patient of each archetype; what several say alike is said once."""
    for kind in plan.cohort.archetypes:
        patient = replace(plan.cohort, archetypes=(kind,)).patients(1)[0]
        for arm in plan.arms:
            _try(reader, arm, lambda arm=arm, patient=patient: plan.model(patient, arm))  # type: ignore[misc]


def try_changes(reader: Reader, arms: Sequence[Arm], base: Model) -> None:
    """What arms set, on the patch alone: where the patients cannot be made."""
    for arm in arms:
        _try(reader, arm, lambda arm=arm: base.with_(arm.set))  # type: ignore[misc]


def _try(reader: Reader, arm: Arm, make: Callable[[], Model]) -> None:
    try:
        make()
    except (ModelError, InputError) as error:
        for p in error.problems:
            at = _place(reader, arm.name, p.path)
            if not any(p.message == o.message and at == o.path for o in reader.problems):
                reader.problems.append(replace(p, where=reader.document.where(at), path=at))


def _place(reader: Reader, arm: str, path: str) -> str:
    """Where in the trial's file a problem of an arm's model comes from."""
    for at in (f"arms.{arm}.set.{path}", f"arms.{arm}.{path}", f"arms.{arm}.{path.removeprefix('therapy.')}"):
        if at in reader.document.places:
            return at
    return f"arms.{arm}"
