"""What PhysiCell's files can say of a model: names and units of its numbers, and a note of all that is lost."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as xml

import numpy as np

from ...biology.secretion import concentration_per_amount
from ...model.cell import CellType
from ...model.model import Model
from ...model.physicell.dictionary import Dictionary


def put(parent: xml.Element, tag: str, text: Any = None, **attributes: Any) -> xml.Element:
    """A new element within another one."""
    child = xml.SubElement(parent, tag, {k: say(v) for k, v in attributes.items()})
    if text is not None:
        child.text = say(text)
    return child


def say(value: Any) -> str:
    """A value as text; numbers so that they read back exactly.

    >>> say(True), say(0.1), say(3), say("live")
    ('true', '0.1', '3', 'live')
    """
    if isinstance(value, bool | np.bool_):
        return str(value).lower()
    return repr(float(value)) if isinstance(value, float) else str(value)


class Wording:
    """A model in the words of the files.

    notices   what they cannot say
    """

    def __init__(self, model: Model):
        self.model = model
        self.factors = [f.name for f in model.factors]
        self.types = [t.name for t in model.types]
        self.columns = model.names.columns
        self.custom = [c for c in self.columns if c.startswith("custom.")]
        self.words = Dictionary(self.factors, self.types, [c.removeprefix("custom.") for c in self.custom])
        self.per_amount = {f.name: concentration_per_amount(f.unit) for f in model.factors}
        self.notices: list[str] = []

    def note(self, text: str) -> None:
        """Say once what is lost on the way."""
        if text not in self.notices:
            self.notices.append(text)

    def value(self, cell: CellType, column: str, label: str | None = None) -> float:
        """A column's value in the units of the files: amounts as concentration times um^3."""
        number = float(cell.value(self.columns[column], label))
        return number * self.per_amount[label] if column == "secretion.rate" and label else number

    def behavior(self, cell: CellType | None, column: str, label: str | None) -> str | None:
        """The files' name of a behavior; None where they have none."""
        if column == "cycle.exit" and label is not None:
            phases = cell.cycle.phases if cell else ()
            number = phases.index(label) if label in phases else int(label) if label.isdigit() else -1
            return "cycle entry" if number == 0 else f"exit from cycle phase {number}" if number > 0 else None
        return self.words.behavior_name(column, label)
