"""Colors of cell types and of the dead: the same in every figure, table and file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .result import Result

# Okabe and Ito's seven colors and five more, chosen to lie farthest from all others (and from black and grey, which
# are kept for the dead) as people without red, green or blue cones see them
PALETTE = (
    "#E69F00", "#0072B2", "#009E73", "#F0E442", "#2D1E87", "#56B4E9", "#CC79A7", "#A5E178", "#5A2D00", "#961E69",
    "#D55E00", "#0F3C2D",
)  # fmt: skip
APOPTOTIC, NECROTIC = "#000000", "#8A8A8A"


def color_of(result: Result, type: str) -> str:
    """Color of a cell type, the same in every figure of a run.

    >>> oc.plot.color_of(result, "tumor")
    '#E69F00'
    """
    return PALETTE[result.types.index(type) % len(PALETTE)]
