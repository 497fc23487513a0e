"""What one virtual patient gives: grown to the baseline, looked at, screened, and followed in every arm.

A patient is one job, whoever does it: a process of this machine, a worker of a cluster, a task of an array. Its runs
are known by what decides them and lie in arms/<key>, so that arms and trials that share a folder share runs; what was
read of them is kept in patients/<number>.json, each part with the key of what it was read for.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..analysis import rates
from ..analysis.readout import read_out
from ..content import content_of
from ..errors import InputError, OncariumError
from ..run import api
from ..run.past import Past
from ..run.result import Result
from ..writing import write_text
from .cohort import Patient
from .ensemble import Origin, Task, perform
from .lesion import Growth, read_growth
from .trial_plan import DAY, PATCHES, Arm, Plan


def told(plan: Plan, patient: Patient, folder: str | Path) -> dict[str, Any]:
    """What is known of a patient: {key, reads, screened, error, arms: {name: {key, patches, reads, error}}}; parts that
    were read for something else are left out."""
    path = place(folder, patient.number)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["key"] != plan.key(patient):
            return {}
        found["arms"] = {
            a.name: found["arms"][a.name]
            for a in plan.arms
            if found["arms"].get(a.name, {}).get("key") == plan.key(patient, a)
        }
        return found
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def place(folder: str | Path, number: int) -> Path:
    """Where what a patient gave is kept."""
    return Path(folder) / "patients" / f"{number:06d}.json"


def finished(plan: Plan, found: Mapping[str, Any], arms: Collection[str]) -> bool:
    """Is everything there that was asked for, without an error?"""
    if not found or found["error"]:
        return False
    return bool(found["screened"]) or all(a in found["arms"] and not found["arms"][a]["error"] for a in arms)


def follow(plan: Plan, patient: Patient, folder: str, arms: tuple[str, ...]) -> str:
    """Do what is missing of a patient in these arms (none: up to the baseline). Returns nothing: what went wrong stands
    in the patient's file, and the next start tries again."""
    found = told(plan, patient, folder)
    if finished(plan, found, arms):
        return ""
    known = dict(found.get("arms", {}))
    found = {"number": patient.number, "key": plan.key(patient), "reads": {}, "screened": [], "error": "", "arms": {}}
    grown: list[Path] = []
    try:
        grown = [_grown(plan, patient, k, Path(folder)) for k in range(plan.lesions.patches)]
        found["reads"] = _reads(plan, grown) | {
            "growth": _mean([_growth(plan, Result.open(api.store_of(p))) for p in grown])
        }
        values = {**patient.values, **{k: math.nan if v is None else v for k, v in found["reads"].items()}}
        found["screened"] = [s.text for s in plan.cohort.screens if not bool(s.passes(values[s.name]))]
    except Exception as error:  # one patient that cannot be followed ends no trial
        found["error"] = _said(error)
    if not found["error"] and not found["screened"]:
        for name in arms:
            arm = plan.arm(name)
            if name in known and not known[name]["error"]:
                found["arms"][name] = known[name]
            else:
                found["arms"][name] = _in_arm(plan, patient, arm, grown, Path(folder))
        found["arms"] = {**{n: v for n, v in known.items() if not v["error"]}, **found["arms"]}
    write_text(place(folder, patient.number), json.dumps(found, indent=1, sort_keys=True))
    return ""


def give_up(plan: Plan, patient: Patient, folder: str, why: str) -> None:
    """Note that a patient could not be followed; its runs stay, and the next start tries again."""
    found = {"number": patient.number, "key": plan.key(patient), "reads": {}, "screened": [], "error": why, "arms": {}}
    write_text(place(folder, patient.number), json.dumps(found, indent=1, sort_keys=True))


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, OncariumError) else f"{type(error).__name__}: {error}"


def _run(task: Task, folder: Path) -> Path:
    where = folder / "arms" / task.key
    problem = perform(task, str(where))
    if problem:
        raise InputError(f"run {task.key}", problem)
    return where


def _grown(plan: Plan, patient: Patient, patch: int, folder: Path) -> Path:
    return _run(Task.of(plan.model(patient), plan.grow, patient.seed + patch * PATCHES), folder)


def _in_arm(plan: Plan, patient: Patient, arm: Arm, grown: list[Path], folder: Path) -> dict[str, Any]:
    out: dict[str, Any] = {"key": plan.key(patient, arm), "patches": [], "runs": [], "reads": {}, "error": ""}
    try:
        model, runs = plan.model(patient, arm), []
        for k, path in enumerate(grown):
            past = Past.of(api.store_of(path))
            state = content_of([past.attrs["model_digest"], past.attrs["seed"], past.before((), False)[1]])
            origin = Origin(path.resolve(), state)
            runs.append(_run(Task.of(model, plan.grow + plan.until, patient.seed + k * PATCHES, origin), folder))
        for path in runs:
            result = Result.open(api.store_of(path))
            growth = read_growth(result, plan.tumor, plan.window, plan.fewest, since=plan.grow / DAY)
            out["patches"].append(asdict(growth))
            out["runs"].append({"run": path.name, "digest": result.digest})
        out["reads"] = _reads(plan, runs)
    except Exception as error:
        out["error"] = _said(error)
    return out


def _reads(plan: Plan, runs: list[Path]) -> dict[str, float | None]:
    """Read-outs at the end of runs, their mean over patches; None for what is no number."""
    results = [Result.open(api.store_of(p)) for p in runs]
    return {name: _mean([read_out(r, what) for r in results]) for name, what in plan.read.items()}


def _mean(values: list[float]) -> float | None:
    mean = sum(values) / len(values)
    return mean if math.isfinite(mean) else None


def _growth(plan: Plan, result: Result) -> float:
    """Divisions less deaths per tumor cell and day before the baseline."""
    days = sum(rates.cell_days(result, t, 0.0, plan.grow) for t in plan.tumor)
    born, died = (sum(f(result, t, 0.0, plan.grow) for t in plan.tumor) for f in (rates.births, rates.deaths))
    return (born - died) / days if days > 0.0 else math.nan


def growth_of(said: Mapping[str, Any]) -> Growth:
    """What a patch told, as it was kept."""
    return Growth(**{k: tuple(v) if isinstance(v, list) else v for k, v in said.items()})
