"""Drugs as data: what blood does with a drug, what it binds to, and what it does to cells.

    factor:      what it is in tissue: a factor like any other, with its mass
    plasma:      volumes and flows of a person and of a mouse: one to three compartments, ways of giving, ways of loss
    binds:       receptors on cells that it locks          neutralises:  dissolved factors that it holds
    activated:   what lack of oxygen makes of it
    effects:     ordinary rules, by cell type, "*" for every type, vessels, matrix or body

Units: min, L, nM and nmol; weights in kg, areas in m^2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import ModelError, Problem, did_you_mean
from ..units import Quantity, UnitError, parse_quantity
from .environment import Factor, read_factor
from .files import Document, is_there, parse, read
from .library import entry, laid_over, on_shelf
from .plasma import Plasma, read_plasma
from .reader import Reader
from .rule import EXAMPLE, SENTENCE

CLASSES = ("antibody", "protein", "small molecule", "cell", "other")
SPECIES = ("human", "mouse")
KEYS = (
    "library", "doc", "class", "species", "usual", "factor", "plasma", "binds", "neutralises", "activated", "effects",
)  # fmt: skip


@dataclass(frozen=True)
class Binding:
    """A lock on cells: affinity (nM), on (1/nM/min), loss of the bound pair into the cell (1/min)."""

    receptor: str
    affinity: float
    on: float
    internalisation: float = 0.0

    @property
    def off(self) -> float:
        """1/min."""
        return self.affinity * self.on


@dataclass(frozen=True)
class Neutralised:
    """A lock on a dissolved factor: affinity (nM), on (1/nM/min)."""

    factor: str
    affinity: float
    on: float

    @property
    def off(self) -> float:
        """1/min."""
        return self.affinity * self.on


@dataclass(frozen=True)
class Activated:
    """What lack of oxygen makes of a prodrug, at most at a rate (1/min), at half of it at an oxygen (mmHg): a factor
    that is called NAME_active."""

    rate: float
    oxygen: float
    factor: Factor


@dataclass(frozen=True)
class Drug:
    """One drug: what it is, what blood does with it, what it binds to, and what it does.

    kind   antibody, protein, small molecule, cell or other     cross   whose target it binds, as its file says
    usual   the usual regimen     factor   of the tissue, or None for what never leaves blood as a substance
    plasma   by species     binds, neutralises   by receptor and factor     activated   of a prodrug, or None
    effects   rules by cell type, "*" (every type that has the behavior), vessels, matrix, body
    numbers   every number with its evidence, by the path it stands at     tree   as it was written
    places    effects' file and line, by "who.place": for messages about rules
    """

    name: str
    doc: str
    kind: str
    cross: str
    usual: str
    factor: Factor | None
    plasma: Mapping[str, Plasma]
    binds: Mapping[str, Binding]
    neutralises: Mapping[str, Neutralised]
    activated: Activated | None
    effects: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, Quantity]
    tree: Mapping[str, Any]
    places: Mapping[str, tuple[str, int, int]] = field(default_factory=dict)

    @property
    def mass(self) -> float | None:
        """Of one molecule, kDa."""
        return self.factor.mass if self.factor else None

    def nmol(self, mg: float) -> float:
        """What an amount in mg is in nmol.

        >>> from oncarium.model.drug import load_drug
        >>> round(load_drug("pembrolizumab").nmol(149.0))
        1000
        """
        assert self.mass is not None
        return 1000.0 * mg / self.mass

    def __repr__(self) -> str:
        return f"<Drug {self.name}: {self.kind}, {self.doc}>"


def drugs() -> list[str]:
    """Names of the library's drugs.

    >>> "pembrolizumab" in drugs()
    True
    """
    return on_shelf("drugs")


def drug(given: str | Path) -> Drug:
    """A drug of the library by name, or from a file of one's own. Raises ModelError with everything that is wrong.

    given   a name, or the path of a YAML file

    >>> antibody = oc.drug("pembrolizumab")
    >>> antibody.kind, antibody.mass, list(antibody.binds)
    ('antibody', 149.0, ['surface.pd1'])
    >>> oc.drug("pembrolizumob")
    Traceback (most recent call last):
    oncarium.errors.ModelError: pembrolizumob
      neither a file nor a drug of the library. Did you mean 'pembrolizumab'? See  oncarium drugs.
    """
    path = Path(given)
    if str(given) in drugs():
        return _shelved(str(given))
    if not is_there(path) or not path.suffix:
        hint = did_you_mean(str(given), drugs())
        raise ModelError(
            Problem(str(given), "", f"neither a file nor a drug of the library.{hint}", "See  oncarium drugs.")
        )
    return _checked(path.stem, read(path))


load_drug = drug  # where a drug is a variable


@cache
def _shelved(name: str) -> Drug:
    return _checked(name, read(entry("drugs", name), f"library/drugs/{name}.yaml"))


def drug_from_text(text: str, name: str = "mydrug") -> Drug:
    """A drug from the text of its file. Raises ModelError.

    >>> drug_from_text("class: small molecule\\nfactor: {unit: nM, diffusion: 20000 um^2/min, mass: 0.4 kDa}").name
    'mydrug'
    """
    return _checked(name, parse(text, f"{name}.yaml"))


def _checked(name: str, document: Document) -> Drug:
    """A drug whose document is the whole file."""
    reader = Reader(document)
    found = read_drug(reader, name, document.tree, "")
    errors = [p for p in reader.problems if p.severity == "error"]
    if errors or found is None:
        raise ModelError(errors)
    return found


def read_drug(reader: Reader, name: str, given: Any, path: str) -> Drug | None:
    """One drug of a document; every problem goes to the reader.

    path   where it stands ("therapy.drugs.NAME"); what it does not say, the library's drug of its name does
    """
    if path and isinstance(given, dict) and name in drugs():
        given = laid_over(reader, {"library": name, **given}, path, "drugs")
    elif path:
        given = laid_over(reader, given, path, "drugs")
    tree = reader.group(given, path, KEYS)
    at = f"{path}." if path else ""
    before = set(reader.numbers)
    kind = reader.text(tree.get("class"), f"{at}class", "other")
    if kind not in CLASSES:
        hint = did_you_mean(kind, CLASSES)
        reader.complain(f"{at}class", f"'{kind[:60]}' is no class of drugs.{hint}", f"Expected {', '.join(CLASSES)}.")
    factor = None
    if tree.get("factor") is not None:
        factor = read_factor(reader, name, reader.group(tree["factor"], f"{at}factor"), False, path=f"{at}factor")
    mass = factor.mass if factor else None
    plasma = {}
    for species, said in reader.group(tree.get("plasma"), f"{at}plasma", SPECIES, "species").items():
        if mass is None:
            reader.complain(f"{at}factor", "its mass is missing;", "expected e.g. factor: {mass: 149 kDa, ...}.")
            break
        found = read_plasma(reader, said, f"{at}plasma.{species}", species, mass)
        if found:
            plasma[species] = found
    binds = {}
    for receptor, said in reader.group(tree.get("binds"), f"{at}binds").items():
        numbers = _lock(reader, said, f"{at}binds.{receptor}", ("affinity", "on", "internalisation"))
        if numbers:
            binds[receptor] = Binding(receptor, **numbers)
    neutralises = {}
    for held, said in reader.group(tree.get("neutralises"), f"{at}neutralises").items():
        numbers = _lock(reader, said, f"{at}neutralises.{held}", ("affinity", "on"))
        if numbers:
            neutralises[held] = Neutralised(held, **numbers)
    activated = _activated(reader, name, tree.get("activated"), f"{at}activated")
    effects = {
        who: tuple(s for i, s in enumerate(said) if _sentence(reader, s, f"{at}effects.{who}.{i}"))
        for who, listed in reader.group(tree.get("effects"), f"{at}effects").items()
        for said in (reader.listed(listed, f"{at}effects.{who}", "rules, each in a line of its own after '- '."),)
    }
    texts = [reader.text(tree.get(key), f"{at}{key}") for key in ("doc", "species", "usual")]
    own = {k.removeprefix(at): q for k, q in reader.numbers.items() if k not in before}
    start = f"{at}effects."
    places = {k.removeprefix(start): v for k, v in reader.document.places.items() if k.startswith(start)}
    return Drug(
        name, texts[0], kind, texts[1], texts[2], factor, plasma, binds, neutralises, activated, effects,
        own, tree, places,
    )  # fmt: skip


def _lock(reader: Reader, given: Any, path: str, keys: tuple[str, ...]) -> dict[str, float]:
    """Affinity and rates of a binding; {} (and a problem) where the first two are not there."""
    tree = reader.group(given, path, keys)
    units = {"affinity": "nM", "on": "1/nM/min", "internalisation": "1/min"}
    missing = [k for k in keys[:2] if k not in tree]
    if missing and (given is None or isinstance(given, dict)):
        reader.complain(path, f"{' and '.join(missing)} missing;", "expected e.g. {affinity: 1 nM, on: 0.06 1/nM/min}.")
    read = {
        k: reader.quantity(
            v, f"{path}.{k}", units[k], ge=None if k in keys[:2] else 0.0, gt=0.0 if k in keys[:2] else None
        )
        for k, v in tree.items()
    }
    return {} if missing or None in read.values() else {k: v for k, v in read.items() if v is not None}


def _activated(reader: Reader, name: str, given: Any, path: str) -> Activated | None:
    if given is None:
        return None
    tree = reader.group(given, path, ("rate", "oxygen", "factor"))
    rate = reader.quantity(tree.get("rate"), f"{path}.rate", "1/min", ge=0.0)
    oxygen = reader.quantity(tree.get("oxygen"), f"{path}.oxygen", "mmHg", gt=0.0)
    said = reader.group(tree.get("factor"), f"{path}.factor")
    factor = read_factor(reader, f"{name}_active", said, False, path=f"{path}.factor")
    return None if rate is None or oxygen is None or factor is None else Activated(rate, oxygen, factor)


def _sentence(reader: Reader, given: Any, path: str) -> bool:
    """Whether it has the form of a rule; its names are checked where a model takes it up."""
    found = SENTENCE.match(given) if isinstance(given, str) else None
    if not found or found["half"] is None:
        reader.complain(
            path, f"'{str(given)[:100]}' is no rule;",
            f"expected <signal> increases|decreases <behavior> to <value>, half <value>, hill <number>; {EXAMPLE}.",
        )  # fmt: skip
        return False
    good = True
    for part in ("to", "half", "hill"):
        for quantity in _with_unit(reader, found[part], f"{path}.{part}"):
            good = good and quantity is not None
            if quantity:
                reader.sources(quantity.evidence, path)
                reader.numbers[f"{path}.{part}"] = quantity
    return good


def _with_unit(reader: Reader, text: str | None, path: str) -> Iterator[Quantity | None]:
    """A number in the unit it is written in, whatever that is; None, and a problem, where it is none."""
    from ..units import NUMBER, split_source

    if text is None:
        return
    try:
        body, evidence = split_source(text)
        found = NUMBER.match(body)
        unit = body[found.end() :].strip() if found else ""
        yield parse_quantity(Quantity(parse_quantity(body, unit or "1").value, unit or "1", evidence), unit or "1")
    except UnitError as error:
        reader.complain(path, f"{error}.")
        yield None
