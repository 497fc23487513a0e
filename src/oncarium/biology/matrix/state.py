"""Matrix: the extracellular matrix of every voxel, and membranes on the faces between voxels."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from ...engine.fields import Grid
from ...engine.part import Part

SHARES = ("density", "crosslink", "hyaluronan")
# what a model may say of them, see sensing.py and membrane.py: stiffness (kPa) at density 1 without crosslinks, how it
# grows with density, how many times that full crosslinking adds; strength of the membrane below which a cell can pass
SOFT, POWER, LINKED = 4.0, 1.8, 1.0
BREACH = 0.3
SCALARS = ("density", "crosslink", "hyaluronan", "bound_vegfa", "latent_tgfb")
ORIENTATION = ("xx", "yy", "xy", "xz", "yz")  # of a symmetric tensor whose trace is zero


class Matrix(Part):
    """Arrays on the grid of the fields.

    density       (z, y, x) 0 to 1.5; 1 is a scar           crosslink, hyaluronan   (z, y, x) 0 to 1
    bound_vegfa   (z, y, x) nM of VEGF-A held by fibres     latent_tgfb             (z, y, x) nM of TGF-b not yet active
    orientation   (5, z, y, x) components of ORIENTATION of the fibres' order tensor
    membrane      None, or three arrays of face values, 0 (no membrane) to 1: x (z, y, x+1), y (z, y+1, x),
                  z (z+1, y, x)

    >>> matrix = Matrix(Grid((0, 0, 0), (10, 10, 10), (1, 4, 4)))
    >>> matrix.density.shape, matrix.orientation.shape
    ((1, 4, 4), (5, 1, 4, 4))
    """

    def __init__(
        self, grid: Grid, soft: float = SOFT, power: float = POWER, linked: float = LINKED, breach: float = BREACH
    ):
        self.law = (soft, power, linked)
        self.breach = breach
        self.density, self.crosslink, self.hyaluronan, self.bound_vegfa, self.latent_tgfb = (
            np.zeros(grid.shape) for _ in SCALARS
        )
        self.orientation = np.zeros((len(ORIENTATION), *grid.shape))
        self.membrane: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None

    def stiffness(self) -> np.ndarray:
        """(z, y, x) kPa."""
        soft, power, linked = self.law
        return soft * self.density**power * (1.0 + linked * self.crosslink)

    def enclose(self, inside: np.ndarray) -> None:
        """Lay a membrane of strength 1 on every face between voxels inside (z, y, x) a region and those outside."""
        faces = []
        for axis in (2, 1, 0):
            face = np.zeros([n + (a == axis) for a, n in enumerate(inside.shape)])
            between = [slice(None)] * 3
            between[axis] = slice(1, -1)
            face[tuple(between)] = np.diff(inside.astype(np.int8), axis=axis) != 0
            faces.append(face)
        self.membrane = (faces[0], faces[1], faces[2])

    def digest(self, h: Any) -> None:
        """Feed all arrays to a hash."""
        for array in self.arrays().values():
            h.update(np.ascontiguousarray(array).tobytes())

    def summary(self) -> dict[str, tuple[float, str]]:
        """Means over the tissue: density, crosslink, hyaluronan, stiffness, order of the fibres; strength of the
        membrane and the share of it that cells can pass."""
        out = {name: (float(getattr(self, name).mean()), "1") for name in SHARES}
        out["stiffness"] = (float(self.stiffness().mean()), "kPa")
        flat, (xx, yy, xy, xz, yz) = self.density.shape[0] == 1, self.orientation
        zz = 0.0 if flat else -xx - yy
        square = xx**2 + yy**2 + zz**2 + 2.0 * (xy**2 + xz**2 + yz**2)
        out["order"] = (float(np.sqrt(square * (2.0 if flat else 1.5)).mean()), "1")  # as MatrixSensing's alignment
        if self.membrane is not None:
            # a face that held one never loses all of it
            strength = np.concatenate([face[face > 0.0] for face in self.membrane])
            out["membrane"], out["breached"] = (
                (float(strength.mean()), "1"),
                (float((strength < self.breach).mean()), "1"),
            )
        return {f"matrix.{name}": told for name, told in out.items()}

    def copy(self) -> Matrix:
        """An independent matrix with the same content."""
        return copy.deepcopy(self)

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything a checkpoint keeps, by name."""
        out = {name: getattr(self, name) for name in (*SCALARS, "orientation")}
        if self.membrane is not None:
            out |= {f"membrane_{axis}": face for axis, face in zip("xyz", self.membrane)}
        return out

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what `arrays` gave."""
        for name in (*SCALARS, "orientation"):
            setattr(self, name, np.array(arrays[name]))
        faces = [np.array(arrays[k]) for k in ("membrane_x", "membrane_y", "membrane_z") if k in arrays]
        self.membrane = (faces[0], faces[1], faces[2]) if faces else None
