"""Virtual trials: the same patients in every arm, from a patch of tissue to endpoints; see trial_plan.py for the file.

A trial lies in a folder: arms/<key> are runs, patients/<number>.json what each patient gave, tasks.csv the table for
array jobs, and trial.html with patients.csv, visits.csv and arms.csv what it comes to. What is finished is never done
again; a trial that was stopped, or that got another arm, goes on from what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.threads import default_threads
from ..errors import InputError
from ..run import api
from ..run.progress import Count
from ..writing import write_text
from . import trial_patient
from .cohort import Patient
from .ensemble import by_workers
from .trial_file import read_trial
from .trial_plan import Plan
from .trial_tables import Enrolled, enrol

if TYPE_CHECKING:
    import pandas as pd

    from .trial_results import TrialResult

See = Callable[[int, int], Any]


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
        from .cohort import frame

        return frame(self.patients)

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
        names = tuple(a.name for a in self.plan.arms)
        trial_patient.follow(self.plan, patient, str(Path(out).resolve()), names)
        found = trial_patient.told(self.plan, patient, out)
        said = [found["error"]] if found["error"] else [f"{n}: {a['error']}" for n, a in found["arms"].items()
                                                        if a["error"]]  # fmt: skip
        return "; ".join(said)

    def run(
        self, out: str | Path | None = None, *, workers: int | None = None, client: Any = None, see: See | None = None,
        progress: bool | None = None,
    ) -> TrialResult:  # fmt: skip
        """Do what is missing, and write tables and page. Raises InputError: nobody is plausible, or the patients cannot
        be weighted.

        out   the folder (runs/<title> when left out)     workers   processes, one thread each     client   of dask
        see   called with (patients done, all)            progress  show how many are done; left out: in notebooks only
        """
        folder = Path(out) if out is not None else api.new_folder(self.plan.title)
        names = tuple(a.name for a in self.plan.arms)
        with Count(f"{self.plan.title}: patients", progress) as count:
            how: dict[str, Any] = {"workers": workers, "client": client}
            if self.plan.cohort.weights:  # nobody is treated in vain where they cannot be weighted
                self._do(folder, (), see, count, **how)
                self.enrolled(folder)
            self._do(folder, names, see, count, **how)
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
        self, folder: Path, arms: tuple[str, ...], see: See | None, count: See, workers: int | None, client: Any
    ) -> None:
        missing = [
            p for p in self.patients if not trial_patient.finished(self.plan, trial_patient.told(self.plan, p, folder), arms)
        ]  # fmt: skip
        done = len(self.patients) - len(missing)

        def tell() -> None:
            for one in (see, count):
                if one:
                    one(done, len(self.patients))

        tell()
        lost: dict[Patient, str] = {}
        where = str(folder.resolve())
        jobs = {p.number: (trial_patient.follow, (self.plan, p, where, arms)) for p in missing}
        team = min(workers or default_threads(), max(1, len(missing)))
        if missing and (team > 1 or client is not None):
            for number, error in by_workers(jobs, team, client):
                del jobs[number]
                done += 1
                tell()
                if error:
                    lost[self.patients[number - 1]] = error
        for function, given in jobs.values():
            function(*given)
            done += 1
            tell()
        for patient, error in lost.items():
            trial_patient.give_up(self.plan, patient, where, error)
