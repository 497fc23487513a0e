"""The pictures of gallery.md: every scenario of the library run once, its tissue and its oxygen at the end.

python docs/gallery.py [RUNS]     runs lie in this folder (runs/gallery) and are used again when finished
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt

import oncarium as oc
from oncarium.errors import OncariumError

NAMES = (
    "reference", "inflamed", "excluded", "desert", "hypoxic_desmoplastic", "well_perfused", "early_lesion",
    "spheroid_with_macrophages", "vascular_tumor", "corneal_pocket", "window_chamber",
)  # fmt: skip
HALF = Path(oc.__file__).parent / "library" / "scenarios" / "parts" / "half_millimeter.yaml"  # stands for the reference


def result(name: str, runs: Path) -> oc.Result:
    """The run of a scenario."""
    folder = runs / name
    try:
        found = oc.open(folder)
        if found.finished:
            return found
    except OncariumError:
        pass
    if name == "reference":
        return oc.run(oc.load(HALF), out=folder, overwrite=True)
    return oc.run(oc.load(name), out=folder, overwrite=True)


def draw(seen: oc.Result, path: Path, t: str | None = None) -> None:
    with plt.rc_context(oc.plot.STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4.0), layout="constrained", width_ratios=(1.0, 1.0))
        oc.plot.tissue(seen, t, left)
        oc.plot.field(seen, "oxygen", t, right)
        figure.savefig(path, dpi=95, pil_kwargs={"optimize": True})
        plt.close(figure)


if __name__ == "__main__":
    runs = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/gallery")
    for name in NAMES:
        draw(result(name, runs), Path(__file__).parent / "_static" / f"gallery_{name}.png")
