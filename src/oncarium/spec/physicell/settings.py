"""Settings XML: the whole file as a tree of texts, each with its place, as if somebody had written a model file."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Any

from ...errors import Problem, did_you_mean
from .. import catalog
from ..environment import FACES
from ..files import Document
from .definitions import Definition, Definitions, Value
from .dictionary import Dictionary
from .rules import RulesFile, say_column
from .xml import Element, read_xml

ROOT = "PhysiCell_settings"
SAFE_FOLDER = re.compile(r"[\w ./\\:~+-]*")
LABELS = ("units", "description", "type", "version", "name", "ID", "enabled")  # attributes that say nothing a number depends on
SWITCHES = ("motility.active", "motility.advanced", "apoptosis.fixed", "necrosis.fixed", "mechanics.membrane_adhesion",
            "mechanics.membrane_repulsion")  # left out where they are as usual
TICK = 1.0  # min, of transport and mechanics in our own numerics
PARTS = 240  # finest tick: this part of the phenotype's time step


def is_settings(path: Path) -> bool:
    """Does this path look like a settings XML?"""
    return path.suffix.lower() == ".xml"


def read_settings(path: Path, numerics: str = "oncarium", compat: str = "", ignore: tuple[str, ...] = ()) -> Document:
    """The tree of a settings file. Raises ModelError where the file is no settings XML; everything else lies in `problems`.

    numerics   oncarium: our solvers and time steps; physicell: its own     compat   "1.14.2" adds the known bugs of that version
    ignore     ("intracellular",): cells without their intracellular models
    """
    root = read_xml(path)
    reader = Settings(root, path, numerics, compat, ignore)
    reader.read()
    return reader.document


class Settings:
    """One settings file on its way to a Document."""

    def __init__(self, root: Element, path: Path, numerics: str, compat: str, ignore: tuple[str, ...]):
        self.root, self.path = root, path
        self.folder = path.parent
        self.numerics, self.compat, self.ignore = numerics, compat, ignore
        self.document = Document({})
        self.idle: list[str] = []  # elements that are known and have no effect here

    def put(self, path: tuple[str, ...], value: Any, place: tuple[str, int, int] | None = None) -> None:
        """Set one value of the tree."""
        here: Any = self.document.tree
        for part in path[:-1]:
            here = here.setdefault(part, {})
        here[path[-1]] = value
        if place:
            for k in range(1, len(path)):
                self.document.places.setdefault(".".join(path[:k]), place)
            self.document.places[".".join(path)] = place

    def read(self) -> None:
        root = self.root
        if root.node.tag != ROOT:
            root.complain(f"the root element is <{str(root.node.tag)[:40]}>.", f"Expected <{ROOT}>.")
            self.document.problems = root.source.problems
            return
        root.attribute("version")
        self.document.places[""] = root.place
        name = self.path.stem
        if name.lower() in ("physicell_settings", "model", "settings", "config"):
            name = next((p for p in self.path.resolve().parts[-2::-1] if p not in ("config", "/")), name)
        self.put(("oncarium",), "1")
        self.put(("name",), name)
        self.put(("title",), f"{name} (a PhysiCell model)")
        if self.numerics != "oncarium":
            self.put(("numerics",), self.numerics)
        if self.compat:
            self.put(("compat",), self.compat)
        is_2d = self.read_domain(root.child("domain"))
        self.read_overall(root.child("overall"))
        options = root.child("options")
        self.read_options(options)
        self.read_save(root.child("save"))
        threads = root.child("parallel")
        if threads:
            self.idle.append("parallel")
            threads.skip()
        factors = self.read_environment(root.child("microenvironment_setup"), is_2d)
        definitions = Definitions(root, list(factors), self.compat, options, is_2d)
        self.words = Dictionary(list(factors), definitions.types, list(definitions.custom))
        self.write_custom(definitions)
        for d in definitions.all:
            self.write_cell(d, factors)
        self.write_initial(definitions)
        self.read_rules(root.child("cell_rules"), definitions, factors)
        extended = root.child("behavior_rulesets")
        if extended:
            extended.skip().complain("extended rules in XML are not part of 1.14.2 and are not read; the model runs without them.", severity="warning")
        self.finish()

    # -- domain, time, output ---------------------------------------------------------------------------------------

    def read_domain(self, group: Element | None) -> bool:
        if group is None:
            self.root.complain("<domain> is missing.")
            return True
        is_2d = group.truth("use_2D")
        for axis in "xy" if is_2d else "xyz":
            ends = [group.child(f"{axis}_{end}") for end in ("min", "max")]
            texts = []
            for end, found in zip(("min", "max"), ends):
                if found is None:
                    group.complain(f"<{axis}_{end}> is missing.")
                elif found.number("um") is not None:
                    texts.append(f"{found.text or '0'} um")
            if len(texts) == 2 and ends[0] and ends[1]:
                self.put(("domain", axis), texts, ends[0].place)
        sizes = []
        for axis in "xyz":
            size = group.child(f"d{axis}")
            value = size.number("um") if size else None
            if size is None:
                group.complain(f"<d{axis}> is missing.")
            elif value is not None and value <= 0.0:
                size.complain(f"a voxel of {size.text or '0'} um;", "expected above 0 um.")
            elif value is not None:
                sizes.append((value, size))
        if len(sizes) == 3:
            texts = [f"{s.text} um" for _, s in sizes]
            same = len({v for v, _ in sizes}) == 1
            if not same:
                group.notice("dx, dy and dz differ: PhysiCell's solver takes dx for all three, ours the real ones.")
            self.put(("domain", "voxel"), texts[0] if same else texts, sizes[0][1].place)
            if is_2d:
                self.put(("domain", "thickness"), texts[2], sizes[2][1].place)
        if is_2d:
            z = [group.child("z_min"), group.child("z_max")]
            values = [e.number("um") for e in z if e]
            if len(sizes) == 3 and len(values) == 2 and None not in values:
                span = float(values[1] or 0.0) - float(values[0] or 0.0)
                if abs(span - sizes[2][0]) > 1e-9 * sizes[2][0]:
                    group.notice(f"use_2D: one layer of {sizes[2][0]:g} um around z = 0, whatever z_min and z_max say.")
        tree = self.document.tree.get("domain", {})
        if not is_2d and len(sizes) == 3 and "z" in tree:
            low, high = (float(t[:-3]) for t in tree["z"])
            if high - low <= sizes[2][0] * (1 + 1e-9):
                group.complain("one layer of voxels without use_2D: cells stay in its plane here.", severity="warning")
        return is_2d

    def read_overall(self, group: Element | None) -> None:
        if group is None:
            self.root.complain("<overall> is missing.", "Expected max_time and the time steps.")
            return
        until = group.child("max_time")
        value = until.number("min") if until else 0.0
        if until and value is not None:
            self.put(("until",), f"{until.text or '0'} min", until.place)
        for tag, means in (("time_units", "min"), ("space_units", "um")):
            label = group.child(tag)
            plain = label.text.replace("microns", "um").replace("micron", "um") if label else means
            if label and plain not in (means, ""):
                label.notice(f"'{label.text[:40]}' is a label; PhysiCell always counts in {'minutes' if means == 'min' else 'microns'}.")
        steps: dict[str, tuple[float, str, Element]] = {}
        bad = False
        for tag, default in (("dt_diffusion", 0.01), ("dt_mechanics", 0.1), ("dt_phenotype", 6.0), ("dt_intracellular", 0.01)):
            step = group.child(tag)
            value = step.number("min") if step else default
            if step and value is not None and value <= 0.0:
                step.complain(f"a time step of {step.text or '0'} min;", "expected above 0 min.")
            bad = bad or value is None or value <= 0.0
            steps[tag] = (value or default, step.text if step and step.text else f"{default:g}", step or group)
        if bad:
            self.steps = (0.01, 0.1, 6.0)
            return
        a, b, c = (steps[t][0] for t in ("dt_diffusion", "dt_mechanics", "dt_phenotype"))
        self.steps = (a, b, c)
        for short, long in (("dt_diffusion", "dt_mechanics"), ("dt_mechanics", "dt_phenotype")):
            ratio = steps[long][0] / steps[short][0]
            if ratio < 1.0 - 1e-9 or abs(ratio - round(ratio)) > 1e-6 * ratio:
                steps[long][2].complain(f"{long} is {steps[long][1]} min and {short} {steps[short][1]} min.",
                                        "Expected dt_diffusion <= dt_mechanics <= dt_phenotype, each a whole multiple of the one before.")  # fmt: skip
                return
        if self.numerics == "physicell":
            for key, tag in (("transport", "dt_diffusion"), ("mechanics", "dt_mechanics"), ("phenotype", "dt_phenotype")):
                self.put(("clock", key), f"{steps[tag][1]} min", steps[tag][2].place)
            return
        save = self.root.child("save")
        full = save.child("full_data", "interval") if save else None
        every = (full.number("min") if full and full.text else None) or c
        parts = max(1, math.ceil(c / TICK - 1e-9))
        fits = [n for n in range(parts, PARTS + 1) if _divides(c / n, every)]
        tick = c / (fits[0] if fits else parts)
        for key, minutes in (("transport", tick), ("mechanics", tick)):
            self.put(("clock", key), f"{minutes:.15g} min", group.place)
        self.put(("clock", "phenotype"), f"{steps['dt_phenotype'][1]} min", steps["dt_phenotype"][2].place)
        group.notice(f"our solvers with steps of {tick:g}, {tick:g} and {c:g} min; PhysiCell's own steps of {a:g}, {b:g} and {c:g} min and its order "
                     "of operations: --numerics physicell.")  # fmt: skip
        self.tick = tick

    def read_options(self, group: Element | None) -> None:
        if group is None:
            return
        old = group.child("legacy_random_points_on_sphere_in_divide")
        if old and old.truth():
            old.notice("the old sampling of division directions is not reproduced; directions are uniform.")
        seed = group.child("random_seed")
        if seed and seed.text and seed.text not in ("random", "system_clock"):
            if not seed.text.isdigit() or int(seed.text) >= 2**63:
                seed.complain(f"'{seed.text[:40]}' is no seed;", "expected a whole number from 0 to 2^63 - 1, or system_clock.")
            else:
                self.put(("seed",), seed.text, seed.place)
        elif seed:
            seed.notice("no fixed seed; runs use seed 1 unless --seed says otherwise.")
        mode = group.child("rng_mode")
        if mode and mode.text != "counter_based":
            mode.notice("random numbers are always counter-based here; no result depends on the number of threads.")

    def read_save(self, group: Element | None) -> None:
        if group is None:
            return
        folder = group.child("folder")
        if folder:
            self.idle.append("save/folder")
            if not SAFE_FOLDER.fullmatch(folder.text) or ".." in folder.text:
                folder.complain(f"'{folder.text[:60]}' is never used as a path or given to a shell; the run goes to a folder of its own.",
                                "An output folder is chosen with --out.", severity="warning")  # fmt: skip
        full = group.child("full_data")
        interval = full.child("interval") if full else None
        every = interval.number("min") if interval else None
        if full and not full.truth("enable", True):
            full.notice("full_data is off: cells and fields are recorded at the start and the end.")
            until = str(self.document.tree.get("until", "60 min"))
            if until != "0 min":
                self._record(until, full)
        elif interval and every is not None:
            if every <= 0.0:
                interval.complain(f"an interval of {interval.text or '0'} min;", "expected above 0 min.")
            else:
                self._record(f"{interval.text} min", interval)
        for tag in ("SVG", "legacy_data", "intracellular_data"):
            found = group.child(tag)
            if found:
                self.idle.append(f"save/{tag}")
                found.skip()

    def _record(self, every: str, element: Element) -> None:
        tick = self.steps[0] if self.numerics == "physicell" else getattr(self, "tick", TICK)
        value = float(every[:-4])
        whole = max(1, round(value / tick)) * tick
        if not _divides(tick, value):
            element.notice(f"{every} is no whole number of time steps of {tick:g} min; recorded every {whole:.10g} min.")
            every = f"{whole:.15g} min"
        for key in ("cells", "fields"):
            self.put(("record", key), every, element.place)

    # -- microenvironment -------------------------------------------------------------------------------------------

    def read_environment(self, group: Element | None, is_2d: bool) -> dict[str, str]:
        """Factors of the tree; returns name -> unit."""
        units: dict[str, str] = {}
        if group is None:
            self.root.complain("<microenvironment_setup> is missing.", "Expected at least one <variable>.")
            return units
        first: dict[str, Element] = {}
        variables = list(group.children("variable"))
        named = [(v, v.attribute("name")) for v in variables]
        for v, name in named:
            v.attribute("ID")
            if not name:
                v.complain("this substrate has no name.", "Expected the attribute name.")
            elif name in first:
                v.complain(f"the substrate '{name}' stands twice, here and in line {first[name].line}.", remedy="Keep one of them.")
            first.setdefault(name, v)
        first.pop("", None)
        held = any(c is not None and c.flag("enabled") for c in (v.child("Dirichlet_boundary_condition") for v in first.values()))
        for v in variables:
            if first.get(v.attribute("name")) is None or first[v.attribute("name")].node is not v.node:
                v.skip()
        for name, v in first.items():
            units[name] = "mmHg" if v.attribute("units").lower() == "mmhg" else "1"
            self._variable(v, name, units[name], held, is_2d)
        options = group.child("options")
        if options:
            gradients = options.child("calculate_gradients")
            if gradients and not gradients.truth():
                gradients.notice("gradients are always calculated here where a cell needs them.")
            if options.truth("track_internalized_substrates_in_each_agent"):
                self.put(("internalise",), True, options.place)
            self._initial_fields(options.child("initial_condition"), list(units))
            nodes = options.child("dirichlet_nodes")
            if nodes and nodes.flag("enabled"):
                nodes.skip().complain("dirichlet_nodes are not implemented in PhysiCell and are ignored here, too.", severity="warning")
            elif nodes:
                nodes.skip()
        return units

    def _variable(self, v: Element, name: str, unit: str, held: bool, is_2d: bool) -> None:
        path = ("factors", name)
        self.put((*path, "unit"), unit, v.place)
        parameters = v.child("physical_parameter_set")
        for tag, key, means in (("diffusion_coefficient", "diffusion", "um^2/min"), ("decay_rate", "decay", "1/min")):
            found = parameters.child(tag) if parameters else None
            if found and found.number(means) is not None:
                self.put((*path, key), f"{found.text or '0'} {means}", found.place)
            elif not found:
                v.complain(f"<{tag}> is missing: 0, as upstream.", severity="warning")
                self.put((*path, key), f"0 {means}", v.place)
            else:
                self.put((*path, key), f"0 {means}", v.place)
        start = v.child("initial_condition")
        value = start.number() if start else 0.0
        self.put((*path, "initial"), _with((start.text if start else "") or "0" if value is not None else "0", unit), (start or v).place)
        if v.child("PK"):
            v.child("PK").skip().complain("PK (PhysiPKPD) is an add-on of its own; this substrate's dosing is not read.", severity="warning")  # type: ignore[union-attr]
        outer = v.child("Dirichlet_boundary_condition")
        number = outer.number() if outer else 0.0
        on = outer.flag("enabled") if outer else False
        faces: dict[str, tuple[bool, str, Element]] = {}
        if outer and number is not None:
            faces = {face: (on, outer.text or "0", outer) for face in FACES}
        options = v.child("Dirichlet_options")
        for child in options.children("boundary_value") if options else ():
            given = child.attribute("ID")
            which = [f for f in FACES if f in given]
            if not which:
                child.complain(f"'{given[:20]}' is no face.{did_you_mean(given, FACES)}", f"Expected one of {', '.join(FACES)}.")
            number = child.number()
            for face in which:
                if number is not None:
                    faces[face] = (child.flag("enabled"), child.text or "0", child)
        active = {f: said for f, said in faces.items() if said[0] and not (is_2d and f[0] == "z")}
        if active and not held:
            assert options is not None
            options.complain("Dirichlet_options act only where some substrate's Dirichlet_boundary_condition is enabled; they are off, as upstream.",
                             severity="warning")  # fmt: skip
            return
        for face in FACES:
            if face in active:
                _, text, element = active[face]
                self.put((*path, "boundary", face), {"voxels": _with(text, unit)}, element.place)

    def _initial_fields(self, group: Element | None, factors: list[str]) -> None:
        if group is None:
            return
        kind = group.attribute("type")
        if not group.flag("enabled"):
            group.skip()
            return
        name = group.child("filename")
        if kind.lower() not in ("csv", "matlab", "mat"):
            group.complain(f"'{kind}' is no type of initial conditions.", "Expected csv or matlab.")
            return
        found = self.find("", name.text if name else "", name or group)
        if found is None:
            return
        for factor in factors:
            self.put(("factors", factor, "initial"), {"table": self.relative(found)}, group.place)

    # -- cells ------------------------------------------------------------------------------------------------------

    def write_custom(self, definitions: Definitions) -> None:
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
        if re.search("ecm|fibre|fiber|rod|matrix", d.name.lower()) and any(c.startswith(("fibre_", "anisotropic_fibres")) for c in d.custom):
            if "intracellular" in self.ignore:
                d.element.complain("a fibre of PhysiMeSS; it is an ordinary round cell here, as asked.", severity="warning")
            else:
                d.element.complain("a fibre of PhysiMeSS, a cylinder; it is beyond this program.",
                                   remedy="Run it as an ordinary round cell:  --ignore intracellular")  # fmt: skip
        self._cycle(d, path)
        for (column, label), value in sorted(d.values.items(), key=_order):
            entry = catalog.columns().get(column)
            if entry is None:
                continue  # not a column of this version
            if value.number == entry.default and (label is not None or entry.default == 0.0 or column in SWITCHES):
                continue
            text = value.say(catalog.unit_of(entry, factors.get(label or "", "1")))
            section, _, attribute = column.partition(".")
            self.put((*path, section, attribute, label) if label is not None else (*path, section, attribute), text, value.place)
        if d.normalized:
            self.put((*path, "motility", "normalized"), True, d.element.place)
        for name, value in d.custom.items():
            self.put((*path, "custom", name), value.text, value.place)
        if d.distributions:
            self._distributions(d, path, factors)

    def _cycle(self, d: Definition, path: tuple[str, ...]) -> None:
        model = catalog.cycles()[d.cycle]
        self.put((*path, "cycle", "model"), d.cycle, d.element.place)
        lasting = all(p.duration for p in d.phases)
        key = "duration" if lasting else "exit"
        texts = {name: f"{p.duration.text} min" if lasting and p.duration else f"{p.rate!r} 1/min" for name, p in zip(model.phases, d.phases)}
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
                element.complain(f"no behavior is called '{name[:60]}'.{did_you_mean(name, [*self.words.behaviors, 'volume'])}")
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
                    element.complain(f"the base value {base:g} of '{name}' lies outside of the distribution.", remedy="Or set check_base=\"false\".")
            plain = kind in ("lognormal", "log10normal")
            said: dict[str, Any] = {"column": say_column(column), kind: [f"{v!r}" if plain else _with(f"{v!r}", unit) for v in (one, two)]}
            if low is not None or high is not None:
                said["between"] = [None if v is None else _with(f"{v!r}", unit) for v in (low, high)]
            self.document.places[".".join((*path, "distributions", str(len(out))))] = element.place
            out.append(said)
        if out:
            self.put((*path, "distributions"), out, d.distributions[0]["element"].place)

    def write_initial(self, definitions: Definitions) -> None:
        out: list[dict[str, Any]] = []
        user = self.root.child("user_parameters")
        unknown = []
        for child in user.children() if user else ():
            child.attribute("type")
            tag = str(child.node.tag)
            if tag == "number_of_cells":
                count = child.whole(0)
                if count is not None and count < 0:
                    child.complain(f"{child.text} cells;", "expected at least 0.")
                for name in definitions.types if count and count > 0 else ():
                    self.document.places[f"initial.{len(out)}"] = child.place
                    out.append({"cells": name, "count": str(count), "everywhere": None})
            elif tag == "random_seed":
                if child.text.isdigit() and "seed" not in self.document.tree:
                    self.put(("seed",), child.text, child.place)
            else:
                unknown.append(tag)
        if unknown and user:
            user.notice(f"only custom C++ reads {', '.join(unknown)}; custom code is out of reach, and what it does is not part of this model.")
        start = self.root.child("initial_conditions")
        cells = start.child("cell_positions") if start else None
        if cells and cells.flag("enabled"):
            kind = cells.attribute("type")
            if kind.lower() != "csv":
                cells.complain(f"cell positions of type '{kind[:20]}' are not supported.", "Expected csv.")
            folder, file = cells.child("folder"), cells.child("filename")
            found = self.find(folder.text if folder else "", file.text if file else "", file or cells)
            if found is not None:
                self.document.places[f"initial.{len(out)}"] = (file or cells).place
                said: dict[str, Any] = {"table": self.relative(found)}
                numbers = [d.number for d in definitions.all]
                if numbers != list(range(len(numbers))):
                    said["numbers"] = {d.name: str(d.number) for d in definitions.all}
                out.append(said)
        elif cells:
            cells.skip()
        if out:
            self.document.tree["initial"] = out
        else:
            (start or self.root).notice("0 cells: the model places none.")

    # -- rules ------------------------------------------------------------------------------------------------------

    def read_rules(self, group: Element | None, definitions: Definitions, factors: dict[str, str]) -> None:
        rulesets = group.child("rulesets") if group else None
        if group:
            settings = group.child("settings")
            if settings:
                settings.skip()
        by_name = {d.name: d for d in definitions.all}
        phases = {d.name: catalog.cycles()[d.cycle].phases for d in definitions.all}
        file = RulesFile(self.words, factors, phases, lambda kind, column, label: self.base(by_name[kind], column, label), self.compat)
        for ruleset in rulesets.children("ruleset") if rulesets else ():
            if not ruleset.flag("enabled"):
                ruleset.skip()
                continue
            protocol, version, form = (ruleset.attribute(k) for k in ("protocol", "version", "format"))
            if protocol.upper() != "CBHG" or form.lower() not in ("csv", ""):
                ruleset.complain(f"rules of protocol '{protocol}' and format '{form}' are not known.", "Expected CBHG and csv.")
            folder, name = ruleset.child("folder"), ruleset.child("filename")
            found = self.find(folder.text if folder else "", name.text if name else "", name or ruleset)
            if found is not None:
                file.read(found, str(found), version, f"{self.root.source.name}:{ruleset.line}")
        self.document.problems += file.problems
        count: dict[str, int] = {}
        for line in file.lines:
            k = count.get(line.type, 0)
            count[line.type] = k + 1
            self.document.tree["cells"][line.type].setdefault("rules", []).append(line.sentence)
            self.document.places.setdefault(f"cells.{line.type}.rules", line.place)
            self.document.places[f"cells.{line.type}.rules.{k}"] = line.place

    # -- files ------------------------------------------------------------------------------------------------------

    def find(self, folder: str, name: str, element: Element) -> Path | None:
        """A file that the settings name: below the XML's folder, its parent or the working directory, or beside the XML."""
        if not name:
            element.complain("no file is named.", "Expected <filename>.")
            return None
        inner = Path(folder) / name
        places = [self.folder / inner, self.folder.resolve().parent / inner, Path.cwd() / inner]
        if not any((base / folder).is_dir() for base in (self.folder, self.folder.resolve().parent, Path.cwd())) or not folder:
            places.append(self.folder / Path(name).name)
        for k, place in enumerate(places):
            if place.is_file():
                if k:
                    element.notice(f"'{inner}' is read from {place.resolve()}.")
                return place
        tried = list(dict.fromkeys(str(p.resolve()) for p in places))
        element.complain(f"no such file: {tried[0]}", f"Also looked at: {', '.join(tried[1:])}." if len(tried) > 1 else "")
        return None

    def relative(self, path: Path) -> str:
        """A path as the model names it: relative to the settings."""
        return os.path.relpath(path.resolve(), self.folder.resolve())

    def finish(self) -> None:
        """What nobody read, and what has no effect."""
        source = self.root.source
        for element in list(self.root.unread()):
            element.skip().notice("this element is not known and is ignored.")
        for node in self.root.node.iter():
            for key in node.keys():
                if (node, key) not in source.seen and key not in LABELS:
                    Element(node, str(node.tag), source).notice(f"the attribute {key} is not known and is ignored.")
        if self.idle:
            source.problems.append(Problem(source.name, "", f"no effect here: {', '.join(self.idle)}.", severity="notice"))
        self.document.problems = source.problems + self.document.problems


def _order(item: tuple[tuple[str, str | None], Value]) -> tuple[int, str, str]:
    (column, label), _ = item
    known = list(SECTION_ORDER)
    section = column.partition(".")[0]
    return (known.index(section) if section in known else len(known), column, label or "")


SECTION_ORDER = ("death", "apoptosis", "necrosis", "volume", "mechanics", "springs", "motility", "secretion", "phagocytosis", "attack", "fusion",
                 "transformation", "division", "damage")  # fmt: skip


def _with(text: str, unit: str) -> str:
    return text if unit == "1" else f"{text} {unit}"


def _divides(part: float, whole: float) -> bool:
    return abs(whole / part - round(whole / part)) < 1e-9 * max(1.0, whole / part) and round(whole / part) >= 1


