"""Therapy: which drugs a patient is given, and when; radiation, surgery and cells; what all of it acts on.

A drug that is given is a factor of the tissue, and its effects are rules of the cell types that have what they speak
of; a model that gives none has neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ..errors import Problem
from .doses import Doses, Regimen, check_regimen, regimen_of
from .drug import SPECIES, Drug, drugs, read_drug
from .environment import Factor
from .library import on_shelf
from .plasma import USUAL_BODY, Plasma
from .reader import Reader
from .treatments import TREATMENTS, Treatments, read_treatments

if TYPE_CHECKING:
    from .model import Model

KEYS = ("species", "weight", "area", "start", "drugs", "doses", *TREATMENTS)
NANOMOLAR = {"nM": 1.0, "uM": 1e3, "mM": 1e6, "pM": 1e-3, "M": 1e9}
SHORT = {"iv": "intravenous"}


@dataclass(frozen=True)
class Catch:
    """A drug holds a factor of the model; see biology/drugs/neutralising.py."""

    drug: str
    factor: str
    complex: str
    on: float
    off: float
    nanomolar: tuple[float, float, float]


@dataclass(frozen=True)
class Turned:
    """What lack of oxygen makes of a prodrug; see biology/drugs/prodrug.py."""

    drug: str
    product: str
    rate: float
    oxygen: float
    share: float


@dataclass(frozen=True)
class Outside:
    """An effect on what is no cell: on vessels, matrix or body, of which something becomes so many times what it is.

    target   (factor,) that vessels hear, (number,) of the matrix, (compartment, what)     half   nM of free drug
    """

    target: tuple[str, ...]
    drug: str
    to: float
    half: float
    hill: float
    text: str


@dataclass
class Therapy:
    """Everything that a model says of therapy.

    drugs   those that are given     regimen   when     holds   factors that they hold
    nanomolar   drug -> nM in one unit of its factor     turns   prodrugs
    vessels, matrix, body_effects   effects on what is no cell
    applied, left_out   (where, effect) of the rules that cells got, and (effect, why) of those that nobody did
    """

    species: str
    weight: float | None
    area: float | None
    drugs: tuple[Drug, ...]
    regimen: Regimen
    holds: tuple[Catch, ...] = ()
    nanomolar: Mapping[str, float] = field(default_factory=dict)
    turns: tuple[Turned, ...] = ()
    vessels: tuple[Outside, ...] = ()
    matrix: tuple[Outside, ...] = ()
    body_effects: tuple[Outside, ...] = ()
    applied: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    units: Mapping[str, str] = field(default_factory=dict)
    treatments: Treatments = field(default_factory=Treatments)

    def gives(self, *kinds: str) -> bool:
        """Is anything of these kinds (drug, radiation, surgery, cells) given?"""
        return any(c.kind in kinds for c in self.regimen.courses)

    @property
    def adds(self) -> tuple[str, ...]:
        """Names of the factors that it adds: drugs, what they become, and what they hold."""
        names = (*(d.name for d in self.drugs), *(t.product for t in self.turns), *(h.complex for h in self.holds))
        return tuple(dict.fromkeys(names))

    def body(self, drug: Drug) -> Plasma:
        """A drug's plasma in this patient."""
        return drug.plasma[self.species].of(self.weight, self.area)

    def resolved(self, doses: Doses) -> Doses:
        """Doses with their amounts in nmol."""
        weight, area = USUAL_BODY[self.species]
        masses = {d.name: 1e3 * (d.mass or 1.0) for d in self.drugs}
        routes = {d.name: d.plasma[self.species].route for d in self.drugs}
        found = doses.resolved(masses, self.weight or weight, self.area or area)
        return Doses(tuple(d if d.route or d.kind != "drug" else replace(d, route=routes[d.what]) for d in found))


def read_therapy(model: Model, reader: Reader, tree: dict[str, Any]) -> Therapy | None:
    """Section therapy: its drugs and doses, before factors and cells are read."""
    if tree.get("therapy") is None:
        return None
    group = reader.group(tree["therapy"], "therapy", KEYS, "part of a therapy")
    if not isinstance(tree["therapy"], dict):
        return None
    if model.numerics == "physicell":
        reader.complain("therapy", "PhysiCell's numerics have no therapy;", remedy="Remove  numerics: physicell.")
        return None
    species = reader.word(group.get("species", SPECIES[0]), "therapy.species", SPECIES, "species") or SPECIES[0]
    weight, area = (
        reader.quantity(group[k], f"therapy.{k}", unit, gt=0.0, le=most) if k in group else None
        for k, unit, most in (("weight", "kg", 1000.0), ("area", "m^2", 10.0))
    )
    own = reader.named(group.get("drugs"), "therapy.drugs", "drug")
    cells = tree.get("cells")
    types = list(cells) if isinstance(cells, dict) else []
    regimen = _regimen(model, reader, group, [*drugs(), *own], types)
    names = list(dict.fromkeys([*regimen.drugs, *own]))
    found = []
    for name in names:
        path = f"therapy.drugs.{name}"
        if name not in own and name not in drugs():
            continue  # told already
        drug = read_drug(reader, name, own.get(name) or {}, path)
        if drug is not None and _usable(reader, drug, path, species, tree):
            found.append(drug)
    _routes(reader, found, regimen, species)
    therapy = Therapy(species, weight, area, tuple(found), regimen)
    therapy.nanomolar = {d.name: NANOMOLAR[d.factor.unit] for d in found if d.factor}
    return therapy


def _regimen(
    model: Model, reader: Reader, group: Mapping[str, Any], known: Sequence[str], types: Sequence[str]
) -> Regimen:
    import datetime

    start, said = None, group.get("start")
    if said is not None:
        try:
            start = datetime.date.fromisoformat(str(said))
        except ValueError:
            reader.complain("therapy.start", f"'{str(said)[:60]}' is no date;", "expected year-month-day.")
    listed = group.get("doses")
    if listed is None:
        reader.complain("therapy", "it gives nothing;", "expected doses: [...], each in a line of its own after '- '.")
        return Regimen()

    def where(path: str) -> str:
        return reader.document.where(f"therapy.doses.{path}" if isinstance(listed, list) else "therapy.doses")

    regimen, problems = regimen_of(listed, where, model.folder, start, known, types)
    if len({c.patient for c in regimen.courses}) > 1:
        problems.append(
            Problem(where(""), "therapy.doses", "these are the doses of several patients;", "expected those of one.")
        )
    if not any(p.severity == "error" for p in problems):
        # no error: a run, or an arm of it, may go on beyond the model's own end
        late = check_regimen(regimen, model.until)
        problems += [replace(p, severity="warning") if p.severity == "error" else p for p in late]
    reader.problems += problems
    return regimen if not any(p.severity == "error" for p in problems) else Regimen()


def _usable(reader: Reader, drug: Drug, path: str, species: str, tree: Mapping[str, Any]) -> bool:
    """Whether a drug can be followed from blood into the tissue."""
    if drug.factor is None or not drug.plasma:
        lacking = "factor" if drug.factor is None else "plasma"
        reader.complain(path, f"{drug.name} has no {lacking};", f"expected a group {lacking} in the drug's file.")
        return False
    if species not in drug.plasma:
        reader.complain(
            path, f"the plasma of {drug.name} is not known in the {species};", f"known: {', '.join(drug.plasma)}.",
            f"Say it:  therapy: {{drugs: {{{drug.name}: {{plasma: {{{species}: {{...}}}}}}}}}}.",
        )  # fmt: skip
        return False
    if drug.factor.unit not in NANOMOLAR:
        reader.complain(f"{path}.factor.unit", f"a drug in {drug.factor.unit};", f"expected {', '.join(NANOMOLAR)}.")
        return False
    if len(drug.binds) > 1:
        reader.complain(f"{path}.binds", f"{len(drug.binds)} receptors;", "expected one.")
    factors = tree.get("factors")
    if isinstance(factors, dict) and drug.name in factors:
        reader.complain(f"factors.{drug.name}", "it is a factor and a drug that is given.", remedy="Remove the factor.")
        return False
    return True


def _routes(reader: Reader, given: Sequence[Drug], regimen: Regimen, species: str) -> None:
    known = {d.name: d for d in given}
    told = set()
    for c in regimen.courses:
        if c.kind != "drug" or c.what not in known or (c.what, c.route) in told:
            continue
        routes = known[c.what].plasma[species].routes
        if c.route and SHORT.get(c.route, c.route) not in routes:
            told.add((c.what, c.route))
            reader.problems.append(
                Problem(c.where, "therapy.doses", f"{c.what} cannot be given by the route '{c.route}';",
                        f"its file has {', '.join(routes)}.", "Add the route under plasma of the drug.")
            )  # fmt: skip


def treat(reader: Reader, therapy: Therapy | None, tree: Mapping[str, Any], factors: Sequence[Factor]) -> None:
    """Read what is given besides drugs, once the factors are known."""
    if therapy is None:
        return
    group, cells = reader.group(tree["therapy"], "therapy"), tree.get("cells")
    kinds = {
        name: str(t.get("library", name)) if isinstance(t, dict) else name
        for name, t in (cells.items() if isinstance(cells, dict) else ())
    }
    given = {c.kind for c in therapy.regimen.courses}
    units = {f.name: f.unit for f in factors}
    therapy.treatments = read_treatments(reader, group, given, units, kinds)


def drug_factors(reader: Reader, therapy: Therapy | None, factors: Sequence[Factor]) -> list[Factor]:
    """Factors that a therapy adds: every drug, and what it makes with each factor that it holds."""
    if therapy is None:
        return []
    known = {f.name: f for f in factors}
    out, holds, turns = [], [], []
    for drug in therapy.drugs:
        f = drug.factor
        assert f is not None
        f = replace(f, solver="backward-euler", initial=0.0, blood=0.0, boundary={}, held=(), michaelis=None)
        out.append(f)
        if drug.activated is not None:
            a = drug.activated
            if "oxygen" in known:
                product = replace(a.factor, solver="backward-euler", initial=0.0, blood=0.0, boundary={}, held=())
                out.append(product)
                share = NANOMOLAR[f.unit] / NANOMOLAR.get(product.unit, 1.0)
                turns.append(Turned(drug.name, product.name, a.rate, a.oxygen, share))
            else:
                reader.complain(
                    "factors", f"{drug.name} is activated where oxygen lacks, and the model has no oxygen;",
                    remedy="Add  factors: {oxygen: {library: oxygen}}.",
                )  # fmt: skip
        for lock in drug.neutralises.values():
            other = known.get(lock.factor)
            if other is None:
                if lock.factor not in on_shelf("factors"):
                    path = f"therapy.drugs.{drug.name}.neutralises.{lock.factor}"
                    reader.word(lock.factor, path, known, "factor")
                therapy.left_out.append((f"{drug.name} holds {lock.factor}", f"the model has no {lock.factor}"))
                continue
            masses = [x.mass for x in (f, other) if x.mass is not None]
            mass = sum(masses) if masses else None
            slower = (f.mass / mass) ** (1.0 / 3.0) if f.mass and mass else 1.0
            name = f"{drug.name}_{other.name}"
            both = replace(
                f, name=name, mass=mass, diffusion=f.diffusion * slower, permeability=None if mass else f.permeability,
                doc=f"{other.name} that {drug.name} holds",
            )  # fmt: skip
            out.append(both)
            scales = (NANOMOLAR[f.unit], NANOMOLAR.get(other.unit, 1.0), NANOMOLAR[f.unit])
            holds.append(Catch(drug.name, other.name, name, lock.on, lock.off, scales))
    therapy.holds, therapy.turns = tuple(holds), tuple(turns)
    return out


def say_therapy(model: Model) -> list[str]:
    """A therapy in sentences."""
    from .doses import english

    therapy = model.therapy
    if therapy is None:
        return []
    lines = (english(Regimen((c,), therapy.regimen.start)).strip() for c in therapy.regimen.courses)
    out = [f"{line}." for line in lines if line]
    whose = f"{therapy.weight:g} kg" if therapy.weight else f"{USUAL_BODY[therapy.species][0]:g} kg"
    out.append(f"Plasma is that of a {therapy.species} of {whose}.")
    for drug in therapy.drugs:
        told = [f"binds {b.receptor} (Kd {b.affinity:g} nM)" for b in drug.binds.values()]
        told += [f"holds {h.factor}" for h in therapy.holds if h.drug == drug.name]
        out.append(f"{drug.name}: {drug.doc or drug.kind}{''.join(f'; {t}' for t in told)}.")
    out += [
        f"{o.text}: to {o.to:g} times, half {o.half:g} nM."
        for o in (*therapy.vessels, *therapy.matrix, *therapy.body_effects)
    ]
    reasons: dict[str, list[str]] = {}
    for effect, why in dict.fromkeys(therapy.left_out):
        reasons.setdefault(effect.partition(": ")[2] or effect, []).append(
            f"{effect.partition(': ')[0]}: {why}" if ": " in effect else why
        )
    out += [f"Left out: {effect} ({'; '.join(why)})." for effect, why in reasons.items()]
    return out
