"""Two runs of a tissue side by side: oxygen, the chemokine that calls T cells, T cells among tumor cells, matrix.

python validation/operating/figure.py BEFORE AFTER [--at "10 day"] [--out figure.png]
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import oncarium as oc
from oncarium.run import checkpoint

HERE = Path(__file__).parent
MAPS = (
    ("oxygen", "oxygen (mmHg)", "viridis"),
    ("cxcl9", "CXCL9 / its mean", "magma"),
    ("density", "matrix density (1)", "cividis"),
)


def field(result: oc.Result, folder: Path, name: str, at: str) -> tuple[np.ndarray, list[float]]:
    """(y, x) of a field at a time, or of the matrix at the end, and its extent (um)."""
    grid = result.attrs["grid"]
    low, step, shape = grid["origin"], grid["spacing"], grid["shape"]
    extent = [low[0], low[0] + step[0] * shape[2], low[1], low[1] + step[1] * shape[1]]
    if name == "density":
        return checkpoint.read(max((folder / "run.checkpoints").iterdir()))[0]["matrix/density"].reshape(shape)[
            0
        ], extent
    return result.fields.at(name, at)[0], extent


def draw(before: Path, after: Path, at: str, out: Path) -> None:
    runs = [oc.open(before), oc.open(after)]
    fig, axes = plt.subplots(2, 4, figsize=(15, 7.6), constrained_layout=True)
    for column, (name, said, colors) in enumerate(MAPS):
        seen = [field(r, folder, name, at) for r, folder in zip(runs, (before, after))]
        values = [v / v.mean() if name == "cxcl9" else v for v, _ in seen]
        top = max(float(v.max()) for v in values)
        for row, (value, (_, extent)) in enumerate(zip(values, seen)):
            ax = axes[row, column]
            drawn = ax.imshow(value, origin="lower", extent=extent, cmap=colors, vmin=0, vmax=top)
            spread = value.std() / value.mean()
            ax.set_title(f"{said}, spread {spread:.0%}", fontsize=10)
        fig.colorbar(drawn, ax=axes[:, column], shrink=0.7)
    for row, (result, said) in enumerate(zip(runs, ("before", "now"))):
        ax = axes[row, 3]
        live, kind, place = result.array("vital", at) == 0, result.array("type", at), result.array("position", at)
        for type, color, size in (
            ("carcinoma", "0.75", 5),
            ("fibroblast", "#E69F00", 7),
            ("tumor_macrophage", "#009E73", 7),
            ("cd8_effector", "#D55E00", 10),
        ):
            mine = live & (kind == result.types.index(type))
            ax.scatter(*place[mine, :2].T, s=size, c=color, lw=0, label=f"{type.replace('_', ' ')} ({mine.sum()})")
        ax.set_aspect("equal")
        ax.set(xlim=extent[:2], ylim=extent[2:])
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2, fontsize=8, markerscale=1.8, frameon=False)
        ax.set_title(f"cells, {said}", fontsize=10)
        axes[row, 0].set_ylabel(f"{said}, {at}", fontsize=12)
    for ax in axes.flat:
        low, high = ax.get_xlim()
        ax.set_xticks([])
        ax.set_yticks([])
        y = ax.get_ylim()[0] + 0.05 * (high - low)
        ax.plot([low + 40, low + 240], [y, y], color="white" if ax not in axes[:, 3] else "black", lw=3)
        ax.text(
            low + 140, y + 15, "200 um", ha="center", fontsize=8, color="white" if ax not in axes[:, 3] else "black"
        )
    fig.savefig(out, dpi=110)
    print(f"Wrote {out}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--at", default="10 day")
    parser.add_argument("--out", type=Path, default=HERE / "figure.png")
    given = parser.parse_args()
    draw(given.before, given.after, given.at, given.out)
