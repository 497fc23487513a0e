"""The published hypoxia model in PhysiCell's numerics, six seeds for two hours, against the recorded runs of 1.14.2.

All twenty seeds, six hours and both numerics: validation/physicell_hypoxia.
"""

import importlib.util
from pathlib import Path

import numpy as np

SCRIPT = Path(__file__).parents[2] / "validation" / "physicell_hypoxia" / "ensemble.py"


def test_six_seeds_are_of_the_same_distribution(cases):
    spec = importlib.util.spec_from_file_location("ensemble", SCRIPT)
    ensemble = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(ensemble)
    ours = ensemble.gather(list(ensemble.run(cases, "physicell", 6, until=120)))
    every = np.concatenate(list(ensemble.scores(ours, ensemble.recorded(cases)).values()))
    assert len(every) == 18 and (np.abs(every) > 3).sum() <= 1 and np.abs(every).max() < 4
