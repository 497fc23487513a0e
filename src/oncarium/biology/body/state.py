"""Body: what the rest of the patient holds, one number per compartment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...engine.part import Part


class Body(Part):
    """Compartments such as blood monocytes or mature dendritic cells in the lymph node.

    names    of the compartments         level   (compartment) amounts, 1 is that of a healthy body

    >>> body = Body(["monocytes"], [1.0])
    >>> body["monocytes"] += 0.5
    >>> float(body["monocytes"])
    1.5
    """

    def __init__(self, names: Sequence[str], level: Sequence[float] | np.ndarray):
        self.names = tuple(names)
        self.level = np.array(level, float)

    def index(self, name: str) -> int:
        """Place of a compartment."""
        return self.names.index(name)

    def __getitem__(self, name: str) -> float:
        return self.level[self.index(name)]

    def __setitem__(self, name: str, value: float) -> None:
        self.level[self.index(name)] = value

    def digest(self, h: Any) -> None:
        """Feed all levels to a hash."""
        h.update(self.level.tobytes())

    def summary(self) -> dict[str, tuple[float, str]]:
        """The level of every compartment."""
        return {f"body.{name}": (float(level), "1") for name, level in zip(self.names, self.level)}

    def copy(self) -> Body:
        """An independent body at the same levels."""
        return Body(self.names, self.level)

    def arrays(self) -> dict[str, np.ndarray]:
        """What a checkpoint keeps."""
        return {"level": self.level}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what `arrays` gave."""
        self.level = np.array(arrays["level"], float)
