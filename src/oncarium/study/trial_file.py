"""Reads a trial's file: everything that is wrong with it is said at once, with file and line, before anything runs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..analysis.readout import complaint
from ..errors import InputError, ModelError, did_you_mean
from ..model.files import Document, read
from ..model.model import Model
from ..model.reader import Reader
from ..units import UnitError
from .cohort import Archetype, Cohort, frame, read_cohort, read_screen
from .distributions import Distribution, read_distribution
from .lesion import FEWEST
from .sensitivity import RULE
from .trial_arms import read_arms, read_control, try_arms, try_changes
from .trial_plan import DAY, ENDPOINTS, Ends, Lesions, Plan
from .weighting import FEWEST as EFFECTIVE
from .weighting import read_summary, weigh

KEYS = (
    "oncarium", "title", "model", "set", "grow", "until", "cohort", "patients", "tumor", "read", "therapy", "arms",
    "control", "stratify", "biomarkers", "endpoints", "lesions", "visits", "follow", "survival", "new_lesions",
    "drop_out", "window", "fewest", "observed",
)  # fmt: skip
GROWTH = "growth"  # of the patch before the baseline: always read
TUMORS = ("carcinoma", "tumor")
MOST_LESIONS, MOST_VISITS = 10, 1000


def read_trial(given: str | Path | Mapping[str, Any]) -> Plan:
    """A trial from its file, or from what a file says. Raises ModelError with everything that is wrong.

    >>> plan = read_trial({"model": "spheroid", "patients": 5, "arms": {"control": [], "fast": {"set": {
    ...     "cells.tumor.motility.speed": "1 um/min"}}}, "follow": "90 day",
    ...     "cohort": {"numbers": {"cells.tumor.mechanics.repulsion": "uniform 5..15 um/min"}}})
    >>> plan.control, [v for v in plan.visits]
    ('control', [0.0, 42.0, 84.0])
    """
    path = None if isinstance(given, Mapping) else Path(given)
    document = read(path, path.name) if path else Document(dict(given), {"": ("trial", 0, 0)})  # type: ignore[arg-type]
    reader = Reader(document)
    folder = (path.parent if path else Path()).resolve()
    tree = reader.group(document.tree, "", KEYS, "part of a trial")
    cohort = _cohort(reader, tree, folder)
    base = _patch(reader, tree, folder) if cohort is None else _base(reader, cohort)
    said: dict[str, Any] = {
        "title": reader.text(tree.get("title"), "title") or (path.stem if path else "trial"),
        "patients": reader.whole(tree.get("patients", "20"), "patients", 1, 10_000) or 1,
        **{k: _time(reader, tree.get(k, usual), k) for k, usual in (("grow", "7 day"), ("until", "21 day"))},
        "follow": _time(reader, tree.get("follow", "1 year"), "follow") / DAY,
        "window": _time(reader, tree.get("window", "1 day"), "window") / DAY,
        "fewest": reader.quantity(tree.get("fewest", f"{FEWEST:g}"), "fewest", "1", gt=0.0) or FEWEST,
        "lesions": _lesions(reader, tree.get("lesions")),
        "ends": _ends(reader, tree),
        "text": path.read_text(encoding="utf-8", errors="replace") if path else "",
    }
    said["visits"] = _visits(reader, tree.get("visits"), said["follow"])
    if said["until"] > said["follow"] * DAY:
        reader.complain("follow", f"{said['follow']:g} day end before the patch does ({said['until'] / DAY:g} day).")
    if said["window"] * DAY > said["until"]:
        reader.complain("window", f"{said['window']:g} day are longer than the patch is followed.")
    said["tumor"] = _tumor(reader, tree.get("tumor"), base)
    said["read"] = _readouts(reader, tree.get("read"), base)
    numbers = () if cohort is None else (*cohort.numbers, *(cohort.points[0].values if cohort.points else ()))
    known = [*dict.fromkeys((*numbers, *said["read"], GROWTH))]
    said["stratify"] = _strata(reader, tree.get("stratify"), known)
    said["biomarkers"] = _named(reader, tree, "biomarkers", known, "number or read-out", said["read"])
    said["endpoints"] = _named(reader, tree, "endpoints", [*ENDPOINTS, *said["read"]], "endpoint")
    said["observed"] = _observed(reader, tree.get("observed"), folder)
    arms = read_arms(reader, tree, said, folder, base)
    said["control"] = read_control(reader, tree, arms)
    if cohort is not None:
        _check_summaries(reader, cohort, known, said["patients"])
    plan = None
    if base is not None and reader.problems:
        try_changes(reader, arms, base)
    if cohort is not None and not reader.problems:
        plan = Plan(cohort=cohort, arms=tuple(arms), **said)
        try_arms(reader, plan)
    if errors := [p for p in reader.problems if p.severity == "error"]:
        raise ModelError(errors)
    assert plan is not None and cohort is not None
    return replace(plan, bases={a.model: Model.load(a.model).digest for a in cohort.archetypes})


def _time(reader: Reader, given: Any, path: str) -> float:
    """min; 1 where it cannot be read, which is told."""
    return reader.quantity(given, path, "min", gt=0.0) or 1.0


def _beside(folder: Path, name: str) -> str:
    """A file beside the trial's, or what is named."""
    return str(folder / name) if (folder / name).is_file() else name


def _cohort(reader: Reader, tree: Mapping[str, Any], folder: Path) -> Cohort | None:
    """The patients; what is different in all of them (`set`) is below what is different in an archetype."""
    given, document = tree.get("cohort"), reader.document
    if given is None:
        reader.complain("cohort", "nobody takes part;", "expected numbers and archetypes, or a file.")
        return None
    inline = isinstance(given, dict)
    common = {k: v if isinstance(v, list | dict) else str(v) for k, v in reader.group(tree.get("set"), "set").items()}
    try:
        if inline:
            own = dict(given)
            own.setdefault("model", reader.text(tree.get("model"), "model", "reference"))
            if "from" in own:
                there = Path(str(own["from"]))
                own["from"] = str(there if there.is_file() else folder / there)
            places = {p.partition(".")[2]: at for p, at in document.places.items() if p.split(".")[0] == "cohort"}
            found = read_cohort(Document(own, {"": document.places.get("cohort", ("trial", 0, 0)), **places}))
        else:
            found = read_cohort(folder / str(given))
        kinds = [
            Archetype(a.name, a.share, _beside(folder, a.model), {**common, **a.set}, a.numbers)
            for a in found.archetypes
        ]
        return replace(found, archetypes=tuple(kinds)).resolved()
    except (ModelError, InputError) as error:
        for p in error.problems:
            at = _said_at(reader, p.path or p.where) or (f"cohort.{p.path}" if inline and p.path else p.path)
            here = at if at in document.places else "cohort"
            where = p.where if re.search(r":\d+$", p.where) else document.where(here)
            said = p.message if p.path or ":" in p.where else f"'{p.where}': {p.message}"
            if not any(o.where == where and o.message == said for o in reader.problems):
                reader.problems.append(replace(p, where=where, path=at, message=said))
    return None


def _said_at(reader: Reader, path: str) -> str:
    """Where in the trial's file a path of the model is spoken of; nothing where it is not."""
    cohort = reader.document.tree.get("cohort")
    numbers = cohort.get("numbers") if isinstance(cohort, dict) else None
    for name, said in numbers.items() if isinstance(numbers, dict) else ():
        paths = (said.get("path") or name) if isinstance(said, dict) else name
        if path in ([paths] if isinstance(paths, str) else paths):
            return f"cohort.numbers.{name}"
    found = (p for p in reader.document.places if p.endswith(f"set.{path}") and not p.startswith("arms."))
    return next(found, "")


def _base(reader: Reader, cohort: Cohort) -> Model | None:
    """The tissue of a first patient, by which names are checked."""
    try:
        return cohort.patients(1)[0].load()
    except (ModelError, InputError) as error:
        reader.problems += error.problems
    return None


def _patch(reader: Reader, tree: Mapping[str, Any], folder: Path) -> Model | None:
    """The patch where the patients cannot be made, so that the rest is looked at all the same; numbers that it does not
    have are told."""
    try:
        model = Model.load(_beside(folder, reader.text(tree.get("model"), "model", "reference")))
    except (ModelError, InputError) as error:
        reader.problems += [p for p in error.problems if p.message not in {o.message for o in reader.problems}]
        return None
    given = tree.get("cohort")
    numbers = given.get("numbers") if isinstance(given, dict) else None
    for name, said in numbers.items() if isinstance(numbers, dict) else ():
        paths = (said.get("path") or name) if isinstance(said, dict) else name
        for path in [paths] if isinstance(paths, str) else paths:
            told = [p.message for p in reader.problems if p.path == f"cohort.numbers.{name}"]
            known = any("cell type" in m or "no such" in m for m in told) or model.has(path)
            if not known and not RULE.fullmatch(path) and not path.startswith("therapy."):
                here = f"cohort.numbers.{name}"
                reader.complain(here, f"the model has no number {path}.{did_you_mean(path, model.numbers)}")
    return model


def _lesions(reader: Reader, given: Any) -> Lesions:
    part = reader.group(given, "lesions", ("number", "diameter", "patches"), "setting of lesions")
    usual = Lesions()
    number: dict[int, float] = {}
    said = part.get("number", "1")
    for n, share in (said if isinstance(said, Mapping) else {said: "1"}).items():
        path = f"lesions.number.{n}" if isinstance(said, Mapping) else "lesions.number"
        count = reader.whole(n, path, 1, MOST_LESIONS)
        if count is not None:
            number[count] = reader.quantity(share, path, "1", ge=0.0) or 0.0
    if not sum(number.values()) > 0.0 and not reader.problems:
        reader.complain("lesions.number", "no share is above 0.")
    diameter = _distribution(reader, part, "diameter", "lesions.diameter", usual.diameter, "mm")
    return Lesions(number, diameter, reader.whole(part.get("patches", "1"), "lesions.patches", 1, 20) or 1)


def _distribution(
    reader: Reader, part: Mapping[str, Any], key: str, path: str, usual: Distribution, unit: str
) -> Distribution:
    if key not in part:
        return usual
    try:
        found = read_distribution(str(part[key]))
        if found.unit != unit:
            raise UnitError(f"'{part[key]}' is in {found.unit}; expected {unit}")
        if not (float(found.quantile(1e-3)) > 0.0):
            raise UnitError(f"'{part[key]}' reaches 0 or less; expected sizes above 0 (within LOW..HIGH)")
        return found
    except UnitError as error:
        reader.complain(path, f"{error}.")
    return usual


def _ends(reader: Reader, tree: Mapping[str, Any]) -> Ends:
    usual = Ends()
    part = reader.group(tree.get("survival"), "survival", ("burden",), "setting of survival")
    new = reader.quantity(tree.get("new_lesions", "0 1/year"), "new_lesions", "1/min", ge=0.0) or 0.0
    lost = reader.quantity(tree.get("drop_out", "0"), "drop_out", "1", ge=0.0, le=1.0) or 0.0
    if lost == 1.0:
        reader.complain("drop_out", "1 leaves nobody;", "expected a share from 0 to below 1.")
    burden = _distribution(reader, part, "burden", "survival.burden", usual.burden, "cm^3")
    return Ends(burden, new * DAY * 365.25, lost)


def _visits(reader: Reader, given: Any, follow: float) -> tuple[float, ...]:
    """Days of the visits, the baseline first."""
    if isinstance(given, list):
        days = [_time(reader, x, f"visits.{i}") / DAY if str(x) != "0" else 0.0 for i, x in enumerate(given)]
        late = [f"{d:g}" for d in days if d > follow * (1.0 + 1e-12)]
        if late:
            reader.complain("visits", f"day {', '.join(late[:3])} lies past the end of follow-up ({follow:g} day).")
        if any(b <= a for a, b in zip(days, days[1:])):
            reader.complain("visits", "they do not rise;", "expected one after the other.")
        return tuple(days) if days and days[0] == 0.0 else (0.0, *days)
    text = given.removeprefix("every ") if isinstance(given, str) else given
    part = {"every": text} if isinstance(text, str) else reader.group(text, "visits", ("every",), "setting of visits")
    every = _time(reader, part.get("every", "6 week"), "visits") / DAY
    if every > follow:
        reader.complain("visits", f"the first, on day {every:g}, lies past the end of follow-up ({follow:g} day).")
    if follow / every > MOST_VISITS:
        reader.complain("visits", f"{follow / every:.0f} visits;", f"expected at most {MOST_VISITS}.")
        return (0.0,)
    return tuple(k * every for k in range(int(follow / every + 1e-9) + 1))


def _tumor(reader: Reader, given: Any, base: Model | None) -> tuple[str, ...]:
    types = [] if base is None else [t.name for t in base.types]
    if given is None:
        found = next((t for t in TUMORS if t in types), "")
        if base is not None and not found:
            reader.complain("tumor", "which cells are the tumor?", f"Expected one or more of {', '.join(types)}.")
        return (found,)
    names = [given] if isinstance(given, str) else reader.listed(given, "tumor", "cell types.")
    if base is not None:
        for n in names:
            reader.word(n, "tumor", types, "cell type")
    return tuple(str(n) for n in names)


def _readouts(reader: Reader, given: Any, base: Model | None) -> dict[str, Mapping[str, Any]]:
    out: dict[str, Mapping[str, Any]] = {}
    for name, what in reader.named(given, "read", "read-out").items():
        path = f"read.{name}"
        wrong = complaint(what) if isinstance(what, Mapping) else "expected {measure: ...}."
        if wrong:
            reader.complain(path, wrong)
        elif name in (*ENDPOINTS, GROWTH, "archetype"):
            reader.complain(path, f"'{name}' is read anyway.", remedy="Choose another name.")
        elif base is not None:
            for key, known in (("of", [t.name for t in base.types]), ("name", [f.name for f in base.factors])):
                if key == "name" and what.get("measure") != "factor":
                    continue
                for n in what[key] if isinstance(what.get(key), list) else [what.get(key)]:
                    if isinstance(n, str):
                        reader.word(n, path, known, "cell type" if key == "of" else "factor")
        out[name] = what
    return out


def _strata(reader: Reader, given: Any, known: Sequence[str]) -> tuple[str, ...]:
    found = [given] if isinstance(given, str) else reader.listed(given, "stratify", "'archetype', or e.g. 'cd8 > 50'.")
    for i, text in enumerate(found):
        if text == "archetype":
            continue
        try:
            if near := did_you_mean(str(text), ["archetype"]):
                reader.complain(f"stratify.{i}", f"'{text}' is no stratum.{near}")
                continue
            name = read_screen(str(text)).name
            if name not in known:
                reader.complain(
                    f"stratify.{i}", f"no number or read-out is called '{name}'.{did_you_mean(name, known)}"
                )
        except UnitError as error:
            reader.complain(f"stratify.{i}", f"{error}.")
    return tuple(str(x) for x in found)


def _named(
    reader: Reader, tree: Mapping[str, Any], key: str, known: Sequence[str], what: str, usual: Any = None
) -> tuple[str, ...]:
    if key not in tree:
        return tuple(known if usual is None else usual)
    found = [tree[key]] if isinstance(tree[key], str) else reader.listed(tree[key], key, f"a list of {what}s.")
    for i, name in enumerate(found):
        if name not in known:
            said = f"no {what} is called '{str(name)[:60]}'.{did_you_mean(str(name), known)}"
            reader.complain(f"{key}.{i}", said, f"There are: {', '.join(known)}.")
    return tuple(str(x) for x in found)


def _observed(reader: Reader, given: Any, folder: Path) -> str:
    if given is None:
        return ""
    import pandas as pd

    path = folder / str(given)
    try:
        table = pd.read_csv(path)
        bad = [c for c in ("day", "change") if c not in table or not pd.api.types.is_numeric_dtype(table[c])]
        if bad:
            reader.complain("observed", f"{given} has no column of numbers called {' and '.join(bad)};",
                            "expected day, and change of the sum of diameters (%).")  # fmt: skip
    except (OSError, ValueError) as error:
        reader.complain("observed", f"{given} cannot be read: {error}.")
    return str(path)


def _check_summaries(reader: Reader, cohort: Cohort, known: Sequence[str], patients: int) -> None:
    """Names of screens and summaries; whether weights of so many patients can be had, where numbers alone say so."""
    for i, s in enumerate(cohort.screens):
        if s.name not in known:
            reader.complain(f"cohort.screens.{i}", f"no number or read-out is called '{s.name}'."
                            f"{did_you_mean(s.name, known)}")  # fmt: skip
    good = []
    for key in ("weights", "held_out"):
        for i, text in enumerate(getattr(cohort, key)):
            try:
                found = read_summary(text)
                if found.of in known:
                    good.append(found)
                    continue
                said = f"no number or read-out is called '{found.of}'.{did_you_mean(found.of, known)}"
            except UnitError as error:
                said = f"{error}."
            reader.complain(f"cohort.{key}.{i}", said)
    if cohort.weights and patients < EFFECTIVE:
        reader.complain("patients", f"{patients} patients cannot be weighted;", f"expected {EFFECTIVE:g} or more.")
    elif cohort.weights and not reader.problems and all(s.of in cohort.numbers for s in good):
        table = frame(cohort.patients(patients))
        try:
            weigh({n: table[n].to_numpy() for n in cohort.numbers}, cohort.weights, cohort.held_out)
        except (InputError, ModelError) as error:
            for p in error.problems:
                reader.complain("cohort.weights", p.message, p.expected, p.remedy)
