"""One cell definition on its way: numbers by column, each with its text and the place where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .. import catalog
from .xml import Element

Key = tuple[str, str | None]


@dataclass(frozen=True)
class Value:
    """A number, the text it had, and where it stands."""

    number: float
    text: str
    place: tuple[str, int, int]

    def say(self, unit: str) -> str:
        """As a model file would."""
        return self.text if unit == "1" else f"{self.text} {unit}"


@dataclass
class Phase:
    """How one phase of the cycle ends: its exit rate, or its duration, and whether that is fixed."""

    rate: float
    fixed: bool
    duration: Value | None = None
    place: tuple[str, int, int] | None = None


@dataclass
class Definition:
    """One cell type on its way: (column, label) -> Value, cycle, custom data, distributions."""

    name: str
    number: int
    element: Element
    values: dict[Key, Value] = field(default_factory=dict)
    cycle: str = "ki67_advanced"
    phases: list[Phase] = field(default_factory=list)
    normalized: bool = False
    custom: dict[str, Value] = field(default_factory=dict)
    distributions: list[dict[str, Any]] = field(default_factory=list)
    intracellular: Element | None = None

    def get(self, column: str, label: str | None = None) -> float:
        """Number of a column; its default where nothing is said."""
        found = self.values.get((column, label))
        return found.number if found else catalog.columns()[column].default

    def set(self, column: str, label: str | None, number: float, element: Element, text: str = "") -> None:
        """Say the number of a column, at the place of an element; text is the number as its author wrote it."""
        whole = number == round(number) and abs(number) < 1e15
        self.values[(column, label)] = Value(
            number, text or (f"{number:.0f}" if whole else repr(number)), element.place
        )


@dataclass
class Custom:
    """One custom variable: unit label, whether division halves it, what it means."""

    unit: str
    conserved: bool
    doc: str
    place: tuple[str, int, int]
