"""A patch of thirty cells and a trial in it, for tests."""

from pathlib import Path

PATCH = """
oncarium: 1
title: A small patch
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
until: 1 day
record: {cells: 4 h, fields: 1 day, checkpoint: 1 day}
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min assumed, decay: 0.1 1/min assumed, boundary: 38 mmHg assumed}
cells:
  tumor:
    cycle: {model: live, exit: 0.03 1/h assumed}
    death: {apoptosis: 0.01 1/h assumed}
    rules: ["oxygen decreases death.necrosis to 0 1/min, half 3 mmHg, hill 4 assumed"]
initial:
  - {cells: tumor, disc: {radius: 60 um}, count: 30}
"""
TRIAL = """
title: A small trial
model: patch.yaml
grow: 4 h
until: 8 h
window: 4 h
fewest: 15
patients: 6
cohort:
  seed: 3
  numbers:
    division: {path: cells.tumor.cycle.exit, as: uniform 0.02..0.05 1/h}
    dying: {path: cells.tumor.death.apoptosis, as: log-normal 0.02 1/h sd 0.4}
  archetypes: {slow: {share: 0.5, numbers: {division: uniform 0.015..0.025 1/h}}, fast: {share: 0.5}}
  screens: ["there > 20"]
read:
  there: {measure: count, of: tumor}
arms:
  control: []
  toxin: {set: {cells.tumor.death.apoptosis: 0.06 1/h assumed}}
stratify: [archetype]
lesions: {number: {1: 0.5, 2: 0.5}, diameter: log-normal 30 mm sd 0.3 within 12..80}
visits: {every: 2 week}
follow: 90 day
drop_out: 0.2
"""


def write(folder: Path, trial: str = TRIAL) -> Path:
    """Patch and trial in a folder; returns the path of the trial."""
    (folder / "patch.yaml").write_text(PATCH)
    path = folder / "trial.yaml"
    path.write_text(trial)
    return path
