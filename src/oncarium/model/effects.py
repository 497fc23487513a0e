"""What drugs do: which cell types take up their rules, and what becomes of vessels and the body."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import Problem, did_you_mean
from .cell import CellType
from .diameter import NAME, as_volume
from .doses import Condition, Course, problems_of
from .doses import Rule as DoseRule
from .doses.conditions import EVENTS
from .drug import Drug, drugs
from .library import on_shelf
from .reader import Reader
from .rule import SENTENCE, Names, Rule, read_rule
from .stop import summary_units
from .therapy import Outside, Therapy

if TYPE_CHECKING:
    from .model import Model

EVERYBODY, VESSELS, MATRIX, BODY = "*", "vessels", "matrix", "body"
HYALURONAN = "matrix.turnover.hyaluronan"
ANYONE = ("death", "damage")  # sections whose behaviors every cell has, whatever it does without drugs


def effects_on(
    reader: Reader, therapy: Therapy, cell: CellType, rules: Sequence[tuple[str, Rule]], names: Names
) -> list[tuple[str, Rule]]:
    """The rules that drugs give to a cell type: those for its name, for the library's cell that it is, and for
    everybody who has what they move."""
    out: list[tuple[str, Rule]] = []
    for drug in therapy.drugs:
        for who, sentences in drug.effects.items():
            if who not in (EVERYBODY, cell.name):
                continue
            for i, sentence in enumerate(sentences):
                path = f"therapy.drugs.{drug.name}.effects.{who}.{i}"
                why = _lacking(sentence, who, cell, [r for _, r in rules], names)
                if why:
                    therapy.left_out.append((f"{cell.name}: {said(sentence)}", why))
                    continue
                text = _in_pathway(sentence, drug.name, cell, [r for _, r in rules], names)
                rule = read_rule(reader, text, path, names)
                if rule is not None:
                    out.append((path, rule))
                    therapy.applied.append((cell.name, rule.text))
    return out


def said(sentence: str) -> str:
    """What a rule does, in short: signal and behavior."""
    found = SENTENCE.match(sentence)
    return f"{found['signal']} on {found['behavior']}" if found else sentence[:60]


def _lacking(sentence: str, who: str, cell: CellType, rules: Sequence[Rule], names: Names) -> str:
    """Why a type does not take up an effect, or ""."""
    found = SENTENCE.match(sentence)
    if not found:
        return ""  # read_rule will tell
    for column, _, phase in (found[word].rpartition(".") for word in ("signal", "behavior")):
        if column in ("cycle.now", "cycle.exit") and phase not in cell.cycle.phases:
            return "its cycle has no such phase"
    behaviors, signals = names.all(("behavior",)), names.signals
    for name, known in ((found["behavior"], behaviors), (found["signal"], signals)):
        if name not in known:
            shelves = (*on_shelf("factors"), *on_shelf("cells"), *drugs(), *(f"{d}_active" for d in drugs()))
            label = name.rpartition(".")[2].rpartition(" ")[2]  # of "sense.response.csf1", "contact with treg"
            if label in shelves:
                return f"the model has no {label}"
            return ""
    column, label = behaviors[found["behavior"]]
    if column == "sense.response":
        heard = any(r.signal == ("sense.factor", label) for r in rules)
        heard = heard or bool(cell.value(names.columns["motility.sensitivity"], label))
        return "" if heard or who != EVERYBODY else f"it does not hear {label}"
    if who != EVERYBODY or column.partition(".")[0] in ANYONE:
        return ""
    ruled = any(r.behavior == (column, label) for r in rules)
    return "" if ruled or cell.value(names.columns[column], label) else f"it has no {found['behavior']}"


def _in_pathway(sentence: str, drug: str, cell: CellType, rules: Sequence[Rule], names: Names) -> str:
    """The sentence in a pathway of the drug, so that it multiplies with what else moves the behavior; where that is 0
    without rules there is nothing to multiply, and it joins them."""
    found = SENTENCE.match(sentence)
    if not found or found["pathway"] or names.all(("behavior",)).get(found["behavior"]) is None:
        return sentence
    column, label = names.all(("behavior",))[found["behavior"]]
    others = [r for r in rules if r.behavior == (column, label)]
    pathway = "".join(c if c.isalnum() else "_" for c in drug)
    if not cell.value(names.columns[column], label):
        pathway = others[0].pathway if others else ""
    if not pathway:
        return sentence
    end = found.end("hill") if found["hill"] else found.end("half")
    return f"{sentence[:end].rstrip()}, pathway {pathway}{sentence[end:]}"


def check_effects(reader: Reader, model: Model) -> None:
    """What of a therapy speaks of types, vessels and the body, now that they are known."""
    therapy = model.therapy
    if therapy is None:
        return
    types = [t.name for t in model.types]
    shelf = on_shelf("cells")
    found_in: dict[str, list[Outside]] = {VESSELS: [], MATRIX: [], BODY: []}
    for drug in therapy.drugs:
        for who, sentences in drug.effects.items():
            path = f"therapy.drugs.{drug.name}.effects.{who}"
            if who in found_in:
                for i, sentence in enumerate(sentences):
                    found = _outside(reader, model, drug, sentence, f"{path}.{i}", who)
                    if found:
                        found_in[who].append(found)
            elif who != EVERYBODY and who not in types:
                if who not in shelf:
                    reader.complain(
                        path, f"no cell type is called '{who}'.{did_you_mean(who, [*types, *shelf])}",
                        "Expected a cell type, *, vessels, matrix or body.",
                    )  # fmt: skip
                therapy.left_out += [(f"{who}: {said(s)}", f"the model has no {who}") for s in sentences]
        for receptor in drug.binds:
            if "." in receptor and receptor not in model.names.columns:
                reader.word(
                    receptor, f"therapy.drugs.{drug.name}.binds.{receptor}",
                    [n for n in model.names.columns if n.startswith("surface.")], "receptor",
                )  # fmt: skip
    therapy.vessels, therapy.matrix, therapy.body_effects = (tuple(found) for found in found_in.values())
    therapy.units = {k: v for k, v in summary_units(model).items() if not k.startswith("events.")}
    therapy.regimen = replace(
        therapy.regimen, courses=tuple(_by_volume(reader, model, c) for c in therapy.regimen.courses)
    )
    for c in therapy.regimen.courses:
        rules = [*c.rules, *([DoseRule(1.0, True, c.origin)] if c.origin is not None else [])]
        reader.problems += problems_of(rules, therapy.units, c.where)
        for name in dict.fromkeys(r.condition.name for r in rules if r.condition.name in EVENTS):
            told = f"{name} is known to trials and not to a tissue: nothing happens here at {name}."
            reader.problems.append(Problem(c.where, "", told, severity="warning"))


def _by_volume(reader: Reader, model: Model, course: Course) -> Course:
    """A course whose conditions on the diameter are on the volume of the tumor's cells."""

    def turned(condition: Condition | None) -> Condition | None:
        if condition is None or condition.name != NAME:
            return condition
        found = as_volume(condition, [t.name for t in model.types], model.domain)
        if isinstance(found, str):
            reader.problems.append(Problem(course.where, "", f"{condition}: {found}."))
            return None
        return found

    rules = tuple(replace(r, condition=c) for r in course.rules if (c := turned(r.condition)) is not None)
    return replace(course, origin=turned(course.origin), rules=rules)


def _outside(reader: Reader, model: Model, drug: Drug, sentence: str, path: str, who: str) -> Outside | None:
    """An effect on vessels, matrix or body: how many times what it was something becomes, by the free drug."""
    therapy = model.therapy
    assert therapy is not None
    found = SENTENCE.match(sentence)
    if not found:
        return None
    signal, behavior = found["signal"], found["behavior"]
    lock = next(iter(drug.binds.values()), None)
    ways = [drug.name, *([f"{drug.name}.binding"] if lock else [])]
    if reader.word(signal, path, ways, "signal") is None:
        return None
    if who == VESSELS:
        word, _, factor = behavior.rpartition(".")
        if word != "sense.response":
            reader.complain(path, f"'{behavior}' is nothing of vessels;", "expected sense.response.FACTOR.")
            return None
        target: tuple[str, ...] = (factor,)
        here = factor in [f.name for f in model.factors] and model.vessels is not None
        lacking = "the model has no vessels" if model.vessels is None else f"the model has no {factor}"
        known = factor in on_shelf("factors") or here
    elif who == MATRIX:
        target, here, lacking = (behavior,), model.matrix is not None, "the model has no matrix"
        known = behavior == HYALURONAN
        if not known:
            reader.complain(path, f"'{behavior}' of the matrix is moved by no drug;", f"expected {HYALURONAN}.")
            return None
    else:
        name, _, what = behavior.rpartition(".")
        target, bodies = (name, what), {c.name: c for c in model.patient.compartments}
        ends = [f.to for f in bodies[name].flows] if name in bodies else []
        here = name in bodies and what in ("gain", "loss", *ends)
        lacking, known = f"the body has no {behavior}", name not in bodies or here
    if not here:
        if not known:
            reader.complain(
                path, f"nothing is called '{behavior}' here;", "expected COMPARTMENT.gain, loss, or whereto."
            )
        therapy.left_out.append((f"{who}: {said(sentence)}", lacking))
        return None
    base, unit = (model.groups["matrix.turnover"]["hyaluronan"], "1/min") if who == MATRIX else (1.0, "1")
    to = reader.quantity(found["to"], f"{path}.to", unit, ge=0.0)
    if signal == drug.name:
        half = reader.quantity(found["half"], f"{path}.half", "nM", gt=0.0)
    else:
        assert lock is not None
        share = reader.quantity(found["half"], f"{path}.half", "1", gt=0.0)
        half = None if share is None else share * (lock.affinity + lock.internalisation / lock.on)
    hill = reader.quantity(found["hill"] or "4", f"{path}.hill", "1", gt=0.0)
    if to is None or half is None or hill is None:
        return None
    return Outside(target, drug.name, to / max(base, 1e-300), half, hill, said(sentence))
