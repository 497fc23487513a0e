"""Model: what we believe about a tissue. Frozen, unit-carrying, sourced; holds no array and never runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..content import content_of
from ..errors import ModelError, Problem, did_you_mean
from ..sources import bibtex
from .body import Patient, read_patient
from .cell import CellType
from .cell_types import read_types
from .compare import differences
from .consistency import check_whole
from .environment import (
    COMPAT,
    LONGEST,
    NUMERICS,
    Clock,
    Domain,
    Factor,
    Record,
    read_clock,
    read_domain,
    read_factor,
    read_record,
    with_tables,
)
from .files import Document, emit, is_there, parse, read
from .initial import Placement, placed, read_placement
from .library import entry, laid_over, on_shelf
from .matrix import MatrixStart, read_matrix
from .nested import check_named, flatten, in_order, moved, set_at, texts, without_tables
from .reader import Reader
from .spoken import Spoken

SECTIONS = (
    "oncarium",
    "name",
    "title",
    "description",
    "numerics",
    "compat",
    "domain",
    "clock",
    "until",
    "seed",
    "record",
    "internalise",
    "start",
    "factors",
    "custom",
    "cells",
    "initial",
    "matrix",
    "supply",
    "body",
    "entry",
    "exit",
    "sources",
)
FORMAT = "1"
# what the first decisions see: concentrations after the first step of transport, or as they are given
FIRST_LOOKS = ("solved", "given")
IGNORABLE = ("intracellular",)


class Model(Spoken):
    """A checked model.

    domain, clock, record, until (min), seed     factors, types, placements     problems (warnings and notices)
    numbers   dotted path -> Quantity of everything the model says

    >>> model = Model.from_text(EXAMPLE)
    >>> model.types[0].name, model.factors[0].diffusion, model.until
    ('tumor', 100000.0, 1440.0)
    >>> model.with_({"cells.tumor.cycle.exit": "0.02 1/h"}).types[0].exit[0] * 60
    0.02
    """

    domain: Domain
    until: float

    def __init__(self, document: Document, folder: Path | None = None, processes: tuple = ()):
        self.document = document
        self.folder = folder
        reader = Reader(document)
        self.processes = tuple(found for p in processes if (found := _mechanism(reader, p)) is not None)
        self.problems: list[Problem] = reader.problems
        self.numbers = reader.numbers
        self._read(reader)

    # -- making one -------------------------------------------------------------------------------------------------

    @classmethod
    def from_text(
        cls, text: str, name: str = "model", folder: Path | str | None = ".", processes: Sequence[Any] = ()
    ) -> Model:
        """Read YAML text; tables are looked for in `folder` (None: they are not opened). Raises ModelError.

        processes   mechanisms of your own, where rules of the text speak of their columns
        """
        return cls(parse(text, name), None if folder is None else Path(folder), tuple(processes)).checked()

    @classmethod
    def from_dict(cls, tree: Mapping[str, Any], folder: Path | str | None = ".") -> Model:
        """The same from nested dicts. Raises ModelError."""
        return cls.from_text(emit(tree), folder=folder)

    @classmethod
    def load(
        cls,
        path: str | Path,
        processes: Sequence[Any] = (),
        numerics: str | None = None,
        compat: str | None = None,
        ignore: Sequence[str] = (),
    ) -> Model:
        """Read a model file, a PhysiCell settings XML or the folder of such a project, or a scenario of the library by
        name. Raises ModelError.

        numerics   oncarium, or physicell: its solvers, time steps and order of operations
        compat     "1.14.2": with the known bugs of that version     ignore   ("intracellular",): without such models
        """
        return cls.open(path, processes, numerics, compat, ignore).checked()

    @classmethod
    def open(
        cls,
        path: str | Path,
        processes: Sequence[Any] = (),
        numerics: str | None = None,
        compat: str | None = None,
        ignore: Sequence[str] = (),
    ) -> Model:
        """The same without raising for what is wrong inside: see `problems`."""
        from .physicell import is_settings, read_settings, settings_in

        given = Path(path)
        check_choices(numerics, compat, ignore)
        if is_there(given) and given.is_dir():
            given = settings_in(given)
        if is_settings(given):
            return cls(
                read_settings(given, numerics or "oncarium", compat or "", tuple(ignore)),
                given.parent,
                tuple(processes),
            )
        model = cls._open(given, path, processes)
        chosen = {k: v for k, v in (("numerics", numerics), ("compat", compat)) if v is not None}
        if not chosen:
            return model
        model.document.tree.update(chosen)
        return cls(model.document, model.folder, model.processes)

    @classmethod
    def _open(cls, given: Path, path: str | Path, processes: Sequence[Any]) -> Model:
        if not given.suffix and not is_there(given):
            known = on_shelf("scenarios")
            if str(path) not in known:
                raise ModelError(
                    Problem(
                        str(path),
                        "",
                        f"neither a file nor a scenario.{did_you_mean(str(path), known)}",
                        f"Scenarios: {', '.join(known)}.",
                    )
                )
            given = entry("scenarios", str(path))
            return cls(read(given, f"{path}.yaml"), given.parent, tuple(processes))
        return cls(read(given), given.parent, tuple(processes))

    def checked(self) -> Model:
        """This model, or a ModelError with everything that is wrong in it."""
        errors = self.errors
        if errors:
            raise ModelError(errors)
        return self

    @property
    def errors(self) -> list[Problem]:
        """What keeps the model from running."""
        return [p for p in self.problems if p.severity == "error"]

    # -- reading ----------------------------------------------------------------------------------------------------

    def _read(self, reader: Reader) -> None:
        tree = reader.group(self.document.tree, "", SECTIONS)
        version = reader.text(tree.get("oncarium"), "oncarium", FORMAT)
        if version != FORMAT:
            reader.complain("oncarium", f"format {version[:60]} is not known;", f"expected {FORMAT}.")
        self.name = reader.text(tree.get("name"), "name")
        self.title = reader.text(tree.get("title"), "title", self.name or "A tissue")
        self.description = reader.text(tree.get("description"), "description")
        reader.own.update(
            {k: reader.text(v, f"sources.{k}") for k, v in reader.group(tree.get("sources"), "sources").items()}
        )
        self.numerics = reader.word(tree.get("numerics", NUMERICS[0]), "numerics", NUMERICS, "numerics") or NUMERICS[0]
        self.compat = reader.word(tree.get("compat", ""), "compat", COMPAT, "version to be compatible with") or ""
        self.internalise = reader.truth(tree.get("internalise", False), "internalise")
        self.start = reader.word(tree.get("start", FIRST_LOOKS[0]), "start", FIRST_LOOKS, "start") or FIRST_LOOKS[0]
        domain = read_domain(reader, tree.get("domain"))
        # so large that nothing else looks wrong for it
        self.domain = domain or Domain((-5e8,) * 3, (2e8,) * 3, (5, 5, 5))
        self.clock: Clock = read_clock(reader, tree.get("clock"))
        self.record: Record = read_record(reader, tree.get("record"), self.clock.transport)
        until = reader.quantity(tree["until"], "until", "min", ge=0.0, le=LONGEST) if "until" in tree else 7200.0
        self.until = until if until is not None else 0.0
        seed = reader.whole(tree["seed"], "seed", 0, 2**63 - 1) if "seed" in tree else 1
        self.seed = seed if seed is not None else 1
        self.factors: list[Factor] = []
        for name, given in reader.named(tree.get("factors"), "factors", "factor").items():
            full = laid_over(reader, given, f"factors.{name}", "factors")
            found = read_factor(
                reader, name, full, self.domain.is_2d, "lod" if self.numerics == "physicell" else "auto"
            )
            if found:
                self.factors.append(found)
        self.factors = with_tables(reader, self.factors, self.domain, self.folder)
        cells = read_types(reader, tree, {f.name: f.unit for f in self.factors}, self.processes, self.folder)
        self.types, self.names, self.networks, self.conserved = (
            cells.types,
            cells.names,
            cells.networks,
            cells.conserved,
        )
        radius = {
            t.name: (t.value(self.names.columns["volume.total"]) * 0.238732414637843) ** (1 / 3) for t in self.types
        }
        self.placements: list[Placement] = []
        for i, given in enumerate(
            reader.listed(tree.get("initial"), "initial", "placements, each starting with  - cells: <type>.")
        ):
            placement = read_placement(reader, given, f"initial.{i}", self.names, self.domain, radius, self.folder)
            if placement:
                self.placements.append(placement)
                if placement.outside and self.folder is not None:
                    given["outside"] = str(placement.outside)
                if placement.values and self.folder is not None:
                    given["gives"] = sorted({c if label is None else f"{c}.{label}" for c, label in placement.values})
        self.matrix: MatrixStart | None = read_matrix(reader, tree.get("matrix"), self.clock.transport)
        if self.matrix is None and any(
            s in ("sense.matrix", "sense.stiffness", "sense.alignment") for s in self.signals
        ):
            reader.complain(
                "cells", "a rule speaks of the matrix, which the model does not have;", "expected a section matrix."
            )
        self.patient: Patient = read_patient(reader, tree, self.names, self.factors)
        for name in self.record.columns or ():
            reader.word(name, "record.columns", self.names.columns, "column")
        check_whole(reader, self)

    # -- asking -----------------------------------------------------------------------------------------------------

    @property
    def cells_at_start(self) -> int:
        """Cells that the placements ask for (packed regions estimated by their area or volume)."""
        return placed(self.placements, self.domain)

    @property
    def cells_outside(self) -> int:
        """Cells that are placed outside the domain and take no part."""
        return sum(p.outside for p in self.placements)

    @property
    def bytes_needed(self) -> float:
        """Estimate of the memory of a run: twelve numbers per voxel and factor, about 1 kB per cell, growth
        included."""
        return 12.0 * 8.0 * self.domain.voxels * max(1, len(self.factors)) + 3.0 * 1000.0 * self.cells_at_start

    def type(self, name: str) -> CellType:
        """A cell type by name."""
        for t in self.types:
            if t.name == name:
                return t
        raise ModelError(
            Problem(
                "",
                f"cells.{name}",
                f"no cell type is called '{name}'.{did_you_mean(name, [t.name for t in self.types])}",
            )
        )

    @property
    def digest(self) -> str:
        """SHA-256 of what the model says (numbers, rules, places, content of tables), not of its title or of how and
        where its files lie."""
        h = hashlib.sha256()
        for path in sorted(self.numbers):
            h.update(f"{path}={self.numbers[path].value!r}\n".encode())
        told = {k: v for k, v in self.document.tree.items() if k not in ("name", "title", "description")}
        h.update(emit(in_order(without_tables(told))).encode())
        for f in self.factors:
            h.update(f.initial_content.encode())
        for t in self.types:
            h.update("\n".join(r.text for r in t.rules).encode())
        for p in self.placements:
            h.update(repr(p.rows).encode())
            if p.values:
                h.update(repr(sorted(p.values.items(), key=repr)).encode())
        for process in self.processes:
            h.update(content_of(process).encode())
        return h.hexdigest()

    def with_(self, changes: Mapping[str, Any] | None = None, **top: Any) -> Model:
        """A copy with some values changed, by dotted path. Raises ModelError.

        model.with_({"cells.tumor.motility.speed": "0.5 um/min", "until": "2 day"})
        """
        document = self.document.copy()
        problems = []
        for path, value in {**(changes or {}), **top}.items():
            try:
                check_named(document.tree, path.split("."))
                set_at(
                    document.tree,
                    path.split("."),
                    parse(f"v: {value}", "v").tree["v"] if isinstance(value, str) else texts(value),
                )
                document.places[path] = (f"--set {path}={value}", 0, 0)
            except (KeyError, IndexError, ValueError, ModelError) as error:
                said = error.args[0] if error.args and not isinstance(error, ModelError) else "it is no value"
                problems.append(Problem(f"--set {path}={value}", path, f"cannot be set: {said}."))
        if problems:
            raise ModelError(problems)
        return Model(document, self.folder, self.processes).checked()

    def has(self, path: str) -> bool:
        """Whether the model's file says something at a dotted path.

        >>> Model.from_text(EXAMPLE).has("factors.oxygen.diffusion"), Model.from_text(EXAMPLE).has("initial.7.count")
        (True, False)
        """
        return path in flatten(self.document.tree) or any(p.startswith(f"{path}.") for p in flatten(self.document.tree))

    def with_process(self, *processes: Any) -> Model:
        """A copy with mechanisms of your own (see each_cell)."""
        return Model(self.document, self.folder, (*self.processes, *processes)).checked()

    def diff(self, other: Model) -> list[str]:
        """What another model says differently, one line per value; spelling, titles and notes do not count."""
        return differences(self, other)

    def to_yaml(self, folder: Path | str | None = None) -> str:
        """The model as YAML; reads back as the same model.

        folder   where the text will lie, if not where the model came from: its tables are named from there
        """
        if folder is None or self.folder is None:
            return emit(self.document.tree)
        return emit(moved(self.document.tree, self.folder.resolve(), Path(folder).resolve()))

    def cite(self) -> str:
        """BibTeX of every source that the model's numbers and rules name."""
        keys = {q.source for q in self.numbers.values()} | {r.source for _, r in self.rules}
        own = {str(k): str(v) for k, v in (self.document.tree.get("sources") or {}).items()}
        return "\n\n".join(f"% {k}: {own[k]}" if k in own else bibtex(k) for k in sorted(keys - {"", "assumed"}))

    def describe(self) -> str:
        """The model in English."""
        from .describe import describe

        return describe(self)

    def __str__(self) -> str:
        return self.describe()

    def _repr_html_(self) -> str:
        from .describe import page

        return page(self)

    def __repr__(self) -> str:
        return (
            f"<Model {self.title!r}: {len(self.types)} cell types, {len(self.factors)} factors, "
            f"{self.cells_at_start} cells>"
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)


def _mechanism(reader: Reader, given: Any) -> Any:
    """A mechanism of the user: a Process, or a loop that is yet to be made."""
    if isinstance(given, type):
        reader.complain("processes", f"{given.__name__} is a class;", f"give one of it: {given.__name__}().")
        return None
    if callable(given) and hasattr(given, "function"):  # a loop without parameters of its own
        given = given()
    if all(hasattr(given, part) for part in ("step", "columns", "slot")):
        return given
    reader.complain(
        "processes",
        f"{str(given)[:60]} is no mechanism;",
        "expected a Process, or a function under each_cell, each_contact or each_voxel.",
    )
    return None


def check_choices(numerics: str | None, compat: str | None, ignore: Sequence[str]) -> None:
    """Raise ModelError for a choice that does not exist."""
    for what, given, known in (
        ("numerics", numerics, NUMERICS),
        ("compat", compat, COMPAT),
        *(("ignore", i, IGNORABLE) for i in ignore),
    ):
        if given is not None and given not in known:
            raise ModelError(
                Problem(
                    what,
                    "",
                    f"'{given}' is not known.{did_you_mean(given, known)}",
                    f"Expected {' or '.join(k for k in known if k)}.",
                )
            )


EXAMPLE = """
oncarium: 1
title: A small tumor
domain: {x: [-100 um, 100 um], y: [-100 um, 100 um], voxel: 20 um}
until: 1 day
factors:
  oxygen: {unit: mmHg, diffusion: 100000 um^2/min assumed, decay: 0.1 1/min assumed, boundary: 38 mmHg assumed}
cells:
  tumor:
    cycle: {model: live, exit: 0.04 1/h assumed}
    rules: ["oxygen decreases death.necrosis to 0 1/min, half 3 mmHg, hill 4 assumed"]
initial:
  - {cells: tumor, disc: {radius: 50 um}, count: 20}
"""
