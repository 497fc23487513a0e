"""Cell definitions of a file, with inheritance as PhysiCell does it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

from ...errors import did_you_mean
from .definition import Custom, Definition, Value
from .phenotype import Phenotype
from .tags import BUILT_IN, DEAD_PARTS, KINDS, VOLUME, ZEROED
from .xml import Element


class Definitions(Phenotype):
    """All definitions of a file, in its order."""

    def __init__(self, root: Element, factors: Sequence[str], compat: str, options: Element | None, is_2d: bool):
        self.factors, self.compat, self.is_2d = list(factors), compat, is_2d
        self.custom: dict[str, Custom] = {}
        self.all: list[Definition] = []
        group = root.child("cell_definitions")
        given = list(group.children("cell_definition")) if group else []
        if not given:
            (group or root).complain(
                "no cell type is defined.", "Expected <cell_definitions> with at least one <cell_definition>."
            )
        self.types = self._names(given)
        legacy = options is not None and options.truth("legacy_cell_defaults_copy")
        wall = options is not None and options.truth("virtual_wall_at_domain_edge")
        springs_off = options is not None and options.truth("disable_automated_spring_adhesions")
        self._check_parents(given)
        base = self._built_in(group or root)
        if wall:
            assert options is not None
            base.set("mechanics.wall", None, 100.0, options.child("virtual_wall_at_domain_edge") or options)
        for element in given:
            name, number = element.attribute("name"), element.attribute("ID")
            if name not in self.types or any(d.name == name for d in self.all):
                element.skip()
                continue
            d = self._start(element, name, number, base, legacy)
            self._read(element, d)
            self.all.append(d)
            if name == "default" or number == "0":
                base = d
        self._same_deaths()
        if springs_off:
            for d in self.all:
                d.set("springs.active", None, 0.0, options or root)

    def _names(self, given: Sequence[Element]) -> list[str]:
        first: dict[str, Element] = {}
        numbers: dict[str, Element] = {}
        for element in given:
            name, number = element.attribute("name"), element.attribute("ID")
            if not name:
                element.complain("this cell type has no name.", "Expected the attribute name.")
            elif name in first:
                element.complain(
                    f"the cell type '{name}' stands twice, here and in line {first[name].line}.",
                    remedy="Keep one of them.",
                )
            elif number and number in numbers:
                element.complain(
                    f"the ID {number} stands twice, here and in line {numbers[number].line}.",
                    remedy="Number the types 0, 1, 2, ...",
                )
            if name:
                first.setdefault(name, element)
            numbers.setdefault(number, element)
        return list(first)

    @staticmethod
    def _check_parents(given: Sequence[Element]) -> None:
        """Types that inherit from each other in a circle."""
        parent = {e.attribute("name"): e.attribute("parent_type") for e in given}
        for element in given:
            chain = [element.attribute("name")]
            while parent.get(chain[-1]) and parent[chain[-1]] not in chain:
                chain.append(parent[chain[-1]])
            if parent.get(chain[-1]) == chain[0]:
                element.complain(f"cell types inherit from each other in a circle: {' > '.join((*chain, chain[0]))}.")
                return

    def _built_in(self, element: Element) -> Definition:
        base = Definition("", 0, element)
        for column, number in BUILT_IN.items():
            base.set(column, None, number, element)
        for f in self.factors:
            base.set("secretion.target", f, 0.0, element)
        self._take_cycle(base, "ki67_advanced")
        return base

    def _start(self, element: Element, name: str, number: str, base: Definition, legacy: bool) -> Definition:
        """A definition before its own values are read: a copy of its parent, with zero for what is not inherited."""
        parent_name = element.attribute("parent_type")
        parent = next((d for d in self.all if d.name == parent_name), None) if parent_name else None
        if parent_name and parent is None:
            element.complain(f"its parent_type '{parent_name}' is not defined before it."
                             f"{did_you_mean(parent_name, [d.name for d in self.all])}",
                             "It inherits from definition 0 instead, as in PhysiCell.", severity="warning")  # fmt: skip
        first = name == "default" or number == "0"
        source = parent or base
        d = replace(source, name=name, element=element, values=dict(source.values), phases=copy.deepcopy(source.phases),
                    custom=dict(source.custom), distributions=[], intracellular=None)  # fmt: skip
        d.number = int(number) if number.lstrip("-").isdigit() else len(self.all)
        if number and not number.lstrip("-").isdigit():
            element.complain(f"the ID '{number[:20]}' is no whole number.")
        if parent is None and not first and not legacy:
            for key in [k for k in d.values if k[0] in ZEROED]:
                del d.values[key]
            d.set("motility.active", None, 0.0, element)
            d.set("motility.advanced", None, 2.0, element)
            for f in self.factors:
                d.set("secretion.target", f, 0.0, element)
            d.set("attack.damage_rate", None, 1.0, element)
            d.normalized = False
        elif legacy and not first:
            element.notice(
                "legacy_cell_defaults_copy: everything of definition 0 is inherited, motility and rates included."
            )
        return d

    # -- sections ---------------------------------------------------------------------------------------------------

    def _read(self, element: Element, d: Definition) -> None:
        phenotype = element.child("phenotype")
        if phenotype:
            self._cycle(phenotype.child("cycle"), d)
            self._death(phenotype.child("death"), d, d.name == "default" or element.attribute("ID") == "0")
            self._table(phenotype.child("volume"), d, VOLUME)
            self._mechanics(phenotype.child("mechanics"), d)
            self._motility(phenotype.child("motility"), d)
            self._secretion(phenotype.child("secretion"), d)
            self._interactions(phenotype.child("cell_interactions"), d)
            self._transformations(phenotype.child("cell_transformations"), d)
            self._table(
                phenotype.child("cell_integrity"),
                d,
                {"damage_rate": "damage.rate", "damage_repair_rate": "damage.repair"},
            )
            d.intracellular = phenotype.child("intracellular")
            molecular = phenotype.child("molecular")
            if molecular:
                molecular.skip().notice("1.14.2 does not read this section; it is ignored, as in PhysiCell.")
        therapy = element.child("PD")
        if therapy:
            therapy.skip().complain(
                "PD (PhysiPKPD) is an add-on of its own; the effect of drugs on these cells is not read.",
                severity="warning",
            )
        self._custom(element.child("custom_data"), d)
        self._distributions(element.child("initial_parameter_distributions"), d)

    def _same_deaths(self) -> None:
        """The phases of a death model are shared by all definitions: the last one that is read holds for all."""
        for kind in DEAD_PARTS:
            for column in (f"{kind}.duration", f"{kind}.fixed"):
                said = [d.values[(column, None)] for d in self.all if (column, None) in d.values]
                if len({v.number for v in said}) < 2:
                    continue
                last = max(reversed(said), key=lambda v: v.place[1])
                if any(abs(v.number - last.number) > 1e-3 * abs(last.number) for v in said):
                    self.all[-1].element.notice(f"{column} differs between definitions; in PhysiCell all share one "
                                                f"model, and the last one read, {last.text} in line {last.place[1]}, "
                                                "holds for all.")  # fmt: skip
                for d in self.all:
                    d.values[(column, None)] = last

    def _custom(self, group: Element | None, d: Definition) -> None:
        for child in group.children() if group else ():
            name = str(child.node.tag)
            conserved = child.flag("conserved")
            unit, doc = child.attribute("units"), child.attribute("description")
            parts = child.text.split(",")
            names = [name] if len(parts) == 1 else [f"{name}[{k}]" for k in range(len(parts))]
            if len(parts) > 1:
                child.notice(f"a vector of {len(parts)} becomes the variables {names[0]} to {names[-1]}.")
            for one, text in zip(names, parts):
                number = child.number() if len(parts) == 1 else _part(child, text)
                if number is None:
                    continue
                known = self.custom.setdefault(one, Custom(unit, conserved, doc, child.place))
                if known.conserved != conserved:
                    child.notice(
                        f"conserved is {str(conserved).lower()} here and {str(known.conserved).lower()} in line "
                        f"{known.place[1]}; the first holds."
                    )
                d.custom[one] = Value(number, text.strip() or "0", child.place)

    def _distributions(self, group: Element | None, d: Definition) -> None:
        if group is None:
            return
        if not group.flag("enabled", True):
            group.skip()
            return
        for child in group.children("distribution"):
            if not child.flag("enabled", True):
                child.skip()
                continue
            kind, behavior = child.attribute("type"), child.child("behavior")
            check = child.flag("check_base", True)
            if kind.lower() not in KINDS:
                child.complain(f"no distribution is called '{kind}'.{did_you_mean(kind, KINDS)}",
                               "Expected one of Uniform, LogUniform, Normal, LogNormal, Log10Normal.")  # fmt: skip
                continue
            word, tags = KINDS[kind.lower()]
            numbers = []
            for tag in tags:
                found = child.child(tag)
                if found is None:
                    child.complain(f"<{tag}> missing.", f"A {kind} distribution has {' and '.join(tags)}.")
                value = found.number() if found else None
                numbers.append(value)
            bounds: list[float | None] = []
            for tag in ("lower_bound", "upper_bound"):
                found = child.child(tag)
                bounds.append(found.number() if found else None)
            if any(n is None for n in numbers):
                continue
            d.distributions.append({"behavior": behavior.text if behavior else "", "kind": word, "parameters": numbers,
                                    "bounds": bounds, "check": check, "element": child})  # fmt: skip


def _part(element: Element, text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        element.complain(f"'{text.strip()[:40]}' is not a number.", "Expected numbers separated by commas.")
        return None
