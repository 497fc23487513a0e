"""200 runs of a trial whose workers are killed at random:  python validation/trials/killed.py [PATIENTS] [FOLDER]

Each patient is grown and followed in two arms, so that 67 patients are 201 runs. About every tenth finished run one of
the workers is killed. Afterwards there must be exactly as many results as were asked for, and each must have the digest
of the same run done alone in this process. Writes log.csv (run, digest, equal) beside this file.
"""

import csv
import os
import random
import signal
import sys
import tempfile
from pathlib import Path

import psutil

import oncarium as oc
from oncarium.run import api
from oncarium.study import trial_patient

PATCH = """
oncarium: 1
title: A small patch
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
until: 1 day
record: {cells: 2 h, fields: 1 day, checkpoint: 1 h}
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min assumed, decay: 0.1 1/min assumed, boundary: 38 mmHg assumed}
cells:
  tumor: {cycle: {model: live, exit: 0.03 1/h assumed}, death: {apoptosis: 0.01 1/h assumed}}
initial:
  - {cells: tumor, disc: {radius: 60 um}, count: 30}
"""


def trial_of(folder: Path, patients: int) -> oc.Trial:
    """The trial."""
    (folder / "patch.yaml").write_text(PATCH)
    said = {
        "title": "killed", "model": str(folder / "patch.yaml"), "grow": "2 h", "until": "4 h", "window": "2 h",
        "fewest": "5", "patients": str(patients), "follow": "60 day",
        "cohort": {"numbers": {"cells.tumor.cycle.exit": "uniform 0.02..0.05 1/h"}},
        "arms": {"control": [], "toxin": {"set": {"cells.tumor.death.apoptosis": "0.05 1/h"}}},
    }  # fmt: skip
    return oc.Trial(said)


if __name__ == "__main__":
    patients = int(sys.argv[1]) if len(sys.argv) > 1 else 67
    folder = Path(sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    trial, chance, killed = trial_of(folder, patients), random.Random(1), 0

    def see(done: int, every: int) -> None:
        """Kill a worker now and then."""
        global killed
        workers = [p for p in psutil.Process().children(recursive=True) if p.ppid() != os.getpid()]
        if done and chance.random() < 0.1 and workers:
            os.kill(chance.choice(workers).pid, signal.SIGKILL)
            killed += 1

    results = trial.run(folder / "out", workers=2, see=see, progress=False)
    plan, rows = trial.plan, []
    for patient in trial.patients:
        alone = folder / "alone" / str(patient.number)
        oc.run(plan.model(patient), plan.grow, patient.seed, out=alone / "grown", threads=1, overwrite=True)
        found = trial_patient.told(plan, patient, results.folder)["arms"]
        for arm in plan.arms:
            end = plan.grow + plan.until
            run = api.fork(alone / "grown", plan.model(patient, arm), end, alone / arm.name, patient.seed, threads=1,
                           overwrite=True)  # fmt: skip
            kept = found[arm.name]["runs"][0]
            rows.append((patient.number, arm.name, kept["run"], kept["digest"], kept["digest"] == run.digest))
    with open(Path(__file__).with_name("log.csv"), "w", newline="") as file:
        csv.writer(file).writerows([("patient", "arm", "run", "digest", "equal"), *rows])
    stores = sum((p / "run.zarr").exists() for p in (results.folder / "arms").iterdir())
    equal = sum(r[-1] for r in rows)
    print(f"{killed} workers killed; {stores} of {3 * patients} runs, {equal} of {2 * patients} arms equal those alone")
    assert stores == 3 * patients and equal == 2 * patients == len({r[2] for r in rows}) and not results.excluded
