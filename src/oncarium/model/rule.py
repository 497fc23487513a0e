"""Rules: sentences that join a signal to a behavior.

    oxygen increases cycle.exit.live to 0.05 1/h, half 20 mmHg, hill 4   @Key2020
    il6 increases stat3.rise to 0.02 1/min assumed 0.01..0.04, half 0.05 nM @Key2020 R 0.005..0.2, hill 1 assumed 1..2
    pressure decreases cycle.exit.live to 0 1/h, half 1
    contact with macrophage decreases motility.speed to 0.1 um/min, half 1, hill 4, also when dead

Grammar and response: Johnson et al. 2025 (DOI 10.1016/j.cell.2025.06.048).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..errors import did_you_mean
from ..units import ASSUMED, UNSAID, Evidence, Quantity, UnitError, split_source
from .catalog import NAMED_SIGNALS, Entry, unit_of
from .reader import Reader

SENTENCE = re.compile(
    r"^(?P<signal>.+?)\s+(?P<verb>increases|decreases)\s+(?P<behavior>.+)\s+to\s+(?P<to>[^,]+(?:,\d[^,]*)?)"
    r"(?:,\s*half\s+(?P<half>[^,]+(?:,\d[^,]*)?))?(?:,\s*hill\s+(?P<hill>[^,]+))?(?:,\s*pathway\s+(?P<pathway>[^,]+))?"
    r"(?:,\s*(?P<dead>also when dead)(?P<tail>\s+(?:assumed|@)[^,]*)?)?\s*$"
)
FRAGMENT = re.compile(r"(half|hill|pathway)\s|also when dead")  # what a sentence goes on with after a comma
EXAMPLE = "e.g. 'oxygen decreases death.necrosis to 0 1/min, half 3 mmHg, hill 4'"
PATHWAY = re.compile(r"[A-Za-z]\w*")  # a name, as factors and cell types have them
LONGEST = 500  # characters of a sentence
STEEPEST = 1000.0  # Hill power: a switch already at a hundred
DEFAULT_HILL = 4.0  # assumed: the steepness most rules of the source use


@dataclass(frozen=True)
class Rule:
    """One sentence as numbers; signal and behavior are (column, label or None). Rules of one pathway add, pathways
    multiply ("" is the pathway of those that name none)."""

    signal: tuple[str, str | None]
    increases: bool
    behavior: tuple[str, str | None]
    value: float
    half: float
    hill: float
    dead: bool
    unit: str
    half_unit: str
    numbers: tuple[Quantity, Quantity, Quantity]  # target, half-maximum and power, with the evidence for each
    text: str  # without the evidence
    pathway: str = ""

    @property
    def pair(self) -> tuple[str, str]:
        """Signal and behavior as the sentence calls them."""
        return _pair(self.text) or ("", "")

    @property
    def said(self) -> str:
        """What it does, without whom it reads and moves: "decreases to 0 1/min, half 0.3, hill 4"."""
        found = SENTENCE.match(self.text)
        assert found, "a rule that was read"
        return f"{found['verb']} to {self.text[found.start('to') :]}"

    @property
    def sources(self) -> tuple[str, ...]:
        """Keys of the bibliography that its numbers name, or the word assumed where all are."""
        named = tuple(dict.fromkeys(key for q in self.numbers for key in q.sources))
        return named or ((ASSUMED,) if any(q.grade == "A" for q in self.numbers) else ())


@dataclass(frozen=True)
class Names:
    """What a rule may speak of: columns, and labels along their axes; put together once for all rules."""

    columns: Mapping[str, Entry]
    factors: Mapping[str, str]  # name -> unit
    types: Sequence[str]
    phases: Sequence[str]
    cycles: Mapping[str, Sequence[str]] = field(default_factory=dict)  # type -> its phases
    lost: bool = False  # a network could not be read: its nodes are not known, which is told already
    drugs: Sequence[str] = ()  # those that bind cells
    made: dict[tuple[str, ...], dict[str, tuple[str, str | None]]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def labels(self, entry: Entry) -> Sequence[str]:
        """Labels along a column's axis."""
        return {"factor": list(self.factors), "type": self.types, "phase": self.phases, "drug": self.drugs}.get(
            entry.axis or "", ()
        )

    def all(self, kinds: tuple[str, ...]) -> dict[str, tuple[str, str | None]]:
        """Every full name of the given kinds -> (column, label)."""
        if kinds not in self.made:
            self.made[kinds] = dict(self._full(kinds))
        return self.made[kinds]

    def _full(self, kinds: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, str | None]]]:
        for name, entry in self.columns.items():
            if entry.kind not in kinds or entry.axis in ("xyz", "bond"):
                continue
            if entry.axis is None:
                yield name, (name, None)
            yield from ((f"{name}.{label}", (name, label)) for label in self.labels(entry))

    @cached_property
    def signals(self) -> dict[str, tuple[str, str | None]]:
        """Every name a signal may have in a sentence -> (column, label)."""
        out: dict[str, tuple[str, str | None]] = {f: ("sense.factor", f) for f in self.factors}
        out |= {f"gradient of {f}": ("sense.gradient", f) for f in self.factors}
        out |= {f"contact with {t}": ("sense.contact", t) for t in self.types}
        out |= {f"{d}.{what}": (f"drug.{what}", d) for d in self.drugs for what in ("binding", "occupancy")}
        out |= {word: (name, None) for word, name in NAMED_SIGNALS.items() if name in self.columns}
        return out | self.all(("signal", "state", "behavior")) | out

    @cached_property
    def _flat(self) -> dict[str, str]:
        out: dict[str, str] = {}
        for name, entry in self.columns.items():
            entries = [f"{name}.{label}" for label in self.labels(entry)] + (
                [f"sense.{f}" for f in self.factors] if name == "sense.factor" else []
            )
            out |= {re.sub(r"\W", "_", word): name for word in (*entries, name)}
        return out

    def column_of(self, word: str) -> str | None:
        """The column that a word names: its own name, one entry of its axis, or either with underscores, as arguments
        of loops are written.

        >>> from oncarium.model.catalog import columns
        >>> names = Names(columns(), {"il6": "nM"}, ("tumor",), ())
        >>> names.column_of("secretion.rate.il6"), names.column_of("sense_il6"), names.column_of("weather")
        ('secretion.rate', 'sense.factor', None)
        """
        return word if word in self.columns else self._flat.get(re.sub(r"\W", "_", word))

    def unit(self, column: str, label: str | None) -> str:
        """Unit of a column, or of the label's entry of it."""
        entry = self.columns[column]
        return unit_of(entry, self.factors.get(label or "", "1"))


def read_rule(reader: Reader, given: Any, path: str, names: Names) -> Rule | None:
    """Read one sentence; every problem goes to the reader."""
    if not isinstance(given, str):
        reader.complain(path, f"'{str(given)[:60]}' is no rule;", f"expected a sentence, {EXAMPLE}.")
        return None
    if len(given) > LONGEST:
        reader.complain(
            path,
            f"'{given[:60]}...' has {len(given):,} characters;",
            f"expected a sentence of at most {LONGEST}, {EXAMPLE}.",
        )
        return None
    try:
        text = _plain(given)
    except UnitError as error:
        reader.complain(path, f"'{given[:100]}': {error}.")
        return None
    found = SENTENCE.match(given)
    if not found or found["half"] is None:
        what = "it has no half-maximum" if found else "it is not understood"
        reader.complain(
            path,
            f"'{text[:100]}': {what};",
            f"expected <signal> increases|decreases <behavior> to <value>, half <value>, hill <number>; {EXAMPLE}.",
        )
        return None
    signals, behaviors = names.signals, names.all(("behavior",))
    signal, behavior = signals.get(found["signal"]), behaviors.get(found["behavior"])
    if signal is None and names.lost and found["signal"].startswith("network."):
        return None
    if signal is None:
        known = [s for s in signals if "." not in s]
        reader.complain(
            path,
            f"no signal is called '{found['signal']}'.{did_you_mean(found['signal'], signals)}",
            f"Signals: {', '.join(known)}.",
        )
    if behavior is None:
        near = did_you_mean(found["behavior"], behaviors)
        reader.complain(
            path,
            f"no behavior is called '{found['behavior']}'.{near}",
            "" if near else f"Behaviors: {', '.join(sorted(behaviors))}.",
        )
    if signal is None or behavior is None:
        return None
    unit, half_unit = names.unit(*behavior), names.unit(*signal)
    entry = names.columns[behavior[0]]
    pathway, last = split_source(found["pathway"] or "")
    if pathway and not PATHWAY.fullmatch(pathway):
        reader.complain(
            path, f"'{pathway[:60]}' is no name of a pathway;", "expected one word, e.g. 'pathway hypoxia'."
        )
        return None
    if found["tail"]:
        last = split_source(found["tail"])[1]
    if last == UNSAID:
        last = split_source(found["hill"] or found["half"])[1]
    else:
        reader.sources(last, path)
    rest = last.origin  # stands for all that say nothing
    value = reader.quantity(found["to"], f"{path}.to", unit, ge=entry.ge, le=entry.le, evidence=rest)
    half = reader.quantity(found["half"], f"{path}.half", half_unit, gt=0.0, evidence=rest)
    hill: float | None = DEFAULT_HILL
    if found["hill"]:
        hill = reader.quantity(found["hill"], f"{path}.hill", "1", gt=0.0, le=STEEPEST, evidence=rest)
    if value is None or half is None or hill is None:
        return None
    return Rule(
        signal,
        found["verb"] == "increases",
        behavior,
        value,
        half,
        hill,
        found["dead"] is not None,
        unit,
        half_unit,
        (
            reader.numbers[f"{path}.to"],
            reader.numbers[f"{path}.half"],
            reader.numbers[f"{path}.hill"] if found["hill"] else Quantity(hill, "1", Evidence((), "A")),
        ),
        text,
        pathway,
    )


def _plain(sentence: str) -> str:
    """A sentence without the evidence of its numbers. Raises UnitError."""
    parts = sentence.split(",")
    return ",".join(p[: len(p) - len(p.lstrip())] + split_source(p)[0] for p in parts)


def check_conflicts(reader: Reader, rules: Sequence[tuple[str, Rule]], base: Any) -> None:
    """Rules that contradict each other or their own direction; base(column, label) is the unmodulated value."""
    seen: dict[tuple, str] = {}
    ends: dict[tuple, Rule] = {}  # of the rules of a pathway that move a behavior one way, the one that goes farthest
    pathways: dict[tuple[str, str | None], set[str]] = {}
    for _, rule in rules:
        way = (rule.behavior, rule.increases, rule.pathway)
        pathways.setdefault(rule.behavior, set()).add(rule.pathway)
        farthest = ends.setdefault(way, rule)
        if (rule.value > farthest.value) if rule.increases else (rule.value < farthest.value):
            ends[way] = rule
    for path, rule in rules:
        farthest = ends[(rule.behavior, rule.increases, rule.pathway)]
        if rule.value != farthest.value:
            reader.complain(
                path,
                f"'{rule.text}': rules that move a behavior the same way share one end within a pathway, which is "
                f"{farthest.value:.6g} {rule.unit} here, by '{farthest.text[:60]}'.",
                remedy="Give both the same end, and this one a higher half where it is to do less, or its own pathway.",
                severity="warning",
            )
        key = (rule.signal, rule.behavior, rule.increases)
        if key in seen:
            reader.complain(
                path,
                f"'{rule.text}': a rule for this signal, behavior and direction already stands at "
                f"{reader.document.where(seen[key])}.",
                remedy="Keep one of them.",
            )
        other = seen.get((rule.signal, rule.behavior, not rule.increases))
        if other:
            reader.complain(
                path,
                f"'{rule.text}': this signal acts in both directions, see {reader.document.where(other)}.",
                severity="warning",
            )
        seen.setdefault(key, path)
        start = base(*rule.behavior)
        if start == 0.0 and len(pathways[rule.behavior]) > 1:
            reader.complain(
                path,
                f"'{rule.text}': pathways multiply what the behavior is without rules, which is 0 here.",
                remedy=f"Give {'.'.join(w for w in rule.behavior if w)} a base above 0, or its rules one pathway.",
            )
        if (rule.increases and rule.value < start) or (not rule.increases and rule.value > start):
            verb = "increases" if rule.increases else "decreases"
            reader.complain(
                path,
                f"'{rule.text}' {verb} from {start:.6g} to {rule.value:.6g} {rule.unit}, the other way.",
                severity="warning",
            )


EDITS = ("all", "add", "drop")


def speaks_of(said: str, pair: tuple[str, str]) -> bool:
    """Whether "signal on behavior", either of them * for any, means a rule with this signal and this behavior.

    >>> speaks_of("oxygen on *", ("oxygen", "death.necrosis")), speaks_of("* on emt.rise", ("il6", "stat3.rise"))
    (True, False)
    """
    signal, _, behavior = (part.strip() for part in said.partition(" on "))
    return signal in ("*", pair[0]) and behavior in ("*", pair[1])


def _pair(said: Any) -> tuple[str, str] | None:
    found = SENTENCE.match(said) if isinstance(said, str) and len(said) <= LONGEST else None
    return (found["signal"].strip(), found["behavior"].strip()) if found else None


def sentences(reader: Reader, given: Any, path: str) -> list[tuple[str, Any]]:
    """Path and text of every rule: those listed, or, of edits, all that lie below, less those dropped, and those
    added."""
    how = "each sentence in a line of its own after '- ', or edits: {add: [...], drop: [...]}."
    if not isinstance(given, dict):
        return _whole(reader, reader.listed(given, path, how), path)
    edits = reader.group(given, path, EDITS)
    kept = sentences(reader, edits.get("all"), f"{path}.all")
    gone = _dropped(reader, edits.get("drop"), f"{path}.drop", kept)
    added = _whole(reader, reader.listed(edits.get("add"), f"{path}.add", how), f"{path}.add")
    return [rule for rule in kept if rule[0] not in gone] + added


def _whole(reader: Reader, listed: list[Any], path: str) -> list[tuple[str, Any]]:
    """Path and text of the sentences of a list; one that YAML has cut at its commas is told, and left out."""
    cut = {i for i, said in enumerate(listed) if isinstance(said, str) and FRAGMENT.match(said)}
    begins = [i for i in range(len(listed)) if i not in cut and i + 1 in cut]
    for i in begins:
        reader.complain(
            f"{path}.{i}", f"'{listed[i]}' was cut at a comma: in [...] commas end a sentence.",
            remedy="Put the sentence in quotes, or in a line of its own after '- '.",
        )  # fmt: skip
    return [(f"{path}.{i}", said) for i, said in enumerate(listed) if i not in cut and i not in begins]


def _dropped(reader: Reader, given: Any, path: str, rules: list[tuple[str, Any]]) -> set[str]:
    """Paths of the rules to leave out: "signal on behavior", either of them * for any."""
    there = []
    for at, said in rules:
        pair = _pair(said)
        if pair:
            there.append((*pair, at))
    out: set[str] = set()
    for i, wanted in enumerate(reader.listed(given, path, "such as [oxygen on cycle.exit.live, il6 on *].")):
        said = reader.text(wanted, f"{path}.{i}")
        found = {at for s, b, at in there if speaks_of(said, (s, b))}
        if not found:
            hint = did_you_mean(said, [f"{s} on {b}" for s, b, _ in there])
            reader.complain(
                f"{path}.{i}",
                f"'{said[:60]}' is no rule of this type.{hint}",
                "Expected signal on behavior, as they stand in a rule; * for any.",
            )
        out |= found
    return out
