"""Spatial statistics as figures: who is near whom, how near, and on which side of the tumor's border.

Every function takes what oc.spatial takes, draws into `ax` (or a new figure of its own, see canvas.py) and returns the
Axes. In the examples `result` is that of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from ..run.colors import PALETTE
from ..run.result import Result
from ..units import say_time
from . import spatial
from .canvas import axes, styled

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes

SHOWN = 20  # cells of a type in a bin from which on its density is drawn as sure


@styled
def enrichment(data: Any, t: Any = None, ax: Axes | None = None, limit: float | None = None, **how: Any) -> Axes:
    """Neighborhood enrichment as a map of z-scores: red where types are neighbors more often than chance has it, blue
    where less often; the number stands in each square. limit: z of the strongest color. how: as oc.spatial.enrichment.

    >>> import pandas
    >>> slide = pandas.DataFrame({"x": [0, 9, 0, 9, 4], "y": [0, 0, 9, 9, 4], "type": ["tumor"] * 3 + ["cd8"] * 2})
    >>> oc.plot.enrichment(slide).get_ylabel()
    'cells of'
    """
    found = spatial.enrichment(data, _one(t), **how)
    names = list(dict.fromkeys(found["source"]))
    z = found["z"].to_numpy().reshape(len(names), -1)
    side = 1.6 + 0.55 * len(names)
    ax = axes(ax, (side + 1.0, side))
    strongest = limit or max(float(np.nanmax(np.abs(z))) if np.isfinite(z).any() else 1.0, 1.0)
    image = ax.imshow(z, cmap="RdBu_r", vmin=-strongest, vmax=strongest)
    ax.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(len(names)), names)
    ax.tick_params(length=0)
    for (i, j), value in np.ndenumerate(z):
        color = "white" if abs(value) > 0.6 * strongest else "black"
        text = "" if np.isnan(value) else f"{value:.1f}"
        ax.text(j, i, text, ha="center", va="center", color=color, fontsize=7 if len(names) < 10 else 5)
    ax.set(xlabel="neighbors", ylabel="cells of", title="neighborhood enrichment" + _when(found))
    ax.figure.colorbar(image, cax=ax.inset_axes((1.03, 0.0, 0.045, 1.0)), label="z against shuffled types")
    return ax


@styled
def cooccurrence(
    data: Any, given: str, t: Any = None, ax: Axes | None = None, types: Sequence[str] | None = None, **how: Any
) -> Axes:
    """How much likelier each type is within a distance of a given type than anywhere; 1 where both are independent.
    how: as oc.spatial.cooccurrence.

    >>> oc.plot.cooccurrence(result, "tumor").get_xlabel()
    'within (µm)'
    """
    found = spatial.cooccurrence(data, _one(t), **how)
    there = list(dict.fromkeys(found["given"]))
    if given not in there:
        raise InputError("given", f"there is no {given} cell.", f"There are: {', '.join(there)}.")
    ax = axes(ax, (4.6, 3.2))
    colors = _colors(data, there)
    for name in types or there:
        curve = found[(found["given"] == given) & (found["type"] == name)]
        ax.plot(curve["distance"], curve["ratio"], color=colors[name], lw=1.8, label=name)
    ax.axhline(1.0, color="0.5", lw=0.8, ls=":")
    ax.set(
        xlabel="within (µm)", ylabel=f"times likelier near {given}", title=f"co-occurrence with {given}{_when(found)}"
    )
    ax.set_ylim(bottom=0)
    ax.set_xlim(left=0)
    ax.legend()
    return ax


@styled
def infiltration(
    data: Any, tumor: str | Sequence[str] = "tumor", t: Any = None, ax: Axes | None = None,
    types: Sequence[str] | None = None, **how: Any,
) -> Axes:  # fmt: skip
    """Density of each type by its distance from the border of the tumor, which lies to the left of 0; faint where fewer
    than 20 cells stand behind a curve. types: left out, all but the tumor. how: as oc.spatial.infiltration.

    >>> oc.plot.infiltration(result, types=["tumor"]).get_xlabel()
    'distance from the border (µm), tumor to the left'
    """
    found = spatial.infiltration(data, tumor, _one(t), **how)
    there = list(dict.fromkeys(found["type"]))
    ours = [tumor] if isinstance(tumor, str) else list(tumor)
    unit = "per_mm2" if "per_mm2" in found else "per_mm3"
    ax = axes(ax, (4.8, 3.2))
    colors = _colors(data, there)
    for name in types or [n for n in there if n not in ours]:
        curve = found[found["type"] == name]
        faint = 1.0 if curve["cells"].sum() >= SHOWN else 0.35
        look: Any = {"color": colors[name], "alpha": faint, "label": f"{name} ({curve['cells'].sum():,})"}
        ax.plot(curve["distance"], curve[unit], marker="o", ms=3, lw=1.6, **look)
    ax.axvline(0.0, color="black", lw=0.8)
    left = float(found["distance"].min())
    ax.axvspan(left, 0.0, color=PALETTE[0], alpha=0.08, lw=0)
    ax.set(
        xlabel="distance from the border (µm), tumor to the left",
        ylabel=f"cells per mm{unit[-1].replace('2', '²').replace('3', '³')}",
        title=f"infiltration{_when(found)}",
    )
    ax.set_ylim(bottom=0)
    ax.legend()
    return ax


def _one(t: Any) -> Any:
    """A time; a figure shows one. Raises InputError for several."""
    if isinstance(t, list | tuple) or t == "all":
        raise InputError("t", "a figure shows one time.", "Draw one into each axis:  ax=...")
    return t


def _when(found: pandas.DataFrame) -> str:
    return f", {say_time(float(found['time'].iloc[0]))}" if "time" in found else ""


def _colors(data: Any, names: Sequence[str]) -> dict[str, str]:
    """Type -> color: those of the run, of AnnData, or the palette in order."""
    if isinstance(data, Result):
        return {name: PALETTE[data.types.index(name) % len(PALETTE)] for name in names}
    if hasattr(data, "uns") and "cell_type_colors" in data.uns:
        said = dict(zip(data.obs["cell_type"].cat.categories, data.uns["cell_type_colors"]))
        if set(names) <= set(said):
            return {name: said[name] for name in names}
    return {name: PALETTE[k % len(PALETTE)] for k, name in enumerate(names)}
