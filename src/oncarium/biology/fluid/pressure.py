"""The fluid between cells: what vessels press out, what lymph and faces take, and how fast it flows."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ...engine.fields import FACES, Fields
from ...engine.kernels.hierarchy import build
from ...engine.kernels.multigrid import solve
from ...engine.process import Number, Process, Tick
from ...engine.tissue import Tissue
from ..vessels.wall import deposit, open_radius, pieces
from .state import Fluid

CONDUCTIVITY = 4.13e-8 * 6e9  # um^2/min/mmHg: 4.13e-8 cm^2/s/mmHg in a tumor (Baxter & Jain 1989, Microvasc Res 37:77)
FILTRATION = 2.8e-7 * 6e5  # um/min/mmHg: 2.8e-7 cm/s/mmHg of a tumor vessel's wall (Baxter & Jain 1989)
ONCOTIC = 0.82 * (20.0 - 15.0)  # mmHg that proteins hold back, in tumors (Baxter & Jain 1989)
DRAINAGE = 1.33e-5 * 60.0  # 1/min/mmHg of normal lymph (Baxter & Jain 1989)
SWELLING = 3.0  # a full gel of hyaluronan lets the fluid flow 1 + 3 times slower (assumed)
LEAST_OPEN = 0.01  # share of the conductivity that the densest matrix leaves (assumed)
ERROR = 1e-11  # of the pressure, as a share of the largest


def missing_tumor(
    depth: float, effective: float, decay_length: float = 271.6, conductivity: float = CONDUCTIVITY
) -> tuple[float, float]:
    """Conductance (um/min/mmHg) and outside pressure (mmHg) of a face behind which there is more of the same tumor, so
    deep (um), before its margin at 0 mmHg. Exact for a flat margin.

    effective     mmHg at which wall and tissue balance     decay_length   um, sqrt(conductivity / filtration)

    >>> [round(x, 3) for x in missing_tumor(1000.0, 11.5)]
    [0.914, 10.921]
    """
    ratio = depth / decay_length
    return conductivity / decay_length / math.tanh(ratio), effective * (1.0 - 1.0 / math.cosh(ratio))


def face_velocities(
    pressure: np.ndarray,
    spacing: tuple[float, float, float],
    conductivity: np.ndarray,
    conductance: np.ndarray,
    outside: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """um/min on the faces along x (z, y, x+1), y (z, y+1, x) and z (z+1, y, x), by Darcy's law: harmonic mean of
    conductivity (z, y, x) um^2/min/mmHg between voxels; through the outer faces by their conductance (face)
    um/min/mmHg, in series with half a voxel, to outside (face) mmHg."""
    out = []
    for a in range(3):
        axis, h = 2 - a, spacing[a]
        shape = list(pressure.shape)
        shape[axis] += 1
        velocity = np.zeros(shape)
        p, k = np.moveaxis(pressure, axis, 0), np.moveaxis(conductivity, axis, 0)
        v = np.moveaxis(velocity, axis, 0)
        v[1:-1] = (p[:-1] - p[1:]) / (0.5 * h / k[:-1] + 0.5 * h / k[1:])
        for end, face, sign in ((0, 2 * a, 1.0), (-1, 2 * a + 1, -1.0)):
            if conductance[face] > 0.0:
                v[end] = sign * (outside[face] - p[end]) / (1.0 / conductance[face] + 0.5 * h / k[end])
        out.append(velocity)
    return out[0], out[1], out[2]


def steady(
    pressure: np.ndarray,
    spacing: tuple[float, float, float],
    conductivity: np.ndarray,
    source: np.ndarray,
    sink: np.ndarray,
    conductance: np.ndarray,
    outside: np.ndarray,
) -> None:
    """Solve div(K grad p) = sink p - source in place, from the present pressure (z, y, x).

    source   (z, y, x) 1/min     sink   (z, y, x) 1/min/mmHg     conductivity (z, y, x), conductance and outside (face)
    as in face_velocities
    """
    reference = float(conductivity.max())
    levels = build(pressure.shape, spacing, reference, conductance, conductivity / reference)
    size = float(np.max(source / np.maximum(sink, 1e-300), initial=0.0, where=sink > 0.0))
    size = max(size, float(np.abs(outside).max(initial=0.0)), 1e-3)
    solve(pressure, source, levels, rate=0.0, demand=sink, outside=outside, tolerance=ERROR * size, cycles=400,
          drained=True)  # fmt: skip


class FluidPressure(Process):
    """Pressure and flow of the interstitial fluid.

    Equation    div(K grad p) = - Lp S/V (p_v - p - sigma dpi) + L (p - p_l)
                K = K0 (1 - rho)^2 / (1 + 3 h),  at least 0.01 K0
                u = - K grad p

    Lp S/V: the walls of perfused vessels in a voxel, x their permeability; p_v their pressure; L: lymph x its open
    share, only outwards; rho, h: density and hyaluronan of the matrix. Steady: the fluid settles within seconds.

    conductivity, filtration, drainage   um^2/min/mmHg, um/min/mmHg, 1/min/mmHg     oncotic   mmHg, sigma dpi
    lymph_pressure   mmHg     faces   face -> (conductance um/min/mmHg, outside mmHg), see missing_tumor; others are
    closed

    Sets        fluid.pressure, filtration, drained; fields.velocity.
    Conserves   what is filtered is drained or leaves, to 1e-9 (tests/biology/fluid/test_pressure.py).
    Source      Baxter & Jain 1989, Microvasc Res 37:77; parts of hyaluronan assumed.
    """

    group = "fluid.pressure"
    numbers = (
        Number("conductivity", "um^2/min/mmHg", CONDUCTIVITY, "L 60..600", "of tissue without matrix", ge=0.0),
        Number(
            "filtration", "um/min/mmHg", FILTRATION, "L 0.0216..1.2", "hydraulic conductivity of a leaky wall", ge=0.0
        ),
        Number("drainage", "1/min/mmHg", DRAINAGE, "assumed 0.00027..0.0024", "of normal lymph", ge=0.0),
        Number(
            "swelling",
            "1",
            SWELLING,
            "assumed 1..9",
            "a full gel of hyaluronan slows the flow 1 + so many times",
            ge=0.0,
        ),
        Number("oncotic", "mmHg", ONCOTIC, "assumed 1.4..12", "that proteins hold back"),
        Number("lymph_pressure", "mmHg", 0.0, "assumed", "in lymph vessels"),
    )
    section = "fluid"
    slot = "remodel"
    reads = ("vessels", "matrix", "fluid.lymph", "fluid.open")
    sets = ("fluid.pressure", "fluid.filtration", "fluid.drained", "fields.velocity")
    part = "fluid"

    @classmethod
    def of(cls, model, build, **options) -> FluidPressure:
        own = model.fluid
        beyond = missing_tumor(own.margin, 11.5) if own.margin else None
        faces = dict.fromkeys(FACES[: 4 if model.domain.is_2d else 6], beyond) if beyond else {}
        return cls(own.period, faces=faces, **cls.said(model), **options)

    def __init__(
        self,
        period: float = 60.0,
        *,
        conductivity: float = CONDUCTIVITY,
        filtration: float = FILTRATION,
        drainage: float = DRAINAGE,
        oncotic: float = ONCOTIC,
        lymph_pressure: float = 0.0,
        swelling: float = SWELLING,
        faces: Mapping[str, tuple[float, float]] | None = None,
    ):
        self.period = period
        self.conductivity, self.filtration, self.drainage = conductivity, filtration, drainage
        self.oncotic, self.lymph_pressure, self.swelling = oncotic, lymph_pressure, swelling
        self.faces = dict(faces or {})

    def prepare(self, tissue: Tissue) -> None:
        self.conductance, self.outside = np.zeros(6), np.zeros(6)
        for face, (conductance, outside) in self.faces.items():
            self.conductance[FACES.index(face)], self.outside[FACES.index(face)] = conductance, outside
        self._flow(tissue)

    def step(self, tissue: Tissue, tick: Tick) -> None:
        self._flow(tissue)

    def conductivities(self, tissue: Tissue) -> np.ndarray:
        """(z, y, x) um^2/min/mmHg."""
        if tissue.matrix is None:
            return np.full(tissue.fields.grid.shape, self.conductivity)
        room = np.maximum(1.0 - tissue.matrix.density, 0.0) ** 2 / (1.0 + self.swelling * tissue.matrix.hyaluronan)
        return self.conductivity * np.maximum(room, LEAST_OPEN)

    def walls(self, tissue: Tissue) -> tuple[np.ndarray, np.ndarray]:
        """(z, y, x) what the walls let through, 1/min and 1/min/mmHg: at p = 0, and less per mmHg of tissue."""
        grid = tissue.fields.grid
        source, sink = np.zeros(grid.shape), np.zeros(grid.shape)
        if tissue.vessels is None or not tissue.vessels.graph.n_segments:
            return source, sink
        graph = tissue.vessels.graph
        found = pieces(graph, grid)
        surface = 2.0 * math.pi * open_radius(graph) * graph.segments["permeability"] * tissue.vessels.perfused
        amount = self.filtration / grid.voxel_volume * np.repeat(found.length, np.diff(found.first)) * found.weight
        driving = graph.nodes["pressure"][graph.ends].mean(axis=1) - self.oncotic
        deposit(found, amount, surface, driving, source, sink)
        return source, sink

    def _flow(self, tissue: Tissue) -> None:
        fields, fluid = tissue.fields, tissue.fluid
        spacing, conductivity = fields.grid.spacing, self.conductivities(tissue)
        source, sink = self.walls(tissue)
        if not sink.any() and not self.conductance.any():
            self._rest(fields, fluid)
            return
        drain = self.drainage * fluid.lymph * fluid.open
        for _ in range(8):  # valves: lymph gives nothing back
            steady(
                fluid.pressure, spacing, conductivity, source + drain * self.lymph_pressure, sink + drain,
                self.conductance, self.outside,
            )  # fmt: skip
            shut = (fluid.pressure < self.lymph_pressure) & (drain > 0.0)
            if not shut.any():
                break
            drain = np.where(shut, 0.0, drain)
        fluid.filtration[...] = source - sink * fluid.pressure
        fluid.drained[...] = drain * (fluid.pressure - self.lymph_pressure)
        fields.velocity = face_velocities(fluid.pressure, spacing, conductivity, self.conductance, self.outside)
        fields.version += 1

    @staticmethod
    def _rest(fields: Fields, fluid: Fluid) -> None:
        """Nothing drives the fluid."""
        for array in (fluid.pressure, fluid.filtration, fluid.drained):
            array[...] = 0.0
        if fields.velocity is not None:
            fields.velocity = None
            fields.version += 1


def leaving(
    velocity: tuple[np.ndarray, np.ndarray, np.ndarray], spacing: tuple[float, float, float], faces: np.ndarray
) -> np.ndarray:
    """(z, y, x) 1/min: fluid that leaves the box from its outermost voxels through faces (face, bool), per volume;
    what enters counts nothing."""
    x, y, z = velocity
    out = np.zeros((x.shape[0], x.shape[1], x.shape[2] - 1))
    for a, v in enumerate((x, y, z)):
        at, speed = np.moveaxis(out, 2 - a, 0), np.moveaxis(v, 2 - a, 0)
        at[0] += faces[2 * a] * np.maximum(-speed[0], 0.0) / spacing[a]
        at[-1] += faces[2 * a + 1] * np.maximum(speed[-1], 0.0) / spacing[a]
    return out
