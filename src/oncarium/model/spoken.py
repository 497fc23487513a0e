"""What a model speaks of: sections, columns and signals, by types, rules, places, and mechanisms of the user."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from .body import Patient
from .catalog import mechanisms
from .cell import CellType
from .fluid import FluidStart
from .initial import Placement
from .matrix import MatrixStart
from .metastasis import MetastasisStart
from .network import Network
from .rule import Names, Rule
from .vessels import VesselStart


class Spoken:
    """The part of a Model that mechanisms ask whether they are needed."""

    types: list[CellType]
    names: Names
    networks: Mapping[str, Network]
    placements: list[Placement]
    patient: Patient
    numerics: str
    matrix: MatrixStart | None
    vessels: VesselStart | None
    fluid: FluidStart | None
    metastasis: MetastasisStart | None
    processes: tuple[Any, ...]

    def uses(self, section: str) -> bool:
        """Does any type, rule, distribution or table of cells need this section?

        Attacks, springs, motility and the like whose rates are all zero and ruled by nothing are not needed; their
        other values still stand in `types`.
        """
        return bool(self.place_of(section))

    def place_of(self, word: str) -> str:
        """Where the model speaks of a section or a column first, as a dotted path or in words; "" where it does not."""

        def is_it(column: str) -> bool:
            return column == word or column.partition(".")[0] == word

        for t in self.types:
            if word in t.sections:
                return (
                    f"cells.{t.name}.rules"
                    if any(is_it(c) for r in t.rules for c in (r.signal[0], r.behavior[0]))
                    else f"cells.{t.name}.{word}"
                )
            if word in t.values:
                return f"cells.{t.name}.{word}"
            said = [c for r in t.rules for c in (r.signal[0], r.behavior[0])] + [column for column, _ in t.differing]
            if "." in word and word in said:
                return f"cells.{t.name}.rules"
        for column, process in self.asked.items():
            if is_it(column):
                return f"the mechanism {process}"
        if any(is_it(column) for p in self.placements for column, _ in p.values):
            return "initial"
        if self.metastasis and any(is_it(c) for c in self.metastasis.columns):
            return "metastasis"
        return "exit" if any(is_it(c) for e in self.patient.exits for c in (e.column, e.carries)) else ""

    @cached_property
    def asked(self) -> dict[str, str]:
        """Columns that mechanisms of the user read or write -> the mechanism that asks first."""
        out: dict[str, str] = {}
        for process in self.processes:
            words = [w for part in ("adds", "sets", "reads", "requires") for w in getattr(process, part, ())]
            for word in [*words, *(a.removeprefix("other_") for a in getattr(process, "arguments", ()))]:
                column = self.names.column_of(word)
                if column:
                    out.setdefault(column, process.name)
        return out

    @property
    def wanted(self) -> set[str]:
        """Columns that somebody reads: rules, networks, mechanisms of the user."""
        return self.signals | set(self.asked)

    @property
    def modulated(self) -> list[str]:
        """Behaviors that a mechanism modulates from their base at every decision, without a rule."""
        own = [c for p in self.processes for w in getattr(p, "adds", ()) if (c := self.names.column_of(w))]
        ours = [
            column for m in mechanisms() if self.numerics in m.numerics and (not m.part or getattr(self, m.part))
            for column in m.modulates if any(self.place_of(word) for word in m.words)
        ]  # fmt: skip
        return list(dict.fromkeys([c for c in own if self.names.columns[c].kind == "behavior"] + ours))

    @property
    def rules(self) -> list[tuple[str, Rule]]:
        """(type, rule) in the order of the file."""
        return [(t.name, r) for t in self.types for r in t.rules]

    @property
    def signals(self) -> set[str]:
        """Columns that rules and the inputs of networks read."""
        return {r.signal[0] for _, r in self.rules} | {i.signal[0] for n in self.networks.values() for i in n.inputs}
