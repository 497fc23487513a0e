"""The sections `custom` and `cells`: what the cell definitions of a file say, as a model file would."""

from __future__ import annotations

import re
from typing import Any

from ...errors import did_you_mean
from .. import catalog
from .definition import Definition, Value
from .definitions import Definitions
from .dictionary import Dictionary
from .rules import say_column
from .surroundings import Surroundings, with_unit

# left out where they are as usual
SWITCHES = ("springs.active", "motility.active", "motility.advanced", "apoptosis.fixed", "necrosis.fixed",
            "mechanics.membrane_adhesion", "mechanics.membrane_repulsion")  # fmt: skip
SECTION_ORDER = ("death", "apoptosis", "necrosis", "volume", "mechanics", "springs", "motility", "secretion",
                 "phagocytosis", "attack", "fusion", "transformation", "division", "damage")  # fmt: skip


class SectionsOfCells(Surroundings):
    """The part of Settings that writes cell types."""

    words: Dictionary

    def write_custom(self, definitions: Definitions) -> None:
        """The section `custom`: every custom variable that a cell type declares."""
        for name, c in definitions.custom.items():
            said = {"unit": "1", "conserved": c.conserved} | ({"doc": c.doc} if c.doc else {})
            self.put(("custom", name), said, c.place)

    def write_cell(self, d: Definition, factors: dict[str, str]) -> None:
        """One cell type: what is off by default and off here is left out."""
        path = ("cells", d.name)
        self.put(path, {}, d.element.place)
        if d.intracellular is not None:
            kind = d.intracellular.attribute("type") or "unnamed"
            d.intracellular.skip()
            if "intracellular" in self.ignore:
                d.intracellular.complain(f"the intracellular model ({kind}) is ignored, as asked.", severity="warning")
            else:
                d.intracellular.complain(f"an intracellular model of type '{kind}' is beyond this program.",
                                         remedy="Run the cells without it:  --ignore intracellular")  # fmt: skip
        if re.search("ecm|fibre|fiber|rod|matrix", d.name.lower()) and any(
            c.startswith(("fibre_", "anisotropic_fibres")) for c in d.custom
        ):
            if "intracellular" in self.ignore:
                d.element.complain(
                    "a fibre of PhysiMeSS; it is an ordinary round cell here, as asked.", severity="warning"
                )
            else:
                d.element.complain("a fibre of PhysiMeSS, a cylinder; it is beyond this program.",
                                   remedy="Run it as an ordinary round cell:  --ignore intracellular")  # fmt: skip
        self._nucleus(d)
        self._cycle(d, path)
        for (column, label), value in sorted(d.values.items(), key=_order):
            entry = catalog.columns().get(column)
            if entry is None:
                continue  # not a column of this version
            if value.number == entry.default and (label is not None or entry.default == 0.0 or column in SWITCHES):
                continue
            text = value.say(catalog.unit_of(entry, factors.get(label or "", "1")))
            section, _, attribute = column.partition(".")
            self.put(
                (*path, section, attribute, label) if label is not None else (*path, section, attribute),
                text,
                value.place,
            )
        if d.normalized:
            self.put((*path, "motility", "normalized"), True, d.element.place)
        for name, value in d.custom.items():
            self.put((*path, "custom", name), value.text, value.place)
        if d.distributions:
            self._distributions(d, path, factors)

    def _nucleus(self, d: Definition) -> None:
        """A nucleus larger than its cell, as where only the total volume is given: the format bears it, we do not."""
        total, nuclear = d.get("volume.total"), d.get("volume.nuclear")
        if self.numerics != "physicell" and 0.0 < total <= nuclear:
            usual = total * catalog.columns()["volume.nuclear"].default / catalog.columns()["volume.total"].default
            d.element.complain(f"a nucleus of {nuclear:g} um^3 in a cell of {total:g} um^3; it has {usual:g} um^3 "
                               "here, the usual share of a cell (--numerics physicell takes the file's number).",
                               severity="warning")  # fmt: skip
            d.set("volume.nuclear", None, usual, d.element)

    def _cycle(self, d: Definition, path: tuple[str, ...]) -> None:
        model = catalog.cycles()[d.cycle]
        self.put((*path, "cycle", "model"), d.cycle, d.element.place)
        lasting = all(p.duration for p in d.phases)
        key = "duration" if lasting else "exit"
        texts = {
            name: f"{p.duration.text} min" if lasting and p.duration else f"{p.rate!r} 1/min"
            for name, p in zip(model.phases, d.phases)
        }
        if len(model.phases) == 1:
            self.put((*path, "cycle", key), texts[model.phases[0]], d.phases[0].place or d.element.place)
        else:
            for name, p in zip(model.phases, d.phases):
                self.put((*path, "cycle", key, name), texts[name], p.place or d.element.place)
        if tuple(p.fixed for p in d.phases) != model.fixed:
            self.put((*path, "cycle", "fixed"), [n for n, p in zip(model.phases, d.phases) if p.fixed], d.element.place)

    def base(self, d: Definition, column: str, label: str | None) -> float:
        """Value of a behavior in the definition."""
        if column == "cycle.exit":
            phases = catalog.cycles()[d.cycle].phases
            return d.phases[phases.index(label)].rate if label in phases else 0.0
        if column.startswith("custom."):
            found = d.custom.get(column.partition(".")[2])
            return found.number if found else 0.0
        return d.get(column, label)

    def _distributions(self, d: Definition, path: tuple[str, ...], factors: dict[str, str]) -> None:
        out: list[dict[str, Any]] = []
        for given in d.distributions:
            element, name = given["element"], given["behavior"]
            column = ("volume.total", None) if name.lower() == "volume" else self.words.behaviors.get(name)
            if column is None:
                element.complain(
                    f"no behavior is called '{name[:60]}'.{did_you_mean(name, [*self.words.behaviors, 'volume'])}"
                )
                continue
            if column[0] == "cycle.exit":
                phases = catalog.cycles()[d.cycle].phases
                index = int(column[1] or 0)
                if index >= len(phases):
                    element.complain(f"'{name}': the cycle of {d.name} has {len(phases)} phases.")
                    continue
                column = ("cycle.exit", phases[index])
            entry = catalog.columns().get(column[0])
            unit = catalog.unit_of(entry, factors.get(column[1] or "", "1")) if entry else "1"
            one, two = given["parameters"]
            low, high = given["bounds"]
            kind = given["kind"]
            if given["check"]:
                base = self.base(d, *column)
                ends = (one, two) if kind in ("uniform", "loguniform") else (low, high)
                if (ends[0] is not None and base < ends[0]) or (ends[1] is not None and base > ends[1]):
                    element.complain(
                        f"the base value {base:g} of '{name}' lies outside of the distribution.",
                        remedy='Or set check_base="false".',
                    )
            plain = kind in ("lognormal", "log10normal")
            said: dict[str, Any] = {
                "column": say_column(column),
                kind: [f"{v!r}" if plain else with_unit(f"{v!r}", unit) for v in (one, two)],
            }
            if low is not None or high is not None:
                said["between"] = [None if v is None else with_unit(f"{v!r}", unit) for v in (low, high)]
            self.document.places[".".join((*path, "distributions", str(len(out))))] = element.place
            out.append(said)
        if out:
            self.put((*path, "distributions"), out, d.distributions[0]["element"].place)


def _order(item: tuple[tuple[str, str | None], Value]) -> tuple[int, str, str]:
    (column, label), _ = item
    known = list(SECTION_ORDER)
    section = column.partition(".")[0]
    return (known.index(section) if section in known else len(known), column, label or "")
