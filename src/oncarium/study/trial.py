"""Virtual trials: the same patients in every arm, from a patch of tissue to endpoints; see trial_plan.py for the file.

A trial lies in a folder: arms/<key> are runs, patients/ what each patient gave, tasks.csv the table for
array jobs, and trial.html with patients.csv, visits.csv and arms.csv what it comes to. What is finished is never done
again; a trial that was stopped, or that got another arm, goes on from what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.threads import default_threads
from ..errors import InputError
from ..run import api
from ..run.progress import Count
from ..units import say_time
from ..writing import write_text
from . import trial_patient
from .cohort import Patient, frame
from .design import say_seconds, tick_seconds
from .ensemble import by_workers
from .trial_file import read_trial
from .trial_plan import Plan
from .trial_tables import Enrolled, enrol

if TYPE_CHECKING:
    import pandas as pd

    from .trial_results import TrialResult

See = Callable[[int, int], Any]
Job = tuple[Patient, str]  # up to the baseline, or in an arm


class Trial:
    """A trial of virtual patients.

    plan   what its file says (a Plan)

    >>> import oncarium as oc
    >>> trial = oc.Trial({"model": "spheroid", "patients": 4, "arms": {"control": [], "slow": {"set": {
    ...     "cells.tumor.motility.speed": "0.1 um/min"}}},
    ...     "cohort": {"numbers": {"cells.tumor.mechanics.repulsion": "uniform 5..15 um/min"}}})
    >>> trial
    Trial 'trial': 4 patients in 2 arms, control 'control'
    >>> trial.tasks()["patient"].tolist()
    [1, 2, 3, 4]
    """

    def __init__(self, given: str | Path | Mapping[str, Any] | Plan):
        """given: a file, what a file says, or a Plan. Raises ModelError with everything that is wrong."""
        self.plan = given if isinstance(given, Plan) else read_trial(given)
        self.patients = self.plan.enrolled()

    def __repr__(self) -> str:
        p = self.plan
        return f"Trial {p.title!r}: {p.patients} patients in {len(p.arms)} arms, control {p.control!r}"

    def tasks(self) -> pd.DataFrame:
        """One row for each patient: its number (what `run-one` is told), seed, archetype, and the values of its
        numbers."""
        return frame(self.patients)

    def cost(self, workers: int | None = None) -> str:
        """How many runs of how long, and a guess of the time they take."""
        p = self.plan
        model = p.model(self.patients[0])
        seconds = (p.grow + len(p.arms) * p.until) / model.clock.tick * tick_seconds(model) * p.lesions.patches
        team = max(1, min(workers or default_threads(), len(self.patients)))
        runs = len(self.patients) * p.lesions.patches
        said = f"{runs:,} patches, each grown for {say_time(p.grow)} and followed in {len(p.arms)} arms for "
        said += say_time(p.until)
        guess = say_seconds(seconds * len(self.patients) / team)
        return f"{said}: about {guess} on {team} worker{'s' if team > 1 else ''} (by the cells and voxels at the start)"

    def write_tasks(self, out: str | Path) -> Path:
        """Write the table of tasks into a folder; returns its path."""
        path = Path(out) / "tasks.csv"
        write_text(path, self.tasks().to_csv(index=False, float_format="%.9g"))
        return path

    def run_one(self, number: int, out: str | Path) -> str:
        """Do all of one patient, in this process; returns what went wrong, or nothing. Raises InputError."""
        patient = next((p for p in self.patients if p.number == number), None)
        if patient is None:
            raise InputError(
                "run-one", f"there is no patient {number};", f"expected a number from 1 to {self.plan.patients}."
            )
        folder = str(Path(out).resolve())
        trial_patient.follow(self.plan, patient, folder)
        found = trial_patient.told(self.plan, patient, folder)
        if found["error"] or found["screened"]:
            return str(found["error"])
        for arm in self.plan.arms:
            trial_patient.follow(self.plan, patient, folder, arm.name)
        arms = trial_patient.told(self.plan, patient, folder)["arms"]
        return "; ".join(f"{name}: {said['error']}" for name, said in arms.items() if said["error"])

    def run(
        self, out: str | Path | None = None, *, workers: int | None = None, client: Any = None, see: See | None = None,
        progress: bool | None = None,
    ) -> TrialResult:  # fmt: skip
        """Do what is missing, and write tables and page. Raises InputError: nobody is plausible, or the patients cannot
        be weighted.

        out   the folder (runs/<title> when left out)     workers   processes, one thread each     client   of dask
        see   called with (runs done, all)            progress  show how many are done; left out: in notebooks only
        """
        folder = Path(out) if out is not None else api.new_folder(self.plan.title)
        where, names = str(folder.resolve()), [a.name for a in self.plan.arms]
        with Count(f"{self.plan.title}: runs", progress) as count:
            how: dict[str, Any] = {"sees": (see, count), "workers": workers, "client": client}
            known = {p.number: trial_patient.told(self.plan, p, where) for p in self.patients}
            jobs: list[Job] = [(p, "") for p in self.patients if not known[p.number] or known[p.number]["error"]]
            done = len(self.patients) - len(jobs)
            self._do(jobs, where, done, done + len(jobs) + len(self.patients) * len(names), **how)
            known = {p.number: trial_patient.told(self.plan, p, where) for p in self.patients}
            if self.plan.cohort.weights:
                enrol(self.plan, known)  # nobody is treated in vain where they cannot be weighted
            there = [p for p in self.patients if not known[p.number]["error"] and not known[p.number]["screened"]]
            arms = {p.number: known[p.number]["arms"] for p in there}
            jobs = [(p, n) for p in there for n in names if n not in arms[p.number] or arms[p.number][n]["error"]]
            every = len(self.patients) + len(there) * len(names)
            self._do(jobs, where, every - len(jobs), every, **how)
        return self.report(folder)

    def report(self, out: str | Path) -> TrialResult:
        """Tables and page of what is there. Raises InputError where nothing is."""
        from .trial_page import write
        from .trial_results import TrialResult

        results = TrialResult.of(self.plan, self.enrolled(Path(out)), Path(out))
        write(results)
        return results

    def enrolled(self, out: Path) -> Enrolled:
        """Who takes part, and why others do not. Raises InputError."""
        return enrol(self.plan, {p.number: trial_patient.told(self.plan, p, out) for p in self.patients})

    def _do(
        self, jobs: Sequence[Job], folder: str, done: int, every: int, sees: Sequence[See | None],
        workers: int | None, client: Any,
    ) -> None:  # fmt: skip
        """Do jobs, side by side where there are workers."""

        def tell(ready: int) -> None:
            for one in sees:
                if one:
                    one(done + ready, every)

        tell(0)
        left = {(p.number, arm): (trial_patient.follow, (self.plan, p, folder, arm)) for p, arm in jobs}
        team = min(workers or default_threads(), max(1, len(jobs)))
        if left and (team > 1 or client is not None):
            for name, error in by_workers(dict(left), team, client):
                _, (_, patient, _, arm) = left.pop(name)
                if error:
                    trial_patient.give_up(self.plan, patient, folder, arm, error)
                tell(len(jobs) - len(left))
        for k, (function, given) in enumerate(left.values(), len(jobs) - len(left) + 1):
            function(*given)
            tell(k)
