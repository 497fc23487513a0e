"""A cohort against what patients did:  python validation/therapy/patients.py MEASURED.csv [PATIENTS] [OUT]

MEASURED.csv is the table of Laleh et al. 2022 (DOI 10.1371/journal.pcbi.1009822; columns Pt_hashID, T_days,
Lesion_diam): one arm per study and no drug named, so that only the shape is compared: best change of the diameter, day
of the nadir, and how many still shrink at the end. Beside them stands a fit with two parameters to each patient,
V' = g V with kill k until the nadir (Claret: d = d0 (exp(-k t) + exp(g t) - 1)). Our patients are those of trial.yaml:
human doubling times, anti-PD-1 given to all, nothing tuned to this table.

Runs: PATIENTS x (one patch grown for 7 days, two arms of 21 days). Resumable: the same command goes on.
"""

import ast
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import least_squares
from scipy.stats import ks_2samp

import oncarium as oc

HERE = Path(__file__).parent
FEWEST = 3  # visits with a diameter, the baseline among them


def measured(path: str | Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """(days from baseline, diameters) of patients with enough visits; the baseline is the last look up to day 0."""
    out = []
    for row in pd.read_csv(path).itertuples():
        try:
            t, d = (np.array(ast.literal_eval(str(x)), float) for x in (row.T_days, row.Lesion_diam))
        except (ValueError, SyntaxError):
            continue
        order = np.argsort(t, kind="stable")
        t, d = t[order], d[order]
        before = np.flatnonzero(t <= 0.0)
        first = int(before[-1]) if len(before) else 0
        t, d = t[first:] - t[first], d[first:]
        if len(t) >= FEWEST and d[0] > 0.0:
            out.append((t, d))
    return out


def shape(t: np.ndarray, d: np.ndarray) -> tuple[float, float]:
    """(best change %, day of the nadir)."""
    k = 1 + int(np.argmin(d[1:]))
    return 100.0 * (d[k] / d[0] - 1.0), float(t[k])


def two_parameters(t: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Diameters of the fit with kill and growth rates."""

    def curve(p: np.ndarray) -> np.ndarray:
        k, g = np.exp(p)
        return np.exp(-k * t) + np.exp(np.minimum(g * t, 5.0)) - 1.0

    starts = [(-4.0, -7.0), (-7.0, -5.0), (-3.0, -6.0)]
    fits = [least_squares(lambda p: curve(p) - d / d[0], s, bounds=([-12, -12], [0, 0])) for s in starts]
    return d[0] * curve(min(fits, key=lambda f: f.cost).x)


def table(groups: dict[str, list[tuple[float, float]]]) -> pd.DataFrame:
    """Quantiles of best change and day of nadir of each group, and how far each is from what was measured."""
    rows = []
    real = np.array(groups["measured"])
    for name, found in groups.items():
        x = np.array(found)
        row = {"who": name, "n": len(x)}
        for k, what in enumerate(("best change, %", "nadir, day")):
            low, mid, high = np.quantile(x[:, k], (0.25, 0.5, 0.75))
            row[what] = f"{mid:.0f} ({low:.0f} to {high:.0f})"
            row[f"distance of {what}"] = 0.0 if name == "measured" else ks_2samp(x[:, k], real[:, k]).statistic
        rows.append(row)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    real = measured(sys.argv[1])
    groups = {"measured": [shape(t, d) for t, d in real]}
    groups["two parameters, fitted"] = [shape(t, two_parameters(t, d)) for t, d in real]
    patients = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    if patients:
        text = (HERE / "trial.yaml").read_text().replace("patients: 100", f"patients: {patients}")
        (HERE / f"trial-{patients}.yaml").write_text(text)
        out = Path(sys.argv[3] if len(sys.argv) > 3 else "runs/patients")
        results = oc.Trial(HERE / f"trial-{patients}.yaml").run(out, progress=True)
        courses = [c for c in results.of_arm("anti-PD-1") if len(c.days) >= FEWEST]
        groups["ours"] = [shape(np.array(c.days), np.array(c.sums)) for c in courses]
    said = table(groups)
    said.to_csv(HERE / "patients.csv", index=False, float_format="%.3f")
    print(said.to_string(index=False))
