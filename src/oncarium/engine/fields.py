"""Fields: what the tissue is bathed in, on a regular grid of voxels.

    dc/dt = div(mobility D grad c) - decay c - demand c - capacity c / (K + c) + supply

Cells, vessels and drugs add to supply, demand and capacity; only Transport sets value.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import OncariumError
from .part import Part

FACES = ("xmin", "xmax", "ymin", "ymax", "zmin", "zmax")
CONDITIONS = ("no-flux", "value", "exchange")
SMALLEST = 1e-30  # below it a concentration is zero: denormal numbers cost sixty times the time of normal ones


class FieldError(OncariumError, ValueError):
    """A factor, face, shape or number that fields cannot have."""


@dataclass(frozen=True)
class Grid:
    """Regular voxels of a box; a 2-D tissue has nz == 1 and its thickness as z spacing.

    origin   (x, y, z) um, lower corner of the box     spacing   (dx, dy, dz) um     shape   (nz, ny, nx)

    >>> grid = Grid(origin=(0, 0, 0), spacing=(20, 20, 20), shape=(1, 3, 4))
    >>> grid.is_2d, grid.voxel_volume, grid.centers("x").tolist()
    (True, 8000.0, [10.0, 30.0, 50.0, 70.0])
    """

    origin: tuple[float, float, float]
    spacing: tuple[float, float, float]
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        object.__setattr__(self, "origin", tuple(float(v) for v in self.origin))
        object.__setattr__(self, "spacing", tuple(float(v) for v in self.spacing))
        object.__setattr__(self, "shape", tuple(int(v) for v in self.shape))
        if len(self.shape) != 3 or min(self.shape) < 1 or len(self.spacing) != 3 or min(self.spacing) <= 0:
            raise FieldError(
                f"Grid: shape {self.shape} with spacing {self.spacing} is no box of voxels; expected three counts "
                "(nz, ny, nx) of at least 1 and three spacings above 0 um; for a 2-D tissue set nz = 1"
            )

    @property
    def nx(self) -> int:
        """Voxels along x."""
        return self.shape[2]

    @property
    def ny(self) -> int:
        """Voxels along y."""
        return self.shape[1]

    @property
    def nz(self) -> int:
        """Voxels along z."""
        return self.shape[0]

    @property
    def is_2d(self) -> bool:
        """Whether there is one plane of voxels."""
        return self.nz == 1

    @property
    def voxel_volume(self) -> float:
        """um^3."""
        return self.spacing[0] * self.spacing[1] * self.spacing[2]

    @property
    def lower(self) -> np.ndarray:
        """(xyz) um."""
        return np.array(self.origin)

    @property
    def upper(self) -> np.ndarray:
        """(xyz) um."""
        return np.array(self.origin) + np.array(self.spacing) * np.array(self.shape[::-1])

    def centers(self, axis: str) -> np.ndarray:
        """Centers of the voxels along axis "x", "y" or "z", um."""
        a = "xyz".index(axis)
        return self.origin[a] + (np.arange(self.shape[2 - a]) + 0.5) * self.spacing[a]


class Fields(Part):
    """All factors of a tissue on one grid.

    value                        (factor, z, y, x) concentration
    supply, demand, capacity     (factor, z, y, x) concentration/min, 1/min, concentration/min
    diffusion, decay, michaelis  (factor) um^2/min, 1/min, concentration (nan: no saturable uptake)
    kind, outside, permeability  (factor, face) index in CONDITIONS, concentration, um/min; faces in the order of FACES
    fixed, fixed_value           None or (factor, z, y, x): voxels held at a value (bool, concentration)
    mobility                     None, (z, y, x) or (factor, z, y, x): multiplies diffusion, harmonic mean on faces
    velocity                     None or three arrays of face velocities, um/min: x (z, y, x+1), y (z, y+1, x),
                                 z (z+1, y, x)
    convection                   (factor) 0 to 1, how much of the fluid's velocity the factor shares
    version                      raise it after writing into mobility or velocity
                                 in place: solvers then build their tables anew

    >>> fields = Fields(Grid((0, 0, 0), (10, 10, 10), (1, 4, 4)), ["oxygen"], ["mmHg"], diffusion=[1e5], decay=[0.1])
    >>> fields.set_boundary("oxygen", "xmin", "value", 38.0)
    >>> fields.value[fields.index("oxygen")].shape
    (1, 4, 4)
    """

    ARRAYS = (
        "value", "supply", "demand", "capacity", "diffusion", "decay", "michaelis", "convection", "kind", "outside",
        "permeability", "fixed", "fixed_value", "mobility",
    )  # fmt: skip

    def __init__(
        self,
        grid: Grid,
        names: Sequence[str],
        units: Sequence[str] | None = None,
        *,
        diffusion: Sequence[float],
        decay: Sequence[float],
        michaelis: Sequence[float] | None = None,
        initial: Sequence[float] | None = None,
    ):
        self.grid = grid
        self.names = tuple(names)
        self.units = tuple(units) if units is not None else ("1",) * len(self.names)
        count = len(self.names)
        if len(set(self.names)) != count:
            raise FieldError(f"Fields: names {self.names} repeat; expected one field per factor; rename one")
        self.diffusion = self._numbers("diffusion", diffusion, count)
        self.decay = self._numbers("decay", decay, count)
        self.michaelis = self._numbers("michaelis", [np.nan] * count if michaelis is None else michaelis, count)
        self.convection = np.zeros(count)
        shape = (count, *grid.shape)
        self.value, self.supply, self.demand, self.capacity = (np.zeros(shape) for _ in range(4))
        if initial is not None:
            self.value += self._numbers("initial", initial, count)[:, None, None, None]
        self.kind = np.zeros((count, 6), np.int8)
        self.outside = np.zeros((count, 6))
        self.permeability = np.zeros((count, 6))
        self.fixed: np.ndarray | None = None
        self.fixed_value: np.ndarray | None = None
        self.mobility: np.ndarray | None = None
        self.velocity: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        self.version = 0

    @staticmethod
    def _numbers(what: str, given: Sequence[float], count: int) -> np.ndarray:
        array = np.array(given, dtype=float)
        if array.shape != (count,) or (array < 0).any() or np.isinf(array).any():
            raise FieldError(
                f"Fields: {what} is {given!r}; expected {count} finite numbers of at least 0, one per factor; "
                "check the order of the factors"
            )
        return array

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(factor, z, y, x)."""
        return self.value.shape

    def index(self, name: str) -> int:
        """Row of a factor; an unknown name is answered with the nearest one."""
        if name in self.names:
            return self.names.index(name)
        near = difflib.get_close_matches(name, self.names, n=1)
        hint = f"Did you mean '{near[0]}'? " if near else ""
        raise FieldError(
            f"Fields: no factor is called '{name}'. {hint}This tissue has: {', '.join(self.names)}. "
            "Add the factor to the model or correct the name"
        )

    def set_boundary(self, name: str, face: str, condition: str, value: float = 0.0, permeability: float = 0.0) -> None:
        """Condition of one face ("all" for the six): flux into the tissue = permeability (value - c at the face)."""
        f = self.index(name)
        if (face != "all" and face not in FACES) or condition not in CONDITIONS:
            raise FieldError(
                f"Fields: boundary '{face}', '{condition}' of {name} is unknown; faces are {', '.join(FACES)} or all, "
                f"conditions are {', '.join(CONDITIONS)}; correct the word"
            )
        faces = range(6) if face == "all" else [FACES.index(face)]
        for k in faces:
            self.kind[f, k] = CONDITIONS.index(condition)
            self.outside[f, k] = value
            self.permeability[f, k] = permeability

    def face_permeability(self, f: int) -> np.ndarray:
        """(face) um/min: 0 where nothing passes, infinite where the value is prescribed."""
        return np.where(self.kind[f] == 0, 0.0, np.where(self.kind[f] == 1, np.inf, self.permeability[f]))

    def fix(self, name: str, mask: np.ndarray, value: float | np.ndarray) -> None:
        """Hold the voxels of mask (z, y, x) at value; the rest of the factor is left as it is."""
        f = self.index(name)
        if self.fixed is None or self.fixed_value is None:
            self.fixed = np.zeros(self.shape, np.bool_)
            self.fixed_value = np.zeros(self.shape)
        self.fixed[f] |= mask
        self.fixed_value[f][mask] = value if np.ndim(value) == 0 else np.asarray(value)[mask]

    def dirichlet_voxels(self, f: int) -> tuple[np.ndarray, np.ndarray]:
        """Flat indices (rising) and values of the voxels held when a face's
        value is set in its voxels: those faces, then those fixed."""
        held = np.full(self.grid.shape, np.nan)
        for face in np.flatnonzero(self.kind[f] == 1):
            if self.grid.shape[2 - face // 2] > 1:
                at = [slice(None)] * 3
                at[2 - face // 2] = slice(0, 1) if face % 2 == 0 else slice(-1, None)
                held[tuple(at)] = self.outside[f, face]
        if self.fixed is not None and self.fixed_value is not None:
            held[self.fixed[f]] = self.fixed_value[f][self.fixed[f]]
        index = np.flatnonzero(~np.isnan(held))
        return index, held.reshape(-1)[index]

    def mobility_of(self, f: int) -> np.ndarray | None:
        """(z, y, x) or None."""
        return None if self.mobility is None else self.mobility if self.mobility.ndim == 3 else self.mobility[f]

    def clear_sources(self) -> None:
        """Before the cells write again."""
        self.supply[:] = 0.0
        self.demand[:] = 0.0
        self.capacity[:] = 0.0

    def gradient(self, name: str) -> np.ndarray:
        """(xyz, z, y, x) concentration/um: central differences, one-sided at the edges, zero along a single voxel."""
        c = self.value[self.index(name)]
        out = np.zeros((3, *c.shape))
        for a in range(3):
            if c.shape[2 - a] > 1:
                out[a] = np.gradient(c, self.grid.spacing[a], axis=2 - a)
        return out

    def amount(self, name: str) -> float:
        """Concentration times um^3 in the whole box."""
        return float(self.value[self.index(name)].sum() * self.grid.voxel_volume)

    def copy(self) -> Fields:
        """Independent fields with the same content."""
        return copy.deepcopy(self)

    def digest(self, h: Any) -> None:
        """Feed the concentrations to a hash."""
        h.update(np.ascontiguousarray(self.value).tobytes())

    def summary(self) -> dict[str, tuple[float, str]]:
        """Mean, lowest and highest concentration of every factor."""
        if not self.names:
            return {}
        flat = self.value.reshape(len(self.names), -1)
        told = {"mean": flat.mean(axis=1), "lowest": flat.min(axis=1), "highest": flat.max(axis=1)}
        return {
            f"{what}.{f}": (float(v), u)
            for what, values in told.items()
            for f, u, v in zip(self.names, self.units, values)
        }

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything a checkpoint keeps, by name."""
        out = {name: getattr(self, name) for name in self.ARRAYS if getattr(self, name) is not None}
        if self.velocity is not None:
            out |= {f"velocity_{axis}": self.velocity[a] for a, axis in enumerate("xyz")}
        return out

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what `arrays` gave."""
        for name in self.ARRAYS:
            setattr(self, name, np.array(arrays[name]) if name in arrays else None)
        velocity = [np.array(arrays[k]) for k in ("velocity_x", "velocity_y", "velocity_z") if k in arrays]
        self.velocity = (velocity[0], velocity[1], velocity[2]) if velocity else None
