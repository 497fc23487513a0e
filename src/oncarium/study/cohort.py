"""Virtual patients: numbers of a model that vary, archetypes of tumors, and what makes a patient plausible.

A file says who they are:

    model: reference
    numbers:
      division: {path: cells.carcinoma.cycle.exit.live, as: log-normal 0.02 1/h sd 0.3}
      cells.cd8_effector.motility.speed: uniform 2..6 um/min
    archetypes:
      inflamed: {share: 0.4}
      excluded: {share: 0.6, set: {cells.fibroblast.count: "400"}}
    correlations: ["division with cells.cd8_effector.motility.speed = -0.3"]
    screens: ["0 < growth < 0.2", "tumor > 200"]

Patient k is drawn from random numbers of its own: a larger cohort has the same first patients, and a patient has the
same numbers and the same seed in every arm.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, ModelError, did_you_mean
from ..model.files import Document, read
from ..model.reader import Reader
from ..units import UnitError
from .distributions import Distribution, read_distribution
from .posterior import Point, read_posterior

if TYPE_CHECKING:
    import pandas as pd

    from ..model.model import Model

MOST = 20  # numbers that vary: more are not told apart by any data
PER_COHORT = 100_000  # seeds of one cohort
KEYS = ("title", "from", "model", "seed", "numbers", "archetypes", "correlations", "screens", "weights", "held_out")
PAIR = re.compile(r"(.+?)\s+with\s+(.+?)\s*=\s*([-+]?\d*\.?\d+)")
SCREEN = re.compile(r"(?:(?P<low>\S+)\s*<\s*)?(?P<name>[A-Za-z_][\w.]*)\s*(?:(?P<sign>[<>])\s*(?P<end>\S+))?")


@dataclass(frozen=True)
class Number:
    """A number that varies: paths in the model, and its distribution (None: the range that the model says)."""

    paths: tuple[str, ...]
    distribution: Distribution | None = None


@dataclass(frozen=True)
class Archetype:
    """A kind of tumor: its share of patients, its model, what is different in it, and numbers that vary otherwise."""

    name: str
    share: float
    model: str
    set: Mapping[str, Any] = field(default_factory=dict)
    numbers: Mapping[str, Distribution] = field(default_factory=dict)


@dataclass(frozen=True)
class Patient:
    """One virtual patient: values of the numbers, and the changes and the seed that make its runs in every arm.

    treatment   changes below `therapy`, which only arms that treat have
    """

    number: int
    seed: int
    archetype: str
    model: str
    values: Mapping[str, float]
    changes: Mapping[str, Any]
    treatment: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Model:
        """Its model."""
        from ..model.model import Model
        from .sensitivity import changed

        return changed(Model.load(self.model), self.changes)


@dataclass(frozen=True)
class Screen:
    """What a plausible patient has: a read-out between two values."""

    name: str
    low: float = -math.inf
    high: float = math.inf
    text: str = ""

    def passes(self, value: Any) -> np.ndarray:
        """Which values are plausible; what is no number is not.

        >>> read_screen("1 < growth < 3").passes([0.5, 2.0, float("nan")]).tolist()
        [False, True, False]
        """
        x = np.asarray(value, float)
        return np.isfinite(x) & (x > self.low) & (x < self.high)


def read_screen(text: str) -> Screen:
    """A screen. Raises UnitError."""
    found = SCREEN.fullmatch(" ".join(str(text).split()))
    if not found or (found["low"] is None and found["end"] is None) or (found["low"] and found["sign"] == ">"):
        raise UnitError(f"'{str(text)[:60]}' is no screen; expected e.g. '20 < doubling < 400' or 'tumor > 200'")
    try:
        ends = [float(found[k]) if found[k] else None for k in ("low", "end")]
    except ValueError:
        raise UnitError(f"'{str(text)[:60]}' has an end that is no number") from None
    low = ends[1] if found["sign"] == ">" else ends[0]
    high = ends[1] if found["sign"] == "<" else None
    out = Screen(found["name"], -math.inf if low is None else low, math.inf if high is None else high, str(text))
    if not out.low < out.high:
        raise UnitError(f"'{str(text)[:60]}' lets nobody pass; expected the lower end first")
    return out


@dataclass(frozen=True)
class Cohort:
    """Who the patients are."""

    numbers: Mapping[str, Number]
    archetypes: tuple[Archetype, ...]
    seed: int = 1
    correlations: Mapping[tuple[str, str], float] = field(default_factory=dict)
    screens: tuple[Screen, ...] = ()
    weights: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    points: tuple[Point, ...] = ()

    def correlation(self) -> np.ndarray:
        """Correlations of the numbers' normal scores."""
        names = list(self.numbers)
        out = np.eye(len(names))
        for (a, b), r in self.correlations.items():
            out[names.index(a), names.index(b)] = out[names.index(b), names.index(a)] = r
        return out

    def patients(self, count: int, first: int = 1) -> list[Patient]:
        """So many patients, from a number on.

        >>> cohort = read_cohort({"numbers": {"cells.tumor.motility.speed": "uniform 1..2 um/min"}})
        >>> [p.seed for p in cohort.patients(2)], cohort.patients(3)[1] == cohort.patients(1, first=2)[0]
        ([100001, 100002], True)
        """
        root = np.linalg.cholesky(self.correlation()) if self.numbers else np.zeros((0, 0))
        shares = np.cumsum([a.share for a in self.archetypes])
        return [self._patient(k, root, shares / shares[-1]) for k in range(first, first + count)]

    def _patient(self, k: int, root: np.ndarray, shares: np.ndarray) -> Patient:
        from scipy.special import ndtr

        random = np.random.Generator(np.random.Philox(key=self.seed, counter=k << 64))
        kind = self.archetypes[min(int(np.searchsorted(shares, random.random(), side="right")), len(shares) - 1)]
        scores = ndtr(root @ random.standard_normal(len(self.numbers)))
        values, changes = dict[str, float](), dict(kind.set)
        for (name, number), u in zip(self.numbers.items(), scores):
            distribution = kind.numbers.get(name, number.distribution)
            if distribution is None:
                raise InputError(name, "its range was not looked up;", remedy="Use cohort.resolved().")
            values[name] = float(distribution.quantile(u))
            changes.update(dict.fromkeys(number.paths, distribution.said(values[name])))
        if self.points:  # one of those that a calibration kept, by its weight
            shares = np.cumsum([p.weight for p in self.points])
            at = int(np.searchsorted(shares / shares[-1], random.random(), side="right"))
            point = self.points[min(at, len(self.points) - 1)]
            values, changes = {**values, **point.values}, {**changes, **point.changes}
        plain, treatment = (
            {path: said for path, said in changes.items() if path.startswith("therapy.") is below}
            for below in (False, True)
        )
        return Patient(k, self.seed * PER_COHORT + k, kind.name, kind.model, values, plain, treatment)

    def resolved(self) -> Cohort:
        """The same, with the ranges that the model says of its numbers looked up, and each archetype tried on a first
        patient. Raises ModelError or InputError: an unknown number, one without a range, values a model refuses."""
        from dataclasses import replace

        from ..model.model import Model
        from .sensitivity import Uncertain

        models = {a.model: Model.load(a.model) for a in self.archetypes}
        base = models[self.archetypes[0].model]
        numbers, problems = {}, []
        for name, n in self.numbers.items():
            if n.distribution is None:
                try:
                    told = Uncertain(name, n.paths, "", "").of(base)
                except InputError as error:
                    problems.append(error.problem)
                    continue
                (low, _, unit), high = told.low.partition(" "), told.high.partition(" ")[0]
                n = replace(n, distribution=read_distribution(f"range {low}..{high} {unit}".strip()))
            numbers[name] = n
        if problems:
            raise ModelError(problems)
        out = replace(self, numbers=numbers)
        for archetype in out.archetypes:
            one = replace(out, archetypes=(archetype,)).patients(1)[0]
            try:
                one.load()
            except ModelError as error:
                problems += [replace(p, where=f"archetype {archetype.name}: {p.where}") for p in error.problems]
        if problems:
            raise ModelError(problems)
        return out

    def screened(self, table: Mapping[str, Any]) -> tuple[np.ndarray, dict[str, int]]:
        """Which patients are plausible by their read-outs, and how many each screen refuses. Raises InputError: a
        read-out that is not there, nobody left.

        >>> cohort = Cohort({}, (Archetype("all", 1.0, "spheroid"),), screens=(read_screen("x > 2"),))
        >>> cohort.screened({"x": [1.0, 3.0, 4.0]})
        (array([False,  True,  True]), {'x > 2': 1})
        """
        for s in self.screens:
            if s.name not in table:
                raise InputError("screens", f"no read-out is called '{s.name}'.{did_you_mean(s.name, table)}")
        each = {s.text: s.passes(table[s.name]) for s in self.screens}
        kept = np.logical_and.reduce(list(each.values())) if each else np.ones(len(next(iter(table.values()))), bool)
        refused = {text: int((~ok).sum()) for text, ok in each.items()}
        if not kept.any():
            said = ", ".join(f"{text} refuses {n}" for text, n in refused.items())
            raise InputError("screens", f"no patient is plausible: {said}.", remedy="Widen the screens or the ranges.")
        return kept, refused


def frame(patients: Sequence[Patient]) -> pd.DataFrame:
    """Patients as a table: number, seed, archetype, and every value."""
    import pandas as pd

    rows = [{"patient": p.number, "seed": p.seed, "archetype": p.archetype, **p.values} for p in patients]
    return pd.DataFrame(rows)


def control_of(arms: Mapping[str, Any], control: str | None = None) -> str:
    """The arm that the others are compared with: the one named, or the one called control, or the one without doses.
    Raises InputError: fewer than two arms, none that is the control, an unknown name.

    >>> control_of({"placebo": [], "drug": ["x 5 mg daily"]})
    'placebo'
    """
    if len(arms) < 2:
        raise InputError("arms", f"{len(arms)} arm, and none to compare it with.", "Expected a control and one more.")
    if control is not None:
        if control not in arms:
            raise InputError("control", f"no arm is called '{control}'.{did_you_mean(control, arms)}")
        return control
    empty = [name for name, doses in arms.items() if not doses]
    if "control" in arms or len(empty) == 1:
        return "control" if "control" in arms else empty[0]
    raise InputError("arms", f"none of {', '.join(arms)} is said to be the control.", remedy="Add  control: NAME.")


def read_cohort(given: Mapping[str, Any] | Path | Document) -> Cohort:
    """A cohort from a file (a Path, or a Document), or from what a file says. Raises ModelError with everything that is
    wrong.

    >>> cohort = read_cohort({"numbers": {"cells.carcinoma.motility.speed": "log-uniform 0.1..1 um/min"}})
    >>> [round(p.values["cells.carcinoma.motility.speed"], 3) for p in cohort.patients(2)]
    [0.166, 0.111]
    """
    if isinstance(given, Document):
        document = given
    else:
        document = read(given) if isinstance(given, Path) else Document(dict(given), {"": ("cohort", 1, 1)})
    reader = Reader(document)
    tree = reader.group(reader.document.tree, "", KEYS, "part of a cohort")
    numbers: dict[str, Number] = {}
    for name, said in reader.group(tree.get("numbers"), "numbers").items():
        part = said if isinstance(said, Mapping) else {"path": name, "as": said}
        paths = part.get("path", name)
        paths = (paths,) if isinstance(paths, str) else tuple(str(p) for p in paths)
        numbers[name] = Number(paths, _distribution(reader, part.get("as"), f"numbers.{name}"))
    if len(numbers) > MOST:
        reader.complain(
            "numbers", f"{len(numbers)} numbers vary;", f"expected at most {MOST}.", "Keep those that matter."
        )
    base = reader.text(tree.get("model"), "model", "reference")
    archetypes = tuple(
        _archetype(reader, name, said, base, numbers)
        for name, said in (reader.named(tree.get("archetypes"), "archetypes", "archetype") or {"all": {}}).items()
    )
    if not sum(a.share for a in archetypes) > 0.0:
        reader.complain("archetypes", "no archetype has a share above 0.")
    seed = 1 if tree.get("seed") is None else reader.whole(tree["seed"], "seed", 0, 10_000) or 0
    weights, held_out = (
        tuple(str(t) for t in reader.listed(tree.get(k), k, "a list of summaries.")) for k in ("weights", "held_out")
    )
    correlations = _correlations(reader, tree.get("correlations"), numbers)
    points = read_posterior(reader, tree["from"], given if isinstance(given, Path) else None) if "from" in tree else ()
    out = Cohort(numbers, archetypes, seed, correlations, _screens(reader, tree), weights, held_out, points)
    if numbers and not reader.problems and np.linalg.eigvalsh(out.correlation()).min() <= 1e-9:
        reader.complain(
            "correlations", "no numbers can have all these correlations at once.", remedy="Make them smaller."
        )
    if any(p.severity == "error" for p in reader.problems):
        raise ModelError([p for p in reader.problems if p.severity == "error"])
    return out


def _distribution(reader: Reader, said: Any, path: str) -> Distribution | None:
    if said is None or str(said).strip() == "range":
        return None
    try:
        return read_distribution(str(said))
    except UnitError as error:
        reader.complain(path, f"{error}.")
        return None


def _archetype(reader: Reader, name: str, said: Any, base: str, numbers: Mapping[str, Number]) -> Archetype:
    path = f"archetypes.{name}"
    part = reader.group(said, path, ("share", "model", "set", "numbers"), "part of an archetype")
    share = reader.quantity(part.get("share", "1"), f"{path}.share", "1", ge=0.0)
    own: dict[str, Distribution] = {}
    for n, text in reader.group(part.get("numbers"), f"{path}.numbers").items():
        if n not in numbers:
            reader.complain(f"{path}.numbers.{n}", f"'{n}' does not vary in this cohort.{did_you_mean(n, numbers)}")
        elif (found := _distribution(reader, text, f"{path}.numbers.{n}")) is not None:
            own[n] = found
    changes = {
        k: v if isinstance(v, list | dict) else str(v) for k, v in reader.group(part.get("set"), f"{path}.set").items()
    }
    return Archetype(name, share or 0.0, reader.text(part.get("model"), f"{path}.model", base), changes, own)


def _correlations(reader: Reader, given: Any, numbers: Mapping[str, Number]) -> dict[tuple[str, str], float]:
    out: dict[tuple[str, str], float] = {}
    for i, text in enumerate(reader.listed(given, "correlations", "e.g. 'a with b = 0.5'.")):
        found, path = PAIR.fullmatch(str(text)), f"correlations.{i}"
        if not found or not -1.0 < float(found[3]) < 1.0 or found[1] == found[2]:
            reader.complain(
                path, f"'{str(text)[:60]}' is no correlation;", "expected 'a with b = 0.5', between -1 and 1."
            )
            continue
        for name in (found[1], found[2]):
            if name not in numbers:
                reader.complain(path, f"'{name}' does not vary in this cohort.{did_you_mean(name, numbers)}")
        if {found[1], found[2]} <= set(numbers):
            out[found[1], found[2]] = float(found[3])
    return out


def _screens(reader: Reader, tree: Mapping[str, Any]) -> tuple[Screen, ...]:
    out = []
    for i, text in enumerate(reader.listed(tree.get("screens"), "screens", "e.g. 'tumor > 200'.")):
        try:
            out.append(read_screen(str(text)))
        except UnitError as error:
            reader.complain(f"screens.{i}", f"{error}.")
    return tuple(out)
