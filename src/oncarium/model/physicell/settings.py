"""Settings XML: the whole file as a tree of texts, each with its place, as if somebody had written a model file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ...errors import ModelError, Problem
from .. import catalog
from ..files import Document
from .definitions import Definitions
from .dictionary import Dictionary
from .rules import RulesFile
from .sections_of_cells import SectionsOfCells
from .xml import ROOT, Element, read_xml

FILE = "PhysiCell_settings.xml"
PLACING = re.compile(
    r"number_of|num_|_count|count_|radius|_cells|cells_|position|distance|_x$|_y$|_z$|center|width|height|fraction|seed_",
    re.I,
)
# attributes that say nothing a number depends on
LABELS = ("units", "description", "type", "version", "name", "ID", "enabled")


def is_settings(path: Path) -> bool:
    """Does this path look like a settings XML?"""
    return path.suffix.lower() == ".xml"


def settings_in(folder: Path) -> Path:
    """The settings of a project's folder: config/PhysiCell_settings.xml, or the only ones that lie there.

    Raises ModelError.
    """
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
    expected = "Expected the folder of a PhysiCell project, or a file."
    raise ModelError(Problem(str(folder), "", f"is a folder; {said}", expected, "Name the file."))


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
    """The tree of a settings file. Raises ModelError where it is no settings XML; other problems lie in `problems`.

    numerics   oncarium: our solvers and time steps; physicell: its own
    compat     "1.14.2" adds the known bugs of that version
    ignore     ("intracellular",): cells without their intracellular models
    """
    root = read_xml(path)
    reader = Settings(root, path, numerics, compat, ignore)
    reader.read()
    return reader.document


class Settings(SectionsOfCells):
    """One settings file on its way to a Document."""

    def read(self) -> None:
        """Read the whole file into `document`; other problems than a wrong root, a ModelError, are collected."""
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
                          "in PhysiCell.",
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

    # -- where cells are ----------------------------------------------------------------------------------------------

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
                # outside the domain, as in PhysiCell
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

        def base(kind: str, column: str, label: str | None) -> float:
            return self.base(by_name[kind], column, label)

        file = RulesFile(self.words, factors, phases, base, self.compat)
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
