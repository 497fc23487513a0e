"""Elementary effects of the library's twenty uncertain numbers on the reference tissue at a quarter of its area.

python validation/sensitivity/run.py [--trajectories 4] [--until "5 day"] [--workers 1] [--runs FOLDER]     writes
table.csv and figure.png"""

import argparse
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import oncarium as oc
from oncarium.study import sensitivity

HERE = Path(__file__).parent

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trajectories", type=int, default=4)
    parser.add_argument("--until", default="5 day")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=Path("runs/sensitivity"))
    given = parser.parse_args()
    numbers, readouts = sensitivity.uncertain()
    table = sensitivity.morris(
        oc.load(HERE / "half.yaml"), numbers, readouts, given.runs, trajectories=given.trajectories, until=given.until,
        seed=1, workers=given.workers, see=lambda done, all: print(f"{done} of {all} runs", flush=True),
    )  # fmt: skip
    table.to_csv(HERE / "table.csv", index=False, float_format="%.4g")
    sensitivity.figure(table).savefig(HERE / "figure.png", dpi=150)
    print(table.sort_values("mu_star", ascending=False).groupby("readout").head(4).to_string(index=False))
