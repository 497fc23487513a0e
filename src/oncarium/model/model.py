"""Model: what we believe about a tissue. Frozen, unit-carrying, sourced; holds no array and never runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..content import content_of
from ..errors import ModelError, Problem, did_you_mean
from ..sources import bibtex
from .cell import CellType
from .compare import differences
from .environment import COMPAT, NUMERICS, Clock, Domain, Factor, Record
from .files import Document, emit, is_there, parse, read
from .initial import placed
from .library import entry, on_shelf
from .nested import change, flatten, in_order, moved, texts, without_tables
from .reader import Reader
from .sections import read_sections
from .spoken import Spoken
from .stop import StopRule

if TYPE_CHECKING:
    from .evidence import Sources
    from .therapy import Therapy

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

    name: str
    title: str
    description: str
    look: str
    compat: str
    internalise: bool
    start: str
    domain: Domain
    clock: Clock
    record: Record
    until: float
    seed: int
    factors: list[Factor]
    conserved: set[str]
    stop_when: tuple[StopRule, ...]
    groups: dict[str, dict[str, float]]
    therapy: Therapy | None

    def __init__(self, document: Document, folder: Path | None = None, processes: tuple = ()):
        self.document = document
        self.folder = folder
        reader = Reader(document)
        self.processes = tuple(found for p in processes if (found := _mechanism(reader, p)) is not None)
        self.problems: list[Problem] = reader.problems
        self.numbers = reader.numbers
        read_sections(self, reader)

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
        """Read a model file, PhysiCell settings, a PhysiCell project's folder, or a scenario of the library by name.

        Raises ModelError.

        numerics   oncarium, or physicell: its solvers, time steps and order of operations
        compat     "1.14.2": with the known bugs of that version
        ignore     ("intracellular",): without such models
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
            document = read_settings(given, numerics or "oncarium", compat or "", tuple(ignore))
            return cls(document, given.parent, tuple(processes))
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
                message = f"neither a file nor a scenario.{did_you_mean(str(path), known)}"
                raise ModelError(Problem(str(path), "", message, f"Scenarios: {', '.join(known)}."))
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
        """Estimate of the memory of a run: twelve numbers per voxel and factor, 3 kB per cell, growth included."""
        return 12.0 * 8.0 * self.domain.voxels * max(1, len(self.factors)) + 3.0 * 1000.0 * self.cells_at_start

    def type(self, name: str) -> CellType:
        """A cell type by name."""
        for t in self.types:
            if t.name == name:
                return t
        hint = did_you_mean(name, [t.name for t in self.types])
        raise ModelError(Problem("", f"cells.{name}", f"no cell type is called '{name}'.{hint}"))

    @property
    def digest(self) -> str:
        """SHA-256 of what the model says (numbers, rules, places, content of tables).

        Its title, and how and where its files lie, do not count.
        """
        h = hashlib.sha256()
        for path in sorted(self.numbers):
            h.update(f"{path}={self.numbers[path].value!r}\n".encode())
        told = {k: v for k, v in self.document.tree.items() if k not in ("name", "title", "description", "look")}
        h.update(emit(in_order(without_tables(told))).encode())
        for f in self.factors:
            h.update(f.initial_content.encode())
        for t in self.types:
            h.update("\n".join(r.text for r in t.rules).encode())
        for p in self.placements:
            h.update(repr(p.rows).encode())
            if p.values:
                h.update(repr(sorted(p.values.items(), key=repr)).encode())
        if self.vessels is not None and self.vessels.network is not None:
            h.update(self.vessels.network.content)
        for process in self.processes:
            h.update(content_of(process).encode())
        return h.hexdigest()

    def with_(self, changes: Mapping[str, Any] | None = None, **top: Any) -> Model:
        """A copy with some values changed, by dotted path; at a path that ends with + a list gets more, with - less.
        Raises ModelError.

        model.with_({"cells.tumor.motility.speed": "0.5 um/min", "until": "2 day"})
        model.with_({"cells.tumor.rules+": "pressure decreases cycle.exit.live to 0 1/min, half 0.3"})
        model.with_({"cells.tumor.rules-": ["oxygen on death.necrosis"]})
        """
        document = self.document.copy()
        problems = []
        for path, value in {**(changes or {}), **top}.items():
            try:
                said = parse(f"v: {value}", "v").tree["v"] if isinstance(value, str) else texts(value)
                change(document.tree, path, said)
                document.places[path.rstrip("+-")] = (f"--set {path}={value}", 0, 0)
            except (KeyError, IndexError, ValueError, ModelError) as error:
                why = error.args[0] if error.args and not isinstance(error, ModelError) else "it is no value"
                problems.append(Problem(f"--set {path}={value}", path, f"cannot be set: {why}."))
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
        keys = {key for q in self.numbers.values() for key in q.sources}
        own = {str(k): str(v) for k, v in (self.document.tree.get("sources") or {}).items()}
        return "\n\n".join(f"% {k}: {own[k]}" if k in own else bibtex(k) for k in sorted(keys))

    def sources(self) -> Sources:
        """What its numbers rest on; printed, a table of kinds and grades.

        >>> sum(Model.from_text(EXAMPLE).sources().counts()["decay"].values())
        1
        """
        from .evidence import sources

        return sources(self)

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
            expected = f"Expected {' or '.join(k for k in known if k)}."
            raise ModelError(Problem(what, "", f"'{given}' is not known.{did_you_mean(given, known)}", expected))


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
