"""How much cells of one type differ from each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .reader import Reader
from .rule import Names

WIDEST = 3.0  # standard deviation of the logarithm


@dataclass(frozen=True)
class Varies:
    """A behavior that differs between the cells of a type: log-normal, sigma is that of the logarithm."""

    column: str
    label: str | None
    sigma: float

    @property
    def name(self) -> str:
        """Full name of the behavior."""
        return self.column if self.label is None else f"{self.column}.{self.label}"


def read_varies(reader: Reader, given: Any, path: str, names: Names) -> tuple[Varies, ...]:
    """Section varies of a cell type: behavior -> standard deviation of its logarithm."""
    known = {n: at for n, at in names.all(("behavior",)).items() if names.columns[at[0]].axis != "phase"}
    out = []
    for name, item in reader.group(given, path).items():
        if reader.word(name, f"{path}.{name}", known, "behavior") is None:
            continue
        sigma = reader.quantity(item, f"{path}.{name}", "1", ge=0.0, le=WIDEST)
        if sigma:
            out.append(Varies(*known[name], sigma))
    return tuple(out)
