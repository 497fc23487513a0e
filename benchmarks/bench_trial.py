"""A trial's own cost, and what a second worker gives:  python benchmarks/bench_trial.py [PATIENTS] [DAYS]

Patients of hypoxic_tumor in two arms, patches of so many days (about 10 s a run on a quiet machine): the same runs one
after another by hand, then as a trial on one worker and on two. Overhead is what the trial adds to the runs on one
worker, reading and page included; it should stay below 5 %. Two workers should be 1.8 times as fast as one.
"""

import sys
import tempfile
import time
from pathlib import Path

import oncarium as oc
from oncarium.run import api

if __name__ == "__main__":
    patients = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    days = float(sys.argv[2]) if len(sys.argv) > 2 else 4.0
    trial = oc.Trial({
        "title": "bench", "model": "hypoxic_tumor", "grow": "1 day", "until": f"{days:g} day", "patients": patients,
        "cohort": {"numbers": {"cells.tumor.mechanics.repulsion": "uniform 8..12 um/min"}},
        "arms": {"control": [], "other": {"set": {"cells.tumor.motility.speed": "0.2 um/min"}}}, "follow": "90 day",
    })  # fmt: skip
    plan = trial.plan
    oc.run(plan.model(trial.patients[0]), "1 h", out=tempfile.mkdtemp(), threads=1)
    began = time.perf_counter()
    for patient in trial.patients:
        grown = Path(tempfile.mkdtemp())
        oc.run(plan.model(patient), plan.grow, patient.seed, out=grown, threads=1)
        for arm in plan.arms:
            end = plan.grow + plan.until
            api.fork(grown, plan.model(patient, arm), end, tempfile.mkdtemp(), patient.seed, threads=1)
    alone = time.perf_counter() - began
    taken = {}
    for workers in (1, 2):
        began = time.perf_counter()
        trial.run(tempfile.mkdtemp(), workers=workers, progress=False)
        taken[workers] = time.perf_counter() - began
    print(f"by hand {alone:.1f} s; trial on 1 worker {taken[1]:.1f} s ({100 * (taken[1] / alone - 1):+.1f} %), on 2 "
          f"{taken[2]:.1f} s ({taken[1] / taken[2]:.2f} times as fast)")  # fmt: skip
