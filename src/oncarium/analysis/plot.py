"""Figures that a paper would print: true sizes, scale bars, units on axes, colors that everyone can tell apart.

Every function draws into `ax` (or a new figure of its own, see canvas.py) and returns the Axes; `save` writes it. Maps
are in maps.py, curves in curves.py, spatial statistics in spatial_plots.py. In the examples `result` is that
of oc.run(oc.Model.from_text(oc.EXAMPLE), "2 h").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..run.result import Result
from .canvas import STYLE, new_figure, save, styled
from .curves import composition, deaths, factors, growth, over_time, phases, seen_types
from .dose_response import draw as dose_response
from .maps import field, fields, tissue
from .plasma import plasma
from .responses import heat_map, response
from .scales import MANY, PALETTE, color_of, letters
from .scene import network, scene
from .spatial_plots import cooccurrence, enrichment, infiltration
from .vessel_plots import perfusion, vessel_course, vessels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..model.model import Model

__all__ = [
    "PALETTE", "STYLE", "color_of", "composition", "cooccurrence", "deaths", "dose_response", "enrichment", "factors",
    "field", "fields", "growth", "heat_map", "infiltration", "letters", "network", "over_time", "overview",
    "perfusion", "phases", "plasma", "response", "save", "scene", "tissue", "vessel_course", "vessels", "wiring",
]  # fmt: skip


@styled
def overview(result: Result) -> Figure:
    """The run on one page: tissue at start, middle and end, the first factors at the end, and the curves.

    >>> len(oc.plot.overview(result).axes) >= 9
    True
    """
    figure = new_figure(12.5, 10.4)
    panels = figure.subplots(3, 3)
    last = len(result.times) - 1
    frames = sorted({0, (last + 1) // 2, last})  # a short run has fewer than three
    for ax, k in zip(panels[0], frames):
        tissue(result, result.times[k], ax, legend=k == last)
    for ax in panels[0][len(frames) :]:
        ax.axis("off")
    for ax, name in zip(panels[1], list(result.factors)[:3]):
        field(result, name, None, ax)
    for ax in panels[1][len(result.factors) :]:
        ax.axis("off")
    for ax, draw in zip(panels[2], (growth, composition, deaths)):
        draw(result, ax)
        if draw is not deaths and len(seen_types(result)) > MANY and (beside := ax.get_legend()):
            beside.remove()  # the tissue above names the colors
    letters(ax for ax in panels.flat if ax.axison)
    figure.suptitle(f"{result.title}, seed {result.seed}", x=0.01, ha="left", fontsize=11)
    return figure


@styled
def wiring(model: Model) -> Figure:
    """Who makes and takes up which factor, what each factor and state does to whom, and who touches whom: drawn from
    the model.

    >>> drawn = oc.plot.wiring(oc.load("hypoxic_tumor")).axes[0]
    >>> "glucose" in [text.get_text() for text in drawn.texts]
    True
    """
    from .wiring_figure import draw  # here because it loads the mechanisms, which other figures do not need

    return draw(model)
