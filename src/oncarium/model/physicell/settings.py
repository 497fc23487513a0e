"""Settings XML: the whole file as a tree of texts, each with its place, as if somebody had written a model file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ...errors import ModelError, Problem, did_you_mean
from .. import catalog
from ..files import Document
from .definitions import Definitions
from .dictionary import Dictionary
from .phenotype import Definition, Value
from .rules import RulesFile, say_column
from .surroundings import Surroundings, with_unit
from .xml import ROOT, Element, read_xml

FILE = "PhysiCell_settings.xml"
PLACING = re.compile(
    r"number_of|num_|_count|count_|radius|_cells|cells_|position|distance|_x$|_y$|_z$|center|width|height|fraction|seed_",
    re.I,
)
# attributes that say nothing a number depends on
LABELS = ("units", "description", "type", "version", "name", "ID", "enabled")
SWITCHES = (
    "springs.active",
    "motility.active",
    "motility.advanced",
    "apoptosis.fixed",
    "necrosis.fixed",
    "mechanics.membrane_adhesion",
    "mechanics.membrane_repulsion",
)  # left out where they are as usual


def is_settings(path: Path) -> bool:
    """Does this path look like a settings XML?"""
    return path.suffix.lower() == ".xml"


def settings_in(folder: Path) -> Path:
    """The settings of a project's folder: config/PhysiCell_settings.xml, or the only ones that lie there. Raises
    ModelError."""
    for usual in (folder / "config" / FILE, folder / FILE):
        if usual.exists():
            return usual
    found = [
        p
        for where in (folder / "config", folder)
        if where.is_dir()
        for p in sorted(where.glob("*.xml"))
        if _are_settings(p)
    ]
    if len(found) == 1:
        return found[0]
    said = (
        f"its settings are one of {len(found)}: {', '.join(p.name for p in found[:10])}."
        if found
        else f"no config/{FILE} lies here."
    )
    raise ModelError(
        Problem(
            str(folder),
            "",
            f"is a folder; {said}",
            "Expected the folder of a PhysiCell project, or a file.",
            "Name the file.",
        )
    )


def is_project(folder: Path) -> bool:
    """Does a folder hold settings, and no run?

    >>> is_project(Path("nowhere"))
    False
    """
    return (
        not (folder / "run.zarr").exists()
        and ((folder / "config" / FILE).exists() or (folder / FILE).exists())
        and not (folder / "initial.xml").exists()
    )


def _are_settings(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return path.is_file() and f"<{ROOT}".encode() in file.read(10_000)
    except OSError:
        return False


def read_settings(path: Path, numerics: str = "oncarium", compat: str = "", ignore: tuple[str, ...] = ()) -> Document:
    """The tree of a settings file. Raises ModelError where the file is no settings XML; everything else lies in
    `problems`.

    numerics   oncarium: our solvers and time steps; physicell: its own     compat   "1.14.2" adds the known bugs of
               that version
    ignore     ("intracellular",): cells without their intracellular models
    """
    root = read_xml(path)
    reader = Settings(root, path, numerics, compat, ignore)
    reader.read()
    return reader.document


class Settings(Surroundings):
    """One settings file on its way to a Document."""

    def read(self) -> None:
        """Read the whole file into `document`. Raises ModelError where the root is none of PhysiCell's; other problems
        are collected."""
        root = self.root
        if root.node.tag != ROOT:
            root.complain(f"the root element is <{str(root.node.tag)[:40]}>.", f"Expected <{ROOT}>.")
            raise ModelError(root.source.problems)
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
        self.put(("start",), "given")
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
        for name in Dictionary.taken(list(factors)):
            root.complain(f"the substrate '{name}' is named like a signal; in rules the word means the signal, as "
                          "upstream.",
                          remedy="Give it another name where rules shall read it.", severity="warning")  # fmt: skip
        self.write_custom(definitions)
        for d in definitions.all:
            self.write_cell(d, factors)
        self.write_initial(definitions)
        self.read_rules(root.child("cell_rules"), definitions, factors)
        extended = root.child("behavior_rulesets")
        if extended:
            extended.skip().complain(
                "extended rules in XML are not part of 1.14.2 and are not read; the model runs without them.",
                severity="warning",
            )
        self.finish()

    # -- cells ------------------------------------------------------------------------------------------------------

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
        """A nucleus larger than its cell, as in files that give another total volume only: the format bears it, our
        numerics do not."""
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

    def write_initial(self, definitions: Definitions) -> None:
        """The section `initial`: numbers of cells among the user parameters, then the table of positions."""
        out: list[dict[str, Any]] = []
        user = self.root.child("user_parameters")
        unknown: list[str] = []
        scattered: Element | None = None
        for child in user.children() if user else ():
            child.attribute("type")
            tag = str(child.node.tag)
            if tag == "number_of_cells":
                count = child.whole(0)
                if count is not None and count < 0:
                    child.complain(f"{child.text} cells;", "expected at least 0.")
                if count is not None and count > 0:
                    scattered = child
                    child.notice(f"{count} cells of each of {len(definitions.types)} types are placed at random in "
                                 "the whole domain, as the template's code does.")  # fmt: skip
                for name in definitions.types if count and count > 0 else ():
                    self.document.places[f"initial.{len(out)}"] = child.place
                    out.append({"cells": name, "count": str(count), "everywhere": None})
            elif tag == "random_seed":
                if child.text.isdigit() and "seed" not in self.document.tree:
                    self.put(("seed",), child.text, child.place)
            else:
                unknown.append(tag)
        placing = [tag for tag in unknown if PLACING.search(tag)]
        if scattered is not None and placing:
            named = f"{', '.join(placing[:8])}{', ...' if len(placing) > 8 else ''}"
            scattered.complain(f"{named} look like numbers or places of cells, too: custom code may place its cells "
                               "otherwise, with this number for something else.",
                               remedy="Say where cells are with a table, or set it to 0.",
                               severity="warning")  # fmt: skip
        if unknown and user:
            user.notice(
                f"only custom C++ reads {', '.join(unknown)}; custom code is out of reach, and what it does is not "
                "part of this model."
            )
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
                # outside the domain, as upstream
                said: dict[str, Any] = {"table": self.relative(found), "inactive": True}
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
        """Rules of all enabled rulesets, as sentences of their cell types."""
        rulesets = group.child("rulesets") if group else None
        if group:
            settings = group.child("settings")
            if settings:
                settings.skip()
        by_name = {d.name: d for d in definitions.all}
        phases = {d.name: catalog.cycles()[d.cycle].phases for d in definitions.all}
        file = RulesFile(
            self.words,
            factors,
            phases,
            lambda kind, column, label: self.base(by_name[kind], column, label),
            self.compat,
        )
        for ruleset in rulesets.children("ruleset") if rulesets else ():
            if not ruleset.flag("enabled"):
                ruleset.skip()
                continue
            protocol, version, form = (ruleset.attribute(k) for k in ("protocol", "version", "format"))
            if protocol.upper() != "CBHG" or form.lower() not in ("csv", ""):
                ruleset.complain(
                    f"rules of protocol '{protocol}' and format '{form}' are not known.", "Expected CBHG and csv."
                )
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
            source.problems.append(
                Problem(source.name, "", f"no effect here: {', '.join(self.idle)}.", severity="notice")
            )
        self.document.problems = source.problems + self.document.problems


def _order(item: tuple[tuple[str, str | None], Value]) -> tuple[int, str, str]:
    (column, label), _ = item
    known = list(SECTION_ORDER)
    section = column.partition(".")[0]
    return (known.index(section) if section in known else len(known), column, label or "")


SECTION_ORDER = ("death", "apoptosis", "necrosis", "volume", "mechanics", "springs", "motility", "secretion",
                 "phagocytosis", "attack", "fusion", "transformation", "division", "damage")  # fmt: skip
