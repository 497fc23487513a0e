"""The sections of a phenotype as values of our columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...errors import did_you_mean
from .. import catalog
from .definition import Definition, Phase, Value
from .definition import Key as Key  # exchange names it from here
from .tags import (
    ATTACK_DURATION,
    CYCLE_NAMES,
    CYCLES,
    DEAD_DEFAULTS,
    DEAD_PARTS,
    DEATHS,
    MECHANICS,
    MOTILITY,
    SECRETION,
)
from .xml import Element


class Phenotype:
    """Reads the sections of a phenotype into a Definition; unknown names are told with the nearest one."""

    factors: list[str]
    types: list[str]
    compat: str
    is_2d: bool

    @staticmethod
    def _take_cycle(d: Definition, model: str) -> None:
        entry = catalog.cycles()[model]
        d.cycle = model
        d.phases = [Phase(r, f) for r, f in zip(entry.rates, entry.fixed)]

    def _put(
        self, d: Definition, element: Element, column: str, label: str | None = None, unit: str | None = None
    ) -> None:
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

    def _named(
        self, group: Element | None, tag: str, d: Definition, column: str, attribute: str = "name", fatal: bool = False
    ) -> None:
        """One value per cell type; unknown names are told, and refused where PhysiCell refuses."""
        for child in group.children(tag) if group else ():
            of = child.attribute(attribute)
            if of in self.types:
                self._put(d, child, column, of)
            else:
                child.number()
                child.complain(f"no cell type is called '{of}'.{did_you_mean(of, self.types)}",
                               f"This file has: {', '.join(self.types)}.",
                               "" if fatal else "The value is ignored, as in PhysiCell.",
                               "error" if fatal else "warning")  # fmt: skip

    def _cycle(self, group: Element | None, d: Definition) -> None:
        if group is None:
            return
        code, name = group.attribute("code"), group.attribute("name")
        if code:
            if not code.isdigit() or int(code) not in CYCLES:
                group.complain(
                    f"no cycle model has the code '{code[:20]}'.",
                    f"Expected one of {', '.join(f'{k} ({v})' for k, v in CYCLES.items())}.",
                )
                return
            if int(code) in (3, 4):
                group.notice("this cycle model is replaced by Live, as in PhysiCell.")
            model, before = CYCLES[int(code)], d
            kept = [p.rate for p in d.phases] if before.cycle == model else None
            durations = [(p.duration, p.place) for p in d.phases]
            self._take_cycle(d, model)
            for phase, rate, (duration, place) in zip(d.phases, kept or (), durations):
                phase.rate, phase.duration, phase.place = rate, duration, place
        elif name.lower() not in CYCLE_NAMES:
            group.complain(
                f"no cycle model is called '{name}'.{did_you_mean(name, CYCLE_NAMES)}",
                f"Expected one of {', '.join(CYCLE_NAMES)}.",
            )
            return
        elif CYCLES[CYCLE_NAMES[name.lower()]] != d.cycle:
            group.notice(
                f"a cycle model is chosen by its code; '{name}' without one leaves {d.cycle}, as in PhysiCell."
            )
        for tag in ("phase_transition_rates", "transition_rates"):
            for item in self._inside(group, tag, "rate"):
                start, end = self._index(item, "start_index", d), item.attribute("end_index")
                value = item.number("1/min")
                if start is None or value is None:
                    continue
                following = (start + 1) % len(d.phases)
                if end and end != str(following):
                    item.complain(
                        f"phase {start} of {d.cycle} has no link to phase {end};", f"expected end_index {following}."
                    )
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
                model.skip().notice("autophagy is skipped, as in PhysiCell.")
                continue
            if kind not in DEAD_PARTS:
                model.complain(f"no death model has the code '{code}' or the name '{name}'."
                               f"{did_you_mean(name, DEAD_PARTS)}",
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
            for tag, item, attribute in (("phase_transition_rates", "rate", "start_index"),
                                         ("transition_rates", "rate", "start_index"),
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
                        if item == "duration":  # a cell ruptures when it is large enough, but not before this
                            d.set("necrosis.swelling_duration", None, value, child, child.text)
                        continue
                    if f"{kind}.fixed" in catalog.columns():
                        d.set(f"{kind}.fixed", None, float(fixed), child)
                    elif not fixed:
                        child.notice(
                            f"the clearance of a cell dead by {kind} takes a fixed time here; fixed_duration=false is "
                            "not used."
                        )
                    minutes = value if item == "duration" else 1.0 / value if value > 0.0 else 9e99
                    d.set(f"{kind}.duration", None, minutes, child, child.text if item == "duration" else "")

    def _mechanics(self, group: Element | None, d: Definition) -> None:
        if group is None:
            return
        self._table(group, d, MECHANICS)
        self._named(group.child("cell_adhesion_affinities"), "cell_adhesion_affinity", d, "mechanics.affinity")
        options = group.child("options")
        for tag, absolute in (
            ("set_relative_equilibrium_distance", False),
            ("set_absolute_equilibrium_distance", True),
        ):
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
                choice.notice(f"an equilibrium distance of {s:.4g} radii is capped at 2, as in PhysiCell.")
            half = 0.5 * min(s, 2.0)
            if half >= d.get("mechanics.adhesion_distance"):
                choice.complain(
                    f"{choice.text} is out of range;",
                    "expected a distance within the reach of adhesion (relative_maximum_adhesion_distance).",
                )
                continue
            adhesion = (
                d.get("mechanics.repulsion") * ((1.0 - half) / (1.0 - half / d.get("mechanics.adhesion_distance"))) ** 2
            )
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
                (factor or simple).complain(f"chemotaxis follows '{name}', but no substrate has that name."
                                            f"{did_you_mean(name, self.factors)}",
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
                    child.complain(f"no substrate is called '{name}'.{did_you_mean(name, self.factors)}",
                                   f"This file has: {', '.join(self.factors)}.",
                                   "The value is ignored, as in PhysiCell.",
                                   "warning")  # fmt: skip

    def _secretion(self, group: Element | None, d: Definition) -> None:
        for child in group.children("substrate") if group else ():
            name = child.attribute("name")
            if name not in self.factors:
                child.complain(
                    f"no substrate is called '{name}'.{did_you_mean(name, self.factors)}",
                    f"This file has: {', '.join(self.factors) or 'none'}.",
                )
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
            immunogenicities.skip().notice(
                "1.14.2 does not read immunogenicities from XML: 1 for all types; a rule or a table of cells can set "
                "them."
            )
        self._attack(group, d)

    def _attack(self, group: Element, d: Definition) -> None:
        """Damage per time and duration of attacks: a tag that is absent reads as 0; files from before 1.14 call the
        first damage_rate."""
        attacks = any(k[0] == "attack.rate" and v.number > 0.0 for k, v in d.values.items())
        damage, duration = group.child("attack_damage_rate"), group.child("attack_duration")
        old = group.child("damage_rate")
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
                missing = " and ".join(
                    t for t, e in (("attack_damage_rate", damage), ("attack_duration", duration)) if e is None
                )
                group.complain(f"{missing} missing: 0, as in PhysiCell.", severity="warning")
            return
        old.skip()
        if damage:
            old.notice("the old damage_rate is not used; attack_damage_rate is given.")
        elif before:
            lasts = "" if duration else f", an attack lasts {ATTACK_DURATION} min"
            old.notice(f"this is the attack damage rate of files from before 1.14 and is used as such{lasts}; 1.14.2 "
                       "itself would ignore it and use 0 (compat 1.14.2 does).")  # fmt: skip
        else:
            old.complain(
                "1.14.2 ignores this old damage_rate: the attack damage rate is 0.",
                severity="warning" if attacks else "notice",
            )

    def _transformations(self, group: Element | None, d: Definition) -> None:
        rates = group.child("transformation_rates") if group else None
        for child in rates.children("transformation_rate") if rates else ():
            if child.attribute("name") == d.name and (child.number() or 0.0) > 1e-16:
                child.complain(
                    "a type does not become itself; the rate is ignored, as in PhysiCell.", severity="warning"
                )
        own = d.values.get(("transformation.rate", d.name))
        self._named(rates, "transformation_rate", d, "transformation.rate")
        d.values.pop(("transformation.rate", d.name), None)
        if own:
            d.values[("transformation.rate", d.name)] = own
