"""Part: what the members of a tissue (cells, fields, matrix, vessels, fluid, body, metastasis) have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np


class Part(Protocol):
    """A member of a tissue. Whoever copies, saves, compares or
    tells a tissue walks over its members and knows none by name."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that a checkpoint keeps, by name."""

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take back what `arrays` gave. Raises KeyError where something is missing."""

    def copy(self) -> Part:
        """An independent member with the same content."""

    def digest(self, h: Any) -> None:
        """Feed everything that decides what comes next to a hash, in an order that no order in memory changes."""

    def tables(self) -> dict[str, dict[str, tuple[np.ndarray, str]]]:
        """What is recorded of it with the cells: table -> column -> (values by row, unit), `id` among the columns.
        None, unless it says otherwise."""
        return {}

    def maps(self) -> dict[str, tuple[np.ndarray, str]]:
        """What is recorded of it with the fields: name -> ((z, y, x), unit). None, unless it says otherwise."""
        return {}

    def summary(self) -> dict[str, tuple[float, str]]:
        """What is told of it at every frame: name -> (value, unit)."""
