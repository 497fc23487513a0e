"""Cell definitions: every section of the phenotype as values of our columns, with inheritance as PhysiCell does it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...errors import did_you_mean
from .. import catalog
from .xml import Element

Key = tuple[str, str | None]
CYCLES = {
    0: "ki67_advanced",
    1: "ki67_basic",
    2: "flow_cytometry",
    3: "live",
    4: "live",
    5: "live",
    6: "flow_cytometry_separated",
    7: "cycling_quiescent",
}
CYCLE_NAMES = {
    "ki67 (advanced)": 0,
    "advanced ki67": 0,
    "ki67 (basic)": 1,
    "basic ki67": 1,
    "flow cytometry model (basic)": 2,
    "live/apoptotic": 3,
    "total cells": 4,
    "live": 5,
    "live cells": 5,
    "flow cytometry model (separated)": 6,
    "cycling-quiescent model": 7,
    "cycling-quiescent": 7,
}
DEATHS = {100: "apoptosis", 101: "necrosis", 102: "autophagy"}
VOLUME = {
    "total": "volume.total",
    "fluid_fraction": "volume.fluid_fraction",
    "nuclear": "volume.nuclear",
    "fluid_change_rate": "volume.fluid_change",
    "cytoplasmic_biomass_change_rate": "volume.cytoplasm_change",
    "nuclear_biomass_change_rate": "volume.nucleus_change",
    "calcified_fraction": "volume.calcified_fraction",
    "calcification_rate": "volume.calcification",
    "relative_rupture_volume": "volume.rupture",
}
MECHANICS = {
    "cell_cell_adhesion_strength": "mechanics.adhesion",
    "cell_cell_repulsion_strength": "mechanics.repulsion",
    "cell_BM_adhesion_strength": "mechanics.membrane_adhesion",
    "cell_BM_repulsion_strength": "mechanics.membrane_repulsion",
    "relative_maximum_adhesion_distance": "mechanics.adhesion_distance",
    "attachment_elastic_constant": "springs.elastic",
    "attachment_rate": "springs.attachment",
    "detachment_rate": "springs.detachment",
    "maximum_number_of_attachments": "springs.maximum",
}
MOTILITY = {"speed": "motility.speed", "persistence_time": "motility.persistence", "migration_bias": "motility.bias"}
SECRETION = {
    "secretion_rate": "secretion.approach",
    "secretion_target": "secretion.target",
    "uptake_rate": "secretion.uptake",
    "net_export_rate": "secretion.rate",
}
DEAD_PARTS = {
    "apoptosis": {
        "unlysed_fluid_change_rate": "apoptosis.fluid_change",
        "lysed_fluid_change_rate": "",  # an apoptotic cell never lyses
        "cytoplasmic_biomass_change_rate": "apoptosis.cytoplasm_change",
        "nuclear_biomass_change_rate": "apoptosis.nucleus_change",
        "calcification_rate": "apoptosis.calcification",
        "relative_rupture_volume": "apoptosis.rupture",
    },
    "necrosis": {
        "unlysed_fluid_change_rate": "necrosis.swelling",
        "lysed_fluid_change_rate": "necrosis.fluid_change",
        "cytoplasmic_biomass_change_rate": "necrosis.cytoplasm_change",
        "nuclear_biomass_change_rate": "necrosis.nucleus_change",
        "calcification_rate": "necrosis.calcification",
        "relative_rupture_volume": "necrosis.rupture",
    },
}
# what a death model of definition 0 has where its XML says nothing (other definitions inherit)
DEAD_DEFAULTS = {
    "unlysed_fluid_change_rate": 3.0 / 60.0,
    "lysed_fluid_change_rate": 0.05 / 60.0,
    "cytoplasmic_biomass_change_rate": 1.0 / 60.0,
    "nuclear_biomass_change_rate": 0.35 / 60.0,
    "calcification_rate": 0.0,
    "relative_rupture_volume": 2.0,
}
# what definition 0 has where it differs from our own defaults
BUILT_IN = {"motility.speed": 1.0, "motility.persistence": 1.0, "motility.bias": 0.0, "motility.active": 0.0, "motility.advanced": 2.0, "attack.duration": 30.0,
            "attack.damage_rate": 1.0, "mechanics.membrane_adhesion": 4.0, "mechanics.membrane_repulsion": 100.0}  # fmt: skip
# what a definition that names no parent does not take over from definition 0
ZEROED = ("motility.active", "motility.sensitivity", "motility.advanced", "secretion.approach", "secretion.target",
          "secretion.uptake", "secretion.rate", "phagocytosis.apoptotic", "phagocytosis.necrotic", "phagocytosis.other_dead",
          "phagocytosis.live", "attack.rate", "fusion.rate", "transformation.rate", "division.asymmetric")  # fmt: skip
ATTACK_DURATION = 0.1  # min, of the template of 1.14, for files from before it
KINDS = {
    "uniform": ("uniform", ("min", "max")),
    "loguniform": ("loguniform", ("min", "max")),
    "normal": ("normal", ("mu", "sigma")),
    "lognormal": ("lognormal", ("mu", "sigma")),
    "log10normal": ("log10normal", ("mu", "sigma")),
}


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
        whole = number == round(number) and abs(number) < 1e15
        self.values[(column, label)] = Value(number, text or (f"{number:.0f}" if whole else repr(number)), element.place)


@dataclass
class Custom:
    """One custom variable: unit label, whether division halves it, what it means."""

    unit: str
    conserved: bool
    doc: str
    place: tuple[str, int, int]


class Definitions:
    """All definitions of a file, in its order."""

    def __init__(self, root: Element, factors: Sequence[str], compat: str, options: Element | None, is_2d: bool):
        self.factors, self.compat, self.is_2d = list(factors), compat, is_2d
        self.custom: dict[str, Custom] = {}
        self.all: list[Definition] = []
        group = root.child("cell_definitions")
        given = list(group.children("cell_definition")) if group else []
        if not given:
            (group or root).complain("no cell type is defined.", "Expected <cell_definitions> with at least one <cell_definition>.")
        self.types = self._names(given)
        legacy = options is not None and options.truth("legacy_cell_defaults_copy")
        wall = options is not None and options.truth("virtual_wall_at_domain_edge")
        springs_off = options is not None and options.truth("disable_automated_spring_adhesions")
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
                for column in ("springs.attachment", "springs.elastic"):
                    d.set(column, None, 0.0, options or root)

    def _names(self, given: Sequence[Element]) -> list[str]:
        first: dict[str, Element] = {}
        numbers: dict[str, Element] = {}
        for element in given:
            name, number = element.attribute("name"), element.attribute("ID")
            if not name:
                element.complain("this cell type has no name.", "Expected the attribute name.")
            elif name in first:
                element.complain(f"the cell type '{name}' stands twice, here and in line {first[name].line}.", remedy="Keep one of them.")
            elif number and number in numbers:
                element.complain(f"the ID {number} stands twice, here and in line {numbers[number].line}.", remedy="Number the types 0, 1, 2, ...")
            if name:
                first.setdefault(name, element)
            numbers.setdefault(number, element)
        return list(first)

    def _built_in(self, element: Element) -> Definition:
        base = Definition("", 0, element)
        for column, number in BUILT_IN.items():
            base.set(column, None, number, element)
        for f in self.factors:
            base.set("secretion.target", f, 0.0, element)
        self._take_cycle(base, "ki67_advanced")
        return base

    @staticmethod
    def _take_cycle(d: Definition, model: str) -> None:
        entry = catalog.cycles()[model]
        d.cycle = model
        d.phases = [Phase(r, f) for r, f in zip(entry.rates, entry.fixed)]

    def _start(self, element: Element, name: str, number: str, base: Definition, legacy: bool) -> Definition:
        """The definition before its own values are read: a copy of its parent, with what is not inherited set to zero."""
        parent_name = element.attribute("parent_type")
        parent = next((d for d in self.all if d.name == parent_name), None) if parent_name else None
        if parent_name and parent is None:
            element.complain(f"its parent_type '{parent_name}' is not defined before it.{did_you_mean(parent_name, [d.name for d in self.all])}",
                             "It inherits from definition 0 instead, as upstream.", severity="warning")  # fmt: skip
        first = name == "default" or number == "0"
        source = parent or base
        d = replace(source, name=name, element=element, values=dict(source.values), phases=copy.deepcopy(source.phases), custom=dict(source.custom),
                    distributions=[], intracellular=None)  # fmt: skip
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
            element.notice("legacy_cell_defaults_copy: everything of definition 0 is inherited, motility and rates included.")
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
            self._table(phenotype.child("cell_integrity"), d, {"damage_rate": "damage.rate", "damage_repair_rate": "damage.repair"})
            d.intracellular = phenotype.child("intracellular")
            molecular = phenotype.child("molecular")
            if molecular:
                molecular.skip().notice("1.14.2 does not read this section; it is ignored, as upstream.")
        therapy = element.child("PD")
        if therapy:
            therapy.skip().complain("PD (PhysiPKPD) is an add-on of its own; the effect of drugs on these cells is not read.", severity="warning")
        self._custom(element.child("custom_data"), d)
        self._distributions(element.child("initial_parameter_distributions"), d)

    def _put(self, d: Definition, element: Element, column: str, label: str | None = None, unit: str | None = None) -> None:
        """Take an element's text as the value of a column."""
        entry = catalog.columns().get(column)
        number = element.number(unit if unit is not None else entry.unit if entry else "")
        if number is not None:
            d.set(column, label, number, element, element.text or "0")

    def _table(self, group: Element | None, d: Definition, table: Mapping[str, str]) -> None:
        for tag, column in table.items():
            child = group.child(tag) if group else None
            if child:
                self._put(d, child, column)

    def _named(self, group: Element | None, tag: str, d: Definition, column: str, attribute: str = "name", fatal: bool = False) -> None:
        """One value per cell type; unknown names are told, and refused where upstream refuses."""
        for child in group.children(tag) if group else ():
            of = child.attribute(attribute)
            if of in self.types:
                self._put(d, child, column, of)
            else:
                child.number()
                child.complain(f"no cell type is called '{of}'.{did_you_mean(of, self.types)}", f"This file has: {', '.join(self.types)}.",
                               "" if fatal else "The value is ignored, as upstream.", "error" if fatal else "warning")  # fmt: skip

    def _cycle(self, group: Element | None, d: Definition) -> None:
        if group is None:
            return
        code, name = group.attribute("code"), group.attribute("name")
        if code:
            if not code.isdigit() or int(code) not in CYCLES:
                group.complain(f"no cycle model has the code '{code[:20]}'.", f"Expected one of {', '.join(f'{k} ({v})' for k, v in CYCLES.items())}.")
                return
            if int(code) in (3, 4):
                group.notice("this cycle model is replaced by Live, as upstream.")
            model, before = CYCLES[int(code)], d
            kept = [p.rate for p in d.phases] if before.cycle == model else None
            durations = [(p.duration, p.place) for p in d.phases]
            self._take_cycle(d, model)
            for phase, rate, (duration, place) in zip(d.phases, kept or (), durations):
                phase.rate, phase.duration, phase.place = rate, duration, place
        elif name.lower() not in CYCLE_NAMES:
            group.complain(f"no cycle model is called '{name}'.{did_you_mean(name, CYCLE_NAMES)}", f"Expected one of {', '.join(CYCLE_NAMES)}.")
            return
        elif CYCLES[CYCLE_NAMES[name.lower()]] != d.cycle:
            group.notice(f"a cycle model is chosen by its code; '{name}' without one leaves {d.cycle}, as upstream.")
        for tag in ("phase_transition_rates", "transition_rates"):
            for item in self._inside(group, tag, "rate"):
                start, end = self._index(item, "start_index", d), item.attribute("end_index")
                value = item.number("1/min")
                if start is None or value is None:
                    continue
                following = (start + 1) % len(d.phases)
                if end and end != str(following):
                    item.complain(f"phase {start} of {d.cycle} has no link to phase {end};", f"expected end_index {following}.")
                if value < 0.0:
                    item.complain(f"{item.text} is out of range;", "expected at least 0 1/min.")
                d.phases[start] = Phase(value, item.flag("fixed_duration"), None, item.place)
        for item in self._inside(group, "phase_durations", "duration"):
            start, value = self._index(item, "index", d), item.number("min")
            if start is None or value is None:
                continue
            if value < 0.0:
                item.complain(f"{item.text} is out of range;", "expected at least 0 min.")
            said = Value(value, item.text, item.place) if value > 0.0 else None
            d.phases[start] = Phase(1.0 / (value + 1e-16), item.flag("fixed_duration"), said, item.place)
        asymmetric = group.child("standard_asymmetric_division")
        if asymmetric and asymmetric.flag("enabled"):
            self._named(asymmetric, "asymmetric_division_probability", d, "division.asymmetric", fatal=True)
        elif asymmetric:
            asymmetric.skip()

    @staticmethod
    def _inside(group: Element, tag: str, item: str) -> Sequence[Element]:
        found = group.child(tag)
        return list(found.children(item)) if found else ()

    @staticmethod
    def _index(element: Element, attribute: str, d: Definition) -> int | None:
        text = element.attribute(attribute) or "0"
        if not text.isdigit() or int(text) >= len(d.phases):
            element.complain(f"{attribute} is '{text[:20]}';", f"{d.cycle} has the phases 0 to {len(d.phases) - 1}.")
            return None
        return int(text)

    def _death(self, group: Element | None, d: Definition, first: bool) -> None:
        for model in group.children("model") if group else ():
            code, name = model.attribute("code"), model.attribute("name")
            kind = DEATHS.get(int(code)) if code.isdigit() else name.lower() if not code else None
            if kind == "autophagy":
                model.skip().notice("autophagy is skipped, as upstream.")
                continue
            if kind not in DEAD_PARTS:
                model.complain(f"no death model has the code '{code}' or the name '{name}'.{did_you_mean(name, DEAD_PARTS)}",
                               "Expected 100 (apoptosis) or 101 (necrosis).")  # fmt: skip
                continue
            rate = model.child("death_rate") or model.child("rate")
            if rate:
                self._put(d, rate, f"death.{kind}")
            else:
                d.set(f"death.{kind}", None, 0.0, model)
            parameters = model.child("parameters")
            for tag, column in DEAD_PARTS[kind].items():
                child = parameters.child(tag) if parameters else None
                if column and child:
                    self._put(d, child, column)
                elif column and first:
                    d.set(column, None, DEAD_DEFAULTS[tag], model)
            last = 0 if kind == "apoptosis" else 1
            for tag, item, attribute in (("phase_transition_rates", "rate", "start_index"), ("transition_rates", "rate", "start_index"),
                                         ("phase_durations", "duration", "index")):  # fmt: skip
                for child in self._inside(model, tag, item):
                    child.attribute("end_index")
                    value = child.number("min" if item == "duration" else "1/min")
                    fixed = child.flag("fixed_duration")
                    index = child.attribute(attribute) or "0"
                    if value is None:
                        continue
                    if value < 0.0:
                        child.complain(f"{child.text} is out of range;", "expected at least 0.")
                    if index == "0" and last == 1:
                        if item == "duration" and value > 0.0:
                            child.notice("a necrotic cell swells until it ruptures here; this duration of the swelling is not used.")
                        continue
                    if f"{kind}.fixed" in catalog.columns():
                        d.set(f"{kind}.fixed", None, float(fixed), child)
                    elif not fixed:
                        child.notice(f"the clearance of a cell dead by {kind} takes a fixed time here; fixed_duration=false is not used.")
                    minutes = value if item == "duration" else 1.0 / value if value > 0.0 else 9e99
                    d.set(f"{kind}.duration", None, minutes, child, child.text if item == "duration" else "")

    def _same_deaths(self) -> None:
        """The phases of a death model are shared by all definitions: the last one that is read holds for all."""
        for kind in DEAD_PARTS:
            for column in (f"{kind}.duration", f"{kind}.fixed"):
                said = [d.values[(column, None)] for d in self.all if (column, None) in d.values]
                if len({v.number for v in said}) < 2:
                    continue
                last = max(said, key=lambda v: v.place[1])
                if any(abs(v.number - last.number) > 1e-3 * abs(last.number) for v in said):
                    self.all[-1].element.notice(f"{column} differs between definitions; in PhysiCell all share one model, and the last one read, "
                                                f"{last.text} in line {last.place[1]}, holds for all.")  # fmt: skip
                for d in self.all:
                    d.values[(column, None)] = last

    def _mechanics(self, group: Element | None, d: Definition) -> None:
        if group is None:
            return
        self._table(group, d, MECHANICS)
        self._named(group.child("cell_adhesion_affinities"), "cell_adhesion_affinity", d, "mechanics.affinity")
        options = group.child("options")
        for tag, absolute in (("set_relative_equilibrium_distance", False), ("set_absolute_equilibrium_distance", True)):
            choice = options.child(tag) if options else None
            if choice is None:
                continue
            if not choice.flag("enabled"):
                choice.skip()
                continue
            s = choice.number("um" if absolute else "1")
            if s is None:
                continue
            if s <= 0.0:
                choice.complain(f"{choice.text} is out of range;", "expected above 0.")
                continue
            if absolute:
                s /= (0.238732414637843 * d.get("volume.total")) ** (1.0 / 3.0)
            if s > 2.0:
                choice.notice(f"an equilibrium distance of {s:.4g} radii is capped at 2, as upstream.")
            half = 0.5 * min(s, 2.0)
            adhesion = d.get("mechanics.repulsion") * ((1.0 - half) / (1.0 - half / d.get("mechanics.adhesion_distance"))) ** 2
            d.set("mechanics.adhesion", None, adhesion, choice)

    def _motility(self, group: Element | None, d: Definition) -> None:
        if group is None:
            return
        self._table(group, d, MOTILITY)
        options = group.child("options")
        if options is None:
            return
        active = options.child("enabled")
        if active:
            d.set("motility.active", None, float(active.truth()), active)
        flat = options.child("use_2D")
        if flat:
            d.set("motility.planar", None, float(flat.truth() and not self.is_2d), flat)
        simple = options.child("chemotaxis")
        if simple:
            on, factor = simple.truth("enabled"), simple.child("substrate")
            direction = simple.child("direction")
            sign = direction.number() if direction else 0.0
            name = factor.text if factor else ""
            if name not in self.factors:
                (factor or simple).complain(f"chemotaxis follows '{name}', but no substrate has that name.{did_you_mean(name, self.factors)}",
                                            f"This file has: {', '.join(self.factors) or 'none'}.")  # fmt: skip
            elif sign is not None:
                for key in [k for k in d.values if k[0] == "motility.cue"]:
                    del d.values[key]
                d.set("motility.cue", name, sign, simple, direction.text if direction and direction.text else "0")
                if on:
                    d.set("motility.advanced", None, 0.0, simple)
        advanced = options.child("advanced_chemotaxis")
        if advanced:
            on, normalized = advanced.truth("enabled"), advanced.truth("normalize_each_gradient")
            if on:
                d.set("motility.advanced", None, 1.0, advanced)
                d.normalized = normalized
            group = advanced.child("chemotactic_sensitivities")
            for child in group.children("chemotactic_sensitivity") if group else ():
                name = child.attribute("substrate")
                if name in self.factors:
                    self._put(d, child, "motility.sensitivity", name)
                else:
                    child.complain(f"no substrate is called '{name}'.{did_you_mean(name, self.factors)}", f"This file has: {', '.join(self.factors)}.",
                                   "The value is ignored, as upstream.", "warning")  # fmt: skip

    def _secretion(self, group: Element | None, d: Definition) -> None:
        for child in group.children("substrate") if group else ():
            name = child.attribute("name")
            if name not in self.factors:
                child.complain(f"no substrate is called '{name}'.{did_you_mean(name, self.factors)}", f"This file has: {', '.join(self.factors) or 'none'}.")
                continue
            for tag, column in SECRETION.items():
                item = child.child(tag)
                if item:
                    self._put(d, item, column, name, unit="1/min" if tag in ("secretion_rate", "uptake_rate") else "")
                    item.attribute("units")

    def _interactions(self, group: Element | None, d: Definition) -> None:
        if group is None:
            return
        old = group.child("dead_phagocytosis_rate")
        for kind in ("apoptotic", "necrotic", "other_dead"):
            child = group.child(f"{kind}_phagocytosis_rate") or old
            if child:
                self._put(d, child, f"phagocytosis.{kind}", unit="1/min")
            else:
                d.values.pop((f"phagocytosis.{kind}", None), None)
        self._named(group.child("live_phagocytosis_rates"), "phagocytosis_rate", d, "phagocytosis.live")
        self._named(group.child("attack_rates"), "attack_rate", d, "attack.rate")
        self._named(group.child("fusion_rates"), "fusion_rate", d, "fusion.rate")
        immunogenicities = group.child("immunogenicities")
        if immunogenicities:
            immunogenicities.skip().notice("1.14.2 does not read immunogenicities from XML: 1 for all types; a rule or a table of cells can set them.")
        self._attack(group, d)

    def _attack(self, group: Element, d: Definition) -> None:
        """Damage per time and duration of attacks: a tag that is absent reads as 0; files from before 1.14 call the first damage_rate."""
        attacks = any(k[0] == "attack.rate" and v.number > 0.0 for k, v in d.values.items())
        damage, duration, old = group.child("attack_damage_rate"), group.child("attack_duration"), group.child("damage_rate")
        before = old is not None and damage is None and self.compat != "1.14.2"
        if damage:
            self._put(d, damage, "attack.damage_rate")
        elif before:
            assert old is not None
            self._put(d, old, "attack.damage_rate")
        else:
            d.set("attack.damage_rate", None, 0.0, group)
        if duration:
            self._put(d, duration, "attack.duration")
        else:
            d.set("attack.duration", None, ATTACK_DURATION if before else 0.0, group)
        if old is None:
            if attacks and (damage is None or duration is None):
                missing = " and ".join(t for t, e in (("attack_damage_rate", damage), ("attack_duration", duration)) if e is None)
                group.complain(f"{missing} missing: 0, as upstream.", severity="warning")
            return
        old.skip()
        if damage:
            old.notice("the old damage_rate is not used; attack_damage_rate is given.")
        elif before:
            lasts = "" if duration else f", an attack lasts {ATTACK_DURATION} min"
            old.notice(f"this is the attack damage rate of files from before 1.14 and is used as such{lasts}; 1.14.2 itself would ignore it and use 0 "
                       "(compat 1.14.2 does).")  # fmt: skip
        else:
            old.complain("1.14.2 ignores this old damage_rate: the attack damage rate is 0.", severity="warning" if attacks else "notice")

    def _transformations(self, group: Element | None, d: Definition) -> None:
        rates = group.child("transformation_rates") if group else None
        for child in rates.children("transformation_rate") if rates else ():
            if child.attribute("name") == d.name and (child.number() or 0.0) > 1e-16:
                child.complain("a type does not become itself; the rate is ignored, as upstream.", severity="warning")
        own = d.values.get(("transformation.rate", d.name))
        self._named(rates, "transformation_rate", d, "transformation.rate")
        d.values.pop(("transformation.rate", d.name), None)
        if own:
            d.values[("transformation.rate", d.name)] = own

    def _custom(self, group: Element | None, d: Definition) -> None:
        for child in group.children() if group else ():
            name = str(child.node.tag)
            conserved = child.flag("conserved")
            unit, doc = child.attribute("units"), child.attribute("description")
            parts = child.text.split(",")
            names = [name] if len(parts) == 1 else [f"{name}_{k}" for k in range(len(parts))]
            if len(parts) > 1:
                child.notice(f"a vector of {len(parts)} becomes the variables {names[0]} to {names[-1]}.")
            for one, text in zip(names, parts):
                number = child.number() if len(parts) == 1 else _part(child, text)
                if number is None:
                    continue
                known = self.custom.setdefault(one, Custom(unit, conserved, doc, child.place))
                if known.conserved != conserved:
                    child.notice(f"conserved is {str(conserved).lower()} here and {str(known.conserved).lower()} in line {known.place[1]}; the first holds.")
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
            d.distributions.append({"behavior": behavior.text if behavior else "", "kind": word, "parameters": numbers, "bounds": bounds,
                                    "check": check, "element": child})  # fmt: skip


def _part(element: Element, text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        element.complain(f"'{text.strip()[:40]}' is not a number.", "Expected numbers separated by commas.")
        return None
