"""Reads the arms of a trial: doses in any notation, other changes; and tries each on a patient."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import InputError, ModelError, Problem
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
    if regimen.courses:
        later = regimen.shifted(grow)
        therapy |= {"start": str(later.start), "doses": [group_of(c) for c in later.courses]}
    return Arm(name, therapy if regimen.courses else {}, changes, words, levels, regimen.drugs)


def read_control(reader: Reader, tree: Mapping[str, Any], arms: Sequence[Arm]) -> str:
    """The name of the arm that the others are compared with."""
    given = reader.text(tree.get("control"), "control") or None
    try:
        return control_of({a.name: [*a.words, *a.set] for a in arms}, given)
    except InputError as error:
        p = error.problem
        reader.complain(p.where, p.message, p.expected, p.remedy)
    return ""


def try_arms(reader: Reader, plan: Plan) -> None:
    """Each arm on a first patient of each archetype; what several say alike is said once."""
    told: dict[tuple[str, str], Problem] = {}
    for kind in plan.cohort.archetypes:
        patient = replace(plan.cohort, archetypes=(kind,)).patients(1)[0]
        for arm in plan.arms:
            try:
                plan.model(patient, arm)
            except (ModelError, InputError) as error:
                for p in error.problems:
                    at = _place(reader, arm.name, p.path)
                    told.setdefault((at, p.message), replace(p, where=reader.document.where(at), path=at))
    reader.problems += told.values()


def _place(reader: Reader, arm: str, path: str) -> str:
    """Where in the trial's file a problem of an arm's model comes from."""
    for at in (f"arms.{arm}.set.{path}", f"arms.{arm}.{path}", f"arms.{arm}.{path.removeprefix('therapy.')}"):
        if at in reader.document.places:
            return at
    return f"arms.{arm}"
