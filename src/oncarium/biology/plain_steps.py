"""Steps in time of a factor that neither a mobility nor a fluid moves: in the way of PhysiCell, or exact."""

from __future__ import annotations

import math

import numpy as np

from ..engine.fields import FieldError, Fields
from ..engine.kernels.cosine import cosine_step, relaxation_rates
from ..engine.kernels.lod import lod_step

LOD_STEP = 0.01  # min, the time step of PhysiCell


def is_open(fields: Fields, f: int) -> bool:
    """Whether something passes a face of a factor, or voxels are held."""
    return bool(fields.face_permeability(f).any() or (fields.fixed is not None and fields.fixed[f].any()))


def need_a_steady_state(fields: Fields, f: int) -> None:
    """Raise FieldError where a factor has no steady state."""
    sinks = fields.demand[f] + fields.decay[f]
    if np.isfinite(fields.michaelis[f]):
        sinks = sinks + fields.capacity[f]
    still = fields.diffusion[f] == 0.0 and (fields.velocity is None or fields.convection[f] == 0.0)
    if not sinks.all() if still else not sinks.any() and not is_open(fields, f):
        raise FieldError(
            f"Transport: {fields.names[f]} has no steady state: nothing takes it up and nothing passes the faces; "
            "expected a decay, an uptake (in every voxel where it does not diffuse) or an open face; use the "
            "solver bdf2"
        )


def _moved(fields: Fields, f: int) -> bool:
    """Whether a mobility or a velocity acts on a factor."""
    return fields.mobility is not None or (fields.velocity is not None and fields.convection[f] > 0.0)


def lod(fields: Fields, f: int, dt: float, threads: int) -> None:
    """Locally one-dimensional steps of 0.01 min. Raises FieldError where they do not know what acts on the factor."""
    if _moved(fields, f) or (fields.kind[f] == 2).any():
        raise FieldError(
            "Transport: lod has no mobility, velocity or exchange through faces, "
            f"which {fields.names[f]} needs; use bdf2"
        )
    index, held = fields.dirichlet_voxels(f)
    steps = max(1, round(dt / LOD_STEP))
    h = dt / steps
    value, spacing = fields.value[f], fields.grid.spacing
    sources = fields.supply[f].any() or fields.demand[f].any() or fields.capacity[f].any()
    if not sources:
        lod_step(value, h, fields.diffusion[f], fields.decay[f], spacing, index, held, steps, threads)
        return
    michaelis = fields.michaelis[f] if math.isfinite(fields.michaelis[f]) else math.inf
    for _ in range(steps):
        lod_step(value, h, fields.diffusion[f], fields.decay[f], spacing, index, held, 1, threads)
        value += h * fields.supply[f]
        value /= 1.0 + h * (fields.demand[f] + fields.capacity[f] / (michaelis + value))


def cosine(fields: Fields, f: int, dt: float) -> None:
    """One exact step between closed faces, without uptake. Raises FieldError where there is more."""
    open_ = _moved(fields, f) or is_open(fields, f)
    if open_ or fields.demand[f].any() or fields.capacity[f].any():
        raise FieldError(
            "Transport: cosine needs closed faces, no uptake, no mobility and no velocity, "
            f"which {fields.names[f]} has; use bdf2"
        )
    rates = relaxation_rates(fields.grid.shape, fields.grid.spacing, fields.diffusion[f], fields.decay[f])
    cosine_step(fields.value[f], fields.supply[f], dt, rates)
