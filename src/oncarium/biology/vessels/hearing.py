"""What vessels hear of a factor: its concentration, less what drugs keep from their receptors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.tissue import Tissue


def deaf(tissue: Tissue, factor: str) -> np.ndarray | None:
    """(z, y, x) share of a factor that vessels hear; None where no drug acts on it."""
    out = None
    for effect in () if tissue.plasma is None else tissue.plasma.on_vessels:
        if effect.target == (factor,):
            share = effect.times(tissue.fields.value[tissue.fields.index(effect.drug)] * effect.nanomolar)
            out = share if out is None else out * share
    return out


def heard(tissue: Tissue, factors: Any) -> np.ndarray:
    """(factor, z, y, x) concentrations that vessels hear.

    >>> from oncarium.engine.fields import Fields, Grid
    >>> from oncarium.engine.cells import Cells
    >>> fields = Fields(Grid((0, 0, 0), (1, 1, 1), (1, 1, 1)), ["vegfa"], diffusion=[1.0], decay=[0.0], initial=[2.0])
    >>> heard(Tissue(Cells([], ("a",), {}), fields), ["vegfa"]).tolist()
    [[[[2.0]]]]
    """
    fields = tissue.fields
    out = fields.value[[fields.index(name) for name in factors]]
    for k, name in enumerate(factors):
        share = deaf(tissue, name)
        if share is not None:
            out[k] *= share
    return out
