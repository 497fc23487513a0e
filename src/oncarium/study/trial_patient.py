"""What one virtual patient gives: grown to the baseline, looked at, screened, and followed in every arm.

The baseline of a patient is one job, and so is each of its arms, whoever does them: processes of this machine, workers
of a cluster, tasks of an array. Runs are known by what decides them and lie in arms/<key>, so that arms and trials that
share a folder share them; what was read of them is kept in patients/<number>-<key>.json.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
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
    """What is known of a patient: {reads, screened, error, arms: {name: {patches, runs, reads, error}}}; nothing where
    its baseline was not looked at yet."""
    found = _kept(_place(folder, patient, plan.key(patient)))
    if found:
        arms = {a.name: _kept(_place(folder, patient, plan.key(patient, a))) for a in plan.arms}
        found["arms"] = {name: said for name, said in arms.items() if said}
    return found


def _place(folder: str | Path, patient: Patient, key: str) -> Path:
    return Path(folder) / "patients" / f"{patient.number:06d}-{key}.json"


def _kept(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if found.keys() >= {"reads", "error"} else {}
    except (OSError, ValueError, AttributeError):
        return {}


def _keep(path: Path, found: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(found, indent=1, sort_keys=True))


def follow(plan: Plan, patient: Patient, folder: str, arm: str = "") -> str:
    """Do what is missing of a patient up to the baseline, or in an arm. Returns nothing: what went wrong is kept with
    the patient, and the next start tries again."""
    chosen = plan.arm(arm) if arm else None
    path = _place(folder, patient, plan.key(patient, chosen))
    found = _kept(path)
    if not found or found["error"]:
        _keep(path, _baseline(plan, patient, folder) if chosen is None else _in_arm(plan, patient, chosen, folder))
    return ""


def give_up(plan: Plan, patient: Patient, folder: str, arm: str, why: str) -> None:
    """Note that a patient could not be followed; its runs stay, and the next start tries again."""
    empty = {"reads": {}, "screened": [], "patches": [], "runs": [], "error": why}
    _keep(_place(folder, patient, plan.key(patient, plan.arm(arm) if arm else None)), empty)


def _baseline(plan: Plan, patient: Patient, folder: str) -> dict[str, Any]:
    out: dict[str, Any] = {"number": patient.number, "reads": {}, "screened": [], "error": ""}
    try:
        grown = _grown(plan, patient, folder)
        growth = _mean([_growth(plan, Result.open(api.store_of(p))) for p in grown])
        out["reads"] = _reads(plan, grown) | {"growth": growth}
        values = {**patient.values, **{k: math.nan if v is None else v for k, v in out["reads"].items()}}
        out["screened"] = [s.text for s in plan.cohort.screens if not bool(s.passes(values[s.name]))]
    except Exception as error:  # one patient that cannot be followed ends no trial
        out["error"] = _said(error)
    return out


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, OncariumError) else f"{type(error).__name__}: {error}"


def _run(task: Task, folder: str) -> Path:
    where = Path(folder) / "arms" / task.key
    problem = perform(task, str(where))
    if problem:
        raise InputError(f"run {task.key}", problem)
    return where


def _grown(plan: Plan, patient: Patient, folder: str) -> list[Path]:
    """Runs up to the baseline, one for each patch; those that are there are found, not run again."""
    model = plan.model(patient)
    seeds = (patient.seed + k * PATCHES for k in range(plan.lesions.patches))
    return [_run(Task.of(model, plan.grow, seed), folder) for seed in seeds]


def _in_arm(plan: Plan, patient: Patient, arm: Arm, folder: str) -> dict[str, Any]:
    out: dict[str, Any] = {
        "number": patient.number,
        "arm": arm.name,
        "patches": [],
        "runs": [],
        "reads": {},
        "error": "",
    }
    try:
        model, runs = plan.model(patient, arm), []
        for k, path in enumerate(_grown(plan, patient, folder)):
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
    edges, births, deaths, exposure = (tuple(said[k]) for k in ("edges", "births", "deaths", "exposure"))
    return Growth(edges, births, deaths, exposure, said["stopped"])
